//! How a process knows its own hand again.
//!
//! What a node writes as its own (its sign of life, its LRM's record, its locks) may be overwritten by another machine of the
//! same name. So a process remembers, for each of these places, what it wrote last and what it tried to write since, by a
//! digest of the bytes. They differ from one write to the next, and from those of every other process, also where a
//! snapshot of the machine is resumed twice: see [`mark`].
//!
//! The same is noted in a file of the run directory *before* each write, for the process that comes after this one: it holds
//! the lock of that directory only when this one is gone, and what is in the store is its predecessor's only if it is
//! in that note. A copy of the machine has a copy of the note, but not of what the other one has written since.

use std::{
    collections::BTreeMap,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use ha_core::{config::Digest, host::Hand};
use serde::{Deserialize, Serialize};

use crate::os::{
    clock,
    files::{self, Durability},
};

/// More attempts that nobody knows the outcome of are not remembered: the store has failed for minutes then.
const MOST_ATTEMPTS: usize = 64;

/// Something that no other write has: random bytes, and the clock to the nanosecond, which two copies of a machine that were
/// resumed from one snapshot, with the same random numbers to come, do not share.
pub(crate) fn mark() -> String {
    let mut random = [0; 8];
    // Without them the clock and the count are left.
    let _ = File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut random));
    format!("{:016x}{:x}", u64::from_ne_bytes(random), clock::instant().since_start().as_nanos())
}

/// What is in the note: digests by place.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Note {
    /// In which boot of the machine they were written.
    boot: String,
    places: BTreeMap<String, Vec<String>>,
}

/// What this process, and the one before it, has written.
#[derive(Debug, Default)]
pub(super) struct Hands {
    own: BTreeMap<String, Vec<String>>,
    predecessor: BTreeMap<String, Vec<String>>,
    boot: String,
    note: Option<PathBuf>,
}

fn digest(content: &[u8]) -> String {
    Digest::of(content).to_string()
}

impl Hands {
    /// Begins again, after the process whose note this is. The lock of the note's directory must be held.
    pub(super) fn after(note: Option<&Path>, boot: &str) -> Self {
        let read = note.and_then(|path| serde_json::from_slice::<Note>(&files::read(path).ok()??).ok());
        let predecessor = read.filter(|note| note.boot == boot).map(|note| note.places).unwrap_or_default();
        Self { own: BTreeMap::new(), predecessor, boot: boot.to_owned(), note: note.map(Path::to_owned) }
    }

    /// By whose hand this was written.
    pub(super) fn of(&self, place: &str, content: &[u8]) -> Hand {
        let digest = digest(content);
        let is_in =
            |places: &BTreeMap<String, Vec<String>>| places.get(place).is_some_and(|known| known.contains(&digest));
        if is_in(&self.own) {
            Hand::Own
        } else if is_in(&self.predecessor) {
            Hand::Predecessor
        } else {
            Hand::Another
        }
    }

    /// Takes note that this is about to be written.
    pub(super) fn attempt(&mut self, place: &str, content: &[u8]) {
        let known = self.own.entry(place.to_owned()).or_default();
        if known.len() >= MOST_ATTEMPTS {
            // What was surely written comes first; the oldest attempt after it goes.
            known.remove(1);
        }
        known.push(digest(content));
        self.write_note();
    }

    /// Takes note that the last attempt was written: what came before is no longer there.
    pub(super) fn settle(&mut self, place: &str) {
        if let Some(known) = self.own.get_mut(place) {
            known.drain(..known.len().saturating_sub(1));
        }
        self.predecessor.remove(place);
    }

    /// Takes note that something else was seen there: what was written before is no longer there.
    pub(super) fn forget(&mut self, place: &str) {
        self.own.remove(place);
        self.predecessor.remove(place);
    }

    /// Without the note the next process has to wait for a lifetime, which is no harm.
    fn write_note(&self) {
        let Some(path) = &self.note else { return };
        let mut places = self.predecessor.clone();
        for (place, digests) in &self.own {
            places.entry(place.clone()).or_default().extend(digests.iter().cloned());
        }
        let note = Note { boot: self.boot.clone(), places };
        let text = serde_json::to_vec(&note).unwrap_or_default();
        let _ = files::replace(path, &text, "hand", Durability::Memory);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hand_is_known_by_what_it_wrote_or_tried_to_write() {
        let mut hands = Hands::after(None, "boot");
        hands.attempt("lock", b"1");
        hands.attempt("lock", b"2");
        assert_eq!((hands.of("lock", b"1"), hands.of("lock", b"2")), (Hand::Own, Hand::Own), "nobody knows yet");
        hands.settle("lock");
        assert_eq!((hands.of("lock", b"1"), hands.of("lock", b"2")), (Hand::Another, Hand::Own));
        assert_eq!(hands.of("beat", b"2"), Hand::Another, "of another place");
        for attempt in 0..1000_u32 {
            hands.attempt("lock", &attempt.to_ne_bytes());
        }
        assert_eq!(hands.of("lock", b"2"), Hand::Own, "what surely stood there is not forgotten");
        assert_eq!(hands.own["lock"].len(), MOST_ATTEMPTS);
    }

    /// A snapshot of the machine is resumed twice: the same memory goes on in two places.
    #[test]
    fn of_two_copies_of_a_process_each_sees_the_hand_of_the_other() {
        let mut hands = Hands::after(None, "boot");
        hands.attempt("lock", b"1");
        hands.settle("lock");
        let mut copy = Hands { own: hands.own.clone(), ..Hands::default() };
        hands.attempt("lock", b"2");
        assert_eq!((copy.of("lock", b"1"), copy.of("lock", b"2")), (Hand::Own, Hand::Another));
        copy.attempt("lock", b"3");
        assert_eq!(hands.of("lock", b"3"), Hand::Another);
    }

    #[test]
    fn a_predecessor_is_known_on_the_same_boot_as_long_as_nobody_else_has_written() {
        let directory = std::env::temp_dir().join(format!("ha-hand-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let note = directory.join("written.json");
        let mut first = Hands::after(Some(&note), "boot-1");
        first.attempt("lock", b"1");
        // It is killed here, and nobody knows whether it has written.
        let mut second = Hands::after(Some(&note), "boot-1");
        assert_eq!(second.of("lock", b"1"), Hand::Predecessor);
        assert_eq!(second.of("lock", b"0"), Hand::Another);
        second.attempt("beat", b"5");
        let third = Hands::after(Some(&note), "boot-1");
        assert_eq!((third.of("lock", b"1"), third.of("beat", b"5")), (Hand::Predecessor, Hand::Predecessor));
        second.attempt("lock", b"2");
        second.settle("lock");
        second.attempt("beat", b"6");
        assert_eq!(Hands::after(Some(&note), "boot-1").of("lock", b"1"), Hand::Another, "it was overwritten since");
        assert_eq!(Hands::after(Some(&note), "boot-2").of("lock", b"2"), Hand::Another, "after another boot");
        std::fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn no_two_marks_are_the_same() {
        let mut marks: Vec<String> = (0..1000).map(|_| mark()).collect();
        marks.sort();
        marks.dedup();
        assert_eq!(marks.len(), 1000);
    }
}
