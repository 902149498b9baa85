//! Fence devices, which turn nodes off.

use alloc::collections::BTreeSet;

use super::HostError;
use crate::{
    config::fence::FenceCommand,
    id::{NodeName, Uid},
    text_enum::text_enum,
};

/// How far a fence device has come with a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FenceProgress {
    /// Its commands still run.
    Running,
    /// All of its commands succeeded: the node is off.
    Succeeded,
    /// One of its commands failed or timed out.
    Failed,
}

text_enum! {
    FenceProgress: "the progress of a fence device",
    Running = "running",
    Succeeded = "succeeded",
    Failed = "failed",
}

/// One use of a fence device. It is named by `incident` and `number` together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FenceAttempt {
    /// The node that must be turned off.
    pub node: NodeName,
    /// The incident that it belongs to ([`FenceIncident`](crate::status::FenceIncident)).
    pub incident: Uid,
    /// Counts the attempts of a master in this incident, from 0.
    pub number: u32,
    /// Which of the node's devices it is, counted from 0. It comes again when all have failed and are tried again.
    pub device: u32,
}

/// Runs the commands of fence devices.
///
/// **An answer belongs to one attempt.** A success counts as proof that the node is off, so it has to come from commands that were
/// started for this very attempt. An answer to another one is never given: the node may have been up again meanwhile.
///
/// ```
/// use std::collections::{BTreeMap, BTreeSet};
///
/// use ha_core::{
///     config::fence::FenceCommand,
///     host::{FenceAttempt, FenceDevices, FenceProgress, HostError},
///     id::{NodeName, Uid},
/// };
///
/// /// How far the commands of each attempt have come.
/// #[derive(Default)]
/// struct Devices(BTreeMap<FenceAttempt, FenceProgress>);
///
/// impl FenceDevices for Devices {
///     fn run(&mut self, attempt: &FenceAttempt, _: &[FenceCommand]) -> Result<FenceProgress, HostError> {
///         let is_another = |other: &FenceAttempt| other.node == attempt.node && other != attempt;
///         if self.0.iter().any(|(other, progress)| is_another(other) && *progress == FenceProgress::Running) {
///             return Ok(FenceProgress::Running);
///         }
///         // … start the commands if they were not started yet for this attempt, and do not wait for them …
///         Ok(*self.0.entry(attempt.clone()).or_insert(FenceProgress::Running))
///     }
///
///     fn forget_fence_attempts(&mut self, except: &BTreeSet<Uid>) -> Result<(), HostError> {
///         self.0.retain(|attempt, _| except.contains(&attempt.incident));
///         Ok(())
///     }
/// }
///
/// let (node, incident) = (NodeName::new("node1")?, Uid::new("4f1a")?);
/// let first = FenceAttempt { node, incident, number: 0, device: 0 };
/// let mut devices = Devices([(first.clone(), FenceProgress::Succeeded)].into());
/// assert_eq!(devices.run(&first, &[])?, FenceProgress::Succeeded);
/// let later = FenceAttempt { incident: Uid::new("99e0")?, ..first };
/// assert_eq!(devices.run(&later, &[])?, FenceProgress::Running, "what succeeded for another incident proves nothing");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait FenceDevices {
    /// Starts the commands of a device, all at once, if they were not started yet for this attempt, and says how far they have
    /// come. It is called once a round until it does not say [`FenceProgress::Running`] any more. An error counts as a failed
    /// device.
    ///
    /// Before it starts commands, what still runs for another attempt for this node has ended, or can do nothing more; as long as
    /// it may, the answer is [`FenceProgress::Running`]. It returns at once, also where a program hangs: the master's lock is
    /// renewed by the thread that calls.
    fn run(&mut self, attempt: &FenceAttempt, commands: &[FenceCommand]) -> Result<FenceProgress, HostError>;

    /// Forgets every attempt but those of the incidents that go on, and ends what runs for it, without waiting for that.
    ///
    /// It is called when a CRM becomes master and when it no longer is, and when an incident is over. An error is reported, and
    /// the call is made again in the next round.
    fn forget_fence_attempts(&mut self, except: &BTreeSet<Uid>) -> Result<(), HostError>;
}
