//! `docs/safety.md` names code and tests for each step of the argument: they must exist.
#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "tests may panic")]

use std::{
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The Rust sources below a folder.
fn sources(folder: &Path, into: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().is_none_or(|name| name != "target") {
                sources(&path, into);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with(file!()) {
            into.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

/// What stands between backticks, outside of code blocks.
fn named(document: &str) -> impl Iterator<Item = &str> {
    document.split("```").step_by(2).flat_map(|text| text.split('`').skip(1).step_by(2))
}

fn is_word(text: &str, allowed: impl Fn(char) -> bool) -> bool {
    text.chars().all(|c| c.is_ascii_lowercase() || allowed(c))
}

#[test]
fn everything_that_the_safety_argument_names_exists() {
    let document = fs::read_to_string(root().join("docs/safety.md")).unwrap();
    let mut code = String::new();
    for folder in ["ha-core", "ha-sim", "ha-host", "tests", "fuzz"] {
        sources(&root().join(folder), &mut code);
    }
    let (mut paths, mut functions, mut words, mut missing) = (0, 0, 0, Vec::new());
    for name in named(&document) {
        let exists = if name.contains('/') && !name.contains(' ') {
            paths += 1;
            root().join(name).exists()
        } else if name.contains('_') && is_word(name, |c| c == '_') {
            functions += 1;
            // A method, a test, a setting or an event.
            code.contains(&format!("fn {name}")) || code.contains(&format!("{name}:")) || snake_event(&code, name)
        } else if name.contains('-') && is_word(name, |c| c == '-') && !name.starts_with('-') {
            words += 1;
            // A planted bug, or an invariant, whose word is made of its name.
            let camel = name.split('-').map(capitalised).collect::<String>();
            code.contains(&format!("\"{name}\"")) || code.contains(&camel) || root().join(name).exists()
        } else {
            true
        };
        if !exists {
            missing.push(name);
        }
    }
    assert!(missing.is_empty(), "docs/safety.md names what there is not: {missing:#?}");
    assert!(paths > 20 && functions > 30 && words > 20, "{paths} paths, {functions} functions, {words} words");
}

/// Whether an event has this name.
fn snake_event(code: &str, name: &str) -> bool {
    let camel = name.split('_').map(capitalised).collect::<String>();
    code.contains(&format!("Event::{camel}"))
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}
