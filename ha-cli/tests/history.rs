//! What has happened, as it is kept by real nodes: in their journals, and in the store for all.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command},
    time::Instant,
};

use common::{Sandbox, SmallDisk, signal, wait_for};
use ha_core::{
    event::{DaemonState, Event},
    history::{Cause, Entry, FailoverOutcome, Failovers, Source},
    id::{NodeName, ServiceId},
    status::{NodeState, UtcTime},
};
use ha_host::{
    history::{Journal, Reader},
    store::{FileStore, Store},
};

const NODES: [&str; 3] = ["node1", "node2", "node3"];

struct Cluster {
    sandbox: Sandbox,
    machines: BTreeMap<&'static str, Child>,
}

impl Cluster {
    /// Three nodes, each with a service that writes nothing.
    fn start(name: &str) -> Self {
        let sandbox = Sandbox::with_room(name);
        sandbox.ok(&["init", "--nodes", &NODES.join(","), "--timings", "fast"]);
        Self { sandbox, machines: BTreeMap::new() }
    }

    fn boot(&mut self, node: &'static str) {
        self.machines.insert(node, self.sandbox.machine(node, &[]));
    }

    fn with_services(mut self) -> Self {
        NODES.iter().for_each(|node| self.boot(node));
        for node in NODES {
            let sid = format!("proc:of-{node}");
            self.sandbox.guest(&sid, node, &["tail", "-f", self.sandbox.log(node).to_str().unwrap()]);
            self.sandbox.ok(&["add", &sid]);
        }
        wait_for("all services run under a watchdog", 60, || {
            NODES.iter().all(|node| self.sandbox.shown(&format!("proc:of-{node}")) == "started")
                && self.sandbox.all_are_guarded()
        });
        self
    }

    /// The power of a machine fails.
    fn cut(&mut self, node: &str) {
        let mut machine = self.machines.remove(node).unwrap();
        signal(&machine, "TERM");
        machine.wait().unwrap();
    }

    fn master(&self) -> &'static str {
        let status: serde_json::Value = serde_json::from_str(&self.sandbox.ok(&["status", "--json"])).unwrap();
        let master = status["master"]["node"].as_str().unwrap().to_owned();
        NODES.into_iter().find(|node| *node == master).unwrap()
    }

    fn entries(&self) -> Vec<Entry> {
        let store = FileStore::open(self.sandbox.store()).unwrap();
        let kept = Reader::of_cluster().read(Some(&store)).unwrap();
        assert_eq!(kept.problems, Vec::<String>::new());
        kept.entries
    }

    fn has(&self, is_meant: impl Fn(&Entry) -> bool) -> bool {
        self.entries().iter().any(is_meant)
    }

    /// The ids in a node's journal.
    fn journal(&self, node: &str) -> BTreeSet<String> {
        let (entries, unreadable) = Journal::read(&self.sandbox.state(node).join("history"), usize::MAX).unwrap();
        assert!(unreadable.is_empty(), "{unreadable:?}");
        entries.iter().map(|entry| entry.id.to_string()).collect()
    }

    fn ids(&self) -> BTreeSet<String> {
        self.entries().iter().map(|entry| entry.id.to_string()).collect()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for machine in self.machines.values_mut() {
            if matches!(machine.try_wait(), Ok(None)) {
                signal(machine, "TERM");
            }
            let _ = machine.wait();
        }
    }
}

fn node(name: &str) -> NodeName {
    NodeName::new(name).unwrap()
}

/// The names of all events that a node's daemons have written to its log.
fn logged(log: &str) -> Vec<String> {
    let lines = log.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let of_daemons = lines.filter(|line| line["src"].as_str().is_some_and(|source| source.contains('/')));
    of_daemons.map(|line| format!("{} {}", line["src"].as_str().unwrap(), line["event"].as_str().unwrap())).collect()
}

/// The same of what is kept.
fn kept(entries: &[Entry], node: &str) -> Vec<String> {
    let of_node = entries.iter().filter(|entry| entry.id.is_of(&NodeName::new(node).unwrap()));
    of_node.map(|entry| format!("{}/{} {}", entry.node, entry.source, entry.what.name())).collect()
}

#[test]
fn a_change_of_master_leaves_no_gap_and_no_duplicate() {
    let mut cluster = Cluster::start("history").with_services();
    let master = cluster.master();
    let followed = cluster.sandbox.directory.join("followed");
    let mut follower = cluster.sandbox.command();
    follower.args(["history", "-f", "--json", "-n", "0"]).stdout(fs::File::create(&followed).unwrap());
    let mut follower = follower.spawn().unwrap();
    let sid: ServiceId = format!("proc:of-{master}").parse().unwrap();
    cluster.cut(master);
    let is_started = |entry: &Entry| {
        matches!(entry.event(), Some(Event::AgentStarted { sid: started }) if *started == sid) && entry.node != *master
    };
    wait_for("its service is started elsewhere, and that is kept", 60, || cluster.has(is_started));

    // Any other node tells what the dead one did, what was done about it, and why.
    let entries = cluster.entries();
    let became_master =
        |entry: &&Entry| matches!(entry.event(), Some(Event::DaemonState { to: DaemonState::Master, .. }));
    let masters: Vec<&str> = entries.iter().filter(became_master).map(|entry| entry.node.as_str()).collect();
    assert_eq!((masters.len(), masters[0]), (2, master), "{masters:?}");
    let recovered = entries.iter().find(|entry| matches!(entry.event(), Some(Event::ServiceRecovered { .. }))).unwrap();
    assert_eq!(recovered.cause, Some(Cause::Recovery));
    let why = recovered.why.as_ref().unwrap();
    assert!(why.text.starts_with(&format!("{sid} goes from {master} to ")), "{}", why.text);
    let mut failovers = Failovers::default();
    entries.iter().for_each(|entry| failovers.take(entry));
    let [failover] = failovers.all() else { panic!("{:?}", failovers.all()) };
    assert_eq!((failover.outcome, failover.with_master), (FailoverOutcome::Done, true));
    assert_eq!((failover.node.as_str(), failover.services.len()), (master, 1));
    assert!(failover.lost_ms.is_some_and(|lost| lost <= failover.noticed_ms), "{failover:?}");

    let (recovery, why) = (recovered.position.unwrap(), why.text.clone());
    cluster.is_told_by_the_command(master, &sid, recovery, &why);

    // Nothing that the daemons have reported is missing or there twice, and this is also true of the one that comes back.
    cluster.boot(master);
    wait_for("it is online again", 60, || {
        let rejoined = |entry: &Entry| matches!(entry.event(), Some(Event::NodeState { node, to: NodeState::Online, .. }) if *node == *master);
        cluster.entries().iter().filter(|entry| rejoined(entry)).count() > 1
    });
    wait_for("what it had in its journal is in the store", 60, || cluster.journal(master).is_subset(&cluster.ids()));
    for name in NODES {
        cluster.cut_in_order(name);
    }
    cluster.was_followed(&followed, &mut follower, recovery);
    let store = FileStore::open(cluster.sandbox.store()).unwrap();
    let lines = store.history(0).unwrap();
    let positions: Vec<u64> = lines.iter().map(|(position, _)| *position).collect();
    assert_eq!(positions, (1..=lines.len() as u64).collect::<Vec<_>>());
    let entries = cluster.entries();
    assert_eq!(entries.len(), lines.len(), "nothing is there twice");
    for name in NODES.into_iter().filter(|name| *name != master) {
        let mut logged = logged(&cluster.sandbox.log_text(name));
        let mut kept = kept(&entries, name);
        logged.sort();
        kept.sort();
        assert_eq!(kept, logged, "{name}");
        assert!(cluster.journal(name).is_subset(&cluster.ids()));
    }
}

impl Cluster {
    /// What `ha` says of the loss of a master on another node.
    fn is_told_by_the_command(&self, master: &str, sid: &ServiceId, recovery: u64, why: &str) {
        let other = NODES.into_iter().find(|name| *name != master).unwrap();
        let ok = |arguments: &[&str]| self.sandbox.ok(&[&["--node", other], arguments].concat());
        let told = ok(&["failovers", master]);
        assert!(told.contains(&format!("failover of {master}, which was the master: over in ")), "{told}");
        assert!(told.contains("the master got its lock"), "{told}");
        assert!(told.contains(&format!("{sid}\t")) && told.contains(", started after "), "{told}");
        let recovery = recovery.to_string();
        let told = ok(&["history", "explain", &recovery]);
        assert!(told.contains(why) && told.contains(&format!("  {master}\tnot online: ")), "{told}");
        assert!(told.contains(&format!("node {master}: unknown → fence")), "{told}");
        let told = ok(&["history", sid.as_str(), "--since", "1h"]);
        assert!(told.contains(&format!("ha history explain {recovery}")) && told.contains("added: proc:of-"), "{told}");
        let status = || String::from_utf8(self.sandbox.ha(&["status"]).stdout).unwrap();
        let is_shown = |line: &str| line.starts_with(&format!("service {sid} (")) && line.contains(", started) for ");
        wait_for("the status says since when it runs", 20, || status().lines().any(is_shown));
        let told = status();
        assert!(
            told.lines().any(|line| line.contains(&format!("node {master} (")) && line.contains("; fenced at ")),
            "{told}"
        );
    }

    /// Whoever follows has seen all of it too, each entry once, from where it began.
    fn was_followed(&self, followed: &Path, follower: &mut Child, recovery: u64) {
        let seen = || fs::read_to_string(followed).unwrap();
        let end = FileStore::open(self.sandbox.store()).unwrap().history_end().unwrap();
        let is_the_end = |line: &str| Entry::from_json(line).is_ok_and(|entry| entry.position == Some(end));
        let is_all_seen = || seen().lines().last().is_some_and(is_the_end);
        wait_for("who follows has seen the last entry", 20, is_all_seen);
        signal(follower, "TERM");
        assert!(follower.wait().unwrap().success());
        let positions: Vec<u64> =
            seen().lines().map(|line| Entry::from_json(line).unwrap().position.unwrap()).collect();
        assert!(positions[0] < recovery);
        assert_eq!(positions, (positions[0]..=end).collect::<Vec<_>>());
    }

    /// The daemon of a node ends in good order.
    fn cut_in_order(&mut self, node: &str) {
        let pid = fs::read_to_string(self.sandbox.directory.join(format!("run-{node}/daemon.pid"))).unwrap();
        let stopped = Command::new("kill").args(["-TERM", pid.trim()]).status().unwrap();
        assert!(stopped.success());
        self.machines.remove(node).unwrap().wait().unwrap();
    }
}

/// A pipe that nobody reads or writes is where the history must be kept: whoever opens it waits for ever.
#[test]
fn a_history_that_hangs_costs_only_history() {
    let mut cluster = Cluster::start("history-hangs");
    let today = UtcTime(ha_host::os::clock::wall()).to_string().split(' ').next().unwrap().to_owned();
    let pipe = |path: std::path::PathBuf| {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let _ = fs::remove_file(&path);
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    };
    for name in NODES {
        pipe(cluster.sandbox.state(name).join(format!("history/{today}-000.jsonl")));
    }
    pipe(cluster.sandbox.store().join("history/00000000000000000001.jsonl"));
    cluster = cluster.with_services();
    let victim = NODES.into_iter().find(|name| *name != cluster.master()).unwrap();
    let sid = format!("proc:of-{victim}");
    let began = Instant::now();
    cluster.cut(victim);
    wait_for("its service runs elsewhere", 20, || {
        let guest = fs::read_to_string(cluster.sandbox.store().join(format!("guests/{sid}.json"))).unwrap();
        !guest.contains(&format!("\"node\": \"{victim}\"")) && cluster.sandbox.shown(&sid) == "started"
    });
    wait_for("the others say so", 60, || {
        NODES.iter().filter(|name| **name != victim).all(|name| {
            let log = cluster.sandbox.log_text(name);
            // One of them has the store's history locked; the others wait for that in vain.
            let in_store = ["the history in the store hangs", "the history is not kept in the store for now"];
            log.contains("the history on the disk of this node hangs") && in_store.iter().any(|text| log.contains(text))
        })
    });
    let logs: String = NODES.iter().map(|name| cluster.sandbox.log_text(name)).collect();
    for harm in ["lost_agent_lock", "lost_manager_lock", "watchdog_feed_too_late", "reset by its watchdog"] {
        assert!(!logs.contains(harm), "{harm} within {:?}: {logs}", began.elapsed());
    }
}

#[test]
fn what_a_full_disk_does_not_take_is_kept_when_there_is_room() {
    let mut cluster = Cluster::start("history-full");
    let journal = cluster.sandbox.state("node1").join("history");
    let Some(disk) = SmallDisk::mount(&journal, 1024) else { return };
    // What is mounted there is open to all, as /tmp is.
    fs::set_permissions(&journal, fs::Permissions::from_mode(0o700)).unwrap();
    disk.fill();
    cluster = cluster.with_services();
    let says = |cluster: &Cluster, what: &str| cluster.sandbox.log_text("node1").contains(what);
    wait_for("it is said that the journal is full", 20, || {
        says(&cluster, "the history is not kept in the journal in ")
    });
    assert!(says(&cluster, "No space left on device"));
    assert_eq!(cluster.journal("node1").len(), 0);
    disk.make_room();
    wait_for("it is said that it goes on", 20, || says(&cluster, "the history is kept in the journal in "));
    wait_for("all of it is there", 20, || {
        let of_node1 = cluster.entries().into_iter().filter(|entry| entry.id.is_of(&node("node1")));
        let ids: BTreeSet<String> = of_node1.map(|entry| entry.id.to_string()).collect();
        cluster.journal("node1").is_superset(&ids) && !ids.is_empty()
    });
    assert!(cluster.has(|entry| entry.source == Source::Crm));
}
