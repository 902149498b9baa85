//! All that placement looks at, as plain values: what a decision beside the rounds is made from.

use alloc::{borrow::Cow, sync::Arc, vec::Vec};

use super::{Placement, PlacementRules, Preference, Shortfall, Subject};
use crate::{
    config::{RequestedState, datacenter::SchedulerMode},
    host::{Configuration, HostFigures, UnmanagedGuest},
    id::{NodeName, ServiceId},
    rules::{RuleSet, effective_failback, evaluate},
    status::{ManagerStatus, NodeState},
};

/// Why placement has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlacementError {
    /// The manager status has no such service.
    #[error("the manager status has no service '{0}'")]
    NoSuchService(ServiceId),
    /// There is no such node.
    #[error("the cluster has no node '{0}'")]
    NoSuchNode(NodeName),
    /// No changes were found with which the service would go to the node.
    #[error("nothing is known that would bring '{sid}' to node '{node}'")]
    NoWay {
        /// The service.
        sid: ServiceId,
        /// The node.
        node: NodeName,
    },
}

/// All that placement looks at, with what is assumed to be different.
#[derive(Debug, Clone)]
pub(crate) struct Scene<'a> {
    pub(crate) status: Cow<'a, ManagerStatus>,
    pub(crate) rules: RuleSet,
    pub(crate) members: Vec<NodeName>,
    /// Whether the service in question fails back, if that is assumed.
    pub(crate) failback: Option<bool>,
    /// A cost that a node is assumed to have.
    pub(crate) cost: Option<(NodeName, f64)>,
    pub(crate) configuration: &'a Configuration,
    pub(crate) usage: Option<&'a HostFigures>,
    pub(crate) unmanaged: &'a [UnmanagedGuest],
}

impl Scene<'_> {
    /// The scheduler that is configured.
    pub(crate) fn scheduler(&self) -> SchedulerMode {
        self.configuration.datacenter.scheduler.mode
    }

    pub(crate) fn placement(&self) -> (Placement, Shortfall) {
        let rules = PlacementRules::new(evaluate(&self.rules, &self.members).compiled, &self.status.services);
        self.placement_without(&[], Arc::new(rules))
    }

    /// The same without some of the nodes that are online, by rules that are made for the services already.
    pub(crate) fn placement_without(&self, lost: &[NodeName], rules: Arc<PlacementRules>) -> (Placement, Shortfall) {
        let services = &self.status.services;
        let is_online = |(node, state): &(&NodeName, &NodeState)| **state == NodeState::Online && !lost.contains(node);
        let online = self.status.nodes.iter().filter(is_online).map(|(node, _)| node.clone()).collect();
        let (mut placement, shortfall) =
            Placement::new(online, services, self.unmanaged, rules, self.scheduler(), self.usage);
        placement.note_strangers(&self.status.not_understood, services);
        placement.fails_back = alloc::vec![true; placement.groups()];
        for (service, (sid, _)) in services.iter().enumerate() {
            if let Some(group) = placement.group_of(service)
                && let Some(all) = placement.fails_back.get_mut(group)
            {
                *all &= self.fails_back(sid, false);
            }
        }
        placement.note_returns(&self.status.returned_nodes, |service| {
            let (sid, _) = services.at(service)?;
            let resource = self.configuration.resources.resources.get(sid)?;
            resource.failback_delay().filter(|_| resource.state() == RequestedState::Started)
        });
        if self.configuration.datacenter.flapping_hold.is_some() {
            placement.note_holds(&self.status.fenced_nodes);
        }
        placement.assumed =
            self.cost.as_ref().and_then(|(node, cost)| placement.position(node).map(|node| (node, *cost)));
        (placement, shortfall)
    }

    pub(crate) fn subject(
        &self,
        sid: &ServiceId,
        preference: Preference,
        placement: &Placement,
    ) -> Result<Subject<'_>, PlacementError> {
        let unknown = || PlacementError::NoSuchService(sid.clone());
        let service = self.status.services.position(sid).ok_or_else(unknown)?;
        let (_, entry) = self.status.services.at(service).ok_or_else(unknown)?;
        // All that must be together fail back or none does.
        let of_group = placement.group_of(service).and_then(|group| placement.fails_back.get(group));
        let failback = self.fails_back(sid, true) && of_group.is_none_or(|all| *all);
        Ok(Subject { service, entry, failback: self.failback.unwrap_or(failback), preference })
    }

    /// Whether a service fails back, as far as it is the one in question or is to run.
    fn fails_back(&self, sid: &ServiceId, in_question: bool) -> bool {
        let resource = self.configuration.resources.resources.get(sid);
        resource.is_none_or(|resource| {
            effective_failback(resource, &self.configuration.groups)
                || !(in_question || resource.state() == RequestedState::Started)
        })
    }
}
