//! Whether any placement keeps the rules, as data: what is asked, and what is found.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    config::Spread,
    id::{NodeName, RuleId, ServiceId},
    plan::moves::Move,
};

/// What is asked of a placement.
#[derive(Debug, Clone, PartialEq)]
pub struct FeasibleQuestion {
    /// Nodes that are taken for lost.
    pub without: BTreeSet<NodeName>,
    /// How many times its memory a node may be given to services by their sizes. Memory does not count if there is no such factor.
    pub memory: Option<f64>,
    /// The same of its cores. Services without a limit count as nothing.
    pub cpu: Option<f64>,
    /// How many choices are tried at the most to decide it, and again as many to make a contradiction small.
    pub most_steps: u64,
}

impl FeasibleQuestion {
    /// Choices that are tried if nothing else is said.
    pub const MOST_STEPS: u64 = 100_000;
}

impl Default for FeasibleQuestion {
    /// All nodes that are online, and no capacities.
    fn default() -> Self {
        Self { without: BTreeSet::new(), memory: None, cpu: None, most_steps: Self::MOST_STEPS }
    }
}

/// Whether any placement of the services that are asked to run keeps all strict rules and capacities.
///
/// This is not [`Tolerance`](crate::plan::Tolerance): the manager may not get to such a placement by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Feasibility {
    /// The nodes that may have services.
    pub nodes: Vec<NodeName>,
    /// How many services are asked to run.
    pub services: usize,
    /// What was found.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// How many choices were tried to decide it.
    pub steps: u64,
    /// All that these services need, of what counts.
    pub needed: Needed,
    /// Services that count as nothing, since a figure that counts is missing.
    pub services_without_figures: Vec<ServiceId>,
    /// Nodes that count as without bound, since a figure that counts is missing.
    pub nodes_without_figures: Vec<NodeName>,
    /// Rules that the manager leaves out since they can't hold; so they don't count here either.
    pub rules_left_out: Vec<RuleId>,
}

/// What services need by their sizes.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Needed {
    /// Bytes of memory, if that counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// Cores, if these count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<f64>,
}

/// Whether there is a placement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// This one keeps all.
    Placement {
        /// Where each service that is asked to run would be.
        places: BTreeMap<ServiceId, NodeName>,
        /// Those that are elsewhere now.
        moves: Vec<Move>,
    },
    /// There is none.
    Contradiction {
        /// What can't be kept together; nothing if there is no node.
        parts: Vec<Part>,
        /// Whether there would be a placement without any one of them. It is not known if looking for it took too many steps.
        is_minimal: bool,
    },
    /// Neither a placement nor a proof that there is none was found in the steps that were allowed.
    Undecided,
}

/// A rule or a capacity that takes part in a contradiction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "part", rename_all = "snake_case")]
pub enum Part {
    /// A strict node affinity rule, or a restricted group.
    NodeAffinity {
        /// The rule.
        rule: RuleId,
        /// Its services that are asked to run.
        services: Vec<ServiceId>,
        /// The nodes that it allows, of those that may have services.
        nodes: Vec<NodeName>,
    },
    /// A rule that keeps services together.
    Together {
        /// The rule.
        rule: RuleId,
        /// Its services that are asked to run.
        services: Vec<ServiceId>,
    },
    /// A strict rule that keeps services apart.
    Apart {
        /// The rule.
        rule: RuleId,
        /// Its services that are asked to run, or may run without being asked.
        services: Vec<ServiceId>,
        /// Over what it spreads them, if not over nodes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        spread: Option<Spread>,
    },
    /// The memory of a node.
    Memory {
        /// The node.
        node: NodeName,
        /// So many bytes may be given to services.
        bytes: u64,
    },
    /// The cores of a node.
    Cpu {
        /// The node.
        node: NodeName,
        /// So many may be given to services.
        cores: f64,
    },
}

impl fmt::Display for Needed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.memory, self.cpu) {
            (None, None) => f.write_str("nothing that counts"),
            (Some(memory), None) => write!(f, "{} of memory", Bytes(memory)),
            (None, Some(cpu)) => write!(f, "{cpu} cores"),
            (Some(memory), Some(cpu)) => write!(f, "{} of memory and {cpu} cores", Bytes(memory)),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NodeAffinity { rule, services, nodes } if nodes.is_empty() => {
                write!(f, "rule {rule}: {} only on nodes of which none is left", Names(services))
            }
            Self::NodeAffinity { rule, services, nodes } => {
                write!(f, "rule {rule}: {} only on {}", Names(services), Names(nodes))
            }
            Self::Together { rule, services } => write!(f, "rule {rule}: {} on one node", Names(services)),
            Self::Apart { rule, services, spread: None } => {
                write!(f, "rule {rule}: {} each on another node", Names(services))
            }
            Self::Apart { rule, services, spread: Some(Spread::FailureDomain) } => {
                write!(f, "rule {rule}: {} each in another failure domain", Names(services))
            }
            Self::Memory { node, bytes } => write!(f, "memory of {node}: {} for services", Bytes(*bytes)),
            Self::Cpu { node, cores } => write!(f, "cores of {node}: {cores} for services"),
        }
    }
}

/// Names in a row; of very many the first.
struct Names<'a, T>(&'a [T]);

impl<T: fmt::Display> fmt::Display for Names<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST: usize = 12;
        for (place, name) in self.0.iter().take(MOST).enumerate() {
            write!(f, "{}{name}", if place == 0 { "" } else { ", " })?;
        }
        match self.0.len().checked_sub(MOST) {
            None | Some(0) => Ok(()),
            Some(more) => write!(f, " and {more} more"),
        }
    }
}

/// Bytes in the largest unit that leaves no more than a tenth to say.
struct Bytes(u64);

impl fmt::Display for Bytes {
    #[expect(clippy::cast_precision_loss, reason = "only a tenth of it is shown")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
        match UNITS.into_iter().find(|(_, unit)| self.0 >= *unit) {
            Some((name, unit)) => {
                let amount = self.0 as f64 / unit as f64;
                let digits = usize::from(self.0.checked_rem(unit) != Some(0));
                write!(f, "{amount:.digits$} {name}")
            }
            None => write!(f, "{} bytes", self.0),
        }
    }
}
