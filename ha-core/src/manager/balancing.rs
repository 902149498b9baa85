//! Automatic balancing: a move that the master asks of itself.

use alloc::string::ToString;

use super::{RoundHost, round::Round};
use crate::{event::Event, status::Command};

impl<H: RoundHost + ?Sized> Round<'_, H> {
    /// Queues the move that balances the nodes best, if they need it: with the command line that a person would have typed.
    pub(super) fn balance(&mut self) {
        let config = &self.configuration.datacenter.scheduler;
        let balance = self.placement.balance(&self.status.services, config, self.balance_hold, 0);
        let (Some(imbalance), Some(chosen)) = (balance.imbalance, balance.chosen()) else { return };
        let Some(service) = self.status.services.position(&chosen.leader) else { return };
        self.host.event(Event::AutoRebalance {
            task: chosen.motion,
            sid: chosen.leader.clone(),
            target: chosen.target.clone(),
            imbalance,
            expected_imbalance: chosen.imbalance,
        });
        let command = Command::Move { motion: chosen.motion, sid: chosen.leader.clone(), node: chosen.target.clone() };
        self.queue_motion(&command.to_string(), chosen.motion, service, &chosen.target);
    }
}
