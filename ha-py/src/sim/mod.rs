//! The virtual cluster, scenarios, and recorded scenarios.

mod actions;
pub(crate) mod arguments;
mod cluster;
pub(crate) mod happening;
mod observe;
mod play;
mod recorded;
mod scenario;

pub(crate) use cluster::Cluster;
pub(crate) use happening::describe_cluster_event;
pub(crate) use play::Play;
pub(crate) use recorded::{Replay, check_recorded};
pub(crate) use scenario::{Outcome, Scenario};
