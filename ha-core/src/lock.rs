//! The locks of the cluster, by name.

use alloc::string::String;
use core::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::id::{IdError, NodeName};

/// A lock of the cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lock {
    /// `ha_manager_lock`: who holds it is the master.
    Manager,
    /// `ha_agent_<node>_lock`: who holds it may run, or recover, the services of that node.
    Agent(NodeName),
}

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Manager => f.pad("ha_manager_lock"),
            Self::Agent(node) => f.pad(&alloc::format!("ha_agent_{node}_lock")),
        }
    }
}

impl FromStr for Lock {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if text == "ha_manager_lock" {
            return Ok(Self::Manager);
        }
        let node = text.strip_prefix("ha_agent_").and_then(|rest| rest.strip_suffix("_lock")).unwrap_or(text);
        NodeName::new(node).map(Self::Agent)
    }
}

impl Serialize for Lock {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Lock {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
