//! Words, events and records as classes of Python, and the registration of words in the native module.

use std::collections::BTreeSet;

use proc_macro2::TokenTree;
use syn::{
    Attribute, Ident, Item, LitInt, LitStr, Token, braced,
    parse::{Parse, ParseStream},
};

use crate::{
    Failure, Made, NOTE,
    source::{Field, Sources, Variant, doc, without_links},
    table::{Tables, Union},
};

/// The longest line.
const WIDTH: usize = 120;
const KEYWORDS: [&str; 3] = ["from", "try", "with"];

const BASE_WORD: &str = r#"import enum


class Word(str, enum.Enum):
    """A word of a small set. It is equal to, and hashes as, the text that stands for it.

    >>> StateName.STARTED == "started", StateName("started") is StateName.STARTED, f"{StateName.STARTED}"
    (True, True, 'started')
    """

    def __str__(self) -> str:
        return str.__str__(self)

    def __format__(self, format_spec: str) -> str:
        return str.__format__(self, format_spec)
"#;

/// The files of the package.
pub(crate) fn package(sources: &Sources, tables: &Tables) -> Result<Vec<Made>, Failure> {
    let mut core = words(sources, tables, "pyha.words", "The words that states, events and settings have.", BASE_WORD)?;
    core += "\n\n";
    core += &guest_locks(sources)?;
    let base = "from pyha.words import Word\n";
    let sim = words(sources, tables, "pyha.sim.words", "The words of virtual clusters.", base)?;
    let mut made = vec![
        ("ha-py/python/pyha/words.py".to_owned(), core),
        ("ha-py/python/pyha/sim/words.py".to_owned(), sim),
        ("ha-py/python/pyha/records.py".to_owned(), records(sources, tables)?),
    ];
    for of in &tables.unions {
        made.push((format!("ha-py/python/{}.py", of.module.replace('.', "/")), union(sources, tables, of)?));
    }
    Ok(made)
}

/// Lets the native module turn words into members of Python's enums and back.
pub(crate) fn registration(sources: &Sources, tables: &Tables) -> Result<String, Failure> {
    let mut made = format!(
        "// {NOTE}\n//! Which class of Python has the words of an enum.\n\nuse crate::convert::{{plain_words, words}};\n"
    );
    let modules: BTreeSet<&str> = tables.words.iter().map(|word| word.python.0.as_str()).collect();
    for module in modules {
        let (mut known, mut plain) = (String::new(), String::new());
        for word in tables.words.iter().filter(|word| word.python.0 == module) {
            let (core, path) = (sources.type_of(&word.path)?, word.path.replace("ha_py::", "crate::"));
            if core.knows_its_words {
                known += &format!("    {path} = \"{}\",\n", word.python.1);
            } else {
                let row = |variant: &Variant| format!("        {} = \"{}\",\n", variant.name, variant.word);
                let rows: String = core.variants.iter().map(row).collect();
                plain += &format!("    {path} = \"{}\" {{\n{rows}    }}\n", word.python.1);
            }
        }
        for (name, rows) in [("words", known), ("plain_words", plain)] {
            if !rows.is_empty() {
                made += &format!("\n{name}! {{\n    \"{module}\":\n{rows}}}\n");
            }
        }
    }
    Ok(made)
}

/// Rust documentation as Python documentation: what is code, linked or not, has two backticks.
fn sentence(doc: &str) -> String {
    without_links(doc, |code| format!("``{}``", code.replace("::", ".")))
}

/// The first paragraph of a text, in lines that fit.
fn docstring(text: &str, indent: &str) -> String {
    let text = text.replace('\\', "\\\\");
    let paragraph = if text.contains("\n\n") { text.split("\n\n").next().unwrap_or_default() } else { &text };
    let mut lines = vec![String::new()];
    for word in paragraph.split_whitespace() {
        let line = lines.last_mut().expect("there is one");
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= WIDTH - 4 - indent.len() {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    match lines.as_slice() {
        [line] if line.chars().count() + indent.len() + 6 <= WIDTH => format!("{indent}\"\"\"{line}\"\"\"\n"),
        lines => format!("{indent}\"\"\"{}\n{indent}\"\"\"\n", lines.join(&format!("\n{indent}"))),
    }
}

fn heading(doc: &str) -> String {
    format!("# {NOTE}\n{}\nfrom __future__ import annotations\n\n", docstring(doc, ""))
}

fn words(sources: &Sources, tables: &Tables, module: &str, doc: &str, base: &str) -> Result<String, Failure> {
    let mut made = heading(doc) + base;
    for word in tables.words.iter().filter(|word| word.python.0 == module) {
        let core = sources.type_of(&word.path)?;
        made += &format!("\n\nclass {}(Word):\n{}", word.python.1, docstring(&sentence(&core.doc), "    "));
        for variant in &core.variants {
            let name = crate::source::snake(&variant.name).to_uppercase();
            made += &format!("\n    {name} = \"{}\"\n{}", variant.word, docstring(&sentence(&variant.doc), "    "));
        }
    }
    Ok(made)
}

/// The type of a field in Python.
fn type_of(rust: &str, tables: &Tables) -> Result<String, Failure> {
    let inner = |outer: &str| rust.strip_prefix(outer).and_then(|rest| rest.strip_suffix('>'));
    if let Some(inner) = inner("Option<") {
        return Ok(format!("{} | None", type_of(inner, tables)?));
    }
    if let Some(inner) = inner("Vec<") {
        return Ok(format!("tuple[{}, ...]", type_of(inner, tables)?));
    }
    Ok(match rust {
        "ServiceId" | "NodeName" | "RuleId" | "GroupId" | "FailureDomain" | "Uid" | "String" | "SmolStr"
        | "&'staticstr" | "Lock" | "ShownState" => "str".into(),
        "u32" | "u64" | "usize" | "i32" | "i64" | "Timestamp" | "JobId" => "int".into(),
        "Duration" => "timedelta".into(),
        "f64" | "Instant" => "float".into(),
        "bool" => "bool".into(),
        word if tables.words.iter().any(|known| known.python.1 == word) => format!("words.{word}"),
        record if record.starts_with(char::is_uppercase) && record.chars().all(char::is_alphanumeric) => record.into(),
        other => return Err(format!("what is the type '{other}' in Python?").into()),
    })
}

/// What a field is if it is not given.
fn default(field: &Field) -> Option<&'static str> {
    match field.of.as_str() {
        of if of.starts_with("Option<") => Some("None"),
        _ if !field.has_default => None,
        of if of.starts_with("Vec<") => Some("()"),
        "bool" => Some("False"),
        "u32" | "u64" | "i64" | "usize" => Some("0"),
        _ => None,
    }
}

/// A class with fields; those that must be given come first.
fn class(head: &str, doc: &str, fields: &[Field], extra: &str, tables: &Tables) -> Result<String, Failure> {
    let mut made = format!("@dataclass(frozen=True, slots=True)\nclass {head}:\n{}", docstring(&sentence(doc), "    "));
    if !extra.is_empty() {
        made += &format!("\n{extra}");
    }
    let (given, usual): (Vec<&Field>, Vec<&Field>) = fields.iter().partition(|field| default(field).is_none());
    for field in given.into_iter().chain(usual) {
        let underscore = if KEYWORDS.contains(&field.name.as_str()) { "_" } else { "" };
        let value = default(field).map_or_else(String::new, |value| format!(" = {value}"));
        made += &format!("\n    {}{underscore}: {}{value}\n", field.name, type_of(&field.of, tables)?);
        made += &docstring(&sentence(&field.doc), "    ");
    }
    Ok(made)
}

fn import_of_words(made: &str) -> &'static str {
    let mut after = made.split("words.").skip(1);
    if after.any(|rest| rest.starts_with(char::is_uppercase)) { "from pyha import words\n" } else { "" }
}

fn union(sources: &Sources, tables: &Tables, of: &Union) -> Result<String, Failure> {
    let core = sources.type_of(&of.path)?;
    let base = core.name.as_str();
    let mut names: Vec<&str> = core.variants.iter().map(|variant| variant.name.as_str()).collect();
    let mut classes = String::new();
    for variant in &core.variants {
        let tag = format!("    _tag = \"{}\"\n", variant.word);
        classes += "\n\n";
        classes += &class(&format!("{}({base})", variant.name), &variant.doc, &variant.fields, &tag, tables)?;
    }
    names.push(base);
    names.sort_unstable();
    let listed: String = names.iter().map(|name| format!("    \"{name}\",\n")).collect();
    let figure = if classes.contains(": Figure") { "from pyha.records import Figure\n" } else { "" };
    Ok(format!(
        "{}from dataclasses import dataclass\n\n{}from pyha._data import {base}\n{figure}\n__all__ = [\n{listed}]\n{classes}",
        heading(&of.doc),
        import_of_words(&classes),
    ))
}

fn records(sources: &Sources, tables: &Tables) -> Result<String, Failure> {
    let (whole, methods) = tables.record_code.split_once("\n# in ").unwrap_or((&tables.record_code, ""));
    let mut classes = format!("\n\n{}", whole.trim_end().to_owned() + "\n");
    for record in &tables.records {
        let core = sources.type_of(&record.path)?;
        let own = format!("{}:\n", core.name);
        let code = methods.split("\n# in ").find_map(|part| part.strip_prefix(&own));
        let code = code.map_or_else(String::new, |code| format!("{}\n", code.trim_end()));
        classes += "\n\n";
        classes += &class(&core.name, &core.doc, &core.fields, &code, tables)?;
        if let Some(former) = &record.former {
            classes += &format!("\n\n# Its former name, for one release.\n{former} = {}\n", core.name);
        }
    }
    classes += "\n\n";
    classes += &timing_settings(sources)?;
    let imports = "from dataclasses import dataclass\nfrom datetime import timedelta\n\n";
    let bases = "from pyha._data import BalanceOutcome, Change, Fate\n";
    let head = heading("Records: plain values with named fields.");
    Ok(format!("{head}{imports}{}{bases}{classes}", import_of_words(&classes)))
}

fn guest_locks(sources: &Sources) -> Result<String, Failure> {
    let mut constants = sources.items("ha_core").filter_map(|item| match item {
        Item::Const(item) if item.ident == "LEFTOVER_GUEST_LOCKS" => Some(item),
        _ => None,
    });
    let found = constants.next().ok_or("there is no LEFTOVER_GUEST_LOCKS")?;
    let syn::Expr::Array(list) = found.expr.as_ref() else { return Err("LEFTOVER_GUEST_LOCKS is no list".into()) };
    let items: String =
        list.elems.iter().map(|item| format!("    {},\n", quote::ToTokens::to_token_stream(item))).collect();
    Ok(format!("LEFTOVER_GUEST_LOCKS = (\n{items})\n{}", docstring(&sentence(&doc(&found.attrs)), "")))
}

/// The settings of `times!`: those that are times, and the numbers.
struct Settings {
    /// Documentation, name, and customary value in milliseconds.
    times: Vec<(String, String, u64)>,
    /// Documentation, name, and customary value.
    numbers: Vec<(String, String, LitInt)>,
}

impl Parse for Settings {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let (times, numbers);
        input.parse::<Ident>()?;
        braced!(times in input);
        input.parse::<Ident>()?;
        braced!(numbers in input);
        let mut settings = Self { times: Vec::new(), numbers: Vec::new() };
        while !times.is_empty() {
            let about = doc(&times.call(Attribute::parse_outer)?);
            let field: Ident = times.parse()?;
            times.parse::<Ident>()?;
            times.parse::<LitStr>()?;
            times.parse::<Token![:]>()?;
            let customary = milliseconds(&times.parse()?)?;
            while !times.peek(Token![;]) {
                times.parse::<TokenTree>()?;
            }
            times.parse::<Token![;]>()?;
            settings.times.push((about, field.to_string(), customary));
        }
        while !numbers.is_empty() {
            let about = doc(&numbers.call(Attribute::parse_outer)?);
            let field: Ident = numbers.parse()?;
            numbers.parse::<Token![:]>()?;
            settings.numbers.push((about, field.to_string(), numbers.parse()?));
            numbers.parse::<Token![;]>()?;
        }
        Ok(settings)
    }
}

fn milliseconds(value: &syn::Expr) -> syn::Result<u64> {
    match value {
        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Int(number), .. }) => number.base10_parse(),
        syn::Expr::Path(path) if path.path.is_ident("MINUTE") => Ok(60_000),
        syn::Expr::Path(path) if path.path.is_ident("HOUR") => Ok(3_600_000),
        syn::Expr::Path(path) if path.path.is_ident("DAY") => Ok(86_400_000),
        other => Err(syn::Error::new_spanned(other, "no time that is known here")),
    }
}

const TIMING_SETTINGS: &str = r#"@dataclass(frozen=True, slots=True)
class TimingSettings:
    """What can be set. Nothing is checked before ``Timings`` is made from it; a time that is not given
    has its customary value.

    >>> from datetime import timedelta
    >>> from pyha import Timings
    >>> Timings(TimingSettings(watchdog_timeout=timedelta(seconds=61))).settings.watchdog_timeout.seconds
    61
    """
"#;

fn timing_settings(sources: &Sources) -> Result<String, Failure> {
    let settings: Settings = sources.macro_call("ha_core::timing", "times")?;
    let mut made = TIMING_SETTINGS.to_owned();
    for (about, field, milliseconds) in settings.times {
        made += &format!("\n    {field}: timedelta = timedelta(milliseconds={milliseconds})\n");
        made += &docstring(&sentence(&about), "    ");
    }
    for (about, field, number) in settings.numbers {
        made += &format!("\n    {field}: int = {number}\n{}", docstring(&sentence(&about), "    "));
    }
    Ok(made)
}
