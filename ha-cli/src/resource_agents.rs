//! `ha agents list`, `describe` and `new`: the OCF resource agents of this machine.

use std::process::ExitCode;

use ha_core::id::NodeName;
use ha_host::agents::{OcfDescription, OcfName, OcfParameter, installed_ocf, ocf_root};
use serde_json::json;

use super::context::{Failure, note, say, say_json, say_rows};

/// The names alone: to describe all of them takes a program for each.
pub(super) fn list(as_json: bool) -> Result<ExitCode, Failure> {
    let root = ocf_root();
    let names = installed_ocf(&root);
    if as_json {
        say_json(&names)?;
    } else {
        if names.is_empty() {
            note(format_args!("no resource agents in {}: Debian's package is 'resource-agents'", root.display()));
        }
        names.iter().try_for_each(say)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn described(agent: &OcfName) -> Result<OcfDescription, Failure> {
    OcfDescription::of(agent, &ocf_root()).map_err(Failure::Failed)
}

pub(super) fn describe(agent: &OcfName, as_json: bool) -> Result<ExitCode, Failure> {
    let about = described(agent)?;
    if as_json {
        say_json(&about)?;
        return Ok(ExitCode::SUCCESS);
    }
    say(format_args!("{agent}: {}", about.title))?;
    if about.is_promotable() {
        note("it is for services in several roles, one of them promoted: such ones are not looked after");
    }
    if !about.text.is_empty() {
        say(format_args!("\n{}\n", about.text))?;
    }
    say_rows(&about.parameters.iter().map(row).collect::<Vec<_>>())?;
    Ok(ExitCode::SUCCESS)
}

fn row(parameter: &OcfParameter) -> Vec<String> {
    let value = match (&parameter.default, parameter.required) {
        (_, true) => "must be given".to_owned(),
        (Some(default), false) => format!("else {default}"),
        (None, false) => String::new(),
    };
    vec![parameter.name.clone(), parameter.value_type.clone(), value, parameter.title.clone()]
}

pub(super) fn define(agent: &OcfName, parameters: &[String], on: &NodeName) -> Result<ExitCode, Failure> {
    let about = described(agent)?;
    let mut definition = about.definition(agent);
    for parameter in parameters {
        let Some((name, value)) = parameter.split_once('=') else {
            return Err(Failure::Usage(format!("'{parameter}' is no parameter: expected NAME=VALUE")));
        };
        if let Some(all) = definition.get_mut("parameters") {
            all.as_object_mut().map(|all| all.insert(name.to_owned(), json!(value)));
        }
    }
    let given = parameters.iter().filter_map(|parameter| parameter.split_once('='));
    let given = given.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    about.complaints(&given).iter().for_each(note);
    say_json(&json!({"node": on, "agent": {"ocf": definition}}))?;
    Ok(ExitCode::SUCCESS)
}
