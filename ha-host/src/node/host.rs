//! What a daemon asks of its host.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    fs::File,
    io::Read,
    path::Path,
    sync::Arc,
    task::Waker,
    time::Duration,
};

use ha_core::{
    config::{
        Changes, EditError, Editor, GroupsConfig, RequestedState, ResourcesConfig, RulesConfig,
        datacenter::SchedulerMode, fence::FenceCommand,
    },
    event::{Event, Severity, Why},
    host::{
        ClusterLock, Configuration, ConfigurationStore, Entropy, EventSink, FeedOutcome, FenceAttempt, FenceDevices,
        FenceProgress, GuestControl, HostError, HostFigures, HostOperation, Job, JobId, JobStart, LEFTOVER_GUEST_LOCKS,
        Lock, LockAnswer, LrmStore, ManagerStore, Membership, ProbeAttempt, ProbeProgress, Statistics, StatusStore,
        UnmanagedGuest, Watchdog, Workers,
    },
    id::{NodeName, ServiceId, ServiceTypes, Uid},
    status::{ExitCode, LrmStatus, ManagerStatus, NodeState},
    time::Instant,
};

use super::{log::LogSource, pace::DaemonPace};
use crate::{
    agents::{Failures, NodeAgents, PROBE_DIRECTORY, Prober},
    fence::FenceRunner,
    os::clock,
    store::{
        ConfigFile, ConfigurationReader, FileProblem, RecordName, Session, Store, change_if_unchanged, edit, figures,
        read_manager_status,
    },
    workers::JobWorkers,
};

/// All that a CRM or an LRM asks of this node. Each of the two has one of its own.
pub struct NodeHost {
    node: NodeName,
    types: ServiceTypes,
    store: Arc<dyn Store>,
    session: Arc<dyn Session>,
    watchdog: Box<dyn Watchdog + Send>,
    workers: JobWorkers<NodeAgents>,
    prober: Prober,
    failures: Failures,
    fence: FenceRunner,
    reader: ConfigurationReader,
    /// What was wrong in the configuration when it was last reported.
    reported: Vec<FileProblem>,
    /// The configuration as it was last given.
    configuration: Configuration,
    manager: Option<Known<ManagerStatus>>,
    /// What was said of a manager status that can't be read.
    unreadable: BTreeSet<String>,
    lrms: BTreeMap<NodeName, Known<LrmStatus>>,
    sink: LogSource,
    pace: DaemonPace,
}

/// A record that was understood, and the bytes that it was made from.
type Known<T> = (Arc<[u8]>, Arc<T>);

impl fmt::Debug for NodeHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeHost").field("node", &self.node).finish_non_exhaustive()
    }
}

impl NodeHost {
    /// How long fence commands may take.
    const FENCE_TIMEOUT: Duration = Duration::from_secs(60);

    /// A host of these parts.
    #[must_use]
    pub fn new(
        node: NodeName,
        store: Arc<dyn Store>,
        session: Arc<dyn Session>,
        watchdog: Box<dyn Watchdog + Send>,
        agents: NodeAgents,
        run_directory: &Path,
        sink: LogSource,
    ) -> Self {
        Self {
            types: agents.kinds().service_types(),
            store,
            session,
            watchdog,
            failures: agents.failures(),
            reader: ConfigurationReader::new(agents.kinds().service_types(), agents.kinds().checker()),
            prober: Prober::new(node.clone(), agents.clone(), Path::new(PROBE_DIRECTORY)),
            workers: JobWorkers::new(node.clone(), agents, run_directory),
            fence: FenceRunner::new(Self::FENCE_TIMEOUT),
            reported: Vec::new(),
            configuration: Configuration::default(),
            manager: None,
            unreadable: BTreeSet::new(),
            lrms: BTreeMap::new(),
            sink,
            pace: DaemonPace::default(),
            node,
        }
    }

    /// The programs of `exec` probes lie in this directory, instead of [`PROBE_DIRECTORY`].
    #[must_use]
    pub fn with_probes_in(mut self, directory: &Path) -> Self {
        self.prober.look_in(directory);
        self
    }

    /// Takes note of its pace there.
    pub(super) fn with_pace(self, pace: DaemonPace) -> Self {
        Self { pace, ..self }
    }

    fn note_feed(&self, not_after: Instant, outcome: FeedOutcome) -> FeedOutcome {
        if outcome == FeedOutcome::Fed {
            self.pace.feeds(not_after);
        }
        outcome
    }

    /// Whom to wake when a job has ended: see [`JobWorkers::wake_when_a_job_ends`].
    pub fn wake_when_a_job_ends(&mut self, waker: Waker) {
        self.workers.wake_when_a_job_ends(waker);
    }

    fn understand_manager_status(&mut self, content: Arc<[u8]>) -> Result<Arc<ManagerStatus>, HostError> {
        if let Some((known, status)) = &self.manager
            && Arc::ptr_eq(known, &content)
        {
            return Ok(status.clone());
        }
        let place = self.store.record_place(&RecordName::Manager);
        let status = Arc::new(read_manager_status(&content, &place).map_err(HostError::new)?);
        self.manager = Some((content, status.clone()));
        Ok(status)
    }

    /// Whether this is nothing new: that the manager status can't be read is said once, not in every iteration, until it can be
    /// read again.
    fn is_said_already(&mut self, event: &Event) -> bool {
        let is_about_manager_status = matches!(
            event,
            Event::ManagerStatusUnreadable { .. }
                | Event::ServiceStatusUnreadable
                | Event::HostCallFailed { operation: HostOperation::ReadManagerStatus, .. }
        );
        is_about_manager_status && !self.unreadable.insert(event.to_string())
    }

    /// For how long a node has been silent that the master does not see any more.
    fn silence_behind(&self, event: &Event) -> Option<Duration> {
        let Event::NodeState { node, to: NodeState::Unknown, .. } = event else { return None };
        self.session.silent_for(node)
    }

    /// Reports what is wrong in the configuration, once.
    fn report(&mut self, problems: Vec<FileProblem>) {
        for problem in problems.iter().filter(|problem| !self.reported.contains(problem)) {
            self.sink.message(Severity::Warning, problem.to_string());
        }
        self.reported = problems;
    }
}

/// Understands a record unless it is the known one.
fn understand<T>(
    content: Arc<[u8]>,
    known: Option<&Known<T>>,
    what: &str,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Result<Known<T>, HostError> {
    if let Some(known) = known
        && Arc::ptr_eq(&known.0, &content)
    {
        return Ok(known.clone());
    }
    let text = str::from_utf8(&content).map_err(|error| HostError::new(format!("{what}: {error}")))?;
    let value = parse(text).map_err(|error| HostError::new(format!("{what}: {error}")))?;
    Ok((content, Arc::new(value)))
}

impl EventSink for NodeHost {
    fn event(&mut self, event: Event) {
        if !self.is_said_already(&event) {
            let silent = self.silence_behind(&event);
            self.sink.event_with(event, None, silent);
        }
    }

    fn keeps_reasons(&self) -> bool {
        true
    }

    fn decision(&mut self, event: Event, why: Why) {
        self.sink.event_with(event, Some(why), None);
    }
}

impl Membership for NodeHost {
    fn refresh(&mut self) -> Result<(), HostError> {
        Ok(self.session.refresh()?)
    }

    fn is_quorate(&mut self) -> bool {
        self.session.is_quorate()
    }

    fn members(&mut self) -> Result<BTreeMap<NodeName, bool>, HostError> {
        Ok(self.session.members()?)
    }
}

impl ClusterLock for NodeHost {
    fn take(&mut self, lock: &Lock) -> Result<LockAnswer, HostError> {
        let asked = clock::instant();
        let answer = self.session.take(lock);
        self.pace.asked_for_lock(asked);
        Ok(answer?)
    }

    fn release(&mut self, lock: &Lock) -> Result<(), HostError> {
        Ok(self.session.release(lock)?)
    }
}

impl Watchdog for NodeHost {
    fn open(&mut self, not_after: Instant) -> Result<FeedOutcome, HostError> {
        self.watchdog.open(not_after).map(|outcome| self.note_feed(not_after, outcome))
    }

    fn feed(&mut self, not_after: Instant) -> Result<FeedOutcome, HostError> {
        self.watchdog.feed(not_after).map(|outcome| self.note_feed(not_after, outcome))
    }

    fn close(&mut self) -> Result<(), HostError> {
        self.watchdog.close()?;
        self.pace.feeds_no_more();
        Ok(())
    }
}

impl StatusStore for NodeHost {
    fn manager_status(&mut self) -> Result<Option<Arc<ManagerStatus>>, HostError> {
        let record = self.store.record(&RecordName::Manager)?;
        let status = record.map(|content| self.understand_manager_status(content)).transpose()?;
        self.unreadable.clear();
        Ok(status)
    }

    fn lrm_status(&mut self, node: &NodeName) -> Result<Option<Arc<LrmStatus>>, HostError> {
        let Some(content) = self.store.record(&RecordName::Lrm(node.clone()))? else { return Ok(None) };
        let parse = |text: &str| LrmStatus::from_json(text).map_err(|error| error.to_string());
        let known = understand(content, self.lrms.get(node), &format!("the LRM status of {node}"), parse)?;
        let status = known.1.clone();
        self.lrms.insert(node.clone(), known);
        Ok(Some(status))
    }
}

impl ConfigurationStore for NodeHost {
    fn configuration(&mut self) -> Result<Configuration, HostError> {
        let stored = self.reader.read(&*self.store)?;
        self.report(stored.problems);
        self.configuration = stored.configuration.clone();
        Ok(stored.configuration)
    }
}

impl ManagerStore for NodeHost {
    fn write_manager_status(&mut self, status: &ManagerStatus) -> Result<(), HostError> {
        Ok(self.session.write_record(&RecordName::Manager, status.to_json().as_bytes())?)
    }

    fn commands_waiting(&mut self) -> Result<bool, HostError> {
        Ok(self.store.commands_waiting()?)
    }

    fn take_commands(&mut self) -> Result<Vec<String>, HostError> {
        Ok(self.store.take_commands()?)
    }
}

impl LrmStore for NodeHost {
    fn write_lrm_status(&mut self, status: &LrmStatus) -> Result<(), HostError> {
        let record = RecordName::Lrm(self.node.clone());
        let with_failures = self.failures.added_to(status);
        let status = with_failures.as_ref().unwrap_or(status);
        Ok(self.session.write_record(&record, status.to_json().as_bytes())?)
    }
}

impl GuestControl for NodeHost {
    /// Wherever the definition says that the guest is: a node that was fenced in the middle of a move may have named its
    /// target already, and no LRM touches the guest before the manager status names its node.
    fn move_configuration(&mut self, sid: &ServiceId, _: &NodeName, to: &NodeName) -> Result<(), HostError> {
        let mut exists = false;
        self.store.edit_guest(sid, &mut |guest| {
            if let Some(guest) = guest {
                exists = true;
                guest.node = to.clone();
            }
        })?;
        if exists { Ok(()) } else { Err(HostError::new(format!("there is no guest {sid}"))) }
    }

    fn remove_leftover_locks(&mut self, sid: &ServiceId, _: &NodeName) -> Result<Option<String>, HostError> {
        let mut removed = None;
        self.store.edit_guest(sid, &mut |guest| {
            if let Some(guest) = guest
                && guest.lock.as_deref().is_some_and(|lock| LEFTOVER_GUEST_LOCKS.contains(&lock))
            {
                removed = guest.lock.take();
            }
        })?;
        Ok(removed)
    }

    fn set_requested_state(&mut self, sid: &ServiceId, state: RequestedState) -> Result<(), HostError> {
        let editor = Editor::new(&self.types, &[]);
        let set = [("state", state.as_str())];
        let changes = Changes { set: &set, unset: &[] };
        let edited = edit(&*self.store, &self.types, |config| editor.set_resource(config, sid.as_str(), changes))?;
        edited.map_err(|error: EditError| HostError::new(error.to_string()))
    }

    fn write_group_migration(&mut self, rules: &RulesConfig, resources: &ResourcesConfig) -> Result<(), HostError> {
        let seen = [(ConfigFile::Rules, rules.digest), (ConfigFile::Resources, resources.digest)];
        let changes = [(ConfigFile::Rules, Some(rules.write())), (ConfigFile::Resources, Some(resources.write()))];
        made(change_if_unchanged(&*self.store, &seen, &changes)?)
    }

    fn remove_groups(&mut self, groups: &GroupsConfig) -> Result<(), HostError> {
        let seen = [(ConfigFile::Groups, groups.digest)];
        made(change_if_unchanged(&*self.store, &seen, &[(ConfigFile::Groups, None)])?)
    }

    fn software_version(&mut self, node: &NodeName) -> Result<Option<String>, HostError> {
        Ok(self.store.beats()?.remove(node).map(|beat| beat.version))
    }
}

fn made(made: bool) -> Result<(), HostError> {
    if made { Ok(()) } else { Err(HostError::new("the files were changed in the meantime")) }
}

impl FenceDevices for NodeHost {
    fn run(&mut self, attempt: &FenceAttempt, commands: &[FenceCommand]) -> Result<FenceProgress, HostError> {
        self.fence.run(attempt, commands)
    }

    fn forget_fence_attempts(&mut self, except: &BTreeSet<Uid>) -> Result<(), HostError> {
        self.fence.forget_fence_attempts(except)
    }
}

impl Statistics for NodeHost {
    /// From the configuration that the same round has got, so that nothing is added which is not among them.
    fn unmanaged_services(&mut self) -> Result<Vec<UnmanagedGuest>, HostError> {
        Ok(self.configuration.all_that_may_run())
    }

    fn usage(&mut self, _: SchedulerMode) -> Result<HostFigures, HostError> {
        Ok(figures(&*self.store)?)
    }
}

impl Entropy for NodeHost {
    fn random_bytes(&mut self) -> Result<[u8; 16], HostError> {
        let mut bytes = [0; 16];
        let read = File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes));
        read.map_err(|error| HostError::new(format!("/dev/urandom: {error}")))?;
        Ok(bytes)
    }
}

impl Workers for NodeHost {
    fn start(&mut self, job: &Job) -> Result<JobStart, HostError> {
        self.workers.start(job)
    }

    fn finished(&mut self) -> Result<Vec<(JobId, ExitCode)>, HostError> {
        self.workers.finished()
    }

    fn time_limit(&mut self, job: &Job) -> Result<Option<Duration>, HostError> {
        self.workers.time_limit(job)
    }

    fn end(&mut self, id: JobId) -> Result<(), HostError> {
        self.workers.end(id)
    }

    fn guest_lock(&mut self, sid: &ServiceId) -> Result<Option<String>, HostError> {
        Ok(self.store.guest(sid)?.and_then(|guest| guest.lock))
    }

    fn probe(&mut self, attempt: &ProbeAttempt) -> Result<ProbeProgress, HostError> {
        self.prober.progress(attempt)
    }
}
