//! How this node's daemons are, in the line that `systemctl status` shows.

use std::sync::{Arc, Mutex, PoisonError};

use ha_core::{crm::Crm, lrm::Lrm, status::LrmMode};

/// As long as they have said nothing.
pub(super) const BEGINS: &str = "begins to work";

/// The states of both daemons, as each said last.
#[derive(Debug, Clone, Default)]
pub(super) struct Standing(Arc<Mutex<States>>);

#[derive(Debug, Default)]
struct States {
    crm: Option<&'static str>,
    lrm: Option<&'static str>,
    /// Unless the LRM just works.
    mode: Option<&'static str>,
}

impl Standing {
    pub(super) fn of_crm(&self, crm: &Crm) {
        self.states(|states| states.crm = Some(crm.state().as_str()));
    }

    pub(super) fn of_lrm(&self, lrm: &Lrm) {
        let mode = (lrm.mode() != LrmMode::Active).then(|| lrm.mode().as_str());
        self.states(|states| (states.lrm, states.mode) = (Some(lrm.state().as_str()), mode));
    }

    fn states<T>(&self, with: impl FnOnce(&mut States) -> T) -> T {
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// In words, with what guards the node.
    pub(super) fn line(&self, guarded_by: &str) -> String {
        self.states(|States { crm, lrm, mode }| {
            let (Some(crm), Some(lrm)) = (crm, lrm) else { return BEGINS.to_owned() };
            let mode = mode.map(|mode| format!(" ({mode})")).unwrap_or_default();
            let daemons = format!("CRM {crm}, LRM {lrm}{mode}").replace('_', " ");
            format!("{daemons}; guarded by {guarded_by}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_nothing_of_daemons_that_have_said_nothing() {
        let standing = Standing::default();
        let device = "'iTCO_wdt' (driver iTCO_wdt)";
        assert_eq!(standing.line(device), "begins to work");
        standing.states(|states| states.crm = Some("wait_for_quorum"));
        assert_eq!(standing.line(device), "begins to work", "a store that hangs may keep the other one for long");
        standing.states(|states| states.lrm = Some("wait_for_agent_lock"));
        let line = "CRM wait for quorum, LRM wait for agent lock; guarded by 'iTCO_wdt' (driver iTCO_wdt)";
        assert_eq!(standing.line(device), line, "a device has the name that it has");
    }
}
