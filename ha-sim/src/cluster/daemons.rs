//! The daemons of the nodes: when they are called, and what follows when they end.

use ha_core::{
    crm::Crm,
    id::NodeName,
    lrm::{Lrm, StopRequest},
    time::{Instant, Next, Now},
};

use super::Cluster;
use crate::world::{ClusterEvent, DaemonKind, Source, View, What};

/// The daemons of one node.
#[derive(Debug, Default)]
pub(super) struct NodeDaemons {
    pub(super) crm: Option<Crm>,
    pub(super) lrm: Option<Lrm>,
    pub(super) crm_schedule: Schedule,
    pub(super) lrm_schedule: Schedule,
    /// Why the LRM was asked to stop, and what follows when it has.
    pub(super) stopping: Option<StopRequest>,
    /// When the node gets power again.
    pub(super) boots_at: Option<Instant>,
}

/// When a daemon is called.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    /// When it starts, if it is to.
    pub(super) starts_at: Option<Instant>,
    /// When it wants to be called.
    pub(super) next: Instant,
    /// It was stopped by a signal and is not called before it goes on.
    pub(super) paused: bool,
}

impl NodeDaemons {
    pub(super) fn runs(&self, daemon: DaemonKind) -> bool {
        match daemon {
            DaemonKind::Crm => self.crm.is_some(),
            DaemonKind::Lrm => self.lrm.is_some(),
        }
    }

    pub(super) fn schedule(&mut self, daemon: DaemonKind) -> &mut Schedule {
        match daemon {
            DaemonKind::Crm => &mut self.crm_schedule,
            DaemonKind::Lrm => &mut self.lrm_schedule,
        }
    }

    /// When there is something to do for a daemon.
    fn due(&self, daemon: DaemonKind) -> Option<Instant> {
        let schedule = match daemon {
            DaemonKind::Crm => &self.crm_schedule,
            DaemonKind::Lrm => &self.lrm_schedule,
        };
        let call = (self.runs(daemon) && !schedule.paused).then_some(schedule.next);
        [call, schedule.starts_at].into_iter().flatten().min()
    }

    /// Ends a daemon without asking it. Says whether it ran.
    pub(super) fn kill(&mut self, daemon: DaemonKind) -> bool {
        *self.schedule(daemon) = Schedule::default();
        match daemon {
            DaemonKind::Crm => self.crm.take().is_some(),
            DaemonKind::Lrm => self.lrm.take().is_some(),
        }
    }
}

impl Cluster {
    /// When the next daemon is due, and which.
    pub(super) fn next_daemon(&self) -> Option<(Instant, NodeName, DaemonKind)> {
        let due = self.daemons.iter().flat_map(|(node, daemons)| {
            DaemonKind::ALL.into_iter().filter_map(move |daemon| Some((daemons.due(daemon)?, node, daemon)))
        });
        // The first of those that are due at the same time.
        due.min_by_key(|(due, _, _)| *due).map(|(due, node, daemon)| (due, node.clone(), daemon))
    }

    /// When the next node gets power again.
    pub(super) fn next_boot(&self) -> Option<Instant> {
        self.daemons.values().filter_map(|daemons| daemons.boots_at).min()
    }

    pub(super) fn boot_due_nodes(&mut self) {
        let now = self.world.time;
        let due = self.daemons.iter().filter(|(_, daemons)| daemons.boots_at.is_some_and(|at| at <= now));
        let due: Vec<NodeName> = due.map(|(node, _)| node.clone()).collect();
        for node in due {
            if let Some(daemons) = self.daemons.get_mut(&node) {
                daemons.boots_at = None;
            }
            self.world.note(now, "hardware", What::Cluster(ClusterEvent::NodeBooted { node: node.clone() }));
            self.come_up(&node);
        }
    }

    /// A node has power and its daemons are about to start.
    pub(super) fn come_up(&mut self, node: &NodeName) {
        self.world.give_power(node);
        self.world.update_replicas();
        for daemon in DaemonKind::ALL {
            self.plan_start(node, daemon, self.stagger(node, daemon));
        }
        let unmanaged: Vec<_> = self.autostart.iter().filter(|sid| !self.is_managed(sid)).cloned().collect();
        for sid in unmanaged {
            if self.world.guests.get(&sid).is_some_and(|guest| guest.node == *node) {
                self.world.set_running(&sid, node, true);
            }
        }
    }

    pub(super) fn plan_start(&mut self, node: &NodeName, daemon: DaemonKind, after: std::time::Duration) {
        let at = self.world.time.after(after);
        if let Some(daemons) = self.daemons.get_mut(node)
            && !daemons.runs(daemon)
        {
            *daemons.schedule(daemon) = Schedule { starts_at: Some(at), ..Schedule::default() };
        }
    }

    /// Starts a daemon if it is to, and calls it.
    pub(super) fn call(&mut self, node: &NodeName, daemon: DaemonKind) {
        let now = self.now();
        let timings = self.timings;
        let Some(daemons) = self.daemons.get_mut(node) else { return };
        let starts = daemons.schedule(daemon).starts_at.take().is_some();
        if starts && daemon == DaemonKind::Lrm {
            self.world.begin_lrm(node);
            daemons.stopping = None;
        }
        let mut view = View { world: &mut self.world, node: node.clone(), daemon, clock: now.instant };
        let next = match daemon {
            DaemonKind::Crm => {
                if starts {
                    daemons.crm = Some(Crm::start(node.clone(), timings, &mut view));
                }
                daemons.crm.as_mut().map(|crm| crm.tick(&mut view, now))
            }
            DaemonKind::Lrm => {
                if starts {
                    daemons.lrm = Some(Lrm::start(node.clone(), timings, &mut view));
                }
                daemons.lrm.as_mut().map(|lrm| lrm.tick(&mut view, now))
            }
        };
        match next {
            Some(Next::At { instant, .. }) => daemons.schedule(daemon).next = instant,
            Some(Next::Exit) => self.daemon_exited(node, daemon),
            None => {}
        }
    }

    fn daemon_exited(&mut self, node: &NodeName, daemon: DaemonKind) {
        let source = Source::Daemon(node.clone(), daemon);
        self.world.note(self.world.time, source, What::Cluster(ClusterEvent::DaemonExited));
        let Some(daemons) = self.daemons.get_mut(node) else { return };
        daemons.kill(daemon);
        let stopping = daemons.stopping;
        self.abandon_watchdog(node, daemon);
        match (daemon, stopping) {
            (DaemonKind::Lrm, Some(StopRequest::Restart)) => self.plan_start(node, daemon, self.durations.restart),
            (DaemonKind::Lrm, Some(StopRequest::NodeReboot | StopRequest::NodeShutdown)) => {
                if !self.ask_crm_to_stop(node) {
                    self.go_down(node);
                }
            }
            (DaemonKind::Crm, Some(StopRequest::NodeReboot | StopRequest::NodeShutdown)) => {
                if !self.runs_daemon(node, DaemonKind::Lrm) {
                    self.go_down(node);
                }
            }
            (DaemonKind::Crm, Some(StopRequest::Restart)) | (_, None) => {}
        }
    }

    pub(super) fn runs_daemon(&self, node: &NodeName, daemon: DaemonKind) -> bool {
        self.daemons.get(node).is_some_and(|daemons| daemons.runs(daemon))
    }

    /// Asks the CRM of a node to stop. Says whether there is one.
    pub(super) fn ask_crm_to_stop(&mut self, node: &NodeName) -> bool {
        self.with_daemons(node, DaemonKind::Crm, |daemons, view, _| match &mut daemons.crm {
            Some(crm) => {
                crm.request_stop(view);
                true
            }
            None => false,
        })
    }

    /// Asks the LRM of a node to stop. Says whether there is one.
    pub(super) fn ask_lrm_to_stop(&mut self, node: &NodeName, request: StopRequest) -> bool {
        self.with_daemons(node, DaemonKind::Lrm, |daemons, view, now| match &mut daemons.lrm {
            Some(lrm) => {
                daemons.stopping.get_or_insert(request);
                lrm.request_stop(request, view, now);
                true
            }
            None => false,
        })
    }

    fn with_daemons(
        &mut self,
        node: &NodeName,
        daemon: DaemonKind,
        act: impl FnOnce(&mut NodeDaemons, &mut View<'_>, Now) -> bool,
    ) -> bool {
        let now = self.now();
        let Some(daemons) = self.daemons.get_mut(node) else { return false };
        act(daemons, &mut View { world: &mut self.world, node: node.clone(), daemon, clock: now.instant }, now)
    }

    /// A node that was asked to go down has done what comes before that.
    fn go_down(&mut self, node: &NodeName) {
        let reboots = self.daemons.get(node).is_some_and(|daemons| daemons.stopping == Some(StopRequest::NodeReboot));
        self.world.note(self.world.time, "hardware", What::Cluster(ClusterEvent::NodeDown { node: node.clone() }));
        self.lose_power(node);
        if reboots {
            self.plan_boot(node, self.durations.boot);
        }
    }

    pub(super) fn plan_boot(&mut self, node: &NodeName, after: std::time::Duration) {
        let at = self.world.time.after(after);
        if let Some(daemons) = self.daemons.get_mut(node) {
            daemons.boots_at = Some(at);
        }
    }

    /// A node is off from now on, and its daemons are dead.
    pub(super) fn lose_power(&mut self, node: &NodeName) {
        let Some(daemons) = self.daemons.get_mut(node) else { return };
        daemons.boots_at = None;
        daemons.stopping = None;
        for daemon in DaemonKind::ALL {
            if daemons.kill(daemon) {
                let source = Source::Daemon(node.clone(), daemon);
                self.world.note(self.world.time, source, What::Cluster(ClusterEvent::Killed));
            }
        }
        self.world.cut_power(node);
        self.world.update_replicas();
    }

    /// A daemon has left its watchdog open: nobody feeds it any more, and none that comes later can call off the reset.
    pub(super) fn abandon_watchdog(&mut self, node: &NodeName, daemon: DaemonKind) {
        let latest = self.world.time.after(self.timings.device_timeout());
        if let Some(hardware) = self.world.nodes.get_mut(node)
            && let Some(deadline) = hardware.watchdogs.remove(&daemon)
        {
            let resets_at = deadline.min(latest);
            hardware.abandoned_watchdog = Some(hardware.abandoned_watchdog.map_or(resets_at, |at| at.min(resets_at)));
        }
    }

    pub(super) fn reset_expired(&mut self) {
        for node in self.world.expired_watchdogs() {
            let what = ClusterEvent::WatchdogReset { node: node.clone() };
            self.world.note(self.world.time, "hardware", What::Cluster(what));
            self.lose_power(&node);
            if let Some(after) = self.durations.boot_after_reset {
                self.plan_boot(&node, after);
            }
        }
    }
}
