//! Processes: which one is meant, and whether it still is that one.
//!
//! The kernel gives the number of a dead process to another one. So a process is remembered by its number, the moment at
//! which it was started, and the boot of the machine: no two processes have all three in common.

use std::{fs, io, path::Path, sync::OnceLock};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde::{Deserialize, Serialize};

use crate::files::{self, Durability};

/// What the kernel says of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stat {
    /// Its number.
    pub pid: i32,
    /// Its parent.
    pub parent: i32,
    /// Its group.
    pub group: i32,
    /// When it was started, in ticks since boot.
    pub started: u64,
    state: char,
}

impl Stat {
    /// Whether it has ended and only waits to be buried.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        matches!(self.state, 'Z' | 'X' | 'x')
    }
}

/// What the kernel says of the process with this number; nothing if there is none.
#[must_use]
pub fn stat(pid: i32) -> Option<Stat> {
    parse_stat(pid, &fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The second field is the program's name in brackets, and may hold anything, brackets and blanks too.
fn parse_stat(pid: i32, text: &str) -> Option<Stat> {
    let (_, rest) = text.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    Some(Stat {
        pid,
        state: fields.first()?.chars().next()?,
        parent: fields.get(1)?.parse().ok()?,
        group: fields.get(2)?.parse().ok()?,
        started: fields.get(19)?.parse().ok()?,
    })
}

fn boot_id() -> &'static str {
    static BOOT_ID: OnceLock<String> = OnceLock::new();
    BOOT_ID.get_or_init(|| {
        let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        id.trim().to_owned()
    })
}

/// A process that may have ended, and whose number may be another one's now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessRecord {
    /// Its number, which is that of its group too.
    pub pid: i32,
    /// When it was started, in ticks since boot.
    pub started: u64,
    /// The boot of the machine.
    pub boot: String,
    /// Stands in the environment of the process and of all that comes from it, as [`INSTANCE_VARIABLE`].
    pub instance: String,
}

/// The variable by which all processes of a service are found.
pub const INSTANCE_VARIABLE: &str = "HA_INSTANCE";

impl ProcessRecord {
    /// This process. `instance` must be new.
    ///
    /// # Errors
    ///
    /// If the kernel says nothing of it.
    pub fn of_this_process(instance: String) -> io::Result<Self> {
        let pid = i32::try_from(std::process::id()).map_err(io::Error::other)?;
        let stat = stat(pid).ok_or_else(|| io::Error::other("/proc says nothing of this process"))?;
        Ok(Self { pid, started: stat.started, boot: boot_id().to_owned(), instance })
    }

    /// The record in a file; nothing if there is none, or if it can't be understood: it is written whole.
    ///
    /// # Errors
    ///
    /// If the file is there and can't be read.
    pub fn read(path: &Path) -> io::Result<Option<Self>> {
        let text = files::read(path)?;
        text.map(|text| serde_json::from_slice(&text).map_err(io::Error::other)).transpose()
    }

    /// Writes the record.
    ///
    /// # Errors
    ///
    /// If the file system does.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let text = serde_json::to_vec(self)?;
        files::replace(path, &text, "record", Durability::Memory)
    }

    /// Whether the process itself still runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.boot == boot_id() && stat(self.pid).is_some_and(|stat| stat.started == self.started && !stat.is_dead())
    }

    /// The process and all that comes from it, as far as they run.
    ///
    /// Those that were detached are found by their environment.
    #[must_use]
    pub fn family(&self) -> Vec<Stat> {
        if self.boot != boot_id() {
            return Vec::new();
        }
        let mark = format!("{INSTANCE_VARIABLE}={}", self.instance);
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        let stats = pids.filter_map(stat).filter(|stat| !stat.is_dead());
        stats
            .filter(|stat| (stat.pid == self.pid && stat.started == self.started) || has_mark(stat.pid, &mark))
            .collect()
    }

    /// Sends a signal to the process and all that comes from it. Says to how many.
    #[must_use]
    pub fn signal(&self, signal: Signal) -> usize {
        let family = self.family();
        for member in &family {
            if stat(member.pid).is_some_and(|now| now.started == member.started) {
                // It may have ended just now.
                let _ = kill(Pid::from_raw(member.pid), signal);
            }
        }
        family.len()
    }
}

fn has_mark(pid: i32, mark: &str) -> bool {
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_program_may_hold_anything() {
        let text = format!("7 (a) b) (c) S 1 7 7 {} 4242 0 0", vec!["0"; 15].join(" "));
        let stat = parse_stat(7, &text).unwrap();
        assert_eq!((stat.parent, stat.group, stat.started, stat.is_dead()), (1, 7, 4242, false));
        let text = format!("7 (x) Z 1 7 7 {} 4242 0 0", vec!["0"; 15].join(" "));
        assert!(parse_stat(7, &text).unwrap().is_dead());
        assert_eq!(parse_stat(7, "7 (x) S 1"), None);
    }

    #[test]
    fn a_stranger_with_the_same_number_is_not_the_process() {
        let record = ProcessRecord::of_this_process("test".into()).unwrap();
        assert!(record.is_running());
        assert!(!ProcessRecord { started: record.started + 1, ..record.clone() }.is_running());
        let other_boot = ProcessRecord { boot: "another".into(), ..record };
        assert!(!other_boot.is_running() && other_boot.family().is_empty());
    }
}
