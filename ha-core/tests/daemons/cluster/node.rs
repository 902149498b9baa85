//! The hardware of a node, and what is on it.

use std::collections::{BTreeMap, BTreeSet};

use ha_core::{
    crm::Crm,
    host::{Job, JobId},
    id::ServiceId,
    lrm::Lrm,
    status::ExitCode,
    time::Instant,
};

/// The two daemons of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Daemon {
    Crm,
    Lrm,
}

/// A node.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) powered: bool,
    pub(crate) connected: bool,
    pub(crate) crm: Option<Crm>,
    pub(crate) lrm: Option<Lrm>,
    /// When each daemon goes on.
    pub(crate) next: BTreeMap<Daemon, Instant>,
    /// When each open watchdog was last fed.
    pub(crate) watchdogs: BTreeMap<Daemon, Instant>,
    /// When the watchdogs that daemons left open as they ended were last fed.
    pub(crate) abandoned: Vec<Instant>,
    /// When each daemon asked for the renewal that it has not fed its watchdog for yet.
    pub(crate) renewals: BTreeMap<Daemon, Instant>,
    pub(crate) running: BTreeSet<ServiceId>,
    pub(crate) jobs: Vec<(Instant, Job)>,
    pub(crate) finished: Vec<(JobId, ExitCode)>,
}

impl Default for Node {
    fn default() -> Self {
        Self {
            powered: true,
            connected: true,
            crm: None,
            lrm: None,
            next: BTreeMap::new(),
            watchdogs: BTreeMap::new(),
            abandoned: Vec::new(),
            renewals: BTreeMap::new(),
            running: BTreeSet::new(),
            jobs: Vec::new(),
            finished: Vec::new(),
        }
    }
}

impl Node {
    pub(crate) fn is_up(&self) -> bool {
        self.powered && self.connected
    }
}
