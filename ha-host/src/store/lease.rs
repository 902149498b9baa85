//! Locks with leases, where nothing but the content of a file is shared.
//!
//! A lock is a record with its holder, a count, and a mark that no other record has. Taking or renewing it writes others, under a
//! lock on the file, so that no two records of one lock are ever the same. Nobody writes a time: **whether a lease is over is judged
//! by who wants the lock**, by its own monotonic clock. It is over when that node has seen the very same record for a full
//! lifetime.
//!
//! Why that is safe: let the holder ask for its last renewal at *a*. The record was written at *w* ≥ *a*, and was seen
//! first at *s* ≥ *w*. It passes on at *s* + lifetime, which by no clock is earlier than *a* + lifetime, but for the drift
//! of one clock against the other. No wall clock takes part; clocks may jump. Any change of the record, even one to an older
//! content after a crash of the file server, lets the count begin again, so it errs on the long side.
//!
//! The holder is not a name but a *hand*: [`Hands`](super::hand::Hands) tells a process what it wrote itself, and
//! [`LockClaim`](ha_core::host::LockClaim) decides. What another machine of the same name holds is another's.
//!
//! What it costs: a node counts only from when it has looked. So each node looks at all locks all the time, and the first
//! takeover after a node's start takes a full lifetime from that start.

use std::{collections::BTreeMap, time::Duration};

use ha_core::{
    host::{Hand, Lock, LockRecord},
    id::NodeName,
    time::Instant,
};
use serde::{Deserialize, Serialize};

use super::hand::mark;

/// What is in the file of a lock.
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
    /// What no other record has.
    #[serde(default)]
    pub mark: String,
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

/// What is in a lock's file, for [`LockClaim::decide`](ha_core::host::LockClaim::decide).
#[derive(Debug)]
pub(super) enum Stands {
    Nothing,
    Damaged,
    Record(LeaseRecord),
}

impl Stands {
    pub(super) fn read(content: Option<&[u8]>) -> Self {
        let Some(content) = content else { return Self::Nothing };
        serde_json::from_slice(content).map_or(Self::Damaged, Self::Record)
    }

    /// As the core's decision takes it. A record that nobody can read may be somebody's all the same.
    pub(super) fn record(&self, hand: Hand) -> LockRecord<'_> {
        match self {
            Self::Nothing | Self::Record(LeaseRecord { holder: None, .. }) => LockRecord::Free,
            Self::Damaged => LockRecord::Damaged,
            Self::Record(LeaseRecord { holder: Some(holder), lifetime_ms, .. }) => {
                LockRecord::Held { holder, hand, lifetime: Duration::from_millis(*lifetime_ms) }
            }
        }
    }

    /// Whether nobody holds the lock by this.
    pub(super) fn is_free(&self) -> bool {
        match self {
            Self::Nothing => true,
            Self::Damaged => false,
            Self::Record(record) => record.holder.is_none(),
        }
    }

    /// The node that holds the lock by this.
    pub(super) fn holder(&self) -> Option<&NodeName> {
        match self {
            Self::Record(record) => record.holder.as_ref(),
            Self::Nothing | Self::Damaged => None,
        }
    }

    /// Who wrote it, for people.
    pub(super) fn writer(&self) -> &str {
        match self {
            Self::Record(record) => &record.writer,
            Self::Nothing | Self::Damaged => "nobody",
        }
    }

    /// The record that comes after it.
    pub(super) fn next(&self, holder: Option<&NodeName>, writer: &str, lifetime: Duration) -> LeaseRecord {
        let count = match self {
            Self::Record(record) => record.count.wrapping_add(1),
            Self::Nothing | Self::Damaged => 1,
        };
        LeaseRecord {
            holder: holder.cloned(),
            count,
            writer: writer.into(),
            lifetime_ms: u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX),
            mark: mark(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFETIME: Duration = Duration::from_secs(10);

    fn node(name: &str) -> NodeName {
        NodeName::new(name).unwrap()
    }

    fn held_by(name: &str, count: u64) -> Vec<u8> {
        let record = LeaseRecord {
            holder: Some(node(name)),
            count,
            writer: "w".into(),
            lifetime_ms: 10_000,
            mark: String::new(),
        };
        serde_json::to_vec(&record).unwrap()
    }

    #[test]
    fn what_stands_there_is_free_only_if_it_says_so() {
        let is_free = |content: Option<&[u8]>| Stands::read(content).record(Hand::Another) == LockRecord::Free;
        assert!(is_free(None));
        assert!(!is_free(Some(b"")) && !is_free(Some(b"{\"holder\": \"no")) && !is_free(Some(b"{}")));
        assert!(!is_free(Some(&held_by("node1", 1))));
        let stands = Stands::read(Some(&held_by("node1", 1)));
        let released = serde_json::to_vec(&stands.next(None, "w", LIFETIME)).unwrap();
        assert!(is_free(Some(&released)));
    }

    #[test]
    fn no_two_records_of_a_lock_are_the_same() {
        let stands = Stands::read(Some(&held_by("node1", u64::MAX)));
        let next = || stands.next(Some(&node("node1")), "w", LIFETIME);
        assert_eq!(next().count, 0, "it begins again, and harms nobody");
        assert_ne!(next(), next());
    }

    #[test]
    fn a_renewal_begins_the_count_anew_even_if_it_brings_back_an_old_content() {
        let mut seen = SeenLocks::default();
        let (old, new) = (held_by("node2", 1), held_by("node2", 2));
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
}
