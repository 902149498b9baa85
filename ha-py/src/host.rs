//! A host that is written in Python, as the core sees it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use ha_core::{
    config::{self, RequestedState, datacenter::SchedulerMode, fence::FenceCommand},
    event::Event,
    host::{
        Agent, ClusterLock, ConfigurationStore, Entropy, EventSink, FeedOutcome, FenceAttempt, FenceDevices,
        FenceProgress, GuestControl, HostError, HostFigures, Job, JobId, JobStart, Lock, LockAnswer, LrmStore,
        ManagerStore, Membership, ProbeAttempt, ProbeProgress, Statistics, StatusStore, UnmanagedGuest, Watchdog,
        Workers,
    },
    id::{NodeName, ServiceId, Uid},
    status::{self, ExitCode, Motion},
    time::Instant,
};
use pyo3::{
    call::PyCallArgs,
    exceptions::{PyBaseException, PyOverflowError, PyTypeError},
    inspect::PyStaticExpr,
    prelude::*,
    types::{PyBool, PyBytes, PyInt, PyMapping},
};
use serde_json::json;

use crate::{
    config::{Configuration, GroupsConfig, ResourcesConfig, RulesConfig},
    convert::{Data, Moment, Name, Node, Out, OutAll, Seconds, W, data_by},
    placement,
    python::attribute,
    raise,
    status::{LrmStatus, ManagerStatus},
};

data_by! {
    Job = "pyha.records" "Job" by |job| json!({
        "id": job.id, "sid": job.sid, "uid": job.uid, "command": job.command, "target": job.target,
        "timeout": job.timeout, "only_look": job.only_look,
    });
}

/// Hosts as arguments, by the role that they play: a protocol of `pyha.host`.
macro_rules! host_arguments {
    ($($name:ident = $class:literal),+ $(,)?) => {
        $(#[derive(Debug)]
        pub(crate) struct $name(pub(crate) Py<PyAny>);

        impl<'a, 'py> FromPyObject<'a, 'py> for $name {
            type Error = PyErr;

            const INPUT_TYPE: PyStaticExpr = pyo3::type_hint_identifier!("pyha.host", $class);

            fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
                Ok(Self(object.to_owned().unbind()))
            }
        })+
    };
}

host_arguments! {
    CrmHostArg = "CrmHost",
    LrmHostArg = "LrmHost",
    RoundHostArg = "RoundHost",
    AgentArg = "Agent",
    SinkArg = "EventSink",
}

/// A host in Python.
///
/// A `HostError` that it raises is an answer to the core. Any other exception ends what is going on, and so does an answer of the wrong
/// type (an `AnswerError`): it is kept, all further calls but the reports of events fail at once (so that no watchdog is fed, and
/// nothing is written), and it comes out of [`PythonHost::run`].
#[derive(Debug)]
pub(crate) struct PythonHost {
    host: Option<Py<PyAny>>,
    failure: Option<PyErr>,
    recorded: Arc<AtomicBool>,
}

impl PythonHost {
    /// Lets the core work with a host, without holding the interpreter meanwhile.
    pub(crate) fn run<T: Send>(
        py: Python<'_>,
        host: Option<Py<PyAny>>,
        work: impl FnOnce(&mut Self) -> T + Send,
    ) -> PyResult<T> {
        Self::run_knowing(py, host, &Arc::default(), work)
    }

    /// The same for a daemon, which knows whether it has seen a manager status. After that a host that says that there never was one has
    /// forgotten to return it, and the core must not begin from nothing.
    pub(crate) fn run_knowing<T: Send>(
        py: Python<'_>,
        host: Option<Py<PyAny>>,
        recorded: &Arc<AtomicBool>,
        work: impl FnOnce(&mut Self) -> T + Send,
    ) -> PyResult<T> {
        if let Some(host) = &host {
            attribute(py, "pyha._hosts", "check")?.call1((host,))?;
        }
        let mut host = Self { host, failure: None, recorded: recorded.clone() };
        let answer = py.detach(|| work(&mut host));
        match host.failure {
            Some(failure) => Err(failure),
            None => Ok(answer),
        }
    }

    /// Calls a method and understands its answer.
    fn call<A, T>(
        &mut self,
        method: &str,
        arguments: A,
        understand: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<T>,
    ) -> Result<T, HostError>
    where
        A: for<'py> PyCallArgs<'py>,
    {
        if self.failure.is_some() {
            return Err(HostError::new("an exception ended this call"));
        }
        let Some(host) = &self.host else { return Err(HostError::new("there is no host")) };
        let answer = Python::attach(|py| {
            let answer = host.bind(py).call_method1(method, arguments).map_err(|error| refused(py, error))?;
            understand(&answer).map_err(|error| match refused(py, error) {
                Refusal::Exception(error) => Refusal::Exception(not_understood(py, method, &answer, error)),
                answer @ Refusal::Answer(_) => answer,
            })
        });
        answer.map_err(|refusal| match refusal {
            Refusal::Answer(error) => error,
            Refusal::Exception(error) => {
                let message = error.to_string();
                self.failure = Some(error);
                HostError::new(message)
            }
        })
    }

    fn call_extracted<A, T>(&mut self, method: &str, arguments: A) -> Result<T, HostError>
    where
        A: for<'py> PyCallArgs<'py>,
        T: for<'a, 'py> FromPyObject<'a, 'py>,
    {
        self.call(method, arguments, |answer| answer.extract().map_err(Into::into))
    }

    /// Whether the host has a method that it need not have.
    fn has(&self, method: &str) -> bool {
        Python::attach(|py| self.host.as_ref().is_some_and(|host| host.bind(py).hasattr(method).unwrap_or(false)))
    }

    /// Calls a method that has nothing to answer, but that it is done.
    fn tell<A: for<'py> PyCallArgs<'py>>(&mut self, method: &str, arguments: A) -> Result<(), HostError> {
        self.call(method, arguments, is_done)
    }
}

/// How a call ended badly.
enum Refusal {
    /// The host says so.
    Answer(HostError),
    /// The host has not thought of it.
    Exception(PyErr),
}

fn refused(py: Python<'_>, error: PyErr) -> Refusal {
    let is_a = |name| attribute(py, "pyha.errors", name).is_ok_and(|class| error.is_instance(py, &class));
    if is_a("GuestLockedError")
        && let Ok(lock) = error.value(py).getattr("lock").and_then(|lock| lock.extract::<String>())
    {
        Refusal::Answer(HostError::locked(lock))
    } else if is_a("HostError") && !is_a("AnswerError") {
        Refusal::Answer(HostError::new(error.value(py).to_string()))
    } else {
        Refusal::Exception(error)
    }
}

/// The error, with the name of the method where it is about the type of what that returned.
fn not_understood(py: Python<'_>, method: &str, answer: &Bound<'_, PyAny>, error: PyErr) -> PyErr {
    // One that nobody will await would be warned of beside the error.
    let is_coroutine = answer.hasattr("cr_frame").unwrap_or(false);
    if is_coroutine && let Err(error) = answer.call_method0("close") {
        return error;
    }
    if !error.is_instance_of::<PyTypeError>(py) && !error.is_instance_of::<PyOverflowError>(py) {
        return error;
    }
    let found = answer.get_type().name().map_or_else(|_| "?".to_owned(), |name| name.to_string());
    raise::answer(py, &format!("the host's {method}() returned a {found}: {}", error.value(py)))
}

/// Whether a method that has nothing to answer has done what it was asked. `None`, and what some call in its last line happens
/// to give, count as done; what says no, or must still be run, does not.
pub(crate) fn is_done(answer: &Bound<'_, PyAny>) -> PyResult<()> {
    if answer.is_none() || answer.is(answer.py().Ellipsis()) {
        return Ok(());
    }
    if attribute(answer.py(), "pyha._hosts", "is_pending")?.call1((answer,))?.is_truthy()? {
        return Err(PyTypeError::new_err("it has not been run: a host's methods can't be async, nor generators"));
    }
    if answer.is_instance_of::<PyBaseException>() || answer.is(answer.py().NotImplemented()) {
        return Err(PyTypeError::new_err("an error is raised, not returned"));
    }
    if answer.is_truthy()? { Ok(()) } else { Err(PyTypeError::new_err("a method that failed raises a HostError")) }
}

/// A whole number, which `True` and `False` are not here: as an exit code, `False` would be a success.
struct Whole<T>(T);

impl<'a, 'py, T: for<'b> FromPyObject<'b, 'py>> FromPyObject<'a, 'py> for Whole<T> {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if object.is_instance_of::<PyBool>() || !object.is_instance_of::<PyInt>() {
            return Err(PyTypeError::new_err(format!("{} is not an int", object.repr()?)));
        }
        object.extract().map(Self).map_err(Into::into)
    }
}

/// The items of an answer that is a list of something. A text or a mapping can be iterated too, but is not a list.
fn listed<'py, T>(
    answer: &Bound<'py, PyAny>,
    understand: impl Fn(&Bound<'py, PyAny>) -> PyResult<T>,
) -> PyResult<Vec<T>> {
    if attribute(answer.py(), "pyha._hosts", "is_no_list")?.call1((answer,))?.is_truthy()? {
        return Err(PyTypeError::new_err("expected several, such as a list of them"));
    }
    answer.try_iter()?.map(|item| understand(&item?)).collect()
}

/// A Python class instance, or nothing.
fn instance<T, C>(answer: &Bound<'_, PyAny>, content: impl FnOnce(&C) -> T) -> PyResult<T>
where
    C: pyo3::PyClass<Frozen = pyo3::pyclass::boolean_struct::True> + Sync,
{
    Ok(content(answer.cast::<C>()?.get()))
}

fn optional<T, C>(answer: &Bound<'_, PyAny>, content: impl FnOnce(&C) -> T) -> PyResult<Option<T>>
where
    C: pyo3::PyClass<Frozen = pyo3::pyclass::boolean_struct::True> + Sync,
{
    if answer.is_none() { Ok(None) } else { instance(answer, content).map(Some) }
}

impl EventSink for PythonHost {
    fn event(&mut self, event: Event) {
        let Some(host) = &self.host else { return };
        let told = Python::attach(|py| {
            let answer = host.bind(py).call_method1("event", (Out(event),))?;
            is_done(&answer).map_err(|error| not_understood(py, "event", &answer, error))
        });
        if let Err(error) = told {
            self.failure.get_or_insert(error);
        }
    }
}

impl Membership for PythonHost {
    fn refresh(&mut self) -> Result<(), HostError> {
        self.tell("refresh", ())
    }

    fn is_quorate(&mut self) -> bool {
        self.call_extracted("is_quorate", ()).unwrap_or(false)
    }

    fn members(&mut self) -> Result<BTreeMap<NodeName, bool>, HostError> {
        self.call("members", (), |answer| {
            let members = answer.cast::<PyMapping>()?.items()?;
            if members.is_empty() {
                return Err(PyTypeError::new_err("a cluster has at least one member"));
            }
            let pair = |item: PyResult<Bound<'_, PyAny>>| {
                let (Name(node), online): (Node, bool) = item?.extract()?;
                Ok((node, online))
            };
            members.try_iter()?.map(pair).collect()
        })
    }
}

impl ClusterLock for PythonHost {
    fn take(&mut self, lock: &Lock) -> Result<LockAnswer, HostError> {
        self.call_extracted::<_, W<LockAnswer>>("take_lock", (lock.to_string(),)).map(|W(answer)| answer)
    }

    fn release(&mut self, lock: &Lock) -> Result<(), HostError> {
        self.tell("release_lock", (lock.to_string(),))
    }
}

impl Watchdog for PythonHost {
    fn open(&mut self, not_after: Instant) -> Result<FeedOutcome, HostError> {
        self.call_extracted::<_, W<FeedOutcome>>("open_watchdog", (Moment(not_after),)).map(|W(answer)| answer)
    }

    fn feed(&mut self, not_after: Instant) -> Result<FeedOutcome, HostError> {
        self.call_extracted::<_, W<FeedOutcome>>("feed_watchdog", (Moment(not_after),)).map(|W(answer)| answer)
    }

    fn close(&mut self) -> Result<(), HostError> {
        self.tell("close_watchdog", ())
    }
}

impl StatusStore for PythonHost {
    fn manager_status(&mut self) -> Result<Option<Arc<status::ManagerStatus>>, HostError> {
        let recorded = self.recorded.clone();
        self.call("manager_status", (), |answer| {
            let status = optional(answer, |status: &ManagerStatus| status.0.clone())?;
            if status.is_none() && recorded.load(Ordering::Relaxed) {
                return Err(PyTypeError::new_err("there was a record before; one that can't be read is a HostError"));
            }
            recorded.fetch_or(status.is_some(), Ordering::Relaxed);
            Ok(status)
        })
    }

    fn lrm_status(&mut self, node: &NodeName) -> Result<Option<Arc<status::LrmStatus>>, HostError> {
        let node = (node.as_str().to_owned(),);
        self.call("lrm_status", node, |answer| optional(answer, |status: &LrmStatus| status.0.clone()))
    }
}

impl ConfigurationStore for PythonHost {
    fn configuration(&mut self) -> Result<ha_core::host::Configuration, HostError> {
        self.call("configuration", (), |answer| instance(answer, Configuration::for_core))
    }
}

impl ManagerStore for PythonHost {
    fn write_manager_status(&mut self, status: &status::ManagerStatus) -> Result<(), HostError> {
        self.tell("write_manager_status", (ManagerStatus(Arc::new(status.clone())),))?;
        self.recorded.store(true, Ordering::Relaxed);
        Ok(())
    }

    fn commands_waiting(&mut self) -> Result<bool, HostError> {
        self.call_extracted("commands_waiting", ())
    }

    fn take_commands(&mut self) -> Result<Vec<String>, HostError> {
        self.call("take_commands", (), |answer| listed(answer, |line| line.extract()))
    }
}

impl LrmStore for PythonHost {
    fn write_lrm_status(&mut self, status: &status::LrmStatus) -> Result<(), HostError> {
        self.tell("write_lrm_status", (LrmStatus(Arc::new(status.clone())),))
    }
}

fn text(name: &impl AsRef<str>) -> String {
    name.as_ref().to_owned()
}

impl GuestControl for PythonHost {
    fn move_configuration(&mut self, sid: &ServiceId, from: &NodeName, to: &NodeName) -> Result<(), HostError> {
        self.tell("move_configuration", (text(sid), text(from), text(to)))
    }

    fn remove_leftover_locks(&mut self, sid: &ServiceId, node: &NodeName) -> Result<Option<String>, HostError> {
        self.call_extracted("remove_leftover_locks", (text(sid), text(node)))
    }

    fn set_requested_state(&mut self, sid: &ServiceId, state: RequestedState) -> Result<(), HostError> {
        self.tell("set_requested_state", (text(sid), W(state)))
    }

    fn write_group_migration(
        &mut self,
        rules: &config::RulesConfig,
        resources: &config::ResourcesConfig,
    ) -> Result<(), HostError> {
        let rules = RulesConfig { config: Arc::new(rules.clone()), problems: Arc::default() };
        let resources = ResourcesConfig { config: Arc::new(resources.clone()), problems: Arc::default() };
        self.tell("write_group_migration", (rules, resources))
    }

    fn remove_groups(&mut self, groups: &config::GroupsConfig) -> Result<(), HostError> {
        self.tell("remove_groups", (GroupsConfig { config: Arc::new(groups.clone()), problems: Arc::default() },))
    }

    fn software_version(&mut self, node: &NodeName) -> Result<Option<String>, HostError> {
        self.call_extracted("software_version", (text(node),))
    }
}

impl FenceDevices for PythonHost {
    fn run(&mut self, attempt: &FenceAttempt, commands: &[FenceCommand]) -> Result<FenceProgress, HostError> {
        let arguments = (Out(attempt.clone()), OutAll(commands.to_vec()));
        self.call_extracted::<_, W<FenceProgress>>("run_fence_device", arguments).map(|W(progress)| progress)
    }

    fn forget_fence_attempts(&mut self, except: &BTreeSet<Uid>) -> Result<(), HostError> {
        let except: Vec<String> = except.iter().map(Uid::to_string).collect();
        self.tell("forget_fence_attempts", (except,))
    }
}

impl Statistics for PythonHost {
    fn unmanaged_services(&mut self) -> Result<Vec<UnmanagedGuest>, HostError> {
        self.call("unmanaged_services", (), |answer| listed(answer, placement::one_unmanaged))
    }

    fn usage(&mut self, mode: SchedulerMode) -> Result<HostFigures, HostError> {
        self.call("usage", (W(mode),), placement::usage)
    }
}

impl Entropy for PythonHost {
    fn random_bytes(&mut self) -> Result<[u8; 16], HostError> {
        self.call("random_bytes", (), |answer| answer.cast::<PyBytes>()?.extract())
    }
}

impl Workers for PythonHost {
    fn start(&mut self, job: &Job) -> Result<JobStart, HostError> {
        let ended: Option<Whole<i32>> = self.call_extracted("start_job", (Out(job.clone()),))?;
        Ok(ended.map_or(JobStart::Running, |Whole(code)| JobStart::Finished(ExitCode(code))))
    }

    fn finished(&mut self) -> Result<Vec<(JobId, ExitCode)>, HostError> {
        self.call("finished_jobs", (), |answer| {
            listed(answer, |job| {
                let (Whole(id), Whole(code)): (Whole<u64>, Whole<i32>) = job.extract()?;
                Ok((JobId(id), ExitCode(code)))
            })
        })
    }

    fn time_limit(&mut self, job: &Job) -> Result<Option<Duration>, HostError> {
        if !self.has("job_time_limit") {
            return Ok(job.usual_time_limit());
        }
        let limit: Option<Seconds> = self.call_extracted("job_time_limit", (Out(job.clone()),))?;
        Ok(limit.map(|Seconds(limit)| limit))
    }

    fn end(&mut self, id: JobId) -> Result<(), HostError> {
        let JobId(id) = id;
        if self.has("end_job") {
            self.tell("end_job", (id,))
        } else {
            Err(HostError::new(format!("job {id} hangs, and this host can't end jobs")))
        }
    }

    fn guest_lock(&mut self, sid: &ServiceId) -> Result<Option<String>, HostError> {
        if self.has("guest_lock") { self.call_extracted("guest_lock", (text(sid),)) } else { Ok(None) }
    }

    fn probe(&mut self, attempt: &ProbeAttempt) -> Result<ProbeProgress, HostError> {
        if !self.has("probe") {
            return Err(attempt.not_made());
        }
        self.call_extracted::<_, W<ProbeProgress>>("probe", (Out(attempt.clone()),)).map(|W(progress)| progress)
    }
}

impl Agent for PythonHost {
    fn knows_type(&mut self, service_type: &str) -> bool {
        self.call_extracted("knows_type", (service_type.to_owned(),)).unwrap_or(false)
    }

    fn guest_node(&mut self, sid: &ServiceId) -> Result<Option<NodeName>, HostError> {
        let node: Option<Node> = self.call_extracted("guest_node", (text(sid),))?;
        Ok(node.map(|Name(node)| node))
    }

    fn is_running(&mut self, sid: &ServiceId) -> Result<bool, HostError> {
        self.call_extracted("is_running", (text(sid),))
    }

    fn start(&mut self, sid: &ServiceId) -> Result<(), HostError> {
        self.tell("start", (text(sid),))
    }

    fn stop(&mut self, sid: &ServiceId, timeout: Option<u32>) -> Result<(), HostError> {
        self.tell("stop", (text(sid), timeout))
    }

    fn move_to(&mut self, sid: &ServiceId, target: &NodeName, motion: Motion) -> Result<(), HostError> {
        self.tell("move_to", (text(sid), text(target), W(motion)))
    }
}

/// A job from Python.
pub(crate) fn job(object: &Bound<'_, PyAny>) -> PyResult<Job> {
    #[derive(serde::Deserialize)]
    struct Fields {
        id: JobId,
        sid: ServiceId,
        #[serde(default)]
        uid: Option<ha_core::id::Uid>,
        command: status::StateName,
        #[serde(default)]
        target: Option<NodeName>,
        #[serde(default)]
        timeout: Option<u32>,
        #[serde(default)]
        only_look: bool,
    }
    let Fields { id, sid, uid, command, target, timeout, only_look } = crate::convert::from_data(object)?;
    Ok(Job { id, sid, uid, command, target, timeout, only_look })
}

/// A job as an argument.
#[derive(Debug)]
pub(crate) struct JobArg(pub(crate) Job);

impl<'a, 'py> FromPyObject<'a, 'py> for JobArg {
    type Error = PyErr;

    const INPUT_TYPE: PyStaticExpr = pyo3::type_hint_identifier!(<Job as Data>::MODULE, <Job as Data>::CLASS);

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        job(&object.to_owned()).map(Self)
    }
}
