//! The steps of work on node after node. Each is written down before it is begun, and may be begun again.

use std::{
    collections::BTreeMap,
    process::Child,
    time::{Duration, Instant},
};

use ha_core::{
    id::{NodeName, ServiceId},
    status::{Command, NodeState, ServiceState, StateName},
};
use ha_host::{
    desk::{
        Change, Present, RollingError, RollingLease, RollingStep, RollingWork, boot_of, foresee, is_evacuated,
        rolling_alarms, rolling_doubts, rolling_plan,
    },
    os::{clock, signals::StopSignals},
};

use super::{
    command,
    tell::{Teller, planned},
};
use crate::{
    context::{Context, Failure, who},
    progress::Progress,
};

/// Why the work does not go on.
#[derive(Debug)]
pub(super) enum Stop {
    /// Something is not as it must be.
    Doubt(String),
    /// What came of the command is not known, or it has failed: a person must decide.
    Command(String),
    /// Somebody else has taken over: nothing may be written any more.
    Lost(String),
    /// Nobody reads what is told.
    Closed,
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        if matches!(failure, Failure::Closed) { Self::Closed } else { Self::Doubt(failure.text().to_owned()) }
    }
}

impl From<RollingError> for Stop {
    fn from(error: RollingError) -> Self {
        let is_lost = matches!(error, RollingError::Held { .. });
        if is_lost { Self::Lost(error.to_string()) } else { Self::Doubt(error.to_string()) }
    }
}

/// What a person says of a command whose outcome nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Again,
    Done,
}

/// Who carries the work out.
pub(super) struct Runner<'a> {
    pub(super) context: &'a Context,
    /// The store as it was named, for the command.
    pub(super) store: Option<&'a str>,
    pub(super) own_node: NodeName,
    pub(super) teller: Teller,
    pub(super) signals: StopSignals,
    pub(super) lease: RollingLease,
    pub(super) work: RollingWork,
    pub(super) verdict: Option<Verdict>,
}

impl Runner<'_> {
    /// Goes from step to step until all nodes are done.
    pub(super) fn go_on(&mut self) -> Result<(), Stop> {
        while let Some(node) = self.work.current().cloned() {
            match self.work.step {
                RollingStep::Check => self.check(&node)?,
                RollingStep::Evacuate => self.evacuate(&node)?,
                RollingStep::Run => self.judge_command(&node)?,
                RollingStep::Reboot => self.wait_for_reboot(&node)?,
                RollingStep::Return => self.bring_back(&node)?,
                RollingStep::Finished | RollingStep::Aborted => break,
            }
        }
        Ok(())
    }

    fn write(&mut self, change: impl FnMut(&mut RollingWork)) -> Result<(), Stop> {
        self.work = self.lease.edit(change)?;
        Ok(())
    }

    fn goes_to(&mut self, step: RollingStep) -> Result<(), Stop> {
        self.write(|work| work.goes_to(step, clock::wall()))
    }

    fn check(&mut self, node: &NodeName) -> Result<(), Stop> {
        let present = self.context.present()?;
        let mut doubts = rolling_doubts(&present, &self.own_node);
        let plan = rolling_plan(&present, &self.work, std::slice::from_ref(node)).pop();
        let plan = plan.ok_or_else(|| Stop::Doubt(format!("there is no plan for {node}")))?;
        doubts.extend(plan.doubts.iter().cloned());
        if !doubts.is_empty() {
            return Err(Stop::Doubt(doubts.join("; ")));
        }
        self.teller.step(node, RollingStep::Check, &planned(&plan).join("; "))?;
        let stays = plan.evacuation.map(|evacuation| evacuation.interrupted).unwrap_or_default();
        let boot = boot_of(&present, node);
        self.write(|work| {
            (work.stays, work.boot) = (stays.clone(), boot.clone());
            work.goes_to(RollingStep::Evacuate, clock::wall());
        })?;
        self.context.keep_change("rolling", node.as_str(), &format!("begun: rolling work on {node}"));
        Ok(())
    }

    /// Queues a command unless it is so already. To queue it twice does no harm.
    fn ask_for_maintenance(&self, node: &NodeName, wanted: bool) -> Result<(), Stop> {
        if self.context.manager_status()?.maintenance_requested(node) == wanted {
            return Ok(());
        }
        let node = node.clone();
        let command = match wanted {
            true => Command::EnableNodeMaintenance { node },
            false => Command::DisableNodeMaintenance { node },
        };
        self.lease.check()?;
        let id = self.context.new_id()?;
        self.context.desk.give(&command, &who(), &id).map_err(|error| Stop::Doubt(error.to_string()))
    }

    fn evacuate(&mut self, node: &NodeName) -> Result<(), Stop> {
        self.ask_for_maintenance(node, true)?;
        let work = self.work.clone();
        self.wait(node, "its services to leave", true, |present| is_evacuated(present, &work, node))?;
        match self.work.run.clone() {
            Some(text) => self.run(node, &text),
            None => self.goes_to(RollingStep::Reboot),
        }
    }

    /// Begins the command and waits for its end. That it may have run is written down before.
    fn run(&mut self, node: &NodeName, text: &str) -> Result<(), Stop> {
        self.teller.step(node, RollingStep::Run, &format!("{text} ({} s at most)", self.work.timeout_s))?;
        self.write(|work| {
            work.command = None;
            work.goes_to(RollingStep::Run, clock::wall());
        })?;
        let begun = command::begin(text, node, self.store);
        let mut child = begun.map_err(|error| Stop::Doubt(format!("the command can't be run: {error}")))?;
        let known = command::known(&child);
        self.write(|work| work.command = Some(known.clone()))?;
        match self.ended(&mut child)? {
            None => self.goes_on_after_command(),
            Some(failed) => {
                self.write(|work| {
                    let ended = work.command.as_mut();
                    ended.into_iter().for_each(|command| command.failed = Some(failed.clone()));
                })?;
                Err(Stop::Command(format!("the command for {node} has failed: {failed}")))
            }
        }
    }

    fn goes_on_after_command(&mut self) -> Result<(), Stop> {
        self.goes_to(if self.work.wait_for_reboot { RollingStep::Reboot } else { RollingStep::Return })
    }

    /// How the command has failed; nothing if it has not.
    fn ended(&mut self, child: &mut Child) -> Result<Option<String>, Stop> {
        const INTERVAL: Duration = Duration::from_millis(50);
        let (began, bound) = (Instant::now(), Duration::from_secs(self.work.timeout_s));
        loop {
            let ended = child.try_wait().map_err(|error| Stop::Command(format!("the command is lost: {error}")))?;
            if let Some(status) = ended {
                return Ok((!status.success()).then(|| status.to_string()));
            }
            if began.elapsed() >= bound {
                let text = format!("the command has not ended within {} s, and goes on", bound.as_secs());
                return Err(Stop::Command(text));
            }
            if self.signals.wait(INTERVAL) {
                return Err(Stop::Command("interrupted; the command may go on".to_owned()));
            }
        }
    }

    /// The command was begun by somebody who then died or stopped, or has failed.
    fn judge_command(&mut self, node: &NodeName) -> Result<(), Stop> {
        let known = self.work.command.as_ref();
        if let Some(at_work) = known.filter(|command| command::is_at_work(command)) {
            return Err(Stop::Command(format!("the command for {node} is still at work, as process {}", at_work.pid)));
        }
        match self.verdict.take() {
            Some(Verdict::Done) => self.goes_on_after_command(),
            // The node is looked at again before it runs.
            Some(Verdict::Again) => self.goes_to(RollingStep::Evacuate),
            None => Err(Stop::Command(match known.and_then(|command| command.failed.as_ref()) {
                Some(failed) => format!("the command for {node} has failed: {failed}"),
                None => format!("the command for {node} may have run, or may run still: nobody knows what came of it"),
            })),
        }
    }

    fn wait_for_reboot(&mut self, node: &NodeName) -> Result<(), Stop> {
        let before = self.work.boot.clone();
        self.wait(node, "it to be restarted", true, |present| {
            let boot = boot_of(present, node);
            if boot.is_some() && boot != before { Ok(()) } else { Err("it has not been restarted".to_owned()) }
        })?;
        self.goes_to(RollingStep::Return)
    }

    fn bring_back(&mut self, node: &NodeName) -> Result<(), Stop> {
        self.end_maintenance(node)?;
        let (own_node, returning) = (self.own_node.clone(), self.work.returning.clone().unwrap_or_default());
        self.wait(node, "it to be online and its services to be back", true, |present| {
            let doubts = rolling_doubts(present, &own_node);
            if doubts.is_empty() { are_back(present, node, &returning) } else { Err(doubts.join("; ")) }
        })?;
        self.teller.tell(node, "done", "it is online, and all that is to run runs")?;
        self.write(|work| work.node_is_done(clock::wall()))?;
        self.context.keep_change("rolling", node.as_str(), &format!("done: rolling work on {node}"));
        Ok(())
    }

    /// Notes where services are to be then, and asks for the end of the maintenance.
    pub(super) fn end_maintenance(&mut self, node: &NodeName) -> Result<(), Stop> {
        if self.work.returning.is_none() {
            // A node that was restarted may be late.
            self.wait(node, "its daemon to work", false, |present| {
                let is_there = present.has_fresh_master() && present.is_there(node);
                if is_there { Ok(()) } else { Err(format!("it is in state {}", present.status.node_state(node))) }
            })?;
            let returning = places_then(&self.context.present()?, node);
            self.write(|work| work.returning = Some(returning.clone()))?;
        }
        self.ask_for_maintenance(node, false)
    }

    /// Waits until it is so; `met` says what is so instead. With `stops_at_alarms` no other node may be lost and no service may fail
    /// meanwhile: that is not waited out.
    pub(super) fn wait(
        &mut self,
        node: &NodeName,
        what: &str,
        stops_at_alarms: bool,
        met: impl Fn(&Present) -> Result<(), String>,
    ) -> Result<(), Stop> {
        const INTERVAL: Duration = Duration::from_millis(100);
        let (began, bound) = (Instant::now(), Duration::from_secs(self.work.timeout_s));
        let text = format!("waiting for {what}, {} s at most", bound.as_secs());
        self.teller.step(node, self.work.step, &text)?;
        let mut progress = Progress::begin();
        loop {
            let instead = match self.context.present() {
                Ok(present) => {
                    let Err(instead) = met(&present) else { return Ok(()) };
                    let alarms =
                        if stops_at_alarms { rolling_alarms(&present, &self.own_node, node) } else { Vec::new() };
                    if !alarms.is_empty() {
                        return Err(Stop::Doubt(alarms.join("; ")));
                    }
                    instead
                }
                // It may answer again in a moment.
                Err(failure) => failure.text().to_owned(),
            };
            if began.elapsed() >= bound {
                let seconds = bound.as_secs();
                return Err(Stop::Doubt(format!("waited {seconds} s in vain on {node} for {what}: {instead}")));
            }
            progress.tell(|| format!("{} s of {}: {instead}", began.elapsed().as_secs(), bound.as_secs()));
            if self.signals.wait(INTERVAL) {
                return Err(Stop::Doubt(format!("interrupted while waiting on {node} for {what}")));
            }
        }
    }
}

/// Where the services that come back are when the maintenance of a node is over.
fn places_then(present: &Present, node: &NodeName) -> BTreeMap<ServiceId, NodeName> {
    let commands = vec![Command::DisableNodeMaintenance { node: node.clone() }];
    let foresight = foresee(present, &Change { commands, ..Change::default() });
    let follows = foresight.map(|foresight| foresight.consequences).unwrap_or_default();
    let started = follows.into_iter().filter(|follows| follows.state == Some(StateName::Started));
    started.filter_map(|follows| Some((follows.sid, follows.node?))).collect()
}

/// Whether a node is online and these services run where they are to be, as far as they are still there.
fn are_back(present: &Present, node: &NodeName, places: &BTreeMap<ServiceId, NodeName>) -> Result<(), String> {
    let status = &present.status;
    if status.maintenance_requested(node) || status.node_state(node) != NodeState::Online {
        return Err(format!("it is in state {}", status.node_state(node)));
    }
    let runs = ServiceState::Started { confirmed: true };
    let away = places.iter().find(|(sid, place)| {
        status.services.get(sid).is_some_and(|entry| entry.node != **place || entry.state != runs)
    });
    match away {
        Some((sid, place)) => Err(format!("{sid} does not run on {place} yet")),
        None => Ok(()),
    }
}
