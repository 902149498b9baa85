//! The same question put to a SAT solver: a variable for each service on each node.

use std::collections::BTreeSet;

use batsat::{BasicSolver, Lit, SolverInterface, lbool};
use ha_core::{
    config::{Affinity, Rule, RuleKind},
    id::{NodeName, RuleId},
    plan::Part,
    rules::evaluate,
};

use crate::random::{Cluster, sid};

/// Which parts count.
pub(crate) enum Counting<'a> {
    All,
    Only(&'a [&'a Part]),
}

impl Counting<'_> {
    fn rule(&self, id: &RuleId) -> bool {
        match self {
            Self::All => true,
            Self::Only(parts) => parts.iter().any(|part| match part {
                Part::NodeAffinity { rule, .. } | Part::Together { rule, .. } | Part::Apart { rule, .. } => rule == id,
                Part::Memory { .. } | Part::Cpu { .. } => false,
            }),
        }
    }

    fn memory_of(&self, name: &NodeName) -> bool {
        match self {
            Self::All => true,
            Self::Only(parts) => parts.iter().any(|part| matches!(part, Part::Memory { node, .. } if node == name)),
        }
    }
}

/// Whether there is a placement, with memory times a factor as capacity if one is given.
pub(crate) fn is_possible(
    cluster: &Cluster,
    without: &BTreeSet<NodeName>,
    factor: Option<f64>,
    counting: &Counting<'_>,
) -> bool {
    let nodes: Vec<&NodeName> = cluster.status.nodes.keys().filter(|node| !without.contains(*node)).collect();
    let services = cluster.configuration.resources.resources.len();
    let mut solver = BasicSolver::default();
    let on: Vec<Vec<Lit>> =
        (0..services).map(|_| nodes.iter().map(|_| Lit::new(solver.new_var_default(), true)).collect()).collect();
    let mut clauses: Vec<Vec<Lit>> = on.clone();
    let pairs = |one: &[Lit], other: &[Lit]| -> Vec<Vec<Lit>> {
        one.iter().zip(other).map(|(one, other)| vec![!*one, !*other]).collect()
    };
    for of in &on {
        for (place, one) in of.iter().enumerate() {
            clauses.extend(of.iter().skip(place + 1).map(|other| vec![!*one, !*other]));
        }
    }
    let number = |rule: &Rule| -> Vec<usize> {
        (0..services).filter(|service| rule.resources.contains(&sid(*service))).collect()
    };
    for rule in rules_in_force(cluster).iter().filter(|rule| counting.rule(&rule.id)) {
        let members = number(rule);
        for (place, &one) in members.iter().enumerate() {
            for &other in &members[place + 1..] {
                match &rule.kind {
                    RuleKind::ResourceAffinity { affinity: Affinity::Negative, apart } if apart.is_strict() => {
                        clauses.extend(pairs(&on[one], &on[other]));
                        if apart.spread.is_some() {
                            clauses
                                .extend(fail_together(cluster, &nodes).map(|(a, b)| vec![!on[one][a], !on[other][b]]));
                        }
                    }
                    RuleKind::ResourceAffinity { affinity: Affinity::Positive, .. } => {
                        let same = on[one].iter().zip(&on[other]);
                        clauses.extend(same.flat_map(|(one, other)| [vec![!*one, *other], vec![*one, !*other]]));
                    }
                    _ => {}
                }
            }
            if let RuleKind::NodeAffinity { nodes: allowed, strict: Some(true), .. } = &rule.kind {
                let closed = nodes.iter().zip(&on[one]).filter(|(node, _)| !allowed.contains_key(**node));
                clauses.extend(closed.map(|(_, at)| vec![!*at]));
            }
        }
    }
    if let Some(factor) = factor {
        for (place, node) in nodes.iter().enumerate().filter(|(_, node)| counting.memory_of(node)) {
            let room = (cluster.usage.nodes[*node].max_memory as f64 * factor).floor() as u64;
            clauses.extend(
                too_much(cluster, services, room)
                    .into_iter()
                    .map(|set| set.into_iter().map(|service| !on[service][place]).collect()),
            );
        }
    }
    clauses.iter_mut().all(|clause| solver.add_clause_reuse(clause)) && solver.solve_limited(&[]) == lbool::TRUE
}

/// The pairs of nodes, by their places, that are in one failure domain.
fn fail_together<'a>(cluster: &'a Cluster, nodes: &'a [&'a NodeName]) -> impl Iterator<Item = (usize, usize)> + 'a {
    let domain = |place: usize| cluster.configuration.nodes.failure_domain(nodes[place]);
    let pairs = (0..nodes.len()).flat_map(|one| (0..nodes.len()).map(move |other| (one, other)));
    pairs.filter(move |(one, other)| one != other && domain(*one).is_some() && domain(*one) == domain(*other))
}

/// All sets of services that don't fit into so much memory.
fn too_much(cluster: &Cluster, services: usize, room: u64) -> Vec<Vec<usize>> {
    let set = |bits: u32| (0..services).filter(move |service| bits >> service & 1 == 1);
    let size = |service| cluster.usage.services.get(&sid(service)).unwrap().max_memory;
    (0..1_u32 << services)
        .filter(|bits| set(*bits).map(size).sum::<u64>() > room)
        .map(|bits| set(bits).collect())
        .collect()
}

pub(crate) fn rules_in_force(cluster: &Cluster) -> Vec<Rule> {
    let rules = cluster.configuration.rule_set();
    let dropped = evaluate(&rules, &cluster.members).dropped;
    rules.iter().filter(|rule| dropped.iter().all(|finding| finding.rule != rule.id)).cloned().collect()
}
