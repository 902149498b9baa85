//! A host on which nothing happens, to see what a manager would do.

use alloc::{collections::BTreeSet, string::String, sync::Arc, vec::Vec};

use crate::{
    config::{GroupsConfig, RequestedState, ResourcesConfig, RulesConfig, fence::FenceCommand},
    event::Event,
    host::{
        ClusterLock, EventSink, FenceAttempt, FenceDevices, FenceProgress, GuestControl, HostError, Lock, LockAnswer,
        ManagerStore, StatusStore,
    },
    id::{NodeName, ServiceId, Uid},
    status::{LrmStatus, ManagerStatus},
};

/// A host for rounds of a [`Manager`](crate::manager::Manager) that change nothing: it answers as it was told to, and
/// keeps the events.
///
/// With the status and the configuration of a real cluster, it shows what the next round would do with a command, a
/// change of the configuration, or the loss of a node. What the round would have written is in
/// [`Manager::status`](crate::manager::Manager::status).
///
/// ```
/// use ha_core::{
///     id::NodeName, manager::{Manager, RoundInput}, plan::Rehearsal, status::ManagerStatus, timing::Timings,
/// };
///
/// let master = NodeName::new("node1")?;
/// let input = RoundInput { members: [(master.clone(), true)].into(), ..RoundInput::default() };
/// let mut host = Rehearsal { commands: vec!["migrate vm:100 node2".to_owned()], ..Rehearsal::refusing() };
/// let (status, mode) = (ManagerStatus::default(), Default::default());
/// let mut manager = Manager::begin(master, Timings::default(), status, mode, &[0; 16], &mut host);
/// manager.round(&input, &mut host);
/// assert!(host.events.iter().any(|event| event.to_string().contains("vm:100")), "there is no such service");
/// # Ok::<(), ha_core::id::IdError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Rehearsal {
    /// What is answered to every attempt to take a lock. [`LockAnswer::Refused`] keeps nodes from being fenced.
    pub lock: LockAnswer,
    /// How every fence device does.
    pub fencing: FenceProgress,
    /// The commands that wait for the next round, which takes them.
    pub commands: Vec<String>,
    /// What happened, oldest first.
    pub events: Vec<Event>,
}

impl Rehearsal {
    /// A host where everything succeeds.
    #[must_use]
    pub const fn granting() -> Self {
        Self::new(LockAnswer::Acquired, FenceProgress::Succeeded)
    }

    /// A host where no lock can be had and no fence device comes to an end: only what needs neither goes on.
    #[must_use]
    pub const fn refusing() -> Self {
        Self::new(LockAnswer::Refused, FenceProgress::Running)
    }

    const fn new(lock: LockAnswer, fencing: FenceProgress) -> Self {
        Self { lock, fencing, commands: Vec::new(), events: Vec::new() }
    }
}

impl ClusterLock for Rehearsal {
    fn take(&mut self, _: &Lock) -> Result<LockAnswer, HostError> {
        Ok(self.lock)
    }

    fn release(&mut self, _: &Lock) -> Result<(), HostError> {
        Ok(())
    }
}

impl StatusStore for Rehearsal {
    fn manager_status(&mut self) -> Result<Option<Arc<ManagerStatus>>, HostError> {
        Ok(None)
    }

    fn lrm_status(&mut self, _: &NodeName) -> Result<Option<Arc<LrmStatus>>, HostError> {
        Ok(None)
    }
}

impl ManagerStore for Rehearsal {
    fn write_manager_status(&mut self, _: &ManagerStatus) -> Result<(), HostError> {
        Ok(())
    }

    fn commands_waiting(&mut self) -> Result<bool, HostError> {
        Ok(!self.commands.is_empty())
    }

    fn take_commands(&mut self) -> Result<Vec<String>, HostError> {
        Ok(core::mem::take(&mut self.commands))
    }
}

impl GuestControl for Rehearsal {
    fn move_configuration(&mut self, _: &ServiceId, _: &NodeName, _: &NodeName) -> Result<(), HostError> {
        Ok(())
    }

    fn remove_leftover_locks(&mut self, _: &ServiceId, _: &NodeName) -> Result<Option<String>, HostError> {
        Ok(None)
    }

    fn set_requested_state(&mut self, _: &ServiceId, _: RequestedState) -> Result<(), HostError> {
        Ok(())
    }

    fn write_group_migration(&mut self, _: &RulesConfig, _: &ResourcesConfig) -> Result<(), HostError> {
        Ok(())
    }

    fn remove_groups(&mut self, _: &GroupsConfig) -> Result<(), HostError> {
        Ok(())
    }

    fn software_version(&mut self, _: &NodeName) -> Result<Option<String>, HostError> {
        Ok(None)
    }
}

impl FenceDevices for Rehearsal {
    fn run(&mut self, _: &FenceAttempt, _: &[FenceCommand]) -> Result<FenceProgress, HostError> {
        Ok(self.fencing)
    }

    fn forget_fence_attempts(&mut self, _: &BTreeSet<Uid>) -> Result<(), HostError> {
        Ok(())
    }
}

impl EventSink for Rehearsal {
    fn event(&mut self, event: Event) {
        self.events.push(event);
    }
}
