//! What is wrong in a configuration file. A problem never loses the rest of the file.

use alloc::{string::String, vec::Vec};
use core::fmt;

use super::value::ValueError;

/// What was read from a file, and what could not be.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "the problems should be shown to somebody"]
pub struct Parsed<T> {
    /// What was read.
    pub config: T,
    /// What could not be read, in the order of the lines.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong in a configuration file.
///
/// Displays as a sentence that says where, what, what is expected and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}{}: {kind}", Place { section: section.as_deref(), property: property.as_deref() })]
pub struct Problem {
    /// The line, from 1. For a property that is missing, the line of its section's header.
    pub line: usize,
    /// The section as its header says it, `vm: 100`, if there is one. In `datacenter.cfg` the key of the line.
    pub section: Option<String>,
    /// The property, if it is about one.
    pub property: Option<String>,
    /// What is wrong.
    pub kind: ProblemKind,
}

/// Shows where in a line a problem is.
struct Place<'a> {
    section: Option<&'a str>,
    property: Option<&'a str>,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(section) = self.section {
            write!(f, ", in '{section}'")?;
        }
        match self.property {
            Some(property) => write!(f, ", property '{property}'"),
            None => Ok(()),
        }
    }
}

/// What is wrong in a line or a section.
///
/// Whatever a problem leaves out stays in the file when it is written again; only a mark in front of the text does not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProblemKind {
    /// Something invisible in front of the text: a byte-order mark, a NUL, an unusual blank. It is the one kind that
    /// leaves nothing out.
    #[error("the file begins with the character U+{0:04X}, which is no text: it is read over, and not written again")]
    MarkAtStart(u32),
    /// A line that is no header, no property and no comment.
    #[error(
        "'{0}' cannot be read: expected a header 'type: id', a property indented by a blank, or a comment; \
         the line is skipped: correct or remove it"
    )]
    UnreadableLine(String),
    /// A line that holds only blanks, which does not end a section.
    #[error(
        "the line holds only blanks, which does not end a section: remove the blanks to end it, or the line to go on"
    )]
    BlanksOnly,
    /// A header without an empty line before it. What follows still belongs to the earlier section.
    #[error(
        "the header '{0}' is inside another section, to which what follows still belongs: put an empty line before it"
    )]
    HeaderInsideSection(String),
    /// A property line while no section is open.
    #[error(
        "the property is outside of any section and is skipped: put it below its section's header, without an empty line between"
    )]
    PropertyOutsideSection,
    /// A header or a key that is not UTF-8.
    #[error("'{0}' is not UTF-8 and is skipped: save the file as UTF-8")]
    NotUtf8(String),
    /// A section of a type that this file does not have.
    #[error("'{found}' is not a type of section here, the whole section is skipped: expected {expected}")]
    UnknownSectionType {
        /// The type that is there.
        found: String,
        /// The types that there are.
        expected: String,
    },
    /// A section with an id that is not valid.
    #[error("{0}; the whole section is skipped")]
    BadSectionId(ValueError),
    /// A section with the id of an earlier one.
    #[error("a section with this id is above already, and that one holds: remove one of the two")]
    DuplicateSection,
    /// A section without a property that it must have.
    #[error("the property is missing, without which the section does not count: add it")]
    MissingProperty,
    /// A property that the section's type does not have.
    #[error("there is no such property here and it is skipped: expected {expected}")]
    UnknownProperty {
        /// The properties that there are.
        expected: String,
    },
    /// A value that the property does not take.
    #[error("{0}; the property is skipped")]
    BadValue(ValueError),
    /// A property that is in the section already.
    #[error("the property is set above already, and that value holds: remove one of the two")]
    DuplicateProperty,
}

impl Problem {
    /// That a file begins with a character that is no text.
    pub(crate) const fn mark_at_start(mark: u32) -> Self {
        Self { line: 1, section: None, property: None, kind: ProblemKind::MarkAtStart(mark) }
    }
}

impl ProblemKind {
    /// The codes of all kinds.
    pub const CODES: &'static [&'static str] = &[
        "mark_at_start",
        "unreadable_line",
        "blanks_only",
        "header_inside_section",
        "property_outside_section",
        "not_utf8",
        "unknown_section_type",
        "bad_section_id",
        "duplicate_section",
        "missing_property",
        "unknown_property",
        "bad_value",
        "duplicate_property",
    ];

    /// Whether everything in the file counts all the same: a remark rather than a fault.
    #[must_use]
    pub const fn is_remark(&self) -> bool {
        matches!(self, Self::MarkAtStart(_))
    }

    /// A stable name for this kind of problem, for other languages.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::MarkAtStart(_) => "mark_at_start",
            Self::UnreadableLine(_) => "unreadable_line",
            Self::BlanksOnly => "blanks_only",
            Self::HeaderInsideSection(_) => "header_inside_section",
            Self::PropertyOutsideSection => "property_outside_section",
            Self::NotUtf8(_) => "not_utf8",
            Self::UnknownSectionType { .. } => "unknown_section_type",
            Self::BadSectionId(_) => "bad_section_id",
            Self::DuplicateSection => "duplicate_section",
            Self::MissingProperty => "missing_property",
            Self::UnknownProperty { .. } => "unknown_property",
            Self::BadValue(_) => "bad_value",
            Self::DuplicateProperty => "duplicate_property",
        }
    }
}
