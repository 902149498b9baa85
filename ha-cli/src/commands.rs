//! Commands to the master. Before one is queued the rounds to come are played, so that it can be told what will happen.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use ha_core::{
    event::{Event, IgnoreReason, NoEffectReason, RejectionReason},
    id::NodeName,
    similar::{did_you_mean, similar},
    status::{Command, DisarmMode, Motion, NodeState},
};
use ha_host::desk::{Change, Refusal, judge};

use super::{
    context::{Context, Failure, who},
    deed::{Deed, Goal, Manner},
};

/// How a command is given.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct CommandManner {
    /// Also if it leads nowhere now, or will not last.
    #[arg(long)]
    pub(super) force: bool,
    #[command(flatten)]
    pub(super) manner: Manner,
}

#[derive(Debug, Subcommand)]
pub(super) enum CrmVerb {
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
    /// Stop a service.
    Stop {
        /// The service.
        sid: String,
        /// Seconds that it may take; 0 is hard and at once.
        timeout: u32,
        #[command(flatten)]
        manner: CommandManner,
    },
    /// Have a node give its services away and take none, or end that.
    NodeMaintenance {
        #[command(subcommand)]
        verb: MaintenanceVerb,
    },
    /// Let go of all watchdogs and leave the services alone, for work on the network or the store.
    DisarmHa {
        /// 'freeze': the services are left as they are. 'ignore': as if they were not managed.
        #[arg(value_parser = parse_disarm_mode)]
        mode: DisarmMode,
        #[command(flatten)]
        manner: Manner,
    },
    /// Take up work again after a disarm.
    ArmHa {
        #[command(flatten)]
        manner: Manner,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum MaintenanceVerb {
    /// Begin maintenance.
    Enable {
        /// The node.
        node: NodeName,
        #[command(flatten)]
        manner: Manner,
    },
    /// End maintenance.
    Disable {
        /// The node.
        node: NodeName,
        #[command(flatten)]
        manner: Manner,
    },
}

pub(super) fn parse_disarm_mode(text: &str) -> Result<DisarmMode, String> {
    text.parse().map_err(|error: ha_core::UnknownWord| error.to_string())
}

pub(super) fn crm_command(context: &Context, verb: CrmVerb) -> Result<ExitCode, Failure> {
    match verb {
        CrmVerb::Migrate { sid, node, manner } => moving(context, Motion::Migrate, &sid, node, &manner),
        CrmVerb::Relocate { sid, node, manner } => moving(context, Motion::Relocate, &sid, node, &manner),
        CrmVerb::Stop { sid, timeout, manner } => stop(context, &sid, timeout, &manner),
        CrmVerb::NodeMaintenance { verb } => maintenance(context, verb),
        CrmVerb::DisarmHa { mode, manner } => disarm(context, mode, &manner),
        CrmVerb::ArmHa { manner } => arm(context, &manner),
    }
}

pub(super) fn moving(
    context: &Context,
    motion: Motion,
    sid: &str,
    node: NodeName,
    manner: &CommandManner,
) -> Result<ExitCode, Failure> {
    let command = Command::Move { motion, sid: context.sid(sid)?, node };
    queue(context, &command, &manner.manner, manner.force)
}

pub(super) fn stop(context: &Context, sid: &str, timeout: u32, manner: &CommandManner) -> Result<ExitCode, Failure> {
    let command = Command::Stop { sid: context.sid(sid)?, timeout };
    queue(context, &command, &manner.manner, manner.force)
}

pub(super) fn maintenance(context: &Context, verb: MaintenanceVerb) -> Result<ExitCode, Failure> {
    let (command, manner) = match verb {
        MaintenanceVerb::Enable { node, manner } => (Command::EnableNodeMaintenance { node }, manner),
        MaintenanceVerb::Disable { node, manner } => (Command::DisableNodeMaintenance { node }, manner),
    };
    queue(context, &command, &manner, false)
}

pub(super) fn disarm(context: &Context, mode: DisarmMode, manner: &Manner) -> Result<ExitCode, Failure> {
    queue(context, &Command::DisarmHa { mode }, manner, false)
}

pub(super) fn arm(context: &Context, manner: &Manner) -> Result<ExitCode, Failure> {
    queue(context, &Command::ArmHa, manner, false)
}

pub(super) fn clear_fencings(context: &Context, node: NodeName, manner: &Manner) -> Result<ExitCode, Failure> {
    queue(context, &Command::ClearFencings { node }, manner, false)
}

/// Queues a command, and tells what follows. One that leads nowhere, or whose effect will not last, is refused unless it is forced.
pub(super) fn queue(context: &Context, command: &Command, manner: &Manner, force: bool) -> Result<ExitCode, Failure> {
    let line = command.to_string();
    let mut deed = Deed::new(context, manner, command.verb(), object(command), format!("queued: {line}"))?;
    deed.needs_status()?;
    check_nodes(&deed.present.settings.nodes, command)?;
    deed.goals = goals(command);
    if let Command::DisarmHa { .. } = command {
        deed.notes.push("until 'ha arm' no service is recovered, started, stopped or moved".into());
    }
    if let Command::EnableNodeMaintenance { node } = command {
        deed.undo = Some(Command::DisableNodeMaintenance { node: node.clone() });
    }
    let judge = |answers: &[Event]| judge(answers, &line, force).map_err(|refusal| refused(&refusal));
    let change = Change { commands: vec![command.clone()], ..Change::default() };
    let id = context.new_id()?;
    deed.command_id = Some(id.clone());
    deed.carry_out(&change, judge, || Ok(context.desk.give(command, &who(), &id)?))
}

fn object(command: &Command) -> String {
    match command {
        Command::Move { sid, .. } | Command::Stop { sid, .. } => sid.to_string(),
        Command::EnableNodeMaintenance { node }
        | Command::DisableNodeMaintenance { node }
        | Command::ConfirmFenced { node, .. }
        | Command::ClearFencings { node } => node.to_string(),
        Command::DisarmHa { .. } | Command::ArmHa => "the cluster".into(),
    }
}

/// What is waited for beside the services.
fn goals(command: &Command) -> Vec<Goal> {
    let node_goal = |node: &NodeName, state| Goal::Node { node: node.clone(), state };
    match command {
        Command::Move { .. } | Command::Stop { .. } | Command::ConfirmFenced { .. } | Command::ClearFencings { .. } => {
            vec![Goal::Taken]
        }
        Command::EnableNodeMaintenance { node } => vec![Goal::Taken, node_goal(node, NodeState::Maintenance)],
        Command::DisableNodeMaintenance { node } => vec![Goal::Taken, node_goal(node, NodeState::Online)],
        Command::DisarmHa { .. } => vec![Goal::Taken, Goal::Disarmed(true)],
        Command::ArmHa => vec![Goal::Taken, Goal::Disarmed(false)],
    }
}

/// A node that the cluster does not have is a typing error; the master would wait for it in vain.
fn check_nodes(nodes: &[NodeName], command: &Command) -> Result<(), Failure> {
    match command {
        Command::Move { node, .. }
        | Command::EnableNodeMaintenance { node }
        | Command::DisableNodeMaintenance { node }
        | Command::ConfirmFenced { node, .. }
        | Command::ClearFencings { node } => check_node(nodes, node),
        Command::Stop { .. } | Command::DisarmHa { .. } | Command::ArmHa => Ok(()),
    }
}

/// Refuses a node that is no member.
pub(super) fn check_node(nodes: &[NodeName], node: &NodeName) -> Result<(), Failure> {
    if nodes.contains(node) {
        return Ok(());
    }
    let names: Vec<&str> = nodes.iter().map(NodeName::as_str).collect();
    let hint = did_you_mean(similar(node.as_str(), names.iter().copied()));
    Err(Failure::Failed(format!("'{node}' is no node of this cluster, which has {}{hint}", names.join(", "))))
}

/// What helps, by the verbs of this command.
fn refused(refusal: &Refusal) -> Failure {
    const NOT_QUEUED: &str = "Nothing was queued: say --force to queue it all the same";
    let hint = match refusal {
        Refusal::Rejected(RejectionReason::NotToBeFenced) => ", see 'ha status'".to_owned(),
        Refusal::Rejected(_) => ": see 'ha status'".to_owned(),
        Refusal::Ignored(IgnoreReason::Disarmed) => " with 'ha arm'".to_owned(),
        Refusal::Pointless(event) => {
            if let Event::CommandWithoutEffect { sid, reason: NoEffectReason::InError, .. } = &**event {
                format!(" ('ha cleanup {sid}' requests both). {NOT_QUEUED}")
            } else {
                format!(". {NOT_QUEUED}")
            }
        }
        Refusal::KeptApart { .. } | Refusal::Spread { .. } | Refusal::Ignored(_) | Refusal::Unknown(_) => String::new(),
    };
    Failure::Failed(format!("{refusal}{hint}"))
}
