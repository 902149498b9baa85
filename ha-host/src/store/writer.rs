//! Who writes for a node: a machine, since its last boot, and a process.

use std::{fmt, path::PathBuf};

use ha_core::status::Writer;

use super::hand::mark;

/// Who writes for a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreWriter {
    /// The machine: what `/etc/machine-id` says, as a rule.
    pub machine: String,
    /// The boot of the machine, by the kernel's random id of it.
    pub boot: String,
    /// The process: no other one has the same.
    pub process: String,
}

impl StoreWriter {
    /// This process, on this machine in this boot.
    #[must_use]
    pub fn this_process(writer: &Writer) -> Self {
        let Writer { machine, boot, .. } = writer;
        let process = format!("{}-{}", std::process::id(), mark());
        Self { machine: machine.to_string(), boot: boot.to_string(), process }
    }
}

impl fmt::Display for StoreWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.machine, self.boot, self.process)
    }
}

/// Who takes part in a cluster, beyond the name of its node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Who writes.
    pub writer: StoreWriter,
    /// Where it notes what it has written, for the process that comes after it; nowhere if none can be proven to come after.
    /// Whoever begins with a note must hold an exclusive lock that all processes with that note hold all their lives.
    pub note: Option<PathBuf>,
    /// The id of the cluster: a store without it is not this one's.
    pub cluster: Option<String>,
    /// Another machine, as `machine/boot`, of which a person has said that it is no longer the node.
    pub decided_against: Option<String>,
}
