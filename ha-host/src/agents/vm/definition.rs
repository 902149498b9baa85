//! What a virtual machine is made of.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A virtual machine that QEMU runs.
///
/// ```
/// let text = r#"{"memory_mb": 2048, "cpus": 2, "disks": [{"file": "/srv/web.qcow2", "format": "qcow2"}]}"#;
/// let guest: ha_host::agents::VmGuest = serde_json::from_str(text)?;
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
    /// More arguments for QEMU: it has no devices but those that are named here. A relative path is one below the daemon's run
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
    #[serde(default = "crate::agents::kind::usual_seconds")]
    pub shutdown_s: u32,
    /// Whether it has a port for the guest agent of QEMU, by which it is seen whether it is ready where the probe of its service is
    /// `agent`. The program `qemu-ga` must run in it.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub guest_agent: bool,
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
