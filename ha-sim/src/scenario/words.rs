//! A line of a scenario as words, each with its place.

use std::time::Duration;

use ha_core::{
    id::{NodeName, ServiceId, ServiceTypes},
    time::Instant,
};

use super::problem::{Problem, alternatives, suggestion};
use crate::texts::{duration, quoted};

/// A word of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    /// From 1, in characters.
    pub(super) column: usize,
    pub(super) quoted: bool,
}

/// The words of a line, taken one after the other.
#[derive(Debug)]
pub(super) struct Words<'a> {
    words: Vec<Word>,
    next: usize,
    pub(super) line: usize,
    names: &'a Names,
}

/// Names that a scenario may use.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) nodes: Vec<NodeName>,
    pub(super) services: Vec<ServiceId>,
    pub(super) types: ServiceTypes,
    /// Whether other names may be used all the same: what was made by chance may name what was left out.
    pub(super) others: bool,
}

/// The name of the file that this is about.
pub(super) const FILE: &str = "scenario";

/// Splits a line into words. A `#` at the beginning of a word begins a comment; a text in double quotes is one word, or part of one.
pub(super) fn split(line: &str, number: usize) -> Result<Vec<Word>, Problem> {
    let mut words = Vec::new();
    let mut characters = line.chars().zip(1..).peekable();
    while let Some((character, column)) = characters.next() {
        match character {
            character if character.is_whitespace() => {}
            '#' => break,
            first => {
                let mut text = String::new();
                let mut in_quotes = first == '"';
                if !in_quotes {
                    text.push(first);
                }
                while let Some((character, _)) = characters.next_if(|(c, _)| in_quotes || !c.is_whitespace()) {
                    if character == '"' {
                        in_quotes = !in_quotes;
                    } else {
                        text.push(character);
                    }
                }
                if in_quotes {
                    return Err(problem(number, column, "the text has no closing '\"'"));
                }
                words.push(Word { text, column, quoted: first == '"' });
            }
        }
    }
    Ok(words)
}

pub(super) fn problem(line: usize, column: usize, message: impl Into<String>) -> Problem {
    Problem { file: FILE.to_owned(), line, column, message: message.into() }
}

impl<'a> Words<'a> {
    pub(super) fn new(words: Vec<Word>, line: usize, names: &'a Names) -> Self {
        Self { words, next: 0, line, names }
    }

    /// The next word, if there is one.
    pub(super) fn peek(&self) -> Option<&Word> {
        self.words.get(self.next)
    }

    pub(super) fn take(&mut self) -> Option<Word> {
        let word = self.peek()?.clone();
        self.next = self.next.saturating_add(1);
        Some(word)
    }

    /// Takes the next word if it is this one.
    pub(super) fn accept(&mut self, text: &str) -> bool {
        let found = self.peek().is_some_and(|word| !word.quoted && word.text == text);
        if found {
            self.next = self.next.saturating_add(1);
        }
        found
    }

    /// The words from here to the end, as they are.
    pub(super) fn rest(&self) -> String {
        let rest = self.words.get(self.next..).unwrap_or_default();
        let texts: Vec<String> = rest.iter().map(|word| quoted(&word.text)).collect();
        texts.join(" ")
    }

    /// Where the next word is, or where one is missing.
    pub(super) fn column(&self) -> usize {
        let end = || {
            let last = self.words.last()?;
            let quotes = if last.quoted { 2 } else { 0 };
            Some(last.column.saturating_add(last.text.chars().count()).saturating_add(quotes))
        };
        self.peek().map(|word| word.column).or_else(end).unwrap_or(1)
    }

    /// A problem with the next word, or with its absence.
    pub(super) fn unexpected(&self, expected: &str) -> Problem {
        match self.peek() {
            Some(word) => self.at(word.column, format!("'{}' is not understood here: expected {expected}", word.text)),
            None => self.at(self.column(), format!("the line ends too early: expected {expected}")),
        }
    }

    pub(super) fn at(&self, column: usize, message: impl Into<String>) -> Problem {
        problem(self.line, column, message)
    }

    /// The next word, which has to be there.
    pub(super) fn word(&mut self, expected: &str) -> Result<Word, Problem> {
        let missing = self.unexpected(expected);
        self.take().ok_or(missing)
    }

    /// This very word.
    pub(super) fn keyword(&mut self, text: &str) -> Result<(), Problem> {
        if self.accept(text) { Ok(()) } else { Err(self.unexpected(&format!("'{text}'"))) }
    }

    /// One of these words; gives its position.
    pub(super) fn choice(&mut self, choices: &[&str]) -> Result<usize, Problem> {
        let Some(word) = self.peek() else { return Err(self.unexpected(&alternatives(choices.iter().copied()))) };
        match choices.iter().position(|choice| *choice == word.text) {
            Some(position) => {
                self.next = self.next.saturating_add(1);
                Ok(position)
            }
            None => Err(self.unknown(word, "", choices.iter().copied())),
        }
    }

    /// A problem with a word that is not one of the known ones.
    pub(super) fn unknown<'w>(&self, word: &Word, what: &str, known: impl IntoIterator<Item = &'w str>) -> Problem {
        let known: Vec<&str> = known.into_iter().collect();
        let found = &word.text;
        let what = if what.is_empty() {
            format!("'{found}' is not understood here")
        } else {
            format!("there is no {what} '{found}'")
        };
        let message = match suggestion(found, known.iter().copied()) {
            Some(meant) => format!("{what}: did you mean '{meant}'?"),
            None => format!("{what}: expected {}", alternatives(known)),
        };
        self.at(word.column, message)
    }

    /// One of the values of an enum, by its word.
    pub(super) fn named<T: Copy>(
        &mut self,
        what: &str,
        all: &[T],
        name: impl Fn(T) -> &'static str,
    ) -> Result<T, Problem> {
        let word = self.word(&format!("the name of a {what}"))?;
        let found = all.iter().copied().find(|value| name(*value) == word.text);
        found.ok_or_else(|| self.unknown(&word, what, all.iter().map(|value| name(*value))))
    }

    /// The line has to end here.
    pub(super) fn end(&self) -> Result<(), Problem> {
        match self.peek() {
            Some(word) => {
                Err(self.at(word.column, format!("'{}' is too much: the line should end before it", word.text)))
            }
            None => Ok(()),
        }
    }

    /// A word that is a value of some type.
    pub(super) fn value<T: std::str::FromStr>(&mut self, expected: &str) -> Result<T, Problem> {
        let word = self.word(expected)?;
        word.text.parse().map_err(|_| self.at(word.column, format!("'{}' is not {expected}", word.text)))
    }

    /// A time such as `90s`, `2m`, `1h30m`, `250ms`.
    pub(super) fn duration(&mut self) -> Result<Duration, Problem> {
        let word = self.word("a time such as '90s', '2m' or '1h30m'")?;
        duration(&word.text).ok_or_else(|| {
            let message =
                format!("'{}' is not a time: expected something like '90s', '2m', '1h30m' or '250ms'", word.text);
            self.at(word.column, message)
        })
    }

    pub(super) fn instant(&mut self) -> Result<Instant, Problem> {
        self.duration().map(Instant::after_start)
    }

    /// A number of bytes such as `512M` or `4G`.
    pub(super) fn bytes(&mut self) -> Result<u64, Problem> {
        let word = self.word("a size such as '512M' or '4G'")?;
        let message = format!("'{}' is not a size: expected something like '512M' or '4G'", word.text);
        bytes(&word.text).ok_or_else(|| self.at(word.column, message))
    }

    /// The name of a node of the cluster.
    pub(super) fn node(&mut self) -> Result<NodeName, Problem> {
        let word = self.word("the name of a node")?;
        self.known_node(&word)
    }

    fn known_node(&self, word: &Word) -> Result<NodeName, Problem> {
        let nodes = &self.names.nodes;
        let known = nodes.iter().find(|node| node.as_str() == word.text).cloned();
        let other = || NodeName::new(&word.text).ok().filter(|_| self.names.others);
        known.or_else(other).ok_or_else(|| self.unknown(word, "node", nodes.iter().map(NodeName::as_str)))
    }

    /// One node or more, or `all`.
    pub(super) fn nodes(&mut self) -> Result<Vec<NodeName>, Problem> {
        if self.accept("all") {
            return Ok(self.names.nodes.clone());
        }
        let mut nodes = vec![self.node()?];
        while self.peek().is_some_and(|word| word.text != "|") {
            nodes.push(self.node()?);
        }
        Ok(nodes)
    }

    /// One node or more, or `all`, up to a word that is taken too.
    pub(super) fn nodes_before(&mut self, end: &str) -> Result<Vec<NodeName>, Problem> {
        if self.accept("all") {
            self.keyword(end)?;
            return Ok(self.names.nodes.clone());
        }
        let mut nodes = vec![self.node()?];
        while !self.accept(end) {
            nodes.push(self.node()?);
        }
        Ok(nodes)
    }

    /// Whether the next word names a known node, or all of them.
    pub(super) fn is_node(&self) -> bool {
        let known = |text: &str| text == "all" || self.names.nodes.iter().any(|node| node.as_str() == text);
        self.peek().is_some_and(|word| known(&word.text))
    }

    /// The name of a service or guest that is known.
    pub(super) fn service(&mut self) -> Result<ServiceId, Problem> {
        let word = self.word("a service such as 'vm:100'")?;
        let services = &self.names.services;
        let known = services.iter().find(|sid| sid.as_str() == word.text).cloned();
        let other = || self.names.types.parse(&word.text).ok().filter(|_| self.names.others);
        known
            .or_else(other)
            .ok_or_else(|| self.unknown(&word, "service or guest", services.iter().map(ServiceId::as_str)))
    }

    /// The name of a service that need not be known.
    pub(super) fn new_service(&mut self) -> Result<ServiceId, Problem> {
        let word = self.word("a service such as 'vm:100'")?;
        self.names.types.parse(&word.text).map_err(|error| self.at(word.column, error.to_string()))
    }

    /// Whether the next word names a known service.
    pub(super) fn is_service(&self) -> bool {
        self.peek().is_some_and(|word| word.text.contains(':'))
    }

    pub(super) fn names(&self) -> &Names {
        self.names
    }
}

fn bytes(text: &str) -> Option<u64> {
    const UNITS: [(char, u32); 4] = [('K', 10), ('M', 20), ('G', 30), ('T', 40)];
    let (shift, number) =
        UNITS.iter().find_map(|(unit, shift)| Some((*shift, text.strip_suffix(*unit)?))).unwrap_or((0, text));
    number.parse::<u64>().ok()?.checked_shl(shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_places_and_comments_are_left_out() {
        let words = split("at 2m  say \"hello world\" # a comment", 1).unwrap();
        let found: Vec<(&str, usize)> = words.iter().map(|word| (word.text.as_str(), word.column)).collect();
        assert_eq!(found, [("at", 1), ("2m", 4), ("say", 8), ("hello world", 12)]);
        assert_eq!(split("say \"hello", 7).unwrap_err().to_string(), "scenario:7:5: the text has no closing '\"'");
    }

    #[test]
    fn sizes_have_units() {
        assert_eq!(bytes("4G"), Some(4 << 30));
        assert_eq!(bytes("512M"), Some(512 << 20));
        assert_eq!(bytes("12"), Some(12));
        assert_eq!(bytes("4GB"), None);
    }
}
