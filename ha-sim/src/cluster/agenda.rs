//! What is due at a moment, even inside a call that takes time.

use std::{collections::BTreeMap, fmt};

use ha_core::time::Instant;

use super::Cluster;

type Act = Box<dyn FnOnce(&mut Cluster) + Send + Sync>;

/// What is due, by time and in the order in which it was entered.
#[derive(Default)]
pub(super) struct Agenda {
    acts: BTreeMap<(Instant, u64), Act>,
    entered: u64,
}

impl Agenda {
    pub(super) fn next(&self) -> Option<Instant> {
        self.acts.first_key_value().map(|((at, _), _)| *at)
    }
}

impl fmt::Debug for Agenda {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.acts.keys()).finish()
    }
}

impl Cluster {
    /// Does something at a moment, even where a daemon is then inside a call that stalls.
    pub fn do_at(&mut self, at: Instant, act: impl FnOnce(&mut Self) + Send + Sync + 'static) {
        self.agenda.entered = self.agenda.entered.wrapping_add(1);
        self.agenda.acts.insert((at, self.agenda.entered), Box::new(act));
    }

    /// The former name of [`do_at`](Self::do_at).
    #[deprecated = "it is called do_at"]
    pub fn plan(&mut self, at: Instant, act: impl FnOnce(&mut Self) + Send + Sync + 'static) {
        self.do_at(at, act);
    }

    pub(super) fn act_on_agenda(&mut self) {
        while self.agenda.next().is_some_and(|at| at <= self.world.time) {
            if let Some((_, act)) = self.agenda.acts.pop_first() {
                act(self);
            }
        }
    }
}
