//! A virtual cluster on the page.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use super::{
    browser::{Browser, parts},
    carry_out, go, is_good,
    nodes::{end, log_in, program},
    open_dialog, verdict,
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
    browser.wait("/In .*: power off host-111/.test(document.querySelector('#play .row').textContent)");

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

/// A folder with a scenario. It ends with it.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Folder {
    fn with(files: &[(&str, &str)]) -> Self {
        let folder = std::env::temp_dir().join(format!("ha-page-scenario-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        for (name, text) in files {
            fs::write(folder.join(name), text).unwrap();
        }
        Self(folder)
    }
}

#[test]
fn groups_a_picture_of_the_rules_fence_devices_and_a_node_that_nothing_guarded() {
    let Some(parts) = parts() else { return };
    let scenario = "\
# A guest stands on a node that was idle when it was lost: nothing guarded it.
nodes node1 node2 node3 node4 node5
guest vm:100 on node1
guest vm:101 on node1
guest vm:102 on node1
at 3m power off node4
at 3m10s carry vm:102 to node4
";
    let folder = Folder::with(&[
        ("scenario", scenario),
        ("resources.cfg", "vm: 100\n\nvm: 101\n\nvm: 102\n"),
        ("fence.cfg", "device pdu fence_apc password=secret\nconnect pdu node=node1 plug=1\n"),
    ]);
    let server = Server::start(&folder.0);
    let browser = Browser::start(&parts);
    log_in(&browser, &server.url, &server.user, &server.password);
    verdict(&browser, "All is well");
    let says =
        |text: &str| drop(browser.wait(&format!("document.querySelector('main').textContent.includes({text:?})")));

    go(&browser, "rules");
    open_dialog(&browser, "[data-act=add-group]");
    browser.fill("#group", "home");
    browser.click(".pick-nodes [aria-label=node1]");
    browser.click(".pick-nodes [aria-label=node2]");
    carry_out(&browser, "group");
    says("node1, node2");
    open_dialog(&browser, "[data-act=edit-group]");
    browser.click("#restricted");
    browser.fill("#comment", "the two in the cellar");
    carry_out(&browser, "group-edit");
    says("the two in the cellar");
    open_dialog(&browser, "[data-act=remove-group]");
    carry_out(&browser, "group-remove");
    says("No group is set.");

    open_dialog(&browser, "[data-act=add-rule]");
    browser.click("[name=kind][value=negative]");
    browser.fill("#rule", "apart");
    browser.fill("#resources", "vm:100,vm:101");
    carry_out(&browser, "rule-apart");
    browser.wait("document.querySelectorAll('#graph path.is-apart').length === 2");
    browser.picture("play-rules");
    is_good(&browser, "a picture of the rules");

    go(&browser, "nodes");
    browser.wait("document.querySelector('#devices')?.textContent.includes('pdu')");
    says("No device can switch off: node2, node3, node4, node5");
    assert!(!browser.text("document.body.textContent").contains("secret"));
    browser.click("#play .choices button:last-child");
    open_dialog(&browser, "[data-act=fenced]");
    browser.fill("#repeat", "node4");
    browser.picture("play-devices");
    carry_out(&browser, "confirm-fenced");
    go(&browser, "");
    browser.wait("document.querySelector('.column:not(.is-lost) [data-sid=\"vm:102\"]') && true");
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

/// What the documents show: a name, the place on the page, the second of the story, the width, and whether it is dark.
const PICTURES: &[(&str, &str, u32, u32, bool)] = &[
    ("cluster", "", 100, 1440, false),
    ("failover", "", 150, 1440, false),
    ("failover-phone", "", 150, 390, true),
    ("failover-tablet", "", 150, 820, true),
    ("service", "service/vm:104", 300, 1440, false),
    ("services", "services", 300, 1440, true),
    ("rules", "rules", 300, 1440, false),
    ("nodes", "nodes", 300, 1440, false),
    ("history", "history", 360, 1440, false),
];

/// With `HA_PAGE_PICTURES=write` the pictures are made anew.
#[test]
fn the_page_looks_as_the_documents_show_it() {
    let Some(parts) = parts() else { return };
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let server = Server::start(&home.join("../examples/clusters/failover"));
    let browser = Browser::start(&parts);
    log_in(&browser, &server.url, &server.user, &server.password);
    verdict(&browser, "All is well");
    browser.click("#pause");
    browser.wait("document.querySelector('#pause').textContent === 'Go on'");
    let folder = home.join("../docs/page");
    let mut others = Vec::new();
    for (name, place, second, width, is_dark) in PICTURES {
        browser.leap(*second);
        browser.size(*width, if *width < 500 { 844 } else { 900 });
        browser
            .value(&format!("document.documentElement.dataset.theme = {:?}", if *is_dark { "dark" } else { "light" }));
        go(&browser, place);
        // A name that is made by chance, and what is on its way, are in no picture.
        browser.value("document.querySelector('.brand .mono').style.visibility = 'hidden'");
        browser.settle();
        is_good(&browser, name);
        let now = browser.picture(&format!("docs-{name}"));
        let kept = folder.join(format!("{name}.png"));
        if std::env::var("HA_PAGE_PICTURES").is_ok_and(|word| word == "write") {
            fs::copy(&now, &kept).unwrap();
        }
        let differs = browser.differing_share(&now, &kept);
        if differs > 0.02 {
            others.push(format!("{name}: {:.1} % is another", differs * 100.0));
        }
    }
    assert!(others.is_empty(), "look at target/page/shots, and write them anew if they are right: {others:#?}");
}
