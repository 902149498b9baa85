//! The multiplexer under clients that are up to no good.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::{
    fs,
    io::{self, Read, Write},
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
use ha_core::{
    host::{FeedOutcome, Watchdog},
    watchdog::{LEAVE, MultiplexerEvent, MultiplexerTimings, Terms, feed, hello},
};
use ha_host::{
    os::clock,
    watchdog::{
        ConnectError, Device, MultiplexedWatchdog, MultiplexerError, MultiplexerServer, MultiplexerSettings,
        ask_multiplexer,
    },
};

const CLIENT_TIMEOUT: Duration = Duration::from_millis(1000);
const INTERVAL: Duration = Duration::from_millis(50);
/// How late the machine may be.
const SLACK: Duration = Duration::from_millis(400);
const TERMS: Terms = Terms { timeout: CLIENT_TIMEOUT, slack: SLACK };

#[derive(Debug, Default)]
struct Seen {
    last_feed: Option<Instant>,
    closed: bool,
    events: Vec<MultiplexerEvent>,
}

#[derive(Clone, Default)]
struct FakeDevice(Arc<Mutex<Seen>>);

impl Device for FakeDevice {
    fn describe(&self) -> String {
        "a fake".into()
    }

    fn rearm(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn hasten(&mut self) -> io::Result<()> {
        Ok(())
    }

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
        timings: MultiplexerTimings { terms: TERMS, interval: INTERVAL, warning: Duration::from_millis(300) },
    }
}

impl Running {
    fn start() -> Self {
        let sandbox = Sandbox::empty("mux");
        let settings = settings(&sandbox.directory);
        let socket = settings.socket.clone();
        let (device, stop) = (FakeDevice::default(), Arc::new(AtomicBool::new(false)));
        let made = Ok::<_, MultiplexerError>(device.clone());
        let mut multiplexer = MultiplexerServer::start(settings, || made).unwrap();
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

    /// A client that is armed, by its own bytes.
    fn client(&self) -> UnixStream {
        let mut client = self.connect();
        client.write_all(&hello(&TERMS, clock::instant())).unwrap();
        client.write_all(&feed(soon())).unwrap();
        let mut answered = Vec::new();
        while answered.last() != Some(&b'A') {
            let mut byte = [0];
            client.read_exact(&mut byte).unwrap();
            answered.push(byte[0]);
        }
        client
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

fn soon() -> ha_core::time::Instant {
    clock::instant().after(Duration::from_secs(10))
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
    let quiet = running.client();
    let since = Instant::now();
    let flood_ends = Arc::new(AtomicBool::new(false));
    let flood: Vec<_> = (0..2)
        .map(|_| {
            let (mut client, ends) = (running.client(), flood_ends.clone());
            let frames = feed(clock::instant().after(Duration::from_secs(60))).repeat(10_000);
            thread::spawn(move || {
                while !ends.load(Ordering::SeqCst) {
                    let _ = client.write_all(&frames);
                }
                client
            })
        })
        .collect();
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
    let _quiet = running.client();
    let since = Instant::now();
    let socket = running.socket.clone();
    let ends = Arc::new(AtomicBool::new(false));
    let stormy = thread::spawn({
        let ends = ends.clone();
        move || {
            while !ends.load(Ordering::SeqCst) {
                if let Ok(mut client) = UnixStream::connect(&socket) {
                    let _ = client.write_all(b"nonsense");
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
    let client = running.client();
    let marker = settings(running.socket.parent().unwrap()).marker.unwrap();
    assert!(running.is_fed() && marker.exists());
    drop(client);
    let vanished = Instant::now();
    let last_feed = running.last_feed_after(INTERVAL * 6);
    assert!(last_feed < vanished + INTERVAL * 2 + SLACK / 2);
    assert!(marker.exists(), "no successor may feed on");
    let (closed, events) = running.end();
    assert!(!closed && matches!(events[..], [MultiplexerEvent::Vanished { .. }]), "{events:?}");
}

#[test]
fn a_client_that_leaves_as_it_should_leaves_no_trace() {
    let running = Running::start();
    let mut client = running.client();
    client.write_all(&[LEAVE]).unwrap();
    drop(client);
    assert!(running.is_fed());
    let marker = settings(running.socket.parent().unwrap()).marker.unwrap();
    assert!(!marker.exists());
    let (closed, events) = running.end();
    assert!(closed && events.is_empty(), "{events:?}");
}

#[test]
fn with_clients_a_stop_leaves_the_device_armed_and_no_successor_starts() {
    let mut running = Running::start();
    let settings = settings(running.socket.parent().unwrap());
    let _client = running.client();
    assert!(running.is_fed());
    let marker = settings.marker.clone().unwrap();
    let Running { device, stop, thread, .. } = &mut running;
    stop.store(true, Ordering::SeqCst);
    thread.take().unwrap().join().unwrap();
    assert!(!device.0.lock().unwrap().closed && marker.exists());
    let second = MultiplexerServer::<FakeDevice>::start(settings, || Ok(FakeDevice::default()));
    assert!(matches!(second, Err(MultiplexerError::PredecessorDied(_))), "its marker is there");
}

#[test]
fn the_clients_own_watchdog_feeds_in_time_and_never_late() {
    let running = Running::start();
    let mut watchdog = MultiplexedWatchdog::new(&running.socket, TERMS);
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
    let mut client = running.client();
    let since = Instant::now();
    thread::sleep(CLIENT_TIMEOUT / 2);
    client.write_all(&feed(clock::instant())).unwrap();
    assert_expires(&running, since);
    drop(client);
    let (_, events) = running.end();
    assert!(events.iter().any(|event| matches!(event, MultiplexerEvent::LateFeed { .. })), "{events:?}");
    assert!(events.iter().any(|event| matches!(event, MultiplexerEvent::Expired { .. })), "{events:?}");
}

#[test]
fn who_only_connects_is_not_guarded_and_ends_nothing() {
    let running = Running::start();
    let mut late = running.connect();
    late.write_all(&hello(&TERMS, clock::instant())).unwrap();
    late.write_all(&feed(clock::instant())).unwrap();
    let silent = running.connect();
    thread::sleep(CLIENT_TIMEOUT + INTERVAL * 4);
    assert!(running.is_fed());
    drop((late, silent));
    assert!(running.is_fed());
    let (closed, events) = running.end();
    assert!(closed && matches!(events[..], [MultiplexerEvent::LateFeed { .. }]), "{events:?}");
}

#[test]
fn a_daemon_with_other_timings_hears_both_figures_when_it_opens() {
    let running = Running::start();
    let wanted = Terms { timeout: CLIENT_TIMEOUT * 3, slack: SLACK };
    let mut watchdog = MultiplexedWatchdog::new(&running.socket, wanted);
    let error = watchdog.open(soon()).unwrap_err().to_string();
    assert!(error.contains(&wanted.to_string()) && error.contains(&TERMS.to_string()), "{error}");
    assert!(matches!(ask_multiplexer(&running.socket, wanted), Err(ConnectError::Refused(_))));
    assert_eq!(ask_multiplexer(&running.socket, TERMS).unwrap(), "a fake");
    let (closed, events) = running.end();
    assert!(closed && events.iter().all(|event| matches!(event, MultiplexerEvent::Refused { .. })), "{events:?}");
}

/// As a client of the protocol before this one, and as a shell script that knows only bytes.
#[test]
fn clients_of_older_protocols_are_turned_away_and_end_nothing() {
    let running = Running::start();
    for bytes in [[b"ha-wd-1\n".as_slice(), &feed(soon())].concat(), b"\0".to_vec()] {
        let mut client = running.connect();
        client.write_all(&bytes).unwrap();
        let mut answer = Vec::new();
        // If nobody reads what it sent any more, the connection may end with a reset.
        let _ = client.read_to_end(&mut answer);
        assert!(answer.starts_with(b"ha-wd-2\n"), "{answer:?}");
    }
    assert!(running.is_fed());
    let (closed, events) = running.end();
    assert!(closed, "{events:?}");
    assert!(events.iter().any(|event| event.to_string().contains("different protocols")), "{events:?}");
}

/// A multiplexer of the version before this answers nothing, and takes what comes for feeds.
#[test]
fn an_older_multiplexer_is_left_as_it_should_be() {
    let sandbox = Sandbox::empty("mux-old");
    let path = sandbox.directory.join("socket");
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let old = thread::spawn(move || {
        let mut received = Vec::new();
        listener.accept().unwrap().0.read_to_end(&mut received).unwrap();
        received
    });
    let error = MultiplexedWatchdog::new(&path, TERMS).open(soon()).unwrap_err().to_string();
    assert!(error.contains("older version"), "{error}");
    assert_eq!(old.join().unwrap().last(), Some(&LEAVE), "or it would reset the node");
}

#[test]
fn a_second_multiplexer_does_not_disturb_the_first() {
    let running = Running::start();
    let settings = settings(running.socket.parent().unwrap());
    let start = || {
        MultiplexerServer::<FakeDevice>::start(settings.clone(), || -> Result<_, MultiplexerError> {
            panic!("the device is another one's")
        })
    };
    assert!(matches!(start(), Err(MultiplexerError::InUse(_))));
    let mut client = running.client();
    assert!(matches!(start(), Err(MultiplexerError::InUse(_))));
    assert!(running.is_fed());
    client.write_all(&feed(soon())).unwrap();
    client.write_all(&[LEAVE]).unwrap();
    drop(client);
    assert!(running.is_fed());
    let (closed, events) = running.end();
    assert!(closed && events.is_empty(), "{events:?}");
}

#[test]
fn nobody_is_guarded_where_the_marker_can_not_be_written() {
    let running = Running::start();
    let marker = settings(running.socket.parent().unwrap()).marker.unwrap();
    fs::create_dir(&marker).unwrap();
    let error = MultiplexedWatchdog::new(&running.socket, TERMS).open(soon()).unwrap_err().to_string();
    assert!(error.contains("cannot write down"), "{error}");
    assert!(running.is_fed());
}
