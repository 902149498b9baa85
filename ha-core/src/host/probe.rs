//! Probes: whether services that run are ready, too.

use alloc::format;

use super::HostError;
use crate::{config::resources::Probe, id::ServiceId, text_enum::text_enum};

/// One question whether a service is ready. It is named by `sid` and `number` together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ProbeAttempt {
    /// The service. It runs on this node, as far as is known.
    pub sid: ServiceId,
    /// Counts the attempts of an LRM, from 1.
    pub number: u64,
    /// How to find out.
    pub probe: Probe,
    /// Seconds that it may take, at least 1.
    pub timeout: u32,
}

impl ProbeAttempt {
    /// The answer of a host that makes no probes.
    #[must_use]
    pub fn not_made(&self) -> HostError {
        HostError::new(format!("this host makes no probes: '{}' can't be asked", self.probe))
    }
}

/// How far a probe has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbeProgress {
    /// It is not answered yet.
    Running,
    /// The service is ready.
    Ready,
    /// It is not, or not yet.
    NotReady,
    /// It is not, and will not be: it counts at once as if it had not been ready for as often and as long as is configured.
    Failed,
}

text_enum! {
    ProbeProgress: "the progress of a probe",
    Running = "running",
    Ready = "ready",
    NotReady = "not_ready",
    Failed = "failed",
}
