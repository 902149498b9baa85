//! `ha-sim run --from`: a live cluster goes on as a virtual one.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use ha_core::plan::ClusterSnapshot;
use ha_sim::scenario::Scenario;

use super::Error;

/// The scenario that goes on from the snapshot in a file, or from the one on the standard input.
pub(super) fn scenario(from: &Path, texts: &[String]) -> Result<Scenario, Error> {
    let text = read(from)?;
    let snapshot = ClusterSnapshot::from_json(&text);
    let snapshot = snapshot.map_err(|source| Error::Snapshot { path: from.to_owned(), source })?;
    let mut whole = String::new();
    for text in texts {
        let text = match text.strip_prefix('@') {
            Some(file) => read(&PathBuf::from(file))?,
            None => text.clone(),
        };
        whole.push_str(&text);
        whole.push('\n');
    }
    let name = from.file_stem().map(|name| name.to_string_lossy().into_owned()).filter(|name| name != "-");
    Ok(Scenario::from_snapshot(&name.unwrap_or_else(|| "snapshot".to_owned()), &snapshot, &whole)?)
}

fn read(path: &Path) -> Result<String, Error> {
    let read = if path == Path::new("-") {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(path)
    };
    read.map_err(|source| Error::Read { path: path.to_owned(), source })
}
