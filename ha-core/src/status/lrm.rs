//! The LRM status: what a node's LRM does, and the results of what it did.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use super::{StateName, Timestamp, UnknownFields};
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
    /// It can't be told what came of a start: the service may run. Never leaves the LRM.
    pub const UNTOLD: Self = Self(9);
    /// A job that only looked found that the service does not run. Never leaves the LRM.
    pub const NOT_RUNNING: Self = Self(10);
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

/// Whether a service that runs is ready, by its probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Readiness {
    /// It was not ready yet since its start, or since its LRM began to look.
    Starting,
    /// It is.
    Ready,
    /// It was not ready in time, or is no longer.
    NotReady,
}

text_enum! {
    Readiness: "the readiness of a service",
    Starting = "starting",
    Ready = "ready",
    NotReady = "not_ready",
}

/// What an LRM says of one of its services beyond results.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ServiceNote {
    /// The lock of the guest that its job waits for, where the host can tell. Recorded as `lock`.
    pub lock: Option<String>,
    /// Since when a lock is waited for; `None` if none is.
    pub locked_since: Option<Timestamp>,
    /// The job that takes longer than it may and is not known to be gone. No other one is begun for the service.
    pub hangs: Option<StateName>,
    /// When that job was begun.
    pub hangs_since: Option<Timestamp>,
    /// The request by which it is not started yet: it comes after others by an order rule, does not run, and the master has to let it
    /// pass first.
    pub asks: Option<Uid>,
    /// How often it was found not running though its start was confirmed, since it was last stopped on purpose or came to this
    /// node: unplanned restarts. Recorded as `restarts`, and absent when 0.
    pub restarts: u64,
    /// When it was found so, the last ten times at most, oldest first. Recorded as `restart_times`.
    pub restart_times: Vec<Timestamp>,
    /// When it will be started again, while that waits because it ended too often. Recorded as `next_restart`.
    pub next_restart: Option<Timestamp>,
    /// Whether it is ready, if it runs and has a probe.
    pub readiness: Option<Readiness>,
    /// Since when that is so. Recorded as `readiness_since`.
    pub readiness_since: Option<Timestamp>,
    /// Why it was not ready when it was last asked, in words. Recorded as `not_ready`, and absent when it was.
    pub not_ready: Option<String>,
    /// Fields that this version does not know.
    pub unknown: UnknownFields,
}

/// Who writes under the name of a node: a machine, since it was booted.
///
/// Two machines may have one name (a copied disk, a restored backup), so a name alone does not say who wrote. Both texts are
/// the host's choice, and it promises for them:
///
/// * no two machines that can run at the same time have the same `machine`: what is copied with a disk or a backup will not do;
/// * `boot` is the same for all that runs on the machine between two boots, also for a daemon that was restarted, and was never
///   used before. Whatever ran under an earlier one is gone.
///
/// Where a host can't promise that, it names no writer.
#[derive(Debug, Clone, PartialEq)]
pub struct Writer {
    /// The machine.
    pub machine: SmolStr,
    /// Since when it runs: the id of its boot.
    pub boot: SmolStr,
    /// Fields that this version does not know.
    pub unknown: UnknownFields,
}

impl Writer {
    /// A writer with nothing but what it must have.
    #[must_use]
    pub fn new(machine: impl Into<SmolStr>, boot: impl Into<SmolStr>) -> Self {
        Self { machine: machine.into(), boot: boot.into(), unknown: None }
    }

    /// Whether both are the same machine in the same boot.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.machine == other.machine && self.boot == other.boot
    }

    /// Whether this is the machine of `other` after another boot: then what ran on it under `other` is gone. An empty text
    /// proves nothing.
    ///
    /// ```
    /// use ha_core::status::Writer;
    ///
    /// let before = Writer::new("machine-1", "boot-1");
    /// assert!(Writer::new("machine-1", "boot-2").is_another_boot_of(&before));
    /// assert!(!Writer::new("machine-2", "boot-2").is_another_boot_of(&before), "its twin may run on");
    /// assert!(!before.is_another_boot_of(&before));
    /// ```
    #[must_use]
    pub fn is_another_boot_of(&self, other: &Self) -> bool {
        let are_named = [self, other].iter().all(|writer| !writer.machine.is_empty() && !writer.boot.is_empty());
        are_named && self.machine == other.machine && self.boot != other.boot
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
    /// Who wrote it, where the host has told the LRM.
    pub writer: Option<Writer>,
    /// Results by the UID of the request.
    pub results: OrderedMap<Uid, JobResult>,
    /// Services of which there is something to say. Recorded as `services`, and absent when empty.
    pub services: BTreeMap<ServiceId, ServiceNote>,
    /// Fields that this version does not know.
    pub unknown: UnknownFields,
}
