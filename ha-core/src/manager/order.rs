//! The order in which services are started (M24).
//!
//! A service that comes after others waits in `stopped`: all is settled there, whatever becomes of its node. Its LRM starts it for
//! the first time only by a request that the master has let pass. So a cluster that comes up with all its services recorded as
//! started brings them up in their order too: LRMs look first, and ask for what does not run.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::String,
    sync::Arc,
    vec::Vec,
};

use super::{
    RoundHost,
    round::{Brings, Round},
    versions::KnownVersions,
};
use crate::{
    config::{Order, RequestedState},
    event::Event,
    id::{NodeName, ServiceId},
    rules::{Orders, VERSION_WITH_ORDER},
    status::{ExitCode, ManagerStatus, Readiness, ServiceState, Writer},
};

/// The order rules in force, and what this master knows of those that come first.
#[derive(Debug, Clone, Default)]
pub(super) struct OrderHistory {
    in_force: Arc<Orders>,
    /// The last request of this master before it knew of anything.
    since: String,
    /// Services that were seen running, each with who wrote so.
    up: BTreeMap<ServiceId, Option<Writer>>,
    /// Services that are to be stopped once those have stopped that come after them, with how many seconds they have waited for that.
    stops: BTreeMap<ServiceId, u32>,
    /// Which nodes know order rules.
    versions: KnownVersions,
}

impl OrderHistory {
    /// Nothing is known but what is answered to requests after this one.
    pub(super) fn since_request(uid: &str) -> Self {
        Self { since: uid.into(), ..Self::default() }
    }

    pub(super) fn since(&self) -> &str {
        &self.since
    }

    /// Takes the order rules of this round. None is in force while a node is known not to know them.
    pub(super) fn take(&mut self, orders: Arc<Orders>, status: &ManagerStatus, host: &mut (impl RoundHost + ?Sized)) {
        let told = |node, version| Event::OrderRulesNotInForce { node, version };
        let are_known = orders.is_empty() || self.versions.are_at_least(VERSION_WITH_ORDER, status, host, told);
        self.in_force = if are_known { orders } else { Arc::default() };
    }
}

/// Whether a service may be started now.
enum Turn {
    /// It may. Those that come first and are not up were waited for as long as they had to be.
    Passes { missing: Vec<ServiceId> },
    /// It has to wait.
    Waits { waits_for: Vec<ServiceId>, left: Option<u32> },
}

impl<H: RoundHost + ?Sized> Round<'_, H> {
    /// Goes on with the starts of services that come after others: counts how long they wait, and answers the LRMs that ask.
    pub(super) fn follow_orders(&mut self) {
        if self.orders.in_force.is_empty() && self.status.ordered.is_empty() {
            return;
        }
        let seconds = self.seconds;
        self.orders.stops.values_mut().for_each(|waited| *waited = waited.saturating_add(seconds));
        self.note_firsts();
        let mut starts = core::mem::take(&mut self.status.ordered);
        let orders = self.orders.in_force.clone();
        for sid in orders.thens() {
            let Some(service) = self.status.services.position(sid) else { continue };
            let start = starts.remove(sid).unwrap_or_default();
            self.status.ordered.insert(sid.clone(), start);
            self.follow_start(service, sid);
        }
    }

    /// Takes note of which of those that come first run, and are ready by their probes if they have some. What an earlier master was told
    /// may be from before all nodes went down: what counts is an answer to a request of this one, for as long as the node has not been
    /// away since.
    fn note_firsts(&mut self) {
        let orders = self.orders.in_force.clone();
        let mut up = BTreeMap::new();
        for sid in orders.firsts() {
            let Some(service) = self.status.services.position(sid) else { continue };
            let Some((_, entry)) = self.entry(service) else { continue };
            let facts = self.own_node_facts(service);
            let record = self.input.lrms.get(&entry.node);
            let writer = record.and_then(|record| record.writer.clone());
            let result = self.result(service);
            let has_answered =
                result == Some(ExitCode::SUCCESS) && entry.uid.as_ref().is_some_and(|uid| self.has_asked_by(uid));
            let note = record.and_then(|record| record.services.get(sid));
            let is_ready = note.and_then(|note| note.readiness) == Some(Readiness::Ready);
            let is_down = note.is_some_and(|note| note.next_restart.is_some() || note.asks.is_some())
                || (self.facts(service).has_probe && !is_ready);
            let was_up = self.orders.up.get(sid);
            match entry.state {
                ServiceState::Started { confirmed } if facts.online && !is_down => {
                    let stays_up =
                        confirmed && was_up == Some(&writer) && result.is_none_or(|it| it == ExitCode::SUCCESS);
                    if has_answered || stays_up {
                        up.insert(sid.clone(), writer);
                    }
                }
                // It runs all the while.
                ServiceState::Migrate { .. } => up.extend(was_up.map(|writer| (sid.clone(), writer.clone()))),
                ServiceState::Started { .. }
                | ServiceState::Stopped
                | ServiceState::RequestStop { .. }
                | ServiceState::RequestStart
                | ServiceState::RequestStartBalance { .. }
                | ServiceState::Fence
                | ServiceState::Recovery
                | ServiceState::Relocate { .. }
                | ServiceState::Freeze
                | ServiceState::Error => {}
            }
        }
        self.orders.up = up;
    }

    /// Whether a service that comes first counts as up: the one place that says so.
    fn is_up(&self, sid: &ServiceId) -> bool {
        // It may have been asked to stop since.
        let runs = |state: &ServiceState| matches!(state, ServiceState::Started { .. } | ServiceState::Migrate { .. });
        self.orders.up.contains_key(sid) && self.status.services.get(sid).is_some_and(|entry| runs(&entry.state))
    }

    fn follow_start(&mut self, service: usize, sid: &ServiceId) {
        let Some((_, entry)) = self.entry(service) else { return };
        let is_wanted = self.facts(service).requested == RequestedState::Started;
        match entry.state {
            ServiceState::Stopped if is_wanted && !self.status.may_run.contains(sid) => self.count_wait(sid),
            ServiceState::Started { .. } if is_wanted && self.asks_to_start(service) => self.answer(service),
            ServiceState::Started { confirmed: false }
            | ServiceState::RequestStart
            | ServiceState::RequestStartBalance { .. }
            | ServiceState::Relocate { .. } => {}
            ServiceState::Started { confirmed: true }
            | ServiceState::Stopped
            | ServiceState::RequestStop { .. }
            | ServiceState::Fence
            | ServiceState::Recovery
            | ServiceState::Migrate { .. }
            | ServiceState::Freeze
            | ServiceState::Error => {
                if let Some(start) = self.status.ordered.get_mut(sid) {
                    *start = core::mem::take(start).forgotten();
                }
            }
        }
    }

    /// Counts the seconds of this round for a service that waits.
    fn count_wait(&mut self, sid: &ServiceId) {
        let seconds = self.seconds;
        let Some(before) = self.status.ordered.get(sid).and_then(|start| start.waited) else { return };
        let waited = before.saturating_add(seconds);
        let (are_up, long) = self.look_at_firsts(sid, before, waited);
        if let Some(start) = self.status.ordered.get_mut(sid) {
            start.waited = Some(waited);
            start.ready = are_up.then(|| start.ready.map_or(0, |ready| ready.saturating_add(seconds)));
        }
        if !long.is_empty() {
            self.host.event(Event::StartWaitsLong { sid: sid.clone(), waits_for: long, waited });
        }
    }

    /// Whether all are up for which a service still waits; and those that are not though the timeout of a strict rule has just come.
    fn look_at_firsts(&self, sid: &ServiceId, before: u32, waited: u32) -> (bool, Vec<ServiceId>) {
        let mut are_up = true;
        let mut long = BTreeSet::new();
        for (_, order) in self.orders.in_force.before(sid) {
            if !order.is_strict() && waited >= order.timeout() {
                continue;
            }
            let missing: Vec<ServiceId> = self.missing(order).cloned().collect();
            are_up &= missing.is_empty();
            if order.is_strict() && (before..waited).contains(&order.timeout().saturating_sub(1)) {
                long.extend(missing);
            }
        }
        (are_up, long.into_iter().collect())
    }

    /// Those that come first by a rule and are not up.
    fn missing<'o>(&self, order: &'o Order) -> impl Iterator<Item = &'o ServiceId> {
        order.first.iter().filter(|first| !self.is_up(first))
    }

    /// Whether its LRM has found that a service does not run, and asks whether it may start it.
    fn asks_to_start(&self, service: usize) -> bool {
        let Some((sid, entry)) = self.entry(service) else { return false };
        let record = self.input.lrms.get(&entry.node);
        let asks = record.and_then(|record| record.services.get(sid)).and_then(|note| note.asks.as_ref());
        asks.is_some() && asks == entry.uid.as_ref() && entry.command.is_none() && self.is_online(&entry.node)
    }

    /// An LRM asks whether it may start a service: it may, by a new request, or the service waits.
    fn answer(&mut self, service: usize) {
        let must_wait = self.entry(service).is_some_and(|(sid, _)| matches!(self.turn(sid), Turn::Waits { .. }));
        if must_wait {
            self.change(service, ServiceState::Stopped, Brings::Nothing);
            return;
        }
        self.set_confirmed(service, false);
        self.renew_uid(service);
        self.let_pass(service);
    }

    fn turn(&self, sid: &ServiceId) -> Turn {
        let start = self.status.ordered.get(sid);
        let waited = start.and_then(|start| start.waited).unwrap_or(0);
        let ready = start.and_then(|start| start.ready).unwrap_or(0);
        let (mut waits_for, mut missing) = (BTreeSet::new(), BTreeSet::new());
        let (mut delay, mut longest) = (0, Some(0));
        for (_, order) in self.orders.in_force.before(sid) {
            if !order.is_strict() && waited >= order.timeout() {
                missing.extend(self.missing(order).cloned());
                continue;
            }
            delay = delay.max(order.delay());
            let before = waits_for.len();
            waits_for.extend(self.missing(order).cloned());
            if waits_for.len() > before {
                let timeout = (!order.is_strict()).then(|| order.timeout().saturating_sub(waited));
                longest = longest.zip(timeout).map(|(longest, timeout)| longest.max(timeout));
            }
        }
        if !waits_for.is_empty() {
            return Turn::Waits { waits_for: waits_for.into_iter().collect(), left: longest };
        }
        match delay.saturating_sub(ready) {
            0 => Turn::Passes { missing: missing.into_iter().collect() },
            left => Turn::Waits { waits_for: Vec::new(), left: Some(left) },
        }
    }

    /// A service in `stopped` is asked to run. Says whether it has to wait for others, and takes note of that.
    pub(super) fn waits_in_stopped(&mut self, service: usize) -> bool {
        if self.orders.in_force.is_empty() {
            return false;
        }
        let Some((sid, _)) = self.entry(service) else { return false };
        let sid = sid.clone();
        // What may run already must not be kept from it.
        if self.status.may_run.contains(&sid) || !self.orders.in_force.comes_after(&sid) {
            return false;
        }
        let Turn::Waits { waits_for, left } = self.turn(&sid) else { return false };
        let start = self.status.ordered.entry(sid.clone()).or_default();
        if start.waited.is_none() {
            start.waited = Some(0);
            start.ready = waits_for.is_empty().then_some(0);
            self.host.event(Event::StartWaits { sid, waits_for: waits_for.clone(), left });
        }
        (start.waits_for, start.left, start.passed) = (waits_for, left, None);
        true
    }

    /// A service is asked to run, by a new request: if it need not wait its LRM may start it.
    pub(super) fn let_pass(&mut self, service: usize) {
        if self.orders.in_force.is_empty() {
            return;
        }
        let Some((sid, entry)) = self.entry(service) else { return };
        if !self.orders.in_force.comes_after(sid) || !matches!(entry.state, ServiceState::Started { .. }) {
            return;
        }
        let (sid, uid) = (sid.clone(), entry.uid.clone());
        let Turn::Passes { missing } = self.turn(&sid) else { return };
        let start = self.status.ordered.entry(sid.clone()).or_default();
        let was_passed = core::mem::replace(&mut start.passed, uid);
        (start.waits_for, start.left) = (Vec::new(), None);
        // It is told once, however often the start fails.
        if !missing.is_empty() && was_passed.is_none() {
            let waited = start.waited.unwrap_or(0);
            self.host.event(Event::StartWaitedEnough { sid, missing, waited });
        }
    }

    /// A service is to be stopped. Says whether it waits until those have stopped that come after it and are to be stopped too (M26).
    pub(super) fn holds_stop(&mut self, service: usize) -> bool {
        if self.orders.in_force.is_empty() {
            return false;
        }
        let Some((sid, _)) = self.entry(service) else { return false };
        let sid = sid.clone();
        let waited = self.orders.stops.remove(&sid).unwrap_or(0);
        let mut rules = self.orders.in_force.after(&sid);
        let waits = rules
            .any(|(_, order)| waited < order.timeout() && order.then.iter().any(|then| self.is_being_stopped(then)));
        drop(rules);
        if waits {
            self.orders.stops.insert(sid, waited);
        }
        waits
    }

    /// Whether a service is asked to stop, and may still run on a node that is there.
    fn is_being_stopped(&self, sid: &ServiceId) -> bool {
        let Some(service) = self.status.services.position(sid) else { return false };
        let is_asked = matches!(self.facts(service).requested, RequestedState::Stopped | RequestedState::Disabled);
        let Some((_, entry)) = self.entry(service) else { return false };
        is_asked
            && self.is_online(&entry.node)
            && match entry.state {
                ServiceState::Started { .. }
                | ServiceState::RequestStop { .. }
                | ServiceState::Migrate { .. }
                | ServiceState::Relocate { .. }
                | ServiceState::Freeze => true,
                ServiceState::Stopped
                | ServiceState::RequestStart
                | ServiceState::RequestStartBalance { .. }
                | ServiceState::Fence
                | ServiceState::Recovery
                | ServiceState::Error => false,
            }
    }

    /// The service goes on, on a node: it is started or stopped, as is asked. If it has to wait for others its LRM asks first.
    pub(super) fn go_on(&mut self, service: usize, node: NodeName) {
        self.change(service, self.wanted_state(service), Brings::Node(node));
        self.let_pass(service);
    }
}
