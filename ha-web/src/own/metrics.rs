//! The cluster in figures.

use ha_host::desk::{Glance, Measured, MetricsFormat, metrics as text, tolerance};

use crate::{call::Call, wire::Fault};

/// The figures, in one of two forms.
pub(crate) fn metrics(call: &Call<'_>, format: MetricsFormat) -> Result<String, Fault> {
    let present = call.present()?;
    let glance = Glance::new(present, &call.local_node()?, None);
    let tolerance = tolerance(present, usize::MAX);
    Ok(text(Measured { present, glance: &glance, tolerance: &tolerance }, format))
}
