//! Who may do what, by each of the means by which somebody can be known.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use axum::{body::Body, extract::Request};
use common::{Answer, Cluster, PASSWORD};
use ha_web::{
    access::{Access, Caller, Means, Role},
    route::{Need, Route},
    server::Peer,
    table,
};

/// A path of a call, with something in its variable parts.
fn path(route: &Route) -> String {
    let part = |part: &str| match part {
        "{node}" => "node1".to_owned(),
        part if part.starts_with('{') => "x100".to_owned(),
        part => part.to_owned(),
    };
    route.path.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[test]
fn every_call_refuses_who_is_not_known() {
    let cluster = Cluster::new();
    for route in table::all().filter(|route| route.need != Need::Nothing) {
        let answer = cluster.call_as(None, route.method, &path(route), "");
        assert_eq!(answer.status, 401, "{} {}: {answer:?}", route.method, route.path);
    }
}

#[test]
fn every_call_refuses_who_may_too_little() {
    let cluster = Cluster::new();
    let mut refused = 0;
    for route in table::all() {
        let Need::Privilege(privilege) = route.need else { continue };
        for role in Role::ALL.into_iter().filter(|role| *role < privilege.role()) {
            let answer = cluster.call_as(Some(role), route.method, &path(route), "");
            answer.is(403, &format!("Permission check failed (/, {})", privilege.as_str()));
            refused += 1;
        }
        let enough = cluster.call_as(Some(privilege.role()), route.method, &path(route), "");
        assert!(!matches!(enough.status, 401 | 403 | 501 | 503), "{} {}: {enough:?}", route.method, route.path);
    }
    assert!(refused > 20, "{refused}");
}

#[test]
fn every_change_asks_for_more_than_looking() {
    for route in table::all().filter(|route| !route.is_question()) {
        let least = match route.need {
            Need::Privilege(privilege) => privilege.role(),
            Need::Nothing | Need::Somebody => Role::Audit,
        };
        let is_login = matches!(route.path, "/api2/json/access/ticket" | "/api/v1/session");
        assert!(least > Role::Audit || is_login, "{} {}", route.method, route.path);
    }
}

#[test]
fn no_two_calls_have_the_same_path_and_method() {
    let mut known: Vec<(&str, &str)> = table::all().map(|route| (route.path, route.method)).collect();
    let count = known.len();
    known.sort_unstable();
    known.dedup();
    assert_eq!(known.len(), count);
}

fn login(cluster: &Cluster, user: &str, password: &str) -> Answer {
    cluster.call_as(None, "POST", "/api2/json/access/ticket", &format!("username={user}&password={password}"))
}

fn by_ticket(cluster: &Cluster, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(format!("/api2/json{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    cluster.send(request.body(Body::empty()).unwrap())
}

#[test]
fn a_login_gives_a_ticket_that_changes_things_only_with_its_csrf_token() {
    let cluster = Cluster::new();
    let answer = login(&cluster, "admin@pam", "correct+horse");
    let data = answer.data();
    let (ticket, csrf) = (data["ticket"].as_str().unwrap(), data["CSRFPreventionToken"].as_str().unwrap());
    assert_eq!(data["username"], "admin@pam");
    assert!(data["clustername"].is_string() && data["cap"]["vms"]["VM.Migrate"] == 1, "{data}");
    let raw = format!("PVEAuthCookie={ticket}");
    let encoded = format!("PVEAuthCookie={}", ticket.replace(':', "%3A"));
    for cookie in [&raw, &encoded] {
        assert_eq!(by_ticket(&cluster, "GET", "/version", &[("cookie", cookie)]).status, 200);
    }
    let arm = |headers: &[(&str, &str)]| by_ticket(&cluster, "POST", "/cluster/ha/status/arm-ha", headers).status;
    assert_eq!(arm(&[("cookie", &raw)]), 401);
    assert_eq!(arm(&[("cookie", &raw), ("CSRFPreventionToken", "1")]), 401);
    assert_eq!(arm(&[("cookie", &raw), ("CSRFPreventionToken", csrf)]), 200);
    let own = [("cookie", raw.as_str()), ("CSRFPreventionToken", csrf), ("host", "node1"), ("origin", "https://node1")];
    assert_eq!(arm(&own), 200);
    let foreign =
        [("cookie", raw.as_str()), ("CSRFPreventionToken", csrf), ("host", "node1"), ("origin", "https://evil")];
    assert_eq!(arm(&foreign), 403);
    let renewed = login(&cluster, "admin@pam", ticket);
    assert!(renewed.data()["ticket"].is_string(), "a ticket is renewed by sending it as the password");
    assert_eq!(login(&cluster, "audit@pam", ticket).status, 401, "but not by somebody else");
    let apart = "username=admin&realm=pam&password=correct+horse";
    assert_eq!(cluster.call_as(None, "POST", "/api2/json/access/ticket", apart).status, 200);

    Access::edit(&*cluster.store, |access| {
        access.users.remove("admin@pam");
        Ok::<(), ()>(())
    })
    .unwrap()
    .unwrap();
    assert_eq!(by_ticket(&cluster, "GET", "/version", &[("cookie", &raw)]).status, 401, "it is over at once");
}

#[test]
fn the_fifth_wrong_password_has_to_wait_and_good_tokens_from_elsewhere_go_on() {
    let cluster = Cluster::new();
    for _ in 0..4 {
        login(&cluster, "admin@pam", "wrong").is(401, "authentication failure");
    }
    let fifth = login(&cluster, "admin@pam", "wrong");
    assert_eq!(fifth.status, 429);
    assert_eq!(fifth.headers["retry-after"], "1");
    assert_eq!(login(&cluster, "admin@pam", "correct+horse").status, 429, "nothing is looked at");
    assert_eq!(cluster.call("GET", "/version", "").status, 429, "nor anything else from there");
    let token = format!("PVEAPIToken=test@pam!audit={}", cluster.secret(Role::Audit));
    let mut request =
        Request::builder().uri("/api2/json/version").header("authorization", token).body(Body::empty()).unwrap();
    let peer = Peer::Address { address: "192.0.2.2:1".parse().unwrap(), is_encrypted: true };
    request.extensions_mut().insert(peer);
    assert_eq!(cluster.send(request).status, 200);
}

#[test]
fn wrong_secrets_are_never_echoed() {
    let cluster = Cluster::new();
    let guess = "3b2a1c00-0000-4000-8000-00000000beef";
    let request = Request::builder()
        .uri("/api2/json/version")
        .header("authorization", format!("PVEAPIToken=test@pam!admin={guess}"))
        .body(Body::empty())
        .unwrap();
    let answer = cluster.send(request);
    assert_eq!(answer.status, 401);
    assert!(!format!("{answer:?}").contains("beef"), "{answer:?}");
    let answer = login(&cluster, "admin@pam", "a-wrong-guess");
    assert!(!format!("{answer:?}").contains("a-wrong-guess"), "{answer:?}");
    let kept = std::fs::read_to_string(cluster.directory.join("access.json")).unwrap();
    assert!(!kept.contains(cluster.secret(Role::Admin)) && !kept.contains(PASSWORD));
}

#[test]
fn every_answer_says_what_a_browser_may_do_with_it() {
    let cluster = Cluster::new();
    for answer in [cluster.call("GET", "/version", ""), cluster.call("GET", "/nothing", ""), login(&cluster, "a", "b")]
    {
        assert_eq!(answer.headers["content-security-policy"], "default-src 'self'");
        assert_eq!(answer.headers["x-frame-options"], "DENY");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert!(!answer.headers.contains_key("access-control-allow-origin"));
    }
}

#[test]
fn an_embedder_says_who_asks() {
    let cluster = Cluster::new();
    let ask = |role: Role, path: &str, method: &str| {
        let mut request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        request.extensions_mut().insert(Caller { name: "alice".into(), role, means: Means::Embedder });
        cluster.send(request).status
    };
    assert_eq!(ask(Role::Audit, "/api2/json/version", "GET"), 200);
    assert_eq!(ask(Role::Audit, "/api2/json/cluster/ha/status/arm-ha", "POST"), 403);
    assert_eq!(ask(Role::Admin, "/api2/json/cluster/ha/status/arm-ha", "POST"), 200);
}
