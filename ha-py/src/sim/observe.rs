//! Questions that a virtual cluster answers.

use std::{collections::BTreeMap, sync::Arc};

use ha_core::{
    config,
    event::DaemonState,
    host,
    status::{LrmState, NodeState, StateName},
};
use ha_sim::cluster::ServiceHistory;
use pyo3::prelude::*;
use serde_json::json;

use super::{Cluster, happening::Shown};
use crate::{
    config::{Configuration, DatacenterFile, FenceConfig, GroupsConfig, NodesConfig, ResourcesConfig, RulesConfig},
    convert::{Name, Node, Out, Sid, W, data_by},
    placement::Situation,
    raise,
    status::{ClusterView, LrmStatus, ManagerStatus},
    timing::Timings,
};

/// What became of a service, with its downtime up to now.
#[derive(Debug)]
pub(crate) struct History {
    history: ServiceHistory,
    now: ha_core::time::Instant,
}

data_by! {
    History = "pyha.sim" "ServiceHistory" by |History { history, now }| json!({
        "began_on": history.began_on,
        "down_since": history.down_since.map(|since| since.since_start().as_secs_f64()),
        "downtime": history.downtime(*now).as_secs_f64(),
        "recoveries": history.recoveries,
    });
}

#[pymethods]
impl Cluster {
    /// The names of the nodes.
    #[getter]
    fn nodes(&self, py: Python<'_>) -> Vec<Node> {
        self.with(py, |cluster| cluster.world().nodes.keys().cloned().map(Name).collect())
    }

    /// The guests, managed or not.
    #[getter]
    fn guests(&self, py: Python<'_>) -> Vec<Sid> {
        self.with(py, |cluster| cluster.world().guests.keys().cloned().map(Name).collect())
    }

    /// The timings of all daemons.
    #[getter]
    fn timings(&self, py: Python<'_>) -> Timings {
        Timings(self.with(py, |cluster| *cluster.timings()))
    }

    /// What is configured now, as a configuration of its own.
    #[getter]
    fn configuration(&self, py: Python<'_>) -> Configuration {
        let (resources, groups, rules, nodes, datacenter, fence, guests) = self.with(py, |cluster| {
            let store = &cluster.world().store;
            let guests: host::Guests =
                cluster.world().guests.iter().map(|(sid, guest)| (sid.clone(), guest.node.clone())).collect();
            let datacenter = cluster.datacenter().clone();
            (
                store.resources.clone(),
                store.groups.clone(),
                store.rules.clone(),
                store.nodes.clone(),
                datacenter,
                store.fence.clone(),
                Arc::new(guests),
            )
        });
        let fence = fence.map(|fence| FenceConfig {
            file: Arc::new(config::fence::FenceFile { config: Ok(fence.as_ref().clone()), warnings: Vec::new() }),
        });
        Configuration::of(crate::config::Parts {
            resources: ResourcesConfig { config: resources, problems: Arc::default() },
            groups: GroupsConfig { config: groups, problems: Arc::default() },
            rules: RulesConfig { config: rules, problems: Arc::default() },
            nodes: NodesConfig { config: nodes, problems: Arc::default() },
            datacenter: DatacenterFile { file: datacenter, problems: Arc::default() },
            fence,
            guests,
            ..crate::config::Parts::default()
        })
    }

    /// The manager status as it was last written.
    #[getter]
    fn manager_status(&self, py: Python<'_>) -> Option<ManagerStatus> {
        self.with(py, |cluster| cluster.world().store.manager_status.clone()).map(ManagerStatus)
    }

    /// The record of a node's LRM as it was last written.
    fn lrm_status(&self, py: Python<'_>, node: Node) -> Option<LrmStatus> {
        self.with(py, |cluster| cluster.world().store.lrm_status.get(&node.0).cloned()).map(LrmStatus)
    }

    /// The state of a service in the manager status; ``None`` if the manager does not have it.
    fn service_state(&self, py: Python<'_>, sid: Sid) -> Option<W<StateName>> {
        self.with(py, |cluster| cluster.service_state(&sid.0)).map(W)
    }

    /// The state of a node in the manager status; ``None`` if the manager does not know it.
    fn node_state(&self, py: Python<'_>, node: Node) -> Option<W<NodeState>> {
        self.with(py, |cluster| cluster.node_state(&node.0)).map(W)
    }

    /// The nodes on which a service runs: at most one, if all is well.
    fn places(&self, py: Python<'_>, sid: Sid) -> Vec<String> {
        self.with(py, |cluster| cluster.places(&sid.0).into_iter().map(str::to_owned).collect())
    }

    /// The node on which the guest of a service is configured, if it exists.
    fn guest_node(&self, py: Python<'_>, sid: Sid) -> Option<Node> {
        self.with(py, |cluster| cluster.guest_node(&sid.0).cloned()).map(Name)
    }

    /// The nodes whose CRM takes itself for the master.
    #[getter]
    fn masters(&self, py: Python<'_>) -> Vec<Node> {
        self.with(py, |cluster| cluster.masters().cloned().map(Name).collect())
    }

    /// The state of a node's CRM, if it runs.
    fn crm_state(&self, py: Python<'_>, node: Node) -> Option<W<DaemonState>> {
        self.with(py, |cluster| cluster.crm(&node.0).map(|crm| crm.state())).map(W)
    }

    /// The state of a node's LRM, if it runs.
    fn lrm_state(&self, py: Python<'_>, node: Node) -> Option<W<LrmState>> {
        self.with(py, |cluster| cluster.lrm(&node.0).map(|lrm| lrm.state())).map(W)
    }

    /// Whether a node has power.
    fn has_power(&self, py: Python<'_>, node: Node) -> bool {
        self.with(py, |cluster| cluster.world().nodes.get(&node.0).is_some_and(|node| node.power))
    }

    /// Whether a node is in the quorate partition.
    fn is_online(&self, py: Python<'_>, node: Node) -> bool {
        self.with(py, |cluster| cluster.world().is_online(&node.0))
    }

    /// The node that holds a lock, such as ``ha_manager_lock``.
    fn lock_holder(&self, py: Python<'_>, lock: &str) -> PyResult<Option<Node>> {
        let lock: host::Lock =
            lock.parse().map_err(|error: ha_core::id::IdError| raise::invalid(py, &error.to_string()))?;
        Ok(self.with(py, |cluster| cluster.world().lock_holder(&lock).cloned()).map(Name))
    }

    /// What ``status`` shows to a person who looks on a node.
    fn view(&self, py: Python<'_>, node: Node) -> ClusterView {
        ClusterView(self.with(py, |cluster| cluster.view(&node.0)))
    }

    /// What placement looks at now: to explain decisions, and to ask "what if".
    ///
    /// >>> from pyha.sim import Cluster
    /// >>> cluster = Cluster(["node1", "node2"], guests={"vm:100": "node1"}, resources="vm: 100\n")
    /// >>> cluster.run_for(60)
    /// >>> cluster.situation().explain("vm:100").answer
    /// 'node1'
    fn situation(&self, py: Python<'_>) -> Situation {
        self.with(py, |cluster| cluster.snapshot()).into()
    }

    /// What became of a service; ``None`` if it never had a guest and a configuration at once.
    fn history(&self, py: Python<'_>, sid: Sid) -> Option<Out<History>> {
        self.with(py, |cluster| {
            let now = cluster.now().instant;
            cluster.history(&sid.0).map(|history| History { history: history.clone(), now })
        })
        .map(Out)
    }

    /// What became of each service that ever had a guest and a configuration at once.
    fn histories(&self, py: Python<'_>) -> BTreeMap<String, Out<History>> {
        self.with(py, |cluster| {
            let now = cluster.now().instant;
            let each = |(sid, history): (&ha_core::id::ServiceId, &ServiceHistory)| {
                (sid.to_string(), Out(History { history: history.clone(), now }))
            };
            cluster.histories().map(each).collect()
        })
    }

    /// For how many seconds a service did not run though it should have: from its first start on.
    fn downtime(&self, py: Python<'_>, sid: Sid) -> f64 {
        self.with(py, |cluster| cluster.downtime(&sid.0)).as_secs_f64()
    }

    /// A mark of the present, for :meth:`happenings`.
    fn mark(&self, py: Python<'_>) -> usize {
        self.with(py, |cluster| cluster.mark())
    }

    /// What happened since a mark; all of it without one.
    #[pyo3(signature = (since=0))]
    fn happenings(&self, py: Python<'_>, since: usize) -> Vec<Shown> {
        self.with(py, |cluster| cluster.happenings_since(since).iter().cloned().map(Shown).collect())
    }
}
