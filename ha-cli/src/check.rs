//! Verbs that judge and explain.

use std::process::ExitCode;

use ha_core::placement::{Explanation, NodeExplanation, Preference};
use ha_host::{desk, os::cgroup::Containment};
use serde_json::json;

use super::context::{Context, Failure, note, say, say_json, say_rows};

pub(super) fn check(context: &Context, as_json: bool) -> Result<ExitCode, Failure> {
    let settings = context.store.settings()?;
    // What can't be read at all is an error, and no problem among others.
    context.stored()?;
    let problems = desk::problems(&context.present()?);
    let timings = settings.timings;
    let recovery = timings.recovery();
    let guards = context.guards()?;
    let containment = Containment::find();
    if as_json {
        say_json(&json!({
            "problems": problems,
            "timings": timings,
            "guards": guards,
            "services_held_by": match &containment {
                Containment::Cgroup(_) => "cgroup",
                Containment::Guardian { .. } => "guardian",
            },
            "recovery": {
                "shortest_s": recovery.shortest.as_secs_f64(),
                "longest_s": recovery.longest.as_secs_f64(),
                "longest_with_master_s": recovery.longest_with_master.as_secs_f64(),
            },
        }))?;
    } else {
        for problem in &problems {
            say(problem)?;
        }
        let count = problems.len();
        let verdict = match count {
            0 => "the configuration is without fault".to_owned(),
            1 => "1 problem in the configuration".to_owned(),
            _ => format!("{count} problems in the configuration"),
        };
        say(format_args!("{verdict}; the timings are safe:"))?;
        let seconds = |time: std::time::Duration| format!("{:.1} s", time.as_secs_f64());
        let row = |what: &str, time| vec![what.to_owned(), seconds(time)];
        say_rows(&[
            row(
                "a stalled node is reset at the latest after",
                timings.watchdog_timeout() + timings.settings().multiplexer_slack(),
            ),
            row("its lock passes on at the earliest after", timings.lock_lifetime()),
            row("from a failure to the start elsewhere, at the earliest", recovery.shortest),
            row("at the latest", recovery.longest),
            row("at the latest, where the master fails too", recovery.longest_with_master),
        ])?;
        for node in &settings.nodes {
            let guard = guards.get(node).map_or("what its daemon has not said yet", String::as_str);
            say(format_args!("{node} is guarded by {guard}"))?;
        }
        if guards.values().any(|guard| guard.contains("softdog") || guard.contains("Software Watchdog")) {
            note("softdog does not reset a node whose kernel panics or hangs: a device of the hardware does");
        }
        say(format_args!("on this machine {containment}"))?;
    }
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// What became of each node in a decision.
pub(super) fn explanation_rows(explanation: &Explanation) -> Vec<Vec<String>> {
    let row = |node: &NodeExplanation| {
        let figure = node.figure.map(|figure| figure.to_string()).unwrap_or_default();
        vec![format!("  {}", node.node), node.fate.to_string(), figure]
    };
    explanation.nodes.iter().map(row).collect()
}

pub(super) fn explain(context: &Context, sid: &str, best: bool, as_json: bool) -> Result<ExitCode, Failure> {
    let sid = context.sid(sid)?;
    let preference = if best { Preference::BestScore } else { Preference::None };
    let present = context.present()?;
    let (explanation, elsewhere) = desk::explain(&present, &sid, preference).map_err(Failure::failed)?;
    let order = desk::start_order(&present, &sid);
    let precedence = desk::precedence(&present, &sid);
    if as_json {
        let explained =
            json!({"explanation": explanation, "otherwise": elsewhere, "order": order, "precedence": precedence});
        say_json(&explained)?;
        return Ok(ExitCode::SUCCESS);
    }
    say(&explanation)?;
    precedence.iter().try_for_each(say)?;
    say_rows(&explanation_rows(&explanation))?;
    for other in &elsewhere {
        say(format_args!("for it to be on {}:", other.node))?;
        other.changes.iter().try_for_each(|change| say(format_args!("  {change}")))?;
    }
    if let Some(order) = &order {
        order.rules.iter().try_for_each(say)?;
        order.waits.iter().try_for_each(|wait| say(format_args!("it is waiting {wait}")))?;
    }
    // Without what these name, the answer may be another one than was meant.
    explanation.findings.iter().for_each(note);
    Ok(ExitCode::SUCCESS)
}
