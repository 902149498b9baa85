//! `datacenter.cfg`: settings of the whole cluster.

mod file;
mod json;

pub use file::DatacenterFile;
pub use json::JsonError;

use serde::{Deserialize, Serialize};

use super::{
    ValueError,
    value::{self, boolean, integer, word},
};
use crate::text_enum::text_enum;

/// What an LRM does with its services when its node goes down on request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum ShutdownPolicy {
    /// Freeze them on a reboot, give them up on a shutdown.
    #[default]
    Conditional,
    /// Freeze them.
    Freeze,
    /// Give them up, so that they are recovered elsewhere.
    Failover,
    /// Move them away first.
    Migrate,
}

text_enum! {
    ShutdownPolicy: "a shutdown policy",
    Conditional = "conditional",
    Freeze = "freeze",
    Failover = "failover",
    Migrate = "migrate",
}

/// By what a node's load is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum SchedulerMode {
    /// The number of services.
    #[default]
    Basic,
    /// Configured sizes.
    Static,
    /// Measured use.
    Dynamic,
}

text_enum! {
    SchedulerMode: "a scheduler mode",
    Basic = "basic",
    Static = "static",
    Dynamic = "dynamic",
}

/// How automatic balancing ranks candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum BalanceMethod {
    /// The lowest imbalance of all.
    #[default]
    BruteForce,
    /// By TOPSIS.
    Topsis,
}

text_enum! {
    BalanceMethod: "a balancing method",
    BruteForce = "bruteforce",
    Topsis = "topsis",
}

/// How imbalance is measured and compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ImbalanceScale {
    /// The coefficient of variation divided by its highest possible value: 0 to 1. What `datacenter.cfg` means.
    #[default]
    Normalised,
    /// The plain coefficient of variation, as in the recorded scenarios.
    Plain,
}

text_enum! {
    ImbalanceScale: "a scale of imbalance",
    Normalised = "normalised",
    Plain = "plain",
}

/// How the cluster resource scheduler places and balances services.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SchedulerConfig {
    /// By what load is measured.
    pub mode: SchedulerMode,
    /// Whether a service that is to start is first moved to the best node.
    pub rebalance_on_start: bool,
    /// Whether running services are moved to balance the load.
    pub auto_rebalance: bool,
    /// The imbalance above which balancing begins, as a fraction.
    pub threshold: f64,
    /// How candidates are ranked.
    pub method: BalanceMethod,
    /// Rounds for which the imbalance must stay above the threshold.
    pub hold_duration: u32,
    /// The relative improvement that a move must bring, as a fraction.
    pub margin: f64,
    /// What `threshold` is a fraction of.
    pub scale: ImbalanceScale,
}

impl Default for SchedulerConfig {
    fn default() -> Self {
        Self {
            mode: SchedulerMode::Basic,
            rebalance_on_start: false,
            auto_rebalance: false,
            threshold: 0.3,
            method: BalanceMethod::BruteForce,
            hold_duration: 3,
            margin: 0.1,
            scale: ImbalanceScale::Normalised,
        }
    }
}

/// By what a node is known to be down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum FencingMode {
    /// Its lock: the node's watchdog has reset it.
    #[default]
    Watchdog,
    /// A fence device.
    Hardware,
    /// Both.
    Both,
}

text_enum! {
    FencingMode: "a fencing mode",
    Watchdog = "watchdog",
    Hardware = "hardware",
    Both = "both",
}

/// The first software version that knows [`DatacenterConfig::flapping_hold`]. A master without it counts no fencings and leaves what others
/// have counted as it is.
pub const VERSION_WITH_FLAPPING_HOLD: &str = "9.2.0";

/// The settings of the whole cluster that the core reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DatacenterConfig {
    /// What happens to services when their node goes down on request.
    pub shutdown_policy: ShutdownPolicy,
    /// Placement and balancing.
    pub scheduler: SchedulerConfig,
    /// Jobs that an LRM runs at once; at least 1.
    pub max_workers: u32,
    /// Services that start at once in the whole cluster, at least 1; without a bound by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_starts: Option<u32>,
    /// Services that move at once in the whole cluster, at least 1; without a bound by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_moves: Option<u32>,
    /// For how many seconds a node that was fenced again and again takes no new services, at least 1; longer each time. By default it
    /// takes them at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flapping_hold: Option<u32>,
    /// By what a node is known to be down.
    pub fencing: FencingMode,
    /// Whether the master turns groups into rules once all nodes know rules; else they are kept as they are.
    #[serde(default = "yes")]
    pub migrate_groups: bool,
}

const fn yes() -> bool {
    true
}

impl Default for DatacenterConfig {
    fn default() -> Self {
        Self {
            shutdown_policy: ShutdownPolicy::default(),
            scheduler: SchedulerConfig::default(),
            max_workers: 4,
            max_starts: None,
            max_moves: None,
            flapping_hold: None,
            fencing: FencingMode::default(),
            migrate_groups: true,
        }
    }
}

/// One setting, by the key of its line and, within a property string, of its item: `crs.ha-auto-rebalance`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DatacenterSetting {
    /// [`DatacenterConfig::shutdown_policy`]
    ShutdownPolicy,
    /// [`SchedulerConfig::mode`]
    SchedulerMode,
    /// [`SchedulerConfig::rebalance_on_start`]
    RebalanceOnStart,
    /// [`SchedulerConfig::auto_rebalance`]
    AutoRebalance,
    /// [`SchedulerConfig::threshold`], in percent
    Threshold,
    /// [`SchedulerConfig::method`]
    Method,
    /// [`SchedulerConfig::hold_duration`]
    HoldDuration,
    /// [`SchedulerConfig::margin`], in percent
    Margin,
    /// [`DatacenterConfig::max_workers`]
    MaxWorkers,
    /// [`DatacenterConfig::max_starts`]
    MaxStarts,
    /// [`DatacenterConfig::max_moves`]
    MaxMoves,
    /// [`DatacenterConfig::flapping_hold`], in seconds
    FlappingHold,
    /// [`DatacenterConfig::fencing`]
    Fencing,
    /// [`DatacenterConfig::migrate_groups`]
    MigrateGroups,
}

text_enum! {
    DatacenterSetting: "a setting of the cluster",
    ShutdownPolicy = "ha.shutdown_policy",
    SchedulerMode = "crs.ha",
    RebalanceOnStart = "crs.ha-rebalance-on-start",
    AutoRebalance = "crs.ha-auto-rebalance",
    Threshold = "crs.ha-auto-rebalance-threshold",
    Method = "crs.ha-auto-rebalance-method",
    HoldDuration = "crs.ha-auto-rebalance-hold-duration",
    Margin = "crs.ha-auto-rebalance-margin",
    MaxWorkers = "max_workers" | "max_worker",
    MaxStarts = "max_starts",
    MaxMoves = "max_moves",
    FlappingHold = "flapping_hold",
    Fencing = "fencing",
    MigrateGroups = "ha.migrate_groups",
}

/// What [`DatacenterSetting`] was called before.
#[deprecated(since = "0.1.0", note = "use `DatacenterSetting`")]
pub type Setting = DatacenterSetting;

/// What threshold and margin are given in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Percent,
    Fraction,
}

impl DatacenterSetting {
    /// The key of its line, and the key of its item if the line's value is a property string.
    fn keys(self) -> (&'static str, Option<&'static str>) {
        match self.as_str().split_once('.') {
            Some((line, item)) => (line, Some(item)),
            None => (self.as_str(), None),
        }
    }

    /// Sets it in `config`.
    fn assign(self, config: &mut DatacenterConfig, text: &str, unit: Unit) -> Result<(), ValueError> {
        let share = |text| match unit {
            Unit::Percent => value::percentage(text),
            Unit::Fraction => value::fraction(text),
        };
        let scheduler = &mut config.scheduler;
        match self {
            Self::ShutdownPolicy => config.shutdown_policy = word(text)?,
            Self::SchedulerMode => scheduler.mode = word(text)?,
            Self::RebalanceOnStart => scheduler.rebalance_on_start = boolean(text)?,
            Self::AutoRebalance => scheduler.auto_rebalance = boolean(text)?,
            Self::Threshold => scheduler.threshold = share(text)?,
            Self::Method => scheduler.method = word(text)?,
            Self::HoldDuration => scheduler.hold_duration = integer(text, 0)?,
            Self::Margin => scheduler.margin = share(text)?,
            Self::MaxWorkers => config.max_workers = integer(text, 1)?,
            Self::MaxStarts => config.max_starts = Some(integer(text, 1)?),
            Self::MaxMoves => config.max_moves = Some(integer(text, 1)?),
            Self::FlappingHold => config.flapping_hold = Some(integer(text, 1)?),
            Self::Fencing => config.fencing = word(text)?,
            Self::MigrateGroups => config.migrate_groups = boolean(text)?,
        }
        Ok(())
    }
}
