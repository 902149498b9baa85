//! Which of the changes of state that the rules allow were taken: chapters K, L and M of `docs/behaviour`.

use std::collections::BTreeMap;

use crate::cluster::Transition;

/// All changes of state that the rules allow: of services, nodes and daemons (`docs/behaviour/manager.md`, `crm.md`, `lrm.md`).
///
/// All but one, which can't be taken: a CRM leaves `lost_manager_lock` in the same iteration in which it got there, so it never
/// becomes master from there.
pub const SPECIFIED: &[Transition] = &[
    ("service", "request_stop", "stopped"),
    ("service", "request_stop", "error"),
    ("service", "request_stop", "fence"),
    ("service", "request_stop", "freeze"),
    ("service", "stopped", "migrate"),
    ("service", "stopped", "relocate"),
    ("service", "stopped", "fence"),
    ("service", "stopped", "request_start"),
    ("service", "stopped", "freeze"),
    ("service", "request_start", "request_start_balance"),
    ("service", "request_start", "started"),
    ("service", "started", "fence"),
    ("service", "started", "request_stop"),
    ("service", "started", "migrate"),
    ("service", "started", "relocate"),
    ("service", "started", "error"),
    ("service", "started", "freeze"),
    ("service", "fence", "migrate"),
    ("service", "fence", "relocate"),
    ("service", "fence", "recovery"),
    ("service", "migrate", "started"),
    ("service", "migrate", "request_stop"),
    ("service", "migrate", "error"),
    ("service", "migrate", "fence"),
    ("service", "relocate", "started"),
    ("service", "relocate", "request_stop"),
    ("service", "relocate", "error"),
    ("service", "relocate", "fence"),
    ("service", "request_start_balance", "started"),
    ("service", "request_start_balance", "request_stop"),
    ("service", "request_start_balance", "error"),
    ("service", "request_start_balance", "fence"),
    ("service", "recovery", "started"),
    ("service", "recovery", "request_stop"),
    ("service", "recovery", "stopped"),
    ("service", "freeze", "started"),
    ("service", "freeze", "request_stop"),
    ("service", "error", "stopped"),
    ("node", "online", "maintenance"),
    ("node", "maintenance", "online"),
    ("node", "unknown", "online"),
    ("node", "online", "unknown"),
    ("node", "maintenance", "unknown"),
    ("node", "unknown", "fence"),
    ("node", "maintenance", "fence"),
    ("node", "fence", "unknown"),
    ("node", "unknown", "gone"),
    ("node", "gone", "online"),
    ("node", "gone", "forgotten"),
    ("disarm", "started", "freeze"),
    ("disarm", "stopped", "freeze"),
    ("disarm", "request_stop", "freeze"),
    ("disarm", "request_start", "freeze"),
    ("disarm", "request_start_balance", "freeze"),
    ("disarm", "disarming", "disarmed"),
    ("daemon", "startup", "wait_for_quorum"),
    ("daemon", "wait_for_quorum", "master"),
    ("daemon", "wait_for_quorum", "slave"),
    ("daemon", "slave", "master"),
    ("daemon", "slave", "wait_for_quorum"),
    ("daemon", "master", "lost_manager_lock"),
    ("daemon", "master", "wait_for_quorum"),
    ("daemon", "lost_manager_lock", "wait_for_quorum"),
    ("daemon", "startup", "wait_for_agent_lock"),
    ("daemon", "wait_for_agent_lock", "active"),
    ("daemon", "active", "lost_agent_lock"),
    ("daemon", "active", "maintenance"),
    ("daemon", "active", "wait_for_agent_lock"),
    ("daemon", "maintenance", "lost_agent_lock"),
    ("daemon", "maintenance", "wait_for_agent_lock"),
    ("daemon", "maintenance", "active"),
    ("daemon", "lost_agent_lock", "active"),
];

/// How often each change of state was taken.
#[derive(Debug, Clone, Default)]
pub struct Coverage(BTreeMap<Transition, u64>);

impl Coverage {
    /// Adds what was taken elsewhere.
    pub fn add(&mut self, taken: &BTreeMap<Transition, u64>) {
        for (transition, times) in taken {
            let count = self.0.entry(*transition).or_default();
            *count = count.saturating_add(*times);
        }
    }

    /// All that were taken, and how often.
    pub fn taken(&self) -> impl Iterator<Item = (Transition, u64)> {
        self.0.iter().map(|(transition, times)| (*transition, *times))
    }

    /// Those that the rules allow and that were not taken.
    pub fn missing(&self) -> impl Iterator<Item = Transition> {
        SPECIFIED.iter().copied().filter(|transition| !self.0.contains_key(transition))
    }

    /// Those that were taken though the rules do not allow them.
    pub fn unspecified(&self) -> impl Iterator<Item = (Transition, u64)> {
        self.taken().filter(|(transition, _)| !SPECIFIED.contains(transition))
    }
}
