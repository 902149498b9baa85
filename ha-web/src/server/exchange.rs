//! What all that answers needs of a request and of an answer.

use std::collections::BTreeMap;

use axum::{body::Bytes, response::Response};
use http::{HeaderName, HeaderValue, request};

use super::Peer;
use crate::wire::{Fault, FaultClass};

/// A request that was read whole.
pub(super) struct Whole {
    pub(super) head: request::Parts,
    pub(super) body: Bytes,
    pub(super) peer: Peer,
    pub(super) parts: Vec<String>,
}

pub(super) fn unavailable(why: &str) -> Fault {
    Fault::new(FaultClass::Unavailable, "unavailable", why)
}

/// What goes with every answer.
pub(super) fn with_headers(mut response: Response, kind: &'static str) -> Response {
    let headers: BTreeMap<&str, &'static str> = BTreeMap::from([
        ("content-type", kind),
        ("cache-control", "no-store"),
        ("content-security-policy", "default-src 'self'"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
    ]);
    for (name, value) in headers {
        if let Ok(name) = HeaderName::from_bytes(name.as_bytes()) {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
    }
    response
}
