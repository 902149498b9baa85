//! Guests: what the services are made of, each a small JSON document in the store.
//!
//! The store knows of a guest where it is, who keeps others away from it, and how large it is. What runs it, and how, only its agent
//! understands.

use std::{fmt, sync::Arc};

use ha_core::id::NodeName;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, MapAccess, Visitor},
    ser::SerializeMap,
};
use serde_json::Value;

/// A guest: where it is configured, and how it is run.
///
/// ```
/// let text = r#"{"node": "node1", "agent": {"proc": {"command": ["/usr/bin/sleep", "1000"]}}}"#;
/// let guest: ha_host::store::GuestDefinition = serde_json::from_str(text)?;
/// assert_eq!(guest.node.as_str(), "node1");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuestDefinition {
    /// The node on which it is configured: no other node may run it.
    pub node: NodeName,
    /// How it is run.
    pub agent: AgentDefinition,
    /// The live move whose destination goes on instead of being started again: see [`LiveMove`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<String>,
    /// A lock by which some operation of this name keeps others away from the guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<String>,
    /// Cores that it may use; 0 is no limit. For the static and dynamic schedulers.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub max_cpu: f64,
    /// Bytes of memory that it may use. For the static and dynamic schedulers.
    #[serde(default, skip_serializing_if = "is_zero_bytes")]
    pub max_memory: u64,
}

/// What runs a guest: `{"proc": {"command": ["/usr/bin/web"]}}` for one of the kind `proc`.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentDefinition {
    /// The kind of guest, which says which agent runs it.
    pub kind: String,
    /// What the definition says to the agent, and nobody else reads.
    pub settings: Value,
}

impl AgentDefinition {
    /// A guest of this kind.
    ///
    /// # Errors
    ///
    /// If the settings can't be written as JSON.
    pub fn new(kind: &str, settings: &impl Serialize) -> Result<Self, serde_json::Error> {
        Ok(Self { kind: kind.to_owned(), settings: serde_json::to_value(settings)? })
    }
}

impl Serialize for AgentDefinition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(&self.kind, &self.settings)?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for AgentDefinition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OneKind)
    }
}

/// Reads an object with one key.
struct OneKind;

impl<'de> Visitor<'de> for OneKind {
    type Value = AgentDefinition;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with one kind of guest, such as {\"proc\": {…}}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<AgentDefinition, A::Error> {
        let (kind, settings) = map.next_entry()?.ok_or_else(|| A::Error::invalid_length(0, &self))?;
        match map.next_key::<String>()? {
            None => Ok(AgentDefinition { kind, settings }),
            Some(_) => Err(A::Error::invalid_length(2, &self)),
        }
    }
}

/// Sees whether the agent of a guest understands its definition; the answer says why it does not, in words.
#[derive(Clone)]
pub struct DefinitionCheck(Arc<Check>);

type Check = dyn Fn(&AgentDefinition) -> Result<(), String> + Send + Sync;

impl DefinitionCheck {
    /// A check. `ha_host` has one for all [kinds](crate::agents::Kinds::checker).
    pub fn new(check: impl Fn(&AgentDefinition) -> Result<(), String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(check))
    }

    /// Where nobody is there who would understand definitions.
    #[must_use]
    pub fn none() -> Self {
        Self::new(|_| Ok(()))
    }

    pub(super) fn check(&self, definition: &AgentDefinition) -> Result<(), String> {
        (self.0)(definition)
    }
}

impl fmt::Debug for DefinitionCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DefinitionCheck")
    }
}

/// A live move that is under way: how the two nodes find each other.
///
/// The source asks for a destination by putting this into the store; the target's daemon starts one, which waits, and
/// adds its address. Once all of the guest is there and the source stands still, the source makes the target the guest's node.
/// From then on, and only then, the target lets its destination run, if [`GuestDefinition::resume`] names that very move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveMove {
    /// Unlike all others.
    pub id: String,
    /// Where the guest runs.
    pub source: NodeName,
    /// Where it is to run.
    pub target: NodeName,
    /// What the target says to it, once it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<MoveAnswer>,
}

/// What the target of a live move says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MoveAnswer {
    /// Where its destination waits, as QEMU writes it.
    Ready(String),
    /// Why there is no destination.
    Refused(String),
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_zero_bytes(value: &u64) -> bool {
    *value == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_keeps_what_the_store_does_not_understand() {
        let text = r#"{"node":"node1","agent":{"dream":{"colour":"blue","depth":[1,2.5]}},"max_memory":7}"#;
        let guest: GuestDefinition = serde_json::from_str(text).unwrap();
        assert_eq!(guest.agent.kind, "dream");
        assert_eq!(serde_json::to_string(&guest).unwrap(), text);
    }

    #[test]
    fn a_guest_is_of_one_kind() {
        for agent in [r#"{}"#, r#"{"proc": {}, "vm": {}}"#, r#""proc""#] {
            let error = serde_json::from_str::<AgentDefinition>(agent).unwrap_err().to_string();
            assert!(error.contains("one kind of guest"), "{agent}: {error}");
        }
    }
}
