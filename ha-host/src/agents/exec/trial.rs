//! Whether a program keeps what an [`ExecAgent`] counts on: each verb is tried, in each state in which it may be called.

use std::{thread, time::Duration};

use ha_core::{host::HostError, id::ServiceId};
use serde::Serialize;

use super::{ExecAgent, ExecGuest};
use crate::{
    agents::program::{Programs, SERVICE},
    os::{clock, process::ProcessRecord},
};

/// What a program must keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ExecPromise {
    /// `status` says that it does not run, where it was not started.
    KnownNotToRun,
    /// `stop` succeeds where it does not run.
    StopOfStopped,
    /// `start` succeeds, and `status` says then that it runs.
    Start,
    /// `start` succeeds where it runs, and leaves no second one.
    StartOfStarted,
    /// `stop` succeeds, `status` says then that it does not run, and nothing of it is left.
    Stop,
    /// It can be started again after that, and stopped without being given time.
    StopAtOnce,
    /// `status` says that it does not run once it was killed, and it can be started again.
    Killed,
}

impl ExecPromise {
    /// All, in the order in which they are tried.
    pub const ALL: [Self; 7] = [
        Self::KnownNotToRun,
        Self::StopOfStopped,
        Self::Start,
        Self::StartOfStarted,
        Self::Stop,
        Self::StopAtOnce,
        Self::Killed,
    ];

    /// What is promised, as a sentence without its full stop.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::KnownNotToRun => "'status' says that it does not run, before it was started",
            Self::StopOfStopped => "'stop' succeeds where it does not run",
            Self::Start => "'start' succeeds, and 'status' says then that it runs",
            Self::StartOfStarted => "'start' succeeds where it runs, and leaves no second one",
            Self::Stop => "'stop' succeeds, 'status' says then that it does not run, and nothing of it is left",
            Self::StopAtOnce => "it can be started again, and stopped at once by 'stop SID 0'",
            Self::Killed => "'status' says that it does not run once it was killed, and it can be started again",
        }
    }
}

/// What became of a promise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ExecFinding {
    /// It was kept.
    Kept,
    /// What was seen instead.
    Broken(String),
    /// Why it could not be tried.
    NotTried(String),
}

/// Tries a program out, on this machine, under the name of a service that nobody looks after. `tell` hears of each promise as it was tried.
///
/// Both agents are of the same node, with run directories of their own: the second one is a daemon that does not know what the first one has
/// started.
pub fn try_out(
    (agent, stranger): (&ExecAgent, &ExecAgent),
    sid: &ServiceId,
    guest: &ExecGuest,
    tell: &mut dyn FnMut(ExecPromise, &ExecFinding),
) {
    let trial = Trial { agent, stranger, sid, guest };
    let mut hindrance = None;
    for promise in ExecPromise::ALL {
        let finding = match hindrance {
            None => trial.seen_of(promise).unwrap_or_else(|error| ExecFinding::Broken(error.to_string())),
            Some(why) => ExecFinding::NotTried(String::from(why)),
        };
        tell(promise, &finding);
        let is_broken = matches!(finding, ExecFinding::Broken(_));
        if is_broken && promise == ExecPromise::KnownNotToRun {
            hindrance = Some(AT_WORK);
        } else if is_broken && promise == ExecPromise::Start {
            hindrance = Some("it can't be started");
        }
    }
    if hindrance == Some(AT_WORK) {
        return;
    }
    // Whatever was found, nothing of it goes on.
    let _ = agent.stop(sid, guest, Some(0));
    let _ = agent.programs.end_remains(sid);
    let _ = stranger.programs.end_remains(sid);
}

/// What may run already is somebody's: it is neither stopped nor killed.
const AT_WORK: &str = "it may be at work already";

struct Trial<'a> {
    agent: &'a ExecAgent,
    stranger: &'a ExecAgent,
    sid: &'a ServiceId,
    guest: &'a ExecGuest,
}

fn broken(what: &str) -> Result<ExecFinding, HostError> {
    Ok(ExecFinding::Broken(what.into()))
}

impl Trial<'_> {
    fn seen_of(&self, promise: ExecPromise) -> Result<ExecFinding, HostError> {
        match promise {
            ExecPromise::KnownNotToRun => Ok(match self.runs()? {
                false => ExecFinding::Kept,
                true => ExecFinding::Broken(format!(
                    "it says that it runs: stop it, or name another service than {}",
                    self.sid
                )),
            }),
            ExecPromise::StopOfStopped => {
                self.stop(self.guest.timeout_s)?;
                if self.runs()? { broken("it runs after it") } else { Ok(ExecFinding::Kept) }
            }
            ExecPromise::Start => {
                self.agent.start(self.sid, self.guest)?;
                if self.runs()? { Ok(ExecFinding::Kept) } else { broken("'status' says that it does not run") }
            }
            ExecPromise::StartOfStarted => self.start_of_started(),
            ExecPromise::Stop => self.stopped_within(self.guest.timeout_s),
            ExecPromise::StopAtOnce => {
                self.agent.start(self.sid, self.guest)?;
                self.stopped_within(0)
            }
            ExecPromise::Killed => self.killed(),
        }
    }

    fn runs(&self) -> Result<bool, HostError> {
        self.agent.is_running(self.sid, self.guest)
    }

    fn stop(&self, seconds: u32) -> Result<(), HostError> {
        self.agent.stop(self.sid, self.guest, Some(seconds))
    }

    fn start_of_started(&self) -> Result<ExecFinding, HostError> {
        self.stranger.start(self.sid, self.guest)?;
        let is_second = self.stranger.programs.has_remains(self.sid)?;
        self.stranger.programs.end_remains(self.sid)?;
        if is_second {
            return broken("the second start has left processes of its own");
        }
        if self.runs()? { Ok(ExecFinding::Kept) } else { broken("'status' says then that it does not run") }
    }

    fn stopped_within(&self, seconds: u32) -> Result<ExecFinding, HostError> {
        self.stop(seconds)?;
        let is_left = self.agent.programs.has_remains(self.sid)?;
        if self.runs()? {
            return broken("'status' says that it still runs");
        }
        if is_left { broken("processes that 'start' has left go on after it") } else { Ok(ExecFinding::Kept) }
    }

    fn killed(&self) -> Result<ExecFinding, HostError> {
        self.agent.start(self.sid, self.guest)?;
        if !self.agent.programs.has_remains(self.sid)? {
            let why = "'start' has left no process that could be killed: what runs was started by somebody else, such as a daemon";
            return Ok(ExecFinding::NotTried(why.into()));
        }
        let fail = |error: std::io::Error| HostError::new(format!("cannot kill what runs: {error}"));
        if let Some(record) = ProcessRecord::read(&self.agent.programs.path(self.sid, SERVICE)).map_err(fail)? {
            Programs::killed(&record).map_err(fail)?;
        }
        // Who waits for its processes may take a moment to see that they are gone.
        let end = clock::instant().after(Duration::from_secs(2));
        while self.runs()? {
            if clock::instant() >= end {
                return broken("'status' says that it runs, and nothing of it is left");
            }
            thread::sleep(Programs::LOOK_INTERVAL);
        }
        self.agent.start(self.sid, self.guest)?;
        let runs_again = self.runs()?;
        self.stop(self.guest.timeout_s)?;
        if runs_again {
            Ok(ExecFinding::Kept)
        } else {
            broken("'status' says that it does not run after it was started again")
        }
    }
}
