//! Writing down what the hunt found, as a scenario that a person reads.

use std::{fmt::Write, fs, io, path::Path, time::Duration};

use ha_core::{
    config::{FenceConfig, fence::FenceArgument},
    timing::{TimingSettings, Timings},
};

use super::words::FILE;
use crate::{
    cluster::{Durations, GuestSetup, NodeSetup, Setup, Times},
    history::History,
    texts::{quoted, size, time},
};

/// A history as the files of a scenario, by their names. `title` says what it shows.
#[must_use]
pub fn written(history: &History, title: &str) -> Vec<(&'static str, String)> {
    let setup = &history.setup;
    let text = |file: Vec<u8>| String::from_utf8_lossy(&file).into_owned();
    let configuration = [
        ("groups.cfg", text(setup.groups.write())),
        ("rules.cfg", text(setup.rules.write())),
        ("nodes.cfg", text(setup.labels.write())),
        ("datacenter.cfg", text(setup.datacenter.write())),
        ("fence.cfg", setup.fence.as_ref().map(fence).unwrap_or_default()),
    ];
    let mut files = vec![(FILE, scenario(history, title)), ("resources.cfg", text(setup.resources.write()))];
    files.extend(configuration.into_iter().filter(|(_, text)| !text.is_empty()));
    files
}

/// Writes a history into a folder, which is made if there is none.
///
/// # Errors
///
/// If that can't be written.
pub fn save(history: &History, title: &str, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    written(history, title).into_iter().try_for_each(|(file, text)| fs::write(folder.join(file), text))
}

/// `fence.cfg`, device by device.
fn fence(config: &FenceConfig) -> String {
    let mut out = String::new();
    let arguments = |arguments: &[FenceArgument], out: &mut String| {
        for FenceArgument { key, value } in arguments {
            let _ = match value {
                Some(value) => write!(out, " {key}={value}"),
                None => write!(out, " {key}"),
            };
        }
        out.push('\n');
    };
    for (name, parts) in &config.devices {
        for (number, part) in parts {
            let name = if *number == 1 { name.clone() } else { format!("{name}:{number}") };
            let _ = write!(out, "device {name} {}", part.agent);
            arguments(&part.arguments, &mut out);
            for (node, of_node) in &part.connections {
                let _ = write!(out, "connect {name} node={node}");
                arguments(of_node, &mut out);
            }
        }
    }
    out
}

fn scenario(history: &History, title: &str) -> String {
    let mut out = String::new();
    for line in title.lines() {
        let _ = writeln!(out, "# {line}");
    }
    beginning(&history.setup, &mut out);
    let until = time(history.faults_end());
    let _ = write!(out, "hunted seed {} profile {} until {until}", history.seed, history.profile);
    if let Some(bug) = history.planted {
        let _ = write!(out, " planted {}", bug.as_str());
    }
    out.push_str("\n\n");
    for due in &history.actions {
        let _ = writeln!(out, "at {} {}", time(Duration::from_millis(due.at_ms)), due.action);
    }
    let _ = writeln!(out, "until {}", time(history.end()));
    out
}

fn beginning(setup: &Setup, out: &mut String) {
    for (name, node) in &setup.nodes {
        let _ = write!(out, "node {name} {}", size(node.cores, node.memory));
        of_node(node, out);
        out.push('\n');
    }
    for (sid, GuestSetup { guest, running }) in &setup.guests {
        let _ = write!(out, "guest {sid} on {} {}", guest.node, size(guest.max_cpu, guest.max_memory));
        let _ = write!(out, " uses {}{}", size(guest.cpu, guest.memory), Times(&guest.times));
        if let Some(lock) = &guest.lock {
            let _ = write!(out, " locked {}", quoted(lock));
        }
        out.push_str(if *running { " running\n" } else { "\n" });
    }
    for sid in setup.resources.resources.keys().filter(|sid| !setup.guests.contains_key(*sid)) {
        let _ = writeln!(out, "guest {sid} missing");
    }
    timings("timings", &setup.timings, out);
    for (name, node) in &setup.nodes {
        if let Some(own) = &node.timings {
            timings(&format!("timings of {name}"), own, out);
        }
    }
    takes(&setup.durations, out);
    if !setup.leases_run_long.is_zero() {
        let _ = writeln!(out, "leases last {} longer", time(setup.leases_run_long));
    }
    if let Some(patience) = setup.job_patience {
        let _ = writeln!(out, "jobs last {} at-most", time(patience));
    }
    if setup.records_as_json {
        out.push_str("records as json\n");
    }
    if setup.multiplexers {
        out.push_str("multiplexers\n");
    }
}

fn of_node(node: &NodeSetup, out: &mut String) {
    let usual = NodeSetup::default();
    if node.version != usual.version {
        let _ = write!(out, " version {}", quoted(&node.version));
    }
    if node.clock_ppm != 0 {
        let _ = write!(out, " clock {}", node.clock_ppm);
    }
    for (what, error) in [("early", node.watchdog_early), ("late", node.watchdog_late)] {
        if !error.is_zero() {
            let _ = write!(out, " watchdog {what} {}", time(error));
        }
    }
    out.push_str(if node.power { "" } else { " off" });
    out.push_str(if node.member { "" } else { " out" });
}

/// What differs from the customary timings.
fn timings(line: &str, timings: &Timings, out: &mut String) {
    let json = |settings: &TimingSettings| serde_json::to_value(settings).unwrap_or_default();
    let (written, usual) = (json(timings.settings()), json(&TimingSettings::customary()));
    let _ = write!(out, "{line} customary");
    for (key, value) in written.as_object().into_iter().flatten() {
        if usual.get(key) == Some(value) {
            continue;
        }
        match (key.strip_suffix("_s"), value.as_f64()) {
            (Some(name), Some(seconds)) => {
                let _ = write!(out, " {name} {}", time(Duration::try_from_secs_f64(seconds).unwrap_or_default()));
            }
            (Some(_) | None, _) => {
                let _ = write!(out, " {key} {value}");
            }
        }
    }
    out.push('\n');
}

fn takes(durations: &Durations, out: &mut String) {
    let Durations { jobs, boot, boot_after_reset, restart, fencing, fencing_timeout, stagger } = durations;
    let all = [
        ("start", Some(jobs.start)),
        ("stop", Some(jobs.stop)),
        ("migrate", Some(jobs.migrate)),
        ("relocate", Some(jobs.relocate)),
        ("boot", Some(*boot)),
        ("boot-after-reset", *boot_after_reset),
        ("restart", Some(*restart)),
        ("fencing", Some(*fencing)),
        ("fencing-timeout", Some(*fencing_timeout)),
        ("stagger", *stagger),
    ];
    out.push_str("takes");
    for (what, span) in all {
        if let Some(span) = span {
            let _ = write!(out, " {what} {}", time(span));
        }
    }
    out.push('\n');
}
