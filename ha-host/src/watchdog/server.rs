//! A multiplexer on a socket, with a device.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read, Write},
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

use ha_core::{
    timing::Timings,
    watchdog::{ClientId, Effect, LEAVE, Multiplexer, MultiplexerEvent, MultiplexerTimings},
};
use nix::{
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::socket::{getsockopt, sockopt::PeerCredentials},
};

use super::Device;
use crate::os::{
    clock::{self, SleepWatch},
    files,
};

/// How a multiplexer works.
#[derive(Debug, Clone)]
pub struct MultiplexerSettings {
    /// Where it listens. Beside it, with `.lock` added to its name, is a file that is locked while it works.
    pub socket: PathBuf,
    /// A file that is there while there are clients. It must be on a file system that a reset empties, such as `/run`.
    pub marker: Option<PathBuf>,
    /// Its times.
    pub timings: MultiplexerTimings,
}

impl MultiplexerSettings {
    /// As these timings say, without a marker.
    #[must_use]
    pub fn new(socket: impl Into<PathBuf>, timings: &Timings) -> Self {
        Self { socket: socket.into(), marker: None, timings: MultiplexerTimings::of(timings) }
    }
}

/// Why a multiplexer does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MultiplexerError {
    /// A predecessor died while it had clients.
    #[error(
        "{0} says that a multiplexer died with clients: the node must be reset, and no new one may feed the watchdog. \
        Remove that file only if you know that nothing of the clients runs"
    )]
    PredecessorDied(PathBuf),
    /// Another one is at work, which was not disturbed.
    #[error("another multiplexer serves {0}")]
    InUse(PathBuf),
    /// The socket, or the file beside it, can't be made.
    #[error("cannot listen on {path}: {source}")]
    Socket {
        /// The socket.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// A [`Multiplexer`] with a socket and a device.
///
/// # Load
///
/// A turn reads once from each client and accepts a few connections, then looks at every client's time: whatever some
/// client sends or does not send, another one's end is seen within the interval.
#[derive(Debug)]
pub struct MultiplexerServer<D> {
    settings: MultiplexerSettings,
    /// Held as long as this one works: a second one does not even connect.
    _lock: File,
    listener: UnixListener,
    device: D,
    connections: BTreeMap<ClientId, UnixStream>,
    multiplexer: Multiplexer,
    sleep_watch: SleepWatch,
}

impl<D: Device> MultiplexerServer<D> {
    /// More connections than that in one turn wait for the next one.
    const ACCEPTS_A_TURN: usize = 16;
    /// How long a turn with something to read takes at least, so that a flood costs little.
    const PAUSE: Duration = Duration::from_millis(1);

    /// Begins to listen, then makes the device. The device is armed from then on.
    ///
    /// # Errors
    ///
    /// If another one is at work, a predecessor died with clients, or the socket can't be made; the device is not made then.
    pub fn start<E: From<MultiplexerError>>(
        settings: MultiplexerSettings,
        device: impl FnOnce() -> Result<D, E>,
    ) -> Result<Self, E> {
        let lock = become_the_only_one(&settings.socket)?;
        if let Some(marker) = &settings.marker
            && marker.exists()
        {
            return Err(MultiplexerError::PredecessorDied(marker.clone()).into());
        }
        let listener = listen(&settings.socket)?;
        let device = device().inspect_err(|_| {
            let _ = fs::remove_file(&settings.socket);
        })?;
        let multiplexer = Multiplexer::new(settings.timings, device.describe(), clock::instant());
        let (connections, sleep_watch) = (BTreeMap::new(), SleepWatch::default());
        Ok(Self { settings, _lock: lock, listener, device, connections, multiplexer, sleep_watch })
    }

    /// The device.
    #[must_use]
    pub fn device(&self) -> &D {
        &self.device
    }

    /// The number of clients that are guarded.
    #[must_use]
    pub fn clients(&self) -> usize {
        self.multiplexer.armed_clients()
    }

    /// Whether it has stopped feeding for good.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.multiplexer.has_failed()
    }

    /// Serves the clients, and feeds the device when it is time to. Returns within the interval. `sink` must not block: the
    /// device is not fed meanwhile.
    pub fn turn(&mut self, sink: &mut dyn FnMut(MultiplexerEvent)) {
        let readable = self.wait();
        self.read(&readable.clients);
        if readable.listener {
            self.accept();
        }
        self.work(sink);
        if self.sleep_watch.has_slept().is_some()
            && let Err(error) = self.device.rearm()
        {
            sink(MultiplexerEvent::DeviceFailed(error.to_string()));
        }
        self.multiplexer.tick(clock::instant());
        self.work(sink);
        if readable.listener || !readable.clients.is_empty() {
            thread::sleep(Self::PAUSE);
        }
    }

    /// Ends it: without clients the device is closed; with clients, or after one has failed, it is left armed.
    pub fn stop(mut self, sink: &mut dyn FnMut(MultiplexerEvent)) {
        if self.clients() == 0 && !self.has_failed() {
            if let Err(error) = self.device.close() {
                sink(MultiplexerEvent::DeviceFailed(error.to_string()));
            }
            let _ = fs::remove_file(&self.settings.socket);
        }
    }

    /// Waits until there is something to read or it is time to feed.
    fn wait(&self) -> Readable {
        let wait = self.multiplexer.next_tick().since(clock::instant());
        let milliseconds = u16::try_from(wait.as_millis()).unwrap_or(u16::MAX);
        let sources = [self.listener.as_fd()].into_iter().chain(self.connections.values().map(AsFd::as_fd));
        let mut sources: Vec<PollFd<'_>> = sources.map(|source| PollFd::new(source, PollFlags::POLLIN)).collect();
        if poll(&mut sources, PollTimeout::from(milliseconds)).is_err() {
            // Interrupted by a signal: there is a next turn.
            return Readable::default();
        }
        let mut readable = sources.iter().map(|source| source.any().unwrap_or(true));
        let listener = readable.next().unwrap_or(false);
        let clients = self.connections.keys().zip(readable).filter(|(_, readable)| *readable).map(|(id, _)| *id);
        Readable { listener, clients: clients.collect() }
    }

    fn accept(&mut self) {
        for _ in 0..Self::ACCEPTS_A_TURN {
            // Also where no file is left to be opened: those who are here are looked after.
            let Ok((connection, _)) = self.listener.accept() else { return };
            if connection.set_nonblocking(true).is_err() {
                continue;
            }
            let pid = getsockopt(&connection, PeerCredentials).map_or(0, |credentials| credentials.pid());
            if let Some(id) = self.multiplexer.connect(pid, clock::instant()) {
                self.connections.insert(id, connection);
            }
        }
    }

    /// Reads once from each client that has sent something.
    fn read(&mut self, readable: &[ClientId]) {
        let mut buffer = [0; 512];
        for id in readable {
            let Some(connection) = self.connections.get_mut(id) else { continue };
            match connection.read(&mut buffer) {
                Ok(count) if count > 0 => {
                    self.multiplexer.receive(*id, buffer.get(..count).unwrap_or_default(), clock::instant());
                }
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
                Ok(_) | Err(_) => {
                    self.connections.remove(id);
                    self.multiplexer.disconnected(*id);
                }
            }
        }
    }

    fn work(&mut self, sink: &mut dyn FnMut(MultiplexerEvent)) {
        while let Some(effect) = self.multiplexer.next_effect() {
            match effect {
                Effect::Send(id, bytes) => {
                    // It has room for these few bytes, or it does not read what it asked for.
                    let _ = self.connections.get_mut(&id).map(|connection| connection.write_all(&bytes));
                }
                Effect::Close(id) => drop(self.connections.remove(&id)),
                Effect::Mark => {
                    let made = self.mark(|marker| File::create(marker).map(drop), sink);
                    self.multiplexer.marked(made, clock::instant());
                }
                Effect::Unmark => {
                    self.mark(|marker| fs::remove_file(marker), sink);
                }
                Effect::Feed { not_after } => {
                    if clock::instant() <= not_after
                        && let Err(error) = self.device.feed()
                    {
                        sink(MultiplexerEvent::DeviceFailed(error.to_string()));
                    }
                }
                Effect::Hasten => {
                    if let Err(error) = self.device.hasten() {
                        sink(MultiplexerEvent::DeviceFailed(error.to_string()));
                    }
                }
                Effect::Report(event) => sink(event),
            }
        }
    }

    /// Changes the marker, if one is wanted. Says whether that was done.
    fn mark(&self, change: impl FnOnce(&Path) -> io::Result<()>, sink: &mut dyn FnMut(MultiplexerEvent)) -> bool {
        let Some(marker) = &self.settings.marker else { return true };
        let changed = change(marker);
        if let Err(error) = &changed {
            sink(MultiplexerEvent::MarkerFailed(format!("{}: {error}", marker.display())));
        }
        changed.is_ok()
    }
}

/// Where there is something to read.
#[derive(Debug, Default)]
struct Readable {
    listener: bool,
    clients: Vec<ClientId>,
}

/// Locks the file beside the socket.
fn become_the_only_one(socket: &Path) -> Result<File, MultiplexerError> {
    let path = socket.with_added_extension("lock");
    files::lock(&path, Duration::ZERO).map_err(|source| {
        let in_use = source.kind() == io::ErrorKind::TimedOut;
        if in_use { MultiplexerError::InUse(socket.to_owned()) } else { MultiplexerError::Socket { path, source } }
    })
}

/// Listens on a socket that only the owner may use.
fn listen(path: &Path) -> Result<UnixListener, MultiplexerError> {
    // One that knows no lock: it takes who connects for a client, which has to leave as it should.
    if let Ok(mut connection) = UnixStream::connect(path) {
        let _ = connection.write_all(&[LEAVE]);
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
