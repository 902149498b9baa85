//! Taking away from a history what it does not need to fail.

use std::time::Duration;

use ha_core::config::{DatacenterFile, GroupsConfig, NodesConfig, RulesConfig};

use super::{DueAction, History, run};
use crate::cluster::{Breach, Invariant, NodeSetup};

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
        match run(&shorter).breach.filter(|breach| breach.invariant == self.invariant) {
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
        let before_end = |due: &&DueAction| due.at_ms < self.best.faults_end_ms;
        if self.invariant == Invariant::Settles {
            self.best.actions.iter().filter(before_end).count()
        } else {
            self.best.actions.len()
        }
    }

    /// Leaves out guests, with their services.
    fn services(&mut self) -> bool {
        let mut shortened = false;
        let sids: Vec<_> = self.best.setup.guests.keys().cloned().collect();
        for sid in sids {
            let mut shorter = self.best.clone();
            shorter.setup.guests.remove(&sid);
            shorter.setup.remove_resource(&sid);
            shortened |= self.keeps(shorter);
        }
        shortened
    }

    fn nodes(&mut self) -> bool {
        let mut shortened = false;
        let names: Vec<_> = self.best.setup.nodes.keys().cloned().collect();
        for node in names {
            if self.best.setup.guests.values().any(|guest| guest.guest.node == node) {
                continue;
            }
            let mut shorter = self.best.clone();
            shorter.setup.nodes.remove(&node);
            shortened |= self.keeps(shorter);
        }
        shortened
    }

    /// Leaves out whole files, and what makes clocks and leases differ.
    fn texts(&mut self) -> bool {
        let changes: [fn(&mut History); 8] = [
            |history| history.setup.rules = RulesConfig::default(),
            |history| history.setup.groups = GroupsConfig::default(),
            |history| history.setup.labels = NodesConfig::default(),
            |history| history.setup.datacenter = DatacenterFile::default(),
            |history| history.setup.leases_run_long = Duration::ZERO,
            |history| history.setup.nodes.values_mut().for_each(|node| node.clock_ppm = 0),
            |history| {
                for node in history.setup.nodes.values_mut() {
                    (node.version, node.timings) = (NodeSetup::default().version, None);
                }
            },
            |history| {
                for node in history.setup.nodes.values_mut() {
                    (node.watchdog_late, node.watchdog_early) = (Duration::ZERO, Duration::ZERO);
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
