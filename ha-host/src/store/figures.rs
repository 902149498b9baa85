//! Figures, for the schedulers that look at them.

use std::collections::BTreeMap;

use ha_core::{
    host::{HostFigures, ServiceFigures},
    id::NodeName,
};

use super::{Beat, GuestTable, Store, StoreError};

/// The figures of all nodes, by their last signs of life, and of all guests.
///
/// Only nodes are measured; a guest is taken to use what it may use.
///
/// # Errors
///
/// If the store fails.
pub fn figures(store: &dyn Store) -> Result<HostFigures, StoreError> {
    let beats = store.beats()?;
    let (guests, _) = store.guests()?;
    Ok(figures_of(&beats, &guests))
}

/// The same of what was read already.
#[must_use]
pub fn figures_of(beats: &BTreeMap<NodeName, Beat>, guests: &GuestTable) -> HostFigures {
    let nodes = beats.iter().map(|(node, beat)| (node.clone(), beat.figures())).collect();
    let services = guests.iter().map(|(sid, guest)| {
        let (max_cpu, max_memory) = (guest.max_cpu, guest.max_memory);
        (sid.clone(), ServiceFigures { max_cpu, max_memory, cpu: max_cpu, memory: max_memory })
    });
    HostFigures { nodes, services: services.collect() }
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
