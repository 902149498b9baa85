//! Which crate may depend on which, and which libraries belong to one crate alone.

use crate::{Breach, files::Checkout};

/// The crates of the house, each with those of them that it may depend on.
const BELOW: &[(&str, &[&str])] = &[
    ("ha-core", &[]),
    ("ha-sim", &["ha-core"]),
    ("ha-host", &["ha-core"]),
    ("ha-cli", &["ha-core", "ha-host"]),
    ("ha-web", &["ha-core", "ha-host", "ha-sim"]),
    ("ha-ffi", &["ha-core", "ha-sim"]),
    ("ha-py", &["ha-core", "ha-sim"]),
];

/// Dependencies that only these crates may have.
const RESERVED: &[(&str, &[&str])] = &[
    ("clap", &["ha-cli", "ha-sim", "ha-web"]),
    ("tokio", &["ha-web"]),
    ("axum", &["ha-web"]),
    ("hyper", &["ha-web"]),
    ("pyo3", &["ha-py"]),
    ("nix", &["ha-cli", "ha-host", "ha-web"]),
];

/// Packages that must not come in by any way, by the lock file of a workspace.
const LEAN: &[(&str, &[&str])] = &[("ha-py/Cargo.lock", &["clap", "tokio"])];

pub(crate) fn check(checkout: &Checkout) -> Vec<Breach> {
    let mut breaches = direct(checkout);
    for (lock, unwanted) in LEAN {
        let packages = checkout.text(lock).and_then(|text| text.parse::<toml::Table>().ok());
        let Some(packages) = packages.as_ref().and_then(|table| table.get("package")).and_then(toml::Value::as_array)
        else {
            breaches.push(Breach::new("crate-boundary", *lock, "there is no such lock file, or it can't be read"));
            continue;
        };
        let names = packages.iter().filter_map(|package| package.get("name")).filter_map(toml::Value::as_str);
        for name in names.filter(|name| unwanted.contains(name)) {
            let place = format!("{lock}: {name}");
            breaches.push(Breach::new("crate-boundary", place, "a library for other languages has no command line"));
        }
    }
    breaches
}

/// What manifests say.
fn direct(checkout: &Checkout) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for (name, below) in BELOW {
        let manifest = format!("{name}/Cargo.toml");
        let Some(table) = checkout.text(&manifest).and_then(|text| text.parse::<toml::Table>().ok()) else {
            breaches.push(Breach::new("crate-boundary", manifest, "there is no such manifest, or it can't be read"));
            continue;
        };
        for dependency in
            table.get("dependencies").and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::keys)
        {
            let is_ours = BELOW.iter().any(|(other, _)| other == dependency);
            let is_reserved =
                RESERVED.iter().any(|(reserved, for_whom)| reserved == dependency && !for_whom.contains(name));
            if (is_ours && !below.contains(&dependency.as_str())) || is_reserved {
                let place = format!("{name} depends on {dependency}");
                breaches.push(Breach::new("crate-boundary", place, "see the boundaries in docs/architecture.md"));
            }
        }
    }
    breaches
}
