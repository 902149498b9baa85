//! Replaying.

use alloc::{
    boxed::Box,
    collections::{BTreeMap, BTreeSet},
    string::{String, ToString},
    sync::Arc,
    vec::Vec,
};
use core::fmt;

use super::{
    VERSION,
    line::{Call, Got, Header, Outcome, Question, line_of},
    wire::Answer,
};
use crate::{
    config::{GroupsConfig, RequestedState, ResourcesConfig, RulesConfig, fence::FenceCommand},
    crm::Crm,
    event::Event,
    host::*,
    id::{NodeName, ServiceId, Uid},
    lrm::Lrm,
    status::{ExitCode, LrmStatus, ManagerStatus},
    time::Instant,
};

/// Where a daemon decides otherwise than it was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Divergence {
    /// The line of the recording, from 1.
    pub line: usize,
    /// The call in which it happens: its line.
    pub call_line: usize,
    /// What was recorded.
    pub recorded: String,
    /// What the daemon does now: a question, an event or the end of the call, as a line.
    pub decided: String,
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, call_line, recorded, decided } = self;
        write!(f, "line {line}, in the call of line {call_line}\nrecorded: {recorded}\nnow:      {decided}")
    }
}

/// What a replay came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// How many calls of the daemons were made.
    pub calls: usize,
    /// How many of their questions, events and ends were compared and found the same.
    pub same: usize,
    /// The first difference, which ends the replay.
    pub divergence: Option<Divergence>,
}

/// Why a text is no recording that can be replayed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The first line is not that of a recording.
    #[error("line 1: expected '{{\"recording\":{VERSION}}}'")]
    NotARecording,
    /// The recording has another form.
    #[error("line 1: this recording has form {0}, and this program reads form {VERSION} only")]
    OtherVersion(u32),
    /// A call can't be understood.
    #[error("line {line}: expected a call: {message}")]
    BadCall {
        /// The line.
        line: usize,
        /// What is wrong with it.
        message: String,
    },
    /// An answer can't be understood.
    #[error("line {line}: expected the answer to the question before it: {message}")]
    BadAnswer {
        /// The line.
        line: usize,
        /// What is wrong with it.
        message: String,
    },
    /// A daemon is called that was not started before.
    #[error("line {line}: there is no such daemon yet: expected 'start_crm' or 'start_lrm'")]
    NoDaemon {
        /// The line.
        line: usize,
    },
}

enum Daemon {
    Crm(Box<Crm>),
    Lrm(Box<Lrm>),
}

/// Makes the recorded calls again, with the recorded answers, and compares what the daemon does.
///
/// ```
/// use ha_core::record::{ReplayError, replay};
///
/// assert_eq!(replay("{\"recording\":99}\n"), Err(ReplayError::OtherVersion(99)));
/// ```
///
/// # Errors
///
/// If the text is no such recording.
pub fn replay(recording: &str) -> Result<Replayed, ReplayError> {
    let mut player = Player::new(recording)?;
    let mut daemon = None;
    let mut calls = 0_usize;
    while player.goes_on() {
        let call = player.call()?;
        calls = calls.saturating_add(1);
        let outcome = make(&call, &mut daemon, &mut player)?;
        player.compare(line_of(&outcome));
        if let Some(error) = player.error.take() {
            return Err(error);
        }
    }
    Ok(Replayed { calls, same: player.same, divergence: player.divergence })
}

fn make(call: &Call, daemon: &mut Option<Daemon>, player: &mut Player<'_>) -> Result<Outcome, ReplayError> {
    match (call, daemon) {
        (Call::StartCrm { node, timings }, daemon) => {
            *daemon = Some(Daemon::Crm(Box::new(Crm::start(node.clone(), *timings, player))));
            Ok(Outcome::Returned(()))
        }
        (Call::StartLrm { node, timings }, daemon) => {
            *daemon = Some(Daemon::Lrm(Box::new(Lrm::start(node.clone(), *timings, player))));
            Ok(Outcome::Returned(()))
        }
        (Call::SetWriter { writer }, Some(Daemon::Lrm(lrm))) => {
            lrm.set_writer(writer.clone());
            Ok(Outcome::Returned(()))
        }
        (Call::Tick { now }, Some(Daemon::Crm(crm))) => Ok(crm.tick(player, *now).into()),
        (Call::Tick { now }, Some(Daemon::Lrm(lrm))) => Ok(lrm.tick(player, *now).into()),
        (Call::StopCrm, Some(Daemon::Crm(crm))) => {
            crm.request_stop(player);
            Ok(Outcome::Returned(()))
        }
        (Call::StopLrm { request, now }, Some(Daemon::Lrm(lrm))) => {
            lrm.request_stop(*request, player, *now);
            Ok(Outcome::Returned(()))
        }
        (Call::SetWriter { .. } | Call::Tick { .. } | Call::StopCrm | Call::StopLrm { .. }, _) => {
            Err(ReplayError::NoDaemon { line: player.call_line })
        }
    }
}

/// A host that plays the answers of a recording.
struct Player<'a> {
    lines: Vec<&'a str>,
    /// The lines that were played.
    position: usize,
    call_line: usize,
    same: usize,
    divergence: Option<Divergence>,
    /// The recording ends inside this call.
    ended: bool,
    error: Option<ReplayError>,
}

impl<'a> Player<'a> {
    fn new(recording: &'a str) -> Result<Self, ReplayError> {
        let lines: Vec<&str> = recording.lines().filter(|line| !line.trim().is_empty()).collect();
        let header = lines.first().and_then(|line| serde_json::from_str::<Header>(line).ok());
        match header {
            None => Err(ReplayError::NotARecording),
            Some(Header { recording: VERSION }) => {
                Ok(Self { lines, position: 1, call_line: 1, same: 0, divergence: None, ended: false, error: None })
            }
            Some(Header { recording }) => Err(ReplayError::OtherVersion(recording)),
        }
    }

    /// Whether the daemon does as it did up to here, and there is more.
    fn goes_on(&self) -> bool {
        self.plays() && self.position < self.lines.len()
    }

    fn plays(&self) -> bool {
        self.divergence.is_none() && self.error.is_none() && !self.ended
    }

    fn next_line(&mut self) -> Option<&'a str> {
        let line = self.lines.get(self.position).copied();
        match line {
            Some(_) => self.position = self.position.saturating_add(1),
            None => self.ended = true,
        }
        line
    }

    fn call(&mut self) -> Result<Call, ReplayError> {
        self.call_line = self.position.saturating_add(1);
        let line = self.next_line().unwrap_or_default();
        serde_json::from_str(line)
            .map_err(|error| ReplayError::BadCall { line: self.call_line, message: error.to_string() })
    }

    /// Compares something that the daemon does. Says whether it is as recorded.
    fn compare(&mut self, decided: String) -> bool {
        if !self.plays() {
            return false;
        }
        let Some(recorded) = self.next_line() else { return false };
        if recorded == decided {
            self.same = self.same.saturating_add(1);
            return true;
        }
        let recorded = recorded.to_string();
        self.divergence = Some(Divergence { line: self.position, call_line: self.call_line, recorded, decided });
        false
    }

    fn ask<T: Answer>(&mut self, question: &Question<'_>) -> Result<T, HostError> {
        let over = || HostError::new("the recording is over");
        if !self.compare(line_of(question)) {
            return Err(over());
        }
        let Some(answer) = self.next_line() else { return Err(over()) };
        let line = self.position;
        match self.read::<T>(answer) {
            Ok(Got::Ok(answer)) => Ok(T::read(answer)),
            Ok(Got::Error(message)) => Err(HostError::new(message)),
            Ok(Got::Same(_)) => {
                self.error = Some(ReplayError::BadAnswer { line, message: "it refers to no answer".into() });
                Err(over())
            }
            Err(error) => {
                self.error = Some(ReplayError::BadAnswer { line, message: error.to_string() });
                Err(over())
            }
        }
    }

    /// An answer; where it is the same as another one, that one.
    fn read<T: Answer>(&self, answer: &str) -> serde_json::Result<Got<T::Read>> {
        match serde_json::from_str(answer)? {
            Got::Same(line) => {
                let same = line.checked_sub(1).and_then(|index| self.lines.get(index));
                serde_json::from_str(same.copied().unwrap_or_default())
            }
            got @ (Got::Ok(_) | Got::Error(_)) => Ok(got),
        }
    }
}

impl EventSink for Player<'_> {
    fn event(&mut self, event: Event) {
        self.compare(line_of(&event));
    }
}

impl Membership for Player<'_> {
    fn refresh(&mut self) -> Result<(), HostError> {
        self.ask(&Question::Refresh)
    }

    fn is_quorate(&mut self) -> bool {
        self.ask(&Question::IsQuorate).unwrap_or(false)
    }

    fn members(&mut self) -> Result<BTreeMap<NodeName, bool>, HostError> {
        self.ask(&Question::Members)
    }
}

/// Implements the traits of a host for [`Player`].
macro_rules! played {
    ($($role:ident { $(fn $name:ident($($argument:ident: $kind:ty),*) -> $answer:ty = $question:expr;)* })*) => {
        $(impl $role for Player<'_> {
            $(fn $name(&mut self, $($argument: $kind),*) -> Result<$answer, HostError> {
                self.ask(&$question)
            })*
        })*
    };
}

super::wire::fallible_roles!(played);
