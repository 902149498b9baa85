//! Real parts for hosts around [`ha_core`]: each can be used on its own by a program that embeds the core, and together
//! they are what the `ha` command runs, of the crate `ha-cli`.
//!
//! * [`os`]: what the operating system gives: time, files, signals, processes, cgroups, load.
//! * [`store`]: what the nodes share: configuration, guests, records, commands, locks with leases, membership.
//! * [`watchdog`]: the multiplexer with its client, the Linux device, and a watchdog that resets a group of processes.
//! * [`agents`]: what starts, stops, watches and moves services: processes, systemd units,
//!   virtual machines, any program.
//! * [`desk`]: what an operator asks and does, as data.
//! * [`history`]: what has happened, kept on each node and for the cluster.
//! * [`node`]: the node daemon, which drives a CRM and an LRM over all of this.
//!
//! All of it is for Linux.

pub mod agents;
pub mod desk;
pub mod fence;
pub mod history;
mod lasting;
pub mod node;
pub mod os;
pub mod store;
pub mod watchdog;
pub mod workers;

// Where these were before.
#[doc(no_inline)]
pub use {
    agents as agent,
    os::{clock, files, signals},
};

/// The version of this software.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The version that a node reports to the others. The numbers are those of the interface between nodes: `9.0.0` is the
/// first one that knows rules, `9.1.0` the first that knows order rules, `9.2.0` the first that knows rules which keep services apart only
/// while there is a place for that.
pub const INTERFACE_VERSION: &str = "9.3.0";
