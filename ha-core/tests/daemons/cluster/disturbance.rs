//! The one call of a run that goes wrong, and how.

use ha_core::host::HostOperation;

use super::Cluster;

/// Which call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Disturbance {
    pub(crate) operation: HostOperation,
    /// The number of the call among those of its kind, from 1.
    pub(crate) number: u32,
    pub(crate) fault: Fault,
}

/// How it goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It does nothing and gives an error.
    Fails,
    /// It takes effect and gives an error all the same.
    Unknown,
    /// Its answer comes so many seconds late.
    Late(u64),
    /// It says no, or something that makes no sense.
    Wrong,
}

impl Cluster {
    /// Counts a call, and says how it goes wrong, if it does.
    pub(super) fn count_call(&mut self, operation: HostOperation) -> Option<Fault> {
        let count = self.calls.entry(operation).or_default();
        *count += 1;
        let disturbance = self.disturbance?;
        (disturbance.operation == operation && disturbance.number == *count).then_some(disturbance.fault)
    }
}
