//! Random histories of random clusters: see `ha-sim/README.md`. `tests/run` plays thousands from a fresh seed.

use std::{error::Error, time::Duration};

use ha_core::config::edit::Changes;
use ha_sim::{
    chaos::{Coverage, Hunt, Profile, Tally, generate, hunt, run, shrink},
    cluster::{Cluster, Invariant, PlantedBug, Setup},
};

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

fn play(seed: u64, runs: u64, profile: Profile) -> Tally {
    hunt(&Hunt { seed, runs, profile, threads: 2, planted: None, most_failures: 3 }, &|_| {})
}

#[test]
fn nothing_breaks_in_histories_of_fixed_seeds() {
    for &profile in Profile::ALL {
        let tally = play(1, 25, profile);
        let failures = tally.failures.iter();
        let failures: Vec<_> =
            failures.map(|failure| format!("seed {}: {}", failure.history.seed, failure.breach)).collect();
        assert!(
            failures.is_empty(),
            "ha-sim chaos --runs 1 --profile {} --seed … shows it: {failures:?}",
            profile.as_str()
        );
    }
}

#[test]
fn a_history_is_the_same_each_time_also_when_it_was_written_down() {
    for seed in 1..=5 {
        let history = generate(seed, Profile::Mixed);
        let text = serde_json::to_string(&history).unwrap();
        let again = serde_json::from_str(&text).unwrap();
        assert_eq!(history, again);
        let [one, other] = [&history, &again].map(|history| run(history).unwrap().cluster);
        assert_eq!(one.happenings_since(0), other.happenings_since(0));
    }
}

#[test]
fn a_history_that_fails_is_shortened_and_still_fails_in_the_same_way() {
    let mut history = generate(18, Profile::Mixed);
    history.planted = Some(PlantedBug::RecoveryWithoutFencing);
    let breach = run(&history).unwrap().breach.unwrap();
    let (shorter, shorter_breach) = shrink(&history, &breach);
    assert!(shorter.actions.len() < history.actions.len());
    assert_eq!(shorter_breach.invariant, breach.invariant);
    assert_eq!(run(&shorter).unwrap().breach, Some(shorter_breach));
}

/// Which seed of which profile finds which bug, and by which invariant. All were the first of 20,000, from seed 1.
const FOUND: &[(PlantedBug, Profile, u64, Invariant)] = &[
    (PlantedBug::LockPassesEarly, Profile::Mixed, 1, Invariant::FedAfterRenewal),
    (PlantedBug::LockPassesAtOnce, Profile::Mixed, 1, Invariant::FedAfterRenewal),
    (PlantedBug::WatchdogTooLong, Profile::Mixed, 1, Invariant::FedAfterRenewal),
    (PlantedBug::WatchdogNeverArmed, Profile::Mixed, 1, Invariant::WatchdogGuardsWhatRuns),
    (PlantedBug::LateFeedCounts, Profile::Calls, 265, Invariant::FedAfterRenewal),
    (PlantedBug::FailedRenewalCounts, Profile::Mixed, 2, Invariant::FedAfterRenewal),
    (PlantedBug::RefusedRenewalCounts, Profile::Mixed, 4, Invariant::FedAfterRenewal),
    (PlantedBug::RecoveryWithoutFencing, Profile::Mixed, 18, Invariant::FencedRunsNothing),
    (PlantedBug::FencingSkippedForMaintenance, Profile::People, 972, Invariant::FencedRunsNothing),
    (PlantedBug::ManagerLockForAll, Profile::Mixed, 1, Invariant::WrittenUnderLock),
    (PlantedBug::FenceDeviceLies, Profile::People, 460, Invariant::FencedRunsNothing),
    (PlantedBug::OldResultCounts, Profile::Mixed, 223, Invariant::WatchdogGuardsWhatRuns),
    (PlantedBug::FailedStopCountsAsSuccess, Profile::Mixed, 7, Invariant::Settles),
    (PlantedBug::FenceRequestIgnored, Profile::Mixed, 18, Invariant::FencedRunsNothing),
    (PlantedBug::FreezeIgnored, Profile::Mixed, 11, Invariant::Settles),
    (PlantedBug::AllFrozen, Profile::Mixed, 2, Invariant::WatchdogGuardsWhatRuns),
    (PlantedBug::RestartIgnored, Profile::Mixed, 23, Invariant::Settles),
    (PlantedBug::ServiceForgotten, Profile::Mixed, 1, Invariant::RecordsConsistent),
    (PlantedBug::StatusWriteForgotten, Profile::Mixed, 662, Invariant::RecordsConsistent),
    (PlantedBug::SameEntropy, Profile::Mixed, 1, Invariant::ExecutedOnce),
    (PlantedBug::StatusLostOnTakeover, Profile::Mixed, 16, Invariant::RecordsConsistent),
    (PlantedBug::WatchdogClosedWithoutLock, Profile::Network, 2, Invariant::WatchdogGuardsWhatRuns),
    (PlantedBug::RecordWrittenOnce, Profile::Mixed, 1, Invariant::Settles),
    (PlantedBug::ResultsLost, Profile::Mixed, 1, Invariant::Settles),
    (PlantedBug::JobBegunTwice, Profile::Mixed, 1, Invariant::ExecutedOnce),
];

#[test]
fn every_planted_bug_is_found() {
    let table: Vec<_> = FOUND.iter().map(|(bug, ..)| *bug).collect();
    assert_eq!(table, PlantedBug::ALL);
    for &(bug, profile, seed, invariant) in FOUND {
        let clean = generate(seed, profile);
        let mut planted = clean.clone();
        planted.planted = Some(bug);
        assert_eq!(run(&clean).unwrap().breach, None, "seed {seed} without a bug");
        let breach = run(&planted).unwrap().breach;
        assert_eq!(breach.map(|breach| breach.invariant), Some(invariant), "{} by seed {seed}", bug.as_str());
    }
}

/// Seeds whose histories together take every change of state that the specification names, but for those of
/// [`rare_changes`].
const COVERING: &[(Profile, &[u64])] = &[
    (Profile::People, &[4, 6, 10, 29, 75, 133, 151, 731]),
    (Profile::Calm, &[21, 242]),
    (Profile::Mixed, &[7, 22, 62, 151, 162]),
];

#[test]
fn the_changes_of_state_that_the_specification_names_are_taken() -> Result {
    let mut coverage = Coverage::default();
    for &(profile, seeds) in COVERING {
        for &seed in seeds {
            add(&mut coverage, &run(&generate(seed, profile))?.cluster);
        }
    }
    rare_changes(&mut coverage)?;
    let missing: Vec<_> = coverage.missing().collect();
    assert_eq!(missing, []);
    Ok(())
}

fn add(coverage: &mut Coverage, cluster: &Cluster) {
    if let Some(invariants) = cluster.invariants() {
        coverage.add(invariants.transitions());
    }
}

/// What random histories hardly ever take, since it needs the right second.
fn rare_changes(coverage: &mut Coverage) -> Result {
    let mut given_up = on_node3()?;
    given_up.power_off(&"node3".parse()?)?;
    given_up.run_for(Duration::from_secs(300))?;
    request(&mut given_up, "disabled")?;
    given_up.run_for(Duration::from_secs(20))?;
    add(coverage, &given_up);
    // A node in maintenance is overdue in the round in which its services may go elsewhere.
    for seconds in (40..100).step_by(5) {
        let mut cluster = on_node3()?;
        cluster.queue_command("enable-node-maintenance node3")?;
        cluster.run_for(Duration::from_secs(30))?;
        cluster.power_off(&"node3".parse()?)?;
        cluster.run_for(Duration::from_secs(seconds))?;
        cluster.edit(|editor, config| editor.remove_rule(config, "there"))?;
        cluster.run_for(Duration::from_secs(100))?;
        assert_eq!(cluster.invariants().and_then(|invariants| invariants.breach()), None);
        add(coverage, &cluster);
    }
    Ok(())
}

/// A virtual machine and a container that run on the third of three nodes, and on no other.
fn on_node3() -> Result<Cluster> {
    let rules = "node-affinity: there\n\tresources vm:100,ct:101\n\tnodes node3\n\tstrict 1\n";
    let setup = Setup::new(["node1", "node2", "node3"])?.resources("vm: 100\n\nct: 101\n")?.rules(rules)?;
    let mut cluster = Cluster::new(setup.guest("vm:100", "node3")?.guest("ct:101", "node3")?);
    cluster.check_invariants();
    cluster.run_for(Duration::from_secs(30))?;
    Ok(cluster)
}

fn request(cluster: &mut Cluster, state: &str) -> Result {
    let set = Changes { set: &[("state", state)], unset: &[] };
    cluster.edit(|editor, config| editor.set_resource(config, "vm:100", set))?;
    Ok(())
}
