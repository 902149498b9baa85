//! Properties of the status records, the command queue and the view.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "a test")]

use std::collections::{BTreeMap, BTreeSet};

use ha_core::{
    config::{Resource, ResourcesConfig, datacenter::SchedulerMode},
    id::{NodeName, RuleId, ServiceId, Uid},
    status::{
        ClusterView, Command, Disarm, DisarmMode, DisarmState, ExitCode, FailbackWait, FenceIncident, JobResult,
        LrmMode, LrmState, LrmStatus, ManagerStatus, Motion, NodeFencings, NodeRequest, NodeReturn, NodeState,
        OrderedStart, QueuedCommand, Readiness, ServiceEntry, ServiceNote, ServiceState, StateName, UnknownFields,
        ViewInput, Writer,
    },
};
use proptest::{
    collection::{btree_map, btree_set, vec},
    option,
    prelude::*,
    sample::{Index, select},
};
use serde_json::{Value, json};
use smol_str::SmolStr;

fn node() -> impl Strategy<Value = NodeName> {
    "[a-zA-Z0-9]([a-zA-Z0-9-]{0,30}[a-zA-Z0-9])?".prop_map(|text| NodeName::new(text).unwrap())
}

fn sid() -> impl Strategy<Value = ServiceId> {
    let guest = "(vm|ct):[1-9][0-9]{1,3}".prop_map(|text| ServiceId::new(text).unwrap());
    let any = "[a-z][a-z0-9]{0,5}:\\PC{1,12}".prop_filter_map("no blanks", |text| ServiceId::new(text).ok());
    prop_oneof![3 => guest, 1 => any]
}

fn uid() -> impl Strategy<Value = Uid> {
    prop_oneof!["[A-Za-z0-9+/]{22}", "(?s).{1,30}"].prop_map(|text| Uid::new(text).unwrap())
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_filter("JSON has no infinity", |number| number.is_finite()).prop_map(Value::from),
        "(?s).{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map("(?s).{0,6}", inner, 0..4).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

/// Fields whose names no version knows, since they begin with a dash.
fn unknown() -> impl Strategy<Value = UnknownFields> {
    let some = btree_map("-(?s).{0,6}", json_value(), 1..4).prop_map(Box::new);
    prop_oneof![3 => Just(None), 1 => some.prop_map(Some)]
}

fn state() -> impl Strategy<Value = ServiceState> {
    prop_oneof![
        Just(ServiceState::Stopped),
        option::of(any::<u32>()).prop_map(|timeout| ServiceState::RequestStop { timeout }),
        Just(ServiceState::RequestStart),
        node().prop_map(|target| ServiceState::RequestStartBalance { target }),
        any::<bool>().prop_map(|confirmed| ServiceState::Started { confirmed }),
        Just(ServiceState::Fence),
        Just(ServiceState::Recovery),
        node().prop_map(|target| ServiceState::Migrate { target }),
        node().prop_map(|target| ServiceState::Relocate { target }),
        Just(ServiceState::Freeze),
        Just(ServiceState::Error),
    ]
}

fn motion() -> impl Strategy<Value = Motion> {
    prop_oneof![Just(Motion::Migrate), Just(Motion::Relocate)]
}

fn queued() -> impl Strategy<Value = QueuedCommand> {
    prop_oneof![
        (motion(), node()).prop_map(|(motion, target)| QueuedCommand::Move { motion, target }),
        any::<u32>().prop_map(|timeout| QueuedCommand::Stop { timeout }),
    ]
}

fn entry() -> impl Strategy<Value = ServiceEntry> {
    let optional = (option::of(uid()), option::of(node()), option::of(queued().prop_map(Box::new)));
    (state(), node(), optional, vec(node(), 0..3), unknown()).prop_map(
        |(state, node, (uid, maintenance_node, command), failed_nodes, unknown)| ServiceEntry {
            state,
            node,
            uid,
            failed_nodes,
            maintenance_node,
            command,
            unknown,
        },
    )
}

fn writer() -> impl Strategy<Value = Writer> {
    (".{0,8}", ".{0,8}", unknown())
        .prop_map(|(machine, boot, unknown)| Writer { unknown, ..Writer::new(machine, boot) })
}

fn incident() -> impl Strategy<Value = FenceIncident> {
    (uid(), option::of(writer()), any::<bool>(), unknown()).prop_map(|(id, writer, was_down, unknown)| FenceIncident {
        id,
        writer,
        was_down,
        unknown,
    })
}

/// Who asked for something, and when.
fn asked() -> impl Strategy<Value = (Option<SmolStr>, Option<i64>)> {
    (option::of(".{0,8}".prop_map(SmolStr::from)), option::of(any::<i64>()))
}

fn disarm() -> impl Strategy<Value = Disarm> {
    (select(DisarmMode::ALL), select(DisarmState::ALL), asked(), unknown())
        .prop_map(|(mode, state, (by, since), unknown)| Disarm { mode, state, by, since, unknown })
}

fn ordered() -> impl Strategy<Value = OrderedStart> {
    let seconds = || option::of(any::<u32>());
    (seconds(), seconds(), vec(sid(), 0..3), seconds(), option::of(uid()), unknown()).prop_map(
        |(waited, ready, waits_for, left, passed, unknown)| OrderedStart {
            waited,
            ready,
            waits_for,
            left,
            passed,
            unknown,
        },
    )
}

fn rule() -> impl Strategy<Value = RuleId> {
    select(vec!["apart", "loose"]).prop_map(|id| RuleId::new(id).unwrap())
}

fn back() -> impl Strategy<Value = NodeReturn> {
    (option::of(any::<u32>()), any::<u32>(), unknown()).prop_map(|(well, failures, unknown)| NodeReturn {
        well,
        failures,
        unknown,
    })
}

fn fencings() -> impl Strategy<Value = NodeFencings> {
    (vec(any::<u32>(), 0..4), any::<bool>(), option::of(any::<u32>()), any::<u32>(), unknown())
        .prop_map(|(ages, down, left, holds, unknown)| NodeFencings { ages, down, left, holds, unknown })
}

fn going_back() -> impl Strategy<Value = FailbackWait> {
    (node(), any::<u32>(), unknown()).prop_map(|(node, left, unknown)| FailbackWait { node, left, unknown })
}

fn request() -> impl Strategy<Value = NodeRequest> {
    (any::<bool>(), asked(), unknown()).prop_map(|(maintenance, (by, since), unknown)| NodeRequest {
        maintenance,
        by,
        since,
        unknown,
    })
}

fn manager_status() -> impl Strategy<Value = ManagerStatus> {
    (
        (
            option::of(node()),
            option::of(any::<i64>()),
            option::of(disarm()),
            btree_set(node(), 0..3),
            btree_set(sid(), 0..3),
            btree_map(sid(), any::<u32>(), 0..3),
            btree_map(sid(), ordered(), 0..3),
            (btree_set(sid(), 0..3), btree_set(sid(), 0..3), btree_map(rule(), btree_set(sid(), 1..3), 0..3)),
            (btree_map(node(), (back(), fencings()), 0..3), btree_map(sid(), going_back(), 0..3)),
        ),
        btree_map(node(), select(NodeState::ALL), 0..4),
        vec((sid(), entry()), 0..6),
        btree_map(node(), request(), 0..3),
        btree_map(node(), incident(), 0..3),
        unknown(),
    )
        .prop_map(
            |(
                (
                    master_node,
                    timestamp,
                    disarm,
                    unguarded,
                    may_run,
                    start_failures,
                    ordered,
                    (waiting_starts, waiting_moves, sharing),
                    (noted_nodes, waiting_failbacks),
                ),
                nodes,
                services,
                node_requests,
                fencing,
                unknown,
            )| {
                let (returned, fenced): (Vec<_>, Vec<_>) = noted_nodes
                    .into_iter()
                    .map(|(node, (back, fencings))| ((node.clone(), back), (node, fencings)))
                    .unzip();
                ManagerStatus {
                    master_node,
                    timestamp,
                    nodes,
                    services: services.into_iter().collect(),
                    not_understood: Vec::new(),
                    node_requests,
                    disarm,
                    unguarded,
                    may_run,
                    start_failures,
                    ordered,
                    waiting_starts,
                    waiting_moves,
                    sharing,
                    returned_nodes: returned.into_iter().collect(),
                    waiting_failbacks,
                    fenced_nodes: fenced.into_iter().collect(),
                    fencing,
                    unknown,
                }
            },
        )
}

fn lrm_status() -> impl Strategy<Value = LrmStatus> {
    let result = (sid(), ".{0,8}", any::<i32>(), unknown()).prop_map(|(sid, state, exit_code, unknown)| JobResult {
        unknown,
        ..JobResult::new(sid, state, ExitCode(exit_code))
    });
    let hang = (select(StateName::ALL), any::<i64>());
    let restarts = (0..i64::MAX as u64, vec(any::<i64>(), 0..3), option::of(any::<i64>()));
    let readiness = (option::of(select(Readiness::ALL)), option::of(any::<i64>()), option::of(".{0,8}"));
    let start = (option::of(uid()), restarts, readiness);
    let note = (option::of(".{0,8}"), option::of(any::<i64>()), option::of(hang), start, unknown());
    let note = note.prop_map(|(lock, locked_since, hang, (asks, restarts, readiness), unknown)| ServiceNote {
        lock,
        locked_since,
        hangs: hang.map(|(command, _)| command),
        hangs_since: hang.map(|(_, since)| since),
        asks,
        restarts: restarts.0,
        restart_times: restarts.1,
        next_restart: restarts.2,
        readiness: readiness.0,
        readiness_since: readiness.1,
        not_ready: readiness.2,
        unknown,
    });
    (
        select(LrmState::ALL),
        select(LrmMode::ALL),
        option::of(any::<i64>()),
        option::of(writer()),
        vec((uid(), result), 0..4),
        btree_map(sid(), note, 0..3),
        unknown(),
    )
        .prop_map(|(state, mode, timestamp, writer, results, services, unknown)| LrmStatus {
            state,
            mode,
            timestamp,
            writer,
            results: results.into_iter().collect(),
            services,
            unknown,
        })
}

fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        (motion(), sid(), node()).prop_map(|(motion, sid, node)| Command::Move { motion, sid, node }),
        (sid(), any::<u32>()).prop_map(|(sid, timeout)| Command::Stop { sid, timeout }),
        node().prop_map(|node| Command::EnableNodeMaintenance { node }),
        node().prop_map(|node| Command::DisableNodeMaintenance { node }),
        select(DisarmMode::ALL).prop_map(|mode| Command::DisarmHa { mode }),
        Just(Command::ArmHa),
        (node(), option::of("[a-z]{1,9}"))
            .prop_map(|(node, by)| Command::ConfirmFenced { node, by: by.map(Into::into) }),
        node().prop_map(|node| Command::ClearFencings { node }),
    ]
}

/// A change that somebody's editor, disk or program could make to a text.
fn damage() -> impl Strategy<Value = (Index, Index, String)> {
    let syntax = select(vec!["", "\"", "{", "}", "[", "]", ",", ":", "null", "0", "-", "1e9", "\\u0000", "\u{fffd}"]);
    (any::<Index>(), any::<Index>(), syntax.prop_map(String::from))
}

/// Replaces up to 20 characters with another text.
fn damaged(text: &str, (at, length, with): &(Index, Index, String)) -> String {
    let characters: Vec<char> = text.chars().collect();
    let from = at.index(characters.len() + 1);
    let to = (from + length.index(20)).min(characters.len());
    characters[..from].iter().copied().chain(with.chars()).chain(characters[to..].iter().copied()).collect()
}

/// A field of an entry with a value that fits or does not.
fn hostile_entry() -> impl Strategy<Value = Value> {
    let fields =
        ["state", "node", "uid", "target", "timeout", "running", "failed_nodes", "maintenance_node", "cmd", "x"];
    let value = prop_oneof![
        4 => select(vec![json!("started"), json!("migrate"), json!("node1"), json!(1), json!("1"), json!(["stop", 1])]),
        1 => json_value(),
    ];
    let likely = json!({"state": "stopped", "node": "node1"});
    btree_map(select(fields.to_vec()), value, 0..4).prop_map(move |changes| {
        let mut entry = likely.clone();
        for (field, value) in changes {
            entry[field] = value;
        }
        entry
    })
}

proptest! {
    #[test]
    fn a_manager_status_survives_writing_and_reading(status in manager_status()) {
        let text = status.to_json();
        let read = ManagerStatus::from_json(&text).unwrap();
        prop_assert_eq!(&read, &status);
        prop_assert_eq!(read.to_json(), text);
    }

    #[test]
    fn an_lrm_status_survives_writing_and_reading(status in lrm_status()) {
        let text = status.to_json();
        let read = LrmStatus::from_json(&text).unwrap();
        prop_assert_eq!(&read, &status);
        prop_assert_eq!(read.to_json(), text);
    }

    #[test]
    fn serde_reads_what_from_json_reads(manager in manager_status(), lrm in lrm_status()) {
        let value = serde_json::to_value(&manager).unwrap();
        prop_assert_eq!(serde_json::from_value::<ManagerStatus>(value).unwrap(), manager);
        let value = serde_json::to_value(&lrm).unwrap();
        prop_assert_eq!(serde_json::from_value::<LrmStatus>(value).unwrap(), lrm);
    }

    #[test]
    fn an_unknown_field_survives_at_every_level(value in json_value(), name in "-[a-z]{1,8}") {
        let manager = json!({
            "node_status": {},
            "service_status": { "vm:100": { "state": "fence", "node": "n1", &name: value } },
            "node_request": { "n1": { &name: value } },
            "disarm": { "mode": "freeze", "state": "disarmed", &name: value },
            &name: value,
        });
        let written = ManagerStatus::from_json(&manager.to_string()).unwrap().to_json();
        prop_assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), manager);

        let result = json!({ "sid": "vm:100", "state": "started", "exit_code": 0, &name: value });
        let lrm = json!({ "state": "active", "mode": "active", "results": { "uid": result }, &name: value });
        let written = LrmStatus::from_json(&lrm.to_string()).unwrap().to_json();
        prop_assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), lrm);
    }

    #[test]
    fn damaged_records_are_read_without_panic(
        manager in manager_status(),
        lrm in lrm_status(),
        damages in vec(damage(), 1..4),
    ) {
        let manager = damages.iter().fold(manager.to_json(), |text, damage| damaged(&text, damage));
        match ManagerStatus::from_json(&manager) {
            Ok(status) => prop_assert_eq!(ManagerStatus::from_json(&status.to_json()), Ok(status)),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
        let lrm = damages.iter().fold(lrm.to_json(), |text, damage| damaged(&text, damage));
        match LrmStatus::from_json(&lrm) {
            Ok(status) => prop_assert_eq!(LrmStatus::from_json(&status.to_json()), Ok(status)),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }

    #[test]
    fn any_text_is_read_without_panic(text in "(?s).{0,64}") {
        let _ = ManagerStatus::from_json(&text);
        let _ = LrmStatus::from_json(&text);
    }

    #[test]
    fn no_service_is_dropped_from_a_record_that_can_be_read(entries in btree_map(sid(), hostile_entry(), 0..5)) {
        let sids: Vec<_> = entries.keys().cloned().collect();
        let text = json!({ "service_status": &entries }).to_string();
        let status = ManagerStatus::from_json(&text).unwrap();
        let others = status.not_understood.iter().map(|entry| entry.sid().to_owned());
        let mut read: Vec<_> = status.services.iter().map(|(sid, _)| sid.to_string()).chain(others).collect();
        read.sort();
        prop_assert_eq!(read, sids.iter().map(ServiceId::to_string).collect::<Vec<_>>());
        // What was not understood is written as it was.
        let written: Value = serde_json::from_str(&status.to_json()).unwrap();
        for entry in &status.not_understood {
            let original = entries.get(&ServiceId::new(entry.sid()).unwrap()).unwrap();
            prop_assert_eq!(&written["service_status"][entry.sid()], original);
        }
    }

    #[test]
    fn a_command_survives_writing_and_reading(command in command()) {
        prop_assert_eq!(command.to_string().parse(), Ok(command));
    }

    #[test]
    fn any_line_is_a_command_that_survives_or_an_error(
        words in vec(prop_oneof![
            select(vec!["migrate", "relocate", "stop", "disarm-ha", "arm-ha", "enable-node-maintenance", "vm:1", "n1", "9"])
                .prop_map(String::from),
            "\\PC{0,6}",
        ], 0..5),
        separator in select(vec![" ", "\t", "  ", "\u{a0}", "\0", ""]),
    ) {
        let line = words.join(separator);
        match line.parse::<Command>() {
            Ok(command) => prop_assert_eq!(command.to_string().parse(), Ok(command)),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }

    #[test]
    fn a_view_shows_every_service_once(
        manager in manager_status(),
        configured in vec(sid(), 0..6),
        located in option::of(btree_map(sid(), node(), 0..6)),
        lrms in btree_map(node(), option::of(lrm_status()), 0..4),
        now in any::<i64>(),
        quorate in any::<bool>(),
    ) {
        let mut resources = ResourcesConfig::default();
        resources.resources.extend(configured.iter().map(|sid| (sid.clone(), Resource::new(sid.clone()))));
        let lrms: BTreeMap<_, _> = lrms.iter().map(|(node, record)| (node.clone(), record.as_ref())).collect();
        let view = ClusterView::new(&ViewInput {
            own_node: &NodeName::new("n1").unwrap(),
            quorate,
            now,
            manager: &manager,
            lrms: &lrms,
            resources: &resources,
            locations: located.as_ref(),
            scheduler: SchedulerMode::Basic,
        });
        let recorded: BTreeSet<_> = manager.services.iter().map(|(sid, _)| sid).collect();
        let only_configured: BTreeSet<_> = configured.iter().filter(|sid| !recorded.contains(sid)).collect();
        let expected: Vec<_> = recorded.into_iter().chain(only_configured).collect();
        prop_assert_eq!(view.services.iter().map(|service| &service.sid).collect::<Vec<_>>(), expected);
        prop_assert_eq!(view.lines().count(), 3 + lrms.len() + view.services.len());
        prop_assert_eq!(view.to_string().lines().count(), view.lines().count());
    }
}
