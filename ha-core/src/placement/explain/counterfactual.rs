//! What would have to be different for a service to go to another node.
//!
//! Found by asking: whatever stands in the way of the node, by the notes of the decision, is taken away, and the
//! decision is made again, until the node is the answer.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{Explanation, Fate, Figure, explain};
use crate::{
    config::{Affinity, RuleKind},
    id::{FailureDomain, NodeName, RuleId, ServiceId},
    placement::{Decider, PlacementError, Preference, Scene},
    status::{NodeState, ServiceState},
};

/// More changes than any decision can ask for: each thing that can stand in the way of a node is taken away once.
const MAX_CHANGES: usize = 16;

/// The changes with which a service would go to a node, and the decision as it would be then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Counterfactual {
    /// The node.
    pub node: NodeName,
    /// What would have to be different, all of it; nothing if the service goes there as things are.
    pub changes: Vec<Change>,
    /// The decision with these changes. Its answer is the node.
    pub then: Explanation,
}

/// Something that could be different.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// The node is online.
    NodeOnline {
        /// The node.
        node: NodeName,
        /// Its state now.
        state: NodeState,
    },
    /// The node affinity rule names the node with a priority that is high enough.
    PreferNode {
        /// The rule.
        rule: RuleId,
        /// The node.
        node: NodeName,
        /// The priority.
        priority: i32,
    },
    /// The failed start on the node is forgotten.
    ForgetFailure {
        /// The node.
        node: NodeName,
    },
    /// Services that must be kept apart, or should rather be apart, leave the node, or are stopped.
    Leave {
        /// The node.
        node: NodeName,
        /// These services.
        services: Vec<ServiceId>,
        /// The failure domain that they leave, if they are elsewhere in that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        domain: Option<FailureDomain>,
    },
    /// Services that must be together run on the node.
    Join {
        /// The node.
        node: NodeName,
        /// These services.
        services: Vec<ServiceId>,
    },
    /// The node, which came back lately, has been well for longer.
    WellForLonger {
        /// The node.
        node: NodeName,
        /// For how many seconds more.
        seconds: u32,
    },
    /// The node, which was fenced again and again, takes new services.
    ClearFencings {
        /// The node.
        node: NodeName,
    },
    /// The service fails back.
    Failback,
    /// It does not wait for the node that it left for maintenance.
    ForgetMaintenanceNode {
        /// That node.
        node: NodeName,
    },
    /// The best node is asked for, rather than whether it may stay, or the next one after a failure.
    AskForBest,
    /// The node suits better than the one that suits best now.
    BetterFigure {
        /// The node.
        node: NodeName,
        /// How well it suits now.
        now: Figure,
        /// What it must be better than.
        than: Figure,
        /// The nodes that are before it.
        ahead: Vec<NodeName>,
    },
}

/// What would have to be different for a service to go to a node.
pub(crate) fn counterfactual(
    mut scene: Scene<'_>,
    sid: &ServiceId,
    preference: Preference,
    node: &NodeName,
) -> Result<Counterfactual, PlacementError> {
    let mut asked = preference;
    let mut changes = Vec::new();
    for _ in 0..MAX_CHANGES {
        let then = explain(&scene, sid, asked)?;
        if then.answer.as_ref() == Some(node) {
            return Ok(Counterfactual { node: node.clone(), changes, then });
        }
        let change = obstacle(&scene, &then, node)?;
        apply(&change, &mut scene, sid, &mut asked);
        changes.push(change);
    }
    Err(PlacementError::NoWay { sid: sid.clone(), node: node.clone() })
}

/// Where a service would be with changes, and why.
pub(crate) fn explain_with(
    mut scene: Scene<'_>,
    sid: &ServiceId,
    preference: Preference,
    changes: &[Change],
) -> Result<Explanation, PlacementError> {
    let mut asked = preference;
    for change in changes {
        apply(change, &mut scene, sid, &mut asked);
    }
    explain(&scene, sid, asked)
}

/// What stands in the way of a node that is not the answer.
fn obstacle(scene: &Scene<'_>, decision: &Explanation, node: &NodeName) -> Result<Change, PlacementError> {
    let explained = decision.of(node).ok_or_else(|| PlacementError::NoSuchNode(node.clone()))?;
    let node = node.clone();
    Ok(match &explained.fate {
        Fate::NotOnline { state } => Change::NodeOnline { node, state: *state },
        Fate::NotAllowed { rule } => {
            Change::PreferNode { priority: priority_in(scene, rule), rule: rule.clone(), node }
        }
        Fate::LowerPriority { rule, preferred, .. } => {
            Change::PreferNode { rule: rule.clone(), node, priority: *preferred }
        }
        Fate::FailedBefore => Change::ForgetFailure { node },
        Fate::BackTooShortly { left } => Change::WellForLonger { node, seconds: *left },
        Fate::Held { .. } => Change::ClearFencings { node },
        Fate::KeptApart { from, domain, .. } | Fate::RatherApart { from, domain, .. } => {
            Change::Leave { node, services: from.clone(), domain: domain.clone() }
        }
        Fate::KeptTogether { .. } => Change::Join { services: partners_elsewhere(scene, decision, &node), node },
        Fate::Candidate => overruled(scene, decision, node)?,
    })
}

/// Why a node that was left to the end is not the answer.
fn overruled(scene: &Scene<'_>, decision: &Explanation, node: NodeName) -> Result<Change, PlacementError> {
    let no_way = || PlacementError::NoWay { sid: decision.sid.clone(), node: node.clone() };
    Ok(match decision.decided_by {
        Decider::NoFailback => Change::Failback,
        Decider::Stay | Decider::NextInOrder => Change::AskForBest,
        Decider::MaintenanceNode => {
            let entry = scene.status.services.get(&decision.sid).ok_or_else(no_way)?;
            Change::ForgetMaintenanceNode { node: entry.maintenance_node.clone().ok_or_else(no_way)? }
        }
        Decider::LowestLoad => {
            let figure_of = |node: &NodeName| decision.of(node).and_then(|explained| explained.figure);
            let best = decision.answer.as_ref().ok_or_else(no_way)?;
            Change::BetterFigure {
                now: figure_of(&node).ok_or_else(no_way)?,
                than: figure_of(best).ok_or_else(no_way)?,
                ahead: nodes_ahead(decision, &node),
                node,
            }
        }
        // Then nothing was left, and so was not this node.
        Decider::NothingAllowed | Decider::NothingLeft => return Err(no_way()),
    })
}

/// The nodes that are before one in the order of load, in that order.
fn nodes_ahead(decision: &Explanation, node: &NodeName) -> Vec<NodeName> {
    let Some(own) = decision.of(node).and_then(|explained| explained.rank) else { return Vec::new() };
    let mut ahead: Vec<(usize, NodeName)> = decision
        .nodes
        .iter()
        .filter_map(|other| Some((other.rank.filter(|rank| *rank < own)?, other.node.clone())))
        .collect();
    ahead.sort();
    ahead.into_iter().map(|(_, node)| node).collect()
}

/// The priority with which a rule must name a node for it to be among those that the rule prefers: that of the online
/// nodes that it prefers, or if there are none, its highest.
fn priority_in(scene: &Scene<'_>, rule: &RuleId) -> i32 {
    let nodes = match scene.rules.get(rule).map(|rule| &rule.kind) {
        Some(RuleKind::NodeAffinity { affinity: Affinity::Negative, .. }) => return 0,
        Some(RuleKind::NodeAffinity { nodes, .. }) => nodes,
        Some(RuleKind::ResourceAffinity { .. } | RuleKind::Order(_)) | None => return 0,
    };
    let online = nodes.iter().filter(|(node, _)| scene.status.is_online(node)).map(|(_, priority)| *priority).max();
    online.or_else(|| nodes.values().copied().max()).unwrap_or(0)
}

/// The services that must be together with the one in question, and that use other nodes.
fn partners_elsewhere(scene: &Scene<'_>, decision: &Explanation, node: &NodeName) -> Vec<ServiceId> {
    let (placement, _) = scene.placement();
    let Some(service) = scene.status.services.position(&decision.sid) else { return Vec::new() };
    let position = placement.position(node);
    let elsewhere = placement.together_with(service).filter(|other| {
        let destination = placement.occupancy(*other).destination().map(|on| on as usize);
        destination.is_some() && destination != position
    });
    elsewhere.filter_map(|other| scene.status.services.at(other)).map(|(sid, _)| sid.clone()).collect()
}

/// Makes a scene as if the change had been made.
fn apply(change: &Change, scene: &mut Scene<'_>, sid: &ServiceId, asked: &mut Preference) {
    match change {
        Change::NodeOnline { node, .. } => {
            scene.status.to_mut().nodes.insert(node.clone(), NodeState::Online);
            if !scene.members.contains(node) {
                scene.members.push(node.clone());
                scene.members.sort();
            }
        }
        Change::PreferNode { rule, node, priority } => {
            let Some(mut rule) = scene.rules.get(rule).cloned() else { return };
            match &mut rule.kind {
                RuleKind::NodeAffinity { nodes, affinity: Affinity::Negative, .. } => nodes.remove(node),
                RuleKind::NodeAffinity { nodes, .. } => nodes.insert(node.clone(), *priority),
                RuleKind::ResourceAffinity { .. } | RuleKind::Order(_) => None,
            };
            scene.rules.insert(rule);
        }
        Change::ForgetFailure { node } => {
            if let Some(entry) = scene.status.to_mut().services.get_mut(sid) {
                entry.failed_nodes.retain(|failed| failed != node);
            }
        }
        Change::Leave { services, .. } => {
            for other in services {
                if let Some(entry) = scene.status.to_mut().services.get_mut(other) {
                    entry.state = ServiceState::Stopped;
                }
            }
        }
        Change::Join { node, services } => {
            for other in services {
                if let Some(entry) = scene.status.to_mut().services.get_mut(other) {
                    entry.state = ServiceState::Started { confirmed: true };
                    entry.node = node.clone();
                }
            }
        }
        Change::WellForLonger { node, .. } => {
            scene.status.to_mut().returned_nodes.remove(node);
        }
        Change::ClearFencings { node } => {
            scene.status.to_mut().fenced_nodes.remove(node);
        }
        Change::Failback => scene.failback = Some(true),
        Change::ForgetMaintenanceNode { .. } => {
            if let Some(entry) = scene.status.to_mut().services.get_mut(sid) {
                entry.maintenance_node = None;
            }
        }
        Change::AskForBest => *asked = Preference::BestScore,
        Change::BetterFigure { node, than, .. } => scene.cost = Some((node.clone(), than.cost().next_down())),
    }
}

impl Figure {
    /// The lower, the better.
    fn cost(self) -> f64 {
        match self {
            Self::Services(count) => f64::from(count),
            Self::Score(score) => -score,
        }
    }
}
