//! What goes over the wire, without the wire: requests taken apart and checked, answers put into their form.

mod answer;
mod fault;
mod parameters;
mod request;

pub use answer::{Answer, Part, encode, reason_phrase};
pub use fault::{Fault, FaultClass, ParameterFault};
pub use parameters::{Kind, Parameter, Parameters};
pub use request::{SentToken, cookie, path_parts, sent_parameters, sent_token};

/// Adds a field to an object.
pub(crate) fn insert(object: &mut serde_json::Value, name: &str, value: serde_json::Value) {
    if let serde_json::Value::Object(object) = object {
        object.insert(name.into(), value);
    }
}
