//! Record and replay: all that a daemon asked of its host and what it got, so that its decisions can be made again.
//!
//! A [`Recorder`] stands between a daemon and any host. [`replay`] makes the same calls with the recorded answers and compares
//! what the daemon asks for, reports and wants next, line by line: with the same code nothing differs, and where another
//! version of the code decides otherwise, the first [`Divergence`] shows what was recorded and what is decided now.
//!
//! # The form
//!
//! Text of lines, each a JSON object. The first is `{"recording":1}`, the version of the form. Then, in the order in which it
//! happened:
//!
//! | line | what it is |
//! |---|---|
//! | `{"call":"start_lrm","node":…,"timings":…}`, `start_crm` | a daemon starts; there may be several one after another |
//! | `{"call":"set_writer","writer":…}` | the LRM is told who it writes as |
//! | `{"call":"tick","now":…}`, `stop_crm`, `stop_lrm` | the host calls the daemon |
//! | `{"ask":"take","lock":…}`, … | the daemon asks its host for something |
//! | `{"ok":…}`, `{"error":…}` | the host's answer |
//! | `{"same":12}` | the host's answer is that of line 12, counted from 1 |
//! | `{"event":…}` | the daemon reports something |
//! | `{"next":{"at":…,"reason":…}}`, `{"next":"exit"}` | the end of a tick: when the daemon wants to be called again |
//! | `{"returned":null}` | the end of another call |
//!
//! A recording ends anywhere, also inside a call. It holds the configuration with all remarks that people made; values of
//! fence device arguments are left out.
//!
//! ```
//! use ha_core::{record::{Recorder, replay}, id::NodeName, timing::Timings};
//! # use ha_core::{event::Event, host::EventSink};
//! # struct Host;
//! # impl EventSink for Host { fn event(&mut self, _: Event) {} }
//! # let mut host = Host;
//!
//! let mut recorder = Recorder::new(Vec::new());
//! let crm = recorder.start_crm(NodeName::new("node1")?, Timings::default(), &mut host);
//! // … recorder.tick_crm(&mut crm, &mut host, now) whenever it is due …
//! let lines: &Vec<String> = recorder.sink().ok_or("it is on")?;
//! assert_eq!(replay(&lines.join("\n"))?.divergence, None);
//! # drop(crm);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod line;
mod recorder;
mod replay;
mod wire;

pub use recorder::{LineSink, Recorder};
pub use replay::{Divergence, ReplayError, Replayed, replay};

/// The version of the form that is written, and the only one that is read.
pub const VERSION: u32 = 1;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{event::Event, id::NodeName, status::Writer, timing::Timings};
    use alloc::{string::String, vec::Vec};

    #[test]
    fn whom_an_lrm_writes_as_is_part_of_a_recording() {
        let mut recorder = Recorder::new(Vec::<String>::new());
        let mut sink: Vec<Event> = Vec::new();
        let mut lrm = recorder.start_lrm(NodeName::new("node1").unwrap(), Timings::default(), &mut sink);
        recorder.set_writer(&mut lrm, Writer::new("machine-1", "boot-1"));
        let lines = recorder.sink().unwrap();
        let told = lines
            .iter()
            .position(|line| line == r#"{"call":"set_writer","writer":{"machine":"machine-1","boot":"boot-1"}}"#);
        assert!(told.is_some(), "{lines:?}");
        let replayed = replay(&lines.join("\n")).unwrap();
        assert_eq!((replayed.calls, replayed.divergence), (2, None));
    }
}
