//! The command `ha-sim`: plays scenarios, replays recorded ones, and says what configuration files come to.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
