//! `fence.cfg`: devices that can switch a node off, and which node is connected to which.
//!
//! ```text
//! device power:1 fence_apc ip=192.0.2.1 password="two words"
//! device power:2 fence_apc ip=192.0.2.2 password="two words"
//! connect power:1 node=node1 plug=7
//! connect power:2 node=node1 plug=7
//! ```
//!
//! Where the format leaves a choice:
//!
//! * A line is reported for the first thing that is wrong with it, the device being looked at before the node.
//! * `node=` may be anywhere after the device; a line that has it twice is skipped with a warning, since nobody can say
//!   which node is meant.
//! * A line that begins with `device` or `connect` and then is not of that form is neither of the two: a warning, and the
//!   rest of the file is used. What such a line would have fenced is not fenced, and nothing is recovered on a guess.
//!
//! Arguments can be passwords. They are in the commands, and neither in an error, a warning, nor any `Debug` output.

use alloc::{
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec,
    vec::Vec,
};
use core::fmt;

use serde::{Serialize, Serializer};

use super::{
    Digest, OrderedMap,
    section::{Line, Lines, trim, without_mark},
    shell_words,
    value::excerpt,
};
use crate::id::NodeName;

pub use super::shell_words::ShellWordsError;

/// The fence devices in the order in which they are tried.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FenceConfig {
    /// By name, in the order of their first declaration.
    pub devices: OrderedMap<String, FenceDevice>,
    /// The digest of the file that this was read from.
    pub digest: Digest,
}

/// A device with its parts by number. All parts that a node is connected to must succeed together.
pub type FenceDevice = BTreeMap<u32, FencePart>;

/// One part of a device; most devices have only part 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FencePart {
    /// The program to run.
    pub agent: String,
    /// Its arguments for any node.
    pub arguments: Vec<FenceArgument>,
    /// Its further arguments for each node that it can fence.
    pub connections: BTreeMap<NodeName, Vec<FenceArgument>>,
}

/// One argument: `key=value`, or a key alone. The key is not empty. `Debug` shows the key only.
#[derive(Clone, PartialEq, Eq)]
pub struct FenceArgument {
    /// What is before the first `=`.
    pub key: String,
    /// What is after it.
    pub value: Option<String>,
}

impl FenceArgument {
    fn parse(word: &str) -> Option<Self> {
        let (key, value) = match word.split_once('=') {
            Some((key, value)) => (key, Some(value.into())),
            None => (word, None),
        };
        (!key.is_empty()).then(|| Self { key: key.into(), value })
    }

    /// The name of the argument on standard input; `None` for a key of one letter whose long name is not known.
    fn long_name(&self) -> Option<String> {
        if self.key.chars().nth(1).is_some() {
            return Some(self.key.replace('-', "_"));
        }
        LONG_NAMES.iter().find(|(short, _)| *short == self.key).map(|(_, long)| String::from(*long))
    }

    /// Whether the value must be shown to nobody, as far as the key tells.
    fn is_secret(&self) -> bool {
        let name = self.long_name().unwrap_or_else(|| self.key.clone()).to_ascii_lowercase();
        let is_place = name.ends_with("_script") || name.ends_with("_file");
        !is_place && ["pass", "secret", "token", "community", "priv"].iter().any(|part| name.contains(part))
    }

    /// The words on a command line: `--key=value` or `--key`; for a key of one letter `-k`, then the value.
    fn words(&self) -> Vec<String> {
        let Self { key, value } = self;
        match (key.chars().nth(1), value) {
            (None, None) => vec![format!("-{key}")],
            (None, Some(value)) => vec![format!("-{key}"), value.clone()],
            (Some(_), None) => vec![format!("--{key}")],
            (Some(_), Some(value)) => vec![format!("--{key}={value}")],
        }
    }
}

impl fmt::Debug for FenceArgument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = if self.value.is_some() { "=…" } else { "" };
        write!(f, "{}{value}", self.key)
    }
}

/// A program to run with its arguments, no shell between. Serialises to the list of its words; `Debug` hides the
/// values of the arguments.
///
/// Run it as [`hand_over`](Self::hand_over) says: everybody on a machine can read the command lines of its programs.
#[derive(Clone, PartialEq, Eq)]
pub struct FenceCommand {
    /// The device.
    pub device: String,
    /// The part of the device.
    pub part: u32,
    /// The program.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<FenceArgument>,
}

/// What a program is given.
#[derive(Clone, PartialEq, Eq)]
pub struct HandOver {
    /// Its command line, after the program.
    pub arguments: Vec<String>,
    /// Its standard input.
    pub input: String,
}

/// Why a fence command is not run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandOverError {
    /// A secret that would be on a command line.
    #[error(
        "'{secret}' is not given to a program on its command line, where everybody can read it, and that is where '{key}' has to go: write '{key}' by its long name, or give the program a file with the secret"
    )]
    SecretOnCommandLine {
        /// The key of the secret.
        secret: String,
        /// The key of the argument that has to be on the command line.
        key: String,
    },
    /// A value that is more than one line.
    #[error("the value of '{key}' has a line end or another control character")]
    ControlCharacter {
        /// The key of the argument.
        key: String,
    },
}

impl FenceCommand {
    /// The program and its arguments, as they would be on a command line.
    pub fn words(&self) -> impl Iterator<Item = String> {
        let arguments = self.arguments.iter().flat_map(FenceArgument::words);
        core::iter::once(self.program.clone()).chain(arguments)
    }

    /// How the program gets its arguments: on its standard input, a line `key=value` for each, as fence agents read them. A key
    /// alone is `key=1`, and a key of one letter is written by its long name.
    ///
    /// Only where a key has no place there, since nobody knows its long name, or where the key [`COMMAND_LINE`] asks for it, all
    /// arguments go on the command line; that is refused where one of them is a secret.
    ///
    /// # Errors
    ///
    /// If that would show a secret, or if a value does not fit in a line.
    pub fn hand_over(&self) -> Result<HandOver, HandOverError> {
        let of_command_line =
            |argument: &&FenceArgument| argument.key == COMMAND_LINE || argument.long_name().is_none();
        if let Some(FenceArgument { key, .. }) = self.arguments.iter().find(of_command_line) {
            if let Some(secret) = self.arguments.iter().find(|argument| argument.is_secret()) {
                return Err(HandOverError::SecretOnCommandLine { secret: secret.key.clone(), key: key.clone() });
            }
            let arguments = self.arguments.iter().filter(|argument| argument.key != COMMAND_LINE);
            return Ok(HandOver {
                arguments: arguments.flat_map(FenceArgument::words).collect(),
                input: String::new(),
            });
        }
        let mut input = String::new();
        for argument in &self.arguments {
            let value = argument.value.as_deref().unwrap_or("1");
            let name = argument.long_name().unwrap_or_default();
            if name.chars().chain(value.chars()).any(char::is_control) {
                return Err(HandOverError::ControlCharacter { key: argument.key.clone() });
            }
            input.push_str(&format!("{name}={value}\n"));
        }
        Ok(HandOver { arguments: Vec::new(), input })
    }
}

/// The key that has a program get its arguments on the command line: for one that reads no standard input.
pub const COMMAND_LINE: &str = "command_line";

/// The long names of the keys of one letter, as all fence agents have them.
const LONG_NAMES: [(&str, &str); 15] = [
    ("4", "inet4_only"),
    ("6", "inet6_only"),
    ("A", "auth"),
    ("P", "lanplus"),
    ("S", "password_script"),
    ("a", "ip"),
    ("k", "identity_file"),
    ("l", "username"),
    ("n", "plug"),
    ("o", "action"),
    ("p", "password"),
    ("u", "ipport"),
    ("v", "verbose"),
    ("x", "ssh"),
    ("z", "ssl"),
];

impl fmt::Debug for FenceCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} for {} {:?}", self.program, part_name(&self.device, self.part), self.arguments)
    }
}

/// Shows no value.
impl fmt::Debug for HandOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} arguments, {} bytes of input", self.arguments.len(), self.input.len())
    }
}

impl Serialize for FenceCommand {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.words())
    }
}

/// What was read from `fence.cfg`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "the errors and warnings should be shown to somebody"]
pub struct FenceFile {
    /// The devices, or all errors of the file: a file with an error is not used.
    pub config: Result<FenceConfig, FenceErrors>,
    /// Lines that were skipped, in their order.
    pub warnings: Vec<FenceWarning>,
}

/// All errors of a file, in the order of the lines; there is at least one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", Joined(.0))]
pub struct FenceErrors(pub Vec<FenceError>);

struct Joined<'a>(&'a [FenceError]);

impl fmt::Display for Joined<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(at, error)| {
            let separator = if at == 0 { "" } else { "; " };
            write!(f, "{separator}{error}")
        })
    }
}

/// A line that makes the file unusable. Displays as a sentence; serialises to `line`, `error`, `device`, `node`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {kind}")]
pub struct FenceError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub kind: FenceErrorKind,
}

/// What makes `fence.cfg` unusable. Parts are named `device:part`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FenceErrorKind {
    /// A part that was declared before.
    #[error("'{part}' is declared above already: give the parallel parts of one device different numbers")]
    DeviceAlreadyDeclared {
        /// The part.
        part: String,
    },
    /// A connection of a part that is not declared, though the device is.
    #[error("the device is declared, but not its part '{part}': declare that part above, or correct the number")]
    NoSuchParallelDevice {
        /// The part.
        part: String,
    },
    /// A node that is connected to a part twice.
    #[error("node '{node}' is connected to '{part}' above already: remove one of the two lines")]
    NodeAlreadyConnected {
        /// The part.
        part: String,
        /// The node.
        node: NodeName,
    },
    /// A connection of a device that is not declared.
    #[error("device '{device}' is not declared: put 'device {device} <agent> …' above")]
    DeviceNotDeclared {
        /// The device.
        device: String,
    },
    /// A connection without a node.
    #[error("the connection of '{part}' names no node: expected 'node=' and the name of a node")]
    NodeMissing {
        /// The part.
        part: String,
    },
}

impl FenceErrorKind {
    /// A stable name for this kind of error, for other languages.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::DeviceAlreadyDeclared { .. } => "device_already_declared",
            Self::NoSuchParallelDevice { .. } => "no_such_parallel_device",
            Self::NodeAlreadyConnected { .. } => "node_already_connected",
            Self::DeviceNotDeclared { .. } => "device_not_declared",
            Self::NodeMissing { .. } => "node_missing",
        }
    }
}

impl Serialize for FenceError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Fields<'a> {
            line: usize,
            error: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            device: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            node: Option<&'a NodeName>,
        }
        let (device, node) = match &self.kind {
            FenceErrorKind::DeviceAlreadyDeclared { part } | FenceErrorKind::NoSuchParallelDevice { part } => {
                (Some(part.as_str()), None)
            }
            FenceErrorKind::NodeAlreadyConnected { part, node } => (Some(part.as_str()), Some(node)),
            FenceErrorKind::DeviceNotDeclared { device } => (Some(device.as_str()), None),
            FenceErrorKind::NodeMissing { .. } => (None, None),
        };
        Fields { line: self.line, error: self.kind.code(), device, node }.serialize(serializer)
    }
}

/// A line that was skipped. Displays as a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {kind}; the line is skipped")]
pub struct FenceWarning {
    /// The line, from 1.
    pub line: usize,
    /// Why it was skipped.
    pub kind: FenceWarningKind,
}

/// Why a line was skipped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FenceWarningKind {
    /// The file begins with something invisible: a byte-order mark, a NUL, an unusual blank. It is passed over.
    #[error("the file begins with the character U+{0:04X}, which is no text: it is read over")]
    MarkAtStart(u32),
    /// It begins with neither `device` nor `connect`.
    #[error("'{0}' is no kind of line: expected 'device' or 'connect'")]
    UnknownLine(String),
    /// It is not UTF-8.
    #[error("the line is not UTF-8: save the file as UTF-8")]
    NotUtf8,
    /// It cannot be split into words.
    #[error(transparent)]
    Words(#[from] ShellWordsError),
    /// The name of a device is missing, or what follows its colon is not a number.
    #[error("expected the name of a device, with or without ':' and the number of a part")]
    BadDeviceName,
    /// A device without an agent.
    #[error("expected the program of a fence agent after the device")]
    NoAgent,
    /// An argument that begins with `=`.
    #[error("an argument has no key: expected 'key=value' or 'key'")]
    NoKey,
    /// A connection with more than one node.
    #[error("the line names more than one node: write a line for each")]
    SeveralNodes,
}

impl FenceWarningKind {
    /// A stable name for this kind of warning, for other languages.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::MarkAtStart(_) => "mark_at_start",
            Self::UnknownLine(_) => "unknown_line",
            Self::NotUtf8 => "not_utf8",
            Self::Words(_) => "bad_quoting",
            Self::BadDeviceName => "bad_device_name",
            Self::NoAgent => "no_agent",
            Self::NoKey => "no_key",
            Self::SeveralNodes => "several_nodes",
        }
    }
}

impl FenceConfig {
    /// Reads `fence.cfg`.
    ///
    /// ```
    /// use ha_core::config::FenceConfig;
    ///
    /// let text = b"device power fence_apc ip=192.0.2.1\nconnect power node=node1 plug=7\n";
    /// let config = FenceConfig::read(text).config?;
    /// let commands = config.commands(&"node1".parse()?, 0);
    /// assert!(commands[0].words().eq(["fence_apc", "--ip=192.0.2.1", "--plug=7"]));
    /// assert!(config.commands(&"node1".parse()?, 1).is_empty(), "there is one device only");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn read(text: &[u8]) -> FenceFile {
        let mut config = Self { devices: OrderedMap::default(), digest: Digest::of(text) };
        let mut errors = Vec::new();
        let (text, mark) = without_mark(text);
        let mut warnings = Vec::new();
        warnings.extend(mark.map(|mark| FenceWarning { line: 1, kind: FenceWarningKind::MarkAtStart(mark) }));
        for line in Lines::new(text) {
            match Statement::parse(&line) {
                Ok(None) => {}
                Ok(Some(statement)) => {
                    if let Err(kind) = config.apply(statement) {
                        errors.push(FenceError { line: line.number, kind });
                    }
                }
                Err(kind) => warnings.push(FenceWarning { line: line.number, kind }),
            }
        }
        FenceFile { config: if errors.is_empty() { Ok(config) } else { Err(FenceErrors(errors)) }, warnings }
    }

    /// The commands of one try to fence a node, to be run all at once: one for each part that the node is connected to
    /// of the device number `attempt` (from 0) among those that it is connected to. Nothing when no device is left.
    #[must_use]
    pub fn commands(&self, node: &NodeName, attempt: usize) -> Vec<FenceCommand> {
        let mut connected = self.devices.iter().filter(|(_, parts)| is_connected(parts, node));
        let Some((device, parts)) = connected.nth(attempt) else { return Vec::new() };
        let commands = parts.iter().filter_map(|(number, part)| {
            let further = part.connections.get(node)?;
            let arguments = part.arguments.iter().chain(further).cloned().collect();
            Some(FenceCommand { device: device.clone(), part: *number, program: part.agent.clone(), arguments })
        });
        commands.collect()
    }

    /// Whether some device can fence the node.
    #[must_use]
    pub fn is_connected(&self, node: &NodeName) -> bool {
        self.devices.values().any(|parts| is_connected(parts, node))
    }

    /// The same as a file that anybody may read: which program fences which node, without arguments, since any of them can be a secret.
    ///
    /// ```
    /// use ha_core::config::FenceConfig;
    ///
    /// let text = b"device power:2 fence_apc ip=192.0.2.1 password=x\nconnect power:2 node=node1 plug=7\n";
    /// let config = FenceConfig::read(text).config?;
    /// assert_eq!(config.without_arguments(), "device power:2 fence_apc\nconnect power:2 node=node1\n");
    /// # Ok::<(), ha_core::config::fence::FenceErrors>(())
    /// ```
    #[must_use]
    pub fn without_arguments(&self) -> String {
        let mut file = String::new();
        for (device, parts) in &self.devices {
            for (number, part) in parts {
                let name = shell_words::quoted(&part_name(device, *number));
                file.push_str(&format!("device {name} {}\n", shell_words::quoted(&part.agent)));
                let nodes = part.connections.keys();
                nodes.for_each(|node| file.push_str(&format!("connect {name} node={node}\n")));
            }
        }
        file
    }

    fn apply(&mut self, statement: Statement) -> Result<(), FenceErrorKind> {
        match statement {
            Statement::Device { name, number, agent, arguments } => {
                let part = part_name(&name, number);
                let parts = self.devices.entry(name).or_default();
                if parts.contains_key(&number) {
                    return Err(FenceErrorKind::DeviceAlreadyDeclared { part });
                }
                parts.insert(number, FencePart { agent, arguments, connections: BTreeMap::new() });
            }
            Statement::Connect { name, number, node, arguments } => {
                let part = part_name(&name, number);
                let Some(parts) = self.devices.get_mut(&name) else {
                    return Err(FenceErrorKind::DeviceNotDeclared { device: name });
                };
                let Some(declared) = parts.get_mut(&number) else {
                    return Err(FenceErrorKind::NoSuchParallelDevice { part });
                };
                let Some(node) = node else { return Err(FenceErrorKind::NodeMissing { part }) };
                if declared.connections.contains_key(&node) {
                    return Err(FenceErrorKind::NodeAlreadyConnected { part, node });
                }
                declared.connections.insert(node, arguments);
            }
        }
        Ok(())
    }
}

fn is_connected(parts: &FenceDevice, node: &NodeName) -> bool {
    parts.values().any(|part| part.connections.contains_key(node))
}

fn part_name(device: &str, part: u32) -> String {
    format!("{device}:{part}")
}

/// A line that says something.
enum Statement {
    Device { name: String, number: u32, agent: String, arguments: Vec<FenceArgument> },
    Connect { name: String, number: u32, node: Option<NodeName>, arguments: Vec<FenceArgument> },
}

impl Statement {
    /// What a line says. Nothing, if it is empty or a comment.
    fn parse(line: &Line<'_>) -> Result<Option<Self>, FenceWarningKind> {
        let content = trim(line.content);
        if content.is_empty() || content.starts_with(b"#") {
            return Ok(None);
        }
        let content = core::str::from_utf8(content).map_err(|_| FenceWarningKind::NotUtf8)?;
        let mut words = shell_words::split(content)?.into_iter();
        match words.next().unwrap_or_default().as_str() {
            "device" => Self::device(words).map(Some),
            "connect" => Self::connect(words).map(Some),
            other => Err(FenceWarningKind::UnknownLine(excerpt(other.as_bytes()))),
        }
    }

    fn device(mut words: impl Iterator<Item = String>) -> Result<Self, FenceWarningKind> {
        let (name, number) = device_name(words.next())?;
        let agent = words.next().filter(|agent| !agent.is_empty()).ok_or(FenceWarningKind::NoAgent)?;
        Ok(Self::Device { name, number, agent, arguments: arguments(words)? })
    }

    fn connect(mut words: impl Iterator<Item = String>) -> Result<Self, FenceWarningKind> {
        let (name, number) = device_name(words.next())?;
        let (nodes, arguments): (Vec<_>, Vec<_>) = arguments(words)?.into_iter().partition(|word| word.key == "node");
        let node = match nodes.as_slice() {
            [] => None,
            [only] => only.value.as_ref().and_then(|name| NodeName::new(name).ok()),
            [_, _, ..] => return Err(FenceWarningKind::SeveralNodes),
        };
        Ok(Self::Connect { name, number, node, arguments })
    }
}

fn arguments(words: impl Iterator<Item = String>) -> Result<Vec<FenceArgument>, FenceWarningKind> {
    words.map(|word| FenceArgument::parse(&word).ok_or(FenceWarningKind::NoKey)).collect()
}

/// `name` or `name:n`.
fn device_name(word: Option<String>) -> Result<(String, u32), FenceWarningKind> {
    let word = word.unwrap_or_default();
    let (name, number) = word.split_once(':').unwrap_or((&word, "1"));
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    match number.parse() {
        Ok(number) if digits && !name.is_empty() => Ok((name.to_string(), number)),
        Ok(_) | Err(_) => Err(FenceWarningKind::BadDeviceName),
    }
}

/// What a `fence.cfg` comes to, for machines: `errors`, or `tries` with the commands for each node.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FenceReport {
    /// Why the file is not used.
    Errors(Vec<FenceError>),
    /// For each try, and each node, the commands; up to the first try in which no node has any, and with that one.
    Tries(Vec<BTreeMap<NodeName, Vec<FenceCommand>>>),
}

impl FenceFile {
    /// What the file comes to for these nodes, for machines.
    #[must_use]
    pub fn report(&self, nodes: &[NodeName]) -> FenceReport {
        let config = match &self.config {
            Ok(config) => config,
            Err(errors) => return FenceReport::Errors(errors.0.clone()),
        };
        let mut tries = Vec::new();
        // A try uses up a device of every node, so there are at most as many with commands as there are devices.
        for attempt in 0..=config.devices.len() {
            let commands = nodes.iter().map(|node| (node.clone(), config.commands(node, attempt)));
            let commands: BTreeMap<NodeName, Vec<FenceCommand>> = commands.collect();
            let is_last = commands.values().all(Vec::is_empty);
            tries.push(commands);
            if is_last {
                break;
            }
        }
        FenceReport::Tries(tries)
    }
}
