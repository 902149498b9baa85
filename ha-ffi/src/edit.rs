//! Edits: put together step by step, then carried out in one call with all checks, or refused without any effect.

use std::{collections::BTreeMap, ffi::c_char};

use ha_core::{
    config::{Changes, ConfigFiles as Files, EditError, Editor, datacenter::DatacenterSetting},
    id::{NodeName, ServiceId, ServiceTypes},
};
use serde_json::json;

use crate::{
    boundary::{self, Call, call},
    configuration::{Configuration, ha_configuration},
    error::ha_error,
    failure::{Failure, ha_status},
    handles::{self, Handle},
    text::ha_text,
};

/// What an edit does.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ha_edit_action {
    /// Adds a service. id: the service, or the bare number of a guest that was told with ha_edit_guest().
    HA_EDIT_ADD_RESOURCE = 1,
    /// Sets and unsets properties of a service.
    HA_EDIT_SET_RESOURCE = 2,
    /// Removes a service; and, unless ha_edit_keep_in_rules() says otherwise, takes it out of every rule.
    HA_EDIT_REMOVE_RESOURCE = 3,
    /// Adds a group. id: its name.
    HA_EDIT_ADD_GROUP = 4,
    /// Sets and unsets properties of a group.
    HA_EDIT_SET_GROUP = 5,
    /// Removes a group that no service names.
    HA_EDIT_REMOVE_GROUP = 6,
    /// Adds a rule. id: its name; say its type with ha_edit_rule_type().
    HA_EDIT_ADD_RULE = 7,
    /// Sets and unsets properties of a rule.
    HA_EDIT_SET_RULE = 8,
    /// Removes a rule.
    HA_EDIT_REMOVE_RULE = 9,
    /// Sets and unsets settings of datacenter.cfg, by the key of the line or of the item: "max_workers", "crs.ha". The id is
    /// not looked at.
    HA_EDIT_DATACENTER = 10,
    /// Sets and unsets what nodes.cfg says of a node. id: the node.
    HA_EDIT_SET_NODE = 11,
}
use ha_edit_action::{
    HA_EDIT_ADD_GROUP, HA_EDIT_ADD_RESOURCE, HA_EDIT_ADD_RULE, HA_EDIT_DATACENTER, HA_EDIT_REMOVE_GROUP,
    HA_EDIT_REMOVE_RESOURCE, HA_EDIT_REMOVE_RULE, HA_EDIT_SET_GROUP, HA_EDIT_SET_NODE, HA_EDIT_SET_RESOURCE,
    HA_EDIT_SET_RULE,
};

const ACTIONS: [ha_edit_action; 11] = [
    HA_EDIT_ADD_RESOURCE,
    HA_EDIT_SET_RESOURCE,
    HA_EDIT_REMOVE_RESOURCE,
    HA_EDIT_ADD_GROUP,
    HA_EDIT_SET_GROUP,
    HA_EDIT_REMOVE_GROUP,
    HA_EDIT_ADD_RULE,
    HA_EDIT_SET_RULE,
    HA_EDIT_REMOVE_RULE,
    HA_EDIT_DATACENTER,
    HA_EDIT_SET_NODE,
];

/// An edit that is being put together.
pub struct ha_edit {
    _private: [u8; 0],
}

/// Behind a `ha_edit`.
struct Edit {
    action: ha_edit_action,
    id: String,
    rule_type: String,
    set: Vec<(String, String)>,
    unset: Vec<String>,
    keep_in_rules: bool,
    nodes: Vec<NodeName>,
    in_error: Vec<ServiceId>,
    guests: BTreeMap<String, String>,
    seen: Option<ha_core::config::Digest>,
}

impl Handle for Edit {
    const NAME: &'static str = "ha_edit";
}

fn refused(error: &EditError) -> Failure {
    let faults = error.faults();
    let details: Vec<_> = faults
        .iter()
        .map(
            |fault| json!({ "property": fault.property, "code": fault.kind.code(), "message": fault.kind.to_string() }),
        )
        .collect();
    let details = (!details.is_empty()).then(|| json!(details));
    Failure::new(ha_status::HA_ERROR_EDIT, error)
        .kind(error.code())
        .field(faults.first().map(|fault| &fault.property))
        .details(details)
}

fn bad_setting(key: &str, code: &str, message: impl ToString) -> Failure {
    let message = message.to_string();
    let details = json!([{ "property": key, "code": code, "message": message }]);
    Failure::new(ha_status::HA_ERROR_EDIT, message).kind("bad_properties").field(Some(key)).details(Some(details))
}

impl Edit {
    fn apply(&self, types: &ServiceTypes, files: &mut Files) -> Result<Option<ServiceId>, EditError> {
        let set: Vec<(&str, &str)> = self.set.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let unset: Vec<&str> = self.unset.iter().map(String::as_str).collect();
        let changes = Changes { set: &set, unset: &unset };
        let in_error = |sid: &ServiceId| self.in_error.contains(sid);
        let guest_types = |number: &str| self.guests.get(number).cloned();
        let editor =
            Editor::new(types, &self.nodes).services_in_error(&in_error).guest_types(&guest_types).seen(self.seen);
        let id = self.id.as_str();
        match self.action {
            HA_EDIT_ADD_RESOURCE => return editor.add_resource(files, id, &set).map(Some),
            HA_EDIT_SET_RESOURCE => editor.set_resource(files, id, changes),
            HA_EDIT_REMOVE_RESOURCE => editor.remove_resource(files, id, !self.keep_in_rules),
            HA_EDIT_ADD_GROUP => editor.add_group(files, id, &set),
            HA_EDIT_SET_GROUP => editor.set_group(files, id, changes),
            HA_EDIT_REMOVE_GROUP => editor.remove_group(files, id),
            HA_EDIT_ADD_RULE => editor.add_rule(files, &self.rule_type, id, &set),
            HA_EDIT_SET_RULE => editor.set_rule(files, id, changes),
            HA_EDIT_REMOVE_RULE => editor.remove_rule(files, id),
            HA_EDIT_SET_NODE => editor.set_node(files, id, changes),
            HA_EDIT_DATACENTER => Ok(()),
        }?;
        Ok(None)
    }

    fn apply_to_datacenter(&self, file: &mut ha_core::config::DatacenterFile) -> Result<(), Failure> {
        if let Some(seen) = self.seen.filter(|seen| *seen != file.digest()) {
            let error = EditError::DigestMismatch { file: "datacenter.cfg", seen, actual: file.digest() };
            return Err(refused(&error));
        }
        let setting =
            |key: &str| key.parse::<DatacenterSetting>().map_err(|error| bad_setting(key, "unknown_property", error));
        for (key, value) in &self.set {
            file.set(setting(key)?, value).map_err(|error| bad_setting(key, "bad_value", error))?;
        }
        for key in &self.unset {
            file.unset(setting(key)?);
        }
        Ok(())
    }
}

/// Begins an edit. action: one of ha_edit_action. id: what is edited.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_edit_new(
    action: i32,
    id: *const c_char,
    id_length: usize,
    edit: *mut *mut ha_edit,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let found = ACTIONS.into_iter().find(|known| *known as i32 == action);
        let action = found.ok_or_else(|| Failure::argument(format!("{action} is no ha_edit_action")))?;
        let new = Edit {
            action,
            id: call.text(id, id_length)?.to_owned(),
            rule_type: String::new(),
            set: Vec::new(),
            unset: Vec::new(),
            keep_in_rules: false,
            nodes: Vec::new(),
            in_error: Vec::new(),
            guests: BTreeMap::new(),
            seen: None,
        };
        call.new_handle(edit, new)
    })
}

/// Frees an edit. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn ha_edit_free(edit: *mut ha_edit) -> ha_status {
    boundary::free::<_, Edit>(edit)
}

/// Sets a property to a value, as a person types it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_edit_set(
    edit: *mut ha_edit,
    key: *const c_char,
    key_length: usize,
    value: *const c_char,
    value_length: usize,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let pair = (call.text(key, key_length)?.to_owned(), call.text(value, value_length)?.to_owned());
        handles::take::<_, Edit>(edit)?.set.push(pair);
        Call::done()
    })
}

/// Unsets a property. That it is not set is no error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_edit_unset(
    edit: *mut ha_edit,
    key: *const c_char,
    key_length: usize,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let key = call.text(key, key_length)?.to_owned();
        handles::take::<_, Edit>(edit)?.unset.push(key);
        Call::done()
    })
}

/// Says the type of a rule to be added: "node-affinity", "resource-affinity" or "order".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_edit_rule_type(
    edit: *mut ha_edit,
    rule_type: *const c_char,
    rule_type_length: usize,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let rule_type = call.text(rule_type, rule_type_length)?.to_owned();
        handles::take::<_, Edit>(edit)?.rule_type = rule_type;
        Call::done()
    })
}

/// Has a service that is removed stay in the rules.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_edit_keep_in_rules(edit: *mut ha_edit, error: *mut *mut ha_error) -> ha_status {
    call!(error, |_call| {
        handles::take::<_, Edit>(edit)?.keep_in_rules = true;
        Call::done()
    })
}

/// Makes the edit conditional: the file that is edited must have this digest, of 40 hexadecimal digits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_edit_seen(
    edit: *mut ha_edit,
    digest: *const c_char,
    digest_length: usize,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let digest = call.text(digest, digest_length)?.parse().map_err(Failure::argument)?;
        handles::take::<_, Edit>(edit)?.seen = Some(digest);
        Call::done()
    })
}

/// Tells a member of the cluster, online or not: rules are checked against them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_edit_node(
    edit: *mut ha_edit,
    node: *const c_char,
    node_length: usize,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let node = call.node(node, node_length)?;
        handles::take::<_, Edit>(edit)?.nodes.push(node);
        Call::done()
    })
}

/// Tells a service that is in state "error" now: only "disabled" can be requested for it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_edit_in_error(
    edit: *mut ha_edit,
    sid: *const c_char,
    sid_length: usize,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let sid = call.sid(sid, sid_length)?;
        handles::take::<_, Edit>(edit)?.in_error.push(sid);
        Call::done()
    })
}

/// Tells the type of a guest with this number, so that a person may type the bare number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_edit_guest(
    edit: *mut ha_edit,
    number: *const c_char,
    number_length: usize,
    service_type: *const c_char,
    service_type_length: usize,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let number = call.text(number, number_length)?.to_owned();
        let service_type = call.text(service_type, service_type_length)?.to_owned();
        handles::take::<_, Edit>(edit)?.guests.insert(number, service_type);
        Call::done()
    })
}

/// Carries an edit out. HA_ERROR_EDIT if it is refused: kind, field and details say why, and nothing was changed.
///
/// id: where to write the full id of a service that was added; may be NULL. It is empty for other edits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_configuration_edit(
    configuration: *mut ha_configuration,
    edit: *const ha_edit,
    id: *mut ha_text,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let mut configuration = handles::take::<_, Configuration>(configuration)?;
        let edit = handles::read::<_, Edit>(edit)?;
        let added = if edit.action == HA_EDIT_DATACENTER {
            configuration.edit_datacenter(|file| edit.apply_to_datacenter(file))?;
            None
        } else {
            configuration.edit(|types, files| edit.apply(types, files).map_err(|error| refused(&error)))?
        };
        if !id.is_null() {
            call.own_text_if_any(id, added.map(|sid| sid.as_str().to_owned()))?;
        }
        Call::done()
    })
}
