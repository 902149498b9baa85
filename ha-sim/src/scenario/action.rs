//! Reading what people and mishaps do in a scenario.

use std::{collections::BTreeSet, time::Duration};

use ha_core::{
    host::HostOperation,
    id::{NodeName, ServiceId},
    status::CommandLine,
};

use super::{problem::Problem, words::Words};
use crate::{
    cluster::{Action, Disturbance, Edit, EditKind, Edited, Fault, RawPlace},
    world::{AgentDisturbance, AgentFault, DaemonKind, DeviceBehaviour, GuestTimes, Operation},
};

/// The verbs, for messages.
const VERBS: [&str; 52] = [
    "add",
    "agent",
    "carry",
    "clock",
    "command",
    "confirm",
    "crash",
    "create",
    "damage",
    "destroy",
    "device",
    "disturb",
    "expect",
    "fail",
    "hang",
    "heal",
    "kill",
    "leave-behind",
    "load",
    "lock",
    "locks",
    "mend",
    "multiplexer",
    "network",
    "partition",
    "pause",
    "power",
    "reads",
    "reboot",
    "remove",
    "repair",
    "reset",
    "restart",
    "resume",
    "retire",
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
    "unendable",
    "unheard",
    "unlock",
    "unset",
    "version",
    "view",
    "write",
];

/// Reads what is done, up to the end of its line: one action for each node, if the line names several.
pub(super) fn read(words: &mut Words<'_>) -> Result<Vec<Action>, Problem> {
    let verb = words.word("what happens")?;
    let of_guest = of_guest(&verb.text, words)?.map(|action| vec![action]);
    let of_node = |words: &mut Words<'_>| Ok(one(&verb.text, words)?.map(|action| vec![action]));
    let actions = match of_guest {
        Some(actions) => Some(actions),
        None => match of_node(words)? {
            Some(actions) => Some(actions),
            None => of_nodes(&verb.text, words)?,
        },
    };
    let actions = actions.ok_or_else(|| words.unknown(&verb, "action", VERBS))?;
    words.end()?;
    Ok(actions)
}

/// What happens to a guest or its service.
fn of_guest(verb: &str, words: &mut Words<'_>) -> Result<Option<Action>, Problem> {
    Ok(Some(match verb {
        "takes" => {
            let sid = words.service()?;
            Action::GuestTimes { sid, times: guest_times(words)? }
        }
        "start" if words.is_service() => {
            let sid = words.service()?;
            words.keyword("on")?;
            Action::StartGuest { sid, node: words.node()? }
        }
        "create" => {
            let sid = words.new_service()?;
            words.keyword("on")?;
            Action::CreateGuest { sid, node: words.node()? }
        }
        "destroy" => Action::DestroyGuest { sid: words.service()? },
        "crash" => Action::Crash { sid: words.service()? },
        "carry" => {
            let sid = words.service()?;
            words.keyword("to")?;
            Action::CarryGuest { sid, node: words.node()? }
        }
        "lock" => lock(words)?,
        "unlock" => Action::UnlockGuest { sid: words.service()? },
        "fail" => agent(words, AgentFault::Fails)?,
        "hang" => agent(words, AgentFault::Hangs)?,
        "agent" => {
            let fault = chosen(words, AgentFault::ALL, AgentFault::as_str)?;
            agent(words, fault)?
        }
        "mend" if words.accept("all") => Action::MendAll,
        "mend" => {
            let operation = chosen(words, Operation::ALL, Operation::as_str)?;
            words.keyword("of")?;
            Action::AgentWorks { sid: words.service()?, operation }
        }
        "load" => {
            let sid = words.service()?;
            let (cores, memory) = size(words)?;
            Action::GuestLoad { sid, cores, memory }
        }
        "size" if words.is_service() => {
            let sid = words.service()?;
            let (cores, memory) = size(words)?;
            Action::GuestSize { sid, cores, memory }
        }
        "leave-behind" => {
            let (sid, times) = so_often(words)?;
            Action::LeaveBehind { sid, times }
        }
        "unendable" => {
            let (sid, times) = so_often(words)?;
            Action::Unendable { sid, times }
        }
        "damage" => {
            let sid = words.service()?;
            words.keyword("for")?;
            Action::DamageEntry { sid, restart_ms: milliseconds(words)? }
        }
        _ => return Ok(None),
    }))
}

/// `SID [NAME] [for T]`
fn lock(words: &mut Words<'_>) -> Result<Action, Problem> {
    let sid = words.service()?;
    let mut lock = "backup".to_owned();
    if words.peek().is_some_and(|word| word.quoted || word.text != "for") {
        lock = words.word("the name of a lock")?.text;
    }
    let time = if words.accept("for") { Some(words.duration()?) } else { None };
    Ok(Action::LockGuest { sid, lock, time })
}

/// What happens to one node, or to what all share.
fn one(verb: &str, words: &mut Words<'_>) -> Result<Option<Action>, Problem> {
    Ok(Some(match verb {
        "partition" => Action::Partition { groups: groups(words)? },
        "heal" => Action::Heal,
        "unheard" => unheard(words)?,
        "store" if words.accept("full") => Action::StoreFull { full: true },
        "store" if words.accept("has-room") => Action::StoreFull { full: false },
        "reboot" => Action::Reboot { node: words.node()? },
        "twin" => twin(words)?,
        "write" => raw_text(words)?,
        "add" if words.accept("node") => Action::Admit { node: words.node()? },
        "remove" if words.accept("node") => Action::Expel { node: words.node()? },
        "retire" => {
            words.keyword("node")?;
            Action::Retire { node: words.node()? }
        }
        "confirm" => Action::ConfirmFenced { node: words.node()? },
        "repair" => {
            words.keyword("status")?;
            Action::RepairStatus
        }
        "shutdown" => Action::Shutdown { node: words.node()? },
        "disturb" => Action::Disturb(disturbance(words)?),
        "device" => device(words)?,
        "size" => {
            let node = words.node()?;
            let (cores, memory) = size(words)?;
            Action::NodeSize { node, cores, memory }
        }
        "version" => Action::Version { node: words.node()?, version: words.word("a version")?.text },
        "command" => command(words)?,
        "add" | "set" | "unset" | "remove" => Action::Edit(edit(verb, words)?),
        "say" => {
            let text = words.rest();
            while words.take().is_some() {}
            Action::Say(text)
        }
        _ => return Ok(None),
    }))
}

/// What happens to nodes or their daemons, to each on its own.
fn of_nodes(verb: &str, words: &mut Words<'_>) -> Result<Option<Vec<Action>>, Problem> {
    Ok(Some(match verb {
        "power" => {
            let on = on_off(words)?;
            let power = |node| if on { Action::PowerOn { node } } else { Action::PowerOff { node } };
            each(words.nodes()?, power)
        }
        "reset" => each(words.nodes()?, |node| Action::Reset { node }),
        "network" => {
            let connected = on_off(words)?;
            each(words.nodes()?, |node| Action::Network { node, connected })
        }
        "store" => store(words)?,
        "view" => {
            let works = works(words)?;
            each(words.nodes()?, |node| Action::ViewWorks { node, works })
        }
        "locks" => {
            let works = works(words)?;
            each(words.nodes()?, |node| Action::LocksWork { node, works })
        }
        "clock" => clock(words)?,
        "reads" => {
            let stale = words.choice(&["stale", "fresh"])? == 0;
            words.keyword("on")?;
            each(words.nodes()?, |node| Action::StaleReads { node, stale })
        }
        "suspend" => each(words.nodes()?, |node| Action::Suspended { node, suspended: true }),
        "resume" if words.is_node() => each(words.nodes()?, |node| Action::Suspended { node, suspended: false }),
        "multiplexer" => multiplexer(words)?,
        "start" => daemons(words, &DaemonKind::ALL)?.map_each(|node, daemon| Action::StartDaemon { node, daemon }),
        "stop" => daemons(words, &[DaemonKind::Crm])?.map_each(|node, _| Action::StopCrm { node }),
        "restart" => daemons(words, &[DaemonKind::Lrm])?.map_each(|node, _| Action::RestartLrm { node }),
        "kill" => {
            let daemons = daemons_for(words)?;
            let restart_ms = daemons.time.map(in_milliseconds);
            daemons.map_each(|node, daemon| Action::Kill { node, daemon, restart_ms })
        }
        "pause" => daemons(words, &DaemonKind::ALL)?.map_each(|node, daemon| Action::Pause { node, daemon }),
        "resume" => daemons(words, &DaemonKind::ALL)?.map_each(|node, daemon| Action::Resume { node, daemon }),
        _ => return Ok(None),
    }))
}

fn each(nodes: Vec<NodeName>, action: impl Fn(NodeName) -> Action) -> Vec<Action> {
    nodes.into_iter().map(action).collect()
}

/// One of the words of an enum, with hyphens.
fn chosen<T: Copy>(words: &mut Words<'_>, all: &[T], word: impl Fn(T) -> &'static str) -> Result<T, Problem> {
    let names: Vec<String> = all.iter().map(|value| word(*value).replace('_', "-")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let choice = words.choice(&names)?;
    all.get(choice).copied().ok_or_else(|| words.unexpected("another word"))
}

fn milliseconds(words: &mut Words<'_>) -> Result<u64, Problem> {
    words.duration().map(in_milliseconds)
}

fn in_milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// `SID N times`
fn so_often(words: &mut Words<'_>) -> Result<(ServiceId, u32), Problem> {
    let sid = words.service()?;
    let times = words.value("a number of times")?;
    if !words.accept("time") {
        words.keyword("times")?;
    }
    Ok((sid, times))
}

fn on_off(words: &mut Words<'_>) -> Result<bool, Problem> {
    Ok(words.choice(&["on", "off"])? == 0)
}

/// `of NODE appears`, `of NODE goes`
fn twin(words: &mut Words<'_>) -> Result<Action, Problem> {
    words.keyword("of")?;
    let node = words.node()?;
    let appears = words.choice(&["appears", "goes"])? == 0;
    Ok(if appears { Action::TwinAppears { node } } else { Action::TwinGoes { node } })
}

/// `of NODE … jumps forward T`, `of NODE … jumps back T`: the wall clock.
fn clock(words: &mut Words<'_>) -> Result<Vec<Action>, Problem> {
    words.keyword("of")?;
    let nodes = words.nodes_before("jumps")?;
    let forward = words.choice(&["forward", "back"])? == 0;
    let time = i64::try_from(words.duration()?.as_secs()).unwrap_or(i64::MAX);
    let seconds = if forward { time } else { time.saturating_neg() };
    Ok(each(nodes, |node| Action::WallClock { node, seconds }))
}

/// `FILE TEXT`, `manager-status TEXT`, `lrm-status of NODE TEXT`: no word of the text is checked.
fn raw_text(words: &mut Words<'_>) -> Result<Action, Problem> {
    const PLACES: [&str; 8] = [
        "resources.cfg",
        "groups.cfg",
        "rules.cfg",
        "nodes.cfg",
        "datacenter.cfg",
        "fence.cfg",
        "manager-status",
        "lrm-status",
    ];
    let place = match words.choice(&PLACES)? {
        0 => RawPlace::Resources,
        1 => RawPlace::Groups,
        2 => RawPlace::Rules,
        3 => RawPlace::Nodes,
        4 => RawPlace::Datacenter,
        5 => RawPlace::Fence,
        6 => RawPlace::ManagerStatus,
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

/// The text with its escapes replaced by the characters that they stand for.
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

/// `a b | c d | e`, or `nobody` where nobody sees anybody.
fn groups(words: &mut Words<'_>) -> Result<Vec<BTreeSet<NodeName>>, Problem> {
    if words.accept("nobody") {
        return Ok(vec![BTreeSet::new()]);
    }
    let mut groups = vec![words.nodes()?.into_iter().collect()];
    while words.accept("|") {
        groups.push(words.nodes()?.into_iter().collect());
    }
    Ok(groups)
}

/// `by NODE NODE …`, `by NODE nobody`
fn unheard(words: &mut Words<'_>) -> Result<Action, Problem> {
    words.keyword("by")?;
    let node = words.node()?;
    let others = if words.accept("nobody") { BTreeSet::new() } else { words.nodes()?.into_iter().collect() };
    Ok(Action::Unheard { node, others })
}

/// `works on`, `fails on`
fn works(words: &mut Words<'_>) -> Result<bool, Problem> {
    let works = words.choice(&["works", "fails", "work", "fail"])? % 2 == 0;
    words.keyword("on")?;
    Ok(works)
}

/// `works on …`, `fails on …`, `mounted on …`, `unmounted on …`
fn store(words: &mut Words<'_>) -> Result<Vec<Action>, Problem> {
    let mounted = if words.accept("mounted") {
        true
    } else if words.accept("unmounted") {
        false
    } else {
        let works = works(words)?;
        return Ok(each(words.nodes()?, |node| Action::StoreWorks { node, works }));
    };
    words.keyword("on")?;
    Ok(each(words.nodes()?, |node| Action::Mounted { node, mounted }))
}

/// `restart T on …`, `restart-unfit T on …`, `pause on …`, `resume on …`, `delay T on …`, `stall T on …`
fn multiplexer(words: &mut Words<'_>) -> Result<Vec<Action>, Problem> {
    let what = words.choice(&["restart", "restart-unfit", "delay", "stall", "pause", "resume"])?;
    let time = if what < 4 { milliseconds(words)? } else { 0 };
    words.keyword("on")?;
    Ok(each(words.nodes()?, |node| match what {
        0 | 1 => Action::RestartMultiplexer { node, after_ms: time, fits: what == 0 },
        2 => Action::DelayFrames { node, milliseconds: time },
        3 => Action::StallDeviceFeed { node, milliseconds: time },
        _ => Action::PauseMultiplexer { node, paused: what == 4 },
    }))
}

/// Daemons of nodes, and for how long something is done to them.
struct Daemons {
    daemons: Vec<DaemonKind>,
    time: Option<Duration>,
    nodes: Vec<NodeName>,
}

impl Daemons {
    fn map_each(self, action: impl Fn(NodeName, DaemonKind) -> Action) -> Vec<Action> {
        let daemons = &self.daemons;
        let all = self.nodes.into_iter().flat_map(|node| daemons.iter().map(move |daemon| (node.clone(), *daemon)));
        all.map(|(node, daemon)| action(node, daemon)).collect()
    }
}

/// `crm on …`, `lrm on …`, `daemons on …`
fn daemons(words: &mut Words<'_>, allowed: &[DaemonKind]) -> Result<Daemons, Problem> {
    daemons_and_time(words, allowed, false)
}

/// The same, with `for T` before `on` if they are started again.
fn daemons_for(words: &mut Words<'_>) -> Result<Daemons, Problem> {
    daemons_and_time(words, &DaemonKind::ALL, true)
}

fn daemons_and_time(words: &mut Words<'_>, allowed: &[DaemonKind], may_last: bool) -> Result<Daemons, Problem> {
    let mut choices: Vec<&str> = allowed.iter().map(|daemon| daemon.as_str()).collect();
    if allowed.len() > 1 {
        choices.push("daemons");
    }
    let choice = words.choice(&choices)?;
    let daemons = allowed.get(choice).map_or_else(|| allowed.to_vec(), |daemon| vec![*daemon]);
    let time = if may_last && words.accept("for") { Some(words.duration()?) } else { None };
    words.keyword("on")?;
    Ok(Daemons { daemons, time, nodes: words.nodes()? })
}

/// `start of SID [N times] [on NODE]`
fn agent(words: &mut Words<'_>, fault: AgentFault) -> Result<Action, Problem> {
    let operation = chosen(words, Operation::ALL, Operation::as_str)?;
    words.keyword("of")?;
    let sid = words.service()?;
    let mut disturbance = AgentDisturbance { operation, fault, node: None, times: None };
    while words.peek().is_some() {
        if words.accept("on") {
            disturbance.node = Some(words.node()?);
        } else {
            disturbance.times = Some(words.value("a number of times, or 'on'")?);
            if !words.accept("time") {
                words.keyword("times")?;
            }
        }
    }
    Ok(Action::AgentFails { sid, disturbance })
}

/// `crm on NODE CALL [skip N] FAULT [T]`
fn disturbance(words: &mut Words<'_>) -> Result<Disturbance, Problem> {
    let daemon = chosen(words, &DaemonKind::ALL, DaemonKind::as_str)?;
    words.keyword("on")?;
    let node = words.node()?;
    let operation = if words.accept("any") {
        None
    } else {
        let column = words.column();
        let word = words.word("a call of the host, or 'any'")?;
        let operation = word.text.parse::<HostOperation>();
        Some(operation.map_err(|error| words.at(column, error.to_string()))?)
    };
    let skip = if words.accept("skip") { words.value("a number of calls")? } else { 0 };
    let faults = ["fails", "unknown", "stalls", "late", "late-unknown", "crashes", "crashes-after"];
    let fault = match words.choice(&faults)? {
        0 => Fault::Fails,
        1 => Fault::Unknown,
        2 => Fault::Stalls(milliseconds(words)?),
        3 => Fault::Late(milliseconds(words)?),
        4 => Fault::LateUnknown(milliseconds(words)?),
        5 => Fault::Crashes(milliseconds(words)?),
        _ => Fault::CrashesAfter(milliseconds(words)?),
    };
    Ok(Disturbance { node, daemon, operation, skip, fault })
}

fn device(words: &mut Words<'_>) -> Result<Action, Problem> {
    let name = words.word("the name of a fence device")?.text;
    let behaviour = chosen(words, DeviceBehaviour::ALL, DeviceBehaviour::as_str)?;
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
        return Ok(Action::Command { line: words.word("a command")?.text });
    }
    let (column, line) = (words.column(), words.rest());
    line.parse::<CommandLine>().map_err(|error| words.at(column, error.to_string()))?;
    words.word("a command")?;
    if words.is_service() {
        words.service()?;
    }
    while let Some(word) = words.peek() {
        // Numbers, the modes of disarming, and who gave the command are not names; the parser of commands has checked them.
        let is_who = word.text.starts_with("by=");
        let is_name =
            !is_who && !matches!(word.text.as_str(), "freeze" | "ignore") && word.text.parse::<u32>().is_err();
        if is_name {
            words.node()?;
        } else {
            words.take();
        }
    }
    Ok(Action::Command { line })
}

/// What follows `add`, `set`, `unset` or `remove`.
fn edit(verb: &str, words: &mut Words<'_>) -> Result<Edit, Problem> {
    let adds = verb == "add";
    let mut rule_type = None;
    let what = if words.accept("rule") {
        if adds {
            rule_type = Some(words.word("'node-affinity', 'resource-affinity' or 'order'")?.text);
        }
        Edited::Rule(words.word("the name of a rule")?.text)
    } else if words.accept("group") {
        Edited::Group(words.word("the name of a group")?.text)
    } else if !adds && verb != "remove" && words.accept("node") {
        Edited::Node(words.node()?)
    } else if !adds && verb != "remove" && words.accept("datacenter") {
        Edited::Datacenter
    } else if adds {
        Edited::Resource(words.new_service()?)
    } else {
        Edited::Resource(words.service()?)
    };
    let how = match verb {
        "add" => EditKind::Add { rule_type, set: pairs(words)? },
        "set" => {
            let set = pairs(words)?;
            if set.is_empty() {
                return Err(words.unexpected("a property and its value"));
            }
            EditKind::Set(set)
        }
        "unset" => {
            let mut unset = vec![words.word("a property")?.text];
            while let Some(word) = words.take() {
                unset.push(word.text);
            }
            EditKind::Unset(unset)
        }
        _ => EditKind::Remove { purge: !words.accept("keep-rules") },
    };
    Ok(Edit { what, how })
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
