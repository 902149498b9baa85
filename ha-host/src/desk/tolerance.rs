//! How many nodes may fail.

use ha_core::plan::{Losses, Tolerance, Votes};

use super::{Present, foresight::rounds_to_come};

/// Which losses of nodes that are there now the cluster survives, of up to `most` at once: see [`RoundsToCome::tolerance`](ha_core::plan::RoundsToCome::tolerance).
///
/// Nodes have no votes, since who can reach the store may act, unless [`Present::needs_majority`] says otherwise. So many sets are looked at as take about as long as 50,000 placements.
/// If no node could be the master nothing is survived, and nothing was looked at. What would help is not looked for: for that there
/// is [`tolerance_with_remedies`].
#[must_use]
pub fn tolerance(present: &Present, most: usize) -> Tolerance {
    ask(present, Losses { wants_remedies: false, ..Losses::of_nodes(&present.settings.nodes, most) })
}

/// The same, with what would help. That takes longer, since each change is played.
#[must_use]
pub fn tolerance_with_remedies(present: &Present, most: usize) -> Tolerance {
    ask(present, Losses::of_nodes(&present.settings.nodes, most))
}

/// The same for the loss of all that fails together, as `nodes.cfg` says: of up to `most` failure domains at once.
#[must_use]
pub fn tolerance_of_domains(present: &Present, most: usize) -> Tolerance {
    ask(present, Losses::of_domains(&present.settings.nodes, &present.configuration().nodes, most))
}

fn ask(present: &Present, losses: Losses) -> Tolerance {
    /// Placements that are asked for at the most; each set of nodes asks for at least one.
    const MOST: usize = 50_000;
    let members = &present.settings.nodes;
    let Some(rounds) = rounds_to_come(present, present.configuration(), members) else {
        return Tolerance { survives: 0, is_whole: true, levels: Vec::new(), down_already: Vec::new() };
    };
    let on_a_node = present.status.services.len().checked_div(members.len()).unwrap_or_default();
    let most_sets = MOST.checked_div(on_a_node.saturating_add(1)).unwrap_or_default().max(members.len());
    let one_each = || Votes { nodes: members.iter().map(|node| (node.clone(), 1)).collect(), others: 0 };
    let votes = present.needs_majority.then(one_each);
    rounds.tolerance(&Losses { votes, most_sets, ..losses })
}
