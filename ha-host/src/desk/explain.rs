//! Why a service is where it is.

use ha_core::{
    id::ServiceId,
    placement::{Counterfactual, Explanation, PlacementError, Preference},
    plan::Situation,
};

use super::Present;

/// Why a service is where it is, and for each other node what would bring it there.
///
/// # Errors
///
/// If nothing can be said of the service: see [`Situation::explain`].
pub fn explain(
    present: &Present,
    sid: &ServiceId,
    preference: Preference,
) -> Result<(Explanation, Vec<Counterfactual>), PlacementError> {
    let situation = Situation {
        usage: present.usage.as_deref(),
        ..Situation::new(&present.status, present.configuration(), &present.settings.nodes)
    };
    let explanation = situation.explain(sid, preference)?;
    let others = explanation.nodes.iter().filter(|node| explanation.answer.as_ref() != Some(&node.node));
    let otherwise = others.filter_map(|node| situation.counterfactual(sid, preference, &node.node).ok()).collect();
    Ok((explanation, otherwise))
}
