//! All sets of so many of some things.

use alloc::vec::Vec;

/// All sets of `size` of the numbers below `of`, each once, in the order of their first members.
#[derive(Debug)]
pub(super) struct Combinations {
    of: usize,
    next: Option<Vec<usize>>,
}

impl Combinations {
    pub(super) fn new(of: usize, size: usize) -> Self {
        Self { of, next: (size <= of).then(|| (0..size).collect()) }
    }
}

impl Iterator for Combinations {
    type Item = Vec<usize>;

    fn next(&mut self) -> Option<Vec<usize>> {
        let now = self.next.take()?;
        let size = now.len();
        // A place can go on as long as there is room for those behind it.
        let last = |place: usize| self.of.saturating_sub(size.saturating_sub(place));
        let place = now.iter().enumerate().rposition(|(place, number)| *number < last(place));
        self.next = place.map(|place| {
            let kept = now.iter().copied().take(place);
            let from = now.get(place).copied().unwrap_or_default().saturating_add(1);
            kept.chain((from..).take(size.saturating_sub(place))).collect()
        });
        Some(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    #[test]
    fn all_sets_of_a_size_come_once() {
        let of = |size| {
            let name = |set: Vec<usize>| set.into_iter().map(|number| ['a', 'b', 'c', 'd'][number]).collect::<String>();
            Combinations::new(4, size).map(name).collect::<Vec<_>>()
        };
        assert_eq!(of(1), ["a", "b", "c", "d"]);
        assert_eq!(of(2), ["ab", "ac", "ad", "bc", "bd", "cd"]);
        assert_eq!(of(3), ["abc", "abd", "acd", "bcd"]);
        assert_eq!(of(4), ["abcd"]);
        assert_eq!(of(0), [""]);
        assert!(of(5).is_empty());
    }
}
