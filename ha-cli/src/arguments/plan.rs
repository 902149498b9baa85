//! Questions beforehand: their verbs.

use clap::Subcommand;
use ha_core::id::NodeName;

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
}
