//! What operations of the core cost, in instructions: see README.md beside this package.

mod baseline;
mod cluster;
mod counting;
mod growth;
mod operations;

use std::{env, process::ExitCode};

use operations::Scale;

const HELP: &str = "\
What operations of the core cost, in instructions.

Usage: ha-core-cost COMMAND

  check              compares with the baseline: fails if an operation costs over 3 % more
  write              measures the baseline again
  count [OPERATION [services=N] [nodes=N] [rules=N] [group=N] [failed=N]]
                     counts one operation, or all
  growth             how costs grow with the size of a cluster: docs/performance.md and .svg
  play OPERATION …   the same without counting: what valgrind is given

Exit codes: 0 done, 1 it failed, 2 it was called wrongly.
";

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["check"] => baseline::check(),
        ["write"] => baseline::write(),
        ["growth"] => growth::write(),
        ["count"] => operations::names().try_for_each(|name| count(name, &[])),
        ["count", name, scale @ ..] => count(name, scale),
        ["play", name, scale @ ..] => Scale::read(scale).and_then(|scale| operations::play(name, scale)),
        [] | ["--help" | "-h" | "help"] => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("unknown: {}\n\n{HELP}", words.join(" "));
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

fn count(name: &str, scale: &[&str]) -> Result<(), String> {
    let services = Scale::read(scale)?.services as u64;
    let instructions = counting::count(name, scale)?;
    println!("{name:<26} {instructions:>12} instructions, {:>6} a service", instructions / services.max(1));
    Ok(())
}
