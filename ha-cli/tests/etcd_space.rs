//! The space of etcd: it keeps every old value until it is told to forget them, and takes no change once it is full.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr)]

mod common;

use std::time::{Duration, Instant};

use common::{etcd::Etcd, wait_for};
use ha_core::id::NodeName;
use ha_host::store::{EtcdStore, RecordName, Store, StoreError};
use serde_json::{Value, json};

/// Longer than any disk takes: this test is not about slow disks.
const PATIENCE: Duration = Duration::from_secs(60);

fn with_quota(name: &str, megabytes: u32) -> Option<Etcd> {
    let mut etcd = Etcd::prepare(name, 1)?;
    etcd.more.push(format!("--quota-backend-bytes={}", megabytes * 1_000_000));
    etcd.run(0);
    etcd.init(&["node1"]);
    Some(etcd)
}

/// Writes a record again and again, as daemons do. Gives how often it was written before that failed, and why it failed.
fn write(store: &EtcdStore, times: usize) -> (usize, Option<StoreError>) {
    let node = NodeName::new("node1").unwrap();
    for time in 0..times {
        let content = format!("{time:010240}");
        if let Err(error) = store.write_record(&RecordName::Manager, content.as_bytes(), &node) {
            return (time, Some(error));
        }
    }
    (times, None)
}

fn size(etcd: &Etcd) -> u64 {
    let status = etcd.ask(0, "maintenance/status", &json!({})).unwrap();
    status["dbSize"].as_str().unwrap().parse().unwrap()
}

#[test]
fn a_master_keeps_etcd_from_filling_up_with_what_was() {
    let Some(left_alone) = with_quota("etcd-left-alone", 8) else { return };
    let store = EtcdStore::open(&left_alone.etcd_address(), PATIENCE).unwrap();
    let (times, error) = write(&store, 10_000);
    let error = error.expect("it is never full").to_string();
    assert!(error.contains("alarm NOSPACE") && error.contains("etcdctl defrag"), "{error}");
    drop(left_alone);

    let Some(looked_after) = with_quota("etcd-looked-after", 8) else { return };
    let store = EtcdStore::open(&looked_after.etcd_address(), PATIENCE).unwrap();
    let store = store.with_retention(Duration::ZERO);
    let mut made = 0;
    while made < 2 * times {
        let (more, error) = write(&store, 100);
        assert!(error.is_none(), "after {made} changes: {error:?}");
        made += more;
        store.upkeep(&|| true).unwrap();
    }
    let kept = size(&looked_after) / 1000;
    eprintln!("8 MB are full after {times} changes; with upkeep {made} changes leave {kept} kB");
}

#[test]
fn who_is_not_the_master_forgets_nothing() {
    let Some(etcd) = with_quota("etcd-no-master", 64) else { return };
    let store = EtcdStore::open(&etcd.etcd_address(), PATIENCE).unwrap().with_retention(Duration::ZERO);
    let first = |etcd: &Etcd| {
        let question = json!({"key": "aGEvdGVzdC9zdGF0dXMvbWFuYWdlcg==", "revision": "3"});
        etcd.ask(0, "kv/range", &question).unwrap()["kvs"][0]["value"].is_string()
    };
    write(&store, 1);
    for is_master in [false, true] {
        let end = Instant::now() + Duration::from_secs(3);
        while Instant::now() < end && first(&etcd) {
            write(&store, 3);
            store.upkeep(&|| is_master).unwrap();
        }
        assert_eq!(first(&etcd), !is_master);
    }
}

fn fill(etcd: &Etcd, key: &str, kilobytes: usize) -> Value {
    let value = "QUFB".repeat(kilobytes * 1000 / 3);
    etcd.ask(0, "kv/put", &json!({"key": key, "value": value})).unwrap()
}

#[test]
fn a_short_quota_is_said_in_time_and_a_daemon_makes_room_when_it_is_used_up() {
    let Some(etcd) = with_quota("etcd-full", 20) else { return };
    etcd.sandbox.guest("proc:web", "node1", &["sleep", "1000"]);
    etcd.sandbox.ok(&["add", "proc:web"]);
    let mut daemon = etcd.sandbox.node("node1");
    wait_for("there is a master", 30, || etcd.sandbox.ok(&["status"]).contains("master node1"));
    assert!(!etcd.sandbox.ok(&["status", "--json"]).contains("quota"));
    while size(&etcd) < 16_200_000 {
        assert!(fill(&etcd, "eA==", 100)["error"].is_null());
    }
    let status: Value = serde_json::from_str(&etcd.sandbox.ok(&["status", "--json"])).unwrap();
    let text = status["store"]["problems"][0]["text"].as_str().unwrap();
    assert!(text.contains("% of its quota of 20 MB"), "{text}");
    wait_for("the log says it too", 60, || etcd.sandbox.log_text("node1").contains("% of its quota of 20 MB"));

    wait_for("it is full", 30, || !fill(&etcd, "eA==", 100)["error"].is_null());
    let full = Instant::now();
    wait_for("there is room again", 30, || fill(&etcd, "eA==", 1)["error"].is_null());
    eprintln!("room was made {:.1} s after etcd was full", full.elapsed().as_secs_f64());
    wait_for("the log says so", 10, || etcd.sandbox.log_text("node1").contains("etcd had used up its space"));
    assert!(size(&etcd) < 3_000_000);
    let status: Value = serde_json::from_str(&etcd.sandbox.ok(&["status", "--json"])).unwrap();
    assert_eq!(status["store"]["problems"], json!([]));
    wait_for("and it goes on", 10, || etcd.sandbox.ok(&["status"]).contains("master node1 (active"));
    let lost = etcd.sandbox.log_text("node1").contains("lost_manager_lock");
    eprintln!("the master's lock, with its `fast` timings, was {} meanwhile", if lost { "lost" } else { "kept" });
    daemon.kill().unwrap();
    daemon.wait().unwrap();
}
