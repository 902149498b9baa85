//! What shells offer at the TAB key.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::process::Command;

use common::Sandbox;

/// A cluster with two services, a guest that is none, a group and a rule.
fn cluster(name: &str) -> Sandbox {
    let sandbox = Sandbox::new(name, "node1,node2,node3", "fast");
    for number in [100, 101, 200] {
        sandbox.guest(&format!("vm:{number}"), "node1", &["/bin/sleep", "1000"]);
    }
    sandbox.ok(&["add", "vm:100"]);
    sandbox.ok(&["add", "vm:101"]);
    let apart = ["--resources", "vm:100,vm:101", "--affinity", "negative"];
    sandbox.ok(&[&["rules", "add", "resource-affinity", "apart"], &apart[..]].concat());
    sandbox.ok(&["rules", "add", "node-affinity", "ring", "--resources", "vm:100", "--nodes", "node1,node2"]);
    sandbox
}

/// What bash is told for a line that it has taken apart into these words, the last of them at the cursor.
///
/// It takes lines apart at colons and equals signs too, as words of their own.
fn in_bash(sandbox: &Sandbox, words: &[&str]) -> Vec<String> {
    let script = r#"
        source <("$HA" completions bash)
        command() { shift; "$HA" "$@"; }
        compopt() { :; }
        COMP_LINE=$1; shift
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
        _ha
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let is_break = |word: &str| word.starts_with([':', '=']);
    let mut line = String::new();
    let mut glue = true;
    for word in words {
        if !glue && !is_break(word) {
            line.push(' ');
        }
        line.push_str(word);
        glue = is_break(word);
    }
    let output = Command::new("bash")
        .args(["--norc", "-c", script, "bash", &line])
        .args(words)
        .env("HA", env!("CARGO_BIN_EXE_ha"))
        .env("HA_STORE", sandbox.address.as_str())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[test]
fn bash_completes_the_names_of_what_there_is() {
    let sandbox = cluster("completion");
    let bash = |words: &[&str]| in_bash(&sandbox, words);
    assert_eq!(bash(&["ha", "explain", ""]), ["vm:100", "vm:101"]);
    assert_eq!(bash(&["ha", "add", ""]), ["vm:200"], "a guest that is no service yet");
    assert_eq!(bash(&["ha", "guest", "remove", ""]), ["vm:100", "vm:101", "vm:200"]);
    assert_eq!(bash(&["ha", "migrate", "vm", ":", "100", ""]), ["node1", "node2", "node3"], "after an id");
    assert_eq!(bash(&["ha", "rules", "remove", "a"]), ["apart"]);
    assert_eq!(bash(&["ha", "groupr"]), ["groupremove"]);
    assert_eq!(bash(&["ha", "set", "vm", ":", "100", "--state", "st"]), ["started", "stopped"]);
}

#[test]
fn bash_gets_what_follows_the_last_colon_or_equals_sign_that_it_ends_words_at() {
    let sandbox = cluster("completion-pieces");
    let bash = |words: &[&str]| in_bash(&sandbox, words);
    assert_eq!(bash(&["ha", "explain", "vm", ":"]), ["100", "101"]);
    assert_eq!(bash(&["ha", "explain", "vm", ":", "101"]), ["101"]);
    assert_eq!(bash(&["ha", "status", "--sort", "=", "no"]), ["node"]);
    let list = ["ha", "rules", "set", "apart", "--resources", "vm", ":", "100,vm", ":", ""];
    assert_eq!(bash(&list), ["101"], "of a list, what is not there yet");
}

#[test]
fn the_store_that_the_line_names_is_asked() {
    let (sandbox, other) = (cluster("completion-here"), Sandbox::new("completion-there", "far1,far2", "fast"));
    let words = ["ha", "--store", &other.address, "maintenance", "enable", ""];
    let words: Vec<&str> = words
        .into_iter()
        .flat_map(|word| match word.split_once(':') {
            Some((scheme, path)) => vec![scheme, ":", path],
            None => vec![word],
        })
        .collect();
    assert_eq!(in_bash(&sandbox, &words), ["far1", "far2"]);
}

#[test]
fn a_store_that_can_not_be_asked_offers_nothing_and_says_nothing() {
    let mut sandbox = Sandbox::empty("completion-nothing");
    sandbox.address = "file:/nowhere".into();
    let offered = in_bash(&sandbox, &["ha", "explain", ""]);
    assert!(offered.iter().all(|word| word.starts_with("--")), "{offered:?}");
}

#[test]
fn other_shells_are_told_whole_words() {
    let sandbox = cluster("completion-others");
    let ask = |shell: &str, words: &[&str]| {
        let mut command = sandbox.command();
        command.env("HA_COMPLETE", shell).env("_CLAP_COMPLETE_INDEX", (words.len() - 1).to_string());
        let output = command.arg("--").args(words).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(ask("fish", &["ha", "explain", "vm:1"]).lines().collect::<Vec<_>>(), ["vm:100", "vm:101"]);
    let zsh = ask("zsh", &["ha", "explain", "vm:1"]);
    assert_eq!(zsh.lines().collect::<Vec<_>>(), [r"vm\:100", r"vm\:101"], "zsh describes what follows a plain colon");
}
