//! Every verb with arguments that make no sense, and with what cannot be done.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::fs;

use common::{Sandbox, verbs};

fn with_services() -> Sandbox {
    let sandbox = Sandbox::new("arguments", "node1,node2,node3", "fast");
    sandbox.guest("vm:100", "node1", &["/bin/sleep", "1000"]);
    sandbox.guest("vm:101", "node1", &["/bin/sleep", "1000"]);
    sandbox.ok(&["groupadd", "pair", "--nodes", "node1,node2"]);
    sandbox.ok(&["add", "100", "--group", "pair", "--max-restart", "2", "--max_relocate", "0"]);
    sandbox.ok(&["add", "vm:101", "--state", "stopped", "--comment", "what for: this"]);
    sandbox.ok(&[
        "rules",
        "add",
        "resource-affinity",
        "apart",
        "--resources",
        "vm:100,vm:101",
        "--affinity",
        "negative",
    ]);
    sandbox
}

/// Each command must end with this exit code and complain in these words.
fn check_complaints(sandbox: &Sandbox, code: i32, cases: &[(&[&str], &str)]) {
    let mut wrong = Vec::new();
    for (arguments, expected) in cases {
        let output = sandbox.ha(arguments);
        let complaint = common::stderr(&output);
        if output.status.code() != Some(code) || !complaint.contains(expected) {
            wrong.push(format!("ha {} ({:?}): {complaint}", arguments.join(" "), output.status.code()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every verb except these must have a case.
fn check_completeness(sandbox: &Sandbox, cases: &[(&[&str], &str)], but: &[&str]) {
    let is_case_of = |arguments: &[&str], verb: &[String]| {
        let mut words = arguments.iter().skip_while(|word| word.starts_with("--"));
        if arguments.first().is_some_and(|first| first.starts_with("--")) {
            words.next();
        }
        verb.iter().all(|word| words.next() == Some(&word.as_str()))
    };
    let verbs = verbs(sandbox, &[]);
    assert!(verbs.len() > 30, "{verbs:?}");
    let missing: Vec<String> = verbs
        .iter()
        .filter(|verb| !cases.iter().any(|(arguments, _)| is_case_of(arguments, verb)))
        .map(|verb| verb.join(" "))
        .filter(|verb| !but.contains(&verb.as_str()))
        .collect();
    assert!(missing.is_empty(), "no case for {missing:?}");
}

#[test]
// tidy: table
fn arguments_that_make_no_sense_give_2_and_say_what_is_allowed() {
    let sandbox = with_services();
    let cases: &[(&[&str], &str)] = &[
        (&[], "Usage"),
        (&["frobnicate"], "unrecognized subcommand"),
        (&["init"], "--nodes"),
        (&["init", "--nodes", "node_1"], "not a node name"),
        (&["init", "--nodes", "node1,node1"], "given twice"),
        (&["init", "--nodes", "node1", "--timings", "/no/such/file"], "neither 'customary' nor 'fast'"),
        (&["add"], "<SID>"),
        (&["add", "vm 100"], "expected 'type:name'"),
        (&["add", "vm:007"], "without leading zero"),
        (&["add", "777"], "no guest of that number is known"),
        (&["add", "lxc:100"], "unknown service type"),
        (&["add", "vm:102", "--state", "on"], "'started', 'stopped', 'disabled' or 'ignored'"),
        (&["add", "vm:102", "--max_restart", "-1"], "max_restart"),
        (&["add", "vm:102", "--max-relocate", "many"], "max_relocate"),
        (&["add", "vm:102", "--failback", "perhaps"], "failback"),
        (&["add", "vm:102", "--priority", "1001"], "from 0 to 1000"),
        (&["add", "vm:102", "--failure-timeout", "0"], "failure-timeout"),
        (&["add", "vm:102", "--failback-delay", "0"], "failback-delay"),
        (&["set", "vm:101", "--failback-delay", "5m"], "failback-delay"),
        (
            &["rules", "add", "order", "late", "--first", "vm:100", "--then", "vm:101", "--timeout", "0"],
            "from 1 to 86400",
        ),
        (
            &["rules", "add", "order", "late", "--first", "vm:100", "--then", "vm:101", "--delay", "-1"],
            "from 0 to 86400",
        ),
        (&["rules", "add", "order", "late", "--first", "vm:100"], "then"),
        (&["add", "vm:102", "--probe", "ping:10.0.0.1"], "probe"),
        (&["set", "vm:101", "--probe", "exec:/bin/sh -c true"], "probe"),
        (&["set", "vm:101", "--probe-interval", "0"], "probe-interval"),
        (&["set", "vm:101", "--on-failure", "explode"], "on-failure"),
        (&["add", "vm:102", "--colour", "blue"], "--colour"),
        (&["set", "vm:100"], "nothing to change"),
        (&["set", "vm:100", "--state", ""], "state"),
        (&["set", "vm:100", "--delete", "colour"], "there is no such property"),
        (&["set", "vm:100", "--state", "stopped", "--delete", "state"], "given twice"),
        (&["set", "vm:100", "--state", "stopped", "--digest", "abc"], "40 hexadecimal digits"),
        (&["remove"], "<SID>"),
        (&["remove", "vm:100", "--purge", "maybe"], "1, on, yes, true"),
        (&["config", "vm"], "'type:name'"),
        (&["status", "--colour"], "--colour"),
        (&["migrate", "vm:100"], "<NODE>"),
        (&["plan", "tolerance", "--losses", "all"], "invalid digit"),
        (&["plan", "evacuate"], "<NODES>"),
        (&["rolling"], "--wait-for-reboot"),
        (&["plan", "feasible", "--memory", "0"], "above 0"),
        (&["plan", "feasible", "--cpu", "inf"], "above 0"),
        (&["plan", "steps"], "--to"),
        (&["plan", "steps", "--to", "x", "--at-once", "0"], "0 is not in 1.."),
        (&["plan", "feasible", "--steps", "all"], "invalid digit"),
        (&["plan", "balance", "--moves", "0"], "0 is not in 1.."),
        (&["plan", "feasible", "--without", "no node"], "--without"),
        (&["snapshot", "vm:100"], "vm:100"),
        (&["agents"], "Usage"),
        (&["agents", "test"], "<COMMAND>"),
        (&["agents", "test", "--timeout", "0", "/bin/true"], "0 is not in 1.."),
        (&["agents", "test", "--sid", "none", "/bin/true"], "'type:name'"),
        (&["agents", "list", "heartbeat"], "heartbeat"),
        (&["agents", "describe", "IPaddr2"], "expected 'PROVIDER:TYPE'"),
        (&["agents", "describe", "heartbeat:../IPaddr2"], "names no resource agent"),
        (&["agents", "new", "heartbeat:IPaddr2"], "--on"),
        (&["store"], "Usage"),
        (&["store", "test"], "<DIRECTORY>"),
        (&["store", "test", "/no/such/directory"], "is no directory"),
        (&["store", "test", "/tmp", "--partner", "--json"], "cannot be used with"),
        (&["migrate", "vm:100", "node_2"], "not a node name"),
        (&["relocate", "", "node2"], "'type:name'"),
        (&["stop"], "<SID>"),
        (&["stop", "vm:100", "soon"], "invalid digit"),
        (&["stop", "vm:100", "-1"], "-1"),
        (&["node", "set", "node1"], "nothing to change"),
        (&["node", "set", "node1", "--failure-domain", "rack a"], "not a failure domain"),
        (&["node", "set", "node1", "--failure-domain", ""], "not a failure domain"),
        (&["node", "set", "node_1", "--comment", "x"], "not a node name"),
        (&["node", "set", "node1", "--delete", "colour"], "there is no such property"),
        (&["node", "config", "node1", "node2"], "node2"),
        (&["groupadd", "g2"], "required"),
        (&["groupadd", "2g", "--nodes", "node1"], "expected a letter"),
        (&["groupadd", "g2", "--nodes", "node1:x"], "nodes"),
        (&["groupset", "pair", "--delete", "nodes"], "required"),
        (&["groupremove"], "<GROUP>"),
        (&["groupconfig", "pair", "apart"], "apart"),
        (&["rules"], "Usage"),
        (
            &["rules", "add", "affinity", "r1", "--resources", "vm:100"],
            "'node-affinity', 'resource-affinity' or 'order'",
        ),
        (&["rules", "add", "node-affinity", "r1", "--resources", "vm:100"], "required"),
        (
            &[
                "rules",
                "add",
                "node-affinity",
                "r1",
                "--resources",
                "vm:100",
                "--nodes",
                "node1",
                "--affinity",
                "sideways",
            ],
            "'positive' or 'negative'",
        ),
        (
            &[
                "rules",
                "add",
                "resource-affinity",
                "too",
                "--resources",
                "vm:100,vm:101",
                "--affinity",
                "positive",
                "--strict",
                "0",
            ],
            "there is no such property",
        ),
        (&["rules", "set", "apart"], "nothing to change"),
        (&["rules", "set", "apart", "--affinity", "both"], "'positive' or 'negative'"),
        (&["rules", "set", "colour", "apart", "--disable"], "node-affinity"),
        (&["rules", "remove"], "<RULE>"),
        (&["rules", "list", "apart"], "apart"),
        (&["rules", "config", "apart", "pair"], "pair"),
        (&["rules", "graph", "--dot", "--svg"], "cannot be used with"),
        (&["repair"], "Usage"),
        (&["repair", "status", "--sure"], "--sure"),
        (&["crm-command"], "Usage"),
        (&["crm-command", "migrate", "vm:100"], "<NODE>"),
        (&["crm-command", "relocate", "vm 100", "node2"], "'type:name'"),
        (&["crm-command", "stop", "vm:100", "soon"], "invalid digit"),
        (&["crm-command", "node-maintenance", "disable", "node_1"], "not a node name"),
        (&["crm-command", "node-maintenance"], "Usage"),
        (&["crm-command", "node-maintenance", "enable"], "<NODE>"),
        (&["crm-command", "disarm-ha"], "<MODE>"),
        (&["crm-command", "disarm-ha", "melt"], "'freeze' or 'ignore'"),
        (&["crm-command", "arm-ha", "now"], "now"),
        (&["start"], "<SID>"),
        (&["stop", "vm:100", "5", "--dry-run", "--wait"], "cannot be used with"),
        (&["restart", "vm:100", "--wait=soon"], "invalid digit"),
        (&["cleanup"], "<SID>"),
        (&["logs", "vm:100", "--lines", "few"], "invalid digit"),
        (&["maintenance", "enable"], "<NODE>"),
        (&["maintenance", "disable", "node_1"], "not a node name"),
        (&["disarm", "melt"], "'freeze' or 'ignore'"),
        (&["arm", "now"], "now"),
        (&["watch", "vm:100", "vm:101"], "vm:101"),
        (&["health", "vm:100"], "vm:100"),
        (&["history", "--since", "yesterday"], "yesterday"),
        (&["history", "explain"], "<ID>"),
        (&["failovers", "vm:100", "vm:101"], "vm:101"),
        (&["metrics", "vm:100"], "vm:100"),
        (&["node", "list", "node1"], "node1"),
        (&["node", "add", "node_4"], "not a node name"),
        (&["node", "remove"], "<NODE>"),
        (&["explain"], "<SID>"),
        (&["check", "everything"], "everything"),
        (&["guest", "set", "vm:102"], "<FILE>"),
        (&["guest", "remove"], "<SID>"),
        (&["guest", "list", "vm:102"], "vm:102"),
        (&["node", "run", "--watchdog", "cat"], "neither 'mux:SOCKET' nor 'none'"),
        (&["node", "run", "--watchdog", "none", "--log", "xml"], "'text' or 'json'"),
        (&["watchdog-mux", "--timings", "slow"], "neither 'customary' nor 'fast'"),
        (&["node", "clear-twin", "now"], "now"),
        (&["node", "leave", "now"], "now"),
        (&["confirm-fenced"], "<NODE>"),
        (&["clear-fencings"], "<NODE>"),
        (&["completions", "csh"], "bash"),
        (&["demo", "now"], "now"),
        (&["--store", "floppy:A", "config"], "file:DIRECTORY"),
        (&["--node", "no de", "status"], "not a node name"),
    ];
    check_complaints(&sandbox, 2, cases);
    check_completeness(&sandbox, cases, &[]);
}

/// Verbs whose cases are in [`what_everyday_verbs_cannot_do_gives_1_and_says_why`].
const EVERYDAY: [&str; 12] = [
    "start",
    "restart",
    "cleanup",
    "logs",
    "maintenance enable",
    "maintenance disable",
    "disarm",
    "arm",
    "watch",
    "node list",
    "node add",
    "node remove",
];

#[test]
fn what_everyday_verbs_cannot_do_gives_1_and_says_why() {
    let sandbox = with_services();
    let nowhere = format!("file:{}", sandbox.directory.join("nothing").display());
    let run = sandbox.directory.join("run").display().to_string();
    let cases: &[(&[&str], &str)] = &[
        (&["start", "777"], "there is no guest '777'"),
        (&["restart", "vm:101"], "is not to run"),
        (&["cleanup", "vm:100"], "the master does not know vm:100"),
        (&["logs", "vm:100", "--run-dir", &run], "has written nothing on node1 yet"),
        (&["maintenance", "enable", "node9"], "no node of this cluster"),
        (&["maintenance", "disable", "node9"], "no node of this cluster"),
        (&["--store", &nowhere, "disarm", "freeze"], "ha init"),
        (&["--store", &nowhere, "arm"], "ha init"),
        (&["--store", &nowhere, "watch"], "ha init"),
        (&["--store", &nowhere, "node", "list"], "ha init"),
        (&["node", "add", "node1"], "in the cluster already"),
        (&["node", "remove", "node9"], "no node of this cluster"),
    ];
    check_complaints(&sandbox, 1, cases);
    assert_eq!(cases.len(), EVERYDAY.len());
}

#[test]
// tidy: table
fn what_cannot_be_done_gives_1_and_says_why() {
    let sandbox = with_services();
    let empty = sandbox.directory.join("nothing");
    let nowhere = format!("file:{}", empty.display());
    let [socket, run] = ["socket", "run"].map(|name| sandbox.directory.join(name).display().to_string());
    let bad_module = sandbox.directory.join("environment").display().to_string();
    fs::write(&bad_module, "WATCHDOG_MODULE=../x\n").unwrap();
    let cases: &[(&[&str], &str)] = &[
        (&["init", "--nodes", "node1"], "there is a cluster"),
        (&["--store", &nowhere, "config"], "ha init"),
        (&["repair", "status"], "nothing to repair"),
        (&["agents", "test", "/no/such/program"], "is not as HA counts on"),
        (&["agents", "describe", "none:such"], "there is no resource agent 'none:such' on this node"),
        (&["agents", "new", "none:such", "--on", "node1"], "there is no resource agent 'none:such' on this node"),
        (&["store", "test", "/proc"], "cannot make /proc/.ha-store-test"),
        (&["add", "vm:100"], "exists already"),
        (&["add", "vm:102", "--group", "none-such"], "does not exist"),
        (&["set", "vm:777", "--state", "stopped"], "does not exist"),
        (
            &["set", "vm:100", "--state", "stopped", "--digest", "0000000000000000000000000000000000000000"],
            "changed in the meantime",
        ),
        (&["remove", "vm:777"], "does not exist"),
        (&["config", "vm:777"], "does not exist"),
        (&["migrate", "vm:100", "node9"], "no node of this cluster, which has node1, node2, node3"),
        (&["plan", "steps", "--to", "/nowhere/places"], "cannot read /nowhere/places"),
        (&["plan", "feasible", "--without", "node1,node9"], "'node9' is no node of this cluster, which has node1"),
        (&["rolling", "--resume"], "no rolling work"),
        (&["plan", "evacuate", "node9"], "no node of this cluster, which has node1, node2, node3"),
        (&["--store", &nowhere, "plan", "tolerance"], "ha init"),
        (&["--store", &nowhere, "snapshot"], "ha init"),
        (&["--store", &nowhere, "plan", "balance"], "ha init"),
        (&["migrate", "777", "node2"], "there is no guest '777'"),
        (&["node", "set", "nod1", "--failure-domain", "rack-a"], "did you mean 'node1'?"),
        (&["node", "config", "node9"], "no node of this cluster, which has node1, node2, node3"),
        (&["groupadd", "pair", "--nodes", "node1"], "exists already"),
        (&["groupset", "none-such", "--restricted"], "does not exist"),
        (&["groupremove", "pair"], "in use by vm:100"),
        (&["groupconfig", "none-such"], "does not exist"),
        (
            &["rules", "add", "order", "late", "--first", "vm:100", "--then", "vm:100"],
            "vm:100 would be started after itself",
        ),
        (
            &["rules", "add", "resource-affinity", "apart", "--resources", "vm:100", "--affinity", "positive"],
            "exists already",
        ),
        (
            &["rules", "add", "resource-affinity", "too", "--resources", "vm:100,vm:101", "--affinity", "positive"],
            "rule 'too'",
        ),
        (&["rules", "set", "node-affinity", "apart", "--disable"], "cannot be changed"),
        (&["rules", "remove", "none-such"], "does not exist"),
        (&["rules", "config", "none-such"], "does not exist"),
        (&["crm-command", "node-maintenance", "enable", "node9"], "no node of this cluster"),
        (&["--store", &nowhere, "status"], "ha init"),
        (&["relocate", "vm:100", "node9"], "no node of this cluster"),
        (&["stop", "777", "5"], "there is no guest '777'"),
        (&["--store", &nowhere, "rules", "list"], "ha init"),
        (&["--store", &nowhere, "rules", "graph"], "ha init"),
        (&["crm-command", "migrate", "vm:100", "node9"], "no node of this cluster"),
        (&["crm-command", "relocate", "777", "node1"], "there is no guest '777'"),
        (&["crm-command", "stop", "777", "5"], "there is no guest '777'"),
        (&["crm-command", "node-maintenance", "disable", "node9"], "no node of this cluster"),
        (&["--store", &nowhere, "crm-command", "disarm-ha", "freeze"], "ha init"),
        (&["--store", &nowhere, "crm-command", "arm-ha"], "ha init"),
        (&["--store", &nowhere, "check"], "ha init"),
        (&["--store", &nowhere, "metrics"], "ha init"),
        (&["history", "explain", "node1-1"], "node1-1"),
        (&["--store", &nowhere, "history"], "ha init"),
        (&["--store", &nowhere, "failovers"], "ha init"),
        (&["--store", &nowhere, "guest", "list"], "ha init"),
        (
            &["watchdog-mux", "--socket", &socket, "--device", "/no/such/device", "--environment-file", &bad_module],
            "is no kernel module",
        ),
        (&["demo", "--directory", "/dev/null/demo"], "Not a directory"),
        (&["explain", "vm:100"], "no service 'vm:100'"),
        (&["guest", "set", "vm:102", "/no/such/file"], "/no/such/file"),
        (&["guest", "remove", "vm:100"], "remove it there first"),
        (&["guest", "remove", "vm:777"], "there is no guest"),
        (&["--state-dir", "/dev/null/state", "node", "clear-twin"], "/dev/null/state"),
        (&["--state-dir", "/dev/null/state", "node", "leave"], "/dev/null/state"),
        (&["confirm-fenced", "node1", "--repeat", "node2"], "nothing was confirmed"),
        (&["confirm-fenced", "node9", "--repeat", "node9"], "no node of this cluster"),
        (&["clear-fencings", "node9"], "no node of this cluster"),
        (&["--node", "node9", "node", "run", "--watchdog", "none", "--run-dir", &run], "no node of this cluster"),
    ];
    check_complaints(&sandbox, 1, cases);
    // If health can't be told, that is not good health, and gives 2.
    check_completeness(&sandbox, cases, &[&EVERYDAY[..], &["completions", "health", "agents list"]].concat());
    assert!(!empty.exists(), "nothing was made by looking");
}

#[test]
fn without_a_store_the_way_to_name_one_is_told() {
    let sandbox = Sandbox::empty("no-store");
    let output = sandbox.command().env_remove("HA_STORE").arg("status").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(common::stderr(&output).contains("HA_STORE"));
}

#[test]
fn timings_that_are_not_safe_are_refused_with_the_way_to_mend_them() {
    let sandbox = Sandbox::empty("timings");
    let file = sandbox.directory.join("timings.json");
    fs::write(&file, r#"{"lock_lifetime_s": 70}"#).unwrap();
    let complaint = sandbox.fails(2, &["init", "--nodes", "node1", "--timings", file.to_str().unwrap()]);
    assert!(complaint.contains("raise") || complaint.contains("lower"), "{complaint}");
}

#[test]
fn edits_are_what_the_files_then_say() {
    let sandbox = with_services();
    let config = sandbox.store().join("config");
    let resources = fs::read_to_string(config.join("resources.cfg")).unwrap();
    assert!(resources.starts_with("vm: 100\n\tgroup pair\n\tmax_relocate 0\n\tmax_restart 2\n"), "{resources}");

    sandbox.ok(&["set", "100", "--delete", "group,max_restart", "--failback", "0"]);
    let json: serde_json::Value = serde_json::from_str(&sandbox.ok(&["config", "100", "--json"])).unwrap();
    let expected = serde_json::json!([{"sid": "vm:100", "type": "vm", "max_relocate": 0, "failback": false}]);
    assert_eq!(json, expected);

    sandbox.ok(&["rules", "set", "resource-affinity", "apart", "--disable"]);
    assert!(sandbox.ok(&["rules", "list"]).contains("apart\tresource-affinity\tdisabled\tvm:100,vm:101\tnegative"));
    sandbox.ok(&["remove", "101", "--purge", "0"]);
    assert!(fs::read_to_string(config.join("rules.cfg")).unwrap().contains("vm:101"));
    sandbox.ok(&["remove", "vm:100"]);
    assert!(!fs::read_to_string(config.join("rules.cfg")).unwrap().contains("vm:100"));
    sandbox.ok(&["groupremove", "pair"]);
    assert_eq!(sandbox.ok(&["groupconfig"]), "");
}

#[test]
fn a_service_whose_guest_is_gone_can_be_removed_by_its_number() {
    let sandbox = with_services();
    fs::remove_file(sandbox.store().join("guests/vm:100.json")).unwrap();
    assert_eq!(sandbox.shown("vm:100"), "not found");
    sandbox.ok(&["remove", "100"]);
    assert_eq!(sandbox.shown("vm:100"), "");
}

#[test]
fn a_command_waits_where_there_is_no_master() {
    let sandbox = with_services();
    let output = sandbox.ha(&["migrate", "vm:100", "node2"]);
    assert!(output.status.success() && common::stderr(&output).contains("no master"));
    assert_eq!(sandbox.queued(), ["migrate vm:100 node2"]);
}

#[test]
fn check_finds_what_is_wrong() {
    let sandbox = with_services();
    let ok = sandbox.ha(&["check"]);
    assert!(ok.status.success(), "{}", String::from_utf8_lossy(&ok.stdout));
    let file = sandbox.store().join("config/resources.cfg");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{text}vm: 300\n\tcolour blue\n\n")).unwrap();
    let output = sandbox.ha(&["check"]);
    let found = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(found.contains("resources.cfg: line") && found.contains("colour"), "{found}");
    assert!(found.contains("service 'vm:300': there is no such guest"), "{found}");
}

/// A cluster whose master was at work just now, with two services together and one apart from them.
fn with_a_master() -> Sandbox {
    let sandbox = Sandbox::new("master", "node1,node2,node3", "fast");
    let mut services = serde_json::Map::new();
    for (number, node) in [(100, "node1"), (101, "node1"), (102, "node3")] {
        sandbox.guest(&format!("vm:{number}"), node, &["/bin/sleep", "1000"]);
        sandbox.ok(&["add", &number.to_string()]);
        let entry = serde_json::json!({"state": "started", "node": node, "uid": format!("u{number}"), "running": 1});
        services.insert(format!("vm:{number}"), entry);
    }
    let rule = |name, resources, affinity| {
        sandbox.ok(&["rules", "add", "resource-affinity", name, "--resources", resources, "--affinity", affinity]);
    };
    rule("together", "vm:100,vm:101", "positive");
    rule("apart", "vm:100,vm:102", "negative");
    let status = serde_json::json!({
        "master_node": "node1", "timestamp": 0,
        "node_status": {"node1": "online", "node2": "online", "node3": "online"},
        "service_status": services,
    });
    fs::write(sandbox.store().join("status/manager.json"), status.to_string()).unwrap();
    sandbox
}

#[test]
fn a_command_tells_at_once_what_will_happen() {
    let sandbox = with_a_master();
    let told = sandbox.ok(&["migrate", "100", "node2"]);
    let expected = "queued: migrate vm:100 node2\nvm:100 moves from node1 to node2\n\
                    vm:101 moves from node1 to node2, since it must be together with vm:100\n";
    assert_eq!(told, expected);
    let told = sandbox.ok(&["crm-command", "node-maintenance", "enable", "node1"]);
    let expected = "when that ends:\n  vm:100 moves from node2 to node1\n  vm:101 moves from node2 to node1\n";
    assert!(told.ends_with(expected), "{told}");
    assert_eq!(sandbox.queued(), ["migrate vm:100 node2", "enable-node-maintenance node1"]);
}

#[test]
fn a_command_that_the_master_would_refuse_is_not_queued() {
    let sandbox = with_a_master();
    let refused = |arguments: &[&str], expected: &str| {
        let complaint = sandbox.fails(1, arguments);
        assert!(complaint.contains(expected), "{complaint}");
    };
    refused(&["migrate", "100", "node3"], "vm:100 must be kept apart from vm:102, which uses node node3");
    refused(&["relocate", "100", "node1"], "on that node already");
    refused(&["stop", "vm:103", "5"], "does not know the service");
    refused(&["crm-command", "arm-ha"], "HA is not disarmed");
    let file = sandbox.store().join("status/manager.json");
    let status = fs::read_to_string(&file).unwrap().replace("\"node2\":\"online\"", "\"node2\":\"unknown\"");
    fs::write(&file, status).unwrap();
    refused(&["migrate", "100", "node2"], "not online");
    assert!(!sandbox.store().join("commands").exists());
}

#[test]
fn an_explanation_names_every_node_and_the_way_to_it() {
    let sandbox = with_a_master();
    let told = sandbox.ok(&["explain", "100"]);
    assert!(told.starts_with("vm:100 stays on node1"), "{told}");
    assert!(told.contains("for it to be on node3:") && told.contains("vm:102"), "{told}");
    let json: serde_json::Value = serde_json::from_str(&sandbox.ok(&["explain", "100", "--best", "--json"])).unwrap();
    assert_eq!(json["explanation"]["nodes"].as_array().unwrap().len(), 3);
}
