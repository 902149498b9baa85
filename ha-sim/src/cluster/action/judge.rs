//! What whoever judges a history must know about a deed: its kind, and what may rightly follow from it.

use ha_core::id::ServiceId;

use super::{Action, Edit, EditKind, Edited};
use crate::world::{AgentDisturbance, AgentFault, DeviceBehaviour, Operation};

impl Action {
    /// Its kind, for statistics.
    #[must_use]
    // tidy: table
    pub fn kind(&self) -> &'static str {
        match self {
            Self::PowerOff { .. } => "power loss",
            Self::PowerOn { .. } => "power on",
            Self::Reset { .. } => "reset",
            Self::Network { connected: false, .. } => "network cut",
            Self::Network { connected: true, .. } => "network back",
            Self::Partition { .. } => "partition",
            Self::Heal => "partition healed",
            Self::Unheard { .. } => "peers unheard",
            Self::StoreWorks { .. } => "store fails or works",
            Self::ViewWorks { .. } => "view fails or works",
            Self::LocksWork { .. } => "locks fail or work",
            Self::Kill { .. } => "daemon killed",
            Self::Pause { .. } => "daemon paused",
            Self::Resume { .. } => "daemon resumed",
            Self::Disturb(_) => "call disturbed",
            Self::WallClock { .. } => "wall clock jump",
            Self::Device { behaviour: DeviceBehaviour::Works, .. } => "fence device works",
            Self::Device { behaviour: DeviceBehaviour::Fails | DeviceBehaviour::Hangs, .. } => "fence device fails",
            Self::Device { behaviour: DeviceBehaviour::Late | DeviceBehaviour::Slow, .. } => "fence device is late",
            Self::Shutdown { .. } => "node shutdown",
            Self::Reboot { .. } => "node reboot",
            Self::RestartLrm { .. } => "lrm restart",
            Self::StopCrm { .. } => "crm stop",
            Self::StartDaemon { .. } => "daemon start",
            Self::Command { .. } => "command",
            Self::Edit(edit) => edit.kind(),
            Self::Write { .. } => "record or file overwritten",
            Self::StaleReads { .. } => "reads stale or fresh",
            Self::Suspended { suspended: true, .. } => "machine stands still",
            Self::Suspended { suspended: false, .. } => "machine goes on",
            Self::NodeSize { .. } | Self::GuestSize { .. } | Self::GuestLoad { .. } => "size or load",
            Self::GuestTimes { .. } => "agent slower or quicker",
            Self::Version { .. } => "other version",
            Self::AgentWorks { .. } => "agent works",
            Self::StartGuest { .. } => "guest started by hand",
            Self::CarryGuest { .. } => "guest moved by hand",
            Self::Say(_) => "said",
            Self::Crash { .. } => "guest crash",
            Self::AgentFails { disturbance, .. } => kind_of_agent(disturbance),
            Self::Expel { .. } | Self::Retire { .. } => "node taken out",
            Self::Admit { .. } => "node taken in",
            Self::DestroyGuest { .. } => "guest removed",
            Self::CreateGuest { .. } => "guest made",
            Self::LockGuest { .. } => "guest locked",
            Self::UnlockGuest { .. } => "guest unlocked",
            Self::LeaveBehind { .. } => "guest leaves something behind",
            Self::Unendable { .. } => "job can't be ended",
            Self::TwinAppears { .. } => "twin appears",
            Self::TwinGoes { .. } => "twin goes",
            Self::StoreFull { full: true } => "store full",
            Self::StoreFull { full: false } => "store has room",
            Self::Mounted { mounted: false, .. } => "store not mounted",
            Self::Mounted { mounted: true, .. } => "store mounted",
            Self::DamageEntry { .. } => "status damaged",
            Self::RestartMultiplexer { fits: true, .. } => "multiplexer restarted",
            Self::RestartMultiplexer { fits: false, .. } => "multiplexer with other timings",
            Self::PauseMultiplexer { paused: true, .. } => "multiplexer paused",
            Self::PauseMultiplexer { paused: false, .. } => "multiplexer resumed",
            Self::DelayFrames { .. } => "frames late or not",
            Self::StallDeviceFeed { .. } => "device fed late",
            Self::RepairStatus => "status repaired",
            Self::ConfirmFenced { .. } => "node confirmed down",
            Self::MendAll => "all mended",
        }
    }

    /// Whether a node may be reset because of it, though all daemons do as they should.
    #[must_use]
    // tidy: table
    pub fn calls_for_resets(&self) -> bool {
        match self {
            Self::PowerOff { .. }
            | Self::Reset { .. }
            | Self::Network { connected: false, .. }
            | Self::Partition { .. }
            | Self::Unheard { .. }
            | Self::StoreWorks { .. }
            | Self::ViewWorks { .. }
            | Self::LocksWork { .. }
            | Self::Kill { .. }
            | Self::Pause { .. }
            | Self::Disturb(_)
            | Self::AgentFails { .. }
            | Self::Expel { .. }
            | Self::Retire { .. }
            | Self::Suspended { .. }
            | Self::StaleReads { .. }
            | Self::Write { .. }
            | Self::StartGuest { .. }
            | Self::CarryGuest { .. }
            // The last stop of a service without a guest fails, so that its node is reset.
            | Self::DestroyGuest { .. }
            | Self::LeaveBehind { .. }
            | Self::Unendable { .. }
            | Self::TwinAppears { .. }
            | Self::Mounted { .. }
            | Self::DamageEntry { .. }
            | Self::ConfirmFenced { .. }
            | Self::RestartMultiplexer { .. }
            | Self::PauseMultiplexer { .. }
            | Self::DelayFrames { .. }
            | Self::StallDeviceFeed { .. }
            | Self::LockGuest { .. } => true,
            Self::PowerOn { .. }
            | Self::Network { connected: true, .. }
            | Self::Heal
            | Self::Resume { .. }
            | Self::WallClock { .. }
            | Self::Device { .. }
            | Self::Shutdown { .. }
            | Self::Reboot { .. }
            | Self::RestartLrm { .. }
            | Self::StopCrm { .. }
            | Self::StartDaemon { .. }
            | Self::Command { .. }
            | Self::Edit(_)
            | Self::NodeSize { .. }
            | Self::Version { .. }
            | Self::AgentWorks { .. }
            | Self::GuestTimes { .. }
            | Self::GuestLoad { .. }
            | Self::GuestSize { .. }
            | Self::Say(_)
            | Self::Crash { .. }
            | Self::Admit { .. }
            | Self::CreateGuest { .. }
            | Self::UnlockGuest { .. }
            | Self::TwinGoes { .. }
            | Self::StoreFull { .. }
            | Self::RepairStatus
            | Self::MendAll => false,
        }
    }

    /// Whether a service may rightly end in `error` after it, though its guest is where its entry says: something happened to
    /// its guest, or to what an agent did with it, or an entry in `error` was mended only in part, by `disarm-ha ignore`.
    pub(crate) fn may_lead_to_error(&self, service: &ServiceId) -> bool {
        #[allow(clippy::wildcard_enum_match_arm, reason = "all others lead to none")]
        match self {
            Self::AgentFails { sid, .. }
            | Self::StartGuest { sid, .. }
            | Self::CarryGuest { sid, .. }
            | Self::LeaveBehind { sid, .. }
            | Self::DestroyGuest { sid }
            | Self::CreateGuest { sid, .. }
            | Self::LockGuest { sid, .. } => sid == service,
            Self::Command { line } => line.starts_with("disarm-ha ignore"),
            _ => false,
        }
    }
}

impl Edit {
    fn kind(&self) -> &'static str {
        match (&self.what, &self.how) {
            (Edited::Resource(_), EditKind::Add { .. }) => "service added",
            (Edited::Resource(_), EditKind::Remove { .. }) => "service removed",
            (Edited::Resource(_), EditKind::Set(_) | EditKind::Unset(_)) => "requested state",
            (Edited::Rule(_), EditKind::Remove { .. }) => "rule removed",
            (Edited::Rule(_), EditKind::Add { .. }) => "rule added",
            (Edited::Rule(_), EditKind::Set(_) | EditKind::Unset(_)) => "rule changed",
            (Edited::Group(_), _) => "group edit",
            (Edited::Node(_), _) => "node labelled",
            (Edited::Datacenter, _) => "datacenter edit",
        }
    }
}

fn kind_of_agent(disturbance: &AgentDisturbance) -> &'static str {
    match disturbance.operation {
        Operation::CheckRunning | Operation::Locate => return "agent can't tell",
        Operation::Probe => return "probe fails",
        Operation::Start | Operation::Stop | Operation::Move => {}
    }
    match disturbance.fault {
        AgentFault::Fails => "agent fails",
        AgentFault::Hangs | AgentFault::Slow => "agent hangs",
        AgentFault::Pretends | AgentFault::Denies => "agent lies",
        AgentFault::Dies | AgentFault::DiesBefore | AgentFault::Unheard => "worker dies",
    }
}
