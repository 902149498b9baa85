//! The event stream and the history.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod common;

use std::{
    io::Write,
    os::unix::net::UnixStream,
    time::{Duration, Instant},
};

use axum::{body::Body, extract::Request};
use common::Cluster;
use ha_core::{
    event::{Event, MoveCause},
    history::{Entry, EntryId, Source, What},
    id::NodeName,
    status::Motion,
};
use ha_host::store::SharedStore;
use ha_web::{
    access::{Access, Role, TokenName},
    server::{Address, Bounds, Running, serve},
};
use http_body_util::BodyExt;
use serde_json::{Value, json};

fn node(name: &str) -> NodeName {
    NodeName::new(name).unwrap()
}

/// Something happens to a service.
fn happens(store: &dyn SharedStore, number: u64, sid: &str) {
    let event = Event::ServiceMove {
        sid: sid.parse().unwrap(),
        target: node("node2"),
        cause: MoveCause::Command,
        task: Motion::Migrate,
    };
    let id = EntryId::of_node(&node("node1"), 1, number);
    let entry = Entry::new(id, 1_795_983_430_250, node("node1"), Source::Crm, event.into());
    store.append_history(&[entry.to_json()]).unwrap();
}

fn moves(cluster: &Cluster, numbers: std::ops::RangeInclusive<u64>) {
    numbers.for_each(|number| happens(&*cluster.store, number, if number % 2 == 0 { "vm:100" } else { "ct:200" }));
}

/// Somebody who listens.
struct Stream {
    body: Body,
    text: String,
}

/// A block that was told.
#[derive(Debug, PartialEq)]
struct Told {
    id: Option<u64>,
    event: String,
    data: Value,
}

fn listen(cluster: &Cluster, query: &str, heard: Option<u64>) -> Result<Stream, u16> {
    let token = format!("Bearer test@pam!audit={}", cluster.secret(Role::Audit));
    let uri = format!("/api/v1/events{query}");
    let mut request = Request::builder().uri(uri).header("authorization", token);
    if let Some(heard) = heard {
        request = request.header("last-event-id", heard);
    }
    let response = cluster.begin(request.body(Body::empty()).unwrap());
    if response.status() != 200 {
        return Err(response.status().as_u16());
    }
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    Ok(Stream { body: response.into_body(), text: String::new() })
}

impl Stream {
    /// The next block; nothing when the stream is over.
    fn next(&mut self, cluster: &Cluster) -> Option<Told> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
                let told = Told {
                    id: field("id").map(|id| id.parse().unwrap()),
                    event: field("event").unwrap_or_default().to_owned(),
                    data: field("data").map_or(Value::Null, |data| serde_json::from_str(data).unwrap()),
                };
                self.text = rest.to_owned();
                return Some(told);
            }
            let body = &mut self.body;
            let frame = cluster.block_on(async { tokio::time::timeout(Duration::from_secs(30), body.frame()).await });
            let frame = frame.expect("something is told, or the stream ends")?.unwrap();
            self.text += std::str::from_utf8(&frame.into_data().unwrap()).unwrap();
        }
    }

    fn ids(&mut self, cluster: &Cluster, count: usize) -> Vec<u64> {
        (0..count).map(|_| self.next(cluster).unwrap().id.unwrap()).collect()
    }
}

#[test]
fn what_happens_is_told_as_it_happens_and_taken_up_where_it_was_left() {
    let cluster = Cluster::new();
    moves(&cluster, 1..=2);
    let mut all = listen(&cluster, "?after=0", None).unwrap();
    let first = all.next(&cluster).unwrap();
    assert_eq!((first.id, first.event.as_str()), (Some(1), "service_move"));
    assert_eq!(first.data["time"], "2026-11-29T20:17:10.250Z");
    assert_eq!((&first.data["what"]["sid"], &first.data["node"]), (&json!("ct:200"), &json!("node1")));
    assert_eq!(all.ids(&cluster, 1), [2]);

    let mut from_now_on = listen(&cluster, "", None).unwrap();
    let begins = from_now_on.next(&cluster).unwrap();
    assert_eq!(begins, Told { id: Some(2), event: String::new(), data: Value::Null }, "it says where it begins");
    let mut of_one = listen(&cluster, "?sid=vm:100", Some(0)).unwrap();
    assert_eq!(of_one.ids(&cluster, 1), [2]);
    moves(&cluster, 3..=4);
    assert_eq!(all.ids(&cluster, 2), [3, 4]);
    assert_eq!(from_now_on.ids(&cluster, 2), [3, 4]);
    assert_eq!(of_one.ids(&cluster, 1), [4]);
    assert_eq!(listen(&cluster, "", Some(3)).unwrap().ids(&cluster, 1), [4], "the header says what was heard");
}

#[test]
fn who_has_missed_what_is_kept_no_longer_gets_the_status() {
    let cluster = Cluster::new();
    moves(&cluster, 1..=2);
    let mut lost = listen(&cluster, "?after=99", None).unwrap();
    let reset = lost.next(&cluster).unwrap();
    assert_eq!((reset.id, reset.event.as_str()), (Some(2), "reset"));
    assert!(reset.data["summary"].is_string());
    assert_eq!(reset.data["last_event"], 2);
    moves(&cluster, 3..=3);
    assert_eq!(lost.ids(&cluster, 1), [3], "and hears the rest");
    assert_eq!(listen(&cluster, "?after=soon", None).err(), Some(400));
}

#[test]
fn who_may_no_longer_hears_no_more() {
    let cluster = Cluster::new();
    let mut stream = listen(&cluster, "", None).unwrap();
    stream.next(&cluster).unwrap();
    Access::edit(&*cluster.store, |access| {
        access.tokens.remove(&TokenName::new("test@pam!audit").unwrap());
        Ok::<(), ()>(())
    })
    .unwrap()
    .unwrap();
    assert_eq!(stream.next(&cluster), None);
}

#[test]
fn a_reset_that_cannot_be_given_the_status_ends_the_stream() {
    let cluster = Cluster::new();
    moves(&cluster, 1..=2);
    let settings = cluster.directory.join("cluster.json");
    let kept = std::fs::read(&settings).unwrap();
    std::fs::remove_file(&settings).unwrap();
    let mut lost = listen(&cluster, "?after=99", None).unwrap();
    assert_eq!(lost.next(&cluster), None, "nothing is told that would be taken for the status");
    std::fs::write(&settings, kept).unwrap();
    let mut again = listen(&cluster, "?after=99", None).unwrap();
    assert_eq!(again.next(&cluster).unwrap().event, "reset", "who takes it up is told then");
}

#[test]
fn a_store_that_fails_ends_no_stream() {
    let cluster = Cluster::with_bounds(Bounds { silence: Duration::from_millis(200), ..Bounds::default() });
    let mut stream = listen(&cluster, "", None).unwrap();
    assert_eq!(stream.next(&cluster).unwrap().id, Some(0));
    let (access, aside) = (cluster.directory.join("access.json"), cluster.directory.join("aside"));
    std::fs::hard_link(&access, &aside).unwrap();
    // In one step, so that it is never missing: a link to itself, which can't be read.
    std::os::unix::fs::symlink("access.json", cluster.directory.join("loop")).unwrap();
    std::fs::rename(cluster.directory.join("loop"), &access).unwrap();
    for _ in 0..3 {
        let told = stream.next(&cluster).expect("the stream goes on");
        assert_eq!((told.id, told.event.as_str()), (Some(0), ""));
    }
    moves(&cluster, 1..=1);
    std::fs::rename(&aside, &access).unwrap();
    let mut told = stream.next(&cluster).unwrap();
    while told.event.is_empty() {
        told = stream.next(&cluster).expect("the stream goes on");
    }
    assert_eq!(told.id, Some(1), "and has missed nothing");
}

#[test]
fn there_are_no_more_streams_than_that() {
    let cluster = Cluster::with_bounds(Bounds { streams: 1, ..Bounds::default() });
    let first = listen(&cluster, "", None).unwrap();
    assert_eq!(listen(&cluster, "", None).err(), Some(503));
    drop(first);
    assert!(listen(&cluster, "", None).is_ok());
}

fn serve_at(cluster: &Cluster) -> (Running, UnixStream) {
    let path = cluster.directory.join("web.socket");
    let running = cluster.block_on(async {
        let bound = Address::Unix(path.clone()).bind(false).await.unwrap();
        serve(&cluster.web, bound, None)
    });
    let mut stream = UnixStream::connect(&path).unwrap();
    stream.write_all(b"GET /api/v1/events?after=0 HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
    (running, stream)
}

/// Waits until something is so.
fn wait_for(what: &str, mut look: impl FnMut() -> bool) {
    let began = Instant::now();
    while !look() {
        assert!(began.elapsed() < Duration::from_secs(60), "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn who_takes_nothing_is_cut() {
    let cluster = Cluster::with_bounds(Bounds { writing: Duration::from_millis(300), ..Bounds::default() });
    let (running, stream) = serve_at(&cluster);
    wait_for("it is connected", || cluster.web.connections() == 1);
    let mut number = 0;
    wait_for("what it does not take fills what the system keeps for it", || {
        number += 1;
        let id = EntryId::of_node(&node("node1"), 1, number);
        let what = What::message("x".repeat(5000));
        let entry = Entry::new(id, 0, node("node1"), Source::Node, what);
        cluster.store.append_history(&[entry.to_json()]).unwrap();
        cluster.web.connections() == 0
    });
    drop(stream);
    cluster.block_on(running.stop());
}

#[test]
fn a_server_that_stops_ends_its_streams() {
    let cluster = Cluster::new();
    let (running, _stream) = serve_at(&cluster);
    wait_for("it is connected", || cluster.web.connections() == 1);
    cluster.block_on(running.stop());
    assert_eq!(cluster.web.connections(), 0);
}

#[test]
fn the_history_is_told_in_pages() {
    let cluster = Cluster::new();
    moves(&cluster, 1..=5);
    let history = |query: &str| {
        let answer = cluster.call_as(Some(Role::Audit), "GET", "/api/v1/history", query);
        assert_eq!(answer.status, 200, "{answer:?}");
        let ids = answer.body["entries"].as_array().unwrap().iter().map(|entry| entry["position"].as_u64().unwrap());
        (ids.collect::<Vec<_>>(), answer.body["is_more"].as_bool().unwrap())
    };
    assert_eq!(history(""), (vec![1, 2, 3, 4, 5], false));
    assert_eq!(history("limit=2"), (vec![4, 5], true));
    assert_eq!(history("limit=2&before=4"), (vec![2, 3], true));
    assert_eq!(history("sid=vm:100&limit=10"), (vec![2, 4], false));
    assert_eq!(history("event=node_state"), (vec![], false));
    assert_eq!(history("from=2026-11-29T20:17:10.250Z&to=2026-11-29T20:17:11Z").0.len(), 5);
    assert_eq!(history("from=2026-11-29T20:17:11Z").0.len(), 0);
    let refused = cluster.call_as(Some(Role::Audit), "GET", "/api/v1/history", "from=soon");
    assert_eq!((refused.status, &refused.body["faults"][0]["property"]), (400, &json!("from")));
}

#[test]
fn each_change_is_kept_with_who_made_it() {
    let cluster = Cluster::new();
    let change = |method: &str, path: &str, sent: &str| {
        cluster.call_as(Some(Role::Admin), method, &format!("/api2/json/cluster/ha/{path}"), sent).status
    };
    assert_eq!(change("POST", "resources", "sid=100&comment=first"), 200);
    assert_eq!(change("POST", "resources", "sid=vm:100"), 500, "what is refused is no change");
    let told = cluster.call_as(Some(Role::Admin), "PATCH", "/api/v1/services/vm:100?dry_run=1", "comment=second");
    assert_eq!(told.status, 200, "and neither is a trial");
    assert_eq!(change("PUT", "resources/vm:100", "max_restart=2"), 200);
    let history = cluster.call_as(Some(Role::Audit), "GET", "/api/v1/history", "sid=vm:100");
    let told: Vec<&Value> = history.body["entries"].as_array().unwrap().iter().map(|entry| &entry["what"]).collect();
    let changes: Vec<&str> = told.iter().map(|what| what["change"].as_str().unwrap()).collect();
    assert_eq!(
        changes,
        [
            "POST /api2/json/cluster/ha/resources with comment=first sid=100",
            "PUT /api2/json/cluster/ha/resources/vm:100 with max_restart=2",
        ]
    );
    let expected = (json!("test@pam!admin"), json!("192.0.2.1"), json!("vm:100"));
    assert!(
        told.iter()
            .all(|what| (&what["by"], &what["through"], &what["object"]) == (&expected.0, &expected.1, &expected.2))
    );
}
