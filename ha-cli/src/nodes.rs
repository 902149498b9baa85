//! `ha node list|add|remove`: who is in the cluster.

use std::process::ExitCode;

use ha_core::{
    config::{RuleKind, groups::Group},
    id::{NodeName, ServiceId},
    status::Command,
};
use ha_host::{
    desk::{Change, Glance, NodeGlance, NodeHealth, Present},
    store::ClusterSettings,
};

use super::{
    commands::check_node,
    context::{Context, Failure, say_json, say_rows, who},
    deed::{Deed, Manner},
};

pub(super) fn list(context: &Context, as_json: bool) -> Result<ExitCode, Failure> {
    let present = context.present()?;
    let nodes = Glance::new(&present, &context.node()?, None).nodes;
    if as_json {
        say_json(&nodes)?;
        return Ok(ExitCode::SUCCESS);
    }
    let row = |node: &NodeGlance| {
        let guard = node.guard.as_deref().map_or_else(String::new, |guard| format!("guarded by {guard}"));
        let domain = node.failure_domain.as_ref().map(|domain| format!("in {domain}"));
        [node.node.to_string(), node.text.clone(), guard].into_iter().chain(domain).collect::<Vec<String>>()
    };
    say_rows(&nodes.iter().map(row).collect::<Vec<_>>())?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn add(context: &Context, node: &NodeName, manner: &Manner) -> Result<ExitCode, Failure> {
    node.check_length()?;
    let mut deed = Deed::new(context, manner, "node add", node, format!("added: node {node}"))?;
    let mut nodes = deed.present.settings.nodes.clone();
    if nodes.contains(node) {
        return Err(Failure::Failed(format!("'{node}' is in the cluster already, which has {}", names(&nodes))));
    }
    nodes.push(node.clone());
    nodes.sort();
    deed.notes.extend(named_by(&deed.present, node).map(|named| format!("{named}, and holds for it from now on")));
    deed.notes.push(format!("start its daemon on it: ha --node {node} node run"));
    let change = Change { members: Some(nodes), ..Change::default() };
    deed.carry_out(
        &change,
        |_| Ok(Vec::new()),
        || {
            edit_members(context, |settings| {
                if !settings.nodes.contains(node) {
                    settings.nodes.push(node.clone());
                    settings.nodes.sort();
                }
            })?;
            Ok(context.store.reserve_room()?)
        },
    )
}

pub(super) fn remove(context: &Context, node: &NodeName, force: bool, manner: &Manner) -> Result<ExitCode, Failure> {
    let mut deed = Deed::new(context, manner, "node remove", node, format!("removed: node {node}"))?;
    let mut nodes = deed.present.settings.nodes.clone();
    check_node(&nodes, node)?;
    nodes.retain(|other| other != node);
    if nodes.is_empty() {
        return Err(Failure::Failed(format!("'{node}' is the only node of this cluster: a cluster has at least one")));
    }
    deed.needs_status()?;
    refuse_while_it_works(&deed.present, &context.node()?, node)?;
    let left = Left::on(&deed.present, node);
    left.refuse_lost(node)?;
    if !force {
        left.refuse(node)?;
    }
    deed.notes.extend(left.words(node));
    deed.notes
        .extend(named_by(&deed.present, node).map(|named| format!("{named}: nothing follows from that any more")));
    let was_in_maintenance = deed.present.status.maintenance_requested(node);
    let change = Change { members: Some(nodes), ..Change::default() };
    deed.carry_out(
        &change,
        |_| Ok(Vec::new()),
        || {
            edit_members(context, |settings| settings.nodes.retain(|other| other != node))?;
            if was_in_maintenance {
                // Else it would be in maintenance from the start if it is added again.
                let command = Command::DisableNodeMaintenance { node: node.clone() };
                context.desk.give(&command, &who(), &context.new_id()?)?;
            }
            Ok(context.store.forget_node(node)?)
        },
    )
}

fn edit_members(context: &Context, mut change: impl FnMut(&mut ClusterSettings)) -> Result<(), Failure> {
    Ok(context.store.edit_settings(&mut change)?)
}

fn names(nodes: &[NodeName]) -> String {
    nodes.iter().map(NodeName::as_str).collect::<Vec<_>>().join(", ")
}

/// A daemon goes on with what it knows: what it runs would run twice.
fn refuse_while_it_works(present: &Present, own: &NodeName, node: &NodeName) -> Result<(), Failure> {
    let glance = Glance::new(present, own, None);
    let seen = glance.nodes.iter().find(|seen| seen.node == *node);
    let remedy = format!(
        "first let its services leave ('ha maintenance enable {node} --wait'), then stop its daemon, then remove it"
    );
    match seen.map(|seen| (seen.state, &seen.text)) {
        Some((NodeHealth::Online | NodeHealth::Maintenance | NodeHealth::GoingDown | NodeHealth::Joining, text)) => {
            Err(Failure::Failed(format!("the daemon of {node} works ({text}): {remedy}")))
        }
        Some((NodeHealth::ToBeFenced, text)) => Err(Failure::Failed(format!(
            "{node} is {text}: what runs on it may go on. Wait until it is fenced, or make sure that it is off and say so with 'ha confirm-fenced {node}'"
        ))),
        Some((NodeHealth::Silent | NodeHealth::Stopped | NodeHealth::NeverSeen | NodeHealth::NoMember, _)) | None => {
            Ok(())
        }
    }
}

/// What is on a node that will be removed.
struct Left {
    /// Services that may run there.
    active: Vec<ServiceId>,
    /// Other services that the master has there.
    services: Vec<ServiceId>,
    /// Guests that are no services.
    guests: Vec<ServiceId>,
}

impl Left {
    fn on(present: &Present, node: &NodeName) -> Self {
        let status = &present.status;
        let active: Vec<ServiceId> = status.active_services(node).cloned().collect();
        let is_there = |sid: &ServiceId| status.services.get(sid).is_some_and(|entry| entry.node == *node);
        let services = status.services.iter().map(|(sid, _)| sid);
        let services = services.filter(|sid| is_there(sid) && !active.contains(sid)).cloned().collect();
        let guests = present.stored.guests.iter();
        let guests = guests.filter(|(sid, guest)| guest.node == *node && !status.services.contains(sid));
        Self { services, guests: guests.map(|(sid, _)| sid.clone()).collect(), active }
    }

    /// Without the member nobody fences it, and what runs there is never recovered.
    fn refuse_lost(&self, node: &NodeName) -> Result<(), Failure> {
        if self.active.is_empty() {
            return Ok(());
        }
        Err(Failure::Failed(format!(
            "{} may run on {node}: let it leave first with 'ha maintenance enable {node} --wait', or wait until the node is fenced and it is recovered elsewhere",
            listed(&self.active)
        )))
    }

    fn refuse(&self, node: &NodeName) -> Result<(), Failure> {
        let (what, remedy) = match (self.services.as_slice(), self.guests.as_slice()) {
            ([], []) => return Ok(()),
            ([], guests) => {
                (listed(guests), "move the guest ('ha guest set') or remove its definition ('ha guest remove')")
            }
            (services, _) => (listed(services), "relocate the service ('ha relocate'), or remove it ('ha remove')"),
        };
        Err(Failure::Failed(format!("{what} is on {node}: {remedy}, or say --force to leave it there")))
    }

    fn words(&self, node: &NodeName) -> Option<String> {
        let left: Vec<ServiceId> = self.services.iter().chain(&self.guests).cloned().collect();
        (!left.is_empty()).then(|| format!("{} stays on {node}, which is no member any more", listed(&left)))
    }
}

fn listed(sids: &[ServiceId]) -> String {
    const MOST: usize = 5;
    let names: Vec<&str> = sids.iter().take(MOST).map(ServiceId::as_str).collect();
    let more = sids.len().saturating_sub(names.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", names.join(", "))
}

/// Which rules, groups and files name a node.
fn named_by(present: &Present, node: &NodeName) -> Option<String> {
    let configuration = present.configuration();
    let rules = configuration.rules.rules.values().filter(|rule| match &rule.kind {
        RuleKind::NodeAffinity { nodes, .. } => nodes.contains_key(node),
        RuleKind::ResourceAffinity { .. } | RuleKind::Order(_) => false,
    });
    let rules = rules.map(|rule| format!("rule '{}'", rule.id));
    let names_it = |group: &Group| group.nodes.contains_key(node);
    let groups = configuration.groups.groups.iter().filter(|(_, group)| names_it(group));
    let groups = groups.map(|(id, _)| format!("group '{id}'"));
    let labels = configuration.nodes.nodes.contains_key(node).then(|| "nodes.cfg".to_owned());
    let named: Vec<String> = rules.chain(groups).chain(labels).collect();
    (!named.is_empty()).then(|| format!("{} names {node}", named.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_is_cut() {
        let sids: Vec<ServiceId> = (100..107).map(|number| format!("vm:{number}").parse().unwrap()).collect();
        assert_eq!(listed(&sids), "vm:100, vm:101, vm:102, vm:103, vm:104 and 2 more");
        assert_eq!(listed(&sids[..1]), "vm:100");
    }
}
