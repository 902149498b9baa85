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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{id::NodeName, status::ServiceState};
    use std::vec::Vec;

    fn sid(text: &str) -> ServiceId {
        text.parse().unwrap()
    }

    fn on(node: &str) -> ServiceEntry {
        ServiceEntry::new(ServiceState::Stopped, NodeName::new(node).unwrap())
    }

    fn table(entries: &[(&str, &str)]) -> ServiceTable {
        entries.iter().map(|(name, node)| (sid(name), on(node))).collect()
    }

    /// The content in order, after a check that look-ups by SID and by position agree with it.
    fn content(table: &ServiceTable) -> Vec<(&str, &str)> {
        for (position, (sid, entry)) in table.iter().enumerate() {
            assert_eq!(table.position(sid), Some(position), "{sid}");
            assert_eq!(table.at(position), Some((sid, entry)));
            assert_eq!(table.get(sid), Some(entry));
        }
        assert_eq!(table.at(table.len()), None);
        table.iter().map(|(sid, entry)| (sid.as_str(), entry.node.as_str())).collect()
    }

    #[test]
    fn collected_entries_are_in_the_order_of_their_sids_as_strings() {
        let table = table(&[("vm:20", "a"), ("vm:100", "b"), ("ct:9", "c"), ("vm:3", "d")]);
        assert_eq!(content(&table), [("ct:9", "c"), ("vm:100", "b"), ("vm:20", "a"), ("vm:3", "d")]);
    }

    #[test]
    fn of_entries_of_one_service_the_last_is_collected() {
        let table = table(&[("vm:2", "a"), ("vm:1", "b"), ("vm:2", "c")]);
        assert_eq!(content(&table), [("vm:1", "b"), ("vm:2", "c")]);
    }

    #[test]
    fn insert_puts_a_new_service_at_its_place() {
        let mut table = table(&[("vm:1", "a"), ("vm:5", "a")]);
        for name in ["vm:3", "ct:1", "vm:9"] {
            table.insert(sid(name), on("b"));
        }
        assert_eq!(content(&table), [("ct:1", "b"), ("vm:1", "a"), ("vm:3", "b"), ("vm:5", "a"), ("vm:9", "b")]);
    }

    #[test]
    fn insert_replaces_the_entry_that_a_service_has() {
        let mut table = table(&[("vm:1", "a"), ("vm:2", "a"), ("vm:3", "a")]);
        for name in ["vm:1", "vm:2", "vm:3"] {
            table.insert(sid(name), on("b"));
        }
        assert_eq!(content(&table), [("vm:1", "b"), ("vm:2", "b"), ("vm:3", "b")]);
    }

    #[test]
    fn extend_adds_replaces_and_keeps_the_order() {
        let mut table = table(&[("vm:2", "a"), ("vm:4", "a")]);
        table.extend([(sid("vm:5"), on("b")), (sid("vm:2"), on("b")), (sid("vm:1"), on("b")), (sid("vm:1"), on("c"))]);
        assert_eq!(content(&table), [("vm:1", "c"), ("vm:2", "b"), ("vm:4", "a"), ("vm:5", "b")]);
    }

    #[test]
    fn removal_keeps_the_order_and_passes_over_strangers() {
        let mut table = table(&[("vm:1", "a"), ("vm:2", "b"), ("vm:3", "c"), ("vm:4", "d"), ("vm:5", "e")]);
        table.remove_all(&[]);
        table.remove_all(&[sid("vm:2")]);
        assert_eq!(content(&table), [("vm:1", "a"), ("vm:3", "c"), ("vm:4", "d"), ("vm:5", "e")]);
        table.remove_all(&[sid("vm:4"), sid("vm:9"), sid("vm:1")]);
        assert_eq!(content(&table), [("vm:3", "c"), ("vm:5", "e")]);
        assert!(!table.contains(&sid("vm:4")));
    }

    #[test]
    fn entries_change_in_place() {
        let mut table = table(&[("vm:1", "a"), ("vm:2", "a")]);
        table.get_mut(&sid("vm:1")).unwrap().node = NodeName::new("b").unwrap();
        table.at_mut(1).unwrap().1.node = NodeName::new("c").unwrap();
        assert_eq!(content(&table), [("vm:1", "b"), ("vm:2", "c")]);
        table.iter_mut().for_each(|(_, entry)| entry.node = NodeName::new("d").unwrap());
        assert_eq!(content(&table), [("vm:1", "d"), ("vm:2", "d")]);
    }
}
