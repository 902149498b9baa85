//! The history of the cluster in etcd: a key for each batch of lines, named by the position of the first one.
//!
//! What is there is never written again: etcd keeps every value that a key had for a while.

use super::{
    EtcdStore, Value,
    wire::{Bytes, Range},
};
use crate::store::{HistoryLine, StoreError};

/// The position of the next line.
const NEXT: &str = "history-next";
const BATCHES: &str = "history/";
/// The most bytes of all batches; beyond that the oldest go.
const LARGEST: usize = 256 << 10;
/// After how many new lines their size is looked at.
const LOOK_EACH: u64 = 64;
/// A transaction takes no more.
const MOST_AT_ONCE: usize = 100;

impl EtcdStore {
    pub(super) fn append_to_history(&self, lines: &[String]) -> Result<u64, StoreError> {
        for _ in 0..Self::ATTEMPTS {
            let seen = self.get(NEXT)?;
            let next = self.next_of(&seen)?;
            let after = next.saturating_add(lines.len() as u64);
            let changes = [
                (NEXT.to_owned(), Some(after.to_string().into_bytes())),
                (format!("{BATCHES}{next:020}"), Some(lines.join("\n").into_bytes())),
            ];
            if self.write(&[(NEXT.to_owned(), seen)], &changes)? {
                if next / LOOK_EACH != after / LOOK_EACH {
                    self.forget_oldest_batches()?;
                }
                return Ok(next);
            }
        }
        Err(StoreError::Etcd("the history is written by others all the time: try again".into()))
    }

    fn next_of(&self, seen: &Value) -> Result<u64, StoreError> {
        let Some(content) = &seen.content else { return Ok(1) };
        let number = std::str::from_utf8(content).ok().and_then(|text| text.parse().ok());
        number.ok_or_else(|| StoreError::Unreadable {
            what: self.key(NEXT),
            problem: "expected a number; it can be removed together with the history".into(),
        })
    }

    /// All batches, the oldest first. They are not remembered as other values are: nobody reads them twice.
    fn batches(&self) -> Result<Vec<(String, u64, Vec<u8>)>, StoreError> {
        let prefix = self.key(BATCHES);
        let mut batches = Vec::new();
        for pair in self.ask_range(Range::prefix(&prefix))?.kvs {
            let Bytes(key) = pair.key;
            let key = String::from_utf8_lossy(&key).into_owned();
            let Some(first) = key.strip_prefix(&prefix).and_then(|first| first.parse().ok()) else { continue };
            batches.push((format!("{BATCHES}{first:020}"), first, pair.value.0));
        }
        batches.sort();
        Ok(batches)
    }

    fn forget_oldest_batches(&self) -> Result<(), StoreError> {
        let batches = self.batches()?;
        let mut size: usize = batches.iter().map(|(_, _, lines)| lines.len()).sum();
        let mut forgotten = Vec::new();
        for (name, _, lines) in batches {
            if size <= LARGEST || forgotten.len() >= MOST_AT_ONCE {
                break;
            }
            size = size.saturating_sub(lines.len());
            forgotten.push((name, None));
        }
        if forgotten.is_empty() { Ok(()) } else { self.write(&[], &forgotten).map(drop) }
    }

    pub(super) fn history_after(&self, after: u64) -> Result<Vec<HistoryLine>, StoreError> {
        if self.last_of_history()? <= after {
            return Ok(Vec::new());
        }
        let mut lines = Vec::new();
        for (_, first, batch) in self.batches()? {
            let text = String::from_utf8_lossy(&batch).into_owned();
            let numbered = (first..).zip(text.lines()).filter(|(position, _)| *position > after);
            lines.extend(numbered.map(|(position, line)| (position, line.to_owned())));
        }
        Ok(lines)
    }

    pub(super) fn last_of_history(&self) -> Result<u64, StoreError> {
        Ok(self.next_of(&self.get(NEXT)?)?.saturating_sub(1))
    }
}
