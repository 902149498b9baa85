//! The C interface of `ha-core` and `ha-sim`. C programs include `include/ha.h`, which is generated from this crate; Rust
//! programs use those crates themselves.
//!
//! * Each exported function is one body inside of [`boundary`], which no panic crosses.
//! * What C holds are handles, looked up in [`handles`]: no wrong use of one touches memory.
//! * `host` and `adapter` make the host traits of the core out of a table of callbacks.
#![allow(clippy::result_large_err, reason = "an error is made once a call, and says all that a host can use")]
#![allow(non_camel_case_types, reason = "names are those of the C header")]
#![allow(clippy::missing_safety_doc, reason = "the contract for all functions is in the introduction of the header")]
#![allow(clippy::too_many_arguments, reason = "C has no slices")]
#![allow(
    rustdoc::broken_intra_doc_links,
    rustdoc::invalid_html_tags,
    rustdoc::private_intra_doc_links,
    reason = "the documentation is made for the C header, as plain text"
)]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests may panic"))]

mod adapter;
mod answer;
mod boundary;
mod configuration;
mod daemons;
mod edit;
mod error;
mod event;
mod explanation;
mod failure;
mod generated;
mod handles;
mod history;
mod host;
mod job;
mod job_run;
mod library;
mod lock;
mod lrm_status;
mod manager;
mod manager_status;
mod records;
mod recoveries;
mod reply;
mod rules;
mod simulation;
mod situation;
mod text;
mod timings;
mod usage;
mod view;
mod words;

pub use answer::*;
pub use configuration::*;
pub use daemons::*;
pub use edit::*;
pub use error::*;
pub use event::*;
pub use explanation::*;
pub use failure::*;
pub use generated::*;
pub use history::*;
pub use host::*;
pub use job::*;
pub use job_run::*;
pub use library::*;
pub use lock::*;
pub use lrm_status::*;
pub use manager::*;
pub use manager_status::*;
pub use recoveries::*;
pub use reply::*;
pub use rules::*;
pub use simulation::*;
pub use situation::*;
pub use text::*;
pub use timings::*;
pub use usage::*;
pub use view::*;
