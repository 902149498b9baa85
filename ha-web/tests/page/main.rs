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
mod figures;
mod nodes;
mod play;

use std::{
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
};

use browser::{Browser, parts};
use ha_core::config::resources::ResourceProperty;
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
            const now = [document.querySelector('.verdict h1')?.textContent ?? '', ...nodes];
            for (const one of now) if (!seen.some((before) => before.what === one)) seen.push({ what: one, at: Date.now() });
        }).observe(document.querySelector('#main'), { subtree: true, childList: true, characterData: true })",
    );
    cluster.cut_power("node3");
    verdict(&browser, "node3 is lost");
    // Who does not see it is told.
    browser.wait("document.querySelector('#said').textContent === 'node3 is lost'");
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
    // The history says why it went where it went.
    go(&browser, "history");
    browser.click(".events .why summary");
    browser.wait("document.querySelector('.events .why[open] pre').textContent.includes('vm:103')");
    is_good(&browser, "why");
    go(&browser, "");

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
fn who_logs_in_stays_so_though_an_old_ticket_is_refused_later() {
    let Some(parts) = parts() else { return };
    let cluster = Cluster::start("ticket", &["node1"], &[]);
    let browser = Browser::start(&parts);
    let old = json!({"name": "PVEAuthCookie", "value": "PVE:alice@local:6B0D0000::old", "url": cluster.url});
    browser.call("Network.setCookie", old);
    cluster.open(&browser);
    browser.wait(
        "performance.getEntriesByType('resource').filter((one) => one.name.endsWith('/session')).length >= 2
            && document.querySelector('#live') && true",
    );
    browser.frames();
    verdict(&browser, "No service is looked after yet");
}

#[test]
fn as_many_tabs_as_people_open_are_live() {
    let Some(parts) = parts() else { return };
    let cluster = Cluster::start("tabs", &["node1"], &[]);
    let browser = Browser::start(&parts);
    cluster.open(&browser);
    // A browser has six connections to a server: with a stream each, the seventh tab would wait for ever.
    for _ in 0..7 {
        browser.open_tab();
        browser.open(&cluster.url);
        browser.wait("document.querySelector('#live').textContent === 'live'");
    }
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
    // Wrong ones were sent often enough: when the page asks who looks, it is told to wait.
    browser.refuse("/api/v1/session", 429);
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
    let mut gzip = Command::new("gzip").arg("-c").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = gzip.stdin.take().unwrap();
    files.iter().for_each(|file| input.write_all(file.content).unwrap());
    drop(input);
    let compressed = gzip.wait_with_output().unwrap().stdout.len();
    assert!(compressed < 150_000, "{compressed} bytes: the page has a budget");
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

/// An object with other fields.
fn with(object: &Value, fields: &Value) -> Value {
    let mut object = object.clone();
    object.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    object
}

/// A status of many nodes and services, made from that of one. One service of a thousand is in error.
fn crowd(status: &Value, nodes: usize, services: usize) -> Value {
    let mut crowd = status.clone();
    let (node, lrm, service) = (&status["nodes"][0], &status["lrms"][0], &status["services"][0]);
    let name = |i: usize| format!("node{i:02}");
    crowd["nodes"] = (1..=nodes).map(|i| with(node, &json!({"node": name(i), "master": i == 1}))).collect();
    crowd["lrms"] = (1..=nodes).map(|i| with(lrm, &json!({"node": name(i)}))).collect();
    let broken = json!({"shown": "error", "state": "error", "health": "critical", "reason": "its start failed"});
    let one = |i: usize| {
        let fields = json!({"sid": format!("vm:{i}"), "node": name(i % nodes + 1), "comment": "one of many"});
        let service = with(service, &fields);
        if i % 1000 == 7 { with(&service, &broken) } else { service }
    };
    crowd["services"] = (10_000..10_000 + services).map(one).collect();
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
    browser.answer_instead("/api/v1/status", crowd(&status, 32, 10_000).to_string());
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
    // By state there is a tile a state; it has what is in it listed.
    browser.value(
        "const group = document.querySelector('#group'); group.value = 'state'; group.dispatchEvent(new Event('change'))",
    );
    browser.wait("document.querySelectorAll('.tile').length === 2");
    browser.click(".tile:first-child .link");
    browser.wait("document.querySelector('.roll h2').textContent === '10 services'");
    assert_eq!(browser.text("document.querySelector('#filter').value"), "error");
    browser.picture("crowd-by-state");
    is_good(&browser, "crowd by state");
    browser.size(390, 844);
    browser.wait("innerWidth === 390");
    browser.picture("crowd-390");
    is_good(&browser, "crowd on a phone");
}

/// Waits until what `ha` says of the cluster has what is looked for.
#[track_caller]
fn says(cluster: &Cluster, arguments: &[&str], wanted: impl Fn(&str) -> bool) {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(90);
    loop {
        let said = cluster.ha(arguments);
        if wanted(&said) {
            return;
        }
        assert!(std::time::Instant::now() < end, "ha {arguments:?} still says: {said}");
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
}

/// Opens a dialog by the button for an action, and waits until it says what follows.
#[track_caller]
fn open_dialog(browser: &Browser, selector: &str) {
    browser.click(selector);
    browser.wait("document.querySelector('#dialog[open] .change footer') && true");
}

/// Does what the dialog is for, once that may be done, and waits for what it says about that.
#[track_caller]
fn carry_out(browser: &Browser, what: &str) {
    browser.wait("document.querySelector('#dialog .primary:not(:disabled)') && true");
    browser.picture(&format!("dialog-{what}"));
    is_good(browser, what);
    browser.click("#dialog .primary");
    browser.wait("document.querySelector('#dialog .follows h3')?.textContent === 'What happens'");
    browser.click("#dialog footer .button");
    browser.wait("!document.querySelector('#dialog').open");
}

fn go(browser: &Browser, place: &str) {
    browser.value(&format!("location.hash = '#/{place}'"));
    browser.wait("document.querySelector('main h1') && true");
}

#[test]
fn everything_that_can_be_done_to_a_service_is_done_on_the_page() {
    let Some(parts) = parts() else { return };
    let services = [("vm:101", "node1", SLEEP), ("vm:102", "node2", SLEEP)];
    let cluster = Cluster::start("services", &["node1", "node2", "node3"], &services);
    let guest = json!({"node": "node3", "agent": {"proc": {"command": SLEEP.split(' ').collect::<Vec<_>>()}}});
    cluster.ha_with(&["guest", "set", "ct:300", "-"], &guest.to_string());
    let browser = Browser::start(&parts);
    cluster.open(&browser);
    verdict(&browser, "All is well");

    go(&browser, "service/vm%3A101");
    open_dialog(&browser, "[data-act=move]");
    browser.click("[name=node][value=node3]");
    browser.wait("document.querySelector('.follows').textContent.includes('vm:101 moves from node1 to node3')");
    carry_out(&browser, "move");
    browser.wait("document.querySelector('.title .now').textContent.includes('started on node3')");

    open_dialog(&browser, "[data-act=stop]");
    browser.wait("document.querySelector('.follows').textContent.includes('vm:101 is stopped on node3')");
    carry_out(&browser, "stop");
    browser.wait("document.querySelector('.title .now').textContent.startsWith('stopped')");
    open_dialog(&browser, "[data-act=start]");
    carry_out(&browser, "start");
    browser.wait("document.querySelector('.title .now').textContent.startsWith('started')");

    open_dialog(&browser, "[data-act=edit]");
    for property in ResourceProperty::ALL {
        let has_field =
            browser.value(&format!("Boolean(document.querySelector('#dialog').querySelector('[id=\"{property}\"]'))"));
        assert_eq!(has_field, json!(true), "{property} can be set by a command, and not on the page");
    }
    browser.fill("#comment", "the first of them");
    browser.fill("#max_restart", "3");
    browser.fill("#priority", "500");
    browser.fill("#failure-timeout", "3600");
    carry_out(&browser, "edit");
    browser.wait("document.querySelector('.title small')?.textContent.includes('the first of them')");
    says(&cluster, &["config", "--json"], |said| said.contains("the first of them") && said.contains('3'));
    says(&cluster, &["config", "vm:101"], |said| {
        said.contains("priority 500") && said.contains("failure-timeout 3600")
    });
    browser.wait("document.querySelector('main').textContent.includes('Priority500')");

    go(&browser, "services");
    open_dialog(&browser, "[data-act=add]");
    assert_eq!(
        browser.value("document.querySelector('#dialog .primary').disabled"),
        json!(true),
        "nothing is named yet"
    );
    browser.fill("#sid", "ct:300");
    carry_out(&browser, "add");
    browser.wait("document.querySelector('main').textContent.includes('ct:300')");
    browser.click("[name=pick][aria-label='ct:300']");
    open_dialog(&browser, "[data-act=remove]:not(:disabled)");
    carry_out(&browser, "remove");
    browser.wait("!document.querySelector('main').textContent.includes('ct:300')");
    for (place, text) in [
        ("service/vm:999", "There is no such service."),
        ("node/node9", "There is no such node."),
        ("nowhere", "There is no such page"),
    ] {
        go(&browser, place);
        browser.wait(&format!("document.querySelector('main .nothing')?.textContent.includes({text:?})"));
    }
}

#[test]
fn an_error_is_cleared_on_the_page() {
    let Some(parts) = parts() else { return };
    let cluster = Cluster::start("error", &["node1", "node2"], &[("vm:101", "node1", "/nowhere/at/all")]);
    let browser = Browser::start(&parts);
    cluster.open(&browser);
    verdict(&browser, "1 service needs you");
    browser.picture("error");
    is_good(&browser, "error");
    browser.click(".problems .button");
    browser.wait("document.querySelector('[data-act=cleanup]') && true");
    // It is repaired, as the page asks.
    let guest = json!({"node": "node1", "agent": {"proc": {"command": SLEEP.split(' ').collect::<Vec<_>>()}}});
    let node = browser.text("document.querySelector('.title .mono:not(h1 .mono)').textContent");
    let guest = guest.to_string().replace("node1", &node);
    cluster.ha_with(&["guest", "set", "vm:101", "-"], &guest);
    open_dialog(&browser, "[data-act=cleanup]");
    carry_out(&browser, "cleanup");
    browser.wait("document.querySelector('.title .now').textContent.startsWith('started')");
}

#[test]
fn rules_and_groups_are_made_and_checked_on_the_page() {
    let Some(parts) = parts() else { return };
    let services = [("vm:101", "node1", SLEEP), ("vm:102", "node1", SLEEP)];
    let cluster = Cluster::start("rules", &["node1", "node2", "node3"], &services);
    let browser = Browser::start(&parts);
    cluster.open(&browser);
    verdict(&browser, "All is well");
    go(&browser, "rules");
    open_dialog(&browser, "[data-act=add-rule]");
    browser.click("[name=kind][value=negative]");
    browser.fill("#rule", "apart");
    browser.fill("#resources", "vm:101,vm:102");
    browser.wait("document.querySelector('.follows').textContent.includes('moves from node1')");
    carry_out(&browser, "rule");
    browser.wait("document.querySelector('main').textContent.includes('in force')");
    // What contradicts it is refused before it is saved.
    open_dialog(&browser, "[data-act=add-rule]");
    browser.click("[name=kind][value=positive]");
    browser.fill("#rule", "together");
    browser.fill("#resources", "vm:101,vm:102");
    browser.wait("document.querySelector('.follows.is-bad') && document.querySelector('#dialog .primary').disabled");
    browser.picture("dialog-rule-refused");
    is_good_but_for(&browser, "status of 400");
    browser.click("#dialog footer .button");

    open_dialog(&browser, "[data-act=edit-rule]");
    browser.click("#disable");
    carry_out(&browser, "rule-disable");
    browser.wait("document.querySelector('main').textContent.includes('disabled')");
    open_dialog(&browser, "[data-act=remove-rule]");
    carry_out(&browser, "rule-remove");
    browser.wait("document.querySelector('main').textContent.includes('No rule is set.')");

    open_dialog(&browser, "[data-act=add-rule]");
    browser.fill("#rule", "home");
    browser.fill("#resources", "vm:101");
    browser.click(".pick-nodes [aria-label=node2]");
    browser.fill(".pick-nodes [aria-label='Priority of node2']", "5");
    carry_out(&browser, "rule-nodes");
    browser.wait("document.querySelector('main').textContent.includes('node2:5')");
    says(&cluster, &["status", "--json"], |said| {
        let status: Value = serde_json::from_str(said).unwrap();
        status["services"][0]["node"] == "node2" && status["services"][0]["shown"] == "started"
    });
}

#[test]
fn nodes_are_maintained_and_ha_is_disarmed_on_the_page() {
    let Some(parts) = parts() else { return };
    let services = [("vm:101", "node1", SLEEP), ("vm:102", "node2", SLEEP)];
    let cluster = Cluster::start("nodes", &["node1", "node2", "node3"], &services);
    let browser = Browser::start(&parts);
    cluster.open(&browser);
    verdict(&browser, "All is well");
    go(&browser, "node/node1");
    open_dialog(&browser, "[data-act=enter]");
    browser.wait("document.querySelector('.follows').textContent.includes('vm:101 moves from node1')");
    carry_out(&browser, "maintenance");
    browser.wait("document.querySelector('.title .now').textContent.startsWith('maintenance')");
    browser.wait("document.querySelectorAll('main .chip').length === 0");
    go(&browser, "");
    browser.picture("maintenance");
    is_good(&browser, "maintenance");
    go(&browser, "node/node1");
    open_dialog(&browser, "[data-act=leave]");
    carry_out(&browser, "leave-maintenance");
    browser.wait("document.querySelector('.title .now').textContent.startsWith('online')");

    go(&browser, "nodes");
    open_dialog(&browser, "[data-act=disarm]");
    carry_out(&browser, "disarm");
    browser.wait("document.querySelector('[data-act=arm]') && true");
    open_dialog(&browser, "[data-act=arm]");
    carry_out(&browser, "arm");
    browser.wait("document.querySelector('[data-act=disarm]') && true");
}

#[test]
fn every_page_can_be_read_by_everybody() {
    let Some(parts) = parts() else { return };
    let long = "proc:invoice-archive-reconciliation-worker-eu-central-primary";
    let services = [("vm:101", "node1", SLEEP), ("ct:102", "node2", SLEEP), (long, "node3", SLEEP)];
    let cluster = Cluster::start("pages", &["node1", "node2", "node3"], &services);
    cluster.ha(&[
        "rules",
        "add",
        "resource-affinity",
        "apart",
        "--resources",
        "vm:101,ct:102",
        "--affinity",
        "negative",
    ]);
    cluster.ha(&["groupadd", "home", "--nodes", "node1:2,node2"]);
    let browser = Browser::start(&parts);
    cluster.open(&browser);
    verdict(&browser, "All is well");
    let long_page = format!("service/{}", long.replace(':', "%3A"));
    let pages = ["", "services", "rules", "nodes", "history", "node/node1", "service/vm%3A101", &long_page];
    let mut seen = 0;
    for (width, height) in [(1440, 900), (820, 1000), (390, 844)] {
        browser.size(width, height);
        for theme in ["light", "dark"] {
            if browser.text("document.documentElement.dataset.theme") != theme {
                browser.click("#theme");
            }
            for page in pages {
                go(&browser, page);
                browser.wait("!document.querySelector('main').textContent.includes('…') || true");
                let name = if page.is_empty() { "cluster" } else { page };
                let name = name.replace("%3A", "-").replace('/', "-");
                browser.picture(&format!("{name}-{width}-{theme}"));
                is_good(&browser, &format!("{name} at {width}, {theme}"));
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 48);
    // In Chinese, and with texts as long as German ones.
    browser.click("#language");
    browser.wait(&format!("{VERDICT} === '一切正常' || document.documentElement.lang === 'zh-CN'"));
    for page in pages {
        go(&browser, page);
        is_good(&browser, &format!("{page} in Chinese"));
    }
    browser.picture("chinese-390");
    browser.click("#language");
    let longer = "import('/page/texts/en.js').then(({ default: texts }) => {
        const longer = (text) => text.replace(/\\b(?![^{]*\\})([a-zA-Z]{4,})\\b/g, (word) => word + ['ungs', 'barkeit', 'verfahren', 'lich', 'heits'][word.length % 5]);
        for (const [name, text] of Object.entries(texts)) texts[name] = typeof text === 'string' ? longer(text) : Object.fromEntries(Object.entries(text).map(([form, one]) => [form, longer(one)]));
    })";
    browser.value(longer);
    for (width, height) in [(1440, 900), (820, 1000), (390, 844)] {
        browser.size(width, height);
        for page in pages {
            go(&browser, page);
            browser.picture(&format!("long-{}-{width}", page.replace("%3A", "-").replace('/', "-")));
            is_good(&browser, &format!("{page} with long texts at {width}"));
        }
    }
}

#[test]
fn the_page_tells_where_each_verb_of_the_command_is() {
    let Some(parts) = parts() else { return };
    let cluster = Cluster::start("verbs", &["node1"], &[]);
    let document = include_str!("../../../docs/page.md");
    let verbs = |arguments: &[&str]| -> Vec<String> {
        let help = cluster.ha(arguments);
        let commands =
            help.split("Commands:").nth(1).unwrap_or_default().split("\n\n").next().unwrap_or_default().to_owned();
        let is_verb = |line: &&str| line.starts_with("  ") && !line.starts_with("   ");
        let names = commands.lines().filter(is_verb).filter_map(|line| line.split_whitespace().next());
        names.filter(|name| *name != "help").map(str::to_owned).collect()
    };
    let all = verbs(&["--help"]);
    assert!(all.len() > 30, "{all:?}");
    for verb in all {
        let inner = verbs(&[&verb, "--help"]);
        let names =
            if inner.is_empty() { vec![verb] } else { inner.iter().map(|one| format!("{verb} {one}")).collect() };
        for name in names {
            assert!(document.contains(&format!("`ha {name}`")), "docs/page.md does not say where 'ha {name}' is");
        }
    }
    drop(parts);
}

#[test]
fn the_demonstration_is_seen_on_its_page() {
    let Some(parts) = parts() else { return };
    let directory = std::env::temp_dir().join(format!("ha-page-demo-{}", std::process::id()));
    let mut demo = Command::new(nodes::program("ha"))
        .args(["demo", "--web", "--directory"])
        .arg(&directory)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines().map(Result::unwrap);
    let line = lines.by_ref().find(|line| line.contains("http://")).unwrap();
    // It goes on telling while it is looked at.
    let told = std::thread::spawn(move || lines.collect::<Vec<_>>());
    let words: Vec<&str> =
        line.split(|c: char| c.is_whitespace() || "(),".contains(c)).filter(|word| !word.is_empty()).collect();
    let [url, "user", user, "password", password] = words[..] else { panic!("{line}") };
    let browser = Browser::start(&parts);
    nodes::log_in(&browser, url, user, password);
    browser.wait(&format!("/ is lost$/.test({VERDICT})"));
    browser.picture("demo");
    assert_eq!(browser.complaints(), Vec::<String>::new());
    nodes::end(&mut demo);
    drop(told.join());
    let _ = std::fs::remove_dir_all(&directory);
}
