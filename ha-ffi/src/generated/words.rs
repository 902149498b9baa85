// Made by `cargo xtask generate` (tools/bindings): change what it is made from.
//! The words of the core as numbers for C.

use std::ffi::c_char;

use crate::words::{Number, numbers, word};

/// What a person asks for a service.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ha_requested_state {
    /// Keep it running, recover it when its node fails.
    HA_REQUESTED_STARTED = 1,
    /// Keep it stopped, but still move it off a failed node.
    HA_REQUESTED_STOPPED = 2,
    /// Keep it stopped and leave it where it is. The only way out of the state `error`.
    HA_REQUESTED_DISABLED = 3,
    /// Act as if it were not managed at all.
    HA_REQUESTED_IGNORED = 4,
}

numbers! {
    ha_requested_state: ha_core::config::RequestedState,
    HA_REQUESTED_STARTED = Started "started",
    HA_REQUESTED_STOPPED = Stopped "stopped",
    HA_REQUESTED_DISABLED = Disabled "disabled",
    HA_REQUESTED_IGNORED = Ignored "ignored",
}

/// The word for a ha_requested_state, as the records and events have it; NULL for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn ha_requested_state_name(value: i32) -> *const c_char {
    word::<ha_core::config::RequestedState>(value)
}

/// What is asked of placement.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ha_preference {
    /// Stay where it is if that is allowed: every round, for a running service.
    HA_PREFER_NONE = 1,
    /// The best node: for recovery and start.
    HA_PREFER_BEST = 2,
    /// The best node on which its start has not failed yet.
    HA_PREFER_NEXT = 3,
}

numbers! {
    ha_preference: ha_core::placement::Preference,
    HA_PREFER_NONE = None "none",
    HA_PREFER_BEST = BestScore "best_score",
    HA_PREFER_NEXT = TryNext "try_next",
}

/// The word for a ha_preference, as the records and events have it; NULL for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn ha_preference_name(value: i32) -> *const c_char {
    word::<ha_core::placement::Preference>(value)
}

/// What decided a placement.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ha_decider {
    /// It may stay, and does not fail back.
    HA_DECIDED_BY_NO_FAILBACK = 1,
    /// It returns to the node that it left for maintenance.
    HA_DECIDED_BY_MAINTENANCE_NODE = 2,
    /// It may stay where it is.
    HA_DECIDED_BY_STAY = 3,
    /// The lowest load, or the only node left.
    HA_DECIDED_BY_LOWEST_LOAD = 4,
    /// The node after the present one in the order of load.
    HA_DECIDED_BY_NEXT_IN_ORDER = 5,
    /// The rules leave no online node.
    HA_DECIDED_BY_NOTHING_ALLOWED = 6,
    /// Nothing was left.
    HA_DECIDED_BY_NOTHING_LEFT = 7,
}

numbers! {
    ha_decider: ha_core::placement::Decider,
    HA_DECIDED_BY_NO_FAILBACK = NoFailback "no_failback",
    HA_DECIDED_BY_MAINTENANCE_NODE = MaintenanceNode "maintenance_node",
    HA_DECIDED_BY_STAY = Stay "stay",
    HA_DECIDED_BY_LOWEST_LOAD = LowestLoad "lowest_load",
    HA_DECIDED_BY_NEXT_IN_ORDER = NextInOrder "next_in_order",
    HA_DECIDED_BY_NOTHING_ALLOWED = NothingAllowed "nothing_allowed",
    HA_DECIDED_BY_NOTHING_LEFT = NothingLeft "nothing_left",
}

/// The word for a ha_decider, as the records and events have it; NULL for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn ha_decider_name(value: i32) -> *const c_char {
    word::<ha_core::placement::Decider>(value)
}

/// What the master knows of a node.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ha_node_state {
    /// In the quorate partition.
    HA_NODE_ONLINE = 1,
    /// In the quorate partition, but it takes no services.
    HA_NODE_MAINTENANCE = 2,
    /// Not in the quorate partition; it may still run services.
    HA_NODE_UNKNOWN = 3,
    /// It must be fenced.
    HA_NODE_FENCE = 4,
    /// No longer a member of the cluster.
    HA_NODE_GONE = 5,
}

numbers! {
    ha_node_state: ha_core::status::NodeState,
    HA_NODE_ONLINE = Online "online",
    HA_NODE_MAINTENANCE = Maintenance "maintenance",
    HA_NODE_UNKNOWN = Unknown "unknown",
    HA_NODE_FENCE = Fence "fence",
    HA_NODE_GONE = Gone "gone",
}

/// The word for a ha_node_state, as the records and events have it; NULL for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn ha_node_state_name(value: i32) -> *const c_char {
    word::<ha_core::status::NodeState>(value)
}

/// The state that a service shall be in, without its data (`ServiceState` has that). It also names the commands of jobs.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ha_service_state {
    /// Not running, as asked.
    HA_SERVICE_STOPPED = 1,
    /// To be stopped.
    HA_SERVICE_REQUEST_STOP = 2,
    /// To be started, with no node decided yet.
    HA_SERVICE_REQUEST_START = 3,
    /// To be moved to a better node, stopped, before its first start.
    HA_SERVICE_REQUEST_START_BALANCE = 4,
    /// To be running.
    HA_SERVICE_STARTED = 5,
    /// Its node failed and must be fenced.
    HA_SERVICE_FENCE = 6,
    /// Its node is known to be down; a new one is looked for.
    HA_SERVICE_RECOVERY = 7,
    /// Moves live.
    HA_SERVICE_MIGRATE = 8,
    /// Is stopped, moved, and started again.
    HA_SERVICE_RELOCATE = 9,
    /// Left alone while its LRM restarts or HA is disarmed.
    HA_SERVICE_FREEZE = 10,
    /// Failed for good: a person is needed.
    HA_SERVICE_ERROR = 11,
}

numbers! {
    ha_service_state: ha_core::status::StateName,
    HA_SERVICE_STOPPED = Stopped "stopped",
    HA_SERVICE_REQUEST_STOP = RequestStop "request_stop",
    HA_SERVICE_REQUEST_START = RequestStart "request_start",
    HA_SERVICE_REQUEST_START_BALANCE = RequestStartBalance "request_start_balance",
    HA_SERVICE_STARTED = Started "started",
    HA_SERVICE_FENCE = Fence "fence",
    HA_SERVICE_RECOVERY = Recovery "recovery",
    HA_SERVICE_MIGRATE = Migrate "migrate",
    HA_SERVICE_RELOCATE = Relocate "relocate",
    HA_SERVICE_FREEZE = Freeze "freeze",
    HA_SERVICE_ERROR = Error "error",
}

/// The word for a ha_service_state, as the records and events have it; NULL for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn ha_service_state_name(value: i32) -> *const c_char {
    word::<ha_core::status::StateName>(value)
}

/// The two ways to move a service.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ha_motion {
    /// Live, without a stop where the agent can.
    HA_MOTION_MIGRATE = 1,
    /// Stop, move, start.
    HA_MOTION_RELOCATE = 2,
}

numbers! {
    ha_motion: ha_core::status::Motion,
    HA_MOTION_MIGRATE = Migrate "migrate",
    HA_MOTION_RELOCATE = Relocate "relocate",
}

/// The word for a ha_motion, as the records and events have it; NULL for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn ha_motion_name(value: i32) -> *const c_char {
    word::<ha_core::status::Motion>(value)
}

/// What happens to the services while HA is disarmed.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ha_disarm_mode {
    /// They are left as they are.
    HA_DISARM_FREEZE = 1,
    /// They are treated as if not managed.
    HA_DISARM_IGNORE = 2,
}

numbers! {
    ha_disarm_mode: ha_core::status::DisarmMode,
    HA_DISARM_FREEZE = Freeze "freeze",
    HA_DISARM_IGNORE = Ignore "ignore",
}

/// The word for a ha_disarm_mode, as the records and events have it; NULL for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn ha_disarm_mode_name(value: i32) -> *const c_char {
    word::<ha_core::status::DisarmMode>(value)
}

/// The state of an LRM.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ha_lrm_state {
    /// Nothing to do, or not allowed to.
    HA_LRM_WAIT_FOR_AGENT_LOCK = 1,
    /// Holds its lock and looks after its services.
    HA_LRM_ACTIVE = 2,
    /// Holds its lock and gives its services away.
    HA_LRM_MAINTENANCE = 3,
    /// Has lost its lock; the watchdog resets the node.
    HA_LRM_LOST_AGENT_LOCK = 4,
}

numbers! {
    ha_lrm_state: ha_core::status::LrmState,
    HA_LRM_WAIT_FOR_AGENT_LOCK = WaitForAgentLock "wait_for_agent_lock",
    HA_LRM_ACTIVE = Active "active",
    HA_LRM_MAINTENANCE = Maintenance "maintenance",
    HA_LRM_LOST_AGENT_LOCK = LostAgentLock "lost_agent_lock",
}

/// The word for a ha_lrm_state, as the records and events have it; NULL for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn ha_lrm_state_name(value: i32) -> *const c_char {
    word::<ha_core::status::LrmState>(value)
}

/// What an LRM has been asked to be.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ha_lrm_mode {
    /// Working.
    HA_LRM_MODE_ACTIVE = 1,
    /// About to restart: its services are frozen meanwhile.
    HA_LRM_MODE_RESTART = 2,
    /// About to stop with its node.
    HA_LRM_MODE_SHUTDOWN = 3,
    /// Giving its services away and taking none.
    HA_LRM_MODE_MAINTENANCE = 4,
    /// Letting go of its lock and watchdog.
    HA_LRM_MODE_DISARM = 5,
    /// The node's record is gone.
    HA_LRM_MODE_UNKNOWN = 6,
}

numbers! {
    ha_lrm_mode: ha_core::status::LrmMode,
    HA_LRM_MODE_ACTIVE = Active "active",
    HA_LRM_MODE_RESTART = Restart "restart",
    HA_LRM_MODE_SHUTDOWN = Shutdown "shutdown",
    HA_LRM_MODE_MAINTENANCE = Maintenance "maintenance",
    HA_LRM_MODE_DISARM = Disarm "disarm",
    HA_LRM_MODE_UNKNOWN = Unknown "unknown",
}

/// The word for a ha_lrm_mode, as the records and events have it; NULL for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn ha_lrm_mode_name(value: i32) -> *const c_char {
    word::<ha_core::status::LrmMode>(value)
}

/// The states of both daemons, as `Event.DaemonState` names them.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ha_daemon_state {
    /// Before the first state.
    HA_DAEMON_STARTUP = 1,
    /// CRM: not healthy, or nothing to do.
    HA_DAEMON_WAIT_FOR_QUORUM = 2,
    /// CRM: another node is master.
    HA_DAEMON_SLAVE = 3,
    /// CRM: this node decides.
    HA_DAEMON_MASTER = 4,
    /// CRM: was master, and could not renew its lock.
    HA_DAEMON_LOST_MANAGER_LOCK = 5,
    /// LRM: nothing to do, or not allowed to.
    HA_DAEMON_WAIT_FOR_AGENT_LOCK = 6,
    /// LRM: looks after its services.
    HA_DAEMON_ACTIVE = 7,
    /// LRM: gives its services away.
    HA_DAEMON_MAINTENANCE = 8,
    /// LRM: could not renew its lock, or must be fenced.
    HA_DAEMON_LOST_AGENT_LOCK = 9,
}

numbers! {
    ha_daemon_state: ha_core::event::DaemonState,
    HA_DAEMON_STARTUP = Startup "startup",
    HA_DAEMON_WAIT_FOR_QUORUM = WaitForQuorum "wait_for_quorum",
    HA_DAEMON_SLAVE = Slave "slave",
    HA_DAEMON_MASTER = Master "master",
    HA_DAEMON_LOST_MANAGER_LOCK = LostManagerLock "lost_manager_lock",
    HA_DAEMON_WAIT_FOR_AGENT_LOCK = WaitForAgentLock "wait_for_agent_lock",
    HA_DAEMON_ACTIVE = Active "active",
    HA_DAEMON_MAINTENANCE = Maintenance "maintenance",
    HA_DAEMON_LOST_AGENT_LOCK = LostAgentLock "lost_agent_lock",
}

/// The word for a ha_daemon_state, as the records and events have it; NULL for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn ha_daemon_state_name(value: i32) -> *const c_char {
    word::<ha_core::event::DaemonState>(value)
}

/// How much an event matters to a person who watches, in rising order.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ha_severity {
    /// All goes as planned.
    HA_SEVERITY_INFO = 1,
    /// A change that a person may want to know of.
    HA_SEVERITY_NOTICE = 2,
    /// Something failed and is dealt with.
    HA_SEVERITY_WARNING = 3,
    /// A service is down, a node is being reset, or a person is needed.
    HA_SEVERITY_ERROR = 4,
}

numbers! {
    ha_severity: ha_core::event::Severity,
    HA_SEVERITY_INFO = Info "info",
    HA_SEVERITY_NOTICE = Notice "notice",
    HA_SEVERITY_WARNING = Warning "warning",
    HA_SEVERITY_ERROR = Error "error",
}

/// The word for a ha_severity, as the records and events have it; NULL for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn ha_severity_name(value: i32) -> *const c_char {
    word::<ha_core::event::Severity>(value)
}

/// By whose hand a record that names this node was written, as far as the process that asks can *prove* it.
///
/// A process knows its own hand by remembering what it has written: each write carries something that no other one has
/// (random bytes with the count and the clock), so that what is there is its own only if it is one of the writes that it made, or
/// tried to make without learning what came of it. Machine and boot alone prove nothing: a snapshot that is resumed
/// twice has both of them twice.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ha_hand {
    /// This process has written exactly that.
    HA_HAND_OWN = 1,
    /// A process before it on the same boot of the same machine has written exactly that, and is proven to be gone: this
    /// one holds an exclusive lock that the other one held all its life, and has what that one left there about its
    /// writes.
    HA_HAND_PREDECESSOR = 2,
    /// Anybody else, or it is not known.
    HA_HAND_ANOTHER = 3,
}

numbers! {
    ha_hand: ha_core::host::Hand,
    HA_HAND_OWN = Own "own",
    HA_HAND_PREDECESSOR = Predecessor "predecessor",
    HA_HAND_ANOTHER = Another "another",
}

/// The word for a ha_hand, as the records and events have it; NULL for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn ha_hand_name(value: i32) -> *const c_char {
    word::<ha_core::host::Hand>(value)
}

/// Why an LRM is asked to stop.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ha_stop_request {
    /// The daemon alone is restarted, for an upgrade say.
    HA_STOP_RESTART = 1,
    /// The node is about to reboot.
    HA_STOP_NODE_REBOOT = 2,
    /// The node is about to shut down.
    HA_STOP_NODE_SHUTDOWN = 3,
}

numbers! {
    ha_stop_request: ha_core::lrm::StopRequest,
    HA_STOP_RESTART = Restart "restart",
    HA_STOP_NODE_REBOOT = NodeReboot "node_reboot",
    HA_STOP_NODE_SHUTDOWN = NodeShutdown "node_shutdown",
}

/// The word for a ha_stop_request, as the records and events have it; NULL for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn ha_stop_request_name(value: i32) -> *const c_char {
    word::<ha_core::lrm::StopRequest>(value)
}

#[cfg(test)]
mod tests {
    use crate::words::check;

    #[test]
    fn every_value_has_its_number_and_its_word() {
        check(ha_core::config::RequestedState::ALL);
        check(ha_core::placement::Preference::ALL);
        check(ha_core::placement::Decider::ALL);
        check(ha_core::status::NodeState::ALL);
        check(ha_core::status::StateName::ALL);
        check(ha_core::status::Motion::ALL);
        check(ha_core::status::DisarmMode::ALL);
        check(ha_core::status::LrmState::ALL);
        check(ha_core::status::LrmMode::ALL);
        check(ha_core::event::DaemonState::ALL);
        check(ha_core::event::Severity::ALL);
        check(ha_core::host::Hand::ALL);
        check(ha_core::lrm::StopRequest::ALL);
    }
}
