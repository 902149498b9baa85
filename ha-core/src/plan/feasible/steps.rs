//! The moves from the present placement to another one, one after another or some at once.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::ToString,
    vec,
    vec::Vec,
};
use core::fmt;

use serde::{Deserialize, Serialize};

use super::{
    answer::{FeasibleQuestion, Part},
    model::{Known, Model},
    route::{Blockade, Board, Hop, Journey, Route},
};
use crate::{
    id::{NodeName, ServiceId},
    placement::PlacementError,
    plan::{RoundsToCome, Situation, moves::Move, settled::Settled},
};

/// How moves are made.
#[derive(Debug, Clone, PartialEq)]
pub struct StepsQuestion {
    /// Which nodes there are, and what counts.
    pub within: FeasibleQuestion,
    /// How many moves a node may take part in at once, 1 at the least.
    pub at_once: usize,
}

impl Default for StepsQuestion {
    fn default() -> Self {
        Self { within: FeasibleQuestion::default(), at_once: 1 }
    }
}

/// How to get from the present placement to another one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "way", rename_all = "snake_case")]
pub enum Steps {
    /// By these moves. At every moment all strict rules and capacities are kept, as far as they are kept now.
    Found {
        /// Moves that may be made at once, then the next, and so on.
        waves: Vec<Vec<Move>>,
        /// How many bytes of memory are moved with them, of the services that have figures.
        bytes: u64,
        /// Whether it is known that no other moves would move fewer bytes.
        is_shortest: bool,
    },
    /// The other placement does not keep these.
    TargetBreaks {
        /// The rules and capacities.
        parts: Vec<Part>,
    },
    /// No way was found.
    Stuck {
        /// Services that keep one another from where they have to go: the next of the list is in the way of each, and the first in that of
        /// the last, if they go in a circle.
        blocked: Vec<Blocked>,
        /// Whether there is none, also none with stops on other nodes. Otherwise there may be one that was not found in so many steps.
        is_proven: bool,
    },
}

/// Services that can't go to a node, since others are there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocked {
    /// The services, which must be together if there are several.
    pub services: Vec<ServiceId>,
    /// The node.
    pub to: NodeName,
    /// Those that are in the way.
    pub by: Vec<ServiceId>,
}

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |sids: &[ServiceId]| sids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        write!(f, "{} to {}: ", names(&self.services), self.to)?;
        if self.by.is_empty() { f.write_str("no room") } else { write!(f, "{} in the way", names(&self.by)) }
    }
}

impl RoundsToCome {
    /// The moves to these places, once what is under way has settled: see [`Situation::steps`].
    ///
    /// # Errors
    ///
    /// If there is no such service, or no such node that may have one.
    pub fn steps(self, to: &BTreeMap<ServiceId, NodeName>, question: &StepsQuestion) -> Result<Steps, PlacementError> {
        Settled::of(self).situation().steps(to, question)
    }
}

impl Situation<'_> {
    /// The moves from where services are to these places, so that every strict rule and capacity is kept at each moment: a service that moves
    /// takes room on both nodes. Services that are not named stay where they are.
    ///
    /// The fewest bytes are moved where that can be found; where services are in each other's way one stops over on another node.
    ///
    /// # Errors
    ///
    /// If there is no such service, or no such node that may have one.
    pub fn steps(&self, to: &BTreeMap<ServiceId, NodeName>, question: &StepsQuestion) -> Result<Steps, PlacementError> {
        let Situation { status, configuration, members, usage, unmanaged } = *self;
        let model = Model::new(Known { status, configuration, members, usage, unmanaged }, &question.within);
        let known = |sid: &&ServiceId| configuration.resources.resources.contains_key(*sid);
        if let Some(unknown) = to.keys().find(|sid| !known(sid)) {
            return Err(PlacementError::NoSuchService(unknown.clone()));
        }
        if let Some(unknown) = to.values().find(|node| !model.nodes.contains(node)) {
            return Err(PlacementError::NoSuchNode(unknown.clone()));
        }
        let targets = model.targets(to);
        let is_nowhere = |(_, target): &((ServiceId, Option<NodeName>), &Option<usize>)| target.is_none();
        if let Some(((sid, at), _)) = model.present().zip(&targets).find(is_nowhere) {
            return Err(at.map_or(PlacementError::NoSuchService(sid), PlacementError::NoSuchNode));
        }
        let parts = model.broken_by(&targets);
        if !parts.is_empty() {
            return Ok(Steps::TargetBreaks { parts });
        }
        let all: Vec<usize> = (0..model.parts()).collect();
        let (instance, item_of) = model.instance(&all);
        let mut target = vec![0; instance.items.len()];
        for (item, node) in item_of.iter().zip(&targets) {
            if let (Some(slot), Some(node)) = (target.get_mut(*item), node) {
                *slot = *node;
            }
        }
        let journey = Journey::new(&instance, model.beginnings(&item_of, instance.items.len()), target);
        let mut left = question.within.most_steps;
        Ok(match journey.route(&mut left) {
            Route::Found { hops, is_shortest } => {
                let (waves, bytes) = told(&model, &item_of, waves(&journey, &hops, question.at_once));
                Steps::Found { waves, bytes, is_shortest }
            }
            Route::Stuck { blocked, is_proven } => {
                let name = |blockade: Blockade| {
                    let to = journey.target.get(blockade.item).and_then(|node| model.nodes.get(*node))?.clone();
                    let by = blockade.by.iter().flat_map(|item| model.services_of(&item_of, *item)).collect();
                    Some(Blocked { services: model.services_of(&item_of, blockade.item), to, by })
                };
                Steps::Stuck { blocked: blocked.into_iter().filter_map(name).collect(), is_proven }
            }
        })
    }
}

/// Moves in their order, as many at once as neither get into each other's way nor are too many for a node.
fn waves(journey: &Journey<'_>, hops: &[Hop], at_once: usize) -> Vec<Vec<Hop>> {
    let mut waves: Vec<Vec<Hop>> = Vec::new();
    let mut board = Board::at_first(journey);
    let mut busy = board.clone();
    let mut moves_of: BTreeMap<usize, usize> = BTreeMap::new();
    let mut moving: BTreeSet<usize> = BTreeSet::new();
    for &hop in hops {
        let nodes: BTreeSet<usize> = board.nodes_of(hop.item).into_iter().chain([hop.to]).collect();
        let is_free = |node: &usize| moves_of.get(node).is_none_or(|count| *count < at_once);
        if !(nodes.iter().all(is_free) && !moving.contains(&hop.item) && busy.may_go(hop.item, hop.to))
            || waves.is_empty()
        {
            waves.push(Vec::new());
            (busy, moves_of, moving) = (board.clone(), BTreeMap::new(), BTreeSet::new());
        }
        for node in nodes {
            let count = moves_of.entry(node).or_default();
            *count = count.saturating_add(1);
        }
        moving.insert(hop.item);
        busy.go_on_both(hop.item, hop.to);
        board.go(hop.item, hop.to);
        if let Some(wave) = waves.last_mut() {
            wave.push(hop);
        }
    }
    waves
}

/// The same in the services' names, and the bytes that are moved.
fn told(model: &Model, item_of: &[usize], waves: Vec<Vec<Hop>>) -> (Vec<Vec<Move>>, u64) {
    let mut now: BTreeMap<ServiceId, Option<NodeName>> = model.present().collect();
    let mut bytes = 0_u64;
    let mut told = Vec::new();
    for wave in waves {
        let mut moves = Vec::new();
        for hop in wave {
            let Some(to) = model.nodes.get(hop.to) else { continue };
            for sid in model.services_of(item_of, hop.item) {
                let Some(at) = now.get_mut(&sid).filter(|at| at.as_ref() != Some(to)) else { continue };
                bytes = bytes.saturating_add(model.bytes_of(&sid));
                let from = at.replace(to.clone());
                moves.push(Move { sid, from, to: to.clone() });
            }
        }
        told.push(moves);
    }
    (told, bytes)
}
