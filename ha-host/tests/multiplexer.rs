//! The multiplexer under clients that are up to no good.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::{
    io::{self, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use common::Sandbox;
use ha_core::host::{FeedOutcome, Watchdog};
use ha_host::{
    clock,
    watchdog::{Device, MultiplexedWatchdog, Multiplexer, MultiplexerError, MultiplexerEvent, MultiplexerSettings},
};

const CLIENT_TIMEOUT: Duration = Duration::from_millis(1000);
const INTERVAL: Duration = Duration::from_millis(50);
/// What the machine may be late by.
const SLACK: Duration = Duration::from_millis(400);

#[derive(Debug, Default)]
struct Seen {
    last_feed: Option<Instant>,
    closed: bool,
    events: Vec<MultiplexerEvent>,
}

#[derive(Clone, Default)]
struct FakeDevice(Arc<Mutex<Seen>>);

impl Device for FakeDevice {
    fn feed(&mut self) -> io::Result<()> {
        self.0.lock().unwrap().last_feed = Some(Instant::now());
        Ok(())
    }

    fn close(&mut self) -> io::Result<()> {
        self.0.lock().unwrap().closed = true;
        Ok(())
    }
}

/// A multiplexer in a thread.
struct Running {
    socket: PathBuf,
    device: FakeDevice,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    _sandbox: Sandbox,
}

fn settings(directory: &Path) -> MultiplexerSettings {
    MultiplexerSettings {
        socket: directory.join("socket"),
        marker: Some(directory.join("marker")),
        client_timeout: CLIENT_TIMEOUT,
        interval: INTERVAL,
        warning: Duration::from_millis(300),
    }
}

impl Running {
    fn start() -> Self {
        let sandbox = Sandbox::empty("mux");
        let settings = settings(&sandbox.directory);
        let socket = settings.socket.clone();
        let (device, stop) = (FakeDevice::default(), Arc::new(AtomicBool::new(false)));
        let made = Ok::<_, MultiplexerError>(device.clone());
        let mut multiplexer = Multiplexer::start(settings, || made).unwrap();
        let thread = thread::spawn({
            let (device, stop) = (device.clone(), stop.clone());
            move || {
                let mut sink = |event| device.0.lock().unwrap().events.push(event);
                while !stop.load(Ordering::SeqCst) {
                    multiplexer.turn(&mut sink);
                }
                multiplexer.stop(&mut sink);
            }
        });
        Self { socket, device, stop, thread: Some(thread), _sandbox: sandbox }
    }

    fn connect(&self) -> UnixStream {
        UnixStream::connect(&self.socket).unwrap()
    }

    /// Lets it run, then says when the device was fed last.
    fn last_feed_after(&self, wait: Duration) -> Instant {
        thread::sleep(wait);
        self.device.0.lock().unwrap().last_feed.unwrap()
    }

    fn is_fed(&self) -> bool {
        self.last_feed_after(INTERVAL * 4).elapsed() < INTERVAL * 4
    }

    fn end(mut self) -> (bool, Vec<MultiplexerEvent>) {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.take().unwrap().join().unwrap();
        let seen = self.device.0.lock().unwrap();
        (seen.closed, seen.events.clone())
    }
}

/// A client that was fed last at `since` must be seen to have expired in time.
fn assert_expires(running: &Running, since: Instant) {
    let last_feed = running.last_feed_after(CLIENT_TIMEOUT + SLACK * 2) - since;
    assert!(
        last_feed <= CLIENT_TIMEOUT + INTERVAL + SLACK,
        "the device was fed {last_feed:?} after the client's last feed"
    );
    assert!(last_feed >= CLIENT_TIMEOUT - INTERVAL * 2 - SLACK, "it was given up after {last_feed:?}");
}

#[test]
fn a_client_that_stops_feeding_is_seen_under_a_flood_and_200_idle_connections() {
    let running = Running::start();
    let mut quiet = running.connect();
    quiet.write_all(b"\0").unwrap();
    let since = Instant::now();
    let flood_ends = Arc::new(AtomicBool::new(false));
    let flood: Vec<_> = (0..2)
        .map(|_| {
            let (mut client, ends) = (running.connect(), flood_ends.clone());
            thread::spawn(move || {
                while !ends.load(Ordering::SeqCst) {
                    let _ = client.write_all(&[0; 65536]);
                }
                client
            })
        })
        .collect();
    // So late that their own end could not be taken for that of the first one.
    thread::sleep(CLIENT_TIMEOUT * 6 / 10);
    let idle: Vec<UnixStream> = (0..200).map(|_| running.connect()).collect();
    assert_expires(&running, since);
    flood_ends.store(true, Ordering::SeqCst);
    let clients: Vec<_> = flood.into_iter().map(|thread| thread.join().unwrap()).collect();
    drop((quiet, idle, clients));
    let (closed, _) = running.end();
    assert!(!closed, "an expired client leaves the device armed");
}

#[test]
fn clients_that_connect_without_end_keep_nobody_from_being_seen() {
    let running = Running::start();
    let mut quiet = running.connect();
    quiet.write_all(b"\0").unwrap();
    let since = Instant::now();
    let socket = running.socket.clone();
    let ends = Arc::new(AtomicBool::new(false));
    let stormy = thread::spawn({
        let ends = ends.clone();
        move || {
            while !ends.load(Ordering::SeqCst) {
                if let Ok(mut client) = UnixStream::connect(&socket) {
                    let _ = client.write_all(b"V");
                }
            }
        }
    });
    assert_expires(&running, since);
    ends.store(true, Ordering::SeqCst);
    stormy.join().unwrap();
}

#[test]
fn a_client_that_vanishes_ends_the_feeding_at_once() {
    let running = Running::start();
    let mut client = running.connect();
    client.write_all(b"\0\0").unwrap();
    assert!(running.is_fed());
    drop(client);
    let vanished = Instant::now();
    let last_feed = running.last_feed_after(INTERVAL * 6);
    assert!(last_feed < vanished + INTERVAL * 2 + SLACK / 2);
    let (closed, events) = running.end();
    assert!(!closed && matches!(events[..], [MultiplexerEvent::Vanished { .. }]), "{events:?}");
}

#[test]
fn a_client_that_leaves_as_it_should_leaves_no_trace() {
    let running = Running::start();
    let mut client = running.connect();
    client.write_all(b"\0V").unwrap();
    drop(client);
    assert!(running.is_fed());
    let marker = settings(running.socket.parent().unwrap()).marker.unwrap();
    assert!(!marker.exists());
    let (closed, events) = running.end();
    assert!(closed && events.is_empty(), "{events:?}");
}

#[test]
fn with_clients_a_stop_leaves_the_device_armed_and_no_successor_starts() {
    let running = Running::start();
    let settings = settings(running.socket.parent().unwrap());
    let _client = running.connect();
    assert!(running.is_fed());
    let second = Multiplexer::<FakeDevice>::start(settings.clone(), || Ok(FakeDevice::default()));
    assert!(matches!(second, Err(MultiplexerError::PredecessorDied(_))), "its marker is there");
    let sandbox_marker = settings.marker.clone().unwrap();
    running.stop.store(true, Ordering::SeqCst);
    thread::sleep(INTERVAL * 4);
    assert!(!running.device.0.lock().unwrap().closed);
    assert!(sandbox_marker.exists());
}

#[test]
fn the_clients_own_watchdog_feeds_in_time_and_never_late() {
    let running = Running::start();
    let mut watchdog = MultiplexedWatchdog::new(&running.socket);
    let soon = || clock::instant().after(Duration::from_millis(500));
    let past = clock::instant();
    thread::sleep(Duration::from_millis(2));
    assert_eq!(watchdog.open(past), Ok(FeedOutcome::TooLate));
    assert!(watchdog.feed(soon()).is_err(), "it is not open");
    assert_eq!(watchdog.open(soon()), Ok(FeedOutcome::Fed));
    for _ in 0..6 {
        thread::sleep(CLIENT_TIMEOUT / 4);
        assert_eq!(watchdog.feed(soon()), Ok(FeedOutcome::Fed));
    }
    assert_eq!(watchdog.feed(past), Ok(FeedOutcome::TooLate));
    assert!(running.is_fed());
    watchdog.close().unwrap();
    assert!(running.is_fed());
    assert_eq!(watchdog.open(soon()), Ok(FeedOutcome::Fed), "it can be opened again");
    watchdog.close().unwrap();
    thread::sleep(INTERVAL * 2);
    let (closed, events) = running.end();
    assert!(closed && events.is_empty(), "{events:?}");
}

/// As from a process that was stopped between its look at the clock and the feed.
#[test]
fn a_feed_that_was_held_up_on_its_way_does_not_count() {
    let running = Running::start();
    let mut client = running.connect();
    let frame = |deadline: ha_core::time::Instant| {
        let nanoseconds = u64::try_from(deadline.since_start().as_nanos()).unwrap();
        [b"F".as_slice(), &nanoseconds.to_be_bytes()].concat()
    };
    client.write_all(b"ha-wd-1\n").unwrap();
    client.write_all(&frame(clock::instant().after(SLACK))).unwrap();
    let since = Instant::now();
    thread::sleep(CLIENT_TIMEOUT / 2);
    client.write_all(&frame(clock::instant())).unwrap();
    assert_expires(&running, since);
    drop(client);
    let (_, events) = running.end();
    assert!(events.iter().any(|event| matches!(event, MultiplexerEvent::LateFeed { .. })), "{events:?}");
    assert!(events.iter().any(|event| matches!(event, MultiplexerEvent::Expired { .. })), "{events:?}");
}
