//! The journal of a node: JSON lines, a file a day.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use ha_core::status::UtcTime;

use super::Entry;
use crate::os::files;

/// How much a journal keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JournalLimits {
    /// The most bytes of all its files; beyond that the oldest go.
    pub bytes: u64,
    /// Older files go, but for the last few: a clock that was wrong once must not cost all.
    pub age: Duration,
}

impl JournalLimits {
    /// 64 MB, 90 days: at an event a second the size is what counts, at the usual few hundred a day the age.
    pub const CUSTOMARY: Self = Self { bytes: 64 << 20, age: Duration::from_secs(90 * 86_400) };

    /// A file of this size gets no further line.
    fn full_file(self) -> u64 {
        (self.bytes / 8).max(4096)
    }
}

/// How many files stay whatever their age.
const ALWAYS_KEPT: usize = 7;

/// The journal of a node, to be written. There must be one writer.
///
/// A file is `2026-11-29-000.jsonl`: the day by UTC, and a number that is more than 0 where a day has more than an eighth of the
/// journal's bytes. Lines are appended and brought to the disk by the batch. A power cut can tear the last line: it is cut off by
/// the next writer, and counts for nothing to a reader.
#[derive(Debug)]
pub struct Journal {
    directory: PathBuf,
    limits: JournalLimits,
    open: Option<OpenFile>,
}

#[derive(Debug)]
struct OpenFile {
    path: PathBuf,
    file: File,
    length: u64,
}

impl Journal {
    /// The journal in a directory, which is made with the first line.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>, limits: JournalLimits) -> Self {
        Self { directory: directory.into(), limits, open: None }
    }

    /// Appends lines, all or none, and brings them to the disk. Says how many bytes of a torn end were cut off before.
    ///
    /// # Errors
    ///
    /// If the file system does; the file is as it was then, as far as that can be had.
    pub fn append<'a>(&mut self, lines: impl IntoIterator<Item = &'a str>, time_ms: i64) -> io::Result<u64> {
        let written = self.try_to_append(lines, time_ms);
        if written.is_err() {
            // The next attempt looks at what is there.
            self.open = None;
        }
        written
    }

    fn try_to_append<'a>(&mut self, lines: impl IntoIterator<Item = &'a str>, time_ms: i64) -> io::Result<u64> {
        let torn = self.open_for(time_ms)?;
        let Some(open) = &mut self.open else { return Ok(torn) };
        let text: String = lines.into_iter().flat_map(|line| [line, "\n"]).collect();
        if let Err(error) = open.file.write_all(text.as_bytes()).and_then(|()| open.file.sync_data()) {
            let _ = open.file.set_len(open.length);
            return Err(error);
        }
        open.length = open.length.saturating_add(text.len() as u64);
        Ok(torn)
    }

    /// Opens the file for that time, unless it is. Gives how many bytes of a torn end were cut off.
    fn open_for(&mut self, time_ms: i64) -> io::Result<u64> {
        let day = day_of(time_ms);
        let full = self.limits.full_file();
        let fits = |open: &OpenFile| {
            open.length < full && open.path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&day))
        };
        if self.open.as_ref().is_some_and(fits) {
            return Ok(0);
        }
        self.open = None;
        files::make_private_directory(&self.directory)?;
        let mut number = 0_u32;
        let files = files_of(&self.directory)?;
        for path in files.iter().filter(|path| file_name(path).starts_with(&day)) {
            let is_full = fs::metadata(path)?.len() >= full;
            let found = number_of(path).unwrap_or(0);
            number = if is_full { found.saturating_add(1) } else { found };
        }
        let path = self.directory.join(format!("{day}-{number:03}.jsonl"));
        let is_new = !path.exists();
        let (length, torn) = cut_torn_end(&path)?;
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path)?;
        if is_new {
            files::sync_directory(&path)?;
            self.forget_oldest(&day)?;
        }
        self.open = Some(OpenFile { path, file, length });
        Ok(torn)
    }

    fn forget_oldest(&self, today: &str) -> io::Result<()> {
        let seconds = i64::try_from(self.limits.age.as_secs()).unwrap_or(i64::MAX);
        let now = UtcTime::from_date(today).map_or(i64::MIN, |UtcTime(now)| now);
        let oldest = day_of(now.saturating_sub(seconds).saturating_mul(1000));
        let files = files_of(&self.directory)?;
        let mut sizes = Vec::new();
        for path in &files {
            sizes.push(fs::metadata(path)?.len());
        }
        let mut size: u64 = sizes.iter().sum();
        let mut left = files.len();
        for (path, length) in files.iter().zip(sizes) {
            let is_too_much = size > self.limits.bytes && left > 1;
            let is_old = left > ALWAYS_KEPT && file_name(path).as_str() < oldest.as_str();
            if !is_too_much && !is_old {
                break;
            }
            files::remove(path, files::Durability::Memory)?;
            (size, left) = (size.saturating_sub(length), left.saturating_sub(1));
        }
        Ok(())
    }

    /// The last entries of a journal, the oldest first, and the files in which lines are no entries, with how many those are. It may be
    /// written at the same time.
    ///
    /// # Errors
    ///
    /// If the directory can't be read; one that is not there has no entries.
    pub fn read(directory: &Path, most: usize) -> io::Result<(Vec<Entry>, BTreeMap<PathBuf, usize>)> {
        let mut found: Vec<Vec<Entry>> = Vec::new();
        let mut unreadable = BTreeMap::new();
        let mut count = 0_usize;
        for path in files_of(directory)?.into_iter().rev() {
            let Some(content) = files::read(&path)? else { continue };
            let (entries, bad) = entries_of(&content);
            if bad > 0 {
                unreadable.insert(path, bad);
            }
            count = count.saturating_add(entries.len());
            found.push(entries);
            if count >= most {
                break;
            }
        }
        let mut entries: Vec<Entry> = found.into_iter().rev().flatten().collect();
        entries.drain(..count.saturating_sub(most));
        Ok((entries, unreadable))
    }
}

/// The entries of a file, and how many whole lines are none.
fn entries_of(content: &[u8]) -> (Vec<Entry>, usize) {
    let (mut entries, mut bad) = (Vec::new(), 0_usize);
    for line in content.split_inclusive(|byte| *byte == b'\n') {
        // What is after the last line end is torn, or being written.
        let Some(line) = line.strip_suffix(b"\n") else { break };
        match serde_json::from_slice(line) {
            Ok(entry) => entries.push(entry),
            Err(_) => bad = bad.saturating_add(1),
        }
    }
    (entries, bad)
}

/// Cuts off what is after the last line end of a file, if it is there. Gives the length that is left and how much was cut.
fn cut_torn_end(path: &Path) -> io::Result<(u64, u64)> {
    const LOOK: u64 = 64 << 10;
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((0, 0)),
        Err(error) => return Err(error),
    };
    let length = file.metadata()?.len();
    let mut end = length;
    let mut content = Vec::new();
    loop {
        let start = end.saturating_sub(LOOK);
        file.seek(SeekFrom::Start(start))?;
        content.clear();
        Read::take(&mut file, end.saturating_sub(start)).read_to_end(&mut content)?;
        let whole = content.iter().rposition(|byte| *byte == b'\n');
        end = whole.map_or(start, |at| start.saturating_add(at as u64).saturating_add(1));
        if whole.is_some() || start == 0 {
            break;
        }
    }
    if end < length {
        OpenOptions::new().write(true).open(path)?.set_len(end)?;
    }
    Ok((end, length.saturating_sub(end)))
}

/// The files of a journal, the oldest first.
fn files_of(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        files.extend(number_of(&path).is_some().then_some(path));
    }
    files.sort();
    Ok(files)
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The number after the day; nothing if the file is none of a journal.
fn number_of(path: &Path) -> Option<u32> {
    let name = file_name(path);
    let (day, number) = name.strip_suffix(".jsonl")?.rsplit_once('-')?;
    UtcTime::from_date(day)?;
    number.parse().ok()
}

/// `2026-11-29`; the first or last day of the calendar where a clock is that wrong.
fn day_of(time_ms: i64) -> String {
    const FIRST: i64 = -62_167_219_200;
    const LAST: i64 = 253_402_300_799;
    let text = UtcTime(time_ms.div_euclid(1000).clamp(FIRST, LAST)).to_string();
    text.get(..10).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ha_core::{
        event::Event,
        history::{EntryId, Source},
        id::NodeName,
    };

    const DAY_MS: i64 = 86_400_000;
    /// 2026-11-29.
    const TODAY: i64 = 1_795_910_400_000;

    fn directory(name: &str) -> PathBuf {
        let directory = std::env::temp_dir().join(format!("ha-journal-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&directory);
        directory
    }

    fn line(number: u64) -> String {
        let node = NodeName::new("node1").unwrap();
        let id = EntryId::of_node(&node, 1, number);
        Entry::new(id, TODAY, node, Source::Crm, Event::ManagerLockReleased.into()).to_json()
    }

    fn numbers(directory: &Path) -> Vec<String> {
        let (entries, _) = Journal::read(directory, usize::MAX).unwrap();
        entries.iter().map(|entry| entry.id.to_string()).collect()
    }

    #[test]
    fn a_file_a_day_and_the_last_entries_of_all() {
        let directory = directory("days");
        let mut journal = Journal::new(&directory, JournalLimits::CUSTOMARY);
        for (number, day) in (0..).zip([0, 0, 1, 2]) {
            journal.append([line(number).as_str()], TODAY + day * DAY_MS).unwrap();
        }
        let names: Vec<String> = files_of(&directory).unwrap().iter().map(|path| file_name(path)).collect();
        assert_eq!(names, ["2026-11-29-000.jsonl", "2026-11-30-000.jsonl", "2026-12-01-000.jsonl"]);
        assert_eq!(numbers(&directory), ["node1.1.0", "node1.1.1", "node1.1.2", "node1.1.3"]);
        assert_eq!(Journal::read(&directory, 3).unwrap().0.len(), 3);
        fs::remove_dir_all(&directory).unwrap();
    }

    /// As a power cut may leave it: whatever is torn off or left as zeros, the whole lines before it stay, and what is
    /// written after it is whole.
    #[test]
    fn a_torn_end_costs_the_torn_line_alone_wherever_it_is() {
        let directory = directory("torn");
        let lines = [line(0), line(1), line(2)];
        let mut journal = Journal::new(&directory, JournalLimits::CUSTOMARY);
        journal.append(lines.iter().map(String::as_str), TODAY).unwrap();
        let path = files_of(&directory).unwrap().pop().unwrap();
        let content = fs::read(&path).unwrap();
        for (length, zeros) in (0..=content.len()).flat_map(|length| [(length, 0), (length, 100)]) {
            let mut torn = content[..length].to_vec();
            torn.resize(length + zeros, 0);
            fs::write(&path, &torn).unwrap();
            let whole = content[..length].iter().filter(|byte| **byte == b'\n').count();
            assert_eq!(numbers(&directory).len(), whole);
            let end = content[..length].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            let mut journal = Journal::new(&directory, JournalLimits::CUSTOMARY);
            let cut = journal.append([line(9).as_str()], TODAY).unwrap();
            assert_eq!(cut, (length - end + zeros) as u64, "cut at {length}");
            let expected: Vec<String> = (0..whole).chain([9]).map(|number| format!("node1.1.{number}")).collect();
            assert_eq!(numbers(&directory), expected, "cut at {length}");
        }
        fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn size_and_age_are_bounded() {
        let directory = directory("bounds");
        let limits = JournalLimits { bytes: 64 << 10, age: Duration::from_secs(30 * 86_400) };
        let mut journal = Journal::new(&directory, limits);
        for number in 0..2000 {
            journal.append([line(number).as_str()], TODAY).unwrap();
        }
        let sizes = || files_of(&directory).unwrap().iter().map(|path| fs::metadata(path).unwrap().len()).sum::<u64>();
        assert!(sizes() <= limits.bytes + 2 * limits.full_file(), "{}", sizes());
        let kept = numbers(&directory);
        assert_eq!(kept.last().unwrap(), "node1.1.1999");
        assert!(kept.len() > 200);

        let _ = fs::remove_dir_all(&directory);
        let mut journal = Journal::new(&directory, limits);
        for day in 0..60 {
            journal.append([line(0).as_str()], TODAY + day * DAY_MS).unwrap();
        }
        assert_eq!(files_of(&directory).unwrap().len(), 31);
        // A clock that is a hundred years ahead for a moment leaves a week.
        journal.append([line(0).as_str()], TODAY + 36_500 * DAY_MS).unwrap();
        assert_eq!(files_of(&directory).unwrap().len(), ALWAYS_KEPT);
        fs::remove_dir_all(&directory).unwrap();
    }
}
