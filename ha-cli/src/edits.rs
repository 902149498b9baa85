//! Verbs that change the configuration.

use std::{fs, io::Read, process::ExitCode};

use ha_core::{
    config::{Changes, ConfigFiles, EditError, Editor, RequestedState},
    id::{NodeName, ServiceId},
    status::{ServiceEntry, ServiceState},
};
use ha_host::{desk::Change, store::GuestDefinition};

use super::{
    arguments::{ChangeOptions, GroupOptions, LabelOptions, MemberOptions, ResourceOptions, RuleOptions},
    context::{Context, Failure, say},
    deed::{Deed, Manner},
};

/// An edit of the configuration, with what has to be said of it.
struct Edit<'a> {
    verb: &'static str,
    object: String,
    done: String,
    digest: Option<&'a str>,
    notes: Vec<String>,
    /// The properties that change, for the history.
    properties: Vec<String>,
}

impl<'a> Edit<'a> {
    fn new(verb: &'static str, object: impl ToString, done: impl ToString) -> Self {
        Self {
            verb,
            object: object.to_string(),
            done: done.to_string(),
            digest: None,
            notes: Vec::new(),
            properties: Vec::new(),
        }
    }

    /// With the properties that are set, for the history.
    fn setting(mut self, set: &[(&str, &str)]) -> Self {
        self.properties.extend(set.iter().map(|(key, value)| format!("{key}={value}")));
        self
    }

    /// Makes the edit, and tells what follows. It is tried out first: what is refused has no consequences.
    fn make(
        self,
        context: &Context,
        manner: &Manner,
        change: &mut dyn FnMut(&Editor<'_>, &mut ConfigFiles) -> Result<(), EditError>,
    ) -> Result<ExitCode, Failure> {
        let after = context.edit(self.digest, true, change)?;
        let mut deed = Deed::new(context, manner, self.verb, self.object, self.done)?;
        deed.notes = self.notes;
        if !self.properties.is_empty() {
            deed.change = Some(format!("{} ({})", deed.done, self.properties.join(", ")));
        }
        let mut configuration = deed.present.configuration().clone();
        configuration.take_files(after);
        let desired = Change { configuration: Some(configuration), ..Change::default() };
        deed.carry_out(&desired, |_| Ok(Vec::new()), || context.edit(self.digest, false, change).map(drop))
    }
}

pub(super) fn add(
    context: &Context,
    sid: &str,
    options: &ResourceOptions,
    manner: &Manner,
) -> Result<ExitCode, Failure> {
    let set = options.given();
    // A name that the store can't hold is refused before anything is written.
    let sid = context.new_sid(sid)?;
    let guest = context.store.guest(&sid)?;
    check_group(context, &set)?;
    let mut edit = Edit::new("add", &sid, format!("added: {sid}")).setting(&set);
    if guest.is_none() {
        edit.notes.push(format!("there is no guest '{sid}' yet: define it with 'ha guest set {sid} FILE'"));
    }
    edit.notes.extend(named_in_rules(context, &sid)?);
    edit.make(context, manner, &mut |editor, config| editor.add_resource(config, sid.as_str(), &set).map(drop))
}

/// Rules that hold for a service from the moment that it is added.
fn named_in_rules(context: &Context, sid: &ServiceId) -> Result<Option<String>, Failure> {
    let stored = context.stored()?;
    let rules = stored.configuration.rules.rules.values();
    let named: Vec<&str> = rules.filter(|rule| rule.resources.contains(sid)).map(|rule| rule.id.as_str()).collect();
    Ok((!named.is_empty()).then(|| format!("these rules name it already, and hold for it: {}", named.join(", "))))
}

pub(super) fn set(
    context: &Context,
    sid: &str,
    options: &ResourceOptions,
    changes: &ChangeOptions,
    manner: &Manner,
) -> Result<ExitCode, Failure> {
    let sid = context.sid(sid)?;
    let set = options.given();
    check_group(context, &set)?;
    let edit = Edit::new("set", &sid, format!("changed: {sid}"));
    change(edit, context, (&set, changes, manner), |editor, config, changes| {
        editor.set_resource(config, sid.as_str(), changes)
    })
}

/// Requests a state and says nothing of it: it is a step of something larger.
pub(super) fn write_request(context: &Context, sid: &ServiceId, state: RequestedState) -> Result<(), Failure> {
    let set = &[("state", state.as_str())];
    let mut change = |editor: &Editor<'_>, config: &mut ConfigFiles| {
        editor.set_resource(config, sid.as_str(), Changes { set, unset: &[] })
    };
    context.edit(None, false, &mut change).map(drop)
}

/// Requests a state, as the verbs that are named after it do.
pub(super) fn request(
    context: &Context,
    sid: &ServiceId,
    state: RequestedState,
    verb: &'static str,
    manner: &Manner,
) -> Result<ExitCode, Failure> {
    let edit = Edit::new(verb, sid, format!("requested: {sid} {state}"));
    edit.make(context, manner, &mut |editor, config| {
        let set = &[("state", state.as_str())];
        editor.set_resource(config, sid.as_str(), Changes { set, unset: &[] })
    })
}

pub(super) fn remove(context: &Context, sid: &str, purge: bool, manner: &Manner) -> Result<ExitCode, Failure> {
    let named = context.sid(sid).map_or_else(|_| sid.to_owned(), |sid| sid.to_string());
    let edit = Edit::new("remove", &named, format!("removed: {named}"));
    edit.make(context, manner, &mut |editor, config| editor.remove_resource(config, sid, purge).map(drop))
}

pub(super) fn add_group(
    context: &Context,
    group: &str,
    options: &GroupOptions,
    manner: &Manner,
) -> Result<ExitCode, Failure> {
    let set = options.given();
    let mut edit = Edit::new("groupadd", group, format!("added: group {group}")).setting(&set);
    edit.notes.extend(what_it_becomes(context, group)?);
    edit.make(context, manner, &mut |editor, config| editor.add_group(config, group, &set).map(drop))
}

pub(super) fn set_group(
    context: &Context,
    group: &str,
    options: &GroupOptions,
    changes: &ChangeOptions,
    manner: &Manner,
) -> Result<ExitCode, Failure> {
    check_is_a_group(context, group)?;
    let set = options.given();
    let mut edit = Edit::new("groupset", group, format!("changed: group {group}"));
    edit.notes.extend(what_it_becomes(context, group)?);
    change(edit, context, (&set, changes, manner), |editor, config, changes| editor.set_group(config, group, changes))
}

pub(super) fn remove_group(context: &Context, group: &str, manner: &Manner) -> Result<ExitCode, Failure> {
    check_is_a_group(context, group)?;
    let edit = Edit::new("groupremove", group, format!("removed: group {group}"));
    edit.make(context, manner, &mut |editor, config| editor.remove_group(config, group).map(drop))
}

/// Groups live on as rules once all nodes know rules.
fn what_it_becomes(context: &Context, group: &str) -> Result<Option<String>, Failure> {
    let migrates = context.stored()?.configuration.datacenter.migrate_groups;
    Ok(migrates.then(|| {
        format!(
            "the master turns it into the rule 'ha-group-{group}' when all nodes are online; \
             'ha: migrate_groups=0' in datacenter.cfg keeps groups as they are"
        )
    }))
}

/// A group that became a rule is named so.
pub(super) fn check_is_a_group(context: &Context, group: &str) -> Result<(), Failure> {
    match became_a_rule(context, group)? {
        Some(rule) => Err(Failure::Failed(format!(
            "group '{group}' does not exist any more: it became the rule '{rule}'. Change that instead: ha rules set {rule} …"
        ))),
        None => Ok(()),
    }
}

/// The rule that a group became, if it is no longer a group.
fn became_a_rule(context: &Context, group: &str) -> Result<Option<String>, Failure> {
    let configuration = context.stored()?.configuration;
    let rule = format!("ha-group-{group}");
    let is_one =
        !configuration.groups.groups.contains_key(group) && configuration.rules.rules.contains_key(rule.as_str());
    Ok(is_one.then_some(rule))
}

fn check_group(context: &Context, set: &[(&str, &str)]) -> Result<(), Failure> {
    let Some((_, group)) = set.iter().find(|(key, _)| *key == "group") else { return Ok(()) };
    match became_a_rule(context, group)? {
        Some(rule) => Err(Failure::Failed(format!(
            "group '{group}' does not exist any more: it became the rule '{rule}'. Add the service to that instead: \
             ha rules set {rule} --add SID"
        ))),
        None => Ok(()),
    }
}

pub(super) fn add_rule(
    context: &Context,
    rule_type: &str,
    rule: &str,
    options: &RuleOptions,
    manner: &Manner,
) -> Result<ExitCode, Failure> {
    let set = options.given();
    let mut edit = Edit::new("rules add", rule, format!("added: rule {rule}")).setting(&set);
    edit.properties.insert(0, rule_type.to_owned());
    edit.make(context, manner, &mut |editor, config| editor.add_rule(config, rule_type, rule, &set).map(drop))
}

pub(super) fn set_rule(
    context: &Context,
    names: &[String],
    (options, members, changes): (&RuleOptions, &MemberOptions, &ChangeOptions),
    manner: &Manner,
) -> Result<ExitCode, Failure> {
    let (rule_type, rule) = match names {
        [rule] => (None, rule),
        [rule_type, rule, ..] => (Some(rule_type), rule),
        [] => return Err(Failure::Usage("name the rule".into())),
    };
    if let Some(rule_type) = rule_type {
        check_type(context, rule_type, rule)?;
    }
    let resources = changed_members(context, rule, members)?;
    let mut set = options.given();
    set.extend(resources.as_deref().map(|resources| ("resources", resources)));
    let edit = Edit::new("rules set", rule, format!("changed: rule {rule}"));
    change(edit, context, (&set, changes, manner), |editor, config, changes| editor.set_rule(config, rule, changes))
}

/// The services of a rule with some added and some taken out; nothing if neither is asked for.
fn changed_members(context: &Context, rule: &str, members: &MemberOptions) -> Result<Option<String>, Failure> {
    let MemberOptions { add, remove } = members;
    if add.is_empty() && remove.is_empty() {
        return Ok(None);
    }
    let stored = context.stored()?;
    let Some(found) = stored.configuration.rules.rules.get(rule) else {
        return Err(Failure::Failed(format!("rule '{rule}' does not exist")));
    };
    if found.order().is_some() {
        return Err(Failure::Usage(format!(
            "rule '{rule}' is an order: say with --first or --then which services it has on that side"
        )));
    }
    let mut sids: Vec<ServiceId> = found.resources.to_vec();
    for added in add {
        let added = context.sid(added)?;
        if sids.contains(&added) {
            return Err(Failure::Failed(format!("{added} is in rule '{rule}' already")));
        }
        sids.push(added);
    }
    for removed in remove {
        let removed = context.sid(removed)?;
        let place = sids.iter().position(|sid| *sid == removed);
        let place = place.ok_or_else(|| Failure::Failed(format!("{removed} is not in rule '{rule}'")))?;
        sids.remove(place);
    }
    if sids.is_empty() {
        return Err(Failure::Failed(format!(
            "rule '{rule}' would be left with no service: remove it instead, with 'ha rules remove {rule}'"
        )));
    }
    Ok(Some(sids.iter().map(ServiceId::as_str).collect::<Vec<_>>().join(",")))
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

pub(super) fn remove_rule(context: &Context, rule: &str, manner: &Manner) -> Result<ExitCode, Failure> {
    let edit = Edit::new("rules remove", rule, format!("removed: rule {rule}"));
    edit.make(context, manner, &mut |editor, config| editor.remove_rule(config, rule).map(drop))
}

pub(super) fn set_node(
    context: &Context,
    node: &NodeName,
    options: &LabelOptions,
    changes: &ChangeOptions,
    manner: &Manner,
) -> Result<ExitCode, Failure> {
    let set = options.given();
    let edit = Edit::new("node set", node, format!("changed: node {node}"));
    change(edit, context, (&set, changes, manner), |editor, config, changes| {
        editor.set_node(config, node.as_str(), changes)
    })
}

/// A change must change something.
fn change<'a>(
    edit: Edit<'a>,
    context: &Context,
    (set, changes, manner): (&[(&str, &str)], &'a ChangeOptions, &Manner),
    mut apply: impl FnMut(&Editor<'_>, &mut ConfigFiles, Changes<'_>) -> Result<(), EditError>,
) -> Result<ExitCode, Failure> {
    let unset: Vec<&str> = changes.delete.iter().map(String::as_str).collect();
    if set.is_empty() && unset.is_empty() {
        return Err(Failure::Usage("nothing to change: give a property, or --delete PROPERTIES".into()));
    }
    let mut edit = Edit { digest: changes.digest.as_deref(), ..edit }.setting(set);
    edit.properties.extend(unset.iter().map(|key| format!("without {key}")));
    edit.make(context, manner, &mut |editor, config| apply(editor, config, Changes { set, unset: &unset }))
}

pub(super) fn set_guest(context: &Context, sid: &str, file: &str) -> Result<ExitCode, Failure> {
    let sid = context.types.parse(sid)?;
    sid.check_length()?;
    ha_core::config::check_usable(&sid).map_err(|error| Failure::Usage(error.to_string()))?;
    let text = read_text(file)?;
    let definition = serde_json::from_str(&text)
        .map_err(|error| error.to_string())
        .and_then(|guest: GuestDefinition| context.kinds().check(&guest.agent).map(|()| guest))
        .map_err(|error| Failure::Usage(format!("{file} is no definition of a guest: {error}")))?;
    let complaints = context.kinds().complaints(&definition.agent);
    if !complaints.is_empty() {
        return Err(Failure::Usage(format!("{file} is no definition of a guest: {}", complaints.join("; "))));
    }
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
    if let Some(message) = refusal {
        return Err(Failure::Failed(message));
    }
    let (node, agent) = (&definition.node, &definition.agent.kind);
    context.keep_change("guest set", sid.as_str(), &format!("defined: guest {sid} ({agent}, on {node})"));
    Ok(ExitCode::SUCCESS)
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
    (may_run && guest.agent.kind != by.agent.kind).then(|| {
        format!(
            "guest '{sid}' may run by its agent '{}', and '{}' would know nothing of that: stop it first with 'ha set {sid} --state stopped'",
            guest.agent.kind, by.agent.kind
        )
    })
}

/// Whether anything of a service may run, by what the master knows. Of one that it has nothing recorded of HA has started nothing.
fn may_run(context: &Context, sid: &ServiceId) -> Result<bool, Failure> {
    let status = context.manager_status()?;
    let is_stopped = |entry: &ServiceEntry| entry.state == ServiceState::Stopped && !status.may_run.contains(sid);
    Ok(status.services.get(sid).is_some_and(|entry| !is_stopped(entry)))
}

/// What a file holds, or standard input if it is '-'.
pub(super) fn read_text(file: &str) -> Result<String, Failure> {
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
    context.keep_change("guest remove", sid.as_str(), &format!("removed: the definition of guest {sid}"));
    say(format_args!("removed; what runs of it goes on"))?;
    Ok(ExitCode::SUCCESS)
}
