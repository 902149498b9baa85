//! The daemons in a small cluster: each row of their state tables, and whole stories in which every call fails in turn.
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
mod faults;
mod fencing;
mod group_migration;
mod guard;
mod late;
mod lrm;
mod manager;
mod may_run;
mod nodes;
mod second_opinion;
mod stories;
mod tables;
