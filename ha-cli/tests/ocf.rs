//! Services that a resource agent runs: one of the test's own, in each way that it can answer, and Debian's.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr)]

mod common;

use std::{fs, os::unix::fs::PermissionsExt, path::Path, time::Duration};

use common::{Sandbox, processes_with, skip, wait_for};
use ha_core::{
    host::ProbeProgress,
    id::{NodeName, ServiceId},
};
use ha_host::agents::{GuestAgent, Launcher, OcfAgent, OcfGuest};

/// Says what it was told to by the file `says`, and notes each action with its environment. `start` leaves a process.
const AGENT: &str = r#"#!/bin/sh
echo "$1" >> PLACE/actions
env > "PLACE/env-$1"
. PLACE/says
case $1 in
meta-data) echo '<resource-agent name="db"><parameters/><actions><action name="'"${role:-start}"'"/></actions></resource-agent>';;
monitor) echo "the last line"; [ -e PLACE/runs ] || exit 7; exit ${monitor:-0};;
validate-all) exit ${validate:-0};;
start) touch PLACE/runs; sleep 1000.5 & exit ${start:-0};;
stop) rm -f PLACE/runs; exec ${stop:-true};;
esac
"#;

struct Bench {
    sandbox: Sandbox,
    agent: OcfAgent,
    guest: OcfGuest,
}

fn sid() -> ServiceId {
    ServiceId::new("ocf:db").unwrap()
}

fn program(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

impl Bench {
    fn new(name: &str) -> Self {
        let sandbox = Sandbox::empty(name);
        let folder = sandbox.directory.join("resource.d/own");
        fs::create_dir_all(&folder).unwrap();
        program(&folder.join("db"), &AGENT.replace("PLACE", &sandbox.directory.display().to_string()));
        let node = NodeName::new("node1").unwrap();
        let launcher = Launcher::new(env!("CARGO_BIN_EXE_ha"));
        let agent = OcfAgent::new(node, &sandbox.directory.join("run"), &sandbox.directory, launcher);
        let guest = serde_json::from_value(serde_json::json!({
            "agent": "own:db", "parameters": {"port": "5432"}, "timeouts": {"start": 20, "stop": 3, "monitor": 20}
        }));
        let bench = Self { sandbox, agent, guest: guest.unwrap() };
        bench.says("");
        bench
    }

    fn says(&self, variables: &str) {
        fs::write(self.sandbox.directory.join("says"), variables).unwrap();
    }

    fn actions(&self) -> Vec<String> {
        let path = self.sandbox.directory.join("actions");
        let text = fs::read_to_string(&path).unwrap_or_default();
        let _ = fs::remove_file(path);
        text.lines().map(str::to_owned).collect()
    }

    fn is_running(&self) -> Result<bool, String> {
        self.agent.is_running(&sid(), &self.guest).map_err(|error| error.to_string())
    }

    fn start(&self) -> Result<(), String> {
        self.agent.start(&sid(), &self.guest, None).map_err(|error| error.to_string())
    }

    fn stop(&self, timeout: Option<u32>) -> Result<(), String> {
        self.agent.stop(&sid(), &self.guest, timeout).map_err(|error| error.to_string())
    }

    fn left(&self) -> bool {
        self.agent.has_left(&sid()).unwrap()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = self.agent.end_left(&sid());
    }
}

#[test]
fn a_service_is_started_watched_and_stopped_and_what_it_leaves_is_ended() {
    let bench = Bench::new("ocf-life");
    assert_eq!(bench.is_running(), Ok(false));
    bench.start().unwrap();
    assert_eq!(bench.is_running(), Ok(true));
    assert_eq!(bench.actions(), ["monitor", "meta-data", "validate-all", "start", "monitor"]);
    bench.stop(None).unwrap();
    assert!(bench.left(), "its stop has left a process");
    assert_eq!(bench.is_running(), Ok(false));
    assert!(!bench.left(), "nothing of it may touch what another node works with");
    bench.start().unwrap();
    bench.stop(Some(0)).unwrap();
    assert!(!bench.left(), "a stop at once ends its processes itself");
}

#[test]
fn only_what_says_so_runs_or_does_not() {
    let bench = Bench::new("ocf-codes");
    bench.start().unwrap();
    for (code, runs) in [(0, Some(true)), (8, Some(true)), (7, Some(false))] {
        bench.says(&format!("monitor={code}"));
        assert_eq!(bench.is_running().ok(), runs, "{code}");
    }
    for code in [1, 2, 3, 4, 5, 6, 9, 127] {
        bench.says(&format!("monitor={code}"));
        let error = bench.is_running().unwrap_err();
        assert!(error.contains(&format!("exit code {code}")) && error.contains("the last line"), "{error}");
    }
}

#[test]
fn what_its_agent_refuses_is_not_started() {
    let bench = Bench::new("ocf-refused");
    bench.says("validate=6");
    let error = bench.start().unwrap_err();
    assert!(error.contains("validate-all: exit code 6, a parameter is missing or wrong"), "{error}");
    assert_eq!(bench.actions(), ["meta-data", "validate-all"]);
    bench.says("role=promote");
    assert!(bench.start().unwrap_err().contains("several roles"));
    assert_eq!(bench.actions(), ["meta-data"]);
    bench.says("validate=3; start=1");
    assert!(bench.start().unwrap_err().contains("failed to start: exit code 1"));
    assert_eq!(bench.actions(), ["meta-data", "validate-all", "start"]);
}

#[test]
fn an_action_finds_its_parameters_and_nothing_of_the_daemons_environment() {
    let bench = Bench::new("ocf-environment");
    bench.start().unwrap();
    let text = fs::read_to_string(bench.sandbox.directory.join("env-start")).unwrap();
    let has = |line: &str| text.lines().any(|found| found == line);
    for line in [
        "OCF_RESKEY_port=5432",
        "OCF_RESKEY_CRM_meta_timeout=20000",
        "OCF_RESKEY_CRM_meta_interval=0",
        "OCF_RESOURCE_INSTANCE=ocf_db",
        "OCF_RESOURCE_TYPE=db",
        "OCF_RESOURCE_PROVIDER=own",
        "LC_ALL=C",
        "HA_NODE=node1",
    ] {
        assert!(has(line), "{line} is not in {text}");
    }
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some() && !text.contains("CARGO"), "{text}");
}

#[test]
fn an_action_that_hangs_is_killed_with_all_that_it_has_started() {
    let bench = Bench::new("ocf-hangs");
    bench.start().unwrap();
    let hanging = bench.sandbox.directory.join("hangs");
    // What it starts has its name too.
    program(&hanging, "#!/bin/sh\ntail -f \"$0\" & wait\n");
    bench.says(&format!("stop={}", hanging.display()));
    let error = bench.stop(Some(1)).unwrap_err();
    assert!(error.contains("'stop' of ocf:db took longer than 1 s and was killed"), "{error}");
    wait_for("its end", 10, || processes_with(&hanging).is_empty());
}

#[test]
fn a_service_is_ready_when_its_monitor_says_that_it_runs() {
    let bench = Bench::new("ocf-ready");
    let ready = || bench.agent.ready(&sid(), &bench.guest, Duration::from_secs(20)).map_err(|error| error.to_string());
    assert_eq!(ready(), Err("monitor: exit code 7, it does not run: \"the last line\"".into()));
    bench.start().unwrap();
    assert_eq!(ready(), Ok(ProbeProgress::Ready));
    bench.says("monitor=1");
    assert_eq!(ready(), Err("monitor: exit code 1, it failed: \"the last line\"".into()));
}

#[test]
fn an_agent_of_debian_runs_on_a_real_node_and_is_found_dead() {
    if !Path::new("/usr/lib/ocf/resource.d/heartbeat/Dummy").exists() {
        return skip("resource-agents are not installed");
    }
    let sandbox = Sandbox::new("ocf-real", "node1", "fast");
    let mut node = sandbox.node("node1");
    let state = sandbox.directory.join("dummy-state");
    let parameter = format!("state={}", state.display());
    let definition = sandbox.ok(&["agents", "new", "heartbeat:Dummy", &parameter, "--on", "node1"]);
    let file = sandbox.directory.join("guest.json");
    fs::write(&file, &definition).unwrap();
    sandbox.ok(&["guest", "set", "ocf:dummy", file.to_str().unwrap()]);
    sandbox.ok(&["add", "ocf:dummy", "--probe", "agent", "--probe-interval", "1"]);
    wait_for("a service that is ready", 60, || sandbox.shown("ocf:dummy") == "started" && state.exists());
    // Somebody takes it away.
    fs::remove_file(&state).unwrap();
    wait_for("its start", 60, || state.exists());
    sandbox.ok(&["stop", "ocf:dummy", "--wait=60"]);
    assert!(!state.exists());
    fs::write(&file, definition.replace("\"state\"", "\"sate\"")).unwrap();
    let refused = sandbox.fails(2, &["guest", "set", "ocf:dummy", file.to_str().unwrap()]);
    assert!(refused.contains("there is no parameter 'sate'; did you mean 'state'?"), "{refused}");
    node.kill().unwrap();
    node.wait().unwrap();
}
