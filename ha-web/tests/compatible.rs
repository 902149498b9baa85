//! What existing clients look at, call by call.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use axum::body::Body;
use common::Cluster;
use ha_web::access::Role;
use serde_json::{Value, json};

/// The object without its digest, which is looked at apart.
fn without_digest(mut object: Value) -> Value {
    let digest = object.as_object_mut().unwrap().remove("digest").unwrap();
    assert_eq!(digest.as_str().unwrap().len(), 40);
    object
}

#[test]
fn a_resource_goes_its_whole_way() {
    let cluster = Cluster::new();
    let all = "/cluster/ha/resources";
    assert_eq!(cluster.get(all), json!([]));
    cluster.change("POST", all, "sid=vm%3A100&comment=");
    assert_eq!(
        without_digest(cluster.get(all)[0].clone()),
        json!({"sid": "vm:100", "type": "vm", "state": "started", "max_restart": 1, "max_relocate": 1, "failback": 1,
            "auto-rebalance": 1, "comment": ""}),
        "a list shows what is in force"
    );
    let one = "/cluster/ha/resources/vm%3A100";
    let bare = json!({"sid": "vm:100", "type": "vm", "state": "started"});
    assert_eq!(without_digest(cluster.get(one)), bare, "a single one shows what is set");
    cluster.change("PUT", one, "max_restart=1&failback=True&comment=a+b&state=enabled");
    let set =
        json!({"sid": "vm:100", "type": "vm", "state": "started", "max_restart": 1, "failback": 1, "comment": "a b"});
    assert_eq!(without_digest(cluster.get(one)), set, "also what is set to the default");
    cluster.change("PUT", one, "delete=max_restart,failback,comment,group");
    assert_eq!(without_digest(cluster.get("/cluster/ha/resources/100/")), bare);
    cluster.change("DELETE", one, "");
    cluster.call("GET", one, "").is(500, "no such resource 'vm:100'");
    cluster.call("DELETE", one, "").is(500, "no such resource 'vm:100'");
    cluster.call("PUT", one, "state=stopped").is(500, "no such resource 'vm:100'");
}

#[test]
fn a_service_is_known_by_its_name_alone_if_there_is_one() {
    let cluster = Cluster::new();
    let all = "/cluster/ha/resources";
    cluster.change("POST", all, "sid=100&type=vm");
    cluster.change("POST", all, "sid=web&type=proc");
    cluster.change("POST", all, "sid=vm:999");
    assert_eq!(cluster.get("/cluster/ha/resources/web")["sid"], "proc:web");
    assert_eq!(cluster.get("/cluster/ha/resources/999")["sid"], "vm:999", "guest or not");
    for (parameters, at_fault) in
        [("sid=300", "sid"), ("sid=101&type=ct", "sid"), ("sid=vm:101&type=ct", "type"), ("sid=vm:x", "sid")]
    {
        let refused = cluster.call("POST", all, parameters);
        refused.is(400, "Parameter verification failed.");
        assert!(refused.body["errors"][at_fault].is_string(), "{refused:?}");
    }
    cluster.call("POST", all, "sid=vm:100").is(500, "resource 'vm:100' already exists");
}

#[test]
fn what_is_wrong_with_parameters_is_said_of_each() {
    let cluster = Cluster::new();
    let refused = cluster.call("POST", "/cluster/ha/resources", "max_restart=-1&failback=perhaps&state=on&bla=1");
    refused.is(400, "Parameter verification failed.");
    let errors = refused.body["errors"].as_object().unwrap();
    assert_eq!(errors.keys().collect::<Vec<_>>(), ["bla", "failback", "max_restart", "sid", "state"]);
    assert!(errors.values().all(Value::is_string));
    assert_eq!(refused.body["data"], Value::Null);
    assert_eq!(refused.body["message"], "Parameter verification failed.\n");
    cluster.change("POST", "/cluster/ha/resources", "sid=vm:100");
    let both = cluster.call("PUT", "/cluster/ha/resources/vm:100", "comment=a&delete=comment");
    assert!(both.body["errors"]["comment"].is_string(), "{both:?}");
    let group = cluster.call("PUT", "/cluster/ha/resources/vm:100", "group=none");
    assert!(group.body["errors"]["group"].is_string(), "{group:?}");
}

#[test]
fn an_edit_by_an_old_digest_is_refused() {
    let cluster = Cluster::new();
    cluster.change("POST", "/cluster/ha/resources", "sid=vm:100");
    let seen = cluster.get("/cluster/ha/resources/vm:100")["digest"].as_str().unwrap().to_owned();
    let put = |comment: &str| {
        cluster.call("PUT", "/cluster/ha/resources/vm:100", &format!("comment={comment}&digest={seen}"))
    };
    assert_eq!(put("first").status, 200);
    let second = put("second");
    assert_eq!(second.status, 500);
    assert!(second.reason.starts_with("detected modified configuration"), "{second:?}");
    assert_eq!(cluster.get("/cluster/ha/resources/vm:100")["comment"], "first");
}

#[test]
fn a_group_goes_its_whole_way() {
    let cluster = Cluster::new();
    let all = "/cluster/ha/groups";
    assert_eq!(cluster.get(all), json!([]));
    cluster.change("POST", all, "group=g1&nodes=node2:2,node1&restricted=1&type=group");
    let object = json!({"group": "g1", "type": "group", "nodes": "node1,node2:2", "restricted": 1, "nofailback": 0});
    assert_eq!(without_digest(cluster.get("/cluster/ha/groups/g1")), object);
    let mut listed = object.clone();
    listed["comment"] = json!("");
    assert_eq!(without_digest(cluster.get(all)[0].clone()), listed);
    cluster.call("POST", all, "group=g1&nodes=node1").is(500, "ha group 'g1' already exists");
    cluster.change("PUT", "/cluster/ha/groups/g1", "nodes=node3&delete=restricted");
    assert_eq!(cluster.get("/cluster/ha/groups/g1")["nodes"], "node3");
    cluster.change("POST", "/cluster/ha/resources", "sid=vm:100&group=g1");
    assert_eq!(cluster.get("/cluster/ha/resources/vm:100")["group"], "g1");
    cluster.change("PUT", "/cluster/ha/groups/g1", "nofailback=1");
    assert_eq!(cluster.get("/cluster/ha/resources")[0]["failback"], 0, "a list shows what is in force");
    assert_eq!(cluster.call("DELETE", "/cluster/ha/groups/g1", "").status, 500, "a resource names it");
    cluster.change("PUT", "/cluster/ha/resources/vm:100", "delete=group");
    cluster.change("DELETE", "/cluster/ha/groups/g1", "");
    for method in ["GET", "PUT", "DELETE"] {
        cluster.call(method, "/cluster/ha/groups/g1", "").is(500, "no such ha group 'g1'");
    }
}

#[test]
fn a_rule_goes_its_whole_way() {
    let cluster = Cluster::new();
    let all = "/cluster/ha/rules";
    cluster.change("POST", all, "rule=apart&type=resource-affinity&resources=vm:101,vm:100&affinity=negative");
    cluster.change(
        "POST",
        all,
        "rule=place&type=node-affinity&resources=100&nodes=node2,node1&strict=true&comment=%C3%BC",
    );
    let rules = cluster.get(all);
    assert_eq!(
        without_digest(rules[0].clone()),
        json!({"rule": "apart", "type": "resource-affinity", "resources": "vm:100,vm:101", "affinity": "negative",
            "disable": 0, "order": 1, "comment": ""})
    );
    assert_eq!(
        without_digest(rules[1].clone()),
        json!({"rule": "place", "type": "node-affinity", "resources": "vm:100", "nodes": "node1,node2", "strict": 1,
            "disable": 0, "order": 2, "comment": "ü"})
    );
    assert_eq!(cluster.call("GET", all, "type=node-affinity").data().as_array().unwrap().len(), 1);
    assert_eq!(cluster.call("GET", all, "resource=101").data()[0]["rule"], "apart");
    let one = "/cluster/ha/rules/place";
    cluster.change("PUT", one, "rule=place&type=node-affinity&disable=1&delete=comment");
    assert_eq!(
        without_digest(cluster.get(one)),
        json!({"rule": "place", "type": "node-affinity", "resources": "vm:100", "nodes": "node1,node2", "strict": 1,
            "disable": 1})
    );
    let other = cluster.call("PUT", one, "type=resource-affinity");
    assert!(other.body["errors"]["type"].is_string(), "a type cannot be changed: {other:?}");
    assert!(cluster.call("PUT", one, "rule=other").body["errors"]["rule"].is_string());
    let together =
        cluster.call("POST", all, "rule=both&type=resource-affinity&resources=vm:100,vm:101&affinity=positive");
    together.is(400, "Parameter verification failed.");
    assert!(together.body["errors"]["resources"].is_string(), "it can't hold with 'apart': {together:?}");
    cluster
        .call("POST", all, "rule=apart&type=resource-affinity&resources=vm:100,ct:200&affinity=negative")
        .is(500, "ha rule 'apart' already exists");
    cluster.change("DELETE", one, "");
    for method in ["GET", "PUT", "DELETE"] {
        cluster.call(method, one, "").is(500, "no such ha rule 'place'");
    }
}

#[test]
fn a_rule_that_is_left_out_says_why() {
    let cluster = Cluster::new();
    let text = "resource-affinity: alone\n\tresources vm:100\n\taffinity positive\n\n";
    std::fs::write(cluster.directory.join("config/rules.cfg"), text).unwrap();
    let errors = cluster.get("/cluster/ha/rules")[0]["errors"].as_array().unwrap().clone();
    assert!(!errors.is_empty() && errors.iter().all(Value::is_string), "{errors:?}");
}

#[test]
fn the_status_is_a_list_in_its_order() {
    let cluster = Cluster::new();
    cluster.change("POST", "/cluster/ha/resources", "sid=vm:100");
    let status = cluster.get("/cluster/ha/status/current");
    let ids: Vec<&str> = status.as_array().unwrap().iter().map(|entry| entry["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["quorum", "master", "fencing", "lrm:node1", "lrm:node2", "lrm:node3", "service:vm:100"]);
    let keys = ["id", "type", "node", "status"];
    assert!(status.as_array().unwrap().iter().all(|entry| keys.iter().all(|key| entry[key].is_string())));
    assert_eq!(status[0]["quorate"], 1);
    assert_eq!(status[2]["armed-state"], "standby");
    let service = &status[6];
    assert_eq!(
        (&service["state"], &service["request_state"], &service["max_restart"], &service["failback"]),
        (&json!("queued"), &json!("started"), &json!(1), &json!(1))
    );
    assert!(!status.to_string().contains("null"), "a field without a value is left out");
    let records = cluster.get("/cluster/ha/status/manager_status");
    assert_eq!(
        records,
        json!({"manager_status": {"node_status": {}, "service_status": {}}, "lrm_status": {},
            "quorum": {"node": "node1", "quorate": "1"}})
    );
}

#[test]
fn all_that_clients_ask_besides_is_there_and_never_null() {
    let cluster = Cluster::new();
    cluster.change("POST", "/cluster/ha/resources", "sid=vm:100");
    let version = cluster.get("/version");
    assert_eq!((&version["version"], &version["release"]), (&json!("9.1.0"), &json!("9.1")));
    assert_eq!(version["repoid"].as_str().unwrap().len(), 8);
    let status = cluster.get("/cluster/status");
    assert_eq!(status[0]["type"], "cluster");
    assert!(status[0]["name"].is_string() && status[0]["quorate"] == 1 && status[0]["nodes"] == 3);
    let local = status.as_array().unwrap().iter().filter(|entry| entry["local"] == 1).count();
    assert_eq!(local, 1, "exactly one is local");
    let guests = cluster.call("GET", "/cluster/resources", "type=vm").data().clone();
    let ids: Vec<&str> = guests.as_array().unwrap().iter().map(|entry| entry["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["lxc/200", "qemu/100", "qemu/101"], "services of other types are no guests");
    let lists = [
        "/cluster/tasks",
        "/cluster/backup-info/not-backed-up",
        "/nodes/node1/replication",
        "/nodes/node1/tasks",
        "/cluster/resources?type=storage",
    ];
    for path in lists {
        assert_eq!(cluster.get(path), json!([]), "{path}");
    }
    assert_eq!(cluster.get("/cluster/config/qdevice"), json!({}));
    assert_eq!(cluster.get("/nodes/node1/subscription"), json!({"status": "notfound"}));
    assert_eq!(cluster.get("/nodes/node1/qemu/100/status/current")["ha"], json!({"managed": 1, "state": "started"}));
    assert_eq!(cluster.get("/nodes/node1/lxc/200/status/current")["ha"], json!({"managed": 0}));
    for path in [
        "",
        "/cluster",
        "/cluster/ha",
        "/cluster/options",
        "/cluster/resources",
        "/nodes",
        "/nodes/node1/status",
        "/nodes/node1/qemu",
        "/nodes/node1/lxc",
        "/nodes/node1/qemu/100/config",
        "/access/permissions",
    ] {
        let data = cluster.get(path);
        assert!(!data.is_null() && !data.to_string().contains("null"), "{path}: {data}");
    }
}

#[test]
fn a_guest_is_started_stopped_and_moved_by_its_number() {
    let cluster = Cluster::new();
    cluster.change("POST", "/cluster/ha/resources", "sid=vm:100");
    let upid = cluster.call("POST", "/nodes/node1/qemu/100/status/stop", "").data().as_str().unwrap().to_owned();
    assert!(upid.starts_with("UPID:node1:"), "{upid}");
    assert_eq!(cluster.get("/cluster/ha/resources/vm:100")["state"], "stopped");
    let task = cluster.get(&format!("/nodes/node1/tasks/{}/status", upid.replace(':', "%3A")));
    assert_eq!((&task["status"], &task["exitstatus"]), (&json!("stopped"), &json!("OK")));
    cluster.call("POST", "/nodes/node1/qemu/101/status/start", "").is(500, "no such resource 'vm:101'");
    assert_eq!(cluster.call("GET", "/nodes/other/qemu", "").status, 500);
}

#[test]
fn a_move_is_queued_and_one_that_makes_no_sense_is_not() {
    let cluster = Cluster::new();
    let queue = || std::fs::read_to_string(cluster.directory.join("commands")).unwrap_or_default();
    // Behind each command stand who gave it and its id.
    let commands = || -> Vec<String> {
        let given = |line: &str| line.split(" by=test@pam!admin id=").next().unwrap_or_default().to_owned();
        queue().lines().map(given).collect()
    };
    let path = "/cluster/ha/resources/vm:100/migrate";
    cluster.call("POST", path, "node=node2").is(500, "no such resource 'vm:100'");
    cluster.change("POST", "/cluster/ha/resources", "sid=vm:100");
    let refused = cluster.call("POST", path, "node=other");
    assert!(refused.body["errors"]["node"].is_string(), "{refused:?}");
    assert_eq!(cluster.call("POST", path, "").status, 400);
    assert_eq!(queue(), "");
    let answer = cluster.call("POST", path, "node=node2");
    assert_eq!(*answer.data(), json!({"sid": "vm:100", "requested-node": "node2"}));
    cluster.call("POST", "/cluster/ha/resources/vm:100/relocate", "node=node3");
    cluster.change("POST", "/cluster/ha/status/disarm-ha", "resource-mode=freeze");
    cluster.change("POST", "/cluster/ha/status/arm-ha", "");
    assert_eq!(commands(), ["migrate vm:100 node2", "relocate vm:100 node3", "disarm-ha freeze", "arm-ha"]);
    assert_eq!(cluster.call("POST", "/cluster/ha/status/disarm-ha", "resource-mode=off").status, 400);
}

#[test]
fn what_there_is_not_is_told_from_what_may_not_be() {
    let cluster = Cluster::new();
    assert_eq!(cluster.call("GET", "/nothing", "").status, 501);
    assert_eq!(cluster.call("POST", "/version", "").status, 501);
    let set = |parameters: &str| {
        cluster.call_as(Some(Role::Operate), "PUT", "/api2/json/cluster/ha/resources/vm:100", parameters)
    };
    cluster.change("POST", "/cluster/ha/resources", "sid=vm:100");
    assert_eq!(set("state=stopped").status, 200, "who operates sets the requested state");
    set("max_restart=2").is(403, "Permission check failed (/, Sys.Console)");
    set("state=started&comment=x").is(403, "Permission check failed (/, Sys.Console)");
    let large = "x".repeat(70_000);
    let too_large = cluster.call("PUT", "/cluster/ha/resources/vm:100", &format!("comment={large}"));
    assert_eq!(too_large.status, 413);
}

#[test]
fn bodies_in_json_do_what_forms_do() {
    let cluster = Cluster::new();
    let send = |method: &str, path: &str, body: Value| {
        let token = format!("PVEAPIToken=test@pam!admin={}", cluster.secret(Role::Admin));
        let request = axum::extract::Request::builder().method(method).uri(format!("/api2/json{path}"));
        let request = request.header("authorization", &token).header("CSRFPreventionToken", token);
        cluster.send(request.header("content-type", "application/json").body(Body::from(body.to_string())).unwrap())
    };
    let added = send("POST", "/cluster/ha/resources", json!({"sid": "vm:100", "max_restart": 3, "failback": false}));
    assert_eq!(added.status, 200, "{added:?}");
    let object = cluster.get("/cluster/ha/resources/vm:100");
    assert_eq!((&object["max_restart"], &object["failback"]), (&json!(3), &json!(0)));
    assert_eq!(send("PUT", "/cluster/ha/resources/vm:100", json!({"comment": null})).status, 400);
}
