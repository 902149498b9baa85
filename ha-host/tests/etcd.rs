//! The etcd store, on a real etcd of three members, some of which fail.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use common::{Sandbox, etcd_words, has, signal, skip, wait_for};
use ha_core::{
    config::Editor,
    host::{Lock, LockAnswer},
    id::NodeName,
    timing::{TimingSettings, Timings},
};
use ha_host::store::{ClusterSettings, Session, SharedStore, StoreAddress, StoreSession, edit, service_types};

const LOCK: Lock = Lock::Manager;

/// Three members on loopback.
struct Etcd {
    members: Vec<Option<Child>>,
    commands: Vec<Vec<String>>,
    address: StoreAddress,
    _sandbox: Sandbox,
}

impl Etcd {
    /// Nothing, and a line that says so, where there is no etcd.
    fn start(name: &str) -> Option<Self> {
        if !has("etcd") {
            skip("there is no etcd here (Debian: etcd-server)");
            return None;
        }
        let sandbox = Sandbox::empty(name);
        let ports: Vec<u16> = {
            let free: Vec<TcpListener> = (0..6).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
            free.iter().map(|listener| listener.local_addr().unwrap().port()).collect()
        };
        let url = |port: u16| format!("http://127.0.0.1:{port}");
        let cluster: Vec<String> = (0..3).map(|member| format!("m{member}={}", url(ports[member + 3]))).collect();
        let command = |member: usize| {
            let directory = sandbox.directory.join(format!("m{member}"));
            etcd_words(&format!("m{member}"), &directory, &url(ports[member]), &url(ports[member + 3]), &cluster)
        };
        let endpoints = ports[..3].iter().map(|port| format!("127.0.0.1:{port}")).collect();
        let mut etcd = Self {
            members: vec![None, None, None],
            commands: (0..3).map(command).collect(),
            address: StoreAddress::Etcd { endpoints, prefix: "ha/test".into() },
            _sandbox: sandbox,
        };
        (0..3).for_each(|member| etcd.run(member));
        let timings = TimingSettings::fast().validate().unwrap();
        let settings = ClusterSettings { nodes: vec![node("node1"), node("node2")], timings };
        wait_for("etcd has a leader", 20, || etcd.address.create(&settings).is_ok());
        Some(etcd)
    }

    fn run(&mut self, member: usize) {
        let words = &self.commands[member];
        let child = Command::new(&words[0]).args(&words[1..]).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        self.members[member] = Some(child.unwrap());
    }

    fn kill(&mut self, member: usize) {
        let mut child = self.members[member].take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    fn signal(&self, member: usize, name: &str) {
        signal(self.members[member].as_ref().unwrap(), name);
    }

    fn open(&self) -> Arc<dyn SharedStore> {
        self.address.open(Duration::from_secs(2)).unwrap()
    }
}

impl Drop for Etcd {
    fn drop(&mut self) {
        for child in self.members.iter_mut().flatten() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn node(name: &str) -> NodeName {
    NodeName::new(name).unwrap()
}

fn timings() -> Timings {
    TimingSettings::fast().validate().unwrap()
}

fn session(etcd: &Etcd, name: &str) -> StoreSession {
    StoreSession::begin(etcd.open(), node(name), timings()).unwrap()
}

#[test]
fn edits_of_many_at_once_are_all_made() {
    let Some(etcd) = Etcd::start("etcd-edits") else { return };
    assert!(etcd.address.create(&etcd.open().settings().unwrap()).is_err(), "there is a cluster already");
    let types = service_types();
    let edits: Vec<_> = (0..4)
        .map(|thread_number| {
            let (store, types) = (etcd.open(), types.clone());
            thread::spawn(move || {
                for number in 0..10 {
                    let sid = format!("vm:{}", 100 + thread_number * 10 + number);
                    let editor = Editor::new(&types, &[]);
                    edit(&*store, &types, |config| editor.add_resource(config, &sid, &[])).unwrap().unwrap();
                    store.append_command(&format!("stop {sid} 0")).unwrap();
                }
            })
        })
        .collect();
    edits.into_iter().for_each(|thread| thread.join().unwrap());
    let store = etcd.open();
    let texts = store.config_texts().unwrap();
    let resources = String::from_utf8_lossy(texts.values().next().unwrap()).into_owned();
    assert_eq!(resources.matches("vm: ").count(), 40);
    assert_eq!(store.take_commands().unwrap().len(), 40);
    assert!(!store.commands_waiting().unwrap() && store.take_commands().unwrap().is_empty());
}

/// Two nodes want one lock and let go of it at times, while members of etcd die, freeze and come back.
#[test]
fn a_lock_never_has_two_holders_whatever_happens_to_etcd() {
    let Some(mut etcd) = Etcd::start("etcd-locks") else { return };
    let end = Instant::now() + Duration::from_secs(40);
    // Who was granted the lock, when it had asked, and when it had the answer.
    let grants: Arc<Mutex<Vec<(usize, Instant, Instant)>>> = Arc::default();
    let contenders: Vec<_> = (0..2)
        .map(|contender| {
            let (session, grants) = (session(&etcd, &format!("node{}", contender + 1)), grants.clone());
            thread::spawn(move || {
                let lifetime = timings().lock_lifetime();
                let mut held = 0;
                while Instant::now() < end {
                    let asked = Instant::now();
                    if let Ok(LockAnswer::Acquired | LockAnswer::Renewed) = session.take(&LOCK) {
                        grants.lock().unwrap().push((contender, asked, Instant::now()));
                        held += 1;
                    }
                    thread::sleep(Duration::from_millis(200));
                    if held == 10 + contender {
                        // It stops for long enough to lose it, as a node that freezes.
                        thread::sleep(lifetime + Duration::from_millis(1500));
                        held = 0;
                    }
                }
            })
        })
        .collect();
    for member in [0, 1, 2] {
        thread::sleep(Duration::from_secs(3));
        etcd.kill(member);
        thread::sleep(Duration::from_secs(3));
        etcd.run(member);
        thread::sleep(Duration::from_secs(2));
        etcd.signal((member + 1) % 3, "STOP");
        thread::sleep(Duration::from_secs(3));
        etcd.signal((member + 1) % 3, "CONT");
    }
    contenders.into_iter().for_each(|thread| thread.join().unwrap());
    let grants = grants.lock().unwrap().clone();
    let mut changes = 0;
    for (holder, asked, answered) in &grants {
        for (other, asked_later, answered_later) in &grants {
            // The later one was granted before its answer, which must not have come within the lifetime of the first.
            if holder != other && answered <= asked_later {
                let after = answered_later.duration_since(*asked);
                assert!(after >= timings().lock_lifetime(), "granted to another node after {after:?}");
                changes += 1;
            }
        }
    }
    assert!(changes > 0, "the lock never changed hands");
}

#[test]
fn without_a_quorum_nothing_is_granted_and_nobody_is_a_member() {
    let Some(mut etcd) = Etcd::start("etcd-quorum") else { return };
    let (one, two) = (session(&etcd, "node1"), session(&etcd, "node2"));
    assert_eq!(one.take(&LOCK).unwrap(), LockAnswer::Acquired);
    wait_for("both are members", 10, || one.members().unwrap().values().all(|online| *online));
    etcd.kill(0);
    wait_for("one member less is no harm", 20, || {
        matches!(one.take(&LOCK), Ok(LockAnswer::Renewed | LockAnswer::Acquired)) && one.refresh().is_ok()
    });
    assert_eq!(two.take(&LOCK).unwrap(), LockAnswer::Refused);
    etcd.kill(1);
    assert!(one.take(&LOCK).is_err() && two.take(&LOCK).is_err());
    wait_for("the view is out of date", 10, || one.refresh().is_err() && !one.is_quorate());
    assert!(one.members().unwrap().values().all(|online| !*online));
    etcd.run(0);
    wait_for("all is well again", 30, || one.refresh().is_ok() && one.is_quorate());
}
