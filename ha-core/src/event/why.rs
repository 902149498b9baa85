//! Why something was decided, kept beside the event that says it.

use alloc::string::{String, ToString};
use core::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Why a service goes where it goes, as it was decided at the time.
///
/// It outlives what it was made of: the states, rules and figures may be others by the time somebody asks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Why {
    /// The answer and what decided, in one sentence.
    pub text: String,
    /// All of it, as [`Explanation`](crate::placement::Explanation) is as JSON. What another version wrote may have more.
    pub explanation: Value,
}

impl Why {
    /// Of a decision that says in one sentence what it is.
    pub(crate) fn new(decision: &(impl fmt::Display + Serialize)) -> Self {
        // What can't be written as JSON, such as a score that is no number, is left out; the sentence stands.
        let explanation = serde_json::to_value(decision).unwrap_or_default();
        Self { text: decision.to_string(), explanation }
    }
}
