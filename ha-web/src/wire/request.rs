//! A request as it is sent: its path taken apart, its query and body read into parameters.

use http::Method;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::fault::{Fault, FaultClass};

/// The parts of a path, each decoded; a `/` at its end means nothing. `None` if it is no path of ours: not UTF-8, or with an empty
/// part.
#[must_use]
pub fn path_parts(path: &str) -> Option<Vec<String>> {
    let path = path.strip_prefix('/')?;
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.is_empty() {
        return Some(Vec::new());
    }
    let part = |part: &str| {
        let part = percent_decode_str(part).decode_utf8().ok()?;
        (!part.is_empty()).then(|| part.into_owned())
    };
    path.split('/').map(part).collect()
}

/// What was sent with a request: GET and DELETE have it in the query, others in a body, in form encoding or JSON, and in the query.
///
/// # Errors
///
/// If the body is not what it claims to be.
pub fn sent_parameters(
    method: &Method,
    query: Option<&str>,
    content_type: Option<&str>,
    body: &[u8],
) -> Result<Vec<(String, String)>, Fault> {
    let mut sent = form(query.unwrap_or_default().as_bytes());
    let has_body = !matches!(*method, Method::GET | Method::DELETE | Method::HEAD) && !body.is_empty();
    if !has_body {
        return Ok(sent);
    }
    let media = content_type.map(|text| text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    match media.as_deref() {
        Some("application/json") => sent.extend(json(body)?),
        None if body.first() == Some(&b'{') => sent.extend(json(body)?),
        None | Some("application/x-www-form-urlencoded" | "") => {
            if std::str::from_utf8(body).is_err() {
                return Err(malformed("the body is not UTF-8"));
            }
            sent.extend(form(body));
        }
        Some(other) => {
            return Err(malformed(format!(
                "a body of type '{other}': expected application/x-www-form-urlencoded or application/json"
            )));
        }
    }
    Ok(sent)
}

fn malformed(problem: impl Into<String>) -> Fault {
    Fault::parameter("body", "bad_body", problem)
}

fn form(text: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(text).map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

fn json(body: &[u8]) -> Result<Vec<(String, String)>, Fault> {
    let value: Value =
        serde_json::from_slice(body).map_err(|error| malformed(format!("the body is no JSON: {error}")))?;
    let Value::Object(object) = value else { return Err(malformed("the body is no JSON object")) };
    let mut sent = Vec::new();
    for (name, value) in object {
        let text = match value {
            Value::String(text) => text,
            Value::Bool(value) => String::from(if value { "1" } else { "0" }),
            Value::Number(number) => number.to_string(),
            // As a list is sent in form encoding.
            Value::Array(items) => {
                let text = |item: &Value| item.as_str().map(str::to_owned);
                let items: Option<Vec<String>> = items.iter().map(text).collect();
                let items = items.ok_or_else(|| bad_value(&name, "expected texts in a list"))?;
                items.join(",")
            }
            Value::Null => return Err(bad_value(&name, "null is no value: leave it out")),
            Value::Object(_) => return Err(bad_value(&name, "expected a text, a number or a truth value")),
        };
        sent.push((name, text));
    }
    Ok(sent)
}

fn bad_value(name: &str, problem: &str) -> Fault {
    Fault::parameter(name, "bad_value", problem)
}

/// The text of a cookie among those that were sent, decoded.
#[must_use]
pub fn cookie(header: &str, name: &str) -> Option<String> {
    let value = header.split(';').find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))?;
    let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    percent_decode_str(value).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// A token as it is sent: whose it is, and the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentToken<'a> {
    /// `USER@REALM!ID`.
    pub id: &'a str,
    /// The secret.
    pub secret: &'a str,
}

/// The token in an `Authorization` header.
///
/// # Errors
///
/// If the header is of a kind that is not known here.
pub fn sent_token(header: &str) -> Result<SentToken<'_>, Fault> {
    let token = header.strip_prefix("PVEAPIToken=").or_else(|| header.strip_prefix("Bearer "));
    let parts = token.and_then(|token| token.trim().split_once('='));
    parts.map(|(id, secret)| SentToken { id, secret }).ok_or_else(|| {
        let expected = "expected 'PVEAPIToken=USER@REALM!ID=SECRET' or 'Bearer USER@REALM!ID=SECRET'";
        Fault::new(FaultClass::Unauthenticated, "bad_authorization", format!("bad Authorization header: {expected}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_decoded_part_by_part() {
        let parts = |path: &str| path_parts(path);
        assert_eq!(parts("/cluster/ha/resources/vm%3A100/"), parts("/cluster/ha/resources/vm:100"));
        assert_eq!(parts("/a%2Fb/c").unwrap(), ["a/b", "c"], "a separator that is encoded separates nothing");
        assert_eq!(parts("/").unwrap(), Vec::<String>::new());
        for none in ["", "a", "//a", "/a//b", "/%ff"] {
            assert_eq!(parts(none), None, "{none}");
        }
    }

    #[test]
    fn parameters_come_in_all_forms() {
        let read = |method: Method, query, kind, body: &str| sent_parameters(&method, query, kind, body.as_bytes());
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let form = Some("application/x-www-form-urlencoded");
        let json = Some("application/json; charset=utf-8");
        assert_eq!(
            read(Method::POST, None, form, "sid=vm%3A100&comment=a+b").unwrap(),
            [pair("sid", "vm:100"), pair("comment", "a b")]
        );
        assert_eq!(
            read(Method::PUT, Some("digest=x"), json, r#"{"failback": true, "max_restart": 3}"#).unwrap(),
            [pair("digest", "x"), pair("failback", "1"), pair("max_restart", "3")]
        );
        assert_eq!(read(Method::POST, None, None, "").unwrap(), []);
        assert_eq!(read(Method::DELETE, Some("purge=0"), form, "purge=1").unwrap(), [pair("purge", "0")]);
        for (kind, body) in [(json, "{"), (json, "[]"), (json, r#"{"a": null}"#), (Some("text/xml"), "<a/>")] {
            assert_eq!(read(Method::POST, None, kind, body).unwrap_err().class, FaultClass::Malformed, "{body}");
        }
    }

    #[test]
    fn a_cookie_is_found_raw_and_encoded() {
        let header = "other=1; PVEAuthCookie=PVE%3Aroot%40pam%3A66::ab; last=2";
        assert_eq!(cookie(header, "PVEAuthCookie").as_deref(), Some("PVE:root@pam:66::ab"));
        assert_eq!(
            cookie("PVEAuthCookie=PVE:root@pam:66::ab", "PVEAuthCookie").as_deref(),
            Some("PVE:root@pam:66::ab")
        );
        assert_eq!(cookie("XPVEAuthCookie=1", "PVEAuthCookie"), None);
    }

    #[test]
    fn a_token_is_sent_in_two_ways() {
        let token = SentToken { id: "a@pam!ci", secret: "b-c" };
        assert_eq!(sent_token("PVEAPIToken=a@pam!ci=b-c").unwrap(), token);
        assert_eq!(sent_token("Bearer a@pam!ci=b-c").unwrap(), token);
        assert!(sent_token("Basic YTpi").is_err());
    }
}
