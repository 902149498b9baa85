//! What a virtual cluster is made of, as Python gives it.

use std::{collections::BTreeMap, time::Duration};

use ha_core::{id::ServiceId, timing::Timings};
use ha_sim::{
    cluster::{Durations, GuestSetup, NodeSetup, Setup},
    world::{Guest, GuestTimes, JobTimes},
};
use pyo3::{
    inspect::PyStaticExpr,
    prelude::*,
    type_hint_identifier, type_hint_subscript, type_hint_union,
    types::{PyMapping, PyString},
};
use serde::Deserialize;

use crate::{
    convert::{Name, Node, Sid, from_data},
    raise,
};

/// A node: its name, or all that there is to say about it.
#[derive(Debug)]
pub(crate) struct NodeArg(Node, NodeSetup);

impl<'a, 'py> FromPyObject<'a, 'py> for NodeArg {
    type Error = PyErr;

    const INPUT_TYPE: PyStaticExpr =
        type_hint_union!(type_hint_identifier!("builtins", "str"), type_hint_identifier!("pyha.sim", "NodeSetup"));

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if object.is_instance_of::<PyString>() {
            return Ok(Self(object.extract()?, NodeSetup::default()));
        }
        let setup = NodeSetup {
            power: object.getattr("power")?.extract()?,
            cores: object.getattr("cores")?.extract()?,
            memory: object.getattr("memory")?.extract()?,
            version: object.getattr("version")?.extract()?,
            ..NodeSetup::default()
        };
        Ok(Self(object.getattr("name")?.extract()?, setup))
    }
}

/// Guests: where each is, or all that there is to say about each.
#[derive(Debug, Default)]
pub(crate) struct Guests(Vec<(ServiceId, GuestSetup)>);

impl<'a, 'py> FromPyObject<'a, 'py> for Guests {
    type Error = PyErr;

    const INPUT_TYPE: PyStaticExpr = type_hint_union!(
        type_hint_subscript!(
            type_hint_identifier!("collections.abc", "Mapping"),
            type_hint_identifier!("builtins", "str"),
            type_hint_identifier!("builtins", "str")
        ),
        type_hint_subscript!(
            type_hint_identifier!("collections.abc", "Iterable"),
            type_hint_identifier!("pyha.sim", "GuestSetup")
        )
    );

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(mapping) = object.cast::<PyMapping>() {
            let pairs = mapping.items()?.iter().map(|item| {
                let (Name(sid), Name(node)): (Sid, Node) = item.extract()?;
                Ok((sid, GuestSetup { guest: Guest::new(node), running: false }))
            });
            return pairs.collect::<PyResult<_>>().map(Self);
        }
        object.try_iter()?.map(|item| guest(&item?)).collect::<PyResult<_>>().map(Self)
    }
}

fn seconds(time: Option<f64>) -> Option<Duration> {
    time.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
}

fn guest(object: &Bound<'_, PyAny>) -> PyResult<(ServiceId, GuestSetup)> {
    #[derive(Deserialize)]
    struct Fields {
        sid: ServiceId,
        node: ha_core::id::NodeName,
        running: bool,
        lock: Option<String>,
        max_cpu: Option<f64>,
        max_memory: Option<u64>,
        cpu: Option<f64>,
        memory: Option<u64>,
        start: Option<f64>,
        stop: Option<f64>,
        migrate: Option<f64>,
        relocate: Option<f64>,
    }
    let fields: Fields = from_data(object)?;
    let usual = Guest::new(fields.node);
    let guest = Guest {
        lock: fields.lock,
        max_cpu: fields.max_cpu.unwrap_or(usual.max_cpu),
        max_memory: fields.max_memory.unwrap_or(usual.max_memory),
        cpu: fields.cpu.unwrap_or(usual.cpu),
        memory: fields.memory.unwrap_or(usual.memory),
        times: GuestTimes {
            start: seconds(fields.start),
            stop: seconds(fields.stop),
            migrate: seconds(fields.migrate),
            relocate: seconds(fields.relocate),
        },
        ..usual
    };
    Ok((fields.sid, GuestSetup { guest, running: fields.running }))
}

/// How long things take.
#[derive(Debug)]
pub(crate) struct DurationsArg(Durations);

impl<'a, 'py> FromPyObject<'a, 'py> for DurationsArg {
    type Error = PyErr;

    const INPUT_TYPE: PyStaticExpr = type_hint_identifier!("pyha.sim", "Durations");

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        #[derive(Deserialize)]
        struct Fields {
            start: f64,
            stop: f64,
            migrate: f64,
            relocate: f64,
            boot: f64,
            boot_after_reset: Option<f64>,
            restart: f64,
            fencing: f64,
            fencing_timeout: f64,
            stagger: Option<f64>,
        }
        let fields: Fields = from_data(&object.to_owned())?;
        let time = |seconds: f64| {
            let refused = |_| raise::invalid(object.py(), &format!("{seconds} is not a time in seconds"));
            Duration::try_from_secs_f64(seconds).map_err(refused)
        };
        Ok(Self(Durations {
            jobs: JobTimes {
                start: time(fields.start)?,
                stop: time(fields.stop)?,
                migrate: time(fields.migrate)?,
                relocate: time(fields.relocate)?,
            },
            boot: time(fields.boot)?,
            boot_after_reset: fields.boot_after_reset.map(time).transpose()?,
            restart: time(fields.restart)?,
            fencing: time(fields.fencing)?,
            fencing_timeout: time(fields.fencing_timeout)?,
            stagger: fields.stagger.map(time).transpose()?,
        }))
    }
}

/// A setup of nodes and guests.
pub(crate) fn setup(
    py: Python<'_>,
    nodes: Vec<NodeArg>,
    guests: Guests,
    timings: Timings,
    durations: Option<DurationsArg>,
) -> PyResult<Setup> {
    let nodes: BTreeMap<_, _> = nodes.into_iter().map(|NodeArg(Name(name), setup)| (name, setup)).collect();
    if let Some((sid, guest)) = guests.0.iter().find(|(_, guest)| !nodes.contains_key(&guest.guest.node)) {
        let message = format!("guest {sid} is on {}, but there is no such node", guest.guest.node);
        return Err(raise::invalid(py, &message));
    }
    let durations = durations.map(|DurationsArg(durations)| durations).unwrap_or_default();
    Ok(Setup { nodes, guests: guests.0.into_iter().collect(), timings, durations, ..Setup::default() })
}
