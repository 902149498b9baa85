//! What a multiplexer says to a client.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

use super::{GREETING, Terms, nanoseconds, time_at};

/// Why a multiplexer does not serve a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The client speaks another protocol.
    Protocol,
    /// What the client counts on is not what the multiplexer has.
    Terms {
        /// The client's.
        wanted: Terms,
        /// The multiplexer's.
        offered: Terms,
    },
    /// The client's clock is not the multiplexer's, as in another time namespace: its deadlines mean nothing.
    Clock,
    /// The device is not fed any more: this node is about to be reset.
    Ending,
    /// It could not be written down that there are clients, so that a successor might feed on after a crash.
    Marker,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Protocol => f.write_str(
                "client and multiplexer speak different protocols (the multiplexer 'ha-wd-2'): run the same version of both",
            ),
            Self::Terms { wanted, offered } => write!(
                f,
                "the daemon counts on {wanted}, and the watchdog multiplexer has {offered}: give the multiplexer the timings of the \
                cluster ('--timings', HA_TIMINGS), and start it again",
            ),
            Self::Clock => f.write_str(
                "the clocks (CLOCK_BOOTTIME) of daemon and multiplexer differ: run both in the same time namespace",
            ),
            Self::Ending => f.write_str("a client of the multiplexer has failed: this node is about to be reset"),
            Self::Marker => f.write_str("the multiplexer cannot write down that it has clients; its log says why"),
        }
    }
}

/// An answer of a multiplexer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The client may feed. Nothing guards it yet.
    Welcome {
        /// What the multiplexer has.
        offered: Terms,
        /// What resets the node, for people.
        device: String,
    },
    /// The connection is of no use.
    Refused(Refusal),
    /// The first feed has counted: the client is guarded from now on.
    Armed,
    /// The first feed came after its deadline: nothing guards the client yet.
    TooLate,
}

const WELCOME: u8 = b'W';
const ARMED: u8 = b'A';
const TOO_LATE: u8 = b'L';
const OTHER_PROTOCOL: u8 = b'P';
const OTHER_TERMS: u8 = b'T';
const OTHER_CLOCK: u8 = b'C';
const ENDING: u8 = b'E';
const NO_MARKER: u8 = b'M';

impl Answer {
    /// Its bytes, without the greeting that the first answer begins with.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let with_terms = |code, terms: &Terms| -> Vec<u8> {
            let numbers = nanoseconds(terms.timeout).into_iter().chain(nanoseconds(terms.slack));
            core::iter::once(code).chain(numbers).collect()
        };
        match self {
            Self::Welcome { offered, device } => {
                let mut bytes = with_terms(WELCOME, offered);
                let name = shortened(device);
                bytes.push(u8::try_from(name.len()).unwrap_or(0));
                bytes.extend_from_slice(name.as_bytes());
                bytes
            }
            Self::Refused(Refusal::Terms { offered, .. }) => with_terms(OTHER_TERMS, offered),
            Self::Refused(Refusal::Protocol) => [OTHER_PROTOCOL].into(),
            Self::Refused(Refusal::Clock) => [OTHER_CLOCK].into(),
            Self::Refused(Refusal::Ending) => [ENDING].into(),
            Self::Refused(Refusal::Marker) => [NO_MARKER].into(),
            Self::Armed => [ARMED].into(),
            Self::TooLate => [TOO_LATE].into(),
        }
    }
}

/// As much of a name as one byte can say the length of.
fn shortened(name: &str) -> &str {
    const LONGEST: usize = 255;
    let mut end = name.len().min(LONGEST);
    while !name.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    name.get(..end).unwrap_or_default()
}

/// What was answered is no answer of any multiplexer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what answers there is no watchdog multiplexer")]
pub struct Foreign;

/// Reads the answers to one client.
#[derive(Debug, Clone)]
pub struct Answers {
    wanted: Terms,
    received: Vec<u8>,
    greeted: bool,
}

impl Answers {
    /// For a client that counts on these terms.
    #[must_use]
    pub fn new(wanted: Terms) -> Self {
        Self { wanted, received: Vec::new(), greeted: false }
    }

    /// Takes what was received.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.received.extend_from_slice(bytes);
    }

    /// The next answer; nothing as long as it is not complete.
    ///
    /// # Errors
    ///
    /// If it is no answer of a multiplexer.
    pub fn next_answer(&mut self) -> Result<Option<Answer>, Foreign> {
        if !self.greeted {
            let Some((greeting, _)) = self.received.split_first_chunk() else { return Ok(None) };
            if greeting != GREETING {
                // Another version begins like this one.
                let ours = greeting.starts_with(GREETING.get(..6).unwrap_or_default());
                return if ours { Ok(Some(Answer::Refused(Refusal::Protocol))) } else { Err(Foreign) };
            }
            self.received.drain(..GREETING.len());
            self.greeted = true;
        }
        let Some(code) = self.received.first() else { return Ok(None) };
        let terms = || Some(Terms { timeout: time_at(&self.received, 1)?, slack: time_at(&self.received, 9)? });
        let refused = |refusal| Some((Answer::Refused(refusal), 1));
        let read = match *code {
            ARMED => Some((Answer::Armed, 1)),
            TOO_LATE => Some((Answer::TooLate, 1)),
            OTHER_PROTOCOL => refused(Refusal::Protocol),
            OTHER_CLOCK => refused(Refusal::Clock),
            ENDING => refused(Refusal::Ending),
            NO_MARKER => refused(Refusal::Marker),
            OTHER_TERMS => {
                terms().map(|offered| (Answer::Refused(Refusal::Terms { wanted: self.wanted, offered }), 17))
            }
            WELCOME => terms().and_then(|offered| {
                let (length, rest) = self.received.get(17..)?.split_first()?;
                let name = rest.get(..usize::from(*length))?;
                let device = String::from_utf8_lossy(name).to_string();
                Some((Answer::Welcome { offered, device }, usize::from(*length).saturating_add(18)))
            }),
            _ => return Err(Foreign),
        };
        Ok(read.map(|(answer, length)| {
            self.received.drain(..length.min(self.received.len()));
            answer
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;
    use std::{vec, vec::Vec};

    fn terms(seconds: u64) -> Terms {
        Terms { timeout: Duration::from_secs(seconds), slack: Duration::from_millis(500) }
    }

    #[test]
    fn answers_are_read_as_they_were_written_however_they_are_cut_up() {
        let wanted = terms(3);
        let all = [
            Answer::Welcome { offered: terms(60), device: "i6300ESB timer".into() },
            Answer::TooLate,
            Answer::Armed,
            Answer::Refused(Refusal::Terms { wanted, offered: terms(60) }),
            Answer::Refused(Refusal::Marker),
            Answer::Refused(Refusal::Clock),
            Answer::Refused(Refusal::Ending),
            Answer::Refused(Refusal::Protocol),
        ];
        let bytes: Vec<u8> = GREETING.iter().copied().chain(all.iter().flat_map(Answer::bytes)).collect();
        for step in 1..bytes.len() {
            let mut answers = Answers::new(wanted);
            let mut read = vec![];
            for part in bytes.chunks(step) {
                answers.receive(part);
                while let Some(answer) = answers.next_answer().unwrap() {
                    read.push(answer);
                }
            }
            assert_eq!(read, all, "in steps of {step}");
        }
    }

    #[test]
    fn a_name_that_is_too_long_is_cut_between_two_letters() {
        let device = "ä".repeat(200);
        let mut answers = Answers::new(terms(3));
        answers.receive(GREETING);
        answers.receive(&Answer::Welcome { offered: terms(3), device }.bytes());
        let Ok(Some(Answer::Welcome { device, .. })) = answers.next_answer() else { panic!("{answers:?}") };
        assert_eq!(device, "ä".repeat(127));
    }

    #[test]
    fn another_version_and_something_else_are_told_apart() {
        let answer = |bytes: &[u8]| {
            let mut answers = Answers::new(terms(3));
            answers.receive(bytes);
            answers.next_answer()
        };
        assert_eq!(answer(b"ha-wd-7\nW"), Ok(Some(Answer::Refused(Refusal::Protocol))));
        assert_eq!(answer(b"SSH-2.0-OpenSSH"), Err(Foreign));
        assert_eq!(answer(b"ha-wd-2\n?"), Err(Foreign));
        assert_eq!(answer(b"ha-wd"), Ok(None));
    }
}
