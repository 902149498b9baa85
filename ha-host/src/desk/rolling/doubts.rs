//! What speaks against going on with work on node after node.

use ha_core::{
    id::NodeName,
    status::{NodeState, StateName, view::ShownState},
};
use serde::Serialize;

use crate::desk::{
    Evacuation, Glance, Health, NodeGlance, NodeHealth, Present, ServiceGlance,
    evacuation::{evacuation_with_end, interrupted},
};

use super::work::RollingWork;

/// What is to be done to a node, and what speaks against it.
#[derive(Debug, Clone, Serialize)]
pub struct RollingPlan {
    /// The node.
    pub node: NodeName,
    /// What becomes of services, and of the cluster meanwhile. Nothing if no node could be the master.
    pub evacuation: Option<Evacuation>,
    /// What speaks against it, in words.
    pub doubts: Vec<String>,
}

/// The plan for these nodes in their order: each by the cluster as it will be when those before it are done.
#[must_use]
pub fn rolling_plan(present: &Present, work: &RollingWork, nodes: &[NodeName]) -> Vec<RollingPlan> {
    let mut plans = Vec::new();
    let mut then = present.clone();
    for node in nodes {
        let found = evacuation_with_end(&then, std::slice::from_ref(node));
        let (evacuation, end) = found.map_or((None, None), |(evacuation, end)| (Some(evacuation), Some(end)));
        let doubts = doubts_of_node(present, work, node, evacuation.as_ref());
        plans.push(RollingPlan { node: node.clone(), evacuation, doubts });
        then = end.unwrap_or(then);
    }
    plans
}

fn doubts_of_node(
    present: &Present,
    work: &RollingWork,
    node: &NodeName,
    evacuation: Option<&Evacuation>,
) -> Vec<String> {
    let mut doubts = Vec::new();
    let members = &present.settings.nodes;
    let left = members.iter().filter(|member| *member != node && present.is_there(member)).count();
    let is_enough = if present.needs_majority { left.saturating_mul(2) > members.len() } else { left > 0 };
    if !is_enough {
        doubts.push(format!("without {node} there is no quorum: {left} of {} nodes are left", members.len()));
    }
    let Some(evacuation) = evacuation else {
        doubts.push(format!("what becomes of the services of {node} can't be told: no node could be the master"));
        return doubts;
    };
    if !evacuation.interrupted.is_empty() && !work.allow_interruption {
        let sids: Vec<&str> = evacuation.interrupted.iter().map(|sid| sid.as_str()).collect();
        doubts.push(format!("interrupted while {node} is down: {}", sids.join(", ")));
    }
    if evacuation.meanwhile.survives == 0 && !work.without_reserve {
        doubts
            .push(format!("while {node} is down the loss of one more node is not survived: 'ha plan evacuate {node}'"));
    }
    if work.wait_for_reboot && boot_of(present, node).is_none() {
        doubts
            .push(format!("the daemon of {node} does not say since which boot it works: a restart could not be seen"));
    }
    doubts
}

/// Why the cluster is not whole: by this the work begins with no node, and is not done with one. Empty: it is.
#[must_use]
pub fn rolling_doubts(present: &Present, own_node: &NodeName) -> Vec<String> {
    let glance = Glance::new(present, own_node, None);
    let mut doubts: Vec<String> = present.broken.iter().map(|broken| broken.problem.clone()).collect();
    if !glance.is_alive || !present.has_fresh_master() {
        doubts.push("no master is at work".to_owned());
    }
    if present.status.disarm.is_some() {
        doubts.push("HA is disarmed, or about to be armed or disarmed".to_owned());
    }
    let absent =
        glance.nodes.iter().filter(|node| node.state != NodeHealth::Online || !present.status.is_online(&node.node));
    doubts.extend(absent.map(node_doubt));
    doubts.extend(glance.services.iter().filter(|service| !is_settled(service)).map(service_doubt));
    doubts
}

/// What must not be while a node is at work or comes back from it: something is lost, failed or disarmed. Empty: nothing.
#[must_use]
pub fn rolling_alarms(present: &Present, own_node: &NodeName, at_work: &NodeName) -> Vec<String> {
    let glance = Glance::new(present, own_node, None);
    let mut alarms = Vec::new();
    if present.status.disarm.is_some() {
        alarms.push("HA is disarmed, or about to be".to_owned());
    }
    // What is at work may be down. If something may run there still, that is a failed service.
    let is_lost = |node: &&NodeGlance| match node.state {
        NodeHealth::ToBeFenced
        | NodeHealth::Silent
        | NodeHealth::Stopped
        | NodeHealth::NoMember
        | NodeHealth::Maintenance => node.node != *at_work,
        NodeHealth::Online | NodeHealth::GoingDown | NodeHealth::Joining | NodeHealth::NeverSeen => false,
    };
    alarms.extend(glance.nodes.iter().filter(is_lost).map(node_doubt));
    let has_failed = |service: &&ServiceGlance| {
        matches!(
            service.view.shown,
            ShownState::NotUnderstood | ShownState::Recorded(StateName::Error | StateName::Fence | StateName::Recovery)
        )
    };
    alarms.extend(glance.services.iter().filter(has_failed).map(service_doubt));
    alarms
}

fn node_doubt(node: &NodeGlance) -> String {
    format!("{} is not simply online: {}", node.node, node.text)
}

fn service_doubt(service: &ServiceGlance) -> String {
    let reason = service.reason.as_ref().map(|reason| format!(" - {reason}")).unwrap_or_default();
    format!("{} is {}{reason}", service.view.sid, service.view.shown.as_str())
}

/// Whether nothing is under way with a service, and nothing wrong with it.
fn is_settled(service: &ServiceGlance) -> bool {
    let is_still = match service.view.shown {
        ShownState::Ignore
        | ShownState::Ignored
        | ShownState::Disabled
        | ShownState::Recorded(StateName::Stopped | StateName::Started) => true,
        ShownState::NotUnderstood
        | ShownState::NotFound
        | ShownState::NotReady
        | ShownState::Deleting
        | ShownState::Queued
        | ShownState::Starting
        | ShownState::Waiting
        | ShownState::Stopping
        | ShownState::ClearingErrorFlag
        | ShownState::Recorded(
            StateName::RequestStop
            | StateName::RequestStart
            | StateName::RequestStartBalance
            | StateName::Fence
            | StateName::Recovery
            | StateName::Migrate
            | StateName::Relocate
            | StateName::Freeze
            | StateName::Error,
        ) => false,
    };
    is_still && service.health == Health::Healthy
}

/// Whether a node is in maintenance and nothing may run there but what may stay.
///
/// # Errors
///
/// What is so instead.
pub fn is_evacuated(present: &Present, work: &RollingWork, node: &NodeName) -> Result<(), String> {
    let state = present.status.node_state(node);
    if state != NodeState::Maintenance {
        return Err(format!("it is in state {state}"));
    }
    let there = interrupted(present, std::slice::from_ref(node));
    let there: Vec<&str> = there.iter().filter(|sid| !work.stays.contains(sid)).map(|sid| sid.as_str()).collect();
    if there.is_empty() { Ok(()) } else { Err(format!("{} may still run there", there.join(", "))) }
}

/// The boot of a node since which its daemon works, if it says so.
#[must_use]
pub fn boot_of(present: &Present, node: &NodeName) -> Option<String> {
    let writer = present.lrms.get(node)?.writer.as_ref()?;
    Some(writer.boot.to_string()).filter(|boot| !boot.is_empty())
}
