//! Events as lines of text or JSON.

use std::{
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
};

use ha_core::{
    event::{Event, Severity},
    host::EventSink,
    id::NodeName,
    status::{Timestamp, UtcTime},
};
use serde_json::{Value, json};

use crate::{agent::SharedSink, clock};

/// The form of the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// A sentence for people.
    Text,
    /// An object for machines, with `t` (the time in seconds), `src`, `severity`, `event` and the event's fields.
    Json,
}

/// Writes what happens, from a thread of its own: whoever reports something never waits. If the reader is too slow, lines
/// are left out, and a line says how many.
#[derive(Debug, Clone)]
pub struct Log {
    lines: SyncSender<Line>,
    left_out: Arc<AtomicU64>,
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
        let writer = Writer { out, format, left_out: left_out.clone() };
        thread::Builder::new().name("log".into()).spawn(move || writer.run(&receiver))?;
        Ok(Self { lines: sender, left_out })
    }

    /// Where a daemon of a node reports.
    #[must_use]
    pub fn source(&self, node: &NodeName, daemon: &str) -> LogSource {
        LogSource { log: self.clone(), source: format!("{node}/{daemon}").into() }
    }

    /// Where a process that belongs to no node of a cluster reports.
    #[must_use]
    pub fn named(&self, source: &str) -> LogSource {
        LogSource { log: self.clone(), source: source.into() }
    }

    /// Waits until all is written that was reported, but not for ever.
    pub fn flush(&self) {
        const PATIENCE: std::time::Duration = std::time::Duration::from_secs(1);
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
}

impl LogSource {
    /// Reports something that is no event of the core.
    pub fn message(&self, severity: Severity, text: impl Into<String>) {
        let what = What::Message(severity, text.into());
        self.log.send(Line { time: clock::wall(), source: self.source.clone(), what });
    }
}

impl SharedSink for LogSource {
    fn event(&self, event: Event) {
        self.log.send(Line { time: clock::wall(), source: self.source.clone(), what: What::Event(event) });
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
}

impl<W: Write> Writer<W> {
    fn run(mut self, lines: &Receiver<Line>) {
        while let Ok(line) = lines.recv() {
            let left_out = self.left_out.swap(0, Ordering::Relaxed);
            if left_out > 0 {
                let text = format!("{left_out} lines were left out, since they could not be written in time");
                self.write(&Line {
                    time: line.time,
                    source: line.source.clone(),
                    what: What::Message(Severity::Warning, text),
                });
            }
            self.write(&line);
        }
    }

    fn write(&mut self, line: &Line) {
        let text = match (&line.what, self.format) {
            (What::Flush(done), _) => {
                let _ = self.out.flush();
                let _ = done.send(());
                return;
            }
            (What::Event(event), LogFormat::Text) => text_line(line, event.severity(), &event.to_string()),
            (What::Message(severity, text), LogFormat::Text) => text_line(line, *severity, text),
            (What::Event(event), LogFormat::Json) => {
                json_line(line, event.severity(), serde_json::to_value(event).unwrap_or_default())
            }
            (What::Message(severity, text), LogFormat::Json) => {
                json_line(line, *severity, json!({"event": "message", "message": text}))
            }
        };
        // Where nothing can be written there is nobody to tell.
        let _ = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
    }
}

/// The word for a severity.
#[must_use]
pub fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Notice => "notice",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

fn text_line(line: &Line, severity: Severity, text: &str) -> String {
    format!("{} {} {}: {text}\n", UtcTime(line.time), line.source, severity_word(severity))
}

fn json_line(line: &Line, severity: Severity, fields: Value) -> String {
    let mut object = json!({"t": line.time, "src": &*line.source, "severity": severity_word(severity)});
    if let (Value::Object(object), Value::Object(fields)) = (&mut object, fields) {
        object.extend(fields);
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
}
