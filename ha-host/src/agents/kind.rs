//! What a kind of guest is: an implementation of [`GuestAgent`], and a line of the [registry](super::Kinds).

use std::{fmt, io, path::PathBuf, sync::Arc, time::Duration};

use ha_core::{
    host::{HostError, ProbeProgress},
    id::{NodeName, ServiceId},
};
use serde::{Deserialize, de::DeserializeOwned};

use super::launch::Launcher;
use crate::store::{AgentDefinition, Store};

/// Starts, stops, watches and moves the guests of one kind.
///
/// No method may wait without a bound, and each must do nothing, and succeed, if what it asks for is so already. What was started
/// must outlive the daemon: an agent that is made again finds it, and takes no stranger for it.
pub trait GuestAgent: Send + Sync + 'static {
    /// The word for this kind in definitions: `{"agent": {"proc": {…}}}`. It never changes, and it names the directory below the run
    /// directory in which the logs of its guests are.
    const KIND: &'static str;

    /// Whether it may be able to move a running guest without stopping it.
    const MAY_MOVE_LIVE: bool = false;

    /// What a guest's definition says to this agent. Nobody else reads it.
    type Definition: DeserializeOwned;

    /// How many seconds it may take by itself for what a job asks of a guest, beyond the timeout of the job. `stops`: the job stops it.
    fn own_seconds(guest: &Self::Definition, stops: bool) -> u32;

    /// The systemd unit in whose journal is what the guest writes; nothing if that is in a log below the run directory.
    #[must_use]
    fn journal(_guest: &Self::Definition) -> Option<String> {
        None
    }

    /// What is wrong with a definition, as far as this node can tell: a sentence each. It is asked when a definition is set, and may run
    /// programs.
    #[must_use]
    fn complaints(_guest: &Self::Definition) -> Vec<String> {
        Vec::new()
    }

    /// Whether anything of the guest runs.
    ///
    /// # Errors
    ///
    /// If that can't be told.
    fn is_running(&self, sid: &ServiceId, guest: &Self::Definition) -> Result<bool, HostError>;

    /// Starts the guest. `resume` names the live move whose destination goes on instead, if there is one.
    ///
    /// # Errors
    ///
    /// If it can't be started.
    fn start(&self, sid: &ServiceId, guest: &Self::Definition, resume: Option<&str>) -> Result<(), HostError>;

    /// Stops the guest with all that comes from it, within `timeout` seconds; the definition says how long where that is not given.
    ///
    /// # Errors
    ///
    /// If something of it is left.
    fn stop(&self, sid: &ServiceId, guest: &Self::Definition, timeout: Option<u32>) -> Result<(), HostError>;

    /// Moves a running guest live. Says whether it did; if not, nothing was done.
    ///
    /// # Errors
    ///
    /// If it was not moved: it goes on here.
    fn migrate(&self, _sid: &ServiceId, _guest: &Self::Definition, _target: &NodeName) -> Result<bool, HostError> {
        Ok(false)
    }

    /// Whether something runs that this agent has started for a guest that is defined for another agent by now.
    ///
    /// # Errors
    ///
    /// If that can't be told.
    fn has_left(&self, _sid: &ServiceId) -> Result<bool, HostError> {
        Ok(false)
    }

    /// Ends what this agent has left running.
    ///
    /// # Errors
    ///
    /// If something of it is left.
    fn end_left(&self, _sid: &ServiceId) -> Result<(), HostError> {
        Ok(())
    }

    /// Whether a guest that runs is ready, too, for a service whose probe is `agent`; within `timeout`. It is asked beside what else is
    /// done with the guest, and must not hold that up.
    ///
    /// # Errors
    ///
    /// If it is not, with why; by default since nobody can tell.
    fn ready(
        &self,
        _sid: &ServiceId,
        _guest: &Self::Definition,
        _timeout: Duration,
    ) -> Result<ProbeProgress, HostError> {
        let kind = Self::KIND;
        Err(HostError::new(format!("the agent '{kind}' can't tell whether a guest is ready: set another probe")))
    }

    /// Ends the program that is at work for a guest: what was asked fails then. Says whether there was one. Only of use to agents
    /// that wait for programs of other people.
    ///
    /// # Errors
    ///
    /// If it can't be ended.
    fn interrupt(&self, _sid: &ServiceId) -> Result<bool, HostError> {
        Ok(false)
    }

    /// Begins what has to go on beside the jobs, such as taking in guests that others move here. It ends when what this gives is
    /// dropped. It looks at the store every `interval`, and tells `complain` what goes wrong.
    ///
    /// # Errors
    ///
    /// If no thread can be started.
    fn attend(&self, _interval: Duration, _complain: Complaints) -> io::Result<Option<Box<dyn Send>>> {
        Ok(None)
    }
}

/// Is told what goes wrong, in words.
pub type Complaints = Box<dyn Fn(String) + Send>;

/// Where an agent works.
#[derive(Clone)]
pub struct Workplace {
    /// The store, of which an agent changes nothing but its guests.
    pub store: Arc<dyn Store>,
    /// The node.
    pub node: NodeName,
    /// The address by which other nodes reach this one, a name or number without a port.
    pub address: String,
    /// Where agents keep what they must know when the daemon is started again, each in a directory of its own. It must be local to
    /// the node.
    pub run_directory: PathBuf,
    /// What launches services.
    pub launcher: Launcher,
}

impl fmt::Debug for Workplace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { node, address, run_directory, .. } = self;
        f.debug_struct("Workplace")
            .field("node", node)
            .field("address", address)
            .field("run_directory", run_directory)
            .finish_non_exhaustive()
    }
}

type Maker = dyn Fn(&Workplace) -> Arc<dyn AnyAgent> + Send + Sync;

/// A kind of guest, as the registry has it.
#[derive(Clone)]
pub struct Kind {
    word: &'static str,
    check: fn(&AgentDefinition) -> Result<(), serde_json::Error>,
    journal: fn(&AgentDefinition) -> Option<String>,
    complaints: fn(&AgentDefinition) -> Vec<String>,
    may_move_live: bool,
    make: Arc<Maker>,
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Kind").field(&self.word).finish()
    }
}

impl Kind {
    /// A kind whose agent is made by `make`.
    pub fn of<A: GuestAgent>(make: impl Fn(&Workplace) -> A + Send + Sync + 'static) -> Self {
        Self {
            word: A::KIND,
            check: |definition| read::<A>(definition).map(drop),
            journal: |definition| read::<A>(definition).ok().and_then(|guest| A::journal(&guest)),
            complaints: |definition| read::<A>(definition).map(|guest| A::complaints(&guest)).unwrap_or_default(),
            may_move_live: A::MAY_MOVE_LIVE,
            make: Arc::new(move |place| Arc::new(make(place))),
        }
    }

    /// Its word, as in a definition.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        self.word
    }

    pub(super) fn check(&self, definition: &AgentDefinition) -> Result<(), serde_json::Error> {
        (self.check)(definition)
    }

    pub(super) fn journal(&self, definition: &AgentDefinition) -> Option<String> {
        (self.journal)(definition)
    }

    pub(super) fn complaints(&self, definition: &AgentDefinition) -> Vec<String> {
        (self.complaints)(definition)
    }

    pub(super) const fn may_move_live(&self) -> bool {
        self.may_move_live
    }

    pub(super) fn agent_at(&self, place: &Workplace) -> Arc<dyn AnyAgent> {
        (self.make)(place)
    }
}

/// A [`GuestAgent`] that reads definitions by itself.
pub(super) trait AnyAgent: Send + Sync {
    fn kind(&self) -> &'static str;
    fn may_move_live(&self) -> bool;
    fn own_seconds(&self, sid: &ServiceId, guest: &AgentDefinition, stops: bool) -> Result<u32, HostError>;
    fn is_running(&self, sid: &ServiceId, guest: &AgentDefinition) -> Result<bool, HostError>;
    fn start(&self, sid: &ServiceId, guest: &AgentDefinition, resume: Option<&str>) -> Result<(), HostError>;
    fn stop(&self, sid: &ServiceId, guest: &AgentDefinition, timeout: Option<u32>) -> Result<(), HostError>;
    fn migrate(&self, sid: &ServiceId, guest: &AgentDefinition, target: &NodeName) -> Result<bool, HostError>;
    fn has_left(&self, sid: &ServiceId) -> Result<bool, HostError>;
    fn end_left(&self, sid: &ServiceId) -> Result<(), HostError>;
    fn ready(&self, sid: &ServiceId, guest: &AgentDefinition, timeout: Duration) -> Result<ProbeProgress, HostError>;
    fn interrupt(&self, sid: &ServiceId) -> Result<bool, HostError>;
    fn attend(&self, interval: Duration, complain: Complaints) -> io::Result<Option<Box<dyn Send>>>;
}

impl<A: GuestAgent> AnyAgent for A {
    fn kind(&self) -> &'static str {
        A::KIND
    }

    fn may_move_live(&self) -> bool {
        A::MAY_MOVE_LIVE
    }

    fn own_seconds(&self, sid: &ServiceId, guest: &AgentDefinition, stops: bool) -> Result<u32, HostError> {
        Ok(A::own_seconds(&understand::<A>(sid, guest)?, stops))
    }

    fn is_running(&self, sid: &ServiceId, guest: &AgentDefinition) -> Result<bool, HostError> {
        GuestAgent::is_running(self, sid, &understand::<A>(sid, guest)?)
    }

    fn start(&self, sid: &ServiceId, guest: &AgentDefinition, resume: Option<&str>) -> Result<(), HostError> {
        GuestAgent::start(self, sid, &understand::<A>(sid, guest)?, resume)
    }

    fn stop(&self, sid: &ServiceId, guest: &AgentDefinition, timeout: Option<u32>) -> Result<(), HostError> {
        GuestAgent::stop(self, sid, &understand::<A>(sid, guest)?, timeout)
    }

    fn migrate(&self, sid: &ServiceId, guest: &AgentDefinition, target: &NodeName) -> Result<bool, HostError> {
        GuestAgent::migrate(self, sid, &understand::<A>(sid, guest)?, target)
    }

    fn has_left(&self, sid: &ServiceId) -> Result<bool, HostError> {
        GuestAgent::has_left(self, sid)
    }

    fn end_left(&self, sid: &ServiceId) -> Result<(), HostError> {
        GuestAgent::end_left(self, sid)
    }

    fn ready(&self, sid: &ServiceId, guest: &AgentDefinition, timeout: Duration) -> Result<ProbeProgress, HostError> {
        GuestAgent::ready(self, sid, &understand::<A>(sid, guest)?, timeout)
    }

    fn interrupt(&self, sid: &ServiceId) -> Result<bool, HostError> {
        GuestAgent::interrupt(self, sid)
    }

    fn attend(&self, interval: Duration, complain: Complaints) -> io::Result<Option<Box<dyn Send>>> {
        GuestAgent::attend(self, interval, complain)
    }
}

/// What a definition says to an agent.
pub(super) fn read<A: GuestAgent>(definition: &AgentDefinition) -> Result<A::Definition, serde_json::Error> {
    A::Definition::deserialize(&definition.settings)
}

/// Seconds that something may take where a definition does not say how many.
pub(super) const fn usual_seconds() -> u32 {
    60
}

fn understand<A: GuestAgent>(sid: &ServiceId, definition: &AgentDefinition) -> Result<A::Definition, HostError> {
    read::<A>(definition).map_err(|error| {
        HostError::new(format!("the definition of {sid} is none for the agent '{}': {error}", A::KIND))
    })
}
