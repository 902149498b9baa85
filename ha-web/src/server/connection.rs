//! Connections: taken one by one, spoken to within bounds, and ended in good order.

use std::{
    net::SocketAddr,
    path::PathBuf,
    pin::pin,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use axum::body::Body;
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::UnixStream,
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
    time::timeout,
};
use tokio_io_timeout::TimeoutWriter;
use tokio_rustls::TlsAcceptor;

use super::{Bound, Web, tls::Tls};
use crate::access::{Caller, Means, Role};

/// Who is at the other end of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peer {
    /// Somebody at an address.
    Address {
        /// The address.
        address: SocketAddr,
        /// Whether nobody can read along.
        is_encrypted: bool,
    },
    /// A process of this machine.
    Local {
        /// The user that it belongs to.
        uid: u32,
        /// What that user may.
        role: Role,
    },
    /// Known to the program that this is part of, if at all.
    Embedder,
}

impl Peer {
    pub(super) const fn is_encrypted(&self) -> bool {
        match self {
            Self::Address { is_encrypted, .. } => *is_encrypted,
            Self::Local { .. } => false,
            Self::Embedder => true,
        }
    }

    /// The name under which wrong credentials are counted.
    pub(super) fn throttled_name(&self) -> String {
        match self {
            Self::Address { address, .. } => address.ip().to_string(),
            Self::Local { uid, .. } => format!("unix:{uid}"),
            Self::Embedder => "embedder".into(),
        }
    }

    /// Who it is without credentials.
    pub(super) fn caller(&self) -> Option<Caller> {
        match self {
            Self::Local { uid, role } => Some(Caller { name: format!("unix:{uid}"), role: *role, means: Means::Peer }),
            Self::Address { .. } | Self::Embedder => None,
        }
    }
}

/// A server that runs.
#[derive(Debug)]
pub struct Running {
    web: Web,
    stop: watch::Sender<bool>,
    listeners: JoinSet<()>,
    sockets: Vec<PathBuf>,
}

impl Running {
    /// Takes no more connections, and gives those that there are at most two seconds to end.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        self.web.inner.is_over.send_replace(true);
        let ended = async { while self.listeners.join_next().await.is_some() {} };
        let _ = timeout(Duration::from_secs(2), ended).await;
        for socket in &self.sockets {
            let _ = std::fs::remove_file(socket);
        }
    }
}

/// Serves on what was bound, until it is stopped.
#[must_use]
pub fn serve(web: &Web, bound: Vec<Bound>, tls: Option<&Tls>) -> Running {
    let (stop, stopped) = watch::channel(false);
    let places = Arc::new(Semaphore::new(web.inner.bounds.connections));
    let acceptor = tls.map(|tls| TlsAcceptor::from(tls.config.clone()));
    let mut listeners = JoinSet::new();
    let mut sockets = Vec::new();
    for bound in bound {
        if let Bound::Unix(_, path) = &bound {
            sockets.push(path.clone());
        }
        let listener = Listener {
            web: web.clone(),
            bound,
            acceptor: acceptor.clone(),
            places: places.clone(),
            stopped: stopped.clone(),
        };
        listeners.spawn(listener.run());
    }
    Running { web: web.clone(), stop, listeners, sockets }
}

struct Listener {
    web: Web,
    bound: Bound,
    acceptor: Option<TlsAcceptor>,
    places: Arc<Semaphore>,
    stopped: watch::Receiver<bool>,
}

impl Listener {
    async fn run(self) {
        let mut stopped = self.stopped.clone();
        let mut connections = JoinSet::new();
        loop {
            while connections.try_join_next().is_some() {}
            let accepted = tokio::select! {
                _ = stopped.changed() => break,
                accepted = self.accept(&mut connections) => accepted,
            };
            if accepted.is_err() {
                // No more files may be open, for example: waiting a moment keeps this from taking all of a processor.
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        while connections.join_next().await.is_some() {}
    }

    async fn accept(&self, connections: &mut JoinSet<()>) -> std::io::Result<()> {
        let Ok(place) = self.places.clone().acquire_owned().await else { return Ok(()) };
        match &self.bound {
            Bound::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                let _ = stream.set_nodelay(true);
                let peer = Peer::Address { address, is_encrypted: self.acceptor.is_some() };
                let connection = self.connection(peer, place);
                match self.acceptor.clone() {
                    Some(acceptor) => drop(connections.spawn(async move {
                        let handshake = timeout(connection.web.inner.bounds.reading, acceptor.accept(stream));
                        if let Ok(Ok(stream)) = handshake.await {
                            connection.speak(stream).await;
                        }
                    })),
                    None => drop(connections.spawn(connection.speak(stream))),
                }
            }
            Bound::Unix(listener, _) => {
                let (stream, _) = listener.accept().await?;
                let peer = local_peer(&stream)?;
                drop(connections.spawn(self.connection(peer, place).speak(stream)));
            }
        }
        Ok(())
    }

    fn connection(&self, peer: Peer, place: OwnedSemaphorePermit) -> Connection {
        Connection { web: self.web.clone(), peer, stopped: self.stopped.clone(), _place: place }
    }
}

/// Root and the server's own user may do all. Anybody else who could connect is in the socket's group.
fn local_peer(stream: &UnixStream) -> std::io::Result<Peer> {
    let uid = stream.peer_cred()?.uid();
    let own = nix::unistd::geteuid().as_raw();
    Ok(Peer::Local { uid, role: if uid == 0 || uid == own { Role::Admin } else { Role::Audit } })
}

struct Connection {
    web: Web,
    peer: Peer,
    stopped: watch::Receiver<bool>,
    _place: OwnedSemaphorePermit,
}

impl Connection {
    async fn speak<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(mut self, stream: S) {
        let count = &self.web.inner.connections;
        count.fetch_add(1, Ordering::Relaxed);
        let bounds = self.web.inner.bounds;
        let service = service_fn(|mut request: Request<Incoming>| {
            let web = self.web.clone();
            request.extensions_mut().insert(self.peer.clone());
            async move { Ok::<_, std::convert::Infallible>(web.respond(request.map(Body::new)).await) }
        });
        // A client that takes nothing of an event stream is cut off, and can take it up again where it was.
        let mut stream = TimeoutWriter::new(stream);
        stream.set_timeout(Some(bounds.writing));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(bounds.reading)
            .max_buf_size(bounds.head)
            .serve_connection(TokioIo::new(Box::pin(stream)), service);
        let mut connection = pin!(connection);
        tokio::select! {
            // What ends a connection is the client's matter.
            _ = connection.as_mut() => {}
            _ = self.stopped.changed() => {
                connection.as_mut().graceful_shutdown();
                let _ = connection.await;
            }
        }
        count.fetch_sub(1, Ordering::Relaxed);
    }
}
