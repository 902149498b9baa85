//! Whether the cluster can be seen, and is whole. The caller need not be known, and so hears no details.

use serde_json::json;

use crate::{
    call::Call,
    wire::{Answer, Fault, FaultClass},
};

pub(super) fn ready(call: &Call<'_>) -> Result<Answer, Fault> {
    let not_ready = || Fault::new(FaultClass::Unavailable, "not_ready", "not ready");
    let present = call.present().map_err(|_| not_ready())?;
    // There is no master before there is a service.
    let needs_master = !present.configuration().resources.resources.is_empty();
    let is_whole = present.broken.is_empty() && (!needs_master || present.has_fresh_master());
    if is_whole { Ok(json!({"ready": true}).into()) } else { Err(not_ready()) }
}
