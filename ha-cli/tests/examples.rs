//! The example cluster under `examples/deploy` is one that works.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::{fs, path::Path};

use common::Sandbox;

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
