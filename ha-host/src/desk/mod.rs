//! What an operator asks and does, as data: the `ha` command and whatever else has a face shows it in words.
//!
//! * [`Present`]: what the store says of the cluster now, each part by itself.
//! * [`foresee`]: what follows from a change, by playing the rounds to come.
//! * [`Glance`]: the cluster at a glance, nodes first, and whether it is healthy.

mod foresight;
mod glance;
mod present;

pub use foresight::{Change, Consequence, Foresight, Step, foresee};
pub use glance::{Glance, Health, NodeGlance, NodeHealth, ServiceGlance, span};
pub use present::{Broken, Present};
