//! The configuration files: reading, checking, looking inside, writing; and edits.

use std::{ffi::c_char, sync::Arc};

use ha_core::{
    config::{
        self, DatacenterConfig, DatacenterFile, Digest, FenceConfig, GroupsConfig, OrderedMap, Problem, ProblemKind,
        ResourcesConfig, RulesConfig, fence::FenceFile, groups::GroupProperty, resources::ResourceProperty,
    },
    host::{self, Guests},
    id::{GroupId, NodeName, RuleId, ServiceId, ServiceTypes},
    rules::shadowed_groups,
};
use serde_json::{Map, Value, json};

use crate::{
    boundary::{Call, call},
    failure::{ErrorHandle, Failure, ha_error, ha_status},
    handles::{self, Handle},
    text::{ha_str, ha_text},
};

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
}
use ha_file::{HA_FILE_DATACENTER, HA_FILE_FENCE, HA_FILE_GROUPS, HA_FILE_RESOURCES, HA_FILE_RULES};

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
/// read anew only the files that changed.
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
    datacenter_file: DatacenterFile,
    pub(crate) datacenter: Arc<DatacenterConfig>,
    fence_file: Option<FenceFile>,
    fence: Option<Arc<FenceConfig>>,
    guests: OrderedMap<ServiceId, NodeName>,
    /// The guests in the core's form, made when they are needed.
    shared_guests: Option<Arc<Guests>>,
    problems: [Vec<Failure>; 5],
}

impl Handle for Configuration {
    const NAME: &'static str = "ha_configuration";
}

fn file(number: i32) -> Result<ha_file, Failure> {
    let files = [HA_FILE_RESOURCES, HA_FILE_GROUPS, HA_FILE_RULES, HA_FILE_DATACENTER, HA_FILE_FENCE];
    let found = files.into_iter().find(|file| *file as i32 == number);
    found.ok_or_else(|| Failure::argument(format!("{number} is no ha_file")))
}

fn problem(problem: &Problem) -> Failure {
    let value_code = match &problem.kind {
        ProblemKind::BadValue(error) | ProblemKind::BadSectionId(error) => Some(error.code()),
        _ => None,
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
        let [resources, groups, rules, datacenter, fence] = &self.problems;
        match file {
            HA_FILE_RESOURCES => resources,
            HA_FILE_GROUPS => groups,
            HA_FILE_RULES => rules,
            HA_FILE_DATACENTER => datacenter,
            HA_FILE_FENCE => fence,
        }
    }

    fn problems_mut(&mut self, file: ha_file) -> &mut Vec<Failure> {
        let [resources, groups, rules, datacenter, fence] = &mut self.problems;
        match file {
            HA_FILE_RESOURCES => resources,
            HA_FILE_GROUPS => groups,
            HA_FILE_RULES => rules,
            HA_FILE_DATACENTER => datacenter,
            HA_FILE_FENCE => fence,
        }
    }

    fn written(&self, file: ha_file) -> Result<Vec<u8>, Failure> {
        Ok(match file {
            HA_FILE_RESOURCES => self.resources.write(),
            HA_FILE_GROUPS => self.groups.write(),
            HA_FILE_RULES => self.rules.write(),
            HA_FILE_DATACENTER => self.datacenter_file.write(),
            HA_FILE_FENCE => return Err(Failure::argument("fence.cfg is read only: there is nothing to write")),
        })
    }

    fn digest(&self, file: ha_file) -> Option<Digest> {
        match file {
            HA_FILE_RESOURCES => Some(self.resources.digest),
            HA_FILE_GROUPS => Some(self.groups.digest),
            HA_FILE_RULES => Some(self.rules.digest),
            HA_FILE_DATACENTER => Some(self.datacenter_file.digest()),
            HA_FILE_FENCE => self.fence.as_ref().map(|fence| fence.digest),
        }
    }

    fn sections(&self, file: ha_file) -> Vec<Section<'_>> {
        match file {
            HA_FILE_RESOURCES => self.resources.resources.values().map(resource_section).collect(),
            HA_FILE_GROUPS => self.groups.groups.values().map(group_section).collect(),
            HA_FILE_RULES => self.rules.rules.values().map(rule_section).collect(),
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
            HA_FILE_DATACENTER | HA_FILE_FENCE => None,
        }
    }

    fn section_count(&self, file: ha_file) -> usize {
        match file {
            HA_FILE_RESOURCES => self.resources.resources.len(),
            HA_FILE_GROUPS => self.groups.groups.len(),
            HA_FILE_RULES => self.rules.rules.len(),
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
                HA_FILE_RESOURCES | HA_FILE_GROUPS | HA_FILE_RULES => {
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
    pub(crate) fn shared(&mut self) -> host::Configuration {
        let guests = self.shared_guests.get_or_insert_with(|| {
            Arc::new(self.guests.iter().map(|(sid, node)| (sid.clone(), node.clone())).collect())
        });
        host::Configuration {
            resources: self.resources.clone(),
            groups: self.groups.clone(),
            rules: self.rules.clone(),
            datacenter: self.datacenter.clone(),
            fence: self.fence.clone(),
            guests: guests.clone(),
        }
    }

    /// Takes over edited files. Each file that changed gets the digest that it will have when it is written.
    fn take_edited(&mut self, edited: config::Configuration) {
        let config::Configuration { mut resources, mut groups, mut rules } = edited;
        if resources != *self.resources {
            resources.digest = Digest::of(&resources.write());
            self.resources = Arc::new(resources);
        }
        if groups != *self.groups {
            groups.digest = Digest::of(&groups.write());
            self.groups = Arc::new(groups);
        }
        if rules != *self.rules {
            rules.digest = Digest::of(&rules.write());
            self.rules = Arc::new(rules);
        }
    }

    pub(crate) fn edit(
        &mut self,
        change: impl FnOnce(&ServiceTypes, &mut config::Configuration) -> Result<Option<ServiceId>, Failure>,
    ) -> Result<Option<ServiceId>, Failure> {
        let mut edited = config::Configuration {
            resources: (*self.resources).clone(),
            groups: (*self.groups).clone(),
            rules: (*self.rules).clone(),
        };
        let sid = change(&self.types, &mut edited)?;
        self.take_edited(edited);
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

/// Makes an empty configuration: no services, no rules, the default settings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_configuration_new(
    configuration: *mut *mut ha_configuration,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| { call.new_handle(configuration, Configuration::default()) })
}

/// Makes a copy. It is cheap: what is read is shared.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_configuration_copy(
    configuration: *const ha_configuration,
    copy: *mut *mut ha_configuration,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let configuration = handles::take::<_, Configuration>(configuration)?.clone();
        call.new_handle(copy, configuration)
    })
}

/// Frees a configuration. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn ha_configuration_free(configuration: *mut ha_configuration) -> ha_status {
    call!(std::ptr::null_mut(), |_call| {
        handles::free::<_, Configuration>(configuration)?;
        Call::done()
    })
}

/// Adds a type of service to "vm" and "ct", which are always known. Do so before files are read.
///
/// names: one of ha_names.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_configuration_add_service_type(
    configuration: *mut ha_configuration,
    service_type: *const c_char,
    service_type_length: usize,
    names: i32,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let service_type = call.text(service_type, service_type_length)?;
        let check: ha_core::id::NameCheck = match names {
            any if any == ha_names::HA_NAMES_ANY as i32 => |_| Ok(()),
            digits if digits == ha_names::HA_NAMES_DIGITS as i32 => |name| {
                if name.bytes().all(|b| b.is_ascii_digit()) { Ok(()) } else { Err("expected digits".into()) }
            },
            _ => return Err(Failure::argument(format!("{names} is no ha_names"))),
        };
        // The form of a type is that of a service id with any name.
        format!("{service_type}:x").parse::<ServiceId>().map_err(|error| Failure::name(&error))?;
        handles::take::<_, Configuration>(configuration)?.types.register(service_type, check);
        Call::done()
    })
}

/// Reads a file from its bytes, in the place of what was known of it.
///
/// A problem never loses the rest of the file, and is no failure of this call: ask ha_configuration_problem_count(). A
/// fence.cfg with an error (not a warning) is not used at all.
///
/// file: one of ha_file.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_configuration_read(
    configuration: *mut ha_configuration,
    file: i32,
    bytes: *const c_char,
    length: usize,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let (file, bytes) = (self::file(file)?, call.bytes(bytes, length)?);
        handles::take::<_, Configuration>(configuration)?.read(file, bytes);
        Call::done()
    })
}

/// Reads the settings of datacenter.cfg from JSON in the form of the recorded scenarios, where shares are fractions.
///
/// There is no file to write then. HA_ERROR_CONTENT if it can't be read; nothing is changed then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_configuration_read_datacenter_json(
    configuration: *mut ha_configuration,
    json: *const c_char,
    length: usize,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let json = call.text(json, length)?;
        let read = DatacenterConfig::from_json(json).map_err(|error| Failure::content(&error).kind(error.code()))?;
        let mut configuration = handles::take::<_, Configuration>(configuration)?;
        configuration.datacenter = Arc::new(read);
        configuration.problems_mut(HA_FILE_DATACENTER).clear();
        Call::done()
    })
}

/// How many problems a file had when it was read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_configuration_problem_count(
    configuration: *const ha_configuration,
    file: i32,
    count: *mut usize,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let count_now = handles::take::<_, Configuration>(configuration)?.problems(self::file(file)?).len();
        call.must_write(count, count_now)
    })
}

/// A problem of a file, in the order of the lines, as an error object: message, kind, line, section, field. Free it with
/// ha_error_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_configuration_problem(
    configuration: *const ha_configuration,
    file: i32,
    index: usize,
    problem: *mut *mut ha_error,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let found = handles::take::<_, Configuration>(configuration)?.problems(self::file(file)?).get(index).cloned();
        let found = found.ok_or_else(|| Failure::not_found(format!("there is no problem {index}")))?;
        call.new_handle(problem, ErrorHandle::from(found))
    })
}

/// The bytes of a file as it is now. Nothing that stood in it is lost: comments, and what could not be read.
///
/// Not for fence.cfg, which is never changed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_configuration_write(
    configuration: *const ha_configuration,
    file: i32,
    bytes: *mut ha_text,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let written = handles::take::<_, Configuration>(configuration)?.written(self::file(file)?)?;
        call.own_text(bytes, written)
    })
}

/// The digest of a file, 40 hexadecimal digits: of the bytes that were read, after an edit of those that will be written.
/// HA_NONE for a fence.cfg that is not used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_configuration_digest(
    configuration: *const ha_configuration,
    file: i32,
    digest: *mut ha_text,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let found = handles::take::<_, Configuration>(configuration)?.digest(self::file(file)?);
        call.own_text_if_any(digest, found.map(|digest| digest.to_string()))
    })
}

/// How many sections of resources.cfg, groups.cfg or rules.cfg hold.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_configuration_section_count(
    configuration: *const ha_configuration,
    file: i32,
    count: *mut usize,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let count_now = handles::take::<_, Configuration>(configuration)?.section_count(self::file(file)?);
        call.must_write(count, count_now)
    })
}

/// A section in the order of the file: its type ("vm", "group", "node-affinity") and its id ("100", "near", …). Both are
/// lent by the configuration.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_configuration_section(
    configuration: *const ha_configuration,
    file: i32,
    index: usize,
    section_type: *mut ha_str,
    id: *mut ha_str,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let configuration = handles::take::<_, Configuration>(configuration)?;
        let header = configuration.header(self::file(file)?, index);
        let header = header.ok_or_else(|| Failure::not_found(format!("there is no section {index}")))?;
        call.lend(section_type, Some(header.0));
        call.lend(id, Some(header.1));
        Call::done()
    })
}

/// The value of a property, as text. HA_NONE if it is not set, HA_ERROR_NOT_FOUND if there is no such section.
///
/// id: the service ("vm:100"), group or rule. For datacenter.cfg it is not looked at, and key is the path in the JSON form
/// ("scheduler.mode", "max_workers"), which is always set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_configuration_property(
    configuration: *const ha_configuration,
    file: i32,
    id: *const c_char,
    id_length: usize,
    key: *const c_char,
    key_length: usize,
    value: *mut ha_text,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let (id, key) = (call.text(id, id_length)?, call.text(key, key_length)?);
        let found = handles::take::<_, Configuration>(configuration)?.property(self::file(file)?, id, key)?;
        call.own_text_if_any(value, found)
    })
}

/// A file as JSON: "digest", "problems" (each with "line", "section", "property", "code", "message", and "value_code"), and
/// "sections" (each with "type", "id" and "properties") or, for datacenter.cfg, "settings".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_configuration_json(
    configuration: *const ha_configuration,
    file: i32,
    json: *mut ha_text,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let found = handles::take::<_, Configuration>(configuration)?.json(self::file(file)?);
        call.own_text(json, found.to_string())
    })
}

/// What fence.cfg comes to for these nodes, as JSON: "errors", or for each try and node the commands as argument vectors.
/// HA_NONE if no fence.cfg was read. Arguments may be passwords.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_configuration_fence_report(
    configuration: *const ha_configuration,
    nodes: *const ha_str,
    node_count: usize,
    json: *mut ha_text,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let nodes = call.nodes(nodes, node_count)?;
        let configuration = handles::take::<_, Configuration>(configuration)?;
        call.own_text_if_any(json, configuration.fence_file.as_ref().map(|file| json!(file.report(&nodes)).to_string()))
    })
}

/// The groups that a rule "ha-group-<group>" of rules.cfg stands in for, as a JSON list.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_configuration_shadowed_groups(
    configuration: *const ha_configuration,
    json: *mut ha_text,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let configuration = handles::take::<_, Configuration>(configuration)?;
        let Configuration { rules, groups, resources, .. } = &*configuration;
        let shadowed: Vec<GroupId> = shadowed_groups(rules, groups, resources);
        call.own_text(json, json!(shadowed).to_string())
    })
}

/// Says on which node a guest is configured. Every guest counts, managed or not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_configuration_set_guest(
    configuration: *mut ha_configuration,
    sid: *const c_char,
    sid_length: usize,
    node: *const c_char,
    node_length: usize,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let (sid, node) = (call.sid(sid, sid_length)?, call.node(node, node_length)?);
        let mut configuration = handles::take::<_, Configuration>(configuration)?;
        configuration.guests.insert(sid, node);
        configuration.shared_guests = None;
        Call::done()
    })
}

/// Forgets all guests, to give them anew.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_configuration_clear_guests(
    configuration: *mut ha_configuration,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let mut configuration = handles::take::<_, Configuration>(configuration)?;
        configuration.guests.clear();
        configuration.shared_guests = None;
        Call::done()
    })
}
