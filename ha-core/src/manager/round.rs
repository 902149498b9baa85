//! One round: the steps in their order, and what they share.

use alloc::{string::ToString, sync::Arc, vec::Vec};

use super::{
    Manager, NodeHistory, RoundHost, RoundInput, UidSource,
    disarm::{Scope, defers_disarm},
    nodes,
    services::Facts,
};
use crate::{
    config::OrderedMap,
    event::Event,
    host::{self, Configuration, HostOperation},
    id::{NodeName, ServiceId, Uid},
    placement::{BalanceHold, Placement, PlacementRules, Preference, Subject},
    status::{ExitCode, JobResult, LrmMode, ManagerStatus, NodeState, ServiceEntry, ServiceState},
    timing::Timings,
};

/// How often a round lets all services take a step at the most. States settle within a few passes; this bound only
/// keeps a mistake from holding the master for ever.
const MAX_PASSES: usize = 100;

impl Manager {
    /// Plays one round.
    ///
    /// Effects that fail are reported and tried again in a later round. The status is written at the end; if that fails
    /// the manager keeps it and writes it with the next round.
    pub fn round(&mut self, input: &RoundInput, host: &mut (impl RoundHost + ?Sized)) {
        let now = input.now;
        let mode = |node: &NodeName| input.lrm_mode(node);
        let forget_after = self.timings.gone_forgotten_after();
        self.nodes.update(&mut self.status, &input.members, mode, now.instant, forget_after, host);
        // In maintenance it may be cut off and still be recorded as such. Then it sees nobody, and must not judge them.
        let is_online = input.members.get(&self.node) == Some(&true);
        if !is_online || !matches!(self.status.node_state(&self.node), NodeState::Online | NodeState::Maintenance) {
            return;
        }
        self.guards.update(&mut self.status, input);
        self.take_over_scheduler(&input.configuration, host);
        let migrated = self.migrate_groups_if_due(input, host);
        let configuration = migrated.as_ref().unwrap_or(&input.configuration);
        let services_changed = self.update_services(input, configuration, host);
        let rules =
            self.rules.placement_rules(configuration, &input.members, &self.status.services, services_changed, host);
        let mut round = Round::new(self, input, configuration, rules, host);
        round.take_commands();
        match round.handle_disarm() {
            Scope::Nothing => {}
            Scope::Everything => {
                round.balance();
                round.settle(|_| true);
            }
            Scope::Unfinished => round.settle(defers_disarm),
        }
        self.write(now.wall, host);
    }

    fn take_over_scheduler(&mut self, configuration: &Configuration, host: &mut (impl RoundHost + ?Sized)) {
        let mode = configuration.datacenter.scheduler.mode;
        if mode != self.scheduler_mode {
            host.event(Event::SchedulerModeSwitched { from: self.scheduler_mode, to: mode });
            self.scheduler_mode = mode;
        }
    }

    fn write(&mut self, wall: crate::status::Timestamp, host: &mut (impl RoundHost + ?Sized)) {
        self.status.timestamp = Some(wall);
        let written = host.write_manager_status(&self.status);
        self.is_written = host::answer(host, HostOperation::WriteManagerStatus, written).is_some();
    }
}

/// What is asked about a node again and again within a round.
#[derive(Debug, Clone, Copy)]
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

impl<'a> NodeFacts<'a> {
    /// The answer of this node's LRM to the present request of a service on it, if it has come.
    pub(super) fn result(self, entry: &ServiceEntry) -> Option<ExitCode> {
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
    pub(super) placement: Placement,
    pub(super) balance_hold: &'a mut BalanceHold,
    /// What is configured for each service, by position.
    pub(super) facts: Vec<Facts>,
    history: &'a mut NodeHistory,
    uids: &'a mut UidSource,
    nodes: OrderedMap<NodeName, NodeFacts<'a>>,
    /// Services that stay where they are, and for which another step in this round would come to the same: see
    /// [`Round::note_settled`].
    settled: Vec<bool>,
}

impl<'a, H: RoundHost + ?Sized> Round<'a, H> {
    fn new(
        manager: &'a mut Manager,
        input: &'a RoundInput,
        configuration: &'a Configuration,
        rules: Arc<PlacementRules>,
        host: &'a mut H,
    ) -> Self {
        let Manager { node, timings, status, nodes: history, fencing, guards, balance_hold, services, uids, .. } =
            manager;
        fencing.begin_round(|node| status.node_state(node) == NodeState::Fence);
        let online = status.nodes.iter().filter(|(_, state)| **state == NodeState::Online);
        let online: Vec<NodeName> = online.map(|(node, _)| node.clone()).collect();
        let mode = configuration.datacenter.scheduler.mode;
        let usage = input.usage.as_deref();
        let (placement, problem) = Placement::new(online, &status.services, &input.unmanaged, rules, mode, usage);
        if let Some(problem) = problem {
            host.event(Event::SchedulerFallback { mode, reason: problem.to_string() });
        }
        let node_facts = |(node, state): (&NodeName, &NodeState)| {
            let results = input.lrms.get(node).map(|record| &record.results);
            let online = *state == NodeState::Online;
            (node.clone(), NodeFacts { online, mode: input.lrm_mode(node), results })
        };
        let nodes = status.nodes.iter().map(node_facts).collect();
        let facts = services.facts(configuration).collect();
        let settled = alloc::vec![false; status.services.len()];
        Self {
            host,
            input,
            configuration,
            own_node: node,
            timings,
            status,
            fencing,
            guards,
            placement,
            balance_hold,
            facts,
            history,
            uids,
            nodes,
            settled,
        }
    }

    /// Lets services take steps, as long as they are in a state that is `looked_after`, and handles fencing, until nothing
    /// changes.
    fn settle(&mut self, looked_after: fn(&ServiceState) -> bool) {
        for _ in 0..MAX_PASSES {
            let mut changed = self.step_all(looked_after);
            changed |= self.fence_nodes();
            if !changed {
                return;
            }
        }
        self.host.event(Event::RoundNotSettled);
    }

    /// Lets services take a step each. Says whether one of them changed its state.
    fn step_all(&mut self, looked_after: fn(&ServiceState) -> bool) -> bool {
        let mut changed = false;
        for service in 0..self.status.services.len() {
            let takes_step = self.settled.get(service) != Some(&true)
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
        if let Some(settled) = self.settled.get_mut(service) {
            *settled = true;
        }
    }

    /// A service changed: it and those that depend on where it is have to look again.
    pub(super) fn unsettle(&mut self, service: usize) {
        let Self { settled, placement, .. } = self;
        let dependants = placement.together_with(service).chain(placement.apart_from(service));
        for service in core::iter::once(service).chain(dependants) {
            if let Some(settled) = settled.get_mut(service) {
                *settled = false;
            }
        }
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

    /// The node on which the guest of a service is configured.
    pub(super) fn guest_node(&self, service: usize) -> Option<&'a NodeName> {
        let (sid, _) = self.entry(service)?;
        self.configuration.guests.node_of(sid)
    }

    pub(super) fn is_online(&self, node: &NodeName) -> bool {
        self.node_facts(node).online
    }

    /// Whether the node is not online, has not been seen for at least the fence delay, and can be fenced.
    pub(super) fn is_overdue(&mut self, node: &NodeName) -> bool {
        !self.is_online(node)
            && self.history.unseen_for(node, self.input.now.instant) >= self.timings.fence_delay()
            && !self.cannot_be_fenced(node)
    }

    pub(super) fn set_node_state(&mut self, node: &NodeName, to: NodeState) {
        nodes::set_node_state(self.status, node, to, self.host);
    }

    /// Asks placement where a service should be.
    pub(super) fn select(&mut self, service: usize, preference: Preference) -> Option<NodeName> {
        let (_, entry) = self.status.services.at(service)?;
        let failback = self.facts(service).failback;
        let subject = Subject { service, entry, failback, preference };
        let node = self.placement.select(subject, &mut ())?;
        self.placement.node(node).cloned()
    }

    pub(super) fn new_uid(&mut self) -> Uid {
        self.uids.next()
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
        entry.state = to;
        entry.command = None;
        entry.uid = Some(uid);
        self.placement.update(service, entry);
        self.host.event(event);
        self.unsettle(service);
    }
}

/// What a change of state brings, beside the new state's own data.
#[derive(Debug, Clone)]
pub(super) enum Brings {
    Nothing,
    /// The node that is responsible from now on.
    Node(NodeName),
}
