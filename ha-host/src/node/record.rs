//! Recordings of daemons in files.

use std::{
    fs::{self, File, OpenOptions},
    io::{BufWriter, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use ha_core::{
    id::NodeName,
    record::{LineSink, Recorder},
};

use super::NodeError;
use crate::os::clock;

/// A file that takes the lines of a recording. It is handed to the system after each call of the daemon and never waits
/// for a disk to have it. Once it can't be written it is left as it is.
#[derive(Debug)]
pub(super) struct RecordingFile {
    out: Option<BufWriter<File>>,
}

impl RecordingFile {
    /// What records a daemon into a new file of this folder, readable by its owner alone; off without a folder.
    pub(super) fn recorder(
        folder: Option<&Path>,
        node: &NodeName,
        daemon: &str,
    ) -> Result<Recorder<RecordingFile>, NodeError> {
        let Some(folder) = folder else { return Ok(Recorder::off()) };
        fs::create_dir_all(folder).map_err(NodeError::system(format!("make {}", folder.display())))?;
        let path = folder.join(format!("{node}-{daemon}-{}.jsonl", clock::wall()));
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path);
        let file = file.map_err(NodeError::system(format!("write {}", path.display())))?;
        Ok(Recorder::new(Self { out: Some(BufWriter::new(file)) }))
    }

    fn write(&mut self, act: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>) {
        if let Some(out) = &mut self.out
            && act(out).is_err()
        {
            self.out = None;
        }
    }
}

impl LineSink for RecordingFile {
    fn line(&mut self, line: String) {
        self.write(|out| writeln!(out, "{line}"));
    }

    fn call_ended(&mut self) {
        self.write(BufWriter::flush);
    }
}
