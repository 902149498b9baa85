//! Fence devices, which do as they are told by whoever controls the world.

use std::collections::BTreeMap;

use ha_core::{config::fence::FenceCommand, host::FenceProgress, id::NodeName, time::Instant};

use super::{ClusterEvent, What, World};

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
}

/// The devices that are at work, by node and attempt.
#[derive(Debug, Clone, Default)]
pub(super) struct FenceRuns(BTreeMap<(NodeName, u32), FenceRun>);

#[derive(Debug, Clone, Copy)]
struct FenceRun {
    /// When it ends.
    due: Instant,
    works: bool,
    ended: bool,
}

impl FenceRuns {
    pub(super) fn forget(&mut self, node: &NodeName) {
        self.0.retain(|(fenced, _), _| fenced != node);
    }
}

impl World {
    /// Starts the commands of a device, or says how far they have come. The outcome is told once.
    pub(super) fn run_fence_device(
        &mut self,
        node: &NodeName,
        attempt: u32,
        commands: &[FenceCommand],
    ) -> FenceProgress {
        let key = (node.clone(), attempt);
        match self.fence_runs.0.get(&key).copied() {
            None => {
                let run = self.begin_fencing(commands);
                self.fence_runs.0.insert(key, run);
                FenceProgress::Running
            }
            Some(run) if !run.ended => FenceProgress::Running,
            Some(run) => {
                self.fence_runs.0.remove(&key);
                if run.works { FenceProgress::Succeeded } else { FenceProgress::Failed }
            }
        }
    }

    /// All commands of a device run at once; one that does not work spoils it.
    fn begin_fencing(&self, commands: &[FenceCommand]) -> FenceRun {
        let behaviour = |command: &FenceCommand| {
            // One part of a device can be told apart from the others by its number.
            let part = format!("{}:{}", command.device, command.part);
            self.devices.get(&part).or_else(|| self.devices.get(&command.device)).copied().unwrap_or_default()
        };
        let any = |wanted| commands.iter().any(|command| behaviour(command) == wanted);
        let (time, works) = if any(DeviceBehaviour::Fails) {
            (self.physics.fencing, false)
        } else if any(DeviceBehaviour::Hangs) {
            (self.physics.fencing_timeout, false)
        } else {
            (self.physics.fencing, true)
        };
        FenceRun { due: self.time.after(time), works, ended: false }
    }

    /// When the first device that is at work ends.
    #[must_use]
    pub fn next_fence_end(&self) -> Option<Instant> {
        self.fence_runs.0.values().filter(|run| !run.ended).map(|run| run.due).min()
    }

    /// Ends the devices that are due by now. Gives the nodes that lose their power by it.
    pub fn end_due_fencing(&mut self) -> Vec<NodeName> {
        let mut cut = Vec::new();
        for ((node, _), run) in &mut self.fence_runs.0 {
            if !run.ended && run.due <= self.time {
                run.ended = true;
                if run.works {
                    cut.push(node.clone());
                }
            }
        }
        for node in &cut {
            self.note(self.time, "hardware", What::Cluster(ClusterEvent::PowerCut { node: node.clone() }));
        }
        cut
    }
}
