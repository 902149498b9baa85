//! Events: as records with a kind and fields, as JSON, and as sentences.

use std::{ffi::c_char, sync::OnceLock};

use ha_core::event::Event;
use serde_json::Value;

use crate::{
    boundary::{self, Call, call},
    error::ha_error,
    failure::{Failure, ha_status},
    generated::{events::kind, ha_event_kind},
    handles::{self, Handle},
    records::Record,
    text::{ha_str, ha_text},
    words::Number,
};

/// Something that happened.
pub struct ha_event {
    _private: [u8; 0],
}

/// Behind a `ha_event`.
pub(crate) struct EventHandle {
    event: Record<Event>,
    /// The fields, made when they are first asked for.
    fields: OnceLock<Value>,
}

impl Handle for EventHandle {
    const NAME: &'static str = "ha_event";
}

impl EventHandle {
    pub(crate) fn lent(event: &Event) -> Self {
        Self { event: Record::Lent(event), fields: OnceLock::new() }
    }

    pub(crate) fn owned(event: Event) -> Self {
        Self { event: Record::Shared(event.into()), fields: OnceLock::new() }
    }

    fn fields(&self) -> Result<&Value, Failure> {
        if let Some(fields) = self.fields.get() {
            return Ok(fields);
        }
        let made = serde_json::to_value(self.event.get()).map_err(Failure::content)?;
        Ok(self.fields.get_or_init(|| made))
    }

    fn field(&self, name: &str) -> Result<Option<&Value>, Failure> {
        Ok(self.fields()?.get(name).filter(|value| !value.is_null()))
    }
}

/// Reads an event from JSON, as ha_event_to_json() writes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_event_from_json(
    json: *const c_char,
    length: usize,
    event: *mut *mut ha_event,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let read: Event = serde_json::from_str(call.text(json, length)?)
            .map_err(|error| Failure::content(&error).line(error.line()))?;
        call.new_handle(event, EventHandle::owned(read))
    })
}

/// Makes a copy to keep.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_event_copy(
    event: *const ha_event,
    copy: *mut *mut ha_event,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let event = handles::read::<_, EventHandle>(event)?.event.keep();
        call.new_handle(copy, EventHandle { event: Record::Shared(event), fields: OnceLock::new() })
    })
}

/// Frees an event. NULL is fine. One that is lent to a callback must not be freed.
#[unsafe(no_mangle)]
pub extern "C" fn ha_event_free(event: *mut ha_event) -> ha_status {
    boundary::free::<_, EventHandle>(event)
}

/// What happened, one of ha_event_kind; an error (negative) if this is no event.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_event_get_kind(event: *const ha_event) -> i32 {
    let mut found = ha_event_kind::HA_EVENT_OTHER;
    let status = call!(std::ptr::null_mut(), |_call| {
        found = kind(handles::read::<_, EventHandle>(event)?.event.get());
        Call::done()
    });
    if status == ha_status::HA_OK { found as i32 } else { status as i32 }
}

/// How much the event matters to a person, one of ha_severity.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_event_get_severity(
    event: *const ha_event,
    severity: *mut i32,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        call.must_write(severity, handles::read::<_, EventHandle>(event)?.event.get().severity().number())
    })
}

/// A field that is a text ("sid", "node", "from", …), or "event" for the name of the kind. Lent by the event. HA_NONE if
/// the event does not have it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_event_text(
    event: *const ha_event,
    field: *const c_char,
    field_length: usize,
    value: *mut ha_str,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let field = call.text(field, field_length)?;
        let event = handles::read::<_, EventHandle>(event)?;
        match event.field(field)? {
            None => {
                call.lend(value, None);
                Ok(ha_status::HA_NONE)
            }
            Some(Value::String(text)) => {
                call.lend(value, Some(text));
                Call::done()
            }
            Some(_) => Err(Failure::argument(format!("the field '{field}' is no text"))),
        }
    })
}

/// A field that is a number ("timeout", "exit_code", …), or 1 or 0 for one that is true or false. HA_NONE if the event
/// does not have it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_event_number(
    event: *const ha_event,
    field: *const c_char,
    field_length: usize,
    value: *mut f64,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let field = call.text(field, field_length)?;
        let event = handles::read::<_, EventHandle>(event)?;
        let number = match event.field(field)? {
            None => return Ok(ha_status::HA_NONE),
            Some(Value::Bool(yes)) => Some(f64::from(u8::from(*yes))),
            Some(value) => value.as_f64(),
        };
        call.must_write(value, number.ok_or_else(|| Failure::argument(format!("the field '{field}' is no number")))?)
    })
}

/// A text of a field that is a list ("failed_nodes"), lent by the event. HA_NONE from the end of the list on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_event_item(
    event: *const ha_event,
    field: *const c_char,
    field_length: usize,
    index: usize,
    value: *mut ha_str,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let field = call.text(field, field_length)?;
        let event = handles::read::<_, EventHandle>(event)?;
        let item = event.field(field)?.and_then(|list| list.get(index)).and_then(Value::as_str);
        call.lend(value, item);
        Ok(if item.is_some() { ha_status::HA_OK } else { ha_status::HA_NONE })
    })
}

/// The event as JSON: "event" and its fields.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_event_to_json(
    event: *const ha_event,
    json: *mut ha_text,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let event = handles::read::<_, EventHandle>(event)?;
        call.own_text(json, serde_json::to_string(event.event.get()).map_err(Failure::content)?)
    })
}

/// The event as a sentence for people.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_event_sentence(
    event: *const ha_event,
    sentence: *mut ha_text,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let sentence_now = handles::read::<_, EventHandle>(event)?.event.get().to_string();
        call.own_text(sentence, sentence_now)
    })
}
