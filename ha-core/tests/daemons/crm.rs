//! The CRM: each row of its table of states, each condition of it, and its work.

use ha_core::{
    config::RequestedState,
    event::DaemonState,
    host::{HostOperation, Lock},
    status::{Disarm, DisarmMode, DisarmState, LrmMode, LrmStatus, NodeRequest, NodeState, ServiceState},
    time::{Instant, Next},
};

use crate::cluster::{Cluster, Daemon, node, secs, sid};

/// Three nodes, the first of which runs a CRM.
fn cluster() -> Cluster {
    Cluster::with_one_daemon(&["node1", "node2", "node3"], Daemon::Crm)
}

fn cluster_with_a_service() -> Cluster {
    let mut cluster = cluster();
    cluster.add_service("vm:101", "node2", RequestedState::Stopped);
    cluster
}

fn master() -> Cluster {
    let mut cluster = cluster_with_a_service();
    iterate(&mut cluster);
    assert_eq!(state(&mut cluster), DaemonState::Master);
    cluster.take_events();
    cluster
}

fn slave() -> Cluster {
    let mut cluster = cluster_with_a_service();
    cluster.give_lock(Lock::Manager, "node2");
    iterate(&mut cluster);
    assert_eq!(state(&mut cluster), DaemonState::Slave);
    cluster.take_events();
    cluster
}

fn iterate(cluster: &mut Cluster) -> Option<Instant> {
    cluster.iterate("node1", Daemon::Crm)
}

fn state(cluster: &mut Cluster) -> DaemonState {
    cluster.node("node1").crm.as_ref().unwrap().state()
}

fn watchdog_is_open(cluster: &mut Cluster) -> bool {
    cluster.node("node1").watchdogs.contains_key(&Daemon::Crm)
}

fn disarmed(cluster: &mut Cluster) {
    cluster.edit_status(|status| {
        status.disarm = Some(Disarm {
            mode: DisarmMode::Freeze,
            state: DisarmState::Disarmed,
            by: None,
            since: None,
            unknown: None,
        });
    });
}

fn wait_after(cluster: &Cluster, next: Option<Instant>) -> u64 {
    next.unwrap().since(cluster.time).as_secs()
}

fn break_call(cluster: &mut Cluster, operation: HostOperation) {
    cluster.broken.insert((node("node1"), operation));
}

#[test]
fn it_starts_in_wait_for_quorum_and_looks_again_in_5_s() {
    let mut cluster = cluster();
    assert_eq!(state(&mut cluster), DaemonState::WaitForQuorum);
    let next = iterate(&mut cluster);
    assert_eq!(wait_after(&cluster, next), 5);
    assert_eq!(cluster.take_events(), ["daemon_state"]);
}

#[test]
fn wait_for_quorum_healthy_something_to_do_got_the_lock_to_master() {
    let mut cluster = cluster_with_a_service();
    cluster.take_events();
    let next = iterate(&mut cluster);
    assert_eq!(state(&mut cluster), DaemonState::Master);
    assert_eq!(cluster.take_events()[..2], ["lock_acquired", "daemon_state"]);
    assert!(watchdog_is_open(&mut cluster));
    assert_eq!(wait_after(&cluster, next), 10);
    assert_eq!(cluster.status().master_node, Some(node("node1")));
}

#[test]
fn wait_for_quorum_lock_held_elsewhere_to_slave_after_tries_for_5_s() {
    let mut cluster = cluster_with_a_service();
    cluster.give_lock(Lock::Manager, "node2");
    cluster.take_events();
    iterate(&mut cluster);
    assert_eq!(state(&mut cluster), DaemonState::Slave);
    assert_eq!(cluster.take_events(), ["daemon_state"]);
    assert_eq!(cluster.calls[&HostOperation::TakeLock], 6);
    assert_eq!(cluster.time, Instant::from_secs(5));
}

#[test]
fn slave_got_the_lock_to_master() {
    let mut cluster = slave();
    cluster.time = cluster.time.after(secs(121));
    iterate(&mut cluster);
    assert_eq!(state(&mut cluster), DaemonState::Master);
}

#[test]
fn slave_lock_held_elsewhere_stays() {
    let mut cluster = slave();
    iterate(&mut cluster);
    assert_eq!(state(&mut cluster), DaemonState::Slave);
    assert_eq!(cluster.take_events(), [""; 0]);
}

#[test]
fn slave_not_healthy_to_wait_for_quorum() {
    type Ailment = (&'static str, fn(&mut Cluster), &'static [&'static str]);
    let ailments: [Ailment; 5] = [
        ("no quorum", |cluster| cluster.node("node1").connected = false, &["daemon_state"]),
        ("stale view", |cluster| break_call(cluster, HostOperation::Refresh), &["host_call_failed", "daemon_state"]),
        (
            "status unreadable",
            |cluster| break_call(cluster, HostOperation::ReadManagerStatus),
            &["host_call_failed", "manager_status_unreadable", "daemon_state"],
        ),
        (
            "own node in fence",
            |cluster| cluster.edit_status(|status| status.nodes.extend([(node("node1"), NodeState::Fence)])),
            &["daemon_state"],
        ),
        (
            "own service in fence",
            |cluster| cluster.put_entry("vm:101", "node1", ServiceState::Fence, None),
            &["daemon_state"],
        ),
    ];
    for (name, fall_ill, events) in ailments {
        let mut cluster = slave();
        cluster.time = cluster.time.after(secs(121));
        fall_ill(&mut cluster);
        iterate(&mut cluster);
        assert_eq!(state(&mut cluster), DaemonState::WaitForQuorum, "{name}");
        assert_eq!(cluster.take_events(), events, "{name}");
        assert!(!watchdog_is_open(&mut cluster), "{name}");
    }
}

#[test]
fn a_service_in_fence_on_another_node_does_not_make_it_unhealthy() {
    let mut cluster = slave();
    cluster.time = cluster.time.after(secs(121));
    cluster.put_entry("vm:101", "node2", ServiceState::Fence, None);
    iterate(&mut cluster);
    assert_eq!(state(&mut cluster), DaemonState::Master);
}

#[test]
fn slave_nothing_to_do_to_wait_for_quorum() {
    let mut cluster = slave();
    cluster.resources().clear();
    iterate(&mut cluster);
    assert_eq!(state(&mut cluster), DaemonState::WaitForQuorum);
}

#[test]
fn something_to_do_without_a_configured_service() {
    type Task = (&'static str, fn(&mut Cluster));
    let tasks: [Task; 4] = [
        ("maintenance without a request", |cluster| {
            cluster.edit_status(|status| {
                status.nodes.insert(node("node3"), NodeState::Maintenance);
            });
        }),
        ("a waiting command", |cluster| cluster.command("arm-ha")),
        ("an entry", |cluster| cluster.put_entry("vm:101", "node3", ServiceState::Stopped, None)),
        ("a disarm record", disarmed),
    ];
    type Recorded = (&'static str, fn(&mut Cluster), bool);
    let masters: [Recorded; 4] = [
        ("no master", |_| {}, true),
        ("this node", |cluster| cluster.edit_status(|status| status.master_node = Some(node("node1"))), true),
        (
            "a node that is not online",
            |cluster| cluster.edit_status(|status| status.master_node = Some(node("node2"))),
            true,
        ),
        (
            "another node, online",
            |cluster| {
                cluster.edit_status(|status| {
                    status.master_node = Some(node("node2"));
                    status.nodes.insert(node("node2"), NodeState::Online);
                });
            },
            false,
        ),
    ];
    for (task, set_task) in tasks {
        for (master, record_master, becomes_master) in masters {
            let mut cluster = cluster();
            set_task(&mut cluster);
            record_master(&mut cluster);
            iterate(&mut cluster);
            let expected = if becomes_master { DaemonState::Master } else { DaemonState::WaitForQuorum };
            assert_eq!(state(&mut cluster), expected, "{task}, {master}");
        }
    }
}

#[test]
fn maintenance_with_a_request_is_nothing_to_do() {
    let mut cluster = cluster();
    cluster.edit_status(|status| {
        status.nodes.insert(node("node3"), NodeState::Maintenance);
        status.node_requests.insert(node("node3"), NodeRequest { maintenance: true, ..NodeRequest::default() });
    });
    iterate(&mut cluster);
    assert_eq!(state(&mut cluster), DaemonState::WaitForQuorum);
}

#[test]
fn master_lock_not_renewed_to_lost_manager_lock_and_on_to_wait_for_quorum() {
    let mut cluster = master();
    cluster.node("node1").connected = false;
    let next = iterate(&mut cluster);
    assert_eq!(state(&mut cluster), DaemonState::WaitForQuorum);
    assert_eq!(cluster.take_events(), ["daemon_state", "daemon_state"]);
    assert!(!watchdog_is_open(&mut cluster), "nothing is touched any more, so no reset is needed");
    assert_eq!(wait_after(&cluster, next), 5);
}

#[test]
fn lost_manager_lock_exits_if_asked_to_stop() {
    let mut cluster = master();
    cluster.stop_crm(&node("node1"));
    cluster.node("node1").connected = false;
    assert_eq!(iterate(&mut cluster), None);
    assert_eq!(cluster.take_events(), ["crm_shutdown_requested", "daemon_state"]);
    assert!(!watchdog_is_open(&mut cluster));
}

#[test]
fn master_idle_for_more_than_90_rounds_to_wait_for_quorum() {
    let mut cluster = master();
    cluster.resources().clear();
    cluster.iterate_times(91, "node1", Daemon::Crm);
    cluster.take_events();
    // The first of those rounds removed the entry, and was not idle.
    assert_eq!(state(&mut cluster), DaemonState::Master);
    iterate(&mut cluster);
    assert_eq!(cluster.take_events(), ["crm_idle", "daemon_state"]);
    assert_eq!(state(&mut cluster), DaemonState::WaitForQuorum);
    assert!(!watchdog_is_open(&mut cluster));
    assert_eq!(cluster.holder(&Lock::Manager), None);
}

#[test]
fn any_other_round_sets_the_idle_count_back() {
    type Disturbance = (&'static str, fn(&mut Cluster), fn(&mut Cluster));
    let disturbances: [Disturbance; 2] = [
        (
            "a service",
            |cluster| cluster.add_service("vm:102", "node2", RequestedState::Stopped),
            |cluster| cluster.resources().clear(),
        ),
        ("not healthy", |cluster| break_call(cluster, HostOperation::Refresh), |cluster| cluster.broken.clear()),
    ];
    for (name, disturb, undo) in disturbances {
        let mut cluster = master();
        cluster.resources().clear();
        cluster.iterate_times(80, "node1", Daemon::Crm);
        disturb(&mut cluster);
        cluster.iterate_times(1, "node1", Daemon::Crm);
        undo(&mut cluster);
        cluster.iterate_times(85, "node1", Daemon::Crm);
        assert_eq!(state(&mut cluster), DaemonState::Master, "{name}");
    }
}

#[test]
fn disarmed_is_not_idle() {
    let mut cluster = cluster();
    disarmed(&mut cluster);
    cluster.iterate_times(100, "node1", Daemon::Crm);
    assert_eq!(state(&mut cluster), DaemonState::Master);
}

#[test]
fn disarmed_takeover_opens_no_watchdog() {
    let mut cluster = cluster();
    disarmed(&mut cluster);
    cluster.take_events();
    iterate(&mut cluster);
    assert_eq!(cluster.take_events()[..3], ["lock_acquired", "disarmed_takeover", "daemon_state"]);
    assert!(!watchdog_is_open(&mut cluster));
    cluster.iterate_times(3, "node1", Daemon::Crm);
    assert!(!watchdog_is_open(&mut cluster), "nor does a renewal");
}

#[test]
fn fully_disarmed_closes_the_watchdog_and_armed_again_opens_it_with_the_next_renewal() {
    let mut cluster = master();
    for name in ["node1", "node2", "node3"] {
        let record = LrmStatus { mode: LrmMode::Disarm, ..LrmStatus::default() };
        cluster.store.lrm_status.insert(node(name), record.into());
    }
    cluster.command("disarm-ha freeze");
    iterate(&mut cluster);
    let events = cluster.take_events();
    assert_eq!(events[events.len() - 2..], ["disarmed", "crm_watchdog_released"]);
    assert!(!watchdog_is_open(&mut cluster));
    cluster.command("arm-ha");
    iterate(&mut cluster);
    let events = cluster.take_events();
    assert_eq!((events[0].as_str(), events[events.len() - 1].as_str()), ("command_accepted", "rearmed"));
    assert!(!watchdog_is_open(&mut cluster));
    iterate(&mut cluster);
    assert!(watchdog_is_open(&mut cluster));
}

#[test]
fn the_watchdog_stays_open_until_it_is_written_down_that_ha_is_disarmed() {
    let mut cluster = master();
    for name in ["node1", "node2", "node3"] {
        let record = LrmStatus { mode: LrmMode::Disarm, ..LrmStatus::default() };
        cluster.store.lrm_status.insert(node(name), record.into());
    }
    cluster.command("disarm-ha freeze");
    break_call(&mut cluster, HostOperation::WriteManagerStatus);
    iterate(&mut cluster);
    assert!(watchdog_is_open(&mut cluster));
    cluster.broken.clear();
    iterate(&mut cluster);
    assert!(!watchdog_is_open(&mut cluster));
}

#[test]
fn master_asked_to_stop_closes_releases_and_exits() {
    let mut cluster = master();
    cluster.stop_crm(&node("node1"));
    cluster.stop_crm(&node("node1"));
    assert_eq!(iterate(&mut cluster), None);
    assert_eq!(cluster.take_events(), ["crm_shutdown_requested", "manager_lock_released"]);
    assert!(!watchdog_is_open(&mut cluster));
    assert_eq!(cluster.holder(&Lock::Manager), None);
}

#[test]
fn a_request_to_stop_does_not_keep_state_changes_from_happening_first() {
    let mut cluster = cluster_with_a_service();
    cluster.stop_crm(&node("node1"));
    cluster.take_events();
    assert_eq!(iterate(&mut cluster), None);
    assert_eq!(cluster.take_events(), ["lock_acquired", "daemon_state", "manager_lock_released"]);
}

#[test]
fn wait_for_quorum_and_slave_exit_if_asked_to_stop() {
    for mut cluster in [cluster(), slave()] {
        cluster.stop_crm(&node("node1"));
        assert_eq!(iterate(&mut cluster), None);
    }
}

#[test]
fn master_with_a_stale_view_skips_the_round_and_still_renews_the_lock() {
    let mut cluster = master();
    break_call(&mut cluster, HostOperation::Refresh);
    for _ in 0..20 {
        cluster.time = cluster.time.after(secs(10));
        iterate(&mut cluster);
        assert_eq!(cluster.take_events(), ["host_call_failed", "round_skipped_stale_cluster_state"]);
    }
    assert_eq!(cluster.holder(&Lock::Manager), Some(&node("node1")));
}

#[test]
fn an_error_in_a_round_is_an_event_and_not_an_exit() {
    for operation in [HostOperation::Members, HostOperation::ReadLrmStatus, HostOperation::ReadConfiguration] {
        let mut cluster = master();
        break_call(&mut cluster, operation);
        let next = iterate(&mut cluster);
        assert_eq!(wait_after(&cluster, next), 10);
        let reason = cluster.reports_of("round_failed")[0]["reason"].as_str().unwrap().to_owned();
        assert!(reason.starts_with(operation.as_str()), "it says which call failed: {reason}");
        assert_eq!(cluster.take_events().pop().as_deref(), Some("round_failed"), "{operation}");
        assert_eq!(state(&mut cluster), DaemonState::Master);
    }
}

#[test]
fn a_master_whose_status_can_not_be_read_is_not_healthy_and_says_so_once_a_round() {
    let mut cluster = master();
    break_call(&mut cluster, HostOperation::ReadManagerStatus);
    iterate(&mut cluster);
    assert!(cluster.reports_of("manager_status_unreadable")[0]["reason"].is_string());
    assert_eq!(cluster.take_events(), ["host_call_failed", "manager_status_unreadable"]);
}

#[test]
fn a_master_whose_lease_was_over_goes_on_from_what_is_recorded_now() {
    let mut cluster = master();
    cluster.time = cluster.time.after(secs(130));
    cluster.put_entry("vm:101", "node3", ServiceState::Error, None);
    break_call(&mut cluster, HostOperation::ReadManagerStatus);
    iterate(&mut cluster);
    assert_eq!(cluster.take_events().pop().as_deref(), Some("round_failed"), "without the record it does nothing");
    cluster.broken.clear();
    iterate(&mut cluster);
    assert_eq!(cluster.status().services.get(&sid("vm:101")).unwrap().state, ServiceState::Error);
}

#[test]
fn a_master_whose_lock_another_one_may_have_had_goes_on_from_what_is_recorded_now() {
    // The answer says so, though by the clock the lease was not over; or the lease was over, and an answer got lost.
    for (gone_for, holder) in [(10, "node2"), (130, "node1")] {
        let mut cluster = master();
        cluster.time = cluster.time.after(secs(gone_for));
        cluster.give_lock(Lock::Manager, holder);
        cluster.release_lock_of("node2");
        cluster.put_entry("vm:101", "node3", ServiceState::Error, None);
        iterate(&mut cluster);
        assert_eq!(state(&mut cluster), DaemonState::Master);
        let status = cluster.status();
        let entry = status.services.get(&sid("vm:101")).unwrap();
        assert_eq!(entry.state, ServiceState::Error, "after {gone_for} s");
    }
}

#[test]
fn a_master_that_finds_its_own_node_to_be_fenced_gives_its_lock_back() {
    let mut cluster = master();
    // It was stopped for so long that another one was master meanwhile, and let go again.
    cluster.time = cluster.time.after(secs(130));
    cluster.edit_status(|status| status.nodes.extend([(node("node1"), NodeState::Fence)]));
    iterate(&mut cluster);
    assert_eq!(state(&mut cluster), DaemonState::WaitForQuorum, "it could decide nothing, for ever");
    assert!(!watchdog_is_open(&mut cluster));
    assert_eq!(cluster.holder(&Lock::Manager), None, "another one may be master");
}

#[test]
fn a_watchdog_that_could_not_be_closed_is_closed_later() {
    let mut cluster = master();
    cluster.node("node1").connected = false;
    break_call(&mut cluster, HostOperation::CloseWatchdog);
    iterate(&mut cluster);
    assert!(watchdog_is_open(&mut cluster));
    cluster.broken.clear();
    iterate(&mut cluster);
    assert!(!watchdog_is_open(&mut cluster));
}

#[test]
fn a_manager_that_can_not_begin_gives_its_lock_back() {
    let mut cluster = cluster_with_a_service();
    break_call(&mut cluster, HostOperation::RandomBytes);
    iterate(&mut cluster);
    assert_eq!(state(&mut cluster), DaemonState::WaitForQuorum);
    assert!(!watchdog_is_open(&mut cluster));
    assert_eq!(cluster.holder(&Lock::Manager), None);
}

#[test]
fn a_lock_that_can_not_be_guarded_is_given_back() {
    let mut cluster = cluster_with_a_service();
    break_call(&mut cluster, HostOperation::OpenWatchdog);
    iterate(&mut cluster);
    assert_eq!(state(&mut cluster), DaemonState::Slave);
    assert_eq!(cluster.holder(&Lock::Manager), None);
    assert_eq!(cluster.status().master_node, None);
}

#[test]
fn a_master_that_is_asked_to_stop_keeps_its_lock_as_long_as_its_watchdog_is_open() {
    let mut cluster = master();
    break_call(&mut cluster, HostOperation::CloseWatchdog);
    cluster.stop_crm(&node("node1"));
    for _ in 0..3 {
        cluster.time = iterate(&mut cluster).unwrap();
        assert!(watchdog_is_open(&mut cluster));
        assert_eq!(cluster.holder(&Lock::Manager), Some(&node("node1")));
    }
    cluster.broken.clear();
    assert_eq!(iterate(&mut cluster), None);
    assert!(!watchdog_is_open(&mut cluster) && cluster.holder(&Lock::Manager).is_none());
}

#[test]
fn who_asked_for_the_lock_of_a_disarmed_cluster_is_no_master_of_one_that_was_armed_meanwhile() {
    let mut cluster = cluster_with_a_service();
    cluster.put_entry("vm:101", "node2", ServiceState::Stopped, Some("one"));
    disarmed(&mut cluster);
    cluster.give_lock(Lock::Manager, "node2");
    let Some(Next::At { instant, .. }) = cluster.tick(&node("node1"), Daemon::Crm) else { panic!("it has ended") };
    // The former master arms HA, and goes.
    cluster.edit_status(|status| status.disarm = None);
    cluster.release_lock_of("node2");
    cluster.time = instant;
    for _ in 0..3 {
        cluster.time = iterate(&mut cluster).unwrap();
        assert!(state(&mut cluster) != DaemonState::Master || watchdog_is_open(&mut cluster));
    }
    assert_eq!(state(&mut cluster), DaemonState::Master);
}

#[test]
fn who_asked_and_since_when_is_recorded_of_those_that_say_who_they_are() {
    let mut cluster = master();
    cluster.command("enable-node-maintenance node2");
    cluster.command("enable-node-maintenance node3 by=alice@desk");
    iterate(&mut cluster);
    let status = cluster.status();
    let asked = |name: &str| {
        let request = &status.node_requests[&node(name)];
        (request.maintenance, request.by.as_deref(), request.since.is_some())
    };
    assert_eq!(asked("node2"), (true, None, false), "as it always was");
    assert_eq!(asked("node3"), (true, Some("alice@desk"), true));
    cluster.command("disable-node-maintenance node3 by=bob@desk");
    cluster.command("disarm-ha freeze by=bob@desk");
    iterate(&mut cluster);
    let status = cluster.status();
    assert!(!status.node_requests.contains_key(&node("node3")));
    let disarm = status.disarm.clone().unwrap();
    assert_eq!((disarm.by.as_deref(), disarm.since), (Some("bob@desk"), status.timestamp));
    assert_eq!(ha_core::status::ManagerStatus::from_json(&status.to_json()).unwrap(), status);
}

#[test]
fn a_command_with_an_id_is_said_to_be_taken_before_it_is_answered() {
    let mut cluster = master();
    let mut said = |line: &str| {
        cluster.command(line);
        iterate(&mut cluster);
        let told = cluster.take_events().into_iter();
        told.filter(|name| name.starts_with("command_")).collect::<Vec<_>>()
    };
    assert_eq!(said("stop vm:9 5 by=alice@desk"), ["command_rejected"]);
    assert_eq!(said("stop vm:9 5 by=alice@desk id=17"), ["command_taken", "command_rejected"]);
    assert_eq!(said("dance id=18"), ["command_taken", "command_unknown"]);
}
