//! `ha watch`: every change, a line each.

use std::{collections::BTreeMap, process::ExitCode, time::Duration};

use ha_core::{id::NodeName, status::UtcTime};
use ha_host::{
    desk::Glance,
    os::{clock, signals::StopSignals},
};
use serde_json::{Value, json};

use super::context::{Context, Failure, note, say};

pub(super) fn watch(context: &Context, sid: Option<&str>, as_json: bool) -> Result<ExitCode, Failure> {
    const LOOK_INTERVAL: Duration = Duration::from_millis(500);
    let sid = sid.map(|sid| context.sid(sid)).transpose()?;
    let node = context.node()?;
    let signals = StopSignals::catch()?;
    let mut before = BTreeMap::new();
    let mut is_looked_for = sid.is_some();
    loop {
        let mut seen = look(context, &node);
        if let Some(sid) = &sid {
            let is_there = seen.contains_key(&What::Service(sid.to_string()));
            if std::mem::take(&mut is_looked_for) && !is_there {
                note(format_args!("there is no service '{sid}' yet: it is told when there is one"));
            }
            seen.retain(|what, _| *what == What::Service(sid.to_string()) || *what == What::Cluster);
        }
        for (what, text) in seen.iter().filter(|(what, text)| before.get(*what) != Some(*text)) {
            tell(what, Some(text), as_json)?;
        }
        for what in before.keys().filter(|what| !seen.contains_key(*what)) {
            tell(what, None, as_json)?;
        }
        before = seen;
        if signals.wait(LOOK_INTERVAL) {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Cluster,
    Node(NodeName),
    Service(String),
}

impl What {
    fn words(&self) -> (&'static str, String) {
        match self {
            Self::Cluster => ("cluster", String::new()),
            Self::Node(node) => ("node", node.to_string()),
            Self::Service(sid) => ("service", sid.clone()),
        }
    }
}

/// What is so now, without times: they change all the time.
fn look(context: &Context, own: &NodeName) -> BTreeMap<What, String> {
    let present = match context.present() {
        Ok(present) => present,
        Err(failure) => return [(What::Cluster, format!("the store gives no answer: {}", failure.text()))].into(),
    };
    let glance = Glance::new(&present, own, None);
    let mut seen = BTreeMap::new();
    let master = glance.view.master.node.as_ref().filter(|_| glance.is_alive);
    let master = master.map_or_else(|| "no master at work".to_owned(), |node| format!("master {node}"));
    seen.insert(What::Cluster, format!("{}, {master}, fencing {}", glance.health.as_str(), glance.view.fencing.state));
    for node in &glance.nodes {
        let state = serde_json::to_value(node.state).unwrap_or_default();
        let state = state.as_str().unwrap_or_default().replace('_', " ");
        seen.insert(What::Node(node.node.clone()), state);
    }
    for service in &glance.services {
        let view = &service.view;
        let node = view.node.as_ref().map(|node| format!(" on {node}")).unwrap_or_default();
        let target = view.target.as_ref().map(|target| format!(", to {target}")).unwrap_or_default();
        seen.insert(What::Service(view.sid.to_string()), format!("{}{node}{target}", view.shown));
    }
    seen
}

fn tell(what: &What, text: Option<&String>, as_json: bool) -> Result<(), Failure> {
    let now = clock::wall();
    let (kind, name) = what.words();
    if as_json {
        let name = if name.is_empty() { Value::Null } else { json!(name) };
        return say(json!({"time": now, "kind": kind, "name": name, "text": text}));
    }
    let text = text.map_or("is gone", String::as_str);
    let name = if name.is_empty() { name } else { format!(" {name}") };
    say(format_args!("{} {kind}{name}: {text}", UtcTime(now)))
}
