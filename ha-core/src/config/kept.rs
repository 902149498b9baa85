//! What a section file holds that is not ours to interpret, and how it survives a rewrite.
//!
//! Between sections, comments and lines that cannot be read stay where they are, line for line, and so do sections
//! that were skipped or kept out. All of them are outside of the sections that hold, with an empty line after each
//! section, so they mean after a rewrite what they meant before: nothing.
//!
//! Inside a section that holds, whose properties are written in a fixed order:
//!
//! * a comment stays in front of the property that it was in front of; or after all properties, if none follows;
//! * unknown properties, properties with a bad value, properties that occur twice, and lines that cannot be read follow
//!   after the properties that hold, in their order. Being read later, a second value of a property stays without
//!   effect.
//!
//! Something that occurs twice is without effect only as long as the first one is above it. Where the first one was
//! taken away by an edit, the second is written as a comment, so that no value comes to life that nobody asked for.

use alloc::{boxed::Box, collections::BTreeMap, vec::Vec};

use super::section::{Line, Lines};

/// What a section file holds besides its sections: comments, skipped lines and skipped sections.
///
/// Opaque: it is there so that writing loses nothing. The default is a file without any of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept<Id>(Option<Box<Material<Id>>>);

// By hand, since a derive would ask for `Id: Default`.
impl<Id> Default for Kept<Id> {
    fn default() -> Self {
        Self(None)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Material<Id> {
    /// In their order in the file.
    blocks: Vec<Block<Id>>,
    /// In the order in which they are in their section.
    lines: BTreeMap<Id, Vec<KeptLine>>,
}

/// Whole lines outside of the sections that hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block<Id> {
    /// How many of the sections that hold come before it.
    pub(crate) sections_before: usize,
    /// Its lines, each with a line feed.
    pub(crate) text: Vec<u8>,
    /// What it is.
    pub(crate) kind: BlockKind<Id>,
}

/// What a block of lines is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BlockKind<Id> {
    /// Lines between sections.
    Loose,
    /// A section that is skipped for its type or id.
    Skipped,
    /// A section that is kept out because it lacks a property.
    Incomplete(Id),
    /// A section with the id of one above it.
    Duplicate(Id),
}

/// A line inside a section that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeptLine {
    /// The line, without its end.
    pub(crate) content: Vec<u8>,
    /// What it is.
    pub(crate) kind: KeptKind,
}

/// What a kept line is. Properties are given by their place in the table of the section's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeptKind {
    /// A comment in front of this property, or of none.
    Comment { before: Option<usize> },
    /// A line that cannot be read, or a property that is unknown.
    Foreign,
    /// A property with a bad value.
    BadValue { property: usize },
    /// A property that occurred before.
    Duplicate { property: usize },
}

impl<Id: Clone + Ord> Kept<Id> {
    /// Whether there is nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    fn material(&mut self) -> &mut Material<Id> {
        self.0.get_or_insert_with(|| Box::new(Material { blocks: Vec::new(), lines: BTreeMap::new() }))
    }

    /// The blocks in their order.
    pub(crate) fn blocks(&self) -> &[Block<Id>] {
        self.0.as_ref().map_or(&[], |material| &material.blocks)
    }

    /// The lines kept in a section.
    pub(crate) fn lines(&self, id: &Id) -> &[KeptLine] {
        self.0.as_ref().and_then(|material| material.lines.get(id)).map_or(&[], Vec::as_slice)
    }

    /// Adds a block after all others.
    pub(crate) fn push_block(&mut self, sections_before: usize, text: &[u8], kind: BlockKind<Id>) {
        self.material().blocks.push(Block { sections_before, text: with_line_feeds(text), kind });
    }

    /// Adds the lines of a section.
    pub(crate) fn insert_lines(&mut self, id: Id, lines: Vec<KeptLine>) {
        self.material().lines.insert(id, lines);
    }

    /// Whether a section with this id is kept out.
    pub(crate) fn has_incomplete(&self, id: &Id) -> bool {
        self.blocks().iter().any(|block| matches!(&block.kind, BlockKind::Incomplete(kept) if kept == id))
    }

    /// Drops everything that belongs to sections of this id: lines, and sections kept out or there twice.
    /// `section` is the place that the section had among those that hold, if it was one.
    pub(crate) fn remove(&mut self, id: &Id, section: Option<usize>) {
        let Some(material) = self.0.as_mut() else { return };
        material.lines.remove(id);
        material.blocks.retain(|block| match &block.kind {
            BlockKind::Loose | BlockKind::Skipped => true,
            BlockKind::Incomplete(kept) | BlockKind::Duplicate(kept) => kept != id,
        });
        for block in &mut material.blocks {
            if section.is_some_and(|section| section < block.sections_before) {
                block.sections_before = block.sections_before.saturating_sub(1);
            }
        }
        if material.lines.is_empty() && material.blocks.is_empty() {
            self.0 = None;
        }
    }

    /// Drops what is kept of a property in a section, since an edit says what it is now.
    pub(crate) fn forget_property(&mut self, id: &Id, edited: usize) {
        let Some(lines) = self.0.as_mut().and_then(|material| material.lines.get_mut(id)) else { return };
        lines.retain(|line| match line.kind {
            KeptKind::Comment { .. } | KeptKind::Foreign => true,
            KeptKind::BadValue { property } | KeptKind::Duplicate { property } => property != edited,
        });
    }
}

/// The lines of `text`, each with nothing but a line feed at its end.
fn with_line_feeds(text: &[u8]) -> Vec<u8> {
    let mut lines = Vec::with_capacity(text.len().saturating_add(1));
    for Line { content, .. } in Lines::new(text) {
        lines.extend_from_slice(content);
        lines.push(b'\n');
    }
    lines
}

/// Writes lines as comments.
pub(crate) fn write_commented(text: &[u8], out: &mut Vec<u8>) {
    for Line { content, .. } in Lines::new(text) {
        out.extend_from_slice(b"# ");
        out.extend_from_slice(content);
        out.push(b'\n');
    }
}
