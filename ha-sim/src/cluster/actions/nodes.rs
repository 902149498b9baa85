//! Nodes and their daemons.

use std::time::Duration;

use ha_core::{event::Event, id::NodeName, lrm::StopRequest};

use super::ActionError;
use crate::{
    cluster::Cluster,
    world::{DaemonKind, Node, Source, What},
};

impl Cluster {
    /// Gives a node power; its daemons start once it has booted. Nothing happens if it has power already or is booting.
    ///
    /// # Errors
    ///
    /// If there is no such node.
    pub fn power_on(&mut self, node: &NodeName) -> Result<(), ActionError> {
        let hardware = self.hardware(node)?;
        let has_power = hardware.power || hardware.expelled;
        let boots = self.daemons.get(node).is_some_and(|daemons| daemons.boots_at.is_some());
        if !has_power && !boots {
            self.boot_later(node, self.durations.boot);
        }
        Ok(())
    }

    /// Switches a node off and takes it out of the cluster, or takes it in again and gives it power. A node that is out does not boot.
    ///
    /// # Errors
    ///
    /// If there is no such node.
    pub fn set_member(&mut self, node: &NodeName, is_member: bool) -> Result<(), ActionError> {
        self.hardware(node)?.expelled = !is_member;
        if is_member { self.power_on(node) } else { self.power_off(node) }
    }

    /// Takes a node out of the list of members while its daemons run. It finds that out, stops its services as far as its watchdog's time
    /// allows, and goes down. [`set_member`](Self::set_member) admits it again.
    ///
    /// # Errors
    ///
    /// If there is no such node, or this made a service run on two nodes.
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

    /// Somebody loses patience with nodes that were asked to go down and have not done so yet, and gives nodes that go down from now on
    /// their power back.
    ///
    /// # Errors
    ///
    /// If this made a service run on two nodes.
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

    /// Asks an LRM to stop. It is started again afterwards, as on an upgrade.
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
        self.start_later(node, daemon, after);
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

    /// Kills a daemon. If its watchdog was open, nothing can call off the reset any more.
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

    /// Makes a whole machine stand still: its daemons, the work of its agents, its network. Its watchdog runs on, and resets it.
    ///
    /// # Errors
    ///
    /// If there is no such node, it has no power, or a service runs on two nodes.
    pub fn suspend(&mut self, node: &NodeName) -> Result<(), ActionError> {
        self.set_suspended(node, true)
    }

    /// Lets a machine that was [suspended](Self::suspend) go on.
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

    /// Lets a daemon that was [paused](Self::pause_daemon) go on.
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

    pub(in crate::cluster) fn hardware(&mut self, node: &NodeName) -> Result<&mut Node, ActionError> {
        self.world.nodes.get_mut(node).ok_or_else(|| ActionError::NoSuchNode(node.clone()))
    }
}

fn not_running(node: &NodeName, daemon: DaemonKind) -> ActionError {
    ActionError::NotRunning { node: node.clone(), daemon }
}
