//! The page of the demonstration: the cluster in a browser, while things happen to it.

use std::{
    fs::{self, File},
    io::{self, IsTerminal, Read},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::channel,
    thread,
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

use super::cluster::Cluster;
use crate::context::Failure;

/// Who may log in.
const USER: &str = "demo@local";
/// It needs no longer to begin unless something is wrong.
const PATIENCE: Duration = Duration::from_secs(20);
/// A person looks no longer without a word.
const LONGEST_LOOK: Duration = Duration::from_secs(24 * 3600);

/// A server of the page. It ends with it.
pub(super) struct Page {
    server: Child,
    url: String,
    password: String,
}

impl Page {
    /// Serves the page of a cluster, with a user who may do all.
    pub(super) fn serve(cluster: &mut Cluster, listen: &str) -> Result<Self, Failure> {
        let password = password()?;
        let secret = cluster.directory.join("password");
        fs::write(&secret, &password)?;
        let user = ["user", "add", USER, "--role", "admin", "--password-file"];
        cluster.ha(&[&user[..], &[&secret.display().to_string()]].concat())?;
        fs::remove_file(&secret)?;
        let said = cluster.directory.join("web.log");
        let log = File::create(&said)?;
        let program = std::env::current_exe()?;
        // A machine of its own ends with whoever has started it, however that ends.
        let server = Command::new(&program)
            .args(["supervise", "--timings", "fast", "--socket"])
            .arg(cluster.directory.join("web.watchdog"))
            .arg("--")
            .arg(&program)
            .args(["--store", cluster.address(), "--state-dir"])
            .arg(cluster.directory.join("state"))
            .args(["web", "--plain", "--log", "json", "--listen", listen])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let mut page = Self { server, url: String::new(), password };
        let server = &mut page.server;
        page.url = cluster.wait_for("the page is served", PATIENCE, |_| match (url(&said), server.try_wait()?) {
            (Some(url), _) => Ok(Some(url)),
            (None, None) => Ok(None),
            (None, Some(_)) => {
                let why = fs::read_to_string(&said).unwrap_or_default();
                Err(Failure::Failed(format!("the page is not served: {}", why.trim())))
            }
        })?;
        Ok(page)
    }

    /// Where it is, and who may log in.
    pub(super) fn text(&self) -> String {
        format!("{}  (user {USER}, password {})", self.url, self.password)
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        if let Ok(id) = i32::try_from(self.server.id()) {
            let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
        }
        let _ = self.server.wait();
    }
}

/// The address that the server has said.
fn url(said: &Path) -> Option<String> {
    let text = fs::read_to_string(said).ok()?;
    let url = |line: &str| {
        let line: Value = serde_json::from_str(line).ok()?;
        line.get("url")?.as_str().map(str::to_owned)
    };
    text.lines().find_map(url)
}

fn password() -> io::Result<String> {
    let mut bytes = [0; 8];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Waits until a person presses Enter. Where nobody sits at a terminal there is nobody to wait for.
pub(super) fn wait_for_person(cluster: &mut Cluster) -> Result<(), Failure> {
    if !io::stdin().is_terminal() {
        return Ok(());
    }
    let (sender, pressed) = channel();
    thread::spawn(move || {
        let mut line = String::new();
        let _ = io::stdin().read_line(&mut line);
        let _ = sender.send(());
    });
    cluster.wait_for("somebody presses Enter", LONGEST_LOOK, |_| Ok(pressed.try_recv().ok()))
}
