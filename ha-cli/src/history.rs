//! `ha history` and `ha failovers`: what has happened, why, and how long it took.

use std::{process::ExitCode, time::Duration};

use anstyle::{AnsiColor, Style};
use clap::{Args, Subcommand};
use ha_core::{
    event::Severity,
    history::{Failover, FailoverOutcome, FailoverService, Failovers, MeasuredFailover, ProofOfDown, because},
    id::NodeName,
    placement::Explanation,
    status::UtcTime,
    timing::RecoveryTimes,
};
use ha_host::{
    history::{Entry, Filter, Kept, Reader},
    node::journal_directory,
    os::{clock, signals::StopSignals},
};
use serde_json::json;

use super::{
    check::explanation_rows,
    commands::check_node,
    context::{Context, Failure, note, say, say_json, say_rows},
};

/// What `ha history` takes.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct HistoryArguments {
    #[command(subcommand)]
    verb: Option<HistoryVerb>,
    /// Only what is about these services or nodes.
    #[arg(value_name = "SID|NODE")]
    about: Vec<String>,
    #[command(flatten)]
    since: SinceOption,
    /// Only what matters at least this much: 'info', 'notice', 'warning' or 'error'.
    #[arg(long, value_name = "SEVERITY")]
    severity: Option<Severity>,
    /// How many of the last ones; by default 100, or all with --since.
    #[arg(long, short = 'n', value_name = "LINES")]
    lines: Option<usize>,
    /// Go on as more happens, until interrupted.
    #[arg(long, short)]
    follow: bool,
    /// As JSON, one object a line.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum HistoryVerb {
    /// Say why something happened: the decision as it was made at the time, and what led to it.
    Explain {
        /// The number or the id of an entry, as 'ha history' shows it.
        id: String,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

/// From when on.
#[derive(Debug, Args)]
pub(super) struct SinceOption {
    /// Only what is not older: '90s', '30m', '12h', '7d', or a time by UTC such as '2026-11-29' or '2026-11-29 13:43'.
    #[arg(long, value_name = "TIME", value_parser = parse_since)]
    since: Option<i64>,
}

/// The moment in milliseconds since 1970.
fn parse_since(text: &str) -> Result<i64, String> {
    if let Some(UtcTime(seconds)) = UtcTime::from_date(text) {
        return Ok(seconds.saturating_mul(1000));
    }
    let expected = || format!("'{text}' is no time: expected '30m', '12h', '7d', or '2026-11-29 13:43'");
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(expected)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(expected()),
    };
    let number: i64 = number.parse().ok().filter(|number| *number >= 0).ok_or_else(expected)?;
    Ok(clock::wall_ms().saturating_sub(number.saturating_mul(seconds).saturating_mul(1000)))
}

pub(super) fn history(context: &Context, arguments: &HistoryArguments) -> Result<ExitCode, Failure> {
    const USUAL_LINES: usize = 100;
    if let Some(HistoryVerb::Explain { id, json }) = &arguments.verb {
        return explain(context, id, *json);
    }
    let kept = read(context)?;
    let filter = filter(context, arguments, &kept)?;
    let wanted: Vec<&Entry> = kept.entries.iter().filter(|entry| filter.takes(entry)).collect();
    let most = arguments.lines.or(arguments.since.since.is_none().then_some(USUAL_LINES)).unwrap_or(usize::MAX);
    let skipped = wanted.len().saturating_sub(most);
    if wanted.is_empty() && !arguments.json && !arguments.follow {
        note("nothing of that is kept");
    }
    wanted.into_iter().skip(skipped).try_for_each(|entry| tell(entry, arguments.json))?;
    if arguments.follow {
        follow(context, &filter, kept.end, arguments.json)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Tells what comes, in the order in which the nodes bring it to the store.
fn follow(context: &Context, filter: &Filter, end: u64, as_json: bool) -> Result<(), Failure> {
    const LOOK_INTERVAL: Duration = Duration::from_millis(300);
    let signals = StopSignals::catch()?;
    let mut end = end;
    let mut is_told = false;
    while !signals.wait(LOOK_INTERVAL) {
        let store = &*context.store;
        let read = store.history_end().and_then(|now| {
            if now < end {
                note("the history was set back, as from a backup: it is told from its beginning");
                end = 0;
            }
            Reader::after(store, end)
        });
        match read {
            Ok(kept) => {
                is_told = false;
                end = kept.end;
                let mut wanted = kept.entries.iter().filter(|entry| filter.takes(entry));
                wanted.try_for_each(|entry| tell(entry, as_json))?;
            }
            Err(error) => {
                if !std::mem::replace(&mut is_told, true) {
                    note(format_args!("waits for the store: {error}"));
                }
            }
        }
    }
    Ok(())
}

/// All that is kept: what the store has, and what this node's journal has besides.
fn read(context: &Context) -> Result<Kept, Failure> {
    let reader = Reader::with_journal(journal_directory(context.state.path()));
    let kept = reader.read(Some(&*context.store))?;
    kept.problems.iter().for_each(note);
    Ok(kept)
}

fn filter(context: &Context, arguments: &HistoryArguments, kept: &Kept) -> Result<Filter, Failure> {
    let members = context.store.settings()?.nodes;
    let mut filter = Filter { from_ms: arguments.since.since, severity: arguments.severity, ..Filter::default() };
    for text in &arguments.about {
        match node_meant(text, &members, kept)? {
            Some(node) => filter.nodes.push(node),
            None => filter.services.push(context.sid(text)?),
        }
    }
    Ok(filter)
}

/// The node that is meant, if it is none of a service: a member, or one that was.
fn node_meant(text: &str, members: &[NodeName], kept: &Kept) -> Result<Option<NodeName>, Failure> {
    let Ok(node) = text.parse::<NodeName>() else { return Ok(None) };
    if members.contains(&node) || kept.entries.iter().any(|entry| entry.is_about_node(&node)) {
        return Ok(Some(node));
    }
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { Ok(None) } else { check_node(members, &node).map(|()| Some(node)) }
}

fn of_severity(severity: Severity) -> Style {
    let color = match severity {
        Severity::Error => AnsiColor::Red,
        Severity::Warning => AnsiColor::Yellow,
        Severity::Notice => AnsiColor::Green,
        Severity::Info => return Style::new(),
    };
    Style::new().fg_color(Some(color.into()))
}

fn time(time_ms: i64) -> UtcTime {
    UtcTime(time_ms.div_euclid(1000))
}

/// What `ha history explain` takes for an entry.
fn name(entry: &Entry) -> String {
    entry.position.map_or_else(|| entry.id.to_string(), |position| position.to_string())
}

fn tell(entry: &Entry, as_json: bool) -> Result<(), Failure> {
    if as_json {
        return say(entry.to_json());
    }
    let why = if entry.why.is_some() { format!(" (why: ha history explain {})", name(entry)) } else { String::new() };
    say(format_args!("{}{why}", line(entry)))
}

fn line(entry: &Entry) -> String {
    let style = of_severity(entry.severity);
    let again =
        entry.unsaid.map_or_else(String::new, |times| format!(" (and {times} times more since it was last kept)"));
    let Entry { node, source, severity, what, .. } = entry;
    format!("{} {} {node}/{source} {style}{severity}{style:#}: {what}{again}", time(entry.time_ms), name(entry))
}

fn explain(context: &Context, id: &str, as_json: bool) -> Result<ExitCode, Failure> {
    let kept = read(context)?;
    let number = id.strip_prefix('#').unwrap_or(id).parse::<u64>().ok();
    let is_meant = |entry: &&Entry| match number {
        Some(number) => entry.position == Some(number),
        None => entry.id.to_string() == id,
    };
    let Some(entry) = kept.entries.iter().find(is_meant) else {
        return Err(Failure::Failed(format!(
            "there is no entry '{id}', or it is kept no longer: 'ha history' shows the number of each"
        )));
    };
    let chain = because(&kept.entries, entry);
    if as_json {
        say_json(&json!({"entry": entry, "because": chain}))?;
        return Ok(ExitCode::SUCCESS);
    }
    say(line(entry))?;
    if let Some(why) = &entry.why {
        say(&why.text)?;
        if let Ok(explanation) = serde_json::from_value::<Explanation>(why.explanation.clone()) {
            say_rows(&explanation_rows(&explanation))?;
        }
    }
    if !chain.is_empty() {
        say("because of this, the nearest first:")?;
        chain.iter().try_for_each(|cause| say(format_args!("  {}", line(cause))))?;
    }
    if entry.why.is_none() && chain.is_empty() {
        say("nothing is kept of why")?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn failovers(
    context: &Context,
    node: Option<&NodeName>,
    since: &SinceOption,
    as_json: bool,
) -> Result<ExitCode, Failure> {
    let kept = read(context)?;
    let settings = context.store.settings()?;
    let times = settings.timings.recovery();
    // A node that was removed is known by what is kept of it.
    if let Some(node) = node
        && !kept.entries.iter().any(|entry| entry.is_about_node(node))
    {
        check_node(&settings.nodes, node)?;
    }
    let failovers = Failovers::of(&kept.entries);
    let is_wanted = |failover: &&Failover| {
        node.is_none_or(|node| failover.node == *node) && since.since.is_none_or(|since| failover.noticed_ms >= since)
    };
    let wanted: Vec<&Failover> = failovers.all().iter().filter(is_wanted).collect();
    if as_json {
        let measured: Vec<MeasuredFailover> = wanted.iter().map(|failover| failover.measured(&times)).collect();
        say_json(&json!(measured))?;
        return Ok(ExitCode::SUCCESS);
    }
    if wanted.is_empty() {
        say("no failover is kept")?;
    }
    wanted.iter().try_for_each(|failover| tell_failover(failover, &times))?;
    Ok(ExitCode::SUCCESS)
}

fn tell_failover(failover: &Failover, times: &RecoveryTimes) -> Result<(), Failure> {
    let Failover { node, master, .. } = failover;
    let bound = failover.bound_seconds(times);
    let took = failover.seconds(failover.all_started_ms().or(failover.ended_ms)).unwrap_or_default();
    let since = failover.seconds(Some(clock::wall_ms())).unwrap_or_default();
    let (style, outcome) = match failover.outcome {
        FailoverOutcome::Done if took <= bound => {
            (AnsiColor::Green, format!("over in {took:.1} s, of {bound:.1} s at most"))
        }
        FailoverOutcome::Done => {
            (AnsiColor::Red, format!("over in {took:.1} s, longer than the {bound:.1} s that it may take"))
        }
        FailoverOutcome::UnderWay => {
            (AnsiColor::Yellow, format!("under way for {since:.1} s, of {bound:.1} s at most"))
        }
        FailoverOutcome::Returned => (AnsiColor::Green, format!("not needed: it came back after {took:.1} s")),
        FailoverOutcome::Failed => {
            (AnsiColor::Red, "over, and a service was started nowhere: see 'ha status'".to_owned())
        }
    };
    let style = Style::new().fg_color(Some(style.into()));
    let master_too = if failover.with_master { ", which was the master" } else { "" };
    say(format_args!("{style}failover of {node}{master_too}: {outcome}{style:#}"))?;
    say(format_args!("  began {}, noticed by {master}", time(failover.began_ms())))?;
    say_rows(&steps(failover))
}

fn steps(failover: &Failover) -> Vec<Vec<String>> {
    let at = |moment| failover.seconds(moment).map_or_else(String::new, |seconds| format!("{seconds:.1} s"));
    let beginning =
        if failover.lost_ms.is_some() { "after its last sign of life" } else { "its last sign of life is not known" };
    let mut rows = vec![vec!["  noticed".to_owned(), at(Some(failover.noticed_ms)), beginning.to_owned()]];
    if failover.fence_ms.is_some() {
        rows.push(vec!["  to be fenced".into(), at(failover.fence_ms), String::new()]);
    }
    if failover.locked_ms.is_some() {
        rows.push(vec!["  known to be down".into(), at(failover.locked_ms), proof(failover.proof).into()]);
    }
    rows.extend(
        failover
            .services
            .iter()
            .map(|service| vec![format!("  {}", service.sid), at(service.placed_ms), fate(service, &at)]),
    );
    rows
}

fn proof(proof: Option<ProofOfDown>) -> &'static str {
    match proof {
        Some(ProofOfDown::Lock) => "the master got its lock",
        Some(ProofOfDown::Device) => "a fence device turned it off",
        Some(ProofOfDown::Person) => "a person has confirmed it",
        Some(ProofOfDown::Reboot) => "it was booted again",
        None => "",
    }
}

fn fate(service: &FailoverService, at: &impl Fn(Option<i64>) -> String) -> String {
    let FailoverService { to, starts, started_ms, failed, .. } = service;
    match (to, started_ms) {
        (None, _) => "no node can take it".into(),
        (Some(to), Some(started)) => format!("placed on {to}, started after {}", at(Some(*started))),
        (Some(to), None) if *failed => format!("placed on {to}, and could not be started"),
        (Some(to), None) if !starts => format!("placed on {to}, not to run"),
        (Some(to), None) => format!("placed on {to}, being started"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_an_age_or_a_date() {
        assert_eq!(parse_since("2016-11-23 09:00:43"), Ok(1_479_891_643_000));
        for (text, seconds) in [("90s", 90), ("30m", 1800), ("12h", 43_200), ("7d", 604_800), ("0s", 0)] {
            let age = clock::wall_ms() - parse_since(text).unwrap();
            assert!((0..60_000).contains(&(age - seconds * 1000)), "{text}: {age}");
        }
        for bad in ["", "m", "-5m", "5", "5w", "soon", "5µ", "99999999999999999999d", "2026-13-01"] {
            assert!(parse_since(bad).is_err(), "{bad}");
        }
    }
}
