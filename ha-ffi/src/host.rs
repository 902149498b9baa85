//! The host: a table of callbacks with a context.

use std::ffi::{c_char, c_void};

use ha_core::{
    config::fence::{FenceCommand, HandOver},
    host::HostError,
};

use crate::{
    boundary::{self, Call, call},
    error::ha_error,
    event::ha_event,
    failure::{Failure, ha_status},
    handles::{self, Handle},
    job::ha_job,
    lrm_status::ha_lrm_status,
    manager_status::ha_manager_status,
    reply::ha_reply,
    text::ha_str,
};

/// The commands of a fence device, lent to run_fence_device.
pub struct ha_fence_commands {
    _private: [u8; 0],
}

/// A host: the program that embeds this library, by its callbacks.
pub struct ha_host {
    _private: [u8; 0],
}

/// The callbacks of a host.
///
/// Set size to sizeof(struct ha_callbacks), and every callback that you do not have to NULL: a call of it fails. A daemon
/// needs those of its part; ha_job_run() those of the agent.
///
/// Each gets the context, and all but event() get a reply. Each returns one of ha_answer; which ones is said with it, beside
/// HA_ANSWER_FAILED. A call that fails is reported as the event HA_EVENT_HOST_CALL_FAILED, and tried again later; it never
/// leads to a feed of the watchdog. If it is not known whether a call took effect, answer HA_ANSWER_FAILED.
///
/// Callbacks are called only from calls that the host was given to, by the same thread. They may call this library, but not
/// with a handle that the running call works with: that is refused with HA_ERROR_BUSY. They must return: no exceptions, no
/// longjmp().
///
/// Texts are UTF-8 with their lengths, without a NUL. They and lent handles hold until the callback returns.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ha_callbacks {
    /// sizeof(struct ha_callbacks), so that the struct can grow.
    pub size: usize,
    /// Given to each callback.
    pub context: *mut c_void,
    /// Called once with the context when the host is freed, or when the last call with it ends after that. May be NULL.
    pub destroy: Option<unsafe extern "C" fn(context: *mut c_void)>,

    /// Receives an event, lent.
    ///
    /// Promise: It does not fail, and it does not block: a daemon that waits for it feeds no watchdog.
    pub event: Option<unsafe extern "C" fn(context: *mut c_void, event: *const ha_event)>,

    /// Brings the view of the cluster's members up to date, once at the beginning of each iteration: HA_ANSWER_OK. If it fails the
    /// iteration decides nothing about services.
    pub refresh: Option<unsafe extern "C" fn(context: *mut c_void, reply: *mut ha_reply) -> i32>,
    /// Whether this node is in the quorate partition, by the present view: HA_ANSWER_YES; everything else is no.
    ///
    /// Promise: Yes only where it is known; what can't be told is no.
    pub is_quorate: Option<unsafe extern "C" fn(context: *mut c_void, reply: *mut ha_reply) -> i32>,
    /// CRM: all members of the cluster, each by ha_reply_member(): HA_ANSWER_OK.
    ///
    /// Promise: Where this node is not quorate none is online. A node that is no member, or no member any more, is not
    /// quorate and gets no lock.
    pub members: Option<unsafe extern "C" fn(context: *mut c_void, reply: *mut ha_reply) -> i32>,

    /// Takes the lock, or renews it if this node has it: HA_ANSWER_ACQUIRED, HA_ANSWER_RENEWED or HA_ANSWER_REFUSED; HA_ANSWER_HELD if the
    /// host knows only that this node has it now. HA_ANSWER_ACQUIRED each time would not do: the master would take itself for a new one in
    /// every round, and never fence a node.
    ///
    /// The answer may come late: the lease counts from the call. If it fails the lock counts as not renewed.
    ///
    /// Promise: From the moment that this is called, for at least the lock lifetime, no other node gets the lock,
    /// unless this one releases it; and no lock is given without quorum. The answer is the answer to this very call;
    /// what is not known is a failure. A node is one machine on one boot, not a name.
    pub take_lock: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            lock: *const c_char,
            lock_length: usize,
            reply: *mut ha_reply,
        ) -> i32,
    >,
    /// Gives a lock up, so that another node can take it at once; nothing if this node does not have it: HA_ANSWER_OK. If it
    /// fails the lock is left to expire.
    ///
    /// Promise: A lock that this node does not have stays as it is.
    pub release_lock: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            lock: *const c_char,
            lock_length: usize,
            reply: *mut ha_reply,
        ) -> i32,
    >,

    /// Arms the watchdog: HA_ANSWER_FED or HA_ANSWER_TOO_LATE. not_after: as for feed_watchdog. If it is not fed the daemon does
    /// not work under the lock that it just got, and gives it back.
    ///
    /// Promise: As for feed_watchdog. A process that goes away without closing it never calls off the reset.
    pub open_watchdog: Option<unsafe extern "C" fn(context: *mut c_void, not_after: u64, reply: *mut ha_reply) -> i32>,
    /// Feeds the watchdog: HA_ANSWER_FED; or HA_ANSWER_TOO_LATE without feeding it, if the monotonic clock is past not_after
    /// (nanoseconds since the start of that clock). If it fails the lock counts as lost, and the node is reset in time.
    ///
    /// Promise: The monotonic clock is read as the last step before the device is touched; past not_after the device is
    /// left alone.
    pub feed_watchdog: Option<unsafe extern "C" fn(context: *mut c_void, not_after: u64, reply: *mut ha_reply) -> i32>,
    /// Disarms the watchdog without a reset: HA_ANSWER_OK. Called only where nothing runs, or nothing is touched any more. If it
    /// fails the node may be reset.
    ///
    /// Promise: Nothing but this calls off the reset.
    pub close_watchdog: Option<unsafe extern "C" fn(context: *mut c_void, reply: *mut ha_reply) -> i32>,

    /// The manager status as it was last written, by ha_reply_manager_status() or, as JSON, ha_reply_json(): HA_ANSWER_OK.
    /// HA_ANSWER_NONE if none was ever written: the core begins from nothing then.
    ///
    /// Promise: Never something older than what this node has read before. None only if none was ever written; a record
    /// that can't be read is a failure.
    pub read_manager_status: Option<unsafe extern "C" fn(context: *mut c_void, reply: *mut ha_reply) -> i32>,
    /// What is configured now, by ha_reply_configuration(): HA_ANSWER_OK. What did not change should still have the same
    /// digests.
    ///
    /// Promise: What can't be read is a failure, not an empty configuration.
    pub read_configuration: Option<unsafe extern "C" fn(context: *mut c_void, reply: *mut ha_reply) -> i32>,

    /// CRM: writes the manager status, lent: HA_ANSWER_OK. If it fails it is written in the next round.
    ///
    /// Promise: Whole or not at all. A host that can refuses it to a node that does not hold the manager lock: while HA
    /// is disarmed no watchdog ends a master that was stopped for longer than its lock lasts.
    pub write_manager_status: Option<
        unsafe extern "C" fn(context: *mut c_void, status: *const ha_manager_status, reply: *mut ha_reply) -> i32,
    >,
    /// The record of a node's LRM as it was last written, by ha_reply_lrm_status() or ha_reply_json(): HA_ANSWER_OK; HA_ANSWER_NONE
    /// if there is none. A CRM asks for each node's in every round; if it fails the record of the round before holds. An LRM asks for
    /// its own node's once, before it writes its first one; if it fails it does nothing before it is answered.
    ///
    /// Promise: Never something older than what this node has read before. None only if there is none; a record that
    /// can't be read is a failure.
    pub read_lrm_status: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            node: *const c_char,
            node_length: usize,
            reply: *mut ha_reply,
        ) -> i32,
    >,
    /// CRM: whether a line waits in the command queue: HA_ANSWER_YES or HA_ANSWER_NO.
    pub commands_waiting: Option<unsafe extern "C" fn(context: *mut c_void, reply: *mut ha_reply) -> i32>,
    /// CRM: takes all lines of the command queue, each once by ha_reply_text(); it is empty afterwards: HA_ANSWER_OK. If it
    /// fails the round goes on without commands.
    ///
    /// Promise: A line is given once.
    pub take_commands: Option<unsafe extern "C" fn(context: *mut c_void, reply: *mut ha_reply) -> i32>,

    /// LRM: writes this node's LRM status, lent: HA_ANSWER_OK. If it fails it is written in the next iteration.
    ///
    /// Promise: Whole or not at all.
    pub write_lrm_status:
        Option<unsafe extern "C" fn(context: *mut c_void, status: *const ha_lrm_status, reply: *mut ha_reply) -> i32>,

    /// CRM: moves the configuration of a guest from a node that was fenced to another one, so that it can be started there;
    /// well if it is there already. HA_ANSWER_OK.
    ///
    /// Promise: It does not touch the guest.
    pub move_configuration: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            sid: *const c_char,
            sid_length: usize,
            from: *const c_char,
            from_length: usize,
            to: *const c_char,
            to_length: usize,
            reply: *mut ha_reply,
        ) -> i32,
    >,
    /// CRM: removes the locks that a guest on a fenced node may have left and that are safe to remove: backup, mounted, migrate,
    /// clone, rollback, snapshot, snapshot-delete, suspending, suspended. HA_ANSWER_OK with the name of the lock by
    /// ha_reply_text(), or HA_ANSWER_NONE.
    ///
    /// Promise: Only locks that a guest on a fenced node leaves behind are removed; any other one protects what is
    /// under way.
    pub remove_leftover_locks: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            sid: *const c_char,
            sid_length: usize,
            node: *const c_char,
            node_length: usize,
            reply: *mut ha_reply,
        ) -> i32,
    >,
    /// CRM: changes the requested state of a service in the configuration, to one of ha_requested_state: HA_ANSWER_OK.
    pub set_requested_state: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            sid: *const c_char,
            sid_length: usize,
            state: i32,
            reply: *mut ha_reply,
        ) -> i32,
    >,
    /// CRM: writes the rules file that the groups were turned into, then the resources file whose services name no group any
    /// more; only if both files still have these digests. HA_ANSWER_OK.
    ///
    /// Promise: Only if both files are still the same: the rules are written first, and each file whole or not at all.
    pub write_group_migration: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            rules: *const c_char,
            rules_length: usize,
            rules_digest: *const c_char,
            resources: *const c_char,
            resources_length: usize,
            resources_digest: *const c_char,
            reply: *mut ha_reply,
        ) -> i32,
    >,
    /// CRM: removes the groups file, if it still has this digest (with a NUL at its end): HA_ANSWER_OK.
    ///
    /// Promise: Only if the file is still the same.
    pub remove_groups:
        Option<unsafe extern "C" fn(context: *mut c_void, groups_digest: *const c_char, reply: *mut ha_reply) -> i32>,
    /// CRM: the version of the software on a node, such as "9.0.0~16", by ha_reply_text(): HA_ANSWER_OK; or HA_ANSWER_NONE.
    pub software_version: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            node: *const c_char,
            node_length: usize,
            reply: *mut ha_reply,
        ) -> i32,
    >,

    /// CRM: starts the commands of a node's fence device, all at once, if they were not started yet for this attempt, and says
    /// how far they are: HA_ANSWER_RUNNING, HA_ANSWER_FENCED or HA_ANSWER_NOT_FENCED. Called once a round while they run. An attempt
    /// is named by incident and number together; device counts the node's devices from 0. If it fails the device counts as
    /// failed.
    ///
    /// Promise: A success is the answer of commands that were started for this very attempt, never for another one: the
    /// node may have been up again meanwhile. What still runs for another attempt for the node has ended before
    /// commands are started. It returns at once, also where a program hangs.
    pub run_fence_device: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            node: *const c_char,
            node_length: usize,
            incident: *const c_char,
            incident_length: usize,
            number: u32,
            device: u32,
            commands: *const ha_fence_commands,
            reply: *mut ha_reply,
        ) -> i32,
    >,

    /// CRM: forgets every attempt of a fence device but those of the incidents that go on, and ends what runs for it, without waiting:
    /// HA_ANSWER_OK. Called when a CRM becomes master and when it no longer is, and when an incident is over. incidents: the ids
    /// of those that go on, each with a line end. Not called where run_fence_device is NULL.
    pub forget_fence_attempts: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            incidents: *const c_char,
            incidents_length: usize,
            reply: *mut ha_reply,
        ) -> i32,
    >,

    /// CRM: the guests that HA does not manage, each by ha_reply_unmanaged(); managed ones may be among them: HA_ANSWER_OK. If it
    /// fails the round does without.
    pub unmanaged_services: Option<unsafe extern "C" fn(context: *mut c_void, reply: *mut ha_reply) -> i32>,
    /// CRM: the figures of nodes and services, by ha_reply_usage(); asked only where the scheduler needs them: HA_ANSWER_OK. If it fails the round
    /// counts services instead.
    pub usage: Option<unsafe extern "C" fn(context: *mut c_void, reply: *mut ha_reply) -> i32>,
    /// CRM: sixteen random bytes, by ha_reply_bytes(): HA_ANSWER_OK.
    ///
    /// Promise: Nobody can have had them before.
    pub random_bytes: Option<unsafe extern "C" fn(context: *mut c_void, reply: *mut ha_reply) -> i32>,

    /// LRM: starts a job, lent: HA_ANSWER_RUNNING, or HA_ANSWER_FINISHED after ha_reply_exit_code(). Whoever carries it out
    /// keeps a ha_job_copy() and calls ha_job_run(). There is never more than one job for a service at a time. If it fails it
    /// is started later.
    ///
    /// Promise: If it fails the job does not run, and never will. The workers of a node end with its power.
    pub start_job: Option<unsafe extern "C" fn(context: *mut c_void, job: *const ha_job, reply: *mut ha_reply) -> i32>,
    /// LRM: the jobs that ended since this was last called, by ha_reply_job(), in the order of their end: HA_ANSWER_OK. One that
    /// died or was killed ends with HA_EXIT_KILLED.
    ///
    /// Promise: Each job is named once, and only when nothing of it is left. If it fails nothing counts as told.
    pub finished_jobs: Option<unsafe extern "C" fn(context: *mut c_void, reply: *mut ha_reply) -> i32>,

    /// Agent: whether there is an agent for this type of service: HA_ANSWER_YES; everything else is no.
    pub knows_type: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            service_type: *const c_char,
            service_type_length: usize,
            reply: *mut ha_reply,
        ) -> i32,
    >,
    /// Agent: the node on which the service's guest is configured now, by ha_reply_text(): HA_ANSWER_OK; HA_ANSWER_NONE if it
    /// is not configured at all.
    ///
    /// Promise: It names the target of a move only when nothing of the service is left here that may run.
    pub guest_node: Option<
        unsafe extern "C" fn(context: *mut c_void, sid: *const c_char, sid_length: usize, reply: *mut ha_reply) -> i32,
    >,
    /// Agent: whether anything of the service runs here: HA_ANSWER_YES or HA_ANSWER_NO.
    ///
    /// Whether start, stop and move_to succeeded is judged by looking again, not by their answer: a failure is only reported.
    ///
    /// Promise: No only if nothing of the service is left, no child, no helper, no mount; what can't be told is a
    /// failure: then nothing is started, and no stop has worked.
    pub is_running: Option<
        unsafe extern "C" fn(context: *mut c_void, sid: *const c_char, sid_length: usize, reply: *mut ha_reply) -> i32,
    >,
    /// Agent: starts the service: HA_ANSWER_OK; HA_ANSWER_LOCKED, as stop and move_to.
    ///
    /// Promise: It returns when the service runs or can't be started.
    pub start: Option<
        unsafe extern "C" fn(context: *mut c_void, sid: *const c_char, sid_length: usize, reply: *mut ha_reply) -> i32,
    >,
    /// Agent: stops the service within so many seconds, 0 hard at once, -1 as the agent likes: HA_ANSWER_OK.
    ///
    /// Promise: It returns when nothing of the service is left or it can't be stopped. It is asked for also where
    /// is_running said no or failed, time and again: then it does nothing and succeeds.
    pub stop: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            sid: *const c_char,
            sid_length: usize,
            timeout: i64,
            reply: *mut ha_reply,
        ) -> i32,
    >,
    /// Agent: moves the service to a node, in one of the ways of ha_motion: HA_ANSWER_OK.
    ///
    /// Promise: It returns when the service is there or can't be moved. Of a guest that is moved live the copy runs
    /// only after guest_node names the target, whatever it looks like there: until then the original may go on by
    /// itself at any moment.
    pub move_to: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            sid: *const c_char,
            sid_length: usize,
            target: *const c_char,
            target_length: usize,
            motion: i32,
            reply: *mut ha_reply,
        ) -> i32,
    >,

    /// LRM, may be NULL: how long a job, lent, may take since it was started: HA_ANSWER_OK after ha_reply_seconds(), HA_ANSWER_NONE if as long as
    /// it needs. Past that time it is asked again, so that a job that gets on can have more. NULL: ten minutes beyond the job's
    /// timeout for a start or stop, and no limit for a move.
    pub job_time_limit:
        Option<unsafe extern "C" fn(context: *mut c_void, job: *const ha_job, reply: *mut ha_reply) -> i32>,
    /// LRM, may be NULL: ends a job that takes too long: HA_ANSWER_OK. Until finished_jobs names it, with HA_EXIT_KILLED, this is
    /// asked again from time to time. NULL: no job can be ended; one that hangs is shown.
    ///
    /// Promise: The job may go on for a while: finished_jobs names it when nothing of it is left, not before.
    pub end_job: Option<unsafe extern "C" fn(context: *mut c_void, id: u64, reply: *mut ha_reply) -> i32>,
    /// LRM, may be NULL: the lock that a guest has now, by ha_reply_text(), to say what a job waits for that ended with HA_EXIT_TRY_AGAIN:
    /// HA_ANSWER_OK, or HA_ANSWER_NONE. NULL: it is not known.
    pub guest_lock: Option<
        unsafe extern "C" fn(context: *mut c_void, sid: *const c_char, sid_length: usize, reply: *mut ha_reply) -> i32,
    >,
    /// CRM, may be NULL: as usage, and asked instead. dynamic: 1 if the measured use is looked at as well, 0 if the sizes alone are.
    pub usage_by_mode: Option<unsafe extern "C" fn(context: *mut c_void, dynamic: i32, reply: *mut ha_reply) -> i32>,
    /// LRM, may be NULL: begins to find out whether a service is ready, by a probe as it is configured (such as "tcp:5432"), within
    /// so many seconds, if that was not begun for this number yet, and says how far it has come: HA_ANSWER_RUNNING, HA_ANSWER_READY,
    /// HA_ANSWER_NOT_READY or HA_ANSWER_NEVER_READY. Called once a round while it runs. A failure counts as not ready, and its text is the
    /// reason that is shown. NULL: a service that has a probe is not ready.
    ///
    /// Promise: An answer belongs to its attempt: what was found out for an earlier one is never given. It returns at
    /// once, and changes nothing.
    pub probe: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            sid: *const c_char,
            sid_length: usize,
            number: u64,
            probe: *const c_char,
            probe_length: usize,
            timeout: u32,
            reply: *mut ha_reply,
        ) -> i32,
    >,
}

impl ha_callbacks {
    const NONE: Self = Self {
        size: size_of::<Self>(),
        context: std::ptr::null_mut(),
        destroy: None,
        event: None,
        refresh: None,
        is_quorate: None,
        members: None,
        take_lock: None,
        release_lock: None,
        open_watchdog: None,
        feed_watchdog: None,
        close_watchdog: None,
        read_manager_status: None,
        read_configuration: None,
        write_manager_status: None,
        read_lrm_status: None,
        commands_waiting: None,
        take_commands: None,
        write_lrm_status: None,
        move_configuration: None,
        remove_leftover_locks: None,
        set_requested_state: None,
        write_group_migration: None,
        remove_groups: None,
        software_version: None,
        run_fence_device: None,
        forget_fence_attempts: None,
        unmanaged_services: None,
        usage: None,
        random_bytes: None,
        start_job: None,
        finished_jobs: None,
        knows_type: None,
        guest_node: None,
        is_running: None,
        start: None,
        stop: None,
        move_to: None,
        job_time_limit: None,
        end_job: None,
        guest_lock: None,
        usage_by_mode: None,
        probe: None,
    };
}

/// More bytes than the table of callbacks of any later version has: a larger size is garbage.
const LARGEST_TABLE: usize = 16 * 1024;

/// Behind a `ha_host`.
pub(crate) struct Host(pub(crate) ha_callbacks);

impl Handle for Host {
    const NAME: &'static str = "ha_host";
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Some(destroy) = self.0.destroy {
            // SAFETY: the host gave its context and destructor together; this is called once.
            unsafe { destroy(self.0.context) };
        }
    }
}

/// Makes a host. The callbacks are copied. If it fails the context is not taken over, and destroy() is not called.
///
/// A table that has some of the callbacks of a part (CRM, LRM, agent, locks, watchdog, fence devices, groups), but a NULL where that part can't do
/// without a callback, is refused with HA_ERROR_ARGUMENT and the name of the callback: no service would be looked after by it.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ha_host_new(
    callbacks: *const ha_callbacks,
    host: *mut *mut ha_host,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        if callbacks.is_null() || host.is_null() {
            return Err(Failure::argument("NULL instead of the callbacks or of the pointer to the host"));
        }
        // SAFETY: `Call` stands for it: a `ha_callbacks` begins with its size, so there are that many bytes.
        let size = unsafe { (*callbacks).size };
        let smallest = std::mem::offset_of!(ha_callbacks, event);
        if !(smallest..=LARGEST_TABLE).contains(&size) || !size.is_multiple_of(size_of::<usize>()) {
            return Err(Failure::argument("the size of the callbacks is not sizeof(struct ha_callbacks)"));
        }
        let mut own = ha_callbacks::NONE;
        let known = size.min(size_of::<ha_callbacks>());
        // SAFETY: there are `size` bytes at `callbacks`, and room for `known` of them; each prefix of whole fields makes a
        // valid struct, since what an older caller does not know stays NULL.
        unsafe {
            std::ptr::copy_nonoverlapping(callbacks.cast::<u8>(), std::ptr::from_mut(&mut own).cast::<u8>(), known);
        }
        match incomplete(&own, known) {
            Some(refused) => Err(refused),
            None => call.new_handle(host, Host(own)),
        }
    })
}

/// Whether there is a callback, and where it lies in the table.
type Entry = (&'static str, usize, bool);

macro_rules! entries {
    ($table:ident: $($name:ident),+ $(,)?) => {
        [$((stringify!($name), std::mem::offset_of!(ha_callbacks, $name), $table.$name.is_some())),+]
    };
}

/// What is wrong with a table whose first `known` bytes were given: where it has some callbacks of a part, those that this part can't do
/// without must be there. What lies behind `known` was not there yet when the caller was compiled.
fn incomplete(table: &ha_callbacks, known: usize) -> Option<Failure> {
    let daemon = entries!(table: refresh, is_quorate, take_lock, release_lock, open_watchdog, feed_watchdog, close_watchdog,
        read_manager_status, read_lrm_status, read_configuration);
    let has = |entries: &[Entry]| entries.iter().any(|(_, _, is_there)| *is_there);
    let missing = |what: &str, entries: &[Entry]| {
        let missing = entries.iter().find(|(_, offset, is_there)| !is_there && *offset < known);
        missing.map(|(name, ..)| Failure::argument(format!("the callback {name} is NULL: {what} can't do without it")))
    };
    let crm = entries!(table: members, write_manager_status, move_configuration, random_bytes);
    let lrm = entries!(table: write_lrm_status, start_job, finished_jobs);
    let is_crm = table.members.is_some() || table.random_bytes.is_some();
    let mut parts: Vec<(&str, &[Entry])> = Vec::new();
    if is_crm {
        parts.extend([("a CRM", daemon.as_slice()), ("a CRM", crm.as_slice())]);
    }
    if has(&lrm) {
        parts.extend([("an LRM", daemon.as_slice()), ("an LRM", lrm.as_slice())]);
    }
    let groups = [
        ("who takes locks", entries!(table: take_lock, release_lock).to_vec()),
        ("who has a watchdog", entries!(table: open_watchdog, feed_watchdog, close_watchdog).to_vec()),
        ("who has fence devices", entries!(table: run_fence_device, forget_fence_attempts).to_vec()),
        ("who turns groups into rules", entries!(table: write_group_migration, remove_groups).to_vec()),
        ("an agent", entries!(table: knows_type, guest_node, is_running, start, stop, move_to).to_vec()),
    ];
    parts.extend(groups.iter().filter(|(_, entries)| has(entries)).map(|(what, entries)| (*what, entries.as_slice())));
    parts.iter().find_map(|(what, entries)| missing(what, entries))
}

/// Frees a host, and calls its destroy(). NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn ha_host_free(host: *mut ha_host) -> ha_status {
    boundary::free::<_, Host>(host)
}

/// Behind a `ha_fence_commands`: the words of each command, and what its program is given.
pub(crate) struct FenceCommands(Vec<(Vec<String>, HandOver)>);

impl FenceCommands {
    pub(crate) fn of(commands: &[FenceCommand]) -> Result<Self, HostError> {
        let given = |command: &FenceCommand| {
            let given = command.hand_over().map_err(|error| HostError::new(error.to_string()))?;
            Ok((command.words().collect(), given))
        };
        commands.iter().map(given).collect::<Result<_, _>>().map(Self)
    }

    fn command(&self, command: usize) -> Result<&(Vec<String>, HandOver), Failure> {
        self.0.get(command).ok_or_else(|| Failure::not_found(format!("there is no command {command}")))
    }
}

impl Handle for FenceCommands {
    const NAME: &'static str = "ha_fence_commands";
}

/// How many commands there are.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_fence_commands_count(
    commands: *const ha_fence_commands,
    count: *mut usize,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| { call.must_write(count, handles::read::<_, FenceCommands>(commands)?.0.len()) })
}

/// A word of a command, lent: the program is word 0, its arguments follow, as they are written in fence.cfg. HA_NONE after the last
/// word. They may hold secrets: run the program as ha_fence_commands_argument() and ha_fence_commands_input() say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_fence_commands_word(
    commands: *const ha_fence_commands,
    command: usize,
    index: usize,
    word: *mut ha_str,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let commands = handles::read::<_, FenceCommands>(commands)?;
        let (words, _) = commands.command(command)?;
        call.lend(word, words.get(index).map(String::as_str));
        Ok(if index < words.len() { ha_status::HA_OK } else { ha_status::HA_NONE })
    })
}

/// What the program of a command gets on its command line after its name, lent; run it without a shell. HA_NONE after the last
/// one. Usually there is none: everybody on a machine can read command lines.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_fence_commands_argument(
    commands: *const ha_fence_commands,
    command: usize,
    index: usize,
    argument: *mut ha_str,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let commands = handles::read::<_, FenceCommands>(commands)?;
        let (_, given) = commands.command(command)?;
        call.lend(argument, given.arguments.get(index).map(String::as_str));
        Ok(if index < given.arguments.len() { ha_status::HA_OK } else { ha_status::HA_NONE })
    })
}

/// What the program of a command gets on its standard input, lent.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_fence_commands_input(
    commands: *const ha_fence_commands,
    command: usize,
    input: *mut ha_str,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let commands = handles::read::<_, FenceCommands>(commands)?;
        let (_, given) = commands.command(command)?;
        call.lend(input, Some(&given.input));
        Call::done()
    })
}
