//! What happened, with when and where.

use ha_sim::world::Happening;
use serde::Serialize;

use ha_sim::world::{ClusterEvent, DaemonKind};
use pyo3::prelude::*;

use crate::{
    convert::{Word, data},
    errors,
};

/// A happening on its way to Python.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub(crate) struct Shown(pub(crate) Happening);

data! {
    "pyha.sim":
    Shown = "Happening",
}

/// An event of a virtual cluster in words. It has one field at most, which is given as text.
#[pyfunction]
pub(crate) fn describe_cluster_event(py: Python<'_>, tag: &str, detail: &str) -> PyResult<String> {
    let node = || detail.parse().map_err(|error: ha_core::id::IdError| errors::invalid(py, &error.to_string()));
    let event = match tag {
        "execute" => ClusterEvent::Execute { command: detail.to_owned() },
        "watchdog_reset" => ClusterEvent::WatchdogReset { node: node()? },
        "round_skipped" => {
            let daemon = DaemonKind::read(detail).map_err(|message| errors::invalid(py, &message))?;
            ClusterEvent::RoundSkipped { daemon: daemon.as_str() }
        }
        "killed" => ClusterEvent::Killed,
        "daemon_exited" => ClusterEvent::DaemonExited,
        "node_booted" => ClusterEvent::NodeBooted { node: node()? },
        "node_down" => ClusterEvent::NodeDown { node: node()? },
        "power_cut" => ClusterEvent::PowerCut { node: node()? },
        other => return Err(errors::invalid(py, &format!("'{other}' is no event of a virtual cluster"))),
    };
    Ok(event.to_string())
}
