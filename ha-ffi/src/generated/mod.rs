//! What `cargo xtask generate` makes of the core's enums: see `tools/bindings`.

pub(crate) mod events;
mod words;

pub use events::ha_event_kind;
pub use words::*;
