//! A multiplexer on a node, between the daemons and the watchdog device: the real one, with virtual connections, and a device that
//! resets the node.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use ha_core::{
    host::{FeedOutcome, HostError},
    id::NodeName,
    time::Instant,
    timing::Timings,
    watchdog::{Answer, Answers, ClientId, Effect, LEAVE, Multiplexer, MultiplexerTimings, Terms, feed, hello},
};

use super::{Careless, Clock, DaemonKind, Node, World};

/// How many times longer the timeout of another cluster is.
const LONGER: u32 = 3;

/// The multiplexer of a node and its device.
#[derive(Debug, Clone)]
pub struct NodeMultiplexer {
    /// Nothing while its process does not run.
    process: Option<Multiplexer>,
    /// What it is started with.
    timings: MultiplexerTimings,
    /// What daemons count on, and what it must be started with.
    right: MultiplexerTimings,
    device_timeout: Duration,
    device_granularity: Duration,
    /// The connections of the daemons.
    clients: BTreeMap<DaemonKind, ClientId>,
    /// What daemons sent and it has not read yet, each with when it can.
    on_their_way: VecDeque<(Instant, ClientId, Frame)>,
    /// How long what they send takes to arrive.
    delay: Duration,
    /// When the device resets the node.
    device: Option<Instant>,
    /// Whether it is written down that there are clients.
    marker: bool,
    /// A client went without a word, whether that was read or not.
    deserted: bool,
    /// It was stopped by a signal.
    paused: bool,
    /// How long its next feed of the device takes.
    stall: Option<Duration>,
    /// The feed of the device that is about to be made: when, and until when it may be.
    feeding: Option<(Instant, Instant)>,
    starts_at: Option<Instant>,
}

/// What goes over a connection.
#[derive(Debug, Clone)]
enum Frame {
    Bytes(Vec<u8>),
    /// The connection ends.
    End,
}

impl NodeMultiplexer {
    /// One that does not run yet, for daemons with these timings.
    #[must_use]
    pub fn new(timings: &Timings) -> Self {
        let right = MultiplexerTimings::of(timings);
        Self {
            process: None,
            timings: right,
            right,
            device_timeout: timings.device_timeout(),
            device_granularity: timings.device_granularity(),
            clients: BTreeMap::new(),
            on_their_way: VecDeque::new(),
            delay: Duration::ZERO,
            device: None,
            marker: false,
            deserted: false,
            paused: false,
            stall: None,
            feeding: None,
            starts_at: None,
        }
    }

    /// When the device resets the node, if it is not fed before.
    pub(super) fn resets_at(&self) -> Option<Instant> {
        self.device
    }

    /// Whether nobody feeds the device any more, so that it resets the node.
    #[must_use]
    pub fn lets_reset(&self) -> bool {
        let is_left = |process: &Multiplexer| process.has_failed() || self.deserted;
        self.device.is_some() && self.process.as_ref().map_or(self.marker, is_left)
    }

    /// Drops what goes with the node's power: everything except how it must be started.
    pub(super) fn cut_power(&mut self) {
        self.process = None;
        self.clients.clear();
        self.on_their_way.clear();
        (self.delay, self.stall, self.feeding) = (Duration::ZERO, None, None);
        (self.device, self.starts_at) = (None, None);
        (self.marker, self.deserted, self.paused) = (false, false, false);
    }

    /// What is due next, by the clock of the world.
    fn next(&self, clock: Clock) -> Option<Instant> {
        let starts = self.starts_at;
        if self.paused {
            return starts;
        }
        let runs = self.process.as_ref();
        let arrives = runs.and_then(|_| self.on_their_way.front().map(|(due, ..)| *due));
        let fed = self.feeding.map(|(due, _)| due);
        let tick = runs.filter(|_| fed.is_none()).map(|process| clock.world(process.next_tick()));
        [starts, arrives, fed, tick].into_iter().flatten().min()
    }
}

/// One call: the node's clock, and how its device and its multiplexer err.
struct Turn<'a> {
    node: &'a mut Node,
    time: Instant,
    careless: Option<Careless>,
    /// What the device must not do.
    outlasts: Vec<DaemonKind>,
    /// The daemons whose feeds were counted.
    counted: Vec<DaemonKind>,
}

impl Turn<'_> {
    fn multiplexer(&mut self) -> Option<&mut NodeMultiplexer> {
        self.node.multiplexer.as_deref_mut()
    }

    fn now(&self) -> Instant {
        self.node.clock.local(self.time)
    }

    fn is_careless(&self, careless: Careless) -> bool {
        self.careless == Some(careless)
    }

    /// Lets everything happen that is due.
    fn go_on(&mut self) {
        let (time, now) = (self.time, self.now());
        if let Some(multiplexer) = self.multiplexer()
            && multiplexer.starts_at.is_some_and(|at| at <= time)
        {
            multiplexer.starts_at = None;
            self.start();
        }
        if self.multiplexer().is_none_or(|multiplexer| multiplexer.paused) {
            return;
        }
        while let Some((_, id, frame)) = self.arrived() {
            self.read(id, &frame);
        }
        let Some(multiplexer) = self.multiplexer() else { return };
        match multiplexer.feeding {
            Some((due, not_after)) if due <= time => {
                multiplexer.feeding = None;
                self.feed_device(not_after);
            }
            Some(_) => {}
            None => {
                if let Some(process) = &mut multiplexer.process {
                    process.tick(now);
                }
                self.carry_out();
            }
        }
    }

    fn arrived(&mut self) -> Option<(Instant, ClientId, Frame)> {
        let time = self.time;
        let multiplexer = self.multiplexer().filter(|multiplexer| multiplexer.process.is_some())?;
        multiplexer.on_their_way.front().filter(|(due, ..)| *due <= time)?;
        multiplexer.on_their_way.pop_front()
    }

    /// Starts its process, unless the one before left clients behind: then it does not go on feeding.
    fn start(&mut self) {
        let now = self.now();
        let Some(multiplexer) = self.multiplexer().filter(|multiplexer| multiplexer.process.is_none()) else { return };
        if multiplexer.marker {
            return;
        }
        multiplexer.process = Some(Multiplexer::new(multiplexer.timings, "virtual", now));
        (multiplexer.paused, multiplexer.deserted) = (false, false);
        self.arm_device();
    }

    fn arm_device(&mut self) {
        let now = self.now();
        let Some(multiplexer) = self.node.multiplexer.as_deref_mut() else { return };
        let late = self.node.watchdog_late.min(multiplexer.device_granularity);
        let runs_for = multiplexer.device_timeout.saturating_add(late).saturating_sub(self.node.watchdog_early);
        let resets_at = self.node.clock.world(now.after(runs_for));
        multiplexer.device = Some(resets_at);
        let outlasts = self.node.watchdogs.iter().filter(|(_, claim)| resets_at > claim.after(ROUNDING));
        self.outlasts.extend(outlasts.map(|(daemon, _)| *daemon));
    }

    fn feed_device(&mut self, not_after: Instant) {
        let now = self.now();
        if now <= not_after || self.is_careless(Careless::DeviceFedLate) {
            self.arm_device();
        } else if let Some(process) = self.multiplexer().and_then(|multiplexer| multiplexer.process.as_mut()) {
            process.tick(now);
            self.carry_out();
        }
    }

    /// Reads what a daemon has sent.
    fn read(&mut self, id: ClientId, frame: &Frame) {
        let now = self.now();
        let Some(multiplexer) = self.multiplexer() else { return };
        let Some(process) = &mut multiplexer.process else { return };
        let is_feed = match frame {
            Frame::Bytes(bytes) => {
                process.receive(id, bytes, now);
                bytes.first() == feed(now).first()
            }
            Frame::End => {
                process.disconnected(id);
                multiplexer.clients.retain(|_, client| *client != id);
                false
            }
        };
        let in_time = is_feed && matches!(frame, Frame::Bytes(bytes) if deadline_of(bytes) >= Some(now));
        self.carry_out();
        if in_time {
            self.count(id);
        }
        if matches!(frame, Frame::End) && self.is_careless(Careless::MarkerRemoved) {
            self.unmark();
        }
    }

    fn unmark(&mut self) {
        if let Some(multiplexer) = self.multiplexer() {
            multiplexer.marker = false;
        }
    }

    /// A feed of a daemon counts: if no other comes, the node is down once the time that its clients count on has passed.
    fn count(&mut self, id: ClientId) {
        let now = self.now();
        let Some(multiplexer) = self.multiplexer() else { return };
        let Some(daemon) = multiplexer.clients.iter().find(|(_, client)| **client == id).map(|(daemon, _)| *daemon)
        else {
            return;
        };
        let Terms { timeout, slack } = multiplexer.timings.terms;
        let down_by = self.node.clock.world(now.after(timeout.saturating_add(slack)));
        self.node.watchdogs.insert(daemon, down_by);
        self.counted.push(daemon);
    }

    /// Does what the multiplexer asks for.
    fn carry_out(&mut self) {
        self.answers();
    }

    /// The same, and gives what it sent.
    fn answers(&mut self) -> Vec<u8> {
        let (now, time) = (self.now(), self.time);
        let mut sent = Vec::new();
        while let Some(effect) = self.multiplexer().and_then(|multiplexer| multiplexer.process.as_mut()?.next_effect())
        {
            let Some(multiplexer) = self.multiplexer() else { return sent };
            match effect {
                Effect::Send(_, bytes) => sent.extend(bytes),
                Effect::Close(id) => multiplexer.clients.retain(|_, client| *client != id),
                Effect::Mark => {
                    multiplexer.marker = true;
                    if let Some(process) = &mut multiplexer.process {
                        process.marked(true, now);
                    }
                }
                Effect::Unmark => multiplexer.marker = false,
                Effect::Feed { not_after } => match multiplexer.stall.take() {
                    Some(stall) => multiplexer.feeding = Some((time.after(stall), not_after)),
                    None => self.feed_device(not_after),
                },
                Effect::Hasten => multiplexer.device = Some(time),
                Effect::Report(_) => {}
            }
        }
        sent
    }

    /// A daemon connects, says what it counts on, and feeds for the first time.
    fn open(&mut self, daemon: DaemonKind, pid: i32, not_after: Instant) -> Result<FeedOutcome, HostError> {
        let (now, careless) = (self.now(), self.careless);
        let Some(multiplexer) = self.multiplexer() else { return Err(no_multiplexer()) };
        if multiplexer.paused {
            return Err(no_multiplexer());
        }
        let terms = match careless {
            Some(Careless::TermsIgnored) => multiplexer.timings.terms,
            _ => multiplexer.right.terms,
        };
        let Some(process) = &mut multiplexer.process else { return Err(no_multiplexer()) };
        let id = process.connect(pid, now).ok_or_else(|| HostError::new("the multiplexer takes no more clients"))?;
        multiplexer.clients.insert(daemon, id);
        process.receive(id, &hello(&terms, now), now);
        let mut answers = Answers::new(terms);
        answers.receive(&self.answers());
        if !matches!(answers.next_answer(), Ok(Some(Answer::Welcome { .. }))) {
            self.leave(daemon, false);
            return Err(HostError::new("the multiplexer refuses"));
        }
        let not_after =
            if careless == Some(Careless::ArmedLate) { Instant::after_start(Duration::MAX) } else { not_after };
        if let Some(process) = self.multiplexer().and_then(|multiplexer| multiplexer.process.as_mut()) {
            process.receive(id, &feed(not_after), now);
        }
        answers.receive(&self.answers());
        match answers.next_answer() {
            Ok(Some(Answer::Armed)) => {
                self.count(id);
                Ok(FeedOutcome::Fed)
            }
            Ok(Some(Answer::TooLate)) => {
                self.leave(daemon, true);
                Ok(FeedOutcome::TooLate)
            }
            _ => {
                self.leave(daemon, false);
                Err(HostError::new("the multiplexer does not guard"))
            }
        }
    }

    /// A connection ends, after a word or without.
    fn leave(&mut self, daemon: DaemonKind, with_a_word: bool) {
        let time = self.time;
        self.node.watchdogs.remove(&daemon);
        let Some(multiplexer) = self.multiplexer() else { return };
        let Some(id) = multiplexer.clients.remove(&daemon) else { return };
        multiplexer.deserted |= !with_a_word;
        if with_a_word {
            multiplexer.on_their_way.push_back((time, id, Frame::Bytes(vec![LEAVE])));
        }
        multiplexer.on_their_way.push_back((time, id, Frame::End));
        if self.multiplexer().is_some_and(|multiplexer| !multiplexer.paused) {
            while let Some((_, id, frame)) = self.arrived() {
                self.read(id, &frame);
            }
        }
    }
}

/// By how much a conversion from one clock to another may be off.
const ROUNDING: Duration = Duration::from_millis(1);

fn no_multiplexer() -> HostError {
    HostError::new("no multiplexer answers")
}

/// The deadline that a feed carries.
fn deadline_of(frame: &[u8]) -> Option<Instant> {
    let number = frame.get(1..)?.first_chunk()?;
    Some(Instant::after_start(Duration::from_nanos(u64::from_be_bytes(*number))))
}

impl World {
    /// Does something with a multiplexer, and keeps what came of it for whoever looks.
    fn with_multiplexer<T>(&mut self, name: &NodeName, act: impl FnOnce(&mut Turn<'_>) -> T) -> Option<T> {
        let careless = self.physics.careless;
        let node = self.nodes.get_mut(name).filter(|node| node.multiplexer.is_some())?;
        let mut turn = Turn { node, time: self.time, careless, outlasts: Vec::new(), counted: Vec::new() };
        let done = act(&mut turn);
        let Turn { outlasts, counted, .. } = turn;
        self.outlasted.extend(outlasts.into_iter().map(|daemon| (name.clone(), daemon)));
        self.counted_feeds.extend(counted.into_iter().map(|daemon| (name.clone(), daemon)));
        Some(done)
    }

    /// When the first multiplexer has something to do.
    #[must_use]
    pub fn next_multiplexer(&self) -> Option<Instant> {
        let due = |node: &Node| node.multiplexer.as_ref().and_then(|multiplexer| multiplexer.next(node.clock));
        self.nodes.values().filter_map(due).min()
    }

    /// Lets all multiplexers do what is due.
    pub fn turn_multiplexers(&mut self) {
        let time = self.time;
        let is_due = |node: &Node| {
            let next = node.multiplexer.as_ref().and_then(|multiplexer| multiplexer.next(node.clock));
            next.is_some_and(|next| next <= time)
        };
        let due: Vec<NodeName> =
            self.nodes.iter().filter(|(_, node)| is_due(node)).map(|(name, _)| name.clone()).collect();
        for name in due {
            self.with_multiplexer(&name, |turn| turn.go_on());
        }
    }

    /// A daemon opens its watchdog, or feeds it. Nothing where there is no multiplexer.
    pub(super) fn feed_multiplexer(
        &mut self,
        name: &NodeName,
        daemon: DaemonKind,
        opens: bool,
        not_after: Instant,
    ) -> Option<Result<FeedOutcome, HostError>> {
        let pid = i32::try_from(self.next_random()).unwrap_or(1);
        self.with_multiplexer(name, |turn| {
            if turn.now() > not_after && !turn.is_careless(Careless::ArmedLate) {
                return Ok(FeedOutcome::TooLate);
            }
            let time = turn.time;
            let Some(multiplexer) = turn.multiplexer() else { return Err(no_multiplexer()) };
            match multiplexer.clients.get(&daemon).copied() {
                Some(id) => {
                    let bytes = Frame::Bytes(feed(not_after).to_vec());
                    multiplexer.on_their_way.push_back((time.after(multiplexer.delay), id, bytes));
                    if !multiplexer.paused {
                        while let Some((_, id, frame)) = turn.arrived() {
                            turn.read(id, &frame);
                        }
                    }
                    Ok(FeedOutcome::Fed)
                }
                None if opens => turn.open(daemon, pid, not_after),
                None => Err(no_multiplexer()),
            }
        })
    }

    /// A daemon closes its watchdog, or goes without a word. Says whether there is a multiplexer.
    pub(crate) fn leave_multiplexer(&mut self, name: &NodeName, daemon: DaemonKind, with_a_word: bool) -> bool {
        self.with_multiplexer(name, |turn| turn.leave(daemon, with_a_word)).is_some()
    }

    /// Puts a multiplexer on each node, between its daemons and its device.
    pub fn install_multiplexers(&mut self, timings: &Timings) {
        for node in self.nodes.values_mut() {
            node.multiplexer = Some(Box::new(NodeMultiplexer::new(timings)));
        }
        let powered: Vec<NodeName> =
            self.nodes.iter().filter(|(_, node)| node.power).map(|(name, _)| name.clone()).collect();
        powered.iter().for_each(|name| self.start_multiplexer(name));
    }

    /// Starts the process of a node's multiplexer, if it does not run.
    pub(crate) fn start_multiplexer(&mut self, name: &NodeName) {
        self.with_multiplexer(name, |turn| turn.start());
    }

    /// Kills the process of a node's multiplexer. It is started again after a while: with the timings of the cluster if it `fits`, else
    /// with longer ones.
    pub fn restart_multiplexer(&mut self, name: &NodeName, after: Duration, fits: bool) {
        self.with_multiplexer(name, |turn| {
            let starts_at = turn.time.after(after);
            let Some(multiplexer) = turn.multiplexer() else { return };
            multiplexer.process = None;
            multiplexer.clients.clear();
            multiplexer.on_their_way.clear();
            multiplexer.feeding = None;
            multiplexer.deserted = false;
            multiplexer.timings = multiplexer.right;
            if !fits {
                let terms = &mut multiplexer.timings.terms;
                terms.timeout = terms.timeout.saturating_mul(LONGER);
            }
            multiplexer.starts_at = Some(starts_at);
        });
    }

    /// Stops the multiplexer of a node as the signal STOP does, or lets it go on.
    pub fn pause_multiplexer(&mut self, name: &NodeName, paused: bool) {
        self.with_multiplexer(name, |turn| {
            if let Some(multiplexer) = turn.multiplexer() {
                multiplexer.paused = paused;
            }
        });
    }

    /// Delays what the daemons of a node send: the multiplexer can read it only after a while.
    pub fn delay_frames(&mut self, name: &NodeName, delay: Duration) {
        self.with_multiplexer(name, |turn| {
            if let Some(multiplexer) = turn.multiplexer() {
                multiplexer.delay = delay;
            }
        });
    }

    /// Lets the multiplexer's next feed of its device take a while.
    pub fn stall_device_feed(&mut self, name: &NodeName, stall: Duration) {
        self.with_multiplexer(name, |turn| {
            if let Some(multiplexer) = turn.multiplexer() {
                multiplexer.stall = Some(stall);
            }
        });
    }

    /// Lets a multiplexer work as it should, if it does not.
    pub fn mend_multiplexer(&mut self, name: &NodeName) {
        self.pause_multiplexer(name, false);
        self.delay_frames(name, Duration::ZERO);
        let fits = |multiplexer: &NodeMultiplexer| multiplexer.timings == multiplexer.right;
        let fits = self.nodes.get(name).and_then(|node| node.multiplexer.as_deref()).is_none_or(fits);
        if !fits {
            self.restart_multiplexer(name, Duration::ZERO, true);
        }
    }
}
