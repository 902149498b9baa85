//! Verbs that go on running, and what they need.

use std::{
    ffi::OsString,
    fs,
    io::{self, Write},
    os::fd::AsRawFd,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::Duration,
};

use clap::Args;
use ha_core::{
    event::Severity,
    id::NodeName,
    timing::{TimingSettings, Timings},
    watchdog::MultiplexerEvent,
};
use ha_host::{
    agents::{Kinds, Launcher, PROBE_DIRECTORY},
    history::JournalLimits,
    node::{
        self, KnownCluster, NodeError, NodeSettings, StateDirectory, WatchdogChoice,
        log::{Log, LogFormat, LogSource},
    },
    os::{signals::StopSignals, systemd},
    store::{ClusterSettings, StoreAddress},
    watchdog::{
        Ioctls, LinuxDevice, Machine, MachineEnd, MultiplexerError, MultiplexerServer, MultiplexerSettings,
        ProcessDevice, kill_descendants, load_module,
    },
};

use super::context::{Context, Failure, absolute, note, own_node, store_address};

/// Where the daemon of a machine keeps what is of use until it is rebooted.
pub(super) const RUN_DIRECTORY: &str = "/run/ha";

/// What `ha init` takes.
#[derive(Debug, Args)]
pub(super) struct InitArguments {
    /// The nodes of the cluster, separated by commas.
    #[arg(long, required = true, value_delimiter = ',')]
    nodes: Vec<NodeName>,
    /// 'customary' (a start elsewhere after about two minutes), 'fast' (after less than ten seconds), or a JSON file.
    #[arg(long, default_value = "customary")]
    timings: String,
}

/// What `ha node run` takes.
#[derive(Debug, Args)]
pub(super) struct NodeArguments {
    /// Where the daemon keeps what is of use on this node until it is rebooted.
    #[arg(long, alias = "run_dir", default_value = RUN_DIRECTORY, value_name = "DIRECTORY")]
    run_dir: PathBuf,
    /// What resets the node: 'mux:SOCKET', or 'none' for a cluster of a single node, or one that fence devices alone guard.
    #[arg(long, default_value = "mux:/run/ha-watchdog-mux.sock")]
    watchdog: String,
    /// The address by which the other nodes reach this one when a virtual machine is moved; by default the node's name.
    #[arg(long)]
    address: Option<String>,
    /// The form of the log on the standard output: 'text' or 'json'.
    #[arg(long, default_value = "text", value_parser = parse_log_format)]
    log: LogFormat,
    /// Where the programs lie that probes 'exec:NAME' run.
    #[arg(long, default_value = PROBE_DIRECTORY, value_name = "DIRECTORY")]
    probes: PathBuf,
    /// Records all that the daemons ask and get into files of this folder, for 'ha-sim replay'. They grow without end.
    #[arg(long, value_name = "FOLDER")]
    record: Option<PathBuf>,
    /// How many megabytes this node keeps of its history.
    #[arg(long, alias = "history_mb", value_name = "MB", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    history_mb: u32,
    /// For how many days this node keeps its history.
    #[arg(long, alias = "history_days", value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    history_days: u32,
}

/// What `ha watchdog-mux` takes.
#[derive(Debug, Args)]
pub(super) struct MuxArguments {
    /// Where it listens.
    #[arg(long, default_value = "/run/ha-watchdog-mux.sock")]
    socket: PathBuf,
    /// The watchdog device.
    #[arg(long, default_value = "/dev/watchdog")]
    device: PathBuf,
    /// A file that is there while there are clients; on a file system that a reset empties.
    #[arg(long, default_value = "/run/ha-watchdog-mux.active")]
    marker: PathBuf,
    /// The file that names the kernel module, as WATCHDOG_MODULE=name.
    #[arg(long, alias = "environment_file", default_value = "/etc/default/ha-watchdog-mux")]
    environment_file: PathBuf,
    /// As for 'ha init'; they must be those of the cluster: daemons that count on others are refused.
    #[arg(long, env = "HA_TIMINGS", default_value = "customary")]
    timings: String,
    /// Use no other device than this one: its identity, its driver, or 'hardware' for any but softdog.
    #[arg(long, env = "HA_WATCHDOG_REQUIRE", value_name = "DEVICE")]
    require: Option<String>,
}

/// What `ha supervise` takes.
#[derive(Debug, Args)]
pub(super) struct SuperviseArguments {
    /// Where its watchdog listens.
    #[arg(long)]
    socket: PathBuf,
    /// As for 'ha init'.
    #[arg(long, default_value = "fast")]
    timings: String,
    /// The command and its arguments.
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

/// What `ha demo` takes.
#[derive(Debug, Args)]
pub(crate) struct DemoArguments {
    /// Where the demonstration keeps its files, which are left there then. By default a directory that is removed.
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) directory: Option<PathBuf>,
    /// Serve the page too, by the program 'ha-web', and wait at the beginning and at the end for who looks. Any free port of this
    /// machine, unless an address is given.
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, require_equals = true, default_missing_value = "127.0.0.1:0")]
    pub(crate) web: Option<String>,
}

/// What `ha demo-disk` takes.
#[derive(Debug, Args)]
pub(crate) struct DiskArguments {
    /// The file that stands for the disk.
    pub(crate) disk: PathBuf,
}

fn parse_log_format(text: &str) -> Result<LogFormat, String> {
    LogFormat::named(text, io::stdout().as_raw_fd())
}

/// Timings by name or from a file.
pub(crate) fn named_timings(name: &str) -> Result<Timings, Failure> {
    let settings = match name {
        "customary" => TimingSettings::customary(),
        "fast" => TimingSettings::fast(),
        file => {
            let text = fs::read_to_string(file).map_err(|error| {
                Failure::Usage(format!("--timings: '{file}' is neither 'customary' nor 'fast' nor a file: {error}"))
            })?;
            serde_json::from_str(&text).map_err(|error| Failure::Usage(format!("--timings: {file}: {error}")))?
        }
    };
    settings.validate().map_err(|errors| Failure::Usage(format!("--timings: {errors}")))
}

/// A node that is in a cluster whose store is not there makes no other one instead.
pub(super) fn init(
    store: Option<&str>,
    node: Option<NodeName>,
    state: &StateDirectory,
    arguments: &InitArguments,
) -> Result<ExitCode, Failure> {
    let address = store_address(store)?;
    if let Ok(Some(known)) = state.known_cluster() {
        let KnownCluster { id, store } = known;
        return Err(Failure::Failed(format!(
            "this node belongs to the cluster {id} in {store} already: if that is not there, mount it; if this node is to go to another cluster, let it leave that one first, with 'ha node leave'"
        )));
    }
    let timings = named_timings(&arguments.timings)?;
    let mut nodes = arguments.nodes.clone();
    nodes.sort();
    if let Some(pair) = nodes.windows(2).find(|pair| pair.first() == pair.last()) {
        let name = pair.first().map(ToString::to_string).unwrap_or_default();
        return Err(Failure::Usage(format!("--nodes: '{name}' is given twice")));
    }
    nodes.iter().try_for_each(NodeName::check_length)?;
    let names: Vec<&str> = nodes.iter().map(NodeName::as_str).collect();
    let made = format!("made: a cluster of {}, with timings '{}'", names.join(", "), arguments.timings);
    address.create(&ClusterSettings { nodes, timings })?;
    if let Ok(context) = Context::new(store, node, StateDirectory::at(state.path())) {
        context.keep_change("init", "the cluster", &made);
    }
    Ok(ExitCode::SUCCESS)
}

/// The store is not opened here: the daemon waits for it if need be.
pub(super) fn node_run(
    store: Option<&str>,
    node: Option<NodeName>,
    state_dir: Option<&Path>,
    arguments: &NodeArguments,
) -> Result<ExitCode, Failure> {
    let watchdog = match arguments.watchdog.split_once(':') {
        Some(("mux", socket)) if !socket.is_empty() => WatchdogChoice::Multiplexer(socket.into()),
        None if arguments.watchdog == "none" => WatchdogChoice::None,
        Some(_) | None => {
            let message = format!("--watchdog: '{}' is neither 'mux:SOCKET' nor 'none'", arguments.watchdog);
            return Err(Failure::Usage(message));
        }
    };
    let node = own_node(node)?;
    let settings = NodeSettings {
        address: arguments.address.clone().unwrap_or_else(|| node.to_string()),
        node,
        store: match store_address(store)? {
            StoreAddress::File(directory) => StoreAddress::File(absolute(&directory)?),
            etcd @ StoreAddress::Etcd(_) => etcd,
        },
        run_directory: absolute(&arguments.run_dir)?,
        state_directory: absolute(&state_directory(state_dir, &arguments.run_dir))?,
        watchdog,
        launcher: Launcher::default(),
        kinds: Kinds::default(),
        probe_directory: absolute(&arguments.probes)?,
        record: arguments.record.as_deref().map(absolute).transpose()?,
        history: JournalLimits {
            bytes: u64::from(arguments.history_mb) << 20,
            age: Duration::from_secs(u64::from(arguments.history_days) * 86_400),
        },
    };
    let log = Log::start(io::stdout(), arguments.log)?;
    let ended = node::run(&settings, &log);
    log.flush();
    match ended {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error @ NodeError::HasTwin { .. }) => Err(Failure::Twin(error.to_string())),
        Err(error) => Err(Failure::failed(error)),
    }
}

/// A daemon that has a run directory of its own is not this machine's only one, and must not share what the machine's one keeps.
fn state_directory(given: Option<&Path>, run_dir: &Path) -> PathBuf {
    match given {
        Some(directory) => directory.to_owned(),
        None if run_dir == Path::new(RUN_DIRECTORY) => StateDirectory::USUAL.into(),
        None => run_dir.join("state"),
    }
}

/// The person has decided. The note in the store is taken back also where this machine has none.
pub(super) fn clear_twin(context: &Context) -> Result<ExitCode, Failure> {
    let node = context.node()?;
    let noted = context.store.twins()?.contains_key(&node);
    let noted = context.state.decide(&node)? || noted;
    context.store.set_twin(&node, None)?;
    if noted {
        let change = format!("decided: this machine is {node}, and no other one is left that works under its name");
        context.keep_change("node clear-twin", node.as_str(), &change);
    } else {
        note(format_args!("no twin of {node} was noted"));
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn leave(state: &StateDirectory) -> Result<ExitCode, Failure> {
    match state.leave()? {
        Some(known) => {
            note(format_args!("this node does not belong to the cluster {} in {} any more", known.id, known.store))
        }
        None => note("this node belonged to no cluster"),
    }
    Ok(ExitCode::SUCCESS)
}

/// Why a multiplexer does not start.
#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error(transparent)]
    Multiplexer(#[from] MultiplexerError),
    #[error("cannot open {0}: {1}")]
    Device(String, io::Error),
}

/// Tells what happens, and never waits for whoever reads it.
fn reporter(log: LogSource) -> impl FnMut(MultiplexerEvent) {
    move |event| {
        let text = event.to_string();
        // The device is fed again and again.
        if matches!(event, MultiplexerEvent::DeviceFailed(_)) {
            log.lasting_message(event.severity(), text);
        } else {
            log.message(event.severity(), text);
        }
    }
}

pub(super) fn watchdog_mux(arguments: &MuxArguments) -> Result<ExitCode, Failure> {
    let timings = named_timings(&arguments.timings)?;
    let signals = StopSignals::catch_as_daemon()?;
    let log = Log::start(io::stderr(), LogFormat::of_text_on(io::stderr().as_raw_fd()))?;
    let own = log.named("watchdog-mux");
    let mut report = reporter(own.clone());
    let device_error = |error| StartError::Device(arguments.device.display().to_string(), error);
    let settings = MultiplexerSettings {
        marker: Some(arguments.marker.clone()),
        ..MultiplexerSettings::new(&arguments.socket, &timings)
    };
    let terms = settings.timings.terms;
    // An empty variable requires nothing.
    let required = arguments.require.as_deref().filter(|required| !required.is_empty());
    let device = || {
        load_module(&arguments.device, &arguments.environment_file).map_err(device_error)?;
        LinuxDevice::open(&arguments.device, timings.device_timeout(), required, Ioctls).map_err(device_error)
    };
    let mut multiplexer = MultiplexerServer::start::<StartError>(settings, device).map_err(Failure::failed)?;
    let facts = multiplexer.device().facts().clone();
    own.message(Severity::Info, format!("this node is guarded by {facts}, for daemons that count on {terms}"));
    if facts.is_softdog() {
        own.message(
            Severity::Warning,
            "softdog does not reset a node whose kernel panics or hangs: a device of the hardware does",
        );
    }
    if facts.nowayout == Some(true) {
        own.message(
            Severity::Warning,
            "its driver has nowayout: this node is reset also when the multiplexer is stopped",
        );
    }
    systemd::ready(&facts.to_string());
    while signals.count() == 0 {
        multiplexer.turn(&mut report);
    }
    let (clients, failed) = (multiplexer.clients(), multiplexer.has_failed());
    multiplexer.stop(&mut report);
    log.flush();
    if clients == 0 && !failed {
        return Ok(ExitCode::SUCCESS);
    }
    Err(Failure::Failed(format!("stopped with {clients} clients: the device is left armed and resets this node")))
}

/// Ends with the exit code of the command, or with that of a reset.
pub(super) fn supervise(arguments: &SuperviseArguments) -> Result<ExitCode, Failure> {
    let timings = named_timings(&arguments.timings)?;
    let signals = StopSignals::catch()?;
    let starter_lives = Machine::end_with_starter()?;
    if !starter_lives {
        return Err(Failure::failed("the one who started this is gone"));
    }
    let log = Log::start(io::stderr(), LogFormat::of_text_on(io::stderr().as_raw_fd()))?;
    let mut report = reporter(log.named("supervise"));
    let settings = MultiplexerSettings::new(&arguments.socket, &timings);
    let device = || -> Result<ProcessDevice, StartError> {
        let armed = ProcessDevice::arm(timings.device_timeout(), || {
            let _ = writeln!(io::stderr(), "reset by its watchdog");
        });
        armed.map_err(|error| StartError::Device("a process watchdog".into(), error))
    };
    let mut multiplexer = MultiplexerServer::start::<StartError>(settings, device).map_err(Failure::failed)?;
    let mut machine = start_machine(&arguments.command)?;
    let mut end = None;
    while signals.count() == 0 {
        multiplexer.turn(&mut report);
        end = end.or(machine.reap());
        if let Some(end) = end
            && multiplexer.clients() == 0
            && !multiplexer.has_failed()
        {
            kill_descendants();
            multiplexer.stop(&mut report);
            return Ok(match end {
                MachineEnd::Exited(code) => ExitCode::from(u8::try_from(code).unwrap_or(1)),
                MachineEnd::Killed(_) => ExitCode::from(1),
            });
        }
    }
    // The power is cut.
    kill_descendants();
    Ok(ExitCode::SUCCESS)
}

fn start_machine(command: &[OsString]) -> Result<Machine, Failure> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(Failure::Usage("name a command after '--'".into()));
    };
    let started = Machine::start(Command::new(program).args(arguments));
    started.map_err(|error| Failure::Failed(format!("cannot run {}: {error}", Path::new(program).display())))
}

/// How long a part of the demonstration waits between two looks.
pub(crate) const LOOK_INTERVAL: Duration = Duration::from_millis(20);
