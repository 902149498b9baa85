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
#[derive(Debug, Clone, PartialEq, Eq)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
pub trait Agent: EventSink {
    /// Whether there is an agent for this type of service.
    fn knows_type(&mut self, service_type: &str) -> bool;

    /// The node on which the service's guest is configured now, or `None` if it is not configured at all.
    fn guest_node(&mut self, sid: &ServiceId) -> Result<Option<NodeName>, HostError>;

    /// Whether the service runs here. If that can't be told the job ends with an error.
    fn is_running(&mut self, sid: &ServiceId) -> Result<bool, HostError>;

    /// Starts it, and returns when it runs or can't be started.
    fn start(&mut self, sid: &ServiceId) -> Result<(), HostError>;

    /// Stops it, and returns when it is stopped or can't be stopped. `timeout` is in seconds, 0 stops it hard at once,
    /// `None` leaves it to the agent.
    fn stop(&mut self, sid: &ServiceId, timeout: Option<u32>) -> Result<(), HostError>;

    /// Moves it to `target`, and returns when it is there or can't be moved. [`Motion::Migrate`] moves a running service
    /// live where the agent can; otherwise a running service is stopped first. The agent reports
    /// [`Event::AgentMoveStarted`](crate::event::Event::AgentMoveStarted) and
    /// [`Event::AgentMoveEnded`](crate::event::Event::AgentMoveEnded).
    fn move_to(&mut self, sid: &ServiceId, target: &NodeName, motion: Motion) -> Result<(), HostError>;
}
