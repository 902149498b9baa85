//! The mutants, as `cargo mutants --list --json` names them.

use serde::Deserialize;

#[derive(Debug, Clone, Deserialize)]
pub struct Mutant {
    pub name: String,
    pub file: String,
    pub genre: Genre,
    pub replacement: String,
    pub span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Genre {
    FnValue,
    BinaryOperator,
    UnaryOperator,
    MatchArm,
    MatchArmGuard,
    StructField,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Span {
    pub start: Position,
    pub end: Position,
}

/// Both count from 1; columns are characters.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Position {
    line: usize,
    column: usize,
}

impl Position {
    /// Where this is in `text`, in bytes.
    pub fn offset(self, text: &str) -> usize {
        let line: usize = text.split_inclusive('\n').take(self.line - 1).map(str::len).sum();
        let characters = text[line..].chars().take(self.column - 1);
        line + characters.map(char::len_utf8).sum::<usize>()
    }
}
