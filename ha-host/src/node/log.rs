//! Events as lines of text or JSON.

use std::{
    fs,
    io::Write,
    os::unix::fs::MetadataExt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::Duration,
};

use ha_core::{
    event::{Event, Severity, Why},
    history::Source,
    host::EventSink,
    id::NodeName,
    status::{Timestamp, UtcTime},
};
use serde_json::{Value, json};

use crate::{
    agents::SharedSink,
    history::{History, Report},
    lasting::{self, Lasting},
    os::clock,
};

/// The form of the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// A sentence for people.
    Text,
    /// The same for the journal of systemd, which takes the severity from the front of each line: `<3>` error, `<4>` warning, `<5>`
    /// notice, `<6>` info.
    Journal,
    /// An object for machines, with `t` (the time in seconds), `src`, `severity`, `event` and the event's fields. Where the same was
    /// not written again for a while, `unsaid` says how often.
    Json,
}

impl LogFormat {
    /// The form that a person names: `text`, for the descriptor to which it is written, or `json`.
    ///
    /// # Errors
    ///
    /// If there is no form of that name.
    pub fn named(text: &str, stream: i32) -> Result<Self, String> {
        match text {
            "text" => Ok(Self::of_text_on(stream)),
            "json" => Ok(Self::Json),
            _ => Err("expected 'text' or 'json'".into()),
        }
    }

    /// The form of text for a stream of this process, by its descriptor: what goes to the journal has priorities.
    #[must_use]
    pub fn of_text_on(stream: i32) -> Self {
        let journal = std::env::var("JOURNAL_STREAM").unwrap_or_default();
        let own = fs::metadata(format!("/proc/self/fd/{stream}"));
        let is_journal = own.is_ok_and(|own| journal == format!("{}:{}", own.dev(), own.ino()));
        if is_journal { Self::Journal } else { Self::Text }
    }
}

/// Writes what happens, from a thread of its own: whoever reports something never waits. If the reader is too slow, lines
/// are left out, and a line says how many.
///
/// What lasts, such as a store that fails, is one line: another one when it changes, and every ten minutes, with how often it was
/// there since. Events that a host hands on elsewhere are not touched by that.
#[derive(Debug, Clone)]
pub struct Log {
    lines: SyncSender<Line>,
    left_out: Arc<AtomicU64>,
    /// Where what is reported is kept too, if it is.
    history: Option<History>,
}

#[derive(Debug)]
struct Line {
    time: Timestamp,
    source: Arc<str>,
    what: What,
}

#[derive(Debug)]
enum What {
    Event(Event),
    Message(Severity, String),
    /// A sign of something that lasts.
    Lasting(Severity, String),
    /// Says that all before it was written.
    Flush(SyncSender<()>),
}

impl Log {
    /// Lines that may wait.
    const ROOM: usize = 4096;

    /// Begins to write.
    ///
    /// # Errors
    ///
    /// If no thread can be started.
    pub fn start(out: impl Write + Send + 'static, format: LogFormat) -> std::io::Result<Self> {
        let (sender, receiver) = sync_channel(Self::ROOM);
        let left_out = Arc::new(AtomicU64::new(0));
        let writer = Writer { out, format, left_out: left_out.clone(), lasting: Lasting::default() };
        thread::Builder::new().name("log".into()).spawn(move || writer.run(&receiver))?;
        Ok(Self { lines: sender, left_out, history: None })
    }

    /// The same log, whose sources report to a history too.
    #[must_use]
    pub fn kept_in(&self, history: History) -> Self {
        Self { history: Some(history), ..self.clone() }
    }

    /// Where a daemon of a node reports.
    #[must_use]
    pub fn source(&self, node: &NodeName, daemon: &str) -> LogSource {
        let kept_as = daemon.parse().unwrap_or(Source::Node);
        LogSource { log: self.clone(), source: format!("{node}/{daemon}").into(), kept_as }
    }

    /// Where a process that belongs to no node of a cluster reports.
    #[must_use]
    pub fn named(&self, source: &str) -> LogSource {
        LogSource { log: self.clone(), source: source.into(), kept_as: Source::Node }
    }

    /// Waits until all is written that was reported, but not for ever.
    pub fn flush(&self) {
        const PATIENCE: Duration = Duration::from_secs(1);
        let (done, wait) = sync_channel(1);
        self.send(Line { time: clock::wall(), source: "".into(), what: What::Flush(done) });
        let _ = wait.recv_timeout(PATIENCE);
    }

    fn send(&self, line: Line) {
        match self.lines.try_send(line) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.left_out.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// Where one daemon reports.
#[derive(Debug, Clone)]
pub struct LogSource {
    log: Log,
    source: Arc<str>,
    /// The source under which it is kept in the history.
    kept_as: Source,
}

impl LogSource {
    /// Reports something that is no event of the core.
    pub fn message(&self, severity: Severity, text: impl Into<String>) {
        let text = text.into();
        self.keep(|| Report::message(self.kept_as, severity, &text));
        self.send(What::Message(severity, text));
    }

    /// The same of something that is found again and again as long as it lasts: it is not written each time.
    pub fn lasting_message(&self, severity: Severity, text: impl Into<String>) {
        let text = text.into();
        self.keep(|| Report { lasts: true, ..Report::message(self.kept_as, severity, &text) });
        self.send(What::Lasting(severity, text));
    }

    /// Reports an event with why it was decided so, and for how long the node that it is about had been silent.
    pub fn event_with(&self, event: Event, why: Option<Why>, silent: Option<Duration>) {
        self.keep(|| Report { why, silent, ..Report::event(self.kept_as, event.clone()) });
        self.send(What::Event(event));
    }

    fn keep(&self, report: impl FnOnce() -> Report) {
        if let Some(history) = &self.log.history {
            history.report(report());
        }
    }

    fn send(&self, what: What) {
        self.log.send(Line { time: clock::wall(), source: self.source.clone(), what });
    }
}

impl SharedSink for LogSource {
    fn event(&self, event: Event) {
        self.event_with(event, None, None);
    }
}

impl EventSink for LogSource {
    fn event(&mut self, event: Event) {
        SharedSink::event(self, event);
    }
}

struct Writer<W> {
    out: W,
    format: LogFormat,
    left_out: Arc<AtomicU64>,
    lasting: Lasting,
}

impl<W: Write> Writer<W> {
    fn run(mut self, lines: &Receiver<Line>) {
        while let Ok(line) = lines.recv() {
            let left_out = self.left_out.swap(0, Ordering::Relaxed);
            if left_out > 0 {
                let text = format!("{left_out} lines were left out, since they could not be written in time");
                let what = What::Message(Severity::Warning, text);
                self.write(&Line { time: line.time, source: line.source.clone(), what }, 0);
            }
            let condition = match &line.what {
                What::Event(event) => lasting::of_event(event),
                What::Lasting(_, text) => Some(text.clone()),
                What::Message(..) | What::Flush(_) => None,
            };
            let unsaid = condition
                .map(|condition| self.lasting.times_unsaid(&line.source, condition, clock::instant()))
                .unwrap_or(Some(0));
            if let Some(unsaid) = unsaid {
                self.write(&line, unsaid);
            }
        }
    }

    fn write(&mut self, line: &Line, unsaid: u64) {
        let (severity, text) = match &line.what {
            What::Flush(done) => {
                let _ = self.out.flush();
                let _ = done.send(());
                return;
            }
            What::Event(event) => (event.severity(), event.to_string()),
            What::Message(severity, text) | What::Lasting(severity, text) => (*severity, text.clone()),
        };
        let text = match self.format {
            LogFormat::Text => text_line(line, severity, &text, unsaid),
            LogFormat::Journal => with_priority(severity, &text_line(line, severity, &text, unsaid)),
            LogFormat::Json => {
                let fields = match &line.what {
                    What::Event(event) => serde_json::to_value(event).unwrap_or_default(),
                    What::Message(..) | What::Lasting(..) | What::Flush(_) => {
                        json!({"event": "message", "message": text})
                    }
                };
                json_line(line, severity, fields, unsaid)
            }
        };
        // Where nothing can be written there is nobody to tell.
        let _ = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
    }
}

/// The word for a severity.
#[must_use]
#[deprecated(since = "0.1.0", note = "use `Severity::as_str`")]
pub fn severity_word(severity: Severity) -> &'static str {
    severity.as_str()
}

fn text_line(line: &Line, severity: Severity, text: &str, unsaid: u64) -> String {
    let again = if unsaid > 0 { format!(" (and {unsaid} times more since it was last said)") } else { String::new() };
    format!("{} {} {}: {text}{again}\n", UtcTime(line.time), line.source, severity)
}

/// A text as the journal takes it, in which each line is an entry of its own: see [`LogFormat::Journal`].
#[must_use]
pub fn with_priority(severity: Severity, text: &str) -> String {
    let priority = match severity {
        Severity::Error => 3,
        Severity::Warning => 4,
        Severity::Notice => 5,
        Severity::Info => 6,
    };
    text.lines().map(|line| format!("<{priority}>{line}\n")).collect()
}

fn json_line(line: &Line, severity: Severity, fields: Value, unsaid: u64) -> String {
    let mut object = json!({"t": line.time, "src": &*line.source, "severity": severity});
    if let (Value::Object(object), Value::Object(fields)) = (&mut object, fields) {
        object.extend(fields);
        if unsaid > 0 {
            object.insert("unsaid".to_owned(), unsaid.into());
        }
    }
    format!("{object}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn written(format: LogFormat) -> String {
        let out = Shared::default();
        let log = Log::start(out.clone(), format).unwrap();
        let source = log.source(&NodeName::new("node1").unwrap(), "crm");
        SharedSink::event(&source, Event::ManagerLockReleased);
        source.message(Severity::Warning, "the disk is full");
        log.flush();
        let bytes = out.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_line_says_who_and_how_bad() {
        let text = written(LogFormat::Text);
        assert!(text.contains(" node1/crm warning: the disk is full\n"), "{text}");
        let json = written(LogFormat::Json);
        let first: Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
        assert_eq!(first["event"], "manager_lock_released");
        assert_eq!(first["src"], "node1/crm");
    }

    fn failed(message: &str) -> Event {
        Event::HostCallFailed { operation: ha_core::host::HostOperation::ReadManagerStatus, message: message.into() }
    }

    #[test]
    fn what_lasts_is_one_line_until_it_changes() {
        let out = Shared::default();
        let log = Log::start(out.clone(), LogFormat::Json).unwrap();
        let source = log.source(&NodeName::new("node1").unwrap(), "crm");
        for tenth in 0..50 {
            SharedSink::event(&source, failed(&format!("the store has not answered for 0.{tenth} s")));
            SharedSink::event(&source, Event::RoundFailed { reason: None });
        }
        let other = log.source(&NodeName::new("node1").unwrap(), "lrm");
        SharedSink::event(&other, failed("the store has not answered for 9 s"));
        SharedSink::event(&source, failed("permission denied"));
        SharedSink::event(&source, failed("the store has not answered for 7 s"));
        log.flush();
        let text = String::from_utf8(out.0.lock().unwrap().clone()).unwrap();
        let count = |what: &str| text.lines().filter(|line| line.contains(what)).count();
        assert_eq!(count("node1/crm") + count("node1/lrm"), text.lines().count());
        assert_eq!(
            (count("has not answered"), count("round_failed"), count("permission denied")),
            (2, 1, 1),
            "each daemon says each thing once: {text}"
        );
    }

    #[test]
    fn a_line_for_the_journal_begins_with_its_priority() {
        let text = written(LogFormat::Journal);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("<6>") && lines[0].contains(" node1/crm info: "), "{text}");
        assert!(lines[1].starts_with("<4>") && lines[1].ends_with(" node1/crm warning: the disk is full"), "{text}");
        assert_eq!(with_priority(Severity::Error, "one\ntwo\n"), "<3>one\n<3>two\n");
        assert_eq!(LogFormat::of_text_on(1), LogFormat::Text, "no journal reads this");
    }
}
