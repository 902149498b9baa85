//! A browser, spoken to by the DevTools protocol over two pipes.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        Mutex, PoisonError,
        mpsc::{Receiver, channel},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// Nothing takes longer unless something is wrong.
const PATIENCE: Duration = Duration::from_secs(120);

/// Where the parts of these tests are. Nothing where they can't be had, which under CI is a failure.
pub(crate) fn parts() -> Option<PathBuf> {
    static FETCHING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = FETCHING.lock().unwrap_or_else(PoisonError::into_inner);
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = home.join("../target/page");
    let fetched = Command::new(home.join("tests/page/install")).arg(&folder).output().unwrap();
    if fetched.status.success() {
        return Some(folder.canonicalize().unwrap());
    }
    let why = String::from_utf8_lossy(&fetched.stderr).trim().to_owned();
    assert!(std::env::var_os("CI").is_none(), "the tests of the page must not be skipped under CI: {why}");
    eprintln!("skipped: {why}");
    None
}

/// A browser. It ends with it.
pub(crate) struct Browser {
    process: Child,
    input: RefCell<ChildStdin>,
    output: Receiver<Value>,
    profile: PathBuf,
    parts: PathBuf,
    /// The tab that is spoken to.
    session: RefCell<String>,
    number: Cell<u64>,
    events: RefCell<VecDeque<Value>>,
    /// What is answered instead of what the server would, by what an address ends with: a status and a body.
    answers: RefCell<Vec<(String, u32, String)>>,
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.profile);
    }
}

impl Browser {
    pub(crate) fn start(parts: &Path) -> Self {
        static COUNT: Mutex<u32> = Mutex::new(0);
        let number = {
            let mut count = COUNT.lock().unwrap();
            *count += 1;
            *count
        };
        let profile = std::env::temp_dir().join(format!("ha-page-{}-{number}", std::process::id()));
        let program = fs::read_to_string(parts.join("browser")).unwrap();
        // The protocol is spoken on the file descriptors 3 and 4.
        let line = r#"exec "$0" "$@" 3<&0 4>&1 0</dev/null 1>/dev/null"#;
        let mut process = Command::new("sh")
            .args(["-c", line, program.trim(), "--headless", "--no-sandbox", "--remote-debugging-pipe"])
            .args(["--hide-scrollbars", "--disable-gpu", "--disable-dev-shm-usage", "--force-color-profile=srgb"])
            .arg(format!("--user-data-dir={}", profile.display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (sender, output) = channel();
        let mut messages = BufReader::new(process.stdout.take().unwrap());
        thread::spawn(move || {
            let mut message = Vec::new();
            while messages.read_until(0, &mut message).is_ok_and(|length| length > 0) {
                message.pop();
                let Ok(value) = serde_json::from_slice(&message) else { break };
                if sender.send(value).is_err() {
                    break;
                }
                message.clear();
            }
        });
        let input = RefCell::new(process.stdin.take().unwrap());
        let (session, number, parts) = (RefCell::default(), Cell::new(0), parts.to_owned());
        let browser = Self {
            process,
            input,
            output,
            profile,
            parts,
            session,
            number,
            events: RefCell::default(),
            answers: RefCell::default(),
        };
        browser.open_tab();
        browser
    }

    /// Opens a tab, which is spoken to from now on. Those that are open stay so.
    pub(crate) fn open_tab(&self) {
        self.session.borrow_mut().clear();
        let target = self.call("Target.createTarget", json!({"url": "about:blank"}))["targetId"].clone();
        let attached = self.call("Target.attachToTarget", json!({"targetId": target, "flatten": true}));
        attached["sessionId"].as_str().unwrap().clone_into(&mut self.session.borrow_mut());
        for domain in ["Page", "Runtime", "Log", "Network"] {
            self.call(&format!("{domain}.enable"), json!({}));
        }
        self.size(1440, 900);
    }

    /// Calls a method of the protocol.
    #[track_caller]
    pub(crate) fn call(&self, method: &str, parameters: Value) -> Value {
        let number = self.send(method, &parameters);
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let message = self.output.recv_timeout(left).unwrap_or_else(|error| panic!("{method}: {error}"));
            if message["id"] == number {
                assert!(message.get("error").is_none(), "{method} {parameters}: {message}");
                return message["result"].clone();
            }
            if message["method"] == "Fetch.requestPaused" {
                self.answer(&message["params"]);
            } else if message.get("method").is_some() {
                self.events.borrow_mut().push_back(message);
            }
        }
    }

    fn send(&self, method: &str, parameters: &Value) -> u64 {
        let number = self.number.get() + 1;
        self.number.set(number);
        let mut message = json!({"id": number, "method": method, "params": parameters});
        let session = self.session.borrow();
        if !session.is_empty() {
            message["sessionId"] = json!(*session);
        }
        let mut input = self.input.borrow_mut();
        input.write_all(format!("{message}\0").as_bytes()).unwrap();
        input.flush().unwrap();
        number
    }

    fn answer(&self, request: &Value) {
        let url = request["request"]["url"].as_str().unwrap_or_default();
        let answers = self.answers.borrow();
        let id = &request["requestId"];
        match answers.iter().find(|(end, ..)| url.ends_with(end.as_str())) {
            Some((_, status, body)) => self.send(
                "Fetch.fulfillRequest",
                &json!({"requestId": id, "responseCode": status, "body": base64(body.as_bytes()),
                    "responseHeaders": [{"name": "content-type", "value": "application/json"}]}),
            ),
            None => self.send("Fetch.continueRequest", &json!({"requestId": id})),
        };
    }

    /// From now on answers, instead of the server, to addresses that end with this.
    pub(crate) fn answer_instead(&self, end: &str, body: String) {
        self.intercept(end, 200, body);
    }

    /// From now on refuses what is asked of addresses that end with this.
    pub(crate) fn refuse(&self, end: &str, status: u32) {
        self.intercept(end, status, "{}".to_owned());
    }

    fn intercept(&self, end: &str, status: u32, body: String) {
        let mut answers = self.answers.borrow_mut();
        answers.retain(|(other, ..)| other != end);
        answers.push((end.to_owned(), status, body));
        let patterns: Vec<Value> = answers.iter().map(|(end, ..)| json!({"urlPattern": format!("*{end}")})).collect();
        drop(answers);
        self.call("Fetch.enable", json!({"patterns": patterns}));
    }

    /// The value of an expression, which may be a promise.
    #[track_caller]
    pub(crate) fn value(&self, expression: &str) -> Value {
        let parameters = json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let result = self.call("Runtime.evaluate", parameters);
        assert!(result.get("exceptionDetails").is_none(), "{expression}: {}", result["exceptionDetails"]);
        result["result"]["value"].clone()
    }

    #[track_caller]
    pub(crate) fn text(&self, expression: &str) -> String {
        self.value(expression).as_str().unwrap_or_default().to_owned()
    }

    /// Waits until an expression is true; it is looked at again whenever the page changes. Gives its value.
    #[track_caller]
    pub(crate) fn wait(&self, condition: &str) -> Value {
        let patience = PATIENCE.as_millis() - 10_000;
        let found = self.value(&format!(
            "new Promise((resolve) => {{
                let watch;
                const look = () => {{
                    const found = (() => {{ try {{ return {condition}; }} catch (error) {{ return null; }} }})();
                    if (!found) return false;
                    watch?.disconnect();
                    resolve(found === true ? true : found);
                    return true;
                }};
                if (look()) return;
                watch = new MutationObserver(look);
                watch.observe(document, {{ subtree: true, childList: true, attributes: true, characterData: true }});
                setTimeout(() => {{ watch.disconnect(); resolve(null); }}, {patience});
            }})"
        ));
        assert!(
            !found.is_null(),
            "waited in vain for {condition}; the page says: {}",
            self.text("document.body.innerText")
        );
        found
    }

    pub(crate) fn open(&self, url: &str) {
        self.call("Page.navigate", json!({"url": url}));
        self.wait("document.readyState === 'complete' && document.querySelector('#main > *')");
    }

    pub(crate) fn click(&self, selector: &str) {
        self.wait(&format!("document.querySelector({selector:?}) && true"));
        self.value(&format!("document.querySelector({selector:?}).click()"));
    }

    /// Types into a field, as a person does.
    pub(crate) fn fill(&self, selector: &str, text: &str) {
        self.wait(&format!("document.querySelector({selector:?}) && true"));
        self.value(&format!(
            "document.querySelector({selector:?}).focus(); document.querySelector({selector:?}).select?.()"
        ));
        self.call("Input.insertText", json!({"text": text}));
    }

    /// Presses a key.
    pub(crate) fn press(&self, key: &str) {
        let (text, code) = match key {
            "Enter" => ("\r", 13),
            // The browser itself closes a dialog by it.
            "Escape" => ("", 27),
            key => (key, 0),
        };
        let parameters = json!({"type": "keyDown", "key": key, "text": text, "windowsVirtualKeyCode": code});
        self.call("Input.dispatchKeyEvent", parameters);
        self.call("Input.dispatchKeyEvent", json!({"type": "keyUp", "key": key}));
    }

    pub(crate) fn size(&self, width: u32, height: u32) {
        let parameters = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500});
        self.call("Emulation.setDeviceMetricsOverride", parameters);
    }

    /// What the browser complains about since this was last asked.
    pub(crate) fn complaints(&self) -> Vec<String> {
        self.value("1");
        let is_complaint = |event: &Value| match event["method"].as_str() {
            Some("Runtime.exceptionThrown") => true,
            Some("Runtime.consoleAPICalled") => event["params"]["type"] == "error",
            Some("Log.entryAdded") => event["params"]["entry"]["level"] == "error",
            _ => false,
        };
        self.events.borrow_mut().drain(..).filter(is_complaint).map(|event| event["params"].to_string()).collect()
    }

    /// What keeps people out of what is shown.
    pub(crate) fn barriers(&self) -> Vec<String> {
        let axe = fs::read_to_string(self.parts.join("axe.min.js")).unwrap();
        self.value(&format!("window.axe ? 1 : (0, eval)({}), 1", json!(axe)));
        let found = self.value(
            "axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })
                .then((found) => found.violations.map((one) => `${one.id}: ${one.help}: ${one.nodes.map((node) => node.html + ' ' + node.failureSummary).slice(0, 3).join('\\n')}`))",
        );
        found.as_array().unwrap().iter().map(ToString::to_string).collect()
    }

    /// Has the time of a play pass at once up to a second, and waits until the page shows that.
    pub(crate) fn leap(&self, second: u32) {
        self.value(&format!(
            "(async () => {{
                const session = await (await fetch('api/v1/session')).json();
                const headers = {{ 'content-type': 'application/json', csrfpreventiontoken: session.csrf_token }};
                const before = await (await fetch('api/v1/play')).json();
                if (before.time_s >= {second}) return;
                const answer = await fetch('api/v1/play', {{ method: 'POST', headers, body: JSON.stringify({{ to_s: {second} }}) }});
                if (!answer.ok) throw new Error(await answer.text());
            }})()"
        ));
        let (minutes, seconds) = (second / 60, second % 60);
        self.wait(&format!(
            "document.querySelector('#play-time').textContent === 'after {minutes}\u{a0}min {seconds}\u{a0}s'"
        ));
    }

    /// Waits until nothing has changed on the page for a second, or for three seconds, and nothing moves.
    pub(crate) fn settle(&self) {
        self.value(
            "new Promise((done) => {
                let calm = setTimeout(done, 1000);
                new MutationObserver(() => {
                    clearTimeout(calm);
                    calm = setTimeout(done, 1000);
                }).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
                setTimeout(done, 3000);
            }).then(() => Promise.all(document.getAnimations().map((one) => one.finished)))",
        );
    }

    /// Waits until what has changed is drawn.
    pub(crate) fn frames(&self) {
        self.value("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))");
    }

    /// A picture that is smaller by a factor, beside the given one.
    pub(crate) fn shrunk(&self, picture: &Path, by: u32) -> PathBuf {
        let content = json!(base64(&fs::read(picture).unwrap()));
        let small = self.text(&format!(
            "(async () => {{
                const bytes = Uint8Array.from(atob({content}), (one) => one.charCodeAt(0));
                const image = await createImageBitmap(new Blob([bytes]));
                const canvas = new OffscreenCanvas(Math.ceil(image.width / {by}), Math.ceil(image.height / {by}));
                const context = canvas.getContext('2d', {{ alpha: false }});
                context.imageSmoothingQuality = 'high';
                context.drawImage(image, 0, 0, canvas.width, canvas.height);
                const small = new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer());
                return btoa(Array.from(small, (one) => String.fromCharCode(one)).join(''));
            }})()"
        ));
        let file = picture.with_extension("small.png");
        fs::write(&file, from_base64(&small)).unwrap();
        file
    }

    /// How much of two pictures is not the same, from 0 to 1: they are compared in squares of some pixels, so that an edge that
    /// another version draws a little softer does not count. A picture that is missing, or of another size, is another one.
    pub(crate) fn differing_share(&self, one: &Path, other: &Path, square: u32) -> f64 {
        let content = |path: &Path| json!(base64(&fs::read(path).unwrap_or_default()));
        let share = self.value(&format!(
            "(async () => {{
                const read = async (content) => {{
                    const bytes = Uint8Array.from(atob(content), (one) => one.charCodeAt(0));
                    const image = await createImageBitmap(new Blob([bytes])).catch(() => null);
                    if (!image) return null;
                    const canvas = new OffscreenCanvas(Math.ceil(image.width / {square}), Math.ceil(image.height / {square}));
                    const context = canvas.getContext('2d');
                    context.imageSmoothingQuality = 'high';
                    context.drawImage(image, 0, 0, canvas.width, canvas.height);
                    return context.getImageData(0, 0, canvas.width, canvas.height);
                }};
                const [a, b] = [await read({}), await read({})];
                if (!a || !b || a.width !== b.width || a.height !== b.height) return 1;
                let others = 0;
                for (let i = 0; i < a.data.length; i += 4) {{
                    if ([0, 1, 2].some((c) => Math.abs(a.data[i + c] - b.data[i + c]) > 24)) others += 1;
                }}
                return others / (a.data.length / 4);
            }})()",
            content(one),
            content(other)
        ));
        share.as_f64().unwrap_or(1.0)
    }

    /// Keeps a picture of what is shown, to be looked at. Gives its file.
    pub(crate) fn picture(&self, name: &str) -> PathBuf {
        let folder = self.parts.join("shots");
        fs::create_dir_all(&folder).unwrap();
        let picture = self.call("Page.captureScreenshot", json!({"format": "png"}));
        let file = folder.join(format!("{name}.png"));
        fs::write(&file, from_base64(picture["data"].as_str().unwrap())).unwrap();
        file
    }
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let three = chunk.iter().chain(&[0, 0]).take(3).fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
        for i in 0..4 {
            let digit = char::from(DIGITS[(three >> (18 - 6 * i) & 63) as usize]);
            text.push(if i <= chunk.len() { digit } else { '=' });
        }
    }
    text
}

fn from_base64(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text
        .bytes()
        .filter_map(|byte| DIGITS.iter().position(|digit| *digit == byte))
        .map(|digit| digit as u32)
        .collect();
    let mut bytes = Vec::new();
    for chunk in digits.chunks(4) {
        let four = (0..4).fold(0_u32, |sum, i| sum << 6 | chunk.get(i).copied().unwrap_or(0));
        bytes.extend((0..chunk.len() - 1).map(|i| (four >> (16 - 8 * i)) as u8));
    }
    bytes
}
