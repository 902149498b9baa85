//! Carrying out one job: as steps that take no time, with what takes time between them.

use crate::{
    event::Event,
    host::{self, Agent, EventSink, HostError, HostOperation, Job},
    id::{NodeName, ServiceId},
    status::{ExitCode, Motion, StateName},
};

/// A job on its way. It says what to ask of the agent next, and takes the answer.
///
/// [`run_job`] drives it with a blocking [`Agent`]; a host that does not want to block, or whose time is virtual, drives it
/// itself.
#[derive(Debug, Clone)]
pub struct JobRun {
    job: Job,
    node: NodeName,
    stage: Stage,
    /// Nothing of it ran when the job began.
    found_stopped: bool,
    /// A lock kept the agent from the guest.
    locked: bool,
}

/// What to ask of the agent next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobStep {
    /// Whether there is an agent for the type: answer with [`JobAnswer::Known`].
    KnowsType,
    /// Where the guest is configured: answer with [`JobAnswer::Located`].
    Locate,
    /// Whether it runs: answer with [`JobAnswer::Running`].
    CheckRunning,
    /// Start it, then answer with [`JobAnswer::Ended`].
    Start,
    /// Stop it, then answer with [`JobAnswer::Ended`].
    Stop {
        /// Seconds that it may take; `None` leaves it to the agent.
        timeout: Option<u32>,
    },
    /// Move it, then answer with [`JobAnswer::Ended`].
    Move {
        /// Where to.
        target: NodeName,
        /// How.
        motion: Motion,
    },
    /// Nothing: the job is done.
    Done(ExitCode),
}

/// The answer to a [`JobStep`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobAnswer {
    /// Whether there is an agent for the type.
    Known(bool),
    /// Where the guest is configured, if it is.
    Located(Result<Option<NodeName>, HostError>),
    /// Whether it runs.
    Running(Result<bool, HostError>),
    /// What was asked for has ended, well or not.
    Ended(Result<(), HostError>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    KnowsType,
    Locate,
    CheckBefore,
    Act,
    CheckAfter,
    Done(ExitCode),
}

/// What a job asks of its service.
enum Task<'a> {
    Run,
    Stop,
    Move { target: Option<&'a NodeName>, motion: Motion, only_stopped: bool },
    ReportError,
    Unknown,
}

impl JobRun {
    /// Begins a job on the node of its worker.
    #[must_use]
    pub fn new(job: Job, node: NodeName) -> Self {
        Self { job, node, stage: Stage::KnowsType, found_stopped: false, locked: false }
    }

    /// The job.
    #[must_use]
    pub fn job(&self) -> &Job {
        &self.job
    }

    /// What to ask of the agent now.
    #[must_use]
    pub fn step(&self) -> JobStep {
        match self.stage {
            Stage::KnowsType => JobStep::KnowsType,
            Stage::Locate => JobStep::Locate,
            Stage::CheckBefore => JobStep::CheckRunning,
            Stage::Act => self.action(),
            Stage::CheckAfter => match self.task() {
                Task::Move { .. } => JobStep::Locate,
                Task::Run | Task::Stop | Task::ReportError | Task::Unknown => JobStep::CheckRunning,
            },
            Stage::Done(exit_code) => JobStep::Done(exit_code),
        }
    }

    /// Takes the answer to the last step. An answer to another question ends the job with an error.
    pub fn answer(&mut self, answer: JobAnswer, sink: &mut (impl EventSink + ?Sized)) {
        self.stage = match (self.stage, answer) {
            (Stage::KnowsType, JobAnswer::Known(true)) => Stage::Locate,
            (Stage::KnowsType, JobAnswer::Known(false)) => Stage::Done(ExitCode::UNKNOWN_SERVICE_TYPE),
            (Stage::Locate, JobAnswer::Located(guest_node)) => {
                match host::answer(sink, HostOperation::LocateGuest, guest_node) {
                    Some(Some(guest_node)) => self.begin(&guest_node, sink),
                    Some(None) => Stage::Done(ExitCode::UNKNOWN_SERVICE),
                    None => Stage::Done(self.not_told()),
                }
            }
            (Stage::CheckBefore, JobAnswer::Running(running)) => {
                let running = host::answer(sink, HostOperation::CheckRunning, running);
                self.found_stopped = running == Some(false);
                self.act(running, sink)
            }
            (Stage::Act, JobAnswer::Ended(ended)) => {
                // Whether it worked is seen by looking.
                self.locked = ended.as_ref().is_err_and(|error| error.lock.is_some());
                host::answer(sink, self.operation(), ended);
                Stage::CheckAfter
            }
            (Stage::CheckAfter, JobAnswer::Running(running)) => {
                let running = host::answer(sink, HostOperation::CheckRunning, running);
                Stage::Done(self.judge_running(running, sink))
            }
            (Stage::CheckAfter, JobAnswer::Located(guest_node)) => {
                let guest_node = host::answer(sink, HostOperation::LocateGuest, guest_node);
                Stage::Done(self.judge_moved(guest_node.as_ref(), sink))
            }
            (Stage::Done(exit_code), _) => Stage::Done(exit_code),
            (
                Stage::KnowsType | Stage::Locate | Stage::CheckBefore | Stage::Act | Stage::CheckAfter,
                JobAnswer::Known(_) | JobAnswer::Located(_) | JobAnswer::Running(_) | JobAnswer::Ended(_),
            ) => Stage::Done(ExitCode::ERROR),
        };
    }

    fn sid(&self) -> ServiceId {
        self.job.sid.clone()
    }

    fn task(&self) -> Task<'_> {
        let target = self.job.target.as_ref();
        match self.job.command {
            StateName::Started => Task::Run,
            StateName::RequestStop | StateName::Stopped => Task::Stop,
            StateName::Migrate => Task::Move { target, motion: Motion::Migrate, only_stopped: false },
            StateName::Relocate => Task::Move { target, motion: Motion::Relocate, only_stopped: false },
            StateName::RequestStartBalance => Task::Move { target, motion: Motion::Relocate, only_stopped: true },
            StateName::Error => Task::ReportError,
            StateName::RequestStart | StateName::Fence | StateName::Recovery | StateName::Freeze => Task::Unknown,
        }
    }

    /// The guest exists: what comes first?
    fn begin(&self, guest_node: &NodeName, sink: &mut (impl EventSink + ?Sized)) -> Stage {
        if let Task::ReportError = self.task() {
            sink.event(Event::ServiceInError { sid: self.sid() });
            return Stage::Done(ExitCode::SUCCESS);
        }
        if *guest_node != self.node {
            sink.event(Event::ServiceNotHere { sid: self.sid() });
            return Stage::Done(ExitCode::WRONG_NODE);
        }
        match self.task() {
            Task::Run | Task::Stop => Stage::CheckBefore,
            Task::Move { target: None, .. } => Stage::Done(ExitCode::INVALID_PARAMETER),
            Task::Move { target: Some(target), .. } if *target == self.node => Stage::Done(ExitCode::SUCCESS),
            Task::Move { target: Some(_), only_stopped: true, .. } => Stage::CheckBefore,
            Task::Move { target: Some(_), only_stopped: false, .. } => Stage::Act,
            Task::ReportError | Task::Unknown => Stage::Done(ExitCode::UNKNOWN_COMMAND),
        }
    }

    /// It was looked whether it runs: is there anything to do?
    ///
    /// A stop is always asked for. An agent that sees nothing may know of something that it can't see, and one that can't tell can stop
    /// all the same. Nothing is said of that where nothing ran.
    fn act(&self, running: Option<bool>, sink: &mut (impl EventSink + ?Sized)) -> Stage {
        match (self.task(), running) {
            (Task::Run, Some(true)) => Stage::Done(ExitCode::SUCCESS),
            (Task::Run, Some(false)) if self.job.only_look => Stage::Done(ExitCode::NOT_RUNNING),
            (Task::Run, Some(false)) => {
                sink.event(Event::AgentStarting { sid: self.sid() });
                Stage::Act
            }
            (Task::Stop, Some(false)) => Stage::Act,
            (Task::Stop, Some(true) | None) => {
                sink.event(Event::AgentStopping { sid: self.sid(), for_relocate: false, timeout: self.job.timeout });
                Stage::Act
            }
            (Task::Move { .. }, Some(true)) => {
                sink.event(Event::AgentStartBalanceIgnored { sid: self.sid() });
                Stage::Done(ExitCode::IGNORED)
            }
            (Task::Move { .. }, Some(false)) => Stage::Act,
            (Task::Run | Task::Move { .. }, None) => Stage::Done(self.not_told()),
            (Task::ReportError | Task::Unknown, _) => Stage::Done(ExitCode::UNKNOWN_COMMAND),
        }
    }

    fn action(&self) -> JobStep {
        match self.task() {
            Task::Run => JobStep::Start,
            Task::Stop => JobStep::Stop { timeout: self.job.timeout },
            Task::Move { target: Some(target), motion, .. } => JobStep::Move { target: target.clone(), motion },
            Task::Move { target: None, .. } => JobStep::Done(ExitCode::INVALID_PARAMETER),
            Task::ReportError | Task::Unknown => JobStep::Done(ExitCode::UNKNOWN_COMMAND),
        }
    }

    fn operation(&self) -> HostOperation {
        match self.task() {
            Task::Run => HostOperation::StartService,
            Task::Stop => HostOperation::StopService,
            Task::Move { .. } | Task::ReportError | Task::Unknown => HostOperation::MoveService,
        }
    }

    /// What can't be told has not worked: of a service that may run nobody says that it is stopped.
    fn judge_running(&self, running: Option<bool>, sink: &mut (impl EventSink + ?Sized)) -> ExitCode {
        let starts = matches!(self.task(), Task::Run);
        let sid = self.sid();
        let worked = running == Some(starts);
        if worked && self.found_stopped && !starts {
            return ExitCode::SUCCESS;
        }
        if self.locked && !worked {
            return ExitCode::TRY_AGAIN;
        }
        sink.event(match (starts, worked) {
            (true, true) => Event::AgentStarted { sid },
            (true, false) => Event::AgentStartFailed { sid },
            (false, true) => Event::AgentStopped { sid },
            (false, false) => Event::AgentStopFailed { sid },
        });
        match running {
            _ if worked => ExitCode::SUCCESS,
            Some(_) => ExitCode::ERROR,
            None => self.not_told(),
        }
    }

    /// The agent can't say what is asked. A service that was to be started may run.
    fn not_told(&self) -> ExitCode {
        match self.task() {
            Task::Run => ExitCode::UNTOLD,
            Task::Stop | Task::Move { .. } | Task::ReportError | Task::Unknown => ExitCode::ERROR,
        }
    }

    /// The guest is no longer here if it was moved. If that can't be told the move counts as failed: the next look at it
    /// finds it where it is.
    fn judge_moved(&self, guest_node: Option<&Option<NodeName>>, sink: &mut (impl EventSink + ?Sized)) -> ExitCode {
        match guest_node {
            Some(guest_node) if guest_node.as_ref() != Some(&self.node) => ExitCode::SUCCESS,
            Some(_) | None if self.locked => ExitCode::TRY_AGAIN,
            Some(_) | None => {
                sink.event(Event::AgentMoveFailed { sid: self.sid() });
                ExitCode::ERROR
            }
        }
    }
}

/// Carries out a job and says how it ended.
///
/// This blocks as long as the agent does, so a host calls it on a worker of its own. `node` is the node of the worker.
pub fn run_job(job: Job, node: NodeName, agent: &mut (impl Agent + ?Sized)) -> ExitCode {
    let mut run = JobRun::new(job, node);
    loop {
        let sid = run.sid();
        let answer = match run.step() {
            JobStep::KnowsType => JobAnswer::Known(agent.knows_type(sid.service_type())),
            JobStep::Locate => JobAnswer::Located(agent.guest_node(&sid)),
            JobStep::CheckRunning => JobAnswer::Running(agent.is_running(&sid)),
            JobStep::Start => JobAnswer::Ended(agent.start(&sid)),
            JobStep::Stop { timeout } => JobAnswer::Ended(agent.stop(&sid, timeout)),
            JobStep::Move { target, motion } => JobAnswer::Ended(agent.move_to(&sid, &target, motion)),
            JobStep::Done(exit_code) => return exit_code,
        };
        run.answer(answer, agent);
    }
}
