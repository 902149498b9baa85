//! Being asked to stop.

use alloc::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Lrm;
use crate::{
    config::datacenter::ShutdownPolicy,
    event::{Event, ShutdownKind, ShutdownMode},
    host::{self, EventSink, HostOperation, Job, LrmHost},
    id::{NodeName, ServiceId},
    status::{ExitCode, LrmMode, ManagerStatus, ServiceState, StateName},
    time::Now,
};

/// Why an LRM is asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopRequest {
    /// The daemon alone is restarted, for an upgrade say.
    Restart,
    /// The node is about to reboot.
    NodeReboot,
    /// The node is about to shut down.
    NodeShutdown,
}

impl Lrm {
    /// Asks the LRM to stop: it exits from a later [`tick`](Self::tick), when its services are safe. A second request changes
    /// nothing.
    ///
    /// In maintenance it waits until its services have moved away. A restart of the daemon alone goes on as any other once
    /// nobody asks for maintenance any more.
    pub fn request_stop(&mut self, request: StopRequest, host: &mut (impl LrmHost + ?Sized), now: Now) {
        if self.is_stopping() {
            return;
        }
        self.stop_request = Some(request);
        let policy = shutdown_policy(host);
        if request != StopRequest::Restart {
            host.event(Event::ShutdownRequested { policy });
            if policy != ShutdownPolicy::Migrate {
                self.queue_final_stops();
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
            host.event(Event::LrmShutdownMode { kind, mode: ShutdownMode::AlreadyInMaintenance });
            return;
        }
        self.take_stop_mode(request, policy, host);
    }

    fn take_stop_mode(&mut self, request: StopRequest, policy: ShutdownPolicy, sink: &mut (impl EventSink + ?Sized)) {
        let (mode, kind, reported) = stop_mode(request, policy);
        self.mode = mode;
        sink.event(Event::LrmShutdownMode { kind, mode: reported });
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
    /// reported, but a failure is counted. Says whether there was one.
    pub(super) fn queue_final_stops(&mut self) -> bool {
        let status = self.status.clone();
        let mut any = false;
        for (sid, entry) in status.services.iter().filter(|(_, entry)| entry.node == self.node) {
            if !self.final_stops.services.insert(sid.clone()) {
                continue;
            }
            any = true;
            let job = Job {
                id: self.queue.next_id(),
                sid: sid.clone(),
                uid: None,
                command: StateName::RequestStop,
                target: None,
                timeout: entry.state.timeout(),
            };
            // A start that is still on its way must not outlive the node's last stop.
            self.queue.queue(job);
        }
        any
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
    services: BTreeSet<ServiceId>,
    failed: bool,
}

impl FinalStops {
    /// Forgets the services that are elsewhere by now: they may come back, and run.
    pub(super) fn forget_elsewhere(&mut self, status: &ManagerStatus, node: &NodeName) {
        self.services.retain(|sid| status.services.get(sid).is_some_and(|entry| entry.node == *node));
    }

    /// A service is to be looked after again.
    pub(super) fn forget(&mut self, sid: &ServiceId) {
        self.services.remove(sid);
    }

    /// Takes note of how a stop ended. A guest that has moved away meanwhile does not run here.
    pub(super) fn ended(&mut self, exit_code: ExitCode) {
        self.failed |= !matches!(exit_code, ExitCode::SUCCESS | ExitCode::WRONG_NODE);
    }

    /// Whether a service may still run because its stop failed.
    pub(super) fn any_failed(&self) -> bool {
        self.failed
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
