//! The manager status: what state each node is in, and what state each service shall be in.

use alloc::{
    boxed::Box,
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use smol_str::SmolStr;

use super::{Command, DisarmMode, NotUnderstood, ServiceTable, Timestamp, UnknownFields, Writer};
use crate::{
    id::{NodeName, RuleId, ServiceId, Uid},
    text_enum::text_enum,
};

/// What the master knows of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeState {
    /// In the quorate partition.
    Online,
    /// In the quorate partition, but it takes no services.
    Maintenance,
    /// Not in the quorate partition; it may still run services.
    Unknown,
    /// It must be fenced.
    Fence,
    /// No longer a member of the cluster.
    Gone,
}

text_enum! {
    NodeState: "a node state",
    Online = "online",
    Maintenance = "maintenance",
    Unknown = "unknown",
    Fence = "fence",
    Gone = "gone",
}

/// What is asked of a node.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NodeRequest {
    /// Whether it shall give its services away and take none.
    pub maintenance: bool,
    /// Who asked for that, if the command named somebody.
    pub by: Option<SmolStr>,
    /// When, if the command named somebody.
    pub since: Option<Timestamp>,
    /// Fields that this version does not know.
    pub unknown: UnknownFields,
}

/// That a node must be fenced, from when that was decided until it is known to be down or is back.
///
/// It survives a change of master. What a fence device answers counts only for the incident for which it was asked: the node may
/// have been up again meanwhile.
#[derive(Debug, Clone, PartialEq)]
pub struct FenceIncident {
    /// Names the incident; no other one ever has the same id.
    pub id: Uid,
    /// Who the record of the node's LRM named as its writer when the incident began. Another boot of that machine proves that what
    /// ran before is gone.
    pub writer: Option<Writer>,
    /// Whether what ran on the node when the incident began is known to be gone: its machine was booted again, or a person has
    /// confirmed that it is down.
    pub was_down: bool,
    /// Fields that this version does not know.
    pub unknown: UnknownFields,
}

impl FenceIncident {
    /// An incident that has just begun.
    #[must_use]
    pub fn new(id: Uid, writer: Option<Writer>) -> Self {
        Self { id, writer, was_down: false, unknown: None }
    }
}

/// How the start of a service stands that comes after others by order rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderedStart {
    /// For how many seconds it has waited, as far as masters have counted them; `None` if it does not wait.
    pub waited: Option<u32>,
    /// For how many seconds of that all that come first have been up, without a break; `None` if they are not all up.
    pub ready: Option<u32>,
    /// Those that come first and are not up, while it waits: sorted. Recorded as `for`.
    pub waits_for: Vec<ServiceId>,
    /// After how many seconds it is started if nothing changes; `None` if it waits without end, or not at all.
    pub left: Option<u32>,
    /// The request to its LRM by which it may be started.
    pub passed: Option<Uid>,
    /// Fields that this version does not know.
    pub unknown: UnknownFields,
}

impl OrderedStart {
    /// Neither waiting nor let pass.
    pub(crate) fn forgotten(self) -> Self {
        Self { unknown: self.unknown, ..Self::default() }
    }
}

/// How a node stands that was away lately, as far as masters have counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeReturn {
    /// For how many seconds it has been there without a break since it came back; `None` while it is away.
    pub well: Option<u32>,
    /// How often it went away, each time but the first within an hour of its return.
    pub failures: u32,
    /// Fields that this version does not know.
    pub unknown: UnknownFields,
}

impl NodeReturn {
    /// A delay doubles with each failure within so many seconds of the last return, and up to so many seconds.
    const HOUR: u32 = 3600;

    /// It is there, `seconds` after it was last looked at.
    pub(crate) fn there(self, seconds: u32) -> Self {
        Self { well: Some(self.well.map_or(0, |well| well.saturating_add(seconds))), ..self }
    }

    /// It is away.
    pub(crate) fn away(self) -> Self {
        let failures = match self.well {
            Some(well) if well >= Self::HOUR => 1,
            Some(_) => self.failures.saturating_add(1),
            None => self.failures.max(1),
        };
        Self { well: None, failures, ..self }
    }

    /// Whether nothing more follows from it, for delays of at most `longest` seconds.
    pub(crate) fn is_over(&self, longest: u32) -> bool {
        self.well.is_some_and(|well| well >= longest.max(Self::HOUR))
    }

    /// How many seconds of a service's `failback-delay` are left; `None` if it is over, or if the node is away.
    #[must_use]
    pub fn left(&self, delay: u32) -> Option<u32> {
        let doublings = self.failures.saturating_sub(1);
        let doubled = delay.saturating_mul(2_u32.saturating_pow(doublings)).min(delay.max(Self::HOUR));
        doubled.checked_sub(self.well?).filter(|left| *left > 0)
    }
}

/// How often a node was fenced lately, as far as masters have counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeFencings {
    /// How many seconds ago that was, the last one first, and no more than are looked at. Time for which the node takes no new services
    /// does not count.
    pub ages: Vec<u32>,
    /// Whether it was not there since the last time.
    pub down: bool,
    /// For how many seconds more it takes no new services, from when it is there; `None` if it takes them.
    pub left: Option<u32>,
    /// How often it has come to that since it was fenced for the first time of these.
    pub holds: u32,
    /// Fields that this version does not know.
    pub unknown: UnknownFields,
}

impl NodeFencings {
    /// A node that is fenced for this many times within [`HOUR`](Self::HOUR) takes no new services for a time.
    pub const FENCINGS: usize = 3;
    /// For so many seconds a fencing counts.
    pub const HOUR: u32 = 3600;
    /// A hold doubles up to so many seconds.
    const DAY: u32 = 86_400;

    /// The node was fenced. Gives for how many seconds it takes no new services from now on, if it has come to that; the first time
    /// `hold`, and then twice as long as before, up to a day.
    ///
    /// A node that was not there meanwhile is not fenced once more: then it is the same fencing, which was in doubt.
    pub(crate) fn fenced(&mut self, hold: u32) -> Option<u32> {
        if core::mem::replace(&mut self.down, true) {
            return None;
        }
        self.ages.insert(0, 0);
        self.ages.truncate(Self::FENCINGS);
        if self.ages.len() < Self::FENCINGS {
            return None;
        }
        let doubled = hold.saturating_mul(2_u32.saturating_pow(self.holds));
        self.holds = self.holds.saturating_add(1);
        let left = doubled.min(hold.max(Self::DAY));
        self.left = Some(left);
        Some(left)
    }

    /// Time has passed. While the node takes no new services, that counts if it is `there`. Says whether it takes them again.
    pub(crate) fn pass(&mut self, seconds: u32, there: bool) -> bool {
        self.down &= !there;
        match self.left {
            Some(left) if there => {
                self.left = left.checked_sub(seconds).filter(|left| *left > 0);
                self.left.is_none()
            }
            Some(_) => false,
            None => {
                self.ages.iter_mut().for_each(|age| *age = age.saturating_add(seconds));
                self.ages.retain(|age| *age < Self::HOUR);
                false
            }
        }
    }

    /// Whether nothing more follows from it.
    pub(crate) fn is_over(&self) -> bool {
        self.left.is_none() && self.ages.is_empty()
    }
}

/// That a service stays where it is, since a node that it would go back to has not been well for long enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailbackWait {
    /// That node; the first of them if there are several.
    pub node: NodeName,
    /// In how many seconds it goes back, if that node stays well.
    pub left: u32,
    /// Fields that this version does not know.
    pub unknown: UnknownFields,
}

/// How far disarming has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DisarmState {
    /// Some LRM still holds its lock.
    Disarming,
    /// All LRMs and the CRM have let go of their watchdogs.
    Disarmed,
}

text_enum! {
    DisarmState: "a disarm state",
    Disarming = "disarming",
    Disarmed = "disarmed",
}

/// That HA is disarmed, or on the way there.
#[derive(Debug, Clone, PartialEq)]
pub struct Disarm {
    /// What happens to the services meanwhile.
    pub mode: DisarmMode,
    /// How far it has come.
    pub state: DisarmState,
    /// Who asked for it, if the command named somebody.
    pub by: Option<SmolStr>,
    /// When, if the command named somebody.
    pub since: Option<Timestamp>,
    /// Fields that this version does not know.
    pub unknown: UnknownFields,
}

/// The state that a service shall be in, with the data of that state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceState {
    /// Not running, as asked.
    Stopped,
    /// To be stopped.
    RequestStop {
        /// Seconds that it may take; `None` leaves it to the agent.
        timeout: Option<u32>,
    },
    /// To be started, with no node decided yet.
    RequestStart,
    /// To be moved to a better node, stopped, before its first start.
    RequestStartBalance {
        /// The better node.
        target: NodeName,
    },
    /// To be running.
    Started {
        /// Whether the LRM has reported a successful start. Recorded as `running`.
        confirmed: bool,
    },
    /// Its node failed and must be fenced.
    Fence,
    /// Its node is known to be down; a new one is looked for.
    Recovery,
    /// Moves live.
    Migrate {
        /// Where to.
        target: NodeName,
    },
    /// Is stopped, moved, and started again.
    Relocate {
        /// Where to.
        target: NodeName,
    },
    /// Left alone while its LRM restarts or HA is disarmed.
    Freeze,
    /// Failed for good: a person is needed.
    Error,
}

/// The state that a service shall be in, without its data ([`ServiceState`] has that). It also names the commands of jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StateName {
    /// Not running, as asked.
    Stopped,
    /// To be stopped.
    RequestStop,
    /// To be started, with no node decided yet.
    RequestStart,
    /// To be moved to a better node, stopped, before its first start.
    RequestStartBalance,
    /// To be running.
    Started,
    /// Its node failed and must be fenced.
    Fence,
    /// Its node is known to be down; a new one is looked for.
    Recovery,
    /// Moves live.
    Migrate,
    /// Is stopped, moved, and started again.
    Relocate,
    /// Left alone while its LRM restarts or HA is disarmed.
    Freeze,
    /// Failed for good: a person is needed.
    Error,
}

text_enum! {
    StateName: "a service state",
    Stopped = "stopped",
    RequestStop = "request_stop",
    RequestStart = "request_start",
    RequestStartBalance = "request_start_balance",
    Started = "started",
    Fence = "fence",
    Recovery = "recovery",
    Migrate = "migrate",
    Relocate = "relocate",
    Freeze = "freeze",
    Error = "error",
}

impl ServiceState {
    /// The state's name.
    #[must_use]
    pub fn name(&self) -> StateName {
        match self {
            Self::Stopped => StateName::Stopped,
            Self::RequestStop { .. } => StateName::RequestStop,
            Self::RequestStart => StateName::RequestStart,
            Self::RequestStartBalance { .. } => StateName::RequestStartBalance,
            Self::Started { .. } => StateName::Started,
            Self::Fence => StateName::Fence,
            Self::Recovery => StateName::Recovery,
            Self::Migrate { .. } => StateName::Migrate,
            Self::Relocate { .. } => StateName::Relocate,
            Self::Freeze => StateName::Freeze,
            Self::Error => StateName::Error,
        }
    }

    /// The node that it moves to, in the states that move.
    #[must_use]
    pub fn target(&self) -> Option<&NodeName> {
        match self {
            Self::RequestStartBalance { target } | Self::Migrate { target } | Self::Relocate { target } => Some(target),
            Self::Stopped
            | Self::RequestStop { .. }
            | Self::RequestStart
            | Self::Started { .. }
            | Self::Fence
            | Self::Recovery
            | Self::Freeze
            | Self::Error => None,
        }
    }

    /// The time that stopping may take, in seconds, if one was asked for.
    #[must_use]
    pub fn timeout(&self) -> Option<u32> {
        match self {
            Self::RequestStop { timeout } => *timeout,
            Self::Stopped
            | Self::RequestStart
            | Self::RequestStartBalance { .. }
            | Self::Started { .. }
            | Self::Fence
            | Self::Recovery
            | Self::Migrate { .. }
            | Self::Relocate { .. }
            | Self::Freeze
            | Self::Error => None,
        }
    }
}

/// The two ways to move a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Motion {
    /// Live, without a stop where the agent can.
    Migrate,
    /// Stop, move, start.
    Relocate,
}

text_enum! {
    Motion: "a way to move a service",
    Migrate = "migrate",
    Relocate = "relocate",
}

impl Motion {
    /// How the manager moves a service of its own accord: only a `vm` moves live.
    #[must_use]
    pub fn usual_for(sid: &ServiceId) -> Self {
        if sid.service_type() == "vm" { Self::Migrate } else { Self::Relocate }
    }
}

/// A command that waits for the service's next step. Recorded as `cmd`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueuedCommand {
    /// Move it.
    Move {
        /// How.
        motion: Motion,
        /// Where to.
        target: NodeName,
    },
    /// Stop it.
    Stop {
        /// Seconds that it may take; 0 is at once.
        timeout: u32,
    },
}

impl QueuedCommand {
    /// The command as a person would give it.
    #[must_use]
    pub fn for_service(&self, sid: &ServiceId) -> Command {
        let sid = sid.clone();
        match self {
            Self::Move { motion, target } => Command::Move { motion: *motion, sid, node: target.clone() },
            Self::Stop { timeout } => Command::Stop { sid, timeout: *timeout },
        }
    }
}

/// One service in the manager status.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceEntry {
    /// The state that it shall be in.
    pub state: ServiceState,
    /// The node whose LRM is responsible for it.
    pub node: NodeName,
    /// Names the present request to that LRM.
    pub uid: Option<Uid>,
    /// Nodes on which its start failed, in order; a node may repeat.
    pub failed_nodes: Vec<NodeName>,
    /// The node that it left for maintenance, to return there.
    pub maintenance_node: Option<NodeName>,
    /// The command that waits for its next step.
    pub command: Option<Box<QueuedCommand>>,
    /// Fields that this version does not know.
    pub unknown: UnknownFields,
}

impl ServiceEntry {
    /// An entry with nothing but its state and node.
    #[must_use]
    pub fn new(state: ServiceState, node: NodeName) -> Self {
        Self { state, node, uid: None, failed_nodes: Vec::new(), maintenance_node: None, command: None, unknown: None }
    }
}

/// The one record that the master writes and everybody reads.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ManagerStatus {
    /// The node whose CRM wrote it.
    pub master_node: Option<NodeName>,
    /// When it was written.
    pub timestamp: Option<Timestamp>,
    /// The state of every known node. Recorded as `node_status`.
    pub nodes: BTreeMap<NodeName, NodeState>,
    /// The services, by SID. Recorded as `service_status`.
    pub services: ServiceTable,
    /// The entries of services that this version can't understand. They are kept as they are and left alone: such a service
    /// may run, where and in what state nobody knows. Recorded beside the others in `service_status`.
    pub not_understood: Vec<NotUnderstood>,
    /// What is asked of nodes. Recorded as `node_request`, and absent when empty.
    pub node_requests: BTreeMap<NodeName, NodeRequest>,
    /// That HA is disarmed or being disarmed.
    pub disarm: Option<Disarm>,
    /// Nodes on which services may run without a watchdog: their LRM let go of it, or did not have it yet, and was not seen
    /// with it since. To take the lock of such a node proves nothing. Recorded as `unguarded`, and absent when empty.
    pub unguarded: BTreeSet<NodeName>,
    /// Services in `error` or `stopped` that may run though: their stop failed, or they went to `error` otherwise without being
    /// seen stopped, and were not since. Recorded as `may_run`, and absent when empty.
    pub may_run: BTreeSet<ServiceId>,
    /// For services whose failed starts expire, how many seconds ago the last one was, as far as masters have counted them. One in
    /// `error` is here only if it is so for failed starts. Recorded as `start_failures`, and absent when empty.
    pub start_failures: BTreeMap<ServiceId, u32>,
    /// The services that come after others by order rules, with how their present start stands. Their LRM starts them for the first time
    /// only when the master has let them pass. Recorded as `ordered`, and absent when empty.
    pub ordered: BTreeMap<ServiceId, OrderedStart>,
    /// Services whose start waits, since as many start already as may at once in the whole cluster. Recorded as `waiting_starts`, and
    /// absent when empty.
    pub waiting_starts: BTreeSet<ServiceId>,
    /// Services whose move waits, since as many move already as may at once in the whole cluster. Recorded as `waiting_moves`, and
    /// absent when empty.
    pub waiting_moves: BTreeSet<ServiceId>,
    /// For each rule that keeps services apart only while there is a place for that: those that share a node though. Recorded as `sharing`,
    /// and absent when empty.
    pub sharing: BTreeMap<RuleId, BTreeSet<ServiceId>>,
    /// How long nodes that were away lately have been well, as long as services go back to them only after a delay. Recorded as
    /// `returned_nodes`, and absent when empty.
    pub returned_nodes: BTreeMap<NodeName, NodeReturn>,
    /// Services that wait to go back to a node of higher priority. Recorded as `waiting_failbacks`, and absent when empty.
    pub waiting_failbacks: BTreeMap<ServiceId, FailbackWait>,
    /// How often nodes were fenced within the last hour, as long as those that are fenced again and again take no new services. Recorded as
    /// `fenced_nodes`, and absent when empty.
    pub fenced_nodes: BTreeMap<NodeName, NodeFencings>,
    /// The incident of every node that must be fenced. Recorded as `fencing`, and absent when empty.
    pub fencing: BTreeMap<NodeName, FenceIncident>,
    /// Fields that this version does not know.
    pub unknown: UnknownFields,
}

impl ManagerStatus {
    /// What was recorded of the service, if that can't be understood.
    #[must_use]
    pub fn problem_of(&self, sid: &ServiceId) -> Option<&NotUnderstood> {
        self.not_understood.iter().find(|entry| entry.sid() == sid.as_str())
    }

    /// The state of a node; one without an entry counts as unknown.
    #[must_use]
    pub fn node_state(&self, node: &NodeName) -> NodeState {
        self.nodes.get(node).copied().unwrap_or(NodeState::Unknown)
    }

    /// Whether the node is recorded as there: online, or in maintenance.
    #[must_use]
    pub fn is_there(&self, node: &NodeName) -> bool {
        matches!(self.node_state(node), NodeState::Online | NodeState::Maintenance)
    }

    /// Whether the node is recorded as online.
    #[must_use]
    pub fn is_online(&self, node: &NodeName) -> bool {
        self.node_state(node) == NodeState::Online
    }

    /// For how many seconds more a node takes no new services, since it was fenced again and again; `None` if it takes them.
    #[must_use]
    pub fn held_for(&self, node: &NodeName) -> Option<u32> {
        self.fenced_nodes.get(node)?.left
    }

    /// The services of a node that its LRM has to look after: those with it as node or target, in any state but
    /// `stopped`, `freeze`, `error` and `request_start`; and those in `stopped` that may still run there.
    pub fn active_services<'a>(&'a self, node: &'a NodeName) -> impl Iterator<Item = &'a ServiceId> {
        self.services.iter().filter(move |(sid, entry)| self.is_active(sid, entry, node)).map(|(sid, _)| sid)
    }

    /// Whether a service of the node may run though it is in `error` or `stopped`.
    pub(crate) fn may_run_on(&self, node: &NodeName) -> bool {
        self.may_run.iter().any(|sid| self.services.get(sid).is_some_and(|entry| entry.node == *node))
    }

    /// Whether the LRM of `node` has to look after a service, of which this is the entry: see
    /// [`active_services`](Self::active_services).
    #[must_use]
    pub fn is_active(&self, sid: &ServiceId, entry: &ServiceEntry, node: &NodeName) -> bool {
        let is_to_be_stopped =
            || entry.state == ServiceState::Stopped && entry.node == *node && self.may_run.contains(sid);
        entry.is_active_on(node) || is_to_be_stopped()
    }

    /// Whether somebody has to fence the node: it is in state `fence`, or a service of it is.
    #[must_use]
    pub fn fence_requested(&self, node: &NodeName) -> bool {
        self.node_state(node) == NodeState::Fence
            || self.services.iter().any(|(_, entry)| entry.node == *node && entry.state == ServiceState::Fence)
    }

    /// Drops the incidents of nodes that need not be fenced any more.
    pub(crate) fn end_incidents(&mut self) {
        let mut incidents = core::mem::take(&mut self.fencing);
        incidents.retain(|node, _| self.fence_requested(node));
        self.fencing = incidents;
    }

    /// Whether maintenance is asked for the node.
    #[must_use]
    pub fn maintenance_requested(&self, node: &NodeName) -> bool {
        self.node_requests.get(node).is_some_and(|request| request.maintenance)
    }

    /// Whether HA is disarmed altogether.
    #[must_use]
    pub fn is_disarmed(&self) -> bool {
        self.disarm.as_ref().is_some_and(|disarm| disarm.state == DisarmState::Disarmed)
    }
}

impl ServiceEntry {
    /// Whether the LRM of `node` has to look after it, by this entry alone.
    fn is_active_on(&self, node: &NodeName) -> bool {
        let concerned = self.node == *node || self.state.target() == Some(node);
        concerned
            && match self.state {
                ServiceState::Stopped | ServiceState::Freeze | ServiceState::Error | ServiceState::RequestStart => {
                    false
                }
                ServiceState::RequestStop { .. }
                | ServiceState::RequestStartBalance { .. }
                | ServiceState::Started { .. }
                | ServiceState::Fence
                | ServiceState::Recovery
                | ServiceState::Migrate { .. }
                | ServiceState::Relocate { .. } => true,
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn back(failures: u32, well: u32) -> NodeReturn {
        NodeReturn { well: Some(well), failures, unknown: None }
    }

    #[test]
    fn a_delay_doubles_with_each_failure_within_an_hour_of_the_return() {
        let first = NodeReturn::default().away();
        assert_eq!(first.left(300), None, "it is away");
        assert_eq!(first.clone().away(), first, "it fails once, however long it is away");
        let there = first.there(10).there(100);
        assert_eq!(there, back(1, 100), "it counts from when it is seen");
        assert_eq!(there.left(300), Some(200));
        assert_eq!(there.away().there(0).left(300), Some(600));
        assert_eq!(back(2, 3599).away().failures, 3);
        assert_eq!(back(2, 3600).away().failures, 1);
    }

    #[test]
    fn a_delay_doubles_up_to_an_hour_and_is_over_then() {
        assert_eq!([3, 4, 5, 40].map(|failures| back(failures, 0).left(600)), [2400, 3600, 3600, 3600].map(Some));
        assert_eq!(back(9, 1).left(7200), Some(7199), "a longer one stays as it is");
        assert_eq!(back(1, 600).left(600), None);
        assert_eq!(
            [(60, 3599), (60, 3600), (7200, 7199), (7200, 7200)].map(|(longest, well)| back(1, well).is_over(longest)),
            [false, true, false, true]
        );
    }

    fn fenced_at(ages: &[u32]) -> NodeFencings {
        NodeFencings { ages: ages.to_vec(), ..NodeFencings::default() }
    }

    #[test]
    fn a_third_fencing_within_an_hour_holds_a_node_for_twice_as_long_each_time() {
        let mut node = NodeFencings::default();
        assert_eq!((node.fenced(600), node.pass(1700, true), node.fenced(600)), (None, false, None));
        assert_eq!((node.pass(1000, false), node.fenced(600)), (false, None), "that is the same fencing");
        assert!(!node.pass(899, true));
        assert_eq!(node.fenced(600), Some(600));
        assert!(!node.pass(10_000, false), "it is away");
        assert!(!node.pass(599, true));
        assert_eq!(node.ages, [0, 1899, 3599], "time for which it is held does not count");
        assert_eq!((node.pass(1, true), node.left), (true, None));
        assert!(!node.pass(60, true));
        assert_eq!(node.ages, [60, 1959]);
        assert_eq!(node.fenced(600), Some(1200), "it was held before");
        assert!(!node.pass(100, true));
        assert_eq!(node.fenced(600), Some(2400), "it was held");
        assert!(node.pass(2400, true));
        assert!(!node.pass(3599, true));
        assert!(!node.is_over());
        assert_eq!((node.pass(1, true), node.is_over()), (false, true));
    }

    #[test]
    fn a_hold_doubles_up_to_a_day() {
        let held = |hold: u32, holds: u32| NodeFencings { holds, ..fenced_at(&[100, 200]) }.fenced(hold);
        assert_eq!([0, 1, 4, 5, 40].map(|holds| held(5000, holds)), [5000, 10_000, 80_000, 86_400, 86_400].map(Some));
        assert_eq!(held(100_000, 3), Some(100_000), "a longer one stays as it is");
        assert_eq!(held(u32::MAX, u32::MAX), Some(u32::MAX));
        assert_eq!(fenced_at(&[100]).fenced(600), None);
    }
}
