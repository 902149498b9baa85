//! The interface of our own: `/api/v1`, and health. JSON with true and false; problems as `application/problem+json`.

mod commands;
mod config;
mod health;
mod history;
mod metrics;
mod play;
mod questions;
mod services;
mod status;
mod time;

pub(crate) use history::{filter, object};
pub(crate) use metrics::metrics;
pub(crate) use status::{status, whole as whole_status};
pub(crate) use time::rfc3339_ms;

use crate::{
    access::Privilege::{SysAudit, SysConsole, VmAudit, VmMigrate, VmPowerMgmt},
    parameters::{
        AFFINITY, BALANCE, COMMENT, DELAY, DELETE, DISABLE, FAILBACK, FAILBACK_DELAY, FAILURE_DOMAIN, FAILURE_TIMEOUT,
        FIRST, GROUP, MAX_RELOCATE, MAX_RESTART, NO_FAILBACK, NODES, ON_FAILURE, PRIORITY, PROBE, PROBE_FAILURES,
        PROBE_INTERVAL, PROBE_TIMEOUT, READY_TIMEOUT, RESOURCES, RESTRICTED, SPREAD, STRICT, THEN, TIMEOUT,
    },
    route::{Handler, Need, Route},
    wire::{
        Kind::{Boolean, List, Node, Number, Sid, Text, Word},
        Parameter,
    },
};

const DRY_RUN: Parameter = Parameter::may("dry_run", Boolean, "Only say what would follow.");
const DIGEST: Parameter =
    Parameter::may("digest", Text, "Change it only if its file has this digest; 'If-Match' says the same.");
const STATE: Parameter =
    Parameter::may("state", Word(&["started", "stopped", "disabled", "ignored"]), "The state that is requested.");
const TARGET: Parameter = Parameter::must("node", Node, "The node to which it moves.");
const FORCE: Parameter = Parameter::may("force", Boolean, "Also if it leads nowhere now, or will not last.");
const BEST: Parameter =
    Parameter::may("best", Boolean, "Which node suits best, whether or not it would be moved there.");

const ABOUT_SID: Parameter = Parameter::may("sid", List, "Only what is about these services.");
const ABOUT_NODE: Parameter = Parameter::may("node", List, "Only what is about these nodes, or was reported by them.");
const EVENT: Parameter = Parameter::may("event", List, "Only events of these names.");
const SEVERITY: Parameter = Parameter::may(
    "severity",
    Word(&["info", "notice", "warning", "error"]),
    "Only what matters at least so much to a person.",
);

/// All calls of this part.
// tidy: table
pub(crate) const ROUTES: &[Route] = &[
    Route::of_server("GET", "/healthz", Need::Nothing, Handler::Alive).about("Whether the server lives."),
    Route::get("/readyz", SysAudit, health::ready)
        .for_everybody()
        .about("Whether the store can be read, is quorate, and a master is at work where one is needed."),
    Route::of_server("GET", "/metrics", Need::Privilege(SysAudit), Handler::Metrics)
        .about("The cluster in figures, for Prometheus."),
    Route::of_server("GET", "/api/v1/openapi.json", Need::Nothing, Handler::Description).about("This description."),
    Route::of_server("POST", "/api/v1/session", Need::Nothing, Handler::Login)
        .takes(&[
            Parameter::must("username", Text, "The user, such as alice@local."),
            Parameter::may("realm", Text, "What stands after the '@', if that is not part of the user."),
            Parameter::must("password", Text, "The password."),
        ])
        .about("Log in, in a browser: gives a cookie that no script can read, and what must go with each change."),
    Route::of_server("GET", "/api/v1/session", Need::Nothing, Handler::Session)
        .about("Who one is, and what one may; no name for nobody. A ticket in a cookie is renewed."),
    Route::of_server("DELETE", "/api/v1/session", Need::Nothing, Handler::Logout).about("Log out: takes the cookie away."),
    Route::get("/api/v1/status", SysAudit, status::status).about("How the cluster is, in whole."),
    Route::of_server("GET", "/api/v1/events", Need::Privilege(SysAudit), Handler::Events)
        .takes(&[
            Parameter::may("after", Text, "Begin after the event with this id; 'Last-Event-ID' says the same."),
            ABOUT_SID,
            ABOUT_NODE,
            EVENT,
            SEVERITY,
            Parameter::may("status", Boolean, "Tell the status too: 'status' has it whole, and 'status_change' what has changed in it since."),
        ])
        .about("What happens, as Server-Sent Events. Where the events after an id are not kept any more, 'reset' comes first, with the status."),
    Route::get("/api/v1/history", SysAudit, history::history)
        .takes(&[
            Parameter::may("from", Text, "Not earlier than this time."),
            Parameter::may("to", Text, "Not later than this time."),
            Parameter::may("before", Number, "Only what came before the event with this id: the next page."),
            Parameter::may("limit", Number, "The last so many: 100; 1 at least, and 1000 at the most."),
            ABOUT_SID,
            ABOUT_NODE,
            EVENT,
            SEVERITY,
        ])
        .about("What has happened, the oldest first."),
    Route::get("/api/v1/failovers", SysAudit, history::failovers)
        .takes(&[
            Parameter::may("from", Text, "Only what was noticed not earlier than this time."),
            Parameter::may("node", List, "Only those of these nodes."),
        ])
        .about("The failovers that are kept, with their steps in seconds and what they may take, the oldest first."),
    Route::get("/api/v1/commands/{id}", SysAudit, commands::one)
        .about("How a command stands: queued, refused, under_way, done or failed."),
    Route::get("/api/v1/services", SysAudit, services::list).about("The services."),
    Route::post("/api/v1/services", SysConsole, services::add)
        .takes(&[
            Parameter::must("sid", Sid, "The service."),
            STATE,
            GROUP,
            MAX_RESTART,
            MAX_RELOCATE,
            FAILBACK,
            FAILBACK_DELAY,
            BALANCE,
            FAILURE_TIMEOUT,
            PRIORITY,
            PROBE,
            PROBE_INTERVAL,
            PROBE_TIMEOUT,
            PROBE_FAILURES,
            READY_TIMEOUT,
            ON_FAILURE,
            COMMENT,
            DRY_RUN,
        ])
        .about("Have a guest looked after."),
    Route::get("/api/v1/services/{sid}", SysAudit, services::one)
        .about("A service: configuration, state, node, the rules that hold for it, and why it is where it is."),
    Route::patch("/api/v1/services/{sid}", VmPowerMgmt, services::set)
        .takes(&[
            STATE,
            GROUP,
            MAX_RESTART,
            MAX_RELOCATE,
            FAILBACK,
            FAILBACK_DELAY,
            BALANCE,
            FAILURE_TIMEOUT,
            PRIORITY,
            PROBE,
            PROBE_INTERVAL,
            PROBE_TIMEOUT,
            PROBE_FAILURES,
            READY_TIMEOUT,
            ON_FAILURE,
            COMMENT,
            DELETE,
            DIGEST,
            DRY_RUN,
        ])
        .about("Change a service. For more than its requested state Sys.Console is needed."),
    Route::delete("/api/v1/services/{sid}", SysConsole, services::remove)
        .takes(&[
            Parameter::may("purge", Boolean, "Whether it is taken out of rules too, which is usual."),
            DIGEST,
            DRY_RUN,
        ])
        .about("Look after a guest no more."),
    Route::get("/api/v1/services/{sid}/explain", SysAudit, questions::explain)
        .takes(&[BEST])
        .about("Why a service is where it is, and what would bring it elsewhere."),
    Route::post("/api/v1/services/{sid}/migrate", VmMigrate, commands::migrate)
        .takes(&[TARGET, FORCE, DRY_RUN])
        .about("Move a service, live if its agent can."),
    Route::post("/api/v1/services/{sid}/relocate", VmMigrate, commands::relocate)
        .takes(&[TARGET, FORCE, DRY_RUN])
        .about("Stop a service, and start it on another node."),
    Route::post("/api/v1/services/{sid}/stop", VmPowerMgmt, commands::stop)
        .takes(&[
            Parameter::may("timeout_s", Number, "Seconds that it may take; 0 is hard and at once."),
            FORCE,
            DRY_RUN,
        ])
        .about("Request the state 'stopped', and have it stopped within a time if one is given."),
    Route::get("/api/v1/groups", SysAudit, config::groups).about("The groups."),
    Route::post("/api/v1/groups", SysConsole, config::add_group)
        .takes(&[
            Parameter::must("group", Text, "Its name."),
            Parameter { is_required: true, ..NODES },
            RESTRICTED,
            NO_FAILBACK,
            COMMENT,
            DRY_RUN,
        ])
        .about("Add a group."),
    Route::get("/api/v1/groups/{group}", SysAudit, config::group).about("A group."),
    Route::patch("/api/v1/groups/{group}", SysConsole, config::set_group)
        .takes(&[NODES, RESTRICTED, NO_FAILBACK, COMMENT, DELETE, DIGEST, DRY_RUN])
        .about("Change a group."),
    Route::delete("/api/v1/groups/{group}", SysConsole, config::remove_group)
        .takes(&[DIGEST, DRY_RUN])
        .about("Remove a group."),
    Route::get("/api/v1/rules", SysAudit, config::rules)
        .about("The rules, with whether each is in force, and why not."),
    Route::post("/api/v1/rules", SysConsole, config::add_rule)
        .takes(&[
            Parameter::must("rule", Text, "Its name."),
            Parameter::must("type", Word(ha_core::config::RuleType::WORDS), "Its type."),
            RESOURCES,
            NODES,
            STRICT,
            SPREAD,
            AFFINITY,
            FIRST,
            THEN,
            DELAY,
            TIMEOUT,
            DISABLE,
            COMMENT,
            DRY_RUN,
        ])
        .about("Add a rule."),
    Route::get("/api/v1/rules/{rule}", SysAudit, config::rule).about("A rule."),
    Route::patch("/api/v1/rules/{rule}", SysConsole, config::set_rule)
        .takes(&[
            RESOURCES,
            NODES,
            STRICT,
            SPREAD,
            AFFINITY,
            FIRST,
            THEN,
            DELAY,
            TIMEOUT,
            DISABLE,
            COMMENT,
            DELETE,
            DIGEST,
            DRY_RUN,
        ])
        .about("Change a rule."),
    Route::delete("/api/v1/rules/{rule}", SysConsole, config::remove_rule)
        .takes(&[DIGEST, DRY_RUN])
        .about("Remove a rule."),
    Route::post("/api/v1/what-if", SysAudit, questions::what_if)
        .takes(&[
            Parameter::may("fail", List, "Nodes that fail at once."),
            Parameter::may("maintenance", List, "Nodes that go into maintenance."),
        ])
        .changes_nothing()
        .about("What would follow: for each service its target, and how long it takes until it runs again."),
    Route::get("/api/v1/capacity", SysAudit, questions::capacity)
        .about("How many nodes may fail, and a smallest set of them that is too much."),
    Route::get("/api/v1/nodes/{node}/labels", SysAudit, config::labels).about("What is said of a node."),
    Route::patch("/api/v1/nodes/{node}/labels", SysConsole, config::set_labels)
        .takes(&[FAILURE_DOMAIN, COMMENT, DELETE, DIGEST, DRY_RUN])
        .about("Say something of a node, such as what fails together with it."),
    Route::put("/api/v1/nodes/{node}/maintenance", VmMigrate, commands::enter_maintenance)
        .takes(&[DRY_RUN])
        .about("Have a node give its services away and take none; says what moves and what can't."),
    Route::delete("/api/v1/nodes/{node}/maintenance", VmMigrate, commands::leave_maintenance)
        .takes(&[DRY_RUN])
        .about("End a node's maintenance; says what comes back."),
    Route::post("/api/v1/nodes/{node}/confirm-fenced", SysConsole, commands::confirm_fenced)
        .takes(&[Parameter::must("repeat", Node, "The name of the node once more."), DRY_RUN])
        .about("Say that a node is down, so that its services can be recovered. Make sure of it first."),
    Route::post("/api/v1/nodes/{node}/clear-fencings", SysConsole, commands::clear_fencings)
        .takes(&[DRY_RUN])
        .about("Let a node take new services again that was fenced again and again."),
    Route::post("/api/v1/disarm", SysConsole, commands::disarm)
        .takes(&[
            Parameter::must("mode", Word(&["freeze", "ignore"]), "What becomes of the services meanwhile."),
            DRY_RUN,
        ])
        .about("Let go of all watchdogs and leave the services alone."),
    Route::post("/api/v1/arm", SysConsole, commands::arm).takes(&[DRY_RUN]).about("Take up work again after a disarm."),
    Route::get("/api/v1/guests", SysAudit, services::guests)
        .about("The guests that there are, each with its node, and whether it is looked after."),
    Route::get("/api/v1/check", SysAudit, questions::check).about("What is wrong in the configuration."),
    Route::get("/api/v1/play", SysAudit, play::look)
        .about("How the play stands, where a virtual cluster is shown: its time, what comes next, and what has power."),
    Route::post("/api/v1/play", SysConsole, play::direct)
        .takes(&[
            Parameter::may("rate", Number, "How many seconds of the cluster pass in one: 1 to 60."),
            Parameter::may("paused", Boolean, "Whether its time stands still."),
            Parameter::may("to_s", Number, "Up to which second of the cluster time passes at once; an hour at the most."),
            Parameter::may("action", Text, "What happens now, as a line of a scenario says it: 'power off node1'."),
        ])
        // The play itself tells what happens in it.
        .changes_nothing()
        .about("Reach into the play: let its time pass faster, slower or not at all, or let something happen."),
    Route::get("/api/v1/fencing", VmAudit, questions::fencing)
        .about("Which fence devices there are, without their arguments, and which nodes each can switch off."),
    Route::get("/api/v1/timings", VmAudit, questions::timings).about("All timings, and the bounds that follow."),
    Route::get("/api/v1/tokens", SysConsole, questions::tokens).about("The tokens, without secrets."),
];
