//! What an operator asks and does, as data: the `ha` command and whatever else has a face shows it in words.
//!
//! * [`Desk`]: a store, read and edited by the names that people use.
//! * [`Present`]: what the store says of the cluster now, each part by itself.
//! * [`foresee`]: what follows from a change, by playing the rounds to come.
//! * [`judge`]: what the master would answer to a command.
//! * [`Glance`]: the cluster at a glance, nodes first, and whether it is healthy.

mod edit;
mod foresight;
mod glance;
mod present;
mod verdict;

pub use edit::{Desk, DeskEdit, NameError};
pub use foresight::{Change, Consequence, Foresight, Step, foresee};
pub use glance::{Glance, Health, NodeGlance, NodeHealth, ServiceGlance, span};
pub use present::{Broken, Present};
pub use verdict::{BlockedBy, Refusal, blocking, comoved, judge};
