//! The figures of nodes and guests.

use ha_core::{
    config::{RequestedState, datacenter::SchedulerMode},
    host::{HostFigures, NodeFigures, ServiceFigures, UnmanagedGuest},
};

use super::{Guest, World};

/// The size of a node where the dynamic scheduler needs one and none is given.
const DEFAULT_CORES: f64 = 24.0;
const DEFAULT_MEMORY: u64 = 131_072 << 20;

impl World {
    /// All guests, each with whether it runs; the core leaves out those that it manages.
    #[must_use]
    pub fn unmanaged_services(&self) -> Vec<UnmanagedGuest> {
        let resources = &self.store.resources.resources;
        let is_started = |sid| resources.get(sid).is_some_and(|resource| resource.state() == RequestedState::Started);
        let running = |sid, guest: &Guest| match self.physics.job_times {
            // As the recorded scenarios have it, for nodes that can be reached.
            None => is_started(sid) && self.is_online(&guest.node),
            Some(_) => self.runs(sid, &guest.node),
        };
        let guests = self.guests.iter().map(|(sid, guest)| UnmanagedGuest {
            sid: sid.clone(),
            node: guest.node.clone(),
            running: running(sid, guest),
        });
        guests.collect()
    }

    /// The sizes of nodes and guests, and what they use: a node as much as the guests that run on it.
    #[must_use]
    pub fn usage(&self) -> HostFigures {
        let sizes_are_needed = self.store.datacenter.scheduler.mode == SchedulerMode::Static;
        let nodes = self.nodes.iter().map(|(name, node)| {
            let running = self.running.get(name).into_iter().flatten();
            let running = running.filter_map(|sid| self.guests.get(sid));
            let (cpu, memory) = running
                .fold((0.0, 0_u64), |(cpu, memory), guest| (cpu + guest.cpu, memory.saturating_add(guest.memory)));
            let (cores, bytes) = if sizes_are_needed { (0.0, 0) } else { (DEFAULT_CORES, DEFAULT_MEMORY) };
            let figures = NodeFigures {
                max_cpu: node.max_cpu.unwrap_or(cores),
                max_memory: node.max_memory.unwrap_or(bytes),
                cpu,
                memory,
            };
            (name.clone(), figures)
        });
        let services = self.guests.iter().map(|(sid, guest)| {
            let figures = ServiceFigures {
                max_cpu: guest.max_cpu,
                max_memory: guest.max_memory,
                cpu: guest.cpu,
                memory: guest.memory,
            };
            (sid.clone(), figures)
        });
        HostFigures { nodes: nodes.collect(), services: services.collect() }
    }
}
