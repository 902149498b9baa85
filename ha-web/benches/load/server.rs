//! A cluster in a directory, and a server of it as a process.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use ha_core::{
    event::{Event, MoveCause},
    history::{Entry, EntryId, Source},
    id::NodeName,
    status::Motion,
    timing::Timings,
};
use ha_host::store::{ClusterSettings, FileStore, SharedStore, Store};
use ha_web::access::{Access, Role, Secret, Token, TokenHash, TokenName};
use serde_json::{Value, json};

use tokio::{io::BufStream, net::TcpStream};

use super::client::{Listener, chunk};

const NODES: [&str; 3] = ["node1", "node2", "node3"];

/// The `ha` beside the `ha-web` that was built with this; where there is none it is built, in a directory of its own.
fn ha() -> PathBuf {
    let beside = Path::new(env!("CARGO_BIN_EXE_ha-web")).with_file_name("ha");
    if beside.exists() {
        return beside;
    }
    let target = beside.ancestors().nth(2).unwrap().join("for-benches");
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--release", "-p", "ha-cli", "--target-dir"]).arg(&target);
    assert!(build.status().unwrap().success(), "the program ha is built");
    target.join("release/ha")
}

/// A cluster of three nodes in a store.
pub(crate) struct Cluster {
    directory: PathBuf,
    ha: PathBuf,
    pub(crate) store: Arc<FileStore>,
    pub(crate) token: String,
}

impl Cluster {
    pub(crate) fn new(name: &str, services: usize) -> Self {
        let directory = std::env::temp_dir().join(format!("ha-web-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&directory);
        let nodes = NODES.map(|node| NodeName::new(node).unwrap()).to_vec();
        let store = FileStore::create(&directory, &ClusterSettings { nodes, timings: Timings::default() }).unwrap();
        let (mut resources, mut entries) = (String::new(), serde_json::Map::new());
        for number in 1000..1000 + services {
            let node = NODES[number % NODES.len()];
            resources += &format!("vm: {number}\n\tstate started\n\n");
            let entry = json!({"state": "started", "node": node, "uid": format!("u{number}"), "running": 1});
            entries.insert(format!("vm:{number}"), entry);
            let guest = json!({"node": node, "agent": {"vm": {"memory_mb": 1024}}});
            fs::write(directory.join(format!("guests/vm:{number}.json")), guest.to_string()).unwrap();
        }
        fs::write(directory.join("config/resources.cfg"), resources).unwrap();
        let states: Value = NODES.iter().map(|node| ((*node).to_owned(), json!("online"))).collect();
        let status = json!({"master_node": "node1", "timestamp": 0, "node_status": states, "service_status": entries});
        fs::write(directory.join("status/manager.json"), status.to_string()).unwrap();
        let secret = Secret::new().unwrap();
        let name = "load@local!bench";
        Access::edit(&store, |access| {
            let token = Token::new(Role::Audit, TokenHash::of(secret.as_str()), 0, None, String::new());
            access.tokens.insert(TokenName::new(name).unwrap(), token);
            Ok::<(), ()>(())
        })
        .unwrap()
        .unwrap();
        let token = format!("{name}={}", secret.as_str());
        Self { directory, ha: ha(), store: Arc::new(store), token }
    }

    /// A service is in error, by what the master has recorded.
    fn fails(&self, sid: &str) {
        let path = self.directory.join("status/manager.json");
        let mut status: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        status["service_status"][sid]["state"] = json!("error");
        fs::write(path.with_extension("new"), status.to_string()).unwrap();
        fs::rename(path.with_extension("new"), path).unwrap();
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env("HA_STORE", format!("file:{}", self.directory.display())).env("HA_NODE", "node1");
        command.env("HA_STATE_DIR", self.directory.join("state")).stdin(Stdio::null());
        command
    }

    pub(crate) fn status_by_command(&self) -> String {
        let shown = self.command(&self.ha).args(["status", "--json"]).output().unwrap();
        assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
        String::from_utf8(shown.stdout).unwrap()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// A server that has one core, where there is a way to say so.
pub(crate) struct Server {
    process: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    pub(crate) fn start(cluster: &Cluster) -> Self {
        let program = env!("CARGO_BIN_EXE_ha-web");
        let can_bind = Command::new("taskset").args(["-c", "0", "true"]).status().is_ok_and(|status| status.success());
        let mut command = if can_bind {
            let mut bound = cluster.command("taskset");
            bound.args(["-c", "0", program]);
            bound
        } else {
            println!("there is no taskset: the server may use all cores");
            cluster.command(program)
        };
        command.args(["web", "--listen", "127.0.0.1:0", "--plain", "--log", "json"]);
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut log = BufReader::new(process.stdout.take().unwrap());
        log.read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        let address = said["url"].as_str().unwrap().strip_prefix("http://").unwrap().parse().unwrap();
        thread::spawn(move || log.lines().map_while(Result::ok).for_each(drop));
        Self { process, address }
    }

    fn proc(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.process.id())).unwrap()
    }

    pub(crate) fn resident_mb(&self) -> f64 {
        let status = self.proc("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1000.0
    }

    /// How long it has had a core until now.
    pub(crate) fn busy(&self) -> Duration {
        let stat = self.proc("stat");
        let after_name = stat.rsplit_once(") ").unwrap().1;
        let ticks: Vec<u64> = after_name.split(' ').skip(11).take(2).map(|ticks| ticks.parse().unwrap()).collect();
        Duration::from_millis((ticks[0] + ticks[1]) * 10)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn keep(store: &dyn Store, number: u64, sid: &str) {
    let node = NodeName::new("node1").unwrap();
    let event = Event::ServiceMove {
        sid: sid.parse().unwrap(),
        target: NodeName::new("node2").unwrap(),
        cause: MoveCause::Command,
        task: Motion::Migrate,
    };
    let id = EntryId::of_node(&node, 1, number);
    let entry = Entry::new(id, 1_795_983_430_250, node, Source::Crm, event.into());
    store.append_history(&[entry.to_json()]).unwrap();
}

/// Has something happen so often, for so long. Gives the moment at which each was kept.
pub(crate) fn happen(store: &dyn SharedStore, per_s: u32, lasts: Duration) -> Vec<Instant> {
    let began = Instant::now();
    let each = |number: u32| {
        let due = began + Duration::from_secs(1) * number / per_s;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        keep(store, number.into(), "vm:1500");
        Instant::now()
    };
    (1..=per_s * lasts.as_secs() as u32).map(each).collect()
}

/// What a stream tells of the status: the whole, and what one service that fails changes in it; with how long each took.
pub(crate) async fn told_of_a_failure(server: &Server, cluster: &Cluster, sid: &str) -> [(usize, Duration); 2] {
    let until = tokio::sync::watch::channel(0).1;
    let listener = Listener { address: server.address, token: cluster.token.clone(), until };
    let began = Instant::now();
    let mut stream = listener.begin("status=1").await;
    let whole = next_of_status(&mut stream, "status").await;
    let whole = (whole.len(), began.elapsed());
    cluster.fails(sid);
    let began = Instant::now();
    let change = next_of_status(&mut stream, "status_change").await;
    let took = began.elapsed();
    let told: Value = serde_json::from_str(change.split_once("data: ").unwrap().1.trim_end()).unwrap();
    let services = told["status"]["services"].as_array().unwrap();
    assert_eq!((services.len(), &services[0]["sid"]), (1, &json!(sid)), "only the one that has changed is told");
    [whole, (change.len(), took)]
}

async fn next_of_status(stream: &mut BufStream<TcpStream>, event: &str) -> String {
    let mut text = String::new();
    loop {
        text += &chunk(stream).await;
        while let Some((block, rest)) = text.split_once("\n\n") {
            if block.starts_with(&format!("event: {event}\n")) {
                return block.to_owned();
            }
            text = rest.to_owned();
        }
    }
}
