//! What several test programs need.

use std::{collections::BTreeMap, fs, path::PathBuf};

/// A place in the repository.
pub(crate) fn in_repository(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// The files of a folder with one ending, by the names without it. Nothing if the folder does not exist.
pub(crate) fn files(folder: &str, ending: &str) -> Option<BTreeMap<String, String>> {
    let entries = fs::read_dir(in_repository(folder)).ok()?;
    let paths = entries.map(|entry| entry.unwrap().path());
    let named = paths.filter_map(|path| {
        let name = path.file_name()?.to_str()?.strip_suffix(ending)?.to_owned();
        Some((name, fs::read_to_string(&path).unwrap()))
    });
    Some(named.collect())
}

/// Stand-in for the reader of `rules.cfg`, until it is there.
pub(crate) fn read_rules(text: &str) -> ha_core::config::RulesConfig {
    use ha_core::{
        config::{Rule, RuleKind, RulesConfig},
        id::{RuleId, ServiceId},
    };
    let list = |value: &str| value.split([',', ';', ' ']).map(str::to_owned).collect::<Vec<_>>();
    let mut config = RulesConfig::default();
    let text: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    for section in text.join("\n").split("\n\n").filter(|s| !s.trim().is_empty()) {
        let mut lines = section.trim().lines();
        let (kind, id) = lines.next().unwrap().split_once(": ").unwrap();
        let properties: BTreeMap<&str, &str> =
            lines.map(|line| line.trim().split_once(' ').unwrap_or((line.trim(), "1"))).collect();
        let mut resources: Vec<ServiceId> =
            list(properties["resources"]).iter().map(|sid| ServiceId::new(sid).unwrap()).collect();
        resources.sort();
        resources.dedup();
        let id = RuleId::new(id).unwrap();
        let kind = if kind == "node-affinity" {
            let nodes = list(properties["nodes"]);
            let nodes = nodes.iter().map(|node| node.split_once(':').unwrap_or((node, "0")));
            RuleKind::NodeAffinity {
                nodes: nodes.map(|(node, prio)| (node.parse().unwrap(), prio.parse().unwrap())).collect(),
                strict: properties.get("strict").map(|value| *value == "1"),
            }
        } else {
            RuleKind::ResourceAffinity { affinity: properties["affinity"].parse().unwrap() }
        };
        let disable = properties.get("disable").map(|value| *value == "1");
        config.rules.insert(id.clone(), Rule { id, resources, disable, comment: None, kind });
    }
    config
}
