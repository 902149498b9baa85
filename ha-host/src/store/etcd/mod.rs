//! The store in etcd.

mod address;
mod fault;
mod gateway;
mod history;
mod tls;
mod upkeep;
mod wire;

pub use address::{EtcdAddress, EtcdLogin, EtcdTls};

use std::{
    collections::BTreeMap,
    fmt,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ha_core::{
    host::Lock,
    id::{NodeName, ServiceId},
};

use super::{
    AccessEdit, Beat, ClusterSettings, ConfigChange, ConfigFile, ConfigTexts, GuestDefinition, GuestTable, HistoryLine,
    LiveMove, LockChange, LockCheck, RecordName, SharedStore, SideFile, Store, StoreError, StoreProblem, TwinNote,
    file::to_json,
    guest_cache::{GuestCache, read_guest, read_move},
    lease::Stands,
    lines, new_cluster_id,
};
use crate::os::files;
use gateway::{Gateway, Question};
use upkeep::Upkeep;
use wire::{Bytes, Compare, Operation, Put, Range, Transaction, Values, Written};

/// A store in etcd, below a prefix, with the names that [`FileStore`](super::FileStore) gives its files.
///
/// Every read is linearised and every change is a transaction that compares what is there with what was seen, so that without a
/// quorum of etcd's members nothing is read and nothing is written: who is cut off from the quorum can't renew its lock. A
/// transaction whose answer is lost may have been carried out, and is an error here.
///
/// Revisions repeat when etcd is restored from a backup: so contents are compared too, a member of another etcd cluster is not
/// asked, and an etcd that was seen to go back to an older revision is not used by this process any more.
///
/// Locks are judged as in a directory, by how long a node has seen the same record, and not by leases of etcd: the safety then
/// rests on nothing but the order of etcd's writes, and on no clock of its leader.
pub struct EtcdStore {
    etcd: Gateway,
    prefix: String,
    /// The last value of each key that was read, with its revision.
    known: Mutex<BTreeMap<String, Known>>,
    guests: Mutex<GuestCache>,
    upkeep: Upkeep,
}

impl fmt::Debug for EtcdStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EtcdStore").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

/// A value with its revision.
type Known = (i64, Arc<[u8]>);

/// From what there is to what there shall be, if it changes; no bytes are no value.
type Change<'a> = dyn FnMut(Option<&[u8]>) -> Result<Option<Option<Vec<u8>>>, StoreError> + 'a;

/// A key with its value; revision 0 is that of a key that is not there.
#[derive(Debug, Clone)]
struct Value {
    revision: i64,
    content: Option<Arc<[u8]>>,
}

impl Value {
    const ABSENT: Self = Self { revision: 0, content: None };
}

const SETTINGS: &str = "cluster.json";
const CLUSTER_ID: &str = "cluster-id";
const ACCESS: &str = "access";
const COMMANDS: &str = "commands";

impl EtcdStore {
    /// Larger contents are compared by their revision alone, since etcd takes 1.5 MB in one request; locks are small.
    const LARGEST_COMPARED: usize = 256 << 10;
    /// How often somebody else may be quicker.
    const ATTEMPTS: u32 = 50;

    /// The store of a cluster.
    ///
    /// # Errors
    ///
    /// If etcd has no quorum, or there is no cluster.
    pub fn open(address: &EtcdAddress, patience: Duration) -> Result<Self, StoreError> {
        let store = Self::new(address, patience)?;
        if store.get(SETTINGS)?.content.is_none() {
            return Err(store.no_cluster());
        }
        Ok(store)
    }

    /// Makes the store of a new cluster.
    ///
    /// # Errors
    ///
    /// If etcd has no quorum, or there is a cluster.
    pub fn create(address: &EtcdAddress, settings: &ClusterSettings, patience: Duration) -> Result<(), StoreError> {
        let store = Self::new(address, patience)?;
        let name = SETTINGS.to_owned();
        let id = new_id()?;
        if store.write(
            &[(name.clone(), Value::ABSENT)],
            &[(name, Some(to_json(settings))), (CLUSTER_ID.to_owned(), Some(id.into_bytes()))],
        )? {
            Ok(())
        } else {
            Err(StoreError::ClusterExists(format!("etcd below '{}'", store.prefix)))
        }
    }

    fn new(address: &EtcdAddress, patience: Duration) -> Result<Self, StoreError> {
        Ok(Self {
            etcd: Gateway::new(address, patience)?,
            prefix: address.prefix.trim_matches('/').to_owned(),
            known: Mutex::default(),
            guests: Mutex::default(),
            upkeep: Upkeep::new(Upkeep::RETENTION),
        })
    }

    /// Keeps the values that keys had for that long, instead of an hour.
    #[must_use]
    pub fn with_retention(self, retention: Duration) -> Self {
        Self { upkeep: Upkeep::new(retention), ..self }
    }

    fn no_cluster(&self) -> StoreError {
        StoreError::NoCluster(format!("etcd below '{}'", self.prefix))
    }

    fn key(&self, name: &str) -> String {
        format!("{}/{name}", self.prefix)
    }

    fn get(&self, name: &str) -> Result<Value, StoreError> {
        let values: Values = self.ask_range(Range { key: Bytes(self.key(name).into()), range_end: None })?;
        let mut read = self.take_note(values, |known| known == name);
        Ok(read.remove(name).unwrap_or(Value::ABSENT))
    }

    /// All values whose names begin so.
    fn list(&self, directory: &str) -> Result<BTreeMap<String, Value>, StoreError> {
        let values = self.ask_range(Range::prefix(&self.key(directory)))?;
        Ok(self.take_note(values, |known| known.starts_with(directory)))
    }

    fn ask_range(&self, range: Range) -> Result<Values, StoreError> {
        self.etcd.ask(Question::Range, &range)
    }

    /// The values by name. What has the same content as before is the same as before, whatever its revision: two equal
    /// revisions need not be of equal contents. Of the names that were asked for, others are forgotten.
    fn take_note(&self, values: Values, is_asked_for: impl Fn(&str) -> bool) -> BTreeMap<String, Value> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut read = BTreeMap::new();
        for pair in values.kvs {
            let name = String::from_utf8_lossy(&pair.key.0).into_owned();
            let Some(name) = name.strip_prefix(&self.prefix).and_then(|name| name.strip_prefix('/')) else { continue };
            let content = match known.get(name) {
                Some((_, content)) if **content == *pair.value.0 => content.clone(),
                Some(_) | None => pair.value.0.into(),
            };
            read.insert(name.to_owned(), Value { revision: pair.mod_revision, content: Some(content) });
        }
        known.retain(|name, _| !is_asked_for(name) || read.contains_key(name));
        for (name, value) in &read {
            if let Some(content) = &value.content {
                known.insert(name.clone(), (value.revision, content.clone()));
            }
        }
        read
    }

    /// Makes these changes, all or none, if what is there is what was seen. Says whether it was.
    fn write(&self, seen: &[(String, Value)], changes: &[(String, Option<Vec<u8>>)]) -> Result<bool, StoreError> {
        Ok(self.transact(seen, changes)?.is_some())
    }

    /// As [`write`](Self::write), and gives the revision that the values have then.
    fn transact(
        &self,
        seen: &[(String, Value)],
        changes: &[(String, Option<Vec<u8>>)],
    ) -> Result<Option<i64>, StoreError> {
        let compare = seen.iter().flat_map(|(name, value)| {
            let key = self.key(name);
            let content = value.content.as_ref().filter(|content| content.len() <= Self::LARGEST_COMPARED);
            let content = content.map(|content| Compare::value(&key, content));
            [Some(Compare::revision(&key, value.revision)), content].into_iter().flatten()
        });
        let success = changes.iter().map(|(name, content)| match content {
            Some(content) => Operation::Put(self.put_of(name, content)),
            None => Operation::Delete { key: Bytes(self.key(name).into()) },
        });
        let transaction = Transaction { compare: compare.collect(), success: success.collect() };
        let answer: Written = self.etcd.ask(Question::Transaction, &transaction)?;
        Ok(answer.succeeded.then_some(answer.header.revision))
    }

    fn put_of(&self, name: &str, content: &[u8]) -> Put {
        Put { key: Bytes(self.key(name).into()), value: Bytes(content.into()) }
    }

    /// Changes a value until nobody else was quicker: `change` gets what there is and says what there shall be, if it changes.
    fn change(&self, name: &str, change: &mut Change<'_>) -> Result<(), StoreError> {
        for _ in 0..Self::ATTEMPTS {
            let value = self.get(name)?;
            let Some(content) = change(value.content.as_deref())? else { return Ok(()) };
            if self.write(&[(name.to_owned(), value)], &[(name.to_owned(), content)])? {
                return Ok(());
            }
        }
        Err(StoreError::Etcd(format!("'{}' is changed by others all the time: try again", self.key(name))))
    }

    /// Only over what this process has last seen or written: a write of a former master that was held up on its way must not
    /// undo what the present one has written since. `also`: what must be as it was seen too.
    fn write_over_seen(&self, name: String, content: &[u8], also: Option<(String, Value)>) -> Result<(), StoreError> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&name).cloned();
        let seen = match known {
            Some((revision, content)) => Value { revision, content: Some(content) },
            None => self.get(&name)?,
        };
        let seen: Vec<_> = [(name.clone(), seen)].into_iter().chain(also).collect();
        let answer = self.transact(&seen, &[(name.clone(), Some(content.to_vec()))]);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match answer {
            Ok(Some(revision)) => {
                known.insert(name, (revision, content.into()));
                Ok(())
            }
            Ok(None) => {
                // It is looked at again before the next write.
                known.remove(&name);
                Err(StoreError::Etcd(format!("'{}' was changed by somebody else in the meantime", self.key(&name))))
            }
            Err(error) => {
                known.remove(&name);
                Err(error)
            }
        }
    }

    /// Edits a guest or what belongs to it.
    fn edit_document<T: Clone + PartialEq + serde::Serialize>(
        &self,
        name: &str,
        read: impl Fn(&[u8]) -> Result<T, StoreError>,
        edit: &mut dyn FnMut(&mut Option<T>),
    ) -> Result<(), StoreError> {
        self.change(name, &mut |content| {
            let old = content.map(&read).transpose()?;
            let mut new = old.clone();
            edit(&mut new);
            Ok((new != old).then(|| new.as_ref().map(to_json)))
        })
    }
}

fn new_id() -> Result<String, StoreError> {
    new_cluster_id().map_err(StoreError::file("read", Path::new("/dev/urandom")))
}

fn record_name(record: &RecordName) -> String {
    match record {
        RecordName::Manager => "status/manager".to_owned(),
        RecordName::Lrm(node) => format!("status/lrm/{node}"),
    }
}

fn guest_name(sid: &ServiceId) -> String {
    format!("guests/{}", files::encode_name(sid.as_str()))
}

fn config_name(file: ConfigFile) -> String {
    format!("config/{}", file.name())
}

impl Store for EtcdStore {
    fn settings(&self) -> Result<ClusterSettings, StoreError> {
        let text = self.get(SETTINGS)?.content;
        let text = text.ok_or_else(|| self.no_cluster())?;
        serde_json::from_slice(&text)
            .map_err(|error| StoreError::Unreadable { what: self.key(SETTINGS), problem: error.to_string() })
    }

    fn edit_settings(&self, edit: &mut dyn FnMut(&mut ClusterSettings)) -> Result<(), StoreError> {
        self.change(SETTINGS, &mut |content| {
            let text = content.ok_or_else(|| self.no_cluster())?;
            let old: ClusterSettings = serde_json::from_slice(text)
                .map_err(|error| StoreError::Unreadable { what: self.key(SETTINGS), problem: error.to_string() })?;
            let mut new = old.clone();
            edit(&mut new);
            Ok((new != old).then(|| Some(to_json(&new))))
        })
    }

    fn forget_node(&self, node: &NodeName) -> Result<(), StoreError> {
        self.change(&format!("locks/{}", Lock::Agent(node.clone())), &mut |content| {
            let is_forgotten = content.is_some() && Stands::read(content).is_free();
            Ok(is_forgotten.then_some(None))
        })?;
        for name in [record_name(&RecordName::Lrm(node.clone())), format!("twins/{node}"), format!("members/{node}")] {
            self.change(&name, &mut |content| Ok(content.is_some().then_some(None)))?;
        }
        Ok(())
    }

    fn config_texts(&self) -> Result<ConfigTexts, StoreError> {
        let mut values = self.list("config/")?;
        let text = |file: ConfigFile| Some((file, values.remove(&config_name(file))?.content?));
        Ok(ConfigFile::ALL.into_iter().filter_map(text).collect())
    }

    fn edit_config(&self, edit: &mut dyn FnMut(&ConfigTexts) -> Vec<ConfigChange>) -> Result<(), StoreError> {
        for _ in 0..Self::ATTEMPTS {
            let values = self.list("config/")?;
            let text = |file: ConfigFile| Some((file, values.get(&config_name(file))?.content.clone()?));
            let changed = edit(&ConfigFile::ALL.into_iter().filter_map(text).collect());
            if changed.is_empty() {
                return Ok(());
            }
            // All files are compared: the edit was judged by all of them.
            let seen = ConfigFile::ALL.map(config_name).map(|name| {
                let value = values.get(&name).cloned().unwrap_or(Value::ABSENT);
                (name, value)
            });
            let changes = changed.into_iter().map(|(file, content)| (config_name(file), content));
            if self.write(&seen, &changes.collect::<Vec<_>>())? {
                return Ok(());
            }
        }
        Err(StoreError::Etcd("the configuration is changed by others all the time: try again".into()))
    }

    fn guests(&self) -> Result<(Arc<GuestTable>, Vec<String>), StoreError> {
        let mut definitions = Vec::new();
        let mut misnamed = Vec::new();
        for (name, value) in self.list("guests/")? {
            let sid = name.strip_prefix("guests/").and_then(files::decode_name).and_then(|name| name.parse().ok());
            match (sid, value.content) {
                (Some(sid), Some(content)) => definitions.push((sid, content)),
                (None, _) => misnamed.push(format!("{name} is not named like a service")),
                (Some(_), None) => {}
            }
        }
        let mut guests = self.guests.lock().unwrap_or_else(PoisonError::into_inner);
        let (table, problems) = guests.update(definitions);
        Ok((table, misnamed.into_iter().chain(problems).collect()))
    }

    fn guest(&self, sid: &ServiceId) -> Result<Option<GuestDefinition>, StoreError> {
        self.get(&guest_name(sid))?.content.map(|text| read_guest(sid, &text)).transpose()
    }

    fn edit_guest(
        &self,
        sid: &ServiceId,
        edit: &mut dyn FnMut(&mut Option<GuestDefinition>),
    ) -> Result<(), StoreError> {
        self.edit_document(&guest_name(sid), |text| read_guest(sid, text), edit)
    }

    fn moves(&self) -> Result<BTreeMap<ServiceId, LiveMove>, StoreError> {
        let values = self.list("moves/")?;
        let entry = |(name, value): (String, Value)| {
            let sid = files::decode_name(name.strip_prefix("moves/")?)?.parse().ok()?;
            Some((sid, serde_json::from_slice(&value.content?).ok()?))
        };
        Ok(values.into_iter().filter_map(entry).collect())
    }

    fn edit_move(&self, sid: &ServiceId, edit: &mut dyn FnMut(&mut Option<LiveMove>)) -> Result<(), StoreError> {
        let name = format!("moves/{}", files::encode_name(sid.as_str()));
        self.edit_document(&name, |text| read_move(sid, text), edit)
    }

    fn record_place(&self, record: &RecordName) -> String {
        format!("{} in etcd", self.key(&record_name(record)))
    }

    fn record(&self, record: &RecordName) -> Result<Option<Arc<[u8]>>, StoreError> {
        Ok(self.get(&record_name(record))?.content)
    }

    fn write_record(&self, record: &RecordName, content: &[u8], _: &NodeName) -> Result<(), StoreError> {
        self.write_over_seen(record_name(record), content, None)
    }

    fn append_command(&self, line: &str) -> Result<(), StoreError> {
        self.change(COMMANDS, &mut |content| {
            let mut text = content.unwrap_or_default().to_vec();
            text.extend_from_slice(line.as_bytes());
            text.push(b'\n');
            Ok(Some(Some(text)))
        })
    }

    fn commands_waiting(&self) -> Result<bool, StoreError> {
        Ok(self.get(COMMANDS)?.content.is_some_and(|text| !text.is_empty()))
    }

    fn commands(&self) -> Result<Vec<String>, StoreError> {
        Ok(self.get(COMMANDS)?.content.map(|text| lines(&text)).unwrap_or_default())
    }

    fn take_commands(&self) -> Result<Vec<String>, StoreError> {
        let mut taken = Vec::new();
        self.change(COMMANDS, &mut |content| {
            let Some(content) = content else { return Ok(None) };
            taken = lines(content);
            Ok(Some(None))
        })?;
        Ok(taken)
    }

    fn beats(&self) -> Result<BTreeMap<NodeName, Beat>, StoreError> {
        let values = self.list("members/")?;
        let beat = |(name, value): (String, Value)| {
            let node = name.strip_prefix("members/")?.parse().ok()?;
            Some((node, serde_json::from_slice(&value.content?).ok()?))
        };
        Ok(values.into_iter().filter_map(beat).collect())
    }

    fn upkeep(&self, is_master: &dyn Fn() -> bool) -> Result<Vec<String>, StoreError> {
        self.upkeep.turn(&self.etcd, is_master)
    }

    fn problems(&self) -> Result<Vec<StoreProblem>, StoreError> {
        upkeep::problems(&self.etcd)
    }

    fn access(&self) -> Result<Option<Arc<[u8]>>, StoreError> {
        Ok(self.get(ACCESS)?.content)
    }

    fn edit_access(&self, edit: &mut AccessEdit<'_>) -> Result<(), StoreError> {
        self.change(ACCESS, &mut |content| Ok(edit(content).map(Some)))
    }

    fn side_file(&self, file: SideFile) -> Result<Option<Arc<[u8]>>, StoreError> {
        Ok(self.get(file.name())?.content)
    }

    fn edit_side_file(&self, file: SideFile, edit: &mut AccessEdit<'_>) -> Result<(), StoreError> {
        self.change(file.name(), &mut |content| Ok(edit(content).map(Some)))
    }

    fn cluster_id(&self) -> Result<Option<String>, StoreError> {
        let text = self.get(CLUSTER_ID)?.content;
        Ok(text.map(|text| String::from_utf8_lossy(&text).into_owned()).filter(|id| !id.is_empty()))
    }

    fn make_cluster_id(&self) -> Result<String, StoreError> {
        let mut id = new_id()?;
        self.change(CLUSTER_ID, &mut |content| match content {
            Some(content) => {
                id = String::from_utf8_lossy(content).into_owned();
                Ok(None)
            }
            None => Ok(Some(Some(id.clone().into_bytes()))),
        })?;
        Ok(id)
    }

    fn twins(&self) -> Result<BTreeMap<NodeName, TwinNote>, StoreError> {
        let values = self.list("twins/")?;
        let twin = |(name, value): (String, Value)| {
            let node = name.strip_prefix("twins/")?.parse().ok()?;
            Some((node, serde_json::from_slice(&value.content?).ok()?))
        };
        Ok(values.into_iter().filter_map(twin).collect())
    }

    fn append_history(&self, lines: &[String]) -> Result<u64, StoreError> {
        self.append_to_history(lines)
    }

    fn history(&self, after: u64) -> Result<Vec<HistoryLine>, StoreError> {
        self.history_after(after)
    }

    fn history_end(&self) -> Result<u64, StoreError> {
        self.last_of_history()
    }

    fn set_twin(&self, node: &NodeName, note: Option<&TwinNote>) -> Result<(), StoreError> {
        self.change(&format!("twins/{node}"), &mut |content| match note {
            None if content.is_none() => Ok(None),
            note => Ok(Some(note.map(to_json))),
        })
    }
}

impl SharedStore for EtcdStore {
    fn change_beat(&self, node: &NodeName, change: &mut LockChange<'_>) -> Result<(), StoreError> {
        self.change(&format!("members/{node}"), &mut |content| Ok(change(content).map(Some)))
    }

    fn change_lrm_status(&self, node: &NodeName, change: &mut LockChange<'_>) -> Result<(), StoreError> {
        self.change(&record_name(&RecordName::Lrm(node.clone())), &mut |content| Ok(change(content).map(Some)))
    }

    fn write_manager_status(&self, content: &[u8], is_held: &LockCheck<'_>) -> Result<bool, StoreError> {
        let name = format!("locks/{}", Lock::Manager);
        let lock = self.get(&name)?;
        if !is_held(lock.content.as_deref()) {
            return Ok(false);
        }
        self.write_over_seen(record_name(&RecordName::Manager), content, Some((name, lock)))?;
        Ok(true)
    }

    fn raw_beats(&self, nodes: &[NodeName]) -> Result<Vec<(NodeName, Vec<u8>)>, StoreError> {
        let values = self.list("members/")?;
        let beat = |node: &NodeName| {
            let content = values.get(&format!("members/{node}"))?.content.as_ref()?;
            Some((node.clone(), content.to_vec()))
        };
        Ok(nodes.iter().filter_map(beat).collect())
    }

    fn locks(&self) -> Result<Vec<(Lock, Vec<u8>)>, StoreError> {
        let values = self.list("locks/")?;
        let lock = |(name, value): (String, Value)| {
            Some((name.strip_prefix("locks/")?.parse().ok()?, value.content?.to_vec()))
        };
        Ok(values.into_iter().filter_map(lock).collect())
    }

    fn change_lock(&self, lock: &Lock, change: &mut LockChange<'_>) -> Result<(), StoreError> {
        self.change(&format!("locks/{lock}"), &mut |content| Ok(change(content).map(Some)))
    }
}
