//! What a scenario expects to hold.

use std::time::Duration;

use ha_core::{
    config::RequestedState,
    event::{DaemonState, Event},
    id::{GroupId, NodeName, RuleId, ServiceId},
    status::{DisarmState, NodeState, StateName},
    time::Instant,
};
use serde_json::Value;

use super::{
    problem::{Problem, alternatives},
    words::Words,
};
use crate::{
    cluster::Cluster,
    world::{DaemonKind, Happening},
};

/// Something that is expected to hold, or not to hold.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    /// As it was written.
    pub(super) text: String,
    negated: bool,
    subject: Subject,
}

#[derive(Debug, Clone)]
enum Subject {
    Service(ServiceId, ServiceIs),
    Node(NodeName, NodeIs),
    NoMaster,
    Disarm(Option<DisarmState>),
    Event(EventPattern),
    Rule(String),
    Group(String),
}

#[derive(Debug, Clone)]
enum ServiceIs {
    /// Its guest is on this node.
    On(NodeName),
    /// By what the virtual hardware does.
    Running(Option<NodeName>),
    /// By the manager status.
    State {
        state: StateName,
        on: Option<NodeName>,
    },
    Unmanaged,
    Shown(String),
    Requested(RequestedState),
    Down {
        at_most: bool,
        time: Duration,
    },
    Recovered(u32),
    Locked(bool),
}

#[derive(Debug, Clone)]
enum NodeIs {
    State(NodeState),
    Forgotten,
    Up(bool),
    Master,
    Quorate,
    Daemon(DaemonKind, DaemonState),
}

/// An event that has happened, and how often.
#[derive(Debug, Clone)]
struct EventPattern {
    name: String,
    fields: Vec<(String, String)>,
    times: Option<Times>,
    since: Instant,
}

/// How often an event has happened.
#[derive(Debug, Clone, Copy)]
enum Times {
    Exactly(usize),
    AtLeast(usize),
    AtMost(usize),
}

impl Times {
    fn holds(self, count: usize) -> bool {
        match self {
            Self::Exactly(times) => count == times,
            Self::AtLeast(times) => count >= times,
            Self::AtMost(times) => count <= times,
        }
    }
}

/// Events of the virtual cluster itself.
const CLUSTER_EVENTS: [&str; 6] =
    ["daemon_exited", "killed", "node_booted", "node_down", "power_cut", "watchdog_reset"];

const SERVICE_WORDS: [&str; 9] =
    ["down", "locked", "on", "recovered", "requested", "running", "shown", "unlocked", "unmanaged"];

const NODE_WORDS: [&str; 7] = ["crm", "forgotten", "lrm", "master", "off", "quorate", "up"];

const SUBJECTS: &str = "a service, a node, 'event', 'no master', 'armed', 'disarming', 'disarmed', 'rule' or 'group'";

impl Condition {
    /// Reads a condition up to the end of its line.
    pub(super) fn read(words: &mut Words<'_>) -> Result<Self, Problem> {
        let text = words.rest();
        let negated = words.accept("not");
        let subject = subject(words)?;
        words.end()?;
        Ok(Self { text, negated, subject })
    }

    /// Whether it holds now.
    pub(super) fn holds(&self, cluster: &Cluster) -> bool {
        self.subject.holds(cluster) != self.negated
    }

    /// What is the case instead, for a message.
    pub(super) fn instead(&self, cluster: &Cluster) -> String {
        match &self.subject {
            Subject::Service(sid, what) => service_instead(sid, what, cluster),
            Subject::Node(node, what) => node_instead(node, what, cluster),
            Subject::NoMaster => masters(cluster),
            Subject::Disarm(_) => match disarm_state(cluster) {
                None => "HA is armed".to_owned(),
                Some(state) => format!("HA is {state}"),
            },
            Subject::Event(pattern) => format!("it happened {} times", pattern.count(cluster)),
            Subject::Rule(_) | Subject::Group(_) => "it does not exist".to_owned(),
        }
    }
}

fn subject(words: &mut Words<'_>) -> Result<Subject, Problem> {
    if words.is_service() {
        let sid = words.service()?;
        return Ok(Subject::Service(sid, service_is(words)?));
    }
    let Some(word) = words.peek() else { return Err(words.unexpected(SUBJECTS)) };
    let known_node = words.names().nodes.iter().any(|node| node.as_str() == word.text);
    if known_node {
        let node = words.node()?;
        return Ok(Subject::Node(node, node_is(words)?));
    }
    let word = words.word(SUBJECTS)?;
    match word.text.as_str() {
        "no" => {
            words.keyword("master")?;
            Ok(Subject::NoMaster)
        }
        "armed" => Ok(Subject::Disarm(None)),
        "disarming" => Ok(Subject::Disarm(Some(DisarmState::Disarming))),
        "disarmed" => Ok(Subject::Disarm(Some(DisarmState::Disarmed))),
        "event" => event(words).map(Subject::Event),
        "rule" => Ok(Subject::Rule(words.word("the name of a rule")?.text)),
        "group" => Ok(Subject::Group(words.word("the name of a group")?.text)),
        _ => {
            let nodes = words.names().nodes.iter().map(NodeName::as_str);
            let others = ["event", "no", "armed", "disarming", "disarmed", "rule", "group"];
            Err(words.unknown(&word, "", nodes.chain(others)))
        }
    }
}

fn service_is(words: &mut Words<'_>) -> Result<ServiceIs, Problem> {
    let word = words.word("a state, or what else the service is")?;
    Ok(match word.text.as_str() {
        "on" => ServiceIs::On(words.node()?),
        "running" => ServiceIs::Running(on(words)?),
        "unmanaged" => ServiceIs::Unmanaged,
        "shown" => ServiceIs::Shown(words.word("what is shown")?.text),
        "requested" => ServiceIs::Requested(words.value(&alternatives(RequestedState::WORDS.iter().copied()))?),
        "locked" => ServiceIs::Locked(true),
        "unlocked" => ServiceIs::Locked(false),
        "recovered" => {
            let times = words.value("a number of times")?;
            if !words.accept("time") {
                words.keyword("times")?;
            }
            ServiceIs::Recovered(times)
        }
        "down" => {
            words.keyword("at")?;
            let at_most = words.choice(&["most", "least"])? == 0;
            ServiceIs::Down { at_most, time: words.duration()? }
        }
        state => match state.parse() {
            Ok(state) => ServiceIs::State { state, on: on(words)? },
            Err(_) => {
                let known = StateName::WORDS.iter().copied().chain(SERVICE_WORDS);
                return Err(words.unknown(&word, "", known));
            }
        },
    })
}

fn on(words: &mut Words<'_>) -> Result<Option<NodeName>, Problem> {
    if words.accept("on") { words.node().map(Some) } else { Ok(None) }
}

fn node_is(words: &mut Words<'_>) -> Result<NodeIs, Problem> {
    let word = words.word("a state, or what else the node is")?;
    Ok(match word.text.as_str() {
        "up" => NodeIs::Up(true),
        "off" => NodeIs::Up(false),
        "master" => NodeIs::Master,
        "quorate" => NodeIs::Quorate,
        "forgotten" => NodeIs::Forgotten,
        "crm" => NodeIs::Daemon(DaemonKind::Crm, daemon_state(words, &CRM_STATES)?),
        "lrm" => NodeIs::Daemon(DaemonKind::Lrm, daemon_state(words, &LRM_STATES)?),
        state => match state.parse() {
            Ok(state) => NodeIs::State(state),
            Err(_) => {
                let known = NodeState::WORDS.iter().copied().chain(NODE_WORDS);
                return Err(words.unknown(&word, "", known));
            }
        },
    })
}

const CRM_STATES: [DaemonState; 4] =
    [DaemonState::WaitForQuorum, DaemonState::Slave, DaemonState::Master, DaemonState::LostManagerLock];
const LRM_STATES: [DaemonState; 4] =
    [DaemonState::WaitForAgentLock, DaemonState::Active, DaemonState::Maintenance, DaemonState::LostAgentLock];

fn daemon_state(words: &mut Words<'_>, states: &[DaemonState]) -> Result<DaemonState, Problem> {
    let names: Vec<&str> = states.iter().map(|state| state.as_str()).collect();
    let choice = words.choice(&names)?;
    Ok(states.get(choice).copied().unwrap_or(DaemonState::Startup))
}

/// `NAME [key=value …] [[at least|at most] N times] [since TIME]`
fn event(words: &mut Words<'_>) -> Result<EventPattern, Problem> {
    let name = words.word("the name of an event")?;
    let known = known_events();
    if !known.contains(&name.text) {
        return Err(words.unknown(&name, "event", known.iter().map(String::as_str)));
    }
    let mut pattern = EventPattern { name: name.text, fields: Vec::new(), times: None, since: Instant::START };
    while let Some(word) = words.peek() {
        if let Some((key, value)) = word.text.split_once('=') {
            pattern.fields.push((key.to_owned(), value.to_owned()));
            words.take();
        } else if words.accept("since") {
            pattern.since = words.instant()?;
        } else {
            pattern.times = Some(times(words)?);
        }
    }
    Ok(pattern)
}

/// `N times`, `at least N times`, `at most N times`
fn times(words: &mut Words<'_>) -> Result<Times, Problem> {
    let bound: fn(usize) -> Times = if !words.accept("at") {
        Times::Exactly
    } else if words.choice(&["least", "most"])? == 0 {
        Times::AtLeast
    } else {
        Times::AtMost
    };
    let times = bound(words.value("'key=value', a number of times, 'at least', 'at most', or 'since'")?);
    if !words.accept("time") {
        words.keyword("times")?;
    }
    Ok(times)
}

/// The names of all events. The enum itself knows them: it lists them when it is asked to read an unknown one.
fn known_events() -> Vec<String> {
    let unknown = serde_json::json!({ "event": "" });
    let message = serde_json::from_value::<Event>(unknown).err().map(|error| error.to_string()).unwrap_or_default();
    let quoted = message.split('`').skip(1).step_by(2).filter(|name| !name.is_empty()).map(str::to_owned);
    quoted.chain(CLUSTER_EVENTS.map(str::to_owned)).collect()
}

impl Subject {
    fn holds(&self, cluster: &Cluster) -> bool {
        match self {
            Self::Service(sid, what) => what.holds(sid, cluster),
            Self::Node(node, what) => what.holds(node, cluster),
            Self::NoMaster => cluster.masters().next().is_none(),
            Self::Disarm(state) => disarm_state(cluster) == *state,
            Self::Event(pattern) => {
                let count = pattern.count(cluster);
                pattern.times.unwrap_or(Times::AtLeast(1)).holds(count)
            }
            Self::Rule(id) => RuleId::new(id).is_ok_and(|id| cluster.world().store.rules.rules.contains_key(&id)),
            Self::Group(id) => GroupId::new(id).is_ok_and(|id| cluster.world().store.groups.groups.contains_key(&id)),
        }
    }
}

fn disarm_state(cluster: &Cluster) -> Option<DisarmState> {
    cluster.manager_status()?.disarm.as_ref().map(|disarm| disarm.state)
}

impl ServiceIs {
    fn holds(&self, sid: &ServiceId, cluster: &Cluster) -> bool {
        let entry = cluster.manager_status().and_then(|status| status.services.get(sid));
        match self {
            Self::On(node) => cluster.guest_node(sid) == Some(node),
            Self::Running(Some(node)) => cluster.world().runs(sid, node),
            Self::Running(None) => cluster.world().places(sid).next().is_some(),
            Self::State { state, on } => entry.is_some_and(|entry| {
                entry.state.name() == *state && on.as_ref().is_none_or(|node| entry.node == *node)
            }),
            Self::Unmanaged => entry.is_none(),
            Self::Shown(text) => shown(sid, cluster).is_some_and(|shown| shown == *text),
            Self::Requested(state) => requested(sid, cluster) == Some(*state),
            Self::Down { at_most: true, time } => cluster.downtime(sid) <= *time,
            Self::Down { at_most: false, time } => cluster.downtime(sid) >= *time,
            Self::Recovered(times) => cluster.history(sid).map_or(0, |history| history.recoveries) == *times,
            Self::Locked(locked) => lock(sid, cluster).is_some() == *locked,
        }
    }
}

fn requested(sid: &ServiceId, cluster: &Cluster) -> Option<RequestedState> {
    cluster.world().store.resources.resources.get(sid).map(|resource| resource.state())
}

fn lock<'a>(sid: &ServiceId, cluster: &'a Cluster) -> Option<&'a str> {
    cluster.world().guests.get(sid)?.lock.as_deref()
}

/// What `status` shows for a service on the first node that has quorum, or else the first node.
fn shown(sid: &ServiceId, cluster: &Cluster) -> Option<String> {
    let nodes = || cluster.world().nodes.keys();
    let node = nodes().find(|node| cluster.world().is_online(node)).or_else(|| nodes().next())?;
    let view = cluster.view(node);
    view.services.iter().find(|service| service.sid == *sid).map(|service| service.shown.to_string())
}

impl NodeIs {
    fn holds(&self, node: &NodeName, cluster: &Cluster) -> bool {
        match self {
            Self::State(state) => cluster.node_state(node) == Some(*state),
            Self::Forgotten => cluster.node_state(node).is_none(),
            Self::Up(up) => cluster.world().nodes.get(node).is_some_and(|node| node.power) == *up,
            Self::Master => cluster.masters().any(|master| master == node),
            Self::Quorate => cluster.world().is_online(node),
            Self::Daemon(daemon, state) => self::state_of(*daemon, node, cluster) == Some(*state),
        }
    }
}

fn state_of(daemon: DaemonKind, node: &NodeName, cluster: &Cluster) -> Option<DaemonState> {
    match daemon {
        DaemonKind::Crm => cluster.crm(node).map(ha_core::crm::Crm::state),
        DaemonKind::Lrm => cluster.lrm(node).map(|lrm| lrm.state().into()),
    }
}

impl EventPattern {
    fn count(&self, cluster: &Cluster) -> usize {
        let happenings = cluster.happenings_since(0).iter();
        happenings.filter(|happening| happening.at >= self.since && self.matches(happening)).count()
    }

    fn matches(&self, happening: &Happening) -> bool {
        let Ok(json) = serde_json::to_value(happening) else { return false };
        let is = |key: &str, wanted: &str| match json.get(key) {
            Some(Value::String(text)) => text == wanted,
            Some(Value::Array(list)) => {
                let items = list.iter().map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned));
                items.collect::<Vec<String>>().join(",") == wanted
            }
            Some(other) => wanted == other.to_string().as_str(),
            None => false,
        };
        is("event", &self.name) && self.fields.iter().all(|(key, value)| is(key, value))
    }
}

fn service_instead(sid: &ServiceId, what: &ServiceIs, cluster: &Cluster) -> String {
    match what {
        ServiceIs::Down { .. } => format!("it was down for {} s", cluster.downtime(sid).as_secs_f64()),
        ServiceIs::Recovered(_) => {
            format!("it was recovered {} times", cluster.history(sid).map_or(0, |history| history.recoveries))
        }
        ServiceIs::Shown(_) => match shown(sid, cluster) {
            Some(shown) => format!("'{shown}' is shown"),
            None => "it is not shown at all".to_owned(),
        },
        ServiceIs::Requested(_) => match requested(sid, cluster) {
            Some(state) => format!("{state} is requested"),
            None => "it is not configured".to_owned(),
        },
        ServiceIs::Locked(_) => match lock(sid, cluster) {
            Some(lock) => format!("it is locked ({lock})"),
            None => "it is not locked".to_owned(),
        },
        ServiceIs::On(_) | ServiceIs::Running(_) | ServiceIs::State { .. } | ServiceIs::Unmanaged => {
            let entry = cluster.manager_status().and_then(|status| status.services.get(sid));
            let state = match entry {
                Some(entry) => format!("its state is {} on {}", entry.state.name(), entry.node),
                None => "it is unmanaged".to_owned(),
            };
            let guest = match cluster.guest_node(sid) {
                Some(node) => format!("its guest is on {node}"),
                None => "it has no guest".to_owned(),
            };
            let runs = match cluster.places(sid).as_slice() {
                [] => "runs nowhere".to_owned(),
                places => format!("runs on {}", places.join(" and ")),
            };
            format!("{state}, {guest} and {runs}")
        }
    }
}

fn node_instead(node: &NodeName, what: &NodeIs, cluster: &Cluster) -> String {
    match what {
        NodeIs::State(_) | NodeIs::Forgotten => match cluster.node_state(node) {
            Some(state) => format!("its state is {state}"),
            None => "the manager does not know it".to_owned(),
        },
        NodeIs::Up(_) | NodeIs::Quorate => {
            let power = cluster.world().nodes.get(node).is_some_and(|node| node.power);
            let quorate = cluster.world().is_online(node);
            format!(
                "it is {} and {}",
                if power { "up" } else { "off" },
                if quorate { "quorate" } else { "not quorate" }
            )
        }
        NodeIs::Master => masters(cluster),
        NodeIs::Daemon(daemon, _) => match state_of(*daemon, node, cluster) {
            Some(state) => format!("it is {state}"),
            None => "it does not run".to_owned(),
        },
    }
}

fn masters(cluster: &Cluster) -> String {
    let masters: Vec<&str> = cluster.masters().map(NodeName::as_str).collect();
    if masters.is_empty() {
        "there is no master".to_owned()
    } else {
        format!("the master is {}", masters.join(" and "))
    }
}
