//! A scenario that people watch, and reach into.

use std::collections::VecDeque;

use ha_core::time::Instant;

use super::{
    Problem, Scenario, Step, StepKind, action, play,
    words::{Names, Words, split},
};
use crate::{
    cluster::{Action, ActionError, Cluster, RanTwice},
    world::{ClusterEvent, What},
};

/// A scenario while it is played: what it says is done in its time, and whatever else anybody does comes in between.
///
/// What it expects is not looked at, since that holds only as long as nobody reaches in. It goes on when its last line is done.
///
/// ```
/// use ha_core::time::Instant;
/// use ha_sim::scenario::{LiveScenario, Scenario};
///
/// let text = "nodes node1 node2 node3\nguest vm:100 on node1\nat 2m say now it comes\nuntil 9m\n";
/// let scenario = Scenario::parse("example", text, &[("resources.cfg", "vm: 100\n")])?;
/// let mut live = LiveScenario::new(scenario)?;
/// live.advance(Instant::after_start(std::time::Duration::from_secs(60)))?;
/// live.act("power off node1")?;
/// live.advance(Instant::after_start(std::time::Duration::from_secs(300)))?;
/// assert_ne!(live.cluster().guest_node(&"vm:100".parse()?).map(|node| node.as_str()), Some("node1"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct LiveScenario {
    cluster: Cluster,
    names: Names,
    steps: VecDeque<(Instant, String, Vec<Action>)>,
    end: Instant,
}

/// Why something can't be done in a scenario that goes on.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LiveError {
    /// The line can't be understood. Its column counts from 1.
    #[error("column {}: {}", .0.column, .0.message)]
    Unknown(Problem),
    /// It can't be done as things are.
    #[error(transparent)]
    Action(#[from] ActionError),
}

/// A history that the hunt found: it is judged as a whole, and means nothing once somebody has reached in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is a history that 'ha-sim chaos' found; see it with 'ha-sim run'")]
pub struct IsHunted;

impl LiveScenario {
    /// The scenario at its beginning.
    ///
    /// # Errors
    ///
    /// If it is a history that the hunt found.
    pub fn new(scenario: Scenario) -> Result<Self, IsHunted> {
        let Scenario { setup, steps, end, hunted, .. } = scenario;
        if hunted.is_some() {
            return Err(IsHunted);
        }
        let names = Names {
            nodes: setup.nodes.keys().cloned().collect(),
            services: setup.resources.resources.keys().chain(setup.guests.keys()).cloned().collect(),
            ..Names::default()
        };
        let done = |Step { at, kind, .. }: Step| match kind {
            StepKind::Act { text, actions } => Some((at, text, actions)),
            StepKind::Now(_) | StepKind::By { .. } | StepKind::Throughout { .. } | StepKind::AtEnd(_) => None,
        };
        Ok(Self { cluster: Cluster::new(setup), names, steps: steps.into_iter().filter_map(done).collect(), end })
    }

    /// The cluster as it is now.
    #[must_use]
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// The same, for what has no line of a scenario.
    pub fn cluster_mut(&mut self) -> &mut Cluster {
        &mut self.cluster
    }

    /// When the scenario is over. The cluster goes on.
    #[must_use]
    pub fn end(&self) -> Instant {
        self.end
    }

    /// What the scenario does next, as it is written, and when.
    #[must_use]
    pub fn next_step(&self) -> Option<(Instant, &str)> {
        self.steps.front().map(|(at, text, _)| (*at, text.as_str()))
    }

    /// Lets everything happen up to and at a moment, which is then the present. What the scenario does and can't be done as things are,
    /// after somebody has reached in, is told as something that is said.
    ///
    /// # Errors
    ///
    /// If a service runs on two nodes.
    pub fn advance(&mut self, to: Instant) -> Result<(), RanTwice> {
        while let Some((at, text, actions)) = self.next_due(to) {
            self.cluster.run_until(at)?;
            match self.carry_out(&text, &actions) {
                Ok(()) => {}
                Err(ActionError::RanTwice(ran_twice)) => return Err(ran_twice),
                Err(error) => self.note(ClusterEvent::Said { text: format!("this can't be done: {error}") }),
            }
        }
        self.cluster.run_until(to)
    }

    fn next_due(&mut self, to: Instant) -> Option<(Instant, String, Vec<Action>)> {
        let is_due = self.steps.front().is_some_and(|(at, ..)| *at <= to);
        if is_due { self.steps.pop_front() } else { None }
    }

    /// Does at once what a line of a scenario says after its time: `power off node1`.
    ///
    /// # Errors
    ///
    /// If the line can't be understood, or what it says can't be done.
    pub fn act(&mut self, line: &str) -> Result<(), LiveError> {
        let words = split(line, 1).map_err(LiveError::Unknown)?;
        let actions = action::read(&mut Words::new(words, 1, &self.names)).map_err(LiveError::Unknown)?;
        self.names.services.extend(actions.iter().filter_map(|action| action.new_service().cloned()));
        Ok(self.carry_out(line, &actions)?)
    }

    fn carry_out(&mut self, text: &str, actions: &[Action]) -> Result<(), ActionError> {
        self.note(play::event(actions, text.to_owned()));
        actions.iter().try_for_each(|action| action.act(&mut self.cluster))
    }

    fn note(&mut self, event: ClusterEvent) {
        let now = self.cluster.now().instant;
        self.cluster.note(now, "scenario", What::Cluster(event));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may panic")]

    use std::time::Duration;

    use super::*;

    fn live() -> LiveScenario {
        let text =
            "nodes node1 node2 node3\nguest vm:100 on node1\nat 1m power off node3\nat 2m power off node1\nuntil 9m\n";
        LiveScenario::new(Scenario::parse("test", text, &[("resources.cfg", "vm: 100\n")]).unwrap()).unwrap()
    }

    fn seconds(seconds: u64) -> Instant {
        Instant::after_start(Duration::from_secs(seconds))
    }

    fn has_power(live: &LiveScenario, node: &str) -> bool {
        live.cluster().world().nodes.get(node).unwrap().power
    }

    #[test]
    fn what_is_done_comes_in_between_what_the_scenario_says() {
        let mut live = live();
        live.advance(seconds(90)).unwrap();
        assert!(!has_power(&live, "node3") && has_power(&live, "node1"), "only what is due by now");
        assert_eq!(live.next_step(), Some((seconds(120), "power off node1")));
        live.act("power on node3").unwrap();
        live.advance(seconds(300)).unwrap();
        assert!(has_power(&live, "node3") && !has_power(&live, "node1"));
        assert_eq!(live.next_step(), None);
    }

    #[test]
    fn what_can_not_be_done_says_why_and_changes_nothing() {
        let mut live = live();
        let unknown = live.act("power off node9").unwrap_err();
        assert!(matches!(&unknown, LiveError::Unknown(problem) if problem.column == 11), "{unknown}");
        assert!(matches!(live.act("pover off node1"), Err(LiveError::Unknown(_))));
        live.advance(seconds(90)).unwrap();
        assert!(matches!(live.act("kill lrm on node3"), Err(LiveError::Action(ActionError::NotRunning { .. }))));
        assert!(has_power(&live, "node1"));
    }
}
