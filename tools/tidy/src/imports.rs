//! What each module of a crate imports from others of the same crate; and the rooms that must not know each other.

use std::collections::{BTreeMap, BTreeSet};

use syn::{
    Attribute, Item, ItemMod, Meta, UseTree,
    visit::{self, Visit},
};

use crate::{Breach, files::Checkout};

/// A module by its path within the crate: `manager`, `manager::state::started`; the crate's root is empty.
pub(crate) type Module = Vec<String>;

/// The modules of a crate, each with the modules that it names.
pub(crate) struct Graph {
    pub(crate) imports: BTreeMap<Module, BTreeSet<Module>>,
}

impl Graph {
    /// Reads what is below `source`, such as `ha-core/src/`.
    pub(crate) fn read(checkout: &Checkout, source: &str) -> Self {
        let files: BTreeMap<Module, &syn::File> = checkout
            .sources
            .iter()
            .filter_map(|(name, file)| Some((module_of(name.strip_prefix(source)?)?, &file.syntax)))
            .collect();
        let known: BTreeSet<Module> = files.keys().cloned().collect();
        let imports = files.iter().map(|(module, file)| (module.clone(), named_by(module, file, &known))).collect();
        Self { imports }
    }
}

/// The module in a file, by its path below `src/`. A program's `main.rs` belongs to no library.
fn module_of(path: &str) -> Option<Module> {
    let path = path.strip_suffix(".rs")?;
    let mut parts: Module = path.split('/').map(Into::into).collect();
    match parts.last().map(String::as_str) {
        Some("main") => return None,
        Some("lib" | "mod") => drop(parts.pop()),
        Some(_) | None => {}
    }
    Some(parts)
}

fn named_by(module: &Module, file: &syn::File, known: &BTreeSet<Module>) -> BTreeSet<Module> {
    let mut names = Names { module, known, found: BTreeSet::new() };
    names.visit_file(file);
    names.found.remove(module);
    names.found
}

struct Names<'a> {
    module: &'a Module,
    known: &'a BTreeSet<Module>,
    found: BTreeSet<Module>,
}

impl Names<'_> {
    /// Takes note of a path, if it leads into this crate.
    fn note(&mut self, path: &[String]) {
        let Some(mut from_root) = self.resolve(path) else { return };
        while !self.known.contains(&from_root) {
            if from_root.pop().is_none() {
                return;
            }
        }
        self.found.insert(from_root);
    }

    fn resolve(&self, path: &[String]) -> Option<Module> {
        let (first, mut rest) = path.split_first()?;
        let mut base = match first.as_str() {
            "crate" => return Some(rest.to_vec()),
            "self" => self.module.clone(),
            "super" => self.module.split_last()?.1.to_vec(),
            name => {
                // A child of this module, as in `mod round; use round::Round;`.
                let mut child = self.module.clone();
                child.push(name.into());
                if !self.known.contains(&child) {
                    return None;
                }
                child
            }
        };
        while let Some(("super", further)) = rest.split_first().map(|(name, further)| (name.as_str(), further)) {
            base.pop()?;
            rest = further;
        }
        base.extend(rest.iter().cloned());
        Some(base)
    }

    fn tree(&mut self, tree: &UseTree, prefix: &mut Vec<String>) {
        match tree {
            UseTree::Path(path) => {
                prefix.push(path.ident.to_string());
                self.tree(&path.tree, prefix);
                prefix.pop();
            }
            UseTree::Group(group) => group.items.iter().for_each(|item| self.tree(item, prefix)),
            UseTree::Name(name) => {
                let mut path = prefix.clone();
                if name.ident != "self" {
                    path.push(name.ident.to_string());
                }
                self.note(&path);
            }
            UseTree::Rename(name) => {
                let mut path = prefix.clone();
                path.push(name.ident.to_string());
                self.note(&path);
            }
            UseTree::Glob(_) => self.note(prefix),
        }
    }
}

impl<'ast> Visit<'ast> for Names<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if let Item::Use(item) = item {
            if is_old_path(&item.attrs) {
                return;
            }
            self.tree(&item.tree, &mut Vec::new());
        } else {
            visit::visit_item(self, item);
        }
    }

    /// Tests may import what they like, and a module in a file of its own is looked at there.
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if !is_for_tests(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if matches!(parts.first().map(String::as_str), Some("crate" | "super")) {
            self.note(&parts);
        }
        visit::visit_path(self, path);
    }
}

/// Whether a re-export only keeps a path from before a move, for those outside: `#[doc(no_inline)]` marks it, and shows its new
/// place in the documentation. Nothing within the crate may use such a path.
fn is_old_path(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("doc") => list.tokens.to_string() == "no_inline",
        Meta::List(_) | Meta::Path(_) | Meta::NameValue(_) => false,
    })
}

/// Whether an item is there for tests only.
pub(crate) fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => list.tokens.to_string() == "test",
        Meta::List(_) | Meta::Path(_) | Meta::NameValue(_) => false,
    })
}

/// For rooms of a crate, the rooms that they must not know, and why.
const APART: &[(&str, &[&str], &[&str], &str)] = &[
    (
        "ha-core",
        &["manager", "crm", "lrm", "lease", "placement", "rules", "config", "status", "host"],
        &["plan"],
        "questions are asked of what decides, not by it",
    ),
    (
        "ha-host",
        &["os"],
        &["agents", "desk", "fence", "node", "store", "watchdog", "workers"],
        "the ground knows nothing of what stands on it",
    ),
    (
        "ha-host",
        &["store"],
        &["agents", "desk", "fence", "node", "watchdog", "workers"],
        "a store knows no agent and no daemon",
    ),
    (
        "ha-host",
        &["watchdog", "fence"],
        &["agents", "desk", "node", "store", "workers"],
        "what guards a node needs nothing but the operating system",
    ),
    ("ha-host", &["agents", "workers"], &["desk", "fence", "node", "watchdog"], "agents know the store, and no daemon"),
    ("ha-host", &["node"], &["desk"], "the daemon answers nobody's questions: it writes records"),
];

pub(crate) fn check(checkout: &Checkout) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for (crate_name, rooms, strangers, why) in APART {
        let graph = Graph::read(checkout, &format!("{crate_name}/src/"));
        let first_of = |module: &Module, of: &[&str]| module.first().is_some_and(|first| of.contains(&first.as_str()));
        for (module, imports) in graph.imports.iter().filter(|(module, _)| first_of(module, rooms)) {
            for stranger in imports.iter().filter(|import| first_of(import, strangers)) {
                let place = format!("{crate_name}: {} imports {}", module.join("::"), stranger.join("::"));
                breaches.push(Breach::new("room-boundary", place, *why));
            }
        }
    }
    breaches
}
