//! What would have to be different for a loss to be survived: changes that are tried by the code that decides.

use alloc::{collections::BTreeSet, sync::Arc, vec::Vec};

use super::{
    RoundsToCome,
    losses::{Down, DownReason, Remedy},
    settled::Settled,
};
use crate::{
    config::{Group, Rule, RuleKind},
    host::Configuration,
    id::{NodeName, RuleId},
    placement::Fate,
    status::NodeState,
};

/// Changes that are tried at the most.
const MOST: usize = 12;

/// The changes with which nothing stays down after a loss, each by itself. Only what the services that stay down were refused for
/// is tried.
pub(super) fn remedies(settled: &Settled, lost: &BTreeSet<NodeName>, down: &[Down]) -> Vec<Remedy> {
    let mut tried: BTreeSet<Remedy> = down.iter().flat_map(|down| candidates(&down.reason)).collect();
    tried.insert(Remedy::OneMoreNode);
    let helps = |remedy: &Remedy| {
        let changed = changed(&settled.rounds, remedy);
        changed.is_some_and(|changed| settled.down_after(changed, lost).is_empty())
    };
    tried.into_iter().take(MOST).filter(helps).collect()
}

/// What might help a service: the rules that leave out nodes that are online.
fn candidates(reason: &DownReason) -> Vec<Remedy> {
    let DownReason::NoNode { explanation } = reason else { return Vec::new() };
    let mut found = Vec::new();
    for node in &explanation.nodes {
        match &node.fate {
            Fate::NotAllowed { rule } => found.push(Remedy::LoosenRule { rule: rule.clone() }),
            Fate::KeptApart { rules, .. } | Fate::KeptTogether { rules, .. } => {
                found.extend(rules.iter().map(|rule| Remedy::DropRule { rule: rule.clone() }));
            }
            Fate::Candidate
            | Fate::NotOnline { .. }
            | Fate::LowerPriority { .. }
            | Fate::BackTooShortly { .. }
            | Fate::Held { .. }
            | Fate::FailedBefore
            | Fate::RatherApart { .. } => {}
        }
    }
    found
}

/// The cluster with a change; nothing if it can't be made.
fn changed(rounds: &RoundsToCome, remedy: &Remedy) -> Option<RoundsToCome> {
    let mut rounds = rounds.clone();
    match remedy {
        Remedy::LoosenRule { rule } => loosen(&mut rounds.input.configuration, rule)?,
        Remedy::DropRule { rule } => {
            let rule = Arc::make_mut(&mut rounds.input.configuration.rules).rules.get_mut(rule)?;
            rule.disable = Some(true);
        }
        Remedy::OneMoreNode => {
            let node = unused_name(&rounds)?;
            rounds.input.members.insert(node.clone(), true);
            rounds.status.nodes.insert(node, NodeState::Online);
        }
    }
    Some(rounds)
}

/// Takes `strict` from a node affinity rule, or `restricted` from the group that it stands for.
fn loosen(configuration: &mut Configuration, rule: &RuleId) -> Option<()> {
    if let Some(rule) = Arc::make_mut(&mut configuration.rules).rules.get_mut(rule) {
        let RuleKind::NodeAffinity { strict, .. } = &mut rule.kind else { return None };
        *strict = Some(false);
        return Some(());
    }
    let groups = &mut Arc::make_mut(&mut configuration.groups).groups;
    let of_rule = |group: &&mut Group| RuleId::of_group(&group.id) == *rule;
    let group = groups.values_mut().find(of_rule)?;
    group.restricted = Some(false);
    Some(())
}

/// A name that no node has and no rule names.
fn unused_name(rounds: &RoundsToCome) -> Option<NodeName> {
    (1_u32..).map_while(|number| NodeName::new(alloc::format!("one-more-{number}")).ok()).find(|name| {
        let is_named = |rule: &Rule| match &rule.kind {
            RuleKind::NodeAffinity { nodes, .. } => nodes.contains_key(name),
            RuleKind::ResourceAffinity { .. } | RuleKind::Order(_) => false,
        };
        !rounds.status.nodes.contains_key(name)
            && !rounds.input.members.contains_key(name)
            && !rounds.input.configuration.rules.rules.values().any(is_named)
    })
}
