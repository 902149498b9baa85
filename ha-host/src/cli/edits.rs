//! Verbs that change the configuration.

use std::{fs, io::Read, process::ExitCode};

use ha_core::{
    config::{Changes, Configuration},
    id::ServiceId,
    status::{ServiceEntry, ServiceState},
};
use ha_host::store::GuestDefinition;

use super::{
    Failure,
    arguments::{ChangeOptions, GroupOptions, ResourceOptions, RuleOptions},
    context::{Context, note, say},
};

pub(super) fn add(context: &Context, sid: &str, options: &ResourceOptions) -> Result<ExitCode, Failure> {
    let set = options.given();
    // A name that the store can't hold is refused before anything is written.
    let sid = context.new_sid(sid)?;
    let guest = context.store.guest(&sid)?;
    context.edit(None, |editor, config| editor.add_resource(config, sid.as_str(), &set))?;
    if guest.is_none() {
        note(format_args!("there is no guest '{sid}' yet: define it with 'ha guest set {sid} FILE'"));
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn set(
    context: &Context,
    sid: &str,
    options: &ResourceOptions,
    changes: &ChangeOptions,
) -> Result<ExitCode, Failure> {
    let sid = context.sid(sid)?;
    change(context, &options.given(), changes, |editor, config, changes| {
        editor.set_resource(config, sid.as_str(), changes)
    })
}

pub(super) fn remove(context: &Context, sid: &str, purge: bool) -> Result<ExitCode, Failure> {
    context.edit(None, |editor, config| editor.remove_resource(config, sid, purge))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn add_group(context: &Context, group: &str, options: &GroupOptions) -> Result<ExitCode, Failure> {
    let set = options.given();
    context.edit(None, |editor, config| editor.add_group(config, group, &set))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn set_group(
    context: &Context,
    group: &str,
    options: &GroupOptions,
    changes: &ChangeOptions,
) -> Result<ExitCode, Failure> {
    change(context, &options.given(), changes, |editor, config, changes| editor.set_group(config, group, changes))
}

pub(super) fn remove_group(context: &Context, group: &str) -> Result<ExitCode, Failure> {
    context.edit(None, |editor, config| editor.remove_group(config, group))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn add_rule(
    context: &Context,
    rule_type: &str,
    rule: &str,
    options: &RuleOptions,
) -> Result<ExitCode, Failure> {
    let set = options.given();
    context.edit(None, |editor, config| editor.add_rule(config, rule_type, rule, &set))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn set_rule(
    context: &Context,
    names: &[String],
    options: &RuleOptions,
    changes: &ChangeOptions,
) -> Result<ExitCode, Failure> {
    let (rule_type, rule) = match names {
        [rule] => (None, rule),
        [rule_type, rule, ..] => (Some(rule_type), rule),
        [] => return Err(Failure::Usage("name the rule".into())),
    };
    if let Some(rule_type) = rule_type {
        check_type(context, rule_type, rule)?;
    }
    change(context, &options.given(), changes, |editor, config, changes| editor.set_rule(config, rule, changes))
}

/// A rule keeps its type.
fn check_type(context: &Context, rule_type: &str, rule: &str) -> Result<(), Failure> {
    let rule_type: ha_core::config::RuleType =
        rule_type.parse().map_err(|error: ha_core::UnknownWord| Failure::Usage(error.to_string()))?;
    let stored = context.stored()?;
    let found = stored.configuration.rules.rules.get(rule).map(ha_core::config::Rule::rule_type);
    match found {
        Some(found) if found != rule_type => {
            Err(Failure::Failed(format!("rule '{rule}' is of type {found}, which cannot be changed: add a new one")))
        }
        Some(_) | None => Ok(()),
    }
}

pub(super) fn remove_rule(context: &Context, rule: &str) -> Result<ExitCode, Failure> {
    context.edit(None, |editor, config| editor.remove_rule(config, rule))?;
    Ok(ExitCode::SUCCESS)
}

/// A change must change something.
fn change(
    context: &Context,
    set: &[(&str, &str)],
    changes: &ChangeOptions,
    mut apply: impl FnMut(
        &ha_core::config::Editor<'_>,
        &mut Configuration,
        Changes<'_>,
    ) -> Result<(), ha_core::config::EditError>,
) -> Result<ExitCode, Failure> {
    let unset: Vec<&str> = changes.delete.iter().map(String::as_str).collect();
    if set.is_empty() && unset.is_empty() {
        return Err(Failure::Usage("nothing to change: give a property, or --delete PROPERTIES".into()));
    }
    let digest = changes.digest.as_deref();
    context.edit(digest, |editor, config| apply(editor, config, Changes { set, unset: &unset }))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn set_guest(context: &Context, sid: &str, file: &str) -> Result<ExitCode, Failure> {
    let sid = context.types.parse(sid)?;
    sid.check_length()?;
    ha_core::config::check_usable(&sid).map_err(|error| Failure::Usage(error.to_string()))?;
    let text = read_definition(file)?;
    let definition: GuestDefinition = serde_json::from_str(&text)
        .map_err(|error| Failure::Usage(format!("{file} is no definition of a guest: {error}")))?;
    let members = context.store.settings()?.nodes;
    if !members.contains(&definition.node) {
        return Err(Failure::Failed(format!("'{}' is no node of this cluster", definition.node)));
    }
    let may_run = may_run(context, &sid)?;
    let mut refusal = None;
    context.store.edit_guest(&sid, &mut |guest| {
        refusal = guest.as_ref().and_then(|guest| refusal_of(&sid, guest, &definition, may_run));
        if refusal.is_none() {
            // A live move that is under way must not lose its thread.
            let resume = guest.take().and_then(|guest| guest.resume);
            *guest = Some(GuestDefinition { resume, ..definition.clone() });
        }
    })?;
    refusal.map_or(Ok(ExitCode::SUCCESS), |message| Err(Failure::Failed(message)))
}

/// Why a guest's definition can't be replaced by this one.
fn refusal_of(sid: &ServiceId, guest: &GuestDefinition, by: &GuestDefinition, may_run: bool) -> Option<String> {
    if guest.node != by.node {
        let node = &guest.node;
        return Some(format!(
            "guest '{sid}' is on node {node}, where it may run: move it with 'ha migrate' or 'ha relocate'"
        ));
    }
    // Another agent does not see what this one has started.
    (may_run && !guest.agent.is_of_the_kind_of(&by.agent)).then(|| {
        format!(
            "guest '{sid}' may run by its agent '{}', and '{}' would know nothing of that: stop it first with 'ha set {sid} --state stopped'",
            guest.agent.word(),
            by.agent.word()
        )
    })
}

/// Whether anything of a service may run, by what the master knows. Of one that it has nothing recorded of HA has started nothing.
fn may_run(context: &Context, sid: &ServiceId) -> Result<bool, Failure> {
    let status = context.manager_status()?;
    let is_stopped = |entry: &ServiceEntry| entry.state == ServiceState::Stopped && !status.may_run.contains(sid);
    Ok(status.services.get(sid).is_some_and(|entry| !is_stopped(entry)))
}

fn read_definition(file: &str) -> Result<String, Failure> {
    let mut text = String::new();
    let read = match file {
        "-" => std::io::stdin().read_to_string(&mut text).map(|_| text),
        file => fs::read_to_string(file),
    };
    read.map_err(|error| Failure::Failed(format!("cannot read {file}: {error}")))
}

pub(super) fn remove_guest(context: &Context, sid: &str) -> Result<ExitCode, Failure> {
    let sid = context.sid(sid)?;
    if context.stored()?.configuration.resources.resources.contains_key(&sid) {
        let message = format!("'{sid}' is looked after by HA: remove it there first with 'ha remove {sid}'");
        return Err(Failure::Failed(message));
    }
    let mut existed = false;
    context.store.edit_guest(&sid, &mut |guest| existed = guest.take().is_some())?;
    if !existed {
        return Err(Failure::Failed(format!("there is no guest '{sid}'")));
    }
    say(format_args!("removed; what runs of it goes on"))?;
    Ok(ExitCode::SUCCESS)
}
