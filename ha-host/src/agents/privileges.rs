//! What the unit of the daemon has for itself, and its services must not inherit.
//!
//! A service that the kernel never ends for want of memory, or that runs before all others, takes its node down with it.

use std::{
    fs,
    io::{self, Write},
};

use nix::errno::Errno;

/// How willingly the kernel ends this process for want of memory: -1000 is never, 0 is what processes have as a rule.
const MEMORY: &str = "/proc/self/oom_score_adj";

/// What was given up that a guardian needs again.
#[derive(Debug)]
pub(super) struct GivenUp {
    memory: Option<String>,
}

/// Brings this process back to what processes have as a rule. What can't be given up is said in the log of the service, which is
/// started all the same.
pub(super) fn give_up(log: &mut impl Write) -> GivenUp {
    let memory = fs::read_to_string(MEMORY).ok().filter(|text| text.trim() != "0");
    let steps = [
        ("its place when memory runs out", memory.as_ref().map_or(Ok(()), |_| fs::write(MEMORY, "0"))),
        ("its scheduling", kernel::schedule_as_usual()),
        ("its capabilities", kernel::clear_ambient_capabilities()),
    ];
    for (what, result) in steps {
        if let Err(error) = result {
            // Without a log there is nobody to tell.
            let _ = writeln!(log, "ha: it has inherited {what} from the daemon: {error}");
        }
    }
    GivenUp { memory }
}

impl GivenUp {
    /// A guardian that the kernel ends for want of memory leaves a service of which nobody knows what is left. Its program must
    /// have been started before.
    pub(super) fn take_back(&self) {
        if let Some(memory) = &self.memory {
            // Less than that takes a privilege, and only a guardian's safety depends on it.
            let _ = fs::write(MEMORY, memory);
        }
    }
}

#[expect(unsafe_code, reason = "these calls have no safe form")]
mod kernel {
    use nix::libc;

    use super::{Errno, io};

    /// The usual policy, with the nice value and the disk priority that processes have as a rule.
    pub(super) fn schedule_as_usual() -> io::Result<()> {
        /// `IOPRIO_WHO_PROCESS` and `IOPRIO_CLASS_NONE` of `linux/ioprio.h`.
        const OF_PROCESS: i32 = 1;
        const BY_NICE_VALUE: i32 = 0;
        let usual = libc::sched_param { sched_priority: 0 };
        // SAFETY: the structure lives as long as the call, and the others take numbers.
        unsafe {
            Errno::result(libc::sched_setscheduler(0, libc::SCHED_OTHER, &raw const usual))?;
            Errno::result(libc::setpriority(libc::PRIO_PROCESS, 0, 0))?;
            Errno::result(libc::syscall(libc::SYS_ioprio_set, OF_PROCESS, 0, BY_NICE_VALUE))?;
        }
        Ok(())
    }

    pub(super) fn clear_ambient_capabilities() -> io::Result<()> {
        // SAFETY: it takes numbers.
        unsafe { Errno::result(libc::prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0))? };
        Ok(())
    }
}
