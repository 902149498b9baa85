//! A hostile virtual cluster: random clusters, random histories, and what must hold in them.
//!
//! A [`History`] is made from a seed and holds everything that its run depends on: it can be shortened, written down and
//! played again. [`run`] plays one, [`hunt`] plays many, [`shrink`] takes away what is not needed to break an
//! [`Invariant`](crate::cluster::Invariant).

mod action;
mod course;
mod coverage;
mod generate;
mod history;
mod hunt;
mod matrix;
mod on_the_way;
mod plan;
mod run;
mod settled;
mod shrink;
mod stream;
mod windows;

pub use action::{Action, AgentOperation, AgentOutcome, DeviceOutcome};
pub use coverage::{Coverage, SPECIFIED};
pub use generate::{Profile, generate};
pub use history::{ClusterPlan, GuestPlan, History, NodePlan, PlannedAction};
pub use hunt::{Failure, Hunt, Progress, Tally, hunt};
pub use matrix::{Cell, cells};
pub use run::{Outcome, prepare, run};
pub use settled::unsettled;
pub use shrink::shrink;
