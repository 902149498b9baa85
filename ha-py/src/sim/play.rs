//! Time that passes while a loop looks on.

use ha_core::time::Instant;
use pyo3::prelude::*;

use super::{Cluster, happening::Shown};
use crate::{convert::Out, slot::Slot};

/// What happens in a cluster, as it happens. Time passes while it is iterated.
#[pyclass(frozen, module = "pyha.sim")]
#[derive(Debug)]
pub(crate) struct Play {
    cluster: Py<Cluster>,
    end: Instant,
    /// How many happenings were given.
    mark: Slot<usize>,
}

impl Play {
    pub(crate) fn new(cluster: Py<Cluster>, end: Instant, mark: usize) -> Self {
        Self { cluster, end, mark: Slot::new(mark) }
    }
}

#[pymethods]
impl Play {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Out<Shown>>> {
        let end = self.end;
        self.mark.with(py, |mark| {
            let from = *mark;
            let next = self.cluster.get().try_with(py, |cluster| {
                loop {
                    if let Some(happening) = cluster.happenings_since(from).first() {
                        return Ok(Some(happening.clone()));
                    }
                    if cluster.next_due().is_none_or(|due| due > end) {
                        cluster.run_until(end)?;
                        return Ok(None);
                    }
                    cluster.step()?;
                }
            })?;
            *mark = from.saturating_add(usize::from(next.is_some()));
            Ok(next.map(|happening| Out(Shown(happening))))
        })?
    }
}
