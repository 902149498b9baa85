//! Explanations: what was decided about a service, and why.

use ha_core::{
    id::NodeName,
    placement::{Explanation, Fate, Figure},
};

use crate::{
    boundary::{self, call},
    error::ha_error,
    failure::{Failure, ha_status},
    handles::{self, Handle},
    text::{ha_str, ha_text},
    words::Number,
};

/// A decision about one service with its reasons.
pub struct ha_explanation {
    _private: [u8; 0],
}

impl Handle for Explanation {
    const NAME: &'static str = "ha_explanation";
}

/// What became of a node in a decision.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ha_fate {
    /// It was left to the end: the service may go there.
    HA_FATE_CANDIDATE = 1,
    /// It takes no services now.
    HA_FATE_NOT_ONLINE = 2,
    /// The node affinity rule of the service does not allow it.
    HA_FATE_NOT_ALLOWED = 3,
    /// The node affinity rule of the service prefers other nodes.
    HA_FATE_LOWER_PRIORITY = 4,
    /// The start of the service failed there.
    HA_FATE_FAILED_BEFORE = 5,
    /// Services that must be kept apart use it.
    HA_FATE_KEPT_APART = 6,
    /// Services that must be together are on another node.
    HA_FATE_KEPT_TOGETHER = 7,
    /// Services that should rather be apart use it, more than use another one that is left.
    HA_FATE_RATHER_APART = 8,
    /// It came back lately: the service goes back there when it has been well for long enough (failback-delay).
    HA_FATE_BACK_TOO_SHORTLY = 9,
    /// It takes no new services, since it was fenced again and again (flapping_hold).
    HA_FATE_HELD = 10,
}

/// What became of one node in a decision. This layout never changes; the text is lent by the explanation.
#[repr(C)]
pub struct ha_node_explanation {
    /// The node.
    pub node: ha_str,
    /// Whether it was left out, and by what: one of ha_fate. The rules and services are in the JSON.
    pub fate: i32,
    /// Its place in the order of load among those that are left, from 1; 0 if it was left out.
    pub rank: u32,
    /// With the scheduler "basic", the number of services that use it, the lower the better; else -1.
    pub services: i64,
    /// With the others, its score from 0 to 1, the higher the better; else -1.
    pub score: f64,
}

/// Frees an explanation. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn ha_explanation_free(explanation: *mut ha_explanation) -> ha_status {
    boundary::free::<_, Explanation>(explanation)
}

/// The decision: the node, lent, and what decided, one of ha_decider. HA_NONE if there is no node for the service; decided_by
/// says why. Either pointer may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_explanation_answer(
    explanation: *const ha_explanation,
    node: *mut ha_str,
    decided_by: *mut i32,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let explanation = handles::read::<_, Explanation>(explanation)?;
        call.lend(node, explanation.answer.as_ref().map(NodeName::as_str));
        call.write(decided_by, explanation.decided_by.number());
        Ok(if explanation.answer.is_some() { ha_status::HA_OK } else { ha_status::HA_NONE })
    })
}

/// How many nodes an explanation tells of: all of the cluster.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_explanation_node_count(
    explanation: *const ha_explanation,
    count: *mut usize,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| { call.must_write(count, handles::read::<_, Explanation>(explanation)?.nodes.len()) })
}

/// What became of a node, by its place in the order of names.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_explanation_node(
    explanation: *const ha_explanation,
    index: usize,
    node: *mut ha_node_explanation,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let explanation = handles::read::<_, Explanation>(explanation)?;
        let found = explanation.nodes.get(index);
        let found = found.ok_or_else(|| Failure::not_found(format!("there is no node {index}")))?;
        let fate = match &found.fate {
            Fate::Candidate => ha_fate::HA_FATE_CANDIDATE,
            Fate::NotOnline { .. } => ha_fate::HA_FATE_NOT_ONLINE,
            Fate::NotAllowed { .. } => ha_fate::HA_FATE_NOT_ALLOWED,
            Fate::LowerPriority { .. } => ha_fate::HA_FATE_LOWER_PRIORITY,
            Fate::FailedBefore => ha_fate::HA_FATE_FAILED_BEFORE,
            Fate::KeptApart { .. } => ha_fate::HA_FATE_KEPT_APART,
            Fate::KeptTogether { .. } => ha_fate::HA_FATE_KEPT_TOGETHER,
            Fate::RatherApart { .. } => ha_fate::HA_FATE_RATHER_APART,
            Fate::BackTooShortly { .. } => ha_fate::HA_FATE_BACK_TOO_SHORTLY,
            Fate::Held { .. } => ha_fate::HA_FATE_HELD,
        };
        let (services, score) = match found.figure {
            Some(Figure::Services(count)) => (i64::from(count), -1.0),
            Some(Figure::Score(score)) => (-1, score),
            None => (-1, -1.0),
        };
        let rank = found.rank.map_or(0, |rank| u32::try_from(rank).unwrap_or(u32::MAX));
        let node_name = ha_str::of(found.node.as_str());
        call.must_write(node, ha_node_explanation { node: node_name, fate: fate as i32, rank, services, score })
    })
}

/// An explanation as JSON, with all rules and services that it names.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_explanation_json(
    explanation: *const ha_explanation,
    json: *mut ha_text,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let explanation = handles::read::<_, Explanation>(explanation)?;
        call.own_text(json, serde_json::to_string(&*explanation).map_err(Failure::content)?)
    })
}

/// An explanation in words for people.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_explanation_words(
    explanation: *const ha_explanation,
    words: *mut ha_text,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let explained = handles::read::<_, Explanation>(explanation)?.to_string();
        call.own_text(words, explained)
    })
}
