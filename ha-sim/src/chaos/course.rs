//! How a history goes on: after the faults everything is mended, and then it has to settle.

use std::time::Duration;

use ha_core::{id::NodeName, timing::Timings};

use super::{Action, DueAction, History, Profile};
use crate::cluster::Setup;

/// A history of what is done to a cluster, until everything is mended and has settled.
pub(super) fn history(seed: u64, profile: Profile, setup: Setup, mut actions: Vec<DueAction>) -> History {
    let spans = Spans::of(&setup);
    let faults_end_ms = milliseconds(spans.faults);
    actions.retain(|due| due.at_ms < faults_end_ms);
    actions.push(DueAction { at_ms: faults_end_ms, action: Action::MendAll });
    let nodes: Vec<NodeName> = setup.nodes.keys().cloned().collect();
    actions.extend(commands_at_the_end(&setup, &nodes, faults_end_ms));
    actions.sort_by_key(|due| due.at_ms);
    History {
        seed,
        profile,
        planted: None,
        setup,
        actions,
        faults_end_ms,
        end_ms: milliseconds(spans.faults.saturating_add(spans.settling)).max(spans.at_least_ms),
    }
}

/// How long the parts of a history are.
pub(super) struct Spans {
    pub(super) faults: Duration,
    settling: Duration,
    at_least_ms: u64,
}

impl Spans {
    pub(super) fn of(setup: &Setup) -> Self {
        let timings = setup.timings;
        let recovery = timings.recovery().longest_with_master;
        let (boot, lease) = (setup.durations.boot, setup.leases_run_long);
        // With one worker a node, jobs are done one after another.
        let each = setup.guests.values().map(|guest| guest.guest.times.sum());
        let jobs = each.fold(Duration::from_secs(120), Duration::saturating_add);
        let waits = waits(setup);
        let settling = [recovery, recovery, boot, boot, lease, lease, jobs, waits].into_iter().sum();
        // Twenty minutes with customary timings; as many rounds with others.
        let rounds = timings.round_time().max(Duration::from_millis(500));
        let faults = rounds.saturating_mul(54).max(recovery);
        // A node that flaps is fenced several times.
        let each = fenced_within(timings).saturating_add(boot).saturating_add(rounds.saturating_mul(12));
        let flaps =
            if setup.datacenter.config().flapping_hold.is_some() { each.saturating_mul(5) } else { Duration::ZERO };
        let faults = faults.max(flaps);
        let at_least = rounds.saturating_mul(120);
        Self { faults, settling, at_least_ms: milliseconds(at_least) }
    }
}

/// How long it takes at most until a node that was lost is fenced by its lock, while there is a master.
pub(super) fn fenced_within(timings: Timings) -> Duration {
    timings.recovery().longest.saturating_add(timings.round_time().saturating_mul(2))
}

/// How long services wait for each other at most, one after another.
fn waits(setup: &Setup) -> Duration {
    let orders = setup.rules.rules.values().filter_map(|rule| rule.order());
    let rounds = setup.timings.round_time().saturating_mul(6);
    let each = orders.map(|order| Duration::from_secs(order.delay().saturating_add(order.timeout()).into()));
    each.map(|wait| wait.saturating_add(rounds)).fold(Duration::ZERO, Duration::saturating_add)
}

/// When all nodes are back people take back what they asked for: twice, since it is refused as long as there is no quorum.
/// They turn on what a fence device has turned off by then.
fn commands_at_the_end(setup: &Setup, nodes: &[NodeName], faults_end_ms: u64) -> Vec<DueAction> {
    let boot_ms = milliseconds(setup.durations.boot);
    let at_ms = faults_end_ms.saturating_add(boot_ms).saturating_add(1_000);
    let again_ms = at_ms.saturating_add(boot_ms).saturating_add(30_000);
    // Balancing may go on for ever.
    let no_balancing = Action::set_datacenter("crs.ha-auto-rebalance", "0");
    let lines = nodes.iter().map(|node| format!("disable-node-maintenance {node}"));
    let lines = ["arm-ha".to_owned()].into_iter().chain(lines);
    let commands = lines.map(|line| Action::Command { line });
    let taken_back = [Action::RepairStatus, no_balancing].into_iter().chain(commands);
    let twice = taken_back.flat_map(|action| [(at_ms, action.clone()), (again_ms, action)]);
    let power_on = nodes.iter().filter(|_| setup.fence.is_some()).cloned();
    let power_on = power_on.map(|node| (again_ms, Action::PowerOn { node }));
    twice.chain(power_on).map(|(at_ms, action)| DueAction { at_ms, action }).collect()
}

pub(super) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
