//! The command `ha-sim` as a person calls it.
#![allow(clippy::unwrap_used, reason = "tests may panic")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn ha_sim(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ha-sim")).args(arguments).current_dir(root()).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A folder of its own for one test.
fn folder(test: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    fs::create_dir_all(&folder).unwrap();
    for (name, text) in files {
        fs::write(folder.join(name), text).unwrap();
    }
    folder
}

#[test]
fn run_shows_the_failover_and_a_summary() {
    let output = ha_sim(&["run", "examples/clusters/failover"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output);
    for expected in [
        "power off host-111",
        "node host-111 was fenced",
        "vm:104 is recovered from host-111 on host-106",
        "vm:104 was moved to host-111",
        "all 8 expectations hold",
    ] {
        assert!(text.contains(expected), "'{expected}' is missing in\n{text}");
    }
    let summary = text.lines().find(|line| line.starts_with("vm:104 ")).unwrap();
    assert!(summary.contains("host-111  host-111  started"), "{summary}");
    assert!(!text.contains('\u{1b}'), "no colours in a pipe");
}

#[test]
fn run_gives_an_object_a_line_for_programs() {
    let output = ha_sim(&["run", "examples/clusters/failover", "--format", "jsonl"]);
    let events: Vec<Value> = stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(
        events.iter().all(|event| event["t"].is_number() && event["src"].is_string() && event["event"].is_string())
    );
    let recovered = events.iter().find(|event| event["event"] == "service_recovered").unwrap();
    assert_eq!((&recovered["from"], &recovered["to"]), (&"host-111".into(), &"host-106".into()));
    let summary = events.last().unwrap();
    assert_eq!(summary["event"], "service_summary");
    assert_eq!(summary["recoveries"], 1);
}

#[test]
fn colours_can_be_had_in_a_pipe() {
    let output = ha_sim(&["--color", "always", "run", "examples/clusters/failover"]);
    assert!(stdout(&output).contains("\u{1b}["));
}

#[test]
fn a_failed_expectation_is_shown_and_exits_with_1() {
    let text = "nodes node1 node2 node3\nguest vm:100 on node1\nat 1m expect vm:100 running on node2";
    let folder = folder("failed-expectation", &[("resources.cfg", "vm: 100\n"), ("scenario", text)]);
    let output = ha_sim(&["run", folder.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("✗ line 3: expected vm:100 running on node2, but"), "{}", stdout(&output));
    let output = ha_sim(&["check", folder.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).starts_with("FAILED failed-expectation: line 3: at 60 s expected"));
    assert!(stdout(&output).ends_with("\n0 passed, 1 failed\n"));
}

#[test]
fn a_bad_scenario_exits_with_2_and_says_where() {
    let folder =
        folder("bad-scenario", &[("resources.cfg", "vm: 100\n"), ("scenario", "nodes a b c\nat 1m powr on a\n")]);
    let output = ha_sim(&["run", folder.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    let problem = format!("{}/scenario:2:7: there is no action 'powr': did you mean 'power'?", folder.display());
    assert!(stderr(&output).contains(&problem), "{}", stderr(&output));
    let missing = ha_sim(&["run", "nowhere"]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(stderr(&missing).contains("nowhere: there is no such folder"));
}

#[test]
fn check_plays_scenarios_and_counts() {
    let output = ha_sim(&["check", "examples/clusters/failover", "examples/clusters/maintenance"]);
    assert_eq!(stdout(&output), "ok failover\nok maintenance\n2 passed, 0 failed\n");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn check_says_which_event_differs() {
    let trace = "{\"t\":20,\"src\":\"cmdlist\",\"event\":\"execute\",\"command\":\"power node1 on\"}\n\
                 {\"t\":20,\"src\":\"node1/crm\",\"event\":\"dance\"}\n";
    let files = [
        ("cmdlist", r#"[["power node1 on"]]"#),
        ("hardware_status", r#"{"node1": {"power": "off", "network": "off"}}"#),
        ("manager_status", "{}"),
        ("service_config", "{}"),
        ("trace.jsonl", trace),
    ];
    let folder = folder("differs", &files);
    let output = ha_sim(&["check", folder.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let text = stdout(&output);
    assert!(text.starts_with("FAILED differs: event 2: expected {\"event\":\"dance\","), "{text}");
    assert!(text.contains(", got {\"event\":\"daemon_state\""), "{text}");
    let output = ha_sim(&["run", folder.to_str().unwrap()]);
    assert!(stdout(&output).contains("power node1 on"), "a recorded folder can be run");
}

#[test]
fn check_config_reports_problems_of_every_kind_of_file() {
    let bad = [
        ("resources.cfg", "vm: 100\n\tstate on\n", 2),
        ("groups.cfg", "group: mine\n", 1),
        ("old-rules.cfg", "rule: x\n\tresources vm:100\n", 1),
        ("datacenter.cfg", "fencing: axe\n", 1),
        ("fence.cfg", "connect power node=node1\n", 1),
    ];
    let folder = folder("check-config", &bad.map(|(name, text, _)| (name, text)));
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    for (name, _, line) in bad {
        let output = ha_sim(&["check-config", &path(name)]);
        assert_eq!(output.status.code(), Some(1), "{name}");
        assert!(stdout(&output).starts_with(&format!("{}:{line}: ", path(name))), "{name}: {}", stdout(&output));
    }
    let output = ha_sim(&["check-config", "--format", "json", &path("resources.cfg")]);
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found[0]["code"], "bad_value");
    assert_eq!(found[0]["property"], "state");
}

#[test]
fn check_config_tells_files_by_name_or_type() {
    let folder = folder("check-config-types", &[("good-resources.cfg", "vm: 100\n"), ("notes.txt", "vm: 100\n")]);
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let output = ha_sim(&["check-config", &path("good-resources.cfg")]);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), ""));
    assert_eq!(ha_sim(&["check-config", &path("notes.txt")]).status.code(), Some(2));
    assert_eq!(ha_sim(&["check-config", "--type", "resources", &path("notes.txt")]).status.code(), Some(0));
    assert_eq!(ha_sim(&["check-config", "--type", "groups", &path("notes.txt")]).status.code(), Some(1));
    assert_eq!(ha_sim(&["check-config", &path("missing-rules.cfg")]).status.code(), Some(2));
}

#[test]
fn replay_decides_again_what_was_recorded() {
    let start = r#"{"call":"start_crm","node":"node1","timings":{}}"#;
    let event = r#"{"event":"daemon_state","from":"startup","to":"wait_for_quorum"}"#;
    let recording = |event: &str| format!("{{\"recording\":1}}\n{start}\n{event}\n{{\"returned\":null}}\n");
    let other = event.replace("wait_for_quorum", "slave");
    let files = [
        ("same.jsonl", recording(event)),
        ("other.jsonl", recording(&other)),
        ("future.jsonl", "{\"recording\":2}\n".to_owned()),
    ];
    let files = files.each_ref().map(|(name, text)| (*name, text.as_str()));
    let folder = folder("recordings", &files);
    let replay = |name: &str| ha_sim(&["replay", folder.join(name).to_str().unwrap()]);

    let same = replay("same.jsonl");
    assert_eq!((same.status.code(), stderr(&same)), (Some(0), String::new()));
    assert_eq!(stdout(&same), "decided the same: 1 calls, 2 questions, events and ends\n");

    let differs = replay("other.jsonl");
    assert_eq!(differs.status.code(), Some(1));
    let text = stdout(&differs);
    for line in ["line 3, in the call of line 2", &format!("recorded: {other}"), &format!("now:      {event}")] {
        assert!(text.contains(line), "'{line}' is missing in\n{text}");
    }

    let future = replay("future.jsonl");
    assert_eq!(future.status.code(), Some(2));
    assert!(stderr(&future).contains("form 2"), "{}", stderr(&future));
}

#[test]
fn what_the_hunt_found_is_a_folder_that_run_and_check_play() {
    let out = folder("found", &[]);
    let hunt = ["chaos", "--seed", "130", "--runs", "1", "--plant", "recovery-without-fencing", "--out"];
    let hunted = ha_sim(&[&hunt[..], &[out.to_str().unwrap()]].concat());
    assert_eq!(hunted.status.code(), Some(1), "{}", stderr(&hunted));
    let found = out.join("chaos-130");
    let found = found.to_str().unwrap();
    assert!(stdout(&hunted).ends_with(&format!("see it with: ha-sim run {found}\n")), "{}", stdout(&hunted));
    for verb in ["run", "check", "replay"] {
        let played = ha_sim(&[verb, found]);
        let text = stdout(&played);
        assert_eq!(played.status.code(), Some(1), "{verb}: {text}");
        assert!(text.contains("this does not hold: a fenced node runs nothing"), "{verb}: {text}");
    }
    let scenario = fs::read_to_string(Path::new(found).join("scenario")).unwrap();
    fs::write(Path::new(found).join("scenario"), scenario.replace(" planted recovery-without-fencing", "")).unwrap();
    let mended = ha_sim(&["run", found]);
    assert_eq!(mended.status.code(), Some(0), "{}", stdout(&mended));
    assert!(stdout(&mended).ends_with("all invariants hold\n"), "{}", stdout(&mended));
}

#[test]
fn help_has_examples_and_completions_are_scripts() {
    let help = stdout(&ha_sim(&["--help"]));
    assert!(help.contains("ha-sim run examples/clusters/failover"));
    assert!(help.contains("Exit codes:"));
    assert!(stdout(&ha_sim(&["completions", "bash"])).contains("ha-sim"));
    assert_eq!(ha_sim(&["dance"]).status.code(), Some(2));
}

#[test]
fn each_command_has_a_man_page_with_its_options() {
    let folder = std::env::temp_dir().join(format!("ha-sim-man-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    assert_eq!(ha_sim(&["man-pages", folder.to_str().unwrap()]).status.code(), Some(0));
    for (page, option) in
        [("ha-sim.1", "color"), ("ha-sim-run.1", "quiet"), ("ha-sim-explain.1", "service"), ("ha-sim-chaos.1", "runs")]
    {
        let text = fs::read_to_string(folder.join(page)).expect(page);
        assert!(text.contains(&format!("\\-\\-{option}")), "{page} does not name --{option}");
    }
    fs::remove_dir_all(folder).unwrap();
    let refused = ha_sim(&["man-pages", "/dev/null/pages"]);
    assert_eq!(refused.status.code(), Some(2));
}

#[test]
fn the_handbook_shows_a_failure_as_it_is_played() {
    let page = fs::read_to_string(root().join("docs/handbook/src/ideas.md")).unwrap();
    let played = stdout(&ha_sim(&["run", "--quiet", root().join("examples/clusters/fast-failover").to_str().unwrap()]));
    let shown: Vec<&str> = page.split("\n```text\n").skip(1).map(|part| part.split("\n```").next().unwrap()).collect();
    assert_eq!(shown.len(), 2);
    for part in shown {
        assert!(played.contains(part), "this is not what is played:\n{part}");
    }
}

/// The recorded cases of a kind: the file, and what is expected of it. None if they are not at hand.
fn recorded(kind: &str) -> Vec<(PathBuf, Value)> {
    let folder = root().join("../shared/conformance").join(kind);
    let Ok(entries) = fs::read_dir(&folder) else {
        eprintln!("skipped: {} is not at hand", folder.display());
        return Vec::new();
    };
    let files = entries.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "cfg"));
    let cases = files.map(|file| {
        let expected = fs::read(file.with_extension("expect.json")).unwrap();
        let expected = serde_json::from_slice(&expected).unwrap();
        (file, expected)
    });
    cases.collect()
}

#[test]
fn recorded_rules_come_to_what_is_expected() {
    for (file, expected) in recorded("rules") {
        let nodes = expected["nodes"].as_array().unwrap().iter().map(|node| node.as_str().unwrap());
        let nodes = nodes.collect::<Vec<_>>().join(",");
        let output = ha_sim(&["rules", file.to_str().unwrap(), "--nodes", &nodes]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(found, expected, "{}", file.display());
    }
}

#[test]
fn recorded_fence_files_come_to_what_is_expected() {
    for (file, expected) in recorded("fence") {
        let output = ha_sim(&["fence", file.to_str().unwrap(), "--nodes", "node1,node2,node3"]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(found, expected, "{}", file.display());
    }
}

#[test]
fn problems_of_rules_go_to_standard_error() {
    let text = "dance: x\n\nnode-affinity: y2\n\tresources vm:100\n\tnodes a\n";
    let file = folder("rules-problems", &[("rules.cfg", text)]).join("rules.cfg");
    let output = ha_sim(&["rules", file.to_str().unwrap(), "--nodes", "a,b"]);
    assert!(stderr(&output).contains("rules.cfg: line 1, in 'dance: x': "), "{}", stderr(&output));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(found["rules"]["y2"].is_object());
}

/// A snapshot of two nodes, with a service on the second.
const SNAPSHOT: &str = r#"{"ha_snapshot": 1, "time": 1767225600, "nodes": {"node1": {"online": true}, "node2": {"online": true}},
    "configuration": {"resources.cfg": "vm: 100\n"}, "guests": {"vm:100": {"node": "node2"}},
    "manager_status": {"node_status": {"node1": "online", "node2": "online"},
        "service_status": {"vm:100": {"state": "started", "node": "node2", "uid": "a", "running": 1}}}}"#;

#[test]
fn a_live_cluster_goes_on_from_its_snapshot() {
    let folder = folder("snapshot", &[("live.json", SNAPSHOT), ("story", "# A power cut\nat 1m power off node2\n")]);
    let (file, story) = (folder.join("live.json"), format!("@{}", folder.join("story").display()));
    let file = file.to_str().unwrap();
    let output = ha_sim(&["run", "--from", file, "--scenario", &story, "--scenario", "expect vm:100 running on node1"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output);
    for expected in [
        "live: A power cut",
        "snapshot   the cluster goes on from 2026-01-01 00:00:00 UTC",
        "how large node1 is is not known",
        "After 11m",
        "all 1 expectations hold",
    ] {
        assert!(text.contains(expected), "'{expected}' is missing in\n{text}");
    }
    let output =
        ha_sim(&["run", "--from", file, "--scenario", "until 1m", "--scenario", "expect vm:100 running on node1"]);
    assert_eq!(output.status.code(), Some(1), "an expectation that fails");
}

#[test]
fn a_snapshot_that_can_not_be_read_says_where_and_what_to_do() {
    let newer = SNAPSHOT.replace(": 1,", ": 7,");
    let wrong = SNAPSHOT.replace(r#""node2": "online"}"#, r#""node2": "asleep"}"#);
    let files = [("good.json", SNAPSHOT), ("newer.json", &newer), ("wrong.json", &wrong), ("other.json", "{}")];
    let folder = folder("bad-snapshots", &files);
    let run = |file: &str, more: &[&str]| {
        let path = folder.join(file).display().to_string();
        let output = ha_sim(&[&["run", "--from", &path], more].concat());
        assert_eq!(output.status.code(), Some(2), "{}", stdout(&output));
        stderr(&output)
    };
    assert!(run("none.json", &[]).contains("none.json: No such file"));
    assert!(run("other.json", &[]).contains("other.json: this is no snapshot of a cluster: 'ha snapshot' writes one"));
    assert!(run("newer.json", &[]).contains("of form 7, and this software reads form 1"));
    let wrong = run("wrong.json", &[]);
    for part in ["wrong.json: ", "node_status.node2", "line 3", "take the snapshot again"] {
        assert!(wrong.contains(part), "{part}: {wrong}");
    }
    assert!(
        run("good.json", &["--scenario", "at 1m power off node9"]).contains("scenario:1:17: there is no node 'node9'")
    );
    assert!(run("good.json", &["--scenario", "@/no/such"]).contains("/no/such: No such file"));
    assert!(run("good.json", &["examples/clusters/failover"]).contains("cannot be used with"));
    let without = ha_sim(&["run", "examples/clusters/failover", "--scenario", "until 1m"]);
    assert!(stderr(&without).contains("'[FOLDER]' cannot be used with '--scenario <TEXT>'"), "{}", stderr(&without));
}
