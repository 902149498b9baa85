//! One thing that happened, as it is kept.

use alloc::{
    collections::BTreeMap,
    string::{String, ToString},
    vec::Vec,
};
use core::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Value};
use smol_str::SmolStr;

use super::Cause;
use crate::{
    event::{Event, Severity, Why},
    id::{NodeName, ServiceId},
    text_enum::text_enum,
};

/// Names an entry for ever, wherever it is kept: who wrote it, since when the writer was at work, and a number that grows.
///
/// As text `node1.19ad0c33f41.17`, the middle part in hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId {
    origin: SmolStr,
    epoch: u64,
    number: u64,
}

impl EntryId {
    /// Of a node's daemon. `epoch` is another one each time that it starts: the time of the start in milliseconds will do.
    #[must_use]
    pub fn of_node(node: &NodeName, epoch: u64, number: u64) -> Self {
        Self { origin: node.as_str().into(), epoch, number }
    }

    /// Of somebody on a node other than its daemons: a command that a person has typed.
    #[must_use]
    pub fn of_person(node: &NodeName, epoch: u64, number: u64) -> Self {
        Self { origin: smol_str::format_smolstr!("{}{node}", Self::PERSON), epoch, number }
    }

    const PERSON: &'static str = "ha@";

    /// Whether its writer began its work then.
    #[must_use]
    pub fn is_since(&self, epoch: u64) -> bool {
        self.epoch == epoch
    }

    /// Whether the daemon of this node wrote it.
    #[must_use]
    pub fn is_of(&self, node: &NodeName) -> bool {
        self.origin == node.as_str()
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:x}.{}", self.origin, self.epoch, self.number)
    }
}

/// A text that is no id of an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not the id of an entry: expected something like 'node1.19ad0c33f41.17'")]
pub struct EntryIdError(String);

impl FromStr for EntryId {
    type Err = EntryIdError;

    fn from_str(text: &str) -> Result<Self, EntryIdError> {
        let parts = || {
            let (rest, number) = text.rsplit_once('.')?;
            let (origin, epoch) = rest.rsplit_once('.')?;
            origin.strip_prefix(Self::PERSON).unwrap_or(origin).parse::<NodeName>().ok()?;
            let id = Self {
                origin: origin.into(),
                epoch: u64::from_str_radix(epoch, 16).ok()?,
                number: number.parse().ok()?,
            };
            // One id has one text.
            (id.to_string() == text).then_some(id)
        };
        parts().ok_or_else(|| EntryIdError(text.into()))
    }
}

impl Serialize for EntryId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EntryId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        SmolStr::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Who reported something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// The CRM of the node.
    Crm,
    /// The LRM of the node.
    Lrm,
    /// The process around both, or another one of the node.
    Node,
    /// A person or program that changed something.
    Person,
}

text_enum! {
    Source: "a source of entries",
    Crm = "crm",
    Lrm = "lrm",
    Node = "node",
    Person = "person",
}

/// What an entry says.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum What {
    /// An event.
    Event(Event),
    /// A message of a host (`{"event": "message", "message": TEXT}`), or an event that another version knows: as it is.
    Other(Map<String, Value>),
}

impl What {
    /// A message of a host.
    #[must_use]
    pub fn message(text: impl Into<String>) -> Self {
        let fields = [("event", Value::from("message")), ("message", Value::from(text.into()))];
        Self::Other(fields.into_iter().map(|(name, value)| (name.to_string(), value)).collect())
    }

    /// The event's name; `message` for a message.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Event(event) => {
                let fields = serde_json::to_value(event).unwrap_or_default();
                fields.get("event").and_then(Value::as_str).unwrap_or_default().to_string()
            }
            Self::Other(fields) => fields.get("event").and_then(Value::as_str).unwrap_or_default().to_string(),
        }
    }

    /// The event, if this version knows it.
    #[must_use]
    pub fn event(&self) -> Option<&Event> {
        match self {
            Self::Event(event) => Some(event),
            Self::Other(_) => None,
        }
    }
}

impl From<Event> for What {
    fn from(event: Event) -> Self {
        Self::Event(event)
    }
}

impl<'de> Deserialize<'de> for What {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Map::deserialize(deserializer)?;
        let is_named = fields.get("event").is_some_and(Value::is_string);
        if !is_named {
            return Err(de::Error::custom("an entry says what happened by the text field 'event'"));
        }
        let event = Event::deserialize(Value::Object(fields.clone()));
        Ok(event.map_or(Self::Other(fields), Self::Event))
    }
}

/// The sentence for people.
impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event(event) => event.fmt(f),
            Self::Other(fields) => match fields.get("message").and_then(Value::as_str) {
                Some(message) => f.write_str(message),
                None => write!(f, "{}", Value::Object(fields.clone())),
            },
        }
    }
}

/// One thing that happened.
///
/// As JSON, with fields that are left out where there is nothing to say:
///
/// ```text
/// {"id": "node1.19ad0c33f41.17", "position": 1042, "time_ms": 1764424983120, "node": "node1", "source": "crm",
///  "severity": "notice", "cause": "recovery", "what": {"event": "service_recovered", "sid": "vm:100", …},
///  "why": {"text": "vm:100 goes from node3 to node1 …", "explanation": {…}}}
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Names the entry for ever.
    pub id: EntryId,
    /// Its place in the history of the cluster, which grows from entry to entry. One that is in a node's own journal alone has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
    /// When it happened, by the clock of the node: milliseconds since 1970-01-01 UTC.
    pub time_ms: i64,
    /// The node that reports it.
    pub node: NodeName,
    /// Who reports it.
    pub source: Source,
    /// How much it matters to a person.
    pub severity: Severity,
    /// What it comes from, where that can be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// How often it was reported, since the last entry about it, that something goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsaid: Option<u64>,
    /// For how long the node that it is about had given no sign of life, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silent_ms: Option<u64>,
    /// What happened.
    pub what: What,
    /// Why it was decided so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Why>,
    /// What this version does not know.
    #[serde(flatten)]
    pub unknown: BTreeMap<String, Value>,
}

impl Entry {
    /// An entry of the severity and cause that its event has; a message is of severity info.
    #[must_use]
    pub fn new(id: EntryId, time_ms: i64, node: NodeName, source: Source, what: What) -> Self {
        let (severity, cause) = match &what {
            What::Event(event) => (event.severity(), Cause::of(event, None)),
            What::Other(_) => (Severity::Info, None),
        };
        Self {
            id,
            position: None,
            time_ms,
            node,
            source,
            severity,
            cause,
            unsaid: None,
            silent_ms: None,
            what,
            why: None,
            unknown: BTreeMap::new(),
        }
    }

    /// With why it was decided so, and what that says of its cause.
    #[must_use]
    pub fn decided(mut self, why: Why) -> Self {
        self.cause = self.what.event().and_then(|event| Cause::of(event, Some(&why)));
        self.why = Some(why);
        self
    }

    /// With for how long the node that it is about had given no sign of life.
    #[must_use]
    pub fn after_silence(mut self, silent_ms: u64) -> Self {
        self.silent_ms = Some(silent_ms);
        self
    }

    /// The event, if it is one that this version knows.
    #[must_use]
    pub fn event(&self) -> Option<&Event> {
        self.what.event()
    }

    /// Reads a line of JSON.
    ///
    /// # Errors
    ///
    /// If it is no entry: what is wrong with it.
    pub fn from_json(line: &str) -> Result<Self, String> {
        serde_json::from_str(line).map_err(|error| error.to_string())
    }

    /// Reads an entry that a host has begun, from JSON: where it does not say its severity or its cause, they are those that follow from
    /// what happened, and from why it was decided so.
    ///
    /// # Errors
    ///
    /// If it is no entry: what is wrong with it.
    pub fn begun(json: &str) -> Result<Self, String> {
        let mut fields: Map<String, Value> = serde_json::from_str(json).map_err(|error| error.to_string())?;
        let says_severity = fields.contains_key("severity");
        fields.entry("severity").or_insert_with(|| Severity::Info.as_str().into());
        let mut entry: Self = serde_json::from_value(Value::Object(fields)).map_err(|error| error.to_string())?;
        if let Some(event) = entry.event().filter(|_| !says_severity) {
            entry.severity = event.severity();
        }
        if entry.cause.is_none() {
            entry.cause = entry.event().and_then(|event| Cause::of(event, entry.why.as_ref()));
        }
        Ok(entry)
    }

    /// Reads entries from lines of JSON, in their order. Blank lines are left out.
    ///
    /// # Errors
    ///
    /// If a line is no entry: its number, from 1, and what is wrong with it.
    pub fn from_lines(text: &str) -> Result<Vec<Self>, (usize, String)> {
        let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
        lines.map(|(number, line)| Self::from_json(line).map_err(|problem| (number, problem))).collect()
    }

    /// The entry as one line of JSON, without a line end.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Neither names of fields nor numbers here can fail to be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whether it is about this service.
    #[must_use]
    pub fn is_about_service(&self, sid: &ServiceId) -> bool {
        const ONE: [&str; 4] = ["sid", "with", "blocking", "object"];
        let is_it = |value: &Value| value.as_str() == Some(sid.as_str());
        let fields = self.fields();
        let is_listed = |value: &Value| value.as_array().is_some_and(|list| list.iter().any(is_it));
        ONE.iter().filter_map(|name| fields.get(*name)).any(is_it)
            || fields.get("services").is_some_and(is_listed)
            || fields.get("command").and_then(Value::as_str).is_some_and(|line| names(line, sid.as_str()))
    }

    /// Whether it is about this node, or reported by it.
    #[must_use]
    pub fn is_about_node(&self, node: &NodeName) -> bool {
        const ONE: [&str; 5] = ["node", "target", "guest_node", "present", "object"];
        let is_it = |value: &Value| value.as_str() == Some(node.as_str());
        let fields = self.fields();
        self.node == *node
            || ONE.iter().filter_map(|name| fields.get(*name)).any(is_it)
            || self.ends().contains(&node)
            || fields.get("command").and_then(Value::as_str).is_some_and(|line| names(line, node.as_str()))
    }

    /// The service that it is about, if it names one as such.
    #[must_use]
    pub fn service(&self) -> Option<ServiceId> {
        self.fields().get("sid").and_then(Value::as_str)?.parse().ok()
    }

    fn fields(&self) -> Map<String, Value> {
        match &self.what {
            What::Other(fields) => fields.clone(),
            What::Event(event) => match serde_json::to_value(event) {
                Ok(Value::Object(fields)) => fields,
                Ok(_) | Err(_) => Map::new(),
            },
        }
    }

    /// The nodes between which a service goes. In other events the fields of these names hold states.
    fn ends(&self) -> Vec<&NodeName> {
        match self.event() {
            Some(
                Event::ServiceRecovered { from, to, .. }
                | Event::ServiceLocationFixed { from, to, .. }
                | Event::ServiceLocationUpdated { from, to, .. },
            ) => alloc::vec![from, to],
            _ => Vec::new(),
        }
    }
}

fn names(line: &str, name: &str) -> bool {
    line.split_ascii_whitespace().any(|word| word == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str) -> NodeName {
        NodeName::new(name).unwrap()
    }

    #[test]
    fn an_id_has_one_text() {
        for id in [EntryId::of_node(&node("node-1"), 0x19a, 17), EntryId::of_person(&node("n"), u64::MAX, 0)] {
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        assert_eq!(EntryId::of_node(&node("node1"), 0x19a, 17).to_string(), "node1.19a.17");
        for bad in
            ["", "17", "node1.17", "node1.19A.17", "node1.019a.17", "node1.19a.+17", ".19a.17", "ha@.1.1", "a.b.1.1"]
        {
            assert!(bad.parse::<EntryId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_another_version_wrote_is_kept() {
        let line = r#"{"id":"node1.1.1","time_ms":5,"node":"node1","source":"crm","severity":"info","what":{"event":"moon_phase","phase":"full"},"tide":{"high":true}}"#;
        let entry = Entry::from_json(line).unwrap();
        assert_eq!((entry.event(), entry.what.name().as_str()), (None, "moon_phase"));
        assert_eq!(Entry::from_json(&entry.to_json()).unwrap(), entry);
        assert!(entry.to_json().contains(r#""tide":{"high":true}"#), "{}", entry.to_json());
        for bad in [
            "",
            "{}",
            "\0\0",
            r#"{"id":"node1.1.1","time_ms":5,"node":"node1","source":"crm","severity":"info","what":{}}"#,
        ] {
            assert!(Entry::from_json(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_node_that_is_named_like_a_state_is_no_state() {
        let entry =
            |event: Event| Entry::new(EntryId::of_node(&node("n"), 1, 1), 0, node("n"), Source::Crm, event.into());
        let master = node("master");
        let daemon =
            entry(Event::DaemonState { from: crate::event::DaemonState::Slave, to: crate::event::DaemonState::Master });
        assert!(!daemon.is_about_node(&master));
        let sid: ServiceId = "vm:100".parse().unwrap();
        let recovered = entry(Event::ServiceRecovered { sid: sid.clone(), from: node("a"), to: master.clone() });
        assert!(recovered.is_about_node(&master) && recovered.is_about_service(&sid));
        let command = Event::CommandAccepted { command: "migrate vm:100 master".into(), by: None };
        assert!(entry(command.clone()).is_about_node(&master) && entry(command).is_about_service(&sid));
    }
}
