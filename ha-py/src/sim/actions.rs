//! What people do to a virtual cluster, and what goes wrong in it.

use std::{collections::BTreeSet, time::Duration};

use ha_core::config::Changes;
use ha_sim::{
    cluster::{self, ActionError},
    world::{AgentDisturbance, AgentFault, DaemonKind, DeviceBehaviour, Operation},
};
use pyo3::{prelude::*, types::PyDict};

use super::Cluster;
use crate::{
    config::arguments::Properties,
    convert::{Items, Name, Node, Seconds, Sid, W},
    errors,
    status::LineArg,
};

impl Cluster {
    fn act<T: Send>(
        &self,
        py: Python<'_>,
        action: impl FnOnce(&mut cluster::Cluster) -> Result<T, ActionError> + Send,
    ) -> PyResult<T> {
        self.with(py, action).map_err(|error| errors::action(py, &error))
    }
}

/// Nodes and their daemons.
#[pymethods]
impl Cluster {
    /// Gives a node power; its daemons start after the time that it boots.
    fn power_on(&self, py: Python<'_>, node: Node) -> PyResult<()> {
        self.act(py, |cluster| cluster.power_on(&node.0))
    }

    /// Takes a node's power away.
    fn power_off(&self, py: Python<'_>, node: Node) -> PyResult<()> {
        self.act(py, |cluster| cluster.power_off(&node.0))
    }

    /// Takes a node's power away and gives it back at once, so that it boots.
    fn reset(&self, py: Python<'_>, node: Node) -> PyResult<()> {
        self.act(py, |cluster| cluster.reset(&node.0))
    }

    /// Asks a node to shut down, as a person does at its console.
    fn shutdown(&self, py: Python<'_>, node: Node) -> PyResult<()> {
        self.act(py, |cluster| cluster.shutdown(&node.0))
    }

    /// Asks a node to reboot.
    fn reboot(&self, py: Python<'_>, node: Node) -> PyResult<()> {
        self.act(py, |cluster| cluster.reboot(&node.0))
    }

    /// Somebody loses patience with nodes that were asked to go down and have not yet, and resets them; nodes that go down
    /// from now on get their power again.
    fn end_shutdowns(&self, py: Python<'_>) -> PyResult<()> {
        self.act(py, cluster::Cluster::end_shutdowns)
    }

    /// Asks an LRM to stop, after which it is started again: as on an upgrade.
    fn restart_lrm(&self, py: Python<'_>, node: Node) -> PyResult<()> {
        self.act(py, |cluster| cluster.restart_lrm(&node.0))
    }

    /// Asks a CRM to stop. It stays stopped until it is started.
    fn stop_crm(&self, py: Python<'_>, node: Node) -> PyResult<()> {
        self.act(py, |cluster| cluster.stop_crm(&node.0))
    }

    /// Starts a daemon that does not run, at once or after a while.
    #[pyo3(signature = (node, daemon, *, after=Seconds(Duration::ZERO)))]
    fn start_daemon(&self, py: Python<'_>, node: Node, daemon: W<DaemonKind>, after: Seconds) -> PyResult<()> {
        self.act(py, |cluster| cluster.start_daemon_after(&node.0, daemon.0, after.0))
    }

    /// Starts a daemon that neither runs nor is about to start.
    fn start_daemon_if_missing(&self, py: Python<'_>, node: Node, daemon: W<DaemonKind>) -> PyResult<()> {
        self.act(py, |cluster| cluster.start_daemon_if_missing(&node.0, daemon.0))
    }

    /// Kills a daemon. If its watchdog was open nothing can call off the reset any more.
    fn kill_daemon(&self, py: Python<'_>, node: Node, daemon: W<DaemonKind>) -> PyResult<()> {
        self.act(py, |cluster| cluster.kill_daemon(&node.0, daemon.0))
    }

    /// Keeps a daemon from going on, as the signal STOP does.
    fn pause_daemon(&self, py: Python<'_>, node: Node, daemon: W<DaemonKind>) -> PyResult<()> {
        self.act(py, |cluster| cluster.pause_daemon(&node.0, daemon.0))
    }

    /// Lets a daemon go on that was paused.
    fn resume_daemon(&self, py: Python<'_>, node: Node, daemon: W<DaemonKind>) -> PyResult<()> {
        self.act(py, |cluster| cluster.resume_daemon(&node.0, daemon.0))
    }

    /// Connects a node to the network, or cuts it off.
    fn set_network(&self, py: Python<'_>, node: Node, connected: bool) -> PyResult<()> {
        self.act(py, |cluster| cluster.set_network(&node.0, connected))
    }

    /// Parts the network: only nodes within one group see one another. A node in no group sees nobody else.
    fn partition(&self, py: Python<'_>, groups: Items<Items<Node>>) {
        let group = |Items(nodes): Items<Node>| nodes.into_iter().map(|Name(node)| node).collect::<BTreeSet<_>>();
        let groups = groups.0.into_iter().map(group).collect();
        self.with(py, |cluster| cluster.partition(groups));
    }

    /// Ends what :meth:`partition` did.
    fn heal(&self, py: Python<'_>) {
        self.with(py, cluster::Cluster::heal);
    }

    /// Says whether shared records can be read and written on a node.
    fn set_store_works(&self, py: Python<'_>, node: Node, works: bool) -> PyResult<()> {
        self.act(py, |cluster| cluster.set_store_works(&node.0, works))
    }

    /// Says whether a node can bring its view of the cluster up to date.
    fn set_view_works(&self, py: Python<'_>, node: Node, works: bool) -> PyResult<()> {
        self.act(py, |cluster| cluster.set_view_works(&node.0, works))
    }

    /// Says whether the locks answer to a node.
    fn set_locks_work(&self, py: Python<'_>, node: Node, work: bool) -> PyResult<()> {
        self.act(py, |cluster| cluster.set_locks_work(&node.0, work))
    }

    /// Appends a line to the command queue, such as ``migrate vm:100 node2``. It is not checked, as on a real cluster.
    fn command(&self, py: Python<'_>, line: LineArg) -> PyResult<()> {
        self.act(py, |cluster| cluster.queue_command(line.0))
    }

    /// Says how a fence device behaves, or a part of one (``name:number``).
    fn set_device(&self, py: Python<'_>, name: String, behaviour: W<DeviceBehaviour>) {
        self.with(py, |cluster| cluster.set_device(name, behaviour.0));
    }

    /// Changes the size of a node: cores, and bytes of memory.
    fn set_node_size(&self, py: Python<'_>, node: Node, cores: f64, memory: u64) -> PyResult<()> {
        self.act(py, |cluster| cluster.set_node_size(&node.0, cores, memory))
    }

    /// Changes the version of a node's software.
    fn set_version(&self, py: Python<'_>, node: Node, version: String) -> PyResult<()> {
        self.act(py, |cluster| cluster.set_version(&node.0, version))
    }

    /// Adds a guest that HA knows nothing of.
    fn create_guest(&self, py: Python<'_>, sid: Sid, node: Node) -> PyResult<()> {
        self.act(py, |cluster| cluster.create_guest(&sid.0, &node.0))
    }

    /// Stops a guest and removes it, behind HA's back.
    fn destroy_guest(&self, py: Python<'_>, sid: Sid) -> PyResult<()> {
        self.act(py, |cluster| cluster.destroy_guest(&sid.0))
    }

    /// A guest ends by itself.
    fn crash_guest(&self, py: Python<'_>, sid: Sid) -> PyResult<()> {
        self.act(py, |cluster| cluster.crash_guest(&sid.0))
    }

    /// Starts a guest by hand on a node, whatever else is true: also where it runs on another one.
    ///
    /// >>> from pyha import RanTwiceError
    /// >>> from pyha.sim import Cluster
    /// >>> cluster = Cluster(["node1", "node2"], guests={"vm:100": "node1"})
    /// >>> cluster.start_guest("vm:100", "node1")
    /// >>> try:
    /// ...     cluster.start_guest("vm:100", "node2")
    /// ... except RanTwiceError as error:
    /// ...     print(error.sid, error.nodes)
    /// vm:100 ('node1', 'node2')
    fn start_guest(&self, py: Python<'_>, sid: Sid, node: Node) -> PyResult<()> {
        self.act(py, |cluster| cluster.start_guest(&sid.0, &node.0))
    }

    /// Moves a guest behind HA's back. It goes on running if it did.
    fn move_guest(&self, py: Python<'_>, sid: Sid, node: Node) -> PyResult<()> {
        self.act(py, |cluster| cluster.move_guest(&sid.0, &node.0))
    }

    /// Locks a guest; ``None`` unlocks it.
    fn lock_guest(&self, py: Python<'_>, sid: Sid, lock: Option<String>) -> PyResult<()> {
        self.act(py, |cluster| cluster.lock_guest(&sid.0, lock.as_deref()))
    }

    /// Lets an operation of an agent go wrong from now on: on one node, or everywhere; so often, or without end.
    #[pyo3(signature = (sid, operation, kind=W(AgentFault::Fails), *, node=None, times=None))]
    fn fail(
        &self,
        py: Python<'_>,
        sid: Sid,
        operation: W<Operation>,
        kind: W<AgentFault>,
        node: Option<Node>,
        times: Option<u32>,
    ) -> PyResult<()> {
        let node = node.map(|Name(node)| node);
        let disturbance = AgentDisturbance { operation: operation.0, fault: kind.0, node, times };
        self.act(py, |cluster| cluster.fail(&sid.0, disturbance))
    }

    /// Lets an operation of an agent work again.
    fn mend(&self, py: Python<'_>, sid: Sid, operation: W<Operation>) -> PyResult<()> {
        self.act(py, |cluster| cluster.mend(&sid.0, operation.0))
    }

    /// Changes what a guest may use: cores (0: no limit) and bytes of memory.
    fn set_guest_size(&self, py: Python<'_>, sid: Sid, cores: f64, memory: u64) -> PyResult<()> {
        self.act(py, |cluster| cluster.set_guest_size(&sid.0, cores, memory))
    }

    /// Changes what a guest uses while it runs: cores and bytes of memory.
    fn set_guest_load(&self, py: Python<'_>, sid: Sid, cores: f64, memory: u64) -> PyResult<()> {
        self.act(py, |cluster| cluster.set_guest_load(&sid.0, cores, memory))
    }

    /// Adds a resource, and gives its SID. Edits raise ``EditError`` if they are refused, as those of an ``Editor``.
    #[pyo3(signature = (sid, changes=Properties::default(), **properties: "str | int | bool | list[str] | dict[str, int]"))]
    fn add_resource(
        &self,
        py: Python<'_>,
        sid: &str,
        changes: Properties,
        properties: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<String> {
        let set = changes.and(properties)?;
        self.act(py, |cluster| cluster.edit(|editor, config| editor.add_resource(config, sid, &set.pairs())))
            .map(|sid| sid.to_string())
    }

    /// Sets and unsets properties of a resource.
    #[pyo3(signature = (sid, changes=Properties::default(), *, unset=Items::default(), **properties: "str | int | bool | list[str] | dict[str, int]"))]
    fn set_resource(
        &self,
        py: Python<'_>,
        sid: &str,
        changes: Properties,
        unset: Items<String>,
        properties: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let set = changes.and(properties)?;
        let (set, unset) = (set.pairs(), keys(&unset));
        let changes = Changes { set: &set, unset: &unset };
        self.act(py, |cluster| cluster.edit(|editor, config| editor.set_resource(config, sid, changes)))
    }

    /// Removes a resource; with ``purge`` also from every rule.
    #[pyo3(signature = (sid, *, purge=true))]
    fn remove_resource(&self, py: Python<'_>, sid: &str, purge: bool) -> PyResult<()> {
        self.act(py, |cluster| cluster.edit(|editor, config| editor.remove_resource(config, sid, purge)))
    }

    /// Adds a group.
    #[pyo3(signature = (id, changes=Properties::default(), **properties: "str | int | bool | list[str] | dict[str, int]"))]
    fn add_group(
        &self,
        py: Python<'_>,
        id: &str,
        changes: Properties,
        properties: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let set = changes.and(properties)?;
        self.act(py, |cluster| cluster.edit(|editor, config| editor.add_group(config, id, &set.pairs())))
    }

    /// Sets and unsets properties of a group.
    #[pyo3(signature = (id, changes=Properties::default(), *, unset=Items::default(), **properties: "str | int | bool | list[str] | dict[str, int]"))]
    fn set_group(
        &self,
        py: Python<'_>,
        id: &str,
        changes: Properties,
        unset: Items<String>,
        properties: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let set = changes.and(properties)?;
        let (set, unset) = (set.pairs(), keys(&unset));
        let changes = Changes { set: &set, unset: &unset };
        self.act(py, |cluster| cluster.edit(|editor, config| editor.set_group(config, id, changes)))
    }

    /// Removes a group that no resource names.
    fn remove_group(&self, py: Python<'_>, id: &str) -> PyResult<()> {
        self.act(py, |cluster| cluster.edit(|editor, config| editor.remove_group(config, id)))
    }

    /// Sets and unsets what is said of a node.
    #[pyo3(signature = (node, changes=Properties::default(), *, unset=Items::default(), **properties: "str | int | bool | list[str] | dict[str, int]"))]
    fn set_node(
        &self,
        py: Python<'_>,
        node: &str,
        changes: Properties,
        unset: Items<String>,
        properties: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let set = changes.and(properties)?;
        let (set, unset) = (set.pairs(), keys(&unset));
        let changes = Changes { set: &set, unset: &unset };
        self.act(py, |cluster| cluster.edit(|editor, config| editor.set_node(config, node, changes)))
    }

    /// Adds a rule: ``node-affinity``, ``resource-affinity`` or ``order``.
    #[pyo3(signature = (rule_type, id, changes=Properties::default(), **properties: "str | int | bool | list[str] | dict[str, int]"))]
    fn add_rule(
        &self,
        py: Python<'_>,
        rule_type: &str,
        id: &str,
        changes: Properties,
        properties: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let set = changes.and(properties)?;
        self.act(py, |cluster| cluster.edit(|editor, config| editor.add_rule(config, rule_type, id, &set.pairs())))
    }

    /// Sets and unsets properties of a rule.
    #[pyo3(signature = (id, changes=Properties::default(), *, unset=Items::default(), **properties: "str | int | bool | list[str] | dict[str, int]"))]
    fn set_rule(
        &self,
        py: Python<'_>,
        id: &str,
        changes: Properties,
        unset: Items<String>,
        properties: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let set = changes.and(properties)?;
        let (set, unset) = (set.pairs(), keys(&unset));
        let changes = Changes { set: &set, unset: &unset };
        self.act(py, |cluster| cluster.edit(|editor, config| editor.set_rule(config, id, changes)))
    }

    /// Removes a rule.
    fn remove_rule(&self, py: Python<'_>, id: &str) -> PyResult<()> {
        self.act(py, |cluster| cluster.edit(|editor, config| editor.remove_rule(config, id)))
    }

    /// Sets and unsets settings of ``datacenter.cfg``, by their names such as ``crs.ha``.
    #[pyo3(signature = (changes=Properties::default(), *, unset=Items::default()))]
    fn set_datacenter(&self, py: Python<'_>, changes: Properties, unset: Items<String>) -> PyResult<()> {
        let (set, unset) = (changes.pairs(), keys(&unset));
        self.act(py, |cluster| cluster.edit_datacenter(Changes { set: &set, unset: &unset }))
    }
}

fn keys(unset: &Items<String>) -> Vec<&str> {
    unset.0.iter().map(String::as_str).collect()
}
