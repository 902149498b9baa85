//! The native part of the Python package `pyha`: what `ha-core` and `ha-sim` have, for Python.
//!
//! Plain data is made of classes that are written in Python (most of them are made from the Rust types, see `tools/bindings`);
//! it goes through JSON, which serde reads and writes anyway. What is looked at often, or is large, or has a life of its own
//! is a class here.

mod config;
mod convert;
mod daemons;
mod errors;
mod generated;
mod history;
mod host;
mod measure;
mod placement;
mod python;
mod raise;
mod rules;
mod sim;
mod slot;
mod status;
mod timing;
mod values;

#[pyo3::pymodule]
mod _native {
    #[pymodule_export]
    use crate::{
        config::{
            Configuration, DatacenterFile, Editor, FenceConfig, Group, GroupsConfig, NodeLabels, NodesConfig, Resource,
            ResourcesConfig, Rule, RulesConfig,
        },
        daemons::{Crm, JobRun, Lrm, Manager, RoundInput, clock, run_job},
        history::{history_counted, history_entry, history_failovers},
        measure::{measure_reading, measure_replay},
        placement::{Situation, describe_balance, describe_change, describe_event, describe_explanation},
        rules::{Evaluated, RuleSet},
        sim::{Cluster, Outcome, Play, Replay, Scenario, check_recorded, describe_cluster_event},
        status::{ClusterView, Command, LrmStatus, ManagerStatus, ServiceEntry, Services},
        timing::Timings,
        values::{compare_versions, decide_lock, lock_answer_by_writer},
    };
}
