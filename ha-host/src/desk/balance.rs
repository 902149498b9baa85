//! What automatic balancing would move.

use ha_core::plan::{BalancePlan, BalanceQuestion};

use super::{Present, foresight::rounds_to_come};

/// What automatic balancing moves once what is under way has settled, or would move if it was switched on: see
/// [`RoundsToCome::balance`](ha_core::plan::RoundsToCome::balance). `None` if no node could be the master.
#[must_use]
pub fn balance(present: &Present, question: &BalanceQuestion) -> Option<BalancePlan> {
    let rounds = rounds_to_come(present, present.configuration(), &present.settings.nodes)?;
    Some(rounds.balance(question))
}
