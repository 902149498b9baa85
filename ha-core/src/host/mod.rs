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
mod lock;
mod probe;
mod statistics;

pub use crate::{event::HostOperation, lock::Lock};
pub use agent::{Agent, Job, JobId, JobStart, Workers};
pub use configuration::{Configuration, Guest, Guests};
pub use lock::{Hand, LockClaim, LockDecision, LockRecord};
pub use probe::{ProbeAttempt, ProbeProgress};
pub use statistics::{HostFigures, NodeFigures, ServiceFigures, Statistics, UnmanagedGuest};
#[expect(deprecated, reason = "the names from before")]
pub use statistics::{NodeStatistics, ServiceStatistics, UnmanagedService, UsageStatistics};

// Where it was before the questions had a room of their own.
#[doc(no_inline)]
pub use crate::plan::Rehearsal;

use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::{String, ToString},
    sync::Arc,
    vec::Vec,
};

use crate::{
    config::{GroupsConfig, RequestedState, ResourcesConfig, RulesConfig, fence::FenceCommand},
    event::{Event, Why},
    id::{NodeName, ServiceId, Uid},
    status::{LrmStatus, ManagerStatus},
    text_enum::text_enum,
    time::Instant,
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
/// ([`LockDecision::Twin`]) reports [`Event::TwinSeen`], calls neither of the node's daemons any more, and lets the
/// watchdog run out, until a person has decided.
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

/// Whether a feed was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedOutcome {
    /// It was.
    Fed,
    /// It came too late and was not made.
    TooLate,
}

text_enum! {
    FeedOutcome: "the outcome of a feed",
    Fed = "fed",
    TooLate = "too_late",
}

/// A watchdog that resets this node unless it is fed.
///
/// The core feeds it only after it has renewed its lock, and says until when that feed may be made: the host compares
/// with its monotonic clock as its last step before it touches the device. A feed that would come later is not made
/// ([`FeedOutcome::TooLate`]), or made with what is left where the device can be told. Otherwise a process that was
/// stopped between renewal and feed would live on after its lock has ended.
pub trait Watchdog {
    /// Arms the watchdog. `not_after`: as for [`feed`](Self::feed). If it fails or comes too late the core does not work under
    /// the lock that it just got, and gives it back.
    fn open(&mut self, not_after: Instant) -> Result<FeedOutcome, HostError>;

    /// Feeds it, if it is not later than `not_after`. On an error the core counts its lock as lost, and the node is reset
    /// in time.
    fn feed(&mut self, not_after: Instant) -> Result<FeedOutcome, HostError>;

    /// Disarms the watchdog without a reset. The core calls it only where nothing runs, or nothing is touched any more.
    /// On an error the node may be reset.
    fn close(&mut self) -> Result<(), HostError>;
}

/// The view of the cluster's members.
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

/// Where the records are read from. Both daemons read them.
pub trait StatusStore {
    /// The manager status as it was last written; `None` if none was ever written. A record that can't be read or
    /// understood is an error, never `None`: the core would begin from nothing.
    fn manager_status(&mut self) -> Result<Option<Arc<ManagerStatus>>, HostError>;

    /// The record of a node's LRM as it was last written; `None` if there is none. A host that can tell that the record of a
    /// former node is gone gives one with mode [`Unknown`](crate::status::LrmMode::Unknown).
    ///
    /// The master asks for each node's in every round; on an error the record that was read in the round before holds. An LRM
    /// asks for its own node's once, while quorate, before it writes its first one: what has failed by it is not done again under
    /// the same request, since a master may count that failure yet. On an error it asks again, and does nothing before.
    fn lrm_status(&mut self, node: &NodeName) -> Result<Option<Arc<LrmStatus>>, HostError>;
}

/// The configuration, as a whole.
pub trait ConfigurationStore {
    /// What is configured now. Parts that did not change should be the same [`Arc`]s or at least have the same digests,
    /// since the core works out again what depends on a part whose digest changed.
    fn configuration(&mut self) -> Result<Configuration, HostError>;
}

/// The records that the master reads and writes.
pub trait ManagerStore {
    /// Writes the manager status, whole or not at all. On an error the master keeps it and writes it in the next round.
    ///
    /// While HA is disarmed no watchdog ends a master that was stopped for longer than its lock lasts. A host that can
    /// should refuse the write of a node that does not hold the manager lock any more; otherwise the record of another
    /// master may be overwritten for one round.
    fn write_manager_status(&mut self, status: &ManagerStatus) -> Result<(), HostError>;

    /// Whether a command waits in the queue.
    fn commands_waiting(&mut self) -> Result<bool, HostError>;

    /// Takes all lines of the command queue, which is empty afterwards. A line is given once. On an error the round goes on
    /// without commands.
    fn take_commands(&mut self) -> Result<Vec<String>, HostError>;
}

/// The record that an LRM writes.
pub trait LrmStore {
    /// Writes this node's LRM status, whole or not at all. On an error it is written in the next iteration.
    fn write_lrm_status(&mut self, status: &LrmStatus) -> Result<(), HostError>;
}

/// The few things that the master does to guests and their configuration itself.
pub trait GuestControl {
    /// Moves the configuration of a guest from a node that was fenced to another one, so that it can be started there.
    /// Succeeds if it is there already, and fails if it is on a third node: it may run there. It must not touch the guest.
    fn move_configuration(&mut self, sid: &ServiceId, from: &NodeName, to: &NodeName) -> Result<(), HostError>;

    /// Removes the locks that a guest on a fenced node may have left and that are safe to remove after a reset (the names
    /// are in [`LEFTOVER_GUEST_LOCKS`]). Gives the name of the lock that was removed, if there was one.
    fn remove_leftover_locks(&mut self, sid: &ServiceId, node: &NodeName) -> Result<Option<String>, HostError>;

    /// Changes the requested state of a service in the configuration.
    fn set_requested_state(&mut self, sid: &ServiceId, state: RequestedState) -> Result<(), HostError>;

    /// Writes the rules file that the groups were turned into, then the resources file whose services name no group any
    /// more; only if both files still have the digests that these were made from.
    fn write_group_migration(&mut self, rules: &RulesConfig, resources: &ResourcesConfig) -> Result<(), HostError>;

    /// Removes the groups file, the last step of a group migration; only if it still is the given one.
    fn remove_groups(&mut self, groups: &GroupsConfig) -> Result<(), HostError>;

    /// The version of the software on a node, such as `9.0.0~16`; `None` if it is not known.
    fn software_version(&mut self, node: &NodeName) -> Result<Option<String>, HostError>;
}

/// Names of guest locks that are safe to remove after the guest's node was reset.
pub const LEFTOVER_GUEST_LOCKS: [&str; 9] =
    ["backup", "mounted", "migrate", "clone", "rollback", "snapshot", "snapshot-delete", "suspending", "suspended"];

/// How far a fence device has come with a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FenceProgress {
    /// Its commands still run.
    Running,
    /// All of its commands succeeded: the node is off.
    Succeeded,
    /// One of its commands failed or timed out.
    Failed,
}

text_enum! {
    FenceProgress: "the progress of a fence device",
    Running = "running",
    Succeeded = "succeeded",
    Failed = "failed",
}

/// One use of a fence device. It is named by `incident` and `number` together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FenceAttempt {
    /// The node that must be turned off.
    pub node: NodeName,
    /// The incident that it belongs to ([`FenceIncident`](crate::status::FenceIncident)).
    pub incident: Uid,
    /// Counts the attempts of a master in this incident, from 0.
    pub number: u32,
    /// Which of the node's devices it is, counted from 0. It comes again when all have failed and are tried again.
    pub device: u32,
}

/// Runs the commands of fence devices.
///
/// **An answer belongs to one attempt.** A success counts as proof that the node is off, so it has to come from commands that were
/// started for this very attempt. An answer to another one is never given: the node may have been up again meanwhile.
pub trait FenceDevices {
    /// Starts the commands of a device, all at once, if they were not started yet for this attempt, and says how far they have
    /// come. It is called once a round until it does not say [`FenceProgress::Running`] any more. An error counts as a failed
    /// device.
    ///
    /// Before it starts commands, what still runs for another attempt for this node has ended, or can do nothing more; as long as
    /// it may, the answer is [`FenceProgress::Running`]. It returns at once, also where a program hangs: the master's lock is
    /// renewed by the thread that calls.
    fn run(&mut self, attempt: &FenceAttempt, commands: &[FenceCommand]) -> Result<FenceProgress, HostError>;

    /// Forgets every attempt but those of the incidents that go on, and ends what runs for it, without waiting for that.
    ///
    /// It is called when a CRM becomes master and when it no longer is, and when an incident is over. An error is reported, and
    /// the call is made again in the next round.
    fn forget_fence_attempts(&mut self, except: &BTreeSet<Uid>) -> Result<(), HostError>;
}

/// Randomness, so that the unique ids of two masters never meet.
pub trait Entropy {
    /// Sixteen bytes that nobody can have had before.
    fn random_bytes(&mut self) -> Result<[u8; 16], HostError>;
}

/// Receives what happens.
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
