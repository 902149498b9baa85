//! Judges all mutants of ha-core in one build, each behind a switch: see docs/mutants.md.
//!
//! `prepare LIST TREE OUT PACKAGE…` puts the mutants that `cargo mutants --list --json` names into a checkout that may be changed,
//! builds the tests of the packages, and runs each once to see which mutants it passes. `judge OUT MILLISECONDS [WORD…]` then turns on
//! one mutant after another whose name has one of the words, and runs the tests that pass it and take less than that, the cheapest
//! first, until one fails. It goes on where it was stopped, and with the tests that a mutant was not given yet. `report OUT` counts.

mod list;
mod prepare;
mod run;
mod state;
mod switch;

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    path::Path,
    process::ExitCode,
};

use anyhow::Result;

use crate::{
    run::{End, Test},
    state::{Judged, Outcome, State},
};

fn main() -> Result<ExitCode> {
    let arguments = env::args().skip(1).collect::<Vec<_>>();
    let words = arguments.iter().map(String::as_str).collect::<Vec<_>>();
    match words.as_slice() {
        ["prepare", list, tree, out, _, ..] => {
            prepare::prepare(Path::new(list), Path::new(tree), &arguments[4..], Path::new(out))?;
        }
        ["judge", out, longest, only @ ..] => judge(Path::new(out), longest.parse()?, only)?,
        ["report", out] => report(Path::new(out))?,
        _ => {
            eprintln!("expected: prepare LIST TREE OUT PACKAGE…, judge OUT MILLISECONDS [WORD…], or report OUT");
            return Ok(ExitCode::from(2));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Judges what is not judged yet, by tests that take less than `longest` milliseconds.
fn judge(out: &Path, longest: u64, only: &[&str]) -> Result<()> {
    let mut state = State::read(out)?;
    state.tests.sort_by_key(|test| test.milliseconds);
    let judged = state::judged(out)?;
    let left_out = state.left_out.iter().map(|judged| judged.name.as_str()).collect::<BTreeSet<_>>();
    for (number, name) in state.names.iter().enumerate() {
        let is_wanted = only.is_empty() || only.iter().any(|word| name.contains(word));
        let before = judged.get(name);
        let is_caught = before.is_some_and(|judged| matches!(judged.outcome, Outcome::Caught | Outcome::Timeout));
        if !is_wanted || is_caught || left_out.contains(name.as_str()) {
            continue;
        }
        let passed = before.map(|judged| judged.passed.clone()).unwrap_or_default();
        let tests = state.tests.iter().filter(|test| test.reached.contains(&number) && test.milliseconds < longest);
        let tests = tests.filter(|test| !passed.contains(&test.label())).collect::<Vec<_>>();
        if before.is_none() || !tests.is_empty() {
            let judged = judge_one(&tests, number, name, passed)?;
            println!("{:?}: {name}", judged.outcome);
            state::append(out, &judged)?;
        }
    }
    eprintln!("{} s of processor time", run::processor_milliseconds()? / 1000);
    Ok(())
}

fn judge_one(tests: &[&Test], number: usize, name: &str, mut passed: BTreeSet<String>) -> Result<Judged> {
    for test in tests {
        let outcome = match test.with_mutant(number)? {
            End::Passed => {
                passed.insert(test.label());
                continue;
            }
            End::Failed => Outcome::Caught,
            End::Limit => Outcome::Timeout,
        };
        return Ok(Judged { name: name.into(), outcome, by: Some(test.label()), passed });
    }
    let outcome = if passed.is_empty() { Outcome::Unreached } else { Outcome::Missed };
    Ok(Judged { name: name.into(), outcome, by: None, passed })
}

/// Counts, by file and in all, and the mutants that were not caught.
fn report(out: &Path) -> Result<()> {
    let state = State::read(out)?;
    let mut counts: BTreeMap<&str, BTreeMap<Outcome, usize>> = BTreeMap::new();
    let judged = state::judged(out)?;
    for judged in judged.values().chain(&state.left_out) {
        let file = judged.name.split(':').next().unwrap_or_default();
        for key in [file, "all"] {
            *counts.entry(key).or_default().entry(judged.outcome).or_default() += 1;
        }
    }
    for judged in judged.values().filter(|judged| matches!(judged.outcome, Outcome::Missed | Outcome::Unreached)) {
        println!("{:?}: {}", judged.outcome, judged.name);
    }
    for (key, counts) in counts {
        println!("{key}: {counts:?}");
    }
    Ok(())
}
