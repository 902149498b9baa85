//! Three nodes in network namespaces of their own, each with a member of etcd: one is cut off.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr)]

mod common;

use std::{
    fs,
    process::{Child, Command, Output, Stdio},
    time::Instant,
};

use common::{Sandbox, etcd::etcd_words, has, signal, skip, wait_for};
use ha_core::timing::TimingSettings;

const NODES: [&str; 3] = ["node1", "node2", "node3"];

fn ip(arguments: &str) -> Output {
    Command::new("ip").args(arguments.split(' ')).output().unwrap()
}

fn ip_ok(arguments: &str) {
    let output = ip(arguments);
    assert!(output.status.success(), "ip {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A switch in a namespace of its own, and three nodes on it.
struct Network {
    name: String,
}

impl Network {
    /// Nothing, and a line that says so, without the privilege for it.
    fn start() -> Option<Self> {
        if Command::new("ip").arg("-V").stdout(Stdio::null()).status().is_err() {
            skip("there is no 'ip' here (Debian: iproute2)");
            return None;
        }
        let name = format!("ha{}", std::process::id());
        if !ip(&format!("netns add {name}-0")).status.success() {
            skip("network namespaces cannot be made here");
            return None;
        }
        let network = Self { name };
        let switch = network.namespace(0);
        if !ip(&format!("-n {switch} link add switch type bridge")).status.success() {
            skip("a bridge cannot be made here");
            return None;
        }
        ip_ok(&format!("-n {switch} addr add 10.77.0.254/24 dev switch"));
        ip_ok(&format!("-n {switch} link set switch up"));
        for number in 1..=3 {
            let namespace = network.namespace(number);
            ip_ok(&format!("netns add {namespace}"));
            ip_ok(&format!("-n {switch} link add port{number} type veth peer name eth0 netns {namespace}"));
            ip_ok(&format!("-n {switch} link set port{number} master switch up"));
            ip_ok(&format!("-n {namespace} addr add 10.77.0.{number}/24 dev eth0"));
            ip_ok(&format!("-n {namespace} link set lo up"));
            ip_ok(&format!("-n {namespace} link set eth0 up"));
        }
        Some(network)
    }

    /// Of a node; 0 is that of the switch.
    fn namespace(&self, number: usize) -> String {
        format!("{}-{number}", self.name)
    }

    fn inside(&self, number: usize) -> Vec<String> {
        ["ip", "netns", "exec", &self.namespace(number)].map(str::to_owned).to_vec()
    }

    /// Pulls a node's cable out, or puts it in again.
    fn cable(&self, number: usize, state: &str) {
        ip_ok(&format!("-n {} link set port{number} {state}", self.namespace(0)));
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for number in 0..=3 {
            let _ = ip(&format!("netns del {}", self.namespace(number)));
        }
    }
}

/// Processes that end with this.
#[derive(Default)]
struct Processes(Vec<Child>);

impl Drop for Processes {
    fn drop(&mut self) {
        for child in &mut self.0 {
            if matches!(child.try_wait(), Ok(None)) {
                signal(child, "TERM");
            }
        }
        for child in &mut self.0 {
            let _ = child.wait();
        }
    }
}

struct Cluster {
    // Dropped in this order: first what runs, then where it runs.
    machines: Vec<Processes>,
    _etcd: Processes,
    network: Network,
    sandbox: Sandbox,
}

impl Cluster {
    fn start() -> Option<Self> {
        if !has("etcd") {
            skip("there is no etcd here (Debian: etcd-server)");
            return None;
        }
        let network = Network::start()?;
        // In memory: a disk that is slow to write resets nodes, as it must, and that is not what is tested.
        let mut sandbox = Sandbox::with_room("partition");
        sandbox.inside = network.inside(0);
        let members: Vec<String> = (1..=3).map(|number| format!("m{number}=http://10.77.0.{number}:2380")).collect();
        let mut etcd = Processes::default();
        for number in 1..=3 {
            let address = |port| format!("http://10.77.0.{number}:{port}");
            let directory = sandbox.directory.join(format!("etcd{number}"));
            let words = etcd_words(&format!("m{number}"), &directory, &address(2379), &address(2380), &members);
            let inside = network.inside(number);
            let mut command = Command::new(&inside[0]);
            command.args(&inside[1..]).args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            etcd.0.push(command.spawn().unwrap());
        }
        sandbox.address = "etcd://10.77.0.1:2379,10.77.0.2:2379,10.77.0.3:2379/ha".into();
        wait_for("etcd has a leader", 30, || {
            sandbox.ha(&["init", "--nodes", &NODES.join(","), "--timings", "fast"]).status.success()
        });
        let machines = (0..3).map(|_| Processes::default()).collect();
        let mut cluster = Self { machines, _etcd: etcd, network, sandbox };
        for number in 1..=3 {
            cluster.boot(number);
            let disk = cluster.disk(number);
            let sid = format!("proc:disk{number}");
            cluster.sandbox.guest(&sid, NODES[number - 1], &[env!("CARGO_BIN_EXE_ha"), "demo-disk", &disk]);
            cluster.sandbox.ok(&["add", &sid]);
        }
        Some(cluster)
    }

    fn boot(&mut self, number: usize) {
        let inside = self.network.inside(number);
        let inside: Vec<&str> = inside.iter().map(String::as_str).collect();
        let machine = self.sandbox.machine(NODES[number - 1], &inside);
        self.machines[number - 1] = Processes(vec![machine]);
    }

    fn disk(&self, number: usize) -> String {
        self.sandbox.directory.join(format!("disk{number}")).display().to_string()
    }

    /// How often another writer took a disk over.
    fn writers(&self, number: usize) -> usize {
        let text = fs::read_to_string(self.disk(number)).unwrap_or_default();
        let mut writers: Vec<&str> = text.lines().filter_map(|line| line.split(' ').nth(2)).collect();
        writers.dedup();
        writers.len()
    }

    fn status(&self) -> serde_json::Value {
        serde_json::from_str(&self.sandbox.ok(&["status", "--json"])).unwrap_or_default()
    }

    fn node_of(&self, number: usize) -> String {
        let (sid, status) = (format!("proc:disk{number}"), self.status());
        let service = status["services"].as_array().unwrap().iter().find(|service| service["sid"] == sid.as_str());
        let started = service.filter(|service| service["shown"] == "started");
        started.and_then(|service| service["node"].as_str()).unwrap_or_default().to_owned()
    }

    /// No machine but this one was reset: with one that is left there is no quorum.
    fn assert_others_run(&mut self, number: usize) {
        for (index, machine) in self.machines.iter_mut().enumerate().filter(|(index, _)| index + 1 != number) {
            assert!(machine.0[0].try_wait().unwrap().is_none(), "{} was reset too", NODES[index]);
        }
    }

    /// Numbers rise one by one: nobody else wrote in between, and nothing was lost.
    fn assert_disks_are_clean(&self) {
        for number in 1..=3 {
            let text = fs::read_to_string(self.disk(number)).unwrap();
            let numbers: Vec<usize> =
                text.lines().map(|line| line.split(' ').next().unwrap().parse().unwrap()).collect();
            assert!(numbers.iter().copied().eq(1..=numbers.len()), "two writers of disk {number}");
        }
    }
}

#[test]
fn a_node_that_is_cut_off_resets_itself_and_its_services_come_up_elsewhere() {
    let Some(mut cluster) = Cluster::start() else { return };
    let all_run = |cluster: &Cluster| (1..=3).all(|number| !cluster.node_of(number).is_empty());
    wait_for("services run", 60, || all_run(&cluster));
    wait_for("all nodes are guarded", 60, || cluster.sandbox.all_are_guarded());
    let timings = TimingSettings::fast().validate().unwrap();
    // The master; with `HA_TEST_LONG` also a node that is not.
    let rounds = if std::env::var_os("HA_TEST_LONG").is_some() { 2 } else { 1 };
    for round in 0..rounds {
        let master = cluster.status()["master"]["node"].as_str().unwrap_or_default().to_owned();
        let number = (1..=3).find(|number| (NODES[number - 1] == master) == (round == 0)).unwrap();
        let service = (1..=3).find(|service| cluster.node_of(*service) == NODES[number - 1]).unwrap();
        let writers = cluster.writers(service);
        cluster.network.cable(number, "down");
        let cut = Instant::now();
        wait_for("it resets itself", 30, || cluster.machines[number - 1].0[0].try_wait().unwrap().is_some());
        let reset = cut.elapsed();
        let code = cluster.machines[number - 1].0[0].wait().unwrap().code();
        assert_eq!(code, Some(70), "{}", cluster.sandbox.log_text(NODES[number - 1]));
        wait_for("its service comes up elsewhere", 60, || {
            cluster.assert_others_run(number);
            cluster.writers(service) > writers
        });
        let recovered = cut.elapsed();
        let recovery = timings.recovery();
        let bound = if round == 0 { recovery.longest_with_master } else { recovery.longest };
        eprintln!(
            "{} cut off: reset after {:.1} s, service elsewhere after {:.1} s, at most {:.1} s",
            NODES[number - 1],
            reset.as_secs_f64(),
            recovered.as_secs_f64(),
            bound.as_secs_f64()
        );
        assert!(reset < timings.lock_lifetime(), "{reset:?}");
        assert!(reset < recovered && recovered <= bound, "{recovered:?}, at most {bound:?}");
        wait_for("the cluster says so", 20, || all_run(&cluster));
        assert_ne!(cluster.node_of(service), NODES[number - 1]);

        cluster.network.cable(number, "up");
        cluster.boot(number);
        let sid = format!("proc:disk{service}");
        wait_for("it is online again", 60, || {
            cluster.sandbox.ha(&["relocate", &sid, NODES[number - 1]]).status.success()
        });
        wait_for("it runs services again", 60, || cluster.node_of(service) == NODES[number - 1]);
    }
    cluster.assert_disks_are_clean();
}
