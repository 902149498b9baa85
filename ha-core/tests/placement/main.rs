//! Placement against a plain reading of its rules (`docs/behaviour/placement.md`), on random clusters; and what explanations promise.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    reason = "tests may panic"
)]

mod cluster;
mod explanations;
mod oracle;
mod reference;

use std::collections::BTreeMap;

use cluster::{Cluster, cluster, node, sid};
use ha_core::{
    config::{Affinity, RuleKind, datacenter::SchedulerMode},
    id::{NodeName, ServiceId},
    placement::{BalanceHold, BalanceOutcome, Decider, Fate, Figure, Preference},
    rules::evaluate,
    status::ServiceState,
};
use proptest::prelude::*;

/// How far apart two ways to round may be.
const ROUNDING: f64 = 1e-12;

fn cost(figure: Figure) -> f64 {
    match figure {
        Figure::Services(count) => f64::from(count),
        Figure::Score(score) => -score,
    }
}

/// A service of the cluster and a preference.
fn question(cluster: &Cluster, number: usize) -> (ha_core::id::ServiceId, Preference) {
    let count = cluster.status.services.len();
    (sid(number % count), Preference::ALL[number / count % Preference::ALL.len()])
}

/// Whether the answer depends on a difference that is no more than rounding.
fn is_close_call(cluster: &Cluster, sid: &ha_core::id::ServiceId) -> bool {
    let costs: Vec<f64> = oracle::costs(cluster, sid).into_values().collect();
    costs.iter().enumerate().any(|(at, a)| costs[..at].iter().any(|b| a != b && (a - b).abs() <= ROUNDING))
}

/// Takes whatever moves out of a cluster, so that balancing has something to say.
fn settle(cluster: &mut Cluster) {
    for (_, entry) in cluster.status.services.iter_mut() {
        if matches!(entry.state, ServiceState::Migrate { .. } | ServiceState::Relocate { .. }) {
            entry.state = ServiceState::Started { confirmed: true };
        }
    }
    cluster.change_scheduler(|scheduler| {
        scheduler.auto_rebalance = true;
        scheduler.hold_duration = 0;
        scheduler.threshold = 0.0;
        scheduler.margin = 0.0;
        if scheduler.mode == SchedulerMode::Basic {
            scheduler.mode = SchedulerMode::Static;
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn scores_and_their_order_are_those_of_the_definition(cluster in cluster(12, 12), number in 0_usize..1000) {
        let (sid, _) = question(&cluster, number);
        let explanation = cluster.situation().explain(&sid, Preference::BestScore).unwrap();
        let expected = oracle::costs(&cluster, &sid);
        let found: BTreeMap<NodeName, f64> =
            explanation.nodes.iter().filter_map(|node| Some((node.node.clone(), cost(node.figure?)))).collect();
        prop_assert!(found.keys().eq(expected.keys()));
        for (node, expected_cost) in &expected {
            prop_assert!((found[node] - expected_cost).abs() <= ROUNDING, "{node}: {} {expected_cost}", found[node]);
            for (other, other_cost) in &expected {
                if (expected_cost - other_cost).abs() > ROUNDING {
                    prop_assert_eq!(found[node] < found[other], expected_cost < other_cost);
                }
            }
        }
    }

    #[test]
    fn the_answer_is_that_of_the_definition(cluster in cluster(6, 8), number in 0_usize..1000) {
        let (sid, preference) = question(&cluster, number);
        prop_assume!(!is_close_call(&cluster, &sid));
        let answer = cluster.situation().select(&sid, preference).unwrap();
        prop_assert_eq!(answer, oracle::select(&cluster, &sid, preference));
    }

    #[test]
    fn the_answer_is_online_and_no_rule_excludes_it(cluster in cluster(6, 8), number in 0_usize..1000) {
        let (sid, preference) = question(&cluster, number);
        let Some(answer) = cluster.situation().select(&sid, preference).unwrap() else { return Ok(()) };
        prop_assert!(cluster.is_online(&answer));
        let valid = evaluate(&cluster.configuration.rule_set(), &cluster.members).rules;
        let fail_together = |one: &NodeName, other: &NodeName| {
            let domain = |node| cluster.configuration.nodes.failure_domain(node);
            one == other || (domain(one).is_some() && domain(one) == domain(other))
        };
        let entry = cluster.status.services.get(&sid).unwrap();
        // A service that must not fall back may stay with the others of its group, whoever else is there.
        let stays = preference == Preference::None && answer == entry.node;
        for rule in valid.iter().filter(|rule| rule.resources.contains(&sid)) {
            match &rule.kind {
                RuleKind::NodeAffinity { nodes, strict: Some(true), affinity } => {
                    prop_assert_eq!(nodes.contains_key(&answer), *affinity == Affinity::Positive, "{}", rule.id);
                }
                RuleKind::ResourceAffinity { affinity: Affinity::Negative, apart } if !stays && apart.is_strict() => {
                    let others = rule.resources.iter().filter(|other| **other != sid);
                    let on_answer = |other: &ServiceId| cluster.status.services.get(other).is_some_and(|entry| (entry.node == answer || (apart.spread.is_some() && fail_together(&entry.node, &answer) && cluster.is_online(&entry.node))) && matches!(entry.state, ServiceState::Started { .. }));
                    let there: Vec<_> = others.filter(|other| on_answer(other)).collect();
                    prop_assert!(there.is_empty(), "{}: {there:?}", rule.id);
                }
                RuleKind::NodeAffinity { .. } | RuleKind::ResourceAffinity { .. } | RuleKind::Order(_) => {}
            }
        }
    }

    #[test]
    fn the_explained_winner_is_the_answer_and_was_not_left_out(cluster in cluster(6, 8), number in 0_usize..1000) {
        let (sid, preference) = question(&cluster, number);
        let situation = cluster.situation();
        let explanation = situation.explain(&sid, preference).unwrap();
        prop_assert_eq!(&explanation.answer, &situation.select(&sid, preference).unwrap());
        prop_assert!(explanation.nodes.iter().map(|node| &node.node).eq(&cluster.members));
        match &explanation.answer {
            Some(answer) => {
                let winner = explanation.of(answer).unwrap();
                match explanation.decided_by {
                    Decider::NoFailback => {}
                    Decider::LowestLoad if preference != Preference::TryNext => prop_assert_eq!(winner.rank, Some(1)),
                    _ => prop_assert_eq!(&winner.fate, &Fate::Candidate),
                }
            }
            None => prop_assert!(explanation.nodes.iter().all(|node| node.fate != Fate::Candidate)),
        }
    }

    #[test]
    fn with_the_changes_of_a_counterfactual_the_other_node_wins(
        cluster in cluster(6, 8), number in 0_usize..1000, wanted in 0_usize..6,
    ) {
        let (sid, preference) = question(&cluster, number);
        let wanted = node(wanted % cluster.members.len());
        let situation = cluster.situation();
        let counterfactual = situation.counterfactual(&sid, preference, &wanted).unwrap();
        let then = situation.explain_with(&sid, preference, &counterfactual.changes).unwrap();
        prop_assert_eq!(then.answer.as_ref(), Some(&wanted), "{:#?}", counterfactual.changes);
        prop_assert_eq!(&then, &counterfactual.then);
        let answer = situation.select(&sid, preference).unwrap();
        prop_assert_eq!(counterfactual.changes.is_empty(), answer == Some(wanted));
    }

    #[test]
    fn balancing_finds_the_best_move_of_the_definition(mut cluster in cluster(8, 12)) {
        settle(&mut cluster);
        let balance = cluster.situation().balance(BalanceHold::default(), 3);
        let (imbalance, moves) = oracle::moves(&cluster);
        prop_assert!((balance.imbalance.unwrap() - imbalance).abs() <= ROUNDING);
        prop_assert_eq!(balance.candidates.len(), moves.len().min(3));
        let mut ranks: Vec<f64> = moves.iter().map(|candidate| candidate.rank).collect();
        ranks.sort_by(f64::total_cmp);
        for (found, rank) in balance.candidates.iter().zip(&ranks) {
            let same = moves.iter().find(|other| other.leader == found.leader && other.target == found.target);
            let same = same.expect("the definition has this move too");
            prop_assert!((found.imbalance - same.imbalance).abs() <= ROUNDING);
            prop_assert!((same.rank - rank).abs() <= ROUNDING, "{} is not among the best: {rank}", same.rank);
        }
        if let Some(best) = balance.candidates.first() {
            let moved = balance.outcome == BalanceOutcome::Move;
            prop_assert_eq!(moved, imbalance > 0.0 && best.gain >= 0.0);
        }
    }
}
