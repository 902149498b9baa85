//! The guests as they were last read.

use std::{collections::BTreeMap, sync::Arc};

use ha_core::id::ServiceId;
use serde::de::DeserializeOwned;

use super::{GuestDefinition, GuestTable, LiveMove, StoreError};

/// Reads again only those definitions that have changed.
#[derive(Debug, Default)]
pub(super) struct GuestCache {
    read: BTreeMap<ServiceId, ReadGuest>,
    table: Arc<GuestTable>,
}

/// A definition as it was read last.
#[derive(Debug)]
struct ReadGuest {
    content: Arc<[u8]>,
    /// What is wrong with it; then the last good definition holds.
    problem: Option<String>,
}

impl GuestCache {
    /// Takes note of all definitions that there are. What did not change is given as the same [`Arc`].
    pub(super) fn update(&mut self, definitions: Vec<(ServiceId, Arc<[u8]>)>) -> (Arc<GuestTable>, Vec<String>) {
        let Self { read, table } = self;
        let mut present = Vec::with_capacity(definitions.len());
        let mut problems = Vec::new();
        for (sid, content) in definitions {
            present.push(sid.clone());
            if let Some(known) = read.get(&sid).filter(|known| Arc::ptr_eq(&known.content, &content)) {
                problems.extend(known.problem.clone());
                continue;
            }
            let guest = read_guest(&sid, &content);
            let problem = guest.as_ref().err().map(ToString::to_string);
            problems.extend(problem.clone());
            if let Ok(guest) = guest {
                Arc::make_mut(table).insert(sid.clone(), Arc::new(guest));
            }
            read.insert(sid, ReadGuest { content, problem });
        }
        if read.len() > present.len() {
            present.sort_unstable();
            read.retain(|sid, _| present.binary_search(sid).is_ok());
            Arc::make_mut(table).retain(|sid, _| present.binary_search(sid).is_ok());
        }
        (table.clone(), problems)
    }
}

/// Understands the definition of a guest.
pub(super) fn read_guest(sid: &ServiceId, text: &[u8]) -> Result<GuestDefinition, StoreError> {
    read_document(text, || format!("the definition of guest '{sid}'"))
}

/// Understands a live move.
pub(super) fn read_move(sid: &ServiceId, text: &[u8]) -> Result<LiveMove, StoreError> {
    read_document(text, || format!("the move of guest '{sid}'"))
}

fn read_document<T: DeserializeOwned>(text: &[u8], what: impl FnOnce() -> String) -> Result<T, StoreError> {
    serde_json::from_slice(text).map_err(|error| StoreError::Unreadable { what: what(), problem: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(text: &str) -> Arc<[u8]> {
        text.as_bytes().into()
    }

    #[test]
    fn a_definition_that_cannot_be_read_leaves_the_last_good_one() {
        let sid: ServiceId = "unit:web".parse().unwrap();
        let good = content(r#"{"node": "node1", "agent": {"unit": {"unit": "web.service"}}}"#);
        let mut cache = GuestCache::default();
        let (table, problems) = cache.update(vec![(sid.clone(), good.clone())]);
        assert!(table.contains_key(&sid) && problems.is_empty());
        assert!(Arc::ptr_eq(&table, &cache.update(vec![(sid.clone(), good)]).0));

        let (damaged, problems) = cache.update(vec![(sid.clone(), content("{"))]);
        assert!(damaged.contains_key(&sid) && problems.len() == 1, "{problems:?}");
        let (gone, problems) = cache.update(Vec::new());
        assert!(gone.is_empty() && problems.is_empty());
    }
}
