//! `migrate`, `relocate` and `request_start_balance`: on the way to another node.

use crate::{
    event::Event,
    manager::{RoundHost, round::Round},
    status::{ExitCode, ServiceState},
};

impl<H: RoundHost + ?Sized> Round<'_, H> {
    pub(super) fn step_moving(&mut self, service: usize) {
        let Some((sid, entry)) = self.entry(service) else { return };
        let Some(target) = entry.state.target().cloned() else { return };
        let (sid, present) = (sid.clone(), entry.node.clone());
        let is_migration = matches!(entry.state, ServiceState::Migrate { .. });
        let Some(result) = self.result(service) else {
            self.fence_if_overdue(service);
            return;
        };
        let node = match result {
            ExitCode::SUCCESS => {
                self.note_move(&sid, true);
                // Its LRM may have let go of the lock since the move began, or the node may have been reset.
                if is_migration {
                    self.expect_running_service(&target);
                }
                target
            }
            ExitCode::WRONG_NODE => {
                self.host.event(Event::MoveFailedWrongNode { sid });
                self.fail(service);
                return;
            }
            ExitCode::IGNORED => {
                self.host.event(Event::StartBalanceIgnored { sid });
                present
            }
            ExitCode(exit_code) => {
                self.note_move(&sid, false);
                let (node, guest_node) = (Some(present.clone()), self.guest_node(service).cloned());
                let went = guest_node.clone().filter(|to| *to == target);
                self.host.event(Event::MoveFailed { sid, exit_code, node, target: Some(target), guest_node });
                // Only the answer failed. Until its LRM is told, the target may be shut down without looking after it.
                if let Some(to) = &went
                    && is_migration
                {
                    self.expect_running_service(to);
                }
                went.unwrap_or(present)
            }
        };
        self.go_on(service, node);
    }
}
