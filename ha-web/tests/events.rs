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
use ha_host::{os::clock, store::SharedStore};
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

/// Makes the store hang in the middle of what the feed reads, until what is given back is dropped. Only the feed is held up by it.
fn hang(cluster: &Cluster) -> std::fs::File {
    let place = |name: &str| cluster.directory.join(name);
    std::fs::hard_link(place("access.json"), place("aside")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(place("pipe")).status().unwrap().success());
    std::fs::hard_link(place("pipe"), place("pipe too")).unwrap();
    std::fs::rename(place("pipe"), place("access.json")).unwrap();
    // Waits until it is read.
    let hanging = std::fs::OpenOptions::new().write(true).open(place("pipe too")).unwrap();
    std::fs::rename(place("aside"), place("access.json")).unwrap();
    std::fs::remove_file(place("pipe too")).unwrap();
    hanging
}

/// As by another server of the cluster, whose store is faster.
#[test]
fn who_has_heard_more_than_a_server_has_read_misses_nothing_and_hears_nothing_twice() {
    let cluster = Cluster::new();
    moves(&cluster, 1..=2);
    let mut first = listen(&cluster, "?after=0", None).unwrap();
    assert_eq!(first.ids(&cluster, 2), [1, 2]);
    let hanging = hang(&cluster);
    moves(&cluster, 3..=4);
    let mut ahead = listen(&cluster, "", Some(4)).unwrap();
    moves(&cluster, 5..=5);
    drop(hanging);
    let told = ahead.next(&cluster).unwrap();
    assert_eq!((told.id, told.event.as_str()), (Some(5), "service_move"));
    assert_eq!(first.ids(&cluster, 3), [3, 4, 5]);
}

#[test]
fn a_store_that_has_hung_is_looked_at_again_at_once() {
    let cluster = Cluster::new();
    let mut stream = listen(&cluster, "", None).unwrap();
    stream.next(&cluster).unwrap();
    let began = Instant::now();
    let hanging = hang(&cluster);
    std::thread::sleep(Duration::from_secs(3));
    drop(hanging);
    let hung = began.elapsed();
    let began = Instant::now();
    moves(&cluster, 1..=1);
    while stream.next(&cluster).expect("the stream goes on").event.is_empty() {}
    assert!(began.elapsed() < hung, "it hung for {hung:?}, and is told after {:?} more", began.elapsed());
}

#[test]
fn a_history_that_was_set_back_is_told_from_its_beginning() {
    let cluster = Cluster::new();
    moves(&cluster, 1..=5);
    let mut stream = listen(&cluster, "?after=4", None).unwrap();
    assert_eq!(stream.ids(&cluster, 1), [5]);
    // As from a backup.
    std::fs::remove_dir_all(cluster.directory.join("history")).unwrap();
    moves(&cluster, 1..=2);
    let reset = stream.next(&cluster).unwrap();
    assert_eq!(reset.event, "reset");
    let heard = reset.id.unwrap();
    moves(&cluster, 3..=3);
    let expected: Vec<u64> = (heard + 1..=3).collect();
    assert_eq!(stream.ids(&cluster, expected.len()), expected, "and nothing of what was there before");
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
fn a_token_that_expires_ends_a_stream_that_is_never_silent() {
    // What happens is told several times in that.
    let cluster = Cluster::with_bounds(Bounds { silence: Duration::from_secs(1), ..Bounds::default() });
    let mut stream = listen(&cluster, "?after=0", None).unwrap();
    Access::edit(&*cluster.store, |access| {
        let token = access.tokens.get_mut(&TokenName::new("test@pam!audit").unwrap()).unwrap();
        // In more than one second, of which a part has passed.
        token.expires = Some(clock::wall() + 2);
        Ok::<(), ()>(())
    })
    .unwrap()
    .unwrap();
    let began = Instant::now();
    let mut number = 0;
    let mut happens_again = || {
        number += 1;
        happens(&*cluster.store, number, "vm:100");
    };
    happens_again();
    while let Some(told) = stream.next(&cluster) {
        assert!(began.elapsed() < Duration::from_secs(30), "it is told {told:?} long after its token has expired");
        // Each event is followed by the next one at once.
        if !told.event.is_empty() {
            happens_again();
        }
    }
    assert!(number > 1, "there was something to tell all the while");
}

/// What a stream tells next of the status.
fn next_status(stream: &mut Stream, cluster: &Cluster) -> Told {
    loop {
        let told = stream.next(cluster).expect("the stream goes on");
        if told.event.starts_with("status") {
            assert_eq!(told.id, None, "it is no entry of the history");
            return told;
        }
    }
}

/// A status, after a change of it was told: as `docs/api.md` says that it is done.
fn apply(status: &mut Value, told: &Value) {
    let status = status.as_object_mut().unwrap();
    for (key, value) in told["status"].as_object().unwrap() {
        let name = match key.as_str() {
            "services" => "sid",
            "nodes" => "node",
            _ if value.is_null() => {
                status.remove(key);
                continue;
            }
            _ => {
                status.insert(key.clone(), value.clone());
                continue;
            }
        };
        let list = status[key].as_array_mut().unwrap();
        let gone = &told["gone"][key];
        let is_told = |entry: &Value| value.as_array().unwrap().iter().any(|new| new[name] == entry[name]);
        let is_gone = |entry: &Value| gone.as_array().is_some_and(|gone| gone.contains(&entry[name]));
        list.retain(|entry| !is_told(entry) && !is_gone(entry));
        list.extend(value.as_array().unwrap().iter().cloned());
        list.sort_by_key(|entry| entry[name].as_str().unwrap().to_owned());
    }
}

#[test]
fn the_status_is_told_whole_and_then_what_changes_in_it() {
    let cluster = Cluster::new();
    cluster.change("POST", "/cluster/ha/resources", "sid=100");
    let mut stream = listen(&cluster, "?status=1", None).unwrap();
    let first = next_status(&mut stream, &cluster);
    assert_eq!(first.event, "status");
    let (mut known, mut digest) = (first.data["status"].clone(), first.data["digest"].clone());

    // The same status as is given to who asks, by the digest with which 'If-None-Match' asks.
    let mut follow = |what: &str, is_so: fn(&Value) -> bool| {
        let status = || {
            let answer = cluster.call_as(Some(Role::Audit), "GET", "/api/v1/status", "");
            (json!(answer.headers["etag"].to_str().unwrap().trim_matches('"')), answer.body)
        };
        while !is_so(&known) || digest != status().0 {
            let told = next_status(&mut stream, &cluster);
            assert_eq!((told.event.as_str(), &told.data["from"]), ("status_change", &digest), "{what}");
            apply(&mut known, &told.data);
            digest = told.data["digest"].clone();
            let told = told.data["status"]["services"].as_array().map_or(0, Vec::len);
            assert!(told <= 1, "{what}: {told} services are told for one that has changed");
        }
        let without_time = |mut status: Value| -> Value {
            status.as_object_mut().unwrap().remove("time");
            status
        };
        assert_eq!(without_time(known.clone()), without_time(status().1), "{what}");
    };
    cluster.change("PUT", "/cluster/ha/resources/vm:100", "comment=known");
    follow("one is changed", |status| status["services"][0]["comment"] == "known");
    cluster.change("POST", "/cluster/ha/resources", "sid=ct:200");
    follow("one is added", |status| status["services"].as_array().unwrap().len() == 2);
    cluster.change("DELETE", "/cluster/ha/resources/vm:100", "");
    follow("one is removed", |status| status["services"].as_array().unwrap().iter().all(|one| one["sid"] != "vm:100"));

    let mut later = listen(&cluster, "?status=1", None).unwrap();
    assert_eq!(next_status(&mut later, &cluster).event, "status", "who comes later is told all at first");
}

#[test]
fn there_are_no_more_streams_than_that() {
    let cluster = Cluster::with_bounds(Bounds { streams: 1, ..Bounds::default() });
    let first = listen(&cluster, "", None).unwrap();
    assert_eq!(listen(&cluster, "", None).err(), Some(503));
    drop(first);
    assert!(listen(&cluster, "", None).is_ok());
}

#[test]
fn what_is_not_taken_yet_has_its_bound() {
    const UNSENT: usize = 400 * 1024;
    let cluster = Cluster::with_bounds(Bounds { unsent: UNSENT, ..Bounds::default() });
    let services: String = (1000..2000).map(|number| format!("vm: {number}\n\tstate started\n\n")).collect();
    std::fs::write(cluster.directory.join("config/resources.cfg"), services).unwrap();
    let status = || {
        let token = format!("Bearer test@pam!audit={}", cluster.secret(Role::Audit));
        let request = Request::builder().uri("/api/v1/status").header("authorization", token);
        cluster.begin(request.body(Body::empty()).unwrap())
    };
    let (first, second) = (status(), status());
    assert_eq!((first.status().as_u16(), second.status().as_u16()), (200, 503));
    let mut stream = listen(&cluster, "?status=1", None).unwrap();
    while let Some(told) = stream.next(&cluster) {
        assert_eq!(told.event, "", "there is no room for it");
    }
    let taken = cluster.block_on(first.into_body().collect()).unwrap().to_bytes();
    assert!((UNSENT / 2..UNSENT).contains(&taken.len()), "{} bytes", taken.len());
    drop(taken);
    let mut stream = listen(&cluster, "?status=1", None).unwrap();
    assert_eq!(next_status(&mut stream, &cluster).event, "status");
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
    assert_eq!(
        history("limit=0"),
        (vec![5], true),
        "a page has something, or who asks for the next one does so for ever"
    );
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
