//! The history of the cluster in files: lines, in segments that are named by the position of their first one.

use std::{
    fs::{self, OpenOptions},
    io::{self, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
};

use super::HistoryLine;
use crate::os::files;

/// A segment of this size gets no further line.
const FULL_SEGMENT: u64 = 32 << 10;
/// The most bytes of all of them; beyond that the oldest go.
const LARGEST: u64 = 256 << 10;

/// The segments in a directory.
///
/// A segment is written at its end alone. A line that a crash has torn has no line end: it counts for nothing, and the next
/// writer cuts it off.
#[derive(Debug)]
pub(super) struct HistoryFiles {
    directory: PathBuf,
}

impl HistoryFiles {
    pub(super) fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// The segments, the oldest first, each with the position of its first line.
    fn segments(&self) -> io::Result<Vec<(u64, PathBuf)>> {
        let entries = match fs::read_dir(&self.directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut segments = Vec::new();
        for entry in entries {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".jsonl"));
            segments.extend(name.and_then(|name| name.parse().ok()).map(|first| (first, path)));
        }
        segments.sort();
        Ok(segments)
    }

    fn path(&self, first: u64) -> PathBuf {
        self.directory.join(format!("{first:020}.jsonl"))
    }

    /// Appends lines, all or none. Gives the position of the first one. Nobody else may do so at the same time.
    pub(super) fn append(&self, lines: &[String]) -> io::Result<u64> {
        files::make_private_directory(&self.directory)?;
        let segments = self.segments()?;
        let (mut first, content) = match segments.last() {
            Some((first, path)) => (*first, fs::read(path)?),
            None => (1, Vec::new()),
        };
        let whole = whole_lines(&content);
        let next = first.saturating_add(whole.iter().filter(|byte| **byte == b'\n').count() as u64);
        let mut end = whole.len() as u64;
        if end >= FULL_SEGMENT {
            (first, end) = (next, 0);
        }
        let path = self.path(first);
        let mut file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path)?;
        file.set_len(end)?;
        file.seek(SeekFrom::Start(end))?;
        let text: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
        if let Err(error) = file.write_all(text.as_bytes()).and_then(|()| file.sync_data()) {
            // Best effort: what can't be cut off now is cut off by the next writer, save for lines that are whole.
            let _ = file.set_len(end);
            return Err(error);
        }
        if end == 0 {
            files::sync_directory(&path)?;
            self.forget_oldest()?;
        }
        Ok(next)
    }

    fn forget_oldest(&self) -> io::Result<()> {
        let mut segments = Vec::new();
        for (_, path) in self.segments()? {
            segments.push((fs::metadata(&path)?.len(), path));
        }
        let mut size: u64 = segments.iter().map(|(size, _)| size).sum();
        // The last one says where the history goes on.
        segments.pop();
        for (length, path) in segments {
            if size <= LARGEST {
                break;
            }
            fs::remove_file(path)?;
            size = size.saturating_sub(length);
        }
        Ok(())
    }

    /// The lines after a position, as far as they are kept.
    pub(super) fn read(&self, after: u64) -> io::Result<Vec<HistoryLine>> {
        let segments = self.segments()?;
        let mut lines = Vec::new();
        for (index, (first, path)) in segments.iter().enumerate() {
            let next = segments.get(index.saturating_add(1)).map(|(next, _)| *next);
            if next.is_some_and(|next| next <= after.saturating_add(1)) {
                continue;
            }
            // It may have been the oldest one until now.
            let Some(content) = files::read(path)? else { continue };
            let text = String::from_utf8_lossy(whole_lines(&content)).into_owned();
            let numbered = (*first..).zip(text.lines()).filter(|(position, _)| *position > after);
            lines.extend(numbered.map(|(position, line)| (position, line.to_owned())));
        }
        Ok(lines)
    }

    /// The position of the last line; 0 where there is none.
    pub(super) fn last(&self) -> io::Result<u64> {
        let Some((first, path)) = self.segments()?.pop() else { return Ok(0) };
        let content = files::read(&path)?.unwrap_or_default();
        let lines = whole_lines(&content).iter().filter(|byte| **byte == b'\n').count() as u64;
        Ok(first.saturating_add(lines).saturating_sub(1))
    }
}

/// What is before a torn end.
fn whole_lines(content: &[u8]) -> &[u8] {
    let end = content.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at.saturating_add(1));
    content.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn history(name: &str) -> HistoryFiles {
        let directory = std::env::temp_dir().join(format!("ha-history-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&directory);
        HistoryFiles::new(directory)
    }

    fn size_of(directory: &Path) -> u64 {
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
    }

    fn texts(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|line| (*line).to_owned()).collect()
    }

    #[test]
    fn positions_grow_over_segments_and_the_oldest_go() {
        let history = history("segments");
        assert_eq!((history.last().unwrap(), history.read(0).unwrap()), (0, Vec::new()));
        let line = "x".repeat(1000);
        for number in 0..1000_u64 {
            let lines = [format!("{number} {line}"), format!("{number} again")];
            assert_eq!(history.append(&lines).unwrap(), 1 + 2 * number);
        }
        assert!(size_of(&history.directory) < LARGEST + 2 * FULL_SEGMENT);
        let kept = history.read(0).unwrap();
        assert!(kept.len() > 400 && history.last().unwrap() == 2000);
        let positions: Vec<u64> = kept.iter().map(|(position, _)| *position).collect();
        assert_eq!(positions, (2001 - kept.len() as u64..=2000).collect::<Vec<_>>(), "no gap");
        assert!(kept.iter().all(|(position, line)| line.starts_with(&format!("{} ", (position - 1) / 2))));
        assert_eq!(history.read(1998).unwrap().len(), 2);
        fs::remove_dir_all(&history.directory).unwrap();
    }

    #[test]
    fn a_torn_end_costs_the_torn_line_alone_wherever_it_is() {
        let history = history("torn");
        history.append(&texts(&["one", "two", "three"])).unwrap();
        let path = history.path(1);
        let content = fs::read(&path).unwrap();
        for length in 0..=content.len() {
            fs::write(&path, &content[..length]).unwrap();
            let whole = content[..length].iter().filter(|byte| **byte == b'\n').count();
            assert_eq!(history.read(0).unwrap().len(), whole);
            assert_eq!(history.append(&texts(&["next"])).unwrap(), whole as u64 + 1, "cut at {length}");
            let lines: Vec<String> = history.read(0).unwrap().into_iter().map(|(_, line)| line).collect();
            let expected: Vec<&str> = ["one", "two", "three"].into_iter().take(whole).chain(["next"]).collect();
            assert_eq!(lines, expected);
        }
        fs::remove_dir_all(&history.directory).unwrap();
    }
}
