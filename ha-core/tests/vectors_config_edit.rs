//! The vectors of `tests/vectors/config/edit`: edits, with the files before and after them, or why they are refused.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "not the library")]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use ha_core::{
    config::{Changes, ConfigFiles, EditError, Editor, GroupsConfig, NodesConfig, ResourcesConfig, RulesConfig},
    id::{NodeName, ServiceId, ServiceTypes},
};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    about: String,
    before: BTreeMap<String, String>,
    #[serde(default)]
    nodes: Vec<NodeName>,
    #[serde(default)]
    in_error: Vec<ServiceId>,
    #[serde(default)]
    guests: BTreeMap<String, String>,
    edit: Edit,
    after: Option<BTreeMap<String, String>>,
    error: Option<String>,
    #[serde(default)]
    faults: Vec<Fault>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    call: String,
    id: String,
    rule_type: Option<String>,
    #[serde(default)]
    set: Vec<(String, String)>,
    #[serde(default)]
    unset: Vec<String>,
    purge: Option<bool>,
    seen: Option<String>,
}

#[derive(Deserialize, PartialEq, Debug)]
#[serde(deny_unknown_fields)]
struct Fault {
    property: String,
    code: String,
}

fn configuration(files: &BTreeMap<String, String>, types: &ServiceTypes) -> ConfigFiles {
    let file = |name| files.get(name).map_or("", String::as_str).as_bytes();
    ConfigFiles {
        resources: ResourcesConfig::read(file("resources.cfg"), types).config,
        groups: GroupsConfig::read(file("groups.cfg")).config,
        rules: RulesConfig::read(file("rules.cfg"), types).config,
        nodes: NodesConfig::read(file("nodes.cfg")).config,
    }
}

fn written(config: &ConfigFiles) -> BTreeMap<&'static str, String> {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    BTreeMap::from([
        ("resources.cfg", text(config.resources.write())),
        ("groups.cfg", text(config.groups.write())),
        ("rules.cfg", text(config.rules.write())),
        ("nodes.cfg", text(config.nodes.write())),
    ])
}

fn apply(editor: &Editor<'_>, config: &mut ConfigFiles, edit: &Edit) -> Result<(), EditError> {
    let set: Vec<_> = edit.set.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let unset: Vec<_> = edit.unset.iter().map(String::as_str).collect();
    let changes = Changes { set: &set, unset: &unset };
    let id = edit.id.as_str();
    match edit.call.as_str() {
        "add_resource" => editor.add_resource(config, id, &set).map(drop),
        "set_resource" => editor.set_resource(config, id, changes),
        "remove_resource" => editor.remove_resource(config, id, edit.purge.unwrap()),
        "add_group" => editor.add_group(config, id, &set),
        "set_group" => editor.set_group(config, id, changes),
        "remove_group" => editor.remove_group(config, id),
        "add_rule" => editor.add_rule(config, edit.rule_type.as_ref().unwrap(), id, &set),
        "set_rule" => editor.set_rule(config, id, changes),
        "set_node" => editor.set_node(config, id, changes),
        "remove_rule" => editor.remove_rule(config, id),
        other => panic!("no such edit: {other}"),
    }
}

fn vectors() -> Vec<(String, Vector)> {
    let files = common::files("tests/vectors/config/edit", ".json").unwrap();
    let read = |(name, text): (String, String)| {
        let vector = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        (name, vector)
    };
    files.into_iter().map(read).collect()
}

#[test]
fn every_vector_holds() {
    let vectors = vectors();
    assert!(vectors.len() >= 30, "the vectors are missing");
    let types = ServiceTypes::default();
    for (name, vector) in vectors {
        let about = &vector.about;
        let in_error = |sid: &ServiceId| vector.in_error.contains(sid);
        let guest_types = |number: &str| vector.guests.get(number).cloned();
        let editor = Editor::new(&types, &vector.nodes)
            .services_in_error(&in_error)
            .guest_types(&guest_types)
            .seen(vector.edit.seen.as_ref().map(|digest| digest.parse().unwrap()));
        let before = configuration(&vector.before, &types);
        let mut config = before.clone();
        match (apply(&editor, &mut config, &vector.edit), vector.after) {
            (Ok(()), Some(after)) => {
                let mut expected = written(&before);
                for (file, text) in &after {
                    *expected.get_mut(file.as_str()).unwrap() = text.clone();
                }
                assert_eq!(written(&config), expected, "{name}: {about}");
            }
            (Err(error), None) => {
                assert_eq!(Some(error.code()), vector.error.as_deref(), "{name}: {about}: {error}");
                let faults = error.faults().iter();
                let faults: Vec<_> = faults
                    .map(|fault| Fault { property: fault.property.clone(), code: fault.kind.code().into() })
                    .collect();
                assert_eq!(faults, vector.faults, "{name}: {about}");
                assert_eq!(config, before, "{name}: {about}");
            }
            (found, _) => panic!("{name}: {about}: {found:?}"),
        }
    }
}

#[test]
fn every_kind_of_refusal_and_fault_is_covered() {
    let vectors = vectors();
    let errors: BTreeSet<&str> = vectors.iter().filter_map(|(_, vector)| vector.error.as_deref()).collect();
    let expected =
        ["already_exists", "bad_id", "bad_properties", "bad_rule_type", "digest_mismatch", "group_in_use", "not_found"];
    assert_eq!(errors, BTreeSet::from(expected));
    let faults: BTreeSet<&str> =
        vectors.iter().flat_map(|(_, vector)| &vector.faults).map(|fault| fault.code.as_str()).collect();
    let expected = [
        "bad_value",
        "given_twice",
        "infeasible",
        "missing",
        "no_such_group",
        "service_in_error",
        "unknown_name",
        "unknown_property",
    ];
    assert_eq!(faults, BTreeSet::from(expected));
}
