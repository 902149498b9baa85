//! Which losses a cluster survives, what stays down after those that it does not, and what would help.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests may panic")]

use std::{collections::BTreeSet, sync::Arc};

use ha_core::{
    config::{FenceConfig, GroupsConfig, ResourcesConfig, RulesConfig, datacenter::FencingMode},
    host::{Configuration, Guests},
    id::{NodeName, ServiceId, ServiceTypes},
    manager::RoundInput,
    plan::{DownReason, LossUnit, Losses, OtherPlacement, Remedy, RoundsToCome, Tolerance, TooMuch, Votes},
    status::{Command, ManagerStatus, NodeState, ServiceEntry, ServiceState},
    timing::Timings,
};

fn node(name: &str) -> NodeName {
    name.parse().unwrap()
}

/// A cluster in which all is well: services that run where they are said to.
fn cluster(nodes: &[&str], services: &[(&str, &str)], rules: &str) -> RoundsToCome {
    let mut status = ManagerStatus::default();
    status.nodes.extend(nodes.iter().map(|name| (node(name), NodeState::Online)));
    let mut resources = String::new();
    let mut guests = Vec::new();
    for (sid, on) in services {
        let id: ServiceId = sid.parse().unwrap();
        resources.push_str(&format!("{}\n\n", sid.replace(':', ": ")));
        guests.push((id.clone(), node(on)));
        status.services.insert(id, ServiceEntry::new(ServiceState::Started { confirmed: true }, node(on)));
    }
    let types = ServiceTypes::default();
    let configuration = Configuration {
        resources: Arc::new(ResourcesConfig::read(resources.as_bytes(), &types).config),
        rules: Arc::new(RulesConfig::read(rules.as_bytes(), &types).config),
        guests: Arc::new(guests.into_iter().collect::<Guests>()),
        ..Configuration::default()
    };
    let members = nodes.iter().map(|name| (node(name), true)).collect();
    let input = RoundInput { members, configuration, ..RoundInput::default() };
    RoundsToCome { master: node(nodes[0]), timings: Timings::default(), status, input }
}

fn ask(cluster: RoundsToCome, most: usize) -> Tolerance {
    let nodes: Vec<NodeName> = cluster.status.nodes.keys().cloned().collect();
    cluster.tolerance(&Losses::of_nodes(&nodes, most))
}

/// The first loss that is too much.
fn first(tolerance: &Tolerance) -> &TooMuch {
    tolerance.levels.iter().find_map(|level| level.too_much.as_ref()).expect("a loss that is too much")
}

fn sids(too_much: &TooMuch) -> Vec<&str> {
    too_much.down.iter().map(|down| down.sid.as_str()).collect()
}

const THREE: [&str; 3] = ["n1", "n2", "n3"];

#[test]
fn services_without_rules_survive_all_but_the_last_node() {
    let tolerance = ask(cluster(&THREE, &[("vm:101", "n1"), ("vm:102", "n2")], ""), 9);
    assert_eq!((tolerance.survives, tolerance.is_whole), (2, true));
    let sets: Vec<usize> = tolerance.levels.iter().map(|level| level.sets).collect();
    assert_eq!(sets, [3, 3, 1]);
    let too_much = first(&tolerance);
    assert_eq!((too_much.nodes.len(), sids(too_much)), (3, vec!["vm:101", "vm:102"]));
    assert!(too_much.down.iter().all(|down| down.reason == DownReason::NothingLeft), "{too_much:?}");
}

#[test]
fn a_strict_rule_bounds_what_is_survived_and_says_so() {
    let rules = "node-affinity: db\n\tresources vm:101\n\tnodes n1,n2\n\tstrict 1\n";
    let tolerance = ask(cluster(&THREE, &[("vm:101", "n1"), ("vm:102", "n2")], rules), 2);
    assert_eq!(tolerance.survives, 1);
    let too_much = first(&tolerance);
    assert_eq!((&too_much.units, sids(too_much)), (&vec!["n1".into(), "n2".into()], vec!["vm:101"]));
    let down = &too_much.down[0];
    assert!(matches!(down.reason, DownReason::NoNode { .. }), "{down:?}");
    assert_eq!(down.to_string(), "vm:101 has no node: n3: not allowed by rule db");
    // A node that the rule does not name is of no use.
    assert_eq!(too_much.remedies, [Remedy::LoosenRule { rule: "db".parse().unwrap() }]);
}

#[test]
fn a_restricted_group_is_loosened_like_a_rule() {
    let mut cluster = cluster(&THREE, &[("vm:101", "n1")], "");
    let configuration = &mut cluster.input.configuration;
    let types = ServiceTypes::default();
    let groups = GroupsConfig::read(b"group: west\n\tnodes n1\n\trestricted 1\n").config;
    configuration.groups = Arc::new(groups);
    configuration.resources = Arc::new(ResourcesConfig::read(b"vm: 101\n\tgroup west\n", &types).config);
    let tolerance = ask(cluster, 1);
    assert_eq!(tolerance.survives, 0);
    assert_eq!(first(&tolerance).remedies, [Remedy::LoosenRule { rule: "ha-group-west".parse().unwrap() }]);
}

#[test]
fn services_that_must_be_apart_need_a_node_each() {
    let rules = "resource-affinity: apart\n\tresources vm:101,vm:102,vm:103\n\taffinity negative\n";
    let tolerance = ask(cluster(&THREE, &[("vm:101", "n1"), ("vm:102", "n2"), ("vm:103", "n3")], rules), 3);
    assert_eq!(tolerance.survives, 0);
    let too_much = first(&tolerance);
    assert_eq!(sids(too_much), ["vm:101"]);
    let rule = "apart".parse().unwrap();
    assert_eq!(too_much.remedies, [Remedy::DropRule { rule }, Remedy::OneMoreNode]);
}

#[test]
fn what_is_asked_beyond_the_first_that_is_too_much_is_answered() {
    let rules = "node-affinity: db\n\tresources vm:101\n\tnodes n1\n\tstrict 1\n";
    let cluster = || cluster(&THREE, &[("vm:101", "n1")], rules);
    assert_eq!(ask(cluster(), 2).levels.len(), 1);
    let nodes = THREE.map(node);
    let tolerance = cluster().tolerance(&Losses { goes_on: true, ..Losses::of_nodes(&nodes, 2) });
    assert_eq!((tolerance.survives, tolerance.levels.len()), (0, 2));
    let second = tolerance.levels[1].too_much.as_ref().unwrap();
    assert_eq!(second.units, ["n1", "n2"]);
}

#[test]
fn a_set_that_costs_the_quorum_is_named_as_that() {
    let cluster = || cluster(&THREE, &[("vm:101", "n1"), ("vm:102", "n2")], "");
    let nodes = THREE.map(node);
    let with = |others| {
        let votes = Votes { nodes: nodes.iter().map(|node| (node.clone(), 1)).collect(), others };
        cluster().tolerance(&Losses { votes: Some(votes), ..Losses::of_nodes(&nodes, 3) })
    };
    let tolerance = with(0);
    assert_eq!(tolerance.survives, 1);
    let too_much = first(&tolerance);
    assert!(too_much.is_without_quorum);
    assert_eq!(sids(too_much), ["vm:101", "vm:102"]);
    assert_eq!(too_much.down[0].reason, DownReason::NoQuorum);
    assert_eq!(with(2).survives, 2, "two votes that are lost with no node keep the quorum");
}

#[test]
fn racks_are_lost_as_a_whole() {
    let nodes = ["n1", "n2", "n3", "n4"];
    let rules = "node-affinity: db\n\tresources vm:101\n\tnodes n1,n2,n3\n\tstrict 1\n";
    let cluster = || cluster(&nodes, &[("vm:101", "n1")], rules);
    let rack =
        |name: &str, of: &[&str]| LossUnit { name: name.into(), nodes: of.iter().map(|name| node(name)).collect() };
    let ask = |units| cluster().tolerance(&Losses { units, ..Losses::of_nodes(&[], 1) });
    assert_eq!(ask(vec![rack("a", &["n1", "n2"]), rack("b", &["n3", "n4"])]).survives, 1);
    let tolerance = ask(vec![rack("a", &["n1", "n2", "n3", "unknown"]), rack("b", &["n4"])]);
    assert_eq!((tolerance.survives, &first(&tolerance).units), (0, &vec!["a".to_owned()]));
    assert_eq!(first(&tolerance).nodes, ["n1", "n2", "n3"], "what is not there is not lost");
}

#[test]
fn services_of_a_node_that_no_device_can_turn_off_wait_for_it() {
    let mut cluster = cluster(&THREE, &[("vm:101", "n1"), ("vm:102", "n2")], "");
    let fencing = |device: &str| FenceConfig::read(device.as_bytes()).config.expect("a configuration");
    let devices = "device apc fence_apc ip=10.0.0.1\nconnect apc node=n2 port=2\nconnect apc node=n3 port=3\n";
    cluster.input.configuration.fence = Some(Arc::new(fencing(devices)));
    Arc::make_mut(&mut cluster.input.configuration.datacenter).fencing = FencingMode::Hardware;
    let tolerance = ask(cluster.clone(), 1);
    assert_eq!(tolerance.survives, 0);
    let too_much = first(&tolerance);
    assert_eq!((&too_much.nodes, sids(too_much)), (&vec![node("n1")], vec!["vm:101"]));
    assert_eq!(too_much.down[0].reason, DownReason::NotFenced);
    assert_eq!(too_much.remedies, [], "no rule and no node would help");
    cluster.input.configuration.fence = Some(Arc::new(fencing(&format!("{devices}connect apc node=n1 port=1\n"))));
    assert_eq!(ask(cluster, 1).survives, 1);
}

#[test]
fn a_node_that_is_guarded_as_soon_as_its_lrm_works_counts_as_guarded() {
    let mut cluster = cluster(&THREE, &[("vm:101", "n1"), ("vm:102", "n2")], "");
    cluster.status.unguarded = BTreeSet::from([node("n1")]);
    assert_eq!(ask(cluster, 1).survives, 1);
}

#[test]
fn what_does_not_run_anyway_does_not_count() {
    let mut cluster = cluster(&THREE, &[("vm:101", "n1"), ("vm:102", "n2")], "");
    cluster.status.services.get_mut(&"vm:101".parse().unwrap()).unwrap().state = ServiceState::Error;
    let tolerance = ask(cluster, 1);
    assert_eq!(tolerance.survives, 1);
    let down: Vec<String> = tolerance.down_already.iter().map(ToString::to_string).collect();
    assert_eq!(down, ["vm:101 stays in state 'error' on n1"]);
}

#[test]
fn an_answer_that_is_not_whole_says_so() {
    let nodes = THREE.map(node);
    let cluster = || cluster(&THREE, &[("vm:101", "n1")], "");
    let within = |most_sets| cluster().tolerance(&Losses { most_sets, ..Losses::of_nodes(&nodes, 2) });
    let (whole, cut) = (within(6), within(5));
    assert_eq!((whole.survives, whole.is_whole), (2, true));
    assert_eq!((cut.survives, cut.is_whole, cut.levels.len()), (1, false, 1));
}

#[test]
fn what_would_help_is_looked_for_only_where_it_is_wanted() {
    let rules = "node-affinity: db\n\tresources vm:101\n\tnodes n1\n\tstrict 1\n";
    let nodes = THREE.map(node);
    let ask = |wants_remedies| {
        let losses = Losses { wants_remedies, ..Losses::of_nodes(&nodes, 1) };
        cluster(&THREE, &[("vm:101", "n1")], rules).tolerance(&losses)
    };
    let (with, without) = (ask(true), ask(false));
    assert_eq!(first(&with).remedies.len(), 1);
    assert_eq!(first(&without), &TooMuch { remedies: Vec::new(), ..first(&with).clone() });
}

#[test]
fn rules_are_judged_by_the_members_and_not_by_the_nodes_that_are_recorded() {
    // Four services that must be apart want four nodes: with a fourth member, which the master has not seen yet, the rule is in force.
    let rules = "resource-affinity: apart\n\tresources vm:101,vm:102,vm:103,vm:104\n\taffinity negative\n";
    let services = [("vm:101", "n1"), ("vm:102", "n2"), ("vm:103", "n3"), ("vm:104", "n3")];
    let mut cluster = cluster(&THREE, &services, rules);
    cluster.input.members.insert(node("n4"), false);
    let tolerance = ask(cluster, 1);
    let down = &first(&tolerance).down[0];
    let DownReason::NoNode { explanation } = &down.reason else { panic!("{down:?}") };
    assert_eq!(explanation.answer, None, "what explains goes by what decided: {down}");
}

#[test]
fn an_answer_survives_json() {
    let rules = "node-affinity: db\n\tresources vm:101\n\tnodes n1\n\tstrict 1\n";
    let tolerance = ask(cluster(&THREE, &[("vm:101", "n1")], rules), 2);
    let text = serde_json::to_string(&tolerance).unwrap();
    assert_eq!(serde_json::from_str::<Tolerance>(&text).unwrap(), tolerance, "{text}");
}

#[test]
fn a_service_that_has_moved_is_guarded_where_it_is() {
    let cluster = cluster(&THREE, &[("vm:101", "n1"), ("vm:102", "n2")], "");
    let away = Command::EnableNodeMaintenance { node: node("n2") };
    let played = cluster.clone().play(&[away]);
    assert_eq!(played.status.services.get(&"vm:102".parse().unwrap()).unwrap().node, "n3");
    let RoundsToCome { input, .. } = cluster.clone();
    let input = RoundInput { lrms: played.lrms, configuration: played.configuration, ..input };
    let meanwhile = RoundsToCome { status: played.status, input, ..cluster };
    assert_eq!(ask(meanwhile, 1).survives, 1, "its lock proves that a node is down to which a service came live");
}

/// vm:101 may use n1 and n2 only, and vm:102 is in its way.
const IN_THE_WAY: &str = "node-affinity: db\n\tresources vm:101\n\tnodes n1,n2\n\tstrict 1\n\n\
                          resource-affinity: apart\n\tresources vm:101,vm:102\n\taffinity negative\n";

#[test]
fn moves_that_make_room_before_a_loss_are_named() {
    let services = [("vm:101", "n1"), ("vm:102", "n2")];
    let tolerance = ask(cluster(&THREE, &services, IN_THE_WAY), 1);
    let too_much = first(&tolerance);
    assert_eq!((&too_much.nodes, sids(too_much)), (&vec![node("n1")], vec!["vm:101"]));
    let Some(OtherPlacement::Beforehand { moves }) = &too_much.other_placement else { panic!("{too_much:?}") };
    assert_eq!(moves.iter().map(ToString::to_string).collect::<Vec<_>>(), ["vm:102 from n2 to n3"]);
    let moved = cluster(&THREE, &[("vm:101", "n1"), ("vm:102", "n3")], IN_THE_WAY);
    assert_eq!(ask(moved, 1).survives, 1, "that is true");
}

#[test]
fn a_placement_that_the_manager_does_not_get_to_is_told_apart() {
    // vm:102 prefers n2, so it goes back there from wherever it is moved before the loss.
    let rules = format!("{IN_THE_WAY}\nnode-affinity: home\n\tresources vm:102\n\tnodes n2\n");
    let tolerance = ask(cluster(&THREE, &[("vm:101", "n1"), ("vm:102", "n2")], &rules), 1);
    let too_much = first(&tolerance);
    assert!(matches!(too_much.other_placement, Some(OtherPlacement::Unreached { .. })), "{too_much:?}");
}
