//! Plays the example clusters and all scenarios of `tests/scenarios`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use ha_sim::scenario::{Played, Scenario, play};

fn folders(below: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(below);
    let entries = fs::read_dir(&root).unwrap_or_else(|error| panic!("{}: {error}", root.display()));
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

/// Plays all folders and gives what went wrong, in lines.
fn play_all(folders: &[PathBuf]) -> Vec<String> {
    let mut wrong = Vec::new();
    for folder in folders {
        let name = folder.file_name().unwrap().to_string_lossy();
        match Scenario::read(folder) {
            Err(error) => wrong.push(format!("{name}: {error}")),
            Ok(scenario) => {
                if scenario.title.is_empty() {
                    wrong.push(format!("{name}: the first line should be a comment that says what it shows"));
                }
                if scenario.expectations() == 0 {
                    wrong.push(format!("{name}: nothing is expected"));
                }
                let outcome = play(scenario, &mut |_| {});
                wrong.extend(outcome.failures.iter().map(|failure| format!("{name}: {failure}")));
                wrong.extend(outcome.ran_twice.map(|ran_twice| format!("{name}: {ran_twice}")));
            }
        }
    }
    wrong
}

#[test]
fn all_scenarios_go_as_they_say() {
    let folders = folders("tests/scenarios");
    assert!(folders.len() >= 40, "scenarios are missing");
    let wrong = play_all(&folders);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The code blocks of a document, without their indentation.
fn blocks(document: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut block: Option<Vec<&str>> = None;
    for line in document.lines().map(str::trim) {
        match (line.starts_with("```"), block.take()) {
            (true, None) => block = Some(Vec::new()),
            (true, Some(lines)) => blocks.push(lines.join("\n")),
            (false, Some(lines)) => block = Some([lines, vec![line]].concat()),
            (false, None) => {}
        }
    }
    blocks
}

/// What the guide to scenarios shows is played as it is there, with a service for each guest.
#[test]
fn the_scenarios_of_the_guide_go_as_they_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/README.md");
    let blocks = blocks(&fs::read_to_string(path).unwrap());
    assert!(blocks.len() >= 10, "scenarios are missing");
    for text in blocks {
        let guests = text.lines().filter_map(|line| line.strip_prefix("guest ")?.split(' ').next());
        let resources: String = guests.map(|sid| format!("{}\n\n", sid.replacen(':', ": ", 1))).collect();
        let scenario = Scenario::parse("guide", &text, &[("resources.cfg", &resources)]);
        let scenario = scenario.unwrap_or_else(|error| panic!("{text}\n{error}"));
        assert!(scenario.expectations() > 0, "{text}");
        let outcome = play(scenario, &mut |_| {});
        assert!(outcome.passed(), "{text}\n{:?} {:?}", outcome.failures, outcome.ran_twice);
    }
}

#[test]
fn all_example_clusters_go_as_they_say() {
    let folders = folders("examples/clusters");
    assert!(folders.len() >= 8, "examples are missing");
    let wrong = play_all(&folders);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The same scenario always leads to the same history, event by event.
#[test]
fn histories_are_repeatable() {
    for folder in folders("examples/clusters") {
        let history = || {
            let mut lines = Vec::new();
            play(Scenario::read(&folder).unwrap(), &mut |played| {
                if let Played::Happening(happening) = played {
                    lines.push(serde_json::to_string(happening).unwrap());
                }
            });
            lines
        };
        let once = history();
        assert!(!once.is_empty());
        assert_eq!(once, history(), "{}", folder.display());
    }
}
