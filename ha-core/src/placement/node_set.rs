//! Sets of online nodes, as bits by position.

use alloc::{vec, vec::Vec};

/// A set of small numbers: the positions of nodes among the online ones.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NodeSet {
    words: Vec<u64>,
}

impl NodeSet {
    /// The empty set, with room for `nodes` positions.
    pub(crate) fn empty(nodes: usize) -> Self {
        Self { words: vec![0; nodes.div_ceil(64)] }
    }

    /// All positions below `nodes`.
    pub(crate) fn full(nodes: usize) -> Self {
        let mut set = Self::empty(nodes);
        for node in 0..nodes {
            set.insert(node);
        }
        set
    }

    /// Adds a position. One for which there is no room is not added.
    pub(crate) fn insert(&mut self, node: usize) {
        if let Some(word) = self.words.get_mut(node / 64) {
            *word |= 1 << (node % 64);
        }
    }

    pub(crate) fn remove(&mut self, node: usize) {
        if let Some(word) = self.words.get_mut(node / 64) {
            *word &= !(1 << (node % 64));
        }
    }

    pub(crate) fn contains(&self, node: usize) -> bool {
        self.words.get(node / 64).is_some_and(|word| word & (1 << (node % 64)) != 0)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    pub(crate) fn clear(&mut self) {
        self.words.fill(0);
    }

    /// Becomes a copy of `other` without allocating again.
    pub(crate) fn copy_from(&mut self, other: &Self) {
        self.words.clone_from(&other.words);
    }

    /// Takes out all that is in `other`.
    pub(crate) fn subtract(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= !other;
        }
    }

    /// The positions in rising order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> {
        self.words.iter().zip((0_usize..).step_by(64)).flat_map(|(word, base)| {
            core::iter::successors(Some(*word), |rest| Some(rest & rest.wrapping_sub(1)))
                .take_while(|rest| *rest != 0)
                .map(move |rest| base.saturating_add(rest.trailing_zeros() as usize))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_beyond_a_word_are_kept_in_order() {
        let mut set = NodeSet::empty(200);
        for node in [199, 0, 64, 63, 130] {
            set.insert(node);
        }
        assert_eq!(set.iter().collect::<Vec<_>>(), [0, 63, 64, 130, 199]);
        set.remove(64);
        assert!(!set.contains(64) && set.contains(63) && !set.contains(100_000));
    }

    #[test]
    fn subtracting_a_full_set_leaves_nothing() {
        let mut set = NodeSet::full(65);
        assert_eq!(set.iter().count(), 65);
        set.subtract(&NodeSet::full(65));
        assert!(set.is_empty());
    }
}
