//! The verbs and their options.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use ha_core::id::NodeName;

use super::{
    commands::CrmVerb,
    daemon::{DemoArguments, DiskArguments, InitArguments, MuxArguments, NodeArguments, SuperviseArguments},
};

/// High availability for services in a cluster.
///
/// Exit codes: 0 if it was done, 1 if it could not be done, 2 if the arguments make no sense, 3 for a node daemon that works no
/// more since another machine works under its node's name.
#[derive(Debug, Parser)]
#[command(name = "ha", version, max_term_width = 100)]
pub(super) struct Cli {
    /// Where the cluster's data is: 'file:DIRECTORY' or 'etcd://HOST:PORT,HOST:PORT/PREFIX'.
    #[arg(long, global = true, env = "HA_STORE", value_name = "ADDRESS")]
    pub(super) store: Option<String>,
    /// This node; by default the one that is named like the host.
    #[arg(long, global = true, env = "HA_NODE", value_name = "NODE")]
    pub(super) node: Option<NodeName>,
    /// Where this node keeps what must survive a reboot, such as which cluster it is in; by default /var/lib/ha, or, for a daemon
    /// with a run directory of its own, 'state' below that.
    #[arg(long, alias = "state_dir", global = true, env = "HA_STATE_DIR", value_name = "DIRECTORY")]
    pub(super) state_dir: Option<PathBuf>,
    #[command(subcommand)]
    pub(super) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Make the store of a new cluster.
    Init(InitArguments),
    /// Have a guest looked after: make it a service.
    Add {
        /// The service: 'type:name', or the number of a guest.
        sid: String,
        #[command(flatten)]
        options: ResourceOptions,
    },
    /// Change a service.
    Set {
        /// The service.
        sid: String,
        #[command(flatten)]
        options: ResourceOptions,
        #[command(flatten)]
        changes: ChangeOptions,
    },
    /// Look after a guest no more. The guest itself is left as it is.
    Remove {
        /// The service.
        sid: String,
        /// Whether it is taken out of all rules too.
        #[arg(long, value_name = "BOOL", value_parser = boolean, num_args = 0..=1, default_missing_value = "1")]
        purge: Option<bool>,
    },
    /// Show the configured services.
    Config {
        /// Only this one.
        sid: Option<String>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show the state of the cluster.
    Status {
        /// With the daemons' records.
        #[arg(long, short)]
        verbose: bool,
        /// As JSON.
        #[arg(long)]
        json: bool,
        /// Again and again, until it is interrupted.
        #[arg(long, short)]
        watch: bool,
    },
    /// Move a service to a node, live if its agent can.
    Migrate {
        /// The service.
        sid: String,
        /// Where to.
        node: NodeName,
        /// Also if it leads nowhere now, or will not last.
        #[arg(long)]
        force: bool,
    },
    /// Move a service to a node: it is stopped and started again.
    Relocate {
        /// The service.
        sid: String,
        /// Where to.
        node: NodeName,
        /// Also if it leads nowhere now, or will not last.
        #[arg(long)]
        force: bool,
    },
    /// Say that a node is down which is to be fenced, so that its services can be recovered. Make sure of it first: pull its
    /// plug.
    ConfirmFenced {
        /// The node.
        node: NodeName,
        /// The node's name once more. On a terminal it is asked for.
        #[arg(long, value_name = "NODE")]
        repeat: Option<NodeName>,
    },
    /// Stop a service, and request the state 'stopped' for it.
    Stop {
        /// The service.
        sid: String,
        /// Seconds that it may take; 0 is hard and at once.
        timeout: u32,
        /// Also if it leads nowhere now, or will not last.
        #[arg(long)]
        force: bool,
    },
    /// Add a group.
    Groupadd {
        /// Its name.
        group: String,
        #[command(flatten)]
        options: GroupOptions,
    },
    /// Change a group.
    Groupset {
        /// Its name.
        group: String,
        #[command(flatten)]
        options: GroupOptions,
        #[command(flatten)]
        changes: ChangeOptions,
    },
    /// Remove a group.
    Groupremove {
        /// Its name.
        group: String,
    },
    /// Show the groups.
    Groupconfig {
        /// Only this one.
        group: Option<String>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Rules: where services may run, and what must be together or apart.
    Rules {
        #[command(subcommand)]
        verb: RulesVerb,
    },
    /// Commands to the master.
    CrmCommand {
        #[command(subcommand)]
        verb: CrmVerb,
    },
    /// Repair what no daemon can repair.
    Repair {
        #[command(subcommand)]
        verb: RepairVerb,
    },
    /// Look for mistakes in the configuration, and show what the timings promise.
    Check {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Say why a service is where it is, and what would have to be different for it to be elsewhere.
    Explain {
        /// The service.
        sid: String,
        /// Ask for the best node, as for a recovery, rather than whether it may stay.
        #[arg(long)]
        best: bool,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Guests: what services are made of.
    Guest {
        #[command(subcommand)]
        verb: GuestVerb,
    },
    /// This node's daemon.
    Node {
        #[command(subcommand)]
        verb: NodeVerb,
    },
    /// Own the watchdog device, and feed it as long as all clients feed it.
    WatchdogMux(MuxArguments),
    /// Run a command as a machine of its own, with a watchdog that kills all of it.
    #[command(hide = true)]
    Supervise(SuperviseArguments),
    /// Show failovers in a cluster of three nodes on this machine, and prove that nothing ran twice.
    ///
    /// The store is a directory of its own, or with '--store etcd' an etcd of three members that is started for it.
    Demo(DemoArguments),
    /// The service of the demonstration.
    #[command(hide = true)]
    DemoDisk(DiskArguments),
    /// Write completions for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum RulesVerb {
    /// Add a rule.
    Add {
        /// 'node-affinity' or 'resource-affinity'.
        #[arg(value_name = "TYPE")]
        rule_type: String,
        /// Its name.
        rule: String,
        #[command(flatten)]
        options: RuleOptions,
    },
    /// Change a rule.
    Set {
        /// Its name; its type may come before it.
        #[arg(value_name = "[TYPE] RULE", num_args = 1..=2, required = true)]
        names: Vec<String>,
        #[command(flatten)]
        options: RuleOptions,
        #[command(flatten)]
        changes: ChangeOptions,
    },
    /// Remove a rule.
    Remove {
        /// Its name.
        rule: String,
    },
    /// List the rules, each with whether it holds.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show the rules as they are configured.
    Config {
        /// Only this one.
        rule: Option<String>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum RepairVerb {
    /// Repair the manager status: shows what can't be understood in it, keeps a copy, and writes what can be saved.
    ///
    /// No master may be at work: stop the daemons of all nodes first. Services whose entries can't be saved are taken up anew where
    /// their guests are, so make sure that none of them runs on another node.
    Status {
        /// Without a question.
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum GuestVerb {
    /// Define a guest, or change its definition.
    Set {
        /// The guest: 'type:name'.
        sid: String,
        /// A file with its definition as JSON; '-' for the standard input.
        file: String,
    },
    /// Remove the definition of a guest. Nothing is stopped.
    Remove {
        /// The guest.
        sid: String,
    },
    /// List the guests.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum NodeVerb {
    /// Run the CRM and the LRM of this node.
    Run(NodeArguments),
    /// Let this node work again after another machine was seen to work under its name.
    ///
    /// The daemon of a node whose sign of life, record or lock was changed by another hand ends with exit code 3 and does not start
    /// again, since only a person can know which of the two machines is the node: a cloned machine, a restored backup, or two that
    /// were given one name. See that only one of them is left, then call this on that one, and start its daemon.
    ///
    /// The same holds where the other machine is silent, but nothing guarded it when it was last heard of: what it runs may run on.
    ClearTwin,
    /// Forget the cluster that this node is in, so that it can join another one. Nothing is stopped: do that before.
    Leave,
}

/// Properties of a service. What they may be is checked by the same code that reads the files.
#[derive(Debug, Args)]
pub(super) struct ResourceOptions {
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
    /// Whether automatic balancing may move it, and what must stay together with it.
    #[arg(long = "auto-rebalance", value_name = "BOOL", num_args = 0..=1, default_missing_value = "1")]
    auto_rebalance: Option<String>,
    /// What people should know.
    #[arg(long)]
    comment: Option<String>,
}

/// Properties of a group.
#[derive(Debug, Args)]
pub(super) struct GroupOptions {
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

/// Properties of a rule.
#[derive(Debug, Args)]
pub(super) struct RuleOptions {
    /// The services, separated by commas.
    #[arg(long)]
    resources: Option<String>,
    /// The nodes, 'node' or 'node:priority', separated by commas.
    #[arg(long)]
    nodes: Option<String>,
    /// Whether the services run on these nodes only.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "1")]
    strict: Option<String>,
    /// 'positive' (together; on the nodes) or 'negative' (apart; on all other nodes).
    #[arg(long)]
    affinity: Option<String>,
    /// Whether it takes no part in anything.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "1")]
    disable: Option<String>,
    /// What people should know.
    #[arg(long)]
    comment: Option<String>,
}

/// How a change is made.
#[derive(Debug, Args)]
pub(super) struct ChangeOptions {
    /// Properties to unset, separated by commas.
    #[arg(long, value_name = "PROPERTIES", value_delimiter = ',')]
    pub(super) delete: Vec<String>,
    /// Change it only if the file has this digest.
    #[arg(long)]
    pub(super) digest: Option<String>,
}

/// Properties that were given, by key.
pub(super) type Given<'a> = Vec<(&'a str, &'a str)>;

fn given<'a>(options: &[(&'a str, &'a Option<String>)]) -> Given<'a> {
    options.iter().filter_map(|(key, value)| Some((*key, value.as_deref()?))).collect()
}

impl ResourceOptions {
    pub(super) fn given(&self) -> Given<'_> {
        given(&[
            ("state", &self.state),
            ("group", &self.group),
            ("max_restart", &self.max_restart),
            ("max_relocate", &self.max_relocate),
            ("failback", &self.failback),
            ("auto-rebalance", &self.auto_rebalance),
            ("comment", &self.comment),
        ])
    }
}

impl GroupOptions {
    pub(super) fn given(&self) -> Given<'_> {
        given(&[
            ("nodes", &self.nodes),
            ("restricted", &self.restricted),
            ("nofailback", &self.nofailback),
            ("comment", &self.comment),
        ])
    }
}

impl RuleOptions {
    pub(super) fn given(&self) -> Given<'_> {
        given(&[
            ("resources", &self.resources),
            ("nodes", &self.nodes),
            ("strict", &self.strict),
            ("affinity", &self.affinity),
            ("disable", &self.disable),
            ("comment", &self.comment),
        ])
    }
}

fn boolean(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "on" | "yes" | "true" => Ok(true),
        "0" | "off" | "no" | "false" => Ok(false),
        _ => Err("expected 1, on, yes, true, or 0, off, no, false".into()),
    }
}
