//! The cluster in figures, as Prometheus reads them.

use std::fmt::{Display, Write};

use ha_core::{plan::Tolerance, status::view::LrmView};

use super::{Glance, Health, Present};
use crate::VERSION;

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
}

/// The figures as text.
#[must_use]
pub fn metrics(measured: Measured<'_>, format: MetricsFormat) -> String {
    let mut text = Text { out: String::new() };
    cluster(&mut text, measured);
    nodes(&mut text, measured);
    services(&mut text, measured);
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
    let record = |lrm: &LrmView| Some((vec![("node", lrm.node.to_string())], age(present, lrm.timestamp?)));
    let ages = glance.view.lrms.iter().filter_map(record);
    text.gauge("ha_lrm_record_age_seconds", "The age of what each node's LRM wrote last.", ages);
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

fn age(present: &Present, time: i64) -> f64 {
    present.now.wall.saturating_sub(time).max(0) as f64
}

fn count(number: usize) -> f64 {
    number as f64
}

type Labels = Vec<(&'static str, String)>;

struct Text {
    out: String,
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

    fn gauge(&mut self, name: &str, help: &str, samples: impl IntoIterator<Item = (Labels, f64)>) {
        self.head(name, help, "gauge");
        for (labels, value) in samples {
            self.sample(name, &labels, value);
        }
    }
}
