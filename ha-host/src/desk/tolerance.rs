//! How many nodes may fail.

use ha_core::{
    id::{NodeName, ServiceId},
    plan::Situation,
};
use serde::Serialize;

use super::Present;

/// How many nodes may fail at once, whichever they are, so that every service still has a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tolerance {
    /// So many may.
    pub nodes: usize,
    /// Whether all sets of that many nodes, and one more, were looked at. Else it may be more.
    pub is_whole: bool,
    /// A smallest set that is too much.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub too_much: Option<TooMuch>,
}

/// Nodes that must not fail at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TooMuch {
    /// These nodes.
    pub nodes: Vec<NodeName>,
    /// The services that no other node could take.
    pub services: Vec<ServiceId>,
}

/// Asks the deciding code, for ever larger sets of nodes that are online now, until one is too much or too many were looked at.
#[must_use]
pub fn tolerance(present: &Present) -> Tolerance {
    /// Placements that are asked for at the most.
    const MOST: usize = 50_000;
    let online: Vec<&NodeName> = present.settings.nodes.iter().filter(|node| present.status.is_online(node)).collect();
    let situation = Situation {
        usage: present.usage.as_deref(),
        ..Situation::new(&present.status, present.configuration(), &present.settings.nodes)
    };
    let mut tolerance = Tolerance { nodes: 0, is_whole: true, too_much: None };
    let mut asked = 0_usize;
    for size in 1..=online.len() {
        for set in sets(&online, size) {
            let nodes: Vec<NodeName> = set.into_iter().cloned().collect();
            let Ok(recoveries) = situation.after_failure(&nodes) else { return tolerance };
            asked = asked.saturating_add(recoveries.len()).saturating_add(1);
            let left = recoveries.into_iter().filter(|recovery| recovery.to.is_none());
            let services: Vec<ServiceId> = left.map(|recovery| recovery.sid).collect();
            if !services.is_empty() || size == online.len() {
                tolerance.too_much = Some(TooMuch { nodes, services });
                return tolerance;
            }
            if asked > MOST {
                tolerance.is_whole = false;
                return tolerance;
            }
        }
        tolerance.nodes = size;
    }
    tolerance
}

/// All sets of so many of these, one after the other.
fn sets<'a, T>(of: &'a [&'a T], size: usize) -> Box<dyn Iterator<Item = Vec<&'a T>> + 'a> {
    let Some((first, rest)) = of.split_first() else {
        return Box::new((size == 0).then(Vec::new).into_iter());
    };
    let Some(smaller) = size.checked_sub(1) else { return Box::new(std::iter::once(Vec::new())) };
    let with = sets(rest, smaller).map(move |mut set| {
        set.insert(0, *first);
        set
    });
    Box::new(with.chain(sets(rest, size)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_sets_of_a_size_are_looked_at_once() {
        let nodes = ["a", "b", "c", "d"];
        let nodes: Vec<&&str> = nodes.iter().collect();
        let of = |size| sets(&nodes, size).map(|set| set.into_iter().copied().collect::<String>()).collect::<Vec<_>>();
        assert_eq!(of(2), ["ab", "ac", "ad", "bc", "bd", "cd"]);
        assert_eq!(of(4), ["abcd"]);
        assert_eq!(of(0), [""]);
        assert!(of(5).is_empty());
    }
}
