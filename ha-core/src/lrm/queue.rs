//! Jobs that wait and jobs that run.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

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
    /// queued that answers a request, since it is queued again later if it is still wanted. A final stop is queued once, so
    /// it waits until the other job has ended.
    pub(super) fn queue(&mut self, job: Job) {
        if job.uid.is_some() && self.runs_for(&job.sid) {
            return;
        }
        let passed_over = self.waiting.get(&job.sid).map_or(0, |waiting| waiting.passed_over);
        self.waiting.insert(job.sid.clone(), Waiting { job, passed_over });
    }

    fn runs_for(&self, sid: &ServiceId) -> bool {
        self.running.values().any(|running| running.sid == *sid)
    }

    /// Drops the waiting jobs that are not wanted any more.
    pub(super) fn keep_waiting(&mut self, wanted: impl Fn(&Job) -> bool) {
        self.waiting.retain(|_, waiting| wanted(&waiting.job));
    }

    /// The waiting jobs in the order in which they are to be started: those that were passed over most often first, then
    /// by SID. Taking this look counts as passing over all that are not started. One whose service has a running job is
    /// left out.
    pub(super) fn look(&mut self) -> Vec<Job> {
        let busy: BTreeSet<&ServiceId> = self.running.values().map(|running| &running.sid).collect();
        let mut order: Vec<&mut Waiting> = self.waiting.values_mut().collect();
        order.sort_by(|one, other| {
            other.passed_over.cmp(&one.passed_over).then_with(|| one.job.sid.cmp(&other.job.sid))
        });
        let mut jobs = Vec::with_capacity(order.len());
        for waiting in order {
            waiting.passed_over = waiting.passed_over.saturating_add(1);
            if !busy.contains(&waiting.job.sid) {
                jobs.push(waiting.job.clone());
            }
        }
        jobs
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
