//! The virtual cluster: made, and stepped through its time.

use std::sync::{Mutex, PoisonError};

use ha_core::plan::ClusterSnapshot;
use ha_sim::cluster::{self, RanTwice, Setup};
use pyo3::{exceptions::PyTimeoutError, prelude::*};

use super::{
    Play,
    arguments::{DurationsArg, Guests, NodeArg, setup},
};
use crate::{
    config::{
        DatacenterFile, FenceConfig, GroupsConfig, NodesConfig, ResourcesConfig, RulesConfig, configuration::FileArg,
    },
    convert::{Items, Moment, Seconds},
    errors,
    python::attribute,
    timing::Timings,
};

/// A virtual cluster, with a clock of its own. Nothing happens in it but in the calls that let time pass.
///
/// Each call may be made from any thread; one waits for the other.
///
/// >>> from pyha.sim import Cluster
/// >>> cluster = Cluster(["node1", "node2", "node3"], guests={"vm:100": "node3"}, resources="vm: 100\n")
/// >>> cluster.run_for(60)
/// >>> cluster.places("vm:100")
/// ['node3']
/// >>> cluster.power_off("node3")
/// >>> cluster.run_for(180)
/// >>> cluster.places("vm:100"), str(cluster.service_state("vm:100"))
/// (['node1'], 'started')
#[pyclass(frozen, module = "pyha.sim")]
#[derive(Debug)]
pub(crate) struct Cluster(Mutex<cluster::Cluster>);

impl Cluster {
    pub(crate) fn of(cluster: cluster::Cluster) -> Self {
        Self(Mutex::new(cluster))
    }

    /// Works with the cluster, without holding the interpreter meanwhile.
    pub(crate) fn with<T: Send>(&self, py: Python<'_>, work: impl FnOnce(&mut cluster::Cluster) -> T + Send) -> T {
        py.detach(|| work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    pub(crate) fn try_with<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut cluster::Cluster) -> Result<T, RanTwice> + Send,
    ) -> PyResult<T> {
        self.with(py, work).map_err(|ran_twice| errors::ran_twice(py, &ran_twice))
    }
}

/// A file that must not have problems.
macro_rules! checked {
    ($py:expr, $file:expr) => {
        match $file {
            Some(file) => {
                file.0.raise_for_problems($py)?;
                file.0
            }
            None => Default::default(),
        }
    };
}

#[pymethods]
impl Cluster {
    /// A cluster whose nodes have just come up, at time 0.
    ///
    /// Nodes are names, or :class:`NodeSetup`; guests are a mapping from SIDs to nodes, or :class:`GuestSetup`. Configuration
    /// files are given as text or as what was read from them, and must not have problems; ``labels`` is ``nodes.cfg``.
    #[new]
    #[pyo3(signature = (
        nodes, *, guests=Guests::default(), resources=None, groups=None, rules=None, labels=None, datacenter=None, fence=None,
        timings=None, durations=None
    ))]
    fn new(
        py: Python<'_>,
        nodes: Items<NodeArg>,
        guests: Guests,
        resources: Option<FileArg<ResourcesConfig>>,
        groups: Option<FileArg<GroupsConfig>>,
        rules: Option<FileArg<RulesConfig>>,
        labels: Option<FileArg<NodesConfig>>,
        datacenter: Option<FileArg<DatacenterFile>>,
        fence: Option<FileArg<FenceConfig>>,
        timings: Option<PyRef<'_, Timings>>,
        durations: Option<DurationsArg>,
    ) -> PyResult<Self> {
        let timings = timings.map(|timings| timings.0).unwrap_or_default();
        let mut setup = setup(py, nodes.0, guests, timings, durations)?;
        let resources: ResourcesConfig = checked!(py, resources);
        let groups: GroupsConfig = checked!(py, groups);
        let rules: RulesConfig = checked!(py, rules);
        let labels: NodesConfig = checked!(py, labels);
        let datacenter: DatacenterFile = checked!(py, datacenter);
        setup.resources = resources.config.as_ref().clone();
        setup.groups = groups.config.as_ref().clone();
        setup.rules = rules.config.as_ref().clone();
        setup.labels = labels.config.as_ref().clone();
        setup.datacenter = datacenter.file;
        if let Some(FileArg(fence)) = fence {
            fence.raise_for_problems(py)?;
            setup.fence = fence.used().cloned();
        }
        Ok(Self::of(py.detach(|| cluster::Cluster::new(setup))))
    }

    /// A live cluster that goes on as a virtual one, from what ``ha snapshot`` wrote. What is otherwise than it was is said at the
    /// beginning of what happens.
    #[staticmethod]
    fn from_snapshot(py: Python<'_>, snapshot: &str) -> PyResult<Self> {
        let snapshot = ClusterSnapshot::from_json(snapshot).map_err(|error| errors::snapshot(py, &error))?;
        Ok(Self::of(cluster::Cluster::new(Setup::from_snapshot(&snapshot))))
    }

    /// The time, in seconds since the start.
    #[getter]
    fn now(&self, py: Python<'_>) -> Moment {
        Moment(self.with(py, |cluster| cluster.now().instant))
    }

    /// The time on all wall clocks that are right, in seconds since 1970.
    #[getter]
    fn wall(&self, py: Python<'_>) -> i64 {
        self.with(py, |cluster| cluster.now().wall)
    }

    /// When the next thing is due, in seconds since the start; ``None`` if nothing is, ever.
    #[getter]
    fn next_due(&self, py: Python<'_>) -> Option<Moment> {
        self.with(py, |cluster| cluster.next_due()).map(Moment)
    }

    /// Lets the next thing happen. Gives its time, or ``None`` if there is nothing.
    ///
    /// Raises ``RanTwiceError`` if a service runs on two nodes after it, as all calls do that let something happen.
    fn step(&self, py: Python<'_>) -> PyResult<Option<Moment>> {
        self.try_with(py, cluster::Cluster::step).map(|time| time.map(Moment))
    }

    /// Lets everything happen that is due up to and at a moment, which is the present then.
    fn run_until(&self, py: Python<'_>, end: Moment) -> PyResult<()> {
        self.try_with(py, |cluster| cluster.run_until(end.0))
    }

    /// Lets everything happen that is due within a time from now.
    fn run_for(&self, py: Python<'_>, time: Seconds) -> PyResult<()> {
        self.try_with(py, |cluster| cluster.run_for(time.0))
    }

    /// Lets things happen until a condition holds, which is looked at after each of them, and gives the time.
    ///
    /// Raises ``TimeoutError`` if it does not hold within the given time; the present is then.
    ///
    /// >>> from pyha.sim import Cluster
    /// >>> cluster = Cluster(["node1", "node2"], guests={"vm:100": "node1"}, resources="vm: 100\n")
    /// >>> cluster.wait_for(lambda cluster: cluster.places("vm:100") == ["node1"], within=60)
    /// 4.0
    #[pyo3(signature = (condition, *, within))]
    fn wait_for(slf: Bound<'_, Self>, condition: Condition<'_>, within: Seconds) -> PyResult<Moment> {
        let (py, this) = (slf.py(), slf.get());
        let end = this.with(py, |cluster| cluster.now().instant.after(within.0));
        loop {
            if condition.0.call1((&slf,))?.is_truthy()? {
                return Ok(this.now(py));
            }
            py.check_signals()?;
            let goes_on = |cluster: &mut cluster::Cluster| match cluster.next_due().filter(|due| *due <= end) {
                Some(_) => cluster.step().map(|_| true),
                None => cluster.run_until(end).map(|()| false),
            };
            if !this.try_with(py, goes_on)? {
                let name = attribute(py, "pyha._data", "name_of")?.call1((&condition.0,))?;
                let message = format!("{name} does not hold within {} s", within.0.as_secs_f64());
                return Err(PyTimeoutError::new_err(message));
            }
        }
    }

    /// Lets everything happen within a time from now, and gives what happens as it happens.
    ///
    /// >>> from pyha import events
    /// >>> from pyha.sim import Cluster
    /// >>> cluster = Cluster(["node1", "node2"], guests={"vm:100": "node1"}, resources="vm: 100\n")
    /// >>> for happening in cluster.play_for(60):
    /// ...     match happening.event:
    /// ...         case events.AgentStarted(sid):
    /// ...             print(happening.time, happening.source, sid)
    /// 4.0 node1/lrm vm:100
    fn play_for(slf: Bound<'_, Self>, time: Seconds) -> Play {
        let (end, mark) = slf.get().with(slf.py(), |cluster| (cluster.now().instant.after(time.0), cluster.mark()));
        Play::new(slf.unbind(), end, mark)
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        self.with(py, |cluster| {
            let time = cluster.now().instant.since_start().as_secs_f64();
            let (nodes, guests) = (cluster.world().nodes.len(), cluster.world().guests.len());
            format!("<Cluster at {time} s: {nodes} nodes, {guests} guests>")
        })
    }
}

/// A condition as an argument.
#[derive(Debug)]
pub(crate) struct Condition<'py>(Bound<'py, PyAny>);

impl<'a, 'py> FromPyObject<'a, 'py> for Condition<'py> {
    type Error = PyErr;

    const INPUT_TYPE: pyo3::inspect::PyStaticExpr = pyo3::type_hint_identifier!("pyha.sim", "Condition");

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        Ok(Self(object.to_owned()))
    }
}
