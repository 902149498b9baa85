//! Fence devices, which do as they are told by whoever controls the world.

use std::collections::{BTreeMap, BTreeSet};

use ha_core::{
    config::fence::FenceCommand,
    host::{FenceAttempt, FenceProgress},
    id::{NodeName, Uid},
    time::Instant,
};

use super::{ClusterEvent, What, World};
use crate::words::words;

/// What a fence device does when it is asked to turn a node off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceBehaviour {
    /// It does so.
    #[default]
    Works,
    /// It says that it can't.
    Fails,
    /// It does not answer, until that counts as failed.
    Hangs,
    /// It turns the node off as fast as one that works, and says so only just before that would count as failed.
    Late,
    /// It turns the node off, and says so, only just before that would count as failed.
    Slow,
}

words! {
    DeviceBehaviour:
    Works = "works",
    Fails = "fails",
    Hangs = "hangs",
    Late = "late",
    Slow = "slow",
}

/// The devices that are at work, by the node whose CRM asked and the attempt.
#[derive(Debug, Clone, Default)]
pub(super) struct FenceRuns(BTreeMap<(NodeName, FenceAttempt), FenceRun>);

#[derive(Debug, Clone, Copy)]
struct FenceRun {
    /// When it acts, or fails to.
    due: Instant,
    /// When it answers.
    answers: Instant,
    works: bool,
    ended: bool,
}

impl FenceRuns {
    /// A node lost its power: the programs that ran there are gone.
    pub(super) fn drop_of(&mut self, asker: &NodeName) {
        self.0.retain(|(node, _), _| node != asker);
    }

    /// Ends what a node asked for in all incidents but these.
    pub(super) fn forget(&mut self, asker: &NodeName, except: &BTreeSet<Uid>) {
        self.0.retain(|(node, attempt), _| node != asker || except.contains(&attempt.incident));
    }
}

impl World {
    /// Starts the commands of a device, or says how far they have come. The outcome is told once.
    pub(super) fn run_fence_device(
        &mut self,
        asker: &NodeName,
        attempt: &FenceAttempt,
        commands: &[FenceCommand],
    ) -> FenceProgress {
        let key = (asker.clone(), attempt.clone());
        match self.fence_runs.0.get(&key).copied() {
            None => {
                let run = self.begin_fencing(commands);
                self.fence_runs.0.retain(|(node, other), _| node != asker || other.node != attempt.node);
                self.fence_runs.0.insert(key, run);
                FenceProgress::Running
            }
            Some(run) if !run.ended || self.time < run.answers => FenceProgress::Running,
            Some(run) => {
                self.fence_runs.0.remove(&key);
                if run.works { FenceProgress::Succeeded } else { FenceProgress::Failed }
            }
        }
    }

    /// Ends what the CRM of a node asked of fence devices, in all incidents but these.
    pub(super) fn forget_fence_attempts(&mut self, asker: &NodeName, except: &BTreeSet<Uid>) {
        self.fence_runs.forget(asker, except);
    }

    /// All commands of a device run at once; one that does not work spoils it.
    fn begin_fencing(&self, commands: &[FenceCommand]) -> FenceRun {
        let behaviour = |command: &FenceCommand| {
            // One part of a device can be told apart from the others by its number.
            let part = format!("{}:{}", command.device, command.part);
            self.devices.get(&part).or_else(|| self.devices.get(&command.device)).copied().unwrap_or_default()
        };
        let any = |wanted| commands.iter().any(|command| behaviour(command) == wanted);
        let (acts, answers) = (self.physics.fencing, self.physics.fencing_timeout);
        let (acts, answers, works) = if any(DeviceBehaviour::Fails) {
            (acts, acts, false)
        } else if any(DeviceBehaviour::Hangs) {
            (answers, answers, false)
        } else if any(DeviceBehaviour::Late) {
            (acts, answers, true)
        } else if any(DeviceBehaviour::Slow) {
            (answers, answers, true)
        } else {
            (acts, acts, true)
        };
        FenceRun { due: self.time.after(acts), answers: self.time.after(answers), works, ended: false }
    }

    /// When the first device that is at work ends.
    #[must_use]
    pub fn next_fence_end(&self) -> Option<Instant> {
        self.fence_runs.0.values().filter(|run| !run.ended).map(|run| run.due).min()
    }

    /// Ends the devices that are due by now. Gives the attempts by which nodes lose their power, each with the node whose CRM asked.
    pub fn end_due_fencing(&mut self) -> Vec<(NodeName, FenceAttempt)> {
        let mut cut = Vec::new();
        for ((asker, attempt), run) in &mut self.fence_runs.0 {
            if !run.ended && run.due <= self.time {
                run.ended = true;
                if run.works {
                    cut.push((asker.clone(), attempt.clone()));
                }
            }
        }
        for (_, FenceAttempt { node, .. }) in &cut {
            self.note(self.time, "hardware", What::Cluster(ClusterEvent::PowerCut { node: node.clone() }));
        }
        cut
    }
}
