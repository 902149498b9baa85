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
///
/// ```
/// use ha_core::{
///     host::{FeedOutcome, HostError, Watchdog},
///     time::Instant,
/// };
///
/// /// A device, and the clock that is read right before it is touched.
/// struct Device<C> {
///     clock: C,
///     feeds: u32,
/// }
///
/// impl<C: Fn() -> Instant> Watchdog for Device<C> {
///     fn open(&mut self, not_after: Instant) -> Result<FeedOutcome, HostError> {
///         self.feed(not_after)
///     }
///
///     fn feed(&mut self, not_after: Instant) -> Result<FeedOutcome, HostError> {
///         if (self.clock)() > not_after {
///             return Ok(FeedOutcome::TooLate);
///         }
///         // … nothing else may come between: write to the device …
///         self.feeds += 1;
///         Ok(FeedOutcome::Fed)
///     }
///
///     fn close(&mut self) -> Result<(), HostError> {
///         Ok(())
///     }
/// }
///
/// let mut device = Device { clock: || Instant::from_secs(60), feeds: 0 };
/// assert_eq!(device.feed(Instant::from_secs(60))?, FeedOutcome::Fed);
/// assert_eq!(device.feed(Instant::from_secs(59))?, FeedOutcome::TooLate);
/// assert_eq!(device.feeds, 1);
/// # Ok::<(), HostError>(())
/// ```
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

/// Where the records are read from. Both daemons read them.
///
/// ```
/// use std::{collections::BTreeMap, sync::Arc};
///
/// use ha_core::{
///     host::{HostError, StatusStore},
///     id::NodeName,
///     status::{LrmStatus, ManagerStatus},
/// };
///
/// /// The records as JSON, by their names.
/// struct Records(BTreeMap<String, String>);
///
/// impl StatusStore for Records {
///     fn manager_status(&mut self) -> Result<Option<Arc<ManagerStatus>>, HostError> {
///         let Some(json) = self.0.get("manager_status") else { return Ok(None) };
///         let status = ManagerStatus::from_json(json).map_err(|error| HostError::new(error.to_string()))?;
///         Ok(Some(Arc::new(status)))
///     }
///
///     fn lrm_status(&mut self, node: &NodeName) -> Result<Option<Arc<LrmStatus>>, HostError> {
///         let Some(json) = self.0.get(&format!("lrm_status {node}")) else { return Ok(None) };
///         let status = LrmStatus::from_json(json).map_err(|error| HostError::new(error.to_string()))?;
///         Ok(Some(Arc::new(status)))
///     }
/// }
///
/// let mut records = Records(BTreeMap::new());
/// assert_eq!(records.manager_status(), Ok(None), "none was ever written");
/// records.0.insert("manager_status".to_owned(), "{\"node_st".to_owned());
/// assert!(records.manager_status().is_err(), "a torn one is not none");
/// ```
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
///
/// ```
/// use ha_core::{
///     config::ResourcesConfig,
///     host::{Configuration, ConfigurationStore, HostError},
///     id::ServiceTypes,
/// };
///
/// /// What was read last, to be given again while the files stay as they are.
/// struct Files {
///     configuration: Configuration,
///     changed: bool,
/// }
///
/// impl ConfigurationStore for Files {
///     fn configuration(&mut self) -> Result<Configuration, HostError> {
///         if self.changed {
///             // … read the files that changed; if one can't be read that is an error, and the old ones stay …
///             let resources = ResourcesConfig::read(b"vm: 100\n", &ServiceTypes::default());
///             self.configuration.resources = resources.config.into();
///             self.changed = false;
///         }
///         Ok(self.configuration.clone())
///     }
/// }
///
/// let mut files = Files { configuration: Configuration::default(), changed: true };
/// let (first, second) = (files.configuration()?, files.configuration()?);
/// assert!(std::sync::Arc::ptr_eq(&first.resources, &second.resources), "nothing is worked out again");
/// # Ok::<(), HostError>(())
/// ```
pub trait ConfigurationStore {
    /// What is configured now. Parts that did not change should be the same [`Arc`]s or at least have the same digests,
    /// since the core works out again what depends on a part whose digest changed.
    fn configuration(&mut self) -> Result<Configuration, HostError>;
}

/// The records that the master reads and writes.
///
/// ```
/// use ha_core::{
///     host::{HostError, ManagerStore},
///     status::ManagerStatus,
/// };
///
/// #[derive(Default)]
/// struct Store {
///     manager_status: String,
///     commands: Vec<String>,
///     holds_manager_lock: bool,
/// }
///
/// impl ManagerStore for Store {
///     fn write_manager_status(&mut self, status: &ManagerStatus) -> Result<(), HostError> {
///         if !self.holds_manager_lock {
///             return Err(HostError::new("another node is the master"));
///         }
///         // … in files: to another name, synced, and then renamed …
///         self.manager_status = status.to_json();
///         Ok(())
///     }
///
///     fn commands_waiting(&mut self) -> Result<bool, HostError> {
///         Ok(!self.commands.is_empty())
///     }
///
///     fn take_commands(&mut self) -> Result<Vec<String>, HostError> {
///         Ok(std::mem::take(&mut self.commands))
///     }
/// }
///
/// let mut store = Store { commands: vec!["migrate vm:100 node2".to_owned()], ..Store::default() };
/// assert_eq!(store.take_commands()?, ["migrate vm:100 node2"]);
/// assert!(store.take_commands()?.is_empty(), "a line is given once");
/// assert!(store.write_manager_status(&ManagerStatus::default()).is_err());
/// # Ok::<(), HostError>(())
/// ```
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
///
/// ```
/// use ha_core::{
///     host::{HostError, LrmStore},
///     status::LrmStatus,
/// };
///
/// /// The record of this node.
/// struct Record(Option<String>);
///
/// impl LrmStore for Record {
///     fn write_lrm_status(&mut self, status: &LrmStatus) -> Result<(), HostError> {
///         self.0 = Some(status.to_json());
///         Ok(())
///     }
/// }
///
/// let mut record = Record(None);
/// record.write_lrm_status(&LrmStatus::default())?;
/// assert!(LrmStatus::from_json(&record.0.ok_or("it was written")?).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait LrmStore {
    /// Writes this node's LRM status, whole or not at all. On an error it is written in the next iteration.
    fn write_lrm_status(&mut self, status: &LrmStatus) -> Result<(), HostError>;
}

/// The few things that the master does to guests and their configuration itself.
///
/// ```
/// use std::collections::BTreeMap;
///
/// use ha_core::{
///     config::{GroupsConfig, RequestedState, ResourcesConfig, RulesConfig},
///     host::{GuestControl, HostError},
///     id::{NodeName, ServiceId},
/// };
///
/// /// Where each guest is configured.
/// struct Guests(BTreeMap<ServiceId, NodeName>);
///
/// impl GuestControl for Guests {
///     fn move_configuration(&mut self, sid: &ServiceId, from: &NodeName, to: &NodeName) -> Result<(), HostError> {
///         match self.0.get(sid) {
///             Some(node) if node == from || node == to => {
///                 self.0.insert(sid.clone(), to.clone());
///                 Ok(())
///             }
///             node => Err(HostError::new(format!("{sid} is on {node:?}, and may run there"))),
///         }
///     }
///
///     fn remove_leftover_locks(&mut self, _: &ServiceId, _: &NodeName) -> Result<Option<String>, HostError> {
///         Ok(None)
///     }
///
///     fn set_requested_state(&mut self, sid: &ServiceId, _: RequestedState) -> Result<(), HostError> {
///         Err(HostError::new(format!("{sid} is configured by people alone")))
///     }
///
///     fn write_group_migration(&mut self, _: &RulesConfig, _: &ResourcesConfig) -> Result<(), HostError> {
///         Err(HostError::new("there are no groups"))
///     }
///
///     fn remove_groups(&mut self, _: &GroupsConfig) -> Result<(), HostError> {
///         Err(HostError::new("there are no groups"))
///     }
///
///     fn software_version(&mut self, _: &NodeName) -> Result<Option<String>, HostError> {
///         Ok(None)
///     }
/// }
///
/// let [node1, node2, node3] = [NodeName::new("node1")?, NodeName::new("node2")?, NodeName::new("node3")?];
/// let sid: ServiceId = "vm:100".parse()?;
/// let mut guests = Guests([(sid.clone(), node1.clone())].into());
/// guests.move_configuration(&sid, &node1, &node2)?;
/// guests.move_configuration(&sid, &node1, &node2)?;
/// assert!(guests.move_configuration(&sid, &node1, &node3).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
///
/// ```
/// use std::collections::{BTreeMap, BTreeSet};
///
/// use ha_core::{
///     config::fence::FenceCommand,
///     host::{FenceAttempt, FenceDevices, FenceProgress, HostError},
///     id::{NodeName, Uid},
/// };
///
/// /// How far the commands of each attempt have come.
/// #[derive(Default)]
/// struct Devices(BTreeMap<FenceAttempt, FenceProgress>);
///
/// impl FenceDevices for Devices {
///     fn run(&mut self, attempt: &FenceAttempt, _: &[FenceCommand]) -> Result<FenceProgress, HostError> {
///         let is_another = |other: &FenceAttempt| other.node == attempt.node && other != attempt;
///         if self.0.iter().any(|(other, progress)| is_another(other) && *progress == FenceProgress::Running) {
///             return Ok(FenceProgress::Running);
///         }
///         // … start the commands if they were not started yet for this attempt, and do not wait for them …
///         Ok(*self.0.entry(attempt.clone()).or_insert(FenceProgress::Running))
///     }
///
///     fn forget_fence_attempts(&mut self, except: &BTreeSet<Uid>) -> Result<(), HostError> {
///         self.0.retain(|attempt, _| except.contains(&attempt.incident));
///         Ok(())
///     }
/// }
///
/// let (node, incident) = (NodeName::new("node1")?, Uid::new("4f1a")?);
/// let first = FenceAttempt { node, incident, number: 0, device: 0 };
/// let mut devices = Devices([(first.clone(), FenceProgress::Succeeded)].into());
/// assert_eq!(devices.run(&first, &[])?, FenceProgress::Succeeded);
/// let later = FenceAttempt { incident: Uid::new("99e0")?, ..first };
/// assert_eq!(devices.run(&later, &[])?, FenceProgress::Running, "what succeeded for another incident proves nothing");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
