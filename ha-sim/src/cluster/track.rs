//! What became of each service: where it ran, how long it was down, how often it was recovered.

use std::{collections::BTreeMap, time::Duration};

use ha_core::{
    config::RequestedState,
    event::Event,
    id::{NodeName, ServiceId},
    time::Instant,
};

use crate::world::{What, World};

/// What became of a service so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceHistory {
    /// The node that its guest was on first.
    pub began_on: NodeName,
    /// Since when it is not running though it should be.
    pub down_since: Option<Instant>,
    /// How long it was down before that.
    down_before: Duration,
    /// How often it was recovered from a node that was fenced.
    pub recoveries: u32,
    /// Whether a start has ended, well or not: before that it is not down.
    was_started: bool,
}

impl ServiceHistory {
    /// For how long it did not run though it should have: from the end of its first start on, even if that failed, and
    /// only while it was requested to be started.
    #[must_use]
    pub fn downtime(&self, now: Instant) -> Duration {
        let since = self.down_since.map_or(Duration::ZERO, |since| now.since(since));
        self.down_before.saturating_add(since)
    }

    fn update(&mut self, runs: bool, wanted: bool, now: Instant) {
        self.was_started |= runs;
        match self.down_since {
            Some(_) if runs || !wanted => {
                self.down_before = self.downtime(now);
                self.down_since = None;
            }
            None if wanted && !runs && self.was_started => self.down_since = Some(now),
            Some(_) | None => {}
        }
    }
}

/// What became of all services.
#[derive(Debug, Default)]
pub(super) struct Tracks {
    services: BTreeMap<ServiceId, ServiceHistory>,
    /// What had changed when they were last brought up to date.
    seen: Option<(u64, u64)>,
    happenings: usize,
}

impl Tracks {
    pub(super) fn get(&self, sid: &ServiceId) -> Option<&ServiceHistory> {
        self.services.get(sid)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&ServiceId, &ServiceHistory)> {
        self.services.iter()
    }

    /// Takes note of what changed.
    pub(super) fn update(&mut self, world: &World) {
        let now = (world.running_changes(), world.store.edits());
        if self.seen != Some(now) {
            self.seen = Some(now);
            self.update_services(world);
        }
        for happening in world.happenings.get(self.happenings..).unwrap_or_default() {
            match &happening.what {
                What::Core(Event::ServiceRecovered { sid, .. }) => {
                    if let Some(history) = self.services.get_mut(sid) {
                        history.recoveries = history.recoveries.saturating_add(1);
                    }
                }
                What::Core(Event::AgentStartFailed { sid }) => {
                    if let Some(history) = self.services.get_mut(sid) {
                        history.was_started = true;
                        history.down_since.get_or_insert(world.time);
                    }
                }
                What::Core(_) | What::Cluster(_) => {}
            }
        }
        self.happenings = world.happenings.len();
    }

    fn update_services(&mut self, world: &World) {
        for (sid, resource) in &world.store.resources.resources {
            let Some(guest) = world.guests.get(sid) else { continue };
            let history = self.services.entry(sid.clone()).or_insert_with(|| ServiceHistory {
                began_on: guest.node.clone(),
                down_since: None,
                down_before: Duration::ZERO,
                recoveries: 0,
                was_started: false,
            });
            let runs = world.places(sid).next().is_some();
            history.update(runs, resource.state() == RequestedState::Started, world.time);
        }
    }
}
