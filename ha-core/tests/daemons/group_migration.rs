//! Turning groups into rules for good: when it is tried, and what each condition keeps from happening.

use std::sync::Arc;

use ha_core::{
    config::{GroupsConfig, RequestedState},
    host::HostOperation,
    id::GroupId,
    status::{LrmMode, LrmState, LrmStatus, NodeState, ServiceState},
};

use crate::cluster::{Cluster, Daemon, node, sid};

/// A master of two nodes, with a service in a group. Both LRMs wait for work.
fn cluster() -> Cluster {
    let mut cluster = Cluster::with_one_daemon(&["node1", "node2"], Daemon::Crm);
    cluster.add_service("vm:101", "node1", RequestedState::Started);
    let groups = GroupsConfig::read(b"group: first\n\tnodes node1\n\tnofailback 1\n\n");
    assert_eq!(groups.problems, []);
    cluster.store.groups = Arc::new(groups.config);
    let resource = cluster.resources().get_mut(&sid("vm:101")).unwrap();
    resource.group = Some(GroupId::new("first").unwrap());
    cluster.put_entry("vm:101", "node1", ServiceState::Stopped, Some("one"));
    set_lrm(&mut cluster, LrmState::Active, LrmMode::Active);
    set_lrm_of(&mut cluster, "node2", LrmState::WaitForAgentLock, LrmMode::Active);
    cluster
}

fn set_lrm_of(cluster: &mut Cluster, name: &str, state: LrmState, mode: LrmMode) {
    let record = LrmStatus { state, mode, ..LrmStatus::default() };
    cluster.store.lrm_status.insert(node(name), Arc::new(record));
}

fn set_lrm(cluster: &mut Cluster, state: LrmState, mode: LrmMode) {
    set_lrm_of(cluster, "node1", state, mode);
}

/// The rounds, counted from 1, in which migration was tried, up to a number of rounds.
fn tried_in(cluster: &mut Cluster, rounds: u32) -> Vec<u32> {
    let tried = |cluster: &mut Cluster| {
        cluster.iterate_times(1, "node1", Daemon::Crm);
        cluster.take_events().contains(&"group_migration_started".to_owned())
    };
    (1..=rounds).filter(|_| tried(cluster)).collect()
}

fn has_migrated(cluster: &Cluster) -> bool {
    let gone = cluster.store.groups.groups.is_empty();
    assert_eq!(cluster.store.rules.rules.is_empty(), !gone);
    gone
}

#[test]
fn in_the_third_round_groups_become_rules() {
    let mut cluster = cluster();
    assert_eq!(tried_in(&mut cluster, 2), [0; 0]);
    assert!(!has_migrated(&cluster));
    assert_eq!(tried_in(&mut cluster, 1), [1]);
    assert!(has_migrated(&cluster));
    let rule: Vec<&str> = cluster.store.rules.rules.keys().map(|id| id.as_str()).collect();
    assert_eq!(rule, ["ha-group-first"]);
    let resource = cluster.resources().get(&sid("vm:101")).unwrap();
    assert_eq!((resource.group.clone(), resource.failback), (None, Some(false)));
    assert_eq!(tried_in(&mut cluster, 12), [0; 0], "nothing is left to be done");
}

#[test]
fn a_service_of_a_group_with_failback_keeps_its_own() {
    let mut cluster = cluster();
    let groups = GroupsConfig::read(b"group: first\n\tnodes node1\n\n");
    cluster.store.groups = Arc::new(groups.config);
    tried_in(&mut cluster, 3);
    assert!(has_migrated(&cluster));
    assert_eq!(cluster.resources().get(&sid("vm:101")).unwrap().failback, None);
}

#[test]
fn after_an_obstacle_it_is_tried_in_every_sixth_round() {
    let mut cluster = cluster();
    cluster.versions.insert(node("node2"), "8.4.1".into());
    assert_eq!(tried_in(&mut cluster, 21), [3, 9, 15, 21]);
    assert!(!has_migrated(&cluster));
    cluster.versions.clear();
    assert_eq!(tried_in(&mut cluster, 6), [6]);
    assert!(has_migrated(&cluster));
}

#[test]
fn each_condition_alone_keeps_it_from_happening() {
    type Condition = (&'static str, fn(&mut Cluster));
    let conditions: [Condition; 9] = [
        ("a known node is not online", |cluster| {
            cluster.edit_status(|status| {
                status.nodes.insert(node("node9"), NodeState::Unknown);
            });
        }),
        ("the mode of an LRM", |cluster| set_lrm(cluster, LrmState::Active, LrmMode::Restart)),
        ("an LRM that lost its lock", |cluster| set_lrm(cluster, LrmState::LostAgentLock, LrmMode::Active)),
        ("an LRM in maintenance", |cluster| set_lrm(cluster, LrmState::Maintenance, LrmMode::Active)),
        ("an LRM that waits for its lock with a service", |cluster| {
            cluster.put_entry("vm:101", "node2", ServiceState::Started { confirmed: true }, Some("one"));
            cluster.guests.get_mut(&sid("vm:101")).unwrap().node = node("node2");
        }),
        ("an LRM without a record", |cluster| {
            cluster.store.lrm_status.remove(&node("node2"));
        }),
        ("the version before the first with rules", |cluster| {
            cluster.versions.insert(node("node2"), "9.0.0~15".into());
        }),
        ("a version that is not known", |cluster| {
            cluster.broken.insert((node("node1"), HostOperation::SoftwareVersion));
        }),
        ("rules that can't be written", |cluster| {
            cluster.broken.insert((node("node1"), HostOperation::MigrateGroups));
        }),
    ];
    for (name, set) in conditions {
        let mut cluster = cluster();
        set(&mut cluster);
        assert_eq!(tried_in(&mut cluster, 3), [3], "{name}");
        assert!(!has_migrated(&cluster), "{name}");
    }
    let mut just_new_enough = cluster();
    just_new_enough.versions.insert(node("node2"), "9.0.0~16".into());
    tried_in(&mut just_new_enough, 3);
    assert!(has_migrated(&just_new_enough));
}
