//! Being asked to stop.

use alloc::{collections::BTreeSet, vec::Vec};
use core::time::Duration;

use super::Lrm;
use crate::{
    config::datacenter::ShutdownPolicy,
    event::{Event, ShutdownKind, ShutdownMode},
    host::{self, EventSink, HostOperation, Job, LrmHost},
    id::{NodeName, ServiceId},
    rules::{Orders, RuleSet, evaluate},
    status::{ExitCode, LrmMode, LrmState, ManagerStatus, ServiceEntry, ServiceState, StateName},
    text_enum::text_enum,
    time::{Instant, Now},
};

/// A stop that is bound by the watchdog is made hard this long before.
const MARGIN_BEFORE_RESET: Duration = Duration::from_secs(5);

/// Why an LRM is asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StopRequest {
    /// The daemon alone is restarted, for an upgrade say.
    Restart,
    /// The node is about to reboot.
    NodeReboot,
    /// The node is about to shut down.
    NodeShutdown,
}

text_enum! {
    StopRequest: "a request to stop",
    Restart = "restart",
    NodeReboot = "node_reboot",
    NodeShutdown = "node_shutdown",
}

impl Lrm {
    /// Asks the LRM to stop: it exits from a later [`tick`](Self::tick), when its services are safe. A second request changes
    /// nothing, but for one: where the daemon alone was to be restarted, and now the node goes down, its services are stopped, also
    /// those that are frozen already.
    ///
    /// In maintenance it waits until its services have moved away. A restart of the daemon alone goes on as any other once
    /// nobody asks for maintenance any more.
    pub fn request_stop(&mut self, request: StopRequest, host: &mut (impl LrmHost + ?Sized), now: Now) {
        let node_goes_down = request != StopRequest::Restart;
        let is_more = self.stop_request == Some(StopRequest::Restart) && node_goes_down;
        if self.is_stopping() && !is_more {
            return;
        }
        self.stop_request = Some(request);
        // What it is asked is looked at with the next call.
        self.next_iteration = None;
        let policy = shutdown_policy(host);
        if node_goes_down {
            host.event(Event::ShutdownRequested { policy });
            self.notes.begin_going_down();
            self.final_stops.order = self.order_of_stops(host, now.instant);
            // What is frozen for a restart does not move any more.
            if policy != ShutdownPolicy::Migrate || is_more {
                self.queue_final_stops(now.instant);
            }
        }
        self.take_mode(request, policy, host);
        self.write_record(host, now);
    }

    fn take_mode(&mut self, request: StopRequest, policy: ShutdownPolicy, host: &mut (impl LrmHost + ?Sized)) {
        if self.mode == LrmMode::Maintenance {
            let kind = match request {
                StopRequest::Restart => return,
                StopRequest::NodeReboot => ShutdownKind::Reboot,
                StopRequest::NodeShutdown => ShutdownKind::Shutdown,
            };
            let mode = ShutdownMode::AlreadyInMaintenance;
            host.event(Event::LrmShutdownMode { kind, mode, policy: Some(policy) });
            return;
        }
        self.take_stop_mode(request, policy, host);
    }

    fn take_stop_mode(&mut self, request: StopRequest, policy: ShutdownPolicy, sink: &mut (impl EventSink + ?Sized)) {
        let (mode, kind, reported) = stop_mode(request, policy);
        self.mode = mode;
        let policy = (request != StopRequest::Restart).then_some(policy);
        sink.event(Event::LrmShutdownMode { kind, mode: reported, policy });
    }

    /// In maintenance a restart waits until the services have moved away. Once nobody asks for maintenance any more they stay,
    /// so that it goes on as any other restart: they are frozen. It would wait for ever otherwise, and its node would stay in
    /// maintenance.
    pub(super) fn restart_after_maintenance(&mut self, sink: &mut (impl EventSink + ?Sized)) {
        let waits = self.stop_request == Some(StopRequest::Restart) && self.mode == LrmMode::Maintenance;
        if waits && !self.status.maintenance_requested(&self.node) {
            // A restart of the daemon alone is the same with every policy.
            self.take_stop_mode(StopRequest::Restart, ShutdownPolicy::default(), sink);
        }
    }

    /// Queues a stop of every service of this node that was not told to stop before. It answers no request: nothing is
    /// reported, but a failure is counted. Says whether there was one, or is still to be one.
    pub(super) fn queue_final_stops(&mut self, now: Instant) -> bool {
        self.queue_stops_of(now, |_| true)
    }

    /// In maintenance, while the node goes down: what was frozen for a restart before does not move any more.
    pub(super) fn queue_stops_of_frozen(&mut self, now: Instant) {
        if self.goes_down() {
            self.queue_stops_of(now, |state| *state == ServiceState::Freeze);
        }
    }

    /// The order rules by which services are stopped the other way round, and since when. Nothing if none is in force, or if they can't be
    /// read.
    fn order_of_stops(&self, host: &mut (impl LrmHost + ?Sized), now: Instant) -> Option<(Orders, Instant)> {
        if self.status.ordered.is_empty() {
            return None;
        }
        let configuration = host.configuration();
        let configuration = host::answer(host, HostOperation::ReadConfiguration, configuration)?;
        let nodes: Vec<NodeName> = self.status.nodes.keys().cloned().collect();
        Some((Orders::of(&evaluate(&RuleSet::from_config(&configuration.rules), &nodes).rules), now))
    }

    /// Whether the last stop of a service waits for those of this node that come after it: not for longer than the rule says, and not
    /// where the watchdog bounds it.
    fn stops_later(&self, sid: &ServiceId, now: Instant) -> bool {
        let Some((orders, since)) = &self.final_stops.order else { return false };
        let waited = now.since(*since);
        let may_run_here = |then: &ServiceId| {
            self.status.services.get(then).is_some_and(|entry| {
                entry.node == self.node && !matches!(entry.state, ServiceState::Stopped | ServiceState::Error)
            }) && !self.final_stops.has_ended(then)
        };
        self.state != LrmState::LostAgentLock
            && orders.after(sid).any(|(_, order)| {
                waited < Duration::from_secs(order.timeout().into()) && order.then.iter().any(may_run_here)
            })
    }

    /// Queues the last stops for which others had to end first, once those have.
    pub(super) fn queue_later_stops(&mut self, now: Instant) {
        if self.goes_down() && self.final_stops.order.is_some() {
            self.queue_final_stops(now);
        }
    }

    fn queue_stops_of(&mut self, now: Instant, which: impl Fn(&ServiceState) -> bool) -> bool {
        let status = self.status.clone();
        let longest = (self.state == LrmState::LostAgentLock).then(|| self.time_for_stops(now));
        let mut any = false;
        for (sid, entry) in status.services.iter().filter(|(_, entry)| entry.node == self.node && which(&entry.state)) {
            if self.final_stops.services.contains(sid) {
                continue;
            }
            any = true;
            if self.stops_later(sid, now) {
                continue;
            }
            self.final_stops.services.insert(sid.clone());
            let job = Job {
                id: self.queue.next_id(),
                sid: sid.clone(),
                uid: None,
                command: StateName::RequestStop,
                target: None,
                timeout: longest.map_or(entry.state.timeout(), |longest| {
                    Some(entry.state.timeout().map_or(longest, |timeout| timeout.min(longest)))
                }),
                only_look: false,
            };
            // A start that is still on its way must not outlive the node's last stop.
            self.queue.queue(job);
        }
        any
    }

    /// How many seconds a stop may take so that it ends before the watchdog resets the node.
    fn time_for_stops(&self, now: Instant) -> u32 {
        let left = self.lease.watchdog_left(now, &self.timings).saturating_sub(MARGIN_BEFORE_RESET);
        u32::try_from(left.as_secs()).unwrap_or(u32::MAX)
    }

    /// Whether what was frozen here for a restart has yet to be stopped, since the node goes down now.
    pub(super) fn has_frozen_to_stop(&self) -> bool {
        let mut here = self.status.services.iter().filter(|(_, entry)| entry.node == self.node);
        self.goes_down()
            && here.any(|(sid, entry)| entry.state == ServiceState::Freeze && !self.final_stops.has_ended(sid))
    }

    /// Whether the node is about to go down.
    pub(super) fn goes_down(&self) -> bool {
        matches!(self.stop_request, Some(StopRequest::NodeReboot | StopRequest::NodeShutdown))
    }

    /// Services that are to move away first, and can't without the lock, are stopped only in the last third of the watchdog's time:
    /// quorum may come back until then.
    pub(super) fn waits_for_quorum(&self, now: Instant) -> bool {
        let left = self.lease.watchdog_left(now, &self.timings);
        let last_third = self.timings.watchdog_timeout().checked_div(3).unwrap_or_default();
        self.mode == LrmMode::Maintenance && !self.stops_all && (left >= last_third || left.is_zero())
    }

    /// In maintenance, while the node goes down: once all that is left here will not move, it is stopped instead. A shutdown
    /// ends.
    pub(super) fn give_up_moves_if_stuck(&mut self, sink: &mut (impl EventSink + ?Sized)) {
        if self.stops_all || !self.goes_down() || !self.has_active_services() {
            return;
        }
        let status = self.status.clone();
        let here = || status.services.iter().filter(|(sid, entry)| status.is_active(sid, entry, &self.node));
        let stays =
            |sid: &ServiceId, state: &ServiceState| self.notes.stays_here(sid, state) || self.queue.is_given_up(sid);
        if here().all(|(sid, entry)| entry.node == self.node && stays(sid, &entry.state)) {
            let services = here().map(|(sid, _)| sid.clone()).collect();
            sink.event(Event::StoppedInsteadOfMoved { services });
            self.stops_all = true;
        }
    }

    /// What hangs and can't be ended does not hold up a node that goes down: the watchdog ends it.
    pub(super) fn give_up_hung_jobs(&mut self, now: Instant) {
        if self.goes_down() {
            for sid in self.queue.give_up_hung(now) {
                self.final_stops.ended(&sid, ExitCode::KILLED);
            }
        }
    }

    /// Says once which services may still run when the node goes down.
    pub(super) fn report_left_running(&mut self, sink: &mut (impl EventSink + ?Sized)) {
        let services: Vec<ServiceId> = match self.state {
            LrmState::LostAgentLock => {
                let status = self.status.clone();
                let is_left = |sid: &ServiceId, entry: &ServiceEntry| {
                    status.is_active(sid, entry, &self.node)
                        || (entry.node == self.node && entry.state == ServiceState::Freeze)
                };
                let left = status.services.iter().filter(|(sid, entry)| is_left(sid, entry));
                left.map(|(sid, _)| sid.clone()).filter(|sid| !self.final_stops.is_stopped(sid)).collect()
            }
            LrmState::WaitForAgentLock | LrmState::Active | LrmState::Maintenance => self.final_stops.failed(),
        };
        if !services.is_empty() && !core::mem::replace(&mut self.reported_left_running, true) {
            sink.event(Event::ServicesLeftRunning { services });
        }
    }

    /// Whether a service is on its way here that runs when it comes.
    pub(super) fn expects_running_service(&self) -> bool {
        let comes = |state: &ServiceState| matches!(state, ServiceState::Migrate { target } if *target == self.node);
        self.status.services.iter().any(|(_, entry)| comes(&entry.state))
    }
}

/// The last stops of services, while their node goes down.
#[derive(Debug, Clone, Default)]
pub(super) struct FinalStops {
    /// The order rules by which they are made, and since when, if there are any.
    order: Option<(Orders, Instant)>,
    services: BTreeSet<ServiceId>,
    stopped: BTreeSet<ServiceId>,
    failed: BTreeSet<ServiceId>,
}

impl FinalStops {
    /// Forgets the services that are elsewhere by now: they may come back, and run.
    pub(super) fn forget_elsewhere(&mut self, status: &ManagerStatus, node: &NodeName) {
        let is_here = |sid: &ServiceId| status.services.get(sid).is_some_and(|entry| entry.node == *node);
        self.services.retain(is_here);
        self.stopped.retain(is_here);
    }

    /// A service must be looked after again.
    pub(super) fn forget(&mut self, sid: &ServiceId) {
        self.services.remove(sid);
        self.stopped.remove(sid);
    }

    /// Takes note of how a stop ended. A guest that has moved away meanwhile does not run here.
    pub(super) fn ended(&mut self, sid: &ServiceId, exit_code: ExitCode) {
        if matches!(exit_code, ExitCode::SUCCESS | ExitCode::WRONG_NODE) {
            self.stopped.insert(sid.clone());
        } else {
            self.failed.insert(sid.clone());
        }
    }

    /// Whether a service may still run because its stop failed.
    pub(super) fn any_failed(&self) -> bool {
        !self.failed.is_empty()
    }

    /// The services whose stop failed.
    fn failed(&self) -> Vec<ServiceId> {
        self.failed.iter().cloned().collect()
    }

    fn is_stopped(&self, sid: &ServiceId) -> bool {
        self.stopped.contains(sid)
    }

    /// Whether a service was to be stopped, with success or without.
    fn has_ended(&self, sid: &ServiceId) -> bool {
        self.is_stopped(sid) || self.failed.contains(sid)
    }
}

/// The configured policy; the default one if it can't be read.
fn shutdown_policy(host: &mut (impl LrmHost + ?Sized)) -> ShutdownPolicy {
    let configuration = host.configuration();
    let configuration = host::answer(host, HostOperation::ReadConfiguration, configuration);
    configuration.map(|configuration| configuration.datacenter.shutdown_policy).unwrap_or_default()
}

/// The mode that an LRM takes, and how that is reported.
fn stop_mode(request: StopRequest, policy: ShutdownPolicy) -> (LrmMode, ShutdownKind, ShutdownMode) {
    match (request, policy) {
        (StopRequest::Restart, _) => (LrmMode::Restart, ShutdownKind::Restart, ShutdownMode::Freeze),
        (StopRequest::NodeReboot, ShutdownPolicy::Conditional | ShutdownPolicy::Freeze) => {
            (LrmMode::Restart, ShutdownKind::Reboot, ShutdownMode::Freeze)
        }
        (StopRequest::NodeShutdown, ShutdownPolicy::Freeze) => {
            (LrmMode::Restart, ShutdownKind::Shutdown, ShutdownMode::Freeze)
        }
        (StopRequest::NodeReboot, ShutdownPolicy::Failover)
        | (StopRequest::NodeShutdown, ShutdownPolicy::Conditional | ShutdownPolicy::Failover) => {
            (LrmMode::Shutdown, ShutdownKind::Shutdown, ShutdownMode::Stop)
        }
        (StopRequest::NodeReboot, ShutdownPolicy::Migrate) => {
            (LrmMode::Maintenance, ShutdownKind::Reboot, ShutdownMode::Maintenance)
        }
        (StopRequest::NodeShutdown, ShutdownPolicy::Migrate) => {
            (LrmMode::Maintenance, ShutdownKind::Shutdown, ShutdownMode::Maintenance)
        }
    }
}
