//! What is asked of a host, as events name it.

use crate::text_enum::text_enum;

/// The calls of a host that can fail, as [`Event::HostCallFailed`](super::Event::HostCallFailed) names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HostOperation {
    /// [`Membership::refresh`](crate::host::Membership::refresh).
    Refresh,
    /// [`Membership::members`](crate::host::Membership::members).
    Members,
    /// [`ClusterLock::take`](crate::host::ClusterLock::take).
    TakeLock,
    /// [`ClusterLock::release`](crate::host::ClusterLock::release).
    ReleaseLock,
    /// [`Watchdog::open`](crate::host::Watchdog::open).
    OpenWatchdog,
    /// [`Watchdog::feed`](crate::host::Watchdog::feed).
    FeedWatchdog,
    /// [`Watchdog::close`](crate::host::Watchdog::close).
    CloseWatchdog,
    /// [`StatusStore::manager_status`](crate::host::StatusStore::manager_status).
    ReadManagerStatus,
    /// [`ManagerStore::write_manager_status`](crate::host::ManagerStore::write_manager_status).
    WriteManagerStatus,
    /// [`StatusStore::lrm_status`](crate::host::StatusStore::lrm_status).
    ReadLrmStatus,
    /// [`LrmStore::write_lrm_status`](crate::host::LrmStore::write_lrm_status).
    WriteLrmStatus,
    /// [`ConfigurationStore::configuration`](crate::host::ConfigurationStore::configuration).
    ReadConfiguration,
    /// [`ManagerStore::commands_waiting`](crate::host::ManagerStore::commands_waiting) and [`ManagerStore::take_commands`](crate::host::ManagerStore::take_commands).
    Commands,
    /// [`GuestControl::move_configuration`](crate::host::GuestControl::move_configuration).
    MoveConfiguration,
    /// [`GuestControl::remove_leftover_locks`](crate::host::GuestControl::remove_leftover_locks).
    RemoveLeftoverLocks,
    /// [`GuestControl::set_requested_state`](crate::host::GuestControl::set_requested_state).
    SetRequestedState,
    /// [`GuestControl::write_group_migration`](crate::host::GuestControl::write_group_migration) and [`GuestControl::remove_groups`](crate::host::GuestControl::remove_groups).
    MigrateGroups,
    /// [`GuestControl::software_version`](crate::host::GuestControl::software_version).
    SoftwareVersion,
    /// [`FenceDevices::run`](crate::host::FenceDevices::run).
    RunFenceDevice,
    /// [`FenceDevices::forget_fence_attempts`](crate::host::FenceDevices::forget_fence_attempts).
    ForgetFenceAttempts,
    /// [`Statistics::unmanaged_services`](crate::host::Statistics::unmanaged_services) and [`Statistics::usage`](crate::host::Statistics::usage).
    Statistics,
    /// [`Entropy::random_bytes`](crate::host::Entropy::random_bytes).
    RandomBytes,
    /// [`Workers::start`](crate::host::Workers::start).
    StartJob,
    /// [`Workers::finished`](crate::host::Workers::finished).
    FinishedJobs,
    /// [`Workers::time_limit`](crate::host::Workers::time_limit).
    JobTimeLimit,
    /// [`Workers::end`](crate::host::Workers::end).
    EndJob,
    /// [`Workers::guest_lock`](crate::host::Workers::guest_lock).
    GuestLock,
    /// [`Workers::probe`](crate::host::Workers::probe).
    Probe,
    /// [`Agent::guest_node`](crate::host::Agent::guest_node).
    LocateGuest,
    /// [`Agent::is_running`](crate::host::Agent::is_running).
    CheckRunning,
    /// [`Agent::start`](crate::host::Agent::start).
    StartService,
    /// [`Agent::stop`](crate::host::Agent::stop).
    StopService,
    /// [`Agent::move_to`](crate::host::Agent::move_to).
    MoveService,
}

text_enum! {
    HostOperation: "a call of the host",
    Refresh = "refresh",
    Members = "members",
    TakeLock = "take_lock",
    ReleaseLock = "release_lock",
    OpenWatchdog = "open_watchdog",
    FeedWatchdog = "feed_watchdog",
    CloseWatchdog = "close_watchdog",
    ReadManagerStatus = "read_manager_status",
    WriteManagerStatus = "write_manager_status",
    ReadLrmStatus = "read_lrm_status",
    WriteLrmStatus = "write_lrm_status",
    ReadConfiguration = "read_configuration",
    Commands = "commands",
    MoveConfiguration = "move_configuration",
    RemoveLeftoverLocks = "remove_leftover_locks",
    SetRequestedState = "set_requested_state",
    MigrateGroups = "migrate_groups",
    SoftwareVersion = "software_version",
    RunFenceDevice = "run_fence_device",
    ForgetFenceAttempts = "forget_fence_attempts",
    Statistics = "statistics",
    RandomBytes = "random_bytes",
    StartJob = "start_job",
    FinishedJobs = "finished_jobs",
    JobTimeLimit = "job_time_limit",
    EndJob = "end_job",
    GuestLock = "guest_lock",
    Probe = "probe",
    LocateGuest = "locate_guest",
    CheckRunning = "check_running",
    StartService = "start_service",
    StopService = "stop_service",
    MoveService = "move_service",
}
