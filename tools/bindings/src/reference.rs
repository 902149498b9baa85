//! Reference pages: the words and events with their names in every language.

use std::fmt::Write as _;

use crate::{
    Failure, NOTE, c,
    source::{Sources, without_links},
    table::Tables,
};

/// Documentation in a cell of a table.
fn cell(doc: &str) -> String {
    without_links(doc, |code| format!("`{code}`")).split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

pub(crate) fn words(sources: &Sources, tables: &Tables) -> Result<String, Failure> {
    let mut page = format!(
        "<!-- {NOTE} -->\n# Words\n\nThe small sets of words that files, records and events have. Rust, Perl, Python and\n"
    );
    page += "JSON have the words themselves, C has numbers for those that it works with.\n";
    for word in &tables.words {
        let core = sources.type_of(&word.path)?;
        let (module, class) = &word.python;
        write!(page, "\n## `{}`\n\n{}\n\n", core.name, cell(&core.doc))?;
        write!(page, "In Python `{module}.{class}`")?;
        match &word.c {
            Some(numbers) => {
                write!(page, ", in C `enum {}`.\n\n| word | in C | what |\n|---|---|---|\n", numbers.name)?
            }
            None => write!(page, ".\n\n| word | what |\n|---|---|\n")?,
        }
        for variant in &core.variants {
            let numbers = word.c.as_ref().map_or(&[][..], |numbers| &numbers.rows);
            let in_c = numbers.iter().find(|(word, ..)| *word == variant.word);
            let in_c = in_c.map_or_else(String::new, |(_, name, number)| format!(" `{name}` {number} |"));
            writeln!(page, "| `{}` |{in_c} {} |", variant.word, cell(&variant.doc))?;
        }
    }
    Ok(page)
}

pub(crate) fn events(sources: &Sources, tables: &Tables) -> Result<String, Failure> {
    let core = sources.type_of("ha_core::event::Event")?;
    let mut page = format!(
        "<!-- {NOTE} -->\n# Events\n\nAll that happens. An event is JSON with the name of its kind under `event`, and its fields; those in\n"
    );
    page += "brackets may be missing. In Rust each is a variant of `Event`, in Python a class of `pyha.events`, and C names it\n";
    page += "`HA_EVENT_` with the name in capitals.\n\n| event | in C | fields | what |\n|---|---|---|---|\n";
    for (variant, number) in c::kinds(&core, tables)? {
        let fields = c::fields(variant);
        writeln!(page, "| `{}` | {number} | {fields} | {} |", variant.word, cell(&variant.doc))?;
    }
    Ok(page)
}
