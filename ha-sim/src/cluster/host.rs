//! A daemon's way to the world, in which every call can go wrong.
//!
//! Calls take time where a [`Disturbance`] says so: everything else goes on meanwhile, other daemons included, and the node may lose its
//! power before the answer comes. So two daemons interleave inside their rounds. Stalls are nested: a call that stalls inside the stall of
//! another one ends no later than that one.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use ha_core::{
    config::{
        GroupsConfig, RequestedState, ResourcesConfig, RulesConfig, datacenter::SchedulerMode, fence::FenceCommand,
    },
    event::{Event, Why},
    host::{
        ClusterLock, Configuration, ConfigurationStore, Entropy, EventSink, FeedOutcome, FenceAttempt, FenceDevices,
        FenceProgress, GuestControl, HostError, HostFigures, HostOperation, Job, JobId, JobStart, Lock, LockAnswer,
        LrmStore, ManagerStore, Membership, ProbeAttempt, ProbeProgress, Statistics, StatusStore, UnmanagedGuest,
        Watchdog, Workers,
    },
    id::{NodeName, ServiceId, Uid},
    status::{ExitCode, LrmMode, LrmStatus, ManagerStatus, Writer},
    time::Instant,
};

use super::{Cluster, PlantedBug, planted};
use crate::world::{DaemonKind, View};

/// How many calls can be on their way at once, each inside a stall of another one.
const MOST_CALLS: u32 = 6;

/// A call of a host that will go wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disturbance {
    /// The node of the daemon that calls.
    pub node: NodeName,
    /// Which of its daemons.
    pub daemon: DaemonKind,
    /// The call; any if there is none.
    pub operation: Option<HostOperation>,
    /// How many such calls go well before it.
    pub skip: u32,
    /// How it goes wrong.
    pub fault: Fault,
}

/// How a call of a host goes wrong. Times are in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It does nothing and gives an error.
    Fails,
    /// It takes effect and gives an error all the same.
    Unknown,
    /// The daemon, or the store, stalls before the call takes effect.
    Stalls(u64),
    /// The answer comes late.
    Late(u64),
    /// It takes effect, then nothing is heard for a while, then it gives an error.
    LateUnknown(u64),
    /// The daemon dies before the call, and is started again after this time.
    Crashes(u64),
    /// The daemon dies right after the call, and is started again after this time.
    CrashesAfter(u64),
}

/// How often each call was made, and by which daemon of which node.
pub type CallsMade = BTreeMap<(NodeName, DaemonKind, HostOperation), u32>;

/// What became of a daemon during a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It lives.
    Lives,
    /// It died on its own.
    Crashes { restarts_after: Duration },
    /// It was killed, or its node lost its power.
    Killed,
}

/// The world as one daemon sees it during one call.
pub(super) struct Host<'a> {
    cluster: &'a mut Cluster,
    node: NodeName,
    daemon: DaemonKind,
    /// How often the daemon had been killed when the call began.
    kills: u64,
    fate: Fate,
}

impl<'a> Host<'a> {
    pub(super) fn new(cluster: &'a mut Cluster, node: NodeName, daemon: DaemonKind) -> Self {
        let kills = cluster.kills(&node, daemon);
        Self { cluster, node, daemon, kills, fate: Fate::Lives }
    }

    /// Who writes under the name of the node: its machine, in its present boot.
    pub(super) fn writer(&self) -> Writer {
        let boots = self.cluster.world.nodes.get(&self.node).map_or(0, |node| node.power_losses);
        Writer::new(format!("machine of {}", self.node), format!("boot {boots}"))
    }

    pub(super) fn fate(&self) -> Fate {
        self.fate
    }

    fn view(&mut self) -> View<'_> {
        let clock = self.cluster.world.time;
        View { world: &mut self.cluster.world, node: self.node.clone(), daemon: self.daemon, clock }
    }

    /// Makes a call, unless something goes wrong with it.
    fn call<T>(
        &mut self,
        operation: HostOperation,
        act: impl FnOnce(&mut Self) -> Result<T, HostError>,
    ) -> Result<T, HostError> {
        if self.fate != Fate::Lives {
            return Err(HostError::new("the daemon is dead"));
        }
        if let Some(calls) = &mut self.cluster.calls_made {
            let count = calls.entry((self.node.clone(), self.daemon, operation)).or_default();
            *count = count.saturating_add(1);
        }
        let Some(fault) = self.cluster.take_fault(&self.node, self.daemon, operation) else { return act(self) };
        match fault {
            Fault::Fails => Err(HostError::new("the call failed")),
            Fault::Unknown => act(self).and_then(|_| Err(HostError::new("the answer was lost"))),
            Fault::Stalls(milliseconds) => {
                self.stall(milliseconds)?;
                act(self)
            }
            Fault::Late(milliseconds) => {
                let answer = act(self);
                self.stall(milliseconds)?;
                answer
            }
            Fault::LateUnknown(milliseconds) => {
                let answer = act(self);
                self.stall(milliseconds)?;
                answer.and_then(|_| Err(HostError::new("the answer timed out")))
            }
            Fault::Crashes(milliseconds) => self.crash(milliseconds),
            Fault::CrashesAfter(milliseconds) => {
                act(self)?;
                self.crash(milliseconds)
            }
        }
    }

    fn crash<T>(&mut self, restarts_after: u64) -> Result<T, HostError> {
        self.fate = Fate::Crashes { restarts_after: Duration::from_millis(restarts_after) };
        Err(HostError::new("the daemon is dead"))
    }

    /// Lets everything else go on for a while. An error if the daemon does not outlive it.
    fn stall(&mut self, milliseconds: u64) -> Result<(), HostError> {
        self.cluster.go_on_for(Duration::from_millis(milliseconds));
        if self.cluster.kills(&self.node, self.daemon) != self.kills || self.cluster.is_broken() {
            self.fate = Fate::Killed;
            return Err(HostError::new("the daemon is dead"));
        }
        Ok(())
    }

    /// Whether the watchdog of this daemon is open.
    fn has_open_watchdog(&self) -> bool {
        let node = self.cluster.world.nodes.get(&self.node);
        node.is_some_and(|node| node.watchdogs.contains_key(&self.daemon))
    }

    fn has_bug(&self, bug: PlantedBug) -> bool {
        self.cluster.planted == Some(bug)
    }

    /// Whether a planted bug lets a node take a store that is not mounted for an empty one.
    fn sees_empty_store(&self) -> bool {
        self.has_bug(PlantedBug::UnmountedIsEmpty)
            && self.cluster.world.nodes.get(&self.node).is_some_and(|node| node.unmounted)
    }

    /// Whether a planted bug lets the master take the agent lock of a node that has it.
    fn skips_fencing(&self, node: &NodeName) -> bool {
        let record = self.cluster.world.store.lrm_status.get(node);
        let in_maintenance = record.is_some_and(|record| record.mode == LrmMode::Maintenance);
        let status = self.cluster.world.store.manager_status.as_ref();
        let incident = status.and_then(|status| status.fencing.get(node));
        let was_down = incident.is_some_and(|incident| incident.was_down)
            || incident.zip(record).is_some_and(|(incident, record)| {
                let writers = record.writer.as_ref().zip(incident.writer.as_ref());
                writers.is_some_and(|(now, before)| now.is_another_boot_of(before))
            });
        self.has_bug(PlantedBug::RecoveryWithoutFencing)
            || was_down && self.has_bug(PlantedBug::BootProvesEnough)
            || in_maintenance && self.has_bug(PlantedBug::FencingSkippedForMaintenance)
    }
}

impl Cluster {
    /// Lets the next host call that a disturbance describes go wrong, once.
    pub fn disturb(&mut self, disturbance: Disturbance) {
        self.disturbances.push(disturbance);
    }

    /// Takes back all disturbances that still wait for their call.
    pub fn stop_disturbing(&mut self) {
        self.disturbances.clear();
    }

    /// Counts calls from now on.
    pub fn count_calls(&mut self) {
        self.calls_made = Some(CallsMade::new());
    }

    /// The calls since [`count_calls`](Self::count_calls).
    #[must_use]
    pub fn calls_made(&self) -> Option<&CallsMade> {
        self.calls_made.as_ref()
    }

    /// Lets records go from daemon to daemon as JSON.
    pub fn write_records_as_json(&mut self) {
        self.records_as_json = true;
    }

    /// Sets the latest moment until which calls may stall.
    pub fn limit_stalls(&mut self, until: Instant) {
        self.stall_limit = Some(until);
    }

    /// Plants a bug, to see that it is found.
    pub fn plant(&mut self, bug: PlantedBug) {
        self.planted = Some(bug);
        planted::change_physics(bug, &mut self.world.physics);
    }

    fn take_fault(&mut self, node: &NodeName, daemon: DaemonKind, operation: HostOperation) -> Option<Fault> {
        let mut hit = None;
        for (position, disturbance) in self.disturbances.iter_mut().enumerate() {
            let concerned = disturbance.daemon == daemon
                && disturbance.operation.is_none_or(|wanted| wanted == operation)
                && disturbance.node == *node;
            if !concerned {
                continue;
            }
            if disturbance.skip == 0 {
                hit = Some(position);
                break;
            }
            disturbance.skip = disturbance.skip.saturating_sub(1);
        }
        let fault = as_it_may_be(operation, self.disturbances.remove(hit?).fault);
        if let Some(invariants) = &mut self.invariants {
            invariants.disturbed(node, fault, self.world.time);
        }
        Some(fault)
    }

    /// Lets everything go on inside a call of a daemon.
    fn go_on_for(&mut self, time: Duration) {
        let wanted = self.world.time.after(time);
        let end = self.stall_limit.map_or(wanted, |limit| limit.min(wanted));
        if self.calls >= MOST_CALLS || end <= self.world.time {
            return;
        }
        let outer = self.stall_limit.replace(end);
        self.calls = self.calls.saturating_add(1);
        // What breaks here is remembered, and ends the run at its next step.
        let _broken = self.run_until(end);
        self.calls = self.calls.saturating_sub(1);
        self.stall_limit = outer;
    }
}

/// Handing out jobs and collecting them is a matter of the node alone: a host knows whether it was done.
fn as_it_may_be(operation: HostOperation, fault: Fault) -> Fault {
    match (operation, fault) {
        (HostOperation::StartJob | HostOperation::FinishedJobs, Fault::Unknown) => Fault::Fails,
        (HostOperation::StartJob | HostOperation::FinishedJobs, Fault::LateUnknown(time)) => Fault::Late(time),
        (_, fault) => fault,
    }
}

impl Host<'_> {
    /// Hears what its daemon reports. Says whether it is told.
    fn hears(&mut self, event: &Event) -> bool {
        let is_untold = self.has_bug(PlantedBug::ErrorsUntold) && planted::says_why(event);
        let is_told = self.fate == Fate::Lives && !is_untold;
        if let (true, Some(invariants)) = (is_told, &mut self.cluster.invariants) {
            let at = self.cluster.world.time;
            match self.daemon {
                DaemonKind::Crm => invariants.crm_tells(&self.node, event, at),
                DaemonKind::Lrm => invariants.lrm_tells(&self.node, event, at),
            }
        }
        is_told
    }
}

impl EventSink for Host<'_> {
    fn event(&mut self, event: Event) {
        if self.hears(&event) {
            self.view().event(event);
        }
    }

    fn keeps_reasons(&self) -> bool {
        self.cluster.world.reasons.is_some()
    }

    fn decision(&mut self, event: Event, why: Why) {
        if self.hears(&event) {
            self.view().decision(event, why);
        }
    }
}

impl Membership for Host<'_> {
    fn refresh(&mut self) -> Result<(), HostError> {
        self.call(HostOperation::Refresh, |host| host.view().refresh())
    }

    fn is_quorate(&mut self) -> bool {
        self.fate == Fate::Lives && (self.view().is_quorate() || self.sees_empty_store())
    }

    fn members(&mut self) -> Result<BTreeMap<NodeName, bool>, HostError> {
        self.call(HostOperation::Members, |host| host.view().members())
    }
}

impl ClusterLock for Host<'_> {
    fn take(&mut self, lock: &Lock) -> Result<LockAnswer, HostError> {
        let node = self.node.clone();
        let answer = self.call(HostOperation::TakeLock, |host| {
            if host.has_bug(PlantedBug::FullStoreLosesLocks) && host.cluster.world.store_full {
                return Err(HostError::new("the shared store has no room left"));
            }
            if host.sees_empty_store() {
                return Ok(LockAnswer::Acquired);
            }
            let answer = host.view().take(lock);
            match (&answer, lock) {
                (Ok(LockAnswer::Refused), Lock::Agent(other)) if *other != node && host.skips_fencing(other) => {
                    Ok(LockAnswer::Acquired)
                }
                (Ok(LockAnswer::Refused), Lock::Manager) if host.has_bug(PlantedBug::ManagerLockForAll) => {
                    Ok(LockAnswer::Acquired)
                }
                _ => answer,
            }
        });
        let Self { cluster, node: own, daemon, .. } = self;
        if let Some(invariants) = &mut cluster.invariants {
            invariants.asked_for_lock(own, *daemon, lock, &answer, &cluster.world);
        }
        if let (Ok(LockAnswer::Refused), Lock::Agent(own)) = (&answer, lock)
            && *own == node
            && self.has_bug(PlantedBug::WatchdogClosedWithoutLock)
        {
            self.close()?;
        }
        match answer {
            Err(_) if self.fate == Fate::Lives && self.has_bug(PlantedBug::FailedRenewalCounts) => {
                Ok(LockAnswer::Renewed)
            }
            Ok(LockAnswer::Refused) if self.has_bug(PlantedBug::RefusedRenewalCounts) && *lock == Lock::Agent(node) => {
                Ok(LockAnswer::Renewed)
            }
            answer => answer,
        }
    }

    fn release(&mut self, lock: &Lock) -> Result<(), HostError> {
        self.call(HostOperation::ReleaseLock, |host| host.view().release(lock))
    }
}

impl Watchdog for Host<'_> {
    fn open(&mut self, not_after: Instant) -> Result<FeedOutcome, HostError> {
        self.call(HostOperation::OpenWatchdog, |host| host.feed_now(not_after, true))
    }

    fn feed(&mut self, not_after: Instant) -> Result<FeedOutcome, HostError> {
        self.call(HostOperation::FeedWatchdog, |host| host.feed_now(not_after, false))
    }

    fn close(&mut self) -> Result<(), HostError> {
        self.call(HostOperation::CloseWatchdog, |host| {
            let Self { cluster, node, daemon, .. } = host;
            if let Some(invariants) = &mut cluster.invariants {
                let goes_down = cluster.daemons.get(node).is_some_and(|daemons| daemons.told_to_go_down);
                invariants.closes_watchdog(node, *daemon, goes_down, &cluster.world);
            }
            host.view().close()
        })
    }
}

impl Host<'_> {
    fn feed_now(&mut self, not_after: Instant, opens: bool) -> Result<FeedOutcome, HostError> {
        if self.has_bug(PlantedBug::WatchdogNeverArmed) && self.daemon == DaemonKind::Lrm {
            return Ok(FeedOutcome::Fed);
        }
        let late_counts = self.has_bug(PlantedBug::LateFeedCounts);
        let not_after = if late_counts { Instant::after_start(Duration::MAX) } else { not_after };
        let outcome = if opens { self.view().open(not_after)? } else { self.view().feed(not_after)? };
        self.cluster.look_at_multiplexers();
        let Self { cluster, node, daemon, .. } = self;
        if outcome == FeedOutcome::Fed
            && let Some(invariants) = &mut cluster.invariants
        {
            invariants.feeds_watchdog(node, *daemon, &cluster.world);
        }
        Ok(outcome)
    }
}

impl StatusStore for Host<'_> {
    fn manager_status(&mut self) -> Result<Option<Arc<ManagerStatus>>, HostError> {
        self.call(HostOperation::ReadManagerStatus, |host| {
            let status = match host.early_status() {
                Some(early) => early,
                None if host.sees_empty_store() => None,
                None => host.view().manager_status()?,
            };
            let holds_lock = host.cluster.world.lock_holder(&Lock::Manager) == Some(&host.node);
            if let (DaemonKind::Crm, Some(invariants)) = (host.daemon, &mut host.cluster.invariants) {
                invariants.reads_manager_status(&host.node, status.as_ref(), holds_lock);
            }
            let (planted, node, daemon) = (host.cluster.planted, &host.node, host.daemon);
            Ok(match planted {
                Some(bug) => planted::change_manager_status(bug, node, daemon, status),
                None => status,
            })
        })
    }

    fn lrm_status(&mut self, node: &NodeName) -> Result<Option<Arc<LrmStatus>>, HostError> {
        self.call(HostOperation::ReadLrmStatus, |host| {
            let record = host.view().lrm_status(node)?;
            let world = &host.cluster.world;
            Ok(match host.cluster.planted {
                Some(bug) => planted::change_lrm_status(bug, record, world.store.manager_status.as_deref()),
                None => record,
            })
        })
    }
}

impl Host<'_> {
    /// What a new master reads with a planted bug: what its node had read before it got the lock.
    fn early_status(&mut self) -> Option<Option<Arc<ManagerStatus>>> {
        if self.daemon != DaemonKind::Crm || !self.has_bug(PlantedBug::EarlyStatus) {
            return None;
        }
        let is_taking_over = self.has_open_watchdog()
            && self.cluster.world.store.manager_status.as_ref()?.master_node.as_ref() != Some(&self.node);
        let Self { cluster, node, .. } = self;
        if is_taking_over {
            return cluster.early_statuses.get(node).cloned().map(Some);
        }
        if let Some(status) = &cluster.world.store.manager_status {
            cluster.early_statuses.entry(node.clone()).or_insert_with(|| status.clone());
        }
        None
    }
}

impl ConfigurationStore for Host<'_> {
    fn configuration(&mut self) -> Result<Configuration, HostError> {
        let mut read = None;
        let configuration = self.call(HostOperation::ReadConfiguration, |host| {
            let configuration = host.view().configuration()?;
            read = Some(configuration.resources.clone());
            let Self { cluster, node, daemon, .. } = &mut *host;
            if let (DaemonKind::Crm, Some(invariants)) = (*daemon, &mut cluster.invariants) {
                invariants.reads_configuration(node, &configuration, &cluster.world);
            }
            Ok(match host.cluster.planted {
                Some(bug) => planted::change_configuration(bug, configuration),
                None => configuration,
            })
        });
        if let (Ok(_), Some(resources), Some(invariants)) = (&configuration, read, &mut self.cluster.invariants) {
            invariants.goes_by(&self.node, self.daemon, &resources);
        }
        configuration
    }
}

impl ManagerStore for Host<'_> {
    fn write_manager_status(&mut self, status: &ManagerStatus) -> Result<(), HostError> {
        self.call(HostOperation::WriteManagerStatus, |host| {
            if host.has_bug(PlantedBug::StatusWriteForgotten) && host.cluster.world.next_random().is_multiple_of(3) {
                return Ok(());
            }
            host.view().check_writable()?;
            host.check_manager_lock()?;
            let mut planted = None;
            if let Some(bug) = host.cluster.planted {
                let mut changed = status.clone();
                let before = host.cluster.world.store.manager_status.as_deref();
                planted::change_written(bug, &mut changed, before);
                planted = Some(changed);
            }
            let status = planted.as_ref().unwrap_or(status);
            let Self { cluster, node, .. } = &mut *host;
            if let Some(invariants) = &mut cluster.invariants {
                invariants.writes_manager_status(node, status, &cluster.world);
            }
            if host.cluster.records_as_json {
                let read = ManagerStatus::from_json(&status.to_json()).map_err(|error| host.unreadable(&error))?;
                host.check_survived(&read, status);
                host.view().write_manager_status(&read)?;
            } else {
                host.view().write_manager_status(status)?;
            }
            let Self { cluster, node, .. } = &mut *host;
            if let Some(invariants) = &mut cluster.invariants {
                invariants.has_written(node, cluster.world.store.manager_status.clone());
            }
            Ok(())
        })
    }

    fn commands_waiting(&mut self) -> Result<bool, HostError> {
        self.call(HostOperation::Commands, |host| host.view().commands_waiting())
    }

    fn take_commands(&mut self) -> Result<Vec<String>, HostError> {
        self.call(HostOperation::Commands, |host| {
            if host.has_bug(PlantedBug::CommandsWaitForNodes) && host.misses_node() {
                return Ok(Vec::new());
            }
            host.view().take_commands()
        })
    }
}

impl Host<'_> {
    /// Whether a node is lost, as far as is recorded.
    fn misses_node(&self) -> bool {
        let status = self.cluster.world.store.manager_status.as_ref();
        status.is_some_and(|status| planted::misses_node(status))
    }
}

impl LrmStore for Host<'_> {
    fn write_lrm_status(&mut self, status: &LrmStatus) -> Result<(), HostError> {
        self.call(HostOperation::WriteLrmStatus, |host| {
            let written = host.cluster.world.store.lrm_status.contains_key(&host.node);
            if written && host.has_bug(PlantedBug::RecordWrittenOnce) {
                return Ok(());
            }
            if !host.cluster.records_as_json {
                return host.view().write_lrm_status(status);
            }
            let read = LrmStatus::from_json(&status.to_json()).map_err(|error| host.unreadable(&error))?;
            host.check_survived(&read, status);
            host.view().write_lrm_status(&read)
        })
    }
}

impl Host<'_> {
    /// While HA is disarmed, no watchdog keeps a master that was stopped for longer than its lock lasted from writing. The store does: it
    /// looks at the manager lock in one step with writing.
    fn check_manager_lock(&self) -> Result<(), HostError> {
        let Cluster { invariants, world, .. } = &*self.cluster;
        let is_disarmed = invariants.as_ref().is_some_and(|invariants| invariants.knows_disarmed(&self.node));
        if is_disarmed && world.lock_holder(&Lock::Manager) != Some(&self.node) {
            return Err(HostError::new("the manager lock is not this node's"));
        }
        Ok(())
    }

    /// A record that a daemon wrote can't be read.
    fn unreadable(&mut self, error: &dyn std::fmt::Display) -> HostError {
        self.breaks(format!("a record of {} can't be read: {error}", self.node));
        HostError::new(error.to_string())
    }

    /// A record that was written and read says the same.
    fn check_survived<T: PartialEq>(&mut self, read: &T, written: &T) {
        if read != written {
            self.breaks(format!("a record of {} is another one when it is read", self.node));
        }
    }

    fn breaks(&mut self, details: String) {
        let time = self.cluster.world.time;
        if let Some(invariants) = &mut self.cluster.invariants {
            invariants.note_breach(time, super::Invariant::RecordsConsistent, details);
        }
    }
}

impl GuestControl for Host<'_> {
    fn move_configuration(&mut self, sid: &ServiceId, from: &NodeName, to: &NodeName) -> Result<(), HostError> {
        self.call(HostOperation::MoveConfiguration, |host| {
            if host.has_bug(PlantedBug::RecoveredInPlace) {
                return Ok(());
            }
            host.view().move_configuration(sid, from, to)
        })
    }

    fn remove_leftover_locks(&mut self, sid: &ServiceId, node: &NodeName) -> Result<Option<String>, HostError> {
        self.call(HostOperation::RemoveLeftoverLocks, |host| host.view().remove_leftover_locks(sid, node))
    }

    fn set_requested_state(&mut self, sid: &ServiceId, state: RequestedState) -> Result<(), HostError> {
        self.call(HostOperation::SetRequestedState, |host| host.view().set_requested_state(sid, state))
    }

    fn write_group_migration(&mut self, rules: &RulesConfig, resources: &ResourcesConfig) -> Result<(), HostError> {
        self.call(HostOperation::MigrateGroups, |host| host.view().write_group_migration(rules, resources))
    }

    fn remove_groups(&mut self, groups: &GroupsConfig) -> Result<(), HostError> {
        self.call(HostOperation::MigrateGroups, |host| host.view().remove_groups(groups))
    }

    fn software_version(&mut self, node: &NodeName) -> Result<Option<String>, HostError> {
        self.call(HostOperation::SoftwareVersion, |host| host.view().software_version(node))
    }
}

impl FenceDevices for Host<'_> {
    fn run(&mut self, attempt: &FenceAttempt, commands: &[FenceCommand]) -> Result<FenceProgress, HostError> {
        self.call(HostOperation::RunFenceDevice, |host| {
            if host.has_bug(PlantedBug::FenceDeviceLies) {
                return Ok(FenceProgress::Succeeded);
            }
            let changed = host.cluster.planted.map(|bug| planted::change_attempt(bug, attempt));
            host.view().run(changed.as_ref().unwrap_or(attempt), commands)
        })
    }

    fn forget_fence_attempts(&mut self, except: &BTreeSet<Uid>) -> Result<(), HostError> {
        self.call(HostOperation::ForgetFenceAttempts, |host| {
            if host.has_bug(PlantedBug::FenceAttemptsByDevice) || host.has_bug(PlantedBug::FenceAttemptsKept) {
                return Ok(());
            }
            host.view().forget_fence_attempts(except)
        })
    }
}

impl Statistics for Host<'_> {
    fn unmanaged_services(&mut self) -> Result<Vec<UnmanagedGuest>, HostError> {
        self.call(HostOperation::Statistics, |host| {
            if host.has_bug(PlantedBug::RunningUnseen) { Ok(Vec::new()) } else { host.view().unmanaged_services() }
        })
    }

    fn usage(&mut self, mode: SchedulerMode) -> Result<HostFigures, HostError> {
        self.call(HostOperation::Statistics, |host| host.view().usage(mode))
    }
}

impl Entropy for Host<'_> {
    fn random_bytes(&mut self) -> Result<[u8; 16], HostError> {
        self.call(HostOperation::RandomBytes, |host| {
            if host.has_bug(PlantedBug::SameEntropy) { Ok([0; 16]) } else { host.view().random_bytes() }
        })
    }
}

impl Workers for Host<'_> {
    fn start(&mut self, job: &Job) -> Result<JobStart, HostError> {
        self.call(HostOperation::StartJob, |host| {
            let workers = if host.has_bug(PlantedBug::JobBegunTwice) { 2 } else { 1 };
            for _ in 0..workers {
                let Self { cluster, node, .. } = &mut *host;
                if let Some(invariants) = &mut cluster.invariants {
                    invariants.starts_job(node, job, cluster.world.lrm_generation(node), &cluster.world);
                }
            }
            host.view().start(job)
        })
    }

    fn finished(&mut self) -> Result<Vec<(JobId, ExitCode)>, HostError> {
        if let Some(invariants) = &mut self.cluster.invariants {
            invariants.looks_at_jobs(&self.node);
        }
        self.call(HostOperation::FinishedJobs, |host| {
            let mut finished = host.view().finished()?;
            let Self { cluster, node, .. } = &mut *host;
            if let Some(invariants) = &mut cluster.invariants {
                let now = cluster.world.time;
                finished.iter().for_each(|(id, exit_code)| invariants.ends_job(node, *id, *exit_code, now));
            }
            if host.has_bug(PlantedBug::FailedStopCountsAsSuccess) {
                finished.iter_mut().for_each(|(_, exit_code)| *exit_code = ExitCode::SUCCESS);
            }
            Ok(finished)
        })
    }

    fn time_limit(&mut self, job: &Job) -> Result<Option<Duration>, HostError> {
        self.call(HostOperation::JobTimeLimit, |host| host.view().time_limit(job))
    }

    fn end(&mut self, id: JobId) -> Result<(), HostError> {
        self.call(HostOperation::EndJob, |host| {
            if host.has_bug(PlantedBug::EndedJobsGoOn) {
                host.cluster.world.disown_job(id, &host.node);
                return Ok(());
            }
            host.view().end(id)
        })
    }

    fn guest_lock(&mut self, sid: &ServiceId) -> Result<Option<String>, HostError> {
        self.call(HostOperation::GuestLock, |host| host.view().guest_lock(sid))
    }

    fn probe(&mut self, attempt: &ProbeAttempt) -> Result<ProbeProgress, HostError> {
        let answer = self.call(HostOperation::Probe, |host| host.view().probe(attempt));
        if let Some(invariants) = &mut self.cluster.invariants {
            invariants.hears_probe(&self.node, &attempt.sid, &answer, self.cluster.world.time);
        }
        answer
    }
}
