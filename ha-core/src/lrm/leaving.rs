//! Exiting, once services are safe.

use super::{Flow, Lrm};
use crate::{
    host::LrmHost,
    status::{LrmMode, LrmState},
    time::{Next, Now},
};

impl Lrm {
    /// Whether an active LRM that was asked to stop is done: on a restart all services must be frozen, and before maintenance
    /// (it may have lost its lock meanwhile, and be active again) all must have moved away.
    pub(super) fn may_exit(&self) -> bool {
        self.queue.is_empty() && (self.leaves_services() || !self.has_active_services())
    }

    fn leaves_services(&self) -> bool {
        self.stops_all
            || (self.state == LrmState::LostAgentLock && self.goes_down())
            || !matches!(self.mode, LrmMode::Restart | LrmMode::Maintenance)
    }

    /// Exits, unless that has to wait. Where a service may still run the watchdog is left to reset the node.
    pub(super) fn leave(&mut self, host: &mut (impl LrmHost + ?Sized), now: Now) -> Option<Next> {
        if self.final_stops.any_failed() {
            self.report_left_running(host);
            return Some(self.exit());
        }
        if self.leaves_services() {
            // What a master has sent here before it reads this is seen right after, and must not be left to run.
            if !self.tells_that_it_leaves(host, now) || !self.read_status(host) {
                return None;
            }
            if self.queue_final_stops(now.instant) || self.expects_running_service() {
                return None;
            }
        } else if self.mode == LrmMode::Maintenance && !self.tells_that_it_leaves(host, now) {
            return None;
        }
        if self.mode == LrmMode::Restart && !self.stays_frozen(host, now) {
            return None;
        }
        // A lock may have kept a last stop from its guest.
        if self.goes_down() && self.queue_final_stops(now.instant) {
            return None;
        }
        if !self.close_watchdog(host, now) {
            return None;
        }
        self.lease.release(host);
        Some(self.exit())
    }

    /// Says in its last record that it has let go: a master that reads it takes the node for unguarded. Otherwise one that finds a guest
    /// here later, which somebody moved, would take the lock of this node for a proof that the guest is down. Gives whether it could.
    pub(super) fn tells_that_it_leaves(&mut self, host: &mut (impl LrmHost + ?Sized), now: Now) -> bool {
        self.write_record_as(LrmState::WaitForAgentLock, host, now) || !host.is_quorate()
    }

    /// Renews its lock though it has nothing to look after, and tries again later what has to be done before it can leave.
    pub(super) fn keep_lock(&mut self, host: &mut (impl LrmHost + ?Sized), now: Now) -> Flow {
        match self.ask_for_lock(host, now) {
            Flow::Stage(_) => Flow::Over(self.again_after_wait(now)),
            flow @ (Flow::Wait(..) | Flow::Over(_)) => flow,
        }
    }

    /// Whether all services are frozen yet, looked at again once its record says that it restarts: a master that reads that thaws
    /// nothing here. One that has read the record before may thaw right now what was frozen for another reason, and takes the node for
    /// unguarded until it reads something better than a restart.
    pub(super) fn stays_frozen(&mut self, host: &mut (impl LrmHost + ?Sized), now: Now) -> bool {
        self.write_record(host, now);
        self.told_mode == Some(LrmMode::Restart)
            && (self.read_status(host) || !host.is_quorate())
            && !self.has_active_services()
    }
}
