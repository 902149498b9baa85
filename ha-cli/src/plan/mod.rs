//! Verbs that ask beforehand: what is survived, and what follows from taking nodes down.

mod balance;
mod feasible;
mod steps;

use std::{collections::BTreeSet, process::ExitCode, time::Duration};

use ha_core::{
    config::Spread,
    id::{NodeName, ServiceId},
    plan::{
        BalanceQuestion, Feasibility, FeasibleQuestion, LossLevel, OtherPlacement, Steps, StepsQuestion, Tolerance,
        TooMuch, Verdict,
    },
};
use ha_host::{
    desk::{self, Evacuation, Present, evacuation, tolerance_of_domains, tolerance_with_remedies},
    history,
};

use super::{
    arguments::PlanVerb,
    commands::check_node,
    context::{Context, Failure, note, say, say_json},
    edits::read_text,
};

pub(super) fn plan(context: &Context, verb: PlanVerb) -> Result<ExitCode, Failure> {
    match verb {
        PlanVerb::Tolerance { losses, by, json } => tell_tolerance(context, losses, by, json),
        PlanVerb::Evacuate { nodes, json } => tell_evacuation(context, &nodes, json),
        PlanVerb::Feasible { without, memory, cpu, steps, json } => {
            let question = FeasibleQuestion { without: without.into_iter().collect(), memory, cpu, most_steps: steps };
            tell_feasibility(context, &question, json)
        }
        PlanVerb::Steps { to, at_once, memory, cpu, steps, json } => {
            let within = FeasibleQuestion { memory, cpu, most_steps: steps, ..FeasibleQuestion::default() };
            tell_steps(context, &to, &StepsQuestion { within, at_once: usize::from(at_once) }, json)
        }
        PlanVerb::Balance { moves, json } => tell_balancing(context, usize::from(moves), json),
    }
}

/// Writes the cluster as a document.
pub(super) fn snapshot(context: &Context) -> Result<ExitCode, Failure> {
    if !context.present()?.has_fresh_master() {
        note("no master is at work: what is recorded may be old, and what it says may not be so any more");
    }
    let snapshot = desk::snapshot(&context.desk)?;
    for part in &snapshot.left_out {
        note(format_args!("left out: {part}"));
    }
    say_json(&snapshot)?;
    Ok(ExitCode::SUCCESS)
}

fn tell_tolerance(
    context: &Context,
    losses: Option<usize>,
    by: Option<Spread>,
    as_json: bool,
) -> Result<ExitCode, Failure> {
    let (present, most) = (context.present()?, losses.unwrap_or(usize::MAX));
    let (found, unit) = match by {
        None => (tolerance_with_remedies(&present, most), NODE),
        Some(Spread::FailureDomain) => (tolerance_of_domains(&present, most), "failure domain"),
    };
    let is_enough = losses.is_none_or(|losses| found.survives >= losses);
    if as_json {
        say_json(&found)?;
    } else {
        survived(&found, unit).iter().try_for_each(say)?;
    }
    Ok(if is_enough { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn count_of(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// What may be lost at once, if nothing else is asked about.
const NODE: &str = "node";

/// What is survived and what is not, in lines.
fn survived(found: &Tolerance, unit: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for level in &found.levels {
        lines.extend(match &level.too_much {
            None => vec![format!("the loss of any {} is survived ({})", count_of(level.losses, unit), tried(level))],
            Some(too_much) => not_survived(level, too_much, unit),
        });
    }
    if found.levels.is_empty() {
        lines.push("no node is there whose loss could be survived: 'ha status' says what is wrong".to_owned());
    } else if !found.is_whole {
        lines.push("more losses at once were not looked at: there are too many sets of nodes".to_owned());
    }
    if !found.down_already.is_empty() {
        lines.push("not counted, since they are down already:".to_owned());
        lines.extend(found.down_already.iter().map(|down| format!("  {down}")));
    }
    lines
}

fn tried(level: &LossLevel) -> String {
    format!("{} looked at", count_of(level.sets, "set"))
}

fn not_survived(level: &LossLevel, too_much: &TooMuch, unit: &str) -> Vec<String> {
    let names: Vec<&str> = too_much.nodes.iter().map(NodeName::as_str).collect();
    let lost = match unit {
        NODE => names.join(", "),
        _ => format!("{} ({})", too_much.units.join(", "), names.join(", ")),
    };
    let mut lines =
        vec![format!("the loss of {} is not always survived, as that of {lost}:", count_of(level.losses, unit))];
    lines.extend(too_much.down.iter().map(|down| format!("  {down}")));
    if too_much.down.is_empty() {
        lines.push("  no node would be left".to_owned());
    }
    if !too_much.remedies.is_empty() {
        lines.push("each of these by itself would help:".to_owned());
        lines.extend(too_much.remedies.iter().map(|remedy| format!("  {remedy}")));
    }
    match &too_much.other_placement {
        None => {}
        Some(OtherPlacement::Beforehand { moves }) => {
            lines.push("another placement would survive it: move beforehand".to_owned());
            lines.extend(moves.iter().map(|step| format!("  {step}")));
        }
        Some(OtherPlacement::Unreached { moves }) => {
            lines.push(
                "another placement would keep every strict rule, but HA does not get there by itself:".to_owned(),
            );
            lines.extend(moves.iter().map(|step| format!("  {step}")));
        }
    }
    lines
}

fn tell_evacuation(context: &Context, nodes: &[NodeName], as_json: bool) -> Result<ExitCode, Failure> {
    let present = context.present()?;
    nodes.iter().try_for_each(|node| check_node(&present.settings.nodes, node))?;
    let found = evacuation(&present, nodes).ok_or_else(no_master)?;
    let code = if found.is_without_doubt() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    if as_json {
        say_json(&found)?;
        return Ok(code);
    }
    told(&found).iter().try_for_each(say)?;
    Ok(code)
}

fn no_master() -> Failure {
    Failure::Failed(
        "no node is there that could be the master: nothing follows until one is. See 'ha status'".to_owned(),
    )
}

fn tell_feasibility(context: &Context, question: &FeasibleQuestion, as_json: bool) -> Result<ExitCode, Failure> {
    let present = context.present()?;
    question.without.iter().try_for_each(|node| check_node(&present.settings.nodes, node))?;
    let found = desk::feasible(&present, question).ok_or_else(no_master)?;
    if as_json {
        say_json(&found)?;
    } else {
        feasible::told(&found, way_to(&present, &found, question).as_ref()).iter().try_for_each(say)?;
    }
    Ok(match found.verdict {
        Verdict::Placement { .. } => ExitCode::SUCCESS,
        Verdict::Contradiction { .. } | Verdict::Undecided => ExitCode::FAILURE,
    })
}

/// How to get to a placement that was found while all nodes are there: what is lost can't be moved any more.
fn way_to(present: &Present, found: &Feasibility, question: &FeasibleQuestion) -> Option<Steps> {
    let Verdict::Placement { places, moves } = &found.verdict else { return None };
    let question = StepsQuestion { within: question.clone(), ..StepsQuestion::default() };
    let is_asked = !moves.is_empty() && question.within.without.is_empty();
    is_asked.then(|| desk::steps(present, places, &question).ok().flatten()).flatten()
}

fn tell_steps(context: &Context, to: &str, question: &StepsQuestion, as_json: bool) -> Result<ExitCode, Failure> {
    let text = read_text(to)?;
    let to = steps::places(&text).map_err(|problem| Failure::Failed(format!("{to}: {problem}")))?;
    let found = desk::steps(&context.present()?, &to, question).map_err(|error| Failure::Failed(error.to_string()))?;
    let found = found.ok_or_else(no_master)?;
    if as_json {
        say_json(&found)?;
    } else {
        steps::told(&found).iter().try_for_each(say)?;
    }
    Ok(match found {
        Steps::Found { .. } => ExitCode::SUCCESS,
        Steps::TargetBreaks { .. } | Steps::Stuck { .. } => ExitCode::FAILURE,
    })
}

fn tell_balancing(context: &Context, most_moves: usize, as_json: bool) -> Result<ExitCode, Failure> {
    let present = context.present()?;
    let question = BalanceQuestion { suspended: suspended(context, &present), most_moves };
    let found = desk::balance(&present, &question).ok_or_else(no_master)?;
    if as_json {
        say_json(&found)?;
    } else {
        let scheduler = present.configuration().datacenter.scheduler.mode;
        balance::told(&found, scheduler).iter().try_for_each(say)?;
    }
    Ok(if found.balances() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Nobody waits longer to hear whose moves failed.
const HISTORY_PATIENCE: Duration = Duration::from_secs(1);

/// The services that balancing leaves alone now since their moves failed, as far as the history of the cluster tells.
fn suspended(context: &Context, present: &Present) -> BTreeSet<ServiceId> {
    let now_ms = present.now.wall.saturating_mul(1000);
    let latest = history::latest(&context.store, HISTORY_PATIENCE).unwrap_or_default();
    let still = latest.suspended.into_iter().filter(|(_, suspension)| suspension.until_ms > now_ms);
    still.map(|(sid, _)| sid).collect()
}

/// What follows, in lines, as it comes.
fn told(found: &Evacuation) -> Vec<String> {
    let names: Vec<&str> = found.nodes.iter().map(NodeName::as_str).collect();
    let names = names.join(", ");
    let mut lines =
        vec![format!("when {names} {} into maintenance:", if found.nodes.len() == 1 { "goes" } else { "go" })];
    let list = |lines: &mut Vec<String>, of: &mut dyn Iterator<Item = String>| {
        let before = lines.len();
        lines.extend(of.map(|line| format!("  {line}")));
        if lines.len() == before {
            lines.push("  nothing".to_owned());
        }
    };
    list(&mut lines, &mut found.leaving.iter().map(ToString::to_string));
    if !found.interrupted.is_empty() {
        let sids: Vec<&str> = found.interrupted.iter().map(|sid| sid.as_str()).collect();
        lines.push(format!(
            "interrupted when {names} {} down: {}",
            if found.nodes.len() == 1 { "is" } else { "are" },
            sids.join(", ")
        ));
    }
    let too_much = found.meanwhile.levels.first().and_then(|level| Some((level, level.too_much.as_ref()?)));
    match too_much {
        None if found.meanwhile.survives > 0 => {
            lines.push("meanwhile the loss of any other node is survived".to_owned())
        }
        None => lines.push("meanwhile no other node is there".to_owned()),
        Some((level, too_much)) => {
            lines.push("meanwhile:".to_owned());
            lines.extend(not_survived(level, too_much, NODE).into_iter().map(|line| format!("  {line}")));
        }
    }
    lines.push("when it is over:".to_owned());
    list(&mut lines, &mut found.returning.iter().map(ToString::to_string));
    for elsewhere in &found.elsewhere {
        lines.push(format!("{} does not return to {}: it stays on {}", elsewhere.sid, elsewhere.now, elsewhere.then));
    }
    lines
}
