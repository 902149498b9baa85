//! The header that is checked in is the one that this crate gives.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::{env, fs, path::Path};

#[test]
fn the_header_is_the_one_that_this_crate_gives() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(here.join("cbindgen.toml")).unwrap();
    let mut header = Vec::new();
    cbindgen::Builder::new().with_crate(here).with_config(config).generate().unwrap().write(&mut header);
    let path = here.join("../include/ha.h");
    if env::var_os("HA_UPDATE_HEADER").is_some() {
        fs::write(&path, &header).unwrap();
    }
    let found = fs::read(&path).unwrap_or_default();
    assert!(
        found == header,
        "include/ha.h is stale: run HA_UPDATE_HEADER=1 cargo test -p ha-ffi --test header, and look at what changed"
    );
}
