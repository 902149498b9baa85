//! Makes what the faces for C, Perl and Python say once more of the core: `cargo xtask generate [--check]`.
//!
//! `source` reads plain Rust. `tables/` says what Rust can't: the numbers of C, which are never used again once they were given,
//! and which types a face has. The other files write a face each. Nothing that decides is made here.
//!
//! | made | from |
//! |---|---|
//! | `ha-ffi/src/generated/words.rs`, `ha-ffi/src/generated/events.rs` | `tables/words`, `tables/events`, the core's enums |
//! | `ha-ffi/perl/lib/HA/Interface.pm` | exported functions, structs and enums of ha-ffi |
//! | `ha-py/src/generated.rs` | `tables/words` |
//! | `ha-py/python/pyha/`: words, events, records and their like | `tables/words`, `tables/records`, the core's enums and structs |
//! | `docs/reference/` | the same |
//! | what a host promises, in `ha-ffi/src/host.rs`, `HA.pm` and `pyha/host.py` | `tables/promises` |

mod c;
mod perl;
mod promises;
mod python;
mod reference;
mod source;
mod table;
#[cfg(test)]
mod tests;

use std::{env, error::Error, fs, path::Path, process::ExitCode};

use promises::Promise;
use source::Sources;
use table::Tables;

type Failure = Box<dyn Error>;

/// A file that is made: its path from the root, and its text.
type Made = (String, String);

/// Where promises stand, and how they get there.
const PROMISES: [(&str, fn(&str, &[Promise]) -> Result<String, Failure>); 3] = [
    ("ha-ffi/src/host.rs", promises::in_c),
    ("ha-ffi/perl/lib/HA.pm", promises::in_perl),
    ("ha-py/python/pyha/host.py", promises::in_python),
];

/// What the first line of a file that is made here says, behind the sign of a comment.
pub(crate) const NOTE: &str = "Made by `cargo xtask generate` (tools/bindings): change what it is made from.";

fn all(root: &Path) -> Result<Vec<Made>, Failure> {
    let mut sources = Sources::read(root, &["ha-core", "ha-sim", "ha-py", "ha-ffi"])?;
    let tables = Tables::read(&root.join("tools/bindings/tables"))?;
    let (words, events) = (c::words(&sources, &tables)?, c::events(&sources, &tables)?);
    // Perl's part is made from them.
    sources.put("ha_ffi::generated::words", &words)?;
    sources.put("ha_ffi::generated::events", &events)?;
    let mut made = vec![
        ("ha-ffi/src/generated/words.rs".into(), words),
        ("ha-ffi/src/generated/events.rs".into(), events),
        ("ha-ffi/perl/lib/HA/Interface.pm".into(), perl::interface(&sources)?),
        ("ha-py/src/generated.rs".into(), python::registration(&sources, &tables)?),
        ("docs/reference/words.md".into(), reference::words(&sources, &tables)?),
        ("docs/reference/events.md".into(), reference::events(&sources, &tables)?),
    ];
    made.extend(python::package(&sources, &tables)?);
    let promises = tables.promises_of(&perl::callbacks(&sources)?)?;
    let kept = |name: &str| fs::read_to_string(root.join(name)).map_err(|error| format!("{name}: {error}"));
    for (name, renew) in PROMISES {
        made.push((name.to_owned(), renew(&kept(name)?, promises)?));
    }
    Ok(made)
}

fn run() -> Result<bool, Failure> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).ok_or("no checkout around this package")?;
    let check = env::args().any(|argument| argument == "--check");
    let mut all_fresh = true;
    for (name, text) in all(root)? {
        let path = root.join(&name);
        if fs::read_to_string(&path).is_ok_and(|kept| kept == text) {
            continue;
        }
        if check {
            all_fresh = false;
            eprintln!("{name} is stale: 'cargo xtask generate' makes it; look at what changed");
        } else {
            fs::create_dir_all(path.parent().unwrap_or(root))?;
            fs::write(path, text)?;
            println!("wrote {name}");
        }
    }
    Ok(all_fresh)
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bindings: {error}");
            ExitCode::from(2)
        }
    }
}
