//! All agents of a node: which one runs a guest is said by the guest's definition.

use std::{io, sync::Arc, time::Duration};

use ha_core::{
    event::{AgentOperation, Event},
    host::{Agent, EventSink, HostError, Job, ProbeProgress},
    id::{NodeName, ServiceId, ServiceTypes},
    status::{Motion, StateName},
};

use super::{
    Failures, SharedSink,
    kind::{AnyAgent, Complaints, Workplace},
    kinds::Kinds,
};
use crate::{
    store::{GuestDefinition, Store},
    workers::Interruptible,
};

/// All agents of a node. Which one runs a guest is said by the guest's definition.
#[derive(Clone)]
pub struct NodeAgents {
    store: Arc<dyn Store>,
    node: NodeName,
    kinds: Kinds,
    types: ServiceTypes,
    agents: Vec<Arc<dyn AnyAgent>>,
    sink: Arc<dyn SharedSink>,
    failures: Failures,
}

impl NodeAgents {
    /// The agents of a node, for guests of these kinds.
    #[must_use]
    pub fn new(kinds: &Kinds, place: &Workplace, sink: Arc<dyn SharedSink>) -> Self {
        Self {
            store: place.store.clone(),
            node: place.node.clone(),
            kinds: kinds.clone(),
            types: kinds.service_types(),
            agents: kinds.agents_at(place),
            sink,
            failures: Failures::default(),
        }
    }

    /// The kinds of guests that they run.
    #[must_use]
    pub fn kinds(&self) -> &Kinds {
        &self.kinds
    }

    /// Begins what the agents have to do beside jobs, as long as what this gives is kept: they look at the store every `interval`.
    /// `complaints` makes somebody for each of them to tell what goes wrong.
    ///
    /// # Errors
    ///
    /// If no thread can be started.
    pub fn attend(&self, interval: Duration, complaints: impl Fn() -> Complaints) -> io::Result<Vec<Box<dyn Send>>> {
        let begun: io::Result<Vec<_>> = self.agents.iter().map(|agent| agent.attend(interval, complaints())).collect();
        Ok(begun?.into_iter().flatten().collect())
    }

    /// Why the last jobs of services did not work, as far as they did not. It goes on being kept up to date.
    #[must_use]
    pub fn failures(&self) -> Failures {
        self.failures.clone()
    }

    /// The guest, if it is configured here and no lock keeps others away from it.
    fn guest(&mut self, sid: &ServiceId, op: AgentOperation) -> Result<GuestDefinition, HostError> {
        let guest = self.store.guest(sid)?.ok_or_else(|| HostError::new(format!("there is no guest {sid}")))?;
        if guest.node != self.node {
            return Err(HostError::new(format!("guest {sid} is configured on node {}", guest.node)));
        }
        match guest.lock.clone() {
            Some(lock) => {
                self.event(Event::ServiceLocked { sid: sid.clone(), lock: lock.clone(), op });
                Err(HostError::locked(lock))
            }
            None => Ok(guest),
        }
    }

    /// What runs a guest.
    fn agent_of(&self, sid: &ServiceId, guest: &GuestDefinition) -> Result<&dyn AnyAgent, HostError> {
        let kind = &*guest.agent.kind;
        let agent = self.agents.iter().find(|agent| agent.kind() == kind);
        agent.map(|agent| &**agent).ok_or_else(|| {
            let kinds: Vec<&str> = self.agents.iter().map(|agent| agent.kind()).collect();
            HostError::new(format!(
                "the definition of {sid} names the agent '{kind}': there are only {}",
                kinds.join(", ")
            ))
        })
    }

    /// Whether a guest that runs here is ready, by its agent.
    ///
    /// # Errors
    ///
    /// If it is not, with why.
    pub fn ready(&self, sid: &ServiceId, timeout: Duration) -> Result<ProbeProgress, HostError> {
        let guest = self.store.guest(sid)?.ok_or_else(|| HostError::new(format!("there is no guest {sid}")))?;
        self.agent_of(sid, &guest)?.ready(sid, &guest.agent, timeout)
    }

    fn runs(&self, sid: &ServiceId, guest: &GuestDefinition) -> Result<bool, HostError> {
        if let Some(other) = self.left_by_another_agent(sid, guest)? {
            let other = other.kind();
            return Err(HostError::new(format!("{sid} still runs as it was defined before, by the agent '{other}'")));
        }
        self.agent_of(sid, guest)?.is_running(sid, &guest.agent)
    }

    /// The agent by which something runs of a service whose definition was removed, and made again for another agent.
    fn left_by_another_agent(
        &self,
        sid: &ServiceId,
        guest: &GuestDefinition,
    ) -> Result<Option<&dyn AnyAgent>, HostError> {
        for agent in self.agents.iter().filter(|agent| agent.kind() != guest.agent.kind) {
            if agent.has_left(sid)? {
                return Ok(Some(&**agent));
            }
        }
        Ok(None)
    }

    fn stop_guest(&self, sid: &ServiceId, guest: &GuestDefinition, timeout: Option<u32>) -> Result<(), HostError> {
        if let Some(other) = self.left_by_another_agent(sid, guest)? {
            other.end_left(sid)?;
        }
        self.agent_of(sid, guest)?.stop(sid, &guest.agent, timeout)
    }

    /// Makes the target the guest's node. A live move may have done so already.
    fn hand_over(&self, sid: &ServiceId, target: &NodeName) -> Result<(), HostError> {
        let mut moved = false;
        self.store.edit_guest(sid, &mut |guest| {
            if let Some(guest) = guest {
                if guest.node == self.node {
                    guest.node = target.clone();
                }
                moved = guest.node == *target;
            }
        })?;
        if moved { Ok(()) } else { Err(HostError::new(format!("guest {sid} was moved or removed by somebody else"))) }
    }

    /// Stops it, also where nothing is seen of it: its agent may know more. That is told only of one that ran.
    fn stop_to_move(&mut self, sid: &ServiceId, guest: &GuestDefinition, ran: bool) -> Result<(), HostError> {
        if ran {
            self.event(Event::AgentStopping { sid: sid.clone(), for_relocate: true, timeout: None });
        }
        self.stop_guest(sid, guest, None)?;
        if self.runs(sid, guest)? {
            return Err(HostError::new(format!("{sid} still runs")));
        }
        if ran {
            self.event(Event::AgentStopped { sid: sid.clone() });
        }
        Ok(())
    }
}

impl Interruptible for NodeAgents {
    fn own_time(&self, job: &Job) -> Result<Duration, HostError> {
        let Some(guest) = self.store.guest(&job.sid)? else { return Ok(Duration::ZERO) };
        let stops = matches!(job.command, StateName::RequestStop | StateName::Stopped);
        let seconds = self.agent_of(&job.sid, &guest)?.own_seconds(&job.sid, &guest.agent, stops)?;
        Ok(Duration::from_secs(seconds.into()))
    }

    fn interrupt(&self, sid: &ServiceId) -> Result<bool, HostError> {
        let mut interrupted = false;
        for agent in &self.agents {
            interrupted |= agent.interrupt(sid)?;
        }
        Ok(interrupted)
    }
}

impl EventSink for NodeAgents {
    fn event(&mut self, event: Event) {
        if let Event::AgentStartFailed { sid } = &event {
            self.failures.note_not_running(sid);
        }
        self.sink.event(event);
    }
}

impl Agent for NodeAgents {
    fn knows_type(&mut self, service_type: &str) -> bool {
        self.types.knows(service_type)
    }

    fn guest_node(&mut self, sid: &ServiceId) -> Result<Option<NodeName>, HostError> {
        Ok(self.store.guest(sid)?.map(|guest| guest.node))
    }

    fn is_running(&mut self, sid: &ServiceId) -> Result<bool, HostError> {
        match self.store.guest(sid)? {
            Some(guest) => self.runs(sid, &guest),
            None => Err(HostError::new(format!("there is no guest {sid}, and nobody can tell what is left of it"))),
        }
    }

    fn start(&mut self, sid: &ServiceId) -> Result<(), HostError> {
        let started = self.start_guest(sid);
        self.failures.note(sid, "start", started)
    }

    fn stop(&mut self, sid: &ServiceId, timeout: Option<u32>) -> Result<(), HostError> {
        let stopped = self.stop_service(sid, timeout);
        self.failures.note(sid, "stop", stopped)
    }

    fn move_to(&mut self, sid: &ServiceId, target: &NodeName, motion: Motion) -> Result<(), HostError> {
        let moved = self.move_guest(sid, target, motion);
        self.failures.note(sid, "move", moved)
    }
}

impl NodeAgents {
    fn start_guest(&mut self, sid: &ServiceId) -> Result<(), HostError> {
        let guest = self.guest(sid, AgentOperation::Start)?;
        self.agent_of(sid, &guest)?.start(sid, &guest.agent, guest.resume.as_deref())
    }

    /// A lock keeps nobody from seeing that there is nothing to stop.
    fn stop_service(&mut self, sid: &ServiceId, timeout: Option<u32>) -> Result<(), HostError> {
        if let Some(guest) = self.store.guest(sid)?.filter(|guest| guest.lock.is_some())
            && self.runs(sid, &guest) == Ok(false)
        {
            return Ok(());
        }
        let guest = self.guest(sid, AgentOperation::Shutdown)?;
        self.stop_guest(sid, &guest, timeout)
    }

    /// The guest's definition names the target only when nothing of the guest runs here any more.
    fn move_guest(&mut self, sid: &ServiceId, target: &NodeName, motion: Motion) -> Result<(), HostError> {
        let op = match motion {
            Motion::Migrate => AgentOperation::Migrate,
            Motion::Relocate => AgentOperation::Relocate,
        };
        let guest = self.guest(sid, op)?;
        let running = self.runs(sid, &guest)?;
        let wants_live = running && motion == Motion::Migrate;
        let tries_live = wants_live && self.agent_of(sid, &guest)?.may_move_live();
        if wants_live && !tries_live {
            self.event(Event::LiveMigrationUnsupported { sid: sid.clone() });
        }
        let task = if wants_live && !tries_live { Motion::Relocate } else { motion };
        self.event(Event::AgentMoveStarted { sid: sid.clone(), task, target: target.clone() });
        let live = tries_live && self.agent_of(sid, &guest)?.migrate(sid, &guest.agent, target)?;
        if tries_live && !live {
            self.event(Event::LiveMigrationUnsupported { sid: sid.clone() });
        }
        if !live {
            self.stop_to_move(sid, &guest, running)?;
        }
        self.hand_over(sid, target)?;
        let task = if tries_live && !live { Motion::Relocate } else { task };
        self.event(Event::AgentMoveEnded { sid: sid.clone(), task, target: target.clone() });
        Ok(())
    }
}
