//! One device for many clients.

use std::{
    fmt,
    fs::{self, File},
    io::{self, Read},
    os::{
        fd::AsFd,
        unix::{
            fs::PermissionsExt,
            net::{UnixListener, UnixStream},
        },
    },
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use ha_core::{time::Instant, timing::Timings};
use nix::{
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::socket::{getsockopt, sockopt::PeerCredentials},
};

use super::{DEADLINE_PROTOCOL, Device, FEED, LEAVE};
use crate::clock;

/// How a multiplexer works.
#[derive(Debug, Clone)]
pub struct MultiplexerSettings {
    /// Where it listens.
    pub socket: PathBuf,
    /// A file that is there while there are clients. It must be on a file system that a reset empties, such as `/run`.
    pub marker: Option<PathBuf>,
    /// How long after its last feed a client has expired.
    pub client_timeout: Duration,
    /// How often the device is fed.
    pub interval: Duration,
    /// How long before a client expires there is a warning.
    pub warning: Duration,
}

impl MultiplexerSettings {
    /// As these timings say.
    #[must_use]
    pub fn new(socket: impl Into<PathBuf>, timings: &Timings) -> Self {
        Self {
            socket: socket.into(),
            marker: None,
            client_timeout: timings.watchdog_timeout(),
            interval: timings.multiplexer_interval().max(Duration::from_millis(10)),
            warning: timings.multiplexer_warning(),
        }
    }
}

/// Why a multiplexer does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MultiplexerError {
    /// A predecessor died while it had clients.
    #[error(
        "{0} says that a multiplexer died with clients: the node is to be reset, and no new one may feed the watchdog. \
        Remove that file only if you know that nothing of the clients runs"
    )]
    PredecessorDied(PathBuf),
    /// Another one is at work.
    #[error("another multiplexer listens on {0}")]
    InUse(PathBuf),
    /// The socket can't be made.
    #[error("cannot listen on {path}: {source}")]
    Socket {
        /// The socket.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// Something that a multiplexer wants people to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MultiplexerEvent {
    /// A client has not fed it for long.
    Warning {
        /// The client's process.
        pid: i32,
        /// When it will have expired.
        left: Duration,
    },
    /// A client has not fed it for too long: the device is not fed any more.
    Expired {
        /// The client's process.
        pid: i32,
    },
    /// A client went without a word: the device is not fed any more.
    Vanished {
        /// The client's process.
        pid: i32,
    },
    /// A feed came after its deadline and does not count.
    LateFeed {
        /// The client's process.
        pid: i32,
    },
    /// The device could not be fed.
    FeedFailed(String),
    /// The marker could not be written or removed.
    MarkerFailed(String),
}

impl fmt::Display for MultiplexerEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Warning { pid, left } => {
                write!(f, "process {pid} has not fed its watchdog; it expires in {:.1} s", left.as_secs_f64())
            }
            Self::Expired { pid } => {
                write!(f, "the watchdog of process {pid} has expired: the device is not fed any more")
            }
            Self::Vanished { pid } => {
                write!(f, "process {pid} went without closing its watchdog: the device is not fed any more")
            }
            Self::LateFeed { pid } => write!(f, "a feed of process {pid} came after its deadline and does not count"),
            Self::FeedFailed(error) => write!(f, "the device could not be fed: {error}"),
            Self::MarkerFailed(error) => write!(f, "the marker could not be changed: {error}"),
        }
    }
}

/// Feeds a device as long as every client has fed it.
///
/// # Protocol
///
/// On a Unix stream socket. Connecting counts as the first feed. A plain client sends any byte as a feed, and `V` as its last
/// byte before it closes the connection if it wants to leave. A client whose first bytes are `ha-wd-1\n` sends, instead of
/// single bytes, frames: `F` and a deadline, eight bytes, the highest first, in nanoseconds of `CLOCK_BOOTTIME`; or `V`. A feed
/// that is read after its deadline does not count.
///
/// # Load
///
/// A turn reads once from each client and accepts a few connections, then looks at every client's time: whatever some
/// client sends or does not send, another one's end is seen within the interval.
#[derive(Debug)]
pub struct Multiplexer<D> {
    settings: MultiplexerSettings,
    listener: UnixListener,
    device: D,
    clients: Vec<Client>,
    /// Whether a client has expired or vanished.
    failed: bool,
    next_feed: Instant,
}

#[derive(Debug)]
struct Client {
    connection: UnixStream,
    pid: i32,
    fed: Instant,
    warned: bool,
    received: Received,
}

/// What a client has sent.
#[derive(Debug, PartialEq, Eq)]
enum Received {
    /// Only the first so many bytes of [`DEADLINE_PROTOCOL`] yet.
    Prefix(usize),
    /// Single bytes; whether the last one was [`LEAVE`].
    Bytes { leaves: bool },
    /// Frames; the beginning of one that is not complete, and whether the last one was [`LEAVE`].
    Frames { begun: Vec<u8>, leaves: bool },
}

/// What is to be done after reading.
#[derive(Debug, Default, PartialEq, Eq)]
struct Feeds {
    fed: bool,
    late: bool,
}

/// A feed and its deadline.
const FRAME_BYTES: usize = 9;

impl Received {
    fn take(&mut self, bytes: &[u8], now: Instant) -> Feeds {
        let mut feeds = Feeds::default();
        for byte in bytes {
            self.take_byte(*byte, now, &mut feeds);
        }
        feeds
    }

    fn take_byte(&mut self, byte: u8, now: Instant, feeds: &mut Feeds) {
        match self {
            Self::Prefix(count) if DEADLINE_PROTOCOL.get(*count) == Some(&byte) => {
                *count += 1;
                if *count == DEADLINE_PROTOCOL.len() {
                    *self = Self::Frames { begun: Vec::with_capacity(FRAME_BYTES), leaves: false };
                }
            }
            Self::Prefix(_) => {
                feeds.fed = true;
                *self = Self::Bytes { leaves: byte == LEAVE };
            }
            Self::Bytes { leaves } => {
                feeds.fed = true;
                *leaves = byte == LEAVE;
            }
            Self::Frames { begun, leaves } => {
                if begun.is_empty() && byte != FEED {
                    *leaves = byte == LEAVE;
                    return;
                }
                *leaves = false;
                begun.push(byte);
                if let Some(deadline) = deadline(begun) {
                    begun.clear();
                    if now <= deadline { feeds.fed = true } else { feeds.late = true }
                }
            }
        }
    }

    fn leaves(&self) -> bool {
        match self {
            Self::Prefix(_) => false,
            Self::Bytes { leaves } | Self::Frames { leaves, .. } => *leaves,
        }
    }
}

/// The deadline of a frame that is complete.
fn deadline(frame: &[u8]) -> Option<Instant> {
    let bytes: [u8; 8] = frame.get(1..)?.try_into().ok()?;
    Some(Instant::after_start(Duration::from_nanos(u64::from_be_bytes(bytes))))
}

impl<D: Device> Multiplexer<D> {
    /// More connections than that in one turn wait for the next one.
    const ACCEPTS_A_TURN: usize = 16;
    /// More clients than that are turned away.
    const MOST_CLIENTS: usize = 1024;
    /// A turn with something to read takes at least so long, so that a flood costs little.
    const PAUSE: Duration = Duration::from_millis(1);

    /// Begins to listen, then makes the device. The device is armed from then on.
    ///
    /// # Errors
    ///
    /// If the socket can't be made, or a predecessor died with clients; the device is not made then.
    pub fn start<E: From<MultiplexerError>>(
        settings: MultiplexerSettings,
        device: impl FnOnce() -> Result<D, E>,
    ) -> Result<Self, E> {
        if let Some(marker) = &settings.marker
            && marker.exists()
        {
            return Err(MultiplexerError::PredecessorDied(marker.clone()).into());
        }
        let listener = listen(&settings.socket)?;
        let next_feed = clock::instant().after(settings.interval);
        Ok(Self { settings, listener, device: device()?, clients: Vec::new(), failed: false, next_feed })
    }

    /// The number of clients.
    #[must_use]
    pub fn clients(&self) -> usize {
        self.clients.len()
    }

    /// Whether it has stopped feeding for good.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.failed
    }

    /// Serves the clients, and feeds the device when it is time to. Returns within the interval.
    pub fn turn(&mut self, sink: &mut dyn FnMut(MultiplexerEvent)) {
        let readable = self.wait();
        let before = self.clients.len();
        self.read(&readable, sink);
        self.accept(readable.first().copied().unwrap_or(false));
        self.keep_marker(before, sink);
        self.feed_if_due(sink);
        if readable.contains(&true) {
            thread::sleep(Self::PAUSE);
        }
    }

    /// Ends it: without clients the device is closed; with clients, or after one has failed, it is left armed.
    pub fn stop(mut self, sink: &mut dyn FnMut(MultiplexerEvent)) {
        if self.clients.is_empty() && !self.failed {
            if let Err(error) = self.device.close() {
                sink(MultiplexerEvent::FeedFailed(error.to_string()));
            }
            let _ = fs::remove_file(&self.settings.socket);
        }
    }

    /// Waits until there is something to read or it is time to feed: says for the listener, then for every client, whether
    /// there is something.
    fn wait(&self) -> Vec<bool> {
        let wait = self.next_feed.since(clock::instant());
        let milliseconds = u16::try_from(wait.as_millis()).unwrap_or(u16::MAX);
        let sources = [self.listener.as_fd()].into_iter().chain(self.clients.iter().map(|c| c.connection.as_fd()));
        let mut sources: Vec<PollFd<'_>> = sources.map(|source| PollFd::new(source, PollFlags::POLLIN)).collect();
        if poll(&mut sources, PollTimeout::from(milliseconds)).is_err() {
            // Interrupted by a signal: there is a next turn.
            return Vec::new();
        }
        sources.iter().map(|source| source.any().unwrap_or(true)).collect()
    }

    fn accept(&mut self, something_waits: bool) {
        if !something_waits {
            return;
        }
        for _ in 0..Self::ACCEPTS_A_TURN {
            // Also where no file is left to be opened: those who are here are looked after.
            let Ok((connection, _)) = self.listener.accept() else { return };
            let prepared = connection.set_nonblocking(true);
            if prepared.is_err() || self.clients.len() >= Self::MOST_CLIENTS {
                continue;
            }
            let pid = getsockopt(&connection, PeerCredentials).map_or(0, |credentials| credentials.pid());
            let fed = clock::instant();
            self.clients.push(Client { connection, pid, fed, warned: false, received: Received::Prefix(0) });
        }
    }

    /// Reads once from each client that has sent something.
    fn read(&mut self, readable: &[bool], sink: &mut dyn FnMut(MultiplexerEvent)) {
        let mut buffer = [0; 512];
        let mut readable = readable.iter().skip(1);
        let mut vanished = false;
        self.clients.retain_mut(|client| {
            if readable.next() != Some(&true) {
                return true;
            }
            match client.connection.read(&mut buffer) {
                Ok(count) if count > 0 => {
                    let now = clock::instant();
                    let feeds = client.received.take(buffer.get(..count).unwrap_or_default(), now);
                    if feeds.fed {
                        client.fed = now;
                        client.warned = false;
                    }
                    if feeds.late {
                        sink(MultiplexerEvent::LateFeed { pid: client.pid });
                    }
                    true
                }
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => true,
                Ok(_) | Err(_) => {
                    if !client.received.leaves() {
                        vanished = true;
                        sink(MultiplexerEvent::Vanished { pid: client.pid });
                    }
                    false
                }
            }
        });
        self.failed |= vanished;
    }

    fn feed_if_due(&mut self, sink: &mut dyn FnMut(MultiplexerEvent)) {
        let now = clock::instant();
        if now < self.next_feed {
            return;
        }
        self.next_feed = now.after(self.settings.interval);
        if self.failed {
            return;
        }
        for client in &mut self.clients {
            let left = self.settings.client_timeout.saturating_sub(now.since(client.fed));
            if left.is_zero() {
                self.failed = true;
                sink(MultiplexerEvent::Expired { pid: client.pid });
            } else if left <= self.settings.warning && !client.warned {
                client.warned = true;
                sink(MultiplexerEvent::Warning { pid: client.pid, left });
            }
        }
        if !self.failed
            && let Err(error) = self.device.feed()
        {
            sink(MultiplexerEvent::FeedFailed(error.to_string()));
        }
    }

    /// The marker is there from the first client to the last one that left as it should.
    fn keep_marker(&mut self, before: usize, sink: &mut dyn FnMut(MultiplexerEvent)) {
        let Some(marker) = &self.settings.marker else { return };
        let changed = match (before, self.clients.len()) {
            (0, 1..) => File::create(marker).map(drop),
            (1.., 0) if !self.failed => fs::remove_file(marker),
            _ => Ok(()),
        };
        if let Err(error) = changed {
            sink(MultiplexerEvent::MarkerFailed(error.to_string()));
        }
    }
}

/// Listens on a socket that only the owner may use.
fn listen(path: &Path) -> Result<UnixListener, MultiplexerError> {
    if UnixStream::connect(path).is_ok() {
        return Err(MultiplexerError::InUse(path.to_owned()));
    }
    let listener = || -> io::Result<UnixListener> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let listener = UnixListener::bind(path)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    };
    listener().map_err(|source| MultiplexerError::Socket { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(deadline_s: u64) -> Vec<u8> {
        let nanoseconds = deadline_s * 1_000_000_000;
        [&[FEED][..], &nanoseconds.to_be_bytes()].concat()
    }

    #[test]
    fn any_byte_of_a_plain_client_is_a_feed_and_the_last_one_says_whether_it_leaves() {
        let now = Instant::from_secs(5);
        let mut received = Received::Prefix(0);
        assert!(received.take(b"\0", now).fed);
        assert!(received.take(b"V", now).fed && received.leaves());
        assert!(received.take(b"x", now).fed && !received.leaves(), "it was not the last one");
        let mut hesitant = Received::Prefix(0);
        assert!(!hesitant.take(b"ha-", now).fed, "may still become a client with deadlines");
        assert!(hesitant.take(b"V", now).fed && hesitant.leaves());
    }

    #[test]
    fn a_feed_counts_only_until_its_deadline_however_it_is_cut_up() {
        let now = Instant::from_secs(5);
        let mut received = Received::Prefix(0);
        let bytes = [&DEADLINE_PROTOCOL[..], &frame(5), &frame(4)].concat();
        let feeds: Vec<Feeds> = bytes.iter().map(|byte| received.take(&[*byte], now)).collect();
        assert_eq!(feeds.iter().filter(|feeds| feeds.fed).count(), 1);
        assert!(feeds.last().unwrap().late);
        assert!(received.take(b"V", now) == Feeds::default() && received.leaves());
    }
}
