//! The records as the flat JSON that tools read.
//!
//! What holds for both records:
//!
//! * Fields that this version does not know are kept and written again, in the record and in every entry. Their values
//!   are JSON values: whole numbers of up to 64 bits stay exact, others are kept as double-precision numbers.
//! * Writers in other languages mix numbers and texts, so `"60"` is read where 60 is meant and the other way round.
//!   A null is read like an absent field.
//! * A known field that the state of an entry has no use for (a `target` in `stopped`) must make sense, but is not kept.
//! * A field or an entry that is given twice is an error: to pick one would be to guess where a service runs. (Inside
//!   the value of an unknown field the last one wins.)
//! * What can't be understood is an error that says where; nothing is left out silently. Only the entries of services are judged
//!   each by itself: one that can't be understood is kept as it is, beside the others ([`NotUnderstood`]).
//! * Fields are written in a fixed order, entries in the order of their names, unknown fields last, by name.

mod lrm;
mod manager;
mod not_understood;
mod read;
mod values;
mod write;

use alloc::{string::String, string::ToString};

use read::{Entries, Path, Record};
use serde::Serialize;

pub use not_understood::NotUnderstood;

use super::{LrmStatus, ManagerStatus};

/// Why a text is not the record that it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StatusError {
    /// The text is not JSON, or beyond what is read: nested too deep, or a number that no double can hold.
    #[error("{record}: not valid JSON in line {line}, column {column}: {reason}")]
    Json {
        /// Which record: `manager status` or `LRM status`.
        record: &'static str,
        /// What the JSON parser says.
        reason: String,
        /// The line, from 1.
        line: usize,
        /// The column in bytes, from 1; 0 at the very beginning.
        column: usize,
    },
    /// The text is JSON, but not the record.
    #[error("{record}: {} (line {line}, column {column}): {reason}", Place(path))]
    Content {
        /// Which record: `manager status` or `LRM status`.
        record: &'static str,
        /// The field at fault, such as `service_status.vm:101.target`; empty for the record itself.
        path: String,
        /// What is wrong with it, and what was expected.
        reason: String,
        /// The line, from 1, in which reading stopped.
        line: usize,
        /// The column in bytes, from 1, at which reading stopped.
        column: usize,
    },
}

struct Place<'a>(&'a str);

impl core::fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(if self.0.is_empty() { "the whole record" } else { self.0 })
    }
}

impl StatusError {
    fn new(record: &'static str, path: &Path, error: &serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let text = error.to_string();
        let position = alloc::format!(" at line {line} column {column}");
        let reason = String::from(text.strip_suffix(position.as_str()).unwrap_or(&text));
        if error.is_data() {
            Self::Content { record, path: path.to_string(), reason, line, column }
        } else {
            Self::Json { record, reason, line, column }
        }
    }
}

fn from_json<R: Record>(record: &'static str, text: &str, entries: Entries) -> Result<R, StatusError> {
    let mut path = Path::new(entries);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read = read::required::<R, _>(&mut deserializer, &mut path);
    read.and_then(|read| deserializer.end().map(|()| read)).map_err(|error| StatusError::new(record, &path, &error))
}

fn to_json(record: &impl Serialize) -> String {
    // Only a key that is no string, an error of our own or a full disk can fail here, and there is none of them. If there
    // ever were, an empty text is refused by every reader; it can't be taken for a record.
    serde_json::to_string(record).unwrap_or_default()
}

impl ManagerStatus {
    /// Reads the record from JSON.
    ///
    /// Every field may be absent: `{}` is the status of a cluster that never had a master.
    ///
    /// ```
    /// use ha_core::status::ManagerStatus;
    ///
    /// let error = ManagerStatus::from_json(
    ///     r#"{"node_status": {"node1": "on"}}"#,
    /// ).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "manager status: node_status.node1 (line 1, column 30): 'on' is not a node state: \
    ///      expected 'online', 'maintenance', 'unknown', 'fence' or 'gone'",
    /// );
    /// ```
    ///
    /// The entries of services are judged each by itself: one that can't be understood is in
    /// [`not_understood`](Self::not_understood) and is written again as it is.
    ///
    /// # Errors
    ///
    /// If the text is not JSON, or if any part of it but such an entry can't be understood: nothing is left out.
    pub fn from_json(text: &str) -> Result<Self, StatusError> {
        const RECORD: &str = "manager status";
        // Hardly any record has such an entry: to read them each by itself takes longer.
        from_json(RECORD, text, Entries::Strictly)
            .or_else(|error| from_json(RECORD, text, Entries::EachAsText).map_err(|_| error))
    }

    /// The record as JSON, on one line.
    ///
    /// Equal records give equal texts.
    #[must_use]
    pub fn to_json(&self) -> String {
        to_json(self)
    }
}

impl LrmStatus {
    /// Reads the record from JSON.
    ///
    /// Every field may be absent: `{}` is the status of an LRM that waits, in mode `active`.
    ///
    /// # Errors
    ///
    /// If the text is not JSON, or if any part of it can't be understood.
    pub fn from_json(text: &str) -> Result<Self, StatusError> {
        from_json("LRM status", text, Entries::Strictly)
    }

    /// The record as JSON, on one line.
    ///
    /// Equal records give equal texts; results are written in the order of their UIDs.
    #[must_use]
    pub fn to_json(&self) -> String {
        to_json(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{id::NodeName, status::NodeState};
    use alloc::{boxed::Box, collections::BTreeMap};

    #[test]
    fn a_known_name_among_the_unknown_fields_is_not_written_a_second_time() {
        let fields = [("timestamp", 1.into()), ("later", 2.into())].map(|(name, value)| (String::from(name), value));
        let unknown = Some(Box::new(BTreeMap::from(fields)));
        let status = ManagerStatus { timestamp: Some(7), unknown, ..ManagerStatus::default() };
        assert_eq!(status.to_json(), r#"{"timestamp":7,"node_status":{},"service_status":{},"later":2}"#);
    }

    #[test]
    fn the_message_names_record_place_and_reason() {
        let error = ManagerStatus::from_json("{\n  \"node_status\": {\"n1\": \"on\"}}").unwrap_err();
        assert_eq!(
            error.to_string(),
            "manager status: node_status.n1 (line 2, column 28): 'on' is not a node state: expected 'online', \
             'maintenance', 'unknown', 'fence' or 'gone'"
        );
        let error = LrmStatus::from_json("[]").unwrap_err().to_string();
        assert!(error.starts_with("LRM status: the whole record (line 1, column"), "{error}");
        let error = LrmStatus::from_json("{").unwrap_err().to_string();
        assert!(error.starts_with("LRM status: not valid JSON in line 1, column 1: "), "{error}");
    }

    #[test]
    fn serde_names_the_place_too() {
        let value = serde_json::json!({"node_status": {"n1": []}});
        let error = serde_json::from_value::<ManagerStatus>(value).unwrap_err().to_string();
        assert_eq!(error, "node_status.n1: invalid type: sequence, expected a node state");
        assert!(serde_json::from_value::<ManagerStatus>(serde_json::Value::Null).is_err());
    }

    #[test]
    fn an_entry_that_is_not_understood_is_kept_letter_by_letter_on_one_line() {
        let entry = r#"{ "node":null, "x": 1.50, "huge": 1e999, "x": [ ] }"#;
        let text = alloc::format!(
            r#"{{"service_status":{{"vm:1":{},"bad":7,"vm:0":{{"state":"fence","node":"n1"}}}}}}"#,
            entry
        );
        let status = ManagerStatus::from_json(&text.replace(", ", ",\n")).unwrap();
        let expected = alloc::format!(
            r#"{{"node_status":{{}},"service_status":{{"bad":7,"vm:0":{{"state":"fence","node":"n1"}},"vm:1":{entry}}}}}"#
        );
        assert_eq!(status.to_json(), expected);
        assert_eq!(ManagerStatus::from_json(&expected).unwrap(), status);
    }

    #[test]
    fn entries_in_any_order_make_the_same_table_and_of_one_given_twice_none_is_taken() {
        let names = ["vm:1", "vm:2", "vm:3", "vm:4"];
        let read = |names: &[&str]| {
            let entry = |name: &&str| alloc::format!(r#""{name}":{{"state":"fence","node":"n1"}}"#);
            let entries = names.iter().map(entry).collect::<alloc::vec::Vec<_>>().join(",");
            ManagerStatus::from_json(&alloc::format!(r#"{{"service_status":{{{entries}}}}}"#)).unwrap()
        };
        let sorted = read(&names);
        for first in 0..names.len() {
            for second in 0..names.len() {
                let mut order = names;
                order.swap(first, second);
                order.swap(0, second);
                assert_eq!(read(&order), sorted, "{order:?}");
                let twice = [&order[..], &[order[first]]].concat();
                let (few, lost) = (read(&twice).services.len(), read(&twice).not_understood.len());
                assert_eq!((few, lost), (3, 2), "{twice:?}");
            }
        }
    }

    #[test]
    fn serde_reads_the_other_entries_too() {
        let value =
            serde_json::json!({"service_status": {"vm:1": {"node": null}, "vm:2": {"state": "fence", "node": "n1"}}});
        let status = serde_json::from_value::<ManagerStatus>(value).unwrap();
        assert_eq!((status.services.len(), status.not_understood.len()), (1, 1));
    }

    #[test]
    fn the_record_can_be_a_part_of_another_one() {
        let nodes = BTreeMap::from([(NodeName::new("n1").unwrap(), NodeState::Online)]);
        let status = ManagerStatus { nodes, ..ManagerStatus::default() };
        let text = serde_json::to_string(&(1, &status)).unwrap();
        assert_eq!(serde_json::from_str::<(u8, ManagerStatus)>(&text).unwrap(), (1, status));
    }
}
