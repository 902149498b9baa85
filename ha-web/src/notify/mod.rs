//! Notifications: those who do not watch are told of what happens, by a program, a webhook or a mail.
//!
//! `notify.cfg` ([`NotifyConfig`]), in the store, says who is told of what. A [`Sender`] on the node that is the master tells it, from
//! the history of the cluster. How far each target was told is kept in the store too, so that another master goes on where the one
//! before has stopped: each thing is told at least once, and has the id of its entry, by which a receiver knows what it has heard
//! before.
//!
//! Nothing else waits for it: a sender is a thread of a process beside the node daemon, and each target is told by a thread of its own.

mod command;
mod message;
mod secret;
mod sender;
mod smtp;
mod state;
mod tell;
mod trust;
mod webhook;

pub use ha_core::config::{NotifyConfig, NotifyTarget, NotifyWay};
pub use message::{BadTemplate, Message};
pub use sender::{Sender, SenderSettings};
pub use state::{NotifyState, SenderClaim, TargetState};
pub use tell::{Failed, tell};
