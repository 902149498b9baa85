//! The cluster in figures.

use ha_host::desk::{Glance, Measured, MetricsFormat, counted, metrics as text, tolerance};

use crate::{call::Call, wire::Fault};

/// The figures, in one of two forms.
pub(crate) fn metrics(call: &Call<'_>, format: MetricsFormat) -> Result<String, Fault> {
    let present = call.present()?;
    let glance = Glance::new(present, &call.local_node()?, None);
    let tolerance = tolerance(present, usize::MAX);
    // Without a history the rest is as true as with it.
    let counted = counted(&**call.desk().store()).ok();
    Ok(text(Measured { present, glance: &glance, tolerance: &tolerance, counted: counted.as_ref() }, format))
}
