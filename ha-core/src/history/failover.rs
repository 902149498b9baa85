//! Failovers: from the loss of a node to the start of its services elsewhere, step by step.

use alloc::{collections::BTreeMap, vec::Vec};

use serde::{Deserialize, Serialize};

use super::{Entry, EntryId};
use crate::{
    event::{DaemonState, Event},
    id::{NodeName, ServiceId},
    status::{NodeState, StateName},
    text_enum::text_enum,
    timing::RecoveryTimes,
};

/// How a failover stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailoverOutcome {
    /// It goes on: the node is not known to be down yet, or services wait for a place or their start.
    UnderWay,
    /// All services that were to run elsewhere do, or there were none.
    Done,
    /// The node came back before it was fenced, with its services.
    Returned,
    /// It is over, and a service was started nowhere: a person is needed.
    Failed,
}

text_enum! {
    FailoverOutcome: "how a failover stands",
    UnderWay = "under_way",
    Done = "done",
    Returned = "returned",
    Failed = "failed",
}

/// What proved that a node is down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProofOfDown {
    /// The master got its lock, which it had not renewed.
    Lock,
    /// A fence device turned it off.
    Device,
    /// A person has confirmed it.
    Person,
    /// Its machine was booted again.
    Reboot,
}

text_enum! {
    ProofOfDown: "what proves that a node is down",
    Lock = "lock",
    Device = "device",
    Person = "person",
    Reboot = "reboot",
}

/// What became of a service of a node that was lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailoverService {
    /// The service.
    pub sid: ServiceId,
    /// Where it goes on; nothing as long as no node was found.
    pub to: Option<NodeName>,
    /// When that was decided.
    pub placed_ms: Option<i64>,
    /// Whether it is to run there.
    pub starts: bool,
    /// When it was started there, by the clock of that node.
    pub started_ms: Option<i64>,
    /// Whether its start failed, as far as it has gone.
    pub failed: bool,
}

/// A node was lost, and its services went elsewhere. Times are milliseconds since 1970-01-01 UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failover {
    /// The entry with which it begins.
    pub id: EntryId,
    /// The node that was lost.
    pub node: NodeName,
    /// The master that noticed.
    pub master: NodeName,
    /// Whether the node that was lost had been the master, so that another one had to take over first.
    pub with_master: bool,
    /// When the node gave its last sign of life, as far as that is known.
    pub lost_ms: Option<i64>,
    /// When the master noticed.
    pub noticed_ms: i64,
    /// When it was decided that the node must be fenced.
    pub fence_ms: Option<i64>,
    /// When the node was known to be down: its lock was taken, or a device or a person said so.
    pub locked_ms: Option<i64>,
    /// What proved it.
    pub proof: Option<ProofOfDown>,
    /// Its services that had to go elsewhere, in the order in which they were dealt with.
    pub services: Vec<FailoverService>,
    /// When the last of it was over.
    pub ended_ms: Option<i64>,
    /// How it stands.
    pub outcome: FailoverOutcome,
}

/// A failover with its steps in seconds, and how long it may take: what faces and programs show.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeasuredFailover {
    /// The failover.
    #[serde(flatten)]
    pub failover: Failover,
    /// How long each step took.
    pub seconds: FailoverSeconds,
    /// How many seconds it may take from the loss to the start, by the timings of the cluster.
    pub bound_s: f64,
}

/// When each step of a failover was reached, in seconds from its beginning; nothing where it was not.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FailoverSeconds {
    /// The master noticed.
    pub noticed: Option<f64>,
    /// It was decided that the node must be fenced.
    pub to_be_fenced: Option<f64>,
    /// The node was known to be down.
    pub locked: Option<f64>,
    /// The last service had a place.
    pub placed: Option<f64>,
    /// The last service was started.
    pub started: Option<f64>,
}

impl Failover {
    fn new(entry: &Entry, node: &NodeName, with_master: bool) -> Self {
        let silent = entry.silent_ms.and_then(|silent| i64::try_from(silent).ok());
        Self {
            id: entry.id.clone(),
            node: node.clone(),
            master: entry.node.clone(),
            with_master,
            lost_ms: silent.map(|silent| entry.time_ms.saturating_sub(silent)),
            noticed_ms: entry.time_ms,
            fence_ms: None,
            locked_ms: None,
            proof: None,
            services: Vec::new(),
            ended_ms: None,
            outcome: FailoverOutcome::UnderWay,
        }
    }

    /// When it began: with the last sign of life, or where that is not known, when the master noticed.
    #[must_use]
    pub fn began_ms(&self) -> i64 {
        self.lost_ms.unwrap_or(self.noticed_ms)
    }

    /// Seconds from its beginning until then. Clocks of two nodes may differ, so that it may be below 0.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of years are far from where that begins")]
    pub fn seconds(&self, moment_ms: Option<i64>) -> Option<f64> {
        moment_ms.map(|moment| moment.saturating_sub(self.began_ms()) as f64 / 1000.0)
    }

    /// When the last service that was to start did so; nothing as long as one has not.
    #[must_use]
    pub fn all_started_ms(&self) -> Option<i64> {
        let mut last = self.locked_ms?;
        for service in self.services.iter().filter(|service| service.starts) {
            last = last.max(service.started_ms?);
        }
        Some(last)
    }

    /// With its steps in seconds, and how long it may take by the timings of the cluster.
    #[must_use]
    pub fn measured(&self, times: &RecoveryTimes) -> MeasuredFailover {
        let seconds = FailoverSeconds {
            noticed: self.seconds(Some(self.noticed_ms)),
            to_be_fenced: self.seconds(self.fence_ms),
            locked: self.seconds(self.locked_ms),
            placed: self.seconds(self.services.iter().filter_map(|service| service.placed_ms).max()),
            started: self.seconds(self.all_started_ms()),
        };
        MeasuredFailover { failover: self.clone(), seconds, bound_s: self.bound_seconds(times) }
    }

    /// How many seconds it may take from the loss to the start, by the timings of the cluster.
    #[must_use]
    pub fn bound_seconds(&self, times: &RecoveryTimes) -> f64 {
        let bound = if self.with_master { times.longest_with_master } else { times.longest };
        bound.as_secs_f64()
    }

    /// Takes note of something about a service.
    fn note(&mut self, sid: &ServiceId, note: impl FnOnce(&mut FailoverService)) {
        if let Some(service) = self.services.iter_mut().find(|service| service.sid == *sid) {
            return note(service);
        }
        let (to, placed_ms, started_ms) = (None, None, None);
        let mut service = FailoverService { sid: sid.clone(), to, placed_ms, starts: true, started_ms, failed: false };
        note(&mut service);
        self.services.push(service);
    }

    /// Ends it if nothing of it goes on.
    fn settle(&mut self, time_ms: i64) {
        let is_open = |service: &FailoverService| {
            service.to.is_none() || (service.starts && service.started_ms.is_none() && !service.failed)
        };
        let is_over = self.locked_ms.is_some() && !self.services.iter().any(is_open);
        let failed = self.services.iter().any(|service| service.failed && service.started_ms.is_none());
        self.ended_ms = is_over.then(|| self.ended_ms.unwrap_or(time_ms));
        self.outcome = match (is_over, failed) {
            (false, _) => FailoverOutcome::UnderWay,
            (true, false) => FailoverOutcome::Done,
            (true, true) => FailoverOutcome::Failed,
        };
    }

    fn end(&mut self, time_ms: i64, outcome: FailoverOutcome) {
        (self.ended_ms, self.outcome) = (Some(time_ms), outcome);
    }
}

/// Makes failovers of entries, which are taken in the order in which they were kept.
///
/// What has no beginning, since that was not kept, is left out. A node that was silent for a moment and came back before it had to be
/// fenced makes no failover.
#[derive(Debug, Clone, Default)]
pub struct Failovers {
    all: Vec<Failover>,
    /// Nodes that are not seen, and need not be fenced yet.
    silent: BTreeMap<NodeName, Failover>,
    /// What a device, a person or a boot has said of a node that must be fenced.
    proofs: BTreeMap<NodeName, ProofOfDown>,
    /// The last start of each service: the node, and when.
    starts: BTreeMap<ServiceId, (NodeName, i64)>,
    /// The present master and the one before it.
    masters: (Option<NodeName>, Option<NodeName>),
}

impl Failovers {
    /// Those of a history, whose entries are in the order in which they were kept.
    #[must_use]
    pub fn of(kept: &[Entry]) -> Self {
        let mut failovers = Self::default();
        kept.iter().for_each(|entry| failovers.take(entry));
        failovers
    }

    /// All of them, the oldest first.
    #[must_use]
    pub fn all(&self) -> &[Failover] {
        &self.all
    }

    /// Takes the next entry.
    pub fn take(&mut self, entry: &Entry) {
        let time_ms = entry.time_ms;
        match entry.event() {
            Some(Event::DaemonState { to: DaemonState::Master, .. }) => self.take_master(&entry.node),
            Some(Event::NodeState { node, to, .. }) => self.take_node_state(entry, node, *to),
            Some(Event::FenceDeviceSucceeded { node, .. }) => self.take_proof(node, ProofOfDown::Device),
            Some(Event::FenceConfirmed { node, .. }) => self.take_proof(node, ProofOfDown::Person),
            Some(Event::FencedNodeRebooted { node }) => self.take_proof(node, ProofOfDown::Reboot),
            Some(Event::FenceAcknowledged { node }) => {
                let proof = self.proofs.remove(node).unwrap_or(ProofOfDown::Lock);
                if let Some(failover) = self.open(node) {
                    failover.locked_ms = Some(time_ms);
                    failover.proof = Some(proof);
                }
            }
            Some(Event::NotifyFenceSucceeded { node }) => {
                if let Some(failover) = self.open(node) {
                    failover.settle(time_ms);
                }
            }
            Some(Event::FencedNodeReturned { node }) => {
                if let Some(failover) = self.open(node) {
                    failover.end(time_ms, FailoverOutcome::Returned);
                }
            }
            Some(Event::ServiceRecovered { sid, from, to }) => self.take_placed(sid, from, to, time_ms),
            Some(Event::ServiceLocationFixed { sid, from, to }) => self.take_placed(sid, from, to, time_ms),
            Some(Event::RecoveryFailed { sid, node }) => {
                if let Some(failover) = self.last_of(node) {
                    failover.note(sid, |_| {});
                    failover.settle(time_ms);
                }
            }
            Some(Event::ServiceState { sid, to, .. }) => self.take_service_state(sid, *to, time_ms),
            Some(Event::AgentStarted { sid }) => self.take_started(sid, &entry.node, time_ms),
            _ => {}
        }
    }

    fn take_master(&mut self, node: &NodeName) {
        if self.masters.0.as_ref() != Some(node) {
            self.masters.1 = self.masters.0.replace(node.clone());
        }
    }

    fn take_node_state(&mut self, entry: &Entry, node: &NodeName, to: NodeState) {
        match to {
            NodeState::Unknown => {
                if self.open(node).is_none() {
                    let with_master = self.masters.1.as_ref() == Some(node);
                    self.silent.insert(node.clone(), Failover::new(entry, node, with_master));
                }
            }
            NodeState::Fence => {
                let with_master = self.masters.1.as_ref() == Some(node);
                let begun = self.silent.remove(node).unwrap_or_else(|| Failover::new(entry, node, with_master));
                if self.open(node).is_none() {
                    self.all.push(Failover { fence_ms: Some(entry.time_ms), ..begun });
                }
            }
            NodeState::Online | NodeState::Maintenance => {
                self.silent.remove(node);
                self.proofs.remove(node);
                // What was not known to be down has kept its services.
                if let Some(failover) = self.open(node).filter(|failover| failover.locked_ms.is_none()) {
                    failover.end(entry.time_ms, FailoverOutcome::Returned);
                }
            }
            NodeState::Gone => {
                self.silent.remove(node);
            }
        }
    }

    fn take_proof(&mut self, node: &NodeName, proof: ProofOfDown) {
        self.proofs.insert(node.clone(), proof);
    }

    fn take_placed(&mut self, sid: &ServiceId, from: &NodeName, to: &NodeName, time_ms: i64) {
        let start = self.starts.get(sid).filter(|(node, _)| node == to).map(|(_, started)| *started);
        if let Some(failover) = self.last_of(from) {
            // The node on which it starts may have had that kept sooner than the master.
            let started_ms = start.filter(|started| *started >= failover.noticed_ms);
            failover.note(sid, |service| {
                service.to = Some(to.clone());
                service.placed_ms = Some(time_ms);
                service.started_ms = service.started_ms.or(started_ms);
            });
            failover.settle(time_ms);
        }
    }

    fn take_service_state(&mut self, sid: &ServiceId, to: StateName, time_ms: i64) {
        let Some(failover) = self.with_open_start(sid) else { return };
        match to {
            StateName::RequestStop | StateName::Stopped => failover.note(sid, |service| service.starts = false),
            StateName::Error => failover.note(sid, |service| service.failed = true),
            StateName::RequestStart
            | StateName::RequestStartBalance
            | StateName::Started
            | StateName::Fence
            | StateName::Recovery
            | StateName::Migrate
            | StateName::Relocate
            | StateName::Freeze => return,
        }
        failover.settle(time_ms);
    }

    /// It may be another node than the first one that was found: where its start failed, it was placed again.
    fn take_started(&mut self, sid: &ServiceId, node: &NodeName, time_ms: i64) {
        self.starts.insert(sid.clone(), (node.clone(), time_ms));
        if let Some(failover) = self.with_open_start(sid) {
            failover.note(sid, |service| {
                service.to = Some(node.clone());
                service.started_ms = Some(time_ms);
            });
            failover.settle(time_ms);
        }
    }

    /// The last failover of a node, if it is not over.
    fn open(&mut self, node: &NodeName) -> Option<&mut Failover> {
        self.last_of(node).filter(|failover| failover.ended_ms.is_none())
    }

    /// Services may be placed after those that were placed first have started already.
    fn last_of(&mut self, node: &NodeName) -> Option<&mut Failover> {
        let last = self.all.iter_mut().rev().find(|failover| failover.node == *node);
        last.filter(|failover| failover.outcome != FailoverOutcome::Returned)
    }

    /// The failover that waits for this service to start.
    fn with_open_start(&mut self, sid: &ServiceId) -> Option<&mut Failover> {
        let waits = |service: &FailoverService| {
            service.sid == *sid
                && service.to.is_some()
                && service.starts
                && service.started_ms.is_none()
                && !service.failed
        };
        self.all.iter_mut().rev().find(|failover| failover.services.iter().any(waits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Source;

    fn node(name: &str) -> NodeName {
        NodeName::new(name).unwrap()
    }

    fn sid(name: &str) -> ServiceId {
        ServiceId::new(name).unwrap()
    }

    /// A history of node3 with these events of the master on node1, each 1,000 ms after the one before.
    struct Story(Failovers, u16);

    impl Story {
        fn new() -> Self {
            Self(Failovers::default(), 0)
        }

        fn say(&mut self, on: &str, event: Event) -> &mut Self {
            self.1 = self.1.saturating_add(1_000);
            let id = EntryId::of_node(&node(on), 1, self.1.into());
            let entry = Entry::new(id, self.1.into(), node(on), Source::Crm, event.into());
            self.0.take(&entry.after_silence(400));
            self
        }

        fn state(&mut self, from: NodeState, to: NodeState) -> &mut Self {
            self.say("node1", Event::NodeState { node: node("node3"), from, to })
        }

        fn fenced(&mut self) -> &mut Self {
            self.state(NodeState::Online, NodeState::Unknown).state(NodeState::Unknown, NodeState::Fence);
            self.say("node1", Event::FenceAcknowledged { node: node("node3") })
        }

        fn placed(&mut self, name: &str) -> &mut Self {
            self.say("node1", Event::ServiceRecovered { sid: sid(name), from: node("node3"), to: node("node2") })
        }

        fn last(&self) -> &Failover {
            self.0.all().last().unwrap()
        }
    }

    #[test]
    fn a_failover_has_its_steps_in_seconds() {
        let mut story = Story::new();
        story.fenced().placed("vm:100").placed("vm:101");
        story.say("node1", Event::NotifyFenceSucceeded { node: node("node3") });
        assert_eq!(story.last().outcome, FailoverOutcome::UnderWay);
        story.say("node2", Event::AgentStarted { sid: sid("vm:101") });
        story.say("node2", Event::AgentStarted { sid: sid("vm:100") });
        let failover = story.last();
        assert_eq!((failover.outcome, failover.proof), (FailoverOutcome::Done, Some(ProofOfDown::Lock)));
        let seconds = [failover.noticed_ms, failover.fence_ms.unwrap(), failover.locked_ms.unwrap()]
            .map(|moment| failover.seconds(Some(moment)).unwrap());
        assert_eq!(seconds, [0.4, 1.4, 2.4]);
        let started: Vec<_> = failover.services.iter().map(|service| failover.seconds(service.started_ms)).collect();
        assert_eq!(started, [Some(7.4), Some(6.4)]);
        assert_eq!(failover.seconds(failover.all_started_ms()), Some(7.4));
    }

    #[test]
    fn who_is_silent_for_a_moment_makes_no_failover() {
        let mut story = Story::new();
        story.state(NodeState::Online, NodeState::Unknown).state(NodeState::Unknown, NodeState::Online);
        assert_eq!(story.0.all(), []);
        story.state(NodeState::Online, NodeState::Unknown).state(NodeState::Unknown, NodeState::Fence);
        story.state(NodeState::Fence, NodeState::Online);
        assert_eq!(story.last().outcome, FailoverOutcome::Returned);
    }

    #[test]
    fn one_that_is_stopped_or_fails_holds_up_no_end() {
        let mut story = Story::new();
        story.fenced().placed("vm:100").placed("vm:101");
        let state = |name: &str, to| Event::ServiceState {
            sid: sid(name),
            from: StateName::Recovery,
            to,
            node: None,
            target: None,
            timeout: None,
        };
        story.say("node1", state("vm:100", StateName::RequestStop));
        assert_eq!(story.last().outcome, FailoverOutcome::UnderWay);
        story.say("node1", state("vm:101", StateName::Error));
        assert_eq!(story.last().outcome, FailoverOutcome::Failed);
    }

    #[test]
    fn one_that_finds_no_node_keeps_it_open_until_it_does() {
        let mut story = Story::new();
        story.fenced().say("node1", Event::NotifyFenceSucceeded { node: node("node3") });
        assert_eq!(story.last().outcome, FailoverOutcome::Done);
        story.say("node1", Event::RecoveryFailed { sid: sid("vm:100"), node: node("node3") });
        assert_eq!((story.last().outcome, story.last().services.len()), (FailoverOutcome::UnderWay, 1));
        story.placed("vm:100").say("node2", Event::AgentStarted { sid: sid("vm:100") });
        assert_eq!(story.last().outcome, FailoverOutcome::Done);
        assert_eq!(story.0.all().len(), 1);
    }

    /// Nodes bring what they report to the store by themselves, so that it may come in another order than it happened.
    #[test]
    fn a_start_that_is_kept_before_its_placement_counts() {
        let mut story = Story::new();
        story.say("node2", Event::AgentStarted { sid: sid("vm:100") }).fenced().placed("vm:100");
        assert_eq!(story.last().outcome, FailoverOutcome::UnderWay, "that was another start");
        let mut story = Story::new();
        story.fenced().say("node2", Event::AgentStarted { sid: sid("vm:100") });
        story.placed("vm:100");
        assert_eq!(story.last().outcome, FailoverOutcome::Done);
    }

    #[test]
    fn the_loss_of_a_master_has_its_own_bound() {
        let become_master = Event::DaemonState { from: DaemonState::Slave, to: DaemonState::Master };
        let mut story = Story::new();
        story.say("node3", become_master.clone()).say("node1", become_master).fenced();
        assert!(story.last().with_master);
        let times = crate::timing::Timings::default().recovery();
        assert_eq!(story.last().bound_seconds(&times), times.longest_with_master.as_secs_f64());
    }
}
