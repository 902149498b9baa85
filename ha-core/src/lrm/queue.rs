//! Jobs that wait and jobs that run.

use alloc::{collections::BTreeMap, vec::Vec};

use crate::{
    host::{Job, JobId},
    id::ServiceId,
};

/// The jobs of an LRM: at most one a service waits, and at most one a service runs.
#[derive(Debug, Clone, Default)]
pub(super) struct JobQueue {
    waiting: BTreeMap<ServiceId, Waiting>,
    running: BTreeMap<JobId, Job>,
    last_id: u64,
}

#[derive(Debug, Clone)]
struct Waiting {
    job: Job,
    /// How often it was passed over.
    passed_over: u32,
}

impl JobQueue {
    /// Whether no job waits and none runs.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.running.is_empty()
    }

    pub(super) fn running(&self) -> usize {
        self.running.len()
    }

    /// Lets a job wait, in the place of one that waits for the same service. While one runs for the service nothing is
    /// queued: what is asked then is asked again.
    pub(super) fn queue(&mut self, job: Job) {
        if !self.is_running(&job.sid) {
            self.queue_behind(job);
        }
    }

    /// Lets a job wait also where one runs for the service: it is started after that one.
    pub(super) fn queue_behind(&mut self, job: Job) {
        let passed_over = self.waiting.get(&job.sid).map_or(0, |waiting| waiting.passed_over);
        self.waiting.insert(job.sid.clone(), Waiting { job, passed_over });
    }

    fn is_running(&self, sid: &ServiceId) -> bool {
        self.running.values().any(|running| running.sid == *sid)
    }

    /// Drops the waiting jobs that are not wanted any more.
    pub(super) fn keep_waiting(&mut self, wanted: impl Fn(&Job) -> bool) {
        self.waiting.retain(|_, waiting| wanted(&waiting.job));
    }

    /// The waiting jobs that may start, in the order in which they are to be started: those that were passed over most often first, then
    /// by SID. Taking this look counts as passing over all that are not started.
    pub(super) fn look(&mut self) -> Vec<Job> {
        let running: Vec<&ServiceId> = self.running.values().map(|job| &job.sid).collect();
        let free = |waiting: &&mut Waiting| !running.contains(&&waiting.job.sid);
        let mut order: Vec<&mut Waiting> = self.waiting.values_mut().filter(free).collect();
        order.sort_by(|one, other| {
            other.passed_over.cmp(&one.passed_over).then_with(|| one.job.sid.cmp(&other.job.sid))
        });
        order
            .into_iter()
            .map(|waiting| {
                waiting.passed_over = waiting.passed_over.saturating_add(1);
                waiting.job.clone()
            })
            .collect()
    }

    /// Takes note that a job runs.
    pub(super) fn started(&mut self, job: Job) {
        self.waiting.remove(&job.sid);
        self.running.insert(job.id, job);
    }

    /// Takes a job out of those that run. `None` for one that this LRM did not start.
    pub(super) fn finished(&mut self, id: JobId) -> Option<Job> {
        self.running.remove(&id)
    }

    pub(super) fn next_id(&mut self) -> JobId {
        self.last_id = self.last_id.wrapping_add(1);
        JobId(self.last_id)
    }
}
