//! What is wrong with a scenario.

use std::{
    fmt,
    path::{Path, PathBuf},
};

/// One thing that is wrong with a scenario.
///
/// Displays as `file:line:column: message`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Problem {
    /// The file: its name, with the path of its folder where that is known.
    pub file: String,
    /// The line, from 1; 0 if it is about the whole file.
    pub line: usize,
    /// The column, from 1, in characters; 0 if it is about the whole line.
    pub column: usize,
    /// What was found, and what is allowed.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if self.column > 0 {
            write!(f, ":{}", self.column)?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Why a scenario can't be played.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScenarioError {
    /// A file can't be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The scenario has problems; there is at least one.
    #[error("{}", Lines(.0))]
    Problems(Vec<Problem>),
}

impl ScenarioError {
    /// Names the files of problems with the path of their folder.
    pub(super) fn in_folder(mut self, folder: &Path) -> Self {
        if let Self::Problems(problems) = &mut self {
            for problem in problems {
                problem.file = folder.join(&problem.file).display().to_string();
            }
        }
        self
    }
}

/// Shows problems, each on a line.
struct Lines<'a>(&'a [Problem]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, problem) in self.0.iter().enumerate() {
            let separator = if position == 0 { "" } else { "\n" };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}

/// The known word that is closest to what was found, if it is close enough to have been meant.
pub(super) fn suggestion<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = known.into_iter().map(|word| (distance(found, word), word));
    // An unfinished word is likelier than another word that is just as close.
    let (distance, word) = near.min_by_key(|(distance, word)| (*distance, !word.starts_with(found)))?;
    (distance <= found.chars().count().max(3) / 3).then_some(word)
}

/// How many characters have to be changed, added or removed to make one text of the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (above, letter) in one.chars().enumerate() {
        let mut diagonal = above;
        let mut left = above.saturating_add(1);
        let mut next = vec![left];
        for (column, letter_there) in other.chars().enumerate() {
            let up = row.get(column.saturating_add(1)).copied().unwrap_or(usize::MAX);
            let replaced = diagonal.saturating_add(usize::from(letter != letter_there));
            left = replaced.min(up.saturating_add(1)).min(left.saturating_add(1));
            diagonal = up;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

/// What is allowed, as `'a', 'b' or 'c'`.
pub(super) fn alternatives<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("'{word}'")).collect();
    match words.split_last() {
        None => "nothing".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_recognised() {
        let nodes = ["host-106", "host-107", "host-111"];
        assert_eq!(suggestion("host-11", nodes), Some("host-111"));
        assert_eq!(suggestion("hots-106", nodes), Some("host-106"));
        assert_eq!(suggestion("rack", nodes), None);
    }

    #[test]
    fn distance_counts_changes() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", "abc"), 0);
    }
}
