//! `ha status`: the cluster at a glance.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufWriter, Write},
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

use anstyle::{AnsiColor, Style};
use ha_core::{
    id::{NodeName, ServiceId},
    status::{
        UtcTime,
        view::{Advice, LineKind, ServiceView},
    },
};
use ha_host::{
    desk::{Glance, Health, NodeGlance, NodeHealth, Present, RollingWork, ServiceGlance, StatusParts, span},
    history,
    os::signals::StopSignals,
    store::{SpaceLevel, StoreError, StoreSpace, TwinNote},
};
use serde_json::{Map, Value, json};

use super::{
    arguments::{SortBy, StatusOptions},
    context::{Context, Failure, complain, note, say, say_json},
};

pub(super) fn status(
    context: impl Fn() -> Result<Context, Failure>,
    options: &StatusOptions,
) -> Result<ExitCode, Failure> {
    const WATCH_INTERVAL: Duration = Duration::from_secs(1);
    if !options.watch {
        return once(&context, options);
    }
    let signals = StopSignals::catch()?;
    loop {
        if !options.json {
            // From the top of the screen on, and what scrolled away stays where it is: the stream leaves it out where there is no
            // terminal.
            write!(anstream::stdout(), "\x1b[H\x1b[J")?;
        }
        match once(&context, options) {
            // It may be there again in a moment.
            Err(Failure::Failed(message)) => complain(&message),
            Err(failure) => return Err(failure),
            Ok(_) => {}
        }
        if signals.wait(WATCH_INTERVAL) {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

fn once(context: &impl Fn() -> Result<Context, Failure>, options: &StatusOptions) -> Result<ExitCode, Failure> {
    match context().and_then(|context| Seen::read(context, options)) {
        Ok(seen) => {
            seen.show(options)?;
            let code = if options.exit_code { seen.glance.health.exit_code() } else { 0 };
            Ok(ExitCode::from(code))
        }
        // Without the store nothing is known, and nobody can decide anything.
        Err(Failure::Failed(message)) if options.json || options.exit_code => {
            if options.json {
                let health = Health::Critical.as_str();
                say_json(&json!({"health": health, "quorum": {"quorate": false}, "problems": [message.as_str()]}))?;
            }
            complain(&message);
            Ok(ExitCode::from(if options.exit_code { Health::Critical.exit_code() } else { 1 }))
        }
        Err(failure) => Err(failure),
    }
}

/// Nobody waits longer for since when things are as they are.
const HISTORY_PATIENCE: Duration = Duration::from_secs(1);

/// All that is shown, of one moment.
struct Seen {
    present: Present,
    glance: Glance,
    twins: BTreeMap<NodeName, TwinNote>,
    space: Option<StoreSpace>,
    store_problems: Vec<ha_host::store::StoreProblem>,
    /// Work on node after node that is not over.
    rolling: Option<RollingWork>,
}

impl Seen {
    fn read(context: Context, options: &StatusOptions) -> Result<Self, Failure> {
        let node = context.node()?;
        let present = context.present()?;
        let alive = look_for_life(&context, &present)?;
        let mut glance = Glance::new(&present, &node, alive.as_ref());
        if let Some(latest) = history::latest(&context.store, HISTORY_PATIENCE) {
            glance.tell_since(&latest, &present);
        }
        let mut twins = context.store.twins().unwrap_or_default();
        // The store may have been full, or out of reach, when this node saw its twin.
        if let Ok(Some(note)) = context.state.twin(&node) {
            twins.entry(node).or_insert(note);
        }
        let mut seen = Self {
            // What can't be told is left out.
            space: context.store.space().unwrap_or_default(),
            store_problems: context.store.problems()?,
            rolling: RollingWork::read(&*context.store).ok().flatten().filter(|work| !work.step.is_over()),
            present,
            glance,
            twins,
        };
        if !seen.twins.is_empty() {
            seen.glance.health = Health::Critical;
        }
        if seen.is_short_of_space() || !seen.store_problems.is_empty() {
            seen.glance.health = seen.glance.health.max(Health::Degraded);
        }
        seen.select(&context, options)?;
        Ok(seen)
    }

    fn is_short_of_space(&self) -> bool {
        self.space.is_some_and(|space| space.level() != SpaceLevel::Enough)
    }

    /// Leaves what was asked for, in the order that was asked for.
    fn select(&mut self, context: &Context, options: &StatusOptions) -> Result<(), Failure> {
        let mut wanted = Vec::new();
        for text in &options.sids {
            wanted.push(if text.contains('*') { text.clone() } else { context.sid(text)?.to_string() });
        }
        let all: Vec<NodeName> = self.glance.nodes.iter().map(|node| node.node.clone()).collect();
        options.on.iter().try_for_each(|node| super::commands::check_node(&all, node))?;
        let is_named = |service: &ServiceGlance| {
            wanted.is_empty() || wanted.iter().any(|pattern| matches(pattern, service.view.sid.as_str()))
        };
        let is_there = |service: &ServiceGlance| {
            let here = |node: &NodeName| options.on.contains(node);
            options.on.is_empty() || service.view.node.iter().chain(&service.view.target).any(here)
        };
        let is_problem = |health: Health| !options.problems || health != Health::Healthy;
        let services = &mut self.glance.services;
        services.retain(|service| is_named(service) && is_there(service) && is_problem(service.health));
        if !wanted.is_empty() && services.is_empty() && !options.problems && options.on.is_empty() {
            return Err(Failure::Failed(format!("there is no service '{}'", options.sids.join("', '"))));
        }
        self.glance.nodes.retain(|node| {
            let is_asked_for = options.on.is_empty() || options.on.contains(&node.node);
            let bears_on = wanted.is_empty()
                || self.glance.services.iter().any(|service| service.view.node.as_ref() == Some(&node.node));
            is_asked_for && bears_on && is_problem(node.health)
        });
        match options.sort {
            SortBy::Sid => {}
            SortBy::Node => self.glance.services.sort_by(|one, other| one.view.node.cmp(&other.view.node)),
            SortBy::State => self.glance.services.sort_by_key(|service| service.view.shown.as_str()),
            SortBy::Health => self.glance.services.sort_by_key(|service| std::cmp::Reverse(service.health)),
        }
        Ok(())
    }

    fn show(&self, options: &StatusOptions) -> Result<(), Failure> {
        if options.json { say_json(&self.object(options.verbose)?) } else { self.say(options) }
    }

    fn object(&self, verbose: bool) -> Result<Value, Failure> {
        let parts = StatusParts {
            present: &self.present,
            glance: &self.glance,
            twins: &self.twins,
            space: self.space,
            store_problems: &self.store_problems,
        };
        let mut object = parts.to_json();
        if let Value::Object(object) = &mut object {
            object.extend(self.rolling.as_ref().map(|work| ("rolling".to_owned(), json!(work))));
            if verbose {
                self.add_records(object);
            }
        }
        Ok(object)
    }

    fn add_records(&self, object: &mut Map<String, Value>) {
        let raw = |text: String| serde_json::from_str::<Value>(&text).unwrap_or_default();
        let lrms: BTreeMap<&NodeName, Value> =
            self.present.lrms.iter().map(|(node, record)| (node, raw(record.to_json()))).collect();
        object.insert("manager_status".into(), raw(self.present.status.to_json()));
        object.insert("lrm_status".into(), json!(lrms));
    }

    fn say(&self, options: &StatusOptions) -> Result<(), Failure> {
        let glance = &self.glance;
        let mut out = BufWriter::new(anstream::stdout().lock());
        // Whoever can read the store is in the partition that counts; whether anybody acts there is another matter.
        let quorum = if glance.is_alive { good(true) } else { Style::new() };
        writeln!(out, "{quorum}quorum {}{quorum:#}", glance.view.quorum)?;
        let style = of_health(glance.health);
        writeln!(out, "{style}cluster {}: {}{style:#}", glance.health.as_str(), glance.summary)?;
        for problem in &glance.problems {
            writeln!(out, "problem {problem}")?;
        }
        for node in &glance.nodes {
            let style = of_node(node);
            let guard = node.guard.as_ref().map(|guard| format!("; guarded by {guard}")).unwrap_or_default();
            let domain = node.failure_domain.as_ref().map(|domain| format!("; in {domain}")).unwrap_or_default();
            writeln!(out, "{style}node {} ({}{domain}{guard}){style:#}", node.node, node.text)?;
        }
        if let Some(work) = &self.rolling {
            writeln!(out, "rolling work: {work}")?;
        }
        self.say_store(&mut out)?;
        let is_whole = options.sids.is_empty() && !options.problems && options.on.is_empty();
        for line in glance.view.lines() {
            let is_shown = match line.kind {
                LineKind::Master | LineKind::Fencing => is_whole,
                LineKind::Lrm => options.verbose,
                LineKind::Quorum | LineKind::Service => false,
            };
            let style = match line.kind {
                LineKind::Master => good(glance.view.master.liveness.is_fresh()),
                LineKind::Quorum | LineKind::Fencing | LineKind::Lrm | LineKind::Service => Style::new(),
            };
            // Of a master that does not work, or can't be told, nothing of that is true.
            if is_shown && glance.is_alive && glance.master_is_alive && !self.present.status_is_broken() {
                writeln!(out, "{style}{line}{style:#}")?;
            }
        }
        for service in &glance.services {
            let style = if glance.is_alive { of_service(service) } else { Style::new() };
            writeln!(out, "{style}service {}{style:#}", service_line(service))?;
        }
        out.flush()?;
        drop(out);
        if options.verbose {
            let mut records = Map::new();
            self.add_records(&mut records);
            say("\nmanager status:")?;
            say_json(records.get("manager_status").unwrap_or(&Value::Null))?;
            say("\nLRM status:")?;
            say_json(records.get("lrm_status").unwrap_or(&Value::Null))?;
        }
        self.store_problems.iter().for_each(|problem| note(&problem.text));
        Ok(())
    }

    /// Only what a person has to see to.
    fn say_store(&self, out: &mut impl Write) -> Result<(), Failure> {
        let style = good(false);
        let status = &self.present.status;
        for node in status.unguarded.iter().filter(|node| !status.is_online(node)) {
            let text = "what may run there starts nowhere else before the node is back, or: ha confirm-fenced";
            writeln!(out, "{style}unguarded {node} ({text}){style:#}")?;
        }
        for (node, note) in &self.twins {
            let TwinNote { record, writer, seen_by, seen_at } = note;
            let text = format!(
                "twin {node} (two machines work under this name: {record} was written by {writer}, seen by {seen_by}, {}; \
                 when only one is left: ha node clear-twin)",
                UtcTime(*seen_at)
            );
            writeln!(out, "{style}{text}{style:#}")?;
        }
        if let Some(space) = self.space.filter(|_| self.is_short_of_space()) {
            writeln!(out, "{style}store {} % free{style:#}", space.free_percent)?;
        }
        Ok(())
    }
}

/// What it is in, why, what is wrong with it, and what helps.
fn service_line(service: &ServiceGlance) -> String {
    let mut line = ServiceView { advice: None, problem: None, ..service.view.clone() }.to_string();
    let age = service.since_ms.map(|since| ha_host::os::clock::wall_ms().saturating_sub(since).div_euclid(1000));
    line.extend(age.map(|age| format!(" for {}", span(age))));
    // Some of it is in the line already.
    let reason = service.reason.as_ref().filter(|reason| !line.contains(reason.as_str()));
    line.extend(reason.map(|reason| format!(" - {reason}")));
    line.extend(service.view.problem.as_ref().map(|problem| format!(": {problem}")));
    let separator = if service.view.problem.is_some() { ". " } else { ": " };
    line.extend(service.advice.map(|advice| format!("{separator}{}", words(advice, &service.view.sid))));
    line
}

/// What a person can do, by the verbs of this command where there is one for it.
fn words(advice: Advice, sid: &ServiceId) -> String {
    match advice {
        Advice::RequestDisabled => format!("Find out why it failed and repair it. Then: ha cleanup {sid}"),
        Advice::Arm | Advice::ArmToRecover => format!("{advice} (ha arm)"),
        Advice::RemoveOrRestore
        | Advice::WaitForMaster
        | Advice::BringUpMaster
        | Advice::AcceptLocation
        | Advice::MakeNodeAvailable
        | Advice::BringNodeBack
        | Advice::RepairStatus
        | Advice::ConfirmFenced
        | Advice::SeeWhyItRuns => advice.to_string(),
    }
}

/// Whether a text is what a pattern says, in which `*` stands for anything.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            let mut ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.any(|at| text.get(at..).is_some_and(|text| matches(rest, text)))
        }),
    }
}

/// The nodes that are seen to give a sign of life, where the records are not so young that they say it themselves, nor so old
/// that nobody can live. It takes as long as a sign of all of them does.
fn look_for_life(context: &Context, present: &Present) -> Result<Option<BTreeSet<NodeName>>, Failure> {
    const LOOK_INTERVAL: Duration = Duration::from_millis(20);
    /// Nobody waits longer for the answer.
    const PATIENCE: Duration = Duration::from_secs(2);
    if !present.may_have_died() {
        return Ok(None);
    }
    let nodes: Vec<NodeName> = present.settings.nodes.iter().filter(|node| present.is_there(node)).cloned().collect();
    let look = || -> Result<BTreeMap<NodeName, Vec<u8>>, StoreError> {
        Ok(context.store.raw_beats(&nodes)?.into_iter().collect())
    };
    let first = look()?;
    let beats_apart = present.settings.timings.membership_detection() / 5;
    let patience = beats_apart.saturating_mul(3).min(PATIENCE);
    let began = Instant::now();
    let mut alive = BTreeSet::new();
    while began.elapsed() < patience && alive.len() < nodes.len() {
        thread::sleep(LOOK_INTERVAL);
        let beats = look()?.into_iter();
        alive.extend(beats.filter(|(node, beat)| first.get(node) != Some(beat)).map(|(node, _)| node));
    }
    Ok(Some(alive))
}

fn good(good: bool) -> Style {
    Style::new().fg_color(Some(if good { AnsiColor::Green } else { AnsiColor::Red }.into()))
}

fn of_health(health: Health) -> Style {
    let color = match health {
        Health::Healthy => AnsiColor::Green,
        Health::Degraded => AnsiColor::Yellow,
        Health::Critical => AnsiColor::Red,
    };
    Style::new().fg_color(Some(color.into()))
}

fn of_node(node: &NodeGlance) -> Style {
    match node.state {
        NodeHealth::Joining => Style::new(),
        NodeHealth::Online
        | NodeHealth::Maintenance
        | NodeHealth::GoingDown
        | NodeHealth::Silent
        | NodeHealth::ToBeFenced
        | NodeHealth::Stopped
        | NodeHealth::NeverSeen
        | NodeHealth::NoMember => of_health(node.health),
    }
}

/// Green is for what runs as it should only.
fn of_service(service: &ServiceGlance) -> Style {
    use ha_core::status::{StateName, view::ShownState};
    match (service.health, service.view.shown) {
        (Health::Healthy, ShownState::Recorded(StateName::Started)) => good(true),
        (Health::Healthy, _) => Style::new(),
        (health, _) => of_health(health),
    }
}
