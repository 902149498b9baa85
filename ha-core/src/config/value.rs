//! The values of properties: one parser for each kind, for files and for edits alike, and the form they are written in.

use alloc::{string::String, vec::Vec};
use core::fmt;

use super::{
    NodePriorities,
    section::{is_blank, is_invisible},
};
use crate::{
    UnknownWord,
    id::{IdError, NodeName, ServiceId, ServiceTypes},
};

/// The most characters that a comment has.
pub const COMMENT_CHARACTERS: usize = 4096;

/// The most characters of a refused text that an error repeats.
const EXCERPT_CHARACTERS: usize = 80;

/// Why a text is not a value of the kind that is expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// Not UTF-8.
    #[error("the text is not UTF-8: save the file as UTF-8")]
    NotUtf8,
    /// Not one of the words that are allowed.
    #[error(transparent)]
    Word(#[from] UnknownWord),
    /// Not a name of the kind that is expected.
    #[error(transparent)]
    Id(#[from] IdError),
    /// A bare guest number that nobody can tell the kind of.
    #[error("'{0}' is only a number, and no guest of that number is known: expected 'type:name', such as 'vm:{0}'")]
    UnknownGuest(String),
    /// Not a boolean.
    #[error("'{0}' is not a boolean: expected '1', 'on', 'yes' or 'true', or '0', 'off', 'no' or 'false'")]
    Boolean(String),
    /// Not a whole number in the allowed range.
    #[error("'{found}' is not a whole number from {minimum} to {maximum}")]
    Integer {
        /// The text.
        found: String,
        /// The lowest number that is allowed.
        minimum: u32,
        /// The highest number that is allowed.
        maximum: u32,
    },
    /// Not a percentage.
    #[error("'{0}' is not a percentage: expected a number from 0 to 100, without a sign")]
    Percentage(String),
    /// Not a fraction (the JSON form of the scenarios has them where the file has percentages).
    #[error("'{0}' is not a fraction: expected a number of at least 0")]
    Fraction(String),
    /// A list without an item.
    #[error("the list is empty: expected at least one item")]
    EmptyList,
    /// A node with two different priorities.
    #[error("node '{0}' is in the list twice, with different priorities: name it once")]
    NodeTwice(NodeName),
    /// Not of the form that is expected.
    #[error("'{found}' is not {expected}")]
    Form {
        /// The text.
        found: String,
        /// What it should be, with its article.
        expected: &'static str,
    },
    /// A comment that is too long.
    #[error("the comment has {0} characters: expected at most {COMMENT_CHARACTERS}")]
    CommentTooLong(usize),
    /// A comment of several lines, where only one can be stored.
    #[error("the comment has more than one line: expected one")]
    CommentLines,
    /// An item of a property string that has no key.
    #[error("'{0}' has no key: expected 'key=value'")]
    NoKey(String),
    /// A name of a service that lists and commands can't hold.
    #[error("'{0}' can't be named in lists and commands: expected a name without ',', ';' and invisible characters")]
    Unusable(String),
}

impl ValueError {
    /// A stable name for this kind of error, for other languages.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotUtf8 => "not_utf8",
            Self::Word(_) => "unknown_word",
            Self::Id(_) => "bad_id",
            Self::UnknownGuest(_) => "unknown_guest",
            Self::Boolean(_) => "bad_boolean",
            Self::Integer { .. } => "bad_integer",
            Self::Percentage(_) => "bad_percentage",
            Self::Fraction(_) => "bad_fraction",
            Self::EmptyList => "empty_list",
            Self::NodeTwice(_) => "node_twice",
            Self::Form { .. } => "bad_form",
            Self::CommentTooLong(_) => "comment_too_long",
            Self::CommentLines => "comment_lines",
            Self::NoKey(_) => "no_key",
            Self::Unusable(_) => "unusable_name",
        }
    }
}

/// The beginning of a text, with control and other invisible characters escaped, for a message.
///
/// Bounds what one hostile line can put into a message.
pub(crate) fn excerpt(text: &[u8]) -> String {
    let printable = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ';
    if text.len() <= EXCERPT_CHARACTERS && text.iter().all(printable) {
        return String::from_utf8_lossy(text).into_owned();
    }
    // A character has at most four bytes, so these hold all the characters that are shown.
    let beginning = text.get(..EXCERPT_CHARACTERS.saturating_mul(4)).unwrap_or(text);
    let whole = beginning.len() == text.len();
    let beginning = String::from_utf8_lossy(beginning);
    let mut characters = beginning.chars();
    let mut short = String::new();
    for character in characters.by_ref().take(EXCERPT_CHARACTERS) {
        match character {
            '\'' | '"' | '\\' => short.push(character),
            _ => short.extend(character.escape_debug()),
        }
    }
    let whole = whole && characters.next().is_none();
    if !whole {
        short.push('…');
    }
    short
}

/// The error with its repeated text cut to what a message can bear.
pub(crate) fn shortened(error: IdError) -> ValueError {
    let short = |text: String| excerpt(text.as_bytes());
    ValueError::Id(match error {
        IdError::Service(text) => IdError::Service(short(text)),
        IdError::GuestNumber(text, guest) => IdError::GuestNumber(short(text), guest),
        IdError::RegisteredType { sid, reason } => IdError::RegisteredType { sid: short(sid), reason },
        IdError::UnknownServiceType(text) => IdError::UnknownServiceType(short(text)),
        IdError::Node(text) => IdError::Node(short(text)),
        IdError::Uid => IdError::Uid,
        IdError::Config(text) => IdError::Config(short(text)),
        IdError::FailureDomain(text) => IdError::FailureDomain(short(text)),
        error @ IdError::TooLong { .. } => error,
    })
}

/// Reads a word of an enum.
pub(crate) fn word<T: core::str::FromStr<Err = UnknownWord>>(text: &str) -> Result<T, ValueError> {
    text.parse()
        .map_err(|error: UnknownWord| ValueError::Word(UnknownWord { found: excerpt(error.found.as_bytes()), ..error }))
}

/// Reads a name: a node's, a rule's, a group's.
pub(crate) fn id<T: core::str::FromStr<Err = IdError>>(text: &str) -> Result<T, ValueError> {
    text.parse().map_err(shortened)
}

/// Checks that a service can be named wherever services are named: in the lists of rules, in commands, by people.
///
/// # Errors
///
/// If its name holds a separator of lists, or an invisible character.
pub fn check_usable(sid: &ServiceId) -> Result<(), ValueError> {
    let unusable = |character: char| matches!(character, ',' | ';') || is_invisible(character);
    if sid.as_str().contains(unusable) { Err(ValueError::Unusable(excerpt(sid.as_str().as_bytes()))) } else { Ok(()) }
}

/// Reads a boolean. An empty text is true: the property is there without a value.
pub(crate) fn boolean(text: &str) -> Result<bool, ValueError> {
    let is = |words: [&str; 4]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if text.is_empty() || is(["1", "on", "yes", "true"]) {
        Ok(true)
    } else if is(["0", "off", "no", "false"]) {
        Ok(false)
    } else {
        Err(ValueError::Boolean(excerpt(text.as_bytes())))
    }
}

/// Reads a whole number of at least `minimum`: digits only, no sign.
pub(crate) fn integer(text: &str, minimum: u32) -> Result<u32, ValueError> {
    integer_within(text, minimum, u32::MAX)
}

/// Reads a whole number from `minimum` to `maximum`: digits only, no sign.
pub(crate) fn integer_within(text: &str, minimum: u32, maximum: u32) -> Result<u32, ValueError> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_within = |number: &u32| (minimum..=maximum).contains(number);
    let number = if digits { text.parse().ok().filter(is_within) } else { None };
    let error = || ValueError::Integer { found: excerpt(text.as_bytes()), minimum, maximum };
    number.ok_or_else(error)
}

/// Reads a percentage as a fraction.
pub(crate) fn percentage(text: &str) -> Result<f64, ValueError> {
    let form = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number = if form { text.parse::<f64>().ok() } else { None };
    let number = number.filter(|number| *number <= 100.0);
    number.map(|number| number / 100.0).ok_or_else(|| ValueError::Percentage(excerpt(text.as_bytes())))
}

/// Reads a fraction: of 1, and not negative.
pub(crate) fn fraction(text: &str) -> Result<f64, ValueError> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0);
    number.ok_or_else(|| ValueError::Fraction(excerpt(text.as_bytes())))
}

/// A text that fulfils a condition.
pub(crate) fn text_that(
    text: &str,
    is_good: impl FnOnce(&str) -> bool,
    expected: &'static str,
) -> Result<String, ValueError> {
    let has_control = text.chars().any(char::is_control);
    if !has_control && is_good(text) {
        return Ok(text.into());
    }
    Err(ValueError::Form { found: excerpt(text.as_bytes()), expected })
}

/// The items of a list: separated by `,`, `;` or blanks.
pub(crate) fn items(text: &str) -> impl Iterator<Item = &str> {
    let separator = |byte: &u8| matches!(byte, b',' | b';' | b'\n') || is_blank(*byte);
    let mut rest = text;
    // Separators are ASCII, so that every split is at a character's boundary.
    core::iter::from_fn(move || {
        let start = rest.bytes().position(|byte| !separator(&byte))?;
        let text = rest.get(start..)?;
        let end = text.as_bytes().iter().position(separator).unwrap_or(text.len());
        let (item, after) = text.split_at_checked(end)?;
        rest = after;
        Some(item)
    })
}

/// Reads a node list: `node` or `node:priority`, at least one.
pub(crate) fn nodes(text: &str) -> Result<NodePriorities, ValueError> {
    let mut nodes = NodePriorities::new();
    for item in items(text) {
        let (name, priority) = match item.split_once(':') {
            Some((name, priority)) => (name, node_priority(priority)?),
            None => (item, 0),
        };
        let name: NodeName = id(name)?;
        if nodes.get(&name).is_some_and(|known| *known != priority) {
            return Err(ValueError::NodeTwice(name));
        }
        nodes.insert(name, priority);
    }
    if nodes.is_empty() { Err(ValueError::EmptyList) } else { Ok(nodes) }
}

fn node_priority(text: &str) -> Result<i32, ValueError> {
    let maximum = i32::MAX.unsigned_abs();
    let error = || ValueError::Integer { found: excerpt(text.as_bytes()), minimum: 0, maximum };
    integer(text, 0).ok().and_then(|priority| i32::try_from(priority).ok()).ok_or_else(error)
}

/// Tells the service type of a guest by its bare number, if the host knows such a guest: `100` is a `vm`, say.
pub type GuestTypes<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What a service id takes in a list, with its separator. A list of shorter ones grows again.
const TYPICAL_SID_BYTES: usize = 8;

/// Reads the values that depend on where they come from.
#[derive(Clone, Copy)]
pub(crate) struct ValueReader<'a> {
    /// The service types that are known.
    pub(crate) types: &'a ServiceTypes,
    /// Where the values come from.
    pub(crate) source: Source<'a>,
}

/// Where values come from.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a> {
    /// A file.
    File,
    /// A person, who may type bare guest numbers, and whose comments are not encoded.
    Person(GuestTypes<'a>),
}

impl<'a> ValueReader<'a> {
    /// For values in files.
    pub(crate) const fn of_file(types: &'a ServiceTypes) -> Self {
        Self { types, source: Source::File }
    }

    /// Reads one service id.
    pub(crate) fn sid(&self, text: &str) -> Result<ServiceId, ValueError> {
        match self.source {
            Source::Person(guest_types) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
                let service_type =
                    guest_types(text).ok_or_else(|| ValueError::UnknownGuest(excerpt(text.as_bytes())))?;
                self.types.parse(&smol_str::format_smolstr!("{service_type}:{text}")).map_err(shortened)
            }
            Source::Person(_) | Source::File => self.types.parse(text).map_err(shortened),
        }
    }

    /// Reads a list of service ids, at least one: sorted, each once.
    pub(crate) fn sids(&self, text: &str) -> Result<Vec<ServiceId>, ValueError> {
        let mut sids = Vec::with_capacity((text.len() / TYPICAL_SID_BYTES).saturating_add(1));
        for item in items(text) {
            let sid = self.sid(item)?;
            if matches!(self.source, Source::Person(_)) {
                sid.check_length()?;
            }
            sids.push(sid);
        }
        if !sids.is_sorted_by(|a, b| a < b) {
            sids.sort_unstable();
            sids.dedup();
        }
        if sids.is_empty() { Err(ValueError::EmptyList) } else { Ok(sids) }
    }

    /// Reads a comment that is stored percent-encoded. An empty text is no comment.
    pub(crate) fn encoded_comment(&self, text: &str) -> Result<Option<String>, ValueError> {
        match self.source {
            Source::File => comment(decode(text)?),
            Source::Person(_) => comment(text.into()),
        }
    }
}

/// Reads a comment that is stored as it is. An empty text is no comment.
pub(crate) fn plain_comment(text: &str) -> Result<Option<String>, ValueError> {
    if memchr::memchr2(b'\n', b'\r', text.as_bytes()).is_some() {
        return Err(ValueError::CommentLines);
    }
    comment(text.trim_matches(is_blank_character).into())
}

/// Whether a character is a blank as [`is_blank`] knows them.
fn is_blank_character(character: char) -> bool {
    u8::try_from(character).is_ok_and(is_blank)
}

/// Checks a comment that is not encoded (any more). An empty text is no comment.
fn comment(text: String) -> Result<Option<String>, ValueError> {
    if text.is_empty() {
        return Ok(None);
    }
    // A text has at most as many characters as bytes.
    if text.len() > COMMENT_CHARACTERS {
        let characters = text.chars().count();
        if characters > COMMENT_CHARACTERS {
            return Err(ValueError::CommentTooLong(characters));
        }
    }
    Ok(Some(text))
}

/// Decodes a percent-encoded text. A `%` that no two hexadecimal digits follow stands for itself.
fn decode(text: &str) -> Result<String, ValueError> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        match (first, after) {
            (b'%', [high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                decoded.push(hex_value(*high) << 4 | hex_value(*low));
                rest = after;
            }
            _ => {
                decoded.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(decoded).map_err(|_| ValueError::NotUtf8)
}

/// The value of a hexadecimal digit.
fn hex_value(digit: u8) -> u8 {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok()).unwrap_or_default()
}

/// The value of a property, as it is written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value<'a> {
    /// A boolean that is written without a value if it is true, and not at all if it is false.
    Flag(bool),
    /// A boolean.
    Boolean(bool),
    /// A number.
    Integer(u32),
    /// A word or a name.
    Word(&'a str),
    /// A comment that is stored as it is.
    PlainComment(&'a str),
    /// A comment that is stored percent-encoded.
    EncodedComment(&'a str),
    /// Nodes with their priorities.
    Nodes(&'a NodePriorities),
    /// Service ids.
    Sids(&'a [ServiceId]),
}

/// As an edit takes it: comments are not encoded.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(value) | Self::Boolean(value) => f.write_str(if *value { "1" } else { "0" }),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Word(text) | Self::PlainComment(text) | Self::EncodedComment(text) => f.write_str(text),
            Self::Nodes(nodes) => nodes.iter().enumerate().try_for_each(|(index, (node, priority))| {
                let comma = if index == 0 { "" } else { "," };
                match priority {
                    0 => write!(f, "{comma}{node}"),
                    priority => write!(f, "{comma}{node}:{priority}"),
                }
            }),
            Self::Sids(sids) => sids.iter().enumerate().try_for_each(|(index, sid)| {
                f.write_str(if index == 0 { "" } else { "," })?;
                f.write_str(sid.as_str())
            }),
        }
    }
}

impl Value<'_> {
    /// Writes the property's line `\t<key> <value>`, if there is anything to write; says whether there was.
    pub(crate) fn write_line(&self, key: &str, out: &mut Vec<u8>) -> bool {
        let comment = match self {
            Self::Flag(false) => return false,
            Self::Flag(true) => {
                out.push(b'\t');
                out.extend(key.bytes());
                out.push(b'\n');
                return true;
            }
            // A comment that no reader made may hold anything. It must not become another line.
            Self::PlainComment(text) => text.replace(['\n', '\r'], " "),
            Self::EncodedComment(text) => encode(text),
            Self::Boolean(_) | Self::Integer(_) | Self::Word(_) | Self::Nodes(_) | Self::Sids(_) => {
                write_text(out, format_args!("\t{key} {self}\n"));
                return true;
            }
        };
        let comment = comment.trim_matches(is_blank_character);
        if comment.is_empty() {
            return false;
        }
        write_text(out, format_args!("\t{key} {comment}\n"));
        true
    }
}

/// Percent-encodes control characters, bytes beyond ASCII, `:`, `%`, and spaces at the ends (which reading would trim).
fn encode(text: &str) -> String {
    let last = text.len().saturating_sub(1);
    let mut encoded = String::with_capacity(text.len());
    for (index, byte) in text.bytes().enumerate() {
        let outer_space = byte == b' ' && (index == 0 || index == last);
        if byte.is_ascii_control() || !byte.is_ascii() || matches!(byte, b':' | b'%') || outer_space {
            encoded.push('%');
            encoded.push(hex_digit(byte >> 4));
            encoded.push(hex_digit(byte & 0x0f));
        } else {
            encoded.push(char::from(byte));
        }
    }
    encoded
}

/// The hexadecimal digit for a value below 16.
fn hex_digit(value: u8) -> char {
    char::from_digit(u32::from(value), 16).unwrap_or('0').to_ascii_uppercase()
}

/// Appends formatted text to bytes.
pub(crate) fn write_text(out: &mut Vec<u8>, text: fmt::Arguments<'_>) {
    struct Bytes<'a>(&'a mut Vec<u8>);
    impl fmt::Write for Bytes<'_> {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0.extend_from_slice(text.as_bytes());
            Ok(())
        }
    }
    // Writing to memory does not fail, and none of our own `Display`s does.
    let _ = fmt::Write::write_fmt(&mut Bytes(out), text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_short_and_shows_what_cannot_be_seen() {
        assert_eq!(excerpt(b"it's \"so\"\t"), "it's \"so\"\\t");
        assert_eq!(excerpt("\u{feff}vm".as_bytes()), "\\u{feff}vm");
        assert_eq!(excerpt(&[b'x'; 80]).chars().count(), 80);
        for long in [&[b'x'; 81][..], &[b'x'; 100_000], &[0xff; 100_000]] {
            let excerpt = excerpt(long);
            assert!(excerpt.ends_with('…') && excerpt.chars().count() == 81, "{excerpt}");
        }
    }

    #[test]
    fn a_hostile_name_makes_no_long_message() {
        let long = "x".repeat(1_000_000);
        let types = ServiceTypes::default();
        let values = ValueReader::of_file(&types);
        let errors = [
            values.sid(&long).map(drop),
            values.sid(&alloc::format!("vm:{long}")).map(drop),
            id::<NodeName>(&alloc::format!("-{long}")).map(drop),
            word::<crate::config::RequestedState>(&long).map(drop),
            boolean(&long).map(drop),
            integer(&long, 0).map(drop),
            percentage(&long).map(drop),
        ];
        for error in errors {
            let text = alloc::string::ToString::to_string(&error.unwrap_err());
            assert!(text.len() < 300, "{text}");
        }
    }

    #[test]
    fn percentages_are_read_as_exact_fractions() {
        assert_eq!(percentage("30"), Ok(0.3));
        assert_eq!(percentage("0"), Ok(0.0));
        assert_eq!(percentage("100"), Ok(1.0));
        for bad in ["", "-1", "101", "1e1", "nan", ".", "1.2.3", "30%"] {
            assert!(percentage(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_comment_that_nobody_read_stays_in_its_line() {
        let mut out = Vec::new();
        Value::PlainComment(" a\n\nvm: 100\r\n").write_line("comment", &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), "\tcomment a  vm: 100\n");
    }
}
