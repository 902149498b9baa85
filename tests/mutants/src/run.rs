//! Runs one test, within limits.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Result, bail};
use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeValLike,
};
use serde::{Deserialize, Serialize};

/// A test, and what it does where nothing is changed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Test {
    binary: PathBuf,
    folder: PathBuf,
    pub name: String,
    /// How much processor time it takes.
    pub milliseconds: u64,
    /// The mutants whose place it passes.
    pub reached: BTreeSet<usize>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Passed,
    Failed,
    /// At a limit of time.
    Limit,
}

impl Test {
    pub fn new(binary: PathBuf, folder: PathBuf, name: &str) -> Self {
        Self { binary, folder, name: name.into(), milliseconds: 0, reached: BTreeSet::new() }
    }

    /// Its package, its file, and its name.
    pub fn label(&self) -> String {
        let file = self.binary.file_name().unwrap_or_default().to_string_lossy();
        let (file, _) = file.rsplit_once('-').unwrap_or((&file, ""));
        let package = self.folder.file_name().unwrap_or_default().to_string_lossy();
        format!("{package}/{file}: {}", self.name)
    }

    /// Runs it. `seconds` limits its processor time, and four times as much the time that it may take.
    fn run(&self, seconds: u64, variable: (&str, &str)) -> Result<End> {
        // Memory too: a mutant may well fill a list for ever.
        let limits = format!("ulimit -c 0 -t {seconds} -v 4000000; exec \"$0\" \"$@\"");
        let status = Command::new("timeout")
            .args(["--signal=KILL", &(seconds * 4 + 10).to_string(), "sh", "-c", &limits])
            .arg(&self.binary)
            .args(["--exact", &self.name, "--test-threads=1"])
            .current_dir(&self.folder)
            // The same run each time, and none that changes the next one.
            .envs([("PROPTEST_RNG_SEED", "1"), ("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "1"), ("INSTA_UPDATE", "no")])
            .env("PROPTEST_MAX_SHRINK_ITERS", "0")
            .env(variable.0, variable.1)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        const KILLED: i32 = 128 + 9;
        const TIMED_OUT: i32 = 128 + 24;
        Ok(match status.code() {
            Some(0) => End::Passed,
            Some(KILLED | TIMED_OUT) | None => End::Limit,
            Some(_) => End::Failed,
        })
    }

    /// Runs it with this mutant. The limit is far above what it needs without.
    pub fn with_mutant(&self, number: usize) -> Result<End> {
        self.run(self.milliseconds / 200 + 3, ("MUTANT", &number.to_string()))
    }
}

/// Runs a test without any mutant, measures it, and writes down which mutants it passes.
pub fn measure(test: &mut Test, out: &Path) -> Result<()> {
    let file = out.join("reached");
    let _ = fs::remove_file(&file);
    let before = processor_milliseconds()?;
    if test.run(600, ("MUTANTS_REACHED", &file.to_string_lossy()))? != End::Passed {
        bail!("{} fails without any mutant", test.label());
    }
    test.milliseconds = processor_milliseconds()?.saturating_sub(before);
    let numbers = fs::read_to_string(&file).unwrap_or_default();
    test.reached = numbers.lines().map(str::parse).collect::<Result<_, _>>()?;
    Ok(())
}

/// What all runs together have taken so far.
pub fn processor_milliseconds() -> Result<u64> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let sum = usage.user_time().num_milliseconds() + usage.system_time().num_milliseconds();
    Ok(u64::try_from(sum)?)
}
