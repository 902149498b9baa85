//! The daemons, the manager, and jobs.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use ha_core::{
    config::datacenter::SchedulerMode,
    crm,
    event::{DaemonState, Event},
    host::{HostError, Job},
    id::NodeName,
    lrm::{self, JobAnswer, JobStep, StopRequest},
    manager,
    status::Writer,
    status::{LrmMode, LrmState},
    time::{Next, Now},
    timing,
};
use pyo3::{exceptions::PyTypeError, prelude::*};
use serde_json::json;

use crate::{
    config::Configuration,
    convert::{self, Items, Moment, Name, Node, Out, OutAll, W, data_by, now as time_of},
    host::{AgentArg, CrmHostArg, JobArg, LrmHostArg, PythonHost, RoundHostArg, SinkArg, is_done},
    placement::{Unmanaged, Usage},
    python::attribute,
    raise,
    slot::Slot,
    status::{LrmStatus, ManagerStatus},
    timing::Timings,
};

/// When a daemon wants to be called again.
#[derive(Debug)]
pub(crate) struct Wait {
    until: f64,
    reason: ha_core::time::WaitReason,
}

data_by! {
    Wait = "pyha.values" "Wait" by |wait| {
        use crate::convert::Word;
        json!({ "until": wait.until, "reason": wait.reason.text(), "within_iteration": wait.reason.is_within_iteration() })
    };
}

fn wait(next: Next) -> Option<Out<Wait>> {
    match next {
        Next::At { instant, reason } => Some(Out(Wait { until: instant.since_start().as_secs_f64(), reason })),
        Next::Exit => None,
    }
}

fn timings(timings: Option<PyRef<'_, Timings>>) -> timing::Timings {
    timings.map(|timings| timings.0).unwrap_or_default()
}

/// The cluster resource manager of a node: it runs everywhere, and on one node it is the master.
///
/// It does nothing between calls of :meth:`tick`, which never waits and says when to call again. Times are seconds on
/// one monotonic clock; without any, :func:`pyha.clock` and this process's clock of the day are read.
#[pyclass(frozen, module = "pyha")]
#[derive(Debug)]
pub(crate) struct Crm {
    crm: Slot<crm::Crm>,
    node: NodeName,
    recorded: Arc<AtomicBool>,
    /// Whether it was asked to stop while a call used it.
    is_to_stop: AtomicBool,
}

#[pymethods]
impl Crm {
    /// Starts the CRM of a node. ``sink`` is told of the start.
    #[new]
    #[pyo3(signature = (node, *, timings=None, sink=None))]
    fn new(py: Python<'_>, node: Node, timings: Option<PyRef<'_, Timings>>, sink: Option<SinkArg>) -> PyResult<Self> {
        let timings = self::timings(timings);
        let Name(node) = node;
        let sink = sink.map(|SinkArg(sink)| sink);
        let crm = PythonHost::run(py, sink, |sink| crm::Crm::start(node.clone(), timings, sink))?;
        Ok(Self { crm: Slot::new(crm), node, recorded: Arc::default(), is_to_stop: AtomicBool::new(false) })
    }

    /// The node.
    #[getter]
    fn node(&self) -> &str {
        self.node.as_str()
    }

    /// The state that it is in.
    #[getter]
    fn state(&self, py: Python<'_>) -> PyResult<W<DaemonState>> {
        self.crm.with(py, |crm| W(crm.state()))
    }

    /// The manager status as this CRM knows it, while it is the master.
    #[getter]
    fn manager_status(&self, py: Python<'_>) -> PyResult<Option<ManagerStatus>> {
        self.crm.with(py, |crm| crm.manager().map(|manager| ManagerStatus(Arc::new(manager.status().clone()))))
    }

    /// Asks it to stop: it exits at the end of an iteration. A second request changes nothing.
    ///
    /// It may be asked for at any time, also by a signal handler, a host that is called, and another thread: during :meth:`tick` it takes
    /// effect when that ends, or with the next one.
    #[pyo3(signature = (sink=None))]
    fn request_stop(&self, py: Python<'_>, sink: Option<SinkArg>) -> PyResult<()> {
        let sink = sink.map(|SinkArg(sink)| sink);
        let asked = self.crm.with_if_free(py, |crm| PythonHost::run(py, sink, |sink| crm.request_stop(sink)))?;
        match asked {
            Some(asked) => asked,
            None => {
                self.is_to_stop.store(true, Ordering::Relaxed);
                Ok(())
            }
        }
    }

    /// Does what must be done now, and says when to call again; ``None`` after it has exited.
    ///
    /// ``HostError`` of the host is an answer to the core. Any other exception comes out unchanged: what the host has not
    /// been asked by then is left for the next call.
    #[pyo3(signature = (host, now=None, *, wall=None))]
    fn tick(
        &self,
        py: Python<'_>,
        host: CrmHostArg,
        now: Option<Moment>,
        wall: Option<f64>,
    ) -> PyResult<Option<Out<Wait>>> {
        let now = time_of(py, now, wall)?;
        let tick = |crm: &mut crm::Crm, host: &mut PythonHost| {
            if self.is_to_stop.swap(false, Ordering::Relaxed) {
                crm.request_stop(host);
            }
            let next = crm.tick(host, now);
            if self.is_to_stop.swap(false, Ordering::Relaxed) {
                crm.request_stop(host);
            }
            next
        };
        let run =
            |crm: &mut crm::Crm| PythonHost::run_knowing(py, Some(host.0), &self.recorded, |host| tick(crm, host));
        let next = self.crm.with(py, run)?;
        next.map(wait)
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        match self.crm.with(py, |crm| crm.state()) {
            Ok(state) => format!("<Crm of {}: {state}>", self.node),
            Err(_) => format!("<Crm of {}, at work>", self.node),
        }
    }
}

/// The local resource manager of a node: it looks after the services there.
///
/// See :class:`Crm` for how it is driven.
#[pyclass(frozen, module = "pyha")]
#[derive(Debug)]
pub(crate) struct Lrm {
    lrm: Slot<lrm::Lrm>,
    node: NodeName,
    recorded: Arc<AtomicBool>,
    /// What it was asked for while a call used it.
    stops: Mutex<Vec<(StopRequest, Now)>>,
}

impl Lrm {
    /// Hands on what it was asked for meanwhile.
    fn stop_as_asked(&self, lrm: &mut lrm::Lrm, host: &mut PythonHost) {
        let stops = std::mem::take(&mut *self.stops.lock().unwrap_or_else(PoisonError::into_inner));
        for (request, now) in stops {
            lrm.request_stop(request, host, now);
        }
    }
}

#[pymethods]
impl Lrm {
    /// Starts the LRM of a node. ``sink`` is told of the start.
    #[new]
    #[pyo3(signature = (node, *, timings=None, sink=None))]
    fn new(py: Python<'_>, node: Node, timings: Option<PyRef<'_, Timings>>, sink: Option<SinkArg>) -> PyResult<Self> {
        let timings = self::timings(timings);
        let Name(node) = node;
        let sink = sink.map(|SinkArg(sink)| sink);
        let lrm = PythonHost::run(py, sink, |sink| lrm::Lrm::start(node.clone(), timings, sink))?;
        Ok(Self { lrm: Slot::new(lrm), node, recorded: Arc::default(), stops: Mutex::default() })
    }

    /// The node.
    #[getter]
    fn node(&self) -> &str {
        self.node.as_str()
    }

    /// The state that it is in.
    #[getter]
    fn state(&self, py: Python<'_>) -> PyResult<W<LrmState>> {
        self.lrm.with(py, |lrm| W(lrm.state()))
    }

    /// What it has been asked to be.
    #[getter]
    fn mode(&self, py: Python<'_>) -> PyResult<W<LrmMode>> {
        self.lrm.with(py, |lrm| W(lrm.mode()))
    }

    /// Says who it writes its record as: a machine, and its boot. To be called right after it was made.
    ///
    /// No two machines that can run at the same time may have the same ``machine``: what is copied with a disk or a backup will not
    /// do. ``boot`` is the same for all that runs on the machine between two boots, also for a daemon that was restarted, and was
    /// never used before. Where you can't promise that, name no writer.
    fn set_writer(&self, py: Python<'_>, machine: &str, boot: &str) -> PyResult<()> {
        self.lrm.with(py, |lrm| lrm.set_writer(Writer::new(machine, boot)))
    }

    /// Asks it to stop: it exits from a later :meth:`tick`, when its services are safe. A second request changes
    /// nothing, but that of a node that goes down while the daemon alone was to be restarted. It may be asked for at any
    /// time: see :meth:`Crm.request_stop`.
    #[pyo3(signature = (request, host, now=None, *, wall=None))]
    fn request_stop(
        &self,
        py: Python<'_>,
        request: W<StopRequest>,
        host: LrmHostArg,
        now: Option<Moment>,
        wall: Option<f64>,
    ) -> PyResult<()> {
        let now = time_of(py, now, wall)?;
        let W(request) = request;
        let ask = |lrm: &mut lrm::Lrm| PythonHost::run(py, Some(host.0), |host| lrm.request_stop(request, host, now));
        match self.lrm.with_if_free(py, ask)? {
            Some(asked) => asked,
            None => {
                self.stops.lock().unwrap_or_else(PoisonError::into_inner).push((request, now));
                Ok(())
            }
        }
    }

    /// Does what must be done now, and says when to call again; ``None`` after it has exited. See :meth:`Crm.tick`.
    ///
    /// Call it as soon as a job has ended, too: the next one that waits takes its place at the workers then.
    #[pyo3(signature = (host, now=None, *, wall=None))]
    fn tick(
        &self,
        py: Python<'_>,
        host: LrmHostArg,
        now: Option<Moment>,
        wall: Option<f64>,
    ) -> PyResult<Option<Out<Wait>>> {
        let now = time_of(py, now, wall)?;
        let tick = |lrm: &mut lrm::Lrm, host: &mut PythonHost| {
            self.stop_as_asked(lrm, host);
            let next = lrm.tick(host, now);
            self.stop_as_asked(lrm, host);
            next
        };
        let run =
            |lrm: &mut lrm::Lrm| PythonHost::run_knowing(py, Some(host.0), &self.recorded, |host| tick(lrm, host));
        let next = self.lrm.with(py, run)?;
        next.map(wait)
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        match self.lrm.with(py, |lrm| lrm.state()) {
            Ok(state) => format!("<Lrm of {}: {state}>", self.node),
            Err(_) => format!("<Lrm of {}, at work>", self.node),
        }
    }
}

/// All that one manager round looks at, read at its start.
#[pyclass(frozen, module = "pyha")]
#[derive(Debug)]
pub(crate) struct RoundInput(manager::RoundInput);

#[pymethods]
impl RoundInput {
    #[new]
    #[pyo3(signature = (*, members, configuration, lrms=BTreeMap::new(), unmanaged=Items::default(), usage=None, now=None, wall=None))]
    fn new(
        py: Python<'_>,
        members: BTreeMap<String, bool>,
        configuration: PyRef<'_, Configuration>,
        lrms: BTreeMap<String, PyRef<'_, LrmStatus>>,
        unmanaged: Items<Unmanaged>,
        usage: Option<Usage>,
        now: Option<Moment>,
        wall: Option<f64>,
    ) -> PyResult<Self> {
        let node = |name: &str| name.parse::<NodeName>().map_err(|error| raise::invalid(py, &error.to_string()));
        let members = members.iter().map(|(name, online)| Ok((node(name)?, *online)));
        let lrms = lrms.iter().map(|(name, record)| Ok((node(name)?, record.0.clone())));
        Ok(Self(manager::RoundInput {
            now: time_of(py, now, wall)?,
            members: members.collect::<PyResult<_>>()?,
            lrms: lrms.collect::<PyResult<_>>()?,
            configuration: configuration.for_core(),
            unmanaged: unmanaged.0.into_iter().map(|Unmanaged(guest)| guest).collect(),
            usage: usage.map(|Usage(usage)| Arc::new(usage)),
        }))
    }

    /// Reads it all from a host. ``None`` if something that a round can't do without could not be read; the host was told.
    ///
    /// ``previous`` is what the round before it was given: where the record of a node's LRM can't be read, the one that is
    /// there holds, so that one node's broken record does not keep the master from all others.
    #[staticmethod]
    #[pyo3(signature = (host, status, now=None, *, wall=None, previous=None))]
    fn read(
        py: Python<'_>,
        host: CrmHostArg,
        status: PyRef<'_, ManagerStatus>,
        now: Option<Moment>,
        wall: Option<f64>,
        previous: Option<PyRef<'_, Self>>,
    ) -> PyResult<Option<Self>> {
        let (now, status) = (time_of(py, now, wall)?, status.0.clone());
        let known = previous.map(|previous| previous.0.lrms.clone()).unwrap_or_default();
        let read = PythonHost::run(py, Some(host.0), |host| manager::RoundInput::read(host, &status, &known, now))?;
        Ok(read.map(Self))
    }

    /// The moment of the round, in seconds on the monotonic clock.
    #[getter]
    fn now(&self) -> Moment {
        Moment(self.0.now.instant)
    }

    /// The time of the round on the wall clock, in seconds since 1970.
    #[getter]
    fn wall(&self) -> i64 {
        self.0.now.wall
    }

    /// The members of the cluster, each with whether it is online.
    #[getter]
    fn members(&self) -> BTreeMap<&str, bool> {
        self.0.members.iter().map(|(node, online)| (node.as_str(), *online)).collect()
    }

    /// The records of LRMs, as far as there are any.
    #[getter]
    fn lrms(&self) -> BTreeMap<&str, LrmStatus> {
        self.0.lrms.iter().map(|(node, record)| (node.as_str(), LrmStatus(record.clone()))).collect()
    }

    fn __repr__(&self) -> String {
        format!("<RoundInput: {} members>", self.0.members.len())
    }
}

/// The master's mind: what is decided, round by round, without the daemon around it.
#[pyclass(frozen, module = "pyha")]
#[derive(Debug)]
pub(crate) struct Manager {
    manager: Slot<manager::Manager>,
    node: NodeName,
}

#[pymethods]
impl Manager {
    /// Begins from the recorded status, on the node that is master now. ``unique`` are 16 bytes that nobody had before; by
    /// default random ones.
    #[new]
    #[pyo3(signature = (node, *, status=None, timings=None, scheduler=W(SchedulerMode::Basic), unique=None, sink=None))]
    fn new(
        py: Python<'_>,
        node: Node,
        status: Option<PyRef<'_, ManagerStatus>>,
        timings: Option<PyRef<'_, Timings>>,
        scheduler: W<SchedulerMode>,
        unique: Option<[u8; 16]>,
        sink: Option<SinkArg>,
    ) -> PyResult<Self> {
        let unique = match unique {
            Some(unique) => unique,
            None => attribute(py, "os", "urandom")?.call1((16,))?.extract()?,
        };
        let status = status.map(|status| status.0.as_ref().clone()).unwrap_or_default();
        let (timings, Name(node), W(scheduler)) = (self::timings(timings), node, scheduler);
        let sink = sink.map(|SinkArg(sink)| sink);
        let begin =
            |sink: &mut PythonHost| manager::Manager::begin(node.clone(), timings, status, scheduler, &unique, sink);
        let manager = PythonHost::run(py, sink, begin)?;
        Ok(Self { manager: Slot::new(manager), node })
    }

    /// One round: decides from what was read, and does the few things whose outcome matters by the host.
    fn round(&self, py: Python<'_>, input: PyRef<'_, RoundInput>, host: RoundHostArg) -> PyResult<()> {
        let input = &input.0;
        self.manager.with(py, |manager| PythonHost::run(py, Some(host.0), |host| manager.round(input, host)))?
    }

    /// Goes on from what is recorded, instead of what this manager knew.
    fn resume(&self, py: Python<'_>, status: PyRef<'_, ManagerStatus>) -> PyResult<()> {
        let status = status.0.as_ref().clone();
        self.manager.with(py, |manager| manager.resume(status))
    }

    /// The status as this manager knows it: what it wrote last, or would write next.
    #[getter]
    fn status(&self, py: Python<'_>) -> PyResult<ManagerStatus> {
        self.manager.with(py, |manager| ManagerStatus(Arc::new(manager.status().clone())))
    }

    /// For how many rounds the imbalance of the nodes has been too high: for :meth:`Situation.balance`.
    #[getter]
    fn imbalance_rounds(&self, py: Python<'_>) -> PyResult<u32> {
        self.manager.with(py, |manager| manager.balance_hold().rounds())
    }

    fn __repr__(&self) -> String {
        format!("<Manager on {}>", self.node)
    }
}

/// Seconds on the clock that daemons read where a call gives no time: to wait until a :class:`Wait`, and for a host to compare with
/// ``not_after``.
///
/// It goes on while the machine is suspended, where there is such a clock (``CLOCK_BOOTTIME``): a lease passes meanwhile too.
///
/// >>> from pyha import clock
/// >>> clock() <= clock()
/// True
#[pyfunction]
pub(crate) fn clock(py: Python<'_>) -> PyResult<f64> {
    convert::clock(py)
}

/// Carries out a job and gives its exit code. It takes as long as the agent does: call it on a worker of its own.
///
/// ``node`` is the node of the worker.
#[pyfunction]
pub(crate) fn run_job(py: Python<'_>, job: JobArg, node: Node, agent: AgentArg) -> PyResult<i32> {
    let (JobArg(job), Name(node)) = (job, node);
    PythonHost::run(py, Some(agent.0), |agent| lrm::run_job(job, node, agent).0)
}

/// What a :class:`JobRun` wants to be done next.
#[derive(Debug)]
pub(crate) struct Step(JobStep);

data_by! {
    Step = "pyha.values" "JobStep" by |Step(step)| match step {
        JobStep::KnowsType => json!({ "action": "knows_type" }),
        JobStep::Locate => json!({ "action": "locate" }),
        JobStep::CheckRunning => json!({ "action": "check_running" }),
        JobStep::Start => json!({ "action": "start" }),
        JobStep::Stop { timeout } => json!({ "action": "stop", "timeout": timeout }),
        JobStep::Move { target, motion } => json!({ "action": "move", "target": target, "motion": motion }),
        JobStep::Done(code) => json!({ "action": "done", "exit_code": code.0 }),
    };
}

/// A job on its way, for workers that do not block: it says what to ask of the agent next, and takes the answer.
///
/// >>> from pyha import Job, JobRun, StateName
/// >>> run = JobRun(Job(id=1, sid="vm:100", uid=None, command=StateName.STARTED, target=None, timeout=None), "node1")
/// >>> run.step.action
/// 'knows_type'
/// >>> run.answer(False)
/// []
/// >>> run.step.action, run.step.exit_code
/// ('done', 4)
#[pyclass(frozen, module = "pyha")]
#[derive(Debug)]
pub(crate) struct JobRun(Slot<lrm::JobRun>);

#[pymethods]
impl JobRun {
    #[new]
    fn new(job: JobArg, node: Node) -> Self {
        Self(Slot::new(lrm::JobRun::new(job.0, node.0)))
    }

    /// The job.
    #[getter]
    fn job(&self, py: Python<'_>) -> PyResult<Out<Job>> {
        self.0.with(py, |run| Out(run.job().clone()))
    }

    /// What to ask of the agent now.
    #[getter]
    fn step(&self, py: Python<'_>) -> PyResult<Out<Step>> {
        self.0.with(py, |run| Out(Step(run.step())))
    }

    /// Takes the answer to the present step, and gives the events that follow from it: whether the type is known, or the
    /// service runs, as a boolean; where the guest is, or ``None``; ``None`` for what has ended. A ``HostError`` is given where
    /// the agent failed.
    #[pyo3(signature = (answer: "bool | str | Exception | None"))]
    fn answer(&self, py: Python<'_>, answer: Bound<'_, PyAny>) -> PyResult<OutAll<Event>> {
        let class = attribute(py, "pyha.errors", "HostError")?;
        let failed = answer.is_instance(&class)?.then(|| HostError::new(answer.to_string()));
        let take = |run: &mut lrm::JobRun| {
            let wrong = || PyTypeError::new_err("this is no answer to the present step");
            let answer = match (run.step(), failed) {
                (JobStep::Done(_), _) => return Ok(Vec::new()),
                (JobStep::KnowsType, None) => JobAnswer::Known(answer.extract().map_err(|_| wrong())?),
                (JobStep::KnowsType, Some(_)) => JobAnswer::Known(false),
                (JobStep::Locate, Some(error)) => JobAnswer::Located(Err(error)),
                (JobStep::Locate, None) if answer.is_none() => JobAnswer::Located(Ok(None)),
                (JobStep::Locate, None) => JobAnswer::Located(Ok(Some(answer.extract::<Node>()?.0))),
                (JobStep::CheckRunning, Some(error)) => JobAnswer::Running(Err(error)),
                (JobStep::CheckRunning, None) => JobAnswer::Running(Ok(answer.extract().map_err(|_| wrong())?)),
                (JobStep::Start | JobStep::Stop { .. } | JobStep::Move { .. }, Some(error)) => {
                    JobAnswer::Ended(Err(error))
                }
                (JobStep::Start | JobStep::Stop { .. } | JobStep::Move { .. }, None) => {
                    is_done(&answer)?;
                    JobAnswer::Ended(Ok(()))
                }
            };
            let mut events = Vec::new();
            run.answer(answer, &mut events);
            Ok(events)
        };
        self.0.with(py, take)?.map(OutAll)
    }
}
