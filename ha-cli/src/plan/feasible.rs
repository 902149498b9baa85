//! Whether any placement keeps the rules, in words.

use std::fmt::Display;

use ha_core::plan::{Feasibility, Move, Needed, Part, Steps, Verdict};

use super::{count_of, steps};

/// What was found, in lines; with the way to a placement, if that was looked for.
pub(super) fn told(found: &Feasibility, way: Option<&Steps>) -> Vec<String> {
    let mut lines = match &found.verdict {
        Verdict::Placement { moves, .. } => placement(found, moves, way),
        Verdict::Contradiction { parts, is_minimal } => contradiction(found, parts, *is_minimal),
        Verdict::Undecided => vec![format!(
            "not decided: in {} neither a placement of {} on {} was found nor a proof that there is none. More are tried with --steps",
            count_of(usize::try_from(found.steps).unwrap_or(usize::MAX), "step"),
            services(found),
            names(&found.nodes)
        )],
    };
    let mut note = |what: &str, of: Vec<String>| {
        if !of.is_empty() {
            lines.push(format!("{what}: {}", of.join(", ")));
        }
    };
    note("not counted, since they can't hold ('ha check' says why)", strings(&found.rules_left_out));
    note("without a size, so they count as nothing", strings(&found.services_without_figures));
    note("nodes without a size, so they count as large enough", strings(&found.nodes_without_figures));
    lines
}

fn placement(found: &Feasibility, moves: &[Move], way: Option<&Steps>) -> Vec<String> {
    if moves.is_empty() {
        return vec![format!("{} can stay where they are: that keeps {}", services(found), what_is_kept(found))];
    }
    let mut lines = vec![format!(
        "there is a placement of {} on {} that keeps {}",
        services(found),
        names(&found.nodes),
        what_is_kept(found)
    )];
    if !matches!(way, Some(Steps::Found { .. })) {
        lines.push("for it would have to move:".to_owned());
        lines.extend(moves.iter().map(|step| format!("  {step}")));
    }
    lines.extend(way.into_iter().flat_map(steps::told));
    lines
}

fn contradiction(found: &Feasibility, parts: &[Part], is_minimal: bool) -> Vec<String> {
    if found.nodes.is_empty() {
        return vec![format!("no node is left for {}", services(found))];
    }
    let of_capacity = |part: &Part| matches!(part, Part::Memory { .. } | Part::Cpu { .. });
    let mut lines =
        vec![format!("no placement of {} on {} keeps {}", services(found), names(&found.nodes), what_is_kept(found))];
    if parts.iter().any(of_capacity) {
        lines.push(format!("they need {}", found.needed));
    }
    lines.push(match (parts, is_minimal) {
        ([_], true) => "what can't be kept, and there would be a placement without it:".to_owned(),
        (_, true) => "what can't be kept together, and there would be a placement without any one of it:".to_owned(),
        (_, false) => "what can't be kept together, of which perhaps not all is needed for that:".to_owned(),
    });
    lines.extend(parts.iter().map(|part| format!("  {part}")));
    lines
}

fn services(found: &Feasibility) -> String {
    count_of(found.services, "service")
}

fn what_is_kept(found: &Feasibility) -> &'static str {
    match found.needed {
        Needed { memory: None, cpu: None } => "every strict rule",
        Needed { memory: Some(_), cpu: None } => "every strict rule and the memory of each node",
        Needed { memory: None, cpu: Some(_) } => "every strict rule and the cores of each node",
        Needed { memory: Some(_), cpu: Some(_) } => "every strict rule, and the memory and cores of each node",
    }
}

fn names(names: &[impl Display]) -> String {
    strings(names).join(", ")
}

fn strings(names: &[impl Display]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}
