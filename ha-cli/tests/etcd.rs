//! The etcd store, on a real etcd of three members, some of which fail.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr)]

mod common;

use std::{
    collections::BTreeSet,
    fs,
    process::Child,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use common::{etcd::Etcd, signal, stderr, wait_for};
use ha_core::{
    config::Editor,
    event::Event,
    history::Entry,
    host::{Lock, LockAnswer},
    id::NodeName,
    timing::{TimingSettings, Timings},
};
use ha_host::{
    history::Journal,
    store::{
        GuestDefinition, RecordName, Session, SharedStore, StoreAddress, StoreError, StoreSession, edit, service_types,
    },
};

const LOCK: Lock = Lock::Manager;
const TWO: [&str; 2] = ["node1", "node2"];
const PATIENCE: Duration = Duration::from_secs(2);

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
fn the_history_takes_lines_of_many_at_once_and_forgets_the_oldest() {
    const EACH: usize = 40;
    let Some(etcd) = Etcd::start("etcd-history", 1, &TWO) else { return };
    assert_eq!((etcd.open().history_end().unwrap(), etcd.open().history(0).unwrap()), (0, Vec::new()));
    let writers: Vec<_> = (0..3)
        .map(|writer| {
            let store = etcd.open();
            thread::spawn(move || {
                for number in 0..EACH {
                    let line = |half: &str| format!("{writer} {number} {half} {}", "x".repeat(2000));
                    store.append_history(&[line("first"), line("second")]).unwrap();
                }
            })
        })
        .collect();
    writers.into_iter().for_each(|thread| thread.join().unwrap());
    let store = etcd.open();
    let (kept, end) = (store.history(0).unwrap(), 6 * EACH as u64);
    assert_eq!(store.history_end().unwrap(), end);
    let positions: Vec<u64> = kept.iter().map(|(position, _)| *position).collect();
    assert_eq!(positions, (end + 1 - kept.len() as u64..=end).collect::<Vec<_>>(), "no gap");
    assert!((64..200).contains(&kept.len()), "{} of 240 lines of 2 kB are kept", kept.len());
    let different: BTreeSet<&String> = kept.iter().map(|(_, line)| line).collect();
    assert_eq!(different.len(), kept.len(), "each once");
    for pair in kept.chunks_exact(2) {
        assert_eq!(pair[0].1.replace("first", "second"), pair[1].1, "what was appended together stays together");
    }
    assert_eq!(store.history(end - 1).unwrap().len(), 1);
    assert_eq!(store.history(end).unwrap(), Vec::new());
}

#[test]
fn edits_of_many_at_once_are_all_made() {
    let Some(etcd) = Etcd::start("etcd-edits", 3, &TWO) else { return };
    assert!(etcd.address().create(&etcd.open().settings().unwrap()).is_err(), "there is a cluster already");
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

#[test]
fn what_comes_while_something_is_removed_is_not_lost_with_it() {
    let Some(etcd) = Etcd::start("etcd-removal", 1, &TWO) else { return };
    let (removes, appends) = (etcd.open(), etcd.open());
    // A guest that is changed between the look at it and its removal is looked at again.
    let sid = "unit:web".parse().unwrap();
    let guest: GuestDefinition =
        serde_json::from_str(r#"{"node": "node1", "agent": {"unit": {"unit": "web.service"}}}"#).unwrap();
    appends.edit_guest(&sid, &mut |found| *found = Some(guest.clone())).unwrap();
    let mut seen = Vec::new();
    let remove_from_node1 = &mut |found: &mut Option<GuestDefinition>| {
        seen.extend(found.as_ref().map(|guest| guest.node.to_string()));
        if seen.len() == 1 {
            appends.edit_guest(&sid, &mut |found| found.as_mut().unwrap().node = node("node2")).unwrap();
        }
        if seen.last().is_some_and(|at| at == "node1") {
            *found = None;
        }
    };
    removes.edit_guest(&sid, remove_from_node1).unwrap();
    assert_eq!(seen, ["node1", "node2"]);
    assert_eq!(removes.guest(&sid).unwrap().unwrap().node, node("node2"));

    // Commands that are queued while the queue is emptied.
    const COMMANDS: usize = 100;
    let queue = thread::spawn(move || {
        (0..COMMANDS).for_each(|number| appends.append_command(&format!("stop vm:{number} 0")).unwrap());
    });
    let mut taken = Vec::new();
    while !queue.is_finished() {
        taken.extend(removes.take_commands().unwrap());
    }
    queue.join().unwrap();
    taken.extend(removes.take_commands().unwrap());
    let expected: Vec<String> = (0..COMMANDS).map(|number| format!("stop vm:{number} 0")).collect();
    assert_eq!(taken, expected, "each once, in their order");
}

/// As when a whole cluster is switched on.
#[test]
fn a_daemon_that_is_up_before_its_store_waits_for_it() {
    let Some(mut etcd) = Etcd::start("etcd-boot", 3, &TWO) else { return };
    (0..3).for_each(|member| etcd.kill(member));
    let mut daemon = etcd.sandbox.machine("node1", &[]);
    wait_for("it says so", 30, || etcd.sandbox.log_text("node1").contains("waits for the store"));
    (0..3).for_each(|member| etcd.run(member));
    wait_for("it begins", 30, || etcd.sandbox.log_text("node1").contains("begins"));
    assert!(daemon.try_wait().unwrap().is_none());
    signal(&daemon, "TERM");
    daemon.wait().unwrap();
}

/// Such as the write of a former master, which a member of etcd held back while it was frozen.
#[test]
fn a_write_that_was_held_up_does_not_undo_a_later_one() {
    let Some(etcd) = Etcd::start("etcd-late", 3, &TWO) else { return };
    let (former, present) = (etcd.open(), etcd.open());
    let write = |store: &Arc<dyn SharedStore>, name: &str, content: &[u8]| {
        store.write_record(&RecordName::Manager, content, &node(name))
    };
    write(&former, "node1", b"1").unwrap();
    write(&former, "node1", b"2").unwrap();
    assert_eq!(&*present.record(&RecordName::Manager).unwrap().unwrap(), b"2");
    write(&present, "node2", b"3").unwrap();
    let error = write(&former, "node1", b"late").unwrap_err();
    assert!(error.to_string().contains("changed by somebody else"), "{error}");
    assert_eq!(&*present.record(&RecordName::Manager).unwrap().unwrap(), b"3");
    // Whoever has looked again may write again.
    former.record(&RecordName::Manager).unwrap();
    write(&former, "node1", b"4").unwrap();
}

/// Two nodes want one lock and let go of it at times, while members of etcd die, freeze and come back.
#[test]
fn a_lock_never_has_two_holders_whatever_happens_to_etcd() {
    let Some(mut etcd) = Etcd::start("etcd-locks", 3, &TWO) else { return };
    let term = etcd.term();
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
                        // It stops for long enough to lose it, as a node that freezes does.
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
    assert!(etcd.term() > term, "the leader never changed");
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
    let Some(mut etcd) = Etcd::start("etcd-quorum", 3, &TWO) else { return };
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

/// As a master's: what it has seen stands for what is there only if both are the same, and revisions repeat.
#[test]
fn after_a_restore_from_a_backup_equal_revisions_do_not_stand_for_equal_contents() {
    let Some(mut etcd) = Etcd::start("etcd-restore", 1, &TWO) else { return };
    let node1 = node("node1");
    let (store, other) = (etcd.open(), etcd.open());
    store.write_record(&RecordName::Manager, b"before", &node1).unwrap();
    let (data, backup) = (etcd.directory(0), etcd.sandbox.directory.join("backup"));
    etcd.kill(0);
    common::copy(&data, &backup);
    etcd.run(0);
    wait_for("it is up", 20, || store.write_record(&RecordName::Manager, b"lost", &node1).is_ok());
    etcd.kill(0);
    fs::remove_dir_all(&data).unwrap();
    common::copy(&backup, &data);
    etcd.run(0);
    wait_for("it is up", 20, || other.record(&RecordName::Manager).is_ok());
    assert_eq!(&*other.record(&RecordName::Manager).unwrap().unwrap(), b"before");
    // The revision of what was lost, with another content.
    other.write_record(&RecordName::Manager, b"after", &node1).unwrap();
    let error = wait_for_answer(|| store.write_record(&RecordName::Manager, b"over it", &node1));
    assert!(error.unwrap_err().to_string().contains("changed by somebody else"));
    assert_eq!(&*store.record(&RecordName::Manager).unwrap().unwrap(), b"after", "and not what it remembers");
}

/// As in a directory: the name of a node is no proof, and a former holder stops.
#[test]
fn a_machine_of_the_same_name_is_another_holder() {
    let Some(etcd) = Etcd::start("etcd-twin", 1, &TWO) else { return };
    let first = session(&etcd, "node1");
    assert_eq!(first.take(&LOCK).unwrap(), LockAnswer::Acquired);
    let record = RecordName::Lrm(node("node1"));
    first.write_record(&record, b"{}").unwrap();
    first.write_record(&RecordName::Manager, b"{}").unwrap();
    let twin = session(&etcd, "node1");
    assert_eq!(twin.take(&LOCK).unwrap(), LockAnswer::Refused);
    assert!(twin.write_record(&RecordName::Manager, b"[]").is_err() && twin.write_record(&record, b"[]").is_err());
    wait_for("it sees that the other one lives", 10, || twin.twin().is_some());
    assert!(matches!(twin.take(&LOCK), Err(StoreError::Twin { .. })));
    drop(twin);
    assert_eq!(first.take(&LOCK).unwrap(), LockAnswer::Renewed);

    // Another hand has the lock meanwhile.
    let taken = br#"{"holder":"node1","count":9,"writer":"m/b/p","lifetime_ms":1,"mark":"x"}"#;
    etcd.open().change_lock(&LOCK, &mut |_| Some(taken.to_vec())).unwrap();
    assert!(matches!(first.write_record(&RecordName::Manager, b"[]"), Err(StoreError::NotMaster(_))));
    assert!(matches!(first.take(&LOCK), Err(StoreError::Twin { .. })));
    assert!(first.twin().is_some() && !first.is_quorate());
    assert_eq!(&*etcd.open().record(&RecordName::Manager).unwrap().unwrap(), b"{}");

    // A cluster has an id, which is made once.
    let id = etcd.open().cluster_id().unwrap().unwrap();
    assert_eq!(etcd.open().make_cluster_id().unwrap(), id);
    etcd.open().set_twin(&node("node1"), first.twin().as_ref()).unwrap();
    assert_eq!(etcd.open().twins().unwrap().len(), 1);
    etcd.open().set_twin(&node("node1"), None).unwrap();
    assert!(etcd.open().twins().unwrap().is_empty());
}

#[test]
fn an_etcd_that_has_gone_back_is_used_no_more() {
    let Some(mut etcd) = Etcd::start("etcd-back", 1, &TWO) else { return };
    let (data, backup) = (etcd.directory(0), etcd.sandbox.directory.join("backup"));
    etcd.kill(0);
    common::copy(&data, &backup);
    etcd.run(0);
    wait_for("it is up", 20, || etcd.address().open(PATIENCE).is_ok());
    let session = session(&etcd, "node1");
    assert_eq!(session.take(&LOCK).unwrap(), LockAnswer::Acquired);
    etcd.kill(0);
    fs::remove_dir_all(&data).unwrap();
    common::copy(&backup, &data);
    etcd.run(0);
    let error = wait_for_answer(|| session.take(&LOCK)).unwrap_err();
    assert!(error.to_string().contains("has gone back from revision"), "{error}");
    wait_for("nor does it take part any more", 20, || !session.is_quorate() && session.refresh().is_err());
    // Other programs go on with it. Even then this one does not.
    let other = etcd.open();
    (0..20).for_each(|_| other.append_command("x").unwrap());
    assert!(session.take(&LOCK).is_err());
}

/// The first answer other than that etcd is not up yet.
fn wait_for_answer<T>(mut ask: impl FnMut() -> Result<T, StoreError>) -> Result<T, StoreError> {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        match ask() {
            Err(error) if error.may_pass() && !error.to_string().contains("changed by") && Instant::now() < end => {}
            answer => return answer,
        }
    }
}

#[test]
fn members_that_are_not_named_are_found_and_those_of_another_etcd_are_not_asked() {
    let Some(mut etcd) = Etcd::start("etcd-members", 3, &TWO) else { return };
    let Some(stranger) = Etcd::start("etcd-stranger", 1, &TWO) else { return };
    let mut address = etcd.etcd_address();
    address.endpoints = vec![etcd.endpoint(0)];
    let by_one = StoreAddress::Etcd(address.clone()).open(PATIENCE).unwrap();
    address.endpoints.push(stranger.endpoint(0));
    let by_two = StoreAddress::Etcd(address).open(PATIENCE).unwrap();
    etcd.kill(0);
    wait_for("the others answer", 20, || by_one.settings().is_ok() && by_two.settings().is_ok());
    etcd.kill(1);
    etcd.kill(2);
    let error = by_two.settings().unwrap_err().to_string();
    let told = format!("{} belongs to another etcd cluster", stranger.endpoint(0));
    assert!(error.contains(&told), "{error}");
}

#[test]
fn without_a_quorum_a_verb_says_so_within_three_seconds() {
    let Some(mut etcd) = Etcd::start("etcd-verb", 3, &TWO) else { return };
    etcd.sandbox.ok(&["status"]);
    etcd.kill(0);
    let mut note = String::new();
    wait_for("the others go on", 10, || {
        let output = etcd.sandbox.ha(&["status"]);
        note = stderr(&output);
        output.status.success()
    });
    let told = format!("{} can't be reached (connection refused); the store goes on as long as", etcd.endpoint(0));
    assert!(note.contains(&told), "{note}");
    etcd.kill(1);
    let complain = |etcd: &Etcd| {
        let began = Instant::now();
        let complaint = etcd.sandbox.fails(1, &["status"]);
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
        complaint
    };
    let mut complaint = String::new();
    wait_for("the last one notices", 10, || {
        complaint = complain(&etcd);
        complaint.contains("has no quorum")
    });
    let told = format!("{} can't be reached (connection refused)", etcd.endpoint(0));
    assert!(complaint.contains(&told) && complaint.contains("systemctl start etcd"), "{complaint}");
    etcd.signal(2, "STOP");
    // Where the machine has no time for it, a verb says that it had none to ask anybody.
    wait_for("one that gives no answer is named", 10, || complain(&etcd).contains("gives no answer within"));
    etcd.kill(2);
    let complaint = complain(&etcd);
    assert!(complaint.contains("no member can be reached"), "{complaint}");
}

/// Machines with a service each, in a cluster whose store fails beside them.
struct Machines {
    etcd: Etcd,
    machines: Vec<Child>,
}

const THREE: [&str; 3] = ["node1", "node2", "node3"];

impl Machines {
    fn start(name: &str) -> Option<Self> {
        let etcd = Etcd::start(name, 3, &THREE)?;
        let machines = THREE.map(|node| etcd.sandbox.machine(node, &[])).into();
        let cluster = Self { etcd, machines };
        for (number, node) in THREE.iter().enumerate() {
            let (sid, disk) = (format!("proc:disk{number}"), cluster.disk(number));
            cluster.etcd.sandbox.guest(&sid, node, &[env!("CARGO_BIN_EXE_ha"), "demo-disk", &disk]);
            cluster.etcd.sandbox.ok(&["add", &sid]);
        }
        wait_for("services run", 60, || (0..3).all(|number| cluster.writers(number) == 1));
        wait_for("all nodes are guarded", 60, || cluster.etcd.sandbox.all_are_guarded());
        Some(cluster)
    }

    fn disk(&self, number: usize) -> String {
        self.etcd.sandbox.directory.join(format!("disk{number}")).display().to_string()
    }

    fn lines(&self, number: usize) -> Vec<String> {
        let text = fs::read_to_string(self.disk(number)).unwrap_or_default();
        text.split_inclusive('\n').filter(|line| line.ends_with('\n')).map(str::to_owned).collect()
    }

    /// How often another writer took a disk over.
    fn writers(&self, number: usize) -> usize {
        let lines = self.lines(number);
        let mut writers: Vec<&str> = lines.iter().filter_map(|line| line.split_whitespace().nth(2)).collect();
        writers.dedup();
        writers.len()
    }

    /// All that happened is in etcd, once each and without a gap, and a node that lives tells it.
    fn is_told(&self, dead: &str) {
        let ok = |arguments: &[&str]| self.etcd.sandbox.ok(&[&["--node", "node1"], arguments].concat());
        let told = || ok(&["failovers", dead]);
        wait_for("the failover is kept as over", 30, || told().contains(": over in "));
        assert!(
            told().contains(&format!("failover of {dead}")) && told().contains("the master got its lock"),
            "{}",
            told()
        );
        let store = self.etcd.open();
        let entries = || {
            let lines = store.history(0).unwrap();
            let positions: Vec<u64> = lines.iter().map(|(position, _)| *position).collect();
            assert_eq!(positions, (1..=lines.len() as u64).collect::<Vec<_>>(), "no gap");
            lines.iter().map(|(_, line)| Entry::from_json(line).unwrap()).collect::<Vec<_>>()
        };
        let ids = |entries: &[Entry]| entries.iter().map(|entry| entry.id.to_string()).collect::<BTreeSet<_>>();
        for node in THREE.iter().filter(|node| **node != dead) {
            let journal = || Journal::read(&self.etcd.sandbox.state(node).join("history"), usize::MAX).unwrap().0;
            wait_for("all that its journal has is in etcd", 30, || ids(&journal()).is_subset(&ids(&entries())));
        }
        let kept = entries();
        assert_eq!(ids(&kept).len(), kept.len(), "nothing is there twice");
        let is_recovery = |entry: &&Entry| matches!(entry.event(), Some(Event::ServiceRecovered { .. }));
        let recovery = (1..).zip(&kept).find(|(_, entry)| is_recovery(entry)).unwrap().0.to_string();
        let told = ok(&["history", "explain", &recovery]);
        assert!(told.contains(&format!("  {dead}\tnot online: ")) && told.contains("because of this"), "{told}");
    }

    /// Cuts a node's power.
    fn cut(&mut self, number: usize) {
        common::signal(&self.machines[number], "TERM");
        self.machines[number].wait().unwrap();
    }
}

impl Drop for Machines {
    fn drop(&mut self) {
        // What is waited for in vain has its reason there.
        if std::thread::panicking() {
            for node in THREE {
                let log = self.etcd.sandbox.log_text(node);
                let lines: Vec<&str> = log.lines().rev().take(40).collect();
                eprintln!("-- {node}\n{}", lines.into_iter().rev().collect::<Vec<_>>().join("\n"));
            }
        }
        for machine in &mut self.machines {
            if matches!(machine.try_wait(), Ok(None)) {
                common::signal(machine, "TERM");
                let _ = machine.wait();
            }
        }
    }
}

/// The leader dies with a node; later another leader freezes, with one more election, while all is well.
#[test]
fn a_failover_goes_through_whatever_member_of_etcd_leads_or_dies() {
    let Some(mut cluster) = Machines::start("etcd-failover") else { return };
    let leader = cluster.etcd.leader();
    cluster.etcd.kill(leader);
    cluster.cut(2);
    let cut = Instant::now();
    wait_for("its service comes up elsewhere", 60, || cluster.writers(2) == 2);
    eprintln!("service elsewhere {:.1} s after node and leader died", cut.elapsed().as_secs_f64());
    cluster.etcd.run(leader);
    let term = cluster.etcd.term();
    let leader = cluster.etcd.leader();
    cluster.etcd.signal(leader, "STOP");
    let running = (leader + 1) % 3;
    wait_for("another one leads", 20, || cluster.etcd.term_of(running) > Some(term));
    cluster.etcd.signal(leader, "CONT");
    let written = cluster.lines(2).len();
    wait_for("and services go on", 30, || cluster.lines(2).len() > written + 10);
    for number in 0..3 {
        let numbers = cluster.lines(number).into_iter();
        let numbers: Vec<usize> = numbers.map(|line| line.split(' ').next().unwrap().parse().unwrap()).collect();
        assert!(numbers.iter().copied().eq(1..=numbers.len()), "two writers of disk {number}");
    }
    cluster.is_told("node3");
}

#[test]
fn the_demonstration_runs_in_etcd() {
    let Some(etcd) = Etcd::prepare("etcd-demo", 0) else { return };
    let output = etcd.sandbox.command().args(["demo", "--store", "etcd"]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{told}\n{}", stderr(&output));
    assert!(told.contains("A member of etcd is killed"), "{told}");
    assert!(told.contains("No second writer, no lost write, every failover within its bound."), "{told}");
}

#[test]
fn nodes_join_and_leave_by_their_verbs_and_leave_nothing_behind() {
    let Some(etcd) = Etcd::start("etcd-nodes", 1, &TWO) else { return };
    let store = etcd.open();
    let node: NodeName = "node9".parse().unwrap();
    etcd.sandbox.ok(&["node", "add", "node9"]);
    assert!(store.settings().unwrap().nodes.contains(&node));
    store.write_record(&RecordName::Lrm(node.clone()), b"{}", &node).unwrap();
    etcd.sandbox.ok(&["node", "remove", "node9"]);
    assert!(!store.settings().unwrap().nodes.contains(&node));
    assert!(store.record(&RecordName::Lrm(node)).unwrap().is_none());
}
