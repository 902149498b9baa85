//! What follows from entries of a history: the vectors of this repository.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "tests may panic")]

mod common;

use ha_core::{
    history::{Counted, Entry, Failovers},
    timing::TimingSettings,
};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Vector {
    about: String,
    #[serde(default)]
    begun: Vec<Value>,
    /// How many of the entries are counted first.
    #[serde(default)]
    first: usize,
    #[serde(default)]
    timings: TimingSettings,
    entries: Vec<Value>,
    counted: Option<Value>,
    failovers: Option<Value>,
    error: Option<Error>,
}

#[derive(Deserialize)]
struct Error {
    line: usize,
    says: Vec<String>,
}

fn lines(entries: &[Value]) -> String {
    entries.iter().map(|entry| format!("{entry}\n")).collect()
}

#[track_caller]
fn check_refused(vector: &Vector, error: &Error, name: &str) {
    let (line, problem) = Entry::from_lines(&lines(&vector.entries)).unwrap_err();
    assert_eq!(line, error.line, "{name}: {}", vector.about);
    let alone = Entry::begun(&vector.entries[line - 1].to_string()).unwrap_err();
    for part in &error.says {
        assert!(problem.contains(part) && alone.contains(part), "{name}: {problem}, {alone}");
    }
}

#[track_caller]
fn check(vector: &Vector, name: &str) {
    let made: Vec<Value> = vector.begun.iter().map(|begun| json!(Entry::begun(&begun.to_string()).unwrap())).collect();
    assert_eq!(made, vector.entries, "{name}: {}", vector.about);
    let kept = Entry::from_lines(&lines(&vector.entries)).unwrap();
    let mut counted = Counted::default();
    assert!(counted.take(&kept[..vector.first]), "{name}");
    let mut counted: Counted = serde_json::from_value(json!(counted)).unwrap();
    assert!(counted.take(&kept), "{name}");
    assert_eq!(Some(json!(counted)), vector.counted, "{name}: {}", vector.about);
    assert!(!counted.take(&kept), "{name}: there is nothing new");
    let times = vector.timings.validate().unwrap().recovery();
    let failovers: Value = Failovers::of(&kept).all().iter().map(|one| json!(one.measured(&times))).collect();
    assert_eq!(Some(failovers), vector.failovers, "{name}: {}", vector.about);
}

#[test]
fn vectors() {
    let vectors = common::files("tests/vectors/history", ".json").unwrap();
    assert!(vectors.len() >= 4, "the vectors are missing");
    for (name, text) in vectors {
        let vector: Vector = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        match &vector.error {
            Some(error) => check_refused(&vector, error, &name),
            None => check(&vector, &name),
        }
    }
}
