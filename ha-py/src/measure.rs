//! What the work costs without Python, for the benchmark.

use std::time::Instant;

use ha_core::{config::ResourcesConfig, id::ServiceTypes};
use ha_sim::recorded::{Case, Replay};
use pyo3::prelude::*;

use crate::{
    convert::{PathArg, Text},
    errors,
};

/// The seconds that it takes to read ``resources.cfg``, in Rust alone.
#[pyfunction]
pub(crate) fn measure_reading(py: Python<'_>, text: Text) -> f64 {
    py.detach(|| {
        let began = Instant::now();
        let parsed = ResourcesConfig::read(&text.0, &ServiceTypes::default());
        let taken = began.elapsed();
        drop(parsed);
        taken.as_secs_f64()
    })
}

/// The seconds that it takes to read and replay a recorded scenario, in Rust alone.
#[pyfunction]
pub(crate) fn measure_replay(py: Python<'_>, folder: PathArg) -> PyResult<f64> {
    py.detach(|| {
        let began = Instant::now();
        let mut replay = Replay::new(Case::read(&folder)?);
        replay.run();
        Ok(began.elapsed().as_secs_f64())
    })
    .map_err(|error| errors::case(py, &error))
}
