//! The history of the cluster as it grows.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use ha_core::history::Entry;
use ha_host::{history::Reader, store::SharedStore};

use super::Told;
use crate::call::Site;

/// What is known of the history.
#[derive(Debug, Clone, Default)]
pub(in crate::server) struct Known {
    /// The entries that are kept, in the order of their positions.
    entries: VecDeque<Arc<Entry>>,
    /// The position of the last one.
    pub(in crate::server) end: u64,
    /// Who may do what, as it is stored.
    access: Option<Arc<[u8]>>,
    /// Counts up with each change of that.
    pub(in crate::server) access_version: u64,
}

impl Known {
    /// How many entries are kept here; the store keeps no more than some hundred kilobytes of them.
    const MOST: usize = 8192;

    /// Whether all that came after a position is here.
    pub(in crate::server) fn reaches_back_to(&self, position: u64) -> bool {
        let oldest = self.entries.front().and_then(|entry| entry.position);
        position <= self.end && oldest.map_or(position == self.end, |oldest| oldest <= position.saturating_add(1))
    }

    /// The entries after a position.
    pub(in crate::server) fn after(&self, position: u64) -> impl Iterator<Item = &Arc<Entry>> {
        let first = self.entries.partition_point(|entry| entry.position.is_none_or(|own| own <= position));
        self.entries.range(first..)
    }

    fn read(&mut self, store: &dyn SharedStore) -> bool {
        let Ok(end) = store.history_end() else { return false };
        if end < self.end {
            // The store was set back: what was kept here is of another history.
            self.entries.clear();
            self.end = 0;
        }
        let Ok(kept) = Reader::after(store, self.end) else { return false };
        let Ok(access) = store.access() else { return false };
        if access != self.access {
            self.access = access;
            self.access_version = self.access_version.wrapping_add(1);
        }
        self.end = kept.end;
        self.entries.extend(kept.entries.into_iter().map(Arc::new));
        self.entries.drain(..self.entries.len().saturating_sub(Self::MOST));
        true
    }
}

impl Told for Known {
    const LOOK_INTERVAL: Duration = Duration::from_millis(300);

    fn after(before: Option<&Self>, site: &Site) -> Option<Self> {
        let mut next = before.cloned().unwrap_or_default();
        let was_read = next.read(&**site.desk.store());
        let is_news = before.is_none_or(|known| next.end != known.end || next.access_version != known.access_version);
        (was_read && is_news).then_some(next)
    }
}

#[cfg(test)]
mod tests {
    use ha_core::{
        history::{EntryId, Source, What},
        id::NodeName,
    };

    use super::*;

    fn known(positions: std::ops::RangeInclusive<u64>) -> Known {
        let node = NodeName::new("node1").unwrap();
        let entry = |position| {
            let id = EntryId::of_node(&node, 1, position);
            let entry = Entry::new(id, 0, node.clone(), Source::Node, What::message("x"));
            Arc::new(Entry { position: Some(position), ..entry })
        };
        Known { end: *positions.end(), entries: positions.map(entry).collect(), ..Known::default() }
    }

    #[test]
    fn what_is_kept_no_longer_is_missed() {
        let known = known(5..=9);
        assert!(known.reaches_back_to(4) && known.reaches_back_to(7) && known.reaches_back_to(9));
        assert!(!known.reaches_back_to(3), "4 is not kept any more");
        assert!(!known.reaches_back_to(10), "of another history");
        let after = |position| known.after(position).filter_map(|entry| entry.position).collect::<Vec<_>>();
        assert_eq!((after(7), after(9), after(0)), (vec![8, 9], vec![], vec![5, 6, 7, 8, 9]));
        let empty = Known::default();
        assert!(empty.reaches_back_to(0) && !empty.reaches_back_to(1));
    }
}
