//! `ha-web`: what `ha web`, `ha notify`, `ha token` and `ha user` run.

mod command;

use std::process::ExitCode;

fn main() -> ExitCode {
    command::main()
}
