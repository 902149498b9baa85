//! What the store has of work on node after node.

use std::{collections::BTreeMap, fmt};

use ha_core::{
    id::{NodeName, ServiceId},
    status::{Timestamp, UtcTime},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::store::{SideFile, Store, StoreError};

/// How far the work is on the node that is its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RollingStep {
    /// Nothing was done to the node.
    Check,
    /// Its maintenance was asked for, or is about to be.
    Evacuate,
    /// The command was begun, or is about to be. What came of it is not known unless it says so.
    Run,
    /// The operator, or the command, is to restart the node.
    Reboot,
    /// The end of its maintenance was asked for, or is about to be.
    Return,
    /// All nodes are done.
    Finished,
    /// A person has ended the work before all nodes were done.
    Aborted,
}

impl RollingStep {
    /// The word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Evacuate => "evacuate",
            Self::Run => "run",
            Self::Reboot => "reboot",
            Self::Return => "return",
            Self::Finished => "finished",
            Self::Aborted => "aborted",
        }
    }

    /// What is going on in it, in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Check => "looking whether the cluster is whole",
            Self::Evacuate => "waiting till services have left",
            Self::Run => "running the command",
            Self::Reboot => "waiting till the node was restarted",
            Self::Return => "waiting till services have returned",
            Self::Finished => "finished",
            Self::Aborted => "aborted",
        }
    }

    /// Whether nothing is to be done any more.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Finished | Self::Aborted)
    }

    /// Whether the work has taken its node into maintenance, or is about to.
    #[must_use]
    pub const fn holds_the_node(self) -> bool {
        matches!(self, Self::Evacuate | Self::Run | Self::Reboot | Self::Return)
    }
}

/// Who carries the work out, as [`RollingLease`](super::RollingLease) keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollingRunner {
    /// What no other runner has.
    pub id: String,
    /// Who, for people: `USER@HOST`.
    pub by: String,
    /// Grows with every write.
    pub count: u64,
    /// For how many milliseconds after a write nobody else takes over.
    pub lifetime_ms: u64,
    /// Fields that this version does not know.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

/// The command of a node, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollingCommand {
    /// The machine that it was begun on.
    pub host: String,
    /// The process there.
    pub pid: u32,
    /// When that process began, by the kernel of that machine, which tells it from a later one with the same number.
    pub started: u64,
    /// How it ended, in words, if it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// Fields that this version does not know.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

/// Work on node after node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollingWork {
    /// The version of this record: [`VERSION`](Self::VERSION).
    pub version: u32,
    /// What no other work has.
    pub id: String,
    /// Who began it: `USER@HOST`.
    pub by: String,
    /// When it was begun.
    pub begun: Timestamp,
    /// The nodes, in their order.
    pub nodes: Vec<NodeName>,
    /// What is run for each node, by a shell on the machine of who carries the work out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Whether each node must be restarted.
    #[serde(default)]
    pub wait_for_reboot: bool,
    /// Seconds that the command and each wait may take.
    pub timeout_s: u64,
    /// Whether services may stay on a node and be interrupted.
    #[serde(default)]
    pub allow_interruption: bool,
    /// Whether it may be that the loss of one more node is not survived.
    #[serde(default)]
    pub without_reserve: bool,
    /// The nodes that are done, in that order. The next one of [`nodes`](Self::nodes) is the one whose turn it is.
    pub done: Vec<NodeName>,
    /// How far the work is on that node.
    pub step: RollingStep,
    /// When that step was begun.
    pub since: Timestamp,
    /// The services that may stay on that node.
    #[serde(default)]
    pub stays: Vec<ServiceId>,
    /// The boot of that node before the work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot: Option<String>,
    /// The command of that node, once it was begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<RollingCommand>,
    /// Where services are to be when the maintenance of that node is over, once its end was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returning: Option<BTreeMap<ServiceId, NodeName>>,
    /// Why it was stopped, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
    /// Who carries it out, or has died doing so; nobody after a stop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runner: Option<RollingRunner>,
    /// Fields that this version does not know.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

impl RollingWork {
    /// The version that this program writes and understands.
    pub const VERSION: u32 = 1;

    /// The node whose turn it is; `None` if all are done.
    #[must_use]
    pub fn current(&self) -> Option<&NodeName> {
        self.nodes.get(self.done.len())
    }

    /// Notes that the node whose turn it is, is done: then it is the next one's turn.
    pub fn node_is_done(&mut self, now: Timestamp) {
        let current = self.current().cloned();
        self.done.extend(current);
        let next = if self.current().is_some() { RollingStep::Check } else { RollingStep::Finished };
        self.goes_to(next, now);
        (self.stays, self.boot, self.command, self.returning) = (Vec::new(), None, None, None);
    }

    /// Notes another step.
    pub fn goes_to(&mut self, step: RollingStep, now: Timestamp) {
        (self.step, self.since) = (step, now);
    }

    /// What the store has.
    ///
    /// # Errors
    ///
    /// If the store fails, or what it has can't be understood.
    pub fn read(store: &dyn Store) -> Result<Option<Self>, RollingError> {
        Self::parse(store.side_file(SideFile::Rolling)?.as_deref())
    }

    pub(super) fn parse(content: Option<&[u8]>) -> Result<Option<Self>, RollingError> {
        let Some(content) = content else { return Ok(None) };
        let not_understood = |problem: String| RollingError::NotUnderstood(problem);
        let value: Value = serde_json::from_slice(content).map_err(|error| not_understood(error.to_string()))?;
        let version = value.get("version").and_then(Value::as_u64);
        if version != Some(Self::VERSION.into()) {
            let version = version.map_or_else(|| "none".to_owned(), |version| version.to_string());
            return Err(not_understood(format!("its version is {version}, this program knows {}", Self::VERSION)));
        }
        serde_json::from_value(value).map(Some).map_err(|error| not_understood(error.to_string()))
    }

    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, RollingError> {
        serde_json::to_vec_pretty(self).map_err(|error| RollingError::NotUnderstood(error.to_string()))
    }
}

impl fmt::Display for RollingWork {
    /// `node2 of node1,node2,node3: waiting till services have left (by alice@desk, since 2026-11-29 13:43:03 UTC)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { nodes, step, by, since, stopped, .. } = self;
        let names: Vec<&str> = nodes.iter().map(NodeName::as_str).collect();
        if let Some(node) = self.current() {
            write!(f, "{node} of ")?;
        }
        write!(f, "{}: ", names.join(","))?;
        match stopped {
            Some(reason) => write!(f, "stopped while {}, since {reason}", step.words())?,
            None => f.write_str(step.words())?,
        }
        write!(f, " (by {by}, since {})", UtcTime(*since))
    }
}

/// Why work on node after node can't be begun, taken up or gone on with.
#[derive(Debug)]
pub enum RollingError {
    /// The store fails.
    Store(StoreError),
    /// What the store has of it can't be understood.
    NotUnderstood(String),
    /// Work that was begun is not over.
    Unfinished(Box<RollingWork>),
    /// There is no work that could be taken up.
    Nothing,
    /// Somebody else carries it out.
    Held {
        /// Who.
        by: String,
    },
}

impl fmt::Display for RollingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::NotUnderstood(problem) => {
                write!(f, "the record of rolling work ({}) can't be understood: {problem}", SideFile::Rolling.name())
            }
            Self::Unfinished(work) => write!(f, "other rolling work is not over: {work}"),
            Self::Nothing => f.write_str("there is no rolling work that is not over"),
            Self::Held { by } => write!(f, "{by} carries the rolling work out at this moment"),
        }
    }
}

impl std::error::Error for RollingError {}

impl From<StoreError> for RollingError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
