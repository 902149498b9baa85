//! The page in a real browser, on real node processes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    clippy::string_slice,
    reason = "tests"
)]
#![allow(clippy::cast_possible_truncation, reason = "digits")]

mod browser;
mod nodes;

use browser::{Browser, parts};
use nodes::Cluster;
use serde_json::{Value, json};

const SLEEP: &str = "/usr/bin/sleep 100000";

/// A browser that has no complaint and meets no barrier where it is looked at.
#[track_caller]
fn is_good(browser: &Browser, what: &str) {
    let (complaints, barriers) = (browser.complaints(), browser.barriers());
    assert!(complaints.is_empty(), "{what}: {complaints:#?}");
    assert!(barriers.is_empty(), "{what}: {}", barriers.join("\n"));
    let wide = browser.value("document.documentElement.scrollWidth - innerWidth");
    assert!(wide.as_i64().unwrap() <= 0, "{what}: {wide} pixels are beside the screen");
}

const VERDICT: &str = "document.querySelector('.verdict h1')?.textContent";

fn verdict(browser: &Browser, text: &str) {
    browser.wait(&format!("{VERDICT} === {text:?}"));
}

#[test]
fn a_failover_is_seen_as_it_happens() {
    let Some(parts) = parts() else { return };
    let services = [
        ("vm:101", "node1", SLEEP),
        ("vm:102", "node2", SLEEP),
        ("vm:103", "node3", SLEEP),
        ("ct:203", "node3", SLEEP),
    ];
    let cluster = Cluster::start("failover", &["node1", "node2", "node3"], &services);
    let browser = Browser::start(&parts);
    cluster.open(&browser);
    verdict(&browser, "All is well");
    is_good(&browser, "calm");

    // Where each service is shown, and when that began.
    browser.value(
        "window.seen = []; new MutationObserver(() => {
            const nodes = [...document.querySelectorAll('.column')].flatMap((column) =>
                [...column.querySelectorAll('[data-sid]')].map((chip) => `${chip.dataset.sid} on ${column.ariaLabel}`));
            const now = [document.querySelector('.verdict h1').textContent, ...nodes];
            for (const one of now) if (!seen.some((before) => before.what === one)) seen.push({ what: one, at: Date.now() });
        }).observe(document.querySelector('#main'), { subtree: true, childList: true, characterData: true })",
    );
    cluster.cut_power("node3");
    verdict(&browser, "node3 is lost");
    browser.wait("document.querySelector('.is-lost .deadline b')?.textContent.endsWith('s') && document.querySelector('.phases') && true");
    browser.wait("document.querySelector('.is-lost').textContent.includes('known to be down')");
    browser.picture("failover");
    is_good(&browser, "failover");
    let target = "document.querySelector('.column:not(.is-lost) [data-sid=\"vm:103\"]')";
    browser.wait(&format!("{target} && true"));
    browser.wait("/^Its 2 services run again, after/.test(document.querySelector('.say p').textContent)");
    browser.wait("document.querySelector('.is-lost').textContent.includes('fenced')");
    assert_eq!(browser.value("document.querySelectorAll('.is-lost [data-sid]').length"), 0);
    browser.picture("after-failover");
    is_good(&browser, "after the failover");
    tell_lag(&cluster, &browser);

    cluster.power_on("node3");
    verdict(&browser, "All is well");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// Tells how far the page was behind the history.
fn tell_lag(cluster: &Cluster, browser: &Browser) {
    let history: Value = serde_json::from_str(&cluster.ha(&["failovers", "--json"])).unwrap();
    let failover = &history[0];
    assert_eq!((&failover["node"], &failover["outcome"]), (&json!("node3"), &json!("done")));
    let seen = browser.value("seen");
    let at =
        |what: String| seen.as_array().unwrap().iter().find(|one| one["what"] == what).unwrap()["at"].as_i64().unwrap();
    let mut behind = vec![at("node3 is lost".into()) - failover["noticed_ms"].as_i64().unwrap()];
    for service in failover["services"].as_array().unwrap() {
        let what = format!("{} on {}", service["sid"].as_str().unwrap(), service["to"].as_str().unwrap());
        behind.push(at(what) - service["placed_ms"].as_i64().unwrap());
    }
    println!("the page was behind the history by {behind:?} ms");
    assert!(behind.iter().all(|lag| *lag > -1000), "the page can't know it before: {behind:?}");
}

#[test]
fn what_is_not_live_is_marked_so_and_catches_up() {
    let Some(parts) = parts() else { return };
    let cluster = Cluster::start("stale", &["node1", "node2"], &[("vm:101", "node1", SLEEP)]);
    let browser = Browser::start(&parts);
    cluster.open(&browser);
    verdict(&browser, "All is well");
    browser.wait("document.querySelector('#live').textContent === 'live'");
    cluster.stop_server();
    browser.wait("/old$/.test(document.querySelector('#live').textContent)");
    browser.wait(&format!("/^Not known for/.test({VERDICT})"));
    assert_eq!(browser.value("document.querySelectorAll('.columns.stale').length"), 1);
    browser.picture("stale");
    assert_eq!(browser.barriers(), Vec::<String>::new());
    // Meanwhile something happens.
    cluster.ha(&["set", "vm:101", "--state", "stopped"]);
    cluster.serve_again();
    browser.click(".say .link");
    browser.wait("document.querySelector('#live').textContent === 'live'");
    browser.wait("document.querySelector('[data-sid=\"vm:101\"]').title.endsWith('stopped')");
    // What was refused while nobody served is all that it has to complain about.
    let other: Vec<String> =
        browser.complaints().into_iter().filter(|one| !one.contains("ERR_CONNECTION_REFUSED")).collect();
    assert_eq!(other, Vec::<String>::new());
}

#[test]
fn who_is_wrong_is_told_and_who_leaves_is_out() {
    let Some(parts) = parts() else { return };
    let cluster = Cluster::start("login", &["node1"], &[]);
    let browser = Browser::start(&parts);
    browser.open(&cluster.url);
    is_good(&browser, "login");
    browser.fill("#user", nodes::USER);
    browser.fill("#password", "wrong");
    browser.press("Enter");
    browser.wait("document.querySelector('[role=alert]')?.textContent === 'That is not right.'");
    assert_eq!(browser.barriers(), Vec::<String>::new());
    cluster.open(&browser);
    verdict(&browser, "No service is looked after yet");
    is_good_but_for(&browser, "401");
    // A reload needs no password; a cookie that scripts can't see says who it is.
    browser.call("Page.reload", json!({}));
    verdict(&browser, "No service is looked after yet");
    assert_eq!(browser.text("document.cookie"), "");
    browser.click("#you");
    browser.wait("document.querySelector('#user') && true");
    browser.call("Page.reload", json!({}));
    browser.wait("document.querySelector('#user') && true");

    let secret = cluster.ha(&["token", "add", "alice@local!wall", "--role", "audit"]);
    browser.click("form .link");
    browser.fill("#token", &format!("alice@local!wall={}", secret.trim()));
    browser.click("form button[type=submit]");
    verdict(&browser, "No service is looked after yet");
    cluster.ha(&["token", "remove", "alice@local!wall"]);
    browser.wait("document.querySelector('form.login')?.textContent.includes('expired')");
}

fn is_good_but_for(browser: &Browser, expected: &str) {
    let others: Vec<String> = browser.complaints().into_iter().filter(|one| !one.contains(expected)).collect();
    assert_eq!((others, browser.barriers()), (Vec::new(), Vec::new()));
}

#[test]
fn the_page_is_small_and_complete_in_each_language() {
    let files = ha_web::page::FILES;
    let whole: usize = files.iter().map(|file| file.content.len()).sum();
    assert!(whole < 400_000, "{whole} bytes: the page has a budget");
    let keys = |name: &str| {
        let file = files.iter().find(|file| file.name == name).unwrap();
        let text = std::str::from_utf8(file.content).unwrap();
        let mut keys: Vec<&str> =
            text.match_indices("':").filter_map(|(at, _)| text[..at].rsplit('\'').next()).collect();
        keys.sort_unstable();
        let count = keys.len();
        keys.dedup();
        assert_eq!(keys.len(), count, "{name} has a text twice");
        keys.join("\n")
    };
    assert_eq!(keys("texts/en.js"), keys("texts/zh.js"));
}

/// A status of many nodes and services, made of that of one.
fn crowd(status: &Value) -> Value {
    let mut crowd = status.clone();
    let (node, lrm, service) = (&status["nodes"][0], &status["lrms"][0], &status["services"][0]);
    let name = |i: usize| format!("node{i:02}");
    let with = |object: &Value, fields: Value| {
        let mut object = object.clone();
        object.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        object
    };
    crowd["nodes"] = (1..=32).map(|i| with(node, json!({"node": name(i), "master": i == 1}))).collect();
    crowd["lrms"] = (1..=32).map(|i| with(lrm, json!({"node": name(i)}))).collect();
    let broken = json!({"shown": "error", "state": "error", "health": "critical", "reason": "its start failed"});
    let one = |i: usize| {
        let fields = json!({"sid": format!("vm:{i}"), "node": name(i % 32 + 1), "comment": "one of many"});
        let service = with(service, fields);
        if i % 1000 == 7 { with(&service, broken.clone()) } else { service }
    };
    crowd["services"] = (10_000..20_000).map(one).collect();
    crowd
}

#[test]
fn ten_thousand_services_can_be_searched() {
    let Some(parts) = parts() else { return };
    let cluster = Cluster::start("crowd", &["node1"], &[("vm:101", "node1", SLEEP)]);
    let browser = Browser::start(&parts);
    // What a shared worker asks is not seen here; a browser without them asks for itself.
    browser.call("Page.addScriptToEvaluateOnNewDocument", json!({"source": "delete window.SharedWorker"}));
    cluster.open(&browser);
    verdict(&browser, "All is well");
    let status: Value =
        serde_json::from_str(&browser.text("fetch('api/v1/status').then((answer) => answer.text())")).unwrap();
    browser.answer_instead("/api/v1/status", crowd(&status).to_string());
    verdict(&browser, "10 services need you");
    assert_eq!(browser.value("document.querySelectorAll('.tile').length"), 32);
    assert_eq!(browser.value("document.querySelectorAll('.roll [data-sid]').length"), 10);
    browser.picture("crowd");
    is_good(&browser, "crowd");
    browser.fill("#filter", "vm:1");
    browser.wait("document.querySelector('.roll h2').textContent === '10000 services' && true");
    let rows = browser.value("document.querySelectorAll('.roll [data-sid]').length").as_u64().unwrap();
    assert!(rows < 60, "{rows} rows are in the document");
    browser.value("document.querySelector('.virtual').scrollTop = 1e6");
    browser.wait("document.querySelector('[data-sid=\"vm:19999\"]') && true");
    browser.fill("#filter", "vm:14711");
    browser.wait("document.querySelectorAll('.roll [data-sid]').length === 1");
    browser.size(390, 844);
    browser.wait("innerWidth === 390");
    browser.picture("crowd-390");
    is_good(&browser, "crowd on a phone");
}
