//! Placement with explanation: a situation, and the questions that can be asked of it.

use std::{ffi::c_char, sync::Arc};

use ha_core::{
    host::{Configuration as Configured, NodeStatistics, ServiceStatistics, UnmanagedService, UsageStatistics},
    id::NodeName,
    placement::{
        BalanceHold, Change, Explanation, Fate, Figure, PlacementError, Preference, Prepared, Recovery, Situation,
    },
    status::ManagerStatus,
};

use crate::{
    boundary::{Call, call},
    configuration::{Configuration, ha_configuration},
    failure::{Failure, ha_error, ha_status},
    handles::{self, Handle},
    manager::{ManagerHandle, ha_manager},
    manager_status::{self, ha_manager_status},
    text::{ha_str, ha_text},
    words::Number,
};

/// Sizes and loads of nodes and services, for the schedulers that look at them.
pub struct ha_usage {
    _private: [u8; 0],
}

impl Handle for UsageStatistics {
    const NAME: &'static str = "ha_usage";
}

/// Makes an empty usage.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_usage_new(usage: *mut *mut ha_usage, error: *mut *mut ha_error) -> ha_status {
    call!(error, |call| { call.new_handle(usage, UsageStatistics::default()) })
}

/// Frees a usage. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn ha_usage_free(usage: *mut ha_usage) -> ha_status {
    call!(std::ptr::null_mut(), |_call| {
        handles::free::<_, UsageStatistics>(usage)?;
        Call::done()
    })
}

/// Tells the size of a node (cores, bytes of memory) and how much of it is in use, measured.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_usage_set_node(
    usage: *mut ha_usage,
    node: *const c_char,
    node_length: usize,
    max_cpu: f64,
    max_memory: u64,
    cpu: f64,
    memory: u64,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let node = call.node(node, node_length)?;
        let size = NodeStatistics { max_cpu, max_memory, cpu, memory };
        handles::take::<_, UsageStatistics>(usage)?.nodes.insert(node, size);
        Call::done()
    })
}

/// Tells the size of a service (cores, 0 for no limit; bytes of memory) and how much it uses, measured.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_usage_set_service(
    usage: *mut ha_usage,
    sid: *const c_char,
    sid_length: usize,
    max_cpu: f64,
    max_memory: u64,
    cpu: f64,
    memory: u64,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let sid = call.sid(sid, sid_length)?;
        let size = ServiceStatistics { max_cpu, max_memory, cpu, memory };
        handles::take::<_, UsageStatistics>(usage)?.services.insert(sid, size);
        Call::done()
    })
}

/// All that placement looks at. It keeps what it was made from as that was then.
pub struct ha_situation {
    _private: [u8; 0],
}

/// What a situation was made from.
struct Given {
    status: Arc<ManagerStatus>,
    configuration: Configured,
    members: Vec<NodeName>,
    usage: Option<UsageStatistics>,
    unmanaged: Vec<UnmanagedService>,
}

/// Behind a `ha_situation`.
struct Asked {
    /// Borrows from `given`, so it is dropped before that is changed or dropped.
    prepared: Option<Prepared<'static>>,
    /// From `Box::into_raw`.
    given: *mut Given,
}

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

    fn situation(&self) -> Situation<'_> {
        // SAFETY: `given` lives as long as `self`, and is only changed through `change`, which takes `self` mutably.
        let given = unsafe { &*self.given };
        Situation {
            usage: given.usage.as_ref(),
            unmanaged: &given.unmanaged,
            ..Situation::new(&given.status, &given.configuration, &given.members)
        }
    }

    fn prepared(&mut self) -> &mut Prepared<'static> {
        if self.prepared.is_none() {
            let prepared = self.situation().prepare();
            // SAFETY: it borrows from `given`, which does not move and is not changed before `prepared` is dropped.
            let prepared = unsafe { std::mem::transmute::<Prepared<'_>, Prepared<'static>>(prepared) };
            return self.prepared.insert(prepared);
        }
        #[expect(clippy::unwrap_used, reason = "it was looked at just now")]
        self.prepared.as_mut().unwrap()
    }
}

fn unplaced(error: &PlacementError) -> Failure {
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
        let status = manager_status::take(status)?.keep();
        if members.is_empty() {
            members = status.nodes.keys().cloned().collect();
        }
        let configuration = handles::take::<_, Configuration>(configuration)?.shared();
        let given = Given { status, configuration, members, usage: None, unmanaged: Vec::new() };
        call.new_handle(situation, Asked::new(given))
    })
}

/// Frees a situation. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn ha_situation_free(situation: *mut ha_situation) -> ha_status {
    call!(std::ptr::null_mut(), |_call| {
        handles::free::<_, Asked>(situation)?;
        Call::done()
    })
}

/// Gives it sizes and loads, for the schedulers "static" and "dynamic". NULL takes them away.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_situation_set_usage(
    situation: *mut ha_situation,
    usage: *const ha_usage,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |_call| {
        let usage = if usage.is_null() { None } else { Some(handles::take::<_, UsageStatistics>(usage)?.clone()) };
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
        let guest = UnmanagedService { sid, node, running: running == 1 };
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

/// A decision about one service with its reasons.
pub struct ha_explanation {
    _private: [u8; 0],
}

impl Handle for Explanation {
    const NAME: &'static str = "ha_explanation";
}

/// What became of a node in a decision.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ha_fate {
    /// It was left to the end: the service may go there.
    HA_FATE_CANDIDATE = 1,
    /// It takes no services now.
    HA_FATE_NOT_ONLINE = 2,
    /// The node affinity rule of the service does not allow it.
    HA_FATE_NOT_ALLOWED = 3,
    /// The node affinity rule of the service prefers other nodes.
    HA_FATE_LOWER_PRIORITY = 4,
    /// The start of the service failed there.
    HA_FATE_FAILED_BEFORE = 5,
    /// Services that must be kept apart use it.
    HA_FATE_KEPT_APART = 6,
    /// Services that must be together are on another node.
    HA_FATE_KEPT_TOGETHER = 7,
}

/// What became of one node in a decision. This layout never changes; the text is lent by the explanation.
#[repr(C)]
pub struct ha_node_explanation {
    /// The node.
    pub node: ha_str,
    /// Whether it was left out, and by what: one of ha_fate. The rules and services are in the JSON.
    pub fate: i32,
    /// Its place in the order of load among those that are left, from 1; 0 if it was left out.
    pub rank: u32,
    /// With the scheduler "basic", the number of services that use it, the lower the better; else -1.
    pub services: i64,
    /// With the others, its score from 0 to 1, the higher the better; else -1.
    pub score: f64,
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
        let asked = handles::take::<_, Asked>(situation)?;
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
        let asked = handles::take::<_, Asked>(situation)?;
        let explained = asked.situation().explain_with(&sid, preference, &changes);
        call.new_handle(explanation, explained.map_err(|error| unplaced(&error))?)
    })
}

/// Frees an explanation. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn ha_explanation_free(explanation: *mut ha_explanation) -> ha_status {
    call!(std::ptr::null_mut(), |_call| {
        handles::free::<_, Explanation>(explanation)?;
        Call::done()
    })
}

/// The decision: the node, lent, and what decided, one of ha_decider. HA_NONE if there is no node for the service; decided_by
/// says why. Either pointer may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_explanation_answer(
    explanation: *const ha_explanation,
    node: *mut ha_str,
    decided_by: *mut i32,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let explanation = handles::take::<_, Explanation>(explanation)?;
        call.lend(node, explanation.answer.as_ref().map(NodeName::as_str));
        call.write(decided_by, explanation.decided_by.number());
        Ok(if explanation.answer.is_some() { ha_status::HA_OK } else { ha_status::HA_NONE })
    })
}

/// How many nodes an explanation tells of: all of the cluster.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_explanation_node_count(
    explanation: *const ha_explanation,
    count: *mut usize,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| { call.must_write(count, handles::take::<_, Explanation>(explanation)?.nodes.len()) })
}

/// What became of a node, by its place in the order of names.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_explanation_node(
    explanation: *const ha_explanation,
    index: usize,
    node: *mut ha_node_explanation,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let explanation = handles::take::<_, Explanation>(explanation)?;
        let found = explanation.nodes.get(index);
        let found = found.ok_or_else(|| Failure::not_found(format!("there is no node {index}")))?;
        let fate = match &found.fate {
            Fate::Candidate => ha_fate::HA_FATE_CANDIDATE,
            Fate::NotOnline { .. } => ha_fate::HA_FATE_NOT_ONLINE,
            Fate::NotAllowed { .. } => ha_fate::HA_FATE_NOT_ALLOWED,
            Fate::LowerPriority { .. } => ha_fate::HA_FATE_LOWER_PRIORITY,
            Fate::FailedBefore => ha_fate::HA_FATE_FAILED_BEFORE,
            Fate::KeptApart { .. } => ha_fate::HA_FATE_KEPT_APART,
            Fate::KeptTogether { .. } => ha_fate::HA_FATE_KEPT_TOGETHER,
        };
        let (services, score) = match found.figure {
            Some(Figure::Services(count)) => (i64::from(count), -1.0),
            Some(Figure::Score(score)) => (-1, score),
            None => (-1, -1.0),
        };
        let rank = found.rank.map_or(0, |rank| u32::try_from(rank).unwrap_or(u32::MAX));
        let node_name = ha_str::of(found.node.as_str());
        call.must_write(node, ha_node_explanation { node: node_name, fate: fate as i32, rank, services, score })
    })
}

/// An explanation as JSON, with all rules and services that it names.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_explanation_json(
    explanation: *const ha_explanation,
    json: *mut ha_text,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let explanation = handles::take::<_, Explanation>(explanation)?;
        call.own_text(json, serde_json::to_string(&*explanation).map_err(Failure::content)?)
    })
}

/// An explanation in words for people.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_explanation_words(
    explanation: *const ha_explanation,
    words: *mut ha_text,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let explained = handles::take::<_, Explanation>(explanation)?.to_string();
        call.own_text(words, explained)
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
        let asked = handles::take::<_, Asked>(situation)?;
        let found = asked.situation().counterfactual(&sid, preference, &node).map_err(|error| unplaced(&error))?;
        call.own_text(json, serde_json::to_string(&found).map_err(Failure::content)?)
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
            handles::take::<_, ManagerHandle>(manager)?.0.balance_hold()
        };
        let balance = handles::take::<_, Asked>(situation)?.prepared().balance(hold, count);
        call.own_text(json, serde_json::to_string(&balance).map_err(Failure::content)?)
    })
}

/// Where services go when nodes fail.
pub struct ha_recoveries {
    _private: [u8; 0],
}

/// Behind a `ha_recoveries`.
struct Recoveries(Vec<Recovery>);

impl Handle for Recoveries {
    const NAME: &'static str = "ha_recoveries";
}

/// Where one service goes when its node fails. This layout never changes; texts are lent by the ha_recoveries.
#[repr(C)]
pub struct ha_recovery {
    /// The service.
    pub sid: ha_str,
    /// The node that failed.
    pub from: ha_str,
    /// Where it goes; none if there is no node for it.
    pub to: ha_str,
    /// What decided, one of ha_decider.
    pub decided_by: i32,
}

/// Where the services of these nodes would go if the nodes failed now and were fenced, in the order in which they would be
/// recovered.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_situation_after_failure(
    situation: *const ha_situation,
    nodes: *const ha_str,
    node_count: usize,
    recoveries: *mut *mut ha_recoveries,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let nodes = call.nodes(nodes, node_count)?;
        let found = handles::take::<_, Asked>(situation)?.situation().after_failure(&nodes);
        call.new_handle(recoveries, Recoveries(found))
    })
}

/// Frees recoveries. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn ha_recoveries_free(recoveries: *mut ha_recoveries) -> ha_status {
    call!(std::ptr::null_mut(), |_call| {
        handles::free::<_, Recoveries>(recoveries)?;
        Call::done()
    })
}

/// How many services would be recovered.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_recoveries_count(
    recoveries: *const ha_recoveries,
    count: *mut usize,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| { call.must_write(count, handles::take::<_, Recoveries>(recoveries)?.0.len()) })
}

/// One of the recoveries, by its place in their order.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_recoveries_get(
    recoveries: *const ha_recoveries,
    index: usize,
    recovery: *mut ha_recovery,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let recoveries = handles::take::<_, Recoveries>(recoveries)?;
        let found = recoveries.0.get(index);
        let found = found.ok_or_else(|| Failure::not_found(format!("there is no recovery {index}")))?;
        let recovered = ha_recovery {
            sid: ha_str::of(found.sid.as_str()),
            from: ha_str::of(found.from.as_str()),
            to: found.to.as_ref().map_or(ha_str::NONE, |node| ha_str::of(node.as_str())),
            decided_by: found.decided_by.number(),
        };
        call.must_write(recovery, recovered)
    })
}
