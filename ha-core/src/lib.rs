//! High availability as a library: virtual machines, containers and other services that survive the loss of a node.
//!
//! This crate is the brain and nothing else. It reads the configuration, decides which service belongs on which node, and
//! holds the state machines of the two daemons of a cluster; a program that embeds it brings the store, the locks, the
//! watchdog and the guests. It does no I/O, has no clock and no threads, and builds without `std`.
//!
//! | module | what is in it |
//! |---|---|
//! | [`config`] | the configuration files: read with all problems, edited with checks, written without loss |
//! | [`rules`] | affinity rules: checked, completed, compiled |
//! | [`placement`] | which node a service goes to, and why |
//! | [`plan`] | questions before it happens: where everything would go, what a round would do, what follows from a command |
//! | [`status`] | the records that the daemons share, and the view that a person sees |
//! | [`manager`] | one round of the master |
//! | [`crm`], [`lrm`] | the two daemons, driven by the host's loop |
//! | [`host`] | the traits that a host implements |
//! | [`event`] | everything that happens, as one enum |
//! | [`history`] | what has happened: entries that a host keeps, failovers, counters |
//! | [`record`] | a daemon's questions and answers written down, and played again |
//! | [`timing`] | all timings in one checked value |
//! | [`watchdog`] | one watchdog for many daemons: the multiplexer's protocol and decisions |
//!
//! # Without a daemon
//!
//! Where would everything go if a node died?
//!
//! ```
//! use ha_core::{
//!     config::ResourcesConfig,
//!     host::Configuration,
//!     id::{NodeName, ServiceTypes},
//!     plan::Situation,
//!     status::ManagerStatus,
//! };
//!
//! let resources = ResourcesConfig::read(b"vm: 100\n\tstate started\n", &ServiceTypes::default());
//! assert!(resources.problems.is_empty());
//! let configuration = Configuration { resources: resources.config.into(), ..Configuration::default() };
//! let status = ManagerStatus::from_json(
//!     r#"{"node_status": {"node1": "online", "node2": "online"},
//!         "service_status": {"vm:100": {"state": "started", "node": "node1", "running": 1}}}"#,
//! )?;
//! let members = [NodeName::new("node1")?, NodeName::new("node2")?];
//!
//! let recoveries = Situation::new(&status, &configuration, &members).after_failure(&members[..1])?;
//! assert_eq!(recoveries[0].to, Some(members[1].clone()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # With the daemons
//!
//! Each node runs a [`Crm`](crm::Crm) and an [`Lrm`](lrm::Lrm). Their contract is one method, `tick`: it does what is
//! due now, never waits, and says when to call again.
//!
//! ```
//! use ha_core::{host::CrmHost, crm::Crm, time::{Instant, Next, Now}};
//!
//! fn run(crm: &mut Crm, host: &mut dyn CrmHost, clock: impl Fn() -> Now, sleep_until: impl Fn(Instant)) {
//!     while let Next::At { instant, .. } = crm.tick(host, clock()) {
//!         sleep_until(instant);
//!     }
//! }
//! ```
//!
//! The one thing that may never happen is a service that runs on two nodes. What that asks of locks, watchdogs and time is
//! said with the traits of [`host`] and checked by [`timing`].
#![no_std]
extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod config;
pub mod crm;
pub mod event;
pub mod history;
pub mod host;
pub mod id;
mod lease;
mod lock;
pub mod lrm;
pub mod manager;
pub mod placement;
pub mod plan;
pub mod record;
pub mod rules;
pub mod similar;
pub mod status;
mod text_enum;
pub mod time;
pub mod timing;
pub mod version;
pub mod watchdog;

pub use text_enum::UnknownWord;

/// The examples of README.md are tried like those of this documentation.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
