//! `datacenter.cfg`.

use std::sync::Arc;

use ha_core::config::{self, DatacenterConfig, Problem};
use pyo3::{prelude::*, types::PyBytes};

use super::{read_file, write_file};
use crate::{
    convert::{Out, OutAll, PathArg, Text},
    errors,
};

/// The content of ``datacenter.cfg``: the settings, and the lines that they are in.
///
/// >>> from pyha import DatacenterFile
/// >>> DatacenterFile.parse("crs: ha=static\n").config.scheduler.mode
/// <SchedulerMode.STATIC: 'static'>
#[pyclass(frozen, module = "pyha")]
#[derive(Debug, Clone, Default)]
pub(crate) struct DatacenterFile {
    pub(crate) file: config::DatacenterFile,
    pub(crate) problems: Arc<Vec<Problem>>,
}

impl DatacenterFile {
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        let parsed = config::DatacenterFile::read(bytes);
        Self { file: parsed.config, problems: Arc::new(parsed.problems) }
    }
}

#[pymethods]
impl DatacenterFile {
    /// Reads the text or the bytes of a file. What is wrong in it is in ``problems`` and never loses the rest.
    #[staticmethod]
    fn parse(text: Text) -> Self {
        Self::from_bytes(&text.0)
    }

    /// Reads a file.
    #[staticmethod]
    fn read(py: Python<'_>, path: PathArg) -> PyResult<Self> {
        Ok(Self::from_bytes(&read_file(py, &path)?))
    }

    /// Reads the settings from the JSON form that recorded scenarios have: fractions instead of percentages.
    #[staticmethod]
    fn settings_from_json(py: Python<'_>, text: &str) -> PyResult<Out<DatacenterConfig>> {
        DatacenterConfig::from_json(text).map(Out).map_err(|error| errors::datacenter_json(py, &error))
    }

    /// The settings.
    #[getter]
    fn config(&self) -> Out<DatacenterConfig> {
        Out(self.file.config().clone())
    }

    /// What is wrong in the file, in the order of the lines.
    #[getter]
    fn problems(&self) -> OutAll<Problem> {
        OutAll(self.problems.as_ref().clone())
    }

    /// Raises a ``ConfigError`` if the file has problems.
    pub(crate) fn raise_for_problems(&self, py: Python<'_>) -> PyResult<()> {
        if self.problems.is_empty() { Ok(()) } else { Err(errors::config(py, "datacenter.cfg", &self.problems)) }
    }

    /// The SHA-1 of the file that this was read from, as 40 hexadecimal digits.
    #[getter]
    fn digest(&self) -> String {
        self.file.digest().to_string()
    }

    /// The file's bytes.
    fn to_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.file.write())
    }

    /// Writes a file, whole or not at all.
    fn write(&self, py: Python<'_>, path: PathArg) -> PyResult<()> {
        write_file(py, &path, &self.file.write())
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.file == other.file
    }

    fn __repr__(&self) -> String {
        format!("<DatacenterFile: {} bytes>", self.file.write().len())
    }
}
