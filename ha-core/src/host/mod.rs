//! What a host implements: small traits, one for each role.
//!
//! A host is the program that embeds the core. It owns the store, the locks, the watchdog and the guests; the core
//! decides. All methods are synchronous and may block for a while; what the core counts on is said with each of them.
//!
//! **Errors.** Any method may fail with a [`HostError`], at any time. The core reports it as
//! [`Event::HostCallFailed`], leaves what it knows as it was, and tries again later. An
//! error never leads to a feed of the watchdog. If it is not known whether a call took effect, say so with an error: the
//! core treats it as not done where that is the safe side, and asks again before it counts on either.

mod agent;
mod configuration;
mod fence;
mod guests;
mod lock;
mod probe;
mod statistics;
mod store;
mod watchdog;

pub use crate::{event::HostOperation, lock::Lock};
pub use agent::{Agent, Job, JobId, JobStart, Workers};
pub use configuration::{Configuration, Guest, Guests};
pub use fence::{FenceAttempt, FenceDevices, FenceProgress};
pub use guests::{GuestControl, LEFTOVER_GUEST_LOCKS};
pub use lock::{ClusterLock, Hand, LockAnswer, LockClaim, LockDecision, LockRecord};
pub use probe::{ProbeAttempt, ProbeProgress};
pub use statistics::{HostFigures, NodeFigures, ServiceFigures, Statistics, UnmanagedGuest};
#[expect(deprecated, reason = "the names from before")]
pub use statistics::{NodeStatistics, ServiceStatistics, UnmanagedService, UsageStatistics};
pub use store::{ConfigurationStore, LrmStore, ManagerStore, StatusStore};
pub use watchdog::{FeedOutcome, Watchdog};

// Where it was before the questions had a room of their own.
#[doc(no_inline)]
pub use crate::plan::Rehearsal;

use alloc::{
    collections::BTreeMap,
    string::{String, ToString},
    vec::Vec,
};

use crate::{
    event::{Event, Why},
    id::NodeName,
};

/// A call of the host that failed, in the host's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct HostError {
    /// What went wrong, for people.
    pub message: String,
    /// The lock (`backup`, `snapshot`, …) that keeps an agent from its guest for now: then nothing has failed, and the job is
    /// tried again later. See [`HostError::locked`].
    pub lock: Option<String>,
}

impl HostError {
    /// An error with this message.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), lock: None }
    }

    /// The answer of an [`Agent`] to a start, stop or move that a lock of the guest does not allow for now.
    #[must_use]
    pub fn locked(lock: impl Into<String>) -> Self {
        let lock = lock.into();
        Self { message: alloc::format!("the guest is locked by '{lock}'"), lock: Some(lock) }
    }
}

/// The view of the cluster's members.
///
/// ```
/// use std::collections::BTreeMap;
///
/// use ha_core::{
///     host::{HostError, Membership},
///     id::NodeName,
/// };
///
/// /// All members, each with whether it is heard, by the view that was brought up to date last.
/// struct View {
///     node: NodeName,
///     heard: BTreeMap<NodeName, bool>,
/// }
///
/// impl Membership for View {
///     fn refresh(&mut self) -> Result<(), HostError> {
///         // … ask the membership layer; if it does not answer that is an error …
///         Ok(())
///     }
///
///     fn is_quorate(&mut self) -> bool {
///         let heard = self.heard.values().filter(|heard| **heard).count();
///         self.heard.get(&self.node) == Some(&true) && heard > self.heard.len() / 2
///     }
///
///     fn members(&mut self) -> Result<BTreeMap<NodeName, bool>, HostError> {
///         let quorate = self.is_quorate();
///         Ok(self.heard.iter().map(|(node, heard)| (node.clone(), quorate && *heard)).collect())
///     }
/// }
///
/// let [node1, node2] = [NodeName::new("node1")?, NodeName::new("node2")?];
/// let mut view = View { node: node1.clone(), heard: [(node1, true), (node2, false)].into() };
/// assert!(!view.is_quorate(), "half of them is no majority");
/// assert!(view.members()?.values().all(|online| !online));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Membership {
    /// Brings the view up to date. Called once at the beginning of each iteration. On an error the iteration decides nothing
    /// about services.
    fn refresh(&mut self) -> Result<(), HostError>;

    /// Whether this node is in the quorate partition, by the present view. Say no if it can't be told.
    ///
    /// A node that is no member, or no member any more, never is, and gets no lock: nobody would wait for what it does. A host that
    /// finds its node taken out of the list while its daemons run reports [`Event::RemovedFromCluster`] and asks the LRM to stop as
    /// for [`NodeShutdown`](crate::lrm::StopRequest::NodeShutdown): services are stopped as long as the last lease proves that they
    /// are this node's own, and the watchdog resets the node where that fails.
    fn is_quorate(&mut self) -> bool;

    /// All members of the cluster, each with whether it is online: in this node's quorate partition. Where this node is
    /// not quorate, none is.
    fn members(&mut self) -> Result<BTreeMap<NodeName, bool>, HostError>;
}

/// Randomness, so that the unique ids of two masters never meet.
///
/// ```
/// use std::{fs::File, io::Read};
///
/// use ha_core::host::{Entropy, HostError};
///
/// struct Kernel;
///
/// impl Entropy for Kernel {
///     fn random_bytes(&mut self) -> Result<[u8; 16], HostError> {
///         let mut bytes = [0; 16];
///         let read = File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
///         read.map_err(|error| HostError::new(format!("no randomness: {error}")))?;
///         Ok(bytes)
///     }
/// }
///
/// assert_ne!(Kernel.random_bytes()?, Kernel.random_bytes()?);
/// # Ok::<(), HostError>(())
/// ```
pub trait Entropy {
    /// Sixteen bytes that nobody can have had before.
    fn random_bytes(&mut self) -> Result<[u8; 16], HostError>;
}

/// Receives what happens.
///
/// ```
/// use ha_core::{
///     event::Event,
///     host::{EventSink, HostOperation},
/// };
///
/// /// Hands lines on to a thread that writes them.
/// struct Log(std::sync::mpsc::Sender<String>);
///
/// impl EventSink for Log {
///     fn event(&mut self, event: Event) {
///         // Nobody may read any more: that is no failure of the daemon.
///         let _ = self.0.send(format!("{:?}: {event}", event.severity()));
///     }
/// }
///
/// let (sender, lines) = std::sync::mpsc::channel();
/// let failed = Event::HostCallFailed { operation: HostOperation::TakeLock, message: "no answer".to_owned() };
/// Log(sender).event(failed);
/// assert!(lines.recv()?.ends_with("take_lock failed: no answer"));
/// # Ok::<(), std::sync::mpsc::RecvError>(())
/// ```
pub trait EventSink {
    /// Takes note of an event. It must not fail and should not block.
    fn event(&mut self, event: Event);

    /// Whether this host keeps why something was decided. It is worked out only for those that do.
    fn keeps_reasons(&self) -> bool {
        false
    }

    /// Takes note of an event that is a decision about where a service goes, with why: instead of [`event`](Self::event), and only
    /// where [`keeps_reasons`](Self::keeps_reasons) says so.
    fn decision(&mut self, event: Event, why: Why) {
        drop(why);
        self.event(event);
    }
}

/// A list of events is a sink: for tests, and for hosts that look at them after a call.
impl EventSink for Vec<Event> {
    fn event(&mut self, event: Event) {
        self.push(event);
    }
}

/// All that a CRM needs of its host.
pub trait CrmHost:
    Membership
    + ClusterLock
    + Watchdog
    + StatusStore
    + ConfigurationStore
    + ManagerStore
    + GuestControl
    + FenceDevices
    + Statistics
    + Entropy
    + EventSink
{
}

impl<T> CrmHost for T where
    T: Membership
        + ClusterLock
        + Watchdog
        + StatusStore
        + ConfigurationStore
        + ManagerStore
        + GuestControl
        + FenceDevices
        + Statistics
        + Entropy
        + EventSink
        + ?Sized
{
}

/// All that an LRM needs of its host.
pub trait LrmHost:
    Membership + ClusterLock + Watchdog + StatusStore + ConfigurationStore + LrmStore + Workers + EventSink
{
}

impl<T> LrmHost for T where
    T: Membership + ClusterLock + Watchdog + StatusStore + ConfigurationStore + LrmStore + Workers + EventSink + ?Sized
{
}

/// Reports a failed call, and gives its answer if it did not fail.
pub(crate) fn answer<T>(
    sink: &mut (impl EventSink + ?Sized),
    operation: HostOperation,
    result: Result<T, HostError>,
) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(error) => {
            sink.event(Event::HostCallFailed { operation, message: error.to_string() });
            None
        }
    }
}
