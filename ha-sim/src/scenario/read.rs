//! Reading the folder of a scenario.

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use ha_core::{
    config::{
        DatacenterFile, FenceConfig, GroupsConfig, NodesConfig, Parsed, ResourcesConfig, RulesConfig,
        fence::FenceWarningKind,
    },
    id::{NodeName, ServiceId},
    plan::ClusterSnapshot,
    time::Instant,
    timing::{TimingSettings, Timings},
};

use super::{
    Hunted, Scenario, Step, StepKind,
    action::{self, size},
    condition::Condition,
    problem::{Problem, ScenarioError},
    words::{FILE, Names, Word, Words, problem, split},
};
use crate::{
    cluster::{GuestSetup, NodeSetup, PlantedBug, Setup, service_types},
    history::Profile,
    world::Guest,
};

/// Words that a line can begin with.
const LINES: [&str; 15] = [
    "nodes",
    "node",
    "guest",
    "timings",
    "takes",
    "leases",
    "jobs",
    "records",
    "multiplexers",
    "hunted",
    "at",
    "by",
    "from",
    "expect",
    "until",
];

impl Scenario {
    /// Reads the folder of a scenario: `scenario` and the configuration files beside it.
    ///
    /// # Errors
    ///
    /// If a file can't be read, or anything is wrong in any file: all problems together.
    pub fn read(folder: &Path) -> Result<Self, ScenarioError> {
        let mut reader = Reader::default();
        reader.configuration(folder)?;
        let path = folder.join(FILE);
        let text = fs::read_to_string(&path).map_err(|source| ScenarioError::Read { path, source })?;
        let name = folder.canonicalize().ok();
        let name = name.as_deref().unwrap_or(folder).file_name().map(|name| name.to_string_lossy().into_owned());
        reader.scenario(name.unwrap_or_default(), &text).map_err(|error| error.in_folder(folder))
    }

    /// Reads a scenario from texts: that of `scenario`, and of the configuration files, by name.
    ///
    /// # Errors
    ///
    /// If anything is wrong: all problems together.
    pub fn parse(name: &str, text: &str, configuration: &[(&str, &str)]) -> Result<Self, ScenarioError> {
        let mut reader = Reader::default();
        for (file, text) in configuration {
            reader.file(file, text.as_bytes());
        }
        reader.scenario(name.to_owned(), text)
    }
}

impl Scenario {
    /// What happens to a live cluster from a moment on: the text says it, as in a scenario, and has no lines for the nodes and guests that
    /// there are. Where no line says when it ends, it goes on for a while after the last one: sixty rounds, ten minutes with the customary
    /// timings.
    ///
    /// ```
    /// use ha_core::plan::ClusterSnapshot;
    /// use ha_sim::scenario::{Scenario, play};
    ///
    /// let snapshot = ClusterSnapshot::from_json(
    ///     r#"{"ha_snapshot": 1, "time": 1767225600, "nodes": {"node1": {"online": true}, "node2": {"online": true}},
    ///         "configuration": {"resources.cfg": "vm: 100\n"}, "guests": {"vm:100": {"node": "node2"}},
    ///         "manager_status": {"node_status": {"node1": "online", "node2": "online"},
    ///             "service_status": {"vm:100": {"state": "started", "node": "node2", "uid": "a", "running": 1}}}}"#,
    /// )?;
    /// let scenario = Scenario::from_snapshot("example", &snapshot, "at 1m power off node2\nexpect vm:100 running on node1")?;
    /// assert!(play(scenario, &mut |_| {}).passed());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If anything is wrong in the text: all problems together.
    pub fn from_snapshot(name: &str, snapshot: &ClusterSnapshot, text: &str) -> Result<Self, ScenarioError> {
        let setup = Setup::from_snapshot(snapshot);
        let names = Names {
            nodes: setup.nodes.keys().cloned().collect(),
            types: service_types(&setup.service_types),
            ..Names::default()
        };
        let ends = snapshot.timings.round_time().saturating_mul(ROUNDS_AFTERWARDS);
        let reader = Reader {
            timings: *snapshot.timings.settings(),
            names,
            setup,
            goes_on_for: Some(ends),
            ..Reader::default()
        };
        reader.scenario(name.to_owned(), text)
    }
}

/// For how many rounds the scenario of a snapshot goes on after its last line.
const ROUNDS_AFTERWARDS: u32 = 60;

/// The configuration files that a folder may hold.
const FILES: [&str; 6] = ["resources.cfg", "groups.cfg", "rules.cfg", "nodes.cfg", "datacenter.cfg", "fence.cfg"];

#[derive(Default)]
struct Reader {
    setup: Setup,
    timings: TimingSettings,
    names: Names,
    /// The timings of nodes that have their own.
    own_timings: Vec<(NodeName, TimingSettings)>,
    hunted: Option<Hunted>,
    /// Services whose guest is said to be missing.
    missing: BTreeSet<ServiceId>,
    steps: Vec<Step>,
    /// For how long it goes on after its last line, if it goes on from a snapshot.
    goes_on_for: Option<Duration>,
    /// When the last line begins.
    now: Instant,
    end: Option<Instant>,
    problems: Vec<Problem>,
}

impl Reader {
    fn configuration(&mut self, folder: &Path) -> Result<(), ScenarioError> {
        for file in FILES {
            let path = folder.join(file);
            match fs::read(&path) {
                Ok(text) => self.file(file, &text),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound && file != "resources.cfg" => {}
                Err(source) => return Err(ScenarioError::Read { path, source }),
            }
        }
        Ok(())
    }

    fn file(&mut self, file: &str, text: &[u8]) {
        match file {
            "resources.cfg" => {
                self.setup.resources = self.parsed("resources.cfg", ResourcesConfig::read(text, &self.names.types));
            }
            "groups.cfg" => self.setup.groups = self.parsed("groups.cfg", GroupsConfig::read(text)),
            "rules.cfg" => self.setup.rules = self.parsed("rules.cfg", RulesConfig::read(text, &self.names.types)),
            "nodes.cfg" => self.setup.labels = self.parsed("nodes.cfg", NodesConfig::read(text)),
            "datacenter.cfg" => self.setup.datacenter = self.parsed("datacenter.cfg", DatacenterFile::read(text)),
            _ => self.fence(text),
        }
    }

    fn parsed<T>(&mut self, file: &'static str, parsed: Parsed<T>) -> T {
        for found in parsed.problems.into_iter().filter(|found| !found.kind.is_remark()) {
            let message = match (&found.section, &found.property) {
                (Some(section), Some(property)) => format!("in '{section}', property '{property}': {}", found.kind),
                (Some(section), None) => format!("in '{section}': {}", found.kind),
                (None, _) => found.kind.to_string(),
            };
            self.problems.push(Problem { file: file.to_owned(), line: found.line, column: 0, message });
        }
        parsed.config
    }

    fn fence(&mut self, text: &[u8]) {
        const FILE: &str = "fence.cfg";
        let read = FenceConfig::read(text);
        let is_remark = |kind: &FenceWarningKind| matches!(kind, FenceWarningKind::MarkAtStart(_));
        for warning in read.warnings.into_iter().filter(|warning| !is_remark(&warning.kind)) {
            let message = warning.kind.to_string();
            self.problems.push(Problem { file: FILE.to_owned(), line: warning.line, column: 0, message });
        }
        match read.config {
            Ok(config) => self.setup.fence = Some(config),
            Err(errors) => {
                let problem = |error: &ha_core::config::fence::FenceError| Problem {
                    file: FILE.to_owned(),
                    line: error.line,
                    column: 0,
                    message: error.kind.to_string(),
                };
                self.problems.extend(errors.0.iter().map(problem));
            }
        }
    }

    fn scenario(mut self, name: String, text: &str) -> Result<Scenario, ScenarioError> {
        let guests = self.setup.guests.keys().filter(|sid| !self.setup.resources.resources.contains_key(*sid));
        self.names.services = self.setup.resources.resources.keys().chain(guests).cloned().collect();
        for (line, number) in text.trim_start_matches('\u{feff}').lines().zip(1..) {
            if let Err(problem) = self.line(line, number) {
                self.problems.push(problem);
            }
        }
        // What is missing may just be in a line that was not understood.
        if self.problems.is_empty() && self.goes_on_for.is_none() {
            self.check_whole();
        }
        self.setup.timings = self.safe(self.timings).unwrap_or_default();
        for (node, timings) in std::mem::take(&mut self.own_timings) {
            let timings = self.safe(timings);
            if let Some(setup) = self.setup.nodes.get_mut(&node) {
                setup.timings = timings;
            }
        }
        if !self.problems.is_empty() {
            self.problems
                .sort_by_key(|problem| FILES.iter().position(|file| *file == problem.file).unwrap_or(FILES.len()));
            return Err(ScenarioError::Problems(self.problems));
        }
        let last = self.steps.iter().map(Step::end).max().unwrap_or_default();
        let end = self.end.unwrap_or_else(|| last.after(self.goes_on_for.unwrap_or_default()));
        Ok(Scenario { name, title: title(text), setup: self.setup, steps: self.steps, hunted: self.hunted, end })
    }

    /// The timings, if they are safe together.
    fn safe(&mut self, timings: TimingSettings) -> Option<Timings> {
        let unsafe_timings =
            |violation: &ha_core::timing::Violation| problem(0, 0, format!("these timings are not safe: {violation}"));
        match timings.validate() {
            Ok(timings) => Some(timings),
            Err(errors) => {
                self.problems.extend(errors.violations().iter().map(unsafe_timings));
                None
            }
        }
    }

    fn line(&mut self, line: &str, number: usize) -> Result<(), Problem> {
        let mut names = std::mem::take(&mut self.names);
        let result = split(line, number).and_then(|words| self.words(Words::new(words, number, &names)));
        names.others = self.hunted.is_some();
        self.names = names;
        let new = result?;
        match new {
            Some(New::Node(node)) => self.names.nodes.push(node),
            Some(New::Nodes(nodes)) => self.names.nodes.extend(nodes),
            Some(New::Service(sid)) if !self.names.services.contains(&sid) => self.names.services.push(sid),
            Some(New::Service(_)) | None => {}
        }
        self.names.nodes.sort();
        Ok(())
    }

    /// Reads a line. Gives the name that it adds to those that are known.
    fn words(&mut self, mut words: Words<'_>) -> Result<Option<New>, Problem> {
        let Some(first) = words.take() else { return Ok(None) };
        if self.end.is_some() && first.text != "expect" {
            return Err(words.at(first.column, "only 'expect' lines may follow after 'until'"));
        }
        match first.text.as_str() {
            "nodes" => self.nodes(&mut words).map(Some),
            "node" => self.node(&mut words).map(Some),
            "guest" => self.guest(&mut words).map(|sid| Some(New::Service(sid))),
            "timings" => self.timings(&mut words).map(|()| None),
            "takes" => self.takes(&mut words).map(|()| None),
            "leases" | "jobs" | "records" | "multiplexers" => self.peculiarity(&first.text, &mut words).map(|()| None),
            "hunted" => self.hunted(&mut words).map(|()| None),
            "at" => {
                self.now = self.time(&mut words)?;
                self.step(&mut words).map(|sid| sid.map(New::Service))
            }
            "by" | "from" | "expect" => self.expectation(&first, &mut words).map(|()| None),
            "until" => {
                let end = self.time(&mut words)?;
                words.end()?;
                self.end = Some(end);
                self.now = end;
                Ok(None)
            }
            _ => Err(words.unknown(&first, "", LINES)),
        }
    }

    /// `by T expect …`, `from T until T expect …`, `expect …`
    fn expectation(&mut self, first: &Word, words: &mut Words<'_>) -> Result<(), Problem> {
        self.expects(words, first.column)?;
        let kind = match first.text.as_str() {
            "by" => {
                let until = self.time(words)?;
                words.keyword("expect")?;
                StepKind::By { until, condition: Condition::read(words)? }
            }
            "from" => {
                self.now = self.time(words)?;
                words.keyword("until")?;
                let until = self.time(words)?;
                words.keyword("expect")?;
                StepKind::Throughout { until, condition: Condition::read(words)? }
            }
            _ => StepKind::AtEnd(Condition::read(words)?),
        };
        self.push(words.line, kind);
        Ok(())
    }

    /// Refuses an expectation where the hunt judges.
    fn expects(&self, words: &Words<'_>, column: usize) -> Result<(), Problem> {
        if self.hunted.is_none() {
            return Ok(());
        }
        Err(words.at(column, "a scenario with a 'hunted' line is judged as the hunt does, and expects nothing else"))
    }

    fn push(&mut self, line: usize, kind: StepKind) {
        self.steps.push(Step { line, at: self.now, kind });
    }

    /// A time that is not before that of an earlier line. `+10s` is that long after it.
    fn time(&self, words: &mut Words<'_>) -> Result<Instant, Problem> {
        let column = words.column();
        if let Some(word) = words.peek()
            && let Some(wait) = word.text.strip_prefix('+')
        {
            let wait = crate::texts::duration(wait);
            let wait = wait.ok_or_else(|| words.at(column, "expected a time after '+', such as '+30s'"))?;
            words.take();
            return Ok(self.now.after(wait));
        }
        let time = words.instant()?;
        if time < self.now {
            let last = self.now.since_start().as_secs_f64();
            return Err(words.at(column, format!("this is earlier than the line before it, which is at {last} s")));
        }
        Ok(time)
    }

    /// What follows after `at TIME`. Gives the service that it adds.
    fn step(&mut self, words: &mut Words<'_>) -> Result<Option<ServiceId>, Problem> {
        let column = words.column();
        if words.accept("expect") {
            self.expects(words, column)?;
            let condition = Condition::read(words)?;
            self.push(words.line, StepKind::Now(condition));
            return Ok(None);
        }
        let text = words.rest();
        let actions = action::read(words)?;
        let new = actions.iter().find_map(|action| action.new_service().cloned());
        self.push(words.line, StepKind::Act { text, actions });
        Ok(new)
    }

    fn nodes(&mut self, words: &mut Words<'_>) -> Result<New, Problem> {
        let mut nodes = vec![self.new_node(words)?];
        while words.peek().is_some() {
            nodes.push(self.new_node(words)?);
        }
        Ok(New::Nodes(nodes))
    }

    fn new_node(&mut self, words: &mut Words<'_>) -> Result<NodeName, Problem> {
        let word = words.word("the name of a node")?;
        let node = NodeName::new(&word.text).map_err(|error| words.at(word.column, error.to_string()))?;
        if self.setup.nodes.insert(node.clone(), NodeSetup::default()).is_some() {
            return Err(words.at(word.column, format!("there is a node {node} already")));
        }
        Ok(node)
    }

    /// `node NAME [cores N memory N] [version V] [clock PPM] [watchdog early|late T] [off] [out]`
    fn node(&mut self, words: &mut Words<'_>) -> Result<New, Problem> {
        let name = self.new_node(words)?;
        let mut node = NodeSetup::default();
        while let Some(word) = words.peek() {
            match word.text.as_str() {
                "cores" => (node.cores, node.memory) = size(words)?,
                "version" => {
                    words.take();
                    node.version = words.word("a version")?.text;
                }
                "clock" => {
                    words.take();
                    node.clock_ppm = words.value("parts per million")?;
                }
                "watchdog" => {
                    words.take();
                    let early = words.choice(&["early", "late"])? == 0;
                    *(if early { &mut node.watchdog_early } else { &mut node.watchdog_late }) = words.duration()?;
                }
                "off" => {
                    words.take();
                    node.power = false;
                }
                "out" => {
                    words.take();
                    node.member = false;
                }
                _ => return Err(words.unknown(word, "", ["cores", "version", "clock", "watchdog", "off", "out"])),
            }
        }
        self.setup.nodes.insert(name.clone(), node);
        Ok(New::Node(name))
    }

    /// `guest SID on NODE …` or `guest SID missing`
    fn guest(&mut self, words: &mut Words<'_>) -> Result<ServiceId, Problem> {
        let column = words.column();
        let sid = words.new_service()?;
        if self.setup.guests.contains_key(&sid) || self.missing.contains(&sid) {
            return Err(words.at(column, format!("there is a line for guest {sid} already")));
        }
        if words.choice(&["on", "missing"])? == 1 {
            words.end()?;
            self.missing.insert(sid.clone());
            return Ok(sid);
        }
        let mut guest = Guest::new(words.node()?);
        let mut running = false;
        while let Some(word) = words.peek() {
            match word.text.as_str() {
                "cores" => (guest.max_cpu, guest.max_memory) = size(words)?,
                "uses" => {
                    words.take();
                    (guest.cpu, guest.memory) = size(words)?;
                }
                "running" => {
                    words.take();
                    running = true;
                }
                "locked" => {
                    words.take();
                    guest.lock = Some(words.word("the name of a lock")?.text);
                }
                "start" | "stop" | "migrate" | "relocate" => {
                    let (what, time) = timed(words)?;
                    *match what.as_str() {
                        "start" => &mut guest.times.start,
                        "stop" => &mut guest.times.stop,
                        "migrate" => &mut guest.times.migrate,
                        _ => &mut guest.times.relocate,
                    } = Some(time);
                }
                _ => {
                    let known = ["cores", "uses", "running", "locked", "start", "stop", "migrate", "relocate"];
                    return Err(words.unknown(word, "", known));
                }
            }
        }
        self.setup.guests.insert(sid.clone(), GuestSetup { guest, running });
        Ok(sid)
    }

    /// `timings customary`, `timings fast`, `timings NAME VALUE …`, for all or `of NODE`
    fn timings(&mut self, words: &mut Words<'_>) -> Result<(), Problem> {
        let node = if words.accept("of") { Some(words.node()?) } else { None };
        let mut timings = self.timings;
        if words.accept("customary") {
            timings = TimingSettings::customary();
        } else if words.accept("fast") {
            timings = TimingSettings::fast();
        }
        while words.peek().is_some() {
            timing(&mut timings, words)?;
        }
        match node {
            Some(node) => self.own_timings.push((node, timings)),
            None => self.timings = timings,
        }
        Ok(())
    }

    /// `leases last T longer`, `jobs last T at-most`, `records as json`, `multiplexers`
    fn peculiarity(&mut self, what: &str, words: &mut Words<'_>) -> Result<(), Problem> {
        match what {
            "leases" => {
                words.keyword("last")?;
                self.setup.leases_run_long = words.duration()?;
                words.keyword("longer")?;
            }
            "jobs" => {
                words.keyword("last")?;
                self.setup.job_patience = Some(words.duration()?);
                words.keyword("at-most")?;
            }
            "records" => {
                words.keyword("as")?;
                words.keyword("json")?;
                self.setup.records_as_json = true;
            }
            _ => self.setup.multiplexers = true,
        }
        words.end()
    }

    /// `hunted seed N profile P until T [planted BUG]`
    fn hunted(&mut self, words: &mut Words<'_>) -> Result<(), Problem> {
        words.keyword("seed")?;
        let seed = words.value("a number")?;
        words.keyword("profile")?;
        let profile = words.named("profile", Profile::ALL, Profile::as_str)?;
        words.keyword("until")?;
        let faults_end = words.instant()?;
        let planted =
            if words.accept("planted") { Some(words.named("bug", PlantedBug::ALL, PlantedBug::as_str)?) } else { None };
        words.end()?;
        self.hunted = Some(Hunted { line: words.line, seed, profile, faults_end, planted });
        Ok(())
    }

    /// `takes boot 30s start 5s …`
    fn takes(&mut self, words: &mut Words<'_>) -> Result<(), Problem> {
        let durations = &mut self.setup.durations;
        loop {
            let (what, time) = timed(words)?;
            match what.as_str() {
                "start" => durations.jobs.start = time,
                "stop" => durations.jobs.stop = time,
                "migrate" => durations.jobs.migrate = time,
                "relocate" => durations.jobs.relocate = time,
                "boot" => durations.boot = time,
                "boot-after-reset" => durations.boot_after_reset = Some(time),
                "restart" => durations.restart = time,
                "fencing" => durations.fencing = time,
                "fencing-timeout" => durations.fencing_timeout = time,
                _ => durations.stagger = Some(time),
            }
            if words.peek().is_none() {
                return Ok(());
            }
        }
    }

    fn check_whole(&mut self) {
        if self.setup.nodes.is_empty() {
            self.problems.push(problem(0, 0, "there are no nodes: add a line such as 'nodes node1 node2 node3'"));
            return;
        }
        if self.steps.is_empty() && self.end.is_none() {
            self.problems.push(problem(0, 0, "nothing is to happen: add a line such as 'until 5m'"));
        }
        for sid in self.setup.resources.resources.keys() {
            if !self.setup.guests.contains_key(sid) && !self.missing.contains(sid) {
                let message = format!(
                    "resources.cfg has {sid}, but no line says where its guest is: add 'guest {sid} on NODE', or 'guest \
                     {sid} missing' if there shall be none"
                );
                self.problems.push(problem(0, 0, message));
            }
        }
        if self.hunted.is_none() {
            self.check_configured_nodes();
        }
    }

    /// A slip in the name of a node makes a rule or group that says something other than was meant.
    fn check_configured_nodes(&mut self) {
        let setup = &self.setup;
        let groups = setup.groups.groups.values().map(|group| ("groups.cfg", group.id.to_string(), &group.nodes));
        let rules = setup.rules.rules.values().filter_map(|rule| match &rule.kind {
            ha_core::config::RuleKind::NodeAffinity { nodes, .. } => Some(("rules.cfg", rule.id.to_string(), nodes)),
            ha_core::config::RuleKind::ResourceAffinity { .. } | ha_core::config::RuleKind::Order(_) => None,
        });
        let named = groups
            .chain(rules)
            .flat_map(|(file, id, nodes)| nodes.keys().map(move |node| (file, format!("'{id}'"), node)));
        let labelled = setup.labels.nodes.keys().map(|node| ("nodes.cfg", "a section".to_owned(), node));
        let mut problems = Vec::new();
        for (file, what, node) in named.chain(labelled) {
            if !setup.nodes.contains_key(node) {
                let known = setup.nodes.keys().map(NodeName::as_str);
                let hint = match super::problem::suggestion(node.as_str(), known.clone()) {
                    Some(meant) => format!("did you mean '{meant}'?"),
                    None => format!("the nodes are {}", super::problem::alternatives(known).replace(" or ", " and ")),
                };
                let message = format!("{what} names node '{node}', which the scenario does not have: {hint}");
                problems.push(Problem { file: file.to_owned(), line: 0, column: 0, message });
            }
        }
        self.problems.extend(problems);
    }
}

/// A name that a line adds to those that are known.
enum New {
    Node(NodeName),
    Nodes(Vec<NodeName>),
    Service(ServiceId),
}

/// What takes how long.
const TIMED: [&str; 10] = [
    "start",
    "stop",
    "migrate",
    "relocate",
    "boot",
    "boot-after-reset",
    "restart",
    "fencing",
    "fencing-timeout",
    "stagger",
];

fn timed(words: &mut Words<'_>) -> Result<(String, Duration), Problem> {
    let choice = words.choice(&TIMED)?;
    let what = TIMED.get(choice).copied().unwrap_or_default().to_owned();
    Ok((what, words.duration()?))
}

/// One setting, by the name that it has where timings are written down.
fn timing(timings: &mut TimingSettings, words: &mut Words<'_>) -> Result<(), Problem> {
    let name = words.word("'customary', 'fast' or a setting")?;
    let Ok(serde_json::Value::Object(mut settings)) = serde_json::to_value(*timings) else { return Ok(()) };
    let short = |key: &str| key.trim_end_matches("_s").to_owned();
    let key = settings.keys().find(|key| **key == name.text || short(key) == name.text).cloned();
    let Some(key) = key else {
        let known: Vec<String> = settings.keys().map(|key| short(key)).collect();
        return Err(words.unknown(&name, "setting", known.iter().map(String::as_str)));
    };
    let value = if key.ends_with("_s") {
        serde_json::json!(words.duration()?.as_secs_f64())
    } else {
        serde_json::json!(words.value::<u32>("a number")?)
    };
    settings.insert(key, value);
    let settings = serde_json::from_value(settings.into());
    *timings = settings.map_err(|error| words.at(name.column, error.to_string()))?;
    Ok(())
}

/// The comment at the top.
fn title(text: &str) -> String {
    let comments = text.lines().map(str::trim).take_while(|line| line.starts_with('#'));
    let lines: Vec<&str> = comments.map(|line| line.trim_start_matches('#').trim()).collect();
    lines.join(" ")
}
