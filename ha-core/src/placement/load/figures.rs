//! The figures of nodes and services, checked: an impossible figure gets no further than here.

use super::amount::{Amount, MAX_CORES};
use crate::{
    config::OrderedMap,
    host::{HostFigures, ServiceFigures},
    id::{NodeName, ServiceId},
};

/// The least that a node can have. Less than a thousandth of a core is a figure gone wrong.
const MIN_CORES: f64 = 0.001;

/// Why the figures that the scheduler needs can't be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FiguresError {
    /// The host gave none.
    #[error("the host has no figures")]
    Missing,
    /// An online node is not among them.
    #[error("the figures lack node '{0}'")]
    NodeMissing(NodeName),
    /// A node's number of cores is impossible.
    #[error("node '{node}' cannot have {cores} cores: expected a number from {MIN_CORES} to {MAX_CORES}")]
    NodeCores {
        /// The node.
        node: NodeName,
        /// What the figures say.
        cores: f64,
    },
    /// A node has no memory.
    #[error("node '{0}' cannot have 0 bytes of memory")]
    NodeMemory(NodeName),
    /// A node's measured use of its cores is impossible.
    #[error("node '{node}' cannot have {cores} cores in use: expected a number from 0 to {MAX_CORES}")]
    NodeUse {
        /// The node.
        node: NodeName,
        /// What the figures say.
        cores: f64,
    },
    /// A service is not among them.
    #[error("the figures lack service '{0}'")]
    ServiceMissing(ServiceId),
    /// A service's limit of cores is impossible.
    #[error(
        "service '{sid}' cannot be limited to {cores} cores: expected a number from 0, for no limit, to {MAX_CORES}"
    )]
    ServiceCores {
        /// The service.
        sid: ServiceId,
        /// What the figures say.
        cores: f64,
    },
    /// A service's measured use of cores is impossible.
    #[error("service '{sid}' cannot use {cores} cores: expected a number from 0 to {MAX_CORES}")]
    ServiceUse {
        /// The service.
        sid: ServiceId,
        /// What the figures say.
        cores: f64,
    },
}

/// The size of a node.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NodeSize {
    pub(crate) cores: f64,
    pub(crate) memory: f64,
}

/// The size of a node and what is measured on it.
pub(crate) fn node_figures(
    node: &NodeName,
    all: &HostFigures,
    measured: bool,
) -> Result<(NodeSize, Amount), FiguresError> {
    let figures = all.nodes.get(node).ok_or_else(|| FiguresError::NodeMissing(node.clone()))?;
    if !(MIN_CORES..=MAX_CORES).contains(&figures.max_cpu) {
        return Err(FiguresError::NodeCores { node: node.clone(), cores: figures.max_cpu });
    }
    if figures.max_memory == 0 {
        return Err(FiguresError::NodeMemory(node.clone()));
    }
    if measured && !is_use(figures.cpu) {
        return Err(FiguresError::NodeUse { node: node.clone(), cores: figures.cpu });
    }
    let size = NodeSize { cores: figures.max_cpu, memory: figures.max_memory as f64 };
    let used = if measured { Amount::new(figures.cpu, figures.memory) } else { Amount::default() };
    Ok((size, used))
}

/// The figures of services, in the order in which they are asked for.
pub(crate) struct FiguresByService<'a> {
    services: &'a OrderedMap<ServiceId, ServiceFigures>,
    measured: bool,
    /// Where the next service is, if the figures come in the order of the services, as they mostly do.
    next: usize,
}

impl FiguresError {
    /// The service that has no usable figures, if it is one.
    #[must_use]
    pub fn sid(&self) -> Option<&ServiceId> {
        match self {
            Self::ServiceMissing(sid) | Self::ServiceCores { sid, .. } | Self::ServiceUse { sid, .. } => Some(sid),
            Self::Missing
            | Self::NodeMissing(_)
            | Self::NodeCores { .. }
            | Self::NodeMemory(_)
            | Self::NodeUse { .. } => None,
        }
    }

    /// The node that has no usable figures, if it is one.
    #[must_use]
    pub fn node(&self) -> Option<&NodeName> {
        match self {
            Self::NodeMissing(node)
            | Self::NodeCores { node, .. }
            | Self::NodeMemory(node)
            | Self::NodeUse { node, .. } => Some(node),
            Self::Missing | Self::ServiceMissing(_) | Self::ServiceCores { .. } | Self::ServiceUse { .. } => None,
        }
    }
}

impl<'a> FiguresByService<'a> {
    pub(crate) fn new(all: &'a HostFigures, measured: bool) -> Self {
        Self { services: &all.services, measured, next: 0 }
    }

    pub(crate) fn get(&mut self, sid: &ServiceId) -> Result<ServiceFigures, FiguresError> {
        let expected = self.services.get_index(self.next).filter(|(other, _)| *other == sid);
        let figures = match expected {
            Some((_, figures)) => {
                self.next = self.next.saturating_add(1);
                *figures
            }
            None => {
                let (at, _, figures) =
                    self.services.get_full(sid).ok_or_else(|| FiguresError::ServiceMissing(sid.clone()))?;
                self.next = at.saturating_add(1);
                *figures
            }
        };
        if !is_use(figures.max_cpu) {
            return Err(FiguresError::ServiceCores { sid: sid.clone(), cores: figures.max_cpu });
        }
        if self.measured && !is_use(figures.cpu) {
            return Err(FiguresError::ServiceUse { sid: sid.clone(), cores: figures.cpu });
        }
        Ok(figures)
    }
}

fn is_use(cores: f64) -> bool {
    (0.0..=MAX_CORES).contains(&cores)
}
