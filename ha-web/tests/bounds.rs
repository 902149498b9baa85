//! What the server withstands, on real sockets.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use std::{
    io::{Read, Write},
    net::TcpStream,
    os::unix::{fs::PermissionsExt, net::UnixStream},
    time::Duration,
};

use common::Cluster;
use ha_host::os::files;
use ha_web::server::{Address, Bound, Bounds, ListenError, Running, serve};

/// Serves without TLS at an address of this machine.
fn serve_at(cluster: &Cluster, address: &str) -> (Running, String) {
    let address: Address = address.parse().unwrap();
    cluster.block_on(async {
        let bound = address.bind(false).await.unwrap();
        let url = bound[0].url(false);
        (serve(&cluster.web, bound, None), url)
    })
}

fn connect(url: &str) -> TcpStream {
    let stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// All that comes until the other side closes.
fn rest(mut stream: impl Read) -> String {
    let mut text = Vec::new();
    // A side that closes with something unread resets the connection.
    let _ = stream.read_to_end(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}

fn with(reading: Duration) -> Cluster {
    Cluster::with_bounds(Bounds { reading, ..Bounds::default() })
}

#[test]
fn who_takes_too_long_for_a_head_is_cut() {
    let cluster = with(Duration::from_millis(200));
    let (running, url) = serve_at(&cluster, "127.0.0.1:0");
    let mut slow = connect(&url);
    slow.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n").unwrap();
    let answer = rest(slow);
    assert!(!answer.contains("200 OK"), "{answer}");
    let idle = connect(&url);
    assert_eq!(rest(idle), "", "who says nothing is cut too");
    cluster.block_on(running.stop());
}

#[test]
fn a_body_that_does_not_come_is_not_waited_for() {
    let cluster = with(Duration::from_millis(200));
    let (running, url) = serve_at(&cluster, "127.0.0.1:0");
    let mut slow = connect(&url);
    slow.write_all(b"POST /api2/json/access/ticket HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nuser").unwrap();
    let answer = rest(slow);
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    cluster.block_on(running.stop());
}

#[test]
fn a_head_that_is_too_large_is_refused() {
    let cluster = Cluster::new();
    let (running, url) = serve_at(&cluster, "127.0.0.1:0");
    let mut large = connect(&url);
    let head = format!("GET /healthz HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(20_000));
    let _ = large.write_all(head.as_bytes());
    let answer = rest(large);
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    cluster.block_on(running.stop());
}

#[test]
fn who_waits_for_somebody_elses_edit_is_told_in_time() {
    let cluster = Cluster::with_bounds(Bounds { answer: Duration::from_millis(300), ..Bounds::default() });
    let guard = files::lock(&cluster.directory.join(".guards/config"), Duration::from_secs(5)).unwrap();
    let held_up = cluster.call("POST", "/cluster/ha/resources", "sid=vm:100");
    assert_eq!(held_up.status, 503, "{held_up:?}");
    assert_eq!(cluster.call("GET", "/cluster/ha/resources", "").status, 200, "reading needs no lock");
    drop(guard);
}

#[test]
fn nothing_is_sent_unencrypted_where_others_can_read_along() {
    let cluster = Cluster::new();
    let bind = |address: &str, is_encrypted| {
        let address: Address = address.parse().unwrap();
        cluster.block_on(async move { address.bind(is_encrypted).await })
    };
    assert!(matches!(bind("0.0.0.0:0", false), Err(ListenError::Plain(_))));
    assert!(matches!(bind("0.0.0.0:0", true).unwrap()[..], [Bound::Tcp(_)]));
    assert!(bind("127.0.0.1:0", false).is_ok());
}

#[test]
fn a_socket_knows_who_connects() {
    let cluster = Cluster::new();
    let path = cluster.directory.join("web.sock");
    let (running, url) = serve_at(&cluster, &format!("unix:{}", path.display()));
    assert_eq!(url, format!("unix:{}", path.display()));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
    let mut stream = UnixStream::connect(&path).unwrap();
    stream
        .write_all(b"POST /api2/json/cluster/ha/status/arm-ha HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .unwrap();
    let answer = rest(stream);
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "the server's own user may do all: {answer}");
    cluster.block_on(running.stop());
    assert!(!path.exists());
}

#[test]
fn a_message_is_the_reason_phrase() {
    let cluster = Cluster::new();
    let (running, url) = serve_at(&cluster, "127.0.0.1:0");
    let mut stream = connect(&url);
    stream.write_all(b"GET /api2/json/none HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    let answer = rest(stream);
    assert!(answer.starts_with("HTTP/1.1 501 Method 'GET /api2/json/none' not implemented\r\n"), "{answer}");
    cluster.block_on(running.stop());
}
