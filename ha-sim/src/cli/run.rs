//! `ha-sim run`: plays a scenario and prints what happens as it happens.

use std::{
    io::{self, Write},
    path::Path,
    time::Duration,
};

use anstyle::Style;
use ha_core::{
    event::{Event, Severity},
    id::NodeName,
    time::Instant,
};
use ha_sim::{
    recorded::{Case, Replay},
    scenario::{Failure, Outcome, Played, Scenario, play},
    world::{ClusterEvent, Happening, Source, What},
};
use serde_json::json;

use super::{Error, Format, Verdict, summary, terminal};

/// Plays what is in a folder.
pub(super) fn run(folder: &Path, format: Format, quiet: bool, out: &mut impl Write) -> Result<Verdict, Error> {
    if Scenario::is_in(folder) {
        run_scenario(Scenario::read(folder)?, format, quiet, out)
    } else if folder.join("cmdlist").is_file() {
        run_recorded(folder, format, quiet, out)
    } else if folder.is_dir() {
        Err(Error::NoScenario(folder.to_owned()))
    } else {
        let source = io::Error::new(io::ErrorKind::NotFound, "there is no such folder");
        Err(Error::Read { path: folder.to_owned(), source })
    }
}

/// What a scenario is judged by.
#[derive(Clone, Copy)]
enum Expected {
    /// How many conditions.
    Conditions(usize),
    /// All invariants: the hunt found it.
    Invariants,
}

/// Plays a scenario.
pub(super) fn run_scenario(
    scenario: Scenario,
    format: Format,
    quiet: bool,
    out: &mut impl Write,
) -> Result<Verdict, Error> {
    let expected = match scenario.history() {
        Some(_) => Expected::Invariants,
        None => Expected::Conditions(scenario.expectations()),
    };
    let names = scenario.setup().nodes.keys();
    let mut printer = Printer::new(format, quiet, names, has_fractions(&scenario), out);
    printer.heading(&scenario.name, &scenario.title)?;
    let mut written = Ok(());
    let outcome = play(scenario, &mut |played| {
        if written.is_ok() {
            written = printer.played(played);
        }
    });
    written?;
    printer.end(&outcome, expected)?;
    Ok(if outcome.passed() { Verdict::Well } else { Verdict::Failed })
}

/// Whether things happen within seconds, so that their fractions matter.
fn has_fractions(scenario: &Scenario) -> bool {
    let timings = scenario.setup().timings;
    scenario.history().is_some() || timings.round_time() < Duration::from_secs(5)
}

fn run_recorded(folder: &Path, format: Format, quiet: bool, out: &mut impl Write) -> Result<Verdict, Error> {
    let case = Case::read(folder)?;
    let began = case.world.guests.clone();
    let mut replay = Replay::new(case);
    replay.run();
    let mut printer = Printer::new(format, quiet, replay.world.nodes.keys(), false, out);
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    printer.heading(&name, "A recorded scenario.")?;
    for happening in &replay.world.happenings {
        printer.happening(happening)?;
    }
    let end = replay.world.time;
    summary::print(&summary::of_replay(&began, &replay.world), format, end, printer.out)?;
    for error in &replay.errors {
        let style = terminal::ERROR;
        anstream::eprintln!("{style}error:{style:#} {error}");
    }
    Ok(if replay.errors.is_empty() { Verdict::Well } else { Verdict::Failed })
}

/// Prints what happens, a line each; grouped by time and source for people.
struct Printer<'a, W> {
    format: Format,
    quiet: bool,
    /// Whether times have fractions of seconds.
    fractions: bool,
    /// How wide the names of sources are.
    source_width: usize,
    width: Option<usize>,
    last: Option<(String, String)>,
    out: &'a mut W,
}

impl<'a, W: Write> Printer<'a, W> {
    fn new<'n>(
        format: Format,
        quiet: bool,
        nodes: impl Iterator<Item = &'n NodeName>,
        fractions: bool,
        out: &'a mut W,
    ) -> Self {
        let daemon = |node: &NodeName| node.as_str().len().saturating_add("/crm".len());
        let source_width = nodes.map(daemon).chain(["scenario".len()]).max().unwrap_or(0);
        Self { format, quiet, fractions, source_width, width: terminal::width(), last: None, out }
    }

    fn heading(&mut self, name: &str, title: &str) -> io::Result<()> {
        if self.format == Format::Jsonl {
            return Ok(());
        }
        let style = terminal::STRONG;
        let text = if title.is_empty() { name.to_owned() } else { format!("{name}: {title}") };
        for line in terminal::wrap(&text, self.width) {
            writeln!(self.out, "{style}{line}{style:#}")?;
        }
        writeln!(self.out)
    }

    fn played(&mut self, played: Played<'_>) -> io::Result<()> {
        match played {
            Played::Happening(happening) => self.happening(happening),
            Played::Failure(failure) => self.failure(failure),
        }
    }

    fn happening(&mut self, happening: &Happening) -> io::Result<()> {
        if self.format == Format::Jsonl {
            return self.json(happening);
        }
        let style = style(happening);
        if self.quiet && style == terminal::QUIET {
            return Ok(());
        }
        self.line(happening.at, &happening.src.to_string(), style, &happening.what.to_string())
    }

    fn failure(&mut self, failure: &Failure) -> io::Result<()> {
        let Failure { line, at, message } = failure;
        match self.format {
            Format::Jsonl => {
                let t = at.since_start().as_secs_f64();
                self.json(&json!({
                    "t": t, "src": "scenario", "event": "expectation_failed", "line": line, "message": message,
                }))
            }
            Format::Text => self.line(*at, "scenario", terminal::ERROR, &format!("✗ line {line}: {message}")),
        }
    }

    fn json(&mut self, value: &impl serde::Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut *self.out, value)?;
        writeln!(self.out)
    }

    /// A line for people. Time and source are left out where they are those of the line before.
    fn line(&mut self, at: Instant, source: &str, style: Style, text: &str) -> io::Result<()> {
        let time = self.time(at);
        let here = (time, source.to_owned());
        let (time, source) = match &self.last {
            Some(last) if *last == here => ("", ""),
            Some((last, _)) if *last == here.0 => ("", source),
            Some(_) | None => (here.0.as_str(), source),
        };
        let (time_width, source_width) = (here.0.len(), self.source_width);
        let margin = time_width.saturating_add(source_width).saturating_add(4);
        let (strong, quiet) = (terminal::STRONG, terminal::QUIET);
        let lines = terminal::wrap(text, self.width.map(|width| width.saturating_sub(margin)));
        for (position, line) in lines.iter().enumerate() {
            if position == 0 {
                write!(self.out, "{strong}{time:time_width$}{strong:#}  {quiet}{source:source_width$}{quiet:#}  ")?;
            } else {
                write!(self.out, "{:margin$}", "")?;
            }
            writeln!(self.out, "{style}{line}{style:#}")?;
        }
        self.last = Some(here);
        Ok(())
    }

    /// Minutes and seconds; hours where there are any.
    fn time(&self, at: Instant) -> String {
        let time = at.since_start();
        let seconds = time.as_secs();
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        let mut text =
            if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes:02}:{seconds:02}") };
        if self.fractions {
            text.push_str(&format!(".{:03}", time.subsec_millis()));
        }
        text
    }

    fn end(&mut self, outcome: &Outcome, expected: Expected) -> io::Result<()> {
        let end = outcome.cluster.now().instant;
        summary::print(&summary::of_cluster(&outcome.cluster), self.format, end, self.out)?;
        if self.format == Format::Jsonl {
            return match &outcome.ran_twice {
                Some(ran_twice) => self.json(&json!({
                    "t": end.since_start().as_secs_f64(), "src": "scenario", "event": "ran_twice",
                    "sid": ran_twice.sid, "nodes": ran_twice.nodes,
                })),
                None => Ok(()),
            };
        }
        let (good, bad) = (terminal::GOOD, terminal::ERROR);
        if let Some(ran_twice) = &outcome.ran_twice {
            writeln!(self.out, "{bad}{ran_twice}{bad:#}")?;
        }
        match outcome.failures.len() {
            0 => match expected {
                Expected::Conditions(0) => Ok(()),
                Expected::Conditions(number) => writeln!(self.out, "{good}all {number} expectations hold{good:#}"),
                Expected::Invariants => writeln!(self.out, "{good}all invariants hold{good:#}"),
            },
            1 => writeln!(self.out, "{bad}1 failure, marked ✗ above{bad:#}"),
            failed => writeln!(self.out, "{bad}{failed} failures, marked ✗ above{bad:#}"),
        }
    }
}

/// How something that happened is shown.
fn style(happening: &Happening) -> Style {
    match &happening.what {
        What::Core(event) if is_quiet(event) => terminal::QUIET,
        What::Core(Event::AgentStarted { .. }) => terminal::GOOD,
        What::Core(event) => match event.severity() {
            Severity::Error => terminal::ERROR,
            Severity::Warning => terminal::WARNING,
            Severity::Notice => terminal::NOTICE,
            Severity::Info => terminal::PLAIN,
        },
        What::Cluster(ClusterEvent::Killed | ClusterEvent::DaemonExited | ClusterEvent::RoundSkipped { .. }) => {
            terminal::QUIET
        }
        What::Cluster(ClusterEvent::WatchdogReset { .. } | ClusterEvent::PowerCut { .. }) => terminal::ERROR,
        What::Cluster(ClusterEvent::Execute { .. }) if matches!(happening.src, Source::Other(_)) => terminal::STRONG,
        What::Cluster(_) => terminal::NOTICE,
    }
}

/// Everyday events, which matter to those who look closely.
fn is_quiet(event: &Event) -> bool {
    matches!(
        event,
        Event::DaemonState { .. }
            | Event::LockAcquired { .. }
            | Event::CrmShutdownRequested
            | Event::ServiceAdded { .. }
            | Event::CrmIdle { .. }
            | Event::LrmIdle { .. }
            | Event::GroupMigrationStarted
    )
}
