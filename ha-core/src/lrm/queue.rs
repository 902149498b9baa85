//! Jobs that wait and jobs that run.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    vec::Vec,
};
use core::{cmp::Reverse, ops::Bound, time::Duration};

use crate::{
    config::ResourcesConfig,
    host::{Job, JobId},
    id::ServiceId,
    status::{StateName, Timestamp},
    time::{Instant, Now},
};

/// The time after which a job that was to be ended, and is not, is asked to end again.
const END_AGAIN: Duration = Duration::from_secs(60);

/// The jobs of an LRM: at most one a service waits, and at most one a service runs.
#[derive(Debug, Clone, Default)]
pub(super) struct JobQueue {
    waiting: BTreeMap<ServiceId, Waiting>,
    /// The places of those that wait, in the order in which they will be started.
    order: BTreeSet<Place>,
    /// How many looks were taken.
    looks: u64,
    running: BTreeMap<JobId, Running>,
    /// Services of which a job goes on that nobody waits for any more: nothing else is begun for them.
    given_up: BTreeSet<ServiceId>,
    /// The priorities of services that have one.
    priorities: BTreeMap<ServiceId, u32>,
    /// What they were read from.
    resources: Option<Arc<ResourcesConfig>>,
    last_id: u64,
}

/// A job that a worker has.
#[derive(Debug, Clone)]
pub(super) struct Running {
    pub(super) job: Job,
    began: Instant,
    began_wall: Timestamp,
    /// How long it may take.
    limit: Option<Duration>,
    hang: Option<Hang>,
}

/// A job took longer than it may.
#[derive(Debug, Clone, Copy)]
struct Hang {
    since: Instant,
    /// When it was last to be ended.
    asked: Option<Instant>,
}

impl Running {
    /// Whether it took longer than it may.
    pub(super) fn hangs(&self) -> bool {
        self.hang.is_some()
    }

    /// When it was started.
    pub(super) fn began_wall(&self) -> Timestamp {
        self.began_wall
    }
}

#[derive(Debug, Clone)]
struct Waiting {
    job: Job,
    rank: Rank,
}

/// The place of a job among those that wait: by its rank, then by SID.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    rank: Rank,
    sid: ServiceId,
}

/// What comes first of what waits: starts and moves of higher priority, then what was passed over most often. Of the stops among
/// that, those of lower priority.
///
/// All that wait are passed over together, once a look. So it does not matter how often that was, but since which look.
///
/// A look at what runs has no priority: it is taken again and again, and would never let anything else come. For stops it counts last,
/// so that none waits for what was queued after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    /// The priority of a service that is to start or to move.
    priority: Reverse<u32>,
    /// How many looks had been taken when a job was first queued for the service.
    since: u64,
    /// The priority of a service that is to stop.
    stop: u32,
}

impl JobQueue {
    /// Whether no job waits and none runs.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.running.is_empty()
    }

    /// Whether any job runs, also one that hangs.
    pub(super) fn has_running(&self) -> bool {
        !self.running.is_empty()
    }

    /// How many places at the workers are taken: a job that hangs takes none from others.
    pub(super) fn running(&self) -> usize {
        self.running.values().filter(|running| !running.hangs()).count()
    }

    /// The jobs that took longer than they may.
    pub(super) fn hung(&self) -> impl Iterator<Item = &Running> {
        self.running.values().filter(|running| running.hangs())
    }

    /// The jobs whose time is over by what is known of their limit, and that do not count as hanging yet.
    pub(super) fn over_limit(&self, now: Instant) -> Vec<Job> {
        let is_over = |running: &&Running| {
            !running.hangs() && running.limit.is_some_and(|limit| now.since(running.began) > limit)
        };
        self.running.values().filter(is_over).map(|running| running.job.clone()).collect()
    }

    /// Sets how long a job may take. Says for how many seconds it has run if that is too long: it hangs.
    pub(super) fn set_limit(&mut self, id: JobId, limit: Option<Duration>, now: Instant) -> Option<u64> {
        let running = self.running.get_mut(&id)?;
        running.limit = limit;
        let lasted = now.since(running.began);
        if limit.is_none_or(|limit| lasted <= limit) {
            return None;
        }
        running.hang = Some(Hang { since: now, asked: None });
        Some(lasted.as_secs())
    }

    /// The jobs that hang and must be asked to end now, each with whether it is asked for the first time.
    pub(super) fn take_due_ends(&mut self, now: Instant) -> Vec<(JobId, bool)> {
        let mut jobs = Vec::new();
        for (id, running) in &mut self.running {
            if let Some(hang) = &mut running.hang
                && hang.asked.is_none_or(|asked| now.since(asked) >= END_AGAIN)
            {
                jobs.push((*id, hang.asked.is_none()));
                hang.asked = Some(now);
            }
        }
        jobs
    }

    /// Forgets the jobs that could not be ended in time, and what waits for their services. Gives these.
    pub(super) fn give_up_hung(&mut self, now: Instant) -> Vec<ServiceId> {
        let is_given_up = |running: &Running| running.hang.is_some_and(|hang| now.since(hang.since) >= END_AGAIN);
        let given_up: Vec<ServiceId> = self
            .running
            .values()
            .filter(|running| is_given_up(running))
            .map(|running| running.job.sid.clone())
            .collect();
        self.running.retain(|_, running| !is_given_up(running));
        self.keep_waiting(|job| !given_up.contains(&job.sid));
        self.given_up.extend(given_up.iter().cloned());
        given_up
    }

    /// Whether a job for a service was given up: it may go on.
    pub(super) fn is_given_up(&self, sid: &ServiceId) -> bool {
        self.given_up.contains(sid)
    }

    /// Whether a job waits or runs for a service.
    pub(super) fn has_job_for(&self, sid: &ServiceId) -> bool {
        self.waiting.contains_key(sid) || self.runs_for(sid)
    }

    /// Whether the last stop of a service waits.
    pub(super) fn waits_to_stop(&self, sid: &ServiceId) -> bool {
        self.waiting.get(sid).is_some_and(|waiting| waiting.job.uid.is_none())
    }

    /// Lets a job wait, instead of one that waits for the same service. While one runs for the service nothing is
    /// queued that answers a request, since it is queued again later if it is still wanted. A final stop is queued once, so
    /// it waits until the other job has ended.
    pub(super) fn queue(&mut self, job: Job) {
        if self.is_given_up(&job.sid) || job.uid.is_some() && self.runs_for(&job.sid) {
            return;
        }
        let before = self.waiting.get(&job.sid).map(|waiting| waiting.rank);
        let rank = self.rank(&job, before.map_or(self.looks, |rank| rank.since));
        self.put(job, rank, before);
    }

    /// Lets a job wait at a place, instead of the one that its service had before.
    fn put(&mut self, job: Job, rank: Rank, before: Option<Rank>) {
        let sid = job.sid.clone();
        if let Some(rank) = before {
            self.order.remove(&Place { rank, sid: sid.clone() });
        }
        self.order.insert(Place { rank, sid: sid.clone() });
        self.waiting.insert(sid, Waiting { job, rank });
    }

    fn rank(&self, job: &Job, since: u64) -> Rank {
        let of_service = self.priorities.get(&job.sid).copied().unwrap_or(0);
        let (priority, stop) = match job.command {
            StateName::Started if job.only_look => (0, 0),
            StateName::Started | StateName::Migrate | StateName::Relocate | StateName::RequestStartBalance => {
                (of_service, 0)
            }
            StateName::Stopped | StateName::RequestStop => (0, of_service),
            StateName::RequestStart | StateName::Fence | StateName::Recovery | StateName::Freeze | StateName::Error => {
                (0, 0)
            }
        };
        Rank { priority: Reverse(priority), since, stop }
    }

    /// Takes the priorities of services as they are configured now, for all that waits.
    pub(super) fn take_priorities(&mut self, resources: &Arc<ResourcesConfig>) {
        if self.resources.as_ref().is_some_and(|known| ResourcesConfig::is_same(known, resources)) {
            return;
        }
        self.resources = Some(resources.clone());
        let set = resources.resources.iter().filter(|(_, resource)| resource.priority() > 0);
        let priorities = set.map(|(sid, resource)| (sid.clone(), resource.priority())).collect();
        if self.priorities == priorities {
            return;
        }
        self.priorities = priorities;
        let waiting: Vec<Waiting> = self.waiting.values().cloned().collect();
        for Waiting { job, rank } in waiting {
            let anew = self.rank(&job, rank.since);
            self.put(job, anew, Some(rank));
        }
    }

    fn runs_for(&self, sid: &ServiceId) -> bool {
        self.running.values().any(|running| running.job.sid == *sid)
    }

    /// Drops the waiting jobs that are not wanted any more.
    pub(super) fn keep_waiting(&mut self, wanted: impl Fn(&Job) -> bool) {
        let Self { waiting, order, .. } = self;
        waiting.retain(|sid, waiting| {
            let keeps = wanted(&waiting.job);
            if !keeps {
                order.remove(&Place { rank: waiting.rank, sid: sid.clone() });
            }
            keeps
        });
    }

    /// Begins a look at what waits: all that it does not start is passed over.
    pub(super) fn begin_look(&mut self) {
        self.looks = self.looks.saturating_add(1);
    }

    /// The first job, after a place in the order, that may be started in this look, with its own place. Left out are one whose
    /// service has a running job, and what was queued since the look began.
    pub(super) fn next_after(&self, place: Option<&Place>) -> Option<(Place, Job)> {
        let after = place.map_or(Bound::Unbounded, Bound::Excluded);
        let mut places = self.order.range::<Place, _>((after, Bound::Unbounded));
        let next = places.find(|place| place.rank.since < self.looks && !self.runs_for(&place.sid))?;
        Some((next.clone(), self.waiting.get(&next.sid)?.job.clone()))
    }

    /// Takes note that a job runs.
    pub(super) fn started(&mut self, job: Job, now: Now) {
        if let Some(Waiting { rank, .. }) = self.waiting.remove(&job.sid) {
            self.order.remove(&Place { rank, sid: job.sid.clone() });
        }
        let (began, began_wall) = (now.instant, now.wall);
        let limit = job.usual_time_limit();
        self.running.insert(job.id, Running { job, began, began_wall, limit, hang: None });
    }

    /// Takes a job out of those that run. `None` for one that this LRM did not start.
    pub(super) fn finished(&mut self, id: JobId) -> Option<Running> {
        self.running.remove(&id)
    }

    pub(super) fn next_id(&mut self) -> JobId {
        self.last_id = self.last_id.wrapping_add(1);
        JobId(self.last_id)
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "tests may panic")]
mod tests {
    use alloc::{string::String, string::ToString};

    use super::*;
    use crate::id::ServiceTypes;

    /// A job for a service: one that answers a request, or a last stop.
    fn job(queue: &mut JobQueue, sid: &str, uid: Option<&str>) -> Job {
        Job {
            id: queue.next_id(),
            sid: ServiceId::new(sid).unwrap(),
            uid: uid.map(|uid| uid.parse().unwrap()),
            command: if uid.is_some() { StateName::Started } else { StateName::RequestStop },
            target: None,
            timeout: None,
            only_look: false,
        }
    }

    /// What could be started now: SID and request.
    fn ready(queue: &mut JobQueue) -> Vec<String> {
        let name = |job: Job| [job.sid.to_string(), job.uid.map_or("stop".into(), |uid| uid.to_string())].join(" ");
        look(queue).into_iter().map(name).collect()
    }

    /// All that one look could start.
    fn look(queue: &mut JobQueue) -> Vec<Job> {
        queue.begin_look();
        let first = queue.next_after(None);
        let all = core::iter::successors(first, |(place, _)| queue.next_after(Some(place)));
        all.map(|(_, job)| job).collect()
    }

    #[test]
    fn a_request_replaces_the_one_that_waits_and_not_the_one_that_runs() {
        let mut queue = JobQueue::default();
        for uid in ["one", "two"] {
            let job = job(&mut queue, "vm:101", Some(uid));
            queue.queue(job);
        }
        assert_eq!(ready(&mut queue), ["vm:101 two"]);
        let runs = look(&mut queue).remove(0);
        let id = runs.id;
        queue.started(runs, Now::default());
        for (sid, uid) in [("vm:101", "three"), ("vm:102", "four")] {
            let job = job(&mut queue, sid, Some(uid));
            queue.queue(job);
        }
        assert_eq!(ready(&mut queue), ["vm:102 four"]);
        assert!(queue.finished(id).is_some());
        assert_eq!(ready(&mut queue), ["vm:102 four"], "the request of vm:101 is queued again later, if still wanted");
    }

    #[test]
    fn a_last_stop_waits_for_the_job_that_runs() {
        let mut queue = JobQueue::default();
        let start = job(&mut queue, "vm:101", Some("one"));
        let id = start.id;
        queue.queue(start.clone());
        queue.started(start, Now::default());
        let stop = job(&mut queue, "vm:101", None);
        queue.queue(stop);
        assert_eq!(ready(&mut queue), [""; 0]);
        assert!(queue.finished(id).is_some());
        assert_eq!(ready(&mut queue), ["vm:101 stop"]);
    }

    #[test]
    fn nothing_is_begun_for_a_service_whose_job_was_given_up() {
        let mut queue = JobQueue::default();
        let hangs = job(&mut queue, "vm:101", Some("one"));
        let id = hangs.id;
        queue.started(hangs, Now::default());
        assert!(queue.set_limit(id, Some(Duration::ZERO), Instant::START.after(END_AGAIN)).is_some());
        let later = Instant::START.after(END_AGAIN.saturating_mul(2));
        assert_eq!(queue.give_up_hung(later).len(), 1);
        for uid in [Some("one"), None] {
            let again = job(&mut queue, "vm:101", uid);
            queue.queue(again);
        }
        assert_eq!(ready(&mut queue), [""; 0], "the first may go on");
    }

    #[test]
    fn what_is_not_wanted_any_more_does_not_wait() {
        let mut queue = JobQueue::default();
        for (sid, uid) in [("vm:101", "one"), ("vm:102", "two")] {
            let job = job(&mut queue, sid, Some(uid));
            queue.queue(job);
        }
        queue.keep_waiting(|job| job.sid.as_str() == "vm:102");
        assert_eq!(ready(&mut queue), ["vm:102 two"]);
        queue.keep_waiting(|_| false);
        assert!(queue.is_empty());
    }

    /// What is configured, with these priorities.
    fn configured(priorities: &BTreeMap<ServiceId, u32>) -> Arc<ResourcesConfig> {
        let section = |(sid, priority): (&ServiceId, &u32)| {
            std::format!("{}: {}\n\tpriority {priority}\n\n", sid.service_type(), sid.name())
        };
        let text: String = priorities.iter().map(section).collect();
        Arc::new(ResourcesConfig::read(text.as_bytes(), &ServiceTypes::default()).config)
    }

    /// A queue that counts how often each job was passed over, and sorts them at each look: what is said of the order, letter by
    /// letter.
    #[derive(Default)]
    struct Plain(BTreeMap<ServiceId, (u32, Job)>, BTreeMap<ServiceId, u32>);

    impl Plain {
        fn queue(&mut self, job: Job) {
            let passed_over = self.0.get(&job.sid).map_or(0, |(passed_over, _)| *passed_over);
            self.0.insert(job.sid.clone(), (passed_over, job));
        }

        fn look(&mut self) -> Vec<Job> {
            let mut order: Vec<&mut (u32, Job)> = self.0.values_mut().collect();
            order.sort_by_key(|(passed_over, job)| {
                let priority = self.1.get(&job.sid).copied().unwrap_or(0);
                let stops = job.command == StateName::RequestStop;
                let (first, last) = if stops { (0, priority) } else { (if job.only_look { 0 } else { priority }, 0) };
                (Reverse(first), Reverse(*passed_over), last, job.sid.clone())
            });
            order.iter_mut().for_each(|(passed_over, _)| *passed_over += 1);
            order.into_iter().map(|(_, job)| job.clone()).collect()
        }
    }

    #[test]
    fn the_order_is_that_of_priorities_then_of_a_count_of_how_often_each_was_passed_over() {
        let (mut queue, mut plain) = (JobQueue::default(), Plain::default());
        let mut random = 1_u32;
        let mut draw = |below: u32| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (random >> 16) % below
        };
        for step in 0..3_000 {
            for _ in 0..draw(4) {
                let sid = std::format!("vm:{}", 100 + draw(20));
                let mut job = job(&mut queue, &sid, Some("one"));
                match draw(4) {
                    0 => job.only_look = true,
                    1 => job.command = StateName::RequestStop,
                    _ => {}
                }
                queue.queue(job.clone());
                plain.queue(job);
            }
            // For a third of the time nothing has a priority.
            if step % 100 == 0 {
                let some = if step % 300 == 0 { 0 } else { 8 };
                let drawn = (0..some).map(|_| (std::format!("vm:{}", 100 + draw(20)), draw(4) * 300));
                plain.1 = drawn.map(|(sid, priority)| (ServiceId::new(&sid).unwrap(), priority)).collect();
                queue.take_priorities(&configured(&plain.1));
            }
            let (one, other) = (look(&mut queue), plain.look());
            assert_eq!(one, other, "step {step}");
            for job in one.into_iter().take(draw(3) as usize) {
                plain.0.remove(&job.sid);
                let id = job.id;
                queue.started(job, Now::default());
                queue.finished(id);
            }
            if draw(10) == 0 {
                let gone = std::format!("vm:{}", 100 + draw(20));
                queue.keep_waiting(|job| job.sid != *gone.as_str());
                plain.0.retain(|sid, _| *sid != *gone.as_str());
            }
            assert_eq!(queue.order.len(), queue.waiting.len());
        }
    }

    #[test]
    fn a_start_of_higher_priority_comes_before_what_was_passed_over_and_a_stop_after_others() {
        let mut queue = JobQueue::default();
        let stop = |queue: &mut JobQueue, sid| Job { command: StateName::RequestStop, ..job(queue, sid, Some("stop")) };
        let priority = |priority: u32| BTreeMap::from([(ServiceId::new("vm:109").unwrap(), priority)]);
        queue.take_priorities(&configured(&priority(1000)));
        let first = job(&mut queue, "vm:101", Some("one"));
        queue.queue(first);
        look(&mut queue);
        let later = job(&mut queue, "vm:109", Some("two"));
        queue.queue(later.clone());
        assert_eq!(ready(&mut queue), ["vm:109 two", "vm:101 one"]);
        queue.take_priorities(&configured(&priority(0)));
        assert_eq!(ready(&mut queue), ["vm:101 one", "vm:109 two"], "also what waits goes by what is configured now");
        queue.take_priorities(&configured(&priority(1000)));
        queue.queue(Job { only_look: true, ..later });
        assert_eq!(ready(&mut queue), ["vm:101 one", "vm:109 two"], "a look has no priority");
        queue.keep_waiting(|_| false);
        for sid in ["vm:109", "vm:110"] {
            let job = stop(&mut queue, sid);
            queue.queue(job);
        }
        assert_eq!(ready(&mut queue), ["vm:110 stop", "vm:109 stop"]);
        let last = stop(&mut queue, "vm:101");
        queue.queue(last);
        assert_eq!(
            ready(&mut queue),
            ["vm:110 stop", "vm:109 stop", "vm:101 stop"],
            "it waits for none that came later"
        );
    }

    #[test]
    fn what_is_queued_during_a_look_is_not_started_in_it() {
        let mut queue = JobQueue::default();
        queue.begin_look();
        let job = job(&mut queue, "vm:101", Some("one"));
        queue.queue(job);
        assert_eq!(queue.next_after(None), None);
        assert_eq!(ready(&mut queue), ["vm:101 one"]);
    }
}
