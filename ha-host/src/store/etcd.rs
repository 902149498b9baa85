//! The store in etcd.

use std::{
    collections::BTreeMap,
    error::Error,
    fmt,
    future::Future,
    io, iter,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use etcd_client::{Client, Compare, CompareOp, ConnectOptions, GetOptions, KvClient, Txn, TxnOp};
use ha_core::{
    host::Lock,
    id::{NodeName, ServiceId},
};
use tokio::runtime::Runtime;

use super::{
    Beat, ClusterSettings, ConfigChange, ConfigFile, ConfigTexts, GuestDefinition, GuestTable, LiveMove, LockChange,
    Record, SharedStore, Store, StoreError,
    file::to_json,
    guest_cache::{GuestCache, read_guest, read_move},
};
use crate::files;

/// A store in etcd, below a prefix, with the names that [`FileStore`](super::FileStore) gives its files.
///
/// Every read is linearised and every change is a transaction that compares revisions, so that without a quorum of etcd's
/// members nothing is read and nothing is written: who is cut off from the quorum can't renew its lock. A transaction whose answer
/// is lost may have been carried out, and is an error here.
///
/// Locks are judged as in a directory, by how long a node has seen the same record, and not by leases of etcd: the safety then
/// rests on nothing but the order of etcd's writes, and on no clock of its leader.
pub struct EtcdStore {
    runtime: Runtime,
    members: Vec<Member>,
    /// The member that answered last.
    preferred: AtomicUsize,
    prefix: String,
    patience: Duration,
    /// The last value of each key that was read, with its revision.
    known: Mutex<BTreeMap<String, Known>>,
    guests: Mutex<GuestCache>,
}

impl fmt::Debug for EtcdStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EtcdStore")
            .field("prefix", &self.prefix)
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

/// A value with its revision.
type Known = (i64, Arc<[u8]>);

/// From what there is to what there is to be, if it changes; no bytes are no value.
type Change<'a> = dyn FnMut(Option<&[u8]>) -> Result<Option<Option<Vec<u8>>>, StoreError> + 'a;

/// A member that can be asked.
struct Member {
    endpoint: String,
    client: KvClient,
}

/// What it means that a call failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    /// It only reads: it can be made again.
    Read,
    /// It may have been carried out, unless the member was not reached at all.
    Write,
}

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
const COMMANDS: &str = "commands";

impl EtcdStore {
    /// A shorter wait would take a write that goes to a slow disk for a failure.
    const SHORTEST_PATIENCE: Duration = Duration::from_millis(500);
    /// So often somebody else may be quicker.
    const ATTEMPTS: u32 = 50;

    /// The store of a cluster.
    ///
    /// # Errors
    ///
    /// If etcd has no quorum, or there is no cluster.
    pub fn open(endpoints: &[String], prefix: &str, patience: Duration) -> Result<Self, StoreError> {
        let store = Self::connect(endpoints, prefix, patience)?;
        if store.get(SETTINGS)?.content.is_none() {
            return Err(StoreError::NoCluster(format!("etcd below '{prefix}'")));
        }
        Ok(store)
    }

    /// Makes the store of a new cluster.
    ///
    /// # Errors
    ///
    /// If etcd has no quorum, or there is a cluster.
    pub fn create(endpoints: &[String], prefix: &str, settings: &ClusterSettings) -> Result<(), StoreError> {
        let store = Self::connect(endpoints, prefix, Duration::from_secs(10))?;
        let name = SETTINGS.to_owned();
        if store.write(&[(name.clone(), Value::ABSENT)], &[(name, Some(to_json(settings)))])? {
            Ok(())
        } else {
            Err(StoreError::ClusterExists(format!("etcd below '{prefix}'")))
        }
    }

    fn connect(endpoints: &[String], prefix: &str, patience: Duration) -> Result<Self, StoreError> {
        let patience = patience.max(Self::SHORTEST_PATIENCE);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(|error| StoreError::Etcd(error.to_string()))?;
        let options = ConnectOptions::new().with_connect_timeout(patience).with_require_leader(true);
        let member = |endpoint: &String| {
            let client = runtime.block_on(Client::connect([endpoint], Some(options.clone())));
            let client = client.map_err(|error| StoreError::Etcd(format!("{endpoint}: {error}")))?.kv_client();
            Ok(Member { endpoint: endpoint.clone(), client })
        };
        let members = endpoints.iter().map(member).collect::<Result<Vec<_>, StoreError>>()?;
        let prefix = prefix.trim_matches('/').to_owned();
        Ok(Self {
            runtime,
            members,
            preferred: AtomicUsize::new(0),
            prefix,
            patience,
            known: Mutex::default(),
            guests: Mutex::default(),
        })
    }

    /// Asks one member after the other, the one that answered last before the others.
    fn ask<T, F: Future<Output = Result<T, etcd_client::Error>>>(
        &self,
        call: Call,
        mut question: impl FnMut(KvClient) -> F,
    ) -> Result<T, StoreError> {
        let first = self.preferred.load(Ordering::Relaxed);
        let mut failure = StoreError::Etcd("there is no member to ask".into());
        for (number, member) in (0..self.members.len()).filter_map(|step| {
            let number = (first + step) % self.members.len();
            Some((number, self.members.get(number)?))
        }) {
            let answer = question(member.client.clone());
            match self.runtime.block_on(async { tokio::time::timeout(self.patience, answer).await }) {
                Ok(Ok(answer)) => {
                    self.preferred.store(number, Ordering::Relaxed);
                    return Ok(answer);
                }
                Ok(Err(error)) => {
                    failure = StoreError::Etcd(format!("{}: {}", member.endpoint, cause(&error)));
                    if call == Call::Write && !was_not_reached(&error) {
                        break;
                    }
                }
                Err(_) => {
                    failure = StoreError::NoAnswer { seconds: self.patience.as_secs_f64() };
                    if call == Call::Write {
                        break;
                    }
                }
            }
        }
        // The next call does not begin with the member that failed.
        self.preferred.store((first + 1) % self.members.len().max(1), Ordering::Relaxed);
        Err(failure)
    }

    fn key(&self, name: &str) -> String {
        format!("{}/{name}", self.prefix)
    }

    fn get(&self, name: &str) -> Result<Value, StoreError> {
        let mut values = self.read(name, None)?;
        Ok(values.remove(name).unwrap_or(Value::ABSENT))
    }

    /// All values whose names begin so.
    fn list(&self, directory: &str) -> Result<BTreeMap<String, Value>, StoreError> {
        self.read(directory, Some(GetOptions::new().with_prefix()))
    }

    fn read(&self, name: &str, options: Option<GetOptions>) -> Result<BTreeMap<String, Value>, StoreError> {
        let answer = self.ask(Call::Read, |mut client| {
            let (key, options) = (self.key(name), options.clone());
            async move { client.get(key, options).await }
        })?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut values = BTreeMap::new();
        for pair in answer.kvs() {
            let name = String::from_utf8_lossy(pair.key()).into_owned();
            let Some(name) = name.strip_prefix(&self.prefix).and_then(|name| name.strip_prefix('/')) else { continue };
            let revision = pair.mod_revision();
            let content = match known.get(name) {
                Some((old, content)) if *old == revision || **content == *pair.value() => content.clone(),
                Some(_) | None => pair.value().into(),
            };
            known.insert(name.to_owned(), (revision, content.clone()));
            values.insert(name.to_owned(), Value { revision, content: Some(content) });
        }
        Ok(values)
    }

    /// Makes these changes, all or none, if what is there is what was seen. Says whether it was.
    fn write(&self, seen: &[(String, Value)], changes: &[(String, Option<Vec<u8>>)]) -> Result<bool, StoreError> {
        let unchanged =
            seen.iter().map(|(name, value)| Compare::mod_revision(self.key(name), CompareOp::Equal, value.revision));
        let operations = changes.iter().map(|(name, content)| match content {
            Some(content) => TxnOp::put(self.key(name), content.clone(), None),
            None => TxnOp::delete(self.key(name), None),
        });
        let transaction = Txn::new().when(unchanged.collect::<Vec<_>>()).and_then(operations.collect::<Vec<_>>());
        let answer = self.ask(Call::Write, |mut client| {
            let transaction = transaction.clone();
            async move { client.txn(transaction).await }
        })?;
        Ok(answer.succeeded())
    }

    /// Writes a value that has only one writer: doing so twice does no harm.
    fn put(&self, name: &str, content: &[u8]) -> Result<(), StoreError> {
        let answer = self.ask(Call::Write, |mut client| {
            let (key, content) = (self.key(name), content.to_vec());
            async move { client.put(key, content, None).await }
        });
        answer.map(drop)
    }

    /// Changes a value until nobody else was quicker: `change` gets what there is and says what there is to be, if it changes.
    fn change(&self, name: &str, change: &mut Change<'_>) -> Result<(), StoreError> {
        for _ in 0..Self::ATTEMPTS {
            let value = self.get(name)?;
            let Some(content) = change(value.content.as_deref())? else { return Ok(()) };
            if self.write(&[(name.to_owned(), value)], &[(name.to_owned(), content)])? {
                return Ok(());
            }
        }
        Err(StoreError::Etcd(format!("{name} is changed by others all the time")))
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

/// An error and what it comes from, one after the other.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let mut next = Some(error);
    iter::from_fn(move || {
        let error = next?;
        next = error.source();
        Some(error)
    })
}

/// The error at the bottom of it all, which says most.
fn cause(error: &(dyn Error + 'static)) -> String {
    chain(error).last().unwrap_or(error).to_string()
}

/// Whether the call certainly went nowhere.
fn was_not_reached(error: &(dyn Error + 'static)) -> bool {
    chain(error).any(|error| {
        let refused = |error: &io::Error| {
            matches!(
                error.kind(),
                io::ErrorKind::ConnectionRefused
                    | io::ErrorKind::HostUnreachable
                    | io::ErrorKind::NetworkUnreachable
                    | io::ErrorKind::AddrNotAvailable
            )
        };
        error.downcast_ref::<io::Error>().is_some_and(refused)
    })
}

fn record_name(record: &Record) -> String {
    match record {
        Record::Manager => "status/manager".to_owned(),
        Record::Lrm(node) => format!("status/lrm/{node}"),
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
        let text = text.ok_or_else(|| StoreError::NoCluster(format!("etcd below '{}'", self.prefix)))?;
        serde_json::from_slice(&text)
            .map_err(|error| StoreError::Unreadable { what: self.key(SETTINGS), problem: error.to_string() })
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
        Err(StoreError::Etcd("the configuration is changed by others all the time".into()))
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

    fn record(&self, record: &Record) -> Result<Option<Arc<[u8]>>, StoreError> {
        Ok(self.get(&record_name(record))?.content)
    }

    fn write_record(&self, record: &Record, content: &[u8], _: &NodeName) -> Result<(), StoreError> {
        self.put(&record_name(record), content)
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

    fn take_commands(&self) -> Result<Vec<String>, StoreError> {
        let mut taken = Vec::new();
        self.change(COMMANDS, &mut |content| {
            let Some(content) = content else { return Ok(None) };
            let text = String::from_utf8_lossy(content);
            taken = text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
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
}

impl SharedStore for EtcdStore {
    fn put_beat(&self, node: &NodeName, beat: &Beat) -> Result<(), StoreError> {
        self.put(&format!("members/{node}"), &to_json(beat))
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
