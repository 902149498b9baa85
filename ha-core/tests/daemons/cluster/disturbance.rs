//! The one call of a run that fails, and how.

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

/// How it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// An error; before it took effect, or after.
    Error(When),
    /// It takes so many seconds; before it takes effect, or after.
    Late(When, u64),
    /// The node loses its power, and boots again.
    Crash(When),
    /// It says no, or something that makes no sense.
    Wrong,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    Before,
    After,
}

impl Cluster {
    /// Counts a call, and says how it must fail, if it must.
    pub(super) fn count_call(&mut self, operation: HostOperation) -> Option<Fault> {
        let count = self.calls.entry(operation).or_default();
        *count += 1;
        let disturbance = self.disturbance?;
        (disturbance.operation == operation && disturbance.number == *count).then_some(disturbance.fault)
    }
}
