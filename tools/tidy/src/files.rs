//! The tracked files of a checkout, and the Rust sources among them, parsed.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// What is checked.
pub(crate) struct Checkout {
    pub(crate) root: PathBuf,
    /// Tracked and new files that are not ignored, by their path from the root.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    /// The Rust sources among them.
    pub(crate) sources: BTreeMap<String, Source>,
}

/// A Rust source.
pub(crate) struct Source {
    pub(crate) text: String,
    pub(crate) syntax: syn::File,
}

impl Checkout {
    /// Reads the checkout that `folder` is in.
    pub(crate) fn read(folder: &Path) -> Result<Self, String> {
        let root = PathBuf::from(git(folder, &["rev-parse", "--show-toplevel"])?.trim_end());
        let names = git(&root, &["ls-files", "-z", "--cached", "--others", "--exclude-standard"])?;
        let mut files = BTreeMap::new();
        for name in names.split('\0').filter(|name| !name.is_empty()) {
            // A tracked file that was just removed is no file.
            if let Ok(content) = fs::read(root.join(name)) {
                files.insert(name.to_owned(), content);
            }
        }
        let mut sources = BTreeMap::new();
        for (name, content) in &files {
            if name.ends_with(".rs") {
                let text = String::from_utf8(content.clone()).map_err(|_| format!("{name} is no UTF-8"))?;
                let syntax =
                    syn::parse_file(&text).map_err(|error| format!("{name}:{}: {error}", error.span().start().line))?;
                sources.insert(name.clone(), Source { text, syntax });
            }
        }
        Ok(Self { root, files, sources })
    }

    /// The text of a file, if it is one.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.files.get(name).and_then(|content| std::str::from_utf8(content).ok())
    }

    /// The texts among the files, by name.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.keys().filter_map(|name| self.text(name).map(|text| (name.as_str(), text)))
    }
}

fn git(folder: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("git").current_dir(folder).args(arguments).output();
    let output = output.map_err(|error| format!("cannot run git: {error}"))?;
    if !output.status.success() {
        return Err(format!("git {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim()));
    }
    String::from_utf8(output.stdout).map_err(|_| "git names a file that is no UTF-8".into())
}
