//! The basic scheduler: a node's load is the number of services that use it.

use alloc::{vec, vec::Vec};

use super::Occupancy;

/// Counts of services, by node.
#[derive(Debug, Clone)]
pub(crate) struct BasicLoad {
    services: Vec<u32>,
}

impl BasicLoad {
    pub(crate) fn new(online: usize) -> Self {
        Self { services: vec![0; online] }
    }

    pub(crate) fn replace(&mut self, old: Occupancy, new: Occupancy) {
        for node in old.used() {
            if let Some(count) = self.services.get_mut(node as usize) {
                *count = count.saturating_sub(1);
            }
        }
        self.add(new);
    }

    /// One more service.
    pub(crate) fn add(&mut self, new: Occupancy) {
        for node in new.used() {
            if let Some(count) = self.services.get_mut(node as usize) {
                *count = count.saturating_add(1);
            }
        }
    }

    pub(crate) fn costs(&self, costs: &mut Vec<f64>) {
        costs.clear();
        costs.extend(self.services.iter().map(|count| f64::from(*count)));
    }
}
