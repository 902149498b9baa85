//! Whether everything is where rules and requests want it, or says why not.

use std::{collections::BTreeSet, sync::Arc};

use ha_core::{
    config::{RequestedState, Rule, RuleKind, RulesConfig, datacenter::FencingMode},
    id::{NodeName, ServiceId},
    placement::Preference,
    rules::{Orders, RuleSet, evaluate},
    status::{ManagerStatus, NodeState, ServiceEntry, ServiceState},
};

use super::{DueAction, History};
use crate::{
    cluster::{Action, Cluster, ErrorReason},
    world::World,
};

/// What has not settled, in words; nothing if all has.
#[must_use]
pub fn unsettled(cluster: &Cluster, history: &History) -> Vec<String> {
    let world = cluster.world();
    let nothing = ManagerStatus::default();
    let present = Present {
        cluster,
        world,
        status: cluster.manager_status().unwrap_or(&nothing),
        needs_devices: world.store.datacenter.fencing != FencingMode::Watchdog,
        history,
    };
    // If devices have turned off most of the nodes, no master is left that could know of it: only people can help.
    if present.needs_devices && !world.nodes.keys().any(|node| world.is_online(node)) {
        return Vec::new();
    }
    present.of_all().chain(present.of_nodes()).chain(present.of_services()).collect()
}

/// What there is now, and what excuses it.
#[derive(Clone, Copy)]
struct Present<'a> {
    cluster: &'a Cluster,
    world: &'a World,
    status: &'a ManagerStatus,
    /// Whether a node is fenced by devices only, or by them too.
    needs_devices: bool,
    history: &'a History,
}

impl<'a> Present<'a> {
    fn of_all(self) -> impl Iterator<Item = String> + use<'a> {
        let store = &self.world.store;
        let waiting = (!store.commands.is_empty() && !store.resources.resources.is_empty())
            .then(|| format!("commands wait: {:?}", store.commands));
        let disarmed = self.status.disarm.is_some().then(|| "it is still disarmed".to_owned());
        waiting.into_iter().chain(disarmed)
    }

    fn of_nodes(self) -> impl Iterator<Item = String> + use<'a> {
        let nodes = self.status.nodes.iter().filter(move |(node, state)| {
            let is_fine = match state {
                NodeState::Online => true,
                // Devices may be exhausted: then only a person can help.
                NodeState::Fence => self.needs_devices,
                NodeState::Unknown | NodeState::Gone => !self.world.is_online(node),
                NodeState::Maintenance => false,
            };
            !is_fine && !self.status.services.is_empty()
        });
        nodes.map(|(node, state)| format!("{node} is {state}"))
    }

    fn of_services(self) -> impl Iterator<Item = String> + use<'a> {
        let configured = &self.world.store.resources.resources;
        let unsettled = configured.iter().filter_map(move |(sid, resource)| {
            self.of_service(sid, resource.state()).map(|reason| format!("{sid}: {reason}"))
        });
        let entries = self.status.services.iter().filter(|(sid, _)| !configured.contains_key(*sid));
        unsettled.chain(entries.map(|(sid, _)| format!("{sid} has an entry but is not configured")))
    }

    fn of_service(self, sid: &ServiceId, requested: RequestedState) -> Option<String> {
        let guest = self.world.guests.get(sid)?;
        let Some(entry) = self.status.services.get(sid) else {
            return (requested != RequestedState::Ignored).then(|| "it has no entry".to_owned());
        };
        if requested == RequestedState::Ignored {
            return Some("it is ignored but has an entry".to_owned());
        }
        let places: BTreeSet<&NodeName> = self.world.places(sid).collect();
        let is_located = guest.node == entry.node;
        let is_fine = match &entry.state {
            ServiceState::Started { confirmed } => {
                requested == RequestedState::Started
                    && *confirmed
                    && is_located
                    && !self.shares_needlessly(sid, entry)
                    && places.iter().eq(core::iter::once(&&entry.node))
            }
            ServiceState::Stopped => {
                is_located && places.is_empty() && (requested != RequestedState::Started || self.waits_without_end(sid))
            }
            ServiceState::Error => {
                requested != RequestedState::Disabled
                    && self.error_is_due(sid, entry, &guest.node)
                    && !self.is_to_be_tried_again(sid, entry, requested)
            }
            ServiceState::Recovery => {
                requested != RequestedState::Disabled
                    && is_located
                    && !self.has_a_node_for(sid)
                    && self.is_told_to_wait(sid)
            }
            ServiceState::Fence => self.needs_devices && is_located,
            ServiceState::Freeze => self.restart_waits(&entry.node),
            ServiceState::RequestStop { .. }
            | ServiceState::RequestStart
            | ServiceState::RequestStartBalance { .. }
            | ServiceState::Migrate { .. }
            | ServiceState::Relocate { .. } => false,
        };
        (!is_fine).then(|| describe(entry, &guest.node, &places, requested))
    }

    /// Whether a service is on a node, or in a failure domain, with one that is to be apart from it though it could be in another one. Only those are judged of which
    /// no other rule and no group says anything, nor of those that it is to be apart from: what must be with them may be in the way.
    fn shares_needlessly(self, sid: &ServiceId, entry: &ServiceEntry) -> bool {
        let store = &self.world.store;
        let Some(resource) = store.resources.resources.get(sid).filter(|resource| resource.group.is_none()) else {
            return false;
        };
        let rules_of = |sid: &ServiceId| {
            let rules = store.rules.rules.values().filter(|rule| !rule.is_disabled() && rule.resources.contains(sid));
            rules.collect::<Vec<&Rule>>()
        };
        let [rule] = rules_of(sid)[..] else { return false };
        let Some(apart) = rule.apart() else { return false };
        if rule.resources.iter().any(|other| rules_of(other).len() > 1) {
            return false;
        }
        let entries = rule.resources.iter().filter(|other| *other != sid);
        let entries: Vec<&ServiceEntry> = entries.filter_map(|other| self.status.services.get(other)).collect();
        let by_domain = apart.spread.is_some() && self.world.knows_spread();
        let domain_of = |node: &NodeName| store.nodes.failure_domain(node).filter(|_| by_domain);
        let is_one = |one: &NodeName, other: &NodeName| {
            one == other || domain_of(one).is_some_and(|domain| domain_of(other) == Some(domain))
        };
        let shares_with = |node: &NodeName| {
            let runs = |other: &&&ServiceEntry| matches!(other.state, ServiceState::Started { .. });
            entries.iter().filter(runs).any(|other| is_one(&other.node, node))
        };
        let is_free = |(node, state): (&NodeName, &NodeState)| {
            // A rule that gives way does so before a node is taken that takes no new services.
            let takes_services = apart.is_strict() || self.status.held_for(node).is_none();
            *state == NodeState::Online && takes_services && !entries.iter().any(|other| is_one(&other.node, node))
        };
        let is_judged =
            self.rule_holds(rule) && (apart.is_strict() || (resource.failback() && self.world.knows_loose_rules()));
        is_judged && shares_with(&entry.node) && self.status.nodes.iter().any(is_free)
    }

    /// Whether a rule can hold with all others.
    fn rule_holds(self, rule: &Rule) -> bool {
        let store = &self.world.store;
        let nodes: Vec<NodeName> = self.world.nodes.keys().cloned().collect();
        let set = RuleSet::with_groups(&store.rules, &store.groups, &store.resources).in_domains(&store.nodes);
        evaluate(&set, &nodes).rules.get(&rule.id).is_some()
    }

    /// Whether an LRM that is to restart waits for a service of its node that can't be recovered since its guest was destroyed: it counts as
    /// one to look after, until somebody makes the guest again or removes the service, as its status says.
    fn restart_waits(self, node: &NodeName) -> bool {
        let is_lost = |sid: &ServiceId, entry: &ServiceEntry| {
            entry.node == *node && entry.state == ServiceState::Recovery && !self.world.guests.contains_key(sid)
        };
        self.status.services.iter().any(|(sid, entry)| is_lost(sid, entry))
    }

    /// Whether a service really had the reason for which it went to `error`: something happened to it, or its LRM saw that it is
    /// elsewhere, and it is.
    fn error_is_due(self, sid: &ServiceId, entry: &ServiceEntry, guest_node: &NodeName) -> bool {
        let happened = || self.history.actions.iter().any(|due| due.action.may_lead_to_error(sid));
        let is_elsewhere = || *guest_node != entry.node && self.moved_unreported(sid, entry, guest_node);
        match self.cluster.invariants().and_then(|invariants| invariants.error_reason(sid)) {
            Some(ErrorReason::NotHere | ErrorReason::StartsNowhere) => is_elsewhere() || happened(),
            Some(ErrorReason::Failed) => happened(),
            None => false,
        }
    }

    /// Whether a service comes after another one by a strict rule, and that one does not run.
    fn waits_without_end(self, sid: &ServiceId) -> bool {
        let store = &self.world.store;
        let nodes: Vec<NodeName> = self.world.nodes.keys().cloned().collect();
        let orders = Orders::of(&evaluate(&RuleSet::from_config(&store.rules), &nodes).rules);
        let is_to_run = |entry: &ServiceEntry| matches!(entry.state, ServiceState::Started { .. });
        // What is not looked after is not up, though it may run.
        let is_down = |first: &ServiceId| {
            self.world.places(first).next().is_none() || !self.status.services.get(first).is_some_and(is_to_run)
        };
        let mut strict = orders.before(sid).filter(|(_, order)| order.is_strict());
        self.status.ordered.contains_key(sid) && strict.any(|(_, order)| order.first.iter().any(is_down))
    }

    /// Whether a service in `error` must be tried again when its failed starts expire.
    fn is_to_be_tried_again(self, sid: &ServiceId, entry: &ServiceEntry, requested: RequestedState) -> bool {
        requested == RequestedState::Started
            && self.status.start_failures.contains_key(sid)
            && !self.status.may_run.contains(sid)
            && self.status.is_online(&entry.node)
    }

    /// Whether the master says again and again that it has no node for a service.
    fn is_told_to_wait(self, sid: &ServiceId) -> bool {
        let told = self.cluster.invariants().and_then(|invariants| invariants.no_node_since(sid));
        let lately = self.cluster.timings().round_time().saturating_mul(6);
        told.is_some_and(|told| self.world.time.since(told) <= lately)
    }

    /// Whether a guest is elsewhere than its entry says because a move from there ended without being reported, or because
    /// somebody made it again: that is an error by the text.
    fn moved_unreported(self, sid: &ServiceId, entry: &ServiceEntry, guest_node: &NodeName) -> bool {
        let was_made = |due: &DueAction| matches!(&due.action, Action::CreateGuest { sid: made, .. } if made == sid);
        let last_move = self.cluster.invariants().and_then(|invariants| invariants.last_move(sid));
        last_move.is_some_and(|(from, to)| *from == entry.node && to == guest_node)
            || self.history.actions.iter().any(was_made)
    }

    /// Whether a service in `recovery` waits though there is a node for it.
    fn has_a_node_for(self, sid: &ServiceId) -> bool {
        let mut snapshot = self.cluster.snapshot();
        self.read_as_the_oldest_node(Arc::make_mut(&mut snapshot.configuration.rules));
        let node = snapshot.situation().select(sid, Preference::BestScore);
        !matches!(node, Ok(None))
    }

    /// While a node has a version that does not know how services may be kept apart, the master reads the rules as that one does.
    fn read_as_the_oldest_node(self, rules: &mut RulesConfig) {
        for (_, rule) in rules.rules.iter_mut() {
            if let RuleKind::ResourceAffinity { apart, .. } = &mut rule.kind {
                if !self.world.knows_loose_rules() {
                    apart.strict = None;
                }
                if !self.world.knows_spread() {
                    apart.spread = None;
                }
            }
        }
    }
}

fn describe(
    entry: &ServiceEntry,
    guest_node: &NodeName,
    places: &BTreeSet<&NodeName>,
    requested: RequestedState,
) -> String {
    let ServiceEntry { state, node, .. } = entry;
    let places: Vec<&str> = places.iter().map(|node| node.as_str()).collect();
    format!(
        "{requested} is requested, its state is {state:?} on {node}, its guest is on {guest_node} and runs on [{}]",
        places.join(", ")
    )
}
