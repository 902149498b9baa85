//! The operations. Each makes its input and looks at the result outside of what is counted: that the work was done, and not less.

use std::{collections::BTreeMap, fmt::Write};

use ha_core::{
    config::{ResourcesConfig, RulesConfig},
    id::{NodeName, ServiceTypes},
    rules::{RuleSet, evaluate},
    status::{ClusterView, LrmStatus, ManagerStatus, ViewInput},
};

use crate::{
    cluster::{Cluster, one_group, rules_of_ten},
    counting::measured,
};

/// What the others are compared with: JSON is read and names are looked up, by code that is not ours.
pub(crate) const CALIBRATION: &str = "calibration";

/// How large a cluster is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    pub(crate) services: usize,
    nodes: usize,
    /// Rules of ten services each, which are kept apart.
    rules: usize,
    /// How many services are kept together, and as many others apart from them.
    group: usize,
    /// How many nodes fail.
    failed: usize,
}

impl Scale {
    /// The usual one, but for what is given as `services=100`.
    ///
    /// # Errors
    ///
    /// If a word is not of that form.
    pub(crate) fn read(words: &[&str]) -> Result<Self, String> {
        let mut scale = Self { services: 4_000, nodes: 32, rules: 0, group: 0, failed: 1 };
        for word in words {
            let (what, number) = word.split_once('=').unwrap_or((word, ""));
            let number = number.parse().map_err(|_| format!("'{word}': expected a number, such as services=100"))?;
            let slot = match what {
                "services" => &mut scale.services,
                "nodes" => &mut scale.nodes,
                "rules" => &mut scale.rules,
                "group" => &mut scale.group,
                "failed" => &mut scale.failed,
                _ => return Err(format!("'{what}' is no scale: expected services, nodes, rules, group or failed")),
            };
            *slot = number;
        }
        Ok(scale)
    }

    fn cluster(self) -> Cluster {
        let mut rules = if self.rules > 0 { rules_of_ten(self.rules * 10) } else { String::new() };
        if self.group > 0 {
            rules.push_str(&one_group(self.group * 2));
        }
        Cluster::new(self.services, self.nodes, &rules)
    }
}

type Operation = (&'static str, fn(Scale));

const OPERATIONS: &[Operation] = &[
    (CALIBRATION, calibration),
    ("steady-round", steady),
    ("steady-round-with-rules", |scale| steady(Scale { rules: scale.services / 10, ..scale })),
    ("steady-round-with-a-group", |scale| steady(Scale { group: scale.services / 2, ..scale })),
    ("recovery-round", recovery),
    ("status-read", status_read),
    ("status-write", status_write),
    ("status-skip", status_skip),
    ("lrm-status-read", lrm_status_read),
    ("resources-read", resources_read),
    ("rules-evaluate", rules_evaluate),
    ("view", view),
];

/// The names of all operations.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    OPERATIONS.iter().map(|(name, _)| *name)
}

/// Plays an operation once.
///
/// # Errors
///
/// If there is no operation of that name.
pub(crate) fn play(name: &str, scale: Scale) -> Result<(), String> {
    let operation = OPERATIONS.iter().find(|(known, _)| *known == name);
    let (_, play) = operation.ok_or_else(|| format!("no operation is named '{name}'"))?;
    play(scale);
    Ok(())
}

fn calibration(scale: Scale) {
    let names: Vec<String> =
        (0..scale.services).map(|number| format!("name-{}", number * 7919 % scale.services)).collect();
    let text = serde_json::to_string(&names).unwrap();
    let found = measured(|| {
        let read: Vec<String> = serde_json::from_str(&text).unwrap();
        let map: BTreeMap<&str, usize> = read.iter().map(String::as_str).zip(0..).collect();
        names.iter().filter(|name| map.contains_key(name.as_str())).count()
    });
    assert_eq!(found, scale.services);
}

fn steady(scale: Scale) {
    let mut cluster = scale.cluster();
    cluster.assert_takes_results();
    measured(|| cluster.round());
}

fn recovery(scale: Scale) {
    let mut cluster = scale.cluster();
    cluster.fail_nodes(scale.failed);
    cluster.assert_recovers();
    measured(|| cluster.round());
}

fn status_read(scale: Scale) {
    let status = scale.cluster().manager.status().clone();
    let text = status.to_json();
    assert_eq!(measured(|| ManagerStatus::from_json(&text)), Ok(status));
}

/// The least that any reader of the same text does.
fn status_skip(scale: Scale) {
    let text = scale.cluster().manager.status().to_json();
    measured(|| serde_json::from_str::<serde::de::IgnoredAny>(&text)).unwrap();
}

fn status_write(scale: Scale) {
    let status = scale.cluster().manager.status().clone();
    let text = measured(|| status.to_json());
    assert_eq!(ManagerStatus::from_json(&text), Ok(status));
}

/// Each node has written a record, and the master reads them all.
fn lrm_status_read(scale: Scale) {
    let cluster = scale.cluster();
    let texts: Vec<String> = cluster.input.lrms.values().map(|record| record.to_json()).collect();
    let read: Vec<LrmStatus> = measured(|| texts.iter().map(|text| LrmStatus::from_json(text).unwrap()).collect());
    assert_eq!(read.iter().map(|record| record.results.len()).sum::<usize>(), scale.services);
}

fn resources_read(scale: Scale) {
    let mut text = String::new();
    for number in 0..scale.services {
        let (sid, group) = (10_000 + number, number % 50);
        let properties = format!("group group-{group}\n\tmax_relocate 2\n\tmax_restart 3\n\tstate started\n");
        writeln!(text, "vm: {sid}\n\tcomment web\n\t{properties}").unwrap();
    }
    let types = ServiceTypes::default();
    let read = measured(|| ResourcesConfig::read(text.as_bytes(), &types));
    assert_eq!((read.config.resources.len(), read.problems.len()), (scale.services, 0));
}

fn rules_evaluate(scale: Scale) {
    let text = if scale.group > 0 { one_group(scale.group * 2) } else { rules_of_ten(scale.services) };
    let rules: RuleSet =
        RulesConfig::read(text.as_bytes(), &ServiceTypes::default()).config.rules.into_values().collect();
    let nodes: Vec<NodeName> = (0..scale.nodes).map(|number| NodeName::new(format!("node{number}")).unwrap()).collect();
    let evaluation = measured(|| evaluate(&rules, &nodes));
    let services = if scale.group > 0 { scale.group * 2 } else { scale.services };
    assert_eq!(evaluation.compiled.services().count(), services);
}

fn view(scale: Scale) {
    let cluster = scale.cluster();
    let status = cluster.manager.status();
    let lrms: BTreeMap<NodeName, Option<&LrmStatus>> =
        cluster.input.lrms.iter().map(|(node, record)| (node.clone(), Some(&**record))).collect();
    let locations = status.services.iter().map(|(sid, entry)| (sid.clone(), entry.node.clone())).collect();
    let own_node = status.master_node.clone().unwrap();
    let input = ViewInput {
        own_node: &own_node,
        quorate: true,
        now: 1_700_000_003,
        manager: status,
        lrms: &lrms,
        resources: &cluster.input.configuration.resources,
        locations: Some(&locations),
        scheduler: Default::default(),
    };
    let text = measured(|| ClusterView::new(&input).to_string());
    assert!(text.lines().count() > scale.services, "a line for each service");
}
