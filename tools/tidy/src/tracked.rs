//! What is tracked is written by people, or made from it and checked; and it works on any machine.

use crate::{Breach, files::Checkout};

/// How names of built files end.
const BUILT: &[&str] = &[".so", ".a", ".o", ".dll", ".dylib", ".rlib", ".whl", ".deb", ".rpm", ".pyc", ".exe"];

/// How folders begin that `ha-sim chaos` writes where it is called.
const HISTORY: &str = "chaos-";

/// Where homes of people are.
const HOMES: &[&str] = &["/home/", "/Users/", "/root/"];

pub(crate) fn check(checkout: &Checkout) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for (name, content) in &checkout.files {
        if name.starts_with(HISTORY) {
            breaches.push(Breach::new(
                "history",
                name,
                "what the hunt found is kept as a scenario with a name of its own",
            ));
        }
        if BUILT.iter().any(|ending| name.ends_with(ending)) || content.starts_with(b"\x7fELF") {
            breaches.push(Breach::new("built-file", name, "what is built stays out of the repository"));
        }
    }
    // This very checkout's place must not be named; `/` or a folder right below it is too common a text to be looked for.
    let place = checkout.root.parent().and_then(|folder| folder.to_str()).filter(|folder| folder.len() > 1);
    let place = place.map(|folder| format!("{folder}/main/"));
    for (name, text) in checkout.texts().filter(|(name, _)| *name != "tools/tidy/src/tracked.rs") {
        let homes = HOMES.iter().copied().chain(place.as_deref());
        for home in homes.filter(|home| names_place(text, home)) {
            breaches.push(Breach::new(
                "machine-path",
                format!("{name}: {home}"),
                "name a place that every machine has",
            ));
        }
    }
    breaches
}

/// Whether the text names a place from the root, not a folder of that name somewhere else.
fn names_place(text: &str, place: &str) -> bool {
    let is_part_of_path = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '}' | ')');
    text.match_indices(place).any(|(at, _)| !text.get(..at).is_some_and(|before| before.ends_with(is_part_of_path)))
}
