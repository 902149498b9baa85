//! Bounds on how many services start and move at once in the whole cluster (M25).

use alloc::collections::BTreeSet;

use super::{
    RoundHost,
    round::Round,
    traffic::{Room, Traffic, TrafficHistory},
};
use crate::{
    config::RequestedState,
    event::Event,
    placement::Preference,
    status::{NodeState, QueuedCommand},
};

impl<H: RoundHost + ?Sized> Round<'_, H> {
    /// Finds out how many services may start and move beside those that do already.
    pub(super) fn make_room(&mut self) {
        let datacenter = &self.configuration.datacenter;
        let (max_starts, max_moves) = (datacenter.max_starts, datacenter.max_moves);
        let waited_to_start = core::mem::take(&mut self.status.waiting_starts);
        let waited_to_move = core::mem::take(&mut self.status.waiting_moves);
        if max_starts.is_none() && max_moves.is_none() {
            *self.traffic = TrafficHistory::default();
            return;
        }
        let mut room = Room {
            starts: max_starts,
            moves: max_moves,
            being_left: BTreeSet::new(),
            waited: (waited_to_start, waited_to_move),
        };
        let before = core::mem::take(&mut self.traffic.since);
        let now = self.input.now.instant;
        for service in 0..self.status.services.len() {
            let Some((sid, entry)) = self.entry(service) else { continue };
            let Some(traffic) = Traffic::of(&entry.state).filter(|_| self.result(service).is_none()) else { continue };
            let known = before.get(sid).filter(|(known, _)| *known == traffic);
            let since = known.map_or(now, |(_, since)| *since);
            if now.since(since) < traffic.counts_for() && self.status.is_there(&entry.node) {
                room.take(traffic, &entry.node);
            }
            let sid = sid.clone();
            self.traffic.since.insert(sid, (traffic, since));
        }
        self.traffic.room = room;
    }

    /// Whether a service that is to run has to wait before it is started.
    ///
    /// One that may run already does not: it must not be left without a guard.
    pub(super) fn start_waits(&mut self, service: usize) -> bool {
        if self.traffic.room.starts != Some(0) || self.facts(service).requested != RequestedState::Started {
            return false;
        }
        let Some((sid, _)) = self.entry(service) else { return false };
        if self.status.may_run.contains(sid) {
            return false;
        }
        let sid = sid.clone();
        if self.status.waiting_starts.insert(sid.clone()) && !self.traffic.room.waited.0.contains(&sid) {
            let max = self.configuration.datacenter.max_starts.unwrap_or(0);
            self.host.event(Event::StartHeldBack { sid, max });
        }
        true
    }

    /// Whether a service that a command asks to move has to wait for that. The command waits with it.
    pub(super) fn command_waits(&mut self, service: usize) -> bool {
        let Some((_, entry)) = self.entry(service) else { return false };
        match entry.command.as_deref() {
            Some(QueuedCommand::Move { .. }) => self.move_waits(service),
            Some(QueuedCommand::Stop { .. }) | None => false,
        }
    }

    /// Whether a service that placement would move has to wait for that. After a start that failed it does not: it is down.
    pub(super) fn placement_waits(&mut self, service: usize, preference: Preference) -> bool {
        match preference {
            Preference::None => self.move_waits(service),
            Preference::BestScore | Preference::TryNext => false,
        }
    }

    fn move_waits(&mut self, service: usize) -> bool {
        if self.traffic.room.moves != Some(0) {
            return false;
        }
        let Some((sid, entry)) = self.entry(service) else { return false };
        // From each node that is to be emptied one may always go, so that none of them stands still for another one.
        let is_first_to_leave = self.status.node_state(&entry.node) == NodeState::Maintenance
            && !self.traffic.room.being_left.contains(&entry.node);
        // What must be together moves together: what waited could bring the others back.
        let follows = self.placement.together_with(service).any(|other| self.is_moving(other));
        if is_first_to_leave || follows {
            return false;
        }
        let sid = sid.clone();
        if self.status.waiting_moves.insert(sid.clone()) && !self.traffic.room.waited.1.contains(&sid) {
            let max = self.configuration.datacenter.max_moves.unwrap_or(0);
            self.host.event(Event::MoveHeldBack { sid, max });
        }
        true
    }

    fn is_moving(&self, service: usize) -> bool {
        self.entry(service).is_some_and(|(_, entry)| Traffic::of(&entry.state) == Some(Traffic::Move))
    }

    /// A service has changed its state: it waits for nothing of this any more, and may start or move where it did not `before`.
    pub(super) fn note_traffic(&mut self, service: usize, before: Option<Traffic>) {
        let Some((sid, entry)) = self.status.services.at(service) else { return };
        self.status.waiting_starts.remove(sid);
        self.status.waiting_moves.remove(sid);
        if let Some(traffic) = Traffic::of(&entry.state)
            && Some(traffic) != before
        {
            self.traffic.room.take(traffic, &entry.node);
        }
    }
}
