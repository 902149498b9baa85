//! Questions beforehand: their verbs.

use clap::Subcommand;
use ha_core::{
    config::Spread,
    id::NodeName,
    plan::{BalanceQuestion, FeasibleQuestion},
};

#[derive(Debug, Subcommand)]
pub(crate) enum PlanVerb {
    /// Say how many nodes may be lost at once so that every service is recovered, what stays down if more are, and what would help.
    ///
    /// Every set of nodes is played by the code that decides, from when what is under way has settled. Services that are down already don't
    /// count.
    Tolerance {
        /// Ask about so many at once at the most; the exit code is 1 if they are not survived, whichever they are.
        #[arg(long, value_name = "NODES")]
        losses: Option<usize>,
        /// 'failure-domain': ask about the loss of all nodes of a failure domain, as 'ha node set' says, instead of single nodes.
        #[arg(long, value_name = "BY")]
        by: Option<Spread>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Say what follows from maintenance of nodes: what leaves, what would be interrupted, whether one more loss is survived meanwhile, and
    /// what returns.
    ///
    /// The exit code is 0 if nothing is interrupted and any other node may be lost meanwhile, else 1. Nothing is changed: that
    /// is done by 'ha maintenance enable NODE'.
    Evacuate {
        /// The nodes.
        #[arg(required = true)]
        nodes: Vec<NodeName>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Say whether any placement at all keeps every strict rule: which, or what contradicts what.
    ///
    /// The manager may not get to such a placement by itself: 'ha plan tolerance' says what it does. Loose rules and loads don't count, memory and
    /// cores only if they are asked for. The exit code is 0 if there is a placement, else 1, also if it can't be decided in so many steps. Nothing
    /// is changed.
    Feasible {
        /// Take these nodes for lost.
        #[arg(long, value_name = "NODE", value_delimiter = ',', num_args = 1..)]
        without: Vec<NodeName>,
        /// Give no node more services than have this many times its memory, by their sizes.
        #[arg(long, value_name = "FACTOR", value_parser = factor)]
        memory: Option<f64>,
        /// Give no node more services than have this many times its cores, by their sizes.
        #[arg(long, value_name = "FACTOR", value_parser = factor)]
        cpu: Option<f64>,
        /// Try so many choices at the most.
        #[arg(long, default_value_t = FeasibleQuestion::MOST_STEPS)]
        steps: u64,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Say by which moves services get to other places so that every strict rule is kept at each of them.
    ///
    /// A service that moves takes room on both nodes. The fewest bytes are moved where that can be found; where services are in each other's way,
    /// one stops over on another node. The exit code is 0 if there is a way, else 1. Nothing is changed.
    Steps {
        /// Where services are to be, as JSON: {"vm:100":"node2"}, or what 'ha plan feasible --json' gives. '-' is standard input.
        #[arg(long, value_name = "FILE")]
        to: String,
        /// Let a node take part in so many moves at once.
        #[arg(long, value_name = "MOVES", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
        at_once: u16,
        /// Give no node more services than have this many times its memory, by their sizes.
        #[arg(long, value_name = "FACTOR", value_parser = factor)]
        memory: Option<f64>,
        /// Give no node more services than have this many times its cores, by their sizes.
        #[arg(long, value_name = "FACTOR", value_parser = factor)]
        cpu: Option<f64>,
        /// Look at so many positions at the most.
        #[arg(long, default_value_t = FeasibleQuestion::MOST_STEPS)]
        steps: u64,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Say what automatic balancing moves, or would move if it was switched on, and why it stops.
    ///
    /// The master's rounds are played from when what is under way has settled, so it is what it does as long as nothing else changes: loads do.
    /// The imbalance is that of its settings: at 0 % all nodes are loaded alike, at 100 % one node has all. The exit code is 0 if the nodes are in
    /// balance at the end, else 1. Nothing is changed.
    Balance {
        /// Look for so many moves at the most.
        #[arg(long, value_name = "MOVES", default_value_t = MOST_MOVES, value_parser = clap::value_parser!(u16).range(1..))]
        moves: u16,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

#[expect(clippy::cast_possible_truncation, reason = "it is a small number")]
const MOST_MOVES: u16 = BalanceQuestion::MOST_MOVES as u16;

/// How many times what there is may be given away.
fn factor(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|factor| factor.is_finite() && *factor > 0.0);
    number.ok_or_else(|| "a factor is a number above 0, as 1 or 1.5".to_owned())
}
