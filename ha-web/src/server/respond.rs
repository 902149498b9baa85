//! From a request to its answer.

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    response::Response,
};
use ha_core::event::Severity;
use ha_host::{
    desk::MetricsFormat,
    history::{self, ChangeByPerson},
    os::clock,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use http_body_util::{BodyExt, Limited};
use hyper::ext::ReasonPhrase;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{
    Peer, Web,
    authenticate::{Sent, Unknown, check_origin},
    events::Wanted,
    exchange::{Whole, unavailable, with_headers},
    log::Report,
    session,
    unsent::Unsent,
};
use crate::{
    access::{Access, AccessError, Caller, Means, Role},
    call::{Call, Site},
    openapi::openapi,
    own, page, pve,
    route::{self, Handler, Need, Route},
    table,
    wire::{Answer, Fault, FaultClass, Parameters, Part, encode, path_parts, reason_phrase, sent_parameters},
};

/// The whole interface as a router, to be mounted in a server of one's own. That server may put a [`Caller`] among a request's extensions,
/// who is then taken to be known; else the request needs credentials as ever.
pub fn router(web: Web) -> Router {
    async fn answer(State(web): State<Web>, request: Request) -> Response {
        web.respond(request).await
    }
    Router::new().fallback(answer).with_state(web)
}

/// What becomes of a request.
enum Outcome {
    Json(Result<Answer, Fault>),
    /// Text of a type.
    Text(String, &'static str),
    /// What happens from now on, for somebody who is known.
    Events(Wanted, Caller),
    /// An answer that is begun.
    Begun(Response),
    /// Wrong credentials, of somebody.
    Wrong(String, Fault),
}

impl From<Result<Answer, Fault>> for Outcome {
    fn from(answer: Result<Answer, Fault>) -> Self {
        Self::Json(answer)
    }
}

impl From<Fault> for Outcome {
    fn from(fault: Fault) -> Self {
        Self::Json(Err(fault))
    }
}

impl From<AccessError> for Fault {
    fn from(error: AccessError) -> Self {
        if let AccessError::Store(error) = error {
            return error.into();
        }
        Self::conflict("access_unreadable", error.to_string())
    }
}

impl Web {
    /// Answers a request.
    pub async fn respond(&self, request: Request) -> Response {
        let part = route::part_of(request.uri().path());
        let is_get = matches!(*request.method(), Method::GET | Method::HEAD);
        let known = request.headers().get(header::IF_NONE_MATCH).filter(|_| is_get).cloned();
        let unsent = &self.inner.unsent;
        match self.outcome(request).await {
            Outcome::Json(answer) => json_or_not_modified(part, &answer, known.as_ref(), unsent),
            Outcome::Text(text, kind) => with_headers(Response::new(Body::from(text)), kind),
            Outcome::Begun(response) => response,
            Outcome::Events(..) => json_response(part, &Err(unavailable("the server answers this itself")), unsent),
            Outcome::Wrong(_, fault) => json_response(part, &Err(fault), unsent),
        }
    }

    async fn outcome(&self, request: Request) -> Outcome {
        let (head, body) = request.into_parts();
        if let Some(file) = page::find(head.uri.path()).filter(|_| matches!(head.method, Method::GET | Method::HEAD)) {
            return Outcome::Begun(page_file(file, &head.headers));
        }
        let peer = head.extensions.get::<Peer>().cloned().unwrap_or(Peer::Embedder);
        let no_such_call = |method: &Method, uri: &Uri| Fault::no_such_call(method.as_str(), uri.path());
        let Some(parts) = path_parts(head.uri.path()) else { return no_such_call(&head.method, &head.uri).into() };
        let Some((route, _)) = table::find(&head.method, &parts) else {
            return no_such_call(&head.method, &head.uri).into();
        };
        let body = match self.read(body).await {
            Ok(body) => body,
            Err(fault) => return fault.into(),
        };
        let whole = Whole { head, body, peer, parts };
        match route.handler {
            Handler::Alive => Outcome::Text("alive\n".into(), PLAIN),
            Handler::Description => Ok(openapi().into()).into(),
            Handler::Login => self.log_in(route, whole).await,
            Handler::Logout => Outcome::Begun(session::closed(&whole)),
            Handler::Call(_) | Handler::Metrics | Handler::Events | Handler::Session => self.ask(route, whole).await,
        }
    }

    async fn read(&self, body: Body) -> Result<Bytes, Fault> {
        let bounds = self.inner.bounds;
        let limited = Limited::new(body, bounds.body).collect();
        match timeout(bounds.reading, limited).await {
            Ok(Ok(body)) => Ok(body.to_bytes()),
            Ok(Err(_)) => {
                let message = format!("the body is not whole, or larger than {} bytes", bounds.body);
                Err(Fault::new(FaultClass::TooLarge, "body_too_large", message))
            }
            Err(_) => Err(Fault::new(FaultClass::TooLarge, "body_too_slow", "the body took too long")),
        }
    }

    /// Has the store asked or edited for somebody who is known.
    async fn ask(&self, route: &'static Route, whole: Whole) -> Outcome {
        let sent = match Sent::of(&whole.head.headers) {
            Ok(sent) => sent,
            Err(fault) => return fault.into(),
        };
        let address = whole.peer.throttled_name();
        if sent != Sent::Nothing
            && let Some(fault) = self.must_wait(&[&address])
        {
            return fault.into();
        }
        let whole = Arc::new(whole);
        let web = self.clone();
        let outcome = self.on_a_thread({
            let (whole, sent) = (whole.clone(), sent.clone());
            move || web.answer(route, &whole, &sent)
        });
        let outcome = self.with_its_price(outcome.await, &address).await;
        let Outcome::Events(wanted, caller) = outcome else { return outcome };
        match self.tell_events(route, whole, (sent, caller), wanted) {
            Ok(response) => Outcome::Begun(response),
            Err(fault) => fault.into(),
        }
    }

    /// Does something on a thread that may wait, within the bounds; nothing if it takes too long.
    pub(super) async fn wait_for_store<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let calls = self.inner.calls.clone();
        let work = async move {
            let permit = calls.acquire_owned().await.ok()?;
            let done = tokio::task::spawn_blocking(move || {
                // A thread that hangs keeps its permit: there are never more of them.
                let _permit = permit;
                work()
            });
            done.await.ok()
        };
        timeout(self.inner.bounds.answer, work).await.ok().flatten()
    }

    /// Nothing is looked at while wrong credentials have to wait.
    fn must_wait(&self, names: &[&str]) -> Option<Fault> {
        let throttle = self.inner.throttle.lock().unwrap_or_else(PoisonError::into_inner);
        throttle.waits(names, clock::instant()).map(too_many)
    }

    /// Wrong credentials cost time, are counted and logged.
    async fn with_its_price(&self, outcome: Outcome, address: &str) -> Outcome {
        let Outcome::Wrong(who, fault) = outcome else { return outcome };
        let wait = {
            let mut throttle = self.inner.throttle.lock().unwrap_or_else(PoisonError::into_inner);
            throttle.wrong(&[address, &user_key(&who)], clock::instant())
        };
        self.inner.log.report(&Report {
            severity: Severity::Warning,
            event: "web_wrong_credentials",
            fields: json!({"from": address, "who": who, "code": fault.code}),
            text: &format!("wrong credentials of '{who}' from {address}: {}", fault.message),
        });
        tokio::time::sleep(self.inner.bounds.wrong).await;
        Outcome::Json(Err(wait.map_or(fault, too_many)))
    }

    /// Does what answers a request on a thread that may wait.
    async fn on_a_thread(&self, work: impl FnOnce() -> Outcome + Send + 'static) -> Outcome {
        let patience = self.inner.bounds.answer.as_secs_f64();
        let none = || unavailable(&format!("the store has not answered within {patience:.1} s")).into();
        self.wait_for_store(work).await.unwrap_or_else(none)
    }

    fn answer(&self, route: &Route, whole: &Whole, sent: &Sent) -> Outcome {
        let caller = match self.caller(route, whole, sent) {
            Ok(caller) => caller,
            Err(Unknown::Wrong { who, fault }) => return Outcome::Wrong(who, fault),
            Err(Unknown::Other(fault)) => return fault.into(),
        };
        let outcome = if matches!(route.handler, Handler::Session) {
            self.session(&caller, whole, sent).map(Outcome::Begun)
        } else {
            self.call(route, whole, &caller)
        };
        outcome.unwrap_or_else(Into::into)
    }

    /// Who asks, if they may ask this.
    pub(super) fn caller(&self, route: &Route, whole: &Whole, sent: &Sent) -> Result<Caller, Unknown> {
        let head = &whole.head;
        let known = match (head.extensions.get::<Caller>(), sent) {
            (Some(caller), _) => Some(caller.clone()),
            (None, Sent::Nothing) => whole.peer.caller(),
            (None, sent) => {
                let access =
                    Access::read(&**self.inner.site.desk.store()).map_err(|error| Unknown::Other(error.into()))?;
                let caller = sent.who(&access, &head.method, clock::wall())?;
                if sent.is_ticket() {
                    check_origin(&head.headers, &head.uri, &whole.peer).map_err(Unknown::Other)?;
                }
                caller
            }
        };
        let nobody = Caller { name: "nobody".into(), role: Role::Audit, means: Means::Peer };
        let is_open = route.need == Need::Nothing || self.inner.has_open_metrics && route.path == "/metrics";
        match (known, route.need) {
            (known, _) if is_open => Ok(known.unwrap_or(nobody)),
            (None, _) => Err(Unknown::Other(Fault::new(
                FaultClass::Unauthenticated,
                "no_credentials",
                "No ticket: a token or a login is needed",
            ))),
            (Some(caller), Need::Privilege(privilege)) if !caller.role.has(privilege) => {
                Err(Unknown::Other(Fault::lacks(privilege.as_str())))
            }
            (Some(caller), _) => Ok(caller),
        }
    }

    fn call(&self, route: &Route, whole: &Whole, caller: &Caller) -> Result<Outcome, Fault> {
        let parameters = Parameters::check(route.takes, &sent(whole)?)?;
        let Some((_, path)) = table::find(&whole.head.method, &whole.parts) else {
            return Err(Fault::no_such_call(whole.head.method.as_str(), whole.head.uri.path()));
        };
        let call = Call::new(&self.inner.site, caller, path, parameters);
        match route.handler {
            Handler::Metrics => {
                let accept = whole.head.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
                let is_open = accept.is_some_and(|accept| accept.contains("application/openmetrics-text"));
                let (format, kind) = match is_open {
                    true => (MetricsFormat::OpenMetrics, "application/openmetrics-text; version=1.0.0; charset=utf-8"),
                    false => (MetricsFormat::Prometheus, "text/plain; version=0.0.4; charset=utf-8"),
                };
                Ok(Outcome::Text(own::metrics(&call, format)?, kind))
            }
            Handler::Events => Ok(Outcome::Events(Wanted::of(&call, &whole.head.headers)?, caller.clone())),
            Handler::Call(handler) if route.is_question() => Ok(handler(&call).into()),
            Handler::Call(handler) => Ok(self.change(route, whole, &call, handler).into()),
            Handler::Login | Handler::Logout | Handler::Session | Handler::Alive | Handler::Description => {
                Err(unavailable("the server answers this itself"))
            }
        }
    }

    /// Makes a change, and makes it only once if it is sent again.
    fn change(
        &self,
        route: &Route,
        whole: &Whole,
        call: &Call<'_>,
        handler: fn(&Call<'_>) -> Result<Answer, Fault>,
    ) -> Result<Answer, Fault> {
        let key = whole.head.headers.get("idempotency-key").and_then(|value| value.to_str().ok());
        let path = whole.head.uri.path();
        let key = key.map(|key| format!("{} {} {path} {key}", call.caller.name, route.method));
        let repeated = || self.inner.repeated.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = &key
            && let Some(answer) = repeated().begin(key, &call.parameters, clock::instant())?
        {
            return Ok(answer);
        }
        let answer = handler(call);
        if let Some(key) = &key {
            repeated().end(key, answer.as_ref().ok());
        }
        if !call.parameters.truth("dry_run").unwrap_or(false) {
            self.report_change(&format!("{} {path}", route.method), call.caller, whole, answer.as_ref().err());
            if answer.is_ok() {
                self.keep_change(route, call, whole);
            }
        }
        answer
    }

    /// Keeps in the history who has changed something, and from where. If this can't be kept, nothing is undone.
    fn keep_change(&self, route: &Route, call: &Call<'_>, whole: &Whole) {
        /// The answer does not wait longer for it.
        const PATIENCE: Duration = Duration::from_millis(500);
        let Ok(node) = call.local_node() else { return };
        let sent: Vec<String> = call.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let with = if sent.is_empty() { String::new() } else { format!(" with {}", sent.join(" ")) };
        let named = ["sid", "group", "rule"].iter().find_map(|name| call.parameters.get(name));
        let object = call.path.first().copied().or(named).unwrap_or("the cluster");
        let is_service = route.path.contains("{sid}") || call.parameters.get("sid").is_some();
        // As the history names it, however it was sent. One that was removed is named no more.
        let sid = is_service.then(|| call.named(object).ok()).flatten().map(|sid| sid.to_string());
        let change = ChangeByPerson {
            by: call.caller.name.clone(),
            through: Some(whole.peer.throttled_name()),
            verb: format!("{} {}", route.method, route.path),
            object: sid.unwrap_or_else(|| object.to_owned()),
            change: format!("{} {}{with}", route.method, whole.head.uri.path()),
            time_ms: call.desk().clock().wall_ms(),
            command_id: call.given().cloned(),
        };
        let kept = history::tell_in_time(self.inner.site.desk.store(), &node, change, PATIENCE);
        if let Err(error) = kept {
            self.inner.log.report(&Report {
                severity: Severity::Warning,
                event: "web_change_not_kept",
                fields: json!({"why": error.to_string()}),
                text: &format!("the history does not have a change: {error}"),
            });
        }
    }

    fn report_change(&self, what: &str, caller: &Caller, whole: &Whole, refusal: Option<&Fault>) {
        let (who, from) = (&caller.name, whole.peer.throttled_name());
        let refusal = refusal.map(|fault| fault.message.as_str());
        let result = refusal.map_or_else(|| "done".into(), |why| format!("refused: {why}"));
        self.inner.log.report(&Report {
            severity: if refusal.is_some() { Severity::Info } else { Severity::Notice },
            event: if refusal.is_some() { "web_change_refused" } else { "web_change" },
            fields: json!({"who": who, "from": from, "what": what, "why": refusal}),
            text: &format!("{what} by {who} from {from}: {result}"),
        });
    }

    /// Gives a ticket for a password, or for a ticket.
    async fn log_in(&self, route: &'static Route, whole: Whole) -> Outcome {
        let parameters = match sent(&whole).and_then(|sent| Parameters::check(route.takes, &sent)) {
            Ok(parameters) => parameters,
            Err(fault) => return fault.into(),
        };
        let user = full_name(&parameters);
        let address = whole.peer.throttled_name();
        if let Some(fault) = self.must_wait(&[&address, &user_key(&user)]) {
            return fault.into();
        }
        let patience = self.inner.bounds.answer;
        let Ok(Ok(permit)) = timeout(patience.mul_f64(0.5), self.inner.passwords.clone().acquire_owned()).await else {
            return unavailable("too many logins at once").into();
        };
        let web = self.clone();
        let outcome = self.on_a_thread(move || {
            let _permit = permit;
            match web.admitted(&user, &parameters, &whole) {
                Ok(Some(outcome)) => outcome,
                Ok(None) => {
                    let fault = Fault::new(FaultClass::Unauthenticated, "wrong_password", "authentication failure");
                    Outcome::Wrong(user, fault)
                }
                Err(fault) => fault.into(),
            }
        });
        let outcome = outcome.await;
        self.with_its_price(outcome, &address).await
    }

    /// What a login gives: a ticket, or in our own part a session.
    fn admitted(&self, user: &str, parameters: &Parameters, whole: &Whole) -> Result<Option<Outcome>, Fault> {
        let site = &self.inner.site;
        if route::part_of(whole.head.uri.path()) == Part::Compatible {
            return Ok(ticket(site, user, parameters)?.map(|answer| Ok(answer).into()));
        }
        let access = Access::read(&**site.desk.store())?;
        if access.by_password(user, parameters.get("password").unwrap_or_default()).is_none() {
            return Ok(None);
        }
        Ok(self.open_session(user, whole)?.map(Outcome::Begun))
    }
}

const PLAIN: &str = "text/plain; charset=utf-8";

fn too_many(wait: Duration) -> Fault {
    let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
    let message = format!("too many wrong credentials: try again in {seconds} s");
    let mut fault = Fault::new(FaultClass::TooMany, "too_many_attempts", message);
    fault.retry_after_s = Some(seconds);
    fault
}

/// The name under which a user's wrong credentials are counted: no address has that form.
fn user_key(user: &str) -> String {
    format!("user {user}")
}

fn full_name(parameters: &Parameters) -> String {
    let name = parameters.get("username").unwrap_or_default();
    match parameters.get("realm") {
        Some(realm) if !name.contains('@') => format!("{name}@{realm}"),
        Some(_) | None => name.to_owned(),
    }
}

fn ticket(site: &Site, user: &str, parameters: &Parameters) -> Result<Option<Answer>, Fault> {
    let store = &**site.desk.store();
    let access = Access::read(store)?;
    let now = clock::wall();
    let password = parameters.get("password").unwrap_or_default();
    let renewed = access.by_ticket(password, now).filter(|caller| caller.name == user);
    let Some(caller) = renewed.or_else(|| access.by_password(user, password)) else { return Ok(None) };
    let Some(login) = access.login(user, now) else { return Ok(None) };
    let name = pve::name_of(store.cluster_id()?.as_deref());
    Ok(Some(
        json!({
            "username": user,
            "ticket": login.ticket,
            "CSRFPreventionToken": login.csrf_token,
            "clustername": name,
            "cap": pve::capabilities(caller.role),
        })
        .into(),
    ))
}

fn sent(whole: &Whole) -> Result<Vec<(String, String)>, Fault> {
    let head = &whole.head;
    let text = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
    let mut sent = sent_parameters(&head.method, head.uri.query(), text(header::CONTENT_TYPE), &whole.body)?;
    let digest = text(header::IF_MATCH).map(|tag| tag.trim().trim_start_matches("W/").trim_matches('"'));
    let is_own = route::part_of(head.uri.path()) == Part::Own;
    sent.extend(
        digest.filter(|digest| is_own && *digest != "*").map(|digest| ("digest".to_owned(), digest.to_owned())),
    );
    Ok(sent)
}

/// A file of the page, or that it is still the one that a browser has.
fn page_file(file: &page::File, headers: &HeaderMap) -> Response {
    let tag = format!("\"{}\"", blake3::hash(file.content).to_hex());
    let is_known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let body = if is_known { Body::empty() } else { Body::from(file.content) };
    let mut response = with_headers(Response::new(body), file.kind());
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    headers.extend(HeaderValue::from_str(&tag).map(|tag| (header::ETAG, tag)));
    // A browser keeps it, and asks each time whether it is still current: after an update nobody works with the old page.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(page::POLICY));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// What was asked for, or that it is still the same as what is known.
fn json_or_not_modified(
    part: Part,
    answer: &Result<Answer, Fault>,
    known: Option<&HeaderValue>,
    unsent: &Unsent,
) -> Response {
    let digest = answer.as_ref().ok().and_then(|answer| answer.digest.as_ref());
    let known = known.and_then(|known| known.to_str().ok()).unwrap_or_default();
    let mut tags = known.split(',').map(|tag| tag.trim().trim_start_matches("W/").trim_matches('"'));
    let Some(digest) = digest.filter(|digest| tags.any(|tag| tag == digest.as_str())) else {
        return json_response(part, answer, unsent);
    };
    let mut response = with_headers(Response::new(Body::empty()), "application/json;charset=UTF-8");
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    response.headers_mut().extend(HeaderValue::from_str(&format!("\"{digest}\"")).map(|tag| (header::ETAG, tag)));
    response
}

fn json_response(part: Part, answer: &Result<Answer, Fault>, unsent: &Unsent) -> Response {
    let (status, body) = encode(part, answer);
    let Some(body) = unsent.hold(text(&body).into_bytes()) else {
        return json_response(part, &Err(unavailable("too many large answers are not taken yet")), unsent);
    };
    let is_problem = part == Part::Own && answer.is_err();
    let kind = if is_problem { "application/problem+json" } else { "application/json;charset=UTF-8" };
    let mut response = with_headers(Response::new(Body::from(body)), kind);
    *response.status_mut() = status;
    match answer {
        Ok(answer) => {
            let tag = answer.digest.as_ref().and_then(|digest| HeaderValue::from_str(&format!("\"{digest}\"")).ok());
            response.headers_mut().extend(tag.map(|tag| (header::ETAG, tag)));
        }
        Err(fault) => {
            if let Ok(reason) = ReasonPhrase::try_from(reason_phrase(&fault.message).into_bytes()) {
                response.extensions_mut().insert(reason);
            }
            let after = fault.retry_after_s.map(|seconds| (header::RETRY_AFTER, HeaderValue::from(seconds)));
            response.headers_mut().extend(after);
            if status == StatusCode::UNAUTHORIZED {
                response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
        }
    }
    response
}

fn text(body: &Value) -> String {
    let mut text = body.to_string();
    text.push('\n');
    text
}
