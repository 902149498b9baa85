//! The store as a directory.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs::{self, DirBuilder, File, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ha_core::{
    host::Lock,
    id::{NodeName, ServiceId},
};
use nix::sys::statvfs::statvfs;

use super::{
    AccessEdit, Beat, ClusterSettings, ConfigChange, ConfigFile, ConfigTexts, GuestDefinition, GuestTable, HistoryLine,
    LiveMove, LockChange, LockCheck, RecordName, SharedStore, SideFile, Store, StoreError, StoreSpace, TwinNote,
    cached::FileCache,
    guest_cache::{GuestCache, read_guest, read_move},
    history_files::HistoryFiles,
    journal,
    lease::Stands,
    lines, new_cluster_id, slot,
};
use crate::os::files::{self, Durability};

/// A store in a directory: of one machine, or of a file system that all nodes share.
///
/// ```text
/// cluster.json            settings of the cluster: nodes, timings
/// cluster-id              by which nodes tell this store from another one
/// config/*.cfg            the configuration files
/// guests/SID.json         a guest
/// moves/SID.json          a live move that is under way
/// status/manager.json     the manager status
/// status/lrm/NODE.json    a node's LRM status
/// commands                the command queue
/// access.json             who may do what over the network
/// locks/NAME.json         a lock with its lease
/// members/NODE.json       a node's sign of life
/// twins/NODE.json         what was seen of two machines of one name
/// history/N.jsonl         what has happened lately, a line each, from the position N on
/// .guards/                kernel locks that keep writers apart
/// ```
///
/// Locks and signs of life are written in place, in room that is reserved when the store is made, so that a full disk costs no
/// node its lock; what a power cut leaves of such a write is told by a checksum, and counts for somebody's. Each other
/// file is written aside, brought to the disk, and moved into its place, so that at every moment it is whole; a full disk leaves
/// the old one. A change of several files is noted as a whole in `config/.journal` first, and whoever finds
/// that note carries it out.
///
/// # What it takes for granted
///
/// * **One machine**: nothing. Locks are the kernel's, and are free when their holder is dead.
/// * **A shared file system**: that `flock` holds between machines (NFS from version 4, GFS2, OCFS2; *not* sshfs or SMB without
///   POSIX locks), that a rename is atomic, that a file that was closed is read again by whoever opens it, and that a write
///   that was synchronised outlives a crash of the file server. The server is then the quorum: who can write to it
///   takes part. If it is down no node can renew its lock, and all nodes that run services are reset.
/// * Nobody removes files under `locks/`, or brings back old ones, while daemons run.
#[derive(Debug)]
pub struct FileStore {
    directory: PathBuf,
    /// How long to wait for another process that is writing.
    patience: Duration,
    cache: FileCache,
    guests: Mutex<GuestCache>,
}

/// The directories of a store.
const DIRECTORIES: [&str; 9] = ["", "config", "guests", "moves", "status/lrm", "locks", "members", "twins", ".guards"];

/// What a process that keeps writers apart guards.
#[derive(Debug, Clone)]
enum Guard<'a> {
    Config,
    Guests,
    Commands,
    Access,
    Side(SideFile),
    Lock(&'a Lock),
    Beat(&'a NodeName),
    LrmStatus(&'a NodeName),
    History,
}

impl FileStore {
    /// How long a person's edit waits for another one.
    const PATIENCE: Duration = Duration::from_secs(10);

    /// The store in a directory.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn open(directory: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let store = Self::at(directory.into());
        if store.read("cluster.json")?.is_none() {
            return Err(StoreError::NoCluster(store.directory.display().to_string()));
        }
        // Whose directory it is will do that.
        let _ = store.tighten();
        Ok(store)
    }

    /// Makes a store for a new cluster, readable for its owner only: fence devices have passwords.
    ///
    /// # Errors
    ///
    /// If there is one, or the file system fails.
    pub fn create(directory: impl Into<PathBuf>, settings: &ClusterSettings) -> Result<Self, StoreError> {
        let store = Self::at(directory.into());
        if store.read("cluster.json")?.is_some() {
            return Err(StoreError::ClusterExists(store.directory.display().to_string()));
        }
        store.make_directories()?;
        store.tighten()?;
        let _guard = store.guard(&Guard::Config)?;
        if store.read("cluster.json")?.is_some() {
            return Err(StoreError::ClusterExists(store.directory.display().to_string()));
        }
        store.reserve(&settings.nodes)?;
        store.make_id()?;
        store.replace("cluster.json", &to_json(settings), "new", Durability::Disk)?;
        Ok(store)
    }

    /// The id of the cluster, which is made if there is none. The guard of the configuration must be held.
    fn make_id(&self) -> Result<String, StoreError> {
        if let Some(id) = self.cluster_id()? {
            return Ok(id);
        }
        let id = new_cluster_id().map_err(StoreError::file("read", Path::new("/dev/urandom")))?;
        self.replace(CLUSTER_ID, format!("{id}\n").as_bytes(), "new", Durability::Disk)?;
        Ok(id)
    }

    fn make_directories(&self) -> Result<(), StoreError> {
        for name in DIRECTORIES {
            let path = self.directory.join(name);
            let made = DirBuilder::new().recursive(true).mode(0o700).create(&path);
            made.map_err(StoreError::file("make", &path))?;
        }
        Ok(())
    }

    /// Nobody but its owner may look into the directory, whoever made it.
    fn tighten(&self) -> Result<(), StoreError> {
        let error = StoreError::file("close to others", &self.directory);
        let metadata = fs::metadata(&self.directory).map_err(StoreError::file("read", &self.directory))?;
        if metadata.permissions().mode() & 0o077 == 0 {
            return Ok(());
        }
        fs::set_permissions(&self.directory, Permissions::from_mode(0o700)).map_err(error)
    }

    /// Reserves the room for all that must be written on a full disk too, as far as it is not reserved yet.
    fn reserve(&self, nodes: &[NodeName]) -> Result<(), StoreError> {
        self.reserve_lock(&Lock::Manager)?;
        for node in nodes {
            self.reserve_lock(&Lock::Agent(node.clone()))?;
            let _guard = self.guard(&Guard::Beat(node))?;
            self.reserve_slot(&beat_file(node))?;
            let _guard = self.guard(&Guard::LrmStatus(node))?;
        }
        Ok(())
    }

    fn reserve_lock(&self, lock: &Lock) -> Result<(), StoreError> {
        let _guard = self.guard(&Guard::Lock(lock))?;
        self.reserve_slot(&lock_file(lock))
    }

    fn reserve_slot(&self, name: &str) -> Result<(), StoreError> {
        let path = self.directory.join(name);
        slot::reserve(&path).map_err(StoreError::file("reserve", &path))
    }

    /// Changes what is in a slot. Its guard must be held.
    fn change_slot(
        &self,
        name: &str,
        tag: &str,
        durability: Durability,
        change: &mut LockChange<'_>,
    ) -> Result<(), StoreError> {
        let path = self.directory.join(name);
        let slot = slot::read(&path).map_err(StoreError::file("read", &path))?;
        match change(slot.content()) {
            Some(content) => slot::write(&path, &content, tag, durability).map_err(StoreError::file("write", &path)),
            None => Ok(()),
        }
    }

    fn slot(&self, path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
        let slot = slot::read(path).map_err(StoreError::file("read", path))?;
        Ok(slot.content().map(<[u8]>::to_vec))
    }

    fn at(directory: PathBuf) -> Self {
        Self { directory, patience: Self::PATIENCE, cache: FileCache::default(), guests: Mutex::default() }
    }

    /// Waits no longer than that for another process that is writing. A daemon has to, since its watchdog does not wait.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// The directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    fn guard(&self, guard: &Guard<'_>) -> Result<File, StoreError> {
        let name = match guard {
            Guard::Config => "config".to_owned(),
            Guard::Guests => "guests".to_owned(),
            Guard::Commands => "commands".to_owned(),
            Guard::Access => "access".to_owned(),
            Guard::Side(file) => file.name().to_owned(),
            Guard::Lock(lock) => lock.to_string(),
            Guard::Beat(node) => format!("member-{node}"),
            Guard::LrmStatus(node) => format!("lrm-{node}"),
            Guard::History => "history".to_owned(),
        };
        let path = self.directory.join(".guards").join(name);
        files::lock(&path, self.patience).map_err(StoreError::file("lock", &path))
    }

    fn read(&self, name: &str) -> Result<Option<Arc<[u8]>>, StoreError> {
        let path = self.directory.join(name);
        self.cache.read(&path).map_err(StoreError::file("read", &path))
    }

    fn replace(&self, name: &str, content: &[u8], tag: &str, durability: Durability) -> Result<(), StoreError> {
        let path = self.directory.join(name);
        files::replace(&path, content, tag, durability).map_err(StoreError::file("write", &path))
    }

    fn remove(&self, name: &str) -> Result<(), StoreError> {
        let path = self.directory.join(name);
        files::remove(&path, Durability::Disk).map_err(StoreError::file("remove", &path))
    }

    /// Completes a change of several files that was interrupted. The guard of the configuration must be held.
    fn complete_journal(&self) -> Result<(), StoreError> {
        let Some(text) = self.read(JOURNAL)? else { return Ok(()) };
        match journal::read(&text) {
            Some(changes) => self.change_files(&changes)?,
            None => {
                let what = self.directory.join(JOURNAL).display().to_string();
                let problem = "it was not written by this software; look at it, then remove it".to_owned();
                return Err(StoreError::Unreadable { what, problem });
            }
        }
        self.remove(JOURNAL)
    }

    fn change_files(&self, changes: &[ConfigChange]) -> Result<(), StoreError> {
        for (file, content) in changes {
            let name = format!("config/{}", file.name());
            match content {
                Some(content) => self.replace(&name, content, "edit", Durability::Disk)?,
                None => self.remove(&name)?,
            }
        }
        Ok(())
    }

    fn texts(&self) -> Result<ConfigTexts, StoreError> {
        let mut texts = ConfigTexts::new();
        for file in ConfigFile::ALL {
            if let Some(text) = self.read(&format!("config/{}", file.name()))? {
                texts.insert(file, text);
            }
        }
        Ok(texts)
    }

    /// Edits a guest or what belongs to it.
    fn edit_document<T: Clone + PartialEq + serde::Serialize>(
        &self,
        name: &str,
        read: impl FnOnce(&[u8]) -> Result<T, StoreError>,
        edit: &mut dyn FnMut(&mut Option<T>),
    ) -> Result<(), StoreError> {
        let _guard = self.guard(&Guard::Guests)?;
        let old = self.read(name)?.map(|text| read(&text)).transpose()?;
        let mut new = old.clone();
        edit(&mut new);
        match new {
            new if new == old => Ok(()),
            Some(document) => self.replace(name, &to_json(&document), "edit", Durability::Disk),
            None => self.remove(name),
        }
    }

    fn history_files(&self) -> HistoryFiles {
        HistoryFiles::new(self.directory.join(HISTORY))
    }

    /// The files of a directory whose names end in `.json`, with the name before it.
    fn documents(&self, directory: &str) -> Result<Vec<(PathBuf, String)>, StoreError> {
        let path = self.directory.join(directory);
        let list = || -> io::Result<Vec<(OsString, String)>> {
            let mut documents = Vec::new();
            for entry in fs::read_dir(&path)? {
                let file = entry?.file_name();
                let name = file.to_str().and_then(|name| name.strip_suffix(".json")).and_then(files::decode_name);
                documents.extend(name.map(|name| (file, name)));
            }
            // By their names as texts, before they are paths: these are compared part by part.
            documents.sort_unstable();
            Ok(documents)
        };
        let documents = list().map(|documents| documents.into_iter().map(|(file, name)| (path.join(file), name)));
        documents.map(Iterator::collect).map_err(StoreError::file("list", &path))
    }
}

const ACCESS: &str = "access.json";
const JOURNAL: &str = "config/.journal";

/// A value as pretty JSON with a newline. None of the values here can fail to be written.
pub(super) fn to_json(value: &impl serde::Serialize) -> Vec<u8> {
    let mut text = serde_json::to_vec_pretty(value).unwrap_or_default();
    text.push(b'\n');
    text
}

fn guest_file(sid: &ServiceId) -> String {
    format!("guests/{}.json", files::encode_name(sid.as_str()))
}

impl Store for FileStore {
    fn settings(&self) -> Result<ClusterSettings, StoreError> {
        let text = self.read("cluster.json")?;
        let text = text.ok_or_else(|| StoreError::NoCluster(self.directory.display().to_string()))?;
        let what = || self.directory.join("cluster.json").display().to_string();
        serde_json::from_slice(&text)
            .map_err(|error| StoreError::Unreadable { what: what(), problem: error.to_string() })
    }

    fn edit_settings(&self, edit: &mut dyn FnMut(&mut ClusterSettings)) -> Result<(), StoreError> {
        let _guard = self.guard(&Guard::Config)?;
        let old = self.settings()?;
        let mut new = old.clone();
        edit(&mut new);
        if new == old { Ok(()) } else { self.replace("cluster.json", &to_json(&new), "edit", Durability::Disk) }
    }

    fn forget_node(&self, node: &NodeName) -> Result<(), StoreError> {
        let lock = Lock::Agent(node.clone());
        {
            let _guard = self.guard(&Guard::Lock(&lock))?;
            let content = self.slot(&self.directory.join(lock_file(&lock)))?;
            if Stands::read(content.as_deref()).is_free() {
                self.remove(&lock_file(&lock))?;
            }
        }
        {
            let _guard = self.guard(&Guard::LrmStatus(node))?;
            self.remove(&record_file(&RecordName::Lrm(node.clone())))?;
        }
        self.set_twin(node, None)?;
        let _guard = self.guard(&Guard::Beat(node))?;
        self.remove(&beat_file(node))
    }

    fn config_texts(&self) -> Result<ConfigTexts, StoreError> {
        if self.directory.join(JOURNAL).exists()
            && let Ok(_guard) = self.guard(&Guard::Config)
        {
            self.complete_journal()?;
        }
        self.texts()
    }

    fn edit_config(&self, edit: &mut dyn FnMut(&ConfigTexts) -> Vec<ConfigChange>) -> Result<(), StoreError> {
        let _guard = self.guard(&Guard::Config)?;
        self.complete_journal()?;
        let changes = edit(&self.texts()?);
        if changes.len() < 2 {
            return self.change_files(&changes);
        }
        self.replace(JOURNAL, &journal::write(&changes), "edit", Durability::Disk)?;
        self.change_files(&changes)?;
        self.remove(JOURNAL)
    }

    fn guests(&self) -> Result<(Arc<GuestTable>, Vec<String>), StoreError> {
        let (paths, names): (Vec<PathBuf>, Vec<String>) = self.documents("guests")?.into_iter().unzip();
        let mut definitions = Vec::with_capacity(paths.len());
        let mut misnamed = Vec::new();
        for ((path, name), content) in paths.iter().zip(names).zip(self.cache.read_all(&paths)) {
            match name.parse::<ServiceId>() {
                Ok(sid) => {
                    let content = content.map_err(StoreError::file("read", path))?;
                    definitions.extend(content.map(|content| (sid, content)));
                }
                Err(_) => misnamed.push(format!("{} is not named like a service", path.display())),
            }
        }
        self.cache.keep_only(&self.directory.join("guests"), &paths);
        let mut guests = self.guests.lock().unwrap_or_else(PoisonError::into_inner);
        let (table, problems) = guests.update(definitions);
        Ok((table, misnamed.into_iter().chain(problems).collect()))
    }

    fn guest(&self, sid: &ServiceId) -> Result<Option<GuestDefinition>, StoreError> {
        self.read(&guest_file(sid))?.map(|text| read_guest(sid, &text)).transpose()
    }

    fn edit_guest(
        &self,
        sid: &ServiceId,
        edit: &mut dyn FnMut(&mut Option<GuestDefinition>),
    ) -> Result<(), StoreError> {
        self.edit_document(&guest_file(sid), |text| read_guest(sid, text), edit)
    }

    fn moves(&self) -> Result<BTreeMap<ServiceId, LiveMove>, StoreError> {
        let mut moves = BTreeMap::new();
        for (path, name) in self.documents("moves")? {
            let content = files::read(&path).map_err(StoreError::file("read", &path))?;
            let entry = content.and_then(|text| Some((name.parse().ok()?, serde_json::from_slice(&text).ok()?)));
            moves.extend(entry);
        }
        Ok(moves)
    }

    fn edit_move(&self, sid: &ServiceId, edit: &mut dyn FnMut(&mut Option<LiveMove>)) -> Result<(), StoreError> {
        let file = format!("moves/{}.json", files::encode_name(sid.as_str()));
        self.edit_document(&file, |text| read_move(sid, text), edit)
    }

    fn record_place(&self, record: &RecordName) -> String {
        self.directory.join(record_file(record)).display().to_string()
    }

    fn record(&self, record: &RecordName) -> Result<Option<Arc<[u8]>>, StoreError> {
        self.read(&record_file(record))
    }

    fn write_record(&self, record: &RecordName, content: &[u8], writer: &NodeName) -> Result<(), StoreError> {
        if *record != RecordName::Manager {
            return self.replace(&record_file(record), content, writer.as_str(), Durability::Disk);
        }
        let is_held = |lock: Option<&[u8]>| Stands::read(lock).holder() == Some(writer);
        let written = self.write_manager_status(content, &is_held)?;
        if written { Ok(()) } else { Err(StoreError::NotMaster(writer.clone())) }
    }

    fn append_command(&self, line: &str) -> Result<(), StoreError> {
        let _guard = self.guard(&Guard::Commands)?;
        let old = self.read(COMMANDS)?;
        let mut text = old.map(|text| text.to_vec()).unwrap_or_default();
        text.extend_from_slice(line.as_bytes());
        text.push(b'\n');
        self.replace(COMMANDS, &text, "edit", Durability::Disk)
    }

    fn commands_waiting(&self) -> Result<bool, StoreError> {
        Ok(self.read(COMMANDS)?.is_some_and(|text| !text.is_empty()))
    }

    fn commands(&self) -> Result<Vec<String>, StoreError> {
        Ok(self.read(COMMANDS)?.map(|text| lines(&text)).unwrap_or_default())
    }

    fn take_commands(&self) -> Result<Vec<String>, StoreError> {
        if !self.commands_waiting()? {
            return Ok(Vec::new());
        }
        let _guard = self.guard(&Guard::Commands)?;
        let text = self.read(COMMANDS)?.unwrap_or_default();
        self.remove(COMMANDS)?;
        Ok(lines(&text))
    }

    fn beats(&self) -> Result<BTreeMap<NodeName, Beat>, StoreError> {
        let mut beats = BTreeMap::new();
        for (path, name) in self.documents("members")? {
            let Ok(node) = name.parse() else { continue };
            let content = self.slot(&path)?;
            beats.extend(content.and_then(|content| Some((node, serde_json::from_slice(&content).ok()?))));
        }
        Ok(beats)
    }

    fn access(&self) -> Result<Option<Arc<[u8]>>, StoreError> {
        self.read(ACCESS)
    }

    fn edit_access(&self, edit: &mut AccessEdit<'_>) -> Result<(), StoreError> {
        let _guard = self.guard(&Guard::Access)?;
        let old = self.read(ACCESS)?;
        let Some(content) = edit(old.as_deref()) else { return Ok(()) };
        let path = self.directory.join(ACCESS);
        files::replace_private(&path, &content, "edit", Durability::Disk).map_err(StoreError::file("write", &path))
    }

    fn side_file(&self, file: SideFile) -> Result<Option<Arc<[u8]>>, StoreError> {
        self.read(file.name())
    }

    fn edit_side_file(&self, file: SideFile, edit: &mut AccessEdit<'_>) -> Result<(), StoreError> {
        let _guard = self.guard(&Guard::Side(file))?;
        let Some(content) = edit(self.read(file.name())?.as_deref()) else { return Ok(()) };
        let path = self.directory.join(file.name());
        let replace = match file {
            // Addresses of webhooks are secrets as often as not.
            SideFile::NotifyConfig => files::replace_private,
            SideFile::NotifyState | SideFile::Counted | SideFile::Rolling => files::replace,
        };
        replace(&path, &content, "edit", Durability::Disk).map_err(StoreError::file("write", &path))
    }

    fn cluster_id(&self) -> Result<Option<String>, StoreError> {
        let text = self.read(CLUSTER_ID)?;
        Ok(text.map(|text| String::from_utf8_lossy(&text).trim().to_owned()).filter(|id| !id.is_empty()))
    }

    fn make_cluster_id(&self) -> Result<String, StoreError> {
        let _guard = self.guard(&Guard::Config)?;
        self.make_id()
    }

    fn twins(&self) -> Result<BTreeMap<NodeName, TwinNote>, StoreError> {
        let mut twins = BTreeMap::new();
        if !self.directory.join("twins").exists() {
            return Ok(twins);
        }
        for (path, name) in self.documents("twins")? {
            let content = files::read(&path).map_err(StoreError::file("read", &path))?;
            twins.extend(content.and_then(|text| Some((name.parse().ok()?, serde_json::from_slice(&text).ok()?))));
        }
        Ok(twins)
    }

    fn set_twin(&self, node: &NodeName, note: Option<&TwinNote>) -> Result<(), StoreError> {
        self.make_directories()?;
        let name = format!("twins/{node}.json");
        match note {
            Some(note) => self.replace(&name, &to_json(note), "twin", Durability::Disk),
            None => self.remove(&name),
        }
    }

    fn append_history(&self, lines: &[String]) -> Result<u64, StoreError> {
        let _guard = self.guard(&Guard::History)?;
        self.history_files().append(lines).map_err(StoreError::file("write", &self.directory.join(HISTORY)))
    }

    fn history(&self, after: u64) -> Result<Vec<HistoryLine>, StoreError> {
        self.history_files().read(after).map_err(StoreError::file("read", &self.directory.join(HISTORY)))
    }

    fn history_end(&self) -> Result<u64, StoreError> {
        self.history_files().last().map_err(StoreError::file("read", &self.directory.join(HISTORY)))
    }

    fn space(&self) -> Result<Option<StoreSpace>, StoreError> {
        let found = statvfs(&self.directory).map_err(io::Error::from);
        let found = found.map_err(StoreError::file("ask for the room of", &self.directory))?;
        let bytes = StoreSpace::of(found.blocks_available(), found.blocks());
        let files = StoreSpace::of(found.files_available(), found.files());
        Ok(Some(StoreSpace { free_percent: bytes.free_percent.min(files.free_percent) }))
    }
}

impl SharedStore for FileStore {
    /// A lock that somebody holds by a record of an earlier version gets its room when it is renewed.
    fn reserve_room(&self) -> Result<(), StoreError> {
        self.make_directories()?;
        self.reserve(&self.settings()?.nodes)
    }

    fn change_beat(&self, node: &NodeName, change: &mut LockChange<'_>) -> Result<(), StoreError> {
        let _guard = self.guard(&Guard::Beat(node))?;
        self.change_slot(&beat_file(node), "beat", Durability::Memory, change)
    }

    fn change_lrm_status(&self, node: &NodeName, change: &mut LockChange<'_>) -> Result<(), StoreError> {
        let _guard = self.guard(&Guard::LrmStatus(node))?;
        let name = record_file(&RecordName::Lrm(node.clone()));
        let content = self.read(&name)?;
        match change(content.as_deref()) {
            Some(content) => self.replace(&name, &content, node.as_str(), Durability::Disk),
            None => Ok(()),
        }
    }

    fn write_manager_status(&self, content: &[u8], is_held: &LockCheck<'_>) -> Result<bool, StoreError> {
        let _guard = self.guard(&Guard::Lock(&Lock::Manager))?;
        let lock = self.slot(&self.directory.join(lock_file(&Lock::Manager)))?;
        let is_held = is_held(lock.as_deref());
        if is_held {
            self.replace(&record_file(&RecordName::Manager), content, "master", Durability::Disk)?;
        }
        Ok(is_held)
    }

    fn raw_beats(&self, nodes: &[NodeName]) -> Result<Vec<(NodeName, Vec<u8>)>, StoreError> {
        let mut beats = Vec::new();
        for node in nodes {
            let content = self.slot(&self.directory.join(beat_file(node)))?;
            beats.extend(content.map(|content| (node.clone(), content)));
        }
        Ok(beats)
    }

    fn locks(&self) -> Result<Vec<(Lock, Vec<u8>)>, StoreError> {
        let mut locks = Vec::new();
        for (path, name) in self.documents("locks")? {
            let Ok(lock) = name.parse::<Lock>() else { continue };
            locks.extend(self.slot(&path)?.map(|content| (lock, content)));
        }
        Ok(locks)
    }

    fn change_lock(&self, lock: &Lock, change: &mut LockChange<'_>) -> Result<(), StoreError> {
        let _guard = self.guard(&Guard::Lock(lock))?;
        self.change_slot(&lock_file(lock), "lock", Durability::Disk, change)
    }
}

const CLUSTER_ID: &str = "cluster-id";
const HISTORY: &str = "history";

fn lock_file(lock: &Lock) -> String {
    format!("locks/{lock}.json")
}

fn beat_file(node: &NodeName) -> String {
    format!("members/{node}.json")
}

const COMMANDS: &str = "commands";

fn record_file(record: &RecordName) -> String {
    match record {
        RecordName::Manager => "status/manager.json".to_owned(),
        RecordName::Lrm(node) => format!("status/lrm/{node}.json"),
    }
}

#[cfg(test)]
mod tests;
