//! What is planned to happen at a moment, even inside a call that takes time.

use std::{collections::BTreeMap, fmt};

use ha_core::time::Instant;

use super::Cluster;

type Act = Box<dyn FnOnce(&mut Cluster) + Send + Sync>;

/// What is planned, by time and order of planning.
#[derive(Default)]
pub(super) struct Plans {
    plans: BTreeMap<(Instant, u64), Act>,
    planned: u64,
}

impl Plans {
    pub(super) fn next(&self) -> Option<Instant> {
        self.plans.first_key_value().map(|((at, _), _)| *at)
    }
}

impl fmt::Debug for Plans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.plans.keys()).finish()
    }
}

impl Cluster {
    /// Plans something: it happens at that moment, even where a daemon is then inside a call that stalls.
    pub fn plan(&mut self, at: Instant, act: impl FnOnce(&mut Self) + Send + Sync + 'static) {
        self.plans.planned = self.plans.planned.wrapping_add(1);
        self.plans.plans.insert((at, self.plans.planned), Box::new(act));
    }

    pub(super) fn act_on_plans(&mut self) {
        while self.plans.next().is_some_and(|at| at <= self.world.time) {
            if let Some((_, act)) = self.plans.plans.pop_first() {
                act(self);
            }
        }
    }
}
