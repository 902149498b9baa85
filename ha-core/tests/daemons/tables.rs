//! Rules of the manager that are tables, each as a whole: what an exit code leads to in each state, what the states of nodes
//! follow from, which records guard a node, and what an effect that fails must leave as it was.

use std::sync::Arc;

use ha_core::{
    config::{FenceConfig, RequestedState, datacenter::FencingMode},
    host::{FenceProgress, HostOperation, Lock, UnmanagedGuest},
    status::{
        ExitCode, JobResult, LrmMode, LrmState, LrmStatus, ManagerStatus, Motion, NodeState, QueuedCommand,
        ServiceEntry, ServiceState, StateName, Timestamp, Writer,
    },
    time::Next,
};

use crate::cluster::{Cluster, Daemon, node, sid};

/// A CRM that becomes master in its first iteration, with a service on `node2` whose start is not tried elsewhere.
fn cluster(requested: RequestedState) -> Cluster {
    let mut cluster = Cluster::with_one_daemon(&["node1", "node2", "node3"], Daemon::Crm);
    cluster.add_service("vm:101", "node2", requested);
    cluster.resources().get_mut(&sid("vm:101")).unwrap().max_relocate = Some(0);
    cluster
}

fn iterate(cluster: &mut Cluster) {
    cluster.iterate_times(1, "node1", Daemon::Crm);
}

fn entry(cluster: &Cluster) -> ServiceEntry {
    cluster.status().services.get(&sid("vm:101")).cloned().unwrap()
}

fn may_run(cluster: &Cluster, name: &str) -> bool {
    cluster.status().may_run.contains(&sid(name))
}

fn is_marked(cluster: &Cluster) -> bool {
    cluster.status().unguarded.contains(&node("node2"))
}

/// The record that the LRM of `node2` wrote at a time.
fn put_record(cluster: &mut Cluster, state: LrmState, mode: LrmMode, timestamp: Timestamp) {
    let record = LrmStatus { state, mode, timestamp: Some(timestamp), ..LrmStatus::default() };
    cluster.store.lrm_status.insert(node("node2"), Arc::new(record));
}

/// What keeps an LRM at work: what it may have to do something about, and what may run though it must be stopped.
#[test]
fn which_services_are_active_on_a_node() {
    let to = || node("node1");
    let states = [
        (ServiceState::Stopped, false),
        (ServiceState::RequestStop { timeout: None }, true),
        (ServiceState::RequestStart, false),
        (ServiceState::RequestStartBalance { target: to() }, true),
        (ServiceState::Started { confirmed: false }, true),
        (ServiceState::Fence, true),
        (ServiceState::Recovery, true),
        (ServiceState::Migrate { target: to() }, true),
        (ServiceState::Relocate { target: to() }, true),
        (ServiceState::Freeze, false),
        (ServiceState::Error, false),
    ];
    for (state, is_active) in states {
        for may_run in [false, true] {
            let mut status = ManagerStatus::default();
            status.services.insert(sid("vm:101"), ServiceEntry::new(state.clone(), node("node2")));
            status.may_run.extend(may_run.then(|| sid("vm:101")));
            let on = |name: &str| status.active_services(&node(name)).count() == 1;
            let is_to_be_stopped = may_run && state == ServiceState::Stopped;
            let row = format!("{state:?}, may run: {may_run}");
            assert_eq!(on("node2"), is_active || is_to_be_stopped, "{row}");
            assert_eq!(on("node1"), state.target().is_some(), "{row}, where it goes");
            assert!(!on("node3"), "{row}");
        }
    }
}

#[test]
fn which_writer_shows_that_a_machine_was_booted_again() {
    let before = Writer::new("machine", "boot");
    let rows = [
        (Writer::new("machine", "boot"), false),
        (Writer::new("machine", "another"), true),
        // A twin has its own boots, and says nothing of the node's.
        (Writer::new("another", "boot"), false),
        (Writer::new("another", "another"), false),
        (Writer::new("machine", ""), false),
        (Writer::new("", "another"), false),
    ];
    for (now, expected) in rows {
        assert_eq!(now.is_another_boot_of(&before), expected, "{now:?}");
        assert_eq!(before.is_another_boot_of(&now), expected, "{now:?}");
    }
}

/// All exit codes that a worker of this version gives, that of one that was killed, and one that nobody knows.
const EXIT_CODES: [i32; 10] = [0, 1, 3, 4, 5, 6, 7, 8, -1, 77];

#[test]
fn what_an_exit_code_leads_to_in_each_state() {
    use RequestedState::{Started, Stopped};
    let to = || node("node3");
    let moving = [
        ServiceState::Migrate { target: to() },
        ServiceState::Relocate { target: to() },
        ServiceState::RequestStartBalance { target: to() },
    ];
    let mut rows: Vec<(ServiceState, RequestedState)> = moving.into_iter().map(|state| (state, Started)).collect();
    rows.push((ServiceState::RequestStop { timeout: None }, Stopped));
    rows.push((ServiceState::Started { confirmed: false }, Started));
    for (state, requested) in rows {
        for code in EXIT_CODES {
            // The next state, its node, and whether the service may run though its state says otherwise.
            let expected = match (state.name(), code) {
                (StateName::RequestStop, 0) => (StateName::Stopped, "node2", false),
                (StateName::Started, 0) => (StateName::Started, "node2", false),
                // Its LRM has looked: it does not run.
                (StateName::Started, 1) => (StateName::Error, "node2", false),
                (StateName::RequestStop | StateName::Started, _) | (_, 3) => (StateName::Error, "node2", true),
                (_, 0) => (StateName::Started, "node3", false),
                (_, _) => (StateName::Started, "node2", false),
            };
            let mut cluster = cluster(requested);
            cluster.put_entry("vm:101", "node2", state.clone(), Some("one"));
            if code == 0 && state.target().is_some() {
                cluster.guests.get_mut(&sid("vm:101")).unwrap().node = to();
            }
            let mut record = LrmStatus { state: LrmState::Active, ..LrmStatus::default() };
            let result = JobResult::new(sid("vm:101"), state.name().as_str(), ExitCode(code));
            record.results.insert("one".parse().unwrap(), result);
            cluster.store.lrm_status.insert(node("node2"), Arc::new(record));
            // A master reads the records of nodes that it knows already.
            iterate(&mut cluster);
            iterate(&mut cluster);
            let entry = entry(&cluster);
            let found = (entry.state.name(), entry.node.as_str(), may_run(&cluster, "vm:101"));
            assert_eq!(found, expected, "{state:?}, {code}");
        }
    }
}

#[test]
fn an_error_is_left_to_stopped_only_and_what_may_run_is_known_until_it_was_seen_stopped() {
    for (code, known) in [(0, false), (1, true), (3, true), (-1, true), (77, true)] {
        let mut cluster = cluster(RequestedState::Disabled);
        cluster.put_entry("vm:101", "node2", ServiceState::Error, Some("one"));
        cluster.edit_status(|status| {
            status.may_run.insert(sid("vm:101"));
        });
        iterate(&mut cluster);
        assert_eq!(entry(&cluster).state, ServiceState::Stopped);
        assert!(may_run(&cluster, "vm:101") && is_marked(&cluster), "nobody has looked yet");
        let mut record = LrmStatus { state: LrmState::Active, ..LrmStatus::default() };
        let uid = entry(&cluster).uid.unwrap();
        record.results.insert(uid, JobResult::new(sid("vm:101"), "stopped", ExitCode(code)));
        cluster.store.lrm_status.insert(node("node2"), Arc::new(record));
        iterate(&mut cluster);
        assert_eq!(may_run(&cluster, "vm:101"), known, "{code}");
    }
}

const MODES: [LrmMode; 6] =
    [LrmMode::Active, LrmMode::Restart, LrmMode::Shutdown, LrmMode::Maintenance, LrmMode::Disarm, LrmMode::Unknown];

#[test]
fn what_becomes_of_a_node_state_with_each_mode_of_its_lrm() {
    use NodeState::{Fence, Gone, Maintenance, Online, Unknown};
    for before in [Online, Maintenance, Unknown, Fence, Gone] {
        for mode in MODES {
            for online in [true, false] {
                let in_maintenance = mode == LrmMode::Maintenance;
                let expected = match (before, online) {
                    (Online | Maintenance, true) if in_maintenance => Maintenance,
                    (Maintenance, false) if in_maintenance => Maintenance,
                    (Fence, _) => Fence,
                    // One that comes back is online first.
                    (Online | Maintenance | Unknown | Gone, true) => Online,
                    (Gone, false) => Gone,
                    (Online | Maintenance | Unknown, false) => Unknown,
                };
                let mut cluster = cluster(RequestedState::Stopped);
                cluster.guests.get_mut(&sid("vm:101")).unwrap().node = node("node1");
                cluster.put_entry("vm:101", "node1", ServiceState::Stopped, Some("one"));
                cluster.edit_status(|status| {
                    status.nodes.insert(node("node2"), before);
                });
                put_record(&mut cluster, LrmState::Active, mode, 1);
                cluster.node("node2").connected = online;
                cluster.give_lock(Lock::Agent(node("node2")), "node2");
                iterate(&mut cluster);
                let found = cluster.status().node_state(&node("node2"));
                assert_eq!(found, expected, "{before}, {mode}, online: {online}");
            }
        }
    }
}

const STATES: [LrmState; 4] =
    [LrmState::WaitForAgentLock, LrmState::Active, LrmState::Maintenance, LrmState::LostAgentLock];

/// Whether an LRM that writes this holds its lock with its watchdog open until it says something else.
fn guards(state: LrmState, mode: LrmMode) -> bool {
    let lets_go = matches!(mode, LrmMode::Disarm | LrmMode::Restart);
    match state {
        LrmState::Active => !lets_go,
        // In maintenance it lets go as soon as it has nothing to look after, and says nothing else then.
        LrmState::Maintenance | LrmState::WaitForAgentLock | LrmState::LostAgentLock => false,
    }
}

/// Something after which a service that runs on `node2` is looked after again.
type Event = (&'static str, RequestedState, Option<ServiceState>, fn(&mut Cluster));

const EVENTS: [Event; 4] = [
    ("a guest that runs is added, to run", RequestedState::Started, None, |_| {}),
    ("a guest that runs is added, not to run", RequestedState::Stopped, None, |_| {}),
    ("an LRM is back after a restart", RequestedState::Started, Some(ServiceState::Freeze), |_| {}),
    ("a service that may run leaves error", RequestedState::Disabled, Some(ServiceState::Error), |cluster| {
        cluster.edit_status(|status| {
            status.may_run.insert(sid("vm:101"));
        });
    }),
];

#[test]
fn a_node_is_marked_when_a_running_service_is_looked_after_again_until_its_lrm_says_that_it_guards_it() {
    for (name, requested, state, prepare) in EVENTS {
        for (lrm_state, mode) in STATES.into_iter().flat_map(|state| MODES.map(|mode| (state, mode))) {
            if name.starts_with("an LRM is back") && mode != LrmMode::Active {
                continue;
            }
            for is_new in [true, false] {
                let mut cluster = Cluster::with_one_daemon(&["node1", "node2", "node3"], Daemon::Crm);
                cluster.add_service("vm:102", "node1", RequestedState::Stopped);
                cluster.put_entry("vm:102", "node1", ServiceState::Stopped, Some("two"));
                put_record(&mut cluster, lrm_state, mode, 1);
                cluster.edit_status(|status| {
                    status.nodes.insert(node("node2"), NodeState::Online);
                });
                let set_up = |cluster: &mut Cluster| {
                    cluster.add_service("vm:101", "node2", requested);
                    let guest = UnmanagedGuest { sid: sid("vm:101"), node: node("node2"), running: true };
                    cluster.unmanaged.push(guest);
                };
                if let Some(state) = &state {
                    cluster.put_entry("vm:101", "node2", state.clone(), Some("one"));
                    prepare(&mut cluster);
                    cluster.add_service("vm:101", "node2", RequestedState::Stopped);
                }
                // A record that a new master finds says nothing of the present: only one that is written after it does.
                if is_new && state.is_none() {
                    iterate(&mut cluster);
                    put_record(&mut cluster, lrm_state, mode, 2);
                }
                set_up(&mut cluster);
                iterate(&mut cluster);
                assert!(is_marked(&cluster), "{name}, {lrm_state} {mode}, new: {is_new}");
                iterate(&mut cluster);
                assert!(is_marked(&cluster), "{name}, {lrm_state} {mode}, new: {is_new}: it says nothing new");
                // Whatever it was, a newer record of an LRM that guards its node takes the mark back.
                put_record(&mut cluster, lrm_state, mode, 3);
                iterate(&mut cluster);
                assert_eq!(is_marked(&cluster), !guards(lrm_state, mode), "{name}, {lrm_state} {mode}, new: {is_new}");
            }
        }
    }
}

#[test]
fn a_mark_is_taken_back_by_a_newer_record_of_an_lrm_that_guards_its_node_and_by_nothing_else() {
    for (state, mode) in STATES.into_iter().flat_map(|state| MODES.map(|mode| (state, mode))) {
        let mut cluster = cluster(RequestedState::Started);
        cluster.put_entry("vm:101", "node2", ServiceState::Started { confirmed: true }, Some("one"));
        cluster.edit_status(|status| {
            status.nodes.insert(node("node2"), NodeState::Online);
            status.unguarded.insert(node("node2"));
        });
        put_record(&mut cluster, state, mode, 1);
        cluster.iterate_times(3, "node1", Daemon::Crm);
        assert!(is_marked(&cluster), "{state} {mode}: the record may be from before the mark");
        put_record(&mut cluster, state, mode, 2);
        iterate(&mut cluster);
        assert_eq!(is_marked(&cluster), !guards(state, mode), "{state} {mode}");
    }
}

#[test]
fn fencing_by_the_lock_proves_that_nothing_runs_only_where_the_lrm_held_it_to_the_end() {
    for (state, mode) in STATES.into_iter().flat_map(|state| MODES.map(|mode| (state, mode))) {
        let mut cluster = cluster(RequestedState::Started);
        cluster.add_service("vm:102", "node2", RequestedState::Started);
        cluster.put_entry("vm:101", "node2", ServiceState::Fence, Some("one"));
        cluster.put_entry("vm:102", "node2", ServiceState::Error, Some("two"));
        cluster.edit_status(|status| {
            status.nodes.insert(node("node2"), NodeState::Fence);
            status.may_run.insert(sid("vm:102"));
        });
        put_record(&mut cluster, state, mode, 1);
        cluster.node("node2").connected = false;
        iterate(&mut cluster);
        assert_ne!(entry(&cluster).state, ServiceState::Fence, "the lock is free: the node is fenced");
        assert_eq!(may_run(&cluster, "vm:102"), !guards(state, mode), "{state} {mode}");
    }
}

/// Its power was off at some time: what was recorded there is gone. What may have come there since runs without a watchdog.
#[test]
fn a_fenced_node_stays_unguarded_where_a_service_is_or_goes_that_did_not_wait_for_its_fencing() {
    let to = || node("node2");
    let rows = [
        (None, false),
        (Some(("node3", ServiceState::Started { confirmed: true })), false),
        (Some(("node3", ServiceState::Relocate { target: to() })), true),
        (Some(("node3", ServiceState::Migrate { target: to() })), true),
        (Some(("node2", ServiceState::Fence)), false),
        (Some(("node2", ServiceState::Error)), true),
        (Some(("node2", ServiceState::Stopped)), true),
        (Some(("node2", ServiceState::RequestStop { timeout: None })), true),
        (Some(("node2", ServiceState::Relocate { target: node("node3") })), true),
    ];
    for (other, stays) in rows {
        let mut cluster = cluster(RequestedState::Started);
        cluster.datacenter().fencing = FencingMode::Hardware;
        let devices = "device one fence_one ip=192.0.2.1\nconnect one node=node2 plug=1\n";
        cluster.store.fence = Some(Arc::new(FenceConfig::read(devices.as_bytes()).config.unwrap()));
        cluster.devices.insert(0, FenceProgress::Succeeded);
        cluster.put_entry("vm:101", "node2", ServiceState::Fence, Some("one"));
        if let Some((on, state)) = &other {
            cluster.add_service("vm:102", on, RequestedState::Disabled);
            cluster.put_entry("vm:102", on, state.clone(), Some("two"));
        }
        cluster.edit_status(|status| {
            status.nodes.insert(node("node2"), NodeState::Fence);
            status.unguarded.insert(node("node2"));
        });
        cluster.node("node2").connected = false;
        iterate(&mut cluster);
        assert_ne!(entry(&cluster).state, ServiceState::Fence, "{other:?}: it was fenced");
        assert_eq!(is_marked(&cluster), stays, "{other:?}");
    }
}

/// A node that must be fenced works again, and keeps its services, only if its LRM says so now, and has let go of everything.
#[test]
fn when_a_node_that_is_to_be_fenced_is_back() {
    let rows = STATES.into_iter().flat_map(|state| [1, 2].map(|timestamp| (state, timestamp)));
    // An LRM that restarts leaves its services frozen, and its node as it is.
    let rows =
        rows.flat_map(|(state, timestamp)| [LrmMode::Active, LrmMode::Restart].map(|mode| (state, mode, timestamp)));
    for (state, mode, timestamp) in rows {
        for is_member in [true, false] {
            for fencing in [FencingMode::Watchdog, FencingMode::Hardware, FencingMode::Both] {
                let mut cluster = cluster(RequestedState::Started);
                cluster.datacenter().fencing = fencing;
                cluster.put_entry("vm:101", "node2", ServiceState::Fence, Some("one"));
                cluster.edit_status(|status| {
                    status.nodes.insert(node("node2"), NodeState::Fence);
                });
                put_record(&mut cluster, LrmState::LostAgentLock, LrmMode::Active, 1);
                cluster.node("node2").connected = false;
                let hold_lock = |cluster: &mut Cluster| cluster.give_lock(Lock::Agent(node("node2")), "node2");
                hold_lock(&mut cluster);
                iterate(&mut cluster);
                put_record(&mut cluster, state, mode, timestamp);
                cluster.node("node2").connected = is_member;
                hold_lock(&mut cluster);
                iterate(&mut cluster);
                let says_so = state == LrmState::WaitForAgentLock && timestamp == 2 && is_member;
                let is_back = says_so && fencing != FencingMode::Watchdog;
                let row = format!("{state} {mode}, record {timestamp}, member: {is_member}, {fencing:?}");
                assert_eq!(entry(&cluster).state.name() != StateName::Fence, is_back, "{row}");
                assert_eq!(is_marked(&cluster), is_back, "{row}: nothing guards it yet");
                assert_eq!(entry(&cluster).node, node("node2"), "{row}");
            }
        }
    }
}

#[test]
fn what_is_no_longer_managed_is_no_longer_known_to_run() {
    for requested in [None, Some(RequestedState::Ignored)] {
        let mut cluster = cluster(RequestedState::Started);
        cluster.put_entry("vm:101", "node2", ServiceState::Error, Some("one"));
        cluster.edit_status(|status| {
            status.may_run.insert(sid("vm:101"));
        });
        iterate(&mut cluster);
        assert!(may_run(&cluster, "vm:101"));
        match requested {
            Some(requested) => cluster.request("vm:101", requested),
            None => drop(cluster.resources().shift_remove(&sid("vm:101"))),
        }
        iterate(&mut cluster);
        assert!(!cluster.status().services.contains(&sid("vm:101")), "{requested:?}");
        assert!(!may_run(&cluster, "vm:101"), "{requested:?}");
    }
}

#[test]
fn what_becomes_of_a_service_whose_node_is_lost() {
    use RequestedState::{Disabled, Started, Stopped};
    let to = || node("node3");
    let rows = [
        (ServiceState::Stopped, Started, StateName::Fence),
        (ServiceState::Stopped, Stopped, StateName::Fence),
        (ServiceState::Stopped, Disabled, StateName::Stopped),
        (ServiceState::RequestStop { timeout: None }, Stopped, StateName::Fence),
        (ServiceState::RequestStart, Started, StateName::Fence),
        (ServiceState::RequestStartBalance { target: to() }, Started, StateName::Fence),
        (ServiceState::Started { confirmed: true }, Started, StateName::Fence),
        (ServiceState::Migrate { target: to() }, Started, StateName::Fence),
        (ServiceState::Relocate { target: to() }, Started, StateName::Fence),
        (ServiceState::Freeze, Started, StateName::Fence),
        (ServiceState::Error, Started, StateName::Error),
    ];
    for (state, requested, expected) in rows {
        // What is disabled is left alone, until something else is asked for.
        let mut cluster = cluster(if state == ServiceState::Stopped { Disabled } else { requested });
        cluster.put_entry("vm:101", "node2", state.clone(), Some("one"));
        iterate(&mut cluster);
        cluster.node("node2").connected = false;
        for _ in 0..8 {
            cluster.give_lock(Lock::Agent(node("node2")), "node2");
            iterate(&mut cluster);
        }
        cluster.request("vm:101", requested);
        iterate(&mut cluster);
        let entry = entry(&cluster);
        assert_eq!((entry.state.name(), entry.node), (expected, node("node2")), "{state:?}, {requested}");
    }
}

#[test]
fn a_command_that_waits_goes_with_the_state_that_it_was_given_in() {
    for command in
        [QueuedCommand::Stop { timeout: 1 }, QueuedCommand::Move { motion: Motion::Relocate, target: node("node1") }]
    {
        let mut cluster = cluster(RequestedState::Started);
        cluster.set_rules("node-affinity: home\n\tresources vm:101\n\tnodes node3:2,node2:1\n");
        cluster.put_entry("vm:101", "node2", ServiceState::Started { confirmed: true }, Some("one"));
        cluster.edit_status(|status| {
            let (_, entry) = status.services.iter_mut().next().unwrap();
            entry.command = Some(Box::new(command.clone()));
        });
        // Its node is lost, and fenced: what was asked for concerned a service that ran there.
        cluster.node("node2").connected = false;
        cluster.iterate_times(9, "node1", Daemon::Crm);
        let entry = entry(&cluster);
        assert_eq!((entry.state.name(), entry.node), (StateName::Started, node("node3")), "{command:?}");
        assert_eq!(entry.command, None, "{command:?}");
    }
}

#[test]
fn a_service_that_leaves_where_it_only_waits_keeps_its_home() {
    let mut cluster = Cluster::with_one_daemon(&["node1", "node2", "node3", "node4"], Daemon::Crm);
    cluster.add_service("vm:101", "node2", RequestedState::Started);
    cluster.put_entry("vm:101", "node2", ServiceState::Started { confirmed: true }, Some("one"));
    cluster.edit_status(|status| {
        let (_, entry) = status.services.iter_mut().next().unwrap();
        entry.maintenance_node = Some(node("node4"));
        for name in ["node2", "node4"] {
            status.nodes.insert(node(name), NodeState::Maintenance);
        }
    });
    for name in ["node2", "node4"] {
        let record = LrmStatus { state: LrmState::Maintenance, mode: LrmMode::Maintenance, ..LrmStatus::default() };
        cluster.store.lrm_status.insert(node(name), Arc::new(record));
    }
    cluster.iterate_times(2, "node1", Daemon::Crm);
    let entry = entry(&cluster);
    assert_eq!(entry.state.name(), StateName::Migrate);
    assert_eq!(entry.maintenance_node, Some(node("node4")), "it is still to return");
}

#[test]
fn the_record_of_an_lrm_holds_while_it_can_not_be_read() {
    let mut cluster = cluster(RequestedState::Started);
    cluster.put_entry("vm:101", "node2", ServiceState::Freeze, Some("one"));
    put_record(&mut cluster, LrmState::Active, LrmMode::Restart, 1);
    for name in ["node1", "node3"] {
        cluster.store.lrm_status.insert(node(name), Arc::default());
    }
    cluster.iterate_times(2, "node1", Daemon::Crm);
    assert_eq!(entry(&cluster).state, ServiceState::Freeze);
    cluster.broken.insert((node("node1"), HostOperation::ReadLrmStatus));
    cluster.take_events();
    cluster.iterate_times(2, "node1", Daemon::Crm);
    assert!(!cluster.take_events().contains(&"round_failed".into()));
    assert_eq!(entry(&cluster).state, ServiceState::Freeze, "it restarts as far as anybody knows");
}

#[test]
fn a_stop_that_could_not_be_written_down_is_made_later() {
    let mut cluster = cluster(RequestedState::Started);
    cluster.put_entry("vm:101", "node2", ServiceState::Started { confirmed: true }, Some("one"));
    cluster.broken.insert((node("node1"), HostOperation::SetRequestedState));
    cluster.command("stop vm:101 7");
    cluster.iterate_times(3, "node1", Daemon::Crm);
    assert_eq!(entry(&cluster).state.name(), StateName::Started, "it would be started again");
    cluster.broken.clear();
    iterate(&mut cluster);
    assert_eq!(entry(&cluster).state, ServiceState::RequestStop { timeout: Some(7) });
}

#[test]
fn where_a_service_that_may_run_is_found_counts_as_unguarded() {
    for may_run in [false, true] {
        let mut cluster = cluster(RequestedState::Stopped);
        cluster.put_entry("vm:101", "node2", ServiceState::Stopped, Some("one"));
        cluster.guests.get_mut(&sid("vm:101")).unwrap().node = node("node3");
        cluster.edit_status(|status| status.may_run.extend(may_run.then(|| sid("vm:101"))));
        iterate(&mut cluster);
        assert_eq!(entry(&cluster).node, node("node3"));
        assert_eq!(cluster.status().unguarded.contains(&node("node3")), may_run, "may run: {may_run}");
    }
}

#[test]
fn what_is_on_its_way_to_a_node_is_not_sent_there_again_with_what_it_must_be_together_with() {
    for is_on_its_way in [false, true] {
        let mut cluster = cluster(RequestedState::Started);
        cluster.add_service("vm:102", "node2", RequestedState::Started);
        cluster.set_rules("resource-affinity: together\n\tresources vm:101,vm:102\n\taffinity positive\n");
        cluster.put_entry("vm:101", "node2", ServiceState::Started { confirmed: true }, Some("one"));
        let moves = ServiceState::Migrate { target: node("node3") };
        let state = if is_on_its_way { moves } else { ServiceState::Started { confirmed: true } };
        cluster.put_entry("vm:102", "node2", state, Some("two"));
        cluster.edit_status(|status| {
            status.nodes.extend(["node1", "node2", "node3"].map(|name| (node(name), NodeState::Online)));
        });
        cluster.command("migrate vm:101 node3");
        iterate(&mut cluster);
        let events = cluster.take_events();
        assert_eq!(events.contains(&"comove_queued".into()), !is_on_its_way, "{events:?}");
        assert!(!events.contains(&"command_without_effect".into()), "{events:?}");
    }
}

#[test]
fn a_recovery_of_which_an_effect_fails_leaves_the_service_where_it_was() {
    for operation in [HostOperation::MoveConfiguration, HostOperation::RemoveLeftoverLocks] {
        let mut cluster = cluster(RequestedState::Started);
        cluster.put_entry("vm:101", "node2", ServiceState::Recovery, Some("one"));
        cluster.node("node2").connected = false;
        cluster.broken.insert((node("node1"), operation));
        cluster.iterate_times(2, "node1", Daemon::Crm);
        let before = entry(&cluster);
        assert_eq!((before.state, before.node), (ServiceState::Recovery, node("node2")), "{operation}");
        assert_eq!(cluster.guests[&sid("vm:101")].node, node("node2"), "{operation}");
        cluster.broken.clear();
        iterate(&mut cluster);
        let after = entry(&cluster);
        assert_eq!(after.state.name(), StateName::Started, "{operation}");
        assert_eq!(after.node, cluster.guests[&sid("vm:101")].node, "{operation}");
        assert_ne!(after.node, node("node2"), "{operation}");
    }
}

#[test]
fn a_status_that_can_not_be_written_is_written_as_it_is_with_the_next_round() {
    let mut cluster = cluster(RequestedState::Started);
    iterate(&mut cluster);
    let before: ManagerStatus = cluster.status();
    cluster.request("vm:101", RequestedState::Stopped);
    cluster.broken.insert((node("node1"), HostOperation::WriteManagerStatus));
    iterate(&mut cluster);
    assert_eq!(cluster.status(), before);
    cluster.broken.clear();
    iterate(&mut cluster);
    assert_eq!(entry(&cluster).state.name(), StateName::RequestStop);
}

#[test]
fn a_new_master_begins_with_what_was_written_while_it_asked_for_the_lock() {
    let mut cluster = cluster(RequestedState::Started);
    cluster.put_entry("vm:101", "node2", ServiceState::Started { confirmed: true }, Some("one"));
    cluster.give_lock(Lock::Manager, "node2");
    let Some(Next::At { instant, reason }) = cluster.tick(&node("node1"), Daemon::Crm) else { panic!("it has ended") };
    assert!(reason.is_within_iteration(), "it asks again");
    // The master that is about to go writes again.
    cluster.put_entry("vm:101", "node2", ServiceState::Error, Some("two"));
    cluster.edit_status(|status| {
        status.may_run.insert(sid("vm:101"));
        status.unguarded.insert(node("node2"));
    });
    cluster.release_lock_of("node2");
    cluster.time = instant;
    iterate(&mut cluster);
    let entry = entry(&cluster);
    assert_eq!((entry.state, entry.uid), (ServiceState::Error, Some("two".parse().unwrap())));
    assert!(may_run(&cluster, "vm:101") && is_marked(&cluster));
    assert_eq!(cluster.status().master_node, Some(node("node1")));
}
