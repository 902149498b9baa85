//! What became of each service, at the end of a run.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    time::Duration,
};

use ha_core::{event::Event, id::ServiceId, time::Instant};
use ha_sim::{
    cluster::Cluster,
    world::{Guest, What, World},
};
use serde::Serialize;

use super::{Format, terminal};

/// What became of a service.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    sid: ServiceId,
    began_on: String,
    is_on: String,
    state: String,
    running: bool,
    /// Seconds; `None` if it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    down_s: Option<f64>,
    recoveries: u32,
}

const NOWHERE: &str = "nowhere";

pub(super) fn of_cluster(cluster: &Cluster) -> Vec<Row> {
    let world = cluster.world();
    let node = world.nodes.keys().find(|node| world.is_online(node)).or_else(|| world.nodes.keys().next());
    let shown: BTreeMap<ServiceId, String> = node
        .map(|node| cluster.view(node).services)
        .unwrap_or_default()
        .into_iter()
        .map(|service| (service.sid, service.shown.to_string()))
        .collect();
    let rows = cluster.histories().map(|(sid, history)| Row {
        sid: sid.clone(),
        began_on: history.began_on.to_string(),
        is_on: cluster.guest_node(sid).map_or_else(|| NOWHERE.to_owned(), ToString::to_string),
        state: shown.get(sid).cloned().unwrap_or_else(|| "not managed".to_owned()),
        running: world.places(sid).next().is_some(),
        down_s: Some(cluster.downtime(sid).as_secs_f64()),
        recoveries: history.recoveries,
    });
    rows.collect()
}

pub(super) fn of_replay(began: &BTreeMap<ServiceId, Guest>, world: &World) -> Vec<Row> {
    let status = world.store.manager_status.as_deref();
    let recoveries = |sid: &ServiceId| {
        let recovered =
            |what: &What| matches!(what, What::Core(Event::ServiceRecovered { sid: other, .. }) if other == sid);
        world.happenings.iter().filter(|happening| recovered(&happening.what)).count()
    };
    let rows = began.iter().map(|(sid, guest)| Row {
        sid: sid.clone(),
        began_on: guest.node.to_string(),
        is_on: world.guests.get(sid).map_or_else(|| NOWHERE.to_owned(), |guest| guest.node.to_string()),
        state: status
            .and_then(|status| status.services.get(sid))
            .map_or_else(|| "not managed".to_owned(), |entry| entry.state.name().to_string()),
        running: world.places(sid).next().is_some(),
        down_s: None,
        recoveries: u32::try_from(recoveries(sid)).unwrap_or(u32::MAX),
    });
    rows.collect()
}

pub(super) fn print(rows: &[Row], format: Format, end: Instant, out: &mut impl Write) -> io::Result<()> {
    match format {
        Format::Text => print_table(rows, end, out),
        Format::Jsonl => rows.iter().try_for_each(|row| {
            let mut object = serde_json::to_value(row)?;
            if let Some(object) = object.as_object_mut() {
                object.insert("t".to_owned(), end.since_start().as_secs_f64().into());
                object.insert("src".to_owned(), "summary".into());
                object.insert("event".to_owned(), "service_summary".into());
            }
            serde_json::to_writer(&mut *out, &object)?;
            writeln!(out)
        }),
    }
}

const HEADINGS: [&str; 6] = ["service", "was on", "is on", "state", "down", "recovered"];

fn print_table(rows: &[Row], end: Instant, out: &mut impl Write) -> io::Result<()> {
    let cells: Vec<[String; 6]> = rows.iter().map(cells).collect();
    let widths = std::array::from_fn::<usize, 6, _>(|column| {
        let heading = HEADINGS.get(column).map_or(0, |heading| heading.len());
        let widest = cells.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
        heading.max(widest.unwrap_or(0))
    });
    let strong = terminal::STRONG;
    writeln!(out, "\n{strong}After {}{strong:#}", human(end.since_start()))?;
    let headings = HEADINGS.map(str::to_owned);
    print_row(&headings, widths, terminal::QUIET, out)?;
    for (row, cells) in rows.iter().zip(&cells) {
        let style = match row.state.as_str() {
            "error" | "fence" | "recovery" | "not found" => terminal::ERROR,
            _ => terminal::PLAIN,
        };
        print_row(cells, widths, style, out)?;
    }
    writeln!(out)
}

fn print_row(cells: &[String; 6], widths: [usize; 6], style: anstyle::Style, out: &mut impl Write) -> io::Result<()> {
    let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
    let line = padded.collect::<Vec<String>>().join("  ");
    writeln!(out, "{style}{}{style:#}", line.trim_end())
}

fn cells(row: &Row) -> [String; 6] {
    let state = match (row.state.as_str(), row.running) {
        ("started", false) => "started, not running".to_owned(),
        (state, _) => state.to_owned(),
    };
    let down = row.down_s.map_or_else(|| "?".to_owned(), |seconds| human(Duration::from_secs_f64(seconds)));
    let recovered = match row.recoveries {
        0 => "never".to_owned(),
        1 => "once".to_owned(),
        times => format!("{times} times"),
    };
    [row.sid.to_string(), row.began_on.clone(), row.is_on.clone(), state, down, recovered]
}

/// `2m 13s`, `1h 5m`, `3.2s`
fn human(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) if time.subsec_millis() > 0 => format!("{seconds}.{}s", time.subsec_millis() / 100),
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, 0) => format!("{minutes}m"),
        (0, minutes, seconds) => format!("{minutes}m {seconds}s"),
        (hours, 0, _) => format!("{hours}h"),
        (hours, minutes, _) => format!("{hours}h {minutes}m"),
    }
}
