//! The demonstration: a cluster of three nodes on this machine, failures, and the proof that nothing ran twice.

mod cluster;
mod disk;
mod story;

use std::process::ExitCode;

use crate::cli::{DemoArguments, Failure};

/// Runs the demonstration.
pub(crate) fn run(arguments: &DemoArguments) -> Result<ExitCode, Failure> {
    story::tell(arguments.directory.as_deref())
}

/// The service of the demonstration.
pub(crate) fn write_disk(arguments: &crate::cli::DiskArguments) -> Result<ExitCode, Failure> {
    disk::write(&arguments.disk)
}
