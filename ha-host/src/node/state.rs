//! What a node must not forget when it is rebooted: in which cluster it is, and what a person has to decide.

use std::{
    fs::{DirBuilder, File},
    io::{self, Read},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use ha_core::{id::NodeName, status::Writer};
use serde::{Deserialize, Serialize};

use crate::{
    os::{
        clock,
        files::{self, Durability},
    },
    store::{Store, StoreAddress, StoreError, TwinNote},
};

/// A directory that survives a reboot, `/var/lib/ha` as a rule.
///
/// ```text
/// cluster.json       the cluster that this node has joined: its id, and where its store was
/// NODE.twin.json     there while a person has to decide which of two machines is the node
/// NODE.decided.json  which other machine is no longer the node, by the word of a person
/// NAME-TIME.broken   a record that was repaired, as it was
/// machine-id         this machine's id, where /etc/machine-id does not say
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateDirectory(PathBuf);

/// The cluster that a node has joined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownCluster {
    /// Its id.
    pub id: String,
    /// Where its store was, for people.
    pub store: String,
}

impl StateDirectory {
    /// Where it is unless somebody says otherwise.
    pub const USUAL: &str = "/var/lib/ha";

    /// The directory of this name. It is made when something is written.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    fn twin_file(&self, node: &NodeName) -> PathBuf {
        self.0.join(format!("{node}.twin.json"))
    }

    fn decision_file(&self, node: &NodeName) -> PathBuf {
        self.0.join(format!("{node}.decided.json"))
    }

    /// The cluster that this node has joined, if it has joined one.
    ///
    /// # Errors
    ///
    /// If that can't be read or understood.
    pub fn known_cluster(&self) -> Result<Option<KnownCluster>, StoreError> {
        read(&self.0.join("cluster.json"))
    }

    /// Notes that this node has joined a cluster.
    ///
    /// # Errors
    ///
    /// If the file system fails.
    pub fn join(&self, cluster: &KnownCluster) -> Result<(), StoreError> {
        self.write(&self.0.join("cluster.json"), cluster)
    }

    /// Forgets the cluster, so that this node can join another one. Says which it was.
    ///
    /// # Errors
    ///
    /// If the file system fails.
    pub fn leave(&self) -> Result<Option<KnownCluster>, StoreError> {
        let known = self.known_cluster()?;
        remove(&self.0.join("cluster.json"))?;
        Ok(known)
    }

    /// What a person has to decide before the node works again.
    ///
    /// # Errors
    ///
    /// If that can't be read or understood: then it may be something.
    pub fn twin(&self, node: &NodeName) -> Result<Option<TwinNote>, StoreError> {
        read(&self.twin_file(node))
    }

    /// Notes that the node does not work until a person has decided, or that one has.
    ///
    /// # Errors
    ///
    /// If the file system fails.
    pub fn set_twin(&self, node: &NodeName, note: Option<&TwinNote>) -> Result<(), StoreError> {
        match note {
            Some(note) => self.write(&self.twin_file(node), note),
            None => remove(&self.twin_file(node)),
        }
    }

    /// The other machine, as `machine/boot`, that is no longer the node by the word of a person.
    ///
    /// # Errors
    ///
    /// If that can't be read or understood.
    pub fn decided_against(&self, node: &NodeName) -> Result<Option<String>, StoreError> {
        read(&self.decision_file(node))
    }

    /// A person has decided: this machine is the node, and no other one is. Says whether there was anything to decide here.
    ///
    /// # Errors
    ///
    /// If the file system fails.
    pub fn decide(&self, node: &NodeName) -> Result<bool, StoreError> {
        // What can't be read was something; who it was is seen again.
        let noted = self.twin(node).unwrap_or_default();
        if let Some(note) = &noted {
            self.write(&self.decision_file(node), &note.writer)?;
        }
        self.set_twin(node, None)?;
        Ok(noted.is_some())
    }

    /// The id of this machine: what `/etc/machine-id` says, or one that is made and kept here.
    ///
    /// # Errors
    ///
    /// If the file system fails.
    pub fn machine_id(&self) -> Result<String, StoreError> {
        let own = self.0.join("machine-id");
        for path in [Path::new("/etc/machine-id"), own.as_path()] {
            let text = files::read(path).map_err(StoreError::file("read", path))?.unwrap_or_default();
            let id = String::from_utf8_lossy(&text).trim().to_owned();
            if !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Ok(id);
            }
        }
        let mut bytes = [0; 16];
        let random = Path::new("/dev/urandom");
        let read = File::open(random).and_then(|mut source| source.read_exact(&mut bytes));
        read.map_err(StoreError::file("read", random))?;
        let id: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        self.make()?;
        files::replace(&own, id.as_bytes(), "new", Durability::Disk).map_err(StoreError::file("write", &own))?;
        Ok(id)
    }

    /// This machine in this boot, as what it writes names it.
    ///
    /// The id of a machine is copied with its disk. The one of its board is added where it can be read: a hypervisor gives a clone
    /// another one. For the rest nobody writes a record under a node's name before all that another hand has written there
    /// was unchanged for a lock lifetime.
    ///
    /// # Errors
    ///
    /// If the file system fails.
    pub fn writer(&self) -> Result<Writer, StoreError> {
        let boot_file = Path::new("/proc/sys/kernel/random/boot_id");
        let boot = files::read(boot_file).map_err(StoreError::file("read", boot_file))?.unwrap_or_default();
        let mut machine = self.machine_id()?;
        // Not every machine has one, and not everybody may read it.
        if let Ok(Some(board)) = files::read(Path::new("/sys/class/dmi/id/product_uuid")) {
            machine = format!("{machine}+{}", String::from_utf8_lossy(&board).trim());
        }
        Ok(Writer::new(machine, String::from_utf8_lossy(&boot).trim()))
    }

    /// Sees that a store is that of the cluster which this node has joined, if it has joined one: nobody makes a new cluster, or
    /// works in another one, because a file system is not mounted.
    ///
    /// # Errors
    ///
    /// [`StoreError::OtherCluster`] if it is another one, or has no id.
    pub fn check(&self, store: &dyn Store) -> Result<Option<String>, StoreError> {
        let found = store.cluster_id()?;
        match self.known_cluster()? {
            Some(known) if found.as_ref() != Some(&known.id) => {
                Err(StoreError::other_cluster(&known.id, found.as_deref()))
            }
            Some(_) | None => Ok(found),
        }
    }

    /// An error of a store that was not found, with the right advice for a node that knows its cluster.
    #[must_use]
    pub fn explain(&self, error: StoreError) -> StoreError {
        match (error, self.known_cluster()) {
            (StoreError::NoCluster(_), Ok(Some(known))) => StoreError::other_cluster(&known.id, None),
            (error, _) => error,
        }
    }

    /// Joins the cluster of a store, which has passed [`check`](Self::check), and gives its id.
    ///
    /// # Errors
    ///
    /// If the store or the file system fails.
    pub fn join_that_of(&self, store: &dyn Store, address: &StoreAddress) -> Result<String, StoreError> {
        let id = store.make_cluster_id()?;
        let place = match address {
            StoreAddress::File(directory) => format!("file:{}", directory.display()),
            StoreAddress::Etcd { .. } => "etcd".to_owned(),
        };
        let known = KnownCluster { id: id.clone(), store: place };
        if self.known_cluster()?.as_ref() != Some(&known) {
            self.join(&known)?;
        }
        Ok(id)
    }

    fn make(&self) -> Result<(), StoreError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&self.0);
        made.map_err(StoreError::file("make", &self.0))
    }

    /// Keeps a copy of something that will be replaced since it is broken. Says in which file.
    ///
    /// # Errors
    ///
    /// If the file system fails.
    pub fn keep_broken(&self, name: &str, content: &[u8]) -> Result<PathBuf, StoreError> {
        self.make()?;
        let path = self.0.join(format!("{name}-{}.broken", clock::wall()));
        files::replace(&path, content, "state", Durability::Disk).map_err(StoreError::file("write", &path))?;
        Ok(path)
    }

    fn write(&self, path: &Path, value: &impl Serialize) -> Result<(), StoreError> {
        self.make()?;
        let text = serde_json::to_vec_pretty(value).map_err(io::Error::from);
        let written = text.and_then(|text| files::replace(path, &text, "state", Durability::Disk));
        written.map_err(StoreError::file("write", path))
    }
}

fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<Option<T>, StoreError> {
    let Some(text) = files::read(path).map_err(StoreError::file("read", path))? else { return Ok(None) };
    let unreadable = |error: serde_json::Error| StoreError::Unreadable {
        what: path.display().to_string(),
        problem: error.to_string(),
    };
    serde_json::from_slice(&text).map(Some).map_err(unreadable)
}

fn remove(path: &Path) -> Result<(), StoreError> {
    files::remove(path, Durability::Disk).map_err(StoreError::file("remove", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_node_must_not_forget_is_there_until_somebody_says_otherwise() {
        let path = std::env::temp_dir().join(format!("ha-state-{}", std::process::id()));
        let state = StateDirectory::at(&path);
        let node = NodeName::new("node1").unwrap();
        assert_eq!(
            (state.known_cluster().unwrap(), state.twin(&node).unwrap(), state.leave().unwrap()),
            (None, None, None)
        );
        let known = KnownCluster { id: "1".into(), store: "file:/srv/ha".into() };
        state.join(&known).unwrap();
        assert_eq!(state.known_cluster().unwrap(), Some(known.clone()));
        let told = state.explain(StoreError::NoCluster("/srv/ha".into())).to_string();
        assert!(told.contains("mount") && told.contains("do not use 'ha init'"), "{told}");
        assert_eq!(state.leave().unwrap(), Some(known));
        assert_eq!(state.machine_id().unwrap(), state.machine_id().unwrap());
        std::fs::write(path.join("cluster.json"), "{").unwrap();
        assert!(state.known_cluster().is_err(), "it may have been any");
        std::fs::remove_dir_all(&path).unwrap();
    }
}
