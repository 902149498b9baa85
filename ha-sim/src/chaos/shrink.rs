//! Taking away from a history what it does not need to fail.

use super::{History, PlannedAction, run};
use crate::cluster::{Breach, Invariant};

/// The most runs that shortening one history takes.
const MOST_RUNS: usize = 600;

/// The shortest history that was found to break the same invariant, with how it breaks it.
#[must_use]
pub fn shrink(history: &History, breach: &Breach) -> (History, Breach) {
    let mut shrinker =
        Shrinker { best: history.clone(), breach: breach.clone(), invariant: breach.invariant, runs_left: MOST_RUNS };
    while shrinker.actions() | shrinker.services() | shrinker.nodes() | shrinker.texts() {}
    (shrinker.best, shrinker.breach)
}

struct Shrinker {
    best: History,
    breach: Breach,
    invariant: Invariant,
    runs_left: usize,
}

impl Shrinker {
    /// Keeps a shorter history if it still fails in the same way.
    fn keeps(&mut self, shorter: History) -> bool {
        if self.runs_left == 0 {
            return false;
        }
        self.runs_left = self.runs_left.saturating_sub(1);
        let Ok(outcome) = run(&shorter) else { return false };
        match outcome.breach.filter(|breach| breach.invariant == self.invariant) {
            Some(breach) => {
                self.best = shorter;
                self.breach = breach;
                true
            }
            None => false,
        }
    }

    /// Leaves out runs of actions, long ones first.
    fn actions(&mut self) -> bool {
        let mut shortened = false;
        let mut length = self.removable().div_ceil(2);
        while length > 0 {
            let mut at = 0;
            while at < self.removable() {
                let end = at.saturating_add(length).min(self.removable());
                let mut shorter = self.best.clone();
                shorter.actions.drain(at..end);
                if self.keeps(shorter) {
                    shortened = true;
                } else {
                    at = end;
                }
            }
            length /= 2;
        }
        shortened
    }

    /// How many actions may be left out. What mends all at the end is needed: without it nothing has to settle.
    fn removable(&self) -> usize {
        let before_end = |planned: &&PlannedAction| planned.at_ms < self.best.faults_end_ms;
        if self.invariant == Invariant::Settles {
            self.best.actions.iter().filter(before_end).count()
        } else {
            self.best.actions.len()
        }
    }

    /// Leaves out guests, with their services.
    fn services(&mut self) -> bool {
        let mut shortened = false;
        let sids: Vec<_> = self.best.cluster.guests.keys().cloned().collect();
        for sid in sids {
            let mut shorter = self.best.clone();
            shorter.cluster.guests.remove(&sid);
            let header = format!("{}: {}\n", sid.service_type(), sid.name());
            let sections = shorter.cluster.resources.split_inclusive("\n\n");
            shorter.cluster.resources = sections.filter(|section| !section.starts_with(&header)).collect();
            shortened |= self.keeps(shorter);
        }
        shortened
    }

    fn nodes(&mut self) -> bool {
        let mut shortened = false;
        let names: Vec<_> = self.best.cluster.nodes.keys().cloned().collect();
        for node in names {
            if self.best.cluster.guests.values().any(|guest| guest.node == node) {
                continue;
            }
            let mut shorter = self.best.clone();
            shorter.cluster.nodes.remove(&node);
            shortened |= self.keeps(shorter);
        }
        shortened
    }

    /// Leaves out whole files, and what makes clocks and leases differ.
    fn texts(&mut self) -> bool {
        let changes: [fn(&mut History); 7] = [
            |history| history.cluster.rules.clear(),
            |history| history.cluster.groups.clear(),
            |history| history.cluster.datacenter.clear(),
            |history| history.cluster.lease_runs_long_ms = 0,
            |history| history.cluster.nodes.values_mut().for_each(|node| node.clock_ppm = 0),
            |history| {
                for node in history.cluster.nodes.values_mut() {
                    (node.version, node.timings) = (None, None);
                }
            },
            |history| {
                for node in history.cluster.nodes.values_mut() {
                    (node.watchdog_late_ms, node.watchdog_early_ms) = (0, 0);
                }
            },
        ];
        let mut shortened = false;
        for change in changes {
            let mut shorter = self.best.clone();
            change(&mut shorter);
            if shorter != self.best {
                shortened |= self.keeps(shorter);
            }
        }
        shortened
    }
}
