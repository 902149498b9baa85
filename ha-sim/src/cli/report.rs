//! `ha-sim rules` and `ha-sim fence`: what configuration files come to.

use std::{fs, io::Write, path::Path};

use ha_core::{
    config::{FenceConfig, RulesConfig},
    id::{NodeName, ServiceTypes},
    rules::{RuleSet, evaluate},
};
use serde::Serialize;

use super::{Error, Verdict};

pub(super) fn rules(file: &Path, nodes: &[NodeName], out: &mut impl Write) -> Result<Verdict, Error> {
    let parsed = RulesConfig::read(&read(file)?, &ServiceTypes::default());
    for problem in &parsed.problems {
        warn(file, problem);
    }
    let rules = RuleSet::from_config(&parsed.config);
    print(&evaluate(&rules, nodes).report(nodes), out)
}

pub(super) fn fence(file: &Path, nodes: &[NodeName], out: &mut impl Write) -> Result<Verdict, Error> {
    let parsed = FenceConfig::read(&read(file)?);
    for warning in &parsed.warnings {
        warn(file, warning);
    }
    print(&parsed.report(nodes), out)
}

pub(super) fn read(file: &Path) -> Result<Vec<u8>, Error> {
    fs::read(file).map_err(|source| Error::Read { path: file.to_owned(), source })
}

fn warn(file: &Path, problem: &impl std::fmt::Display) {
    let style = super::terminal::WARNING;
    anstream::eprintln!("{style}warning:{style:#} {}: {problem}", file.display());
}

fn print(report: &impl Serialize, out: &mut impl Write) -> Result<Verdict, Error> {
    serde_json::to_writer_pretty(&mut *out, report).map_err(std::io::Error::from)?;
    writeln!(out)?;
    Ok(Verdict::Well)
}
