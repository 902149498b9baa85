//! Where a node's daemons report what must be kept.

use std::{
    io,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::Duration,
};

use ha_core::{
    event::{Event, Severity, Why},
    history::{Entry, EntryId, Source, What},
    id::NodeName,
};

use super::{
    journal::{Journal, JournalLimits},
    keeper::{Keeper, SayIncomplete, Tell, Way},
    places::{InJournal, InStore},
};
use crate::{
    lasting::{self, Lasting},
    os::clock,
    store::StoreAddress,
};

/// What the history of a node is kept with.
#[derive(Debug, Clone)]
pub struct HistorySettings {
    /// The node.
    pub node: NodeName,
    /// Where its journal is.
    pub directory: PathBuf,
    /// How much of it is kept.
    pub limits: JournalLimits,
    /// Where the history of the cluster is.
    pub store: StoreAddress,
    /// How long the store may take for an answer.
    pub patience: Duration,
}

/// Something that must be kept.
#[derive(Debug, Clone)]
pub struct Report {
    /// Who reports it.
    pub source: Source,
    /// What it is.
    pub what: What,
    /// The severity of what is no event.
    pub severity: Severity,
    /// Why it was decided so.
    pub why: Option<Why>,
    /// For how long the node that it is about had been silent.
    pub silent: Option<Duration>,
    /// Whether the same is reported again and again as long as it lasts.
    pub lasts: bool,
}

impl Report {
    /// An event.
    #[must_use]
    pub fn event(source: Source, event: Event) -> Self {
        let severity = event.severity();
        Self { source, what: event.into(), severity, why: None, silent: None, lasts: false }
    }

    /// A message.
    #[must_use]
    pub fn message(source: Source, severity: Severity, text: &str) -> Self {
        Self { source, what: What::message(text), severity, why: None, silent: None, lasts: false }
    }

    /// What it is a sign of, if that lasts.
    fn condition(&self) -> Option<String> {
        match &self.what {
            What::Event(event) => lasting::of_event(event).or_else(|| {
                // Reported in each round.
                matches!(event, Event::RecoveryFailed { .. } | Event::DisarmDeferred { .. }).then(|| event.to_string())
            }),
            What::Other(_) => self.lasts.then(|| self.what.to_string()),
        }
    }
}

enum Message {
    Keep { time_ms: i64, report: Box<Report> },
    Flush(SyncSender<()>),
}

/// Where a node's daemons report what must be kept: in a queue with an end. Whoever reports never waits.
///
/// Three threads see to the rest: one numbers what comes, and one for each place keeps it there, so that a disk that hangs costs
/// nothing in the store, and a store that hangs nothing on the disk. What any of them can't take is counted, and an entry
/// (`history_incomplete`) says how much is missing as soon as one can be kept again.
#[derive(Debug, Clone)]
pub struct History {
    queue: SyncSender<Message>,
    lost: Arc<AtomicU64>,
}

impl History {
    /// Reports that may wait.
    const ROOM: usize = 4096;
    /// How many entries of earlier daemons may still have to come to the store.
    const MOST_FROM_BEFORE: usize = 500;

    /// Begins to keep.
    ///
    /// # Errors
    ///
    /// If no thread can be started.
    pub fn start(settings: HistorySettings, tell: Tell) -> io::Result<Self> {
        let (sender, queue) = sync_channel(Self::ROOM);
        let lost = Arc::new(AtomicU64::new(0));
        let maker = Arc::new(Maker {
            node: settings.node.clone(),
            epoch: u64::try_from(clock::wall_ms()).unwrap_or(0),
            next: AtomicU64::new(1),
        });
        let say_incomplete: SayIncomplete = {
            let maker = maker.clone();
            Arc::new(move |event| maker.entry(clock::wall_ms(), Report::event(Source::Node, event)))
        };
        let before = Arc::new(Mutex::new(None));
        let store = InStore {
            address: settings.store.clone(),
            patience: settings.patience,
            node: settings.node.clone(),
            store: None,
            there: None,
            before: before.clone(),
        };
        let journal = InJournal {
            journal: Journal::new(&settings.directory, settings.limits),
            words: format!("the journal in {}", settings.directory.display()),
            say_incomplete: say_incomplete.clone(),
            tell: tell.clone(),
        };
        let store = Keeper::start("history-store", store, say_incomplete.clone(), tell.clone())?;
        let journal = Keeper::start("history-journal", journal, say_incomplete.clone(), tell.clone())?;
        read_what_was_before(&settings, maker.epoch, before, store.clone())?;
        let numbering = Numbering {
            maker,
            say_incomplete,
            lost: lost.clone(),
            lasting: Lasting::default(),
            journal,
            store,
            tell,
            hangs: [false; 2],
        };
        thread::Builder::new().name("history".into()).spawn(move || numbering.run(&queue))?;
        Ok(Self { queue: sender, lost })
    }

    /// Has something kept. It never waits.
    pub fn report(&self, report: Report) {
        self.send(Message::Keep { time_ms: clock::wall_ms(), report: Box::new(report) });
    }

    fn send(&self, message: Message) {
        match self.queue.try_send(message) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Waits until both places have kept what was reported, or could not, but not for longer than that.
    pub fn flush(&self, patience: Duration) {
        let (done, wait) = sync_channel(PLACES.len());
        self.send(Message::Flush(done));
        let until = std::time::Instant::now() + patience;
        for _ in PLACES {
            let _ = wait.recv_timeout(until.saturating_duration_since(std::time::Instant::now()));
        }
    }
}

/// Reads what earlier daemons have kept, in a thread of its own: the disk may hang.
fn read_what_was_before(
    settings: &HistorySettings,
    epoch: u64,
    before: Arc<Mutex<Option<Vec<Entry>>>>,
    store: Way,
) -> io::Result<()> {
    let (directory, node) = (settings.directory.clone(), settings.node.clone());
    thread::Builder::new().name("history-before".into()).spawn(move || {
        let Ok((entries, _)) = Journal::read(&directory, History::MOST_FROM_BEFORE) else { return };
        let own = entries.into_iter().filter(|entry| entry.id.is_of(&node) && !entry.id.is_since(epoch));
        let own: Vec<Entry> = own.collect();
        if !own.is_empty() {
            *before.lock().unwrap_or_else(PoisonError::into_inner) = Some(own);
            store.flush(sync_channel(1).0);
        }
    })?;
    Ok(())
}

/// Makes entries, and numbers them.
struct Maker {
    node: NodeName,
    epoch: u64,
    next: AtomicU64,
}

impl Maker {
    fn entry(&self, time_ms: i64, report: Report) -> Entry {
        let Report { source, what, severity, why, silent, .. } = report;
        let id = EntryId::of_node(&self.node, self.epoch, self.next.fetch_add(1, Ordering::Relaxed));
        let mut entry = Entry::new(id, time_ms, self.node.clone(), source, what);
        entry.severity = severity;
        if let Some(why) = why {
            entry = entry.decided(why);
        }
        match silent {
            Some(silent) => entry.after_silence(u64::try_from(silent.as_millis()).unwrap_or(u64::MAX)),
            None => entry,
        }
    }
}

struct Numbering {
    maker: Arc<Maker>,
    say_incomplete: SayIncomplete,
    lost: Arc<AtomicU64>,
    lasting: Lasting,
    journal: Way,
    store: Way,
    tell: Tell,
    /// Whether it was told that a place hangs: the journal, the store.
    hangs: [bool; 2],
}

/// The places, to go on after "the history".
const PLACES: [&str; 2] = ["on the disk of this node", "in the store"];

impl Numbering {
    /// How often it is looked whether a place hangs.
    const LOOK_INTERVAL: Duration = Duration::from_secs(1);
    /// A place that has not answered for this long is reported.
    const PATIENCE: Duration = Duration::from_secs(10);

    fn run(mut self, queue: &Receiver<Message>) {
        loop {
            self.look_at_places();
            let message = match queue.recv_timeout(Self::LOOK_INTERVAL) {
                Ok(message) => message,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let lost = self.lost.swap(0, Ordering::Relaxed);
            if lost > 0 {
                let reason = format!("more happened on {} than could be kept", self.maker.node);
                (self.tell)(Severity::Warning, format!("{lost} events are missing in the history: {reason}"));
                self.offer((self.say_incomplete)(Event::HistoryIncomplete { events: Some(lost), reason }));
            }
            match message {
                Message::Keep { time_ms, report } => self.keep(time_ms, *report),
                Message::Flush(done) => {
                    self.journal.flush(done.clone());
                    self.store.flush(done);
                }
            }
        }
    }

    fn look_at_places(&mut self) {
        let hang = [&self.journal, &self.store].map(|way| way.hangs() >= Self::PATIENCE);
        for ((hangs, told), place) in hang.into_iter().zip(&mut self.hangs).zip(PLACES) {
            if hangs && !*told {
                let seconds = Self::PATIENCE.as_secs();
                let text = format!(
                    "the history {place} hangs: a write has not ended for {seconds} s. Nothing else waits for it"
                );
                (self.tell)(Severity::Warning, text);
            }
            *told = hangs;
        }
    }

    fn keep(&mut self, time_ms: i64, report: Report) {
        let source: Arc<str> = report.source.as_str().into();
        let unsaid = match report.condition() {
            Some(condition) => self.lasting.times_unsaid(&source, condition, clock::instant()),
            None => Some(0),
        };
        let Some(unsaid) = unsaid else { return };
        let mut entry = self.maker.entry(time_ms, report);
        entry.unsaid = (unsaid > 0).then_some(unsaid);
        self.offer(entry);
    }

    fn offer(&self, entry: Entry) {
        let entry = Arc::new(entry);
        for (way, place) in [&self.journal, &self.store].into_iter().zip(PLACES) {
            if way.offer(entry.clone()) {
                let text =
                    format!("the history {place} does not keep up: what happens is not kept there until it does");
                (self.tell)(Severity::Warning, text);
            }
        }
    }
}
