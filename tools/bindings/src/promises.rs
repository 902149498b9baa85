//! What a host must keep, callback by callback: one table, put word for word into the documentation of all three faces.
//!
//! The rest of that documentation is written by hand. In each of them a paragraph that begins with `Promise:` is made here.

use std::fmt::Write as _;

use crate::{Failure, NOTE};

const PROMISE: &str = "Promise: ";

/// What is counted on from a callback.
pub(crate) struct Promise {
    pub(crate) callback: String,
    /// The method of Python.
    method: String,
    text: Option<String>,
}

pub(crate) fn read(table: &str) -> Result<Vec<Promise>, Failure> {
    let rows = table.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let promise = |row: &str| {
        let (names, text) = row.split_once(": ").ok_or_else(|| format!("tables/promises: what is '{row}'?"))?;
        let (callback, method) = names.split_once(" = ").unwrap_or((names, names));
        let text = (text != "-").then(|| text.to_owned());
        Ok(Promise { callback: callback.to_owned(), method: method.to_owned(), text })
    };
    rows.map(promise).collect()
}

/// A text in lines that are no longer than this.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => *line = format!("{line} {word}"),
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Documentation, a line each, with this promise instead of what it had.
fn renewed(doc: &[&str], promise: Option<&str>, width: usize) -> Vec<String> {
    let text = doc.join("\n");
    let paragraphs = text.trim().split("\n\n").filter(|paragraph| !paragraph.starts_with(PROMISE));
    let mut lines: Vec<String> = paragraphs.collect::<Vec<_>>().join("\n\n").lines().map(Into::into).collect();
    if let Some(promise) = promise {
        lines.push(String::new());
        lines.extend(wrap(&format!("{PROMISE}{promise}"), width));
    }
    lines
}

/// `ha-ffi/src/host.rs`, with the promises of the fields of `ha_callbacks`.
pub(crate) fn in_c(source: &str, promises: &[Promise]) -> Result<String, Failure> {
    let mut lines: Vec<String> = source.lines().map(Into::into).collect();
    for promise in promises {
        let field = format!("    pub {}:", promise.callback);
        let at = lines.iter().position(|line| line.starts_with(&field));
        let at = at.ok_or_else(|| format!("tables/promises: there is no callback '{}'", promise.callback))?;
        let above = lines[..at].iter().rev().take_while(|line| line.trim_start().starts_with("///")).count();
        let doc: Vec<&str> =
            lines[at - above..at].iter().map(|line| line.trim_start().trim_start_matches("///").trim_start()).collect();
        let doc = renewed(&doc, promise.text.as_deref(), 112);
        let doc = doc.iter().map(|line| format!("    /// {line}").trim_end().to_owned());
        lines.splice(at - above..at, doc.collect::<Vec<_>>());
    }
    Ok(lines.join("\n") + "\n")
}

/// `pyha/host.py`, with the promises of the methods.
pub(crate) fn in_python(source: &str, promises: &[Promise]) -> Result<String, Failure> {
    let mut lines: Vec<String> = source.lines().map(Into::into).collect();
    for promise in promises.iter().filter(|promise| promise.text.is_some()) {
        let head = format!("    def {}(", promise.method);
        let at = lines.iter().position(|line| line.starts_with(&head));
        let begin = at.ok_or_else(|| format!("tables/promises: pyha.host has no method '{}'", promise.method))? + 1;
        let is_end = |line: &String| line.ends_with("\"\"\"") && line.trim() != "\"\"\"" || line.trim() == "\"\"\"";
        let length =
            lines[begin..].iter().position(is_end).ok_or_else(|| format!("{} has no documentation", promise.method))?
                + 1;
        let doc: Vec<&str> = lines[begin..begin + length].iter().map(|line| line.trim().trim_matches('"')).collect();
        let doc = renewed(&doc, promise.text.as_deref(), 112).join("\n        ");
        let doc = format!("        \"\"\"{doc}\n        \"\"\"").replace("\n        \n", "\n\n");
        lines.splice(begin..begin + length, doc.lines().map(Into::into).collect::<Vec<String>>());
    }
    Ok(lines.join("\n") + "\n")
}

/// `HA.pm`, with the promises as a list between two marks.
pub(crate) fn in_perl(source: &str, promises: &[Promise]) -> Result<String, Failure> {
    let (begin, end) = (format!("=for comment {NOTE}\n\n"), "=for comment The end of what is made.\n");
    let (before, rest) = source.split_once(&begin).ok_or("HA.pm does not say where the promises begin")?;
    let (_, after) = rest.split_once(end).ok_or("HA.pm does not say where the promises end")?;
    let mut list = String::from("=over\n\n");
    for promise in promises {
        if let Some(text) = &promise.text {
            write!(list, "=item C<{}>\n\n{}\n\n", promise.callback, wrap(text, 120).join("\n"))?;
        }
    }
    Ok(format!("{before}{begin}{list}=back\n\n{end}{after}"))
}
