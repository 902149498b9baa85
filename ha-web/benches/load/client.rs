//! A client that measures: HTTP/1.1 by hand, so that what it costs itself is little.

use std::{
    net::SocketAddr,
    sync::Mutex,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream},
    net::TcpStream,
    sync::{mpsc, watch},
    time::timeout,
};

/// Far more than anything takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// For how long a connection that nobody uses is good for another request.
const IDLE: Duration = Duration::from_secs(5);

/// A whole answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) tag: Option<String>,
    pub(crate) body: String,
}

struct Head {
    status: u16,
    tag: Option<String>,
    length: Option<usize>,
}

async fn head(stream: &mut BufStream<TcpStream>) -> Head {
    let mut head = Head { status: 0, tag: None, length: None };
    loop {
        let mut line = String::new();
        assert!(stream.read_line(&mut line).await.unwrap() > 0, "the connection ended in a head");
        let line = line.trim_end();
        if line.is_empty() {
            return head;
        }
        match line.split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("etag") => head.tag = Some(value.to_owned()),
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => head.length = value.parse().ok(),
            Some(_) => {}
            None => head.status = line.split(' ').nth(1).unwrap().parse().unwrap(),
        }
    }
}

/// Connections that are kept open, as many as are needed at once.
pub(crate) struct Connections {
    address: SocketAddr,
    token: String,
    /// Each with the moment since which it is.
    idle: Mutex<Vec<(BufStream<TcpStream>, Instant)>>,
}

impl Connections {
    pub(crate) fn new(address: SocketAddr, token: &str) -> Self {
        Self { address, token: token.to_owned(), idle: Mutex::default() }
    }

    /// What is there, or that it is still the same as what has this tag.
    pub(crate) async fn get(&self, path: &str, tag: Option<&str>) -> Answer {
        // The server cuts what was idle for 10 s: what was used last is taken, and what was not for long is left to it.
        let idle = self.idle.lock().unwrap().pop().filter(|(_, since)| since.elapsed() < IDLE);
        let mut stream = match idle {
            Some((stream, _)) => stream,
            None => BufStream::new(TcpStream::connect(self.address).await.unwrap()),
        };
        let known = tag.map(|tag| format!("if-none-match: {tag}\r\n")).unwrap_or_default();
        let request = format!("GET {path} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {}\r\n{known}\r\n", self.token);
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
        let head = timeout(PATIENCE, head(&mut stream)).await.unwrap();
        let mut body = vec![0; head.length.unwrap_or(0)];
        timeout(PATIENCE, stream.read_exact(&mut body)).await.unwrap().unwrap();
        self.idle.lock().unwrap().push((stream, Instant::now()));
        Answer { status: head.status, tag: head.tag, body: String::from_utf8(body).unwrap() }
    }
}

/// Somebody who listens from the beginning on.
pub(crate) struct Listener {
    pub(crate) address: SocketAddr,
    pub(crate) token: String,
    /// How many events there are, once that is known.
    pub(crate) until: watch::Receiver<usize>,
}

impl Listener {
    /// Listens until all events were told; says once that it has begun. Gives the id of each with the moment at which it was heard.
    pub(crate) async fn listen(mut self, begins: mpsc::Sender<()>) -> Vec<(u64, Instant)> {
        let mut stream = self.begin("after=0").await;
        begins.send(()).await.unwrap();
        let (mut heard, mut text) = (Vec::new(), String::new());
        while heard.len() < *self.until.borrow() || *self.until.borrow() == 0 {
            let chunk = tokio::select! {
                chunk = timeout(PATIENCE, chunk(&mut stream)) => chunk.expect("something is told"),
                changed = self.until.changed() => {
                    changed.unwrap();
                    continue;
                }
            };
            text += &chunk;
            while let Some((block, rest)) = text.split_once("\n\n") {
                if block.contains("\ndata: ") {
                    let id = block.lines().find_map(|line| line.strip_prefix("id: ")).unwrap();
                    heard.push((id.parse().unwrap(), Instant::now()));
                }
                text = rest.to_owned();
            }
        }
        heard
    }

    /// Connects, and takes the head of the answer.
    pub(crate) async fn begin(&self, query: &str) -> BufStream<TcpStream> {
        let mut stream = BufStream::new(TcpStream::connect(self.address).await.unwrap());
        let request =
            format!("GET /api/v1/events?{query} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {}\r\n\r\n", self.token);
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
        assert_eq!(head(&mut stream).await.status, 200);
        stream
    }
}

/// The next piece of an answer that has no end.
pub(crate) async fn chunk(stream: &mut BufStream<TcpStream>) -> String {
    let mut size = String::new();
    stream.read_line(&mut size).await.unwrap();
    let size = usize::from_str_radix(size.trim(), 16).unwrap();
    assert!(size > 0, "the stream goes on");
    let mut chunk = vec![0; size + 2];
    stream.read_exact(&mut chunk).await.unwrap();
    chunk.truncate(size);
    String::from_utf8(chunk).unwrap()
}
