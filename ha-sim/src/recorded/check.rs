//! Comparing a replay with the events that were recorded.

use std::{fs, path::Path};

use serde_json::Value;

use super::{Case, CaseError, Replay};
use crate::world::{Happening, What};

/// How a comparison ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Compared {
    /// All events are the same.
    Same,
    /// The first event that differs.
    Differs {
        /// Its number, from 1.
        event: usize,
        /// What was recorded; nothing if the replay gave more events.
        expected: Option<Value>,
        /// What the replay gave; nothing if it gave fewer events.
        got: Option<Value>,
    },
}

/// Replays a folder and compares with its `trace.jsonl`.
///
/// # Errors
///
/// If the folder can't be read, or holds a command that is not known.
pub fn check(folder: &Path) -> Result<Compared, CaseError> {
    let path = folder.join("trace.jsonl");
    let trace = fs::read_to_string(&path).map_err(|source| CaseError::Read { path: path.clone(), source })?;
    let expected: Vec<Value> = trace
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()
        .map_err(|error| CaseError::Content { path, reason: error.to_string() })?;
    let mut replay = Replay::new(Case::read(folder)?);
    replay.run();
    if let Some(error) = replay.errors.first() {
        return Err(CaseError::Content { path: folder.join("cmdlist"), reason: error.clone() });
    }
    let got: Vec<Value> =
        replay.world.happenings.iter().filter(|happening| is_recorded(happening)).map(to_json).collect();
    Ok(compare(&expected, &got))
}

/// Whether the recorded scenarios have a word for what happened.
fn is_recorded(happening: &Happening) -> bool {
    match &happening.what {
        What::Core(event) => event.is_recorded(),
        What::Cluster(_) => true,
    }
}

fn to_json(happening: &Happening) -> Value {
    let mut happening = happening.clone();
    if let What::Core(event) = happening.what {
        happening.what = What::Core(event.without_causes());
    }
    serde_json::to_value(&happening).unwrap_or_else(|error| Value::String(error.to_string()))
}

fn compare(expected: &[Value], got: &[Value]) -> Compared {
    let same = expected.iter().zip(got).take_while(|(expected, got)| expected == got).count();
    match (expected.get(same), got.get(same)) {
        (None, None) => Compared::Same,
        (expected, got) => {
            Compared::Differs { event: same.saturating_add(1), expected: expected.cloned(), got: got.cloned() }
        }
    }
}
