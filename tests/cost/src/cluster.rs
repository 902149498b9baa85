//! The cluster that the benchmarks of the core use as well.

#[path = "../../../ha-core/benches/cluster/mod.rs"]
#[allow(dead_code, reason = "the benchmarks use more of it")]
mod shared;

pub(crate) use shared::{Cluster, one_group, rules_of_ten};
