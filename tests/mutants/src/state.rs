//! What is kept between steps.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write,
    path::Path,
};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::run::Test;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct State {
    /// The mutants, by number.
    pub names: Vec<String>,
    pub left_out: Vec<Judged>,
    pub tests: Vec<Test>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Judged {
    pub name: String,
    pub outcome: Outcome,
    /// The test that failed, or ran into its limit.
    pub by: Option<String>,
    /// The tests that passed its place and did not notice.
    #[serde(default)]
    pub passed: BTreeSet<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Outcome {
    /// A test failed.
    Caught,
    /// A test ran into its limit.
    Timeout,
    /// Tests passed its place and did not notice.
    Missed,
    /// No test passes its place.
    Unreached,
    /// It does not compile.
    Unviable,
    /// It needs a build of its own.
    NoSwitch,
}

impl State {
    pub fn write(&self, out: &Path) -> Result<()> {
        Ok(fs::write(out.join("state.json"), serde_json::to_vec(self)?)?)
    }

    pub fn read(out: &Path) -> Result<Self> {
        Ok(serde_json::from_slice(&fs::read(out.join("state.json"))?)?)
    }
}

/// What was judged so far, by name. The file has a line of JSON each, so that a run that was stopped goes on where it was; the last
/// line about a mutant holds.
pub fn judged(out: &Path) -> Result<BTreeMap<String, Judged>> {
    let lines = fs::read_to_string(out.join("judged.jsonl")).unwrap_or_default();
    let judged = lines.lines().map(serde_json::from_str::<Judged>);
    judged.map(|judged| judged.map(|judged| (judged.name.clone(), judged)).map_err(Into::into)).collect()
}

pub fn append(out: &Path, judged: &Judged) -> Result<()> {
    let mut file = fs::OpenOptions::new().append(true).create(true).open(out.join("judged.jsonl"))?;
    Ok(writeln!(file, "{}", serde_json::to_string(judged)?)?)
}
