//! The cluster in figures, as Prometheus reads them.

use std::{
    collections::BTreeMap,
    fmt::{Display, Write},
    time::Duration,
};

use ha_core::{
    event::Severity,
    history::{Cause, Counted, Figures, Sum},
    id::NodeName,
    plan::Tolerance,
    status::view::LrmView,
};

use super::{Glance, Health, Present};
use crate::{
    VERSION,
    history::Reader,
    store::{Pace, SharedStore, SideFile, StoreError},
};

/// The form of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricsFormat {
    /// Prometheus' own: `text/plain; version=0.0.4`.
    Prometheus,
    /// `application/openmetrics-text; version=1.0.0`.
    OpenMetrics,
}

/// What the figures are made of.
#[derive(Debug, Clone, Copy)]
pub struct Measured<'a> {
    /// The cluster now.
    pub present: &'a Present,
    /// The same at a glance.
    pub glance: &'a Glance,
    /// How many nodes may fail.
    pub tolerance: &'a Tolerance,
    /// What was counted of the history; nothing where that can't be read.
    pub counted: Option<&'a Counted>,
}

/// What was counted of the history so far. It is kept in the store, so that all who ask are told the same, and nothing counts twice.
///
/// # Errors
///
/// If the store fails. That what was counted can't be kept is no error: who asks may be one who may not write.
pub fn counted(store: &dyn SharedStore) -> Result<Counted, StoreError> {
    let kept = Reader::after(store, 0)?.entries;
    let parse = |text: &[u8]| serde_json::from_slice::<Counted>(text).unwrap_or_default();
    let mut counted = store.side_file(SideFile::Counted)?.map(|text| parse(&text)).unwrap_or_default();
    if counted.take(&kept) {
        let _ = store.edit_side_file(SideFile::Counted, &mut |text| {
            let mut present = text.map(parse).unwrap_or_default();
            // Somebody else may have been quicker.
            let is_new = present.take(&kept);
            counted = present;
            is_new.then(|| serde_json::to_vec(&counted).unwrap_or_default())
        });
    }
    Ok(counted)
}

/// The figures as text.
#[must_use]
pub fn metrics(measured: Measured<'_>, format: MetricsFormat) -> String {
    let mut text = Text { out: String::new(), format };
    cluster(&mut text, measured);
    nodes(&mut text, measured);
    services(&mut text, measured);
    if let Some(counted) = measured.counted {
        happened(&mut text, &measured.present.settings.nodes, &counted.figures);
        failovers(&mut text, counted);
    }
    if format == MetricsFormat::OpenMetrics {
        text.out.push_str("# EOF\n");
    }
    text.out
}

fn cluster(text: &mut Text, measured: Measured<'_>) {
    let Measured { present, glance, tolerance, .. } = measured;
    text.gauge("ha_build_info", "The version of this software.", [(vec![("version", VERSION.to_owned())], 1.0)]);
    let health = match glance.health {
        Health::Healthy => 0.0,
        Health::Degraded => 1.0,
        Health::Critical => 2.0,
    };
    text.gauge("ha_health", "How the cluster is: 0 healthy, 1 degraded, 2 critical.", [(vec![], health)]);
    let quorate = f64::from(u8::from(glance.view.quorum.quorate));
    text.gauge("ha_quorate", "Whether the cluster can act at all.", [(vec![], quorate)]);
    let is_at_work = glance.view.master.liveness.is_fresh();
    let master = glance.view.master.node.as_ref().filter(|_| is_at_work);
    let master = master.map(|node| (vec![("node", node.to_string())], 1.0));
    text.gauge("ha_master", "1 for the node whose CRM is the master and at work.", master);
    let age = present.status.timestamp.map(|time| (vec![], age(present, time)));
    text.gauge("ha_master_record_age_seconds", "The age of what the master wrote last.", age);
    text.gauge(
        "ha_failures_tolerated",
        "How many nodes may fail at once, whichever they are, so that every service still has a node.",
        [(vec![], count(tolerance.survives))],
    );
    text.gauge("ha_problems", "What is wrong with the cluster as a whole.", [(vec![], count(glance.problems.len()))]);
}

fn nodes(text: &mut Text, measured: Measured<'_>) {
    let Measured { present, glance, .. } = measured;
    let states = present.settings.nodes.iter().map(|node| {
        let state = present.status.node_state(node);
        (vec![("node", node.to_string()), ("state", state.to_string())], 1.0)
    });
    text.gauge("ha_node_state", "1 for the state of each node that the master has recorded.", states);
    let held = glance.view.lrms.iter().map(|lrm| {
        let left = lrm.hold.map_or(0.0, |hold| f64::from(hold.left));
        (vec![("node", lrm.node.to_string())], left)
    });
    text.gauge(
        "ha_node_hold_seconds",
        "For how long each node still takes no new services since it was fenced again and again, from when it is there.",
        held,
    );
    let record = |lrm: &LrmView| Some((vec![("node", lrm.node.to_string())], age(present, lrm.timestamp?)));
    let ages = glance.view.lrms.iter().filter_map(record);
    paces(text, present);
    text.gauge("ha_lrm_record_age_seconds", "The age of what each node's LRM wrote last.", ages);
}

/// How close the daemons of each node that is there are to their bounds.
fn paces(text: &mut Text, present: &Present) {
    let of_nodes = |measured: fn(&Pace) -> Option<u64>| {
        let there = present.beats.iter().filter(|(node, _)| present.is_there(node));
        there.filter_map(move |(node, beat)| {
            let seconds = Duration::from_millis(measured(&beat.pace)?).as_secs_f64();
            Some((vec![("node", node.to_string())], seconds))
        })
    };
    text.gauge(
        "ha_feed_slack_seconds",
        "What was left until the deadline when a daemon of the node last fed the watchdog: the lesser one of CRM and LRM.",
        of_nodes(|pace| pace.feed_slack_ms),
    );
    text.gauge(
        "ha_lock_seconds",
        "How long the last answer about a lock took: the longer one of CRM and LRM.",
        of_nodes(|pace| pace.lock_ms),
    );
    text.gauge(
        "ha_round_seconds",
        "How long the last round took: the longer one of CRM and LRM.",
        of_nodes(|pace| pace.round_ms),
    );
}

fn services(text: &mut Text, measured: Measured<'_>) {
    let states = measured.glance.services.iter().map(|service| {
        let node = service.view.node.as_ref().map(ToString::to_string).unwrap_or_default();
        let labels =
            vec![("sid", service.view.sid.to_string()), ("node", node), ("state", service.view.shown.to_string())];
        (labels, 1.0)
    });
    text.gauge("ha_service_state", "1 for the state that is shown for each service.", states);
}

/// What has happened since the cluster was made, as far as somebody has counted before it was forgotten.
fn happened(text: &mut Text, nodes: &[NodeName], figures: &Figures) {
    let by = |label: &'static str, name: String, count: u64| (vec![(label, name)], count);
    // Prometheus sees no increase in what begins with 1.
    let mut fencings: BTreeMap<&NodeName, u64> = nodes.iter().map(|node| (node, 0)).collect();
    fencings.extend(figures.fencings.iter().map(|(node, count)| (node, *count)));
    let of_nodes = fencings.into_iter().map(|(node, count)| by("node", node.to_string(), count));
    text.counter("ha_fencings", "How often each node was known to be down after it was to be fenced.", of_nodes);
    let of_causes =
        Cause::ALL.iter().map(|cause| by("reason", cause.to_string(), figures.moves.get(cause).copied().unwrap_or(0)));
    text.counter("ha_moves", "Moves of services, by what they came from.", of_causes);
    let failed = figures.failed_moves.iter().map(|(sid, count)| by("sid", sid.to_string(), *count));
    text.counter("ha_failed_moves", "Moves of each service that failed.", failed);
    let restarts = figures.restarts.iter().map(|(sid, count)| by("sid", sid.to_string(), *count));
    text.counter("ha_restarts", "How often each service was started again since it had ended by itself.", restarts);
    let starts = figures.failed_starts.iter().map(|(sid, count)| by("sid", sid.to_string(), *count));
    text.counter("ha_failed_starts", "Starts of each service that failed.", starts);
    text.counter("ha_master_changes", "How often a node became master.", [(vec![], figures.master_changes)]);
    text.counter("ha_changes", "Changes by persons or programs.", [(vec![], figures.changes)]);
    let entries = Severity::ALL
        .iter()
        .map(|severity| by("severity", severity.to_string(), figures.entries.get(severity).copied().unwrap_or(0)));
    text.counter("ha_history_entries", "What has happened, by how much it matters.", entries);
    text.counter(
        "ha_history_lost_entries",
        "What has happened and could not be kept, as far as it is known how much.",
        [(vec![], figures.lost_entries)],
    );
}

fn failovers(text: &mut Text, counted: &Counted) {
    let name = "ha_failover_seconds";
    text.head(
        name,
        "From the last sign of life of a node to the start of each of its services elsewhere.",
        "histogram",
    );
    let bucket = format!("{name}_bucket");
    for (at, bound) in Counted::BOUNDS_S.iter().enumerate() {
        text.sample(&bucket, &[("le", format!("{bound:?}"))], counted.within.get(at).copied().unwrap_or(0));
    }
    text.sample(&bucket, &[("le", "+Inf".to_owned())], counted.starts.count);
    text.sum(name, &[], &counted.starts);
    let name = "ha_failover_phase_seconds";
    text.head(name, "How long each part of a failover took.", "summary");
    for (phase, sum) in &counted.phases {
        text.sum(name, &[("phase", phase.to_string())], sum);
    }
}

fn age(present: &Present, time: i64) -> f64 {
    present.now.wall.saturating_sub(time).max(0) as f64
}

fn count(number: usize) -> f64 {
    number as f64
}

type Labels = Vec<(&'static str, String)>;

struct Text {
    out: String,
    format: MetricsFormat,
}

impl Text {
    fn head(&mut self, family: &str, help: &str, kind: &str) {
        let _ = writeln!(self.out, "# HELP {family} {help}");
        let _ = writeln!(self.out, "# TYPE {family} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, String)], value: impl Display) {
        self.out.push_str(name);
        for (index, (label, text)) in labels.iter().enumerate() {
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(self.out, "{}{label}=\"{text}\"", if index == 0 { "{" } else { "," });
        }
        let _ = writeln!(self.out, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }

    fn sum(&mut self, name: &str, labels: &[(&str, String)], sum: &Sum) {
        self.sample(&format!("{name}_sum"), labels, sum.seconds);
        self.sample(&format!("{name}_count"), labels, sum.count);
    }

    /// `family` is without the `_total` that its samples end with; the older format has that in the family too.
    fn counter(&mut self, family: &str, help: &str, samples: impl IntoIterator<Item = (Labels, u64)>) {
        let name = format!("{family}_total");
        let head = if self.format == MetricsFormat::OpenMetrics { family } else { &name };
        self.head(head, help, "counter");
        for (labels, value) in samples {
            self.sample(&name, &labels, value);
        }
    }

    fn gauge(&mut self, name: &str, help: &str, samples: impl IntoIterator<Item = (Labels, f64)>) {
        self.head(name, help, "gauge");
        for (labels, value) in samples {
            self.sample(name, &labels, value);
        }
    }
}
