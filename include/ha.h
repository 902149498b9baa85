/* Made by `cargo xtask generate` from the crate ha-ffi: change it there. */
/**
 * @file
 * ha.h: high availability of services in a cluster, for C and C++.
 *
 * README.md of the crate ha-ffi has the way in, and examples/c has whole programs.
 *
 * CONTENTS, in this order; each line is a group, which begins with its name behind "defgroup"
 *
 *   handles         Handles: what is behind each
 *   basics          Answers, errors, texts, the library
 *   words           Words: states, modes and the like as numbers
 *   configuration   Configuration: files, edits, rules
 *   records         Status records and commands
 *   view            What a person sees of them
 *   placement       Placement: where services go, and why
 *   timings         Timings
 *   events          Events
 *   history         History: what has happened, in figures
 *   host            The host: its callbacks, and how they answer
 *   locks           Locks that are kept as records
 *   daemons         The daemons: CRM and LRM
 *   jobs            Jobs: what an LRM has done
 *   manager         The manager on its own, a round at a time
 *   simulation      The virtual cluster
 *
 * THE CONTRACT
 *
 * Handles. Types such as ha_crm are opaque: what you hold is a number in the guise of a pointer, which is never used
 * twice. Each ..._new() (also ..._copy(), ..._from_json(), ..._play_...()) has a ..._free(). Freeing NULL does nothing;
 * freeing something twice gives HA_ERROR_HANDLE. Handles can be freed in any order: none depends on another one that it
 * was made from. What a function takes as a pointer to const it only reads, and any number of threads may read at once. All
 * else is for one call at a time: while a handle is changed or read, a call that would change it, and while it is changed, any
 * other call, from another thread or from a callback inside of the first, gets HA_ERROR_BUSY; but a stop of a daemon may be
 * asked for at any time. Different handles can be used by different threads at once. The library has no threads of its own.
 * A handle that is lent to a callback holds until that returns: freeing it gives HA_ERROR_HANDLE.
 *
 * Texts in are UTF-8, given by a pointer and a length in bytes, and need no NUL at the end. They are not kept.
 * Texts out are either a ha_text, which you own and free with ha_text_free(), or a ha_str, which is lent by a handle: it
 * holds until the handle is changed or freed, and has no NUL at its end.
 *
 * Answers. Functions return a ha_status: positive is well, negative is an error, 0 is never returned. The last argument
 * of most takes an error object with more about it; it may be NULL, and is written only on failure. What a function
 * writes on success it does not write on failure.
 *
 * Pointers that are not handles have to be NULL or to point to what their type says. Nothing can check that.
 *
 * Callbacks are given in a table to ha_host_new(); a host is then given to each call that may call back, and is called
 * from nowhere else. 0 is never an answer of success. See struct ha_callbacks.
 *
 * AFTER A BUG
 *
 * A panic of the library never crosses this interface. What struck is written to stderr; the call returns HA_ERROR_PANIC,
 * and so does every later call with a handle that it worked with; only ..._free() still takes them. What such a daemon
 * would have done is not known. So: stop feeding the watchdog, do not close it, do not release locks, and let the node be
 * reset; or end the process with the watchdog armed. A daemon that holds no lock and no open watchdog can simply be freed
 * and started again. ha_test_panic() lets you try that.
 */


#ifndef HA_H
#define HA_H

#include <stddef.h>
#include <stdint.h>

/// For calls whose status must not be ignored.
#if defined(__GNUC__) || defined(__clang__)
#define HA_MUST_USE __attribute__((warn_unused_result))
#else
#define HA_MUST_USE
#endif

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/** @defgroup handles Handles: what is behind each
 * @{ */

/// All of the configuration: what the files hold, what is wrong in them, and where each guest is.
///
/// The daemons keep what follows from a file as long as its digest stays the same, so a host should keep one of these and
/// read again only the files that changed.
typedef struct ha_configuration ha_configuration;

/// The cluster resource manager of one node. It runs on every node; the one that holds the manager lock is the master.
typedef struct ha_crm ha_crm;

/// An edit that is being put together.
typedef struct ha_edit ha_edit;

/// An error with all that is known about it. Functions that can fail take a pointer to one as their last argument; it may
/// be NULL. It is written only on failure. Free it with ha_error_free().
typedef struct ha_error ha_error;

/// Something that happened.
typedef struct ha_event ha_event;

/// A decision about one service with its reasons.
typedef struct ha_explanation ha_explanation;

/// The commands of a fence device, lent to run_fence_device.
typedef struct ha_fence_commands ha_fence_commands;

/// A host: the program that embeds this library, by its callbacks.
typedef struct ha_host ha_host;

/// Something to do for a service, on the node of the LRM that hands it out.
typedef struct ha_job ha_job;

/// A job on its way, for a host that does not want to block: it says what to ask of the agent next, and takes the answer.
typedef struct ha_job_steps ha_job_steps;

/// The local resource manager of one node. It looks after the services of its node, for as long as it holds its agent lock.
typedef struct ha_lrm ha_lrm;

/// The record that a node's LRM writes.
typedef struct ha_lrm_status ha_lrm_status;

/// The master's mind: the manager status, and what it remembers beside it. Make one when you become master, free it when you
/// no longer are.
typedef struct ha_manager ha_manager;

/// The one record that the master writes and everybody reads.
typedef struct ha_manager_status ha_manager_status;

/// Where services go when nodes fail.
typedef struct ha_recoveries ha_recoveries;

/// Through which a callback hands back what does not fit into a number. It holds until the callback returns. If something that is handed
/// back is refused, the callback has failed, whatever it answers.
typedef struct ha_reply ha_reply;

/// All that one round looks at. It can be kept and changed from round to round.
typedef struct ha_round_input ha_round_input;

/// Rules that were checked, completed and compiled for the nodes of a cluster.
typedef struct ha_rules ha_rules;

/// A scenario that was played to its end.
typedef struct ha_simulation ha_simulation;

/// All that placement looks at. It keeps what it was made from as that was then.
typedef struct ha_situation ha_situation;

/// The settings of all timings. They may be unsafe while they are being set; daemons refuse unsafe ones.
typedef struct ha_timings ha_timings;

/// The figures of nodes and services, for the schedulers that look at them.
typedef struct ha_usage ha_usage;

/// What a view of the cluster is made from.
typedef struct ha_view ha_view;

/** @} */

/** @defgroup basics Answers, errors, texts, the library
 * @{ */

/// The version of the interface that this header describes. It grows when functions are added; what is there stays as it is.
/// A change that breaks programs changes the soname.
#define HA_ABI_VERSION 2

/// What a function says of its outcome. Positive is well, negative is an error, 0 is never used.
///
/// Numbers keep their meaning for ever; new ones may come. Compare with HA_OK, and treat what you do not know as an error
/// if it is negative.
enum ha_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /// Done.
    HA_OK = 1,
    /// Done, and the answer is that there is none: no such property is set, no node is left for the service.
    HA_NONE = 2,
    /// An argument is not what it should be: NULL where something is needed, text that is not UTF-8, a number that stands
    /// for nothing.
    HA_ERROR_ARGUMENT = -1,
    /// A handle that was freed, was lent to a callback that has returned, is of another type, or never was a handle.
    HA_ERROR_HANDLE = -2,
    /// A handle that is in use: by the call that this callback is inside of, or by another thread.
    HA_ERROR_BUSY = -3,
    /// A bug of this library struck, now or in an earlier call with this handle. See "After a bug" in the introduction: stop
    /// feeding the watchdog.
    HA_ERROR_PANIC = -4,
    /// A name (of a service, node, rule, …) that is not valid.
    HA_ERROR_NAME = -5,
    /// A text that is not what it should be: a status record, a command line, JSON, a file of a configuration.
    HA_ERROR_CONTENT = -6,
    /// There is no such thing: no such service, section, index.
    HA_ERROR_NOT_FOUND = -7,
    /// An edit was refused. Nothing was changed.
    HA_ERROR_EDIT = -8,
    /// Timings that are not safe together.
    HA_ERROR_TIMINGS = -9,
    /// A file or folder that can't be read.
    HA_ERROR_READ = -10,
    /// Something can't be done in the present state.
    HA_ERROR_STATE = -11,
    /// Something ran out: handles.
    HA_ERROR_LIMIT = -12,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ha_status ha_status;
#else
typedef int32_t ha_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/// A text that the caller owns and frees with ha_text_free(). There is a NUL after its `length` bytes.
///
/// It is UTF-8, but for the bytes of a configuration file, which are what they were.
typedef struct ha_text {
    /// The first byte; NULL where there is no text.
    char *data;
    /// The number of bytes, without the NUL.
    size_t length;
} ha_text;

/// A text that belongs to somebody else: UTF-8, `length` bytes, no NUL at its end. `data` is NULL where there is none.
///
/// What a function lends this way holds until the handle that it came from is changed or freed.
typedef struct ha_str {
    /// The first byte.
    const char *data;
    /// The number of bytes.
    size_t length;
} ha_str;

/// The status of an error; HA_ERROR_HANDLE if it is no error at all.
int32_t ha_error_status(const struct ha_error *error);

/// What went wrong, in a sentence for people. It ends with a NUL and belongs to the error; "" if this is no error.
const char *ha_error_message(const struct ha_error *error);

/// A stable word for the kind of error, for programs: "unknown_property", "digest_mismatch", … "" if there is none.
const char *ha_error_kind(const struct ha_error *error);

/// The line at fault, from 1; 0 if it is not about a line.
size_t ha_error_line(const struct ha_error *error);

/// The section at fault, as its header says it ("vm: 100"); "" if it is not about a section.
const char *ha_error_section(const struct ha_error *error);

/// The field at fault: a property ("max_restart"), or the path of a field in a record ("service_status.vm:101.target"); "" if
/// it is not about a field.
const char *ha_error_field(const struct ha_error *error);

/// More about it, as JSON: for refused edits the list of faults ("property", "code", "message"), for a bad value the
/// code of what is wrong with it ("value_code"), for timings the inequalities that do not hold. "" if there is no more.
const char *ha_error_details(const struct ha_error *error);

/// Frees an error. NULL is fine.
ha_status ha_error_free(struct ha_error *error);

/// The version of the interface that the library has. If it is lower than HA_ABI_VERSION the library is older than the
/// header.
uint32_t ha_abi_version(void);

/// The version of the library for people, such as "0.1.0". It ends with a NUL and is never freed.
const char *ha_version(void);

/// How many handles there are that were not freed yet, for tests that look for leaks.
size_t ha_live_handles(void);

/// How many texts there are that were not freed yet, for tests that look for leaks.
size_t ha_live_texts(void);

/// Does what a bug in this library would do to a call with this handle, of whatever type: gives HA_ERROR_PANIC, and the handle
/// refuses everything from then on but to be freed. For tests of what a host does then.
ha_status ha_test_panic(void *handle,
                        struct ha_error **error);

/// Compares two versions of software, "9.0.0~16" before "9.0.0": writes -1, 0 or 1 to order.
ha_status ha_compare_versions(const char *one,
                              size_t one_length,
                              const char *other,
                              size_t other_length,
                              int32_t *order,
                              struct ha_error **error);

/// Frees a text and makes it empty, so that freeing it again does nothing. NULL is fine.
///
/// A text that is not ours, or a copy of one that was freed, is HA_ERROR_ARGUMENT and is left alone.
ha_status ha_text_free(struct ha_text *text);

/** @} */

/** @defgroup words Words: states, modes and the like as numbers
 * @{ */

/// The states of both daemons, as `Event.DaemonState` names them.
enum ha_daemon_state
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /// Before the first state.
    HA_DAEMON_STARTUP = 1,
    /// CRM: not healthy, or nothing to do.
    HA_DAEMON_WAIT_FOR_QUORUM = 2,
    /// CRM: another node is master.
    HA_DAEMON_SLAVE = 3,
    /// CRM: this node decides.
    HA_DAEMON_MASTER = 4,
    /// CRM: was master, and could not renew its lock.
    HA_DAEMON_LOST_MANAGER_LOCK = 5,
    /// LRM: nothing to do, or not allowed to.
    HA_DAEMON_WAIT_FOR_AGENT_LOCK = 6,
    /// LRM: looks after its services.
    HA_DAEMON_ACTIVE = 7,
    /// LRM: gives its services away.
    HA_DAEMON_MAINTENANCE = 8,
    /// LRM: could not renew its lock, or must be fenced.
    HA_DAEMON_LOST_AGENT_LOCK = 9,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ha_daemon_state ha_daemon_state;
#else
typedef int32_t ha_daemon_state;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/// What decided a placement.
enum ha_decider
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /// It may stay, and does not fail back.
    HA_DECIDED_BY_NO_FAILBACK = 1,
    /// It returns to the node that it left for maintenance.
    HA_DECIDED_BY_MAINTENANCE_NODE = 2,
    /// It may stay where it is.
    HA_DECIDED_BY_STAY = 3,
    /// The lowest load, or the only node left.
    HA_DECIDED_BY_LOWEST_LOAD = 4,
    /// The node after the present one in the order of load.
    HA_DECIDED_BY_NEXT_IN_ORDER = 5,
    /// The rules leave no online node.
    HA_DECIDED_BY_NOTHING_ALLOWED = 6,
    /// Nothing was left.
    HA_DECIDED_BY_NOTHING_LEFT = 7,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ha_decider ha_decider;
#else
typedef int32_t ha_decider;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/// What happens to the services while HA is disarmed.
enum ha_disarm_mode
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /// They are left as they are.
    HA_DISARM_FREEZE = 1,
    /// They are treated as if not managed.
    HA_DISARM_IGNORE = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ha_disarm_mode ha_disarm_mode;
#else
typedef int32_t ha_disarm_mode;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/// What an LRM has been asked to be.
enum ha_lrm_mode
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /// Working.
    HA_LRM_MODE_ACTIVE = 1,
    /// About to restart: its services are frozen meanwhile.
    HA_LRM_MODE_RESTART = 2,
    /// About to stop with its node.
    HA_LRM_MODE_SHUTDOWN = 3,
    /// Giving its services away and taking none.
    HA_LRM_MODE_MAINTENANCE = 4,
    /// Letting go of its lock and watchdog.
    HA_LRM_MODE_DISARM = 5,
    /// The node's record is gone.
    HA_LRM_MODE_UNKNOWN = 6,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ha_lrm_mode ha_lrm_mode;
#else
typedef int32_t ha_lrm_mode;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/// The state of an LRM.
enum ha_lrm_state
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /// Nothing to do, or not allowed to.
    HA_LRM_WAIT_FOR_AGENT_LOCK = 1,
    /// Holds its lock and looks after its services.
    HA_LRM_ACTIVE = 2,
    /// Holds its lock and gives its services away.
    HA_LRM_MAINTENANCE = 3,
    /// Has lost its lock; the watchdog resets the node.
    HA_LRM_LOST_AGENT_LOCK = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ha_lrm_state ha_lrm_state;
#else
typedef int32_t ha_lrm_state;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/// The two ways to move a service.
enum ha_motion
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /// Live, without a stop where the agent can.
    HA_MOTION_MIGRATE = 1,
    /// Stop, move, start.
    HA_MOTION_RELOCATE = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ha_motion ha_motion;
#else
typedef int32_t ha_motion;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/// What the master knows of a node.
enum ha_node_state
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /// In the quorate partition.
    HA_NODE_ONLINE = 1,
    /// In the quorate partition, but it takes no services.
    HA_NODE_MAINTENANCE = 2,
    /// Not in the quorate partition; it may still run services.
    HA_NODE_UNKNOWN = 3,
    /// It must be fenced.
    HA_NODE_FENCE = 4,
    /// No longer a member of the cluster.
    HA_NODE_GONE = 5,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ha_node_state ha_node_state;
#else
typedef int32_t ha_node_state;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/// What is asked of placement.
enum ha_preference
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /// Stay where it is if that is allowed: every round, for a running service.
    HA_PREFER_NONE = 1,
    /// The best node: for recovery and start.
    HA_PREFER_BEST = 2,
    /// The best node on which its start has not failed yet.
    HA_PREFER_NEXT = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ha_preference ha_preference;
#else
typedef int32_t ha_preference;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/// What a person asks for a service.
enum ha_requested_state
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /// Keep it running, recover it when its node fails.
    HA_REQUESTED_STARTED = 1,
    /// Keep it stopped, but still move it off a failed node.
    HA_REQUESTED_STOPPED = 2,
    /// Keep it stopped and leave it where it is. The only way out of the state `error`.
    HA_REQUESTED_DISABLED = 3,
    /// Act as if it were not managed at all.
    HA_REQUESTED_IGNORED = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ha_requested_state ha_requested_state;
#else
typedef int32_t ha_requested_state;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/// The state that a service shall be in, without its data (`ServiceState` has that). It also names the commands of jobs.
enum ha_service_state
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /// Not running, as asked.
    HA_SERVICE_STOPPED = 1,
    /// To be stopped.
    HA_SERVICE_REQUEST_STOP = 2,
    /// To be started, with no node decided yet.
    HA_SERVICE_REQUEST_START = 3,
    /// To be moved to a better node, stopped, before its first start.
    HA_SERVICE_REQUEST_START_BALANCE = 4,
    /// To be running.
    HA_SERVICE_STARTED = 5,
    /// Its node failed and must be fenced.
    HA_SERVICE_FENCE = 6,
    /// Its node is known to be down; a new one is looked for.
    HA_SERVICE_RECOVERY = 7,
    /// Moves live.
    HA_SERVICE_MIGRATE = 8,
    /// Is stopped, moved, and started again.
    HA_SERVICE_RELOCATE = 9,
    /// Left alone while its LRM restarts or HA is disarmed.
    HA_SERVICE_FREEZE = 10,
    /// Failed for good: a person is needed.
    HA_SERVICE_ERROR = 11,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ha_service_state ha_service_state;
#else
typedef int32_t ha_service_state;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/// How much an event matters to a person who watches, in rising order.
enum ha_severity
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /// All goes as planned.
    HA_SEVERITY_INFO = 1,
    /// A change that a person may want to know of.
    HA_SEVERITY_NOTICE = 2,
    /// Something failed and is dealt with.
    HA_SEVERITY_WARNING = 3,
    /// A service is down, a node is being reset, or a person is needed.
    HA_SEVERITY_ERROR = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ha_severity ha_severity;
#else
typedef int32_t ha_severity;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/// Why an LRM is asked to stop.
enum ha_stop_request
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /// The daemon alone is restarted, for an upgrade say.
    HA_STOP_RESTART = 1,
    /// The node is about to reboot.
    HA_STOP_NODE_REBOOT = 2,
    /// The node is about to shut down.
    HA_STOP_NODE_SHUTDOWN = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ha_stop_request ha_stop_request;
#else
typedef int32_t ha_stop_request;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/// The word for a ha_requested_state, as the records and events have it; NULL for a number that is none.
const char *ha_requested_state_name(int32_t value);

/// The word for a ha_preference, as the records and events have it; NULL for a number that is none.
const char *ha_preference_name(int32_t value);

/// The word for a ha_decider, as the records and events have it; NULL for a number that is none.
const char *ha_decider_name(int32_t value);

/// The word for a ha_node_state, as the records and events have it; NULL for a number that is none.
const char *ha_node_state_name(int32_t value);

/// The word for a ha_service_state, as the records and events have it; NULL for a number that is none.
const char *ha_service_state_name(int32_t value);

/// The word for a ha_motion, as the records and events have it; NULL for a number that is none.
const char *ha_motion_name(int32_t value);

/// The word for a ha_disarm_mode, as the records and events have it; NULL for a number that is none.
const char *ha_disarm_mode_name(int32_t value);

/// The word for a ha_lrm_state, as the records and events have it; NULL for a number that is none.
const char *ha_lrm_state_name(int32_t value);

/// The word for a ha_lrm_mode, as the records and events have it; NULL for a number that is none.
const char *ha_lrm_mode_name(int32_t value);

/// The word for a ha_daemon_state, as the records and events have it; NULL for a number that is none.
const char *ha_daemon_state_name(int32_t value);

/// The word for a ha_severity, as the records and events have it; NULL for a number that is none.
const char *ha_severity_name(int32_t value);

/// The word for a ha_stop_request, as the records and events have it; NULL for a number that is none.
const char *ha_stop_request_name(int32_t value);

/** @} */

/** @defgroup configuration Configuration: files, edits, rules
 * @{ */

/// What an edit does.
enum ha_edit_action
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
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
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ha_edit_action ha_edit_action;
#else
typedef int32_t ha_edit_action;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/// The configuration files.
enum ha_file
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /// resources.cfg
    HA_FILE_RESOURCES = 1,
    /// groups.cfg
    HA_FILE_GROUPS = 2,
    /// rules.cfg
    HA_FILE_RULES = 3,
    /// datacenter.cfg
    HA_FILE_DATACENTER = 4,
    /// fence.cfg
    HA_FILE_FENCE = 5,
    /// nodes.cfg
    HA_FILE_NODES = 6,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ha_file ha_file;
#else
typedef int32_t ha_file;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/// What names services of a type may have that a host adds to "vm" and "ct".
enum ha_names
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /// Any name without blanks.
    HA_NAMES_ANY = 1,
    /// Digits.
    HA_NAMES_DIGITS = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ha_names ha_names;
#else
typedef int32_t ha_names;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/// Makes an empty configuration: no services, no rules, the default settings.
ha_status ha_configuration_new(struct ha_configuration **configuration, struct ha_error **error);

/// Makes a copy. It is cheap: what is read is shared.
ha_status ha_configuration_copy(const struct ha_configuration *configuration,
                                struct ha_configuration **copy,
                                struct ha_error **error);

/// Frees a configuration. NULL is fine.
ha_status ha_configuration_free(struct ha_configuration *configuration);

/// Adds a type of service to "vm" and "ct", which are always known. Do so before files are read.
///
/// names: one of ha_names.
ha_status ha_configuration_add_service_type(struct ha_configuration *configuration,
                                            const char *service_type,
                                            size_t service_type_length,
                                            int32_t names,
                                            struct ha_error **error);

/// Reads a file from its bytes, instead of what was known of it.
///
/// A problem never loses the rest of the file, and is no failure of this call: ask ha_configuration_problem_count(). A
/// fence.cfg with an error (not a warning) is not used at all.
///
/// file: one of ha_file.
ha_status ha_configuration_read(struct ha_configuration *configuration,
                                int32_t file,
                                const char *bytes,
                                size_t length,
                                struct ha_error **error);

/// Reads the settings of datacenter.cfg from JSON in the form of the recorded scenarios, where shares are fractions.
///
/// There is no file to write then. HA_ERROR_CONTENT if it can't be read; nothing is changed then.
ha_status ha_configuration_read_datacenter_json(struct ha_configuration *configuration,
                                                const char *json,
                                                size_t length,
                                                struct ha_error **error);

/// How many problems a file had when it was read.
ha_status ha_configuration_problem_count(const struct ha_configuration *configuration,
                                         int32_t file,
                                         size_t *count,
                                         struct ha_error **error);

/// A problem of a file, in the order of the lines, as an error object: message, kind, line, section, field. Free it with
/// ha_error_free().
ha_status ha_configuration_problem(const struct ha_configuration *configuration,
                                   int32_t file,
                                   size_t index,
                                   struct ha_error **problem,
                                   struct ha_error **error);

/// The bytes of a file as it is now. Nothing that was in it is lost: comments, and what could not be read.
///
/// Not for fence.cfg, which is never changed.
ha_status ha_configuration_write(const struct ha_configuration *configuration,
                                 int32_t file,
                                 struct ha_text *bytes,
                                 struct ha_error **error);

/// The digest of a file, 40 hexadecimal digits: of the bytes that were read, after an edit of those that will be written.
/// HA_NONE for a fence.cfg that is not used.
ha_status ha_configuration_digest(const struct ha_configuration *configuration,
                                  int32_t file,
                                  struct ha_text *digest,
                                  struct ha_error **error);

/// How many sections of resources.cfg, groups.cfg, rules.cfg or nodes.cfg hold.
ha_status ha_configuration_section_count(const struct ha_configuration *configuration,
                                         int32_t file,
                                         size_t *count,
                                         struct ha_error **error);

/// A section in the order of the file: its type ("vm", "group", "node-affinity") and its id ("100", "near", …). Both are
/// lent by the configuration.
ha_status ha_configuration_section(const struct ha_configuration *configuration,
                                   int32_t file,
                                   size_t index,
                                   struct ha_str *section_type,
                                   struct ha_str *id,
                                   struct ha_error **error);

/// The value of a property, as text. HA_NONE if it is not set, HA_ERROR_NOT_FOUND if there is no such section.
///
/// id: the service ("vm:100"), group or rule. For datacenter.cfg it is not looked at, and key is the path in the JSON form
/// ("scheduler.mode", "max_workers"), which is always set but for "max_starts", "max_moves" and "flapping_hold".
ha_status ha_configuration_property(const struct ha_configuration *configuration,
                                    int32_t file,
                                    const char *id,
                                    size_t id_length,
                                    const char *key,
                                    size_t key_length,
                                    struct ha_text *value,
                                    struct ha_error **error);

/// A file as JSON: "digest", "problems" (each with "line", "section", "property", "code", "message", and "value_code"), and
/// "sections" (each with "type", "id" and "properties") or, for datacenter.cfg, "settings".
ha_status ha_configuration_json(const struct ha_configuration *configuration,
                                int32_t file,
                                struct ha_text *json,
                                struct ha_error **error);

/// What fence.cfg comes to for these nodes, as JSON: "errors", or for each try and node the commands as argument vectors.
/// HA_NONE if no fence.cfg was read. Arguments may be passwords.
ha_status ha_configuration_fence_report(const struct ha_configuration *configuration,
                                        const struct ha_str *nodes,
                                        size_t node_count,
                                        struct ha_text *json,
                                        struct ha_error **error);

/// The groups that a rule "ha-group-<group>" of rules.cfg stands in for, as a JSON list.
ha_status ha_configuration_shadowed_groups(const struct ha_configuration *configuration,
                                           struct ha_text *json,
                                           struct ha_error **error);

/// Says on which node a guest is configured. Every guest counts, managed or not.
ha_status ha_configuration_set_guest(struct ha_configuration *configuration,
                                     const char *sid,
                                     size_t sid_length,
                                     const char *node,
                                     size_t node_length,
                                     struct ha_error **error);

/// How many guests were given.
ha_status ha_configuration_guest_count(const struct ha_configuration *configuration,
                                       size_t *count,
                                       struct ha_error **error);

/// A guest by its place, in the order in which they were first given, and the node that it is on; both are lent.
ha_status ha_configuration_guest(const struct ha_configuration *configuration,
                                 size_t index,
                                 struct ha_str *sid,
                                 struct ha_str *node,
                                 struct ha_error **error);

/// The node that a guest is on, lent. HA_NONE if no such guest was given.
ha_status ha_configuration_guest_node(const struct ha_configuration *configuration,
                                      const char *sid,
                                      size_t sid_length,
                                      struct ha_str *node,
                                      struct ha_error **error);

/// Forgets all guests, to give them again.
ha_status ha_configuration_clear_guests(struct ha_configuration *configuration, struct ha_error **error);

/// Begins an edit. action: one of ha_edit_action. id: what is edited.
ha_status ha_edit_new(int32_t action,
                      const char *id,
                      size_t id_length,
                      struct ha_edit **edit,
                      struct ha_error **error);

/// Frees an edit. NULL is fine.
ha_status ha_edit_free(struct ha_edit *edit);

/// Sets a property to a value, as a person types it.
ha_status ha_edit_set(struct ha_edit *edit,
                      const char *key,
                      size_t key_length,
                      const char *value,
                      size_t value_length,
                      struct ha_error **error);

/// Unsets a property. That it is not set is no error.
ha_status ha_edit_unset(struct ha_edit *edit, const char *key, size_t key_length, struct ha_error **error);

/// Says the type of a rule to be added: "node-affinity", "resource-affinity" or "order".
ha_status ha_edit_rule_type(struct ha_edit *edit,
                            const char *rule_type,
                            size_t rule_type_length,
                            struct ha_error **error);

/// Has a service that is removed stay in the rules.
ha_status ha_edit_keep_in_rules(struct ha_edit *edit, struct ha_error **error);

/// Makes the edit conditional: the file that is edited must have this digest, of 40 hexadecimal digits.
ha_status ha_edit_seen(struct ha_edit *edit,
                       const char *digest,
                       size_t digest_length,
                       struct ha_error **error);

/// Tells a member of the cluster, online or not: rules are checked against them.
ha_status ha_edit_node(struct ha_edit *edit, const char *node, size_t node_length, struct ha_error **error);

/// Tells a service that is in state "error" now: only "disabled" can be requested for it.
ha_status ha_edit_in_error(struct ha_edit *edit, const char *sid, size_t sid_length, struct ha_error **error);

/// Tells the type of a guest with this number, so that a person may type the bare number.
ha_status ha_edit_guest(struct ha_edit *edit,
                        const char *number,
                        size_t number_length,
                        const char *service_type,
                        size_t service_type_length,
                        struct ha_error **error);

/// Carries an edit out. HA_ERROR_EDIT if it is refused: kind, field and details say why, and nothing was changed.
///
/// id: where to write the full id of a service that was added; may be NULL. It is empty for other edits.
ha_status ha_configuration_edit(struct ha_configuration *configuration,
                                const struct ha_edit *edit,
                                struct ha_text *id,
                                struct ha_error **error);

/// Evaluates the rules of a configuration, with those that its groups stand for. nodes: all members of the cluster.
ha_status ha_rules_new(const struct ha_configuration *configuration,
                       const struct ha_str *nodes,
                       size_t node_count,
                       struct ha_rules **rules,
                       struct ha_error **error);

/// Frees rules. NULL is fine.
ha_status ha_rules_free(struct ha_rules *rules);

/// How many reasons there are for which rules were left out. One rule may have several.
ha_status ha_rules_dropped_count(const struct ha_rules *rules, size_t *count, struct ha_error **error);

/// A reason for which a rule was left out, as an error object: the rule as its section, the reason as its kind, the service at
/// fault, if there is one, as its field. Free it with ha_error_free().
ha_status ha_rules_dropped(const struct ha_rules *rules,
                           size_t index,
                           struct ha_error **finding,
                           struct ha_error **error);

/// What became of the rules, as JSON: "nodes", "dropped", "rules" after completion, and "compiled".
ha_status ha_rules_json(const struct ha_rules *rules, struct ha_text *json, struct ha_error **error);

/// The rules because of which two services must be on one node, as a JSON list; [] if nothing puts them together.
ha_status ha_rules_why_together(const struct ha_rules *rules,
                                const char *one,
                                size_t one_length,
                                const char *other,
                                size_t other_length,
                                struct ha_text *json,
                                struct ha_error **error);

/// The rules because of which two services must not be on one node, as a JSON list; [] if nothing keeps them apart.
ha_status ha_rules_why_apart(const struct ha_rules *rules,
                             const char *one,
                             size_t one_length,
                             const char *other,
                             size_t other_length,
                             struct ha_text *json,
                             struct ha_error **error);

/** @} */

/** @defgroup records Status records and commands
 * @{ */

/// The result of one job in an LRM status. This layout never changes. Texts that are read are lent by the record.
typedef struct ha_result {
    /// The request.
    struct ha_str uid;
    /// The service.
    struct ha_str sid;
    /// The command, named like the service state that asked for it.
    struct ha_str state;
    /// How it ended, see ha_exit_code.
    int32_t exit_code;
} ha_result;

/// One service in the manager status. This layout never changes.
///
/// Texts that are read are lent by the record. For those that are written NULL data is none.
typedef struct ha_service {
    /// The service.
    struct ha_str sid;
    /// The node whose LRM is responsible for it.
    struct ha_str node;
    /// Where it moves to, in the states that move; else none.
    struct ha_str target;
    /// Names the present request to that LRM; may be none.
    struct ha_str uid;
    /// The node that it left for maintenance, to return there; may be none.
    struct ha_str maintenance_node;
    /// The state that it shall be in, one of ha_service_state.
    int32_t state;
    /// In HA_SERVICE_STARTED: 1 if its LRM has reported a successful start. Else 0.
    int32_t running;
    /// In HA_SERVICE_REQUEST_STOP: seconds that it may take. -1 leaves it to the agent. Else -1.
    int64_t timeout;
} ha_service;

/// Makes a record with the state HA_LRM_WAIT_FOR_AGENT_LOCK, the mode HA_LRM_MODE_ACTIVE and no results.
ha_status ha_lrm_status_new(struct ha_lrm_status **status, struct ha_error **error);

/// Reads a record from JSON. HA_ERROR_CONTENT with line and field if it is not one.
ha_status ha_lrm_status_from_json(const char *json,
                                  size_t length,
                                  struct ha_lrm_status **status,
                                  struct ha_error **error);

/// Makes a copy to keep or change.
ha_status ha_lrm_status_copy(const struct ha_lrm_status *status,
                             struct ha_lrm_status **copy,
                             struct ha_error **error);

/// Frees a record. NULL is fine. One that is lent to a callback must not be freed.
ha_status ha_lrm_status_free(struct ha_lrm_status *status);

/// The record as JSON.
ha_status ha_lrm_status_to_json(const struct ha_lrm_status *status,
                                struct ha_text *json,
                                struct ha_error **error);

/// What the record says: the state (ha_lrm_state), the mode (ha_lrm_mode), when it was written (0 if it has no time), and how
/// many results there are. Any pointer may be NULL.
ha_status ha_lrm_status_get(const struct ha_lrm_status *status,
                            int32_t *state,
                            int32_t *mode,
                            int64_t *timestamp,
                            size_t *result_count,
                            struct ha_error **error);

/// Sets what the record says: the state (ha_lrm_state), the mode (ha_lrm_mode), and when it was written.
ha_status ha_lrm_status_set(struct ha_lrm_status *status,
                            int32_t state,
                            int32_t mode,
                            int64_t timestamp,
                            struct ha_error **error);

/// Who wrote the record: the machine and its boot. HA_NONE if it does not say. Either pointer may be NULL; the texts are lent.
ha_status ha_lrm_status_writer(const struct ha_lrm_status *status,
                               struct ha_str *machine,
                               struct ha_str *boot,
                               struct ha_error **error);

/// Sets who wrote the record: the machine and its boot, see ha_lrm_set_writer(). machine: NULL for a record that does not say.
ha_status ha_lrm_status_set_writer(struct ha_lrm_status *status,
                                   const char *machine,
                                   size_t machine_length,
                                   const char *boot,
                                   size_t boot_length,
                                   struct ha_error **error);

/// A result by its place.
ha_status ha_lrm_status_result(const struct ha_lrm_status *status,
                               size_t index,
                               struct ha_result *result,
                               struct ha_error **error);

/// The result of a request. HA_NONE if there is none yet.
ha_status ha_lrm_status_find(const struct ha_lrm_status *status,
                             const char *uid,
                             size_t uid_length,
                             struct ha_result *result,
                             struct ha_error **error);

/// Adds a result, instead of one that the request has already.
ha_status ha_lrm_status_add_result(struct ha_lrm_status *status,
                                   const struct ha_result *result,
                                   struct ha_error **error);

/// Makes an empty record: that of a cluster that never had a master.
ha_status ha_manager_status_new(struct ha_manager_status **status, struct ha_error **error);

/// Reads a record from JSON. HA_ERROR_CONTENT with line and field if it is not one.
ha_status ha_manager_status_from_json(const char *json,
                                      size_t length,
                                      struct ha_manager_status **status,
                                      struct ha_error **error);

/// Makes a copy to keep or change. Of a record that is not lent to a callback it is cheap: the content is shared until one
/// of the two is changed.
ha_status ha_manager_status_copy(const struct ha_manager_status *status,
                                 struct ha_manager_status **copy,
                                 struct ha_error **error);

/// Frees a record. NULL is fine. One that is lent to a callback must not be freed.
ha_status ha_manager_status_free(struct ha_manager_status *status);

/// The record as JSON.
ha_status ha_manager_status_to_json(const struct ha_manager_status *status,
                                    struct ha_text *json,
                                    struct ha_error **error);

/// The node whose CRM wrote the record, and the wall-clock time when it did. HA_NONE if nobody has. Either pointer may be
/// NULL; the name is lent.
ha_status ha_manager_status_master(const struct ha_manager_status *status,
                                   struct ha_str *node,
                                   int64_t *timestamp,
                                   struct ha_error **error);

/// How many nodes the record knows.
ha_status ha_manager_status_node_count(const struct ha_manager_status *status,
                                       size_t *count,
                                       struct ha_error **error);

/// A node, by its place in the order of names, with its state, one of ha_node_state. The name is lent.
ha_status ha_manager_status_node(const struct ha_manager_status *status,
                                 size_t index,
                                 struct ha_str *node,
                                 int32_t *state,
                                 struct ha_error **error);

/// The state of a node, one of ha_node_state; HA_NODE_UNKNOWN for one that has no entry.
ha_status ha_manager_status_node_state(const struct ha_manager_status *status,
                                       const char *node,
                                       size_t node_length,
                                       int32_t *state,
                                       struct ha_error **error);

/// How many services the record has.
ha_status ha_manager_status_service_count(const struct ha_manager_status *status,
                                          size_t *count,
                                          struct ha_error **error);

/// A service by its place in the order of ids.
ha_status ha_manager_status_service(const struct ha_manager_status *status,
                                    size_t index,
                                    struct ha_service *service,
                                    struct ha_error **error);

/// A service by its id. HA_NONE if the record does not have it.
ha_status ha_manager_status_find(const struct ha_manager_status *status,
                                 const char *sid,
                                 size_t sid_length,
                                 struct ha_service *service,
                                 struct ha_error **error);

/// The nodes on which the start of a service failed, in order: how many there are, and, if node is not NULL, the one at
/// index, lent.
ha_status ha_manager_status_failed_node(const struct ha_manager_status *status,
                                        const char *sid,
                                        size_t sid_length,
                                        size_t index,
                                        struct ha_str *node,
                                        size_t *count,
                                        struct ha_error **error);

/// Sets the state of a node, one of ha_node_state, or 0 to forget the node.
ha_status ha_manager_status_set_node(struct ha_manager_status *status,
                                     const char *node,
                                     size_t node_length,
                                     int32_t state,
                                     struct ha_error **error);

/// Adds a service, or replaces what the record says of it. Failed nodes and a waiting command are then none.
ha_status ha_manager_status_set_service(struct ha_manager_status *status,
                                        const struct ha_service *service,
                                        struct ha_error **error);

/// Takes a service out. HA_NONE if the record does not have it.
ha_status ha_manager_status_remove_service(struct ha_manager_status *status,
                                           const char *sid,
                                           size_t sid_length,
                                           struct ha_error **error);

/// Reads a line of the command queue ("migrate vm:100 node2") and gives it in its plain form. HA_ERROR_CONTENT if it is no
/// command: to be told to the person who typed it, before it is queued.
ha_status ha_command_check(const char *line,
                           size_t line_length,
                           struct ha_text *plain,
                           struct ha_error **error);

/** @} */

/** @defgroup view What a person sees of them
 * @{ */

/// Begins a view.
///
/// own_node: the node on which a person looks. quorate: 1 if it is in the quorate partition. now: the wall clock, in
/// seconds since 1970. The configuration says which services there are, and the scheduler.
ha_status ha_view_new(const char *own_node,
                      size_t own_node_length,
                      int32_t quorate,
                      int64_t now,
                      const struct ha_manager_status *manager,
                      const struct ha_configuration *configuration,
                      struct ha_view **view,
                      struct ha_error **error);

/// Frees a view. NULL is fine.
ha_status ha_view_free(struct ha_view *view);

/// Adds a node to be shown, with the record of its LRM; NULL if it has none.
ha_status ha_view_add_lrm(struct ha_view *view,
                          const char *node,
                          size_t node_length,
                          const struct ha_lrm_status *lrm,
                          struct ha_error **error);

/// Tells where a guest is. Once one is told, services without one are shown as "not found": tell all, or none.
ha_status ha_view_add_location(struct ha_view *view,
                               const char *sid,
                               size_t sid_length,
                               const char *node,
                               size_t node_length,
                               struct ha_error **error);

/// Says that the host can tell where guests are, though there may be none.
ha_status ha_view_knows_locations(struct ha_view *view, struct ha_error **error);

/// The view as data, in JSON: "quorum", "master", "fencing", "lrms", "services".
ha_status ha_view_json(const struct ha_view *view, struct ha_text *json, struct ha_error **error);

/// The view as lines for a person, each with an end of line.
ha_status ha_view_lines(const struct ha_view *view, struct ha_text *lines, struct ha_error **error);

/** @} */

/** @defgroup placement Placement: where services go, and why
 * @{ */

/// What became of a node in a decision.
enum ha_fate
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
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
    /// Services that should rather be apart use it, more than use another one that is left.
    HA_FATE_RATHER_APART = 8,
    /// It came back lately: the service goes back there when it has been well for long enough (failback-delay).
    HA_FATE_BACK_TOO_SHORTLY = 9,
    /// It takes no new services, since it was fenced again and again (flapping_hold).
    HA_FATE_HELD = 10,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ha_fate ha_fate;
#else
typedef int32_t ha_fate;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/// What became of one node in a decision. This layout never changes; the text is lent by the explanation.
typedef struct ha_node_explanation {
    /// The node.
    struct ha_str node;
    /// Whether it was left out, and by what: one of ha_fate. The rules and services are in the JSON.
    int32_t fate;
    /// Its place in the order of load among those that are left, from 1; 0 if it was left out.
    uint32_t rank;
    /// With the scheduler "basic", the number of services that use it, the lower the better; else -1.
    int64_t services;
    /// With the others, its score from 0 to 1, the higher the better; else -1.
    double score;
} ha_node_explanation;

/// Where one service goes when its node fails. This layout never changes; texts are lent by the ha_recoveries.
typedef struct ha_recovery {
    /// The service.
    struct ha_str sid;
    /// The node that failed.
    struct ha_str from;
    /// Where it goes; none if there is no node for it.
    struct ha_str to;
    /// What decided, one of ha_decider.
    int32_t decided_by;
} ha_recovery;

/// Frees an explanation. NULL is fine.
ha_status ha_explanation_free(struct ha_explanation *explanation);

/// The decision: the node, lent, and what decided, one of ha_decider. HA_NONE if there is no node for the service; decided_by
/// says why. Either pointer may be NULL.
ha_status ha_explanation_answer(const struct ha_explanation *explanation,
                                struct ha_str *node,
                                int32_t *decided_by,
                                struct ha_error **error);

/// How many nodes an explanation tells of: all of the cluster.
ha_status ha_explanation_node_count(const struct ha_explanation *explanation,
                                    size_t *count,
                                    struct ha_error **error);

/// What became of a node, by its place in the order of names.
ha_status ha_explanation_node(const struct ha_explanation *explanation,
                              size_t index,
                              struct ha_node_explanation *node,
                              struct ha_error **error);

/// An explanation as JSON, with all rules and services that it names.
ha_status ha_explanation_json(const struct ha_explanation *explanation,
                              struct ha_text *json,
                              struct ha_error **error);

/// An explanation in words for people.
ha_status ha_explanation_words(const struct ha_explanation *explanation,
                               struct ha_text *words,
                               struct ha_error **error);

/// Where the services of these nodes would go if the nodes failed now and were fenced, in the order in which they would be
/// recovered. HA_ERROR_NOT_FOUND if the cluster does not have one of the nodes.
ha_status ha_situation_after_failure(const struct ha_situation *situation,
                                     const struct ha_str *nodes,
                                     size_t node_count,
                                     struct ha_recoveries **recoveries,
                                     struct ha_error **error);

/// Frees recoveries. NULL is fine.
ha_status ha_recoveries_free(struct ha_recoveries *recoveries);

/// How many services would be recovered.
ha_status ha_recoveries_count(const struct ha_recoveries *recoveries, size_t *count, struct ha_error **error);

/// One of the recoveries, by its place in their order.
ha_status ha_recoveries_get(const struct ha_recoveries *recoveries,
                            size_t index,
                            struct ha_recovery *recovery,
                            struct ha_error **error);

/// Makes a situation from the states of nodes and services and from what is configured.
///
/// nodes: all members of the cluster, online or not; with node_count 0, those of the status.
ha_status ha_situation_new(const struct ha_manager_status *status,
                           const struct ha_configuration *configuration,
                           const struct ha_str *nodes,
                           size_t node_count,
                           struct ha_situation **situation,
                           struct ha_error **error);

/// Frees a situation. NULL is fine.
ha_status ha_situation_free(struct ha_situation *situation);

/// Gives it the figures of nodes and services, for the schedulers "static" and "dynamic". NULL takes them away.
ha_status ha_situation_set_usage(struct ha_situation *situation,
                                 const struct ha_usage *usage,
                                 struct ha_error **error);

/// Adds a guest that HA does not manage. running: 1 if it runs.
ha_status ha_situation_add_unmanaged(struct ha_situation *situation,
                                     const char *sid,
                                     size_t sid_length,
                                     const char *node,
                                     size_t node_length,
                                     int32_t running,
                                     struct ha_error **error);

/// The node where a service should be. HA_NONE if there is none, HA_ERROR_NOT_FOUND if the status does not have the service.
///
/// preference: one of ha_preference. node: a place for the name, of capacity bytes; it ends with a NUL if there is room.
/// length: where to write its length; a name that does not fit is not written, and is HA_ERROR_ARGUMENT.
///
/// The first question of a situation evaluates its rules and adds up its loads; further ones are quick, and allocate
/// nothing.
ha_status ha_situation_select(struct ha_situation *situation,
                              const char *sid,
                              size_t sid_length,
                              int32_t preference,
                              char *node,
                              size_t capacity,
                              size_t *length,
                              struct ha_error **error);

/// Explains where a service should be. preference: one of ha_preference.
ha_status ha_situation_explain(const struct ha_situation *situation,
                               const char *sid,
                               size_t sid_length,
                               int32_t preference,
                               struct ha_explanation **explanation,
                               struct ha_error **error);

/// Explains where a service would be with changes: "what if". changes: a JSON list as the counterfactual has them, such as
/// [{"change": "node_online", "node": "node2", "state": "unknown"}].
ha_status ha_situation_explain_with(const struct ha_situation *situation,
                                    const char *sid,
                                    size_t sid_length,
                                    int32_t preference,
                                    const char *changes,
                                    size_t changes_length,
                                    struct ha_explanation **explanation,
                                    struct ha_error **error);

/// What would have to be different for a service to go to a node, as JSON: "changes", and the decision as it would be "then".
ha_status ha_situation_counterfactual(const struct ha_situation *situation,
                                      const char *sid,
                                      size_t sid_length,
                                      int32_t preference,
                                      const char *node,
                                      size_t node_length,
                                      struct ha_text *json,
                                      struct ha_error **error);

/// What the answers of a situation leave out of account, as a JSON list: rules that are dropped, names that nothing has, figures
/// that are missing. Each has its "kind", a "text" in words, and where it is about them "rule", "sid" and "node".
ha_status ha_situation_findings(const struct ha_situation *situation,
                                struct ha_text *json,
                                struct ha_error **error);

/// What automatic balancing would do, as JSON: "outcome", "imbalance", and the best "candidates", as many as asked for.
///
/// manager: the one whose knowledge is asked, of how long the imbalance has been too high; NULL for a new one.
ha_status ha_situation_balance(struct ha_situation *situation,
                               const struct ha_manager *manager,
                               size_t count,
                               struct ha_text *json,
                               struct ha_error **error);

/// Makes an empty usage.
ha_status ha_usage_new(struct ha_usage **usage, struct ha_error **error);

/// Frees a usage. NULL is fine.
ha_status ha_usage_free(struct ha_usage *usage);

/// Tells the size of a node (cores, bytes of memory) and how much of it is in use, measured.
ha_status ha_usage_set_node(struct ha_usage *usage,
                            const char *node,
                            size_t node_length,
                            double max_cpu,
                            uint64_t max_memory,
                            double cpu,
                            uint64_t memory,
                            struct ha_error **error);

/// Tells the size of a service (cores, 0 for no limit; bytes of memory) and how much it uses, measured.
ha_status ha_usage_set_service(struct ha_usage *usage,
                               const char *sid,
                               size_t sid_length,
                               double max_cpu,
                               uint64_t max_memory,
                               double cpu,
                               uint64_t memory,
                               struct ha_error **error);

/** @} */

/** @defgroup timings Timings
 * @{ */

/// Timings to begin with.
enum ha_timings_preset
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /// Those that clusters have long had: a start elsewhere after about two minutes.
    HA_TIMINGS_CUSTOMARY = 1,
    /// For locks, networks and watchdogs that are quick and reliable: a start elsewhere after less than ten seconds.
    HA_TIMINGS_FAST = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ha_timings_preset ha_timings_preset;
#else
typedef int32_t ha_timings_preset;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/// What follows from safe timings. All in nanoseconds. This layout never changes.
typedef struct ha_timing_facts {
    /// For how long a lock cannot pass to another holder after it was renewed.
    uint64_t lock_lifetime;
    /// How long after its last feed a daemon's watchdog runs out.
    uint64_t watchdog_timeout;
    /// How long after a renewal was asked for the watchdog may still be fed with its full timeout.
    uint64_t feed_budget;
    /// The longest time from one feed of the watchdog to the next one, when nothing fails.
    uint64_t renewal_interval;
    /// The time from the start of one round to the start of the next one.
    uint64_t round_time;
    /// The time after which a daemon that waits looks again.
    uint64_t waiting_loop;
    /// From a failure to the start elsewhere, never earlier.
    uint64_t shortest_recovery;
    /// From a failure to the start elsewhere, never later, as long as the master stays.
    uint64_t longest_recovery;
    /// From a failure to the start elsewhere, never later, where the master fails too.
    uint64_t longest_recovery_with_master;
} ha_timing_facts;

/// Makes timings. preset: one of ha_timings_preset.
ha_status ha_timings_new(int32_t preset, struct ha_timings **timings, struct ha_error **error);

/// Reads timings from JSON: an object of settings ("lock_lifetime_s": 120). What is missing is customary; what is not known
/// is HA_ERROR_CONTENT.
ha_status ha_timings_from_json(const char *json,
                               size_t length,
                               struct ha_timings **timings,
                               struct ha_error **error);

/// Frees timings. NULL is fine.
ha_status ha_timings_free(struct ha_timings *timings);

/// The settings as JSON.
ha_status ha_timings_to_json(const struct ha_timings *timings, struct ha_text *json, struct ha_error **error);

/// The value of a setting ("lock_lifetime_s"): seconds, or a plain number.
ha_status ha_timings_get(const struct ha_timings *timings,
                         const char *setting,
                         size_t setting_length,
                         double *value,
                         struct ha_error **error);

/// Sets a setting: seconds, fractions allowed, or a plain number. Whether all are safe together is seen by
/// ha_timings_check().
ha_status ha_timings_set(struct ha_timings *timings,
                         const char *setting,
                         size_t setting_length,
                         double value,
                         struct ha_error **error);

/// Checks that the settings are safe together, and says what follows from them; facts may be NULL.
///
/// HA_ERROR_TIMINGS with every inequality that does not hold, and a change that mends it, in the error's details.
ha_status ha_timings_check(const struct ha_timings *timings,
                           struct ha_timing_facts *facts,
                           struct ha_error **error);

/// The timeout, in nanoseconds, with which the watchdog may be fed so long after its renewal was asked for: the full one, or
/// what is left. HA_NONE when it must not be fed any more.
ha_status ha_timings_watchdog_timeout_left(const struct ha_timings *timings,
                                           uint64_t since_asked,
                                           uint64_t *left,
                                           struct ha_error **error);

/** @} */

/** @defgroup events Events
 * @{ */

/// What happened. With each kind are the fields that its events have; those in brackets may be missing. See ha_event_text(),
/// ha_event_number() and ha_event_item().
enum ha_event_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /// An event that is newer than this header: read its name and fields.
    HA_EVENT_OTHER = 1,
    /// A daemon changed its state.
    /// Fields: from, to.
    HA_EVENT_DAEMON_STATE = 2,
    /// A free or expired lock was taken. Renewing one is silent.
    /// Fields: lock.
    HA_EVENT_LOCK_ACQUIRED = 3,
    /// A round was skipped, since the view of the cluster could not be brought up to date.
    HA_EVENT_ROUND_SKIPPED_STALE_CLUSTER_STATE = 4,
    /// An error ended a manager round.
    /// Fields: [reason].
    HA_EVENT_ROUND_FAILED = 5,
    /// The CRM was asked to stop.
    HA_EVENT_CRM_SHUTDOWN_REQUESTED = 6,
    /// The CRM let go of the manager lock, so that another can take over at once.
    HA_EVENT_MANAGER_LOCK_RELEASED = 7,
    /// The manager status could not be read.
    /// Fields: [reason].
    HA_EVENT_MANAGER_STATUS_UNREADABLE = 8,
    /// The master sees a node in another state than before.
    /// Fields: node, from, to.
    HA_EVENT_NODE_STATE = 9,
    /// A node that left the cluster long ago was forgotten.
    /// Fields: node.
    HA_EVENT_NODE_FORGOTTEN = 10,
    /// A configured service is managed from now on.
    /// Fields: sid, node.
    HA_EVENT_SERVICE_ADDED = 11,
    /// A service is not managed any more.
    /// Fields: sid, reason.
    HA_EVENT_SERVICE_REMOVED = 12,
    /// A configured service is not managed yet, since its guest is on no node.
    /// Fields: sid.
    HA_EVENT_SERVICE_NOT_FOUND = 13,
    /// A service shall be in another state.
    /// Fields: sid, from, to, [node], [target], [timeout].
    HA_EVENT_SERVICE_STATE = 14,
    /// A node must be fenced: the first notification.
    /// Fields: node.
    HA_EVENT_NOTIFY_FENCE_STARTED = 15,
    /// A node was fenced: the second notification.
    /// Fields: node.
    HA_EVENT_NOTIFY_FENCE_SUCCEEDED = 16,
    /// A node is known to be down, since the master has its lock, or a fence device says so.
    /// Fields: node.
    HA_EVENT_FENCE_ACKNOWLEDGED = 17,
    /// A node is being fenced though no service is waiting for it.
    /// Fields: node.
    HA_EVENT_FENCE_WITHOUT_SERVICES = 18,
    /// A fence device turned a node off.
    /// Fields: node, attempt.
    HA_EVENT_FENCE_DEVICE_SUCCEEDED = 19,
    /// A fence device failed; the next one is tried.
    /// Fields: node, attempt.
    HA_EVENT_FENCE_DEVICE_FAILED = 20,
    /// No fence device is left for a node that needs one: it stays in state `fence`, and its services wait.
    /// Fields: node.
    HA_EVENT_FENCE_DEVICES_EXHAUSTED = 21,
    /// A new node was found for a service whose node was fenced.
    /// Fields: sid, from, to.
    HA_EVENT_SERVICE_RECOVERED = 22,
    /// No node was found for a service whose node was fenced. It is tried again.
    /// Fields: sid, node.
    HA_EVENT_RECOVERY_FAILED = 23,
    /// A guest lock that the fenced node left behind was removed.
    /// Fields: lock, sid.
    HA_EVENT_SERVICE_LOCK_REMOVED = 24,
    /// A started service begins to move.
    /// Fields: sid, target, cause, task.
    HA_EVENT_SERVICE_MOVE = 25,
    /// A move was dropped, since its target is not online or is where the service is.
    /// Fields: sid, target, [task], [reason].
    HA_EVENT_MOVE_IGNORED = 26,
    /// A stop was dropped: the service is stopped.
    /// Fields: sid.
    HA_EVENT_STOP_IGNORED = 27,
    /// A service was told to stop.
    /// Fields: sid, timeout.
    HA_EVENT_STOP_REQUESTED = 28,
    /// A service started after it had failed to.
    /// Fields: sid, node, failed_nodes.
    HA_EVENT_RELOCATION_SUCCEEDED = 29,
    /// A service failed to start; another node is looked for.
    /// Fields: sid, node.
    HA_EVENT_START_FAILED_RELOCATING = 30,
    /// A service failed to start as often as it may.
    /// Fields: sid, failed_nodes.
    HA_EVENT_RELOCATION_EXHAUSTED = 31,
    /// A service failed to start on every node that it may use; it starts again where it is.
    /// Fields: sid, failed_nodes.
    HA_EVENT_ALL_NODES_TRIED = 32,
    /// A start ended in a way that no retry mends.
    /// Fields: sid, exit_code, [node], [guest_node].
    HA_EVENT_SERVICE_UNRECOVERABLE = 33,
    /// A service could not be stopped.
    /// Fields: sid, exit_code, [node], [guest_node].
    HA_EVENT_STOP_FAILED = 34,
    /// A service could not be moved.
    /// Fields: sid, exit_code, [node], [target], [guest_node].
    HA_EVENT_MOVE_FAILED = 35,
    /// A service could not be moved, since it is configured on another node than recorded.
    /// Fields: sid.
    HA_EVENT_MOVE_FAILED_WRONG_NODE = 36,
    /// A service that is stopped or to be recovered was found on another node; the record was corrected.
    /// Fields: sid, from, to.
    HA_EVENT_SERVICE_LOCATION_FIXED = 37,
    /// A service returns to the node that it left for maintenance.
    /// Fields: sid, target.
    HA_EVENT_MAINTENANCE_RETURN = 38,
    /// A service was moved otherwise meanwhile and does not return to the node that it left for maintenance.
    /// Fields: sid, node.
    HA_EVENT_MAINTENANCE_FALLBACK_DROPPED = 39,
    /// A service is where it would have returned to after maintenance.
    /// Fields: sid, node.
    HA_EVENT_MAINTENANCE_FALLBACK_CLEARED = 40,
    /// The end of maintenance was asked for a node that is not in maintenance.
    /// Fields: node, state.
    HA_EVENT_MAINTENANCE_CLEAR_UNEXPECTED_STATE = 41,
    /// A service is recorded on the node where its guest was found: people moved it, while HA was disarmed or behind its back.
    /// Fields: sid, from, to.
    HA_EVENT_SERVICE_LOCATION_UPDATED = 42,
    /// The best node was chosen for a service that is to start.
    /// Fields: sid, node, [present].
    HA_EVENT_START_BALANCE_SELECTED = 43,
    /// A service that was to be moved before its start runs already.
    /// Fields: sid.
    HA_EVENT_START_BALANCE_IGNORED = 44,
    /// The scheduler that a new master begins with, where it is not `basic`.
    /// Fields: mode.
    HA_EVENT_SCHEDULER_MODE = 45,
    /// The scheduler was changed.
    /// Fields: from, to.
    HA_EVENT_SCHEDULER_MODE_SWITCHED = 46,
    /// The figures that the scheduler needs can't be had: this round counts services instead.
    /// Fields: mode, reason.
    HA_EVENT_SCHEDULER_FALLBACK = 47,
    /// Automatic balancing moves a service.
    /// Fields: task, sid, target, imbalance, expected_imbalance.
    HA_EVENT_AUTO_REBALANCE = 48,
    /// A command will be carried out.
    /// Fields: command, [by].
    HA_EVENT_COMMAND_ACCEPTED = 49,
    /// A service moves along with one that it belongs together with.
    /// Fields: command, task, sid, target, with.
    HA_EVENT_COMOVE_QUEUED = 50,
    /// A move was refused, since the target, or what fails together with it, is used by a service that must be kept apart.
    /// Fields: command, blocking, target, sid, [domain].
    HA_EVENT_COMMAND_BLOCKED_BY_AFFINITY = 51,
    /// A command was refused.
    /// Fields: command, reason.
    HA_EVENT_COMMAND_REJECTED = 52,
    /// A command has no effect.
    /// Fields: [state], reason, command.
    HA_EVENT_COMMAND_IGNORED = 53,
    /// A line of the command queue is not a command. It was dropped.
    /// Fields: command, reason.
    HA_EVENT_COMMAND_UNKNOWN = 54,
    /// A service is left as it is while HA is disarmed.
    /// Fields: sid, was.
    HA_EVENT_DISARM_FROZE_SERVICE = 55,
    /// A service is not tracked while HA is disarmed.
    /// Fields: sid.
    HA_EVENT_DISARM_SUSPENDED_SERVICE = 56,
    /// Disarming waits for a service.
    /// Fields: sid, state.
    HA_EVENT_DISARM_DEFERRED = 57,
    /// All LRMs have let go of their locks and watchdogs.
    HA_EVENT_DISARMED = 58,
    /// The CRM closed its watchdog, since HA is disarmed.
    HA_EVENT_CRM_WATCHDOG_RELEASED = 59,
    /// A CRM became master of a cluster that is disarmed; it opens no watchdog.
    HA_EVENT_DISARMED_TAKEOVER = 60,
    /// HA is armed again.
    HA_EVENT_REARMED = 61,
    /// The master had nothing to do for a long time, and lets go of its lock.
    /// Fields: rounds.
    HA_EVENT_CRM_IDLE = 62,
    /// The LRM had nothing to do for a long time, and lets go of its lock.
    /// Fields: rounds.
    HA_EVENT_LRM_IDLE = 63,
    /// The groups are about to be turned into rules for good.
    HA_EVENT_GROUP_MIGRATION_STARTED = 64,
    /// The groups were turned into rules.
    HA_EVENT_GROUP_MIGRATION_SUCCEEDED = 65,
    /// The groups can't be turned into rules yet; it is tried again.
    HA_EVENT_GROUP_MIGRATION_ABORTED = 66,
    /// Why the groups can't be turned into rules yet.
    /// Fields: reason, obstacle, [node], [found].
    HA_EVENT_GROUP_MIGRATION_OBSTACLE = 67,
    /// A rule takes no part in anything.
    /// Fields: rule, reason, explanation.
    HA_EVENT_RULE_DROPPED = 68,
    /// A service is being started.
    /// Fields: sid.
    HA_EVENT_AGENT_STARTING = 69,
    /// A service was started.
    /// Fields: sid.
    HA_EVENT_AGENT_STARTED = 70,
    /// A service could not be started.
    /// Fields: sid.
    HA_EVENT_AGENT_START_FAILED = 71,
    /// A service failed to start as often as it may on this node.
    /// Fields: sid, tries.
    HA_EVENT_START_RETRIES_EXHAUSTED = 72,
    /// A service failed to start and is tried again on this node.
    /// Fields: try, sid.
    HA_EVENT_START_RETRY = 73,
    /// A service is being stopped.
    /// Fields: sid, [for_relocate], [timeout].
    HA_EVENT_AGENT_STOPPING = 74,
    /// A service was stopped.
    /// Fields: sid.
    HA_EVENT_AGENT_STOPPED = 75,
    /// A service could not be stopped.
    /// Fields: sid.
    HA_EVENT_AGENT_STOP_FAILED = 76,
    /// A guest's lock keeps the agent from what it was asked.
    /// Fields: sid, lock, op.
    HA_EVENT_SERVICE_LOCKED = 77,
    /// A service can't be moved live; it is stopped and moved instead.
    /// Fields: sid.
    HA_EVENT_LIVE_MIGRATION_UNSUPPORTED = 78,
    /// A service is being moved.
    /// Fields: sid, task, target.
    HA_EVENT_AGENT_MOVE_STARTED = 79,
    /// A service was moved.
    /// Fields: sid, task, target.
    HA_EVENT_AGENT_MOVE_ENDED = 80,
    /// A service could not be moved.
    /// Fields: sid.
    HA_EVENT_AGENT_MOVE_FAILED = 81,
    /// A service is in state `error`: a person is needed.
    /// Fields: sid.
    HA_EVENT_SERVICE_IN_ERROR = 82,
    /// A command came for a service that is configured on another node.
    /// Fields: sid.
    HA_EVENT_SERVICE_NOT_HERE = 83,
    /// A service that was to be moved before its start runs already, and was left alone.
    /// Fields: sid.
    HA_EVENT_AGENT_START_BALANCE_IGNORED = 84,
    /// The LRM's node is about to go down.
    /// Fields: policy.
    HA_EVENT_SHUTDOWN_REQUESTED = 85,
    /// What the LRM does when it is asked to stop.
    /// Fields: kind, mode, [policy].
    HA_EVENT_LRM_SHUTDOWN_MODE = 86,
    /// The LRM was asked to stop while it had lost its lock and services may still run.
    /// Fields: count.
    HA_EVENT_SHUTDOWN_WHILE_LOCK_LOST = 87,
    /// The LRM was asked to restart, could not get its lock back, and exits without closing its watchdog.
    HA_EVENT_SHUTDOWN_GIVEN_UP = 88,
    /// The LRM stops feeding its watchdog, since its node must be fenced.
    HA_EVENT_FENCE_REQUESTED_LOCK_DROPPED = 89,
    /// The LRM let go of its lock and watchdog, since HA is disarmed.
    /// Fields: [during_maintenance].
    HA_EVENT_LRM_DISARMED = 90,
    /// The LRM could not read the manager status; it goes on with what it read before.
    HA_EVENT_SERVICE_STATUS_UNREADABLE = 91,
    /// The LRM could not write its record.
    HA_EVENT_LRM_STATUS_UNWRITABLE = 92,
    /// A call of the host failed. The core goes on in the way that the call's documentation says.
    /// Fields: operation, message.
    HA_EVENT_HOST_CALL_FAILED = 93,
    /// A lock was renewed, but so late that feeding the watchdog for it would not be safe. It is renewed again.
    HA_EVENT_WATCHDOG_FEED_TOO_LATE = 94,
    /// A round changed states more often than makes sense; it goes on in the next round.
    HA_EVENT_ROUND_NOT_SETTLED = 95,
    /// A node that is gone is not fenced: its services may run without a watchdog, so that its lock proves nothing. They wait
    /// for it to come back, or for a person.
    /// Fields: node.
    HA_EVENT_NODE_NOT_FENCED = 96,
    /// Another machine works under this node's name: what the node had written was changed by another hand. The node does
    /// not work until a person has decided. A host reports it.
    /// Fields: node, record, writer.
    HA_EVENT_TWIN_SEEN = 97,
    /// The store has little room left. What is kept for locks and signs of life is not concerned. A host reports it.
    /// Fields: free_percent.
    HA_EVENT_STORE_SPACE_LOW = 98,
    /// The store has enough room again. A host reports it.
    /// Fields: free_percent.
    HA_EVENT_STORE_SPACE_ENOUGH = 99,
    /// A command was accepted, but leads nowhere; it is dropped.
    /// Fields: sid, command, reason.
    HA_EVENT_COMMAND_WITHOUT_EFFECT = 100,
    /// A move was accepted, but the service will not stay where it is sent.
    /// Fields: sid, node, [rule], reason.
    HA_EVENT_MOVE_WILL_NOT_LAST = 101,
    /// A job takes longer than it may, and must be ended. Until it is known to be gone no other one begins for its service.
    /// Fields: sid, command, seconds.
    HA_EVENT_JOB_HANGS = 102,
    /// The node goes down, and these services can't move away first: they are stopped.
    /// Fields: services.
    HA_EVENT_STOPPED_INSTEAD_OF_MOVED = 103,
    /// The node goes down, and these services could not be stopped: the watchdog ends them.
    /// Fields: services.
    HA_EVENT_SERVICES_LEFT_RUNNING = 104,
    /// A service or a node has no usable figures: the service counts as using nothing and is placed by the numbers of services,
    /// the node is taken only where no other is left. Told when it begins.
    /// Fields: [sid], [node], reason.
    HA_EVENT_FIGURES_MISSING = 105,
    /// A service goes to a node that its node affinity rule does not prefer, since those that must be kept apart from it use
    /// the nodes that the rule prefers.
    /// Fields: sid, rule, node.
    HA_EVENT_RULE_GAVE_WAY = 106,
    /// Moves of a service have failed again and again: automatic balancing leaves it and what must be together with it alone.
    /// Fields: sid, failures, seconds.
    HA_EVENT_AUTO_REBALANCE_SUSPENDED = 107,
    /// A node that must be fenced reports from another boot of the same machine: what ran on it before is gone.
    /// Fields: node.
    HA_EVENT_FENCED_NODE_REBOOTED = 108,
    /// A node that was to be fenced is back: its services stay with it, and it is not fenced.
    /// Fields: node.
    HA_EVENT_FENCED_NODE_RETURNED = 109,
    /// A person has confirmed that a node which must be fenced is down.
    /// Fields: node, [by].
    HA_EVENT_FENCE_CONFIRMED = 110,
    /// What is recorded of a service can't be understood: the entry is kept as it is, and the service is left alone.
    /// Fields: sid, field, reason.
    HA_EVENT_SERVICE_NOT_UNDERSTOOD = 111,
    /// A service whose start was confirmed does not run any more, and nobody asked for that: it is started again.
    /// Fields: sid, restarts, pause.
    HA_EVENT_UNPLANNED_RESTART = 112,
    /// A host found its node taken out of the list of members while its daemons run: the node holds no lock any more, stops its services
    /// as far as its watchdog's time allows, and ends. Hosts report it.
    /// Fields: node.
    HA_EVENT_REMOVED_FROM_CLUSTER = 113,
    /// A node is to give its services away and take none: maintenance was asked for.
    /// Fields: node, [by].
    HA_EVENT_MAINTENANCE_REQUESTED = 114,
    /// The request for a node's maintenance was taken back.
    /// Fields: node, [by].
    HA_EVENT_MAINTENANCE_REQUEST_WITHDRAWN = 115,
    /// A person, or a program in somebody's name, has changed something. Hosts report it.
    /// Fields: by, [through], verb, object, change, [command_id].
    HA_EVENT_CHANGE_MADE = 116,
    /// Events are missing in the history. A host reports it.
    /// Fields: [events], reason.
    HA_EVENT_HISTORY_INCOMPLETE = 117,
    /// The master took a command out of the queue that has an id. What it says to it comes right after this.
    /// Fields: id, command, [by].
    HA_EVENT_COMMAND_TAKEN = 118,
    /// Failed starts of a service count no more: none has failed for the time that is configured.
    /// Fields: sid, failed_nodes, tried_again.
    HA_EVENT_START_FAILURES_EXPIRED = 119,
    /// A service is not started yet, since it comes after others by an order rule.
    /// Fields: sid, waits_for, [left].
    HA_EVENT_START_WAITS = 120,
    /// A service is started though others that come first are not up: they were waited for as long as the order rule says.
    /// Fields: sid, missing, waited.
    HA_EVENT_START_WAITED_ENOUGH = 121,
    /// A service has waited for others that come first for longer than the timeout of a strict order rule, and waits on.
    /// Fields: sid, waits_for, waited.
    HA_EVENT_START_WAITS_LONG = 122,
    /// Order rules are not in force: a node does not know them.
    /// Fields: node, version.
    HA_EVENT_ORDER_RULES_NOT_IN_FORCE = 123,
    /// A service waits to be started: as many start already as may at once in the whole cluster.
    /// Fields: sid, max.
    HA_EVENT_START_HELD_BACK = 124,
    /// A service waits to be moved: as many move already as may at once in the whole cluster.
    /// Fields: sid, max.
    HA_EVENT_MOVE_HELD_BACK = 125,
    /// A service that runs is ready, by its probe: for the first time since its start, or again.
    /// Fields: sid.
    HA_EVENT_SERVICE_READY = 126,
    /// A service that runs was not ready in time after its start, or is no longer, by its probe.
    /// Fields: sid, failures, [reason], on_failure.
    HA_EVENT_SERVICE_NOT_READY = 127,
    /// Services share a node that a loose rule would have apart.
    /// Fields: rule, node, services.
    HA_EVENT_SHARING_BEGUN = 134,
    /// Services do not share a node, or a failure domain, any more that a loose rule would have apart.
    /// Fields: rule, services.
    HA_EVENT_SHARING_ENDED = 135,
    /// A move that was asked for brings a service to others from which it should rather be apart.
    /// Fields: sid, node, rule, with.
    HA_EVENT_MOVE_BRINGS_TOGETHER = 136,
    /// Rules with `strict 0` that keep services apart are taken as strict ones: a node knows no others.
    /// Fields: node, version.
    HA_EVENT_APART_RULES_NOT_IN_FORCE = 137,
    /// A service stays where it is for now: the node of higher priority that it would go back to has not been well for long enough.
    /// Fields: sid, node, seconds.
    HA_EVENT_FAILBACK_DELAYED = 128,
    /// A node was fenced again and again: it takes no new services for a time, as long as there are others for them.
    /// Fields: node, seconds, holds.
    HA_EVENT_NODE_HELD = 129,
    /// A node takes new services again.
    /// Fields: node.
    HA_EVENT_NODE_HOLD_OVER = 130,
    /// It was asked for that a node takes new services, however often it was fenced.
    /// Fields: node, [by].
    HA_EVENT_FENCINGS_CLEARED = 131,
    /// A service goes to a node that takes no new services, or starts there.
    /// Fields: sid, node, [with].
    HA_EVENT_HELD_NODE_TAKEN = 132,
    /// A move that was asked for brings a service to a node that takes no new services.
    /// Fields: sid, node, seconds.
    HA_EVENT_MOVE_TO_HELD_NODE = 133,
    /// Rules with `spread` keep services apart by node: a node knows no failure domains.
    /// Fields: node, version.
    HA_EVENT_SPREAD_RULES_NOT_IN_FORCE = 138,
    /// Services are in one failure domain that a loose rule with `spread` would have apart.
    /// Fields: rule, domain, services.
    HA_EVENT_DOMAIN_SHARING_BEGUN = 139,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ha_event_kind ha_event_kind;
#else
typedef int32_t ha_event_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/// Reads an event from JSON, as ha_event_to_json() writes it.
ha_status ha_event_from_json(const char *json,
                             size_t length,
                             struct ha_event **event,
                             struct ha_error **error);

/// Makes a copy to keep.
ha_status ha_event_copy(const struct ha_event *event, struct ha_event **copy, struct ha_error **error);

/// Frees an event. NULL is fine. One that is lent to a callback must not be freed.
ha_status ha_event_free(struct ha_event *event);

/// What happened, one of ha_event_kind; an error (negative) if this is no event.
int32_t ha_event_get_kind(const struct ha_event *event);

/// How much the event matters to a person, one of ha_severity.
ha_status ha_event_get_severity(const struct ha_event *event, int32_t *severity, struct ha_error **error);

/// A field that is a text ("sid", "node", "from", …), or "event" for the name of the kind. Lent by the event. HA_NONE if
/// the event does not have it.
ha_status ha_event_text(const struct ha_event *event,
                        const char *field,
                        size_t field_length,
                        struct ha_str *value,
                        struct ha_error **error);

/// A field that is a number ("timeout", "exit_code", …), or 1 or 0 for one that is true or false. HA_NONE if the event
/// does not have it.
ha_status ha_event_number(const struct ha_event *event,
                          const char *field,
                          size_t field_length,
                          double *value,
                          struct ha_error **error);

/// A text of a field that is a list ("failed_nodes"), lent by the event. HA_NONE from the end of the list on.
ha_status ha_event_item(const struct ha_event *event,
                        const char *field,
                        size_t field_length,
                        size_t index,
                        struct ha_str *value,
                        struct ha_error **error);

/// The event as JSON: "event" and its fields.
ha_status ha_event_to_json(const struct ha_event *event, struct ha_text *json, struct ha_error **error);

/// The event as a sentence for people.
ha_status ha_event_sentence(const struct ha_event *event, struct ha_text *sentence, struct ha_error **error);

/** @} */

/** @defgroup history History: what has happened, in figures
 * @{ */

/// Makes a whole entry of the history from one that a host has begun: {"id": "node1.19ad0c33f41.17", "time_ms": 1764424983120,
/// "node": "node1", "source": "crm", "what": EVENT}, where EVENT is what ha_event_to_json() writes.
///
/// It gets "severity" and "cause" where it does not have them. In an id are the node, when its daemon was started (in hexadecimal digits), and a
/// number that grows: no two entries have the same. "source" is crm, lrm, node or person. "position" is the entry's place in the history
/// of the cluster, which grows from entry to entry. "silent_ms" says for how long a node that is noticed as lost had given no
/// sign of life. The entry is one line, without a line end.
ha_status ha_history_entry(const char *begun,
                           size_t length,
                           struct ha_text *entry,
                           struct ha_error **error);

/// Counts what has happened: fencings, moves by cause, restarts, and how long failovers and each part of them took.
///
/// counted: what this gave the last time, "" at first. entries: all that is kept, a line an entry, in the order in which they were
/// kept; each has its position, and counts once however often it is given. HA_NONE if there is nothing new. A host keeps what
/// this gives, as it is: counters go on from there when old entries are gone.
ha_status ha_history_counted(const char *counted,
                             size_t counted_length,
                             const char *entries,
                             size_t entries_length,
                             struct ha_text *json,
                             struct ha_error **error);

/// The failovers that these entries tell of, as a list: which node was lost, what proved it, what became of each service, how many
/// seconds each step took, and how many it may take by the timings; NULL for the customary ones.
///
/// entries: a line an entry, in the order in which they were kept.
ha_status ha_history_failovers(const struct ha_timings *timings,
                               const char *entries,
                               size_t length,
                               struct ha_text *json,
                               struct ha_error **error);

/** @} */

/** @defgroup host The host: its callbacks, and how they answer
 * @{ */

/// What a callback answers. 0 is never an answer: a callback that returns 0 by accident has failed, and so has one that
/// returns anything that its documentation does not name.
enum ha_answer
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /// Done; what was asked for is in the reply.
    HA_ANSWER_OK = 1,
    /// Yes.
    HA_ANSWER_YES = 2,
    /// No.
    HA_ANSWER_NO = 3,
    /// Certainly there is none: no record was ever written, no guest is configured.
    HA_ANSWER_NONE = 4,
    /// The call failed; ha_reply_error() may have said why.
    HA_ANSWER_FAILED = -1,
    /// take_lock: it was free or expired, and is held by this node now.
    HA_ANSWER_ACQUIRED = 11,
    /// take_lock: it was held by this node, and its lease begins again.
    HA_ANSWER_RENEWED = 12,
    /// take_lock: it is held by another node, or there is no quorum.
    HA_ANSWER_REFUSED = 13,
    /// take_lock: this node has it now, and the host can't tell whether it had it before. See ha_lock_answer_by_writer().
    HA_ANSWER_HELD = 14,
    /// open_watchdog, feed_watchdog: it was fed.
    HA_ANSWER_FED = 21,
    /// open_watchdog, feed_watchdog: it was too late, and it was not fed.
    HA_ANSWER_TOO_LATE = 22,
    /// run_fence_device: its commands still run. start_job: it runs, and finished_jobs will name it.
    HA_ANSWER_RUNNING = 31,
    /// run_fence_device: all of its commands succeeded, the node is off.
    HA_ANSWER_FENCED = 32,
    /// run_fence_device: one of its commands failed or timed out.
    HA_ANSWER_NOT_FENCED = 33,
    /// probe: the service is ready.
    HA_ANSWER_READY = 61,
    /// probe: the service is not ready, or not yet.
    HA_ANSWER_NOT_READY = 62,
    /// probe: the service is not ready, and will not be: it counts at once as failed for as often and as long as is configured.
    HA_ANSWER_NEVER_READY = 63,
    /// start_job: it is done already; ha_reply_exit_code() has said how.
    HA_ANSWER_FINISHED = 41,
    /// start, stop, move_to: a lock of the guest (backup, snapshot, ...) does not allow it for now; ha_reply_text() says which one. That is no
    /// failure: the job is tried again later, uses up no tries, and the status names the lock.
    HA_ANSWER_LOCKED = 51,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ha_answer ha_answer;
#else
typedef int32_t ha_answer;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

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
typedef struct ha_callbacks {
    /// sizeof(struct ha_callbacks), so that the struct can grow.
    size_t size;
    /// Given to each callback.
    void *context;
    /// Called once with the context when the host is freed, or when the last call with it ends after that. May be NULL.
    void (*destroy)(void *context);
    /// Receives an event, lent.
    ///
    /// Promise: It does not fail, and it does not block: a daemon that waits for it feeds no watchdog.
    void (*event)(void *context, const struct ha_event *event);
    /// Brings the view of the cluster's members up to date, once at the beginning of each iteration: HA_ANSWER_OK. If it fails the
    /// iteration decides nothing about services.
    int32_t (*refresh)(void *context, struct ha_reply *reply);
    /// Whether this node is in the quorate partition, by the present view: HA_ANSWER_YES; everything else is no.
    ///
    /// Promise: Yes only where it is known; what can't be told is no.
    int32_t (*is_quorate)(void *context, struct ha_reply *reply);
    /// CRM: all members of the cluster, each by ha_reply_member(): HA_ANSWER_OK.
    ///
    /// Promise: Where this node is not quorate none is online. A node that is no member, or no member any more, is not
    /// quorate and gets no lock.
    int32_t (*members)(void *context, struct ha_reply *reply);
    /// Takes the lock, or renews it if this node has it: HA_ANSWER_ACQUIRED, HA_ANSWER_RENEWED or HA_ANSWER_REFUSED; HA_ANSWER_HELD if the
    /// host knows only that this node has it now. HA_ANSWER_ACQUIRED each time would not do: the master would take itself for a new one in
    /// every round, and never fence a node.
    ///
    /// The answer may come late: the lease counts from the call. If it fails the lock counts as not renewed.
    ///
    /// Promise: From the moment that this is called, for at least the lock lifetime, no other node gets the lock,
    /// unless this one releases it; and no lock is given without quorum. The answer is the answer to this very call;
    /// what is not known is a failure. A node is one machine on one boot, not a name.
    int32_t (*take_lock)(void *context, const char *lock, size_t lock_length, struct ha_reply *reply);
    /// Gives a lock up, so that another node can take it at once; nothing if this node does not have it: HA_ANSWER_OK. If it
    /// fails the lock is left to expire.
    ///
    /// Promise: A lock that this node does not have stays as it is.
    int32_t (*release_lock)(void *context, const char *lock, size_t lock_length, struct ha_reply *reply);
    /// Arms the watchdog: HA_ANSWER_FED or HA_ANSWER_TOO_LATE. not_after: as for feed_watchdog. If it is not fed the daemon does
    /// not work under the lock that it just got, and gives it back.
    ///
    /// Promise: As for feed_watchdog. A process that goes away without closing it never calls off the reset.
    int32_t (*open_watchdog)(void *context, uint64_t not_after, struct ha_reply *reply);
    /// Feeds the watchdog: HA_ANSWER_FED; or HA_ANSWER_TOO_LATE without feeding it, if the monotonic clock is past not_after
    /// (nanoseconds since the start of that clock). If it fails the lock counts as lost, and the node is reset in time.
    ///
    /// Promise: The monotonic clock is read as the last step before the device is touched; past not_after the device is
    /// left alone.
    int32_t (*feed_watchdog)(void *context, uint64_t not_after, struct ha_reply *reply);
    /// Disarms the watchdog without a reset: HA_ANSWER_OK. Called only where nothing runs, or nothing is touched any more. If it
    /// fails the node may be reset.
    ///
    /// Promise: Nothing but this calls off the reset.
    int32_t (*close_watchdog)(void *context, struct ha_reply *reply);
    /// The manager status as it was last written, by ha_reply_manager_status() or, as JSON, ha_reply_json(): HA_ANSWER_OK.
    /// HA_ANSWER_NONE if none was ever written: the core begins from nothing then.
    ///
    /// Promise: Never something older than what this node has read before. None only if none was ever written; a record
    /// that can't be read is a failure.
    int32_t (*read_manager_status)(void *context, struct ha_reply *reply);
    /// What is configured now, by ha_reply_configuration(): HA_ANSWER_OK. What did not change should still have the same
    /// digests.
    ///
    /// Promise: What can't be read is a failure, not an empty configuration.
    int32_t (*read_configuration)(void *context, struct ha_reply *reply);
    /// CRM: writes the manager status, lent: HA_ANSWER_OK. If it fails it is written in the next round.
    ///
    /// Promise: Whole or not at all. A host that can refuses it to a node that does not hold the manager lock: while HA
    /// is disarmed no watchdog ends a master that was stopped for longer than its lock lasts.
    int32_t (*write_manager_status)(void *context,
                                    const struct ha_manager_status *status,
                                    struct ha_reply *reply);
    /// The record of a node's LRM as it was last written, by ha_reply_lrm_status() or ha_reply_json(): HA_ANSWER_OK; HA_ANSWER_NONE
    /// if there is none. A CRM asks for each node's in every round; if it fails the record of the round before holds. An LRM asks for
    /// its own node's once, before it writes its first one; if it fails it does nothing before it is answered.
    ///
    /// Promise: Never something older than what this node has read before. None only if there is none; a record that
    /// can't be read is a failure.
    int32_t (*read_lrm_status)(void *context, const char *node, size_t node_length, struct ha_reply *reply);
    /// CRM: whether a line waits in the command queue: HA_ANSWER_YES or HA_ANSWER_NO.
    int32_t (*commands_waiting)(void *context, struct ha_reply *reply);
    /// CRM: takes all lines of the command queue, each once by ha_reply_text(); it is empty afterwards: HA_ANSWER_OK. If it
    /// fails the round goes on without commands.
    ///
    /// Promise: A line is given once.
    int32_t (*take_commands)(void *context, struct ha_reply *reply);
    /// LRM: writes this node's LRM status, lent: HA_ANSWER_OK. If it fails it is written in the next iteration.
    ///
    /// Promise: Whole or not at all.
    int32_t (*write_lrm_status)(void *context, const struct ha_lrm_status *status, struct ha_reply *reply);
    /// CRM: moves the configuration of a guest from a node that was fenced to another one, so that it can be started there;
    /// well if it is there already. HA_ANSWER_OK.
    ///
    /// Promise: It does not touch the guest.
    int32_t (*move_configuration)(void *context,
                                  const char *sid,
                                  size_t sid_length,
                                  const char *from,
                                  size_t from_length,
                                  const char *to,
                                  size_t to_length,
                                  struct ha_reply *reply);
    /// CRM: removes the locks that a guest on a fenced node may have left and that are safe to remove: backup, mounted, migrate,
    /// clone, rollback, snapshot, snapshot-delete, suspending, suspended. HA_ANSWER_OK with the name of the lock by
    /// ha_reply_text(), or HA_ANSWER_NONE.
    ///
    /// Promise: Only locks that a guest on a fenced node leaves behind are removed; any other one protects what is
    /// under way.
    int32_t (*remove_leftover_locks)(void *context,
                                     const char *sid,
                                     size_t sid_length,
                                     const char *node,
                                     size_t node_length,
                                     struct ha_reply *reply);
    /// CRM: changes the requested state of a service in the configuration, to one of ha_requested_state: HA_ANSWER_OK.
    int32_t (*set_requested_state)(void *context,
                                   const char *sid,
                                   size_t sid_length,
                                   int32_t state,
                                   struct ha_reply *reply);
    /// CRM: writes the rules file that the groups were turned into, then the resources file whose services name no group any
    /// more; only if both files still have these digests. HA_ANSWER_OK.
    ///
    /// Promise: Only if both files are still the same: the rules are written first, and each file whole or not at all.
    int32_t (*write_group_migration)(void *context,
                                     const char *rules,
                                     size_t rules_length,
                                     const char *rules_digest,
                                     const char *resources,
                                     size_t resources_length,
                                     const char *resources_digest,
                                     struct ha_reply *reply);
    /// CRM: removes the groups file, if it still has this digest (with a NUL at its end): HA_ANSWER_OK.
    ///
    /// Promise: Only if the file is still the same.
    int32_t (*remove_groups)(void *context, const char *groups_digest, struct ha_reply *reply);
    /// CRM: the version of the software on a node, such as "9.0.0~16", by ha_reply_text(): HA_ANSWER_OK; or HA_ANSWER_NONE.
    int32_t (*software_version)(void *context, const char *node, size_t node_length, struct ha_reply *reply);
    /// CRM: starts the commands of a node's fence device, all at once, if they were not started yet for this attempt, and says
    /// how far they are: HA_ANSWER_RUNNING, HA_ANSWER_FENCED or HA_ANSWER_NOT_FENCED. Called once a round while they run. An attempt
    /// is named by incident and number together; device counts the node's devices from 0. If it fails the device counts as
    /// failed.
    ///
    /// Promise: A success is the answer of commands that were started for this very attempt, never for another one: the
    /// node may have been up again meanwhile. What still runs for another attempt for the node has ended before
    /// commands are started. It returns at once, also where a program hangs.
    int32_t (*run_fence_device)(void *context,
                                const char *node,
                                size_t node_length,
                                const char *incident,
                                size_t incident_length,
                                uint32_t number,
                                uint32_t device,
                                const struct ha_fence_commands *commands,
                                struct ha_reply *reply);
    /// CRM: forgets every attempt of a fence device but those of the incidents that go on, and ends what runs for it, without waiting:
    /// HA_ANSWER_OK. Called when a CRM becomes master and when it no longer is, and when an incident is over. incidents: the ids
    /// of those that go on, each with a line end. Not called where run_fence_device is NULL.
    int32_t (*forget_fence_attempts)(void *context,
                                     const char *incidents,
                                     size_t incidents_length,
                                     struct ha_reply *reply);
    /// CRM: the guests that HA does not manage, each by ha_reply_unmanaged(); managed ones may be among them: HA_ANSWER_OK. If it
    /// fails the round does without.
    int32_t (*unmanaged_services)(void *context, struct ha_reply *reply);
    /// CRM: the figures of nodes and services, by ha_reply_usage(); asked only where the scheduler needs them: HA_ANSWER_OK. If it fails the round
    /// counts services instead.
    int32_t (*usage)(void *context, struct ha_reply *reply);
    /// CRM: sixteen random bytes, by ha_reply_bytes(): HA_ANSWER_OK.
    ///
    /// Promise: Nobody can have had them before.
    int32_t (*random_bytes)(void *context, struct ha_reply *reply);
    /// LRM: starts a job, lent: HA_ANSWER_RUNNING, or HA_ANSWER_FINISHED after ha_reply_exit_code(). Whoever carries it out
    /// keeps a ha_job_copy() and calls ha_job_run(). There is never more than one job for a service at a time. If it fails it
    /// is started later.
    ///
    /// Promise: If it fails the job does not run, and never will. The workers of a node end with its power.
    int32_t (*start_job)(void *context, const struct ha_job *job, struct ha_reply *reply);
    /// LRM: the jobs that ended since this was last called, by ha_reply_job(), in the order of their end: HA_ANSWER_OK. One that
    /// died or was killed ends with HA_EXIT_KILLED.
    ///
    /// Promise: Each job is named once, and only when nothing of it is left. If it fails nothing counts as told.
    int32_t (*finished_jobs)(void *context, struct ha_reply *reply);
    /// Agent: whether there is an agent for this type of service: HA_ANSWER_YES; everything else is no.
    int32_t (*knows_type)(void *context,
                          const char *service_type,
                          size_t service_type_length,
                          struct ha_reply *reply);
    /// Agent: the node on which the service's guest is configured now, by ha_reply_text(): HA_ANSWER_OK; HA_ANSWER_NONE if it
    /// is not configured at all.
    ///
    /// Promise: It names the target of a move only when nothing of the service is left here that may run.
    int32_t (*guest_node)(void *context, const char *sid, size_t sid_length, struct ha_reply *reply);
    /// Agent: whether anything of the service runs here: HA_ANSWER_YES or HA_ANSWER_NO.
    ///
    /// Whether start, stop and move_to succeeded is judged by looking again, not by their answer: a failure is only reported.
    ///
    /// Promise: No only if nothing of the service is left, no child, no helper, no mount; what can't be told is a
    /// failure: then nothing is started, and no stop has worked.
    int32_t (*is_running)(void *context, const char *sid, size_t sid_length, struct ha_reply *reply);
    /// Agent: starts the service: HA_ANSWER_OK; HA_ANSWER_LOCKED, as stop and move_to.
    ///
    /// Promise: It returns when the service runs or can't be started.
    int32_t (*start)(void *context, const char *sid, size_t sid_length, struct ha_reply *reply);
    /// Agent: stops the service within so many seconds, 0 hard at once, -1 as the agent likes: HA_ANSWER_OK.
    ///
    /// Promise: It returns when nothing of the service is left or it can't be stopped. It is asked for also where
    /// is_running said no or failed, time and again: then it does nothing and succeeds.
    int32_t (*stop)(void *context, const char *sid, size_t sid_length, int64_t timeout, struct ha_reply *reply);
    /// Agent: moves the service to a node, in one of the ways of ha_motion: HA_ANSWER_OK.
    ///
    /// Promise: It returns when the service is there or can't be moved. Of a guest that is moved live the copy runs
    /// only after guest_node names the target, whatever it looks like there: until then the original may go on by
    /// itself at any moment.
    int32_t (*move_to)(void *context,
                       const char *sid,
                       size_t sid_length,
                       const char *target,
                       size_t target_length,
                       int32_t motion,
                       struct ha_reply *reply);
    /// LRM, may be NULL: how long a job, lent, may take since it was started: HA_ANSWER_OK after ha_reply_seconds(), HA_ANSWER_NONE if as long as
    /// it needs. Past that time it is asked again, so that a job that gets on can have more. NULL: ten minutes beyond the job's
    /// timeout for a start or stop, and no limit for a move.
    int32_t (*job_time_limit)(void *context, const struct ha_job *job, struct ha_reply *reply);
    /// LRM, may be NULL: ends a job that takes too long: HA_ANSWER_OK. Until finished_jobs names it, with HA_EXIT_KILLED, this is
    /// asked again from time to time. NULL: no job can be ended; one that hangs is shown.
    ///
    /// Promise: The job may go on for a while: finished_jobs names it when nothing of it is left, not before.
    int32_t (*end_job)(void *context, uint64_t id, struct ha_reply *reply);
    /// LRM, may be NULL: the lock that a guest has now, by ha_reply_text(), to say what a job waits for that ended with HA_EXIT_TRY_AGAIN:
    /// HA_ANSWER_OK, or HA_ANSWER_NONE. NULL: it is not known.
    int32_t (*guest_lock)(void *context, const char *sid, size_t sid_length, struct ha_reply *reply);
    /// CRM, may be NULL: as usage, and asked instead. dynamic: 1 if the measured use is looked at as well, 0 if the sizes alone are.
    int32_t (*usage_by_mode)(void *context, int32_t dynamic, struct ha_reply *reply);
    /// LRM, may be NULL: begins to find out whether a service is ready, by a probe as it is configured (such as "tcp:5432"), within
    /// so many seconds, if that was not begun for this number yet, and says how far it has come: HA_ANSWER_RUNNING, HA_ANSWER_READY,
    /// HA_ANSWER_NOT_READY or HA_ANSWER_NEVER_READY. Called once a round while it runs. A failure counts as not ready, and its text is the
    /// reason that is shown. NULL: a service that has a probe is not ready.
    ///
    /// Promise: An answer belongs to its attempt: what was found out for an earlier one is never given. It returns at
    /// once, and changes nothing.
    int32_t (*probe)(void *context,
                     const char *sid,
                     size_t sid_length,
                     uint64_t number,
                     const char *probe,
                     size_t probe_length,
                     uint32_t timeout,
                     struct ha_reply *reply);
} ha_callbacks;

/// Makes a host. The callbacks are copied. If it fails the context is not taken over, and destroy() is not called.
///
/// A table that has some of the callbacks of a part (CRM, LRM, agent, locks, watchdog, fence devices, groups), but a NULL where that part can't do
/// without a callback, is refused with HA_ERROR_ARGUMENT and the name of the callback: no service would be looked after by it.
HA_MUST_USE
ha_status ha_host_new(const struct ha_callbacks *callbacks,
                      struct ha_host **host,
                      struct ha_error **error);

/// Frees a host, and calls its destroy(). NULL is fine.
ha_status ha_host_free(struct ha_host *host);

/// How many commands there are.
ha_status ha_fence_commands_count(const struct ha_fence_commands *commands,
                                  size_t *count,
                                  struct ha_error **error);

/// A word of a command, lent: the program is word 0, its arguments follow, as they are written in fence.cfg. HA_NONE after the last
/// word. They may hold secrets: run the program as ha_fence_commands_argument() and ha_fence_commands_input() say.
ha_status ha_fence_commands_word(const struct ha_fence_commands *commands,
                                 size_t command,
                                 size_t index,
                                 struct ha_str *word,
                                 struct ha_error **error);

/// What the program of a command gets on its command line after its name, lent; run it without a shell. HA_NONE after the last
/// one. Usually there is none: everybody on a machine can read command lines.
ha_status ha_fence_commands_argument(const struct ha_fence_commands *commands,
                                     size_t command,
                                     size_t index,
                                     struct ha_str *argument,
                                     struct ha_error **error);

/// What the program of a command gets on its standard input, lent.
ha_status ha_fence_commands_input(const struct ha_fence_commands *commands,
                                  size_t command,
                                  struct ha_str *input,
                                  struct ha_error **error);

/// Says why the call fails. Answer HA_ANSWER_FAILED then.
ha_status ha_reply_error(struct ha_reply *reply, const char *message, size_t length);

/// Hands back a text. For a list, call it once for each.
ha_status ha_reply_text(struct ha_reply *reply, const char *text, size_t length);

/// Hands back a record as JSON: that of read_manager_status or read_lrm_status.
ha_status ha_reply_json(struct ha_reply *reply, const char *json, size_t length);

/// Hands back bytes.
ha_status ha_reply_bytes(struct ha_reply *reply, const char *bytes, size_t length);

/// Hands back a member of the cluster. online: 1 if it is in this node's quorate partition, 0 if not.
ha_status ha_reply_member(struct ha_reply *reply, const char *node, size_t node_length, int32_t online);

/// Hands back a manager status. The handle stays the caller's; the record is shared, not copied.
ha_status ha_reply_manager_status(struct ha_reply *reply, const struct ha_manager_status *status);

/// Hands back an LRM status. The handle stays the caller's; the record is shared, not copied.
ha_status ha_reply_lrm_status(struct ha_reply *reply, const struct ha_lrm_status *status);

/// Hands back the configuration. The handle stays the caller's; its parts are shared, not copied.
ha_status ha_reply_configuration(struct ha_reply *reply, const struct ha_configuration *configuration);

/// Hands back a guest that HA does not manage. running: 1 if it runs, 0 if not.
ha_status ha_reply_unmanaged(struct ha_reply *reply,
                             const char *sid,
                             size_t sid_length,
                             const char *node,
                             size_t node_length,
                             int32_t running);

/// Hands back figures. The handle stays the caller's.
ha_status ha_reply_usage(struct ha_reply *reply, const struct ha_usage *usage);

/// Hands back a time in seconds, 0 or more, for job_time_limit.
ha_status ha_reply_seconds(struct ha_reply *reply, double seconds);

/// Hands back the end of a job, for finished_jobs. exit_code: see ha_exit_code.
///
/// worked: HA_ANSWER_YES if it worked, HA_ANSWER_NO if not. HA_EXIT_SUCCESS, which is 0, counts only together with HA_ANSWER_YES;
/// with everything else it is taken for HA_EXIT_ERROR, since a 0 is easily there by accident, and a move that is taken for
/// done could make a service run twice.
ha_status ha_reply_job(struct ha_reply *reply,
                       uint64_t id,
                       int32_t worked,
                       int32_t exit_code);

/// Hands back how a job ended that start_job has carried out at once. worked and exit_code: see ha_reply_job().
ha_status ha_reply_exit_code(struct ha_reply *reply,
                             int32_t worked,
                             int32_t exit_code);

/** @} */

/** @defgroup locks Locks that are kept as records
 * @{ */

/// By whose hand a record that names this node was written, as far as the process that asks can *prove* it.
///
/// A process knows its own hand by remembering what it has written: each write carries something that no other one has
/// (random bytes with the count and the clock), so that what is there is its own only if it is one of the writes that it made, or
/// tried to make without learning what came of it. Machine and boot alone prove nothing: a snapshot that is resumed
/// twice has both of them twice.
enum ha_hand
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /// This process has written exactly that.
    HA_HAND_OWN = 1,
    /// A process before it on the same boot of the same machine has written exactly that, and is proven to be gone: this
    /// one holds an exclusive lock that the other one held all its life, and has what that one left there about its
    /// writes.
    HA_HAND_PREDECESSOR = 2,
    /// Anybody else, or it is not known.
    HA_HAND_ANOTHER = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ha_hand ha_hand;
#else
typedef int32_t ha_hand;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/// What to do about a lock that a process wants.
enum ha_lock_decision
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /// Write a record of one's own, in one step with having looked; once that is done the answer is HA_ANSWER_ACQUIRED.
    HA_LOCK_ACQUIRED = 1,
    /// The same with HA_ANSWER_RENEWED.
    HA_LOCK_RENEWED = 2,
    /// Leave it: the answer is HA_ANSWER_REFUSED.
    HA_LOCK_REFUSED = 3,
    /// Leave it for good: another machine works under this node's name and has written what this process had. The node's
    /// daemons must not be called any more, and no watchdog fed or closed, until a person has decided.
    HA_LOCK_TWIN = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ha_lock_decision ha_lock_decision;
#else
typedef int32_t ha_lock_decision;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/// The word for a ha_hand, as the records and events have it; NULL for a number that is none.
const char *ha_hand_name(int32_t value);

/// The answer of a take_lock whose lock says only whether it was taken (1 or 0): HA_ANSWER_REFUSED if not; HA_ANSWER_RENEWED if the lock's
/// record was written by this very process before it was asked for; else HA_ANSWER_ACQUIRED.
///
/// before: who had written the record last before that, empty if nobody had or the lock was released. own: this process. A writer
/// is a text that no other process ever has (machine, boot and something random); a node's name does not do.
ha_status ha_lock_answer_by_writer(int32_t taken,
                                   const char *before,
                                   size_t before_length,
                                   const char *own,
                                   size_t own_length,
                                   int32_t *answer,
                                   struct ha_error **error);

/// The word for a ha_lock_decision: "acquired", "renewed", "refused" or "twin"; NULL for a number that is none.
const char *ha_lock_decision_name(int32_t value);

/// Decides about a lock that this process wants for its node, for hosts that keep locks as records in a store of their own.
///
/// holder: the node that the record names; empty if there is no record or nobody holds the lock. hand: one of ha_hand, by whose
/// hand the record was written, as far as this process can prove it; 0 if it can't be read at all. holds: whether this process
/// has the lock as far as it knows, 0 or 1. Times are in nanoseconds: how long this process counts on a lock, how long the
/// record says that its holder does, and for how long this process has seen the very same record, by its own clock.
ha_status ha_decide_lock(const char *node,
                         size_t node_length,
                         const char *holder,
                         size_t holder_length,
                         int32_t hand,
                         int32_t holds,
                         uint64_t lifetime,
                         uint64_t holder_lifetime,
                         uint64_t unchanged_for,
                         int32_t *decision,
                         struct ha_error **error);

/** @} */

/** @defgroup daemons The daemons: CRM and LRM
 * @{ */

/// What a daemon waits for between two calls.
enum ha_wait
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /// The next iteration.
    HA_WAIT_NEXT_ITERATION = 1,
    /// To ask again for a lock that was refused. The iteration is not over.
    HA_WAIT_LOCK_RETRY = 2,
    /// For jobs that run. The iteration is not over.
    HA_WAIT_JOBS = 3,
    /// For nothing: the daemon is done. Calling it again does nothing.
    HA_WAIT_EXIT = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ha_wait ha_wait;
#else
typedef int32_t ha_wait;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/// Starts the CRM of a node.
///
/// timings: NULL for the customary ones; HA_ERROR_TIMINGS if they are not safe. host: gets the first event.
HA_MUST_USE
ha_status ha_crm_new(const char *node,
                     size_t node_length,
                     const struct ha_timings *timings,
                     struct ha_host *host,
                     struct ha_crm **crm,
                     struct ha_error **error);

/// Frees a CRM: it is then as if its process had been killed. NULL is fine.
ha_status ha_crm_free(struct ha_crm *crm);

/// Does what must be done now, and says when to call again. It never waits itself, beyond what the callbacks do.
///
/// monotonic: the monotonic clock (CLOCK_BOOTTIME), in nanoseconds since a start of your choosing, read before the call. wall:
/// the wall clock in seconds since 1970, only written down. next: the moment of the next call; a needless call before it is
/// harmless. wait: what it waits for, one of ha_wait.
HA_MUST_USE
ha_status ha_crm_tick(struct ha_crm *crm,
                      struct ha_host *host,
                      uint64_t monotonic,
                      int64_t wall,
                      uint64_t *next,
                      int32_t *wait,
                      struct ha_error **error);

/// Asks a CRM to stop: it exits at the end of an iteration. A second request changes nothing.
///
/// It may be asked for at any time, also from inside of a callback and by another thread: while a call works with the CRM or the host
/// it takes effect at the end of that call, or with the next tick. It is not for a signal handler of C, which may call nothing of this library.
ha_status ha_crm_request_stop(struct ha_crm *crm,
                              struct ha_host *host,
                              struct ha_error **error);

/// The state of a CRM, one of ha_daemon_state.
ha_status ha_crm_state(const struct ha_crm *crm, int32_t *state, struct ha_error **error);

/// A copy of the manager status as a master knows it. HA_NONE if this CRM is not the master.
ha_status ha_crm_manager_status(const struct ha_crm *crm,
                                struct ha_manager_status **status,
                                struct ha_error **error);

/// Starts the LRM of a node.
///
/// timings: NULL for the customary ones; HA_ERROR_TIMINGS if they are not safe. host: gets the first event.
HA_MUST_USE
ha_status ha_lrm_new(const char *node,
                     size_t node_length,
                     const struct ha_timings *timings,
                     struct ha_host *host,
                     struct ha_lrm **lrm,
                     struct ha_error **error);

/// Says who an LRM writes its record as: a machine, and its boot. To be called right after ha_lrm_new().
///
/// No two machines that can run at the same time may have the same machine: what is copied with a disk or a backup will not do.
/// boot is the same for all that runs on the machine between two boots, also for a daemon that was restarted, and was never used
/// before: whatever ran under an earlier one is gone. Where you can't promise that, name no writer.
ha_status ha_lrm_set_writer(struct ha_lrm *lrm,
                            const char *machine,
                            size_t machine_length,
                            const char *boot,
                            size_t boot_length,
                            struct ha_error **error);

/// Frees an LRM: it is then as if its process had been killed. NULL is fine.
ha_status ha_lrm_free(struct ha_lrm *lrm);

/// Does what must be done now, and says when to call again: see ha_crm_tick(). Call it as soon as a job has ended, too: the next one
/// that waits takes its place at the workers then.
HA_MUST_USE
ha_status ha_lrm_tick(struct ha_lrm *lrm,
                      struct ha_host *host,
                      uint64_t monotonic,
                      int64_t wall,
                      uint64_t *next,
                      int32_t *wait,
                      struct ha_error **error);

/// Asks an LRM to stop, for one of the reasons of ha_stop_request: it exits from a later tick, when its services are safe. A
/// second request changes nothing, but that of a node that goes down while the daemon alone was to be restarted. It may be asked for
/// at any time: see ha_crm_request_stop().
ha_status ha_lrm_request_stop(struct ha_lrm *lrm,
                              int32_t request,
                              struct ha_host *host,
                              uint64_t monotonic,
                              int64_t wall,
                              struct ha_error **error);

/// The state of an LRM, one of ha_lrm_state, and its mode, one of ha_lrm_mode. Either pointer may be NULL.
ha_status ha_lrm_get_state(const struct ha_lrm *lrm, int32_t *state, int32_t *mode, struct ha_error **error);

/** @} */

/** @defgroup jobs Jobs: what an LRM has done
 * @{ */

/// How a job ends. Others are possible: a host may have exit codes of its own, which count as failures.
enum ha_exit_code
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /// It worked.
    HA_EXIT_SUCCESS = 0,
    /// It did not work.
    HA_EXIT_ERROR = 1,
    /// The same command runs again. Never leaves the LRM.
    HA_EXIT_TRY_AGAIN = 2,
    /// The service is configured on another node.
    HA_EXIT_WRONG_NODE = 3,
    /// No agent for the type of the service.
    HA_EXIT_UNKNOWN_SERVICE_TYPE = 4,
    /// The LRM does not know the command.
    HA_EXIT_UNKNOWN_COMMAND = 5,
    /// A parameter is missing or makes no sense.
    HA_EXIT_INVALID_PARAMETER = 6,
    /// The service is not configured.
    HA_EXIT_UNKNOWN_SERVICE = 7,
    /// Not done, since it was not called for.
    HA_EXIT_IGNORED = 8,
    /// It can't be told what came of a start: the service may run. Never leaves the LRM.
    HA_EXIT_UNTOLD = 9,
    /// A job that only looked found that the service does not run. Never leaves the LRM.
    HA_EXIT_NOT_RUNNING = 10,
    /// The job died or was killed.
    HA_EXIT_KILLED = -1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ha_exit_code ha_exit_code;
#else
typedef int32_t ha_exit_code;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/// What to ask of the agent next.
enum ha_job_step
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /// Whether there is an agent for the type: answer HA_ANSWER_YES or HA_ANSWER_NO.
    HA_STEP_KNOWS_TYPE = 1,
    /// Where the guest is configured: answer HA_ANSWER_OK with the node as text, or HA_ANSWER_NONE.
    HA_STEP_LOCATE = 2,
    /// Whether it runs: answer HA_ANSWER_YES or HA_ANSWER_NO.
    HA_STEP_CHECK_RUNNING = 3,
    /// Start it, then answer HA_ANSWER_OK.
    HA_STEP_START = 4,
    /// Stop it within the timeout, then answer HA_ANSWER_OK.
    HA_STEP_STOP = 5,
    /// Move it to the target, then answer HA_ANSWER_OK.
    HA_STEP_MOVE = 6,
    /// Nothing: the job is done.
    HA_STEP_DONE = 7,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ha_job_step ha_job_step;
#else
typedef int32_t ha_job_step;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/// What a job is. This layout never changes. Texts that are read are lent by the job; for those that are written NULL data is
/// none.
typedef struct ha_job_fields {
    /// Names the job within the LRM that started it.
    uint64_t id;
    /// The service.
    struct ha_str sid;
    /// The request that it answers; none where the LRM itself wants it.
    struct ha_str uid;
    /// Where to move it; none if it does not move.
    struct ha_str target;
    /// What to do, one of ha_service_state.
    int32_t command;
    /// Seconds that a stop may take; -1 leaves it to the agent.
    int64_t timeout;
} ha_job_fields;

/// A step of a job. This layout never changes. The text is lent by the ha_job_steps.
typedef struct ha_job_step_fields {
    /// What to ask, one of ha_job_step.
    int32_t step;
    /// For HA_STEP_MOVE: how, one of ha_motion. Else 0.
    int32_t motion;
    /// For HA_STEP_MOVE: where to. Else none.
    struct ha_str target;
    /// For HA_STEP_STOP: seconds that it may take; -1 leaves it to the agent.
    int64_t timeout;
    /// For HA_STEP_DONE: how it ended, see ha_exit_code. Else 0.
    int32_t exit_code;
} ha_job_step_fields;

/// Makes a job, for tests of agents say.
ha_status ha_job_new(const struct ha_job_fields *fields, struct ha_job **job, struct ha_error **error);

/// Makes a copy to keep, for a worker.
ha_status ha_job_copy(const struct ha_job *job, struct ha_job **copy, struct ha_error **error);

/// Frees a job. NULL is fine. One that is lent to a callback must not be freed.
ha_status ha_job_free(struct ha_job *job);

/// What a job is.
ha_status ha_job_get(const struct ha_job *job, struct ha_job_fields *fields, struct ha_error **error);

/// Whether a job of command started only looks: 1 if the service must not be started where it does not run, and the job ends with
/// HA_EXIT_NOT_RUNNING; 0 if it is. ha_job_run() and ha_job_steps see to that; who carries a job out in another way asks here.
ha_status ha_job_only_looks(const struct ha_job *job,
                            int32_t *only_looks,
                            struct ha_error **error);

/// Carries a job out with the agent callbacks of a host (knows_type to move_to, and event), and says how it ended, see
/// ha_exit_code.
///
/// It blocks as long as the agent does, so a host calls it in a thread or process of its own, with a host of its own that has
/// just these callbacks. node: the node of the worker.
HA_MUST_USE
ha_status ha_job_run(const struct ha_job *job,
                     const char *node,
                     size_t node_length,
                     struct ha_host *host,
                     int32_t *exit_code,
                     struct ha_error **error);

/// Begins a job on the node of its worker.
ha_status ha_job_steps_new(const struct ha_job *job,
                           const char *node,
                           size_t node_length,
                           struct ha_job_steps **steps,
                           struct ha_error **error);

/// Frees the steps. NULL is fine.
ha_status ha_job_steps_free(struct ha_job_steps *steps);

/// What to ask of the agent now.
ha_status ha_job_steps_next(const struct ha_job_steps *steps,
                            struct ha_job_step_fields *step,
                            struct ha_error **error);

/// Takes the answer to the step, one of ha_answer; HA_ANSWER_FAILED, or one that does not fit the step, is a failed call of the
/// agent.
///
/// text: the node for HA_STEP_LOCATE, the lock with HA_ANSWER_LOCKED, or what went wrong. host: whose event callback gets the events.
ha_status ha_job_steps_answer(struct ha_job_steps *steps,
                              int32_t answer,
                              const char *text,
                              size_t text_length,
                              struct ha_host *host,
                              struct ha_error **error);

/** @} */

/** @defgroup manager The manager on its own, a round at a time
 * @{ */

/// Makes an input: no members, no records, an empty configuration.
ha_status ha_round_input_new(struct ha_round_input **input, struct ha_error **error);

/// Frees an input. NULL is fine.
ha_status ha_round_input_free(struct ha_round_input *input);

/// Tells a member of the cluster: online 1 or 0; or -1 if it is no member any more.
ha_status ha_round_input_set_member(struct ha_round_input *input,
                                    const char *node,
                                    size_t node_length,
                                    int32_t online,
                                    struct ha_error **error);

/// Tells the record of a node's LRM, which is shared, not copied; NULL if there is none.
ha_status ha_round_input_set_lrm(struct ha_round_input *input,
                                 const char *node,
                                 size_t node_length,
                                 const struct ha_lrm_status *lrm,
                                 struct ha_error **error);

/// Tells what is configured; it is shared, not copied.
ha_status ha_round_input_set_configuration(struct ha_round_input *input,
                                           const struct ha_configuration *configuration,
                                           struct ha_error **error);

/// Forgets the guests that HA does not manage, to tell them again.
ha_status ha_round_input_clear_unmanaged(struct ha_round_input *input, struct ha_error **error);

/// Tells a guest that HA does not manage. running: 1 if it runs.
ha_status ha_round_input_add_unmanaged(struct ha_round_input *input,
                                       const char *sid,
                                       size_t sid_length,
                                       const char *node,
                                       size_t node_length,
                                       int32_t running,
                                       struct ha_error **error);

/// Tells the figures of nodes and services, for the schedulers that look at them; NULL for none.
ha_status ha_round_input_set_usage(struct ha_round_input *input,
                                   const struct ha_usage *usage,
                                   struct ha_error **error);

/// Begins from the recorded status, on the node that is master now.
///
/// timings: NULL for the customary ones. configuration: says the scheduler. unique: sixteen bytes that nobody had before.
/// host: gets events.
HA_MUST_USE
ha_status ha_manager_new(const char *node,
                         size_t node_length,
                         const struct ha_timings *timings,
                         const struct ha_manager_status *recorded,
                         const struct ha_configuration *configuration,
                         const char *unique,
                         size_t unique_length,
                         struct ha_host *host,
                         struct ha_manager **manager,
                         struct ha_error **error);

/// Frees a manager. NULL is fine.
ha_status ha_manager_free(struct ha_manager *manager);

/// Plays one round: looks at the input, decides, calls the host's callbacks of the CRM's part for what must be done (locks,
/// commands, fence devices, guests), and at its end write_manager_status.
///
/// Call it only while this node holds the manager lock and its watchdog is fed for that, with an input that was read after the
/// lock was renewed: two masters at once could make a service run twice. ha_crm_tick() sees to all of this.
///
/// monotonic and wall: see ha_crm_tick(). Callbacks that read (members, records, configuration) are not called.
HA_MUST_USE
ha_status ha_manager_round(struct ha_manager *manager,
                           struct ha_round_input *input,
                           struct ha_host *host,
                           uint64_t monotonic,
                           int64_t wall,
                           struct ha_error **error);

/// Plays one round as ha_manager_round() does, on a host where nothing happens: to see what the next round would do with a
/// command, a change of the configuration, or the loss of a node. Use a manager that you have made for this: it then knows what
/// the round would have written, see ha_manager_get_status().
///
/// granting: HA_ANSWER_YES where every lock can be had and every fence device succeeds, HA_ANSWER_NO where none is and none
/// does. commands: lines of the command queue. events: what would have happened, as a JSON list.
ha_status ha_manager_rehearse(struct ha_manager *manager,
                              struct ha_round_input *input,
                              int32_t granting,
                              const struct ha_str *commands,
                              size_t command_count,
                              uint64_t monotonic,
                              int64_t wall,
                              struct ha_text *events,
                              struct ha_error **error);

/// Goes on from what is recorded, instead of what the manager knew: its lock was over for a while.
ha_status ha_manager_resume(struct ha_manager *manager,
                            const struct ha_manager_status *recorded,
                            struct ha_error **error);

/// A copy of the status as the manager knows it: what it wrote last, or would write next.
ha_status ha_manager_get_status(const struct ha_manager *manager,
                                struct ha_manager_status **status,
                                struct ha_error **error);

/// One service of the manager's status, without a copy of the whole. HA_NONE if there is no such service. What it lends holds
/// until the next round.
ha_status ha_manager_service_node(const struct ha_manager *manager,
                                  const char *sid,
                                  size_t sid_length,
                                  struct ha_str *node,
                                  int32_t *state,
                                  struct ha_error **error);

/** @} */

/** @defgroup simulation The virtual cluster
 * @{ */

/// Plays the scenario in a folder to its end. Both forms are known: a text "scenario" with configuration files beside it, and
/// the recorded form ("cmdlist", "hardware_status", …), which is compared with its "trace.jsonl" if that is there.
///
/// That something did not go as expected is no failure of this call: ask ha_simulation_failure_count().
ha_status ha_simulation_play_folder(const char *folder,
                                    size_t folder_length,
                                    struct ha_simulation **simulation,
                                    struct ha_error **error);

/// Plays a scenario that is given as text, with the configuration files that it needs.
///
/// file_names, file_texts: file_count names ("resources.cfg") and their contents.
ha_status ha_simulation_play_text(const char *scenario,
                                  size_t scenario_length,
                                  const struct ha_str *file_names,
                                  const struct ha_str *file_texts,
                                  size_t file_count,
                                  struct ha_simulation **simulation,
                                  struct ha_error **error);

/// Frees a simulation. NULL is fine.
ha_status ha_simulation_free(struct ha_simulation *simulation);

/// How much did not go as it should: expectations that did not hold, an event that is not the recorded one, a service that
/// ran on two nodes. 0 if all is well.
ha_status ha_simulation_failure_count(const struct ha_simulation *simulation,
                                      size_t *count,
                                      struct ha_error **error);

/// What did not go as it should, as an error object: message, kind ("not_as_expected", "ran_twice", "differs", "bad_command"),
/// and line, which for "differs" is the number of the event. Free it with ha_error_free().
ha_status ha_simulation_failure(const struct ha_simulation *simulation,
                                size_t index,
                                struct ha_error **failure,
                                struct ha_error **error);

/// How much happened.
ha_status ha_simulation_happening_count(const struct ha_simulation *simulation,
                                        size_t *count,
                                        struct ha_error **error);

/// Something that happened: when (nanoseconds of virtual time), who says so ("node1/crm", "hardware", …; lent), and whether the
/// recorded scenarios have a word for it (1 or 0). Any pointer may be NULL.
ha_status ha_simulation_happening(const struct ha_simulation *simulation,
                                  size_t index,
                                  uint64_t *at,
                                  struct ha_str *source,
                                  int32_t *is_recorded,
                                  struct ha_error **error);

/// Something that happened as JSON: "t" (seconds), "src", "event", and its fields.
ha_status ha_simulation_happening_json(const struct ha_simulation *simulation,
                                       size_t index,
                                       struct ha_text *json,
                                       struct ha_error **error);

/// Something that happened as an event to keep. HA_NONE if it is no event of the core but one of the virtual hardware.
ha_status ha_simulation_event(const struct ha_simulation *simulation,
                              size_t index,
                              struct ha_event **event,
                              struct ha_error **error);

/// The nodes on which a service runs at the end, as a JSON list: at most one, if all is well.
ha_status ha_simulation_places(const struct ha_simulation *simulation,
                               const char *sid,
                               size_t sid_length,
                               struct ha_text *json,
                               struct ha_error **error);

/// The manager status at the end, to keep. HA_NONE if none was written.
ha_status ha_simulation_manager_status(const struct ha_simulation *simulation,
                                       struct ha_manager_status **status,
                                       struct ha_error **error);

/// What a person who looks on a node sees at the end, as lines. HA_NONE for a recorded scenario.
ha_status ha_simulation_view(const struct ha_simulation *simulation,
                             const char *node,
                             size_t node_length,
                             struct ha_text *lines,
                             struct ha_error **error);

/** @} */

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* HA_H */
