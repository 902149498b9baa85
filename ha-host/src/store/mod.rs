//! What the nodes of a cluster share, and the presence of a node in it.
//!
//! A [`Store`] holds documents: the settings of the cluster, the configuration files, the guests, the records of the
//! daemons and the command queue. A [`Session`] is one node that takes part: it is seen by the others, sees them, and
//! holds locks. [`FileStore`] is both in a directory.

mod cached;
mod edit;
mod file;
mod guest;
mod journal;
mod lease;
mod membership;
mod session;
mod settings;
mod usage;
mod view;

pub use edit::{change_if_unchanged, edit};
pub use file::FileStore;
pub use guest::{AgentKind, ExecGuest, GuestDefinition, ProcGuest, UnitGuest};
pub use lease::LeaseRecord;
pub use membership::Beat;
pub use session::FileSession;
pub use settings::ClusterSettings;
pub use usage::usage;
pub use view::{ConfigurationReader, FileProblem, StoredConfiguration, service_types};

use std::{collections::BTreeMap, io, path::Path, str::FromStr, sync::Arc};

use ha_core::{
    host::{HostError, Lock, LockAnswer},
    id::{NodeName, ServiceId},
};

/// Why the store could not do what it was asked for. Nothing was changed then, unless the message says otherwise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file system failed.
    #[error("cannot {action} {path}: {source}")]
    File {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file.
        path: String,
        /// Why not.
        source: io::Error,
    },
    /// The directory holds no cluster.
    #[error("there is no cluster in {0}: make one with 'ha init', or name another store")]
    NoCluster(String),
    /// There is a cluster already.
    #[error("there is a cluster in {0} already")]
    ClusterExists(String),
    /// A document that cannot be understood.
    #[error("{what} cannot be read: {problem}")]
    Unreadable {
        /// The document.
        what: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The store has not answered for too long.
    #[error("the store has not answered for {seconds:.1} s")]
    NoAnswer {
        /// For how long.
        seconds: f64,
    },
    /// An address of a store that is none.
    #[error("'{0}' is no store: expected 'file:DIRECTORY'")]
    BadAddress(String),
}

impl StoreError {
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.display().to_string();
        move |source| Self::File { action, path, source }
    }
}

impl From<StoreError> for HostError {
    fn from(error: StoreError) -> Self {
        Self::new(error.to_string())
    }
}

/// The configuration files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConfigFile {
    /// The managed services.
    Resources,
    /// The groups.
    Groups,
    /// The rules.
    Rules,
    /// Settings of the whole cluster.
    Datacenter,
    /// Fence devices.
    Fence,
}

impl ConfigFile {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Resources, Self::Groups, Self::Rules, Self::Datacenter, Self::Fence];

    /// The name of the file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Resources => "resources.cfg",
            Self::Groups => "groups.cfg",
            Self::Rules => "rules.cfg",
            Self::Datacenter => "datacenter.cfg",
            Self::Fence => "fence.cfg",
        }
    }
}

/// The bytes of all configuration files that there are. A file that did not change is the same [`Arc`] as before.
pub type ConfigTexts = BTreeMap<ConfigFile, Arc<[u8]>>;

/// The new content of a configuration file; `None` removes it.
pub type ConfigChange = (ConfigFile, Option<Vec<u8>>);

/// A record that a daemon writes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Record {
    /// The manager status.
    Manager,
    /// The LRM status of a node.
    Lrm(NodeName),
}

/// The guests by SID.
pub type GuestTable = BTreeMap<ServiceId, Arc<GuestDefinition>>;

/// Documents that the nodes share.
///
/// Every change is whole or not made at all. Reading needs no lock and sees, of each document, one whole state.
pub trait Store: Send + Sync {
    /// The settings of the cluster.
    ///
    /// # Errors
    ///
    /// If there is no cluster, or its settings cannot be read or understood.
    fn settings(&self) -> Result<ClusterSettings, StoreError>;

    /// The configuration files.
    ///
    /// # Errors
    ///
    /// If the store fails.
    fn config_texts(&self) -> Result<ConfigTexts, StoreError>;

    /// Edits the configuration: `edit` gets the files as they are and says which of them change. No other edit comes
    /// between, and either all of the changes are made or none. `edit` may be called again if the store asks for it.
    ///
    /// # Errors
    ///
    /// If the store fails. Where a crash or an error comes in the middle of several files, the next edit or the next
    /// daemon that reads completes the change.
    fn edit_config(&self, edit: &mut dyn FnMut(&ConfigTexts) -> Vec<ConfigChange>) -> Result<(), StoreError>;

    /// All guests, and what is wrong with the definitions that cannot be used.
    ///
    /// # Errors
    ///
    /// If the store fails.
    fn guests(&self) -> Result<(Arc<GuestTable>, Vec<String>), StoreError>;

    /// The definition of a guest; `None` if it does not exist.
    ///
    /// # Errors
    ///
    /// If the store fails, or the definition cannot be understood.
    fn guest(&self, sid: &ServiceId) -> Result<Option<GuestDefinition>, StoreError>;

    /// Edits a guest's definition: `edit` gets it as it is, and leaves it as it is to be; `None` is no guest. No other edit of
    /// a guest comes between.
    ///
    /// # Errors
    ///
    /// If the store fails, or the definition that there is cannot be understood.
    fn edit_guest(&self, sid: &ServiceId, edit: &mut dyn FnMut(&mut Option<GuestDefinition>))
    -> Result<(), StoreError>;

    /// The bytes of a record. What did not change is the same [`Arc`] as before.
    ///
    /// # Errors
    ///
    /// If the store fails.
    fn record(&self, record: &Record) -> Result<Option<Arc<[u8]>>, StoreError>;

    /// Writes a record. There must be no two writers of one record at the same time, save for `writer`s of different names.
    ///
    /// # Errors
    ///
    /// If the store fails.
    fn write_record(&self, record: &Record, content: &[u8], writer: &NodeName) -> Result<(), StoreError>;

    /// Appends a line to the command queue.
    ///
    /// # Errors
    ///
    /// If the store fails.
    fn append_command(&self, line: &str) -> Result<(), StoreError>;

    /// Whether there is a line in the command queue.
    ///
    /// # Errors
    ///
    /// If the store fails.
    fn commands_waiting(&self) -> Result<bool, StoreError>;

    /// Takes all lines out of the command queue. Each is given to one caller, once.
    ///
    /// # Errors
    ///
    /// If the store fails.
    fn take_commands(&self) -> Result<Vec<String>, StoreError>;

    /// The last sign of life of every node that has given one. It says nothing about whether the node is alive now.
    ///
    /// # Errors
    ///
    /// If the store fails.
    fn beats(&self) -> Result<BTreeMap<NodeName, Beat>, StoreError>;
}

/// A node that takes part in the cluster. All of the node's daemons share it.
pub trait Session: Send + Sync {
    /// Whether the view of the cluster is up to date.
    ///
    /// # Errors
    ///
    /// If it is not, and why.
    fn refresh(&self) -> Result<(), StoreError>;

    /// Whether the node takes part, by the present view.
    fn is_quorate(&self) -> bool;

    /// All nodes of the cluster, each with whether it takes part. Where this node does not, none does.
    ///
    /// # Errors
    ///
    /// If the members of the cluster are not known.
    fn members(&self) -> Result<BTreeMap<NodeName, bool>, StoreError>;

    /// As [`ha_core::host::ClusterLock::take`].
    ///
    /// # Errors
    ///
    /// If it is not known whether this node has the lock.
    fn take(&self, lock: &Lock) -> Result<LockAnswer, StoreError>;

    /// As [`ha_core::host::ClusterLock::release`].
    ///
    /// # Errors
    ///
    /// If it is not known whether the lock is free.
    fn release(&self, lock: &Lock) -> Result<(), StoreError>;
}

/// Where a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreAddress {
    /// `file:DIRECTORY`, a [`FileStore`].
    File(std::path::PathBuf),
}

impl FromStr for StoreAddress {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        match text.strip_prefix("file:") {
            Some(directory) if !directory.is_empty() => Ok(Self::File(directory.into())),
            Some(_) | None => Err(StoreError::BadAddress(text.into())),
        }
    }
}
