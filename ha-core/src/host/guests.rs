//! What a master changes of guests, and of what is said of them.

use alloc::string::String;

use super::HostError;
use crate::{
    config::{GroupsConfig, RequestedState, ResourcesConfig, RulesConfig},
    id::{NodeName, ServiceId},
};

/// The few things that the master does to guests and their configuration itself.
///
/// ```
/// use std::collections::BTreeMap;
///
/// use ha_core::{
///     config::{GroupsConfig, RequestedState, ResourcesConfig, RulesConfig},
///     host::{GuestControl, HostError},
///     id::{NodeName, ServiceId},
/// };
///
/// /// Where each guest is configured.
/// struct Guests(BTreeMap<ServiceId, NodeName>);
///
/// impl GuestControl for Guests {
///     fn move_configuration(&mut self, sid: &ServiceId, from: &NodeName, to: &NodeName) -> Result<(), HostError> {
///         match self.0.get(sid) {
///             Some(node) if node == from || node == to => {
///                 self.0.insert(sid.clone(), to.clone());
///                 Ok(())
///             }
///             node => Err(HostError::new(format!("{sid} is on {node:?}, and may run there"))),
///         }
///     }
///
///     fn remove_leftover_locks(&mut self, _: &ServiceId, _: &NodeName) -> Result<Option<String>, HostError> {
///         Ok(None)
///     }
///
///     fn set_requested_state(&mut self, sid: &ServiceId, _: RequestedState) -> Result<(), HostError> {
///         Err(HostError::new(format!("{sid} is configured by people alone")))
///     }
///
///     fn write_group_migration(&mut self, _: &RulesConfig, _: &ResourcesConfig) -> Result<(), HostError> {
///         Err(HostError::new("there are no groups"))
///     }
///
///     fn remove_groups(&mut self, _: &GroupsConfig) -> Result<(), HostError> {
///         Err(HostError::new("there are no groups"))
///     }
///
///     fn software_version(&mut self, _: &NodeName) -> Result<Option<String>, HostError> {
///         Ok(None)
///     }
/// }
///
/// let [node1, node2, node3] = [NodeName::new("node1")?, NodeName::new("node2")?, NodeName::new("node3")?];
/// let sid: ServiceId = "vm:100".parse()?;
/// let mut guests = Guests([(sid.clone(), node1.clone())].into());
/// guests.move_configuration(&sid, &node1, &node2)?;
/// guests.move_configuration(&sid, &node1, &node2)?;
/// assert!(guests.move_configuration(&sid, &node1, &node3).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait GuestControl {
    /// Moves the configuration of a guest from a node that was fenced to another one, so that it can be started there.
    /// Succeeds if it is there already, and fails if it is on a third node: it may run there. It must not touch the guest.
    fn move_configuration(&mut self, sid: &ServiceId, from: &NodeName, to: &NodeName) -> Result<(), HostError>;

    /// Removes the locks that a guest on a fenced node may have left and that are safe to remove after a reset (the names
    /// are in [`LEFTOVER_GUEST_LOCKS`]). Gives the name of the lock that was removed, if there was one.
    fn remove_leftover_locks(&mut self, sid: &ServiceId, node: &NodeName) -> Result<Option<String>, HostError>;

    /// Changes the requested state of a service in the configuration.
    fn set_requested_state(&mut self, sid: &ServiceId, state: RequestedState) -> Result<(), HostError>;

    /// Writes the rules file that the groups were turned into, then the resources file whose services name no group any
    /// more; only if both files still have the digests that these were made from.
    fn write_group_migration(&mut self, rules: &RulesConfig, resources: &ResourcesConfig) -> Result<(), HostError>;

    /// Removes the groups file, the last step of a group migration; only if it still is the given one.
    fn remove_groups(&mut self, groups: &GroupsConfig) -> Result<(), HostError>;

    /// The version of the software on a node, such as `9.0.0~16`; `None` if it is not known.
    fn software_version(&mut self, node: &NodeName) -> Result<Option<String>, HostError>;
}

/// Names of guest locks that are safe to remove after the guest's node was reset.
pub const LEFTOVER_GUEST_LOCKS: [&str; 9] =
    ["backup", "mounted", "migrate", "clone", "rollback", "snapshot", "snapshot-delete", "suspending", "suspended"];
