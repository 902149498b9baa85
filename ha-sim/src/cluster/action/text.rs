//! Deeds as a scenario says them.

use std::{collections::BTreeSet, fmt, time::Duration};

use ha_core::id::NodeName;

use super::{Action, Edit, EditKind, Edited};
use crate::{
    cluster::{Disturbance, Fault, RawPlace},
    texts::{quoted, size, time},
    world::{AgentDisturbance, AgentFault, GuestTimes, Operation},
};

impl fmt::Display for Action {
    #[allow(clippy::wildcard_enum_match_arm, reason = "the others are about guests, or what runs around the daemons")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PowerOff { node } => write!(f, "power off {node}"),
            Self::PowerOn { node } => write!(f, "power on {node}"),
            Self::Reset { node } => write!(f, "reset {node}"),
            Self::Network { node, connected } => write!(f, "network {} {node}", if *connected { "on" } else { "off" }),
            Self::Partition { groups } => write!(f, "partition {}", parts(groups)),
            Self::Heal => f.write_str("heal"),
            Self::Unheard { node, others } if others.is_empty() => write!(f, "unheard by {node} nobody"),
            Self::Unheard { node, others } => write!(f, "unheard by {node} {}", list(others)),
            Self::Suspended { node, suspended: true } => write!(f, "suspend {node}"),
            Self::Suspended { node, suspended: false } => write!(f, "resume {node}"),
            Self::Kill { node, daemon, restart_ms: None } => write!(f, "kill {daemon} on {node}"),
            Self::Kill { node, daemon, restart_ms: Some(after) } => {
                write!(f, "kill {daemon} for {} on {node}", milliseconds(*after))
            }
            Self::Pause { node, daemon } => write!(f, "pause {daemon} on {node}"),
            Self::Resume { node, daemon } => write!(f, "resume {daemon} on {node}"),
            Self::StartDaemon { node, daemon } => write!(f, "start {daemon} on {node}"),
            Self::RestartLrm { node } => write!(f, "restart lrm on {node}"),
            Self::StopCrm { node } => write!(f, "stop crm on {node}"),
            Self::Disturb(disturbance) => disturbance.fmt(f),
            Self::Shutdown { node } => write!(f, "shutdown {node}"),
            Self::Reboot { node } => write!(f, "reboot {node}"),
            Self::Expel { node } => write!(f, "remove node {node}"),
            Self::Retire { node } => write!(f, "retire node {node}"),
            Self::Admit { node } => write!(f, "add node {node}"),
            Self::Command { line } => write!(f, "command \"{line}\""),
            Self::Edit(edit) => edit.fmt(f),
            Self::MendAll => f.write_str("mend all"),
            Self::Say(text) => write!(f, "say {}", quoted(text)),
            _ => self.fmt_of_guest(f),
        }
    }
}

impl Action {
    #[allow(clippy::wildcard_enum_match_arm, reason = "the others concern no guest")]
    fn fmt_of_guest(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Crash { sid } => write!(f, "crash {sid}"),
            Self::AgentFails { sid, disturbance } => {
                let AgentDisturbance { operation, fault, node, times } = disturbance;
                match fault {
                    AgentFault::Fails => write!(f, "fail {} of {sid}", asked(*operation))?,
                    AgentFault::Hangs => write!(f, "hang {} of {sid}", asked(*operation))?,
                    AgentFault::Slow
                    | AgentFault::Pretends
                    | AgentFault::Denies
                    | AgentFault::Dies
                    | AgentFault::DiesBefore
                    | AgentFault::Unheard => {
                        write!(f, "agent {} {} of {sid}", fault.as_str().replace('_', "-"), asked(*operation))?;
                    }
                }
                if let Some(times) = times {
                    write!(f, " {times} times")?;
                }
                node.as_ref().map_or(Ok(()), |node| write!(f, " on {node}"))
            }
            Self::AgentWorks { sid, operation } => write!(f, "mend {} of {sid}", asked(*operation)),
            Self::CreateGuest { sid, node } => write!(f, "create {sid} on {node}"),
            Self::DestroyGuest { sid } => write!(f, "destroy {sid}"),
            Self::StartGuest { sid, node } => write!(f, "start {sid} on {node}"),
            Self::CarryGuest { sid, node } => write!(f, "carry {sid} to {node}"),
            Self::LockGuest { sid, lock, time: None } => write!(f, "lock {sid} {}", quoted(lock)),
            Self::LockGuest { sid, lock, time: Some(span) } => {
                write!(f, "lock {sid} {} for {}", quoted(lock), time(*span))
            }
            Self::UnlockGuest { sid } => write!(f, "unlock {sid}"),
            Self::LeaveBehind { sid, times } => write!(f, "leave-behind {sid} {times} times"),
            Self::Unendable { sid, times } => write!(f, "unendable {sid} {times} times"),
            Self::GuestTimes { sid, times } => write!(f, "takes {sid}{}", Times(times)),
            Self::GuestLoad { sid, cores, memory } => write!(f, "load {sid} {}", size(*cores, *memory)),
            Self::GuestSize { sid, cores, memory } => write!(f, "size {sid} {}", size(*cores, *memory)),
            _ => self.fmt_of_store(f),
        }
    }

    #[allow(clippy::wildcard_enum_match_arm, reason = "the others concern what runs around the daemons")]
    fn fmt_of_store(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let works = |works: bool| if works { "works" } else { "fails" };
        match self {
            Self::StoreWorks { node, works: well } => write!(f, "store {} on {node}", works(*well)),
            Self::ViewWorks { node, works: well } => write!(f, "view {} on {node}", works(*well)),
            Self::LocksWork { node, works: well } => write!(f, "locks {} on {node}", works(*well)),
            Self::StaleReads { node, stale } => {
                write!(f, "reads {} on {node}", if *stale { "stale" } else { "fresh" })
            }
            Self::Mounted { node, mounted } => {
                write!(f, "store {} on {node}", if *mounted { "mounted" } else { "unmounted" })
            }
            Self::StoreFull { full } => write!(f, "store {}", if *full { "full" } else { "has-room" }),
            Self::Write { place, text } => write!(f, "write {} \"{}\"", named(place), escaped(text)),
            Self::DamageEntry { sid, restart_ms } => write!(f, "damage {sid} for {}", milliseconds(*restart_ms)),
            Self::RepairStatus => f.write_str("repair status"),
            Self::ConfirmFenced { node } => write!(f, "confirm {node}"),
            _ => self.fmt_around(f),
        }
    }

    #[allow(clippy::wildcard_enum_match_arm, reason = "the others were written before")]
    fn fmt_around(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TwinAppears { node } => write!(f, "twin of {node} appears"),
            Self::TwinGoes { node } => write!(f, "twin of {node} goes"),
            Self::NodeSize { node, cores, memory } => write!(f, "size {node} {}", size(*cores, *memory)),
            Self::Version { node, version } => write!(f, "version {node} {}", quoted(version)),
            Self::WallClock { node, seconds } => {
                let way = if *seconds < 0 { "back" } else { "forward" };
                write!(f, "clock of {node} jumps {way} {}", time(Duration::from_secs(seconds.unsigned_abs())))
            }
            Self::Device { name, behaviour } => write!(f, "device {} {behaviour}", quoted(name)),
            Self::RestartMultiplexer { node, after_ms, fits } => {
                let how = if *fits { "restart" } else { "restart-unfit" };
                write!(f, "multiplexer {how} {} on {node}", milliseconds(*after_ms))
            }
            Self::PauseMultiplexer { node, paused } => {
                write!(f, "multiplexer {} on {node}", if *paused { "pause" } else { "resume" })
            }
            Self::DelayFrames { node, milliseconds: delay } => {
                write!(f, "multiplexer delay {} on {node}", milliseconds(*delay))
            }
            Self::StallDeviceFeed { node, milliseconds: stall } => {
                write!(f, "multiplexer stall {} on {node}", milliseconds(*stall))
            }
            _ => Ok(()),
        }
    }
}

/// `disturb crm on node1 feed_watchdog skip 3 late 20s`
impl fmt::Display for Disturbance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { node, daemon, operation, skip, fault } = self;
        let call = operation.map_or("any", |operation| operation.as_str());
        write!(f, "disturb {daemon} on {node} {call}")?;
        if *skip > 0 {
            write!(f, " skip {skip}")?;
        }
        match fault {
            Fault::Fails => f.write_str(" fails"),
            Fault::Unknown => f.write_str(" unknown"),
            Fault::Stalls(time) => write!(f, " stalls {}", milliseconds(*time)),
            Fault::Late(time) => write!(f, " late {}", milliseconds(*time)),
            Fault::LateUnknown(time) => write!(f, " late-unknown {}", milliseconds(*time)),
            Fault::Crashes(time) => write!(f, " crashes {}", milliseconds(*time)),
            Fault::CrashesAfter(time) => write!(f, " crashes-after {}", milliseconds(*time)),
        }
    }
}

impl fmt::Display for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match &self.what {
            Edited::Resource(sid) => sid.to_string(),
            Edited::Group(id) => format!("group {}", quoted(id)),
            Edited::Rule(id) => format!("rule {}", quoted(id)),
            Edited::Node(node) => format!("node {node}"),
            Edited::Datacenter => "datacenter".to_owned(),
        };
        let pairs = |f: &mut fmt::Formatter<'_>, set: &[(String, String)]| {
            set.iter().try_for_each(|(key, value)| write!(f, " {} {}", quoted(key), quoted(value)))
        };
        match (&self.how, &self.what) {
            (EditKind::Add { rule_type, set }, Edited::Rule(id)) => {
                write!(f, "add rule {} {}", rule_type.as_deref().unwrap_or_default(), quoted(id))?;
                pairs(f, set)
            }
            (EditKind::Add { set, .. }, _) => {
                write!(f, "add {what}")?;
                pairs(f, set)
            }
            (EditKind::Set(set), _) => {
                write!(f, "set {what}")?;
                pairs(f, set)
            }
            (EditKind::Unset(unset), _) => {
                write!(f, "unset {what}")?;
                unset.iter().try_for_each(|key| write!(f, " {}", quoted(key)))
            }
            (EditKind::Remove { purge: true }, _) => write!(f, "remove {what}"),
            (EditKind::Remove { purge: false }, _) => write!(f, "remove {what} keep-rules"),
        }
    }
}

/// How long things take with a guest, each after a space.
pub(crate) struct Times<'a>(pub(crate) &'a GuestTimes);

impl fmt::Display for Times<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let GuestTimes { start, stop, migrate, relocate } = self.0;
        for (what, span) in [("start", start), ("stop", stop), ("migrate", migrate), ("relocate", relocate)] {
            if let Some(span) = span {
                write!(f, " {what} {}", time(*span))?;
            }
        }
        Ok(())
    }
}

/// What is asked of an agent, in a scenario.
fn asked(operation: Operation) -> String {
    operation.as_str().replace('_', "-")
}

fn milliseconds(span: u64) -> String {
    time(Duration::from_millis(span))
}

fn list(nodes: &BTreeSet<NodeName>) -> String {
    let names: Vec<&str> = nodes.iter().map(NodeName::as_str).collect();
    names.join(" ")
}

fn parts(groups: &[BTreeSet<NodeName>]) -> String {
    let groups: Vec<String> = groups.iter().filter(|group| !group.is_empty()).map(list).collect();
    if groups.is_empty() { "nobody".to_owned() } else { groups.join(" | ") }
}

fn named(place: &RawPlace) -> String {
    match place {
        RawPlace::Resources => "resources.cfg".to_owned(),
        RawPlace::Groups => "groups.cfg".to_owned(),
        RawPlace::Nodes => "nodes.cfg".to_owned(),
        RawPlace::Rules => "rules.cfg".to_owned(),
        RawPlace::Datacenter => "datacenter.cfg".to_owned(),
        RawPlace::Fence => "fence.cfg".to_owned(),
        RawPlace::ManagerStatus => "manager-status".to_owned(),
        RawPlace::LrmStatus(node) => format!("lrm-status of {node}"),
    }
}

/// A text with what can't be in a line replaced.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '\n' => escaped.push_str("\\n"),
            '\t' => escaped.push_str("\\t"),
            '\\' => escaped.push_str("\\\\"),
            '"' => escaped.push_str("\\'"),
            other if other.is_control() || other == '\u{feff}' => {
                escaped.push_str(&format!("\\u{{{:X}}}", u32::from(other)));
            }
            other => escaped.push(other),
        }
    }
    escaped
}
