//! Commands to the master. Before one is queued it is tried out, so that it can be told what will happen.

use std::process::ExitCode;

use clap::Subcommand;
use ha_core::{
    event::{Event, IgnoreReason, RejectionReason},
    id::{NodeName, ServiceId},
    similar::{did_you_mean, similar},
    status::{Command, DisarmMode, Motion},
};

use super::{
    Failure,
    context::{Context, note, say},
    dry_run::try_out,
};

#[derive(Debug, Subcommand)]
pub(super) enum CrmVerb {
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
    /// Stop a service.
    Stop {
        /// The service.
        sid: String,
        /// Seconds that it may take; 0 is hard and at once.
        timeout: u32,
        /// Also if it leads nowhere now, or will not last.
        #[arg(long)]
        force: bool,
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
    },
    /// Take up work again after a disarm.
    ArmHa,
}

#[derive(Debug, Subcommand)]
pub(super) enum MaintenanceVerb {
    /// Begin maintenance.
    Enable {
        /// The node.
        node: NodeName,
    },
    /// End maintenance.
    Disable {
        /// The node.
        node: NodeName,
    },
}

fn parse_disarm_mode(text: &str) -> Result<DisarmMode, String> {
    text.parse().map_err(|error: ha_core::UnknownWord| error.to_string())
}

pub(super) fn migrate(context: &Context, sid: &str, node: &NodeName, force: bool) -> Result<ExitCode, Failure> {
    let sid = context.sid(sid)?;
    queue_or_refuse(context, Command::Move { motion: Motion::Migrate, sid, node: node.clone() }, force)
}

pub(super) fn relocate(context: &Context, sid: &str, node: &NodeName, force: bool) -> Result<ExitCode, Failure> {
    let sid = context.sid(sid)?;
    queue_or_refuse(context, Command::Move { motion: Motion::Relocate, sid, node: node.clone() }, force)
}

pub(super) fn stop(context: &Context, sid: &str, timeout: u32, force: bool) -> Result<ExitCode, Failure> {
    queue_or_refuse(context, Command::Stop { sid: context.sid(sid)?, timeout }, force)
}

pub(super) fn crm_command(context: &Context, verb: CrmVerb) -> Result<ExitCode, Failure> {
    match verb {
        CrmVerb::Migrate { sid, node, force } => migrate(context, &sid, &node, force),
        CrmVerb::Relocate { sid, node, force } => relocate(context, &sid, &node, force),
        CrmVerb::Stop { sid, timeout, force } => stop(context, &sid, timeout, force),
        CrmVerb::NodeMaintenance { verb: MaintenanceVerb::Enable { node } } => {
            queue(context, Command::EnableNodeMaintenance { node })
        }
        CrmVerb::NodeMaintenance { verb: MaintenanceVerb::Disable { node } } => {
            queue(context, Command::DisableNodeMaintenance { node })
        }
        CrmVerb::DisarmHa { mode } => queue(context, Command::DisarmHa { mode }),
        CrmVerb::ArmHa => queue(context, Command::ArmHa),
    }
}

pub(super) fn queue(context: &Context, command: Command) -> Result<ExitCode, Failure> {
    queue_or_refuse(context, command, false)
}

/// Queues a command. One that leads nowhere, or whose effect will not last, is refused unless it is forced.
fn queue_or_refuse(context: &Context, command: Command, force: bool) -> Result<ExitCode, Failure> {
    check_nodes(context, &command)?;
    let Some(events) = try_out(context, &command)? else {
        context.store.append_command(&command.to_string())?;
        note("no master is at work: the command waits until there is one");
        return Ok(ExitCode::SUCCESS);
    };
    let outcome = events.iter().try_fold(Vec::new(), |mut lines, event| {
        lines.extend(judge(event, force)?);
        Ok::<_, Failure>(lines)
    })?;
    context.store.append_command(&command.to_string())?;
    say(format_args!("queued: {command}"))?;
    outcome.iter().try_for_each(say)?;
    tell_of_maintenance(context, &command)?;
    Ok(ExitCode::SUCCESS)
}

/// A node that the cluster does not have is a slip of the hand; the master would wait for it in vain.
fn check_nodes(context: &Context, command: &Command) -> Result<(), Failure> {
    let node = match command {
        Command::Move { node, .. }
        | Command::EnableNodeMaintenance { node }
        | Command::DisableNodeMaintenance { node }
        | Command::ConfirmFenced { node, .. } => node,
        Command::Stop { .. } | Command::DisarmHa { .. } | Command::ArmHa => return Ok(()),
    };
    let nodes = context.store.settings()?.nodes;
    if nodes.contains(node) {
        return Ok(());
    }
    let names: Vec<&str> = nodes.iter().map(NodeName::as_str).collect();
    let hint = did_you_mean(similar(node.as_str(), names.iter().copied()));
    Err(Failure::Failed(format!("'{node}' is no node of this cluster, which has {}{hint}", names.join(", "))))
}

/// What an event of the trial means for the one who typed the command.
#[expect(clippy::wildcard_enum_match_arm, reason = "the trial gives no other events than those that are named")]
fn judge(event: &Event, force: bool) -> Result<Option<String>, Failure> {
    match event {
        Event::CommandAccepted { .. } => Ok(None),
        Event::CommandWithoutEffect { .. } | Event::MoveWillNotLast { .. } if !force => {
            Err(Failure::Failed(format!("{event}. Nothing was queued: say --force to queue it all the same")))
        }
        Event::ComoveQueued { sid, target, .. } => {
            Ok(Some(format!("{sid} moves along to {target}: the two are to be together")))
        }
        Event::CommandBlockedByAffinity { blocking, target, sid, .. } => Err(Failure::Failed(format!(
            "{sid} must be kept apart from {blocking}, which uses node {target}: move that first, or change the rule"
        ))),
        Event::CommandRejected { reason: RejectionReason::NoSuchService, .. } => {
            Err(Failure::failed("the master does not know the service (yet): see 'ha status'"))
        }
        Event::CommandRejected { reason: RejectionReason::NodeNotOnline, .. } => {
            Err(Failure::failed("the node is not online: see 'ha status'"))
        }
        Event::CommandRejected { reason: RejectionReason::NotToBeFenced, .. } => {
            Err(Failure::failed("the node is not to be fenced: there is nothing to confirm, see 'ha status'"))
        }
        Event::CommandRejected { reason: RejectionReason::NodeIsUp, .. } => {
            Err(Failure::failed("the node is in the cluster right now, so it is not down: see 'ha status'"))
        }
        Event::CommandIgnored { reason, .. } => Err(Failure::failed(match reason {
            IgnoreReason::AlreadyOnTarget => "the service is on that node already",
            IgnoreReason::AlreadyDisarmed => "HA is disarmed, or being disarmed, already",
            IgnoreReason::NotDisarmed => "HA is not disarmed",
            IgnoreReason::AlreadyInMaintenance => "the node is in maintenance already",
            IgnoreReason::Disarmed => "HA is disarmed: arm it first with 'ha crm-command arm-ha'",
        })),
        Event::CommandUnknown { reason, .. } => Err(Failure::failed(reason)),
        Event::MaintenanceClearUnexpectedState { node, state } => {
            Ok(Some(format!("node {node} is not in maintenance now (it is {state}); a request for it is taken back")))
        }
        other => Ok(Some(other.to_string())),
    }
}

/// Which services a maintenance moves.
fn tell_of_maintenance(context: &Context, command: &Command) -> Result<(), Failure> {
    let Command::EnableNodeMaintenance { node } = command else { return Ok(()) };
    let status = context.manager_status()?;
    let away: Vec<&ServiceId> = status.active_services(node).collect();
    match away.len() {
        0 => say(format_args!("no service runs on {node}")),
        count => {
            let names: Vec<&str> = away.iter().take(10).map(|sid| sid.as_str()).collect();
            let more = if count > names.len() { format!(" and {} more", count - names.len()) } else { String::new() };
            say(format_args!(
                "{} of its services move away and come back when it ends: {}{more}",
                count,
                names.join(", ")
            ))
        }
    }
}
