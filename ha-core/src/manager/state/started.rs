//! `started`: to be running. The node is checked first, then what is asked, then how the start went, then placement.

use alloc::boxed::Box;

use crate::{
    config::RequestedState,
    event::{Event, MoveCause, Why},
    host::{self, HostOperation},
    id::NodeName,
    manager::{
        RoundHost,
        round::{Brings, Place, Round},
    },
    placement::Preference,
    status::{ExitCode, LrmMode, Motion, NodeState, QueuedCommand, ServiceState},
};

/// What the result of a start asks for.
enum AfterStart {
    /// To be placed, with this preference.
    Place(Preference),
    /// Nothing more: the service is in error.
    Done,
}

impl<H: RoundHost + ?Sized> Round<'_, H> {
    pub(super) fn step_started(&mut self, service: usize) {
        if !self.node_can_work(service) {
            return;
        }
        match self.facts(service).requested {
            RequestedState::Stopped | RequestedState::Disabled => {
                if !self.holds_stop(service) {
                    self.change(service, ServiceState::RequestStop { timeout: None }, Brings::Nothing);
                }
                return;
            }
            RequestedState::Started | RequestedState::Ignored => {}
        }
        if !self.command_waits(service)
            && let Some(command) = self.take_command(service)
        {
            self.obey(service, command);
            return;
        }
        let result = self.result(service);
        if result == Some(ExitCode::WRONG_NODE) && self.follow(service) {
            return;
        }
        let preference = match result.map(|result| self.judge_start(service, result)) {
            None => Preference::None,
            Some(AfterStart::Place(preference)) => preference,
            Some(AfterStart::Done) => return,
        };
        match self.select(service, preference) {
            Some(place)
                if !self.is_on(service, &place.node)
                    && !self.holds_up_restart(service, &place.node)
                    && !self.placement_waits(service, preference) =>
            {
                self.move_by_placement(service, place);
            }
            Some(_) => {
                self.stay(service, result.is_some());
                if preference == Preference::None {
                    self.note_settled(service);
                }
            }
            None => {
                if preference == Preference::TryNext {
                    self.report_all_nodes_tried(service);
                }
                self.stay(service, result.is_some());
            }
        }
    }

    fn is_on(&self, service: usize, node: &NodeName) -> bool {
        self.entry(service).is_some_and(|(_, entry)| entry.node == *node)
    }

    /// Whether the service's node can look after it, or is about to give it away.
    ///
    /// A node in maintenance gives it away even where that node is overdue and the service just went to `fence`: the
    /// recorded behaviour.
    fn node_can_work(&mut self, service: usize) -> bool {
        if self.own_node_facts(service).online {
            return true;
        }
        let Some(node) = self.entry(service).map(|(_, entry)| entry.node.clone()) else { return false };
        if self.is_overdue(&node) {
            self.change(service, ServiceState::Fence, Brings::Nothing);
        }
        if self.status.node_state(&node) != NodeState::Maintenance {
            return false;
        }
        self.remember_home(service, node);
        true
    }

    /// A service leaves its node for maintenance. If it only waits there for another one, that one stays its home, unless
    /// it has left the cluster.
    fn remember_home(&mut self, service: usize, node: NodeName) {
        let Some((_, entry)) = self.status.services.at(service) else { return };
        let home = entry.maintenance_node.as_ref();
        let keeps = home.is_some_and(|home| {
            self.status.nodes.contains_key(home) && self.status.node_state(home) != NodeState::Gone
        });
        if !keeps && let Some(entry) = self.entry_mut(service) {
            entry.maintenance_node = Some(node);
        }
    }

    fn obey(&mut self, service: usize, command: QueuedCommand) {
        match command {
            QueuedCommand::Move { motion, target } => {
                if self.may_move(service, motion, &target) {
                    self.report_move(service, motion, &target, MoveCause::Command, None);
                    self.begin_move(service, motion, target);
                }
            }
            QueuedCommand::Stop { timeout } => self.stop_by_command(service, timeout),
        }
    }

    /// Stops a service for good: also in the configuration, since it would be started again otherwise.
    fn stop_by_command(&mut self, service: usize, timeout: u32) {
        let Some((sid, _)) = self.entry(service) else { return };
        let sid = sid.clone();
        let set = self.host.set_requested_state(&sid, RequestedState::Stopped);
        if host::answer(self.host, HostOperation::SetRequestedState, set).is_none() {
            // The command waits for the next round.
            if let Some(entry) = self.entry_mut(service) {
                entry.command = Some(alloc::boxed::Box::new(QueuedCommand::Stop { timeout }));
            }
            return;
        }
        if let Some(facts) = self.facts.get_mut(service) {
            facts.requested = RequestedState::Stopped;
        }
        self.host.event(Event::StopRequested { sid, timeout });
        self.change(service, ServiceState::RequestStop { timeout: Some(timeout) }, Brings::Nothing);
    }

    /// Takes note of how the start went.
    fn judge_start(&mut self, service: usize, result: ExitCode) -> AfterStart {
        match result {
            ExitCode::SUCCESS => {
                self.confirm_start(service);
                AfterStart::Place(Preference::None)
            }
            ExitCode::ERROR | ExitCode::WRONG_NODE => self.relocate_or_give_up(service, result),
            ExitCode(exit_code) => {
                self.note_failed_start(service);
                if let Some((sid, entry)) = self.entry(service) {
                    let (sid, node) = (sid.clone(), Some(entry.node.clone()));
                    let guest_node = self.guest_node(service).cloned();
                    self.host.event(Event::ServiceUnrecoverable { sid, exit_code, node, guest_node });
                }
                self.fail(service);
                AfterStart::Done
            }
        }
    }

    fn confirm_start(&mut self, service: usize) {
        let Some((sid, entry)) = self.status.services.at_mut(service) else { return };
        if !entry.failed_nodes.is_empty() {
            self.host.event(Event::RelocationSucceeded {
                sid: sid.clone(),
                node: entry.node.clone(),
                failed_nodes: core::mem::take(&mut entry.failed_nodes),
            });
        }
        self.set_confirmed(service, true);
    }

    fn relocate_or_give_up(&mut self, service: usize, result: ExitCode) -> AfterStart {
        self.note_failed_start(service);
        let max_relocate = self.facts(service).max_relocate as usize;
        let Some((sid, entry)) = self.entry(service) else { return AfterStart::Done };
        let (sid, node) = (sid.clone(), entry.node.clone());
        if entry.failed_nodes.len() <= max_relocate {
            self.host.event(Event::StartFailedRelocating { sid, node });
            AfterStart::Place(Preference::TryNext)
        } else {
            let failed_nodes = entry.failed_nodes.clone();
            self.host.event(Event::RelocationExhausted { sid, failed_nodes });
            if result == ExitCode::ERROR {
                // Its LRM has looked: it does not run.
                self.change(service, ServiceState::Error, Brings::Nothing);
            } else {
                self.fail(service);
            }
            AfterStart::Done
        }
    }

    fn note_failed_start(&mut self, service: usize) {
        self.set_confirmed(service, false);
        if let Some(entry) = self.entry_mut(service) {
            entry.failed_nodes.push(entry.node.clone());
        }
        self.begin_counting_failure(service);
    }

    /// Sets whether the start is confirmed, where the state can hold that: it may be `fence` by now.
    pub(in crate::manager) fn set_confirmed(&mut self, service: usize, value: bool) {
        if let Some(entry) = self.entry_mut(service)
            && let ServiceState::Started { confirmed } = &mut entry.state
            && *confirmed != value
        {
            *confirmed = value;
            self.update_placement(service);
        }
    }

    fn move_by_placement(&mut self, service: usize, mut place: Place) {
        self.settle_maintenance_node(service, &place.node);
        let Some((sid, _)) = self.entry(service) else { return };
        let motion = Motion::usual_for(sid);
        let why = place.why.take();
        self.report_move(service, motion, &place.node, MoveCause::Placement, why);
        self.report_drawbacks(service, &place);
        self.begin_move(service, motion, place.node);
    }

    /// Whether a move that is likely to fail goes to a node whose LRM is to restart. That one waits for whatever comes live, so a move
    /// that is tried again and again would keep it from ever restarting, and what is frozen there from being looked after.
    fn holds_up_restart(&self, service: usize, target: &NodeName) -> bool {
        self.node_facts(target).mode == LrmMode::Restart
            && self.entry(service).is_some_and(|(sid, _)| self.failed_moves.failed_last(sid))
    }

    /// Before a move: the service returns from where it went for maintenance, or it was moved otherwise meanwhile, or it
    /// leaves for maintenance now.
    fn settle_maintenance_node(&mut self, service: usize, target: &NodeName) {
        let Some((sid, entry)) = self.status.services.at_mut(service) else { return };
        let Some(maintenance_node) = &entry.maintenance_node else { return };
        let sid = sid.clone();
        // It leaves the place where it only waits, for another one: its home is still to come.
        let waits_elsewhere = self.status.nodes.get(&entry.node) == Some(&NodeState::Maintenance);
        if maintenance_node == target {
            entry.maintenance_node = None;
            self.host.event(Event::MaintenanceReturn { sid, target: target.clone() });
            self.let_group_return(service, target);
        } else if *maintenance_node != entry.node && !waits_elsewhere {
            let node = maintenance_node.clone();
            entry.maintenance_node = None;
            self.host.event(Event::MaintenanceFallbackDropped { sid, node });
        }
    }

    /// The first service of a group that must be together returns home: all those return with it that are where it was, also
    /// one that was started there. Otherwise those that stay behind would bring it back.
    fn let_group_return(&mut self, service: usize, home: &NodeName) {
        let Some(from) = self.entry(service).map(|(_, entry)| entry.node.clone()) else { return };
        if self.placement.group_on(service, home) > 0 {
            return;
        }
        let Self { placement, status, .. } = self;
        for other in placement.together_with(service) {
            if let Some((_, entry)) = status.services.at_mut(other)
                && entry.node == from
                && matches!(entry.state, ServiceState::Started { .. })
            {
                entry.maintenance_node = Some(home.clone());
            }
        }
    }

    fn report_move(
        &mut self,
        service: usize,
        motion: Motion,
        target: &NodeName,
        cause: MoveCause,
        why: Option<Box<Why>>,
    ) {
        if let Some((sid, _)) = self.entry(service) {
            let event = Event::ServiceMove { sid: sid.clone(), target: target.clone(), cause, task: motion };
            self.decision(event, why);
        }
    }

    fn report_all_nodes_tried(&mut self, service: usize) {
        if let Some((sid, entry)) = self.entry(service) {
            let event = Event::AllNodesTried { sid: sid.clone(), failed_nodes: entry.failed_nodes.clone() };
            self.host.event(event);
        }
    }

    /// The service stays where it is. `answered` says that its LRM has answered the present request.
    fn stay(&mut self, service: usize, answered: bool) {
        let Some((sid, entry)) = self.status.services.at(service) else { return };
        if entry.maintenance_node.as_ref() == Some(&entry.node) && self.status.is_online(&entry.node) {
            let event = Event::MaintenanceFallbackCleared { sid: sid.clone(), node: entry.node.clone() };
            self.host.event(event);
            if let Some(entry) = self.entry_mut(service) {
                entry.maintenance_node = None;
            }
        }
        if answered {
            self.renew_uid(service);
        }
    }
}
