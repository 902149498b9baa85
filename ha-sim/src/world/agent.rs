//! The resource agents of the virtual cluster.
//!
//! Each operation has a beginning, which shows whether it can work, and an end, at which it takes effect. Between the two lies the time
//! that it takes: none if a job is done within one call.

use ha_core::{
    event::{AgentOperation, Event},
    host::{Agent, EventSink, HostError},
    id::{NodeName, ServiceId},
    status::{ExitCode, Motion},
};

use super::{AgentFault, Careless, FaultScript, Guest, Operation, View};

/// The agents on the node of a view.
pub(super) struct NodeAgent<'v, 'w> {
    view: &'v mut View<'w>,
}

/// Types that have an agent.
const TYPES: [&str; 3] = ["ct", "fa", "vm"];

/// How an operation will go, as far as its beginning tells.
pub(super) enum Begun {
    /// It will take effect at its end.
    Works,
    /// It takes far longer than it should, and works.
    Slow,
    /// It takes its time, and then fails.
    Fails,
    /// It never ends.
    Hangs,
    /// It takes its time and then says that it worked, but it has not.
    Pretends,
    /// It takes its time and works, and then says that it has not.
    Denies,
    /// It takes its time and works, or not, and then its worker ends.
    Exits { code: ExitCode, works: bool },
    /// It is refused at once.
    Refused(HostError),
}

impl Begun {
    fn of_fault(fault: Option<AgentFault>) -> Self {
        match fault {
            None => Self::Works,
            Some(AgentFault::Slow) => Self::Slow,
            Some(AgentFault::Fails) => Self::Fails,
            Some(AgentFault::Hangs) => Self::Hangs,
            Some(AgentFault::Pretends) => Self::Pretends,
            Some(AgentFault::Denies) => Self::Denies,
            Some(AgentFault::Dies) => Self::Exits { code: ExitCode::KILLED, works: true },
            Some(AgentFault::DiesBefore) => Self::Exits { code: ExitCode::KILLED, works: false },
            Some(AgentFault::Unheard) => Self::Exits { code: ExitCode(77), works: true },
        }
    }

    /// For operations that take no time.
    fn at_once(self) -> Result<(), HostError> {
        match self {
            Self::Works | Self::Slow => Ok(()),
            Self::Fails | Self::Pretends | Self::Denies | Self::Exits { .. } => Err(failed()),
            Self::Hangs => Err(HostError::new("the agent does not answer")),
            Self::Refused(error) => Err(error),
        }
    }
}

/// The outcome of an operation that takes its time and fails.
pub(super) fn failed() -> HostError {
    HostError::new("the agent reports a failure")
}

/// A move that began.
pub(super) struct MoveBegun {
    /// How it is done, which need not be how it was asked for.
    pub(super) motion: Motion,
    pub(super) begun: Begun,
}

impl<'v, 'w> NodeAgent<'v, 'w> {
    pub(super) fn new(view: &'v mut View<'w>) -> Self {
        Self { view }
    }

    fn guest(&mut self, sid: &ServiceId) -> Result<&mut Guest, HostError> {
        self.view.world.guests.get_mut(sid).ok_or_else(|| HostError::new(format!("no guest {sid}")))
    }

    pub(super) fn runs_here(&self, sid: &ServiceId) -> bool {
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
                self.event(Event::ServiceLocked { sid: sid.clone(), lock: lock.clone(), op });
                Err(HostError::locked(lock))
            }
            None => Ok(()),
        }
    }

    /// The script by which a service fails on this node.
    fn script_here(&self, sid: &ServiceId) -> Option<FaultScript> {
        FaultScript::of(sid).filter(|script| script.applies_to(&self.view.node))
    }

    fn fault(&mut self, sid: &ServiceId, operation: Operation) -> Result<Option<AgentFault>, HostError> {
        let node = self.view.node.clone();
        Ok(self.guest(sid)?.fault(operation, &node))
    }

    /// Fails if the agent can't tell what it is asked.
    fn look(&mut self, sid: &ServiceId, operation: Operation) -> Result<(), HostError> {
        let node = self.view.node.clone();
        let guest = self.view.world.guests.get_mut(sid);
        match guest.and_then(|guest| guest.fault(operation, &node)) {
            Some(_) => Err(HostError::new("the agent can't tell")),
            None => Ok(()),
        }
    }

    pub(super) fn begin_start(&mut self, sid: &ServiceId) -> Begun {
        self.try_start(sid).unwrap_or_else(Begun::Refused)
    }

    fn try_start(&mut self, sid: &ServiceId) -> Result<Begun, HostError> {
        if let Some(script) = self.script_here(sid)
            && fails(&mut self.guest(sid)?.failed_starts, script.starts)
        {
            return Err(failed());
        }
        self.check_lock(sid, AgentOperation::Start)?;
        Ok(Begun::of_fault(self.fault(sid, Operation::Start)?))
    }

    /// Fails if the guest was removed or moved meanwhile.
    pub(super) fn end_start(&mut self, sid: &ServiceId) -> Result<(), HostError> {
        let here = self.is_here(sid);
        self.set_running_here(sid, here.is_ok());
        here
    }

    fn is_here(&self, sid: &ServiceId) -> Result<(), HostError> {
        match self.view.world.guests.get(sid) {
            Some(guest) if guest.node == self.view.node => Ok(()),
            Some(_) | None => Err(HostError::new(format!("{sid} is gone"))),
        }
    }

    pub(super) fn begin_stop(&mut self, sid: &ServiceId) -> Begun {
        self.try_stop(sid).unwrap_or_else(Begun::Refused)
    }

    /// Ends what a guest left behind on this node, and says whether something is still left; nothing where there was nothing.
    fn end_leftovers(&mut self, sid: &ServiceId) -> Option<bool> {
        let node = self.view.node.clone();
        let times = self.view.world.left_behind(sid, &node)?;
        let is_left = *times > 0;
        *times = times.saturating_sub(1);
        Some(is_left)
    }

    /// Ends what a guest left behind on this node, which then does not run here any more. Fails if something is still left.
    fn clear_up(&mut self, sid: &ServiceId) -> Result<(), HostError> {
        match self.end_leftovers(sid) {
            Some(true) => Err(HostError::new("something that the guest left behind can't be ended")),
            Some(false) => {
                self.set_running_here(sid, false);
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn try_stop(&mut self, sid: &ServiceId) -> Result<Begun, HostError> {
        if self.end_leftovers(sid) == Some(true) {
            return Ok(Begun::Fails);
        }
        if FaultScript::of(sid).is_some_and(|script| script.stop) {
            return Err(failed());
        }
        self.check_lock(sid, AgentOperation::Shutdown)?;
        Ok(Begun::of_fault(self.fault(sid, Operation::Stop)?))
    }

    pub(super) fn end_stop(&mut self, sid: &ServiceId) {
        self.set_running_here(sid, false);
    }

    pub(super) fn begin_move(&mut self, sid: &ServiceId, target: &NodeName, mut motion: Motion) -> MoveBegun {
        let begun = self.try_move(sid, target, &mut motion).unwrap_or_else(Begun::Refused);
        MoveBegun { motion, begun }
    }

    fn try_move(&mut self, sid: &ServiceId, target: &NodeName, motion: &mut Motion) -> Result<Begun, HostError> {
        if let Some(script) = self.script_here(sid)
            && fails(&mut self.guest(sid)?.failed_moves, script.moves)
        {
            return Err(failed());
        }
        let never_live = self.view.world.guests.get(sid).is_some_and(|guest| !guest.moves_live);
        if *motion == Motion::Migrate && (sid.service_type() == "ct" || never_live) && self.runs_here(sid) {
            self.event(Event::LiveMigrationUnsupported { sid: sid.clone() });
            *motion = Motion::Relocate;
        }
        self.event(Event::AgentMoveStarted { sid: sid.clone(), task: *motion, target: target.clone() });
        let operation = match motion {
            Motion::Migrate => AgentOperation::Migrate,
            Motion::Relocate => AgentOperation::Relocate,
        };
        self.check_lock(sid, operation)?;
        // What is left can't be moved live: it is ended first.
        if *motion == Motion::Migrate {
            self.clear_up(sid)?;
        }
        Ok(Begun::of_fault(self.fault(sid, Operation::Move)?))
    }

    /// Whether the guest has to be stopped before it can be moved. Says so.
    pub(super) fn begin_stop_to_move(&mut self, sid: &ServiceId, motion: Motion) -> Option<Begun> {
        if motion == Motion::Migrate || !self.runs_here(sid) {
            return None;
        }
        self.event(Event::AgentStopping { sid: sid.clone(), for_relocate: true, timeout: None });
        Some(self.begin_stop(sid))
    }

    pub(super) fn end_stop_to_move(&mut self, sid: &ServiceId) {
        self.end_stop(sid);
        self.event(Event::AgentStopped { sid: sid.clone() });
    }

    pub(super) fn end_move(&mut self, sid: &ServiceId, target: &NodeName, motion: Motion) -> Result<(), HostError> {
        let travels = self.view.world.physics.job_times.is_some();
        if travels {
            self.is_here(sid)?;
            self.check_reachable(target)?;
        }
        let runs_there = travels && self.runs_here(sid);
        self.set_running_here(sid, false);
        if runs_there {
            // It goes to the machine whose daemon gives the node's signs of life.
            let place = self.view.world.taken_over.get(target).unwrap_or(target).clone();
            self.view.world.set_running(sid, &place, true);
        }
        self.guest(sid)?.node = target.clone();
        self.event(Event::AgentMoveEnded { sid: sid.clone(), task: motion, target: target.clone() });
        Ok(())
    }

    fn check_reachable(&self, target: &NodeName) -> Result<(), HostError> {
        let world = &self.view.world;
        if !world.is_online(&self.view.node) {
            Err(HostError::new("no quorum"))
        } else if !world.reaches(&self.view.node, target) {
            Err(HostError::new(format!("{target} can't be reached")))
        } else {
            Ok(())
        }
    }
}

/// Counts a failure that a script asks for. Says whether to fail; after the last failure the count begins again.
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
        TYPES.contains(&service_type) || self.view.world.further_types.contains(service_type)
    }

    fn guest_node(&mut self, sid: &ServiceId) -> Result<Option<NodeName>, HostError> {
        self.look(sid, Operation::Locate)?;
        Ok(self.view.guest_node(sid).cloned())
    }

    fn is_running(&mut self, sid: &ServiceId) -> Result<bool, HostError> {
        match self.look(sid, Operation::CheckRunning) {
            Err(_) if self.view.world.physics.careless == Some(Careless::UntoldIsStopped) => return Ok(false),
            told => told?,
        }
        let unseen = self.view.world.physics.careless == Some(Careless::LeftoversUnseen);
        let node = self.view.node.clone();
        if unseen && self.view.world.left_behind(sid, &node).is_some() {
            return Ok(false);
        }
        // What is left is ended before the guest is said not to run.
        self.clear_up(sid)?;
        Ok(self.runs_here(sid))
    }

    fn start(&mut self, sid: &ServiceId) -> Result<(), HostError> {
        self.begin_start(sid).at_once()?;
        self.end_start(sid)
    }

    fn stop(&mut self, sid: &ServiceId, _: Option<u32>) -> Result<(), HostError> {
        if !self.runs_here(sid) {
            return Ok(());
        }
        self.begin_stop(sid).at_once()?;
        self.end_stop(sid);
        Ok(())
    }

    fn move_to(&mut self, sid: &ServiceId, target: &NodeName, motion: Motion) -> Result<(), HostError> {
        let MoveBegun { motion, begun } = self.begin_move(sid, target, motion);
        begun.at_once()?;
        if let Some(begun) = self.begin_stop_to_move(sid, motion) {
            begun.at_once()?;
            self.end_stop_to_move(sid);
        }
        self.end_move(sid, target, motion)
    }
}
