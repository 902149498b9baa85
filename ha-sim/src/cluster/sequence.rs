//! Whether services are started in the order that rules ask for.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use ha_core::{
    config,
    host::{Job, JobId},
    id::{NodeName, ServiceId, Uid},
    rules::{Orders, RuleSet, evaluate},
    status::{ExitCode, ManagerStatus, OrderedStart, ServiceState, StateName},
    time::Instant,
};

use super::{Invariant, belief::Wrong};
use crate::world::World;

/// What was let pass, and what each LRM has seen running.
#[derive(Debug, Clone, Default)]
pub(super) struct Sequence {
    /// For how long a service that comes first may not have run when others are let pass: what the master knows is that old at most.
    known_for: Duration,
    /// The requests that a master has let pass, each with how often its node had lost its power.
    passed: BTreeMap<Uid, u64>,
    /// Since when services are known to come after others.
    since: BTreeMap<ServiceId, Instant>,
    /// When services were last seen running, at the end of a job or by a master's round.
    ran: BTreeMap<ServiceId, Instant>,
    /// When the probe of a service last succeeded, and when a master's round last saw it run nowhere.
    ready: BTreeMap<ServiceId, Instant>,
    down: BTreeMap<ServiceId, Instant>,
    /// Jobs that start a service or look at it: by which LRM.
    begun: BTreeMap<(NodeName, JobId), (ServiceId, u64)>,
    /// What LRMs have seen running since it was last stopped.
    seen: BTreeSet<(ServiceId, NodeName, u64)>,
    orders: Option<Known>,
}

/// The order rules, with what they were made from.
#[derive(Debug, Clone)]
struct Known {
    rules: std::sync::Arc<config::RulesConfig>,
    orders: Orders,
}

impl Sequence {
    pub(super) fn new(known_for: Duration) -> Self {
        Self { known_for, ..Self::default() }
    }

    /// A master writes the manager status. What it lets pass must have nothing to wait for, as far as it can know. `is_current` says
    /// that it goes by the configuration as it is.
    pub(super) fn writes(&mut self, status: &ManagerStatus, is_current: bool, world: &World) -> Option<Wrong> {
        if status.ordered.is_empty() && self.since.is_empty() {
            return None;
        }
        self.since.retain(|sid, _| status.ordered.contains_key(sid));
        for sid in status.ordered.keys() {
            self.since.entry(sid.clone()).or_insert(world.time);
        }
        self.seen.retain(|(sid, ..)| {
            status.services.get(sid).is_some_and(|entry| match entry.state {
                ServiceState::Started { .. }
                | ServiceState::Migrate { .. }
                | ServiceState::RequestStart
                | ServiceState::RequestStartBalance { .. }
                | ServiceState::Fence
                | ServiceState::Freeze => true,
                ServiceState::Stopped
                | ServiceState::RequestStop { .. }
                | ServiceState::Relocate { .. }
                | ServiceState::Recovery
                | ServiceState::Error => false,
            })
        });
        let orders = self.orders(world);
        for first in orders.firsts() {
            let seen = if world.places(first).next().is_some() { &mut self.ran } else { &mut self.down };
            seen.insert(first.clone(), world.time);
        }
        let mut wrong = None;
        for (sid, start) in &status.ordered {
            let Some(uid) = start.passed.as_ref().filter(|uid| !self.passed.contains_key(*uid)) else { continue };
            let node = status.services.get(sid).and_then(|entry| world.nodes.get(&entry.node));
            self.passed.insert(uid.clone(), node.map_or(0, |node| node.power_losses));
            if is_current && wrong.is_none() {
                wrong = self.passes_too_early(&orders, sid, start, world);
            }
        }
        wrong
    }

    fn orders(&mut self, world: &World) -> Orders {
        let rules = &world.store.rules;
        if let Some(known) = self.orders.as_ref().filter(|known| std::sync::Arc::ptr_eq(&known.rules, rules)) {
            return known.orders.clone();
        }
        let nodes: Vec<NodeName> = world.nodes.keys().cloned().collect();
        let orders = Orders::of(&evaluate(&RuleSet::from_config(rules), &nodes).rules);
        self.orders = Some(Known { rules: rules.clone(), orders: orders.clone() });
        orders
    }

    fn passes_too_early(&self, orders: &Orders, sid: &ServiceId, start: &OrderedStart, world: &World) -> Option<Wrong> {
        let waited = start.waited.unwrap_or(0);
        orders.before(sid).filter(|(_, order)| order.is_strict() || waited < order.timeout()).find_map(
            |(rule, order)| {
                let is_long_down =
                    |first: &&ServiceId| self.ran.get(*first).is_none_or(|ran| world.time.since(*ran) > self.known_for);
                let down = order.first.iter().find(is_long_down).map(|first| (first, "does not run"));
                let not_ready = || order.first.iter().find(|first| !self.may_count_as_ready(first, world));
                let (first, why) = down.or_else(|| not_ready().map(|first| (first, "is not ready")))?;
                let details = format!("{sid} is let pass though {first}, which comes first by rule {rule}, {why}");
                Some((Invariant::ComesAfter, details))
            },
        )
    }

    /// Whether a service that has a probe may count as ready: it was, and has not been down since for longer than that can go unseen.
    fn may_count_as_ready(&self, sid: &ServiceId, world: &World) -> bool {
        let Some(resource) = world.store.resources.resources.get(sid).filter(|it| it.probe.is_some()) else {
            return true;
        };
        let Some(ready) = self.ready.get(sid) else { return false };
        let attempt = resource.probe_interval().saturating_add(resource.probe_timeout());
        let attempts = attempt.saturating_mul(resource.probe_failures().saturating_add(1));
        let unseen_for = self.known_for.saturating_add(Duration::from_secs(attempts.into()));
        self.down.get(sid).is_none_or(|down| ready >= down || world.time.since(*down) <= unseen_for)
    }

    /// The LRM of a node hears that a service is ready.
    pub(super) fn hears_ready(&mut self, sid: &ServiceId, at: Instant) {
        self.ready.insert(sid.clone(), at);
    }

    /// An LRM hands a job to its workers.
    pub(super) fn starts(&mut self, node: &NodeName, job: &Job, generation: u64, world: &World) -> Option<Wrong> {
        if job.command != StateName::Started || self.since.is_empty() {
            return None;
        }
        self.begun.insert((node.clone(), job.id), (job.sid.clone(), generation));
        let uid = job.uid.as_ref().filter(|_| !job.only_look)?;
        let known_for = self.since.get(&job.sid).map(|since| world.time.since(*since))?;
        let has_seen = self.seen.contains(&(job.sid.clone(), node.clone(), generation));
        // It may have read the status before.
        if has_seen || known_for <= self.known_for || world.nodes.get(node).is_some_and(|node| node.reads_stale) {
            return None;
        }
        let sid = &job.sid;
        match self.passed.get(uid) {
            None => {
                let details = format!("{sid} is started on {node} though its turn was not asked for");
                Some((Invariant::ComesAfter, details))
            }
            Some(losses) if world.nodes.get(node).is_some_and(|node| node.power_losses != *losses) => {
                let details = format!("{sid} is started on {node}, which has lost its power since it was let pass");
                Some((Invariant::ComesAfter, details))
            }
            Some(_) => None,
        }
    }

    pub(super) fn ends(&mut self, node: &NodeName, id: JobId, exit_code: ExitCode, at: Instant) {
        if let Some((sid, generation)) = self.begun.remove(&(node.clone(), id))
            && exit_code == ExitCode::SUCCESS
        {
            self.ran.insert(sid.clone(), at);
            self.seen.insert((sid, node.clone(), generation));
        }
    }
}
