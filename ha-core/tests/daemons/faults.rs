//! Every story with every kind of call failing in turn, at many places: never a panic, always an event and a later retry,
//! and what must always hold holds (`cluster/invariants.rs`).

use std::panic::{AssertUnwindSafe, catch_unwind};

use ha_core::{event::Event, host::HostOperation};

use crate::{
    cluster::{Cluster, Disturbance, Fault, When},
    stories::{STORIES, Story},
};

/// At how many places of a story each kind of call fails in each way, at most: more with `FAULT_PLACES=40`, say.
const PLACES: u32 = 4;

/// All ways in which a call fails. 40 s are within the budget of a feed, 55 s are beyond it but leave the watchdog open,
/// 130 s are longer than the lease.
const FAULTS: [Fault; 10] = [
    Fault::Error(When::Before),
    Fault::Error(When::After),
    Fault::Late(When::Before, 40),
    Fault::Late(When::After, 40),
    Fault::Late(When::Before, 55),
    Fault::Late(When::After, 55),
    Fault::Late(When::Before, 130),
    Fault::Crash(When::Before),
    Fault::Crash(When::After),
    Fault::Wrong,
];

/// What no host may do: see [`ha_core::host::Workers`]. An error means that nothing was started, or taken.
fn breaks_the_contract(disturbance: &Disturbance) -> bool {
    let of_workers = matches!(disturbance.operation, HostOperation::StartJob | HostOperation::FinishedJobs);
    of_workers && disturbance.fault == Fault::Error(When::After)
}

/// The numbers of the calls that fail: the first ones, and others spread over all.
#[allow(clippy::disallowed_methods, reason = "the core has no environment, but its tests have one")]
fn places(count: u32, shift: u32) -> Vec<u32> {
    let asked = std::env::var("FAULT_PLACES").ok().map(|places| places.parse().unwrap());
    let most = asked.unwrap_or(PLACES).max(PLACES);
    if count <= most {
        return (1..=count).collect();
    }
    let step = count / (most - 2);
    let mut places: Vec<u32> = (0..most - 2).map(|place| 1 + place * step + shift % step).collect();
    places.extend([1, 2]);
    places.sort_unstable();
    places.dedup();
    places
}

fn play(story: &Story, disturbance: Option<Disturbance>) -> Cluster {
    let mut cluster = story.cluster();
    cluster.disturbance = disturbance;
    story.play(&mut cluster);
    cluster
}

/// What is wrong with a run.
fn problems(story: &Story, disturbance: Disturbance) -> Vec<String> {
    let Ok(cluster) = catch_unwind(AssertUnwindSafe(|| play(story, Some(disturbance)))) else {
        return vec!["panicked".into()];
    };
    let mut problems = story.problems(&cluster);
    if matches!(disturbance.fault, Fault::Error(_)) {
        let reported = |event: &Event| matches!(event, Event::HostCallFailed { operation, .. } if *operation == disturbance.operation);
        if !cluster.reports.iter().any(|report| reported(&report.event)) {
            problems.push("the failed call was not reported".into());
        }
    }
    problems
}

/// Plays the stories of one share, so that the shares run side by side.
fn every_call_fails_in_turn(share: usize, shares: usize) {
    let mut failed = Vec::new();
    let mut runs = 0;
    for (number, story) in STORIES.iter().enumerate().filter(|(number, _)| number % shares == share) {
        let undisturbed = play(story, None);
        for (operation, count) in &undisturbed.calls {
            for (kind, fault) in FAULTS.into_iter().enumerate() {
                for number in places(*count, u32::try_from(7 * number + 3 * kind).unwrap()) {
                    let disturbance = Disturbance { operation: *operation, number, fault };
                    if breaks_the_contract(&disturbance) {
                        continue;
                    }
                    runs += 1;
                    let problems = problems(story, disturbance);
                    if !problems.is_empty() {
                        failed.push(format!("{}, {disturbance:?}:\n  {}", story.name, problems.join("\n  ")));
                    }
                }
            }
        }
    }
    assert!(failed.is_empty(), "{} of {runs} runs failed:\n{}", failed.len(), failed.join("\n"));
    assert!(runs > 500, "only {runs} runs");
}

#[test]
fn stories_end_well_if_nothing_fails() {
    for story in STORIES {
        let cluster = play(story, None);
        let problems = story.problems(&cluster);
        assert!(problems.is_empty(), "{}: {problems:?}", story.name);
        let ended = cluster.time.since_start().as_secs();
        assert!(ended <= story.end + 30, "{} took until {ended}", story.name);
    }
}

#[test]
fn every_call_fails_in_turn_in_one_half_of_the_stories() {
    every_call_fails_in_turn(0, 2);
}

#[test]
fn every_call_fails_in_turn_in_the_other_half_of_the_stories() {
    every_call_fails_in_turn(1, 2);
}
