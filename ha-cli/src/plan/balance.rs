//! What automatic balancing would move, in words.

use std::collections::BTreeMap;

use ha_core::{
    config::datacenter::SchedulerMode,
    id::ServiceId,
    placement::BalanceOutcome,
    plan::{BalancePlan, BalanceStep, LeftAloneReason, Needed},
};

use super::count_of;

/// What was found, in lines.
pub(super) fn told(found: &BalancePlan, scheduler: SchedulerMode) -> Vec<String> {
    let mut lines = vec![beginning(found)];
    let mut before = found.imbalance;
    for (number, step) in (1..).zip(&found.steps) {
        lines.push(format!("  {number}. {}", moved(step, before)));
        lines.extend(step.followed_by.iter().map(|follows| format!("     because of it, by its rules: {follows}")));
        before = Some(step.imbalance);
    }
    if !found.steps.is_empty() {
        lines.push(size(found));
    }
    lines.push(end(found, scheduler));
    if let Some(shorter) = &found.shorter {
        lines.push(format!(
            "the same places take no more than {} with {}: 'ha plan balance --json | ha plan steps --to -' has them",
            count_of(shorter.moves, "move"),
            memory(shorter.bytes)
        ));
    }
    lines.extend(left_alone(found));
    lines
}

fn beginning(found: &BalancePlan) -> String {
    let moves = count_of(found.steps.len(), "move");
    match (found.is_on, found.steps.is_empty()) {
        (true, false) => format!("automatic balancing is on, and makes {moves}:"),
        (true, true) => "automatic balancing is on, and moves nothing".to_owned(),
        (false, false) => format!("automatic balancing is off. If it was on it would make {moves}:"),
        (false, true) => "automatic balancing is off. If it was on it would move nothing".to_owned(),
    }
}

/// The move of a service, who goes along, and what it is good for.
fn moved(step: &BalanceStep, before: Option<f64>) -> String {
    let mut moves = step.moves.iter();
    let Some(first) = moves.next() else { return step.leader.to_string() };
    let along = moves.map(|along| match &along.from {
        Some(from) if along.from != first.from => format!("{} from {from}", along.sid),
        Some(_) | None => along.sid.to_string(),
    });
    let along: Vec<String> = along.collect();
    let along = if along.is_empty() { String::new() } else { format!(" together with {}", along.join(", ")) };
    format!("{first}{along}: imbalance {} to {}", percent(before.unwrap_or_default()), percent(step.imbalance))
}

fn size(found: &BalancePlan) -> String {
    let services = count_of(found.places.len(), "service");
    let moved = format!("in all {services} with {}", memory(found.bytes));
    match found.services_without_figures.as_slice() {
        [] => moved,
        unknown => format!("{moved}; of {} no size is known", names(unknown)),
    }
}

fn memory(bytes: u64) -> String {
    Needed { memory: Some(bytes), cpu: None }.to_string()
}

/// Why nothing more is moved.
fn end(found: &BalancePlan, scheduler: SchedulerMode) -> String {
    let then = &found.then;
    let (imbalance, threshold) = (percent(then.imbalance.unwrap_or_default()), percent(then.threshold));
    let after = if found.steps.is_empty() { "" } else { "then " };
    let gain = then.candidates.first().map_or(0.0, |best| best.gain);
    match &then.outcome {
        BalanceOutcome::Balanced => {
            format!("{after}the nodes are in balance: the imbalance of {imbalance} is not above {threshold}")
        }
        BalanceOutcome::BelowMargin if gain > 0.0 => format!(
            "{after}the imbalance of {imbalance} is above {threshold}, but the best move would take away only {} of that, less than {}",
            percent(gain),
            percent(then.margin)
        ),
        BalanceOutcome::BelowMargin => {
            format!("{after}the imbalance of {imbalance} is above {threshold}, but no move would lessen it")
        }
        BalanceOutcome::NoCandidate => {
            format!("{after}the imbalance of {imbalance} is above {threshold}, but no service can be moved")
        }
        BalanceOutcome::NotMeasured if scheduler == SchedulerMode::Basic => {
            "services are only counted, so the imbalance is not known: with 'ha=static' or 'ha=dynamic' under 'crs' in datacenter.cfg it is"
                .to_owned()
        }
        BalanceOutcome::NotMeasured => {
            "no figures of nodes or of services can be used, so they are only counted and the imbalance is not known".to_owned()
        }
        BalanceOutcome::Disarmed => "HA is disarmed: nothing is moved before 'ha arm'".to_owned(),
        BalanceOutcome::Move => format!("{after}it goes on: more moves are looked for with --moves"),
        BalanceOutcome::Moving { sid } => format!("{after}{sid} does not come to rest, so it was not played further"),
        BalanceOutcome::Off | BalanceOutcome::Holding { .. } => then.to_string(),
    }
}

/// What can't be moved, by the reason.
fn left_alone(found: &BalancePlan) -> Vec<String> {
    let mut by_reason: BTreeMap<&LeftAloneReason, Vec<&ServiceId>> = BTreeMap::new();
    for left in &found.left_alone {
        by_reason.entry(&left.reason).or_default().push(&left.sid);
    }
    let told = by_reason.into_iter().map(|(reason, sids)| format!("  {}: {reason}", names(&sids)));
    let first = (!found.left_alone.is_empty()).then(|| "left alone whatever the loads are:".to_owned());
    first.into_iter().chain(told).collect()
}

/// Names in a row; of very many the first.
fn names(names: &[impl ToString]) -> String {
    const MOST: usize = 12;
    let told: Vec<String> = names.iter().take(MOST).map(ToString::to_string).collect();
    let told = told.join(", ");
    match names.len().saturating_sub(MOST) {
        0 => told,
        more => format!("{told} and {more} more"),
    }
}

fn percent(part: f64) -> String {
    format!("{:.1} %", part * 100.0)
}
