//! The one call of a run that fails, and how.

use ha_core::host::HostOperation;

use super::Cluster;

/// Which call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) operation: HostOperation,
    /// The number of the call among those of its kind, from 1.
    pub(crate) number: u32,
    pub(crate) failure: Failure,
}

/// How it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// An error; before it took effect, or after.
    Error(When),
    /// It takes so many seconds; before it takes effect, or after.
    Late(When, u64),
    /// The node loses its power, and boots again.
    Crash(When),
    /// It says no, or what makes no sense.
    Wrong,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    Before,
    After,
}

impl Cluster {
    /// Counts a call, and says how it is to fail, if it is.
    pub(super) fn count_call(&mut self, operation: HostOperation) -> Option<Failure> {
        let count = self.calls.entry(operation).or_default();
        *count += 1;
        let fault = self.fault?;
        (fault.operation == operation && fault.number == *count).then_some(fault.failure)
    }
}
