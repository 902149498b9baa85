//! Which services are managed, and what is configured for them.

use alloc::{collections::BTreeSet, sync::Arc, vec::Vec};
use core::cmp::Reverse;

use super::{Manager, RoundInput};
use crate::{
    config::{GroupsConfig, RequestedState, Resource, ResourcesConfig},
    event::{Event, RemovalReason},
    host::{Configuration, EventSink},
    id::ServiceId,
    rules::effective_failback,
    status::{ServiceEntry, ServiceState, ServiceTable},
};

/// What the configuration says of a managed service, as far as a round needs it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts {
    pub(super) requested: RequestedState,
    pub(super) max_relocate: u32,
    /// After how many seconds failed starts count no more.
    pub(super) failure_timeout: Option<u32>,
    /// Whether it has a probe, by which it is seen whether it is ready.
    pub(super) has_probe: bool,
    pub(super) failback: bool,
    /// For how many seconds a node of higher priority must have been well before it goes back there.
    pub(super) failback_delay: Option<u32>,
    /// Whether automatic balancing may move it.
    pub(super) auto_rebalance: bool,
}

/// A service that is not configured is left alone.
impl Default for Facts {
    fn default() -> Self {
        Self {
            requested: RequestedState::Ignored,
            max_relocate: 0,
            failure_timeout: None,
            has_probe: false,
            failback: true,
            failback_delay: None,
            auto_rebalance: true,
        }
    }
}

impl Facts {
    fn of(resource: &Resource, configuration: &Configuration) -> Self {
        Self {
            requested: resource.state(),
            max_relocate: resource.max_relocate(),
            failure_timeout: resource.failure_timeout(),
            has_probe: resource.probe.is_some(),
            failback: effective_failback(resource, &configuration.groups),
            failback_delay: resource.failback_delay(),
            auto_rebalance: resource.auto_rebalance(),
        }
    }
}

/// What is managed, as it follows from the configuration that was last looked at.
#[derive(Debug, Clone, Default)]
pub(super) struct ManagedServices {
    resources: Option<Arc<ResourcesConfig>>,
    /// The groups that were last looked at.
    groups: Arc<GroupsConfig>,
    /// What is configured for each service of the status.
    facts: Vec<Facts>,
    /// The services of the status in the order in which they take steps: first those of the highest priority, then by SID. Empty where
    /// none has a priority, so that they go by SID alone.
    order: Vec<usize>,
    /// The longest delay with which one of them goes back to a node of higher priority.
    longest_failback_delay: Option<u32>,
    /// Configured services whose guest no node has: each is reported once.
    not_found: BTreeSet<ServiceId>,
}

impl ManagedServices {
    /// Whether nothing can have changed since the status was last brought up to date.
    fn is_up_to_date(&self, configuration: &Configuration) -> bool {
        self.not_found.is_empty()
            && self
                .resources
                .as_ref()
                .is_some_and(|resources| ResourcesConfig::is_same(resources, &configuration.resources))
            && GroupsConfig::is_same(&self.groups, &configuration.groups)
    }

    /// Takes note of what is configured for each service; `settled` if the status was brought up to date with it.
    fn index(&mut self, configuration: &Configuration, services: &ServiceTable, settled: bool) {
        self.resources = settled.then(|| configuration.resources.clone());
        self.groups = configuration.groups.clone();
        let resources: Vec<Option<&Resource>> =
            services.iter().map(|(sid, _)| configuration.resources.resources.get(sid)).collect();
        let facts = |resource: &Option<&Resource>| resource.map(|resource| Facts::of(resource, configuration));
        self.facts = resources.iter().map(|resource| facts(resource).unwrap_or_default()).collect();
        self.order = by_priority(&resources);
        self.longest_failback_delay = self.facts.iter().filter_map(|facts| facts.failback_delay).max();
    }

    /// The positions of the services in the order in which they take steps; empty if that is the order of the status.
    pub(super) fn order(&self) -> &[usize] {
        &self.order
    }

    /// The longest delay with which a service goes back to a node of higher priority; `None` if none has one.
    pub(super) fn longest_failback_delay(&self) -> Option<u32> {
        self.longest_failback_delay
    }

    /// What is configured for each service of the status, in its order.
    pub(super) fn facts(&self) -> &[Facts] {
        &self.facts
    }
}

impl Manager {
    /// Adds what is configured and has no entry, and removes what is no longer to be managed; not while HA is
    /// disarmed. Says whether a service was added or removed.
    pub(super) fn update_services(
        &mut self,
        input: &RoundInput,
        configuration: &Configuration,
        sink: &mut (impl EventSink + ?Sized),
    ) -> bool {
        if self.services.is_up_to_date(configuration) {
            return false;
        }
        let armed = !self.status.is_disarmed();
        let changed = armed && self.add_and_remove_services(input, configuration, sink);
        self.services.index(configuration, &self.status.services, armed);
        changed
    }

    fn add_and_remove_services(
        &mut self,
        input: &RoundInput,
        configuration: &Configuration,
        sink: &mut (impl EventSink + ?Sized),
    ) -> bool {
        let new = self.new_services(configuration, sink);
        self.expect_guards_of_added(&new, input);
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
        self.status.may_run.retain(|sid| !gone.contains(sid));
        changed
    }

    /// Reports the entries that can't be understood, each once.
    pub(super) fn report_not_understood(&mut self, sink: &mut (impl EventSink + ?Sized)) {
        if self.not_understood == self.status.not_understood {
            return;
        }
        for entry in self.status.not_understood.iter().filter(|entry| !self.not_understood.contains(entry)) {
            sink.event(Event::ServiceNotUnderstood {
                sid: entry.sid().into(),
                field: entry.field().into(),
                reason: entry.reason().into(),
            });
        }
        self.not_understood.clone_from(&self.status.not_understood);
    }

    /// What is managed from now on may run already, without a watchdog. Its node may be cut off, or may have been reset since its
    /// LRM wrote that it has its lock.
    fn expect_guards_of_added(&mut self, new: &[(ServiceId, ServiceEntry)], input: &RoundInput) {
        if new.is_empty() {
            return;
        }
        let running: BTreeSet<&ServiceId> =
            input.unmanaged.iter().filter(|guest| guest.running).map(|guest| &guest.sid).collect();
        for (sid, entry) in new {
            if running.contains(sid) {
                self.guards.mark_arrival(&entry.node, &mut self.status, input);
            }
        }
    }

    /// The entries of services that are configured and have none, in the order of their SIDs.
    fn new_services(
        &mut self,
        configuration: &Configuration,
        sink: &mut (impl EventSink + ?Sized),
    ) -> Vec<(ServiceId, ServiceEntry)> {
        let resources = &configuration.resources.resources;
        self.services
            .not_found
            .retain(|sid| resources.contains_key(sid) && configuration.guests.node_of(sid).is_none());
        let mut new = Vec::new();
        for (sid, resource) in resources {
            let state = match resource.state() {
                RequestedState::Started => ServiceState::RequestStart,
                RequestedState::Stopped | RequestedState::Disabled => ServiceState::RequestStop { timeout: None },
                RequestedState::Ignored => continue,
            };
            // What can't be understood may run, wherever: it is no new service.
            if self.status.services.contains(sid) || self.status.problem_of(sid).is_some() {
                continue;
            }
            let Some(node) = configuration.guests.node_of(sid) else {
                if self.services.not_found.insert(sid.clone()) {
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

/// The positions of services with what is of higher priority first; empty where none has a priority.
fn by_priority(resources: &[Option<&Resource>]) -> Vec<usize> {
    let priority = |resource: &Option<&Resource>| resource.map_or(0, Resource::priority);
    if resources.iter().all(|resource| priority(resource) == 0) {
        return Vec::new();
    }
    let mut order: Vec<usize> = (0..resources.len()).collect();
    order.sort_by_cached_key(|service| Reverse(resources.get(*service).map_or(0, priority)));
    order
}

fn removal_reason(sid: &ServiceId, configuration: &Configuration) -> Option<RemovalReason> {
    match configuration.resources.resources.get(sid).map(|resource| resource.state()) {
        None => Some(RemovalReason::NoConfig),
        Some(RequestedState::Ignored) => Some(RemovalReason::Ignored),
        Some(RequestedState::Started | RequestedState::Stopped | RequestedState::Disabled) => None,
    }
}
