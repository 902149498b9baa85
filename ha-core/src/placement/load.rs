//! How loaded the online nodes are, kept up to date as services change their states.

mod basic;

pub(crate) use basic::BasicLoad;

use alloc::vec::Vec;

use super::occupancy::Occupancy;

/// The load of the online nodes, by one of the schedulers.
#[derive(Debug, Clone)]
pub(crate) enum Load {
    /// Counts services.
    Basic(BasicLoad),
}

impl Load {
    /// A service uses other nodes than before.
    pub(crate) fn replace(&mut self, old: Occupancy, new: Occupancy) {
        match self {
            Self::Basic(load) => load.replace(old, new),
        }
    }

    /// The cost of starting a service on each online node, by position; the lower, the better.
    pub(crate) fn costs(&self, costs: &mut Vec<f64>) {
        match self {
            Self::Basic(load) => load.costs(costs),
        }
    }
}
