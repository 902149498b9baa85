//! What became of commands that have an id.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use serde::{Deserialize, Serialize};

use super::Entry;
use crate::{
    event::Event,
    id::{NodeName, ServiceId},
    status::{Command, NodeState, StateName},
    text_enum::text_enum,
};

/// How a command stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CommandOutcome {
    /// It was given, and no master has said anything of it yet.
    Queued,
    /// A master has refused it, or dropped it before anything came of it.
    Refused,
    /// A master has accepted it.
    UnderWay,
    /// What it asked for is so.
    Done,
    /// It was begun, and what it asked for is not so.
    Failed,
}

text_enum! {
    CommandOutcome: "how a command stands",
    Queued = "queued",
    Refused = "refused",
    UnderWay = "under_way",
    Done = "done",
    Failed = "failed",
}

/// A command, and what became of it. Times are milliseconds since 1970-01-01 UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandFate {
    /// What it is called.
    pub id: String,
    /// Its line, once a master has taken it.
    pub command: Option<String>,
    /// Who gave it.
    pub by: Option<String>,
    /// When it was given, as far as that was kept.
    pub given_ms: Option<i64>,
    /// When a master took it.
    pub taken_ms: Option<i64>,
    /// That master.
    pub master: Option<NodeName>,
    /// How it stands.
    pub outcome: CommandOutcome,
    /// What was said last of it, for people.
    pub text: Option<String>,
    /// When it was refused, done or failed.
    pub ended_ms: Option<i64>,
}

impl CommandFate {
    /// Of a command of which nothing more is known than that it was given.
    #[must_use]
    pub fn queued(id: &str) -> Self {
        Self {
            id: id.into(),
            command: None,
            by: None,
            given_ms: None,
            taken_ms: None,
            master: None,
            outcome: CommandOutcome::Queued,
            text: None,
            ended_ms: None,
        }
    }
}

/// Makes the fates of commands of entries, which are taken in the order in which they were kept.
///
/// Only commands with an id have one. What a queue still holds is not in any history: a host looks there by itself.
#[derive(Debug, Clone, Default)]
pub struct Commands {
    all: Vec<Followed>,
    /// The one to which the master's next events are answers.
    answered: Option<usize>,
}

#[derive(Debug, Clone)]
struct Followed {
    fate: CommandFate,
    command: Option<Command>,
    /// Whether what it asks for has begun.
    begun: bool,
}

/// What an event says of a command.
struct Step {
    outcome: CommandOutcome,
    text: String,
}

impl Commands {
    /// All of them, in the order in which they were first heard of.
    pub fn all(&self) -> impl Iterator<Item = &CommandFate> {
        self.all.iter().map(|followed| &followed.fate)
    }

    /// The one of this id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&CommandFate> {
        self.all().find(|fate| fate.id == id)
    }

    /// Takes the next entry.
    pub fn take(&mut self, entry: &Entry) {
        match entry.event() {
            Some(Event::ChangeMade { command_id: Some(id), by, .. }) => {
                let at = self.place(id);
                let Some(Followed { fate, .. }) = self.all.get_mut(at) else { return };
                fate.given_ms = Some(entry.time_ms);
                fate.by.get_or_insert_with(|| by.clone());
            }
            Some(Event::CommandTaken { id, command, by }) => {
                let at = self.place(id);
                self.answered = Some(at);
                let Some(followed) = self.all.get_mut(at) else { return };
                followed.command = command.parse().ok();
                followed.fate.command = Some(command.clone());
                followed.fate.by = by.clone().or(followed.fate.by.take());
                (followed.fate.taken_ms, followed.fate.master) = (Some(entry.time_ms), Some(entry.node.clone()));
            }
            Some(event) => self.follow(entry, event),
            None => {}
        }
    }

    /// Where the one of this id is; it is put there if it was not heard of before.
    fn place(&mut self, id: &str) -> usize {
        self.all.iter().position(|followed| followed.fate.id == id).unwrap_or_else(|| {
            self.all.push(Followed::new(id));
            self.all.len().saturating_sub(1)
        })
    }

    fn follow(&mut self, entry: &Entry, event: &Event) {
        let answered = self.answered;
        for (at, followed) in self.all.iter_mut().enumerate() {
            let is_answer = answered == Some(at) && followed.fate.master.as_ref() == Some(&entry.node);
            let step = match followed.fate.outcome {
                CommandOutcome::UnderWay => followed.goes_on(event),
                CommandOutcome::Queued | CommandOutcome::Refused if is_answer => followed.answer(event),
                CommandOutcome::Queued | CommandOutcome::Refused | CommandOutcome::Done | CommandOutcome::Failed => {
                    None
                }
            };
            if let Some(step) = step {
                followed.take(step, entry.time_ms);
            }
        }
    }
}

impl Followed {
    fn new(id: &str) -> Self {
        Self { fate: CommandFate::queued(id), command: None, begun: false }
    }

    fn take(&mut self, step: Step, time_ms: i64) {
        self.fate.outcome = step.outcome;
        self.fate.text = Some(step.text);
        let is_over = !matches!(step.outcome, CommandOutcome::Queued | CommandOutcome::UnderWay);
        self.fate.ended_ms = is_over.then_some(time_ms);
    }

    /// What the master says to it in the round in which it was taken.
    fn answer(&self, event: &Event) -> Option<Step> {
        let line = self.fate.command.as_deref().unwrap_or_default();
        let verb = line.split_ascii_whitespace().next().unwrap_or_default();
        // Those of the commands that disarm and arm are answered by their verb alone.
        let is_own = |text: &str| text == line || text == verb;
        let at_once = matches!(
            self.command,
            Some(Command::ArmHa | Command::ConfirmFenced { .. } | Command::ClearFencings { .. })
        );
        let outcome = match (event, &self.command) {
            (Event::CommandAccepted { command, .. }, _) if is_own(command) && at_once => CommandOutcome::Done,
            (Event::CommandAccepted { command, .. }, _) if is_own(command) => CommandOutcome::UnderWay,
            (
                Event::CommandRejected { command, .. }
                | Event::CommandIgnored { command, .. }
                | Event::CommandBlockedByAffinity { command, .. },
                _,
            ) if is_own(command) => CommandOutcome::Refused,
            (Event::CommandUnknown { command, .. }, None) if command.starts_with(line) => CommandOutcome::Refused,
            (Event::MaintenanceRequested { node, .. }, Some(Command::EnableNodeMaintenance { node: own }))
                if node == own =>
            {
                CommandOutcome::UnderWay
            }
            (
                Event::MaintenanceClearUnexpectedState { node, .. },
                Some(Command::DisableNodeMaintenance { node: own }),
            ) if node == own => CommandOutcome::Refused,
            // What was requested is taken back also of a node that is not in maintenance yet: then that is all.
            (Event::MaintenanceRequestWithdrawn { node, .. }, Some(Command::DisableNodeMaintenance { node: own }))
                if node == own =>
            {
                if self.fate.outcome == CommandOutcome::Refused {
                    CommandOutcome::Done
                } else {
                    CommandOutcome::UnderWay
                }
            }
            _ => return None,
        };
        Some(Step { outcome, text: event.to_string() })
    }

    /// What comes of it after that.
    fn goes_on(&mut self, event: &Event) -> Option<Step> {
        let outcome = match self.command.as_ref()? {
            Command::Move { sid, node, .. } => of_move(sid, node, event, &mut self.begun),
            Command::Stop { sid, .. } => of_stop(sid, event, &mut self.begun),
            Command::EnableNodeMaintenance { node } => of_node(node, event, NodeState::Maintenance),
            Command::DisableNodeMaintenance { node } => of_node(node, event, NodeState::Online),
            Command::DisarmHa { .. } => of_disarm(event),
            Command::ArmHa | Command::ConfirmFenced { .. } | Command::ClearFencings { .. } => None,
        };
        outcome.map(|outcome| Step { outcome, text: event.to_string() })
    }
}

/// Whether the service was given another command, by which it forgets the one before.
#[expect(clippy::wildcard_enum_match_arm, reason = "those that say something of it are named")]
fn is_replaced(own: &ServiceId, event: &Event) -> bool {
    match event {
        Event::CommandAccepted { command, .. } => {
            matches!(command.parse(), Ok(Command::Move { sid, .. } | Command::Stop { sid, .. }) if sid == *own)
        }
        Event::ComoveQueued { sid, .. } => sid == own,
        _ => false,
    }
}

/// What ends a command of a service that was not begun: the service forgets it.
#[expect(clippy::wildcard_enum_match_arm, reason = "those that say something of it are named")]
fn is_forgotten(own: &ServiceId, event: &Event) -> bool {
    match event {
        Event::CommandWithoutEffect { sid, .. }
        | Event::ServiceRemoved { sid, .. }
        | Event::MoveIgnored { sid, .. }
        | Event::ServiceState { sid, .. } => sid == own,
        _ => is_replaced(own, event),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "those that say something of it are named")]
fn of_move(own: &ServiceId, node: &NodeName, event: &Event, begun: &mut bool) -> Option<CommandOutcome> {
    match event {
        Event::ServiceState { sid, to: StateName::Migrate | StateName::Relocate, target, .. }
            if sid == own && target.as_ref() == Some(node) =>
        {
            *begun = true;
            Some(CommandOutcome::UnderWay)
        }
        Event::ServiceState { sid, from: StateName::Migrate | StateName::Relocate, node: now, .. }
            if sid == own && *begun =>
        {
            let has_arrived = now.as_ref() == Some(node);
            Some(if has_arrived { CommandOutcome::Done } else { CommandOutcome::Failed })
        }
        Event::ServiceRemoved { sid, .. } if sid == own && *begun => Some(CommandOutcome::Failed),
        _ => (!*begun && is_forgotten(own, event)).then_some(CommandOutcome::Refused),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "those that say something of it are named")]
fn of_stop(own: &ServiceId, event: &Event, begun: &mut bool) -> Option<CommandOutcome> {
    match event {
        Event::StopIgnored { sid } if sid == own => Some(CommandOutcome::Done),
        Event::ServiceState { sid, to: StateName::RequestStop, .. } if sid == own => {
            *begun = true;
            Some(CommandOutcome::UnderWay)
        }
        Event::ServiceState { sid, from: StateName::RequestStop, to, .. } if sid == own && *begun => {
            Some(if *to == StateName::Stopped { CommandOutcome::Done } else { CommandOutcome::Failed })
        }
        Event::ServiceRemoved { sid, .. } if sid == own && *begun => Some(CommandOutcome::Failed),
        _ => (!*begun && is_forgotten(own, event)).then_some(CommandOutcome::Refused),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "those that say something of it are named")]
fn of_node(own: &NodeName, event: &Event, wanted: NodeState) -> Option<CommandOutcome> {
    match event {
        Event::NodeState { node, to, .. } if node == own && *to == wanted => Some(CommandOutcome::Done),
        Event::NodeState { node, to: NodeState::Gone, .. } if node == own => Some(CommandOutcome::Failed),
        Event::MaintenanceRequestWithdrawn { node, .. } if node == own && wanted == NodeState::Maintenance => {
            Some(CommandOutcome::Failed)
        }
        Event::MaintenanceRequested { node, .. } if node == own && wanted == NodeState::Online => {
            Some(CommandOutcome::Failed)
        }
        _ => None,
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "those that say something of it are named")]
fn of_disarm(event: &Event) -> Option<CommandOutcome> {
    match event {
        Event::Disarmed => Some(CommandOutcome::Done),
        Event::CommandAccepted { command, .. } if command == Command::ArmHa.verb() => Some(CommandOutcome::Failed),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::{IgnoreReason, MoveIgnoreReason, NoEffectReason, RejectionReason},
        history::{EntryId, Source},
    };

    fn node(name: &str) -> NodeName {
        NodeName::new(name).unwrap()
    }

    fn sid() -> ServiceId {
        ServiceId::new("vm:100").unwrap()
    }

    fn state(from: StateName, to: StateName, on: Option<&str>, target: Option<&str>) -> Event {
        let [on, target] = [on, target].map(|name| name.map(node));
        Event::ServiceState { sid: sid(), from, to, node: on, target, timeout: None }
    }

    fn accepted(line: &str) -> Event {
        Event::CommandAccepted { command: line.into(), by: None }
    }

    /// How the command `17` stands after these events of the master on node1, which took it first.
    fn after(line: &str, events: &[Event]) -> CommandOutcome {
        let mut commands = Commands::default();
        let taken = Event::CommandTaken { id: "17".into(), command: line.into(), by: None };
        for (number, event) in (1..).zip([taken].into_iter().chain(events.iter().cloned())) {
            let id = EntryId::of_node(&node("node1"), 1, number);
            commands.take(&Entry::new(id, 0, node("node1"), Source::Crm, event.into()));
        }
        let fate = commands.get("17").unwrap();
        let is_over = !matches!(fate.outcome, CommandOutcome::Queued | CommandOutcome::UnderWay);
        assert_eq!(fate.ended_ms.is_some(), is_over, "{fate:?}");
        fate.outcome
    }

    const MOVE: &str = "migrate vm:100 node2";

    #[test]
    fn a_move_is_done_when_the_service_is_there() {
        let begins = state(StateName::Started, StateName::Migrate, None, Some("node2"));
        let ends = |on| state(StateName::Migrate, StateName::Started, Some(on), None);
        assert_eq!(after(MOVE, &[]), CommandOutcome::Queued);
        assert_eq!(after(MOVE, &[accepted(MOVE)]), CommandOutcome::UnderWay);
        assert_eq!(after(MOVE, &[accepted(MOVE), begins.clone()]), CommandOutcome::UnderWay);
        assert_eq!(after(MOVE, &[accepted(MOVE), begins.clone(), ends("node2")]), CommandOutcome::Done);
        assert_eq!(after(MOVE, &[accepted(MOVE), begins, ends("node1")]), CommandOutcome::Failed);
        assert_eq!(after(MOVE, &[ends("node2")]), CommandOutcome::Queued, "that was another move");
    }

    #[test]
    fn what_is_refused_or_forgotten_is_refused() {
        let rejected = Event::CommandRejected { command: MOVE.into(), reason: RejectionReason::NoSuchService };
        assert_eq!(after(MOVE, &[rejected]), CommandOutcome::Refused);
        let blocked = Event::CommandBlockedByAffinity {
            command: MOVE.into(),
            blocking: sid(),
            target: node("node2"),
            sid: sid(),
            domain: None,
        };
        assert_eq!(after(MOVE, &[blocked]), CommandOutcome::Refused);
        let unknown = Event::CommandUnknown { command: "dance id=17".into(), reason: String::new() };
        assert_eq!(after("dance", &[unknown]), CommandOutcome::Refused);
        let ignored = Event::MoveIgnored {
            sid: sid(),
            target: node("node2"),
            task: None,
            reason: Some(MoveIgnoreReason::ALL[0]),
        };
        let without = Event::CommandWithoutEffect { sid: sid(), command: MOVE.into(), reason: NoEffectReason::InError };
        let lost = state(StateName::Started, StateName::Fence, None, None);
        for event in [ignored, without, lost, accepted("stop vm:100 5")] {
            assert_eq!(after(MOVE, &[accepted(MOVE), event.clone()]), CommandOutcome::Refused, "{event}");
        }
        assert_eq!(after(MOVE, &[accepted(MOVE), accepted("stop vm:101 5")]), CommandOutcome::UnderWay);
    }

    #[test]
    fn a_stop_is_done_when_the_service_is_stopped() {
        let line = "stop vm:100 5";
        let begins = state(StateName::Started, StateName::RequestStop, None, None);
        let ends = |to| state(StateName::RequestStop, to, None, None);
        assert_eq!(after(line, &[accepted(line), begins.clone(), ends(StateName::Stopped)]), CommandOutcome::Done);
        assert_eq!(after(line, &[accepted(line), begins, ends(StateName::Error)]), CommandOutcome::Failed);
        assert_eq!(after(line, &[accepted(line), Event::StopIgnored { sid: sid() }]), CommandOutcome::Done);
    }

    #[test]
    fn maintenance_is_done_when_the_node_says_so() {
        let requested = Event::MaintenanceRequested { node: node("node2"), by: None };
        let withdrawn = Event::MaintenanceRequestWithdrawn { node: node("node2"), by: None };
        let becomes = |to| Event::NodeState { node: node("node2"), from: NodeState::Unknown, to };
        let (enable, disable) = ("enable-node-maintenance node2", "disable-node-maintenance node2");
        assert_eq!(after(enable, &[requested.clone(), becomes(NodeState::Maintenance)]), CommandOutcome::Done);
        assert_eq!(after(enable, &[requested, withdrawn.clone()]), CommandOutcome::Failed);
        assert_eq!(after(disable, core::slice::from_ref(&withdrawn)), CommandOutcome::UnderWay);
        assert_eq!(after(disable, &[withdrawn.clone(), becomes(NodeState::Online)]), CommandOutcome::Done);
        let unexpected = Event::MaintenanceClearUnexpectedState { node: node("node2"), state: NodeState::Online };
        assert_eq!(after(disable, core::slice::from_ref(&unexpected)), CommandOutcome::Refused);
        assert_eq!(after(disable, &[unexpected, withdrawn]), CommandOutcome::Done);
    }

    #[test]
    fn disarming_is_done_when_all_are_disarmed_and_arming_at_once() {
        let disarm = "disarm-ha freeze";
        assert_eq!(after(disarm, &[accepted(disarm), Event::Disarmed]), CommandOutcome::Done);
        assert_eq!(after(disarm, &[accepted(disarm), accepted("arm-ha")]), CommandOutcome::Failed);
        assert_eq!(after("arm-ha", &[accepted("arm-ha")]), CommandOutcome::Done);
        let ignored =
            Event::CommandIgnored { state: None, reason: IgnoreReason::NotDisarmed, command: "arm-ha".into() };
        assert_eq!(after("arm-ha", &[ignored]), CommandOutcome::Refused);
    }

    #[test]
    fn who_gave_it_and_when_is_known_before_it_is_taken() {
        let mut commands = Commands::default();
        let given = Event::ChangeMade {
            by: "alice".into(),
            through: None,
            verb: "migrate".into(),
            object: "vm:100".into(),
            change: "queued".into(),
            command_id: Some("17".into()),
        };
        let entry =
            Entry::new(EntryId::of_person(&node("node1"), 1, 1), 5, node("node1"), Source::Person, given.into());
        commands.take(&entry);
        let fate = commands.get("17").unwrap();
        assert_eq!((fate.by.as_deref(), fate.given_ms, fate.taken_ms), (Some("alice"), Some(5), None));
        assert_eq!(fate.outcome, CommandOutcome::Queued);
        assert_eq!(commands.get("18"), None);
    }
}
