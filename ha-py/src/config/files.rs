//! Section files: mappings from the ids to the sections, in the order of the file.

use std::{marker::PhantomData, sync::Arc};

use ha_core::{
    config::{self, Digest, Parsed, Problem},
    id::ServiceTypes,
};
use pyo3::{
    IntoPyObjectExt,
    exceptions::PyKeyError,
    inspect::PyStaticExpr,
    prelude::*,
    type_hint_identifier, type_hint_subscript,
    types::{PyBytes, PyList, PyString},
};

use super::{Group, NodeLabels, Resource, Rule, read_file, service_types, write_file};
use crate::{
    convert::{Items, OutAll, PathArg, Text},
    errors,
};

/// An iterator over a list of items of a type.
pub(crate) struct Iter<'py, T>(Bound<'py, PyList>, PhantomData<T>);

impl<'py, T: IntoPyObject<'py>> Iter<'py, T> {
    pub(crate) fn over(py: Python<'py>, items: Vec<T>) -> PyResult<Self> {
        Ok(Self(PyList::new(py, items)?, PhantomData))
    }
}

impl<'py, T: IntoPyObject<'py>> IntoPyObject<'py> for Iter<'py, T> {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    const OUTPUT_TYPE: PyStaticExpr =
        type_hint_subscript!(type_hint_identifier!("collections.abc", "Iterator"), T::OUTPUT_TYPE);

    fn into_pyobject(self, _: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.try_iter().map(Bound::into_any)
    }
}

/// What is found in a mapping, or what is given instead.
pub(crate) enum Found<'py, T> {
    Item(T),
    Instead(Option<Bound<'py, PyAny>>),
}

impl<'py, T> Found<'py, T> {
    pub(crate) fn of(item: Option<T>, instead: Option<Bound<'py, PyAny>>) -> Self {
        item.map_or(Self::Instead(instead), Self::Item)
    }
}

impl<'py, T: IntoPyObject<'py>> IntoPyObject<'py> for Found<'py, T> {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    const OUTPUT_TYPE: PyStaticExpr = Option::<T>::OUTPUT_TYPE;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Self::Item(item) => item.into_bound_py_any(py),
            Self::Instead(instead) => instead.into_bound_py_any(py),
        }
    }
}

macro_rules! section_file {
    ($(#[$doc:meta])* $class:ident of $item:ident by $key:ident, $core:ty, $sections:ident, $file:literal, $read:expr) => {
        $(#[$doc])*
        #[pyclass(frozen, mapping, module = "pyha")]
        #[derive(Debug, Clone)]
        pub(crate) struct $class {
            pub(crate) config: Arc<$core>,
            pub(crate) problems: Arc<Vec<Problem>>,
        }

        impl $class {
            pub(crate) fn from_parsed(parsed: Parsed<$core>) -> Self {
                Self { config: Arc::new(parsed.config), problems: Arc::new(parsed.problems) }
            }

            /// Reads the bytes of a file.
            pub(crate) fn from_bytes(bytes: &[u8], types: &ServiceTypes) -> Self {
                let read: fn(&[u8], &ServiceTypes) -> Parsed<$core> = $read;
                Self::from_parsed(read(bytes, types))
            }
        }

        impl Default for $class {
            fn default() -> Self {
                Self { config: Arc::default(), problems: Arc::default() }
            }
        }

        #[pymethods]
        impl $class {
            /// From its sections; of two with one name the later one.
            #[new]
            #[pyo3(signature = (sections = Items::default()))]
            fn new(sections: Items<PyRef<'_, $item>>) -> Self {
                let mut config = <$core>::default();
                let sections = sections.0.iter().map(|section| (section.0.$key.clone(), section.0.clone()));
                config.$sections = sections.collect();
                config.digest = Digest::of(&config.write());
                Self { config: Arc::new(config), problems: Arc::default() }
            }

            /// Reads the text or the bytes of a file. What is wrong in it is in ``problems`` and never loses the rest.
            #[staticmethod]
            #[pyo3(signature = (text, *, service_types = Items::default()))]
            fn parse(py: Python<'_>, text: Text, service_types: Items<String>) -> Self {
                py.detach(|| Self::from_bytes(&text.0, &self::service_types(&service_types.0)))
            }

            /// Reads a file.
            #[staticmethod]
            #[pyo3(signature = (path, *, service_types = Items::default()))]
            fn read(py: Python<'_>, path: PathArg, service_types: Items<String>) -> PyResult<Self> {
                let bytes = read_file(py, &path)?;
                Ok(py.detach(|| Self::from_bytes(&bytes, &self::service_types(&service_types.0))))
            }

            /// The file's bytes. Whatever could not be read is still there.
            fn to_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
                PyBytes::new(py, &py.detach(|| self.config.write()))
            }

            /// Writes a file, whole or not at all.
            fn write(&self, py: Python<'_>, path: PathArg) -> PyResult<()> {
                let bytes = py.detach(|| self.config.write());
                write_file(py, &path, &bytes)
            }

            /// What is wrong in the file, in the order of the lines.
            #[getter]
            fn problems(&self) -> OutAll<Problem> {
                OutAll(self.problems.as_ref().clone())
            }

            /// Raises a ``ConfigError`` if the file has problems.
            pub(crate) fn raise_for_problems(&self, py: Python<'_>) -> PyResult<()> {
                if self.problems.is_empty() { Ok(()) } else { Err(errors::config(py, $file, &self.problems)) }
            }

            /// The SHA-1 of the file that this was read from, as 40 hexadecimal digits.
            #[getter]
            fn digest(&self) -> String {
                self.config.digest.to_string()
            }

            fn __len__(&self) -> usize {
                self.config.$sections.len()
            }

            fn __contains__(&self, key: &Bound<'_, PyAny>) -> PyResult<bool> {
                let Ok(key) = key.cast::<PyString>() else { return Ok(false) };
                Ok(self.config.$sections.contains_key(&*key.to_cow()?))
            }

            fn __getitem__(&self, key: &str) -> PyResult<$item> {
                let section = self.config.$sections.get(key).cloned().map($item);
                section.ok_or_else(|| PyKeyError::new_err(key.to_owned()))
            }

            /// The section of this name, or ``default``.
            #[pyo3(signature = (key, default=None))]
            fn get<'py>(&self, key: &str, default: Option<Bound<'py, PyAny>>) -> Found<'py, $item> {
                Found::of(self.config.$sections.get(key).cloned().map($item), default)
            }

            fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Iter<'py, &str>> {
                Iter::over(py, self.keys())
            }

            /// The names, in the order of the file.
            fn keys(&self) -> Vec<&str> {
                self.config.$sections.keys().map(|key| key.as_str()).collect()
            }

            /// The sections, in the order of the file.
            fn values(&self) -> Vec<$item> {
                self.config.$sections.values().cloned().map($item).collect()
            }

            /// Names and sections, in the order of the file.
            fn items(&self) -> Vec<(&str, $item)> {
                self.config.$sections.iter().map(|(key, item)| (key.as_str(), $item(item.clone()))).collect()
            }

            fn __eq__(&self, other: &Self) -> bool {
                self.config == other.config
            }

            fn __repr__(&self) -> String {
                let (class, count) = (stringify!($class), self.config.$sections.len());
                let noun = if count == 1 { stringify!($sections).trim_end_matches('s') } else { stringify!($sections) };
                match self.problems.len() {
                    0 => format!("<{class}: {count} {noun}>"),
                    1 => format!("<{class}: {count} {noun}, 1 problem>"),
                    problems => format!("<{class}: {count} {noun}, {problems} problems>"),
                }
            }
        }
    };
}

section_file! {
    /// The content of ``resources.cfg``: a mapping from the SIDs to the resources.
    ///
    /// >>> from pyha import ResourcesConfig
    /// >>> config = ResourcesConfig.parse("vm: 100\n\tstate stopped\n\tcolour blue\n")
    /// >>> config["vm:100"].state
    /// <RequestedState.STOPPED: 'stopped'>
    /// >>> [problem.code for problem in config.problems]
    /// ['unknown_property']
    ResourcesConfig of Resource by sid, config::ResourcesConfig, resources, "resources.cfg", config::ResourcesConfig::read
}

section_file! {
    /// The content of ``groups.cfg``: a mapping from the names to the groups.
    ///
    /// >>> from pyha import GroupsConfig
    /// >>> list(GroupsConfig.parse("group: web\n\tnodes node1\n"))
    /// ['web']
    GroupsConfig of Group by id, config::GroupsConfig, groups, "groups.cfg", |text, _| config::GroupsConfig::read(text)
}

section_file! {
    /// The content of ``rules.cfg``: a mapping from the names to the rules.
    ///
    /// >>> from pyha import RulesConfig
    /// >>> rules = RulesConfig.parse("resource-affinity: apart\n\taffinity negative\n\tresources vm:100,vm:101\n")
    /// >>> rules["apart"].resources
    /// ['vm:100', 'vm:101']
    RulesConfig of Rule by id, config::RulesConfig, rules, "rules.cfg", config::RulesConfig::read
}

section_file! {
    /// The content of ``nodes.cfg``: a mapping from the nodes to what is said of them.
    ///
    /// >>> from pyha import NodesConfig
    /// >>> NodesConfig.parse("node: node1\n\tfailure-domain rack-a\n")["node1"].failure_domain
    /// 'rack-a'
    NodesConfig of NodeLabels by node, config::NodesConfig, nodes, "nodes.cfg", |text, _| config::NodesConfig::read(text)
}
