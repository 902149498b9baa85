//! What is made from the Rust sources, and kept in the repository: what the faces say once more of the core, the C header, the stubs
//! of the Python package, and the listings of all that users can name.

use std::path::Path;

use crate::{Failure, run};

const HEADER: [&str; 8] = [
    "cargo",
    "run",
    "--quiet",
    "--locked",
    "--manifest-path",
    "ha-ffi/header/Cargo.toml",
    "--target-dir",
    "target/header",
];
const BINDINGS: [&str; 8] = [
    "cargo",
    "run",
    "--quiet",
    "--locked",
    "--manifest-path",
    "tools/bindings/Cargo.toml",
    "--target-dir",
    "target/bindings",
];
const LISTINGS: [&str; 2] = ["python3", "tools/surface/surface.py"];

/// Makes all of it.
pub(crate) fn write(root: &Path) -> Result<(), Failure> {
    run(root, &BINDINGS)?;
    // From what was just made, too.
    run(root, &HEADER)?;
    write_stubs(root)?;
    run(root, &LISTINGS)
}

/// Fails if something is stale. Stubs are compared by `ha-py/tests/run`, which has the extension that they are made of.
pub(crate) fn check(root: &Path) -> Result<(), Failure> {
    run(root, &[&BINDINGS[..], &["--", "--check"]].concat())?;
    run(root, &[&HEADER[..], &["--", "--check"]].concat())?;
    run(root, &[&LISTINGS[..], &["--check"]].concat())
}

/// Stubs are made by the tools that the package's tests install.
fn write_stubs(root: &Path) -> Result<(), Failure> {
    let tools = root.join("target/ha-py-tests/tools/bin");
    if !tools.join("maturin").exists() {
        println!("ha-py/python/pyha/_native.pyi was left as it is: `bash ha-py/tests/run` installs what makes it");
        return Ok(());
    }
    let (maturin, ruff) = (tools.join("maturin"), tools.join("ruff"));
    let (maturin, ruff) = (maturin.display().to_string(), ruff.display().to_string());
    let made = root.join("target/ha-py-tests/stubs").display().to_string();
    let stubs = format!("{made}/pyha/_native.pyi");
    let package = root.join("ha-py");
    run(&package, &[&maturin, "generate-stubs", "--quiet", "--profile", "dev", "-o", &made])?;
    run(&package, &[&ruff, "format", "--quiet", "--config", "pyproject.toml", &stubs])?;
    run(&package, &["cp", &stubs, "python/pyha/_native.pyi"])
}
