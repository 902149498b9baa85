//! Manager rounds on any status and any configuration.

use ha_core::{
    config::RequestedState,
    host::Lock,
    id::NodeName,
    status::{
        Disarm, DisarmMode, DisarmState, ExitCode, JobResult, LrmMode, LrmStatus, ManagerStatus, Motion, NodeRequest,
        NodeState, QueuedCommand, ServiceEntry, ServiceState,
    },
};
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::{select, subsequence},
};
use serde_json::{Value, json};

use crate::cluster::{Cluster, Daemon, Guest, node, secs, sid};

const NODES: [&str; 5] = ["node1", "node2", "node3", "node4", "node5"];
pub(crate) const SERVICES: [&str; 6] = ["ct:1000", "ct:999", "vm:1001", "vm:101", "vm:200", "vm:99999"];

pub(crate) fn any_node() -> impl Strategy<Value = &'static str> {
    select(&NODES[..])
}

fn any_state() -> impl Strategy<Value = ServiceState> {
    let target = || any_node().prop_map(node);
    prop_oneof![
        Just(ServiceState::Stopped),
        option::of(0..100_u32).prop_map(|timeout| ServiceState::RequestStop { timeout }),
        Just(ServiceState::RequestStart),
        target().prop_map(|target| ServiceState::RequestStartBalance { target }),
        any::<bool>().prop_map(|confirmed| ServiceState::Started { confirmed }),
        Just(ServiceState::Fence),
        Just(ServiceState::Recovery),
        target().prop_map(|target| ServiceState::Migrate { target }),
        target().prop_map(|target| ServiceState::Relocate { target }),
        Just(ServiceState::Freeze),
        Just(ServiceState::Error),
    ]
}

fn any_command() -> impl Strategy<Value = QueuedCommand> {
    prop_oneof![
        (any::<bool>(), any_node()).prop_map(|(live, target)| QueuedCommand::Move {
            motion: if live { Motion::Migrate } else { Motion::Relocate },
            target: node(target),
        }),
        (0..100_u32).prop_map(|timeout| QueuedCommand::Stop { timeout }),
    ]
}

/// Whatever may be recorded for a service.
#[derive(Debug, Clone)]
struct Recorded {
    entry: ServiceEntry,
    result: Option<i32>,
}

fn recorded() -> impl Strategy<Value = Recorded> {
    let result = option::of(prop_oneof![3 => Just(0), 2 => Just(1), 1 => -1..9_i32]);
    (any_state(), any_node(), vec(any_node(), 0..3), option::of(any_node()), option::of(any_command()), result)
        .prop_map(|(state, on, failed, maintenance, command, result)| {
            let mut entry = ServiceEntry::new(state, node(on));
            entry.failed_nodes = failed.into_iter().map(node).collect();
            entry.maintenance_node = maintenance.map(node);
            entry.command = command.map(Box::new);
            Recorded { entry, result }
        })
}

fn any_line() -> impl Strategy<Value = String> {
    let service = select(&SERVICES[..]);
    prop_oneof![
        4 => (select(&["migrate", "relocate"][..]), service.clone(), any_node()).prop_map(|(verb, sid, to)| format!("{verb} {sid} {to}")),
        1 => (service, 0..90_u32).prop_map(|(sid, timeout)| format!("stop {sid} {timeout}")),
        1 => any_node().prop_map(|name| format!("enable-node-maintenance {name}")),
        1 => any_node().prop_map(|name| format!("disable-node-maintenance {name}")),
        1 => select(&["disarm-ha freeze", "disarm-ha ignore", "arm-ha", "nonsense", ""][..]).prop_map(Into::into),
    ]
}

/// Rules of any kind, with any of the services and nodes.
pub(crate) fn any_rules() -> impl Strategy<Value = Vec<String>> {
    let services = || subsequence(&SERVICES[..], 1..4).prop_map(|sids| sids.join(","));
    let priorities = vec(0..3_u32, NODES.len());
    let nodes = (subsequence(&NODES[..], 1..4), priorities).prop_map(|(nodes, priorities)| {
        let nodes = nodes.iter().zip(priorities);
        nodes.map(|(name, priority)| format!("{name}:{priority}")).collect::<Vec<_>>().join(",")
    });
    let by_node = (services(), nodes, any::<bool>()).prop_map(|(sids, nodes, strict)| {
        ("node-affinity", format!("\tresources {sids}\n\tnodes {nodes}\n\tstrict {}\n", u8::from(strict)))
    });
    let by_service = (services(), select(&["positive", "negative"][..]))
        .prop_map(|(sids, affinity)| ("resource-affinity", format!("\tresources {sids}\n\taffinity {affinity}\n")));
    vec(prop_oneof![by_node, by_service], 0..4).prop_map(|rules| {
        let sections = rules.into_iter().enumerate();
        sections.map(|(number, (kind, properties))| format!("{kind}: rule{number}\n{properties}\n")).collect()
    })
}

/// A cluster in any situation.
#[derive(Debug, Clone)]
pub(crate) struct Situation {
    configured: Vec<Option<(RequestedState, &'static str)>>,
    recorded: Vec<Option<Recorded>>,
    nodes: Vec<Option<NodeState>>,
    requests: Vec<bool>,
    modes: Vec<Option<LrmMode>>,
    offline: Vec<&'static str>,
    disarm: Option<(DisarmMode, DisarmState)>,
    rules: Vec<String>,
    lines: Vec<String>,
    rebalance_on_start: bool,
}

pub(crate) fn situation() -> impl Strategy<Value = Situation> {
    use RequestedState::{Disabled, Ignored, Started, Stopped};
    let requested = prop_oneof![4 => Just(Started), 1 => Just(Stopped), 1 => Just(Disabled), 1 => Just(Ignored)];
    let node_state =
        select(&[NodeState::Online, NodeState::Maintenance, NodeState::Unknown, NodeState::Fence, NodeState::Gone][..]);
    let mode = select(
        &[
            LrmMode::Active,
            LrmMode::Restart,
            LrmMode::Shutdown,
            LrmMode::Maintenance,
            LrmMode::Disarm,
            LrmMode::Unknown,
        ][..],
    );
    let disarm = (
        select(&[DisarmMode::Freeze, DisarmMode::Ignore][..]),
        select(&[DisarmState::Disarming, DisarmState::Disarmed][..]),
    );
    (
        (
            vec(option::weighted(0.9, (requested, any_node())), SERVICES.len()),
            vec(option::weighted(0.8, recorded()), SERVICES.len()),
            vec(option::of(node_state), NODES.len()),
            vec(any::<bool>(), NODES.len()),
            vec(option::of(mode), NODES.len()),
        ),
        (
            vec(select(&NODES[1..]), 0..3),
            option::weighted(0.15, disarm),
            any_rules(),
            vec(any_line(), 0..4),
            any::<bool>(),
        ),
    )
        .prop_map(
            |((configured, recorded, nodes, requests, modes), (offline, disarm, rules, lines, rebalance))| Situation {
                configured,
                recorded,
                nodes,
                requests,
                modes,
                offline,
                disarm,
                rules,
                lines,
                rebalance_on_start: rebalance,
            },
        )
}

impl Situation {
    /// The same, except that no move has failed: only the master that saw one fail remembers it.
    pub(crate) fn without_failed_moves(mut self) -> Self {
        for Recorded { entry, result } in self.recorded.iter_mut().flatten() {
            *result = result.filter(|code| *code == 0 || entry.state.target().is_none());
        }
        self
    }

    /// The same, except that no node is on its way from one state to another, and HA is armed.
    pub(crate) fn at_rest(mut self) -> Self {
        for (recorded, configured) in self.recorded.iter_mut().zip(&self.configured) {
            let Some(Recorded { entry, .. }) = recorded else { continue };
            if entry.state == ServiceState::Fence {
                entry.state = ServiceState::Started { confirmed: false };
            }
            // One that makes no sense any more takes the whole step of its service.
            entry.command = None;
            // A service that is at home, or is found there, forgets that only when it stays there.
            let is_there = |home: &NodeName| {
                *home == entry.node || configured.as_ref().is_some_and(|(_, guest_node)| home.as_str() == *guest_node)
            };
            entry.maintenance_node = entry.maintenance_node.take_if(|home| !is_there(home));
        }
        self.lines.retain(|line| !line.starts_with("disarm-ha"));
        Self {
            nodes: vec![Some(NodeState::Online); NODES.len()],
            modes: vec![None; NODES.len()],
            offline: Vec::new(),
            disarm: None,
            ..self
        }
    }

    /// The cluster, with the CRM of the first node. `reversed` turns the order of the configuration files.
    pub(crate) fn cluster(&self, reversed: bool) -> Cluster {
        let mut cluster = Cluster::with_one_daemon(&NODES, Daemon::Crm);
        for name in &self.offline {
            cluster.node(name).connected = false;
        }
        let mut configured: Vec<_> = SERVICES.iter().zip(&self.configured).collect();
        let mut rules = self.rules.clone();
        if reversed {
            configured.reverse();
            rules.reverse();
        }
        for (name, configured) in configured {
            if let Some((state, on)) = configured {
                cluster.add_service(name, on, *state);
            }
        }
        let rules = ha_core::config::RulesConfig::read(rules.concat().as_bytes(), &Default::default());
        assert_eq!(rules.problems, []);
        cluster.store.rules = rules.config.into();
        cluster.datacenter().scheduler.rebalance_on_start = self.rebalance_on_start;
        cluster.store.commands = self.lines.clone();
        self.record(&mut cluster);
        cluster
    }

    fn record(&self, cluster: &mut Cluster) {
        let mut lrms: Vec<LrmStatus> = self
            .modes
            .iter()
            .map(|mode| LrmStatus { mode: mode.unwrap_or_default(), ..LrmStatus::default() })
            .collect();
        cluster.edit_status(|status| {
            for (name, state) in NODES.iter().zip(&self.nodes) {
                status.nodes.extend(state.map(|state| (node(name), state)));
            }
            let requests = NODES.iter().zip(&self.requests).filter(|(_, requested)| **requested);
            status.node_requests = requests
                .map(|(name, _)| (node(name), NodeRequest { maintenance: true, ..NodeRequest::default() }))
                .collect();
            status.disarm =
                self.disarm.map(|(mode, state)| Disarm { mode, state, by: None, since: None, unknown: None });
            for (name, recorded) in SERVICES.iter().zip(&self.recorded) {
                let Some(Recorded { mut entry, result }) = recorded.clone() else { continue };
                // No record of ours has these: a service does not move to where it is.
                if entry.state.target() == Some(&entry.node) {
                    entry.state = ServiceState::Error;
                }
                let uid: ha_core::id::Uid = format!("before-{name}").parse().unwrap();
                entry.uid = Some(uid.clone());
                if let Some(result) = result {
                    let place = NODES.iter().position(|name| *name == entry.node.as_str()).unwrap();
                    lrms[place]
                        .results
                        .insert(uid, JobResult::new(sid(name), entry.state.name().as_str(), ExitCode(result)));
                }
                status.services.insert(sid(name), entry);
            }
        });
        for ((name, mode), record) in NODES.iter().zip(&self.modes).zip(lrms) {
            if mode.is_some() {
                cluster.store.lrm_status.insert(node(name), record.into());
            }
        }
    }
}

/// A round, some seconds after the one before.
pub(crate) fn round(cluster: &mut Cluster, seconds: u64) -> ManagerStatus {
    cluster.time = cluster.time.after(secs(seconds));
    cluster.iterate("node1", Daemon::Crm).unwrap();
    cluster.status()
}

/// The status without what every round changes.
pub(crate) fn steady(mut status: ManagerStatus) -> ManagerStatus {
    status.timestamp = None;
    for (_, entry) in status.services.iter_mut() {
        entry.uid = None;
    }
    status
}

fn check_targets(status: &ManagerStatus) -> Result<(), TestCaseError> {
    for (sid, entry) in status.services.iter() {
        prop_assert_ne!(entry.state.target(), Some(&entry.node), "{} moves to where it is", sid);
    }
    Ok(())
}

fn check(cluster: &Cluster, status: &ManagerStatus) -> Result<(), TestCaseError> {
    for (sid, entry) in status.services.iter() {
        prop_assert!(entry.uid.is_some(), "{} has no request", sid);
    }
    if status.is_disarmed() {
        return Ok(());
    }
    let resources = &cluster.store.resources.resources;
    for (sid, resource) in resources {
        let is_managed = resource.state() != RequestedState::Ignored;
        prop_assert_eq!(status.services.contains(sid), is_managed, "{}", sid);
    }
    for (sid, _) in status.services.iter() {
        prop_assert!(resources.contains_key(sid), "{} is not configured", sid);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn rounds_keep_every_service_and_consistent_states(situation in situation(), waits in vec(1..100_u64, 1..8)) {
        let mut cluster = situation.cluster(false);
        for wait in waits {
            // Services are not added or removed in the round that arms HA.
            let was_disarmed = cluster.status().is_disarmed();
            let status = round(&mut cluster, wait);
            // A master whose own node is not online writes nothing.
            let has_written = status.master_node.is_some() && status.node_state(&node("node1")) != NodeState::Fence;
            if has_written && !was_disarmed {
                check(&cluster, &status)?;
                // Arming after `ignore` takes a move that had ended to where its guest is: the LRM there ends it.
                if !situation.lines.contains(&"arm-ha".into()) {
                    check_targets(&status)?;
                }
            }
        }
    }

    #[test]
    fn a_round_with_nothing_new_changes_nothing_but_uids_and_the_time(situation in situation()) {
        let mut cluster = situation.cluster(false);
        // Nodes take up to two rounds to reach their state, and disarming takes one more to begin.
        for _ in 0..4 {
            round(&mut cluster, 0);
        }
        let before = steady(round(&mut cluster, 0));
        cluster.take_events();
        let after = steady(round(&mut cluster, 0));
        prop_assert_eq!(&before, &after);
        let changes = cluster.take_events();
        prop_assert!(!changes.contains(&"service_state".into()), "{:?}", changes);
    }

    #[test]
    fn the_order_of_the_configuration_files_does_not_matter(situation in situation()) {
        let (mut one, mut other) = (situation.cluster(false), situation.cluster(true));
        for _ in 0..3 {
            prop_assert_eq!(round(&mut one, 40), round(&mut other, 40));
            let (mut one, mut other) = (one.take_events(), other.take_events());
            // Rules that take no part are reported in the order of their file.
            one.retain(|event| event != "rule_dropped");
            other.retain(|event| event != "rule_dropped");
            prop_assert_eq!(one, other);
        }
    }
}

/// A status as a newer version might write it: a field that is not known at every level.
fn newer_status(service: Value) -> ManagerStatus {
    let status = json!({
        "master_node": "node1",
        "node_status": { "node1": "online", "node2": "online", "node3": "online" },
        "service_status": { "vm:101": service },
        "node_request": { "node3": { "maintenance": 1, "newer_request": [1, 2] } },
        "newer_record": { "deep": ["er", null] },
    });
    ManagerStatus::from_json(&status.to_string()).unwrap()
}

fn newer_cluster(service: Value) -> Cluster {
    let mut cluster = Cluster::with_one_daemon(&["node1", "node2", "node3"], Daemon::Crm);
    cluster.add_service("vm:101", "node2", RequestedState::Started);
    cluster.store.manager_status = Some(newer_status(service).into());
    cluster
}

fn written(cluster: &mut Cluster) -> Value {
    serde_json::from_str(&round(cluster, 10).to_json()).unwrap()
}

#[test]
fn a_newer_record_and_its_requests_keep_unknown_fields_through_rounds() {
    let mut cluster = newer_cluster(json!({ "state": "request_start", "node": "node2" }));
    cluster.command("disable-node-maintenance node3");
    for _ in 0..3 {
        let written = written(&mut cluster);
        assert_eq!(written["newer_record"], json!({ "deep": ["er", null] }));
        assert_eq!(written["node_request"], json!({ "node3": { "newer_request": [1, 2] } }));
    }
}

#[test]
fn a_newer_entry_keeps_unknown_fields_through_every_change_of_state() {
    let states = [
        ("request_stop", None, "stopped"),
        ("request_start", None, "started"),
        ("request_start_balance", Some("node1"), "started"),
        ("stopped", None, "started"),
        ("started", None, "started"),
        ("migrate", Some("node1"), "started"),
        ("relocate", Some("node1"), "started"),
        ("recovery", None, "started"),
        ("freeze", None, "started"),
    ];
    for (state, target, becomes) in states {
        let mut entry = json!({ "state": state, "node": "node2", "uid": "one", "newer_entry": { "a": 1.5 } });
        if let Some(target) = target {
            entry["target"] = target.into();
        }
        let mut cluster = newer_cluster(entry);
        if state == "request_stop" {
            cluster.request("vm:101", RequestedState::Stopped);
        }
        let mut record = LrmStatus::default();
        record.results.insert("one".parse().unwrap(), JobResult::new(sid("vm:101"), state, ExitCode::SUCCESS));
        cluster.store.lrm_status.insert(node("node2"), record.into());
        let written = &written(&mut cluster)["service_status"]["vm:101"];
        assert_eq!((&written["state"], &written["newer_entry"]), (&becomes.into(), &json!({ "a": 1.5 })), "{state}");
    }
}

#[test]
fn a_newer_disarm_record_keeps_unknown_fields_until_it_is_removed() {
    for mode in ["freeze", "ignore"] {
        let mut cluster = newer_cluster(json!({ "state": "started", "node": "node2", "newer_entry": 7 }));
        cluster.edit_status(|status| {
            let disarm = json!({ "disarm": { "mode": mode, "state": "disarming", "newer_disarm": true } });
            status.disarm = ManagerStatus::from_json(&disarm.to_string()).unwrap().disarm;
        });
        let first = written(&mut cluster);
        assert_eq!(first["disarm"]["newer_disarm"], json!(true), "{mode}");
        assert_eq!(first["service_status"]["vm:101"]["newer_entry"], json!(7), "{mode}");
        for name in ["node1", "node2", "node3"] {
            let record = LrmStatus { mode: LrmMode::Disarm, ..LrmStatus::default() };
            cluster.store.lrm_status.insert(node(name), record.into());
        }
        let second = written(&mut cluster);
        assert_eq!(second["disarm"], json!({ "mode": mode, "state": "disarmed", "newer_disarm": true }));
        cluster.command("arm-ha");
        assert_eq!(written(&mut cluster).get("disarm"), None);
    }
}

#[test]
fn a_service_whose_guest_had_left_the_fenced_node_goes_on_where_that_is() {
    let mut cluster = Cluster::with_one_daemon(&["node1", "node2", "node3"], Daemon::Crm);
    cluster.add_service("vm:101", "node2", RequestedState::Started);
    cluster.put_entry("vm:101", "node3", ServiceState::Recovery, Some("one"));
    // Placement would choose another node than the one where the guest is.
    cluster.set_rules("node-affinity: home\n\tresources vm:101\n\tnodes node1:2,node2:1\n");
    cluster.node("node3").connected = false;
    let status = round(&mut cluster, 10);
    let events = cluster.take_events();
    assert!(events.contains(&"service_location_fixed".into()), "{events:?}");
    assert!(!events.contains(&"host_call_failed".into()), "nothing is taken from the fenced node: {events:?}");
    let entry = status.services.get(&sid("vm:101")).unwrap();
    assert_eq!(entry.state, ServiceState::Migrate { target: node("node1") });
    assert_eq!(entry.node, node("node2"));
}

#[test]
fn a_service_whose_guest_no_node_has_is_kept_and_reported_once() {
    let mut cluster = Cluster::with_one_daemon(&["node1"], Daemon::Crm);
    cluster.add_service("vm:101", "node1", RequestedState::Started);
    let guest: Guest = cluster.guests.remove(&sid("vm:101")).unwrap();
    round(&mut cluster, 10);
    round(&mut cluster, 10);
    let reported = cluster.take_events().into_iter().filter(|event| event == "service_not_found").count();
    assert_eq!(reported, 1);
    cluster.guests.insert(sid("vm:101"), guest);
    assert!(round(&mut cluster, 10).services.contains(&sid("vm:101")));
    assert_eq!(cluster.holder(&Lock::Manager), Some(&node("node1")));
}

/// What a peer writes for a guest that is gone, and what a newer version may write.
fn cluster_with_entries(entries: Value) -> Cluster {
    let mut cluster = Cluster::with_one_daemon(&["node1", "node2", "node3"], Daemon::Crm);
    for name in ["vm:101", "vm:102"] {
        cluster.add_service(name, "node2", RequestedState::Started);
    }
    let status = json!({
        "master_node": "node1",
        "node_status": { "node1": "online", "node2": "online", "node3": "online" },
        "service_status": entries,
    });
    cluster.store.manager_status = Some(ManagerStatus::from_json(&status.to_string()).unwrap().into());
    cluster
}

#[test]
fn an_entry_that_is_not_understood_is_kept_reported_once_and_left_alone() {
    let others = [
        (json!({ "state": "started", "node": null, "uid": "one" }), "node"),
        (json!({ "state": "hibernating", "node": "node2" }), "state"),
        (json!({ "state": "started", "node": ["node2"] }), "node"),
        (json!({ "state": "migrate", "node": "node2" }), "target"),
        (json!("started"), ""),
    ];
    for (entry, field) in others {
        let healthy = json!({ "state": "request_start", "node": "node2" });
        let mut cluster = cluster_with_entries(json!({ "vm:101": entry, "vm:102": healthy }));
        cluster.command("migrate vm:101 node3");
        for _ in 0..3 {
            let written = written(&mut cluster);
            assert_eq!(written["service_status"]["vm:101"], entry);
            assert_eq!(written["service_status"]["vm:102"]["state"], "started", "the others go on");
        }
        let reports: Vec<Value> = cluster.reports_of("service_not_understood");
        let reports: Vec<(&Value, &Value)> = reports.iter().map(|event| (&event["sid"], &event["field"])).collect();
        assert_eq!(reports, [(&json!("vm:101"), &json!(field))], "{entry}");
        assert!(cluster.reports_of("service_added").is_empty());
    }
}

#[test]
fn a_new_master_reports_an_entry_that_is_not_understood_again() {
    let entry = json!({ "state": "started", "node": null });
    let mut cluster = cluster_with_entries(json!({ "vm:101": entry }));
    round(&mut cluster, 10);
    let record = cluster.store.manager_status.clone();
    let mut next = cluster_with_entries(json!({}));
    next.store.manager_status = record;
    round(&mut next, 10);
    assert_eq!(next.reports_of("service_not_understood").len(), 1);
}

#[test]
fn a_move_that_is_dropped_says_how_it_was_to_be_and_why() {
    let reasons = [("node2", "already_on_target"), ("node3", "target_not_online")];
    for (target, reason) in reasons {
        let entry = json!({ "state": "started", "node": "node2", "running": 1, "cmd": ["relocate", target] });
        let mut cluster = cluster_with_entries(json!({ "vm:101": entry }));
        cluster.node("node3").powered = false;
        round(&mut cluster, 10);
        let reports = cluster.reports_of("move_ignored");
        let expected = json!({
            "event": "move_ignored", "sid": "vm:101", "target": target, "task": "relocate", "reason": reason
        });
        assert_eq!(reports, [expected]);
    }
}
