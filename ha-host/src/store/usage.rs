//! Sizes and loads, for the schedulers that look at them.

use ha_core::host::{ServiceStatistics, UsageStatistics};

use super::{Store, StoreError};

/// The sizes and loads of all nodes, by their last signs of life, and of all guests.
///
/// Only nodes are measured; a guest is taken to use what it may use.
///
/// # Errors
///
/// If the store fails.
pub fn usage(store: &dyn Store) -> Result<UsageStatistics, StoreError> {
    let nodes = store.beats()?.into_iter().map(|(node, beat)| (node, beat.statistics())).collect();
    let (guests, _) = store.guests()?;
    let services = guests.iter().map(|(sid, guest)| {
        let (max_cpu, max_memory) = (guest.max_cpu, guest.max_memory);
        (sid.clone(), ServiceStatistics { max_cpu, max_memory, cpu: max_cpu, memory: max_memory })
    });
    Ok(UsageStatistics { nodes, services: services.collect() })
}
