//! The second process of a trial. Both talk by files in the directory that is tried out: that takes no network, and no more than a store needs.

use std::{
    fmt,
    fs::File,
    io,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use super::{MEETING_PLACE, TrialError};
use crate::{
    os::files::{self, Durability},
    store::cached::FileCache,
};

/// What the second process is to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Order {
    /// Say which machine this is.
    Greet,
    /// Take this lock at once, or say that it is taken.
    Take(String),
    /// Let go of the lock.
    LetGo,
    /// Take the lock, read this file, let go.
    ReadUnderLock { lock: String, file: String },
    /// Read this file, as a store does that reads again what it has read before.
    ReadAgain(String),
    /// Replace this file again and again by contents of one letter, for so many milliseconds.
    Replace { file: String, milliseconds: u64 },
    /// Die with the lock.
    Die,
}

/// What it answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It was done.
    Done,
    /// Somebody else holds the lock.
    Taken,
    /// What was read; nothing if there is no such file.
    Content(Option<String>),
    /// It could not be done.
    Failed(String),
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("it was done"),
            Self::Taken => f.write_str("somebody else holds the lock"),
            Self::Content(Some(content)) => write!(f, "it has read '{content}'"),
            Self::Content(None) => f.write_str("it has seen no file"),
            Self::Failed(why) => f.write_str(why),
        }
    }
}

/// A message, with its number.
#[derive(Debug, Serialize, Deserialize)]
struct Numbered<T> {
    number: u64,
    message: T,
}

/// The second process, as the first one sees it.
pub trait Partner {
    /// Has it do something, named by a line of JSON, and waits for the answer.
    ///
    /// # Errors
    ///
    /// If there is none.
    fn ask(&mut self, order: &str) -> Result<Answer, TrialError>;
}

/// One that [`serve`]s the meeting place in a process of its own.
#[derive(Debug)]
pub struct RemotePartner {
    place: PathBuf,
    number: u64,
    patience: Duration,
}

impl RemotePartner {
    /// One that meets there, and is waited for as long as that.
    #[must_use]
    pub fn at(place: &Path, patience: Duration) -> Self {
        Self { place: place.to_owned(), number: 0, patience }
    }
}

const ORDER: &str = "order.json";
const ANSWER: &str = "answer.json";
const LOOK_INTERVAL: Duration = Duration::from_millis(5);

/// The longest letter of its own that a process writes in [`Order::Replace`].
pub(super) const SIZES: [usize; 2] = [100_000, 60_000];

fn say<T: Serialize>(path: &Path, number: u64, message: T) -> Result<(), TrialError> {
    let text = serde_json::to_vec(&Numbered { number, message });
    let text = text.map_err(|error| TrialError::system("write", path)(io::Error::other(error)))?;
    files::replace(path, &text, "test", Durability::Memory).map_err(TrialError::system("write", path))
}

fn heard<T: for<'a> Deserialize<'a>>(path: &Path) -> Option<Numbered<T>> {
    // What is not there or not whole yet comes later.
    serde_json::from_slice(&files::read(path).ok()??).ok()
}

impl Partner for RemotePartner {
    fn ask(&mut self, order: &str) -> Result<Answer, TrialError> {
        self.number = self.number.saturating_add(1);
        say(&self.place.join(ORDER), self.number, order)?;
        let began = Instant::now();
        while began.elapsed() < self.patience {
            if let Some(answer) = heard::<Answer>(&self.place.join(ANSWER)).filter(|one| one.number == self.number) {
                return Ok(answer.message);
            }
            thread::sleep(LOOK_INTERVAL);
        }
        Err(TrialError::NoAnswer(self.patience))
    }
}

/// Is the second process of a trial of this directory: waits until one begins, does what it is asked, and ends with it.
///
/// # Errors
///
/// If none begins within `patience`, or no answer can be written.
pub fn serve(directory: &Path, host: &str, patience: Duration) -> Result<(), TrialError> {
    let place = directory.join(MEETING_PLACE);
    let mut server = Server { host: host.to_owned(), place: place.clone(), lock: None, cache: FileCache::default() };
    let (mut last, mut since) = (0, Instant::now());
    loop {
        match heard::<String>(&place.join(ORDER)).filter(|order| order.number > last) {
            Some(Numbered { number, message }) => {
                let order = serde_json::from_str(&message);
                let order = order.map_err(|error| TrialError::system("read", &place)(io::Error::other(error)))?;
                let answer = server.answer(&order);
                (last, since) = (number, Instant::now());
                say(&place.join(ANSWER), number, &answer)?;
                if order == Order::Die {
                    return Ok(());
                }
            }
            // The other one is gone, and what was left of it too.
            None if last > 0 && !place.exists() => return Ok(()),
            None if since.elapsed() >= patience => return Err(TrialError::NoAnswer(patience)),
            None => thread::sleep(LOOK_INTERVAL),
        }
    }
}

struct Server {
    host: String,
    place: PathBuf,
    lock: Option<File>,
    cache: FileCache,
}

impl Server {
    fn answer(&mut self, order: &Order) -> Answer {
        self.obey(order).unwrap_or_else(|error| {
            let is_taken = error.kind() == io::ErrorKind::TimedOut;
            if is_taken { Answer::Taken } else { Answer::Failed(error.to_string()) }
        })
    }

    fn obey(&mut self, order: &Order) -> io::Result<Answer> {
        /// A lock that nobody holds is had at once.
        const PATIENCE: Duration = Duration::from_secs(10);
        let content =
            |bytes: Option<&[u8]>| Answer::Content(bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned()));
        match order {
            Order::Greet => return Ok(Answer::Content(Some(self.host.clone()))),
            Order::Take(lock) => self.lock = Some(files::lock(&self.place.join(lock), Duration::ZERO)?),
            Order::LetGo => self.lock = None,
            Order::ReadUnderLock { lock, file } => {
                let _lock = files::lock(&self.place.join(lock), PATIENCE)?;
                return Ok(content(files::read(&self.place.join(file))?.as_deref()));
            }
            Order::ReadAgain(file) => return Ok(content(self.cache.read(&self.place.join(file))?.as_deref())),
            Order::Replace { file, milliseconds } => {
                let (path, began) = (self.place.join(file), Instant::now());
                while began.elapsed() < Duration::from_millis(*milliseconds) {
                    for (letter, size) in [b'a', b'b'].into_iter().zip(SIZES) {
                        files::replace(&path, &vec![letter; size], "test", Durability::Memory)?;
                    }
                }
            }
            Order::Die => {}
        }
        Ok(Answer::Done)
    }
}
