//! How far each target was told, as it is kept in the store.

use std::collections::BTreeMap;

use ha_core::id::{NodeName, TargetId};
use ha_host::store::{SharedStore, SideFile, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How far each target was told, and who tells. Fields of a later version are kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NotifyState {
    /// Who tells now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<SenderClaim>,
    /// The targets by name.
    #[serde(default)]
    pub targets: BTreeMap<TargetId, TargetState>,
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

/// That a process tells, so that no other one of its node does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SenderClaim {
    /// Its node.
    pub node: NodeName,
    /// The process, by a name that no other has.
    pub process: String,
    /// Until when, in milliseconds since 1970-01-01 UTC by the clock of that node.
    pub until_ms: i64,
}

/// How far a target was told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetState {
    /// The position in the history up to which it was told, or did not want to be.
    pub told: u64,
    /// How many entries it was not told: because it refused them, or because they were not kept for so long.
    #[serde(default)]
    pub passed_over: u64,
    /// Why it could not be told when that was last tried, if it could not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing: Option<String>,
}

impl NotifyState {
    /// Reads it. What can't be understood counts as missing: then each target begins again.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub fn read(store: &dyn SharedStore) -> Result<Self, StoreError> {
        Ok(store.side_file(SideFile::NotifyState)?.map(|text| Self::parse(&text)).unwrap_or_default())
    }

    fn parse(text: &[u8]) -> Self {
        serde_json::from_slice(text).unwrap_or_default()
    }

    /// Changes it, if `change` says that it has.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub fn edit(store: &dyn SharedStore, mut change: impl FnMut(&mut Self) -> bool) -> Result<(), StoreError> {
        store.edit_side_file(SideFile::NotifyState, &mut |text| {
            let mut state = text.map(Self::parse).unwrap_or_default();
            change(&mut state).then(|| serde_json::to_vec(&state).unwrap_or_default())
        })
    }
}
