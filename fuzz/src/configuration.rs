//! ConfigFiles files, and edits of them.

use std::fmt::Debug;

use ha_core::{
    config::{
        Changes, ConfigFiles, DatacenterConfig, DatacenterFile, Editor, FenceConfig, GroupsConfig, NodesConfig, Parsed,
        ResourcesConfig, RulesConfig, datacenter,
    },
    id::{NodeName, ServiceTypes},
};

/// What was read and written reads as the same, and is written the same again.
fn round_trip<T, S: PartialEq + Debug>(
    data: &[u8],
    read: impl Fn(&[u8]) -> Parsed<T>,
    write: impl Fn(&T) -> Vec<u8>,
    sections: impl Fn(&T) -> S,
) {
    let first = read(data);
    for problem in &first.problems {
        assert!(!problem.to_string().is_empty());
    }
    let written = write(&first.config);
    let again = read(&written);
    assert_eq!(sections(&first.config), sections(&again.config), "what was written reads as something else");
    assert_eq!(
        String::from_utf8_lossy(&write(&again.config)),
        String::from_utf8_lossy(&written),
        "it is written otherwise the second time"
    );
}

pub(crate) fn resources(data: &[u8]) {
    let types = ServiceTypes::default();
    let sections = |config: &ResourcesConfig| config.resources.clone().into_iter().collect::<Vec<_>>();
    round_trip(data, |text| ResourcesConfig::read(text, &types), ResourcesConfig::write, sections);
}

pub(crate) fn groups(data: &[u8]) {
    let sections = |config: &GroupsConfig| config.groups.clone().into_iter().collect::<Vec<_>>();
    round_trip(data, GroupsConfig::read, GroupsConfig::write, sections);
}

pub(crate) fn rules(data: &[u8]) {
    let types = ServiceTypes::default();
    // `disable no` is not written: it says the same as nothing.
    let sections = |config: &RulesConfig| {
        let mut rules: Vec<_> = config.rules.clone().into_iter().collect();
        for (_, rule) in &mut rules {
            rule.disable = rule.disable.filter(|disabled| *disabled);
        }
        rules
    };
    round_trip(data, |text| RulesConfig::read(text, &types), RulesConfig::write, sections);
}

pub(crate) fn nodes(data: &[u8]) {
    let sections = |config: &NodesConfig| config.nodes.clone().into_iter().collect::<Vec<_>>();
    round_trip(data, NodesConfig::read, NodesConfig::write, sections);
}

/// The file, then the file with every setting set to each of a few values, then the bytes as JSON.
pub(crate) fn datacenter(data: &[u8]) {
    round_trip(data, DatacenterFile::read, DatacenterFile::write, |file| file.config().clone());
    let Parsed { config: file, problems } = DatacenterFile::read(data);
    let written = file.write();
    if problems.iter().any(|problem| problem.kind.is_remark()) {
        assert!(
            data.ends_with(&written),
            "a file that was not changed is written without the mark in front of its text"
        );
    } else {
        assert_eq!(written, data, "a file that was not changed is written as it was");
    }
    for setting in datacenter::DatacenterSetting::ALL {
        for value in ["1", "0", "static", "migrate", "topsis", "30", "100"] {
            let mut changed = file.clone();
            if changed.set(*setting, value).is_ok() {
                let read = DatacenterFile::read(&changed.write()).config;
                assert_eq!(read.config(), changed.config(), "{setting} was set to {value}");
            } else {
                assert_eq!(changed, file, "a setting that was refused changed something");
            }
        }
    }
    if let Ok(text) = str::from_utf8(data) {
        let _ = DatacenterConfig::from_json(text);
    }
}

pub(crate) fn fence(data: &[u8]) {
    let node = NodeName::new("node1").expect("it is a name");
    let file = FenceConfig::read(data);
    for warning in &file.warnings {
        assert!(!warning.to_string().is_empty());
    }
    if let Ok(config) = &file.config {
        for attempt in 0..4 {
            let commands = config.commands(&node, attempt);
            assert!(commands.iter().all(|command| !command.program.is_empty()));
            assert!(commands.is_empty() || config.is_connected(&node));
        }
    }
}

/// Lines of edits, an empty line, then a file that all four of resources, groups, rules and nodes are read from.
///
/// An edit is `VERB NAME KEY=VALUE… -KEY…`.
pub(crate) fn edit(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (edits, file) = text.split_once("\n\n").unwrap_or((&text, ""));
    let types = ServiceTypes::default();
    let nodes = ["node1", "node2"].map(|name| NodeName::new(name).expect("it is a name"));
    let editor = Editor::new(&types, &nodes);
    let mut config = ConfigFiles {
        resources: ResourcesConfig::read(file.as_bytes(), &types).config,
        groups: GroupsConfig::read(file.as_bytes()).config,
        rules: RulesConfig::read(file.as_bytes(), &types).config,
        nodes: NodesConfig::read(file.as_bytes()).config,
    };
    for line in edits.lines().take(16) {
        let before = config.clone();
        if apply(&editor, &mut config, line) {
            resources(&config.resources.write());
            let read = ResourcesConfig::read(&config.resources.write(), &types).config;
            assert_eq!(read.resources, config.resources.resources, "resources read otherwise after: {line}");
            let read = GroupsConfig::read(&config.groups.write()).config;
            assert_eq!(read.groups, config.groups.groups, "groups read otherwise after: {line}");
            let read = RulesConfig::read(&config.rules.write(), &types).config;
            assert_eq!(read.rules, config.rules.rules, "rules read otherwise after: {line}");
            let read = NodesConfig::read(&config.nodes.write()).config;
            assert_eq!(read.nodes, config.nodes.nodes, "nodes read otherwise after: {line}");
        } else {
            assert_eq!(config, before, "a refused edit changed something: {line}");
        }
    }
}

fn apply(editor: &Editor<'_>, config: &mut ConfigFiles, line: &str) -> bool {
    let mut words = line.split(' ');
    let (verb, name) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let rest: Vec<&str> = words.collect();
    let set: Vec<(&str, &str)> = rest.iter().filter_map(|word| word.split_once('=')).collect();
    let unset: Vec<&str> = rest.iter().filter_map(|word| word.strip_prefix('-')).collect();
    let changes = Changes { set: &set, unset: &unset };
    match verb {
        "add" => editor.add_resource(config, name, &set).is_ok(),
        "set" => editor.set_resource(config, name, changes).is_ok(),
        "remove" => editor.remove_resource(config, name, true).is_ok(),
        "purge" => editor.remove_resource(config, name, false).is_ok(),
        "groupadd" => editor.add_group(config, name, &set).is_ok(),
        "groupset" => editor.set_group(config, name, changes).is_ok(),
        "nodeset" => editor.set_node(config, name, changes).is_ok(),
        "groupremove" => editor.remove_group(config, name).is_ok(),
        "nodeaffinity" => editor.add_rule(config, "node-affinity", name, &set).is_ok(),
        "resourceaffinity" => editor.add_rule(config, "resource-affinity", name, &set).is_ok(),
        "ruleset" => editor.set_rule(config, name, changes).is_ok(),
        "ruleremove" => editor.remove_rule(config, name).is_ok(),
        _ => false,
    }
}
