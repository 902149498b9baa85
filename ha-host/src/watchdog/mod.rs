//! Watchdogs: what resets a node that can no longer say that all is well.
//!
//! A [`Device`] resets something when it is not fed. One user feeds it: the [`MultiplexerServer`], which serves any number of
//! clients by the protocol of [`ha_core::watchdog`]. A daemon is such a client, by [`MultiplexedWatchdog`].

mod client;
mod linux;
mod machine;
mod server;

pub use client::{ConnectError, MultiplexedWatchdog, NoWatchdog, ask_multiplexer};
pub use linux::{DeviceCalls, DeviceFacts, DeviceInfo, Ioctls, LinuxDevice, load_module, module_of};
pub use machine::{Machine, MachineEnd, ProcessDevice, RESET_EXIT_CODE, kill_descendants};
pub use server::{MultiplexerError, MultiplexerServer, MultiplexerSettings};

use std::io;

/// Something that resets a node when it is not fed within its timeout. It is armed when it is made.
pub trait Device {
    /// What it is, for people.
    fn describe(&self) -> String;

    /// Begins its timeout again.
    ///
    /// # Errors
    ///
    /// If it can't be told; it resets the node when its timeout is over.
    fn feed(&mut self) -> io::Result<()>;

    /// Arms it again after the machine has slept: it may have lost what it was told.
    ///
    /// # Errors
    ///
    /// If it can't be told; then nothing may guard the node.
    fn rearm(&mut self) -> io::Result<()>;

    /// Has it reset the node as soon as it can: a reset that was promised is overdue.
    ///
    /// # Errors
    ///
    /// If it can't be told; it resets the node when its timeout is over.
    fn hasten(&mut self) -> io::Result<()>;

    /// Disarms it.
    ///
    /// # Errors
    ///
    /// If it can't be told; it resets the node when its timeout is over.
    fn close(&mut self) -> io::Result<()>;
}
