//! The configuration files: reading, checking, looking inside, writing; and edits.

mod calls;

use std::sync::{Arc, OnceLock};

pub use calls::*;

use ha_core::{
    config::{
        self, DatacenterConfig, DatacenterFile, Digest, FenceConfig, GroupsConfig, NodesConfig, OrderedMap, Problem,
        ProblemKind, ResourcesConfig, RulesConfig, fence::FenceFile, groups::GroupProperty, nodes::NodeProperty,
        resources::ResourceProperty,
    },
    host::{self, Guests},
    id::{GroupId, NodeName, RuleId, ServiceId, ServiceTypes},
};
use serde_json::{Map, Value, json};

use crate::{failure::Failure, handles::Handle};

/// The configuration files.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ha_file {
    /// resources.cfg
    HA_FILE_RESOURCES = 1,
    /// groups.cfg
    HA_FILE_GROUPS = 2,
    /// rules.cfg
    HA_FILE_RULES = 3,
    /// datacenter.cfg
    HA_FILE_DATACENTER = 4,
    /// fence.cfg
    HA_FILE_FENCE = 5,
    /// nodes.cfg
    HA_FILE_NODES = 6,
}
use ha_file::{HA_FILE_DATACENTER, HA_FILE_FENCE, HA_FILE_GROUPS, HA_FILE_NODES, HA_FILE_RESOURCES, HA_FILE_RULES};

/// What names services of a type may have that a host adds to "vm" and "ct".
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ha_names {
    /// Any name without blanks.
    HA_NAMES_ANY = 1,
    /// Digits.
    HA_NAMES_DIGITS = 2,
}

/// All of the configuration: what the files hold, what is wrong in them, and where each guest is.
///
/// The daemons keep what follows from a file as long as its digest stays the same, so a host should keep one of these and
/// read again only the files that changed.
pub struct ha_configuration {
    _private: [u8; 0],
}

/// Behind a `ha_configuration`.
#[derive(Clone, Default)]
pub(crate) struct Configuration {
    pub(crate) types: ServiceTypes,
    pub(crate) resources: Arc<ResourcesConfig>,
    pub(crate) groups: Arc<GroupsConfig>,
    pub(crate) rules: Arc<RulesConfig>,
    pub(crate) nodes: Arc<NodesConfig>,
    datacenter_file: DatacenterFile,
    pub(crate) datacenter: Arc<DatacenterConfig>,
    fence_file: Option<FenceFile>,
    fence: Option<Arc<FenceConfig>>,
    guests: OrderedMap<ServiceId, NodeName>,
    /// The guests in the core's form, made when they are needed.
    shared_guests: OnceLock<Arc<Guests>>,
    problems: [Vec<Failure>; 6],
}

impl Handle for Configuration {
    const NAME: &'static str = "ha_configuration";
}

fn file(number: i32) -> Result<ha_file, Failure> {
    let files = [HA_FILE_RESOURCES, HA_FILE_GROUPS, HA_FILE_RULES, HA_FILE_DATACENTER, HA_FILE_FENCE, HA_FILE_NODES];
    let found = files.into_iter().find(|file| *file as i32 == number);
    found.ok_or_else(|| Failure::argument(format!("{number} is no ha_file")))
}

fn problem(problem: &Problem) -> Failure {
    let value_code = if let ProblemKind::BadValue(error) | ProblemKind::BadSectionId(error) = &problem.kind {
        Some(error.code())
    } else {
        None
    };
    Failure::content(problem)
        .kind(problem.kind.code())
        .line(problem.line)
        .section(problem.section.as_ref())
        .field(problem.property.as_ref())
        .details(value_code.map(|code| json!({ "value_code": code })))
}

fn fence_problems(file: &FenceFile) -> Vec<Failure> {
    let errors = file.config.as_ref().err().into_iter().flat_map(|errors| &errors.0);
    let errors = errors.map(|error| Failure::content(error).kind(error.kind.code()).line(error.line));
    let warnings = file.warnings.iter();
    let warnings = warnings.map(|warning| Failure::content(warning).kind(warning.kind.code()).line(warning.line));
    errors.chain(warnings).collect()
}

/// A section of a file: its type, its id, and the properties that it has.
type Section<'a> = (&'a str, &'a str, Vec<(&'static str, String)>);

fn set<'a, P: Copy + 'static>(
    properties: &'static [P],
    key: impl Fn(P) -> &'static str + 'a,
    text: impl Fn(P) -> Option<String> + 'a,
) -> Vec<(&'static str, String)> {
    properties.iter().filter_map(|property| Some((key(*property), text(*property)?))).collect()
}

fn resource_section(resource: &config::Resource) -> Section<'_> {
    let sid = &resource.sid;
    let properties = set(ResourceProperty::ALL, ResourceProperty::as_str, |property| resource.text(property));
    (sid.service_type(), sid.name(), properties)
}

fn group_section(group: &config::Group) -> Section<'_> {
    ("group", group.id.as_str(), set(GroupProperty::ALL, GroupProperty::as_str, |property| group.text(property)))
}

fn node_section(labels: &config::NodeLabels) -> Section<'_> {
    ("node", labels.node.as_str(), set(NodeProperty::ALL, NodeProperty::as_str, |property| labels.text(property)))
}

fn rule_section(rule: &config::Rule) -> Section<'_> {
    let properties = rule.rule_type().properties();
    let set = set(properties, config::rules::RuleProperty::as_str, |property| rule.text(property));
    (rule.rule_type().as_str(), rule.id.as_str(), set)
}

impl Configuration {
    fn read(&mut self, file: ha_file, text: &[u8]) {
        let problems = match file {
            HA_FILE_RESOURCES => {
                let parsed = ResourcesConfig::read(text, &self.types);
                self.resources = Arc::new(parsed.config);
                parsed.problems.iter().map(problem).collect()
            }
            HA_FILE_GROUPS => {
                let parsed = GroupsConfig::read(text);
                self.groups = Arc::new(parsed.config);
                parsed.problems.iter().map(problem).collect()
            }
            HA_FILE_RULES => {
                let parsed = RulesConfig::read(text, &self.types);
                self.rules = Arc::new(parsed.config);
                parsed.problems.iter().map(problem).collect()
            }
            HA_FILE_NODES => {
                let parsed = NodesConfig::read(text);
                self.nodes = Arc::new(parsed.config);
                parsed.problems.iter().map(problem).collect()
            }
            HA_FILE_DATACENTER => {
                let parsed = DatacenterFile::read(text);
                self.set_datacenter(parsed.config);
                parsed.problems.iter().map(problem).collect()
            }
            HA_FILE_FENCE => {
                let read = FenceConfig::read(text);
                let problems = fence_problems(&read);
                self.fence = read.config.as_ref().ok().cloned().map(Arc::new);
                self.fence_file = Some(read);
                problems
            }
        };
        *self.problems_mut(file) = problems;
    }

    fn set_datacenter(&mut self, file: DatacenterFile) {
        self.datacenter = Arc::new(file.config().clone());
        self.datacenter_file = file;
    }

    fn problems(&self, file: ha_file) -> &[Failure] {
        let [resources, groups, rules, datacenter, fence, nodes] = &self.problems;
        match file {
            HA_FILE_RESOURCES => resources,
            HA_FILE_GROUPS => groups,
            HA_FILE_RULES => rules,
            HA_FILE_DATACENTER => datacenter,
            HA_FILE_FENCE => fence,
            HA_FILE_NODES => nodes,
        }
    }

    fn problems_mut(&mut self, file: ha_file) -> &mut Vec<Failure> {
        let [resources, groups, rules, datacenter, fence, nodes] = &mut self.problems;
        match file {
            HA_FILE_RESOURCES => resources,
            HA_FILE_GROUPS => groups,
            HA_FILE_RULES => rules,
            HA_FILE_DATACENTER => datacenter,
            HA_FILE_FENCE => fence,
            HA_FILE_NODES => nodes,
        }
    }

    fn written(&self, file: ha_file) -> Result<Vec<u8>, Failure> {
        Ok(match file {
            HA_FILE_RESOURCES => self.resources.write(),
            HA_FILE_GROUPS => self.groups.write(),
            HA_FILE_RULES => self.rules.write(),
            HA_FILE_NODES => self.nodes.write(),
            HA_FILE_DATACENTER => self.datacenter_file.write(),
            HA_FILE_FENCE => return Err(Failure::argument("fence.cfg is read only: there is nothing to write")),
        })
    }

    fn digest(&self, file: ha_file) -> Option<Digest> {
        match file {
            HA_FILE_RESOURCES => Some(self.resources.digest),
            HA_FILE_GROUPS => Some(self.groups.digest),
            HA_FILE_RULES => Some(self.rules.digest),
            HA_FILE_NODES => Some(self.nodes.digest),
            HA_FILE_DATACENTER => Some(self.datacenter_file.digest()),
            HA_FILE_FENCE => self.fence.as_ref().map(|fence| fence.digest),
        }
    }

    fn sections(&self, file: ha_file) -> Vec<Section<'_>> {
        match file {
            HA_FILE_RESOURCES => self.resources.resources.values().map(resource_section).collect(),
            HA_FILE_GROUPS => self.groups.groups.values().map(group_section).collect(),
            HA_FILE_RULES => self.rules.rules.values().map(rule_section).collect(),
            HA_FILE_NODES => self.nodes.nodes.values().map(node_section).collect(),
            HA_FILE_DATACENTER | HA_FILE_FENCE => Vec::new(),
        }
    }

    /// The type and the id of a section's header.
    fn header(&self, file: ha_file, index: usize) -> Option<(&str, &str)> {
        match file {
            HA_FILE_RESOURCES => {
                self.resources.resources.get_index(index).map(|(sid, _)| (sid.service_type(), sid.name()))
            }
            HA_FILE_GROUPS => self.groups.groups.get_index(index).map(|(id, _)| ("group", id.as_str())),
            HA_FILE_RULES => {
                self.rules.rules.get_index(index).map(|(id, rule)| (rule.rule_type().as_str(), id.as_str()))
            }
            HA_FILE_NODES => self.nodes.nodes.get_index(index).map(|(node, _)| ("node", node.as_str())),
            HA_FILE_DATACENTER | HA_FILE_FENCE => None,
        }
    }

    fn section_count(&self, file: ha_file) -> usize {
        match file {
            HA_FILE_RESOURCES => self.resources.resources.len(),
            HA_FILE_GROUPS => self.groups.groups.len(),
            HA_FILE_RULES => self.rules.rules.len(),
            HA_FILE_NODES => self.nodes.nodes.len(),
            HA_FILE_DATACENTER | HA_FILE_FENCE => 0,
        }
    }

    fn property(&self, file: ha_file, id: &str, key: &str) -> Result<Option<String>, Failure> {
        let missing = || Failure::not_found(format!("there is no section '{id}'"));
        let section = match file {
            HA_FILE_RESOURCES => {
                let sid: ServiceId = id.parse().map_err(|error| Failure::name(&error))?;
                resource_section(self.resources.resources.get(&sid).ok_or_else(missing)?)
            }
            HA_FILE_GROUPS => {
                let id: GroupId = id.parse().map_err(|error| Failure::name(&error))?;
                group_section(self.groups.groups.get(&id).ok_or_else(missing)?)
            }
            HA_FILE_RULES => {
                let id: RuleId = id.parse().map_err(|error| Failure::name(&error))?;
                rule_section(self.rules.rules.get(&id).ok_or_else(missing)?)
            }
            HA_FILE_NODES => {
                let node: NodeName = id.parse().map_err(|error| Failure::name(&error))?;
                node_section(self.nodes.nodes.get(&node).ok_or_else(missing)?)
            }
            HA_FILE_DATACENTER => {
                let setting = setting(&json!(*self.datacenter), key);
                return setting.map(Some).ok_or_else(|| Failure::not_found(format!("there is no setting '{key}'")));
            }
            HA_FILE_FENCE => return Err(Failure::argument("fence.cfg has no sections")),
        };
        Ok(section.2.into_iter().find(|(known, _)| *known == key).map(|(_, value)| value))
    }

    fn json(&self, file: ha_file) -> Value {
        let section = |(section_type, id, properties): Section<'_>| {
            let properties: Map<String, Value> =
                properties.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect();
            json!({ "type": section_type, "id": id, "properties": properties })
        };
        let mut json = json!({
            "digest": self.digest(file),
            "problems": self.problems(file).iter().map(Failure::json).collect::<Vec<_>>(),
        });
        if let Some(object) = json.as_object_mut() {
            match file {
                HA_FILE_RESOURCES | HA_FILE_GROUPS | HA_FILE_RULES | HA_FILE_NODES => {
                    object.insert("sections".into(), self.sections(file).into_iter().map(section).collect());
                }
                HA_FILE_DATACENTER => {
                    object.insert("settings".into(), json!(*self.datacenter));
                }
                HA_FILE_FENCE => {}
            }
        }
        json
    }

    /// As the core has it.
    pub(crate) fn shared(&self) -> host::Configuration {
        let guests = self
            .shared_guests
            .get_or_init(|| Arc::new(self.guests.iter().map(|(sid, node)| (sid.clone(), node.clone())).collect()));
        host::Configuration {
            resources: self.resources.clone(),
            groups: self.groups.clone(),
            rules: self.rules.clone(),
            nodes: self.nodes.clone(),
            datacenter: self.datacenter.clone(),
            fence: self.fence.clone(),
            guests: guests.clone(),
        }
    }

    pub(crate) fn edit(
        &mut self,
        change: impl FnOnce(&ServiceTypes, &mut config::ConfigFiles) -> Result<Option<ServiceId>, Failure>,
    ) -> Result<Option<ServiceId>, Failure> {
        let mut configuration = self.shared();
        let mut files = configuration.files();
        let sid = change(&self.types, &mut files)?;
        configuration.take_files(files);
        (self.resources, self.groups, self.rules, self.nodes) =
            (configuration.resources, configuration.groups, configuration.rules, configuration.nodes);
        Ok(sid)
    }

    pub(crate) fn edit_datacenter(
        &mut self,
        change: impl FnOnce(&mut DatacenterFile) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut edited = self.datacenter_file.clone();
        change(&mut edited)?;
        self.set_datacenter(DatacenterFile::read(&edited.write()).config);
        Ok(())
    }
}

/// A setting by its path in the JSON form, such as `scheduler.mode`.
fn setting(settings: &Value, path: &str) -> Option<String> {
    let found = path.split('.').try_fold(settings, |value, key| value.get(key))?;
    match found {
        Value::Object(_) | Value::Array(_) | Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(found.to_string()),
    }
}
