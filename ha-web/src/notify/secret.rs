//! Files that targets name.

use std::{fs, io::Read, os::unix::fs::PermissionsExt};

use super::Failed;

/// How many bytes of such a file are read at most.
const LARGEST: u64 = 1 << 20;

/// The content of a file.
pub(super) fn file(path: &str) -> Result<Vec<u8>, Failed> {
    let failed = |error: std::io::Error| Failed::later(format!("cannot read {path}: {error}"));
    let mut content = Vec::new();
    fs::File::open(path).map_err(failed)?.take(LARGEST).read_to_end(&mut content).map_err(failed)?;
    Ok(content)
}

/// A secret: what a file has that not everybody may read, without the line end at its end.
pub(super) fn secret(path: &str) -> Result<Vec<u8>, Failed> {
    let metadata = fs::metadata(path).map_err(|error| Failed::later(format!("cannot read {path}: {error}")))?;
    if metadata.permissions().mode() & 0o007 != 0 {
        return Err(Failed::later(format!("{path} is open to everybody on this machine: 'chmod 600 {path}'")));
    }
    let mut content = file(path)?;
    while content.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
        content.pop();
    }
    if content.is_empty() { Err(Failed::later(format!("there is no secret in {path}"))) } else { Ok(content) }
}
