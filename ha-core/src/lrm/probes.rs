//! Probes of the services that run here: whether they are ready, and what follows if they are not.

use alloc::{
    collections::BTreeMap,
    format,
    string::{String, ToString},
    sync::Arc,
    vec::Vec,
};
use core::time::Duration;

use super::Lrm;
use crate::{
    config::{
        Resource, ResourcesConfig,
        resources::{OnFailure, Probe},
    },
    event::Event,
    host::{HostError, LrmHost, ProbeAttempt, ProbeProgress},
    id::{NodeName, ServiceId},
    status::{ExitCode, LrmState, LrmStatus, ManagerStatus, Readiness, ServiceState, Timestamp},
    time::{Instant, Now},
};

/// The services that have a probe, and what is known of those that run here.
#[derive(Debug, Clone, Default)]
pub(super) struct Probes {
    plans: BTreeMap<ServiceId, Plan>,
    /// What they were read from.
    resources: Option<Arc<ResourcesConfig>>,
    watched: BTreeMap<ServiceId, Watched>,
    last_number: u64,
}

/// How a service is probed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Plan {
    probe: Probe,
    interval: Duration,
    timeout: u32,
    failures: u32,
    ready_timeout: Duration,
    on_failure: OnFailure,
}

impl Plan {
    fn of(resource: &Resource) -> Option<Self> {
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        Some(Self {
            probe: resource.probe.clone()?,
            interval: seconds(resource.probe_interval()),
            timeout: resource.probe_timeout(),
            failures: resource.probe_failures(),
            ready_timeout: seconds(resource.ready_timeout()),
            on_failure: resource.on_failure(),
        })
    }
}

/// A service that runs here and is probed.
#[derive(Debug, Clone)]
struct Watched {
    began: Instant,
    /// The attempt that is not answered yet, and when it was begun.
    attempt: Option<(ProbeAttempt, Instant)>,
    next: Instant,
    /// How many attempts failed one after another.
    failures: u32,
    readiness: Readiness,
    since: Timestamp,
    /// Why it was not ready, by the last attempt.
    message: Option<String>,
}

impl Watched {
    fn new(now: Now) -> Self {
        Self {
            began: now.instant,
            attempt: None,
            next: now.instant,
            failures: 0,
            readiness: Readiness::Starting,
            since: now.wall,
            message: None,
        }
    }

    /// Takes an answer. Says whether its readiness has changed.
    fn take(&mut self, answer: &Answer, plan: &Plan, now: Now) -> bool {
        let readiness = match answer {
            Answer::Ready => {
                self.failures = 0;
                self.message = None;
                Readiness::Ready
            }
            Answer::NotReady { message, for_good } => {
                self.failures = self.failures.saturating_add(1);
                self.message.clone_from(message);
                let is_over = match self.readiness {
                    Readiness::Starting => now.instant.since(self.began) >= plan.ready_timeout,
                    Readiness::Ready => self.failures >= plan.failures,
                    Readiness::NotReady => true,
                };
                if is_over || *for_good { Readiness::NotReady } else { self.readiness }
            }
        };
        let changed = readiness != self.readiness;
        if changed {
            self.readiness = readiness;
            self.since = now.wall;
        }
        changed
    }
}

/// What an attempt has found out.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Ready,
    NotReady { message: Option<String>, for_good: bool },
}

impl Probes {
    /// Takes how services are probed by what is configured now.
    pub(super) fn take_plans(&mut self, resources: &Arc<ResourcesConfig>) {
        if self.resources.as_ref().is_some_and(|known| ResourcesConfig::is_same(known, resources)) {
            return;
        }
        self.resources = Some(resources.clone());
        let configured = resources.resources.iter();
        let plans = configured.filter_map(|(sid, resource)| Some((sid.clone(), Plan::of(resource)?))).collect();
        let before = core::mem::replace(&mut self.plans, plans);
        // What was found out by another probe says nothing.
        let Self { plans, watched, .. } = self;
        watched.retain(|sid, _| before.get(sid).map(|plan| &plan.probe) == plans.get(sid).map(|plan| &plan.probe));
    }

    /// A service was started anew, or has ended: what was known of it is over.
    pub(super) fn forget(&mut self, sid: &ServiceId) {
        self.watched.remove(sid);
    }

    /// This node looks after no service any more.
    pub(super) fn forget_all(&mut self) {
        self.watched.clear();
    }

    /// What is to be done with a service that runs and is not ready.
    pub(super) fn verdict(&self, sid: &ServiceId) -> Option<OnFailure> {
        let is_not_ready = self.watched.get(sid)?.readiness == Readiness::NotReady;
        is_not_ready.then(|| self.plans.get(sid).map(|plan| plan.on_failure)).flatten()
    }

    /// The services to probe: those whose start here is confirmed. What else happens to a service ends what was known of it, but for a
    /// freeze and a move that has not left yet.
    fn follow(&mut self, status: &ManagerStatus, node: &NodeName) -> Vec<ServiceId> {
        let state_here = |sid: &ServiceId| {
            status.services.get(sid).filter(|entry| entry.node == *node).map(|entry| entry.state.clone())
        };
        self.watched.retain(|sid, _| match state_here(sid) {
            Some(ServiceState::Started { confirmed }) => confirmed,
            Some(ServiceState::Freeze | ServiceState::Migrate { .. } | ServiceState::RequestStartBalance { .. }) => {
                true
            }
            Some(
                ServiceState::Stopped
                | ServiceState::RequestStop { .. }
                | ServiceState::RequestStart
                | ServiceState::Relocate { .. }
                | ServiceState::Fence
                | ServiceState::Recovery
                | ServiceState::Error,
            )
            | None => false,
        });
        let is_started = |sid: &&ServiceId| state_here(sid) == Some(ServiceState::Started { confirmed: true });
        self.plans.keys().filter(is_started).cloned().collect()
    }

    /// Writes down what others want to know.
    pub(super) fn write_to(&self, record: &mut LrmStatus) {
        for (sid, watched) in &self.watched {
            let note = record.services.entry(sid.clone()).or_default();
            note.readiness = Some(watched.readiness);
            note.readiness_since = Some(watched.since);
            note.not_ready.clone_from(&watched.message);
        }
    }

    /// The attempt to ask for now: the one that is on its way, or a new one if it is time for that and there is room.
    fn attempt(&mut self, sid: &ServiceId, has_room: bool, now: Now) -> Option<(ProbeAttempt, Instant)> {
        let plan = self.plans.get(sid)?;
        let watched = self.watched.entry(sid.clone()).or_insert_with(|| Watched::new(now));
        if watched.attempt.is_none() && has_room && now.instant >= watched.next {
            self.last_number = self.last_number.saturating_add(1);
            let (probe, timeout) = (plan.probe.clone(), plan.timeout);
            let attempt = ProbeAttempt { sid: sid.clone(), number: self.last_number, probe, timeout };
            watched.attempt = Some((attempt, now.instant));
            watched.next = now.instant.after(plan.interval);
        }
        watched.attempt.clone()
    }

    /// Takes the answer to the attempt of a service. Gives what to report of it.
    fn answered(&mut self, sid: &ServiceId, answer: &Answer, now: Now) -> Option<Event> {
        let (plan, watched) = (self.plans.get(sid)?, self.watched.get_mut(sid)?);
        watched.attempt = None;
        if !watched.take(answer, plan, now) {
            return None;
        }
        let sid = sid.clone();
        if watched.readiness == Readiness::Ready {
            return Some(Event::ServiceReady { sid });
        }
        let failures = watched.failures;
        Some(Event::ServiceNotReady { sid, failures, reason: watched.message.clone(), on_failure: plan.on_failure })
    }
}

impl Lrm {
    /// Probes what runs here, while this LRM looks after it: in maintenance too, which lasts until all have left.
    pub(super) fn probe_if_possible(&mut self, view_is_fresh: bool, host: &mut (impl LrmHost + ?Sized), now: Now) {
        let looks_after = matches!(self.state, LrmState::Active | LrmState::Maintenance);
        if looks_after && !self.is_stopping() && view_is_fresh {
            self.probe_services(host, now);
        }
    }

    /// Asks for the probes of the services that run here, at most as many at a time as there may be workers. None is waited for.
    fn probe_services(&mut self, host: &mut (impl LrmHost + ?Sized), now: Now) {
        if self.probes.plans.is_empty() && self.probes.watched.is_empty() {
            return;
        }
        let mut running = 0;
        for sid in self.probes.follow(&self.status, &self.node) {
            if !self.was_seen_to_run(&sid) {
                continue;
            }
            let has_room = running < self.max_workers;
            let Some((attempt, began)) = self.probes.attempt(&sid, has_room, now) else { continue };
            let lasts = now.instant.since(began);
            match answer_of(host.probe(&attempt), &attempt, lasts) {
                Some(answer) => {
                    if let Some(event) = self.probes.answered(&sid, &answer, now) {
                        host.event(event);
                    }
                }
                None => running = running.saturating_add(1),
            }
        }
    }

    /// Whether a service whose start is confirmed still runs, as far as is known: it was not stopped since then, and did not end.
    fn was_seen_to_run(&self, sid: &ServiceId) -> bool {
        let uid = self.status.services.get(sid).and_then(|entry| entry.uid.as_ref());
        let result = uid.and_then(|uid| self.results.get(uid));
        let is_well = result.is_none_or(|result| result.exit_code == ExitCode::SUCCESS);
        is_well && !self.notes.is_to_restart(sid) && !self.notes.is_clearing(sid)
    }
}

/// The answer to an attempt that goes on for so long; nothing if there is none yet.
fn answer_of(progress: Result<ProbeProgress, HostError>, attempt: &ProbeAttempt, lasts: Duration) -> Option<Answer> {
    let not_ready = |message| Some(Answer::NotReady { message, for_good: false });
    match progress {
        Ok(ProbeProgress::Running) if lasts > Duration::from_secs(attempt.timeout.into()) => {
            not_ready(Some(format!("no answer within {} s", attempt.timeout)))
        }
        Ok(ProbeProgress::Running) => None,
        Ok(ProbeProgress::Ready) => Some(Answer::Ready),
        Ok(ProbeProgress::NotReady) => not_ready(None),
        Ok(ProbeProgress::Failed) => Some(Answer::NotReady { message: None, for_good: true }),
        Err(error) => not_ready(Some(error.to_string())),
    }
}
