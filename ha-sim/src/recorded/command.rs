//! The commands of recorded scenarios.

use ha_core::{
    config::{RequestedState, Resource},
    id::{IdError, NodeName, ServiceId},
    lrm::StopRequest,
};

use super::case::service_types;
use crate::world::{DaemonKind, Guest, World};

/// Why a command can't be executed.
#[derive(Debug, thiserror::Error)]
pub(super) enum CommandError {
    #[error("unknown command")]
    Unknown,
    #[error(transparent)]
    Id(#[from] IdError),
    #[error("no node {0}")]
    NoSuchNode(NodeName),
    #[error("no service {0}")]
    NoSuchService(ServiceId),
    #[error("'{0}' is not a number")]
    Number(String),
}

/// What a command asks of daemons, or of the loop that plays them.
pub(super) enum Deed {
    PowerOn(NodeName),
    PowerOff(NodeName),
    Delay { seconds: u64 },
    SkipRounds { daemon: DaemonKind, loops: u64 },
    StopLrm(NodeName, StopRequest),
    StopCrm(NodeName),
    StartCrm(NodeName),
}

/// Reads a command that is about daemons; nothing if it is about the world around them.
pub(super) fn read_deed(world: &World, line: &str) -> Result<Option<Deed>, CommandError> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    Ok(Some(match words.as_slice() {
        ["power", node, "on"] => Deed::PowerOn(known_node(world, node)?),
        ["power", node, "off"] => Deed::PowerOff(known_node(world, node)?),
        ["delay", seconds] => Deed::Delay { seconds: number(seconds)? },
        ["skip-round", daemon @ ("crm" | "lrm"), rest @ ..] => {
            let loops = rest.first().map_or(Ok(1), |loops| number(loops))?;
            let daemon = if *daemon == "crm" { DaemonKind::Crm } else { DaemonKind::Lrm };
            Deed::SkipRounds { daemon, loops }
        }
        ["reboot", node] => Deed::StopLrm(known_node(world, node)?, StopRequest::NodeReboot),
        ["shutdown", node] => Deed::StopLrm(known_node(world, node)?, StopRequest::NodeShutdown),
        ["restart-lrm", node] => Deed::StopLrm(known_node(world, node)?, StopRequest::Restart),
        ["crm", node, "stop"] => Deed::StopCrm(known_node(world, node)?),
        ["crm", node, "start"] => Deed::StartCrm(known_node(world, node)?),
        _ => return Ok(None),
    }))
}

/// Carries out a command that is about the world around the daemons.
pub(super) fn change_world(world: &mut World, line: &str) -> Result<(), CommandError> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    match words.as_slice() {
        ["network", node, state @ ("on" | "off")] => hardware(world, node)?.network = *state == "on",
        ["cfs", node, "rw", state @ ("work" | "fail")] => hardware(world, node)?.store_fails = *state == "fail",
        ["cfs", node, "update", state @ ("work" | "fail")] => hardware(world, node)?.refresh_fails = *state == "fail",
        ["crm", node, rest @ ..] => {
            let command = queued_command(&known_node(world, node)?, rest)?;
            world.store.commands.push(command);
        }
        ["pve-manager-version", node, "set", version] => hardware(world, node)?.version = (*version).to_owned(),
        ["service", sid, rest @ ..] => service(world, &service_types().parse(sid)?, rest)?,
        _ => return Err(CommandError::Unknown),
    }
    Ok(())
}

/// What goes into the queue of the manager.
fn queued_command(node: &NodeName, words: &[&str]) -> Result<String, CommandError> {
    match words {
        [verb @ ("enable-node-maintenance" | "disable-node-maintenance")] => Ok(format!("{verb} {node}")),
        ["disarm-ha", mode] => Ok(format!("disarm-ha {mode}")),
        ["arm-ha"] => Ok("arm-ha".to_owned()),
        _ => Err(CommandError::Unknown),
    }
}

fn service(world: &mut World, sid: &ServiceId, words: &[&str]) -> Result<(), CommandError> {
    match words {
        [state @ ("started" | "stopped" | "disabled" | "ignored")] => {
            let state = state.parse().map_err(|_| CommandError::Unknown)?;
            world.store.set_requested_state(sid, state);
        }
        [verb @ ("migrate" | "relocate" | "stop"), argument] => {
            world.store.commands.push(format!("{verb} {sid} {argument}"));
        }
        ["add", node, rest @ ..] => add(world, sid, NodeName::new(node)?, rest)?,
        ["delete"] => {
            world.store.remove_resource(sid);
            world.guests.remove(sid);
        }
        ["lock", rest @ ..] => {
            guest(world, sid)?.lock = Some(rest.first().copied().unwrap_or("backup").to_owned());
        }
        ["unlock"] => guest(world, sid)?.lock = None,
        ["set-static-stats" | "set-dynamic-stats", figures @ ..] => set_figures(guest(world, sid)?, figures)?,
        ["manual-migrate", node] => {
            let node = NodeName::new(node)?;
            let from = std::mem::replace(&mut guest(world, sid)?.node, node);
            world.set_running(sid, &from, false);
        }
        _ => return Err(CommandError::Unknown),
    }
    Ok(())
}

fn add(world: &mut World, sid: &ServiceId, node: NodeName, words: &[&str]) -> Result<(), CommandError> {
    let state: RequestedState =
        words.first().map_or(Ok(RequestedState::Started), |state| state.parse()).map_err(|_| CommandError::Unknown)?;
    let running = words.get(1).is_some_and(|running| *running != "0");
    let mut resource = Resource::new(sid.clone());
    resource.state = Some(state);
    world.store.put_resource(resource);
    world.set_running(sid, &node, running);
    world.guests.insert(sid.clone(), Guest::new(node));
    Ok(())
}

/// `maxcpu 4 maxmem 4096` or `cpu 1.5 mem 2048`; memory is in MiB.
fn set_figures(guest: &mut Guest, words: &[&str]) -> Result<(), CommandError> {
    for pair in words.chunks(2) {
        let [name, value] = pair else { return Err(CommandError::Unknown) };
        match *name {
            "maxcpu" => guest.max_cpu = number(value)?,
            "maxmem" => guest.max_memory = number::<u64>(value)? << 20,
            "cpu" => guest.cpu = number(value)?,
            "mem" => guest.memory = number::<u64>(value)? << 20,
            _ => return Err(CommandError::Unknown),
        }
    }
    Ok(())
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, CommandError> {
    text.parse().map_err(|_| CommandError::Number(text.to_owned()))
}

fn known_node(world: &World, name: &str) -> Result<NodeName, CommandError> {
    let name = NodeName::new(name)?;
    if world.nodes.contains_key(&name) { Ok(name) } else { Err(CommandError::NoSuchNode(name)) }
}

fn hardware<'w>(world: &'w mut World, name: &str) -> Result<&'w mut crate::world::Node, CommandError> {
    let name = NodeName::new(name)?;
    world.nodes.get_mut(&name).ok_or(CommandError::NoSuchNode(name))
}

fn guest<'w>(world: &'w mut World, sid: &ServiceId) -> Result<&'w mut Guest, CommandError> {
    world.guests.get_mut(sid).ok_or_else(|| CommandError::NoSuchService(sid.clone()))
}
