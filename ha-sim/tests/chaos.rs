//! Random histories of random clusters: see `docs/safety.md`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ha_sim::chaos::{Hunt, Profile, Tally, generate, hunt, run};

fn play(seed: u64, runs: u64, profile: Profile) -> Tally {
    hunt(&Hunt { seed, runs, profile, threads: 2, planted: None, most_failures: 3 }, &|_| {})
}

fn assert_nothing_broke(tally: &Tally) {
    let failures: Vec<String> = tally
        .failures
        .iter()
        .map(|failure| {
            format!("seed {} ({}): {}", failure.history.seed, failure.history.profile.as_str(), failure.breach)
        })
        .collect();
    assert!(failures.is_empty(), "ha-sim chaos --runs 1 --seed … shows them:\n{}", failures.join("\n"));
}

#[test]
fn nothing_breaks_in_histories_of_fixed_seeds() {
    for &profile in Profile::ALL {
        assert_nothing_broke(&play(1, 40, profile));
    }
}

#[test]
fn nothing_breaks_in_histories_of_a_fresh_seed() {
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs() * 1_000;
    println!("seed {seed}");
    for &profile in Profile::ALL {
        assert_nothing_broke(&play(seed, 20, profile));
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
