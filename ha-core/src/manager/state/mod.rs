//! The state machine of a service: one step from each state.

mod moving;
mod recovery;
mod started;
mod stopped;

use super::{
    RoundHost,
    round::{Brings, Round},
};
use crate::{
    config::RequestedState,
    event::{Event, MoveIgnoreReason},
    id::NodeName,
    placement::Preference,
    status::{ExitCode, LrmMode, Motion, QueuedCommand, ServiceState, StateName},
};

impl<H: RoundHost + ?Sized> Round<'_, H> {
    /// Lets a service take a step. Says whether it is in another state than before.
    pub(super) fn step(&mut self, service: usize) -> bool {
        let Some(before) = self.state_name(service) else { return false };
        match before {
            StateName::Stopped => self.step_stopped(service),
            StateName::RequestStop => self.step_request_stop(service),
            StateName::RequestStart => self.step_request_start(service),
            StateName::Started => self.step_started(service),
            StateName::Migrate | StateName::Relocate | StateName::RequestStartBalance => self.step_moving(service),
            StateName::Recovery => self.step_recovery(service),
            StateName::Freeze => self.step_freeze(service),
            StateName::Error => self.step_error(service),
            // Fencing handles these, a node at a time.
            StateName::Fence => {}
        }
        self.freeze_if_restarting(service);
        self.state_name(service) != Some(before)
    }

    fn state_name(&self, service: usize) -> Option<StateName> {
        self.entry(service).map(|(_, entry)| entry.state.name())
    }

    /// A service whose LRM restarts is left alone meanwhile.
    fn freeze_if_restarting(&mut self, service: usize) {
        let Some((_, entry)) = self.entry(service) else { return };
        let freezes = matches!(entry.state.name(), StateName::Started | StateName::Stopped | StateName::RequestStop);
        if freezes && self.own_node_facts(service).mode == LrmMode::Restart {
            self.change(service, ServiceState::Freeze, Brings::Nothing);
        }
    }

    fn step_request_stop(&mut self, service: usize) {
        let Some((sid, entry)) = self.entry(service) else { return };
        let (sid, node) = (sid.clone(), entry.node.clone());
        match self.result(service) {
            Some(ExitCode::WRONG_NODE) if self.follow(service) => {}
            Some(ExitCode::SUCCESS) => self.change(service, ServiceState::Stopped, Brings::Nothing),
            Some(ExitCode(exit_code)) => {
                let (node, guest_node) = (Some(node), self.guest_node(service).cloned());
                self.host.event(Event::StopFailed { sid, exit_code, node, guest_node });
                self.fail(service);
            }
            None => self.fence_if_overdue(service),
        }
    }

    /// Balances at the start, if that is configured (M21), and leaves a node alone that takes no new services (M28).
    fn step_request_start(&mut self, service: usize) {
        let Some((sid, entry)) = self.entry(service) else { return };
        let (sid, present) = (sid.clone(), entry.node.clone());
        let balances = self.configuration.datacenter.scheduler.rebalance_on_start;
        if (balances || self.is_held(&present))
            && let Some(mut best) = self.select(service, Preference::BestScore)
        {
            let event = Event::StartBalanceSelected { sid, node: best.node.clone(), present: Some(present.clone()) };
            let why = best.why.take();
            if balances || best.node != present {
                self.decision(event, why);
            }
            if best.node != present {
                self.report_drawbacks(service, &best);
                let state = ServiceState::RequestStartBalance { target: best.node };
                self.change(service, state, Brings::Node(present));
                return;
            }
            self.report_held(service, &best);
        }
        self.change(service, ServiceState::Started { confirmed: false }, Brings::Node(present));
        self.let_pass(service);
    }

    fn step_freeze(&mut self, service: usize) {
        let Some((_, entry)) = self.entry(service) else { return };
        let node = entry.node.clone();
        match self.own_node_facts(service).mode {
            LrmMode::Active => {
                // Whatever its record says: an LRM whose services are all frozen may leave right now.
                self.expect_new_guard(&node);
                self.change(service, self.wanted_state(service), Brings::Nothing);
            }
            // It was left frozen to wait for its node, for however long that takes.
            LrmMode::Restart => {}
            LrmMode::Shutdown | LrmMode::Maintenance | LrmMode::Disarm | LrmMode::Unknown => {
                // The node was lost while HA was disarmed. Nothing guarded it, so its lock proves nothing.
                if self.status.disarm.is_none() && self.is_overdue(&node) {
                    self.expect_guard(&node);
                    self.change(service, ServiceState::Fence, Brings::Nothing);
                }
            }
        }
    }

    fn step_error(&mut self, service: usize) {
        if self.facts(service).requested == RequestedState::Disabled {
            self.forget_failed_nodes(service);
            self.change(service, ServiceState::Stopped, Brings::Nothing);
            self.expect_guard_where_it_may_run(service);
        }
    }

    /// Leaves a service to people, which may still run.
    fn fail(&mut self, service: usize) {
        self.change(service, ServiceState::Error, Brings::Nothing);
        if let Some((sid, _)) = self.status.services.at(service) {
            self.status.may_run.insert(sid.clone());
            self.status.start_failures.remove(sid);
        }
    }

    /// The state in which a service goes on after something else is over: `started` or `request_stop`.
    pub(in crate::manager) fn wanted_state(&self, service: usize) -> ServiceState {
        match self.facts(service).requested {
            RequestedState::Started => ServiceState::Started { confirmed: false },
            RequestedState::Stopped | RequestedState::Disabled | RequestedState::Ignored => {
                ServiceState::RequestStop { timeout: None }
            }
        }
    }

    /// The LRM of a service's node has seen that its guest is elsewhere: people moved it, or it was on its way when it was
    /// added, or it was recovered by a master that died before it had written so. Follows it to where it is configured, if that
    /// is a node of the cluster, and says whether it does (M22). One that is lost is fenced then, for what may run there.
    ///
    /// It may run there without a watchdog, so that node counts as unguarded until its LRM is seen with its lock.
    fn follow(&mut self, service: usize) -> bool {
        let guest_node = self.guest_node(service);
        let Some((_, entry)) = self.entry(service) else { return false };
        let Some(to) = guest_node.filter(|node| **node != entry.node && self.status.nodes.contains_key(*node)) else {
            return false;
        };
        self.expect_guard(to);
        let Some((sid, entry)) = self.status.services.at_mut(service) else { return false };
        let from = core::mem::replace(&mut entry.node, to.clone());
        if let ServiceState::Started { confirmed } = &mut entry.state {
            *confirmed = false;
        }
        self.host.event(Event::ServiceLocationUpdated { sid: sid.clone(), from, to: to.clone() });
        self.update_placement(service);
        self.unsettle(service);
        // The request was for the LRM of the other node.
        self.renew_uid(service);
        true
    }

    fn fence_if_overdue(&mut self, service: usize) {
        let Some(node) = self.entry(service).map(|(_, entry)| entry.node.clone()) else { return };
        if self.is_overdue(&node) {
            self.change(service, ServiceState::Fence, Brings::Nothing);
        }
    }

    fn forget_failed_nodes(&mut self, service: usize) {
        if let Some(entry) = self.entry_mut(service) {
            entry.failed_nodes.clear();
        }
    }

    /// Takes the command that waits for a service.
    fn take_command(&mut self, service: usize) -> Option<QueuedCommand> {
        self.entry_mut(service)?.command.take().map(|command| *command)
    }

    /// Whether a commanded move makes sense. If not it is dropped, with an event.
    fn may_move(&mut self, service: usize, motion: Motion, target: &NodeName) -> bool {
        let Some((sid, entry)) = self.entry(service) else { return false };
        let reason = if entry.node == *target {
            MoveIgnoreReason::AlreadyOnTarget
        } else if !self.is_online(target) {
            MoveIgnoreReason::TargetNotOnline
        } else {
            return true;
        };
        let (sid, target) = (sid.clone(), target.clone());
        self.host.event(Event::MoveIgnored { sid, target, task: Some(motion), reason: Some(reason) });
        false
    }

    /// Lets a service move, from where it is.
    fn begin_move(&mut self, service: usize, motion: Motion, target: NodeName) {
        let Some(node) = self.entry(service).map(|(_, entry)| entry.node.clone()) else { return };
        let state = match motion {
            Motion::Migrate => {
                self.expect_running_service(&target);
                ServiceState::Migrate { target }
            }
            Motion::Relocate => ServiceState::Relocate { target },
        };
        self.change(service, state, Brings::Node(node));
    }
}
