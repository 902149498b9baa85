//! One round: the steps in their order, and what they share.

use alloc::{sync::Arc, vec::Vec};

use super::{Manager, NodeHistory, RoundHost, RoundInput, UidSource, disarm::Scope, nodes, services::Facts};
use crate::{
    config::OrderedMap,
    event::Event,
    host::{self, Configuration, HostOperation},
    id::{NodeName, ServiceId, Uid},
    placement::{Placement, PlacementRules, Preference, Subject},
    status::{ExitCode, LrmMode, ManagerStatus, NodeState, ServiceEntry, ServiceState},
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
        if !matches!(self.status.node_state(&self.node), NodeState::Online | NodeState::Maintenance) {
            return;
        }
        self.take_over_scheduler(&input.configuration, host);
        let migrated = self.migrate_groups_if_due(input, host);
        let configuration = migrated.as_ref().unwrap_or(&input.configuration);
        let services_changed = self.update_services(configuration, host);
        let rules =
            self.rules.placement_rules(configuration, &input.members, &self.status.services, services_changed, host);
        let mut round = Round::new(self, input, configuration, rules, host);
        round.take_commands();
        match round.handle_disarm() {
            Scope::Nothing => {}
            Scope::Everything => round.settle(None),
            Scope::Only(services) => round.settle(Some(&services)),
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
        host::answer(host, HostOperation::WriteManagerStatus, written);
    }
}

/// What is asked about a node again and again within a round.
#[derive(Debug, Clone, Copy)]
struct NodeFacts {
    /// Its position among the online nodes.
    online: Option<usize>,
    mode: LrmMode,
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
    pub(super) placement: Placement,
    /// What is configured for each service, by position.
    pub(super) facts: Vec<Facts<'a>>,
    history: &'a mut NodeHistory,
    uids: &'a mut UidSource,
    nodes: OrderedMap<NodeName, NodeFacts>,
    results: OrderedMap<&'a Uid, ExitCode>,
    failed: Vec<usize>,
}

impl<'a, H: RoundHost + ?Sized> Round<'a, H> {
    fn new(
        manager: &'a mut Manager,
        input: &'a RoundInput,
        configuration: &'a Configuration,
        rules: Arc<PlacementRules>,
        host: &'a mut H,
    ) -> Self {
        let Manager { node, timings, status, nodes: history, fencing, uids, .. } = manager;
        fencing.begin_round(|node| status.node_state(node) == NodeState::Fence);
        let online = status.nodes.iter().filter(|(_, state)| **state == NodeState::Online);
        let online: Vec<NodeName> = online.map(|(node, _)| node.clone()).collect();
        let placement = Placement::new(online, &status.services, &input.unmanaged, rules);
        let node_facts = |node: &NodeName| NodeFacts { online: placement.position(node), mode: input.lrm_mode(node) };
        let nodes = status.nodes.keys().map(|node| (node.clone(), node_facts(node))).collect();
        let facts = status.services.iter().map(|(sid, _)| Facts::of(sid, configuration)).collect();
        let results = input.lrms.values().flat_map(|record| &record.results);
        let results = results.map(|(uid, result)| (uid, result.exit_code)).collect();
        Self {
            host,
            input,
            configuration,
            own_node: node,
            timings,
            status,
            fencing,
            placement,
            facts,
            history,
            uids,
            nodes,
            results,
            failed: Vec::new(),
        }
    }

    /// Lets all services (or those at the given positions) take steps and handles fencing, until nothing changes.
    fn settle(&mut self, only: Option<&[usize]>) {
        for _ in 0..MAX_PASSES {
            let mut changed = false;
            match only {
                Some(services) => {
                    for service in services {
                        changed |= self.step(*service);
                    }
                }
                None => {
                    for service in 0..self.status.services.len() {
                        changed |= self.step(service);
                    }
                }
            }
            changed |= self.fence_nodes();
            if !changed {
                return;
            }
        }
        self.host.event(Event::RoundNotSettled);
    }

    /// The entry of a service. `None` only for a position that no service has.
    pub(super) fn entry(&self, service: usize) -> Option<(&ServiceId, &ServiceEntry)> {
        self.status.services.at(service)
    }

    pub(super) fn entry_mut(&mut self, service: usize) -> Option<&mut ServiceEntry> {
        self.status.services.at_mut(service).map(|(_, entry)| entry)
    }

    /// What the configuration says of a service.
    pub(super) fn facts(&self, service: usize) -> Facts<'a> {
        self.facts.get(service).copied().unwrap_or_default()
    }

    pub(super) fn is_online(&self, node: &NodeName) -> bool {
        self.nodes.get(node).is_some_and(|facts| facts.online.is_some())
    }

    /// Whether the node is not online, and has not been seen for at least the fence delay.
    pub(super) fn is_overdue(&mut self, node: &NodeName) -> bool {
        !self.is_online(node) && self.history.unseen_for(node, self.input.now.instant) >= self.timings.fence_delay()
    }

    pub(super) fn lrm_mode(&self, node: &NodeName) -> LrmMode {
        self.nodes.get(node).map_or(LrmMode::Active, |facts| facts.mode)
    }

    pub(super) fn set_node_state(&mut self, node: &NodeName, to: NodeState) {
        nodes::set_node_state(self.status, node, to, self.host);
    }

    /// The LRM's answer to the present request, if it has come.
    pub(super) fn result(&self, entry: &ServiceEntry) -> Option<ExitCode> {
        self.results.get(entry.uid.as_ref()?).copied()
    }

    /// Asks placement where a service should be.
    pub(super) fn select(&mut self, service: usize, preference: Preference) -> Option<NodeName> {
        let (_, entry) = self.status.services.at(service)?;
        self.failed.clear();
        self.failed.extend(entry.failed_nodes.iter().filter_map(|node| self.placement.position(node)));
        let subject = Subject {
            service,
            node: self.placement.position(&entry.node),
            failed: &self.failed,
            maintenance_node: entry.maintenance_node.as_ref().and_then(|node| self.placement.position(node)),
            failback: self.facts.get(service).is_none_or(|facts| facts.failback),
        };
        let node = self.placement.select(subject, preference, &mut ())?;
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
        entry.state = to;
        entry.command = None;
        entry.uid = Some(uid);
        self.placement.update(service, entry);
        self.host.event(event);
    }
}

/// What a change of state brings, beside the new state's own data.
#[derive(Debug, Clone)]
pub(super) enum Brings {
    Nothing,
    /// The node that is responsible from now on.
    Node(NodeName),
}
