//! A daemon's watchdog, behind the multiplexer.

use std::{
    io::{self, Write},
    os::unix::net::UnixStream,
    path::PathBuf,
    time::Duration,
};

use ha_core::{
    host::{FeedOutcome, HostError, Watchdog},
    time::Instant,
};

use super::{DEADLINE_PROTOCOL, FEED, LEAVE};
use crate::clock;

/// A client of the multiplexer.
///
/// Each feed carries its deadline, so that the multiplexer does not count one that was stopped on its way: not even a process
/// that is frozen between its last look at the clock and the feed can push the reset out.
#[derive(Debug)]
pub struct MultiplexedWatchdog {
    socket: PathBuf,
    connection: Option<UnixStream>,
}

impl MultiplexedWatchdog {
    /// The multiplexer takes a byte at once or is in trouble.
    const PATIENCE: Duration = Duration::from_millis(500);

    /// A client of the multiplexer that listens on this socket.
    #[must_use]
    pub fn new(socket: impl Into<PathBuf>) -> Self {
        Self { socket: socket.into(), connection: None }
    }

    fn error(&self, doing: &str, error: &io::Error) -> HostError {
        HostError::new(format!("cannot {doing} the watchdog at {}: {error}", self.socket.display()))
    }

    fn connect(&self) -> io::Result<UnixStream> {
        let mut connection = UnixStream::connect(&self.socket)?;
        connection.set_write_timeout(Some(Self::PATIENCE))?;
        connection.write_all(DEADLINE_PROTOCOL)?;
        Ok(connection)
    }
}

/// Feeds, unless it is too late. Nothing comes between the look at the clock and the feed.
fn feed(connection: &mut UnixStream, not_after: Instant) -> io::Result<FeedOutcome> {
    let deadline = u64::try_from(not_after.since_start().as_nanos()).unwrap_or(u64::MAX);
    let mut frame = [FEED; 9];
    for (place, byte) in frame.iter_mut().skip(1).zip(deadline.to_be_bytes()) {
        *place = byte;
    }
    if clock::instant() > not_after {
        return Ok(FeedOutcome::TooLate);
    }
    connection.write_all(&frame)?;
    Ok(FeedOutcome::Fed)
}

fn leave(connection: &mut UnixStream) -> io::Result<()> {
    connection.write_all(&[LEAVE])?;
    connection.shutdown(std::net::Shutdown::Both)
}

impl Watchdog for MultiplexedWatchdog {
    fn open(&mut self, not_after: Instant) -> Result<FeedOutcome, HostError> {
        if self.connection.is_some() {
            return self.feed(not_after);
        }
        let mut connection = self.connect().map_err(|error| self.error("open", &error))?;
        match feed(&mut connection, not_after) {
            Ok(FeedOutcome::Fed) => {
                self.connection = Some(connection);
                Ok(FeedOutcome::Fed)
            }
            Ok(FeedOutcome::TooLate) => {
                // Nothing runs under it yet.
                leave(&mut connection).map_err(|error| self.error("leave", &error))?;
                Ok(FeedOutcome::TooLate)
            }
            Err(error) => Err(self.error("open", &error)),
        }
    }

    fn feed(&mut self, not_after: Instant) -> Result<FeedOutcome, HostError> {
        let Some(connection) = &mut self.connection else { return Err(HostError::new("the watchdog is not open")) };
        feed(connection, not_after).map_err(|error| self.error("feed", &error))
    }

    fn close(&mut self) -> Result<(), HostError> {
        let Some(connection) = &mut self.connection else { return Ok(()) };
        leave(connection).map_err(|error| self.error("close", &error))?;
        self.connection = None;
        Ok(())
    }
}

/// No watchdog at all.
///
/// For a cluster of a single node, where nobody else starts a service, and for tests. With two nodes it is **unsafe**: a
/// node that stalls goes on with services that the other one has started.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoWatchdog;

impl Watchdog for NoWatchdog {
    fn open(&mut self, not_after: Instant) -> Result<FeedOutcome, HostError> {
        self.feed(not_after)
    }

    fn feed(&mut self, not_after: Instant) -> Result<FeedOutcome, HostError> {
        Ok(if clock::instant() > not_after { FeedOutcome::TooLate } else { FeedOutcome::Fed })
    }

    fn close(&mut self) -> Result<(), HostError> {
        Ok(())
    }
}
