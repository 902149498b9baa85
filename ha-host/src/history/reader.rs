//! What is kept, read again.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{Arc, mpsc::sync_channel},
    thread,
    time::Duration,
};

use ha_core::{
    event::Severity,
    history::{Entry, EntryId, Latest},
    id::{NodeName, ServiceId},
};

use super::Journal;
use crate::store::{HistoryLine, SharedStore, Store, StoreError};

/// Entries that are kept.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Kept {
    /// The entries, in the order of their times.
    pub entries: Vec<Entry>,
    /// The position of the last line of the history of the cluster; 0 where there is none.
    pub end: u64,
    /// What could not be read, for people.
    pub problems: Vec<String>,
}

/// Reads what is kept.
#[derive(Debug, Clone, Default)]
pub struct Reader {
    journal: Option<PathBuf>,
}

impl Reader {
    /// How many entries of a journal are read: some tens of megabytes.
    const MOST_OF_JOURNAL: usize = 100_000;

    /// Reads the history of the cluster alone.
    #[must_use]
    pub fn of_cluster() -> Self {
        Self::default()
    }

    /// Reads a node's journal too, which reaches further back.
    #[must_use]
    pub fn with_journal(journal: impl Into<PathBuf>) -> Self {
        Self { journal: Some(journal.into()) }
    }

    /// All that is kept, each entry once. Without a store, or with one that fails, it is what the journal has.
    ///
    /// # Errors
    ///
    /// If the store fails, and there is no journal.
    pub fn read(&self, store: Option<&dyn Store>) -> Result<Kept, StoreError> {
        let mut kept = Kept::default();
        match store.map(|store| Self::after(store, 0)) {
            Some(Ok(of_cluster)) => kept = of_cluster,
            Some(Err(error)) if self.journal.is_some() => kept.problems.push(error.to_string()),
            Some(Err(error)) => return Err(error),
            None => {}
        }
        if let Some(journal) = &self.journal {
            match Journal::read(journal, Self::MOST_OF_JOURNAL) {
                Ok((entries, unreadable)) => {
                    kept.problems.extend(
                        unreadable
                            .into_iter()
                            .map(|(path, count)| unreadable_words(&path.display().to_string(), count)),
                    );
                    kept.merge(entries);
                }
                Err(error) => kept.problems.push(format!("the journal in {}: {error}", journal.display())),
            }
        }
        Ok(kept)
    }

    /// The history of the cluster after a position, in the order in which it was kept.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub fn after(store: &dyn Store, position: u64) -> Result<Kept, StoreError> {
        let lines = store.history(position)?;
        let end = lines.last().map_or(position, |(position, _)| *position);
        let (entries, bad) = entries_of(&lines);
        let problems = (bad > 0).then(|| unreadable_words("the history in the store", bad));
        Ok(Kept { entries, end, problems: problems.into_iter().collect() })
    }
}

impl Kept {
    /// Adds entries of a journal. Those that are in the history of the cluster too may have more there, or less.
    fn merge(&mut self, journal: Vec<Entry>) {
        let mut known: BTreeMap<EntryId, usize> =
            (0..).zip(&self.entries).map(|(index, entry)| (entry.id.clone(), index)).collect();
        for entry in journal {
            match known.get(&entry.id).and_then(|index| self.entries.get_mut(*index)) {
                // The store has a position, and leaves out what is long.
                Some(kept) => *kept = Entry { position: kept.position, ..entry },
                None => {
                    known.insert(entry.id.clone(), self.entries.len());
                    self.entries.push(entry);
                }
            }
        }
        self.entries.sort_by_key(|entry| entry.time_ms);
    }
}

/// The last changes, as the history of the cluster has them. Nothing where the store does not give it in time: it holds up nobody who
/// wants to know how the cluster does now.
#[must_use]
pub fn latest(store: &Arc<dyn SharedStore>, patience: Duration) -> Option<Latest> {
    let (done, wait) = sync_channel(1);
    let store = store.clone();
    thread::spawn(move || {
        let latest = Reader::after(&*store, 0).map(|kept| {
            let mut latest = Latest::default();
            kept.entries.iter().for_each(|entry| latest.take(entry));
            latest
        });
        drop(done.send(latest.ok()));
    });
    wait.recv_timeout(patience).ok().flatten()
}

fn entries_of(lines: &[HistoryLine]) -> (Vec<Entry>, usize) {
    let mut bad = 0_usize;
    let mut ids = BTreeSet::new();
    let mut entries = Vec::with_capacity(lines.len());
    for (position, line) in lines {
        match Entry::from_json(line) {
            // A node that did not hear whether it was kept looks before it keeps it again; the id says it for certain.
            Ok(entry) if ids.insert(entry.id.clone()) => entries.push(Entry { position: Some(*position), ..entry }),
            Ok(_) => {}
            Err(_) => bad = bad.saturating_add(1),
        }
    }
    (entries, bad)
}

fn unreadable_words(place: &str, count: usize) -> String {
    match count {
        1 => format!("{place}: a line is no entry and is left out"),
        _ => format!("{place}: {count} lines are no entries and are left out"),
    }
}

/// Which entries are wanted: those that meet all of it. What is empty is met by all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// About one of these services.
    pub services: Vec<ServiceId>,
    /// About one of these nodes, or reported by it.
    pub nodes: Vec<NodeName>,
    /// Of one of these names.
    pub events: Vec<String>,
    /// Not earlier, in milliseconds since 1970-01-01 UTC.
    pub from_ms: Option<i64>,
    /// Not later.
    pub to_ms: Option<i64>,
    /// Of at least this severity.
    pub severity: Option<Severity>,
}

impl Filter {
    /// Whether an entry is wanted.
    #[must_use]
    pub fn takes(&self, entry: &Entry) -> bool {
        let Self { services, nodes, events, from_ms, to_ms, severity } = self;
        from_ms.is_none_or(|from| entry.time_ms >= from)
            && to_ms.is_none_or(|to| entry.time_ms <= to)
            && severity.is_none_or(|severity| entry.severity >= severity)
            && (services.is_empty() || services.iter().any(|sid| entry.is_about_service(sid)))
            && (nodes.is_empty() || nodes.iter().any(|node| entry.is_about_node(node)))
            && (events.is_empty() || events.contains(&entry.what.name()))
    }
}
