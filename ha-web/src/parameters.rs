//! Parameters that calls of both parts take.

use crate::wire::{
    Kind::{Boolean, List, Number, Text, Word},
    Parameter,
};

pub(crate) const DELETE: Parameter = Parameter::may("delete", List, "Properties to unset.");
pub(crate) const FAILURE_DOMAIN: Parameter = Parameter::may(
    "failure-domain",
    Text,
    "What it fails together with, such as its rack or its site: all nodes of one name.",
);
pub(crate) const COMMENT: Parameter = Parameter::may("comment", Text, "What people should know.");
pub(crate) const GROUP: Parameter = Parameter::may("group", Text, "The group.");
pub(crate) const MAX_RESTART: Parameter =
    Parameter::may("max_restart", Number, "Failed starts that are tried again on a node.");
pub(crate) const MAX_RELOCATE: Parameter =
    Parameter::may("max_relocate", Number, "Other nodes that are tried after that.");
pub(crate) const FAILBACK: Parameter =
    Parameter::may("failback", Boolean, "Whether it moves when a node of higher priority comes online.");
pub(crate) const FAILBACK_DELAY: Parameter = Parameter::may(
    "failback-delay",
    Number,
    "For how many seconds a node of higher priority must have been back before it moves there.",
);
pub(crate) const BALANCE: Parameter = Parameter::may("auto-rebalance", Boolean, "Whether balancing may move it.");
pub(crate) const FAILURE_TIMEOUT: Parameter = Parameter::may(
    "failure-timeout",
    Number,
    "After how many seconds without another one failed starts count no more, and a service in 'error' for them is tried again.",
);
pub(crate) const PRIORITY: Parameter = Parameter::may(
    "priority",
    Number,
    "How much it matters beside others, from 0 to 1000: what has more is placed, started and moved first, and stopped last.",
);
pub(crate) const PROBE: Parameter = Parameter::may(
    "probe",
    Text,
    "How it is seen whether it is ready once it runs: 'agent', 'tcp:PORT', 'tcp:HOST:PORT', 'http://HOST[:PORT][/PATH]' or 'exec:NAME'.",
);
pub(crate) const PROBE_INTERVAL: Parameter =
    Parameter::may("probe-interval", Number, "Seconds from one probe to the next.");
pub(crate) const PROBE_TIMEOUT: Parameter = Parameter::may("probe-timeout", Number, "Seconds that a probe may take.");
pub(crate) const PROBE_FAILURES: Parameter = Parameter::may(
    "probe-failures",
    Number,
    "How many probes must fail one after another before the service is no longer ready.",
);
pub(crate) const READY_TIMEOUT: Parameter =
    Parameter::may("ready-timeout", Number, "Seconds that it may take to be ready after its start.");
pub(crate) const ON_FAILURE: Parameter = Parameter::may(
    "on-failure",
    Word(&["report", "restart", "relocate"]),
    "What follows when it is not ready in time, or no longer.",
);
pub(crate) const NODES: Parameter = Parameter::may("nodes", List, "Nodes, each as 'node' or 'node:priority'.");
pub(crate) const RESTRICTED: Parameter =
    Parameter::may("restricted", Boolean, "Whether services run on its nodes only.");
pub(crate) const NO_FAILBACK: Parameter =
    Parameter::may("nofailback", Boolean, "Whether services stay when a better node comes online.");
pub(crate) const RESOURCES: Parameter = Parameter::may("resources", List, "The services.");
pub(crate) const STRICT: Parameter = Parameter::may(
    "strict",
    Boolean,
    "Whether the services run on these nodes only, or apart only (by default they do), or wait without end for those that come first.",
);
pub(crate) const FIRST: Parameter = Parameter::may("first", List, "The services that come first, of an order rule.");
pub(crate) const THEN: Parameter =
    Parameter::may("then", List, "The services that are started once those that come first are up.");
pub(crate) const DELAY: Parameter =
    Parameter::may("delay", Number, "For how many seconds those that come first must be up before.");
pub(crate) const TIMEOUT: Parameter = Parameter::may(
    "timeout",
    Number,
    "For how many seconds they are waited for; without end where the rule is strict.",
);
pub(crate) const AFFINITY: Parameter =
    Parameter::may("affinity", Word(&["positive", "negative"]), "Together or on the nodes, or apart or off them.");
pub(crate) const SPREAD: Parameter = Parameter::may(
    "spread",
    Word(&["failure-domain"]),
    "Apart by what fails together, as 'nodes.cfg' says, rather than by node.",
);
pub(crate) const DISABLE: Parameter = Parameter::may("disable", Boolean, "Whether the rule takes no part in anything.");
