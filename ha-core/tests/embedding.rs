//! The embedding handbook says what the code says: the contract names every call of the host, what is quoted from an example stands
//! in it, and every page is found.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "not the library")]

mod common;

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    fs,
    time::Duration,
};

use common::{files, in_repository};
use ha_core::{
    event::{DaemonState, Event},
    id::NodeName,
    record::{Recorder, replay},
    timing::{TimingSettings, Timings},
};

const FOLDER: &str = "docs/embedding/src";

/// The pages by name. A package of this crate alone has none.
fn pages() -> BTreeMap<String, String> {
    let pages = files(FOLDER, ".md").unwrap_or_default();
    if pages.is_empty() {
        println!("skipped: there is no {FOLDER}");
    }
    pages
}

fn read(path: &str) -> String {
    fs::read_to_string(in_repository(path)).expect(path)
}

/// The methods of the traits of `ha_core::host`, as `Trait::method`.
fn methods() -> BTreeSet<String> {
    let mut methods = BTreeSet::new();
    for text in files("ha-core/src/host", ".rs").unwrap().values() {
        let mut current = None;
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("pub trait ") {
                current = Some(rest.split(|c: char| !c.is_alphanumeric()).next().unwrap().to_owned());
            } else if line == "}" {
                current = None;
            } else if let (Some(name), Some(rest)) = (&current, line.strip_prefix("    fn ")) {
                methods.insert(format!("{name}::{}", rest.split('(').next().unwrap()));
            }
        }
    }
    methods
}

/// The fields of `struct ha_callbacks`.
fn callbacks() -> BTreeSet<String> {
    let text = read("ha-ffi/src/host.rs");
    let body = text.split("pub struct ha_callbacks {").nth(1).unwrap().split("\n}").next().unwrap();
    let fields = body.lines().filter_map(|line| line.strip_prefix("    pub "));
    fields.map(|field| field.split(':').next().unwrap().to_owned()).collect()
}

/// What each callback promises, by its names in C and Python.
fn promises() -> Vec<(String, String, String)> {
    let text = read("tools/bindings/tables/promises");
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let promises = lines.map(|line| {
        let (names, promise) = line.split_once(": ").unwrap();
        let (c, python) = names.split_once(" = ").unwrap_or((names, names));
        (c.to_owned(), python.to_owned(), promise.to_owned())
    });
    promises.collect()
}

#[test]
fn the_contract_names_every_call_of_the_host_and_nothing_else() {
    let pages = pages();
    let Some(contract) = pages.get("contract") else { return };
    let methods = methods();
    assert!(methods.len() > 35, "{methods:?}");
    let rows: BTreeSet<String> =
        contract.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).map(str::to_owned).collect();
    assert_eq!(rows, methods, "left: what docs/embedding/src/contract.md has rows for; right: the traits");
    let callbacks = callbacks();
    assert!(callbacks.len() > 35, "{callbacks:?}");
    for callback in callbacks {
        assert!(contract.contains(&format!("`{callback}`")), "the contract does not name {callback} of ha_callbacks");
    }
}

#[test]
fn the_contract_says_of_each_callback_what_all_faces_say() {
    let pages = pages();
    let Some(contract) = pages.get("contract") else { return };
    for (c, python, promise) in promises() {
        // The former one of two with the same row.
        if c == "usage" {
            continue;
        }
        let cell = format!("| `{c}` |");
        let other = format!("| `{c}`; ");
        let row = contract.lines().find(|line| line.contains(&cell) || line.contains(&other)).expect(&c);
        assert!(
            promise == "-" || row.contains(&format!("| {promise} |")),
            "of {c} the table of promises says: {promise}"
        );
        assert!(c == python || row.contains(&format!("| `{python}` |")), "in Python {c} is called {python}");
    }
}

/// A text without what its lines are indented by.
fn without_indent(text: &str) -> String {
    text.lines().map(str::trim_start).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_is_quoted_from_files_stands_in_them() {
    let pages = pages();
    let mut quoted = BTreeMap::<&str, usize>::new();
    for (page, text) in &pages {
        for part in text.split("\n<!-- ").skip(1) {
            let (path, rest) = part.split_once(" -->\n```").unwrap();
            let (_, rest) = rest.split_once('\n').unwrap();
            let block = rest.split("\n```").next().unwrap();
            let stands =
                format!("\n{}\n", without_indent(&read(path))).contains(&format!("\n{}\n", without_indent(block)));
            assert!(stands, "{page}.md quotes what {path} does not say:\n{block}");
            *quoted.entry(path).or_default() += 1;
        }
        let blocks =
            ["rust", "c", "perl", "python", "go"].map(|language| text.matches(&format!("\n```{language}\n")).count());
        assert_eq!(blocks.iter().sum::<usize>(), text.matches(" -->\n```").count(), "{page}.md has code from no file");
    }
    for example in ["rust/three_nodes.rs", "c/three_nodes.c", "perl/three_nodes.pl", "python/host.py", "go/host.go"] {
        let count = quoted.get(format!("examples/{example}").as_str()).copied().unwrap_or_default();
        assert!(pages.is_empty() || count >= 4, "examples/{example} is quoted {count} times");
    }
}

#[test]
fn a_recording_is_decided_the_same_again() -> Result<(), Box<dyn Error>> {
    let mut recorder = Recorder::new(Vec::<String>::new());
    let mut host: Vec<Event> = Vec::new();
    let crm = recorder.start_crm(NodeName::new("node1")?, Timings::default(), &mut host);
    // … recorder.tick_crm(&mut crm, &mut host, now) in the place of crm.tick(&mut host, now) …
    let lines = recorder.sink().ok_or("it is on")?.join("\n");
    let replayed = replay(&lines)?;
    assert_eq!((replayed.calls, replayed.divergence), (1, None));

    assert_eq!(crm.state(), DaemonState::WaitForQuorum);
    Ok(())
}

#[test]
fn a_watchdog_that_outlives_the_lock_is_refused() -> Result<(), Box<dyn Error>> {
    let mut settings = TimingSettings::customary();
    settings.watchdog_timeout = Duration::from_secs(115);
    let refused = settings.validate().err().ok_or("a watchdog that outlives the lock is refused")?;
    println!("{refused}");

    let fast = TimingSettings::fast().validate()?;
    assert!(fast.feed_budget() >= fast.settings().longest_lock_attempt());

    assert!(refused.to_string().contains("lock"), "{refused}");
    Ok(())
}

#[test]
fn the_table_of_contents_has_every_page_and_links_lead_somewhere() {
    let pages = pages();
    for (name, text) in &pages {
        assert!(
            name == "SUMMARY" || pages["SUMMARY"].contains(&format!("]({name}.md)")),
            "SUMMARY.md has no {name}.md"
        );
        for link in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            let file = link.split('#').next().unwrap();
            assert!(file.is_empty() || in_repository(FOLDER).join(file).exists(), "{name}.md has a link to {link}");
        }
    }
}
