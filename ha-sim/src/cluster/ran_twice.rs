//! What must always hold: no service runs on two nodes.

use std::{collections::BTreeMap, fmt};

use ha_core::{
    id::{NodeName, ServiceId},
    time::Instant,
};

use crate::world::{Happening, World};

/// A service runs on two nodes, or more, at the same time.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub struct RanTwice {
    /// When it was found.
    pub at: Instant,
    /// The service.
    pub sid: ServiceId,
    /// Where it runs or is being started.
    pub nodes: Vec<NodeName>,
    /// What happened last.
    pub last: Vec<Happening>,
}

/// How many of the last happenings are shown with it.
const LAST: usize = 20;

impl fmt::Display for RanTwice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nodes: Vec<&str> = self.nodes.iter().map(NodeName::as_str).collect();
        let at = self.at.since_start().as_secs_f64();
        write!(f, "after {at} s {} runs on {} at the same time; this happened last:", self.sid, nodes.join(" and "))?;
        for Happening { at, src, what } in &self.last {
            write!(f, "\n{:>10.3} s  {src}: {what}", at.since_start().as_secs_f64())?;
        }
        Ok(())
    }
}

/// Looks for a service that runs, or is being started, on more than one node.
pub(super) fn check(world: &World) -> Result<(), RanTwice> {
    let mut places: BTreeMap<&ServiceId, &NodeName> = BTreeMap::new();
    for (node, sid) in world.occupied() {
        match places.insert(sid, node) {
            Some(other) if other != node => return Err(ran_twice(world, sid)),
            Some(_) | None => {}
        }
    }
    Ok(())
}

fn ran_twice(world: &World, sid: &ServiceId) -> RanTwice {
    let nodes = world.occupied().filter(|(_, other)| *other == sid).map(|(node, _)| node.clone());
    let first = world.happenings.len().saturating_sub(LAST);
    RanTwice {
        at: world.time,
        sid: sid.clone(),
        nodes: nodes.collect(),
        last: world.happenings.get(first..).unwrap_or_default().to_vec(),
    }
}
