//! Words as a shell splits them: blanks separate, quotes and backslashes join.

use alloc::{format, string::String, vec::Vec};
use core::{iter::Peekable, str::Chars};

/// Why a line cannot be split into words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ShellWordsError {
    /// A quote is opened and not closed.
    #[error("a quote {0} is opened and not closed")]
    OpenQuote(char),
    /// The line ends with a backslash, with nothing after it.
    #[error("the line ends with a backslash: a line cannot be continued on the next one")]
    TrailingBackslash,
}

/// Splits a line into words, by the rules of the POSIX shell for quoting:
///
/// * Outside of quotes a backslash takes the character after it as it is.
/// * Between `'` everything is taken as it is.
/// * Between `"` a backslash does so before `"`, `\`, `$` and a backtick only; before anything else it stands for itself.
///
/// Nothing is expanded: `$`, `*`, `~` and `#` are characters like any other.
pub(crate) fn split(line: &str) -> Result<Vec<String>, ShellWordsError> {
    let mut words = Vec::new();
    let mut rest = line.chars().peekable();
    loop {
        while rest.next_if(|c| is_blank(*c)).is_some() {}
        if rest.peek().is_none() {
            return Ok(words);
        }
        words.push(word(&mut rest)?);
    }
}

/// A word so that [`split`] gives it back: as it is where it is plain, and between `'` otherwise.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:".contains(&byte);
    if !word.is_empty() && word.bytes().all(is_plain) {
        return word.into();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// As in the section files: other white space of Unicode is text.
fn is_blank(character: char) -> bool {
    u8::try_from(character).is_ok_and(super::section::is_blank)
}

fn word(rest: &mut Peekable<Chars<'_>>) -> Result<String, ShellWordsError> {
    let mut word = String::new();
    while let Some(character) = rest.next_if(|c| !is_blank(*c)) {
        match character {
            '\\' => word.push(rest.next().ok_or(ShellWordsError::TrailingBackslash)?),
            '\'' => single_quoted(rest, &mut word)?,
            '"' => double_quoted(rest, &mut word)?,
            other => word.push(other),
        }
    }
    Ok(word)
}

fn single_quoted(rest: &mut Peekable<Chars<'_>>, word: &mut String) -> Result<(), ShellWordsError> {
    for character in rest {
        if character == '\'' {
            return Ok(());
        }
        word.push(character);
    }
    Err(ShellWordsError::OpenQuote('\''))
}

fn double_quoted(rest: &mut Peekable<Chars<'_>>, word: &mut String) -> Result<(), ShellWordsError> {
    while let Some(character) = rest.next() {
        match character {
            '"' => return Ok(()),
            '\\' => word.push(rest.next_if(|c| matches!(c, '"' | '\\' | '$' | '`')).unwrap_or('\\')),
            other => word.push(other),
        }
    }
    Err(ShellWordsError::OpenQuote('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_is_the_same_word_again() {
        for word in ["power:1", "", "two words", "it's", "\"\\$'", "caf\u{e9}"] {
            assert_eq!(split(&format!("a {} b", quoted(word))).unwrap(), ["a", word, "b"], "{word}");
        }
        assert_eq!(quoted("power:1"), "power:1");
    }

    #[test]
    fn words_are_split_at_blanks() {
        assert_eq!(split("").unwrap(), [""; 0]);
        assert_eq!(split(" \t ").unwrap(), [""; 0]);
        assert_eq!(split("  a\tbc  d=e \r").unwrap(), ["a", "bc", "d=e"]);
        assert_eq!(split("a\u{a0}b").unwrap(), ["a\u{a0}b"]);
    }

    #[test]
    fn quotes_join_and_may_stand_inside_a_word() {
        assert_eq!(split(r#"a="b c"d 'e f'"#).unwrap(), ["a=b cd", "e f"]);
        assert_eq!(split(r#""" '' x"#).unwrap(), ["", "", "x"]);
        assert_eq!(split(r#"'a"b' "c'd""#).unwrap(), ["a\"b", "c'd"]);
    }

    #[test]
    fn backslashes_mean_something_else_in_each_place() {
        assert_eq!(split(r"a\ b\n \'").unwrap(), ["a bn", "'"]);
        assert_eq!(split(r#""a\"b\\c\$d\`e\n""#).unwrap(), [r#"a"b\c$d`e\n"#]);
        assert_eq!(split(r"'a\b'").unwrap(), [r"a\b"]);
    }

    #[test]
    fn nothing_is_expanded() {
        assert_eq!(split("$HOME `x` * ~ #c ; | &").unwrap(), ["$HOME", "`x`", "*", "~", "#c", ";", "|", "&"]);
    }

    #[test]
    fn what_is_left_open_is_an_error() {
        assert_eq!(split("a 'b"), Err(ShellWordsError::OpenQuote('\'')));
        assert_eq!(split(r#"a="b\""#), Err(ShellWordsError::OpenQuote('"')));
        assert_eq!(split(r#"a "b\"#), Err(ShellWordsError::OpenQuote('"')));
        assert_eq!(split(r"a\"), Err(ShellWordsError::TrailingBackslash));
    }
}
