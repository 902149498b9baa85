//! The commands of the handbook are run as they stand, page by page.
//!
//! A page that begins with `<!-- cluster -->` is played in the cluster that "A first cluster" begins with, every other one in an empty
//! directory. Blocks that need systemd, root or another machine (`sh,machine`) are not run: what they call must be there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use common::Sandbox;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/handbook/src")
}

fn page(name: &str) -> String {
    fs::read_to_string(folder().join(name)).expect(name)
}

/// The blocks of a kind, each as its text.
fn blocks(page: &str, kind: &str) -> Vec<String> {
    let begin = format!("\n```{kind}\n");
    let parts = page.split(&begin).skip(1);
    parts.map(|part| part.split("\n```").next().unwrap().to_owned()).collect()
}

/// The block that makes three nodes on one machine, in the directory in which it is run.
fn cluster() -> String {
    let page = page("first-cluster.md");
    let block = blocks(&page, "sh").remove(0);
    let (first, rest) = block.split_once('\n').unwrap();
    assert_eq!(first, r#"cd "$(mktemp -d)""#);
    rest.to_owned()
}

/// Runs the commands of a page in a shell, which stops at the first that fails.
fn play(name: &str) {
    let sandbox = Sandbox::empty("handbook");
    let page = page(name);
    let mut script = "set -euo pipefail\n".to_owned();
    if page.starts_with("<!-- cluster -->\n") {
        script += &cluster();
    }
    for block in blocks(&page, "sh") {
        script = script + "\n" + &block.replace(r#"cd "$(mktemp -d)""#, ":");
    }
    let programs = sandbox.program.parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let log = sandbox.directory.join("log");
    let output = fs::File::create(&log).unwrap();
    let mut shell = Command::new("timeout");
    shell.args(["300", "bash", "-xc", &script]).current_dir(&sandbox.directory).env("PATH", path);
    for variable in ["HA_STORE", "HA_NODE", "HA_STATE_DIR", "HA_RUN_DIR"] {
        shell.env_remove(variable);
    }
    shell.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
    let status = shell.status().unwrap();
    let log = fs::read_to_string(&log).unwrap();
    let end: Vec<&str> = log.lines().rev().take(40).collect();
    assert!(status.success(), "{name} ({status}):\n{}", end.into_iter().rev().collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_first_cluster() {
    play("first-cluster.md");
}

#[test]
fn everyday_tasks() {
    play("tasks.md");
}

#[test]
fn an_application_of_three_parts() {
    play("three-tiers.md");
}

#[test]
fn when_something_is_wrong() {
    play("wrong.md");
}

#[test]
fn disaster() {
    play("disaster.md");
}

#[test]
fn limits() {
    play("limits.md");
}

/// Whether there is what a line calls: a verb of `ha`, or a unit that is shipped.
fn check_call(sandbox: &Sandbox, line: &str) {
    let mut words = line.split_whitespace();
    let units = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/deploy");
    match words.next() {
        Some("ha") => {
            let is_verb = |word: &&str| word.starts_with(|first: char| first.is_ascii_lowercase());
            let of_another = words.clone().next().is_some_and(|verb| common::OF_ANOTHER_PROGRAM.contains(&verb));
            let mut verb: Vec<&str> = words.clone().take_while(is_verb).collect();
            // A name is no verb.
            verb.truncate(if matches!(verb.first(), Some(&("node" | "store" | "repair" | "rules"))) { 2 } else { 1 });
            if of_another {
                return;
            }
            let help = sandbox.ok(&[&verb[..], &["--help"]].concat());
            for option in words.filter(|word| word.starts_with("--")) {
                assert!(help.contains(option), "{line}: ha {} has no {option}", verb.join(" "));
            }
        }
        Some("systemctl" | "journalctl") => {
            for unit in words.filter(|word| word.starts_with("ha-")) {
                assert!(units.join(format!("{unit}.service")).exists(), "{line}: there is no {unit}");
            }
        }
        Some("apt" | "sed" | "#" | "export") | None => {}
        Some(other) => panic!("{line}: what is {other}?"),
    }
}

#[test]
fn what_is_called_on_other_machines_is_there() {
    let sandbox = Sandbox::empty("handbook-calls");
    let mut count = 0;
    for name in ["first-cluster.md", "tasks.md", "wrong.md", "disaster.md"] {
        for block in blocks(&page(name), "sh,machine") {
            assert!(block.starts_with("# "), "{name}: it must begin with where it is called: {block}");
            for line in block.lines() {
                check_call(&sandbox, line);
                count += 1;
            }
        }
    }
    assert!(count > 20, "{count} lines are found");
}

#[test]
fn the_table_of_contents_has_every_page_and_links_lead_somewhere() {
    let summary = page("SUMMARY.md");
    for entry in fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(name == "SUMMARY.md" || summary.contains(&format!("]({name})")), "SUMMARY.md has no {name}");
        let text = page(&name);
        for link in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            let file = link.split('#').next().unwrap();
            assert!(folder().join(file).exists(), "{name} has a link to {link}");
        }
    }
}
