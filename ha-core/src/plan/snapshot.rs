//! A live cluster as a document, from which a virtual one goes on.

use alloc::{
    collections::BTreeMap,
    string::{String, ToString},
    vec::Vec,
};

use serde::{Deserialize, Serialize};

use crate::{
    host::{NodeFigures, ServiceFigures},
    id::{NodeName, ServiceId},
    status::{LrmStatus, ManagerStatus, Timestamp},
    timing::Timings,
};

/// A cluster at one moment: what `ha snapshot` writes, and `ha-sim run --from` plays on.
///
/// It has no secrets, and nothing of how guests are run. What the records and the configuration have that this version does not know is
/// kept.
///
/// ```
/// use ha_core::plan::ClusterSnapshot;
///
/// let snapshot = ClusterSnapshot::from_json(
///     r#"{"ha_snapshot": 1, "time": 1767225600, "nodes": {"node1": {"online": true}},
///         "manager_status": {"master_node": "node1"}, "configuration": {"resources.cfg": "vm: 100\n"}}"#,
/// )?;
/// assert_eq!(snapshot.configuration["resources.cfg"], "vm: 100\n");
///
/// let error = ClusterSnapshot::from_json("{}").unwrap_err();
/// assert_eq!(error.to_string(), "this is no snapshot of a cluster: 'ha snapshot' writes one");
/// # Ok::<(), ha_core::plan::SnapshotError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClusterSnapshot {
    /// The version of this form: [`VERSION`](Self::VERSION).
    #[serde(rename = "ha_snapshot")]
    pub version: u32,
    /// When it was taken.
    pub time: Timestamp,
    /// The software that wrote it.
    #[serde(default)]
    pub software: String,
    /// The cluster's timings.
    #[serde(default)]
    pub timings: Timings,
    /// Whether nobody acts unless more than half of the members are there. Otherwise whoever reaches the store may.
    #[serde(default)]
    pub needs_majority: bool,
    /// The members.
    pub nodes: BTreeMap<NodeName, NodeInSnapshot>,
    /// The types that services may have beside those that every cluster knows.
    #[serde(default)]
    pub service_types: Vec<String>,
    /// The configuration files by their names.
    #[serde(default)]
    pub configuration: BTreeMap<String, String>,
    /// What the master recorded.
    #[serde(default)]
    pub manager_status: ManagerStatus,
    /// What the LRM of each node recorded.
    #[serde(default)]
    pub lrm_status: BTreeMap<NodeName, LrmStatus>,
    /// The guests, managed or not.
    #[serde(default)]
    pub guests: BTreeMap<ServiceId, GuestInSnapshot>,
    /// The commands that wait for the master, as they are written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<String>,
    /// What could not be read or understood and is not in it, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
}

/// A member of a cluster at one moment.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct NodeInSnapshot {
    /// Whether it is there.
    pub online: bool,
    /// The version of its software, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its size and how much of it is in use, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub figures: Option<NodeFigures>,
}

/// A guest at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GuestInSnapshot {
    /// The node on which it is configured.
    pub node: NodeName,
    /// Whether its agent can move it while it runs.
    #[serde(default)]
    pub moves_live: bool,
    /// The name of its lock, if it is locked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<String>,
    /// Its size, and how much it uses.
    #[serde(default)]
    pub figures: ServiceFigures,
}

/// Why a text is no snapshot that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// It is something else.
    #[error("this is no snapshot of a cluster: 'ha snapshot' writes one")]
    Other,
    /// It is no JSON, or has something that makes no sense.
    #[error("{0}; take the snapshot again with 'ha snapshot'")]
    Content(String),
    /// It is of another version of the form.
    #[error("this snapshot is of form {0}, and this software reads form {version}: use that which wrote it", version = ClusterSnapshot::VERSION)]
    Version(u32),
}

impl ClusterSnapshot {
    /// The version of the form that is written.
    pub const VERSION: u32 = 1;

    /// Reads it from JSON.
    ///
    /// # Errors
    ///
    /// If it is none, is of another version, or can't be understood, with where.
    pub fn from_json(text: &str) -> Result<Self, SnapshotError> {
        #[derive(Deserialize)]
        struct Form {
            ha_snapshot: Option<u32>,
        }
        let content = |error: serde_json::Error| SnapshotError::Content(error.to_string());
        match serde_json::from_str::<Form>(text).map_err(content)?.ha_snapshot {
            Some(Self::VERSION) => serde_json::from_str(text).map_err(content),
            Some(version) => Err(SnapshotError::Version(version)),
            None => Err(SnapshotError::Other),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    const WHOLE: &str = r#"{"ha_snapshot": 1, "time": 1767225600, "nodes": {"node1": {"online": true}},
        "manager_status": {"node_status": {"node1": "online"}, "colour": "blue"},
        "lrm_status": {"node1": {"state": "active", "mood": [1, 2]}},
        "guests": {"proc:web": {"node": "node1", "figures": {"max_cpu": 2, "max_memory": 4096, "cpu": 1, "memory": 7}}}}"#;

    #[test]
    fn what_is_not_known_is_kept() {
        let snapshot = ClusterSnapshot::from_json(WHOLE).unwrap();
        let written = serde_json::to_string(&snapshot).unwrap();
        assert_eq!(ClusterSnapshot::from_json(&written).unwrap(), snapshot);
        assert!(written.contains(r#""colour":"blue""#) && written.contains(r#""mood":[1,2]"#), "{written}");
        assert!(!snapshot.needs_majority && snapshot.timings == Timings::default());
    }

    #[test]
    fn what_can_not_be_used_says_where_and_what_to_do() {
        let error = |text: &str| ClusterSnapshot::from_json(text).unwrap_err().to_string();
        let state = error(&WHOLE.replace(r#""node1": "online"}"#, r#""node1": "on"}"#));
        for part in ["node_status.node1", "'on' is not a node state", "line 2", "ha snapshot"] {
            assert!(state.contains(part), "{part}: {state}");
        }
        assert!(error(&WHOLE.replace(": 1,", ": 2,")).contains("of form 2"));
        assert!(error("hello").contains("line 1 column 1"), "{}", error("hello"));
        assert!(error(&format!("{WHOLE}]")).contains("trailing characters"));
    }
}
