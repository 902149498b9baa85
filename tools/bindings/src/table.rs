//! Reads `tables/`: what Rust's own types don't say.

use std::{collections::BTreeSet, fs, path::Path};

use crate::{
    Failure,
    promises::{self, Promise},
};

/// All tables.
pub(crate) struct Tables {
    pub(crate) words: Vec<Word>,
    /// The kinds of events, with the numbers that they have in C.
    pub(crate) events: Vec<(String, i32)>,
    pub(crate) unions: Vec<Union>,
    pub(crate) records: Vec<Record>,
    /// What Python's records have besides their fields.
    pub(crate) record_code: String,
    pub(crate) promises: Vec<Promise>,
}

/// An enum of words.
pub(crate) struct Word {
    pub(crate) path: String,
    /// The module and the class of Python.
    pub(crate) python: (String, String),
    pub(crate) c: Option<Numbers>,
}

/// An enum of C.
pub(crate) struct Numbers {
    /// `ha_node_state`
    pub(crate) name: String,
    /// Word, name (`HA_NODE_ONLINE`) and number.
    pub(crate) rows: Vec<(String, String, i32)>,
}

/// An enum with data: in Python a class for each variant, in a module of its own.
pub(crate) struct Union {
    pub(crate) module: String,
    pub(crate) path: String,
    pub(crate) doc: String,
}

/// A struct that is a record in Python.
pub(crate) struct Record {
    pub(crate) path: String,
    /// What it was called before, which stays for one release.
    pub(crate) former: Option<String>,
}

impl Tables {
    pub(crate) fn read(folder: &Path) -> Result<Self, Failure> {
        let read =
            |name: &str| fs::read_to_string(folder.join(name)).map_err(|error| format!("tables/{name}: {error}"));
        let (unions, records) = read_records(&read("records")?)?;
        let (words, events) = (read_words(&read("words")?)?, read_events(&read("events")?)?);
        let promises = promises::read(&read("promises")?)?;
        Ok(Self { words, events, unions, records, record_code: read("records.py")?, promises })
    }

    /// What is counted on from each of these callbacks, and of no other.
    pub(crate) fn promises_of(&self, callbacks: &[String]) -> Result<&[Promise], Failure> {
        let known: Vec<&str> = self.promises.iter().map(|promise| promise.callback.as_str()).collect();
        match callbacks.iter().find(|callback| !known.contains(&callback.as_str())) {
            Some(new) => Err(format!("tables/promises: what is counted on of '{new}'? '-' for nothing").into()),
            None => Ok(&self.promises),
        }
    }
}

/// The lines that say something.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

pub(crate) fn read_words(text: &str) -> Result<Vec<Word>, Failure> {
    let (mut words, mut module) = (Vec::<Word>::new(), String::new());
    for line in lines(text) {
        let parts: Vec<&str> = line.split_whitespace().collect();
        match parts.as_slice() {
            ["python", name] => module = (*name).to_owned(),
            ["word", path] => {
                let name = path.rsplit("::").next().unwrap_or(path);
                words.push(Word { path: (*path).into(), python: (module.clone(), name.into()), c: None });
            }
            ["word", path, "as", name] => {
                words.push(Word { path: (*path).into(), python: (module.clone(), (*name).into()), c: None });
            }
            ["c", name, prefix, rows @ ..] => {
                let word = words.last_mut().ok_or("a line of C that belongs to no word")?;
                let rows = rows.iter().map(|row| number_row(prefix, row)).collect::<Result<Vec<_>, _>>()?;
                no_number_twice(rows.iter().map(|(.., number)| *number))?;
                word.c = Some(Numbers { name: (*name).into(), rows });
            }
            _ => return Err(format!("tables/words: what is '{line}'?").into()),
        }
    }
    Ok(words)
}

/// `word=number`, or `word:NAME=number` where the name in C is not made from the word.
fn number_row(prefix: &str, row: &str) -> Result<(String, String, i32), Failure> {
    let (word, number) = row.split_once('=').ok_or_else(|| format!("tables/words: what is '{row}'?"))?;
    let (word, name) =
        word.split_once(':').map_or_else(|| (word, word.to_uppercase()), |(word, name)| (word, name.into()));
    Ok((word.to_owned(), format!("{prefix}_{name}"), number.parse()?))
}

pub(crate) fn read_events(text: &str) -> Result<Vec<(String, i32)>, Failure> {
    let rows = lines(text).map(|line| {
        let (name, number) = line.split_once('=').ok_or_else(|| format!("tables/events: what is '{line}'?"))?;
        Ok((name.to_owned(), number.parse()?))
    });
    let rows: Vec<(String, i32)> = rows.collect::<Result<_, Failure>>()?;
    // 1 is HA_EVENT_OTHER.
    no_number_twice([1].into_iter().chain(rows.iter().map(|(_, number)| *number)))?;
    Ok(rows)
}

pub(crate) fn read_records(text: &str) -> Result<(Vec<Union>, Vec<Record>), Failure> {
    let (mut unions, mut records) = (Vec::new(), Vec::new());
    for line in lines(text) {
        if let Some(row) = line.strip_prefix("record ") {
            let (path, former) =
                row.split_once(" was ").map_or((row, None), |(path, name)| (path, Some(name.to_owned())));
            records.push(Record { path: path.to_owned(), former });
        } else if let Some((names, doc)) = line.strip_prefix("union ").and_then(|rest| rest.split_once(": "))
            && let Some((module, path)) = names.split_once(' ')
        {
            unions.push(Union { module: module.into(), path: path.into(), doc: doc.into() });
        } else {
            return Err(format!("tables/records: what is '{line}'?").into());
        }
    }
    Ok((unions, records))
}

fn no_number_twice(numbers: impl Iterator<Item = i32>) -> Result<(), Failure> {
    let mut seen = BTreeSet::new();
    for number in numbers {
        if !seen.insert(number) {
            return Err(format!("the number {number} is given twice").into());
        }
    }
    Ok(())
}
