//! The history of the cluster as it grows: read once for all who listen, and only while somebody does.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ha_core::history::Entry;
use ha_host::{history::Reader, store::SharedStore};
use tokio::sync::watch;

/// What is known of the history.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    /// The entries that are kept, in the order of their positions.
    entries: VecDeque<Arc<Entry>>,
    /// The position of the last one.
    pub(super) end: u64,
    /// Who may do what, as it is stored.
    access: Option<Arc<[u8]>>,
    /// Counts up with each change of that.
    pub(super) access_version: u64,
}

impl Known {
    /// How many entries are kept here; the store keeps no more than some hundred kilobytes of them.
    const MOST: usize = 8192;

    /// Whether all that came after a position is here.
    pub(super) fn reaches_back_to(&self, position: u64) -> bool {
        let oldest = self.entries.front().and_then(|entry| entry.position);
        position <= self.end && oldest.map_or(position == self.end, |oldest| oldest <= position.saturating_add(1))
    }

    /// The entries after a position.
    pub(super) fn after(&self, position: u64) -> impl Iterator<Item = &Arc<Entry>> {
        let first = self.entries.partition_point(|entry| entry.position.is_none_or(|own| own <= position));
        self.entries.range(first..)
    }

    fn read(&mut self, store: &dyn SharedStore) -> bool {
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

/// What is known, once it was read for the first time.
pub(super) type News = watch::Receiver<Option<Arc<Known>>>;

/// Where those who listen meet.
#[derive(Debug)]
pub(super) struct Feed {
    /// While somebody listens.
    news: Mutex<Option<watch::Sender<Option<Arc<Known>>>>>,
    is_over: watch::Sender<bool>,
}

impl Default for Feed {
    fn default() -> Self {
        Self { news: Mutex::default(), is_over: watch::channel(false).0 }
    }
}

impl Feed {
    /// How often the store is asked: what has happened is told within a second.
    const LOOK_INTERVAL: Duration = Duration::from_millis(300);

    /// Begins to listen.
    pub(super) fn listen(self: &Arc<Self>, store: &Arc<dyn SharedStore>) -> News {
        let mut news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = &*news {
            let mut receiver = sender.subscribe();
            // What is known already is news to whoever begins to listen.
            receiver.mark_changed();
            return receiver;
        }
        let (sender, receiver) = watch::channel(None);
        *news = Some(sender);
        tokio::spawn(self.clone().read_on(store.clone()));
        receiver
    }

    /// Ends for those who listen.
    pub(super) fn end(&self) {
        self.is_over.send_replace(true);
    }

    /// Becomes true when it ends.
    pub(super) fn is_over(&self) -> watch::Receiver<bool> {
        self.is_over.subscribe()
    }

    /// Reads what is new, until nobody listens any more.
    async fn read_on(self: Arc<Self>, store: Arc<dyn SharedStore>) {
        let mut known = Known::default();
        let mut was_read = false;
        while self.has_listeners() {
            let store = store.clone();
            let mut next = known.clone();
            let read = tokio::task::spawn_blocking(move || next.read(&*store).then_some(next)).await;
            // What fails is tried again: whoever listens is kept waiting, and loses nothing.
            if let Ok(Some(next)) = read {
                let is_news = !was_read || next.end != known.end || next.access_version != known.access_version;
                known = next;
                was_read = true;
                if is_news {
                    self.tell(Arc::new(known.clone()));
                }
            }
            tokio::time::sleep(Self::LOOK_INTERVAL).await;
        }
    }

    fn tell(&self, known: Arc<Known>) {
        if let Some(sender) = &*self.news.lock().unwrap_or_else(PoisonError::into_inner) {
            sender.send_replace(Some(known));
        }
    }

    /// Whether anybody listens. If nobody does any more, nobody can join either: the next listener begins again.
    fn has_listeners(&self) -> bool {
        let mut news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        let has_listeners = news.as_ref().is_some_and(|sender| sender.receiver_count() > 0);
        if !has_listeners {
            *news = None;
        }
        has_listeners
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
