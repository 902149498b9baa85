//! Jobs that take time: workers beside the LRMs, each with one job.

use std::{collections::BTreeMap, time::Duration};

use ha_core::{
    host::{Agent, HostError, Job, JobId},
    id::{NodeName, ServiceId},
    lrm::{JobAnswer, JobRun, JobStep},
    status::{ExitCode, Motion},
    time::Instant,
};

use super::{
    DaemonKind, JobTimes, View, World,
    agent::{Begun, MoveBegun, NodeAgent, failed},
};

/// A stop that was given no timeout is made hard after this time.
const DEFAULT_STOP_TIMEOUT: Duration = Duration::from_secs(60);

/// What is far slower than usual takes this much longer.
const SLOWNESS: Duration = Duration::from_secs(240);

/// A move that makes no progress may take this long.
const MOVE_PATIENCE: Duration = Duration::from_secs(600);

/// Names a job among those of all nodes: ids begin again with each LRM.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct JobKey {
    node: NodeName,
    generation: u64,
    id: JobId,
}

/// The jobs of all nodes.
#[derive(Debug, Clone, Default)]
pub(super) struct Jobs {
    running: BTreeMap<JobKey, TimedJob>,
    finished: Vec<(JobKey, ExitCode)>,
    /// Counts the LRMs that were started on each node: the outcome of an earlier one's jobs is not told to a later one.
    generations: BTreeMap<NodeName, u64>,
}

/// A job on its way.
#[derive(Debug, Clone)]
struct TimedJob {
    run: JobRun,
    /// What its agent is at.
    operation: Option<TimedOperation>,
    /// When that ends; `None` if it never does.
    due: Option<Instant>,
    began: Instant,
    /// It counts as ended already: nothing is said when it ends.
    disowned: bool,
}

/// What an agent is at, and whether it will take effect.
#[derive(Debug, Clone)]
struct TimedOperation {
    what: OperationKind,
    works: bool,
    /// Whether it takes far longer than usual.
    slow: bool,
    ending: Ending,
}

/// What is heard of the end of an operation.
#[derive(Debug, Clone, Copy)]
enum Ending {
    /// What happened.
    Honest,
    /// The opposite of what happened.
    Lies,
    /// Nothing: its worker ends with this exit code.
    Exits(ExitCode),
}

#[derive(Debug, Clone)]
enum OperationKind {
    Start,
    Stop,
    /// Stops it, to move it then.
    StopToMove {
        target: NodeName,
        motion: Motion,
        move_works: bool,
        move_ending: Ending,
    },
    Move {
        target: NodeName,
        motion: Motion,
        /// How often the target had lost its power when the move began: what was moved so far is lost with it.
        power_losses: u64,
    },
}

/// How a step goes on.
enum Progress {
    Answer(JobAnswer),
    Wait { operation: TimedOperation, after: Option<Duration> },
    Done(ExitCode),
}

impl Jobs {
    /// Ends all jobs of a node that lost its power.
    pub(super) fn drop_of(&mut self, node: &NodeName) {
        self.running.retain(|key, _| key.node != *node);
        self.finished.retain(|(key, _)| key.node != *node);
    }

    fn generation(&self, node: &NodeName) -> u64 {
        self.generations.get(node).copied().unwrap_or(0)
    }
}

impl World {
    /// A new LRM begins on a node: the jobs of an earlier one are not its own.
    pub fn begin_lrm(&mut self, node: &NodeName) {
        let generation = self.jobs.generations.entry(node.clone()).or_default();
        *generation = generation.wrapping_add(1);
    }

    /// Counts the LRMs that were started on a node.
    #[must_use]
    pub fn lrm_generation(&self, node: &NodeName) -> u64 {
        self.jobs.generation(node)
    }

    /// Hands a job to a worker of a node.
    pub(super) fn begin_job(&mut self, job: &Job, node: &NodeName) {
        let key = JobKey { node: node.clone(), generation: self.jobs.generation(node), id: job.id };
        let run = JobRun::new(job.clone(), node.clone());
        self.go_on(key, TimedJob { run, operation: None, due: None, began: self.time, disowned: false });
    }

    /// Takes the jobs of a node's LRM that have ended.
    pub(super) fn take_finished_jobs(&mut self, node: &NodeName) -> Vec<(JobId, ExitCode)> {
        if self.jobs.finished.is_empty() {
            return Vec::new();
        }
        let generation = self.jobs.generation(node);
        let (taken, kept) = std::mem::take(&mut self.jobs.finished).into_iter().partition(|(key, _)| key.node == *node);
        self.jobs.finished = kept;
        let taken: Vec<(JobKey, ExitCode)> = taken;
        let own = taken.into_iter().filter(|(key, _)| key.generation == generation);
        own.map(|(key, exit_code)| (key.id, exit_code)).collect()
    }

    /// When the first thing that an agent is at ends.
    #[must_use]
    pub fn next_job_end(&self) -> Option<Instant> {
        let goes_on = |key: &JobKey| !self.stands_still(&key.node);
        self.jobs.running.iter().filter(|(key, _)| goes_on(key)).filter_map(|(_, job)| job.due).min()
    }

    /// How long a job may take. A move that makes progress may take as long as it needs.
    pub(super) fn job_time_limit(&self, job: &Job, node: &NodeName) -> Option<Duration> {
        let key = JobKey { node: node.clone(), generation: self.jobs.generation(node), id: job.id };
        let patience = job.usual_time_limit().unwrap_or(MOVE_PATIENCE);
        let patience = self.physics.job_patience.map_or(patience, |longest| longest.min(patience));
        let running = self.jobs.running.get(&key)?;
        let moves = job.usual_time_limit().is_none();
        let gets_on = moves && running.due.is_some();
        Some(if gets_on { self.time.since(running.began).saturating_add(patience) } else { patience })
    }

    /// Ends a job: what its agent is at has no effect any more. Some can't be ended yet.
    pub(super) fn end_job(&mut self, id: JobId, node: &NodeName) {
        let key = JobKey { node: node.clone(), generation: self.jobs.generation(node), id };
        let sid = self.jobs.running.get(&key).map(|job| &job.run.job().sid);
        if let Some(guest) = sid.and_then(|sid| self.guests.get_mut(sid))
            && guest.unendable > 0
        {
            guest.unendable = guest.unendable.saturating_sub(1);
            return;
        }
        if let Some(job) = self.jobs.running.remove(&key) {
            self.set_starting(&job.run.job().sid, node, false);
            self.jobs.finished.push((key, ExitCode::KILLED));
        }
    }

    fn stands_still(&self, node: &NodeName) -> bool {
        self.nodes.get(node).is_some_and(|node| node.suspended)
    }

    /// Says that a job has ended, though it goes on: as nobody should.
    pub(crate) fn disown_job(&mut self, id: JobId, node: &NodeName) {
        let key = JobKey { node: node.clone(), generation: self.jobs.generation(node), id };
        if let Some(job) = self.jobs.running.get_mut(&key)
            && !job.disowned
        {
            job.disowned = true;
            self.jobs.finished.push((key, ExitCode::KILLED));
        }
    }

    /// Lets whatever never ends, or is far slower than usual, end now.
    pub fn end_hung_jobs(&mut self) {
        for job in self.jobs.running.values_mut() {
            let is_slow = job.operation.as_ref().is_some_and(|operation| operation.slow);
            if is_slow || job.due.is_none() {
                job.due = Some(self.time);
            }
        }
    }

    /// Lets all jobs go on that are due by now.
    pub fn end_due_jobs(&mut self) {
        let is_due =
            |key: &JobKey, job: &TimedJob| job.due.is_some_and(|due| due <= self.time) && !self.stands_still(&key.node);
        let due: Vec<JobKey> =
            self.jobs.running.iter().filter(|(key, job)| is_due(key, job)).map(|(key, _)| key.clone()).collect();
        for key in due {
            if let Some(job) = self.jobs.running.remove(&key) {
                self.go_on(key, job);
            }
        }
    }

    /// Takes a job as far as it comes without more time.
    fn go_on(&mut self, key: JobKey, mut job: TimedJob) {
        let times = self.physics.job_times.unwrap_or(JobTimes::NONE);
        let sid = job.run.job().sid.clone();
        let clock = self.time;
        let mut view = View { world: self, node: key.node.clone(), daemon: DaemonKind::Lrm, clock };
        loop {
            let progress = match job.operation.take() {
                Some(operation) => end(operation, &sid, times, &mut view),
                None => begin(&job.run, &sid, times, &mut view),
            };
            match progress {
                Progress::Answer(answer) => job.run.answer(answer, &mut view),
                Progress::Wait { operation, after } => {
                    job.operation = Some(operation);
                    job.due = after.map(|after| clock.after(after));
                    self.jobs.running.insert(key, job);
                    return;
                }
                Progress::Done(exit_code) => {
                    if !job.disowned {
                        self.jobs.finished.push((key, exit_code));
                    }
                    return;
                }
            }
        }
    }
}

/// Begins the next step of a job.
fn begin(run: &JobRun, sid: &ServiceId, times: JobTimes, view: &mut View<'_>) -> Progress {
    let own = view.world.guests.get(sid).map(|guest| guest.times).unwrap_or_default();
    let mut agent = NodeAgent::new(view);
    match run.step() {
        JobStep::KnowsType => Progress::Answer(JobAnswer::Known(agent.knows_type(sid.service_type()))),
        JobStep::Locate => Progress::Answer(JobAnswer::Located(agent.guest_node(sid))),
        JobStep::CheckRunning => Progress::Answer(JobAnswer::Running(agent.is_running(sid))),
        JobStep::Start => {
            let begun = agent.begin_start(sid);
            if matches!(begun, Begun::Works | Begun::Slow | Begun::Denies | Begun::Exits { works: true, .. }) {
                view.world.set_starting(sid, &view.node.clone(), true);
            }
            wait(begun, own.start.unwrap_or(times.start), OperationKind::Start)
        }
        JobStep::Stop { .. } if !agent.runs_here(sid) => Progress::Answer(JobAnswer::Ended(Ok(()))),
        JobStep::Stop { timeout } => {
            let timeout = timeout.map_or(DEFAULT_STOP_TIMEOUT, |timeout| Duration::from_secs(timeout.into()));
            let time = own.stop.unwrap_or(times.stop).min(timeout);
            wait(agent.begin_stop(sid), time, OperationKind::Stop)
        }
        JobStep::Move { target, motion } => {
            let MoveBegun { motion, begun } = agent.begin_move(sid, &target, motion);
            if let Some((move_works, move_ending)) = ends(&begun)
                && let Some(begun) = agent.begin_stop_to_move(sid, motion)
            {
                let time = own.stop.unwrap_or(times.stop).min(DEFAULT_STOP_TIMEOUT);
                return wait(begun, time, OperationKind::StopToMove { target, motion, move_works, move_ending });
            }
            let what = move_to(view, target, motion);
            wait(begun, move_time(view, sid, times, motion), what)
        }
        JobStep::Done(exit_code) => Progress::Done(exit_code),
    }
}

fn move_to(view: &View<'_>, target: NodeName, motion: Motion) -> OperationKind {
    let power_losses = view.world.nodes.get(&target).map_or(0, |node| node.power_losses);
    OperationKind::Move { target, motion, power_losses }
}

fn move_time(view: &View<'_>, sid: &ServiceId, times: JobTimes, motion: Motion) -> Duration {
    let own = view.world.guests.get(sid).map(|guest| guest.times).unwrap_or_default();
    match motion {
        Motion::Migrate if view.world.runs(sid, &view.node) => own.migrate.unwrap_or(times.migrate),
        Motion::Migrate | Motion::Relocate => own.relocate.unwrap_or(times.relocate),
    }
}

/// Whether an operation that began takes effect at its end, and what is heard then. Nothing if it never ends, or was refused.
fn ends(begun: &Begun) -> Option<(bool, Ending)> {
    match begun {
        Begun::Works | Begun::Slow => Some((true, Ending::Honest)),
        Begun::Fails => Some((false, Ending::Honest)),
        Begun::Pretends => Some((false, Ending::Lies)),
        Begun::Denies => Some((true, Ending::Lies)),
        Begun::Exits { code, works } => Some((*works, Ending::Exits(*code))),
        Begun::Hangs | Begun::Refused(_) => None,
    }
}

fn wait(begun: Begun, time: Duration, what: OperationKind) -> Progress {
    let slow = matches!(begun, Begun::Slow);
    let time = if slow { time.saturating_add(SLOWNESS) } else { time };
    let after = ends(&begun).map(|_| time);
    // What hangs is ended without effect.
    let (works, ending) = ends(&begun).unwrap_or((false, Ending::Honest));
    if let Begun::Refused(error) = begun {
        return Progress::Answer(JobAnswer::Ended(Err(error)));
    }
    Progress::Wait { operation: TimedOperation { what, works, slow, ending }, after }
}

/// Ends what an agent was at.
fn end(operation: TimedOperation, sid: &ServiceId, times: JobTimes, view: &mut View<'_>) -> Progress {
    let TimedOperation { what, works, ending, slow: _ } = operation;
    let time = move_time(view, sid, times, Motion::Relocate);
    if let (
        true,
        OperationKind::StopToMove { target, motion, move_works, move_ending },
        Ending::Honest | Ending::Lies,
    ) = (works, &what, ending)
    {
        NodeAgent::new(view).end_stop_to_move(sid);
        let what = move_to(view, target.clone(), *motion);
        let operation = TimedOperation { what, works: *move_works, slow: false, ending: *move_ending };
        return Progress::Wait { operation, after: Some(time) };
    }
    let result = if works { take_effect(what, sid, view) } else { Err(failed()) };
    let said = match (ending, result) {
        (Ending::Honest, result) => result,
        (Ending::Lies, Ok(())) => Err(failed()),
        (Ending::Lies, Err(_)) => Ok(()),
        (Ending::Exits(exit_code), _) => return Progress::Done(exit_code),
    };
    Progress::Answer(JobAnswer::Ended(said))
}

fn take_effect(what: OperationKind, sid: &ServiceId, view: &mut View<'_>) -> Result<(), HostError> {
    let lost = |target: &NodeName, before: u64, view: &View<'_>| {
        view.world.nodes.get(target).is_some_and(|node| node.power_losses != before)
    };
    match what {
        OperationKind::Start => NodeAgent::new(view).end_start(sid),
        OperationKind::Stop | OperationKind::StopToMove { .. } => {
            NodeAgent::new(view).end_stop(sid);
            Ok(())
        }
        OperationKind::Move { target, power_losses, .. } if lost(&target, power_losses, view) => {
            Err(HostError::new(format!("{target} failed meanwhile")))
        }
        OperationKind::Move { target, motion, .. } => NodeAgent::new(view).end_move(sid, &target, motion),
    }
}
