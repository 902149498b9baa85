//! What C does with a configuration.

use std::{ffi::c_char, sync::Arc};

use ha_core::{
    config::DatacenterConfig,
    id::{GroupId, ServiceId},
    rules::shadowed_groups,
};
use serde_json::json;

use crate::{
    boundary::{self, Call, call},
    error::{ErrorHandle, ha_error},
    failure::{Failure, ha_status},
    handles,
    text::{ha_str, ha_text},
};

use super::{Configuration, HA_FILE_DATACENTER, ha_configuration, ha_names};

/// Makes an empty configuration: no services, no rules, the default settings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_configuration_new(
    configuration: *mut *mut ha_configuration,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| { call.new_handle(configuration, Configuration::default()) })
}

/// Makes a copy. It is cheap: what is read is shared.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_configuration_copy(
    configuration: *const ha_configuration,
    copy: *mut *mut ha_configuration,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let configuration = handles::read::<_, Configuration>(configuration)?.clone();
        call.new_handle(copy, configuration)
    })
}

/// Frees a configuration. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn ha_configuration_free(configuration: *mut ha_configuration) -> ha_status {
    boundary::free::<_, Configuration>(configuration)
}

/// Adds a type of service to "vm" and "ct", which are always known. Do so before files are read.
///
/// names: one of ha_names.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_configuration_add_service_type(
    configuration: *mut ha_configuration,
    service_type: *const c_char,
    service_type_length: usize,
    names: i32,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let service_type = call.text(service_type, service_type_length)?;
        let check: ha_core::id::NameCheck = match names {
            any if any == ha_names::HA_NAMES_ANY as i32 => |_| Ok(()),
            digits if digits == ha_names::HA_NAMES_DIGITS as i32 => |name| {
                if name.bytes().all(|b| b.is_ascii_digit()) { Ok(()) } else { Err("expected digits".into()) }
            },
            _ => return Err(Failure::argument(format!("{names} is no ha_names"))),
        };
        // The form of a type is that of a service id with any name.
        format!("{service_type}:x").parse::<ServiceId>().map_err(|error| Failure::name(&error))?;
        handles::take::<_, Configuration>(configuration)?.types.register(service_type, check);
        Call::done()
    })
}

/// Reads a file from its bytes, instead of what was known of it.
///
/// A problem never loses the rest of the file, and is no failure of this call: ask ha_configuration_problem_count(). A
/// fence.cfg with an error (not a warning) is not used at all.
///
/// file: one of ha_file.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_configuration_read(
    configuration: *mut ha_configuration,
    file: i32,
    bytes: *const c_char,
    length: usize,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let (file, bytes) = (super::file(file)?, call.bytes(bytes, length)?);
        handles::take::<_, Configuration>(configuration)?.read(file, bytes);
        Call::done()
    })
}

/// Reads the settings of datacenter.cfg from JSON in the form of the recorded scenarios, where shares are fractions.
///
/// There is no file to write then. HA_ERROR_CONTENT if it can't be read; nothing is changed then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_configuration_read_datacenter_json(
    configuration: *mut ha_configuration,
    json: *const c_char,
    length: usize,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let json = call.text(json, length)?;
        let read = DatacenterConfig::from_json(json).map_err(|error| Failure::content(&error).kind(error.code()))?;
        let mut configuration = handles::take::<_, Configuration>(configuration)?;
        configuration.datacenter = Arc::new(read);
        configuration.problems_mut(HA_FILE_DATACENTER).clear();
        Call::done()
    })
}

/// How many problems a file had when it was read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_configuration_problem_count(
    configuration: *const ha_configuration,
    file: i32,
    count: *mut usize,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let count_now = handles::read::<_, Configuration>(configuration)?.problems(super::file(file)?).len();
        call.must_write(count, count_now)
    })
}

/// A problem of a file, in the order of the lines, as an error object: message, kind, line, section, field. Free it with
/// ha_error_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_configuration_problem(
    configuration: *const ha_configuration,
    file: i32,
    index: usize,
    problem: *mut *mut ha_error,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let found = handles::read::<_, Configuration>(configuration)?.problems(super::file(file)?).get(index).cloned();
        let found = found.ok_or_else(|| Failure::not_found(format!("there is no problem {index}")))?;
        call.new_handle(problem, ErrorHandle::from(found))
    })
}

/// The bytes of a file as it is now. Nothing that was in it is lost: comments, and what could not be read.
///
/// Not for fence.cfg, which is never changed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_configuration_write(
    configuration: *const ha_configuration,
    file: i32,
    bytes: *mut ha_text,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let written = handles::read::<_, Configuration>(configuration)?.written(super::file(file)?)?;
        call.own_text(bytes, written)
    })
}

/// The digest of a file, 40 hexadecimal digits: of the bytes that were read, after an edit of those that will be written.
/// HA_NONE for a fence.cfg that is not used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_configuration_digest(
    configuration: *const ha_configuration,
    file: i32,
    digest: *mut ha_text,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let found = handles::read::<_, Configuration>(configuration)?.digest(super::file(file)?);
        call.own_text_if_any(digest, found.map(|digest| digest.to_string()))
    })
}

/// How many sections of resources.cfg, groups.cfg, rules.cfg or nodes.cfg hold.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_configuration_section_count(
    configuration: *const ha_configuration,
    file: i32,
    count: *mut usize,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let count_now = handles::read::<_, Configuration>(configuration)?.section_count(super::file(file)?);
        call.must_write(count, count_now)
    })
}

/// A section in the order of the file: its type ("vm", "group", "node-affinity") and its id ("100", "near", …). Both are
/// lent by the configuration.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_configuration_section(
    configuration: *const ha_configuration,
    file: i32,
    index: usize,
    section_type: *mut ha_str,
    id: *mut ha_str,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let configuration = handles::read::<_, Configuration>(configuration)?;
        let header = configuration.header(super::file(file)?, index);
        let header = header.ok_or_else(|| Failure::not_found(format!("there is no section {index}")))?;
        call.lend(section_type, Some(header.0));
        call.lend(id, Some(header.1));
        Call::done()
    })
}

/// The value of a property, as text. HA_NONE if it is not set, HA_ERROR_NOT_FOUND if there is no such section.
///
/// id: the service ("vm:100"), group or rule. For datacenter.cfg it is not looked at, and key is the path in the JSON form
/// ("scheduler.mode", "max_workers"), which is always set but for "max_starts", "max_moves" and "flapping_hold".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_configuration_property(
    configuration: *const ha_configuration,
    file: i32,
    id: *const c_char,
    id_length: usize,
    key: *const c_char,
    key_length: usize,
    value: *mut ha_text,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let (id, key) = (call.text(id, id_length)?, call.text(key, key_length)?);
        let found = handles::read::<_, Configuration>(configuration)?.property(super::file(file)?, id, key)?;
        call.own_text_if_any(value, found)
    })
}

/// A file as JSON: "digest", "problems" (each with "line", "section", "property", "code", "message", and "value_code"), and
/// "sections" (each with "type", "id" and "properties") or, for datacenter.cfg, "settings".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_configuration_json(
    configuration: *const ha_configuration,
    file: i32,
    json: *mut ha_text,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let found = handles::read::<_, Configuration>(configuration)?.json(super::file(file)?);
        call.own_text(json, found.to_string())
    })
}

/// What fence.cfg comes to for these nodes, as JSON: "errors", or for each try and node the commands as argument vectors.
/// HA_NONE if no fence.cfg was read. Arguments may be passwords.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_configuration_fence_report(
    configuration: *const ha_configuration,
    nodes: *const ha_str,
    node_count: usize,
    json: *mut ha_text,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let nodes = call.nodes(nodes, node_count)?;
        let configuration = handles::read::<_, Configuration>(configuration)?;
        call.own_text_if_any(json, configuration.fence_file.as_ref().map(|file| json!(file.report(&nodes)).to_string()))
    })
}

/// The groups that a rule "ha-group-<group>" of rules.cfg stands in for, as a JSON list.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_configuration_shadowed_groups(
    configuration: *const ha_configuration,
    json: *mut ha_text,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let configuration = handles::read::<_, Configuration>(configuration)?;
        let Configuration { rules, groups, resources, .. } = &*configuration;
        let shadowed: Vec<GroupId> = shadowed_groups(rules, groups, resources);
        call.own_text(json, json!(shadowed).to_string())
    })
}

/// Says on which node a guest is configured. Every guest counts, managed or not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_configuration_set_guest(
    configuration: *mut ha_configuration,
    sid: *const c_char,
    sid_length: usize,
    node: *const c_char,
    node_length: usize,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let (sid, node) = (call.sid(sid, sid_length)?, call.node(node, node_length)?);
        let mut configuration = handles::take::<_, Configuration>(configuration)?;
        configuration.guests.insert(sid, node);
        configuration.shared_guests.take();
        Call::done()
    })
}

/// How many guests were given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_configuration_guest_count(
    configuration: *const ha_configuration,
    count: *mut usize,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| { call.must_write(count, handles::read::<_, Configuration>(configuration)?.guests.len()) })
}

/// A guest by its place, in the order in which they were first given, and the node that it is on; both are lent.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_configuration_guest(
    configuration: *const ha_configuration,
    index: usize,
    sid: *mut ha_str,
    node: *mut ha_str,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let configuration = handles::read::<_, Configuration>(configuration)?;
        let found = configuration.guests.get_index(index);
        let (guest, on) = found.ok_or_else(|| Failure::not_found(format!("there is no guest {index}")))?;
        call.lend(sid, Some(guest.as_str()));
        call.lend(node, Some(on.as_str()));
        Call::done()
    })
}

/// The node that a guest is on, lent. HA_NONE if no such guest was given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_configuration_guest_node(
    configuration: *const ha_configuration,
    sid: *const c_char,
    sid_length: usize,
    node: *mut ha_str,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let sid = call.sid(sid, sid_length)?;
        let configuration = handles::read::<_, Configuration>(configuration)?;
        let found = configuration.guests.get(&sid);
        call.lend(node, found.map(|node| node.as_str()));
        Ok(if found.is_some() { ha_status::HA_OK } else { ha_status::HA_NONE })
    })
}

/// Forgets all guests, to give them again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_configuration_clear_guests(
    configuration: *mut ha_configuration,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let mut configuration = handles::take::<_, Configuration>(configuration)?;
        configuration.guests.clear();
        configuration.shared_guests.take();
        Call::done()
    })
}
