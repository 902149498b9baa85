//! Queueing commands, giving the workers a turn, and what becomes of their results.

use super::{Flow, Lrm};
use crate::{
    config::DatacenterConfig,
    event::Event,
    host::{self, Configuration, HostOperation, Job, JobId, JobStart, LrmHost},
    id::Uid,
    status::{ExitCode, JobResult, ServiceEntry, StateName},
    time::{Instant, Now, WaitReason},
};

impl Lrm {
    /// Queues what the manager status asks of this node, of the services that are looked after now.
    pub(super) fn queue_commands(&mut self, looked_after: impl Fn(&ServiceEntry) -> bool) {
        let status = self.status.clone();
        self.retries.retain(|sid, _| status.services.contains(sid));
        // What waits for a request that was taken back is not wanted any more.
        self.queue.keep_waiting(|job| {
            job.uid.is_none() || status.services.get(&job.sid).is_some_and(|entry| entry.uid == job.uid)
        });
        for (sid, entry) in status.services.iter().filter(|(_, entry)| entry.node == self.node) {
            let wanted = |uid: &&Uid| looked_after(entry) && self.is_wanted(entry, uid);
            let Some(uid) = entry.uid.as_ref().filter(wanted) else { continue };
            let job = Job {
                id: self.queue.next_id(),
                sid: sid.clone(),
                uid: Some(uid.clone()),
                command: entry.state.name(),
                target: entry.state.target().cloned(),
                timeout: entry.state.timeout(),
            };
            // It may run again after its last stop: in maintenance requests are carried out also while the node goes down.
            self.final_stops.forget(sid);
            self.queue.queue(job);
        }
    }

    /// Whether a request is to be carried out. `stopped` always is, so that a stopped service stays stopped even with no
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

    /// One look: finished jobs are collected, then waiting ones started as far as there is room. None is started unless the
    /// lock is surely held.
    fn look(&mut self, host: &mut (impl LrmHost + ?Sized), now: Now) {
        let finished = host.finished();
        let finished = host::answer(host, HostOperation::FinishedJobs, finished).unwrap_or_default();
        if finished.is_empty() && self.queue.is_empty() {
            return;
        }
        let configuration = host.configuration();
        let configuration = host::answer(host, HostOperation::ReadConfiguration, configuration);
        self.drop_stale_results();
        for (id, exit_code) in finished {
            self.finish(id, exit_code, configuration.as_ref(), host);
        }
        let max_workers = configuration
            .as_ref()
            .map_or(DatacenterConfig::default().max_workers, |configuration| configuration.datacenter.max_workers);
        if !self.lease.covers(now.instant, &self.timings) {
            return;
        }
        for job in self.queue.look() {
            if self.queue.running() >= max_workers as usize {
                return;
            }
            let started = host.start(&job);
            match host::answer(host, HostOperation::StartJob, started) {
                Some(JobStart::Running) => self.queue.started(job),
                Some(JobStart::Finished(exit_code)) => {
                    let id = job.id;
                    self.queue.started(job);
                    self.finish(id, exit_code, configuration.as_ref(), host);
                }
                None => {}
            }
        }
    }

    /// Drops the results of requests that no entry has any more.
    fn drop_stale_results(&mut self) {
        let services = &self.status.services;
        self.results
            .retain(|uid, result| services.get(&result.sid).is_some_and(|entry| entry.uid.as_ref() == Some(uid)));
    }

    /// Applies the restart policy to the end of a job, and reports what it leaves to report.
    fn finish(
        &mut self,
        id: JobId,
        exit_code: ExitCode,
        configuration: Option<&Configuration>,
        host: &mut (impl LrmHost + ?Sized),
    ) {
        let Some(job) = self.queue.finished(id) else { return };
        let Some(uid) = &job.uid else {
            self.final_stops.ended(exit_code);
            return;
        };
        let tries_again = job.command == StateName::Started && self.tries_again(&job, exit_code, configuration, host);
        if tries_again {
            return;
        }
        self.results.insert(uid.clone(), JobResult::new(job.sid.clone(), job.command.as_str(), exit_code));
    }

    /// Whether a start that failed is tried again here, by the same request.
    fn tries_again(
        &mut self,
        job: &Job,
        exit_code: ExitCode,
        configuration: Option<&Configuration>,
        host: &mut (impl LrmHost + ?Sized),
    ) -> bool {
        match exit_code {
            ExitCode::SUCCESS => {
                self.retries.remove(&job.sid);
                false
            }
            ExitCode::ERROR => {
                let resource = configuration.and_then(|config| config.resources.resources.get(&job.sid));
                let max_restart = resource.map_or(0, |resource| resource.max_restart());
                let tries = self.retries.get(&job.sid).copied().unwrap_or(0);
                let sid = job.sid.clone();
                if tries >= max_restart {
                    host.event(Event::StartRetriesExhausted { sid, tries });
                    self.retries.remove(&job.sid);
                    return false;
                }
                let tries = tries.saturating_add(1);
                self.retries.insert(sid.clone(), tries);
                host.event(Event::StartRetry { r#try: tries, sid });
                true
            }
            _ => false,
        }
    }
}
