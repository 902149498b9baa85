//! Which losses are survived, by the plan: the same as when the nodes of a virtual cluster really lose their power.
#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "tests may panic")]

mod common;

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    fmt::Write,
};

use fastrand::Rng;
use ha_core::{
    config::RequestedState,
    id::{NodeName, ServiceId},
    plan::{Losses, RoundsToCome},
    status::{ManagerStatus, ServiceState, StateName},
};
use ha_sim::cluster::{Cluster, Setup};

use common::{nothing_broke, seconds, start};

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

/// How many clusters are played if nobody asks for more (`HA_TOLERANCE_CLUSTERS`).
const CLUSTERS: u64 = 60;

/// A cluster of three to five nodes, with up to eight services and rules of all kinds among them.
fn random_setup(rng: &mut Rng) -> Result<Setup> {
    let nodes: Vec<String> = (1..=rng.usize(3..=5)).map(|number| format!("node{number}")).collect();
    let sids: Vec<String> = (0..rng.usize(1..=8)).map(|number| format!("vm:{}", 100 + number)).collect();
    let mut setup = Setup::new(nodes.iter().map(String::as_str))?;
    let strict = [rng.u8(0..=1), rng.u8(0..=1)];
    let mut resources = String::new();
    for sid in &sids {
        let state = ["started", "started", "started", "stopped", "disabled"][rng.usize(0..5)];
        write!(resources, "{}\n\tstate {state}\n\n", sid.replace(':', ": "))?;
        setup = setup.guest(sid, &nodes[rng.usize(0..nodes.len())])?;
    }
    let mut some = |of: &[String], most: usize| {
        let mut chosen = of.to_vec();
        rng.shuffle(&mut chosen);
        chosen.truncate(rng.usize(1..=most.min(chosen.len())));
        chosen
    };
    let (apart, together) = sids.split_at(sids.len() / 2);
    let (mut rules, mut bound) = (String::new(), Vec::new());
    for (affinity, services) in [("negative", apart), ("positive", together)] {
        let services = if services.is_empty() { Vec::new() } else { some(services, 4) };
        if services.len() > 1 {
            let list = services.join(",");
            write!(rules, "resource-affinity: all-{affinity}\n\tresources {list}\n\taffinity {affinity}\n\n")?;
        }
        bound.push(services);
    }
    for (strict, services) in strict.iter().zip(&bound).filter(|(_, services)| !services.is_empty()) {
        let (list, on) = (services.join(","), some(&nodes, 3).join(","));
        let first = services[0].replace(':', "-");
        write!(rules, "node-affinity: for-{first}\n\tresources {list}\n\tnodes {on}\n\tstrict {strict}\n\n")?;
    }
    Ok(setup.resources(&resources)?.rules(&rules)?)
}

/// A cluster that has settled.
fn settled(seed: u64) -> Result<Cluster> {
    let mut cluster = start(random_setup(&mut Rng::with_seed(seed))?);
    cluster.run_for(seconds(300))?;
    Ok(cluster)
}

/// Where each service that is asked to run does, by the record; nothing for those that don't.
fn places(status: &ManagerStatus, cluster: &Cluster) -> BTreeMap<ServiceId, Option<NodeName>> {
    let requested = |sid: &ServiceId| {
        let resources = &cluster.world().store.resources.resources;
        resources.get(sid).is_some_and(|resource| resource.state() == RequestedState::Started)
    };
    let entries = status.services.iter().filter(|(sid, _)| requested(sid));
    let place = |state: &ServiceState, node: &NodeName| (state.name() == StateName::Started).then(|| node.clone());
    entries.map(|(sid, entry)| (sid.clone(), place(&entry.state, &entry.node))).collect()
}

/// What comes of a loss in the virtual cluster, with real daemons.
fn lose(seed: u64, lost: &BTreeSet<NodeName>) -> Result<BTreeMap<ServiceId, Option<NodeName>>> {
    let mut cluster = settled(seed)?;
    for node in lost {
        cluster.power_off(node)?;
    }
    cluster.run_for(seconds(600))?;
    nothing_broke(&cluster);
    let status = cluster.manager_status().ok_or("there is no record")?;
    let places = places(status, &cluster);
    for (sid, place) in &places {
        let runs: Vec<&str> = place.iter().map(NodeName::as_str).collect();
        assert_eq!(cluster.places(sid), runs, "seed {seed}: {sid} after the loss of {lost:?}");
    }
    Ok(places)
}

/// All sets of one or two nodes that leave more than half of the nodes.
fn losses(cluster: &Cluster) -> Vec<BTreeSet<NodeName>> {
    let nodes: Vec<&NodeName> = cluster.world().nodes.keys().collect();
    let mut sets = Vec::new();
    for (index, one) in nodes.iter().enumerate() {
        sets.push(BTreeSet::from([(*one).clone()]));
        sets.extend(nodes.iter().skip(index + 1).map(|other| BTreeSet::from([(*one).clone(), (*other).clone()])));
    }
    sets.retain(|set| set.len() * 2 < nodes.len());
    sets
}

fn services_down(places: &BTreeMap<ServiceId, Option<NodeName>>, but: &BTreeSet<ServiceId>) -> BTreeSet<ServiceId> {
    let down = places.iter().filter(|(sid, place)| place.is_none() && !but.contains(*sid));
    down.map(|(sid, _)| sid.clone()).collect()
}

#[test]
fn what_is_foretold_of_a_loss_comes_true() -> Result {
    let clusters = std::env::var("HA_TOLERANCE_CLUSTERS").ok().and_then(|text| text.parse().ok()).unwrap_or(CLUSTERS);
    let (mut held, mut broke) = (0, 0);
    for seed in 0..clusters {
        let cluster = settled(seed)?;
        let rounds: RoundsToCome = cluster.rounds_to_come().ok_or("there is no master")?;
        for lost in losses(&cluster) {
            let foretold = rounds.clone().play_loss(&lost);
            let came = lose(seed, &lost)?;
            assert_eq!(places(&foretold.status, &cluster), came, "seed {seed}, {lost:?}");
            // The set alone, as one thing that is lost.
            let unit = ha_core::plan::LossUnit { name: "it".into(), nodes: lost.clone() };
            let question = Losses { units: vec![unit], ..Losses::of_nodes(&[], 1) };
            let tolerance = rounds.clone().tolerance(&question);
            let before = tolerance.down_already.iter().map(|down| down.sid.clone()).collect();
            let too_much = tolerance.levels.iter().find_map(|level| level.too_much.as_ref());
            let down: BTreeSet<ServiceId> =
                too_much.iter().flat_map(|too_much| &too_much.down).map(|down| down.sid.clone()).collect();
            assert_eq!(down, services_down(&came, &before), "seed {seed}, {lost:?}");
            *(if down.is_empty() { &mut held } else { &mut broke }) += 1;
        }
    }
    assert!(held > clusters && broke > clusters / 2, "both come often: {held}, {broke}");
    Ok(())
}
