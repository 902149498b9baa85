//! Functions fit a screen.

use syn::{
    Block, ImplItemFn, ItemFn, Signature, TraitItemFn,
    visit::{self, Visit},
};

use crate::{Breach, files::Checkout};

const MOST_LINES: usize = 70;

/// Stands in the line above a function that is a table, a row a line.
const MARK: &str = "// tidy: table";

pub(crate) fn check(checkout: &Checkout) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for (name, source) in &checkout.sources {
        let mut functions = Functions { lines: source.text.lines().collect(), long: Vec::new() };
        functions.visit_file(&source.syntax);
        for (function, lines) in functions.long {
            let remedy = format!("it has {lines} lines, of at most {MOST_LINES}: let parts of it be functions");
            breaches.push(Breach::new("function-length", format!("{name}: {function}"), remedy));
        }
    }
    breaches
}

struct Functions<'a> {
    lines: Vec<&'a str>,
    long: Vec<(String, usize)>,
}

impl Functions<'_> {
    fn note(&mut self, signature: &Signature, body: &Block) {
        let (first, last) = (signature.fn_token.span.start().line, body.brace_token.span.close().end().line);
        let lines = last.saturating_sub(first) + 1;
        let above = first.checked_sub(2).and_then(|line| self.lines.get(line));
        let is_table = above.is_some_and(|line| line.trim() == MARK);
        if lines > MOST_LINES && !is_table {
            self.long.push((signature.ident.to_string(), lines));
        }
    }
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.note(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        self.note(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast TraitItemFn) {
        if let Some(block) = &function.default {
            self.note(&function.sig, block);
        }
        visit::visit_trait_item_fn(self, function);
    }
}
