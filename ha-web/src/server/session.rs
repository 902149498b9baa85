//! The session of a person in a browser: a ticket in a cookie that no script can read, made, renewed and ended.

use axum::{body::Body, response::Response};
use ha_host::os::clock;
use http::{HeaderValue, header};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::{
    Web,
    authenticate::{COOKIE, Sent},
    exchange::{Whole, with_headers},
};
use crate::{
    access::{Access, Caller, Login, PRIVILEGES, TICKET_LIFE_S},
    call::Site,
    pve,
    wire::Fault,
};

const JSON: &str = "application/json;charset=UTF-8";

/// Who somebody is, and what they may, with what must go with their changes if they are known by a ticket.
fn told(site: &Site, caller: &Caller, login: Option<&Login>) -> Result<Value, Fault> {
    let store = &**site.desk.store();
    let privileges = PRIVILEGES.iter().filter(|privilege| caller.role.has(**privilege));
    Ok(json!({
        "name": caller.name,
        "role": caller.role,
        "privileges": privileges.map(|privilege| privilege.as_str()).collect::<Vec<_>>(),
        "cluster": pve::name_of(store.cluster_id()?.as_deref()),
        "csrf_token": login.map(|login| &login.csrf_token),
        "renew_after_s": login.map(|_| TICKET_LIFE_S / 2),
    }))
}

/// An answer with a cookie.
fn with_cookie(body: &Value, cookie: &str) -> Response {
    let mut response = with_headers(Response::new(Body::from(format!("{body}\n"))), JSON);
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

fn cookie(value: &str, life_s: i64, whole: &Whole) -> String {
    let secure = if whole.peer.is_encrypted() { "; Secure" } else { "" };
    format!("{COOKIE}={value}; Path=/; Max-Age={life_s}; HttpOnly; SameSite=Strict{secure}")
}

/// The answer to somebody who has a ticket now.
fn opened(site: &Site, caller: &Caller, login: &Login, whole: &Whole) -> Result<Response, Fault> {
    let ticket = utf8_percent_encode(&login.ticket, NON_ALPHANUMERIC).to_string();
    Ok(with_cookie(&told(site, caller, Some(login))?, &cookie(&ticket, TICKET_LIFE_S, whole)))
}

/// The answer to somebody who ends the session.
pub(super) fn closed(whole: &Whole) -> Response {
    with_cookie(&json!({}), &cookie("", 0, whole))
}

impl Web {
    /// Begins a session for a user whose password was right.
    pub(super) fn open_session(&self, user: &str, whole: &Whole) -> Result<Option<Response>, Fault> {
        let site = &self.inner.site;
        let access = Access::read(&**site.desk.store())?;
        let now = clock::wall();
        let Some(login) = access.login(user, now) else { return Ok(None) };
        let Some(caller) = access.by_ticket(&login.ticket, now) else { return Ok(None) };
        opened(site, &caller, &login, whole).map(Some)
    }

    /// Tells who is asking, if anybody is known, and renews the ticket if there is one.
    pub(super) fn session(&self, caller: &Caller, whole: &Whole, sent: &Sent) -> Result<Response, Fault> {
        let site = &self.inner.site;
        let is_embedded = whole.head.extensions.get::<Caller>().is_some();
        if *sent == Sent::Nothing && !is_embedded && whole.peer.caller().is_none() {
            return Ok(with_headers(Response::new(Body::from("{\"name\":null}\n")), JSON));
        }
        if sent.is_ticket() {
            let access = Access::read(&**site.desk.store())?;
            if let Some(login) = access.login(&caller.name, clock::wall()) {
                return opened(site, caller, &login, whole);
            }
        }
        let body = format!("{}\n", told(site, caller, None)?);
        Ok(with_headers(Response::new(Body::from(body)), JSON))
    }
}
