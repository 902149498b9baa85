//! The LRM status: what a node's LRM does, and the results of what it did.

use super::{Timestamp, UnknownFields};
use crate::{
    config::OrderedMap,
    id::{ServiceId, Uid},
    text_enum::text_enum,
};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// The state of an LRM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum LrmState {
    /// Nothing to do, or not allowed to.
    #[default]
    WaitForAgentLock,
    /// Holds its lock and looks after its services.
    Active,
    /// Holds its lock and gives its services away.
    Maintenance,
    /// Has lost its lock; the watchdog resets the node.
    LostAgentLock,
}

text_enum! {
    LrmState: "an LRM state",
    WaitForAgentLock = "wait_for_agent_lock",
    Active = "active",
    Maintenance = "maintenance",
    LostAgentLock = "lost_agent_lock",
}

/// What an LRM has been asked to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum LrmMode {
    /// Working.
    #[default]
    Active,
    /// About to restart: its services are frozen meanwhile.
    Restart,
    /// About to stop with its node.
    Shutdown,
    /// Giving its services away and taking none.
    Maintenance,
    /// Letting go of its lock and watchdog.
    Disarm,
    /// The node's record is gone.
    Unknown,
}

text_enum! {
    LrmMode: "an LRM mode",
    Active = "active",
    Restart = "restart",
    Shutdown = "shutdown",
    Maintenance = "maintenance",
    Disarm = "disarm",
    Unknown = "unknown",
}

/// How a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExitCode(pub i32);

impl ExitCode {
    /// It worked.
    pub const SUCCESS: Self = Self(0);
    /// It did not work.
    pub const ERROR: Self = Self(1);
    /// The same command runs again. Never leaves the LRM.
    pub const TRY_AGAIN: Self = Self(2);
    /// The service is configured on another node.
    pub const WRONG_NODE: Self = Self(3);
    /// No agent for the type of the service.
    pub const UNKNOWN_SERVICE_TYPE: Self = Self(4);
    /// The LRM does not know the command.
    pub const UNKNOWN_COMMAND: Self = Self(5);
    /// A parameter is missing or makes no sense.
    pub const INVALID_PARAMETER: Self = Self(6);
    /// The service is not configured.
    pub const UNKNOWN_SERVICE: Self = Self(7);
    /// Not done, since it was not called for.
    pub const IGNORED: Self = Self(8);
    /// The job died or was killed.
    pub const KILLED: Self = Self(-1);
}

/// The result of one job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobResult {
    /// The service.
    pub sid: ServiceId,
    /// The command, named like the service state that asked for it.
    pub state: SmolStr,
    /// How it ended.
    pub exit_code: ExitCode,
    /// Fields that this version does not know.
    pub unknown: UnknownFields,
}

impl JobResult {
    /// A result with nothing but what it must have.
    #[must_use]
    pub fn new(sid: ServiceId, state: impl Into<SmolStr>, exit_code: ExitCode) -> Self {
        Self { sid, state: state.into(), exit_code, unknown: None }
    }
}

/// The record that a node's LRM writes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LrmStatus {
    /// What it does.
    pub state: LrmState,
    /// What it has been asked to be.
    pub mode: LrmMode,
    /// When it was written.
    pub timestamp: Option<Timestamp>,
    /// Results by the UID of the request.
    pub results: OrderedMap<Uid, JobResult>,
    /// Fields that this version does not know.
    pub unknown: UnknownFields,
}
