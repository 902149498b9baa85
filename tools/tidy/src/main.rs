//! Checks the laws of the house: `cargo run --manifest-path tools/tidy/Cargo.toml`, anywhere in the checkout.
//!
//! Each law is a function from the tracked files to what breaks it. What breaks a law today stands in `exceptions`, a line
//! each; that list may only get shorter, so a line that excuses nothing any more is an error too.
//!
//! | law | what must hold |
//! |---|---|
//! | `circle` | no circle of files within a crate, apart from a module with its own children |
//! | `crate-boundary` | a crate depends only on the crates below it, and keeps out what belongs to others |
//! | `room-boundary` | rooms know nothing of those above them: who decides, of the questions beforehand; a store, of agents |
//! | `function-length` | no function has more than 70 lines, but tables marked `// tidy: table` |
//! | `built-file` | nothing built is tracked |
//! | `history` | no history that the hunt wrote is tracked where it was written |
//! | `machine-path` | no tracked text names a place on somebody's machine |
//! | `document` | what a document names in backticks exists |

mod circles;
mod crates;
mod documents;
mod files;
mod functions;
mod imports;
mod tracked;

use std::{collections::BTreeSet, env, fs, path::Path, process::ExitCode};

use files::Checkout;

/// Something that breaks a law: the law's name, and where, in words that do not change with every edit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Breach {
    law: &'static str,
    place: String,
    /// What to do about it, for people; not part of the exception.
    remedy: String,
}

impl Breach {
    fn new(law: &'static str, place: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { law, place: place.into(), remedy: remedy.into() }
    }

    fn as_exception(&self) -> String {
        format!("{}: {}", self.law, self.place)
    }
}

fn breaches(checkout: &Checkout) -> Vec<Breach> {
    let mut all = Vec::new();
    all.extend(circles::check(checkout));
    all.extend(crates::check(checkout));
    all.extend(imports::check(checkout));
    all.extend(functions::check(checkout));
    all.extend(tracked::check(checkout));
    all.extend(documents::check(checkout));
    all
}

fn read_exceptions(path: &Path) -> Result<BTreeSet<String>, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).map(Into::into).collect())
}

fn run() -> Result<bool, String> {
    let here = env::current_dir().map_err(|error| error.to_string())?;
    let checkout = Checkout::read(&here)?;
    let exceptions = read_exceptions(&checkout.root.join("tools/tidy/exceptions"))?;
    let breaches = breaches(&checkout);
    let found: BTreeSet<String> = breaches.iter().map(Breach::as_exception).collect();
    let new: Vec<&Breach> = breaches.iter().filter(|breach| !exceptions.contains(&breach.as_exception())).collect();
    let stale: Vec<&String> = exceptions.difference(&found).collect();
    for breach in &new {
        println!("{}: {}\n    {}", breach.law, breach.place, breach.remedy);
    }
    for line in &stale {
        println!("tools/tidy/exceptions: '{line}' excuses nothing any more: remove the line");
    }
    if new.is_empty() && stale.is_empty() {
        println!("tidy: {} files, {} exceptions left", checkout.files.len(), exceptions.len());
    }
    Ok(new.is_empty() && stale.is_empty())
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("tidy: {error}");
            ExitCode::from(2)
        }
    }
}
