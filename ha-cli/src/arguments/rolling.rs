//! Work on node after node.

use clap::Args;
use ha_core::id::NodeName;

/// What `ha rolling` takes.
#[derive(Debug, Args)]
pub(crate) struct RollingArguments {
    /// The nodes, in this order.
    #[arg(value_name = "NODE")]
    pub(crate) nodes: Vec<NodeName>,
    /// All nodes; the one that is the master last.
    #[arg(long, conflicts_with = "nodes")]
    pub(crate) all: bool,
    /// Run this for each node once its services have left: by 'sh -c' on THIS machine, with the node's name in $HA_NODE, as
    /// 'ssh root@$HA_NODE apt-get -y dist-upgrade'.
    #[arg(long, value_name = "COMMAND")]
    pub(crate) run: Option<String>,
    /// Wait for each node until it was restarted, by whomever; after the command, if there is one.
    #[arg(long)]
    pub(crate) wait_for_reboot: bool,
    /// Seconds that the command and each wait may take. A command that takes longer is not killed.
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    pub(crate) timeout: u64,
    /// Also if services can't leave and are interrupted while their node is down.
    #[arg(long)]
    pub(crate) allow_interruption: bool,
    /// Also if the loss of one more node would not be survived meanwhile.
    #[arg(long)]
    pub(crate) without_reserve: bool,
    /// Tell what would be done and what speaks against it, and do nothing.
    #[arg(long, alias = "dry_run")]
    pub(crate) dry_run: bool,
    /// Go on with work that was stopped, or whose runner has died. What was asked for when it was begun holds.
    #[arg(long, conflicts_with_all = ["nodes", "all", "run", "wait_for_reboot", "dry_run", "abort", "status"])]
    pub(crate) resume: bool,
    /// End the work: the node whose turn it is comes back, those after it are left as they are.
    #[arg(long, conflicts_with_all = ["nodes", "all", "run", "wait_for_reboot", "dry_run", "status"])]
    pub(crate) abort: bool,
    /// Show how far the work is.
    #[arg(long, conflicts_with_all = ["nodes", "all", "run", "wait_for_reboot", "dry_run"])]
    pub(crate) status: bool,
    /// The command of which nobody knows what came of it has failed or never ran: run it again.
    #[arg(long, requires = "resume", conflicts_with = "done")]
    pub(crate) again: bool,
    /// The command of which nobody knows what came of it is over, and all is well.
    #[arg(long, conflicts_with_all = ["nodes", "all", "run", "wait_for_reboot", "dry_run", "status"])]
    pub(crate) done: bool,
    /// As JSON: an object a line, as it goes on.
    #[arg(long)]
    pub(crate) json: bool,
}
