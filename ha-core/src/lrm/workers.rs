//! Queueing commands, giving the workers a turn, and what becomes of their results.

use alloc::{sync::Arc, vec::Vec};
use core::time::Duration;

use super::{Flow, Lrm, Retries, workers_of};
use crate::{
    config::{DatacenterConfig, resources::OnFailure},
    event::Event,
    host::{self, Configuration, HostOperation, Job, JobId, JobStart, LrmHost},
    id::{ServiceId, Uid},
    status::{ExitCode, JobResult, ServiceEntry, ServiceState, StateName},
    time::{Instant, Next, Now, WaitReason},
};

/// The jobs that have ended since this was last asked.
fn collect(host: &mut (impl LrmHost + ?Sized)) -> Vec<(JobId, ExitCode)> {
    let finished = host.finished();
    host::answer(host, HostOperation::FinishedJobs, finished).unwrap_or_default()
}

impl Lrm {
    /// Queues what the manager status asks of this node, of the services that are looked after now.
    pub(super) fn queue_commands(&mut self, now: Instant, looked_after: impl Fn(&ServiceEntry) -> bool) {
        let status = self.status.clone();
        self.retries.retain(|sid, _| status.services.contains(sid));
        self.notes.update(&status, &self.node, &self.queue);
        self.drop_requests_taken_back();
        for (sid, entry) in status.services.iter().filter(|(_, entry)| entry.node == self.node) {
            let wanted = |uid: &&Uid| looked_after(entry) && self.is_wanted(entry, uid);
            let Some(uid) = entry.uid.as_ref().filter(wanted) else { continue };
            let command = entry.state.name();
            if self.notes.is_paused(sid, now) || (command == StateName::Started && self.notes.restart_waits(sid, now)) {
                continue;
            }
            let job = Job {
                id: self.queue.next_id(),
                sid: sid.clone(),
                uid: Some(uid.clone()),
                command,
                target: entry.state.target().cloned(),
                timeout: entry.state.timeout(),
                // It ran when it was last looked at: if it does not run now that is counted first.
                only_look: (entry.state == ServiceState::Started { confirmed: true } && !self.notes.is_to_restart(sid))
                    || self.must_ask(sid, entry),
            };
            // It may run again after its last stop: in maintenance requests are carried out also while the node goes down.
            self.final_stops.forget(sid);
            self.queue.queue(job);
        }
    }

    /// Whether the master has to let a service pass before it is started: it comes after others, and this LRM has not seen it running
    /// since it was asked to run here. What was let pass before this LRM began has to ask again: its node may have been down, and
    /// those that come first with it.
    fn must_ask(&self, sid: &ServiceId, entry: &ServiceEntry) -> bool {
        let Some(start) = self.status.ordered.get(sid) else { return false };
        let may_pass = |passed: &Uid| entry.uid.as_ref() == Some(passed) && !self.passed_before.contains(passed);
        matches!(entry.state, ServiceState::Started { .. })
            && !start.passed.as_ref().is_some_and(may_pass)
            && !self.notes.has_run(sid)
    }

    /// A look has found that a service does not run. It is started, unless the master has to let it pass first.
    fn found_not_running(&mut self, look: Job, host: &mut (impl LrmHost + ?Sized), now: Now) -> Option<Job> {
        let status = self.status.clone();
        match (status.services.get(&look.sid), look.uid.clone()) {
            (Some(entry), Some(uid)) if self.must_ask(&look.sid, entry) => {
                self.notes.asks(&look.sid, uid);
                None
            }
            // It was let pass meanwhile: it is started by the request for that.
            (Some(entry), _) if entry.uid != look.uid && status.ordered.contains_key(&look.sid) => None,
            (Some(_) | None, _) => self.restart(look, host, now),
        }
    }

    /// What waits for a request that was taken back is not wanted any more.
    fn drop_requests_taken_back(&mut self) {
        let services = &self.status.services;
        self.queue
            .keep_waiting(|job| job.uid.is_none() || services.get(&job.sid).is_some_and(|entry| entry.uid == job.uid));
    }

    /// Whether a request must be carried out. `stopped` always is, so that a stopped service stays stopped even with no
    /// master.
    fn is_wanted(&self, entry: &ServiceEntry, uid: &Uid) -> bool {
        match entry.state.name() {
            StateName::Recovery | StateName::Freeze | StateName::RequestStart => false,
            StateName::Stopped => true,
            StateName::RequestStop
            | StateName::RequestStartBalance
            | StateName::Started
            | StateName::Fence
            | StateName::Migrate
            | StateName::Relocate
            | StateName::Error => !self.results.contains_key(uid),
        }
    }

    /// Gives the workers a turn: collects finished jobs and starts waiting ones, again and again for as long as that may
    /// take in one iteration. Gives the wait until the next look, or nothing when the turn is over.
    pub(super) fn turn(&mut self, host: &mut (impl LrmHost + ?Sized), now: Now) -> Option<Flow> {
        let since: Instant = *self.turn_since.get_or_insert(now.instant);
        self.look(host, now);
        let next = now.instant.after(self.timings.worker_look_interval());
        if self.queue.is_empty() || next.since(since) > self.timings.worker_turn() {
            return None;
        }
        Some(Flow::Wait(next, WaitReason::Jobs))
    }

    /// Between iterations: where a job has ended the next one that waits takes its place, if it is still asked for. Says when the next
    /// iteration is due, or nothing if that is now: no job has ended, or it was the last one.
    pub(super) fn refill(&mut self, host: &mut (impl LrmHost + ?Sized), now: Now) -> Option<Next> {
        let instant = self.next_iteration.filter(|instant| now.instant < *instant)?;
        let finished = collect(host);
        if finished.is_empty() {
            return None;
        }
        let before = self.status.clone();
        self.read_status(host);
        if !Arc::ptr_eq(&before, &self.status) {
            self.drop_requests_taken_back();
        }
        self.serve(finished, host, now);
        (!self.queue.is_empty()).then_some(Next::At { instant, reason: WaitReason::NextIteration })
    }

    /// One look: finished jobs are collected, then waiting ones started as far as there is room.
    fn look(&mut self, host: &mut (impl LrmHost + ?Sized), now: Now) {
        let finished = collect(host);
        if !finished.is_empty() || !self.queue.is_empty() {
            self.serve(finished, host, now);
        }
    }

    /// Handles what has finished, and starts what waits as far as there is room. Nothing is started unless the lock is surely held.
    fn serve(&mut self, finished: Vec<(JobId, ExitCode)>, host: &mut (impl LrmHost + ?Sized), now: Now) {
        let configuration = host.configuration();
        let configuration = host::answer(host, HostOperation::ReadConfiguration, configuration);
        if let Some(configuration) = &configuration {
            self.queue.take_priorities(&configuration.resources);
            self.probes.take_plans(&configuration.resources);
        }
        self.drop_stale_results();
        for (id, exit_code) in finished {
            if let Some(next) = self.finish(id, exit_code, configuration.as_ref(), host, now) {
                self.queue.queue(next);
            }
        }
        self.end_jobs_over_limit(host, now.instant);
        self.max_workers = configuration.as_ref().map_or_else(
            || workers_of(&DatacenterConfig::default()),
            |configuration| workers_of(&configuration.datacenter),
        );
        if !self.lease.covers(now.instant, &self.timings) {
            return;
        }
        self.queue.begin_look();
        let mut last = None;
        while self.queue.running() < self.max_workers
            && let Some((place, job)) = self.queue.next_after(last.as_ref())
        {
            let mut next = Some(job);
            while let Some(job) = next {
                next = self.start_job(job, configuration.as_ref(), host, now);
            }
            last = Some(place);
        }
    }

    /// Hands a job to the workers. Gives another one for the same service that is to follow at once.
    fn start_job(
        &mut self,
        job: Job,
        configuration: Option<&Configuration>,
        host: &mut (impl LrmHost + ?Sized),
        now: Now,
    ) -> Option<Job> {
        let started = host.start(&job);
        let id = job.id;
        match host::answer(host, HostOperation::StartJob, started) {
            Some(JobStart::Running) => {
                let limit = host.time_limit(&job);
                let limit = host::answer(host, HostOperation::JobTimeLimit, limit);
                let limit = limit.unwrap_or_else(|| job.usual_time_limit());
                self.queue.started(job, now);
                self.queue.set_limit(id, limit, now.instant);
                None
            }
            Some(JobStart::Finished(exit_code)) => {
                self.queue.started(job, now);
                self.finish(id, exit_code, configuration, host, now)
            }
            None => None,
        }
    }

    /// Lets the workers end what takes longer than it may. Until it is proven gone it hangs, takes no place from others, and
    /// nothing else is begun for its service.
    fn end_jobs_over_limit(&mut self, host: &mut (impl LrmHost + ?Sized), now: Instant) {
        for job in self.queue.over_limit(now) {
            // It may have got on meanwhile.
            let limit = host.time_limit(&job);
            let limit = host::answer(host, HostOperation::JobTimeLimit, limit);
            let limit = limit.unwrap_or_else(|| job.usual_time_limit());
            if let Some(seconds) = self.queue.set_limit(job.id, limit, now) {
                host.event(Event::JobHangs { sid: job.sid, command: job.command, seconds });
            }
        }
        for (id, first) in self.queue.take_due_ends(now) {
            let ended = host.end(id);
            if first {
                host::answer(host, HostOperation::EndJob, ended);
            }
        }
    }

    /// Drops the results of requests that no entry has any more.
    fn drop_stale_results(&mut self) {
        let services = &self.status.services;
        self.results
            .retain(|uid, result| services.get(&result.sid).is_some_and(|entry| entry.uid.as_ref() == Some(uid)));
    }

    /// Applies the restart policy to the end of a job, and reports what it leaves to report. Gives a job for the same service that
    /// is to follow at once.
    fn finish(
        &mut self,
        id: JobId,
        exit_code: ExitCode,
        configuration: Option<&Configuration>,
        host: &mut (impl LrmHost + ?Sized),
        now: Now,
    ) -> Option<Job> {
        let running = self.queue.finished(id)?;
        let was_ended = running.hangs() && exit_code == ExitCode::KILLED;
        let job = running.job;
        if exit_code == ExitCode::TRY_AGAIN {
            self.wait_for_lock(&job, host, now);
            return None;
        }
        self.notes.met_no_lock(&job.sid);
        if job.only_look && exit_code == ExitCode::NOT_RUNNING {
            return self.found_not_running(job, host, now);
        }
        let Some(uid) = &job.uid else {
            self.finish_own(&job, exit_code);
            return None;
        };
        match job.command {
            StateName::Started => {
                if exit_code == ExitCode::SUCCESS && self.ends_what_is_not_ready(&job, uid) {
                    return None;
                }
                // What was ended, or can't be told, counts as a start that failed.
                let may_run = was_ended || exit_code == ExitCode::UNTOLD;
                let counted = if may_run { ExitCode::ERROR } else { exit_code };
                if self.tries_again(&job, counted, configuration, host, now.instant) {
                    return None;
                }
                self.notes.start_ended(&job.sid, exit_code == ExitCode::SUCCESS);
                if may_run {
                    self.clear_away(job.sid.clone(), Some(uid.clone()));
                    return None;
                }
            }
            StateName::Migrate | StateName::Relocate | StateName::RequestStartBalance => {
                if !matches!(exit_code, ExitCode::SUCCESS | ExitCode::IGNORED) {
                    self.notes.move_failed(&job.sid, was_ended, now.instant);
                }
            }
            StateName::Stopped
            | StateName::RequestStop
            | StateName::RequestStart
            | StateName::Fence
            | StateName::Recovery
            | StateName::Freeze
            | StateName::Error => {}
        }
        self.results.insert(uid.clone(), JobResult::new(job.sid.clone(), job.command.as_str(), exit_code));
        None
    }

    /// A service that ran does not run any more. It is started again: at once, or after a pause if that was so too often. If it must be
    /// stopped by now it stays as it is.
    fn restart(&mut self, look: Job, host: &mut (impl LrmHost + ?Sized), now: Now) -> Option<Job> {
        if self.queue.waits_to_stop(&look.sid) {
            return None;
        }
        self.probes.forget(&look.sid);
        let (restarts, pause) = self.notes.found_not_running(&look.sid, now);
        host.event(Event::UnplannedRestart { sid: look.sid.clone(), restarts, pause: pause.as_secs() });
        pause.is_zero().then(|| Job { id: self.queue.next_id(), only_look: false, ..look })
    }

    /// The end of a job that the LRM itself wanted.
    fn finish_own(&mut self, job: &Job, exit_code: ExitCode) {
        if let Some(uid) = self.notes.end_clearing(&job.sid) {
            // A start that failed, as far as it is known that nothing of it runs.
            let reported = if exit_code == ExitCode::SUCCESS { ExitCode::ERROR } else { ExitCode::KILLED };
            let result = JobResult::new(job.sid.clone(), StateName::Started.as_str(), reported);
            self.results.insert(uid, result);
        }
        if self.goes_down() {
            self.final_stops.ended(&job.sid, exit_code);
        }
    }

    /// A lock keeps the agent from the guest for now. That is no failure: the same is tried again.
    fn wait_for_lock(&mut self, job: &Job, host: &mut (impl LrmHost + ?Sized), now: Now) {
        let lock = host.guest_lock(&job.sid);
        let lock = host::answer(host, HostOperation::GuestLock, lock).flatten();
        self.notes.met_lock(&job.sid, lock, now);
        if job.uid.is_none() {
            if self.notes.is_locked_for_long(&job.sid) {
                self.finish_own(job, ExitCode::ERROR);
            } else {
                self.final_stops.forget(&job.sid);
            }
        }
    }

    /// A service was seen to run. If its probe has failed, and it is to be restarted or relocated for that, it is stopped: for a
    /// restart the next look finds that it does not run, as if it had ended by itself; a relocation answers the request as a start that
    /// failed. Says whether it is.
    fn ends_what_is_not_ready(&mut self, job: &Job, uid: &Uid) -> bool {
        if !job.only_look {
            // It was started, or found running, under this request: what was known of it is of another run.
            self.probes.forget(&job.sid);
            return false;
        }
        let answers = match self.probes.verdict(&job.sid) {
            Some(OnFailure::Restart) => None,
            Some(OnFailure::Relocate) => Some(uid.clone()),
            Some(OnFailure::Report) | None => return false,
        };
        self.probes.forget(&job.sid);
        self.clear_away(job.sid.clone(), answers);
        true
    }

    /// What runs of a service, or may, is stopped: after a start that was ended it may have left something, and before its service can
    /// be started elsewhere nothing may be left. `answers` is the request that is answered by what comes of it.
    fn clear_away(&mut self, sid: ServiceId, answers: Option<Uid>) {
        let job = Job {
            id: self.queue.next_id(),
            sid: sid.clone(),
            uid: None,
            command: StateName::RequestStop,
            target: None,
            timeout: None,
            only_look: false,
        };
        self.notes.begin_clearing(sid, answers);
        self.queue.queue(job);
    }

    /// Whether a start that failed is tried again here, by the same request.
    fn tries_again(
        &mut self,
        job: &Job,
        exit_code: ExitCode,
        configuration: Option<&Configuration>,
        host: &mut (impl LrmHost + ?Sized),
        now: Instant,
    ) -> bool {
        match exit_code {
            ExitCode::SUCCESS => {
                self.retries.remove(&job.sid);
                false
            }
            ExitCode::ERROR => {
                // While nobody can read how often it may be tried, nothing is counted, and nothing given up.
                let Some(configuration) = configuration else { return true };
                let resource = configuration.resources.resources.get(&job.sid);
                let max_restart = resource.map_or(0, |resource| resource.max_restart());
                let expires = resource.and_then(|resource| resource.failure_timeout()).map(u64::from);
                let counts = |retries: &&Retries| {
                    expires.is_none_or(|seconds| now.since(retries.failed_last) < Duration::from_secs(seconds))
                };
                let tries = self.retries.get(&job.sid).filter(counts).map_or(0, |retries| retries.times);
                let sid = job.sid.clone();
                if tries >= max_restart {
                    host.event(Event::StartRetriesExhausted { sid, tries });
                    self.retries.remove(&job.sid);
                    return false;
                }
                let tries = tries.saturating_add(1);
                self.retries.insert(sid.clone(), Retries { times: tries, failed_last: now });
                host.event(Event::StartRetry { r#try: tries, sid });
                true
            }
            _ => false,
        }
    }
}
