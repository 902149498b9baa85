//! Services that go from one node to another.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::id::{NodeName, ServiceId};

/// A service that would have to be elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// The service.
    pub sid: ServiceId,
    /// Where it is, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<NodeName>,
    /// Where it would be.
    pub to: NodeName,
}

impl fmt::Display for Move {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sid, from, to } = self;
        match from {
            Some(from) => write!(f, "{sid} from {from} to {to}"),
            None => write!(f, "{sid} to {to}"),
        }
    }
}
