//! What must hold after every step, whatever goes wrong.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    sync::Arc,
    time::Duration,
};

use ha_core::{
    config::ResourcesConfig,
    event::Event,
    host::{Configuration, FenceAttempt, HostError, Job, JobId, Lock, LockAnswer, ProbeProgress},
    id::{NodeName, ServiceId, Uid},
    status::{ExitCode, ManagerStatus, ServiceEntry, ServiceState, StateName},
    time::Instant,
};
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};

use super::{
    Fault, RanTwice,
    belief::{self, Beliefs, Wrong, is_managed, is_wanted},
    flapping::Flapping,
    going_back::GoingBack,
    precedence::Precedence,
    readiness::Heard,
    sequence::Sequence,
    storms::Storms,
};
use crate::world::{ClusterEvent, DaemonKind, Happening, Source, What, World};

/// Something that must always hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Invariant {
    /// No service runs on two nodes.
    RunsOnce,
    /// When a node is fenced, or its lock is taken by another node, it runs no managed service, and none is begun there
    /// as long as another node has its lock.
    FencedRunsNothing,
    /// A watchdog is closed only where nothing runs that somebody may start elsewhere.
    WatchdogGuardsWhatRuns,
    /// A watchdog is fed only after a renewal of the lock that was asked for after the previous feed, and runs out before the lock can pass
    /// to somebody else.
    FedAfterRenewal,
    /// A request is executed once by an LRM, and by the LRM of one node only.
    ExecutedOnce,
    /// Only the node that holds the manager lock, and is watched, writes the manager status, unless HA was disarmed.
    WrittenUnderLock,
    /// Records name nodes that exist, no two services have the same request, and no configured service loses its entry.
    RecordsConsistent,
    /// No node is reset without a fault that calls for it.
    NoNeedlessReset,
    /// A node that is not marked `unguarded` is guarded by a watchdog, or runs nothing that is looked after.
    UnguardedIsMarked,
    /// What runs though it is in `error` or `stopped` is in `may_run`.
    MayRunIsKnown,
    /// Where something may run, an LRM's record says that it lets go before it does.
    LetGoIsTold,
    /// Whoever writes the manager status has read its newest revision, or written it.
    WrittenFromNewest,
    /// A request id names one request of one service for ever.
    RequestNamesOne,
    /// A service that is recovered goes on where its guest is configured.
    RecoveredWhereItIs,
    /// What is configured has an entry, as soon as a master could see it.
    ConfiguredIsKnown,
    /// An entry that can't be understood is written again as it is.
    NotUnderstoodIsKept,
    /// A fence device turns a node off only in an incident that, as far as its master knows, still goes on.
    FencedForIncident,
    /// The device of a multiplexer runs for no longer than each of its clients counts on.
    DeviceEndsInTime,
    /// What is in `error` is tried again only if it is so for failed starts, and is asked to run.
    TriedAgainIsDue,
    /// What is told to be ready, or not, was just heard to be so by a probe.
    ReadinessIsTrue,
    /// What is of higher priority is recovered, started and moved before what is of lower.
    HigherFirst,
    /// What comes after others by an order rule is started for the first time only when those run, or were waited for as long as the rule
    /// says.
    ComesAfter,
    /// No more services start or move at once than may, and none waits where nothing is ahead of it.
    StormsAreBounded,
    /// A service with a delay goes back only to a node that has been back for so long.
    GoesBackInTime,
    /// A node that is fenced again and again takes new services only where there is no way around it, and takes them again when its hold is
    /// over.
    SparesFlapping,
    /// While faults go on, what none of them touches stays within its bound.
    GoesOn,
    /// Somebody is told why a service does not run: it goes to `error` with a reason, and one that could run and does not is shown or told
    /// as such.
    ToldWhy,
    /// After the faults every service comes to where rules and requests want it, or its state says why not.
    Settles,
}

impl Invariant {
    /// What it says, in a few words.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RunsOnce => "no service runs on two nodes",
            Self::FencedRunsNothing => "a fenced node runs nothing",
            Self::WatchdogGuardsWhatRuns => "a watchdog guards what runs",
            Self::FedAfterRenewal => "a watchdog is fed only after a renewal",
            Self::ExecutedOnce => "a request is executed once",
            Self::WrittenUnderLock => "only the master writes its record",
            Self::RecordsConsistent => "records are consistent",
            Self::NoNeedlessReset => "no node is reset without need",
            Self::UnguardedIsMarked => "a node that is not marked is guarded",
            Self::MayRunIsKnown => "what may run is known",
            Self::LetGoIsTold => "an LRM tells before it lets go",
            Self::WrittenFromNewest => "who writes has read the newest",
            Self::RequestNamesOne => "a request id names one request",
            Self::RecoveredWhereItIs => "what is recovered is where its guest is",
            Self::ConfiguredIsKnown => "what is configured is known",
            Self::NotUnderstoodIsKept => "what is not understood is kept",
            Self::FencedForIncident => "a device turns off only what must be fenced",
            Self::DeviceEndsInTime => "a device ends when its clients count on that",
            Self::TriedAgainIsDue => "only what failed to start is tried again",
            Self::ReadinessIsTrue => "what is told to be ready, or not, was heard to be so",
            Self::HigherFirst => "what is of higher priority comes first",
            Self::ComesAfter => "what comes after others is started after them",
            Self::GoesBackInTime => "services go back after their delay",
            Self::SparesFlapping => "nodes that flap take no new services",
            Self::StormsAreBounded => "no more start or move at once than may",
            Self::GoesOn => "what no fault touches goes on",
            Self::ToldWhy => "somebody is told why a service does not run",
            Self::Settles => "everything settles after the faults",
        }
    }
}

/// An invariant that did not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breach {
    /// When that was seen.
    pub at: Instant,
    /// Which one.
    pub invariant: Invariant,
    /// What was seen.
    pub details: String,
}

impl Breach {
    /// What broke, without the time.
    #[must_use]
    pub fn broken(&self) -> String {
        format!("this does not hold: {}: {}", self.invariant.as_str(), self.details)
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.at.since_start().as_secs_f64();
        write!(f, "after {at} s {}", self.broken())
    }
}

/// Why a service went to `error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorReason {
    /// Its LRM has seen that its guest is elsewhere.
    NotHere,
    /// A stop, or a start whose outcome nobody can tell.
    Failed,
    /// Its starts failed on all nodes on which they were tried, or its guest was not there.
    StartsNowhere,
}

/// A change of state that was taken: whose, from, to.
pub type Transition = (&'static str, &'static str, &'static str);

/// Looks at what happens and at what daemons do, and remembers the first invariant that does not hold.
#[derive(Debug, Clone, Default)]
pub struct Invariants {
    breach: Option<Breach>,
    /// How many happenings were looked at.
    seen: usize,
    /// Daemons that renewed their lock since they last fed their watchdog.
    renewed: BTreeSet<(NodeName, DaemonKind)>,
    /// The edits of the configuration that each master last read.
    edits: BTreeMap<NodeName, u64>,
    /// Masters for which HA was disarmed when they last read or wrote the status: no watchdog guards what they write next.
    disarmed: BTreeSet<NodeName>,
    /// Which LRM executed a request: its node, and its number among the LRMs that were started there.
    executed: HashMap<Uid, (NodeName, u64), FxBuildHasher>,
    /// The requests of the jobs that were begun, by node and job.
    begun: BTreeMap<(NodeName, JobId), Uid>,
    /// Until when resets may be due to a fault.
    excused_until: Instant,
    /// Nodes whose lock a master took while a service ran there that need not be fenced. What the master writes next must leave the service
    /// there, and say that the nodes are unguarded. With the master's node and the service.
    came_since: Vec<(NodeName, NodeName, ServiceId)>,
    /// How long after the loss of quorum a reset can still come from it.
    aftermath: Duration,
    transitions: BTreeMap<Transition, u64>,
    faults: BTreeMap<&'static str, u64>,
    beliefs: Beliefs,
    precedence: Precedence,
    sequence: Sequence,
    storms: Storms,
    going_back: GoingBack,
    flapping: Flapping,
    heard: Heard,
    /// How many calls went wrong.
    disturbed: u64,
    /// Until when the last call that went wrong held up a daemon of each node.
    struck_until: BTreeMap<NodeName, Instant>,
    /// Why services went to `error`.
    reasons: BTreeMap<ServiceId, ErrorReason>,
    /// Why each service was in `error` that a master has taken out of it since. If that was never recorded it is in `error` still.
    former_reasons: BTreeMap<ServiceId, ErrorReason>,
    /// When the master last said that it has no node for a service.
    no_node: BTreeMap<ServiceId, Instant>,
    /// How often each master has written the manager status since an incident was over in it, for the incidents that it knew.
    over: BTreeMap<(NodeName, Uid), u32>,
    /// The last ended move of each service: from where to where.
    moves: BTreeMap<ServiceId, (NodeName, NodeName)>,
}

impl Invariants {
    pub(super) fn new(aftermath: Duration) -> Self {
        Self { aftermath, sequence: Sequence::new(aftermath), ..Self::default() }
    }

    /// The first invariant that did not hold, if there is one.
    #[must_use]
    pub fn breach(&self) -> Option<&Breach> {
        self.breach.as_ref()
    }

    /// How often each change of state was taken.
    #[must_use]
    pub fn transitions(&self) -> &BTreeMap<Transition, u64> {
        &self.transitions
    }

    /// How often each kind of fault happened.
    #[must_use]
    pub fn faults(&self) -> &BTreeMap<&'static str, u64> {
        &self.faults
    }

    /// From where to where a service went in its last move that has ended, whether that was reported or not.
    #[must_use]
    pub fn last_move(&self, sid: &ServiceId) -> Option<&(NodeName, NodeName)> {
        self.moves.get(sid)
    }

    /// Something happened that may lead to resets until this moment.
    pub fn excuse_until(&mut self, moment: Instant) {
        self.excused_until = self.excused_until.max(moment);
    }

    /// Resets are excused for as long as what is over now may have consequences.
    pub(super) fn excuse_aftermath(&mut self, now: Instant) {
        self.excuse_until(now.after(self.aftermath));
    }

    /// Counts a fault.
    pub fn count_fault(&mut self, kind: &'static str) {
        let count = self.faults.entry(kind).or_default();
        *count = count.saturating_add(1);
    }

    /// Takes note that an invariant does not hold.
    pub fn note_breach(&mut self, at: Instant, invariant: Invariant, details: impl Into<String>) {
        if self.breach.is_none() {
            self.breach = Some(Breach { at, invariant, details: details.into() });
        }
    }

    fn note_wrong(&mut self, at: Instant, wrong: Option<Wrong>) {
        if let Some((invariant, details)) = wrong {
            self.note_breach(at, invariant, details);
        }
    }

    pub(super) fn runs_twice(&mut self, ran_twice: &RanTwice) {
        let nodes: Vec<&str> = ran_twice.nodes.iter().map(NodeName::as_str).collect();
        let details = format!("{} runs on {}", ran_twice.sid, nodes.join(" and "));
        self.note_breach(ran_twice.at, Invariant::RunsOnce, details);
    }

    /// How many calls went wrong.
    #[must_use]
    pub fn disturbed_calls(&self) -> u64 {
        self.disturbed
    }

    pub(super) fn disturbed(&mut self, node: &NodeName, fault: Fault, at: Instant) {
        self.disturbed = self.disturbed.saturating_add(1);
        let milliseconds = match fault {
            Fault::Fails | Fault::Unknown => 0,
            Fault::Stalls(time)
            | Fault::Late(time)
            | Fault::LateUnknown(time)
            | Fault::Crashes(time)
            | Fault::CrashesAfter(time) => time,
        };
        let until = at.after(Duration::from_millis(milliseconds));
        let struck = self.struck_until.entry(node.clone()).or_insert(until);
        *struck = until.max(*struck);
        self.count_fault(match fault {
            Fault::Fails => "call fails",
            Fault::Unknown => "call takes effect but gives an error",
            Fault::Stalls(_) => "stall before a call",
            Fault::Late(_) => "late answer",
            Fault::LateUnknown(_) => "late error after effect",
            Fault::Crashes(_) => "crash before a call",
            Fault::CrashesAfter(_) => "crash after a call",
        });
    }

    /// Whether a call of a node's daemons that went wrong is not over yet.
    pub(super) fn is_struck(&self, node: &NodeName, now: Instant) -> bool {
        self.struck_until.get(node).is_some_and(|until| now <= *until)
    }

    /// Why a service is in `error`, as the master said.
    #[must_use]
    pub fn error_reason(&self, sid: &ServiceId) -> Option<ErrorReason> {
        self.reasons.get(sid).or_else(|| self.former_reasons.get(sid)).copied()
    }

    /// When the master last said that it has no node for a service that must be recovered.
    #[must_use]
    pub fn no_node_since(&self, sid: &ServiceId) -> Option<Instant> {
        self.no_node.get(sid).copied()
    }

    pub(super) fn asked_for_lock(
        &mut self,
        node: &NodeName,
        daemon: DaemonKind,
        lock: &Lock,
        answer: &Result<LockAnswer, HostError>,
        world: &World,
    ) {
        if !matches!(answer, Ok(LockAnswer::Acquired | LockAnswer::Renewed | LockAnswer::Held)) {
            return;
        }
        match lock {
            Lock::Agent(other) if other != node => self.takes_lock_of(other, node, world),
            Lock::Agent(_) | Lock::Manager => {
                self.renewed.insert((node.clone(), daemon));
            }
        }
    }

    pub(super) fn feeds_watchdog(&mut self, node: &NodeName, daemon: DaemonKind, world: &World) {
        if world.nodes.get(node).is_some_and(|node| node.multiplexer.is_none()) {
            self.counts_feed(node, daemon, world);
        }
        if !self.renewed.remove(&(node.clone(), daemon)) {
            let details = format!("the {} of {node} feeds its watchdog without a renewal", daemon.as_str());
            self.note_breach(world.time, Invariant::FedAfterRenewal, details);
        }
    }

    /// The multiplexer of a node lets its device run for longer than a daemon counts on.
    pub(super) fn device_outlasts(&mut self, node: &NodeName, daemon: DaemonKind, at: Instant) {
        let details = format!("the device of {node} runs for longer than its {} counts on", daemon.as_str());
        self.note_breach(at, Invariant::DeviceEndsInTime, details);
    }

    /// A feed counts: if no other comes, the node is down by the time that its watchdog says.
    pub(super) fn counts_feed(&mut self, node: &NodeName, daemon: DaemonKind, world: &World) {
        let at = world.time;
        let lock = match daemon {
            DaemonKind::Crm => Lock::Manager,
            DaemonKind::Lrm => Lock::Agent(node.clone()),
        };
        let resets_at = world.nodes.get(node).and_then(|node| node.watchdogs.get(&daemon));
        if resets_at > world.lock_ends(&lock).as_ref() {
            let details = format!("the {} of {node} feeds a watchdog that outlasts its lock", daemon.as_str());
            self.note_breach(at, Invariant::FedAfterRenewal, details);
        }
    }

    /// A fence device that the CRM of a node asked turns another node off.
    pub(super) fn device_cuts(&mut self, asker: &NodeName, attempt: &FenceAttempt, at: Instant) {
        let FenceAttempt { node, incident, .. } = attempt;
        if self.over.get(&(asker.clone(), incident.clone())).is_some_and(|writes| *writes > ROUNDS_TO_FORGET) {
            let details =
                format!("a device that {asker} asked turns off {node} for incident {incident}, which is over");
            self.note_breach(at, Invariant::FencedForIncident, details);
        }
    }

    /// Counts how long a master has known that incidents are over.
    fn note_incidents(&mut self, node: &NodeName, status: &ManagerStatus) {
        let goes_on = |id: &Uid| status.fencing.values().any(|incident| incident.id == *id && !incident.was_down);
        for ((writer, id), writes) in &mut self.over {
            if writer == node {
                *writes = if goes_on(id) { 0 } else { writes.saturating_add(1) };
            }
        }
        for incident in status.fencing.values().filter(|incident| !incident.was_down) {
            self.over.entry((node.clone(), incident.id.clone())).or_insert(0);
        }
    }

    /// `goes_down`: the LRM was told that its node goes down.
    pub(super) fn closes_watchdog(&mut self, node: &NodeName, daemon: DaemonKind, goes_down: bool, world: &World) {
        if daemon == DaemonKind::Crm {
            return;
        }
        self.note_wrong(world.time, belief::untold(node, world));
        let Some(status) = world.store.manager_status.as_deref() else { return };
        // The manager does not count the lock of an unguarded node as proof.
        if status.disarm.is_some() || status.unguarded.contains(node) {
            return;
        }
        for sid in world.running().get(node).into_iter().flatten().filter(|sid| is_managed(world, sid)) {
            let Some(entry) = status.services.get(sid) else { continue };
            let here = entry.node == *node || entry.state.target() == Some(node);
            // The manager does not count the lock as proof that a service in `error` is down.
            // What is frozen runs on while only the daemon restarts.
            let left_alone = entry.state == ServiceState::Error || (entry.state == ServiceState::Freeze && !goes_down);
            if here && !left_alone {
                let details =
                    format!("the LRM of {node} closes its watchdog while {sid} runs in {}", entry.state.name());
                self.note_breach(world.time, Invariant::WatchdogGuardsWhatRuns, details);
            }
        }
    }

    /// A daemon has read what is configured, and goes by it.
    pub(super) fn goes_by(&mut self, node: &NodeName, daemon: DaemonKind, resources: &Arc<ResourcesConfig>) {
        self.precedence.begins(node, daemon, resources);
    }

    pub(super) fn reads_configuration(&mut self, node: &NodeName, configuration: &Configuration, world: &World) {
        self.edits.insert(node.clone(), world.store.edits());
        self.storms.begins(node, configuration);
        self.going_back.begins(node, configuration);
        self.flapping.begins(node, configuration);
        self.beliefs.has_read_configuration(node, configuration);
    }

    pub(super) fn reads_manager_status(
        &mut self,
        node: &NodeName,
        status: Option<&Arc<ManagerStatus>>,
        holds_lock: bool,
    ) {
        self.beliefs.has_read(node, status.cloned());
        let status = status.map(|status| &**status);
        // A master without a watchdog may take longer to read than its lock lasts, and may then read what another master wrote that armed
        // HA again. It is no master any more, but it still has no watchdog.
        if holds_lock || status.is_some_and(|status| status.disarm.is_some()) {
            self.note_disarmed(node, status);
        }
    }

    /// A master has written the manager status, which is this one now.
    pub(super) fn has_written(&mut self, node: &NodeName, status: Option<Arc<ManagerStatus>>) {
        self.beliefs.has_read(node, status);
    }

    /// Whether HA was disarmed when a master last read or wrote the status.
    pub(super) fn knows_disarmed(&self, node: &NodeName) -> bool {
        self.disarmed.contains(node)
    }

    fn note_disarmed(&mut self, node: &NodeName, status: Option<&ManagerStatus>) {
        if status.is_some_and(|status| status.disarm.is_some()) {
            self.disarmed.insert(node.clone());
        } else {
            self.disarmed.remove(node);
        }
    }

    pub(super) fn writes_manager_status(&mut self, node: &NodeName, status: &ManagerStatus, world: &World) {
        self.check_unguarded(node, status, world);
        let holds_lock = world.lock_holder(&Lock::Manager) == Some(node);
        let is_watched = world.nodes.get(node).is_some_and(|node| node.watchdogs.contains_key(&DaemonKind::Crm));
        let may_write = (holds_lock && is_watched) || self.disarmed.contains(node);
        if !may_write {
            let missing = if holds_lock { "a watchdog" } else { "the manager lock" };
            let details = format!("{node} writes the manager status without {missing}");
            self.note_breach(world.time, Invariant::WrittenUnderLock, details);
        }
        let wrong = self.storms.writes(node, world.store.manager_status.as_deref(), status, world.time);
        self.note_wrong(world.time, wrong);
        let wrong = self.going_back.writes(node, world.store.manager_status.as_deref(), status, world.time);
        self.note_wrong(world.time, wrong);
        let wrong = self.flapping.writes(node, world.store.manager_status.as_deref(), status, world.time);
        self.note_wrong(world.time, wrong);
        let wrong = self.beliefs.writes(node, status, self.disarmed.contains(node), world);
        self.note_wrong(world.time, wrong);
        let is_current = self.edits.get(node) == Some(&world.store.edits());
        let wrong = self.sequence.writes(status, is_current, world);
        self.note_wrong(world.time, wrong);
        self.note_disarmed(node, Some(status));
        self.note_incidents(node, status);
        let forgotten = world.store.resources.resources.keys().find(|sid| {
            let had_entry = world.store.manager_status.as_ref().is_some_and(|before| before.services.contains(sid));
            had_entry && !status.services.contains(sid) && is_wanted(world, sid)
        });
        if let Some(sid) = forgotten.filter(|_| self.edits.get(node) == Some(&world.store.edits())) {
            self.note_breach(world.time, Invariant::RecordsConsistent, format!("{sid} is configured but forgotten"));
        }
        let mut uids: Vec<(&Uid, &ServiceId)> = Vec::with_capacity(status.services.len());
        for (sid, entry) in status.services.iter() {
            uids.extend(entry.uid.as_ref().map(|uid| (uid, sid)));
            let unknown = [Some(&entry.node), entry.state.target()].into_iter().flatten();
            if let Some(unknown) = unknown.into_iter().find(|node| !world.nodes.contains_key(*node)) {
                let details = format!("{sid} is on or on its way to {unknown}, which there is not");
                self.note_breach(world.time, Invariant::RecordsConsistent, details);
            }
        }
        uids.sort_unstable();
        let same = uids.windows(2).find_map(|pair| match pair {
            [(one, first), (other, second)] if one == other => Some((*first, *second)),
            _ => None,
        });
        if let Some((first, second)) = same {
            let details = format!("{first} and {second} have the same request id");
            self.note_breach(world.time, Invariant::RecordsConsistent, details);
        }
    }

    pub(super) fn starts_job(&mut self, node: &NodeName, job: &Job, generation: u64, world: &World) {
        if let Some(holder) = world.lock_holder(&Lock::Agent(node.clone())).filter(|holder| *holder != node) {
            let details = format!("{} of {} begins on {node} though {holder} has its lock", job.command, job.sid);
            self.note_breach(world.time, Invariant::FencedRunsNothing, details);
        }
        if !world.nodes.get(node).is_some_and(|node| node.watchdogs.contains_key(&DaemonKind::Lrm)) {
            let details = format!("{} of {} begins on {node}, whose LRM has no watchdog", job.command, job.sid);
            self.note_breach(world.time, Invariant::WatchdogGuardsWhatRuns, details);
        }
        let wrong = self.precedence.starts(node, job);
        self.note_wrong(world.time, wrong);
        let wrong = self.sequence.starts(node, job, generation, world);
        self.note_wrong(world.time, wrong);
        let Some(uid) = &job.uid else { return };
        self.begun.insert((node.clone(), job.id), uid.clone());
        match job.command {
            // These may be done again: a stopped service stays stopped, a start is tried again, an error is reported.
            StateName::Stopped | StateName::Error => return,
            StateName::Started
            | StateName::RequestStop
            | StateName::RequestStart
            | StateName::RequestStartBalance
            | StateName::Fence
            | StateName::Recovery
            | StateName::Migrate
            | StateName::Relocate
            | StateName::Freeze => {}
        }
        let here = (node.clone(), generation);
        let Some(before) = self.executed.insert(uid.clone(), here.clone()) else { return };
        let again = before == here && job.command != StateName::Started;
        if again || before.0 != *node {
            let details = format!("{} of {} ({uid}) is executed again on {node}", job.command, job.sid);
            self.note_breach(world.time, Invariant::ExecutedOnce, details);
        }
    }

    /// The LRM of a node begins to look at what has ended and what waits.
    pub(super) fn looks_at_jobs(&mut self, node: &NodeName) {
        self.precedence.looks_again(node);
    }

    /// The CRM of a node tells something.
    pub(super) fn crm_tells(&mut self, node: &NodeName, event: &Event, at: Instant) {
        self.storms.tells(node, event);
        self.going_back.tells(node, event);
        self.flapping.tells(node, event);
        let wrong = self.precedence.tells(node, event);
        self.note_wrong(at, wrong);
    }

    /// The LRM of a node hears of a probe.
    pub(super) fn hears_probe(
        &mut self,
        node: &NodeName,
        sid: &ServiceId,
        answer: &Result<ProbeProgress, HostError>,
        at: Instant,
    ) {
        self.heard.hears(node, sid, answer);
        if *answer == Ok(ProbeProgress::Ready) {
            self.sequence.hears_ready(sid, at);
        }
    }

    /// The LRM of a node tells something.
    pub(super) fn lrm_tells(&mut self, node: &NodeName, event: &Event, at: Instant) {
        let wrong = self.heard.tells(node, event);
        self.note_wrong(at, wrong);
    }

    /// A job has ended. One that a lock kept from its guest did not execute anything.
    pub(super) fn ends_job(&mut self, node: &NodeName, id: JobId, exit_code: ExitCode, at: Instant) {
        self.sequence.ends(node, id, exit_code, at);
        let begun = self.begun.remove(&(node.clone(), id));
        if let Some(uid) = begun.filter(|_| exit_code == ExitCode::TRY_AGAIN) {
            self.executed.remove(&uid);
        }
    }

    /// Looks at what happened since the last look.
    pub(super) fn look(&mut self, world: &World) {
        let mut quorum_may_change = false;
        for Happening { what, src, .. } in world.happenings.get(self.seen..).unwrap_or_default() {
            match what {
                What::Core(Event::AgentMoveEnded { sid, target, .. }) => {
                    if let Source::Daemon(from, _) = src {
                        self.moves.insert(sid.clone(), (from.clone(), target.clone()));
                    }
                }
                What::Core(event) => self.event(event, world),
                What::Cluster(ClusterEvent::WatchdogReset { node }) => {
                    self.count_fault("watchdog reset");
                    if world.time > self.excused_until {
                        let details = format!("the watchdog resets {node}");
                        self.note_breach(world.time, Invariant::NoNeedlessReset, details);
                    }
                }
                What::Cluster(_) => quorum_may_change = true,
            }
        }
        if quorum_may_change && !world.is_quorate() {
            self.excuse_aftermath(world.time);
        }
        self.seen = world.happenings.len();
        let wrong = self.beliefs.compare(world);
        self.note_wrong(world.time, wrong);
    }

    #[allow(clippy::wildcard_enum_match_arm, reason = "most events change no state")]
    fn event(&mut self, event: &Event, world: &World) {
        let transition = match event {
            Event::ServiceState { from, to, .. } => ("service", from.as_str(), to.as_str()),
            Event::NodeState { from, to, .. } => ("node", from.as_str(), to.as_str()),
            Event::DaemonState { from, to } => ("daemon", from.as_str(), to.as_str()),
            Event::NodeForgotten { .. } => ("node", "gone", "forgotten"),
            Event::StartFailuresExpired { sid, tried_again: true, .. } => {
                self.check_tried_again(sid, world.time);
                return;
            }
            Event::DisarmFrozeService { was, .. } => ("disarm", was.as_str(), "freeze"),
            Event::Disarmed => ("disarm", "disarming", "disarmed"),
            Event::FenceAcknowledged { node } => {
                self.check_fenced(node, world);
                return;
            }
            _ => {
                self.note_reason(event, world.time);
                return;
            }
        };
        if let Event::ServiceState { sid, to, .. } = event {
            self.check_reason(sid, *to, world.time);
        }
        let count = self.transitions.entry(transition).or_default();
        *count = count.saturating_add(1);
    }

    /// Takes note of why a service goes to `error`, or waits in `recovery`.
    #[allow(clippy::wildcard_enum_match_arm, reason = "the others are no reasons")]
    fn note_reason(&mut self, event: &Event, at: Instant) {
        let (sid, reason) = match event {
            Event::MoveFailedWrongNode { sid } => (sid, ErrorReason::NotHere),
            Event::StopFailed { sid, exit_code, .. } | Event::ServiceUnrecoverable { sid, exit_code, .. } => {
                let is_elsewhere = ExitCode(*exit_code) == ExitCode::WRONG_NODE;
                (sid, if is_elsewhere { ErrorReason::NotHere } else { ErrorReason::Failed })
            }
            Event::RelocationExhausted { sid, .. } => (sid, ErrorReason::StartsNowhere),
            Event::RecoveryFailed { sid, .. } => {
                self.no_node.insert(sid.clone(), at);
                return;
            }
            _ => return,
        };
        self.reasons.insert(sid.clone(), reason);
    }

    /// A service changed its state: it goes into `error` only with a reason that was told.
    fn check_reason(&mut self, sid: &ServiceId, to: StateName, at: Instant) {
        if to != StateName::Error {
            let former = self.reasons.remove(sid);
            self.former_reasons.extend(former.map(|reason| (sid.clone(), reason)));
        } else if !self.reasons.contains_key(sid) {
            self.note_breach(at, Invariant::ToldWhy, format!("{sid} goes to error, and nobody is told why"));
        }
    }

    /// A service in `error` is tried again. One of which nobody knows whether it runs must not be.
    fn check_tried_again(&mut self, sid: &ServiceId, at: Instant) {
        let reason = self.reasons.get(sid).copied();
        if reason != Some(ErrorReason::StartsNowhere) {
            let details = format!("{sid} is tried again though it is in error for another reason: {reason:?}");
            self.note_breach(at, Invariant::TriedAgainIsDue, details);
        }
    }

    /// A master takes the lock of another node. What runs there and must be fenced could be started elsewhere now.
    ///
    /// A service may have come since the node came up again. That one must not be started elsewhere.
    fn takes_lock_of(&mut self, node: &NodeName, master: &NodeName, world: &World) {
        let running = world.occupied().filter(|(other, sid)| *other == node && is_managed(world, sid));
        let (to_be_fenced, came_since): (Vec<_>, Vec<_>) =
            running.map(|(_, sid)| sid).partition(|sid| is_to_be_fenced(world, sid));
        if let Some(sid) = to_be_fenced.first() {
            let details = format!("{sid} runs on {node} though its lock was taken");
            self.note_breach(world.time, Invariant::FencedRunsNothing, details);
        }
        let came_since = came_since.into_iter().map(|sid| (master.clone(), node.clone(), sid.clone()));
        self.came_since.extend(came_since);
    }

    /// A node was fenced, and the master has written that.
    fn check_fenced(&mut self, node: &NodeName, world: &World) {
        let Some(status) = world.store.manager_status.as_deref() else { return };
        let mut running = world.occupied().filter(|(other, sid)| *other == node && is_managed(world, sid));
        let runs = running.find(|(_, sid)| is_to_be_fenced(world, sid) || !is_known_to_run(status, sid, node));
        if let Some((_, sid)) = runs {
            let details = format!("{sid} runs on {node} though it was fenced");
            self.note_breach(world.time, Invariant::FencedRunsNothing, details);
        }
    }

    /// A master took the lock of a node to which a service has come since. Now it writes what it knows.
    fn check_unguarded(&mut self, master: &NodeName, status: &ManagerStatus, world: &World) {
        // Another master that writes now has not seen that lock.
        for (by, node, sid) in std::mem::take(&mut self.came_since) {
            let still_runs = world.occupied().any(|(other, running)| *other == node && *running == sid);
            if by == *master && still_runs && !is_known_to_run(status, &sid, &node) {
                let details = format!("{sid} runs on {node} though its lock was taken, and nobody knows");
                self.note_breach(world.time, Invariant::FencedRunsNothing, details);
            }
        }
    }
}

/// A master may have to tell its devices several times that an incident is over.
const ROUNDS_TO_FORGET: u32 = 2;

/// Whether it is known that a service may run on a node whose lock proves nothing about it: it stays on a node that is unguarded, or it is
/// left to people in `error`, which does not keep an LRM from letting go.
fn is_known_to_run(status: &ManagerStatus, sid: &ServiceId, node: &NodeName) -> bool {
    let stays = |entry: &ServiceEntry| entry.node == *node || entry.state.target() == Some(node);
    status.services.get(sid).is_some_and(|entry| {
        let in_error = entry.state == ServiceState::Error && status.may_run.contains(sid);
        stays(entry) && (status.unguarded.contains(node) || in_error)
    })
}

/// Whether a service waits for its node to be fenced.
fn is_to_be_fenced(world: &World, sid: &ServiceId) -> bool {
    let status = world.store.manager_status.as_deref();
    let entry = status.and_then(|status| status.services.get(sid));
    is_wanted(world, sid) && entry.is_some_and(|entry| entry.state == ServiceState::Fence)
}

/// How long after a fault a reset can still come from it.
#[must_use]
pub fn aftermath(lock_lifetime: Duration, timings: &ha_core::timing::Timings) -> Duration {
    let recovery = timings.recovery().longest_with_master;
    lock_lifetime.saturating_add(recovery).saturating_mul(2)
}
