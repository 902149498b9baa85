//! One daemon at a time, call by call, with a host that answers as a test wants: each row of its state tables. Whole clusters, in which
//! every call goes wrong in turn, are in `ha-sim/tests`.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]

mod cluster;
mod crm;
mod disarm;
mod fencing;
mod group_migration;
mod guard;
mod late;
mod lrm;
mod manager;
mod may_run;
mod nodes;
mod second_opinion;
mod tables;
mod wrong;
