//! Whether services go back to a node of higher priority only after their delay.

use std::{collections::BTreeMap, time::Duration};

use ha_core::{
    config::RuleKind,
    event::{Event, MoveCause},
    host::Configuration,
    id::{NodeName, ServiceId},
    rules::{CompiledRules, RuleSet, effective_failback, evaluate},
    status::{ManagerStatus, NodeReturn, ServiceEntry, ServiceState},
    time::Instant,
};

use super::{Invariant, belief::Wrong};

/// Since when nodes are back, by what masters have written.
#[derive(Debug, Clone, Default)]
pub(super) struct GoingBack {
    turns: BTreeMap<NodeName, Turn>,
    /// When a node was last written down as away.
    away: BTreeMap<NodeName, Instant>,
    /// What was written last of nodes that came back.
    written: BTreeMap<NodeName, NodeReturn>,
}

/// A round of a master.
#[derive(Debug, Clone, Default)]
struct Turn {
    /// The delays of the services that have one and fail back; nothing where it can't be told for which of their moves they are.
    delays: BTreeMap<ServiceId, Duration>,
    has_delays: bool,
    rules: RuleSet,
    moved: Vec<(ServiceId, NodeName)>,
}

impl GoingBack {
    /// The master of a node reads the configuration by which it goes in this round.
    pub(super) fn begins(&mut self, node: &NodeName, configuration: &Configuration) {
        let Configuration { resources, groups, rules, .. } = configuration;
        let with_delay =
            || resources.resources.values().filter_map(|resource| Some((resource, resource.failback_delay()?)));
        // What must be apart or together may have to move at once.
        let moves_others = |kind: &RuleKind| matches!(kind, RuleKind::ResourceAffinity { .. });
        let is_alone = |sid: &ServiceId| {
            !rules.rules.values().any(|rule| moves_others(&rule.kind) && rule.resources.contains(sid))
        };
        let delays =
            with_delay().filter(|(resource, _)| is_alone(&resource.sid) && effective_failback(resource, groups));
        let turn = Turn {
            delays: delays.map(|(resource, delay)| (resource.sid.clone(), Duration::from_secs(delay.into()))).collect(),
            has_delays: with_delay().next().is_some(),
            rules: RuleSet::from_config(rules),
            moved: Vec::new(),
        };
        self.turns.insert(node.clone(), turn);
    }

    /// The CRM of a node tells what it does.
    pub(super) fn tells(&mut self, node: &NodeName, event: &Event) {
        if let Event::ServiceMove { sid, target, cause: MoveCause::Placement, .. } = event
            && let Some(turn) = self.turns.get_mut(node)
        {
            turn.moved.push((sid.clone(), target.clone()));
        }
    }

    /// The master of a node writes what it has decided.
    pub(super) fn writes(
        &mut self,
        node: &NodeName,
        before: Option<&ManagerStatus>,
        status: &ManagerStatus,
        now: Instant,
    ) -> Option<Wrong> {
        let turn = self.turns.remove(node)?;
        let is_known = before.is_some_and(|before| before.returned_nodes == self.written);
        self.written.clone_from(&status.returned_nodes);
        if !turn.has_delays || !is_known {
            self.away.clear();
        }
        let away = status.nodes.keys().filter(|node| turn.has_delays && !status.is_there(node)).cloned();
        self.away.extend(away.map(|node| (node, now)));
        let nodes: Vec<NodeName> = status.nodes.keys().cloned().collect();
        let (before, rules) = (before?, evaluate(&turn.rules, &nodes).compiled);
        turn.moved.iter().find_map(|(sid, target)| {
            let delay = *turn.delays.get(sid)?;
            let could_stay = |entry: &&ServiceEntry| status.is_online(&entry.node);
            let entry = before.services.get(sid).filter(could_stay);
            let entry = entry.filter(|entry| goes_back(sid, entry, target, &rules))?;
            let back_for = now.since(*self.away.get(target)?);
            // Clocks are a little faster or slower.
            (back_for < delay.mul_f64(0.9)).then(|| {
                let details = format!(
                    "{sid} goes back from {} to {target}, which is back for {back_for:?}, and its delay is {delay:?}",
                    entry.node
                );
                (Invariant::GoesBackInTime, details)
            })
        })
    }
}

/// Whether a service goes to a node of higher priority, which it did not leave for maintenance.
fn goes_back(sid: &ServiceId, entry: &ServiceEntry, target: &NodeName, rules: &CompiledRules) -> bool {
    let Some(rule) = rules.node_affinity(sid) else { return false };
    let priorities = rule.priority(&entry.node).zip(rule.priority(target));
    entry.state == ServiceState::Started { confirmed: true }
        && entry.failed_nodes.is_empty()
        && entry.maintenance_node.is_none()
        && priorities.is_some_and(|(present, other)| other > present)
}
