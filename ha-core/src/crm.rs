//! The CRM: the daemon around the manager. It runs on every node; the one that holds `ha_manager_lock` is the master.

use alloc::{
    borrow::ToOwned,
    boxed::Box,
    collections::{BTreeMap, BTreeSet},
    string::ToString,
    sync::Arc,
};

use crate::{
    event::{DaemonState, Event},
    host::{self, CrmHost, EventSink, HostOperation, Lock},
    id::NodeName,
    lease::{Attempt, Guard, Lease},
    manager::{Manager, RoundInput},
    status::{LrmStatus, ManagerStatus, NodeState},
    time::{Instant, Next, Now, WaitReason},
    timing::Timings,
};

/// The cluster resource manager of one node.
///
/// The host calls [`tick`](Self::tick), then again when it says so, until it says [`Next::Exit`]:
///
/// ```
/// use ha_core::{crm::Crm, host::CrmHost, time::{Next, Now}};
///
/// fn run(crm: &mut Crm, host: &mut dyn CrmHost, clock: impl Fn() -> Now, sleep_until: impl Fn(ha_core::time::Instant)) {
///     while let Next::At { instant, .. } = crm.tick(host, clock()) {
///         sleep_until(instant);
///     }
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Crm {
    node: NodeName,
    timings: Timings,
    state: State,
    lease: Lease,
    stop_requested: bool,
    iteration: Option<Iteration>,
    exited: bool,
}

#[derive(Debug, Clone)]
enum State {
    WaitForQuorum,
    Slave,
    Master(Box<Master>),
    LostManagerLock,
}

#[derive(Debug, Clone)]
struct Master {
    manager: Manager,
    idle_rounds: u32,
    /// Whether HA was fully disarmed after the last round.
    disarmed: bool,
    /// Whether another master may have been at work since the manager's status was read.
    outdated: bool,
    /// The LRM records of the last round.
    lrms: BTreeMap<NodeName, Arc<LrmStatus>>,
}

/// An iteration on its way: kept while it waits for the lock.
#[derive(Debug, Clone)]
struct Iteration {
    began: Instant,
    view_is_fresh: bool,
    /// The manager status, if this iteration had to read it.
    recorded: Option<Arc<ManagerStatus>>,
}

/// What an iteration does next.
enum Flow {
    /// The state is settled: work.
    Work,
    /// Ask for the lock again at this moment.
    Wait(Instant),
}

impl State {
    fn name(&self) -> DaemonState {
        match self {
            Self::WaitForQuorum => DaemonState::WaitForQuorum,
            Self::Slave => DaemonState::Slave,
            Self::Master(_) => DaemonState::Master,
            Self::LostManagerLock => DaemonState::LostManagerLock,
        }
    }
}

impl Crm {
    /// Starts the CRM of a node.
    pub fn start(node: NodeName, timings: Timings, sink: &mut (impl EventSink + ?Sized)) -> Self {
        let state = State::WaitForQuorum;
        sink.event(Event::DaemonState { from: DaemonState::Startup, to: state.name() });
        Self {
            node,
            timings,
            state,
            lease: Lease::new(Lock::Manager),
            stop_requested: false,
            iteration: None,
            exited: false,
        }
    }

    /// The state that it is in.
    #[must_use]
    pub fn state(&self) -> DaemonState {
        self.state.name()
    }

    /// The manager, while this CRM is the master.
    #[must_use]
    pub fn manager(&self) -> Option<&Manager> {
        match &self.state {
            State::Master(master) => Some(&master.manager),
            State::WaitForQuorum | State::Slave | State::LostManagerLock => None,
        }
    }

    /// Asks the CRM to stop: it exits at the end of an iteration. A second request changes nothing.
    pub fn request_stop(&mut self, sink: &mut (impl EventSink + ?Sized)) {
        if !self.stop_requested {
            self.stop_requested = true;
            sink.event(Event::CrmShutdownRequested);
        }
    }

    /// Does what is due now, and says when to call again.
    ///
    /// It never waits itself. A call before that moment is harmless, one after it is late: see
    /// [`Timings`] for how late is safe. After [`Next::Exit`] it does nothing.
    pub fn tick(&mut self, host: &mut (impl CrmHost + ?Sized), now: Now) -> Next {
        if self.exited {
            return Next::Exit;
        }
        let mut iteration = match self.iteration.take() {
            Some(waiting) => waiting,
            None => Iteration::begin(host, now),
        };
        match self.change_state_if_needed(&mut iteration, host, now) {
            Flow::Wait(instant) => {
                self.iteration = Some(iteration);
                Next::At { instant, reason: WaitReason::LockRetry }
            }
            Flow::Work => self.work(&iteration, host, now),
        }
    }

    fn change_state_if_needed(
        &mut self,
        iteration: &mut Iteration,
        host: &mut (impl CrmHost + ?Sized),
        now: Now,
    ) -> Flow {
        let asks_for_lock = self.lease.is_trying()
            || match self.state {
                State::Master(_) => true,
                State::LostManagerLock => self.is_healthy(iteration, host),
                State::WaitForQuorum | State::Slave => {
                    self.is_healthy(iteration, host) && self.has_something_to_do(iteration, host)
                }
            };
        if asks_for_lock {
            return self.ask_for_lock(iteration, host, now);
        }
        match self.state {
            State::Slave => self.change_state(State::WaitForQuorum, host),
            State::WaitForQuorum | State::Master(_) | State::LostManagerLock => {}
        }
        Flow::Work
    }

    /// Quorate, with a fresh view and a readable manager status, and this node not to be fenced: it could not do anything as
    /// master.
    fn is_healthy(&self, iteration: &mut Iteration, host: &mut (impl CrmHost + ?Sized)) -> bool {
        if !host.is_quorate() || !iteration.view_is_fresh {
            return false;
        }
        iteration.recorded = read_status(host);
        iteration.recorded.as_ref().is_some_and(|status| !status.fence_requested(&self.node))
    }

    /// Whether a master is needed.
    fn has_something_to_do(&self, iteration: &Iteration, host: &mut (impl CrmHost + ?Sized)) -> bool {
        if has_services(host).unwrap_or(false) {
            return true;
        }
        let Some(status) = &iteration.recorded else { return false };
        let master_is_elsewhere = status
            .master_node
            .as_ref()
            .is_some_and(|master| *master != self.node && status.node_state(master) == NodeState::Online);
        !master_is_elsewhere
            && (has_ended_maintenance(status)
                || !status.services.is_empty()
                || status.disarm.is_some()
                || commands_wait(host))
    }

    fn ask_for_lock(&mut self, iteration: &mut Iteration, host: &mut (impl CrmHost + ?Sized), now: Now) -> Flow {
        let guard = self.guard(iteration);
        match self.lease.attempt(host, now.instant, &self.timings, guard) {
            Attempt::Again(instant) => return Flow::Wait(instant),
            Attempt::Refused => self.lock_refused(host),
            Attempt::Held { anew } => self.lock_held(anew, guard, iteration, host),
        }
        Flow::Work
    }

    /// A master of a disarmed cluster touches nothing, and needs no watchdog.
    fn guard(&self, iteration: &Iteration) -> Guard {
        let disarmed = match &self.state {
            State::Master(master) => master.disarmed,
            State::WaitForQuorum | State::Slave | State::LostManagerLock => {
                iteration.recorded.as_ref().is_some_and(|status| status.is_disarmed())
            }
        };
        if disarmed { Guard::Nothing } else { Guard::Watchdog }
    }

    fn lock_refused(&mut self, host: &mut (impl CrmHost + ?Sized)) {
        match self.state {
            State::WaitForQuorum => self.change_state(State::Slave, host),
            State::Slave | State::LostManagerLock => {}
            State::Master(_) => {
                forget_fence_attempts(host);
                self.change_state(State::LostManagerLock, host);
            }
        }
    }

    fn lock_held(&mut self, anew: bool, guard: Guard, iteration: &mut Iteration, host: &mut (impl CrmHost + ?Sized)) {
        if !matches!(self.state, State::Master(_)) {
            self.become_master(guard, host);
            return;
        }
        let idle = self.is_idle(iteration, host);
        let State::Master(master) = &mut self.state else { return };
        master.outdated |= anew;
        if master.outdated
            && let Some(recorded) = &iteration.recorded
        {
            if recorded.fence_requested(&self.node) {
                // Another master has taken this node for lost meanwhile. From here every round would end before it began.
                self.give_up_mastership(host);
                return;
            }
            master.manager.resume(ManagerStatus::clone(recorded));
            master.outdated = false;
        }
        if !idle {
            master.idle_rounds = 0;
        } else if master.idle_rounds < self.timings.settings().master_idle_rounds {
            master.idle_rounds = master.idle_rounds.saturating_add(1);
        } else {
            let rounds = master.idle_rounds;
            host.event(Event::CrmIdle { rounds });
            self.give_up_mastership(host);
        }
    }

    fn give_up_mastership(&mut self, host: &mut (impl CrmHost + ?Sized)) {
        forget_fence_attempts(host);
        self.let_go(host);
        self.change_state(State::WaitForQuorum, host);
    }

    /// Begins from what is recorded *now*: while the lock was asked for, another master may still have written.
    fn become_master(&mut self, guard: Guard, host: &mut (impl CrmHost + ?Sized)) {
        match self.new_master(guard, host) {
            Some(master) => self.state = State::Master(Box::new(master)),
            None => {
                self.let_go(host);
            }
        }
    }

    /// Closes the watchdog and releases the lock. Says whether the watchdog is closed.
    fn let_go(&mut self, host: &mut (impl CrmHost + ?Sized)) -> bool {
        let closed = self.lease.close_watchdog(host);
        self.lease.release(host);
        closed
    }

    fn new_master(&self, guard: Guard, host: &mut (impl CrmHost + ?Sized)) -> Option<Master> {
        let recorded = read_status(host)?;
        let disarmed = recorded.is_disarmed();
        if guard == Guard::Nothing && !disarmed {
            // It was armed meanwhile: work needs a watchdog.
            return None;
        }
        let configuration = host.configuration();
        let configuration = host::answer(host, HostOperation::ReadConfiguration, configuration)?;
        let unique = host.random_bytes();
        let unique = host::answer(host, HostOperation::RandomBytes, unique)?;
        if disarmed {
            host.event(Event::DisarmedTakeover);
        }
        host.event(Event::DaemonState { from: self.state.name(), to: DaemonState::Master });
        let recorded = ManagerStatus::clone(&recorded);
        let mode = configuration.datacenter.scheduler.mode;
        let manager = Manager::begin(self.node.clone(), self.timings, recorded, mode, &unique, host);
        Some(Master { manager, idle_rounds: 0, disarmed, outdated: false, lrms: BTreeMap::new() })
    }

    fn is_idle(&self, iteration: &mut Iteration, host: &mut (impl CrmHost + ?Sized)) -> bool {
        let healthy = self.is_healthy(iteration, host);
        let State::Master(master) = &self.state else { return false };
        let status = master.manager.status();
        healthy && status.disarm.is_none() && status.services.is_empty() && has_services(host) == Some(false)
    }

    fn change_state(&mut self, to: State, sink: &mut (impl EventSink + ?Sized)) {
        sink.event(Event::DaemonState { from: self.state.name(), to: to.name() });
        self.state = to;
    }

    fn work(&mut self, iteration: &Iteration, host: &mut (impl CrmHost + ?Sized), now: Now) -> Next {
        match &mut self.state {
            State::WaitForQuorum | State::Slave => {
                // It is open here only if it could not be closed before.
                let closed = self.lease.close_watchdog(host);
                if self.stop_requested && closed {
                    return self.exit();
                }
                self.again_after(self.timings.waiting_loop(), now.instant)
            }
            State::Master(_) if self.stop_requested => {
                if !self.lease.close_watchdog(host) {
                    return self.again_after(self.timings.waiting_loop(), now.instant);
                }
                forget_fence_attempts(host);
                self.lease.release(host);
                host.event(Event::ManagerLockReleased);
                self.exit()
            }
            State::Master(master) => {
                if iteration.view_is_fresh {
                    master.round(&mut self.lease, host, now);
                } else {
                    host.event(Event::RoundSkippedStaleClusterState);
                }
                self.again_after(self.timings.round_time(), iteration.began)
            }
            State::LostManagerLock => {
                // The manager's state is not touched any more, so that no reset is needed.
                let closed = self.lease.close_watchdog(host);
                if self.stop_requested && closed {
                    return self.exit();
                }
                self.change_state(State::WaitForQuorum, host);
                self.again_after(self.timings.waiting_loop(), now.instant)
            }
        }
    }

    fn again_after(&self, wait: core::time::Duration, from: Instant) -> Next {
        Next::At { instant: from.after(wait), reason: WaitReason::NextIteration }
    }

    fn exit(&mut self) -> Next {
        self.exited = true;
        Next::Exit
    }
}

impl Iteration {
    fn begin(host: &mut (impl CrmHost + ?Sized), now: Now) -> Self {
        let refreshed = host.refresh();
        let view_is_fresh = host::answer(host, HostOperation::Refresh, refreshed).is_some();
        Self { began: now.instant, view_is_fresh, recorded: None }
    }
}

impl Master {
    fn round(&mut self, lease: &mut Lease, host: &mut (impl CrmHost + ?Sized), now: Now) {
        let input = if self.outdated {
            Err("the recorded manager status could not be read".to_owned())
        } else {
            RoundInput::try_read(host, self.manager.status(), &self.lrms, now)
        };
        match input {
            Ok(input) => {
                self.manager.round(&input, host);
                self.lrms = input.lrms;
            }
            Err(reason) => host.event(Event::RoundFailed { reason: Some(reason) }),
        }
        // Nobody else knows of it before it is written down.
        let disarmed = self.manager.status().is_disarmed() && (self.disarmed || self.manager.is_written());
        match (self.disarmed, disarmed) {
            // If it can't be closed it is tried again after the next round.
            (false, true) if !lease.close_watchdog(host) => return,
            (false, true) => host.event(Event::CrmWatchdogReleased),
            (true, false) => host.event(Event::Rearmed),
            (true, true) | (false, false) => {}
        }
        self.disarmed = disarmed;
    }
}

/// This CRM is not the master any more: what fence devices do for it counts for nothing.
fn forget_fence_attempts(host: &mut (impl CrmHost + ?Sized)) {
    let forgotten = host.forget_fence_attempts(&BTreeSet::new());
    let _ = host::answer(host, HostOperation::ForgetFenceAttempts, forgotten);
}

/// The manager status that is recorded; an empty one if none was ever written.
fn read_status(host: &mut (impl CrmHost + ?Sized)) -> Option<Arc<ManagerStatus>> {
    let status = host.manager_status();
    let reason = status.as_ref().err().map(ToString::to_string);
    let Some(status) = host::answer(host, HostOperation::ReadManagerStatus, status) else {
        host.event(Event::ManagerStatusUnreadable { reason });
        return None;
    };
    Some(status.unwrap_or_default())
}

/// Whether any service is configured, if that can be told.
fn has_services(host: &mut (impl CrmHost + ?Sized)) -> Option<bool> {
    let configuration = host.configuration();
    let configuration = host::answer(host, HostOperation::ReadConfiguration, configuration)?;
    Some(!configuration.resources.resources.is_empty())
}

fn commands_wait(host: &mut (impl CrmHost + ?Sized)) -> bool {
    let waiting = host.commands_waiting();
    host::answer(host, HostOperation::Commands, waiting).unwrap_or(false)
}

/// Whether a node is recorded as in maintenance with no request for it.
fn has_ended_maintenance(status: &ManagerStatus) -> bool {
    status.nodes.iter().any(|(node, state)| *state == NodeState::Maintenance && !status.maintenance_requested(node))
}
