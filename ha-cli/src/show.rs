//! Verbs that show what there is.

use std::{collections::BTreeMap, process::ExitCode};

use ha_core::{
    config::{groups::GroupProperty, nodes::NodeProperty, resources::ResourceProperty, rules::RuleProperty},
    id::{GroupId, NodeName, RuleId, ServiceId},
    rules::evaluate,
};
use ha_host::desk;
use serde_json::{Map, Value, json};

use super::{
    commands::check_node,
    context::{Context, Failure, note, say, say_json, say_rows},
    edits::check_is_a_group,
};

/// A section of a file: its type, its name, and its properties as text.
type Shown = (String, String, Vec<(&'static str, String)>);

fn say_sections(sections: &[Shown]) -> Result<(), Failure> {
    for (index, (kind, name, properties)) in sections.iter().enumerate() {
        let separator = if index == 0 { "" } else { "\n" };
        say(format_args!("{separator}{kind}: {name}"))?;
        for (key, value) in properties {
            say(format_args!("\t{key} {value}"))?;
        }
    }
    Ok(())
}

fn say_sections_json(kind: &str, name: &str, sections: &[Shown]) -> Result<(), Failure> {
    let objects: Vec<Value> = sections
        .iter()
        .map(|(section_type, id, properties)| {
            let mut object = Map::new();
            object.insert(name.into(), json!(id));
            object.insert(kind.into(), json!(section_type));
            object.extend(properties.iter().map(|(key, text)| ((*key).to_owned(), desk::property_value(key, text))));
            Value::Object(object)
        })
        .collect();
    say_json(&objects)
}

fn only<T>(all: Vec<T>, wanted: Option<&str>, what: &str, name: impl Fn(&T) -> &str) -> Result<Vec<T>, Failure> {
    let Some(wanted) = wanted else { return Ok(all) };
    let found: Vec<T> = all.into_iter().filter(|one| name(one) == wanted).collect();
    if found.is_empty() { Err(Failure::Failed(format!("{what} '{wanted}' does not exist"))) } else { Ok(found) }
}

pub(super) fn config(context: &Context, sid: Option<&str>, as_json: bool) -> Result<ExitCode, Failure> {
    let sid = sid.map(|sid| context.sid(sid)).transpose()?;
    let stored = context.stored()?;
    let resources = stored.configuration.resources.resources.values();
    let shown = resources
        .map(|resource| {
            let properties = ResourceProperty::ALL.iter();
            let properties = properties.filter_map(|property| Some((property.as_str(), resource.text(*property)?)));
            (resource.sid.service_type().to_owned(), resource.sid.to_string(), properties.collect())
        })
        .collect();
    let mut shown: Vec<Shown> = only(shown, sid.as_ref().map(ServiceId::as_str), "service", |(_, sid, _)| sid)?;
    if as_json {
        say_sections_json("type", "sid", &shown)?;
    } else {
        for (_, sid, _) in &mut shown {
            *sid = sid.split_once(':').map(|(_, name)| name.to_owned()).unwrap_or_default();
        }
        say_sections(&shown)?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn groups(context: &Context, group: Option<&str>, as_json: bool) -> Result<ExitCode, Failure> {
    group.map_or(Ok(()), |group| check_is_a_group(context, group))?;
    let stored = context.stored()?;
    let groups = stored.configuration.groups.groups.iter();
    let shown = groups
        .map(|(id, group): (&GroupId, _)| {
            let properties = GroupProperty::ALL.iter();
            let properties = properties.filter_map(|property| Some((property.as_str(), group.text(*property)?)));
            ("group".to_owned(), id.to_string(), properties.collect())
        })
        .collect();
    let shown: Vec<Shown> = only(shown, group, "group", |(_, id, _)| id)?;
    if as_json { say_sections_json("type", "group", &shown) } else { say_sections(&shown) }?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn rule_config(context: &Context, rule: Option<&str>, as_json: bool) -> Result<ExitCode, Failure> {
    let stored = context.stored()?;
    let rules = stored.configuration.rules.rules.iter();
    let shown = rules
        .map(|(id, rule): (&RuleId, _)| {
            let properties = RuleProperty::ALL.iter();
            let properties = properties.filter_map(|property| Some((property.as_str(), rule.text(*property)?)));
            (rule.rule_type().to_string(), id.to_string(), properties.collect())
        })
        .collect();
    let shown: Vec<Shown> = only(shown, rule, "rule", |(_, id, _)| id)?;
    if as_json { say_sections_json("type", "rule", &shown) } else { say_sections(&shown) }?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn node_config(context: &Context, node: Option<&NodeName>, as_json: bool) -> Result<ExitCode, Failure> {
    let stored = context.stored()?;
    let nodes = &stored.configuration.nodes.nodes;
    if let Some(node) = node.filter(|node| !nodes.contains_key(*node)) {
        check_node(&context.store.settings()?.nodes, node)?;
    }
    let wanted = nodes.values().filter(|labels| node.is_none_or(|node| labels.node == *node));
    let shown: Vec<Shown> = wanted
        .map(|labels| {
            let properties = NodeProperty::ALL.iter();
            let properties = properties.filter_map(|property| Some((property.as_str(), labels.text(*property)?)));
            ("node".to_owned(), labels.node.to_string(), properties.collect())
        })
        .collect();
    if as_json { say_sections_json("type", "node", &shown) } else { say_sections(&shown) }?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn rule_list(context: &Context, as_json: bool) -> Result<ExitCode, Failure> {
    let configuration = context.stored()?.configuration;
    let nodes = context.store.settings()?.nodes;
    let rules = configuration.rule_set();
    let dropped = evaluate(&rules, &nodes).dropped;
    let mut rows = Vec::new();
    let mut objects = Vec::new();
    for rule in rules.iter() {
        // They are ordered by rule.
        let from = dropped.partition_point(|finding| finding.rule < rule.id);
        let findings = dropped.get(from..).unwrap_or_default().iter().take_while(|finding| finding.rule == rule.id);
        let problems: Vec<String> = findings.map(ToString::to_string).collect();
        let state = match (rule.is_disabled(), problems.is_empty()) {
            (true, _) => "disabled",
            (false, true) => "in use",
            (false, false) => "left out",
        };
        let text = |property| rule.text(property).unwrap_or_default();
        let (mut resources, nodes) = (text(RuleProperty::Resources), text(RuleProperty::Nodes));
        let mut affinity = text(RuleProperty::Affinity);
        if rule.is_spread() {
            affinity.push_str(" by failure-domain");
        }
        if rule.is_loosely_apart() {
            affinity.push_str(" if there is a place");
        }
        let place = match (nodes.is_empty(), affinity.is_empty()) {
            (true, false) => affinity,
            (true, true) => {
                resources = text(RuleProperty::Then);
                format!("after {}", text(RuleProperty::First))
            }
            (false, true) => nodes,
            (false, false) => format!("all but {nodes}"),
        };
        let kind = rule.rule_type().as_str();
        objects.push(json!({"rule": rule.id, "type": kind, "state": state, "problems": problems}));
        rows.push(vec![rule.id.to_string(), kind.to_owned(), state.to_owned(), resources, place]);
        rows.extend(problems.into_iter().map(|problem| vec![String::new(), problem]));
    }
    if as_json { say_json(&objects) } else { say_rows(&rows) }?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn guests(context: &Context, as_json: bool) -> Result<ExitCode, Failure> {
    let (guests, problems) = context.store.guests()?;
    if as_json {
        say_json(&guests.iter().map(|(sid, guest)| (sid, &**guest)).collect::<BTreeMap<_, _>>())?;
    } else {
        let row = |(sid, guest): (&ServiceId, &std::sync::Arc<ha_host::store::GuestDefinition>)| {
            vec![sid.to_string(), guest.node.to_string(), guest.agent.kind.clone()]
        };
        say_rows(&guests.iter().map(row).collect::<Vec<_>>())?;
    }
    problems.iter().for_each(note);
    Ok(ExitCode::SUCCESS)
}
