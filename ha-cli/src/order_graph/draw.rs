//! The graph of order rules for `dot` of Graphviz, and as a picture.

use std::{
    collections::BTreeMap,
    fmt::{self, Write},
};

use ha_host::desk::{ComesAfter, Health};

use super::{
    GraphRule, OrderGraph, OrderedService,
    layers::{Item, Layers, Place},
};

/// The graph in the language of Graphviz. A rule is a node too: it leads from those that come first to those that come then.
pub(super) fn dot(graph: &OrderGraph) -> String {
    let mut text = String::from("digraph \"start order\" {\n\trankdir=LR;\n\tnode [fontname=\"sans-serif\"];\n");
    // A String takes all that is written.
    let _ = write_dot(graph, &mut text);
    text.push_str("}\n");
    text
}

fn write_dot(graph: &OrderGraph, text: &mut String) -> fmt::Result {
    for service in &graph.services {
        let OrderedService { sid, state, .. } = service;
        let fill = fill(service.health);
        writeln!(
            text,
            "\t\"{sid}\" [shape=box style=\"rounded,filled\" fillcolor=\"{fill}\" label=\"{sid}\\n{state}\"];"
        )?;
    }
    for rule in &graph.rules {
        let GraphRule { says: ComesAfter { rule: name, first, .. }, then } = rule;
        writeln!(text, "\t\"rule {name}\" [shape=plaintext label=\"{name}\\n{}\"];", rule.manner())?;
        first.iter().try_for_each(|sid| writeln!(text, "\t\"{sid}\" -> \"rule {name}\" [arrowhead=none];"))?;
        then.iter().try_for_each(|sid| writeln!(text, "\t\"rule {name}\" -> \"{sid}\";"))?;
    }
    Ok(())
}

/// What fills a service's box.
fn fill(health: Health) -> &'static str {
    match class(health) {
        "healthy" => "#e3f4e6",
        "critical" => "#fbe0dd",
        _ => "#fdf1d3",
    }
}

fn class(health: Health) -> &'static str {
    match health {
        Health::Healthy => "healthy",
        Health::Degraded => "degraded",
        Health::Critical => "critical",
    }
}

/// In light and dark surroundings.
const STYLE: &str = "\
text { font: 14px sans-serif; text-anchor: middle; fill: #1c2126; }
rect { stroke: #6b7680; fill: #fdf1d3; }
.healthy rect { stroke: #2e8b47; fill: #e3f4e6; }
.degraded rect { stroke: #b07a00; fill: #fdf1d3; }
.critical rect { stroke: #c0392b; fill: #fbe0dd; }
.rule rect { stroke: #b9c1c8; stroke-dasharray: 3 3; fill: none; }
.rule text { font-size: 12px; fill: #57626c; }
path { stroke: #6b7680; fill: none; }
marker path { stroke: none; fill: #6b7680; }
@media (prefers-color-scheme: dark) {
text { fill: #e8edf1; }
.healthy rect { fill: #17371f; }
.degraded rect { fill: #40320c; }
.critical rect { fill: #471d19; }
.rule text { fill: #a9b4bd; }
.rule rect { stroke: #57626c; }
}
";

/// The graph as a picture, from left to right.
pub(super) fn svg(graph: &OrderGraph) -> String {
    let layers = arrange(graph);
    let mut text = String::new();
    // A String takes all that is written.
    let _ = write_svg(&layers, &mut text);
    text
}

/// Services in the layer of their step, and each rule between those that come first and those that come then.
fn arrange(graph: &OrderGraph) -> Layers {
    let mut layers = Layers::default();
    let mut services = BTreeMap::new();
    for OrderedService { sid, step, state, health } in &graph.services {
        let layer = step.saturating_sub(1).saturating_mul(2);
        let item = layers.add(Item::new(layer, class(*health), [sid.to_string(), state.clone()]));
        services.insert(sid, (item, layer));
    }
    for rule in &graph.rules {
        let firsts = || rule.says.first.iter().filter_map(|sid| services.get(sid));
        let last = firsts().map(|(_, layer)| *layer).max().unwrap_or(0);
        let item = layers.add(Item::new(last.saturating_add(1), "rule", [rule.says.rule.to_string(), rule.manner()]));
        firsts().for_each(|(first, _)| layers.connect(*first, item));
        let thens = rule.then.iter().filter_map(|sid| services.get(sid));
        thens.for_each(|(then, _)| layers.connect(item, *then));
    }
    layers.arrange();
    layers
}

fn write_svg(layers: &Layers, text: &mut String) -> fmt::Result {
    let (width, height) = layers.size();
    writeln!(
        text,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">\n\
         <title>In which order services are started</title>\n<style>\n{STYLE}</style>\n\
         <defs><marker id=\"tip\" viewBox=\"0 0 10 10\" refX=\"10\" refY=\"5\" markerWidth=\"8\" markerHeight=\"8\" \
         orient=\"auto\"><path d=\"M0 0L10 5L0 10z\"/></marker></defs>"
    )?;
    for (from, to) in layers.lines() {
        write_line(from, to, text)?;
    }
    for (item, place) in layers.items() {
        write_box(item, place, text)?;
    }
    text.write_str("</svg>\n")
}

/// From the right side of one to the left side of another one, and through what only passes.
fn write_line((from, start): (&Item, Place), (to, end): (&Item, Place), text: &mut String) -> fmt::Result {
    let (left, right) = (start.right(), end.x);
    let middle = left.midpoint(right);
    let tip = if to.is_service() { " marker-end=\"url(#tip)\"" } else { "" };
    let begin = if from.passes() { start.x } else { left };
    writeln!(
        text,
        "<path{tip} d=\"M{begin} {y}H{left}C{middle} {y} {middle} {to_y} {right} {to_y}\"/>",
        y = start.middle(),
        to_y = end.middle()
    )
}

fn write_box(item: &Item, place: Place, text: &mut String) -> fmt::Result {
    let Place { x, y, width, height } = place;
    let class = item.class();
    write!(text, "<g class=\"{class}\"><rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"6\"/>")?;
    let middle = x.saturating_add(width / 2);
    for (line, base) in item.lines().iter().zip([17, 34]) {
        let line = line.replace('&', "&amp;").replace('<', "&lt;");
        write!(text, "<text x=\"{middle}\" y=\"{}\">{line}</text>", y.saturating_add(base))?;
    }
    writeln!(text, "</g>")
}
