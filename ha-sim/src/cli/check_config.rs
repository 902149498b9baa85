//! `ha-sim check-config`: problems of configuration files.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use clap::ValueEnum;
use ha_core::{
    config::{DatacenterFile, FenceConfig, GroupsConfig, NodesConfig, Problem, ResourcesConfig, RulesConfig},
    id::ServiceTypes,
};
use serde::Serialize;

use super::{Error, Verdict, report, terminal};

/// What a configuration file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    Resources,
    Groups,
    Rules,
    Datacenter,
    Fence,
    Nodes,
}

/// How problems are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// `file:line: message`
    Text,
    /// A JSON array of objects with `file`, `line`, `code`, `message`, and `section` and `property` where they are known
    Json,
}

/// A problem of a file.
#[derive(Debug, Serialize)]
struct Found {
    file: String,
    line: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    section: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    property: Option<String>,
    code: &'static str,
    message: String,
}

pub(super) fn check(
    files: &[PathBuf],
    kind: Option<Kind>,
    format: Format,
    out: &mut impl Write,
) -> Result<Verdict, Error> {
    let mut found = Vec::new();
    for file in files {
        let kind = kind.or_else(|| kind_of(file)).ok_or_else(|| Error::UnknownKind(file.clone()))?;
        found.extend(problems(file, kind, &report::read(file)?));
    }
    match format {
        Format::Text => {
            for Found { file, line, section, property, message, .. } in &found {
                let style = terminal::STRONG;
                let place = match (section, property) {
                    (Some(section), Some(property)) => format!("in '{section}', property '{property}': "),
                    (Some(section), None) => format!("in '{section}': "),
                    (None, _) => String::new(),
                };
                writeln!(out, "{style}{file}:{line}:{style:#} {place}{message}")?;
            }
        }
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, &found).map_err(std::io::Error::from)?;
            writeln!(out)?;
        }
    }
    Ok(if found.is_empty() { Verdict::Well } else { Verdict::Failed })
}

/// Told by the end of its name, so that `old-rules.cfg` is a rules file.
fn kind_of(file: &Path) -> Option<Kind> {
    let stem = file.file_name()?.to_str()?.strip_suffix(".cfg")?;
    let kinds = Kind::value_variants().iter();
    kinds.copied().find(|kind| kind.to_possible_value().is_some_and(|value| stem.ends_with(value.get_name())))
}

fn problems(file: &Path, kind: Kind, text: &[u8]) -> Vec<Found> {
    let types = ServiceTypes::default();
    let file = file.display().to_string();
    let from_problems = |problems: Vec<Problem>| {
        let found = problems.into_iter().map(|problem| Found {
            file: file.clone(),
            line: problem.line,
            code: problem.kind.code(),
            message: problem.kind.to_string(),
            section: problem.section,
            property: problem.property,
        });
        found.collect()
    };
    match kind {
        Kind::Resources => from_problems(ResourcesConfig::read(text, &types).problems),
        Kind::Groups => from_problems(GroupsConfig::read(text).problems),
        Kind::Nodes => from_problems(NodesConfig::read(text).problems),
        Kind::Rules => from_problems(RulesConfig::read(text, &types).problems),
        Kind::Datacenter => from_problems(DatacenterFile::read(text).problems),
        Kind::Fence => fence_problems(&file, text),
    }
}

fn fence_problems(file: &str, text: &[u8]) -> Vec<Found> {
    let found = |line: usize, code: &'static str, message: String| Found {
        file: file.to_owned(),
        line,
        section: None,
        property: None,
        code,
        message,
    };
    let read = FenceConfig::read(text);
    let warnings =
        read.warnings.iter().map(|warning| found(warning.line, warning.kind.code(), warning.kind.to_string()));
    let errors = read.config.as_ref().err().map(|errors| errors.0.as_slice()).unwrap_or_default();
    let errors = errors.iter().map(|error| found(error.line, error.kind.code(), error.kind.to_string()));
    let mut all: Vec<Found> = warnings.chain(errors).collect();
    all.sort_by_key(|found| found.line);
    all
}
