//! Whether any placement at all keeps the rules, and how to get to one.

use std::collections::BTreeMap;

use ha_core::{
    id::{NodeName, ServiceId},
    placement::PlacementError,
    plan::{Feasibility, FeasibleQuestion, Steps, StepsQuestion},
};

use super::{Present, foresight::rounds_to_come};

/// Whether any placement of all services that are asked to run keeps all strict rules and capacities, once what is under way has settled:
/// see [`Situation::feasible`](ha_core::plan::Situation::feasible). `None` if no node could be the master.
#[must_use]
pub fn feasible(present: &Present, question: &FeasibleQuestion) -> Option<Feasibility> {
    let rounds = rounds_to_come(present, present.configuration(), &present.settings.nodes)?;
    Some(rounds.feasible(question))
}

/// The moves to these places, once what is under way has settled: see [`Situation::steps`](ha_core::plan::Situation::steps). `None` if no
/// node could be the master.
///
/// # Errors
///
/// If there is no such service, or no such node that may have one.
pub fn steps(
    present: &Present,
    to: &BTreeMap<ServiceId, NodeName>,
    question: &StepsQuestion,
) -> Result<Option<Steps>, PlacementError> {
    let rounds = rounds_to_come(present, present.configuration(), &present.settings.nodes);
    rounds.map(|rounds| rounds.steps(to, question)).transpose()
}
