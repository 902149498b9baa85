//! Verbs that show what there is.

use std::{collections::BTreeMap, io::Write, process::ExitCode, time::Duration};

use anstyle::{AnsiColor, Style};
use ha_core::{
    config::{groups::GroupProperty, resources::ResourceProperty, rules::RuleProperty},
    id::{GroupId, NodeName, RuleId, ServiceId},
    rules::{RuleSet, evaluate},
    status::{
        ClusterView, LrmStatus, StateName, UtcTime, ViewInput,
        view::{LineKind, ServiceView, ShownLrm, ShownState},
    },
};
use ha_host::{
    clock,
    signals::StopSignals,
    store::{Record, SpaceLevel, StoreSpace, TwinNote},
};
use serde_json::{Map, Value, json};

use super::{
    Failure,
    context::{Context, note, say, say_json, say_rows},
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
            object.extend(properties.iter().map(|(key, text)| ((*key).to_owned(), typed(key, text))));
            Value::Object(object)
        })
        .collect();
    say_json(&objects)
}

/// Numbers and truth values as JSON has them.
fn typed(key: &str, text: &str) -> Value {
    match key {
        "max_restart" | "max_relocate" => text.parse::<u32>().map_or_else(|_| json!(text), |number| json!(number)),
        "failback" | "auto-rebalance" | "restricted" | "nofailback" | "strict" | "disable" => json!(text == "1"),
        _ => json!(text),
    }
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

pub(super) fn rule_list(context: &Context, as_json: bool) -> Result<ExitCode, Failure> {
    let configuration = context.stored()?.configuration;
    let nodes = context.store.settings()?.nodes;
    let rules = RuleSet::with_groups(&configuration.rules, &configuration.groups, &configuration.resources);
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
        let (resources, nodes) = (text(RuleProperty::Resources), text(RuleProperty::Nodes));
        let affinity = text(RuleProperty::Affinity);
        let place = match (nodes.is_empty(), affinity.is_empty()) {
            (true, _) => affinity,
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
            vec![sid.to_string(), guest.node.to_string(), guest.agent.word().to_owned()]
        };
        say_rows(&guests.iter().map(row).collect::<Vec<_>>())?;
    }
    problems.iter().for_each(note);
    Ok(ExitCode::SUCCESS)
}

pub(super) fn status(context: &Context, verbose: bool, as_json: bool, watch: bool) -> Result<ExitCode, Failure> {
    const WATCH_INTERVAL: Duration = Duration::from_secs(1);
    if !watch {
        show_status(context, verbose, as_json)?;
        return Ok(ExitCode::SUCCESS);
    }
    let signals = StopSignals::catch()?;
    loop {
        if !as_json {
            // Clears a terminal; the stream leaves it out where there is none.
            write!(anstream::stdout(), "\x1b[H\x1b[2J\x1b[3J")?;
        }
        show_status(context, verbose, as_json)?;
        if signals.wait(WATCH_INTERVAL) {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

fn show_status(context: &Context, verbose: bool, as_json: bool) -> Result<(), Failure> {
    let manager = context.manager_status()?;
    let stored = context.stored()?;
    let records = lrm_records(context)?;
    let lrms: BTreeMap<NodeName, Option<&LrmStatus>> =
        records.iter().map(|(node, record)| (node.clone(), record.as_ref())).collect();
    let locations: BTreeMap<ServiceId, NodeName> =
        stored.guests.iter().map(|(sid, guest)| (sid.clone(), guest.node.clone())).collect();
    let own_node = context.node()?;
    let guards = context.guards()?;
    let view = ClusterView::new(&ViewInput {
        own_node: &own_node,
        // Whoever can read the store is in the partition that counts.
        quorate: true,
        now: clock::wall(),
        manager: &manager,
        lrms: &lrms,
        resources: &stored.configuration.resources,
        locations: Some(&locations),
        scheduler: stored.configuration.datacenter.scheduler.mode,
    });
    let store_problems = context.store.problems()?;
    let raw = |text: String| serde_json::from_str::<Value>(&text).unwrap_or_default();
    let lrm_json = || -> BTreeMap<&NodeName, Value> {
        records.iter().filter_map(|(node, record)| Some((node, raw(record.as_ref()?.to_json())))).collect()
    };
    let store = StoreShown::read(context)?;
    if as_json {
        let mut object = serde_json::to_value(&view).map_err(Failure::failed)?;
        if let Value::Object(object) = &mut object {
            object.insert("guards".into(), json!(guards));
            object.insert("unguarded".into(), json!(manager.unguarded));
            object.insert("store".into(), json!({ "problems": store_problems }));
            store.add_to(object);
            if verbose {
                object.insert("manager_status".into(), raw(manager.to_json()));
                object.insert("lrm_status".into(), json!(lrm_json()));
            }
        }
        return say_json(&object);
    }
    say_view(&view)?;
    for (node, guard) in &guards {
        say(format_args!("guard {node} ({guard})"))?;
    }
    for node in manager.unguarded.iter().filter(|node| !manager.is_online(node)) {
        say(format_args!(
            "unguarded {node} (what may run there starts nowhere else before the node is back, or: ha confirm-fenced)"
        ))?;
    }
    store.say()?;
    if verbose {
        say("\nmanager status:")?;
        say_json(&raw(manager.to_json()))?;
        say("\nLRM status:")?;
        say_json(&lrm_json())?;
    }
    stored.problems.iter().for_each(note);
    store_problems.iter().for_each(|problem| note(&problem.text));
    tell_dropped_rules(context, &stored.configuration)
}

/// Rules that take no part, each once, with the reason and what to do.
fn tell_dropped_rules(context: &Context, configuration: &ha_core::host::Configuration) -> Result<(), Failure> {
    /// A screen full is enough; `ha check` has all.
    const MOST: usize = 10;
    let nodes = context.store.settings()?.nodes;
    let rules = RuleSet::with_groups(&configuration.rules, &configuration.groups, &configuration.resources);
    let mut dropped = rules.check(&nodes);
    dropped.dedup_by(|one, other| one.rule == other.rule);
    dropped.iter().take(MOST).for_each(|finding| note(format_args!("left out: {finding}")));
    if dropped.len() > MOST {
        note(format_args!("{} more rules are left out: see 'ha check'", dropped.len().saturating_sub(MOST)));
    }
    Ok(())
}

/// What is shown of the store itself.
struct StoreShown {
    twins: BTreeMap<NodeName, TwinNote>,
    space: Option<StoreSpace>,
}

impl StoreShown {
    fn read(context: &Context) -> Result<Self, Failure> {
        let mut twins = context.store.twins()?;
        let node = context.node()?;
        // The store may have been full, or out of reach, when this node saw its twin.
        if let Ok(Some(note)) = context.state.twin(&node) {
            twins.entry(node).or_insert(note);
        }
        // What can't be told is left out.
        let space = context.store.space().unwrap_or_default();
        Ok(Self { twins, space })
    }

    fn add_to(&self, object: &mut Map<String, Value>) {
        object.insert("twins".into(), json!(self.twins));
        if let Some(space) = self.space {
            object.insert("store_free_percent".into(), json!(space.free_percent));
        }
    }

    /// Only what a person has to see to.
    fn say(&self) -> Result<(), Failure> {
        let mut out = anstream::stdout().lock();
        let style = good(false);
        for (node, note) in &self.twins {
            let TwinNote { record, writer, seen_by, seen_at } = note;
            let text = format!(
                "twin {node} (two machines work under this name: {record} was written by {writer}, seen by {seen_by}, {}; \
                 when only one is left: ha node clear-twin)",
                UtcTime(*seen_at)
            );
            writeln!(out, "{style}{text}{style:#}")?;
        }
        if let Some(space) = self.space.filter(|space| space.level() != SpaceLevel::Enough) {
            writeln!(out, "{style}store {} % free{style:#}", space.free_percent)?;
        }
        Ok(())
    }
}

/// The record of every node, those of the settings first; one that can't be read is shown as none, with a note.
fn lrm_records(context: &Context) -> Result<BTreeMap<NodeName, Option<LrmStatus>>, Failure> {
    let mut records = BTreeMap::new();
    for node in context.store.settings()?.nodes {
        let record = context.store.record(&Record::Lrm(node.clone()))?.and_then(|content| {
            let read = LrmStatus::from_json(&String::from_utf8_lossy(&content));
            read.inspect_err(|error| note(format_args!("the LRM status of {node}: {error}"))).ok()
        });
        records.insert(node, record);
    }
    Ok(records)
}

fn say_view(view: &ClusterView) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    let mut lrms = view.lrms.iter();
    let mut services = view.services.iter();
    for line in view.lines() {
        let style = match line.kind {
            LineKind::Quorum => good(view.quorum.quorate),
            LineKind::Master => good(view.master.liveness.is_fresh()),
            LineKind::Fencing => Style::new(),
            LineKind::Lrm => lrms.next().map_or(Style::new(), |lrm| match lrm.shown {
                ShownLrm::Active => good(true),
                ShownLrm::Old | ShownLrm::Drift | ShownLrm::LostAgentLock => good(false),
                ShownLrm::NoRecord
                | ShownLrm::RestartMode
                | ShownLrm::ShutdownMode
                | ShownLrm::MaintenanceMode
                | ShownLrm::DisarmMode
                | ShownLrm::UnknownMode
                | ShownLrm::Idle
                | ShownLrm::WaitForAgentLock
                | ShownLrm::Maintenance => Style::new(),
            }),
            LineKind::Service => services.next().map_or(Style::new(), service_style),
        };
        writeln!(out, "{style}{line}{style:#}")?;
    }
    Ok(())
}

fn good(good: bool) -> Style {
    Style::new().fg_color(Some(if good { AnsiColor::Green } else { AnsiColor::Red }.into()))
}

fn service_style(service: &ServiceView) -> Style {
    match service.shown {
        ShownState::Recorded(StateName::Started) => good(true),
        ShownState::Recorded(StateName::Error | StateName::Fence | StateName::Recovery) | ShownState::NotFound => {
            good(false)
        }
        ShownState::Recorded(_)
        | ShownState::Ignore
        | ShownState::Deleting
        | ShownState::Ignored
        | ShownState::Queued
        | ShownState::Starting
        | ShownState::Disabled
        | ShownState::Stopping
        | ShownState::ClearingErrorFlag => Style::new(),
        ShownState::NotUnderstood => good(false),
    }
}
