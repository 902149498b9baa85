//! Playing a scenario.

use ha_core::time::Instant;

use super::{Scenario, Step, StepKind, condition::Condition};
use crate::{
    cluster::{Action, Cluster, RanTwice},
    history::{self, History},
    world::{ClusterEvent, Happening, What},
};

/// Something that did not go as the scenario says.
///
/// Displays as `line 7: at 90 s expected …, but …`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: at {} s {message}", at.since_start().as_secs_f64())]
pub struct Failure {
    /// The line of the scenario, from 1.
    pub line: usize,
    /// When.
    pub at: Instant,
    /// What was expected, and what is the case instead.
    pub message: String,
}

/// What there is to report while a scenario is played.
#[derive(Debug, Clone, Copy)]
pub enum Played<'a> {
    /// Something happened.
    Happening(&'a Happening),
    /// Something did not go as the scenario says.
    Failure(&'a Failure),
}

/// How a scenario ended.
#[derive(Debug)]
pub struct Outcome {
    /// The cluster at the end.
    pub cluster: Cluster,
    /// All that did not go as the scenario says.
    pub failures: Vec<Failure>,
    /// A service ran on two nodes: the scenario ended then.
    pub ran_twice: Option<RanTwice>,
}

impl Outcome {
    /// Whether all went as the scenario says, and no service ran on two nodes.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.failures.is_empty() && self.ran_twice.is_none()
    }
}

/// An expectation that is looked at after each step.
struct Watch {
    line: usize,
    until: Instant,
    condition: Condition,
    /// Whether it must hold once, or all the time.
    once: bool,
}

struct Player<'a> {
    cluster: Cluster,
    watches: Vec<Watch>,
    failures: Vec<Failure>,
    reported: usize,
    report: &'a mut dyn FnMut(Played<'_>),
}

/// Plays a scenario to its end, and reports what happens as it happens.
pub fn play(scenario: Scenario, report: &mut dyn FnMut(Played<'_>)) -> Outcome {
    if let (Some(history), Some(hunted)) = (scenario.history(), &scenario.hunted) {
        return play_history(&history, hunted.line, report);
    }
    let Scenario { setup, steps, end, .. } = scenario;
    let mut player =
        Player { cluster: Cluster::new(setup), watches: Vec::new(), failures: Vec::new(), reported: 0, report };
    let ran_twice = player.play(steps, end).err();
    player.report_happenings();
    Outcome { cluster: player.cluster, failures: player.failures, ran_twice }
}

/// Plays what the hunt found, as the hunt does: it fails if an invariant does not hold.
fn play_history(history: &History, line: usize, report: &mut dyn FnMut(Played<'_>)) -> Outcome {
    let history::Judged { breach, cluster, .. } = history::run(history);
    for happening in cluster.happenings_since(0) {
        report(Played::Happening(happening));
    }
    let failures = breach.map(|breach| Failure { line, at: breach.at, message: breach.broken() });
    let failures: Vec<Failure> = failures.into_iter().collect();
    for failure in &failures {
        report(Played::Failure(failure));
    }
    Outcome { cluster, failures, ran_twice: None }
}

/// How the actions of a line are reported: `text` is the line as it was written.
pub(super) fn event(actions: &[Action], text: String) -> ClusterEvent {
    match actions {
        [Action::Say(said)] => ClusterEvent::Said { text: said.clone() },
        _ => ClusterEvent::Execute { command: text },
    }
}

impl Player<'_> {
    fn play(&mut self, steps: Vec<Step>, end: Instant) -> Result<(), RanTwice> {
        let (at_end, timed): (Vec<Step>, Vec<Step>) =
            steps.into_iter().partition(|step| matches!(step.kind, StepKind::AtEnd(_)));
        for step in timed {
            self.advance(step.at)?;
            self.step(step)?;
        }
        self.advance(end)?;
        self.end_watches(Instant::after_start(std::time::Duration::MAX));
        for step in at_end {
            self.step(step)?;
        }
        Ok(())
    }

    /// Lets everything happen up to and at a moment.
    fn advance(&mut self, to: Instant) -> Result<(), RanTwice> {
        while let Some(due) = self.cluster.next_due().filter(|due| *due <= to) {
            self.end_watches(due);
            self.cluster.step()?;
            self.report_happenings();
            self.look();
        }
        self.end_watches(to);
        self.cluster.run_until(to)
    }

    fn step(&mut self, step: Step) -> Result<(), RanTwice> {
        match step.kind {
            StepKind::Act { text, actions } => {
                let now = self.cluster.now().instant;
                self.cluster.note(now, "scenario", What::Cluster(event(&actions, text)));
                match actions.iter().try_for_each(|action| action.act(&mut self.cluster)) {
                    Ok(()) => {}
                    Err(crate::cluster::ActionError::RanTwice(ran_twice)) => return Err(ran_twice),
                    Err(error) => self.fail(step.line, format!("this can't be done: {error}")),
                }
                self.report_happenings();
                self.look();
            }
            StepKind::Now(condition) | StepKind::AtEnd(condition) => self.expect(step.line, &condition),
            StepKind::By { until, condition } => {
                self.watches.push(Watch { line: step.line, until, condition, once: true });
                self.look();
            }
            StepKind::Throughout { until, condition } => {
                self.watches.push(Watch { line: step.line, until, condition, once: false });
                self.look();
            }
        }
        Ok(())
    }

    fn expect(&mut self, line: usize, condition: &Condition) {
        if !condition.holds(&self.cluster) {
            self.fail(line, format!("expected {}, but {}", condition.text, condition.instead(&self.cluster)));
        }
    }

    /// Looks at everything that is watched. What is decided is no longer watched.
    fn look(&mut self) {
        for watch in std::mem::take(&mut self.watches) {
            match (watch.condition.holds(&self.cluster), watch.once) {
                (true, true) => {}
                (false, false) => self.expect(watch.line, &watch.condition),
                (true, false) | (false, true) => self.watches.push(watch),
            }
        }
    }

    /// Ends the watches whose time is over before a moment.
    fn end_watches(&mut self, moment: Instant) {
        for watch in std::mem::take(&mut self.watches) {
            if watch.until >= moment {
                self.watches.push(watch);
            } else if watch.once {
                let limit = watch.until.since_start().as_secs_f64();
                let instead = watch.condition.instead(&self.cluster);
                self.fail(watch.line, format!("expected {} by {limit} s, but {instead}", watch.condition.text));
            }
        }
    }

    fn fail(&mut self, line: usize, message: String) {
        self.report_happenings();
        let failure = Failure { line, at: self.cluster.now().instant, message };
        (self.report)(Played::Failure(&failure));
        self.failures.push(failure);
    }

    fn report_happenings(&mut self) {
        for happening in self.cluster.happenings_since(self.reported) {
            (self.report)(Played::Happening(happening));
        }
        self.reported = self.cluster.mark();
    }
}
