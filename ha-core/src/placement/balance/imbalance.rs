//! How unevenly nodes are loaded.

use libm::sqrt;

use crate::config::datacenter::ImbalanceScale;

/// The imbalance of nodes with these loads, in the order of their names: the coefficient of variation, plain or divided
/// by the highest value that it can have. 0 for fewer than two nodes, or when all loads are 0.
pub(super) fn imbalance(loads: &[f64], scale: ImbalanceScale) -> f64 {
    let nodes = loads.len() as f64;
    let sum: f64 = loads.iter().sum();
    if nodes < 2.0 || sum <= 0.0 {
        return 0.0;
    }
    let mean = sum / nodes;
    let squares: f64 = loads.iter().map(|load| (load - mean) * (load - mean)).sum();
    let plain = sqrt(squares / nodes) / mean;
    match scale {
        ImbalanceScale::Plain => plain,
        ImbalanceScale::Normalised => plain / sqrt(nodes - 1.0),
    }
}

/// The imbalance cut to 15 decimals, so that rounding does not decide between moves that are equally good.
pub(super) fn cut(imbalance: f64) -> f64 {
    libm::trunc(imbalance * 1e15)
}

/// Bounds for the imbalance after a move, from sums over all nodes, without looking at each of them.
///
/// With L the sum of the loads of n nodes and Q that of their squares, the imbalance rises and falls with n·Q / L².
#[derive(Debug, Clone, Copy)]
pub(super) struct Sums {
    nodes: f64,
    loads: f64,
    squares: f64,
}

/// What n·Q / L² is at least, and at most, given how far rounding can have turned it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) least: f64,
    pub(super) most: f64,
}

impl Sums {
    pub(super) fn new(loads: &[f64]) -> Self {
        Self {
            nodes: loads.len() as f64,
            loads: loads.iter().sum(),
            squares: loads.iter().map(|load| load * load).sum(),
        }
    }

    /// If two nodes' loads become other ones.
    pub(super) fn with(&self, [old_source, new_source]: [f64; 2], [old_target, new_target]: [f64; 2]) -> Bounds {
        let loads = self.loads + ((new_source - old_source) + (new_target - old_target));
        let squares = self.squares
            + ((new_source * new_source - old_source * old_source)
                + (new_target * new_target - old_target * old_target));
        if loads <= 0.0 || squares <= 0.0 {
            return Bounds { least: 0.0, most: f64::INFINITY };
        }
        let ratio = self.nodes * squares / (loads * loads);
        // Each sum has about as many roundings as there are nodes, each relative to the greatest sum on the way.
        let lost = (self.squares + squares) / squares + 2.0 * (self.loads + loads) / loads;
        let error = ratio * lost * (self.nodes + 8.0) * f64::EPSILON;
        Bounds { least: ratio - error, most: ratio + error }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_loaded_node_of_many_is_the_highest_imbalance() {
        assert_eq!(imbalance(&[0.0, 0.7, 0.0, 0.0, 0.0], ImbalanceScale::Normalised), 1.0);
        assert_eq!(imbalance(&[0.0, 0.7, 0.0, 0.0, 0.0], ImbalanceScale::Plain), 2.0);
    }

    #[test]
    fn equal_loads_no_loads_and_single_nodes_are_balanced() {
        for loads in [&[0.5, 0.5, 0.5][..], &[0.0, 0.0], &[0.9], &[]] {
            assert_eq!(imbalance(loads, ImbalanceScale::Normalised), 0.0, "{loads:?}");
        }
    }

    #[test]
    fn bounds_enclose_what_the_definition_says() {
        let loads = [0.31, 0.42, 0.1, 0.97, 1e-9];
        let sums = Sums::new(&loads);
        for (source, target, moved) in [(3, 2, 0.4), (0, 4, 0.31), (4, 1, 1e-9)] {
            let mut after = loads;
            after[source] -= moved;
            after[target] += moved;
            let plain = imbalance(&after, ImbalanceScale::Plain);
            let exact = plain * plain + 1.0;
            let bounds = sums.with([loads[source], after[source]], [loads[target], after[target]]);
            assert!(bounds.least <= exact && exact <= bounds.most && bounds.most - bounds.least < 1e-12);
        }
    }

    /// What is left of a great load after it went is mostly rounding, and the bounds say so.
    #[test]
    fn bounds_allow_for_what_rounding_has_lost() {
        for small in [0.07, 0.05, 0.03, 1e-3] {
            let sums = Sums::new(&[1e6, small]);
            // Two nodes with loads that are alike: n·Q / L² is 1.
            let bounds = sums.with([1e6, small], [small, small]);
            assert!(bounds.least <= 1.0 && 1.0 <= bounds.most, "{small}: {bounds:?}");
        }
        let nothing_left = Sums::new(&[0.5, 0.0]).with([0.5, 0.0], [0.0, 0.0]);
        assert_eq!((nothing_left.least, nothing_left.most), (0.0, f64::INFINITY));
    }
}
