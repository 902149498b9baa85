//! Disarming: letting go of all watchdogs without touching the services.

use super::{
    RoundHost,
    round::Round,
    scope::{Scope, defers_disarm},
};
use crate::{
    event::Event,
    status::{DisarmMode, DisarmState, LrmMode, NodeState, ServiceState},
};

impl<H: RoundHost + ?Sized> Round<'_, H> {
    /// Goes on with disarming, if that was asked for.
    pub(super) fn handle_disarm(&mut self) -> Scope {
        let Some(disarm) = &self.status.disarm else { return Scope::Everything };
        let mode = disarm.mode;
        if self.defer_disarm() {
            return Scope::Unfinished;
        }
        match mode {
            DisarmMode::Freeze => self.freeze_services(),
            DisarmMode::Ignore => self.strip_services(),
        }
        self.note_if_disarmed();
        Scope::Nothing
    }

    /// Says which services HA must not be disarmed under, and whether there are any.
    fn defer_disarm(&mut self) -> bool {
        let mut is_deferred = false;
        for (sid, entry) in self.status.services.iter().filter(|(_, entry)| defers_disarm(&entry.state)) {
            is_deferred = true;
            self.host.event(Event::DisarmDeferred { sid: sid.clone(), state: entry.state.name() });
        }
        is_deferred
    }

    fn freeze_services(&mut self) {
        for service in 0..self.status.services.len() {
            let uid = self.new_uid();
            let Some((sid, entry)) = self.status.services.at_mut(service) else { continue };
            match entry.state {
                ServiceState::Started { .. }
                | ServiceState::Stopped
                | ServiceState::RequestStop { .. }
                | ServiceState::RequestStart
                | ServiceState::RequestStartBalance { .. } => {}
                ServiceState::Fence
                | ServiceState::Recovery
                | ServiceState::Migrate { .. }
                | ServiceState::Relocate { .. }
                | ServiceState::Freeze
                | ServiceState::Error => continue,
            }
            self.host.event(Event::DisarmFrozeService { sid: sid.clone(), was: entry.state.name() });
            entry.state = ServiceState::Freeze;
            self.status.may_run.remove(sid);
            entry.uid = Some(uid);
            entry.failed_nodes.clear();
            entry.command = None;
        }
    }

    /// Leaves of every entry its state, node, request id and maintenance node. A state that can't be without its target
    /// goes back to the one before it.
    fn strip_services(&mut self) {
        for (_, entry) in self.status.services.iter_mut() {
            entry.failed_nodes.clear();
            entry.command = None;
            match &mut entry.state {
                ServiceState::Started { confirmed } => *confirmed = false,
                ServiceState::RequestStop { timeout } => *timeout = None,
                ServiceState::RequestStartBalance { .. } => entry.state = ServiceState::RequestStart,
                ServiceState::Stopped
                | ServiceState::RequestStart
                | ServiceState::Fence
                | ServiceState::Recovery
                | ServiceState::Migrate { .. }
                | ServiceState::Relocate { .. }
                | ServiceState::Freeze
                | ServiceState::Error => {}
            }
        }
    }

    fn note_if_disarmed(&mut self) {
        let online = self.status.nodes.iter().filter(|(_, state)| **state == NodeState::Online);
        let all_disarmed = online.map(|(node, _)| self.input.lrm_mode(node)).all(|mode| mode == LrmMode::Disarm);
        if let Some(disarm) = &mut self.status.disarm
            && all_disarmed
            && disarm.state != DisarmState::Disarmed
        {
            disarm.state = DisarmState::Disarmed;
            self.host.event(Event::Disarmed);
        }
    }
}
