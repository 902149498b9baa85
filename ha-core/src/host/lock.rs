//! The locks of a cluster; and who has one, by whose hand its record was written, for hosts that keep locks as records in a store.
//!
//! A node's name is no proof: a cloned machine, or one that was restored from a backup, has the same. So a record says who
//! wrote it (machine, boot, and something that no other process has), and a name counts only together with the proof
//! that this very process wrote what is there.

use core::time::Duration;

use super::HostError;
use crate::{id::NodeName, lock::Lock, text_enum::text_enum};

/// The answer to asking for a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockAnswer {
    /// It was free or expired, and is held by this node now.
    Acquired,
    /// It was held by this node, and its lease begins again.
    Renewed,
    /// This node has it now, and the host can't tell whether it had it before: for hosts whose locks say only whether they were taken.
    /// It counts as renewed as long as the last lease proves that nobody else can have had it meanwhile, else as acquired.
    ///
    /// To answer [`Acquired`](Self::Acquired) each time instead is no way out: the master then takes itself for a new one in every
    /// round, begins to count again for how long each node is gone, and never fences one. See [`LockAnswer::by_writer`].
    Held,
    /// It is held by another node, or there is no quorum.
    Refused,
}

text_enum! {
    LockAnswer: "an answer about a lock",
    Acquired = "acquired",
    Renewed = "renewed",
    Held = "held",
    Refused = "refused",
}

impl LockAnswer {
    /// The answer of a host whose lock says only whether it was `taken`, by who had written the lock's record last *before* it was
    /// asked for (none if nobody had, or the lock was released): by the same writer it is renewed, else acquired.
    ///
    /// A writer is a text that no other process ever has: machine, boot and something random. A node's name alone is not enough.
    ///
    /// ```
    /// use ha_core::host::LockAnswer;
    ///
    /// assert_eq!(LockAnswer::by_writer(true, Some("node1 boot-7 4f1a"), "node1 boot-7 4f1a"), LockAnswer::Renewed);
    /// assert_eq!(LockAnswer::by_writer(true, Some("node1 boot-6 99e0"), "node1 boot-7 4f1a"), LockAnswer::Acquired);
    /// assert_eq!(LockAnswer::by_writer(true, None, "node1 boot-7 4f1a"), LockAnswer::Acquired);
    /// assert_eq!(LockAnswer::by_writer(false, Some("node1 boot-7 4f1a"), "node1 boot-7 4f1a"), LockAnswer::Refused);
    /// ```
    #[must_use]
    pub fn by_writer(taken: bool, before: Option<&str>, own: &str) -> Self {
        match (taken, before) {
            (false, _) => Self::Refused,
            (true, Some(before)) if before == own && !own.is_empty() => Self::Renewed,
            (true, Some(_) | None) => Self::Acquired,
        }
    }
}

/// Locks of the cluster, held by nodes (not by daemons) under a lease.
///
/// The core relies on this: from the moment that [`take`](Self::take) was *called*, for at least the lock lifetime, no
/// other node gets the lock, unless this node releases it. No lock is given without quorum.
///
/// "Node" means one machine on one boot, not a name: a cloned machine, or one that was restored from a backup, is another
/// holder, although its name is the same. A host keeps with each lock by whose hand it was taken, and lets
/// [`LockClaim::decide`] decide; the same goes for a node's sign of life and its LRM's record, which are written only by the
/// hand that wrote them last, or when they were unchanged for a lock lifetime. A host that finds by another hand what it had
/// ([`LockDecision::Twin`]) reports [`Event::TwinSeen`](crate::event::Event::TwinSeen), calls neither of the node's daemons any more, and lets the
/// watchdog run out, until a person has decided.
///
/// ```
/// use std::collections::BTreeMap;
///
/// use ha_core::host::{ClusterLock, HostError, Lock, LockAnswer};
///
/// /// Leases in a store that all nodes see alike: by lock, who holds it, and until when.
/// struct Leases {
///     node: &'static str,
///     now_s: u64,
///     held: BTreeMap<Lock, (&'static str, u64)>,
/// }
///
/// impl ClusterLock for Leases {
///     fn take(&mut self, lock: &Lock) -> Result<LockAnswer, HostError> {
///         // The lifetime counts from the call or later, never from before it.
///         let lease = (self.node, self.now_s + 120);
///         let answer = match self.held.get(lock) {
///             Some((holder, ends)) if *ends > self.now_s && *holder == self.node => LockAnswer::Renewed,
///             Some((_, ends)) if *ends > self.now_s => return Ok(LockAnswer::Refused),
///             Some(_) | None => LockAnswer::Acquired,
///         };
///         self.held.insert(lock.clone(), lease);
///         Ok(answer)
///     }
///
///     fn release(&mut self, lock: &Lock) -> Result<(), HostError> {
///         if self.held.get(lock).is_some_and(|(holder, _)| *holder == self.node) {
///             self.held.remove(lock);
///         }
///         Ok(())
///     }
/// }
///
/// let mut leases = Leases { node: "node1", now_s: 0, held: BTreeMap::new() };
/// assert_eq!(leases.take(&Lock::Manager)?, LockAnswer::Acquired);
/// leases.node = "node2";
/// leases.now_s = 119;
/// assert_eq!(leases.take(&Lock::Manager)?, LockAnswer::Refused);
/// leases.release(&Lock::Manager)?;
/// assert_eq!(leases.take(&Lock::Manager)?, LockAnswer::Refused, "who does not have it can't give it up");
/// leases.now_s = 120;
/// assert_eq!(leases.take(&Lock::Manager)?, LockAnswer::Acquired);
/// # Ok::<(), HostError>(())
/// ```
pub trait ClusterLock {
    /// Takes the lock, or renews it if this node has it.
    ///
    /// The answer may come late: the core counts the lease from the call. It must be the answer to *this* call. On an
    /// error the core treats the lock as not renewed.
    fn take(&mut self, lock: &Lock) -> Result<LockAnswer, HostError>;

    /// Gives the lock up, so that another node can take it at once. Releasing a lock that this node does not have does
    /// nothing. On an error it is left to expire.
    fn release(&mut self, lock: &Lock) -> Result<(), HostError>;
}

/// By whose hand a record that names this node was written, as far as the process that asks can *prove* it.
///
/// A process knows its own hand by remembering what it has written: each write carries something that no other one has
/// (random bytes with the count and the clock), so that what is there is its own only if it is one of the writes that it made, or
/// tried to make without learning what came of it. Machine and boot alone prove nothing: a snapshot that is resumed
/// twice has both of them twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hand {
    /// This process has written exactly that.
    Own,
    /// A process before it on the same boot of the same machine has written exactly that, and is proven to be gone: this
    /// one holds an exclusive lock that the other one held all its life, and has what that one left there about its
    /// writes.
    Predecessor,
    /// Anybody else, or it is not known.
    Another,
}

text_enum! {
    Hand: "a hand",
    Own = "own",
    Predecessor = "predecessor",
    Another = "another",
}

/// What the record of a lock says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockRecord<'a> {
    /// There is none, or it says that nobody holds the lock.
    Free,
    /// Something that can't be read, as after a power cut in the middle of a write. It may be somebody's.
    Damaged,
    /// A node holds it.
    Held {
        /// The node.
        holder: &'a NodeName,
        /// By whose hand that was written. Looked at only where the holder has the name of the node that asks.
        hand: Hand,
        /// How long the holder counts on it.
        lifetime: Duration,
    },
}

/// A process that wants a lock for its node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockClaim<'a> {
    /// The node.
    pub node: &'a NodeName,
    /// Whether this process has the lock as far as it knows: it took it, and has neither released it nor been refused since.
    pub holds: bool,
    /// How long this process counts on a lock.
    pub lifetime: Duration,
}

/// What to do about a lock that a process wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockDecision {
    /// Replace it by a record of one's own, in one step with having looked; once that is done, this is the answer.
    Take(LockAnswer),
    /// Leave it: the answer is [`LockAnswer::Refused`].
    Refuse,
    /// Leave it, for good: another machine works under this node's name and has written what this process had. The node's
    /// daemons are not called any more and no watchdog is fed or closed, until a person has decided who is who.
    Twin,
}

impl LockDecision {
    /// The decision as a word: `acquired`, `renewed`, `refused` or `twin`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Take(LockAnswer::Acquired) => "acquired",
            Self::Take(LockAnswer::Renewed | LockAnswer::Held) => "renewed",
            Self::Take(LockAnswer::Refused) | Self::Refuse => "refused",
            Self::Twin => "twin",
        }
    }
}

impl LockClaim<'_> {
    /// Decides about the lock.
    ///
    /// `unchanged_for`: for how long the process has seen the very same record, by its own monotonic clock, counted from a
    /// moment *after* it was read first.
    ///
    /// * A free lock is taken.
    /// * What this process wrote, or one before it that is proven to be gone, is renewed.
    /// * What any other hand holds, under this node's name or another one, passes on when it was unchanged for a lifetime,
    ///   the longer one of both.
    /// * What is there by another hand under this node's name, where this process had the lock, shows a twin.
    ///
    /// ```
    /// use core::time::Duration;
    /// use ha_core::host::{Hand, LockAnswer, LockClaim, LockDecision, LockRecord};
    /// use ha_core::id::NodeName;
    ///
    /// let (node, lifetime) = (NodeName::new("node1")?, Duration::from_secs(120));
    /// let claim = LockClaim { node: &node, holds: false, lifetime };
    /// let by = |hand| LockRecord::Held { holder: &node, hand, lifetime };
    /// assert_eq!(claim.decide(by(Hand::Own), Duration::ZERO), LockDecision::Take(LockAnswer::Renewed));
    /// assert_eq!(claim.decide(by(Hand::Another), Duration::from_secs(119)), LockDecision::Refuse);
    /// assert_eq!(claim.decide(by(Hand::Another), lifetime), LockDecision::Take(LockAnswer::Acquired));
    /// # Ok::<(), ha_core::id::IdError>(())
    /// ```
    #[must_use]
    pub fn decide(&self, record: LockRecord<'_>, unchanged_for: Duration) -> LockDecision {
        let after = |lifetime| match unchanged_for >= lifetime {
            true => LockDecision::Take(LockAnswer::Acquired),
            false => LockDecision::Refuse,
        };
        match record {
            LockRecord::Free => LockDecision::Take(LockAnswer::Acquired),
            LockRecord::Damaged => after(self.lifetime),
            LockRecord::Held { holder, lifetime, .. } if holder != self.node => after(self.lifetime.max(lifetime)),
            LockRecord::Held { hand: Hand::Own | Hand::Predecessor, .. } => LockDecision::Take(LockAnswer::Renewed),
            LockRecord::Held { hand: Hand::Another, .. } if self.holds => LockDecision::Twin,
            LockRecord::Held { hand: Hand::Another, lifetime, .. } => after(self.lifetime.max(lifetime)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFETIME: Duration = Duration::from_secs(10);

    fn decided(holds: bool, record: LockRecord<'_>, unchanged_for_s: u64) -> &'static str {
        let node = NodeName::new("node1").unwrap();
        LockClaim { node: &node, holds, lifetime: LIFETIME }
            .decide(record, Duration::from_secs(unchanged_for_s))
            .as_str()
    }

    fn held<'a>(holder: &'a NodeName, hand: Hand, lifetime_s: u64) -> LockRecord<'a> {
        LockRecord::Held { holder, hand, lifetime: Duration::from_secs(lifetime_s) }
    }

    #[test]
    fn a_name_counts_only_with_the_proof_of_ones_own_hand() {
        let own = NodeName::new("node1").unwrap();
        for (hand, expected) in [(Hand::Own, "renewed"), (Hand::Predecessor, "renewed"), (Hand::Another, "refused")] {
            assert_eq!(decided(false, held(&own, hand, 10), 9), expected, "{hand}");
        }
        assert_eq!(decided(false, held(&own, Hand::Another, 10), 10), "acquired", "like anybody, after a lifetime");
    }

    #[test]
    fn who_had_a_lock_that_another_hand_has_written_is_a_twin_however_long_ago_that_was() {
        let own = NodeName::new("node1").unwrap();
        assert_eq!(decided(true, held(&own, Hand::Another, 10), 0), "twin");
        assert_eq!(decided(true, held(&own, Hand::Another, 10), 1000), "twin");
        let other = NodeName::new("node2").unwrap();
        assert_eq!(decided(true, held(&other, Hand::Another, 10), 0), "refused", "it was fenced, which is no twin");
        assert_eq!(decided(true, LockRecord::Damaged, 0), "refused", "nobody knows whose that is");
    }

    #[test]
    fn what_is_free_is_taken_and_what_is_another_nodes_passes_on_after_the_longer_lifetime() {
        let other = NodeName::new("node2").unwrap();
        assert_eq!(decided(false, LockRecord::Free, 0), "acquired");
        assert_eq!(
            decided(false, held(&other, Hand::Own, 10), 9),
            "refused",
            "the hand says nothing about another name"
        );
        assert_eq!(decided(false, held(&other, Hand::Another, 10), 10), "acquired");
        assert_eq!(decided(false, held(&other, Hand::Another, 30), 29), "refused");
        assert_eq!(decided(false, held(&other, Hand::Another, 1), 9), "refused");
        assert_eq!(decided(false, LockRecord::Damaged, 9), "refused");
        assert_eq!(decided(false, LockRecord::Damaged, 10), "acquired");
    }
}
