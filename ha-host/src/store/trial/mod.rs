//! Whether a directory keeps what a [`FileStore`](super::FileStore) counts on: tried out by two processes, on one machine or on two.
//!
//! What it counts on is said in `docs/safety.md`. A file system that breaks it may look well for years, and then let a service run twice.

mod partner;
mod promises;

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Serialize;

pub use partner::{Partner, RemotePartner, serve};

/// Why a directory could not be tried out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrialError {
    /// Somebody else tries it out, or died while doing so.
    #[error("{0} is there: another test is under way, or one was killed. If none is, remove that directory")]
    Occupied(PathBuf),
    /// The second process says nothing.
    #[error("the second process has not answered within {} s: is 'ha store test --partner' at work for the same directory?", .0.as_secs())]
    NoAnswer(Duration),
    /// The system did not do what it was asked for.
    #[error("cannot {action}: {source}")]
    System {
        /// What was tried, as a verb.
        action: String,
        /// Why not.
        source: io::Error,
    },
}

impl TrialError {
    fn system(action: &str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let action = format!("{action} {}", path.display());
        move |source| Self::System { action, source }
    }
}

/// What a store in files counts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Promise {
    /// Files may have the names of services, with a colon.
    Names,
    /// Of two processes one holds a lock.
    OneHolder,
    /// Who takes a lock sees what was written under it before.
    SeenUnderLock,
    /// Who has read a file before sees that it is another one now, also of the same size.
    SeenAgain,
    /// A file has its old or its new content, and is never missing.
    ReplacedWhole,
    /// What was written is brought to the disk.
    Durable,
    /// The lock of a process that died is free.
    FreeAfterDeath,
}

impl Promise {
    /// All, in the order in which they are tried. The last one ends the second process.
    pub const ALL: [Self; 7] = [
        Self::Names,
        Self::OneHolder,
        Self::SeenUnderLock,
        Self::SeenAgain,
        Self::ReplacedWhole,
        Self::Durable,
        Self::FreeAfterDeath,
    ];

    /// What is promised, as a sentence without its full stop.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Names => "files may have the names of services, with a colon",
            Self::OneHolder => "of two processes one holds a lock",
            Self::SeenUnderLock => "who takes a lock sees what was written under it before",
            Self::SeenAgain => "who has read a file sees when it is another one, also of the same size",
            Self::ReplacedWhole => "a file that is replaced has its old or its new content, and is never missing",
            Self::Durable => "what is written is brought to the disk",
            Self::FreeAfterDeath => "the lock of a process that died is free",
        }
    }
}

/// What became of one promise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which one.
    pub promise: Promise,
    /// What was seen instead, if it was not kept.
    pub broken: Option<String>,
}

/// What was found of a directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trial {
    /// Each promise, in the order in which they were tried.
    pub findings: Vec<Finding>,
    /// How long it took to lock, read, replace and unlock, for the slowest of fifty times. Milliseconds.
    pub slowest_edit_ms: u64,
    /// The name of the machine of the second process.
    pub partner_host: String,
    /// The name of this machine.
    pub host: String,
}

impl Trial {
    /// Whether all was kept.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.findings.iter().all(|finding| finding.broken.is_none())
    }

    /// Whether two machines took part: only then it is known that locks hold between machines.
    #[must_use]
    pub fn is_of_two_machines(&self) -> bool {
        self.host != self.partner_host
    }
}

/// Where both processes meet, below the directory that is tried out.
const MEETING_PLACE: &str = ".ha-store-test";

/// The meeting place, which is gone when this is dropped.
#[derive(Debug)]
pub struct MeetingPlace(PathBuf);

impl MeetingPlace {
    /// Makes it below a directory.
    ///
    /// # Errors
    ///
    /// If it is there, or can't be made.
    pub fn make(directory: &Path) -> Result<Self, TrialError> {
        let path = directory.join(MEETING_PLACE);
        match std::fs::create_dir(&path) {
            Ok(()) => Ok(Self(path)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(TrialError::Occupied(path)),
            Err(error) => Err(TrialError::system("make", &path)(error)),
        }
    }

    /// Tries out the directory with the help of a second process, which must [`serve`] there. `host` is the name of this machine.
    ///
    /// # Errors
    ///
    /// If that one gives no answer, or a file can't be written at all.
    pub fn test(&self, host: &str, partner: &mut dyn Partner) -> Result<Trial, TrialError> {
        promises::test(&self.0, host, partner)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for MeetingPlace {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
