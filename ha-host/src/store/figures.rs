//! Figures, for the schedulers that look at them.

use ha_core::host::{HostFigures, ServiceFigures};

use super::{Store, StoreError};

/// The figures of all nodes, by their last signs of life, and of all guests.
///
/// Only nodes are measured; a guest is taken to use what it may use.
///
/// # Errors
///
/// If the store fails.
pub fn figures(store: &dyn Store) -> Result<HostFigures, StoreError> {
    let nodes = store.beats()?.into_iter().map(|(node, beat)| (node, beat.figures())).collect();
    let (guests, _) = store.guests()?;
    let services = guests.iter().map(|(sid, guest)| {
        let (max_cpu, max_memory) = (guest.max_cpu, guest.max_memory);
        (sid.clone(), ServiceFigures { max_cpu, max_memory, cpu: max_cpu, memory: max_memory })
    });
    Ok(HostFigures { nodes, services: services.collect() })
}

/// The former name of [`figures`].
///
/// # Errors
///
/// If the store fails.
#[deprecated = "it is called figures"]
pub fn usage(store: &dyn Store) -> Result<HostFigures, StoreError> {
    figures(store)
}
