//! What automatic balancing would move, why it stops, and what it leaves alone.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "tests may panic")]

use std::{collections::BTreeSet, sync::Arc};

use ha_core::{
    config::{ResourcesConfig, RulesConfig, datacenter::SchedulerMode},
    host::{Configuration, Guests, HostFigures, NodeFigures, ServiceFigures},
    id::{NodeName, ServiceId, ServiceTypes},
    manager::RoundInput,
    placement::BalanceOutcome,
    plan::{BalancePlan, BalanceQuestion, LeftAloneReason, RoundsToCome},
    status::{Disarm, DisarmMode, DisarmState, ManagerStatus, NodeState, ServiceEntry, ServiceState},
    timing::Timings,
};

const GIB: u64 = 1 << 30;

fn node(name: &str) -> NodeName {
    name.parse().unwrap()
}

fn sid(name: &str) -> ServiceId {
    name.parse().unwrap()
}

/// Three nodes of eight cores and 32 GiB, where these services run or are stopped, each of a core and 4 GiB and using all of that. The
/// properties of each follow its name.
fn cluster(mode: SchedulerMode, services: &[(&str, &str, &str)], rules: &str) -> RoundsToCome {
    let nodes = ["n1", "n2", "n3"];
    let mut status = ManagerStatus::default();
    status.nodes.extend(nodes.iter().map(|name| (node(name), NodeState::Online)));
    let (mut resources, mut guests, mut usage) = (String::new(), Vec::new(), HostFigures::default());
    for name in nodes {
        let size = NodeFigures { max_cpu: 8.0, max_memory: 32 * GIB, ..NodeFigures::default() };
        usage.nodes.insert(node(name), size);
    }
    for (name, on, properties) in services {
        resources.push_str(&format!("{}\n{properties}\n", name.replace(':', ": ")));
        guests.push((sid(name), node(on)));
        let is_stopped = properties.contains("state stopped");
        let state = if is_stopped { ServiceState::Stopped } else { ServiceState::Started { confirmed: true } };
        status.services.insert(sid(name), ServiceEntry::new(state, node(on)));
        usage
            .services
            .insert(sid(name), ServiceFigures { max_cpu: 1.0, max_memory: 4 * GIB, cpu: 1.0, memory: 4 * GIB });
        if !is_stopped {
            let on = usage.nodes.get_mut(&node(on)).unwrap();
            (on.cpu, on.memory) = (on.cpu + 1.0, on.memory + 4 * GIB);
        }
    }
    let types = ServiceTypes::default();
    let mut configuration = Configuration {
        resources: Arc::new(ResourcesConfig::read(resources.as_bytes(), &types).config),
        rules: Arc::new(RulesConfig::read(rules.as_bytes(), &types).config),
        guests: Arc::new(guests.into_iter().collect::<Guests>()),
        ..Configuration::default()
    };
    Arc::make_mut(&mut configuration.datacenter).scheduler.mode = mode;
    let members = nodes.iter().map(|name| (node(name), true)).collect();
    let input = RoundInput { members, configuration, usage: Some(Arc::new(usage)), ..RoundInput::default() };
    RoundsToCome { master: node("n1"), timings: Timings::default(), status, input }
}

/// Four services on the first node, two on the second.
const UNEVEN: [(&str, &str, &str); 6] = [
    ("vm:101", "n1", ""),
    ("vm:102", "n1", ""),
    ("vm:103", "n1", ""),
    ("vm:104", "n1", ""),
    ("vm:105", "n2", ""),
    ("vm:106", "n2", ""),
];

fn ask(cluster: RoundsToCome) -> BalancePlan {
    cluster.balance(&BalanceQuestion::default())
}

fn moves(plan: &BalancePlan) -> Vec<String> {
    plan.moves().map(ToString::to_string).collect()
}

fn reasons(plan: &BalancePlan) -> Vec<(&str, &LeftAloneReason)> {
    plan.left_alone.iter().map(|left| (left.sid.as_str(), &left.reason)).collect()
}

#[test]
fn moves_follow_one_another_until_the_nodes_are_in_balance() {
    for mode in [SchedulerMode::Static, SchedulerMode::Dynamic] {
        let mut cluster = cluster(mode, &UNEVEN, "");
        Arc::make_mut(&mut cluster.input.configuration.datacenter).scheduler.threshold = 0.1;
        let plan = ask(cluster);
        assert_eq!(moves(&plan), ["vm:101 from n1 to n3", "vm:102 from n1 to n3"], "{mode}");
        assert!(plan.balances() && plan.is_whole && !plan.is_on, "{plan:?}");
        assert_eq!((plan.bytes, plan.then.imbalance), (8 * GIB, Some(0.0)), "{mode}");
        assert!(plan.imbalance > Some(plan.steps[0].imbalance), "{plan:?}");
        assert_eq!(plan.shorter, None);
    }
}

#[test]
fn it_is_the_same_whether_balancing_is_on_and_however_long_it_waits() {
    let off = ask(cluster(SchedulerMode::Static, &UNEVEN, ""));
    let mut cluster = cluster(SchedulerMode::Static, &UNEVEN, "");
    let scheduler = &mut Arc::make_mut(&mut cluster.input.configuration.datacenter).scheduler;
    (scheduler.auto_rebalance, scheduler.hold_duration) = (true, 1000);
    let on = ask(cluster);
    assert_eq!((on.is_on, off.is_on), (true, false));
    assert_eq!(BalancePlan { is_on: false, ..on }, off);
    assert_eq!(moves(&off).len(), 1, "the threshold is reached by one");
}

#[test]
fn what_must_be_together_goes_along_and_only_what_runs_has_memory_to_move() {
    let services =
        [("vm:101", "n1", ""), ("vm:102", "n1", ""), ("vm:103", "n1", "\tstate stopped\n"), ("vm:104", "n1", "")];
    let rules = "resource-affinity: all\n\tresources vm:101,vm:102,vm:103\n\taffinity positive\n";
    let mut plan = ask(cluster(SchedulerMode::Static, &services, rules));
    let first = plan.steps.remove(0);
    assert_eq!(first.leader, sid("vm:101"));
    assert_eq!(first.moves.len(), 3, "{first:?}");
    assert!(first.moves[0].sid == first.leader && first.followed_by.is_empty(), "{first:?}");
    assert_eq!((plan.bytes, plan.steps), (8 * GIB, Vec::new()));
}

#[test]
fn no_more_moves_are_looked_for_than_is_asked_and_that_is_said() {
    let mut cluster = cluster(SchedulerMode::Static, &UNEVEN, "");
    Arc::make_mut(&mut cluster.input.configuration.datacenter).scheduler.threshold = 0.1;
    let plan = cluster.balance(&BalanceQuestion { most_moves: 1, ..BalanceQuestion::default() });
    assert_eq!((plan.steps.len(), plan.is_whole, plan.balances()), (1, false, false));
    assert_eq!(plan.then.outcome, BalanceOutcome::Move);
}

#[test]
fn why_nothing_is_moved_is_said() {
    let outcome = |cluster: RoundsToCome| {
        let plan = ask(cluster);
        assert_eq!((moves(&plan), plan.is_whole), (Vec::new(), true));
        plan.then.outcome
    };
    assert_eq!(outcome(cluster(SchedulerMode::Basic, &UNEVEN, "")), BalanceOutcome::NotMeasured);
    let mut disarmed = cluster(SchedulerMode::Static, &UNEVEN, "");
    let (mode, state) = (DisarmMode::Freeze, DisarmState::Disarmed);
    disarmed.status.disarm = Some(Disarm { mode, state, by: None, since: None, unknown: None });
    assert_eq!(outcome(disarmed), BalanceOutcome::Disarmed);
    let one = [("vm:101", "n1", "")];
    assert_eq!(outcome(cluster(SchedulerMode::Static, &one, "")), BalanceOutcome::BelowMargin);
    let held = [("vm:101", "n1", "\tauto-rebalance 0\n")];
    assert_eq!(outcome(cluster(SchedulerMode::Static, &held, "")), BalanceOutcome::NoCandidate);
}

#[test]
fn what_is_left_alone_is_named_with_the_reason() {
    let services = [
        ("vm:101", "n1", "\tauto-rebalance 0\n"),
        ("vm:102", "n1", ""),
        ("vm:103", "n1", ""),
        ("vm:104", "n1", ""),
        ("vm:105", "n2", ""),
        ("vm:106", "n3", ""),
        ("vm:107", "n1", ""),
    ];
    let rules = "\
resource-affinity: with
\tresources vm:101,vm:102
\taffinity positive

node-affinity: home
\tresources vm:103
\tnodes n1:2,n2:1

resource-affinity: apart
\tresources vm:104,vm:105,vm:106
\taffinity negative
";
    let suspended = BTreeSet::from([sid("vm:107"), sid("vm:999")]);
    let mut with_it_off = cluster(SchedulerMode::Static, &services, rules);
    Arc::make_mut(&mut with_it_off.input.configuration.datacenter).scheduler.threshold = 0.9;
    let plan = with_it_off.balance(&BalanceQuestion { suspended, ..BalanceQuestion::default() });
    let expected = [
        ("vm:101", LeftAloneReason::SwitchedOff),
        ("vm:102", LeftAloneReason::Together { with: sid("vm:101") }),
        ("vm:103", LeftAloneReason::NodeAffinity { rule: "home".parse().unwrap() }),
        ("vm:104", LeftAloneReason::NoOtherNode),
        ("vm:105", LeftAloneReason::NoOtherNode),
        ("vm:106", LeftAloneReason::NoOtherNode),
        ("vm:107", LeftAloneReason::Suspended),
    ];
    assert_eq!(reasons(&plan), expected.iter().map(|(sid, reason)| (*sid, reason)).collect::<Vec<_>>());
}

#[test]
fn a_service_that_is_left_alone_for_its_failed_moves_is_not_moved() {
    let cluster = cluster(SchedulerMode::Static, &UNEVEN, "");
    assert_eq!(moves(&ask(cluster.clone())), ["vm:101 from n1 to n3"]);
    let question = BalanceQuestion { suspended: [sid("vm:101")].into(), ..BalanceQuestion::default() };
    let plan = cluster.balance(&question);
    assert_eq!(moves(&plan), ["vm:102 from n1 to n3"]);
    assert_eq!(reasons(&plan), [("vm:101", &LeftAloneReason::Suspended)]);
}

#[test]
fn a_plan_survives_json() {
    let services = [("vm:101", "n1", "\tauto-rebalance 0\n"), ("vm:102", "n1", ""), ("vm:103", "n1", "")];
    let plan = ask(cluster(SchedulerMode::Dynamic, &services, ""));
    assert!(!plan.steps.is_empty() && !plan.left_alone.is_empty(), "{plan:?}");
    let text = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<BalancePlan>(&text).unwrap(), plan, "{text}");
}
