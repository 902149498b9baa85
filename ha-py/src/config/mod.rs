//! The configuration: sections as values, files as mappings, edits.

pub(crate) mod arguments;
pub(crate) mod configuration;
mod datacenter;
mod editor;
mod fence;
mod files;
mod sections;

pub(crate) use configuration::{Configuration, Parts};
pub(crate) use datacenter::DatacenterFile;
pub(crate) use editor::Editor;
pub(crate) use fence::FenceConfig;
pub(crate) use files::{Found, GroupsConfig, Iter, NodesConfig, ResourcesConfig, RulesConfig};
pub(crate) use sections::{Group, NodeLabels, Resource, Rule};

use std::{
    fs::OpenOptions,
    io::Write,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use ha_core::id::ServiceTypes;
use pyo3::prelude::*;

use crate::raise;

/// Service types beside the built-in ones, which take any name.
pub(crate) fn service_types(names: &[String]) -> ServiceTypes {
    let mut types = ServiceTypes::default();
    for name in names {
        types.register(name.as_str(), |_| Ok(()));
    }
    types
}

pub(crate) fn read_file(py: Python<'_>, path: &Path) -> PyResult<Vec<u8>> {
    py.detach(|| std::fs::read(path)).map_err(|error| raise::io(&error, path))
}

/// Writes a file whole or not at all. One that is there keeps its permissions.
pub(crate) fn write_file(py: Python<'_>, path: &Path, bytes: &[u8]) -> PyResult<()> {
    py.detach(|| replace(path, bytes)).map_err(|error| raise::io(&error, path))
}

fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    static WRITES: AtomicU64 = AtomicU64::new(0);
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}-{}.new", std::process::id(), WRITES.fetch_add(1, Ordering::Relaxed)));
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).open(&beside)?;
        if let Ok(present) = std::fs::metadata(path) {
            file.set_permissions(present.permissions())?;
        }
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    };
    write().inspect_err(|_| drop(std::fs::remove_file(&beside)))
}
