//! The interface of our own.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::arithmetic_side_effects)]

mod common;

use axum::{body::Body, extract::Request};
use common::{Answer, Cluster};
use ha_core::{
    event::{Event, RejectionReason},
    history::{Entry, EntryId, Source},
    id::{NodeName, ServiceId},
    status::NodeState,
};
use ha_host::os::clock;
use ha_web::{access::Role, openapi::openapi, route::Need, table};
use serde_json::{Value, json};

fn send(cluster: &Cluster, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
    let token = format!("Bearer test@pam!admin={}", cluster.secret(Role::Admin));
    let mut request = Request::builder().method(method).uri(format!("/api/v1{path}")).header("authorization", token);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = if body.is_null() { String::new() } else { body.to_string() };
    cluster.send(request.header("content-type", "application/json").body(Body::from(body)).unwrap())
}

fn get(cluster: &Cluster, path: &str) -> Answer {
    send(cluster, "GET", path, &[], &Value::Null)
}

#[test]
fn a_service_goes_its_whole_way() {
    let cluster = Cluster::new();
    let added = send(
        &cluster,
        "POST",
        "/services",
        &[],
        &json!({"sid": "vm:100", "max_restart": 2, "failback": false, "priority": 7}),
    );
    assert_eq!(added.status, 201, "{added:?}");
    assert_eq!(added.body["set"], json!({"max_restart": 2, "failback": false, "priority": 7}));
    let seen = get(&cluster, "/services/100");
    assert_eq!(seen.body["in_force"]["max_relocate"], 1);
    assert_eq!(seen.body["in_force"]["priority"], 7);
    assert_eq!(seen.body["status"]["shown"], "queued");
    let tag = seen.headers["etag"].to_str().unwrap().to_owned();
    let changed = send(&cluster, "PATCH", "/services/vm:100", &[("if-match", &tag)], &json!({"comment": "first"}));
    assert_eq!(changed.status, 200, "{changed:?}");
    let late = send(&cluster, "PATCH", "/services/vm:100", &[("if-match", &tag)], &json!({"comment": "second"}));
    assert_eq!((late.status, &late.body["code"]), (412, &json!("digest_mismatch")));
    assert_eq!(late.headers["content-type"], "application/problem+json");
    assert_eq!(get(&cluster, "/services").body[0]["set"]["comment"], "first");
    assert_eq!(send(&cluster, "POST", "/services", &[], &json!({"sid": "vm:100"})).status, 409);
    assert_eq!(send(&cluster, "DELETE", "/services/vm:100", &[], &Value::Null).status, 200);
    let gone = get(&cluster, "/services/vm:100");
    assert_eq!((gone.status, &gone.body["code"]), (404, &json!("not_found")));
}

#[test]
fn a_fault_names_property_code_and_message() {
    let cluster = Cluster::new();
    let refused = send(&cluster, "POST", "/services", &[], &json!({"sid": "vm:100", "max_restart": "many"}));
    assert_eq!(refused.status, 400);
    let fault = &refused.body["faults"][0];
    assert_eq!((&fault["property"], &fault["code"]), (&json!("max_restart"), &json!("bad_value")));
    assert!(fault["message"].is_string());
    assert_eq!(get(&cluster, "/nothing").status, 404);
}

#[test]
fn groups_and_rules_go_their_whole_way() {
    let cluster = Cluster::new();
    let group = send(&cluster, "POST", "/groups", &[], &json!({"group": "g1", "nodes": ["node1:2", "node2"]}));
    assert_eq!((group.status, &group.body["nodes"]), (201, &json!(["node1:2", "node2"])), "{group:?}");
    assert_eq!(send(&cluster, "PATCH", "/groups/g1", &[], &json!({"restricted": true})).body["restricted"], true);
    assert_eq!(send(&cluster, "DELETE", "/groups/g1", &[], &Value::Null).status, 200);
    let rule = json!({"rule": "apart", "type": "resource-affinity", "resources": ["vm:100", "vm:101"], "affinity": "negative"});
    assert_eq!(send(&cluster, "POST", "/rules", &[], &rule).status, 201);
    let listed = get(&cluster, "/rules").body[0].clone();
    assert_eq!((&listed["in_force"], &listed["resources"]), (&json!(true), &json!(["vm:100", "vm:101"])));
    send(&cluster, "POST", "/services", &[], &json!({"sid": "vm:100"}));
    assert_eq!(get(&cluster, "/services/vm:100").body["rules"][0]["rule"], "apart");
    assert_eq!(send(&cluster, "PATCH", "/rules/apart", &[], &json!({"disable": true})).body["disable"], true);
    assert_eq!(get(&cluster, "/rules/none").status, 404);
}

#[test]
fn what_is_said_of_a_node_goes_its_whole_way() {
    let cluster = Cluster::new();
    let path = "/nodes/node1/labels";
    assert_eq!(get(&cluster, path).body, json!({"node": "node1"}));
    let tried = send(&cluster, "PATCH", &format!("{path}?dry_run=1"), &[], &json!({"failure-domain": "rack-a"}));
    assert_eq!(tried.status, 200, "{tried:?}");
    assert_eq!(get(&cluster, path).body, json!({"node": "node1"}), "it was only tried");
    let said = send(&cluster, "PATCH", path, &[], &json!({"failure-domain": "rack-a", "comment": "left"}));
    assert_eq!(said.body, json!({"node": "node1", "failure-domain": "rack-a", "comment": "left"}));
    let status = get(&cluster, "/status").body;
    assert_eq!(status["nodes"][0]["failure_domain"], "rack-a");
    assert!(status["nodes"][1].get("failure_domain").is_none());
    let refused = send(&cluster, "PATCH", path, &[], &json!({"failure-domain": "rack a"}));
    assert_eq!((refused.status, &refused.body["code"]), (400, &json!("bad_parameters")), "{refused:?}");
    let unset = send(&cluster, "PATCH", path, &[], &json!({"delete": ["failure-domain", "comment"]}));
    assert_eq!(unset.body, json!({"node": "node1"}));
    assert_eq!(get(&cluster, "/nodes/node9/labels").status, 404);
}

#[test]
fn a_trial_changes_nothing() {
    let cluster = Cluster::new();
    let tried = send(&cluster, "POST", "/services?dry_run=1", &[], &json!({"sid": "vm:100"}));
    assert_eq!(tried.status, 200, "{tried:?}");
    assert!(tried.body["follows"].is_array());
    assert_eq!(get(&cluster, "/services").body, json!([]));
    send(&cluster, "POST", "/services", &[], &json!({"sid": "vm:100"}));
    for (method, path, body) in [
        ("PATCH", "/services/vm:100?dry_run=1", json!({"state": "stopped"})),
        ("DELETE", "/services/vm:100?dry_run=1", Value::Null),
        ("POST", "/services/vm:100/migrate?dry_run=1", json!({"node": "node2"})),
        ("POST", "/services/vm:100/stop?dry_run=1", Value::Null),
        ("PUT", "/nodes/node1/maintenance?dry_run=1", Value::Null),
    ] {
        assert_eq!(send(&cluster, method, path, &[], &body).status, 200, "{method} {path}");
    }
    assert_eq!(get(&cluster, "/services/vm:100").body["in_force"]["state"], "started");
    assert!(!cluster.store.commands_waiting().unwrap());
}

#[test]
fn a_command_that_is_sent_again_is_done_once() {
    let cluster = Cluster::new();
    send(&cluster, "POST", "/services", &[], &json!({"sid": "vm:100"}));
    let key = [("idempotency-key", "once")];
    let taken = send(&cluster, "POST", "/services/vm:100/migrate", &key, &json!({"node": "node2"}));
    assert_eq!(taken.status, 202, "{taken:?}");
    let again = send(&cluster, "POST", "/services/vm:100/migrate", &key, &json!({"node": "node2"}));
    assert_eq!((again.status, &again.body), (202, &taken.body));
    let other = send(&cluster, "POST", "/services/vm:100/migrate", &key, &json!({"node": "node3"}));
    assert_eq!(other.status, 409, "the key is another command's");
    let queue = std::fs::read_to_string(cluster.directory.join("commands")).unwrap();
    let id = taken.body["id"].as_str().unwrap();
    assert_eq!(queue, format!("migrate vm:100 node2 by=test@pam!admin id={id}\n"), "it is done once");
    assert_eq!(send(&cluster, "POST", "/services/vm:100/migrate", &[], &json!({"node": "other"})).status, 400);
    assert_eq!(send(&cluster, "PUT", "/nodes/other/maintenance", &[], &Value::Null).status, 404);
}

#[test]
fn what_became_of_a_command_is_told_by_its_id() {
    let cluster = Cluster::new();
    send(&cluster, "POST", "/services", &[], &json!({"sid": "vm:100"}));
    let given = send(&cluster, "POST", "/services/vm:100/migrate", &[], &json!({"node": "node2"}));
    let id = given.body["id"].as_str().unwrap().to_owned();
    let fate = || get(&cluster, &format!("/commands/{id}")).body;
    let line = "migrate vm:100 node2";
    let queued = fate();
    assert_eq!((&queued["outcome"], &queued["command"]), (&json!("queued"), &json!(line)), "{queued}");
    assert_eq!(queued["by"], "test@pam!admin");
    assert!(queued["given"].is_string() && queued["taken"].is_null(), "{queued}");

    assert_eq!(cluster.store.take_commands().unwrap().len(), 1);
    assert_eq!(fate()["outcome"], "queued", "its master has taken it and has not said so yet");
    let node1 = NodeName::new("node1").unwrap();
    let says = |number: u64, event: Event| {
        let entry_id = EntryId::of_node(&node1, 1, number);
        let entry = Entry::new(entry_id, 1_795_983_430_250, node1.clone(), Source::Crm, event.into());
        cluster.store.append_history(&[entry.to_json()]).unwrap();
    };
    says(1, Event::CommandTaken { id: id.clone(), command: line.into(), by: Some("test@pam!admin".into()) });
    says(2, Event::CommandRejected { command: line.into(), reason: RejectionReason::NodeNotOnline });
    let refused = fate();
    assert_eq!((&refused["outcome"], &refused["master"]), (&json!("refused"), &json!("node1")), "{refused}");
    assert_eq!(refused["taken"], "2026-11-29T20:17:10.250Z");
    assert!(refused["text"].as_str().unwrap().contains(line), "{refused}");
    assert_eq!(get(&cluster, "/commands/ha@node1.1.1").status, 404);

    // Those of the compatible part are known in the same way.
    assert_eq!(cluster.call("POST", "/cluster/ha/status/disarm-ha", "resource-mode=freeze").status, 200);
    let history = cluster.call_as(Some(Role::Audit), "GET", "/api/v1/history", "event=change_made");
    let id = history.body["entries"].as_array().unwrap().last().unwrap()["what"]["command_id"].clone();
    assert_eq!(get(&cluster, &format!("/commands/{}", id.as_str().unwrap())).body["command"], "disarm-ha freeze");
}

#[test]
fn failovers_are_told_with_their_seconds() {
    let cluster = Cluster::new();
    assert_eq!(get(&cluster, "/failovers").body, json!([]));
    let (node1, node3) = (NodeName::new("node1").unwrap(), NodeName::new("node3").unwrap());
    let state = |from, to| Event::NodeState { node: node3.clone(), from, to };
    let events = [
        state(NodeState::Online, NodeState::Unknown),
        state(NodeState::Unknown, NodeState::Fence),
        Event::FenceAcknowledged { node: node3.clone() },
    ];
    for (number, event) in (1..).zip(events) {
        let entry = Entry::new(EntryId::of_node(&node1, 1, number), 0, node1.clone(), Source::Crm, event.into());
        let entry = Entry { time_ms: i64::try_from(number).unwrap() * 1000, ..entry };
        cluster.store.append_history(&[entry.after_silence(500).to_json()]).unwrap();
    }
    let told = get(&cluster, "/failovers").body;
    assert_eq!((&told[0]["node"], &told[0]["seconds"]["locked"]), (&json!("node3"), &json!(2.5)), "{told}");
    assert!(told[0]["bound_s"].as_f64().unwrap() > 10.0, "{told}");
    assert_eq!(get(&cluster, "/failovers?node=node1").body, json!([]));
    assert_eq!(get(&cluster, "/failovers?from=2026-11-29").body, json!([]));
}

#[test]
fn questions_are_answered_without_a_change() {
    let cluster = Cluster::new();
    send(&cluster, "POST", "/services", &[], &json!({"sid": "vm:100"}));
    let whole = get(&cluster, "/status");
    assert_eq!(whole.status, 200, "{whole:?}");
    assert!(whole.body["services"].is_array());
    let capacity = get(&cluster, "/capacity").body;
    assert_eq!(capacity["nodes"], 0, "no node is online: {capacity}");
    let what_if = send(&cluster, "POST", "/what-if", &[], &json!({"fail": ["node1"], "maintenance": []}));
    assert_eq!(what_if.status, 200, "{what_if:?}");
    assert_eq!(send(&cluster, "POST", "/what-if", &[], &json!({"fail": ["other"]})).status, 400);
    assert!(get(&cluster, "/check").body["problems"].is_array());
    assert!(get(&cluster, "/timings").body["recovery"]["longest_s"].as_f64().unwrap() > 10.0);
    let tokens = get(&cluster, "/tokens").body;
    assert_eq!(tokens[0]["token"], "test@pam!admin");
    assert!(!tokens.to_string().contains("hash"), "{tokens}");
    assert_eq!(get(&cluster, "/services/vm:100/explain").status, 409, "the master has not placed it yet");
}

#[test]
fn the_figures_are_text_that_says_what_it_is() {
    let cluster = Cluster::new();
    cluster.change("POST", "/cluster/ha/resources", "sid=vm:100");
    let answer = cluster.call_as(Some(Role::Audit), "GET", "/metrics", "");
    assert_eq!(answer.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let text = answer.body.as_str().unwrap().to_owned();
    for line in [
        r#"ha_service_state{sid="vm:100",node="node1",state="queued"} 1"#,
        r#"ha_node_state{node="node1",state="unknown"} 1"#,
        "ha_quorate 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    for sample in text.lines().filter(|line| !line.starts_with('#')) {
        let name = sample.split(['{', ' ']).next().unwrap();
        let family = name.trim_end_matches("_bucket").trim_end_matches("_sum").trim_end_matches("_count");
        let has =
            |what: &str| text.contains(&format!("# {what} {name} ")) || text.contains(&format!("# {what} {family} "));
        assert!(has("HELP") && has("TYPE"), "{sample}");
    }
    assert_eq!(cluster.call_as(None, "GET", "/metrics", "").status, 401);
}

#[test]
fn a_status_that_is_known_is_not_sent_again() {
    let cluster = Cluster::new();
    let tag_of = |answer: &Answer| answer.headers["etag"].to_str().unwrap().to_owned();
    let known = tag_of(&get(&cluster, "/status"));
    let asked = |known: &str| send(&cluster, "GET", "/status", &[("if-none-match", known)], &Value::Null);
    let same = asked(&format!("\"other\", {known}"));
    assert_eq!((same.status, &same.body, tag_of(&same)), (304, &json!(""), known.clone()), "{same:?}");
    cluster.change("POST", "/cluster/ha/resources", "sid=vm:100");
    let other = asked(&known);
    assert_eq!((other.status, &other.body["services"][0]["sid"]), (200, &json!("vm:100")));
    assert_ne!(tag_of(&other), known);
}

/// What monitors ask for by these names: a name, a type or a label that goes away breaks their rules and boards.
const PROMISED: [(&str, &str, &[&str]); 15] = [
    ("ha_service_state", "gauge", &["sid", "node", "state"]),
    ("ha_node_state", "gauge", &["node", "state"]),
    ("ha_quorate", "gauge", &[]),
    ("ha_master", "gauge", &["node"]),
    ("ha_failures_tolerated", "gauge", &[]),
    ("ha_feed_slack_seconds", "gauge", &["node"]),
    ("ha_lock_seconds", "gauge", &["node"]),
    ("ha_round_seconds", "gauge", &["node"]),
    ("ha_failover_seconds_bucket", "histogram", &["le"]),
    ("ha_failover_seconds_count", "histogram", &[]),
    ("ha_failover_phase_seconds_sum", "summary", &["phase"]),
    ("ha_fencings_total", "counter", &["node"]),
    ("ha_moves_total", "counter", &["reason"]),
    ("ha_restarts_total", "counter", &["sid"]),
    ("ha_history_lost_entries_total", "counter", &[]),
];

/// A master is at work, its daemons have a pace, and a node was lost with a service that was started elsewhere.
fn a_busy_cluster() -> Cluster {
    let cluster = Cluster::new();
    cluster.change("POST", "/cluster/ha/resources", "sid=vm:100");
    let status = cluster.directory.join("status");
    std::fs::create_dir_all(&status).unwrap();
    let record = json!({"master_node": "node1", "timestamp": clock::wall(), "node_status": {"node1": "online"}});
    std::fs::write(status.join("manager.json"), record.to_string()).unwrap();
    let (node1, node3) = (NodeName::new("node1").unwrap(), NodeName::new("node3").unwrap());
    let beat = json!({
        "writer": "w", "count": 1, "version": "1", "cpu": [1.0, 0.5], "memory": [2, 1],
        "pace": {"feed_slack_ms": 51_500, "lock_ms": 20, "round_ms": 1250},
    });
    cluster.store.change_beat(&node1, &mut |_| Some(beat.to_string().into_bytes())).unwrap();
    let sid: ServiceId = "vm:100".parse().unwrap();
    let state = |from, to| Event::NodeState { node: node3.clone(), from, to };
    let events = [
        state(NodeState::Online, NodeState::Unknown),
        state(NodeState::Unknown, NodeState::Fence),
        Event::FenceAcknowledged { node: node3.clone() },
        Event::ServiceRecovered { sid: sid.clone(), from: node3.clone(), to: node1.clone() },
        Event::AgentStarted { sid: sid.clone() },
        Event::UnplannedRestart { sid, restarts: 1, pause: 0 },
    ];
    for (number, event) in (1..).zip(events) {
        let id = EntryId::of_node(&node1, 1, number);
        let time_ms = i64::try_from(number).unwrap() * 1000;
        let entry = Entry::new(id, time_ms, node1.clone(), Source::Crm, event.into()).after_silence(500);
        cluster.store.append_history(&[entry.to_json()]).unwrap();
    }
    cluster
}

#[test]
fn every_figure_that_is_promised_is_there_with_its_type_and_labels() {
    let cluster = a_busy_cluster();
    let text = cluster.call_as(Some(Role::Audit), "GET", "/metrics", "").body.as_str().unwrap().to_owned();
    for (name, kind, labels) in PROMISED {
        let family = name.trim_end_matches("_bucket").trim_end_matches("_sum").trim_end_matches("_count");
        assert!(text.contains(&format!("\n# TYPE {family} {kind}\n")), "{family} is no {kind} in\n{text}");
        let sample = text.lines().find(|line| line.split(['{', ' ']).next() == Some(name));
        let sample = sample.unwrap_or_else(|| panic!("{name} is not in\n{text}"));
        let found: Vec<&str> = sample.split(['{', ',']).filter_map(|part| Some(part.split_once("=\"")?.0)).collect();
        assert_eq!(found, labels, "{sample}");
    }
    for line in [
        "ha_feed_slack_seconds{node=\"node1\"} 51.5",
        "ha_lock_seconds{node=\"node1\"} 0.02",
        "ha_round_seconds{node=\"node1\"} 1.25",
        "ha_moves_total{reason=\"recovery\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    // A node that is gone has no pace any more.
    let record = json!({"master_node": "node1", "timestamp": clock::wall(), "node_status": {"node1": "fence"}});
    std::fs::write(cluster.directory.join("status/manager.json"), record.to_string()).unwrap();
    let text = cluster.call_as(Some(Role::Audit), "GET", "/metrics", "").body.as_str().unwrap().to_owned();
    assert!(!text.contains("ha_feed_slack_seconds{"), "{text}");
}

#[test]
fn counters_go_on_when_the_history_they_come_from_is_kept_no_more() {
    let cluster = Cluster::new();
    let node1 = NodeName::new("node1").unwrap();
    let happens = |number: u64| {
        let event = Event::FenceAcknowledged { node: NodeName::new("node3").unwrap() };
        let entry = Entry::new(EntryId::of_node(&node1, 1, number), 0, node1.clone(), Source::Crm, event.into());
        cluster.store.append_history(&[entry.to_json()]).unwrap();
    };
    let counted = |accept: &str| {
        let token = format!("Bearer test@pam!audit={}", cluster.secret(Role::Audit));
        let request = Request::builder().uri("/metrics").header("authorization", token).header("accept", accept);
        cluster.send(request.body(Body::empty()).unwrap()).body.as_str().unwrap().to_owned()
    };
    assert!(counted("").contains("\nha_fencings_total{node=\"node3\"} 0\n"), "an increase begins somewhere");
    assert!(counted("").contains("\nha_moves_total{reason=\"recovery\"} 0\n"), "{}", counted(""));
    happens(1);
    assert!(counted("").contains("\nha_fencings_total{node=\"node3\"} 1\n"), "{}", counted(""));
    std::fs::remove_dir_all(cluster.directory.join("history")).unwrap();
    assert!(counted("").contains("\nha_fencings_total{node=\"node3\"} 1\n"), "{}", counted(""));
    let open = counted("application/openmetrics-text");
    assert!(open.contains("# TYPE ha_fencings counter\nha_fencings_total{"), "{open}");
    assert!(counted("").contains("# TYPE ha_fencings_total counter\n"));
}

#[test]
fn health_is_told_to_everybody_and_without_details() {
    let cluster = Cluster::new();
    assert_eq!(cluster.call_as(None, "GET", "/healthz", "").status, 200);
    assert_eq!(cluster.call_as(None, "GET", "/readyz", "").status, 200, "without services no master is needed");
    cluster.change("POST", "/cluster/ha/resources", "sid=vm:100");
    let not_ready = cluster.call_as(None, "GET", "/readyz", "");
    assert_eq!((not_ready.status, &not_ready.body["detail"]), (503, &json!("not ready")));
    std::fs::remove_file(cluster.directory.join("cluster.json")).unwrap();
    assert_eq!(cluster.call_as(None, "GET", "/healthz", "").status, 200, "the server lives");
    assert_eq!(cluster.call_as(None, "GET", "/readyz", "").status, 503);
}

#[test]
fn the_description_is_that_of_the_table() {
    let cluster = Cluster::new();
    let served = cluster.call_as(None, "GET", "/api/v1/openapi.json", "").body;
    assert_eq!(served, openapi());
    let mut ids = Vec::new();
    for route in table::all() {
        let operation = &served["paths"][route.path][route.method.to_ascii_lowercase()];
        assert!(!operation["summary"].as_str().unwrap().is_empty(), "{} {}", route.method, route.path);
        assert_eq!(operation["security"] == json!([]), route.need == Need::Nothing);
        ids.push(operation["operationId"].as_str().unwrap().to_owned());
    }
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count, "each has an id of its own");
    let described: usize =
        served["paths"].as_object().unwrap().values().map(|path| path.as_object().unwrap().len()).sum();
    assert_eq!(described, count, "nothing is described that there is not");
}

#[test]
fn ha_is_disarmed_and_armed_and_a_node_is_confirmed_twice() {
    let cluster = Cluster::new();
    let disarmed = send(&cluster, "POST", "/disarm", &[], &json!({"mode": "freeze"}));
    assert_eq!((disarmed.status, &disarmed.body["command"]), (202, &json!("disarm-ha freeze")), "{disarmed:?}");
    assert_eq!(send(&cluster, "POST", "/disarm", &[], &json!({"mode": "melt"})).status, 400);
    assert_eq!(send(&cluster, "POST", "/arm?dry_run=1", &[], &json!({})).status, 200);
    let confirm = |repeat: &str| send(&cluster, "POST", "/nodes/node2/confirm-fenced", &[], &json!({"repeat": repeat}));
    let other = confirm("node3");
    assert_eq!((other.status, &other.body["faults"][0]["property"]), (400, &json!("repeat")), "{other:?}");
    let same = confirm("node2");
    assert_eq!((same.status, &same.body["command"]), (202, &json!("confirm-fenced node2 test@pam!admin")), "{same:?}");
    assert_eq!(send(&cluster, "POST", "/nodes/none/confirm-fenced", &[], &json!({"repeat": "none"})).status, 404);
}

#[test]
fn guests_are_told_with_whether_they_are_looked_after() {
    let cluster = Cluster::new();
    assert_eq!(send(&cluster, "POST", "/services", &[], &json!({"sid": "vm:100"})).status, 201);
    let guests = get(&cluster, "/guests").body;
    let managed: Vec<&Value> = guests.as_array().unwrap().iter().filter(|guest| guest["managed"] == true).collect();
    assert_eq!(managed, vec![&json!({"sid": "vm:100", "node": "node1", "managed": true})]);
    assert_eq!(guests.as_array().unwrap().len(), 4);
}
