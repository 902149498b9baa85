//! Services and groups: their properties.

use clap::Args;

use super::changes::{Given, given};

/// Properties of a service. What they may be is checked by the same code that reads the files.
#[derive(Debug, Args)]
pub(crate) struct ResourceOptions {
    /// What is asked for: 'started', 'stopped', 'disabled' or 'ignored'.
    #[arg(long)]
    state: Option<String>,
    /// The group that it is bound to.
    #[arg(long)]
    group: Option<String>,
    /// Failed starts that are tried again on the same node.
    #[arg(long = "max_restart", alias = "max-restart", value_name = "NUMBER", allow_negative_numbers = true)]
    max_restart: Option<String>,
    /// Other nodes that are tried after that.
    #[arg(long = "max_relocate", alias = "max-relocate", value_name = "NUMBER", allow_negative_numbers = true)]
    max_relocate: Option<String>,
    /// Whether it moves back when a better node comes online.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "1")]
    failback: Option<String>,
    /// For how many seconds a better node must have been back before it moves there; with each failure of that node within an hour of its
    /// return twice as long, up to an hour.
    #[arg(long = "failback-delay", value_name = "SECONDS", allow_negative_numbers = true)]
    failback_delay: Option<String>,
    /// Whether automatic balancing may move it, and what must stay together with it.
    #[arg(long = "auto-rebalance", value_name = "BOOL", num_args = 0..=1, default_missing_value = "1")]
    auto_rebalance: Option<String>,
    /// After how many seconds without another one failed starts count no more, and a service in 'error' for them is tried again.
    #[arg(long = "failure-timeout", value_name = "SECONDS", allow_negative_numbers = true)]
    failure_timeout: Option<String>,
    /// How much it matters beside others, from 0 to 1000: what has more is placed, started and moved first, and stopped last.
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    priority: Option<String>,
    /// How it is seen whether it is ready once it runs: 'agent', 'tcp:PORT', 'tcp:HOST:PORT', 'http://HOST:PORT/PATH', or 'exec:NAME' with
    /// arguments, a program in the directory of probes of its node.
    #[arg(long)]
    probe: Option<String>,
    /// Seconds from one probe to the next; 10 if not given.
    #[arg(long = "probe-interval", value_name = "SECONDS", allow_negative_numbers = true)]
    probe_interval: Option<String>,
    /// Seconds that a probe may take; 5 if not given.
    #[arg(long = "probe-timeout", value_name = "SECONDS", allow_negative_numbers = true)]
    probe_timeout: Option<String>,
    /// How many probes must fail one after another before it is no longer ready; 3 if not given.
    #[arg(long = "probe-failures", value_name = "NUMBER", allow_negative_numbers = true)]
    probe_failures: Option<String>,
    /// Seconds that it may take to be ready after its start; 300 if not given.
    #[arg(long = "ready-timeout", value_name = "SECONDS", allow_negative_numbers = true)]
    ready_timeout: Option<String>,
    /// What follows when it is not ready in time, or no longer: 'report' (if not given), 'restart' on its node, or 'relocate'.
    #[arg(long = "on-failure", value_name = "WHAT")]
    on_failure: Option<String>,
    /// What people should know.
    #[arg(long)]
    comment: Option<String>,
}

impl ResourceOptions {
    pub(crate) fn given(&self) -> Given<'_> {
        given(&[
            ("state", &self.state),
            ("group", &self.group),
            ("max_restart", &self.max_restart),
            ("max_relocate", &self.max_relocate),
            ("failback", &self.failback),
            ("failback-delay", &self.failback_delay),
            ("auto-rebalance", &self.auto_rebalance),
            ("failure-timeout", &self.failure_timeout),
            ("priority", &self.priority),
            ("probe", &self.probe),
            ("probe-interval", &self.probe_interval),
            ("probe-timeout", &self.probe_timeout),
            ("probe-failures", &self.probe_failures),
            ("ready-timeout", &self.ready_timeout),
            ("on-failure", &self.on_failure),
            ("comment", &self.comment),
        ])
    }
}

/// Properties of a group.
#[derive(Debug, Args)]
pub(crate) struct GroupOptions {
    /// Its nodes, 'node' or 'node:priority', separated by commas.
    #[arg(long)]
    nodes: Option<String>,
    /// Whether its services run on its nodes only.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "1")]
    restricted: Option<String>,
    /// Whether its services stay where they are when a better node comes online.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "1")]
    nofailback: Option<String>,
    /// What people should know.
    #[arg(long)]
    comment: Option<String>,
}

impl GroupOptions {
    pub(crate) fn given(&self) -> Given<'_> {
        given(&[
            ("nodes", &self.nodes),
            ("restricted", &self.restricted),
            ("nofailback", &self.nofailback),
            ("comment", &self.comment),
        ])
    }
}
