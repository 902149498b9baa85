//! Who is there, where nothing but the content of files is shared: a node is there as long as its file goes on changing.

use std::{collections::BTreeMap, time::Duration};

use ha_core::{host::NodeFigures, id::NodeName, time::Instant};
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
    /// How close its daemons are to their bounds.
    #[serde(default)]
    pub pace: Pace,
    /// What no other beat has.
    #[serde(default)]
    pub mark: String,
    /// Whether it is the last one of its writer, which has gone: whoever has this node's name next need not wait.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub left: bool,
}

/// How close the daemons of a node are to their bounds, in milliseconds: of the two, what is worse.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pace {
    /// What was left until the deadline when the watchdog was last fed; nothing while it is not fed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feed_slack_ms: Option<u64>,
    /// How long the last answer about a lock took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock_ms: Option<u64>,
    /// How long the last round took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub round_ms: Option<u64>,
}

impl Beat {
    /// The node's size, and how much of it is in use.
    #[must_use]
    pub fn figures(&self) -> NodeFigures {
        NodeFigures { max_cpu: self.cpu.0, cpu: self.cpu.1, max_memory: self.memory.0, memory: self.memory.1 }
    }

    /// The former name of [`figures`](Self::figures).
    #[deprecated = "it is called figures"]
    #[must_use]
    pub fn statistics(&self) -> NodeFigures {
        self.figures()
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
            Some(seen) => {
                let left = serde_json::from_slice::<Beat>(content).is_ok_and(|beat| beat.left);
                *seen = Seen { content: content.to_vec(), changed_at: (!left).then_some(read_at) };
            }
            None => {
                self.nodes.insert(node.clone(), Seen { content: content.to_vec(), changed_at: None });
            }
        }
    }

    /// For how long a node's file has not changed, if it was ever seen to change.
    pub(super) fn silent_for(&self, node: &NodeName, now: Instant) -> Option<Duration> {
        self.nodes.get(node)?.changed_at.map(|changed_at| now.since(changed_at))
    }

    /// Whether a node's file has changed within `patience`.
    pub(super) fn is_alive(&self, node: &NodeName, now: Instant, patience: Duration) -> bool {
        let changed_at = self.nodes.get(node).and_then(|seen| seen.changed_at);
        changed_at.is_some_and(|changed_at| now.since(changed_at) <= patience)
    }
}

/// What a node that has just begun sees of the sign of life that is there under its own name, by another hand.
#[derive(Debug, Default)]
pub(super) struct Watched {
    last: Option<(Vec<u8>, Instant)>,
    changes: u32,
}

impl Watched {
    /// A beat that was on its way when its writer died may still come; a second one has a living writer.
    const CHANGES_OF_THE_LIVING: u32 = 2;

    /// Takes note of what is there. Says for how long it has been there, as far as is known.
    pub(super) fn note(&mut self, content: &[u8], read_at: Instant) -> Duration {
        match &mut self.last {
            Some((last, since)) if last == content => read_at.since(*since),
            last => {
                if last.is_some() && serde_json::from_slice::<Beat>(content).is_ok() {
                    self.changes = self.changes.saturating_add(1);
                }
                *last = Some((content.to_vec(), read_at));
                Duration::ZERO
            }
        }
    }

    /// Whether somebody lives who writes it.
    pub(super) fn is_somebodys(&self) -> bool {
        self.changes >= Self::CHANGES_OF_THE_LIVING
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
        seen.note(&node, b"3", Instant::from_secs(7));
        assert!(seen.is_alive(&node, Instant::from_secs(7), patience));
        let last = br#"{"writer":"w","count":4,"version":"1","cpu":[1.0,0.0],"memory":[1,0],"left":true}"#;
        seen.note(&node, last, Instant::from_secs(8));
        assert!(!seen.is_alive(&node, Instant::from_secs(8), patience), "it says that it has gone");
    }

    #[test]
    fn who_watches_sees_a_living_writer_by_the_second_change() {
        let beat = |count: u32| {
            format!(r#"{{"writer":"w","count":{count},"version":"1","cpu":[1.0,0.0],"memory":[1,0]}}"#).into_bytes()
        };
        let mut watched = Watched::default();
        assert_eq!(watched.note(&beat(1), Instant::from_secs(1)), Duration::ZERO);
        assert_eq!(watched.note(&beat(1), Instant::from_secs(5)), Duration::from_secs(4));
        assert_eq!(watched.note(&beat(2), Instant::from_secs(6)), Duration::ZERO, "one may have been on its way");
        assert!(!watched.is_somebodys());
        watched.note(b"{", Instant::from_secs(7));
        assert!(!watched.is_somebodys(), "a write that is seen half way is none");
        watched.note(&beat(3), Instant::from_secs(8));
        assert!(watched.is_somebodys());
    }
}
