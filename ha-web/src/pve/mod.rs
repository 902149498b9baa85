//! What existing clients expect, under `/api2/json`: names, forms and quoted texts are what they look at, and stay as they are.

mod access;
mod cluster;
mod commands;
mod groups;
mod guests;
mod nodes;
mod resources;
mod rules;
mod status;

pub(crate) use access::capabilities;
pub(crate) use cluster::name_of;

use crate::{
    access::Privilege::{SysAudit, SysConsole, VmAudit, VmMigrate, VmPowerMgmt},
    call::Call,
    parameters::{
        AFFINITY, BALANCE, COMMENT, DELETE, DISABLE, FAILBACK, GROUP, MAX_RELOCATE, MAX_RESTART, NO_FAILBACK, NODES,
        RESOURCES, RESTRICTED, STRICT,
    },
    route::{Handler, Need, Route},
    wire::{
        Answer, Fault,
        Kind::{Boolean, Node, Number, Sid, Text, Word},
        Parameter,
    },
};
use serde_json::{Value, json};

const DIGEST: Parameter = Parameter::may("digest", Text, "Change it only if its file has this digest.");
const STATE: Parameter = Parameter::may(
    "state",
    Word(&["started", "stopped", "disabled", "ignored", "enabled"]),
    "The state that is requested.",
);
/// Existing clients know no other ones.
const RULE_TYPES: crate::wire::Kind = Word(&["node-affinity", "resource-affinity"]);
const TARGET: Parameter = Parameter::must("node", Node, "The node to which it moves.");

/// The parameter as one that must be given.
const fn must(parameter: Parameter) -> Parameter {
    Parameter { is_required: true, ..parameter }
}

/// All calls of this part.
// tidy: table
pub(crate) const ROUTES: &[Route] = &[
    Route::get("/api2/json", SysAudit, index).about("The beginning."),
    Route::of_server("POST", "/api2/json/access/ticket", Need::Nothing, Handler::Login)
        .takes(&[
            Parameter::must("username", Text, "The user, with or without realm."),
            Parameter::must("password", Text, "The password, or a ticket to be renewed."),
            Parameter::may("realm", Text, "The realm."),
            Parameter::may("new-format", Boolean, "Without meaning here."),
        ])
        .about("Log in."),
    Route::get("/api2/json/access/permissions", SysAudit, access::permissions)
        .for_somebody()
        .takes(&[Parameter::may("path", Text, "Only of this path."), Parameter::may("userid", Text, "Only one's own.")])
        .about("What one may."),
    Route::get("/api2/json/version", SysAudit, cluster::version).for_somebody().about("The version."),
    Route::get("/api2/json/cluster", SysAudit, cluster::index).about("What there is of the cluster."),
    Route::get("/api2/json/cluster/status", SysAudit, cluster::status).about("The cluster and its nodes."),
    Route::get("/api2/json/cluster/resources", SysAudit, cluster::resources)
        .takes(&[Parameter::may("type", Word(&["vm", "node", "storage", "sdn"]), "Only of this type.")])
        .about("Guests and nodes."),
    Route::get("/api2/json/cluster/options", SysAudit, cluster::options).about("Settings of the whole cluster."),
    Route::get("/api2/json/cluster/tasks", SysAudit, empty_list).about("Nothing: there are no tasks."),
    Route::get("/api2/json/cluster/backup-info/not-backed-up", SysAudit, empty_list)
        .about("Nothing: backups are no matter of this software."),
    Route::get("/api2/json/cluster/config/qdevice", SysAudit, empty_object).about("Nothing: there is no such device."),
    Route::get("/api2/json/cluster/ha", SysAudit, status::ha_index).about("What there is of HA."),
    Route::get("/api2/json/cluster/ha/resources", SysAudit, resources::list)
        .takes(&[Parameter::may("type", Text, "Only of this type.")])
        .about("The services, as they are in force."),
    Route::post("/api2/json/cluster/ha/resources", SysConsole, resources::add)
        .takes(&[
            Parameter::must("sid", Sid, "The service."),
            Parameter::may("type", Text, "Its type, which must agree."),
            STATE,
            GROUP,
            MAX_RESTART,
            MAX_RELOCATE,
            FAILBACK,
            BALANCE,
            COMMENT,
        ])
        .about("Have a guest looked after."),
    Route::get("/api2/json/cluster/ha/resources/{sid}", SysAudit, resources::one).about("A service, as it is set."),
    Route::put("/api2/json/cluster/ha/resources/{sid}", VmPowerMgmt, resources::set)
        .takes(&[
            Parameter::may("sid", Sid, "The service, as in the path."),
            Parameter::may("type", Text, "Its type, which must agree."),
            STATE,
            GROUP,
            MAX_RESTART,
            MAX_RELOCATE,
            FAILBACK,
            BALANCE,
            COMMENT,
            DELETE,
            DIGEST,
        ])
        .about("Change a service. For more than its requested state Sys.Console is needed."),
    Route::delete("/api2/json/cluster/ha/resources/{sid}", SysConsole, resources::remove)
        .takes(&[Parameter::may("purge", Boolean, "Whether it is taken out of rules too, which is usual.")])
        .about("Look after a guest no more."),
    Route::post("/api2/json/cluster/ha/resources/{sid}/migrate", VmMigrate, commands::migrate)
        .takes(&[TARGET])
        .about("Move a service, live if its agent can."),
    Route::post("/api2/json/cluster/ha/resources/{sid}/relocate", VmMigrate, commands::relocate)
        .takes(&[TARGET])
        .about("Stop a service, and start it on another node."),
    Route::get("/api2/json/cluster/ha/groups", SysAudit, groups::list).about("The groups."),
    Route::post("/api2/json/cluster/ha/groups", SysConsole, groups::add)
        .takes(&[
            Parameter::must("group", Text, "Its name."),
            must(NODES),
            RESTRICTED,
            NO_FAILBACK,
            COMMENT,
            Parameter::may("type", Word(&["group"]), "What it is."),
        ])
        .about("Add a group."),
    Route::get("/api2/json/cluster/ha/groups/{group}", SysAudit, groups::one).about("A group."),
    Route::put("/api2/json/cluster/ha/groups/{group}", SysConsole, groups::set)
        .takes(&[
            Parameter::may("group", Text, "Its name, as in the path."),
            NODES,
            RESTRICTED,
            NO_FAILBACK,
            COMMENT,
            Parameter::may("type", Word(&["group"]), "What it is."),
            DELETE,
            DIGEST,
        ])
        .about("Change a group."),
    Route::delete("/api2/json/cluster/ha/groups/{group}", SysConsole, groups::remove).about("Remove a group."),
    Route::get("/api2/json/cluster/ha/rules", SysAudit, rules::list)
        .takes(&[
            Parameter::may("type", RULE_TYPES, "Only of this type."),
            Parameter::may("resource", Sid, "Only those that name this service."),
        ])
        .about("The rules."),
    Route::post("/api2/json/cluster/ha/rules", SysConsole, rules::add)
        .takes(&[
            Parameter::must("rule", Text, "Its name."),
            Parameter::must("type", RULE_TYPES, "Its type."),
            must(RESOURCES),
            NODES,
            STRICT,
            AFFINITY,
            DISABLE,
            COMMENT,
        ])
        .about("Add a rule."),
    Route::get("/api2/json/cluster/ha/rules/{rule}", SysAudit, rules::one).about("A rule."),
    Route::put("/api2/json/cluster/ha/rules/{rule}", SysConsole, rules::set)
        .takes(&[
            Parameter::may("rule", Text, "Its name, as in the path."),
            Parameter::may("type", RULE_TYPES, "Its type, which stays."),
            RESOURCES,
            NODES,
            STRICT,
            AFFINITY,
            DISABLE,
            COMMENT,
            DELETE,
            DIGEST,
        ])
        .about("Change a rule."),
    Route::delete("/api2/json/cluster/ha/rules/{rule}", SysConsole, rules::remove).about("Remove a rule."),
    Route::get("/api2/json/cluster/ha/status", SysAudit, status::index).about("What there is of the status."),
    Route::get("/api2/json/cluster/ha/status/current", SysAudit, status::current).about("The status, as a list."),
    Route::get("/api2/json/cluster/ha/status/manager_status", SysAudit, status::manager_status)
        .about("The records of the daemons."),
    Route::post("/api2/json/cluster/ha/status/disarm-ha", SysConsole, commands::disarm)
        .takes(&[Parameter::must("resource-mode", Word(&["freeze", "ignore"]), "What happens to services meanwhile.")])
        .about("Let go of all watchdogs, and leave the services alone."),
    Route::post("/api2/json/cluster/ha/status/arm-ha", SysConsole, commands::arm).about("Take up work again."),
    Route::get("/api2/json/nodes", SysAudit, nodes::list).about("The nodes."),
    Route::get("/api2/json/nodes/{node}/status", SysAudit, nodes::status).about("A node."),
    Route::get("/api2/json/nodes/{node}/subscription", SysAudit, nodes::subscription).about("None."),
    Route::get("/api2/json/nodes/{node}/replication", SysAudit, nodes::nothing_there)
        .takes(&[Parameter::may("guest", Number, "Only of this guest.")])
        .about("Nothing: replication is no matter of this software."),
    Route::get("/api2/json/nodes/{node}/tasks", SysAudit, nodes::nothing_there)
        .takes(&[
            Parameter::may("limit", Number, "How many."),
            Parameter::may("start", Number, "From which one on."),
            Parameter::may("vmid", Number, "Only of this guest."),
            Parameter::may("source", Text, "From where."),
            Parameter::may("typefilter", Text, "Only of this type."),
            Parameter::may("errors", Boolean, "Only those that failed."),
        ])
        .about("Nothing: there are no tasks."),
    Route::get("/api2/json/nodes/{node}/tasks/{upid}/status", SysAudit, nodes::task).about("A task, which is over."),
    Route::get("/api2/json/nodes/{node}/qemu", VmAudit, guests::machines)
        .takes(&[Parameter::may("full", Boolean, "Without meaning here.")])
        .about("The virtual machines on a node."),
    Route::get("/api2/json/nodes/{node}/lxc", VmAudit, guests::containers).about("The containers on a node."),
    Route::get("/api2/json/nodes/{node}/qemu/{vmid}/config", VmAudit, guests::machine_config)
        .takes(&[Parameter::may("current", Boolean, "Without meaning here.")])
        .about("A virtual machine's configuration."),
    Route::get("/api2/json/nodes/{node}/lxc/{vmid}/config", VmAudit, guests::container_config)
        .takes(&[Parameter::may("current", Boolean, "Without meaning here.")])
        .about("A container's configuration."),
    Route::get("/api2/json/nodes/{node}/qemu/{vmid}/status/current", VmAudit, guests::machine_now)
        .about("What a virtual machine does."),
    Route::get("/api2/json/nodes/{node}/lxc/{vmid}/status/current", VmAudit, guests::container_now)
        .about("What a container does."),
    Route::post("/api2/json/nodes/{node}/qemu/{vmid}/status/start", VmPowerMgmt, guests::start_machine)
        .about("Request 'started'."),
    Route::post("/api2/json/nodes/{node}/qemu/{vmid}/status/stop", VmPowerMgmt, guests::stop_machine)
        .about("Request 'stopped'."),
    Route::post("/api2/json/nodes/{node}/qemu/{vmid}/status/shutdown", VmPowerMgmt, guests::stop_machine)
        .about("Request 'stopped'."),
    Route::post("/api2/json/nodes/{node}/lxc/{vmid}/status/start", VmPowerMgmt, guests::start_container)
        .about("Request 'started'."),
    Route::post("/api2/json/nodes/{node}/lxc/{vmid}/status/stop", VmPowerMgmt, guests::stop_container)
        .about("Request 'stopped'."),
    Route::post("/api2/json/nodes/{node}/lxc/{vmid}/status/shutdown", VmPowerMgmt, guests::stop_container)
        .about("Request 'stopped'."),
    Route::post("/api2/json/nodes/{node}/qemu/{vmid}/migrate", VmMigrate, guests::migrate_machine)
        .takes(MIGRATION)
        .about("Move a virtual machine."),
    Route::post("/api2/json/nodes/{node}/lxc/{vmid}/migrate", VmMigrate, guests::migrate_container)
        .takes(MIGRATION)
        .about("Move a container."),
];

const MIGRATION: &[Parameter] = &[
    Parameter::must("target", Node, "The node to which it moves."),
    Parameter::may("online", Boolean, "Live if it runs, which is usual where its agent can."),
    Parameter::may("restart", Boolean, "By a stop and a start."),
];

fn index(_: &Call<'_>) -> Result<Answer, Fault> {
    Ok(json!([{"subdir": "access"}, {"subdir": "cluster"}, {"subdir": "nodes"}, {"subdir": "version"}]).into())
}

fn empty_list(_: &Call<'_>) -> Result<Answer, Fault> {
    Ok(json!([]).into())
}

fn empty_object(_: &Call<'_>) -> Result<Answer, Fault> {
    Ok(json!({}).into())
}

/// A truth value as clients expect it.
fn bit(value: bool) -> Value {
    json!(u8::from(value))
}

/// Lists of the names of what is below.
fn ids(names: &[&str]) -> Answer {
    Answer::from(Value::Array(names.iter().map(|name| json!({"id": name, "name": name})).collect()))
}
