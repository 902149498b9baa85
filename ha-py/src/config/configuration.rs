//! All of the configuration together.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ha_core::{
    config::{Digest, Problem},
    host,
    id::{NodeName, ServiceId, ServiceTypes},
};
use pyo3::{inspect::PyStaticExpr, prelude::*, type_hint_union, types::PyBytes};

use super::{
    DatacenterFile, Editor, FenceConfig, GroupsConfig, NodesConfig, ResourcesConfig, RulesConfig, sections::node_names,
    service_types, write_file,
};
use crate::{
    convert::{Items, Name, Node, OutAll, PathArg, Sid, Text},
    errors, raise,
    rules::RuleSet,
};

/// A file as an argument: its text, or what was read already.
pub(crate) struct FileArg<T>(pub(crate) T);

macro_rules! file_arguments {
    ($($class:ty: $read:expr;)+) => {
        $(impl<'a, 'py> FromPyObject<'a, 'py> for FileArg<$class> {
            type Error = PyErr;

            const INPUT_TYPE: PyStaticExpr =
                type_hint_union!(<$class as pyo3::PyTypeInfo>::TYPE_HINT, Text::INPUT_TYPE);

            fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
                if let Ok(file) = object.cast::<$class>() {
                    return Ok(Self(file.get().clone()));
                }
                let read: fn(&[u8]) -> $class = $read;
                object.extract::<Text>().map(|Text(text)| Self(read(&text)))
            }
        })+
    };
}

file_arguments! {
    ResourcesConfig: |text| ResourcesConfig::from_bytes(text, &ServiceTypes::default());
    GroupsConfig: |text| GroupsConfig::from_bytes(text, &ServiceTypes::default());
    RulesConfig: |text| RulesConfig::from_bytes(text, &ServiceTypes::default());
    NodesConfig: |text| NodesConfig::from_bytes(text, &ServiceTypes::default());
    DatacenterFile: DatacenterFile::from_bytes;
    FenceConfig: FenceConfig::from_bytes;
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Parts {
    pub(crate) resources: ResourcesConfig,
    pub(crate) groups: GroupsConfig,
    pub(crate) rules: RulesConfig,
    pub(crate) nodes: NodesConfig,
    pub(crate) datacenter: DatacenterFile,
    pub(crate) fence: Option<FenceConfig>,
    pub(crate) guests: Arc<host::Guests>,
    pub(crate) types: ServiceTypes,
    /// The settings, kept so that every round gets the same ones.
    pub(crate) settings: Option<Arc<ha_core::config::DatacenterConfig>>,
}

/// All of the configuration that the daemons read. Edits change it; the files that it hands out never change.
///
/// >>> from pyha import Configuration
/// >>> configuration = Configuration(resources="vm: 100\n", guests={"vm:100": "node1"})
/// >>> editor = configuration.editor(nodes=["node1", "node2"])
/// >>> editor.set_resource("vm:100", state="stopped")
/// >>> configuration.resources.to_bytes()
/// b'vm: 100\n\tstate stopped\n\n'
#[pyclass(frozen, module = "pyha")]
#[derive(Debug, Default)]
pub(crate) struct Configuration(Mutex<Parts>);

impl Configuration {
    pub(crate) fn of(parts: Parts) -> Self {
        Self(Mutex::new(parts))
    }

    /// Never held while Python code runs.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Parts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a host hands to the core.
    pub(crate) fn for_core(&self) -> host::Configuration {
        let mut parts = self.lock();
        let settings = match &parts.settings {
            Some(settings) => settings.clone(),
            None => {
                let settings = Arc::new(parts.datacenter.file.config().clone());
                parts.settings = Some(settings.clone());
                settings
            }
        };
        host::Configuration {
            resources: parts.resources.config.clone(),
            groups: parts.groups.config.clone(),
            rules: parts.rules.config.clone(),
            nodes: parts.nodes.config.clone(),
            datacenter: settings,
            fence: parts.fence.as_ref().and_then(FenceConfig::used).cloned().map(Arc::new),
            guests: parts.guests.clone(),
        }
    }
}

impl Parts {
    pub(crate) fn set_datacenter(&mut self, file: ha_core::config::DatacenterFile) {
        self.datacenter.file = file;
        self.settings = None;
    }

    fn files(&self) -> [(&'static str, Vec<u8>); 5] {
        [
            ("resources.cfg", self.resources.config.write()),
            ("groups.cfg", self.groups.config.write()),
            ("rules.cfg", self.rules.config.write()),
            ("nodes.cfg", self.nodes.config.write()),
            ("datacenter.cfg", self.datacenter.file.write()),
        ]
    }

    fn problems(&self) -> [(&'static str, &[Problem]); 5] {
        [
            ("resources.cfg", &self.resources.problems),
            ("groups.cfg", &self.groups.problems),
            ("rules.cfg", &self.rules.problems),
            ("nodes.cfg", &self.nodes.problems),
            ("datacenter.cfg", &self.datacenter.problems),
        ]
    }

    /// Reads the files of a folder that there are.
    fn read(folder: &Path, types: ServiceTypes) -> Result<Self, (std::io::Error, std::path::PathBuf)> {
        let file = |name: &str| {
            let path = folder.join(name);
            match std::fs::read(&path) {
                Ok(bytes) => Ok(Some(bytes)),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound && folder.is_dir() => Ok(None),
                Err(error) => Err((error, path)),
            }
        };
        let bytes = |name| file(name).map(Option::unwrap_or_default);
        Ok(Self {
            resources: ResourcesConfig::from_bytes(&bytes("resources.cfg")?, &types),
            groups: GroupsConfig::from_bytes(&bytes("groups.cfg")?, &types),
            rules: RulesConfig::from_bytes(&bytes("rules.cfg")?, &types),
            nodes: NodesConfig::from_bytes(&bytes("nodes.cfg")?, &types),
            datacenter: DatacenterFile::from_bytes(&bytes("datacenter.cfg")?),
            fence: file("fence.cfg")?.map(|bytes| FenceConfig::from_bytes(&bytes)),
            guests: Arc::default(),
            types,
            settings: None,
        })
    }
}

fn guests_of(guests: BTreeMap<String, String>, py: Python<'_>) -> PyResult<host::Guests> {
    let pair = |(sid, node): (String, String)| Ok((sid.parse::<ServiceId>()?, node.parse::<NodeName>()?));
    let pairs = guests.into_iter().map(pair).collect::<Result<Vec<_>, ha_core::id::IdError>>();
    Ok(pairs.map_err(|error| raise::invalid(py, &error.to_string()))?.into_iter().collect())
}

#[pymethods]
impl Configuration {
    #[new]
    #[pyo3(signature = (
        *, resources=None, groups=None, rules=None, nodes=None, datacenter=None, fence=None, guests=BTreeMap::new(),
        service_types=Items::default()
    ))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn new(
        py: Python<'_>,
        resources: Option<FileArg<ResourcesConfig>>,
        groups: Option<FileArg<GroupsConfig>>,
        rules: Option<FileArg<RulesConfig>>,
        nodes: Option<FileArg<NodesConfig>>,
        datacenter: Option<FileArg<DatacenterFile>>,
        fence: Option<FileArg<FenceConfig>>,
        guests: BTreeMap<String, String>,
        service_types: Items<String>,
    ) -> PyResult<Self> {
        Ok(Self::of(Parts {
            resources: resources.map(|FileArg(file)| file).unwrap_or_default(),
            groups: groups.map(|FileArg(file)| file).unwrap_or_default(),
            rules: rules.map(|FileArg(file)| file).unwrap_or_default(),
            nodes: nodes.map(|FileArg(file)| file).unwrap_or_default(),
            datacenter: datacenter.map(|FileArg(file)| file).unwrap_or_default(),
            fence: fence.map(|FileArg(file)| file),
            guests: Arc::new(guests_of(guests, py)?),
            types: self::service_types(&service_types.0),
            settings: None,
        }))
    }

    /// Reads ``resources.cfg``, ``groups.cfg``, ``rules.cfg``, ``nodes.cfg``, ``datacenter.cfg`` and ``fence.cfg`` of a
    /// folder, as far as they are there.
    #[staticmethod]
    #[pyo3(signature = (folder, *, service_types=Items::default()))]
    fn read(py: Python<'_>, folder: PathArg, service_types: Items<String>) -> PyResult<Self> {
        let types = self::service_types(&service_types.0);
        let parts = py.detach(|| Parts::read(&folder, types));
        parts.map(Self::of).map_err(|(error, path)| raise::io(&error, &path))
    }

    /// Writes the files into a folder; those that are empty and not there stay away. Each is written whole or not at all.
    fn write(&self, py: Python<'_>, folder: PathArg) -> PyResult<()> {
        let files = self.lock().files();
        for (name, bytes) in files {
            let path = folder.join(name);
            if !bytes.is_empty() || path.exists() {
                write_file(py, &path, &bytes)?;
            }
        }
        let mut parts = self.lock();
        let datacenter = parts.datacenter.file.write();
        parts.datacenter = DatacenterFile::from_bytes(&datacenter);
        let digest = |bytes: Vec<u8>| Digest::of(&bytes);
        let (resources, groups, rules, nodes) = (
            digest(parts.resources.config.write()),
            digest(parts.groups.config.write()),
            digest(parts.rules.config.write()),
            digest(parts.nodes.config.write()),
        );
        Arc::make_mut(&mut parts.resources.config).digest = resources;
        Arc::make_mut(&mut parts.groups.config).digest = groups;
        Arc::make_mut(&mut parts.rules.config).digest = rules;
        Arc::make_mut(&mut parts.nodes.config).digest = nodes;
        Ok(())
    }

    /// The bytes of the files that are not empty, by name. ``fence.cfg``, which is only read, is not among them.
    fn files<'py>(&self, py: Python<'py>) -> BTreeMap<&'static str, Bound<'py, PyBytes>> {
        let files = self.lock().files().into_iter().filter(|(_, bytes)| !bytes.is_empty());
        files.map(|(name, bytes)| (name, PyBytes::new(py, &bytes))).collect()
    }

    /// The services that are managed.
    #[getter]
    fn resources(&self) -> ResourcesConfig {
        self.lock().resources.clone()
    }

    /// The groups.
    #[getter]
    fn groups(&self) -> GroupsConfig {
        self.lock().groups.clone()
    }

    /// The rules.
    #[getter]
    fn rules(&self) -> RulesConfig {
        self.lock().rules.clone()
    }

    /// What is said of nodes.
    #[getter]
    fn nodes(&self) -> NodesConfig {
        self.lock().nodes.clone()
    }

    /// Settings of the whole cluster.
    #[getter]
    fn datacenter(&self) -> DatacenterFile {
        self.lock().datacenter.clone()
    }

    /// The fence devices, if there is such a file.
    #[getter]
    fn fence(&self) -> Option<FenceConfig> {
        self.lock().fence.clone()
    }

    /// Where each guest is configured, by SID.
    #[getter]
    fn guests(&self) -> BTreeMap<String, String> {
        let parts = self.lock();
        parts.guests.iter().map(|(sid, guest)| (sid.to_string(), guest.node.to_string())).collect()
    }

    /// Says where guests are configured, instead of what was said before.
    fn set_guests(&self, py: Python<'_>, guests: BTreeMap<String, String>) -> PyResult<()> {
        let guests = Arc::new(guests_of(guests, py)?);
        self.lock().guests = guests;
        Ok(())
    }

    /// What is wrong in the files, by file; without those that have no problem. See ``fence.faults`` for ``fence.cfg``.
    #[getter]
    fn problems(&self) -> BTreeMap<&'static str, OutAll<Problem>> {
        let parts = self.lock();
        let problems = parts.problems().into_iter().filter(|(_, problems)| !problems.is_empty());
        problems.map(|(file, problems)| (file, OutAll(problems.to_vec()))).collect()
    }

    /// Raises a ``ConfigError`` for the first file with problems.
    fn raise_for_problems(&self, py: Python<'_>) -> PyResult<()> {
        let parts = self.lock().clone();
        if let Some((file, problems)) = parts.problems().into_iter().find(|(_, problems)| !problems.is_empty()) {
            return Err(errors::config(py, file, problems));
        }
        parts.fence.as_ref().map_or(Ok(()), |fence| fence.raise_for_problems(py))
    }

    /// The rules, with those that groups stand for, where nodes fail together as ``nodes.cfg`` says.
    fn rule_set(&self) -> RuleSet {
        RuleSet::of(&self.for_core())
    }

    /// The groups that services name but whose rule ``rules.cfg`` holds already: the written rule stands, the group adds none.
    fn shadowed_groups(&self) -> Vec<String> {
        let parts = self.lock();
        let (rules, groups, resources) = (&parts.rules.config, &parts.groups.config, &parts.resources.config);
        ha_core::rules::shadowed_groups(rules, groups, resources).iter().map(ToString::to_string).collect()
    }

    /// Whether a service moves to a node of higher priority, by its own setting or that of its group; ``None`` if it is
    /// not configured.
    fn effective_failback(&self, sid: Sid) -> Option<bool> {
        let parts = self.lock();
        let resource = parts.resources.config.resources.get(&sid.0)?;
        Some(ha_core::rules::effective_failback(resource, &parts.groups.config))
    }

    /// Makes edits, with all their checks.
    ///
    /// ``nodes`` are all known members of the cluster. ``in_error`` are the services in state ``error``, for which only
    /// ``disabled`` can be asked. ``guest_types`` tells the service type of bare guest numbers. With ``seen``, the file
    /// that is edited must have this digest.
    #[pyo3(signature = (*, nodes=Items::default(), in_error=Items::default(), guest_types=BTreeMap::new(), seen=None))]
    fn editor(
        slf: Bound<'_, Self>,
        nodes: Items<Node>,
        in_error: Items<Sid>,
        guest_types: BTreeMap<String, String>,
        seen: Option<&str>,
    ) -> PyResult<Editor> {
        let seen = seen.map(str::parse::<Digest>).transpose();
        let seen = seen.map_err(|error| raise::invalid(slf.py(), &error.to_string()))?;
        let in_error = in_error.0.into_iter().map(|Name(sid)| sid).collect();
        Ok(Editor { configuration: slf.unbind(), nodes: node_names(nodes), in_error, guest_types, seen })
    }

    /// A configuration of its own, with the same content.
    fn copy(&self) -> Self {
        Self::of(self.lock().clone())
    }

    fn __copy__(&self) -> Self {
        self.copy()
    }

    fn __deepcopy__(&self, _memo: &Bound<'_, PyAny>) -> Self {
        self.copy()
    }

    fn __eq__(&self, other: &Self) -> bool {
        let (one, other) = (self.lock().clone(), other.lock().clone());
        one.resources.config == other.resources.config
            && one.groups.config == other.groups.config
            && one.rules.config == other.rules.config
            && one.nodes.config == other.nodes.config
            && one.datacenter.file == other.datacenter.file
            && one.fence.map(|fence| fence.file) == other.fence.map(|fence| fence.file)
            && one.guests == other.guests
    }

    fn __repr__(&self) -> String {
        let parts = self.lock();
        let (resources, groups, rules) =
            (parts.resources.config.resources.len(), parts.groups.config.groups.len(), parts.rules.config.rules.len());
        format!("<Configuration: {resources} resources, {groups} groups, {rules} rules>")
    }
}
