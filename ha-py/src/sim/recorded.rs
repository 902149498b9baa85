//! Recorded scenarios, replayed step by step as they were made.

use ha_sim::recorded;
use pyo3::prelude::*;
use serde_json::json;

use super::happening::Shown;
use crate::{
    convert::{Moment, Out, PathArg, data_by},
    errors,
    placement::Situation,
    status::ManagerStatus,
};

/// A recorded scenario that was replayed.
#[pyclass(frozen, module = "pyha.sim")]
#[derive(Debug)]
pub(crate) struct Replay(recorded::Replay);

#[pymethods]
impl Replay {
    /// Reads the folder of a recorded scenario and replays it: to its end, or up to a moment. What is due at the moment
    /// itself has not happened then.
    #[new]
    #[pyo3(signature = (folder, *, until=None))]
    fn new(py: Python<'_>, folder: PathArg, until: Option<Moment>) -> PyResult<Self> {
        let replay = py.detach(|| {
            let mut replay = recorded::Replay::new(recorded::Case::read(&folder)?);
            match until {
                Some(Moment(moment)) => replay.run_until(moment),
                None => replay.run(),
            }
            Ok(replay)
        });
        replay.map(Self).map_err(|error| errors::case(py, &error))
    }

    /// All that happened.
    fn happenings(&self) -> Vec<Shown> {
        self.0.world.happenings.iter().cloned().map(Shown).collect()
    }

    /// Commands that could not be executed, and why.
    #[getter]
    fn errors(&self) -> Vec<&str> {
        self.0.errors.iter().map(String::as_str).collect()
    }

    /// The time at the end, in seconds since the start.
    #[getter]
    fn now(&self) -> Moment {
        Moment(self.0.world.time)
    }

    /// The manager status at the end.
    #[getter]
    fn manager_status(&self) -> Option<ManagerStatus> {
        self.0.world.store.manager_status.clone().map(ManagerStatus)
    }

    /// What placement looks at, at the end: to explain decisions.
    fn situation(&self) -> Situation {
        self.0.snapshot().into()
    }

    fn __repr__(&self) -> String {
        format!("<Replay: {} happenings>", self.0.world.happenings.len())
    }
}

/// Where a replay differs from what was recorded.
#[derive(Debug)]
pub(crate) struct Difference {
    event: usize,
    expected: Option<serde_json::Value>,
    got: Option<serde_json::Value>,
}

data_by! {
    Difference = "pyha.sim" "Difference" by |Difference { event, expected, got }| json!({
        "event": event, "expected": expected, "got": got,
    });
}

/// Replays a folder and compares with its ``trace.jsonl``: ``None`` if all events are the same.
#[pyfunction]
pub(crate) fn check_recorded(py: Python<'_>, folder: PathArg) -> PyResult<Option<Out<Difference>>> {
    match py.detach(|| recorded::check(&folder)).map_err(|error| errors::case(py, &error))? {
        recorded::Compared::Same => Ok(None),
        recorded::Compared::Differs { event, expected, got } => Ok(Some(Out(Difference { event, expected, got }))),
    }
}
