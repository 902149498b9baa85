//! Fence device files with the commands that they come to: the vectors of this repository, and the recorded ones where
//! they are at hand.
#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod common;

use ha_core::{
    config::{FenceConfig, fence::FenceFile},
    id::NodeName,
};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Vector {
    about: String,
    nodes: Vec<NodeName>,
    /// The lines of the file.
    fence_cfg: Vec<String>,
    expect: Value,
    warnings: Vec<Warning>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Warning {
    line: usize,
    warning: String,
}

fn warnings(file: &FenceFile) -> Vec<Warning> {
    file.warnings
        .iter()
        .map(|warning| Warning { line: warning.line, warning: warning.kind.code().to_owned() })
        .collect()
}

fn report(file: &FenceFile, nodes: &[NodeName]) -> Value {
    serde_json::to_value(file.report(nodes)).unwrap()
}

#[test]
fn vectors() {
    let vectors = common::files("tests/vectors/fence", ".json").unwrap();
    assert!(vectors.len() >= 10, "the vectors are missing");
    for (name, text) in vectors {
        let vector: Vector = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        for end in ["\n", "\r\n"] {
            let file = FenceConfig::read(vector.fence_cfg.join(end).as_bytes());
            assert_eq!(report(&file, &vector.nodes), vector.expect, "{name}: {}", vector.about);
            assert_eq!(warnings(&file), vector.warnings, "{name}: {}", vector.about);
        }
    }
}

#[test]
#[ignore = "needs the recorded data beside the checkout, in ../shared/conformance"]
fn recorded_fence_devices() {
    let files = common::files("../shared/conformance/fence", ".cfg").unwrap();
    let expected = common::files("../shared/conformance/fence", ".expect.json").unwrap();
    let nodes = ["node1", "node2", "node3"].map(|node| NodeName::new(node).unwrap());
    for (name, fence_cfg) in files {
        let expected: Value = serde_json::from_str(&expected[&name]).unwrap();
        let file = FenceConfig::read(fence_cfg.as_bytes());
        assert_eq!(report(&file, &nodes), expected, "{name}");
        assert_eq!(file.warnings, [], "{name}");
    }
}

#[test]
fn problems_are_sentences_that_say_where() {
    let file = FenceConfig::read(b"device d fence_d\ndevice d fence_d\nhello\nconnect e node=n1\n");
    assert_eq!(
        file.config.unwrap_err().to_string(),
        "line 2: 'd:1' is declared above already: give the parallel parts of one device different numbers; \
         line 4: device 'e' is not declared: put 'device e <agent> …' above"
    );
    assert_eq!(
        file.warnings[0].to_string(),
        "line 3: 'hello' is no kind of line: expected 'device' or 'connect'; the line is skipped"
    );
}

#[test]
fn a_line_that_is_not_utf8_is_skipped_alone() {
    let file = FenceConfig::read(b"device d fence_d\nconnect d node=n1 pass=\xff\nconnect d node=n2\n");
    assert_eq!(warnings(&file), [Warning { line: 2, warning: "not_utf8".into() }]);
    let config = file.config.unwrap();
    assert!(!config.is_connected(&NodeName::new("n1").unwrap()));
    assert!(config.is_connected(&NodeName::new("n2").unwrap()));
}

#[test]
fn arguments_do_not_show_in_debug_output_or_problems() {
    let text = "device d fence_d password=secret\nconnect d node=n1 token=secret\n\
                connect d node=n1 token=secret\ndevice e fence_d \"password=secret\n";
    let file = FenceConfig::read(text.as_bytes());
    assert!(!format!("{file:?}").contains("secret"));
    let file = FenceConfig::read(text.lines().take(2).collect::<Vec<_>>().join("\n").as_bytes());
    let commands = file.config.as_ref().unwrap().commands(&NodeName::new("n1").unwrap(), 0);
    assert_eq!(commands.len(), 1);
    assert!(!format!("{file:?} {commands:?}").contains("secret"));
}

proptest! {
    /// Whatever the words are, quoting them makes an argument that arrives unchanged.
    #[test]
    fn quoted_words_arrive_unchanged(value in "[^\\x00\n\r]{0,20}") {
        let quoted = format!("'{}'", value.replace('\'', r"'\''"));
        let text = format!("device d fence_d key={quoted}\nconnect d node=n1\n");
        let commands = FenceConfig::read(text.as_bytes()).config.unwrap().commands(&NodeName::new("n1").unwrap(), 0);
        prop_assert_eq!(commands[0].words().nth(1), Some(format!("--key={value}")));
    }

    #[test]
    fn no_text_is_too_strange(lines in prop::collection::vec(
        "(device|connect|#|) ?(d|e|d:2|:|d:x)? (node=n1|fence_d)?[ -~\\x80\u{a0}-\u{ff}]{0,12}", 0..12)
    ) {
        let nodes = ["n1", "n2"].map(|node| NodeName::new(node).unwrap());
        let file = FenceConfig::read(lines.join("\n").as_bytes());
        report(&file, &nodes);
        if let Ok(config) = &file.config {
            for node in &nodes {
                prop_assert_eq!(config.is_connected(node), !config.commands(node, 0).is_empty());
            }
        }
    }
}
