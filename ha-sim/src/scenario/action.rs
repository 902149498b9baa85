//! What people and mishaps do in a scenario.

use std::{collections::BTreeSet, time::Duration};

use ha_core::{
    config::Changes,
    id::{NodeName, ServiceId},
    status::CommandLine,
};

use super::{problem::Problem, words::Words};
use crate::{
    cluster::{ActionError, Cluster, RawPlace},
    world::{ClusterEvent, DaemonKind, DeviceBehaviour, Failure, GuestTimes, Operation, Outcome},
};

/// Something that is done at some moment.
#[derive(Debug, Clone)]
pub(super) enum Action {
    Power {
        on: bool,
        nodes: Vec<NodeName>,
    },
    Reset(Vec<NodeName>),
    Network {
        on: bool,
        nodes: Vec<NodeName>,
    },
    Partition(Vec<BTreeSet<NodeName>>),
    Heal,
    Part {
        part: Part,
        works: bool,
        nodes: Vec<NodeName>,
    },
    Reboot(NodeName),
    /// A node is taken into the cluster, or out of it.
    Member {
        joins: bool,
        node: NodeName,
    },
    Suspended {
        suspended: bool,
        nodes: Vec<NodeName>,
    },
    StaleReads {
        stale: bool,
        nodes: Vec<NodeName>,
    },
    Clock {
        seconds: i64,
        nodes: Vec<NodeName>,
    },
    Write {
        place: RawPlace,
        text: String,
    },
    Takes {
        sid: ServiceId,
        times: GuestTimes,
    },
    Twin {
        appears: bool,
        node: NodeName,
    },
    Shutdown(NodeName),
    Daemons {
        what: DaemonAction,
        daemons: Vec<DaemonKind>,
        nodes: Vec<NodeName>,
    },
    Create {
        sid: ServiceId,
        node: NodeName,
    },
    Destroy(ServiceId),
    Crash(ServiceId),
    Carry {
        sid: ServiceId,
        node: NodeName,
    },
    Lock {
        sid: ServiceId,
        lock: Option<String>,
        time: Option<Duration>,
    },
    Fail {
        sid: ServiceId,
        failure: Failure,
    },
    Mend {
        sid: ServiceId,
        operation: Operation,
    },
    Device {
        name: String,
        behaviour: DeviceBehaviour,
    },
    Load {
        sid: ServiceId,
        cores: f64,
        memory: u64,
    },
    GuestSize {
        sid: ServiceId,
        cores: f64,
        memory: u64,
    },
    NodeSize {
        node: NodeName,
        cores: f64,
        memory: u64,
    },
    Version {
        node: NodeName,
        version: String,
    },
    Command(String),
    Edit(Edit),
    StartGuest {
        sid: ServiceId,
        node: NodeName,
    },
    /// Nothing is done, but this is said.
    Say(String),
}

/// A part of what nodes share that can fail on a node.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part {
    Store,
    View,
    Locks,
}

/// What is done to daemons.
#[derive(Debug, Clone, Copy)]
pub(super) enum DaemonAction {
    Start,
    Stop,
    Restart,
    Kill,
    Pause,
    Resume,
}

/// An edit of the configuration.
#[derive(Debug, Clone)]
pub(super) struct Edit {
    what: Edited,
    how: EditKind,
    set: Vec<(String, String)>,
    unset: Vec<String>,
}

#[derive(Debug, Clone)]
enum Edited {
    Resource(String),
    Group(String),
    Rule(String),
    Datacenter,
}

#[derive(Debug, Clone)]
enum EditKind {
    Add { rule_type: Option<String> },
    Change,
    Remove { purge: bool },
}

/// The verbs, for messages.
const VERBS: [&str; 42] = [
    "add",
    "carry",
    "clock",
    "command",
    "crash",
    "create",
    "destroy",
    "device",
    "expect",
    "fail",
    "hang",
    "heal",
    "kill",
    "load",
    "lock",
    "locks",
    "mend",
    "network",
    "partition",
    "pause",
    "power",
    "reads",
    "reboot",
    "remove",
    "reset",
    "restart",
    "resume",
    "say",
    "set",
    "shutdown",
    "size",
    "start",
    "stop",
    "store",
    "suspend",
    "takes",
    "twin",
    "unlock",
    "unset",
    "version",
    "view",
    "write",
];

const OPERATIONS: [(&str, Operation); 3] =
    [("start", Operation::Start), ("stop", Operation::Stop), ("move", Operation::Move)];

impl Action {
    /// Reads an action up to the end of its line.
    pub(super) fn read(words: &mut Words<'_>) -> Result<Self, Problem> {
        let verb = words.word("what happens")?;
        let action = match Self::read_of_guest(&verb.text, words)? {
            Some(action) => action,
            None => Self::read_of_nodes(&verb.text, words)?.ok_or_else(|| words.unknown(&verb, "action", VERBS))?,
        };
        words.end()?;
        Ok(action)
    }

    /// What happens to a guest or its service.
    fn read_of_guest(verb: &str, words: &mut Words<'_>) -> Result<Option<Self>, Problem> {
        Ok(Some(match verb {
            "takes" => {
                let sid = words.service()?;
                Self::Takes { sid, times: guest_times(words)? }
            }
            "start" if words.is_service() => {
                let sid = words.service()?;
                words.keyword("on")?;
                Self::StartGuest { sid, node: words.node()? }
            }
            "create" => {
                let sid = words.new_service()?;
                words.keyword("on")?;
                Self::Create { sid, node: words.node()? }
            }
            "destroy" => Self::Destroy(words.service()?),
            "crash" => Self::Crash(words.service()?),
            "carry" => {
                let sid = words.service()?;
                words.keyword("to")?;
                Self::Carry { sid, node: words.node()? }
            }
            "lock" => {
                let sid = words.service()?;
                let mut lock = "backup".to_owned();
                if words.peek().is_some_and(|word| word.quoted || word.text != "for") {
                    lock = words.word("the name of a lock")?.text;
                }
                let time = if words.accept("for") { Some(words.duration()?) } else { None };
                Self::Lock { sid, lock: Some(lock), time }
            }
            "unlock" => Self::Lock { sid: words.service()?, lock: None, time: None },
            "fail" => failure(words, Outcome::Fails)?,
            "hang" => failure(words, Outcome::Hangs)?,
            "mend" => {
                let operation = operation(words)?;
                words.keyword("of")?;
                Self::Mend { sid: words.service()?, operation }
            }
            "load" => {
                let sid = words.service()?;
                let (cores, memory) = size(words)?;
                Self::Load { sid, cores, memory }
            }
            "size" if words.is_service() => {
                let sid = words.service()?;
                let (cores, memory) = size(words)?;
                Self::GuestSize { sid, cores, memory }
            }
            _ => return Ok(None),
        }))
    }

    /// What happens to nodes, daemons, the store, and all that is written down.
    fn read_of_nodes(verb: &str, words: &mut Words<'_>) -> Result<Option<Self>, Problem> {
        Ok(Some(match verb {
            "power" => Self::Power { on: on_off(words)?, nodes: words.nodes()? },
            "reset" => Self::Reset(words.nodes()?),
            "network" => Self::Network { on: on_off(words)?, nodes: words.nodes()? },
            "partition" => Self::Partition(groups(words)?),
            "heal" => Self::Heal,
            "store" => part(words, Part::Store)?,
            "view" => part(words, Part::View)?,
            "locks" => part(words, Part::Locks)?,
            "reboot" => Self::Reboot(words.node()?),
            "twin" => twin(words)?,
            "clock" => clock(words)?,
            "reads" => {
                let stale = words.choice(&["stale", "fresh"])? == 0;
                words.keyword("on")?;
                Self::StaleReads { stale, nodes: words.nodes()? }
            }
            "suspend" => Self::Suspended { suspended: true, nodes: words.nodes()? },
            "resume" if words.is_node() => Self::Suspended { suspended: false, nodes: words.nodes()? },
            "write" => raw_text(words)?,
            "add" if words.accept("node") => Self::Member { joins: true, node: words.node()? },
            "remove" if words.accept("node") => Self::Member { joins: false, node: words.node()? },
            "shutdown" => Self::Shutdown(words.node()?),
            "start" => daemons(words, DaemonAction::Start, &DaemonKind::ALL)?,
            "stop" => daemons(words, DaemonAction::Stop, &[DaemonKind::Crm])?,
            "restart" => daemons(words, DaemonAction::Restart, &[DaemonKind::Lrm])?,
            "kill" => daemons(words, DaemonAction::Kill, &DaemonKind::ALL)?,
            "pause" => daemons(words, DaemonAction::Pause, &DaemonKind::ALL)?,
            "resume" => daemons(words, DaemonAction::Resume, &DaemonKind::ALL)?,
            "device" => device(words)?,
            "size" => {
                let node = words.node()?;
                let (cores, memory) = size(words)?;
                Self::NodeSize { node, cores, memory }
            }
            "version" => Self::Version { node: words.node()?, version: words.word("a version")?.text },
            "command" => command(words)?,
            "add" | "set" | "unset" | "remove" => Self::Edit(Edit::read(verb, words)?),
            "say" => {
                let text = words.rest();
                while words.take().is_some() {}
                Self::Say(text)
            }
            _ => return Ok(None),
        }))
    }

    /// How the action is reported: `text` is the action as it was written.
    pub(super) fn event(&self, text: String) -> ClusterEvent {
        if let Self::Say(said) = self {
            return ClusterEvent::Said { text: said.clone() };
        }
        ClusterEvent::Execute { command: text }
    }

    /// The service that the action adds to those that are known.
    pub(super) fn new_service(&self) -> Option<ServiceId> {
        if let Self::Create { sid, .. } = self {
            return Some(sid.clone());
        }
        if let Self::Edit(Edit { what: Edited::Resource(sid), .. }) = self { ServiceId::new(sid).ok() } else { None }
    }

    /// Does it.
    pub(super) fn act(&self, cluster: &mut Cluster) -> Result<(), ActionError> {
        match self {
            Self::Power { on: true, nodes } => each(nodes, |node| cluster.power_on(node)),
            Self::Power { on: false, nodes } => each(nodes, |node| cluster.power_off(node)),
            Self::Reset(nodes) => each(nodes, |node| cluster.reset(node)),
            Self::Network { on, nodes } => each(nodes, |node| cluster.set_network(node, *on)),
            Self::Partition(groups) => {
                cluster.partition(groups.clone());
                Ok(())
            }
            Self::Heal => {
                cluster.heal();
                Ok(())
            }
            Self::Part { part, works, nodes } => each(nodes, |node| match part {
                Part::Store => cluster.set_store_works(node, *works),
                Part::View => cluster.set_view_works(node, *works),
                Part::Locks => cluster.set_locks_work(node, *works),
            }),
            Self::Reboot(node) => cluster.reboot(node),
            Self::Member { joins: true, node } => cluster.set_member(node, true),
            Self::Member { joins: false, node } => cluster.expel(node),
            Self::Suspended { suspended: true, nodes } => each(nodes, |node| cluster.suspend(node)),
            Self::Suspended { suspended: false, nodes } => each(nodes, |node| cluster.wake(node)),
            Self::StaleReads { stale, nodes } => each(nodes, |node| cluster.set_reads_stale(node, *stale)),
            Self::Clock { seconds, nodes } => {
                nodes.iter().for_each(|node| cluster.jump_wall_clock(node, *seconds));
                Ok(())
            }
            Self::Write { place, text } => cluster.write_raw(place, text),
            Self::Takes { sid, times } => cluster.set_guest_times(sid, *times),
            Self::Twin { appears: true, node } => cluster.twin_appears(node),
            Self::Twin { appears: false, node } => cluster.twin_goes(node),
            Self::Shutdown(node) => cluster.shutdown(node),
            Self::Daemons { what, daemons, nodes } => {
                each(nodes, |node| each(daemons, |daemon| act_on_daemon(cluster, *what, node, *daemon)))
            }
            Self::Create { sid, node } => cluster.create_guest(sid, node),
            Self::Destroy(sid) => cluster.destroy_guest(sid),
            Self::Crash(sid) => cluster.crash_guest(sid),
            Self::Carry { sid, node } => cluster.move_guest(sid, node),
            Self::Lock { sid, lock: Some(lock), time: Some(time) } => cluster.lock_guest_for(sid, lock, *time),
            Self::Lock { sid, lock, time: _ } => cluster.lock_guest(sid, lock.as_deref()),
            Self::Fail { sid, failure } => cluster.fail(sid, failure.clone()),
            Self::Mend { sid, operation } => cluster.mend(sid, *operation),
            Self::Device { name, behaviour } => {
                cluster.set_device(name.clone(), *behaviour);
                Ok(())
            }
            Self::Load { sid, cores, memory } => cluster.set_guest_load(sid, *cores, *memory),
            Self::GuestSize { sid, cores, memory } => cluster.set_guest_size(sid, *cores, *memory),
            Self::NodeSize { node, cores, memory } => cluster.set_node_size(node, *cores, *memory),
            Self::Version { node, version } => cluster.set_version(node, version.clone()),
            Self::Command(line) => cluster.queue_command(line.clone()),
            Self::Edit(edit) => edit.act(cluster),
            Self::StartGuest { sid, node } => cluster.start_guest(sid, node),
            Self::Say(_) => Ok(()),
        }
    }
}

fn each<T>(items: &[T], mut act: impl FnMut(&T) -> Result<(), ActionError>) -> Result<(), ActionError> {
    items.iter().try_for_each(&mut act)
}

fn act_on_daemon(
    cluster: &mut Cluster,
    what: DaemonAction,
    node: &NodeName,
    daemon: DaemonKind,
) -> Result<(), ActionError> {
    match what {
        DaemonAction::Start => cluster.start_daemon(node, daemon),
        DaemonAction::Stop => cluster.stop_crm(node),
        DaemonAction::Restart => cluster.restart_lrm(node),
        DaemonAction::Kill => cluster.kill_daemon(node, daemon),
        DaemonAction::Pause => cluster.pause_daemon(node, daemon),
        DaemonAction::Resume => cluster.resume_daemon(node, daemon),
    }
}

fn on_off(words: &mut Words<'_>) -> Result<bool, Problem> {
    Ok(words.choice(&["on", "off"])? == 0)
}

/// `of NODE appears`, `of NODE goes`
fn twin(words: &mut Words<'_>) -> Result<Action, Problem> {
    words.keyword("of")?;
    let node = words.node()?;
    Ok(Action::Twin { appears: words.choice(&["appears", "goes"])? == 0, node })
}

/// `of NODE … jumps forward T`, `of NODE … jumps back T`: the wall clock.
fn clock(words: &mut Words<'_>) -> Result<Action, Problem> {
    words.keyword("of")?;
    let nodes = words.nodes_before("jumps")?;
    let forward = words.choice(&["forward", "back"])? == 0;
    let time = i64::try_from(words.duration()?.as_secs()).unwrap_or(i64::MAX);
    Ok(Action::Clock { seconds: if forward { time } else { time.saturating_neg() }, nodes })
}

/// `FILE TEXT`, `manager-status TEXT`, `lrm-status of NODE TEXT`: no word of the text is checked.
fn raw_text(words: &mut Words<'_>) -> Result<Action, Problem> {
    const PLACES: [&str; 7] =
        ["resources.cfg", "groups.cfg", "rules.cfg", "datacenter.cfg", "fence.cfg", "manager-status", "lrm-status"];
    let place = match words.choice(&PLACES)? {
        0 => RawPlace::Resources,
        1 => RawPlace::Groups,
        2 => RawPlace::Rules,
        3 => RawPlace::Datacenter,
        4 => RawPlace::Fence,
        5 => RawPlace::ManagerStatus,
        _ => {
            words.keyword("of")?;
            RawPlace::LrmStatus(words.node()?)
        }
    };
    let (column, word) = (words.column(), words.word("a text in double quotes")?);
    let text = unescaped(&word.text).filter(|_| word.quoted);
    let text = text.ok_or_else(|| {
        let known = r#"\n, \t, \\, \' for a double quote, and \u{…} for any character by its hexadecimal number"#;
        words.at(column, format!("expected a text in double quotes, in which a '\\' stands only in {known}"))
    })?;
    Ok(Action::Write { place, text })
}

/// The text with what stands for other characters replaced.
fn unescaped(text: &str) -> Option<String> {
    let mut plain = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            plain.push(character);
            continue;
        }
        match characters.next()? {
            'n' => plain.push('\n'),
            't' => plain.push('\t'),
            '\\' => plain.push('\\'),
            '\'' => plain.push('"'),
            'u' => {
                let (number, rest) = characters.as_str().strip_prefix('{')?.split_once('}')?;
                plain.push(char::from_u32(u32::from_str_radix(number, 16).ok()?)?);
                characters = rest.chars();
            }
            _ => return None,
        }
    }
    Some(plain)
}

/// `start T stop T migrate T relocate T`, at least one of them
fn guest_times(words: &mut Words<'_>) -> Result<GuestTimes, Problem> {
    let mut times = GuestTimes::default();
    loop {
        let what = words.choice(&["start", "stop", "migrate", "relocate"])?;
        let time = Some(words.duration()?);
        *match what {
            0 => &mut times.start,
            1 => &mut times.stop,
            2 => &mut times.migrate,
            _ => &mut times.relocate,
        } = time;
        if words.peek().is_none() {
            return Ok(times);
        }
    }
}

/// `a b | c d | e`
fn groups(words: &mut Words<'_>) -> Result<Vec<BTreeSet<NodeName>>, Problem> {
    let mut groups = vec![words.nodes()?.into_iter().collect()];
    while words.accept("|") {
        groups.push(words.nodes()?.into_iter().collect());
    }
    Ok(groups)
}

/// `works on …`, `fails on …`
fn part(words: &mut Words<'_>, part: Part) -> Result<Action, Problem> {
    let works = words.choice(&["works", "fails", "work", "fail"])? % 2 == 0;
    words.keyword("on")?;
    Ok(Action::Part { part, works, nodes: words.nodes()? })
}

/// `crm on …`, `lrm on …`, `daemons on …`
fn daemons(words: &mut Words<'_>, what: DaemonAction, allowed: &[DaemonKind]) -> Result<Action, Problem> {
    let mut choices: Vec<&str> = allowed.iter().map(|daemon| daemon.as_str()).collect();
    if allowed.len() > 1 {
        choices.push("daemons");
    }
    let choice = words.choice(&choices)?;
    let daemons = allowed.get(choice).map_or_else(|| allowed.to_vec(), |daemon| vec![*daemon]);
    words.keyword("on")?;
    Ok(Action::Daemons { what, daemons, nodes: words.nodes()? })
}

fn operation(words: &mut Words<'_>) -> Result<Operation, Problem> {
    let names = OPERATIONS.map(|(name, _)| name);
    let choice = words.choice(&names)?;
    Ok(OPERATIONS.get(choice).map_or(Operation::Start, |(_, operation)| *operation))
}

/// `start of SID [N times] [on NODE]`
fn failure(words: &mut Words<'_>, outcome: Outcome) -> Result<Action, Problem> {
    let operation = operation(words)?;
    words.keyword("of")?;
    let sid = words.service()?;
    let mut failure = Failure { operation, outcome, node: None, times: None };
    while words.peek().is_some() {
        if words.accept("on") {
            failure.node = Some(words.node()?);
        } else {
            failure.times = Some(words.value("a number of times, or 'on'")?);
            if !words.accept("time") {
                words.keyword("times")?;
            }
        }
    }
    Ok(Action::Fail { sid, failure })
}

fn device(words: &mut Words<'_>) -> Result<Action, Problem> {
    let name = words.word("the name of a fence device")?.text;
    let behaviour = match words.choice(&["works", "fails", "hangs", "late"])? {
        0 => DeviceBehaviour::Works,
        1 => DeviceBehaviour::Fails,
        2 => DeviceBehaviour::Hangs,
        _ => DeviceBehaviour::Late,
    };
    Ok(Action::Device { name, behaviour })
}

/// `cores 4 memory 2G`
pub(super) fn size(words: &mut Words<'_>) -> Result<(f64, u64), Problem> {
    words.keyword("cores")?;
    let cores = words.value("a number of cores")?;
    words.keyword("memory")?;
    Ok((cores, words.bytes()?))
}

/// A line of the command queue. In quotes it is taken as it is, else its names are checked.
fn command(words: &mut Words<'_>) -> Result<Action, Problem> {
    if words.peek().is_some_and(|word| word.quoted) {
        return Ok(Action::Command(words.word("a command")?.text));
    }
    let (column, line) = (words.column(), words.rest());
    line.parse::<CommandLine>().map_err(|error| words.at(column, error.to_string()))?;
    words.word("a command")?;
    if words.is_service() {
        words.service()?;
    }
    while let Some(word) = words.peek() {
        // Numbers, and the modes of disarming and who gave it, are no names; the parser of commands has seen to them.
        let is_who = word.text.starts_with("by=");
        let is_name =
            !is_who && !matches!(word.text.as_str(), "freeze" | "ignore") && word.text.parse::<u32>().is_err();
        if is_name {
            words.node()?;
        } else {
            words.take();
        }
    }
    Ok(Action::Command(line))
}

impl Edit {
    fn read(verb: &str, words: &mut Words<'_>) -> Result<Self, Problem> {
        let adds = verb == "add";
        let mut rule_type = None;
        let what = if words.accept("rule") {
            if adds {
                rule_type = Some(words.word("'node-affinity' or 'resource-affinity'")?.text);
            }
            Edited::Rule(words.word("the name of a rule")?.text)
        } else if words.accept("group") {
            Edited::Group(words.word("the name of a group")?.text)
        } else if !adds && verb != "remove" && words.accept("datacenter") {
            Edited::Datacenter
        } else if adds {
            Edited::Resource(words.new_service()?.to_string())
        } else {
            Edited::Resource(words.service()?.to_string())
        };
        let mut edit = Self { what, how: EditKind::Change, set: Vec::new(), unset: Vec::new() };
        match verb {
            "add" => {
                edit.how = EditKind::Add { rule_type };
                edit.set = pairs(words)?;
            }
            "set" => {
                edit.set = pairs(words)?;
                if edit.set.is_empty() {
                    return Err(words.unexpected("a property and its value"));
                }
            }
            "unset" => {
                edit.unset.push(words.word("a property")?.text);
                while let Some(word) = words.take() {
                    edit.unset.push(word.text);
                }
            }
            _ => edit.how = EditKind::Remove { purge: !words.accept("keep-rules") },
        }
        Ok(edit)
    }

    fn act(&self, cluster: &mut Cluster) -> Result<(), ActionError> {
        let set: Vec<(&str, &str)> = self.set.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let unset: Vec<&str> = self.unset.iter().map(String::as_str).collect();
        let changes = Changes { set: &set, unset: &unset };
        if let Edited::Datacenter = self.what {
            return cluster.edit_datacenter(changes);
        }
        cluster.edit(|editor, config| match (&self.what, &self.how) {
            (Edited::Resource(sid), EditKind::Add { .. }) => editor.add_resource(config, sid, &set).map(drop),
            (Edited::Resource(sid), EditKind::Change) => editor.set_resource(config, sid, changes),
            (Edited::Resource(sid), EditKind::Remove { purge }) => editor.remove_resource(config, sid, *purge),
            (Edited::Group(id), EditKind::Add { .. }) => editor.add_group(config, id, &set),
            (Edited::Group(id), EditKind::Change) => editor.set_group(config, id, changes),
            (Edited::Group(id), EditKind::Remove { .. }) => editor.remove_group(config, id),
            (Edited::Rule(id), EditKind::Add { rule_type }) => {
                editor.add_rule(config, rule_type.as_deref().unwrap_or_default(), id, &set)
            }
            (Edited::Rule(id), EditKind::Change) => editor.set_rule(config, id, changes),
            (Edited::Rule(id), EditKind::Remove { .. }) => editor.remove_rule(config, id),
            (Edited::Datacenter, EditKind::Add { .. } | EditKind::Change | EditKind::Remove { .. }) => Ok(()),
        })
    }
}

/// `key value key value …`
fn pairs(words: &mut Words<'_>) -> Result<Vec<(String, String)>, Problem> {
    let mut pairs = Vec::new();
    while let Some(key) = words.take() {
        let value = words.word(&format!("a value for '{}'", key.text))?;
        pairs.push((key.text, value.text));
    }
    Ok(pairs)
}
