//! What keeps lines in one place, beside all that must not wait for it.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use ha_core::{
    event::{Event, Severity},
    history::Entry,
};

use crate::os::clock;

/// Tells a person about the history itself. It must not block.
pub type Tell = Arc<dyn Fn(Severity, String) + Send + Sync>;

/// Where lines are kept.
pub(super) trait Place: Send + 'static {
    /// Keeps entries, all or none as far as that is known; there may be none. It may take its time.
    fn keep(&mut self, batch: &[Arc<Entry>]) -> Result<(), String>;

    /// To go on after "the history is not kept".
    fn words(&self) -> String;
}

/// Makes entries that say that others are missing.
pub(super) type SayIncomplete = Arc<dyn Fn(Event) -> Entry + Send + Sync>;

enum Message {
    Keep(Arc<Entry>),
    Flush(SyncSender<()>),
}

/// The way to a keeper.
#[derive(Clone)]
pub(super) struct Way {
    queue: SyncSender<Message>,
    /// Entries that were not kept, and of which no entry that is kept says so yet.
    lost: Arc<AtomicU64>,
    /// Since when the place has not answered, in milliseconds of the boot clock; 0 while it is not asked.
    asked_at: Arc<AtomicU64>,
}

impl Way {
    /// For how long the place has not answered.
    pub(super) fn hangs(&self) -> Duration {
        match self.asked_at.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            asked_at => Duration::from_millis(now_ms().saturating_sub(asked_at)),
        }
    }

    /// Hands an entry on if there is room; else it is lost, and counted. Says whether it is the first one that is.
    pub(super) fn offer(&self, entry: Arc<Entry>) -> bool {
        match self.queue.try_send(Message::Keep(entry)) {
            Ok(()) => false,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.lost.fetch_add(1, Ordering::Relaxed) == 0
            }
        }
    }

    /// Has all kept that was offered before, if there is room to say so. `done` hears of it.
    pub(super) fn flush(&self, done: SyncSender<()>) {
        let _ = self.queue.try_send(Message::Flush(done));
    }
}

fn now_ms() -> u64 {
    u64::try_from(clock::instant().since_start().as_millis()).unwrap_or(u64::MAX).max(1)
}

/// Entries that may wait in the queue, and as many again that a place could not keep.
const ROOM: usize = 1024;

pub(super) struct Keeper<P> {
    place: P,
    queue: Receiver<Message>,
    lost: Arc<AtomicU64>,
    asked_at: Arc<AtomicU64>,
    pending: VecDeque<Arc<Entry>>,
    say_incomplete: SayIncomplete,
    tell: Tell,
    failing: Option<String>,
}

impl<P: Place> Keeper<P> {
    /// How long a batch waits for more before it is written: each costs a write to the disk.
    const GATHER: Duration = Duration::from_millis(150);
    const MOST_AT_ONCE: usize = 128;
    /// Between attempts while the place fails.
    const RETRY: Duration = Duration::from_secs(1);

    /// Begins to keep, in a thread of its own.
    pub(super) fn start(name: &str, place: P, say_incomplete: SayIncomplete, tell: Tell) -> std::io::Result<Way> {
        let (sender, queue) = sync_channel(ROOM);
        let lost = Arc::new(AtomicU64::new(0));
        let asked_at = Arc::new(AtomicU64::new(0));
        let way = Way { queue: sender, lost: lost.clone(), asked_at: asked_at.clone() };
        let pending = VecDeque::new();
        let keeper = Self { place, queue, lost, asked_at, pending, say_incomplete, tell, failing: None };
        thread::Builder::new().name(name.into()).spawn(move || keeper.run())?;
        Ok(way)
    }

    fn run(mut self) {
        while let Some(flush) = self.gather() {
            self.write();
            if let Some(done) = flush {
                while self.failing.is_none() && !self.pending.is_empty() {
                    self.write();
                }
                let _ = done.send(());
            }
        }
        self.write();
    }

    /// Waits until there is something to write. Nothing when all who could report are gone; else who waits for what there is, if
    /// somebody does.
    fn gather(&mut self) -> Option<Option<SyncSender<()>>> {
        if self.pending.is_empty() {
            match self.queue.recv() {
                Ok(Message::Keep(entry)) => self.pending.push_back(entry),
                Ok(Message::Flush(done)) => return Some(Some(done)),
                Err(_) => return None,
            }
        }
        let until = Instant::now() + if self.failing.is_some() { Self::RETRY } else { Self::GATHER };
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || (self.failing.is_none() && self.pending.len() >= Self::MOST_AT_ONCE) {
                return Some(None);
            }
            match self.queue.recv_timeout(left) {
                Ok(Message::Keep(entry)) => self.pending.push_back(entry),
                Ok(Message::Flush(done)) => return Some(Some(done)),
                Err(RecvTimeoutError::Timeout) => return Some(None),
                Err(RecvTimeoutError::Disconnected) => return if self.pending.is_empty() { None } else { Some(None) },
            }
            while self.pending.len() > ROOM {
                self.pending.pop_front();
                self.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn write(&mut self) {
        let lost = self.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            let reason = format!("they could not be kept in {} in time", self.place.words());
            let entry = (self.say_incomplete)(Event::HistoryIncomplete { events: Some(lost), reason });
            self.pending.push_front(Arc::new(entry));
        }
        let batch: Vec<Arc<Entry>> = self.pending.iter().take(Self::MOST_AT_ONCE).cloned().collect();
        self.asked_at.store(now_ms(), Ordering::Relaxed);
        let kept = self.place.keep(&batch);
        self.asked_at.store(0, Ordering::Relaxed);
        match kept {
            Ok(()) => {
                self.pending.drain(..batch.len());
                if self.failing.take().is_some() {
                    (self.tell)(Severity::Notice, format!("the history is kept in {} again", self.place.words()));
                }
            }
            Err(failure) => {
                if self.failing.as_ref() != Some(&failure) {
                    let place = self.place.words();
                    (self.tell)(Severity::Warning, format!("the history is not kept in {place} for now: {failure}"));
                }
                self.failing = Some(failure);
            }
        }
    }
}

#[cfg(test)]
mod tests;
