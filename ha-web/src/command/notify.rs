//! `ha notify`.

use std::{
    fs,
    io::{self, Read, Write},
    os::fd::AsRawFd,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use clap::Subcommand;
use ha_core::{
    event::Severity,
    history::{Entry, Source, What},
    id::{NodeName, ServiceTypes, TargetId},
};
use ha_host::{
    agents::Kinds,
    history::new_id,
    os::{clock, signals::StopSignals},
    store::{SharedStore, SideFile},
};
use ha_web::{
    notify::{Message, NotifyConfig, NotifyState, NotifyTarget, NotifyWay, Sender, SenderSettings, tell},
    server::{Log, LogFormat},
};
use serde_json::{Value, json};

use super::Failure;

#[derive(Debug, Subcommand)]
pub(super) enum NotifyVerb {
    /// Show who is notified of what, how far each was told, and what is wrong with it.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show notify.cfg as it is.
    Show,
    /// Replace notify.cfg by a file, unless something is wrong in it.
    Set {
        /// The file, or '-' for the standard input.
        file: PathBuf,
    },
    /// Tell targets that this is a test, from this node.
    Test {
        /// Only this one, also if it is disabled.
        target: Option<TargetId>,
    },
    /// Notify targets while this node is the master, until it is asked to end (SIGTERM). 'ha web' does so by itself.
    Run {
        /// The form of what it says: sentences, or an object a line.
        #[arg(long, value_name = "FORM", default_value = "text", value_parser = ["text", "json"])]
        log: String,
    },
}

/// How long it waits at the end until another one may tell.
pub(super) const PATIENCE_AT_END: Duration = Duration::from_secs(2);

pub(super) fn notify(store: Arc<dyn SharedStore>, node: Option<NodeName>, verb: &NotifyVerb) -> Result<(), Failure> {
    match verb {
        NotifyVerb::List { json } => list(&*store, *json),
        NotifyVerb::Show => show(&*store),
        NotifyVerb::Set { file } => set(&*store, file),
        NotifyVerb::Test { target } => test(&*store, node, target.as_ref()),
        NotifyVerb::Run { log } => run(store, node, log),
    }
}

pub(super) fn types() -> ServiceTypes {
    Kinds::default().service_types()
}

fn config(store: &dyn SharedStore) -> Result<(NotifyConfig, Vec<String>), Failure> {
    let text = store.side_file(SideFile::NotifyConfig)?;
    let parsed = NotifyConfig::read(text.as_deref().unwrap_or_default(), &types());
    Ok((parsed.config, parsed.problems.iter().map(|problem| format!("notify.cfg: {problem}")).collect()))
}

fn note(text: &str) {
    anstream::eprintln!("note: {text}");
}

/// Where a target is reached, without what may be secret in it.
fn place(target: &NotifyTarget) -> String {
    match &target.way {
        NotifyWay::Command { .. } => target.way.words().into_iter().next().unwrap_or_default(),
        NotifyWay::Webhook { url, .. } => url.split('/').take(3).collect::<Vec<_>>().join("/"),
        NotifyWay::Smtp { server, to, .. } => format!("{to} by {server}"),
    }
}

fn list(store: &dyn SharedStore, as_json: bool) -> Result<(), Failure> {
    let (config, problems) = config(store)?;
    let state = NotifyState::read(store)?;
    let end = store.history_end()?;
    let mut out = io::stdout();
    if as_json {
        let targets: Vec<Value> = config.targets.values().map(|target| object(target, &state, end)).collect();
        let whole = json!({"targets": targets, "problems": problems, "sender": state.sender});
        return writeln!(out, "{whole:#}").map_err(Failure::failed);
    }
    problems.iter().for_each(|problem| note(problem));
    if config.targets.is_empty() {
        note("nobody is notified: 'ha notify set FILE' says who is");
    }
    for (name, target) in &config.targets {
        let known = state.targets.get(name);
        let how = match known {
            _ if target.is_disabled() => "disabled".to_owned(),
            None => "not told anything yet".to_owned(),
            Some(known) => match &known.failing {
                Some(why) => format!("can't be notified: {why}"),
                None => format!("told up to entry {} of {end}", known.told),
            },
        };
        let missed = known.map_or(0, |known| known.passed_over);
        let missed = if missed > 0 { format!("; {missed} entries were passed over") } else { String::new() };
        let (kind, place, severity) = (target.kind(), place(target), target.severity());
        writeln!(out, "{name}\t{kind}\t{place}\t{severity}\t{how}{missed}").map_err(Failure::failed)?;
    }
    Ok(())
}

fn object(target: &NotifyTarget, state: &NotifyState, end: u64) -> Value {
    let known = state.targets.get(&target.id);
    json!({
        "target": target.id,
        "kind": target.kind(),
        "place": place(target),
        "severity": target.severity(),
        "events": target.events().collect::<Vec<_>>(),
        "services": target.services,
        "disabled": target.is_disabled(),
        "told": known.map(|known| known.told),
        "last": end,
        "passed_over": known.map_or(0, |known| known.passed_over),
        "failing": known.and_then(|known| known.failing.as_ref()),
    })
}

fn show(store: &dyn SharedStore) -> Result<(), Failure> {
    let text = store.side_file(SideFile::NotifyConfig)?;
    io::stdout().write_all(text.as_deref().unwrap_or_default()).map_err(Failure::failed)
}

fn set(store: &dyn SharedStore, file: &Path) -> Result<(), Failure> {
    const LARGEST: u64 = 256 << 10;
    let failed = |error: io::Error| Failure::Failed(format!("{}: {error}", file.display()));
    let mut text = Vec::new();
    if file == Path::new("-") {
        io::stdin().take(LARGEST).read_to_end(&mut text).map_err(failed)?;
    } else {
        fs::File::open(file).map_err(failed)?.take(LARGEST).read_to_end(&mut text).map_err(failed)?;
    }
    let problems = NotifyConfig::read(&text, &types()).problems;
    if !problems.is_empty() {
        let lines: Vec<String> = problems.iter().map(|problem| format!("{}: {problem}", file.display())).collect();
        return Err(Failure::Failed(format!("{}\nnothing was changed", lines.join("\n"))));
    }
    store.edit_side_file(SideFile::NotifyConfig, &mut |_| Some(text.clone()))?;
    Ok(())
}

/// This node: the given one, or the member that is named like the host.
pub(super) fn own_node(store: &dyn SharedStore, given: Option<NodeName>) -> Option<NodeName> {
    given.or_else(|| {
        let host = nix::unistd::gethostname().ok()?.into_string().ok()?;
        let name = NodeName::new(host.split('.').next().unwrap_or_default()).ok()?;
        store.settings().ok()?.nodes.contains(&name).then_some(name)
    })
}

fn needed_node(store: &dyn SharedStore, given: Option<NodeName>) -> Result<NodeName, Failure> {
    let none = || Failure::Usage("no node of the cluster is named like this host: name this node with --node".into());
    own_node(store, given).ok_or_else(none)
}

fn test(store: &dyn SharedStore, node: Option<NodeName>, only: Option<&TargetId>) -> Result<(), Failure> {
    let node = needed_node(store, node)?;
    let (config, problems) = config(store)?;
    problems.iter().for_each(|problem| note(problem));
    let what = What::message(format!("this is a test of notifications from {node}"));
    let entry = Entry::new(new_id(&node), clock::wall_ms(), node, Source::Person, what);
    let entry = Entry { severity: Severity::Notice, ..entry };
    let message = [Message::of(&entry, store.cluster_id()?.as_deref())];
    let is_wanted = |target: &&NotifyTarget| only.map_or(!target.is_disabled(), |only| target.id == *only);
    let wanted: Vec<&NotifyTarget> = config.targets.values().filter(is_wanted).collect();
    if wanted.is_empty() {
        return Err(Failure::Failed(match only {
            Some(only) => format!("there is no target '{only}': see 'ha notify list'"),
            None => "there is no target: see 'ha notify list'".into(),
        }));
    }
    let mut failures = 0_usize;
    for target in wanted {
        let said = match tell(target, &message) {
            (_, None) => "told".to_owned(),
            (_, Some(failed)) => {
                failures = failures.saturating_add(1);
                format!("failed: {failed}")
            }
        };
        writeln!(io::stdout(), "{}: {said}", target.id).map_err(Failure::failed)?;
    }
    if failures > 0 { Err(Failure::Failed(format!("{failures} could not be told"))) } else { Ok(()) }
}

fn run(store: Arc<dyn SharedStore>, node: Option<NodeName>, log: &str) -> Result<(), Failure> {
    let node = needed_node(&*store, node)?;
    let signals = StopSignals::catch().map_err(Failure::failed)?;
    let format = LogFormat::named(log, io::stdout().as_raw_fd()).map_err(Failure::Usage)?;
    let log = Log::start(io::stdout(), format).map_err(Failure::failed)?;
    let sender = Sender::start(SenderSettings::new(store, types(), node, log)).map_err(Failure::failed)?;
    while !signals.wait(Duration::from_secs(3600)) {}
    sender.stop(PATIENCE_AT_END);
    Ok(())
}
