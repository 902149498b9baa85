//! How this node's daemons are, in the line that `systemctl status` shows.

use std::sync::{Arc, Mutex, PoisonError};

use ha_core::{crm::Crm, lrm::Lrm, status::LrmMode};

/// The states of both daemons, as each said last.
#[derive(Debug, Clone, Default)]
pub(super) struct Standing(Arc<Mutex<States>>);

#[derive(Debug, Default)]
struct States {
    crm: &'static str,
    lrm: &'static str,
    /// Unless the LRM just works.
    mode: Option<&'static str>,
}

impl Standing {
    pub(super) fn of_crm(&self, crm: &Crm) {
        self.states(|states| states.crm = crm.state().as_str());
    }

    pub(super) fn of_lrm(&self, lrm: &Lrm) {
        let mode = (lrm.mode() != LrmMode::Active).then(|| lrm.mode().as_str());
        self.states(|states| (states.lrm, states.mode) = (lrm.state().as_str(), mode));
    }

    fn states<T>(&self, with: impl FnOnce(&mut States) -> T) -> T {
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// In words, with what guards the node.
    pub(super) fn line(&self, guarded_by: &str) -> String {
        self.states(|States { crm, lrm, mode }| {
            let mode = mode.map(|mode| format!(" ({mode})")).unwrap_or_default();
            format!("CRM {crm}, LRM {lrm}{mode}; guarded by {guarded_by}").replace('_', " ")
        })
    }
}
