//! Random histories of random clusters: see `ha-sim/README.md`. `tests/run` plays thousands, others for each commit.
#![allow(clippy::panic, reason = "tests may panic")]

use std::{error::Error, time::Duration};

use ha_core::config::edit::Changes;
use ha_sim::{
    chaos::{Coverage, History, Hunt, Profile, Tally, generate, hunt, run, shrink},
    cluster::{Cluster, Invariant, PlantedBug, Setup},
    scenario::{Scenario, play as play_scenario, written},
};

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

fn play(seed: u64, runs: u64, profile: Profile) -> Tally {
    hunt(&Hunt { seed, runs, profile, threads: 2, planted: None, most_failures: 3 }, &|_| {})
}

#[test]
fn nothing_breaks_in_histories_of_fixed_seeds() {
    for &profile in Profile::RANDOM {
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

/// A history that was written as a scenario and read again.
fn written_and_read(history: &History) -> Scenario {
    let files = written(history, "What it shows.");
    let configuration: Vec<(&str, &str)> = files.iter().map(|(file, text)| (*file, text.as_str())).collect();
    let [("scenario", text), configuration @ ..] = configuration.as_slice() else { panic!("no scenario: {files:?}") };
    Scenario::parse("found", text, configuration).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

#[test]
fn a_history_is_the_same_when_it_was_written_as_a_scenario() {
    let random = Profile::RANDOM.iter().flat_map(|profile| (1..=60).map(|seed| (seed, *profile)));
    for (seed, profile) in random.chain((0..8000).step_by(200).map(|seed| (seed, Profile::Matrix))) {
        let history = generate(seed, profile);
        let again = written_and_read(&history).history();
        assert!(again.as_ref() == Some(&history), "seed {seed} of {profile}: {again:#?} is not {history:#?}");
    }
}

#[test]
fn a_history_goes_the_same_each_time() {
    for (seed, profile) in (1..=5).map(|seed| (seed, Profile::Mixed)).chain([(77, Profile::Matrix)]) {
        let history = generate(seed, profile);
        let again = written_and_read(&history).history().unwrap();
        let [one, other] = [&history, &again].map(|history| run(history).cluster);
        assert_eq!(one.happenings_since(0), other.happenings_since(0));
    }
}

#[test]
fn what_the_hunt_found_is_a_scenario_that_fails_for_the_same_reason() {
    let bugs = [PlantedBug::RecoveryWithoutFencing, PlantedBug::MayRunForgotten, PlantedBug::FenceAttemptsByDevice];
    for &(bug, profile, seed, _) in FOUND.iter().filter(|(bug, ..)| bugs.contains(bug)) {
        let mut history = generate(seed, profile);
        history.planted = Some(bug);
        let breach = run(&history).breach.unwrap();
        let (shorter, breach) = shrink(&history, &breach);
        let scenario = written_and_read(&shorter);
        let failures = play_scenario(scenario, &mut |_| {}).failures;
        let found: Vec<_> = failures.iter().map(|failure| (failure.at, failure.message.clone())).collect();
        assert_eq!(found, [(breach.at, breach.broken())], "{}", bug.as_str());
        // Without the bug it shows that the core has no such bug.
        let mended = written_and_read(&History { planted: None, ..shorter });
        assert!(play_scenario(mended, &mut |_| {}).passed(), "{}", bug.as_str());
    }
}

#[test]
fn a_scenario_that_the_hunt_found_expects_nothing_else() {
    for line in ["at 2m expect armed", "by 2m expect armed", "from 1m until 2m expect armed"] {
        let text = format!("nodes node1\nhunted seed 1 profile mixed until 1m\n{line}\nuntil 3m");
        let error = Scenario::parse("found", &text, &[("resources.cfg", "")]).unwrap_err().to_string();
        assert!(error.starts_with("scenario:3:") && error.contains("judged as the hunt does"), "{line}: {error}");
    }
}

#[test]
fn a_history_that_fails_is_shortened_and_still_fails_in_the_same_way() {
    let mut history = generate(130, Profile::Mixed);
    history.planted = Some(PlantedBug::RecoveryWithoutFencing);
    let breach = run(&history).breach.unwrap();
    let (shorter, shorter_breach) = shrink(&history, &breach);
    assert!(shorter.actions.len() < history.actions.len());
    assert_eq!(shorter_breach.invariant, breach.invariant);
    assert_eq!(run(&shorter).breach, Some(shorter_breach));
}

/// Which seed of which profile finds which bug, and by which invariant, as [`find_the_seeds`] found it.
const FOUND: &[(PlantedBug, Profile, u64, Invariant)] = &[
    (PlantedBug::LockPassesEarly, Profile::Mixed, 0, Invariant::FedAfterRenewal),
    (PlantedBug::LockPassesAtOnce, Profile::Mixed, 0, Invariant::FedAfterRenewal),
    (PlantedBug::WatchdogTooLong, Profile::Mixed, 0, Invariant::FedAfterRenewal),
    (PlantedBug::WatchdogNeverArmed, Profile::Mixed, 0, Invariant::WatchdogGuardsWhatRuns),
    (PlantedBug::LateFeedCounts, Profile::Mixed, 3, Invariant::FedAfterRenewal),
    (PlantedBug::FailedRenewalCounts, Profile::Mixed, 0, Invariant::FedAfterRenewal),
    (PlantedBug::RefusedRenewalCounts, Profile::Mixed, 0, Invariant::FedAfterRenewal),
    (PlantedBug::RecoveryWithoutFencing, Profile::Mixed, 130, Invariant::FencedRunsNothing),
    (PlantedBug::FencingSkippedForMaintenance, Profile::Matrix, 1861, Invariant::FencedRunsNothing),
    (PlantedBug::ManagerLockForAll, Profile::Mixed, 0, Invariant::WrittenUnderLock),
    (PlantedBug::FenceDeviceLies, Profile::Mixed, 172, Invariant::FencedRunsNothing),
    (PlantedBug::OldResultCounts, Profile::Mixed, 0, Invariant::MayRunIsKnown),
    (PlantedBug::FailedStopCountsAsSuccess, Profile::Mixed, 0, Invariant::Settles),
    (PlantedBug::FenceRequestIgnored, Profile::Mixed, 16, Invariant::Settles),
    (PlantedBug::FreezeIgnored, Profile::Mixed, 13, Invariant::Settles),
    (PlantedBug::AllFrozen, Profile::Mixed, 0, Invariant::Settles),
    (PlantedBug::RestartIgnored, Profile::Mixed, 40, Invariant::Settles),
    (PlantedBug::ServiceForgotten, Profile::Mixed, 0, Invariant::ConfiguredIsKnown),
    (PlantedBug::StatusWriteForgotten, Profile::Mixed, 11, Invariant::GoesOn),
    (PlantedBug::SameEntropy, Profile::Mixed, 0, Invariant::RequestNamesOne),
    (PlantedBug::StatusLostOnTakeover, Profile::Mixed, 2, Invariant::RecordsConsistent),
    (PlantedBug::WatchdogClosedWithoutLock, Profile::Mixed, 0, Invariant::WatchdogGuardsWhatRuns),
    (PlantedBug::RecordWrittenOnce, Profile::Mixed, 0, Invariant::Settles),
    (PlantedBug::ResultsLost, Profile::Mixed, 0, Invariant::GoesOn),
    (PlantedBug::JobBegunTwice, Profile::Mixed, 0, Invariant::ExecutedOnce),
    (PlantedBug::MarksForgotten, Profile::Mixed, 2, Invariant::UnguardedIsMarked),
    (PlantedBug::MayRunForgotten, Profile::Mixed, 7, Invariant::MayRunIsKnown),
    (PlantedBug::EarlyStatus, Profile::Mixed, 1, Invariant::WrittenFromNewest),
    (PlantedBug::RecoveredInPlace, Profile::Mixed, 0, Invariant::RecoveredWhereItIs),
    (PlantedBug::RunningUnseen, Profile::Mixed, 2, Invariant::UnguardedIsMarked),
    (PlantedBug::RequestsComeBack, Profile::Mixed, 0, Invariant::RequestNamesOne),
    (PlantedBug::NamesCount, Profile::Mixed, 5, Invariant::RunsOnce),
    (PlantedBug::FenceAttemptsByDevice, Profile::Matrix, 7411, Invariant::FencedRunsNothing),
    (PlantedBug::FenceAttemptsKept, Profile::Mixed, 12, Invariant::FencedForIncident),
    (PlantedBug::BootProvesEnough, Profile::Matrix, 8455, Invariant::FencedRunsNothing),
    (PlantedBug::EndedJobsGoOn, Profile::Calls, 42, Invariant::MayRunIsKnown),
    (PlantedBug::LeftoversUnseen, Profile::Mixed, 141, Invariant::MayRunIsKnown),
    (PlantedBug::UntoldCountsAsStopped, Profile::Mixed, 200, Invariant::MayRunIsKnown),
    (PlantedBug::SecondStopIgnored, Profile::Mixed, 3, Invariant::WatchdogGuardsWhatRuns),
    (PlantedBug::FullStoreLosesLocks, Profile::Calm, 4, Invariant::NoNeedlessReset),
    (PlantedBug::UnmountedIsEmpty, Profile::Mixed, 0, Invariant::FedAfterRenewal),
    (PlantedBug::DamagedForgotten, Profile::People, 3, Invariant::NotUnderstoodIsKept),
    (PlantedBug::ArmedLate, Profile::Mixed, 65, Invariant::FedAfterRenewal),
    (PlantedBug::MarkerRemoved, Profile::Calls, 435, Invariant::UnguardedIsMarked),
    (PlantedBug::DeviceFedLate, Profile::Calls, 312, Invariant::DeviceEndsInTime),
    (PlantedBug::TermsIgnored, Profile::Calls, 8, Invariant::FedAfterRenewal),
    (PlantedBug::CommandsWaitForNodes, Profile::Mixed, 77, Invariant::GoesOn),
    (PlantedBug::StartsWaitForNodes, Profile::Mixed, 170, Invariant::GoesOn),
    (PlantedBug::PrioritiesUnseen, Profile::Mixed, 16, Invariant::HigherFirst),
    (PlantedBug::BoundsUnseen, Profile::Mixed, 15, Invariant::StormsAreBounded),
    (PlantedBug::ProbesUnseen, Profile::Mixed, 311, Invariant::ComesAfter),
    (PlantedBug::TurnsUnseen, Profile::Mixed, 86, Invariant::ComesAfter),
    (PlantedBug::LooseRulesUnseen, Profile::Mixed, 218, Invariant::Settles),
    (PlantedBug::LabelsUnseen, Profile::Mixed, 571, Invariant::Settles),
    (PlantedBug::DelaysUnseen, Profile::Mixed, 322, Invariant::GoesBackInTime),
    (PlantedBug::HoldsUnseen, Profile::Mixed, 103, Invariant::SparesFlapping),
    (PlantedBug::ErrorsUntold, Profile::Mixed, 7, Invariant::ToldWhy),
];

#[test]
fn every_planted_bug_is_found() {
    let table: Vec<_> = FOUND.iter().map(|(bug, ..)| *bug).collect();
    assert_eq!(table, PlantedBug::ALL);
    for &(bug, profile, seed, invariant) in FOUND {
        let clean = generate(seed, profile);
        let mut planted = clean.clone();
        planted.planted = Some(bug);
        assert_eq!(run(&clean).breach, None, "seed {seed} without a bug");
        let breach = run(&planted).breach;
        assert_eq!(breach.map(|breach| breach.invariant), Some(invariant), "{} by seed {seed}", bug.as_str());
    }
}

/// In which profiles the seeds of [`FOUND`] are looked for, and how far. The matrix is last: nothing in it is left to chance.
const LOOKED_FOR: [(Profile, u64); 6] = [
    (Profile::Mixed, 600),
    (Profile::People, 600),
    (Profile::Calls, 600),
    (Profile::Network, 300),
    (Profile::Calm, 300),
    (Profile::Matrix, 8600),
];

/// `cargo test -p ha-sim --test chaos -- --ignored --nocapture find_the_seeds` prints the rows of [`FOUND`] again. With
/// `BUGS=marks-forgotten,all-frozen` only those of these bugs.
#[test]
#[ignore = "it takes minutes: for when the generator has changed"]
#[allow(clippy::disallowed_methods, clippy::print_stdout, reason = "it is a tool")]
fn find_the_seeds() {
    let wanted = std::env::var("BUGS").ok();
    for &bug in PlantedBug::ALL {
        if wanted.as_ref().is_some_and(|wanted| !wanted.split(',').any(|name| name == bug.as_str())) {
            continue;
        }
        let found = LOOKED_FOR.iter().find_map(|&(profile, runs)| {
            let hunted = Hunt { seed: 0, runs, profile, threads: 2, planted: Some(bug), most_failures: 1 };
            let failure = hunt(&hunted, &|_| {}).failures.into_iter().next()?;
            let clean = run(&generate(failure.history.seed, profile)).breach.is_none();
            clean.then_some((profile, failure.history.seed, failure.breach.invariant))
        });
        match found {
            Some((profile, seed, invariant)) => {
                println!("    (PlantedBug::{bug:?}, Profile::{profile:?}, {seed}, Invariant::{invariant:?}),");
            }
            None => println!("    // {bug:?}: not found"),
        }
    }
}

/// Seeds of what people do whose histories together take every change of state that the rules allow, except those of
/// [`rare_changes`].
const COVERING: std::ops::Range<u64> = 0..420;

#[test]
fn the_changes_of_state_that_the_rules_allow_are_taken() -> Result {
    let mut coverage = play(COVERING.start, COVERING.end - COVERING.start, Profile::People).coverage;
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
    add(coverage, &stopped_while_it_is_balanced()?);
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

/// A service must be stopped while it goes to another node to be started there.
fn stopped_while_it_is_balanced() -> Result<Cluster> {
    let rules = "node-affinity: there\n\tresources vm:100\n\tnodes node3\n\tstrict 1\n";
    let setup = Setup::new(["node1", "node2", "node3"])?.resources("vm: 100\n")?.rules(rules)?;
    let mut setup = setup.datacenter("crs: ha-rebalance-on-start=1\n")?.guest("vm:100", "node1")?;
    for guest in setup.guests.values_mut() {
        guest.guest.times.relocate = Some(Duration::from_secs(30));
    }
    let mut cluster = Cluster::new(setup);
    cluster.check_invariants();
    cluster.run_for(Duration::from_secs(15))?;
    request(&mut cluster, "stopped")?;
    cluster.run_for(Duration::from_secs(60))?;
    Ok(cluster)
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
