//! Who is there, where nothing but the content of files is shared: a node is there as long as its file goes on changing.

use std::{collections::BTreeMap, time::Duration};

use ha_core::{host::NodeStatistics, id::NodeName, time::Instant};
use serde::{Deserialize, Serialize};

/// A node's sign of life.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Beat {
    /// Names the process that wrote it.
    pub writer: String,
    /// Grows with every beat.
    pub count: u64,
    /// The version of the node's software.
    pub version: String,
    /// Cores of the node, and how many are in use.
    pub cpu: (f64, f64),
    /// Bytes of memory of the node, and how many are in use.
    pub memory: (u64, u64),
    /// What resets the node when it stalls, for people; nothing in what older software writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard: Option<String>,
}

impl Beat {
    /// The node's size and load.
    #[must_use]
    pub fn statistics(&self) -> NodeStatistics {
        NodeStatistics { max_cpu: self.cpu.0, cpu: self.cpu.1, max_memory: self.memory.0, memory: self.memory.1 }
    }
}

/// The beats of the other nodes as a node has seen them.
#[derive(Debug, Default)]
pub(super) struct SeenBeats {
    nodes: BTreeMap<NodeName, Seen>,
}

#[derive(Debug)]
struct Seen {
    content: Vec<u8>,
    /// When it was seen to change; not at all as long as only one content was seen, which may be an old one.
    changed_at: Option<Instant>,
}

impl SeenBeats {
    /// Takes note of a node's file.
    pub(super) fn note(&mut self, node: &NodeName, content: &[u8], read_at: Instant) {
        match self.nodes.get_mut(node) {
            Some(seen) if seen.content == content => {}
            Some(seen) => *seen = Seen { content: content.to_vec(), changed_at: Some(read_at) },
            None => {
                self.nodes.insert(node.clone(), Seen { content: content.to_vec(), changed_at: None });
            }
        }
    }

    /// Whether a node's file has changed within `patience`.
    pub(super) fn is_alive(&self, node: &NodeName, now: Instant, patience: Duration) -> bool {
        let changed_at = self.nodes.get(node).and_then(|seen| seen.changed_at);
        changed_at.is_some_and(|changed_at| now.since(changed_at) <= patience)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_alive_only_while_its_file_changes() {
        let node = NodeName::new("node1").unwrap();
        let mut seen = SeenBeats::default();
        let patience = Duration::from_secs(3);
        seen.note(&node, b"1", Instant::from_secs(0));
        assert!(!seen.is_alive(&node, Instant::from_secs(0), patience), "it may be left from long ago");
        seen.note(&node, b"2", Instant::from_secs(2));
        seen.note(&node, b"2", Instant::from_secs(4));
        assert!(seen.is_alive(&node, Instant::from_secs(5), patience));
        assert!(!seen.is_alive(&node, Instant::from_secs(6), patience));
    }
}
