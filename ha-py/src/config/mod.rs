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
pub(crate) use files::{Found, GroupsConfig, Names, ResourcesConfig, RulesConfig};
pub(crate) use sections::{Group, Resource, Rule};

use std::path::Path;

use ha_core::id::ServiceTypes;
use pyo3::prelude::*;

use crate::errors;

/// Service types beside the built-in ones, which take any name.
pub(crate) fn service_types(names: &[String]) -> ServiceTypes {
    let mut types = ServiceTypes::default();
    for name in names {
        types.register(name.as_str(), |_| Ok(()));
    }
    types
}

pub(crate) fn read_file(py: Python<'_>, path: &Path) -> PyResult<Vec<u8>> {
    py.detach(|| std::fs::read(path)).map_err(|error| errors::io(&error, path))
}

/// Writes a file whole or not at all.
pub(crate) fn write_file(py: Python<'_>, path: &Path, bytes: &[u8]) -> PyResult<()> {
    let write = || {
        let mut beside = path.as_os_str().to_owned();
        beside.push(format!(".{}.new", std::process::id()));
        std::fs::write(&beside, bytes)?;
        std::fs::rename(&beside, path).inspect_err(|_| drop(std::fs::remove_file(&beside)))
    };
    py.detach(write).map_err(|error| errors::io(&error, path))
}
