//! Recording.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::{String, ToString},
    sync::Arc,
    vec::Vec,
};

use super::{
    VERSION,
    line::{Call, Got, Header, Outcome, Question, line_of},
    wire::Answer,
};
use crate::{
    config::{GroupsConfig, RequestedState, ResourcesConfig, RulesConfig, fence::FenceCommand},
    crm::Crm,
    event::{Event, Why},
    host::*,
    id::{NodeName, ServiceId, Uid},
    lrm::{Lrm, StopRequest},
    status::{ExitCode, LrmStatus, ManagerStatus, Writer},
    time::{Instant, Next, Now},
    timing::Timings,
};

/// Takes the lines of a recording.
pub trait LineSink {
    /// Takes a line, which has no line end. What can't be kept is left out without harm to the daemon.
    fn line(&mut self, line: String);

    /// A call of the daemon has ended: a good moment to hand on what was kept back.
    fn call_ended(&mut self) {}
}

/// A list of lines is a sink.
impl LineSink for Vec<String> {
    fn line(&mut self, line: String) {
        self.push(line);
    }
}

/// Records one daemon, or several one after another. The daemon is started and called through it.
///
/// One that is [`off`](Self::off) makes the same calls and records nothing, so that a host has one way to call its daemons.
#[derive(Debug)]
pub struct Recorder<S> {
    tape: Option<Tape<S>>,
}

impl<S: LineSink> Recorder<S> {
    /// Begins a recording.
    pub fn new(sink: S) -> Self {
        let mut tape = Tape { sink, lines: 0, answers: BTreeMap::new() };
        tape.put(line_of(&Header { recording: VERSION }));
        Self { tape: Some(tape) }
    }

    /// One that records nothing.
    #[must_use]
    pub const fn off() -> Self {
        Self { tape: None }
    }

    /// Where the lines went; `None` if it is off.
    #[must_use]
    pub fn sink(&self) -> Option<&S> {
        self.tape.as_ref().map(|tape| &tape.sink)
    }

    /// Starts a CRM, as [`Crm::start`] does.
    pub fn start_crm(&mut self, node: NodeName, timings: Timings, host: &mut (impl EventSink + ?Sized)) -> Crm {
        let Some(tape) = &mut self.tape else { return Crm::start(node, timings, host) };
        tape.call(&Call::StartCrm { node: node.clone(), timings });
        let crm = Crm::start(node, timings, &mut Recording { tape, host });
        tape.end(&Outcome::Returned(()));
        crm
    }

    /// Starts an LRM, as [`Lrm::start`] does.
    pub fn start_lrm(&mut self, node: NodeName, timings: Timings, host: &mut (impl EventSink + ?Sized)) -> Lrm {
        let Some(tape) = &mut self.tape else { return Lrm::start(node, timings, host) };
        tape.call(&Call::StartLrm { node: node.clone(), timings });
        let lrm = Lrm::start(node, timings, &mut Recording { tape, host });
        tape.end(&Outcome::Returned(()));
        lrm
    }

    /// Calls [`Lrm::set_writer`].
    pub fn set_writer(&mut self, lrm: &mut Lrm, writer: Writer) {
        let Some(tape) = &mut self.tape else { return lrm.set_writer(writer) };
        tape.call(&Call::SetWriter { writer: writer.clone() });
        lrm.set_writer(writer);
        tape.end(&Outcome::Returned(()));
    }

    /// Calls [`Crm::tick`].
    pub fn tick_crm(&mut self, crm: &mut Crm, host: &mut (impl CrmHost + ?Sized), now: Now) -> Next {
        let Some(tape) = &mut self.tape else { return crm.tick(host, now) };
        tape.call(&Call::Tick { now });
        let next = crm.tick(&mut Recording { tape, host }, now);
        tape.end(&next.into());
        next
    }

    /// Calls [`Lrm::tick`].
    pub fn tick_lrm(&mut self, lrm: &mut Lrm, host: &mut (impl LrmHost + ?Sized), now: Now) -> Next {
        let Some(tape) = &mut self.tape else { return lrm.tick(host, now) };
        tape.call(&Call::Tick { now });
        let next = lrm.tick(&mut Recording { tape, host }, now);
        tape.end(&next.into());
        next
    }

    /// Calls [`Crm::request_stop`].
    pub fn stop_crm(&mut self, crm: &mut Crm, host: &mut (impl EventSink + ?Sized)) {
        let Some(tape) = &mut self.tape else { return crm.request_stop(host) };
        tape.call(&Call::StopCrm);
        crm.request_stop(&mut Recording { tape, host });
        tape.end(&Outcome::Returned(()));
    }

    /// Calls [`Lrm::request_stop`].
    pub fn stop_lrm(&mut self, lrm: &mut Lrm, request: StopRequest, host: &mut (impl LrmHost + ?Sized), now: Now) {
        let Some(tape) = &mut self.tape else { return lrm.request_stop(request, host, now) };
        tape.call(&Call::StopLrm { request, now });
        lrm.request_stop(request, &mut Recording { tape, host }, now);
        tape.end(&Outcome::Returned(()));
    }
}

/// What is recorded so far.
#[derive(Debug)]
struct Tape<S> {
    sink: S,
    /// How many lines there are.
    lines: usize,
    /// The last answer to each question, and its line.
    answers: BTreeMap<String, (String, usize)>,
}

impl<S: LineSink> Tape<S> {
    fn call(&mut self, call: &Call) {
        self.put(line_of(call));
    }

    fn end(&mut self, outcome: &Outcome) {
        self.put(line_of(outcome));
        self.sink.call_ended();
    }

    fn put(&mut self, line: String) {
        self.lines = self.lines.saturating_add(1);
        self.sink.line(line);
    }

    /// Writes an answer, unless it is the one that the same question had before.
    fn put_answer(&mut self, question: String, answer: String) {
        // A reference is no shorter than such an answer.
        const SHORT: usize = 24;
        if answer.len() > SHORT {
            if let Some((before, line)) = self.answers.get(&question)
                && *before == answer
            {
                let same = line_of(&Got::<()>::Same(*line));
                self.put(same);
                return;
            }
            self.answers.insert(question, (answer.clone(), self.lines.saturating_add(1)));
        }
        self.put(answer);
    }
}

/// A host whose questions and answers are recorded.
struct Recording<'a, S, H: ?Sized> {
    tape: &'a mut Tape<S>,
    host: &'a mut H,
}

impl<S: LineSink, H: ?Sized> Recording<'_, S, H> {
    fn ask<T: Answer>(
        &mut self,
        question: &Question<'_>,
        act: impl FnOnce(&mut H) -> Result<T, HostError>,
    ) -> Result<T, HostError> {
        // Before it is asked, so that a recording that ends here says what never came back.
        let question = line_of(question);
        self.tape.put(question.clone());
        let answer = act(self.host);
        let written = match &answer {
            Ok(answer) => line_of(&Got::Ok(answer.wire())),
            Err(error) => line_of(&Got::<()>::Error(error.to_string())),
        };
        self.tape.put_answer(question, written);
        answer
    }
}

impl<S: LineSink, H: EventSink + ?Sized> EventSink for Recording<'_, S, H> {
    fn event(&mut self, event: Event) {
        self.tape.put(line_of(&event));
        self.host.event(event);
    }

    fn keeps_reasons(&self) -> bool {
        self.host.keeps_reasons()
    }

    fn decision(&mut self, event: Event, why: Why) {
        self.tape.put(line_of(&event));
        self.host.decision(event, why);
    }
}

/// Implements the traits of a host for [`Recording`].
macro_rules! recorded {
    ($($role:ident { $(fn $name:ident($($argument:ident: $kind:ty),*) -> $answer:ty = $question:expr;)* })*) => {
        $(impl<S: LineSink, H: $role + ?Sized> $role for Recording<'_, S, H> {
            $(fn $name(&mut self, $($argument: $kind),*) -> Result<$answer, HostError> {
                self.ask(&$question, |host| host.$name($($argument),*))
            })*
        })*
    };
}

impl<S: LineSink, H: Membership + ?Sized> Membership for Recording<'_, S, H> {
    fn refresh(&mut self) -> Result<(), HostError> {
        self.ask(&Question::Refresh, Membership::refresh)
    }

    fn is_quorate(&mut self) -> bool {
        self.ask(&Question::IsQuorate, |host| Ok(host.is_quorate())).unwrap_or(false)
    }

    fn members(&mut self) -> Result<BTreeMap<NodeName, bool>, HostError> {
        self.ask(&Question::Members, Membership::members)
    }
}

super::wire::fallible_roles!(recorded);
