//! Repairs a manager status that can't be understood: without one no master can work.

use std::{borrow::Cow, thread, time::Duration};

use ha_core::{
    host::Lock,
    id::NodeName,
    status::{ManagerStatus, NotUnderstood, ServiceState},
};
use serde_json::{Map, Value, json};

use super::{RecordName, SharedStore, StoreError, lease::Stands};
use crate::os::clock;

/// What can be saved of a manager status, and what can't.
#[derive(Debug, Clone, PartialEq)]
pub struct Salvage {
    /// What will be written instead.
    pub status: ManagerStatus,
    /// What is wrong with the record, part by part. Such a part is not saved.
    pub problems: Vec<String>,
    /// Entries of services that can't be understood. They are not saved: the services are taken up again, where their guests are.
    pub dropped: Vec<NotUnderstood>,
}

impl Salvage {
    /// Looks at a record, in a cluster of these nodes. `None` if nothing is wrong with it.
    #[must_use]
    pub fn of(content: &[u8], nodes: &[NodeName]) -> Option<Self> {
        let text = String::from_utf8_lossy(content);
        let mut problems = Vec::new();
        if matches!(text, Cow::Owned(_)) {
            problems.push("it is not UTF-8 text".to_owned());
        }
        let mut status = match ManagerStatus::from_json(&text) {
            Ok(status) => status,
            Err(error) => parts(&text, error.to_string(), nodes, &mut problems),
        };
        let dropped = std::mem::take(&mut status.not_understood);
        let is_well = problems.is_empty() && dropped.is_empty();
        (!is_well).then_some(Self { status, problems, dropped })
    }
}

/// Reads what can be read of a record that can't be read as a whole.
fn parts(text: &str, error: String, nodes: &[NodeName], problems: &mut Vec<String>) -> ManagerStatus {
    let mut saved = Map::new();
    let mut lost = Vec::new();
    let object = match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Some(object),
        Ok(_) | Err(_) => None,
    };
    problems.push(if text.trim().is_empty() { "it is empty".to_owned() } else { error });
    let is_object = object.is_some();
    for (name, part) in object.unwrap_or_default() {
        if !save(&mut saved, &name, part, problems) {
            lost.push(name);
        }
    }
    // Each of the parts could be read, so all of them can.
    let mut status = ManagerStatus::from_json(&Value::Object(saved).to_string()).unwrap_or_default();
    let is_lost = |name: &str| !is_object || lost.iter().any(|lost| lost == name);
    if is_lost("unguarded") {
        // On which nodes services run without a watchdog is not known. It shows again when their LRMs have their locks.
        status.unguarded.extend(nodes.iter().cloned());
    }
    if is_lost("may_run") {
        let ended = status.services.iter().filter(|(_, entry)| match entry.state {
            ServiceState::Stopped | ServiceState::Error => true,
            ServiceState::RequestStop { .. }
            | ServiceState::RequestStart
            | ServiceState::RequestStartBalance { .. }
            | ServiceState::Started { .. }
            | ServiceState::Fence
            | ServiceState::Recovery
            | ServiceState::Migrate { .. }
            | ServiceState::Relocate { .. }
            | ServiceState::Freeze => false,
        });
        status.may_run = ended.map(|(sid, _)| sid.clone()).collect();
    }
    status
}

/// Saves a field, or those of its parts that can be read. Says whether all was saved.
fn save(saved: &mut Map<String, Value>, name: &str, part: Value, problems: &mut Vec<String>) -> bool {
    let Err(error) = read(name, &part) else {
        saved.insert(name.to_owned(), part);
        return true;
    };
    let Value::Object(entries) = part else {
        problems.push(error);
        return false;
    };
    let mut readable = Map::new();
    for (key, entry) in entries {
        match read(name, &json!({ &key: &entry })) {
            Ok(()) => {
                readable.insert(key, entry);
            }
            Err(error) => problems.push(error),
        }
    }
    let readable = Value::Object(readable);
    if read(name, &readable).is_ok() {
        saved.insert(name.to_owned(), readable);
    }
    false
}

fn read(name: &str, part: &Value) -> Result<(), String> {
    let text = json!({ name: part }).to_string();
    ManagerStatus::from_json(&text).map(drop).map_err(|error| error.to_string())
}

/// Reads the manager status, which is at that place. `Err` says what is wrong with it and what helps.
///
/// # Errors
///
/// If it can't be understood as a whole.
pub fn read_manager_status(content: &[u8], place: &str) -> Result<ManagerStatus, String> {
    let problem = match str::from_utf8(content) {
        Err(error) => error.to_string(),
        Ok(text) if text.trim().is_empty() => "it is empty".to_owned(),
        Ok(text) => match ManagerStatus::from_json(text) {
            Ok(status) => return Ok(status),
            Err(error) => error.to_string(),
        },
    };
    Err(format!("the manager status ({place}): {problem}; 'ha repair status' shows what can be saved, and saves it"))
}

/// How replacing the manager status ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replaced {
    /// It was replaced.
    Done,
    /// It was not: a master is at work, on this node if that can be told.
    MasterAtWork(Option<NodeName>),
    /// It was not: it has changed meanwhile.
    Changed,
}

/// The manager lock, when nobody holds it.
#[derive(Debug)]
pub struct UnheldLock(Option<Vec<u8>>);

impl UnheldLock {
    /// Waits until it is known that nobody holds the manager lock: it is free, or was not renewed for as long as its holder counts
    /// on it. `Err` within is the node where a master is at work, as far as that can be told.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub fn wait(store: &dyn SharedStore) -> Result<Result<Self, Option<NodeName>>, StoreError> {
        const POLL: Duration = Duration::from_millis(100);
        /// For a lock that can't be read: longer than any holder counts on one.
        const LONG: Duration = Duration::from_secs(240);
        let first = manager_lock(store)?;
        let lifetime = match Stands::read(first.as_deref()) {
            Stands::Nothing => Duration::ZERO,
            Stands::Record(record) if record.holder.is_none() => Duration::ZERO,
            Stands::Record(record) => Duration::from_millis(record.lifetime_ms),
            Stands::Damaged => LONG,
        };
        let began = clock::instant();
        while !lifetime.is_zero() && clock::instant().since(began) <= lifetime {
            thread::sleep(POLL);
            let lock = manager_lock(store)?;
            if lock != first {
                return Ok(Err(Stands::read(lock.as_deref()).holder().cloned()));
            }
        }
        Ok(Ok(Self(first)))
    }
}

fn manager_lock(store: &dyn SharedStore) -> Result<Option<Vec<u8>>, StoreError> {
    let locks = store.locks()?;
    Ok(locks.into_iter().find(|(lock, _)| *lock == Lock::Manager).map(|(_, content)| content))
}

/// Replaces the manager status, if it is still the one that was `seen` and nobody has taken the manager lock since.
///
/// # Errors
///
/// If it is not known whether it was replaced.
pub fn replace_manager_status(
    store: &dyn SharedStore,
    unheld: &UnheldLock,
    seen: &[u8],
    status: &ManagerStatus,
) -> Result<Replaced, StoreError> {
    if store.record(&RecordName::Manager)?.as_deref() != Some(seen) {
        return Ok(Replaced::Changed);
    }
    // Only a master writes the record, and it has to take the lock first.
    let is_unheld = |lock: Option<&[u8]>| lock == unheld.0.as_deref();
    if store.write_manager_status(status.to_json().as_bytes(), &is_unheld)? {
        return Ok(Replaced::Done);
    }
    Ok(Replaced::MasterAtWork(Stands::read(manager_lock(store)?.as_deref()).holder().cloned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes() -> Vec<NodeName> {
        ["n1", "n2"].map(|name| NodeName::new(name).unwrap()).to_vec()
    }

    fn salvage(text: &str) -> Salvage {
        Salvage::of(text.as_bytes(), &nodes()).unwrap()
    }

    #[test]
    fn a_record_that_can_be_read_is_left_as_it_is() {
        assert_eq!(Salvage::of(br#"{"service_status":{"vm:1":{"state":"fence","node":"n1"}}}"#, &nodes()), None);
    }

    #[test]
    fn of_a_record_that_is_no_json_nothing_is_saved_and_no_node_counts_as_guarded() {
        for text in ["", " \n", "{\"node_status\":{\"n1\":", "[]"] {
            let Salvage { status, problems, dropped } = salvage(text);
            assert!(status.services.is_empty() && dropped.is_empty() && problems.len() == 1, "{text}: {problems:?}");
            assert!(status.unguarded.iter().eq(&nodes()), "{text}");
        }
    }

    #[test]
    fn what_can_be_read_is_saved_entry_by_entry() {
        let text = r#"{"timestamp":[],"later":7,"may_run":"vm:1","node_status":{"n1":"on","n2":"fence"},
            "service_status":{"vm:1":{"state":"error","node":"n1"},"vm:2":{"state":"started","node":null}}}"#;
        let Salvage { status, problems, dropped } = salvage(text);
        let saved = r#"{"node_status":{"n2":"fence"},"service_status":{"vm:1":{"state":"error","node":"n1"}},"may_run":["vm:1"],"later":7}"#;
        assert_eq!(status.to_json(), saved);
        assert!(problems.iter().any(|problem| problem.contains("node_status.n1")), "{problems:?}");
        assert!(problems.iter().any(|problem| problem.contains("timestamp")), "{problems:?}");
        assert_eq!(dropped.iter().map(NotUnderstood::sid).collect::<Vec<_>>(), ["vm:2"]);
    }
}
