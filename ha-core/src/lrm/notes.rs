//! What an LRM remembers of its services beyond its queue: what they wait for, and what has failed again and again.

use alloc::{collections::BTreeMap, string::String, vec::Vec};
use core::time::Duration;

use super::queue::JobQueue;
use crate::{
    id::{NodeName, ServiceId, Uid},
    status::{LrmStatus, ManagerStatus, ServiceNote, ServiceState, Timestamp},
    time::{Instant, Now},
};

/// Moves that may fail one after another before there are pauses between them.
const MOVES_WITHOUT_PAUSE: u32 = 10;
/// Moves that may fail before a node that goes down stops the service instead.
const MOVES_BEFORE_STOP: u32 = 12;
/// Rounds of a master in which it does not ask for a move before a node that goes down stops the service instead.
const ROUNDS_BEFORE_STOP: u32 = 12;
/// How often a lock is met before a node that goes down does not wait for it any more.
const LOCKS_BEFORE_STOP: u32 = 12;

/// Unplanned restarts within [`RESTART_WINDOW`] that are made at once; those after them come after pauses.
const RESTARTS_WITHOUT_PAUSE: usize = 3;
/// A service that ran on for so long is no longer one that ends again and again.
const RESTART_WINDOW: Duration = Duration::from_secs(600);
/// How many times of unplanned restarts are shown.
const RESTART_TIMES: usize = 10;

const FIRST_RESTART_PAUSE: Duration = Duration::from_secs(10);
const LONGEST_RESTART_PAUSE: Duration = Duration::from_secs(300);
const FIRST_LOCK_PAUSE: Duration = Duration::from_secs(10);
const LONGEST_LOCK_PAUSE: Duration = Duration::from_secs(60);
const FIRST_MOVE_PAUSE: Duration = Duration::from_secs(30);
const LONGEST_MOVE_PAUSE: Duration = Duration::from_secs(300);

/// What is remembered of all services of this node.
#[derive(Debug, Clone, Default)]
pub(super) struct Notes {
    services: BTreeMap<ServiceId, Note>,
    /// What is being stopped, and the requests to be answered when it is known that it does not run.
    clearing: BTreeMap<ServiceId, Option<Uid>>,
    /// The time of the manager status that was last looked at.
    seen: Option<Timestamp>,
}

#[derive(Debug, Clone, Default)]
struct Note {
    locked: Option<Locked>,
    failed_moves: u32,
    /// Rounds of the master in which it was not asked to move.
    rounds_at_rest: u32,
    /// Nothing is begun before.
    paused_until: Option<Instant>,
    restarts: Restarts,
    /// Whether this LRM has seen it running, since it was asked to run here.
    runs: bool,
    /// The request by which it is not started before the master lets it pass.
    asks: Option<Uid>,
}

/// How often a service ended by itself, and what follows from that.
#[derive(Debug, Clone, Default)]
struct Restarts {
    count: u64,
    /// When, the last ones.
    times: Vec<Timestamp>,
    /// When it was to be started again, of those within [`RESTART_WINDOW`] of the last one.
    recent: Vec<Instant>,
    /// How many pauses there were one after another.
    pauses: u32,
    /// It will be started again, not before this.
    due: Option<(Instant, Timestamp)>,
}

impl Restarts {
    /// Something else is asked of the service now: it is not started again for what was. Stopped on purpose, its count begins again.
    fn follow(&mut self, state: &ServiceState) {
        match state {
            ServiceState::Started { .. } => {}
            ServiceState::Stopped => *self = Self::default(),
            ServiceState::RequestStop { .. }
            | ServiceState::RequestStart
            | ServiceState::RequestStartBalance { .. }
            | ServiceState::Fence
            | ServiceState::Recovery
            | ServiceState::Migrate { .. }
            | ServiceState::Relocate { .. }
            | ServiceState::Freeze
            | ServiceState::Error => self.due = None,
        }
    }

    /// The service was found not running. Gives the pause before it is started again.
    fn count(&mut self, now: Now) -> Duration {
        self.count = self.count.saturating_add(1);
        if self.times.len() >= RESTART_TIMES {
            self.times.remove(0);
        }
        self.times.push(now.wall);
        let ran_for_long = self.recent.last().is_none_or(|last| now.instant.since(*last) >= RESTART_WINDOW);
        if ran_for_long {
            self.pauses = 0;
        }
        self.recent.retain(|restart| now.instant.since(*restart) < RESTART_WINDOW);
        let pause = if self.pauses > 0 || self.recent.len() >= RESTARTS_WITHOUT_PAUSE {
            let pause = growing(FIRST_RESTART_PAUSE, self.pauses, LONGEST_RESTART_PAUSE);
            self.pauses = self.pauses.saturating_add(1);
            pause
        } else {
            Duration::ZERO
        };
        let instant = now.instant.after(pause);
        self.recent.push(instant);
        self.due = Some((instant, now.wall.saturating_add_unsigned(pause.as_secs())));
        pause
    }
}

/// A lock keeps agents from a guest.
#[derive(Debug, Clone)]
struct Locked {
    lock: Option<String>,
    since: Timestamp,
    times: u32,
}

impl Notes {
    /// Forgets services that are not here any more, and counts the rounds in which those that are were not asked to move.
    pub(super) fn update(&mut self, status: &ManagerStatus, node: &NodeName, queue: &JobQueue) {
        let entry_here = |sid: &ServiceId| status.services.get(sid).filter(|entry| entry.node == *node);
        self.services.retain(|sid, note| match entry_here(sid) {
            Some(entry) => {
                note.restarts.follow(&entry.state);
                note.runs &= matches!(entry.state, ServiceState::Started { .. });
                note.asks = note.asks.take().filter(|asks| entry.uid.as_ref() == Some(asks));
                true
            }
            None => false,
        });
        self.clearing.retain(|sid, _| queue.has_job_for(sid));
        if self.seen == status.timestamp {
            return;
        }
        self.seen = status.timestamp;
        for (sid, entry) in status.services.iter().filter(|(_, entry)| entry.node == *node) {
            let note = self.services.entry(sid.clone()).or_default();
            match entry.state.target() {
                Some(_) => note.rounds_at_rest = 0,
                None => note.rounds_at_rest = note.rounds_at_rest.saturating_add(1),
            }
        }
    }

    /// The node is about to go down: rounds without a move count from now.
    pub(super) fn begin_going_down(&mut self) {
        self.services.values_mut().for_each(|note| note.rounds_at_rest = 0);
    }

    /// Whether nothing may be begun for a service now.
    pub(super) fn is_paused(&self, sid: &ServiceId, now: Instant) -> bool {
        let paused_until = self.services.get(sid).and_then(|note| note.paused_until);
        self.is_clearing(sid) || paused_until.is_some_and(|until| now < until)
    }

    /// A look found that a service does not run though its start was confirmed: it must be started again. Gives how often that was
    /// so, and the pause before.
    pub(super) fn found_not_running(&mut self, sid: &ServiceId, now: Now) -> (u64, Duration) {
        let restarts = &mut self.services.entry(sid.clone()).or_default().restarts;
        let pause = restarts.count(now);
        (restarts.count, pause)
    }

    /// Whether a service must be started again, but not yet.
    pub(super) fn restart_waits(&self, sid: &ServiceId, now: Instant) -> bool {
        let due = self.services.get(sid).and_then(|note| note.restarts.due);
        due.is_some_and(|(due, _)| now < due)
    }

    /// Whether a service was found not running and must be started again.
    pub(super) fn is_to_restart(&self, sid: &ServiceId) -> bool {
        self.services.get(sid).is_some_and(|note| note.restarts.due.is_some())
    }

    /// The start of a service has ended, or a look at it. Says whether it is known to run.
    pub(super) fn start_ended(&mut self, sid: &ServiceId, runs: bool) {
        if let Some(note) = self.services.get_mut(sid) {
            note.restarts.due = None;
            note.runs = runs;
            note.asks = None;
        }
    }

    /// Nobody looks after services for now: what was seen running need not run when somebody does again.
    pub(super) fn forget_what_runs(&mut self) {
        self.services.values_mut().for_each(|note| note.runs = false);
    }

    /// Whether a service was seen running since it was asked to run here.
    pub(super) fn has_run(&self, sid: &ServiceId) -> bool {
        self.services.get(sid).is_some_and(|note| note.runs)
    }

    /// A service does not run, and the master has to let it pass before it is started by this request.
    pub(super) fn asks(&mut self, sid: &ServiceId, uid: Uid) {
        self.services.entry(sid.clone()).or_default().asks = Some(uid);
    }

    /// A job met a lock. It is tried again after a pause.
    pub(super) fn met_lock(&mut self, sid: &ServiceId, lock: Option<String>, now: Now) {
        let note = self.services.entry(sid.clone()).or_default();
        let locked = note.locked.get_or_insert(Locked { lock: None, since: now.wall, times: 0 });
        locked.lock = lock;
        note.paused_until = Some(now.instant.after(growing(FIRST_LOCK_PAUSE, locked.times, LONGEST_LOCK_PAUSE)));
        locked.times = locked.times.saturating_add(1);
    }

    /// A job ended that met no lock.
    pub(super) fn met_no_lock(&mut self, sid: &ServiceId) {
        if let Some(note) = self.services.get_mut(sid)
            && note.locked.take().is_some()
        {
            note.paused_until = None;
        }
    }

    /// Whether a lock was met so often that a node that goes down does not wait for it any more.
    pub(super) fn is_locked_for_long(&self, sid: &ServiceId) -> bool {
        let locked = self.services.get(sid).and_then(|note| note.locked.as_ref());
        locked.is_some_and(|locked| locked.times >= LOCKS_BEFORE_STOP)
    }

    /// A move failed. The next ones come after growing pauses once many have. One that hung, and took so long as many, counts as
    /// many.
    pub(super) fn move_failed(&mut self, sid: &ServiceId, hung: bool, now: Instant) {
        let note = self.services.entry(sid.clone()).or_default();
        note.failed_moves = note.failed_moves.saturating_add(if hung { MOVES_BEFORE_STOP } else { 1 });
        if let Some(times) = note.failed_moves.checked_sub(MOVES_WITHOUT_PAUSE) {
            note.paused_until = Some(now.after(growing(FIRST_MOVE_PAUSE, times, LONGEST_MOVE_PAUSE)));
        }
    }

    /// Whether a service will not leave this node, as far as can be told: its moves fail, a lock keeps it, or the master has
    /// no other node for it.
    pub(super) fn stays_here(&self, sid: &ServiceId, state: &ServiceState) -> bool {
        let Some(note) = self.services.get(sid) else { return false };
        note.failed_moves >= MOVES_BEFORE_STOP
            || self.is_locked_for_long(sid)
            || (state.target().is_none() && note.rounds_at_rest >= ROUNDS_BEFORE_STOP)
    }

    /// What is left of a start that was ended, or is not ready, is being stopped; the request is answered after that, if one is.
    pub(super) fn begin_clearing(&mut self, sid: ServiceId, answers: Option<Uid>) {
        self.clearing.insert(sid, answers);
    }

    /// Whether what runs of a service is being stopped, or is about to be.
    pub(super) fn is_clearing(&self, sid: &ServiceId) -> bool {
        self.clearing.contains_key(sid)
    }

    /// The request that is answered now that the clearing has ended, if there was one.
    pub(super) fn end_clearing(&mut self, sid: &ServiceId) -> Option<Uid> {
        self.clearing.remove(sid).flatten()
    }

    /// Writes down what others want to know.
    pub(super) fn write_to(&self, record: &mut LrmStatus, queue: &JobQueue) {
        for (sid, note) in &self.services {
            if let Some(locked) = &note.locked {
                let written = record.services.entry(sid.clone()).or_default();
                written.lock = locked.lock.clone();
                written.locked_since = Some(locked.since);
            }
            if note.asks.is_some() {
                record.services.entry(sid.clone()).or_default().asks = note.asks.clone();
            }
            if note.restarts.count > 0 {
                let written = record.services.entry(sid.clone()).or_default();
                written.restarts = note.restarts.count;
                written.restart_times = note.restarts.times.clone();
                written.next_restart = note.restarts.due.filter(|_| note.restarts.pauses > 0).map(|(_, at)| at);
            }
        }
        for hung in queue.hung() {
            let written: &mut ServiceNote = record.services.entry(hung.job.sid.clone()).or_default();
            written.hangs = Some(hung.job.command);
            written.hangs_since = Some(hung.began_wall());
        }
    }
}

/// A pause that doubles each time, up to the longest.
fn growing(first: Duration, times: u32, longest: Duration) -> Duration {
    let factor = 2_u32.checked_pow(times).unwrap_or(u32::MAX);
    first.saturating_mul(factor).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_doubles_up_to_the_longest() {
        let pauses = [0, 1, 2, 3, 40].map(|times| growing(FIRST_LOCK_PAUSE, times, LONGEST_LOCK_PAUSE).as_secs());
        assert_eq!(pauses, [10, 20, 40, 60, 60]);
    }
}
