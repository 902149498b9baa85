//! Requests to the HTTP API, read and answered by a cluster in a directory.
//!
//! An input is a request as text: method, path and query in the first line, then headers, an empty line, and the body. Who sends it may do
//! all, unless the headers name somebody: what fuzzing looks for lies behind the credentials as well.

use std::{
    panic,
    path::PathBuf,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    extract::Request,
};
use ha_core::{id::NodeName, timing::Timings};
use ha_host::store::{ClusterSettings, FileStore, GuestDefinition, SharedStore, Store};
use ha_web::{
    access::{Caller, Means, Role},
    server::{Bounds, Options, Web},
};
use http_body_util::BodyExt;

/// What all inputs are sent to.
struct Served {
    web: Web,
    store: Arc<dyn SharedStore>,
    directory: PathBuf,
    runtime: tokio::runtime::Runtime,
}

/// What the server does is done on threads of its own, where a panic would end as an answer that never comes.
static PANICKED: AtomicBool = AtomicBool::new(false);

static SERVED: LazyLock<Served> = LazyLock::new(|| {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        PANICKED.store(true, Ordering::SeqCst);
        before(info);
    }));
    let memory = PathBuf::from("/dev/shm");
    let folder = if memory.is_dir() { memory } else { std::env::temp_dir() };
    let directory = folder.join(format!("ha-fuzz-{}", std::process::id()));
    let nodes = ["node1", "node2"].map(|node| NodeName::new(node).expect("it is a name"));
    let settings = ClusterSettings { nodes: nodes.to_vec(), timings: Timings::default() };
    let store = FileStore::create(&directory, &settings).expect("there is room for a cluster");
    let guest = r#"{"node": "node1", "agent": {"proc": {"command": ["/usr/bin/true"]}}}"#;
    let guest: GuestDefinition = serde_json::from_str(guest).expect("it is a definition");
    for sid in ["vm:100", "ct:101"] {
        let sid = sid.parse().expect("it is an id");
        store.edit_guest(&sid, &mut |edited| *edited = Some(guest.clone())).expect("there is room for a guest");
    }
    let store: Arc<dyn SharedStore> = Arc::new(store);
    let bounds = Bounds { wrong: Duration::ZERO, ..Bounds::default() };
    let web = Web::with(store.clone(), None, Options { bounds, ..Options::default() });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    Served { web, store, directory, runtime: runtime.expect("there are threads") }
});

/// A request is answered in the form that its part of the interface has; a question and what is refused change no configuration.
pub(crate) fn requests(data: &[u8]) {
    let Some(request) = std::str::from_utf8(data).ok().and_then(request) else { return };
    let served = &*SERVED;
    let is_question = request.method() == http::Method::GET;
    let is_compatible = request.uri().path().starts_with("/api2/json/");
    let before = served.store.config_texts().expect("the store is whole");
    let (head, body) = served.runtime.block_on(async {
        let (head, body) = served.web.respond(request).await.into_parts();
        // A stream of events has no end.
        let is_stream = head.headers.get("content-type").is_some_and(|kind| kind == "text/event-stream");
        let body =
            if is_stream { Bytes::new() } else { body.collect().await.expect("an answer has an end").to_bytes() };
        (head, body)
    });
    assert!(!PANICKED.load(Ordering::SeqCst), "a thread of the server has panicked");
    let after = served.store.config_texts().expect("the store is whole");
    if is_question || !head.status.is_success() {
        assert!(before == after, "{} has changed the configuration", head.status);
    }
    if is_compatible {
        let answer: serde_json::Value = serde_json::from_slice(&body).expect("an answer is JSON");
        let expected = if head.status.is_success() { "data" } else { "message" };
        assert!(answer.get(expected).is_some(), "{}: {answer}", head.status);
    }
}

/// The request that a text is; nothing if no client could send it.
fn request(text: &str) -> Option<Request> {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let (method, uri) = lines.next()?.split_once(' ')?;
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        request = request.header(name, value.trim());
    }
    let mut request = request.body(Body::from(body.to_owned())).ok()?;
    let names_somebody = ["authorization", "cookie"].iter().any(|name| request.headers().contains_key(*name));
    if !names_somebody {
        let caller = Caller { name: "fuzz@pam".into(), role: Role::Admin, means: Means::Peer };
        request.extensions_mut().insert(caller);
    }
    Some(request)
}

/// Removes the cluster that requests were sent to, if there were any.
pub(crate) fn clear() {
    if let Some(served) = LazyLock::get(&SERVED) {
        // What is left lies in a directory for temporary files.
        let _ = std::fs::remove_dir_all(&served.directory);
    }
}
