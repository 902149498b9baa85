//! A hostile virtual cluster: random clusters, random histories, and what must hold in them.
//!
//! A [`History`] is made from a seed and holds everything that its run depends on: it can be shortened, written down and
//! played again. [`run`] plays one, [`hunt`] plays many, [`shrink`] takes away what is not needed to break an
//! [`Invariant`](crate::cluster::Invariant).

mod beginning;
mod course;
mod coverage;
mod generate;
mod hunt;
mod kinds;
mod matrix;
mod shrink;
mod stream;
mod windows;

pub use crate::{
    cluster::Action,
    history::{DueAction, History, Judged, Profile, prepare, run, unsettled},
};
pub use coverage::{Coverage, SPECIFIED};
pub use generate::generate;
pub use hunt::{Found, Hunt, Progress, Tally, hunt};
pub use matrix::{Cell, cells};
pub use shrink::shrink;

/// The former name of [`DueAction`].
#[deprecated = "it is called DueAction"]
pub type PlannedAction = DueAction;

/// The former name of [`Found`].
#[deprecated = "it is called Found"]
pub type Failure = Found;

/// The former name of [`Judged`].
#[deprecated = "it is history::Judged"]
pub type Outcome = crate::history::Judged;

/// The former name of [`Operation`](crate::world::Operation).
#[deprecated = "it is world::Operation"]
pub type AgentOperation = crate::world::Operation;

/// The former name of [`AgentFault`](crate::world::AgentFault).
#[deprecated = "it is world::AgentFault"]
pub type AgentOutcome = crate::world::AgentFault;

/// The former name of [`DeviceBehaviour`](crate::world::DeviceBehaviour).
#[deprecated = "it is world::DeviceBehaviour"]
pub type DeviceOutcome = crate::world::DeviceBehaviour;
