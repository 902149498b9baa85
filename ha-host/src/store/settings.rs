//! The settings of the cluster.

use ha_core::{id::NodeName, timing::Timings};
use serde::{Deserialize, Serialize};

/// What all nodes of the cluster must agree on: `cluster.json` in the store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterSettings {
    /// The members of the cluster.
    pub nodes: Vec<NodeName>,
    /// All timings. A change holds for a node when its daemon is started again; while two nodes have different ones, the
    /// longer lock lifetime of the two should be the older one: see [`FileStore`](super::FileStore).
    #[serde(default)]
    pub timings: Timings,
}
