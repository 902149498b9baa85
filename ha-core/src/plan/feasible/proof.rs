//! A contradiction made small.

use alloc::vec::Vec;

use super::search::Outcome;

/// Takes out of parts that contradict each other what can be taken out, in ever smaller pieces. `test` says what holds of some of them.
///
/// With fewer parts there are only more placements: what could not be taken out of many can't be taken out of the few that are left. Says
/// too whether it is known that no more can be taken out, which it is not if a test came to no end.
pub(super) fn minimal(parts: usize, mut test: impl FnMut(&[usize]) -> Outcome) -> (Vec<usize>, bool) {
    let mut kept: Vec<usize> = (0..parts).collect();
    let mut is_minimal = true;
    let mut piece = parts.div_ceil(2).max(1);
    loop {
        let mut from = 0_usize;
        while from < kept.len() {
            let to = from.saturating_add(piece);
            let outside = |(place, _): &(usize, &usize)| *place < from || *place >= to;
            let rest: Vec<usize> = kept.iter().enumerate().filter(outside).map(|(_, part)| *part).collect();
            match test(&rest) {
                Outcome::Refuted => kept = rest,
                Outcome::Placed(_) => from = to,
                Outcome::OutOfSteps => {
                    is_minimal &= piece > 1;
                    from = to;
                }
            }
        }
        if piece == 1 {
            return (kept, is_minimal);
        }
        piece = piece.div_ceil(2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    /// What contradicts itself as soon as all of these are there.
    fn contradiction(of: &'static [usize]) -> impl FnMut(&[usize]) -> Outcome {
        move |parts| {
            if of.iter().all(|part| parts.contains(part)) { Outcome::Refuted } else { Outcome::Placed(Vec::new()) }
        }
    }

    #[test]
    fn what_is_needed_is_left_and_nothing_else() {
        assert_eq!(minimal(100, contradiction(&[3, 50, 99])), (vec![3, 50, 99], true));
        assert_eq!(minimal(3, contradiction(&[0, 1, 2])), (vec![0, 1, 2], true));
        assert_eq!(minimal(1, contradiction(&[0])), (vec![0], true));
        assert_eq!(minimal(40, contradiction(&[])), (vec![], true));
        assert_eq!(minimal(0, contradiction(&[])), (vec![], true));
    }

    #[test]
    fn a_test_without_an_end_leaves_it_open_whether_more_could_go() {
        let mut of = contradiction(&[1, 6]);
        let test = |parts: &[usize]| if parts.contains(&4) { of(parts) } else { Outcome::OutOfSteps };
        assert_eq!(minimal(8, test), (vec![1, 4, 6], false));
    }
}
