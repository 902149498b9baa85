//! Questions that a cluster answers.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use ha_core::{
    config::DatacenterFile,
    crm::Crm,
    event::{DaemonState, Why},
    id::{NodeName, ServiceId},
    lrm::Lrm,
    manager::{Manager, RoundInput},
    plan::RoundsToCome,
    status::{ClusterView, ManagerStatus, NodeState, StateName, ViewInput},
    time::Instant,
    timing::Timings,
};

use super::{Cluster, ServiceHistory};
use crate::{
    snapshot::Snapshot,
    world::{DaemonKind, Happening, Source, What, World},
};

impl Cluster {
    /// The hardware, network, store and guests.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The timings of all daemons.
    #[must_use]
    pub fn timings(&self) -> &Timings {
        &self.timings
    }

    /// `datacenter.cfg` as it is now.
    #[must_use]
    pub fn datacenter(&self) -> &DatacenterFile {
        &self.datacenter
    }

    /// The manager status as it was last written.
    #[must_use]
    pub fn manager_status(&self) -> Option<&ManagerStatus> {
        self.world.store.manager_status.as_deref()
    }

    /// The state of a service in the manager status; `None` if the manager does not have it.
    #[must_use]
    pub fn service_state(&self, sid: &ServiceId) -> Option<StateName> {
        self.manager_status()?.services.get(sid).map(|entry| entry.state.name())
    }

    /// The state of a node in the manager status; `None` if the manager does not know it.
    #[must_use]
    pub fn node_state(&self, node: &NodeName) -> Option<NodeState> {
        self.manager_status()?.nodes.get(node).copied()
    }

    /// The nodes on which a service runs: at most one, if all is well.
    #[must_use]
    pub fn places(&self, sid: &ServiceId) -> Vec<&str> {
        let nodes = self.world.running().iter().filter(|(_, running)| running.contains(sid));
        nodes.map(|(node, _)| node.as_str()).collect()
    }

    /// The node on which the guest of a service is configured, if it exists.
    #[must_use]
    pub fn guest_node(&self, sid: &ServiceId) -> Option<&NodeName> {
        self.world.guests.get(sid).map(|guest| &guest.node)
    }

    /// The nodes whose CRM takes itself for the master.
    pub fn masters(&self) -> impl Iterator<Item = &NodeName> {
        let is_master = |crm: &Crm| crm.state() == DaemonState::Master;
        self.daemons
            .iter()
            .filter(move |(_, daemons)| daemons.crm.as_ref().is_some_and(is_master))
            .map(|(node, _)| node)
    }

    /// The CRM of a node, if it runs.
    #[must_use]
    pub fn crm(&self, node: &NodeName) -> Option<&Crm> {
        self.daemons.get(node)?.crm.as_ref()
    }

    /// The LRM of a node, if it runs.
    #[must_use]
    pub fn lrm(&self, node: &NodeName) -> Option<&Lrm> {
        self.daemons.get(node)?.lrm.as_ref()
    }

    /// What `status` shows to a person who looks on a node.
    #[must_use]
    pub fn view(&self, node: &NodeName) -> ClusterView {
        let replica = self.world.nodes.get(node).and_then(|node| node.replica.as_ref());
        let store = replica.map_or(&self.world.store, |replica| &replica.store);
        let guests = replica.map_or_else(|| self.world.guest_nodes(), |replica| replica.guests.clone());
        let locations: BTreeMap<ServiceId, NodeName> =
            guests.iter().map(|(sid, guest)| (sid.clone(), guest.node.clone())).collect();
        let lrms = self.world.nodes.keys().map(|node| (node.clone(), store.lrm_status.get(node).map(|lrm| &**lrm)));
        let nothing = ManagerStatus::default();
        ClusterView::new(&ViewInput {
            own_node: node,
            quorate: self.world.is_online(node),
            now: self.now().wall,
            manager: store.manager_status.as_deref().unwrap_or(&nothing),
            lrms: &lrms.collect(),
            resources: &store.resources,
            locations: Some(&locations),
            scheduler: store.datacenter.scheduler.mode,
        })
    }

    /// What placement looks at now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let managers = self.daemons.values().filter_map(|daemons| daemons.crm.as_ref()?.manager());
        let hold = managers.map(Manager::balance_hold).next().unwrap_or_default();
        Snapshot::of(&self.world, hold)
    }

    /// The coming rounds, by what is recorded now, to ask what would follow; nothing as long as there is no master.
    #[must_use]
    pub fn rounds_to_come(&self) -> Option<RoundsToCome> {
        let Snapshot { status, configuration, members, usage, unmanaged, .. } = self.snapshot();
        let master = status.master_node.clone().filter(|node| self.world.is_online(node))?;
        let members = members.into_iter().filter(|node| self.world.nodes.get(node).is_some_and(|node| !node.expelled));
        let input = RoundInput {
            now: self.now(),
            members: members.map(|node| (node.clone(), self.world.is_online(&node))).collect(),
            lrms: self.world.store.lrm_status.clone(),
            configuration,
            unmanaged,
            usage: Some(Arc::new(usage)),
        };
        Some(RoundsToCome { master, timings: self.timings, status: (*status).clone(), input })
    }

    /// Whether nothing keeps the LRM of a node from its work now: nothing that was done to the node, and no call of its daemons that goes
    /// wrong.
    pub(crate) fn is_undisturbed(&self, node: &NodeName) -> bool {
        let world = &self.world;
        let Some((hardware, daemons)) = world.nodes.get(node).zip(self.daemons.get(node)) else { return false };
        let reaches_all = !(hardware.store_fails
            || hardware.refresh_fails
            || hardware.locks_fail
            || hardware.expelled
            || hardware.reads_stale)
            && hardware.unheard.is_empty();
        let paused = daemons.crm_schedule.paused || daemons.lrm_schedule.paused;
        let works = DaemonKind::ALL.into_iter().all(|daemon| daemons.runs(daemon)) && daemons.stopping.is_none();
        let is_struck = self.disturbances.iter().any(|disturbance| disturbance.node == *node)
            || self.invariants.as_ref().is_some_and(|invariants| invariants.is_struck(node, world.time));
        let is_there = world.is_online(node) && !world.taken_over.contains_key(node);
        is_there && reaches_all && works && !paused && !is_struck
    }

    /// What became of a service; `None` if it never had a guest and a configuration at the same time.
    #[must_use]
    pub fn history(&self, sid: &ServiceId) -> Option<&ServiceHistory> {
        self.tracks.get(sid)
    }

    /// What became of all services, by SID.
    pub fn histories(&self) -> impl Iterator<Item = (&ServiceId, &ServiceHistory)> {
        self.tracks.iter()
    }

    /// For how long a service did not run though it should have: from its first start on.
    #[must_use]
    pub fn downtime(&self, sid: &ServiceId) -> Duration {
        self.tracks.get(sid).map_or(Duration::ZERO, |history| history.downtime(self.world.time))
    }

    /// A mark of the present, for [`happenings_since`](Self::happenings_since).
    #[must_use]
    pub fn mark(&self) -> usize {
        self.world.happenings.len()
    }

    /// What happened since a mark; since the start from mark 0.
    #[must_use]
    pub fn happenings_since(&self, mark: usize) -> &[Happening] {
        self.world.happenings.get(mark..).unwrap_or_default()
    }

    /// Keeps from now on why services go where they go: [`why`](Self::why) tells it.
    pub fn keep_reasons(&mut self) {
        self.world.reasons.get_or_insert_default();
    }

    /// Why something was decided so that happened, by its place among all that [happened](Self::happenings_since) since the start.
    /// Nothing if it is no decision about where a service goes, or came before somebody [kept reasons](Self::keep_reasons).
    #[must_use]
    pub fn why(&self, happening: usize) -> Option<&Why> {
        self.world.reasons.as_ref()?.get(&happening)
    }

    /// Takes note of something that a person does, or a tool finds.
    pub fn note(&mut self, at: Instant, source: impl Into<Source>, what: What) {
        self.world.note(at, source, what);
    }

    pub(super) fn is_managed(&self, sid: &ServiceId) -> bool {
        self.world.store.resources.resources.contains_key(sid)
    }
}
