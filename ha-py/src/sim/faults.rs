//! Calls that go wrong, clocks that are wrong, and what must hold all the same.

use std::time::Duration;

use ha_core::{host::HostOperation, time::Instant};
use ha_sim::{
    cluster::{ActionError, Breach, Disturbance, Fault},
    world::{Clock, DaemonKind},
};
use pyo3::prelude::*;
use serde_json::json;

use super::Cluster;
use crate::{
    convert::{Items, Moment, Name, Node, Out, Seconds, W, data_by},
    errors,
};

/// How a call that a daemon makes goes wrong.
#[derive(Debug, Clone, Copy)]
pub(crate) enum FaultKind {
    /// It does nothing and gives an error.
    Fails,
    /// It takes effect and gives an error all the same.
    Unknown,
    /// The daemon, or the store, stalls before the call takes effect.
    Stalls,
    /// The answer comes late.
    Late,
    /// It takes effect, then nothing is heard for a while, then it gives an error.
    LateUnknown,
    /// The daemon dies before the call, and is started again after a while.
    Crashes,
    /// The daemon dies right after the call, and is started again after a while.
    CrashesAfter,
}

impl FaultKind {
    fn lasting(self, time: Duration) -> Fault {
        let milliseconds = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        match self {
            Self::Fails => Fault::Fails,
            Self::Unknown => Fault::Unknown,
            Self::Stalls => Fault::Stalls(milliseconds),
            Self::Late => Fault::Late(milliseconds),
            Self::LateUnknown => Fault::LateUnknown(milliseconds),
            Self::Crashes => Fault::Crashes(milliseconds),
            Self::CrashesAfter => Fault::CrashesAfter(milliseconds),
        }
    }
}

data_by! {
    Breach = "pyha.sim" "Breach" by |breach| json!({
        "time": breach.at.since_start().as_secs_f64(), "invariant": breach.invariant, "details": breach.details,
        "text": breach.to_string(),
    });
}

impl Cluster {
    fn at_node(
        &self,
        py: Python<'_>,
        Name(node): Node,
        work: impl FnOnce(&mut ha_sim::cluster::Cluster, &ha_core::id::NodeName) + Send,
    ) -> PyResult<()> {
        let done = self.with(py, |cluster| {
            if !cluster.world().nodes.contains_key(&node) {
                return Err(ActionError::NoSuchNode(node));
            }
            work(cluster, &node);
            Ok(())
        });
        done.map_err(|error| errors::action(py, &error))
    }
}

/// Faults below the daemons.
#[pymethods]
impl Cluster {
    /// Lets a call go wrong that a daemon makes: the next one, of that operation if one is given, after so many that go well.
    ///
    /// ``lasting`` is for how long a call stalls or is late, or after what time a daemon that crashes is started again.
    ///
    /// >>> from pyha.sim import Cluster, DaemonKind, FaultKind
    /// >>> cluster = Cluster(["node1", "node2", "node3"], guests={"vm:100": "node1"}, resources="vm: 100\n")
    /// >>> cluster.run_for(60)
    /// >>> cluster.disturb("node1", DaemonKind.CRM, FaultKind.FAILS, operation="write_manager_status")
    /// >>> cluster.run_for(60)
    /// >>> [h.source for h in cluster.happenings() if h.event.tag == "host_call_failed"]
    /// ['node1/crm']
    #[pyo3(signature = (node, daemon, kind, *, operation=None, skip=0, lasting=Seconds(Duration::ZERO)))]
    fn disturb(
        &self,
        py: Python<'_>,
        node: Node,
        daemon: W<DaemonKind>,
        kind: W<FaultKind>,
        operation: Option<W<HostOperation>>,
        skip: u32,
        lasting: Seconds,
    ) -> PyResult<()> {
        let (W(daemon), fault, operation) =
            (daemon, kind.0.lasting(lasting.0), operation.map(|W(operation)| operation));
        self.at_node(py, node, |cluster, node| {
            cluster.disturb(Disturbance { node: node.clone(), daemon, operation, skip, fault });
        })
    }

    /// Takes back all that :meth:`disturb` said and that still waits for its call.
    fn stop_disturbing(&self, py: Python<'_>) {
        self.with(py, ha_sim::cluster::Cluster::stop_disturbing);
    }

    /// Changes the clocks of a node: by how many parts per million its monotonic clock is faster than the world's time
    /// (slower if negative), and by how many seconds its wall clock is ahead.
    #[pyo3(signature = (node, *, drift_ppm=0, wall_ahead=0))]
    fn set_clock(&self, py: Python<'_>, node: Node, drift_ppm: i32, wall_ahead: i64) -> PyResult<()> {
        self.at_node(py, node, |cluster, node| cluster.set_clock(node, Clock { ppm: drift_ppm, wall_ahead }))
    }

    /// Lets the wall clock of a node jump, forward or back.
    fn jump_wall_clock(&self, py: Python<'_>, node: Node, seconds: i64) -> PyResult<()> {
        self.at_node(py, node, |cluster, node| cluster.jump_wall_clock(node, seconds))
    }

    /// By how much the watchdog of a node resets it earlier and later than told.
    #[pyo3(signature = (node, *, early=Seconds(Duration::ZERO), late=Seconds(Duration::ZERO)))]
    fn set_watchdog_error(&self, py: Python<'_>, node: Node, early: Seconds, late: Seconds) -> PyResult<()> {
        self.at_node(py, node, |cluster, node| cluster.set_watchdog_error(node, early.0, late.0))
    }

    /// Locks are held longer than promised.
    fn let_leases_run_long(&self, py: Python<'_>, by: Seconds) {
        self.with(py, |cluster| cluster.let_leases_run_long(by.0));
    }

    /// Says which other nodes a node does not hear, though the store reaches all of them.
    fn set_unheard(&self, py: Python<'_>, node: Node, unheard: Items<Node>) -> PyResult<()> {
        let unheard = unheard.0.into_iter().map(|Name(node)| node).collect();
        self.at_node(py, node, |cluster, node| cluster.set_unheard(node, unheard))
    }

    /// Ends what agents hang in: it fails.
    fn end_hung_jobs(&self, py: Python<'_>) {
        self.with(py, ha_sim::cluster::Cluster::end_hung_jobs);
    }

    /// Checks more from now on than that no service runs twice: what must hold whatever goes wrong, such as that a watchdog
    /// is fed only after a renewal. Once one of these does not hold nothing happens any more, and :attr:`breach` says what.
    ///
    /// With ``resets_until`` also that no watchdog resets a node after that moment, as is so when nothing goes wrong.
    #[pyo3(signature = (*, resets_until=None))]
    fn check_invariants(&self, py: Python<'_>, resets_until: Option<Moment>) {
        let Moment(excused) = resets_until.unwrap_or(Moment(Instant::after_start(Duration::MAX)));
        self.with(py, |cluster| {
            cluster.check_invariants();
            if let Some(invariants) = cluster.invariants_mut() {
                invariants.excuse_until(excused);
            }
        });
    }

    /// What did not hold since :meth:`check_invariants`.
    #[getter]
    fn breach(&self, py: Python<'_>) -> Option<Out<Breach>> {
        self.with(py, |cluster| cluster.invariants().and_then(|invariants| invariants.breach().cloned())).map(Out)
    }

    /// The time on the monotonic clock of a node, in seconds.
    fn now_on(&self, py: Python<'_>, node: Node) -> Moment {
        Moment(self.with(py, |cluster| cluster.now_on(&node.0).instant))
    }

    /// The time on the wall clock of a node, in seconds since 1970.
    fn wall_on(&self, py: Python<'_>, node: Node) -> i64 {
        self.with(py, |cluster| cluster.now_on(&node.0).wall)
    }
}
