//! The entries of services, where one that can't be understood must not make the whole record unreadable.

use alloc::{
    borrow::ToOwned,
    boxed::Box,
    collections::BTreeMap,
    string::{String, ToString},
    vec::Vec,
};
use core::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, MapAccess, Visitor},
    ser::{self, SerializeMap},
};
use serde_json::{Value, value::RawValue};

use super::{
    StatusError, from_json,
    read::{self, Entries, Path, Readable},
};
use crate::{
    config::OrderedMap,
    id::{NodeName, ServiceId},
    status::{ManagerStatus, ServiceEntry, ServiceTable},
};

/// The entry of a service that can't be understood, as it is in the manager status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotUnderstood {
    sid: String,
    field: String,
    reason: String,
    json: String,
}

impl NotUnderstood {
    /// The name under which it is there: a SID, or a text that is none.
    #[must_use]
    pub fn sid(&self) -> &str {
        &self.sid
    }

    /// The field at fault, such as `node` or `failed_nodes.1`; empty for the entry as a whole.
    #[must_use]
    pub fn field(&self) -> &str {
        &self.field
    }

    /// What is wrong with it, and what was expected.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The entry as it was read, in JSON.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.json
    }

    /// The nodes on which the service may be, as far as the entry still says: its `node` and its `target`.
    pub fn nodes(&self) -> impl Iterator<Item = NodeName> {
        let entry: Option<Value> = serde_json::from_str(&self.json).ok();
        let named = ["node", "target"].map(|field| NodeName::new(entry.as_ref()?.get(field)?.as_str()?).ok());
        named.into_iter().flatten()
    }
}

/// The field, if it is one, and what is wrong.
impl fmt::Display for NotUnderstood {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.field.as_str() {
            "" => f.write_str(&self.reason),
            field => write!(f, "{field}: {}", self.reason),
        }
    }
}

/// All that is in `service_status`.
#[derive(Default)]
pub(super) struct Services {
    pub(super) table: ServiceTable,
    pub(super) not_understood: Vec<NotUnderstood>,
}

impl Readable for Services {
    const EXPECTED: &'static str = "an object with the ids of services";

    fn read<'de, D: Deserializer<'de>>(deserializer: D, path: &mut Path) -> Result<Option<Self>, D::Error> {
        match path.entries {
            Entries::Strictly => read_strictly(deserializer, path),
            Entries::EachAsText => {
                let text = |entry: Box<RawValue>| on_one_line(entry.get());
                Ok(deserializer.deserialize_any(EntriesVisitor(text, PhantomData))?.map(judge_each))
            }
            Entries::EachAsValue => {
                let text = |entry: Value| entry.to_string();
                Ok(deserializer.deserialize_any(EntriesVisitor(text, PhantomData))?.map(judge_each))
            }
        }
    }
}

fn read_strictly<'de, D: Deserializer<'de>>(deserializer: D, path: &mut Path) -> Result<Option<Services>, D::Error> {
    let mut entries = Gathered::default();
    let read = read::read_entries(deserializer, path, Services::EXPECTED, |sid, entry| entries.add(sid, entry))?;
    Ok(read.map(|()| Services { table: entries.into_table(), not_understood: Vec::new() }))
}

/// Entries as they come. As long as that is in the order of their services, as they are written, none can be given twice: then they need not
/// be looked up, and the table is made when it is known how many there are.
#[derive(Default)]
struct Gathered {
    in_order: Vec<(ServiceId, ServiceEntry)>,
    /// All of them, once one has come out of order.
    others: OrderedMap<ServiceId, ServiceEntry>,
}

impl Gathered {
    /// Adds an entry, or gives back the id of a service that has one.
    fn add(&mut self, sid: ServiceId, entry: ServiceEntry) -> Result<(), ServiceId> {
        let follows = self.in_order.last().is_none_or(|(last, _)| *last < sid);
        if follows && self.others.is_empty() {
            self.in_order.push((sid, entry));
            return Ok(());
        }
        self.others.extend(self.in_order.drain(..));
        read::append_new(&mut self.others, sid, entry)
    }

    fn into_table(self) -> ServiceTable {
        if self.others.is_empty() { self.in_order.into_iter().collect() } else { ServiceTable::from(self.others) }
    }
}

/// The same JSON on one line, as records are written: a line break can only be a blank between its parts.
fn on_one_line(json: &str) -> String {
    json.replace(['\n', '\r'], " ")
}

/// Reads names and the text of their entries, whatever they are.
struct EntriesVisitor<T, F>(F, PhantomData<T>);

impl<'de, T: Deserialize<'de>, F: Fn(T) -> String> Visitor<'de> for EntriesVisitor<T, F> {
    type Value = Option<Vec<(String, String)>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Services::EXPECTED)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some((name, entry)) = map.next_entry()? {
            entries.push((name, self.0(entry)));
        }
        Ok(Some(entries))
    }
}

/// Reads each entry by itself. Of a service that has several none is taken: to pick one would be to guess where it runs.
fn judge_each(entries: Vec<(String, String)>) -> Services {
    let mut times = BTreeMap::<String, usize>::new();
    for (name, _) in &entries {
        let times = times.entry(name.clone()).or_default();
        *times = times.saturating_add(1);
    }
    let mut services = Services::default();
    let mut understood = Vec::new();
    for (sid, json) in entries {
        match judge(&sid, &json, times.get(&sid) != Some(&1)) {
            Ok(entry) => understood.push(entry),
            Err((field, reason)) => services.not_understood.push(NotUnderstood { sid, field, reason, json }),
        }
    }
    services.table.extend(understood);
    // The order of the names, like that of the other entries; entries of one name stay as they come.
    services.not_understood.sort_by(|one, other| one.sid.cmp(&other.sid));
    services
}

/// Reads an entry, or says in which field it is wrong, and how.
fn judge(sid: &str, json: &str, is_one_of_several: bool) -> Result<(ServiceId, ServiceEntry), (String, String)> {
    let parsed = sid.parse::<ServiceId>().map_err(|error| (String::new(), error.to_string()))?;
    let entry = from_json("entry", json, Entries::Strictly).map_err(|error| match error {
        StatusError::Json { reason, .. } => (String::new(), reason),
        StatusError::Content { path, reason, .. } => (path, reason),
    })?;
    if is_one_of_several {
        return Err((String::new(), "the service is given twice: expected it once".to_owned()));
    }
    Ok((parsed, entry))
}

/// What is in `service_status`, all of it.
pub(super) struct WrittenServices<'a>(pub(super) &'a ManagerStatus);

impl Serialize for WrittenServices<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(status) = self;
        if status.not_understood.is_empty() {
            return status.services.serialize(serializer);
        }
        let mut map = serializer.serialize_map(None)?;
        let mut others = status.not_understood.iter().peekable();
        for (sid, entry) in status.services.iter() {
            while let Some(other) = others.next_if(|other| other.sid.as_str() < sid.as_str()) {
                serialize_as_it_was(&mut map, other)?;
            }
            map.serialize_entry(sid, entry)?;
        }
        others.try_for_each(|other| serialize_as_it_was(&mut map, other))?;
        map.end()
    }
}

fn serialize_as_it_was<M: SerializeMap>(map: &mut M, entry: &NotUnderstood) -> Result<(), M::Error> {
    let json: &RawValue = serde_json::from_str(&entry.json).map_err(ser::Error::custom)?;
    map.serialize_entry(&entry.sid, json)
}
