//! Work on node after node, told a line a step.

use std::io::IsTerminal;

use anstyle::{AnsiColor, Style};
use ha_core::id::NodeName;
use ha_host::{
    desk::{RollingPlan, RollingStep},
    os::clock,
};
use serde_json::json;

use crate::context::{Failure, say};

/// Tells how far the work is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Teller {
    pub(super) as_json: bool,
}

impl Teller {
    /// A line of one node. What is told last may be said by a word of its own.
    pub(super) fn tell(self, node: &NodeName, word: &str, text: &str) -> Result<(), Failure> {
        if self.as_json {
            return self.object(&json!({"time_ms": clock::wall_ms(), "node": node, "step": word, "text": text}));
        }
        if !std::io::stdout().is_terminal() {
            return say(format_args!("{node}: {word}: {text}"));
        }
        let style = Style::new().fg_color(Some(if word == "done" { AnsiColor::Green } else { AnsiColor::Cyan }.into()));
        say(format_args!("{node:<12} {style}{word:<9}{style:#} {text}"))
    }

    pub(super) fn step(self, node: &NodeName, step: RollingStep, text: &str) -> Result<(), Failure> {
        self.tell(node, step.as_str(), text)
    }

    /// A line of the work as a whole.
    pub(super) fn whole(self, word: &str, text: &str) -> Result<(), Failure> {
        match self.as_json {
            true => self.object(&json!({"time_ms": clock::wall_ms(), "step": word, "text": text})),
            false => say(text),
        }
    }

    pub(super) fn object(self, value: &serde_json::Value) -> Result<(), Failure> {
        say(value)
    }
}

/// What becomes of services, in lines.
pub(super) fn planned(plan: &RollingPlan) -> Vec<String> {
    let Some(evacuation) = &plan.evacuation else { return Vec::new() };
    let mut lines: Vec<String> = evacuation.leaving.iter().map(ToString::to_string).collect();
    lines.push(match evacuation.meanwhile.survives {
        0 => "meanwhile the loss of one more node is not always survived".to_owned(),
        _ => "meanwhile the loss of any other node is survived".to_owned(),
    });
    if !evacuation.interrupted.is_empty() {
        let sids: Vec<&str> = evacuation.interrupted.iter().map(|sid| sid.as_str()).collect();
        lines.push(format!("interrupted: {}", sids.join(", ")));
    }
    lines.extend(evacuation.returning.iter().map(|back| format!("afterwards {back}")));
    lines
}
