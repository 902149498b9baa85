//! What becomes of the rules: checked, completed, compiled.

use std::ffi::c_char;

use ha_core::{
    id::NodeName,
    rules::{Evaluated, Finding, evaluate},
};
use serde_json::json;

use crate::{
    boundary::{self, call},
    configuration::{Configuration, ha_configuration},
    error::{ErrorHandle, ha_error},
    failure::{Failure, ha_status},
    handles::{self, Handle},
    text::{ha_str, ha_text},
};

/// Rules that were checked, completed and compiled for the nodes of a cluster.
pub struct ha_rules {
    _private: [u8; 0],
}

/// Behind a `ha_rules`.
struct Rules {
    evaluated: Evaluated,
    nodes: Vec<NodeName>,
}

impl Handle for Rules {
    const NAME: &'static str = "ha_rules";
}

fn failure(finding: &Finding) -> Failure {
    let with: Vec<_> = finding.with().collect();
    Failure::content(finding)
        .kind(finding.reason)
        .section(Some(&finding.rule))
        .field(finding.sid.as_ref())
        .details(Some(json!({ "with": with, "with_more": finding.with_more() })))
}

/// Evaluates the rules of a configuration, with those that its groups stand for. nodes: all members of the cluster.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_rules_new(
    configuration: *const ha_configuration,
    nodes: *const ha_str,
    node_count: usize,
    rules: *mut *mut ha_rules,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let nodes = call.nodes(nodes, node_count)?;
        let configuration = handles::read::<_, Configuration>(configuration)?;
        let set = configuration.shared().rule_set();
        call.new_handle(rules, Rules { evaluated: evaluate(&set, &nodes), nodes })
    })
}

/// Frees rules. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn ha_rules_free(rules: *mut ha_rules) -> ha_status {
    boundary::free::<_, Rules>(rules)
}

/// How many reasons there are for which rules were left out. One rule may have several.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_rules_dropped_count(
    rules: *const ha_rules,
    count: *mut usize,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| { call.must_write(count, handles::read::<_, Rules>(rules)?.evaluated.dropped.len()) })
}

/// A reason for which a rule was left out, as an error object: the rule as its section, the reason as its kind, the service at
/// fault, if there is one, as its field. Free it with ha_error_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_rules_dropped(
    rules: *const ha_rules,
    index: usize,
    finding: *mut *mut ha_error,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let found = handles::read::<_, Rules>(rules)?.evaluated.dropped.get(index).map(failure);
        let found = found.ok_or_else(|| Failure::not_found(format!("there is no finding {index}")))?;
        call.new_handle(finding, ErrorHandle::from(found))
    })
}

/// What became of the rules, as JSON: "nodes", "dropped", "rules" after completion, and "compiled".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_rules_json(
    rules: *const ha_rules,
    json: *mut ha_text,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let rules = handles::read::<_, Rules>(rules)?;
        let text = serde_json::to_string(&rules.evaluated.report(&rules.nodes)).map_err(Failure::content)?;
        call.own_text(json, text)
    })
}

/// The rules because of which two services must be on one node, as a JSON list; [] if nothing puts them together.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_rules_why_together(
    rules: *const ha_rules,
    one: *const c_char,
    one_length: usize,
    other: *const c_char,
    other_length: usize,
    json: *mut ha_text,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let (one, other) = (call.sid(one, one_length)?, call.sid(other, other_length)?);
        let why = handles::read::<_, Rules>(rules)?.evaluated.compiled.why_together(&one, &other);
        call.own_text(json, json!(why).to_string())
    })
}

/// The rules because of which two services must not be on one node, as a JSON list; [] if nothing keeps them apart.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_rules_why_apart(
    rules: *const ha_rules,
    one: *const c_char,
    one_length: usize,
    other: *const c_char,
    other_length: usize,
    json: *mut ha_text,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let (one, other) = (call.sid(one, one_length)?, call.sid(other, other_length)?);
        let why = handles::read::<_, Rules>(rules)?.evaluated.compiled.why_apart(&one, &other);
        call.own_text(json, json!(why).to_string())
    })
}
