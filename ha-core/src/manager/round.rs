//! The workbench of a round: what its steps share.

use alloc::{boxed::Box, collections::BTreeMap, string::ToString, sync::Arc, vec::Vec};

use super::{
    FailedMoves, Manager, NodeHistory, RoundHost, RoundInput, TrafficHistory, UidSource, nodes, services::Facts,
    traffic::Traffic,
};
use crate::{
    config::{OrderedMap, RequestedState},
    event::{Event, Why},
    host::Configuration,
    id::{NodeName, RuleId, ServiceId, Uid},
    placement::{
        Asked, BalanceHold, Decider, LeftOut, NodeSet, Placement, PlacementRules, Preference, Recorder, Subject,
    },
    status::{ExitCode, FailbackWait, JobResult, LrmMode, ManagerStatus, NodeState, ServiceEntry, ServiceState},
    timing::Timings,
};

/// How often a round lets all services take a step at most. States settle within a few passes; this bound only
/// keeps a mistake from holding the master for ever.
const MAX_PASSES: usize = 100;

/// What is asked about a node again and again within a round.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct NodeFacts<'a> {
    pub(super) online: bool,
    pub(super) mode: LrmMode,
    /// The results that its LRM has reported.
    results: Option<&'a OrderedMap<Uid, JobResult>>,
}

/// A node that the status does not know has no LRM that ever reported anything.
impl Default for NodeFacts<'_> {
    fn default() -> Self {
        Self { online: false, mode: LrmMode::Active, results: None }
    }
}

impl NodeFacts<'_> {
    /// The answer of this node's LRM to the present request of a service on it, if it has come.
    fn result(self, entry: &ServiceEntry) -> Option<ExitCode> {
        let result = self.results?.get(entry.uid.as_ref()?)?;
        Some(result.exit_code)
    }
}

/// A round on its way: what was read, indexed for look-up, and the parts of the manager that change.
pub(super) struct Round<'a, H: ?Sized> {
    pub(super) host: &'a mut H,
    pub(super) input: &'a RoundInput,
    pub(super) configuration: &'a Configuration,
    pub(super) own_node: &'a NodeName,
    pub(super) timings: &'a Timings,
    pub(super) status: &'a mut ManagerStatus,
    pub(super) fencing: &'a mut super::FenceHistory,
    pub(super) guards: &'a mut super::GuardHistory,
    pub(super) orders: &'a mut super::OrderHistory,
    pub(super) placement: Placement,
    pub(super) balance_hold: &'a mut BalanceHold,
    pub(super) failed_moves: &'a mut FailedMoves,
    pub(super) traffic: &'a mut TrafficHistory,
    /// What is configured for each service, by position.
    pub(super) facts: Vec<Facts>,
    /// The longest delay with which a service goes back to a node of higher priority.
    pub(super) longest_failback_delay: Option<u32>,
    /// The services that waited to go back before this round.
    pub(super) waited_to_go_back: BTreeMap<ServiceId, FailbackWait>,
    /// How many seconds have passed since the last round of this master.
    pub(super) seconds: u32,
    /// In which order services take steps, by position; empty if that is the order of the status.
    order: &'a [usize],
    history: &'a mut NodeHistory,
    uids: &'a mut UidSource,
    nodes: OrderedMap<NodeName, NodeFacts<'a>>,
    /// Those of the nodes that are online, by their positions in the placement.
    online: Vec<NodeFacts<'a>>,
    /// Which services stay where they are.
    settled: Settled,
    /// Running services that could go elsewhere if a rule gave way: see [`Round::let_wishes_give_way`].
    withheld: Vec<usize>,
    /// Running services that would only go to be apart from others: see [`Round::let_wishes_give_way`].
    crowded: Vec<usize>,
    wishes_give_way: bool,
}

impl<'a, H: RoundHost + ?Sized> Round<'a, H> {
    pub(super) fn new(
        manager: &'a mut Manager,
        input: &'a RoundInput,
        configuration: &'a Configuration,
        rules: Arc<PlacementRules>,
        host: &'a mut H,
    ) -> Self {
        let Manager {
            node,
            timings,
            status,
            nodes: history,
            fencing,
            guards,
            orders,
            balance_hold,
            failed_moves,
            missing_figures,
            services,
            uids,
            stopwatch,
            traffic,
            ..
        } = manager;
        status.end_incidents();
        fencing.begin_round(&status.fencing, host);
        let online = online_nodes(status);
        let mode = configuration.datacenter.scheduler.mode;
        let usage = input.usage.as_deref();
        let (mut placement, shortfall) = Placement::new(online, &status.services, &input.unmanaged, rules, mode, usage);
        placement.note_strangers(&status.not_understood, &status.services);
        if let Some(problem) = &shortfall.fallback {
            host.event(Event::SchedulerFallback { mode, reason: problem.to_string() });
        }
        missing_figures.update(&shortfall).into_iter().for_each(|event| host.event(event));
        let nodes = known_nodes(status, input);
        // Placement was given those that are online in the same order.
        let online = nodes.values().filter(|facts| facts.online).copied().collect();
        let facts = share_in_groups(services.facts().to_vec(), &placement);
        let settled = Settled::new(status.services.len(), placement.groups());
        Self {
            host,
            input,
            configuration,
            own_node: node,
            timings,
            status,
            fencing,
            guards,
            orders,
            placement,
            balance_hold,
            failed_moves,
            traffic,
            facts,
            longest_failback_delay: services.longest_failback_delay(),
            waited_to_go_back: BTreeMap::new(),
            seconds: stopwatch.seconds(input.now.instant),
            order: services.order(),
            history,
            uids,
            nodes,
            online,
            settled,
            withheld: Vec::new(),
            crowded: Vec::new(),
            wishes_give_way: false,
        }
    }

    /// Lets services take steps, as long as they are in a state that is `looked_after`, and handles fencing, until nothing
    /// changes.
    pub(super) fn settle(&mut self, looked_after: fn(&ServiceState) -> bool) {
        for _ in 0..MAX_PASSES {
            self.withheld.clear();
            self.crowded.clear();
            let mut changed = self.step_all(looked_after);
            changed |= self.fence_nodes();
            if !changed && !self.let_wishes_give_way() {
                return;
            }
        }
        self.host.event(Event::RoundNotSettled);
    }

    /// When nothing changes any more, lets running services go where a rule has to give way for it, and then those that only go to be
    /// apart from others: not before, since those that they are to be kept apart from may be about to leave. Says whether one of them
    /// changed its state.
    fn let_wishes_give_way(&mut self) -> bool {
        let mut changed = false;
        self.wishes_give_way = true;
        for service in core::mem::take(&mut self.withheld) {
            changed |= self.step(service);
        }
        // The last one goes, which has the lowest priority: then those before it have no reason to go any more.
        for service in core::mem::take(&mut self.crowded).into_iter().rev() {
            changed |= self.step(service);
        }
        self.wishes_give_way = false;
        changed
    }

    /// Lets services take a step each, those of higher priority first. Says whether one of them changed its state.
    fn step_all(&mut self, looked_after: fn(&ServiceState) -> bool) -> bool {
        let mut changed = false;
        for at in 0..self.status.services.len() {
            let service = self.order.get(at).copied().unwrap_or(at);
            let takes_step = !self.settled.holds(service, &self.placement)
                && self.entry(service).is_some_and(|(_, entry)| looked_after(&entry.state));
            if takes_step {
                changed |= self.step(service);
            }
        }
        changed
    }

    /// Takes note that a running service has nothing more to do in this round.
    ///
    /// It holds until one of those changes that it must be with or apart from: all else that decides whether it stays is the
    /// same for the whole round. So a round that goes over its services again and again costs what changes.
    pub(super) fn note_settled(&mut self, service: usize) {
        self.settled.note(service);
    }

    /// A service changed: it and those that depend on where it is have to look again.
    pub(super) fn unsettle(&mut self, service: usize) {
        self.settled.end(service, &self.placement);
    }

    /// The entry of a service. `None` only for a position that no service has.
    pub(super) fn entry(&self, service: usize) -> Option<(&ServiceId, &ServiceEntry)> {
        self.status.services.at(service)
    }

    pub(super) fn entry_mut(&mut self, service: usize) -> Option<&mut ServiceEntry> {
        self.status.services.at_mut(service).map(|(_, entry)| entry)
    }

    /// What the configuration says of a service.
    pub(super) fn facts(&self, service: usize) -> Facts {
        self.facts.get(service).copied().unwrap_or_default()
    }

    /// What is known of a node.
    pub(super) fn node_facts(&self, node: &NodeName) -> NodeFacts<'a> {
        self.nodes.get(node).copied().unwrap_or_default()
    }

    /// What is known of the node of a service. Nearly always that is online: then placement has its position, and it need not be
    /// looked up by name.
    pub(super) fn own_node_facts(&self, service: usize) -> NodeFacts<'a> {
        let by_name = || self.entry(service).map(|(_, entry)| self.node_facts(&entry.node)).unwrap_or_default();
        let place = self.placement.place_of(service);
        let facts = place.and_then(|place| self.online.get(place)).copied().unwrap_or_else(by_name);
        debug_assert_eq!(facts, by_name(), "placement follows each change of an entry");
        facts
    }

    /// The answer of its LRM to the present request of a service, if it has come.
    pub(super) fn result(&self, service: usize) -> Option<ExitCode> {
        let (_, entry) = self.entry(service)?;
        self.own_node_facts(service).result(entry)
    }

    /// The node on which the guest of a service is configured.
    pub(super) fn guest_node(&self, service: usize) -> Option<&'a NodeName> {
        let (sid, _) = self.entry(service)?;
        self.configuration.guests.node_of(sid)
    }

    pub(super) fn is_online(&self, node: &NodeName) -> bool {
        self.node_facts(node).online
    }

    /// Whether the node is not online, and has not been seen for at least the fence delay.
    pub(super) fn is_overdue(&mut self, node: &NodeName) -> bool {
        !self.is_online(node) && self.history.unseen_for(node, self.input.now.instant) >= self.timings.fence_delay()
    }

    pub(super) fn set_node_state(&mut self, node: &NodeName, to: NodeState) {
        nodes::set_node_state(self.status, node, to, self.host);
    }

    /// Asks placement where a service should be.
    pub(super) fn select(&mut self, service: usize, preference: Preference) -> Option<Place> {
        let (_, entry) = self.status.services.at(service)?;
        let failback = self.facts(service).failback;
        let subject = Subject { service, entry, failback, preference };
        let mut reasons =
            Reasons { present: self.placement.place_of(service), gave_way: false, leaves_crowd: false, not_yet: None };
        let node = self.placement.select(subject, &mut reasons)?;
        let node = self.placement.node(node)?.clone();
        if preference == Preference::None && !self.wishes_give_way && node != entry.node {
            let waiting = match (reasons.gave_way, reasons.leaves_crowd) {
                (true, _) => Some(&mut self.withheld),
                (false, true) => Some(&mut self.crowded),
                (false, false) => None,
            };
            if let Some(waiting) = waiting {
                waiting.push(service);
                return None;
            }
        }
        let rule = if reasons.gave_way { self.placement.node_affinity_rule(service).cloned() } else { None };
        let is_decision = preference != Preference::None || node != entry.node;
        if let Some((back_to, left)) = reasons.not_yet.filter(|_| !is_decision) {
            self.wait_to_go_back(service, back_to, left);
        }
        let why = if is_decision { self.why(service, preference) } else { None };
        Some(Place { node, gave_way: rule, why })
    }

    /// Why placement answers as it does now, if the host keeps that.
    pub(super) fn why(&mut self, service: usize, preference: Preference) -> Option<Box<Why>> {
        if !self.host.keeps_reasons() {
            return None;
        }
        let (sid, entry) = self.status.services.at(service)?;
        let subject = Subject { service, entry, failback: self.facts(service).failback, preference };
        let members: Vec<NodeName> = self.input.members.keys().cloned().collect();
        let asked = Asked { status: self.status, members: &members, sid, subject };
        let explanation = self.placement.explain(asked, self.configuration.datacenter.scheduler.mode);
        Some(Box::new(Why::new(&explanation)))
    }

    /// Reports a decision about where a service goes.
    pub(super) fn decision(&mut self, event: Event, why: Option<Box<Why>>) {
        match why {
            Some(why) => self.host.decision(event, *why),
            None => self.host.event(event),
        }
    }

    /// Reports what speaks against the place where a service goes: a rule gave way for it, or it takes no new services.
    pub(super) fn report_drawbacks(&mut self, service: usize, place: &Place) {
        if let (Some((sid, _)), Some(rule)) = (self.entry(service), &place.gave_way) {
            let event = Event::RuleGaveWay { sid: sid.clone(), rule: rule.clone(), node: place.node.clone() };
            self.host.event(event);
        }
        self.report_held(service, place);
    }

    pub(super) fn new_uid(&mut self) -> Uid {
        self.uids.next()
    }

    /// Whether this master has given a request, since it is master without a break.
    pub(super) fn has_asked_by(&self, uid: &Uid) -> bool {
        self.uids.has_made_after(self.orders.since(), uid)
    }

    /// Gives a service a new request id, so that its LRM looks at it again.
    pub(super) fn renew_uid(&mut self, service: usize) {
        let uid = self.uids.next();
        if let Some(entry) = self.entry_mut(service) {
            entry.uid = Some(uid);
        }
    }

    /// Takes note of a change to the entry of a service, for the placement of all that come after it.
    pub(super) fn update_placement(&mut self, service: usize) {
        if let Some((_, entry)) = self.status.services.at(service) {
            self.placement.update(service, entry);
        }
    }

    /// Brings a service into another state.
    ///
    /// Everything in the entry is dropped but its node, failed nodes and maintenance node (and what this version does not
    /// know); it gets what the change brings, and a new request id.
    pub(super) fn change(&mut self, service: usize, to: ServiceState, brings: Brings) {
        let uid = self.uids.next();
        let Some((sid, entry)) = self.status.services.at_mut(service) else { return };
        let event_node = match &brings {
            Brings::Nothing => None,
            Brings::Node(node) => {
                entry.node = node.clone();
                Some(node.clone())
            }
        };
        let event = Event::ServiceState {
            sid: sid.clone(),
            from: entry.state.name(),
            to: to.name(),
            node: event_node,
            target: to.target().cloned(),
            timeout: to.timeout(),
        };
        match to {
            ServiceState::Error | ServiceState::Stopped => {}
            ServiceState::RequestStop { .. }
            | ServiceState::RequestStart
            | ServiceState::RequestStartBalance { .. }
            | ServiceState::Started { .. }
            | ServiceState::Fence
            | ServiceState::Recovery
            | ServiceState::Migrate { .. }
            | ServiceState::Relocate { .. }
            | ServiceState::Freeze => {
                self.status.may_run.remove(sid);
            }
        }
        let traffic_before = Traffic::of(&entry.state);
        entry.state = to;
        entry.command = None;
        entry.uid = Some(uid);
        self.placement.update(service, entry);
        self.host.event(event);
        self.status.waiting_failbacks.remove(sid);
        self.unsettle(service);
        self.note_traffic(service, traffic_before);
    }
}

/// Services that stay where they are, and for which another step in this round would come to the same: see
/// [`Round::note_settled`].
///
/// Moments are counted. A service is settled if nothing that it depends on has changed since it was noted; for those that must be
/// together, and those that must be apart from all of these, the last change is held once.
#[derive(Debug, Clone)]
struct Settled {
    moment: u64,
    /// When each service was noted, if nothing that it depends on by itself has changed since.
    noted: Vec<Option<u64>>,
    /// When something changed on which each group depends.
    changed: Vec<u64>,
}

impl Settled {
    fn new(services: usize, groups: usize) -> Self {
        Self { moment: 0, noted: alloc::vec![None; services], changed: alloc::vec![0; groups] }
    }

    fn note(&mut self, service: usize) {
        self.moment = self.moment.saturating_add(1);
        if let Some(noted) = self.noted.get_mut(service) {
            *noted = Some(self.moment);
        }
    }

    fn holds(&self, service: usize, placement: &Placement) -> bool {
        let Some(noted) = self.noted.get(service).copied().flatten() else { return false };
        if !placement.rules().are_about(service) {
            return true;
        }
        let mut groups =
            placement.group_of(service).into_iter().chain(placement.rules().groups_apart_from_one(service));
        groups.all(|group| self.changed.get(group).is_some_and(|changed| *changed < noted))
    }

    /// A service changed.
    fn end(&mut self, service: usize, placement: &Placement) {
        self.moment = self.moment.saturating_add(1);
        let rules = placement.rules();
        for group in placement.group_of(service).into_iter().chain(rules.apart_from_groups(service)) {
            if let Some(changed) = self.changed.get_mut(group) {
                *changed = self.moment;
            }
        }
        let apart = rules.apart_from_one(service).iter().map(|other| *other as usize);
        let depends = apart.chain(rules.rather_apart_from(service)).chain(rules.spread_from(service));
        for service in core::iter::once(service).chain(depends) {
            if let Some(noted) = self.noted.get_mut(service) {
                *noted = None;
            }
        }
    }
}

/// What is known of each node of the status.
fn known_nodes<'a>(status: &ManagerStatus, input: &'a RoundInput) -> OrderedMap<NodeName, NodeFacts<'a>> {
    let facts = |(node, state): (&NodeName, &NodeState)| {
        let results = input.lrms.get(node).map(|record| &record.results);
        let online = *state == NodeState::Online;
        (node.clone(), NodeFacts { online, mode: input.lrm_mode(node), results })
    };
    status.nodes.iter().map(facts).collect()
}

fn online_nodes(status: &ManagerStatus) -> Vec<NodeName> {
    let online = status.nodes.iter().filter(|(_, state)| **state == NodeState::Online);
    online.map(|(node, _)| node.clone()).collect()
}

/// What one service of a group must not do, none that must be together with it does: it would have to come back, or the other
/// one to follow.
fn share_in_groups(mut facts: Vec<Facts>, placement: &Placement) -> Vec<Facts> {
    if placement.groups() == 0 {
        return facts;
    }
    let mut groups = alloc::vec![(true, true); placement.groups()];
    for (service, facts) in facts.iter().enumerate() {
        if let Some((failback, auto_rebalance)) = placement.group_of(service).and_then(|group| groups.get_mut(group)) {
            *failback &= facts.failback || facts.requested != RequestedState::Started;
            *auto_rebalance &= facts.auto_rebalance;
        }
    }
    for (service, facts) in facts.iter_mut().enumerate() {
        if let Some((failback, auto_rebalance)) = placement.group_of(service).and_then(|group| groups.get(group)) {
            facts.failback &= failback;
            facts.auto_rebalance &= auto_rebalance;
        }
    }
    facts
}

/// Where placement puts a service.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) node: NodeName,
    /// The node affinity rule that gave way for it.
    pub(super) gave_way: Option<RuleId>,
    /// Why it was chosen, if the host keeps that.
    pub(super) why: Option<Box<Why>>,
}

/// Takes note of what may better wait until all else is settled.
struct Reasons {
    present: Option<usize>,
    /// Whether a rule gave way.
    gave_way: bool,
    /// Whether the service could stay where it is, but for those that should rather be apart from it.
    leaves_crowd: bool,
    /// To which node it goes back first, once that has been well for long enough, and the seconds that are left.
    not_yet: Option<(usize, u32)>,
}

impl Recorder for Reasons {
    fn gave_way(&mut self, _: &NodeSet) {
        self.gave_way = true;
    }

    fn left_out(&mut self, node: usize, why: LeftOut) {
        self.leaves_crowd |= why == LeftOut::RatherApart && Some(node) == self.present;
        if let LeftOut::BackTooShortly { left } = why
            && self.not_yet.is_none_or(|(_, first)| left < first)
        {
            self.not_yet = Some((node, left));
        }
    }

    fn decided(&mut self, by: Decider) {
        // That goes home, whoever is where it waits.
        self.leaves_crowd &= by != Decider::MaintenanceNode;
    }
}

/// What a change of state brings, beside the new state's own data.
#[derive(Debug, Clone)]
pub(super) enum Brings {
    Nothing,
    /// The node that is responsible from now on.
    Node(NodeName),
}
