//! No circle of files within a crate. A module and its own children may name each other.

use std::collections::BTreeSet;

use crate::{
    Breach,
    files::Checkout,
    imports::{Graph, Module},
};

pub(crate) fn check(checkout: &Checkout) -> Vec<Breach> {
    let has_library = |folder: &str| checkout.files.contains_key(&format!("{folder}src/lib.rs"));
    let libraries = checkout.files.keys().filter_map(|name| name.strip_suffix("src/lib.rs"));
    let programs = checkout.files.keys().filter_map(|name| name.strip_suffix("src/main.rs"));
    let alone = programs.filter(|folder| !has_library(folder));
    libraries.chain(alone).flat_map(|folder| circles_in(checkout, folder)).collect()
}

fn circles_in(checkout: &Checkout, folder: &str) -> Vec<Breach> {
    let graph = Graph::read(checkout, &format!("{folder}src/"));
    let mut reported = BTreeSet::new();
    let mut breaches = Vec::new();
    for module in graph.imports.keys() {
        let circle = circle_of(&graph, module);
        if circle.len() > 1 && reported.insert(circle.clone()) {
            let names: Vec<String> = circle.iter().map(|module| name(module)).collect();
            let place = format!("{}: {}", folder.trim_end_matches('/'), names.join(" "));
            breaches.push(Breach::new("circle", place, "let what all of these need stand below them"));
        }
    }
    breaches
}

fn name(module: &Module) -> String {
    if module.is_empty() { "lib".into() } else { module.join("::") }
}

/// All modules that can be reached from this one and lead back to it, itself included.
fn circle_of(graph: &Graph, module: &Module) -> BTreeSet<Module> {
    let reached = reach(graph, module);
    let mut circle: BTreeSet<Module> =
        reached.into_iter().filter(|other| reach(graph, other).contains(module)).collect();
    circle.insert(module.clone());
    circle
}

fn reach(graph: &Graph, from: &Module) -> BTreeSet<Module> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from.clone()];
    while let Some(module) = open.pop() {
        for import in graph.imports.get(&module).into_iter().flatten() {
            if !is_family(&module, import) && reached.insert(import.clone()) {
                open.push(import.clone());
            }
        }
    }
    reached
}

/// Whether one is above the other.
fn is_family(one: &Module, other: &Module) -> bool {
    one.starts_with(other) || other.starts_with(one)
}
