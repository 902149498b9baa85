//! What tells targets, as things happen.

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, Sender as Way, channel},
    },
    thread,
    time::{Duration, Instant},
};

use ha_core::{
    config::{NotifyConfig, NotifyTarget},
    event::Severity,
    history::Entry,
    id::{NodeName, ServiceTypes, TargetId},
};
use ha_host::{
    history::{Filter, Reader},
    os::clock,
    store::{RecordName, SharedStore, SideFile, StoreError},
};
use serde::Deserialize;
use serde_json::json;

use super::{Failed, Message, NotifyState, SenderClaim, TargetState, tell::tell};
use crate::server::{Log, Report};

/// What a sender works with.
#[derive(Debug, Clone)]
pub struct SenderSettings {
    /// The cluster. It is opened for the sender alone.
    pub store: Arc<dyn SharedStore>,
    /// The types of services that there are.
    pub types: ServiceTypes,
    /// The node on which it is. It tells while that is the master.
    pub node: NodeName,
    /// What it says about itself.
    pub log: Log,
    /// How often it looks whether something has happened.
    pub look_interval: Duration,
    /// How long it waits after a target could not be told; twice as long each time after that.
    pub first_pause: Duration,
}

impl SenderSettings {
    /// With the customary times.
    #[must_use]
    pub fn new(store: Arc<dyn SharedStore>, types: ServiceTypes, node: NodeName, log: Log) -> Self {
        let (look_interval, first_pause) = (Duration::from_millis(500), Duration::from_secs(1));
        Self { store, types, node, log, look_interval, first_pause }
    }
}

/// Tells targets, in threads of its own, until it is [stopped](Self::stop) or dropped. It tells only while its
/// node is the master and no other process of the node does.
#[derive(Debug)]
pub struct Sender {
    /// While this is there it goes on.
    goes_on: Way<()>,
    /// Hears when it has ended.
    ended: Receiver<()>,
}

impl Sender {
    /// Begins to tell.
    ///
    /// # Errors
    ///
    /// If no thread can be started.
    pub fn start(settings: SenderSettings) -> io::Result<Self> {
        let (goes_on, stopped) = channel();
        let (at_end, ended) = channel::<()>();
        thread::Builder::new().name("notify".into()).spawn(move || {
            Telling::new(settings).run(&stopped);
            drop(at_end);
        })?;
        Ok(Self { goes_on, ended })
    }

    /// Ends it, so that another process may tell at once, and waits for that, but not for longer than this: a store may hang. Two
    /// seconds are enough where it does not.
    pub fn stop(self, patience: Duration) {
        let Self { goes_on, ended } = self;
        drop(goes_on);
        let _ = ended.recv_timeout(patience);
    }
}

/// The part of the manager status that says who the master is.
#[derive(Default, Deserialize)]
struct Master {
    master_node: Option<NodeName>,
}

/// What a thread that has told a target says.
struct Outcome {
    target: TargetId,
    told: usize,
    upto: Vec<u64>,
    failed: Option<Failed>,
}

/// A target, as it is told.
struct Told {
    target: NotifyTarget,
    filter: Filter,
    state: TargetState,
    /// Whether a thread tells it just now.
    is_busy: bool,
    pause: Duration,
    not_before: Option<Instant>,
    /// How often in a row it has refused what comes next.
    refusals: u32,
}

struct Telling {
    settings: SenderSettings,
    process: String,
    claimed: Option<Instant>,
    master: (Option<Arc<[u8]>>, Option<NodeName>),
    config: Option<Arc<[u8]>>,
    targets: BTreeMap<TargetId, Told>,
    cluster: Option<String>,
    entries: VecDeque<Entry>,
    end: u64,
    results: (Way<Outcome>, Receiver<Outcome>),
    failing: Option<String>,
}

/// How long a claim holds, and how old it is when it is renewed.
const CLAIM: Duration = Duration::from_secs(30);
const RENEWAL: Duration = Duration::from_secs(10);
/// How long it waits at the end for targets that are told something just then.
const PATIENCE_AT_END: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// How often a target may refuse something before that is passed over.
const MOST_REFUSALS: u32 = 3;
/// How many entries a target is told at once at most.
const MOST_AT_ONCE: usize = 50;
/// How many entries are kept for targets that can't be told; the store keeps no more than some thousands.
const MOST_KEPT: usize = 8192;

impl Telling {
    fn new(settings: SenderSettings) -> Self {
        let process = format!("{}-{:x}", std::process::id(), clock::wall_ms());
        Self {
            settings,
            process,
            claimed: None,
            master: (None, None),
            config: None,
            targets: BTreeMap::new(),
            cluster: None,
            entries: VecDeque::new(),
            end: 0,
            results: channel(),
            failing: None,
        }
    }

    fn run(mut self, stopped: &Receiver<()>) {
        loop {
            let failed = self.step().err().map(|error| error.to_string());
            if failed != self.failing {
                let text = match &failed {
                    Some(why) => format!("nobody can be notified for now: {why}"),
                    None => "targets are notified again".to_owned(),
                };
                self.report(
                    if failed.is_some() { Severity::Warning } else { Severity::Notice },
                    "notify_store",
                    json!({"why": failed}),
                    &text,
                );
                self.failing = failed;
            }
            match stopped.recv_timeout(self.settings.look_interval) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.end();
    }

    fn report(&self, severity: Severity, event: &'static str, fields: serde_json::Value, text: &str) {
        self.settings.log.report(&Report { severity, event, fields, text });
    }

    fn step(&mut self) -> Result<(), StoreError> {
        self.take_results()?;
        if !self.is_master()? {
            self.let_go();
            return Ok(());
        }
        let config = self.settings.store.side_file(SideFile::NotifyConfig)?;
        if config.as_deref().is_none_or(<[u8]>::is_empty) {
            self.let_go();
            return Ok(());
        }
        if !self.claim()? {
            return Ok(());
        }
        if config != self.config {
            self.read_config(config)?;
        }
        self.read_history()?;
        self.hand_out();
        Ok(())
    }

    fn is_master(&mut self) -> Result<bool, StoreError> {
        let record = self.settings.store.record(&RecordName::Manager)?;
        if record != self.master.0 {
            let master: Master =
                record.as_deref().and_then(|text| serde_json::from_slice(text).ok()).unwrap_or_default();
            self.master = (record, master.master_node);
        }
        Ok(self.master.1.as_ref() == Some(&self.settings.node))
    }

    /// Whether this process tells, and no other one of this node.
    fn claim(&mut self) -> Result<bool, StoreError> {
        if self.claimed.is_some_and(|since| since.elapsed() < RENEWAL) {
            return Ok(true);
        }
        let now = clock::wall_ms();
        let length = i64::try_from(CLAIM.as_millis()).unwrap_or(i64::MAX);
        let mut is_own = false;
        NotifyState::edit(&*self.settings.store, |state| {
            let is_others = state.sender.as_ref().is_some_and(|sender| {
                // A claim that ends later than any can was made before the clock was set.
                let holds = sender.until_ms > now && sender.until_ms <= now.saturating_add(length);
                sender.process != self.process && sender.node == self.settings.node && holds
            });
            is_own = !is_others;
            if is_own {
                let (node, process) = (self.settings.node.clone(), self.process.clone());
                state.sender = Some(SenderClaim { node, process, until_ms: now.saturating_add(length) });
                // What a target did not want to be told counts too.
                for (name, told) in &self.targets {
                    if let Some(kept) = state.targets.get_mut(name) {
                        kept.told = kept.told.max(told.state.told);
                        kept.passed_over = kept.passed_over.max(told.state.passed_over);
                    }
                }
            }
            is_own
        })?;
        if !is_own {
            self.forget();
        } else {
            self.claimed = Some(Instant::now());
        }
        Ok(is_own)
    }

    /// Lets another one tell. What is under way is still told, and kept.
    fn let_go(&mut self) {
        if self.claimed.is_none() {
            return;
        }
        self.forget();
        // Where this fails the claim ends by itself.
        let _ = NotifyState::edit(&*self.settings.store, |state| {
            let is_own = state.sender.as_ref().is_some_and(|sender| sender.process == self.process);
            if is_own {
                state.sender = None;
            }
            is_own
        });
    }

    fn forget(&mut self) {
        self.claimed = None;
        self.config = None;
        self.targets.clear();
        self.entries.clear();
        self.end = 0;
    }

    /// Reads who is told of what, and how far each was told.
    fn read_config(&mut self, text: Option<Arc<[u8]>>) -> Result<(), StoreError> {
        let parsed = NotifyConfig::read(text.as_deref().unwrap_or_default(), &self.settings.types);
        for problem in &parsed.problems {
            let text = format!("notify.cfg: {problem}");
            self.report(Severity::Warning, "notify_config", json!({"why": problem.to_string()}), &text);
        }
        let store = &*self.settings.store;
        self.cluster = store.cluster_id()?;
        let end = store.history_end()?;
        // One that is disabled is forgotten: once it is told again it counts as new.
        let targets = parsed.config.targets.into_iter().filter(|(_, target)| !target.is_disabled());
        let targets: BTreeMap<TargetId, NotifyTarget> = targets.collect();
        let names: Vec<TargetId> = targets.keys().cloned().collect();
        let mut state = NotifyState::default();
        NotifyState::edit(store, |kept| {
            let before = kept.targets.clone();
            kept.targets.retain(|name, _| names.contains(name));
            for name in &names {
                // One that is new is told of what happens from now on.
                let begins = || TargetState { told: end, ..TargetState::default() };
                let target = kept.targets.entry(name.clone()).or_insert_with(begins);
                // Of another history.
                target.told = target.told.min(end);
            }
            state = kept.clone();
            kept.targets != before
        })?;
        let mut old = std::mem::take(&mut self.targets);
        for (name, target) in targets {
            let state = state.targets.get(&name).cloned().unwrap_or_default();
            let is_busy = old.remove(&name).is_some_and(|old| old.is_busy);
            self.targets.insert(name, Told::new(target, state, is_busy, self.settings.first_pause));
        }
        self.config = text;
        self.entries.clear();
        self.end = self.targets.values().map(|told| told.state.told).min().unwrap_or(end);
        Ok(())
    }

    fn read_history(&mut self) -> Result<(), StoreError> {
        let kept = Reader::after(&*self.settings.store, self.end)?;
        self.end = kept.end;
        self.entries.extend(kept.entries);
        let least = self.targets.values().map(|told| told.state.told).min().unwrap_or(self.end);
        let done = self.entries.partition_point(|entry| entry.position.is_none_or(|own| own <= least));
        self.entries.drain(..done.max(self.entries.len().saturating_sub(MOST_KEPT)));
        Ok(())
    }

    /// Has each target told what it was not told yet, if it is not told something just now.
    fn hand_out(&mut self) {
        let oldest = self.entries.front().and_then(|entry| entry.position);
        for (name, told) in &mut self.targets {
            let waits = told.not_before.is_some_and(|moment| moment > Instant::now());
            if told.is_busy || waits {
                continue;
            }
            let after = told.state.told;
            if let Some(missed) = oldest.and_then(|oldest| oldest.checked_sub(after.saturating_add(1)))
                && missed > 0
            {
                told.state.passed_over = told.state.passed_over.saturating_add(missed);
                told.state.told = after.saturating_add(missed);
            }
            let first = self.entries.partition_point(|entry| entry.position.is_none_or(|own| own <= after));
            let wanted: Vec<&Entry> =
                self.entries.range(first..).filter(|entry| told.filter.takes(entry)).take(MOST_AT_ONCE).collect();
            if wanted.is_empty() {
                told.state.told = self.end.max(told.state.told);
                continue;
            }
            let upto: Vec<u64> = wanted.iter().filter_map(|entry| entry.position).collect();
            let messages: Vec<Message> =
                wanted.iter().map(|entry| Message::of(entry, self.cluster.as_deref())).collect();
            let (target, name, results) = (told.target.clone(), name.clone(), self.results.0.clone());
            let started = thread::Builder::new().name(format!("notify-{name}")).spawn(move || {
                let (told, failed) = tell(&target, &messages);
                // Nobody may listen any more.
                let _ = results.send(Outcome { target: name, told, upto, failed });
            });
            told.is_busy = started.is_ok();
        }
    }

    fn take_results(&mut self) -> Result<(), StoreError> {
        while let Ok(result) = self.results.1.try_recv() {
            self.take_result(&result)?;
        }
        Ok(())
    }

    /// Waits for those who are told something just now, but not for long.
    fn end(&mut self) {
        let until = Instant::now().checked_add(PATIENCE_AT_END);
        while self.targets.values().any(|told| told.is_busy) {
            let left = until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()));
            let Ok(result) = self.results.1.recv_timeout(left) else { break };
            if self.take_result(&result).is_err() {
                break;
            }
        }
        self.let_go();
    }

    /// Takes note of what a target was told.
    fn take_result(&mut self, result: &Outcome) -> Result<(), StoreError> {
        let name = &result.target;
        let mut state = match self.targets.get_mut(name) {
            Some(told) => {
                told.take(result, self.settings.first_pause, &self.settings.log);
                told.state.clone()
            }
            // It was let go of in the meantime.
            None => {
                let told = result.upto.get(..result.told).and_then(<[u64]>::last).copied().unwrap_or(0);
                TargetState { told, ..TargetState::default() }
            }
        };
        NotifyState::edit(&*self.settings.store, |kept| {
            let Some(target) = kept.targets.get_mut(name) else { return false };
            // Another one may have told more by now.
            state.told = state.told.max(target.told);
            state.passed_over = state.passed_over.max(target.passed_over);
            let is_other = *target != state;
            *target = state.clone();
            is_other
        })
    }
}

impl Told {
    fn new(target: NotifyTarget, state: TargetState, is_busy: bool, pause: Duration) -> Self {
        let filter = Filter {
            services: target.services.clone().unwrap_or_default(),
            events: target.events().map(str::to_owned).collect(),
            severity: Some(target.severity()),
            ..Filter::default()
        };
        Self { target, filter, state, is_busy, pause, not_before: None, refusals: 0 }
    }

    fn take(&mut self, result: &Outcome, first_pause: Duration, log: &Log) {
        let name = &self.target.id;
        self.is_busy = false;
        if let Some(last) = result.upto.get(..result.told).and_then(<[u64]>::last) {
            self.state.told = self.state.told.max(*last);
            self.refusals = 0;
        }
        let Some(failed) = &result.failed else {
            (self.pause, self.not_before) = (first_pause, None);
            if self.state.failing.take().is_some() {
                let text = format!("the target '{name}' is notified again");
                log.report(&Report {
                    severity: Severity::Notice,
                    event: "notify_target",
                    fields: json!({"target": name}),
                    text: &text,
                });
            }
            return;
        };
        if self.state.failing.as_ref() != Some(&failed.why) {
            let text = format!("the target '{name}' can't be notified: {failed}");
            let fields = json!({"target": name, "why": failed.why});
            log.report(&Report { severity: Severity::Warning, event: "notify_target", fields, text: &text });
        }
        self.state.failing = Some(failed.why.clone());
        self.refusals = if failed.is_refused { self.refusals.saturating_add(1) } else { 0 };
        if self.refusals >= MOST_REFUSALS
            && let Some(next) = result.upto.get(result.told)
        {
            // What comes after it is not held up for ever.
            self.state.told = self.state.told.max(*next);
            self.state.passed_over = self.state.passed_over.saturating_add(1);
            self.refusals = 0;
        }
        self.not_before = Instant::now().checked_add(self.pause);
        self.pause = self.pause.saturating_mul(2).min(LONGEST_PAUSE);
    }
}
