//! Histories from seeds.
//!
//! Each history is given a random share of the kinds of faults, so that some see many of one kind and none of another.

use std::{collections::BTreeSet, time::Duration};

use fastrand::Rng;
use ha_core::{
    host::HostOperation,
    id::{NodeName, ServiceId},
    timing::{TimingSettings, Timings},
};
use serde::{Deserialize, Serialize};

use super::{
    Action, ClusterPlan, History, PlannedAction,
    action::{AgentOperation, AgentOutcome},
    plan,
};
use crate::{
    cluster::{Disturbance, Fault},
    world::DaemonKind,
};

/// What may happen in a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// Everything.
    Mixed,
    /// What people do, and guests that fail; no fault that calls for a reset.
    Calm,
    /// Power and networks.
    Network,
    /// Stalls, lost answers and crashes inside of calls.
    Calls,
    /// What people do, with power and networks failing at the worst moment.
    People,
}

impl Profile {
    /// All profiles.
    pub const ALL: &[Self] = &[Self::Mixed, Self::Calm, Self::Network, Self::Calls, Self::People];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mixed => "mixed",
            Self::Calm => "calm",
            Self::Network => "network",
            Self::Calls => "calls",
            Self::People => "people",
        }
    }

    fn kinds(self) -> &'static [Kind] {
        match self {
            Self::Mixed => Kind::ALL,
            Self::Calm => Kind::CALM,
            Self::Network => &[Kind::Power, Kind::Cut, Kind::Partition, Kind::Unheard, Kind::Crash],
            Self::Calls => &[Kind::Call, Kind::Call, Kind::Kill, Kind::Pause, Kind::Store],
            Self::People => &[
                Kind::Power,
                Kind::Cut,
                Kind::Disarm,
                Kind::Maintenance,
                Kind::Move,
                Kind::Shutdown,
                Kind::Restart,
                Kind::Request,
                Kind::Kill,
                Kind::Member,
                Kind::Guest,
            ],
        }
    }
}

/// Kinds of things that happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Power,
    Cut,
    Partition,
    Unheard,
    Store,
    Kill,
    Pause,
    Call,
    WallClock,
    Device,
    Shutdown,
    Restart,
    StopCrm,
    Move,
    Maintenance,
    Disarm,
    Request,
    AddRemove,
    Rule,
    Datacenter,
    Crash,
    Agent,
    GuestLock,
    Member,
    Guest,
}

impl Kind {
    const ALL: &[Self] = &[
        Self::Power,
        Self::Cut,
        Self::Partition,
        Self::Unheard,
        Self::Store,
        Self::Kill,
        Self::Pause,
        Self::Call,
        Self::Call,
        Self::WallClock,
        Self::Device,
        Self::Shutdown,
        Self::Restart,
        Self::StopCrm,
        Self::Move,
        Self::Maintenance,
        Self::Disarm,
        Self::Request,
        Self::AddRemove,
        Self::Rule,
        Self::Datacenter,
        Self::Crash,
        Self::Agent,
        Self::GuestLock,
        Self::Member,
        Self::Guest,
    ];

    const CALM: &[Self] = &[
        Self::WallClock,
        Self::Shutdown,
        Self::Restart,
        Self::StopCrm,
        Self::Move,
        Self::Maintenance,
        Self::Disarm,
        Self::Request,
        Self::AddRemove,
        Self::Rule,
        Self::Datacenter,
        Self::Crash,
    ];
}

/// The history of a seed.
#[must_use]
pub fn generate(seed: u64, profile: Profile) -> History {
    let mut rng = Rng::with_seed(seed);
    let cluster = plan::cluster(&mut rng);
    let timings = cluster.timings.validate().unwrap_or_default();
    let spans = Spans::of(&cluster, &timings);
    let mut generator = Generator {
        kinds: kinds(&mut rng, profile),
        nodes: cluster.nodes.keys().cloned().collect(),
        services: cluster.guests.keys().cloned().collect(),
        fence_devices: cluster.fence.is_some(),
        timings,
        faults_end: spans.faults,
        actions: Vec::new(),
        rng,
    };
    generator.bursts();
    let Generator { mut actions, nodes, .. } = generator;
    let faults_end_ms = milliseconds(spans.faults);
    actions.retain(|planned| planned.at_ms < faults_end_ms);
    actions.push(PlannedAction { at_ms: faults_end_ms, action: Action::MendAll });
    actions.extend(commands_at_the_end(&cluster, &nodes, faults_end_ms));
    actions.sort_by_key(|planned| planned.at_ms);
    History {
        seed,
        profile,
        planted: None,
        cluster,
        actions,
        faults_end_ms,
        end_ms: milliseconds(spans.faults.saturating_add(spans.settling)).max(spans.at_least_ms),
    }
}

/// How long the parts of a history are.
struct Spans {
    faults: Duration,
    settling: Duration,
    at_least_ms: u64,
}

impl Spans {
    fn of(cluster: &ClusterPlan, timings: &Timings) -> Self {
        let recovery = timings.recovery().longest_with_master;
        let boot = Duration::from_millis(cluster.boot_ms);
        let lease = Duration::from_millis(cluster.lease_runs_long_ms);
        // With one worker a node, jobs are done one after another.
        let each = cluster.guests.values().map(|guest| guest.times_ms.iter().sum::<u64>());
        let jobs = Duration::from_millis(each.fold(120_000, u64::saturating_add));
        let settling = [recovery, recovery, boot, boot, lease, lease, jobs].into_iter().sum();
        // Twenty minutes with customary timings; as many rounds with others.
        let rounds = timings.round_time().max(Duration::from_millis(500));
        let faults = rounds.saturating_mul(54).max(recovery);
        let at_least = rounds.saturating_mul(120);
        Self { faults, settling, at_least_ms: milliseconds(at_least) }
    }
}

/// When all nodes are back people take back what they asked for: twice, since it is refused as long as there is no quorum.
/// What a fence device has turned off by then they turn on.
fn commands_at_the_end(cluster: &ClusterPlan, nodes: &[NodeName], faults_end_ms: u64) -> Vec<PlannedAction> {
    let at_ms = faults_end_ms.saturating_add(cluster.boot_ms).saturating_add(1_000);
    let again_ms = at_ms.saturating_add(cluster.boot_ms).saturating_add(30_000);
    // Balancing may go on for ever.
    let no_balancing = Action::Datacenter { key: "crs.ha-auto-rebalance".to_owned(), value: "0".to_owned() };
    let lines = nodes.iter().map(|node| format!("disable-node-maintenance {node}"));
    let lines = ["arm-ha".to_owned()].into_iter().chain(lines);
    let commands = lines.map(|line| Action::Command { line });
    let taken_back = [no_balancing].into_iter().chain(commands);
    let twice = taken_back.flat_map(|action| [(at_ms, action.clone()), (again_ms, action)]);
    let power_on = nodes.iter().filter(|_| cluster.fence.is_some()).cloned();
    let power_on = power_on.map(|node| (again_ms, Action::PowerOn { node }));
    twice.chain(power_on).map(|(at_ms, action)| PlannedAction { at_ms, action }).collect()
}

fn kinds(rng: &mut Rng, profile: Profile) -> Vec<Kind> {
    let all = profile.kinds();
    let share = rng.f64().mul_add(0.7, 0.3);
    let mut kinds: Vec<Kind> = all.iter().copied().filter(|_| rng.f64() < share).collect();
    if kinds.is_empty() {
        kinds.extend(all);
    }
    kinds
}

struct Generator {
    rng: Rng,
    kinds: Vec<Kind>,
    nodes: Vec<NodeName>,
    services: Vec<ServiceId>,
    fence_devices: bool,
    timings: Timings,
    faults_end: Duration,
    actions: Vec<PlannedAction>,
}

impl Generator {
    /// Things happen close together, since it is there that they meet.
    fn bursts(&mut self) {
        let bursts = self.rng.u32(1..=6);
        for _ in 0..bursts {
            let begin = self.within(self.faults_end);
            let length = self.span();
            for _ in 0..self.rng.u32(1..=8) {
                let at = begin.saturating_add(self.within(length));
                self.happen(at);
            }
        }
    }

    fn happen(&mut self, at: Duration) {
        let Some(kind) = self.rng.choice(self.kinds.iter().copied()) else { return };
        let node = self.node();
        match kind {
            Kind::Power => self.power(at, node),
            Kind::Cut => {
                self.plan(at, Action::Network { node: node.clone(), connected: false });
                self.plan_later(at, Action::Network { node, connected: true });
            }
            Kind::Partition => {
                let groups = self.groups();
                self.plan(at, Action::Partition { groups });
                self.plan_later(at, Action::Heal);
            }
            Kind::Unheard => self.unheard(at, node),
            Kind::Store => self.store(at, node),
            Kind::Kill => {
                let (daemon, restart) = (self.daemon(), self.span());
                self.plan(at, Action::Kill { node, daemon, restart_ms: milliseconds(restart) });
            }
            Kind::Pause => {
                let daemon = self.daemon();
                self.plan(at, Action::Pause { node: node.clone(), daemon });
                self.plan_later(at, Action::Resume { node, daemon });
            }
            Kind::Call => self.call(at, node),
            Kind::WallClock => {
                let seconds = self.rng.i64(-4000..4000);
                self.plan(at, Action::WallClock { node, seconds });
            }
            Kind::Device if self.fence_devices => {
                let name = format!("d{}", self.rng.u32(1..=2));
                self.plan(at, Action::Device { name: name.clone(), works: false });
                self.plan_later(at, Action::Device { name, works: true });
            }
            Kind::Device => {}
            Kind::Shutdown | Kind::Restart | Kind::StopCrm => self.stop(kind, at, node),
            Kind::Move | Kind::Maintenance | Kind::Disarm => self.command(kind, at, node),
            Kind::Request | Kind::AddRemove | Kind::Rule | Kind::Datacenter => self.edit(kind, at),
            Kind::Crash => {
                let sid = self.service();
                self.plan(at, Action::Crash { sid });
            }
            Kind::Agent => self.agent(at),
            Kind::GuestLock => {
                let sid = self.service();
                let lock = if self.rng.bool() { "backup" } else { "create" };
                self.plan(at, Action::LockGuest { sid: sid.clone(), lock: lock.to_owned() });
                self.plan_later(at, Action::UnlockGuest { sid });
            }
            Kind::Member => {
                self.plan(at, Action::Expel { node: node.clone() });
                self.plan_later(at, Action::Admit { node });
            }
            Kind::Guest => {
                let sid = self.service();
                self.plan(at, Action::DestroyGuest { sid: sid.clone() });
                self.plan_later(at, Action::CreateGuest { sid, node });
            }
        }
    }

    fn power(&mut self, at: Duration, node: NodeName) {
        if self.rng.bool() {
            self.plan(at, Action::Reset { node });
        } else {
            self.plan(at, Action::PowerOff { node: node.clone() });
            self.plan_later(at, Action::PowerOn { node });
        }
    }

    fn unheard(&mut self, at: Duration, node: NodeName) {
        let mut others: BTreeSet<NodeName> = self.nodes.iter().filter(|other| **other != node).cloned().collect();
        if self.rng.bool() {
            others.retain(|_| self.rng.bool());
        }
        self.plan(at, Action::Unheard { node: node.clone(), others });
        self.plan_later(at, Action::Unheard { node, others: BTreeSet::new() });
    }

    fn store(&mut self, at: Duration, node: NodeName) {
        let which = self.rng.u32(0..3);
        let action = |works| match which {
            0 => Action::StoreWorks { node: node.clone(), works },
            1 => Action::ViewWorks { node: node.clone(), works },
            _ => Action::LocksWork { node: node.clone(), works },
        };
        self.plan(at, action(false));
        self.plan_later(at, action(true));
    }

    fn call(&mut self, at: Duration, node: NodeName) {
        let daemon = self.daemon();
        let operation = self.operation(daemon);
        let time = milliseconds(self.span());
        let fault = match self.rng.u32(0..10) {
            0 => Fault::Fails,
            1 => Fault::Unknown,
            2..=4 => Fault::Stalls(time),
            5 | 6 => Fault::Late(time),
            7 => Fault::LateUnknown(time),
            8 => Fault::Crashes(time),
            _ => Fault::CrashesAfter(time),
        };
        let skip = if self.rng.bool() { 0 } else { self.rng.u32(0..20) };
        self.plan(at, Action::Disturb(Disturbance { node, daemon, operation, skip, fault }));
    }

    fn operation(&mut self, daemon: DaemonKind) -> Option<HostOperation> {
        const CRM: &[HostOperation] = &[
            HostOperation::TakeLock,
            HostOperation::FeedWatchdog,
            HostOperation::OpenWatchdog,
            HostOperation::CloseWatchdog,
            HostOperation::ReleaseLock,
            HostOperation::ReadManagerStatus,
            HostOperation::WriteManagerStatus,
            HostOperation::ReadLrmStatus,
            HostOperation::ReadConfiguration,
            HostOperation::Members,
            HostOperation::Commands,
            HostOperation::MoveConfiguration,
            HostOperation::RemoveLeftoverLocks,
            HostOperation::SetRequestedState,
            HostOperation::MigrateGroups,
            HostOperation::RunFenceDevice,
        ];
        const LRM: &[HostOperation] = &[
            HostOperation::TakeLock,
            HostOperation::FeedWatchdog,
            HostOperation::OpenWatchdog,
            HostOperation::CloseWatchdog,
            HostOperation::ReleaseLock,
            HostOperation::ReadManagerStatus,
            HostOperation::WriteLrmStatus,
            HostOperation::ReadConfiguration,
            HostOperation::StartJob,
            HostOperation::FinishedJobs,
        ];
        let all = match daemon {
            DaemonKind::Crm => CRM,
            DaemonKind::Lrm => LRM,
        };
        if self.rng.u32(0..4) == 0 { None } else { self.rng.choice(all.iter().copied()) }
    }

    #[allow(clippy::wildcard_enum_match_arm, reason = "it is called for a few kinds")]
    fn stop(&mut self, kind: Kind, at: Duration, node: NodeName) {
        match kind {
            Kind::Restart => self.plan(at, Action::RestartLrm { node }),
            Kind::StopCrm => {
                self.plan(at, Action::StopCrm { node: node.clone() });
                self.plan_later(at, Action::StartDaemon { node, daemon: DaemonKind::Crm });
            }
            _ if self.rng.bool() => self.plan(at, Action::Reboot { node }),
            _ => {
                self.plan(at, Action::Shutdown { node: node.clone() });
                self.plan_later(at, Action::PowerOn { node });
            }
        }
    }

    #[allow(clippy::wildcard_enum_match_arm, reason = "it is called for a few kinds")]
    fn command(&mut self, kind: Kind, at: Duration, node: NodeName) {
        let sid = self.service();
        let line = match kind {
            Kind::Maintenance => {
                self.plan_later(at, Action::Command { line: format!("disable-node-maintenance {node}") });
                format!("enable-node-maintenance {node}")
            }
            Kind::Disarm => {
                self.plan_later(at, Action::Command { line: "arm-ha".to_owned() });
                let mode = if self.rng.bool() { "freeze" } else { "ignore" };
                format!("disarm-ha {mode}")
            }
            _ => match self.rng.u32(0..8) {
                0 => format!("stop {sid} {}", self.rng.u32(0..90)),
                1 => "nonsense".to_owned(),
                2..=4 => format!("relocate {sid} {node}"),
                _ => format!("migrate {sid} {node}"),
            },
        };
        self.plan(at, Action::Command { line });
    }

    #[allow(clippy::wildcard_enum_match_arm, reason = "it is called for a few kinds")]
    fn edit(&mut self, kind: Kind, at: Duration) {
        let sid = self.service();
        match kind {
            Kind::Request => {
                let state = self.state();
                self.plan(at, Action::Request { sid, state });
            }
            Kind::AddRemove => {
                let state = self.state();
                if self.rng.bool() {
                    self.plan(at, Action::Remove { sid: sid.clone() });
                    self.plan_later(at, Action::Add { sid, state });
                } else {
                    self.plan(at, Action::Add { sid, state });
                }
            }
            Kind::Rule => {
                let rule = format!("rule{}", self.rng.u32(0..6));
                if self.rng.bool() {
                    self.plan(at, Action::RemoveRule { rule });
                } else {
                    let (kind, properties) = plan::rule(&mut self.rng, &self.nodes, &self.services);
                    self.plan(at, Action::AddRule { rule, kind: kind.to_owned(), properties });
                }
            }
            _ => {
                let (key, value) = plan::datacenter_setting(&mut self.rng);
                self.plan(at, Action::Datacenter { key: key.to_owned(), value: value.to_owned() });
            }
        }
    }

    fn agent(&mut self, at: Duration) {
        let sid = self.service();
        let operation = self.pick(&[AgentOperation::Start, AgentOperation::Stop, AgentOperation::Move]);
        let outcome = self.pick(&[
            AgentOutcome::Fails,
            AgentOutcome::Fails,
            AgentOutcome::Hangs,
            AgentOutcome::Pretends,
            AgentOutcome::Denies,
        ]);
        let times = self.rng.u32(1..=6);
        self.plan(at, Action::AgentFails { sid, operation, outcome, times });
    }

    fn plan(&mut self, at: Duration, action: Action) {
        self.actions.push(PlannedAction { at_ms: milliseconds(at), action });
    }

    /// Plans the end of something that began.
    fn plan_later(&mut self, at: Duration, action: Action) {
        let span = self.span();
        self.plan(at.saturating_add(span), action);
    }

    fn node(&mut self) -> NodeName {
        let at = self.rng.usize(..self.nodes.len());
        self.nodes.get(at).cloned().unwrap_or_else(|| plan::node_name(1))
    }

    fn service(&mut self) -> ServiceId {
        let at = self.rng.usize(..self.services.len());
        self.services.get(at).cloned().unwrap_or_else(|| plan::service_id("vm", 100))
    }

    fn daemon(&mut self) -> DaemonKind {
        if self.rng.bool() { DaemonKind::Crm } else { DaemonKind::Lrm }
    }

    fn state(&mut self) -> String {
        self.pick(&["started", "started", "stopped", "disabled", "ignored"]).to_owned()
    }

    fn groups(&mut self) -> Vec<BTreeSet<NodeName>> {
        let parts = self.rng.usize(1..=3);
        let mut groups = vec![BTreeSet::new(); parts];
        for node in self.nodes.clone() {
            let part = self.rng.usize(..parts.saturating_add(1));
            if let Some(group) = groups.get_mut(part) {
                group.insert(node);
            }
        }
        groups
    }

    /// A time of any length: from some milliseconds to minutes, and often close to one of the timings that matter.
    fn span(&mut self) -> Duration {
        let timings = &self.timings;
        let critical = [
            timings.watchdog_timeout(),
            timings.feed_budget(),
            timings.lock_lifetime(),
            timings.fence_delay(),
            timings.round_time(),
            timings.waiting_loop(),
            timings.device_timeout(),
        ];
        if self.rng.u32(0..3) == 0 {
            let near = self.rng.choice(critical).unwrap_or_default();
            return near.mul_f64(self.rng.f64().mul_add(0.4, 0.8));
        }
        let longest = timings.lock_lifetime().as_secs_f64() * 2.5;
        let shortest = timings.round_time().as_secs_f64() / 1000.0;
        let exponent = self.rng.f64();
        Duration::from_secs_f64(shortest * (longest / shortest).powf(exponent))
    }

    fn within(&mut self, span: Duration) -> Duration {
        span.mul_f64(self.rng.f64())
    }

    fn pick<T: Copy + Default>(&mut self, all: &[T]) -> T {
        self.rng.choice(all.iter().copied()).unwrap_or_default()
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Timings of all sorts that are safe together.
pub(super) fn timings(rng: &mut Rng) -> TimingSettings {
    match rng.u32(0..10) {
        0..=5 => TimingSettings::customary(),
        6 | 7 => TimingSettings::fast(),
        _ => random_timings(rng),
    }
}

fn random_timings(rng: &mut Rng) -> TimingSettings {
    let mut settings = TimingSettings::customary();
    settings.gone_forgotten_after = Duration::from_secs(120);
    let mut vary = |time: &mut Duration| {
        let factor = 4.0_f64.powf(rng.f64() - 0.7);
        *time = Duration::from_millis(milliseconds(time.mul_f64(factor)));
    };
    for time in [
        &mut settings.watchdog_timeout,
        &mut settings.lock_lifetime,
        &mut settings.lock_retry_window,
        &mut settings.lock_retry_interval,
        &mut settings.lock_answer,
        &mut settings.round_time,
        &mut settings.waiting_loop,
        &mut settings.worker_turn,
        &mut settings.worker_look_interval,
        &mut settings.longest_step,
        &mut settings.fence_delay,
        &mut settings.membership_detection,
        &mut settings.device_timeout,
        &mut settings.device_granularity,
        &mut settings.gone_forgotten_after,
    ] {
        vary(time);
    }
    settings.clock_drift_ppm = rng.u32(0..=20_000);
    for _ in 0..50 {
        let Err(errors) = settings.validate() else { return settings };
        if let Some(violation) = errors.violations().first() {
            settings.apply(&violation.mend);
        }
    }
    TimingSettings::customary()
}
