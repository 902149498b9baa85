//! `stopped`: not running, as asked.

use crate::{
    config::RequestedState,
    event::Event,
    manager::{
        RoundHost,
        round::{Brings, Round},
    },
    status::{ExitCode, NodeState, QueuedCommand, ServiceState},
};

impl<H: RoundHost + ?Sized> Round<'_, H> {
    pub(super) fn step_stopped(&mut self, service: usize) {
        self.fix_location(service);
        self.note_seen_stopped(service);
        match self.take_command(service) {
            Some(QueuedCommand::Move { motion, target }) if self.may_move(service, motion, &target) => {
                self.begin_move(service, motion, target);
                return;
            }
            Some(QueuedCommand::Move { .. }) => {}
            Some(QueuedCommand::Stop { .. }) => {
                if let Some((sid, _)) = self.entry(service) {
                    let sid = sid.clone();
                    self.host.event(Event::StopIgnored { sid });
                }
            }
            None => {}
        }
        let requested = self.facts(service).requested;
        if requested == RequestedState::Disabled {
            return;
        }
        let Some(node) = self.entry(service).map(|(_, entry)| entry.node.clone()) else { return };
        if self.status.node_state(&node) != NodeState::Maintenance && self.is_overdue(&node) {
            self.change(service, ServiceState::Fence, Brings::Nothing);
        } else if requested == RequestedState::Started && !self.waits_in_stopped(service) && !self.start_waits(service)
        {
            self.change(service, ServiceState::RequestStart, Brings::Node(node));
        }
    }

    /// Corrects the entry of a service whose guest is on another node than recorded. That happens when its node was
    /// fenced during a move.
    fn fix_location(&mut self, service: usize) {
        let guest_node = self.guest_node(service);
        let Some((sid, entry)) = self.status.services.at_mut(service) else { return };
        let Some(to) = guest_node.filter(|node| **node != entry.node) else { return };
        let from = core::mem::replace(&mut entry.node, to.clone());
        self.host.event(Event::ServiceLocationFixed { sid: sid.clone(), from, to: to.clone() });
        self.update_placement(service);
        // The request was for the LRM of the other node.
        self.renew_uid(service);
        self.expect_guard_where_it_may_run(service);
    }

    /// A service that came here from `error` is known to be stopped once its LRM has said so.
    fn note_seen_stopped(&mut self, service: usize) {
        let Some((sid, _)) = self.status.services.at(service) else { return };
        if self.status.may_run.contains(sid) && self.result(service) == Some(ExitCode::SUCCESS) {
            let sid = sid.clone();
            self.status.may_run.remove(&sid);
        }
    }
}
