//! Why the last thing that was done to a service on this node did not work: it goes into the LRM's record, so that the status can
//! say it wherever a person looks.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ha_core::{
    host::HostError,
    id::ServiceId,
    status::{LrmStatus, ServiceNote, Timestamp},
};
use serde::{Deserialize, Serialize};

use crate::os::clock;

/// The field of a service in the LRM's record.
const FIELD: &str = "failure";
/// Characters that are kept of a message.
const LONGEST: usize = 300;

/// Why something did not work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobFailure {
    /// What did not: `start`, `stop` or `move`.
    pub what: String,
    /// What the agent said.
    pub message: String,
    /// When.
    pub at: Timestamp,
}

impl JobFailure {
    /// What a node's record says of a service, if anything failed there since it last worked.
    #[must_use]
    pub fn of(record: &LrmStatus, sid: &ServiceId) -> Option<Self> {
        let field = record.services.get(sid)?.unknown.as_ref()?.get(FIELD)?;
        serde_json::from_value(field.clone()).ok()
    }
}

/// The failures of a node's services, shared by those who carry out jobs and by the LRM that writes them down.
#[derive(Debug, Clone, Default)]
pub struct Failures(Arc<Mutex<BTreeMap<ServiceId, JobFailure>>>);

impl Failures {
    fn held(&self) -> MutexGuard<'_, BTreeMap<ServiceId, JobFailure>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of how something went, and gives that on. A lock of the guest is no failure: it is waited for.
    pub(super) fn note<T>(&self, sid: &ServiceId, what: &str, result: Result<T, HostError>) -> Result<T, HostError> {
        match &result {
            Ok(_) => drop(self.held().remove(sid)),
            Err(error) if error.lock.is_some() => {}
            Err(error) => self.put(sid, what, &error.to_string()),
        }
        result
    }

    /// A start that went well, and nothing runs after it.
    pub(super) fn note_not_running(&self, sid: &ServiceId) {
        if !self.held().contains_key(sid) {
            self.put(sid, "start", &format!("it ended right after its start; what it wrote is in 'ha logs {sid}'"));
        }
    }

    fn put(&self, sid: &ServiceId, what: &str, message: &str) {
        let line = message.lines().next().unwrap_or_default();
        // What is told with the node need not be told twice.
        let line = line.strip_prefix(&format!("the program of {sid} failed to {what}: ")).unwrap_or(line);
        let message = line.chars().take(LONGEST).collect();
        let failure = JobFailure { what: what.to_owned(), message, at: clock::wall() };
        self.held().insert(sid.clone(), failure);
    }

    /// The record with the failures in it; nothing if there are none.
    #[must_use]
    pub fn added_to(&self, record: &LrmStatus) -> Option<LrmStatus> {
        let failures = self.held();
        if failures.is_empty() {
            return None;
        }
        let mut record = record.clone();
        for (sid, failure) in failures.iter() {
            let note: &mut ServiceNote = record.services.entry(sid.clone()).or_default();
            let value = serde_json::to_value(failure).unwrap_or_default();
            note.unknown.get_or_insert_default().insert(FIELD.to_owned(), value);
        }
        Some(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_in_the_record_until_it_works() {
        let failures = Failures::default();
        let sid: ServiceId = "vm:100".parse().unwrap();
        let record = LrmStatus::default();
        assert!(failures.added_to(&record).is_none());
        failures.note(&sid, "start", Err::<(), _>(HostError::new("exit code 1: \"no such disk\"\nmore"))).unwrap_err();
        failures.note_not_running(&sid);
        let written = failures.added_to(&record).unwrap().to_json();
        let failure = JobFailure::of(&LrmStatus::from_json(&written).unwrap(), &sid).unwrap();
        assert_eq!((&*failure.what, &*failure.message), ("start", "exit code 1: \"no such disk\""));
        failures.note(&sid, "start", Ok(())).unwrap();
        assert!(failures.added_to(&record).is_none());
    }
}
