//! The verbs and their options.

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, Parser, Subcommand};
use ha_core::{id::NodeName, status::DisarmMode};

use super::{
    commands::{CommandManner, CrmVerb, MaintenanceVerb, parse_disarm_mode},
    daemon::{DemoArguments, DiskArguments, InitArguments, MuxArguments, NodeArguments, SuperviseArguments},
    deed::Manner,
    history::{HistoryArguments, SinceOption},
};

/// High availability for services in a cluster.
///
/// A first service, on a cluster whose daemons run: 'ha guest set proc:web web.json', 'ha add proc:web', 'ha status'.
///
/// Verbs that change something tell what follows; with --dry-run they only tell, with --wait they return when it is done.
///
/// Exit codes: 0 if it was done, 1 if it could not be done, 2 if the arguments make no sense, 3 for a node daemon that works no
/// more since another machine works under its node's name. 'ha check' gives 1 if it finds something, 'ha plan' if it would not go well; 'ha status --exit-code' gives
/// 0, 1 or 2 for a cluster that is healthy, degraded or critical.
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
    /// Make a guest a service, which HA looks after.
    Add {
        /// The service: 'type:name', or the number of a guest.
        sid: String,
        #[command(flatten)]
        options: ResourceOptions,
        #[command(flatten)]
        manner: Manner,
    },
    /// Change a service.
    Set {
        /// The service.
        sid: String,
        #[command(flatten)]
        options: ResourceOptions,
        #[command(flatten)]
        changes: ChangeOptions,
        #[command(flatten)]
        manner: Manner,
    },
    /// Stop looking after a guest. The guest itself is left as it is.
    Remove {
        /// The service.
        sid: String,
        /// Whether it is taken out of all rules too.
        #[arg(long, value_name = "BOOL", value_parser = boolean, num_args = 0..=1, default_missing_value = "1")]
        purge: Option<bool>,
        #[command(flatten)]
        manner: Manner,
    },
    /// Show the configured services.
    Config {
        /// Only this one.
        sid: Option<String>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show the state of the cluster at a glance.
    ///
    /// It is healthy if all is as it should be, or on the way there; degraded if it works with less than it should have (a node is
    /// missing or in maintenance, HA is disarmed, a service waits for its node to be fenced, a part of the configuration is left
    /// out); critical if a person is needed (no quorum, no daemon or no master at work, a service in 'error' or without a node that
    /// may have it, a record that can't be understood). With --exit-code these are the exit codes 0, 1 and 2.
    Status(StatusOptions),
    /// Move a service to a node, live if its agent can.
    Migrate {
        /// The service.
        sid: String,
        /// Where to.
        node: NodeName,
        #[command(flatten)]
        manner: CommandManner,
    },
    /// Move a service to a node: it is stopped and started again.
    Relocate {
        /// The service.
        sid: String,
        /// Where to.
        node: NodeName,
        #[command(flatten)]
        manner: CommandManner,
    },
    /// Say that a node is down, so that its services can be recovered. Make sure of it first: pull its plug.
    ConfirmFenced {
        /// The node.
        node: NodeName,
        /// The node's name again. On a terminal it is asked for.
        #[arg(long, value_name = "NODE")]
        repeat: Option<NodeName>,
        #[command(flatten)]
        manner: Manner,
    },
    /// Start a service: request the state 'started' for it.
    Start {
        /// The service.
        sid: String,
        #[command(flatten)]
        manner: Manner,
    },
    /// Stop a service: request the state 'stopped' for it.
    Stop {
        /// The service.
        sid: String,
        /// Seconds that it may take; 0 is hard and at once. By default what its agent allows.
        timeout: Option<u32>,
        #[command(flatten)]
        manner: CommandManner,
    },
    /// Stop a service and start it again where it is. Returns when it runs.
    Restart {
        /// The service.
        sid: String,
        #[command(flatten)]
        manner: StepsManner,
    },
    /// Clear the error of a service that is in 'error', and request again what was requested before. Repair first what made it fail.
    Cleanup {
        /// The service.
        sid: String,
        #[command(flatten)]
        manner: StepsManner,
    },
    /// Show what a service wrote on this node: its own output, and that of its agent's programs.
    Logs {
        /// The service.
        sid: String,
        /// Go on as it writes more, until interrupted.
        #[arg(long, short)]
        follow: bool,
        /// How many lines of what is there.
        #[arg(long, short = 'n', default_value_t = 100, value_name = "LINES")]
        lines: usize,
        /// The run directory of this node's daemon.
        #[arg(long, alias = "run_dir", env = "HA_RUN_DIR", default_value = super::daemon::RUN_DIRECTORY, value_name = "DIRECTORY")]
        run_dir: PathBuf,
    },
    /// Have a node give its services away and take none, or end that.
    Maintenance {
        #[command(subcommand)]
        verb: MaintenanceVerb,
    },
    /// Let go of all watchdogs and leave the services alone, for work on the network or the store.
    Disarm {
        /// 'freeze': the services are left as they are. 'ignore': as if they were not managed.
        #[arg(value_parser = parse_disarm_mode)]
        mode: DisarmMode,
        #[command(flatten)]
        manner: Manner,
    },
    /// Take up work again after a disarm.
    Arm {
        #[command(flatten)]
        manner: Manner,
    },
    /// Tell what has happened: what the daemons of all nodes did, and who changed what.
    ///
    /// The store keeps the last of it for all nodes; this node's journal, below its state directory, reaches further back for what
    /// this node did. Times are UTC, by the clock of the node that reports. A decision says how to ask for its reasons.
    History(HistoryArguments),
    /// Tell the failovers: which nodes were lost, and how long each step took until their services ran elsewhere.
    ///
    /// Seconds count from the last sign of life of the node, as the master had seen it. 'placed' and the steps before it are by the
    /// clock of the master, 'started' by that of the node on which the service was started.
    Failovers {
        /// Only of this node.
        #[arg(value_name = "NODE")]
        lost: Option<NodeName>,
        #[command(flatten)]
        since: SinceOption,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Tell every change of a node or a service, a line each, until interrupted.
    Watch {
        /// Only of this service.
        sid: Option<String>,
        /// As JSON, one object a line.
        #[arg(long)]
        json: bool,
    },
    /// Say in a line how the cluster is, and by the exit code: 0 healthy, 1 degraded, 2 critical.
    Health,
    /// Give the cluster in figures, as Prometheus reads them.
    Metrics,
    /// Serve the cluster's HTTP API, by the program 'ha-web': see 'ha web --help'.
    #[command(disable_help_flag = true)]
    Web(BesideArguments),
    /// Add, list and remove tokens, by which programs may use the API: see 'ha token --help'.
    #[command(disable_help_flag = true)]
    Token(BesideArguments),
    /// Add, list, change and remove users, who may log in to the API: see 'ha user --help'.
    #[command(disable_help_flag = true)]
    User(BesideArguments),
    /// Notify people and programs of what happens, by the program 'ha-web': see 'ha notify --help'.
    #[command(disable_help_flag = true)]
    Notify(BesideArguments),
    /// Add a group.
    Groupadd {
        /// Its name.
        group: String,
        #[command(flatten)]
        options: GroupOptions,
        #[command(flatten)]
        manner: Manner,
    },
    /// Change a group.
    Groupset {
        /// Its name.
        group: String,
        #[command(flatten)]
        options: GroupOptions,
        #[command(flatten)]
        changes: ChangeOptions,
        #[command(flatten)]
        manner: Manner,
    },
    /// Remove a group.
    Groupremove {
        /// Its name.
        group: String,
        #[command(flatten)]
        manner: Manner,
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
    /// Ask beforehand: which losses are survived, and what follows from taking nodes down.
    Plan {
        #[command(subcommand)]
        verb: PlanVerb,
    },
    /// Guests: what services are made of.
    Guest {
        #[command(subcommand)]
        verb: GuestVerb,
    },
    /// The nodes of the cluster, and this node's daemon.
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
        #[command(flatten)]
        manner: Manner,
    },
    /// Change a rule.
    Set {
        /// Its name; its type may come before it.
        #[arg(value_name = "[TYPE] RULE", num_args = 1..=2, required = true)]
        names: Vec<String>,
        #[command(flatten)]
        options: RuleOptions,
        #[command(flatten)]
        members: MemberOptions,
        #[command(flatten)]
        changes: ChangeOptions,
        #[command(flatten)]
        manner: Manner,
    },
    /// Remove a rule.
    Remove {
        /// Its name.
        rule: String,
        #[command(flatten)]
        manner: Manner,
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
    /// No master may be at work: stop the daemons of all nodes first. Services whose entries can't be saved are taken up again where
    /// their guests are, so make sure that none of them runs on another node.
    Status {
        /// Without a question.
        #[arg(long)]
        yes: bool,
    },
}

/// A definition for each kind of agent, a line each.
const GUEST_EXAMPLES: &str = r#"A definition names the guest's node and what runs it, one of:
  {"node": "node1", "agent": {"proc": {"command": ["/usr/bin/web", "--port", "80"]}}}
  {"node": "node1", "agent": {"unit": {"unit": "nginx.service"}}}
  {"node": "node1", "agent": {"exec": {"command": ["/usr/local/bin/my-agent", "web"]}}}
  {"node": "node1", "agent": {"vm": {"memory_mb": 2048, "disks": [{"file": "/srv/web.qcow2", "format": "qcow2"}]}}}"#;

#[derive(Debug, Subcommand)]
pub(super) enum GuestVerb {
    /// Define a guest, or change its definition.
    #[command(after_help = GUEST_EXAMPLES)]
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
pub(super) enum PlanVerb {
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

#[derive(Debug, Subcommand)]
pub(super) enum NodeVerb {
    /// List the nodes, each with what is seen of it.
    List {
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

/// What `ha status` takes.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct StatusOptions {
    /// Only these services: 'type:name', the number of a guest, or a part of a name with '*'.
    #[arg(value_name = "SID")]
    pub(super) sids: Vec<String>,
    /// Only this node and its services. May be given more than once.
    #[arg(long = "on", alias = "only-node", value_name = "NODE")]
    pub(super) on: Vec<NodeName>,
    /// Only nodes and services that are not as they should be.
    #[arg(long, short)]
    pub(super) problems: bool,
    /// The order of the services.
    #[arg(long, value_enum, default_value_t = SortBy::Sid)]
    pub(super) sort: SortBy,
    /// With the daemons' records.
    #[arg(long, short)]
    pub(super) verbose: bool,
    /// As JSON.
    #[arg(long)]
    pub(super) json: bool,
    /// Say by the exit code how the cluster does: 0 healthy, 1 degraded, 2 critical.
    #[arg(long, alias = "exit_code")]
    pub(super) exit_code: bool,
    /// Again and again, until it is interrupted.
    #[arg(long, short)]
    pub(super) watch: bool,
}

/// By what services are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(super) enum SortBy {
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

/// How something is done that takes several steps, each of which is waited for.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct StepsManner {
    /// Tell what would follow, and change nothing.
    #[arg(long, alias = "dry_run")]
    pub(super) dry_run: bool,
    /// For how many seconds each step is waited for at most.
    #[arg(long, value_name = "SECONDS", require_equals = true, default_value_t = 300)]
    pub(super) wait: u64,
    /// As JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// Services that join or leave a rule.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct MemberOptions {
    /// Services to add to those that the rule has.
    #[arg(long, value_name = "SIDS", value_delimiter = ',', conflicts_with = "resources")]
    pub(super) add: Vec<String>,
    /// Services to take out of it.
    #[arg(long, value_name = "SIDS", value_delimiter = ',', conflicts_with = "resources")]
    pub(super) remove: Vec<String>,
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

/// What another program will read.
#[derive(Debug, Args)]
pub(super) struct BesideArguments {
    /// What it will do.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    pub(super) rest: Vec<OsString>,
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

#[cfg(test)]
mod tests {
    use ha_host::{agents::Kinds, store::GuestDefinition};

    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_examples_of_definitions_are_definitions_of_all_kinds() {
        let examples = GUEST_EXAMPLES.lines().filter(|line| line.starts_with("  {"));
        let kinds = Kinds::default();
        let checked = examples.map(|line| {
            let guest: GuestDefinition = serde_json::from_str(line).unwrap();
            assert_eq!(kinds.check(&guest.agent), Ok(()), "{line}");
            guest.agent.kind
        });
        assert_eq!(checked.collect::<BTreeSet<_>>(), kinds.words().map(str::to_owned).collect());
    }
}
