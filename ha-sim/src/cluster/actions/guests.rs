//! Guests, and the agents that look after them.

use std::time::Duration;

use ha_core::id::{NodeName, ServiceId};

use super::ActionError;
use crate::{
    cluster::Cluster,
    world::{AgentDisturbance, Guest, GuestTimes, Operation},
};

impl Cluster {
    /// Adds a guest that HA knows nothing of.
    ///
    /// # Errors
    ///
    /// If there is a guest of that name already, or no such node.
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

    /// A guest ends by itself, and leaves something running. This many attempts to end that fail.
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

    /// Jobs for a guest go on when they should be ended, this many times.
    ///
    /// # Errors
    ///
    /// If there is no such guest.
    pub fn let_jobs_go_on(&mut self, sid: &ServiceId, times: u32) -> Result<(), ActionError> {
        self.guest(sid)?.unendable = times;
        Ok(())
    }

    /// Starts a guest by hand on a node, whatever else is true: even where it runs on another one.
    ///
    /// ```
    /// use ha_sim::cluster::{ActionError, Cluster, Setup};
    ///
    /// let setup = Setup::new(["node1", "node2"])?.guest("vm:100", "node1")?;
    /// let mut cluster = Cluster::new(setup);
    /// let sid = "vm:100".parse()?;
    /// cluster.start_guest(&sid, &"node1".parse()?)?;
    /// let Err(ActionError::RanTwice(ran_twice)) = cluster.start_guest(&sid, &"node2".parse()?) else { panic!() };
    /// assert_eq!(ran_twice.nodes, ["node1", "node2"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If there is no such guest or node, the node has no power, or the guest then runs on two nodes.
    pub fn start_guest(&mut self, sid: &ServiceId, node: &NodeName) -> Result<(), ActionError> {
        self.guest(sid)?;
        if !self.hardware(node)?.power {
            return Err(ActionError::NoPower(node.clone()));
        }
        self.world.set_running(sid, node, true);
        Ok(self.settle()?)
    }

    /// Moves a guest behind HA's back. It goes on running if it did, where the node has power.
    ///
    /// # Errors
    ///
    /// If there is no such guest or node.
    pub fn move_guest(&mut self, sid: &ServiceId, node: &NodeName) -> Result<(), ActionError> {
        let power = self.hardware(node)?.power;
        let from = std::mem::replace(&mut self.guest(sid)?.node, node.clone());
        if self.world.runs(sid, &from) {
            self.world.set_running(sid, &from, false);
            self.world.set_running(sid, node, power);
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

    /// Locks a guest for a time. A lock that it got meanwhile under another name stays.
    ///
    /// # Errors
    ///
    /// If there is no such guest.
    pub fn lock_guest_for(&mut self, sid: &ServiceId, lock: &str, time: Duration) -> Result<(), ActionError> {
        self.lock_guest(sid, Some(lock))?;
        let (sid, lock) = (sid.clone(), lock.to_owned());
        self.do_at(self.world.time.after(time), move |cluster| {
            if let Some(guest) = cluster.world.guests.get_mut(&sid) {
                guest.lock.take_if(|present| *present == lock);
            }
        });
        Ok(())
    }

    /// Says how long an agent takes with a guest from now on, where a time is given. Whatever begins from now on takes that long.
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

    /// Lets an operation of an agent go wrong from now on. This replaces what was said about that operation before.
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
