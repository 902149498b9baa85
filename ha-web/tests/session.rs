//! The page's files, and the session of whoever looks at it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use axum::{body::Body, extract::Request};
use common::{Answer, Cluster, PASSWORD};
use ha_web::access::Role;
use serde_json::json;

fn ask(cluster: &Cluster, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    cluster.send(request.body(Body::from(body.to_owned())).unwrap())
}

fn log_in(cluster: &Cluster, password: &str) -> Answer {
    let body = json!({"username": "operate@pam", "password": password}).to_string();
    ask(cluster, "POST", "/api/v1/session", &[("content-type", "application/json")], &body)
}

#[test]
fn a_session_is_a_cookie_that_no_script_can_read() {
    let cluster = Cluster::new();
    let begun = log_in(&cluster, PASSWORD);
    assert_eq!(
        (begun.status, &begun.body["name"], &begun.body["role"]),
        (200, &json!("operate@pam"), &json!("operate"))
    );
    let cookie = begun.headers["set-cookie"].to_str().unwrap().to_owned();
    assert!(
        ["; HttpOnly", "; SameSite=Strict", "; Secure", "; Path=/"].iter().all(|part| cookie.contains(part)),
        "{cookie}"
    );
    let cookie = cookie.split(';').next().unwrap();

    // It is renewed by asking, and a change needs what goes with it.
    let asked = ask(&cluster, "GET", "/api/v1/session", &[("cookie", cookie)], "");
    assert_eq!((asked.status, &asked.body["name"]), (200, &json!("operate@pam")));
    assert!(asked.headers["set-cookie"].to_str().unwrap().starts_with("PVEAuthCookie=PVE%3A"));
    let change = |headers: &[(&str, &str)]| {
        ask(&cluster, "PUT", "/api/v1/nodes/node1/maintenance?dry_run=1", headers, "").status
    };
    assert_eq!(change(&[("cookie", cookie)]), 401);
    let csrf = asked.body["csrf_token"].as_str().unwrap();
    assert_eq!(change(&[("cookie", cookie), ("csrfpreventiontoken", csrf)]), 200);

    let ended = ask(&cluster, "DELETE", "/api/v1/session", &[("cookie", cookie)], "");
    assert_eq!(ended.status, 200);
    assert!(ended.headers["set-cookie"].to_str().unwrap().starts_with("PVEAuthCookie=; Path=/; Max-Age=0"));
}

#[test]
fn who_is_nobody_is_told_so_and_who_is_wrong_is_refused() {
    let cluster = Cluster::new();
    let nobody = ask(&cluster, "GET", "/api/v1/session", &[], "");
    assert_eq!((nobody.status, &nobody.body), (200, &json!({"name": null})));
    let wrong = log_in(&cluster, "wrong");
    assert_eq!((wrong.status, &wrong.body["code"]), (401, &json!("wrong_password")));
    assert!(!wrong.headers.contains_key("set-cookie"));
    let wrong = ask(&cluster, "GET", "/api/v1/session", &[("cookie", "PVEAuthCookie=PVE:a@pam:1::2")], "");
    assert_eq!(wrong.status, 401);
    let token = cluster.call_as(Some(Role::Audit), "GET", "/api/v1/session", "");
    assert_eq!((&token.body["name"], &token.body["csrf_token"]), (&json!("test@pam!audit"), &json!(null)));
    assert_eq!(token.body["privileges"], json!(["Sys.Audit", "VM.Audit"]));
}

#[test]
fn the_page_is_served_to_everybody_and_may_use_this_server_alone() {
    let cluster = Cluster::new();
    let page = ask(&cluster, "GET", "/", &[], "");
    assert_eq!((page.status, &page.headers["content-type"]), (200, &"text/html; charset=utf-8".parse().unwrap()));
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let tag = page.headers["etag"].to_str().unwrap();
    assert_eq!(ask(&cluster, "GET", "/", &[("if-none-match", tag)], "").status, 304);
    assert_eq!(ask(&cluster, "GET", "/", &[("if-none-match", "\"other\"")], "").status, 200);
    let script = ask(&cluster, "GET", "/page/main.js", &[], "");
    assert_eq!(
        (script.status, &script.headers["content-type"]),
        (200, &"text/javascript; charset=utf-8".parse().unwrap())
    );
    assert_eq!(ask(&cluster, "GET", "/page/none.js", &[], "").status, 404);
    assert_eq!(ask(&cluster, "POST", "/", &[], "").status, 404);
}
