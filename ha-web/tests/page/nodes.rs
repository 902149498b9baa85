//! A cluster of real node processes on this machine, and a server of its page.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, Once},
};

use ha_core::timing::TimingSettings;
use serde_json::{Value, json};

use super::browser::Browser;

pub(crate) const USER: &str = "alice@local";
pub(crate) const PASSWORD: &str = "correct horse";

/// A cluster. Its nodes end with it.
pub(crate) struct Cluster {
    folder: PathBuf,
    nodes: Mutex<Vec<(String, Child)>>,
    server: Mutex<Option<Child>>,
    pub(crate) url: String,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop_server();
        for (_, mut node) in self.nodes.get_mut().unwrap().drain(..) {
            end(&mut node);
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Ends a process and all that it has started, as it would by itself when it is asked to.
pub(crate) fn end(process: &mut Child) {
    let _ = Command::new("kill").arg(process.id().to_string()).status();
    let _ = process.wait();
}

/// The programs, which are beside each other.
pub(crate) fn program(name: &str) -> PathBuf {
    static BUILT: Once = Once::new();
    let program = Path::new(env!("CARGO_BIN_EXE_ha-web")).with_file_name(name);
    // Cargo builds only the programs of the crate that is tested.
    BUILT.call_once(|| {
        if !program.with_file_name("ha").exists() {
            let built = Command::new(env!("CARGO")).args(["build", "--quiet", "-p", "ha-cli"]).status().unwrap();
            assert!(built.success());
        }
    });
    program
}

/// The fast timings times three: a busy machine must not reset nodes of a test.
fn timings() -> Value {
    let mut settings = serde_json::to_value(TimingSettings::fast()).unwrap();
    for (_, value) in settings.as_object_mut().unwrap().iter_mut().filter(|(name, _)| name.ends_with("_s")) {
        *value = json!((value.as_f64().unwrap() * 3000.0).round() / 1000.0);
    }
    settings
}

impl Cluster {
    /// With services, each with the node where it begins and what it runs.
    pub(crate) fn start(name: &str, nodes: &[&str], services: &[(&str, &str, &str)]) -> Self {
        let folder = std::env::temp_dir().join(format!("ha-page-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("timings"), timings().to_string()).unwrap();
        let mut cluster = Self { folder, nodes: Mutex::default(), server: Mutex::default(), url: String::new() };
        let timings = cluster.folder.join("timings").display().to_string();
        cluster.ha(&["init", "--nodes", &nodes.join(","), "--timings", &timings]);
        for (sid, node, command) in services {
            let command: Vec<&str> = command.split(' ').collect();
            let guest = json!({"node": node, "agent": {"proc": {"command": command, "grace_s": 1}}});
            cluster.ha_with(&["guest", "set", sid, "-"], &guest.to_string());
            cluster.ha(&["add", sid, "--comment", &format!("{} of the north", sid.split(':').next_back().unwrap())]);
        }
        for node in nodes {
            cluster.power_on(node);
        }
        cluster.ha_with(&["user", "add", USER, "--role", "admin", "--password-file", "-"], PASSWORD);
        cluster.url = cluster.serve("127.0.0.1:0");
        cluster
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(program(name));
        command
            .env("HA_STORE", format!("file:{}", self.folder.join("store").display()))
            .env("HA_STATE_DIR", self.folder.join("state"))
            .env("HA_NODE", "node1");
        command
    }

    /// Runs `ha`, and gives what it says.
    #[track_caller]
    pub(crate) fn ha(&self, arguments: &[&str]) -> String {
        self.ha_with(arguments, "")
    }

    #[track_caller]
    pub(crate) fn ha_with(&self, arguments: &[&str], input: &str) -> String {
        let mut command = self.command("ha");
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        process.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = process.wait_with_output().unwrap();
        assert!(output.status.success(), "ha {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn power_on(&self, node: &str) {
        let home = self.folder.join(node);
        fs::create_dir_all(&home).unwrap();
        // A machine that was off has an empty /run.
        let _ = fs::remove_dir_all(home.join("run"));
        let socket = home.join("watchdog").display().to_string();
        let log = fs::OpenOptions::new().append(true).create(true).open(home.join("log")).unwrap();
        let mut command = self.command("ha");
        let timings = self.folder.join("timings").display().to_string();
        command.args(["supervise", "--timings", &timings, "--socket", &socket, "--"]).arg(program("ha"));
        command.args(["--node", node, "node", "run", "--watchdog", &format!("mux:{socket}"), "--run-dir"]);
        command.arg(home.join("run")).arg("--state-dir").arg(home.join("state"));
        let process = command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        self.nodes.lock().unwrap().push((node.to_owned(), process));
    }

    /// Ends all processes of a node at once.
    pub(crate) fn cut_power(&self, node: &str) {
        let mut nodes = self.nodes.lock().unwrap();
        let position = nodes.iter().position(|(name, _)| name == node).unwrap();
        end(&mut nodes.remove(position).1);
    }

    /// Serves the page, and gives its address.
    pub(crate) fn serve(&self, address: &str) -> String {
        let mut command = self.command("ha-web");
        command.args(["web", "--plain", "--log", "json", "--listen", address]).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let url = lines.by_ref().map(Result::unwrap).find_map(|line| {
            let line: Value = serde_json::from_str(&line).unwrap();
            line["url"].as_str().map(str::to_owned)
        });
        // Its log must go somewhere.
        std::thread::spawn(move || lines.for_each(drop));
        *self.server.lock().unwrap() = Some(process);
        url.unwrap()
    }

    pub(crate) fn stop_server(&self) {
        if let Some(mut server) = self.server.lock().unwrap().take() {
            end(&mut server);
        }
    }

    /// Serves again where it was served before.
    pub(crate) fn serve_again(&self) {
        let address = self.url.trim_start_matches("http://").trim_end_matches('/');
        self.serve(address);
    }

    /// Opens the page as somebody who logs in.
    #[track_caller]
    pub(crate) fn open(&self, browser: &Browser) {
        log_in(browser, &self.url, USER, PASSWORD);
    }
}

/// Opens a page, and logs in.
#[track_caller]
pub(crate) fn log_in(browser: &Browser, url: &str, user: &str, password: &str) {
    browser.open(url);
    browser.fill("#user", user);
    browser.fill("#password", password);
    browser.click("form button[type=submit]");
    browser.wait("document.querySelector('.columns, .crowd, .is-verdict-off') && true");
}
