//! Hostile configuration files: everything is reported, nothing is fatal, and the time grows with the size.
#![allow(clippy::unwrap_used, reason = "not the library")]

use ha_core::{
    config::{
        Changes, ConfigFiles, DatacenterConfig, DatacenterFile, Editor, GroupsConfig, NodesConfig, ResourcesConfig,
        RulesConfig,
    },
    id::ServiceTypes,
};

const MEGABYTE: usize = 1_000_000;
const QUARTER: usize = 250_000;

/// Reads `text` as every file, writes it, and reads that again. Gives the number of problems in `resources.cfg`.
///
/// Anything that is not linear would take minutes to hours on the inputs below: the test runner would stop it.
fn read_as_everything(text: &[u8]) -> usize {
    let types = ServiceTypes::default();
    let resources = ResourcesConfig::read(text, &types);
    let written = resources.config.write();
    assert_eq!(ResourcesConfig::read(&written, &types).config.write(), written);
    for problem in &resources.problems {
        assert!(problem.to_string().len() < 1000);
    }
    let written = GroupsConfig::read(text).config.write();
    assert_eq!(GroupsConfig::read(&written).config.write(), written);
    let written = RulesConfig::read(text, &types).config.write();
    assert_eq!(RulesConfig::read(&written, &types).config.write(), written);
    let written = NodesConfig::read(text).config.write();
    assert_eq!(NodesConfig::read(&written).config.write(), written);
    assert_eq!(DatacenterFile::read(text).config.write(), text);
    resources.problems.len()
}

fn repeated(pattern: &str, size: usize) -> Vec<u8> {
    pattern.bytes().cycle().take(size).collect()
}

#[test]
fn a_line_of_ten_megabytes() {
    assert_eq!(read_as_everything(&repeated("x", 10 * MEGABYTE)), 1);
    for (before, pattern, problems) in [
        ("vm: ", "1", 0),
        ("vm: 100\n\tcomment ", "ä", 1),
        ("vm: 100\n\t", "key", 1),
        ("vm: 100\n\tstate ", "\u{1}", 1),
        ("vm: 100\n", "\r\u{b} ", 1),
        ("x: ", ",;=", 1),
        ("group: aa\n\tnodes ", "n1,n2 ", 1),
        ("resource-affinity: rr\n\taffinity negative\n\tresources ", "vm:100,vm:99;", 1),
        ("node-affinity: rr\n\tnodes a\n\tresources vm:10\n\tcomment ", "%41%", 1),
        ("node: nn\n\tfailure-domain ", "a", 1),
        ("crs: ", "ha=static,x,", 1),
        ("max_workers: ", "9", 1),
    ] {
        let text = [before.as_bytes(), &repeated(pattern, 10 * MEGABYTE)].concat();
        assert!(read_as_everything(&text) >= problems, "{before:?} {pattern:?}");
    }
}

#[test]
fn a_million_sections() {
    let types = ServiceTypes::default();
    let text: String = (0..1_000_000_u32).map(|number| format!("vm: 1{number:07}\n\tmax_restart 2\n\n")).collect();
    let parsed = ResourcesConfig::read(text.as_bytes(), &types);
    assert_eq!((parsed.config.resources.len(), parsed.problems.len()), (1_000_000, 0));
    assert_eq!(parsed.config.write(), text.as_bytes());
}

#[test]
fn many_of_everything_that_is_reported() {
    for (pattern, problems) in [
        ("vm: 100\n\n", 1),
        ("vm: 100\n", 1),
        ("vm: 1\n\n", 1),
        ("group: aa\n\n", 1),
        ("resource-affinity: rr\n\taffinity positive\n\n", 1),
        ("# a\n\n", 0),
        ("garbage\n", 1),
        ("\tstate started\n", 1),
        (" \n", 1),
        ("max_workers: 3\n", 0),
        ("crs: static\n", 0),
    ] {
        let text = repeated(pattern, QUARTER);
        assert!(read_as_everything(&text) >= problems * (QUARTER / pattern.len() - 2), "{pattern:?}");
    }
    for pattern in ["\tstate stopped\n", "\tstate x\n", "\tcomment y\n", "\tfoo\n", "# c\n", "vm: 101\n", "\t\n"] {
        for header in ["vm: 100\n", "group: aa\n\tnodes n\n", "resource-affinity: rr\n"] {
            read_as_everything(&[header.as_bytes(), &repeated(pattern, QUARTER)].concat());
        }
    }
}

#[test]
fn edits_of_a_large_configuration_stay_quick() {
    let types = ServiceTypes::default();
    let editor = Editor::new(&types, &[]);
    let mut config = ConfigFiles::default();
    for number in 10_000..20_000 {
        editor.add_resource(&mut config, &format!("vm:{number}"), &[("max_restart", "2")]).unwrap();
    }
    for number in 10_000..20_000 {
        let changes = Changes { set: &[("state", "stopped")], unset: &["max_restart"] };
        editor.set_resource(&mut config, &format!("vm:{number}"), changes).unwrap();
    }
    assert_eq!(config.resources.resources.len(), 10_000);
}

#[test]
fn json_that_is_nested_without_end_is_refused() {
    for text in ["[".repeat(MEGABYTE), "{\"ha\":".repeat(MEGABYTE), "\0".into(), "1".repeat(MEGABYTE)] {
        assert!(DatacenterConfig::from_json(&text).is_err());
    }
}
