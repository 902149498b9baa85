//! How far something is that takes long: one line on the terminal, written over again and again.

use std::{
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

use terminal_size::{Width, terminal_size_of};

/// A line that says how far something is, for who looks at a terminal; nothing anywhere else, and nothing of what is over at once.
/// It is gone when this is dropped.
#[derive(Debug)]
pub(super) struct Progress {
    is_watched: bool,
    began: Instant,
    told_at: Option<Instant>,
}

impl Progress {
    /// What takes less is over before anybody wonders.
    const SOON: Duration = Duration::from_secs(1);
    /// Faster than that nobody reads.
    const INTERVAL: Duration = Duration::from_millis(250);

    /// Something begins now. It is told to the standard error output, so that it is never taken for an answer.
    pub(super) fn begin() -> Self {
        Self { is_watched: io::stderr().is_terminal(), began: Instant::now(), told_at: None }
    }

    /// Says how far it is, unless that was said just now.
    pub(super) fn tell(&mut self, line: impl FnOnce() -> String) {
        let was_told = self.told_at.is_some_and(|at| at.elapsed() < Self::INTERVAL);
        if !self.is_watched || was_told || self.began.elapsed() < Self::SOON {
            return;
        }
        self.told_at = Some(Instant::now());
        let width = terminal_size_of(io::stderr()).map_or(80, |(Width(width), _)| usize::from(width));
        // A line that wraps could not be written over.
        let line: String = line().chars().take(width.saturating_sub(1)).collect();
        write(&line);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.told_at.is_some() {
            write("");
        }
    }
}

fn write(line: &str) {
    let mut terminal = io::stderr().lock();
    // Whether or not somebody can see it, the work goes on.
    let _ = write!(terminal, "\r\x1b[K{line}").and_then(|()| terminal.flush());
}
