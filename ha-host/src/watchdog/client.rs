//! A daemon's watchdog, behind the multiplexer.

use std::{
    fmt,
    io::{self, Read, Write},
    os::{fd::AsRawFd, unix::net::UnixStream},
    path::{Path, PathBuf},
    time::Duration,
};

use ha_core::{
    host::{FeedOutcome, HostError, Watchdog},
    time::Instant,
    watchdog::{Answer, Answers, Foreign, LEAVE, Refusal, Terms, feed, hello},
};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect, socket};

use crate::os::clock;

/// Why a multiplexer does not guard a daemon.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// Nothing answers there.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It did not answer in time.
    #[error("it did not answer within {} s: it hangs, or is of an older version than this daemon", patience.as_secs_f64())]
    NoAnswer {
        /// How long it was waited for.
        patience: Duration,
    },
    /// It says no.
    #[error("{0}")]
    Refused(Refusal),
    /// It is something else.
    #[error("{0}")]
    Foreign(#[from] Foreign),
}

/// A client of the multiplexer.
///
/// Each feed carries its deadline, so that the multiplexer does not count one that was stopped on its way: not even a process
/// that is frozen between its last look at the clock and the feed can push the reset out.
#[derive(Debug)]
pub struct MultiplexedWatchdog {
    socket: PathBuf,
    terms: Terms,
    connection: Option<UnixStream>,
}

impl MultiplexedWatchdog {
    /// A client of the multiplexer that listens on this socket, for a daemon that counts on these terms.
    #[must_use]
    pub fn new(socket: impl Into<PathBuf>, terms: Terms) -> Self {
        Self { socket: socket.into(), terms, connection: None }
    }

    fn error(&self, doing: &str, error: &impl fmt::Display) -> HostError {
        HostError::new(format!("cannot {doing} the watchdog at {}: {error}", self.socket.display()))
    }
}

/// Asks a multiplexer whether it would guard a daemon that counts on these terms, and with what device. Nothing is armed.
///
/// # Errors
///
/// Why not.
pub fn ask_multiplexer(socket: &Path, terms: Terms) -> Result<String, ConnectError> {
    let mut talk = Talk::begin(socket, terms)?;
    let device = talk.welcome();
    talk.leave();
    device
}

/// A connection before it is armed.
struct Talk {
    connection: UnixStream,
    answers: Answers,
}

impl Talk {
    /// The multiplexer answers, and takes bytes, at once or is in trouble.
    const PATIENCE: Duration = Duration::from_secs(1);

    fn begin(path: &Path, terms: Terms) -> Result<Self, ConnectError> {
        let address = UnixAddr::new(path).map_err(io::Error::from)?;
        let socket = socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC, None);
        let mut connection = UnixStream::from(socket.map_err(io::Error::from)?);
        // Bounds the connecting too.
        connection.set_write_timeout(Some(Self::PATIENCE))?;
        connect(connection.as_raw_fd(), &address).map_err(io::Error::from)?;
        connection.write_all(&hello(&terms, clock::instant()))?;
        Ok(Self { connection, answers: Answers::new(terms) })
    }

    /// The device of the multiplexer, if it welcomes this client.
    fn welcome(&mut self) -> Result<String, ConnectError> {
        match self.answer()? {
            Answer::Welcome { device, .. } => Ok(device),
            Answer::Refused(refusal) => Err(ConnectError::Refused(refusal)),
            Answer::Armed | Answer::TooLate => Err(Foreign.into()),
        }
    }

    /// Feeds for the first time. Says whether it was in time, and so armed.
    fn arm(&mut self, not_after: Instant) -> Result<FeedOutcome, ConnectError> {
        if send_feed(&mut self.connection, not_after)? == FeedOutcome::TooLate {
            return Ok(FeedOutcome::TooLate);
        }
        match self.answer()? {
            Answer::Armed => Ok(FeedOutcome::Fed),
            Answer::TooLate => Ok(FeedOutcome::TooLate),
            Answer::Refused(refusal) => Err(ConnectError::Refused(refusal)),
            Answer::Welcome { .. } => Err(Foreign.into()),
        }
    }

    fn answer(&mut self) -> Result<Answer, ConnectError> {
        let end = clock::instant().after(Self::PATIENCE);
        let mut buffer = [0; 512];
        loop {
            if let Some(answer) = self.answers.next_answer()? {
                return Ok(answer);
            }
            let left = end.since(clock::instant());
            if left.is_zero() {
                return Err(ConnectError::NoAnswer { patience: Self::PATIENCE });
            }
            self.connection.set_read_timeout(Some(left))?;
            match self.connection.read(&mut buffer) {
                Ok(0) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
                Ok(count) => self.answers.receive(buffer.get(..count).unwrap_or_default()),
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Nothing runs under it yet, whether it is armed or not. Where that can't be said it is gone anyway.
    fn leave(mut self) {
        let _ = leave(&mut self.connection);
    }
}

/// Feeds, unless it is too late. Nothing comes between the look at the clock and the feed.
fn send_feed(connection: &mut UnixStream, not_after: Instant) -> io::Result<FeedOutcome> {
    let frame = feed(not_after);
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
    /// Returns when the multiplexer has said that this client is armed.
    fn open(&mut self, not_after: Instant) -> Result<FeedOutcome, HostError> {
        if self.connection.is_some() {
            return self.feed(not_after);
        }
        let mut talk = Talk::begin(&self.socket, self.terms).map_err(|error| self.error("open", &error))?;
        match talk.welcome().and_then(|_| talk.arm(not_after)) {
            Ok(FeedOutcome::Fed) => {
                self.connection = Some(talk.connection);
                Ok(FeedOutcome::Fed)
            }
            Ok(FeedOutcome::TooLate) => {
                talk.leave();
                Ok(FeedOutcome::TooLate)
            }
            Err(error) => {
                talk.leave();
                Err(self.error("open", &error))
            }
        }
    }

    fn feed(&mut self, not_after: Instant) -> Result<FeedOutcome, HostError> {
        let Some(connection) = &mut self.connection else { return Err(HostError::new("the watchdog is not open")) };
        send_feed(connection, not_after).map_err(|error| self.error("feed", &error))
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
/// For a cluster of a single node, where nobody else starts a service, for one where fence devices alone carry the safety, and
/// for tests. Otherwise it is **unsafe**: a node that stalls goes on with services that another one has started.
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

#[cfg(test)]
mod tests;
