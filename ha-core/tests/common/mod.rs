//! What several test programs need.

use std::{collections::BTreeMap, fs, path::PathBuf};

/// A place in the repository.
pub(crate) fn in_repository(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// The files of a folder with one ending, by the names without it. Nothing if the folder does not exist.
pub(crate) fn files(folder: &str, ending: &str) -> Option<BTreeMap<String, String>> {
    let entries = fs::read_dir(in_repository(folder)).ok()?;
    let paths = entries.map(|entry| entry.unwrap().path());
    let named = paths.filter_map(|path| {
        let name = path.file_name()?.to_str()?.strip_suffix(ending)?.to_owned();
        Some((name, fs::read_to_string(&path).unwrap()))
    });
    Some(named.collect())
}
