//! Edits, with their checks.

use std::collections::{BTreeMap, BTreeSet};

use ha_core::{
    config::{self, Changes, Digest, EditError},
    host,
    id::{NodeName, ServiceId},
};
use pyo3::{prelude::*, types::PyDict};

use super::{Configuration, arguments::Properties, configuration::Parts};
use crate::{convert::Items, errors};

/// Makes edits of a configuration. One that is refused raises an ``EditError`` and changes nothing.
///
/// Properties are given by keyword, or as ``changes``: a mapping, or pairs. A value is the text that a file has, or what
/// the text says: a number, a boolean, a list of names, nodes with their priorities.
///
/// >>> from pyha import Configuration, EditError
/// >>> editor = Configuration().editor(nodes=["node1", "node2"])
/// >>> editor.add_resource("vm:100", max_restart=3)
/// 'vm:100'
/// >>> editor.add_rule("node-affinity", "home", resources=["vm:100"], nodes={"node1": 2, "node2": 1}, strict=True)
/// >>> try:
/// ...     editor.set_resource("vm:100", state="on")
/// ... except EditError as error:
/// ...     print(error.field, error.faults[0].code)
/// state bad_value
#[pyclass(frozen, module = "pyha")]
pub(crate) struct Editor {
    pub(super) configuration: Py<Configuration>,
    pub(super) nodes: Vec<NodeName>,
    pub(super) in_error: BTreeSet<ServiceId>,
    pub(super) guest_types: BTreeMap<String, String>,
    pub(super) seen: Option<Digest>,
}

impl Editor {
    fn with<T>(
        &self,
        parts: &Parts,
        edit: impl FnOnce(&config::Editor<'_>) -> Result<T, EditError>,
    ) -> Result<T, EditError> {
        let guest_types = |number: &str| self.guest_types.get(number).cloned();
        let in_error = |sid: &ServiceId| self.in_error.contains(sid);
        let editor = config::Editor::new(&parts.types, &self.nodes).guest_types(&guest_types);
        edit(&editor.services_in_error(&in_error).seen(self.seen))
    }

    /// Edits copies of resources, groups, rules and what is said of nodes, which take the place of the files when all went well.
    fn edit<T>(
        &self,
        py: Python<'_>,
        edit: impl FnOnce(&config::Editor<'_>, &mut config::ConfigFiles) -> Result<T, EditError>,
    ) -> PyResult<T> {
        let mut parts = self.configuration.get().lock();
        let mut configuration = host::Configuration {
            resources: parts.resources.config.clone(),
            groups: parts.groups.config.clone(),
            rules: parts.rules.config.clone(),
            nodes: parts.nodes.config.clone(),
            ..host::Configuration::default()
        };
        let mut files = configuration.files();
        let answer = self.with(&parts, |editor| edit(editor, &mut files));
        if answer.is_ok() {
            // A file that changed has the digest that it will have when it is written, so that whoever looks at digests sees that.
            configuration.take_files(files);
            parts.resources.config = configuration.resources;
            parts.groups.config = configuration.groups;
            parts.rules.config = configuration.rules;
            parts.nodes.config = configuration.nodes;
        }
        drop(parts);
        answer.map_err(|error| errors::edit(py, &error))
    }
}

fn keys(unset: &Items<String>) -> Vec<&str> {
    unset.0.iter().map(String::as_str).collect()
}

#[pymethods]
impl Editor {
    /// Adds a resource, and gives its SID.
    #[pyo3(signature = (sid, changes=Properties::default(), **properties: "str | int | bool | list[str] | dict[str, int]"))]
    fn add_resource(
        &self,
        py: Python<'_>,
        sid: &str,
        changes: Properties,
        properties: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<String> {
        let set = changes.and(properties)?;
        self.edit(py, |editor, config| editor.add_resource(config, sid, &set.pairs())).map(|sid| sid.to_string())
    }

    /// Sets and unsets properties of a resource.
    #[pyo3(signature = (sid, changes=Properties::default(), *, unset=Items::default(), **properties: "str | int | bool | list[str] | dict[str, int]"))]
    fn set_resource(
        &self,
        py: Python<'_>,
        sid: &str,
        changes: Properties,
        unset: Items<String>,
        properties: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let set = changes.and(properties)?;
        let (set, unset) = (set.pairs(), keys(&unset));
        self.edit(py, |editor, config| editor.set_resource(config, sid, Changes { set: &set, unset: &unset }))
    }

    /// Removes a resource; with ``purge`` also from every rule, and each rule that is left with no resource.
    #[pyo3(signature = (sid, *, purge=true))]
    fn remove_resource(&self, py: Python<'_>, sid: &str, purge: bool) -> PyResult<()> {
        self.edit(py, |editor, config| editor.remove_resource(config, sid, purge))
    }

    /// Adds a group.
    #[pyo3(signature = (id, changes=Properties::default(), **properties: "str | int | bool | list[str] | dict[str, int]"))]
    fn add_group(
        &self,
        py: Python<'_>,
        id: &str,
        changes: Properties,
        properties: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let set = changes.and(properties)?;
        self.edit(py, |editor, config| editor.add_group(config, id, &set.pairs()))
    }

    /// Sets and unsets properties of a group.
    #[pyo3(signature = (id, changes=Properties::default(), *, unset=Items::default(), **properties: "str | int | bool | list[str] | dict[str, int]"))]
    fn set_group(
        &self,
        py: Python<'_>,
        id: &str,
        changes: Properties,
        unset: Items<String>,
        properties: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let set = changes.and(properties)?;
        let (set, unset) = (set.pairs(), keys(&unset));
        self.edit(py, |editor, config| editor.set_group(config, id, Changes { set: &set, unset: &unset }))
    }

    /// Removes a group that no resource names.
    fn remove_group(&self, py: Python<'_>, id: &str) -> PyResult<()> {
        self.edit(py, |editor, config| editor.remove_group(config, id))
    }

    /// Sets and unsets what is said of a node.
    #[pyo3(signature = (node, changes=Properties::default(), *, unset=Items::default(), **properties: "str | int | bool | list[str] | dict[str, int]"))]
    fn set_node(
        &self,
        py: Python<'_>,
        node: &str,
        changes: Properties,
        unset: Items<String>,
        properties: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let set = changes.and(properties)?;
        let (set, unset) = (set.pairs(), keys(&unset));
        self.edit(py, |editor, config| editor.set_node(config, node, Changes { set: &set, unset: &unset }))
    }

    /// Adds a rule: ``node-affinity``, ``resource-affinity`` or ``order``.
    #[pyo3(signature = (rule_type, id, changes=Properties::default(), **properties: "str | int | bool | list[str] | dict[str, int]"))]
    fn add_rule(
        &self,
        py: Python<'_>,
        rule_type: &str,
        id: &str,
        changes: Properties,
        properties: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let set = changes.and(properties)?;
        self.edit(py, |editor, config| editor.add_rule(config, rule_type, id, &set.pairs()))
    }

    /// Sets and unsets properties of a rule.
    #[pyo3(signature = (id, changes=Properties::default(), *, unset=Items::default(), **properties: "str | int | bool | list[str] | dict[str, int]"))]
    fn set_rule(
        &self,
        py: Python<'_>,
        id: &str,
        changes: Properties,
        unset: Items<String>,
        properties: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let set = changes.and(properties)?;
        let (set, unset) = (set.pairs(), keys(&unset));
        self.edit(py, |editor, config| editor.set_rule(config, id, Changes { set: &set, unset: &unset }))
    }

    /// Removes a rule.
    fn remove_rule(&self, py: Python<'_>, id: &str) -> PyResult<()> {
        self.edit(py, |editor, config| editor.remove_rule(config, id))
    }

    /// Sets and unsets settings of ``datacenter.cfg``, by their names such as ``crs.ha``.
    #[pyo3(signature = (changes=Properties::default(), *, unset=Items::default()))]
    fn set_datacenter(&self, py: Python<'_>, changes: Properties, unset: Items<String>) -> PyResult<()> {
        let (set, unset) = (changes.pairs(), keys(&unset));
        let mut parts = self.configuration.get().lock();
        let mut file = parts.datacenter.file.clone();
        let answer = self.with(&parts, |editor| editor.set_datacenter(&mut file, Changes { set: &set, unset: &unset }));
        if answer.is_ok() {
            parts.set_datacenter(file);
        }
        drop(parts);
        answer.map_err(|error| errors::edit(py, &error))
    }

    /// The configuration that is edited.
    #[getter]
    fn configuration(&self, py: Python<'_>) -> Py<Configuration> {
        self.configuration.clone_ref(py)
    }
}
