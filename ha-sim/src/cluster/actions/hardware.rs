//! Multiplexers, clocks, leases and watchdogs, which are never quite as told.

use std::{collections::BTreeSet, time::Duration};

use ha_core::id::NodeName;

use crate::{cluster::Cluster, world::Clock};

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

/// Clocks, leases and watchdogs.
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

    /// Sets by how much the watchdog of a node resets it earlier and later than told.
    pub fn set_watchdog_error(&mut self, node: &NodeName, early: Duration, late: Duration) {
        if let Some(node) = self.world.nodes.get_mut(node) {
            (node.watchdog_early, node.watchdog_late) = (early, late);
        }
    }

    /// Gives the daemons of a node timings of their own, from their next start on. What locks and watchdogs count on must be the same on
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

    /// Jobs take no longer than that before they must be ended, except moves that make progress.
    pub fn limit_jobs(&mut self, patience: Duration) {
        self.world.physics.job_patience = Some(patience);
    }

    /// Ends what agents hang in: it fails.
    pub fn end_hung_jobs(&mut self) {
        self.world.end_hung_jobs();
    }
}
