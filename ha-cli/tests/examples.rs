//! The example cluster under `examples/deploy` is one that works.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::{fs, path::Path};

use common::Sandbox;

/// Who is woken at night by an alert types what its page says.
#[test]
fn what_to_do_about_an_alert_are_commands_that_there_are() {
    let sandbox = Sandbox::new("alerts", "node1", "customary");
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/alerts.md")).unwrap();
    let mut count = 0;
    let page = page.replace('\n', " ");
    let commands = page.split('`').skip(1).step_by(2).filter_map(|code| code.strip_prefix("ha "));
    // 'ha web' is another program, which need not be built here.
    for command in commands.filter(|command| *command != "web") {
        let is_word = |word: &&str| word.starts_with(|first: char| first.is_ascii_lowercase());
        let words = command.split(' ').take_while(is_word);
        sandbox.ok(&words.chain(["--help"]).collect::<Vec<_>>());
        count += 1;
    }
    assert!(count > 10, "{count} commands are found");
}

#[test]
fn the_example_configuration_is_without_fault() {
    let sandbox = Sandbox::new("deploy", "node1,node2,node3", "customary");
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/deploy");
    for file in fs::read_dir(example.join("config")).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), sandbox.store().join("config").join(file.file_name())).unwrap();
    }
    for (sid, file) in [("proc:web", "web.json"), ("unit:database", "database.json")] {
        sandbox.ok(&["guest", "set", sid, example.join("guests").join(file).to_str().unwrap()]);
    }
    assert!(sandbox.ok(&["check"]).contains("without fault"));
    assert_eq!(sandbox.ok(&["guest", "list"]), "proc:web\tnode1\tproc\nunit:database\tnode2\tunit\n");
}
