//! Words and events as enums of C, in plain Rust that the header is made from.

use crate::{
    Failure, NOTE,
    source::{Sources, Type, Variant, without_links},
    table::{Numbers, Tables},
};

const ENUM: &str = "#[repr(i32)]\n#[derive(Debug, Clone, Copy, PartialEq, Eq)]\n";

/// Documentation for the header: plain text.
fn comment(doc: &str, indent: &str) -> String {
    let plain = without_links(doc, |code| format!("`{}`", code.replace("::", ".")));
    plain.lines().map(|line| format!("{indent}/// {line}").trim_end().to_owned() + "\n").collect()
}

pub(crate) fn words(sources: &Sources, tables: &Tables) -> Result<String, Failure> {
    let mut made = format!("// {NOTE}\n//! The words of the core as numbers for C.\n\n");
    made += "use std::ffi::c_char;\n\nuse crate::words::{Number, numbers, word};\n";
    let mut checks = String::new();
    for word in &tables.words {
        if let Some(numbers) = &word.c {
            made += &word_enum(&sources.type_of(&word.path)?, &word.path, numbers)?;
            checks += &format!("        check({}::ALL);\n", word.path);
        }
    }
    made += "\n#[cfg(test)]\nmod tests {\n    use crate::words::check;\n\n    #[test]\n";
    made += &format!("    fn every_value_has_its_number_and_its_word() {{\n{checks}    }}\n}}\n");
    Ok(made)
}

fn word_enum(core: &Type, path: &str, numbers: &Numbers) -> Result<String, Failure> {
    let name = &numbers.name;
    let (mut variants, mut rows) = (String::new(), String::new());
    for (word, constant, number) in &numbers.rows {
        let variant = core.variants.iter().find(|variant| variant.word == *word);
        let variant = variant.ok_or_else(|| format!("tables/words: {path} has no word '{word}'"))?;
        variants += &format!("{}    {constant} = {number},\n", comment(&variant.doc, "    "));
        rows += &format!("    {constant} = {} \"{word}\",\n", variant.name);
    }
    if let Some(new) = core.variants.iter().find(|variant| numbers.rows.iter().all(|(word, ..)| *word != variant.word))
    {
        return Err(format!("tables/words: '{}' of {path} has no number in {name} yet", new.word).into());
    }
    Ok(format!(
        "\n{}{ENUM}pub enum {name} {{\n{variants}}}\n\nnumbers! {{\n    {name}: {path},\n{rows}}}\n\n\
         /// The word for a {name}, as the records and events have it; NULL for a number that is none.\n\
         #[unsafe(no_mangle)]\npub extern \"C\" fn {name}_name(value: i32) -> *const c_char {{\n    word::<{path}>(value)\n}}\n",
        comment(&core.doc, "")
    ))
}

/// What each kind has, with the fields that its events may lack in brackets.
pub(crate) fn fields(variant: &Variant) -> String {
    let name = |field: &crate::source::Field| match field.may_be_missing {
        true => format!("[{}]", field.name),
        false => field.name.clone(),
    };
    variant.fields.iter().map(name).collect::<Vec<_>>().join(", ")
}

/// The kinds of events in the order of their numbers.
pub(crate) fn kinds<'a>(core: &'a Type, tables: &Tables) -> Result<Vec<(&'a Variant, i32)>, Failure> {
    let kind = |(name, number): &(String, i32)| {
        let variant = core.variants.iter().find(|variant| variant.word == *name);
        Ok((variant.ok_or_else(|| format!("tables/events: the core has no event '{name}'"))?, *number))
    };
    let kinds: Vec<_> = tables.events.iter().map(kind).collect::<Result<_, Failure>>()?;
    match core.variants.iter().find(|variant| tables.events.iter().all(|(name, _)| *name != variant.word)) {
        Some(new) => Err(format!("tables/events: '{}' has no number yet: give it the next one", new.word).into()),
        None => Ok(kinds),
    }
}

pub(crate) fn events(sources: &Sources, tables: &Tables) -> Result<String, Failure> {
    let core = sources.type_of("ha_core::event::Event")?;
    let (mut variants, mut arms) = (String::new(), String::new());
    for (variant, number) in kinds(&core, tables)? {
        let constant = format!("HA_EVENT_{}", variant.word.to_uppercase());
        variants += &comment(&variant.doc, "    ");
        if !variant.fields.is_empty() {
            variants += &format!("    /// Fields: {}.\n", fields(variant));
        }
        variants += &format!("    {constant} = {number},\n");
        let data = if variant.fields.is_empty() { "" } else { " { .. }" };
        arms += &format!("        Event::{}{data} => Kind::{constant},\n", variant.name);
    }
    Ok(format!(
        "// {NOTE}\n//! The kinds of events as numbers for C.\n\nuse ha_core::event::Event;\n\n\
         /// What happened. With each kind are the fields that its events have; those in brackets may be missing. See \
         ha_event_text(),\n/// ha_event_number() and ha_event_item().\n{ENUM}pub enum ha_event_kind {{\n\
         \x20   /// An event that is newer than this header: read its name and fields.\n    HA_EVENT_OTHER = 1,\n{variants}}}\n\n\
         /// The kind of an event.\n// tidy: table\npub(crate) fn kind(event: &Event) -> ha_event_kind {{\n    \
         use ha_event_kind as Kind;\n    match event {{\n{arms}        // The core's enum may grow; then 'cargo xtask \
         generate' asks for a number.\n        _ => Kind::HA_EVENT_OTHER,\n    }}\n}}\n"
    ))
}
