//! Everything that a person does to the configuration: edits, with their checks.
//!
//! An edit checks everything first and changes the configuration only then: one that is refused changes nothing.
//! Properties are given as text, as on a command line, and are read by the parsers that read the files. Two things
//! differ: a person may type a bare guest number, and a comment is never encoded.
//!
//! What is kept in a section of the file that the core could not read stays, but for lines about the property that is
//! edited: the edit says what that property is.
//!
//! ```
//! use ha_core::{
//!     config::{Changes, ConfigFiles, Editor},
//!     id::ServiceTypes,
//! };
//!
//! let types = ServiceTypes::default();
//! let editor = Editor::new(&types, &[]);
//! let mut config = ConfigFiles::default();
//! editor.add_resource(&mut config, "vm:100", &[("state", "stopped")])?;
//! editor.set_resource(&mut config, "vm:100", Changes { set: &[("max_restart", "3")], unset: &["state"] })?;
//! assert_eq!(config.resources.write(), b"vm: 100\n\tmax_restart 3\n\n");
//!
//! let refused = editor.set_resource(&mut config, "vm:100", Changes { set: &[("state", "on")], unset: &[] });
//! assert_eq!(refused.unwrap_err().faults()[0].kind.code(), "bad_value");
//! # Ok::<(), ha_core::config::EditError>(())
//! ```

mod error;

pub use error::{EditError, FaultKind, PropertyFault};

use alloc::{string::ToString, vec::Vec};
use core::fmt;

use super::{
    Digest, Kept, NodePriorities, OrderedMap,
    datacenter::{DatacenterFile, DatacenterSetting},
    file::{Section, find_property, property_list},
    groups::{Group, GroupDraft, GroupsConfig},
    nodes::{NodeLabels, NodeProperty, NodesConfig},
    resources::{RequestedState, Resource, ResourceProperty, ResourcesConfig},
    rules::{Rule, RuleDraft, RuleKind, RuleProperty, RuleType, RulesConfig},
    value::{self, GuestTypes, Source, ValueReader, check_usable},
};
use crate::{
    id::{GroupId, IdError, NodeName, RuleId, ServiceId, ServiceTypes},
    rules::{Finding, Reason, RuleSet},
    similar::{similar, similar_service},
    text_enum::Words,
};

/// The files that edits look at together. They are part of all that is configured, the
/// [`Configuration`](crate::host::Configuration), which gives them to be edited and takes them back.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ConfigFiles {
    /// `resources.cfg`
    pub resources: ResourcesConfig,
    /// `groups.cfg`
    pub groups: GroupsConfig,
    /// `rules.cfg`
    pub rules: RulesConfig,
    /// `nodes.cfg`
    pub nodes: NodesConfig,
}

/// What [`ConfigFiles`] was called before.
#[deprecated(since = "0.1.0", note = "use `ConfigFiles`")]
pub type Configuration = ConfigFiles;

/// Changes of properties, by key. A property may occur in them once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changes<'a> {
    /// Properties to set, with their values.
    pub set: &'a [(&'a str, &'a str)],
    /// Properties to unset. That one is not set is no error.
    pub unset: &'a [&'a str],
}

/// Makes edits. It holds what the checks need to know of the cluster, which is not in the files.
#[derive(Clone, Copy)]
#[must_use]
pub struct Editor<'a> {
    types: &'a ServiceTypes,
    nodes: &'a [NodeName],
    guest_types: GuestTypes<'a>,
    in_error: &'a dyn Fn(&ServiceId) -> bool,
    seen: Option<Digest>,
}

impl fmt::Debug for Editor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { types, nodes, guest_types: _, in_error: _, seen } = self;
        f.debug_struct("Editor").field("types", types).field("nodes", nodes).field("seen", seen).finish_non_exhaustive()
    }
}

/// Resources, groups and rules.
impl<'a> Editor<'a> {
    /// An editor for a cluster with these service types and nodes (all known members, online or not).
    pub fn new(types: &'a ServiceTypes, nodes: &'a [NodeName]) -> Self {
        Self { types, nodes, guest_types: &|_| None, in_error: &|_| false, seen: None }
    }

    /// Lets a person type bare guest numbers, of which the host can tell the service type.
    pub fn guest_types(self, guest_types: GuestTypes<'a>) -> Self {
        Self { guest_types, ..self }
    }

    /// Says which services are in state `error` now.
    pub fn services_in_error(self, in_error: &'a dyn Fn(&ServiceId) -> bool) -> Self {
        Self { in_error, ..self }
    }

    /// Makes the edits conditional: the file that is edited must have this digest, if there is one.
    pub fn seen(self, digest: Option<Digest>) -> Self {
        Self { seen: digest, ..self }
    }

    /// Adds a resource.
    ///
    /// # Errors
    ///
    /// If it exists, if its name is not valid or too long, or if a property is unknown, has a bad value, or names a group that
    /// does not exist.
    pub fn add_resource(
        &self,
        config: &mut ConfigFiles,
        sid: &str,
        set: &[(&str, &str)],
    ) -> Result<ServiceId, EditError> {
        self.check_seen("resources.cfg", config.resources.digest)?;
        let sid = self.sid(sid)?;
        sid.check_length().map_err(too_long)?;
        check_usable(&sid).map_err(EditError::BadId)?;
        check_absent("resource", &sid, &config.resources.resources, &config.resources.kept)?;
        let changed = self.changed(Resource::new(sid.clone()), Changes { set, unset: &[] });
        let edited = changed.and_check(|resource| check_group(resource, None, &config.groups))?;
        config.resources.resources.insert(sid.clone(), edited.section);
        Ok(sid)
    }

    /// Sets and unsets properties of a resource.
    ///
    /// # Errors
    ///
    /// If it does not exist; if a property is unknown, has a bad value, or names a group that does not exist; or if the
    /// requested state would change other than to `disabled` while the service is in `error`.
    pub fn set_resource(&self, config: &mut ConfigFiles, sid: &str, changes: Changes<'_>) -> Result<(), EditError> {
        self.check_seen("resources.cfg", config.resources.digest)?;
        let sid = self.known_sid(sid, &config.resources)?;
        let known = config.resources.resources.keys().map(ServiceId::as_str);
        let missing = || not_found("resource", &sid, similar_service(sid.as_str(), known));
        let old = config.resources.resources.get(&sid).ok_or_else(missing)?;
        let edited = self.changed(old.draft(), changes).and_check(|resource: &Resource| {
            let mut faults = check_group(resource, old.group.as_ref(), &config.groups);
            let state = resource.state();
            if state != old.state() && state != RequestedState::Disabled && (self.in_error)(&sid) {
                faults.push(fault(ResourceProperty::State.as_str(), FaultKind::ServiceInError));
            }
            faults
        })?;
        replace(&mut config.resources.resources, &mut config.resources.kept, &sid, edited);
        Ok(())
    }

    /// Removes a resource; with `purge`, which is the usual way, also from every rule, and each rule that is left with
    /// no resource, or with none on one side of its order.
    ///
    /// # Errors
    ///
    /// If it does not exist.
    pub fn remove_resource(&self, config: &mut ConfigFiles, sid: &str, purge: bool) -> Result<(), EditError> {
        self.check_seen("resources.cfg", config.resources.digest)?;
        let sid = self.known_sid(sid, &config.resources)?;
        remove("resource", &sid, &mut config.resources.resources, &mut config.resources.kept)?;
        if purge {
            purge_rules(&mut config.rules, &sid);
        }
        Ok(())
    }

    /// Adds a group.
    ///
    /// # Errors
    ///
    /// If it exists, if its name is not valid or too long, or if a property is unknown, missing, or has a bad value.
    pub fn add_group(&self, config: &mut ConfigFiles, id: &str, set: &[(&str, &str)]) -> Result<(), EditError> {
        self.check_seen("groups.cfg", config.groups.digest)?;
        let id: GroupId = value::id(id).map_err(EditError::BadId)?;
        id.check_length().map_err(too_long)?;
        check_absent("group", &id, &config.groups.groups, &config.groups.kept)?;
        let edited = self
            .changed::<Group>(GroupDraft::new(id.clone()), Changes { set, unset: &[] })
            .and_check(|group| self.check_nodes(&group.nodes, None))?;
        config.groups.groups.insert(id, edited.section);
        Ok(())
    }

    /// Sets and unsets properties of a group.
    ///
    /// # Errors
    ///
    /// If it does not exist, or if a property is unknown, has a bad value, or is required and to be unset.
    pub fn set_group(&self, config: &mut ConfigFiles, id: &str, changes: Changes<'_>) -> Result<(), EditError> {
        self.check_seen("groups.cfg", config.groups.digest)?;
        let id: GroupId = value::id(id).map_err(EditError::BadId)?;
        let known = config.groups.groups.keys().map(GroupId::as_str);
        let old = config.groups.groups.get(&id).ok_or_else(|| not_found("group", &id, similar(id.as_str(), known)))?;
        let edited = self
            .changed::<Group>(old.draft(), changes)
            .and_check(|group| self.check_nodes(&group.nodes, Some(&old.nodes)))?;
        replace(&mut config.groups.groups, &mut config.groups.kept, &id, edited);
        Ok(())
    }

    /// Removes a group, also one that was kept out because it lacks a property.
    ///
    /// # Errors
    ///
    /// If it does not exist, or if a resource names it.
    pub fn remove_group(&self, config: &mut ConfigFiles, id: &str) -> Result<(), EditError> {
        self.check_seen("groups.cfg", config.groups.digest)?;
        let id = value::id(id).map_err(EditError::BadId)?;
        let users = config.resources.resources.values().filter(|resource| resource.group.as_ref() == Some(&id));
        let by: Vec<ServiceId> = users.map(|resource| resource.sid.clone()).collect();
        if !by.is_empty() {
            return Err(EditError::GroupInUse { group: id, by });
        }
        remove("group", &id, &mut config.groups.groups, &mut config.groups.kept)
    }

    /// Adds a rule of a type: `node-affinity`, `resource-affinity` or `order`.
    ///
    /// # Errors
    ///
    /// If it exists; if its type or name is not valid; if a property is unknown, missing, or has a bad value; or if the
    /// rule cannot hold with the rules that there are (those that groups stand for included).
    pub fn add_rule(
        &self,
        config: &mut ConfigFiles,
        rule_type: &str,
        id: &str,
        set: &[(&str, &str)],
    ) -> Result<(), EditError> {
        self.check_seen("rules.cfg", config.rules.digest)?;
        let rule_type: RuleType = rule_type.parse().map_err(EditError::BadRuleType)?;
        let id: RuleId = value::id(id).map_err(EditError::BadId)?;
        id.check_length().map_err(too_long)?;
        check_absent("rule", &id, &config.rules.rules, &config.rules.kept)?;
        let draft = RuleDraft::new(id.clone(), rule_type);
        let edited =
            self.changed(draft, Changes { set, unset: &[] }).and_check(|rule| self.check_rule(rule, None, config))?;
        config.rules.rules.insert(id, edited.section);
        Ok(())
    }

    /// Sets and unsets properties of a rule.
    ///
    /// # Errors
    ///
    /// If it does not exist; if a property is unknown, has a bad value, or is required and to be unset; or if the
    /// changed rule cannot hold with the other rules (those that groups stand for included). A rule that is disabled
    /// always holds.
    pub fn set_rule(&self, config: &mut ConfigFiles, id: &str, changes: Changes<'_>) -> Result<(), EditError> {
        self.check_seen("rules.cfg", config.rules.digest)?;
        let id: RuleId = value::id(id).map_err(EditError::BadId)?;
        let known = config.rules.rules.keys().map(RuleId::as_str);
        let old = config.rules.rules.get(&id).ok_or_else(|| not_found("rule", &id, similar(id.as_str(), known)))?;
        let edited = self.changed(old.draft(), changes).and_check(|rule| self.check_rule(rule, Some(old), config))?;
        replace(&mut config.rules.rules, &mut config.rules.kept, &id, edited);
        Ok(())
    }

    /// Removes a rule, also one that was kept out because it lacks a property.
    ///
    /// # Errors
    ///
    /// If it does not exist.
    pub fn remove_rule(&self, config: &mut ConfigFiles, id: &str) -> Result<(), EditError> {
        self.check_seen("rules.cfg", config.rules.digest)?;
        let id = value::id(id).map_err(EditError::BadId)?;
        remove("rule", &id, &mut config.rules.rules, &mut config.rules.kept)
    }

    /// Sets and unsets what is said of a node in `nodes.cfg`. A section is made where there is none, and goes where nothing is left in it.
    ///
    /// # Errors
    ///
    /// If the name is not valid, or nearly that of a node of the cluster; or if a property is unknown or has a bad value.
    pub fn set_node(&self, config: &mut ConfigFiles, node: &str, changes: Changes<'_>) -> Result<(), EditError> {
        self.check_seen("nodes.cfg", config.nodes.digest)?;
        let node: NodeName = value::id(node).map_err(EditError::BadId)?;
        let NodesConfig { nodes, kept, .. } = &mut config.nodes;
        let old = nodes.get(&node);
        if old.is_none() {
            node.check_length().map_err(too_long)?;
            if let Some(meant) = self.similar_node(&node) {
                return Err(not_found("node", &node, Some(meant)));
            }
        }
        let draft = old.map_or_else(|| NodeLabels::new(node.clone()), NodeLabels::draft);
        let edited = self.changed::<NodeLabels>(draft, changes).and_check(|labels| {
            let domain = labels
                .failure_domain
                .as_ref()
                .filter(|domain| old.is_none_or(|old| old.failure_domain.as_ref() != Some(domain)));
            let error = domain.and_then(|domain| domain.check_length().err());
            let error = error.map(|error| FaultKind::BadValue(error.into()));
            error.map(|kind| fault(NodeProperty::FailureDomain.as_str(), kind)).into_iter().collect()
        })?;
        replace(nodes, kept, &node, edited);
        if nodes.get(&node).is_some_and(NodeLabels::is_empty) && kept.lines(&node).is_empty() {
            let index = nodes.get_index_of(&node);
            kept.remove(&node, index);
            nodes.shift_remove(&node);
        }
        Ok(())
    }

    /// A node of the cluster whose name is nearly that of one that it does not have.
    fn similar_node(&self, node: &NodeName) -> Option<&'a str> {
        if self.nodes.contains(node) { None } else { similar(node.as_str(), self.nodes.iter().map(NodeName::as_str)) }
    }

    /// Sets and unsets settings in `datacenter.cfg`, by the names of [`DatacenterSetting`], with values as the file has them.
    ///
    /// # Errors
    ///
    /// If a setting is unknown or has a bad value.
    pub fn set_datacenter(&self, file: &mut DatacenterFile, changes: Changes<'_>) -> Result<(), EditError> {
        self.check_seen("datacenter.cfg", file.digest())?;
        let mut changed = file.clone();
        let mut given = Vec::new();
        let mut faults = Vec::new();
        for (key, value) in all(changes) {
            let kind = match key.parse::<DatacenterSetting>() {
                Err(_) => Some(FaultKind::UnknownProperty { expected: Words(DatacenterSetting::WORDS).to_string() }),
                Ok(setting) if given.contains(&setting) => Some(FaultKind::GivenTwice),
                Ok(setting) => {
                    given.push(setting);
                    match value {
                        Some(value) => changed.set(setting, value).err().map(FaultKind::BadValue),
                        None => {
                            changed.unset(setting);
                            None
                        }
                    }
                }
            };
            faults.extend(kind.map(|kind| fault(key, kind)));
        }
        if !faults.is_empty() {
            return Err(EditError::BadProperties(faults));
        }
        *file = changed;
        Ok(())
    }

    fn check_seen(&self, file: &'static str, actual: Digest) -> Result<(), EditError> {
        match self.seen {
            Some(seen) if seen != actual => Err(EditError::DigestMismatch { file, seen, actual }),
            Some(_) | None => Ok(()),
        }
    }

    const fn values(&self) -> ValueReader<'a> {
        ValueReader { types: self.types, source: Source::Person(self.guest_types) }
    }

    fn sid(&self, text: &str) -> Result<ServiceId, EditError> {
        self.values().sid(text).map_err(EditError::BadId)
    }

    /// A service that should be configured: a text that is no valid name may be nearly one that is.
    fn known_sid(&self, text: &str, resources: &ResourcesConfig) -> Result<ServiceId, EditError> {
        self.sid(text).map_err(|error| {
            let known = resources.resources.keys().map(ServiceId::as_str);
            match similar_service(text, known) {
                Some(meant) => not_found("resource", &value::excerpt(text.as_bytes()), Some(meant)),
                None => error,
            }
        })
    }

    /// Changes the properties of a draft and finishes it.
    fn changed<S: Section>(&self, mut draft: S::Draft, changes: Changes<'_>) -> Changed<S> {
        changes.set.iter().for_each(|(key, value)| S::foresee(&mut draft, key, value.trim()));
        let table = S::properties_of(&draft);
        let mut edited = Vec::new();
        let mut faults = Vec::new();
        for (key, value) in all(changes) {
            let kind = match find_property::<S>(table, key.as_bytes()) {
                None => Some(FaultKind::UnknownProperty { expected: property_list::<S>(table) }),
                Some((place, _)) if edited.contains(&place) => Some(FaultKind::GivenTwice),
                Some((place, property)) => {
                    edited.push(place);
                    match value {
                        Some(value) => {
                            S::assign(&mut draft, property, value.trim(), &self.values()).err().map(FaultKind::BadValue)
                        }
                        None => {
                            S::clear(&mut draft, property);
                            None
                        }
                    }
                }
            };
            faults.extend(kind.map(|kind| fault(key, kind)));
        }
        let section = S::finish(draft).map_err(|missing| {
            // One with a bad value is missing for that reason.
            let missing = missing.into_iter().map(S::key);
            let missing: Vec<_> = missing.filter(|key| !faults.iter().any(|fault| fault.property == *key)).collect();
            faults.extend(missing.into_iter().map(|key| fault(key, FaultKind::Missing)));
        });
        Changed { section: section.ok(), edited, faults }
    }

    /// Names that are nearly those of nodes: typing errors. What was there before is not looked at again.
    fn check_nodes(&self, nodes: &NodePriorities, old: Option<&NodePriorities>) -> Vec<PropertyFault> {
        let new = nodes.keys().filter(|node| old.is_none_or(|old| !old.contains_key(*node)));
        let unknown = new.filter(|node| !self.nodes.contains(node));
        let faults = unknown.filter_map(|node| {
            let similar = similar(node.as_str(), self.nodes.iter().map(NodeName::as_str))?.into();
            let kind = FaultKind::UnknownName { what: "node", name: node.to_string(), similar };
            Some(fault(RuleProperty::Nodes.as_str(), kind))
        });
        faults.collect()
    }

    /// The same for the services of a rule.
    fn check_services(rule: &Rule, old: Option<&Rule>, config: &ConfigFiles) -> Vec<PropertyFault> {
        let known = &config.resources.resources;
        let new = rule.resources.iter().filter(|sid| old.is_none_or(|old| !old.resources.contains(sid)));
        let faults = new.filter(|sid| !known.contains_key(*sid)).filter_map(|sid| {
            let similar = similar_service(sid.as_str(), known.keys().map(ServiceId::as_str))?.into();
            let kind = FaultKind::UnknownName { what: "service", name: sid.to_string(), similar };
            let property = match rule.order() {
                Some(order) if order.first.contains(sid) => RuleProperty::First,
                Some(_) => RuleProperty::Then,
                None => RuleProperty::Resources,
            };
            Some(fault(property.as_str(), kind))
        });
        faults.collect()
    }

    /// Why a rule cannot hold, by itself or with all others.
    fn check_rule(&self, rule: &Rule, old: Option<&Rule>, config: &ConfigFiles) -> Vec<PropertyFault> {
        let mut faults = Self::check_services(rule, old, config);
        if let RuleKind::NodeAffinity { nodes, .. } = &rule.kind {
            let old = old.and_then(|old| match &old.kind {
                RuleKind::NodeAffinity { nodes, .. } => Some(nodes),
                RuleKind::ResourceAffinity { .. } | RuleKind::Order(_) => None,
            });
            faults.extend(self.check_nodes(nodes, old));
        }
        let rules = RuleSet::with_groups(&config.rules, &config.groups, &config.resources);
        let mut rules = rules.in_domains(&config.nodes);
        rules.insert(rule.clone());
        let findings = rules.check(self.nodes).into_iter().filter(|finding| finding.rule == rule.id);
        faults.extend(
            findings.map(|finding| fault(property_at_fault(rule, &finding).as_str(), FaultKind::Infeasible(finding))),
        );
        faults
    }
}

/// The property whose change could make the rule hold.
const fn property_at_fault(rule: &Rule, finding: &Finding) -> RuleProperty {
    match (finding.reason, rule.rule_type()) {
        (
            Reason::SeveralPrioritiesWithResourceAffinity
            | Reason::NegativeAffinityExceedsNodes
            | Reason::NegativeAffinityExceedsDomains
            | Reason::NegativeNodeAffinityWithPriorities
            | Reason::NegativeNodeAffinityLeavesNoNode,
            RuleType::NodeAffinity,
        ) => RuleProperty::Nodes,
        (Reason::OrderAgainstItself | Reason::OrderCircle, _) | (_, RuleType::Order) => RuleProperty::First,
        (
            Reason::ResourceInSeveralNodeAffinityRules
            | Reason::NegativeNodeAffinityWithPriorities
            | Reason::NegativeNodeAffinityLeavesNoNode
            | Reason::FewerThanTwoResources
            | Reason::MoreResourcesThanNodes
            | Reason::MoreResourcesThanDomains
            | Reason::PositiveAndNegativeConflict
            | Reason::SeveralPrioritiesWithResourceAffinity
            | Reason::PositiveAffinityInSeveralNodeAffinityRules
            | Reason::NegativeAffinityExceedsNodes
            | Reason::NegativeAffinityExceedsDomains,
            RuleType::NodeAffinity | RuleType::ResourceAffinity,
        ) => RuleProperty::Resources,
    }
}

/// All changes: a key, and a value to set it to or none to unset it.
fn all<'a>(changes: Changes<'a>) -> impl Iterator<Item = (&'a str, Option<&'a str>)> {
    let set = changes.set.iter().map(|(key, value)| (*key, Some(*value)));
    set.chain(changes.unset.iter().map(|key| (*key, None)))
}

/// A section after its changes, with what is wrong with them.
struct Changed<S> {
    /// The section, if nothing is missing.
    section: Option<S>,
    /// The places of the changed properties in the table.
    edited: Vec<usize>,
    faults: Vec<PropertyFault>,
}

/// A section after changes that are all right.
struct Edited<S> {
    section: S,
    edited: Vec<usize>,
}

impl<S> Changed<S> {
    /// Checks the section against the rest of the configuration, if there is one to check.
    fn and_check(mut self, check: impl FnOnce(&S) -> Vec<PropertyFault>) -> Result<Edited<S>, EditError> {
        if let Some(section) = &self.section {
            self.faults.extend(check(section));
        }
        match self.section {
            Some(section) if self.faults.is_empty() => Ok(Edited { section, edited: self.edited }),
            Some(_) | None => Err(EditError::BadProperties(self.faults)),
        }
    }
}

fn fault(property: &str, kind: FaultKind) -> PropertyFault {
    PropertyFault { property: value::excerpt(property.as_bytes()), kind }
}

fn not_found(what: &'static str, id: &impl ToString, similar: Option<&str>) -> EditError {
    EditError::NotFound { what, id: id.to_string(), similar: similar.map(Into::into) }
}

/// Checks that a resource that gets another group than it had gets one that exists.
fn check_group(resource: &Resource, old: Option<&GroupId>, groups: &GroupsConfig) -> Vec<PropertyFault> {
    match &resource.group {
        Some(group) if Some(group) != old && !groups.groups.contains_key(group) => {
            let similar = similar(group.as_str(), groups.groups.keys().map(GroupId::as_str)).map(Into::into);
            let kind = FaultKind::NoSuchGroup { group: group.clone(), similar };
            [fault(ResourceProperty::Group.as_str(), kind)].into()
        }
        Some(_) | None => Vec::new(),
    }
}

fn too_long(error: IdError) -> EditError {
    EditError::BadId(error.into())
}

/// Checks that a section to be added is not there yet, not even kept out.
fn check_absent<S: Section>(
    what: &'static str,
    id: &S::Id,
    sections: &OrderedMap<S::Id, S>,
    kept: &Kept<S::Id>,
) -> Result<(), EditError>
where
    S::Id: ToString,
{
    if sections.contains_key(id) || kept.has_incomplete(id) {
        return Err(EditError::AlreadyExists { what, id: id.to_string() });
    }
    Ok(())
}

/// Replaces the old section by the edited one. What was kept of the edited properties goes.
fn replace<S: Section>(sections: &mut OrderedMap<S::Id, S>, kept: &mut Kept<S::Id>, id: &S::Id, edited: Edited<S>) {
    for property in edited.edited {
        kept.forget_property(id, property);
    }
    sections.insert(id.clone(), edited.section);
}

/// Takes out a section with all that is kept under its id.
fn remove<S: Section>(
    what: &'static str,
    id: &S::Id,
    sections: &mut OrderedMap<S::Id, S>,
    kept: &mut Kept<S::Id>,
) -> Result<(), EditError>
where
    S::Id: ToString,
{
    let index = sections.get_index_of(id);
    if index.is_none() && !kept.has_incomplete(id) {
        let (typed, known) = (id.to_string(), sections.keys().map(ToString::to_string).collect::<Vec<_>>());
        return Err(not_found(what, id, similar_service(&typed, known.iter().map(|id| &**id))));
    }
    kept.remove(id, index);
    sections.shift_remove(id);
    Ok(())
}

/// Takes a resource out of every rule, and out of the file each rule that asks nothing any more.
fn purge_rules(config: &mut RulesConfig, sid: &ServiceId) {
    let mut emptied = Vec::new();
    for (index, (id, rule)) in config.rules.iter_mut().enumerate() {
        if rule.take_out(sid) {
            emptied.push((index, id.clone()));
        }
    }
    // From the end, so that the places of the earlier ones stay right.
    for (index, id) in emptied.iter().rev() {
        config.kept.remove(id, Some(*index));
    }
    if !emptied.is_empty() {
        let mut emptied = emptied.into_iter().map(|(_, id)| id).peekable();
        config.rules.retain(|id, _| emptied.next_if(|next| next == id).is_none());
    }
}
