//! The demonstration: a cluster of three nodes on this machine, failures, and the proof that nothing ran twice.

mod cluster;
mod disk;
mod etcd;
mod page;
mod story;

use std::process::ExitCode;

use crate::{
    context::Failure,
    daemon::{DemoArguments, DiskArguments},
};

/// Runs the demonstration: in an etcd of its own if `store` is `etcd`, in a directory of its own otherwise.
pub(crate) fn run(arguments: &DemoArguments, store: Option<&str>) -> Result<ExitCode, Failure> {
    story::tell(arguments.directory.as_deref(), store == Some("etcd"), arguments.web.as_deref())
}

/// The service of the demonstration.
pub(crate) fn write_disk(arguments: &DiskArguments) -> Result<ExitCode, Failure> {
    disk::write(&arguments.disk)
}
