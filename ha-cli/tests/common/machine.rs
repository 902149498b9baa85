//! Virtual machines that QEMU emulates, for tests that need a kernel of their own.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
};

use ha_core::timing::{TimingSettings, Timings};
use serde_json::json;

use super::skip;

/// The fast timings times three: emulation, on a busy machine, is slow.
pub(crate) fn timings() -> Timings {
    let mut settings = serde_json::to_value(TimingSettings::fast()).unwrap();
    for (_, value) in settings.as_object_mut().unwrap().iter_mut().filter(|(name, _)| name.ends_with("_s")) {
        *value = json!((value.as_f64().unwrap() * 3000.0).round() / 1000.0);
    }
    serde_json::from_value(settings).unwrap()
}

/// Where the parts of a machine are, which a script beside this folder fetches. Where they can't be had: nothing, and a line that
/// says that there is no `what`.
pub(crate) fn parts(script: &str, what: &str) -> Option<PathBuf> {
    static FETCHING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = FETCHING.lock().unwrap_or_else(PoisonError::into_inner);
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = home.join("../target/machine");
    let fetched = Command::new(home.join("tests").join(script)).arg(&folder).output().unwrap();
    if fetched.status.success() {
        return Some(folder.canonicalize().unwrap());
    }
    skip(&format!("no {what}: {}", String::from_utf8_lossy(&fetched.stderr).trim()));
    None
}
