//! Truth beside belief: what the records claim, compared with what the virtual cluster knows.
//!
//! A wrong belief is a failure at once, long before it makes a service run twice.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use ha_core::{
    config::{RequestedState, ResourcesConfig},
    host::{Configuration, Guests},
    id::{NodeName, ServiceId, Uid},
    status::{DisarmMode, LrmMode, LrmState, ManagerStatus, ServiceEntry, ServiceState, StateName},
};
use rustc_hash::FxBuildHasher;

use super::Invariant;
use crate::world::{Node, World};

/// What does not hold, with what was seen.
pub(super) type Wrong = (Invariant, String);

/// What was read and written, as far as that is needed to judge what is claimed.
#[derive(Debug, Clone, Default)]
pub(super) struct Beliefs {
    /// What was compared last.
    compared: Compared,
    /// The manager status that each CRM read or wrote last.
    read: BTreeMap<NodeName, Option<Arc<ManagerStatus>>>,
    /// The configuration that each CRM read last.
    configured: BTreeMap<NodeName, (Arc<ResourcesConfig>, Arc<Guests>)>,
    /// Every request id that was ever written, with the service that it belongs to.
    requests: HashMap<Uid, ServiceId, FxBuildHasher>,
    /// The manager status was written by a node that does not hold the manager lock, which may happen while HA is disarmed: for one round
    /// its content is an old one.
    overwritten: bool,
}

/// Nothing that the comparison looks at has changed as long as this is the same.
#[derive(Debug, Clone, Default)]
struct Compared {
    running: u64,
    guarded: u64,
    status: Option<Arc<ManagerStatus>>,
}

impl Compared {
    fn of(world: &World) -> Self {
        let bits = world.nodes.values().map(|node| u64::from(node.is_guarded()));
        Self {
            running: world.running_changes(),
            guarded: bits.fold(1, |bits, bit| bits.wrapping_shl(1) | bit),
            status: world.store.manager_status.clone(),
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        self.running == other.running && self.guarded == other.guarded && is_same(&self.status, &other.status)
    }
}

fn is_same(one: &Option<Arc<ManagerStatus>>, other: &Option<Arc<ManagerStatus>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

impl Beliefs {
    /// Compares what the manager status claims with what runs and what guards it.
    pub(super) fn compare(&mut self, world: &World) -> Option<Wrong> {
        let now = Compared::of(world);
        if self.compared.is_same(&now) {
            return None;
        }
        self.compared = now;
        let status = world.store.manager_status.as_deref()?;
        // While HA is disarmed nothing is guarded, and nothing is started elsewhere.
        if status.disarm.is_some() {
            return None;
        }
        world.occupied().find_map(|(node, sid)| {
            let entry = status.services.get(sid).filter(|_| is_wanted(world, sid))?;
            let hardware = world.nodes.get(node)?;
            wrong_mark(node, sid, entry, hardware, status)
                .or_else(|| unknown_to_run(node, sid, entry, hardware, status))
        })
    }

    /// A CRM has read the manager status, as it is in the store or as its node saw it last.
    pub(super) fn has_read(&mut self, node: &NodeName, status: Option<Arc<ManagerStatus>>) {
        self.read.insert(node.clone(), status);
    }

    pub(super) fn has_read_configuration(&mut self, node: &NodeName, configuration: &Configuration) {
        let Configuration { resources, guests, .. } = configuration;
        self.configured.insert(node.clone(), (resources.clone(), guests.clone()));
    }

    /// A CRM is about to write the manager status. `excused`: HA is disarmed, so no watchdog keeps a master that was stopped for longer
    /// than its lock lasted from doing that.
    pub(super) fn writes(
        &mut self,
        node: &NodeName,
        status: &ManagerStatus,
        excused: bool,
        world: &World,
    ) -> Option<Wrong> {
        let before = world.store.manager_status.as_ref();
        let is_newest = self.read.get(node).is_some_and(|read| is_same(read, &before.cloned()));
        let excused = std::mem::replace(&mut self.overwritten, excused && !is_newest) || excused;
        let reused = self.reused_request(before.map(|status| &**status), status);
        if excused {
            return None;
        }
        if !is_newest {
            let details = format!("{node} writes the manager status without having read the newest one");
            return Some((Invariant::WrittenFromNewest, details));
        }
        let nothing = ManagerStatus::default();
        reused
            .or_else(|| damaged_dropped(before.map_or(&nothing, |status| status), status))
            .or_else(|| recovered_elsewhere(before.map_or(&nothing, |status| status), status, world))
            .or_else(|| self.not_taken_up(node, status, world))
    }

    /// Takes note of all new request ids, and gives one that no longer stands for what it did.
    fn reused_request(&mut self, before: Option<&ManagerStatus>, status: &ManagerStatus) -> Option<Wrong> {
        let mut wrong = None;
        for (sid, entry) in status.services.iter() {
            let Some(uid) = &entry.uid else { continue };
            let known = before.and_then(|before| before.services.get(sid)).filter(|known| known.uid == entry.uid);
            let problem = match known {
                Some(known) => (!is_same_request(known, entry, status))
                    .then(|| format!("{uid} of {sid} was {:?} on {}", known.state, known.node)),
                None => self
                    .requests
                    .insert(uid.clone(), sid.clone())
                    .map(|whose| format!("{uid} of {sid} was a request of {whose} before, and was replaced")),
            };
            wrong = wrong.or(problem.map(|problem| (Invariant::RequestNamesOne, problem)));
        }
        wrong
    }

    /// A service that is configured, and whose guest the master could see, has an entry.
    fn not_taken_up(&self, node: &NodeName, status: &ManagerStatus, world: &World) -> Option<Wrong> {
        let (resources, guests) = self.configured.get(node)?;
        let is_present = resources.digest == world.store.resources.digest;
        if status.is_disarmed() || !is_present {
            return None;
        }
        let forgotten = resources.resources.iter().find(|(sid, resource)| {
            resource.state() != RequestedState::Ignored
                && !status.services.contains(sid)
                && status.problem_of(sid).is_none()
                && guests.node_of(sid).is_some()
        });
        let (sid, _) = forgotten?;
        Some((Invariant::ConfiguredIsKnown, format!("{sid} is configured but has no entry")))
    }
}

/// A node that is not marked `unguarded` runs nothing without something that resets it in time.
fn wrong_mark(
    node: &NodeName,
    sid: &ServiceId,
    entry: &ServiceEntry,
    hardware: &Node,
    status: &ManagerStatus,
) -> Option<Wrong> {
    let here = entry.node == *node || entry.state.target() == Some(node);
    let left_alone = matches!(entry.state, ServiceState::Freeze | ServiceState::Error);
    let is_wrong = here && !left_alone && !hardware.is_guarded() && !status.unguarded.contains(node);
    let details =
        || format!("{sid} runs in {} on {node}, where nothing guards it, and nobody knows", entry.state.name());
    is_wrong.then(|| (Invariant::UnguardedIsMarked, details()))
}

/// A service that runs though it is in `error` or `stopped` is in `may_run`. On a node that is about to be reset, a job of an LRM that was
/// killed may still start one.
fn unknown_to_run(
    node: &NodeName,
    sid: &ServiceId,
    entry: &ServiceEntry,
    hardware: &Node,
    status: &ManagerStatus,
) -> Option<Wrong> {
    let is_over = matches!(entry.state, ServiceState::Error | ServiceState::Stopped);
    let is_wrong =
        is_over && entry.node == *node && hardware.abandoned_watchdog.is_none() && !status.may_run.contains(sid);
    is_wrong.then(|| {
        let details = format!("{sid} runs on {node} in {}, and nobody knows that it may", entry.state.name());
        (Invariant::MayRunIsKnown, details)
    })
}

/// Whether an entry asks for the same as the one before it that has its request id.
fn is_same_request(before: &ServiceEntry, after: &ServiceEntry, status: &ManagerStatus) -> bool {
    // Disarming leaves entries their ids, and removes from them what nobody works on any more.
    let is_stripped = || status.disarm.as_ref().is_some_and(|disarm| disarm.mode == DisarmMode::Ignore);
    let names = (before.state.name(), after.state.name());
    before.node == after.node
        && match names {
            (StateName::RequestStartBalance, StateName::RequestStart) => is_stripped(),
            (one, other) => {
                one == other
                    && before.state.target() == after.state.target()
                    && (before.state.timeout() == after.state.timeout() || is_stripped())
            }
        }
}

/// An entry that can't be understood is kept letter by letter.
fn damaged_dropped(before: &ManagerStatus, status: &ManagerStatus) -> Option<Wrong> {
    let dropped = before.not_understood.iter().find(|entry| !status.not_understood.contains(entry))?;
    let details = format!("the entry of {}, which can't be understood, is changed or gone", dropped.sid());
    Some((Invariant::NotUnderstoodIsKept, details))
}

/// A service that comes out of `recovery` goes on where its guest is configured.
fn recovered_elsewhere(before: &ManagerStatus, status: &ManagerStatus, world: &World) -> Option<Wrong> {
    // It may go from `fence` through `recovery` in one round.
    let waits = |entry: &&ServiceEntry| matches!(entry.state, ServiceState::Recovery | ServiceState::Fence);
    before.services.iter().filter(|(_, entry)| waits(entry)).find_map(|(sid, was)| {
        let entry = status.services.get(sid).filter(|entry| entry.node != was.node)?;
        let guest = world.guests.get(sid).filter(|guest| guest.node == was.node)?;
        let details = format!("{sid} is recovered on {}, and its guest is still on {}", entry.node, guest.node);
        Some((Invariant::RecoveredWhereItIs, details))
    })
}

/// Where an LRM closes its watchdog while something may run, its record does not say that it holds its lock.
pub(super) fn untold(node: &NodeName, world: &World) -> Option<Wrong> {
    let status = world.store.manager_status.as_deref()?;
    let record = world.store.lrm_status.get(node)?;
    let lets_go = matches!(record.mode, LrmMode::Disarm | LrmMode::Restart);
    let says_it_holds = record.state == LrmState::Active && !lets_go;
    if status.disarm.is_some() || status.unguarded.contains(node) || !says_it_holds {
        return None;
    }
    let mut running = world.occupied().filter(|(other, sid)| *other == node && is_managed(world, sid));
    let (_, sid) = running.find(|(_, sid)| {
        let entry = status.services.get(sid);
        entry.is_some_and(|entry| {
            entry.node == *node && matches!(entry.state, ServiceState::Error | ServiceState::Stopped)
        })
    })?;
    let details = format!("the LRM of {node} closes its watchdog, and its record says that it guards {sid}");
    Some((Invariant::LetGoIsTold, details))
}

/// Whether HA must look after a service.
pub(super) fn is_wanted(world: &World, sid: &ServiceId) -> bool {
    let resource = world.store.resources.resources.get(sid);
    resource.is_some_and(|resource| resource.state() != RequestedState::Ignored)
}

/// Whether HA looks after a service.
pub(super) fn is_managed(world: &World, sid: &ServiceId) -> bool {
    is_wanted(world, sid) && world.store.manager_status.as_ref().is_some_and(|status| status.services.contains(sid))
}
