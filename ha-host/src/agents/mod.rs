//! Agents: what starts, stops, watches and moves the services of a node.
//!
//! A kind of guest is a [`GuestAgent`] in a file of its own, and a line of the registry [`Kinds`]; programs that embed the daemon add
//! theirs. [`NodeAgents`] asks the one that a guest's definition names. Agents know the store as two calls, which read a guest and
//! change one, and nothing of the daemon.

mod exec;
mod failures;
mod kind;
mod kinds;
mod launch;
mod node;
mod ocf;
mod output;
mod privileges;
mod probe;
mod proc;
mod processes;
mod program;
mod unit;
mod vm;

pub use exec::{ExecAgent, ExecFinding, ExecGuest, ExecPromise, Verb, try_out as try_out_exec};
pub use failures::{Failures, JobFailure};
pub use kind::{Complaints, GuestAgent, Kind, Workplace};
pub use kinds::{Kinds, service_types};
pub use launch::{Launcher, launched};
pub use node::NodeAgents;
pub use ocf::{
    OcfAction, OcfAgent, OcfDescription, OcfGuest, OcfName, OcfParameter, OcfTimeouts, installed as installed_ocf,
    ocf_root,
};
pub use probe::{PROBE_DIRECTORY, Prober};
pub use proc::{ProcAgent, ProcGuest};
pub use unit::{Systemctl, SystemctlCommand, UnitAgent, UnitGuest};
pub use vm::{DiskFormat, MoveReceiver, VmAgent, VmDisk, VmGuest};

// Where these were before.
#[doc(no_inline)]
pub use crate::os::{cgroup::Containment, process};

use ha_core::event::Event;

/// Where events go, from any thread.
pub trait SharedSink: Send + Sync {
    /// Takes note of an event. It must not block.
    fn event(&self, event: Event);
}
