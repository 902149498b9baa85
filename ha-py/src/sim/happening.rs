//! What happened, with when and where.

use ha_sim::world::{ClusterEvent, DaemonKind, Happening};
use pyo3::{inspect::PyStaticExpr, prelude::*, sync::PyOnceLock, type_hint_identifier};

use crate::{
    convert::{Moment, Word},
    python::attribute,
    raise,
};

/// A happening on its way to Python. There can be many, most of them with an event that was there before: Python keeps the
/// latest events by their data.
#[derive(Debug, Clone)]
pub(crate) struct Shown(pub(crate) Happening);

impl<'py> IntoPyObject<'py> for Shown {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    const OUTPUT_TYPE: PyStaticExpr = type_hint_identifier!("pyha.sim", "Happening");

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        static MAKE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let make = MAKE.get_or_try_init(py, || attribute(py, "pyha.sim", "_happening").map(Bound::unbind))?;
        let Happening { at, src, what } = self.0;
        let event = serde_json::to_string(&what).map_err(|error| raise::invalid(py, &error.to_string()))?;
        make.bind(py).call1((Moment(at), src.to_string(), event))
    }
}

/// An event of a virtual cluster in words. It has one field at most, which is given as text.
#[pyfunction]
pub(crate) fn describe_cluster_event(py: Python<'_>, tag: &str, detail: &str) -> PyResult<String> {
    let node = || detail.parse().map_err(|error: ha_core::id::IdError| raise::invalid(py, &error.to_string()));
    let event = match tag {
        "execute" => ClusterEvent::Execute { command: detail.to_owned() },
        "said" => ClusterEvent::Said { text: detail.to_owned() },
        "watchdog_reset" => ClusterEvent::WatchdogReset { node: node()? },
        "round_skipped" => {
            let daemon = DaemonKind::read(detail).map_err(|message| raise::invalid(py, &message))?;
            ClusterEvent::RoundSkipped { daemon: daemon.as_str() }
        }
        "killed" => ClusterEvent::Killed,
        "daemon_exited" => ClusterEvent::DaemonExited,
        "node_booted" => ClusterEvent::NodeBooted { node: node()? },
        "node_down" => ClusterEvent::NodeDown { node: node()? },
        "power_cut" => ClusterEvent::PowerCut { node: node()? },
        other => return Err(raise::invalid(py, &format!("'{other}' is no event of a virtual cluster"))),
    };
    Ok(event.to_string())
}
