//! Where what the nodes of a cluster share is kept: records, configuration, commands.

use alloc::{string::String, sync::Arc, vec::Vec};

use super::{Configuration, HostError};
use crate::{
    id::NodeName,
    status::{LrmStatus, ManagerStatus},
};

/// Where the records are read from. Both daemons read them.
///
/// ```
/// use std::{collections::BTreeMap, sync::Arc};
///
/// use ha_core::{
///     host::{HostError, StatusStore},
///     id::NodeName,
///     status::{LrmStatus, ManagerStatus},
/// };
///
/// /// The records as JSON, by their names.
/// struct Records(BTreeMap<String, String>);
///
/// impl StatusStore for Records {
///     fn manager_status(&mut self) -> Result<Option<Arc<ManagerStatus>>, HostError> {
///         let Some(json) = self.0.get("manager_status") else { return Ok(None) };
///         let status = ManagerStatus::from_json(json).map_err(|error| HostError::new(error.to_string()))?;
///         Ok(Some(Arc::new(status)))
///     }
///
///     fn lrm_status(&mut self, node: &NodeName) -> Result<Option<Arc<LrmStatus>>, HostError> {
///         let Some(json) = self.0.get(&format!("lrm_status {node}")) else { return Ok(None) };
///         let status = LrmStatus::from_json(json).map_err(|error| HostError::new(error.to_string()))?;
///         Ok(Some(Arc::new(status)))
///     }
/// }
///
/// let mut records = Records(BTreeMap::new());
/// assert_eq!(records.manager_status(), Ok(None), "none was ever written");
/// records.0.insert("manager_status".to_owned(), "{\"node_st".to_owned());
/// assert!(records.manager_status().is_err(), "a torn one is not none");
/// ```
pub trait StatusStore {
    /// The manager status as it was last written; `None` if none was ever written. A record that can't be read or
    /// understood is an error, never `None`: the core would begin from nothing.
    fn manager_status(&mut self) -> Result<Option<Arc<ManagerStatus>>, HostError>;

    /// The record of a node's LRM as it was last written; `None` if there is none. A host that can tell that the record of a
    /// former node is gone gives one with mode [`Unknown`](crate::status::LrmMode::Unknown).
    ///
    /// The master asks for each node's in every round; on an error the record that was read in the round before holds. An LRM
    /// asks for its own node's once, while quorate, before it writes its first one: what has failed by it is not done again under
    /// the same request, since a master may count that failure yet. On an error it asks again, and does nothing before.
    fn lrm_status(&mut self, node: &NodeName) -> Result<Option<Arc<LrmStatus>>, HostError>;
}

/// The configuration, as a whole.
///
/// ```
/// use ha_core::{
///     config::ResourcesConfig,
///     host::{Configuration, ConfigurationStore, HostError},
///     id::ServiceTypes,
/// };
///
/// /// What was read last, to be given again while the files stay as they are.
/// struct Files {
///     configuration: Configuration,
///     changed: bool,
/// }
///
/// impl ConfigurationStore for Files {
///     fn configuration(&mut self) -> Result<Configuration, HostError> {
///         if self.changed {
///             // … read the files that changed; if one can't be read that is an error, and the old ones stay …
///             let resources = ResourcesConfig::read(b"vm: 100\n", &ServiceTypes::default());
///             self.configuration.resources = resources.config.into();
///             self.changed = false;
///         }
///         Ok(self.configuration.clone())
///     }
/// }
///
/// let mut files = Files { configuration: Configuration::default(), changed: true };
/// let (first, second) = (files.configuration()?, files.configuration()?);
/// assert!(std::sync::Arc::ptr_eq(&first.resources, &second.resources), "nothing is worked out again");
/// # Ok::<(), HostError>(())
/// ```
pub trait ConfigurationStore {
    /// What is configured now. Parts that did not change should be the same [`Arc`]s or at least have the same digests,
    /// since the core works out again what depends on a part whose digest changed.
    fn configuration(&mut self) -> Result<Configuration, HostError>;
}

/// The records that the master reads and writes.
///
/// ```
/// use ha_core::{
///     host::{HostError, ManagerStore},
///     status::ManagerStatus,
/// };
///
/// #[derive(Default)]
/// struct Store {
///     manager_status: String,
///     commands: Vec<String>,
///     holds_manager_lock: bool,
/// }
///
/// impl ManagerStore for Store {
///     fn write_manager_status(&mut self, status: &ManagerStatus) -> Result<(), HostError> {
///         if !self.holds_manager_lock {
///             return Err(HostError::new("another node is the master"));
///         }
///         // … in files: to another name, synced, and then renamed …
///         self.manager_status = status.to_json();
///         Ok(())
///     }
///
///     fn commands_waiting(&mut self) -> Result<bool, HostError> {
///         Ok(!self.commands.is_empty())
///     }
///
///     fn take_commands(&mut self) -> Result<Vec<String>, HostError> {
///         Ok(std::mem::take(&mut self.commands))
///     }
/// }
///
/// let mut store = Store { commands: vec!["migrate vm:100 node2".to_owned()], ..Store::default() };
/// assert_eq!(store.take_commands()?, ["migrate vm:100 node2"]);
/// assert!(store.take_commands()?.is_empty(), "a line is given once");
/// assert!(store.write_manager_status(&ManagerStatus::default()).is_err());
/// # Ok::<(), HostError>(())
/// ```
pub trait ManagerStore {
    /// Writes the manager status, whole or not at all. On an error the master keeps it and writes it in the next round.
    ///
    /// While HA is disarmed no watchdog ends a master that was stopped for longer than its lock lasts. A host that can
    /// should refuse the write of a node that does not hold the manager lock any more; otherwise the record of another
    /// master may be overwritten for one round.
    fn write_manager_status(&mut self, status: &ManagerStatus) -> Result<(), HostError>;

    /// Whether a command waits in the queue.
    fn commands_waiting(&mut self) -> Result<bool, HostError>;

    /// Takes all lines of the command queue, which is empty afterwards. A line is given once. On an error the round goes on
    /// without commands.
    fn take_commands(&mut self) -> Result<Vec<String>, HostError>;
}

/// The record that an LRM writes.
///
/// ```
/// use ha_core::{
///     host::{HostError, LrmStore},
///     status::LrmStatus,
/// };
///
/// /// The record of this node.
/// struct Record(Option<String>);
///
/// impl LrmStore for Record {
///     fn write_lrm_status(&mut self, status: &LrmStatus) -> Result<(), HostError> {
///         self.0 = Some(status.to_json());
///         Ok(())
///     }
/// }
///
/// let mut record = Record(None);
/// record.write_lrm_status(&LrmStatus::default())?;
/// assert!(LrmStatus::from_json(&record.0.ok_or("it was written")?).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait LrmStore {
    /// Writes this node's LRM status, whole or not at all. On an error it is written in the next iteration.
    fn write_lrm_status(&mut self, status: &LrmStatus) -> Result<(), HostError>;
}
