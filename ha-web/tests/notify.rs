//! Notifications, to real receivers: a small HTTP server, a program, and a mail server.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::string_slice
)]

mod common;

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use common::Cluster;
use ha_core::{
    event::Event,
    history::{Entry, EntryId, Source},
    id::{NodeName, ServiceTypes, TargetId},
};
use ha_host::store::SideFile;
use ha_web::{
    notify::{NotifyState, Sender, SenderSettings},
    server::Log,
};
use serde_json::Value;

fn node(name: &str) -> NodeName {
    NodeName::new(name).unwrap()
}

fn target(name: &str) -> TargetId {
    TargetId::new(name).unwrap()
}

/// Waits until something is so.
#[track_caller]
fn wait_for(what: &str, mut look: impl FnMut() -> bool) {
    let began = Instant::now();
    while !look() {
        assert!(began.elapsed() < Duration::from_secs(60), "waited in vain: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

fn master(cluster: &Cluster, name: &str) {
    let status = cluster.directory.join("status");
    fs::create_dir_all(&status).unwrap();
    fs::write(status.join("new"), format!(r#"{{"master_node":"{name}","timestamp":1}}"#)).unwrap();
    fs::rename(status.join("new"), status.join("manager.json")).unwrap();
}

fn configure(cluster: &Cluster, text: &str) {
    cluster.store.edit_side_file(SideFile::NotifyConfig, &mut |_| Some(text.as_bytes().to_vec())).unwrap();
}

fn sender(cluster: &Cluster, name: &str) -> Sender {
    let settings = SenderSettings::new(cluster.store.clone(), ServiceTypes::default(), node(name), Log::none());
    let (look_interval, first_pause) = (Duration::from_millis(10), Duration::from_millis(20));
    Sender::start(SenderSettings { look_interval, first_pause, ..settings }).unwrap()
}

fn stop(sender: Sender) {
    sender.stop(Duration::from_secs(30));
}

/// Waits until a sender knows its targets: what happens from then on is told.
fn ready(cluster: &Cluster, targets: usize) {
    let known = || NotifyState::read(&*cluster.store).unwrap().targets.len();
    wait_for("the targets are known", || known() == targets);
}

/// A service fails.
fn fails(cluster: &Cluster, number: u64) {
    let event = Event::ServiceInError { sid: format!("vm:{}", 100 + number).parse().unwrap() };
    happens(cluster, number, event);
}

fn happens(cluster: &Cluster, number: u64, event: Event) {
    let id = EntryId::of_node(&node("node1"), 1, number);
    let entry = Entry::new(id, 1_795_983_430_250, node("node1"), Source::Crm, event.into());
    cluster.store.append_history(&[entry.to_json()]).unwrap();
}

/// What a receiver got.
#[derive(Debug, Clone)]
struct Got {
    head: String,
    body: String,
}

impl Got {
    /// The number of the entry.
    fn number(&self) -> u64 {
        let body: Value = serde_json::from_str(&self.body).unwrap();
        body["id"].as_str().unwrap().rsplit('.').next().unwrap().parse().unwrap()
    }
}

/// An HTTP server, which answers with the next of these statuses, or with 200.
struct Receiver {
    url: String,
    got: Arc<Mutex<Vec<Got>>>,
    statuses: Arc<Mutex<Vec<u16>>>,
}

impl Receiver {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook?secret-part", listener.local_addr().unwrap());
        let (got, statuses) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
        let receiver = Self { url, got: got.clone(), statuses: statuses.clone() };
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = BufReader::new(stream.unwrap());
                let Some(request) = read_request(&mut stream) else { continue };
                got.lock().unwrap().push(request);
                let mut statuses = statuses.lock().unwrap();
                let status = if statuses.is_empty() { 200 } else { statuses.remove(0) };
                let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                let _ = stream.get_mut().write_all(answer.as_bytes());
            }
        });
        receiver
    }

    fn target(&self, name: &str, more: &str) -> String {
        format!("webhook: {name}\n\turl {}\n{more}\n", self.url)
    }

    fn numbers(&self) -> Vec<u64> {
        self.got.lock().unwrap().iter().map(Got::number).collect()
    }
}

fn read_request(stream: &mut BufReader<TcpStream>) -> Option<Got> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).ok()?;
    Some(Got { head, body: String::from_utf8(body).unwrap() })
}

#[test]
fn a_webhook_is_told_of_what_it_wants_signed() {
    let cluster = Cluster::new();
    master(&cluster, "node1");
    let secret = cluster.directory.join("hook.secret");
    fs::write(&secret, "Jefe\n").unwrap();
    fs::set_permissions(&secret, PermissionsExt::from_mode(0o600)).unwrap();
    let receiver = Receiver::start();
    fails(&cluster, 1);
    configure(&cluster, &receiver.target("chat", &format!("\tsecret-file {}\n\tservices vm:102\n", secret.display())));
    let sender = sender(&cluster, "node1");
    ready(&cluster, 1);
    happens(&cluster, 9, Event::Rearmed);
    fails(&cluster, 3);
    fails(&cluster, 2);
    wait_for("it is told", || !receiver.got.lock().unwrap().is_empty());
    stop(sender);
    let got = receiver.got.lock().unwrap().clone();
    assert_eq!(got.len(), 1, "nothing from before, nothing else: {got:?}");
    let body: Value = serde_json::from_str(&got[0].body).unwrap();
    assert_eq!((body["id"].as_str(), body["sid"].as_str()), (Some("node1.1.2"), Some("vm:102")));
    assert!(body["person_does"].as_str().unwrap().contains("ha cleanup vm:102"), "{body}");
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"Jefe");
    let signature = got[0].head.lines().find_map(|line| line.strip_prefix("ha-signature: sha256=")).unwrap();
    let bytes: Vec<u8> =
        (0..signature.len()).step_by(2).map(|at| u8::from_str_radix(&signature[at..at + 2], 16).unwrap()).collect();
    ring::hmac::verify(&key, got[0].body.as_bytes(), &bytes).unwrap();
    assert!(got[0].head.contains("ha-notification-id: node1.1.2"), "{}", got[0].head);
}

#[test]
fn who_fails_is_told_again_and_who_refuses_is_passed_over() {
    let cluster = Cluster::new();
    master(&cluster, "node1");
    let receiver = Receiver::start();
    configure(&cluster, &receiver.target("chat", ""));
    let sender = sender(&cluster, "node1");
    ready(&cluster, 1);
    receiver.statuses.lock().unwrap().extend([500, 503, 200, 400, 400, 400]);
    fails(&cluster, 1);
    wait_for("it is told in the end", || receiver.numbers() == [1, 1, 1]);
    fails(&cluster, 2);
    wait_for("it has refused", || receiver.numbers() == [1, 1, 1, 2, 2, 2]);
    fails(&cluster, 3);
    wait_for("it is told what comes after", || receiver.numbers() == [1, 1, 1, 2, 2, 2, 3]);
    stop(sender);
    let state = NotifyState::read(&*cluster.store).unwrap();
    let chat = state.targets.values().next().unwrap();
    assert_eq!((chat.told, chat.passed_over, &chat.failing, &state.sender), (3, 1, &None, &None));
}

#[test]
fn one_that_hangs_delays_no_other() {
    let cluster = Cluster::new();
    master(&cluster, "node1");
    let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
    let receiver = Receiver::start();
    let hook = format!("webhook: hung\n\turl http://{}/\n\n", hanging.local_addr().unwrap());
    configure(&cluster, &(hook + &receiver.target("chat", "")));
    let sender = sender(&cluster, "node1");
    ready(&cluster, 2);
    fails(&cluster, 1);
    let (held, _) = hanging.accept().unwrap();
    for number in 2..=4 {
        fails(&cluster, number);
        wait_for("the other is told", || receiver.numbers() == (1..=number).collect::<Vec<_>>());
    }
    let state = NotifyState::read(&*cluster.store).unwrap();
    assert_eq!(state.targets[&target("hung")].told, 0, "it is not told, and will be");
    drop(held);
    stop(sender);
}

#[test]
fn a_change_of_master_loses_nothing_and_says_nothing_twice() {
    let cluster = Cluster::new();
    master(&cluster, "node1");
    let receiver = Receiver::start();
    configure(&cluster, &receiver.target("chat", ""));
    let (first, second) = (sender(&cluster, "node1"), sender(&cluster, "node2"));
    ready(&cluster, 1);
    fails(&cluster, 1);
    wait_for("the first is told", || receiver.numbers() == [1]);
    // It dies with something left to be told.
    stop(first);
    fails(&cluster, 2);
    master(&cluster, "node2");
    fails(&cluster, 3);
    wait_for("the other master goes on", || receiver.numbers() == [1, 2, 3]);
    let again = sender(&cluster, "node1");
    fails(&cluster, 4);
    wait_for("the master alone tells", || receiver.numbers() == [1, 2, 3, 4]);
    // What is told and not yet noted is told again: that is promised to be seldom, not never.
    let noted = || NotifyState::read(&*cluster.store).unwrap().targets[&target("chat")].told;
    wait_for("it is noted", || noted() == 4);
    master(&cluster, "node1");
    let sender_of = || NotifyState::read(&*cluster.store).unwrap().sender.map(|sender| sender.node);
    wait_for("the next takes over", || sender_of() == Some(node("node1")));
    fails(&cluster, 5);
    wait_for("and so does the next", || receiver.numbers().len() >= 5);
    stop(second);
    stop(again);
    assert_eq!(receiver.numbers(), [1, 2, 3, 4, 5]);
}

#[test]
fn of_two_processes_of_the_master_one_tells() {
    let cluster = Cluster::new();
    master(&cluster, "node1");
    let receiver = Receiver::start();
    configure(&cluster, &receiver.target("chat", ""));
    let one = sender(&cluster, "node1");
    ready(&cluster, 1);
    let other = sender(&cluster, "node1");
    (1..=5).for_each(|number| fails(&cluster, number));
    wait_for("all is told", || receiver.numbers().len() >= 5);
    stop(one);
    fails(&cluster, 6);
    wait_for("the other goes on", || receiver.numbers().contains(&6));
    stop(other);
    assert_eq!(receiver.numbers(), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn a_program_gets_it_on_its_standard_input() {
    let cluster = Cluster::new();
    master(&cluster, "node1");
    let told: PathBuf = cluster.directory.join("told");
    configure(&cluster, &format!("command: run\n\tprogram /bin/sh -c 'cat >> {}'\n\n", told.display()));
    let sender = sender(&cluster, "node1");
    ready(&cluster, 1);
    fails(&cluster, 1);
    fails(&cluster, 2);
    let lines = || fs::read_to_string(&told).unwrap_or_default().lines().map(str::to_owned).collect::<Vec<_>>();
    wait_for("it has run", || lines().len() == 2);
    stop(sender);
    let second: Value = serde_json::from_str(&lines()[1]).unwrap();
    assert_eq!(second["sid"], "vm:102");
}

/// A mail server that takes what it is given.
fn mail_server() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mails = Arc::new(Mutex::new(Vec::new()));
    let kept = mails.clone();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            stream.get_mut().write_all(b"220 here\r\n").unwrap();
            let (mut said, mut is_data) = (String::new(), false);
            loop {
                let mut line = String::new();
                if stream.read_line(&mut line).unwrap() == 0 {
                    break;
                }
                said += &line;
                let answer = match line.trim_end() {
                    "." if is_data => {
                        is_data = false;
                        "250 taken"
                    }
                    _ if is_data => continue,
                    "DATA" => {
                        is_data = true;
                        "354 go on"
                    }
                    "QUIT" => "221 bye",
                    line if line.starts_with("EHLO ") => "250-here\r\n250 AUTH PLAIN",
                    line if line.starts_with("AUTH ") => "235 welcome",
                    _ => "250 ok",
                };
                stream.get_mut().write_all(format!("{answer}\r\n").as_bytes()).unwrap();
                if answer.starts_with("221") {
                    break;
                }
            }
            kept.lock().unwrap().push(said);
        }
    });
    (address, mails)
}

#[test]
fn one_mail_tells_all_that_is_new() {
    let cluster = Cluster::new();
    master(&cluster, "node1");
    let (server, mails) = mail_server();
    let password = cluster.directory.join("mail.password");
    fs::write(&password, "open sesame").unwrap();
    fs::set_permissions(&password, PermissionsExt::from_mode(0o640)).unwrap();
    let more = format!("\tsecurity none\n\tuser ha\n\tpassword-file {}\n", password.display());
    let text = format!("smtp: mail\n\tserver {server}\n\tfrom ha@a.example\n\tto x@b.example y@c.example\n{more}\n");
    configure(&cluster, &text);
    // The targets are known before it happens, and it happens before anybody tells.
    let known = sender(&cluster, "node1");
    ready(&cluster, 1);
    stop(known);
    (1..=3).for_each(|number| fails(&cluster, number));
    let sender = sender(&cluster, "node1");
    wait_for("the mail is there", || !mails.lock().unwrap().is_empty());
    stop(sender);
    let said = mails.lock().unwrap()[0].clone();
    for line in
        ["MAIL FROM:<ha@a.example>", "RCPT TO:<x@b.example>", "RCPT TO:<y@c.example>", "Message-ID: <node1.1.1@ha>"]
    {
        assert!(said.lines().any(|found| found == line), "{line} is not in {said}");
    }
    let login = said.lines().find_map(|line| line.strip_prefix("AUTH PLAIN ")).unwrap();
    assert_eq!(STANDARD.decode(login).unwrap(), b"\0ha\0open sesame");
    let body: String = said.split("\r\n\r\n").nth(1).unwrap().lines().take_while(|line| *line != ".").collect();
    let text = String::from_utf8(STANDARD.decode(body).unwrap()).unwrap();
    for sid in ["vm:101", "vm:102", "vm:103"] {
        assert!(text.contains(&format!("ha cleanup {sid}")), "{text}");
    }
    assert_eq!(mails.lock().unwrap().len(), 1);
}

#[test]
fn a_secret_that_everybody_can_read_is_not_used_and_no_failure_shows_one() {
    let cluster = Cluster::new();
    master(&cluster, "node1");
    let secret = cluster.directory.join("hook.secret");
    fs::write(&secret, "hush").unwrap();
    fs::set_permissions(&secret, PermissionsExt::from_mode(0o644)).unwrap();
    let receiver = Receiver::start();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let gone = format!("webhook: gone\n\turl http://{closed}/secret-part\n\n");
    configure(&cluster, &(receiver.target("chat", &format!("\tsecret-file {}\n", secret.display())) + &gone));
    let sender = sender(&cluster, "node1");
    ready(&cluster, 2);
    fails(&cluster, 1);
    let failing = |name: &str| {
        let state = NotifyState::read(&*cluster.store).unwrap();
        state.targets[&target(name)].failing.clone().unwrap_or_default()
    };
    wait_for("both fail", || !failing("chat").is_empty() && !failing("gone").is_empty());
    stop(sender);
    assert!(failing("chat").contains("chmod 600"), "{}", failing("chat"));
    assert!(failing("gone").contains("can't be reached"), "{}", failing("gone"));
    assert!(!failing("gone").contains("secret-part") && !failing("chat").contains("hush"));
    assert!(receiver.got.lock().unwrap().is_empty());
}

/// What `ha notify` says, and whether it ended well.
fn notify(cluster: &Cluster, arguments: &[&str]) -> (bool, String, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_ha-web"));
    command.arg("notify").args(arguments).env("HA_NODE", "node1");
    command.env("HA_STORE", format!("file:{}", cluster.directory.display()));
    command.env("HA_STATE_DIR", cluster.directory.join("state"));
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_command_sets_shows_lists_and_tests_targets() {
    let cluster = Cluster::new();
    let receiver = Receiver::start();
    let file = cluster.directory.join("new.cfg");
    let set = |text: &str| {
        fs::write(&file, text).unwrap();
        notify(&cluster, &["set", file.to_str().unwrap()])
    };
    let (is_done, _, complaint) = set("webhook: chat\n\turl http://far.example/\n\tcolour blue\n\n");
    assert!(!is_done && complaint.contains("http:// is for this machine alone"), "{complaint}");
    assert!(complaint.contains("colour") && complaint.contains("nothing was changed"), "{complaint}");
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let text = format!("{}webhook: gone\n\turl http://{closed}/\n\tdisable 1\n\n", receiver.target("chat", ""));
    let (is_done, _, complaint) = set(&text);
    assert!(is_done, "{complaint}");
    assert_eq!(notify(&cluster, &["show"]).1, text);

    let (is_done, told, _) = notify(&cluster, &["test"]);
    assert!(is_done, "{told}");
    assert_eq!(told, "chat: told\n", "one that is disabled is tested by its name alone");
    let body: Value = serde_json::from_str(&receiver.got.lock().unwrap()[0].body).unwrap();
    assert_eq!(body["what"], "this is a test of notifications from node1");
    let (is_done, told, _) = notify(&cluster, &["test", "gone"]);
    assert!(!is_done && told.starts_with("gone: failed: it can't be reached"), "{told}");
    assert!(!notify(&cluster, &["test", "nobody"]).0);

    let (is_done, told, _) = notify(&cluster, &["list"]);
    assert!(is_done && told.lines().count() == 2, "{told}");
    assert!(told.contains("not told anything yet") && told.contains("disabled"), "{told}");
    assert!(!told.contains("secret-part"), "an address may hold a secret: {told}");
    let listed: Value = serde_json::from_str(&notify(&cluster, &["list", "--json"]).1).unwrap();
    assert_eq!(listed["targets"][0]["target"], "chat");
}

#[test]
fn a_process_tells_until_it_is_asked_to_end() {
    let cluster = Cluster::new();
    master(&cluster, "node1");
    let receiver = Receiver::start();
    configure(&cluster, &receiver.target("chat", ""));
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_ha-web"));
    command.args(["notify", "run"]).env("HA_NODE", "node1");
    command.env("HA_STORE", format!("file:{}", cluster.directory.display()));
    command.env("HA_STATE_DIR", cluster.directory.join("state"));
    let mut process = command.stdout(std::process::Stdio::null()).spawn().unwrap();
    ready(&cluster, 1);
    fails(&cluster, 1);
    wait_for("it is told", || receiver.numbers() == [1]);
    let asked = std::process::Command::new("kill").arg(process.id().to_string()).status().unwrap();
    assert!(asked.success() && process.wait().unwrap().success());
    assert_eq!(NotifyState::read(&*cluster.store).unwrap().sender, None, "another one may tell at once");
}
