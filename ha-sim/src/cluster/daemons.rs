//! The daemons of the nodes: when they are called, and what follows when they end.

use ha_core::{
    crm::Crm,
    id::{NodeName, ServiceId},
    lrm::{Lrm, StopRequest},
    record::Recorder,
    time::{Instant, Next, Now},
};

use super::{
    Cluster, PlantedBug,
    host::{Fate, Host},
};
use crate::world::{ClusterEvent, DaemonKind, Source, View, What};

/// The daemons of one node.
#[derive(Debug, Default)]
pub(super) struct NodeDaemons {
    pub(super) crm: Option<Crm>,
    pub(super) lrm: Option<Lrm>,
    pub(super) crm_schedule: Schedule,
    pub(super) lrm_schedule: Schedule,
    /// Why the LRM was asked to stop, and what follows once it has stopped.
    pub(super) stopping: Option<StopRequest>,
    /// Whether the LRM was told that its node goes down.
    pub(super) told_to_go_down: bool,
    /// When the node gets power again.
    pub(super) boots_at: Option<Instant>,
}

/// When a daemon is called.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    /// When it starts, if it will start.
    pub(super) starts_at: Option<Instant>,
    /// When it wants to be called.
    pub(super) next: Instant,
    /// It was stopped by a signal and is not called before it goes on.
    pub(super) paused: bool,
    /// It is inside a call, which takes time.
    in_call: bool,
    /// It was asked to stop while it was inside a call.
    stop_asked: bool,
    /// How often it was killed: a call that was on its way then does nothing more.
    kills: u64,
}

impl Schedule {
    /// Takes note that the daemon must stop, if it is inside a call. Says whether it is.
    fn stop_if_in_call(&mut self) -> bool {
        self.stop_asked |= self.in_call;
        self.in_call
    }
}

impl NodeDaemons {
    pub(super) fn runs(&self, daemon: DaemonKind) -> bool {
        match daemon {
            DaemonKind::Crm => self.crm.is_some() || self.crm_schedule.in_call,
            DaemonKind::Lrm => self.lrm.is_some() || self.lrm_schedule.in_call,
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
        let call = (self.runs(daemon) && !schedule.paused && !schedule.in_call).then_some(schedule.next);
        [call, schedule.starts_at].into_iter().flatten().min()
    }

    /// Ends a daemon without asking it. Says whether it ran.
    pub(super) fn kill(&mut self, daemon: DaemonKind) -> bool {
        let ran = self.runs(daemon);
        let schedule = self.schedule(daemon);
        *schedule = Schedule { kills: schedule.kills.wrapping_add(1), ..Schedule::default() };
        match daemon {
            DaemonKind::Crm => self.crm = None,
            DaemonKind::Lrm => self.lrm = None,
        }
        ran
    }
}

/// Takes note of why an LRM must stop. That its node goes down outweighs a restart. Says whether it was already asked to stop.
fn note_stop(stopping: &mut Option<StopRequest>, request: StopRequest) -> bool {
    let is_second = stopping.is_some();
    if matches!(stopping, None | Some(StopRequest::Restart)) {
        *stopping = Some(request);
    }
    is_second
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
            self.start_later(node, daemon, self.stagger(node, daemon));
        }
        // A host does not start a removed service until the master knows that it was removed: see docs/safety.md.
        let status = self.world.store.manager_status.clone().unwrap_or_default();
        let is_free = |sid: &&ServiceId| !self.is_managed(sid) && !status.services.contains(sid);
        let unmanaged: Vec<_> = self.autostart.iter().filter(is_free).cloned().collect();
        for sid in unmanaged {
            if self.world.guests.get(&sid).is_some_and(|guest| guest.node == *node) {
                self.world.set_running(&sid, node, true);
            }
        }
    }

    pub(super) fn start_later(&mut self, node: &NodeName, daemon: DaemonKind, after: std::time::Duration) {
        let at = self.world.time.after(after);
        if let Some(daemons) = self.daemons.get_mut(node)
            && !daemons.runs(daemon)
        {
            let kills = daemons.schedule(daemon).kills;
            *daemons.schedule(daemon) = Schedule { starts_at: Some(at), kills, ..Schedule::default() };
        }
    }

    /// Starts a daemon if its start is due, and calls it.
    ///
    /// While the call goes on, the daemon is out of the cluster: the call may take time, in which everything else goes on.
    pub(super) fn call(&mut self, node: &NodeName, daemon: DaemonKind) {
        let now = self.now_on(node);
        let timings = self.own_timings.get(node).copied().unwrap_or(self.timings);
        let Some(daemons) = self.daemons.get_mut(node) else { return };
        let starts = daemons.schedule(daemon).starts_at.take().is_some();
        if starts && daemon == DaemonKind::Lrm {
            self.world.begin_lrm(node);
            daemons.stopping = None;
            daemons.told_to_go_down = false;
        }
        daemons.schedule(daemon).in_call = true;
        let kills = daemons.schedule(daemon).kills;
        let (crm, lrm) = match daemon {
            DaemonKind::Crm => (daemons.crm.take(), None),
            DaemonKind::Lrm => (None, daemons.lrm.take()),
        };
        let mut recorder = self.recordings.take(node, daemon, kills);
        let mut host = Host::new(self, node.clone(), daemon);
        match daemon {
            DaemonKind::Crm => {
                let crm = if starts { Some(recorder.start_crm(node.clone(), timings, &mut host)) } else { crm };
                let Some(mut crm) = crm else { return };
                let next = recorder.tick_crm(&mut crm, &mut host, now);
                let fate = host.fate();
                self.recordings.put_back(node, daemon, kills, recorder);
                self.end_call(node, daemon, kills, fate, next, |daemons| daemons.crm = Some(crm));
            }
            DaemonKind::Lrm => {
                let lrm = if starts {
                    let mut lrm = recorder.start_lrm(node.clone(), timings, &mut host);
                    recorder.set_writer(&mut lrm, host.writer());
                    Some(lrm)
                } else {
                    lrm
                };
                let Some(mut lrm) = lrm else { return };
                let next = recorder.tick_lrm(&mut lrm, &mut host, now);
                let fate = host.fate();
                self.recordings.put_back(node, daemon, kills, recorder);
                self.end_call(node, daemon, kills, fate, next, |daemons| daemons.lrm = Some(lrm));
            }
        }
    }

    /// How often a daemon was killed.
    pub(super) fn kills(&self, node: &NodeName, daemon: DaemonKind) -> u64 {
        self.daemons.get(node).map_or(0, |daemons| match daemon {
            DaemonKind::Crm => daemons.crm_schedule.kills,
            DaemonKind::Lrm => daemons.lrm_schedule.kills,
        })
    }

    fn end_call(
        &mut self,
        node: &NodeName,
        daemon: DaemonKind,
        kills: u64,
        fate: Fate,
        next: Next,
        put_back: impl FnOnce(&mut NodeDaemons),
    ) {
        let clock = self.world.nodes.get(node).map(|node| node.clock).unwrap_or_default();
        let Some(daemons) = self.daemons.get_mut(node) else { return };
        if fate == Fate::Killed || daemons.schedule(daemon).kills != kills {
            // It was killed while the call went on.
            return;
        }
        daemons.schedule(daemon).in_call = false;
        put_back(daemons);
        if let Fate::Crashes { restarts_after } = fate {
            daemons.kill(daemon);
            self.note_killed(node, daemon);
            self.abandon_watchdog(node, daemon);
            self.start_later(node, daemon, restarts_after);
            return;
        }
        let stop_asked = std::mem::take(&mut daemons.schedule(daemon).stop_asked);
        match next {
            Next::At { instant, .. } => {
                daemons.schedule(daemon).next = clock.world(instant);
                if stop_asked {
                    self.stop_after_call(node, daemon);
                }
            }
            Next::Exit => self.daemon_exited(node, daemon),
        }
    }

    fn note_killed(&mut self, node: &NodeName, daemon: DaemonKind) {
        let source = Source::Daemon(node.clone(), daemon);
        self.world.note(self.world.time, source, What::Cluster(ClusterEvent::Killed));
    }

    /// Passes on to a daemon the request to stop that came while it was inside a call.
    fn stop_after_call(&mut self, node: &NodeName, daemon: DaemonKind) {
        let stopping = self.daemons.get(node).and_then(|daemons| daemons.stopping);
        match (daemon, stopping) {
            (DaemonKind::Crm, _) => {
                self.ask_crm_to_stop(node);
            }
            (DaemonKind::Lrm, Some(request)) => {
                self.ask_lrm_to_stop(node, request);
            }
            (DaemonKind::Lrm, None) => {}
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
            (DaemonKind::Lrm, Some(StopRequest::Restart)) => self.start_later(node, daemon, self.durations.restart),
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
            (DaemonKind::Crm, Some(StopRequest::Restart) | None) if self.powers_on_again => {
                self.start_later(node, daemon, self.durations.restart);
            }
            (DaemonKind::Crm, Some(StopRequest::Restart)) | (_, None) => {}
        }
    }

    pub(super) fn runs_daemon(&self, node: &NodeName, daemon: DaemonKind) -> bool {
        self.daemons.get(node).is_some_and(|daemons| daemons.runs(daemon))
    }

    /// The nodes that were asked to go down and have not done so yet.
    pub(super) fn going_down(&self) -> Vec<NodeName> {
        let goes_down = |stopping| matches!(stopping, Some(StopRequest::NodeReboot | StopRequest::NodeShutdown));
        let going_down = self.daemons.iter().filter(|(_, daemons)| goes_down(daemons.stopping));
        going_down.map(|(node, _)| node.clone()).collect()
    }

    /// Whether a daemon is about to start.
    pub(super) fn starts_daemon(&self, node: &NodeName, daemon: DaemonKind) -> bool {
        self.daemons.get(node).is_some_and(|daemons| match daemon {
            DaemonKind::Crm => daemons.crm_schedule.starts_at.is_some(),
            DaemonKind::Lrm => daemons.lrm_schedule.starts_at.is_some(),
        })
    }

    /// Asks the CRM of a node to stop. Says whether there is one.
    pub(super) fn ask_crm_to_stop(&mut self, node: &NodeName) -> bool {
        self.with_daemons(node, DaemonKind::Crm, |daemons, recorder, view, _| match &mut daemons.crm {
            Some(crm) => {
                recorder.stop_crm(crm, view);
                true
            }
            None => daemons.crm_schedule.stop_if_in_call(),
        })
    }

    /// Asks the LRM of a node to stop. Says whether there is one.
    pub(super) fn ask_lrm_to_stop(&mut self, node: &NodeName, request: StopRequest) -> bool {
        let ignores_second = self.planted == Some(PlantedBug::SecondStopIgnored);
        self.with_daemons(node, DaemonKind::Lrm, |daemons, recorder, view, now| match &mut daemons.lrm {
            Some(lrm) => {
                let is_second = note_stop(&mut daemons.stopping, request);
                daemons.told_to_go_down |= request != StopRequest::Restart;
                if !(is_second && ignores_second) {
                    recorder.stop_lrm(lrm, request, view, now);
                }
                true
            }
            None => {
                let in_call = daemons.lrm_schedule.stop_if_in_call();
                if in_call {
                    note_stop(&mut daemons.stopping, request);
                }
                in_call
            }
        })
    }

    fn with_daemons(
        &mut self,
        node: &NodeName,
        daemon: DaemonKind,
        act: impl FnOnce(&mut NodeDaemons, &mut Recorder<Vec<String>>, &mut View<'_>, Now) -> bool,
    ) -> bool {
        let now = self.now_on(node);
        let clock = self.world.time;
        let Some(daemons) = self.daemons.get_mut(node) else { return false };
        let kills = daemons.schedule(daemon).kills;
        let mut recorder = self.recordings.take(node, daemon, kills);
        let mut view = View { world: &mut self.world, node: node.clone(), daemon, clock };
        let asked = act(daemons, &mut recorder, &mut view, now);
        self.recordings.put_back(node, daemon, kills, recorder);
        asked
    }

    /// A node that was asked to go down has done what comes before that.
    fn go_down(&mut self, node: &NodeName) {
        let stopping = self.daemons.get(node).and_then(|daemons| daemons.stopping);
        let reboots = stopping == Some(StopRequest::NodeReboot) || self.powers_on_again;
        self.world.note(self.world.time, "hardware", What::Cluster(ClusterEvent::NodeDown { node: node.clone() }));
        self.lose_power(node);
        if reboots {
            self.boot_later(node, self.durations.boot);
        }
    }

    pub(super) fn boot_later(&mut self, node: &NodeName, after: std::time::Duration) {
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
        daemons.told_to_go_down = false;
        for daemon in DaemonKind::ALL {
            if daemons.kill(daemon) {
                let source = Source::Daemon(node.clone(), daemon);
                self.world.note(self.world.time, source, What::Cluster(ClusterEvent::Killed));
            }
        }
        self.world.cut_power(node);
        self.world.update_replicas();
    }

    /// A daemon has left its watchdog open: nobody feeds it any more, and no later daemon can call off the reset.
    pub(super) fn abandon_watchdog(&mut self, node: &NodeName, daemon: DaemonKind) {
        self.world.leave_multiplexer(node, daemon, false);
        let device_runs_out = self.world.time.after(self.timings.device_timeout());
        if let Some(hardware) = self.world.nodes.get_mut(node)
            && let Some(expires) = hardware.watchdogs.remove(&daemon)
        {
            let resets_at = expires.min(device_runs_out);
            hardware.abandoned_watchdog = Some(hardware.abandoned_watchdog.map_or(resets_at, |at| at.min(resets_at)));
        }
    }

    pub(super) fn reset_expired(&mut self) {
        for node in self.world.expired_watchdogs() {
            let what = ClusterEvent::WatchdogReset { node: node.clone() };
            self.world.note(self.world.time, "hardware", What::Cluster(what));
            self.lose_power(&node);
            if let Some(after) = self.durations.boot_after_reset {
                self.boot_later(&node, after);
            }
        }
    }
}
