//! What documents name in backticks exists: paths, functions, settings, events, planted bugs, invariants.

use crate::{Breach, files::Checkout};

/// Documents that name things of the code.
const FOLDER: &str = "docs/";

pub(crate) fn check(checkout: &Checkout) -> Vec<Breach> {
    let code: String = checkout
        .texts()
        .filter(|(name, _)| !name.ends_with(".md"))
        .map(|(_, text)| text)
        .collect::<Vec<_>>()
        .join("\n");
    let mut breaches = Vec::new();
    for (name, text) in checkout.texts().filter(|(name, _)| name.starts_with(FOLDER) && name.ends_with(".md")) {
        for named in in_backticks(text) {
            if !exists(checkout, &code, named) {
                breaches.push(Breach::new("document", format!("{name}: {named}"), "there is nothing of this name"));
            }
        }
        for target in link_targets(text) {
            let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
            if !checkout.root.join(folder).join(target).exists() {
                breaches.push(Breach::new("document", format!("{name}: {target}"), "the link leads nowhere"));
            }
        }
    }
    breaches
}

/// What stands between backticks, outside of blocks of code.
fn in_backticks(text: &str) -> impl Iterator<Item = &str> {
    text.split("```").step_by(2).flat_map(|text| text.split('`').skip(1).step_by(2))
}

/// Where links lead, within the repository.
fn link_targets(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets
        .filter(|target| !target.contains("://") && !target.starts_with('#'))
        .map(|target| target.split('#').next().unwrap_or(target))
}

fn exists(checkout: &Checkout, code: &str, name: &str) -> bool {
    let is = |allowed: char| name.chars().all(|c| c.is_ascii_lowercase() || c == allowed) && name.contains(allowed);
    if name.contains('/') && is_path(name) {
        // From the root, or from where its room is clear; what begins with a slash is a place on a host.
        let within = format!("/{}", name.trim_end_matches('/'));
        let names = |file: &String| file.ends_with(&within) || file.contains(&format!("{within}/"));
        name.starts_with('/') || checkout.root.join(name).exists() || checkout.files.keys().any(names)
    } else if is('_') {
        // A function, a setting, a field, an event, whose word is made of its name, or a file of tests.
        let file = format!("/{name}.rs");
        code.contains(name)
            || code.contains(&camel(name, '_'))
            || checkout.files.keys().any(|path| path.ends_with(&file))
    } else if is('-') && !name.starts_with('-') {
        // A planted bug, an invariant, whose word is made of its name, or a scenario.
        let folder = format!("/{name}/");
        code.contains(name)
            || code.contains(&camel(name, '-'))
            || checkout.files.keys().any(|path| path.contains(&folder))
    } else if let Some((_, item)) = name.rsplit_once("::").filter(|_| !name.contains(' ')) {
        code.contains(item.trim_end_matches("()"))
    } else {
        true
    }
}

/// A path within the repository: names and dots, no pattern, no place on a machine.
fn is_path(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-' | '.'))
}

fn camel(name: &str, separator: char) -> String {
    let capitalised = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
    };
    name.split(separator).map(capitalised).collect()
}
