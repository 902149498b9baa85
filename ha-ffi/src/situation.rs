//! Placement with explanation: a situation, and the questions that can be asked of it.

use std::{ffi::c_char, sync::Arc};

use ha_core::{
    host::{Configuration as Configured, HostFigures, UnmanagedGuest},
    id::NodeName,
    placement::{BalanceHold, Change, PlacementError, Preference},
    plan::{Prepared, Situation},
    status::ManagerStatus,
};

use crate::{
    boundary::{self, Call, call},
    configuration::{Configuration, ha_configuration},
    error::ha_error,
    explanation::ha_explanation,
    failure::{Failure, ha_status},
    handles::{self, Handle},
    manager::{ManagerHandle, ha_manager},
    manager_status::{self, ha_manager_status},
    text::{ha_str, ha_text},
    usage::ha_usage,
    words::Number,
};

/// All that placement looks at. It keeps what it was made from as that was then.
pub struct ha_situation {
    _private: [u8; 0],
}

/// What a situation was made from.
struct Given {
    status: Arc<ManagerStatus>,
    configuration: Configured,
    members: Vec<NodeName>,
    usage: Option<HostFigures>,
    unmanaged: Vec<UnmanagedGuest>,
}

/// Behind a `ha_situation`.
pub(crate) struct Asked {
    /// Borrows from `given`, so it is dropped before that is changed or dropped.
    prepared: Option<Prepared<'static>>,
    /// From `Box::into_raw`.
    given: *mut Given,
}

// SAFETY: whoever has it shared reads what is behind `given`, which is plain data, and does not touch `prepared`.
unsafe impl Sync for Asked {}

impl Handle for Asked {
    const NAME: &'static str = "ha_situation";
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.prepared = None;
        // SAFETY: it comes from `Box::into_raw`, nothing borrows from it any more, and it is dropped once.
        drop(unsafe { Box::from_raw(self.given) });
    }
}

impl Asked {
    fn new(given: Given) -> Self {
        Self { prepared: None, given: Box::into_raw(Box::new(given)) }
    }

    /// What it was made from, to be changed.
    fn change(&mut self) -> &mut Given {
        self.prepared = None;
        // SAFETY: `given` lives as long as `self`, and nothing borrows from it now.
        unsafe { &mut *self.given }
    }

    pub(crate) fn situation(&self) -> Situation<'_> {
        // SAFETY: `given` lives as long as `self`, and is only changed through `change`, which takes `self` mutably.
        let given = unsafe { &*self.given };
        Situation {
            usage: given.usage.as_ref(),
            unmanaged: &given.unmanaged,
            ..Situation::new(&given.status, &given.configuration, &given.members)
        }
    }

    fn prepared(&mut self) -> &mut Prepared<'static> {
        let prepared = match self.prepared.take() {
            Some(prepared) => prepared,
            None => {
                let prepared = self.situation().prepare();
                // SAFETY: it borrows from `given`, which does not move and is not changed before `prepared` is dropped.
                unsafe { std::mem::transmute::<Prepared<'_>, Prepared<'static>>(prepared) }
            }
        };
        self.prepared.insert(prepared)
    }
}

pub(crate) fn unplaced(error: &PlacementError) -> Failure {
    Failure::not_found(error)
}

/// Makes a situation from the states of nodes and services and from what is configured.
///
/// nodes: all members of the cluster, online or not; with node_count 0, those of the status.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_situation_new(
    status: *const ha_manager_status,
    configuration: *const ha_configuration,
    nodes: *const ha_str,
    node_count: usize,
    situation: *mut *mut ha_situation,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let mut members = call.nodes(nodes, node_count)?;
        let status = manager_status::read(status)?.keep();
        if members.is_empty() {
            members = status.nodes.keys().cloned().collect();
        }
        let configuration = handles::read::<_, Configuration>(configuration)?.shared();
        let given = Given { status, configuration, members, usage: None, unmanaged: Vec::new() };
        call.new_handle(situation, Asked::new(given))
    })
}

/// Frees a situation. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn ha_situation_free(situation: *mut ha_situation) -> ha_status {
    boundary::free::<_, Asked>(situation)
}

/// Gives it the figures of nodes and services, for the schedulers "static" and "dynamic". NULL takes them away.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_situation_set_usage(
    situation: *mut ha_situation,
    usage: *const ha_usage,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |_call| {
        let usage = if usage.is_null() { None } else { Some(handles::read::<_, HostFigures>(usage)?.clone()) };
        handles::take::<_, Asked>(situation)?.change().usage = usage;
        Call::done()
    })
}

/// Adds a guest that HA does not manage. running: 1 if it runs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_situation_add_unmanaged(
    situation: *mut ha_situation,
    sid: *const c_char,
    sid_length: usize,
    node: *const c_char,
    node_length: usize,
    running: i32,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let (sid, node) = (call.sid(sid, sid_length)?, call.node(node, node_length)?);
        let guest = UnmanagedGuest { sid, node, running: running == 1 };
        handles::take::<_, Asked>(situation)?.change().unmanaged.push(guest);
        Call::done()
    })
}

/// The node where a service should be. HA_NONE if there is none, HA_ERROR_NOT_FOUND if the status does not have the service.
///
/// preference: one of ha_preference. node: a place for the name, of capacity bytes; it ends with a NUL if there is room.
/// length: where to write its length; a name that does not fit is not written, and is HA_ERROR_ARGUMENT.
///
/// The first question of a situation evaluates its rules and adds up its loads; further ones are quick, and allocate
/// nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_situation_select(
    situation: *mut ha_situation,
    sid: *const c_char,
    sid_length: usize,
    preference: i32,
    node: *mut c_char,
    capacity: usize,
    length: *mut usize,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let sid = call.sid(sid, sid_length)?;
        let preference = Preference::from_number(preference)?;
        let found = handles::take::<_, Asked>(situation)?.prepared().select(&sid, preference);
        match found.map_err(|error| unplaced(&error))? {
            Some(found) => {
                call.must_write(length, found.as_str().len())?;
                call.write_into(node, capacity, found.as_str())
            }
            None => {
                call.must_write(length, 0)?;
                Ok(ha_status::HA_NONE)
            }
        }
    })
}

/// Explains where a service should be. preference: one of ha_preference.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_situation_explain(
    situation: *const ha_situation,
    sid: *const c_char,
    sid_length: usize,
    preference: i32,
    explanation: *mut *mut ha_explanation,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let sid = call.sid(sid, sid_length)?;
        let preference = Preference::from_number(preference)?;
        let asked = handles::read::<_, Asked>(situation)?;
        let explained = asked.situation().explain(&sid, preference).map_err(|error| unplaced(&error))?;
        call.new_handle(explanation, explained)
    })
}

/// Explains where a service would be with changes: "what if". changes: a JSON list as the counterfactual has them, such as
/// [{"change": "node_online", "node": "node2", "state": "unknown"}].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_situation_explain_with(
    situation: *const ha_situation,
    sid: *const c_char,
    sid_length: usize,
    preference: i32,
    changes: *const c_char,
    changes_length: usize,
    explanation: *mut *mut ha_explanation,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let sid = call.sid(sid, sid_length)?;
        let preference = Preference::from_number(preference)?;
        let changes: Vec<Change> =
            serde_json::from_str(call.text(changes, changes_length)?).map_err(Failure::content)?;
        let asked = handles::read::<_, Asked>(situation)?;
        let explained = asked.situation().explain_with(&sid, preference, &changes);
        call.new_handle(explanation, explained.map_err(|error| unplaced(&error))?)
    })
}

/// What would have to be different for a service to go to a node, as JSON: "changes", and the decision as it would be "then".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_situation_counterfactual(
    situation: *const ha_situation,
    sid: *const c_char,
    sid_length: usize,
    preference: i32,
    node: *const c_char,
    node_length: usize,
    json: *mut ha_text,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let sid = call.sid(sid, sid_length)?;
        let node = call.node(node, node_length)?;
        let preference = Preference::from_number(preference)?;
        let asked = handles::read::<_, Asked>(situation)?;
        let found = asked.situation().counterfactual(&sid, preference, &node).map_err(|error| unplaced(&error))?;
        call.own_text(json, serde_json::to_string(&found).map_err(Failure::content)?)
    })
}

/// What the answers of a situation leave out of account, as a JSON list: rules that are dropped, names that nothing has, figures
/// that are missing. Each has its "kind", a "text" in words, and where it is about them "rule", "sid" and "node".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_situation_findings(
    situation: *const ha_situation,
    json: *mut ha_text,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let findings = handles::read::<_, Asked>(situation)?.situation().findings();
        call.own_text(json, serde_json::to_string(&findings).map_err(Failure::content)?)
    })
}

/// What automatic balancing would do, as JSON: "outcome", "imbalance", and the best "candidates", as many as asked for.
///
/// manager: the one whose knowledge is asked, of how long the imbalance has been too high; NULL for a new one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_situation_balance(
    situation: *mut ha_situation,
    manager: *const ha_manager,
    count: usize,
    json: *mut ha_text,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let hold = if manager.is_null() {
            BalanceHold::default()
        } else {
            handles::read::<_, ManagerHandle>(manager)?.0.balance_hold()
        };
        let balance = handles::take::<_, Asked>(situation)?.prepared().balance(hold, count);
        call.own_text(json, serde_json::to_string(&balance).map_err(Failure::content)?)
    })
}
