use super::*;
use crate::watchdog::{self, Answers};
use std::{string::ToString, vec};

fn terms(timeout_s: u64, slack_s: u64) -> Terms {
    Terms { timeout: Duration::from_secs(timeout_s), slack: Duration::from_secs(slack_s) }
}

fn at(seconds: u64) -> Instant {
    Instant::from_secs(seconds)
}

/// A multiplexer of 60 s and 12 s, and what it did.
struct Bench {
    multiplexer: Multiplexer,
    /// Whether the marker can be written, and whether it is there.
    can_mark: bool,
    marker: bool,
    fed: Vec<Instant>,
    events: Vec<MultiplexerEvent>,
    answers: BTreeMap<ClientId, Vec<u8>>,
    closed: Vec<ClientId>,
    hastened: bool,
}

impl Bench {
    fn new() -> Self {
        let timings = MultiplexerTimings::of(&Timings::default());
        assert_eq!(timings.terms, terms(60, 12));
        Self {
            multiplexer: Multiplexer::new(timings, "a device", at(0)),
            can_mark: true,
            marker: false,
            fed: vec![],
            events: vec![],
            answers: BTreeMap::new(),
            closed: vec![],
            hastened: false,
        }
    }

    fn work(&mut self, now: Instant) {
        while let Some(effect) = self.multiplexer.next_effect() {
            match effect {
                Effect::Send(id, bytes) => self.answers.entry(id).or_default().extend(bytes),
                Effect::Close(id) => self.closed.push(id),
                Effect::Mark => {
                    self.marker |= self.can_mark;
                    self.multiplexer.marked(self.can_mark, now);
                }
                Effect::Unmark => self.marker = false,
                Effect::Feed { not_after } => {
                    assert!(now <= not_after && not_after <= self.multiplexer.next_tick(), "for one interval");
                    self.fed.push(now);
                }
                Effect::Hasten => self.hastened = true,
                Effect::Report(event) => self.events.push(event),
            }
        }
    }

    fn connect(&mut self, now: u64) -> ClientId {
        self.multiplexer.connect(7, at(now)).unwrap()
    }

    fn send(&mut self, id: ClientId, bytes: &[u8], now: u64) {
        self.multiplexer.receive(id, bytes, at(now));
        self.work(at(now));
    }

    fn feed(&mut self, id: ClientId, not_after: u64, now: u64) {
        self.send(id, &watchdog::feed(at(not_after)), now);
    }

    /// A client that was armed at that moment.
    fn armed(&mut self, now: u64) -> ClientId {
        let id = self.connect(now);
        self.send(id, &watchdog::hello(&terms(60, 12), at(now)), now);
        self.feed(id, now, now);
        assert_eq!(self.answered(id).last(), Some(&Answer::Armed));
        id
    }

    fn disconnect(&mut self, id: ClientId, now: u64) {
        self.multiplexer.disconnected(id);
        self.work(at(now));
    }

    fn pass(&mut self, from: u64, to: u64) {
        for now in from..=to {
            self.multiplexer.tick(at(now));
            self.work(at(now));
        }
    }

    fn answered(&self, id: ClientId) -> Vec<Answer> {
        let mut answers = Answers::new(terms(60, 12));
        answers.receive(self.answers.get(&id).map(Vec::as_slice).unwrap_or_default());
        core::iter::from_fn(|| answers.next_answer().unwrap()).collect()
    }
}

#[test]
fn a_client_is_armed_by_its_first_feed_that_is_in_time_and_by_nothing_else() {
    let mut bench = Bench::new();
    let (silent, greeted, late) = (bench.connect(0), bench.connect(0), bench.connect(0));
    for id in [greeted, late] {
        bench.send(id, &watchdog::hello(&terms(60, 12), at(0)), 0);
    }
    bench.feed(late, 4, 5);
    assert_eq!(bench.answered(late).last(), Some(&Answer::TooLate));
    assert_eq!((bench.multiplexer.armed_clients(), bench.marker), (0, false));
    bench.disconnect(greeted, 5);
    bench.pass(5, 200);
    assert!(!bench.multiplexer.has_failed(), "{:?}", bench.events);
    assert_eq!(bench.closed, [silent, late], "who waits too long before it feeds has to come again");

    let mut bench = Bench::new();
    let id = bench.armed(0);
    let welcome = Answer::Welcome { offered: terms(60, 12), device: "a device".into() };
    assert_eq!(bench.answered(id), [welcome, Answer::Armed]);
    assert!(bench.marker);
}

#[test]
fn a_client_that_does_not_feed_in_time_ends_the_feeding_of_the_device_for_good() {
    let mut bench = Bench::new();
    let (quiet, other) = (bench.armed(0), bench.armed(0));
    for now in 1..=80 {
        bench.feed(other, now + 1, now);
        bench.pass(now, now);
        if now == 30 {
            // This one was held up on its way, and so were the next ones.
            bench.feed(quiet, 29, now);
            bench.feed(quiet, 29, now);
        }
    }
    assert_eq!(bench.fed, (1..60).map(at).collect::<Vec<_>>());
    let left = Duration::from_secs(10);
    let events = [
        MultiplexerEvent::LateFeed { pid: 7 },
        MultiplexerEvent::Warning { pid: 7, left },
        MultiplexerEvent::Expired { pid: 7 },
    ];
    assert_eq!(bench.events, events);
    assert!(!bench.hastened, "the device runs out in time");
    bench.feed(quiet, 90, 81);
    bench.disconnect(quiet, 82);
    bench.send(other, &[LEAVE], 83);
    bench.disconnect(other, 83);
    bench.pass(83, 200);
    assert!(bench.multiplexer.has_failed() && bench.marker && bench.fed.last() == Some(&at(59)));
}

#[test]
fn a_client_that_vanishes_ends_the_feeding_at_once_and_the_marker_stays() {
    let mut bench = Bench::new();
    let (first, second) = (bench.armed(0), bench.armed(0));
    bench.pass(1, 1);
    bench.send(first, &[LEAVE], 1);
    bench.feed(first, 2, 2);
    bench.disconnect(first, 2);
    bench.pass(2, 10);
    assert_eq!(bench.events, [MultiplexerEvent::Vanished { pid: 7 }], "it fed again after it had said that it leaves");
    assert_eq!(bench.fed, [at(1)]);
    bench.send(second, &[LEAVE], 3);
    bench.disconnect(second, 3);
    assert!(bench.marker, "no successor may feed on, though nobody is left");
    assert_eq!(bench.multiplexer.armed_clients(), 0);
}

#[test]
fn clients_that_leave_as_they_should_leave_no_trace() {
    let mut bench = Bench::new();
    let (first, second) = (bench.armed(0), bench.armed(0));
    bench.send(first, &[LEAVE], 1);
    bench.disconnect(first, 1);
    assert!(bench.marker, "the other one is there");
    bench.send(second, &[LEAVE], 1);
    bench.disconnect(second, 1);
    bench.pass(1, 100);
    assert_eq!((bench.marker, bench.fed.len()), (false, 100));
    assert!(bench.events.is_empty(), "{:?}", bench.events);
    bench.armed(100);
    assert!(bench.marker, "and it begins again");
}

#[test]
fn what_does_not_fit_is_refused_with_the_figures_of_both() {
    for (wanted, fits) in [
        (terms(60, 12), true),
        (terms(60, 13), true),
        (terms(60, 11), false),
        (terms(59, 12), false),
        (terms(61, 12), false),
        (Terms::of(&crate::timing::TimingSettings::fast().validate().unwrap()), false),
    ] {
        let mut bench = Bench::new();
        let id = bench.connect(0);
        bench.send(id, &watchdog::hello(&wanted, at(0)), 0);
        bench.feed(id, 9, 0);
        assert_eq!((bench.multiplexer.armed_clients() == 1, bench.closed.is_empty()), (fits, fits), "{wanted}");
        bench.disconnect(id, 0);
        assert_eq!(bench.multiplexer.has_failed(), fits, "{wanted}");
    }
    let mut bench = Bench::new();
    let id = bench.connect(0);
    bench.send(id, &watchdog::hello(&terms(3, 2), at(0)), 0);
    let told = bench.events[0].to_string();
    for figure in ["a timeout of 3 s and a slack of 2 s", "a timeout of 60 s and a slack of 12 s"] {
        assert!(told.contains(figure), "{told}");
    }
    assert!(
        matches!(bench.answered(id)[..], [Answer::Refused(Refusal::Terms { offered, .. })] if offered == terms(60, 12))
    );
}

#[test]
fn who_speaks_another_protocol_is_not_served_and_does_no_harm() {
    let old = [b"ha-wd-1\n".as_slice(), &watchdog::feed(at(9))].concat();
    for bytes in [&old[..], b"\0", b"V", b"ha-wd-3\nsomething else", &[0; 65536]] {
        let mut bench = Bench::new();
        let id = bench.connect(0);
        for part in bytes.chunks(3) {
            bench.send(id, part, 0);
        }
        assert_eq!(bench.closed, [id]);
        assert_eq!(bench.answered(id), [Answer::Refused(Refusal::Protocol)]);
        assert_eq!(bench.events, [MultiplexerEvent::Refused { pid: 7, refusal: Refusal::Protocol }]);
        bench.disconnect(id, 0);
        bench.pass(1, 200);
        assert!(!bench.multiplexer.has_failed() && !bench.marker);
    }
}

#[test]
fn a_client_by_another_clock_is_refused() {
    for (clock, fits) in [(1_000, true), (995, true), (1_001, false), (989, false), (50_000, false), (0, false)] {
        let mut bench = Bench::new();
        let id = bench.connect(1_000);
        bench.send(id, &watchdog::hello(&terms(60, 12), at(clock)), 1_000);
        assert_eq!(bench.closed.is_empty(), fits, "{clock}");
        assert_eq!(bench.answered(id).last() == Some(&Answer::Refused(Refusal::Clock)), !fits, "{clock}");
    }
}

#[test]
fn frames_that_come_in_pieces_count_as_whole_ones() {
    let mut bench = Bench::new();
    let id = bench.connect(0);
    let bytes = [&watchdog::hello(&terms(60, 12), at(5))[..], &watchdog::feed(at(5)), &watchdog::feed(at(4)), &[LEAVE]]
        .concat();
    for byte in bytes {
        bench.send(id, &[byte], 5);
    }
    assert_eq!(bench.multiplexer.armed_clients(), 1);
    assert_eq!(bench.events, [MultiplexerEvent::LateFeed { pid: 7 }]);
    bench.disconnect(id, 5);
    assert!(!bench.multiplexer.has_failed());
}

#[test]
fn an_armed_client_that_talks_nonsense_does_not_feed_any_more() {
    let mut bench = Bench::new();
    let id = bench.armed(0);
    bench.send(id, b"X", 10);
    bench.feed(id, 100, 20);
    bench.pass(1, 60);
    assert_eq!(bench.events.last(), Some(&MultiplexerEvent::Expired { pid: 7 }));
}

#[test]
fn nobody_is_guarded_where_that_can_not_be_written_down() {
    let mut bench = Bench::new();
    bench.can_mark = false;
    let id = bench.connect(0);
    bench.send(id, &watchdog::hello(&terms(60, 12), at(0)), 0);
    bench.feed(id, 1, 0);
    assert_eq!(bench.answered(id).last(), Some(&Answer::Refused(Refusal::Marker)));
    assert_eq!((bench.closed.as_slice(), bench.multiplexer.armed_clients()), (&[id][..], 0));
    bench.can_mark = true;
    bench.armed(1);
}

#[test]
fn nobody_is_guarded_by_a_device_that_is_not_fed_any_more() {
    let mut bench = Bench::new();
    let (waiting, id) = (bench.connect(0), bench.armed(0));
    bench.send(waiting, &watchdog::hello(&terms(60, 12), at(0)), 0);
    bench.disconnect(id, 1);
    bench.feed(waiting, 9, 1);
    let late = bench.connect(1);
    bench.send(late, &watchdog::hello(&terms(60, 12), at(1)), 1);
    for id in [waiting, late] {
        assert_eq!(bench.answered(id).last(), Some(&Answer::Refused(Refusal::Ending)));
    }
    assert_eq!(bench.multiplexer.armed_clients(), 0);
}

#[test]
fn connections_without_end_push_out_only_who_is_not_armed() {
    let mut bench = Bench::new();
    let armed: Vec<ClientId> = (0..5).map(|_| bench.armed(0)).collect();
    let oldest = bench.connect(0);
    for _ in 0..Multiplexer::MOST_CLIENTS {
        bench.connect(0);
    }
    bench.work(at(0));
    assert_eq!(bench.closed.first(), Some(&oldest));
    assert!(armed.iter().all(|id| !bench.closed.contains(id)));
    bench.pass(1, 100);
    assert_eq!(bench.fed.len(), 59, "their time is looked at all the same");

    let mut bench = Bench::new();
    for _ in 0..Multiplexer::MOST_CLIENTS {
        bench.armed(0);
    }
    assert_eq!(bench.multiplexer.connect(7, at(0)), None);
}

#[test]
fn after_a_pause_in_which_the_reset_became_overdue_it_is_hastened() {
    let mut bench = Bench::new();
    bench.armed(0);
    bench.pass(1, 5);
    bench.pass(72, 72);
    assert!(!bench.hastened, "the device has its own time");
    let mut bench = Bench::new();
    bench.armed(0);
    bench.pass(1, 5);
    bench.pass(3_600, 3_600);
    assert!(bench.hastened);
    assert_eq!(bench.fed.last(), Some(&at(5)));
}

#[test]
fn a_client_that_went_after_it_had_talked_nonsense_has_vanished() {
    for said in [&b"x"[..], b"xV", b"FV"] {
        let mut bench = Bench::new();
        let id = bench.armed(1);
        bench.send(id, said, 2);
        bench.multiplexer.disconnected(id);
        bench.work(at(2));
        assert!(bench.multiplexer.has_failed() && bench.marker, "{said:?}");
    }
}
