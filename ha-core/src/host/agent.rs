//! Jobs: what an LRM has done for its services, and who does it.

use alloc::{string::String, vec::Vec};
use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::{EventSink, HostError, ProbeAttempt, ProbeProgress};
use crate::{
    id::{NodeName, ServiceId, Uid},
    status::{ExitCode, Motion, StateName},
};

/// Names a job within the LRM that started it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(pub u64);

/// Something to do for a service, on the node of the LRM that hands it out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Job {
    /// Names the job.
    pub id: JobId,
    /// The service.
    pub sid: ServiceId,
    /// The request that it answers; none where the LRM itself wants it.
    pub uid: Option<Uid>,
    /// What to do, named like the service state that asks for it.
    pub command: StateName,
    /// Where to move it.
    pub target: Option<NodeName>,
    /// Seconds that a stop may take; `None` leaves it to the agent.
    pub timeout: Option<u32>,
    /// Of `started`: it is only seen whether the service runs. If it does not, nothing is started, and the job ends with
    /// [`ExitCode::NOT_RUNNING`]: the LRM counts that, and decides when to start it again.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub only_look: bool,
}

/// What became of a job that was handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobStart {
    /// It runs, and [`Workers::finished`] will name it.
    Running,
    /// It is done already.
    Finished(ExitCode),
}

/// Carries jobs out, several at once if the host can.
///
/// ```
/// use std::{
///     panic::{AssertUnwindSafe, catch_unwind},
///     sync::mpsc::{Receiver, Sender, channel},
///     thread,
/// };
///
/// use ha_core::{
///     host::{HostError, Job, JobId, JobStart, Workers},
///     status::ExitCode,
/// };
///
/// /// A thread for each job.
/// struct Threads {
///     carry_out: fn(Job) -> ExitCode,
///     ended: (Sender<(JobId, ExitCode)>, Receiver<(JobId, ExitCode)>),
/// }
///
/// impl Workers for Threads {
///     fn start(&mut self, job: &Job) -> Result<JobStart, HostError> {
///         let (carry_out, ended, job) = (self.carry_out, self.ended.0.clone(), job.clone());
///         thread::spawn(move || {
///             let id = job.id;
///             // A job that dies has ended all the same.
///             let exit_code = catch_unwind(AssertUnwindSafe(|| carry_out(job))).unwrap_or(ExitCode::KILLED);
///             ended.send((id, exit_code))
///         });
///         Ok(JobStart::Running)
///     }
///
///     fn finished(&mut self) -> Result<Vec<(JobId, ExitCode)>, HostError> {
///         Ok(self.ended.1.try_iter().collect())
///     }
/// }
///
/// // With an agent this is ha_core::lrm::run_job(job, node, &mut agent).
/// let mut threads = Threads { carry_out: |_| ExitCode::SUCCESS, ended: channel() };
/// # let job = Job {
/// #     id: JobId(1), sid: "vm:100".parse()?, uid: None, command: ha_core::status::StateName::Started, target: None,
/// #     timeout: None, only_look: false,
/// # };
/// assert_eq!(threads.start(&job)?, JobStart::Running);
/// assert_eq!(threads.ended.1.recv()?, (job.id, ExitCode::SUCCESS));
/// assert!(threads.finished()?.is_empty(), "each job is named once");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Workers {
    /// Starts a job. The worker that carries it out calls [`crate::lrm::run_job`], or steps a
    /// [`JobRun`](crate::lrm::JobRun) itself. There is never more than one job for a service at a time. On an error it
    /// must not run: it stays in the queue and is started later.
    fn start(&mut self, job: &Job) -> Result<JobStart, HostError>;

    /// Takes the jobs that ended since this was last called, in the order of their end. A job that died or was killed
    /// ends with [`ExitCode::KILLED`], and is named only when it is proven that nothing of it is left: another job for its service
    /// may begin right after. Each job is named once. An error takes
    /// nothing: what ended is named by a later call.
    fn finished(&mut self) -> Result<Vec<(JobId, ExitCode)>, HostError>;

    /// How long a job may take since it was started; `None` if it may take as long as it needs. Past that time it is asked again,
    /// so that a job that gets on can be given more time, and otherwise the job must be ended ([`Workers::end`]).
    ///
    /// By default ten minutes beyond the timeout of the job for a start or a stop, and no limit for a move.
    fn time_limit(&mut self, job: &Job) -> Result<Option<Duration>, HostError> {
        Ok(job.usual_time_limit())
    }

    /// Ends a job that takes too long. It may go on for a while: [`Workers::finished`] names it, with [`ExitCode::KILLED`], when it
    /// is proven gone. It is asked for again from time to time until then. An error says that the job can't be ended.
    ///
    /// By default no job can be. One that hangs is shown as such then, and takes no place from others.
    fn end(&mut self, id: JobId) -> Result<(), HostError> {
        let JobId(id) = id;
        Err(HostError::new(alloc::format!("job {id} hangs, and this host can't end jobs")))
    }

    /// Begins to find out whether a service is ready, if that was not begun for this attempt yet, and says how far it has come. It
    /// returns at once, and is called once a round until it does not say [`ProbeProgress::Running`] any more, or takes longer than
    /// it may. An error is the answer that the service is not ready, with the reason in words.
    ///
    /// An answer belongs to its attempt: what was found out for an earlier one of the same service is never given. A new attempt
    /// means that nobody asks for that any more. Probes are made beside jobs, and change nothing.
    ///
    /// By default no host makes probes: a service that has one configured is not ready, for that reason.
    fn probe(&mut self, attempt: &ProbeAttempt) -> Result<ProbeProgress, HostError> {
        Err(attempt.not_made())
    }

    /// The lock that a guest has now, to say what a job waits for that ended with [`ExitCode::TRY_AGAIN`]. By default it is not
    /// known.
    fn guest_lock(&mut self, _sid: &ServiceId) -> Result<Option<String>, HostError> {
        Ok(None)
    }
}

/// How long a start or stop may take beyond its timeout where the host does not say otherwise.
const USUAL_TIME_LIMIT: Duration = Duration::from_secs(600);

impl Job {
    /// The time limit of a job where a host has no better one: ten minutes beyond the job's own timeout, and none for a move.
    #[must_use]
    pub fn usual_time_limit(&self) -> Option<Duration> {
        match self.command {
            StateName::Migrate | StateName::Relocate | StateName::RequestStartBalance => None,
            StateName::Stopped
            | StateName::RequestStop
            | StateName::RequestStart
            | StateName::Started
            | StateName::Fence
            | StateName::Recovery
            | StateName::Freeze
            | StateName::Error => {
                let timeout = Duration::from_secs(self.timeout.unwrap_or(0).into());
                Some(USUAL_TIME_LIMIT.saturating_add(timeout))
            }
        }
    }
}

/// Handles the guests of this node.
///
/// A worker uses it from [`crate::lrm::run_job`]. Whether a call succeeded is judged by looking again, not by its
/// answer: an error is only reported. One answer is more than that: a start, stop or move that a lock of the guest does not allow
/// ends with [`HostError::locked`]. That is no failure; the job ends with [`ExitCode::TRY_AGAIN`] and is tried again later.
///
/// # What a service is
///
/// All that its start has brought about and that may touch what the service works with: not only the process that was started, but
/// also its children, those that left its session or changed their environment, helpers, mounts. *Running* means that any of it
/// is left; *not running* that nothing is. On the strength of that "no" the service is started on another node.
/// An agent that has lost sight of a part doesn't know, and answers with an error: an error never leads to a start elsewhere.
///
/// # Who may run while a guest is moved live
///
/// Between [`Agent::move_to`] with [`Motion::Migrate`] and its end there is a guest on both nodes, of which one may run:
///
/// 1. *Until the handover* the guest is the source's. The source may run, and may begin to run again by itself at any moment,
///    however late: a hypervisor lets a guest go on whose move has failed. So nothing that the target sees of the copy permits it
///    to run, not even that the copy is complete.
/// 2. *The handover* is one write that makes the target the node of the guest ([`Agent::guest_node`] tells it), and is made only
///    while the source stands still for good: its own side says that the copy is complete, after which it does not go on by itself.
///    Who wants to let the source go on makes that write impossible first.
/// 3. *After the handover* the guest is the target's. The target may run as soon as it sees the handover; the source never runs
///    again, and what is left of it is ended.
///
/// A handover whose outcome is not known leaves both standing still until it is.
///
/// # Example
///
/// ```
/// use std::collections::BTreeSet;
///
/// use ha_core::{
///     event::Event,
///     host::{Agent, EventSink, HostError, Job, JobId},
///     id::{NodeName, ServiceId},
///     lrm::run_job,
///     status::{ExitCode, Motion, StateName},
/// };
///
/// /// Guests that are a name in a list.
/// struct Names {
///     node: NodeName,
///     running: BTreeSet<ServiceId>,
/// }
///
/// impl Agent for Names {
///     fn knows_type(&mut self, service_type: &str) -> bool {
///         service_type == "vm"
///     }
///
///     fn guest_node(&mut self, _: &ServiceId) -> Result<Option<NodeName>, HostError> {
///         Ok(Some(self.node.clone()))
///     }
///
///     fn is_running(&mut self, sid: &ServiceId) -> Result<bool, HostError> {
///         Ok(self.running.contains(sid))
///     }
///
///     fn start(&mut self, sid: &ServiceId) -> Result<(), HostError> {
///         self.running.insert(sid.clone());
///         Ok(())
///     }
///
///     fn stop(&mut self, sid: &ServiceId, _timeout: Option<u32>) -> Result<(), HostError> {
///         self.running.remove(sid);
///         Ok(())
///     }
///
///     fn move_to(&mut self, sid: &ServiceId, target: &NodeName, _: Motion) -> Result<(), HostError> {
///         Err(HostError::new(format!("{sid} can't go to {target}")))
///     }
/// }
///
/// impl EventSink for Names {
///     fn event(&mut self, event: Event) {
///         println!("{event}");
///     }
/// }
///
/// let node = NodeName::new("node1")?;
/// let mut agent = Names { node: node.clone(), running: BTreeSet::new() };
/// let (sid, command): (ServiceId, _) = ("vm:100".parse()?, StateName::Started);
/// let job = Job { id: JobId(1), sid: sid.clone(), uid: None, command, target: None, timeout: None, only_look: false };
/// assert_eq!(run_job(job, node, &mut agent), ExitCode::SUCCESS);
/// assert_eq!(agent.is_running(&sid), Ok(true));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Agent: EventSink {
    /// Whether there is an agent for this type of service.
    fn knows_type(&mut self, service_type: &str) -> bool;

    /// The node on which the service's guest is configured now, or `None` if it is not configured at all.
    fn guest_node(&mut self, sid: &ServiceId) -> Result<Option<NodeName>, HostError>;

    /// Whether anything of the service runs here; see [what a service is](Agent#what-a-service-is). If that can't be told it is
    /// an error, never `false`. A start that meets an error is not made; a stop that meets one afterwards has failed.
    fn is_running(&mut self, sid: &ServiceId) -> Result<bool, HostError>;

    /// Starts it, and returns when it runs or can't be started.
    fn start(&mut self, sid: &ServiceId) -> Result<(), HostError>;

    /// Stops it, and returns when nothing of it is left or it can't be stopped. `timeout` is in seconds, 0 stops it hard at once,
    /// `None` leaves it to the agent.
    ///
    /// It is asked for with every job that stops, also when [`Agent::is_running`] said no or could not tell, and time and again
    /// for a service that is to stay stopped. Where there is nothing to stop it does nothing, says nothing, and succeeds.
    fn stop(&mut self, sid: &ServiceId, timeout: Option<u32>) -> Result<(), HostError>;

    /// Moves it to `target`, and returns when it is there or can't be moved. [`Motion::Migrate`] moves a running service
    /// live where the agent can; otherwise a running service is stopped first. The agent reports
    /// [`Event::AgentMoveStarted`](crate::event::Event::AgentMoveStarted) and
    /// [`Event::AgentMoveEnded`](crate::event::Event::AgentMoveEnded).
    ///
    /// [`Agent::guest_node`] names the target only when nothing of the service is left here but what waits to be ended (see [who
    /// may run](Agent#who-may-run-while-a-guest-is-moved-live)): that alone makes the job succeed.
    fn move_to(&mut self, sid: &ServiceId, target: &NodeName, motion: Motion) -> Result<(), HostError>;
}
