//! That work on node after node is carried out by one at a time.
//!
//! The lease is a part of the record of the work, so that no step is written but by who has it. As with the locks of nodes
//! nobody writes a time: it is over when who wants it has seen the very same record for longer than a lifetime, by his own clock.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use ha_core::time::Instant;
use serde_json::Map;

use super::work::{RollingError, RollingRunner, RollingWork};
use crate::{
    os::clock,
    store::{SharedStore, SideFile, mark},
};

/// The right to carry out the work that the store has. A thread renews it until it is dropped or [released](Self::release).
#[derive(Debug)]
pub struct RollingLease {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    store: Arc<dyn SharedStore>,
    id: String,
    by: String,
    state: Mutex<State>,
    stopping: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// A moment before the last write was asked for.
    renewed: Option<Instant>,
    /// Who has taken over.
    lost_to: Option<String>,
    stop: bool,
}

impl RollingLease {
    /// For how long after its last write a runner is not taken for dead.
    pub const LIFETIME: Duration = Duration::from_secs(6);

    /// For how long a record must have stayed the same before another runner takes over: more than a lifetime, for the drift of
    /// one clock against the other.
    #[must_use]
    pub fn patience(runner: &RollingRunner) -> Duration {
        Duration::from_millis(runner.lifetime_ms).saturating_mul(5) / 4
    }

    /// Begins work, as `by` (`USER@HOST`). Nobody may be the runner in `work`.
    ///
    /// # Errors
    ///
    /// If there is work that is not over, the store fails, or what it has can't be understood.
    pub fn begin(store: &Arc<dyn SharedStore>, by: &str, work: &RollingWork) -> Result<Self, RollingError> {
        let shared = Shared::new(store, by);
        shared.change(|present| match present {
            Some(present) if !present.step.is_over() => Err(RollingError::Unfinished(Box::new(present))),
            Some(_) | None => Ok(work.clone()),
        })?;
        Self::renewed_by_a_thread(shared)
    }

    /// Takes up the work that is not over, as `by`. Where somebody carries it out, or has died doing so, that is watched first:
    /// `watching` is told for how long at most, and is asked again and again whether to go on with that.
    ///
    /// # Errors
    ///
    /// If there is none, somebody carries it out, `watching` says no, the store fails, or what it has can't be understood.
    pub fn take_up(
        store: &Arc<dyn SharedStore>,
        by: &str,
        watching: &mut dyn FnMut(&RollingRunner, Duration) -> bool,
    ) -> Result<(Self, RollingWork), RollingError> {
        let seen = Self::watch(store, watching)?;
        let shared = Shared::new(store, by);
        let work = shared.change(|present| match present {
            Some(present) if present.step.is_over() => Err(RollingError::Nothing),
            Some(present) if present.runner == seen => Ok(RollingWork { stopped: None, ..present }),
            Some(present) => Err(held(present.runner.as_ref())),
            None => Err(RollingError::Nothing),
        })?;
        Ok((Self::renewed_by_a_thread(shared)?, work))
    }

    /// Waits until the runner that there is has done nothing for longer than it may. Gives what there is of it.
    fn watch(
        store: &Arc<dyn SharedStore>,
        watching: &mut dyn FnMut(&RollingRunner, Duration) -> bool,
    ) -> Result<Option<RollingRunner>, RollingError> {
        const INTERVAL: Duration = Duration::from_millis(100);
        let read = || RollingWork::read(&**store)?.filter(|work| !work.step.is_over()).ok_or(RollingError::Nothing);
        let Some(runner) = read()?.runner else { return Ok(None) };
        let (began, patience) = (clock::instant(), Self::patience(&runner));
        loop {
            let waited = clock::instant().since(began);
            // It is looked at once more when the time is over.
            let now = read()?.runner;
            match now {
                None => return Ok(None),
                Some(now) if now != runner => return Err(held(Some(&now))),
                Some(now) if waited > patience => return Ok(Some(now)),
                Some(_) => {}
            }
            if !watching(&runner, patience) {
                return Err(held(Some(&runner)));
            }
            thread::sleep(INTERVAL);
        }
    }

    fn renewed_by_a_thread(shared: Shared) -> Result<Self, RollingError> {
        let shared = Arc::new(shared);
        let thread = thread::Builder::new().name("rolling".into()).spawn({
            let shared = shared.clone();
            move || shared.keep()
        });
        let thread =
            thread.map_err(|error| RollingError::NotUnderstood(format!("no thread can be started: {error}")))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Sees that nobody can have taken over by now, before something is done that only one may do.
    ///
    /// # Errors
    ///
    /// If somebody has, or may have since the store does not answer.
    pub fn check(&self) -> Result<(), RollingError> {
        let state = self.shared.state();
        if let Some(by) = &state.lost_to {
            return Err(RollingError::Held { by: by.clone() });
        }
        let is_young = state.renewed.is_some_and(|renewed| clock::instant().since(renewed) < Self::LIFETIME / 2);
        drop(state);
        if is_young { Ok(()) } else { self.shared.edit(|_| {}).map(drop) }
    }

    /// Changes the record of the work. Gives it as it is then.
    ///
    /// # Errors
    ///
    /// If somebody has taken over, the store fails, or what it has can't be understood.
    pub fn edit(&self, change: impl FnMut(&mut RollingWork)) -> Result<RollingWork, RollingError> {
        self.shared.edit(change)
    }

    /// Changes the record of the work, and gives the lease back.
    ///
    /// # Errors
    ///
    /// As [`edit`](Self::edit). Then others have to wait for its end.
    pub fn release(mut self, mut change: impl FnMut(&mut RollingWork)) -> Result<RollingWork, RollingError> {
        self.end();
        self.shared.edit(|work| {
            change(work);
            work.runner = None;
        })
    }

    fn end(&mut self) {
        self.shared.state().stop = true;
        self.shared.stopping.notify_all();
        if let Some(thread) = self.thread.take() {
            // It panics nowhere.
            let _ = thread.join();
        }
    }
}

impl Drop for RollingLease {
    fn drop(&mut self) {
        self.end();
    }
}

fn held(runner: Option<&RollingRunner>) -> RollingError {
    RollingError::Held { by: runner.map_or_else(|| "somebody".to_owned(), |runner| runner.by.clone()) }
}

impl Shared {
    fn new(store: &Arc<dyn SharedStore>, by: &str) -> Self {
        Self { store: store.clone(), id: mark(), by: by.to_owned(), state: Mutex::default(), stopping: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Renews the lease until it is to stop or is lost. A store that fails is asked again.
    fn keep(&self) {
        let mut state = self.state();
        while !state.stop && state.lost_to.is_none() {
            state =
                self.stopping.wait_timeout(state, RollingLease::LIFETIME / 4).unwrap_or_else(PoisonError::into_inner).0;
            if !state.stop {
                drop(state);
                let _ = self.edit(|_| {});
                state = self.state();
            }
        }
    }

    /// Changes the record as the one who has the lease.
    fn edit(&self, mut change: impl FnMut(&mut RollingWork)) -> Result<RollingWork, RollingError> {
        let edited = self.change(|present| {
            let Some(mut work) = present else { return Err(RollingError::Nothing) };
            if work.runner.as_ref().is_none_or(|runner| runner.id != self.id) {
                return Err(held(work.runner.as_ref()));
            }
            change(&mut work);
            Ok(work)
        });
        if let Err(RollingError::Held { by }) = &edited {
            self.state().lost_to = Some(by.clone());
        }
        edited
    }

    /// Writes what `next` makes of the record that there is. The runner of that is this one, unless there is none in it.
    fn change(
        &self,
        mut next: impl FnMut(Option<RollingWork>) -> Result<RollingWork, RollingError>,
    ) -> Result<RollingWork, RollingError> {
        let asked = clock::instant();
        let mut outcome = Err(RollingError::Nothing);
        self.store.edit_side_file(SideFile::Rolling, &mut |content| {
            let before = RollingWork::parse(content);
            let was_own = matches!(&before, Ok(Some(work)) if self.is_own(work));
            outcome = before.and_then(&mut next).map(|work| self.as_runner(work, was_own));
            let written = outcome.as_ref().ok().map(RollingWork::to_bytes)?;
            written.map_err(|error| outcome = Err(error)).ok()
        })?;
        if outcome.is_ok() {
            self.state().renewed = Some(asked);
        }
        outcome
    }

    fn is_own(&self, work: &RollingWork) -> bool {
        work.runner.as_ref().is_some_and(|runner| runner.id == self.id)
    }

    /// The record with this runner, and a count that it did not have before. Who had the lease and names no runner gives it back.
    fn as_runner(&self, work: RollingWork, was_own: bool) -> RollingWork {
        if was_own && work.runner.is_none() {
            return work;
        }
        let runner = match work.runner {
            Some(runner) if runner.id == self.id => RollingRunner { count: runner.count.wrapping_add(1), ..runner },
            Some(_) | None => RollingRunner {
                id: self.id.clone(),
                by: self.by.clone(),
                count: 0,
                lifetime_ms: u64::try_from(RollingLease::LIFETIME.as_millis()).unwrap_or(u64::MAX),
                unknown: Map::new(),
            },
        };
        RollingWork { runner: Some(runner), ..work }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desk::RollingStep,
        store::{ClusterSettings, FileStore},
    };
    use ha_core::{id::NodeName, timing::Timings};

    const RECORD: &str = r#"{"version": 1, "id": "w", "by": "a@b", "begun": 1, "nodes": ["node1", "node2"], "run": "true",
        "timeout_s": 9, "done": [], "step": "check", "since": 1, "added later": {"x": 1}}"#;

    fn store(name: &str) -> (std::path::PathBuf, Arc<dyn SharedStore>) {
        let directory = std::env::temp_dir().join(format!("ha-rolling-{name}-{}", std::process::id()));
        let settings = ClusterSettings { nodes: vec![NodeName::new("node1").unwrap()], timings: Timings::default() };
        let store = FileStore::create(&directory, &settings).unwrap();
        (directory, Arc::new(store))
    }

    fn work() -> RollingWork {
        RollingWork::parse(Some(RECORD.as_bytes())).unwrap().unwrap()
    }

    fn written(store: &Arc<dyn SharedStore>) -> RollingWork {
        RollingWork::read(&**store).unwrap().unwrap()
    }

    #[test]
    fn who_has_lost_the_lease_writes_nothing_any_more() {
        let (directory, store) = store("lost");
        let former = RollingLease::begin(&store, "one@a", &work()).unwrap();
        assert!(matches!(RollingLease::begin(&store, "two@b", &work()), Err(RollingError::Unfinished(_))));
        former.edit(|work| work.goes_to(RollingStep::Evacuate, 2)).unwrap();
        // It has died as far as anybody can see, and another one has taken over.
        let mut work = written(&store);
        let runner = work.runner.as_mut().unwrap();
        (runner.id, runner.by) = ("another".into(), "two@b".into());
        store.edit_side_file(SideFile::Rolling, &mut |_| Some(work.to_bytes().unwrap())).unwrap();
        let refused = former.edit(|work| work.goes_to(RollingStep::Run, 3));
        assert!(matches!(refused, Err(RollingError::Held { by }) if by == "two@b"));
        assert!(matches!(former.check(), Err(RollingError::Held { .. })));
        assert!(former.release(|work| work.goes_to(RollingStep::Aborted, 4)).is_err());
        assert_eq!(written(&store), work);
        std::fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn one_that_is_given_back_is_taken_up_at_once_and_fields_of_later_versions_survive() {
        let (directory, store) = store("back");
        let lease = RollingLease::begin(&store, "one@a", &work()).unwrap();
        lease.release(|work| work.stopped = Some("why".into())).unwrap();
        let mut asked = false;
        let (lease, taken) = RollingLease::take_up(&store, "two@b", &mut |_, _| {
            asked = true;
            true
        })
        .unwrap();
        assert!(!asked && taken.stopped.is_none());
        let after = lease.edit(|work| work.node_is_done(5)).unwrap();
        assert_eq!((after.step, after.current().map(NodeName::as_str)), (RollingStep::Check, Some("node2")));
        let over = lease.release(|work| work.node_is_done(6)).unwrap();
        assert_eq!((over.step, &over.runner, over.current()), (RollingStep::Finished, &None, None));
        assert_eq!(written(&store).unknown["added later"]["x"], 1);
        assert!(matches!(RollingLease::take_up(&store, "a", &mut |_, _| true), Err(RollingError::Nothing)));
        std::fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn a_runner_that_writes_while_it_is_watched_is_not_taken_over_from() {
        let (directory, store) = store("lives");
        let former = RollingLease::begin(&store, "one@a", &work()).unwrap();
        let refused = RollingLease::take_up(&store, "two@b", &mut |_, _| former.edit(|_| {}).is_ok());
        assert!(matches!(refused, Err(RollingError::Held { by }) if by == "one@a"));
        assert!(former.edit(|_| {}).is_ok());
        drop(former);
        std::fs::remove_dir_all(directory).unwrap();
    }
}
