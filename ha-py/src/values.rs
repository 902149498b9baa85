//! The data of small values, as Python's classes have it.

use ha_core::{
    config::{
        Problem, ProblemKind,
        edit::PropertyFault,
        fence::{FenceCommand, FenceErrors, FenceFile},
    },
    host::{FenceAttempt, Hand, HostFigures, LockAnswer, LockClaim, LockRecord, ProbeAttempt},
    id::NodeName,
    rules::Finding,
    timing::{Amount, TimingSetting},
};
use pyo3::{IntoPyObjectExt, inspect::PyStaticExpr, prelude::*, type_hint_identifier, type_hint_union};
use serde::Serialize;
use serde_json::json;

use crate::convert::{Name, Seconds, W, data, data_by};

/// What is wrong in a line of `fence.cfg`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct FenceFault {
    pub(crate) line: usize,
    pub(crate) code: &'static str,
    pub(crate) text: String,
    pub(crate) fatal: bool,
}

impl FenceFault {
    pub(crate) fn of_errors(errors: &FenceErrors) -> Vec<Self> {
        let fault = |error: &ha_core::config::fence::FenceError| Self {
            line: error.line,
            code: error.kind.code(),
            text: error.to_string(),
            fatal: true,
        };
        errors.0.iter().map(fault).collect()
    }

    /// Errors and warnings, in the order of the lines.
    pub(crate) fn of_file(file: &FenceFile) -> Vec<Self> {
        let mut faults = file.config.as_ref().err().map(Self::of_errors).unwrap_or_default();
        faults.extend(file.warnings.iter().map(|warning| Self {
            line: warning.line,
            code: warning.kind.code(),
            text: warning.to_string(),
            fatal: false,
        }));
        faults.sort_by_key(|fault| fault.line);
        faults
    }
}

data! {
    "pyha.values":
    FenceFault = "FenceFault",
}

/// What is wrong with a scenario.
#[derive(Debug)]
pub(crate) struct ScenarioFault(pub(crate) ha_sim::scenario::Problem);

/// A setting of timings, by the name of its field in Python.
pub(crate) fn setting_name(setting: TimingSetting) -> &'static str {
    let name = setting.as_str();
    name.strip_suffix("_s").unwrap_or(name)
}

/// What a setting of timings is or may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TimingValue(pub(crate) Amount);

impl<'py> IntoPyObject<'py> for TimingValue {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    const OUTPUT_TYPE: PyStaticExpr =
        type_hint_union!(type_hint_identifier!("datetime", "timedelta"), type_hint_identifier!("builtins", "int"));

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self.0 {
            Amount::Time(time) => time.into_bound_py_any(py),
            Amount::PartsPerMillion(share) => share.into_bound_py_any(py),
        }
    }
}

/// The problem as data.
fn problem(problem: &Problem) -> serde_json::Value {
    let value_code = if let ProblemKind::BadValue(error) | ProblemKind::BadSectionId(error) = &problem.kind {
        Some(error.code())
    } else {
        None
    };
    json!({
        "line": problem.line,
        "section": problem.section,
        "property": problem.property,
        "code": problem.kind.code(),
        "value_code": value_code,
        "message": problem.kind.to_string(),
        "text": problem.to_string(),
    })
}

data_by! {
    Problem = "pyha.values" "Problem" by problem;
    FenceCommand = "pyha.values" "FenceCommand" by |command| {
        let given = command.hand_over().ok();
        json!({
            "device": command.device, "part": command.part, "program": command.program,
            "arguments": command.words().skip(1).collect::<Vec<_>>(),
            "command_line": given.as_ref().map(|given| &given.arguments), "input": given.as_ref().map(|given| &given.input),
        })
    };
    FenceAttempt = "pyha.values" "FenceAttempt" by |attempt| json!({
        "node": attempt.node, "incident": attempt.incident.as_str(), "number": attempt.number, "device": attempt.device,
    });
    ProbeAttempt = "pyha.values" "ProbeAttempt" by |attempt| json!({
        "sid": attempt.sid, "number": attempt.number, "probe": attempt.probe.as_str(), "timeout": attempt.timeout,
    });
    PropertyFault = "pyha.values" "PropertyFault" by |fault| json!({
        "property": fault.property, "code": fault.kind.code(), "message": fault.kind.to_string(),
    });
    Finding = "pyha.values" "Finding" by |finding| json!({
        "rule": finding.rule, "reason": finding.reason, "sid": finding.sid,
        "with": finding.with().collect::<Vec<_>>(), "text": finding.to_string(),
    });
    ScenarioFault = "pyha.values" "ScenarioProblem" by |ScenarioFault(problem)| json!({
        "file": problem.file, "line": problem.line, "column": problem.column, "message": problem.message,
    });
    HostFigures = "pyha.values" "HostFigures" by |_| json!({});
}

/// Compares two versions of software part by part: -1 if the first one is older, 1 if it is newer, else 0. Parts are
/// numbers; what comes after a ``~`` is older than nothing.
///
/// >>> from pyha import compare_versions
/// >>> compare_versions("9.0.0~16", "9.0.0"), compare_versions("9.1.2", "9.0.10")
/// (-1, 1)
#[pyfunction]
pub(crate) fn compare_versions(one: &str, other: &str) -> i8 {
    ha_core::version::compare_versions(one, other) as i8
}

/// What ``take_lock`` is to answer where a lock says only whether it was ``taken``: renewed if its record was written by this very
/// process before it was asked for, else acquired. ``before``: who had written the record last before that, ``None`` if nobody
/// had or the lock was released. A writer is a text that no other process ever has; a node's name does not do. A host that can't
/// tell answers ``LockAnswer.HELD``; ``LockAnswer.ACQUIRED`` each time would not do: no node would ever be fenced.
///
/// >>> from pyha import lock_answer_by_writer
/// >>> lock_answer_by_writer(True, before="node1 boot-7 4f1a", own="node1 boot-7 4f1a")
/// 'renewed'
/// >>> lock_answer_by_writer(True, before=None, own="node1 boot-7 4f1a")
/// 'acquired'
#[pyfunction]
#[pyo3(signature = (taken, *, before, own))]
pub(crate) fn lock_answer_by_writer(taken: bool, before: Option<&str>, own: &str) -> &'static str {
    LockAnswer::by_writer(taken, before, own).as_str()
}

/// What to do about a lock that this process wants for its node, for hosts that keep locks as records in a store:
/// ``"acquired"`` or ``"renewed"`` (write a record of one's own in one step with having looked; then that is the answer),
/// ``"refused"``, or ``"twin"``: another machine works under this node's name and has written what this process had. The
/// node's daemons must not be called any more then, nor its watchdog fed or closed, until a person has decided.
///
/// ``holder`` is the node that the record names, ``None`` if nobody holds the lock. ``hand`` says by whose hand the record was
/// written, as far as this process can prove it; ``None`` if it can't be read at all. ``holds``: whether this process has the
/// lock as far as it knows. ``unchanged_for``: for how long this process has seen the very same record.
///
/// >>> from datetime import timedelta
/// >>> from pyha import Hand, decide_lock
/// >>> two_minutes = timedelta(minutes=2)
/// >>> decide_lock("node1", holder="node1", hand=Hand.OWN, holds=True, lifetime=two_minutes, unchanged_for=timedelta(0))
/// 'renewed'
/// >>> decide_lock("node1", holder="node1", hand=Hand.ANOTHER, holds=True, lifetime=two_minutes, unchanged_for=timedelta(0))
/// 'twin'
#[pyfunction]
#[pyo3(signature = (node, *, holder, hand, holds, lifetime, unchanged_for, holder_lifetime=None))]
pub(crate) fn decide_lock(
    node: Name<NodeName>,
    holder: Option<Name<NodeName>>,
    hand: Option<W<Hand>>,
    holds: bool,
    lifetime: Seconds,
    unchanged_for: Seconds,
    holder_lifetime: Option<Seconds>,
) -> &'static str {
    let record = match (&holder, hand) {
        (_, None) => LockRecord::Damaged,
        (None, Some(_)) => LockRecord::Free,
        (Some(Name(holder)), Some(W(hand))) => {
            LockRecord::Held { holder, hand, lifetime: holder_lifetime.as_ref().map_or(lifetime.0, |time| time.0) }
        }
    };
    LockClaim { node: &node.0, holds, lifetime: lifetime.0 }.decide(record, unchanged_for.0).as_str()
}
