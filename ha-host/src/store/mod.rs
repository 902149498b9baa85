//! What the nodes of a cluster share, and the presence of a node in it.
//!
//! A [`Store`] holds documents: the settings of the cluster, the configuration files, the guests, the records of the
//! daemons and the command queue. A [`Session`] is one node that takes part: it is seen by the others, sees them, and
//! holds locks: [`StoreSession`] is that for any [`SharedStore`]. [`FileStore`] is such a store, in a directory.

mod address;
mod cached;
mod documents;
mod edit;
mod error;
mod etcd;
mod figures;
mod file;
mod guest;
mod guest_cache;
mod hand;
mod history_files;
mod journal;
mod lease;
mod membership;
mod repair;
mod session;
mod settings;
mod slot;
mod space;
pub mod trial;
mod twin;
mod view;
mod writer;

pub use address::StoreAddress;
#[expect(deprecated, reason = "the name from before")]
pub use documents::Record;
pub use documents::{
    ConfigChange, ConfigFile, ConfigTexts, GuestTable, HistoryLine, RecordName, SideFile, StoreProblem,
};
pub use edit::{change_if_unchanged, edit, try_edit};
pub use error::StoreError;
pub use etcd::{EtcdAddress, EtcdLogin, EtcdStore, EtcdTls};
#[expect(deprecated, reason = "the name from before")]
pub use figures::usage;
pub use figures::{figures, figures_of};
pub use file::FileStore;
pub use guest::{AgentDefinition, DefinitionCheck, GuestDefinition, LiveMove, MoveAnswer};
pub(crate) use hand::mark;
pub use lease::LeaseRecord;
pub use membership::{Beat, Pace};
pub use repair::{Replaced, Salvage, UnheldLock, read_manager_status, replace_manager_status};
pub use session::StoreSession;
pub use settings::ClusterSettings;
pub use space::{SpaceLevel, StoreSpace};
pub use twin::TwinNote;
pub use view::{ConfigurationReader, FileProblem, StoredConfiguration};

// Where these were before.
#[doc(no_inline)]
pub use crate::agents::{DiskFormat, ExecGuest, ProcGuest, UnitGuest, VmDisk, VmGuest, service_types};

pub use writer::{Identity, StoreWriter};

use std::{
    collections::BTreeMap,
    fmt,
    fs::File,
    io::{self, Read},
    sync::Arc,
    time::Duration,
};

use ha_core::{
    host::{Lock, LockAnswer},
    id::{NodeName, ServiceId},
};

/// Documents that the nodes share.
///
/// Every change is whole or not made at all. Reading needs no lock and sees, of each document, one whole state.
pub trait Store: Send + Sync + fmt::Debug {
    /// The settings of the cluster.
    ///
    /// # Errors
    ///
    /// If there is no cluster, or its settings cannot be read or understood.
    fn settings(&self) -> Result<ClusterSettings, StoreError>;

    /// Edits the settings of the cluster. No other edit of them comes between; `edit` may be called again if the store asks for it.
    /// Nodes take note of other members while they run, and of other timings when their daemon is started again.
    ///
    /// # Errors
    ///
    /// If there is no cluster, its settings cannot be understood, or the store fails.
    fn edit_settings(&self, edit: &mut dyn FnMut(&mut ClusterSettings)) -> Result<(), StoreError>;

    /// Forgets what a node left in the store: its sign of life, its LRM's record, what was seen of a twin, and its lock if nobody
    /// holds it. It must be no member any more, and its daemon must not work.
    ///
    /// # Errors
    ///
    /// If the store fails; some of it may be forgotten then.
    fn forget_node(&self, node: &NodeName) -> Result<(), StoreError>;

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

    /// Edits a guest's definition: `edit` gets it as it is, and leaves it as it shall be; `None` is no guest. No other edit of
    /// a guest comes between.
    ///
    /// # Errors
    ///
    /// If the store fails, or the definition that there is cannot be understood.
    fn edit_guest(&self, sid: &ServiceId, edit: &mut dyn FnMut(&mut Option<GuestDefinition>))
    -> Result<(), StoreError>;

    /// The live moves that are under way. One that can't be understood is left out.
    ///
    /// # Errors
    ///
    /// If the store fails.
    fn moves(&self) -> Result<BTreeMap<ServiceId, LiveMove>, StoreError>;

    /// Edits a live move as [`edit_guest`](Self::edit_guest) edits a guest.
    ///
    /// # Errors
    ///
    /// If the store fails, or what there is cannot be understood.
    fn edit_move(&self, sid: &ServiceId, edit: &mut dyn FnMut(&mut Option<LiveMove>)) -> Result<(), StoreError>;

    /// Where a record is, for people.
    fn record_place(&self, record: &RecordName) -> String;

    /// The bytes of a record. What did not change is the same [`Arc`] as before.
    ///
    /// # Errors
    ///
    /// If the store fails.
    fn record(&self, record: &RecordName) -> Result<Option<Arc<[u8]>>, StoreError>;

    /// Writes a record, the manager status only while the manager lock says that `writer` has it. There must be no two writers of
    /// one record at the same time, save for `writer`s of different names. A daemon writes by its [`Session`], which knows two
    /// machines of one name apart.
    ///
    /// # Errors
    ///
    /// If the store fails, or the manager lock is not the writer's.
    fn write_record(&self, record: &RecordName, content: &[u8], writer: &NodeName) -> Result<(), StoreError>;

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

    /// The lines of the command queue, which stay there.
    ///
    /// # Errors
    ///
    /// If the store fails.
    fn commands(&self) -> Result<Vec<String>, StoreError>;

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

    /// The id of the cluster; none in a store of an earlier version, or where there is no cluster.
    ///
    /// # Errors
    ///
    /// If the store fails.
    fn cluster_id(&self) -> Result<Option<String>, StoreError>;

    /// Gives the cluster of an earlier version an id, unless it has one by now. Gives the one that it has then.
    ///
    /// # Errors
    ///
    /// If the store fails.
    fn make_cluster_id(&self) -> Result<String, StoreError>;

    /// Who may do what over the network, as the one that serves it keeps it: with secrets, if only as hashes, so that it is for the
    /// owner of the store alone, and no part of the configuration. Nothing if nobody was ever let in.
    ///
    /// # Errors
    ///
    /// If the store fails.
    fn access(&self) -> Result<Option<Arc<[u8]>>, StoreError>;

    /// Edits that: `edit` gets what there is, and says what it should be, if it changes. No other edit of it comes between; `edit`
    /// may be called again if the store asks for it.
    ///
    /// # Errors
    ///
    /// If the store fails.
    fn edit_access(&self, edit: &mut AccessEdit<'_>) -> Result<(), StoreError>;

    /// A file of programs beside the node daemon, if there is one.
    ///
    /// # Errors
    ///
    /// If the store fails.
    fn side_file(&self, file: SideFile) -> Result<Option<Arc<[u8]>>, StoreError>;

    /// Edits such a file as [`edit_access`](Self::edit_access) edits what it does.
    ///
    /// # Errors
    ///
    /// If the store fails.
    fn edit_side_file(&self, file: SideFile, edit: &mut AccessEdit<'_>) -> Result<(), StoreError>;

    /// The nodes that were seen to have a twin, as long as nobody has decided. A note that can't be understood is left out.
    ///
    /// # Errors
    ///
    /// If the store fails.
    fn twins(&self) -> Result<BTreeMap<NodeName, TwinNote>, StoreError>;

    /// Notes that a node has a twin, or that somebody has decided.
    ///
    /// # Errors
    ///
    /// If the store fails.
    fn set_twin(&self, node: &NodeName, note: Option<&TwinNote>) -> Result<(), StoreError>;

    /// Appends lines to the history of the cluster, all or none, and forgets the oldest where there are more than a few hundred
    /// kilobytes. A line has no line end. Gives the position of the first one, which is one more than that of the line before.
    ///
    /// Nothing that decides reads the history, and no daemon waits for it.
    ///
    /// # Errors
    ///
    /// If the store fails. The lines may have been appended then.
    fn append_history(&self, lines: &[String]) -> Result<u64, StoreError>;

    /// The lines of the history of the cluster after a position, each with its own, as far as they are kept. All after 0.
    ///
    /// # Errors
    ///
    /// If the store fails.
    fn history(&self, after: u64) -> Result<Vec<HistoryLine>, StoreError>;

    /// The position of the last line of the history; 0 where there is none. It takes much less than to read it.
    ///
    /// # Errors
    ///
    /// If the store fails.
    fn history_end(&self) -> Result<u64, StoreError>;

    /// How much room is left; nothing if it can't be told.
    ///
    /// # Errors
    ///
    /// If the store fails.
    fn space(&self) -> Result<Option<StoreSpace>, StoreError> {
        Ok(None)
    }

    /// Looks after the store itself, if something is due; a node's daemon calls it several times a second. Gives what was done that a
    /// person would want to know. It may take minutes, so no daemon waits for it. `is_master` says whether this node's CRM is the
    /// master, who does what need not be done by all; it may ask the store.
    ///
    /// # Errors
    ///
    /// If what was due could not be done.
    fn upkeep(&self, is_master: &dyn Fn() -> bool) -> Result<Vec<String>, StoreError> {
        let _ = is_master;
        Ok(Vec::new())
    }

    /// What is wrong with the store, or will be if nobody does anything about it; nothing as long as all is well.
    ///
    /// # Errors
    ///
    /// If the store fails.
    fn problems(&self) -> Result<Vec<StoreProblem>, StoreError> {
        Ok(Vec::new())
    }
}

/// What a [`StoreSession`] needs of a store beyond documents: a few values that the nodes write and watch.
///
/// Reading must give the last value whose writing has ended, on whatever node that was.
pub trait SharedStore: Store {
    /// Reserves the room for what must be written on a full store too, where that is not done yet.
    ///
    /// # Errors
    ///
    /// If the store fails.
    fn reserve_room(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Changes a node's sign of life: `change` gets what there is, and says what there shall be, if it changes, as
    /// with [`change_lock`](Self::change_lock). It need not outlive a crash of the store.
    ///
    /// # Errors
    ///
    /// If it is not known whether it was changed.
    fn change_beat(&self, node: &NodeName, change: &mut LockChange<'_>) -> Result<(), StoreError>;

    /// Changes the LRM's record of a node in the same way.
    ///
    /// # Errors
    ///
    /// If it is not known whether it was changed.
    fn change_lrm_status(&self, node: &NodeName, change: &mut LockChange<'_>) -> Result<(), StoreError>;

    /// Writes the manager status if `is_held` says yes to what the manager lock has, in one step with having looked. Says
    /// whether it was written.
    ///
    /// # Errors
    ///
    /// If it is not known whether it was written.
    fn write_manager_status(&self, content: &[u8], is_held: &LockCheck<'_>) -> Result<bool, StoreError>;

    /// The bytes of the last signs of life of these nodes, as far as they have given any.
    ///
    /// # Errors
    ///
    /// If the store fails.
    fn raw_beats(&self, nodes: &[NodeName]) -> Result<Vec<(NodeName, Vec<u8>)>, StoreError>;

    /// The bytes of all locks that anybody has ever taken.
    ///
    /// # Errors
    ///
    /// If the store fails.
    fn locks(&self) -> Result<Vec<(Lock, Vec<u8>)>, StoreError>;

    /// Changes a lock: `change` gets what there is, and says what there shall be, if it changes. Nobody else's change comes
    /// between; `change` may be called again if somebody was quicker, and what it said last counts.
    ///
    /// # Errors
    ///
    /// If it is not known whether the lock was changed.
    fn change_lock(&self, lock: &Lock, change: &mut LockChange<'_>) -> Result<(), StoreError>;
}

/// Gives the new content of a lock for its present one (nothing where nobody holds it), or nothing to leave it as it is.
pub type LockChange<'a> = dyn FnMut(Option<&[u8]>) -> Option<Vec<u8>> + 'a;

/// Gives the new content of a document for the present one (nothing where there is none), or nothing to leave it as it is.
pub type AccessEdit<'a> = dyn FnMut(Option<&[u8]>) -> Option<Vec<u8>> + 'a;

/// Whether a lock with this content (nothing where nobody has ever held it) is held by who asks.
pub type LockCheck<'a> = dyn Fn(Option<&[u8]>) -> bool + 'a;

/// The lines of a text, without those that are empty.
fn lines(text: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(text).lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// A new id for a cluster: 32 hexadecimal digits.
fn new_cluster_id() -> io::Result<String> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
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

    /// Writes a record: this node's LRM status, or the manager status while this node has the manager lock.
    ///
    /// # Errors
    ///
    /// If it was not written, or that is not known; if this session does not take part, or the record is another hand's.
    fn write_record(&self, record: &RecordName, content: &[u8]) -> Result<(), StoreError>;

    /// For how long another node has given no sign of life, if this one has ever seen one. It is only written down for people.
    fn silent_for(&self, node: &NodeName) -> Option<Duration> {
        let _ = node;
        None
    }
}
