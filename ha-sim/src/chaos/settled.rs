//! Whether everything is where rules and requests want it, or says why not.

use std::collections::BTreeSet;

use ha_core::{
    config::{RequestedState, datacenter::FencingMode},
    id::{NodeName, ServiceId},
    status::{ManagerStatus, NodeState, ServiceEntry, ServiceState},
};

use crate::{cluster::Cluster, world::World};

/// What has not settled, in words; nothing if all has.
#[must_use]
pub fn unsettled(cluster: &Cluster) -> Vec<String> {
    let world = cluster.world();
    let empty = ManagerStatus::default();
    let status = cluster.manager_status().unwrap_or(&empty);
    let devices_needed = world.store.datacenter.fencing != FencingMode::Watchdog;
    // Devices that have turned off most of the nodes left no master that could know of it: only people help.
    if devices_needed && !world.nodes.keys().any(|node| world.is_online(node)) {
        return Vec::new();
    }
    let mut unsettled = Vec::new();
    if !world.store.commands.is_empty() && !world.store.resources.resources.is_empty() {
        unsettled.push(format!("commands wait: {:?}", world.store.commands));
    }
    if status.disarm.is_some() {
        unsettled.push("it is still disarmed".to_owned());
    }
    for (node, state) in &status.nodes {
        let fine = match state {
            NodeState::Online => true,
            // Devices may be exhausted: then only a person helps.
            NodeState::Fence => devices_needed,
            NodeState::Unknown | NodeState::Gone => !world.is_online(node),
            NodeState::Maintenance => false,
        };
        if !fine && !status.services.is_empty() {
            unsettled.push(format!("{node} is {state}"));
        }
    }
    for (sid, resource) in &world.store.resources.resources {
        if let Some(reason) = service(world, status, sid, resource.state(), devices_needed) {
            unsettled.push(format!("{sid}: {reason}"));
        }
    }
    for (sid, _) in status.services.iter() {
        if !world.store.resources.resources.contains_key(sid) {
            unsettled.push(format!("{sid} has an entry but is not configured"));
        }
    }
    unsettled
}

fn service(
    world: &World,
    status: &ManagerStatus,
    sid: &ServiceId,
    requested: RequestedState,
    devices_needed: bool,
) -> Option<String> {
    let guest = world.guests.get(sid)?;
    let entry = status.services.get(sid);
    let Some(entry) = entry else {
        return (requested != RequestedState::Ignored).then(|| "it has no entry".to_owned());
    };
    if requested == RequestedState::Ignored {
        return Some("it is ignored but has an entry".to_owned());
    }
    let places: BTreeSet<&NodeName> = world.places(sid).collect();
    let wants_to_run = requested == RequestedState::Started;
    let is_fine = match &entry.state {
        ServiceState::Started { confirmed } => {
            wants_to_run && *confirmed && places.len() == 1 && places.contains(&entry.node)
        }
        ServiceState::Stopped => !wants_to_run && places.is_empty(),
        // It says why.
        ServiceState::Error | ServiceState::Recovery => true,
        ServiceState::Fence => devices_needed,
        ServiceState::RequestStop { .. }
        | ServiceState::RequestStart
        | ServiceState::RequestStartBalance { .. }
        | ServiceState::Migrate { .. }
        | ServiceState::Relocate { .. }
        | ServiceState::Freeze => false,
    };
    let located = matches!(entry.state, ServiceState::Error) || guest.node == entry.node;
    if is_fine && located { None } else { Some(describe(entry, &guest.node, &places, requested)) }
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
