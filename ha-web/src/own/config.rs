//! Groups and rules, and how edits are made and tried.

use std::sync::Arc;

use ha_core::{
    config::{Group, Rule, groups::GroupProperty, nodes::NodeProperty, rules::RuleProperty},
    host,
    rules::evaluate,
};
use ha_host::desk::{self, Change, DeskEdit, foresee};
use serde_json::{Map, Value, json};

use crate::{
    call::Call,
    wire::{Answer, Fault},
};

/// What became of an edit.
pub(super) enum Edited {
    /// It was made.
    Made,
    /// It was only tried: what would follow.
    Tried(Answer),
}

impl Edited {
    pub(super) fn or_nothing(self) -> Answer {
        match self {
            Self::Made => Answer::from(json!({})),
            Self::Tried(answer) => answer,
        }
    }
}

/// Makes an edit, or tells what would follow from it.
pub(super) fn edited(call: &Call<'_>, id: &'static str, change: &mut DeskEdit<'_>) -> Result<Edited, Fault> {
    let after = call.edit(id, change)?;
    if !call.parameters.truth("dry_run").unwrap_or(false) {
        return Ok(Edited::Made);
    }
    let present = call.present()?;
    let configuration = host::Configuration {
        resources: Arc::new(after.resources),
        groups: Arc::new(after.groups),
        rules: Arc::new(after.rules),
        nodes: Arc::new(after.nodes),
        ..present.configuration().clone()
    };
    let change = Change { configuration: Some(configuration), ..Change::default() };
    Ok(Edited::Tried(what_follows(&foresee(present, &change)).into()))
}

/// What follows from something, as far as that can be told.
pub(super) fn what_follows(foresight: &Option<ha_host::desk::Foresight>) -> Value {
    let follows = foresight.as_ref().map(|foresight| &foresight.consequences);
    json!({
        "foreseen": foresight.is_some(),
        "follows": follows.unwrap_or(&Vec::new()),
        "findings": foresight.as_ref().map(|foresight| &foresight.new_findings).unwrap_or(&Vec::new()),
    })
}

/// The properties that are set, as JSON has numbers, truth values and lists.
pub(super) fn properties<P>(all: &[P], text: impl Fn(&P) -> Option<String>) -> Map<String, Value>
where
    P: ToString,
{
    let property = |property: &P| {
        let (key, text) = (property.to_string(), text(property)?);
        let value = match key.as_str() {
            "resources" | "nodes" | "first" | "then" => text.split(',').collect::<Value>(),
            _ => desk::property_value(&key, &text),
        };
        Some((key, value))
    };
    all.iter().filter_map(property).collect()
}

fn group_object(group: &Group) -> Value {
    let mut object = properties(GroupProperty::ALL, |property| group.text(*property));
    object.insert("group".into(), json!(group.id));
    Value::Object(object)
}

pub(super) fn groups(call: &Call<'_>) -> Result<Answer, Fault> {
    let stored = call.desk().stored()?;
    let groups = &stored.configuration.groups;
    Ok(Answer::with_digest(groups.groups.values().map(group_object).collect(), groups.digest))
}

pub(super) fn group(call: &Call<'_>) -> Result<Answer, Fault> {
    group_named(call, call.first())
}

fn group_named(call: &Call<'_>, name: &str) -> Result<Answer, Fault> {
    let stored = call.desk().stored()?;
    let groups = &stored.configuration.groups;
    let group = groups.groups.get(name).ok_or_else(|| Fault::not_found("group", name))?;
    Ok(Answer::with_digest(group_object(group), groups.digest))
}

const GROUP_KEYS: &[&str] = &["nodes", "restricted", "nofailback", "comment"];

pub(super) fn add_group(call: &Call<'_>) -> Result<Answer, Fault> {
    let group = call.parameters.get("group").unwrap_or_default();
    let changes = call.changes(GROUP_KEYS)?;
    let edited = edited(call, "group", &mut |editor, config| {
        changes.with(|changes| editor.add_group(config, group, changes.set))
    })?;
    match edited {
        Edited::Tried(answer) => Ok(answer),
        Edited::Made => Ok(Answer { status: http::StatusCode::CREATED, ..group_named(call, group)? }),
    }
}

pub(super) fn set_group(call: &Call<'_>) -> Result<Answer, Fault> {
    let group = call.first();
    let changes = call.changes(GROUP_KEYS)?;
    let edited =
        edited(call, "group", &mut |editor, config| changes.with(|changes| editor.set_group(config, group, changes)))?;
    match edited {
        Edited::Tried(answer) => Ok(answer),
        Edited::Made => group_named(call, group),
    }
}

pub(super) fn remove_group(call: &Call<'_>) -> Result<Answer, Fault> {
    Ok(edited(call, "group", &mut |editor, config| editor.remove_group(config, call.first()))?.or_nothing())
}

/// What is said of a node of the cluster: of most there is nothing.
pub(super) fn labels(call: &Call<'_>) -> Result<Answer, Fault> {
    let node = call.first();
    let stored = call.desk().stored()?;
    let nodes = &stored.configuration.nodes;
    let labels = nodes.nodes.get(node);
    if labels.is_none() && !call.desk().store().settings()?.nodes.iter().any(|member| *member == node) {
        return Err(Fault::not_found("node", node));
    }
    let mut object =
        labels.map(|labels| properties(NodeProperty::ALL, |property| labels.text(*property))).unwrap_or_default();
    object.insert("node".into(), json!(node));
    Ok(Answer::with_digest(Value::Object(object), nodes.digest))
}

pub(super) fn set_labels(call: &Call<'_>) -> Result<Answer, Fault> {
    let changes = call.changes(NodeProperty::WORDS)?;
    let edited = edited(call, "node", &mut |editor, config| {
        changes.with(|changes| editor.set_node(config, call.first(), changes))
    })?;
    match edited {
        Edited::Tried(answer) => Ok(answer),
        Edited::Made => labels(call),
    }
}

fn rule_object(rule: &Rule) -> Map<String, Value> {
    let mut object = properties(RuleProperty::ALL, |property| rule.text(*property));
    object.insert("rule".into(), json!(rule.id));
    object.insert("type".into(), json!(rule.rule_type().as_str()));
    object
}

pub(super) fn rules(call: &Call<'_>) -> Result<Answer, Fault> {
    let stored = call.desk().stored()?;
    let configuration = &stored.configuration;
    let nodes = call.desk().store().settings()?.nodes;
    let set = configuration.rule_set();
    let dropped = evaluate(&set, &nodes).dropped;
    let with_state = |rule: &Rule| {
        let problems: Vec<String> =
            dropped.iter().filter(|finding| finding.rule == rule.id).map(ToString::to_string).collect();
        let mut object = rule_object(rule);
        object.insert("in_force".into(), json!(!rule.is_disabled() && problems.is_empty()));
        object.insert("problems".into(), json!(problems));
        Value::Object(object)
    };
    Ok(Answer::with_digest(configuration.rules.rules.values().map(with_state).collect(), configuration.rules.digest))
}

pub(super) fn rule(call: &Call<'_>) -> Result<Answer, Fault> {
    rule_named(call, call.first())
}

fn rule_named(call: &Call<'_>, name: &str) -> Result<Answer, Fault> {
    let stored = call.desk().stored()?;
    let rules = &stored.configuration.rules;
    let rule = rules.rules.get(name).ok_or_else(|| Fault::not_found("rule", name))?;
    Ok(Answer::with_digest(Value::Object(rule_object(rule)), rules.digest))
}

const RULE_KEYS: &[&str] =
    &["resources", "nodes", "strict", "spread", "affinity", "first", "then", "delay", "timeout", "disable", "comment"];

pub(super) fn add_rule(call: &Call<'_>) -> Result<Answer, Fault> {
    let rule = call.parameters.get("rule").unwrap_or_default();
    let rule_type = call.parameters.get("type").unwrap_or_default();
    let changes = call.changes(RULE_KEYS)?;
    let edited = edited(call, "rule", &mut |editor, config| {
        changes.with(|changes| editor.add_rule(config, rule_type, rule, changes.set))
    })?;
    match edited {
        Edited::Tried(answer) => Ok(answer),
        Edited::Made => Ok(Answer { status: http::StatusCode::CREATED, ..rule_named(call, rule)? }),
    }
}

pub(super) fn set_rule(call: &Call<'_>) -> Result<Answer, Fault> {
    let rule = call.first();
    let changes = call.changes(RULE_KEYS)?;
    let edited =
        edited(call, "rule", &mut |editor, config| changes.with(|changes| editor.set_rule(config, rule, changes)))?;
    match edited {
        Edited::Tried(answer) => Ok(answer),
        Edited::Made => rule_named(call, rule),
    }
}

pub(super) fn remove_rule(call: &Call<'_>) -> Result<Answer, Fault> {
    Ok(edited(call, "rule", &mut |editor, config| editor.remove_rule(config, call.first()))?.or_nothing())
}
