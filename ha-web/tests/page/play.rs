//! A virtual cluster on the page.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};

use super::{
    browser::{Browser, parts},
    carry_out, go, is_good,
    nodes::{end, log_in, program},
    open_dialog, verdict,
};

/// A server of a play. It ends with it.
pub(crate) struct Server {
    process: Child,
    pub(crate) url: String,
    pub(crate) user: String,
    pub(crate) password: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        end(&mut self.process);
    }
}

impl Server {
    pub(crate) fn start(folder: &Path) -> Self {
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

    browser.value(
        "window.travels = 0; const animate = Element.prototype.animate;
        Element.prototype.animate = function (...how) { travels += 1; return animate.apply(this, how); }; 1",
    );
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

    let travels = browser.value("travels").as_u64().unwrap();
    assert!(travels >= 2, "there and back: {travels}");

    // A person pulls the plug of the node to which it went back, and wants nothing to move on the screen.
    let still = json!({"features": [{"name": "prefers-reduced-motion", "value": "reduce"}]});
    browser.call("Emulation.setEmulatedMedia", still);
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
    assert_eq!(browser.value("travels"), travels);
    browser.value("location.hash = '#/history'");
    browser.wait("document.querySelector('#main').textContent.includes('power off host-111')");
    browser.wait("document.querySelector('.failovers a') && true");
    is_good(&browser, "the history of a play");
    // It says why the service went where it went.
    browser.click(".events .why summary");
    browser.wait("document.querySelector('.events .why[open] pre').textContent.includes('vm:104')");
    is_good(&browser, "why, in a play");

    what_is_looked_for_stands_in_the_address(&browser);

    browser.click("#you");
    browser.wait("document.querySelector('#user') && true");
    assert_eq!(browser.value("document.querySelector('#play').hidden"), json!(true), "nobody is logged in");
}

#[test]
fn all_that_can_befall_a_node_and_all_that_keys_do() {
    let Some(parts) = parts() else { return };
    let scenario = "# Nothing happens by itself.\nnodes node1 node2 node3\nguest vm:100 on node1\nuntil 1h\n";
    let folder = Folder::with("calm", &[("scenario", scenario), ("resources.cfg", "vm: 100\n")]);
    let server = Server::start(folder.path());
    let browser = Browser::start(&parts);
    log_in(&browser, &server.url, &server.user, &server.password);
    verdict(&browser, "All is well");
    browser.click("#play .choices button:last-child");
    browser.click("#reach-in");
    for (off, on) in [("Pull the plug", "Give it power"), ("Cut it off", "Connect it"), ("Let it fail", "Mend it")] {
        browser.click(&format!("#play [aria-label='node3: {off}']"));
        browser.click(&format!("#play [aria-label='node3: {on}']"));
        browser.wait(&format!("document.querySelector(\"#play [aria-label='node3: {off}']\") && true"));
    }
    browser.click("#play [aria-label='node3: Put it an hour ahead']");
    go(&browser, "history");
    for done in ["power off node3", "network on node3", "store works on node3", "clock of node3 jumps forward 1h"] {
        browser.wait(&format!("document.querySelector('.events').textContent.includes({done:?})"));
    }

    let focus = |what: &str| drop(browser.wait(&format!("document.activeElement.matches({what:?})")));
    browser.press("/");
    focus("#find-text");
    browser.fill("#find-text", "vm:100");
    browser.press("Enter");
    browser.wait("location.hash === '#/service/vm%3A100' && document.querySelector('[data-act=move]') && true");
    browser.press("m");
    browser.wait("document.querySelector('#dialog[open] .targets') && true");
    browser.press("Escape");
    browser.wait("!document.querySelector('#dialog').open");
    // The page goes there a little after its address has changed.
    browser.value("window.arrived = ''; addEventListener('hashchange', () => { arrived = location.hash; }); 1");
    for (key, place) in [("s", "services"), ("r", "rules"), ("n", "nodes"), ("h", "history"), ("c", "")] {
        browser.press("g");
        browser.press(key);
        browser.wait(&format!("arrived === '#/{place}'"));
    }
    browser.press("j");
    focus("[data-sid='vm:100']");
    browser.press("f");
    focus("#filter");
    browser.press("Escape");
    focus("body");
    let theme = browser.text("document.documentElement.dataset.theme");
    browser.press("t");
    browser.wait(&format!("document.documentElement.dataset.theme !== {theme:?}"));
}

/// On the page of the history.
fn what_is_looked_for_stands_in_the_address(browser: &Browser) {
    let told = "document.querySelector('.events').textContent";
    browser.fill("#by-sid", "vm:104");
    browser.value("document.querySelector('#by-sid').blur()");
    browser.wait("location.hash === '#/history?sid=vm%3A104'");
    browser.call("Page.reload", json!({}));
    browser.wait(&format!(
        "document.querySelector('#by-sid').value === 'vm:104' && {told}.includes('vm:104 is recovered')"
    ));
    assert!(!browser.text(told).contains("power off host-111"));
    browser.click("[data-span=night]");
    browser.wait("document.querySelector('#by-from').value.endsWith('T18:00')");
    browser.click(".view-history .tools .link");
    browser.wait(&format!("location.hash === '#/history' && {told}.includes('power off host-111')"));
    // A service leads to all that is kept of it, and says what brought it where it is.
    go(browser, "service/vm%3A104");
    browser.wait("/^Decided last, .*vm:104/.test(document.querySelector('.lead + p').textContent)");
    browser.click("a[href='#/history?sid=vm%3A104']");
    browser.wait("document.querySelector('#by-sid').value === 'vm:104'");
}

/// A folder with a scenario. It ends with it.
pub(crate) struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
        // The last one that goes takes what they stood in along.
        let _ = self.0.parent().map(fs::remove_dir);
    }
}

impl Folder {
    pub(crate) fn with(name: &str, files: &[(&str, &str)]) -> Self {
        let folder = std::env::temp_dir().join(format!("ha-page-scenarios-{}", std::process::id())).join(name);
        fs::create_dir_all(&folder).unwrap();
        for (name, text) in files {
            fs::write(folder.join(name), text).unwrap();
        }
        Self(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

/// A scenario with a fence device, and a guest on a node that nothing guarded when it was lost.
fn unguarded(name: &str) -> Folder {
    let scenario = "\
# A guest stands on a node that was idle when it was lost: nothing guarded it.
nodes node1 node2 node3 node4 node5
guest vm:100 on node1
guest vm:101 on node1
guest vm:102 on node1
at 3m power off node4
at 3m10s carry vm:102 to node4
";
    Folder::with(
        name,
        &[
            ("scenario", scenario),
            ("resources.cfg", "vm: 100\n\nvm: 101\n\nvm: 102\n"),
            ("fence.cfg", "device pdu fence_apc password=secret\nconnect pdu node=node1 plug=1\n"),
        ],
    )
}

#[test]
fn groups_a_picture_of_the_rules_fence_devices_and_a_node_that_nothing_guarded() {
    let Some(parts) = parts() else { return };
    let folder = unguarded("unguarded");
    let server = Server::start(folder.path());
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
    // When the time is over in which it should be known to be down, the page asks for somebody.
    go(&browser, "");
    browser.wait("document.querySelector('.problems').textContent.includes('node4: to be fenced')");
    is_good(&browser, "a node that nothing proves to be down");
    browser.picture("play-unproven");
    browser.click(".problems .button");
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

/// What is looked at: a name, the place on the page, and the second of the story.
const VIEWS: &[(&str, &str, u32)] = &[
    ("cluster", "", 100),
    ("failover", "", 150),
    ("service", "service/vm:104", 300),
    ("services", "services", 300),
    ("rules", "rules", 300),
    ("nodes", "nodes", 300),
    ("node", "node/host-106", 300),
    ("history", "history", 360),
];

/// The same of a cluster with a fence device, and a node that a person has to confirm as down.
const FENCED_VIEWS: &[(&str, &str, u32)] = &[("fencing", "nodes", 300), ("unproven", "", 590)];

/// The screens on which it is looked at: of a desk, a tablet and a phone.
const SCREENS: &[(u32, u32)] = &[(1440, 900), (820, 900), (390, 844)];

/// What the documents show of that: a name, the view, the width, and whether it is dark.
const SHOWN: &[(&str, &str, u32, &str)] = &[
    ("cluster", "cluster", 1440, "light"),
    ("failover", "failover", 1440, "light"),
    ("failover-phone", "failover", 390, "dark"),
    ("failover-tablet", "failover", 820, "dark"),
    ("service", "service", 1440, "light"),
    ("services", "services", 1440, "dark"),
    ("rules", "rules", 1440, "light"),
    ("nodes", "nodes", 1440, "light"),
    ("history", "history", 1440, "light"),
];

/// Pictures that are compared with those that are kept. With `HA_PAGE_PICTURES=write` these are made anew.
struct Album {
    others: Vec<String>,
}

impl Album {
    /// Compares a picture, by squares of some pixels, with the one that is kept in a file.
    fn compare(&mut self, browser: &Browser, name: &str, now: &Path, kept: &Path, square: u32) {
        if std::env::var("HA_PAGE_PICTURES").is_ok_and(|word| word == "write") {
            fs::create_dir_all(kept.parent().unwrap()).unwrap();
            fs::copy(now, kept).unwrap();
        }
        let differs = browser.differing_share(now, kept, square);
        if differs > 0.02 {
            self.others.push(format!("{name}: {:.1} % is another", differs * 100.0));
        }
    }

    /// Plays a scenario, and takes pictures of some views.
    fn take_all(&mut self, parts: &Path, folder: &Path, views: &[(&str, &str, u32)]) {
        let server = Server::start(folder);
        let browser = &Browser::start(parts);
        browser.call("Emulation.setTimezoneOverride", json!({"timezoneId": "UTC"}));
        log_in(browser, &server.url, &server.user, &server.password);
        verdict(browser, "All is well");
        browser.click("#pause");
        browser.wait("document.querySelector('#pause').textContent === 'Go on'");
        for (view, place, second) in views {
            browser.leap(*second);
            go(browser, place);
            // A name that is made by chance, and what is on its way, are in no picture.
            browser.value("document.querySelector('.brand .mono').style.visibility = 'hidden'");
            browser.settle();
            SCREENS.iter().for_each(|screen| self.take(browser, view, *screen));
        }
    }

    /// Takes a picture of the page as it is on a screen, in light and dark: whole and small for the tests, and what the documents show.
    fn take(&mut self, browser: &Browser, view: &str, (width, height): (u32, u32)) {
        let home = Path::new(env!("CARGO_MANIFEST_DIR"));
        browser.size(width, height);
        browser.frames();
        let whole = browser.value("document.documentElement.scrollHeight").as_u64().unwrap() as u32;
        for theme in ["light", "dark"] {
            browser.value(&format!("document.documentElement.dataset.theme = {theme:?}"));
            browser.size(width, height);
            browser.frames();
            let is_this = |shown: &&(&str, &str, u32, &str)| (shown.1, shown.2, shown.3) == (view, width, theme);
            if let Some((name, ..)) = SHOWN.iter().find(is_this) {
                let now = browser.picture(&format!("docs-{name}"));
                self.compare(browser, name, &now, &home.join(format!("../docs/page/{name}.png")), 8);
            }
            browser.size(width, whole.max(height));
            browser.frames();
            let name = format!("{view}-{width}-{theme}");
            let small = browser.shrunk(&browser.picture(&format!("whole-{name}")), 8);
            self.compare(browser, &name, &small, &home.join(format!("tests/page/looks/{name}.png")), 1);
        }
        is_good(browser, &format!("{view} at {width}"));
    }
}

#[test]
fn the_page_looks_as_it_did_on_every_screen_in_light_and_dark() {
    let Some(parts) = parts() else { return };
    let mut album = Album { others: Vec::new() };
    album.take_all(&parts, &Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/clusters/failover"), VIEWS);
    album.take_all(&parts, unguarded("fencing").path(), FENCED_VIEWS);
    let others = album.others;
    assert!(others.is_empty(), "look at target/page/shots, and write them anew if they are right: {others:#?}");
}
