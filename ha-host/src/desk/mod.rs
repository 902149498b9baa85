//! What an operator asks and does, as data: the `ha` command and whatever else has a face shows it in words.
//!
//! * [`Desk`]: a store, read and edited by the names that people use.
//! * [`Present`]: what the store says of the cluster now, each part by itself.
//! * [`foresee`]: what follows from a change, by playing the rounds to come.
//! * [`problems`]: what is wrong in the configuration.
//! * [`explain`]: why a service is where it is.
//! * [`tolerance`]: how many nodes may fail; [`evacuation`]: what becomes of services when nodes are taken down for a while.
//! * [`feasible`]: whether any placement at all keeps the strict rules and capacities; [`steps`]: the moves to a placement.
//! * [`balance`]: what automatic balancing would move.
//! * [`RollingWork`]: work on node after node, as the store has it; [`RollingLease`]: that one carries it out at a time;
//!   [`rolling_plan`], [`rolling_doubts`]: whether it may go on.
//! * [`judge`]: what the master would answer to a command.
//! * [`property_value`]: a property as JSON has it.
//! * [`Glance`]: the cluster at a glance, nodes first, and whether it is healthy.
//! * [`StatusParts`], [`metrics`]: the same for programs.
//! * [`counted`]: what has been counted of the history.
//! * [`snapshot`]: the cluster as a document, for a virtual one to go on from there.

mod balance;
mod check;
mod edit;
mod evacuation;
mod explain;
mod feasible;
mod foresight;
mod glance;
mod metrics;
mod present;
mod property;
mod report;
mod rolling;
mod snapshot;
mod tolerance;
mod verdict;

pub use balance::balance;
pub use check::problems;
pub use edit::{Desk, DeskEdit, NameError};
pub use evacuation::{Elsewhere, Evacuation, evacuation};
pub use explain::{ComesAfter, StartOrder, explain, precedence, start_order};
pub use feasible::{feasible, steps};
pub use foresight::{Change, Consequence, Foresight, Step, foresee};
pub use glance::{Asked, Glance, Health, NodeGlance, NodeHealth, ServiceGlance, span};
pub use metrics::{Measured, MetricsFormat, counted, metrics};
pub use present::{Broken, Present};
pub use property::property_value;
pub use report::StatusParts;
pub use rolling::{
    RollingCommand, RollingError, RollingLease, RollingPlan, RollingRunner, RollingStep, RollingWork, boot_of,
    is_evacuated, rolling_alarms, rolling_doubts, rolling_plan,
};
pub use snapshot::snapshot;
pub use tolerance::{tolerance, tolerance_of_domains, tolerance_with_remedies};
pub use verdict::{BlockedBy, Refusal, blocking, comoved, judge};
