//! Reading the folder of a recorded scenario.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use ha_core::{
    config::{DatacenterConfig, GroupsConfig, Resource, RulesConfig},
    id::{IdError, NodeName, ServiceId, ServiceTypes},
    status::ManagerStatus,
};
use serde_json::{Map, Value};

use crate::world::{Guest, Node, World};

/// A scenario that was read, ready to be played.
#[derive(Debug, Clone)]
pub struct Case {
    /// The world that it begins with.
    pub world: World,
    /// The lists of commands, each played some time after the one before it.
    pub commands: Vec<Vec<String>>,
}

/// Why a folder can't be read as a recorded scenario.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// A file can't be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not what it should be.
    #[error("{}: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// The version of a node's software where none is given.
const DEFAULT_VERSION: &str = "9.0.0~2";

/// The types of service in recorded scenarios: the built-in ones, and one that fails on purpose.
pub(super) fn service_types() -> ServiceTypes {
    let mut types = ServiceTypes::default();
    types.register(
        "fa",
        |name| {
            if name.bytes().all(|b| b.is_ascii_digit()) { Ok(()) } else { Err("expected digits".into()) }
        },
    );
    types
}

impl Case {
    /// Reads the folder of a scenario.
    ///
    /// # Errors
    ///
    /// If a file is missing or is not what it should be.
    pub fn read(folder: &Path) -> Result<Self, CaseError> {
        let files = Files { folder };
        let mut world = World::default();
        read_nodes(&files, &mut world)?;
        read_services(&files, &mut world)?;
        read_configuration(&files, &mut world)?;
        let status = files.text("manager_status")?;
        let status = ManagerStatus::from_json(&status).map_err(|error| files.wrong("manager_status", error))?;
        world.store.manager_status = Some(Arc::new(status));
        let commands = serde_json::from_str(&files.text("cmdlist")?).map_err(|error| files.wrong("cmdlist", error))?;
        Ok(Self { world, commands })
    }
}

/// The files of one scenario.
struct Files<'a> {
    folder: &'a Path,
}

impl Files<'_> {
    fn optional(&self, name: &str) -> Result<Option<String>, CaseError> {
        let path = self.folder.join(name);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(CaseError::Read { path, source }),
        }
    }

    fn text(&self, name: &str) -> Result<String, CaseError> {
        let path = self.folder.join(name);
        fs::read_to_string(&path).map_err(|source| CaseError::Read { path, source })
    }

    /// A JSON object whose values are objects; an empty one if the file is missing.
    fn objects(&self, name: &str) -> Result<Map<String, Value>, CaseError> {
        let Some(text) = self.optional(name)? else { return Ok(Map::new()) };
        serde_json::from_str(&text).map_err(|error| self.wrong(name, error))
    }

    fn wrong(&self, name: &str, reason: impl ToString) -> CaseError {
        CaseError::Content { path: self.folder.join(name), reason: reason.to_string() }
    }
}

fn read_nodes(files: &Files<'_>, world: &mut World) -> Result<(), CaseError> {
    const FILE: &str = "hardware_status";
    for (name, hardware) in files.objects(FILE)? {
        let name = NodeName::new(&name).map_err(|error| files.wrong(FILE, error))?;
        let switch = |key: &str| hardware.get(key).and_then(Value::as_str) == Some("on");
        let works = |key: &str| hardware.get("cfs").and_then(|cfs| cfs.get(key)).is_none_or(is_true);
        let node = Node {
            power: switch("power"),
            network: switch("network"),
            store_fails: !works("rw"),
            refresh_fails: !works("update"),
            max_cpu: hardware.get("maxcpu").and_then(number),
            max_memory: hardware.get("maxmem").and_then(whole_number),
            version: hardware.get("pve-manager-version").and_then(Value::as_str).unwrap_or(DEFAULT_VERSION).to_owned(),
            ..Node::default()
        };
        world.nodes.insert(name, node);
    }
    Ok(())
}

fn read_services(files: &Files<'_>, world: &mut World) -> Result<(), CaseError> {
    const FILE: &str = "service_config";
    let types = service_types();
    for (sid, config) in files.objects(FILE)? {
        let sid = types.parse(&sid).map_err(|error| files.wrong(FILE, error))?;
        let (resource, guest) = service(&sid, &config).map_err(|reason| files.wrong(FILE, reason))?;
        world.store.put_resource(resource);
        world.guests.insert(sid, guest);
    }
    read_figures(files, world, "static_service_stats", |guest, figures| {
        guest.max_cpu = figures.get("maxcpu").and_then(number).unwrap_or(0.0);
        guest.max_memory = figures.get("maxmem").and_then(whole_number).unwrap_or(0);
    })?;
    read_figures(files, world, "dynamic_service_stats", |guest, figures| {
        guest.cpu = figures.get("cpu").and_then(number).unwrap_or(0.0);
        guest.memory = figures.get("mem").and_then(whole_number).unwrap_or(0);
    })
}

/// Reads one service as the scenario has it.
fn service(sid: &ServiceId, config: &Value) -> Result<(Resource, Guest), String> {
    let text = |key: &str| config.get(key).and_then(Value::as_str);
    let count = |key: &str| config.get(key).and_then(whole_number).and_then(|count| u32::try_from(count).ok());
    let node = text("node").ok_or_else(|| format!("{sid} has no node"))?;
    let node = NodeName::new(node).map_err(|error| error.to_string())?;
    let mut resource = Resource::new(sid.clone());
    resource.state = Some(text("state").unwrap_or("disabled").parse().map_err(|error| format!("{sid}: {error}"))?);
    resource.max_restart = count("max_restart");
    resource.max_relocate = count("max_relocate");
    resource.failback = config.get("failback").map(is_true);
    resource.auto_rebalance = config.get("auto-rebalance").map(is_true);
    resource.group = text("group").map(str::parse).transpose().map_err(|error: IdError| error.to_string())?;
    let mut guest = Guest::new(node);
    guest.lock = text("lock").map(str::to_owned);
    Ok((resource, guest))
}

fn read_figures(
    files: &Files<'_>,
    world: &mut World,
    file: &str,
    take: impl Fn(&mut Guest, &Value),
) -> Result<(), CaseError> {
    for (sid, figures) in files.objects(file)? {
        let sid = ServiceId::new(&sid).map_err(|error| files.wrong(file, error))?;
        if let Some(guest) = world.guests.get_mut(&sid) {
            take(guest, &figures);
        }
    }
    Ok(())
}

fn read_configuration(files: &Files<'_>, world: &mut World) -> Result<(), CaseError> {
    if let Some(text) = files.optional("rules_config")? {
        world.store.rules = Arc::new(RulesConfig::read(text.as_bytes(), &service_types()).config);
    }
    if let Some(text) = files.optional("groups")? {
        world.store.groups = Arc::new(GroupsConfig::read(text.as_bytes()).config);
    }
    if let Some(text) = files.optional("datacenter.cfg")? {
        let config = DatacenterConfig::from_json(&text).map_err(|error| files.wrong("datacenter.cfg", error))?;
        world.store.datacenter = Arc::new(config);
    }
    Ok(())
}

/// Numbers may be written as texts.
fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}

fn whole_number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

fn is_true(value: &Value) -> bool {
    value.as_bool().or_else(|| whole_number(value).map(|number| number != 0)).unwrap_or(false)
}
