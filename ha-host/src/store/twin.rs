//! Two machines that work under one name.

use ha_core::{event::NodeRecord, status::Timestamp};
use serde::{Deserialize, Serialize};

/// What is noted in the store, for people, when a node was seen to have a twin. It stays until a person has decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TwinNote {
    /// What was found to be written by another hand.
    pub record: NodeRecord,
    /// Who had written that: machine, boot and process.
    pub writer: String,
    /// Who has found it, and does not work any more.
    pub seen_by: String,
    /// When, by the clock of who has found it.
    pub seen_at: Timestamp,
}
