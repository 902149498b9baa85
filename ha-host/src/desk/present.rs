//! What the store says of the cluster now.

use std::{collections::BTreeMap, sync::Arc};

use ha_core::{
    config::{Resource, ResourcesConfig},
    host::{Configuration, HostFigures},
    id::{NodeName, ServiceId},
    status::{LrmStatus, ManagerStatus, Timestamp},
    time::Now,
    timing::Timings,
};
use serde::Serialize;

use super::glance::newest_age;
use crate::{
    os::clock,
    store::{
        Beat, ClusterSettings, ConfigurationReader, RecordName, SharedStore, StoreError, StoredConfiguration,
        figures_of, read_manager_status,
    },
};

/// A part of the store that can't be read or understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Broken {
    /// Which part, for people: "the manager status", "the LRM status of node2".
    pub part: String,
    /// What is wrong with it, and what helps.
    pub problem: String,
}

/// What the store says of the cluster at one moment, each part by itself: one that is broken keeps nobody from the others.
#[derive(Debug, Clone)]
pub struct Present {
    /// When it was read.
    pub now: Now,
    /// The cluster's settings. If they can't be understood: the nodes that the manager status knows, with the customary timings.
    pub settings: ClusterSettings,
    /// The manager status; an empty one if there is none, or if it can't be understood.
    pub status: ManagerStatus,
    /// The LRM records of the nodes that have one that can be understood.
    pub lrms: BTreeMap<NodeName, Arc<LrmStatus>>,
    /// The configuration. If it can't be read: what the manager status names, with default properties.
    pub stored: StoredConfiguration,
    /// The last sign of life of each node.
    pub beats: BTreeMap<NodeName, Beat>,
    /// The figures of nodes and guests.
    pub usage: Option<Arc<HostFigures>>,
    /// What could not be read or understood.
    pub broken: Vec<Broken>,
    /// Whether nobody acts unless more than half of the members are there. Otherwise whoever reaches the store may.
    pub needs_majority: bool,
}

impl Present {
    /// Reads it all.
    ///
    /// # Errors
    ///
    /// If the store as a whole gives no answer. A part that can't be read or understood is no error: it is among
    /// [`broken`](Self::broken).
    pub fn read(store: &dyn SharedStore, reader: &ConfigurationReader) -> Result<Self, StoreError> {
        let mut broken = Vec::new();
        let status = manager_status(store, &mut broken)?;
        let settings = settings(store, &status, &mut broken)?;
        let mut lrms = BTreeMap::new();
        for node in settings.nodes.iter().chain(status.nodes.keys()) {
            let record = store.record(&RecordName::Lrm(node.clone()));
            let part = || format!("the LRM status of {node}");
            let Some(content) = part_of(record, part, &mut broken)?.flatten() else { continue };
            match LrmStatus::from_json(&String::from_utf8_lossy(&content)) {
                Ok(record) => drop(lrms.insert(node.clone(), Arc::new(record))),
                Err(error) => note_once(&mut broken, part(), error.to_string()),
            }
        }
        // Asked for once: a store reads a file for each guest.
        let stored = part_of(reader.read(store), || "the configuration".into(), &mut broken)?;
        let beats = part_of(store.beats(), || "the signs of life".into(), &mut broken)?;
        let known = stored.as_ref().zip(beats.as_ref());
        let usage = known.map(|(stored, beats)| Arc::new(figures_of(beats, &stored.guests)));
        let (stored, beats) = (stored.unwrap_or_else(|| stand_in(&status)), beats.unwrap_or_default());
        Ok(Self { now: clock::now(), settings, status, lrms, stored, beats, usage, broken, needs_majority: false })
    }

    /// What is configured.
    #[must_use]
    pub fn configuration(&self) -> &Configuration {
        &self.stored.configuration
    }

    /// Whether the node is there: by the master's record, or, where no master is at work, by its own one. As long as no service is
    /// configured there is no master.
    #[must_use]
    pub fn is_there(&self, node: &NodeName) -> bool {
        let is_recorded = self.status.is_there(node);
        is_recorded
            || !self.has_fresh_master() && self.is_fresh(self.lrms.get(node).and_then(|record| record.timestamp))
    }

    /// Whether a record of this time is a sign of life.
    fn is_fresh(&self, time: Option<Timestamp>) -> bool {
        let age = time.map(|time| self.now.wall.saturating_sub(time));
        let old_after = self.settings.timings.settings().record_old_after.as_secs();
        age.is_some_and(|age| age <= i64::try_from(old_after).unwrap_or(i64::MAX))
    }

    /// Whether the master's record can't be understood.
    #[must_use]
    pub fn status_is_broken(&self) -> bool {
        self.broken.iter().any(|broken| broken.part == MANAGER_STATUS)
    }

    /// Whether the master's record is young enough to be a sign of life.
    #[must_use]
    pub fn has_fresh_master(&self) -> bool {
        self.is_fresh(self.status.timestamp)
    }

    /// Whether the records claim that daemons are at work, and are yet so old that all of these may have died since.
    #[must_use]
    pub fn may_have_died(&self) -> bool {
        let old_after = self.settings.timings.settings().record_old_after.as_secs();
        let old_after = i64::try_from(old_after).unwrap_or(i64::MAX);
        newest_age(self).is_some_and(|age| (1..=old_after).contains(&age))
    }

    /// Where every guest is.
    #[must_use]
    pub fn locations(&self) -> BTreeMap<ServiceId, NodeName> {
        self.stored.guests.iter().map(|(sid, guest)| (sid.clone(), guest.node.clone())).collect()
    }
}

const MANAGER_STATUS: &str = "the manager status";

fn note_once(broken: &mut Vec<Broken>, part: String, problem: String) {
    let noted = Broken { part, problem };
    if !broken.contains(&noted) {
        broken.push(noted);
    }
}

/// A part of the store, or nothing with a note if that part is broken. A store that gives no answer at all is an error.
fn part_of<T>(
    read: Result<T, StoreError>,
    part: impl Fn() -> String,
    broken: &mut Vec<Broken>,
) -> Result<Option<T>, StoreError> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(error @ (StoreError::File { .. } | StoreError::Unreadable { .. })) => {
            note_once(broken, part(), error.to_string());
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn manager_status(store: &dyn SharedStore, broken: &mut Vec<Broken>) -> Result<ManagerStatus, StoreError> {
    let content = part_of(store.record(&RecordName::Manager), || MANAGER_STATUS.into(), broken)?;
    let Some(content) = content.flatten() else { return Ok(ManagerStatus::default()) };
    let read = read_manager_status(&content, &store.record_place(&RecordName::Manager));
    Ok(read.unwrap_or_else(|problem| {
        note_once(broken, MANAGER_STATUS.into(), problem);
        ManagerStatus::default()
    }))
}

fn settings(
    store: &dyn SharedStore,
    status: &ManagerStatus,
    broken: &mut Vec<Broken>,
) -> Result<ClusterSettings, StoreError> {
    let settings = part_of(store.settings(), || "the settings of the cluster".into(), broken)?;
    Ok(settings.unwrap_or_else(|| ClusterSettings {
        nodes: status.nodes.keys().cloned().collect(),
        timings: Timings::default(),
    }))
}

/// What is shown where the configuration can't be read: the services that the master knows.
fn stand_in(status: &ManagerStatus) -> StoredConfiguration {
    let resources = status.services.iter().map(|(sid, _)| (sid.clone(), Resource::new(sid.clone()))).collect();
    let resources = ResourcesConfig { resources, ..ResourcesConfig::default() };
    let guests = status.services.iter().map(|(sid, entry)| (sid.clone(), entry.node.clone())).collect();
    let configuration =
        Configuration { resources: Arc::new(resources), guests: Arc::new(guests), ..Configuration::default() };
    StoredConfiguration { configuration, ..StoredConfiguration::default() }
}
