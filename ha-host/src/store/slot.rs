//! Values that are overwritten in place, in room that was reserved once: so a full disk costs nobody its lock.
//!
//! A slot is a file of [`SIZE`] bytes, all of them written when its room is reserved, so that the file system has given it its
//! blocks. The first value goes into the reserved file, which is moved to its name then. Each one after that is written over
//! the old one, as a JSON object with a checksum of all the rest, filled up with blanks.
//!
//! A power cut in the middle of that leaves any mixture of old and new bytes. Such a mixture is told by its checksum, and
//! is [`Slot::Damaged`]: it may be somebody's, and counts for nobody's only when it has not changed for a lifetime.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use ha_core::config::Digest;

use crate::os::files::{self, Durability};

/// The size of a slot in bytes: within one block of every file system, and twice what a value needs.
pub(super) const SIZE: usize = 1024;

const CHECK: &str = "\"check\":\"";
const DIGEST: usize = 40;

/// What is in a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Slot {
    /// Nothing: nobody has ever written a value.
    Empty,
    /// A value: a JSON object, as it was written.
    Value(Vec<u8>),
    /// Something else: the bytes that are there.
    Damaged(Vec<u8>),
}

impl Slot {
    /// The bytes to judge the value by: nothing for an empty slot. Damaged ones are no JSON object that says anything.
    pub(super) fn content(&self) -> Option<&[u8]> {
        match self {
            Self::Empty => None,
            Self::Value(bytes) | Self::Damaged(bytes) => Some(bytes),
        }
    }
}

/// The bytes of a slot with this value, a JSON object in one piece that is not empty.
fn encode(value: &[u8]) -> io::Result<Vec<u8>> {
    let text = str::from_utf8(value).unwrap_or_default();
    let body = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).ok_or(io::ErrorKind::InvalidData)?;
    let mut slot = format!("{{{body},{CHECK}{}\"}}", Digest::of(body.as_bytes())).into_bytes();
    if slot.len() >= SIZE {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the value is too large for its place"));
    }
    slot.resize(SIZE.saturating_sub(1), b' ');
    slot.push(b'\n');
    Ok(slot)
}

fn decode(bytes: Vec<u8>) -> Slot {
    if bytes.len() != SIZE {
        // An earlier version wrote no checksum, and moved whole files into their places.
        let is_whole = is_object(&bytes) && !String::from_utf8_lossy(&bytes).contains(CHECK);
        return if is_whole { Slot::Value(bytes) } else { Slot::Damaged(bytes) };
    }
    match str::from_utf8(&bytes).ok().and_then(|text| checked(text.trim_end())) {
        Some(body) => Slot::Value(format!("{{{body}}}").into_bytes()),
        None => Slot::Damaged(bytes),
    }
}

/// What is between the braces before the checksum, if that is right.
fn checked(text: &str) -> Option<&str> {
    let text = text.strip_prefix('{')?.strip_suffix("\"}")?;
    let (rest, digest) = text.split_at_checked(text.len().checked_sub(DIGEST)?)?;
    let body = rest.strip_suffix(CHECK)?.strip_suffix(',')?;
    (Digest::of(body.as_bytes()).to_string() == digest).then_some(body)
}

fn is_object(bytes: &[u8]) -> bool {
    serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(bytes).is_ok()
}

/// Reads a slot. A reader may meet a writer: what looks damaged is looked at again.
///
/// # Errors
///
/// If the file is there and can't be read.
pub(super) fn read(path: &Path) -> io::Result<Slot> {
    const LOOKS: u32 = 3;
    let mut slot = Slot::Empty;
    for _ in 0..LOOKS {
        let Some(bytes) = files::read(path)? else { return Ok(Slot::Empty) };
        slot = decode(bytes);
        if !matches!(&slot, Slot::Damaged(bytes) if bytes.len() == SIZE) {
            break;
        }
    }
    Ok(slot)
}

/// Writes a value over the old one, or into the room that is reserved for the first one. Only where there is neither, or the old
/// one has another size, as one of an earlier version, more room is needed: then the file is replaced as a whole.
///
/// # Errors
///
/// If the file system does. What is there may be damaged then, and was not if the file system had no room.
pub(super) fn write(path: &Path, value: &[u8], tag: &str, durability: Durability) -> io::Result<()> {
    let bytes = encode(value)?;
    let write_into = |file: File| {
        file.write_all_at(&bytes, 0)?;
        match durability {
            Durability::Disk => file.sync_data(),
            Durability::Memory => Ok(()),
        }
    };
    if let Some(file) = open_whole(path)? {
        return write_into(file);
    }
    let room = room_of(path)?;
    match open_whole(&room)? {
        Some(file) if !path.try_exists()? => {
            write_into(file)?;
            fs::rename(&room, path)?;
            files::sync_directory(path)
        }
        Some(_) | None => files::replace(path, &bytes, tag, durability),
    }
}

/// The file, if it is one that can be overwritten in place.
fn open_whole(path: &Path) -> io::Result<Option<File>> {
    let file = match OpenOptions::new().write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let metadata = file.metadata()?;
    let is_whole = metadata.is_file() && metadata.len() == u64::try_from(SIZE).unwrap_or(u64::MAX);
    Ok(is_whole.then_some(file))
}

/// The room that is reserved for the first value.
fn room_of(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().and_then(|name| name.to_str()).ok_or(io::ErrorKind::InvalidInput)?;
    Ok(path.with_file_name(format!(".{name}.room")))
}

/// Reserves the room of a slot, where there is no value yet.
///
/// # Errors
///
/// If the file system does.
pub(super) fn reserve(path: &Path) -> io::Result<()> {
    let room = room_of(path)?;
    if path.try_exists()? || open_whole(&room)?.is_some() {
        return Ok(());
    }
    files::replace(&room, &[b' '; SIZE], "new", Durability::Disk)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &[u8] = br#"{"holder":"node1","count":7,"writer":"a/b/c","lifetime_ms":6600,"mark":"0123456789abcdef"}"#;
    const NEW: &[u8] = br#"{"holder":null,"count":8,"writer":"a/b/c","lifetime_ms":6600,"mark":"fedcba9876543210"}"#;

    #[test]
    fn a_slot_gives_back_what_was_written_and_is_json_for_others() {
        for value in [OLD, NEW] {
            let slot = encode(value).unwrap();
            assert_eq!(slot.len(), SIZE);
            assert!(is_object(&slot), "with a checksum in it");
            assert_eq!(decode(slot), Slot::Value(value.to_vec()));
        }
        assert!(matches!(decode(vec![b' '; SIZE]), Slot::Damaged(_)));
        assert_eq!(decode(OLD.to_vec()), Slot::Value(OLD.to_vec()), "one of an earlier version");
        assert!(encode(format!("{{\"a\":\"{}\"}}", "x".repeat(SIZE)).as_bytes()).is_err());
    }

    /// Any mixture of two writes is one of the two or damaged, and an old value or no value at all is never made of two others.
    #[test]
    fn a_write_that_was_cut_anywhere_leaves_the_old_value_or_the_new_one_or_what_is_nobodys_to_take() {
        let slots = [encode(OLD).unwrap(), encode(NEW).unwrap(), vec![b' '; SIZE], vec![0; SIZE]];
        for old in &slots {
            for new in &slots {
                let allowed = [decode(old.clone()), decode(new.clone())];
                let mut torn: Vec<Vec<u8>> = Vec::new();
                for cut in 0..=SIZE {
                    torn.push([&new[..cut], &old[cut..]].concat());
                    torn.push([&old[..cut], &new[cut..]].concat());
                }
                // Pieces that a device writes whole, in any order.
                for piece in [8, 64, 512] {
                    for chosen in 0..1024_u32 {
                        let from = |at: usize| if chosen >> (at / piece % 10) & 1 == 1 { new[at] } else { old[at] };
                        torn.push((0..SIZE).map(from).collect());
                    }
                }
                for bytes in torn {
                    let is_whole = bytes == *old || bytes == *new;
                    let slot = decode(bytes);
                    let is_one_of_both = allowed.contains(&slot);
                    assert!(matches!(slot, Slot::Damaged(_)) || is_one_of_both, "{slot:?}");
                    assert!(!is_whole || is_one_of_both);
                }
            }
        }
    }

    #[test]
    fn what_is_cut_short_or_changed_by_hand_is_damaged() {
        let whole = encode(OLD).unwrap();
        for length in 0..whole.len() {
            assert!(matches!(decode(whole[..length].to_vec()), Slot::Damaged(_)), "{length}");
        }
        let changed = String::from_utf8(whole).unwrap().replace("node1", "node2");
        assert!(matches!(decode(changed.into_bytes()), Slot::Damaged(_)));
    }

    #[test]
    fn a_value_is_overwritten_where_it_stands() {
        let directory = std::env::temp_dir().join(format!("ha-slot-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let path = directory.join("slot");
        let inode = |path: &Path| std::os::unix::fs::MetadataExt::ino(&fs::metadata(path).unwrap());
        assert_eq!(read(&path).unwrap(), Slot::Empty);
        reserve(&path).unwrap();
        let reserved = inode(&directory.join(".slot.room"));
        assert_eq!(read(&path).unwrap(), Slot::Empty);
        for value in [OLD, NEW] {
            write(&path, value, "tag", Durability::Disk).unwrap();
            reserve(&path).unwrap();
            assert_eq!(read(&path).unwrap(), Slot::Value(value.to_vec()));
            assert_eq!(inode(&path), reserved);
        }
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
        fs::write(&path, OLD).unwrap();
        write(&path, NEW, "tag", Durability::Disk).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), 1024, "one of an earlier version gets its room");
        fs::remove_dir_all(&directory).unwrap();
    }
}
