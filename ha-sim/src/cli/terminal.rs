//! Styles, and text that fits the terminal.

use anstyle::{AnsiColor, Style};

/// Something failed, or a person is needed.
pub(super) const ERROR: Style = AnsiColor::Red.on_default().bold();
/// Something failed and is dealt with.
pub(super) const WARNING: Style = AnsiColor::Yellow.on_default();
/// A change to know of.
pub(super) const NOTICE: Style = AnsiColor::Cyan.on_default();
/// All is well.
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
/// What matters little.
pub(super) const QUIET: Style = Style::new().dimmed();
/// What stands out.
pub(super) const STRONG: Style = Style::new().bold();
/// Nothing special.
pub(super) const PLAIN: Style = Style::new();

/// How wide lines may be; `None` where they are not shown on a terminal.
pub(super) fn width() -> Option<usize> {
    terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| width.0.into())
}

/// Breaks a text at blanks so that its lines are not wider than `width`, if there is one.
pub(super) fn wrap(text: &str, width: Option<usize>) -> Vec<String> {
    // A text beside a wide margin still gets some room.
    const LEAST: usize = 20;
    let Some(width) = width.map(|width| width.max(LEAST)) else { return vec![text.to_owned()] };
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let joined = line.chars().count().saturating_add(word.chars().count()).saturating_add(1);
        if !line.is_empty() && joined > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn text_is_broken_at_blanks() {
        let text = "the quick brown fox jumps over the lazy dog";
        assert_eq!(wrap(text, Some(25)), ["the quick brown fox jumps", "over the lazy dog"]);
        assert_eq!(wrap(text, None), [text]);
        assert_eq!(wrap("", Some(25)), [""]);
    }
}
