//! Playing many histories, on several threads.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use super::{Coverage, History, Profile, generate, matrix, run};
use crate::cluster::{Breach, PlantedBug};

/// What a hunt plays.
#[derive(Debug, Clone, Copy)]
pub struct Hunt {
    /// The seed of the first history; each one after it has the next.
    pub seed: u64,
    /// How many.
    pub runs: u64,
    /// What may happen in them.
    pub profile: Profile,
    /// How many threads play them.
    pub threads: usize,
    /// A bug that is planted in them.
    pub planted: Option<PlantedBug>,
    /// After how many failures no more histories are begun.
    pub most_failures: usize,
}

/// What was found: a history that broke an invariant.
#[derive(Debug, Clone)]
pub struct Found {
    /// The history.
    pub history: History,
    /// What broke.
    pub breach: Breach,
}

/// What was played.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// How many histories.
    pub runs: u64,
    /// The time that passed in them.
    pub cluster_time: Duration,
    /// How often each kind of thing happened.
    pub faults: BTreeMap<&'static str, u64>,
    /// Which changes of state were taken.
    pub coverage: Coverage,
    /// The longest time from the end of the faults until all had settled, as a share of what it may take.
    pub slowest: f64,
    /// For each window of the matrix how many of its cells were visited, and how many there were to visit.
    pub windows: BTreeMap<String, (u64, u64)>,
    /// Those that failed, by seed.
    pub failures: Vec<Found>,
}

/// How far a hunt has come.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// How many histories were played.
    pub runs: u64,
    /// How many of them failed.
    pub failures: usize,
    /// How long it has taken.
    pub elapsed: Duration,
}

/// Plays histories until all are played or enough have failed. Reports about once a second.
pub fn hunt(hunt: &Hunt, report: &(dyn Fn(Progress) + Sync)) -> Tally {
    let (next, done) = (AtomicU64::new(0), AtomicU64::new(0));
    let stop = AtomicBool::new(false);
    let tally = Mutex::new(Tally::default());
    let began = Instant::now();
    thread::scope(|scope| {
        for _ in 0..hunt.threads.max(1) {
            // Calls are nested in one another's stalls, each with a round of a manager on the stack.
            let builder = thread::Builder::new().stack_size(32 << 20);
            let worker = || work(hunt, &next, &done, &stop, &tally);
            if builder.spawn_scoped(scope, worker).is_err() {
                work(hunt, &next, &done, &stop, &tally);
            }
        }
        scope.spawn(|| {
            let mut reported = 0;
            loop {
                thread::sleep(Duration::from_millis(50));
                let runs = done.load(Ordering::Relaxed);
                let over = runs >= hunt.runs || stop.load(Ordering::Relaxed);
                let elapsed = began.elapsed();
                if over || elapsed.as_secs() > reported {
                    reported = elapsed.as_secs();
                    let failures = tally.lock().map_or(0, |tally| tally.failures.len());
                    report(Progress { runs, failures, elapsed });
                }
                if over {
                    return;
                }
            }
        });
    });
    let mut tally = tally.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    tally.failures.sort_by_key(|failure| failure.history.seed);
    tally
}

fn work(hunt: &Hunt, next: &AtomicU64, done: &AtomicU64, stop: &AtomicBool, tally: &Mutex<Tally>) {
    let mut own = Tally::default();
    while !stop.load(Ordering::Relaxed) {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= hunt.runs {
            break;
        }
        let mut history = generate(hunt.seed.wrapping_add(number), hunt.profile);
        history.planted = hunt.planted;
        let failure = own.play(history);
        done.fetch_add(1, Ordering::Relaxed);
        if let (Some(failure), Ok(mut tally)) = (failure, tally.lock()) {
            tally.failures.push(failure);
            if tally.failures.len() >= hunt.most_failures {
                stop.store(true, Ordering::Relaxed);
            }
        }
    }
    if let Ok(mut tally) = tally.lock() {
        tally.add(own);
    }
}

impl Tally {
    fn play(&mut self, history: History) -> Option<Found> {
        self.runs = self.runs.saturating_add(1);
        let outcome = run(&history);
        self.cluster_time = self.cluster_time.saturating_add(outcome.cluster_time);
        if let Some(invariants) = outcome.cluster.invariants() {
            if let Some(cell) = matrix::cell(&history) {
                let (visited, all) = self.windows.entry(cell.window()).or_default();
                *all = all.saturating_add(1);
                *visited = visited.saturating_add(u64::from(invariants.disturbed_calls() > 0));
            }
            self.coverage.add(invariants.transitions());
            for (kind, times) in invariants.faults() {
                let count = self.faults.entry(kind).or_default();
                *count = count.saturating_add(*times);
            }
        }
        if let Some(settled) = outcome.settled_after {
            let allowed = history.end().saturating_sub(history.faults_end());
            self.slowest = self.slowest.max(settled.as_secs_f64() / allowed.as_secs_f64());
        }
        outcome.breach.map(|breach| Found { history, breach })
    }

    /// Whether a cell of the matrix was not visited that should have been.
    #[must_use]
    pub fn missed_cells(&self) -> bool {
        self.windows.values().any(|(visited, all)| visited < all)
    }

    fn add(&mut self, other: Self) {
        self.runs = self.runs.saturating_add(other.runs);
        self.cluster_time = self.cluster_time.saturating_add(other.cluster_time);
        self.slowest = self.slowest.max(other.slowest);
        for (kind, times) in other.faults {
            let count = self.faults.entry(kind).or_default();
            *count = count.saturating_add(times);
        }
        for (window, (visited, all)) in other.windows {
            let sum = self.windows.entry(window).or_default();
            *sum = (sum.0.saturating_add(visited), sum.1.saturating_add(all));
        }
        let taken = other.coverage.taken().collect();
        self.coverage.add(&taken);
        self.failures.extend(other.failures);
    }
}
