//! `ha-sim check`: replays recorded folders, and plays scenarios.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use ha_sim::{
    recorded::{self, Compared},
    scenario::{Scenario, play},
};
use serde_json::Value;

use super::{Error, Verdict, terminal};

pub(super) fn check(folders: &[PathBuf], out: &mut impl Write) -> Result<Verdict, Error> {
    let (mut passed, mut failed) = (0_usize, 0_usize);
    for folder in folders {
        let name = folder.file_name().map_or_else(|| folder.to_string_lossy(), |name| name.to_string_lossy());
        match difference(folder) {
            None => {
                passed = passed.saturating_add(1);
                let style = terminal::GOOD;
                writeln!(out, "{style}ok{style:#} {name}")?;
            }
            Some(difference) => {
                failed = failed.saturating_add(1);
                let style = terminal::ERROR;
                writeln!(out, "{style}FAILED{style:#} {name}: {}", difference.replace('\n', "; "))?;
            }
        }
    }
    writeln!(out, "{passed} passed, {failed} failed")?;
    Ok(if failed == 0 { Verdict::Well } else { Verdict::Failed })
}

/// How a folder's history differs from what is expected, in one line.
fn difference(folder: &Path) -> Option<String> {
    if Scenario::is_in(folder) { failed_expectation(folder) } else { differing_event(folder) }
}

fn differing_event(folder: &Path) -> Option<String> {
    let text = |event: Option<Value>| event.map_or_else(|| "nothing".to_owned(), |event| event.to_string());
    match recorded::check(folder) {
        Ok(Compared::Same) => None,
        Ok(Compared::Differs { event, expected, got }) => {
            Some(format!("event {event}: expected {}, got {}", text(expected), text(got)))
        }
        Err(error) => Some(error.to_string()),
    }
}

fn failed_expectation(folder: &Path) -> Option<String> {
    let scenario = match Scenario::read(folder) {
        Ok(scenario) => scenario,
        Err(error) => return Some(error.to_string()),
    };
    let outcome = play(scenario, &mut |_| {});
    let ran_twice = outcome.ran_twice.map(|ran_twice| ran_twice.to_string());
    ran_twice.or_else(|| outcome.failures.first().map(ToString::to_string))
}
