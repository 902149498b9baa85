//! What every verb needs: the store, this node, and a way to fail.

use std::{
    collections::BTreeMap,
    fmt, fs, io,
    io::{IsTerminal, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
    time::Duration,
};

use anstyle::{AnsiColor, Style};
use ha_core::{
    config::{ConfigFiles, Digest, EditError},
    history::EntryId,
    id::{IdError, NodeName, ServiceId, ServiceTypes},
    status::ManagerStatus,
};
use ha_host::{
    agents::Kinds,
    desk::{Desk, DeskEdit, Present},
    history::{self, ChangeByPerson},
    node::StateDirectory,
    os::clock,
    store::{SharedStore, StoreAddress, StoreError, StoredConfiguration},
};

/// Why a verb was not carried out.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The arguments make no sense. Exit code 2.
    Usage(String),
    /// It could not be done. Exit code 1.
    Failed(String),
    /// Another machine works under this node's name. Exit code 3.
    Twin(String),
    /// Nobody reads the output any more.
    Closed,
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let message = error.to_string();
        let of_the_arguments = matches!(error, StoreError::BadAddress(_) | StoreError::BadAddressOption { .. });
        if of_the_arguments { Self::Usage(message) } else { Self::Failed(message) }
    }
}

impl From<IdError> for Failure {
    fn from(error: IdError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe { Self::Closed } else { Self::Failed(error.to_string()) }
    }
}

impl From<EditError> for Failure {
    /// A value that no configuration takes is the fault of the arguments; what this configuration refuses is not.
    fn from(error: EditError) -> Self {
        let of_the_arguments = ["unknown_property", "bad_value", "given_twice", "missing"];
        let usage = match error.code() {
            "bad_id" | "bad_rule_type" => true,
            _ => error.faults().iter().any(|fault| of_the_arguments.contains(&fault.kind.code())),
        };
        let message = error.to_string();
        if usage { Self::Usage(message) } else { Self::Failed(message) }
    }
}

impl Failure {
    pub(crate) fn failed(what: impl fmt::Display) -> Self {
        Self::Failed(what.to_string())
    }

    /// What went wrong, in words.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Usage(message) | Self::Failed(message) | Self::Twin(message) => message,
            Self::Closed => "nobody reads the output",
        }
    }
}

/// Says on the standard error what went wrong.
pub(super) fn complain(message: &str) {
    let style = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
    // If nobody can be told, the exit code says it.
    let _ = writeln!(anstream::stderr(), "{style}error:{style:#} {message}");
}

/// The store, and what was found out about it.
pub(super) struct Context {
    pub(super) store: Arc<dyn SharedStore>,
    pub(super) types: ServiceTypes,
    pub(super) state: StateDirectory,
    node: Option<NodeName>,
    pub(super) desk: Desk,
}

impl Context {
    pub(super) fn new(store: Option<&str>, node: Option<NodeName>, state: StateDirectory) -> Result<Self, Failure> {
        let address = store_address(store)?;
        let store = address.open(address.patience()).map_err(|error| state.explain(error))?;
        check_cluster(&state, &*store)?;
        let desk = Desk::new(store.clone());
        Ok(Self { store, state, types: desk.types().clone(), desk, node })
    }

    pub(super) fn node(&self) -> Result<NodeName, Failure> {
        own_node(self.node.clone())
    }

    pub(super) fn stored(&self) -> Result<StoredConfiguration, Failure> {
        Ok(self.desk.stored()?)
    }

    /// The manager status; an empty one if there is none.
    pub(super) fn manager_status(&self) -> Result<ManagerStatus, Failure> {
        self.desk.manager_status()?.map_err(Failure::Failed)
    }

    /// What resets each node when it stalls, as its daemon last said; only of nodes whose daemon has.
    pub(super) fn guards(&self) -> Result<BTreeMap<NodeName, String>, Failure> {
        let beats = self.store.beats()?;
        Ok(beats.into_iter().filter_map(|(node, beat)| Some((node, beat.guard?))).collect())
    }

    /// The service that a person means: a bare number stands for the guest that has it.
    pub(super) fn sid(&self, text: &str) -> Result<ServiceId, Failure> {
        if is_number(text) && self.guest_type(text).is_none() {
            return Err(Failure::Failed(format!("there is no guest '{text}': name the service as 'type:name'")));
        }
        self.new_sid(text)
    }

    /// The same for a service that may not be known yet.
    pub(super) fn new_sid(&self, text: &str) -> Result<ServiceId, Failure> {
        if let Some(service_type) = self.guest_type(text) {
            return Ok(self.types.join(&service_type, text)?);
        }
        if is_number(text) {
            return Err(Failure::Usage(format!(
                "'{text}': no guest of that number is known: name the service as 'type:name'"
            )));
        }
        match self.types.parse(text) {
            Ok(sid) => Ok(sid),
            Err(error) => Err(Failure::Usage(format!("{error}{}", self.did_you_mean(text)))),
        }
    }

    /// The service that a person probably meant, for the end of a message.
    pub(super) fn did_you_mean(&self, text: &str) -> String {
        self.desk.did_you_mean(text)
    }

    /// The type of the guest with this number.
    fn guest_type(&self, name: &str) -> Option<String> {
        self.desk.guest_type(name)
    }

    /// The kinds of guests that there are.
    pub(super) const fn kinds(&self) -> &Kinds {
        self.desk.kinds()
    }

    /// The node on which somebody acts: this one, or where it is none of the cluster the first.
    fn acting_node(&self) -> Option<NodeName> {
        let members = || self.store.settings().ok()?.nodes.into_iter().next();
        self.node().ok().or_else(members)
    }

    /// An id for a command that is about to be queued.
    pub(super) fn new_id(&self) -> Result<EntryId, Failure> {
        let none = || Failure::Failed("the cluster has no node".into());
        Ok(history::new_id(&self.acting_node().ok_or_else(none)?))
    }

    /// Keeps in the history that somebody has changed something, once it is done. That this can't be kept undoes nothing.
    pub(super) fn keep_change(&self, verb: &str, object: &str, change: &str) {
        self.keep_command(verb, object, change, None);
    }

    /// The same of a command, by its id.
    pub(super) fn keep_command(&self, verb: &str, object: &str, change: &str, command_id: Option<EntryId>) {
        /// Nobody waits longer for it.
        const PATIENCE: Duration = Duration::from_secs(3);
        let Some(node) = self.acting_node() else { return };
        let [verb, object, change] = [verb, object, change].map(str::to_owned);
        let change =
            ChangeByPerson { by: who(), through: None, verb, object, change, time_ms: clock::wall_ms(), command_id };
        if let Err(error) = history::tell_in_time(&self.store, &node, change, PATIENCE) {
            note(format_args!("it is done, but the history does not have it: {error}"));
        }
    }

    /// What the store says of the cluster now.
    pub(super) fn present(&self) -> Result<Present, Failure> {
        Ok(self.desk.present()?)
    }

    /// Makes an edit with all that its checks need. Only tried out, it is made on a copy: the answer has the files as they would be.
    pub(super) fn edit(
        &self,
        digest: Option<&str>,
        is_trial: bool,
        change: &mut DeskEdit<'_>,
    ) -> Result<ConfigFiles, Failure> {
        let seen = digest.map(Digest::from_str).transpose();
        let seen = seen.map_err(|error| Failure::Usage(format!("--digest: {error}")))?;
        Ok(self.desk.edit(seen, is_trial, change)??)
    }
}

/// Sees that the store is that of the cluster which this node is in. Who may not read that is no node.
fn check_cluster(state: &StateDirectory, store: &dyn SharedStore) -> Result<(), Failure> {
    match state.check(store) {
        Err(StoreError::File { source, .. }) if source.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        checked => Ok(checked.map(drop)?),
    }
}

/// This node: the given one, or the one that is named like the host.
pub(super) fn own_node(given: Option<NodeName>) -> Result<NodeName, Failure> {
    if let Some(node) = given {
        return Ok(node);
    }
    let host = nix::unistd::gethostname().map_err(io::Error::from)?;
    let host = host.to_string_lossy();
    let name = host.split('.').next().unwrap_or_default();
    NodeName::new(name).map_err(|error| Failure::Usage(format!("{error}; name this node with --node")))
}

/// The store that was named.
pub(super) fn store_address(store: Option<&str>) -> Result<StoreAddress, Failure> {
    let address = store.ok_or_else(|| {
        Failure::Usage(
            "no store is named: use --store file:DIRECTORY or --store etcd://HOST:PORT/PREFIX, or set HA_STORE".into(),
        )
    })?;
    Ok(address.parse()?)
}

/// A path that stays the same in another directory.
pub(super) fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|error| Failure::Failed(format!("{}: {error}", path.display())))
}

/// The name of this machine, if it has one that is a text.
pub(super) fn host_name() -> String {
    nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok()).unwrap_or_default()
}

/// Who types, as a word: the login name, and where.
pub(super) fn who() -> String {
    let from_environment = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
    let user =
        from_environment("SUDO_USER").or_else(|| from_environment("LOGNAME")).or_else(|| from_environment("USER"));
    let user = user.unwrap_or_else(|| {
        fs::metadata("/proc/self").map_or_else(|_| "somebody".to_owned(), |own| format!("uid-{}", own.uid()))
    });
    let host = host_name();
    let is_plain = |character: char| character.is_ascii_graphic();
    format!("{user}@{host}").chars().map(|character| if is_plain(character) { character } else { '_' }).collect()
}

/// Writes a line to the standard output.
pub(super) fn say(line: impl fmt::Display) -> Result<(), Failure> {
    Ok(writeln!(anstream::stdout(), "{line}")?)
}

/// A note that is not part of the answer.
pub(super) fn note(line: impl fmt::Display) {
    let style = Style::new().fg_color(Some(AnsiColor::Yellow.into()));
    let _ = writeln!(anstream::stderr(), "{style}note:{style:#} {line}");
}

/// Writes rows: in columns on a terminal, separated by tabs otherwise.
pub(super) fn say_rows(rows: &[Vec<String>]) -> Result<(), Failure> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell: &String| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let aligned = io::stdout().is_terminal();
    for row in rows {
        let cells: Vec<String> = match aligned {
            true => row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect(),
            false => row.clone(),
        };
        let line = cells.join(if aligned { "  " } else { "\t" });
        say(line.trim_end_matches(' '))?;
    }
    Ok(())
}

/// Writes a value as JSON.
pub(super) fn say_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    say(serde_json::to_string_pretty(value).map_err(Failure::failed)?)
}

/// Whether a service is named by a number alone.
fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
