// Made by `cargo xtask generate` (tools/bindings): change what it is made from.
//! Which class of Python has the words of an enum.

use crate::convert::{plain_words, words};

plain_words! {
    "pyha.sim.words":
    ha_sim::world::DaemonKind = "DaemonKind" {
        Crm = "crm",
        Lrm = "lrm",
    }
    ha_sim::world::DeviceBehaviour = "DeviceBehaviour" {
        Works = "works",
        Fails = "fails",
        Hangs = "hangs",
        Late = "late",
        Slow = "slow",
    }
    ha_sim::world::Operation = "Operation" {
        Start = "start",
        Stop = "stop",
        Move = "move",
        CheckRunning = "check_running",
        Locate = "locate",
        Probe = "probe",
    }
    ha_sim::world::AgentFault = "FailureKind" {
        Fails = "fails",
        Hangs = "hangs",
        Slow = "slow",
        Pretends = "pretends",
        Denies = "denies",
        Dies = "dies",
        DiesBefore = "dies_before",
        Unheard = "unheard",
    }
    crate::sim::faults::FaultKind = "FaultKind" {
        Fails = "fails",
        Unknown = "unknown",
        Stalls = "stalls",
        Late = "late",
        LateUnknown = "late_unknown",
        Crashes = "crashes",
        CrashesAfter = "crashes_after",
    }
}

words! {
    "pyha.words":
    ha_core::config::RequestedState = "RequestedState",
    ha_core::config::Affinity = "Affinity",
    ha_core::config::RuleType = "RuleType",
    ha_core::config::Spread = "Spread",
    ha_core::config::probe::OnFailure = "OnFailure",
    ha_core::config::datacenter::ShutdownPolicy = "ShutdownPolicy",
    ha_core::config::datacenter::SchedulerMode = "SchedulerMode",
    ha_core::config::datacenter::BalanceMethod = "BalanceMethod",
    ha_core::config::datacenter::ImbalanceScale = "ImbalanceScale",
    ha_core::config::datacenter::FencingMode = "FencingMode",
    ha_core::config::datacenter::DatacenterSetting = "DatacenterSetting",
    ha_core::rules::Reason = "Reason",
    ha_core::placement::Preference = "Preference",
    ha_core::placement::Decider = "Decider",
    ha_core::placement::FindingKind = "FindingKind",
    ha_core::status::NodeState = "NodeState",
    ha_core::status::DisarmState = "DisarmState",
    ha_core::status::StateName = "StateName",
    ha_core::status::Motion = "Motion",
    ha_core::status::DisarmMode = "DisarmMode",
    ha_core::status::LrmState = "LrmState",
    ha_core::status::Readiness = "Readiness",
    ha_core::status::LrmMode = "LrmMode",
    ha_core::status::view::Liveness = "Liveness",
    ha_core::status::view::WatchdogState = "WatchdogState",
    ha_core::status::view::FencingState = "FencingState",
    ha_core::status::view::ShownLrm = "ShownLrm",
    ha_core::status::view::LineKind = "LineKind",
    ha_core::timing::Inequality = "Inequality",
    ha_core::event::DaemonState = "DaemonState",
    ha_core::event::RemovalReason = "RemovalReason",
    ha_core::event::MoveCause = "MoveCause",
    ha_core::event::NodeRecord = "NodeRecord",
    ha_core::event::RejectionReason = "RejectionReason",
    ha_core::event::IgnoreReason = "IgnoreReason",
    ha_core::event::MoveIgnoreReason = "MoveIgnoreReason",
    ha_core::event::MigrationObstacle = "MigrationObstacle",
    ha_core::event::NoEffectReason = "NoEffectReason",
    ha_core::event::MoveBackReason = "MoveBackReason",
    ha_core::event::AgentOperation = "AgentOperation",
    ha_core::event::ShutdownKind = "ShutdownKind",
    ha_core::event::ShutdownMode = "ShutdownMode",
    ha_core::event::Severity = "Severity",
    ha_core::host::Hand = "Hand",
    ha_core::event::HostOperation = "HostOperation",
    ha_core::host::LockAnswer = "LockAnswer",
    ha_core::host::FeedOutcome = "FeedOutcome",
    ha_core::host::FenceProgress = "FenceProgress",
    ha_core::host::ProbeProgress = "ProbeProgress",
    ha_core::time::WaitReason = "WaitReason",
    ha_core::lrm::StopRequest = "StopRequest",
}
