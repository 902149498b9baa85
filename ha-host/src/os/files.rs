//! Files that are replaced whole or not at all, and locks on files.

use std::{
    fs::{self, File, OpenOptions, Permissions, TryLockError},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

/// Whether what was written must outlive a crash of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// It must: it is on the disk when the call returns.
    Disk,
    /// It need not: it is of no use after a crash.
    Memory,
}

/// Replaces a file, whole or not at all: at every moment, also after a crash or on a full disk, the file has its old or
/// its new content. `tag` tells writers apart that may write the same file at the same time.
///
/// # Errors
///
/// If the file system does; the file has its old content then.
pub fn replace(path: &Path, content: &[u8], tag: &str, durability: Durability) -> io::Result<()> {
    replace_by(path, tag, durability, |temporary| write_whole(temporary, content, FOR_ALL, durability))
}

/// The same for a file that has secrets: nobody but its owner may read it, at no moment.
///
/// # Errors
///
/// As [`replace`].
pub fn replace_private(path: &Path, content: &[u8], tag: &str, durability: Durability) -> io::Result<()> {
    replace_by(path, tag, durability, |temporary| {
        // One that was left behind by an earlier writer has the mode that it had.
        remove(temporary, Durability::Memory)?;
        write_whole(temporary, content, FOR_OWNER, durability)
    })
}

/// The mode of a new file, from which the process's mask is taken.
const FOR_ALL: u32 = 0o666;
const FOR_OWNER: u32 = 0o600;

fn replace_by(
    path: &Path,
    tag: &str,
    durability: Durability,
    write: impl FnOnce(&Path) -> io::Result<()>,
) -> io::Result<()> {
    let temporary = temporary_path(path, tag)?;
    let written = write(&temporary).and_then(|()| fs::rename(&temporary, path));
    if let Err(error) = written {
        // Best effort: the next writer with this tag truncates it anyway.
        let _ = fs::remove_file(&temporary);
        return Err(error);
    }
    match durability {
        Durability::Disk => sync_directory(path),
        Durability::Memory => Ok(()),
    }
}

fn write_whole(path: &Path, content: &[u8], mode: u32, durability: Durability) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path)?;
    file.write_all(content)?;
    match durability {
        Durability::Disk => file.sync_all(),
        Durability::Memory => Ok(()),
    }
}

/// Where the new content waits: in the same directory, with a name that begins with a dot.
fn temporary_path(path: &Path, tag: &str) -> io::Result<PathBuf> {
    let name = path.file_name().and_then(|name| name.to_str()).ok_or(io::ErrorKind::InvalidInput)?;
    Ok(path.with_file_name(format!(".{name}.{tag}.tmp")))
}

/// Removes a file, if it is there.
///
/// # Errors
///
/// If the file system does.
pub fn remove(path: &Path, durability: Durability) -> io::Result<()> {
    match fs::remove_file(path) {
        Ok(()) if durability == Durability::Disk => sync_directory(path),
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Brings to the disk that a file has this name.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path.parent().unwrap_or(Path::new("/")))?.sync_all()
}

/// The content of a file; `None` if there is none of this name.
///
/// # Errors
///
/// If the file is there and can't be read.
pub fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Takes the exclusive lock on a file, which is made if it is not there, and holds it until the answer is dropped or this
/// process ends. The lock is the kernel's: one that somebody left behind by dying is free.
///
/// # Errors
///
/// With [`io::ErrorKind::TimedOut`] if somebody else holds it for all of `patience`; or if the file system does not let
/// it be taken.
pub fn lock(path: &Path, patience: Duration) -> io::Result<File> {
    const LOOK_INTERVAL: Duration = Duration::from_millis(2);
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
    let began = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if began.elapsed() < patience => thread::sleep(LOOK_INTERVAL),
            Err(TryLockError::WouldBlock) => {
                let message = format!("{} has been locked by another process for {patience:?}", path.display());
                return Err(io::Error::new(io::ErrorKind::TimedOut, message));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// Makes a directory, with those above it, that only this user may enter; tightens one that is there.
///
/// # Errors
///
/// If the file system does, or if the directory is one that users share, such as `/tmp`.
pub fn make_private_directory(path: &Path) -> io::Result<()> {
    const SHARED: u32 = 0o1000;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    let mode = fs::metadata(path)?.permissions().mode();
    if mode & SHARED != 0 {
        let message = format!("{} is shared by all users: it must be a directory of its own", path.display());
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
    }
    if mode & FOR_OTHERS == 0 { Ok(()) } else { fs::set_permissions(path, Permissions::from_mode(0o700)) }
}

/// What the group and all others may do.
const FOR_OTHERS: u32 = 0o077;

/// Opens a log, to write at its end, that only this user may read; tightens one that is there.
///
/// # Errors
///
/// If the file system does.
pub fn open_log(path: &Path) -> io::Result<File> {
    let log = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    if log.metadata()?.permissions().mode() & FOR_OTHERS != 0 {
        log.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(log)
}

/// A name as part of a file name: letters, digits, `.`, `_`, `-` and `:` stay, all else becomes `%` and two hexadecimal
/// digits. No two names give the same, and none gives a hidden file or a path.
#[must_use]
pub fn encode_name(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for (index, byte) in name.bytes().enumerate() {
        let stays = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b':') || (byte == b'.' && index > 0);
        if stays { out.push(char::from(byte)) } else { out.push_str(&format!("%{byte:02X}")) }
    }
    out
}

/// The name that [`encode_name`] made a file name of; `None` if it made none such.
#[must_use]
pub fn decode_name(file_name: &str) -> Option<String> {
    let mut bytes = file_name.bytes();
    let mut out = Vec::with_capacity(file_name.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let digits = [bytes.next()?, bytes.next()?];
        out.push(u8::from_str_radix(core::str::from_utf8(&digits).ok()?, 16).ok()?);
    }
    let name = String::from_utf8(out).ok()?;
    (encode_name(&name) == file_name).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_and_stay_in_their_directory() {
        for name in ["vm:100", "proc:web.frontend", "proc:../../etc/passwd", "exec:ü%", "proc:.hidden", "."] {
            let encoded = encode_name(name);
            assert!(!encoded.contains('/') && !encoded.starts_with('.'), "{encoded}");
            assert_eq!(decode_name(&encoded).as_deref(), Some(name));
        }
        assert_eq!(decode_name(".vm:100.tmp"), None);
        assert_eq!(decode_name("vm%3A100"), None, "not the encoding of anything");
    }

    #[test]
    fn what_is_private_is_so_also_over_what_was_left_behind() {
        let directory = std::env::temp_dir().join(format!("ha-files-private-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let path = directory.join("secret");
        fs::write(directory.join(".secret.edit.tmp"), "left behind, for all to read").unwrap();
        replace_private(&path, b"hidden", "edit", Durability::Memory).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read(&path).unwrap(), b"hidden");
        fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn a_lock_is_held_until_it_is_dropped() {
        let directory = std::env::temp_dir().join(format!("ha-files-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let path = directory.join("lock");
        let held = lock(&path, Duration::ZERO).unwrap();
        assert_eq!(lock(&path, Duration::from_millis(5)).unwrap_err().kind(), io::ErrorKind::TimedOut);
        drop(held);
        // A process that another test starts has it until it runs its program.
        lock(&path, Duration::from_secs(5)).unwrap();
        fs::remove_dir_all(&directory).unwrap();
    }
}
