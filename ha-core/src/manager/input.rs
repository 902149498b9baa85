//! What a round reads before it decides anything.

use alloc::{collections::BTreeMap, format, string::String, sync::Arc, vec::Vec};

use crate::{
    config::datacenter::SchedulerMode,
    host::{self, Configuration, CrmHost, EventSink, HostError, HostFigures, HostOperation, UnmanagedGuest},
    id::NodeName,
    status::{LrmMode, LrmStatus, ManagerStatus},
    time::Now,
};

/// All that one round looks at, read at its start.
#[derive(Debug, Clone, Default)]
pub struct RoundInput {
    /// The time of the round.
    pub now: Now,
    /// The members of the cluster, each with whether it is online.
    pub members: BTreeMap<NodeName, bool>,
    /// The LRM records of the nodes in the manager status, as far as there are any.
    pub lrms: BTreeMap<NodeName, Arc<LrmStatus>>,
    /// The configuration.
    pub configuration: Configuration,
    /// Guests that HA does not manage.
    pub unmanaged: Vec<UnmanagedGuest>,
    /// The figures of nodes and services; read only if the configured scheduler looks at them.
    pub usage: Option<Arc<HostFigures>>,
}

impl RoundInput {
    /// Reads it all from the host. `None` if something that a round can't do without could not be read; that was
    /// reported.
    ///
    /// `known` are the LRM records of an earlier round. Where a node's record can't be read, its last one holds: results
    /// are bound to their requests, and one node's broken record must not keep the master from all others.
    pub fn read(
        host: &mut (impl CrmHost + ?Sized),
        status: &ManagerStatus,
        known: &BTreeMap<NodeName, Arc<LrmStatus>>,
        now: Now,
    ) -> Option<Self> {
        Self::try_read(host, status, known, now).ok()
    }

    /// The same; on an error it says in words which call failed.
    pub(crate) fn try_read(
        host: &mut (impl CrmHost + ?Sized),
        status: &ManagerStatus,
        known: &BTreeMap<NodeName, Arc<LrmStatus>>,
        now: Now,
    ) -> Result<Self, String> {
        let members = host.members();
        let members = needed(host, HostOperation::Members, members)?;
        let mut lrms = BTreeMap::new();
        for node in status.nodes.keys() {
            let record = host.lrm_status(node);
            let record = match (needed(host, HostOperation::ReadLrmStatus, record), known.get(node)) {
                (Ok(record), _) => record,
                (Err(_), Some(known)) => Some(known.clone()),
                (Err(reason), None) => return Err(reason),
            };
            lrms.extend(record.map(|record| (node.clone(), record)));
        }
        let configuration = host.configuration();
        let configuration = needed(host, HostOperation::ReadConfiguration, configuration)?;
        let unmanaged = host.unmanaged_services();
        let unmanaged = host::answer(host, HostOperation::Statistics, unmanaged);
        // What is added now may run.
        let unmanaged = unmanaged.unwrap_or_else(|| configuration.all_that_may_run());
        let usage = match configuration.datacenter.scheduler.mode {
            SchedulerMode::Basic => None,
            mode @ (SchedulerMode::Static | SchedulerMode::Dynamic) => {
                let usage = host.usage(mode);
                host::answer(host, HostOperation::Statistics, usage).map(Arc::new)
            }
        };
        Ok(Self { now, members, lrms, configuration, unmanaged, usage })
    }

    /// The mode of a node's LRM; one that has no record yet counts as active.
    #[must_use]
    pub fn lrm_mode(&self, node: &NodeName) -> LrmMode {
        self.lrms.get(node).map_or(LrmMode::Active, |record| record.mode)
    }
}

/// Reports a call that failed, and says so in words.
fn needed<T>(
    sink: &mut (impl EventSink + ?Sized),
    operation: HostOperation,
    result: Result<T, HostError>,
) -> Result<T, String> {
    let reason = result.as_ref().err().map(|error| format!("{operation}: {error}")).unwrap_or_default();
    host::answer(sink, operation, result).ok_or(reason)
}
