//! Signals that ask this process to end.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use nix::{
    fcntl::OFlag,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal},
    unistd::{pipe2, read, write},
};

/// Both ends of a pipe that a signal handler writes to.
static PIPE: OnceLock<(OwnedFd, OwnedFd)> = OnceLock::new();
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Does nothing but what a signal handler may do.
extern "C" fn note(_: i32) {
    COUNT.fetch_add(1, Ordering::SeqCst);
    if let Some((_, writer)) = PIPE.get() {
        // A full pipe is read soon anyway.
        let _ = write(writer, &[1]);
    }
}

/// For signals that must not be inherited as ignored, as [`SigHandler::SigIgn`] would be.
extern "C" fn ignore(_: i32) {}

/// Signals that ask this process to end, once they were caught. Programs that are started from here do not inherit that.
#[derive(Debug, Clone, Copy)]
pub struct StopSignals(());

impl StopSignals {
    /// Catches SIGTERM, SIGINT and SIGHUP from now on, for a program that a person has started.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn catch() -> io::Result<Self> {
        Self::catch_all(&[Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP])
    }

    /// Catches SIGTERM and SIGINT from now on. SIGHUP and other signals that end a program which does not know them do
    /// nothing: a terminal that is closed, or a mistaken reload, must not reset the node.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn catch_as_daemon() -> io::Result<Self> {
        for signal in
            [Signal::SIGHUP, Signal::SIGUSR1, Signal::SIGUSR2, Signal::SIGALRM, Signal::SIGVTALRM, Signal::SIGPROF]
        {
            install(signal, ignore)?;
        }
        Self::catch_all(&[Signal::SIGTERM, Signal::SIGINT])
    }

    fn catch_all(signals: &[Signal]) -> io::Result<Self> {
        if PIPE.get().is_none() {
            let pipe = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)?;
            // If two threads were here at once, one pipe is as good as the other.
            let _ = PIPE.set(pipe);
        }
        for signal in signals {
            install(*signal, note)?;
        }
        Ok(Self(()))
    }

    /// How many signals have come.
    #[must_use]
    pub fn count(self) -> usize {
        COUNT.load(Ordering::SeqCst)
    }

    /// Waits until a signal has come since this was last called, at most so long. Says whether one has.
    #[must_use]
    pub fn wait(self, timeout: Duration) -> bool {
        let Some((reader, _)) = PIPE.get() else { return false };
        let milliseconds = u16::try_from(timeout.as_millis()).unwrap_or(u16::MAX);
        let mut sources = [PollFd::new(reader.as_fd(), PollFlags::POLLIN)];
        if !matches!(poll(&mut sources, PollTimeout::from(milliseconds)), Ok(1..)) {
            return false;
        }
        let mut bytes = [0; 64];
        matches!(read(reader, &mut bytes), Ok(1..))
    }
}

#[expect(unsafe_code, reason = "a signal handler can be installed in no other way")]
fn install(signal: Signal, handler: extern "C" fn(i32)) -> io::Result<()> {
    let action = SigAction::new(SigHandler::Handler(handler), SaFlags::SA_RESTART, SigSet::empty());
    // SAFETY: one handler does nothing, the other one adds to an atomic number and writes to a pipe: a handler may do both.
    unsafe { nix::sys::signal::sigaction(signal, &action) }?;
    Ok(())
}
