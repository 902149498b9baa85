//! What has happened: entries that a host keeps, and the figures that follow from them, as plain data.

use ha_core::history::{self, Counted, Entry, Failovers};
use pyo3::{prelude::*, types::PyAny};

use crate::{
    convert::{Items, JsonArg, plain},
    raise,
    timing::Timings,
};

fn entries(py: Python<'_>, entries: &Items<JsonArg>) -> PyResult<Vec<Entry>> {
    let lines: Vec<&str> = entries.0.iter().map(|entry| entry.0.as_str()).collect();
    let read = Entry::from_lines(&lines.join("\n"));
    read.map_err(|(number, problem)| raise::invalid(py, &format!("entry {number}: {problem}")))
}

/// A whole entry of the history from one that a host has begun: ``severity`` and ``cause`` are added where it does not have them.
///
/// In ``id`` are the node, when its daemon was started (in hexadecimal digits), and a number that grows: no two entries have the
/// same. ``source`` is crm, lrm, node or person. ``position`` is the entry's place in the history of the cluster, which grows from entry to
/// entry. ``silent_ms`` says for how long a node that is noticed as lost had given no sign of life.
///
/// >>> from pyha import events, history_entry
/// >>> what = events.FenceAcknowledged(node="node2").to_dict()
/// >>> begun = {"id": "node1.19ad0c33f41.17", "time_ms": 1764424983120, "node": "node1", "source": "crm", "what": what}
/// >>> entry = history_entry(begun)
/// >>> entry["severity"], entry["cause"]
/// ('notice', 'node_loss')
#[pyfunction]
#[pyo3(signature = (begun) -> "dict[str, object]")]
pub(crate) fn history_entry<'py>(py: Python<'py>, begun: JsonArg) -> PyResult<Bound<'py, PyAny>> {
    plain(py, &Entry::begun(&begun.0).map_err(|problem| raise::invalid(py, &problem))?)
}

/// Counts what has happened: fencings, moves by cause, restarts, and how long failovers and each part of them took.
///
/// ``counted`` is what this gave the last time, ``None`` at first. ``entries`` are all that is kept, in the order in which they were
/// kept; each has its position, and counts once however often it is given. ``None`` if there is nothing new. A host keeps what this
/// gives, as it is: counters go on from there when old entries are gone.
#[pyfunction]
#[pyo3(signature = (counted, entries) -> "dict[str, object] | None")]
pub(crate) fn history_counted<'py>(
    py: Python<'py>,
    counted: Option<JsonArg>,
    entries: Items<JsonArg>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let read = counted.map(|JsonArg(text)| serde_json::from_str::<Counted>(&text)).transpose();
    let mut counted = read.map_err(|error| raise::invalid(py, &error.to_string()))?.unwrap_or_default();
    let is_new = counted.take(&self::entries(py, &entries)?);
    is_new.then(|| plain(py, &counted)).transpose()
}

/// The failovers that these entries tell of, in the order in which they were kept: which node was lost, what proved it, what became of each
/// service, the ``seconds`` of each step, and ``bound_s``, how long it may take by the timings; the customary ones for ``None``.
#[pyfunction]
#[pyo3(signature = (entries, timings=None) -> "list[dict[str, object]]")]
pub(crate) fn history_failovers<'py>(
    py: Python<'py>,
    entries: Items<JsonArg>,
    timings: Option<PyRef<'_, Timings>>,
) -> PyResult<Bound<'py, PyAny>> {
    let times = timings.map_or_else(Default::default, |timings| timings.0).recovery();
    let failovers = Failovers::of(&self::entries(py, &entries)?);
    let measured: Vec<history::MeasuredFailover> =
        failovers.all().iter().map(|failover| failover.measured(&times)).collect();
    plain(py, &measured)
}
