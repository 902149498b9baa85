//! `recovery`: its node was fenced, and a new one is looked for.

use crate::{
    config::RequestedState,
    event::Event,
    host::{self, HostOperation},
    manager::{
        RoundHost,
        round::{Brings, Place, Round},
    },
    placement::Preference,
    status::ServiceState,
};

impl<H: RoundHost + ?Sized> Round<'_, H> {
    pub(super) fn step_recovery(&mut self, service: usize) {
        if self.is_elsewhere(service) || self.start_waits(service) {
            return;
        }
        match self.select(service, Preference::BestScore) {
            Some(place) => self.recover(service, place),
            None => self.wait_for_node(service),
        }
    }

    /// Lets a service go on where its guest is configured, if that is not the node that was fenced. It had left that node
    /// already: a move had ended but was not reported, or an earlier recovery was not written down. Nothing may be taken
    /// from the fenced node then, and the other one was not fenced for it.
    fn is_elsewhere(&mut self, service: usize) -> bool {
        let guest_node = self.guest_node(service);
        let Some((sid, entry)) = self.entry(service) else { return false };
        let Some(to) = guest_node.filter(|node| **node != entry.node) else { return false };
        let event = Event::ServiceLocationFixed { sid: sid.clone(), from: entry.node.clone(), to: to.clone() };
        self.host.event(event);
        // It may have come there live.
        self.expect_guard(to);
        self.change(service, self.wanted_state(service), Brings::Node(to.clone()));
        true
    }

    fn recover(&mut self, service: usize, mut place: Place) {
        let why = place.why.take();
        let to = &place.node;
        let Some((sid, entry)) = self.entry(service) else { return };
        let (sid, from) = (sid.clone(), entry.node.clone());
        // The effects come first: what is reported has happened, and a failed one leaves the service in recovery.
        let lock = self.host.remove_leftover_locks(&sid, &from);
        let Some(lock) = host::answer(self.host, HostOperation::RemoveLeftoverLocks, lock) else { return };
        if from != *to {
            let moved = self.host.move_configuration(&sid, &from, to);
            if host::answer(self.host, HostOperation::MoveConfiguration, moved).is_none() {
                return;
            }
        }
        self.decision(Event::ServiceRecovered { sid: sid.clone(), from, to: to.clone() }, why);
        self.report_drawbacks(service, &place);
        if let Some(lock) = lock {
            self.host.event(Event::ServiceLockRemoved { lock, sid });
        }
        self.go_on(service, place.node);
    }

    fn wait_for_node(&mut self, service: usize) {
        let Some((sid, entry)) = self.entry(service) else { return };
        let event = Event::RecoveryFailed { sid: sid.clone(), node: entry.node.clone() };
        let why = self.why(service, Preference::BestScore);
        self.decision(event, why);
        if self.facts(service).requested == RequestedState::Disabled {
            self.forget_failed_nodes(service);
            self.change(service, ServiceState::Stopped, Brings::Nothing);
        }
    }
}
