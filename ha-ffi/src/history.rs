//! What has happened: entries that a host keeps, and the figures that follow from them. All of it is JSON; nothing is kept here.

use std::ffi::c_char;

use ha_core::history::{Counted, Entry, Failovers};

use crate::{
    boundary::{Call, call},
    error::ha_error,
    failure::{Failure, ha_status},
    text::ha_text,
    timings::{checked, ha_timings},
};

fn entries(call: Call, entries: *const c_char, length: usize) -> Result<Vec<Entry>, Failure> {
    let read = Entry::from_lines(call.text(entries, length)?);
    read.map_err(|(line, problem)| Failure::content(problem).kind("entry").line(line))
}

/// Makes a whole entry of the history from one that a host has begun: {"id": "node1.19ad0c33f41.17", "time_ms": 1764424983120,
/// "node": "node1", "source": "crm", "what": EVENT}, where EVENT is what ha_event_to_json() writes.
///
/// It gets "severity" and "cause" where it does not have them. In an id are the node, when its daemon was started (in hexadecimal digits), and a
/// number that grows: no two entries have the same. "source" is crm, lrm, node or person. "position" is the entry's place in the history
/// of the cluster, which grows from entry to entry. "silent_ms" says for how long a node that is noticed as lost had given no
/// sign of life. The entry is one line, without a line end.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_history_entry(
    begun: *const c_char,
    length: usize,
    entry: *mut ha_text,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let made = Entry::begun(call.text(begun, length)?);
        call.own_text(entry, made.map_err(|problem| Failure::content(problem).kind("entry"))?.to_json())
    })
}

/// Counts what has happened: fencings, moves by cause, restarts, and how long failovers and each part of them took.
///
/// counted: what this gave the last time, "" at first. entries: all that is kept, a line an entry, in the order in which they were
/// kept; each has its position, and counts once however often it is given. HA_NONE if there is nothing new. A host keeps what
/// this gives, as it is: counters go on from there when old entries are gone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_history_counted(
    counted: *const c_char,
    counted_length: usize,
    entries: *const c_char,
    entries_length: usize,
    json: *mut ha_text,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let before = call.text(counted, counted_length)?;
        let mut counted = Counted::default();
        if !before.is_empty() {
            let read = serde_json::from_str(before);
            counted = read.map_err(|error| Failure::content(&error).kind("counted").line(error.line()))?;
        }
        let is_new = counted.take(&self::entries(call, entries, entries_length)?);
        let made = is_new.then(|| serde_json::to_string(&counted)).transpose().map_err(Failure::content)?;
        call.own_text_if_any(json, made)
    })
}

/// The failovers that these entries tell of, as a list: which node was lost, what proved it, what became of each service, how many
/// seconds each step took, and how many it may take by the timings; NULL for the customary ones.
///
/// entries: a line an entry, in the order in which they were kept.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_history_failovers(
    timings: *const ha_timings,
    entries: *const c_char,
    length: usize,
    json: *mut ha_text,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let times = checked(timings)?.recovery();
        let failovers = Failovers::of(&self::entries(call, entries, length)?);
        let measured: Vec<_> = failovers.all().iter().map(|failover| failover.measured(&times)).collect();
        call.own_text(json, serde_json::to_string(&measured).map_err(Failure::content)?)
    })
}
