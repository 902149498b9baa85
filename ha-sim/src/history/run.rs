//! Playing a history.

use std::time::Duration;

use ha_core::time::Instant;

use super::{History, on_the_way::OnTheWay, unsettled};
use crate::{
    cluster::{Action, Breach, Cluster, Invariant, aftermath},
    world::{ClusterEvent, What},
};

/// How a history went, and how it is judged.
#[derive(Debug)]
pub struct Judged {
    /// The first invariant that did not hold, if there is one.
    pub breach: Option<Breach>,
    /// The cluster at the end.
    pub cluster: Cluster,
    /// How long it took, in the time of the cluster.
    pub cluster_time: Duration,
    /// How long after the end of the faults everything had settled for good.
    pub settled_after: Option<Duration>,
}

/// Plays a history to its end, or until an invariant does not hold.
#[must_use]
pub fn run(history: &History) -> Judged {
    let mut cluster = prepare(history);
    let settled_after = play(history, &mut cluster);
    let breach = cluster.invariants().and_then(|invariants| invariants.breach()).cloned();
    let cluster_time = cluster.now().instant.since_start();
    Judged { breach, cluster, cluster_time, settled_after }
}

/// The cluster of a history, with everything that is done to it already on its agenda.
#[must_use]
pub fn prepare(history: &History) -> Cluster {
    let mut cluster = Cluster::new(history.setup.clone());
    if let Some(bug) = history.planted {
        cluster.plant(bug);
    }
    cluster.check_invariants();
    cluster.limit_stalls(Instant::after_start(history.faults_end()));
    let excused = excused_until(history, &cluster);
    if let Some(invariants) = cluster.invariants_mut() {
        invariants.excuse_until(excused);
    }
    for due in &history.actions {
        let action = due.action.clone();
        let at = Instant::after_start(Duration::from_millis(due.at_ms));
        cluster.do_at(at, move |cluster| act(&action, cluster));
    }
    cluster
}

/// Until when nodes may be reset: no node is, if nothing happens that calls for it.
fn excused_until(history: &History, cluster: &Cluster) -> Instant {
    if history.actions.iter().any(|due| due.action.calls_for_resets()) {
        let aftermath = aftermath(cluster.world().physics.lock_lifetime, cluster.timings());
        // A stop that fails may have to wait for a start first.
        let jobs = history.setup.guests.values().map(|guest| guest.guest.times.sum()).max().unwrap_or_default();
        Instant::after_start(history.faults_end().saturating_add(aftermath).saturating_add(jobs))
    } else {
        Instant::START
    }
}

fn act(action: &Action, cluster: &mut Cluster) {
    let now = cluster.now().instant;
    cluster.note(now, "chaos", What::Cluster(ClusterEvent::Execute { command: action.to_string() }));
    if action.act(cluster).is_ok()
        && let Some(invariants) = cluster.invariants_mut()
    {
        invariants.count_fault(action.kind());
    }
}

fn play(history: &History, cluster: &mut Cluster) -> Option<Duration> {
    let step = cluster.timings().round_time().saturating_mul(2);
    play_faults(history, cluster, step);
    let mut settled_after = None;
    let (begin, end) = (history.faults_end(), history.end());
    let mut at = begin;
    while at < end && !is_broken(cluster) {
        at = at.saturating_add(step).min(end);
        let _broken = cluster.run_until(Instant::after_start(at));
        if unsettled(cluster, history).is_empty() {
            settled_after.get_or_insert(at.saturating_sub(begin));
        } else {
            // It has to stay so.
            settled_after = None;
        }
    }
    if settled_after.is_none() && !is_broken(cluster) {
        let details = unsettled(cluster, history).join("; ");
        let now = cluster.now().instant;
        if let Some(invariants) = cluster.invariants_mut() {
            invariants.note_breach(now, Invariant::Settles, details);
        }
    }
    settled_after
}

/// Plays it until everything is mended, and checks on the way that whatever is not touched goes on.
fn play_faults(history: &History, cluster: &mut Cluster, step: Duration) {
    let mut on_the_way = OnTheWay::new(history, cluster);
    let mut at = Duration::ZERO;
    while at < history.faults_end() && !is_broken(cluster) {
        at = at.saturating_add(step).min(history.faults_end());
        // The cluster remembers what breaks.
        let _broken = cluster.run_until(Instant::after_start(at));
        if at < history.faults_end()
            && let Some((invariant, details)) = on_the_way.look(cluster)
        {
            let now = cluster.now().instant;
            if let Some(invariants) = cluster.invariants_mut() {
                invariants.note_breach(now, invariant, details);
            }
        }
    }
}

fn is_broken(cluster: &Cluster) -> bool {
    cluster.invariants().is_some_and(|invariants| invariants.breach().is_some())
}
