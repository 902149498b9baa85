//! What a multiplexer decides.

use alloc::{
    collections::{BTreeMap, VecDeque},
    string::String,
    vec::Vec,
};
use core::{fmt, time::Duration};

use super::{Answer, FEED, FRAME_BYTES, GREETING, HELLO_BYTES, LEAVE, Refusal, Terms, time_at};
use crate::{event::Severity, time::Instant, timing::Timings};

/// The times of a multiplexer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MultiplexerTimings {
    /// What its clients may count on.
    pub terms: Terms,
    /// How often it looks at its clients and feeds the device.
    pub interval: Duration,
    /// How long before a client expires there is a warning.
    pub warning: Duration,
}

impl MultiplexerTimings {
    /// The shortest interval, where the timings are made for daemons with a device of their own.
    const SHORTEST_INTERVAL: Duration = Duration::from_millis(10);

    /// As these timings say.
    #[must_use]
    pub fn of(timings: &Timings) -> Self {
        let interval = timings.multiplexer_interval().max(Self::SHORTEST_INTERVAL);
        let device = timings.device_timeout().saturating_add(timings.device_granularity());
        let terms = Terms { timeout: timings.watchdog_timeout(), slack: interval.saturating_add(device) };
        Self { terms, interval, warning: timings.multiplexer_warning() }
    }
}

/// Names a connection of a multiplexer; never the same one twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(u64);

/// What the one who runs a multiplexer has to do, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Send these bytes to a client, without waiting for it. If that fails the connection ends by itself.
    Send(ClientId, Vec<u8>),
    /// Close a connection, of which nothing is known any more.
    Close(ClientId),
    /// Write down, where it survives a crash and not a reset, that there are clients; then say by [`Multiplexer::marked`] whether that
    /// was done.
    Mark,
    /// Take that away again: all have left.
    Unmark,
    /// Feed the device, if it is not later than that. Compare the clock as the last step before it: what the multiplexer saw of its
    /// clients is too old then. If it is too late, do nothing, and call [`Multiplexer::tick`] again.
    Feed {
        /// The last moment.
        not_after: Instant,
    },
    /// The reset is overdue, as after a machine was suspended: have the device reset it as soon as it can.
    Hasten,
    /// Tell people.
    Report(MultiplexerEvent),
}

/// Something that a multiplexer wants people to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MultiplexerEvent {
    /// A client has not fed it for a long time.
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
    /// A feed came after its deadline and does not count. Told once until one does.
    LateFeed {
        /// The client's process.
        pid: i32,
    },
    /// Somebody was not served. Told at most once an interval.
    Refused {
        /// The client's process.
        pid: i32,
        /// Why.
        refusal: Refusal,
    },
    /// The device did not do what it was told.
    DeviceFailed(String),
    /// The marker could not be written or removed.
    MarkerFailed(String),
}

impl MultiplexerEvent {
    /// How bad it is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self {
            Self::Warning { .. } | Self::LateFeed { .. } | Self::Refused { .. } => Severity::Warning,
            Self::Expired { .. } | Self::Vanished { .. } | Self::DeviceFailed(_) | Self::MarkerFailed(_) => {
                Severity::Error
            }
        }
    }
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
            Self::Refused { pid, refusal } => write!(f, "process {pid} is not served: {refusal}"),
            Self::DeviceFailed(error) => write!(f, "the watchdog device does not do what it is told: {error}"),
            Self::MarkerFailed(error) => write!(f, "the marker could not be changed: {error}"),
        }
    }
}

/// How far a client has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// It has not said what it counts on.
    New,
    /// It may feed. Nothing guards it.
    Welcome,
    /// It has fed, at that moment, and is guarded as soon as that is written down.
    Arming(Instant),
    /// It was fed at that moment.
    Armed(Instant),
}

#[derive(Debug, Clone)]
struct Client {
    pid: i32,
    /// When it connected.
    since: Instant,
    phase: Phase,
    /// The beginning of what is not complete yet; never more than [`HELLO_BYTES`].
    begun: Vec<u8>,
    /// Whether the last thing that it said was that it leaves.
    leaves: bool,
    /// It has said something that is no frame: nothing more of it counts.
    confused: bool,
    warned: bool,
    late_told: bool,
}

/// Feeds a device as long as every client has fed it.
///
/// It holds its checks under any load: whoever runs it reads a bounded number of bytes of each client, then calls [`tick`](Self::tick).
///
/// Its effects are taken by [`next_effect`](Self::next_effect), after each call.
#[derive(Debug, Clone)]
pub struct Multiplexer {
    timings: MultiplexerTimings,
    /// What the device is, for people.
    device: String,
    clients: BTreeMap<ClientId, Client>,
    last_id: u64,
    /// Whether a client has expired or vanished: the device is not fed any more.
    failed: bool,
    /// Whether it is written down that there are clients.
    marked: bool,
    next_feed: Instant,
    refusal_told: Option<Instant>,
    effects: VecDeque<Effect>,
}

impl Multiplexer {
    /// More connections than that are not kept: the one that has waited longest without being armed goes.
    pub const MOST_CLIENTS: usize = 256;
    /// How long a connection may take to be armed.
    pub const PATIENCE: Duration = Duration::from_secs(10);

    /// One without clients, for a device that was armed just now.
    #[must_use]
    pub fn new(timings: MultiplexerTimings, device: impl Into<String>, now: Instant) -> Self {
        Self {
            timings,
            device: device.into(),
            clients: BTreeMap::new(),
            last_id: 0,
            failed: false,
            marked: false,
            next_feed: now.after(timings.interval),
            refusal_told: None,
            effects: VecDeque::new(),
        }
    }

    /// What must be done next.
    pub fn next_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// When [`tick`](Self::tick) must be called next.
    #[must_use]
    pub fn next_tick(&self) -> Instant {
        self.next_feed
    }

    /// How many clients it guards.
    #[must_use]
    pub fn armed_clients(&self) -> usize {
        self.clients.values().filter(|client| client.is_guarded()).count()
    }

    /// Whether it has stopped feeding for good.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.failed
    }

    /// Takes a connection. Nothing if there are too many that are armed.
    pub fn connect(&mut self, pid: i32, now: Instant) -> Option<ClientId> {
        if self.clients.len() >= Self::MOST_CLIENTS {
            let waits = self.clients.iter().filter(|(_, client)| !client.is_guarded());
            let oldest = waits.map(|(id, _)| *id).next()?;
            self.close(oldest);
        }
        self.last_id = self.last_id.checked_add(1)?;
        let id = ClientId(self.last_id);
        let client = Client {
            pid,
            since: now,
            phase: Phase::New,
            begun: Vec::new(),
            leaves: false,
            confused: false,
            warned: false,
            late_told: false,
        };
        self.clients.insert(id, client);
        Some(id)
    }

    /// Takes what a client has sent, read at `now`.
    pub fn receive(&mut self, id: ClientId, bytes: &[u8], now: Instant) {
        for byte in bytes {
            let Some(client) = self.clients.get_mut(&id) else { return };
            match client.take(*byte) {
                None => {}
                Some(Said::Hello(_, sent)) if sent > now || now.since(sent) > Self::PATIENCE => {
                    self.refuse(id, Refusal::Clock, now);
                }
                Some(Said::Hello(wanted, _)) => self.greet(id, wanted, now),
                Some(Said::Nonsense) if client.is_guarded() => client.confused = true,
                Some(Said::Nonsense) => self.refuse(id, Refusal::Protocol, now),
                Some(Said::Leaves) => client.leaves = true,
                Some(Said::Feed(not_after)) => self.feed(id, not_after, now),
            }
        }
    }

    /// A connection has ended.
    pub fn disconnected(&mut self, id: ClientId) {
        let Some(client) = self.clients.remove(&id) else { return };
        if matches!(client.phase, Phase::Armed(_)) && !client.leaves {
            self.failed = true;
            self.report(MultiplexerEvent::Vanished { pid: client.pid });
        }
        self.unmark_if_all_left();
    }

    /// Says whether it could be written down that there are clients, as [`Effect::Mark`] asks.
    pub fn marked(&mut self, done: bool, now: Instant) {
        self.marked |= done;
        for id in self.ids(|client| matches!(client.phase, Phase::Arming(_))) {
            if !done {
                self.refuse(id, Refusal::Marker, now);
            } else if let Some(client) = self.clients.get_mut(&id)
                && let Phase::Arming(fed) = client.phase
            {
                client.phase = Phase::Armed(fed);
                self.answer(id, &Answer::Armed);
            }
        }
        self.unmark_if_all_left();
    }

    /// Looks at every client's time, and has the device fed, if it is time to.
    pub fn tick(&mut self, now: Instant) {
        if now < self.next_feed {
            return;
        }
        self.next_feed = now.after(self.timings.interval);
        for id in self.ids(|client| !client.is_guarded() && now.since(client.since) > Self::PATIENCE) {
            self.close(id);
        }
        if !self.failed {
            self.look_at_clients(now);
        }
        if !self.failed {
            self.effects.push_back(Effect::Feed { not_after: self.next_feed });
        }
    }

    fn look_at_clients(&mut self, now: Instant) {
        let MultiplexerTimings { terms, warning, .. } = self.timings;
        for client in self.clients.values_mut() {
            let Phase::Armed(fed) = client.phase else { continue };
            let since = now.since(fed);
            let left = terms.timeout.saturating_sub(since);
            let pid = client.pid;
            if left.is_zero() {
                self.failed = true;
                self.effects.push_back(Effect::Report(MultiplexerEvent::Expired { pid }));
                if since > terms.timeout.saturating_add(terms.slack) {
                    self.effects.push_back(Effect::Hasten);
                }
            } else if left <= warning && !client.warned {
                client.warned = true;
                self.effects.push_back(Effect::Report(MultiplexerEvent::Warning { pid, left }));
            }
        }
    }

    fn greet(&mut self, id: ClientId, wanted: Terms, now: Instant) {
        let offered = self.timings.terms;
        if self.failed {
            return self.refuse(id, Refusal::Ending, now);
        }
        if !wanted.fit(&offered) {
            return self.refuse(id, Refusal::Terms { wanted, offered }, now);
        }
        if let Some(client) = self.clients.get_mut(&id) {
            client.phase = Phase::Welcome;
        }
        let device = self.device.clone();
        self.send(id, GREETING.iter().copied().chain(Answer::Welcome { offered, device }.bytes()).collect());
    }

    fn feed(&mut self, id: ClientId, not_after: Instant, now: Instant) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        let in_time = now <= not_after;
        let is_new = client.phase == Phase::Welcome;
        if !in_time {
            if !core::mem::replace(&mut client.late_told, true) {
                let pid = client.pid;
                self.report(MultiplexerEvent::LateFeed { pid });
            }
            if is_new {
                self.answer(id, &Answer::TooLate);
            }
            return;
        }
        client.late_told = false;
        client.warned = false;
        match client.phase {
            Phase::New => {}
            Phase::Welcome if self.failed => self.refuse(id, Refusal::Ending, now),
            Phase::Welcome if self.marked => {
                client.phase = Phase::Armed(now);
                self.answer(id, &Answer::Armed);
            }
            Phase::Welcome => {
                client.phase = Phase::Arming(now);
                self.effects.push_back(Effect::Mark);
            }
            Phase::Arming(_) => client.phase = Phase::Arming(now),
            Phase::Armed(_) => client.phase = Phase::Armed(now),
        }
    }

    fn refuse(&mut self, id: ClientId, refusal: Refusal, now: Instant) {
        let Some(client) = self.clients.get(&id) else { return };
        let (pid, is_new) = (client.pid, client.phase == Phase::New);
        if self.refusal_told.is_none_or(|told| now.since(told) >= self.timings.interval) {
            self.refusal_told = Some(now);
            self.report(MultiplexerEvent::Refused { pid, refusal });
        }
        let greeting = if is_new { GREETING.as_slice() } else { &[] };
        let answer = Answer::Refused(refusal).bytes();
        self.send(id, greeting.iter().copied().chain(answer).collect());
        self.close(id);
    }

    fn answer(&mut self, id: ClientId, answer: &Answer) {
        self.send(id, answer.bytes());
    }

    fn send(&mut self, id: ClientId, bytes: Vec<u8>) {
        self.effects.push_back(Effect::Send(id, bytes));
    }

    fn report(&mut self, event: MultiplexerEvent) {
        self.effects.push_back(Effect::Report(event));
    }

    fn close(&mut self, id: ClientId) {
        self.clients.remove(&id);
        self.effects.push_back(Effect::Close(id));
    }

    fn ids(&self, which: impl Fn(&Client) -> bool) -> Vec<ClientId> {
        self.clients.iter().filter(|(_, client)| which(client)).map(|(id, _)| *id).collect()
    }

    /// What is written down stays where a client has failed: no successor may feed on.
    fn unmark_if_all_left(&mut self) {
        if self.marked && !self.failed && self.armed_clients() == 0 {
            self.marked = false;
            self.effects.push_back(Effect::Unmark);
        }
    }
}

/// What a client has said.
enum Said {
    /// With what its clock showed.
    Hello(Terms, Instant),
    Feed(Instant),
    Leaves,
    /// Something that is in no protocol.
    Nonsense,
}

impl Client {
    fn is_guarded(&self) -> bool {
        match self.phase {
            Phase::New | Phase::Welcome => false,
            Phase::Arming(_) | Phase::Armed(_) => true,
        }
    }

    /// Takes a byte, and gives what is complete by it.
    fn take(&mut self, byte: u8) -> Option<Said> {
        if self.confused {
            return None;
        }
        self.leaves = false;
        if self.phase != Phase::New && self.begun.is_empty() {
            match byte {
                FEED => {}
                LEAVE => return Some(Said::Leaves),
                _ => return Some(Said::Nonsense),
            }
        }
        self.begun.push(byte);
        let (said, length) = if self.phase == Phase::New {
            let greeted = self.begun.iter().zip(GREETING).all(|(byte, expected)| byte == expected);
            if !greeted {
                return Some(Said::Nonsense);
            }
            (hello_of(&self.begun), HELLO_BYTES)
        } else {
            (time_at(&self.begun, 1).map(|not_after| Said::Feed(Instant::after_start(not_after))), FRAME_BYTES)
        };
        if self.begun.len() >= length {
            self.begun.clear();
        }
        said
    }
}

/// What a client says first; nothing as long as it is not complete.
fn hello_of(bytes: &[u8]) -> Option<Said> {
    let numbers = bytes.get(GREETING.len()..)?;
    let terms = Terms { timeout: time_at(numbers, 0)?, slack: time_at(numbers, 8)? };
    Some(Said::Hello(terms, Instant::after_start(time_at(numbers, 16)?)))
}

#[cfg(test)]
mod tests;
