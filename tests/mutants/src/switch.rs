//! Puts mutants into a source file, each behind a switch.
//!
//! `a == b` becomes `(if on(7) { a != b } else { a == b })`, a body that gives a default becomes `if on(8) { return
//! Default::default(); }` before the real one. Exactly one switch is on in a run, so what a mutant says is made of text that
//! has no switches in it.

use std::{cmp::Reverse, ops::Range};

use anyhow::{Context, Result};
use syn::{spanned::Spanned, visit::Visit};

use crate::list::{Genre, Mutant};

/// A place in a file at which something is put in, or put around what is there.
#[derive(Debug)]
struct Site {
    range: Range<usize>,
    form: Form,
}

#[derive(Debug)]
enum Form {
    /// Instead of the expression, others: each with the number of its mutant.
    Expression(Vec<(usize, String)>),
    /// At the beginning of a body, returns.
    Body(Vec<(usize, String)>),
    /// The guard of an arm of a match that can be deleted, or whose guard can be replaced.
    Guard { delete: Option<usize>, always: Option<usize>, never: Option<usize> },
    /// A guard for an arm that has none.
    NewGuard(usize),
    /// A word that is left away.
    Nothing,
}

/// A file with switches.
pub struct Switched {
    pub text: String,
    /// The text that a mutant stands for, in bytes of `text`; and for each place, the mutants that are there.
    pub places: Vec<(Range<usize>, Vec<usize>)>,
    /// Mutants that do not compile, as can be seen.
    pub unviable: Vec<usize>,
    /// Mutants that no switch can be made for.
    pub left_out: Vec<usize>,
}

/// Puts the mutants with their numbers into `text`. There are no switches in constants; functions are not `const` any more.
pub fn switch(text: &str, mutants: &[(usize, &Mutant)]) -> Result<Switched> {
    let file = syn::parse_file(text).context("parse")?;
    let wanted = mutants.iter().map(|(number, mutant)| Wanted {
        number: *number,
        genre: mutant.genre,
        replacement: &mutant.replacement,
        range: mutant.span.start.offset(text)..mutant.span.end.offset(text),
    });
    // The crate has no `std`.
    let (unviable, wanted) = wanted.partition::<Vec<_>, _>(|wanted| wanted.replacement.contains("::std::"));
    let unviable = unviable.iter().map(|wanted| wanted.number).collect();
    let mut finder = Finder { text, wanted, sites: Vec::new(), unviable };
    finder.visit_file(&file);
    let unviable = finder.unviable;
    let left_out = finder.wanted.iter().map(|wanted| wanted.number).collect();
    // What is put in comes before what is there; what contains, before what is contained.
    finder.sites.sort_by_key(|site| (site.range.start, !site.range.is_empty(), Reverse(site.range.end)));
    let mut out = Switched { text: String::new(), places: Vec::new(), unviable, left_out };
    render(text, 0..text.len(), &finder.sites, &mut out);
    Ok(out)
}

struct Wanted<'a> {
    number: usize,
    genre: Genre,
    replacement: &'a str,
    range: Range<usize>,
}

struct Finder<'a> {
    text: &'a str,
    wanted: Vec<Wanted<'a>>,
    sites: Vec<Site>,
    unviable: Vec<usize>,
}

impl<'a> Finder<'a> {
    /// Takes the mutants that are at this place out of those that are still looked for.
    fn take(&mut self, genre: Genre, range: &Range<usize>) -> Vec<Wanted<'a>> {
        self.wanted.extract_if(.., |wanted| wanted.genre == genre && wanted.range == *range).collect()
    }

    fn body(&mut self, signature: &syn::Signature, block: &syn::Block) {
        if let Some(word) = &signature.constness {
            self.sites.push(Site { range: word.span().byte_range(), form: Form::Nothing });
        }
        let (Some(first), Some(last)) = (block.stmts.first(), block.stmts.last()) else { return };
        let range = first.span().byte_range().start..last.span().byte_range().end;
        let mutants = self.take(Genre::FnValue, &range);
        if !mutants.is_empty() {
            let returns = mutants.iter().map(|wanted| (wanted.number, format!("return {};", wanted.replacement)));
            self.sites.push(Site { range: range.start..range.start, form: Form::Body(returns.collect()) });
        }
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item_const(&mut self, _: &'ast syn::ItemConst) {}

    fn visit_item_static(&mut self, _: &'ast syn::ItemStatic) {}

    fn visit_impl_item_const(&mut self, _: &'ast syn::ImplItemConst) {}

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.body(&item.sig, &item.block);
        syn::visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.body(&item.sig, &item.block);
        syn::visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.body(&item.sig, block);
        }
        syn::visit::visit_trait_item_fn(self, item);
    }

    fn visit_expr_binary(&mut self, expression: &'ast syn::ExprBinary) {
        let operator = expression.op.span().byte_range();
        let whole = expression.span().byte_range();
        let mutants = self.take(Genre::BinaryOperator, &operator);
        if has_let(&expression.left) || has_let(&expression.right) {
            // An `||` next to a `let` does not compile.
            self.unviable.extend(mutants.iter().map(|wanted| wanted.number));
        } else {
            let (left, right) = (expression.left.span().byte_range(), expression.right.span().byte_range());
            let alternatives = mutants.iter().map(|wanted| {
                let (left, right) = (&self.text[left.clone()], &self.text[right.clone()]);
                let text = if wanted.replacement.ends_with('=') && !COMPARISONS.contains(&wanted.replacement) {
                    format!("{left} {} {right}", wanted.replacement)
                } else {
                    format!("({left}) {} ({right})", wanted.replacement)
                };
                (wanted.number, text)
            });
            let alternatives = alternatives.collect::<Vec<_>>();
            if !alternatives.is_empty() {
                self.sites.push(Site { range: whole, form: Form::Expression(alternatives) });
            }
        }
        syn::visit::visit_expr_binary(self, expression);
    }

    fn visit_expr_unary(&mut self, expression: &'ast syn::ExprUnary) {
        let mutants = self.take(Genre::UnaryOperator, &expression.op.span().byte_range());
        if !mutants.is_empty() {
            let operand = &self.text[expression.expr.span().byte_range()];
            let alternatives =
                mutants.iter().map(|wanted| (wanted.number, format!("{} ({operand})", wanted.replacement)));
            let form = Form::Expression(alternatives.collect());
            self.sites.push(Site { range: expression.span().byte_range(), form });
        }
        syn::visit::visit_expr_unary(self, expression);
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        let delete = self.take(Genre::MatchArm, &arm.span().byte_range()).first().map(|wanted| wanted.number);
        if let syn::Pat::Guard(syn::PatGuard { guard, .. }) = &arm.pat {
            let range = guard.span().byte_range();
            let replaced = self.take(Genre::MatchArmGuard, &range);
            let with = |text| replaced.iter().find(|wanted| wanted.replacement == text).map(|wanted| wanted.number);
            let (always, never) = (with("true"), with("false"));
            if delete.or(always).or(never).is_some() {
                self.sites.push(Site { range, form: Form::Guard { delete, always, never } });
            }
        } else if let Some(delete) = delete {
            let end = arm.pat.span().byte_range().end;
            self.sites.push(Site { range: end..end, form: Form::NewGuard(delete) });
        }
        syn::visit::visit_arm(self, arm);
    }

    fn visit_expr_struct(&mut self, expression: &'ast syn::ExprStruct) {
        let whole = expression.span().byte_range();
        let mut alternatives = Vec::new();
        for field in &expression.fields {
            let mut range = field.span().byte_range();
            if self.text[range.end..].starts_with(',') {
                range.end += 1;
            }
            for wanted in self.take(Genre::StructField, &range) {
                let rest = &self.text[range.end..whole.end];
                alternatives.push((wanted.number, format!("{}{rest}", &self.text[whole.start..range.start])));
            }
        }
        if !alternatives.is_empty() {
            self.sites.push(Site { range: whole, form: Form::Expression(alternatives) });
        }
        syn::visit::visit_expr_struct(self, expression);
    }
}

const COMPARISONS: [&str; 4] = ["==", "!=", "<=", ">="];

fn has_let(expression: &syn::Expr) -> bool {
    match expression {
        syn::Expr::Let(_) => true,
        syn::Expr::Binary(binary) => has_let(&binary.left) || has_let(&binary.right),
        _ => false,
    }
}

/// Writes what is in `range`, with the switches at `sites`, which are all in it.
fn render(text: &str, range: Range<usize>, mut sites: &[Site], out: &mut Switched) {
    let mut at = range.start;
    while let Some((site, rest)) = sites.split_first() {
        let inside = rest.iter().take_while(|other| other.range.start < site.range.end).count();
        let (inside, after) = rest.split_at(inside);
        out.text.push_str(&text[at..site.range.start]);
        let start = out.text.len();
        let numbers = render_site(text, site, inside, out);
        out.places.push((start..out.text.len(), numbers));
        at = site.range.end;
        sites = after;
    }
    out.text.push_str(&text[at..range.end]);
}

fn render_site(text: &str, site: &Site, inside: &[Site], out: &mut Switched) -> Vec<usize> {
    match &site.form {
        Form::Expression(alternatives) => {
            out.text.push('(');
            for (number, alternative) in alternatives {
                out.text.push_str(&format!("if {} {{ ", on(*number)));
                out.alternative(*number, alternative);
                out.text.push_str(" } else ");
            }
            // In brackets, or what begins with an `if` would end with it.
            out.text.push_str("{ (");
            render(text, site.range.clone(), inside, out);
            out.text.push_str(") })");
            alternatives.iter().map(|(number, _)| *number).collect()
        }
        Form::Body(returns) => {
            for (number, text) in returns {
                out.text.push_str(&format!("if {} {{ ", on(*number)));
                out.alternative(*number, text);
                out.text.push_str(" } ");
            }
            returns.iter().map(|(number, _)| *number).collect()
        }
        Form::Guard { delete, always, never } => {
            out.text.push('(');
            for (number, joint) in [(delete, "!{} && "), (always, "({} || "), (never, "!{} && ")] {
                if let Some(number) = number {
                    out.text.push_str(&joint.replace("{}", &on(*number)));
                }
            }
            out.text.push('(');
            render(text, site.range.clone(), inside, out);
            out.text.push_str(if always.is_some() { ")))" } else { "))" });
            [*delete, *always, *never].into_iter().flatten().collect()
        }
        Form::NewGuard(number) => {
            out.text.push_str(&format!(" if !{}", on(*number)));
            vec![*number]
        }
        Form::Nothing => Vec::new(),
    }
}

impl Switched {
    fn alternative(&mut self, number: usize, text: &str) {
        let start = self.text.len();
        self.text.push_str(text);
        self.places.push((start..self.text.len(), vec![number]));
    }
}

fn on(number: usize) -> String {
    format!("crate::mutant_switch::on({number})")
}

/// The module that the switches are in. `MUTANT` names the mutant that is on; `MUTANTS_REACHED` a file for the numbers of
/// all whose place was passed.
pub const MODULE: &str = r#"//! Switches for mutants.
extern crate std;
use std::{io::Write, sync::{Mutex, OnceLock}, fs::{File, OpenOptions}, vec::Vec};

static ON: OnceLock<Option<usize>> = OnceLock::new();
static REACHED: OnceLock<Option<Mutex<(File, Vec<bool>)>>> = OnceLock::new();

pub(crate) fn on(number: usize) -> bool {
    if let Some(reached) = REACHED.get_or_init(open) {
        let mut reached = reached.lock().unwrap();
        if reached.1.len() <= number {
            reached.1.resize(number + 1, false);
        }
        if !reached.1[number] {
            reached.1[number] = true;
            std::writeln!(reached.0, "{number}").unwrap();
        }
    }
    *ON.get_or_init(|| std::env::var("MUTANT").ok().map(|number| number.parse().unwrap())) == Some(number)
}

fn open() -> Option<Mutex<(File, Vec<bool>)>> {
    let path = std::env::var_os("MUTANTS_REACHED")?;
    Some(Mutex::new((OpenOptions::new().append(true).create(true).open(path).unwrap(), Vec::new())))
}
"#;
