//! What is counted of a history that is kept for a while only.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use serde::{Deserialize, Serialize};

use super::{Entry, EntryId, Failover, FailoverOutcome, Failovers, Figures};
use crate::text_enum::text_enum;

/// A part of a failover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailoverPhase {
    /// From the last sign of life of the node until the master noticed.
    Noticed,
    /// From there until the node was known to be down.
    Locked,
    /// From there until the last service had a place.
    Placed,
    /// From there until the last service was started.
    Started,
}

text_enum! {
    FailoverPhase: "a part of a failover",
    Noticed = "noticed",
    Locked = "locked",
    Placed = "placed",
    Started = "started",
}

/// How many, and their sum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Sum {
    /// How many.
    pub count: u64,
    /// All of them together, in seconds.
    pub seconds: f64,
}

impl Sum {
    fn add(&mut self, seconds: f64) {
        self.count = self.count.saturating_add(1);
        self.seconds += seconds;
    }
}

/// Counters of a history that is kept for a while only. A host keeps this as well, and has it take what is kept again and again: each
/// entry and each failover counts once.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Counted {
    /// What was counted of entries.
    pub figures: Figures,
    /// The position of the last entry that was counted.
    pub end: u64,
    /// From the last sign of life of a node to the start of each of its services elsewhere.
    pub starts: Sum,
    /// How many of these took no longer than each of [`BOUNDS_S`](Self::BOUNDS_S).
    pub within: Vec<u64>,
    /// The parts of failovers.
    pub phases: BTreeMap<FailoverPhase, Sum>,
    /// Failovers that were counted, as long as they are kept.
    seen: BTreeSet<EntryId>,
}

impl Counted {
    /// The bounds by which starts are counted, in seconds.
    pub const BOUNDS_S: [f64; 12] = [5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0];

    /// Takes all that is kept, in the order in which it was kept. Gives whether there was anything new.
    pub fn take(&mut self, kept: &[Entry]) -> bool {
        let mut failovers = Failovers::default();
        let mut is_new = false;
        for entry in kept {
            failovers.take(entry);
            let Some(position) = entry.position.filter(|position| *position > self.end) else { continue };
            self.figures.take(entry);
            self.end = position;
            is_new = true;
        }
        if !is_new {
            return false;
        }
        self.seen.retain(|id| failovers.all().iter().any(|failover| failover.id == *id));
        for failover in failovers.all() {
            let is_over = matches!(failover.outcome, FailoverOutcome::Done | FailoverOutcome::Failed);
            if is_over && self.seen.insert(failover.id.clone()) {
                self.observe(failover);
            }
        }
        true
    }

    fn observe(&mut self, failover: &Failover) {
        self.within.resize(Self::BOUNDS_S.len(), 0);
        for started in failover.services.iter().filter_map(|service| failover.seconds(service.started_ms)) {
            self.starts.add(started);
            for (count, _) in self.within.iter_mut().zip(Self::BOUNDS_S).filter(|(_, bound)| started <= *bound) {
                *count = count.saturating_add(1);
            }
        }
        let placed = failover.services.iter().filter_map(|service| service.placed_ms).max();
        let moments = [Some(failover.noticed_ms), failover.locked_ms, placed, failover.all_started_ms()];
        let mut before = 0.0;
        for (phase, moment) in FailoverPhase::ALL.iter().zip(moments) {
            // Where one was not reached those after it were not either.
            let Some(seconds) = failover.seconds(moment) else { break };
            self.phases.entry(*phase).or_default().add((seconds - before).max(0.0));
            before = seconds;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::story::recovery;

    #[test]
    fn each_counts_once_however_often_it_is_taken() {
        let entries = recovery();
        let mut counted = Counted::default();
        assert!(counted.take(&entries[..4]), "it is under way");
        assert_eq!((counted.figures.fencings.len(), counted.starts.count), (1, 0));
        assert!(counted.take(&entries));
        assert!(!counted.take(&entries), "there is nothing new");
        assert_eq!((counted.starts.count, counted.starts.seconds), (1, 17.0));
        assert_eq!(counted.within, [0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
        let phases: Vec<f64> = counted.phases.values().map(|sum| sum.seconds).collect();
        assert_eq!(phases, [1.0, 8.0, 4.0, 4.0]);
        let again: Counted = serde_json::from_str(&serde_json::to_string(&counted).unwrap()).unwrap();
        assert_eq!(again, counted);
    }
}
