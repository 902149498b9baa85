//! High availability as a library.
#![no_std]
extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod config;
pub mod crm;
pub mod event;
pub mod host;
pub mod id;
mod lease;
pub mod lrm;
pub mod manager;
pub mod placement;
pub mod rules;
pub mod status;
mod text_enum;
pub mod time;
pub mod timing;
pub mod version;

pub use text_enum::UnknownWord;
