//! Processes: which one is meant, and whether it still is that one.
//!
//! The kernel gives the number of a dead process to another one. So a process is remembered by its number, the moment at
//! which it was started, and the boot of the machine: no two processes have all three in common.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde::{Deserialize, Serialize};

use super::{
    cgroup::Cgroup,
    files::{self, Durability},
};

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
    /// Its number.
    pub pid: i32,
    /// When it was started, in ticks since boot.
    pub started: u64,
    /// The boot of the machine.
    pub boot: String,
    /// What the environment of the process and of all that comes from it has as [`INSTANCE_VARIABLE`].
    pub instance: String,
    /// The directory of the cgroup that all of it is in, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cgroup: Option<PathBuf>,
    /// What the process says as a guardian, if it is one; else it is the service's program itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard: Option<Guard>,
}

/// What a guardian says of the service from which it keeps nothing hidden: whatever descends from it stays its descendant, also when
/// what is between dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Guard {
    /// Something of it runs.
    Watches,
    /// The program that was started has failed. What is left of the service, if anything, is a remainder.
    Failed,
    /// Nothing is left.
    Ended,
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
        Self::of(std::process::id(), instance)
    }

    /// A process that has not been waited for, so that its number is nobody else's. `instance` must be new.
    ///
    /// # Errors
    ///
    /// If the kernel says nothing of it.
    pub(crate) fn of(pid: u32, instance: String) -> io::Result<Self> {
        let pid = i32::try_from(pid).map_err(io::Error::other)?;
        let stat = stat(pid).ok_or_else(|| io::Error::other(format!("/proc says nothing of process {pid}")))?;
        Ok(Self { pid, started: stat.started, boot: boot_id().to_owned(), instance, cgroup: None, guard: None })
    }

    /// The record in a file; nothing if there is none.
    ///
    /// # Errors
    ///
    /// If the file is there and can't be read or understood: a process that nobody knows may run then.
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
        self.is_of_this_boot() && stat(self.pid).is_some_and(|stat| self.is(&stat) && !stat.is_dead())
    }

    fn is_of_this_boot(&self) -> bool {
        self.boot == boot_id()
    }

    fn is(&self, stat: &Stat) -> bool {
        stat.pid == self.pid && stat.started == self.started
    }

    /// Whether the service's program has ended, as far as that is known, so that what is left of it is a remainder.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        match self.guard {
            Some(Guard::Failed) => true,
            Some(Guard::Watches | Guard::Ended) => false,
            None => !self.is_running(),
        }
    }

    /// All of the service that runs, the guardian not counted: what is in its cgroup, what has its mark in the environment, and all
    /// that descends from these, from the program or from the guardian.
    ///
    /// # Errors
    ///
    /// If the kernel does not say.
    pub fn family(&self) -> io::Result<Vec<Stat>> {
        if !self.is_of_this_boot() {
            return Ok(Vec::new());
        }
        let mark = format!("{INSTANCE_VARIABLE}={}", self.instance);
        // First, so that no stranger is taken for a member that had its number.
        let all = all_processes()?;
        let contained: BTreeSet<i32> = match &self.cgroup {
            Some(cgroup) => Cgroup(cgroup).members()?.into_iter().collect(),
            None => BTreeSet::new(),
        };
        let is_root = |stat: &Stat| self.is(stat) || contained.contains(&stat.pid) || has_mark(stat.pid, &mark);
        let mut found = with_descendants(all, is_root);
        let is_guardian = |stat: &Stat| self.guard.is_some() && self.is(stat);
        found.retain(|stat| !stat.is_dead() && !is_guardian(stat));
        Ok(found)
    }

    /// Whether anything of the service is left, the guardian counted.
    ///
    /// # Errors
    ///
    /// If that can't be told.
    pub fn is_left(&self) -> io::Result<bool> {
        if !self.is_of_this_boot() {
            return Ok(false);
        }
        if self.is_running() || !self.family()?.is_empty() {
            return Ok(true);
        }
        match (&self.cgroup, self.guard) {
            (Some(cgroup), _) => Cgroup(cgroup).is_populated(),
            (None, Some(Guard::Ended) | None) => Ok(false),
            (None, Some(Guard::Watches | Guard::Failed)) => Err(io::Error::other(format!(
                "its guardian, process {}, was killed, so nobody can tell what is left of it; end what is left, then remove its \
                 record, or reboot",
                self.pid
            ))),
        }
    }

    /// Sends a signal to all of the service, not to its guardian. Says to how many.
    ///
    /// # Errors
    ///
    /// If the kernel does not say what there is.
    pub fn signal(&self, signal: Signal) -> io::Result<usize> {
        let family = self.family()?;
        for member in &family {
            if stat(member.pid).is_some_and(|now| now.started == member.started) {
                // It may have ended just now.
                let _ = kill(Pid::from_raw(member.pid), signal);
            }
        }
        Ok(family.len())
    }

    /// Kills all of the service, as far as it is seen. What it makes meanwhile may escape where it has no cgroup: look again.
    ///
    /// # Errors
    ///
    /// If the kernel does not let it be killed.
    pub fn kill(&self) -> io::Result<()> {
        if !self.is_of_this_boot() {
            return Ok(());
        }
        self.signal(Signal::SIGKILL)?;
        match &self.cgroup {
            Some(cgroup) => Cgroup(cgroup).kill(),
            None => Ok(()),
        }
    }
}

/// Removes the cgroup of what has ended, if it had one.
pub(crate) fn remove_cgroup_of(ended: &ProcessRecord) {
    if let Some(cgroup) = &ended.cgroup {
        Cgroup(cgroup).remove();
    }
}

fn all_processes() -> io::Result<Vec<Stat>> {
    let entries = fs::read_dir("/proc")?.collect::<io::Result<Vec<_>>>()?;
    let pids = entries.iter().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    Ok(pids.filter_map(stat).collect())
}

/// Those that are roots, and all that descends from them.
fn with_descendants(all: Vec<Stat>, is_root: impl Fn(&Stat) -> bool) -> Vec<Stat> {
    let mut children: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
    for stat in &all {
        children.entry(stat.parent).or_default().push(stat.pid);
    }
    let mut waiting: Vec<i32> = all.iter().filter(|stat| is_root(stat)).map(|stat| stat.pid).collect();
    let mut found = BTreeSet::new();
    while let Some(pid) = waiting.pop() {
        if found.insert(pid) {
            waiting.extend(children.get(&pid).into_iter().flatten());
        }
    }
    all.into_iter().filter(|stat| found.contains(&stat.pid)).collect()
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
        assert!(!other_boot.is_running() && !other_boot.is_left().unwrap());
    }
}
