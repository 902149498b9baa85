//! Why a service is where it is, and after which others it is started.

use std::fmt;

use ha_core::{
    config::{Order, Resource},
    id::{RuleId, ServiceId},
    placement::{Counterfactual, Explanation, PlacementError, Preference},
    plan::Situation,
    rules::{Orders, evaluate},
    status::view::StartWait,
};
use serde::Serialize;

use super::{Glance, Present};

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

/// After which others a service is started.
#[derive(Debug, Clone, Serialize)]
pub struct StartOrder {
    /// The rules that say so.
    pub rules: Vec<ComesAfter>,
    /// That it waits for them now.
    pub waits: Option<StartWait>,
}

/// A rule by which a service is started after others.
#[derive(Debug, Clone, Serialize)]
pub struct ComesAfter {
    /// The rule.
    pub rule: RuleId,
    /// The services that come first.
    pub first: Vec<ServiceId>,
    /// For how many seconds they must be up before.
    pub delay: u32,
    /// For how many seconds they are waited for; nothing if that is without end.
    pub timeout: Option<u32>,
}

/// After which others a service is started; nothing if it comes after none.
#[must_use]
pub fn start_order(present: &Present, sid: &ServiceId) -> Option<StartOrder> {
    let configuration = present.configuration();
    let set = configuration.rule_set();
    let orders = Orders::of(&evaluate(&set, &present.settings.nodes).rules);
    let rules: Vec<ComesAfter> = orders.before(sid).map(|(rule, order)| ComesAfter::new(rule, order)).collect();
    let waits = StartWait::of(sid, &present.status);
    (!rules.is_empty()).then_some(StartOrder { rules, waits })
}

impl ComesAfter {
    /// What an order rule says.
    #[must_use]
    pub fn new(rule: &RuleId, order: &Order) -> Self {
        let timeout = (!order.is_strict()).then(|| order.timeout());
        Self { rule: rule.clone(), first: order.first.clone(), delay: order.delay(), timeout }
    }
}

fn list(sids: &[ServiceId]) -> String {
    sids.iter().map(ServiceId::as_str).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for ComesAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "by rule {} it is started after {}", self.rule, list(&self.first))?;
        if self.delay > 0 {
            write!(f, ", {} s after all of that is up", self.delay)?;
        }
        match self.timeout {
            Some(timeout) => write!(f, ", or after {timeout} s"),
            None => f.write_str(", however long that takes"),
        }
    }
}

/// What comes before and after a service, where its place alone does not say it: that it matters more than others, what it waits
/// for because too much starts or moves at once, and when it goes back. A sentence each.
#[must_use]
pub fn precedence(present: &Present, sid: &ServiceId) -> Vec<String> {
    let priority = present.configuration().resources.resources.get(sid).map_or(0, Resource::priority);
    let matters = (priority > 0).then(|| {
        format!(
            "its priority is {priority}: it is placed, started and moved before what has less, and stopped after it"
        )
    });
    let glance = present.settings.nodes.first().map(|node| Glance::new(present, node, None));
    let view = glance.and_then(|glance| glance.view.services.into_iter().find(|view| view.sid == *sid));
    let waits = view.as_ref().and_then(|view| view.waits_for_turn());
    let goes_back = view.as_ref().and_then(|view| view.goes_back.as_ref().map(ToString::to_string));
    matters.into_iter().chain(waits.into_iter().chain(goes_back).map(|what| format!("it {what}"))).collect()
}
