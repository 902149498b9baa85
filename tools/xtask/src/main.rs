//! What a contributor does, by one name each: `cargo xtask TASK`.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

mod generate;
mod release;

const HELP: &str = "\
What a contributor does, by one name each.

Usage: cargo xtask TASK [OPTIONS]

  build               the libraries, `ha` and `ha-sim`
  quick               the daily round: format, the laws of the house, the core's tests, scenarios
  test                every test, as CI runs them
  bench               the figures that are promised; wants an idle machine
  cost [--write]      what operations cost, in instructions, beside the baseline; --write: a new baseline
  growth              how costs grow with the size of a cluster, into docs/performance.md and .svg; takes minutes
  docs                the reference of all crates, into target/doc
  generate [--check]  words, events and records of C, Perl and Python, the C header, stubs, reference pages, and the
                      listings of all that users can name; --check: fail if one is stale
  release --check     what must hold before a version is tagged

Exit codes: 0 done, 1 it failed, 2 it was called wrongly.
";

/// What went wrong, for the person who called.
type Failure = String;

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let root = root();
    let done = match words.as_slice() {
        ["build"] => run(&root, &["cargo", "build"]),
        ["quick"] => run(&root, &["bash", "tests/run", "--quick"]),
        ["test"] => run(&root, &["bash", "tests/run"]),
        ["bench"] => run(&root, &["cargo", "bench", "-p", "ha-core"]),
        ["cost"] => cost(&root, "check"),
        ["cost", "--write"] => cost(&root, "write"),
        ["growth"] => cost(&root, "growth"),
        ["docs"] => run(&root, &["cargo", "doc", "--no-deps", "--workspace"]),
        ["generate"] => generate::write(&root),
        ["generate", "--check"] => generate::check(&root),
        ["release", "--check"] => release::check(&root),
        [] | ["--help" | "-h" | "help"] => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("unknown: cargo xtask {}\n\n{HELP}", words.join(" "));
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

/// Counts what operations cost.
fn cost(root: &Path, command: &str) -> Result<(), Failure> {
    let package = ["--manifest-path", "tests/cost/Cargo.toml", "--target-dir", "target/cost"];
    let words = [&["cargo", "run", "--quiet", "--release", "--locked"][..], &package, &["--", command]].concat();
    run(root, &words)
}

/// The top of the checkout, two above this package.
fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().nth(2).unwrap_or(package).to_owned()
}

/// Runs a program in a directory, with its output where ours goes.
fn run(directory: &Path, words: &[&str]) -> Result<(), Failure> {
    let line = words.join(" ");
    let Some((program, arguments)) = words.split_first() else { return Ok(()) };
    let status = Command::new(program).args(arguments).current_dir(directory).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("failed ({status}): {line}")),
        Err(error) => Err(format!("cannot run {line}: {error}")),
    }
}
