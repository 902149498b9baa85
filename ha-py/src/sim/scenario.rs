//! Scenarios: folders with configuration files and one text.

use std::collections::BTreeMap;

use ha_core::plan::ClusterSnapshot;
use ha_sim::scenario::{self, Failure, Played};
use pyo3::prelude::*;
use serde_json::json;

use super::{Cluster, happening::Shown};
use crate::{
    convert::{Moment, Out, OutAll, PathArg, data_by},
    errors,
};

/// A failure on its way to Python.
#[derive(Debug, Clone)]
pub(crate) struct Failed(Failure);

data_by! {
    Failed = "pyha.sim" "Failure" by |Failed(failure)| json!({
        "line": failure.line, "time": failure.at.since_start().as_secs_f64(), "message": failure.message,
    });
}

/// Who is told of what happens, as an argument.
#[derive(Debug)]
pub(crate) struct Report(Py<PyAny>);

impl<'a, 'py> FromPyObject<'a, 'py> for Report {
    type Error = PyErr;

    const INPUT_TYPE: pyo3::inspect::PyStaticExpr = pyo3::type_hint_identifier!("pyha.sim", "Report");

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        Ok(Self(object.to_owned().unbind()))
    }
}

/// A scenario: a cluster, what happens to it, and what is expected of it.
///
/// >>> from pyha.sim import Scenario
/// >>> scenario = Scenario.parse("example", '''# A node dies, and its service starts elsewhere.
/// ... nodes node1 node2 node3
/// ... guest vm:100 on node3
/// ...
/// ... at 1m  power off node3
/// ... by 4m  expect vm:100 running on node1
/// ... ''', {"resources.cfg": "vm: 100"})
/// >>> scenario.play().passed
/// True
#[pyclass(frozen, module = "pyha.sim")]
#[derive(Debug)]
pub(crate) struct Scenario(scenario::Scenario);

#[pymethods]
impl Scenario {
    /// Reads the folder of a scenario.
    #[staticmethod]
    fn read(py: Python<'_>, folder: PathArg) -> PyResult<Self> {
        py.detach(|| scenario::Scenario::read(&folder)).map(Self).map_err(|error| errors::scenario(py, error))
    }

    /// Reads a scenario from its text, and its configuration files by name.
    #[staticmethod]
    #[pyo3(signature = (name, text, files=BTreeMap::new()))]
    fn parse(py: Python<'_>, name: &str, text: &str, files: BTreeMap<String, String>) -> PyResult<Self> {
        let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        scenario::Scenario::parse(name, text, &files).map(Self).map_err(|error| errors::scenario(py, error))
    }

    /// What happens to a live cluster from a moment on: ``snapshot`` is what ``ha snapshot`` wrote, and ``text`` has the lines of a
    /// scenario, without those for the nodes and guests that there are.
    #[staticmethod]
    #[pyo3(signature = (name, snapshot, text=""))]
    fn from_snapshot(py: Python<'_>, name: &str, snapshot: &str, text: &str) -> PyResult<Self> {
        let snapshot = ClusterSnapshot::from_json(snapshot).map_err(|error| errors::snapshot(py, &error))?;
        let scenario = scenario::Scenario::from_snapshot(name, &snapshot, text);
        scenario.map(Self).map_err(|error| errors::scenario(py, error))
    }

    /// Whether a folder holds a scenario of this form.
    #[staticmethod]
    fn is_in(folder: PathArg) -> bool {
        scenario::Scenario::is_in(&folder)
    }

    /// The name of its folder.
    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }

    /// The comment at its top.
    #[getter]
    fn title(&self) -> &str {
        &self.0.title
    }

    /// The same up to a moment, without what happens later.
    fn until(&self, moment: Moment) -> Self {
        Self(self.0.clone().until(moment.0))
    }

    /// How many expectations it has.
    #[getter]
    fn expectations(&self) -> usize {
        self.0.expectations()
    }

    /// The cluster that it begins with.
    fn cluster(&self) -> Cluster {
        Cluster::of(ha_sim::cluster::Cluster::new(self.0.setup().clone()))
    }

    /// Plays it to its end. ``report`` is told of everything as it happens; an exception that it raises comes out when the
    /// scenario has ended.
    #[pyo3(signature = (report=None))]
    fn play(&self, py: Python<'_>, report: Option<Report>) -> PyResult<Outcome> {
        let scenario = self.0.clone();
        let mut raised = None;
        let outcome = py.detach(|| {
            scenario::play(scenario, &mut |played| {
                if let (Some(Report(report)), None) = (&report, &raised) {
                    raised = Python::attach(|py| tell(report.bind(py), played)).err();
                }
            })
        });
        match raised {
            Some(error) => Err(error),
            None => Outcome::of(py, outcome),
        }
    }

    fn __repr__(&self) -> String {
        format!("<Scenario {}: {} expectations>", self.0.name, self.0.expectations())
    }
}

fn tell(report: &Bound<'_, PyAny>, played: Played<'_>) -> PyResult<()> {
    match played {
        Played::Happening(happening) => report.call1((Shown(happening.clone()),)),
        Played::Failure(failure) => report.call1((Out(Failed(failure.clone())),)),
    }
    .map(|_| ())
}

/// How a scenario ended.
#[pyclass(frozen, module = "pyha.sim")]
#[derive(Debug)]
pub(crate) struct Outcome {
    cluster: Py<Cluster>,
    failures: Vec<Failed>,
    ran_twice: Option<PyErr>,
}

impl Outcome {
    fn of(py: Python<'_>, outcome: scenario::Outcome) -> PyResult<Self> {
        Ok(Self {
            ran_twice: outcome.ran_twice.map(|ran_twice| errors::ran_twice(py, &ran_twice)),
            cluster: Py::new(py, Cluster::of(outcome.cluster))?,
            failures: outcome.failures.into_iter().map(Failed).collect(),
        })
    }
}

#[pymethods]
impl Outcome {
    /// The cluster at the end.
    #[getter]
    fn cluster(&self, py: Python<'_>) -> Py<Cluster> {
        self.cluster.clone_ref(py)
    }

    /// All that did not go as the scenario says.
    #[getter]
    fn failures(&self) -> OutAll<Failed> {
        OutAll(self.failures.clone())
    }

    /// Whether all went as the scenario says, and no service ran on two nodes.
    #[getter]
    fn passed(&self) -> bool {
        self.failures.is_empty() && self.ran_twice.is_none()
    }

    /// Raises what is wrong: ``RanTwiceError``, or ``AssertionError`` with all failures.
    fn raise_for_failures(&self, py: Python<'_>) -> PyResult<()> {
        if let Some(ran_twice) = &self.ran_twice {
            return Err(ran_twice.clone_ref(py));
        }
        if self.failures.is_empty() {
            return Ok(());
        }
        let lines: Vec<String> = self.failures.iter().map(|Failed(failure)| failure.to_string()).collect();
        Err(pyo3::exceptions::PyAssertionError::new_err(lines.join("\n")))
    }

    fn __repr__(&self) -> String {
        let verdict = if self.passed() { "passed" } else { "failed" };
        format!("<Outcome: {verdict}, {} failures>", self.failures.len())
    }
}
