//! What automatic balancing would move, by the plan: the same that real daemons move in a virtual cluster once it is switched on.
#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "tests may panic")]

mod common;

use std::{collections::BTreeMap, error::Error, fmt::Write};

use fastrand::Rng;
use ha_core::{
    config::Changes,
    event::Event,
    id::{NodeName, ServiceId},
    plan::{BalancePlan, BalanceQuestion, FeasibleQuestion, Move, RoundsToCome, Situation, Steps, StepsQuestion},
    status::ServiceState,
};
use ha_sim::{
    cluster::{Cluster, Setup},
    world::What,
};

use common::{nothing_broke, seconds, start};

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

/// How many clusters are played if nobody asks for more (`HA_BALANCE_CLUSTERS`).
const CLUSTERS: u64 = 100;

/// A cluster of two to five nodes with up to twelve services of all sizes, rules of all kinds, and some that may not be moved.
fn random_setup(rng: &mut Rng) -> Result<Setup> {
    let nodes: Vec<String> = (1..=rng.usize(2..=5)).map(|number| format!("node{number}")).collect();
    let sids: Vec<String> = (0..rng.usize(2..=12)).map(|number| format!("vm:{}", 100 + number)).collect();
    let mut setup = Setup::new(nodes.iter().map(String::as_str))?;
    let mut resources = String::new();
    // Most are on few nodes, so that there is something to balance.
    let crowded = rng.usize(1..=nodes.len());
    for sid in &sids {
        let state = ["started", "started", "started", "started", "started", "stopped"][rng.usize(0..6)];
        let may_move = rng.u8(0..5) > 0;
        write!(resources, "{}\n\tstate {state}\n", sid.replace(':', ": "))?;
        writeln!(resources, "{}", if may_move { "" } else { "\tauto-rebalance 0\n" })?;
        setup = setup.guest(sid, &nodes[rng.usize(0..crowded)])?;
        let guest = setup.guests.get_mut(&sid.parse::<ServiceId>()?).ok_or("it was put there")?;
        // Quarters of a core add up exactly.
        guest.guest.max_cpu = f64::from(rng.u8(1..=16)) / 4.0;
        guest.guest.max_memory = rng.u64(1..=16) << 30;
        guest.guest.cpu = guest.guest.max_cpu / f64::from(1 << rng.u8(0..=2));
        guest.guest.memory = guest.guest.max_memory / rng.u64(1..=3);
    }
    let rules = random_rules(rng, &nodes, &sids)?;
    let scheduler = format!(
        "crs: ha={},ha-auto-rebalance=0,ha-auto-rebalance-threshold={},ha-auto-rebalance-margin={},\
         ha-auto-rebalance-method={},ha-auto-rebalance-hold-duration={}\n",
        ["static", "dynamic"][rng.usize(0..2)],
        [5, 10, 30][rng.usize(0..3)],
        [1, 5, 10][rng.usize(0..3)],
        ["bruteforce", "topsis"][usize::from(rng.u8(0..4) == 0)],
        rng.u8(0..=3),
    );
    Ok(setup.resources(&resources)?.rules(&rules)?.datacenter(&scheduler)?)
}

fn random_rules(rng: &mut Rng, nodes: &[String], sids: &[String]) -> Result<String> {
    let mut some = |of: &[String], most: usize| {
        let mut chosen = of.to_vec();
        rng.shuffle(&mut chosen);
        chosen.truncate(rng.usize(1..=most.min(chosen.len()).max(1)));
        chosen
    };
    let (apart, together) = sids.split_at(sids.len() / 2);
    let mut rules = String::new();
    for (affinity, services) in [("negative", some(apart, 3)), ("positive", some(together, 3))] {
        if services.len() > 1 {
            let list = services.join(",");
            write!(rules, "resource-affinity: all-{affinity}\n\tresources {list}\n\taffinity {affinity}\n\n")?;
        }
    }
    let bound = some(sids, 2);
    let on: Vec<String> = some(nodes, 3).iter().map(|node| format!("{node}:{}", nodes.len() % 2)).collect();
    let strict = usize::from(bound.len() == 1);
    write!(
        rules,
        "node-affinity: bound\n\tresources {}\n\tnodes {}\n\tstrict {strict}\n\n",
        bound.join(","),
        on.join(",")
    )?;
    Ok(rules)
}

/// What balancing has moved since a moment: the service that it chose, where to, and the imbalance that it expected.
fn chosen(cluster: &Cluster, mark: usize) -> Vec<(ServiceId, NodeName, f64)> {
    let chosen = cluster.happenings_since(mark).iter().filter_map(|happening| match &happening.what {
        What::Core(Event::AutoRebalance { sid, target, expected_imbalance, .. }) => {
            Some((sid.clone(), target.clone(), *expected_imbalance))
        }
        What::Core(_) | What::Cluster(_) => None,
    });
    chosen.collect()
}

fn places(rounds: &RoundsToCome) -> BTreeMap<ServiceId, NodeName> {
    rounds.status.services.iter().map(|(sid, entry)| (sid.clone(), entry.node.clone())).collect()
}

/// Whether these places keep every strict rule, by the search for feasible placements, which shares nothing with balancing.
fn keeps_rules(rounds: &RoundsToCome, places: &BTreeMap<ServiceId, NodeName>) -> Result<bool> {
    let members: Vec<NodeName> = rounds.input.members.keys().cloned().collect();
    let situation = Situation::new(&rounds.status, &rounds.input.configuration, &members);
    let within = FeasibleQuestion { most_steps: 1, ..FeasibleQuestion::default() };
    let steps = situation.steps(places, &StepsQuestion { within, ..StepsQuestion::default() })?;
    Ok(!matches!(steps, Steps::TargetBreaks { .. }))
}

/// Each step of a plan keeps what is kept before it.
fn check_rules(rounds: &RoundsToCome, plan: &BalancePlan, seed: u64) -> Result {
    let mut now = places(rounds);
    if !keeps_rules(rounds, &now)? {
        return Ok(());
    }
    for step in &plan.steps {
        for Move { sid, from, to } in step.moves.iter().chain(&step.followed_by) {
            let before = now.insert(sid.clone(), to.clone());
            assert_eq!(&before, from, "seed {seed}: {sid} goes from where it is");
        }
        assert!(keeps_rules(rounds, &now)?, "seed {seed}: after {step:?}");
    }
    Ok(())
}

/// Whether the next move may be decided before a stopped service that has moved along has settled. That depends on how long its agent takes.
fn depends_on_agents(cluster: &Cluster, rounds: &RoundsToCome, plan: &BalancePlan) -> bool {
    let is_stopped =
        |sid: &ServiceId| rounds.status.services.get(sid).is_some_and(|entry| entry.state == ServiceState::Stopped);
    cluster.datacenter().config().scheduler.hold_duration < 2 && plan.moves().any(|step| is_stopped(&step.sid))
}

#[test]
fn what_balancing_is_said_to_move_it_moves() -> Result {
    let clusters = std::env::var("HA_BALANCE_CLUSTERS").ok().and_then(|text| text.parse().ok()).unwrap_or(CLUSTERS);
    let (mut moved, mut bundles) = (0, 0);
    for seed in 0..clusters {
        let mut cluster = start(random_setup(&mut Rng::with_seed(seed))?);
        cluster.run_for(seconds(300))?;
        let rounds = cluster.rounds_to_come().ok_or("there is no master")?;
        let plan = rounds.clone().balance(&BalanceQuestion { most_moves: 20, ..BalanceQuestion::default() });
        check_rules(&rounds, &plan, seed)?;
        if depends_on_agents(&cluster, &rounds, &plan) {
            continue;
        }
        let mark = cluster.mark();
        cluster.edit_datacenter(Changes { set: &[("crs.ha-auto-rebalance", "1")], unset: &[] })?;
        cluster.run_for(seconds(3600))?;
        nothing_broke(&cluster);
        let mut came = chosen(&cluster, mark);
        let foretold: Vec<(ServiceId, NodeName, f64)> =
            plan.steps.iter().map(|step| (step.leader.clone(), step.moves[0].to.clone(), step.imbalance)).collect();
        if !plan.is_whole {
            came.truncate(foretold.len());
        }
        assert_eq!(foretold, came, "seed {seed}");
        let mut then = places(&rounds);
        then.extend(plan.moves().map(|step| (step.sid.clone(), step.to.clone())));
        for (sid, node) in then.iter().filter(|_| plan.is_whole) {
            assert_eq!(cluster.guest_node(sid), Some(node), "seed {seed}: {sid}");
        }
        for left in &plan.left_alone {
            let is_chosen = came.iter().any(|(sid, _, _)| *sid == left.sid);
            assert!(!is_chosen, "seed {seed}: {left:?}");
        }
        moved += plan.steps.len();
        bundles += plan.steps.iter().filter(|step| step.moves.len() > 1).count();
    }
    let clusters = usize::try_from(clusters)?;
    assert!(moved > clusters && bundles > clusters / 20, "both come often: {moved}, {bundles}");
    Ok(())
}
