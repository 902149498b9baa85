//! What a session makes of a store that takes its time.

use std::{fs, path::PathBuf, thread};

use ha_core::{host::Lock, timing::TimingSettings};

use super::*;
use crate::{
    os::files::{self, Durability},
    store::{ClusterSettings, FileStore, Store, slot},
};

fn node(name: &str) -> NodeName {
    NodeName::new(name).unwrap()
}

/// A session of `node1`, in a directory of its own.
struct Stage {
    directory: PathBuf,
    store: Arc<FileStore>,
    session: StoreSession,
}

impl Stage {
    fn new(name: &str) -> Self {
        Self::with(name, Timings::default())
    }

    fn with(name: &str, timings: Timings) -> Self {
        let directory = std::env::temp_dir().join(format!("ha-session-{name}-{}", std::process::id()));
        let settings = ClusterSettings { nodes: vec![node("node1"), node("node2")], timings };
        let store = Arc::new(FileStore::create(&directory, &settings).unwrap());
        let session = StoreSession::begin(store.clone(), node("node1"), timings).unwrap();
        assert!(session.is_present());
        Self { directory, store, session }
    }

    fn content(&self, lock: &Lock) -> Option<Vec<u8>> {
        let mut content = None;
        self.store.change_lock(lock, &mut |stands| (content = stands.map(<[u8]>::to_vec), None).1).unwrap();
        content
    }

    /// Another machine, or another process, writes that a node has a lock.
    fn write_by_another_hand(&self, lock: &Lock, holder: &str) {
        let content = held_by(holder);
        self.store.change_lock(lock, &mut |_| Some(content.clone())).unwrap();
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn held_by(holder: &str) -> Vec<u8> {
    compact(&Stands::Nothing.next(Some(&node(holder)), "another", Timings::default().lock_lifetime()))
}

const LOCK: Lock = Lock::Manager;

/// A lock passes on when it was unchanged for a lifetime. What was read late was seen late, whenever it was asked for.
#[test]
fn a_lock_counts_as_seen_from_when_it_was_read_and_not_from_when_that_was_asked_for() {
    let stage = Stage::new("late");
    let held_up = files::lock(&stage.directory.join(".guards").join(LOCK.to_string()), Duration::ZERO).unwrap();
    let content = held_by("node2");
    let renewed = thread::scope(|scope| {
        let asks = scope.spawn(|| stage.session.take(&LOCK));
        // It waits for its turn by now, or will: then it is late all the same.
        thread::sleep(Duration::from_millis(100));
        slot::write(&stage.directory.join(format!("locks/{LOCK}.json")), &content, "test", Durability::Memory).unwrap();
        let renewed = clock::instant();
        drop(held_up);
        assert_eq!(asks.join().unwrap().unwrap(), LockAnswer::Refused);
        renewed
    });
    let now = clock::instant();
    let unchanged_for = stage.session.shared.seen().locks.unchanged_for(&LOCK, &content, now);
    assert!(unchanged_for <= now.since(renewed), "{unchanged_for:?}");
}

#[test]
fn under_a_lock_that_another_hand_has_under_the_same_name_nothing_is_done_and_it_stays() {
    let stage = Stage::new("hand");
    stage.session.take(&LOCK).unwrap();
    stage.session.write_record(&RecordName::Manager, b"{}").unwrap();
    for holder in ["node1", "node2"] {
        stage.write_by_another_hand(&LOCK, holder);
        let before = stage.content(&LOCK);
        let written = stage.session.write_record(&RecordName::Manager, br#"{"master_node":"node1"}"#);
        assert!(matches!(written, Err(StoreError::NotMaster(_))), "{holder}: {written:?}");
        assert_eq!(stage.store.record(&RecordName::Manager).unwrap().as_deref(), Some(&b"{}"[..]), "{holder}");
        stage.session.release(&LOCK).unwrap();
        assert_eq!(stage.content(&LOCK), before, "{holder}");
        assert_eq!(stage.session.take(&LOCK).unwrap(), LockAnswer::Refused, "{holder}");
        assert_eq!(stage.content(&LOCK), before, "{holder}");
    }
}

#[test]
fn who_had_what_another_hand_has_written_is_a_twin_and_does_nothing_any_more() {
    let by_lock = Stage::new("twin-lock");
    by_lock.session.take(&LOCK).unwrap();
    by_lock.write_by_another_hand(&LOCK, "node1");
    assert!(matches!(by_lock.session.take(&LOCK), Err(StoreError::Twin { .. })));
    let by_record = Stage::new("twin-record");
    let record = RecordName::Lrm(node("node1"));
    by_record.session.write_record(&record, LrmStatus::default().to_json().as_bytes()).unwrap();
    let other = LrmStatus { timestamp: Some(1), ..LrmStatus::default() };
    by_record.store.write_record(&record, other.to_json().as_bytes(), &node("node1")).unwrap();
    assert!(by_record.session.write_record(&record, LrmStatus::default().to_json().as_bytes()).is_err());
    for stage in [by_lock, by_record] {
        assert!(stage.session.twin().is_some());
        assert!(stage.session.take(&Lock::Agent(node("node1"))).is_err());
        assert!(stage.session.refresh().is_err());
        assert!(!stage.session.is_quorate());
        assert!(stage.session.members().unwrap().values().all(|online| !online));
    }
}

/// A directory that is not mounted any more, or another one that is mounted there instead.
#[test]
fn in_another_store_than_that_of_its_cluster_a_session_takes_and_writes_nothing() {
    let stage = Stage::new("cluster");
    let id = stage.store.cluster_id().unwrap();
    let writer = StoreWriter::this_process(&Writer::new("machine", "boot"));
    let identity = Identity { writer, note: None, cluster: id, decided_against: None };
    let timings = Timings::default();
    let session = StoreSession::begin_as(stage.store.clone(), node("node2"), timings, identity).unwrap();
    assert_eq!(session.take(&LOCK).unwrap(), LockAnswer::Acquired);
    let record = RecordName::Lrm(node("node2"));
    session.write_record(&record, b"{}").unwrap();
    let before = stage.content(&LOCK);
    fs::write(stage.directory.join("cluster-id"), "another\n").unwrap();
    assert!(matches!(session.take(&LOCK), Err(StoreError::OtherCluster { .. })));
    assert_eq!(stage.content(&LOCK), before);
    let written = session.write_record(&record, br#"{"state":"active"}"#);
    assert!(matches!(written, Err(StoreError::OtherCluster { .. })), "{written:?}");
}

/// What a first session of a node may find written under its name: only what has left, or did not change for a lifetime, is its to
/// overwrite.
#[test]
fn a_sign_of_life_of_another_hand_is_overwritten_only_after_it_has_left_or_was_unchanged_for_a_lifetime() {
    let stage = Stage::with("beat", TimingSettings::fast().validate().unwrap());
    let shared = &stage.session.shared;
    let content = |left| compact(&Beat { left, mark: mark(), ..shared.empty_beat() });
    let seen_since = |age: Duration, content: &[u8]| {
        let mut watched = Watched::default();
        let now = clock::instant().since_start();
        watched.note(content, Instant::after_start(now.checked_sub(age).unwrap()));
        Seen { standing: Standing::Watching(watched), ..Seen::default() }
    };
    let lifetime = shared.timings.lock_lifetime();
    let may = |seen: &mut Seen, content: &[u8]| shared.is_left_to_overwrite(seen, "members/node1", Some(content));
    let stays = content(false);
    assert!(!may(&mut seen_since(lifetime / 2, &stays), &stays), "it may live");
    assert!(may(&mut seen_since(lifetime, &stays), &stays));
    let leaves = content(true);
    assert!(may(&mut seen_since(Duration::ZERO, &leaves), &leaves), "it says that it is gone");
    let mut present = Seen { standing: Standing::Present, ..Seen::default() };
    assert!(!may(&mut present, &leaves), "somebody else was here under this name");
    assert!(matches!(present.standing, Standing::HasTwin(_)));
}
