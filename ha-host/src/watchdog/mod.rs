//! Watchdogs: what resets a node that can no longer say that all is well.
//!
//! A [`Device`] resets something when it is not fed. One user feeds it: the [`Multiplexer`], which serves any number of
//! clients. A daemon is such a client, by [`MultiplexedWatchdog`].

mod client;
mod linux;
mod machine;
mod multiplexer;

pub use client::{MultiplexedWatchdog, NoWatchdog};
pub use linux::{DeviceCalls, DeviceInfo, Ioctls, LinuxDevice, load_module, module_of};
pub use machine::{Machine, MachineEnd, ProcessDevice, RESET_EXIT_CODE, kill_descendants};
pub use multiplexer::{Multiplexer, MultiplexerError, MultiplexerEvent, MultiplexerSettings};

use std::io;

/// Something that resets a node when it is not fed within its timeout. It is armed when it is made.
pub trait Device {
    /// Begins its timeout anew.
    ///
    /// # Errors
    ///
    /// If it can't be told; it resets the node when its timeout is over.
    fn feed(&mut self) -> io::Result<()>;

    /// Disarms it.
    ///
    /// # Errors
    ///
    /// If it can't be told; it resets the node when its timeout is over.
    fn close(&mut self) -> io::Result<()>;
}

/// The first bytes of a client that sends deadlines. See [`Multiplexer`].
pub(crate) const DEADLINE_PROTOCOL: &[u8; 8] = b"ha-wd-1\n";
/// Begins a feed with a deadline.
pub(crate) const FEED: u8 = b'F';
/// The last byte of a client that leaves.
pub(crate) const LEAVE: u8 = b'V';
