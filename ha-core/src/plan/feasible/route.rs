//! From one placement to another by single moves, each of which keeps what the instance asks.

use alloc::{
    collections::{BTreeMap, BTreeSet, BinaryHeap},
    vec,
    vec::Vec,
};
use core::cmp::Reverse;

use super::instance::{Amounts, Clique, Instance, RESOURCES, UNBOUNDED};

/// Where an item is at first: the part of it on each node, and how many bytes these are. Nothing of it may be on any.
#[derive(Debug, Clone, Default)]
pub(super) struct Beginning {
    pub(super) parts: BTreeMap<usize, (Amounts, u64)>,
    /// How many services it is made of, and their bytes.
    pub(super) services: usize,
    pub(super) bytes: u64,
    /// The node that it is on as a whole.
    pub(super) whole_on: Option<usize>,
}

/// From where to where.
pub(super) struct Journey<'a> {
    pub(super) instance: &'a Instance,
    pub(super) beginning: Vec<Beginning>,
    pub(super) target: Vec<usize>,
    cliques_of: Vec<Vec<usize>>,
}

/// One item goes to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hop {
    pub(super) item: usize,
    pub(super) to: usize,
}

/// An item that can't go where it has to, since others are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Blockade {
    pub(super) item: usize,
    pub(super) by: Vec<usize>,
}

pub(super) enum Route {
    /// These moves one after another; whether no others move fewer bytes.
    Found { hops: Vec<Hop>, is_shortest: bool },
    /// None was found; whether all there could be were looked at.
    Stuck { blocked: Vec<Blockade>, is_proven: bool },
}

impl<'a> Journey<'a> {
    pub(super) fn new(instance: &'a Instance, beginning: Vec<Beginning>, target: Vec<usize>) -> Self {
        Self { cliques_of: instance.cliques_of(), instance, beginning, target }
    }

    /// Looks for moves that go straight to where each item has to be, which are the shortest; if there are none, for others with stops
    /// on the way. `steps` is how many positions may be looked at, and then how many of them are left.
    pub(super) fn route(&self, steps: &mut u64) -> Route {
        let straight = self.straight(steps);
        if let Ok(hops) = straight {
            return Route::Found { hops, is_shortest: true };
        }
        let movers: Vec<usize> =
            (0..self.target.len()).filter(|item| !self.is_there(*item, self.first(*item))).collect();
        let all: Vec<usize> = (0..self.target.len()).collect();
        /// With more items than these only those are moved that have to be.
        const FEW: usize = 12;
        let is_small = all.len() <= FEW;
        match self.with_stops(if is_small { &all } else { &movers }, steps) {
            Some(Some(hops)) => Route::Found { hops, is_shortest: is_small },
            outcome => {
                let stuck = straight.err().unwrap_or_else(|| self.at_first());
                Route::Stuck { blocked: self.circle(&stuck), is_proven: is_small && outcome.is_some() }
            }
        }
    }

    /// How many steps it takes to look at where all items are: many take as much time as several positions of few.
    fn price(&self) -> u64 {
        const ITEMS_OF_A_STEP: usize = 16;
        u64::try_from(self.target.len().div_ceil(ITEMS_OF_A_STEP)).unwrap_or(u64::MAX)
    }

    /// The position of an item at first: the node that it is on as a whole, or nothing.
    fn first(&self, item: usize) -> Option<usize> {
        self.beginning.get(item).and_then(|beginning| beginning.whole_on)
    }

    fn at_first(&self) -> Vec<Option<usize>> {
        (0..self.target.len()).map(|item| self.first(item)).collect()
    }

    fn is_there(&self, item: usize, at: Option<usize>) -> bool {
        at.is_some() && self.target.get(item).copied() == at
    }

    /// Straight moves in an order in which each is possible, or a position from which none is.
    fn straight(&self, steps: &mut u64) -> Result<Vec<Hop>, Vec<Option<usize>>> {
        let mut board = Board::new(self, self.at_first());
        let mut hops: Vec<Hop> = Vec::new();
        let mut dead: BTreeSet<Vec<Option<usize>>> = BTreeSet::new();
        let mut stuck: Option<Vec<Option<usize>>> = None;
        // The first item that may be tried next, by depth.
        let mut next = vec![0_usize];
        loop {
            let waiting = |item: &usize| !self.is_there(*item, board.at(*item));
            if (0..self.target.len()).all(|item| !waiting(&item)) {
                return Ok(hops);
            }
            let from = next.last().copied().unwrap_or_default();
            let possible =
                |item: &usize| waiting(item) && self.target.get(*item).is_some_and(|to| board.may_go(*item, *to));
            let found = (from..self.target.len()).find(possible);
            if let Some(item) = found {
                let Some(left) = steps.checked_sub(self.price()) else { return Err(stuck.unwrap_or(board.places)) };
                *steps = left;
                let Some(&to) = self.target.get(item) else { return Err(board.places) };
                if let Some(next) = next.last_mut() {
                    *next = item.saturating_add(1);
                }
                let before = board.places.clone();
                board.go(item, to);
                if dead.contains(&board.places) {
                    board = Board::new(self, before);
                } else {
                    hops.push(Hop { item, to });
                    next.push(0);
                }
                continue;
            }
            stuck.get_or_insert_with(|| board.places.clone());
            dead.insert(board.places.clone());
            next.pop();
            if hops.pop().is_none() {
                return Err(stuck.unwrap_or(board.places));
            }
            let mut places = self.at_first();
            for hop in &hops {
                if let Some(place) = places.get_mut(hop.item) {
                    *place = Some(hop.to);
                }
            }
            board = Board::new(self, places);
        }
    }

    /// The moves of these items that move the fewest bytes, and of those the fewest moves: A*, by what each has to move at the least.
    /// `None` inside if there are none, outside if they were not found in time.
    fn with_stops(&self, items: &[usize], steps: &mut u64) -> Option<Option<Vec<Hop>>> {
        let first = self.at_first();
        let mut known: BTreeMap<Vec<Option<usize>>, Cost> = BTreeMap::new();
        let begin = Position { before: None, hop: None, places: first.clone(), cost: Cost::default() };
        let mut came = vec![begin];
        let mut open = BinaryHeap::new();
        open.push(Reverse((self.left(&first), 0_usize)));
        known.insert(first, Cost::default());
        while let Some(Reverse((_, number))) = open.pop() {
            let Some(Position { places, cost, .. }) = came.get(number).cloned() else { continue };
            if known.get(&places).is_some_and(|best| *best < cost) {
                continue;
            }
            if places.iter().enumerate().all(|(item, at)| self.is_there(item, *at)) {
                return Some(Some(way_to(&came, number)));
            }
            let board = Board::new(self, places.clone());
            for &item in items {
                for to in self.instance.items.get(item).into_iter().flat_map(|item| item.open.iter()) {
                    if board.at(item) == Some(to) || !board.may_go(item, to) {
                        continue;
                    }
                    let mut then = places.clone();
                    let Some(place) = then.get_mut(item) else { continue };
                    *place = Some(to);
                    let then_cost = cost.and(self.cost(item, board.at(item), to));
                    if known.get(&then).is_none_or(|best| then_cost < *best) {
                        *steps = steps.checked_sub(self.price())?;
                        open.push(Reverse((then_cost.and(self.left(&then)), came.len())));
                        known.insert(then.clone(), then_cost);
                        let (before, hop) = (Some(number), Some(Hop { item, to }));
                        came.push(Position { before, hop, places: then, cost: then_cost });
                    }
                }
            }
        }
        Some(None)
    }

    fn cost(&self, item: usize, at: Option<usize>, to: usize) -> Cost {
        let beginning = self.beginning.get(item);
        let bytes = beginning.map_or(0, |beginning| beginning.bytes);
        // Of an item that is not as a whole on one node some may be there already.
        let there = beginning.filter(|_| at.is_none()).and_then(|beginning| beginning.parts.get(&to));
        Cost { bytes: u128::from(bytes.saturating_sub(there.map_or(0, |(_, bytes)| *bytes))), moves: 1 }
    }

    /// What has to be moved at the least.
    fn left(&self, places: &[Option<usize>]) -> Cost {
        let costs = places.iter().zip(&self.target).enumerate().filter(|(_, (at, to))| **at != Some(**to));
        costs.map(|(item, (at, to))| self.cost(item, *at, *to)).fold(Cost::default(), Cost::and)
    }

    /// Items of which each is in the way of the one before, and the first in that of the last; or, where that does not go in a circle, up to
    /// one that nothing which has to move is in the way of.
    fn circle(&self, places: &[Option<usize>]) -> Vec<Blockade> {
        let board = Board::new(self, places.to_vec());
        let waiting = |item: usize| !self.is_there(item, board.at(item));
        let mut chain: Vec<Blockade> = Vec::new();
        let mut now = (0..self.target.len()).find(|item| waiting(*item));
        while let Some(item) = now {
            if let Some(begin) = chain.iter().position(|blockade| blockade.item == item) {
                return chain.split_off(begin);
            }
            let Some(&to) = self.target.get(item) else { break };
            let by = board.in_the_way(item, to);
            now = by.iter().copied().find(|other| waiting(*other));
            chain.push(Blockade { item, by });
        }
        chain
    }
}

/// Where all items can be, and by which move from which other position.
#[derive(Clone)]
struct Position {
    before: Option<usize>,
    hop: Option<Hop>,
    places: Vec<Option<usize>>,
    cost: Cost,
}

fn way_to(came: &[Position], end: usize) -> Vec<Hop> {
    let mut hops = Vec::new();
    let mut now = Some(end);
    while let Some(position) = now.and_then(|number| came.get(number)) {
        hops.extend(position.hop);
        now = position.before;
    }
    hops.reverse();
    hops
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Cost {
    bytes: u128,
    moves: u64,
}

impl Cost {
    fn and(self, more: Self) -> Self {
        Self { bytes: self.bytes.saturating_add(more.bytes), moves: self.moves.saturating_add(more.moves) }
    }
}

/// Where all items are, and what they use there.
#[derive(Clone)]
pub(super) struct Board<'a> {
    journey: &'a Journey<'a>,
    places: Vec<Option<usize>>,
    used: Vec<Amounts>,
    /// The items on each node, also those of which only a part is.
    on: Vec<BTreeSet<usize>>,
}

impl<'a> Board<'a> {
    fn new(journey: &'a Journey<'a>, places: Vec<Option<usize>>) -> Self {
        let nodes = journey.instance.room.len();
        let mut board =
            Self { journey, places: Vec::new(), used: vec![[0; RESOURCES]; nodes], on: vec![BTreeSet::new(); nodes] };
        for (item, place) in places.iter().enumerate() {
            board.note(item, *place, u64::saturating_add);
        }
        board.places = places;
        board
    }

    pub(super) fn at_first(journey: &'a Journey<'a>) -> Self {
        Self::new(journey, journey.at_first())
    }

    fn at(&self, item: usize) -> Option<usize> {
        self.places.get(item).copied().flatten()
    }

    /// Adds what an item uses, or takes it away.
    fn note(&mut self, item: usize, place: Option<usize>, with: fn(u64, u64) -> u64) {
        for (node, amounts) in self.uses(item, place) {
            for (used, amount) in self.used.get_mut(node).into_iter().flatten().zip(amounts) {
                *used = with(*used, amount);
            }
            if let Some(on) = self.on.get_mut(node)
                && !on.remove(&item)
            {
                on.insert(item);
            }
        }
    }

    fn uses(&self, item: usize, place: Option<usize>) -> Vec<(usize, Amounts)> {
        match (place, self.journey.instance.items.get(item), self.journey.beginning.get(item)) {
            (Some(node), Some(item), _) => vec![(node, item.sizes)],
            (None, _, Some(beginning)) => {
                beginning.parts.iter().map(|(node, (amounts, _))| (*node, *amounts)).collect()
            }
            (_, _, _) => Vec::new(),
        }
    }

    /// Whether an item can go to a node with all else as it is.
    pub(super) fn may_go(&self, item: usize, to: usize) -> bool {
        let Some(wanted) = self.journey.instance.items.get(item) else { return false };
        let has_room = || {
            let own = self.uses(item, self.at(item)).into_iter().find(|(node, _)| *node == to);
            let own = own.map_or([0; RESOURCES], |(_, amounts)| amounts);
            let rooms = self.journey.instance.room.get(to).into_iter().flatten();
            let used = self.used.get(to).into_iter().flatten();
            rooms.zip(used).zip(wanted.sizes.iter().zip(own)).all(|((room, used), (size, own))| {
                *room == UNBOUNDED || *size <= own || used.saturating_sub(own).saturating_add(*size) <= *room
            })
        };
        wanted.open.contains(to) && self.kept_apart(item, to).next().is_none() && has_room()
    }

    /// The items on a node, or in its failure domain, that must be apart from one.
    fn kept_apart(&self, item: usize, node: usize) -> impl Iterator<Item = usize> + '_ {
        let cliques = self.journey.cliques_of.get(item).into_iter().flatten();
        let cliques = cliques.filter_map(|clique| self.journey.instance.cliques.get(*clique));
        let is_on = move |other: usize, node: usize| self.on.get(node).is_some_and(|on| on.contains(&other));
        let is_there = move |clique: &Clique, other: usize| {
            is_on(other, node)
                || (clique.by_domain && self.journey.instance.domain(node).any(|node| is_on(other, node)))
        };
        cliques.flat_map(move |clique| {
            let others = clique.items.iter().copied().filter(move |other| *other != item);
            others.filter(move |other| is_there(clique, *other))
        })
    }

    /// What keeps an item from a node: those that must be apart from it, or, if there are none, all that take its room.
    fn in_the_way(&self, item: usize, to: usize) -> Vec<usize> {
        let apart: BTreeSet<usize> = self.kept_apart(item, to).collect();
        let on = || self.on.get(to).into_iter().flatten().copied().filter(|other| *other != item);
        if apart.is_empty() { on().collect() } else { apart.into_iter().collect() }
    }

    /// The nodes that an item uses.
    pub(super) fn nodes_of(&self, item: usize) -> Vec<usize> {
        self.uses(item, self.at(item)).into_iter().map(|(node, _)| node).collect()
    }

    /// Lets an item use a node beside where it is.
    pub(super) fn go_on_both(&mut self, item: usize, to: usize) {
        self.note(item, Some(to), u64::saturating_add);
    }

    /// Lets an item be on a node, and no more where it was.
    pub(super) fn go(&mut self, item: usize, to: usize) {
        self.note(item, self.at(item), u64::saturating_sub);
        self.note(item, Some(to), u64::saturating_add);
        if let Some(place) = self.places.get_mut(item) {
            *place = Some(to);
        }
    }
}
