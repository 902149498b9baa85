//! What services write: it is kept, but not without end.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use ha_core::event::Severity;

use super::log::LogSource;

/// The logs of a run directory's services.
#[derive(Debug)]
pub(super) struct ServiceLogs {
    directories: Vec<PathBuf>,
    complaint: Option<String>,
}

impl ServiceLogs {
    /// Each kind of guest has a directory with the logs of its guests.
    pub(super) fn new(run_directory: &Path, kinds: impl Iterator<Item = &'static str>) -> Self {
        Self { directories: kinds.map(|kind| run_directory.join(kind)).collect(), complaint: None }
    }

    /// Turns over what has become too large. What goes wrong is told once as long as it stays the same.
    pub(super) fn turn_over(&mut self, log: &LogSource) {
        let complaint = turn_over(&self.directories).err().map(|error| error.to_string());
        if let Some(text) = complaint.as_ref().filter(|_| complaint != self.complaint) {
            log.message(Severity::Warning, format!("cannot keep what a service wrote: {text}"));
        }
        self.complaint = complaint;
    }
}

/// Bytes that a log may have, and that are kept of it each time.
const LARGEST: u64 = 10 << 20;

/// Turns the logs in these directories over that have become too large: `X.log` goes to `X.log.1`, and that to
/// `X.log.2`. Services hold their logs open and write at the end, so a log is copied and emptied; what is written in between is lost.
///
/// # Errors
///
/// For the last log with which something went wrong. One that can't be copied is emptied all the same: the run directory is in memory.
fn turn_over(directories: &[PathBuf]) -> io::Result<()> {
    let mut result = Ok(());
    for directory in directories {
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        let logs = entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|word| word == "log"));
        for log in logs.filter(|path| fs::metadata(path).is_ok_and(|found| found.len() > LARGEST)) {
            let turned =
                turn(&log).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", log.display())));
            result = result.and(turned);
        }
    }
    result
}

fn turn(log: &Path) -> io::Result<()> {
    let older = |number: &str| -> PathBuf { log.with_added_extension(number) };
    if older("1").exists() {
        fs::rename(older("1"), older("2"))?;
    }
    let mut file = OpenOptions::new().read(true).write(true).open(log)?;
    let kept = keep(&mut file, &older("1"));
    file.set_len(0)?;
    kept
}

/// Copies the end of a log.
fn keep(log: &mut File, to: &Path) -> io::Result<()> {
    let length = log.metadata()?.len();
    log.seek(SeekFrom::Start(length.saturating_sub(LARGEST)))?;
    let mut copy = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(to)?;
    let copied = io::copy(&mut log.take(LARGEST), &mut copy);
    if copied.is_err() {
        // Half a copy on a full disk is in the way.
        let _ = fs::remove_file(to);
    }
    copied.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{io::Write, os::unix::fs::PermissionsExt};

    #[test]
    fn a_log_that_is_too_large_is_turned_over_twice_and_its_writer_goes_on() {
        let run = std::env::temp_dir().join(format!("ha-output-{}", std::process::id()));
        let proc = run.join("proc");
        let log = proc.join("proc:a.b.log");
        fs::create_dir_all(&proc).unwrap();
        let mut writer = crate::os::files::open_log(&log).unwrap();
        for round in *b"123" {
            writer.write_all(&vec![round; 11 << 20]).unwrap();
            turn_over(std::slice::from_ref(&proc)).unwrap();
            writer.write_all(b"after\n").unwrap();
            turn_over(std::slice::from_ref(&proc)).unwrap();
        }
        assert_eq!(fs::read(&log).unwrap(), b"after\n");
        for (number, round) in [("1", b'3'), ("2", b'2')] {
            let path = log.with_added_extension(number);
            let kept = fs::read(&path).unwrap();
            assert_eq!(kept.len(), 10 << 20);
            assert!(kept.ends_with(&[round; 100]), "{number}");
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(fs::read_dir(log.parent().unwrap()).unwrap().count(), 3);
        fs::remove_dir_all(run).unwrap();
    }
}
