//! The verbs and their options: each subject that has several of them in a file of its own.

mod changes;
mod guests;
mod nodes;
mod plan;
mod rolling;
mod rules;
mod services;
mod status;

pub(super) use changes::{ChangeOptions, StepsManner};
pub(super) use guests::GuestVerb;
pub(super) use nodes::{LabelOptions, NodeVerb};
pub(super) use plan::PlanVerb;
pub(super) use rolling::RollingArguments;
pub(super) use rules::{GraphOptions, MemberOptions, RuleOptions, RulesVerb};
pub(super) use services::{GroupOptions, ResourceOptions};
pub(super) use status::{SortBy, StatusOptions};

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, Parser, Subcommand};
use ha_core::{id::NodeName, status::DisarmMode};
use ha_host::agents::OcfName;

use super::{
    agents,
    commands::{CommandManner, CrmVerb, MaintenanceVerb, parse_disarm_mode},
    daemon::{DemoArguments, DiskArguments, InitArguments, MuxArguments, SuperviseArguments},
    deed::Manner,
    history::{HistoryArguments, SinceOption},
    trial,
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
    /// Let a node take new services again that was fenced again and again: forget how often that was (flapping_hold).
    ClearFencings {
        /// The node.
        node: NodeName,
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
    /// Work on node after node: services leave, a command is run or a restart waited for, services come back, the next one.
    ///
    /// Before each node the cluster must be whole: every node online, a master at work, each service as it is to be; no service may
    /// be interrupted, and one more node may be lost. At the first doubt it stops, says why, and what state things are in. How
    /// far it is, is in the store: after a stop, or the death of this program, '--resume' goes on, from any machine. Two never
    /// carry it out at once: who takes up work watches for 8 seconds first whether its runner lives.
    ///
    /// The command is run on THIS machine, not on the node: HA starts nothing on other machines. It is run once for each node; where
    /// nobody knows what came of it, a person decides (--again, --done). The store has its text, so no secrets belong into it.
    ///
    /// Exit codes: 0 if all nodes are done, 1 if it was refused or has stopped, 4 if it has stopped since the command has failed or
    /// nobody knows what came of it.
    Rolling(RollingArguments),
    /// Write the cluster as it is now, for a virtual one to go on from there: see 'ha-sim run --from'.
    ///
    /// One JSON document: the nodes and timings, the configuration, what the master and the LRMs have recorded, and where guests are, with their
    /// figures. It has no secrets: nothing of how guests are run, of who may use the API or is notified, and of fence.cfg no
    /// arguments. What people wrote into comments is in it as it is.
    Snapshot,
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
    /// What starts and stops services.
    Agents {
        #[command(subcommand)]
        verb: AgentsVerb,
    },
    /// The store that all nodes share.
    Store {
        #[command(subcommand)]
        verb: StoreVerb,
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
    ///
    /// Verbs and options are completed, and the services, guests, nodes, groups and rules that the store has at that moment. In bash
    /// for this session: 'source <(ha completions bash)'. The Debian package has them in place for bash, fish and zsh.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Write the man pages, one for each verb, for a package.
    #[command(hide = true)]
    ManPages {
        /// Where to; it must be there.
        directory: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum AgentsVerb {
    /// Try out a program of one's own for guests of the kind 'exec': each verb, in each state in which it may be called.
    ///
    /// A cluster is not needed. The program is called on this machine, as a node's daemon does it. Exit code 1 says that something is not as it must be.
    Test(agents::TestArguments),
    /// List the OCF resource agents of this machine, for guests of the kind 'ocf'.
    ///
    /// They are looked for in /usr/lib/ocf, or where OCF_ROOT says. Debian has them in the package 'resource-agents'.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Describe an OCF resource agent: what it runs, and its parameters.
    Describe {
        /// Which one: 'PROVIDER:TYPE', such as 'heartbeat:IPaddr2'.
        agent: OcfName,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Write a definition of a guest that an OCF resource agent runs, for 'ha guest set'.
    ///
    /// Parameters that must be given and are not stay empty. How long actions may take is what the agent wants at least.
    New {
        /// Which one: 'PROVIDER:TYPE', such as 'heartbeat:IPaddr2'.
        agent: OcfName,
        /// Its parameters.
        #[arg(value_name = "NAME=VALUE")]
        parameters: Vec<String>,
        /// The node that the guest is on.
        #[arg(long, value_name = "NODE")]
        on: NodeName,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum StoreVerb {
    /// Try out whether a directory keeps what a store counts on: locks, replaced files, and that each machine sees what another has written.
    ///
    /// A cluster is not needed, and nothing of one that is there is touched. Exit code 1 says that this directory must not be a store.
    Test(trial::TestArguments),
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

/// What another program will read.
#[derive(Debug, Args)]
pub(super) struct BesideArguments {
    /// What it will do.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    pub(super) rest: Vec<OsString>,
}

fn boolean(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "on" | "yes" | "true" => Ok(true),
        "0" | "off" | "no" | "false" => Ok(false),
        _ => Err("expected 1, on, yes, true, or 0, off, no, false".into()),
    }
}
