//! The services of the manager status.

use super::ServiceEntry;
use crate::{config::OrderedMap, id::ServiceId};

/// Service entries, always in the order of their SIDs, found by SID or by position.
///
/// Positions are stable as long as no service is added or removed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ServiceTable {
    entries: OrderedMap<ServiceId, ServiceEntry>,
}

impl ServiceTable {
    /// How many services there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entry of a service.
    #[must_use]
    pub fn get(&self, sid: &ServiceId) -> Option<&ServiceEntry> {
        self.entries.get(sid)
    }

    /// The entry of a service, to be changed.
    pub fn get_mut(&mut self, sid: &ServiceId) -> Option<&mut ServiceEntry> {
        self.entries.get_mut(sid)
    }

    /// Whether the service has an entry.
    #[must_use]
    pub fn contains(&self, sid: &ServiceId) -> bool {
        self.entries.contains_key(sid)
    }

    /// The position of a service.
    #[must_use]
    pub fn position(&self, sid: &ServiceId) -> Option<usize> {
        self.entries.get_index_of(sid)
    }

    /// The service at a position.
    #[must_use]
    pub fn at(&self, position: usize) -> Option<(&ServiceId, &ServiceEntry)> {
        self.entries.get_index(position)
    }

    /// The service at a position, to be changed.
    pub fn at_mut(&mut self, position: usize) -> Option<(&ServiceId, &mut ServiceEntry)> {
        self.entries.get_index_mut(position)
    }

    /// All services, by SID.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&ServiceId, &ServiceEntry)> {
        self.entries.iter()
    }

    /// All services, by SID, to be changed.
    pub fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = (&ServiceId, &mut ServiceEntry)> {
        self.entries.iter_mut()
    }

    /// Adds an entry, or replaces the one that the service has. To add many, [`Extend`] is faster.
    pub fn insert(&mut self, sid: ServiceId, entry: ServiceEntry) {
        self.entries.insert_sorted(sid, entry);
    }

    /// Takes services out.
    pub fn remove_all(&mut self, sids: &[ServiceId]) {
        match sids {
            [] => {}
            [sid] => {
                self.entries.shift_remove(sid);
            }
            [..] => {
                let gone: alloc::collections::BTreeSet<&ServiceId> = sids.iter().collect();
                self.entries.retain(|sid, _| !gone.contains(sid));
            }
        }
    }
}

impl From<OrderedMap<ServiceId, ServiceEntry>> for ServiceTable {
    fn from(mut entries: OrderedMap<ServiceId, ServiceEntry>) -> Self {
        if !entries.keys().is_sorted() {
            entries.sort_unstable_keys();
        }
        Self { entries }
    }
}

/// Adds entries; one whose service has an entry already replaces it, and the last one of a service wins.
impl Extend<(ServiceId, ServiceEntry)> for ServiceTable {
    fn extend<I: IntoIterator<Item = (ServiceId, ServiceEntry)>>(&mut self, new: I) {
        let mut entries = core::mem::take(&mut self.entries);
        entries.extend(new);
        *self = Self::from(entries);
    }
}

impl FromIterator<(ServiceId, ServiceEntry)> for ServiceTable {
    fn from_iter<I: IntoIterator<Item = (ServiceId, ServiceEntry)>>(entries: I) -> Self {
        Self::from(entries.into_iter().collect::<OrderedMap<_, _>>())
    }
}
