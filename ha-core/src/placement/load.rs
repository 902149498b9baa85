//! How loaded the online nodes are, kept up to date as services change their states.

mod amount;
mod basic;
mod figures;
mod spread;
mod usage;

pub use figures::FiguresError;

pub(crate) use amount::Amount;
pub(crate) use basic::BasicLoad;
pub(crate) use spread::{Change, Spread};
pub(crate) use usage::{Balanced, Usage, UsageLoad};

use alloc::vec::Vec;

use super::{occupancy::Occupancy, topsis::Figures};
use crate::{
    config::datacenter::SchedulerMode,
    host::{HostFigures, UnmanagedGuest},
    id::NodeName,
    status::ServiceTable,
};
use usage::Source;

/// The load of the online nodes, by one of the schedulers.
#[derive(Debug, Clone)]
pub(crate) enum Load {
    /// Counts services.
    Basic(BasicLoad),
    /// Looks at cpu and memory: the static and the dynamic scheduler.
    Usage(UsageLoad),
}

impl Load {
    /// The load of the online nodes before any service. What single nodes and services lack is added to `lacking`.
    pub(crate) fn new(
        mode: SchedulerMode,
        online: &[NodeName],
        services: &ServiceTable,
        figures: Option<&HostFigures>,
        lacking: &mut Vec<FiguresError>,
    ) -> Result<Self, FiguresError> {
        let source = match mode {
            SchedulerMode::Basic => return Ok(Self::Basic(BasicLoad::new(online.len()))),
            SchedulerMode::Static => Source::Configured,
            SchedulerMode::Dynamic => Source::Measured,
        };
        let figures = figures.ok_or(FiguresError::Missing)?;
        let sids = services.iter().map(|(sid, _)| sid);
        UsageLoad::new(source, online, sids, figures, lacking).map(Self::Usage)
    }

    /// The numbers of services by which a service is placed, if it is not placed by figures.
    pub(crate) fn counts_for(&self, service: usize) -> Option<&BasicLoad> {
        match self {
            Self::Basic(load) => Some(load),
            Self::Usage(load) => load.counts_for(service),
        }
    }

    /// Begins with what all services use, by position in the table.
    pub(crate) fn fill(&mut self, occupancies: &[Occupancy]) {
        match self {
            Self::Basic(load) => occupancies.iter().for_each(|occupancy| load.add(*occupancy)),
            Self::Usage(load) => load.fill(occupancies),
        }
    }

    /// A service uses other nodes than before.
    pub(crate) fn replace(&mut self, service: usize, old: Occupancy, new: Occupancy) {
        match self {
            Self::Basic(load) => load.replace(old, new),
            Self::Usage(load) => load.replace(service, old, new),
        }
    }

    /// Guests that are not managed run on nodes.
    pub(crate) fn add_unmanaged<'a>(
        &mut self,
        guests: impl Iterator<Item = (&'a UnmanagedGuest, u32)>,
        figures: Option<&HostFigures>,
        lacking: &mut Vec<FiguresError>,
    ) {
        match self {
            Self::Basic(load) => guests.for_each(|(_, node)| load.add(Occupancy::unmanaged(node))),
            Self::Usage(load) => {
                if let Some(figures) = figures {
                    load.add_unmanaged(guests.map(|(guest, node)| (&guest.sid, node)), figures, lacking);
                }
            }
        }
    }

    /// The cost of starting a service on each online node, by position; the lower, the better.
    ///
    /// With the basic scheduler the number of services, with the others the score times −1.
    pub(crate) fn costs(&self, service: usize, room: &mut Vec<Figures>, costs: &mut Vec<f64>) {
        match (self, self.counts_for(service)) {
            (Self::Basic(load), _) | (Self::Usage(_), Some(load)) => load.costs(costs),
            (Self::Usage(load), None) => {
                load.scores(service, room, costs);
                costs.iter_mut().for_each(|score| *score = -*score);
            }
        }
    }
}
