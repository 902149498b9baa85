//! Reading and writing a file of sections, whatever their type.

use alloc::{borrow::Cow, format, string::String, vec::Vec};
use core::hash::Hash;

use indexmap::map::Entry;
use rustc_hash::FxBuildHasher;

use super::{
    Digest, OrderedMap,
    kept::{BlockKind, Kept, KeptKind, KeptLine, write_commented},
    problem::{Problem, ProblemKind},
    section::{Form, Line, Lines, without_mark},
    value::{Value, ValueError, ValueReader, excerpt, write_text},
};

/// A type of section file: what its sections hold, and how a section becomes a value and text again.
pub(crate) trait Section: Sized {
    /// What names a section.
    type Id: Clone + Eq + Hash + Ord;
    /// Names the properties of all section types in the file.
    type Property: Copy + Eq + 'static;
    /// A section while it is read or edited: required properties may still be missing.
    type Draft;

    /// Begins a section with this header; the type is in lower case.
    fn open(section_type: &str, id: &str, values: &ValueReader<'_>) -> Result<Self::Draft, ProblemKind>;
    /// What names the section.
    fn id(draft: &Self::Draft) -> &Self::Id;
    /// The properties that a section of this type has, in the order in which they are written.
    fn properties_of(draft: &Self::Draft) -> &'static [Self::Property];
    /// Whether which properties a section may have depends on one of them.
    const FORESEES: bool = false;
    /// Takes note of that one, before a section's properties are read or changed.
    fn foresee(_: &mut Self::Draft, _key: &str, _value: &str) {}
    /// The key of a property.
    fn key(property: Self::Property) -> &'static str;
    /// Sets a property, if its section type has it.
    fn assign(
        draft: &mut Self::Draft,
        property: Self::Property,
        text: &str,
        values: &ValueReader<'_>,
    ) -> Result<(), ValueError>;
    /// Unsets a property.
    fn clear(draft: &mut Self::Draft, property: Self::Property);
    /// The section, or the required properties that are missing.
    fn finish(draft: Self::Draft) -> Result<Self, Vec<Self::Property>>;
    /// A draft to edit the section.
    fn draft(&self) -> Self::Draft;
    /// The type and the id of the header.
    fn header(&self) -> (&str, &str);
    /// The properties that the section has, in the order in which they are written.
    fn properties(&self) -> &'static [Self::Property];
    /// The value of a property, if it is set.
    fn value(&self, property: Self::Property) -> Option<Value<'_>>;
}

/// Everything that is in a section file.
pub(crate) struct SectionFile<S: Section> {
    pub(crate) sections: OrderedMap<S::Id, S>,
    pub(crate) kept: Kept<S::Id>,
    pub(crate) digest: Digest,
    pub(crate) problems: Vec<Problem>,
}

/// What a section takes in a file. A file of smaller ones makes its map grow again.
const TYPICAL_SECTION_BYTES: usize = 64;

/// Reads a section file.
pub(crate) fn read<S: Section>(text: &[u8], values: ValueReader<'_>) -> SectionFile<S> {
    let sections = OrderedMap::with_capacity_and_hasher(text.len() / TYPICAL_SECTION_BYTES, FxBuildHasher);
    let digest = Digest::of(text);
    let (text, mark) = without_mark(text);
    let problems = mark.map(Problem::mark_at_start).into_iter().collect();
    let file = SectionFile { sections, kept: Kept::default(), digest, problems };
    let mut reader = Reader { text, lines: Lines::new(text), values, file };
    reader.read();
    let mut file = reader.file;
    // A section's missing properties are found after the problems in its lines but are reported at its header.
    file.problems.sort_by_key(|problem| problem.line);
    file
}

struct Reader<'a, S: Section> {
    text: &'a [u8],
    lines: Lines<'a>,
    values: ValueReader<'a>,
    file: SectionFile<S>,
}

/// A section that is being read.
struct Open<'a, S: Section> {
    header: Line<'a>,
    section_type: &'a [u8],
    id: &'a [u8],
    draft: S::Draft,
    /// The properties that have a value, as bits by their place in the table.
    seen: u32,
    kept: Vec<KeptLine>,
    /// How many comments at the end of `kept` wait for the next line, to be in front of it.
    waiting: usize,
}

impl<'a, S: Section> Reader<'a, S> {
    /// Reads what is between sections.
    fn read(&mut self) {
        let mut loose_from = None;
        while let Some(line) = self.lines.next() {
            let kind = match line.form() {
                Form::Header { section_type, id } => {
                    self.end_loose(&mut loose_from, line.start);
                    self.section(line, section_type, id);
                    continue;
                }
                Form::Empty => continue,
                Form::Comment => None,
                Form::Blanks => Some((None, ProblemKind::BlanksOnly)),
                Form::Property { key, .. } => Some((Some(excerpt(key)), ProblemKind::PropertyOutsideSection)),
                Form::Unreadable => Some((None, ProblemKind::UnreadableLine(excerpt(line.content)))),
            };
            loose_from.get_or_insert(line.start);
            if let Some((property, kind)) = kind {
                self.file.problems.push(Problem { line: line.number, section: None, property, kind });
            }
        }
        self.end_loose(&mut loose_from, self.text.len());
    }

    fn end_loose(&mut self, from: &mut Option<usize>, end: usize) {
        if let Some(from) = from.take() {
            self.keep_block(from, end, BlockKind::Loose);
        }
    }

    fn keep_block(&mut self, from: usize, end: usize, kind: BlockKind<S::Id>) {
        let text = self.text.get(from..end).unwrap_or_default();
        self.file.kept.push_block(self.file.sections.len(), text, kind);
    }

    /// Reads a section from its header up to the empty line that ends it.
    fn section(&mut self, header: Line<'a>, section_type: &'a [u8], id: &'a [u8]) {
        let draft = match self.open(section_type, id) {
            Ok(draft) => self.foresee(draft),
            Err(kind) => {
                self.problem(&header, header, None, kind);
                return self.skip_section(header);
            }
        };
        let problems_before = self.file.problems.len();
        let mut open = Open { header, section_type, id, draft, seen: 0, kept: Vec::new(), waiting: 0 };
        let mut end = self.text.len();
        while let Some(line) = self.lines.next() {
            let form = line.form();
            if form == Form::Empty {
                end = line.start;
                break;
            }
            self.line(&mut open, line, form);
        }
        self.close(open, end, problems_before);
    }

    fn open(&self, section_type: &[u8], id: &[u8]) -> Result<S::Draft, ProblemKind> {
        let section_type = utf8(section_type)?;
        let section_type = if section_type.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(section_type.to_ascii_lowercase())
        } else {
            Cow::Borrowed(section_type)
        };
        S::open(&section_type, utf8(id)?, &self.values)
    }

    /// Looks through the lines of a section that begins.
    fn foresee(&self, mut draft: S::Draft) -> S::Draft {
        if !S::FORESEES {
            return draft;
        }
        for form in self.lines.clone().map(|line| line.form()).take_while(|form| *form != Form::Empty) {
            if let Form::Property { key, value } = form
                && let (Ok(key), Ok(value)) = (core::str::from_utf8(key), core::str::from_utf8(value))
            {
                S::foresee(&mut draft, key, value);
            }
        }
        draft
    }

    /// Passes over a section of which nothing counts.
    fn skip_section(&mut self, header: Line<'a>) {
        let end = self.lines.find(|line| line.content.is_empty()).map_or(self.text.len(), |line| line.start);
        self.keep_block(header.start, end, BlockKind::Skipped);
    }

    /// Reads one line inside a section.
    fn line(&mut self, open: &mut Open<'a, S>, line: Line<'a>, form: Form<'a>) {
        let (property, kind, kept) = match form {
            Form::Property { key, value } => match self.property(open, key, value) {
                Ok(property) => return open.accept(property),
                Err((kind, kept)) => (Some(key), kind, kept),
            },
            Form::Comment | Form::Empty => {
                open.waiting = open.waiting.saturating_add(1);
                open.kept.push(KeptLine { content: line.content.into(), kind: KeptKind::Comment { before: None } });
                return;
            }
            Form::Blanks => (None, ProblemKind::BlanksOnly, KeptKind::Foreign),
            Form::Header { .. } => (None, ProblemKind::HeaderInsideSection(excerpt(line.content)), KeptKind::Foreign),
            Form::Unreadable => (None, ProblemKind::UnreadableLine(excerpt(line.content)), KeptKind::Foreign),
        };
        self.problem(&open.header, line, property, kind);
        open.waiting = 0;
        open.kept.push(KeptLine { content: line.content.into(), kind: kept });
    }

    /// Reads one property: its place in the table, or why it is skipped.
    fn property(&self, open: &mut Open<'a, S>, key: &[u8], value: &[u8]) -> Result<usize, (ProblemKind, KeptKind)> {
        let properties = S::properties_of(&open.draft);
        let Some((place, property)) = find_property::<S>(properties, key) else {
            let kind = match core::str::from_utf8(key) {
                Ok(_) => ProblemKind::UnknownProperty { expected: property_list::<S>(properties) },
                Err(_) => ProblemKind::NotUtf8(excerpt(key)),
            };
            return Err((kind, KeptKind::Foreign));
        };
        let bad = |error| (ProblemKind::BadValue(error), KeptKind::BadValue { property: place });
        let value = core::str::from_utf8(value).map_err(|_| bad(ValueError::NotUtf8))?;
        if open.seen & bit(place) == 0 {
            S::assign(&mut open.draft, property, value, &self.values).map_err(bad)?;
            return Ok(place);
        }
        // Its value is checked all the same, in a draft that is thrown away, so that a bad one is reported wherever it is.
        let mut scratch = self.open(open.section_type, open.id).map_err(|kind| (kind, KeptKind::Foreign))?;
        S::assign(&mut scratch, property, value, &self.values).map_err(bad)?;
        Err((ProblemKind::DuplicateProperty, KeptKind::Duplicate { property: place }))
    }

    /// Takes the section into the configuration, or keeps it out.
    fn close(&mut self, open: Open<'a, S>, end: usize, problems_before: usize) {
        let Open { header, draft, kept, .. } = open;
        let slot = match self.file.sections.entry(S::id(&draft).clone()) {
            Entry::Vacant(slot) => slot,
            Entry::Occupied(slot) => {
                let id = slot.key().clone();
                // It is skipped whole, so what is wrong inside is of no interest. Seen only now, since looking the id
                // up once is a good deal quicker than twice.
                self.file.problems.truncate(problems_before);
                self.problem(&header, header, None, ProblemKind::DuplicateSection);
                return self.keep_block(header.start, end, BlockKind::Duplicate(id));
            }
        };
        let missing = match S::finish(draft) {
            Ok(section) => {
                if !kept.is_empty() {
                    self.file.kept.insert_lines(slot.key().clone(), kept);
                }
                slot.insert(section);
                return;
            }
            Err(missing) => missing,
        };
        let id = slot.into_key();
        for property in missing {
            let key = S::key(property).as_bytes();
            self.problem(&header, header, Some(key), ProblemKind::MissingProperty);
        }
        self.keep_block(header.start, end, BlockKind::Incomplete(id));
    }

    fn problem(&mut self, header: &Line<'a>, line: Line<'a>, property: Option<&[u8]>, kind: ProblemKind) {
        self.file.problems.push(Problem {
            line: line.number,
            section: Some(section_name(header)),
            property: property.map(excerpt),
            kind,
        });
    }
}

impl<S: Section> Open<'_, S> {
    /// Notes that a property has its value, and that the comments above it are in front of it.
    fn accept(&mut self, property: usize) {
        self.seen |= bit(property);
        for comment in self.kept.iter_mut().rev().take(self.waiting) {
            comment.kind = KeptKind::Comment { before: Some(property) };
        }
        self.waiting = 0;
    }
}

/// The bit of a property by its place in the table, which is far shorter than 32.
fn bit(property: usize) -> u32 {
    u32::try_from(property).ok().and_then(|place| 1_u32.checked_shl(place)).unwrap_or(0)
}

fn utf8(text: &[u8]) -> Result<&str, ProblemKind> {
    core::str::from_utf8(text).map_err(|_| ProblemKind::NotUtf8(excerpt(text)))
}

/// A header as it is shown: `vm: 100`.
fn section_name(header: &Line<'_>) -> String {
    match header.form() {
        Form::Header { section_type, id } => format!("{}: {}", excerpt(section_type), excerpt(id)),
        Form::Empty | Form::Blanks | Form::Comment | Form::Property { .. } | Form::Unreadable => {
            excerpt(header.content)
        }
    }
}

/// The property with this key in a table, and its place there.
pub(crate) fn find_property<S: Section>(table: &[S::Property], key: &[u8]) -> Option<(usize, S::Property)> {
    table.iter().copied().enumerate().find(|(_, property)| S::key(*property).as_bytes() == key)
}

/// The keys of a table, for a message.
pub(crate) fn property_list<S: Section>(table: &[S::Property]) -> String {
    let keys: Vec<&str> = table.iter().map(|property| S::key(*property)).collect();
    format!("{}", crate::text_enum::Words(&keys))
}

/// Writes a section file.
pub(crate) fn write<S: Section>(sections: &OrderedMap<S::Id, S>, kept: &Kept<S::Id>) -> Vec<u8> {
    let mut out = Vec::with_capacity(sections.len().saturating_mul(96));
    let mut blocks = kept.blocks().iter().peekable();
    for (index, (id, section)) in sections.iter().enumerate() {
        while let Some(block) = blocks.next_if(|block| block.sections_before <= index) {
            write_block(&block.text, holds_above(&block.kind, sections, index), &block.kind, &mut out);
        }
        write_section(section, kept.lines(id), &mut out);
    }
    for block in blocks {
        write_block(&block.text, holds_above(&block.kind, sections, sections.len()), &block.kind, &mut out);
    }
    // What was kept from a later line must not be taken for a mark in front of the file.
    if without_mark(&out).1.is_some() {
        out.insert(0, b'\n');
    }
    out
}

/// Whether the section that a duplicate repeats is among the first `written` ones.
fn holds_above<S: Section>(kind: &BlockKind<S::Id>, sections: &OrderedMap<S::Id, S>, written: usize) -> bool {
    match kind {
        BlockKind::Duplicate(id) => sections.get_index_of(id).is_some_and(|index| index < written),
        BlockKind::Loose | BlockKind::Skipped | BlockKind::Incomplete(_) => true,
    }
}

fn write_block<Id>(text: &[u8], without_effect: bool, kind: &BlockKind<Id>, out: &mut Vec<u8>) {
    if without_effect {
        out.extend_from_slice(text);
    } else {
        write_commented(text, out);
    }
    match kind {
        BlockKind::Loose => {}
        BlockKind::Skipped | BlockKind::Incomplete(_) | BlockKind::Duplicate(_) => out.push(b'\n'),
    }
}

fn write_section<S: Section>(section: &S, kept: &[KeptLine], out: &mut Vec<u8>) {
    let (section_type, id) = section.header();
    for part in [section_type, ": ", id, "\n"] {
        out.extend_from_slice(part.as_bytes());
    }
    let mut written = 0_u32;
    for (place, property) in section.properties().iter().enumerate() {
        let Some(value) = section.value(*property) else { continue };
        let before = out.len();
        for line in kept.iter().filter(|line| line.kind == KeptKind::Comment { before: Some(place) }) {
            write_kept(&line.content, out);
        }
        if value.write_line(S::key(*property), out) {
            written |= bit(place);
        } else {
            out.truncate(before);
        }
    }
    for line in kept {
        match line.kind {
            KeptKind::Comment { before: Some(place) } if written & bit(place) != 0 => {}
            KeptKind::Duplicate { property } if written & bit(property) == 0 => {
                write_text(out, format_args!("# "));
                write_kept(&line.content, out);
            }
            KeptKind::Comment { .. } | KeptKind::Foreign | KeptKind::BadValue { .. } | KeptKind::Duplicate { .. } => {
                write_kept(&line.content, out);
            }
        }
    }
    out.push(b'\n');
}

fn write_kept(content: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(content);
    out.push(b'\n');
}
