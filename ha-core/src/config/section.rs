//! The lexical side of the section format: lines, and what each of them is by its form alone.
//!
//! * A line ends with a line feed; carriage returns directly before it belong to the line's end, so that files which
//!   were saved elsewhere mean the same. They are not written again.
//! * A blank is a space, a tab, or another ASCII blank. Other white space of Unicode is text.
//! * A header is a type without blanks and colons, a colon, and an id without blanks. `some words: like these` is no
//!   header but a line that cannot be read.
//!
//! Nothing here needs UTF-8: lines are bytes, and whoever takes text out of them checks it.

/// Whether a byte is a blank.
pub(crate) const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | 0x0b | 0x0c)
}

/// `bytes` less the blanks at both ends.
pub(crate) fn trim(bytes: &[u8]) -> &[u8] {
    trim_end(trim_start(bytes))
}

fn trim_start(mut bytes: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = bytes
        && is_blank(*first)
    {
        bytes = rest;
    }
    bytes
}

fn trim_end(mut bytes: &[u8]) -> &[u8] {
    while let [rest @ .., last] = bytes
        && is_blank(*last)
    {
        bytes = rest;
    }
    bytes
}

/// A file without the invisible characters that editors leave in front of its text, and the first of them if there are any: byte-order
/// marks, NULs, and blanks other than spaces and tabs.
///
/// They would hide the first header. Spaces and tabs among them go too.
pub(crate) fn without_mark(file: &[u8]) -> (&[u8], Option<u32>) {
    let mut rest = file;
    let mut found = None;
    let mut text = file;
    while let Some((mark, length)) = first_invisible(rest) {
        rest = rest.get(length..).unwrap_or_default();
        if !matches!(mark, 0x20 | 0x09) {
            found = found.or(Some(mark));
        }
        if found.is_some() {
            text = rest;
        }
    }
    (text, found)
}

/// The first character of a text and its length in bytes, if it is an invisible one other than the end of a line.
fn first_invisible(text: &[u8]) -> Option<(u32, usize)> {
    let start = text.get(..text.len().min(4))?;
    let valid = match core::str::from_utf8(start) {
        Ok(valid) => valid,
        Err(error) => core::str::from_utf8(start.get(..error.valid_up_to())?).ok()?,
    };
    let first = valid.chars().next()?;
    let ends_line = matches!(first, '\r' | '\n');
    (!ends_line && is_invisible(first)).then(|| (u32::from(first), first.len_utf8()))
}

/// Whether a character is invisible.
pub(crate) fn is_invisible(character: char) -> bool {
    match character {
        '\0' | '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}' => true,
        other => other.is_whitespace(),
    }
}

/// One line of a file, without its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    /// Its number, from 1.
    pub(crate) number: usize,
    /// Where it begins: bytes from the start of the file.
    pub(crate) start: usize,
    /// Its bytes, without the line's end.
    pub(crate) content: &'a [u8],
}

/// What a line is by its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form<'a> {
    /// Nothing at all: ends a section.
    Empty,
    /// Blanks and nothing else: cannot be read.
    Blanks,
    /// A comment.
    Comment,
    /// `type: id`.
    Header { section_type: &'a [u8], id: &'a [u8] },
    /// A blank, a key, and perhaps a value (empty if there is none).
    Property { key: &'a [u8], value: &'a [u8] },
    /// Anything else.
    Unreadable,
}

impl<'a> Line<'a> {
    /// What the line is.
    pub(crate) fn form(&self) -> Form<'a> {
        let text = trim(self.content);
        match (self.content, text) {
            ([], _) => Form::Empty,
            (_, []) => Form::Blanks,
            (_, [b'#', ..]) => Form::Comment,
            ([first, ..], _) if is_blank(*first) => {
                let end = text.iter().position(|byte| is_blank(*byte)).unwrap_or(text.len());
                let (key, value) = text.split_at_checked(end).unwrap_or((text, &[]));
                Form::Property { key, value: trim_start(value) }
            }
            _ => header(text).unwrap_or(Form::Unreadable),
        }
    }
}

fn header(text: &[u8]) -> Option<Form<'_>> {
    let colon = text.iter().position(|byte| *byte == b':' || is_blank(*byte))?;
    let (section_type, rest) = text.split_at_checked(colon)?;
    let id = trim_start(rest.strip_prefix(b":")?);
    let well_formed = !section_type.is_empty() && !id.is_empty() && !id.iter().any(|byte| is_blank(*byte));
    well_formed.then_some(Form::Header { section_type, id })
}

/// The lines of a file, one after the other.
#[derive(Debug, Clone)]
pub(crate) struct Lines<'a> {
    text: &'a [u8],
    position: usize,
    number: usize,
}

impl<'a> Lines<'a> {
    /// The lines of `text`. A last line without a line feed counts; an empty one after the last line feed does not.
    pub(crate) const fn new(text: &'a [u8]) -> Self {
        Self { text, position: 0, number: 0 }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        let rest = self.text.get(self.position..).filter(|rest| !rest.is_empty())?;
        let end = memchr::memchr(b'\n', rest);
        let mut content = rest.get(..end.unwrap_or(rest.len()))?;
        while let [before @ .., b'\r'] = content {
            content = before;
        }
        let start = self.position;
        self.position = end.map_or(self.text.len(), |end| start.saturating_add(end).saturating_add(1));
        self.number = self.number.saturating_add(1);
        Some(Line { number: self.number, start, content })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn form(content: &str) -> Form<'_> {
        Line { number: 1, start: 0, content: content.as_bytes() }.form()
    }

    #[test]
    fn lines_end_with_a_line_feed_and_carriage_returns_before_it() {
        let lines: Vec<_> =
            Lines::new(b"a\r\n\nb\r\r\nc\rd").map(|line| (line.number, line.start, line.content)).collect();
        let expected: [(usize, usize, &[u8]); 4] = [(1, 0, b"a"), (2, 3, b""), (3, 4, b"b"), (4, 8, b"c\rd")];
        assert_eq!(lines, expected);
        assert_eq!(Lines::new(b"").count(), 0);
        assert_eq!(Lines::new(b"\n").count(), 1);
    }

    #[test]
    fn what_nobody_sees_is_no_text_at_the_start_of_a_file() {
        for (mark, first) in [
            ("\u{feff}", 0xfeff),
            ("\u{feff}\u{feff} \t", 0xfeff),
            ("\0\0", 0),
            ("\u{a0}", 0xa0),
            (" \u{200b} ", 0x200b),
            ("\u{b}", 0xb),
            ("\u{3000}", 0x3000),
        ] {
            let file = std::format!("{mark}vm: 100\n");
            assert_eq!(without_mark(file.as_bytes()), (&b"vm: 100\n"[..], Some(first)), "{mark:?}");
        }
        for plain in
            [&b"vm: 100"[..], b" vm: 100", b"\t", b"", b"\r\n", b"\n\xef\xbb\xbfvm: 1", b"\xef\xbb", b"\xff\xfev"]
        {
            assert_eq!(without_mark(plain), (plain, None), "{plain:?}");
        }
    }

    #[test]
    fn a_header_is_a_type_and_an_id_without_blanks() {
        let header = Form::Header { section_type: b"vm", id: b"100" };
        for good in ["vm: 100", "vm:100", "vm: \t100  "] {
            assert_eq!(form(good), header, "{good:?}");
        }
        assert_eq!(form("vm: a:b"), Form::Header { section_type: b"vm", id: b"a:b" });
        for bad in ["vm", "vm:", "vm: ", ": 100", "vm : 100", "vm: 1 2", "some words: x"] {
            assert_eq!(form(bad), Form::Unreadable, "{bad:?}");
        }
    }

    #[test]
    fn a_property_begins_with_a_blank() {
        assert_eq!(form("\tstate  started \t"), Form::Property { key: b"state", value: b"started" });
        assert_eq!(form(" disable"), Form::Property { key: b"disable", value: b"" });
        assert_eq!(form(" comment a  b"), Form::Property { key: b"comment", value: b"a  b" });
    }

    #[test]
    fn comments_blanks_and_empty_lines_are_told_apart() {
        assert_eq!(form(""), Form::Empty);
        assert_eq!(form(" \t"), Form::Blanks);
        assert_eq!(form("# x"), Form::Comment);
        assert_eq!(form("\t# x"), Form::Comment);
    }
}
