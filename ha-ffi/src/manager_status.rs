//! The manager status.

use std::{ffi::c_char, sync::Arc};

use ha_core::{
    id::{NodeName, ServiceId},
    status::{Command, ManagerStatus, NodeState, ServiceEntry, ServiceState, StateName},
};

use crate::{
    boundary::{self, Call, call},
    error::ha_error,
    failure::{Failure, ha_status},
    handles::{self, Handle},
    records::{Record, unreadable},
    text::{ha_str, ha_text},
    words::Number,
};

/// The one record that the master writes and everybody reads.
pub struct ha_manager_status {
    _private: [u8; 0],
}

impl Handle for Record<ManagerStatus> {
    const NAME: &'static str = "ha_manager_status";
}

/// Begins to work with a manager status.
pub(crate) fn take(status: *mut ha_manager_status) -> Result<handles::InUse<Record<ManagerStatus>>, Failure> {
    handles::take(status)
}

pub(crate) fn read(status: *const ha_manager_status) -> Result<handles::Reading<Record<ManagerStatus>>, Failure> {
    handles::read(status)
}

/// One service in the manager status. This layout never changes.
///
/// Texts that are read are lent by the record. For those that are written NULL data is none.
#[repr(C)]
pub struct ha_service {
    /// The service.
    pub sid: ha_str,
    /// The node whose LRM is responsible for it.
    pub node: ha_str,
    /// Where it moves to, in the states that move; else none.
    pub target: ha_str,
    /// Names the present request to that LRM; may be none.
    pub uid: ha_str,
    /// The node that it left for maintenance, to return there; may be none.
    pub maintenance_node: ha_str,
    /// The state that it shall be in, one of ha_service_state.
    pub state: i32,
    /// In HA_SERVICE_STARTED: 1 if its LRM has reported a successful start. Else 0.
    pub running: i32,
    /// In HA_SERVICE_REQUEST_STOP: seconds that it may take. -1 leaves it to the agent. Else -1.
    pub timeout: i64,
}

/// Makes an empty record: that of a cluster that never had a master.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_manager_status_new(
    status: *mut *mut ha_manager_status,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| { call.new_handle(status, Record::Shared(Arc::<ManagerStatus>::default())) })
}

/// Reads a record from JSON. HA_ERROR_CONTENT with line and field if it is not one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_manager_status_from_json(
    json: *const c_char,
    length: usize,
    status: *mut *mut ha_manager_status,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let read = ManagerStatus::from_json(call.text(json, length)?).map_err(|error| unreadable(&error))?;
        call.new_handle(status, Record::Shared(Arc::new(read)))
    })
}

/// Makes a copy to keep or change. Of a record that is not lent to a callback it is cheap: the content is shared until one
/// of the two is changed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_manager_status_copy(
    status: *const ha_manager_status,
    copy: *mut *mut ha_manager_status,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let kept = read(status)?.keep();
        call.new_handle(copy, Record::Shared(kept))
    })
}

/// Frees a record. NULL is fine. One that is lent to a callback must not be freed.
#[unsafe(no_mangle)]
pub extern "C" fn ha_manager_status_free(status: *mut ha_manager_status) -> ha_status {
    boundary::free::<_, Record<ManagerStatus>>(status)
}

/// The record as JSON.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_manager_status_to_json(
    status: *const ha_manager_status,
    json: *mut ha_text,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let written = read(status)?.get().to_json();
        call.own_text(json, written)
    })
}

/// The node whose CRM wrote the record, and the wall-clock time when it did. HA_NONE if nobody has. Either pointer may be
/// NULL; the name is lent.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_manager_status_master(
    status: *const ha_manager_status,
    node: *mut ha_str,
    timestamp: *mut i64,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let status = read(status)?;
        let status = status.get();
        call.lend(node, status.master_node.as_ref().map(NodeName::as_str));
        call.write(timestamp, status.timestamp.unwrap_or(0));
        Ok(if status.master_node.is_some() { ha_status::HA_OK } else { ha_status::HA_NONE })
    })
}

/// How many nodes the record knows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_manager_status_node_count(
    status: *const ha_manager_status,
    count: *mut usize,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| { call.must_write(count, read(status)?.get().nodes.len()) })
}

/// A node, by its place in the order of names, with its state, one of ha_node_state. The name is lent.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_manager_status_node(
    status: *const ha_manager_status,
    index: usize,
    node: *mut ha_str,
    state: *mut i32,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let status = read(status)?;
        let found = status.get().nodes.iter().nth(index);
        let (name, found) = found.ok_or_else(|| Failure::not_found(format!("there is no node {index}")))?;
        call.lend(node, Some(name.as_str()));
        call.write(state, found.number());
        Call::done()
    })
}

/// The state of a node, one of ha_node_state; HA_NODE_UNKNOWN for one that has no entry.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_manager_status_node_state(
    status: *const ha_manager_status,
    node: *const c_char,
    node_length: usize,
    state: *mut i32,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let node = call.node(node, node_length)?;
        call.must_write(state, read(status)?.get().node_state(&node).number())
    })
}

/// How many services the record has.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_manager_status_service_count(
    status: *const ha_manager_status,
    count: *mut usize,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| { call.must_write(count, read(status)?.get().services.len()) })
}

/// A service by its place in the order of ids.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_manager_status_service(
    status: *const ha_manager_status,
    index: usize,
    service: *mut ha_service,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let status = read(status)?;
        let (sid, entry) = status
            .get()
            .services
            .at(index)
            .ok_or_else(|| Failure::not_found(format!("there is no service {index}")))?;
        call.must_write(service, read_service(sid, entry))
    })
}

/// A service by its id. HA_NONE if the record does not have it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_manager_status_find(
    status: *const ha_manager_status,
    sid: *const c_char,
    sid_length: usize,
    service: *mut ha_service,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let sid = call.sid(sid, sid_length)?;
        let status = read(status)?;
        let services = &status.get().services;
        match services.position(&sid).and_then(|position| services.at(position)) {
            Some((sid, entry)) => call.must_write(service, read_service(sid, entry)),
            None => Ok(ha_status::HA_NONE),
        }
    })
}

fn read_service(sid: &ServiceId, entry: &ServiceEntry) -> ha_service {
    let lent = |text: Option<&str>| text.map_or(ha_str::NONE, ha_str::of);
    ha_service {
        sid: ha_str::of(sid.as_str()),
        node: ha_str::of(entry.node.as_str()),
        target: lent(entry.state.target().map(NodeName::as_str)),
        uid: lent(entry.uid.as_ref().map(|uid| uid.as_str())),
        maintenance_node: lent(entry.maintenance_node.as_ref().map(NodeName::as_str)),
        state: entry.state.name().number(),
        running: i32::from(entry.state == ServiceState::Started { confirmed: true }),
        timeout: entry.state.timeout().map_or(-1, i64::from),
    }
}

/// The nodes on which the start of a service failed, in order: how many there are, and, if node is not NULL, the one at
/// index, lent.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_manager_status_failed_node(
    status: *const ha_manager_status,
    sid: *const c_char,
    sid_length: usize,
    index: usize,
    node: *mut ha_str,
    count: *mut usize,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let sid = call.sid(sid, sid_length)?;
        let status = read(status)?;
        let entry = status.get().services.get(&sid);
        let entry = entry.ok_or_else(|| Failure::not_found(format!("there is no service '{sid}'")))?;
        call.write(count, entry.failed_nodes.len());
        if !node.is_null() {
            let found = entry.failed_nodes.get(index);
            let found = found.ok_or_else(|| Failure::not_found(format!("there is no failed node {index}")))?;
            call.lend(node, Some(found.as_str()));
        }
        Call::done()
    })
}

/// Sets the state of a node, one of ha_node_state, or 0 to forget the node.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_manager_status_set_node(
    status: *mut ha_manager_status,
    node: *const c_char,
    node_length: usize,
    state: i32,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let node = call.node(node, node_length)?;
        let state = if state == 0 { None } else { Some(NodeState::from_number(state)?) };
        let mut status = take(status)?;
        let nodes = &mut status.change()?.nodes;
        match state {
            Some(state) => nodes.insert(node, state),
            None => nodes.remove(&node),
        };
        Call::done()
    })
}

/// Adds a service, or replaces what the record says of it. Failed nodes and a waiting command are then none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_manager_status_set_service(
    status: *mut ha_manager_status,
    service: *const ha_service,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        if service.is_null() {
            return Err(Failure::argument("NULL instead of a service"));
        }
        // SAFETY: `Call` stands for it: there is a `ha_service` at `service`.
        let service = unsafe { &*service };
        let sid = call.sid(service.sid.data, service.sid.length)?;
        let entry = entry(call, service)?;
        take(status)?.change()?.services.insert(sid, entry);
        Call::done()
    })
}

fn entry(call: Call, service: &ha_service) -> Result<ServiceEntry, Failure> {
    let optional_node = |text: &ha_str| {
        if text.data.is_null() { Ok(None) } else { call.node(text.data, text.length).map(Some) }
    };
    let target = || {
        optional_node(&service.target)?
            .ok_or_else(|| Failure::argument("a service in a state that moves needs a target"))
    };
    let state = match StateName::from_number(service.state)? {
        StateName::Stopped => ServiceState::Stopped,
        StateName::RequestStop => ServiceState::RequestStop { timeout: seconds(service.timeout)? },
        StateName::RequestStart => ServiceState::RequestStart,
        StateName::RequestStartBalance => ServiceState::RequestStartBalance { target: target()? },
        StateName::Started => ServiceState::Started { confirmed: service.running == 1 },
        StateName::Fence => ServiceState::Fence,
        StateName::Recovery => ServiceState::Recovery,
        StateName::Migrate => ServiceState::Migrate { target: target()? },
        StateName::Relocate => ServiceState::Relocate { target: target()? },
        StateName::Freeze => ServiceState::Freeze,
        StateName::Error => ServiceState::Error,
    };
    let mut entry = ServiceEntry::new(state, call.node(service.node.data, service.node.length)?);
    entry.maintenance_node = optional_node(&service.maintenance_node)?;
    if !service.uid.data.is_null() {
        entry.uid = Some(call.name(service.uid.data, service.uid.length)?);
    }
    Ok(entry)
}

/// Seconds from C; -1 is none.
pub(crate) fn seconds(timeout: i64) -> Result<Option<u32>, Failure> {
    if timeout == -1 {
        return Ok(None);
    }
    u32::try_from(timeout).map(Some).map_err(|_| Failure::argument(format!("{timeout} is no timeout in seconds")))
}

/// Takes a service out. HA_NONE if the record does not have it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_manager_status_remove_service(
    status: *mut ha_manager_status,
    sid: *const c_char,
    sid_length: usize,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let sid = call.sid(sid, sid_length)?;
        let mut status = take(status)?;
        let services = &mut status.change()?.services;
        if !services.contains(&sid) {
            return Ok(ha_status::HA_NONE);
        }
        services.remove_all(&[sid]);
        Call::done()
    })
}

/// Reads a line of the command queue ("migrate vm:100 node2") and gives it in its plain form. HA_ERROR_CONTENT if it is no
/// command: to be told to the person who typed it, before it is queued.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_command_check(
    line: *const c_char,
    line_length: usize,
    plain: *mut ha_text,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let command: Command = call.text(line, line_length)?.parse().map_err(Failure::content)?;
        call.own_text(plain, command.to_string())
    })
}
