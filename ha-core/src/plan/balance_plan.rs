//! What is asked about automatic balancing, and what is found, as data.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use core::fmt;

use serde::{Deserialize, Serialize};

use super::moves::Move;
use crate::{
    id::{NodeName, RuleId, ServiceId},
    placement::{Balance, BalanceOutcome},
    status::Motion,
};

/// What is asked about automatic balancing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BalanceQuestion {
    /// The services that the master leaves alone for a while, since their last moves failed. It records them nowhere: its events tell them.
    pub suspended: BTreeSet<ServiceId>,
    /// After how many moves no more of them are looked for, 1 at the least.
    pub most_moves: usize,
}

impl BalanceQuestion {
    /// The moves that are played if nothing else is said.
    pub const MOST_MOVES: usize = 100;
}

impl Default for BalanceQuestion {
    fn default() -> Self {
        Self { suspended: BTreeSet::new(), most_moves: Self::MOST_MOVES }
    }
}

/// What automatic balancing moves, one after another, until it moves nothing more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BalancePlan {
    /// Whether it is switched on. Otherwise this is what it would do if it was.
    pub is_on: bool,
    /// The imbalance of the nodes before, if it can be measured.
    pub imbalance: Option<f64>,
    /// What is moved, in this order.
    pub steps: Vec<BalanceStep>,
    /// How balancing comes out after them: why nothing more is moved, with the imbalance then.
    pub then: Balance,
    /// Whether that is the end. Otherwise there would be more moves than were asked for.
    pub is_whole: bool,
    /// How many bytes of memory are moved with all of it, of the services that run and have figures.
    pub bytes: u64,
    /// Those that run, are moved, and have none.
    pub services_without_figures: Vec<ServiceId>,
    /// Where those that are moved are at the end. [`Situation::steps`](super::Situation::steps) says how else they get there.
    pub places: BTreeMap<ServiceId, NodeName>,
    /// The running services that balancing can't move, whatever the loads are.
    pub left_alone: Vec<LeftAlone>,
    /// Moves to the same end that are fewer or move fewer bytes, where some service is moved more than once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shorter: Option<Shorter>,
}

/// One move of balancing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BalanceStep {
    /// The service that balancing chooses.
    pub leader: ServiceId,
    /// How it moves.
    pub motion: Motion,
    /// Its move, and those of all that go along since they must be together with it.
    pub moves: Vec<Move>,
    /// What other services move after it because of their rules.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub followed_by: Vec<Move>,
    /// The imbalance that is expected after it.
    pub imbalance: f64,
}

/// A running service that balancing can't move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftAlone {
    /// The service.
    pub sid: ServiceId,
    /// Where it runs.
    pub node: NodeName,
    /// Why.
    #[serde(flatten)]
    pub reason: LeftAloneReason,
}

/// Why balancing can't move a service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum LeftAloneReason {
    /// Its property `auto-rebalance` is 0.
    SwitchedOff,
    /// Its last moves failed.
    Suspended,
    /// It must be together with another one that can't be moved, or is elsewhere.
    Together {
        /// The other one.
        with: ServiceId,
    },
    /// A rule or a group has no other online node for it that comes as early: it would go back.
    NodeAffinity {
        /// The rule, or that of the group.
        rule: RuleId,
    },
    /// Services that it must be apart from are on the other nodes, or these take no new services.
    NoOtherNode,
    /// The figures of its node can't be used.
    NotMeasured,
}

/// Other moves to the same end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shorter {
    /// How many services are moved.
    pub moves: usize,
    /// How many bytes of memory are moved with them.
    pub bytes: u64,
}

impl fmt::Display for LeftAloneReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SwitchedOff => f.write_str("auto-rebalance is 0"),
            Self::Suspended => f.write_str("the last moves failed"),
            Self::Together { with } => write!(f, "together with {with}, which can't be moved along"),
            Self::NodeAffinity { rule } => write!(f, "rule {rule} has no other node that comes as early"),
            Self::NoOtherNode => {
                f.write_str("no other node: services to be apart from are there, or it takes no new ones")
            }
            Self::NotMeasured => f.write_str("the figures of the node can't be used"),
        }
    }
}

impl BalancePlan {
    /// All moves, in their order.
    pub fn moves(&self) -> impl Iterator<Item = &Move> {
        self.steps.iter().flat_map(|step| step.moves.iter().chain(&step.followed_by))
    }

    /// Whether the nodes are in balance at the end.
    #[must_use]
    pub fn balances(&self) -> bool {
        self.then.outcome == BalanceOutcome::Balanced
    }
}
