//! Why a store could not do something.

use std::{io, path::Path};

use ha_core::{host::HostError, id::NodeName};

use super::TwinNote;

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
    #[error(
        "there is no cluster in {0}: if it is a file system that all nodes share, is it mounted? A new cluster is made with 'ha init'"
    )]
    NoCluster(String),
    /// This node belongs to another cluster than that of the store.
    #[error(
        "this node belongs to the cluster {known}, and the store has {found}: mount the file system that the nodes share, or name the right store; do not use 'ha init'. A node that is to go to another cluster leaves this one with 'ha node leave'"
    )]
    OtherCluster {
        /// The id of the cluster that the node belongs to.
        known: String,
        /// What was found instead, in words.
        found: String,
    },
    /// Another machine works under this node's name.
    #[error(
        "another machine works under the name {node} ({writer}): this one does not work until a person has decided: see 'ha node clear-twin --help'"
    )]
    Twin {
        /// The node.
        node: NodeName,
        /// Who the other one is.
        writer: String,
    },
    /// This session does not take part yet: it waits for what may be another machine of the same name.
    #[error("{0} does not take part yet: another machine may be at work under its name")]
    NotPresent(NodeName),
    /// The manager status is written by who has the manager lock.
    #[error("{0} does not have the manager lock, so that it may not write the manager status")]
    NotMaster(NodeName),
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
    #[error("'{0}' is no store: expected 'file:DIRECTORY' or 'etcd://HOST:PORT,HOST:PORT/PREFIX'")]
    BadAddress(String),
    /// An address of a store whose options, after its `?`, make no sense.
    #[error("'{address}': {problem}")]
    BadAddressOption {
        /// The address.
        address: String,
        /// What is wrong with the options.
        problem: String,
    },
    /// etcd failed, or has no quorum.
    #[error("etcd: {0}")]
    Etcd(String),
    /// etcd can't be used as it is, or not by this program: by its certificates, users or settings.
    #[error("etcd: {0}")]
    EtcdRefused(String),
}

impl StoreError {
    /// Whether it may be otherwise in a moment, without anybody doing anything about it here: the servers of a store that is
    /// just starting up find one another.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        match self {
            Self::NoAnswer { .. } | Self::Etcd(_) => true,
            Self::File { .. }
            | Self::NoCluster(_)
            | Self::OtherCluster { .. }
            | Self::Twin { .. }
            | Self::NotPresent(_)
            | Self::NotMaster(_)
            | Self::ClusterExists(_)
            | Self::Unreadable { .. }
            | Self::BadAddress(_)
            | Self::BadAddressOption { .. }
            | Self::EtcdRefused(_) => false,
        }
    }

    pub(crate) fn has_twin(node: &NodeName, note: &TwinNote) -> Self {
        Self::Twin { node: node.clone(), writer: note.writer.clone() }
    }

    /// `found`: the id of the cluster in the store, if it has one.
    pub(crate) fn other_cluster(known: &str, found: Option<&str>) -> Self {
        let found = found.map_or_else(|| "no cluster".to_owned(), |id| format!("the cluster {id}"));
        Self::OtherCluster { known: known.to_owned(), found }
    }

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
