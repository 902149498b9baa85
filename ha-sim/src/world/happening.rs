//! What happened, when, and who says so.

use std::fmt;

use ha_core::{event::Event, id::NodeName, time::Instant};
use serde::{Serialize, Serializer};

use super::DaemonKind;

/// Something that happened in the virtual cluster, with when and where.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Happening {
    /// When. Written in seconds.
    #[serde(rename = "t", serialize_with = "seconds")]
    pub at: Instant,
    /// Who reports it.
    pub src: Source,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// Whole seconds as an integer, all others with a fraction.
fn seconds<S: Serializer>(at: &Instant, serializer: S) -> Result<S::Ok, S::Error> {
    let time = at.since_start();
    if time.subsec_nanos() == 0 {
        serializer.serialize_u64(time.as_secs())
    } else {
        serializer.serialize_f64(time.as_secs_f64())
    }
}

/// Who reports that something happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A daemon of a node. Displays as `node1/crm`.
    Daemon(NodeName, DaemonKind),
    /// Somebody or something else: `hardware`, `cmdlist`, …
    Other(&'static str),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Daemon(node, daemon) => write!(f, "{node}/{}", daemon.as_str()),
            Self::Other(name) => f.write_str(name),
        }
    }
}

impl From<&'static str> for Source {
    fn from(name: &'static str) -> Self {
        Self::Other(name)
    }
}

impl Serialize for Source {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What happened: to a daemon, or to the virtual hardware.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum What {
    /// An event of the core.
    Core(Event),
    /// An event of the virtual cluster.
    Cluster(ClusterEvent),
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Core(event) => event.fmt(f),
            Self::Cluster(event) => event.fmt(f),
        }
    }
}

/// What happens outside the daemons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClusterEvent {
    /// A command is executed, or somebody does something.
    Execute {
        /// Its line.
        command: String,
    },
    /// Somebody says something about what happens.
    Said {
        /// What.
        text: String,
    },
    /// A watchdog expired and reset its node.
    WatchdogReset {
        /// The node.
        node: NodeName,
    },
    /// Daemons of one kind do nothing in this loop.
    RoundSkipped {
        /// Which kind.
        daemon: &'static str,
    },
    /// A daemon was killed by a power failure.
    Killed,
    /// A daemon ended by itself.
    DaemonExited,
    /// A node that was off came up.
    NodeBooted {
        /// The node.
        node: NodeName,
    },
    /// A node went down as it was asked to.
    NodeDown {
        /// The node.
        node: NodeName,
    },
    /// A fence device turned a node off.
    PowerCut {
        /// The node.
        node: NodeName,
    },
}

impl fmt::Display for ClusterEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Execute { command } => f.write_str(command),
            Self::Said { text } => f.write_str(text),
            Self::WatchdogReset { node } => write!(f, "the watchdog of {node} expired: the node is reset"),
            Self::RoundSkipped { daemon } => write!(f, "no {daemon} does its round"),
            Self::Killed => f.write_str("is killed"),
            Self::DaemonExited => f.write_str("exits"),
            Self::NodeBooted { node } => write!(f, "{node} is up"),
            Self::NodeDown { node } => write!(f, "{node} is down"),
            Self::PowerCut { node } => write!(f, "the power of {node} is cut"),
        }
    }
}
