//! Changes of several files that are made together: written down as a whole first, then carried out.
//!
//! The text is a sequence of `name length\n`, then so many bytes, then a newline; the length of a file that is removed is
//! `-`. Nothing is checked twice: the file that holds it is replaced whole.

use super::{ConfigChange, ConfigFile};

pub(super) fn write(changes: &[ConfigChange]) -> Vec<u8> {
    let mut out = Vec::new();
    for (file, content) in changes {
        match content {
            Some(content) => {
                out.extend_from_slice(format!("{} {}\n", file.name(), content.len()).as_bytes());
                out.extend_from_slice(content);
            }
            None => out.extend_from_slice(format!("{} -\n", file.name()).as_bytes()),
        }
        out.push(b'\n');
    }
    out
}

/// The changes, or nothing if it is not what [`write()`] wrote.
pub(super) fn read(mut text: &[u8]) -> Option<Vec<ConfigChange>> {
    let mut changes = Vec::new();
    while !text.is_empty() {
        let end = text.iter().position(|byte| *byte == b'\n')?;
        let (name, length) = core::str::from_utf8(text.get(..end)?).ok()?.split_once(' ')?;
        let file = ConfigFile::ALL.into_iter().find(|file| file.name() == name)?;
        text = text.get(end + 1..)?;
        let content = if length == "-" {
            None
        } else {
            let (content, rest) = text.split_at_checked(length.parse().ok()?)?;
            text = rest;
            Some(content.to_vec())
        };
        text = text.strip_prefix(b"\n")?;
        changes.push((file, content));
    }
    Some(changes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_survive_whatever_bytes_they_hold() {
        let changes = vec![
            (ConfigFile::Resources, Some(b"vm: 100\n\n\xff".to_vec())),
            (ConfigFile::Groups, None),
            (ConfigFile::Rules, Some(Vec::new())),
        ];
        let text = write(&changes);
        assert_eq!(read(&text), Some(changes));
        assert_eq!(read(&text[..text.len() - 1]), None);
        assert_eq!(read(b"passwd 1\nx\n"), None);
    }
}
