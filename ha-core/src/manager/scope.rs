//! Which services a round looks after, while HA is armed and while it is being disarmed.

use crate::status::ServiceState;

/// Which services a round looks after.
pub(super) enum Scope {
    /// None: the round ends.
    Nothing,
    /// All.
    Everything,
    /// Those that must finish something before HA can be disarmed, for as long as they must.
    ///
    /// One that has finished is not sent on its way again: the LRM of its node may have let go of its lock, since all else is
    /// to be left alone, so that nobody would make that move, and the lock of that node would prove nothing.
    Unfinished,
}

/// Whether HA must not be disarmed under a service in this state.
pub(super) fn defers_disarm(state: &ServiceState) -> bool {
    match state {
        ServiceState::Fence | ServiceState::Recovery | ServiceState::Migrate { .. } | ServiceState::Relocate { .. } => {
            true
        }
        ServiceState::Stopped
        | ServiceState::RequestStop { .. }
        | ServiceState::RequestStart
        | ServiceState::RequestStartBalance { .. }
        | ServiceState::Started { .. }
        | ServiceState::Freeze
        | ServiceState::Error => false,
    }
}
