//! Whether any placement keeps all strict rules and capacities: exact, and told with a placement or a proof.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "tests may panic"
)]

mod oracle;
mod random;
mod steps;

use std::collections::{BTreeMap, BTreeSet};

use ha_core::{
    config::{Affinity, RuleKind},
    id::{NodeName, ServiceId},
    plan::{Feasibility, FeasibleQuestion, Part, Verdict},
};
use oracle::{Counting, is_possible, rules_in_force};
use random::{Cluster, Extent, Random, node, sid};

/// Few services on few nodes, so that there often is only just a placement, or only just none.
const SMALL: Extent = Extent {
    nodes: 1..=4,
    offline: 3,
    services: 1..=7,
    rules: 0..=6,
    together: 1..=3,
    apart: 2..=4,
    on: 1..=3,
    allowed: 1..=4,
    sizes: &[1, 2, 4, 8],
    fill: 50..=110,
};

/// Sizes that fit together in few ways, so that many choices are dead ends.
const TIGHT: Extent = Extent {
    nodes: 3..=5,
    services: 6..=11,
    rules: 0..=4,
    apart: 2..=3,
    sizes: &[3, 4, 5, 6, 7, 9, 10],
    fill: 80..=98,
    ..SMALL
};

/// What a placement breaks, judged service by service.
fn broken(cluster: &Cluster, places: &BTreeMap<ServiceId, NodeName>, factor: Option<f64>) -> Vec<String> {
    let mut broken = Vec::new();
    let same = |one: &ServiceId, other: &ServiceId| places[one] == places[other];
    for rule in rules_in_force(cluster) {
        let pairs = || rule.resources.iter().flat_map(|one| rule.resources.iter().map(move |other| (one, other)));
        let keeps = match &rule.kind {
            RuleKind::NodeAffinity { nodes, strict, .. } => {
                *strict != Some(true) || rule.resources.iter().all(|sid| nodes.contains_key(&places[sid]))
            }
            RuleKind::ResourceAffinity { affinity: Affinity::Positive, .. } => {
                pairs().all(|(one, other)| same(one, other))
            }
            RuleKind::ResourceAffinity { apart, .. } => {
                let domain = |sid: &ServiceId| cluster.configuration.nodes.failure_domain(&places[sid]);
                let fail_together =
                    |one, other| apart.spread.is_some() && domain(one).is_some() && domain(one) == domain(other);
                !apart.is_strict()
                    || pairs().all(|(one, other)| one == other || !(same(one, other) || fail_together(one, other)))
            }
            RuleKind::Order(_) => true,
        };
        if !keeps {
            broken.push(format!("{rule:?}"));
        }
    }
    for (node, figures) in &cluster.usage.nodes {
        let Some(factor) = factor else { continue };
        let on = places.iter().filter(|(_, at)| *at == node);
        let used: u64 = on.map(|(sid, _)| cluster.usage.services.get(sid).unwrap().max_memory).sum();
        if used as f64 > figures.max_memory as f64 * factor {
            broken.push(format!("memory of {node}"));
        }
    }
    broken
}

#[test]
fn a_sat_solver_gives_the_same_answers_and_nothing_can_be_taken_from_a_proof() {
    let mut random = Random(22);
    let (mut possible, mut impossible, mut with_memory) = (0, 0, 0);
    for number in 0..10_000 {
        let cluster = Cluster::new(&mut random, if number % 2 == 0 { &SMALL } else { &TIGHT });
        let lost = random.within(0..=5) == 0 && cluster.status.nodes.len() > 1;
        let without: BTreeSet<NodeName> = lost.then(|| node(0)).into_iter().collect();
        let memory = [Some(1.0), None, Some(1.0), Some(1.5)][random.within(0..=3) as usize];
        let question = FeasibleQuestion { without: without.clone(), memory, ..FeasibleQuestion::default() };
        let found = cluster.situation().feasible(&question);
        let expected = is_possible(&cluster, &without, memory, &Counting::All);
        let told = || format!("{number}: {found:?}\n{cluster:?}");
        match &found.verdict {
            Verdict::Placement { places, moves } => {
                possible += 1;
                assert!(expected, "the solver knows no placement: {}", told());
                assert_eq!(broken(&cluster, places, memory), [""; 0], "{}", told());
                assert!(places.values().all(|node| found.nodes.contains(node)), "{}", told());
                let now = |sid: &ServiceId| &cluster.status.services.get(sid).unwrap().node;
                let elsewhere: Vec<&ServiceId> =
                    places.iter().filter(|(sid, at)| now(sid) != *at).map(|(sid, _)| sid).collect();
                assert_eq!(moves.iter().map(|step| &step.sid).collect::<Vec<_>>(), elsewhere, "{}", told());
            }
            Verdict::Contradiction { parts, is_minimal } => {
                impossible += 1;
                with_memory += usize::from(parts.iter().any(|part| matches!(part, Part::Memory { .. })));
                assert!(!expected, "the solver knows a placement: {}", told());
                assert!(is_minimal, "{}", told());
                let all: Vec<&Part> = parts.iter().collect();
                assert!(
                    !is_possible(&cluster, &without, memory, &Counting::Only(&all)),
                    "no contradiction: {}",
                    told()
                );
                for left_out in 0..all.len() {
                    let mut rest = all.clone();
                    rest.remove(left_out);
                    assert!(
                        is_possible(&cluster, &without, memory, &Counting::Only(&rest)),
                        "{left_out} is not needed: {}",
                        told()
                    );
                }
            }
            Verdict::Undecided => panic!("undecided: {}", told()),
        }
    }
    // Else too little would have been compared.
    assert!(possible > 2_000 && impossible > 2_000 && with_memory > 500, "{possible} {impossible} {with_memory}");
}

/// A cluster with these services, named by their numbers and where they are, and with rules as a file has them.
fn cluster(nodes: usize, services: &[(usize, usize)], rules: &str) -> Cluster {
    use ha_core::{
        config::{Resource, ResourcesConfig, RulesConfig},
        host::{Configuration, HostFigures},
        id::ServiceTypes,
        status::{ManagerStatus, NodeState, ServiceEntry, ServiceState},
    };
    let mut status = ManagerStatus::default();
    status.nodes.extend((0..nodes).map(|number| (node(number), NodeState::Online)));
    let entry = |at: &usize| ServiceEntry::new(ServiceState::Started { confirmed: true }, node(*at));
    status.services.extend(services.iter().map(|(number, at)| (sid(*number), entry(at))));
    let resources = services.iter().map(|(number, _)| (sid(*number), Resource::new(sid(*number)))).collect();
    let configuration = Configuration {
        resources: ResourcesConfig { resources, ..ResourcesConfig::default() }.into(),
        rules: RulesConfig::read(rules.as_bytes(), &ServiceTypes::default()).config.into(),
        ..Configuration::default()
    };
    Cluster { members: (0..nodes).map(node).collect(), status, configuration, usage: HostFigures::default() }
}

fn ask(cluster: &Cluster) -> Feasibility {
    cluster.situation().feasible(&FeasibleQuestion::default())
}

fn parts(found: &Feasibility) -> Vec<String> {
    let Verdict::Contradiction { parts, is_minimal: true } = &found.verdict else { panic!("{found:?}") };
    parts.iter().map(ToString::to_string).collect()
}

const APART: &str = "resource-affinity: apart\n\tresources vm:1000,vm:1001,vm:1002\n\taffinity negative\n";

#[test]
fn services_stay_where_they_are_as_far_as_they_can() {
    let found = ask(&cluster(3, &[(0, 0), (1, 0), (2, 2), (3, 0)], APART));
    let Verdict::Placement { moves, .. } = &found.verdict else { panic!("{found:?}") };
    let moves: Vec<String> = moves.iter().map(ToString::to_string).collect();
    assert_eq!(moves, ["vm:1001 from node00 to node01"]);
}

#[test]
fn a_proof_names_what_contradicts_and_nothing_else() {
    let rules = format!(
        "{APART}\nnode-affinity: west\n\tresources vm:1000,vm:1001,vm:1002\n\tnodes node00,node01,node03\n\tstrict 1\n\n\
         resource-affinity: others\n\tresources vm:1003,vm:1004\n\taffinity negative\n"
    );
    let mut cluster = cluster(4, &[(0, 0), (1, 1), (2, 3), (3, 2), (4, 1)], &rules);
    assert!(matches!(ask(&cluster).verdict, Verdict::Placement { .. }));
    cluster.status.nodes.remove(&node(3));
    assert_eq!(
        parts(&ask(&cluster)),
        [
            "rule apart: vm:1000, vm:1001, vm:1002 each on another node",
            "rule west: vm:1000, vm:1001, vm:1002 only on node00, node01",
        ]
    );
}

#[test]
fn what_is_spread_over_racks_is_in_no_rack_twice() {
    use ha_core::config::NodesConfig;
    const SPREAD: &str =
        "resource-affinity: apart\n\tresources vm:1000,vm:1001\n\taffinity negative\n\tspread failure-domain\n";
    let mut cluster = cluster(4, &[(0, 0), (1, 1)], SPREAD);
    let racks = ["a", "a", "b", "b"].into_iter().enumerate();
    let labels: String =
        racks.map(|(number, rack)| format!("node: {}\n\tfailure-domain {rack}\n\n", node(number))).collect();
    cluster.configuration.nodes = NodesConfig::read(labels.as_bytes()).config.into();
    let found = ask(&cluster);
    let Verdict::Placement { moves, .. } = &found.verdict else { panic!("{found:?}") };
    assert_eq!(moves.len(), 1, "one of them goes to the other rack: {moves:?}");
    assert!([node(2), node(3)].contains(&moves[0].to), "{moves:?}");
    let question = FeasibleQuestion { without: [node(2), node(3)].into(), ..FeasibleQuestion::default() };
    let without_a_rack = cluster.situation().feasible(&question);
    assert_eq!(parts(&without_a_rack), ["rule apart: vm:1000, vm:1001 each in another failure domain"]);
}

#[test]
fn without_a_node_there_is_no_placement_and_no_rule_is_to_blame() {
    let question = FeasibleQuestion { without: [node(0)].into(), ..FeasibleQuestion::default() };
    assert_eq!(parts(&cluster(1, &[(0, 0)], "").situation().feasible(&question)), [""; 0]);
    let found = cluster(1, &[], "").situation().feasible(&question);
    assert!(matches!(found.verdict, Verdict::Placement { .. }), "there is nothing to place: {found:?}");
}

#[test]
fn what_is_not_asked_to_run_is_in_nobodys_way() {
    let mut cluster = cluster(3, &[(0, 0), (1, 1), (2, 2)], APART);
    cluster.status.nodes.remove(&node(2));
    assert_eq!(parts(&ask(&cluster)).len(), 1);
    let resources = &mut std::sync::Arc::make_mut(&mut cluster.configuration.resources).resources;
    resources.get_mut(&sid(1)).unwrap().state = Some(ha_core::config::RequestedState::Stopped);
    let found = ask(&cluster);
    assert!(matches!(found.verdict, Verdict::Placement { .. }), "{found:?}");
    assert_eq!(found.services, 2);
}

#[test]
fn an_answer_within_too_few_steps_is_that_it_is_not_known() {
    let cluster = cluster(3, &[(0, 0), (1, 0), (2, 0)], "");
    let within =
        |most_steps| cluster.situation().feasible(&FeasibleQuestion { most_steps, ..FeasibleQuestion::default() });
    assert_eq!((within(2).verdict, within(2).steps), (Verdict::Undecided, 2));
    let whole = within(3);
    assert!(matches!(whole.verdict, Verdict::Placement { .. }), "{whole:?}");
}

#[test]
fn who_has_no_figures_counts_as_nothing_and_is_named() {
    use ha_core::host::{NodeFigures, ServiceFigures};
    const GIB: u64 = 1 << 30;
    let mut cluster = cluster(2, &[(0, 0), (1, 0), (2, 0)], "");
    let usage = &mut cluster.usage;
    usage.nodes.insert(node(0), NodeFigures { max_memory: 4 * GIB, max_cpu: 2.0, ..NodeFigures::default() });
    let service = |max_memory| ServiceFigures { max_memory, max_cpu: 1.5, ..ServiceFigures::default() };
    usage.services.extend([(sid(0), service(3 * GIB)), (sid(1), service(2 * GIB))]);
    let with = |memory, cpu, without: &[usize]| {
        let without = without.iter().map(|number| node(*number)).collect();
        cluster.situation().feasible(&FeasibleQuestion { memory, cpu, without, ..FeasibleQuestion::default() })
    };
    let found = with(Some(1.0), None, &[]);
    assert!(matches!(found.verdict, Verdict::Placement { .. }), "{found:?}");
    assert_eq!((&found.services_without_figures, &found.nodes_without_figures), (&vec![sid(2)], &vec![node(1)]));
    assert_eq!((found.needed.memory, found.needed.cpu), (Some(5 * GIB), None));
    assert_eq!(parts(&with(Some(1.0), None, &[1])), ["memory of node00: 4 GiB for services"]);
    assert_eq!(parts(&with(Some(1.2), None, &[1])), ["memory of node00: 4.8 GiB for services"]);
    assert!(matches!(with(Some(1.25), None, &[1]).verdict, Verdict::Placement { .. }));
    assert_eq!(parts(&with(None, Some(1.0), &[1])), ["cores of node00: 2 for services"]);
    assert!(matches!(with(Some(1.25), Some(1.5), &[1]).verdict, Verdict::Placement { .. }));
}

#[test]
fn guests_that_are_not_managed_take_their_memory_from_their_node() {
    use ha_core::host::{NodeFigures, ServiceFigures, UnmanagedGuest};
    let mut cluster = cluster(1, &[(0, 0)], "");
    let (size, memory) = (|max_memory| ServiceFigures { max_memory, ..ServiceFigures::default() }, Some(1.0));
    cluster.usage.nodes.insert(node(0), NodeFigures { max_memory: 10, ..NodeFigures::default() });
    cluster.usage.services.extend([(sid(0), size(6)), (sid(9), size(5))]);
    let with = |running| {
        // Hosts name those that are managed too.
        let guest = |number, running| UnmanagedGuest { sid: sid(number), node: node(0), running };
        let unmanaged = [guest(0, true), guest(9, running)];
        let situation = ha_core::plan::Situation { unmanaged: &unmanaged, ..cluster.situation() };
        situation.feasible(&FeasibleQuestion { memory, ..FeasibleQuestion::default() })
    };
    assert!(matches!(with(false).verdict, Verdict::Placement { .. }));
    assert_eq!(parts(&with(true)), ["memory of node00: 5 bytes for services"]);
}

#[test]
fn what_is_left_alone_keeps_its_node_from_those_that_must_be_apart() {
    let mut cluster = cluster(2, &[(0, 0), (1, 1)], &APART.replace(",vm:1002", ""));
    assert!(matches!(ask(&cluster).verdict, Verdict::Placement { .. }));
    let text = r#"{"node_status":{"node00":"online","node01":"online"},"service_status":{
        "vm:1000":{"node":"node00","state":"started"},"vm:1001":{"node":"node01","state":"dreaming"}}}"#;
    cluster.status = ha_core::status::ManagerStatus::from_json(text).unwrap();
    let found = ask(&cluster);
    assert!(matches!(found.verdict, Verdict::Placement { .. }), "{found:?}");
    let question = FeasibleQuestion { without: [node(0)].into(), ..FeasibleQuestion::default() };
    let told = ["rule apart: vm:1000, vm:1001 each on another node"];
    assert_eq!(parts(&cluster.situation().feasible(&question)), told, "vm:1001 may run on node01");
}

#[test]
fn an_answer_survives_json() {
    let three = [(0, 0), (1, 1), (2, 2)];
    for nodes in [3, 2] {
        let mut cluster = cluster(3, &three, APART);
        cluster.status.nodes.retain(|name, _| *name < node(nodes));
        let found = ask(&cluster);
        let text = serde_json::to_string(&found).unwrap();
        assert_eq!(serde_json::from_str::<Feasibility>(&text).unwrap(), found, "{text}");
    }
}
