//! What must hold at any time, whatever fails.

use ha_core::{
    host::{HostError, Lock},
    id::{NodeName, ServiceId},
    time::Instant,
};

use super::{Cluster, Daemon};

impl Cluster {
    fn violated(&self, what: &str) {
        panic!("at {}: {what}", self.time.since_start().as_secs());
    }

    /// A watchdog is fed: only after a renewal that was asked for after the previous feed, and within its budget.
    pub(super) fn check_feed(&mut self, node: &NodeName, daemon: Daemon, not_after: Instant) {
        let renewal = self.nodes.get_mut(node).and_then(|node| node.renewals.remove(&daemon));
        match renewal {
            None => self.violated(&format!("{daemon:?} of {node} fed its watchdog without a renewal")),
            Some(asked) if not_after > self.timings.feed_deadline(asked) => {
                self.violated(&format!("{daemon:?} of {node} allowed a feed after the budget of its renewal"));
            }
            Some(_) => {}
        }
    }

    /// A watchdog is closed: by an LRM only if nothing runs that it has to look after, or if HA is being disarmed.
    pub(super) fn check_close(&self, node: &NodeName, daemon: Daemon) {
        let status = self.status();
        if daemon == Daemon::Crm || status.disarm.is_some() {
            return;
        }
        let running = self.nodes[node].running.iter();
        let looked_after: Vec<&ServiceId> = running
            .filter(|sid| status.services.get(sid).is_some_and(|entry| status.is_active(sid, entry, node)))
            .collect();
        if !looked_after.is_empty() {
            self.violated(&format!("the LRM of {node} closed its watchdog while {looked_after:?} run"));
        }
    }

    /// A job is handed out: only under the lock and the watchdog.
    pub(super) fn check_job(&self, node: &NodeName) {
        if self.holder(&Lock::Agent(node.clone())) != Some(node) {
            self.violated(&format!("the LRM of {node} started a job without its lock"));
        }
        if !self.nodes[node].watchdogs.contains_key(&Daemon::Lrm) {
            self.violated(&format!("the LRM of {node} started a job without a watchdog"));
        }
    }

    /// A service begins to run.
    pub(super) fn check_start(&self, sid: &ServiceId, node: &NodeName) {
        let elsewhere: Vec<NodeName> = self.places(sid).into_iter().filter(|place| *place != node).cloned().collect();
        if !elsewhere.is_empty() {
            self.violated(&format!("{sid} is started on {node}, and runs on {elsewhere:?}"));
        }
    }

    /// The master changes something that all see: only under the lock, and guarded unless HA was disarmed.
    ///
    /// Without a watchdog, nothing keeps a master that was stopped from going on after its lock is over: the store refuses
    /// that.
    pub(super) fn check_master(&self, node: &NodeName, what: &str) -> Result<(), HostError> {
        let holds_lock = self.holder(&Lock::Manager) == Some(node);
        let guarded = self.nodes[node].watchdogs.contains_key(&Daemon::Crm);
        match (holds_lock, guarded) {
            (true, true) => {}
            (true, false) if self.status().is_disarmed() => {}
            (true, false) => self.violated(&format!("the CRM of {node} {what} without a watchdog")),
            (false, true) => self.violated(&format!("the CRM of {node} {what} without the manager lock")),
            (false, false) => return Err(HostError::new("this node does not hold the manager lock")),
        }
        Ok(())
    }

    /// The configuration of a guest is taken from a node that was fenced.
    pub(super) fn check_steal(&self, sid: &ServiceId, from: &NodeName) {
        let places: Vec<NodeName> = self.places(sid).into_iter().cloned().collect();
        if !places.is_empty() {
            self.violated(&format!("{sid} was taken from {from}, and runs on {places:?}"));
        }
    }
}
