//! `fence.cfg`.

use std::sync::Arc;

use ha_core::config::{self, fence::FenceCommand};
use pyo3::{prelude::*, types::PyAny};

use super::{read_file, sections::node_names};
use crate::{
    convert::{Items, Name, Node, OutAll, PathArg, Text, plain},
    errors,
    values::FenceFault,
};

/// The content of ``fence.cfg``: devices that can switch a node off.
///
/// A file with a fatal fault is not used at all: it has no devices then. Arguments can be passwords and are never shown.
///
/// >>> from pyha import FenceConfig
/// >>> fence = FenceConfig.parse("device power fence_apc ip=192.0.2.1\nconnect power node=node1 plug=7\n")
/// >>> [command.program for command in fence.commands("node1", attempt=0)]
/// ['fence_apc']
#[pyclass(frozen, module = "pyha")]
#[derive(Debug, Clone)]
pub(crate) struct FenceConfig {
    pub(crate) file: Arc<config::fence::FenceFile>,
}

impl FenceConfig {
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        Self { file: Arc::new(config::FenceConfig::read(bytes)) }
    }

    /// The devices, if the file is used.
    pub(crate) fn used(&self) -> Option<&config::FenceConfig> {
        self.file.config.as_ref().ok()
    }
}

#[pymethods]
impl FenceConfig {
    /// Reads the text or the bytes of a file.
    #[staticmethod]
    fn parse(text: Text) -> Self {
        Self::from_bytes(&text.0)
    }

    /// Reads a file.
    #[staticmethod]
    fn read(py: Python<'_>, path: PathArg) -> PyResult<Self> {
        Ok(Self::from_bytes(&read_file(py, &path)?))
    }

    /// What is wrong in the file, in the order of the lines.
    #[getter]
    fn faults(&self) -> OutAll<FenceFault> {
        OutAll(FenceFault::of_file(&self.file))
    }

    /// Raises a ``ConfigError`` if the file has faults.
    pub(crate) fn raise_for_problems(&self, py: Python<'_>) -> PyResult<()> {
        let faults = FenceFault::of_file(&self.file);
        if faults.is_empty() { Ok(()) } else { Err(errors::fence(py, &faults)) }
    }

    /// The names of the devices, in the order in which they are tried.
    #[getter]
    fn devices(&self) -> Vec<&str> {
        self.used().map(|config| config.devices.keys().map(String::as_str).collect()).unwrap_or_default()
    }

    /// The commands that an attempt, counted from 0, runs to switch a node off: all at once.
    fn commands(&self, node: Node, attempt: usize) -> OutAll<FenceCommand> {
        OutAll(self.used().map(|config| config.commands(&node.0, attempt)).unwrap_or_default())
    }

    /// Whether a device is connected to the node.
    fn is_connected(&self, node: Node) -> bool {
        let Name(node) = node;
        self.used().is_some_and(|config| config.is_connected(&node))
    }

    /// Errors, or the commands by attempt and node: as plain data.
    #[pyo3(signature = (nodes) -> "dict[str, object] | list[dict[str, object]]")]
    fn report<'py>(&self, py: Python<'py>, nodes: Items<Node>) -> PyResult<Bound<'py, PyAny>> {
        plain(py, &self.file.report(&node_names(nodes)))
    }

    fn __repr__(&self) -> String {
        format!("<FenceConfig: {} devices>", self.devices().len())
    }
}
