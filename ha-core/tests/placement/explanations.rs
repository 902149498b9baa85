//! What explanations say, in words and as JSON.

use std::sync::Arc;

use ha_core::{
    config::{DatacenterConfig, Resource, ResourcesConfig, RulesConfig, datacenter::SchedulerMode},
    host::{Configuration, HostFigures, NodeFigures, ServiceFigures},
    id::{NodeName, ServiceId, ServiceTypes},
    placement::{Balance, BalanceHold, Counterfactual, Decider, Explanation, Preference},
    status::{ManagerStatus, NodeState, ServiceEntry, ServiceState},
};

use crate::cluster::Cluster;

fn node(name: &str) -> NodeName {
    NodeName::new(name).unwrap()
}

fn sid(name: &str) -> ServiceId {
    ServiceId::new(name).unwrap()
}

/// Eight nodes, and a service `vm:100` for which most of them are left out, each for another reason.
fn cluster() -> Cluster {
    let rules = "\
node-affinity: near-storage
\tresources vm:100
\tnodes n3,n4,n5,n6,n7,n8
\tstrict 1

resource-affinity: replicas
\tresources vm:100,vm:101
\taffinity negative
";
    let mut status = ManagerStatus::default();
    for (name, state) in [("n1", NodeState::Online), ("n2", NodeState::Online), ("n3", NodeState::Maintenance)] {
        status.nodes.insert(node(name), state);
    }
    for name in ["n4", "n5", "n6", "n7"] {
        status.nodes.insert(node(name), NodeState::Online);
    }
    let started = |on: &str| ServiceEntry::new(ServiceState::Started { confirmed: true }, node(on));
    let failed = ServiceEntry { failed_nodes: vec![node("n4")], ..started("n4") };
    status.services.extend([(sid("vm:100"), failed), (sid("vm:101"), started("n5")), (sid("vm:102"), started("n6"))]);
    let mut resources = ResourcesConfig::default();
    resources.resources.extend(status.services.iter().map(|(sid, _)| (sid.clone(), Resource::new(sid.clone()))));
    let configuration = Configuration {
        resources: Arc::new(resources),
        rules: Arc::new(RulesConfig::read(rules.as_bytes(), &ServiceTypes::default()).config),
        ..Configuration::default()
    };
    let members = (1..=8).map(|number| node(&format!("n{number}"))).collect();
    Cluster { status, configuration, members, usage: HostFigures::default(), unmanaged: Vec::new() }
}

#[test]
fn each_node_has_its_fate() {
    let explanation = cluster().situation().explain(&sid("vm:100"), Preference::TryNext).unwrap();
    assert_eq!(explanation.to_string(), "vm:100 goes from n4 to n7: of the nodes that are left it suits best");
    let fates: Vec<String> =
        explanation.nodes.iter().map(|explained| format!("{}: {}", explained.node, explained.fate)).collect();
    assert_eq!(
        fates,
        [
            "n1: not allowed by rule near-storage",
            "n2: not allowed by rule near-storage",
            "n3: not online: maintenance",
            "n4: its start failed there",
            "n5: kept apart from vm:101 (rule replicas)",
            "n6: possible",
            "n7: possible",
            "n8: not online: unknown",
        ]
    );
}

#[test]
fn a_counterfactual_says_what_would_have_to_be_different() {
    let cluster = cluster();
    let changes = |name: &str| {
        let counterfactual =
            cluster.situation().counterfactual(&sid("vm:100"), Preference::TryNext, &node(name)).unwrap();
        counterfactual.changes.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert!(changes("n7").is_empty());
    assert_eq!(changes("n1"), ["rule near-storage would have to name node n1 with priority 0"]);
    assert_eq!(
        changes("n4"),
        [
            "its failed start on n4 would have to be forgotten",
            "the best node would have to be asked for (best_score)",
            "node n4 (1 service) would have to suit better than 0 services: n7 comes first",
        ]
    );
    assert_eq!(changes("n5"), ["vm:101 would have to leave n5 or be stopped"]);
}

#[test]
fn priorities_are_told_and_so_is_the_one_that_would_do() {
    let mut cluster = cluster();
    let rules = "node-affinity: cascade\n\tresources vm:100\n\tnodes n5:3,n6:2,n7:2\n";
    cluster.configuration.rules = Arc::new(RulesConfig::read(rules.as_bytes(), &ServiceTypes::default()).config);
    let situation = cluster.situation();
    let explanation = situation.explain(&sid("vm:100"), Preference::None).unwrap();
    let fate = |name: &str| explanation.of(&node(name)).unwrap().fate.to_string();
    assert_eq!(fate("n6"), "priority 2 in rule cascade, which prefers 3");
    assert_eq!(fate("n4"), "priority -1 in rule cascade, which prefers 3");
    let stay = situation.counterfactual(&sid("vm:100"), Preference::None, &node("n4")).unwrap();
    assert_eq!(
        stay.changes.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["rule cascade would have to name node n4 with priority 3"]
    );
}

#[test]
fn what_should_rather_be_apart_is_told_where_it_is_and_where_it_is_not() {
    let mut cluster = cluster();
    let rules = "\
node-affinity: near-storage
\tresources vm:100
\tnodes n5,n6
\tstrict 1

resource-affinity: replicas
\tresources vm:100,vm:101
\taffinity negative
\tstrict 0
";
    cluster.configuration.rules = Arc::new(RulesConfig::read(rules.as_bytes(), &ServiceTypes::default()).config);
    let elsewhere = cluster.situation().explain(&sid("vm:100"), Preference::BestScore).unwrap();
    assert_eq!(elsewhere.to_string(), "vm:100 goes from n4 to n6: of the nodes that are left it suits best");
    let fate = elsewhere.of(&node("n5")).unwrap().fate.to_string();
    assert_eq!(fate, "rather apart from vm:101 (rule replicas)");
    let there = cluster.situation().counterfactual(&sid("vm:100"), Preference::BestScore, &node("n5")).unwrap();
    assert_eq!(there.changes[0].to_string(), "vm:101 would have to leave n5 or be stopped");

    cluster.status.nodes.insert(node("n6"), NodeState::Unknown);
    let shared = cluster.situation().explain(&sid("vm:100"), Preference::BestScore).unwrap();
    assert_eq!(
        shared.to_string(),
        "vm:100 goes from n4 to n5: of the nodes that are left it suits best; it shares that with vm:101, from which it should \
         rather be apart (rule replicas)"
    );
    let json = serde_json::to_value(&shared).unwrap();
    assert_eq!(
        (&json["shares_with"], &json["shares_by"]),
        (&serde_json::json!(["vm:101"]), &serde_json::json!(["replicas"]))
    );
}

#[test]
fn services_that_belong_together_draw_the_others_along() {
    let mut cluster = cluster();
    let rules = "resource-affinity: pair\n\tresources vm:100,vm:102\n\taffinity positive\n";
    cluster.configuration.rules = Arc::new(RulesConfig::read(rules.as_bytes(), &ServiceTypes::default()).config);
    let situation = cluster.situation();
    let explanation = situation.explain(&sid("vm:100"), Preference::None).unwrap();
    assert_eq!(explanation.to_string(), "vm:100 goes from n4 to n6: of the nodes that are left it suits best");
    let fate = &explanation.of(&node("n4")).unwrap().fate;
    assert_eq!(fate.to_string(), "kept together with vm:102 on n6 (rule pair)");
    let stay = situation.counterfactual(&sid("vm:100"), Preference::None, &node("n4")).unwrap();
    assert_eq!(stay.changes.iter().map(ToString::to_string).collect::<Vec<_>>(), ["vm:102 would have to run on n4"]);
    assert_eq!(stay.then.decided_by, Decider::Stay);
}

#[test]
fn a_service_that_must_not_fail_back_stays_with_its_own_whoever_else_is_there() {
    let mut cluster = cluster();
    let rules = "\
resource-affinity: pair
\tresources vm:100,vm:102
\taffinity positive

resource-affinity: replicas
\tresources vm:100,vm:101
\taffinity negative
";
    cluster.configuration.rules = Arc::new(RulesConfig::read(rules.as_bytes(), &ServiceTypes::default()).config);
    let resources = &mut Arc::make_mut(&mut cluster.configuration.resources).resources;
    resources[&sid("vm:100")].failback = Some(false);
    let mut decided_by = |partner: &str| {
        for (name, on) in [("vm:101", "n4"), ("vm:102", partner)] {
            cluster.status.services.get_mut(&sid(name)).unwrap().node = node(on);
        }
        cluster.situation().explain(&sid("vm:100"), Preference::None).unwrap().decided_by
    };
    assert_eq!(decided_by("n4"), Decider::NoFailback);
    assert_ne!(decided_by("n6"), Decider::NoFailback);
}

#[test]
fn explanations_are_read_as_they_were_written() {
    let cluster = cluster();
    let situation = cluster.situation();
    let explanation = situation.explain(&sid("vm:100"), Preference::TryNext).unwrap();
    let json = serde_json::to_value(&explanation).unwrap();
    assert_eq!(
        json["nodes"][4],
        serde_json::json!({
            "node": "n5", "fate": "kept_apart", "from": ["vm:101"], "rules": ["replicas"], "figure": {"services": 1},
        })
    );
    assert_eq!(serde_json::from_value::<Explanation>(json).unwrap(), explanation);

    let counterfactual = situation.counterfactual(&sid("vm:100"), Preference::TryNext, &node("n4")).unwrap();
    let json = serde_json::to_string(&counterfactual).unwrap();
    assert_eq!(serde_json::from_str::<Counterfactual>(&json).unwrap(), counterfactual);

    let balance = balanced(0.0, 0.0).situation().balance(BalanceHold::default(), 2);
    let json = serde_json::to_string(&balance).unwrap();
    assert_eq!(serde_json::from_str::<Balance>(&json).unwrap(), balance);
}

/// Four equal services on one of two equal nodes.
fn balanced(threshold: f64, margin: f64) -> Cluster {
    let mut cluster = cluster();
    let mut datacenter = DatacenterConfig::default();
    datacenter.scheduler.mode = SchedulerMode::Static;
    datacenter.scheduler.auto_rebalance = true;
    datacenter.scheduler.threshold = threshold;
    datacenter.scheduler.margin = margin;
    cluster.configuration = Configuration { datacenter: Arc::new(datacenter), ..Configuration::default() };
    cluster.status = ManagerStatus::default();
    let size = NodeFigures { max_cpu: 16.0, max_memory: 1 << 36, ..NodeFigures::default() };
    for name in ["n1", "n2"] {
        cluster.status.nodes.insert(node(name), NodeState::Online);
        cluster.usage.nodes.insert(node(name), size);
    }
    let figures = ServiceFigures { max_cpu: 1.0, max_memory: 1 << 32, ..ServiceFigures::default() };
    for number in 0..4 {
        let sid = sid(&format!("vm:{}", 100 + number));
        cluster.usage.services.insert(sid.clone(), figures);
        let entry = ServiceEntry::new(ServiceState::Started { confirmed: true }, node("n1"));
        cluster.status.services.insert(sid, entry);
    }
    cluster
}

#[test]
fn balancing_says_what_it_does_or_why_it_does_nothing() {
    let said = |cluster: &Cluster, rounds| cluster.situation().balance(BalanceHold::after(rounds), 1).to_string();
    assert_eq!(said(&balanced(0.3, 0.1), 2), "vm:100 is moved from n1 to n2: the imbalance goes from 1.0000 to 0.5000");
    assert_eq!(
        said(&balanced(0.3, 0.1), 0),
        "nothing is moved yet: the imbalance of 1.0000 is above 0.3 in round 1 of 3"
    );
    assert_eq!(said(&balanced(1.0, 0.1), 2), "nothing is moved: the imbalance of 1.0000 is not above 1");
    assert_eq!(
        said(&balanced(0.3, 0.6), 2),
        "nothing is moved: the best move takes away 0.5000 of the imbalance, less than 0.6"
    );

    let mut alone = balanced(0.3, 0.1);
    alone.change_scheduler(|scheduler| scheduler.auto_rebalance = false);
    assert_eq!(said(&alone, 2), "nothing is moved: automatic balancing is off");
    let mut counting = balanced(0.3, 0.1);
    counting.change_scheduler(|scheduler| scheduler.mode = SchedulerMode::Basic);
    assert_eq!(said(&counting, 2), "nothing is moved: services are only counted, so imbalance is not known");
    let mut moving = balanced(0.3, 0.1);
    let entry = moving.status.services.get_mut(&sid("vm:102")).unwrap();
    entry.state = ServiceState::Migrate { target: node("n2") };
    assert_eq!(said(&moving, 2), "nothing is moved: vm:102 is moving");
    let mut bound = balanced(0.3, 0.1);
    let rules = "node-affinity: here\n\tresources vm:100,vm:101,vm:102,vm:103\n\tnodes n1\n\tstrict 1\n";
    bound.configuration.rules = Arc::new(RulesConfig::read(rules.as_bytes(), &ServiceTypes::default()).config);
    assert_eq!(said(&bound, 2), "nothing is moved: the imbalance of 1.0000 is above 0.3, but no service can be moved");
}

#[test]
fn after_a_failure_each_service_sees_the_ones_before_it() {
    let mut cluster = balanced(0.3, 0.1);
    cluster.status.nodes.insert(node("n3"), NodeState::Online);
    let size = cluster.usage.nodes[&node("n1")];
    cluster.usage.nodes.insert(node("n3"), size);
    let mut resources = ResourcesConfig::default();
    resources
        .resources
        .extend(cluster.status.services.iter().map(|(sid, _)| (sid.clone(), Resource::new(sid.clone()))));
    cluster.configuration.resources = Arc::new(resources);
    let recoveries = cluster.situation().after_failure(&[node("n1")]).unwrap();
    let places: Vec<String> =
        recoveries.iter().map(|recovery| format!("{} {}", recovery.sid, recovery.to.as_ref().unwrap())).collect();
    assert_eq!(places, ["vm:100 n2", "vm:101 n3", "vm:102 n2", "vm:103 n3"]);
    assert!(
        cluster
            .situation()
            .after_failure(&[node("n1"), node("n2"), node("n3")])
            .unwrap()
            .iter()
            .all(|recovery| { recovery.to.is_none() && recovery.decided_by == Decider::NothingAllowed })
    );
}

#[test]
fn after_a_failure_services_that_are_left_where_they_are_are_not_named() {
    let cases = [
        ("stopped", ServiceState::Stopped, true),
        ("started", ServiceState::Stopped, true),
        ("disabled", ServiceState::Stopped, false),
        ("started", ServiceState::Freeze, false),
        ("started", ServiceState::Error, false),
        ("started", ServiceState::Recovery, true),
    ];
    for (requested, state, is_named) in cases {
        let mut cluster = cluster();
        let resources = &mut Arc::make_mut(&mut cluster.configuration.resources).resources;
        resources[&sid("vm:102")].state = Some(requested.parse().unwrap());
        cluster.status.services.get_mut(&sid("vm:102")).unwrap().state = state.clone();
        let recoveries = cluster.situation().after_failure(&[node("n6")]).unwrap();
        let named: Vec<&str> = recoveries.iter().map(|recovery| recovery.sid.as_str()).collect();
        let expected: &[&str] = if is_named { &["vm:102"] } else { &[] };
        assert_eq!(named, expected, "{requested} {state:?}");
    }
}
