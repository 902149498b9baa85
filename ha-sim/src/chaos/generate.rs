//! Histories from seeds.
//!
//! What happens is drawn from a separate stream for each kind of thing: a new kind leaves the others as they were.

use std::{collections::BTreeSet, time::Duration};

use fastrand::Rng;
use ha_core::{
    host::HostOperation,
    id::{NodeName, ServiceId},
    timing::Timings,
};

use super::{
    Action, DueAction, History, Profile, beginning,
    course::{self, Spans, milliseconds},
    kinds::{Draws, Kind},
    matrix,
    stream::Streams,
    windows::{Cast, Window},
};
use crate::{
    cluster::{Disturbance, Fault, Setup},
    world::{AgentFault, DaemonKind, DeviceBehaviour, Operation},
};

/// The history of a seed.
#[must_use]
pub fn generate(seed: u64, profile: Profile) -> History {
    if profile == Profile::Matrix {
        return matrix::history(seed);
    }
    let streams = Streams(seed);
    let cluster = beginning::cluster(streams);
    let timings = cluster.timings;
    let faults = Spans::of(&cluster).faults;
    let mut generator = Generator {
        nodes: cluster.nodes.keys().cloned().collect(),
        services: cluster.guests.keys().cloned().collect(),
        probed: probed(&cluster),
        fence_devices: cluster.fence.is_some(),
        multiplexer: cluster.multiplexers,
        timings,
        faults_end: faults,
        actions: Vec::new(),
        rng: streams.of("bursts"),
    };
    generator.happen_in_bursts(streams, profile);
    if cluster.datacenter.config().flapping_hold.is_some() && profile.kinds().contains(&Kind::Power) {
        generator.rng = streams.of("flapping node");
        generator.flap(cluster.durations.boot);
    }
    if !cluster.labels.nodes.is_empty() {
        generator.label(streams);
    }
    course::history(seed, profile, cluster, generator.actions)
}

fn probed(cluster: &Setup) -> Vec<ServiceId> {
    let resources = cluster.resources.resources.iter();
    resources.filter(|(_, resource)| resource.probe.is_some()).map(|(sid, _)| sid.clone()).collect()
}

struct Generator {
    rng: Rng,
    nodes: Vec<NodeName>,
    services: Vec<ServiceId>,
    /// The services that have a probe.
    probed: Vec<ServiceId>,
    fence_devices: bool,
    multiplexer: bool,
    timings: Timings,
    faults_end: Duration,
    actions: Vec<DueAction>,
}

impl Generator {
    /// Things happen close together, since that is where they meet. Each history has a random part of the kinds, each at a
    /// rate of its own, so that some see many of one kind and none of another.
    fn happen_in_bursts(&mut self, streams: Streams, profile: Profile) {
        let count = self.rng.u32(1..=6);
        let bursts: Vec<(Duration, Duration)> =
            (0..count).map(|_| (self.within(self.faults_end), self.span())).collect();
        let share = self.rng.f64().mul_add(0.7, 0.3);
        for &kind in profile.kinds() {
            self.rng = streams.of(&format!("{kind:?}"));
            if self.rng.f64() > share {
                continue;
            }
            let rate = profile.rate() * 4.0_f64.powf(self.rng.f64().mul_add(2.0, -1.0));
            for &(begin, length) in &bursts {
                for _ in 0..self.times(rate) {
                    let at = begin.saturating_add(self.within(length));
                    self.happen(kind, at);
                }
            }
        }
    }

    /// People say otherwise what fails together, while services run.
    fn label(&mut self, streams: Streams) {
        self.rng = streams.of("labels");
        for _ in 0..self.rng.u32(0..=3) {
            let (at, node) = (self.within(self.faults_end), self.node());
            let action = match self.rng.u32(0..3) {
                0 => Action::unset_failure_domain(node),
                _ => Action::set_failure_domain(node, beginning::failure_domain(&mut self.rng)),
            };
            self.due(at, action);
        }
    }

    /// Draws how often something with a given rate happens.
    fn times(&mut self, rate: f64) -> u32 {
        let again = rate / (1.0 + rate);
        (0..8).find(|_| self.rng.f64() > again).unwrap_or(8)
    }

    fn happen(&mut self, kind: Kind, at: Duration) {
        let node = self.node();
        match kind {
            Kind::Power => self.power(at, node),
            Kind::Cut => {
                self.due(at, Action::Network { node: node.clone(), connected: false });
                self.due_later(at, Action::Network { node, connected: true });
            }
            Kind::Partition => {
                let groups = self.groups();
                self.due(at, Action::Partition { groups });
                self.due_later(at, Action::Heal);
            }
            Kind::Unheard => self.unheard(at, node),
            Kind::Store => self.store(at, node),
            Kind::Kill => {
                let (daemon, restart) = (self.daemon(), self.span());
                self.due(at, Action::Kill { node, daemon, restart_ms: Some(milliseconds(restart)) });
            }
            Kind::Pause => {
                let daemon = self.daemon();
                self.due(at, Action::Pause { node: node.clone(), daemon });
                self.due_later(at, Action::Resume { node, daemon });
            }
            Kind::Call => self.call(at, node),
            Kind::WallClock => {
                let seconds = self.rng.i64(-4000..4000);
                self.due(at, Action::WallClock { node, seconds });
            }
            Kind::Device if self.fence_devices => {
                let name = format!("d{}", self.rng.u32(1..=2));
                let (late, slow) = (DeviceBehaviour::Late, DeviceBehaviour::Slow);
                let behaviour = self.pick(&[DeviceBehaviour::Fails, DeviceBehaviour::Hangs, late, late, slow]);
                self.due(at, Action::Device { name: name.clone(), behaviour });
                self.due_later(at, Action::Device { name, behaviour: DeviceBehaviour::Works });
            }
            Kind::Device => {}
            Kind::Shutdown | Kind::Restart | Kind::StopCrm => self.stop(kind, at, node),
            Kind::Move | Kind::Maintenance | Kind::Disarm => self.command(kind, at, node),
            Kind::Request | Kind::AddRemove | Kind::Rule | Kind::Datacenter => self.edit(kind, at),
            Kind::Crash => {
                let sid = self.service();
                self.due(at, Action::Crash { sid });
            }
            Kind::Agent => self.agent(at),
            Kind::GuestLock => {
                let sid = self.service();
                let lock = if self.rng.bool() { "backup" } else { "create" };
                self.due(at, Action::LockGuest { sid: sid.clone(), lock: lock.to_owned(), time: None });
                self.due_later(at, Action::UnlockGuest { sid });
            }
            Kind::Member => {
                self.due(at, Action::Retire { node: node.clone() });
                self.due_later(at, Action::Admit { node });
            }
            Kind::Guest => {
                let sid = self.service();
                self.due(at, Action::DestroyGuest { sid: sid.clone() });
                self.due_later(at, Action::CreateGuest { sid, node });
            }
            Kind::Look => self.look(at),
            Kind::Worker => self.worker(at),
            Kind::Probe => self.probe(at),
            Kind::Scene => self.scene(at, node),
            Kind::Blind | Kind::Leftovers | Kind::Job => self.guest_trouble(kind, at, node),
            Kind::SecondStop | Kind::Cascade | Kind::DisarmedLoss | Kind::Confirm => self.go_down(kind, at, node),
            Kind::Twin | Kind::Full | Kind::Mount | Kind::Damage | Kind::Multiplexer => self.around(kind, at, node),
        }
    }

    /// Something happens around the daemons.
    #[allow(clippy::wildcard_enum_match_arm, reason = "it is called for a few kinds")]
    fn around(&mut self, kind: Kind, at: Duration, node: NodeName) {
        match kind {
            Kind::Twin => {
                self.lose(at, node.clone());
                let soon = at.saturating_add(self.span());
                self.due(soon, Action::TwinAppears { node: node.clone() });
                self.due_later(soon, Action::TwinGoes { node });
            }
            Kind::Full => {
                self.due(at, Action::StoreFull { full: true });
                self.due_later(at, Action::StoreFull { full: false });
            }
            Kind::Mount => {
                self.due(at, Action::Mounted { node: node.clone(), mounted: false });
                self.due_later(at, Action::Mounted { node, mounted: true });
            }
            Kind::Multiplexer if self.multiplexer => self.multiplexer(at, node),
            Kind::Multiplexer => {}
            _ => {
                let (sid, restart_ms) = (self.service(), milliseconds(self.span()));
                self.due(at, Action::DamageEntry { sid, restart_ms });
            }
        }
    }

    fn multiplexer(&mut self, at: Duration, node: NodeName) {
        let milliseconds = milliseconds(self.span());
        match self.rng.u32(0..6) {
            0 => {
                let fits = self.rng.u32(0..3) > 0;
                self.due(at, Action::RestartMultiplexer { node, after_ms: milliseconds, fits });
            }
            1 => {
                // A client vanishes, and the multiplexer is restarted before its device runs out.
                let daemon = self.daemon();
                self.due(at, Action::Kill { node: node.clone(), daemon, restart_ms: Some(milliseconds) });
                let soon = at.saturating_add(self.within(self.timings.device_timeout()));
                let after_ms = course::milliseconds(self.within(self.timings.device_timeout())) / 4;
                self.due(soon, Action::RestartMultiplexer { node, after_ms, fits: true });
            }
            2 => {
                self.due(at, Action::PauseMultiplexer { node: node.clone(), paused: true });
                self.due_later(at, Action::PauseMultiplexer { node, paused: false });
            }
            3 => {
                self.due(at, Action::DelayFrames { node: node.clone(), milliseconds });
                self.due_later(at, Action::DelayFrames { node, milliseconds: 0 });
            }
            4 => self.due(at, Action::StallDeviceFeed { node, milliseconds }),
            _ => self.stall_at_the_end(at, node),
        }
    }

    /// A client stops feeding, and the multiplexer stalls between its last timely look at it and the device.
    fn stall_at_the_end(&mut self, at: Duration, node: NodeName) {
        let daemon = self.daemon();
        self.due(at, Action::Pause { node: node.clone(), daemon });
        let expires = self.timings.watchdog_timeout().mul_f64(self.rng.f64().mul_add(0.3, 0.7));
        let stall = self.timings.device_timeout().mul_f64(self.rng.f64().mul_add(0.4, 0.5));
        let milliseconds = milliseconds(stall);
        self.due(at.saturating_add(expires), Action::StallDeviceFeed { node: node.clone(), milliseconds });
        self.due_later(at.saturating_add(expires), Action::Resume { node, daemon });
    }

    /// A node is lost, in one way or another.
    fn lose(&mut self, at: Duration, node: NodeName) {
        if self.rng.bool() {
            self.power(at, node);
        } else {
            self.due(at, Action::Network { node: node.clone(), connected: false });
            self.due_later(at, Action::Network { node, connected: true });
        }
    }

    /// A node is lost again and again, each time when it has had services for a while. At times people have a say in it.
    fn flap(&mut self, boot: Duration) {
        let node = if self.rng.u32(0..4) > 0 { beginning::node_name(1) } else { self.node() };
        let round = self.timings.round_time();
        let mut lost = self.within(round.saturating_mul(4));
        while lost < self.faults_end {
            self.due(lost, Action::PowerOff { node: node.clone() });
            let back = lost.saturating_add(course::fenced_within(self.timings));
            self.due(back, Action::PowerOn { node: node.clone() });
            let up = back.saturating_add(boot).saturating_add(round.saturating_mul(2));
            let sid = self.service();
            match self.rng.u32(0..12) {
                0 => self.due(up, Action::Command { line: format!("clear-fencings {node}") }),
                1 => self.due(up, Action::Command { line: format!("migrate {sid} {node}") }),
                2 => self.due(up, Action::set_datacenter("flapping_hold", "30")),
                _ => {}
            }
            lost = up.saturating_add(round.saturating_mul(3)).saturating_add(self.within(round.saturating_mul(12)));
        }
    }

    /// Something is wrong with a guest, or with its agent, and something is asked of it.
    #[allow(clippy::wildcard_enum_match_arm, reason = "it is called for a few kinds")]
    fn guest_trouble(&mut self, kind: Kind, at: Duration, node: NodeName) {
        let (sid, times) = (self.service(), self.rng.u32(1..=3));
        match kind {
            Kind::Leftovers => self.due(at, Action::LeaveBehind { sid: sid.clone(), times }),
            Kind::Job => {
                let operation = self.pick(&[Operation::Start, Operation::Start, Operation::Move]);
                let fault = self.pick(&[AgentFault::Hangs, AgentFault::Slow, AgentFault::Slow]);
                self.due(at, Action::agent_fails(sid.clone(), operation, fault, times));
                if self.rng.bool() {
                    self.due(at, Action::Unendable { sid: sid.clone(), times });
                }
            }
            _ => {
                let operation = self.pick(&[Operation::CheckRunning, Operation::CheckRunning, Operation::Locate]);
                self.due(at, Action::agent_fails(sid.clone(), operation, AgentFault::Fails, times));
            }
        }
        let soon = at.saturating_add(self.within(self.timings.round_time()));
        match self.rng.u32(0..4) {
            0 => {
                self.due(soon, Action::request(sid.clone(), "stopped"));
                self.due_later(soon, Action::request(sid, "started"));
            }
            1 => self.due(soon, Action::Crash { sid }),
            2 => self.due(soon, Action::Command { line: format!("relocate {sid} {node}") }),
            _ => self.due(soon, Action::Command { line: format!("migrate {sid} {node}") }),
        }
    }

    /// Nodes go down, by what people do.
    #[allow(clippy::wildcard_enum_match_arm, reason = "it is called for a few kinds")]
    fn go_down(&mut self, kind: Kind, at: Duration, node: NodeName) {
        let round = self.timings.round_time();
        let soon = at.saturating_add(self.within(round.saturating_mul(2)));
        match kind {
            Kind::SecondStop => {
                self.due(at, Action::RestartLrm { node: node.clone() });
                self.stop(Kind::Shutdown, soon, node);
            }
            Kind::Cascade => {
                let pause = self.within(round.saturating_mul(3));
                let mut when = at;
                for node in self.nodes.clone() {
                    self.due(when, Action::Shutdown { node: node.clone() });
                    self.due_later(when.saturating_add(round.saturating_mul(6)), Action::PowerOn { node });
                    when = when.saturating_add(pause);
                }
            }
            Kind::DisarmedLoss => {
                let mode = if self.rng.bool() { "freeze" } else { "ignore" };
                self.due(at, Action::Command { line: format!("disarm-ha {mode}") });
                let lost = soon.saturating_add(round.saturating_mul(2));
                self.lose(lost, node);
                self.due_later(lost, Action::Command { line: "arm-ha".to_owned() });
            }
            _ => {
                self.lose(at, node.clone());
                let later =
                    at.saturating_add(self.timings.fence_delay()).saturating_add(self.within(round.saturating_mul(4)));
                self.due(later, Action::ConfirmFenced { node: node.clone() });
                self.due_later(later, Action::PowerOn { node });
            }
        }
    }

    /// Something that opens a window, calls that go wrong in it, and often a node that is lost right after.
    fn scene(&mut self, at: Duration, subject: NodeName) {
        let cast = Cast { subject: subject.clone(), target: self.node(), sid: self.service(), added: self.service() };
        let windows: Vec<Window> = Window::ALL.iter().copied().filter(|window| window.is_for_any_cluster()).collect();
        let Some(window) = self.rng.choice(windows) else { return };
        let round = self.timings.round_time();
        for (rounds, action) in window.steps(&cast) {
            let time = round.saturating_mul(rounds.unsigned_abs());
            let when = if rounds < 0 { at.saturating_sub(time) } else { at.saturating_add(time) };
            self.due(when, action);
        }
        for _ in 0..self.rng.u32(0..=2) {
            let node = if self.rng.bool() { subject.clone() } else { self.node() };
            self.call(at, node);
        }
        let soon = at.saturating_add(self.within(round.saturating_mul(6)));
        let node = if self.rng.bool() { subject } else { cast.target };
        match self.rng.u32(0..5) {
            0 => self.power(soon, node),
            1 => {
                self.due(soon, Action::Network { node: node.clone(), connected: false });
                self.due_later(soon, Action::Network { node, connected: true });
            }
            2 => {
                let node = self.node();
                let restart_ms = Some(milliseconds(self.span()));
                self.due(soon, Action::Kill { node, daemon: DaemonKind::Crm, restart_ms });
            }
            _ => {}
        }
    }

    fn power(&mut self, at: Duration, node: NodeName) {
        if self.rng.bool() {
            self.due(at, Action::Reset { node });
        } else {
            self.due(at, Action::PowerOff { node: node.clone() });
            self.due_later(at, Action::PowerOn { node });
        }
    }

    fn unheard(&mut self, at: Duration, node: NodeName) {
        let mut others: BTreeSet<NodeName> = self.nodes.iter().filter(|other| **other != node).cloned().collect();
        if self.rng.bool() {
            others.retain(|_| self.rng.bool());
        }
        self.due(at, Action::Unheard { node: node.clone(), others });
        self.due_later(at, Action::Unheard { node, others: BTreeSet::new() });
    }

    fn store(&mut self, at: Duration, node: NodeName) {
        let which = self.rng.u32(0..3);
        let action = |works| match which {
            0 => Action::StoreWorks { node: node.clone(), works },
            1 => Action::ViewWorks { node: node.clone(), works },
            _ => Action::LocksWork { node: node.clone(), works },
        };
        self.due(at, action(false));
        self.due_later(at, action(true));
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
        self.due(at, Action::Disturb(Disturbance { node, daemon, operation, skip, fault }));
    }

    fn operation(&mut self, daemon: DaemonKind) -> Option<HostOperation> {
        let all = HostOperation::ALL.iter().copied().filter(|operation| callers(*operation).contains(&daemon));
        if self.rng.u32(0..4) == 0 { None } else { self.rng.choice(all.collect::<Vec<_>>()) }
    }

    #[allow(clippy::wildcard_enum_match_arm, reason = "it is called for a few kinds")]
    fn stop(&mut self, kind: Kind, at: Duration, node: NodeName) {
        match kind {
            Kind::Restart => self.due(at, Action::RestartLrm { node }),
            Kind::StopCrm => {
                self.due(at, Action::StopCrm { node: node.clone() });
                self.due_later(at, Action::StartDaemon { node, daemon: DaemonKind::Crm });
            }
            _ if self.rng.bool() => self.due(at, Action::Reboot { node }),
            _ => {
                self.due(at, Action::Shutdown { node: node.clone() });
                self.due_later(at, Action::PowerOn { node });
            }
        }
    }

    #[allow(clippy::wildcard_enum_match_arm, reason = "it is called for a few kinds")]
    fn command(&mut self, kind: Kind, at: Duration, node: NodeName) {
        let sid = self.service();
        let line = match kind {
            Kind::Maintenance => {
                self.due_later(at, Action::Command { line: format!("disable-node-maintenance {node}") });
                format!("enable-node-maintenance {node}")
            }
            Kind::Disarm => {
                self.due_later(at, Action::Command { line: "arm-ha".to_owned() });
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
        self.due(at, Action::Command { line });
    }

    #[allow(clippy::wildcard_enum_match_arm, reason = "it is called for a few kinds")]
    fn edit(&mut self, kind: Kind, at: Duration) {
        let sid = self.service();
        match kind {
            Kind::Request => {
                let state = self.state();
                self.due(at, Action::request(sid, &state));
            }
            Kind::AddRemove => {
                let state = self.state();
                if self.rng.bool() {
                    self.due(at, Action::remove(sid.clone()));
                    self.due_later(at, Action::add(sid, &state));
                } else {
                    self.due(at, Action::add(sid, &state));
                }
            }
            Kind::Rule => {
                let rule = format!("rule{}", self.rng.u32(0..6));
                if self.rng.bool() {
                    self.due(at, Action::remove_rule(rule));
                } else {
                    let (kind, properties) = beginning::rule(&mut self.rng, &self.nodes, &self.services);
                    self.due(at, Action::add_rule(rule, kind, properties));
                }
            }
            _ => {
                let (key, value) = beginning::datacenter_setting(&mut self.rng);
                self.due(at, Action::set_datacenter(key, value));
            }
        }
    }

    fn agent(&mut self, at: Duration) {
        let sid = self.service();
        let operation = self.pick(&[Operation::Start, Operation::Stop, Operation::Move]);
        let fault = self.pick(&[
            AgentFault::Fails,
            AgentFault::Fails,
            AgentFault::Hangs,
            AgentFault::Pretends,
            AgentFault::Denies,
        ]);
        let times = self.rng.u32(1..=6);
        self.due(at, Action::agent_fails(sid, operation, fault, times));
    }

    fn look(&mut self, at: Duration) {
        let (sid, times) = (self.service(), self.rng.u32(1..=3));
        let operation = self.pick(&[Operation::CheckRunning, Operation::Locate]);
        self.due(at, Action::agent_fails(sid, operation, AgentFault::Fails, times));
    }

    fn probe(&mut self, at: Duration) {
        let Some(sid) = self.rng.choice(&self.probed).cloned() else { return };
        let fault = self.pick(AgentFault::ALL);
        let times = self.rng.u32(1..=12);
        self.due(at, Action::agent_fails(sid, Operation::Probe, fault, times));
    }

    fn worker(&mut self, at: Duration) {
        let (sid, times) = (self.service(), self.rng.u32(1..=2));
        let operation = self.pick(&[Operation::Start, Operation::Stop, Operation::Move]);
        let fault = self.pick(&[AgentFault::Dies, AgentFault::DiesBefore, AgentFault::Unheard]);
        self.due(at, Action::agent_fails(sid, operation, fault, times));
    }

    fn due(&mut self, at: Duration, action: Action) {
        self.actions.push(DueAction { at_ms: milliseconds(at), action });
    }

    /// The end of something that began, some time after it.
    fn due_later(&mut self, at: Duration, action: Action) {
        let span = self.span();
        self.due(at.saturating_add(span), action);
    }

    fn node(&mut self) -> NodeName {
        let at = self.rng.usize(..self.nodes.len());
        self.nodes.get(at).cloned().unwrap_or_else(|| beginning::node_name(1))
    }

    fn service(&mut self) -> ServiceId {
        let at = self.rng.usize(..self.services.len());
        self.services.get(at).cloned().unwrap_or_else(|| beginning::service_id("vm", 100))
    }

    fn daemon(&mut self) -> DaemonKind {
        if self.rng.bool() { DaemonKind::Crm } else { DaemonKind::Lrm }
    }

    fn state(&mut self) -> String {
        self.pick(&["started", "started", "stopped", "disabled", "ignored"]).to_owned()
    }

    /// Who sees whom: no group is empty, unless all are.
    fn groups(&mut self) -> Vec<BTreeSet<NodeName>> {
        let parts = self.rng.usize(1..=3);
        let mut groups = vec![BTreeSet::new(); parts];
        for node in self.nodes.clone() {
            let part = self.rng.usize(..parts.saturating_add(1));
            if let Some(group) = groups.get_mut(part) {
                group.insert(node);
            }
        }
        groups.retain(|group| !group.is_empty());
        if groups.is_empty() { vec![BTreeSet::new()] } else { groups }
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

/// Which daemons make a call. What agents are asked goes wrong separately: see [`Operation`].
fn callers(operation: HostOperation) -> &'static [DaemonKind] {
    match operation {
        HostOperation::Refresh
        | HostOperation::TakeLock
        | HostOperation::ReleaseLock
        | HostOperation::OpenWatchdog
        | HostOperation::FeedWatchdog
        | HostOperation::CloseWatchdog
        | HostOperation::ReadManagerStatus
        | HostOperation::ReadLrmStatus
        | HostOperation::ReadConfiguration => &[DaemonKind::Crm, DaemonKind::Lrm],
        HostOperation::Members
        | HostOperation::WriteManagerStatus
        | HostOperation::Commands
        | HostOperation::MoveConfiguration
        | HostOperation::RemoveLeftoverLocks
        | HostOperation::SetRequestedState
        | HostOperation::MigrateGroups
        | HostOperation::SoftwareVersion
        | HostOperation::RunFenceDevice
        | HostOperation::ForgetFenceAttempts
        | HostOperation::Statistics
        | HostOperation::RandomBytes => &[DaemonKind::Crm],
        HostOperation::WriteLrmStatus
        | HostOperation::StartJob
        | HostOperation::FinishedJobs
        | HostOperation::JobTimeLimit
        | HostOperation::EndJob
        | HostOperation::GuestLock
        | HostOperation::Probe => &[DaemonKind::Lrm],
        HostOperation::LocateGuest
        | HostOperation::CheckRunning
        | HostOperation::StartService
        | HostOperation::StopService
        | HostOperation::MoveService => &[],
    }
}
