//! What the page costs, measured in the browser. Times differ from machine to machine, so nothing fails by them: each test sees to it
//! that what it measures has happened, and prints its figures. The budget of bytes is a test of its own.
//!
//! `cargo test -p ha-web --test page -- --ignored --nocapture --test-threads 1 figures`

use std::fmt::Write;

use serde_json::{Value, json};

use super::{
    browser::{Browser, parts},
    crowd, go,
    nodes::{Cluster, log_in},
    play::{Folder, Server},
    verdict, with,
};

/// A scenario of many services, on as many nodes as are wanted, in which nothing happens.
fn many(nodes: usize, services: usize) -> Folder {
    let node = |i: usize| format!("node{:02}", i % nodes + 1);
    let names: Vec<String> = (0..nodes).map(node).collect();
    let mut scenario = format!("# Many services on {nodes} nodes.\nnodes {}\n", names.join(" "));
    let mut resources = String::new();
    for i in 0..services {
        writeln!(scenario, "guest vm:{} on {}", 1000 + i, node(i)).unwrap();
        write!(resources, "vm: {}\n\tcomment one of many\n\n", 1000 + i).unwrap();
    }
    scenario.push_str("until 1h\n");
    Folder::with("many", &[("scenario", &scenario), ("resources.cfg", &resources)])
}

/// The middle and the greatest of some times, in milliseconds.
fn told(mut times: Vec<f64>) -> String {
    times.sort_by(f64::total_cmp);
    format!(
        "{:.0} ms in the middle, {:.0} ms at most, of {}",
        times[times.len() / 2],
        times[times.len() - 1],
        times.len()
    )
}

#[test]
#[ignore = "it measures"]
fn figures_of_the_first_paint_of_a_thousand_services() {
    let Some(parts) = parts() else { return };
    let folder = many(20, 1000);
    let server = Server::start(folder.path());
    let browser = Browser::start(&parts);
    log_in(&browser, &server.url, &server.user, &server.password);
    browser.leap(120);
    verdict(&browser, "All is well");
    browser.call("Network.setCacheDisabled", json!({"cacheDisabled": true}));
    let watch = "const look = () => requestAnimationFrame(() => {
        if (!document.querySelector('.crowd .tile')) return look();
        // The frame after the one in which it was drawn: then it is on the screen.
        requestAnimationFrame(() => { window.painted = performance.now(); document.body.dataset.painted = 1; });
    }); look();";
    browser.call("Page.addScriptToEvaluateOnNewDocument", json!({"source": watch}));
    let (mut first, mut whole) = (Vec::new(), Vec::new());
    for _ in 0..9 {
        browser.call("Page.reload", json!({}));
        browser.wait("document.body.dataset.painted && true");
        let shown =
            "[...document.querySelectorAll('.tile h2 b')].reduce((sum, one) => sum + Number(one.textContent), 0)";
        assert_eq!(browser.value(shown), 1000);
        whole.push(browser.value("painted").as_f64().unwrap());
        first.push(
            browser.value("performance.getEntriesByName('first-contentful-paint')[0].startTime").as_f64().unwrap(),
        );
    }
    println!("1,000 services on 20 nodes, nothing cached: something is seen after {}", told(first));
    println!("1,000 services on 20 nodes, nothing cached: all is seen after {}", told(whole));
}

#[test]
#[ignore = "it measures"]
fn figures_of_typing_into_the_filter_of_ten_thousand_services() {
    let Some(parts) = parts() else { return };
    let cluster = Cluster::start("typing", &["node1"], &[("vm:101", "node1", "/usr/bin/sleep 100000")]);
    let browser = Browser::start(&parts);
    let status = of_status(&browser, &cluster);
    browser.answer_instead("/api/v1/status", crowd(&status, 32, 10_000).to_string());
    verdict(&browser, "10 services need you");
    go(&browser, "services");
    browser.wait("document.querySelectorAll('tbody tr').length === 200");
    browser.call("Performance.enable", json!({}));
    browser.value("document.querySelector('#filter').focus()");
    let mut script = Vec::new();
    for (typed, rows) in [("v", 200), ("m", 200), (":", 200), ("1", 200), ("4", 200), ("7", 100), ("1", 10), ("1", 1)] {
        let began = spent(&browser).0;
        browser.call("Input.insertText", json!({"text": typed}));
        browser.frames();
        browser.wait(&format!("document.querySelectorAll('tbody tr').length === {rows}"));
        script.push((spent(&browser).0 - began) * 1000.0);
    }
    println!("10,000 services are searched: {} of script for a letter", told(script));
}

/// The seconds that the browser has spent in scripts, and in styles and layout.
fn spent(browser: &Browser) -> (f64, f64) {
    let metrics = browser.call("Performance.getMetrics", json!({}));
    let of = |name: &str| {
        let all = metrics["metrics"].as_array().unwrap();
        all.iter().find(|one| one["name"] == name).unwrap()["value"].as_f64().unwrap()
    };
    (of("ScriptDuration"), of("LayoutDuration") + of("RecalcStyleDuration"))
}

/// A page whose status is what a test says.
fn of_status(browser: &Browser, cluster: &Cluster) -> Value {
    // What a shared worker asks is not seen here; a browser without them asks for itself.
    browser.call("Page.addScriptToEvaluateOnNewDocument", json!({"source": "delete window.SharedWorker"}));
    cluster.open(browser);
    verdict(browser, "All is well");
    serde_json::from_str(&browser.text("fetch('api/v1/status').then((answer) => answer.text())")).unwrap()
}

#[test]
#[ignore = "it measures"]
fn figures_of_an_update_of_two_hundred_services() {
    let Some(parts) = parts() else { return };
    let cluster = Cluster::start("update", &["node1"], &[("vm:101", "node1", "/usr/bin/sleep 100000")]);
    let browser = Browser::start(&parts);
    let status = of_status(&browser, &cluster);
    browser.call("Performance.enable", json!({}));
    for (nodes, services, shown) in [(3, 300, ".column [data-sid]"), (20, 1000, ".tile")] {
        let before = crowd(&status, nodes, services);
        let mut after = before.clone();
        let moved = json!({"shown": "stopped", "state": "stopped", "comment": "changed"});
        for service in after["services"].as_array_mut().unwrap().iter_mut().skip(20).take(200) {
            *service = with(service, &moved);
        }
        let (mut script, mut layout) = (Vec::new(), Vec::new());
        for round in 0..10 {
            let (next, count) = if round % 2 == 0 { (&before, 0) } else { (&after, 200) };
            let began = spent(&browser);
            browser.answer_instead("/api/v1/status", next.to_string());
            // What has changed is seen on the page: as chips, or as the sum of the squares that are hollow.
            browser.wait(&format!(
                "document.querySelector({shown:?}) && [...document.querySelectorAll('.chip[title$=stopped]')].length
                    + [...document.querySelectorAll('.cell-off')].reduce((sum, one) => sum + one.getAttribute('d').split('z').length - 1, 0) === {count}"
            ));
            let ended = spent(&browser);
            script.push((ended.0 - began.0) * 1000.0);
            layout.push((ended.1 - began.1) * 1000.0);
        }
        // The first one draws another page.
        println!("200 of {services} services change: {} of script", told(script.split_off(1)));
        println!("200 of {services} services change: {} of styles and layout", told(layout.split_off(1)));
    }
}

#[test]
#[ignore = "it measures"]
fn figures_of_scrolling_through_ten_thousand_services() {
    let Some(parts) = parts() else { return };
    let cluster = Cluster::start("scroll", &["node1"], &[("vm:101", "node1", "/usr/bin/sleep 100000")]);
    let browser = Browser::start(&parts);
    let status = of_status(&browser, &cluster);
    browser.answer_instead("/api/v1/status", crowd(&status, 32, 10_000).to_string());
    verdict(&browser, "10 services need you");
    browser.fill("#filter", "vm:");
    browser.wait("document.querySelector('.roll h2').textContent === '10000 services' && true");
    // As a finger that flings it: about half a screen a frame, from the first service to the last.
    let frames = browser.value(
        "new Promise((done) => {
            const list = document.querySelector('.virtual');
            const times = [];
            let last = null;
            const frame = (now) => {
                if (last !== null) times.push(now - last);
                last = now;
                const before = list.scrollTop;
                list.scrollTop += 300;
                if (list.scrollTop === before) done(times);
                else requestAnimationFrame(frame);
            };
            requestAnimationFrame(frame);
        })",
    );
    browser.wait("document.querySelector('[data-sid=\"vm:19999\"]') && true");
    let frames: Vec<f64> = frames.as_array().unwrap().iter().map(|time| time.as_f64().unwrap()).collect();
    assert!(frames.len() > 500, "{} frames", frames.len());
    println!("10,000 services are scrolled through: a frame takes {}", told(frames));
}
