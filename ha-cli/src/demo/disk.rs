//! The "disk" of a demo service: a file that notices a second writer.
//!
//! Every write is a line with a number that is one more than that of the line before. A writer begins with the number after
//! the last one that it finds, and goes on counting by itself. Two writers at once write a number twice; a write that was lost
//! leaves a gap.

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
    process::ExitCode,
    str::FromStr,
    thread,
    time::Duration,
};

use ha_core::time::Instant;
use ha_host::os::clock;

use crate::context::Failure;

/// How often a service writes.
const WRITE_INTERVAL: Duration = Duration::from_millis(25);
/// No line is longer.
const LONGEST_LINE: u64 = 200;

/// One write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    number: u64,
    /// The node that wrote it.
    pub(super) node: String,
    /// The process that wrote it.
    pub(super) writer: String,
    /// When.
    pub(super) at: Instant,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, node, writer, at } = self;
        writeln!(f, "{number} {node} {writer} {}", at.since_start().as_nanos())
    }
}

impl FromStr for Entry {
    type Err = ();

    fn from_str(line: &str) -> Result<Self, ()> {
        let mut words = line.split(' ');
        let mut word = || words.next().ok_or(());
        let number = word()?.parse().map_err(|_| ())?;
        let (node, writer) = (word()?.to_owned(), word()?.to_owned());
        let at = Instant::after_start(Duration::from_nanos(word()?.parse().map_err(|_| ())?));
        Ok(Self { number, node, writer, at })
    }
}

/// The service: writes until it is killed.
pub(super) fn write(path: &Path) -> Result<ExitCode, Failure> {
    let node = std::env::var("HA_NODE").map_err(|_| Failure::Usage("HA_NODE is not set".into()))?;
    let writer = format!("{}-{}", std::process::id(), clock::instant().since_start().as_nanos());
    let mut number = last_entry(path)?.map_or(0, |entry| entry.number);
    let mut disk = OpenOptions::new().append(true).create(true).open(path)?;
    loop {
        number += 1;
        let entry = Entry { number, node: node.clone(), writer: writer.clone(), at: clock::instant() };
        disk.write_all(entry.to_string().as_bytes())?;
        thread::sleep(WRITE_INTERVAL);
    }
}

/// The last write to a disk, if there is any.
pub(super) fn last_entry(path: &Path) -> io::Result<Option<Entry>> {
    let mut disk = match File::open(path) {
        Ok(disk) => disk,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let length = disk.metadata()?.len();
    disk.seek(SeekFrom::Start(length.saturating_sub(LONGEST_LINE)))?;
    let mut end = String::new();
    disk.read_to_string(&mut end)?;
    Ok(end.lines().next_back().and_then(|line| line.parse().ok()))
}

/// What a disk has seen.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// How often it was written.
    pub(super) writes: usize,
    /// How often another process went on writing.
    pub(super) takeovers: usize,
    /// Writes by one that had been taken over, or with a number that was written before.
    pub(super) second_writes: usize,
    /// Numbers that are missing, and lines that are damaged.
    pub(super) lost_writes: usize,
}

impl Verdict {
    /// Whether it was always written by one process at a time, and nothing was lost.
    pub(super) fn is_clean(&self) -> bool {
        self.second_writes == 0 && self.lost_writes == 0 && self.writes > 0
    }
}

/// Reads a disk from its first line to its last.
pub(super) fn judge(path: &Path) -> io::Result<Verdict> {
    Ok(judge_text(&fs::read_to_string(path)?))
}

fn judge_text(text: &str) -> Verdict {
    let mut verdict = Verdict::default();
    let mut former_writers = Vec::new();
    let mut last: Option<Entry> = None;
    for line in text.lines() {
        let Ok(entry) = line.parse::<Entry>() else {
            verdict.lost_writes += 1;
            continue;
        };
        verdict.writes += 1;
        let before = last.as_ref().map_or(0, |last| last.number);
        match &last {
            Some(last) if last.writer != entry.writer => {
                verdict.takeovers += 1;
                former_writers.push(last.writer.clone());
            }
            Some(_) | None => {}
        }
        if former_writers.contains(&entry.writer) || entry.number <= before {
            verdict.second_writes += 1;
        }
        let gap = entry.number.saturating_sub(before).saturating_sub(1);
        verdict.lost_writes += usize::try_from(gap).unwrap_or(usize::MAX);
        last = Some(entry);
    }
    verdict
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_writer_after_the_other_is_clean() {
        let verdict = judge_text("1 node1 a 10\n2 node1 a 20\n3 node2 b 90\n");
        assert_eq!(verdict, Verdict { writes: 3, takeovers: 1, second_writes: 0, lost_writes: 0 });
        assert!(verdict.is_clean());
        assert!(!judge_text("").is_clean(), "nothing was shown");
    }

    #[test]
    fn a_second_writer_and_a_lost_write_are_noticed() {
        assert_eq!(judge_text("1 node1 a 10\n2 node2 b 20\n2 node1 a 21\n3 node2 b 30\n").second_writes, 2);
        assert_eq!(judge_text("1 node1 a 10\n2 node2 b 20\n3 node1 a 21\n").second_writes, 1, "the first one is back");
        assert_eq!(judge_text("1 node1 a 10\n4 node2 b 20\n").lost_writes, 2);
        assert_eq!(judge_text("1 node1 a 10\n2 nod").lost_writes, 1);
    }
}
