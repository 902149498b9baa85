//! The server as a unit of systemd: it says when it listens, and how much each line of its log matters.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::{
    fs::{self, File},
    os::unix::{fs::MetadataExt, net::UnixDatagram},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use ha_core::{id::NodeName, timing::Timings};
use ha_host::store::{ClusterSettings, FileStore};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// What is told next.
fn told(manager: &UnixDatagram) -> String {
    let mut bytes = [0; 4096];
    let length = manager.recv(&mut bytes).expect("something is told");
    String::from_utf8(bytes[..length].to_vec()).unwrap()
}

#[test]
fn it_is_ready_when_it_listens_and_says_how_much_a_line_matters() {
    let directory = std::env::temp_dir().join(format!("ha-web-unit-{}", std::process::id()));
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir(&directory).unwrap();
    let settings = ClusterSettings { nodes: vec![NodeName::new("node1").unwrap()], timings: Timings::default() };
    FileStore::create(directory.join("store"), &settings).unwrap();
    let manager = UnixDatagram::bind(directory.join("notify")).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let journal = File::create(directory.join("journal")).unwrap();
    let known = journal.metadata().unwrap();
    let socket = directory.join("web.socket");
    let mut server = Command::new(env!("CARGO_BIN_EXE_ha-web"))
        .args(["web", "--no-notify", "--listen", &format!("unix:{}", socket.display())])
        .env("HA_STORE", format!("file:{}", directory.join("store").display()))
        .env("HA_STATE_DIR", directory.join("state"))
        .env("NOTIFY_SOCKET", directory.join("notify"))
        .env("JOURNAL_STREAM", format!("{}:{}", known.dev(), known.ino()))
        .stdout(journal)
        .spawn()
        .unwrap();
    let ready = told(&manager);
    assert!(socket.exists(), "it listens by then");
    assert!(ready.contains("READY=1\n"), "{ready}");
    assert!(ready.contains(&format!("STATUS=listening on unix:{}", socket.display())), "{ready}");
    // It says so to systemd first.
    let written = || fs::read_to_string(directory.join("journal")).unwrap();
    let until = Instant::now() + Duration::from_secs(20);
    while written().is_empty() && Instant::now() < until {
        thread::sleep(Duration::from_millis(10));
    }
    kill(Pid::from_raw(server.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
    assert!(told(&manager).contains("STOPPING=1\n"));
    assert!(server.wait().unwrap().success());
    let log = written();
    assert!(log.starts_with("<6>") && log.contains("web: listening on"), "{log}");
    fs::remove_dir_all(directory).unwrap();
}
