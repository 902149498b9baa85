//! Whether services are as ready as is told of them.

use std::collections::BTreeMap;

use ha_core::{
    event::Event,
    host::{HostError, ProbeProgress},
    id::{NodeName, ServiceId},
};

use super::{Invariant, belief::Wrong};

/// What the LRM of each node heard last of its services' probes: whether they are ready.
#[derive(Debug, Clone, Default)]
pub(super) struct Heard(BTreeMap<(NodeName, ServiceId), bool>);

impl Heard {
    /// The LRM of a node gets an answer.
    pub(super) fn hears(&mut self, node: &NodeName, sid: &ServiceId, answer: &Result<ProbeProgress, HostError>) {
        self.0.insert((node.clone(), sid.clone()), *answer == Ok(ProbeProgress::Ready));
    }

    /// The LRM of a node tells something.
    #[allow(clippy::wildcard_enum_match_arm, reason = "the others are about no readiness")]
    pub(super) fn tells(&self, node: &NodeName, event: &Event) -> Option<Wrong> {
        let (sid, told) = match event {
            Event::ServiceReady { sid } => (sid, true),
            Event::ServiceNotReady { sid, .. } => (sid, false),
            _ => return None,
        };
        let heard = self.0.get(&(node.clone(), sid.clone())).copied();
        let details = || format!("{node} tells of {sid} that it is ready: {told}, and has heard {heard:?} last");
        (heard != Some(told)).then(|| (Invariant::ReadinessIsTrue, details()))
    }
}
