//! Automatic balancing: moves that the master itself asks for.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::ToString,
    vec::Vec,
};
use core::time::Duration;

use super::{RoundHost, commands::Given, round::Round};
use crate::{
    event::Event,
    id::{NodeName, ServiceId},
    placement::Shortfall,
    status::Command,
    time::Instant,
};

/// How many moves of a service must fail in a row before balancing leaves it alone.
const TRIES: u32 = 3;
/// For how long it does then; twice as long after each further failure.
const FIRST_PAUSE: Duration = Duration::from_secs(60 * 60);
/// The longest of these pauses.
const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 60 * 60);

/// The services whose last moves failed. A new master begins with none, so it finds out by itself.
#[derive(Debug, Clone, Default)]
pub(super) struct FailedMoves {
    of_service: BTreeMap<ServiceId, Failures>,
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    /// Until when balancing leaves it alone.
    until: Instant,
}

impl FailedMoves {
    /// A move has failed. Says for how long balancing leaves the service alone, if it does, and after how many failures.
    fn note(&mut self, sid: &ServiceId, now: Instant) -> Option<(u32, Duration)> {
        let failures = self.of_service.entry(sid.clone()).or_insert(Failures { count: 0, until: now });
        failures.count = failures.count.saturating_add(1);
        let doubled = failures.count.checked_sub(TRIES)?;
        let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(doubled)).min(LONGEST_PAUSE);
        failures.until = now.after(pause);
        Some((failures.count, pause))
    }

    fn forget(&mut self, sid: &ServiceId) {
        self.of_service.remove(sid);
    }

    /// Whether the last move of a service failed.
    pub(super) fn failed_last(&self, sid: &ServiceId) -> bool {
        self.of_service.contains_key(sid)
    }

    fn suspended(&self, now: Instant) -> impl Iterator<Item = &ServiceId> {
        self.of_service.iter().filter(move |(_, failures)| failures.until > now).map(|(sid, _)| sid)
    }
}

/// The services and nodes whose figures could not be used in the last round: each is reported when that begins.
#[derive(Debug, Clone, Default)]
pub(super) struct MissingFigures {
    services: BTreeSet<ServiceId>,
    nodes: BTreeSet<NodeName>,
}

impl MissingFigures {
    /// The events for what is missing now and was not before.
    pub(super) fn update(&mut self, shortfall: &Shortfall) -> Vec<Event> {
        let mut now = Self::default();
        let mut events = Vec::new();
        for problem in &shortfall.lacking {
            let (sid, node) = (problem.sid().cloned(), problem.node().cloned());
            let known = sid.as_ref().is_some_and(|sid| self.services.contains(sid))
                || node.as_ref().is_some_and(|node| self.nodes.contains(node));
            now.services.extend(sid.clone());
            now.nodes.extend(node.clone());
            if !known {
                events.push(Event::FiguresMissing { sid, node, reason: problem.to_string() });
            }
        }
        *self = now;
        events
    }
}

impl<H: RoundHost + ?Sized> Round<'_, H> {
    /// Queues the move that balances the nodes best, if they need it: with the command line that a person would have typed.
    pub(super) fn balance(&mut self) {
        let config = &self.configuration.datacenter.scheduler;
        let now = self.input.now.instant;
        let suspended: BTreeSet<usize> =
            self.failed_moves.suspended(now).filter_map(|sid| self.status.services.position(sid)).collect();
        let facts = &self.facts;
        let may_move = |service: usize| {
            facts.get(service).is_none_or(|facts| facts.auto_rebalance) && !suspended.contains(&service)
        };
        let balance = self.placement.balance(&self.status.services, config, &may_move, self.balance_hold, 0);
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
        let line = command.to_string();
        self.queue_motion(Given { line: &line, by: None }, chosen.motion, service, &chosen.target);
    }

    /// Takes note of how a move of a service went.
    pub(super) fn note_move(&mut self, sid: &ServiceId, succeeded: bool) {
        if succeeded {
            self.failed_moves.forget(sid);
            return;
        }
        let suspended = self.failed_moves.note(sid, self.input.now.instant);
        if let Some((failures, pause)) = suspended.filter(|_| self.configuration.datacenter.scheduler.auto_rebalance) {
            self.host.event(Event::AutoRebalanceSuspended { sid: sid.clone(), failures, seconds: pause.as_secs() });
        }
    }
}
