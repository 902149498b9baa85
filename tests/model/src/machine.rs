//! What can happen, step by step.

use stateright::{Model, Property};

use crate::physics::{FeedRule, Pace, Physics};

/// A model of a node that runs a service, and of everything that its safety hangs on.
#[derive(Debug, Clone)]
pub struct Machine {
    /// The timings.
    pub physics: Physics,
    /// How the daemon decides about feeds.
    pub rule: FeedRule,
    /// How fast everything goes.
    pub pace: Pace,
}

/// What the daemon is at. Times count from its question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Daemon {
    /// Between two renewals.
    Rests,
    /// It has asked for its lock, and the store has not heard it yet.
    Asked { ago: u16 },
    /// The store has granted the lock; the answer is on its way.
    Granted { ago: u16 },
    /// The answer is there; the watchdog was not fed yet.
    Answered { ago: u16 },
    /// The deadline was compared; the watchdog was not fed yet. Only with [`FeedRule::ComparedTooEarly`].
    Compared,
    /// The feed is on its way to the multiplexer. Only with [`FeedRule::HandedOn`] and [`FeedRule::FromConnecting`].
    Sent { ago: u16 },
}

/// The watchdog as its client, the daemon, has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Client {
    /// It is not armed.
    Closed,
    /// The daemon takes it for armed; the multiplexer has not yet taken the connection. Only with [`FeedRule::FromConnecting`].
    Connecting,
    /// It was fed, and has this time left.
    Fed { left: u16 },
    /// It has expired.
    Expired,
}

/// Everything at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    /// Whether N has power.
    pub up: bool,
    /// Its daemon.
    pub daemon: Daemon,
    /// Whether a question may still reach the store that the daemon has given up.
    pub forgotten_question: bool,
    /// The daemon's watchdog. The service runs whenever it is armed.
    pub client: Client,
    /// How long ago the multiplexer found its client alive, if it has not yet fed the device for that.
    pub looked: Option<u16>,
    /// Whether the multiplexer has stopped feeding for good.
    pub gave_up: bool,
    /// The time until the device has run out at the latest; `None` if it is not armed.
    pub device: Option<u16>,
    /// What is left of N's lease, by a store's clock that is right; `None` if N does not have the lock.
    pub lease: Option<u16>,
    /// By how much the store's clock has run ahead since the lease began.
    pub ahead: u16,
    /// Whether the lock was taken, and the service started, elsewhere.
    pub elsewhere: bool,
    /// Whether the device reset N while all was as promised.
    pub was_reset: bool,
}

/// Something that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// A millisecond goes by.
    Tick,
    /// The store's clock runs ahead by one.
    Drift,
    /// The daemon asks for its lock.
    Ask,
    /// The store hears the question and grants it.
    Grant,
    /// The question or its answer gets lost for the daemon.
    Lose,
    /// A question that was given up reaches the store.
    GrantForgotten,
    /// The answer arrives.
    Answer,
    /// The daemon feeds its watchdog, opens it, or finds that it is too late.
    Feed,
    /// The daemon compares the deadline.
    Compare,
    /// The daemon sends a feed, or finds that it is too late.
    Send,
    /// A feed reaches the multiplexer, which compares its deadline.
    Arrive,
    /// The multiplexer takes a connection.
    Accept,
    /// The multiplexer looks at its client and finds it alive, or closed.
    FindAlive,
    /// The multiplexer looks at its client and finds that it has expired.
    FindExpired,
    /// The multiplexer feeds the device.
    FeedDevice,
    /// The device runs out.
    Reset,
    /// N loses its power.
    PowerLoss,
    /// N comes back.
    Boot,
    /// The daemon stops its service, closes its watchdog and releases the lock.
    LetGo,
    /// The master takes N's lock, and the service starts elsewhere.
    Take,
}

/// The name of the property that nothing runs twice.
pub const RUNS_ONCE: &str = "the service runs once";
/// The name of the property that no node is reset in vain.
pub const NO_NEEDLESS_RESET: &str = "no needless reset";

impl Model for Machine {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            up: true,
            daemon: Daemon::Rests,
            forgotten_question: false,
            client: Client::Closed,
            looked: None,
            gave_up: false,
            device: self.physics.multiplexer_interval.map(|_| self.device_full()),
            lease: None,
            ahead: 0,
            elsewhere: false,
            was_reset: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.elsewhere || state.was_reset {
            // What can be told from here on was told.
            return;
        }
        let any = self.pace == Pace::Any;
        if self.may_tick(state) {
            actions.push(Action::Tick);
        }
        if state.lease.is_some_and(|left| left > 0) && state.ahead < self.physics.clock_drift {
            actions.push(Action::Drift);
        }
        if state.forgotten_question {
            actions.push(Action::GrantForgotten);
        }
        if self.lease_is_over(state) && any {
            actions.push(Action::Take);
        }
        if !state.up {
            actions.push(Action::Boot);
            return;
        }
        self.daemon_actions(state, actions);
        self.device_actions(state, actions);
        if any {
            actions.push(Action::PowerLoss);
            if state.daemon == Daemon::Rests && state.client != Client::Closed {
                actions.push(Action::LetGo);
            }
        }
    }

    fn next_state(&self, before: &State, action: Action) -> Option<State> {
        let mut state = before.clone();
        match action {
            Action::Tick => self.tick(&mut state),
            Action::Drift => state.ahead += 1,
            Action::Ask => state.daemon = Daemon::Asked { ago: 0 },
            Action::Grant => {
                let Daemon::Asked { ago } = before.daemon else { return None };
                self.grant(&mut state);
                state.daemon = Daemon::Granted { ago };
            }
            Action::Lose => {
                state.forgotten_question |= matches!(before.daemon, Daemon::Asked { .. });
                state.daemon = Daemon::Rests;
            }
            Action::GrantForgotten => {
                state.forgotten_question = false;
                self.grant(&mut state);
            }
            Action::Answer => {
                let Daemon::Granted { ago } = before.daemon else { return None };
                let counted = if self.rule == FeedRule::FromTheAnswer { 0 } else { ago };
                state.daemon = Daemon::Answered { ago: counted };
            }
            Action::Feed | Action::Arrive => self.carry_out_feed(&mut state)?,
            Action::Compare => {
                let Daemon::Answered { ago } = before.daemon else { return None };
                let in_time = self.timeout_of_feed(ago).is_some();
                state.daemon = if in_time { Daemon::Compared } else { Daemon::Rests };
            }
            Action::Send => {
                let Daemon::Answered { ago } = before.daemon else { return None };
                self.send(&mut state, ago);
            }
            Action::Accept => self.feed(&mut state, self.physics.watchdog_timeout),
            Action::FindAlive => state.looked = Some(0),
            Action::FindExpired => {
                state.looked = None;
                state.gave_up = true;
            }
            Action::FeedDevice => {
                state.looked = None;
                state.device = Some(self.device_full());
            }
            Action::Reset => {
                self.go_down(&mut state);
                state.was_reset = self.pace == Pace::AsPromised;
            }
            Action::PowerLoss => self.go_down(&mut state),
            Action::Boot => {
                state.up = true;
                state.device = self.physics.multiplexer_interval.map(|_| self.device_full());
            }
            Action::LetGo => self.let_go(&mut state),
            Action::Take => {
                state.lease = None;
                state.ahead = 0;
                state.elsewhere = true;
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        match self.pace {
            Pace::Any => vec![Property::always(RUNS_ONCE, |_, state: &State| !(state.elsewhere && state.runs()))],
            Pace::AsPromised => vec![Property::always(NO_NEEDLESS_RESET, |_, state: &State| !state.was_reset)],
        }
    }
}

impl State {
    /// Whether the service runs on N: whenever N has power and its watchdog is armed, at the worst.
    fn runs(&self) -> bool {
        self.up && self.client != Client::Closed
    }
}

impl Machine {
    fn daemon_actions(&self, state: &State, actions: &mut Vec<Action>) {
        let any = self.pace == Pace::Any;
        match state.daemon {
            Daemon::Rests => actions.push(Action::Ask),
            Daemon::Asked { .. } => actions.push(Action::Grant),
            Daemon::Granted { .. } => actions.push(Action::Answer),
            Daemon::Answered { .. } if self.rule == FeedRule::ComparedTooEarly => actions.push(Action::Compare),
            Daemon::Answered { .. } if matches!(self.rule, FeedRule::HandedOn | FeedRule::FromConnecting) => {
                actions.push(Action::Send);
            }
            Daemon::Answered { .. } | Daemon::Compared => actions.push(Action::Feed),
            Daemon::Sent { .. } => actions.push(Action::Arrive),
        }
        if any && matches!(state.daemon, Daemon::Asked { .. } | Daemon::Granted { .. }) {
            actions.push(Action::Lose);
        }
    }

    fn device_actions(&self, state: &State, actions: &mut Vec<Action>) {
        if self.physics.multiplexer_interval.is_some() && !state.gave_up {
            if state.client == Client::Connecting {
                // It takes connections before it looks at its clients.
                actions.push(Action::Accept);
            } else if state.client != Client::Expired && state.looked != Some(0) {
                actions.push(Action::FindAlive);
            }
            if matches!(state.client, Client::Expired | Client::Fed { left: 0 }) {
                actions.push(Action::FindExpired);
            }
        }
        if state.looked.is_some() {
            actions.push(Action::FeedDevice);
        }
        if state.device.is_some_and(|left| left <= 2 * self.physics.device_granularity) {
            actions.push(Action::Reset);
        }
    }

    /// Time stands still while something must happen first.
    fn may_tick(&self, state: &State) -> bool {
        if state.up && state.device == Some(0) {
            return false;
        }
        match self.pace {
            Pace::Any => true,
            Pace::AsPromised => !self.daemon_is_due(state) && !self.multiplexer_is_due(state),
        }
    }

    /// Whether the daemon has to go on now, or it would take longer than is promised.
    fn daemon_is_due(&self, state: &State) -> bool {
        let Physics { watchdog_timeout, device_granularity, lock_attempt, renewal_interval, .. } = self.physics;
        match state.daemon {
            Daemon::Asked { ago } | Daemon::Granted { ago } => ago >= lock_attempt,
            Daemon::Answered { .. } | Daemon::Compared | Daemon::Sent { .. } => true,
            Daemon::Rests => {
                let since_feed = match (self.physics.multiplexer_interval, state.client, state.device) {
                    (Some(_), Client::Fed { left }, _) => watchdog_timeout - left,
                    (Some(_), Client::Expired, _) => return true,
                    (None, Client::Fed { .. }, Some(left)) => watchdog_timeout + device_granularity - left,
                    _ => return false,
                };
                since_feed + lock_attempt >= 2 * renewal_interval
            }
        }
    }

    /// Whether the multiplexer has to feed now, or it would have missed more than one feed. It looks and feeds at once.
    fn multiplexer_is_due(&self, state: &State) -> bool {
        let (Some(interval), Some(left), false) = (self.physics.multiplexer_interval, state.device, state.gave_up)
        else {
            return false;
        };
        state.looked.is_some() || self.device_full() - left >= 2 * interval
    }

    fn device_full(&self) -> u16 {
        self.physics.device_timeout + self.physics.device_granularity
    }

    fn tick(&self, state: &mut State) {
        let horizon = self.physics.horizon();
        let age = |ago: u16| (ago + 1).min(horizon);
        state.daemon = match state.daemon {
            Daemon::Asked { ago } => Daemon::Asked { ago: age(ago) },
            Daemon::Granted { ago } => Daemon::Granted { ago: age(ago) },
            Daemon::Answered { ago } => Daemon::Answered { ago: age(ago) },
            Daemon::Sent { ago } => Daemon::Sent { ago: age(ago) },
            Daemon::Rests | Daemon::Compared => state.daemon,
        };
        state.client = match state.client {
            Client::Fed { left: 0 } | Client::Expired => Client::Expired,
            Client::Fed { left } => Client::Fed { left: left - 1 },
            Client::Closed | Client::Connecting => state.client,
        };
        // What the multiplexer saw longer ago than that it looks at again.
        let interval = self.physics.multiplexer_interval.unwrap_or(0);
        state.looked = state.looked.map(|ago| ago + 1).filter(|ago| *ago <= interval);
        state.device = state.device.map(|left| left.saturating_sub(1));
        state.lease = state.lease.map(|left| left.saturating_sub(1));
    }

    fn lease_is_over(&self, state: &State) -> bool {
        state.lease.is_none_or(|left| left <= state.ahead)
    }

    /// The store gives N the lock: a lease begins.
    fn grant(&self, state: &mut State) {
        state.lease = Some(self.physics.lock_lifetime);
        state.ahead = 0;
    }

    /// The timeout with which the watchdog is fed so long after the question; `None` if it is too late.
    fn timeout_of_feed(&self, ago: u16) -> Option<u16> {
        let Physics { feed_budget, watchdog_timeout, .. } = self.physics;
        match self.rule {
            FeedRule::NoDeadline => Some(watchdog_timeout),
            FeedRule::WithWhatIsLeft => self.physics.timeout_left(ago),
            FeedRule::Deadline
            | FeedRule::FromTheAnswer
            | FeedRule::ComparedTooEarly
            | FeedRule::HandedOn
            | FeedRule::FromConnecting => (ago <= feed_budget).then_some(watchdog_timeout),
        }
    }

    /// The daemon sends a feed, or finds that it is too late.
    fn send(&self, state: &mut State, ago: u16) {
        state.daemon = Daemon::Rests;
        if self.timeout_of_feed(ago).is_none() {
            return;
        }
        if self.rule == FeedRule::FromConnecting && state.client == Client::Closed {
            state.client = Client::Connecting;
        } else {
            state.daemon = Daemon::Sent { ago };
        }
    }

    fn feed(&self, state: &mut State, timeout: u16) {
        state.client = Client::Fed { left: timeout };
        if self.physics.multiplexer_interval.is_none() {
            state.device = Some(timeout + self.physics.device_granularity);
        }
    }

    /// The daemon's feed comes to the watchdog, if it still may.
    fn carry_out_feed(&self, state: &mut State) -> Option<()> {
        match state.daemon {
            Daemon::Answered { ago } | Daemon::Sent { ago } => {
                if let Some(timeout) = self.timeout_of_feed(ago) {
                    self.feed(state, timeout);
                }
            }
            Daemon::Compared => self.feed(state, self.physics.watchdog_timeout),
            Daemon::Rests | Daemon::Asked { .. } | Daemon::Granted { .. } => return None,
        }
        state.daemon = Daemon::Rests;
        Some(())
    }

    fn let_go(&self, state: &mut State) {
        state.client = Client::Closed;
        if self.physics.multiplexer_interval.is_none() {
            state.device = None;
        }
        state.lease = None;
        state.ahead = 0;
    }

    fn go_down(&self, state: &mut State) {
        let State { forgotten_question, lease, ahead, elsewhere, was_reset, daemon, .. } = *state;
        *state = State {
            up: false,
            daemon: Daemon::Rests,
            forgotten_question: forgotten_question || matches!(daemon, Daemon::Asked { .. }),
            client: Client::Closed,
            looked: None,
            gave_up: false,
            device: None,
            lease,
            ahead,
            elsewhere,
            was_reset,
        };
    }
}
