//! Disarming and arming as tables: what holds it up, when it is done, and which nodes are unguarded after it.

use std::sync::Arc;

use ha_core::{
    config::RequestedState,
    host::Lock,
    status::{Disarm, DisarmMode, DisarmState, LrmMode, LrmState, LrmStatus, NodeState, ServiceState, StateName},
};

use crate::cluster::{Cluster, Daemon, node, sid};

const NODES: [&str; 3] = ["node1", "node2", "node3"];
const STARTED: ServiceState = ServiceState::Started { confirmed: true };

/// A master on `node1` that knows all nodes, with `vm:101` on `node2` and `vm:102` on `node3`.
fn cluster(state: ServiceState) -> Cluster {
    let mut cluster = Cluster::with_one_daemon(&NODES, Daemon::Crm);
    for (name, on) in [("vm:101", "node2"), ("vm:102", "node3")] {
        cluster.add_service(name, on, RequestedState::Started);
    }
    cluster.put_entry("vm:101", "node2", state, Some("one"));
    cluster.put_entry("vm:102", "node3", STARTED, Some("two"));
    cluster.edit_status(|status| {
        status.nodes.extend(NODES.map(|name| (node(name), NodeState::Online)));
    });
    cluster
}

fn put_record(cluster: &mut Cluster, name: &str, state: LrmState, mode: LrmMode, timestamp: i64) {
    let record = LrmStatus { state, mode, timestamp: Some(timestamp), ..LrmStatus::default() };
    cluster.store.lrm_status.insert(node(name), Arc::new(record));
}

fn put_records(cluster: &mut Cluster, state: LrmState, mode: LrmMode, timestamp: i64) {
    for name in NODES {
        put_record(cluster, name, state, mode, timestamp);
    }
}

fn iterate(cluster: &mut Cluster) {
    cluster.iterate_times(1, "node1", Daemon::Crm);
}

fn is_disarmed(cluster: &Cluster) -> bool {
    cluster.status().disarm.unwrap().state == DisarmState::Disarmed
}

fn state_of(cluster: &Cluster, name: &str) -> StateName {
    cluster.status().services.get(&sid(name)).unwrap().state.name()
}

#[test]
fn what_must_be_finished_before_ha_is_disarmed() {
    let target = || node("node1");
    let states = [
        (ServiceState::Stopped, false),
        (ServiceState::RequestStop { timeout: None }, false),
        (ServiceState::RequestStart, false),
        (ServiceState::RequestStartBalance { target: target() }, false),
        (STARTED, false),
        (ServiceState::Fence, true),
        (ServiceState::Recovery, true),
        (ServiceState::Migrate { target: target() }, true),
        (ServiceState::Relocate { target: target() }, true),
        (ServiceState::Freeze, false),
        (ServiceState::Error, false),
    ];
    for (state, holds_up) in states {
        for mode in ["freeze", "ignore"] {
            let mut cluster = cluster(state.clone());
            put_records(&mut cluster, LrmState::WaitForAgentLock, LrmMode::Disarm, 1);
            // It would leave for another node, but nobody would make that move.
            cluster.set_rules("node-affinity: home\n\tresources vm:102\n\tnodes node1\n\tstrict 1\n");
            cluster.command(&format!("disarm-ha {mode}"));
            iterate(&mut cluster);
            assert_eq!(is_disarmed(&cluster), !holds_up, "{state:?}, {mode}");
            let freezes = mode == "freeze" && !holds_up;
            let expected = if freezes { StateName::Freeze } else { StateName::Started };
            assert_eq!(state_of(&cluster, "vm:102"), expected, "{state:?}, {mode}");
        }
    }
}

#[test]
fn ha_is_disarmed_when_the_lrms_of_all_nodes_that_are_online_are() {
    for disarmed in 0..8_u32 {
        for offline in [None, Some("node2"), Some("node3")] {
            let mut cluster = cluster(STARTED);
            let mut expected = true;
            for (place, name) in (0..).zip(NODES) {
                let mode = if disarmed >> place & 1 == 1 { LrmMode::Disarm } else { LrmMode::Active };
                put_record(&mut cluster, name, LrmState::Active, mode, 1);
                expected &= mode == LrmMode::Disarm || Some(name) == offline;
            }
            if let Some(name) = offline {
                cluster.node(name).connected = false;
            }
            cluster.command("disarm-ha freeze");
            iterate(&mut cluster);
            assert_eq!(is_disarmed(&cluster), expected, "{disarmed:03b}, offline: {offline:?}");
        }
    }
}

/// Services run on, and whatever records say, they say it of a time when nothing had to be guarded.
#[test]
fn every_node_is_unguarded_after_arming_until_its_lrm_says_anew_that_it_has_its_lock() {
    for mode in [DisarmMode::Freeze, DisarmMode::Ignore] {
        for lrm_mode in [LrmMode::Disarm, LrmMode::Active] {
            let mut cluster = cluster(STARTED);
            put_records(&mut cluster, LrmState::Active, lrm_mode, 1);
            cluster.edit_status(|status| {
                status.disarm =
                    Some(Disarm { mode, state: DisarmState::Disarmed, by: None, since: None, unknown: None });
            });
            iterate(&mut cluster);
            // This one is newer than what the master found. It is older than the arming.
            put_records(&mut cluster, LrmState::Active, lrm_mode, 2);
            cluster.command("arm-ha");
            iterate(&mut cluster);
            assert_eq!(cluster.status().disarm, None);
            assert!(NODES.iter().all(|name| cluster.status().unguarded.contains(&node(name))), "{mode:?}, {lrm_mode}");
            iterate(&mut cluster);
            assert!(cluster.status().unguarded.contains(&node("node2")), "{mode:?}, {lrm_mode}: it says nothing new");
            put_record(&mut cluster, "node2", LrmState::Active, LrmMode::Active, 3);
            iterate(&mut cluster);
            // What was frozen was thawed in that round.
            put_record(&mut cluster, "node2", LrmState::Active, LrmMode::Active, 4);
            iterate(&mut cluster);
            let unguarded = cluster.status().unguarded;
            assert_eq!(NODES.map(|name| unguarded.contains(&node(name))), [true, false, true], "{mode:?}, {lrm_mode}");
        }
    }
}

#[test]
fn a_service_that_people_moved_while_ha_was_disarmed_does_not_wait_for_the_fencing_of_the_node_that_it_left() {
    for other_may_run in [false, true] {
        let mut cluster = cluster(ServiceState::Fence);
        cluster.put_entry("vm:102", "node3", ServiceState::Error, Some("two"));
        cluster.edit_status(|status| {
            status.disarm = Some(Disarm {
                mode: DisarmMode::Ignore,
                state: DisarmState::Disarmed,
                by: None,
                since: None,
                unknown: None,
            });
            status.may_run.extend(other_may_run.then(|| sid("vm:102")));
        });
        cluster.node("node2").connected = false;
        cluster.give_lock(Lock::Agent(node("node2")), "node2");
        cluster.guests.get_mut(&sid("vm:101")).unwrap().node = node("node3");
        iterate(&mut cluster);
        cluster.command("arm-ha");
        iterate(&mut cluster);
        let status = cluster.status();
        let entry = status.services.get(&sid("vm:101")).unwrap();
        assert_eq!((entry.state.name(), &entry.node), (StateName::Started, &node("node3")));
        assert!(status.unguarded.contains(&node("node3")), "it may run there");
    }
}
