//! What `ha status` takes.

use clap::Args;
use ha_core::id::NodeName;

/// What `ha status` takes.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct StatusOptions {
    /// Only these services: 'type:name', the number of a guest, or a part of a name with '*'.
    #[arg(value_name = "SID")]
    pub(crate) sids: Vec<String>,
    /// Only this node and its services. May be given more than once.
    #[arg(long = "on", alias = "only-node", value_name = "NODE")]
    pub(crate) on: Vec<NodeName>,
    /// Only nodes and services that are not as they should be.
    #[arg(long, short)]
    pub(crate) problems: bool,
    /// The order of the services.
    #[arg(long, value_enum, default_value_t = SortBy::Sid)]
    pub(crate) sort: SortBy,
    /// With the daemons' records.
    #[arg(long, short)]
    pub(crate) verbose: bool,
    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Say by the exit code how the cluster does: 0 healthy, 1 degraded, 2 critical.
    #[arg(long, alias = "exit_code")]
    pub(crate) exit_code: bool,
    /// Again and again, until it is interrupted.
    #[arg(long, short)]
    pub(crate) watch: bool,
}

/// By what services are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum SortBy {
    /// By name.
    #[default]
    Sid,
    /// By node, then by name.
    Node,
    /// By state, then by name.
    State,
    /// Those that are worst first.
    Health,
}
