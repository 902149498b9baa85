//! Rule sets with what becomes of them: the vectors of this repository, and the recorded ones where they are at hand.
#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod common;

use ha_core::{
    config::{NodesConfig, RulesConfig},
    id::{NodeName, ServiceTypes},
    rules::{RuleSet, evaluate},
};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Vector {
    about: String,
    nodes: Vec<NodeName>,
    /// The lines of the file.
    rules_cfg: Vec<String>,
    /// The lines of `nodes.cfg`.
    #[serde(default)]
    nodes_cfg: Vec<String>,
    expect: Value,
}

fn evaluated(rules_cfg: &str, nodes_cfg: &[String], nodes: &[NodeName]) -> Value {
    let parsed = RulesConfig::read(rules_cfg.as_bytes(), &ServiceTypes::default());
    assert_eq!(parsed.problems, []);
    let labels = NodesConfig::read(nodes_cfg.join("\n").as_bytes());
    assert_eq!(labels.problems, []);
    let rules = RuleSet::from_config(&parsed.config).in_domains(&labels.config);
    serde_json::to_value(evaluate(&rules, nodes).report(nodes)).unwrap()
}

#[test]
fn vectors() {
    let vectors = common::files("tests/vectors/rules", ".json").unwrap();
    assert!(vectors.len() >= 15, "the vectors are missing");
    for (name, text) in vectors {
        let vector: Vector = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut found = evaluated(&vector.rules_cfg.join("\n"), &vector.nodes_cfg, &vector.nodes);
        found.as_object_mut().unwrap().remove("nodes");
        assert_eq!(found, vector.expect, "{name}: {}", vector.about);
    }
}

#[test]
fn the_order_of_the_sections_has_no_meaning() {
    for (name, text) in common::files("tests/vectors/rules", ".json").unwrap() {
        let vector: Vector = serde_json::from_str(&text).unwrap();
        let lines = vector.rules_cfg.join("\n");
        let mut sections: Vec<&str> = lines.split("\n\n").collect();
        sections.reverse();
        assert_eq!(
            evaluated(&lines, &vector.nodes_cfg, &vector.nodes),
            evaluated(&sections.join("\n\n"), &vector.nodes_cfg, &vector.nodes),
            "{name}: {}",
            vector.about
        );
    }
}

#[test]
#[ignore = "needs the recorded data beside the checkout, in ../shared/conformance"]
fn recorded_rule_sets() {
    let files = common::files("../shared/conformance/rules", ".cfg").unwrap();
    let expected = common::files("../shared/conformance/rules", ".expect.json").unwrap();
    for (name, rules_cfg) in files {
        let expected: Value = serde_json::from_str(&expected[&name]).unwrap();
        let nodes: Vec<NodeName> = serde_json::from_value(expected["nodes"].clone()).unwrap();
        assert_eq!(evaluated(&rules_cfg, &[], &nodes), expected, "{name}");
    }
}

#[test]
fn the_report_keeps_the_order_of_its_parts() {
    let nodes = [NodeName::new("n1").unwrap()];
    let report = evaluate(&RuleSet::default(), &nodes).report(&nodes);
    assert_eq!(
        serde_json::to_string(&report).unwrap(),
        r#"{"nodes":["n1"],"dropped":[],"rules":{},"compiled":{"node-affinity":{},"positive":{},"negative":{}}}"#
    );
}
