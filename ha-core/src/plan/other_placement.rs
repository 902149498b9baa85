//! Whether another placement would survive a loss that this one does not.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    vec::Vec,
};

use super::{
    RoundsToCome,
    feasible::{FeasibleQuestion, Verdict},
    losses::{Down, DownReason, OtherPlacement},
    moves::Move,
    settled::Settled,
};
use crate::{
    host::Guests,
    id::{NodeName, ServiceId},
};

/// Another placement that keeps all strict rules without these nodes, if there is one: the moves that make room before the loss if the manager
/// recovers all after them, which is played, else those that it does not get to by itself.
///
/// It is looked for only where all that stays down has no node: nothing else is mended by a placement.
pub(super) fn other_placement(settled: &Settled, lost: &BTreeSet<NodeName>, down: &[Down]) -> Option<OtherPlacement> {
    /// Choices that are tried at the most: this is one answer among others.
    const MOST_STEPS: u64 = 20_000;
    if !down.iter().all(|down| matches!(down.reason, DownReason::NoNode { .. })) {
        return None;
    }
    let question = FeasibleQuestion { without: lost.clone(), most_steps: MOST_STEPS, ..FeasibleQuestion::default() };
    let Verdict::Placement { moves, .. } = settled.situation().feasible(&question).verdict else { return None };
    let makes_room = |step: &&Move| step.from.as_ref().is_some_and(|from| !lost.contains(from));
    let beforehand: Vec<Move> = moves.iter().filter(makes_room).cloned().collect();
    let prepared = Settled::of(moved(&settled.rounds, &beforehand));
    let is_enough = !beforehand.is_empty() && prepared.down_after(prepared.rounds.clone(), lost).is_empty();
    Some(if is_enough { OtherPlacement::Beforehand { moves: beforehand } } else { OtherPlacement::Unreached { moves } })
}

/// The cluster after these moves.
fn moved(rounds: &RoundsToCome, moves: &[Move]) -> RoundsToCome {
    let mut rounds = rounds.clone();
    let to: BTreeMap<&ServiceId, &NodeName> = moves.iter().map(|step| (&step.sid, &step.to)).collect();
    for (sid, node) in &to {
        if let Some(entry) = rounds.status.services.get_mut(sid) {
            entry.node = (*node).clone();
        }
    }
    let guests = rounds.input.configuration.guests.iter();
    let guests: Guests =
        guests.map(|(sid, guest)| (sid.clone(), to.get(sid).map_or(&guest.node, |node| *node).clone())).collect();
    rounds.input.configuration.guests = Arc::new(guests);
    rounds
}
