//! A cluster in a directory, and a server of it without a socket.
#![allow(dead_code, clippy::unwrap_used, clippy::indexing_slicing, reason = "for tests, of which none uses all")]

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use axum::{body::Body, extract::Request};
use ha_core::{id::NodeName, timing::Timings};
use ha_host::store::{ClusterSettings, FileStore, GuestDefinition, SharedStore, Store};
use ha_web::{
    access::{Access, PasswordHash, Role, Secret, Token, TokenHash, TokenName, User, UserName},
    server::{Bounds, Options, Peer, Web},
};
use http_body_util::BodyExt;
use serde_json::Value;

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The reason phrase, if it is not the usual one.
    pub(crate) reason: String,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    /// What a good answer has.
    #[track_caller]
    pub(crate) fn data(&self) -> &Value {
        assert_eq!(self.status, 200, "{self:?}");
        &self.body["data"]
    }

    #[track_caller]
    pub(crate) fn is(&self, status: u16, reason: &str) {
        assert_eq!((self.status, self.reason.as_str()), (status, reason), "{self:?}");
    }
}

/// A cluster with three nodes, guests, and a token of each role.
pub(crate) struct Cluster {
    pub(crate) directory: PathBuf,
    pub(crate) store: Arc<dyn SharedStore>,
    pub(crate) web: Web,
    runtime: tokio::runtime::Runtime,
    secrets: Vec<(Role, Secret)>,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

pub(crate) const PASSWORD: &str = "correct horse";

impl Cluster {
    pub(crate) fn new() -> Self {
        Self::with_bounds(Bounds { wrong: std::time::Duration::ZERO, ..Bounds::default() })
    }

    pub(crate) fn with_bounds(bounds: Bounds) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let directory = std::env::temp_dir().join(format!("ha-web-test-{}-{count}", std::process::id()));
        let nodes = ["node1", "node2", "node3"].map(|node| NodeName::new(node).unwrap()).to_vec();
        let store = FileStore::create(&directory, &ClusterSettings { nodes, timings: Timings::default() }).unwrap();
        let guest = r#"{"node": "node1", "agent": {"proc": {"command": ["/usr/bin/sleep", "1"]}}}"#;
        for sid in ["vm:100", "vm:101", "ct:200", "proc:web"] {
            let sid = sid.parse().unwrap();
            let definition: GuestDefinition = serde_json::from_str(guest).unwrap();
            store.edit_guest(&sid, &mut |guest| *guest = Some(definition.clone())).unwrap();
        }
        let store: Arc<dyn SharedStore> = Arc::new(store);
        let secrets: Vec<(Role, Secret)> = Role::ALL.into_iter().map(|role| (role, Secret::new().unwrap())).collect();
        Access::edit(&*store, |access| {
            for (role, secret) in &secrets {
                let name = TokenName::new(&format!("test@pam!{role}")).unwrap();
                let hash = TokenHash::of(secret.as_str());
                access.tokens.insert(name, Token::new(*role, hash, 0, None, String::new()));
                let user = UserName::new(&format!("{role}@pam")).unwrap();
                access.users.insert(user, User::new(*role, PasswordHash::of(PASSWORD).unwrap(), String::new()));
            }
            Ok::<(), ()>(())
        })
        .unwrap()
        .unwrap();
        let options = Options { bounds, ..Options::default() };
        let web = Web::with(store.clone(), None, options);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        Self { directory, store, web, runtime, secrets }
    }

    pub(crate) fn secret(&self, role: Role) -> &str {
        self.secrets.iter().find(|(of, _)| *of == role).unwrap().1.as_str()
    }

    /// Sends a request, and gives the answer as it begins.
    pub(crate) fn begin(&self, mut request: Request) -> axum::response::Response {
        let address = "192.0.2.1:1000".parse().unwrap();
        if request.extensions().get::<Peer>().is_none() {
            request.extensions_mut().insert(Peer::Address { address, is_encrypted: true });
        }
        self.block_on(self.web.respond(request))
    }

    /// Sends a request.
    pub(crate) fn send(&self, request: Request) -> Answer {
        let (head, body) = self.begin(request).into_parts();
        // A stream has no end.
        let is_stream = head.headers.get("content-type").is_some_and(|kind| kind == "text/event-stream");
        let body = if is_stream { Default::default() } else { self.block_on(body.collect()).unwrap().to_bytes() };
        let reason = head.extensions.get::<hyper::ext::ReasonPhrase>();
        let reason = reason.map(|reason| String::from_utf8(reason.as_bytes().to_vec()).unwrap()).unwrap_or_default();
        let body = serde_json::from_slice(&body).unwrap_or_else(|_| String::from_utf8_lossy(&body).into_owned().into());
        Answer { status: head.status.as_u16(), reason, headers: head.headers, body }
    }

    /// A call by somebody with a role; the parameters are in form encoding.
    pub(crate) fn call_as(&self, role: Option<Role>, method: &str, path: &str, parameters: &str) -> Answer {
        let is_in_query = matches!(method, "GET" | "DELETE");
        let uri = if is_in_query && !parameters.is_empty() { format!("{path}?{parameters}") } else { path.to_owned() };
        let mut request = Request::builder().method(method).uri(uri);
        if let Some(role) = role {
            let token = format!("PVEAPIToken=test@pam!{role}={}", self.secret(role));
            request = request.header("authorization", token);
        }
        if !is_in_query && !parameters.is_empty() {
            request = request.header("content-type", "application/x-www-form-urlencoded");
        }
        let body = if is_in_query { String::new() } else { parameters.to_owned() };
        self.send(request.body(Body::from(body)).unwrap())
    }

    /// A call of the compatible part by somebody who may do all.
    pub(crate) fn call(&self, method: &str, path: &str, parameters: &str) -> Answer {
        self.call_as(Some(Role::Admin), method, &format!("/api2/json{path}"), parameters)
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Value {
        self.call("GET", path, "").data().clone()
    }

    /// A change that must be made.
    #[track_caller]
    pub(crate) fn change(&self, method: &str, path: &str, parameters: &str) {
        assert_eq!(*self.call(method, path, parameters).data(), Value::Null);
    }
}

impl Cluster {
    /// Does something until the cluster is gone.
    pub(crate) fn begin_beside(&self, future: impl std::future::Future<Output = ()> + Send + 'static) {
        drop(self.runtime.spawn(future));
    }

    pub(crate) fn block_on<T>(&self, future: impl std::future::Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }
}
