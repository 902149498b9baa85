//! Guests: what the services are made of, each a small JSON document in the store.

use std::{collections::BTreeMap, path::PathBuf};

use ha_core::id::NodeName;
use serde::{Deserialize, Serialize};

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
    pub agent: AgentKind,
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

/// What runs a guest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum AgentKind {
    /// A process with its children.
    Proc(ProcGuest),
    /// A program that knows the verbs of [`crate::agent::ExecAgent`].
    Exec(ExecGuest),
    /// A systemd unit.
    Unit(UnitGuest),
}

/// A process that is started and watched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcGuest {
    /// The program and its arguments. No shell is between.
    pub command: Vec<String>,
    /// The directory in which it is started; `/` if none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<PathBuf>,
    /// Variables that are added to its environment.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// Seconds from SIGTERM to SIGKILL when it is stopped and nobody says another time.
    #[serde(default = "default_grace")]
    pub grace_s: u32,
}

/// A program of one's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExecGuest {
    /// The program and its first arguments; the verb and its arguments come after them.
    pub command: Vec<String>,
    /// Seconds that a verb may take, where no other time is asked for.
    #[serde(default = "default_verb_timeout")]
    pub timeout_s: u32,
}

/// A systemd unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitGuest {
    /// The unit, such as `nginx.service`.
    pub unit: String,
    /// Seconds that a start or stop may take, where no other time is asked for.
    #[serde(default = "default_verb_timeout")]
    pub timeout_s: u32,
}

fn default_grace() -> u32 {
    10
}

fn default_verb_timeout() -> u32 {
    60
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_zero_bytes(value: &u64) -> bool {
    *value == 0
}
