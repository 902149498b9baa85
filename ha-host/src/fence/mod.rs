//! Fence devices: runs the programs that `fence.cfg` names, as the programs of `fence-agents` expect it.
//!
//! A program can hang so that not even a kill ends it, on a file system that does not answer or while it is started. So everything
//! that touches programs is done by a thread for each attempt, and the thread that asks only looks at what that has noted.

mod attempt;
mod part;

use std::{collections::BTreeMap, collections::BTreeSet, time::Duration};

use ha_core::{
    config::fence::FenceCommand,
    host::{FenceAttempt, FenceDevices, FenceProgress, HostError},
    id::{NodeName, Uid},
};

use crate::os::cgroup::Containment;
use attempt::Running;

/// How long an attempt that is ended may keep the next one for its node waiting. Then it has been killed for so long that it can do
/// nothing more, even if the kernel still shows it.
const ENDING: Duration = Duration::from_secs(10);

/// Runs fence commands, all parts of a device at once. One that takes too long is killed and counts as failed.
#[derive(Debug)]
pub struct FenceRunner {
    timeout: Duration,
    within: Containment,
    running: BTreeMap<NodeName, Running>,
    /// Attempts that were ended, until nothing of them runs any more.
    ending: BTreeMap<NodeName, Vec<Running>>,
}

impl FenceRunner {
    /// How long commands may take.
    #[must_use]
    pub fn new(timeout: Duration) -> Self {
        Self::within(timeout, Containment::find())
    }

    /// How long commands may take, and how what comes from them is held together.
    #[must_use]
    pub fn within(timeout: Duration, containment: Containment) -> Self {
        Self { timeout, within: containment, running: BTreeMap::new(), ending: BTreeMap::new() }
    }

    /// Ends the attempt for a node, if there is one.
    fn end(&mut self, node: &NodeName) {
        if let Some(mut ended) = self.running.remove(node) {
            ended.end();
            self.ending.entry(node.clone()).or_default().push(ended);
        }
    }

    /// Whether something may still run for the node that was ended.
    fn is_ending(&mut self, node: &NodeName) -> bool {
        let Some(ending) = self.ending.get_mut(node) else { return false };
        ending.retain(|ended| !ended.is_over() && !ended.was_ended_before(ENDING));
        !ending.is_empty()
    }
}

impl FenceDevices for FenceRunner {
    fn run(&mut self, attempt: &FenceAttempt, commands: &[FenceCommand]) -> Result<FenceProgress, HostError> {
        let node = &attempt.node;
        if self.running.get(node).is_some_and(|running| running.attempt != *attempt) {
            self.end(node);
        }
        if !self.running.contains_key(node) {
            if self.is_ending(node) {
                return Ok(FenceProgress::Running);
            }
            let started = Running::start(attempt.clone(), commands, self.timeout, &self.within)?;
            self.running.insert(node.clone(), started);
        }
        let Some(running) = self.running.get(node) else { return Ok(FenceProgress::Failed) };
        let progress = running.progress();
        if !matches!(progress, Ok(FenceProgress::Running)) {
            self.end(node);
        }
        progress
    }

    fn forget_fence_attempts(&mut self, except: &BTreeSet<Uid>) -> Result<(), HostError> {
        let over = self.running.iter().filter(|(_, running)| !except.contains(&running.attempt.incident));
        let over: Vec<NodeName> = over.map(|(node, _)| node.clone()).collect();
        over.iter().for_each(|node| self.end(node));
        Ok(())
    }
}

impl Drop for FenceRunner {
    fn drop(&mut self) {
        self.running.values_mut().for_each(Running::end);
    }
}

#[cfg(test)]
mod tests;
