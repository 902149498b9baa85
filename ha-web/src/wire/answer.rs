//! Answers, in the form of each part of the interface.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::fault::{Fault, FaultClass};

/// The part of the interface in whose form an answer is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// `/api2/json`: what existing clients expect.
    Compatible,
    /// All else.
    Own,
}

/// What a call answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// What was asked for.
    pub data: Value,
    /// What a later edit can be made conditional on.
    pub digest: Option<String>,
}

impl Answer {
    /// An answer with a digest, by which a later edit can tell whether it is still true.
    #[must_use]
    pub fn with_digest(data: Value, digest: impl ToString) -> Self {
        Self { digest: Some(digest.to_string()), ..Self::from(data) }
    }

    /// Taken, and done later.
    #[must_use]
    pub fn accepted(data: Value) -> Self {
        Self { status: StatusCode::ACCEPTED, ..Self::from(data) }
    }
}

impl From<Value> for Answer {
    fn from(data: Value) -> Self {
        Self { status: StatusCode::OK, data, digest: None }
    }
}

impl Part {
    /// The status that tells of a fault of this class.
    #[must_use]
    pub const fn status(self, class: FaultClass) -> StatusCode {
        match (class, self) {
            (FaultClass::Malformed, _) => StatusCode::BAD_REQUEST,
            (FaultClass::Unauthenticated, _) => StatusCode::UNAUTHORIZED,
            (FaultClass::Forbidden, _) => StatusCode::FORBIDDEN,
            (FaultClass::NoSuchCall, Self::Compatible) => StatusCode::NOT_IMPLEMENTED,
            // Clients match the text.
            (FaultClass::NotFound | FaultClass::Conflict | FaultClass::Changed, Self::Compatible) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            (FaultClass::NotFound | FaultClass::NoSuchCall, Self::Own) => StatusCode::NOT_FOUND,
            (FaultClass::Conflict, Self::Own) => StatusCode::CONFLICT,
            (FaultClass::Changed, Self::Own) => StatusCode::PRECONDITION_FAILED,
            (FaultClass::TooLarge, _) => StatusCode::PAYLOAD_TOO_LARGE,
            (FaultClass::TooMany, _) => StatusCode::TOO_MANY_REQUESTS,
            (FaultClass::Unavailable, _) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// The status and the body of an answer.
#[must_use]
pub fn encode(part: Part, answer: &Result<Answer, Fault>) -> (StatusCode, Value) {
    match (part, answer) {
        (Part::Compatible, Ok(answer)) => (answer.status, json!({"data": answer.data})),
        (Part::Own, Ok(answer)) => (answer.status, answer.data.clone()),
        (_, Err(fault)) => {
            let status = part.status(fault.class);
            (status, if part == Part::Compatible { compatible(fault) } else { problem(fault, status) })
        }
    }
}

fn compatible(fault: &Fault) -> Value {
    let mut body = json!({"data": null, "message": format!("{}\n", fault.message)});
    if let (Value::Object(body), FaultClass::Malformed) = (&mut body, fault.class) {
        let faults = fault.parameters.iter();
        let errors: Map<String, Value> =
            faults.map(|fault| (fault.parameter.clone(), json!(format!("{}\n", fault.message)))).collect();
        body.insert("errors".into(), Value::Object(errors));
    }
    body
}

fn problem(fault: &Fault, status: StatusCode) -> Value {
    let faults = fault
        .parameters
        .iter()
        .map(|fault| json!({"property": fault.parameter, "code": fault.code, "message": fault.message}));
    json!({
        "type": "about:blank",
        "title": status.canonical_reason().unwrap_or_default(),
        "status": status.as_u16(),
        "code": fault.code,
        "detail": fault.message,
        "faults": faults.collect::<Vec<_>>(),
    })
}

/// A message as a reason phrase: one line of ASCII.
#[must_use]
pub fn reason_phrase(message: &str) -> String {
    /// More than any client shows, and less than any refuses.
    const MOST: usize = 512;
    let characters = message.trim_end().chars().take(MOST);
    let plain = |character: char| match character {
        character if character.is_ascii_graphic() => character,
        character if character.is_whitespace() => ' ',
        _ => '?',
    };
    characters.map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_has_the_form_of_its_part() {
        let fault = Fault::parameter("sid", "bad_id", "no such thing");
        let (status, body) = encode(Part::Compatible, &Err(fault.clone()));
        assert_eq!(status, 400);
        assert_eq!(
            body,
            json!({"data": null, "message": "Parameter verification failed.\n", "errors": {"sid": "no such thing\n"}})
        );
        let (_, body) = encode(Part::Own, &Err(fault));
        assert_eq!(body["faults"], json!([{"property": "sid", "code": "bad_id", "message": "no such thing"}]));

        let missing = Fault::not_found("resource", "vm:100");
        assert_eq!(encode(Part::Own, &Err(missing.clone())).0, 404);
        let (status, body) = encode(Part::Compatible, &Err(missing));
        assert_eq!((status.as_u16(), &body), (500, &json!({"data": null, "message": "no such resource 'vm:100'\n"})));
    }

    #[test]
    fn a_reason_phrase_is_one_line_of_ascii() {
        assert_eq!(reason_phrase("no such 'vm:ü'\r\nX: y\n"), "no such 'vm:?'  X: y");
    }
}
