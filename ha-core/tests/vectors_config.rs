//! The vectors of `tests/vectors/config`: files with what is read from them, what is wrong in them, and how they are
//! written again.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "not the library")]

mod common;

use std::collections::BTreeSet;

use ha_core::{
    config::{
        DatacenterConfig, DatacenterFile, Digest, GroupsConfig, NodesConfig, Problem, ProblemKind, ResourcesConfig,
        RulesConfig, groups::GroupProperty, nodes::NodeProperty, resources::ResourceProperty,
    },
    id::ServiceTypes,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    about: String,
    file: String,
    #[serde(default)]
    service_types: Vec<String>,
    input: Option<String>,
    input_hex: Option<String>,
    sections: Option<Value>,
    settings: Option<Value>,
    digest: Option<String>,
    problems: Option<Value>,
    error: Option<String>,
    output: Option<String>,
    output_hex: Option<String>,
}

impl Vector {
    fn types(&self) -> ServiceTypes {
        let mut types = ServiceTypes::default();
        for service_type in &self.service_types {
            types.register(service_type.as_str(), |_| Ok(()));
        }
        types
    }
}

fn bytes(text: Option<&String>, hex: Option<&String>) -> Option<Vec<u8>> {
    let from_hex = |hex: &String| {
        let digits = hex.as_bytes().chunks(2);
        digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    };
    text.map(|text| text.clone().into_bytes()).or_else(|| hex.map(from_hex))
}

/// What a vector says about a file, as found by reading it and writing it again.
struct Found {
    sections: Option<Value>,
    settings: Option<Value>,
    problems: Vec<Problem>,
    digest: Digest,
    output: Vec<u8>,
}

fn section<'a>(header: (&str, &str), properties: impl Iterator<Item = (&'a str, Option<String>)>) -> Value {
    let set = properties.filter_map(|(key, text)| Some((key.to_owned(), Value::from(text?))));
    json!({ "type": header.0, "id": header.1, "properties": set.collect::<Map<_, _>>() })
}

fn read(file: &str, input: &[u8], types: &ServiceTypes) -> Found {
    let (sections, settings, problems, digest, output) = match file {
        "resources.cfg" => {
            let parsed = ResourcesConfig::read(input, types);
            let sections = parsed.config.resources.values().map(|resource| {
                let properties = ResourceProperty::ALL.iter().map(|key| (key.as_str(), resource.text(*key)));
                section((resource.sid.service_type(), resource.sid.name()), properties)
            });
            (Some(sections.collect()), None, parsed.problems, parsed.config.digest, parsed.config.write())
        }
        "groups.cfg" => {
            let parsed = GroupsConfig::read(input);
            let sections = parsed.config.groups.values().map(|group| {
                let properties = GroupProperty::ALL.iter().map(|key| (key.as_str(), group.text(*key)));
                section(("group", group.id.as_str()), properties)
            });
            (Some(sections.collect()), None, parsed.problems, parsed.config.digest, parsed.config.write())
        }
        "rules.cfg" => {
            let parsed = RulesConfig::read(input, types);
            let sections = parsed.config.rules.values().map(|rule| {
                let properties = rule.rule_type().properties().iter().map(|key| (key.as_str(), rule.text(*key)));
                section((rule.rule_type().as_str(), rule.id.as_str()), properties)
            });
            (Some(sections.collect()), None, parsed.problems, parsed.config.digest, parsed.config.write())
        }
        "nodes.cfg" => {
            let parsed = NodesConfig::read(input);
            let sections = parsed.config.nodes.values().map(|labels| {
                let properties = NodeProperty::ALL.iter().map(|key| (key.as_str(), labels.text(*key)));
                section(("node", labels.node.as_str()), properties)
            });
            (Some(sections.collect()), None, parsed.problems, parsed.config.digest, parsed.config.write())
        }
        "datacenter.cfg" => {
            let parsed = DatacenterFile::read(input);
            let settings = serde_json::to_value(parsed.config.config()).unwrap();
            (None, Some(settings), parsed.problems, parsed.config.digest(), parsed.config.write())
        }
        other => panic!("no such file: {other}"),
    };
    Found { sections, settings, problems, digest, output }
}

fn problem(problem: &Problem) -> Value {
    let mut found = json!({
        "line": problem.line,
        "section": problem.section,
        "property": problem.property,
        "code": problem.kind.code(),
    });
    if let ProblemKind::BadValue(error) | ProblemKind::BadSectionId(error) = &problem.kind {
        found["value_code"] = error.code().into();
    }
    found
}

/// The defaults with the given settings put over them.
fn with_defaults(settings: &Value) -> Value {
    let mut all = serde_json::to_value(DatacenterConfig::default()).unwrap();
    for (key, value) in settings.as_object().unwrap() {
        match value.as_object() {
            Some(inner) => {
                inner.iter().for_each(|(inner_key, value)| all[key][inner_key] = value.clone());
            }
            None => all[key] = value.clone(),
        }
    }
    all
}

fn check_json(name: &str, vector: &Vector) {
    let found = DatacenterConfig::from_json(vector.input.as_ref().unwrap());
    match (&vector.settings, &vector.error) {
        (Some(settings), None) => {
            assert_eq!(
                serde_json::to_value(found.unwrap()).unwrap(),
                with_defaults(settings),
                "{name}: {}",
                vector.about
            );
        }
        (None, Some(code)) => assert_eq!(found.unwrap_err().code(), code, "{name}: {}", vector.about),
        _ => panic!("{name}: expected either settings or an error"),
    }
}

fn vectors() -> Vec<(String, Vector)> {
    let files = common::files("tests/vectors/config", ".json").unwrap();
    let read = |(name, text): (String, String)| {
        let vector = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        (name, vector)
    };
    files.into_iter().map(read).collect()
}

#[test]
fn every_vector_holds() {
    let vectors = vectors();
    assert!(vectors.len() >= 60, "the vectors are missing");
    for (name, vector) in vectors {
        if vector.file == "datacenter.json" {
            check_json(&name, &vector);
            continue;
        }
        let about = &vector.about;
        let input = bytes(vector.input.as_ref(), vector.input_hex.as_ref()).unwrap();
        let output = bytes(vector.output.as_ref(), vector.output_hex.as_ref()).unwrap();
        let found = read(&vector.file, &input, &vector.types());
        assert_eq!(found.sections, vector.sections, "{name}: {about}");
        assert_eq!(found.settings, vector.settings.as_ref().map(with_defaults), "{name}: {about}");
        let problems: Value = found.problems.iter().map(problem).collect();
        assert_eq!(problems, vector.problems.unwrap(), "{name}: {about}");
        assert_eq!(String::from_utf8_lossy(&found.output), String::from_utf8_lossy(&output), "{name}: {about}");
        assert_eq!(found.output, output, "{name}: {about}");
        if let Some(digest) = vector.digest {
            assert_eq!(found.digest.to_string(), digest, "{name}: {about}");
        }
    }
}

#[test]
fn what_was_written_means_the_same_and_is_written_the_same() {
    for (name, vector) in vectors().into_iter().filter(|(_, vector)| vector.file != "datacenter.json") {
        let output = bytes(vector.output.as_ref(), vector.output_hex.as_ref()).unwrap();
        let found = read(&vector.file, &output, &vector.types());
        assert_eq!(found.output, output, "{name}: {}", vector.about);
        // 'disable' that is not set is not written: that is what holds anyway.
        let mut sections = vector.sections;
        for section in sections.iter_mut().flat_map(|sections| sections.as_array_mut().unwrap()) {
            section["properties"]
                .as_object_mut()
                .unwrap()
                .retain(|key, value| (key.as_str(), value.as_str()) != ("disable", Some("0")));
        }
        assert_eq!(found.sections, sections, "{name}: {}", vector.about);
    }
}

#[test]
fn every_kind_of_problem_is_covered() {
    let vectors = vectors();
    let problems = vectors.iter().filter_map(|(_, vector)| vector.problems.as_ref()?.as_array()).flatten();
    let covered: BTreeSet<&str> = problems.map(|problem| problem["code"].as_str().unwrap()).collect();
    assert_eq!(covered, ProblemKind::CODES.iter().copied().collect::<BTreeSet<_>>());
}

#[test]
fn every_problem_says_where_and_what_is_expected() {
    for (name, vector) in vectors().into_iter().filter(|(_, vector)| vector.file != "datacenter.json") {
        let input = bytes(vector.input.as_ref(), vector.input_hex.as_ref()).unwrap();
        for problem in read(&vector.file, &input, &vector.types()).problems {
            let text = problem.to_string();
            assert!(text.starts_with(&format!("line {}", problem.line)), "{name}: {text}");
            assert!(problem.section.is_none_or(|section| text.contains(&section)), "{name}: {text}");
            assert!(problem.property.is_none_or(|property| text.contains(&property)), "{name}: {text}");
            assert!(text.len() < 600, "{name}: too long to read: {text}");
        }
    }
}

#[test]
#[ignore = "needs the recorded data beside the checkout, in ../shared/conformance"]
fn recorded_configurations_hold_no_problem() {
    let scenarios = std::fs::read_dir(common::in_repository("../shared/conformance/scenarios")).unwrap();
    let mut types = ServiceTypes::default();
    types.register("fa", |_| Ok(()));
    let mut files = 0;
    for scenario in scenarios {
        let folder = scenario.unwrap().path();
        let file = |name: &str| std::fs::read(folder.join(name)).ok();
        if let Some(text) = file("datacenter.cfg") {
            DatacenterConfig::from_json(std::str::from_utf8(&text).unwrap()).unwrap();
            files += 1;
        }
        for (name, kind) in [("rules_config", "rules.cfg"), ("groups", "groups.cfg")] {
            let Some(text) = file(name) else { continue };
            let found = read(kind, &text, &types);
            assert_eq!(found.problems, [], "{}", folder.display());
            let again = read(kind, &found.output, &types);
            assert_eq!(again.sections, found.sections, "{}", folder.display());
            files += 1;
        }
    }
    assert!(files > 50, "the scenarios have these files");
}
