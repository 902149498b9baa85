//! The LRM: the daemon that looks after the services of its node, for as long as it holds the node's agent lock.

mod job;
mod leaving;
mod notes;
mod probes;
mod queue;
mod shutdown;
mod workers;

pub use job::{JobAnswer, JobRun, JobStep, run_job};
pub use shutdown::StopRequest;

use alloc::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use core::time::Duration;

use crate::{
    config::{DatacenterConfig, OrderedMap},
    event::{DaemonState, Event},
    host::{self, EventSink, HostOperation, Lock, LrmHost},
    id::{NodeName, ServiceId, Uid},
    lease::{Attempt, Guard, Lease},
    status::{ExitCode, JobResult, LrmMode, LrmState, LrmStatus, ManagerStatus, ServiceEntry, ServiceState, Writer},
    time::{Instant, Next, Now, WaitReason},
    timing::Timings,
};
use notes::Notes;
use probes::Probes;
use queue::JobQueue;
use shutdown::FinalStops;

/// The local resource manager of one node.
///
/// The host calls [`tick`](Self::tick), then again when it says so, until it says [`Next::Exit`], as with the
/// [`Crm`](crate::crm::Crm).
#[derive(Debug, Clone)]
pub struct Lrm {
    node: NodeName,
    /// Who it writes as, if the host has said so.
    writer: Option<Writer>,
    timings: Timings,
    state: LrmState,
    mode: LrmMode,
    lease: Lease,
    /// The manager status as it was last read.
    status: Arc<ManagerStatus>,
    /// The requests that the master had let pass by the first manager status that was read.
    passed_before: BTreeSet<Uid>,
    has_read_status: bool,
    results: OrderedMap<Uid, JobResult>,
    /// How often the start of each service was tried again, and when it failed last.
    retries: BTreeMap<ServiceId, Retries>,
    queue: JobQueue,
    notes: Notes,
    probes: Probes,
    /// How many jobs may run at once, as it was last read.
    max_workers: usize,
    /// Why it is asked to stop, if it is.
    stop_request: Option<StopRequest>,
    /// The last stops, while the node goes down.
    final_stops: FinalStops,
    /// While the node goes down in maintenance: what is left here is stopped, since it can't move.
    stops_all: bool,
    /// Whether it was said what is left running.
    reported_left_running: bool,
    idle_rounds: u32,
    lost_since: Option<Instant>,
    /// When the workers got their first turn in this iteration.
    turn_since: Option<Instant>,
    /// The mode by the record that was written last; nothing before the first one.
    told_mode: Option<LrmMode>,
    iteration: Option<Iteration>,
    /// When the next iteration is due, if the last one has left jobs to the workers.
    next_iteration: Option<Instant>,
    exited: bool,
}

/// How often a start was tried again.
#[derive(Debug, Clone, Copy)]
struct Retries {
    times: u32,
    failed_last: Instant,
}

/// An iteration on its way: kept while it waits for the lock or for jobs.
#[derive(Debug, Clone, Copy)]
struct Iteration {
    began: Instant,
    view_is_fresh: bool,
    stage: Stage,
}

/// How far an iteration is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The state is changed if it has to.
    ChangeState,
    /// The lock is held; it is seen whether the LRM may let go of it, for which the workers get a turn.
    MayLetGo,
    /// The state is settled: what has to be done is queued.
    Work,
    /// The workers have a turn.
    Workers,
}

/// What an iteration does next.
enum Flow {
    /// It goes on with this stage.
    Stage(Stage),
    /// It waits until this moment.
    Wait(Instant, WaitReason),
    /// It is over.
    Over(Next),
}

impl Lrm {
    /// Starts the LRM of a node.
    pub fn start(node: NodeName, timings: Timings, sink: &mut (impl EventSink + ?Sized)) -> Self {
        let state = LrmState::default();
        sink.event(Event::DaemonState { from: DaemonState::Startup, to: state.into() });
        Self {
            lease: Lease::new(Lock::Agent(node.clone())),
            node,
            writer: None,
            timings,
            state,
            mode: LrmMode::default(),
            status: Arc::default(),
            passed_before: BTreeSet::new(),
            has_read_status: false,
            results: OrderedMap::default(),
            retries: BTreeMap::new(),
            queue: JobQueue::default(),
            notes: Notes::default(),
            probes: Probes::default(),
            max_workers: workers_of(&DatacenterConfig::default()),
            stop_request: None,
            final_stops: FinalStops::default(),
            stops_all: false,
            reported_left_running: false,
            idle_rounds: 0,
            lost_since: None,
            turn_since: None,
            told_mode: None,
            iteration: None,
            next_iteration: None,
            exited: false,
        }
    }

    /// Says who it writes its record as. To be called right after the start, before its first record is written.
    pub fn set_writer(&mut self, writer: Writer) {
        self.writer = Some(writer);
    }

    /// The state that it is in.
    #[must_use]
    pub fn state(&self) -> LrmState {
        self.state
    }

    /// What it has been asked to be.
    #[must_use]
    pub fn mode(&self) -> LrmMode {
        self.mode
    }

    /// Whether it was asked to stop.
    fn is_stopping(&self) -> bool {
        self.stop_request.is_some()
    }

    /// Does what is due now, and says when to call again.
    ///
    /// It never waits itself. A call before that moment is harmless, and is due as soon as a job has ended: the next one that waits
    /// takes its place at the workers. After [`Next::Exit`] it does nothing.
    pub fn tick(&mut self, host: &mut (impl LrmHost + ?Sized), now: Now) -> Next {
        if self.exited {
            return Next::Exit;
        }
        let mut iteration = match self.iteration.take() {
            Some(waiting) => waiting,
            None => {
                if let Some(next) = self.refill(host, now) {
                    return next;
                }
                match self.begin(host, now) {
                    Ok(iteration) => iteration,
                    Err(next) => return next,
                }
            }
        };
        loop {
            let flow = match iteration.stage {
                Stage::ChangeState => self.change_state_if_needed(host, now),
                Stage::MayLetGo => self.let_go_if_possible(host, now),
                Stage::Work => self.work(iteration, host, now),
                Stage::Workers => self.finish_turn(iteration, host, now),
            };
            match flow {
                Flow::Stage(stage) => iteration.stage = stage,
                Flow::Wait(instant, reason) => {
                    self.iteration = Some(iteration);
                    return Next::At { instant, reason };
                }
                Flow::Over(next) => return next,
            }
        }
    }

    /// Brings the view and the manager status up to date. Before the record was written once nothing else is done.
    fn begin(&mut self, host: &mut (impl LrmHost + ?Sized), now: Now) -> Result<Iteration, Next> {
        self.next_iteration = None;
        let refreshed = host.refresh();
        let view_is_fresh = host::answer(host, HostOperation::Refresh, refreshed).is_some();
        if self.told_mode.is_none() {
            if host.is_quorate() && self.take_over_failures(host) {
                self.write_record(host, now);
            }
            if self.told_mode.is_none() {
                let next = if self.is_stopping() { self.exit() } else { self.again_after_wait(now) };
                return Err(next);
            }
        }
        self.read_status(host);
        self.take_mode_from_status(host);
        self.turn_since = None;
        Ok(Iteration { began: now.instant, view_is_fresh, stage: Stage::ChangeState })
    }

    /// Begins with what has failed by the record that an LRM of this node wrote last, so that it is not done again under the same
    /// request. A master that has read that record counts the failure, however late, and believes that nothing runs. Says whether
    /// the record could be read.
    ///
    /// What succeeded is done again: what was started has gone with a reset.
    fn take_over_failures(&mut self, host: &mut (impl LrmHost + ?Sized)) -> bool {
        let record = host.lrm_status(&self.node);
        let Some(record) = host::answer(host, HostOperation::ReadLrmStatus, record) else { return false };
        let results = record.iter().flat_map(|record| &record.results);
        let failed = results.filter(|(_, result)| result.exit_code != ExitCode::SUCCESS);
        self.results = failed.map(|(uid, result)| (uid.clone(), result.clone())).collect();
        true
    }

    /// Reads the manager status. If that fails what was read before stays.
    fn read_status(&mut self, host: &mut (impl LrmHost + ?Sized)) -> bool {
        let status = host.manager_status();
        match host::answer(host, HostOperation::ReadManagerStatus, status) {
            Some(status) => {
                self.status = status.unwrap_or_default();
                if !core::mem::replace(&mut self.has_read_status, true) {
                    let passed = self.status.ordered.values().filter_map(|start| start.passed.clone());
                    self.passed_before = passed.collect();
                }
                self.final_stops.forget_elsewhere(&self.status, &self.node);
                true
            }
            None => {
                host.event(Event::ServiceStatusUnreadable);
                false
            }
        }
    }

    fn take_mode_from_status(&mut self, sink: &mut (impl EventSink + ?Sized)) {
        if self.is_stopping() {
            self.restart_after_maintenance(sink);
        } else if self.status.maintenance_requested(&self.node) {
            self.mode = LrmMode::Maintenance;
        } else if self.status.disarm.is_some() {
            self.mode = LrmMode::Disarm;
        } else if matches!(self.mode, LrmMode::Maintenance | LrmMode::Disarm) {
            self.mode = LrmMode::Active;
        }
    }

    fn change_state_if_needed(&mut self, host: &mut (impl LrmHost + ?Sized), now: Now) -> Flow {
        if self.lease.is_trying() {
            return self.ask_for_lock(host, now);
        }
        let fence_requested = self.status.fence_requested(&self.node);
        match self.state {
            // No watchdog would end this. The master hears that the node is back, and leaves its services with it.
            LrmState::Maintenance | LrmState::LostAgentLock if fence_requested && !self.lease.has_open_watchdog() => {
                self.enter(LrmState::WaitForAgentLock, host);
            }
            LrmState::WaitForAgentLock => {
                let wants_lock = self.mode != LrmMode::Disarm && !fence_requested && self.has_active_services();
                if wants_lock && host.is_quorate() {
                    return self.ask_for_lock(host, now);
                }
            }
            LrmState::LostAgentLock => {
                if !fence_requested && host.is_quorate() {
                    return self.ask_for_lock(host, now);
                }
            }
            LrmState::Active | LrmState::Maintenance if fence_requested => {
                host.event(Event::FenceRequestedLockDropped);
                self.lose_lock(host, now);
            }
            LrmState::Active => return self.ask_for_lock(host, now),
            LrmState::Maintenance => return Flow::Stage(Stage::MayLetGo),
        }
        Flow::Stage(Stage::Work)
    }

    fn ask_for_lock(&mut self, host: &mut (impl LrmHost + ?Sized), now: Now) -> Flow {
        match self.lease.attempt(host, now.instant, &self.timings, Guard::Watchdog) {
            Attempt::Again(instant) => Flow::Wait(instant, WaitReason::LockRetry),
            Attempt::Refused => {
                if matches!(self.state, LrmState::Active | LrmState::Maintenance) {
                    self.lose_lock(host, now);
                }
                Flow::Stage(Stage::Work)
            }
            Attempt::Held { .. } => match self.state {
                LrmState::WaitForAgentLock | LrmState::LostAgentLock => {
                    self.enter(LrmState::Active, host);
                    Flow::Stage(Stage::Work)
                }
                LrmState::Active => Flow::Stage(Stage::MayLetGo),
                LrmState::Maintenance => {
                    if self.mode != LrmMode::Maintenance && !self.has_work() {
                        self.enter(LrmState::Active, host);
                    }
                    Flow::Stage(Stage::Work)
                }
            },
        }
    }

    /// Sees whether the LRM goes on as it is or lets go of its lock, once the workers had a turn.
    fn let_go_if_possible(&mut self, host: &mut (impl LrmHost + ?Sized), now: Now) -> Flow {
        match self.state {
            LrmState::Active if self.mode == LrmMode::Maintenance => {
                self.enter(LrmState::Maintenance, host);
                Flow::Stage(Stage::Work)
            }
            LrmState::Active if self.mode == LrmMode::Disarm => {
                if let Some(wait) = self.turn(host, now) {
                    return wait;
                }
                if self.queue.is_empty() && !self.has_move_to_make() {
                    self.disarm(false, host, now);
                }
                Flow::Stage(Stage::Work)
            }
            LrmState::Active => {
                self.let_go_if_idle(host, now);
                Flow::Stage(Stage::Work)
            }
            LrmState::Maintenance => {
                if !self.has_active_services()
                    && let Some(wait) = self.turn(host, now)
                {
                    return wait;
                }
                if self.has_work() {
                    return self.ask_for_lock(host, now);
                }
                match self.mode {
                    LrmMode::Disarm => {
                        self.disarm(true, host, now);
                        Flow::Stage(Stage::Work)
                    }
                    LrmMode::Maintenance => Flow::Stage(Stage::Work),
                    LrmMode::Active | LrmMode::Restart | LrmMode::Shutdown | LrmMode::Unknown => {
                        self.ask_for_lock(host, now)
                    }
                }
            }
            LrmState::WaitForAgentLock | LrmState::LostAgentLock => Flow::Stage(Stage::Work),
        }
    }

    /// Whether a move away from here was asked for and is not made yet. It may have been asked for in the same moment as
    /// disarming, which waits for it: without it nobody would make the move, and the service would run on without a watchdog.
    fn has_move_to_make(&self) -> bool {
        let is_asked_for = |entry: &ServiceEntry| {
            entry.node == self.node
                && matches!(entry.state, ServiceState::Migrate { .. } | ServiceState::Relocate { .. })
                && entry.uid.as_ref().is_some_and(|uid| !self.results.contains_key(uid))
        };
        self.status.services.iter().any(|(_, entry)| is_asked_for(entry))
    }

    fn disarm(&mut self, during_maintenance: bool, host: &mut (impl LrmHost + ?Sized), now: Now) {
        host.event(Event::LrmDisarmed { during_maintenance });
        self.let_go(host, now);
        self.enter(LrmState::WaitForAgentLock, host);
    }

    fn let_go_if_idle(&mut self, host: &mut (impl LrmHost + ?Sized), now: Now) {
        // What is on its way here counts: it may run here before its move is known to be over.
        let concerns_this_node =
            |entry: &ServiceEntry| entry.node == self.node || entry.state.target() == Some(&self.node);
        let has_entries = self.status.services.iter().any(|(_, entry)| concerns_this_node(entry));
        if has_entries || !self.queue.is_empty() {
            self.idle_rounds = 0;
        } else if self.idle_rounds < self.timings.settings().lrm_idle_rounds {
            self.idle_rounds = self.idle_rounds.saturating_add(1);
        } else {
            host.event(Event::LrmIdle { rounds: self.idle_rounds });
            self.idle_rounds = 0;
            self.let_go(host, now);
            self.enter(LrmState::WaitForAgentLock, host);
        }
    }

    fn work(&mut self, iteration: Iteration, host: &mut (impl LrmHost + ?Sized), now: Now) -> Flow {
        match self.state {
            LrmState::WaitForAgentLock => {
                // It is open here only if it could not be closed before.
                let closed = self.close_watchdog(host, now);
                if self.is_stopping() && closed {
                    return Flow::Over(self.exit());
                }
                self.write_record(host, now);
                Flow::Over(self.again_after_wait(now))
            }
            LrmState::Active => {
                if !self.read_status(host) {
                    return self.end_active(iteration, host, now);
                }
                self.queue_later_stops(now.instant);
                if !self.is_stopping() {
                    if !iteration.view_is_fresh {
                        host.event(Event::RoundSkippedStaleClusterState);
                        return self.end_active(iteration, host, now);
                    }
                    self.queue_commands(now.instant, |_| true);
                } else if self.mode == LrmMode::Restart && iteration.view_is_fresh {
                    // A service that is to move is not frozen: it would hold up the restart for ever.
                    self.queue_commands(now.instant, |entry| entry.state.target().is_some());
                }
                Flow::Stage(Stage::Workers)
            }
            LrmState::LostAgentLock => self.work_without_lock(host, now),
            LrmState::Maintenance => {
                self.read_status(host);
                if !self.has_work() {
                    if self.is_stopping() && self.final_stops.any_failed() {
                        self.report_left_running(host);
                        return Flow::Over(self.exit());
                    }
                    if self.is_stopping() && self.lease.has_open_watchdog() && !self.tells_that_it_leaves(host, now) {
                        return self.keep_lock(host, now);
                    }
                    let closed = self.let_go(host, now);
                    if self.is_stopping() && closed {
                        return Flow::Over(self.exit());
                    }
                    self.write_record(host, now);
                    return Flow::Over(self.again_after_wait(now));
                }
                self.give_up_moves_if_stuck(host);
                if self.stops_all {
                    self.queue_final_stops(now.instant);
                } else {
                    self.queue_commands(now.instant, |_| true);
                    self.queue_stops_of_frozen(now.instant);
                }
                Flow::Stage(Stage::Workers)
            }
        }
    }

    /// The lock is lost. A node that goes down stops its services all the same, as long as the last lease proves that they are
    /// its own: stopping needs no lock. Otherwise the watchdog is waited for.
    fn work_without_lock(&mut self, host: &mut (impl LrmHost + ?Sized), now: Now) -> Flow {
        if !self.goes_down() || !self.lease.covers(now.instant, &self.timings) || self.waits_for_quorum(now.instant) {
            return Flow::Over(self.wait_for_reset(host, now));
        }
        self.queue_final_stops(now.instant);
        // Requests are carried out under the lock alone.
        self.queue.keep_waiting(|job| job.uid.is_none());
        Flow::Stage(Stage::Workers)
    }

    /// The last stage: jobs are waited for, then the iteration ends.
    fn finish_turn(&mut self, iteration: Iteration, host: &mut (impl LrmHost + ?Sized), now: Now) -> Flow {
        if let Some(wait) = self.turn(host, now) {
            return wait;
        }
        self.give_up_hung_jobs(now.instant);
        match self.state {
            LrmState::Maintenance | LrmState::LostAgentLock => {
                let is_done = match self.state {
                    LrmState::LostAgentLock => self.lease.covers(now.instant, &self.timings),
                    LrmState::WaitForAgentLock | LrmState::Active | LrmState::Maintenance => self.stops_all,
                };
                if is_done
                    && self.queue.is_empty()
                    && let Some(next) = self.leave(host, now)
                {
                    return Flow::Over(next);
                }
                self.probe_if_possible(iteration.view_is_fresh, host, now);
                self.write_record(host, now);
                return Flow::Over(self.again_after_wait(now));
            }
            LrmState::WaitForAgentLock | LrmState::Active => {}
        }
        if self.is_stopping()
            && self.may_exit()
            && let Some(next) = self.leave(host, now)
        {
            return Flow::Over(next);
        }
        self.end_active(iteration, host, now)
    }

    fn end_active(&mut self, iteration: Iteration, host: &mut (impl LrmHost + ?Sized), now: Now) -> Flow {
        self.probe_if_possible(iteration.view_is_fresh, host, now);
        self.write_record(host, now);
        let instant = iteration.began.after(self.timings.round_time());
        self.next_iteration = (!self.queue.is_empty()).then_some(instant);
        Flow::Over(Next::At { instant, reason: WaitReason::NextIteration })
    }

    /// The watchdog is not fed any more. It resets the node, unless the lock comes back or nothing is left that could run.
    fn wait_for_reset(&mut self, host: &mut (impl LrmHost + ?Sized), now: Now) -> Next {
        if self.is_stopping() {
            let count = self.status.active_services(&self.node).count();
            // A start that is on its way would outlive the watchdog.
            let leaves_nothing = !self.has_frozen_to_stop() && !self.final_stops.any_failed();
            let is_left = count == 0 && !self.queue.has_running() && leaves_nothing;
            if is_left && (self.mode != LrmMode::Restart || self.stays_frozen(host, now)) {
                return if self.close_watchdog(host, now) { self.exit() } else { self.again_after_wait(now) };
            }
            host.event(Event::ShutdownWhileLockLost { count });
            if self.goes_down() {
                self.report_left_running(host);
            }
            let lost_for = self.lost_since.map_or(Duration::ZERO, |since| now.instant.since(since));
            if self.mode == LrmMode::Restart && lost_for > self.timings.restart_give_up() {
                host.event(Event::ShutdownGivenUp);
                return self.exit();
            }
        }
        self.again_after_wait(now)
    }

    fn has_active_services(&self) -> bool {
        self.status.active_services(&self.node).next().is_some()
    }

    /// Whether there is anything that the lock is needed for.
    fn has_work(&self) -> bool {
        self.has_active_services() || !self.queue.is_empty() || self.has_frozen_to_stop()
    }

    /// Closes the watchdog and releases the lock. Says whether the watchdog is closed.
    fn let_go(&mut self, host: &mut (impl LrmHost + ?Sized), now: Now) -> bool {
        let closed = self.close_watchdog(host, now);
        if closed {
            self.lease.release(host);
            // Services may leave and come back before it looks after any again.
            self.notes.forget_what_runs();
            self.probes.forget_all();
        }
        closed
    }

    /// Closes the watchdog. Says whether it is closed.
    ///
    /// A service that may run though it is in `error` does not keep an LRM from letting go. So that its lock is not taken for
    /// a proof that such a service is down, the record says first that it has none.
    fn close_watchdog(&mut self, host: &mut (impl LrmHost + ?Sized), now: Now) -> bool {
        if self.lease.has_open_watchdog()
            && self.status.may_run_on(&self.node)
            && !self.write_record_as(LrmState::WaitForAgentLock, host, now)
        {
            return false;
        }
        self.lease.close_watchdog(host)
    }

    fn lose_lock(&mut self, host: &mut (impl LrmHost + ?Sized), now: Now) {
        self.lost_since = Some(now.instant);
        self.enter(LrmState::LostAgentLock, host);
    }

    fn enter(&mut self, to: LrmState, sink: &mut (impl EventSink + ?Sized)) {
        sink.event(Event::DaemonState { from: self.state.into(), to: to.into() });
        self.state = to;
    }

    /// Writes this LRM's record, while quorate.
    fn write_record(&mut self, host: &mut (impl LrmHost + ?Sized), now: Now) {
        self.write_record_as(self.state, host, now);
    }

    /// Writes it with a state. Says whether that worked.
    fn write_record_as(&mut self, state: LrmState, host: &mut (impl LrmHost + ?Sized), now: Now) -> bool {
        if !host.is_quorate() {
            return false;
        }
        let mut record = LrmStatus {
            state,
            mode: self.mode,
            timestamp: Some(now.wall),
            writer: self.writer.clone(),
            // Lent to the record: a node may have thousands.
            results: core::mem::take(&mut self.results),
            services: BTreeMap::new(),
            unknown: None,
        };
        self.notes.write_to(&mut record, &self.queue);
        self.probes.write_to(&mut record);
        let written = host.write_lrm_status(&record);
        self.results = record.results;
        let written = host::answer(host, HostOperation::WriteLrmStatus, written).is_some();
        if written {
            self.told_mode = Some(self.mode);
        } else {
            host.event(Event::LrmStatusUnwritable);
        }
        written
    }

    fn again_after_wait(&self, now: Now) -> Next {
        Next::At { instant: now.instant.after(self.timings.waiting_loop()), reason: WaitReason::NextIteration }
    }

    fn exit(&mut self) -> Next {
        self.exited = true;
        Next::Exit
    }
}

/// How many jobs may run at once.
fn workers_of(datacenter: &DatacenterConfig) -> usize {
    usize::try_from(datacenter.max_workers).unwrap_or(usize::MAX)
}

impl From<LrmState> for DaemonState {
    fn from(state: LrmState) -> Self {
        match state {
            LrmState::WaitForAgentLock => Self::WaitForAgentLock,
            LrmState::Active => Self::Active,
            LrmState::Maintenance => Self::Maintenance,
            LrmState::LostAgentLock => Self::LostAgentLock,
        }
    }
}
