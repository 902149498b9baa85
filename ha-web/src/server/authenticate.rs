//! Who asks.

use ha_core::status::Timestamp;
use http::{HeaderMap, Method, Uri, header};

use super::Peer;
use crate::{
    access::{Access, Caller},
    wire::{Fault, FaultClass, cookie, sent_token},
};

/// The name of the cookie that has a ticket.
pub(super) const COOKIE: &str = "PVEAuthCookie";
/// The header that must go with each change by ticket.
const CSRF: &str = "CSRFPreventionToken";

/// How somebody wants to be known.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Sent {
    /// By nothing.
    Nothing,
    Token {
        id: String,
        secret: String,
    },
    Ticket {
        ticket: String,
        csrf: Option<String>,
    },
}

/// Why somebody is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unknown {
    /// What was sent is wrong: this costs time, and is counted.
    Wrong { who: String, fault: Fault },
    /// Nothing was sent, or something that is no attempt.
    Other(Fault),
}

fn unauthenticated(code: &'static str, message: &str) -> Fault {
    Fault::new(FaultClass::Unauthenticated, code, message)
}

impl Sent {
    /// What was sent with a request. A token comes before a ticket.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Fault> {
        let text = |value: &http::HeaderValue| value.to_str().map(str::to_owned).ok();
        if let Some(value) = headers.get(header::AUTHORIZATION) {
            let value = text(value).ok_or_else(|| unauthenticated("bad_authorization", "bad Authorization header"))?;
            let token = sent_token(&value)?;
            return Ok(Self::Token { id: token.id.into(), secret: token.secret.into() });
        }
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(text);
        match cookies.filter_map(|header| cookie(&header, COOKIE)).find(|ticket| !ticket.is_empty()) {
            Some(ticket) => Ok(Self::Ticket { ticket, csrf: headers.get(CSRF).and_then(text) }),
            None => Ok(Self::Nothing),
        }
    }

    /// The name under which wrong ones of it are counted.
    pub(super) fn user(&self) -> Option<String> {
        match self {
            Self::Nothing => None,
            Self::Token { id, .. } => Some(printable(id.split('!').next().unwrap_or_default())),
            Self::Ticket { ticket, .. } => ticket.split(':').nth(1).map(printable),
        }
    }

    /// Who it is. `Ok(None)` if nothing was sent.
    pub(super) fn who(&self, access: &Access, method: &Method, now: Timestamp) -> Result<Option<Caller>, Unknown> {
        let wrong = |fault| Unknown::Wrong { who: self.user().unwrap_or_default(), fault };
        match self {
            Self::Nothing => Ok(None),
            Self::Token { id, secret } => match access.by_token(id, secret, now) {
                Some(caller) => Ok(Some(caller)),
                None => Err(wrong(unauthenticated("wrong_token", "invalid token"))),
            },
            Self::Ticket { ticket, csrf } => {
                let Some(caller) = access.by_ticket(ticket, now) else {
                    return Err(wrong(unauthenticated("wrong_ticket", "permission denied - invalid ticket")));
                };
                let is_change = !matches!(*method, Method::GET | Method::HEAD);
                let is_csrf = |token: &String| access.is_csrf_token(&caller.name, token, now);
                if is_change && !csrf.as_ref().is_some_and(is_csrf) {
                    let message = "permission denied - missing or wrong CSRFPreventionToken";
                    return Err(Unknown::Other(unauthenticated("wrong_csrf_token", message)));
                }
                Ok(Some(caller))
            }
        }
    }

    /// Whether it is one that a browser sends along by itself.
    pub(super) const fn is_ticket(&self) -> bool {
        matches!(self, Self::Ticket { .. })
    }
}

/// The part of a name that may be written to a log and kept in memory.
fn printable(name: &str) -> String {
    const MOST: usize = 80;
    name.chars().filter(|character| character.is_ascii_graphic()).take(MOST).collect()
}

/// Somebody else's page must not use what a browser sends along by itself.
pub(super) fn check_origin(headers: &HeaderMap, uri: &Uri, peer: &Peer) -> Result<(), Fault> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| uri.authority().map(http::uri::Authority::as_str)).unwrap_or_default();
    let scheme = if peer.is_encrypted() { "https" } else { "http" };
    let own = format!("{scheme}://{host}");
    if origin.to_str().is_ok_and(|origin| origin.eq_ignore_ascii_case(&own)) {
        return Ok(());
    }
    Err(Fault::new(FaultClass::Forbidden, "foreign_origin", "Permission check failed: the origin is not this server's"))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn what_is_sent_is_told_apart() {
        let mut headers = HeaderMap::new();
        assert!(Sent::of(&headers).unwrap() == Sent::Nothing);
        headers.insert(header::COOKIE, HeaderValue::from_static("a=b; PVEAuthCookie=PVE%3Aa@pam%3A1%3A%3A2"));
        headers.insert(CSRF, HeaderValue::from_static("x"));
        let ticket = Sent::Ticket { ticket: "PVE:a@pam:1::2".into(), csrf: Some("x".into()) };
        assert!(Sent::of(&headers).unwrap() == ticket);
        assert_eq!(ticket.user().as_deref(), Some("a@pam"));
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("PVEAPIToken=a@pam!b=c"));
        assert!(Sent::of(&headers).unwrap() == Sent::Token { id: "a@pam!b".into(), secret: "c".into() });
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Basic YTpi"));
        assert!(Sent::of(&headers).is_err());
    }

    #[test]
    fn an_origin_is_the_servers_own_or_none() {
        let peer = Peer::Address { address: "10.0.0.1:1".parse().unwrap(), is_encrypted: true };
        let check = |origin: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static("node1:8006"));
            headers.extend(origin.map(|origin| (header::ORIGIN, HeaderValue::from_static(origin))));
            check_origin(&headers, &Uri::from_static("/api2/json/version"), &peer).is_ok()
        };
        assert!(check(None) && check(Some("https://node1:8006")));
        assert!(!check(Some("http://node1:8006")) && !check(Some("https://evil")) && !check(Some("null")));
    }
}
