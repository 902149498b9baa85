//! The queued commands.

use alloc::{
    boxed::Box,
    string::{String, ToString},
    vec::Vec,
};

use smol_str::SmolStr;

use super::{
    RoundHost,
    round::{Brings, Round},
};
use crate::{
    config::RequestedState,
    event::{Event, IgnoreReason, MoveBackReason, NoEffectReason, RejectionReason},
    host::{self, HostOperation},
    id::{FailureDomain, NodeName, ServiceId},
    placement::Affinity,
    status::{
        Command, CommandLine, Disarm, DisarmMode, DisarmState, LineParts, Motion, NodeState, QueuedCommand,
        ServiceState, Timestamp,
    },
};

/// A command as its line has it, without who gave it, and who did.
#[derive(Clone, Copy)]
pub(super) struct Given<'a> {
    pub(super) line: &'a str,
    pub(super) by: Option<&'a str>,
}

impl Given<'_> {
    pub(super) fn accepted(self) -> Event {
        Event::CommandAccepted { command: self.line.into(), by: self.by.map(String::from) }
    }

    /// When it was given, where it says who did: what other programs queue is recorded as it always was.
    fn since(self, now: Timestamp) -> Option<Timestamp> {
        self.by.map(|_| now)
    }
}

/// Why a command is not carried out.
pub(super) enum Refusal {
    Rejected(RejectionReason),
    Ignored(IgnoreReason),
}

impl<H: RoundHost + ?Sized> Round<'_, H> {
    /// Takes the commands out of the queue and notes or carries out each.
    pub(super) fn take_commands(&mut self) {
        let lines = self.host.take_commands();
        for line in host::answer(self.host, HostOperation::Commands, lines).unwrap_or_default() {
            let LineParts { command, by, id } = CommandLine::part(&line);
            if let Some(id) = id {
                let (id, command, by) = (id.into(), command.into(), by.map(String::from));
                self.host.event(Event::CommandTaken { id, command, by });
            }
            match line.parse() {
                Ok(given) => self.command(&given, &line),
                Err(error) => self.host.event(Event::CommandUnknown { command: line, reason: error.to_string() }),
            }
        }
        self.drop_commands_without_effect();
    }

    /// Drops what was given to services that would forget it, also in an earlier round: it must not be waited for.
    fn drop_commands_without_effect(&mut self) {
        for service in 0..self.status.services.len() {
            if self.entry(service).is_some_and(|(_, entry)| entry.command.is_some()) {
                self.drop_command_without_effect(service);
            }
        }
    }

    fn drop_command_without_effect(&mut self, service: usize) {
        let requested = self.facts(service).requested;
        let Some((sid, entry)) = self.status.services.at_mut(service) else { return };
        let Some(reason) = forgets_commands(&entry.state, requested) else { return };
        let Some(command) = entry.command.take() else { return };
        let command = command.for_service(sid).to_string();
        self.host.event(Event::CommandWithoutEffect { sid: sid.clone(), command, reason });
    }

    /// Carries out a command. What is said of it has its line without who gave it.
    fn command(&mut self, given: &CommandLine, line: &str) {
        let (verb, by) = (given.command.verb(), given.by());
        let parts = CommandLine::part(line);
        let line = Given { line: parts.command, by: parts.by };
        match &given.command {
            Command::Move { motion, sid, node } => self.command_move(line, *motion, sid, node),
            Command::Stop { sid, timeout } => self.command_stop(line, sid, *timeout),
            Command::EnableNodeMaintenance { node } => self.command_enable_maintenance(line, node),
            Command::DisableNodeMaintenance { node } => self.command_disable_maintenance(node, by),
            Command::DisarmHa { mode } => self.command_disarm(line, verb, *mode),
            Command::ArmHa => self.command_arm(line, verb),
            Command::ConfirmFenced { node, .. } => self.command_confirm_fenced(line, node, by),
            Command::ClearFencings { node } => self.command_clear_fencings(line, node),
        }
    }

    fn command_move(&mut self, given: Given<'_>, motion: Motion, sid: &ServiceId, target: &NodeName) {
        match self.movable(sid, target) {
            Ok(service) => self.queue_motion(given, motion, service, target),
            Err(refusal) => self.refuse(given.line, refusal),
        }
    }

    /// The position of a service that may be moved to a node.
    fn movable(&self, sid: &ServiceId, target: &NodeName) -> Result<usize, Refusal> {
        let service = self.status.services.position(sid).ok_or(Refusal::Rejected(RejectionReason::NoSuchService))?;
        if !self.status.is_online(target) {
            return Err(Refusal::Rejected(RejectionReason::NodeNotOnline));
        }
        match self.entry(service) {
            Some((_, entry)) if entry.node == *target => Err(Refusal::Ignored(IgnoreReason::AlreadyOnTarget)),
            _ => Ok(service),
        }
    }

    /// Queues the move of a service and of all that must be together with it, unless one that must be kept apart is in
    /// the way.
    pub(super) fn queue_motion(&mut self, given: Given<'_>, motion: Motion, service: usize, target: &NodeName) {
        let line = given.line;
        let Some((sid, _)) = self.entry(service) else { return };
        let sid = sid.clone();
        if let Some((blocking, domain)) = self.blocking(service, target) {
            let (command, target) = (line.into(), target.clone());
            self.host.event(Event::CommandBlockedByAffinity { command, blocking, target, sid, domain });
            return;
        }
        self.host.event(given.accepted());
        self.give_move(service, motion, target);
        let together: Vec<usize> = self.placement.together_with(service).collect();
        for other in together {
            let Some((other_sid, entry)) = self.entry(other) else { continue };
            if entry.node == *target || entry.state.target() == Some(target) {
                continue;
            }
            let event = Event::ComoveQueued {
                command: line.into(),
                task: motion,
                sid: other_sid.clone(),
                target: target.clone(),
                with: sid.clone(),
            };
            self.host.event(event);
            self.give_move(other, motion, target);
        }
    }

    fn give_move(&mut self, service: usize, motion: Motion, target: &NodeName) {
        self.give_command(service, QueuedCommand::Move { motion, target: target.clone() });
        self.report_if_not_lasting(service, target);
        self.report_if_brought_together(service, target);
        self.report_if_held(service, target);
    }

    /// Says so if the service will be sent away from there again.
    fn report_if_not_lasting(&mut self, service: usize, target: &NodeName) {
        let failback = self.facts(service).failback;
        let (reason, rule) = match self.placement.affinity_with(service, target) {
            Affinity::Forbids(rule) => (MoveBackReason::NotAllowed, Some(rule.clone())),
            Affinity::PrefersOthers(rule) if failback => (MoveBackReason::Failback, Some(rule.clone())),
            Affinity::Accepts | Affinity::PrefersOthers(_) if self.status.maintenance_requested(target) => {
                (MoveBackReason::Maintenance, None)
            }
            Affinity::Accepts | Affinity::PrefersOthers(_) => return,
        };
        if let Some((sid, _)) = self.entry(service) {
            let event = Event::MoveWillNotLast { sid: sid.clone(), node: target.clone(), rule, reason };
            self.host.event(event);
        }
    }

    /// The first service by SID that must be kept apart from this one and is in the way of the target; with the failure domain of that,
    /// if it is elsewhere in it.
    fn blocking(&self, service: usize, target: &NodeName) -> Option<(ServiceId, Option<FailureDomain>)> {
        let node = self.placement.position(target)?;
        let blocking = self.placement.keep_off(service, node).min()?;
        let (sid, _) = self.entry(blocking)?;
        Some((sid.clone(), self.placement.domain_between(blocking, node).cloned()))
    }

    fn give_command(&mut self, service: usize, command: QueuedCommand) {
        if let Some(entry) = self.entry_mut(service) {
            entry.command = Some(Box::new(command));
        }
        self.drop_command_without_effect(service);
    }

    fn command_stop(&mut self, given: Given<'_>, sid: &ServiceId, timeout: u32) {
        match self.status.services.position(sid) {
            Some(service) => {
                self.host.event(given.accepted());
                self.give_command(service, QueuedCommand::Stop { timeout });
            }
            None => self.refuse(given.line, Refusal::Rejected(RejectionReason::NoSuchService)),
        }
    }

    fn command_enable_maintenance(&mut self, given: Given<'_>, node: &NodeName) {
        let line = given.line;
        let state = self.status.node_state(node);
        if self.status.disarm.is_some() {
            self.refuse(line, Refusal::Ignored(IgnoreReason::Disarmed));
        } else if state == NodeState::Maintenance {
            self.refuse(line, Refusal::Ignored(IgnoreReason::AlreadyInMaintenance));
        } else if state != NodeState::Online {
            self.refuse(line, Refusal::Rejected(RejectionReason::NodeNotOnline));
        } else {
            let request = self.status.node_requests.entry(node.clone()).or_default();
            request.maintenance = true;
            request.by = given.by.map(SmolStr::from);
            request.since = given.since(self.input.now.wall);
            let by = given.by.map(String::from);
            self.host.event(Event::MaintenanceRequested { node: node.clone(), by });
        }
    }

    fn command_disable_maintenance(&mut self, node: &NodeName, by: Option<&str>) {
        let state = self.status.node_state(node);
        if state != NodeState::Maintenance {
            self.host.event(Event::MaintenanceClearUnexpectedState { node: node.clone(), state });
        }
        if let Some(request) = self.status.node_requests.get_mut(node) {
            if core::mem::replace(&mut request.maintenance, false) {
                let by = by.map(String::from);
                self.host.event(Event::MaintenanceRequestWithdrawn { node: node.clone(), by });
            }
            (request.by, request.since) = (None, None);
            if request.unknown.is_none() {
                self.status.node_requests.remove(node);
            }
        }
    }

    fn command_disarm(&mut self, given: Given<'_>, verb: &str, mode: DisarmMode) {
        if let Some(disarm) = &self.status.disarm {
            let state = Some(disarm.state);
            self.host.event(Event::CommandIgnored {
                state,
                reason: IgnoreReason::AlreadyDisarmed,
                command: verb.into(),
            });
            return;
        }
        self.host.event(given.accepted());
        let (by, since) = (given.by.map(SmolStr::from), given.since(self.input.now.wall));
        self.status.disarm = Some(Disarm { mode, state: DisarmState::Disarming, by, since, unknown: None });
        match mode {
            DisarmMode::Freeze => {}
            DisarmMode::Ignore => {
                for (sid, _) in self.status.services.iter() {
                    self.host.event(Event::DisarmSuspendedService { sid: sid.clone() });
                }
            }
        }
    }

    fn command_arm(&mut self, given: Given<'_>, verb: &str) {
        let Some(disarm) = self.status.disarm.take() else {
            self.refuse(verb, Refusal::Ignored(IgnoreReason::NotDisarmed));
            return;
        };
        self.host.event(given.accepted());
        self.expect_guards();
        match disarm.mode {
            DisarmMode::Freeze => {}
            DisarmMode::Ignore => self.update_locations(),
        }
    }

    /// A person says that a node is down.
    fn command_confirm_fenced(&mut self, given: Given<'_>, node: &NodeName, by: Option<&str>) {
        let line = given.line;
        if !self.status.fence_requested(node) {
            self.refuse(line, Refusal::Rejected(RejectionReason::NotToBeFenced));
        } else if self.input.members.get(node) == Some(&true) {
            self.refuse(line, Refusal::Rejected(RejectionReason::NodeIsUp));
        } else {
            self.host.event(given.accepted());
            self.host.event(Event::FenceConfirmed { node: node.clone(), by: by.map(String::from) });
            self.incident(node);
            self.note_was_down(node);
        }
    }

    /// Brings the node of every service up to date with where its guest is: people moved them while HA looked away.
    fn update_locations(&mut self) {
        for service in 0..self.status.services.len() {
            let guest_node = self.guest_node(service);
            let Some((sid, entry)) = self.status.services.at_mut(service) else { continue };
            let Some(to) = guest_node.filter(|node| **node != entry.node) else { continue };
            let from = core::mem::replace(&mut entry.node, to.clone());
            self.host.event(Event::ServiceLocationUpdated { sid: sid.clone(), from, to: to.clone() });
            let waits_for_fencing = entry.state == ServiceState::Fence;
            self.update_placement(service);
            if waits_for_fencing {
                // Of the node that it has left. Where it is now it may run, so it is taken up as after a restart there.
                self.change(service, ServiceState::Freeze, Brings::Nothing);
            } else {
                // The request was for the LRM of the other node.
                self.renew_uid(service);
            }
        }
    }

    pub(super) fn refuse(&mut self, command: &str, refusal: Refusal) {
        let command = String::from(command);
        self.host.event(match refusal {
            Refusal::Rejected(reason) => Event::CommandRejected { command, reason },
            Refusal::Ignored(reason) => Event::CommandIgnored { state: None, reason, command },
        });
    }
}

/// Why a service in this state would forget a command: it is looked at only in `stopped` and `started`, and every change of
/// state drops it.
fn forgets_commands(state: &ServiceState, requested: RequestedState) -> Option<NoEffectReason> {
    match state {
        ServiceState::Error => Some(NoEffectReason::InError),
        ServiceState::Fence => Some(NoEffectReason::InFence),
        ServiceState::Recovery => Some(NoEffectReason::InRecovery),
        ServiceState::Migrate { .. } | ServiceState::Relocate { .. } | ServiceState::RequestStartBalance { .. } => {
            Some(NoEffectReason::Moving)
        }
        ServiceState::Freeze => Some(NoEffectReason::Frozen),
        ServiceState::RequestStop { .. } => Some(NoEffectReason::Stopping),
        ServiceState::RequestStart => Some(NoEffectReason::Starting),
        ServiceState::Started { .. } => match requested {
            RequestedState::Stopped | RequestedState::Disabled => Some(NoEffectReason::Stopping),
            RequestedState::Started | RequestedState::Ignored => None,
        },
        ServiceState::Stopped => None,
    }
}
