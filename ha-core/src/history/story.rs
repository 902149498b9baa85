//! The story of a recovery, for the tests of this room.

use alloc::{vec, vec::Vec};

use super::{Entry, EntryId, Source};
use crate::{
    event::Event,
    id::{NodeName, ServiceId},
    status::NodeState,
};

pub(super) fn node(name: &str) -> NodeName {
    NodeName::new(name).unwrap()
}

/// What the master on `node1` tells, an entry every 4 s from number 1: `node3` is lost and fenced, and `vm:100` runs on `node1` again.
/// The last sign of life was a second before the first entry.
pub(super) fn recovery() -> Vec<Entry> {
    let (node1, node3) = (node("node1"), node("node3"));
    let sid = ServiceId::new("vm:100").unwrap();
    let state = |from, to| Event::NodeState { node: node3.clone(), from, to };
    let events = vec![
        state(NodeState::Online, NodeState::Unknown),
        state(NodeState::Unknown, NodeState::Fence),
        Event::FenceAcknowledged { node: node3.clone() },
        Event::ServiceRecovered { sid: sid.clone(), from: node3.clone(), to: node1.clone() },
        Event::AgentStarted { sid },
    ];
    let entries = (1..).zip(events).map(|(number, event)| {
        let time_ms = i64::try_from(number).unwrap().saturating_mul(4_000);
        let entry = Entry::new(EntryId::of_node(&node1, 1, number), time_ms, node1.clone(), Source::Crm, event.into());
        Entry { position: Some(number), ..entry.after_silence(1_000) }
    });
    entries.collect()
}
