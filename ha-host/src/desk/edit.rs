//! The desk itself: a store, and what is needed to read and edit it by the names that people use.

use std::{collections::BTreeSet, sync::Arc};

use ha_core::{
    config::{ConfigFiles, Digest, EditError, Editor},
    history::{CommandFate, Commands, EntryId},
    id::{IdError, ServiceId, ServiceTypes},
    similar::{did_you_mean, similar_service},
    status::{Command, CommandLine, ManagerStatus, ServiceState},
};

use super::Present;
use crate::{
    agents::Kinds,
    history::Reader,
    os::clock::{Clock, MachineClock},
    store::{
        ConfigurationReader, RecordName, SharedStore, StoreError, StoredConfiguration, edit, read_manager_status,
        try_edit,
    },
};

/// A change of the configuration, by an editor that has all that its checks need.
pub type DeskEdit<'a> = dyn FnMut(&Editor<'_>, &mut ConfigFiles) -> Result<(), EditError> + 'a;

/// A store with what is needed to read and edit it.
#[derive(Debug)]
pub struct Desk {
    store: Arc<dyn SharedStore>,
    kinds: Kinds,
    types: ServiceTypes,
    reader: ConfigurationReader,
    clock: Arc<dyn Clock>,
    needs_majority: bool,
}

impl Desk {
    /// The desk of a cluster that has the kinds of guests of this crate.
    #[must_use]
    pub fn new(store: Arc<dyn SharedStore>) -> Self {
        Self::with_kinds(store, Kinds::default())
    }

    /// The desk of a cluster with these kinds of guests.
    #[must_use]
    pub fn with_kinds(store: Arc<dyn SharedStore>, kinds: Kinds) -> Self {
        let types = kinds.service_types();
        let reader = ConfigurationReader::new(types.clone(), kinds.checker());
        Self { store, kinds, types, reader, clock: Arc::new(MachineClock), needs_majority: false }
    }

    /// The same by another clock: that of a cluster which is played.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// The same of a cluster in which nobody acts unless more than half of the members are there.
    #[must_use]
    pub fn of_majority(self) -> Self {
        Self { needs_majority: true, ..self }
    }

    /// What tells the time of the cluster.
    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// The kinds of guests that there are.
    #[must_use]
    pub const fn kinds(&self) -> &Kinds {
        &self.kinds
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn SharedStore> {
        &self.store
    }

    /// The types of services that there are.
    #[must_use]
    pub const fn types(&self) -> &ServiceTypes {
        &self.types
    }

    /// The configuration, with what is wrong in it.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub fn stored(&self) -> Result<StoredConfiguration, StoreError> {
        self.reader.read(&*self.store)
    }

    /// Queues a command for the master. From then on it is known by its id.
    ///
    /// # Errors
    ///
    /// If the store fails. The command may be queued then.
    pub fn give(&self, command: &Command, by: &str, id: &EntryId) -> Result<(), StoreError> {
        let line = CommandLine::given(command.clone(), by).called(&id.to_string());
        self.store.append_command(&line.to_string())
    }

    /// How a command stands: by the queue, and by the history of the cluster. Nothing where neither knows the id, or no longer.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub fn fate_of_command(&self, id: &str) -> Result<Option<CommandFate>, StoreError> {
        // The queue first: what is taken out of it in between is told by the history then.
        let mut queued = self.store.commands()?.into_iter().filter_map(|line| line.parse::<CommandLine>().ok());
        let queued = queued.find(|line| line.id.as_deref() == Some(id));
        let mut commands = Commands::default();
        Reader::after(&*self.store, 0)?.entries.iter().for_each(|entry| commands.take(entry));
        let known = commands.get(id).cloned();
        Ok(match (known, queued) {
            (Some(fate), Some(line)) if fate.command.is_none() => {
                Some(CommandFate { command: Some(line.command.to_string()), ..fate })
            }
            (None, Some(line)) => Some(CommandFate {
                command: Some(line.command.to_string()),
                by: line.by().map(str::to_owned),
                ..CommandFate::queued(id)
            }),
            (known, _) => known,
        })
    }

    /// What the store says of the cluster now.
    ///
    /// # Errors
    ///
    /// If the store as a whole gives no answer.
    pub fn present(&self) -> Result<Present, StoreError> {
        let present = Present::read(&*self.store, &self.reader)?;
        Ok(Present { now: self.clock.now(), needs_majority: self.needs_majority, ..present })
    }

    /// The manager status; an empty one if there is none. The inner error says that it can't be understood.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub fn manager_status(&self) -> Result<Result<ManagerStatus, String>, StoreError> {
        let Some(content) = self.store.record(&RecordName::Manager)? else { return Ok(Ok(ManagerStatus::default())) };
        Ok(read_manager_status(&content, &self.store.record_place(&RecordName::Manager)))
    }

    /// The type of the guest with this number, if it is known and the only one.
    #[must_use]
    pub fn guest_type(&self, name: &str) -> Option<String> {
        if !name.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let stored = self.stored().ok()?;
        // Services of guests that are gone are meant too: they can be removed.
        let configured = stored.configuration.resources.resources.keys();
        let known = stored.guests.keys().chain(configured);
        only_one(known.filter(|sid| sid.name() == name)).map(|sid| sid.service_type().to_owned())
    }

    /// The service that a text means: with its type, it is taken as it is; without, it is the service of that name, or else the
    /// guest, if there is exactly one of them, of the given type if there is one.
    ///
    /// # Errors
    ///
    /// The inner error says why it is none.
    pub fn named(&self, text: &str, service_type: Option<&str>) -> Result<Result<ServiceId, NameError>, StoreError> {
        if text.contains(':') {
            return Ok(self.types.parse(text).map_err(NameError::Id));
        }
        let stored = self.stored()?;
        let is_meant = |sid: &&ServiceId| {
            sid.name() == text && service_type.is_none_or(|service_type| sid.service_type() == service_type)
        };
        let services: BTreeSet<&ServiceId> = stored.configuration.resources.resources.keys().filter(is_meant).collect();
        let guests: BTreeSet<&ServiceId> = stored.guests.keys().filter(is_meant).collect();
        let meant = if services.is_empty() { guests } else { services };
        if meant.len() > 1 {
            let names: Vec<&str> = meant.into_iter().map(ServiceId::as_str).collect();
            return Ok(Err(NameError::Several { name: text.into(), sids: names.join(", ") }));
        }
        let found = meant.into_iter().next().cloned();
        Ok(found.ok_or_else(|| NameError::Unknown { name: text.into(), similar: self.did_you_mean(text) }))
    }

    /// The service that was probably meant, for the end of a message.
    #[must_use]
    pub fn did_you_mean(&self, text: &str) -> String {
        let Ok(stored) = self.stored() else { return String::new() };
        let resources = stored.configuration.resources.resources.keys();
        let known: BTreeSet<&str> = stored.guests.keys().chain(resources).map(ServiceId::as_str).collect();
        did_you_mean(similar_service(text, known.iter().copied()))
    }

    /// Makes an edit with all that its checks need, if the file that it is about has the digest that was `seen`. Only tried out, it
    /// is made on a copy: the answer has the files as they would be.
    ///
    /// # Errors
    ///
    /// The outer error is the store's, the inner one says why the edit is refused.
    pub fn edit(
        &self,
        seen: Option<Digest>,
        is_trial: bool,
        change: &mut DeskEdit<'_>,
    ) -> Result<Result<ConfigFiles, EditError>, StoreError> {
        let nodes = self.store.settings()?.nodes;
        let status = self.manager_status().ok().and_then(Result::ok).unwrap_or_default();
        let guest_type = |name: &str| self.guest_type(name);
        let in_error =
            |sid: &ServiceId| status.services.get(sid).is_some_and(|entry| entry.state == ServiceState::Error);
        let editor = Editor::new(&self.types, &nodes).guest_types(&guest_type).services_in_error(&in_error).seen(seen);
        let apply = |config: &mut ConfigFiles| change(&editor, config).map(|()| config.clone());
        match is_trial {
            true => try_edit(&*self.store, &self.types, apply),
            false => edit(&*self.store, &self.types, apply),
        }
    }
}

/// The one thing that there is, if there is no other.
fn only_one<T: Ord>(all: impl Iterator<Item = T>) -> Option<T> {
    let mut all: BTreeSet<T> = all.collect();
    all.pop_first().filter(|_| all.is_empty())
}

/// Why a text names no service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// It is no name of a service.
    #[error(transparent)]
    Id(IdError),
    /// Nothing has that name.
    #[error("there is no service or guest '{name}': name it as 'type:name'{similar}")]
    Unknown {
        /// The name.
        name: String,
        /// What was probably meant, as a question.
        similar: String,
    },
    /// Several have it.
    #[error("'{name}' may be {sids}: name it as 'type:name'")]
    Several {
        /// The name.
        name: String,
        /// Those that have it.
        sids: String,
    },
}
