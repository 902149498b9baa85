//! The data of small values, as Python's classes have it.

use ha_core::{
    config::{
        Problem,
        edit::PropertyFault,
        fence::{FenceCommand, FenceErrors, FenceFile},
    },
    host::UsageStatistics,
    rules::Finding,
    timing::Setting,
};
use serde::Serialize;
use serde_json::json;

use crate::convert::{data, data_by};

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
pub(crate) struct Mended(pub(crate) Setting);

impl Mended {
    pub(crate) fn field(&self) -> &'static str {
        let name = self.0.as_str();
        name.strip_suffix("_s").unwrap_or(name)
    }
}

data_by! {
    Problem = "pyha.values" "Problem" by crate::errors::problem;
    FenceCommand = "pyha.values" "FenceCommand" by |command| json!({
        "device": command.device, "part": command.part, "program": command.program, "arguments": command.arguments,
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
    UsageStatistics = "pyha.values" "UsageStatistics" by |_| json!({});
}
