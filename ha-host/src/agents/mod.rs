//! Agents: what starts, stops, watches and moves the services of a node.

mod exec;
mod failures;
mod launch;
mod output;
mod privileges;
mod proc;
mod processes;
mod unit;
mod vm;

pub use exec::{ExecAgent, Verb};
pub use failures::{Failures, JobFailure};
pub use launch::{Launcher, launched};
pub use proc::ProcAgent;
pub use unit::{Systemctl, SystemctlCommand, UnitAgent};
pub use vm::{MoveReceiver, VmAgent};

// Where these were before.
#[doc(no_inline)]
pub use crate::os::{cgroup::Containment, process};

use std::{path::Path, sync::Arc, time::Duration};

use ha_core::{
    event::{AgentOperation, Event},
    host::{Agent, EventSink, HostError, Job},
    id::{NodeName, ServiceId, ServiceTypes},
    status::{Motion, StateName},
};

use crate::{
    store::{AgentKind, GuestDefinition, ProcGuest, Store},
    workers::Interruptible,
};

/// Where events go, from any thread.
pub trait SharedSink: Send + Sync {
    /// Takes note of an event. It must not block.
    fn event(&self, event: Event);
}

/// All agents of a node. Which one runs a guest is said by the guest's definition.
#[derive(Clone)]
pub struct NodeAgents {
    store: Arc<dyn Store>,
    node: NodeName,
    types: ServiceTypes,
    proc: ProcAgent,
    exec: ExecAgent,
    unit: UnitAgent<SystemctlCommand>,
    vm: VmAgent,
    sink: Arc<dyn SharedSink>,
    failures: Failures,
}

impl NodeAgents {
    /// The agents of a node. They keep in `run_directory` what they must know when the daemon is started again; it must be
    /// local to the node.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        node: NodeName,
        types: ServiceTypes,
        run_directory: &Path,
        launcher: &Launcher,
        vm: VmAgent,
        sink: Arc<dyn SharedSink>,
    ) -> Self {
        Self {
            store,
            proc: ProcAgent::new(node.clone(), run_directory, launcher.clone()),
            exec: ExecAgent::new(node.clone(), run_directory, launcher.clone()),
            unit: UnitAgent::new(SystemctlCommand),
            vm,
            node,
            types,
            sink,
            failures: Failures::default(),
        }
    }

    /// How long its agent may take by itself for what a job asks of a guest.
    fn own_seconds(guest: &GuestDefinition, command: StateName) -> u32 {
        let stops = matches!(command, StateName::RequestStop | StateName::Stopped);
        match &guest.agent {
            // It looks, acts, and looks again.
            AgentKind::Exec(exec) => exec.timeout_s.saturating_mul(3),
            AgentKind::Unit(unit) => unit.timeout_s,
            AgentKind::Vm(vm) if stops => vm.shutdown_s,
            AgentKind::Proc(proc) if stops => proc.grace_s,
            AgentKind::Vm(_) | AgentKind::Proc(_) => 0,
        }
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

    fn runs(&mut self, sid: &ServiceId, guest: &GuestDefinition) -> Result<bool, HostError> {
        if let Some(other) = self.left_by_another_agent(sid, guest)? {
            return Err(HostError::new(format!("{sid} still runs as it was defined before, by the agent '{other}'")));
        }
        match &guest.agent {
            AgentKind::Proc(_) => self.proc.is_running(sid),
            AgentKind::Exec(exec) => self.exec.is_running(sid, exec),
            AgentKind::Unit(unit) => self.unit.is_running(unit),
            AgentKind::Vm(_) => self.vm.is_running(sid),
        }
    }

    /// What runs of a service whose definition was removed, and made anew for another agent. Of units nothing is known.
    fn left_by_another_agent(
        &self,
        sid: &ServiceId,
        guest: &GuestDefinition,
    ) -> Result<Option<&'static str>, HostError> {
        let kind = guest.agent.word();
        if kind != "proc" && self.proc.is_running(sid)? {
            return Ok(Some("proc"));
        }
        if kind != "vm" && self.vm.is_known(sid)? && self.vm.is_running(sid)? {
            return Ok(Some("vm"));
        }
        Ok((kind != "exec" && self.exec.has_remains(sid)?).then_some("exec"))
    }

    fn end_what_another_agent_left(&self, sid: &ServiceId, guest: &GuestDefinition) -> Result<(), HostError> {
        match self.left_by_another_agent(sid, guest)? {
            Some("proc") => self.proc.stop(sid, ProcGuest::DEFAULT_GRACE_S),
            Some("vm") => self.vm.end(sid),
            Some(_) => self.exec.end_remains(sid),
            None => Ok(()),
        }
    }

    fn stop_guest(&mut self, sid: &ServiceId, guest: &GuestDefinition, timeout: Option<u32>) -> Result<(), HostError> {
        self.end_what_another_agent_left(sid, guest)?;
        match &guest.agent {
            AgentKind::Proc(proc) => self.proc.stop(sid, timeout.unwrap_or(proc.grace_s)),
            AgentKind::Exec(exec) => self.exec.stop(sid, exec, timeout),
            AgentKind::Unit(unit) => self.unit.stop(unit, timeout),
            AgentKind::Vm(vm) => self.vm.stop(sid, vm, timeout),
        }
    }

    /// Moves a running service live, if its agent can. Says whether it did.
    fn moves_live(&mut self, sid: &ServiceId, guest: &GuestDefinition, target: &NodeName) -> Result<bool, HostError> {
        match &guest.agent {
            AgentKind::Exec(exec) => self.exec.migrate(sid, exec, target),
            AgentKind::Vm(vm) => self.vm.migrate(sid, vm, target).map(|()| true),
            AgentKind::Proc(_) | AgentKind::Unit(_) => Ok(false),
        }
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
        let guest = self.store.guest(&job.sid)?;
        let seconds = guest.map_or(0, |guest| Self::own_seconds(&guest, job.command));
        Ok(Duration::from_secs(seconds.into()))
    }

    /// Of the agents only `exec` waits for programs of other people.
    fn interrupt(&self, sid: &ServiceId) -> Result<bool, HostError> {
        self.exec.interrupt(sid)
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
        match &guest.agent {
            AgentKind::Proc(proc) => self.proc.start(sid, proc),
            AgentKind::Exec(exec) => self.exec.start(sid, exec),
            AgentKind::Unit(unit) => self.unit.start(unit),
            AgentKind::Vm(vm) => self.vm.start(sid, vm, guest.resume.as_deref()),
        }
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
        let tries_live = wants_live && guest.agent.may_move_live();
        if wants_live && !tries_live {
            self.event(Event::LiveMigrationUnsupported { sid: sid.clone() });
        }
        let task = if wants_live && !tries_live { Motion::Relocate } else { motion };
        self.event(Event::AgentMoveStarted { sid: sid.clone(), task, target: target.clone() });
        let live = tries_live && self.moves_live(sid, &guest, target)?;
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
