//! High availability as a library.
#![no_std]
extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod config;
pub mod id;
pub mod rules;
mod text_enum;
pub mod timing;

pub use text_enum::UnknownWord;
