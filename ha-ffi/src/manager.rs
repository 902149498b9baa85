//! The manager on its own: one round after another, for toolstacks that have daemons of their own.

use std::{collections::BTreeMap, ffi::c_char, sync::Arc};

use ha_core::{
    host::{Configuration as Configured, HostFigures, UnmanagedGuest},
    manager::{Manager, RoundInput},
    plan::Rehearsal,
    status::ManagerStatus,
    time::Now,
};

use crate::{
    adapter::Adapter,
    answer::ha_answer,
    boundary::{self, Call, call},
    configuration::{Configuration, ha_configuration},
    daemons::now,
    error::ha_error,
    failure::{Failure, ha_status},
    handles::{self, Handle},
    host::{Host, ha_host},
    lrm_status::{self, ha_lrm_status},
    manager_status::{self, ha_manager_status},
    records::Record,
    text::{ha_str, ha_text},
    timings::{self, ha_timings},
    usage::ha_usage,
};

/// The master's mind: the manager status, and what it remembers beside it. Make one when you become master, free it when you
/// no longer are.
pub struct ha_manager {
    _private: [u8; 0],
}

/// Behind a `ha_manager`.
pub(crate) struct ManagerHandle(pub(crate) Manager);

impl Handle for ManagerHandle {
    const NAME: &'static str = "ha_manager";
}

/// All that one round looks at. It can be kept and changed from round to round.
pub struct ha_round_input {
    _private: [u8; 0],
}

/// Behind a `ha_round_input`.
struct Input(RoundInput);

impl Handle for Input {
    const NAME: &'static str = "ha_round_input";
}

/// Makes an input: no members, no records, an empty configuration.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_round_input_new(input: *mut *mut ha_round_input, error: *mut *mut ha_error) -> ha_status {
    call!(error, |call| {
        let empty = RoundInput {
            now: Now::default(),
            members: BTreeMap::new(),
            lrms: BTreeMap::new(),
            configuration: Configured::default(),
            unmanaged: Vec::new(),
            usage: None,
        };
        call.new_handle(input, Input(empty))
    })
}

/// Frees an input. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn ha_round_input_free(input: *mut ha_round_input) -> ha_status {
    boundary::free::<_, Input>(input)
}

/// Tells a member of the cluster: online 1 or 0; or -1 if it is no member any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_round_input_set_member(
    input: *mut ha_round_input,
    node: *const c_char,
    node_length: usize,
    online: i32,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let node = call.node(node, node_length)?;
        let mut input = handles::take::<_, Input>(input)?;
        match online {
            0 | 1 => input.0.members.insert(node, online == 1),
            -1 => input.0.members.remove(&node),
            _ => return Err(Failure::argument(format!("{online} is neither 1, 0 nor -1"))),
        };
        Call::done()
    })
}

/// Tells the record of a node's LRM, which is shared, not copied; NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_round_input_set_lrm(
    input: *mut ha_round_input,
    node: *const c_char,
    node_length: usize,
    lrm: *const ha_lrm_status,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let node = call.node(node, node_length)?;
        let record = if lrm.is_null() { None } else { Some(lrm_status::read(lrm)?.keep()) };
        let mut input = handles::take::<_, Input>(input)?;
        match record {
            Some(record) => input.0.lrms.insert(node, record),
            None => input.0.lrms.remove(&node),
        };
        Call::done()
    })
}

/// Tells what is configured; it is shared, not copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_round_input_set_configuration(
    input: *mut ha_round_input,
    configuration: *const ha_configuration,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |_call| {
        let configuration = handles::read::<_, Configuration>(configuration)?.shared();
        handles::take::<_, Input>(input)?.0.configuration = configuration;
        Call::done()
    })
}

/// Forgets the guests that HA does not manage, to tell them again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_round_input_clear_unmanaged(
    input: *mut ha_round_input,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |_call| {
        handles::take::<_, Input>(input)?.0.unmanaged.clear();
        Call::done()
    })
}

/// Tells a guest that HA does not manage. running: 1 if it runs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_round_input_add_unmanaged(
    input: *mut ha_round_input,
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
        handles::take::<_, Input>(input)?.0.unmanaged.push(guest);
        Call::done()
    })
}

/// Tells the figures of nodes and services, for the schedulers that look at them; NULL for none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_round_input_set_usage(
    input: *mut ha_round_input,
    usage: *const ha_usage,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |_call| {
        let usage = if usage.is_null() { None } else { Some(handles::read::<_, HostFigures>(usage)?.clone()) };
        handles::take::<_, Input>(input)?.0.usage = usage.map(Arc::new);
        Call::done()
    })
}

/// Begins from the recorded status, on the node that is master now.
///
/// timings: NULL for the customary ones. configuration: says the scheduler. unique: sixteen bytes that nobody had before.
/// host: gets events.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ha_manager_new(
    node: *const c_char,
    node_length: usize,
    timings: *const ha_timings,
    recorded: *const ha_manager_status,
    configuration: *const ha_configuration,
    unique: *const c_char,
    unique_length: usize,
    host: *mut ha_host,
    manager: *mut *mut ha_manager,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let node = call.node(node, node_length)?;
        let timings = timings::checked(timings)?;
        let unique: &[u8; 16] = call
            .bytes(unique, unique_length)?
            .try_into()
            .map_err(|_| Failure::argument("unique has to be sixteen bytes"))?;
        let recorded = ManagerStatus::clone(&manager_status::read(recorded)?.keep());
        let mode = handles::read::<_, Configuration>(configuration)?.datacenter.scheduler.mode;
        let host = handles::take::<_, Host>(host)?;
        let new = Manager::begin(node, timings, recorded, mode, unique, &mut Adapter::new(&host));
        call.new_handle(manager, ManagerHandle(new))
    })
}

/// Frees a manager. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn ha_manager_free(manager: *mut ha_manager) -> ha_status {
    boundary::free::<_, ManagerHandle>(manager)
}

/// Plays one round: looks at the input, decides, calls the host's callbacks of the CRM's part for what must be done (locks,
/// commands, fence devices, guests), and at its end write_manager_status.
///
/// Call it only while this node holds the manager lock and its watchdog is fed for that, with an input that was read after the
/// lock was renewed: two masters at once could make a service run twice. ha_crm_tick() sees to all of this.
///
/// monotonic and wall: see ha_crm_tick(). Callbacks that read (members, records, configuration) are not called.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ha_manager_round(
    manager: *mut ha_manager,
    input: *mut ha_round_input,
    host: *mut ha_host,
    monotonic: u64,
    wall: i64,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |_call| {
        let mut manager = handles::take::<_, ManagerHandle>(manager)?;
        let mut input = handles::take::<_, Input>(input)?;
        let host = handles::take::<_, Host>(host)?;
        input.0.now = now(monotonic, wall);
        manager.0.round(&input.0, &mut Adapter::new(&host));
        Call::done()
    })
}

/// Plays one round as ha_manager_round() does, on a host where nothing happens: to see what the next round would do with a
/// command, a change of the configuration, or the loss of a node. Use a manager that you have made for this: it then knows what
/// the round would have written, see ha_manager_get_status().
///
/// granting: HA_ANSWER_YES where every lock can be had and every fence device succeeds, HA_ANSWER_NO where none is and none
/// does. commands: lines of the command queue. events: what would have happened, as a JSON list.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_manager_rehearse(
    manager: *mut ha_manager,
    input: *mut ha_round_input,
    granting: i32,
    commands: *const ha_str,
    command_count: usize,
    monotonic: u64,
    wall: i64,
    events: *mut ha_text,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let empty = match granting {
            yes if yes == ha_answer::HA_ANSWER_YES as i32 => Rehearsal::granting(),
            no if no == ha_answer::HA_ANSWER_NO as i32 => Rehearsal::refusing(),
            _ => return Err(Failure::argument(format!("{granting} is neither HA_ANSWER_YES nor HA_ANSWER_NO"))),
        };
        let commands = call.texts(commands, command_count)?.into_iter().map(str::to_owned).collect();
        let mut host = Rehearsal { commands, ..empty };
        let mut manager = handles::take::<_, ManagerHandle>(manager)?;
        let mut input = handles::take::<_, Input>(input)?;
        input.0.now = now(monotonic, wall);
        manager.0.round(&input.0, &mut host);
        call.own_text(events, serde_json::to_string(&host.events).map_err(Failure::content)?)
    })
}

/// Goes on from what is recorded, instead of what the manager knew: its lock was over for a while.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_manager_resume(
    manager: *mut ha_manager,
    recorded: *const ha_manager_status,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |_call| {
        let recorded = ManagerStatus::clone(&manager_status::read(recorded)?.keep());
        handles::take::<_, ManagerHandle>(manager)?.0.resume(recorded);
        Call::done()
    })
}

/// A copy of the status as the manager knows it: what it wrote last, or would write next.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_manager_get_status(
    manager: *const ha_manager,
    status: *mut *mut ha_manager_status,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let now = handles::read::<_, ManagerHandle>(manager)?.0.status().clone();
        call.new_handle(status, Record::Shared(Arc::new(now)))
    })
}

/// One service of the manager's status, without a copy of the whole. HA_NONE if there is no such service. What it lends holds
/// until the next round.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_manager_service_node(
    manager: *const ha_manager,
    sid: *const c_char,
    sid_length: usize,
    node: *mut ha_str,
    state: *mut i32,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        use crate::words::Number as _;
        let sid = call.sid(sid, sid_length)?;
        let manager = handles::read::<_, ManagerHandle>(manager)?;
        let Some(entry) = manager.0.status().services.get(&sid) else { return Ok(ha_status::HA_NONE) };
        call.lend(node, Some(entry.node.as_str()));
        call.write(state, entry.state.name().number());
        Call::done()
    })
}
