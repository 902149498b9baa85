//! The resource agents of the virtual cluster.

use ha_core::{
    event::{AgentOperation, Event},
    host::{Agent, EventSink, HostError},
    id::{NodeName, ServiceId},
    status::Motion,
};

use super::{FailureScript, Guest, View};

/// The agents on the node of a view.
pub(super) struct NodeAgent<'v, 'w> {
    view: &'v mut View<'w>,
}

/// Types that have an agent.
const TYPES: [&str; 3] = ["ct", "fa", "vm"];

impl<'v, 'w> NodeAgent<'v, 'w> {
    pub(super) fn new(view: &'v mut View<'w>) -> Self {
        Self { view }
    }

    fn guest(&mut self, sid: &ServiceId) -> Result<&mut Guest, HostError> {
        self.view.world.guests.get_mut(sid).ok_or_else(|| HostError::new(format!("no guest {sid}")))
    }

    fn runs_here(&self, sid: &ServiceId) -> bool {
        self.view.world.runs(sid, &self.view.node)
    }

    fn set_running_here(&mut self, sid: &ServiceId, runs: bool) {
        let node = self.view.node.clone();
        self.view.world.set_running(sid, &node, runs);
    }

    /// Refuses, with an event, if the guest is locked.
    fn check_lock(&mut self, sid: &ServiceId, op: AgentOperation) -> Result<(), HostError> {
        match self.guest(sid)?.lock.clone() {
            Some(lock) => {
                self.event(Event::ServiceLocked { sid: sid.clone(), lock, op });
                Err(HostError::new("the guest is locked"))
            }
            None => Ok(()),
        }
    }

    fn script(&self, sid: &ServiceId) -> Option<FailureScript> {
        FailureScript::of(sid)
    }
}

/// Counts a failure that a script asks for. Says whether to fail; after the last failure the count begins anew.
fn fails(count: &mut u32, failures: u32) -> bool {
    if *count < failures {
        *count = count.saturating_add(1);
        true
    } else {
        *count = 0;
        false
    }
}

impl EventSink for NodeAgent<'_, '_> {
    fn event(&mut self, event: Event) {
        self.view.event(event);
    }
}

impl Agent for NodeAgent<'_, '_> {
    fn knows_type(&mut self, service_type: &str) -> bool {
        TYPES.contains(&service_type)
    }

    fn guest_node(&mut self, sid: &ServiceId) -> Result<Option<NodeName>, HostError> {
        Ok(self.view.world.guests.get(sid).map(|guest| guest.node.clone()))
    }

    fn is_running(&mut self, sid: &ServiceId) -> Result<bool, HostError> {
        Ok(self.runs_here(sid))
    }

    fn start(&mut self, sid: &ServiceId) -> Result<(), HostError> {
        let node = self.view.node.clone();
        let script = self.script(sid).filter(|script| script.applies_to(&node));
        if let Some(script) = script
            && fails(&mut self.guest(sid)?.failed_starts, script.starts)
        {
            return Err(HostError::new("fails on purpose"));
        }
        self.check_lock(sid, AgentOperation::Start)?;
        self.set_running_here(sid, true);
        Ok(())
    }

    fn stop(&mut self, sid: &ServiceId, _: Option<u32>) -> Result<(), HostError> {
        if self.script(sid).is_some_and(|script| script.stop) {
            return Err(HostError::new("fails on purpose"));
        }
        self.check_lock(sid, AgentOperation::Shutdown)?;
        self.set_running_here(sid, false);
        Ok(())
    }

    fn move_to(&mut self, sid: &ServiceId, target: &NodeName, motion: Motion) -> Result<(), HostError> {
        let node = self.view.node.clone();
        let script = self.script(sid).filter(|script| script.applies_to(&node));
        if let Some(script) = script
            && fails(&mut self.guest(sid)?.failed_moves, script.moves)
        {
            return Err(HostError::new("fails on purpose"));
        }
        let (sid, target) = (sid.clone(), target.clone());
        let mut task = motion;
        if motion == Motion::Migrate && sid.service_type() == "ct" && self.runs_here(&sid) {
            self.event(Event::LiveMigrationUnsupported { sid: sid.clone() });
            task = Motion::Relocate;
        }
        self.event(Event::AgentMoveStarted { sid: sid.clone(), task, target: target.clone() });
        let operation = match task {
            Motion::Migrate => AgentOperation::Migrate,
            Motion::Relocate => AgentOperation::Relocate,
        };
        self.check_lock(&sid, operation)?;
        if task == Motion::Relocate && self.runs_here(&sid) {
            self.event(Event::AgentStopping { sid: sid.clone(), for_relocate: true, timeout: None });
            self.stop(&sid, None)?;
            self.event(Event::AgentStopped { sid: sid.clone() });
        }
        self.set_running_here(&sid, false);
        self.guest(&sid)?.node = target.clone();
        self.event(Event::AgentMoveEnded { sid, task, target });
        Ok(())
    }
}
