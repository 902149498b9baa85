//! TOPSIS: ranks alternatives by how near they are to the best value of each criterion, and how far from the worst.
//!
//! Starting a service and balancing both rank what the nodes would look like afterwards, by the same four figures.

use libm::sqrt;

/// What the nodes look like in one alternative: average and highest cpu, average and highest memory, each plus 1. The lower,
/// the better. Averages are roots of the mean of the squares.
pub(crate) type Figures = [f64; 4];

/// How much each figure counts, to be divided by their sum.
const WEIGHTS: Figures = [1.0, 2.0, 5.0, 10.0];
const WEIGHTS_SUM: f64 = 18.0;

/// Takes in all alternatives, one after another, before any of them can be scored.
#[derive(Debug, Clone)]
pub(crate) struct Survey {
    columns: [Column; 4],
}

#[derive(Debug, Clone, Copy)]
struct Column {
    squares: f64,
    lowest: f64,
    highest: f64,
}

impl Survey {
    pub(crate) fn new() -> Self {
        let column = Column { squares: 0.0, lowest: f64::INFINITY, highest: 0.0 };
        Self { columns: [column; 4] }
    }

    /// Takes an alternative in.
    pub(crate) fn add(&mut self, figures: &Figures) {
        for (column, value) in self.columns.iter_mut().zip(figures) {
            column.squares += value * value;
            // Figures are numbers, so plain comparisons do.
            if *value < column.lowest {
                column.lowest = *value;
            }
            if *value > column.highest {
                column.highest = *value;
            }
        }
    }

    /// What scores the alternatives that were taken in.
    pub(crate) fn scorer(&self) -> Scorer {
        let mut criteria = [Criterion::default(); 4];
        for ((criterion, column), weight) in criteria.iter_mut().zip(&self.columns).zip(WEIGHTS) {
            *criterion = Criterion {
                factor: weight / WEIGHTS_SUM / sqrt(column.squares),
                best: column.lowest,
                worst: column.highest,
            };
        }
        Scorer { criteria }
    }
}

/// Scores alternatives; see [`Survey`].
#[derive(Debug, Clone)]
pub(crate) struct Scorer {
    criteria: [Criterion; 4],
}

#[derive(Debug, Clone, Copy, Default)]
struct Criterion {
    /// The weight, divided by the Euclidean norm of the column.
    factor: f64,
    best: f64,
    worst: f64,
}

impl Scorer {
    /// From 0 to 1; the higher, the better.
    pub(crate) fn score(&self, figures: &Figures) -> f64 {
        let mut to_best = 0.0;
        let mut to_worst = 0.0;
        for (criterion, value) in self.criteria.iter().zip(figures) {
            let from_best = (value - criterion.best) * criterion.factor;
            let from_worst = (criterion.worst - value) * criterion.factor;
            to_best += from_best * from_best;
            to_worst += from_worst * from_worst;
        }
        // These are the squares of the distances. d⁻ / (d⁺ + d⁻) is 1 / (1 + d⁺/d⁻), which needs one root less.
        if to_worst > 0.0 { 1.0 / (1.0 + sqrt(to_best / to_worst)) } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn scores(alternatives: &[Figures]) -> Vec<f64> {
        let mut survey = Survey::new();
        alternatives.iter().for_each(|figures| survey.add(figures));
        let scorer = survey.scorer();
        alternatives.iter().map(|figures| scorer.score(figures)).collect()
    }

    #[test]
    fn the_best_in_all_figures_scores_one_and_the_worst_none() {
        assert_eq!(scores(&[[1.5, 1.6, 1.5, 1.9], [1.2, 1.3, 1.1, 1.4]]), [0.0, 1.0]);
    }

    #[test]
    fn equal_alternatives_score_nothing() {
        assert_eq!(scores(&[[1.5; 4], [1.5; 4]]), [0.0, 0.0]);
    }

    #[test]
    fn memory_counts_more_than_cpu() {
        let scores = scores(&[[1.9, 1.9, 1.1, 1.1], [1.1, 1.1, 1.9, 1.9]]);
        assert!(scores[0] > 0.8 && scores[1] < 0.2, "{scores:?}");
    }
}
