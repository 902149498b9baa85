//! What the server says of what it does, written from a thread of its own: whoever reports something never waits. Nothing secret ever
//! goes there.

use std::{
    io::Write,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
};

use ha_core::{event::Severity, status::UtcTime};
pub use ha_host::node::log::LogFormat;
use ha_host::{node::log::with_priority, os::clock};
use serde_json::{Value, json};

/// Where a server reports.
#[derive(Debug, Clone)]
pub struct Log {
    lines: Option<SyncSender<String>>,
    format: LogFormat,
}

/// Something that happened.
#[derive(Debug)]
pub struct Report<'a> {
    /// How much it matters to a person.
    pub severity: Severity,
    /// A stable word.
    pub event: &'static str,
    /// What belongs to it.
    pub fields: Value,
    /// The same as a sentence.
    pub text: &'a str,
}

impl Log {
    /// Lines that may wait; what comes when there is no room is left out.
    const ROOM: usize = 1024;

    /// A log that nobody reads.
    #[must_use]
    pub const fn none() -> Self {
        Self { lines: None, format: LogFormat::Text }
    }

    /// Begins to write.
    ///
    /// # Errors
    ///
    /// If no thread can be started.
    pub fn start(out: impl Write + Send + 'static, format: LogFormat) -> std::io::Result<Self> {
        let (sender, receiver) = sync_channel(Self::ROOM);
        thread::Builder::new().name("log".into()).spawn(move || write(out, &receiver))?;
        Ok(Self { lines: Some(sender), format })
    }

    /// Reports something.
    pub fn report(&self, report: &Report<'_>) {
        let Some(lines) = &self.lines else { return };
        let Report { severity, event, fields, text } = report;
        let now = clock::wall();
        let sentence = || format!("{} web: {text}\n", UtcTime(now));
        let line = match self.format {
            LogFormat::Text => sentence(),
            LogFormat::Journal => with_priority(*severity, &sentence()),
            LogFormat::Json => {
                let mut line = json!({"t": now, "src": "web", "severity": severity, "event": event});
                if let (Value::Object(line), Value::Object(fields)) = (&mut line, fields) {
                    line.extend(fields.clone());
                }
                format!("{line}\n")
            }
        };
        let _ = lines.try_send(line);
    }
}

fn write(mut out: impl Write, lines: &Receiver<String>) {
    while let Ok(line) = lines.recv() {
        // If it can't be written, nobody can be told.
        let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
    }
}
