//! The two places where a node's history is kept: its own journal, and the history of the cluster in the store.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ha_core::{
    event::{Event, Severity},
    history::{Entry, EntryId, What},
    id::NodeName,
};

use super::{
    journal::Journal,
    keeper::{Place, SayIncomplete, Tell},
};
use crate::{
    os::clock,
    store::{SharedStore, StoreAddress, StoreError},
};

/// The journal of this node.
pub(super) struct InJournal {
    pub(super) journal: Journal,
    pub(super) words: String,
    pub(super) say_incomplete: SayIncomplete,
    pub(super) tell: Tell,
}

impl Place for InJournal {
    fn keep(&mut self, batch: &[Arc<Entry>]) -> Result<(), String> {
        if batch.is_empty() {
            return Ok(());
        }
        let lines: Vec<String> = batch.iter().map(|entry| entry.to_json()).collect();
        let append = |journal: &mut Journal, lines: &[String]| {
            journal.append(lines.iter().map(String::as_str), clock::wall_ms()).map_err(|error| error.to_string())
        };
        let torn = append(&mut self.journal, &lines)?;
        if torn > 0 {
            let reason =
                format!("the end of {} was torn, as a power cut does, and was dropped: {torn} bytes", self.words);
            (self.tell)(Severity::Warning, reason.clone());
            let entry = (self.say_incomplete)(Event::HistoryIncomplete { events: None, reason });
            append(&mut self.journal, &[entry.to_json()])?;
        }
        Ok(())
    }

    fn words(&self) -> String {
        self.words.clone()
    }
}

/// The history of the cluster. The store is opened for it alone: it shares nothing with what the daemons use.
pub(super) struct InStore {
    pub(super) address: StoreAddress,
    pub(super) patience: Duration,
    pub(super) node: NodeName,
    pub(super) store: Option<Arc<dyn SharedStore>>,
    /// The entries of this node that are there, as it was when it was last looked at: before the first entry is appended, and
    /// after an attempt of which it is not known what became of it.
    pub(super) there: Option<BTreeSet<EntryId>>,
    /// What earlier daemons of this node have kept in its journal, once that is read.
    pub(super) before: Arc<Mutex<Option<Vec<Entry>>>>,
}

impl InStore {
    /// What is longer is kept without why it was decided so; the journal has it.
    const LONGEST: usize = 6 << 10;
    /// A part of a batch of this size is appended by itself.
    const MOST_AT_ONCE: usize = 32 << 10;

    fn try_to_keep(&mut self, batch: &[Arc<Entry>]) -> Result<(), StoreError> {
        let store = match &self.store {
            Some(store) => store.clone(),
            None => self.store.insert(self.address.open(self.patience)?).clone(),
        };
        let before = self.before.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut oldest = None;
        if self.there.is_none() || before.is_some() {
            let lines = store.history(0)?;
            let entries: Vec<Entry> = lines.iter().filter_map(|(_, line)| Entry::from_json(line).ok()).collect();
            oldest = entries.first().map(|entry| entry.time_ms);
            self.there = Some(entries.into_iter().map(|entry| entry.id).filter(|id| id.is_of(&self.node)).collect());
        }
        let nothing = BTreeSet::new();
        let there = self.there.as_ref().unwrap_or(&nothing);
        let left = Self::left_from_before(before.as_deref().unwrap_or_default(), there, oldest);
        let new = left.chain(batch.iter().map(|entry| &**entry)).filter(|entry| !there.contains(&entry.id));
        let mut part = Vec::new();
        for line in new.map(Self::line) {
            part.push(line);
            if part.iter().map(String::len).sum::<usize>() >= Self::MOST_AT_ONCE {
                store.append_history(&std::mem::take(&mut part))?;
            }
        }
        if !part.is_empty() {
            store.append_history(&part)?;
        }
        if before.is_some() {
            // Only now is it there: where something failed, the next attempt begins with it again.
            *self.before.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        Ok(())
    }

    /// What an earlier daemon of this node has kept in its journal, and did not come to append here before it ended: what comes after
    /// the last of it that is here, or where nothing of it is, what is not older than all that is here.
    fn left_from_before<'a>(
        before: &'a [Entry],
        there: &BTreeSet<EntryId>,
        oldest: Option<i64>,
    ) -> impl Iterator<Item = &'a Entry> {
        let last = before.iter().rposition(|entry| there.contains(&entry.id));
        let first = last.map_or(0, |last| last.saturating_add(1));
        let is_young = move |entry: &&Entry| last.is_some() || oldest.is_none_or(|oldest| entry.time_ms >= oldest);
        before.iter().skip(first).filter(is_young)
    }

    fn line(entry: &Entry) -> String {
        let line = entry.to_json();
        if line.len() <= Self::LONGEST {
            return line;
        }
        let short = Entry { why: None, ..entry.clone() }.to_json();
        if short.len() <= Self::LONGEST {
            return short;
        }
        let what = What::message(format!("{}: see the journal of {}", entry.what.name(), entry.node));
        Entry { why: None, what, ..entry.clone() }.to_json()
    }
}

impl Place for InStore {
    fn keep(&mut self, batch: &[Arc<Entry>]) -> Result<(), String> {
        if batch.is_empty() && self.before.lock().unwrap_or_else(PoisonError::into_inner).is_none() {
            return Ok(());
        }
        self.try_to_keep(batch).map_err(|error| {
            self.there = None;
            error.to_string()
        })
    }

    fn words(&self) -> String {
        "the store".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::ClusterSettings;
    use ha_core::{history::Source, timing::Timings};
    use std::fs;

    fn entry(number: u64) -> Entry {
        let node = NodeName::new("node1").unwrap();
        let id = EntryId::of_node(&node, 1, number);
        Entry::new(id, 0, node, Source::Crm, Event::ManagerLockReleased.into())
    }

    #[test]
    fn what_was_left_in_the_journal_comes_into_a_store_that_fails_at_first() {
        let directory = std::env::temp_dir().join(format!("ha-history-left-{}", std::process::id()));
        let _ = fs::remove_dir_all(&directory);
        let address = StoreAddress::File(directory.clone());
        let node = NodeName::new("node1").unwrap();
        address.create(&ClusterSettings { nodes: vec![node.clone()], timings: Timings::default() }).unwrap();
        let mut place = InStore {
            address: address.clone(),
            patience: Duration::from_secs(10),
            node,
            store: None,
            there: None,
            before: Arc::new(Mutex::new(Some((0..3).map(entry).collect()))),
        };
        let history = directory.join("history");
        fs::write(&history, "no directory").unwrap();
        place.keep(&[Arc::new(entry(3))]).unwrap_err();
        fs::remove_file(&history).unwrap();
        place.keep(&[Arc::new(entry(3))]).unwrap();
        place.keep(&[Arc::new(entry(4))]).unwrap();
        let lines = address.open(place.patience).unwrap().history(0).unwrap();
        let ids: Vec<EntryId> = lines.iter().map(|(_, line)| Entry::from_json(line).unwrap().id).collect();
        assert_eq!(ids, (0..5).map(|number| entry(number).id).collect::<Vec<_>>());
        fs::remove_dir_all(&directory).unwrap();
    }
}
