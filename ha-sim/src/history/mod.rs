//! Histories: a cluster, what is done to it, and when. A run depends on nothing else; a scenario writes it down.
//!
//! [`run`] plays one and judges it: by all invariants after each step, by what goes on while faults last, and by whether everything
//! settles once they are over.

mod on_the_way;
mod run;
mod settled;

pub use run::{Judged, prepare, run};
pub use settled::unsettled;

use std::time::Duration;

use crate::{
    cluster::{Action, PlantedBug, Setup},
    words::words,
};

/// A cluster, what is done to it, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    /// What it was made from.
    pub seed: u64,
    /// What may happen in it.
    pub profile: Profile,
    /// A bug that is planted in it.
    pub planted: Option<PlantedBug>,
    /// What it begins with.
    pub setup: Setup,
    /// What is done, by time.
    pub actions: Vec<DueAction>,
    /// When the last fault is over, in milliseconds: everything is mended then.
    pub faults_end_ms: u64,
    /// When it ends. By then everything must have settled.
    pub end_ms: u64,
}

/// Something that is done at a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct DueAction {
    /// When, in milliseconds.
    pub at_ms: u64,
    /// What.
    pub action: Action,
}

/// The former name of [`DueAction`].
#[deprecated = "it is called DueAction"]
pub type PlannedAction = DueAction;

/// What may happen in a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Profile {
    /// Everything.
    Mixed,
    /// What people do, and guests that fail; no fault that calls for a reset.
    Calm,
    /// Power and networks.
    Network,
    /// Stalls, lost answers and crashes inside of calls.
    Calls,
    /// What people do, with power and networks failing at the worst moment.
    People,
    /// Not random: each call within each window of the state machines, going wrong in each way. The seed is the number of the
    /// history.
    Matrix,
}

words! {
    Profile:
    Mixed = "mixed",
    Calm = "calm",
    Network = "network",
    Calls = "calls",
    People = "people",
    Matrix = "matrix",
}

impl Profile {
    /// Those whose histories are random.
    pub const RANDOM: &[Self] = &[Self::Mixed, Self::Calm, Self::Network, Self::Calls, Self::People];
}

impl History {
    /// When the last fault is over.
    #[must_use]
    pub fn faults_end(&self) -> Duration {
        Duration::from_millis(self.faults_end_ms)
    }

    /// When it ends.
    #[must_use]
    pub fn end(&self) -> Duration {
        Duration::from_millis(self.end_ms)
    }
}
