//! Control groups, version 2: the kernel's own account of what belongs to a service.
//!
//! Whatever comes from a process is born into its cgroup, whatever it does with its parents, its session or its environment.
//! So a service that has a cgroup of its own is left when that is empty, and not before.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use nix::{
    sys::{
        signal::{Signal, kill},
        statfs::{CGROUP2_SUPER_MAGIC, statfs},
    },
    unistd::Pid,
};

use super::clock;

/// How the processes of a service are held together on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Containment {
    /// Each service has a cgroup of its own below this directory. It loses sight of nothing but what is moved to another cgroup
    /// on purpose, by root.
    Cgroup(PathBuf),
    /// Each service has a guardian, a process from which all of it descends. If that is killed it can't be told any more what
    /// is left.
    Guardian {
        /// Why there are no cgroups.
        why: String,
    },
}

impl Containment {
    /// The directory in which services have theirs. It lies at the top: a service must outlive the unit of the daemon.
    const NAME: &'static str = "ha";

    /// Finds out what there is here.
    #[must_use]
    pub fn find() -> Self {
        match Self::find_cgroups() {
            Ok(directory) => Self::Cgroup(directory),
            Err(error) => Self::Guardian { why: error.to_string() },
        }
    }

    /// At the top, or below the own cgroup for a daemon that may write only there.
    fn find_cgroups() -> io::Result<PathBuf> {
        let none = || io::Error::new(io::ErrorKind::NotFound, "no cgroup2 is mounted");
        let mount = mount_point(&fs::read_to_string("/proc/self/mountinfo")?).ok_or_else(none)?;
        let own = own_cgroup(&fs::read_to_string("/proc/self/cgroup")?).unwrap_or_default();
        let top = mount.join(Self::NAME);
        probe(&top).map(|()| top).or_else(|error| {
            let below = mount.join(own.trim_start_matches('/')).join(Self::NAME);
            probe(&below).map(|()| below).map_err(|_| error)
        })
    }

    pub(crate) fn directory(&self) -> Option<&Path> {
        match self {
            Self::Cgroup(directory) => Some(directory),
            Self::Guardian { .. } => None,
        }
    }
}

impl fmt::Display for Containment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cgroup(directory) => write!(f, "each service has a cgroup of its own in {}", directory.display()),
            Self::Guardian { why } => {
                write!(f, "services are held together by a guardian process each, for want of cgroups ({why})")
            }
        }
    }
}

/// Makes a cgroup there and looks whether it can be used. Leaves nothing behind.
fn probe(directory: &Path) -> io::Result<()> {
    let place = directory.join(format!("probe-{}-{:?}", std::process::id(), thread::current().id()));
    let in_place = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", directory.display()));
    fs::create_dir_all(&place).map_err(in_place)?;
    let cgroup = Cgroup(&place);
    let usable = cgroup
        .is_populated()
        .and_then(|_| fs::OpenOptions::new().write(true).open(place.join("cgroup.procs")).map(drop));
    cgroup.remove();
    // Only if no service has one there.
    let _ = fs::remove_dir(directory);
    usable.map_err(in_place)
}

/// Where `cgroup2` is mounted, by the text of `/proc/self/mountinfo`.
fn mount_point(mountinfo: &str) -> Option<PathBuf> {
    let of = |line: &str| {
        let (mount, file_system) = line.split_once(" - ")?;
        let path = mount.split(' ').nth(4)?;
        (file_system.split(' ').next() == Some("cgroup2")).then(|| PathBuf::from(path))
    };
    mountinfo.lines().find_map(of)
}

/// The cgroup of this process, by the text of `/proc/self/cgroup`.
fn own_cgroup(text: &str) -> Option<String> {
    text.lines().find_map(|line| line.strip_prefix("0::")).map(str::to_owned)
}

/// The directory of a cgroup that systemd knows by a path such as `/system.slice/web.service`.
///
/// # Errors
///
/// If no cgroup2 is mounted.
pub(crate) fn directory_of(path: &str) -> io::Result<PathBuf> {
    let none = || io::Error::new(io::ErrorKind::NotFound, "no cgroup2 is mounted");
    let mount = mount_point(&fs::read_to_string("/proc/self/mountinfo")?).ok_or_else(none)?;
    Ok(mount.join(path.trim_start_matches('/')))
}

/// A cgroup, by its directory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cgroup<'a>(pub(crate) &'a Path);

impl Cgroup<'_> {
    const LOOK_INTERVAL: Duration = Duration::from_millis(10);

    /// Makes it and puts this process into it, with all that will come from it.
    pub(crate) fn enter(self) -> io::Result<()> {
        fs::create_dir_all(self.0)?;
        let entered = fs::write(self.0.join("cgroup.procs"), "0");
        if entered.is_err() {
            self.remove();
        }
        entered
    }

    /// Whether a process is in it, or in one below it. One that is gone holds nothing: only an empty one can be removed.
    pub(crate) fn is_populated(self) -> io::Result<bool> {
        let text = match fs::read_to_string(self.0.join("cgroup.events")) {
            Ok(text) => text,
            Err(error) if is_gone(&error) && self.is_below_cgroups() => return Ok(false),
            Err(error) => return Err(error),
        };
        let value = text.lines().find_map(|line| line.strip_prefix("populated "));
        match value {
            Some("0") => Ok(false),
            Some("1") => Ok(true),
            Some(_) | None => Err(io::Error::other("cgroup.events does not say whether it is populated")),
        }
    }

    /// Where no cgroup2 is mounted any more a missing directory says nothing.
    fn is_below_cgroups(self) -> bool {
        let existing = self.0.ancestors().find(|path| path.exists());
        existing.is_some_and(|path| statfs(path).is_ok_and(|found| found.filesystem_type() == CGROUP2_SUPER_MAGIC))
    }

    /// The numbers of all processes in it and below.
    pub(crate) fn members(self) -> io::Result<Vec<i32>> {
        let mut members = Vec::new();
        for directory in self.tree()? {
            match fs::read_to_string(directory.join("cgroup.procs")) {
                Ok(text) => members.extend(text.lines().filter_map(|line| line.parse::<i32>().ok())),
                Err(error) if is_gone(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(members)
    }

    /// It and all below it, those at the bottom last.
    fn tree(self) -> io::Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        let mut waiting = vec![self.0.to_owned()];
        while let Some(directory) = waiting.pop() {
            match fs::read_dir(&directory) {
                Ok(entries) => {
                    let is_directory = |entry: &fs::DirEntry| entry.file_type().is_ok_and(|kind| kind.is_dir());
                    waiting.extend(entries.flatten().filter(is_directory).map(|entry| entry.path()));
                    found.push(directory);
                }
                Err(error) if is_gone(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// Has the kernel kill all that is in it, at once. Older ones than 5.14 can't: then it is frozen, so that nothing escapes by
    /// having children.
    pub(crate) fn kill(self) -> io::Result<()> {
        match fs::write(self.0.join("cgroup.kill"), "1") {
            Err(error) if is_gone(&error) => self.kill_one_by_one(),
            killed => killed,
        }
    }

    fn kill_one_by_one(self) -> io::Result<()> {
        if !self.0.exists() {
            return Ok(());
        }
        fs::write(self.0.join("cgroup.freeze"), "1")?;
        self.wait_until_frozen();
        let members = self.members();
        for pid in members.iter().flatten() {
            // Frozen ones die as well.
            let _ = kill(Pid::from_raw(*pid), Signal::SIGKILL);
        }
        let thawed = fs::write(self.0.join("cgroup.freeze"), "0");
        members.and(thawed)
    }

    /// For a moment: what is not frozen by then is killed all the same, and what it has made by the next kill.
    fn wait_until_frozen(self) {
        const PATIENCE: Duration = Duration::from_secs(1);
        let end = clock::instant().after(PATIENCE);
        let frozen = || {
            let text = fs::read_to_string(self.0.join("cgroup.events")).unwrap_or_default();
            text.lines().any(|line| line == "frozen 1")
        };
        while !frozen() && clock::instant() < end {
            thread::sleep(Self::LOOK_INTERVAL);
        }
    }

    /// Removes it and all below it, as far as they are empty.
    pub(crate) fn remove(self) {
        for directory in self.tree().unwrap_or_default().iter().rev() {
            // One that is left does no harm.
            let _ = fs::remove_dir(directory);
        }
    }
}

/// A cgroup that is removed while its files are read says ENODEV.
fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(nix::libc::ENODEV)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::process::Command;

    #[test]
    fn the_mount_is_found_by_its_type() {
        let hybrid = "30 24 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n\
                      31 30 0:27 / /sys/fs/cgroup/systemd rw shared:9 - cgroup cgroup rw,name=systemd\n\
                      32 30 0:28 / /sys/fs/cgroup/unified rw shared:10 master:1 - cgroup2 cgroup2 rw";
        assert_eq!(mount_point(hybrid), Some("/sys/fs/cgroup/unified".into()));
        assert_eq!(mount_point("30 24 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw"), None);
        assert_eq!(
            own_cgroup("4:memory:/a\n0::/system.slice/ha-node.service\n").unwrap(),
            "/system.slice/ha-node.service"
        );
    }

    #[test]
    fn a_directory_that_is_missing_where_there_are_no_cgroups_says_nothing() {
        assert!(Cgroup(Path::new("/tmp/no-such-cgroup")).is_populated().is_err());
    }

    /// As a kernel older than 5.14 has it.
    #[test]
    fn all_of_it_is_killed_without_the_help_of_the_kernel_too() {
        let Containment::Cgroup(directory) = Containment::find() else {
            let _ = writeln!(std::io::stderr(), "skipped: no cgroups here");
            return;
        };
        let place = directory.join(format!("test-{}", std::process::id()));
        let cgroup = Cgroup(&place);
        fs::create_dir_all(&place).unwrap();
        let enter =
            format!("echo 0 > {}/cgroup.procs; for i in 1 2 3; do setsid sleep 1000 & done; wait", place.display());
        let mut child = Command::new("/bin/sh").args(["-c", &enter]).spawn().unwrap();
        let end = std::time::Instant::now() + Duration::from_secs(20);
        while cgroup.members().unwrap().len() < 4 {
            assert!(std::time::Instant::now() < end, "they never ran");
            thread::sleep(Duration::from_millis(10));
        }
        cgroup.kill_one_by_one().unwrap();
        child.wait().unwrap();
        while cgroup.is_populated().unwrap() {
            assert!(std::time::Instant::now() < end, "something is left");
            thread::sleep(Duration::from_millis(10));
        }
        cgroup.remove();
        assert!(!place.exists());
    }
}
