//! Branch and bound: items are given nodes one after another, and what that leaves open to the others is followed at once.

use alloc::{collections::BTreeMap, vec, vec::Vec};
use core::cmp::Reverse;

use super::{
    bounds::{are_too_large, have_a_node_each},
    instance::{Amounts, Instance, RESOURCES, UNBOUNDED},
};
use crate::placement::NodeSet;

/// How a search ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The node of each item.
    Placed(Vec<usize>),
    /// There is no placement: all that there could be was looked at.
    Refuted,
    /// It took more steps than were left.
    OutOfSteps,
}

/// Looks for a node for each item. `steps` is how many choices may be made, and then how many of them are left.
pub(super) fn search(instance: &Instance, steps: &mut u64) -> Outcome {
    /// Dead ends after which the first attempt begins again with what it learnt. Each later one may have half as many more, so that
    /// one of them comes to an end.
    const PATIENCE: u64 = 64;
    let structure = Structure::of(instance);
    let mut search = Search::new(&structure);
    if !search.begin() {
        return Outcome::Refuted;
    }
    let mut patience = PATIENCE;
    for manner in [Manner::Keeping, Manner::Packing, Manner::Spreading].into_iter().cycle() {
        match search.attempt(manner, patience, steps) {
            Some(outcome) => return outcome,
            None => patience = patience.saturating_add(patience / 2),
        }
    }
    Outcome::OutOfSteps
}

/// In which order items and nodes are tried. Each manner finds in no time what another may look for without end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// The most constrained items first, where they are now if they can.
    Keeping,
    /// The largest items first, on the fullest nodes.
    Packing,
    /// The most constrained items first, on the emptiest nodes.
    Spreading,
}

/// What does not change in a search.
struct Structure<'a> {
    instance: &'a Instance,
    cliques_of: Vec<Vec<usize>>,
    /// For each resource the items that need some of it, the largest first.
    by_size: [Vec<usize>; RESOURCES],
    /// For each item its size as a part of the largest room, in thousandths: of the resource of which it is the largest part.
    bulk: Vec<u64>,
    /// For each node the number of those that are equal to it in all that an instance says.
    class_of_node: Vec<usize>,
    /// For each item all that are equal to it, itself included.
    equals: Vec<Vec<usize>>,
    class_of_item: Vec<usize>,
    nodes: Vec<usize>,
    /// For each node all that fail together with it, itself included.
    domains: Vec<Vec<usize>>,
}

impl<'a> Structure<'a> {
    fn of(instance: &'a Instance) -> Self {
        let items = instance.items.len();
        let cliques_of = instance.cliques_of();
        let by_size = core::array::from_fn(|resource| {
            let mut sized: Vec<usize> = (0..items).filter(|item| instance.size(*item, resource) > 0).collect();
            sized.sort_by_key(|item| Reverse(instance.size(*item, resource)));
            sized
        });
        let (class_of_item, equals) = equal_items(instance, &cliques_of);
        let (bulk, class_of_node) = (bulks(instance), equal_nodes(instance));
        let nodes: Vec<usize> = (0..instance.room.len()).collect();
        let domains = nodes.iter().map(|node| instance.domain(*node).collect()).collect();
        Self { instance, cliques_of, by_size, bulk, class_of_node, equals, class_of_item, nodes, domains }
    }

    fn cliques_of(&self, item: usize) -> &[usize] {
        self.cliques_of.get(item).map_or(&[], Vec::as_slice)
    }

    fn clique(&self, clique: usize) -> &[usize] {
        self.instance.cliques.get(clique).map_or(&[], |clique| clique.items.as_slice())
    }

    fn is_by_domain(&self, clique: usize) -> bool {
        self.instance.cliques.get(clique).is_some_and(|clique| clique.by_domain)
    }

    /// All nodes that are closed to the others of a clique if one of it is on a node.
    fn place(&self, clique: usize, node: usize) -> &[usize] {
        if self.is_by_domain(clique) {
            self.domains.get(node).map_or(&[], Vec::as_slice)
        } else {
            self.nodes.get(node..=node).unwrap_or_default()
        }
    }

    fn bulk(&self, item: usize) -> u64 {
        self.bulk.get(item).copied().unwrap_or_default()
    }
}

fn bulks(instance: &Instance) -> Vec<u64> {
    let bounded = |resource: usize| {
        let rooms = instance.room.iter().filter_map(move |room| room.get(resource)).copied();
        rooms.filter(|room| *room != UNBOUNDED).max()
    };
    let largest: [Option<u64>; RESOURCES] = core::array::from_fn(bounded);
    let bulk = |item: usize| {
        let parts = largest
            .iter()
            .enumerate()
            .filter_map(|(resource, largest)| Some(thousandths(instance.size(item, resource), (*largest)?)));
        parts.max().unwrap_or_default()
    };
    (0..instance.items.len()).map(bulk).collect()
}

fn thousandths(part: u64, whole: u64) -> u64 {
    let thousandths = u128::from(part).saturating_mul(1000).checked_div(u128::from(whole));
    thousandths.and_then(|thousandths| u64::try_from(thousandths).ok()).unwrap_or(u64::MAX)
}

/// Items of one size, with the same nodes and apart from the same: exchanged, they make no difference.
fn equal_items(instance: &Instance, cliques_of: &[Vec<usize>]) -> (Vec<usize>, Vec<Vec<usize>>) {
    let mut classes: BTreeMap<(&NodeSet, Amounts, &[usize]), usize> = BTreeMap::new();
    let mut members: Vec<Vec<usize>> = Vec::new();
    let mut class_of = Vec::new();
    for (number, (item, cliques)) in instance.items.iter().zip(cliques_of).enumerate() {
        let key = (&item.open, item.sizes, cliques.as_slice());
        let class = *classes.entry(key).or_insert(members.len());
        match members.get_mut(class) {
            Some(members) => members.push(number),
            None => members.push(vec![number]),
        }
        class_of.push(class);
    }
    (class_of, members)
}

/// Nodes with the same room that are open to the same items, and in one domain if that counts.
fn equal_nodes(instance: &Instance) -> Vec<usize> {
    let domains_count = instance.cliques.iter().any(|clique| clique.by_domain);
    let mut sets: Vec<&NodeSet> = instance.items.iter().map(|item| &item.open).collect();
    sets.sort_unstable();
    sets.dedup();
    let mut classes: BTreeMap<(Vec<bool>, Amounts, Option<usize>), usize> = BTreeMap::new();
    let class = |(node, room): (usize, &Amounts)| {
        let open_to = sets.iter().map(|set| set.contains(node)).collect();
        let domain = instance.domain_of.get(node).copied().filter(|_| domains_count);
        let next = classes.len();
        *classes.entry((open_to, *room, domain)).or_insert(next)
    };
    instance.room.iter().enumerate().map(class).collect()
}

/// What is changed, to be undone.
#[derive(Debug, Clone, Copy)]
enum Change {
    Closed { item: usize, node: usize },
    Placed { item: usize, node: usize },
}

/// A choice that was made, and how many changes came before it.
struct Choice {
    item: usize,
    node: usize,
    before: usize,
}

struct Search<'a> {
    structure: &'a Structure<'a>,
    /// The nodes that are still open to each item, and how many these are.
    open: Vec<NodeSet>,
    choices: Vec<usize>,
    place: Vec<Option<usize>>,
    room: Vec<Amounts>,
    /// How many items each node has.
    held: Vec<usize>,
    /// How much the items without a place need.
    wanted: [u128; RESOURCES],
    /// How often each item was in a dead end: what is hard comes first.
    weight: Vec<u64>,
    changes: Vec<Change>,
    /// Items that have one node left.
    forced: Vec<usize>,
    /// Cliques of which some item lost a node.
    touched: Vec<usize>,
    is_touched: Vec<bool>,
}

impl<'a> Search<'a> {
    fn new(structure: &'a Structure<'a>) -> Self {
        let instance = structure.instance;
        let sum = |resource| {
            let sizes = (0..instance.items.len()).map(|item| u128::from(instance.size(item, resource)));
            sizes.fold(0, u128::saturating_add)
        };
        Self {
            structure,
            open: instance.items.iter().map(|item| item.open.clone()).collect(),
            choices: instance.items.iter().map(|item| item.open.iter().count()).collect(),
            place: vec![None; instance.items.len()],
            room: instance.room.clone(),
            held: vec![0; instance.room.len()],
            wanted: core::array::from_fn(sum),
            weight: structure.cliques_of.iter().map(|cliques| (cliques.len() as u64).saturating_add(1)).collect(),
            changes: Vec::new(),
            forced: Vec::new(),
            touched: Vec::new(),
            is_touched: vec![false; instance.cliques.len()],
        }
    }

    /// Follows what the instance says by itself. False if it refutes itself.
    fn begin(&mut self) -> bool {
        if (0..RESOURCES).any(|resource| are_too_large(self.structure.instance, resource)) {
            return false;
        }
        for item in 0..self.open.len() {
            for node in 0..self.room.len() {
                if !self.fits(item, node) && !self.close(item, node) {
                    return false;
                }
            }
            match self.choices.get(item) {
                Some(0) | None => return false,
                Some(1) => self.forced.push(item),
                Some(_) => {}
            }
        }
        (0..self.is_touched.len()).for_each(|clique| self.touch(clique));
        self.follow()
    }

    /// Gives nodes to items until all have one or nothing is left to try. Nothing if there were too many dead ends.
    fn attempt(&mut self, manner: Manner, patience: u64, steps: &mut u64) -> Option<Outcome> {
        let mut made: Vec<Choice> = Vec::new();
        let mut dead_ends = 0_u64;
        loop {
            let Some(item) = self.next_item(manner) else {
                return Some(Outcome::Placed(self.place.iter().map(|place| place.unwrap_or_default()).collect()));
            };
            let Some(left) = steps.checked_sub(1) else { return Some(Outcome::OutOfSteps) };
            *steps = left;
            let Some(node) = self.next_node(manner, item) else { return Some(Outcome::OutOfSteps) };
            made.push(Choice { item, node, before: self.changes.len() });
            if self.put(item, node) && self.follow() {
                continue;
            }
            dead_ends = dead_ends.saturating_add(1);
            if !self.step_back(&mut made) {
                return Some(Outcome::Refuted);
            }
            if dead_ends >= patience {
                if let Some(first) = made.first() {
                    self.undo(first.before);
                }
                return None;
            }
        }
    }

    /// Takes back choices until one is left that something else can be made of. False if there is none.
    fn step_back(&mut self, made: &mut Vec<Choice>) -> bool {
        while let Some(choice) = made.pop() {
            self.undo(choice.before);
            if self.refute(&choice) && self.follow() {
                return true;
            }
        }
        false
    }

    /// Closes a node to an item that can't have it, and so to all items that are equal and all nodes that are equal and as empty: by
    /// exchange what was refuted of one is refuted of all.
    fn refute(&mut self, choice: &Choice) -> bool {
        let structure = self.structure;
        let class = structure.class_of_node.get(choice.node);
        let is_empty = |held: &usize| *held == 0;
        let nodes: Vec<usize> = if self.held.get(choice.node).is_some_and(is_empty) {
            let equal = self.held.iter().zip(&structure.class_of_node).enumerate();
            equal.filter(|(_, (held, of))| is_empty(held) && Some(*of) == class).map(|(node, _)| node).collect()
        } else {
            vec![choice.node]
        };
        let equals = structure.class_of_item.get(choice.item).and_then(|class| structure.equals.get(*class));
        for &item in equals.into_iter().flatten() {
            if self.is_placed(item) {
                continue;
            }
            if !nodes.iter().all(|node| self.close(item, *node)) {
                self.blame(&[item]);
                return false;
            }
        }
        true
    }

    /// Follows what is forced, and looks at what was touched. False in a dead end.
    fn follow(&mut self) -> bool {
        loop {
            if let Some(item) = self.forced.pop() {
                let node = self.open.get(item).and_then(|open| open.iter().next());
                if !self.is_placed(item) && !node.is_some_and(|node| self.put(item, node)) {
                    return false;
                }
            } else if let Some(clique) = self.touched.pop() {
                if let Some(is_touched) = self.is_touched.get_mut(clique) {
                    *is_touched = false;
                }
                if !self.have_places(clique) {
                    self.blame(self.structure.clique(clique));
                    return false;
                }
            } else {
                return self.has_room_for_the_rest();
            }
        }
    }

    /// Whether the items of a clique that have no place yet can each have one of their own.
    fn have_places(&self, clique: usize) -> bool {
        let waiting = || self.structure.clique(clique).iter().filter(|item| !self.is_placed(**item));
        if self.structure.is_by_domain(clique) {
            let sets: Vec<NodeSet> =
                waiting().filter_map(|item| self.open.get(*item)).map(|open| self.domains_of(open)).collect();
            return have_a_node_each(&sets.iter().collect::<Vec<_>>(), self.room.len());
        }
        let fewest = waiting().filter_map(|item| self.choices.get(*item)).min().copied().unwrap_or_default();
        if waiting().count() <= fewest {
            return true;
        }
        let sets: Vec<&NodeSet> = waiting().filter_map(|item| self.open.get(*item)).collect();
        have_a_node_each(&sets, self.room.len())
    }

    /// The domains that nodes are in, by their numbers.
    fn domains_of(&self, nodes: &NodeSet) -> NodeSet {
        let mut domains = NodeSet::empty(self.room.len());
        let of_nodes = nodes.iter().filter_map(|node| self.structure.instance.domain_of.get(node));
        of_nodes.for_each(|domain| domains.insert(*domain));
        domains
    }

    fn has_room_for_the_rest(&self) -> bool {
        self.wanted.iter().enumerate().all(|(resource, wanted)| {
            let rooms = self.room.iter().filter_map(|room| room.get(resource));
            let room = rooms.map(|room| if *room == UNBOUNDED { u128::MAX } else { u128::from(*room) });
            *wanted <= room.fold(0, u128::saturating_add)
        })
    }

    fn put(&mut self, item: usize, node: usize) -> bool {
        let structure = self.structure;
        self.set_place(item, node);
        self.changes.push(Change::Placed { item, node });
        for &clique in structure.cliques_of(item) {
            let place = structure.place(clique, node);
            for &other in structure.clique(clique) {
                if !self.is_placed(other) && !place.iter().all(|node| self.close(other, *node)) {
                    self.blame(structure.clique(clique));
                    return false;
                }
            }
        }
        for (resource, by_size) in structure.by_size.iter().enumerate() {
            let room = self.room.get(node).and_then(|room| room.get(resource)).copied().unwrap_or_default();
            for &other in by_size.iter().take_while(|other| structure.instance.size(**other, resource) > room) {
                if !self.is_placed(other) && !self.close(other, node) {
                    self.blame(&[other]);
                    return false;
                }
            }
        }
        true
    }

    /// Closes a node to an item. False if none is open to it any more.
    fn close(&mut self, item: usize, node: usize) -> bool {
        let (Some(open), Some(choices)) = (self.open.get_mut(item), self.choices.get_mut(item)) else { return false };
        if !open.contains(node) {
            return true;
        }
        open.remove(node);
        *choices = choices.saturating_sub(1);
        let left = *choices;
        self.changes.push(Change::Closed { item, node });
        for &clique in self.structure.cliques_of(item) {
            self.touch(clique);
        }
        if left == 1 {
            self.forced.push(item);
        }
        left > 0
    }

    fn touch(&mut self, clique: usize) {
        if let Some(is_touched) = self.is_touched.get_mut(clique)
            && !core::mem::replace(is_touched, true)
        {
            self.touched.push(clique);
        }
    }

    fn blame(&mut self, items: &[usize]) {
        for item in items {
            if let Some(weight) = self.weight.get_mut(*item) {
                *weight = weight.saturating_add(1);
            }
        }
    }

    /// Undoes all changes but the first `before`, and forgets what would have followed from them.
    fn undo(&mut self, before: usize) {
        self.forced.clear();
        self.touched.clear();
        self.is_touched.fill(false);
        while self.changes.len() > before {
            match self.changes.pop() {
                Some(Change::Closed { item, node }) => {
                    if let (Some(open), Some(choices)) = (self.open.get_mut(item), self.choices.get_mut(item)) {
                        open.insert(node);
                        *choices = choices.saturating_add(1);
                    }
                }
                Some(Change::Placed { item, node }) => self.take_place(item, node),
                None => return,
            }
        }
    }

    fn set_place(&mut self, item: usize, node: usize) {
        self.account(item, node, u64::saturating_sub, u128::saturating_sub);
        if let (Some(place), Some(held)) = (self.place.get_mut(item), self.held.get_mut(node)) {
            *place = Some(node);
            *held = held.saturating_add(1);
        }
    }

    fn take_place(&mut self, item: usize, node: usize) {
        self.account(item, node, u64::saturating_add, u128::saturating_add);
        if let (Some(place), Some(held)) = (self.place.get_mut(item), self.held.get_mut(node)) {
            *place = None;
            *held = held.saturating_sub(1);
        }
    }

    fn account(&mut self, item: usize, node: usize, room_with: fn(u64, u64) -> u64, rest_with: fn(u128, u128) -> u128) {
        let Some(rooms) = self.room.get_mut(node) else { return };
        for (resource, (room, wanted)) in rooms.iter_mut().zip(&mut self.wanted).enumerate() {
            let size = self.structure.instance.size(item, resource);
            if *room != UNBOUNDED {
                *room = room_with(*room, size);
            }
            *wanted = rest_with(*wanted, u128::from(size));
        }
    }

    fn is_placed(&self, item: usize) -> bool {
        self.place.get(item).is_some_and(Option::is_some)
    }

    fn fits(&self, item: usize, node: usize) -> bool {
        let rooms = self.room.get(node).into_iter().flatten().enumerate();
        rooms.into_iter().all(|(resource, room)| self.structure.instance.size(item, resource) <= *room)
    }

    /// The item that gets a node next; nothing if all have one.
    fn next_item(&self, manner: Manner) -> Option<usize> {
        let waiting = self.place.iter().enumerate().filter(|(_, place)| place.is_none()).map(|(item, _)| item);
        // Few nodes for its weight.
        let ease = |one: usize, other: usize| {
            let choices = |item: usize| self.choices.get(item).copied().unwrap_or_default() as u64;
            let weight = |item: usize| self.weight.get(item).copied().unwrap_or(1);
            choices(one).saturating_mul(weight(other)).cmp(&choices(other).saturating_mul(weight(one)))
        };
        let bulk = |one: usize, other: usize| self.structure.bulk(other).cmp(&self.structure.bulk(one));
        waiting.min_by(|one, other| match manner {
            Manner::Keeping | Manner::Spreading => ease(*one, *other).then_with(|| bulk(*one, *other)),
            Manner::Packing => bulk(*one, *other).then_with(|| ease(*one, *other)),
        })
    }

    /// The node that an item gets next.
    fn next_node(&self, manner: Manner, item: usize) -> Option<usize> {
        let home = self.structure.instance.items.get(item)?.home;
        let nodes = self.open.get(item)?.iter();
        match manner {
            Manner::Keeping => {
                let away = |node: usize| Some(node) != home;
                nodes.min_by_key(|node| (away(*node), self.lost_by(item, *node), self.left_on(item, *node)))
            }
            Manner::Packing => nodes.min_by_key(|node| (self.left_on(item, *node), self.lost_by(item, *node))),
            Manner::Spreading => {
                nodes.min_by_key(|node| (self.lost_by(item, *node), Reverse(self.left_on(item, *node))))
            }
        }
    }

    /// How many others would lose a node with that.
    fn lost_by(&self, item: usize, node: usize) -> usize {
        let others = self.structure.cliques_of(item).iter().flat_map(|clique| self.structure.clique(*clique));
        let would_lose =
            |other: &&usize| !self.is_placed(**other) && self.open.get(**other).is_some_and(|open| open.contains(node));
        others.filter(would_lose).count()
    }

    /// How much room would be left on a node, in thousandths of what it had, of the resource of which that is least; then how few items it
    /// has.
    fn left_on(&self, item: usize, node: usize) -> (u64, Reverse<usize>) {
        let now = self.room.get(node).into_iter().flatten();
        let at_first = self.structure.instance.room.get(node).into_iter().flatten();
        let left = now.zip(at_first).enumerate().filter(|(_, (now, _))| **now != UNBOUNDED);
        let left = left.map(|(resource, (now, at_first))| {
            thousandths(now.saturating_sub(self.structure.instance.size(item, resource)), *at_first)
        });
        (left.min().unwrap_or_default(), Reverse(self.held.get(node).copied().unwrap_or_default()))
    }
}
