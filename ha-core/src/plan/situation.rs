//! Placement as a function from values to values, for those who have no daemon at hand: tools, and "what if".

use alloc::{borrow::Cow, collections::BTreeSet, vec::Vec};

use serde::{Deserialize, Serialize};

use super::balance_plan::{LeftAlone, LeftAloneReason};
use crate::{
    config::{OrderedMap, RequestedState, Resource},
    host::{Configuration, HostFigures, UnmanagedGuest},
    id::{NodeName, ServiceId},
    placement::{
        Balance, BalanceHold, BalanceOutcome, Change, Counterfactual, Decider, Explanation, Immovable, Placement,
        PlacementError, Preference, Scene, SituationFinding, Subject, all_findings, counterfactual, explain,
        explain_with,
    },
    status::{ManagerStatus, ServiceEntry, ServiceState, ServiceTable},
};

/// All that placement looks at.
///
/// ```
/// use ha_core::{
///     config::{Resource, ResourcesConfig},
///     host::Configuration,
///     id::{NodeName, ServiceId},
///     placement::{Decider, Preference},
///     plan::Situation,
///     status::{ManagerStatus, NodeState, ServiceEntry, ServiceState},
/// };
///
/// let nodes = [NodeName::new("node1")?, NodeName::new("node2")?];
/// let web = ServiceId::new("vm:100")?;
/// let mut status = ManagerStatus::default();
/// status.nodes.extend(nodes.iter().map(|node| (node.clone(), NodeState::Online)));
/// status.services.insert(web.clone(), ServiceEntry::new(ServiceState::Started { confirmed: true }, nodes[0].clone()));
/// let configuration = Configuration::default();
/// let situation = Situation::new(&status, &configuration, &nodes);
///
/// let explanation = situation.explain(&web, Preference::None)?;
/// assert_eq!((explanation.answer.as_ref(), explanation.decided_by), (Some(&nodes[0]), Decider::Stay));
/// assert_eq!(situation.select(&web, Preference::BestScore)?.as_ref(), Some(&nodes[1]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// The states of nodes and services.
    pub status: &'a ManagerStatus,
    /// What is configured.
    pub configuration: &'a Configuration,
    /// All members of the cluster, online or not. The rules are checked against them.
    pub members: &'a [NodeName],
    /// The figures of nodes and services, for the schedulers that look at them.
    pub usage: Option<&'a HostFigures>,
    /// Guests that are not managed.
    pub unmanaged: &'a [UnmanagedGuest],
}

/// Where a service goes when its node fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    /// The service.
    pub sid: ServiceId,
    /// The node that failed.
    pub from: NodeName,
    /// Where it goes; nothing if there is no node for it.
    pub to: Option<NodeName>,
    /// What decided.
    pub decided_by: Decider,
}

impl<'a> Situation<'a> {
    /// A situation without figures and without unmanaged guests.
    #[must_use]
    pub fn new(status: &'a ManagerStatus, configuration: &'a Configuration, members: &'a [NodeName]) -> Self {
        Self { status, configuration, members, usage: None, unmanaged: &[] }
    }

    fn scene(&self) -> Scene<'a> {
        Scene {
            status: Cow::Borrowed(self.status),
            rules: self.configuration.rule_set(),
            members: self.members.to_vec(),
            failback: None,
            cost: None,
            configuration: self.configuration,
            usage: self.usage,
            unmanaged: self.unmanaged,
        }
    }

    /// Evaluates the rules and adds up the loads, to ask several questions of one situation.
    #[must_use]
    pub fn prepare(&self) -> Prepared<'a> {
        let scene = self.scene();
        let (placement, _) = scene.placement();
        Prepared { disarmed: self.status.disarm.is_some(), scene, placement }
    }

    /// The node where a service should be, if there is one.
    ///
    /// # Errors
    ///
    /// If the manager status does not have the service.
    pub fn select(&self, sid: &ServiceId, preference: Preference) -> Result<Option<NodeName>, PlacementError> {
        self.prepare().select(sid, preference)
    }

    /// Where a service should be, and why.
    ///
    /// # Errors
    ///
    /// If the manager status does not have the service.
    pub fn explain(&self, sid: &ServiceId, preference: Preference) -> Result<Explanation, PlacementError> {
        explain(&self.scene(), sid, preference)
    }

    /// Where a service would be with changes, and why: "what if".
    ///
    /// # Errors
    ///
    /// If the manager status does not have the service.
    pub fn explain_with(
        &self,
        sid: &ServiceId,
        preference: Preference,
        changes: &[Change],
    ) -> Result<Explanation, PlacementError> {
        explain_with(self.scene(), sid, preference, changes)
    }

    /// What would have to be different for a service to go to a node.
    ///
    /// # Errors
    ///
    /// If there is no such service or node.
    pub fn counterfactual(
        &self,
        sid: &ServiceId,
        preference: Preference,
        node: &NodeName,
    ) -> Result<Counterfactual, PlacementError> {
        counterfactual(self.scene(), sid, preference, node)
    }

    /// What the answers of this situation leave out of account: rules that are dropped, names that nothing has, figures that
    /// are missing.
    ///
    /// Ordered by what it is about. Whoever shows an answer shows these too: without the rules that they name, it may be
    /// another one than was meant.
    #[must_use]
    pub fn findings(&self) -> Vec<SituationFinding> {
        all_findings(&self.scene())
    }

    /// What automatic balancing would do: see [`Prepared::balance`].
    #[must_use]
    pub fn balance(&self, hold: BalanceHold, count: usize) -> Balance {
        self.prepare().balance(hold, count)
    }

    /// Where the services of these nodes would go if the nodes failed now and were fenced, in the order in which they would
    /// be recovered.
    ///
    /// Services that would be left where they are, since they are disabled, frozen or in error, are not named.
    ///
    /// # Errors
    ///
    /// If one of the nodes is neither a member nor in the manager status.
    pub fn after_failure(&self, nodes: &[NodeName]) -> Result<Vec<Recovery>, PlacementError> {
        let known = |node: &NodeName| self.members.contains(node) || self.status.nodes.contains_key(node);
        if let Some(unknown) = nodes.iter().find(|node| !known(node)) {
            return Err(PlacementError::NoSuchNode(unknown.clone()));
        }
        Ok(self.prepare().after_loss(nodes))
    }
}

/// A situation in which rules are evaluated and loads added up.
#[derive(Debug, Clone)]
pub struct Prepared<'a> {
    scene: Scene<'a>,
    placement: Placement,
    disarmed: bool,
}

impl Prepared<'_> {
    /// The node where a service should be, if there is one.
    ///
    /// # Errors
    ///
    /// If the manager status does not have the service.
    pub fn select(&mut self, sid: &ServiceId, preference: Preference) -> Result<Option<NodeName>, PlacementError> {
        let subject = self.scene.subject(sid, preference, &self.placement)?;
        let node = self.placement.select(subject, &mut ());
        Ok(node.and_then(|node| self.placement.node(node)).cloned())
    }

    /// What automatic balancing would do in the next round, with the best `count` moves that there are. With 0 moves are
    /// looked for only if one will be carried out, as in a round.
    ///
    /// `hold` is for how long the imbalance has been too high already.
    #[must_use]
    pub fn balance(&self, hold: BalanceHold, count: usize) -> Balance {
        let config = &self.scene.configuration.datacenter.scheduler;
        if self.disarmed {
            return Balance::nothing(config, BalanceOutcome::Disarmed);
        }
        let mut hold = hold;
        let resources = &self.scene.configuration.resources.resources;
        let services = &self.scene.status.services;
        let may_move = |service: usize| may_be_moved(resources, services, service);
        self.placement.balance(services, config, &may_move, &mut hold, count)
    }

    /// The running services that balancing can't move, whatever the loads are. Those of them that are `suspended` are configured so that
    /// they may not be moved.
    pub(super) fn left_alone(&self, suspended: &BTreeSet<ServiceId>) -> Vec<LeftAlone> {
        let resources = &self.scene.configuration.resources.resources;
        let services = &self.scene.status.services;
        let may_move = |service: usize| may_be_moved(resources, services, service);
        let left_alone = self.placement.immovable(services, &may_move).into_iter().filter_map(|(service, why)| {
            let (sid, entry) = services.at(service)?;
            let reason = match why {
                Immovable::ByItself if suspended.contains(sid) => LeftAloneReason::Suspended,
                Immovable::ByItself => LeftAloneReason::SwitchedOff,
                Immovable::Together { with } => LeftAloneReason::Together { with: services.at(with)?.0.clone() },
                Immovable::NotMeasured => LeftAloneReason::NotMeasured,
                Immovable::Rule { rule } => LeftAloneReason::NodeAffinity { rule },
                Immovable::NoTarget => LeftAloneReason::NoOtherNode,
            };
            Some(LeftAlone { sid: sid.clone(), node: entry.node.clone(), reason })
        });
        left_alone.collect()
    }

    /// Where the services of these nodes would go if the nodes failed now and were fenced: see [`Situation::after_failure`].
    pub(super) fn after_loss(&self, lost: &[NodeName]) -> Vec<Recovery> {
        let (mut placement, _) = self.scene.placement_without(lost, self.placement.shared_rules());
        let mut waiting = Vec::new();
        for (service, (sid, entry)) in self.scene.status.services.iter().enumerate() {
            let resource = self.scene.configuration.resources.resources.get(sid);
            if lost.contains(&entry.node)
                && let Some(requested) = resource.map(Resource::state)
                && is_recovered(entry, requested)
            {
                let entry = ServiceEntry { state: ServiceState::Recovery, ..entry.clone() };
                placement.update(service, &entry);
                waiting.push((service, sid, entry, requested));
            }
        }
        let recoveries = waiting.into_iter().filter_map(|(service, sid, entry, requested)| {
            let subject = self.scene.subject(sid, Preference::BestScore, &placement).ok()?;
            let mut decided_by = Decider::NothingLeft;
            let to = placement.select(Subject { entry: &entry, ..subject }, &mut decided_by);
            let to = to.and_then(|node| placement.node(node)).cloned();
            if let Some(to) = &to {
                let state = if requested == RequestedState::Started {
                    ServiceState::Started { confirmed: false }
                } else {
                    ServiceState::RequestStop { timeout: None }
                };
                placement.update(service, &ServiceEntry::new(state, to.clone()));
            }
            Some(Recovery { sid: sid.clone(), from: entry.node, to, decided_by })
        });
        recoveries.collect()
    }
}

/// Whether balancing may move the service at a position of the table, by its own configuration.
fn may_be_moved(resources: &OrderedMap<ServiceId, Resource>, services: &ServiceTable, service: usize) -> bool {
    let resource = services.at(service).and_then(|(sid, _)| resources.get(sid));
    resource.is_none_or(Resource::auto_rebalance)
}

/// Whether a service is recovered when its node fails.
fn is_recovered(entry: &ServiceEntry, requested: RequestedState) -> bool {
    match entry.state {
        ServiceState::Stopped => requested != RequestedState::Disabled,
        ServiceState::RequestStop { .. }
        | ServiceState::RequestStart
        | ServiceState::RequestStartBalance { .. }
        | ServiceState::Started { .. }
        | ServiceState::Fence
        | ServiceState::Recovery
        | ServiceState::Migrate { .. }
        | ServiceState::Relocate { .. } => true,
        ServiceState::Freeze | ServiceState::Error => false,
    }
}
