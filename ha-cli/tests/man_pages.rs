//! The man pages: those that `ha` writes of its verbs, and those of `docs/man`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::{fs, path::Path};

use common::{Sandbox, verbs};
use ha_core::config::{
    datacenter::{BalanceMethod, DatacenterSetting, FencingMode, SchedulerMode, ShutdownPolicy},
    nodes::NodeProperty,
    resources::{OnFailure, RequestedState, ResourceProperty},
    rules::{Affinity, RuleProperty, RuleType, Spread},
};

/// The options that a text names, such as `--dry-run`. In a page changes of the font and backslashes are in between.
fn options(text: &str) -> Vec<String> {
    let text =
        ["\\fB", "\\fI", "\\fR"].iter().fold(text.to_owned(), |text, font| text.replace(font, " ")).replace('\\', "");
    let words =
        text.split(|character: char| !character.is_ascii_alphanumeric() && character != '-' && character != '_');
    let mut options: Vec<String> = words.filter(|word| word.starts_with("--")).map(str::to_owned).collect();
    options.sort();
    options.dedup();
    options
}

#[test]
fn each_verb_has_a_page_with_all_of_its_options() {
    let sandbox = Sandbox::empty("man-pages");
    sandbox.ok(&["man-pages", sandbox.directory.to_str().unwrap()]);
    let verbs = verbs(&sandbox, &[]);
    assert!(verbs.len() > 30, "{verbs:?}");
    for verb in verbs {
        let page = format!("ha-{}.1", verb.join("-"));
        let text = fs::read_to_string(sandbox.directory.join(&page)).expect(&page);
        let mut words: Vec<&str> = verb.iter().map(String::as_str).collect();
        words.push("--help");
        let named = options(&text);
        for option in options(&sandbox.ok(&words)) {
            assert!(named.contains(&option), "{page} does not name {option}");
        }
    }
    let complaint = sandbox.fails(1, &["man-pages", "/dev/null/pages"]);
    assert!(complaint.contains("cannot write man pages to /dev/null/pages"), "{complaint}");
}

fn page(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/man").join(name)).expect(name)
}

/// Whether a page has each of these words as a word of the file that it is about.
fn check(name: &str, words: &[&str]) {
    let page = page(name);
    for word in words {
        let is_named = page.lines().any(|line| {
            let mut parts = line.trim_start_matches('.').split_whitespace().skip_while(|part| *part != "Cm").skip(1);
            parts.next() == Some(word) || line == format!(".Ss {word}")
        });
        assert!(is_named, "{name} does not name {word}");
    }
}

#[test]
fn pages_of_files_name_all_that_the_files_can_say() {
    check("resources.cfg.5", &[ResourceProperty::WORDS, RequestedState::WORDS, OnFailure::WORDS].concat());
    check("rules.cfg.5", &[RuleType::WORDS, RuleProperty::WORDS, Affinity::WORDS, Spread::WORDS].concat());
    check("nodes.cfg.5", NodeProperty::WORDS);
    let settings: Vec<&str> = DatacenterSetting::WORDS
        .iter()
        .map(|setting| setting.split_once('.').map_or(*setting, |(_, item)| item))
        .collect();
    check("datacenter.cfg.5", &settings);
    check("datacenter.cfg.5", &[ShutdownPolicy::WORDS, SchedulerMode::WORDS].concat());
    check("datacenter.cfg.5", &[BalanceMethod::WORDS, FencingMode::WORDS].concat());
}

/// The literal parts of a page, as a reader copies them.
fn examples(page: &str) -> Vec<String> {
    let parts = page.split("\n.Bd -literal -offset indent\n").skip(1);
    parts.map(|part| part.split("\n.Ed\n").next().unwrap().to_owned() + "\n").collect()
}

#[test]
fn the_program_in_ha_agents_keeps_what_ha_counts_on() {
    let sandbox = Sandbox::empty("man-example");
    let examples = examples(&page("ha-agents.7"));
    let text = examples.iter().find(|example| example.starts_with("#!/bin/sh\n")).unwrap();
    let program = sandbox.directory.join("ticker");
    fs::write(&program, text.replace("/run/", &format!("{}/", sandbox.directory.display()))).unwrap();
    let said = sandbox.ok(&["agents", "test", "--", "/bin/sh", program.to_str().unwrap()]);
    assert!(said.contains("it keeps what HA counts on"), "{said}");
}

#[test]
fn files_that_pages_show_are_without_fault() {
    let sandbox = Sandbox::new("man-files", "node1,node2,node3", "customary");
    for name in ["resources.cfg", "rules.cfg", "nodes.cfg", "datacenter.cfg", "fence.cfg"] {
        let example = examples(&page(&format!("{name}.5"))).pop().expect(name);
        fs::write(sandbox.store().join("config").join(name), example).unwrap();
    }
    let guests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/deploy/guests");
    for (sid, file) in [("proc:web", "web.json"), ("unit:database", "database.json")] {
        sandbox.ok(&["guest", "set", sid, guests.join(file).to_str().unwrap()]);
    }
    let said = sandbox.ok(&["check"]);
    assert!(said.contains("without fault"), "{said}");
}
