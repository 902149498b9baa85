//! Jobs: what an LRM has done for its services, and who does it.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{EventSink, HostError};
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
pub trait Workers {
    /// Starts a job. The worker that carries it out calls [`crate::lrm::run_job`], or steps a
    /// [`JobRun`](crate::lrm::JobRun) itself. There is never more than one job for a service at a time. On an error it
    /// must not run: it stays in the queue and is started later.
    fn start(&mut self, job: &Job) -> Result<JobStart, HostError>;

    /// Takes the jobs that ended since this was last called, in the order of their end. A job that died or was killed
    /// ends with [`ExitCode::KILLED`]. Each job is named once. An error takes
    /// nothing: what ended is named by a later call.
    fn finished(&mut self) -> Result<Vec<(JobId, ExitCode)>, HostError>;
}

/// Handles the guests of this node.
///
/// A worker uses it from [`crate::lrm::run_job`]. Whether a call succeeded is judged by looking again, not by its
/// answer: an error is only reported.
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
