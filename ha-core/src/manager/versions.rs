//! Whether all nodes know what older software does not.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::String,
};

use super::RoundHost;
use crate::{
    event::Event,
    host::{self, HostOperation},
    id::NodeName,
    status::{ManagerStatus, NodeState},
    version::compare_versions,
};

/// Which nodes know something, by the versions of their software.
#[derive(Debug, Clone, Default)]
pub(super) struct KnownVersions {
    /// Nodes that are online and know it.
    known_by: BTreeSet<NodeName>,
    /// Nodes that do not, each with its version as it was reported.
    unknown_by: BTreeMap<NodeName, String>,
}

impl KnownVersions {
    /// Whether no node is known to have a version before `wanted`. Tells of each that has, once.
    pub(super) fn are_at_least(
        &mut self,
        wanted: &str,
        status: &ManagerStatus,
        host: &mut (impl RoundHost + ?Sized),
        told: fn(NodeName, String) -> Event,
    ) -> bool {
        self.known_by.retain(|node| status.is_online(node));
        self.unknown_by.retain(|node, _| status.nodes.contains_key(node));
        let may_be_there = status.nodes.iter().filter(|(_, state)| **state != NodeState::Gone);
        for node in may_be_there.map(|(node, _)| node) {
            if self.known_by.contains(node) {
                continue;
            }
            let version = host.software_version(node);
            match host::answer(host, HostOperation::SoftwareVersion, version).flatten() {
                Some(version) if compare_versions(&version, wanted).is_lt() => {
                    if self.unknown_by.get(node) != Some(&version) {
                        self.unknown_by.insert(node.clone(), version.clone());
                        host.event(told(node.clone(), version));
                    }
                }
                Some(_) | None => {
                    self.unknown_by.remove(node);
                    if status.is_online(node) {
                        self.known_by.insert(node.clone());
                    }
                }
            }
        }
        self.unknown_by.is_empty()
    }
}
