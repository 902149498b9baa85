//! The command queue: text lines that anyone appends and the master takes.

use alloc::string::String;
use core::{fmt, str::FromStr};

use smol_str::SmolStr;

use super::Motion;
use crate::{
    id::{IdError, NodeName, ServiceId},
    text_enum::{UnknownWord, text_enum},
};

/// What happens to the services while HA is disarmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DisarmMode {
    /// They are left as they are.
    Freeze,
    /// They are treated as if not managed.
    Ignore,
}

text_enum! {
    DisarmMode: "a disarm mode",
    Freeze = "freeze",
    Ignore = "ignore",
}

/// A command to the master.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Move a service.
    Move {
        /// How.
        motion: Motion,
        /// Which service.
        sid: ServiceId,
        /// Where to.
        node: NodeName,
    },
    /// Stop a service.
    Stop {
        /// Which service.
        sid: ServiceId,
        /// Seconds that it may take; 0 is at once.
        timeout: u32,
    },
    /// Have a node give its services away and take none.
    EnableNodeMaintenance {
        /// Which node.
        node: NodeName,
    },
    /// End a node's maintenance.
    DisableNodeMaintenance {
        /// Which node.
        node: NodeName,
    },
    /// Let go of all watchdogs and leave the services alone.
    DisarmHa {
        /// How the services are treated meanwhile.
        mode: DisarmMode,
    },
    /// Take up work again after a disarm.
    ArmHa,
    /// Take a person's word that a node which must be fenced is down.
    ConfirmFenced {
        /// Which node.
        node: NodeName,
        /// Who says so, a word without blanks.
        by: Option<SmolStr>,
    },
    /// Forget how often a node was fenced lately, so that it takes new services.
    ClearFencings {
        /// Which node.
        node: NodeName,
    },
}

/// Why a line is not a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The first word is not a command.
    #[error(
        "unknown command '{0}': expected migrate, relocate, stop, enable-node-maintenance, disable-node-maintenance, disarm-ha, arm-ha, confirm-fenced or clear-fencings"
    )]
    UnknownVerb(String),
    /// Too few or too many words.
    #[error("'{verb}' takes {expected}")]
    Arguments {
        /// The command.
        verb: &'static str,
        /// The arguments that it takes.
        expected: &'static str,
    },
    /// A name that has not the right form.
    #[error(transparent)]
    Id(#[from] IdError),
    /// A timeout that is not a number of seconds.
    #[error("'{0}' is not a timeout: expected a number of seconds")]
    Timeout(String),
    /// An unknown disarm mode.
    #[error(transparent)]
    DisarmMode(#[from] UnknownWord),
}

impl FromStr for Command {
    type Err = CommandError;

    fn from_str(line: &str) -> Result<Self, CommandError> {
        let mut words = line.split_ascii_whitespace();
        let verb = words.next().unwrap_or("");
        let rest = (words.next(), words.next(), words.next());
        match verb {
            "migrate" => parse_move(Motion::Migrate, "migrate", rest),
            "relocate" => parse_move(Motion::Relocate, "relocate", rest),
            "stop" => match rest {
                (Some(sid), Some(timeout), None) => Ok(Self::Stop {
                    sid: sid.parse()?,
                    timeout: timeout.parse().map_err(|_| CommandError::Timeout(timeout.into()))?,
                }),
                _ => Err(CommandError::Arguments { verb: "stop", expected: "a service and a timeout in seconds" }),
            },
            "enable-node-maintenance" => {
                parse_node("enable-node-maintenance", rest).map(|node| Self::EnableNodeMaintenance { node })
            }
            "disable-node-maintenance" => {
                parse_node("disable-node-maintenance", rest).map(|node| Self::DisableNodeMaintenance { node })
            }
            "disarm-ha" => match rest {
                (Some(mode), None, _) => Ok(Self::DisarmHa { mode: mode.parse()? }),
                _ => Err(CommandError::Arguments { verb: "disarm-ha", expected: "a mode: freeze or ignore" }),
            },
            "arm-ha" => match rest {
                (None, ..) => Ok(Self::ArmHa),
                (Some(_), ..) => Err(CommandError::Arguments { verb: "arm-ha", expected: "no arguments" }),
            },
            "confirm-fenced" => match rest {
                (Some(node), by, None) => Ok(Self::ConfirmFenced { node: node.parse()?, by: by.map(SmolStr::from) }),
                _ => Err(CommandError::Arguments {
                    verb: "confirm-fenced",
                    expected: "a node, and who says that it is down",
                }),
            },
            "clear-fencings" => parse_node("clear-fencings", rest).map(|node| Self::ClearFencings { node }),
            _ => Err(CommandError::UnknownVerb(verb.into())),
        }
    }
}

/// A line of the command queue: a command, who gave it, and what it is called.
///
/// The last words say so: `by=WHO` and `id=ID`, each once at the most. Without them nobody is named, and nobody can ask what became of
/// the command, as in queues that other programs write.
///
/// ```
/// use ha_core::status::{Command, CommandLine};
///
/// let line: CommandLine = "stop vm:100 60 by=alice@desk id=17".parse()?;
/// assert_eq!(line.command, Command::Stop { sid: "vm:100".parse()?, timeout: 60 });
/// assert_eq!((line.by(), line.id.as_deref()), (Some("alice@desk"), Some("17")));
/// assert_eq!(line.to_string(), "stop vm:100 60 by=alice@desk id=17");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    /// What must be done.
    pub command: Command,
    /// Who said so, a word without blanks: see [`CommandLine::by`].
    pub by: Option<SmolStr>,
    /// By which it can be asked what became of it, a word without blanks.
    pub id: Option<SmolStr>,
}

/// The parts of a line of the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LineParts<'a> {
    pub(crate) command: &'a str,
    pub(crate) by: Option<&'a str>,
    pub(crate) id: Option<&'a str>,
}

impl CommandLine {
    const BY: &'static str = "by=";
    const ID: &'static str = "id=";

    /// A command that somebody gives. What can't stand in one word is replaced by `_`.
    #[must_use]
    pub fn given(command: Command, by: &str) -> Self {
        Self { command, by: word(by), id: None }
    }

    /// The same with what it is called, in which too what can't stand in one word is replaced by `_`.
    #[must_use]
    pub fn called(self, id: &str) -> Self {
        Self { id: word(id), ..self }
    }

    /// Who gave the command: as the line says, or the command itself, as `confirm-fenced` does.
    #[must_use]
    pub fn by(&self) -> Option<&str> {
        let of_command = match &self.command {
            Command::ConfirmFenced { by, .. } => by.as_deref(),
            Command::Move { .. }
            | Command::Stop { .. }
            | Command::EnableNodeMaintenance { .. }
            | Command::DisableNodeMaintenance { .. }
            | Command::DisarmHa { .. }
            | Command::ArmHa
            | Command::ClearFencings { .. } => None,
        };
        self.by.as_deref().or(of_command)
    }

    /// Parts a line into the command and what is said of it.
    pub(crate) fn part(line: &str) -> LineParts<'_> {
        let mut parts = LineParts { command: line, by: None, id: None };
        loop {
            let text = parts.command.trim_ascii_end();
            let Some(last) = text.rfind(|character: char| character.is_ascii_whitespace()) else { return parts };
            let Some((rest, word)) = text.split_at_checked(last) else { return parts };
            let word = word.trim_ascii_start();
            let named = |name: &str| word.strip_prefix(name).filter(|value| !value.is_empty());
            match (named(Self::BY), named(Self::ID)) {
                (Some(by), _) if parts.by.is_none() => parts.by = Some(by),
                (_, Some(id)) if parts.id.is_none() => parts.id = Some(id),
                _ => return parts,
            }
            parts.command = rest.trim_ascii_end();
        }
    }
}

/// As one word, in which what can't stand there is replaced by `_`; nothing if there is nothing.
fn word(text: &str) -> Option<SmolStr> {
    let plain = |character: char| if character.is_whitespace() || character.is_control() { '_' } else { character };
    (!text.is_empty()).then(|| text.chars().map(plain).collect())
}

impl FromStr for CommandLine {
    type Err = CommandError;

    fn from_str(line: &str) -> Result<Self, CommandError> {
        let LineParts { command, by, id } = Self::part(line);
        Ok(Self { command: command.parse()?, by: by.map(SmolStr::from), id: id.map(SmolStr::from) })
    }
}

impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.command.fmt(f)?;
        if let Some(by) = &self.by {
            write!(f, " {}{by}", Self::BY)?;
        }
        match &self.id {
            Some(id) => write!(f, " {}{id}", Self::ID),
            None => Ok(()),
        }
    }
}

type Words<'a> = (Option<&'a str>, Option<&'a str>, Option<&'a str>);

fn parse_move(motion: Motion, verb: &'static str, words: Words<'_>) -> Result<Command, CommandError> {
    match words {
        (Some(sid), Some(node), None) => Ok(Command::Move { motion, sid: sid.parse()?, node: node.parse()? }),
        _ => Err(CommandError::Arguments { verb, expected: "a service and a node" }),
    }
}

fn parse_node(verb: &'static str, words: Words<'_>) -> Result<NodeName, CommandError> {
    match words {
        (Some(node), None, _) => Ok(node.parse()?),
        _ => Err(CommandError::Arguments { verb, expected: "a node" }),
    }
}

impl Command {
    /// The first word of its line.
    #[must_use]
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Move { motion, .. } => motion.as_str(),
            Self::Stop { .. } => "stop",
            Self::EnableNodeMaintenance { .. } => "enable-node-maintenance",
            Self::DisableNodeMaintenance { .. } => "disable-node-maintenance",
            Self::DisarmHa { .. } => "disarm-ha",
            Self::ArmHa => "arm-ha",
            Self::ConfirmFenced { .. } => "confirm-fenced",
            Self::ClearFencings { .. } => "clear-fencings",
        }
    }
}

/// The command's line in the queue.
impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.verb())?;
        match self {
            Self::Move { sid, node, .. } => write!(f, " {sid} {node}"),
            Self::Stop { sid, timeout } => write!(f, " {sid} {timeout}"),
            Self::EnableNodeMaintenance { node }
            | Self::DisableNodeMaintenance { node }
            | Self::ClearFencings { node } => write!(f, " {node}"),
            Self::DisarmHa { mode } => write!(f, " {mode}"),
            Self::ArmHa => Ok(()),
            Self::ConfirmFenced { node, by: Some(by) } => write!(f, " {node} {by}"),
            Self::ConfirmFenced { node, by: None } => write!(f, " {node}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn a_line_says_who_gave_the_command() {
        for (line, command, by) in [
            ("arm-ha", "arm-ha", None),
            ("arm-ha by=alice@desk", "arm-ha", Some("alice@desk")),
            ("migrate vm:100 node1   by=a=b", "migrate vm:100 node1", Some("a=b")),
            ("confirm-fenced node1 alice", "confirm-fenced node1 alice", Some("alice")),
            ("confirm-fenced node1 alice by=bob", "confirm-fenced node1 alice", Some("bob")),
        ] {
            let read: CommandLine = line.parse().unwrap();
            assert_eq!((read.command.to_string().as_str(), read.by()), (command, by), "{line}");
            assert_eq!(read.to_string().parse(), Ok(read));
        }
        for line in ["arm-ha by=", "by=alice", "arm-ha by=alice by=bob", "migrate vm:100 by=node1", "arm-ha id=1 id=2"]
        {
            assert!(line.parse::<CommandLine>().is_err(), "{line}");
        }
        let hostile = CommandLine::given(Command::ArmHa, "eve\narm-ha by=\tyou");
        assert_eq!(hostile.to_string(), "arm-ha by=eve_arm-ha_by=_you");
        assert_eq!(hostile.to_string().parse(), Ok(hostile));
    }

    #[test]
    fn a_line_says_what_the_command_is_called() {
        for (line, by, id) in [
            ("arm-ha id=17", None, Some("17")),
            ("arm-ha by=alice id=17", Some("alice"), Some("17")),
            ("arm-ha id=17  by=id=3", Some("id=3"), Some("17")),
        ] {
            let read: CommandLine = line.parse().unwrap();
            assert_eq!((read.by(), read.id.as_deref()), (by, id), "{line}");
            assert_eq!(read.to_string().parse(), Ok(read));
        }
        let hostile = CommandLine::given(Command::ArmHa, "").called("1\nstop vm:100 0");
        assert_eq!(hostile.to_string(), "arm-ha id=1_stop_vm:100_0");
    }

    fn error(line: &str) -> CommandError {
        line.parse::<Command>().unwrap_err()
    }

    #[test]
    fn every_command_has_its_line() {
        let sid: ServiceId = "vm:100".parse().unwrap();
        let node: NodeName = "node1".parse().unwrap();
        let moving = |motion| Command::Move { motion, sid: sid.clone(), node: node.clone() };
        for (line, command) in [
            ("migrate vm:100 node1", moving(Motion::Migrate)),
            ("relocate vm:100 node1", moving(Motion::Relocate)),
            ("stop vm:100 60", Command::Stop { sid: sid.clone(), timeout: 60 }),
            ("enable-node-maintenance node1", Command::EnableNodeMaintenance { node: node.clone() }),
            ("disable-node-maintenance node1", Command::DisableNodeMaintenance { node: node.clone() }),
            ("disarm-ha freeze", Command::DisarmHa { mode: DisarmMode::Freeze }),
            ("disarm-ha ignore", Command::DisarmHa { mode: DisarmMode::Ignore }),
            ("arm-ha", Command::ArmHa),
            ("confirm-fenced node1", Command::ConfirmFenced { node: node.clone(), by: None }),
            (
                "confirm-fenced node1 alice@desk",
                Command::ConfirmFenced { node: node.clone(), by: Some("alice@desk".into()) },
            ),
            ("clear-fencings node1", Command::ClearFencings { node: node.clone() }),
        ] {
            assert_eq!(line.parse().as_ref(), Ok(&command));
            assert_eq!(command.to_string(), line);
            assert_eq!(Some(command.verb()), line.split(' ').next());
        }
    }

    #[test]
    fn too_few_and_too_many_words_name_the_command() {
        for line in [
            "migrate",
            "migrate vm:100",
            "migrate vm:100 n1 n2",
            "relocate vm:100",
            "stop",
            "stop vm:100",
            "stop vm:100 1 2",
            "enable-node-maintenance",
            "enable-node-maintenance n1 n2",
            "disable-node-maintenance",
            "disarm-ha",
            "disarm-ha freeze now",
            "arm-ha now",
            "confirm-fenced",
            "confirm-fenced n1 alice now",
            "clear-fencings",
            "clear-fencings n1 n2",
        ] {
            let first = line.split(' ').next();
            assert!(matches!(error(line), CommandError::Arguments { verb, .. } if Some(verb) == first), "{line}");
        }
    }

    #[test]
    fn each_argument_is_checked() {
        assert!(matches!(error("migrate 100 n1"), CommandError::Id(IdError::Service(_))));
        assert!(matches!(error("relocate vm:100 n_1"), CommandError::Id(IdError::Node(_))));
        assert!(matches!(error("enable-node-maintenance -"), CommandError::Id(IdError::Node(_))));
        assert!(matches!(error("disarm-ha thaw"), CommandError::DisarmMode(_)));
        for timeout in ["-1", "1.5", "4294967296", "soon", "1s", "٣"] {
            let line = std::format!("stop vm:100 {timeout}");
            assert!(matches!(error(&line), CommandError::Timeout(_)), "{line}");
        }
    }

    #[test]
    fn hostile_lines_are_no_commands() {
        for line in ["", " ", "\0", "ARM-HA", "arm-ha\0", "arm-ha\u{a0}", "\u{feff}arm-ha", "arm_ha", "--arm-ha"] {
            assert!(matches!(error(line), CommandError::UnknownVerb(_)), "{line:?}");
        }
        assert!(matches!(error("stop vm:100\u{a0}5"), CommandError::Arguments { .. }));
        assert!("arm-ha \r\n".parse::<Command>().is_ok());
    }
}
