//! An etcd of its own for a test.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use ha_core::{id::NodeName, timing::TimingSettings};
use ha_host::store::{ClusterSettings, EtcdAddress, SharedStore, StoreAddress, StoreError};

use super::{Sandbox, has, signal, skip, wait_for};

/// Members on loopback, and a sandbox whose store is in them. All of it ends with this.
pub(crate) struct Etcd {
    members: Vec<Option<Child>>,
    /// Words of the command line that all members get besides what they need.
    pub(crate) more: Vec<String>,
    /// What the addresses of clients begin with.
    pub(crate) scheme: &'static str,
    clients: Vec<u16>,
    peers: Vec<u16>,
    pub(crate) sandbox: Sandbox,
}

impl Etcd {
    /// Members that do not run yet; nothing, and a line that says so, where there is no etcd.
    pub(crate) fn prepare(name: &str, members: usize) -> Option<Self> {
        if !has("etcd") {
            skip("there is no etcd here (Debian: etcd-server)");
            return None;
        }
        let free: Vec<TcpListener> = (0..2 * members).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let ports: Vec<u16> = free.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
        let mut etcd = Self {
            members: (0..members).map(|_| None).collect(),
            more: Vec::new(),
            scheme: "http",
            clients: ports[..members].to_vec(),
            peers: ports[members..].to_vec(),
            // In memory: a disk that is slow to write resets nodes, as it must, and that is not what is tested.
            sandbox: Sandbox::with_room(name),
        };
        let endpoints: Vec<String> = (0..members).map(|member| etcd.endpoint(member)).collect();
        etcd.sandbox.address = format!("etcd://{}/ha/test", endpoints.join(","));
        Some(etcd)
    }

    /// Members with a cluster of these nodes in them, with the `fast` timings.
    pub(crate) fn start(name: &str, members: usize, nodes: &[&str]) -> Option<Self> {
        let mut etcd = Self::prepare(name, members)?;
        (0..members).for_each(|member| etcd.run(member));
        etcd.init(nodes);
        Some(etcd)
    }

    pub(crate) fn init(&self, nodes: &[&str]) {
        let nodes = nodes.iter().map(|name| NodeName::new(*name).unwrap()).collect();
        let settings = ClusterSettings { nodes, timings: TimingSettings::fast().validate().unwrap() };
        let mut last = String::new();
        wait_for("etcd has a leader", 30, || match self.address().create(&settings) {
            Ok(()) => true,
            Err(error) => {
                assert!(!matches!(error, StoreError::EtcdRefused(_)), "{error}");
                last = error.to_string();
                false
            }
        });
    }

    pub(crate) fn address(&self) -> StoreAddress {
        self.sandbox.address.parse().unwrap()
    }

    /// The address as one of etcd, which a test may give other endpoints.
    pub(crate) fn etcd_address(&self) -> EtcdAddress {
        match self.address() {
            StoreAddress::Etcd(address) => address,
            StoreAddress::File(_) => panic!("it is in etcd"),
        }
    }

    pub(crate) fn open(&self) -> Arc<dyn SharedStore> {
        self.address().open(Duration::from_secs(2)).unwrap()
    }

    pub(crate) fn endpoint(&self, member: usize) -> String {
        format!("127.0.0.1:{}", self.clients[member])
    }

    pub(crate) fn directory(&self, member: usize) -> PathBuf {
        self.sandbox.directory.join(format!("m{member}"))
    }

    /// The options that a member needs, by name.
    pub(crate) fn options(&self, member: usize) -> Vec<(String, String)> {
        let peer = |member: usize| format!("http://127.0.0.1:{}", self.peers[member]);
        let cluster: Vec<String> = (0..self.peers.len()).map(|member| format!("m{member}={}", peer(member))).collect();
        let client = format!("{}://{}", self.scheme, self.endpoint(member));
        etcd_options(&format!("m{member}"), &self.directory(member), &client, &peer(member), &cluster)
    }

    pub(crate) fn run(&mut self, member: usize) {
        let options = self.options(member).into_iter().map(|(name, value)| format!("--{name}={value}"));
        let words: Vec<String> = options.chain(self.more.iter().cloned()).collect();
        self.run_with(member, &words);
    }

    /// Runs a member with these words only.
    pub(crate) fn run_with(&mut self, member: usize, words: &[String]) {
        let log = self.sandbox.directory.join(format!("m{member}.log"));
        let log = fs::File::options().append(true).create(true).open(log).unwrap();
        let mut command = Command::new("etcd");
        command.args(words).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        self.members[member] = Some(command.spawn().unwrap());
    }

    pub(crate) fn kill(&mut self, member: usize) {
        let mut child = self.members[member].take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    pub(crate) fn signal(&self, member: usize, name: &str) {
        signal(self.members[member].as_ref().unwrap(), name);
    }

    /// Asks a member without TLS; nothing if it does not answer.
    pub(crate) fn ask(&self, member: usize, path: &str, question: &serde_json::Value) -> Option<serde_json::Value> {
        let agent = ureq::Agent::config_builder().http_status_as_error(false);
        let agent = agent.timeout_global(Some(Duration::from_secs(3))).proxy(None).build().new_agent();
        let answer = agent.post(format!("http://{}/v3/{path}", self.endpoint(member))).send(question.to_string());
        serde_json::from_slice(&answer.ok()?.body_mut().read_to_vec().ok()?).ok()
    }

    fn status(&self, member: usize) -> Option<serde_json::Value> {
        self.ask(member, "maintenance/status", &serde_json::json!({}))
    }

    /// Grows with every election of a leader; from the first member that says so.
    pub(crate) fn term(&self) -> u64 {
        (0..self.members.len()).find_map(|member| self.term_of(member)).unwrap()
    }

    pub(crate) fn term_of(&self, member: usize) -> Option<u64> {
        self.status(member)?["raftTerm"].as_str()?.parse().ok()
    }

    /// The member that leads.
    pub(crate) fn leader(&self) -> usize {
        let is_leader = |member: &usize| {
            self.status(*member).is_some_and(|status| status["leader"] == status["header"]["member_id"])
        };
        (0..self.members.len()).find(is_leader).unwrap()
    }
}

impl Drop for Etcd {
    fn drop(&mut self) {
        for child in self.members.iter_mut().flatten() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The options of a member, by name.
fn etcd_options(name: &str, directory: &Path, client: &str, peer: &str, cluster: &[String]) -> Vec<(String, String)> {
    let pairs = [
        ("name", name),
        ("data-dir", directory.to_str().unwrap()),
        ("listen-client-urls", client),
        ("advertise-client-urls", client),
        ("listen-peer-urls", peer),
        ("initial-advertise-peer-urls", peer),
        ("initial-cluster", &cluster.join(",")),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

/// How a member is run.
pub(crate) fn etcd_words(name: &str, directory: &Path, client: &str, peer: &str, cluster: &[String]) -> Vec<String> {
    let options = etcd_options(name, directory, client, peer, cluster).into_iter();
    let options = options.map(|(name, value)| format!("--{name}={value}"));
    ["etcd".to_owned()].into_iter().chain(options).collect()
}
