//! The HTTP API of a cluster: what clients of Proxmox VE's HA expect, under `/api2/json`, and an interface of its own.
//!
//! * [`wire`]: requests taken apart and checked, answers put into their form. Pure.
//! * [`access`]: who may do what: users, tokens, tickets.
//! * [`table`]: all calls, each a [`route`], from which all that must agree with them is made.
//! * [`call`]: a call as its handler sees it.
//! * [`page`]: the page for people, which the server gives out (feature `server`).
//! * [`server`]: the server itself, with its bounds (feature `server`).
//! * [`stage`], [`play`]: a virtual cluster behind it instead of a real one (`play`: feature `server`).
//! * [`notify`]: those who do not watch are told of what happens (feature `server`).
//!
//! The daemons know nothing of it: it is a process of its own, and shares with them nothing but the store.

pub mod access;
pub mod call;
mod joint;
#[cfg(feature = "server")]
pub mod notify;
pub mod openapi;
mod own;
#[cfg(feature = "server")]
pub mod page;
mod parameters;
#[cfg(feature = "server")]
pub mod play;
mod pve;
pub mod route;
#[cfg(feature = "server")]
pub mod server;
pub mod stage;
pub mod table;
pub mod wire;
