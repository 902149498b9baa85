//! `ha-sim explain`: why a service goes where it goes, and what balancing does.

use std::{
    io::{self, Write},
    path::Path,
    time::Duration,
};

use clap::{Args, ValueEnum};
use ha_core::{
    id::{NodeName, ServiceId},
    placement::{Balance, Counterfactual, Explanation, Fate, NodeExplanation, Preference},
    time::Instant,
};
use ha_sim::{
    recorded::{Case, Replay},
    scenario::{self, Scenario},
    snapshot::Snapshot,
};
use serde::Serialize;

use super::{Error, Verdict, terminal};

/// What to explain.
#[derive(Debug, Clone, Args)]
#[group(skip)]
pub(super) struct What {
    /// The service
    #[arg(long, value_name = "SID", required_unless_present = "balance")]
    service: Option<ServiceId>,
    /// A node to which it might go
    #[arg(long, value_name = "NODE", requires = "service")]
    node: Option<NodeName>,
    /// What to ask for; by default what the manager would, in the state in which the service is
    #[arg(long, value_parser = ["none", "best_score", "try_next"], requires = "service")]
    preference: Option<String>,
    /// Explain automatic balancing instead
    #[arg(long, conflicts_with = "service")]
    balance: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people: a table and sentences
    Text,
    /// For programs
    Json,
}

/// How many moves are shown when balancing is explained.
const MOVES: usize = 10;

/// Reads a time of the command line.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    scenario::duration(text).ok_or_else(|| "expected a time such as '90s', '2m' or '1h30m'".to_owned())
}

pub(super) fn explain(
    folder: &Path,
    what: &What,
    at: Option<Duration>,
    format: Format,
    out: &mut impl Write,
) -> Result<Verdict, Error> {
    let snapshot = snapshot(folder, at.map(Instant::after_start))?;
    match &what.service {
        Some(service) => explain_service(&snapshot, service, what, format, out)?,
        None => explain_balance(&snapshot, format, out)?,
    }
    Ok(Verdict::Well)
}

/// Plays what is in a folder up to a moment.
fn snapshot(folder: &Path, at: Option<Instant>) -> Result<Snapshot, Error> {
    if Scenario::is_in(folder) {
        let scenario = Scenario::read(folder)?;
        let scenario = match at {
            Some(at) => scenario.until(at),
            None => scenario,
        };
        return Ok(scenario::play(scenario, &mut |_| {}).cluster.snapshot());
    }
    if !folder.join("cmdlist").is_file() {
        return Err(Error::NoScenario(folder.to_owned()));
    }
    let mut replay = Replay::new(Case::read(folder)?);
    match at {
        Some(at) => replay.run_until(at),
        None => replay.run(),
    }
    Ok(replay.snapshot())
}

#[derive(Serialize)]
struct ServiceReport<'a> {
    t: f64,
    explanation: &'a Explanation,
    #[serde(skip_serializing_if = "Option::is_none")]
    counterfactual: Option<&'a Counterfactual>,
}

fn explain_service(
    snapshot: &Snapshot,
    service: &ServiceId,
    what: &What,
    format: Format,
    out: &mut impl Write,
) -> Result<(), Error> {
    let asked = what.preference.as_deref().and_then(|word| word.parse::<Preference>().ok());
    let preference = asked.unwrap_or_else(|| snapshot.usual_preference(service));
    let situation = snapshot.situation();
    let explanation = situation.explain(service, preference)?;
    let counterfactual =
        what.node.as_ref().map(|node| situation.counterfactual(service, preference, node)).transpose()?;
    match format {
        Format::Json => {
            let t = snapshot.at.since_start().as_secs_f64();
            print_json(&ServiceReport { t, explanation: &explanation, counterfactual: counterfactual.as_ref() }, out)?;
        }
        Format::Text => {
            print_explanation(&explanation, out)?;
            if let Some(counterfactual) = &counterfactual {
                print_counterfactual(counterfactual, out)?;
            }
        }
    }
    Ok(())
}

fn print_explanation(explanation: &Explanation, out: &mut impl Write) -> io::Result<()> {
    let strong = terminal::STRONG;
    writeln!(out, "{strong}{explanation}{strong:#}")?;
    let Explanation { preference, scheduler, .. } = explanation;
    writeln!(out, "asked for: {preference}, scheduler: {scheduler}")?;
    if let Some(reason) = &explanation.fallback {
        let style = terminal::WARNING;
        writeln!(out, "{style}fallen back: {reason}{style:#}")?;
    }
    writeln!(out)?;
    let mut rows =
        vec![(terminal::QUIET, ["node", "rank", "figure", "cpu", "memory", "why"].map(str::to_owned).to_vec())];
    rows.extend(explanation.nodes.iter().map(|node| (style(explanation, node), cells(node))));
    print_table(&rows, out)
}

fn style(explanation: &Explanation, node: &NodeExplanation) -> anstyle::Style {
    if explanation.answer.as_ref() == Some(&node.node) {
        terminal::GOOD
    } else if node.fate == Fate::Candidate {
        terminal::PLAIN
    } else {
        terminal::QUIET
    }
}

fn cells(node: &NodeExplanation) -> Vec<String> {
    let percent =
        |fraction: Option<f64>| fraction.map_or(String::new(), |fraction| format!("{:.1} %", fraction * 100.0));
    vec![
        node.node.to_string(),
        node.rank.map_or(String::new(), |rank| rank.to_string()),
        node.figure.map_or(String::new(), |figure| figure.to_string()),
        percent(node.usage.map(|usage| usage.cpu)),
        percent(node.usage.map(|usage| usage.memory)),
        node.fate.to_string(),
    ]
}

fn print_counterfactual(counterfactual: &Counterfactual, out: &mut impl Write) -> io::Result<()> {
    let (strong, node) = (terminal::STRONG, &counterfactual.node);
    if counterfactual.changes.is_empty() {
        return writeln!(out, "\n{strong}It goes to {node} as things are.{strong:#}");
    }
    writeln!(out, "\n{strong}For it to go to {node}:{strong:#}")?;
    counterfactual.changes.iter().try_for_each(|change| writeln!(out, "  {change}"))
}

#[derive(Serialize)]
struct BalanceReport<'a> {
    t: f64,
    balance: &'a Balance,
}

fn explain_balance(snapshot: &Snapshot, format: Format, out: &mut impl Write) -> Result<(), Error> {
    let balance = snapshot.situation().balance(snapshot.balance_hold, MOVES);
    match format {
        Format::Json => {
            print_json(&BalanceReport { t: snapshot.at.since_start().as_secs_f64(), balance: &balance }, out)?
        }
        Format::Text => {
            let strong = terminal::STRONG;
            writeln!(out, "{strong}{balance}{strong:#}")?;
            if !balance.candidates.is_empty() {
                writeln!(out)?;
                print_table(&moves(&balance), out)?;
            }
        }
    }
    Ok(())
}

/// The best moves, as a table.
fn moves(balance: &Balance) -> Vec<(anstyle::Style, Vec<String>)> {
    let headings = ["services", "from", "to", "imbalance", "gain", "score"].map(str::to_owned).to_vec();
    let mut rows = vec![(terminal::QUIET, headings)];
    rows.extend(balance.candidates.iter().map(|candidate| {
        let services: Vec<&str> = candidate.services.iter().map(ServiceId::as_str).collect();
        let row = vec![
            services.join(", "),
            candidate.from.to_string(),
            candidate.target.to_string(),
            format!("{:.4}", candidate.imbalance),
            format!("{:.1} %", candidate.gain * 100.0),
            candidate.score.map_or(String::new(), |score| format!("{score:.4}")),
        ];
        (if balance.chosen() == Some(candidate) { terminal::GOOD } else { terminal::PLAIN }, row)
    }));
    rows
}

/// Prints rows with their styles, the headings first, in columns as wide as they must be. An empty column is
/// left out.
fn print_table(rows: &[(anstyle::Style, Vec<String>)], out: &mut impl Write) -> io::Result<()> {
    let columns = rows.iter().map(|(_, cells)| cells.len()).max().unwrap_or(0);
    let cells = |column: usize| rows.iter().filter_map(move |(_, cells)| cells.get(column));
    let is_empty = |column: usize| cells(column).skip(1).all(String::is_empty);
    let width = |column: usize| cells(column).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let widths: Vec<Option<usize>> = (0..columns).map(|column| (!is_empty(column)).then(|| width(column))).collect();
    rows.iter().try_for_each(|(style, cells)| {
        let padded = cells.iter().zip(&widths).filter_map(|(cell, width)| width.map(|width| format!("{cell:width$}")));
        writeln!(out, "{style}{}{style:#}", padded.collect::<Vec<String>>().join("  ").trim_end())
    })
}

fn print_json(report: &impl Serialize, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, report)?;
    writeln!(out)
}
