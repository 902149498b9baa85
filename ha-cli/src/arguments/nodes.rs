//! Nodes: their verbs.

use clap::{Args, Subcommand};
use ha_core::id::NodeName;

use super::changes::{ChangeOptions, Given, given};
use crate::{daemon::NodeArguments, deed::Manner};

#[derive(Debug, Subcommand)]
pub(crate) enum NodeVerb {
    /// List the nodes, each with what is seen of it.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Say something of a node, such as what fails together with it.
    Set {
        /// The node.
        #[arg(value_name = "NODE")]
        name: NodeName,
        #[command(flatten)]
        options: LabelOptions,
        #[command(flatten)]
        changes: ChangeOptions,
        #[command(flatten)]
        manner: Manner,
    },
    /// Show what is said of nodes.
    Config {
        /// Only of this one.
        #[arg(value_name = "NODE")]
        name: Option<NodeName>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Add a node to the cluster. Its daemon is started on it then, with 'ha node run'.
    Add {
        /// The node.
        node: NodeName,
        #[command(flatten)]
        manner: Manner,
    },
    /// Take a node out of the cluster for good, and clean up what is left of it in the store.
    ///
    /// In order: maintenance first, so that its services leave; then its daemon is stopped; then this. It is refused while the
    /// node's daemon works, or while services or guests are there.
    Remove {
        /// The node.
        node: NodeName,
        /// Also while guests or stopped services are there: they stay where they are, on a node that is no member. Never while its
        /// daemon may work.
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        manner: Manner,
    },
    /// Run the CRM and the LRM of this node.
    Run(NodeArguments),
    /// Let this node work again after another machine was seen to work under its name.
    ///
    /// The daemon of a node whose sign of life, record or lock was changed by another hand ends with exit code 3 and does not start
    /// again, since only a person can know which of the two machines is the node: a cloned machine, a restored backup, or two that
    /// were given one name. See that only one of them is left, then call this on that one, and start its daemon.
    ///
    /// The same holds where the other machine is silent, but nothing guarded it when it was last heard of, so that what it runs may run
    /// on; and where 'fencing: hardware' is set, since the devices in fence.cfg may still be connected with the other machine.
    ClearTwin,
    /// Forget the cluster that this node is in, so that it can join another one. Nothing is stopped: do that before.
    Leave,
}

/// What is said of a node.
#[derive(Debug, Args)]
pub(crate) struct LabelOptions {
    /// What it fails together with, such as its rack or its site: all nodes of one name.
    #[arg(long, value_name = "DOMAIN")]
    failure_domain: Option<String>,
    /// What people should know.
    #[arg(long)]
    comment: Option<String>,
}

impl LabelOptions {
    pub(crate) fn given(&self) -> Given<'_> {
        given(&[("failure-domain", &self.failure_domain), ("comment", &self.comment)])
    }
}
