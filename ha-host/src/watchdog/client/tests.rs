use std::{os::unix::net::UnixListener, thread};

use ha_core::{
    timing::Timings,
    watchdog::{Effect, Multiplexer, MultiplexerTimings},
};

use super::*;

/// A multiplexer that reads the first feed of its only client so much later.
fn serve(listener: &UnixListener, feed_read_after: Duration) {
    let (mut connection, _) = listener.accept().unwrap();
    let mut multiplexer = Multiplexer::new(MultiplexerTimings::of(&Timings::default()), "a device", clock::instant());
    let id = multiplexer.connect(1, clock::instant()).unwrap();
    let mut buffer = [0; 512];
    for late in [Duration::ZERO, feed_read_after] {
        let count = connection.read(&mut buffer).unwrap();
        multiplexer.receive(id, &buffer[..count], clock::instant().after(late));
        while let Some(effect) = multiplexer.next_effect() {
            match effect {
                Effect::Send(_, bytes) => connection.write_all(&bytes).unwrap(),
                Effect::Mark => multiplexer.marked(true, clock::instant()),
                Effect::Close(_) | Effect::Unmark | Effect::Feed { .. } | Effect::Hasten | Effect::Report(_) => {}
            }
        }
    }
}

#[test]
fn a_watchdog_is_open_only_when_the_multiplexer_says_that_its_first_feed_was_in_time() {
    for (late, expected) in [(0, FeedOutcome::Fed), (100, FeedOutcome::TooLate)] {
        let path = std::env::temp_dir().join(format!("ha-client-{late}-{}", std::process::id()));
        let listener = UnixListener::bind(&path).unwrap();
        let (outcome, open) = thread::scope(|scope| {
            scope.spawn(|| serve(&listener, Duration::from_secs(late)));
            let mut watchdog = MultiplexedWatchdog::new(&path, Terms::of(&Timings::default()));
            let outcome = watchdog.open(clock::instant().after(Duration::from_secs(10))).unwrap();
            (outcome, watchdog.connection.is_some())
        });
        std::fs::remove_file(&path).unwrap();
        assert_eq!((outcome, open), (expected, expected == FeedOutcome::Fed), "{late} s late");
    }
}

#[test]
fn a_feed_whose_deadline_is_over_is_not_sent() {
    let (mut here, mut there) = UnixStream::pair().unwrap();
    there.set_nonblocking(true).unwrap();
    let passed = clock::instant();
    while clock::instant() <= passed {}
    assert_eq!(send_feed(&mut here, passed).unwrap(), FeedOutcome::TooLate);
    assert!(there.read(&mut [0; 16]).is_err(), "nothing came");
    let in_time = clock::instant().after(Duration::from_secs(60));
    assert_eq!(send_feed(&mut here, in_time).unwrap(), FeedOutcome::Fed);
    assert_eq!(there.read(&mut [0; 16]).unwrap(), feed(in_time).len());
}
