//! Recorded scenarios: folders of a fixed form, replayed step by step as they were made, and compared with the events that
//! were recorded.

mod case;
mod check;
mod command;
mod replay;

pub use case::{Case, CaseError};
pub use check::{Outcome, check};
pub use replay::Replay;
