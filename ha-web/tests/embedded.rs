//! The interface in somebody else's server, as the example has it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;
#[allow(dead_code, reason = "its main function")]
#[path = "../examples/embedded.rs"]
mod embedded;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
};

use common::Cluster;

/// Sends a request in the name of somebody, and gives the status and the beginning of the body.
fn send(address: SocketAddr, user: Option<&str>, request: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    let user = user.map(|user| format!("x-remote-user: {user}\r\n")).unwrap_or_default();
    let length = body.len();
    write!(
        stream,
        "{request} HTTP/1.1\r\nhost: a\r\n{user}connection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = BufReader::new(stream);
    let mut line = String::new();
    answer.read_line(&mut line).unwrap();
    let status = line.split(' ').nth(1).unwrap().parse().unwrap();
    let mut is_stream = false;
    while line != "\r\n" {
        line.clear();
        answer.read_line(&mut line).unwrap();
        is_stream |= line.contains("text/event-stream");
    }
    let mut body = String::new();
    if is_stream {
        // It has no end: its first line that says something is enough.
        while !body.contains("data: ") {
            answer.read_line(&mut body).unwrap();
        }
    } else {
        answer.read_to_string(&mut body).unwrap();
    }
    (status, body)
}

#[test]
fn it_is_beside_the_pages_of_another_server_and_knows_whom_that_knows() {
    let cluster = Cluster::new();
    let listener = cluster.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let server = embedded::server(cluster.store.clone());
    cluster.begin_beside(async move { axum::serve(listener, server).await.unwrap() });
    let ask = |user, request: &str, body: &str| send(address, user, request, body);

    assert_eq!(ask(None, "GET /own", ""), (200, "a page of one's own\n".into()));
    assert!(ask(None, "GET /", "").1.contains("<html"), "the page for people");
    assert_eq!(ask(None, "GET /api/v1/status", "").0, 401, "who is known to neither");
    assert_eq!(ask(Some("bob"), "GET /api/v1/status", "").0, 200);
    let add = r#"{"sid": "vm:100"}"#;
    assert_eq!(ask(Some("bob"), "POST /api2/json/cluster/ha/resources", add).0, 403, "he may only look");
    assert_eq!(ask(Some("alice"), "POST /api2/json/cluster/ha/resources", add).0, 200);
    let (status, told) = ask(Some("bob"), "GET /api/v1/events?after=0&event=change_made", "");
    assert_eq!(status, 200);
    assert!(told.contains(r#""by":"alice""#), "the history says by her own name who it was: {told}");
}
