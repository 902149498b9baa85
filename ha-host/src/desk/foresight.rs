//! What follows from a change, told before it is made.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use ha_core::{
    event::Event,
    host::Configuration,
    id::{NodeName, ServiceId},
    manager::RoundInput,
    placement::{Preference, SituationFinding},
    plan::{RoundsPlayed, RoundsToCome, Situation},
    status::{Command, ManagerStatus, NodeState, ServiceEntry, ServiceState, StateName},
};
use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::Present;

/// A change whose consequences are asked for.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// Commands to the master.
    pub commands: Vec<Command>,
    /// What is configured then, if that changes. The guests in it are not looked at.
    pub configuration: Option<Configuration>,
    /// The members of the cluster then, if they change.
    pub members: Option<Vec<NodeName>>,
}

/// What follows from a change.
#[derive(Debug, Clone)]
pub struct Foresight {
    /// What happens to services because of it, by SID. Empty: nothing.
    pub consequences: Vec<Consequence>,
    /// The events of the round that takes the commands.
    pub answers: Vec<Event>,
    /// What the decisions leave out of account then: rules that are dropped, names that nothing has.
    pub findings: Vec<SituationFinding>,
    /// Those of the findings that there were not before.
    pub new_findings: Vec<SituationFinding>,
    /// The cluster as it is then, to ask what would follow next.
    pub afterwards: Present,
}

/// What happens to a service because of a change. Displays as a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consequence {
    /// The service.
    pub sid: ServiceId,
    /// What happens to it, in order; nothing if it only [stays](Self::stays).
    pub steps: Vec<Step>,
    /// Where it is then; nothing if it is not looked after.
    pub node: Option<NodeName>,
    /// Its recorded state then.
    pub state: Option<StateName>,
    /// Why it stays where it should not be, if it does.
    pub stays: Option<String>,
}

/// One thing that happens to a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// It moves without a stop.
    Migrate {
        /// From where.
        from: NodeName,
        /// Where to.
        to: NodeName,
    },
    /// It is stopped, moved, and started again.
    Relocate {
        /// From where.
        from: NodeName,
        /// Where to.
        to: NodeName,
    },
    /// It is moved before its start.
    MoveStopped {
        /// From where.
        from: NodeName,
        /// Where to.
        to: NodeName,
    },
    /// It is started, or taken for started if it runs.
    Start {
        /// Where.
        on: NodeName,
    },
    /// It is stopped.
    Stop {
        /// Where.
        on: NodeName,
    },
    /// It is recovered from a node that is down.
    Recover {
        /// Where to.
        on: NodeName,
    },
    /// It is left as it is until HA works on.
    Freeze,
    /// It waits for its node to be fenced.
    Fence,
    /// Its error is forgotten.
    Clear,
    /// It ends in 'error'.
    Fail,
    /// It is not looked after any more.
    LetGo,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Migrate { from, to } => write!(f, "moves from {from} to {to}"),
            Self::Relocate { from, to } => {
                write!(f, "is stopped on {from} and started on {to}")
            }
            Self::MoveStopped { from, to } => write!(f, "goes from {from} to {to} before its start"),
            Self::Start { on } => write!(f, "is to run on {on}"),
            Self::Stop { on } => write!(f, "is stopped on {on}"),
            Self::Recover { on } => write!(f, "is recovered on {on}"),
            Self::Freeze => f.write_str("is left as it is"),
            Self::Fence => f.write_str("waits for its node to be fenced"),
            Self::Clear => f.write_str("has its error forgotten"),
            Self::Fail => f.write_str("ends in 'error'"),
            Self::LetGo => f.write_str("is not looked after any more; what runs of it goes on"),
        }
    }
}

impl fmt::Display for Consequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.sid)?;
        for (index, step) in self.steps.iter().enumerate() {
            write!(f, "{}{step}", if index == 0 { " " } else { ", then " })?;
        }
        match (&self.stays, &self.node) {
            (Some(why), Some(node)) => {
                write!(f, "{} stays on {node}: {why}", if self.steps.is_empty() { "" } else { ", then" })
            }
            (Some(why), None) => write!(f, " stays: {why}"),
            (None, _) => Ok(()),
        }
    }
}

impl Serialize for Consequence {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Consequence", 6)?;
        object.serialize_field("sid", &self.sid)?;
        object.serialize_field("steps", &self.steps)?;
        object.serialize_field("node", &self.node)?;
        object.serialize_field("state", &self.state.map(StateName::as_str))?;
        object.serialize_field("stays", &self.stays)?;
        object.serialize_field("text", &self.to_string())?;
        object.end()
    }
}

/// What follows from a change beside what happens anyway, by playing the rounds to come with it and without it. Nodes that do not
/// answer now are taken to stay so.
///
/// `None` if no node could be the master: then nothing follows until there is one.
#[must_use]
pub fn foresee(present: &Present, change: &Change) -> Option<Foresight> {
    let members = change.members.as_deref().unwrap_or(&present.settings.nodes);
    let guests = present.configuration().guests.clone();
    let configuration = change.configuration.as_ref().unwrap_or(present.configuration());
    let configuration = Configuration { guests, ..configuration.clone() };
    let anyway = play(present, present.configuration(), &present.settings.nodes, &[])?;
    let played = play(present, &configuration, members, &change.commands)?;
    let afterwards = afterwards(present, &played, members);
    let before = present.findings();
    let findings = afterwards.findings();
    let new_findings = findings.iter().filter(|finding| !before.contains(finding)).cloned().collect();
    let consequences = consequences(present, &anyway, &played, &afterwards);
    Some(Foresight { consequences, answers: played.first, findings, new_findings, afterwards })
}

fn play(
    present: &Present,
    configuration: &Configuration,
    members: &[NodeName],
    commands: &[Command],
) -> Option<RoundsPlayed> {
    Some(rounds_to_come(present, configuration, members)?.play(commands))
}

/// The rounds to come, with this configuration and these members; nothing if no node could be the master.
pub(super) fn rounds_to_come(
    present: &Present,
    configuration: &Configuration,
    members: &[NodeName],
) -> Option<RoundsToCome> {
    let input = RoundInput {
        now: present.now,
        members: members.iter().map(|node| (node.clone(), present.is_there(node))).collect(),
        lrms: present.lrms.clone(),
        configuration: configuration.clone(),
        unmanaged: configuration.all_that_may_run(),
        usage: present.usage.clone(),
    };
    let (timings, status) = (present.settings.timings, present.status.clone());
    Some(RoundsToCome { master: master_of(present)?, timings, status, input })
}

/// Who decides: the recorded master, or else any node that is there.
fn master_of(present: &Present) -> Option<NodeName> {
    let recorded = present.status.master_node.iter();
    recorded
        .chain(present.status.nodes.keys())
        .chain(&present.settings.nodes)
        .find(|node| present.is_there(node))
        .cloned()
}

fn afterwards(present: &Present, played: &RoundsPlayed, members: &[NodeName]) -> Present {
    let mut afterwards = present.clone();
    afterwards.status = played.status.clone();
    afterwards.lrms = played.lrms.clone();
    afterwards.stored.configuration = played.configuration.clone();
    afterwards.usage = played.usage.clone();
    afterwards.settings.nodes = members.to_vec();
    afterwards
}

fn consequences(
    present: &Present,
    anyway: &RoundsPlayed,
    played: &RoundsPlayed,
    afterwards: &Present,
) -> Vec<Consequence> {
    let mut steps_anyway = Journeys::of(&present.status, &anyway.events).steps;
    let mut steps = Journeys::of(&present.status, &played.events).steps;
    let services = |status: &ManagerStatus| -> BTreeSet<ServiceId> {
        status.services.iter().map(|(sid, _)| sid.clone()).collect()
    };
    let (known, kept) = (services(&anyway.status), services(&played.status));
    let stays_anyway = staying(&self::afterwards(present, anyway, &present.settings.nodes), &known);
    let mut stays = staying(afterwards, &kept);
    let mut consequences = Vec::new();
    for sid in known.union(&kept) {
        let mut steps = steps.remove(sid).unwrap_or_default();
        if steps_anyway.remove(sid).unwrap_or_default() == steps {
            steps.clear();
        }
        if !kept.contains(sid) {
            steps.push(Step::LetGo);
        }
        let stays_anyway = stays_anyway.contains_key(sid);
        let stays = stays.remove(sid).filter(|_| !steps.is_empty() || !stays_anyway);
        if steps.is_empty() && stays.is_none() {
            continue;
        }
        let entry = played.status.services.get(sid);
        consequences.push(Consequence {
            sid: sid.clone(),
            steps,
            node: entry.map(|entry| entry.node.clone()),
            state: entry.map(|entry| entry.state.name()),
            stays,
        });
    }
    consequences
}

/// What happened to each service, by the events.
struct Journeys {
    steps: BTreeMap<ServiceId, Vec<Step>>,
    nodes: BTreeMap<ServiceId, NodeName>,
}

impl Journeys {
    fn of(before: &ManagerStatus, events: &[Event]) -> Self {
        let nodes = before.services.iter().map(|(sid, entry)| (sid.clone(), entry.node.clone()));
        let mut journeys = Self { steps: BTreeMap::new(), nodes: nodes.collect() };
        events.iter().for_each(|event| journeys.note(event));
        journeys
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "two of the events change where a service is or what it does")]
    fn note(&mut self, event: &Event) {
        match event {
            Event::ServiceAdded { sid, node, .. } => drop(self.nodes.insert(sid.clone(), node.clone())),
            Event::ServiceState { sid, from, to, node, target, .. } => {
                if let Some(node) = node {
                    self.nodes.insert(sid.clone(), node.clone());
                }
                let Some(place) = self.nodes.get(sid).cloned() else { return };
                if let Some(step) = step(*from, *to, place, target.clone()) {
                    self.steps.entry(sid.clone()).or_default().push(step);
                }
            }
            _ => {}
        }
    }
}

/// What a change of state means, if it is more than the end of what was told before.
fn step(from: StateName, to: StateName, place: NodeName, target: Option<NodeName>) -> Option<Step> {
    Some(match (to, target) {
        (StateName::Migrate, Some(to)) => Step::Migrate { from: place, to },
        (StateName::Relocate, Some(to)) => Step::Relocate { from: place, to },
        (StateName::RequestStartBalance, Some(to)) => Step::MoveStopped { from: place, to },
        (StateName::Started, _) => match from {
            StateName::RequestStart | StateName::RequestStartBalance => Step::Start { on: place },
            StateName::Recovery => Step::Recover { on: place },
            StateName::Stopped
            | StateName::RequestStop
            | StateName::Started
            | StateName::Fence
            | StateName::Migrate
            | StateName::Relocate
            | StateName::Freeze
            | StateName::Error => return None,
        },
        (StateName::RequestStop, _) => Step::Stop { on: place },
        (StateName::Stopped, _) if from == StateName::Error => Step::Clear,
        (StateName::Freeze, _) => Step::Freeze,
        (StateName::Fence, _) => Step::Fence,
        (StateName::Error, _) => Step::Fail,
        (
            StateName::Stopped
            | StateName::RequestStart
            | StateName::RequestStartBalance
            | StateName::Recovery
            | StateName::Migrate
            | StateName::Relocate,
            _,
        ) => return None,
    })
}

/// The services that stay where they should not be, each with the reason: on a node in maintenance, or where no node may have
/// them.
fn staying(present: &Present, services: &BTreeSet<ServiceId>) -> BTreeMap<ServiceId, String> {
    let situation = Situation {
        usage: present.usage.as_deref(),
        ..Situation::new(&present.status, present.configuration(), &present.settings.nodes)
    };
    let mut prepared = situation.prepare();
    let mut staying = BTreeMap::new();
    for sid in services {
        let Some(entry) = present.status.services.get(sid) else { continue };
        let leaves = present.status.node_state(&entry.node) == NodeState::Maintenance;
        let has_no_node = matches!(entry.state, ServiceState::Started { .. } | ServiceState::Recovery)
            && prepared.select(sid, Preference::None).is_ok_and(|node| node.is_none());
        if has_no_node {
            staying.insert(sid.clone(), no_other_node(&situation, sid, &entry.node));
        } else if leaves && let Some(why) = why_it_does_not_leave(present, sid, entry) {
            staying.insert(sid.clone(), why);
        }
    }
    staying
}

/// Why a service stays on a node that gives its services away.
fn why_it_does_not_leave(present: &Present, sid: &ServiceId, entry: &ServiceEntry) -> Option<String> {
    match entry.state {
        ServiceState::Error => {
            Some(format!("it is in 'error', and is not moved until that is cleared: ha cleanup {sid}"))
        }
        ServiceState::Stopped if present.status.may_run.contains(sid) => {
            Some("it may still run, since nobody has seen it stopped; it is not moved".into())
        }
        ServiceState::Stopped => {
            Some("it is stopped, and not moved; it can be started again when the maintenance ends".into())
        }
        ServiceState::Freeze => Some("it is frozen, and not moved".into()),
        ServiceState::Started { .. }
        | ServiceState::RequestStop { .. }
        | ServiceState::RequestStart
        | ServiceState::RequestStartBalance { .. }
        | ServiceState::Fence
        | ServiceState::Recovery
        | ServiceState::Migrate { .. }
        | ServiceState::Relocate { .. } => None,
    }
}

/// Why every other node is left out.
fn no_other_node(situation: &Situation<'_>, sid: &ServiceId, node: &NodeName) -> String {
    let Ok(explanation) = situation.explain(sid, Preference::None) else { return "no node can take it".into() };
    let others = explanation.nodes.iter().filter(|other| other.node != *node);
    let others: Vec<String> = others.map(|other| format!("{}: {}", other.node, other.fate)).collect();
    match others.is_empty() {
        true => "there is no other node".into(),
        false => format!("no node can take it ({})", others.join("; ")),
    }
}

impl Foresight {
    /// What would follow next from another command.
    #[must_use]
    pub fn then(&self, command: Command) -> Option<Self> {
        foresee(&self.afterwards, &Change { commands: vec![command], ..Change::default() })
    }
}

impl Present {
    /// What the decisions about the present situation leave out of account.
    #[must_use]
    pub fn findings(&self) -> Vec<SituationFinding> {
        let situation = Situation::new(&self.status, self.configuration(), &self.settings.nodes);
        Situation { usage: self.usage.as_deref(), ..situation }.findings()
    }
}
