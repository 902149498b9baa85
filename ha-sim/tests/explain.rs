//! `ha-sim explain`, as a person or a program runs it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic")]

use std::{fs, path::PathBuf, process::Command};

use serde_json::Value;

/// A folder with three nodes: `vm:100` runs on one until that node dies; the others are loaded differently.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    let files = [
        ("resources.cfg", "vm: 100\n\nvm: 101\n\nvm: 102\n"),
        ("rules.cfg", "resource-affinity: apart\n\tresources vm:100,vm:101\n\taffinity negative\n"),
        ("datacenter.cfg", "crs: ha=static,ha-auto-rebalance=1\n"),
        (
            "scenario",
            "# A node dies.\n\
             nodes node1 node2 node3\n\
             guest vm:100 on node3 cores 2 memory 4G\n\
             guest vm:101 on node2 cores 1 memory 2G\n\
             guest vm:102 on node1 cores 4 memory 16G\n\
             at 2m power off node3\n\
             until 6m\n",
        ),
    ];
    for (file, text) in files {
        fs::write(folder.join(file), text).unwrap();
    }
    folder
}

fn explain(name: &str, arguments: &[&str]) -> (bool, String, String) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_ha-sim")).arg("explain").arg(folder(name)).args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_sentence_gives_the_answer_and_a_table_shows_each_node() {
    let (well, out, _) = explain("table", &["--service", "vm:100", "--at", "5m", "--node", "node2"]);
    assert!(well);
    insta::assert_snapshot!(out, @r"
    vm:100 stays on node1: nothing stands against it
    asked for: none, scheduler: static

    node   rank  figure        cpu     memory  why
    node1  1     score 1.0000  12.5 %  6.2 %   possible
    node2        score 0.0000  31.2 %  28.1 %  kept apart from vm:101 (rule apart)
    node3                                      not online: unknown

    For it to go to node2:
      vm:101 would have to leave node2 or be stopped
      the best node would have to be asked for (best_score)
      node node2 (score 0.0000) would have to suit better than score 1.0000: node1 comes first
    ");
}

#[test]
fn the_moment_decides_what_is_explained() {
    let answer = |at: &str| {
        let (_, out, _) = explain("moment", &["--service", "vm:100", "--at", at, "--format", "json"]);
        let report: Value = serde_json::from_str(&out).unwrap();
        (report["explanation"]["node"].clone(), report["explanation"]["decided_by"].clone())
    };
    assert_eq!(answer("1m"), ("node3".into(), "stay".into()));
    assert_eq!(answer("5m"), ("node1".into(), "stay".into()));
}

#[test]
fn balancing_is_explained_with_its_best_moves() {
    let (well, out, _) = explain("balance", &["--balance", "--at", "1m"]);
    assert!(well);
    insta::assert_snapshot!(out, @r"
    nothing is moved yet: the imbalance of 0.4716 is above 0.3 in round 1 of 3

    services  from   to     imbalance  gain
    vm:101    node2  node1  0.6729     -42.7 %
    vm:102    node1  node2  0.6729     -42.7 %
    vm:100    node3  node1  0.8266     -75.3 %
    vm:102    node1  node3  0.8266     -75.3 %
    ");
}

#[test]
fn what_is_not_there_is_said() {
    let (well, _, error) = explain("missing", &["--service", "vm:200"]);
    assert!(!well);
    assert_eq!(error, "error: the manager status has no service 'vm:200'\n");
    let (well, _, error) = explain("missing", &["--service", "vm:100", "--node", "node9"]);
    assert!(!well);
    assert_eq!(error, "error: the cluster has no node 'node9'\n");
}
