//! The moves to another placement, in words.

use std::collections::BTreeMap;

use ha_core::{
    id::{NodeName, ServiceId},
    plan::{Blocked, Move, Part, Steps},
};
use serde::Deserialize;

use super::count_of;

/// Where services are to be: by themselves, or in an answer that has them among others.
#[derive(Deserialize)]
#[serde(untagged)]
enum Target {
    Answer { places: BTreeMap<ServiceId, NodeName> },
    Places(BTreeMap<ServiceId, NodeName>),
}

/// Reads where services are to be.
pub(super) fn places(text: &str) -> Result<BTreeMap<ServiceId, NodeName>, String> {
    match serde_json::from_str(text) {
        Ok(Target::Answer { places } | Target::Places(places)) => Ok(places),
        Err(error) if error.is_data() => Err(
            "expected services with their nodes, as {\"vm:100\":\"node2\"}, or what 'ha plan feasible --json' gives"
                .to_owned(),
        ),
        Err(error) => Err(error.to_string()),
    }
}

/// What was found, in lines.
pub(super) fn told(found: &Steps) -> Vec<String> {
    match found {
        Steps::Found { waves, .. } if waves.is_empty() => vec!["all are there already".to_owned()],
        Steps::Found { waves, is_shortest, .. } => {
            let moves = waves.iter().map(Vec::len).sum();
            let note = if *is_shortest { "" } else { ", perhaps not the fewest bytes" };
            let mut lines = vec![format!("{} in this order{note}:", count_of(moves, "move"))];
            lines.extend(in_order(waves));
            lines
        }
        Steps::TargetBreaks { parts } => broken(parts),
        Steps::Stuck { blocked, is_proven } => stuck(blocked, *is_proven),
    }
}

/// Moves with the number of each that follows the one before; those of one number may be made at once.
fn in_order(waves: &[Vec<Move>]) -> Vec<String> {
    let numbered = waves.iter().zip(1_usize..);
    numbered.flat_map(|(wave, number)| wave.iter().map(move |step| format!("  {number}. {step}"))).collect()
}

fn broken(parts: &[Part]) -> Vec<String> {
    let mut lines = vec!["the other placement does not keep:".to_owned()];
    lines.extend(parts.iter().map(|part| format!("  {part}")));
    lines
}

fn stuck(blocked: &[Blocked], is_proven: bool) -> Vec<String> {
    let first = if is_proven {
        "there are no moves that keep every strict rule all the time, not even with stops on other nodes:"
    } else {
        "no moves were found that keep every strict rule all the time:"
    };
    let mut lines = vec![first.to_owned()];
    lines.extend(blocked.iter().map(|blocked| format!("  {blocked}")));
    lines
}
