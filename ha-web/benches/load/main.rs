//! Prints what a server bears: `cargo bench -p ha-web`. 200 open event streams and 100 requests a second, on one core, for a cluster of 1,000
//! services; and what 10,000 services cost.
//!
//! It measures, and asserts outside of what is measured that the work was done: each stream was told every event once and in order, and
//! each answer was whole.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::string_slice
)]

mod client;
mod server;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use client::{Connections, Listener};
use serde_json::Value;
use server::{Cluster, Server};
use tokio::{sync::watch, task::JoinSet, time::sleep_until};

const STREAMS: usize = 200;
const REQUESTS_PER_S: u32 = 100;
const EVENTS_PER_S: u32 = 10;
const LASTS: Duration = Duration::from_secs(20);

/// What is asked for, how often of a hundred times, and a text that a whole answer has.
const ASKED: [(&str, usize, &str); 8] = [
    ("/api/v1/status", 20, "\"last_event\""),
    ("/api/v1/services/vm:1500", 34, "\"vm:1500\""),
    ("/api2/json/cluster/ha/status/current", 10, "service:vm:1999"),
    ("/api2/json/cluster/ha/resources", 10, "vm:1999"),
    ("/api2/json/cluster/resources?type=vm", 5, "qemu/1999"),
    ("/api/v1/history?limit=50", 10, "\"is_more\""),
    ("/api/v1/failovers", 10, "["),
    ("/metrics", 1, "ha_service_state{sid=\"vm:1999\""),
];

/// What is asked for by this request: each kind spread over the time.
fn asked(number: usize) -> (&'static str, &'static str) {
    // 37 has no factor in common with 100: each place comes once in a hundred.
    let mut place = number * 37 % 100;
    for (path, share, whole) in ASKED {
        match place.checked_sub(share) {
            Some(left) => place = left,
            None => return (path, whole),
        }
    }
    unreachable!("the shares are a hundred")
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(load());
    runtime.block_on(large());
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// The time that so many of a hundred did not exceed.
fn percentile(times: &mut [Duration], percent: usize) -> f64 {
    times.sort_unstable();
    milliseconds(times[(times.len() - 1) * percent / 100])
}

async fn load() {
    let cluster = Cluster::new("load", 1000);
    let server = Server::start(&cluster);
    let at_rest = server.resident_mb();
    let connections = Connections::new(server.address, &cluster.token);
    let warm = connections.get("/api/v1/status", None).await;
    println!("a status of 1,000 services has {:.0} kB", warm.body.len() as f64 / 1000.0);

    let (stop, stopped) = watch::channel(0);
    let mut listeners = JoinSet::new();
    let (begins, mut begun) = tokio::sync::mpsc::channel(STREAMS);
    for _ in 0..STREAMS {
        let listener = Listener { address: server.address, token: cluster.token.clone(), until: stopped.clone() };
        listeners.spawn(listener.listen(begins.clone()));
    }
    for _ in 0..STREAMS {
        begun.recv().await.unwrap();
    }
    let with_streams = server.resident_mb();

    let busy_before = server.busy();
    let began = Instant::now();
    let events = tokio::task::spawn_blocking({
        let store = cluster.store.clone();
        move || server::happen(&*store, EVENTS_PER_S, LASTS)
    });
    let mut times = ask(&Arc::new(connections), began).await;
    let (told, lags) = {
        let happened = events.await.unwrap();
        stop.send_replace(happened.len());
        let mut lags = Vec::new();
        while let Some(heard) = listeners.join_next().await {
            let heard = heard.unwrap();
            let ids: Vec<u64> = heard.iter().map(|(id, _)| *id).collect();
            assert_eq!(ids, (1..=happened.len() as u64).collect::<Vec<_>>(), "each event once and in order");
            lags.extend(heard.iter().zip(&happened).map(|((_, at), kept)| at.saturating_duration_since(*kept)));
        }
        (happened.len(), lags)
    };
    let busy = (server.busy() - busy_before).as_secs_f64() / began.elapsed().as_secs_f64();
    report(&mut times, told, lags, busy);
    let after = server.resident_mb();
    println!(
        "resident: {at_rest:.1} MB at rest, {with_streams:.1} MB with {STREAMS} streams, {after:.1} MB after the load"
    );
    assert!(after < 200.0, "memory is bounded");
    by_command(&cluster, &server).await;
}

/// Sends each request at its time, whether those before it were answered or not, and gives how long each took from that time on.
async fn ask(connections: &Arc<Connections>, began: Instant) -> BTreeMap<&'static str, Vec<Duration>> {
    let mut under_way = JoinSet::new();
    for number in 0..REQUESTS_PER_S * LASTS.as_secs() as u32 {
        let due = began + Duration::from_secs(1) * number / REQUESTS_PER_S;
        sleep_until(due.into()).await;
        let (path, whole) = asked(number as usize);
        let connections = connections.clone();
        under_way.spawn(async move {
            let answer = connections.get(path, None).await;
            let took = due.elapsed();
            assert_eq!(answer.status, 200, "{path}");
            assert!(answer.body.contains(whole), "{path}: {}", answer.body);
            (path, took)
        });
    }
    let mut times = BTreeMap::<_, Vec<_>>::new();
    while let Some(answered) = under_way.join_next().await {
        let (path, took) = answered.unwrap();
        times.entry(path).or_default().push(took);
    }
    times
}

fn report(times: &mut BTreeMap<&'static str, Vec<Duration>>, told: usize, mut lags: Vec<Duration>, busy: f64) {
    let mut all = Vec::new();
    for (path, times) in times {
        all.extend_from_slice(times);
        println!("  {path}: p50 {:.1} ms, p99 {:.1} ms", percentile(times, 50), percentile(times, 99));
    }
    println!(
        "{} requests at {REQUESTS_PER_S}/s beside {STREAMS} streams: p50 {:.1} ms, p99 {:.1} ms, {:.0} % of a core",
        all.len(),
        percentile(&mut all, 50),
        percentile(&mut all, 99),
        busy * 100.0
    );
    println!(
        "{told} events told to each stream: p50 {:.0} ms, p99 {:.0} ms after they were kept",
        percentile(&mut lags, 50),
        percentile(&mut lags, 99)
    );
}

/// The status over HTTP beside the status by the command, with nothing else to do.
async fn by_command(cluster: &Cluster, server: &Server) {
    const RUNS: usize = 41;
    let connections = Connections::new(server.address, &cluster.token);
    let (mut over_http, mut by_command) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let began = Instant::now();
        let answer = connections.get("/api/v1/status", None).await;
        over_http.push(began.elapsed());
        let began = Instant::now();
        let shown = cluster.status_by_command();
        by_command.push(began.elapsed());
        let services = |text: &str| serde_json::from_str::<Value>(text).unwrap()["services"].as_array().unwrap().len();
        assert_eq!((services(&answer.body), services(&shown)), (1000, 1000));
    }
    let (over_http, by_command) = (percentile(&mut over_http, 50), percentile(&mut by_command, 50));
    println!(
        "the status: {over_http:.1} ms over HTTP, {by_command:.1} ms by 'ha status --json': {:.2}",
        over_http / by_command
    );
}

/// What a status of 10,000 services costs, that it is still the same, and that one service has changed.
async fn large() {
    const RUNS: usize = 21;
    let cluster = Cluster::new("large", 10_000);
    let server = Server::start(&cluster);
    let connections = Connections::new(server.address, &cluster.token);
    let (mut whole, mut same) = (Vec::new(), Vec::new());
    let first = connections.get("/api/v1/status", None).await;
    let tag = first.tag.clone().expect("a status has a digest");
    for _ in 0..RUNS {
        let began = Instant::now();
        let answer = connections.get("/api/v1/status", None).await;
        whole.push(began.elapsed());
        assert_eq!((answer.status, answer.tag.as_ref()), (200, Some(&tag)));
        let began = Instant::now();
        let answer = connections.get("/api/v1/status", Some(&tag)).await;
        same.push(began.elapsed());
        assert_eq!((answer.status, answer.body.len()), (304, 0));
    }
    let [(whole_size, whole_took), (change_size, change_took)] =
        server::told_of_a_failure(&server, &cluster, "vm:10999").await;
    println!(
        "10,000 services: {:.0} kB and {:.1} ms whole, 0 kB and {:.1} ms if it is the same",
        first.body.len() as f64 / 1000.0,
        percentile(&mut whole, 50),
        percentile(&mut same, 50),
    );
    println!(
        "on the stream: {:.0} kB at first, after {:.0} ms; then {:.1} kB for a service that has changed, {:.0} ms after it did",
        whole_size as f64 / 1000.0,
        milliseconds(whole_took),
        change_size as f64 / 1000.0,
        milliseconds(change_took),
    );
    println!("resident: {:.1} MB", server.resident_mb());
}
