//! The node daemon: a CRM and an LRM over the parts of this host.

mod guard;
mod host;
pub mod log;
mod output;
mod pace;
mod record;
mod shutdown;
mod standing;
mod state;
mod upkeep;

pub use guard::{BY_DEVICES, BY_NOTHING, fence_devices_alone_guard};
pub use host::NodeHost;
pub use shutdown::stop_request;
pub use state::{KnownCluster, StateDirectory};

use std::{
    any::Any,
    fs, io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, PoisonError},
    task::{Wake, Waker},
    thread,
    time::{Duration, SystemTime},
};

use ha_core::{
    event::{Event, NodeRecord, Severity},
    history::Source,
    host::Watchdog,
    id::NodeName,
    lrm::StopRequest,
    record::Recorder,
    status::Writer,
    time::{Instant, Next},
    timing::Timings,
    watchdog::{Refusal, Terms},
};

use crate::{
    VERSION,
    agents::{Complaints, Kinds, Launcher, NodeAgents, SharedSink, SystemctlCommand, Workplace},
    history::{History, HistorySettings, JournalLimits, Report},
    os::{
        cgroup::Containment,
        clock::{self, ClockWatch, SleepWatch},
        files,
        signals::StopSignals,
        systemd::{self, StatusLine},
    },
    store::{
        ClusterSettings, Identity, Session, SharedStore, SpaceLevel, Store, StoreAddress, StoreError, StoreSession,
        StoreSpace, StoreWriter, TwinNote,
    },
    watchdog::MultiplexedWatchdog,
};
use guard::{Guard, WithoutWatchdog};
use log::{Log, LogSource};
use output::ServiceLogs;
use pace::DaemonPace;
use record::RecordingFile;
use shutdown::Stopping;
use standing::Standing;

/// How a node daemon is set up.
#[derive(Debug, Clone)]
pub struct NodeSettings {
    /// The node.
    pub node: NodeName,
    /// Where the store is.
    pub store: StoreAddress,
    /// Where the daemon keeps what is of use on this node until it is rebooted. An absolute path.
    pub run_directory: PathBuf,
    /// Where the daemon keeps what must survive a reboot. An absolute path.
    pub state_directory: PathBuf,
    /// What resets the node.
    pub watchdog: WatchdogChoice,
    /// The address by which the other nodes reach this one, a name or number without a port: for guests that are moved live.
    pub address: String,
    /// What launches services.
    pub launcher: Launcher,
    /// The kinds of guests that can be run here.
    pub kinds: Kinds,
    /// Where the programs of `exec` probes lie. An absolute path.
    pub probe_directory: PathBuf,
    /// Where everything is recorded that the daemons ask and get, if that is wanted.
    pub record: Option<PathBuf>,
    /// How much this node's journal of its history keeps.
    pub history: JournalLimits,
}

/// What resets a node that stalls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WatchdogChoice {
    /// The multiplexer that listens on this socket.
    Multiplexer(PathBuf),
    /// Nothing: see [`NoWatchdog`](crate::watchdog::NoWatchdog).
    None,
}

/// Why a node daemon does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// The store can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The node is not a member of the cluster.
    #[error("'{node}' is no node of this cluster, which has {members}")]
    NotAMember {
        /// The node.
        node: NodeName,
        /// The members.
        members: String,
    },
    /// Another machine works under this node's name, and a person has to decide.
    #[error(
        "another machine works under the name {node}: {record} was written by {writer}. This one stops working. See that only one of the two is left, then run 'ha node clear-twin' on it"
    )]
    HasTwin {
        /// The node.
        node: NodeName,
        /// What was written by the other one.
        record: NodeRecord,
        /// The other one: machine, boot and process.
        writer: String,
    },
    /// Another daemon of this node is at work.
    #[error("another daemon of this node is at work: {0} is locked")]
    AlreadyRunning(PathBuf),
    /// Nothing would guard the node.
    #[error(
        "without a watchdog a node that stalls goes on with services that another one has started: in a cluster of several nodes \
        '--watchdog none' is for 'fencing: hardware' in datacenter.cfg alone, with each node connected to a device in fence.cfg"
    )]
    Unguarded,
    /// The multiplexer does not fit this cluster.
    #[error("the watchdog multiplexer at {socket} does not guard this node: {refusal}")]
    Refused {
        /// Where it listens.
        socket: PathBuf,
        /// Why.
        refusal: Refusal,
    },
    /// A daemon ended in a way that it should not.
    #[error("a daemon of this node has died: see the log")]
    Died,
    /// The system did not do what it was asked for.
    #[error("cannot {action}: {source}")]
    System {
        /// What was tried, as a verb.
        action: String,
        /// Why not.
        source: io::Error,
    },
}

impl NodeError {
    /// The exit code of a daemon that stops working because another machine works under its node's name.
    pub const TWIN_EXIT_CODE: u8 = 3;

    fn has_twin(node: &NodeName, note: TwinNote) -> Self {
        Self::HasTwin { node: node.clone(), record: note.record, writer: note.writer }
    }
    fn system(action: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let action = action.into();
        move |source| Self::System { action, source }
    }
}

/// Before the timings are known.
const FIRST_PATIENCE: Duration = Duration::from_secs(10);

/// Runs the daemon of a node until it is asked to stop by a signal and has come to an end.
///
/// On a signal the LRM is asked to stop first, then, when it has ended, the CRM: the LRM may need a master for its services to be
/// frozen.
///
/// # Errors
///
/// If it does not start. Once it runs nothing is an error: it reports events.
pub fn run(settings: &NodeSettings, log: &Log) -> Result<(), NodeError> {
    /// How long a daemon that ends waits for what it has reported to be kept.
    const PATIENCE: Duration = Duration::from_secs(2);
    let signals = StopSignals::catch_as_daemon().map_err(NodeError::system("catch signals"))?;
    // It is the only one that writes this node's journal too.
    let _only_one = become_the_only_one(settings)?;
    let history = keep_history(settings, log)?;
    let ended = run_daemons(settings, signals, &log.kept_in(history.clone()));
    if let Err(error) = &ended {
        history.report(Report::message(Source::Node, Severity::Error, &error.to_string()));
    }
    history.flush(PATIENCE);
    ended
}

/// Begins to keep what happens on this node. It is said in the log alone what is wrong with that.
fn keep_history(settings: &NodeSettings, log: &Log) -> Result<History, NodeError> {
    let own = log.source(&settings.node, "node");
    let history = HistorySettings {
        node: settings.node.clone(),
        directory: journal_directory(&settings.state_directory),
        limits: settings.history,
        store: settings.store.clone(),
        patience: settings.store.patience(),
    };
    let tell = move |severity, text| own.lasting_message(severity, text);
    History::start(history, Arc::new(tell)).map_err(NodeError::system("start a thread"))
}

/// Where a node keeps the journal of its history, below what must survive a reboot.
#[must_use]
pub fn journal_directory(state_directory: &Path) -> PathBuf {
    state_directory.join("history")
}

fn run_daemons(settings: &NodeSettings, signals: StopSignals, log: &Log) -> Result<(), NodeError> {
    let own = log.source(&settings.node, "node");
    let state = StateDirectory::at(&settings.state_directory);
    if let Some(note) = state.twin(&settings.node)? {
        return Err(NodeError::has_twin(&settings.node, note));
    }
    let Some((cluster, store)) = open_store(settings, &state, signals, &own)? else { return Ok(()) };
    let timings = cluster.timings;
    check_membership(&settings.node, &cluster)?;
    let Some(session) = take_part(settings, &state, timings, &store, signals, &own)? else { return Ok(()) };
    let mut guard = Guard::begin(&settings.watchdog, &timings, &*store, &own)?;
    own.message(Severity::Info, format!("node daemon {VERSION} begins"));
    session.is_guarded_by(guard.known());
    say_how_services_are_held(settings.launcher.containment(), &own);
    let daemon = Daemon::new(settings, cluster.timings, (store, session.clone()), log, state.writer()?);
    let mut daemons = Daemons::start(daemon.clone())?;
    systemd::ready(standing::BEGINS);
    let _upkeep = upkeep::begin(daemon.store.clone(), settings.node.clone(), own.clone())
        .map_err(NodeError::system("start a thread"))?;
    let _attended = daemon.attend(&own).map_err(NodeError::system("start a thread"))?;

    const LOOK_INTERVAL: Duration = Duration::from_millis(500);
    let mut clock_watch = ClockWatch::new(clock::instant(), SystemTime::now());
    let mut sleep_watch = SleepWatch::default();
    let mut space = SpaceWatch::default();
    let mut stopping = Stopping::new(SystemctlCommand);
    let mut logs = ServiceLogs::new(&settings.run_directory, settings.kinds.words());
    let mut is_removed = false;
    let mut status_line = StatusLine::default();
    while !daemons.lrm.is_finished() {
        if let Some(note) = session.twin() {
            return Err(stop_for_twin(settings, &state, &*daemon.store, &own, note));
        }
        space.look(session.space(), &own);
        if session.is_removed() && !std::mem::replace(&mut is_removed, true) {
            SharedSink::event(&own, Event::RemovedFromCluster { node: settings.node.clone() });
            daemons.stop_lrm.ask(StopRequest::NodeShutdown);
        }
        watch_clocks(&mut clock_watch, &mut sleep_watch, &own);
        guard.look(&own);
        session.is_guarded_by(guard.known());
        status_line.say(daemon.standing.line(guard.known()));
        session.has_pace(DaemonPace::worse(&daemon.crm_pace, &daemon.lrm_pace));
        daemons.look_after_crm(&own)?;
        logs.turn_over(&own);
        if signals.wait(LOOK_INTERVAL) {
            stopping.begin(clock::instant());
        }
        if let Some(request) = stopping.look(clock::instant(), &own) {
            daemons.stop_lrm.ask(request);
        }
    }
    systemd::stopping("the LRM has ended");
    let ended = daemons.end(&own);
    if ended.is_ok()
        && let Err(error) = session.leave()
    {
        own.message(Severity::Warning, format!("the node's next daemon has to wait: {error}"));
    }
    own.message(Severity::Info, "node daemon ends");
    ended?;
    // Where it is a member again by now another start of this daemon works.
    if is_removed { check_membership(&settings.node, &daemon.store.settings()?) } else { Ok(()) }
}

/// Says where the wall clock was set, or the machine has slept.
fn watch_clocks(clock_watch: &mut ClockWatch, sleep_watch: &mut SleepWatch, log: &LogSource) {
    if let Some(set) = clock_watch.was_set(clock::instant(), SystemTime::now()) {
        log.message(Severity::Warning, format!("{set}: so do times in records, and nothing else depends on it"));
    }
    if let Some(slept) = sleep_watch.has_slept() {
        let slept = slept.as_secs_f64();
        let text = format!("this machine slept for {slept:.0} s: a node of a cluster must not, see README");
        log.message(Severity::Error, text);
    }
}

/// Both daemons, each in its thread.
struct Daemons {
    daemon: Daemon,
    crm: DaemonThread,
    lrm: DaemonThread,
    stop_crm: Arc<Wakeup>,
    stop_lrm: Arc<Wakeup>,
    /// Whether a CRM has ended unasked.
    crm_died: bool,
}

/// Says whether the daemon came to its end without a defect.
type DaemonThread = thread::JoinHandle<bool>;

impl Daemons {
    fn start(daemon: Daemon) -> Result<Self, NodeError> {
        let (stop_crm, stop_lrm) = (Arc::new(Wakeup::default()), Arc::new(Wakeup::default()));
        let record = daemon.settings.record.as_deref();
        let recorder = |name| RecordingFile::recorder(record, &daemon.settings.node, name);
        let (crm_recorder, lrm_recorder) = (recorder("crm")?, recorder("lrm")?);
        let crm = daemon.clone().start_crm(crm_recorder, stop_crm.clone())?;
        let lrm = daemon.clone().start_lrm(lrm_recorder, stop_lrm.clone())?;
        Ok(Self { daemon, crm, lrm, stop_crm, stop_lrm, crm_died: false })
    }

    /// Where the CRM has ended unasked, this node ends as for a restart of its daemons: its services go on, frozen. That takes a
    /// master, so where there may be no other node another CRM takes over, once.
    fn look_after_crm(&mut self, log: &LogSource) -> Result<(), NodeError> {
        if !self.crm.is_finished() || self.crm_died {
            return Ok(());
        }
        self.crm_died = true;
        log.message(
            Severity::Error,
            "the CRM has ended unasked: the daemons of this node restart, and its services go on",
        );
        self.stop_lrm.ask(StopRequest::Restart);
        self.crm = self.daemon.clone().start_crm(Recorder::off(), self.stop_crm.clone())?;
        Ok(())
    }

    fn end(self, log: &LogSource) -> Result<(), NodeError> {
        self.stop_crm.ask(StopRequest::Restart);
        let lrm = self.lrm.join().unwrap_or(false);
        let crm = self.crm.join().unwrap_or(false);
        if !lrm {
            log.message(Severity::Error, "the LRM has died with its watchdog open: this node is reset");
        }
        if lrm && crm && !self.crm_died { Ok(()) } else { Err(NodeError::Died) }
    }
}

fn say_how_services_are_held(containment: &Containment, log: &LogSource) {
    let severity = match containment {
        Containment::Cgroup(_) => Severity::Info,
        Containment::Guardian { .. } => Severity::Warning,
    };
    log.message(severity, containment.to_string());
}

/// Begins to take part, and waits as long as it may be that another machine is at work under this node's name. Nothing if
/// this daemon is asked to stop meanwhile.
fn take_part(
    settings: &NodeSettings,
    state: &StateDirectory,
    timings: Timings,
    store: &Arc<dyn SharedStore>,
    signals: StopSignals,
    log: &LogSource,
) -> Result<Option<Arc<StoreSession>>, NodeError> {
    const LOOK_INTERVAL: Duration = Duration::from_millis(50);
    let identity = Identity {
        writer: StoreWriter::this_process(&state.writer()?),
        note: Some(settings.run_directory.join("written.json")),
        cluster: Some(state.join_that_of(&**store, &settings.store)?),
        decided_against: state.decided_against(&settings.node)?,
    };
    if let Err(error) = store.reserve_room() {
        log.message(
            Severity::Warning,
            format!("no room was reserved, so that a full store may cost a node its lock: {error}"),
        );
    }
    let session = StoreSession::begin_as(store.clone(), settings.node.clone(), timings, identity);
    let session = Arc::new(session.map_err(NodeError::system("start a thread"))?);
    let began = clock::instant();
    let mut told = None;
    while !session.is_present() {
        if let Some(note) = session.twin() {
            return Err(stop_for_twin(settings, state, &**store, log, note));
        }
        let waits = match session.refresh() {
            Ok(()) => {
                let (node, seconds) = (&settings.node, timings.lock_lifetime().as_secs_f64());
                let text = "another machine may be at work as";
                Some((Severity::Notice, format!("{text} {node}: waits until it has been silent for {seconds:.0} s")))
            }
            Err(error) if clock::instant().since(began) >= RETRY_INTERVAL => {
                Some((Severity::Warning, waits_for(&error)))
            }
            // It has not been looked yet.
            Err(_) => None,
        };
        if let Some((severity, waits)) = waits
            && told.replace(severity) != Some(severity)
        {
            systemd::ready(&waits);
            log.message(severity, waits);
        }
        if signals.wait(LOOK_INTERVAL) {
            return Ok(None);
        }
    }
    Ok(Some(session))
}

/// The node does not work until a person has decided. Its daemons are not called any more, and a watchdog that is open is
/// neither fed nor closed: it resets the node, whose services run elsewhere by now or soon.
fn stop_for_twin(
    settings: &NodeSettings,
    state: &StateDirectory,
    store: &dyn SharedStore,
    log: &LogSource,
    note: TwinNote,
) -> NodeError {
    let node = &settings.node;
    let TwinNote { record, writer, .. } = note.clone();
    SharedSink::event(log, Event::TwinSeen { node: node.clone(), record, writer });
    // Both notes are for people; whoever has seen it stops whether they can be written or not.
    for noted in [state.set_twin(node, Some(&note)), store.set_twin(node, Some(&note))] {
        if let Err(error) = noted {
            log.message(Severity::Warning, format!("cannot note that {node} has a twin: {error}"));
        }
    }
    NodeError::has_twin(node, note)
}

/// Reports how much room the store has left, when that gets worse or well again.
#[derive(Debug, Default)]
struct SpaceWatch(Option<SpaceLevel>);

impl SpaceWatch {
    fn look(&mut self, space: Option<StoreSpace>, log: &LogSource) {
        let Some(space) = space else { return };
        let (before, level) = (self.0.replace(space.level()).unwrap_or(SpaceLevel::Enough), space.level());
        let StoreSpace { free_percent } = space;
        match level {
            SpaceLevel::Low | SpaceLevel::Critical if level != before => {
                SharedSink::event(log, Event::StoreSpaceLow { free_percent });
            }
            SpaceLevel::Enough if level != before => SharedSink::event(log, Event::StoreSpaceEnough { free_percent }),
            SpaceLevel::Enough | SpaceLevel::Low | SpaceLevel::Critical => {}
        }
    }
}

/// Holds the lock of this node's run directory, and writes down this process there.
fn become_the_only_one(settings: &NodeSettings) -> Result<fs::File, NodeError> {
    let directory = &settings.run_directory;
    files::make_private_directory(directory).map_err(NodeError::system(format!("make {}", directory.display())))?;
    let path = directory.join("daemon.lock");
    let lock = files::lock(&path, Duration::ZERO).map_err(|error| {
        if error.kind() == io::ErrorKind::TimedOut {
            NodeError::AlreadyRunning(path.clone())
        } else {
            NodeError::System { action: format!("lock {}", path.display()), source: error }
        }
    })?;
    let pid = format!("{}\n", std::process::id());
    let path = directory.join("daemon.pid");
    let written = files::replace(&path, pid.as_bytes(), "pid", files::Durability::Memory);
    written.map_err(NodeError::system(format!("write {}", path.display())))?;
    Ok(lock)
}

/// How often a store is tried that does not answer yet.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

fn waits_for(error: &StoreError) -> String {
    format!("waits for the store: {error}")
}

/// A store, and the settings that it holds.
type OpenStore = (ClusterSettings, Arc<dyn SharedStore>);

/// Opens the store, and waits for one that does not answer yet: when a whole cluster is switched on, its nodes may be up before
/// the store is. Nothing if this daemon is asked to stop meanwhile.
fn open_store(
    settings: &NodeSettings,
    state: &StateDirectory,
    signals: StopSignals,
    log: &LogSource,
) -> Result<Option<OpenStore>, NodeError> {
    let address = &settings.store;
    let open = || {
        let cluster = address.open(FIRST_PATIENCE).map_err(|error| state.explain(error))?.settings()?;
        let store = address.open(cluster.timings.lock_answer())?;
        state.check(&*store)?;
        Ok::<_, StoreError>((cluster, store))
    };
    let mut is_told = false;
    loop {
        match open() {
            Err(error) if error.may_pass() => {
                if !is_told {
                    let waits = waits_for(&error);
                    // It has begun, whatever it waits for: the store may come much later.
                    systemd::ready(&waits);
                    log.message(Severity::Warning, waits);
                    is_told = true;
                }
                if signals.wait(RETRY_INTERVAL) {
                    return Ok(None);
                }
            }
            opened => return Ok(Some(opened?)),
        }
    }
}

fn check_membership(node: &NodeName, cluster: &ClusterSettings) -> Result<(), NodeError> {
    if cluster.nodes.contains(node) {
        return Ok(());
    }
    let members: Vec<&str> = cluster.nodes.iter().map(NodeName::as_str).collect();
    Err(NodeError::NotAMember { node: node.clone(), members: members.join(", ") })
}

fn spawn(name: &str, body: impl FnOnce() -> bool + Send + 'static) -> Result<DaemonThread, NodeError> {
    thread::Builder::new().name(name.into()).spawn(body).map_err(NodeError::system("start a thread"))
}

/// What both daemons of a node share.
#[derive(Clone)]
struct Daemon {
    settings: NodeSettings,
    timings: Timings,
    store: Arc<dyn SharedStore>,
    session: Arc<dyn Session>,
    log: Log,
    writer: Writer,
    crm_pace: DaemonPace,
    lrm_pace: DaemonPace,
    standing: Standing,
}

impl Daemon {
    fn new(
        settings: &NodeSettings,
        timings: Timings,
        (store, session): (Arc<dyn SharedStore>, Arc<dyn Session>),
        log: &Log,
        writer: Writer,
    ) -> Self {
        Self {
            settings: settings.clone(),
            timings,
            store,
            session,
            log: log.clone(),
            writer,
            crm_pace: DaemonPace::default(),
            lrm_pace: DaemonPace::default(),
            standing: Standing::default(),
        }
    }

    fn agents(&self, sink: LogSource) -> NodeAgents {
        let NodeSettings { node, address, run_directory, launcher, kinds, .. } = &self.settings;
        let place = Workplace {
            store: self.store.clone(),
            node: node.clone(),
            address: address.clone(),
            run_directory: run_directory.clone(),
            launcher: launcher.clone(),
        };
        NodeAgents::new(kinds, &place, Arc::new(sink))
    }

    /// Begins what the agents have to do beside jobs.
    fn attend(&self, log: &LogSource) -> io::Result<Vec<Box<dyn Send>>> {
        const SHORTEST: Duration = Duration::from_millis(200);
        const LONGEST: Duration = Duration::from_secs(1);
        let interval = (self.timings.lock_answer() / 2).clamp(SHORTEST, LONGEST);
        let complaints = || -> Complaints {
            let log = log.clone();
            Box::new(move |problem| log.message(Severity::Warning, problem))
        };
        self.agents(log.clone()).attend(interval, complaints)
    }

    fn host(&self, sink: LogSource, pace: &DaemonPace) -> NodeHost {
        let NodeSettings { node, run_directory, watchdog, probe_directory, .. } = &self.settings;
        let store: Arc<dyn Store> = self.store.clone();
        let agents = self.agents(sink.clone());
        let watchdog: Box<dyn ha_core::host::Watchdog + Send> = match watchdog {
            WatchdogChoice::Multiplexer(socket) => Box::new(MultiplexedWatchdog::new(socket, Terms::of(&self.timings))),
            WatchdogChoice::None => Box::new(WithoutWatchdog(self.store.clone())),
        };
        let session = self.session.clone();
        NodeHost::new(node.clone(), store, session, watchdog, agents, run_directory, sink)
            .with_probes_in(probe_directory)
            .with_pace(pace.clone())
    }

    fn start_crm(self, recorder: Recorder<RecordingFile>, stop: Arc<Wakeup>) -> Result<DaemonThread, NodeError> {
        let log = self.log.source(&self.settings.node, "crm");
        let mut host = self.host(log.clone(), &self.crm_pace);
        spawn("crm", move || {
            let ended = comes_to_its_end(&log, || self.run_crm(&mut host, recorder, &stop));
            // Its thread is over, and the round with it: nothing is touched any more under the lock that this guards.
            if !ended && let Err(error) = host.close() {
                log.message(Severity::Error, error.to_string());
            }
            ended
        })
    }

    /// If it dies its watchdog is left as it is, and so resets the node: its services run.
    fn start_lrm(self, recorder: Recorder<RecordingFile>, stop: Arc<Wakeup>) -> Result<DaemonThread, NodeError> {
        let log = self.log.source(&self.settings.node, "lrm");
        let mut host = self.host(log.clone(), &self.lrm_pace);
        host.wake_when_a_job_ends(Waker::from(stop.clone()));
        spawn("lrm", move || comes_to_its_end(&log, || self.run_lrm(&mut host, recorder, &stop)))
    }

    fn run_crm(&self, host: &mut NodeHost, mut recorder: Recorder<RecordingFile>, stop: &Wakeup) {
        let mut crm = recorder.start_crm(self.settings.node.clone(), self.timings, host);
        loop {
            if stop.asked().is_some() {
                recorder.stop_crm(&mut crm, host);
            }
            let now = clock::now();
            let next = recorder.tick_crm(&mut crm, host, now);
            self.crm_pace.ends_round(now.instant);
            self.standing.of_crm(&crm);
            match next {
                Next::At { instant, .. } => stop.wait_until(instant),
                Next::Exit => return,
            }
        }
    }

    fn run_lrm(&self, host: &mut NodeHost, mut recorder: Recorder<RecordingFile>, stop: &Wakeup) {
        let mut lrm = recorder.start_lrm(self.settings.node.clone(), self.timings, host);
        recorder.set_writer(&mut lrm, self.writer.clone());
        loop {
            if let Some(request) = stop.asked() {
                recorder.stop_lrm(&mut lrm, request, host, clock::now());
            }
            let now = clock::now();
            let next = recorder.tick_lrm(&mut lrm, host, now);
            self.lrm_pace.ends_round(now.instant);
            self.standing.of_lrm(&lrm);
            match next {
                Next::At { instant, .. } => stop.wait_until(instant),
                Next::Exit => return,
            }
        }
    }
}

/// Whether a daemon comes to its end; if it dies of a defect that is told at once.
fn comes_to_its_end(log: &LogSource, body: impl FnOnce()) -> bool {
    let Err(defect) = catch_unwind(AssertUnwindSafe(body)) else { return true };
    log.message(Severity::Error, format!("died of a defect: {}", defect_text(&*defect)));
    false
}

fn defect_text(defect: &(dyn Any + Send)) -> &str {
    let owned = defect.downcast_ref::<String>().map(String::as_str);
    owned.or_else(|| defect.downcast_ref::<&str>().copied()).unwrap_or("it says nothing of it")
}

/// Wakes a daemon that waits: to ask it to stop, or since a job has ended.
#[derive(Debug, Default)]
struct Wakeup {
    request: Mutex<(Option<StopRequest>, bool)>,
    wake: Condvar,
}

impl Wake for Wakeup {
    fn wake(self: Arc<Self>) {
        self.request.lock().unwrap_or_else(PoisonError::into_inner).1 = true;
        self.wake.notify_all();
    }
}

impl Wakeup {
    fn ask(&self, request: StopRequest) {
        let mut state = self.request.lock().unwrap_or_else(PoisonError::into_inner);
        // The node may go down while only this daemon was asked to restart.
        if state.0.is_none_or(|asked| asked == StopRequest::Restart) {
            state.0 = Some(request);
        }
        state.1 = true;
        self.wake.notify_all();
    }

    fn asked(&self) -> Option<StopRequest> {
        self.request.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    /// Waits until that moment, or until somebody wakes it.
    fn wait_until(&self, moment: Instant) {
        let mut state = self.request.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let left = moment.since(clock::instant());
            if left.is_zero() || state.1 {
                state.1 = false;
                return;
            }
            state = self.wake.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
