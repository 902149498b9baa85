//! The node daemon: a CRM and an LRM over the parts of this host.

mod host;
mod load;
pub mod log;
mod shutdown;

pub use host::NodeHost;
pub use load::NodeLoad;
pub use shutdown::stop_request;

use std::{
    fs, io,
    path::PathBuf,
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
    time::{Duration, SystemTime},
};

use ha_core::{
    crm::Crm,
    event::Severity,
    id::NodeName,
    lrm::{Lrm, StopRequest},
    time::{Instant, Next},
    timing::Timings,
};

use crate::{
    VERSION,
    agent::{Launcher, MoveReceiver, NodeAgents, SystemctlCommand, VmAgent},
    clock::{self, ClockWatch},
    files,
    signals::StopSignals,
    store::{Session, SharedStore, Store, StoreAddress, StoreError, StoreSession, service_types},
    watchdog::{MultiplexedWatchdog, NoWatchdog},
};
use log::{Log, LogSource};

/// What a node daemon is to be.
#[derive(Debug, Clone)]
pub struct NodeSettings {
    /// The node.
    pub node: NodeName,
    /// Where the store is.
    pub store: StoreAddress,
    /// Where the daemon keeps what is of use on this node until it is rebooted. An absolute path.
    pub run_directory: PathBuf,
    /// What resets the node.
    pub watchdog: WatchdogChoice,
    /// Under which the other nodes reach this one, a name or number without a port: for guests that are moved live.
    pub address: String,
    /// What launches services.
    pub launcher: Launcher,
}

/// What resets a node that stalls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WatchdogChoice {
    /// The multiplexer that listens on this socket.
    Multiplexer(PathBuf),
    /// Nothing: see [`NoWatchdog`].
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
    /// Another daemon of this node is at work.
    #[error("another daemon of this node is at work: {0} is locked")]
    AlreadyRunning(PathBuf),
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
    let signals = StopSignals::catch().map_err(NodeError::system("catch signals"))?;
    let _only_one = become_the_only_one(settings)?;
    let own = log.source(&settings.node, "node");
    let timings = settings.store.open(FIRST_PATIENCE)?.settings()?.timings;
    let store = settings.store.open(timings.lock_answer())?;
    check_membership(&settings.node, &*store)?;

    let session = StoreSession::begin(store.clone(), settings.node.clone(), timings);
    let session: Arc<dyn Session> = Arc::new(session.map_err(NodeError::system("start a thread"))?);
    own.message(Severity::Info, format!("node daemon {VERSION} begins"));
    if settings.watchdog == WatchdogChoice::None && store.settings()?.nodes.len() > 1 {
        let warning = "without a watchdog a node that stalls goes on with services that another one has started";
        own.message(Severity::Error, warning);
    }

    let stop_crm = Arc::new(Wakeup::default());
    let stop_lrm = Arc::new(Wakeup::default());
    let daemon = Daemon { settings: settings.clone(), timings, store, session };
    let crm = spawn("crm", {
        let (mut host, sink, stop) = (daemon.host(log.source(&settings.node, "crm")), daemon.clone(), stop_crm.clone());
        move || sink.run_crm(&mut host, &stop)
    })?;
    let lrm = spawn("lrm", {
        let (mut host, sink, stop) = (daemon.host(log.source(&settings.node, "lrm")), daemon.clone(), stop_lrm.clone());
        move || sink.run_lrm(&mut host, &stop)
    })?;

    let _receiver = daemon.receive_moves(own.clone()).map_err(NodeError::system("start a thread"))?;

    const LOOK_INTERVAL: Duration = Duration::from_millis(500);
    let mut clock_watch = ClockWatch::new(clock::instant(), SystemTime::now());
    while !lrm.is_finished() {
        if let Some(set) = clock_watch.was_set(clock::instant(), SystemTime::now()) {
            own.message(Severity::Warning, format!("{set}: so do times in records, and nothing else depends on it"));
        }
        if signals.wait(LOOK_INTERVAL) {
            let request = stop_request(&SystemctlCommand);
            own.message(Severity::Notice, format!("asked to stop ({})", shutdown::word(request)));
            stop_lrm.ask(request);
        }
    }
    stop_crm.ask(StopRequest::Restart);
    for thread in [lrm, crm] {
        if thread.join().is_err() {
            own.message(Severity::Error, "a daemon has died of a defect; the watchdog resets the node");
        }
    }
    own.message(Severity::Info, "node daemon ends");
    Ok(())
}

/// Holds the lock of this node's run directory, and writes down this process there.
fn become_the_only_one(settings: &NodeSettings) -> Result<fs::File, NodeError> {
    let directory = &settings.run_directory;
    fs::create_dir_all(directory).map_err(NodeError::system(format!("make {}", directory.display())))?;
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

fn check_membership(node: &NodeName, store: &dyn SharedStore) -> Result<(), NodeError> {
    let members = store.settings()?.nodes;
    if members.contains(node) {
        return Ok(());
    }
    let members: Vec<&str> = members.iter().map(NodeName::as_str).collect();
    Err(NodeError::NotAMember { node: node.clone(), members: members.join(", ") })
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<thread::JoinHandle<()>, NodeError> {
    thread::Builder::new().name(name.into()).spawn(body).map_err(NodeError::system("start a thread"))
}

/// What both daemons of a node share.
#[derive(Clone)]
struct Daemon {
    settings: NodeSettings,
    timings: Timings,
    store: Arc<dyn SharedStore>,
    session: Arc<dyn Session>,
}

impl Daemon {
    fn vm_agent(&self) -> VmAgent {
        let NodeSettings { node, address, run_directory, launcher, .. } = &self.settings;
        VmAgent::new(self.store.clone(), node.clone(), address, run_directory, launcher.clone())
    }

    fn receive_moves(&self, log: LogSource) -> io::Result<MoveReceiver> {
        const SHORTEST: Duration = Duration::from_millis(100);
        const LONGEST: Duration = Duration::from_secs(1);
        let interval = (self.timings.lock_answer() / 2).clamp(SHORTEST, LONGEST);
        MoveReceiver::start(self.vm_agent(), interval, move |problem| log.message(Severity::Warning, problem))
    }

    fn host(&self, sink: LogSource) -> NodeHost {
        let NodeSettings { node, run_directory, watchdog, launcher, .. } = &self.settings;
        let store: Arc<dyn Store> = self.store.clone();
        let vm = self.vm_agent();
        let agents = NodeAgents::new(
            store.clone(),
            node.clone(),
            service_types(),
            run_directory,
            launcher,
            vm,
            Arc::new(sink.clone()),
        );
        let watchdog: Box<dyn ha_core::host::Watchdog + Send> = match watchdog {
            WatchdogChoice::Multiplexer(socket) => Box::new(MultiplexedWatchdog::new(socket)),
            WatchdogChoice::None => Box::new(NoWatchdog),
        };
        NodeHost::new(node.clone(), store, self.session.clone(), watchdog, agents, run_directory, sink)
    }

    fn run_crm(&self, host: &mut NodeHost, stop: &Wakeup) {
        let mut crm = Crm::start(self.settings.node.clone(), self.timings, host);
        loop {
            if stop.asked().is_some() {
                crm.request_stop(host);
            }
            match crm.tick(host, clock::now()) {
                Next::At { instant, .. } => stop.wait_until(instant),
                Next::Exit => return,
            }
        }
    }

    fn run_lrm(&self, host: &mut NodeHost, stop: &Wakeup) {
        let mut lrm = Lrm::start(self.settings.node.clone(), self.timings, host);
        loop {
            if let Some(request) = stop.asked() {
                lrm.request_stop(request, host, clock::now());
            }
            match lrm.tick(host, clock::now()) {
                Next::At { instant, .. } => stop.wait_until(instant),
                Next::Exit => return,
            }
        }
    }
}

/// Wakes a daemon that waits, to ask it to stop.
#[derive(Debug, Default)]
struct Wakeup {
    request: Mutex<(Option<StopRequest>, bool)>,
    wake: Condvar,
}

impl Wakeup {
    fn ask(&self, request: StopRequest) {
        let mut state = self.request.lock().unwrap_or_else(PoisonError::into_inner);
        state.0.get_or_insert(request);
        state.1 = true;
        self.wake.notify_all();
    }

    fn asked(&self) -> Option<StopRequest> {
        self.request.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    /// Waits until that moment, or until somebody asks.
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
