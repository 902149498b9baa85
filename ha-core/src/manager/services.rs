//! Which services are managed, and what is configured for them.

use alloc::vec::Vec;

use super::Manager;
use crate::{
    config::RequestedState,
    event::{Event, RemovalReason},
    host::{Configuration, EventSink},
    id::{NodeName, ServiceId},
    rules::effective_failback,
    status::{ServiceEntry, ServiceState},
};

/// What the configuration says of a managed service, as far as a round needs it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts<'a> {
    pub(super) requested: RequestedState,
    pub(super) max_relocate: u32,
    pub(super) failback: bool,
    /// The node on which its guest is configured.
    pub(super) guest_node: Option<&'a NodeName>,
}

/// A service that is not configured is left alone.
impl Default for Facts<'_> {
    fn default() -> Self {
        Self { requested: RequestedState::Ignored, max_relocate: 0, failback: false, guest_node: None }
    }
}

impl<'a> Facts<'a> {
    pub(super) fn of(sid: &ServiceId, configuration: &'a Configuration) -> Self {
        let Some(resource) = configuration.resources.resources.get(sid) else { return Self::default() };
        Self {
            requested: resource.state(),
            max_relocate: resource.max_relocate(),
            failback: effective_failback(resource, &configuration.groups),
            guest_node: configuration.guests.node_of(sid),
        }
    }
}

impl Manager {
    /// Adds what is configured and has no entry, and removes what is no longer to be managed; not while HA is
    /// disarmed. Says whether there was anything to do.
    pub(super) fn update_services(
        &mut self,
        configuration: &Configuration,
        sink: &mut (impl EventSink + ?Sized),
    ) -> bool {
        if self.status.is_disarmed() {
            return false;
        }
        let new = self.new_services(configuration, sink);
        let gone: Vec<(ServiceId, RemovalReason)> = self
            .status
            .services
            .iter()
            .filter_map(|(sid, _)| Some((sid.clone(), removal_reason(sid, configuration)?)))
            .collect();
        let changed = !new.is_empty() || !gone.is_empty();
        self.status.services.extend(new);
        for (sid, reason) in &gone {
            sink.event(Event::ServiceRemoved { sid: sid.clone(), reason: *reason });
        }
        let gone: Vec<ServiceId> = gone.into_iter().map(|(sid, _)| sid).collect();
        self.status.services.remove_all(&gone);
        changed
    }

    /// The entries of services that are configured and have none, in the order of their SIDs.
    fn new_services(
        &mut self,
        configuration: &Configuration,
        sink: &mut (impl EventSink + ?Sized),
    ) -> Vec<(ServiceId, ServiceEntry)> {
        let resources = &configuration.resources.resources;
        self.not_found.retain(|sid| resources.contains_key(sid) && configuration.guests.node_of(sid).is_none());
        let mut new = Vec::new();
        for (sid, resource) in resources {
            let state = match resource.state() {
                RequestedState::Started => ServiceState::RequestStart,
                RequestedState::Stopped | RequestedState::Disabled => ServiceState::RequestStop { timeout: None },
                RequestedState::Ignored => continue,
            };
            if self.status.services.contains(sid) {
                continue;
            }
            let Some(node) = configuration.guests.node_of(sid) else {
                if self.not_found.insert(sid.clone()) {
                    sink.event(Event::ServiceNotFound { sid: sid.clone() });
                }
                continue;
            };
            new.push((sid.clone(), ServiceEntry::new(state, node.clone())));
        }
        new.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        for (sid, entry) in &mut new {
            entry.uid = Some(self.uids.next());
            sink.event(Event::ServiceAdded { sid: sid.clone(), node: entry.node.clone() });
        }
        new
    }
}

fn removal_reason(sid: &ServiceId, configuration: &Configuration) -> Option<RemovalReason> {
    match configuration.resources.resources.get(sid).map(|resource| resource.state()) {
        None => Some(RemovalReason::NoConfig),
        Some(RequestedState::Ignored) => Some(RemovalReason::Ignored),
        Some(RequestedState::Started | RequestedState::Stopped | RequestedState::Disabled) => None,
    }
}
