//! Automatic balancing: at most one move a round, of services that belong together.

mod bundles;
mod imbalance;
mod rank;
mod targets;

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{Placement, load::Load};
use crate::{
    config::datacenter::{BalanceMethod, SchedulerConfig},
    id::{NodeName, ServiceId},
    status::{Motion, QueuedCommand, ServiceEntry, ServiceState, ServiceTable},
};
pub(crate) use bundles::Immovable;
use rank::{Candidate, Ranking};

/// For how many rounds in a row the imbalance has been above the threshold. The master keeps it from round to round; a new
/// one begins at 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BalanceHold {
    rounds: u32,
}

/// How balancing came out, and what it looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Balance {
    /// What is done, or why nothing is.
    pub outcome: BalanceOutcome,
    /// The imbalance of the nodes, if it was taken.
    pub imbalance: Option<f64>,
    /// The imbalance above which there is something to do.
    pub threshold: f64,
    /// The part of the imbalance that a move must take away.
    pub margin: f64,
    /// How moves are ranked.
    pub method: BalanceMethod,
    /// The best moves that there are, the best first; as many as were asked for.
    pub candidates: Vec<BalanceMove>,
}

/// What balancing does, or why it does nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum BalanceOutcome {
    /// Automatic balancing is not switched on.
    Off,
    /// HA is disarmed, or being disarmed.
    Disarmed,
    /// Services are only counted: the scheduler is `basic`, or has to do without figures.
    NotMeasured,
    /// A service is moving, or waits to be moved.
    Moving {
        /// The first such service.
        sid: ServiceId,
    },
    /// The imbalance is not above the threshold.
    Balanced,
    /// The imbalance has not been above the threshold for long enough yet.
    Holding {
        /// For how many rounds it has.
        rounds: u32,
        /// For how many it must have.
        hold_duration: u32,
    },
    /// There is no service that can be moved.
    NoCandidate,
    /// The best move takes away too little of the imbalance.
    BelowMargin,
    /// The first of the candidates is carried out.
    Move,
}

/// A move that would balance the nodes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BalanceMove {
    /// The first service by SID of those that move.
    pub leader: ServiceId,
    /// How it moves.
    pub motion: Motion,
    /// All services that move, the leader first.
    pub services: Vec<ServiceId>,
    /// Where they are.
    pub from: NodeName,
    /// Where they go.
    pub target: NodeName,
    /// The imbalance after the move.
    pub imbalance: f64,
    /// The part of the imbalance that it takes away; negative if it makes things worse.
    pub gain: f64,
    /// With the method `topsis`, what moves are ranked by: 0 to 1, the higher, the better.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
}

impl Balance {
    /// The move that will be carried out.
    #[must_use]
    pub fn chosen(&self) -> Option<&BalanceMove> {
        self.candidates.first().filter(|_| self.outcome == BalanceOutcome::Move)
    }

    pub(crate) fn nothing(config: &SchedulerConfig, outcome: BalanceOutcome) -> Self {
        let SchedulerConfig { threshold, margin, method, .. } = *config;
        Self { outcome, imbalance: None, threshold, margin, method, candidates: Vec::new() }
    }
}

impl Placement {
    /// Looks for a move that balances the nodes.
    ///
    /// A round looks at candidates only if it comes to that, and at no more than the best one. To explain balancing, `explain`
    /// of them are named in any case. A service that may not be moved holds all that must be together with it.
    pub(crate) fn balance(
        &self,
        services: &ServiceTable,
        config: &SchedulerConfig,
        may_move: &dyn Fn(usize) -> bool,
        hold: &mut BalanceHold,
        explain: usize,
    ) -> Balance {
        let nothing = |outcome| Balance::nothing(config, outcome);
        if !config.auto_rebalance {
            return nothing(BalanceOutcome::Off);
        }
        let load = match &self.load {
            Load::Basic(_) => return nothing(BalanceOutcome::NotMeasured),
            Load::Usage(load) => load,
        };
        if let Some((sid, _)) = services.iter().find(|(_, entry)| is_moving(entry)) {
            return nothing(BalanceOutcome::Moving { sid: sid.clone() });
        }
        let ranking = Ranking::new(self, load, config.scale);
        let imbalance = ranking.imbalance();
        let stopped = hold.check(imbalance, config);
        let mut candidates = Vec::new();
        if stopped.is_none() || explain > 0 {
            let best = ranking.best(&self.bundles(services, load, may_move), config.method, explain.max(1));
            candidates.extend(best.iter().filter_map(|candidate| self.describe(candidate, services, imbalance)));
        }
        let outcome = stopped.unwrap_or_else(|| match candidates.first() {
            None => BalanceOutcome::NoCandidate,
            Some(best) if best.gain < config.margin => BalanceOutcome::BelowMargin,
            Some(_) => BalanceOutcome::Move,
        });
        Balance { imbalance: Some(imbalance), candidates, ..nothing(outcome) }
    }

    fn describe(&self, candidate: &Candidate, services: &ServiceTable, imbalance: f64) -> Option<BalanceMove> {
        let sid = |service: usize| services.at(service).map(|(sid, _)| sid.clone());
        let leader = sid(candidate.bundle.leader)?;
        Some(BalanceMove {
            motion: Motion::usual_for(&leader),
            services: self.bundled(&candidate.bundle, services).filter_map(sid).collect(),
            leader,
            from: self.node(candidate.bundle.source)?.clone(),
            target: self.node(candidate.target)?.clone(),
            imbalance: candidate.imbalance,
            gain: if imbalance > 0.0 { (imbalance - candidate.imbalance) / imbalance } else { 0.0 },
            score: candidate.score,
        })
    }
}

impl BalanceHold {
    /// After this number of rounds in a row with an imbalance above the threshold.
    #[must_use]
    pub const fn after(rounds: u32) -> Self {
        Self { rounds }
    }

    /// The number of those rounds.
    #[must_use]
    pub const fn rounds(self) -> u32 {
        self.rounds
    }

    /// Counts this round, and says why nothing is done if nothing is.
    fn check(&mut self, imbalance: f64, config: &SchedulerConfig) -> Option<BalanceOutcome> {
        if imbalance <= config.threshold {
            self.rounds = 0;
            return Some(BalanceOutcome::Balanced);
        }
        self.rounds = self.rounds.saturating_add(1);
        if self.rounds < config.hold_duration {
            return Some(BalanceOutcome::Holding { rounds: self.rounds, hold_duration: config.hold_duration });
        }
        self.rounds = 0;
        None
    }
}

/// Whether a service moves, or waits to be moved.
fn is_moving(entry: &ServiceEntry) -> bool {
    let commanded = entry.command.as_deref().is_some_and(|command| matches!(command, QueuedCommand::Move { .. }));
    commanded || matches!(entry.state, ServiceState::Migrate { .. } | ServiceState::Relocate { .. })
}
