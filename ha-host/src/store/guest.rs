//! Guests: what the services are made of, each a small JSON document in the store.

use std::{collections::BTreeMap, path::PathBuf};

use ha_core::id::NodeName;
use serde::{Deserialize, Serialize};

/// A guest: where it is configured, and how it is run.
///
/// ```
/// let text = r#"{"node": "node1", "agent": {"proc": {"command": ["/usr/bin/sleep", "1000"]}}}"#;
/// let guest: ha_host::store::GuestDefinition = serde_json::from_str(text)?;
/// assert_eq!(guest.node.as_str(), "node1");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuestDefinition {
    /// The node on which it is configured: no other node may run it.
    pub node: NodeName,
    /// How it is run.
    pub agent: AgentKind,
    /// The live move whose destination goes on in place of a start anew: see [`LiveMove`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<String>,
    /// A lock by which some operation of this name keeps others away from the guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<String>,
    /// Cores that it may use; 0 is no limit. For the static and dynamic schedulers.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub max_cpu: f64,
    /// Bytes of memory that it may use. For the static and dynamic schedulers.
    #[serde(default, skip_serializing_if = "is_zero_bytes")]
    pub max_memory: u64,
}

/// What runs a guest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum AgentKind {
    /// A process with its children.
    Proc(ProcGuest),
    /// A program that knows the verbs of [`crate::agents::ExecAgent`].
    Exec(ExecGuest),
    /// A systemd unit.
    Unit(UnitGuest),
    /// A virtual machine.
    Vm(VmGuest),
}

impl AgentKind {
    /// The word for the agent, as in a definition.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Proc(_) => "proc",
            Self::Exec(_) => "exec",
            Self::Unit(_) => "unit",
            Self::Vm(_) => "vm",
        }
    }

    /// Whether the same agent runs both.
    #[must_use]
    pub fn is_of_the_kind_of(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    /// Whether its agent may be able to move a running guest without stopping it.
    #[must_use]
    pub const fn may_move_live(&self) -> bool {
        match self {
            Self::Exec(_) | Self::Vm(_) => true,
            Self::Proc(_) | Self::Unit(_) => false,
        }
    }
}

/// A process that is started and watched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcGuest {
    /// The program and its arguments. No shell is between.
    pub command: Vec<String>,
    /// The directory in which it is started; `/` if none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<PathBuf>,
    /// Variables that are added to its environment.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// Seconds from SIGTERM to SIGKILL when it is stopped and nobody says another time.
    #[serde(default = "default_grace")]
    pub grace_s: u32,
}

impl ProcGuest {
    /// Seconds from SIGTERM to SIGKILL where nothing else is said.
    pub const DEFAULT_GRACE_S: u32 = 10;
}

/// A program of one's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExecGuest {
    /// The program and its first arguments; the verb and its arguments come after them.
    pub command: Vec<String>,
    /// Seconds that a verb may take, where no other time is asked for.
    #[serde(default = "default_verb_timeout")]
    pub timeout_s: u32,
}

/// A systemd unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitGuest {
    /// The unit, such as `nginx.service`.
    pub unit: String,
    /// Seconds that a start or stop may take, where no other time is asked for.
    #[serde(default = "default_verb_timeout")]
    pub timeout_s: u32,
}

/// A virtual machine that QEMU runs.
///
/// ```
/// let text = r#"{"memory_mb": 2048, "cpus": 2, "disks": [{"file": "/srv/web.qcow2", "format": "qcow2"}]}"#;
/// let guest: ha_host::store::VmGuest = serde_json::from_str(text)?;
/// assert_eq!(guest.shutdown_s, 60);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VmGuest {
    /// MiB of memory.
    pub memory_mb: u32,
    /// Virtual processors.
    #[serde(default = "default_cpus")]
    pub cpus: u32,
    /// Its disks, by virtio. For a move all nodes must reach them by the same path.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disks: Vec<VmDisk>,
    /// More arguments for QEMU: it has no devices but those that stand here. A relative path is one below the daemon's run
    /// directory.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
    /// What QEMU may run it with; the first that there is, is taken.
    #[serde(default = "default_accelerators")]
    pub accelerators: Vec<String>,
    /// The QEMU.
    #[serde(default = "default_qemu")]
    pub program: String,
    /// Seconds from the power button to the end of power when it is stopped and nobody says another time.
    #[serde(default = "default_verb_timeout")]
    pub shutdown_s: u32,
    /// Seconds that a live move may take.
    #[serde(default = "default_move_timeout")]
    pub move_s: u32,
}

/// A disk of a virtual machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VmDisk {
    /// Its file or device.
    pub file: PathBuf,
    /// What is in it.
    pub format: DiskFormat,
}

/// The format of a disk. It must be said: a guest could make its raw disk look like another format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DiskFormat {
    /// The disk as it is.
    Raw,
    /// QEMU's own format.
    Qcow2,
}

/// A live move that is under way: how the two nodes find each other.
///
/// The source asks for a destination by putting this into the store; the target's daemon starts one, which waits, and
/// adds its address. Once all of the guest is there and the source stands still, the source makes the target the guest's node.
/// From then on, and only then, the target lets its destination run, if [`GuestDefinition::resume`] names that very move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveMove {
    /// Unlike all others.
    pub id: String,
    /// Where the guest runs.
    pub source: NodeName,
    /// Where it is to run.
    pub target: NodeName,
    /// What the target says to it, once it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<MoveAnswer>,
}

/// What the target of a live move says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MoveAnswer {
    /// Where its destination waits, as QEMU writes it.
    Ready(String),
    /// Why there is no destination.
    Refused(String),
}

fn default_cpus() -> u32 {
    1
}

fn default_accelerators() -> Vec<String> {
    vec!["kvm".into(), "tcg".into()]
}

fn default_qemu() -> String {
    "qemu-system-x86_64".into()
}

fn default_move_timeout() -> u32 {
    600
}

fn default_grace() -> u32 {
    ProcGuest::DEFAULT_GRACE_S
}

fn default_verb_timeout() -> u32 {
    60
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_zero_bytes(value: &u64) -> bool {
    *value == 0
}
