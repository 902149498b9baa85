//! Losses of nodes, as data: which are asked about, and what is found.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

use serde::{Deserialize, Serialize};

use super::moves::Move;
use crate::{
    config::NodesConfig,
    id::{FailureDomain, NodeName, RuleId, ServiceId},
    placement::{Explanation, Fate},
    status::StateName,
};

/// What may be lost at once: a node, or all nodes of a rack or a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LossUnit {
    /// What people call it.
    pub name: String,
    /// Its nodes.
    pub nodes: BTreeSet<NodeName>,
}

/// Votes, where the cluster acts only as long as more than half of them are there.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Votes {
    /// The votes of each node, also of those that are not there now.
    pub nodes: BTreeMap<NodeName, u32>,
    /// Votes of others, such as a witness, that are not lost with any node.
    pub others: u32,
}

impl Votes {
    /// Whether more than half of all votes are there with these nodes.
    #[must_use]
    pub fn are_enough_with(&self, there: impl Fn(&NodeName) -> bool) -> bool {
        let sum =
            |of: &mut dyn Iterator<Item = u32>| of.map(u64::from).fold(u64::from(self.others), u64::saturating_add);
        let all = sum(&mut self.nodes.values().copied());
        let present = sum(&mut self.nodes.iter().filter(|(node, _)| there(node)).map(|(_, votes)| *votes));
        present > all.checked_div(2).unwrap_or_default()
    }
}

/// Which losses are asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Losses {
    /// What may be lost at once. Nodes of it that are not there now don't count.
    pub units: Vec<LossUnit>,
    /// How many of these are lost at once at the most.
    pub most: usize,
    /// Whether larger losses are asked about too after a first one that is too much.
    pub goes_on: bool,
    /// The votes, if the cluster needs more than half of them.
    pub votes: Option<Votes>,
    /// How many sets are looked at, at the most.
    pub most_sets: usize,
    /// Whether changes that would help are looked for. Each is played, which takes longer than all else.
    pub wants_remedies: bool,
}

impl Losses {
    /// Sets that are looked at if nothing else is said.
    pub const MOST_SETS: usize = 5_000;

    /// Losses of up to `most` of these nodes, until one is too much; without votes, and with what would help.
    #[must_use]
    pub fn of_nodes<'a>(nodes: impl IntoIterator<Item = &'a NodeName>, most: usize) -> Self {
        let unit = |node: &NodeName| LossUnit { name: node.to_string(), nodes: [node.clone()].into() };
        Self::of(nodes.into_iter().map(unit).collect(), most)
    }

    /// The same of all that fails together, as `nodes.cfg` says: racks, sites. A node of which it says nothing fails alone.
    #[must_use]
    pub fn of_domains<'a>(nodes: impl IntoIterator<Item = &'a NodeName>, labels: &NodesConfig, most: usize) -> Self {
        let mut domains: BTreeMap<Option<&FailureDomain>, Vec<&NodeName>> = BTreeMap::new();
        for node in nodes {
            domains.entry(labels.failure_domain(node)).or_default().push(node);
        }
        let alone = domains.remove(&None).unwrap_or_default();
        let named = domains.into_iter().filter_map(|(domain, nodes)| {
            Some(LossUnit { name: domain?.to_string(), nodes: nodes.into_iter().cloned().collect() })
        });
        let alone = alone.into_iter().map(|node| LossUnit { name: node.to_string(), nodes: [node.clone()].into() });
        Self::of(named.chain(alone).collect(), most)
    }

    fn of(units: Vec<LossUnit>, most: usize) -> Self {
        Self { units, most, goes_on: false, votes: None, most_sets: Self::MOST_SETS, wants_remedies: true }
    }
}

/// Which losses a cluster survives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tolerance {
    /// So many may be lost at once, whichever they are, and every service is recovered.
    pub survives: usize,
    /// Whether all sets that were asked about were looked at. Else more may be survived than it says.
    pub is_whole: bool,
    /// What was found for one loss at once, two, and so on.
    pub levels: Vec<LossLevel>,
    /// Services that are asked to run and don't settle on a node even if nothing is lost. They don't count.
    pub down_already: Vec<Down>,
}

/// What was found for so many losses at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LossLevel {
    /// So many are lost at once.
    pub losses: usize,
    /// So many sets were looked at: all that there are if none was too much.
    pub sets: usize,
    /// The first set that is too much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub too_much: Option<TooMuch>,
}

/// A loss that the cluster does not survive whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TooMuch {
    /// The names of what is lost.
    pub units: Vec<String>,
    /// The nodes that are lost with it.
    pub nodes: Vec<NodeName>,
    /// Whether no more than half of the votes are left: then nobody may act at all.
    pub is_without_quorum: bool,
    /// The services that stay down, and why.
    pub down: Vec<Down>,
    /// Changes of which each by itself would let all of them be recovered; none if they were not [asked for](Losses::wants_remedies).
    pub remedies: Vec<Remedy>,
    /// Another placement that would do, if there is one and it was [looked for](Losses::wants_remedies) too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_placement: Option<OtherPlacement>,
}

/// Another placement, which keeps all strict rules without the nodes that are lost. The manager moves no service to make room for
/// another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reached", rename_all = "snake_case")]
pub enum OtherPlacement {
    /// After these moves, made before the loss, all would be recovered.
    Beforehand {
        /// The moves.
        moves: Vec<Move>,
    },
    /// The manager would not get there by itself, whatever is moved before the loss.
    Unreached {
        /// What would be elsewhere than now.
        moves: Vec<Move>,
    },
}

/// A service that is asked to run, and stays down.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Down {
    /// The service.
    pub sid: ServiceId,
    /// The node that it is recorded on.
    pub node: NodeName,
    /// Why.
    #[serde(flatten)]
    pub reason: DownReason,
}

/// Why a service stays down.
#[expect(clippy::large_enum_variant, reason = "nearly all of them are of the large kind, and there are few")]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum DownReason {
    /// No node that is left may have it.
    NoNode {
        /// What the deciding code says of each node.
        explanation: Explanation,
    },
    /// Nothing proves that its node is down.
    NotFenced,
    /// No node is left.
    NothingLeft,
    /// Nobody may act.
    NoQuorum,
    /// It stays in this state.
    State {
        /// The state.
        state: StateName,
    },
}

/// A change with which a loss would be survived.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "remedy", rename_all = "snake_case")]
pub enum Remedy {
    /// A node affinity rule that is not strict any more, or the group behind it without `restricted`.
    LoosenRule {
        /// The rule.
        rule: RuleId,
    },
    /// A rule less.
    DropRule {
        /// The rule.
        rule: RuleId,
    },
    /// One node more, which no rule names.
    OneMoreNode,
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LoosenRule { rule } => write!(f, "rule {rule} without 'strict'"),
            Self::DropRule { rule } => write!(f, "no rule {rule}"),
            Self::OneMoreNode => f.write_str("one node more"),
        }
    }
}

impl fmt::Display for Down {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sid, node, reason } = self;
        match reason {
            DownReason::NoNode { explanation } => {
                write!(f, "{sid} has no node: ")?;
                no_node(explanation, f)
            }
            DownReason::NotFenced => {
                write!(f, "{sid} waits for {node} to be fenced: nothing proves that the node is down")
            }
            DownReason::NothingLeft => write!(f, "{sid} has no node: none is left"),
            DownReason::NoQuorum => write!(f, "{sid} is not recovered: without a quorum nobody may act"),
            DownReason::State { state } => write!(f, "{sid} stays in state '{state}' on {node}"),
        }
    }
}

/// What is against each node that is online.
fn no_node(explanation: &Explanation, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let online = explanation.nodes.iter().filter(|node| !matches!(node.fate, Fate::NotOnline { .. }));
    let mut is_first = true;
    for node in online {
        let separator = if core::mem::take(&mut is_first) { "" } else { "; " };
        write!(f, "{separator}{}: {}", node.node, node.fate)?;
    }
    if is_first { f.write_str("none is online") } else { Ok(()) }
}
