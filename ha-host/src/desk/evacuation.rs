//! What becomes of the services of nodes that are taken down for a while, and of the cluster meanwhile.

use std::collections::BTreeMap;

use ha_core::{
    id::{NodeName, ServiceId},
    plan::Tolerance,
    status::{Command, ServiceState, StateName},
};
use serde::Serialize;

use super::{Change, Consequence, Present, foresee, tolerance_with_remedies};

/// What follows from maintenance of nodes, from its beginning to its end.
#[derive(Debug, Clone, Serialize)]
pub struct Evacuation {
    /// The nodes.
    pub nodes: Vec<NodeName>,
    /// What happens to services when it begins.
    pub leaving: Vec<Consequence>,
    /// The services that may still run on the nodes then, and so are interrupted when these go down.
    pub interrupted: Vec<ServiceId>,
    /// Whether the loss of one more node is survived meanwhile.
    pub meanwhile: Tolerance,
    /// What happens to services when it ends.
    pub returning: Vec<Consequence>,
    /// The services that are elsewhere afterwards than now.
    pub elsewhere: Vec<Elsewhere>,
}

/// A service that does not return to where it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Elsewhere {
    /// The service.
    pub sid: ServiceId,
    /// Where it is now.
    pub now: NodeName,
    /// Where it is afterwards.
    pub then: NodeName,
}

impl Evacuation {
    /// Whether no service is interrupted, and the loss of one more node would be survived meanwhile.
    #[must_use]
    pub fn is_without_doubt(&self) -> bool {
        self.interrupted.is_empty() && self.meanwhile.survives > 0
    }
}

/// What follows from maintenance of these nodes and from its end. `None` if no node could be the master.
#[must_use]
pub fn evacuation(present: &Present, nodes: &[NodeName]) -> Option<Evacuation> {
    evacuation_with_end(present, nodes).map(|(evacuation, _)| evacuation)
}

/// The same, and the cluster as it is when all is over.
pub(super) fn evacuation_with_end(present: &Present, nodes: &[NodeName]) -> Option<(Evacuation, Present)> {
    let all = |command: fn(NodeName) -> Command| Change {
        commands: nodes.iter().cloned().map(command).collect(),
        ..Change::default()
    };
    let begins = foresee(present, &all(|node| Command::EnableNodeMaintenance { node }))?;
    let meanwhile = begins.afterwards;
    let ends = foresee(&meanwhile, &all(|node| Command::DisableNodeMaintenance { node }))?;
    let (now, then) = (places(present), places(&ends.afterwards));
    let elsewhere = now.iter().filter_map(|(sid, now)| {
        let then = then.get(sid).filter(|then| *then != now)?;
        Some(Elsewhere { sid: (*sid).clone(), now: (*now).clone(), then: (*then).clone() })
    });
    let evacuation = Evacuation {
        nodes: nodes.to_vec(),
        leaving: begins.consequences,
        interrupted: interrupted(&meanwhile, nodes),
        meanwhile: tolerance_with_remedies(&meanwhile, 1),
        returning: ends.consequences,
        elsewhere: elsewhere.collect(),
    };
    Some((evacuation, ends.afterwards))
}

fn places(present: &Present) -> BTreeMap<&ServiceId, &NodeName> {
    present.status.services.iter().map(|(sid, entry)| (sid, &entry.node)).collect()
}

/// The services on these nodes that may run.
pub(super) fn interrupted(present: &Present, nodes: &[NodeName]) -> Vec<ServiceId> {
    let may_run = |state: &ServiceState| state.name() != StateName::Stopped;
    let there =
        present.status.services.iter().filter(|(_, entry)| nodes.contains(&entry.node) && may_run(&entry.state));
    there.map(|(sid, _)| sid.clone()).collect()
}
