//! A virtual cluster on the page.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use super::{
    browser::{Browser, parts},
    is_good,
    nodes::{end, log_in, program},
    verdict,
};

/// A server of a play. It ends with it.
struct Server {
    process: Child,
    url: String,
    user: String,
    password: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        end(&mut self.process);
    }
}

impl Server {
    fn start(folder: &Path) -> Self {
        let mut process = Command::new(program("ha-web"))
            .args(["web", "--plain", "--log", "json", "--listen", "127.0.0.1:0", "--play"])
            .arg(folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut told = |field: &str| {
            let found = lines.find_map(|line| {
                let line: Value = serde_json::from_str(&line).unwrap();
                line.get(field).is_some().then_some(line)
            });
            found.unwrap_or_else(|| panic!("the server has ended without a word of its {field}"))
        };
        let access = told("password");
        let url = told("url")["url"].as_str().unwrap().to_owned();
        std::thread::spawn(move || lines.for_each(drop));
        let text = |field: &str| access[field].as_str().unwrap().to_owned();
        Self { process, url, user: text("user"), password: text("password") }
    }
}

#[test]
fn a_scenario_is_played_and_people_reach_in() {
    let Some(parts) = parts() else { return };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/clusters/failover");
    let server = Server::start(&folder);
    let browser = Browser::start(&parts);
    log_in(&browser, &server.url, &server.user, &server.password);
    verdict(&browser, "All is well");
    browser.wait("document.querySelector('#play .story').textContent.startsWith('failover')");
    browser.wait("/^In .*power off host-111$/.test(document.querySelector('#play .grow').textContent)");

    // Its time stands still, and goes on.
    browser.click("#pause");
    browser.wait("document.querySelector('#pause').textContent === 'Go on'");
    let shown = "document.querySelector('#play-time').textContent";
    let stands = browser.text(shown);
    browser.value("new Promise((done) => { let n = 0; new MutationObserver(() => ++n > 2 && done()).observe(document, { subtree: true, childList: true, characterData: true, attributes: true }); setTimeout(done, 1500); })");
    assert_eq!(browser.text(shown), stands);
    browser.click("#pause");
    browser.click("#play .choices button:last-child");
    browser.wait("document.querySelector('#play .choices button:last-child').ariaPressed === 'true'");

    // The story of the scenario: host-111 → host-106 and back.
    verdict(&browser, "host-111 is lost");
    browser.picture("play-failover");
    let on = |node: &str| {
        format!(
            "[...document.querySelectorAll('.column')].find((column) => column.ariaLabel === {node:?})?.querySelector('[data-sid=\"vm:104\"]') && true"
        )
    };
    browser.wait(&on("host-106"));
    browser.wait(&on("host-111"));

    // A person pulls the plug of the node to which it went back.
    browser.click("#reach-in");
    browser.wait("document.querySelector('#play table') && true");
    is_good(&browser, "reaching in");
    browser.picture("play-reach-in");
    browser.size(390, 844);
    is_good(&browser, "reaching in on a phone");
    browser.picture("play-phone");
    browser.size(1440, 900);
    browser.click("#play [aria-label='host-111: Pull the plug']");
    browser.wait("document.querySelector('#play [aria-label=\"host-111: Give it power\"]') && true");
    browser.wait(&on("host-106"));
    browser.value("location.hash = '#/history'");
    browser.wait("document.querySelector('#main').textContent.includes('power off host-111')");
    is_good(&browser, "the history of a play");
}

#[test]
fn nothing_is_left_of_a_play() {
    let before = plays();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/clusters/failover");
    let server = Server::start(&folder);
    let during = plays();
    assert!(during.len() > before.len(), "{during:?}");
    drop(server);
    let left: Vec<String> =
        plays().into_iter().filter(|play| !before.contains(play) && during.contains(play)).collect();
    // Another test may play at the same time.
    assert!(left.len() < during.len() - before.len(), "{left:?}");
}

fn plays() -> Vec<String> {
    let entries = fs::read_dir(std::env::temp_dir()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with("ha-play-") && !name.starts_with("ha-play-test-")).collect()
}
