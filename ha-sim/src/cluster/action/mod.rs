//! What can be done to a cluster, and what can happen to it: the one list of deeds, for scenarios, histories and whoever writes
//! them down.

mod act;
mod judge;
mod text;

pub(crate) use text::Times;

use std::{collections::BTreeSet, time::Duration};

use ha_core::id::{NodeName, ServiceId};

use super::{Disturbance, RawPlace};
use crate::world::{AgentDisturbance, AgentFault, DaemonKind, DeviceBehaviour, GuestTimes, Operation};

/// Something that is done to a cluster, or happens to it. Displays as the line that a scenario has for it.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "fields are the names of nodes, services and daemons, times and sizes")]
pub enum Action {
    /// A node loses its power.
    PowerOff { node: NodeName },
    /// A node gets power and boots.
    PowerOn { node: NodeName },
    /// A node loses its power and boots at once.
    Reset { node: NodeName },
    /// A node is connected, or cut off.
    Network { node: NodeName, connected: bool },
    /// Only nodes within one group see one another.
    Partition { groups: Vec<BTreeSet<NodeName>> },
    /// The network is whole again.
    Heal,
    /// A node does not hear others, though the store reaches them.
    Unheard { node: NodeName, others: BTreeSet<NodeName> },
    /// Records can or can't be read and written.
    StoreWorks { node: NodeName, works: bool },
    /// The view can or can't be brought up to date.
    ViewWorks { node: NodeName, works: bool },
    /// Locks answer or don't.
    LocksWork { node: NodeName, works: bool },
    /// A node reads what all share as it was, or as it is.
    StaleReads { node: NodeName, stale: bool },
    /// The store has no room left, or has room again.
    StoreFull { full: bool },
    /// The store is mounted on a node, or is not.
    Mounted { node: NodeName, mounted: bool },
    /// A machine stands still, all but its watchdog, or goes on.
    Suspended { node: NodeName, suspended: bool },
    /// A daemon dies, and is started again where a time is given.
    Kill { node: NodeName, daemon: DaemonKind, restart_ms: Option<u64> },
    /// A daemon is stopped by a signal.
    Pause { node: NodeName, daemon: DaemonKind },
    /// It goes on.
    Resume { node: NodeName, daemon: DaemonKind },
    /// A daemon is started.
    StartDaemon { node: NodeName, daemon: DaemonKind },
    /// An LRM is restarted.
    RestartLrm { node: NodeName },
    /// A CRM is stopped.
    StopCrm { node: NodeName },
    /// A call of a daemon goes wrong.
    Disturb(Disturbance),
    /// A wall clock jumps.
    WallClock { node: NodeName, seconds: i64 },
    /// A fence device behaves differently.
    Device { name: String, behaviour: DeviceBehaviour },
    /// A node is shut down by a person.
    Shutdown { node: NodeName },
    /// A node is rebooted by a person.
    Reboot { node: NodeName },
    /// A node is taken out of the cluster while it runs.
    Expel { node: NodeName },
    /// A node is switched off and taken out of the cluster.
    Retire { node: NodeName },
    /// A node is taken into the cluster, with its power.
    Admit { node: NodeName },
    /// Another machine of a node's name gets power.
    TwinAppears { node: NodeName },
    /// That machine loses its power.
    TwinGoes { node: NodeName },
    /// A person cuts a node's power, and says so.
    ConfirmFenced { node: NodeName },
    /// A node gets another size.
    NodeSize { node: NodeName, cores: f64, memory: u64 },
    /// A node gets another version of its software.
    Version { node: NodeName, version: String },
    /// A command is queued.
    Command { line: String },
    /// The configuration is edited.
    Edit(Edit),
    /// A file or a record is overwritten with any text.
    Write { place: RawPlace, text: String },
    /// The entry of a service can't be understood any more, as the CRMs find when they are back.
    DamageEntry { sid: ServiceId, restart_ms: u64 },
    /// A person removes what can't be understood.
    RepairStatus,
    /// A guest ends by itself.
    Crash { sid: ServiceId },
    /// An operation of an agent goes wrong.
    AgentFails { sid: ServiceId, disturbance: AgentDisturbance },
    /// It works again.
    AgentWorks { sid: ServiceId, operation: Operation },
    /// A guest is made.
    CreateGuest { sid: ServiceId, node: NodeName },
    /// A guest is removed, though HA looks after it.
    DestroyGuest { sid: ServiceId },
    /// A guest is started by hand.
    StartGuest { sid: ServiceId, node: NodeName },
    /// A guest is moved behind HA's back.
    CarryGuest { sid: ServiceId, node: NodeName },
    /// A guest is locked, for a time if there is one.
    LockGuest { sid: ServiceId, lock: String, time: Option<Duration> },
    /// A guest is unlocked.
    UnlockGuest { sid: ServiceId },
    /// A guest ends and leaves something behind. This many attempts to end that fail.
    LeaveBehind { sid: ServiceId, times: u32 },
    /// Jobs for a guest go on when they should be ended, this many times.
    Unendable { sid: ServiceId, times: u32 },
    /// An agent takes more time with a guest, or less.
    GuestTimes { sid: ServiceId, times: GuestTimes },
    /// A guest uses more while it runs, or less.
    GuestLoad { sid: ServiceId, cores: f64, memory: u64 },
    /// A guest may use more, or less.
    GuestSize { sid: ServiceId, cores: f64, memory: u64 },
    /// The multiplexer of a node is killed, and started again with timings that fit or don't.
    RestartMultiplexer { node: NodeName, after_ms: u64, fits: bool },
    /// It is stopped by a signal, or goes on.
    PauseMultiplexer { node: NodeName, paused: bool },
    /// What daemons send it takes a while.
    DelayFrames { node: NodeName, milliseconds: u64 },
    /// Its next feed of the device takes a while.
    StallDeviceFeed { node: NodeName, milliseconds: u64 },
    /// All faults end: power, networks, stores, agents, daemons, guests.
    MendAll,
    /// Nothing is done, but this is said.
    Say(String),
}

/// An edit of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What is edited.
    pub what: Edited,
    /// How.
    pub how: EditKind,
}

/// What is edited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edited {
    /// A section of `resources.cfg`.
    Resource(ServiceId),
    /// A section of `groups.cfg`.
    Group(String),
    /// A section of `rules.cfg`.
    Rule(String),
    /// A section of `nodes.cfg`.
    Node(NodeName),
    /// `datacenter.cfg`.
    Datacenter,
}

/// How something is edited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EditKind {
    /// It is added.
    Add {
        /// The type of a rule.
        rule_type: Option<String>,
        /// Its properties.
        set: Vec<(String, String)>,
    },
    /// Properties of it are set.
    Set(Vec<(String, String)>),
    /// Properties of it are unset.
    Unset(Vec<String>),
    /// It is removed.
    Remove {
        /// Whether it is removed from rules too.
        purge: bool,
    },
}

impl Action {
    /// Something is requested of a service.
    #[must_use]
    pub fn request(sid: ServiceId, state: &str) -> Self {
        Self::edit(Edited::Resource(sid), EditKind::Set(vec![("state".to_owned(), state.to_owned())]))
    }

    /// A service is configured.
    #[must_use]
    pub fn add(sid: ServiceId, state: &str) -> Self {
        let set = vec![("state".to_owned(), state.to_owned())];
        Self::edit(Edited::Resource(sid), EditKind::Add { rule_type: None, set })
    }

    /// A service is no longer configured.
    #[must_use]
    pub fn remove(sid: ServiceId) -> Self {
        Self::edit(Edited::Resource(sid), EditKind::Remove { purge: true })
    }

    /// A rule is added, of a type and with properties.
    #[must_use]
    pub fn add_rule(rule: String, rule_type: &str, set: Vec<(String, String)>) -> Self {
        Self::edit(Edited::Rule(rule), EditKind::Add { rule_type: Some(rule_type.to_owned()), set })
    }

    /// A rule is removed.
    #[must_use]
    pub fn remove_rule(rule: String) -> Self {
        Self::edit(Edited::Rule(rule), EditKind::Remove { purge: true })
    }

    /// A node is said to fail together with others.
    #[must_use]
    pub fn set_failure_domain(node: NodeName, domain: &str) -> Self {
        Self::edit(Edited::Node(node), EditKind::Set(vec![("failure-domain".to_owned(), domain.to_owned())]))
    }

    /// A node is said to fail together with no other one.
    #[must_use]
    pub fn unset_failure_domain(node: NodeName) -> Self {
        Self::edit(Edited::Node(node), EditKind::Unset(vec!["failure-domain".to_owned()]))
    }

    /// A setting of `datacenter.cfg` is changed.
    #[must_use]
    pub fn set_datacenter(key: &str, value: &str) -> Self {
        Self::edit(Edited::Datacenter, EditKind::Set(vec![(key.to_owned(), value.to_owned())]))
    }

    /// An operation of an agent goes wrong this many times, on any node.
    #[must_use]
    pub fn agent_fails(sid: ServiceId, operation: Operation, fault: AgentFault, times: u32) -> Self {
        Self::AgentFails { sid, disturbance: AgentDisturbance { operation, fault, node: None, times: Some(times) } }
    }

    fn edit(what: Edited, how: EditKind) -> Self {
        Self::Edit(Edit { what, how })
    }

    /// The service or guest that a scenario may name from then on.
    #[must_use]
    #[allow(clippy::wildcard_enum_match_arm, reason = "all others make none")]
    pub fn new_service(&self) -> Option<&ServiceId> {
        match self {
            Self::CreateGuest { sid, .. } | Self::Edit(Edit { what: Edited::Resource(sid), .. }) => Some(sid),
            _ => None,
        }
    }
}
