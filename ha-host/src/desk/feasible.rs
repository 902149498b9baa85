//! Whether any placement at all keeps the rules.

use ha_core::plan::{Feasibility, FeasibleQuestion};

use super::{Present, foresight::rounds_to_come};

/// Whether any placement of all services that are asked to run keeps all strict rules and capacities, once what is under way has settled:
/// see [`Situation::feasible`](ha_core::plan::Situation::feasible). `None` if no node could be the master.
#[must_use]
pub fn feasible(present: &Present, question: &FeasibleQuestion) -> Option<Feasibility> {
    let rounds = rounds_to_come(present, present.configuration(), &present.settings.nodes)?;
    Some(rounds.feasible(question))
}
