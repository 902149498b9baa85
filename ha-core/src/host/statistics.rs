//! The figures that a host gives to the schedulers that look at them: sizes, and what is measured.

use alloc::{collections::BTreeMap, vec::Vec};

use serde::{Deserialize, Serialize};

use super::HostError;
use crate::{
    config::{OrderedMap, datacenter::SchedulerMode},
    id::{NodeName, ServiceId},
};

/// The size of a node, and how much of it is in use.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct NodeFigures {
    /// Cores that it has.
    pub max_cpu: f64,
    /// Bytes of memory that it has.
    pub max_memory: u64,
    /// Cores in use, measured. Only the dynamic scheduler looks at it.
    pub cpu: f64,
    /// Bytes of memory in use, measured. Only the dynamic scheduler looks at it.
    pub memory: u64,
}

/// The size of a service, and how much it uses.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct ServiceFigures {
    /// Cores that it may use; 0 means no limit.
    pub max_cpu: f64,
    /// Bytes of memory that it may use.
    pub max_memory: u64,
    /// Cores that it uses, measured. Only the dynamic scheduler looks at it.
    pub cpu: f64,
    /// Bytes of memory that it uses, measured. Only the dynamic scheduler looks at it.
    pub memory: u64,
}

/// All figures that the static and dynamic schedulers need.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HostFigures {
    /// By node; every online node must be there.
    pub nodes: BTreeMap<NodeName, NodeFigures>,
    /// By service, managed or not.
    pub services: OrderedMap<ServiceId, ServiceFigures>,
}

/// A guest that runs but is not managed by HA. Its node is used by it all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnmanagedGuest {
    /// The guest.
    pub sid: ServiceId,
    /// Where it is.
    pub node: NodeName,
    /// Whether it runs. Of a guest on a node that can't be reached, whether it ran when that was last known. A guest that is
    /// added to what is managed counts as guarded by nothing if it runs.
    pub running: bool,
}

/// What [`NodeFigures`] was called before.
#[deprecated(since = "0.1.0", note = "use `NodeFigures`")]
pub type NodeStatistics = NodeFigures;

/// What [`ServiceFigures`] was called before.
#[deprecated(since = "0.1.0", note = "use `ServiceFigures`")]
pub type ServiceStatistics = ServiceFigures;

/// What [`HostFigures`] was called before.
#[deprecated(since = "0.1.0", note = "use `HostFigures`")]
pub type UsageStatistics = HostFigures;

/// What [`UnmanagedGuest`] was called before.
#[deprecated(since = "0.1.0", note = "use `UnmanagedGuest`")]
pub type UnmanagedService = UnmanagedGuest;

/// Figures for placement.
///
/// ```
/// use ha_core::{
///     config::datacenter::SchedulerMode,
///     host::{HostError, HostFigures, NodeFigures, Statistics, UnmanagedGuest},
///     id::NodeName,
/// };
///
/// /// Sizes that never change. Nothing is measured.
/// struct Sizes(HostFigures);
///
/// impl Statistics for Sizes {
///     fn unmanaged_services(&mut self) -> Result<Vec<UnmanagedGuest>, HostError> {
///         Ok(Vec::new())
///     }
///
///     fn usage(&mut self, mode: SchedulerMode) -> Result<HostFigures, HostError> {
///         match mode {
///             SchedulerMode::Basic | SchedulerMode::Static => Ok(self.0.clone()),
///             SchedulerMode::Dynamic => Err(HostError::new("nothing is measured here")),
///         }
///     }
/// }
///
/// let node = NodeFigures { max_cpu: 16.0, max_memory: 64 << 30, ..NodeFigures::default() };
/// let mut sizes = Sizes(HostFigures { nodes: [(NodeName::new("node1")?, node)].into(), ..HostFigures::default() });
/// assert_eq!(sizes.usage(SchedulerMode::Static)?.nodes.len(), 1);
/// assert!(sizes.usage(SchedulerMode::Dynamic).is_err(), "zeros would say that nothing is used");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Statistics {
    /// The guests that HA does not manage. Managed ones may be among them: the core leaves those out. On an error the
    /// round takes what is added in it for running.
    fn unmanaged_services(&mut self) -> Result<Vec<UnmanagedGuest>, HostError>;

    /// The figures of nodes and services; asked only where the configured scheduler needs them. On an error the round falls back to the
    /// `basic` scheduler and says so.
    ///
    /// `mode` says what is looked at: with `static` only the sizes, with `dynamic` the measured use as well. It is never `basic`.
    fn usage(&mut self, mode: SchedulerMode) -> Result<HostFigures, HostError>;
}
