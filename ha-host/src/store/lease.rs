//! Locks with leases, where nothing but the content of a file is shared.
//!
//! A lock is a record with its holder and a count. Taking or renewing it writes another count, under a lock on the file,
//! so that no two records of one lock are ever the same. Nobody writes a time: **whether a lease is over is judged by who
//! wants the lock**, by its own monotonic clock. It is over when that node has seen the very same record for a full
//! lifetime.
//!
//! Why that is safe: let the holder ask for its last renewal at *a*. The record was written at *w* ≥ *a*, and was seen
//! first at *s* ≥ *w*. It passes on at *s* + lifetime, which by no clock is earlier than *a* + lifetime, but for the drift
//! of one clock against the other. No wall clock takes part; clocks may jump. Any change of the record, even one to an older
//! content after a crash of the file server, lets the count begin anew, so it errs on the long side.
//!
//! What it costs: a node counts only from when it has looked. So each node looks at all locks all the time, and the first
//! takeover after a node's start takes a full lifetime from that start.

use std::{collections::BTreeMap, time::Duration};

use ha_core::{
    host::{Lock, LockAnswer},
    id::NodeName,
    time::Instant,
};
use serde::{Deserialize, Serialize};

/// What stands in the file of a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaseRecord {
    /// Who holds it; nobody after a release.
    pub holder: Option<NodeName>,
    /// Grows with every change.
    pub count: u64,
    /// Names the process that wrote it, so that two processes never write the same record.
    pub writer: String,
    /// How long the holder counts on it.
    pub lifetime_ms: u64,
}

/// What to do about a lock that a node wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decision {
    /// Write this record; then that is the answer.
    Write(LeaseRecord, LockAnswer),
    /// Leave it: another node has it.
    Refuse,
}

/// The locks as a node has seen them.
#[derive(Debug, Default)]
pub(super) struct SeenLocks {
    locks: BTreeMap<Lock, Seen>,
}

#[derive(Debug)]
struct Seen {
    content: Vec<u8>,
    since: Instant,
}

impl SeenLocks {
    /// Takes note of the content of a lock's file. `read_at` must be a moment *after* it was read.
    pub(super) fn note(&mut self, lock: &Lock, content: &[u8], read_at: Instant) {
        match self.locks.get_mut(lock) {
            Some(seen) if seen.content == content => {}
            Some(_) | None => {
                self.locks.insert(lock.clone(), Seen { content: content.to_vec(), since: read_at });
            }
        }
    }

    /// For how long the lock has had this content, as far as is known.
    pub(super) fn unchanged_for(&self, lock: &Lock, content: &[u8], now: Instant) -> Duration {
        match self.locks.get(lock) {
            Some(seen) if seen.content == content => now.since(seen.since),
            Some(_) | None => Duration::ZERO,
        }
    }
}

/// Decides about a lock that `node` wants, whose file has had this content for at least `unchanged_for`.
pub(super) fn decide(
    content: Option<&[u8]>,
    unchanged_for: Duration,
    node: &NodeName,
    writer: &str,
    lifetime: Duration,
) -> Decision {
    let lifetime_ms = u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX);
    let record = |count| LeaseRecord { holder: Some(node.clone()), count, writer: writer.into(), lifetime_ms };
    let Some(content) = content else { return Decision::Write(record(1), LockAnswer::Acquired) };
    // A record that nobody can read may be somebody's all the same: it is left alone for a lifetime.
    let Ok(old) = serde_json::from_slice::<LeaseRecord>(content) else {
        let over = unchanged_for >= lifetime;
        return if over { Decision::Write(record(1), LockAnswer::Acquired) } else { Decision::Refuse };
    };
    let next = record(old.count.wrapping_add(1));
    match &old.holder {
        None => Decision::Write(next, LockAnswer::Acquired),
        Some(holder) if holder == node => Decision::Write(next, LockAnswer::Renewed),
        // If the two nodes have different settings the longer lifetime holds.
        Some(_) if unchanged_for >= lifetime.max(Duration::from_millis(old.lifetime_ms)) => {
            Decision::Write(next, LockAnswer::Acquired)
        }
        Some(_) => Decision::Refuse,
    }
}

/// The record after a release, if the node has the lock.
pub(super) fn released(content: Option<&[u8]>, node: &NodeName, writer: &str) -> Option<LeaseRecord> {
    let old: LeaseRecord = serde_json::from_slice(content?).ok()?;
    let held = old.holder.as_ref() == Some(node);
    held.then(|| LeaseRecord { holder: None, count: old.count.wrapping_add(1), writer: writer.into(), ..old })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFETIME: Duration = Duration::from_secs(10);

    fn node(name: &str) -> NodeName {
        NodeName::new(name).unwrap()
    }

    fn held_by(name: &str, count: u64, lifetime_ms: u64) -> Vec<u8> {
        let record = LeaseRecord { holder: Some(node(name)), count, writer: "w".into(), lifetime_ms };
        serde_json::to_vec(&record).unwrap()
    }

    fn answer(content: Option<&[u8]>, unchanged_for_s: u64) -> Option<LockAnswer> {
        match decide(content, Duration::from_secs(unchanged_for_s), &node("node1"), "me", LIFETIME) {
            Decision::Write(_, answer) => Some(answer),
            Decision::Refuse => None,
        }
    }

    #[test]
    fn a_lock_passes_on_only_after_a_full_lifetime_without_a_change() {
        assert_eq!(answer(None, 0), Some(LockAnswer::Acquired));
        assert_eq!(answer(Some(&held_by("node1", 1, 10_000)), 0), Some(LockAnswer::Renewed));
        assert_eq!(answer(Some(&held_by("node2", 1, 10_000)), 9), None);
        assert_eq!(answer(Some(&held_by("node2", 1, 10_000)), 10), Some(LockAnswer::Acquired));
    }

    #[test]
    fn the_longer_lifetime_of_two_nodes_holds() {
        assert_eq!(answer(Some(&held_by("node2", 1, 30_000)), 29), None);
        assert_eq!(answer(Some(&held_by("node2", 1, 1_000)), 9), None);
    }

    #[test]
    fn a_record_that_is_damaged_is_somebodys() {
        assert_eq!(answer(Some(b"{\"holder\": \"no"), 9), None);
        assert_eq!(answer(Some(b""), 9), None);
        assert_eq!(answer(Some(b""), 10), Some(LockAnswer::Acquired));
    }

    #[test]
    fn a_renewal_begins_the_count_anew_even_if_it_brings_back_an_old_content() {
        let mut seen = SeenLocks::default();
        let (old, new) = (held_by("node2", 1, 10_000), held_by("node2", 2, 10_000));
        seen.note(&Lock::Manager, &old, Instant::from_secs(0));
        seen.note(&Lock::Manager, &new, Instant::from_secs(5));
        seen.note(&Lock::Manager, &old, Instant::from_secs(8));
        assert_eq!(seen.unchanged_for(&Lock::Manager, &old, Instant::from_secs(11)), Duration::from_secs(3));
        assert_eq!(
            seen.unchanged_for(&Lock::Manager, &new, Instant::from_secs(11)),
            Duration::ZERO,
            "not what is there"
        );
    }

    #[test]
    fn only_the_holder_releases() {
        let content = held_by("node2", 4, 10_000);
        assert_eq!(released(Some(&content), &node("node1"), "me"), None);
        let record = released(Some(&content), &node("node2"), "me").unwrap();
        assert_eq!((record.holder, record.count), (None, 5));
    }
}
