//! Counting instructions: an operation is played under valgrind, which counts what happens within [`measured`] and nothing else.

use std::{env, fs, hint::black_box, path::PathBuf, process::Command};

/// All that is counted happens within a call of this function.
#[inline(never)]
pub(crate) fn measured<T>(operation: impl FnOnce() -> T) -> T {
    black_box(operation())
}

/// How many instructions an operation takes.
///
/// # Errors
///
/// If there is no valgrind, or the operation fails.
pub(crate) fn count(name: &str, scale: &[&str]) -> Result<u64, String> {
    let program = env::current_exe().map_err(|error| format!("where this program is: {error}"))?;
    let counted = program.with_file_name(format!("{name}.{}.counted", std::process::id()));
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-atstart=no", "--toggle-collect=*counting::measured*"])
        .arg(format!("--callgrind-out-file={}", counted.display()))
        .arg(&program)
        .args(["play", name])
        .args(scale)
        .output()
        .map_err(|error| {
            format!("cannot run valgrind: {error}. Install it, for example the Debian package 'valgrind'")
        })?;
    let total = if output.status.success() {
        total(&counted)
    } else {
        Err(format!("{name}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)))
    };
    let _ = fs::remove_file(&counted);
    total
}

fn total(counted: &PathBuf) -> Result<u64, String> {
    let text = fs::read_to_string(counted).map_err(|error| format!("cannot read {}: {error}", counted.display()))?;
    let total = text.lines().find_map(|line| line.strip_prefix("totals: ")).and_then(|total| total.trim().parse().ok());
    total.filter(|total| *total > 0).ok_or_else(|| format!("valgrind has counted nothing in {}", counted.display()))
}

/// The programs on which a count depends.
pub(crate) fn tools() -> Result<String, String> {
    let version = |program: &str| {
        let output = Command::new(program).arg("--version").output();
        let output = output.map_err(|error| format!("cannot run {program}: {error}"))?;
        Ok::<_, String>(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    Ok(format!("{}, {}", version("rustc")?, version("valgrind")?))
}
