//! How much memory a manager with 100,000 services takes, in bytes asked of the allocator: between rounds, and the most
//! in a round that recovers a node. Fails where that, with all that the host handed over, is more than 100 MB.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::field_reassign_with_default,
    reason = "a benchmark"
)]

#[allow(dead_code, reason = "other benchmarks use more of it")]
mod cluster;

use std::{mem, process::ExitCode};

use cluster::{Cluster, rules_of_ten};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const SERVICES: usize = 100_000;
const NODES: usize = 32;
const BOUND: usize = 100_000_000;

fn main() -> ExitCode {
    let started = MEMORY.current_usage();
    let mut cluster = Cluster::new(SERVICES, NODES, &rules_of_ten(SERVICES));
    cluster.fail_last_node();
    print("manager, configuration and the answers of all LRMs", MEMORY.current_usage() - started);
    MEMORY.reset_peak_usage();
    cluster.round();
    let peak = MEMORY.peak_usage() - started;
    print("the most of all that while a node is recovered", peak);
    let Cluster { manager, input } = cluster;
    mem::drop(input);
    let before = MEMORY.current_usage();
    mem::drop(manager);
    print("what the manager alone keeps between rounds", before - MEMORY.current_usage());
    if peak > BOUND {
        eprintln!("that is more than {} MB", BOUND / 1_000_000);
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn print(what: &str, bytes: usize) {
    println!("{:7.1} MB, {:5} bytes a service: {what}", bytes as f64 / 1e6, bytes / SERVICES);
}
