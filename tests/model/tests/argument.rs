//! The validation of the library against the model: what it accepts is safe, and what it refuses at its edge is not.
//!
//! Each test prints how many timing sets it searched and how many states they have: `cargo test -- --nocapture`.

use std::time::Duration;

use ha_core::timing::{Inequality, TimingSettings};
use ha_core_model::{Action, FeedRule, Machine, Pace, Physics};
use stateright::{Checker, Model};

/// Settings of a few milliseconds that keep out of the way of everything that the model is not about.
fn smallest() -> TimingSettings {
    let (zero, one) = (Duration::ZERO, Duration::from_millis(1));
    TimingSettings {
        multiplexer_interval: zero,
        device_timeout: zero,
        device_granularity: zero,
        multiplexer_warning: zero,
        lock_retry_window: zero,
        lock_retry_interval: one,
        lock_answer: zero,
        round_time: one,
        waiting_loop: one,
        worker_turn: zero,
        worker_look_interval: one,
        longest_step: zero,
        membership_detection: zero,
        fence_delay: zero,
        record_old_after: Duration::from_secs(1),
        clock_drift_ppm: 0,
        ..TimingSettings::customary()
    }
}

/// Sets of timings around the edge of what is accepted, of up to so many milliseconds.
fn grid(longest_lifetime: u64) -> Vec<TimingSettings> {
    let ms = Duration::from_millis;
    let mut sets = Vec::new();
    // The drift is a whole number of milliseconds, so that the model need not round.
    let lifetimes = (2..=longest_lifetime).map(|lifetime| (lifetime, 0));
    let drifting = [(10, 100_000), (20, 100_000), (20, 50_000)].into_iter().filter(|(l, _)| *l <= longest_lifetime);
    for (lifetime, clock_drift_ppm) in lifetimes.chain(drifting) {
        for (interval, device_timeout) in [(0, 0), (1, 2), (1, 3), (2, 1), (2, 5)] {
            for (granularity, answer) in [(0, 0), (0, 1), (1, 0), (1, 2)] {
                for watchdog_timeout in 1..=lifetime {
                    sets.push(TimingSettings {
                        lock_lifetime: ms(lifetime),
                        clock_drift_ppm,
                        multiplexer_interval: ms(interval),
                        device_timeout: ms(device_timeout),
                        device_granularity: ms(granularity),
                        lock_answer: ms(answer),
                        watchdog_timeout: ms(watchdog_timeout),
                        ..smallest()
                    });
                }
            }
        }
    }
    sets
}

/// The inequalities that settings violate.
fn violated(settings: &TimingSettings) -> Vec<Inequality> {
    settings.validate().map_or_else(
        |errors| errors.violations().iter().map(|violation| violation.inequality).collect(),
        |_| Vec::new(),
    )
}

/// What a search came to: the steps to the first thing that must not happen, if there is such, and the states seen.
struct Found {
    steps: Option<Vec<Action>>,
    states: usize,
}

fn search(settings: &TimingSettings, rule: FeedRule, pace: Pace) -> Found {
    let physics = Physics::of(settings).expect("the grid has whole milliseconds only");
    search_physics(physics, rule, pace)
}

fn search_physics(physics: Physics, rule: FeedRule, pace: Pace) -> Found {
    let checker = Machine { physics, rule, pace }.checker().spawn_bfs().join();
    let steps = checker.discoveries().into_values().next().map(|path| path.into_actions());
    Found { steps, states: checker.unique_state_count() }
}

/// Searches many sets, on all cores, and says how much that was.
fn search_all<'a>(
    what: &str,
    sets: impl IntoIterator<Item = &'a TimingSettings>,
    judge: impl Fn(&TimingSettings) -> usize + Sync,
) {
    let sets: Vec<&TimingSettings> = sets.into_iter().collect();
    assert!(!sets.is_empty(), "{what}: the grid has no such set");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let states: usize = std::thread::scope(|scope| {
        let judge = &judge;
        let parts: Vec<_> = (0..cores)
            .map(|core| sets.iter().skip(core).step_by(cores).copied().collect::<Vec<_>>())
            .map(|part| scope.spawn(move || part.into_iter().map(judge).sum::<usize>()))
            .collect();
        parts.into_iter().map(|part| part.join().expect("a set was judged wrongly; see above")).sum()
    });
    println!("{what}: {} timing sets, {states} states", sets.len());
}

const IN_CI: u64 = 10;
const BY_HAND: u64 = 20;

fn a_double_run_is_found_exactly_where_the_validation_refuses(longest_lifetime: u64) {
    search_all("double runs", &grid(longest_lifetime), |settings| {
        let violated = violated(settings);
        let refused = violated.contains(&Inequality::LockOutlivesWatchdog);
        let found = search(settings, FeedRule::Deadline, Pace::Any);
        // A device that does not even last from one feed to the next one cannot use up its slack.
        if found.steps.is_some() || !violated.contains(&Inequality::DeviceAllowsMissedFeed) {
            assert_eq!(found.steps.is_some(), refused, "{settings:?}: {:?}", found.steps);
        }
        if let Ok(timings) = settings.validate() {
            assert!(Physics::of(settings).unwrap().agrees_with(&timings), "{settings:?}");
        }
        found.states
    });
}

#[test]
fn a_service_runs_twice_exactly_with_timings_that_the_validation_refuses() {
    a_double_run_is_found_exactly_where_the_validation_refuses(IN_CI);
}

#[test]
#[ignore = "takes minutes"]
fn by_hand_a_service_runs_twice_exactly_with_timings_that_the_validation_refuses() {
    a_double_run_is_found_exactly_where_the_validation_refuses(BY_HAND);
}

#[test]
fn no_node_is_reset_in_vain_with_timings_that_the_validation_accepts() {
    search_all("needless resets", grid(IN_CI).iter().filter(|set| violated(set).is_empty()), |settings| {
        let found = search(settings, FeedRule::Deadline, Pace::AsPromised);
        assert_eq!(found.steps, None, "{settings:?}");
        found.states
    });
}

/// The sets that violate this inequality alone and would not if a setting were one millisecond more.
fn at_the_edge(inequality: Inequality, mend: fn(&mut TimingSettings)) -> Vec<TimingSettings> {
    let at_edge = |settings: &TimingSettings| {
        let mut mended = *settings;
        mend(&mut mended);
        violated(settings) == [inequality] && violated(&mended).is_empty()
    };
    grid(IN_CI).into_iter().filter(at_edge).collect()
}

fn a_node_is_reset_in_vain(inequality: Inequality, mend: fn(&mut TimingSettings)) {
    search_all(inequality.as_str(), &at_the_edge(inequality, mend), |settings| {
        let found = search(settings, FeedRule::Deadline, Pace::AsPromised);
        assert!(found.steps.is_some(), "{settings:?}");
        found.states
    });
}

const ONE: Duration = Duration::from_millis(1);

#[test]
fn one_millisecond_less_for_a_missed_renewal_resets_a_node_in_vain() {
    a_node_is_reset_in_vain(Inequality::WatchdogAllowsMissedRenewal, |settings| settings.watchdog_timeout += ONE);
}

#[test]
fn one_millisecond_less_for_a_missed_feed_of_the_device_resets_a_node_in_vain() {
    a_node_is_reset_in_vain(Inequality::DeviceAllowsMissedFeed, |settings| settings.device_timeout += ONE);
}

#[test]
fn one_millisecond_less_for_a_late_answer_resets_a_node_in_vain() {
    a_node_is_reset_in_vain(Inequality::LockAllowsLateAnswer, |settings| settings.lock_lifetime += ONE);
}

/// Every set that is accepted, under a rule for feeds that must be as good.
#[test]
fn feeding_with_what_is_left_is_safe_as_well() {
    search_all("what is left", grid(IN_CI).iter().filter(|set| violated(set).is_empty()), |settings| {
        let found = search(settings, FeedRule::WithWhatIsLeft, Pace::Any);
        assert_eq!(found.steps, None, "{settings:?}");
        found.states
    });
}

/// A mistake is found with every set that is accepted.
fn a_mistake_is_found(rule: FeedRule) -> Vec<Action> {
    let sets: Vec<TimingSettings> = grid(IN_CI).into_iter().filter(|set| violated(set).is_empty()).collect();
    search_all(&format!("{rule:?}"), &sets, |settings| {
        let found = search(settings, rule, Pace::Any);
        assert!(found.steps.is_some(), "{settings:?}");
        found.states
    });
    search(&sets[0], rule, Pace::Any).steps.unwrap()
}

/// The lock is renewed, then the process stalls, then the watchdog is fed: the trap that the feed deadline is there for.
#[test]
fn without_a_feed_deadline_a_stall_between_renewal_and_feed_leads_to_a_double_run() {
    let steps = a_mistake_is_found(FeedRule::NoDeadline);
    let position = |wanted: Action| steps.iter().position(|step| *step == wanted).unwrap();
    let (granted, fed, taken) = (position(Action::Grant), position(Action::Feed), position(Action::Take));
    let stalled = steps[granted..fed].iter().filter(|step| **step == Action::Tick).count();
    assert!(stalled > 0 && fed < taken, "{steps:?}");
}

#[test]
fn a_deadline_that_counts_from_the_answer_leads_to_a_double_run() {
    a_mistake_is_found(FeedRule::FromTheAnswer);
}

/// Why a host compares as its last step, and hands the deadline on where it can.
#[test]
fn a_stall_between_the_comparison_and_the_feed_leads_to_a_double_run() {
    a_mistake_is_found(FeedRule::ComparedTooEarly);
}

/// The sets that are accepted and have a multiplexer.
fn with_multiplexer() -> Vec<TimingSettings> {
    let sets = grid(IN_CI).into_iter();
    sets.filter(|set| !set.multiplexer_interval.is_zero() && violated(set).is_empty()).collect()
}

/// What the multiplexer's protocol is for: no stall between the comparison and the feed does harm, nor does one on the way.
#[test]
fn a_deadline_that_is_handed_on_is_safe_however_long_a_feed_takes_to_arrive() {
    search_all("handed on", &with_multiplexer(), |settings| {
        let found = search(settings, FeedRule::HandedOn, Pace::Any);
        assert_eq!(found.steps, None, "{settings:?}");
        let in_vain = search(settings, FeedRule::HandedOn, Pace::AsPromised);
        assert_eq!(in_vain.steps, None, "{settings:?}");
        found.states + in_vain.states
    });
}

/// The multiplexer was late to take the connection, and counted from then.
#[test]
fn a_client_that_counts_from_when_it_connects_leads_to_a_double_run() {
    search_all("from connecting", &with_multiplexer(), |settings| {
        let found = search(settings, FeedRule::FromConnecting, Pace::Any);
        let steps = found.steps.unwrap_or_else(|| panic!("{settings:?}"));
        assert!(steps.contains(&Action::Send) && steps.last() == Some(&Action::Take), "{steps:?}");
        found.states
    });
}

/// The budget leaves nothing unused, so everything that a host promises is needed to the last millisecond.
#[test]
fn a_host_that_is_one_millisecond_off_leads_to_a_double_run() {
    type Mistake = (&'static str, fn(&mut Physics));
    let mistakes: [Mistake; 4] = [
        ("the lock passes on early", |physics| physics.lock_lifetime -= 1),
        ("the watchdog is late", |physics| physics.watchdog_timeout += 1),
        ("the device is late", |physics| physics.device_granularity += 1),
        ("the clocks drift more", |physics| physics.clock_drift += 1),
    ];
    for (what, change) in mistakes {
        search_all(what, grid(IN_CI).iter().filter(|set| violated(set).is_empty()), |settings| {
            let mut physics = Physics::of(settings).unwrap();
            change(&mut physics);
            let found = search_physics(physics, FeedRule::Deadline, Pace::Any);
            assert!(found.steps.is_some(), "{what}: {settings:?}");
            found.states
        });
    }
}
