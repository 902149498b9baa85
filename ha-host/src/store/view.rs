//! The configuration, read and understood.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use ha_core::{
    config::{
        DatacenterConfig, DatacenterFile, FenceConfig, GroupsConfig, NodesConfig, Problem, ResourcesConfig,
        RulesConfig,
        fence::{FenceError, FenceWarning},
    },
    host::{Configuration, Guests},
    id::ServiceTypes,
};

use super::{ConfigFile, ConfigTexts, DefinitionCheck, GuestTable, Store, StoreError};

/// All of the configuration, with what is wrong in it.
#[derive(Debug, Clone, Default)]
pub struct StoredConfiguration {
    /// What the daemons work with.
    pub configuration: Configuration,
    /// The file `datacenter.cfg`, to edit it.
    pub datacenter_file: Arc<DatacenterFile>,
    /// What is wrong in the files, and in the guests' definitions.
    pub problems: Vec<FileProblem>,
    /// The guests with their definitions.
    pub guests: Arc<GuestTable>,
}

/// Something that is wrong in a file of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileProblem {
    /// A line or a section cannot be used.
    Config(ConfigFile, Problem),
    /// `fence.cfg` is not used for it.
    Fence(FenceError),
    /// A line of `fence.cfg` is skipped.
    FenceWarning(FenceWarning),
    /// The definition of a guest cannot be used.
    Guest(String),
}

impl fmt::Display for FileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(file, problem) => write!(f, "{}: {problem}", file.name()),
            Self::Fence(error) => write!(f, "{}: {error}", ConfigFile::Fence.name()),
            Self::FenceWarning(warning) => write!(f, "{}: {warning}", ConfigFile::Fence.name()),
            Self::Guest(problem) => f.write_str(problem),
        }
    }
}

/// Reads the configuration, and reads again only what has changed.
#[derive(Debug)]
pub struct ConfigurationReader {
    types: ServiceTypes,
    definitions: DefinitionCheck,
    last: Mutex<Last>,
}

#[derive(Debug, Default)]
struct Last {
    texts: ConfigTexts,
    guest_problems: Vec<String>,
    agent_problems: Vec<String>,
    config_problems: Vec<FileProblem>,
    stored: StoredConfiguration,
}

impl ConfigurationReader {
    /// A reader for services of these types, and for guests whose agents understand what `definitions` lets pass.
    #[must_use]
    pub fn new(types: ServiceTypes, definitions: DefinitionCheck) -> Self {
        Self { types, definitions, last: Mutex::default() }
    }

    /// The configuration as it is now.
    ///
    /// # Errors
    ///
    /// If the store fails. What is wrong in a file is no error: the rest of it holds.
    pub fn read(&self, store: &dyn Store) -> Result<StoredConfiguration, StoreError> {
        let texts = store.config_texts()?;
        let (guests, guest_problems) = store.guests()?;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let same_texts = texts.len() == last.texts.len()
            && texts.iter().all(|(file, text)| last.texts.get(file).is_some_and(|old| Arc::ptr_eq(old, text)));
        if !same_texts {
            let (configuration, datacenter_file, problems) = understand(&texts, &self.types);
            last.stored.configuration =
                Configuration { guests: last.stored.configuration.guests.clone(), ..configuration };
            last.stored.datacenter_file = datacenter_file;
            last.config_problems = problems;
            last.texts = texts;
        }
        let same_guests = Arc::ptr_eq(&guests, &last.stored.guests);
        if !same_guests {
            let places: Guests = guests.iter().map(|(sid, guest)| (sid.clone(), guest.node.clone())).collect();
            last.stored.configuration.guests = Arc::new(places);
            let checked = guests.iter().map(|(sid, guest)| (sid, self.definitions.check(&guest.agent)));
            let wrong = checked.filter_map(|(sid, checked)| Some((sid, checked.err()?)));
            last.agent_problems =
                wrong.map(|(sid, problem)| format!("the definition of guest '{sid}': {problem}")).collect();
            last.stored.guests = guests;
        }
        if !same_texts || !same_guests || guest_problems != last.guest_problems {
            let of_guests = guest_problems.iter().chain(&last.agent_problems).cloned().map(FileProblem::Guest);
            last.stored.problems = last.config_problems.iter().cloned().chain(of_guests).collect();
            last.guest_problems = guest_problems;
        }
        Ok(last.stored.clone())
    }
}

fn understand(texts: &ConfigTexts, types: &ServiceTypes) -> (Configuration, Arc<DatacenterFile>, Vec<FileProblem>) {
    let text = |file| texts.get(&file).map(|text| &**text).unwrap_or_default();
    let mut problems = Vec::new();
    let mut note = |file, found: Vec<Problem>| {
        problems.extend(found.into_iter().map(|problem| FileProblem::Config(file, problem)));
    };

    let resources = ResourcesConfig::read(text(ConfigFile::Resources), types);
    note(ConfigFile::Resources, resources.problems);
    let groups = GroupsConfig::read(text(ConfigFile::Groups));
    note(ConfigFile::Groups, groups.problems);
    let rules = RulesConfig::read(text(ConfigFile::Rules), types);
    note(ConfigFile::Rules, rules.problems);
    let nodes = NodesConfig::read(text(ConfigFile::Nodes));
    note(ConfigFile::Nodes, nodes.problems);
    let datacenter = DatacenterFile::read(text(ConfigFile::Datacenter));
    note(ConfigFile::Datacenter, datacenter.problems);
    let fence = texts.get(&ConfigFile::Fence).and_then(|text| {
        let file = FenceConfig::read(text);
        problems.extend(file.warnings.into_iter().map(FileProblem::FenceWarning));
        match file.config {
            Ok(config) => Some(Arc::new(config)),
            Err(errors) => {
                problems.extend(errors.0.into_iter().map(FileProblem::Fence));
                None
            }
        }
    });

    let settings: DatacenterConfig = datacenter.config.config().clone();
    let configuration = Configuration {
        resources: Arc::new(resources.config),
        groups: Arc::new(groups.config),
        rules: Arc::new(rules.config),
        nodes: Arc::new(nodes.config),
        datacenter: Arc::new(settings),
        fence,
        guests: Arc::default(),
    };
    (configuration, Arc::new(datacenter.config), problems)
}
