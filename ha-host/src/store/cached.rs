//! Files that are read again only when they have changed.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fs::{File, Metadata},
    io::{self, Read},
    ops::Bound,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

/// Remembers the content of files, by their paths as texts: to compare paths part by part takes many times as long, and there are
/// as many as there are guests.
#[derive(Debug, Default)]
pub(super) struct FileCache {
    files: Mutex<BTreeMap<OsString, Entry>>,
}

#[derive(Debug)]
struct Entry {
    /// By what a change is seen; nothing if the file was too young to be sure.
    stamp: Option<Stamp>,
    content: Arc<[u8]>,
}

/// Every writer of the store makes a new file, with another inode. Who edits in place changes the times.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

/// Room is made for no more than that before it is seen to be there.
const MOST_AT_ONCE: usize = 1 << 16;

/// How many files are read at the same time, and how many are not worth another hand.
const MOST_HANDS: usize = 8;
const LEAST_SHARE: usize = 128;

/// A file system counts time in steps; a file that changed within the last one may change again unseen.
const YOUNG_NANOSECONDS: i128 = 100_000_000;

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    fn is_old_enough(&self) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        let changed = i128::from(self.changed.0) * 1_000_000_000 + i128::from(self.changed.1);
        i128::try_from(now).unwrap_or(0) - changed > YOUNG_NANOSECONDS
    }
}

impl FileCache {
    /// The content of a file; `None` if there is none of this name.
    pub(super) fn read(&self, path: &Path) -> io::Result<Option<Arc<[u8]>>> {
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.entries().remove(path.as_os_str());
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let stamp = Stamp::of(&file.metadata()?);
        if let Some(entry) = self.entries().get(path.as_os_str())
            && entry.stamp.as_ref() == Some(&stamp)
        {
            return Ok(Some(entry.content.clone()));
        }
        // The size is known, so neither it nor the end need be asked for again. What is written beyond it meanwhile has another stamp.
        let mut content = Vec::with_capacity(usize::try_from(stamp.size).unwrap_or(0).min(MOST_AT_ONCE));
        (&mut file).take(stamp.size).read_to_end(&mut content)?;
        let mut entries = self.entries();
        let content = match entries.get(path.as_os_str()) {
            Some(entry) if *entry.content == *content => entry.content.clone(),
            Some(_) | None => content.into(),
        };
        let stamp = stamp.is_old_enough().then_some(stamp);
        entries.insert(path.as_os_str().to_owned(), Entry { stamp, content: content.clone() });
        Ok(Some(content))
    }

    /// The contents of many files, in their order, as [`FileCache::read`] gives each.
    ///
    /// Where they are many they are read by several hands: over a network each takes its time to be opened, whatever the processor has to
    /// do.
    pub(super) fn read_all(&self, paths: &[PathBuf]) -> Vec<io::Result<Option<Arc<[u8]>>>> {
        let read = |paths: &[PathBuf]| paths.iter().map(|path| self.read(path)).collect::<Vec<_>>();
        let share = paths.len().div_ceil(MOST_HANDS).max(LEAST_SHARE);
        if paths.len() <= share {
            return read(paths);
        }
        thread::scope(|scope| {
            let hand = |share| thread::Builder::new().spawn_scoped(scope, move || read(share));
            let hands: Vec<_> = paths.chunks(share).map(|share| (share, hand(share))).collect();
            // What no hand could be had for, or what one has not brought to an end, is read here.
            let by_hand = hands.into_iter().map(|(share, hand)| (share, hand.ok().and_then(|hand| hand.join().ok())));
            by_hand.flat_map(|(share, contents)| contents.unwrap_or_else(|| read(share))).collect()
        })
    }

    /// Forgets the files of a directory that are not among these, which were all read, and are in the order of their texts.
    pub(super) fn keep_only(&self, directory: &Path, paths: &[PathBuf]) {
        let mut begin = directory.as_os_str().to_owned();
        begin.push("/");
        let is_here = |path: &OsString| path.as_encoded_bytes().starts_with(begin.as_encoded_bytes());
        let mut entries = self.entries();
        let from_there = entries.range::<OsStr, _>((Bound::Included(begin.as_os_str()), Bound::Unbounded));
        let known = from_there.take_while(|(path, _)| is_here(path)).count();
        if known > paths.len() {
            entries.retain(|path, _| {
                !is_here(path) || paths.binary_search_by(|kept| kept.as_os_str().cmp(path.as_os_str())).is_ok()
            });
        }
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, BTreeMap<OsString, Entry>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn many_files_are_given_in_their_order_and_one_that_is_not_there_is_none() {
        let directory = std::env::temp_dir().join(format!("ha-cached-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let paths: Vec<PathBuf> = (0..LEAST_SHARE * 5 / 2).map(|number| directory.join(number.to_string())).collect();
        for (number, path) in paths.iter().enumerate().skip(1) {
            fs::write(path, format!("the content of {number}")).unwrap();
        }
        let cache = FileCache::default();
        let read = || cache.read_all(&paths).into_iter().map(Result::unwrap).collect::<Vec<_>>();
        let first = read();
        assert_eq!((first.len(), &first[0]), (paths.len(), &None));
        for (number, content) in first.iter().enumerate().skip(1) {
            assert_eq!(content.as_deref(), Some(format!("the content of {number}").as_bytes()));
        }
        // In place, and longer.
        fs::write(&paths[1], "something else, which is longer than it was").unwrap();
        let second = read();
        assert_eq!(second[1].as_deref(), Some(&b"something else, which is longer than it was"[..]));
        let is_kept =
            |number: usize| first[number].as_ref().zip(second[number].as_ref()).is_some_and(|(a, b)| Arc::ptr_eq(a, b));
        assert!((2..paths.len()).all(is_kept), "what did not change is given as the same");
        fs::remove_dir_all(&directory).unwrap();
    }
}
