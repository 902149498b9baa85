//! Errors of the core as the exceptions of `pyha.errors`.

use ha_core::{
    config::{EditError, Problem, datacenter::JsonError},
    placement::PlacementError,
    plan::SnapshotError,
    status::StatusError,
    timing::TimingErrors,
};
use ha_sim::{
    cluster::{ActionError, RanTwice},
    recorded::CaseError,
    scenario::ScenarioError,
};
use pyo3::{exceptions::PyRuntimeError, prelude::*, types::PyDict};

use crate::{
    convert::{Moment, Name, OutAll, W},
    python::{attribute, construct},
    raise::{exception, invalid, io, plain},
    sim::happening::Shown,
    values::{FenceFault, ScenarioFault, TimingValue, setting_name},
};

/// A file with problems, at least one.
pub(crate) fn config(py: Python<'_>, file: &str, problems: &[Problem]) -> PyErr {
    let first = problems.first();
    let more = match problems.len() {
        0 | 1 => String::new(),
        count => format!(" ({} more)", count.saturating_sub(1)),
    };
    let message = first.map_or_else(|| file.to_owned(), |first| format!("{file}: {first}{more}"));
    exception(py, "ConfigError", &message, |set| {
        set.set_item("file", file)?;
        set.set_item("line", first.map(|first| first.line))?;
        set.set_item("section", first.and_then(|first| first.section.as_deref()))?;
        set.set_item("field", first.and_then(|first| first.property.as_deref()))?;
        set.set_item("code", first.map_or("", |first| first.kind.code()))?;
        set.set_item("problems", OutAll(problems.to_vec()))
    })
}

/// Settings in the JSON form that can't be read.
pub(crate) fn datacenter_json(py: Python<'_>, error: &JsonError) -> PyErr {
    exception(py, "ConfigError", &error.to_string(), |set| set.set_item("code", error.code()))
}

pub(crate) fn fence(py: Python<'_>, faults: &[FenceFault]) -> PyErr {
    let texts: Vec<&str> = faults.iter().map(|fault| fault.text.as_str()).collect();
    exception(py, "ConfigError", &format!("fence.cfg: {}", texts.join("; ")), |set| {
        set.set_item("file", "fence.cfg")?;
        set.set_item("line", faults.first().map(|first| first.line))?;
        set.set_item("code", faults.first().map_or("", |first| first.code))?;
        set.set_item("problems", OutAll(faults.to_vec()))
    })
}

pub(crate) fn edit(py: Python<'_>, error: &EditError) -> PyErr {
    exception(py, "EditError", &error.to_string(), |set| {
        set.set_item("code", error.code())?;
        set.set_item("field", error.faults().first().map(|fault| fault.property.as_str()))?;
        set.set_item("faults", OutAll(error.faults().to_vec()))
    })
}

pub(crate) fn status(py: Python<'_>, error: &StatusError) -> PyErr {
    exception(py, "StatusError", &error.to_string(), |set| match error {
        StatusError::Content { path, .. } => set.set_item("path", path),
        StatusError::Json { line, column, .. } => {
            set.set_item("line", line)?;
            set.set_item("column", column)
        }
        _ => Ok(()),
    })
}

pub(crate) fn placement(py: Python<'_>, error: &PlacementError) -> PyErr {
    let (code, sid, node) = match error {
        PlacementError::NoSuchService(sid) => ("no_such_service", Some(sid), None),
        PlacementError::NoSuchNode(node) => ("no_such_node", None, Some(node)),
        PlacementError::NoWay { sid, node } => ("no_way", Some(sid), Some(node)),
        _ => ("", None, None),
    };
    exception(py, "PlacementError", &error.to_string(), |set| {
        set.set_item("code", code)?;
        set.set_item("sid", sid.map(|sid| sid.as_str()))?;
        set.set_item("node", node.map(|node| node.as_str()))
    })
}

pub(crate) fn timing(py: Python<'_>, errors: &TimingErrors) -> PyErr {
    exception(py, "TimingError", &errors.to_string(), |set| {
        let class = attribute(py, "pyha.values", "TimingViolation")?;
        let violations = errors.violations().iter().map(|violation| {
            let keywords = PyDict::new(py);
            keywords.set_item("inequality", W(violation.inequality))?;
            keywords.set_item("setting", setting_name(violation.mend.setting))?;
            keywords.set_item("value", TimingValue(violation.mend.to))?;
            keywords.set_item("present", TimingValue(violation.mend.from))?;
            keywords.set_item("lesser", TimingValue(violation.lesser.total))?;
            keywords.set_item("greater", TimingValue(violation.greater.total))?;
            keywords.set_item("may_be_equal", violation.may_be_equal)?;
            keywords.set_item("text", violation.to_string())?;
            construct(&class, &keywords)
        });
        set.set_item("violations", violations.collect::<PyResult<Vec<_>>>()?)
    })
}

pub(crate) fn action(py: Python<'_>, error: &ActionError) -> PyErr {
    match error {
        ActionError::Id(error) => invalid(py, &error.to_string()),
        ActionError::Edit(error) => edit(py, error),
        ActionError::RanTwice(error) => ran_twice(py, error),
        ActionError::NoSuchNode(_)
        | ActionError::NoSuchGuest(_)
        | ActionError::GuestExists(_)
        | ActionError::NoPower(_)
        | ActionError::NotRunning { .. }
        | ActionError::NoQuorum
        | _ => plain(py, "SimulationError", &error.to_string()),
    }
}

pub(crate) fn ran_twice(py: Python<'_>, error: &RanTwice) -> PyErr {
    exception(py, "RanTwiceError", &error.to_string(), |set| {
        set.set_item("at", Moment(error.at))?;
        set.set_item("sid", Name(error.sid.clone()))?;
        set.set_item("nodes", error.nodes.iter().map(|node| node.as_str()).collect::<Vec<_>>())?;
        set.set_item("last", error.last.iter().cloned().map(Shown).collect::<Vec<_>>())
    })
}

pub(crate) fn scenario(py: Python<'_>, error: ScenarioError) -> PyErr {
    match error {
        ScenarioError::Read { path, source } => io(&source, &path),
        ScenarioError::Problems(problems) => {
            let message = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
            let problems = problems.into_iter().map(ScenarioFault).collect();
            exception(py, "ScenarioError", &message, |set| set.set_item("problems", OutAll::<ScenarioFault>(problems)))
        }
        other => PyRuntimeError::new_err(other.to_string()),
    }
}

pub(crate) fn snapshot(py: Python<'_>, error: &SnapshotError) -> PyErr {
    plain(py, "ScenarioError", &error.to_string())
}

pub(crate) fn case(py: Python<'_>, error: &CaseError) -> PyErr {
    match error {
        CaseError::Read { path, source } => io(source, path),
        CaseError::Content { .. } => plain(py, "ScenarioError", &error.to_string()),
    }
}
