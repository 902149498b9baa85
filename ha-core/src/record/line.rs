//! The lines of a recording.

use alloc::{collections::BTreeSet, format, string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use crate::{
    config::{
        GroupsConfig, RequestedState, ResourcesConfig, RulesConfig, datacenter::SchedulerMode, fence::FenceCommand,
    },
    host::{FenceAttempt, Job, JobId, Lock, ProbeAttempt},
    id::{NodeName, ServiceId, Uid},
    lrm::StopRequest,
    status::{LrmStatus, ManagerStatus, Writer},
    time::{Instant, Next, Now},
    timing::Timings,
};

use super::wire::Text;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) recording: u32,
}

/// What the host calls.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "call", rename_all = "snake_case")]
pub(super) enum Call {
    StartCrm { node: NodeName, timings: Timings },
    StartLrm { node: NodeName, timings: Timings },
    SetWriter { writer: Writer },
    Tick { now: Now },
    StopCrm,
    StopLrm { request: StopRequest, now: Now },
}

/// What a daemon asks of its host.
#[derive(Debug, Serialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub(super) enum Question<'a> {
    Refresh,
    IsQuorate,
    Members,
    Take { lock: &'a Lock },
    Release { lock: &'a Lock },
    OpenWatchdog { not_after: Instant },
    FeedWatchdog { not_after: Instant },
    CloseWatchdog,
    ManagerStatus,
    Configuration,
    WriteManagerStatus { status: &'a ManagerStatus },
    LrmStatus { node: &'a NodeName },
    CommandsWaiting,
    TakeCommands,
    WriteLrmStatus { status: &'a LrmStatus },
    MoveConfiguration { sid: &'a ServiceId, from: &'a NodeName, to: &'a NodeName },
    RemoveLeftoverLocks { sid: &'a ServiceId, node: &'a NodeName },
    SetRequestedState { sid: &'a ServiceId, state: RequestedState },
    WriteGroupMigration { rules: Text, resources: Text },
    RemoveGroups { groups: Text },
    SoftwareVersion { node: &'a NodeName },
    RunFenceDevice { node: &'a NodeName, incident: &'a Uid, number: u32, device: u32, commands: Vec<FencePart<'a>> },
    ForgetFenceAttempts { except: &'a BTreeSet<Uid> },
    UnmanagedServices,
    Usage,
    RandomBytes,
    StartJob { job: &'a Job },
    FinishedJobs,
    JobTimeLimit { job: &'a Job },
    EndJob { id: JobId },
    GuestLock { sid: &'a ServiceId },
    Probe { sid: &'a ServiceId, number: u64, probe: &'a str, timeout: u32 },
}

/// A command of a fence device without its arguments, which may be secret.
#[derive(Debug, Serialize)]
pub(super) struct FencePart<'a> {
    device: &'a str,
    part: u32,
    program: &'a str,
}

impl<'a> Question<'a> {
    pub(super) fn group_migration(rules: &RulesConfig, resources: &ResourcesConfig) -> Self {
        Self::WriteGroupMigration { rules: Text::of(rules.write()), resources: Text::of(resources.write()) }
    }

    /// By the mode in the configuration, which was asked for before.
    pub(super) fn usage(_: SchedulerMode) -> Self {
        Self::Usage
    }

    pub(super) fn remove_groups(groups: &GroupsConfig) -> Self {
        Self::RemoveGroups { groups: Text::of(groups.write()) }
    }

    pub(super) fn probe(attempt: &'a ProbeAttempt) -> Self {
        let ProbeAttempt { sid, number, probe, timeout } = attempt;
        Self::Probe { sid, number: *number, probe: probe.as_str(), timeout: *timeout }
    }

    pub(super) fn fence_device(attempt: &'a FenceAttempt, commands: &'a [FenceCommand]) -> Self {
        let part = |command: &'a FenceCommand| FencePart {
            device: &command.device,
            part: command.part,
            program: &command.program,
        };
        let FenceAttempt { node, incident, number, device } = attempt;
        let commands = commands.iter().map(part).collect();
        Self::RunFenceDevice { node, incident, number: *number, device: *device, commands }
    }
}

/// The host's answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Got<T> {
    Ok(T),
    Error(String),
    Same(usize),
}

/// How a call ended.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    Next(NextLine),
    Returned(()),
}

/// What a tick said.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum NextLine {
    Exit,
    #[serde(untagged)]
    At {
        at: Instant,
        reason: &'static str,
    },
}

impl From<Next> for Outcome {
    fn from(next: Next) -> Self {
        Self::Next(match next {
            Next::At { instant, reason } => NextLine::At { at: instant, reason: reason.as_str() },
            Next::Exit => NextLine::Exit,
        })
    }
}

/// A value as a line.
pub(super) fn line_of(value: &impl Serialize) -> String {
    // Nothing here fails to serialise; if it did, replaying would say where.
    serde_json::to_string(value).unwrap_or_else(|error| format!("{{\"unwritable\":\"{error}\"}}"))
}
