//! From one placement to another: every step keeps all, and none with fewer bytes does.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
};

use ha_core::{
    config::{Affinity, Rule, RuleKind},
    id::{NodeName, ServiceId},
    plan::{FeasibleQuestion, Move, Steps, StepsQuestion},
};

use crate::{
    broken, cluster,
    oracle::rules_in_force,
    random::{Cluster, Extent, Random, node, sid},
};

/// So few that all placements can be looked at.
const TINY: Extent = Extent {
    nodes: 2..=3,
    offline: 3,
    services: 2..=5,
    rules: 0..=3,
    together: 2..=2,
    apart: 2..=3,
    on: 1..=2,
    allowed: 2..=4,
    sizes: &[1, 2, 4, 8],
    fill: 55..=100,
};

type Places = BTreeMap<ServiceId, NodeName>;

/// All placements that break nothing.
fn placements(cluster: &Cluster, memory: Option<f64>) -> BTreeSet<Vec<usize>> {
    let services = cluster.configuration.resources.resources.len();
    let nodes = cluster.status.nodes.len();
    let all = (0..nodes.pow(services as u32)).map(|number| {
        let digit = |place: usize| number / nodes.pow(place as u32) % nodes;
        (0..services).map(digit).collect::<Vec<usize>>()
    });
    all.filter(|places| broken(cluster, &named(places), memory).is_empty()).collect()
}

fn named(places: &[usize]) -> Places {
    places.iter().enumerate().map(|(number, at)| (sid(number), node(*at))).collect()
}

/// The services that must be together with each, itself included.
fn bundles(rules: &[Rule], services: usize) -> Vec<BTreeSet<usize>> {
    let mut bundles: Vec<BTreeSet<usize>> = (0..services).map(|service| [service].into()).collect();
    for rule in rules {
        let RuleKind::ResourceAffinity { affinity: Affinity::Positive, .. } = rule.kind else { continue };
        let members: Vec<usize> = (0..services).filter(|service| rule.resources.contains(&sid(*service))).collect();
        let merged: BTreeSet<usize> = members.iter().flat_map(|member| bundles[*member].clone()).collect();
        merged.iter().for_each(|member| bundles[*member] = merged.clone());
    }
    bundles
}

/// The fewest bytes and then moves by which one placement becomes the other, if it does: Dijkstra over all placements.
fn fewest(cluster: &Cluster, all: &BTreeSet<Vec<usize>>, from: &[usize], to: &[usize]) -> Option<(u64, usize)> {
    let bundles = bundles(&rules_in_force(cluster), from.len());
    let size = |service: &usize| cluster.usage.services.get(&sid(*service)).unwrap().max_memory;
    let mut best: BTreeMap<Vec<usize>, (u64, usize)> = BTreeMap::from([(from.to_vec(), (0, 0))]);
    let mut open = BinaryHeap::from([Reverse(((0, 0), from.to_vec()))]);
    while let Some(Reverse((cost, places))) = open.pop() {
        if places == to {
            return Some(cost);
        }
        for bundle in &bundles {
            for target in 0..cluster.status.nodes.len() {
                let mut then = places.clone();
                bundle.iter().for_each(|member| then[*member] = target);
                let then_cost = (cost.0 + bundle.iter().map(size).sum::<u64>(), cost.1 + 1);
                if then != places && all.contains(&then) && best.get(&then).is_none_or(|best| then_cost < *best) {
                    best.insert(then.clone(), then_cost);
                    open.push(Reverse((then_cost, then)));
                }
            }
        }
    }
    None
}

/// What services break that may be on several nodes at once.
fn broken_meanwhile(
    cluster: &Cluster,
    on: &BTreeMap<ServiceId, BTreeSet<NodeName>>,
    memory: Option<f64>,
) -> Vec<String> {
    let mut broken = Vec::new();
    for rule in rules_in_force(cluster) {
        let RuleKind::ResourceAffinity { affinity: Affinity::Negative, apart } = &rule.kind else { continue };
        let rack =
            |node: &NodeName| cluster.configuration.nodes.failure_domain(node).filter(|_| apart.spread.is_some());
        let place = |node: &NodeName| rack(node).map_or_else(|| node.to_string(), |rack| format!("rack {rack}"));
        let places = |sid: &ServiceId| on[sid].iter().map(place).collect::<BTreeSet<_>>();
        let meet = |one: &ServiceId, other: &ServiceId| one != other && !places(one).is_disjoint(&places(other));
        if apart.is_strict() && rule.resources.iter().any(|one| rule.resources.iter().any(|other| meet(one, other))) {
            broken.push(format!("{rule:?}"));
        }
    }
    for (node, figures) in cluster.usage.nodes.iter().filter(|_| memory.is_some()) {
        let there = on.iter().filter(|(_, nodes)| nodes.contains(node));
        let used: u64 = there.map(|(sid, _)| cluster.usage.services.get(sid).unwrap().max_memory).sum();
        if used as f64 > figures.max_memory as f64 * memory.unwrap() {
            broken.push(format!("memory of {node}"));
        }
    }
    broken
}

/// Makes the moves, and sees that nothing breaks.
fn follow(cluster: &Cluster, from: &[usize], waves: &[Vec<Move>], at_once: usize, memory: Option<f64>) -> Places {
    let mut places = named(from);
    for wave in waves {
        let mut on: BTreeMap<ServiceId, BTreeSet<NodeName>> =
            places.iter().map(|(sid, at)| (sid.clone(), [at.clone()].into())).collect();
        let bundles = bundles(&rules_in_force(cluster), from.len());
        let mut at: BTreeMap<&NodeName, BTreeSet<&BTreeSet<usize>>> = BTreeMap::new();
        for step in wave {
            assert_eq!(step.from.as_ref(), Some(&places[&step.sid]));
            on.get_mut(&step.sid).unwrap().insert(step.to.clone());
            let number = (0..from.len()).find(|number| sid(*number) == step.sid).unwrap();
            for node in [step.from.as_ref().unwrap(), &step.to] {
                at.entry(node).or_default().insert(&bundles[number]);
            }
        }
        assert!(at.values().all(|moving| moving.len() <= at_once), "too many at once: {wave:?}");
        assert_eq!(broken_meanwhile(cluster, &on, memory), [""; 0], "during {wave:?} of {waves:?}\n{cluster:?}");
        places.extend(wave.iter().map(|step| (step.sid.clone(), step.to.clone())));
        assert_eq!(broken(cluster, &places, memory), [""; 0], "after {wave:?} of {waves:?}\n{cluster:?}");
    }
    places
}

#[test]
fn every_step_keeps_all_and_no_way_moves_fewer_bytes() {
    let mut random = Random(5);
    let (mut straight, mut with_stops, mut none) = (0, 0, 0);
    for number in 0..6_000 {
        let mut cluster = Cluster::new(&mut random, &TINY);
        let memory = [None, Some(1.0), Some(1.2)][random.within(0..=2) as usize];
        let all = placements(&cluster, memory);
        if all.len() < 2 {
            continue;
        }
        let mut one = || all.iter().nth(random.within(0..=all.len() as u64 - 1) as usize).unwrap().clone();
        let (from, to) = (one(), one());
        for (service, at) in from.iter().enumerate() {
            cluster.status.services.get_mut(&sid(service)).unwrap().node = node(*at);
        }
        let at_once = random.within(1..=3) as usize;
        let question = StepsQuestion { within: FeasibleQuestion { memory, ..FeasibleQuestion::default() }, at_once };
        let found = cluster.situation().steps(&named(&to), &question).unwrap();
        let fewest = fewest(&cluster, &all, &from, &to);
        let told = || format!("{number}: {from:?} to {to:?}: {found:?}, {fewest:?}\n{cluster:?}");
        match &found {
            Steps::Found { waves, bytes, is_shortest } => {
                assert_eq!(follow(&cluster, &from, waves, at_once, memory), named(&to), "{}", told());
                assert_eq!((Some(*bytes), *is_shortest), (fewest.map(|(bytes, _)| bytes), true), "{}", told());
                let moved: BTreeSet<&ServiceId> = waves.iter().flatten().map(|step| &step.sid).collect();
                let is_straight = moved.len() == waves.iter().flatten().count();
                *if is_straight { &mut straight } else { &mut with_stops } += 1;
            }
            Steps::Stuck { blocked, is_proven } => {
                assert_eq!((fewest, is_proven), (None, &true), "{}", told());
                assert!(!blocked.is_empty(), "{}", told());
                none += 1;
            }
            Steps::TargetBreaks { .. } => panic!("it breaks nothing: {}", told()),
        }
    }
    // Else too little would have been compared.
    assert!(straight > 500 && with_stops > 50 && none > 50, "{straight} {with_stops} {none}");
}

const PAIR: &str = "resource-affinity: apart\n\tresources vm:1000,vm:1001\n\taffinity negative\n";

fn told(steps: &Steps) -> Vec<String> {
    match steps {
        Steps::Found { waves, .. } => {
            let wave = |wave: &Vec<Move>| wave.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            waves.iter().map(wave).collect()
        }
        Steps::Stuck { blocked, .. } => blocked.iter().map(ToString::to_string).collect(),
        Steps::TargetBreaks { parts } => parts.iter().map(ToString::to_string).collect(),
    }
}

fn ask(cluster: &Cluster, to: &[usize], at_once: usize) -> Vec<String> {
    let question = StepsQuestion { at_once, ..StepsQuestion::default() };
    told(&cluster.situation().steps(&named(to), &question).unwrap())
}

#[test]
fn two_that_change_places_need_a_third_or_are_named() {
    let stop = ["vm:1000 from node00 to node02", "vm:1001 from node01 to node00", "vm:1000 from node02 to node01"];
    assert_eq!(ask(&cluster(3, &[(0, 0), (1, 1)], PAIR), &[1, 0], 1), stop);
    assert_eq!(
        ask(&cluster(2, &[(0, 0), (1, 1)], PAIR), &[1, 0], 1),
        ["vm:1000 to node01: vm:1001 in the way", "vm:1001 to node00: vm:1000 in the way"]
    );
}

#[test]
fn a_node_takes_part_in_no_more_moves_at_once_than_it_may() {
    let cluster = cluster(3, &[(0, 0), (1, 0), (2, 0)], "");
    assert_eq!(ask(&cluster, &[1, 1, 2], 1).len(), 3);
    assert_eq!(
        ask(&cluster, &[1, 1, 2], 2),
        ["vm:1000 from node00 to node01; vm:1001 from node00 to node01", "vm:1002 from node00 to node02"]
    );
    assert_eq!(ask(&cluster, &[1, 1, 2], 3).len(), 1);
}

#[test]
fn what_is_broken_already_is_in_nobodys_way() {
    let apart = PAIR.replace("vm:1001", "vm:1001,vm:1002");
    let cluster = cluster(3, &[(0, 0), (1, 0), (2, 0)], &apart);
    assert_eq!(ask(&cluster, &[0, 1, 2], 1), ["vm:1001 from node00 to node01", "vm:1002 from node00 to node02"]);
    let together = apart.replace("negative", "positive");
    let split = crate::cluster(3, &[(0, 0), (1, 1), (2, 2)], &together);
    assert_eq!(ask(&split, &[1, 1, 1], 1), ["vm:1000 from node00 to node01; vm:1002 from node02 to node01"]);
}

#[test]
fn a_target_that_breaks_something_is_refused_with_what_it_breaks() {
    let cluster = cluster(2, &[(0, 0), (1, 1)], PAIR);
    assert_eq!(ask(&cluster, &[1, 1], 1), ["rule apart: vm:1000, vm:1001 each on another node"]);
    let to = |service: usize, at: usize| BTreeMap::from([(sid(service), node(at))]);
    let error = |to| cluster.situation().steps(&to, &StepsQuestion::default()).unwrap_err().to_string();
    assert_eq!(error(to(7, 1)), "the manager status has no service 'vm:1007'");
    assert_eq!(error(to(1, 7)), "the cluster has no node 'node07'");
}

#[test]
fn steps_survive_json() {
    for nodes in [2, 3] {
        let cluster = cluster(nodes, &[(0, 0), (1, 1)], PAIR);
        let found = cluster.situation().steps(&named(&[1, 0]), &StepsQuestion::default()).unwrap();
        let text = serde_json::to_string(&found).unwrap();
        assert_eq!(serde_json::from_str::<Steps>(&text).unwrap(), found, "{text}");
    }
}
