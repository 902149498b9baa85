//! A machine made of processes: what a supervisor has started, and all that comes from it. A reset kills it all.

use std::{
    collections::BTreeMap,
    fs, io,
    process::{self, Command},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use ha_core::time::Instant;
use nix::{
    errno::Errno,
    sys::{
        prctl,
        signal::{Signal, kill},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::{Pid, getppid},
};

use super::Device;
use crate::os::{
    clock,
    process::{Stat, stat},
};

/// With what a supervisor exits whose watchdog has reset its machine.
pub const RESET_EXIT_CODE: i32 = 70;

/// A watchdog that resets the machine of this process, see [`Machine`].
///
/// A thread of its own counts, so that nothing that this process does otherwise keeps it from that.
#[derive(Debug)]
pub struct ProcessDevice {
    timeout: Duration,
    /// When it runs out; nothing once it is disarmed.
    runs_out: Arc<Mutex<Option<Instant>>>,
}

impl ProcessDevice {
    /// How exactly it counts.
    const STEP: Duration = Duration::from_millis(5);

    /// Arms it. When it runs out, it kills all that comes from this process, tells so by `on_reset`, and ends this process
    /// with [`RESET_EXIT_CODE`].
    ///
    /// # Errors
    ///
    /// If no thread can be started.
    pub fn arm(timeout: Duration, on_reset: impl FnOnce() + Send + 'static) -> io::Result<Self> {
        let runs_out = Arc::new(Mutex::new(Some(clock::instant().after(timeout))));
        let watched = runs_out.clone();
        thread::Builder::new().name("watchdog".into()).spawn(move || {
            loop {
                let runs_out = *watched.lock().unwrap_or_else(PoisonError::into_inner);
                match runs_out {
                    None => return,
                    Some(moment) if clock::instant() >= moment => break,
                    Some(_) => thread::sleep(Self::STEP),
                }
            }
            kill_descendants();
            on_reset();
            process::exit(RESET_EXIT_CODE);
        })?;
        Ok(Self { timeout, runs_out })
    }

    fn set(&self, moment: Option<Instant>) {
        *self.runs_out.lock().unwrap_or_else(PoisonError::into_inner) = moment;
    }
}

impl Device for ProcessDevice {
    fn describe(&self) -> String {
        "a watchdog of processes".into()
    }

    fn feed(&mut self) -> io::Result<()> {
        self.set(Some(clock::instant().after(self.timeout)));
        Ok(())
    }

    fn rearm(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn hasten(&mut self) -> io::Result<()> {
        self.set(Some(clock::instant()));
        Ok(())
    }

    fn close(&mut self) -> io::Result<()> {
        self.set(None);
        Ok(())
    }
}

/// A supervisor's machine: whatever it started, and whatever comes from that, however it was detached.
#[derive(Debug)]
pub struct Machine {
    main: Pid,
}

/// How the main process of a machine ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MachineEnd {
    /// With this exit code.
    Exited(i32),
    /// By this signal.
    Killed(i32),
}

impl Machine {
    /// Makes this process the supervisor of a machine, and starts its main process. It is killed with its starter.
    ///
    /// # Errors
    ///
    /// If the command can't be started.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        // Whoever loses its parent becomes a child of this process, and so stays part of the machine.
        prctl::set_child_subreaper(true)?;
        let child = command.spawn()?;
        let pid = i32::try_from(child.id()).map_err(io::Error::other)?;
        Ok(Self { main: Pid::from_raw(pid) })
    }

    /// Has this process asked to end when its starter dies. Says whether the starter still lives.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn end_with_starter() -> io::Result<bool> {
        let starter = getppid();
        prctl::set_pdeathsig(Signal::SIGTERM)?;
        Ok(getppid() == starter && starter != Pid::from_raw(1))
    }

    /// Buries the dead, and says how the main process ended, if it has.
    pub fn reap(&mut self) -> Option<MachineEnd> {
        let mut end = None;
        loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(pid, code)) if pid == self.main => end = Some(MachineEnd::Exited(code)),
                Ok(WaitStatus::Signaled(pid, signal, _)) if pid == self.main => {
                    end = Some(MachineEnd::Killed(signal as i32));
                }
                Ok(WaitStatus::StillAlive) | Err(_) => return end,
                Ok(_) => {}
            }
        }
    }
}

/// Kills all processes that come from this one with SIGKILL, until none is left.
///
/// A process that starts another one while it is being killed can't get away: what it started is found the next time.
pub fn kill_descendants() {
    /// A process that can't be killed for this long hangs in the kernel.
    const PATIENCE: Duration = Duration::from_secs(10);
    let end = clock::instant().after(PATIENCE);
    let mut empty_looks = 0;
    while clock::instant() < end {
        let alive = living_descendants();
        // One whose parent ends while /proc is read may be seen under neither its old nor its new parent, once.
        empty_looks = if alive.is_empty() { empty_looks + 1 } else { 0 };
        if empty_looks == 2 {
            return;
        }
        for pid in alive {
            match kill(pid, Signal::SIGKILL) {
                // It ended by itself, or it has other rights and can't be helped.
                Ok(()) | Err(Errno::ESRCH | _) => {}
            }
        }
        thread::sleep(Duration::from_millis(1));
        while matches!(waitpid(None, Some(WaitPidFlag::WNOHANG)), Ok(status) if status != WaitStatus::StillAlive) {}
    }
}

/// The processes that come from this one, without the dead that nobody has buried yet.
fn living_descendants() -> Vec<Pid> {
    let mut children: BTreeMap<i32, Vec<Stat>> = BTreeMap::new();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    for stat in pids.filter_map(stat) {
        children.entry(stat.parent).or_default().push(stat);
    }
    let mut alive = Vec::new();
    let mut families = vec![i32::try_from(process::id()).unwrap_or(0)];
    while let Some(parent) = families.pop() {
        for child in children.remove(&parent).unwrap_or_default() {
            families.push(child.pid);
            if !child.is_dead() {
                alive.push(Pid::from_raw(child.pid));
            }
        }
    }
    alive
}
