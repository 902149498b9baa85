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
        // The size is known, so it need not be asked for again, which a whole file would do.
        let mut content =
            Vec::with_capacity(usize::try_from(stamp.size).unwrap_or(0).min(MOST_AT_ONCE).saturating_add(1));
        (&mut file).take(u64::MAX).read_to_end(&mut content)?;
        let mut entries = self.entries();
        let content = match entries.get(path.as_os_str()) {
            Some(entry) if *entry.content == *content => entry.content.clone(),
            Some(_) | None => content.into(),
        };
        let stamp = stamp.is_old_enough().then_some(stamp);
        entries.insert(path.as_os_str().to_owned(), Entry { stamp, content: content.clone() });
        Ok(Some(content))
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
