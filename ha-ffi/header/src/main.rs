//! Writes `include/ha.h`, or with `--check` says whether the one that is there is the one that the crate gives.

mod arrange;

use std::{env, error::Error, fs, path::Path, process::ExitCode};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let config = cbindgen::Config::from_file(library.join("cbindgen.toml"))?;
    let mut header = Vec::new();
    cbindgen::Builder::new().with_crate(&library).with_config(config).generate()?.write(&mut header);
    let header = arrange::arrange(&String::from_utf8(header)?)?.into_bytes();
    let path = library.join("../include/ha.h");
    if !env::args().any(|argument| argument == "--check") {
        fs::write(path, header)?;
        return Ok(ExitCode::SUCCESS);
    }
    if fs::read(path)? == header {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!(
        "include/ha.h is not what the crate gives: write it with\n  cargo run --manifest-path ha-ffi/header/Cargo.toml\nand look at what changed"
    );
    Ok(ExitCode::FAILURE)
}
