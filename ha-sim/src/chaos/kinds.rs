//! The kinds of things that happen in a random history, and which of them each profile draws.

use super::Profile;

/// What a profile draws.
pub(super) trait Draws {
    /// How often each kind of thing happens in a burst, on average.
    fn rate(self) -> f64;

    /// What may happen.
    fn kinds(self) -> &'static [Kind];
}

impl Draws for Profile {
    fn rate(self) -> f64 {
        match self {
            Self::Mixed | Self::Matrix => 0.25,
            Self::Calm | Self::People => 0.5,
            Self::Network | Self::Calls => 1.0,
        }
    }

    fn kinds(self) -> &'static [Kind] {
        match self {
            Self::Mixed | Self::Matrix => Kind::ALL,
            Self::Calm => Kind::CALM,
            Self::Network => &[
                Kind::Power,
                Kind::Cut,
                Kind::Partition,
                Kind::Unheard,
                Kind::Crash,
                Kind::Device,
                Kind::Twin,
                Kind::Mount,
                Kind::Confirm,
            ],
            Self::Calls => &[
                Kind::Call,
                Kind::Scene,
                Kind::Kill,
                Kind::Pause,
                Kind::Store,
                Kind::Worker,
                Kind::Look,
                Kind::Blind,
                Kind::Job,
                Kind::Full,
                Kind::Multiplexer,
                Kind::Probe,
            ],
            Self::People => &[
                Kind::Power,
                Kind::Cut,
                Kind::Disarm,
                Kind::Maintenance,
                Kind::Move,
                Kind::Shutdown,
                Kind::Restart,
                Kind::Request,
                Kind::Kill,
                Kind::Member,
                Kind::Guest,
                Kind::Scene,
                Kind::Worker,
                Kind::SecondStop,
                Kind::Cascade,
                Kind::DisarmedLoss,
                Kind::Confirm,
                Kind::Leftovers,
                Kind::Blind,
                Kind::Damage,
                Kind::Twin,
            ],
        }
    }
}

/// Kinds of things that happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Power,
    Cut,
    Partition,
    Unheard,
    Store,
    Kill,
    Pause,
    Call,
    WallClock,
    Device,
    Shutdown,
    Restart,
    StopCrm,
    Move,
    Maintenance,
    Disarm,
    Request,
    AddRemove,
    Rule,
    Datacenter,
    Crash,
    Agent,
    GuestLock,
    Member,
    Guest,
    /// An agent can't tell what it is asked.
    Look,
    /// A worker dies.
    Worker,
    /// An agent can't tell what it is asked around a stop, a move or a start.
    Blind,
    /// A guest leaves something behind.
    Leftovers,
    /// A job hangs, or takes far too long, and can't be ended at once.
    Job,
    /// An LRM must restart, and then its node goes down.
    SecondStop,
    /// All nodes are shut down one after the other.
    Cascade,
    /// HA is disarmed, a node is lost meanwhile, and HA is armed.
    DisarmedLoss,
    /// A person turns a node off and says so.
    Confirm,
    /// Another machine takes the name of a node that is silent.
    Twin,
    /// The store is full for a while.
    Full,
    /// The store is not mounted on a node.
    Mount,
    /// An entry of the manager status is damaged.
    Damage,
    /// A multiplexer is late, stopped, or restarted.
    Multiplexer,
    /// A service that runs is not ready, by its probe.
    Probe,
    /// Something that opens a window, with a call in it that goes wrong, and a node that is lost after it.
    Scene,
}

impl Kind {
    const ALL: &[Self] = &[
        Self::Power,
        Self::Cut,
        Self::Partition,
        Self::Unheard,
        Self::Store,
        Self::Kill,
        Self::Pause,
        Self::Call,
        Self::WallClock,
        Self::Device,
        Self::Shutdown,
        Self::Restart,
        Self::StopCrm,
        Self::Move,
        Self::Maintenance,
        Self::Disarm,
        Self::Request,
        Self::AddRemove,
        Self::Rule,
        Self::Datacenter,
        Self::Crash,
        Self::Agent,
        Self::GuestLock,
        Self::Member,
        Self::Guest,
        Self::Look,
        Self::Worker,
        Self::Scene,
        Self::Blind,
        Self::Leftovers,
        Self::Job,
        Self::SecondStop,
        Self::Cascade,
        Self::DisarmedLoss,
        Self::Confirm,
        Self::Twin,
        Self::Full,
        Self::Mount,
        Self::Damage,
        Self::Multiplexer,
        Self::Probe,
    ];

    const CALM: &[Self] = &[
        Self::WallClock,
        Self::Shutdown,
        Self::Restart,
        Self::StopCrm,
        Self::Move,
        Self::Maintenance,
        Self::Disarm,
        Self::Request,
        Self::AddRemove,
        Self::Rule,
        Self::Datacenter,
        Self::Crash,
        Self::SecondStop,
        Self::Full,
    ];
}
