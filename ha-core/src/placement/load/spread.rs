//! The fractions in use of all nodes, cpu or memory, summed up so that a change of one or two nodes costs nothing to follow.

use libm::sqrt;

/// The sum of the squares, and the highest values.
#[derive(Debug, Clone)]
pub(crate) struct Spread {
    per_node: f64,
    squares: f64,
    /// The three highest values with the positions of their nodes, the highest first: whatever two nodes change, the
    /// highest of all others is among them.
    highest: [(f64, usize); 3],
}

impl Spread {
    /// Of the nodes' fractions, in the order of the nodes' names.
    pub(crate) fn new(fractions: impl Iterator<Item = f64>) -> Self {
        let none = (0.0, usize::MAX);
        let mut nodes = 0.0;
        let mut spread = Self { per_node: 0.0, squares: 0.0, highest: [none; 3] };
        for (position, fraction) in fractions.enumerate() {
            nodes += 1.0;
            spread.squares += fraction * fraction;
            spread.note_high(fraction, position);
        }
        spread.per_node = 1.0 / nodes;
        spread
    }

    fn note_high(&mut self, fraction: f64, position: usize) {
        let [first, second, third] = &mut self.highest;
        if fraction > first.0 {
            *third = *second;
            *second = *first;
            *first = (fraction, position);
        } else if fraction > second.0 {
            *third = *second;
            *second = (fraction, position);
        } else if fraction > third.0 {
            *third = (fraction, position);
        }
    }

    /// The root of the mean of the squares, and the highest value, if one node changes.
    pub(crate) fn with_one(&self, change: Change) -> (f64, f64) {
        let squares = self.squares + (change.new * change.new - change.old * change.old);
        let others = self.highest_but(change.position, change.position);
        (self.root_mean(squares), higher(others, change.new))
    }

    /// The same if two nodes change. It does not matter which of them comes first.
    pub(crate) fn with_two(&self, a: Change, b: Change) -> (f64, f64) {
        let new = a.new * a.new + b.new * b.new;
        let old = a.old * a.old + b.old * b.old;
        let others = self.highest_but(a.position, b.position);
        (self.root_mean(self.squares + (new - old)), higher(others, higher(a.new, b.new)))
    }

    fn root_mean(&self, squares: f64) -> f64 {
        // Rounding may leave a little less than nothing.
        sqrt(if squares > 0.0 { squares } else { 0.0 } * self.per_node)
    }

    fn highest_but(&self, a: usize, b: usize) -> f64 {
        let [first, second, third] = self.highest;
        if first.1 != a && first.1 != b {
            first.0
        } else if second.1 != a && second.1 != b {
            second.0
        } else {
            third.0
        }
    }
}

/// Fractions are numbers, so a plain comparison does.
fn higher(one: f64, other: f64) -> f64 {
    if one > other { one } else { other }
}

/// A node whose fraction becomes another one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change {
    pub(crate) position: usize,
    pub(crate) old: f64,
    pub(crate) new: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_of_the_others_is_known_whichever_change() {
        let spread = Spread::new([0.1, 0.4, 0.3, 0.4].into_iter());
        let change = |position, old, new| Change { position, old, new };
        assert_eq!(spread.with_one(change(1, 0.4, 0.2)).1, 0.4);
        assert_eq!(spread.with_two(change(1, 0.4, 0.2), change(3, 0.4, 0.25)).1, 0.3);
        assert_eq!(spread.with_two(change(1, 0.4, 0.2), change(3, 0.4, 0.5)).1, 0.5);
        // The third highest is found wherever it stands.
        for fractions in [[0.5, 0.4, 0.3, 0.1], [0.5, 0.4, 0.1, 0.3]] {
            let spread = Spread::new(fractions.into_iter());
            assert_eq!(spread.with_two(change(0, 0.5, 0.2), change(1, 0.4, 0.25)).1, 0.3, "{fractions:?}");
        }
    }

    #[test]
    fn the_average_follows_a_change() {
        let (average, _) = Spread::new([0.5, 0.0].into_iter()).with_one(Change { position: 1, old: 0.0, new: 0.5 });
        assert_eq!(average, 0.5);
        let (average, _) = Spread::new([0.3].into_iter()).with_one(Change { position: 0, old: 0.3, new: 0.0 });
        assert_eq!(average, 0.0);
    }
}
