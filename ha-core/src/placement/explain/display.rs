//! Explanations in sentences, for people.

use core::fmt;

use super::{Change, Explanation, Fate, Figure};
use crate::{
    id::FailureDomain,
    placement::{Balance, BalanceOutcome, Decider, Preference},
};

/// Shows names as `a, b`.
struct List<'a, T>(&'a [T]);

impl<T: fmt::Display> fmt::Display for List<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{name}")?;
        }
        Ok(())
    }
}

/// Shows the rules behind something as ` (rule a, b)`, or nothing.
struct ByRules<'a, T>(&'a [T]);

impl<T: fmt::Display> fmt::Display for ByRules<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => Ok(()),
            [rule] => write!(f, " (rule {rule})"),
            rules => write!(f, " (rules {})", List(rules)),
        }
    }
}

/// Shows a failure domain as ` in rack-a`.
struct In<'a>(&'a Option<FailureDomain>);

impl fmt::Display for In<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |domain| write!(f, " in {domain}"))
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Candidate => f.write_str("possible"),
            Self::NotOnline { state } => write!(f, "not online: {state}"),
            Self::NotAllowed { rule } => write!(f, "not allowed by rule {rule}"),
            Self::LowerPriority { rule, priority, preferred } => {
                write!(f, "priority {priority} in rule {rule}, which prefers {preferred}")
            }
            Self::FailedBefore => f.write_str("its start failed there"),
            Self::BackTooShortly { left } => {
                write!(f, "came back lately: it goes back there in {left} s if that stays well (failback-delay)")
            }
            Self::Held { left } => {
                write!(f, "fenced again and again: it takes no new services for {left} s (flapping_hold)")
            }
            Self::KeptApart { from, rules, domain } => {
                write!(f, "kept apart from {}{}{}", List(from), In(domain), ByRules(rules))
            }
            Self::RatherApart { from, rules, domain } => {
                write!(f, "rather apart from {}{}{}", List(from), In(domain), ByRules(rules))
            }
            Self::KeptTogether { with, on, rules } => {
                write!(f, "kept together with {} on {on}{}", List(with), ByRules(rules))
            }
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Services(1) => f.pad("1 service"),
            Self::Services(count) => f.pad(&alloc::format!("{count} services")),
            Self::Score(score) => f.pad(&alloc::format!("score {score:.4}")),
        }
    }
}

impl fmt::Display for Explanation {
    /// The answer and what decided, in one sentence.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sid, node, .. } = self;
        let Some(answer) = &self.answer else {
            return match self.decided_by {
                Decider::NothingAllowed => write!(f, "there is no node for {sid}: its rules allow no online node"),
                Decider::NoFailback
                | Decider::MaintenanceNode
                | Decider::Stay
                | Decider::LowestLoad
                | Decider::NextInOrder
                | Decider::NothingLeft => write!(f, "there is no node for {sid}: all are left out"),
            };
        };
        if answer == node {
            write!(f, "{sid} stays on {answer}")?;
        } else {
            write!(f, "{sid} goes from {node} to {answer}")?;
        }
        match self.decided_by {
            Decider::NoFailback => f.write_str(": it is allowed there, and does not fail back"),
            Decider::MaintenanceNode => f.write_str(": it left that node for maintenance"),
            Decider::Stay => f.write_str(": nothing stands against it"),
            Decider::LowestLoad => f.write_str(": of the nodes that are left it suits best"),
            Decider::NextInOrder => f.write_str(": it comes next in the order of load"),
            Decider::NothingAllowed | Decider::NothingLeft => Ok(()),
        }?;
        match &self.gave_way {
            Some(rule) => {
                write!(f, "; rule {rule} gives way, since what must be kept apart uses the nodes that it prefers")
            }
            None => Ok(()),
        }?;
        match &*self.shares_with {
            [] => Ok(()),
            with => {
                let by = ByRules(&self.shares_by);
                write!(f, "; it shares that with {}, from which it should rather be apart{by}", List(with))
            }
        }?;
        match self.held {
            Some(left) => {
                write!(f, "; that takes no new services for {left} s (flapping_hold), but there is no way around it")
            }
            None => Ok(()),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NodeOnline { node, state } => write!(f, "node {node} would have to be online (it is {state})"),
            Self::PreferNode { rule, node, priority } => {
                write!(f, "rule {rule} would have to name node {node} with priority {priority}")
            }
            Self::ForgetFailure { node } => write!(f, "its failed start on {node} would have to be forgotten"),
            Self::WellForLonger { node, seconds } => {
                write!(f, "node {node} would have to have been well for another {seconds} s (failback-delay)")
            }
            Self::Leave { node, services, domain } => {
                let place = domain.as_ref().map_or(node.as_str(), FailureDomain::as_str);
                write!(f, "{} would have to leave {place} or be stopped", List(services))
            }
            Self::Join { node, services } => write!(f, "{} would have to run on {node}", List(services)),
            Self::ClearFencings { node } => {
                write!(f, "node {node} would have to take new services again ('ha clear-fencings {node}')")
            }
            Self::Failback => f.write_str("it would have to fail back"),
            Self::ForgetMaintenanceNode { node } => {
                write!(f, "it would have to forget that it left {node} for maintenance")
            }
            Self::AskForBest => {
                write!(f, "the best node would have to be asked for ({})", Preference::BestScore)
            }
            Self::BetterFigure { node, now, than, ahead } => {
                let come = if ahead.len() == 1 { "comes" } else { "come" };
                write!(f, "node {node} ({now}) would have to suit better than {than}: {} {come} first", List(ahead))
            }
        }
    }
}

impl fmt::Display for Balance {
    /// What is done, or why nothing is, in one sentence.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let imbalance = self.imbalance.unwrap_or(0.0);
        let Self { threshold, margin, .. } = self;
        match &self.outcome {
            BalanceOutcome::Off => f.write_str("nothing is moved: automatic balancing is off"),
            BalanceOutcome::Disarmed => f.write_str("nothing is moved: HA is disarmed"),
            BalanceOutcome::NotMeasured => {
                f.write_str("nothing is moved: services are only counted, so imbalance is not known")
            }
            BalanceOutcome::Moving { sid } => write!(f, "nothing is moved: {sid} is moving"),
            BalanceOutcome::Balanced => {
                write!(f, "nothing is moved: the imbalance of {imbalance:.4} is not above {threshold}")
            }
            BalanceOutcome::Holding { rounds, hold_duration } => write!(
                f,
                "nothing is moved yet: the imbalance of {imbalance:.4} is above {threshold} in round {rounds} of {hold_duration}"
            ),
            BalanceOutcome::NoCandidate => write!(
                f,
                "nothing is moved: the imbalance of {imbalance:.4} is above {threshold}, but no service can be moved"
            ),
            BalanceOutcome::BelowMargin => {
                let gain = self.candidates.first().map_or(0.0, |best| best.gain);
                write!(f, "nothing is moved: the best move takes away {gain:.4} of the imbalance, less than {margin}")
            }
            BalanceOutcome::Move => {
                let Some(best) = self.candidates.first() else { return Ok(()) };
                let expected = best.imbalance;
                write!(
                    f,
                    "{} is moved from {} to {}: the imbalance goes from {imbalance:.4} to {expected:.4}",
                    best.leader, best.from, best.target
                )
            }
        }
    }
}
