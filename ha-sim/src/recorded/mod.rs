//! Recorded scenarios: folders of a fixed form, replayed step by step as they were made, and compared with the events that
//! were recorded.

mod case;
mod check;
mod command;
mod replay;

pub use case::{Case, CaseError};
pub use check::{Compared, check};
pub use replay::Replay;

/// The former name of [`Compared`].
#[deprecated = "it is called Compared"]
pub type Outcome = Compared;
