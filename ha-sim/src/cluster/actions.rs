//! What people do, and what goes wrong.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use ha_core::{
    config::EditError,
    event::Event,
    id::{IdError, NodeName, ServiceId},
    lrm::StopRequest,
    status::ManagerStatus,
};

use super::{Cluster, Violation};
use crate::world::{
    AgentDisturbance, Clock, DaemonKind, DeviceBehaviour, Guest, GuestTimes, Node, Operation, Source, What,
};

/// Why something can't be done.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ActionError {
    /// A name that is not valid.
    #[error(transparent)]
    Id(#[from] IdError),
    /// There is no such node.
    #[error("there is no node {0}")]
    NoSuchNode(NodeName),
    /// There is no such guest.
    #[error("there is no guest {0}")]
    NoSuchGuest(ServiceId),
    /// There is a guest of that name.
    #[error("there is a guest {0} already")]
    GuestExists(ServiceId),
    /// The node has no power.
    #[error("{0} has no power")]
    NoPower(NodeName),
    /// The daemon does not run.
    #[error("no {} runs on {node}", daemon.as_str())]
    NotRunning {
        /// The node.
        node: NodeName,
        /// The daemon.
        daemon: DaemonKind,
    },
    /// The node has a twin already.
    #[error("{0} has a twin already")]
    HasTwin(NodeName),
    /// The node has no twin.
    #[error("{0} has no twin")]
    NoTwin(NodeName),
    /// The store has no room left.
    #[error("the store has no room left")]
    StoreFull,
    /// There is no entry of the service that could be damaged.
    #[error("{0} has no entry")]
    NoEntry(ServiceId),
    /// No node is in a quorate partition, so that nothing can be written.
    #[error("no node has quorum, so that nothing can be written")]
    NoQuorum,
    /// An edit that is refused.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// What was done made a service run on two nodes.
    #[error(transparent)]
    Violation(#[from] Violation),
}

/// Nodes and their daemons.
impl Cluster {
    /// Gives a node power; its daemons start after the time that it boots. Nothing happens if it has power or boots.
    ///
    /// # Errors
    ///
    /// If there is no such node.
    pub fn power_on(&mut self, node: &NodeName) -> Result<(), ActionError> {
        let hardware = self.hardware(node)?;
        let has_power = hardware.power || hardware.expelled;
        let boots = self.daemons.get(node).is_some_and(|daemons| daemons.boots_at.is_some());
        if !has_power && !boots {
            self.plan_boot(node, self.durations.boot);
        }
        Ok(())
    }

    /// Takes a node out of the cluster, for which it is switched off, or takes it in again, with its power. One that is out
    /// does not boot.
    ///
    /// # Errors
    ///
    /// If there is no such node.
    pub fn set_member(&mut self, node: &NodeName, is_member: bool) -> Result<(), ActionError> {
        self.hardware(node)?.expelled = !is_member;
        if is_member { self.power_on(node) } else { self.power_off(node) }
    }

    /// Takes a node out of the list of members while its daemons run. It finds that out, stops its services as far as its
    /// watchdog's time allows, and goes down. Admitted again by [`set_member`](Self::set_member).
    ///
    /// # Errors
    ///
    /// If there is no such node, or what was done made a service run on two nodes.
    pub fn expel(&mut self, node: &NodeName) -> Result<(), ActionError> {
        let hardware = self.hardware(node)?;
        hardware.expelled = true;
        if hardware.power {
            let event = Event::RemovedFromCluster { node: node.clone() };
            self.world.note(self.world.time, Source::Daemon(node.clone(), DaemonKind::Lrm), What::Core(event));
            self.ask_lrm_to_stop(node, StopRequest::NodeShutdown);
        }
        self.world.update_replicas();
        Ok(self.settle()?)
    }

    /// Takes a node's power away.
    ///
    /// # Errors
    ///
    /// If there is no such node.
    pub fn power_off(&mut self, node: &NodeName) -> Result<(), ActionError> {
        self.hardware(node)?;
        self.lose_power(node);
        Ok(self.settle()?)
    }

    /// Takes a node's power away and gives it back at once, so that it boots.
    ///
    /// # Errors
    ///
    /// If there is no such node.
    pub fn reset(&mut self, node: &NodeName) -> Result<(), ActionError> {
        self.power_off(node)?;
        self.power_on(node)
    }

    /// Somebody loses patience with nodes that were asked to go down and have not yet, and gives those that go down from now
    /// on their power again.
    ///
    /// # Errors
    ///
    /// If what was done made a service run on two nodes.
    pub fn end_shutdowns(&mut self) -> Result<(), ActionError> {
        self.powers_on_again = true;
        for node in self.going_down() {
            self.reset(&node)?;
        }
        Ok(())
    }

    /// Asks a node to shut down, as a person does at its console.
    ///
    /// # Errors
    ///
    /// If there is no such node, or its LRM does not run.
    pub fn shutdown(&mut self, node: &NodeName) -> Result<(), ActionError> {
        self.stop_lrm(node, StopRequest::NodeShutdown)
    }

    /// Asks a node to reboot.
    ///
    /// # Errors
    ///
    /// If there is no such node, or its LRM does not run.
    pub fn reboot(&mut self, node: &NodeName) -> Result<(), ActionError> {
        self.stop_lrm(node, StopRequest::NodeReboot)
    }

    /// Asks an LRM to stop, after which it is started again: as on an upgrade.
    ///
    /// # Errors
    ///
    /// If there is no such node, or its LRM does not run.
    pub fn restart_lrm(&mut self, node: &NodeName) -> Result<(), ActionError> {
        self.stop_lrm(node, StopRequest::Restart)
    }

    fn stop_lrm(&mut self, node: &NodeName, request: StopRequest) -> Result<(), ActionError> {
        self.hardware(node)?;
        let asked = self.ask_lrm_to_stop(node, request);
        if asked { Ok(()) } else { Err(not_running(node, DaemonKind::Lrm)) }
    }

    /// Asks a CRM to stop. It stays stopped until it is started.
    ///
    /// # Errors
    ///
    /// If there is no such node, or its CRM does not run.
    pub fn stop_crm(&mut self, node: &NodeName) -> Result<(), ActionError> {
        self.hardware(node)?;
        let asked = self.ask_crm_to_stop(node);
        if asked { Ok(()) } else { Err(not_running(node, DaemonKind::Crm)) }
    }

    /// Starts a daemon that does not run.
    ///
    /// # Errors
    ///
    /// If there is no such node, or it has no power.
    pub fn start_daemon(&mut self, node: &NodeName, daemon: DaemonKind) -> Result<(), ActionError> {
        self.start_daemon_after(node, daemon, Duration::ZERO)
    }

    /// Starts a daemon that does not run, after a while.
    ///
    /// # Errors
    ///
    /// As [`start_daemon`](Self::start_daemon).
    pub fn start_daemon_after(
        &mut self,
        node: &NodeName,
        daemon: DaemonKind,
        after: Duration,
    ) -> Result<(), ActionError> {
        if !self.hardware(node)?.power {
            return Err(ActionError::NoPower(node.clone()));
        }
        self.plan_start(node, daemon, after);
        Ok(())
    }

    /// Starts a daemon that neither runs nor is about to start.
    ///
    /// # Errors
    ///
    /// As [`start_daemon`](Self::start_daemon).
    pub fn start_daemon_if_missing(&mut self, node: &NodeName, daemon: DaemonKind) -> Result<(), ActionError> {
        if self.starts_daemon(node, daemon) { Ok(()) } else { self.start_daemon(node, daemon) }
    }

    /// Kills a daemon. If its watchdog was open nothing can call off the reset any more.
    ///
    /// # Errors
    ///
    /// If there is no such node, or the daemon does not run.
    pub fn kill_daemon(&mut self, node: &NodeName, daemon: DaemonKind) -> Result<(), ActionError> {
        self.hardware(node)?;
        let killed = self.daemons.get_mut(node).is_some_and(|daemons| daemons.kill(daemon));
        if !killed {
            return Err(not_running(node, daemon));
        }
        self.abandon_watchdog(node, daemon);
        Ok(())
    }

    /// Keeps a daemon from going on, as the signal STOP does, until it is [resumed](Self::resume_daemon).
    ///
    /// # Errors
    ///
    /// If there is no such node, or the daemon does not run.
    pub fn pause_daemon(&mut self, node: &NodeName, daemon: DaemonKind) -> Result<(), ActionError> {
        self.set_paused(node, daemon, true)
    }

    /// Lets a whole machine stand still: its daemons, what its agents are at, its network. Its watchdog runs on, and resets it.
    ///
    /// # Errors
    ///
    /// If there is no such node, it has no power, or a service runs on two nodes.
    pub fn suspend(&mut self, node: &NodeName) -> Result<(), ActionError> {
        self.set_suspended(node, true)
    }

    /// Lets a machine go on that was [suspended](Self::suspend).
    ///
    /// # Errors
    ///
    /// As [`suspend`](Self::suspend).
    pub fn wake(&mut self, node: &NodeName) -> Result<(), ActionError> {
        self.set_suspended(node, false)
    }

    fn set_suspended(&mut self, node: &NodeName, suspended: bool) -> Result<(), ActionError> {
        let hardware = self.hardware(node)?;
        if !hardware.power {
            return Err(ActionError::NoPower(node.clone()));
        }
        hardware.suspended = suspended;
        for daemon in DaemonKind::ALL {
            if self.runs_daemon(node, daemon) {
                self.set_paused(node, daemon, suspended)?;
            }
        }
        self.world.update_replicas();
        Ok(self.settle()?)
    }

    /// Lets a daemon go on that was [paused](Self::pause_daemon).
    ///
    /// # Errors
    ///
    /// If there is no such node, or the daemon does not run.
    pub fn resume_daemon(&mut self, node: &NodeName, daemon: DaemonKind) -> Result<(), ActionError> {
        self.set_paused(node, daemon, false)
    }

    fn set_paused(&mut self, node: &NodeName, daemon: DaemonKind, paused: bool) -> Result<(), ActionError> {
        self.hardware(node)?;
        if !self.runs_daemon(node, daemon) {
            return Err(not_running(node, daemon));
        }
        if let Some(daemons) = self.daemons.get_mut(node) {
            daemons.schedule(daemon).paused = paused;
        }
        Ok(())
    }

    pub(super) fn hardware(&mut self, node: &NodeName) -> Result<&mut Node, ActionError> {
        self.world.nodes.get_mut(node).ok_or_else(|| ActionError::NoSuchNode(node.clone()))
    }
}

fn not_running(node: &NodeName, daemon: DaemonKind) -> ActionError {
    ActionError::NotRunning { node: node.clone(), daemon }
}

/// Network and store.
impl Cluster {
    /// Connects a node to the network, or cuts it off.
    ///
    /// # Errors
    ///
    /// If there is no such node.
    pub fn set_network(&mut self, node: &NodeName, connected: bool) -> Result<(), ActionError> {
        self.hardware(node)?.network = connected;
        self.world.update_replicas();
        Ok(())
    }

    /// Parts the network: only nodes within one group see one another. A node in no group sees nobody else.
    pub fn partition(&mut self, groups: Vec<BTreeSet<NodeName>>) {
        self.world.partitions = groups;
        self.world.update_replicas();
    }

    /// Ends what [`partition`](Self::partition) did.
    pub fn heal(&mut self) {
        self.partition(Vec::new());
    }

    /// Says whether shared records can be read and written on a node.
    ///
    /// # Errors
    ///
    /// If there is no such node.
    pub fn set_store_works(&mut self, node: &NodeName, works: bool) -> Result<(), ActionError> {
        self.hardware(node)?.store_fails = !works;
        Ok(())
    }

    /// Says whether a node reads what all share as it was when this was said, though it writes as ever: a cache that hangs. It lasts
    /// until the opposite is said, or the node loses its power.
    ///
    /// # Errors
    ///
    /// If there is no such node.
    pub fn set_reads_stale(&mut self, node: &NodeName, stale: bool) -> Result<(), ActionError> {
        self.hardware(node)?.reads_stale = stale;
        self.world.update_replicas();
        Ok(())
    }

    /// Says whether the shared store has room left. Without it nothing is written, but locks are renewed: they have their room.
    ///
    /// With room again what was decided meanwhile is recorded: also that a node is to be fenced that is back by now.
    pub fn set_store_full(&mut self, full: bool) {
        let was_full = std::mem::replace(&mut self.world.store_full, full);
        if was_full
            && !full
            && let Some(invariants) = &mut self.invariants
        {
            invariants.excuse_aftermath(self.world.time);
        }
    }

    /// Says whether the shared store is mounted on a node. Without it the node reads, writes and locks nothing, and nobody hears of it.
    ///
    /// # Errors
    ///
    /// If there is no such node.
    pub fn set_mounted(&mut self, node: &NodeName, mounted: bool) -> Result<(), ActionError> {
        self.hardware(node)?.unmounted = !mounted;
        self.world.update_replicas();
        Ok(())
    }

    /// The entry of a service in the manager status is damaged, so that nobody understands it, while no CRM runs: all that run are
    /// killed.
    ///
    /// # Errors
    ///
    /// If the service has no entry, or nothing can be written.
    pub fn damage_entry(&mut self, sid: &ServiceId) -> Result<(), ActionError> {
        self.check_writable()?;
        let no_entry = || ActionError::NoEntry(sid.clone());
        let status = self.world.store.manager_status.as_ref().ok_or_else(no_entry)?;
        let mut json: serde_json::Value = serde_json::from_str(&status.to_json()).map_err(|_| no_entry())?;
        let entries = json.get_mut("service_status").and_then(|entries| entries.as_object_mut());
        let entry = entries.and_then(|entries| entries.get_mut(sid.as_str())).and_then(|entry| entry.as_object_mut());
        entry.ok_or_else(no_entry)?.insert("node".to_owned(), serde_json::Value::Null);
        let damaged = ManagerStatus::from_json(&json.to_string()).map_err(|_| no_entry())?;
        self.replace_manager_status(damaged);
        Ok(())
    }

    /// A person removes the entries that nobody understands, while no CRM runs: all that run are killed. Nothing is done where there are
    /// none.
    ///
    /// # Errors
    ///
    /// If nothing can be written.
    pub fn repair_status(&mut self) -> Result<(), ActionError> {
        self.check_writable()?;
        let status = self.world.store.manager_status.clone().filter(|status| !status.not_understood.is_empty());
        if let Some(mut status) = status {
            let status = Arc::make_mut(&mut status);
            status.not_understood.clear();
            self.replace_manager_status(std::mem::take(status));
        }
        Ok(())
    }

    fn replace_manager_status(&mut self, status: ManagerStatus) {
        let nodes: Vec<NodeName> = self.world.nodes.keys().cloned().collect();
        for node in &nodes {
            // Those that do not run know nothing of the status.
            let _did_not_run = self.kill_daemon(node, DaemonKind::Crm);
        }
        // One that had its watchdog open is reset for it.
        if let Some(invariants) = &mut self.invariants {
            invariants.excuse_aftermath(self.world.time);
        }
        self.world.store.manager_status = Some(Arc::new(status));
    }

    /// Says whether a node can bring its view of the cluster up to date.
    ///
    /// # Errors
    ///
    /// If there is no such node.
    pub fn set_view_works(&mut self, node: &NodeName, works: bool) -> Result<(), ActionError> {
        self.hardware(node)?.refresh_fails = !works;
        Ok(())
    }

    /// Says whether the locks answer to a node.
    ///
    /// # Errors
    ///
    /// If there is no such node.
    pub fn set_locks_work(&mut self, node: &NodeName, work: bool) -> Result<(), ActionError> {
        self.hardware(node)?.locks_fail = !work;
        Ok(())
    }

    /// Appends a line to the command queue.
    ///
    /// # Errors
    ///
    /// If no node has quorum.
    pub fn queue_command(&mut self, line: impl Into<String>) -> Result<(), ActionError> {
        self.check_writable()?;
        self.world.store.commands.push(line.into());
        Ok(())
    }

    pub(super) fn check_writable(&self) -> Result<(), ActionError> {
        if self.world.store_full {
            return Err(ActionError::StoreFull);
        }
        if self.world.is_quorate() { Ok(()) } else { Err(ActionError::NoQuorum) }
    }

    /// Says how a fence device behaves, or a part of one (`name:number`).
    pub fn set_device(&mut self, name: impl Into<String>, behaviour: DeviceBehaviour) {
        self.world.devices.insert(name.into(), behaviour);
    }

    /// Changes the size of a node.
    ///
    /// # Errors
    ///
    /// If there is no such node.
    pub fn set_node_size(&mut self, node: &NodeName, cores: f64, memory: u64) -> Result<(), ActionError> {
        let hardware = self.hardware(node)?;
        (hardware.max_cpu, hardware.max_memory) = (Some(cores), Some(memory));
        Ok(())
    }

    /// Changes the version of a node's software.
    ///
    /// # Errors
    ///
    /// If there is no such node.
    pub fn set_version(&mut self, node: &NodeName, version: impl Into<String>) -> Result<(), ActionError> {
        self.hardware(node)?.version = version.into();
        Ok(())
    }
}

/// Guests.
impl Cluster {
    /// Adds a guest that HA knows nothing of.
    ///
    /// # Errors
    ///
    /// If there is one of that name, or no such node.
    pub fn create_guest(&mut self, sid: &ServiceId, node: &NodeName) -> Result<(), ActionError> {
        self.hardware(node)?;
        if self.world.guests.contains_key(sid) {
            return Err(ActionError::GuestExists(sid.clone()));
        }
        self.world.guests.insert(sid.clone(), Guest::new(node.clone()));
        Ok(self.settle()?)
    }

    /// Stops a guest and removes it, behind HA's back.
    ///
    /// # Errors
    ///
    /// If there is no such guest.
    pub fn destroy_guest(&mut self, sid: &ServiceId) -> Result<(), ActionError> {
        self.guest(sid)?;
        // What is just being started ends with it.
        let occupied = self.world.occupied().filter(|(_, other)| *other == sid);
        let places: Vec<NodeName> = occupied.map(|(node, _)| node.clone()).collect();
        for node in places {
            self.world.set_running(sid, &node, false);
        }
        self.world.guests.remove(sid);
        Ok(self.settle()?)
    }

    /// A guest ends by itself.
    ///
    /// # Errors
    ///
    /// If there is no such guest.
    pub fn crash_guest(&mut self, sid: &ServiceId) -> Result<(), ActionError> {
        self.guest(sid)?;
        let places: Vec<NodeName> = self.world.places(sid).cloned().collect();
        for node in places {
            self.world.set_running(sid, &node, false);
        }
        Ok(self.settle()?)
    }

    /// A guest ends by itself, and leaves something running that can't be ended so many times.
    ///
    /// # Errors
    ///
    /// If there is no such guest.
    pub fn leave_behind(&mut self, sid: &ServiceId, times: u32) -> Result<(), ActionError> {
        self.guest(sid)?;
        self.world.leave_behind(sid, times);
        Ok(())
    }

    /// From now on whatever guests left behind can be ended.
    pub fn release_leftovers(&mut self) {
        self.world.release_leftovers();
    }

    /// Jobs for a guest go on though they are to be ended, so many times.
    ///
    /// # Errors
    ///
    /// If there is no such guest.
    pub fn let_jobs_go_on(&mut self, sid: &ServiceId, times: u32) -> Result<(), ActionError> {
        self.guest(sid)?.unendable = times;
        Ok(())
    }

    /// Starts a guest by hand on a node, whatever else is true: also where it runs on another one.
    ///
    /// ```
    /// use ha_sim::cluster::{ActionError, Cluster, Setup};
    ///
    /// let setup = Setup::new(["node1", "node2"])?.guest("vm:100", "node1")?;
    /// let mut cluster = Cluster::new(setup);
    /// let sid = "vm:100".parse()?;
    /// cluster.start_guest(&sid, &"node1".parse()?)?;
    /// let Err(ActionError::Violation(violation)) = cluster.start_guest(&sid, &"node2".parse()?) else { panic!() };
    /// assert_eq!(violation.nodes, ["node1", "node2"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If there is no such guest or node, the node has no power, or the guest runs on two nodes then.
    pub fn start_guest(&mut self, sid: &ServiceId, node: &NodeName) -> Result<(), ActionError> {
        self.guest(sid)?;
        if !self.hardware(node)?.power {
            return Err(ActionError::NoPower(node.clone()));
        }
        self.world.set_running(sid, node, true);
        Ok(self.settle()?)
    }

    /// Moves a guest behind HA's back. It goes on running if it did.
    ///
    /// # Errors
    ///
    /// If there is no such guest or node.
    pub fn move_guest(&mut self, sid: &ServiceId, node: &NodeName) -> Result<(), ActionError> {
        self.hardware(node)?;
        let from = std::mem::replace(&mut self.guest(sid)?.node, node.clone());
        if self.world.runs(sid, &from) {
            self.world.set_running(sid, &from, false);
            self.world.set_running(sid, node, true);
        }
        Ok(self.settle()?)
    }

    /// Locks a guest, or unlocks it.
    ///
    /// # Errors
    ///
    /// If there is no such guest.
    pub fn lock_guest(&mut self, sid: &ServiceId, lock: Option<&str>) -> Result<(), ActionError> {
        self.guest(sid)?.lock = lock.map(str::to_owned);
        Ok(())
    }

    /// Locks a guest for a time. What was locked meanwhile with another name stays.
    ///
    /// # Errors
    ///
    /// If there is no such guest.
    pub fn lock_guest_for(&mut self, sid: &ServiceId, lock: &str, time: Duration) -> Result<(), ActionError> {
        self.lock_guest(sid, Some(lock))?;
        let (sid, lock) = (sid.clone(), lock.to_owned());
        self.plan(self.world.time.after(time), move |cluster| {
            if let Some(guest) = cluster.world.guests.get_mut(&sid) {
                guest.lock.take_if(|present| *present == lock);
            }
        });
        Ok(())
    }

    /// Says how long an agent takes with a guest from now on, where a time is given. What begins then takes so long.
    ///
    /// # Errors
    ///
    /// If there is no such guest.
    pub fn set_guest_times(&mut self, sid: &ServiceId, times: GuestTimes) -> Result<(), ActionError> {
        let known = &mut self.guest(sid)?.times;
        known.start = times.start.or(known.start);
        known.stop = times.stop.or(known.stop);
        known.migrate = times.migrate.or(known.migrate);
        known.relocate = times.relocate.or(known.relocate);
        Ok(())
    }

    /// Lets an operation of an agent go wrong from now on, instead of what was said about that operation before.
    ///
    /// # Errors
    ///
    /// If there is no such guest.
    pub fn fail(&mut self, sid: &ServiceId, disturbance: AgentDisturbance) -> Result<(), ActionError> {
        self.mend(sid, disturbance.operation)?;
        self.guest(sid)?.disturbances.push(disturbance);
        Ok(())
    }

    /// Lets an operation of an agent work again.
    ///
    /// # Errors
    ///
    /// If there is no such guest.
    pub fn mend(&mut self, sid: &ServiceId, operation: Operation) -> Result<(), ActionError> {
        self.guest(sid)?.disturbances.retain(|disturbance| disturbance.operation != operation);
        Ok(())
    }

    /// Changes what a guest may use: cores (0: no limit) and bytes of memory.
    ///
    /// # Errors
    ///
    /// If there is no such guest.
    pub fn set_guest_size(&mut self, sid: &ServiceId, cores: f64, memory: u64) -> Result<(), ActionError> {
        let guest = self.guest(sid)?;
        (guest.max_cpu, guest.max_memory) = (cores, memory);
        Ok(())
    }

    /// Changes what a guest uses while it runs: cores and bytes of memory.
    ///
    /// # Errors
    ///
    /// If there is no such guest.
    pub fn set_guest_load(&mut self, sid: &ServiceId, cores: f64, memory: u64) -> Result<(), ActionError> {
        let guest = self.guest(sid)?;
        (guest.cpu, guest.memory) = (cores, memory);
        Ok(())
    }

    fn guest(&mut self, sid: &ServiceId) -> Result<&mut Guest, ActionError> {
        self.world.guests.get_mut(sid).ok_or_else(|| ActionError::NoSuchGuest(sid.clone()))
    }
}

/// Multiplexers, where [`install_multiplexers`](Cluster::install_multiplexers) has put some.
impl Cluster {
    /// Puts a multiplexer on each node, between its daemons and its watchdog device.
    pub fn install_multiplexers(&mut self) {
        let timings = self.timings;
        self.world.install_multiplexers(&timings);
    }

    /// Kills the multiplexer of a node, which is started again after a while: with the timings of the cluster if it `fits`, else with
    /// longer ones.
    pub fn restart_multiplexer(&mut self, node: &NodeName, after: Duration, fits: bool) {
        self.world.restart_multiplexer(node, after, fits);
    }

    /// Stops the multiplexer of a node as the signal STOP does, or lets it go on.
    pub fn pause_multiplexer(&mut self, node: &NodeName, paused: bool) {
        self.world.pause_multiplexer(node, paused);
    }

    /// Lets what the daemons of a node send take a while until its multiplexer can read it.
    pub fn delay_frames(&mut self, node: &NodeName, delay: Duration) {
        self.world.delay_frames(node, delay);
    }

    /// Lets the next feed of a node's device take a while, after its multiplexer has looked at its clients.
    pub fn stall_device_feed(&mut self, node: &NodeName, stall: Duration) {
        self.world.stall_device_feed(node, stall);
    }

    /// Lets the multiplexer of a node work as it should.
    pub fn mend_multiplexer(&mut self, node: &NodeName) {
        self.world.mend_multiplexer(node);
    }
}

/// Clocks, leases and watchdogs, which are never quite as told.
impl Cluster {
    /// Changes the clocks of a node.
    pub fn set_clock(&mut self, node: &NodeName, clock: Clock) {
        if let Some(node) = self.world.nodes.get_mut(node) {
            node.clock = clock;
        }
    }

    /// Lets the wall clock of a node jump.
    pub fn jump_wall_clock(&mut self, node: &NodeName, seconds: i64) {
        if let Some(node) = self.world.nodes.get_mut(node) {
            node.clock.wall_ahead = node.clock.wall_ahead.saturating_add(seconds);
        }
    }

    /// By how much the watchdog of a node resets it earlier and later than told.
    pub fn set_watchdog_error(&mut self, node: &NodeName, early: Duration, late: Duration) {
        if let Some(node) = self.world.nodes.get_mut(node) {
            (node.watchdog_early, node.watchdog_late) = (early, late);
        }
    }

    /// Gives the daemons of a node timings of their own, from their next start on. What locks and watchdogs count on has to be the same on
    /// all nodes.
    pub fn set_timings(&mut self, node: &NodeName, timings: ha_core::timing::Timings) {
        self.own_timings.insert(node.clone(), timings);
    }

    /// Locks are held longer than promised.
    pub fn let_leases_run_long(&mut self, by: Duration) {
        self.world.physics.lock_lifetime = self.timings.lock_lifetime().saturating_add(by);
    }

    /// Says which other nodes a node does not hear, though the store reaches all of them.
    pub fn set_unheard(&mut self, node: &NodeName, unheard: BTreeSet<NodeName>) {
        if let Some(node) = self.world.nodes.get_mut(node) {
            node.unheard = unheard;
        }
    }

    /// Jobs take no longer than that before they are to be ended, but for moves that get on.
    pub fn limit_jobs(&mut self, patience: Duration) {
        self.world.physics.job_patience = Some(patience);
    }

    /// Ends what agents hang in: it fails.
    pub fn end_hung_jobs(&mut self) {
        self.world.end_hung_jobs();
    }
}
