//! The server: it takes connections, sees who asks, and answers by the [table of calls](crate::table).
//!
//! Nothing that a client does holds it up: how many connections there are, how long a head and a body may take, how many calls wait for
//! the store, and how long an answer takes are all bounded. What touches the store is done on threads of its own, whose number is
//! bounded too: a store that hangs costs these, and the rest is told so.

mod authenticate;
mod connection;
mod events;
mod exchange;
mod feed;
mod listen;
mod log;
mod repeated;
mod respond;
mod session;
mod tls;
mod unsent;

pub use connection::{Peer, Running, serve};
pub use listen::{Address, Bound, ListenError};
pub use log::{Log, LogFormat, Report};
pub use respond::router;
pub use tls::{Security, Tls, TlsError};

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use ha_core::id::NodeName;
use ha_host::{desk::Desk, store::SharedStore};
use tokio::sync::{Semaphore, watch};

use crate::{access::Throttle, call::Site, stage::Stage};
use feed::{Feed, Known, StatusNews};
use repeated::Repeated;
use unsent::Unsent;

/// The bounds that the server keeps.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Connections at once.
    pub connections: usize,
    /// Bytes of a body.
    pub body: usize,
    /// Bytes of a head.
    pub head: usize,
    /// How long a head may take, and a body as well; and how long an idle connection is kept.
    pub reading: Duration,
    /// How long an answer takes at most.
    pub answer: Duration,
    /// Event streams at once.
    pub streams: usize,
    /// How long an event stream is silent at most: then it sends a comment, and checks whether the listener may still listen.
    pub silence: Duration,
    /// For how long a client may take nothing of what is sent to it.
    pub writing: Duration,
    /// Bytes of answers of more than 64 KiB that clients have not taken yet.
    pub unsent: usize,
    /// Calls that work on the store at once.
    pub calls: usize,
    /// Passwords that are checked at once: each takes 19 MiB of memory.
    pub passwords: usize,
    /// How long wrong credentials are left waiting for their answer.
    pub wrong: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: 512,
            body: 64 * 1024,
            head: 16 * 1024,
            reading: Duration::from_secs(10),
            // Clients give up after 5 s, and are promised an answer within 4 s.
            answer: Duration::from_millis(3500),
            streams: 256,
            silence: Duration::from_secs(15),
            writing: Duration::from_secs(10),
            unsent: 128 * 1024 * 1024,
            calls: 32,
            passwords: 2,
            wrong: Duration::from_millis(300),
        }
    }
}

/// What can be chosen.
#[derive(Debug, Clone)]
pub struct Options {
    /// The bounds that it keeps.
    pub bounds: Bounds,
    /// Whether `/metrics` asks for no credentials.
    pub has_open_metrics: bool,
    /// Where it reports.
    pub log: Log,
    /// What is played, if the store is not that of a real cluster.
    pub stage: Option<Arc<dyn Stage>>,
}

impl Default for Options {
    fn default() -> Self {
        Self { bounds: Bounds::default(), has_open_metrics: false, log: Log::none(), stage: None }
    }
}

/// A server, or what an embedder makes part of its own.
#[derive(Debug, Clone)]
pub struct Web {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    site: Site,
    bounds: Bounds,
    has_open_metrics: bool,
    log: Log,
    throttle: Mutex<Throttle>,
    calls: Arc<Semaphore>,
    passwords: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    unsent: Unsent,
    history: Arc<Feed<Known>>,
    status: Arc<Feed<StatusNews>>,
    /// Becomes true when the event streams end.
    is_over: watch::Sender<bool>,
    repeated: Mutex<Repeated>,
    connections: AtomicUsize,
}

impl Web {
    /// A server of the cluster in this store, which must not wait longer for an answer than the server may take: see [`PATIENCE`]. `node`
    /// is the node that counts as the local one, if one does.
    #[must_use]
    pub fn new(store: Arc<dyn SharedStore>, node: Option<NodeName>) -> Self {
        Self::with(store, node, Options::default())
    }

    /// The same with options.
    #[must_use]
    pub fn with(store: Arc<dyn SharedStore>, node: Option<NodeName>, options: Options) -> Self {
        let Options { bounds, has_open_metrics, log, stage } = options;
        let site = Site::new(Desk::new(store), node, build());
        let site = match stage {
            Some(stage) => site.of_stage(stage),
            None => site,
        };
        let inner = Inner {
            site,
            bounds,
            has_open_metrics,
            log,
            throttle: Mutex::default(),
            calls: Arc::new(Semaphore::new(bounds.calls)),
            passwords: Arc::new(Semaphore::new(bounds.passwords)),
            streams: Arc::new(Semaphore::new(bounds.streams)),
            unsent: Unsent::new(bounds.unsent),
            history: Arc::default(),
            status: Arc::default(),
            is_over: watch::channel(false).0,
            repeated: Mutex::default(),
            connections: AtomicUsize::new(0),
        };
        Self { inner: Arc::new(inner) }
    }

    /// How many connections there are.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.inner.connections.load(Ordering::Relaxed)
    }
}

/// How long the store may let a server wait: an answer that there is none must still come in time.
pub const PATIENCE: Duration = Duration::from_millis(2500);

/// Eight hexadecimal digits that tell this program from another build of it.
fn build() -> String {
    let program = std::fs::read("/proc/self/exe").unwrap_or_else(|_| ha_host::VERSION.as_bytes().to_vec());
    let digest = ring::digest::digest(&ring::digest::SHA256, &program);
    digest.as_ref().iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}
