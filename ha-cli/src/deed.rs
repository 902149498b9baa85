//! How a verb that changes something does it: what follows is told first, then it is done, then it is waited for.

use std::{
    collections::BTreeMap,
    process::ExitCode,
    time::{Duration, Instant},
};

use clap::Args;
use ha_core::{
    event::Event,
    history::EntryId,
    id::{NodeName, ServiceId},
    status::{Command, LrmStatus, ManagerStatus, NodeState, Readiness, ServiceNote, ServiceState, StateName},
};
use ha_host::{
    desk::{Change, Consequence, Foresight, Present, foresee, span},
    os::signals::StopSignals,
    store::RecordName,
};
use serde_json::{Map, Value, json};

use super::{
    context::{Context, Failure, note, say, say_json},
    progress::Progress,
};

/// How a change is made.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Manner {
    /// Tell what would follow, and change nothing.
    #[arg(long, alias = "dry_run")]
    pub(super) dry_run: bool,
    /// Wait until what follows is done, for at most so many seconds.
    #[arg(
        long,
        value_name = "SECONDS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "300",
        conflicts_with = "dry_run"
    )]
    pub(super) wait: Option<u64>,
    /// As JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// What a verb is about to do.
pub(super) struct Deed<'a> {
    pub(super) context: &'a Context,
    pub(super) manner: &'a Manner,
    /// The cluster as it is before.
    pub(super) present: Present,
    /// As `ha` has it: "rules set".
    pub(super) verb: &'static str,
    /// What it is done to.
    pub(super) object: String,
    /// What it is called once it is done: "queued: migrate vm:100 node2".
    pub(super) done: String,
    /// The change as the history has it, where that says more than what it is called.
    pub(super) change: Option<String>,
    /// What else has to be told.
    pub(super) notes: Vec<String>,
    /// What is waited for beside what follows for services.
    pub(super) goals: Vec<Goal>,
    /// What the command is called that is queued, if one is.
    pub(super) command_id: Option<EntryId>,
    /// The command after which all is as before, to tell what comes back then.
    pub(super) undo: Option<Command>,
}

/// What a verb waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Goal {
    /// The master has taken all commands.
    Taken,
    /// A service is in a state, on a node, or is not looked after.
    Service { sid: ServiceId, node: Option<NodeName>, state: Option<StateName> },
    /// A service runs, wherever.
    Runs { sid: ServiceId },
    /// A service that runs is ready by its probe.
    Ready { sid: ServiceId },
    /// A node is in a state.
    Node { node: NodeName, state: NodeState },
    /// HA is disarmed altogether, or not at all.
    Disarmed(bool),
}

const RUNS: ServiceState = ServiceState::Started { confirmed: true };

impl Goal {
    fn of(consequence: &Consequence) -> Option<Self> {
        let Consequence { sid, steps, node, state, .. } = consequence;
        (!steps.is_empty()).then(|| Self::Service { sid: sid.clone(), node: node.clone(), state: *state })
    }

    /// To go on after "waiting for".
    fn words(&self) -> String {
        match self {
            Self::Taken => "the master to take the command".into(),
            Self::Service { sid, node: Some(node), state: Some(state) } => format!("{sid} to be {state} on {node}"),
            Self::Service { sid, .. } => format!("the master to let go of {sid}"),
            Self::Runs { sid } => format!("{sid} to be started"),
            Self::Ready { sid } => format!("{sid} to be ready"),
            Self::Node { node, state } => format!("{node} to be in state {state}"),
            Self::Disarmed(true) => "HA to be disarmed".into(),
            Self::Disarmed(false) => "HA to be armed".into(),
        }
    }

    fn is_met(&self, seen: &Seen) -> bool {
        let Seen { status, commands_wait, .. } = seen;
        match self {
            Self::Taken => !commands_wait,
            Self::Service { sid, node, state } => match status.services.get(sid) {
                Some(entry) => {
                    let confirmed = entry.state != ServiceState::Started { confirmed: false };
                    Some(&entry.node) == node.as_ref() && Some(entry.state.name()) == *state && confirmed
                }
                None => node.is_none(),
            },
            Self::Runs { sid } => seen.runs(sid),
            Self::Ready { sid } => seen.runs(sid) && seen.note(sid).readiness == Some(Readiness::Ready),
            Self::Node { node, state } => status.node_state(node) == *state,
            Self::Disarmed(true) => status.is_disarmed(),
            Self::Disarmed(false) => status.disarm.is_none() && !commands_wait,
        }
    }

    /// What is so instead.
    fn instead(&self, seen: &Seen) -> String {
        let status = &seen.status;
        match self {
            Self::Ready { sid } if seen.runs(sid) => {
                let note = seen.note(sid);
                let readiness = note.readiness.unwrap_or(Readiness::Starting);
                let reason = note.not_ready.map(|reason| format!(", its probe failed: {reason}")).unwrap_or_default();
                format!("it runs and is {readiness}{reason}")
            }
            Self::Service { sid, .. } | Self::Runs { sid } | Self::Ready { sid } => match status.services.get(sid) {
                Some(entry) => format!("it is in '{}' on {}", entry.state.name(), entry.node),
                None => "the master does not know it".into(),
            },
            Self::Node { node, .. } => format!("it is in state {}", status.node_state(node)),
            Self::Taken => "no master may be at work: see 'ha status'".into(),
            Self::Disarmed(_) => {
                status.disarm.as_ref().map_or("it is armed".into(), |disarm| format!("it is {}", disarm.state))
            }
        }
    }

    /// Whether it is useless to go on waiting.
    fn has_failed(&self, seen: &Seen) -> bool {
        match self {
            // It begins in 'error' where that has to be cleared.
            Self::Service { state: None | Some(StateName::Error | StateName::Stopped), .. } => false,
            Self::Service { sid, .. } | Self::Runs { sid } | Self::Ready { sid } => {
                seen.status.services.get(sid).is_some_and(|entry| entry.state == ServiceState::Error)
            }
            Self::Taken | Self::Node { .. } | Self::Disarmed(_) => false,
        }
    }

    /// The service that is to run by this.
    fn to_run(&self) -> Option<&ServiceId> {
        match self {
            Self::Service { sid, state: Some(StateName::Started), .. } | Self::Runs { sid } => Some(sid),
            Self::Service { .. } | Self::Ready { .. } | Self::Taken | Self::Node { .. } | Self::Disarmed(_) => None,
        }
    }
}

/// Goals, and that what is to run by them is ready, where it has a probe.
fn with_readiness(context: &Context, goals: &[Goal]) -> Result<Vec<Goal>, Failure> {
    let resources = context.stored()?.configuration.resources;
    let has_probe = |sid: &&ServiceId| resources.resources.get(*sid).is_some_and(|resource| resource.probe.is_some());
    let ready = goals.iter().filter_map(Goal::to_run).filter(has_probe).map(|sid| Goal::Ready { sid: sid.clone() });
    Ok(goals.iter().cloned().chain(ready).collect())
}

/// What a wait sees of the cluster.
struct Seen {
    status: ManagerStatus,
    commands_wait: bool,
    /// What the LRMs say of the services that are to be ready.
    notes: BTreeMap<ServiceId, ServiceNote>,
}

impl Seen {
    fn look(context: &Context, goals: &[Goal]) -> Result<Self, Failure> {
        let status = context.manager_status()?;
        let mut notes = BTreeMap::new();
        // Read after the status: a start is confirmed there when the LRM has said so in its record, and it says in the same one what
        // is known of that run.
        for goal in goals {
            let Goal::Ready { sid } = goal else { continue };
            let Some(entry) = status.services.get(sid) else { continue };
            let content = context.store.record(&RecordName::Lrm(entry.node.clone()))?;
            let record = content.and_then(|content| LrmStatus::from_json(&String::from_utf8_lossy(&content)).ok());
            notes.extend(record.and_then(|mut record| record.services.remove(sid)).map(|note| (sid.clone(), note)));
        }
        Ok(Self { status, commands_wait: context.store.commands_waiting()?, notes })
    }

    fn runs(&self, sid: &ServiceId) -> bool {
        self.status.services.get(sid).is_some_and(|entry| entry.state == RUNS)
    }

    fn note(&self, sid: &ServiceId) -> ServiceNote {
        self.notes.get(sid).cloned().unwrap_or_default()
    }
}

impl<'a> Deed<'a> {
    pub(super) fn new(
        context: &'a Context,
        manner: &'a Manner,
        verb: &'static str,
        object: impl ToString,
        done: impl ToString,
    ) -> Result<Self, Failure> {
        Ok(Self {
            context,
            manner,
            present: context.present()?,
            verb,
            object: object.to_string(),
            done: done.to_string(),
            change: None,
            notes: Vec::new(),
            goals: Vec::new(),
            command_id: None,
            undo: None,
        })
    }

    /// Refuses what can't be judged without the manager status.
    pub(super) fn needs_status(&self) -> Result<(), Failure> {
        match self.present.broken.iter().find(|_| self.present.status_is_broken()) {
            Some(broken) => Err(Failure::Failed(broken.problem.clone())),
            None => Ok(()),
        }
    }

    /// Tells what follows from the change, carries it out unless it is only tried, and waits for what follows if that is wanted.
    ///
    /// `judge` gets the events by which the master would answer, and refuses, or gives what has to be told of them.
    pub(super) fn carry_out(
        mut self,
        change: &Change,
        judge: impl Fn(&[Event]) -> Result<Vec<String>, Failure>,
        act: impl FnOnce() -> Result<(), Failure>,
    ) -> Result<ExitCode, Failure> {
        let foresight = foresee(&self.present, change);
        if let Some(foresight) = &foresight {
            self.notes.extend(judge(&foresight.answers)?);
        }
        if !self.manner.dry_run {
            act()?;
            let change = self.change.as_ref().unwrap_or(&self.done);
            self.context.keep_command(self.verb, &self.object, change, self.command_id.clone());
        }
        self.goals.extend(foresight.iter().flat_map(|foresight| &foresight.consequences).filter_map(Goal::of));
        let returns = self.returns(foresight.as_ref());
        if !self.manner.json {
            self.tell(foresight.as_ref(), &returns)?;
        }
        let waited = match (&foresight, self.manner.wait) {
            (None, Some(_)) if self.goals.is_empty() => Err(Failure::Failed(format!(
                "{}; but no master is at work, so that nothing can be waited for: see 'ha status'",
                self.done
            ))),
            (..) => self.wait(),
        };
        if self.manner.json {
            say_json(&self.object(foresight.as_ref(), &returns, waited.as_ref()))?;
        }
        waited.map(|_| ExitCode::SUCCESS)
    }

    /// What comes back when it is undone.
    fn returns(&self, foresight: Option<&Foresight>) -> Vec<Consequence> {
        let undone = foresight.zip(self.undo.clone()).and_then(|(foresight, undo)| foresight.then(undo));
        undone.map(|undone| undone.consequences).unwrap_or_default()
    }

    fn tell(&self, foresight: Option<&Foresight>, returns: &[Consequence]) -> Result<(), Failure> {
        match self.manner.dry_run {
            true => say(format_args!("nothing is changed; it would be {}", self.done))?,
            false => say(&self.done)?,
        }
        self.notes.iter().try_for_each(say)?;
        let Some(foresight) = foresight else {
            note(match self.present.status_is_broken() {
                true => "what follows can't be told: the manager status can't be understood, see 'ha status'",
                false => "no master is at work: it takes effect when there is one",
            });
            return Ok(());
        };
        if self.present.status.master_node.is_some() && !self.present.has_fresh_master() {
            note("the master has not written for a long time: it takes effect when one is at work, see 'ha status'");
        }
        let along = moves_along(&foresight.answers);
        for consequence in &foresight.consequences {
            match along.get(&consequence.sid) {
                Some(with) => say(format_args!("{consequence}, since it must be together with {with}"))?,
                None => say(consequence)?,
            }
        }
        if foresight.consequences.is_empty() {
            say("no service moves, starts or stops because of it")?;
        }
        if !returns.is_empty() {
            say("when that ends:")?;
            returns.iter().try_for_each(|back| say(format_args!("  {back}")))?;
        }
        tell_findings(foresight);
        Ok(())
    }

    fn object(
        &self,
        foresight: Option<&Foresight>,
        returns: &[Consequence],
        waited: Result<&Option<Waited>, &Failure>,
    ) -> Value {
        let mut object = Map::new();
        object.insert("verb".into(), json!(self.verb));
        object.insert("object".into(), json!(self.object));
        object.insert("done".into(), json!(!self.manner.dry_run));
        object.insert("text".into(), json!(self.done));
        let command_id = self.command_id.as_ref().filter(|_| !self.manner.dry_run);
        object.extend(command_id.map(|id| ("command_id".to_owned(), json!(id))));
        object.insert("notes".into(), json!(self.notes));
        object.insert("foreseen".into(), json!(foresight.is_some()));
        object
            .insert("follows".into(), json!(foresight.map(|foresight| &foresight.consequences).unwrap_or(&Vec::new())));
        object.insert("returns".into(), json!(returns));
        object.insert("findings".into(), json!(foresight.map(|foresight| &foresight.findings).unwrap_or(&Vec::new())));
        match waited {
            Ok(None) => {}
            Ok(Some(waited)) => {
                let seconds = waited.took.as_secs_f64();
                object.insert(
                    "waited".into(),
                    json!({"for": waited.words, "bound_s": waited.bound.as_secs(), "took_s": seconds}),
                );
            }
            Err(failure) => drop(object.insert("error".into(), json!(failure.text()))),
        }
        Value::Object(object)
    }

    /// Waits for what follows, if that is wanted.
    fn wait(&self) -> Result<Option<Waited>, Failure> {
        let Some(seconds) = self.manner.wait else { return Ok(None) };
        let bound = Duration::from_secs(seconds);
        if self.goals.is_empty() {
            if !self.manner.json {
                say("there is nothing to wait for")?;
            }
            return Ok(None);
        }
        wait_for(self.context, &self.goals, bound, self.manner.json).map(Some)
    }
}

/// That something was waited for.
pub(super) struct Waited {
    words: Vec<String>,
    bound: Duration,
    took: Duration,
}

/// Waits until all of this is so, and says so. What is waited for, and for how long at most, is told first.
pub(super) fn wait_for(context: &Context, goals: &[Goal], bound: Duration, quietly: bool) -> Result<Waited, Failure> {
    const LOOK_INTERVAL: Duration = Duration::from_millis(50);
    let goals = &with_readiness(context, goals)?;
    let words: Vec<String> = goals.iter().map(Goal::words).collect();
    if !quietly {
        say(format_args!("waiting for {}, {} s at most", words.join(", "), bound.as_secs()))?;
    }
    let signals = StopSignals::catch()?;
    let began = Instant::now();
    let mut progress = Progress::begin();
    loop {
        let seen = Seen::look(context, goals)?;
        let Some(unmet) = goals.iter().find(|goal| !goal.is_met(&seen)) else { break };
        if unmet.has_failed(&seen) {
            let (words, instead) = (unmet.words(), unmet.instead(&seen));
            return Err(Failure::Failed(format!(
                "waited in vain for {words}: {instead}; see 'ha status' for the reason"
            )));
        }
        if began.elapsed() >= bound {
            let (words, instead) = (unmet.words(), unmet.instead(&seen));
            return Err(Failure::Failed(format!("waited {} s in vain for {words}: {instead}", bound.as_secs())));
        }
        progress.tell(|| {
            let met = goals.iter().filter(|goal| goal.is_met(&seen)).count();
            let so_far = if goals.len() > 1 { format!("{met} of {} done, ", goals.len()) } else { String::new() };
            let (seconds, bound) = (began.elapsed().as_secs(), bound.as_secs());
            format!("{seconds} s of {bound}: {so_far}waiting for {}; {}", unmet.words(), unmet.instead(&seen))
        });
        if signals.wait(LOOK_INTERVAL) {
            return Err(Failure::Failed(format!("interrupted while waiting for {}; it goes on", unmet.words())));
        }
    }
    let took = began.elapsed();
    drop(progress);
    if !quietly {
        say(format_args!("done after {}", span(i64::try_from(took.as_secs()).unwrap_or(i64::MAX))))?;
    }
    Ok(Waited { words, bound, took })
}

/// With which service another one moves along.
fn moves_along(answers: &[Event]) -> BTreeMap<&ServiceId, &ServiceId> {
    let along = answers
        .iter()
        .filter_map(|event| if let Event::ComoveQueued { sid, with, .. } = event { Some((sid, with)) } else { None });
    along.collect()
}

/// What the decisions leave out of account, so that nobody takes silence for consent.
pub(super) fn tell_findings(foresight: &Foresight) {
    /// A screen full is enough; `ha check` has all.
    const MOST: usize = 10;
    for finding in foresight.findings.iter().take(MOST) {
        let is_new = foresight.new_findings.contains(finding);
        note(format_args!("{}{finding}", if is_new { "because of this: " } else { "" }));
    }
    if foresight.findings.len() > MOST {
        note(format_args!("{} more findings: see 'ha check'", foresight.findings.len().saturating_sub(MOST)));
    }
}
