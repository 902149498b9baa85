//! Whether what is of higher priority comes first: in a recovery, and among what waits for the workers of a node.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use ha_core::{
    config::ResourcesConfig,
    event::Event,
    host::Job,
    id::{NodeName, ServiceId},
    status::StateName,
};

use super::{Invariant, belief::Wrong};
use crate::world::DaemonKind;

/// The turn that each daemon takes: a round of a master, or a look of an LRM at what waits.
#[derive(Debug, Clone, Default)]
pub(super) struct Precedence {
    turns: BTreeMap<(NodeName, DaemonKind), Turn>,
}

#[derive(Debug, Clone)]
struct Turn {
    resources: Arc<ResourcesConfig>,
    /// The last that came, with its priority.
    last: Option<(u32, ServiceId)>,
    /// What was only looked at: if it does not run it is started again at once, whatever waits.
    looked_at: BTreeSet<ServiceId>,
    /// Something kept a service back.
    disturbed: bool,
}

impl Precedence {
    /// A daemon reads the configuration by which it goes in this turn.
    pub(super) fn begins(&mut self, node: &NodeName, daemon: DaemonKind, resources: &Arc<ResourcesConfig>) {
        let resources = resources.clone();
        let turn = Turn { resources, last: None, looked_at: BTreeSet::new(), disturbed: false };
        self.turns.insert((node.clone(), daemon), turn);
    }

    /// The LRM of a node begins another look. It may go by what it has read earlier, as long as it reads nothing.
    pub(super) fn looks_again(&mut self, node: &NodeName) {
        self.turns.remove(&(node.clone(), DaemonKind::Lrm));
    }

    /// The CRM of a node tells what it does.
    #[allow(clippy::wildcard_enum_match_arm, reason = "the others are about no recovery")]
    pub(super) fn tells(&mut self, node: &NodeName, event: &Event) -> Option<Wrong> {
        let turn = self.turns.get_mut(&(node.clone(), DaemonKind::Crm))?;
        match event {
            Event::ServiceRecovered { sid, .. } => turn.comes(sid, "is recovered"),
            // Another node was fenced: all that is in recovery comes once more.
            Event::ServiceState { to: StateName::Recovery, .. } => {
                turn.last = None;
                None
            }
            Event::RecoveryFailed { .. } | Event::HostCallFailed { .. } => {
                turn.disturbed = true;
                None
            }
            _ => None,
        }
    }

    /// The LRM of a node hands a job to the workers.
    pub(super) fn starts(&mut self, node: &NodeName, job: &Job) -> Option<Wrong> {
        let turn = self.turns.get_mut(&(node.clone(), DaemonKind::Lrm))?;
        if job.only_look {
            turn.looked_at.insert(job.sid.clone());
            return None;
        }
        let has_priority = match job.command {
            StateName::Started | StateName::Migrate | StateName::Relocate | StateName::RequestStartBalance => true,
            StateName::Stopped
            | StateName::RequestStop
            | StateName::RequestStart
            | StateName::Fence
            | StateName::Recovery
            | StateName::Freeze
            | StateName::Error => false,
        };
        if !has_priority || turn.looked_at.contains(&job.sid) { None } else { turn.comes(&job.sid, "starts or moves") }
    }
}

impl Turn {
    fn comes(&mut self, sid: &ServiceId, what: &str) -> Option<Wrong> {
        let priority = self.resources.resources.get(sid).map_or(0, |resource| resource.priority());
        let before = self.last.replace((priority, sid.clone()));
        let (lower, other) = before.filter(|(lower, _)| *lower < priority && !self.disturbed)?;
        let details = format!("{sid} of priority {priority} {what} after {other} of priority {lower}");
        Some((Invariant::HigherFirst, details))
    }
}
