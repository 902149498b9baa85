//! A cluster that is played: how the play stands, and what people do in it.

use serde_json::json;

use crate::{
    call::Call,
    stage::{Direction, FASTEST, Stage},
    wire::{Answer, Fault, FaultClass},
};

pub(super) fn look(call: &Call<'_>) -> Result<Answer, Fault> {
    Ok(stage(call)?.look().into())
}

pub(super) fn direct(call: &Call<'_>) -> Result<Answer, Fault> {
    let stage = stage(call)?;
    let rate = call.parameters.get("rate").map(str::parse::<u32>).transpose();
    let rate = rate.ok().filter(|rate| rate.is_none_or(|rate| (1..=FASTEST).contains(&rate)));
    let rate = rate.ok_or_else(|| {
        Fault::parameter("rate", "bad_value", format!("the rate is a whole number from 1 to {FASTEST}"))
    })?;
    let to_s = call.parameters.get("to_s").and_then(|text| text.parse().ok());
    let direction = Direction {
        rate,
        to_s,
        paused: call.parameters.truth("paused"),
        action: call.parameters.get("action").map(str::to_owned),
    };
    if direction == Direction::default() {
        return Err(Fault::new(FaultClass::Malformed, "nothing_asked", "give 'rate', 'paused', 'to_s' or 'action'"));
    }
    let at_fault = if to_s.is_some() { "to_s" } else { "action" };
    stage.direct(&direction).map_err(|why| Fault::parameter(at_fault, "not_done", why))?;
    Ok(json!(stage.look()).into())
}

fn stage<'a>(call: &Call<'a>) -> Result<&'a dyn Stage, Fault> {
    let stage = call.site.stage.as_deref();
    stage.ok_or_else(|| Fault::new(FaultClass::NotFound, "no_play", "this is a real cluster: there is nothing to play"))
}
