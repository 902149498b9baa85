//! Rules. Existing clients know no order rules: to them there are none.

use ha_core::{
    config::{Digest, Rule, RuleKind, RulesConfig, rules::RuleProperty},
    rules::{Finding, evaluate},
};
use serde_json::{Map, Value, json};

use super::bit;
use crate::{
    call::{Call, nothing},
    wire::{Answer, Fault},
};

/// The properties that can be set.
const KEYS: &[&str] = &["resources", "nodes", "strict", "affinity", "disable", "comment"];

fn object(rule: &Rule, digest: Digest) -> Map<String, Value> {
    let text = |property| rule.text(property).map(|text| json!(text));
    let mut object = Map::new();
    object.insert("rule".into(), json!(rule.id));
    object.insert("type".into(), json!(rule.rule_type().as_str()));
    object.insert("disable".into(), bit(rule.is_disabled()));
    object.insert("digest".into(), json!(digest.to_string()));
    let strict = match &rule.kind {
        RuleKind::NodeAffinity { strict, .. } => Some(bit(strict.unwrap_or(false))),
        RuleKind::ResourceAffinity { .. } | RuleKind::Order(_) => None,
    };
    let set = [
        ("resources", text(RuleProperty::Resources)),
        ("nodes", text(RuleProperty::Nodes)),
        ("affinity", text(RuleProperty::Affinity)),
        ("strict", strict),
        ("comment", rule.comment.as_ref().map(|comment| json!(comment))),
    ];
    object.extend(set.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    object
}

pub(super) fn list(call: &Call<'_>) -> Result<Answer, Fault> {
    let stored = call.desk().stored()?;
    let configuration = &stored.configuration;
    let nodes = call.desk().store().settings()?.nodes;
    let set = configuration.rule_set();
    let dropped = evaluate(&set, &nodes).dropped;
    let resource = call.parameters.get("resource").map(|text| {
        call.desk().named(text, None)?.map_err(|error| Fault::parameter("resource", "bad_id", error.to_string()))
    });
    let resource = resource.transpose()?;
    let rule_type = call.parameters.get("type");
    let mut listed = Vec::new();
    let known = configuration.rules.rules.values().filter(|rule| rule.order().is_none());
    for (rule, order) in known.zip(1_u32..) {
        let is_of_type = rule_type.is_none_or(|wanted| rule.rule_type().as_str() == wanted);
        let names_it = resource.as_ref().is_none_or(|sid| rule.resources.contains(sid));
        if !is_of_type || !names_it {
            continue;
        }
        let mut object = object(rule, configuration.rules.digest);
        object.insert("order".into(), json!(order));
        object.entry("comment").or_insert_with(|| json!(""));
        let errors: Vec<String> =
            dropped.iter().filter(|finding| finding.rule == rule.id).map(Finding::to_string).collect();
        if !errors.is_empty() {
            object.insert("errors".into(), json!(errors));
        }
        listed.push(Value::Object(object));
    }
    Ok(Value::Array(listed).into())
}

pub(super) fn one(call: &Call<'_>) -> Result<Answer, Fault> {
    let stored = call.desk().stored()?;
    let rules = &stored.configuration.rules;
    Ok(Value::Object(object(known(rules, call.first())?, rules.digest)).into())
}

/// A rule of a type that existing clients know.
fn known<'a>(rules: &'a RulesConfig, rule: &str) -> Result<&'a Rule, Fault> {
    let found = rules.rules.get(rule).filter(|rule| rule.order().is_none());
    found.ok_or_else(|| Fault::not_found("ha rule", rule))
}

pub(super) fn add(call: &Call<'_>) -> Result<Answer, Fault> {
    let rule = call.parameters.get("rule").unwrap_or_default();
    let rule_type = call.parameters.get("type").unwrap_or_default();
    let changes = call.changes(KEYS)?;
    call.edit("rule", &mut |editor, config| {
        changes.with(|changes| editor.add_rule(config, rule_type, rule, changes.set))
    })?;
    Ok(nothing())
}

pub(super) fn set(call: &Call<'_>) -> Result<Answer, Fault> {
    let rule = call.first();
    if call.parameters.get("rule").is_some_and(|named| named != rule) {
        return Err(Fault::parameter("rule", "bad_value", format!("it is not '{rule}', which the path names")));
    }
    let stored = call.desk().stored()?;
    let rule_type = known(&stored.configuration.rules, rule)?.rule_type().as_str();
    if call.parameters.get("type").is_some_and(|sent| sent != rule_type) {
        return Err(Fault::parameter("type", "bad_value", format!("it is '{rule_type}', which cannot be changed")));
    }
    let changes = call.changes(KEYS)?;
    call.edit("rule", &mut |editor, config| changes.with(|changes| editor.set_rule(config, rule, changes)))?;
    Ok(nothing())
}

pub(super) fn remove(call: &Call<'_>) -> Result<Answer, Fault> {
    known(&call.desk().stored()?.configuration.rules, call.first())?;
    call.edit("rule", &mut |editor, config| editor.remove_rule(config, call.first()))?;
    Ok(nothing())
}
