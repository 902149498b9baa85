//! Random clusters.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    time::Duration,
};

use fastrand::Rng;
use ha_core::{
    config::{GroupsConfig, RulesConfig, resources::OnFailure},
    id::{NodeName, ServiceId},
    timing::TimingSettings,
};

use super::{course::milliseconds, stream::Streams};
use crate::{
    cluster::{Durations, GuestSetup, NodeSetup, Setup, SetupError},
    world::{Guest, GuestTimes},
};

/// A cluster of 1 to 9 nodes and 1 to 60 services.
pub(super) fn cluster(streams: Streams) -> Setup {
    let rng = &mut streams.of("cluster");
    let mut timings = timings(rng);
    without_multiplexer(&mut streams.of("multiplexer"), &mut timings);
    let count = rng.choice([1, 2, 3, 3, 3, 3, 4, 5, 5, 6, 7, 9]).unwrap_or(3);
    let mut nodes: BTreeMap<NodeName, NodeSetup> =
        (1..=count).map(|number| (node_name(number), node(rng, &timings))).collect();
    mix_versions(&mut streams.of("versions"), &mut nodes);
    mix_timings(&mut streams.of("node timings"), &mut nodes, &timings);
    let names: Vec<NodeName> = nodes.keys().cloned().collect();
    let mut guests = guests(rng, &names);
    let mut running = streams.of("running");
    if running.u32(0..3) == 0 {
        guests.values_mut().for_each(|guest| guest.running = running.bool());
    }
    let sids: Vec<ServiceId> = guests.keys().cloned().collect();
    let groups = if rng.u32(0..4) == 0 { groups(rng, &names) } else { String::new() };
    let mut resources = resources(rng, &sids, !groups.is_empty());
    keep_from_balancing(&mut streams.of("balancing"), &mut resources);
    give_priorities(&mut streams.of("priorities"), &mut resources);
    let_failures_expire(&mut streams.of("failures"), &mut resources, timings.round_time);
    give_probes(&mut streams.of("probes"), &mut resources, timings.round_time);
    let with_devices = rng.u32(0..5) == 0 || streams.of("devices").u32(0..8) == 0;
    let fence = with_devices.then(|| fence(&names));
    let multiplexer = streams.of("virtual multiplexer").u32(0..4) == 0 && !timings.multiplexer_interval.is_zero();
    let short = timings.round_time < Duration::from_secs(2);
    let rules = rules(rng, &names, &sids) + &more_rules(&mut streams.of("more rules"), &names, &sids);
    let rules = rules + &loose_rules(&mut streams.of("loose rules"), &sids);
    let labels = labels(&mut streams.of("failure domains"), &names);
    let rules = if labels.is_empty() { rules } else { rules + &spread_rules(&mut streams.of("spread rules"), &sids) };
    let mut rules = rules + &orders(&mut streams.of("orders"), &sids, timings.round_time);
    let mut failback = streams.of("failback");
    delay_failback(&mut failback, &mut resources, &mut rules, timings.round_time, (&names, &sids));
    let mut datacenter = datacenter(rng, fence.is_some());
    bound_storms(&mut streams.of("storms"), &mut datacenter);
    hold_flapping(&mut streams.of("flapping"), &mut datacenter, &mut rules, timings.round_time, &sids);
    let files = Files { resources, groups, rules, labels, datacenter, fence };
    let longer = if rng.bool() { 0 } else { rng.u64(0..if short { 5_000 } else { 60_000 }) };
    let boot = boot(if short { rng.u64(500..5_000) } else { rng.u64(5_000..60_000) }, multiplexer, &timings);
    let stagger = rng.u64(0..if short { 200 } else { 3_000 });
    let setup = Setup {
        durations: durations(boot, stagger),
        leases_run_long: Duration::from_millis(longer),
        records_as_json: streams.of("json").u32(0..8) == 0,
        multiplexers: multiplexer,
        job_patience: job_patience(&mut streams.of("patience"), &timings, &guests),
        nodes,
        guests,
        ..Setup::default()
    };
    made(setup.timings(timings).and_then(|setup| files.into_setup(setup)))
}

/// Configuration files, as texts.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) resources: String,
    pub(super) groups: String,
    pub(super) rules: String,
    pub(super) labels: String,
    pub(super) datacenter: String,
    pub(super) fence: Option<String>,
}

impl Files {
    /// What a cluster with these files begins with: each as it is after being written and read again, so that a history stays the same
    /// when it is written down.
    pub(super) fn into_setup(self, mut setup: Setup) -> Result<Setup, SetupError> {
        setup = setup.resources(&self.resources)?.groups(&self.groups)?.rules(&self.rules)?;
        let written = [setup.resources.write(), setup.groups.write(), setup.rules.write()];
        let [resources, groups, rules] = written.map(|file| String::from_utf8_lossy(&file).into_owned());
        (setup.groups, setup.rules) = (GroupsConfig::default(), RulesConfig::default());
        setup = setup.resources(&resources)?;
        if !groups.is_empty() {
            setup = setup.groups(&groups)?;
        }
        if !rules.is_empty() {
            setup = setup.rules(&rules)?;
        }
        if !self.labels.is_empty() {
            setup = setup.labels(&self.labels)?;
        }
        if !self.datacenter.is_empty() {
            setup = setup.datacenter(&self.datacenter)?;
        }
        match self.fence {
            Some(fence) => setup.fence(&fence),
            None => Ok(setup),
        }
    }
}

/// How long things take; a node that was reset boots again.
pub(super) fn durations(boot_ms: u64, stagger_ms: u64) -> Durations {
    let boot = Duration::from_millis(boot_ms);
    let stagger = Some(Duration::from_millis(stagger_ms));
    Durations { boot, boot_after_reset: Some(boot), stagger, ..Durations::default() }
}

/// A guest on a node: how long a start, a stop, a live migration and another move take, and whether it runs from the beginning.
pub(super) fn guest(node: NodeName, times_ms: [u64; 4], running: bool) -> GuestSetup {
    let mut guest = Guest::new(node);
    let [start, stop, migrate, relocate] = times_ms.map(|time| Some(Duration::from_millis(time)));
    guest.times = GuestTimes { start, stop, migrate, relocate };
    GuestSetup { guest, running }
}

#[expect(clippy::panic, reason = "what is made here has no problems")]
pub(super) fn made(setup: Result<Setup, SetupError>) -> Setup {
    setup.unwrap_or_else(|error| panic!("a cluster that was made has problems: {error}"))
}

/// On some hosts jobs are ended early, though not while all is well: with the usual limits none is ended before everything is mended.
fn job_patience(rng: &mut Rng, timings: &TimingSettings, guests: &BTreeMap<ServiceId, GuestSetup>) -> Option<Duration> {
    let longest = guests.values().map(|guest| guest.guest.times.sum()).max().unwrap_or_default();
    let patience = milliseconds(timings.round_time.mul_f64(rng.f64().mul_add(10.0, 2.0)));
    rng.bool().then(|| longest.saturating_add(Duration::from_millis(patience)))
}

/// With a multiplexer a client that has expired once is reset. If two nodes boot faster than that takes, each would make the
/// other lose its quorum for too long, for ever.
fn boot(drawn_ms: u64, multiplexer: bool, timings: &TimingSettings) -> u64 {
    let reset = timings.watchdog_timeout.saturating_add(timings.multiplexer_slack());
    if multiplexer { drawn_ms.saturating_add(milliseconds(reset)) } else { drawn_ms }
}

/// In some clusters not all nodes have been upgraded.
fn mix_versions(rng: &mut Rng, nodes: &mut BTreeMap<NodeName, NodeSetup>) {
    if rng.u32(0..8) == 0 {
        nodes.values_mut().filter(|_| rng.bool()).for_each(|node| node.version = "8.4.1".to_owned());
    }
}

/// In some clusters the daemons of some nodes are quicker. What locks and watchdogs count on is the same.
fn mix_timings(rng: &mut Rng, nodes: &mut BTreeMap<NodeName, NodeSetup>, timings: &TimingSettings) {
    if rng.u32(0..8) > 0 {
        return;
    }
    for node in nodes.values_mut() {
        let mut quicker = *timings;
        for time in [
            &mut quicker.round_time,
            &mut quicker.waiting_loop,
            &mut quicker.worker_turn,
            &mut quicker.fence_delay,
            &mut quicker.lock_retry_window,
        ] {
            *time = Duration::from_millis(milliseconds(time.mul_f64(rng.f64().mul_add(0.7, 0.3))));
        }
        node.timings = if rng.bool() { quicker.validate().ok() } else { None };
    }
}

/// Some services are not moved by balancing.
fn keep_from_balancing(rng: &mut Rng, resources: &mut String) {
    if rng.u32(0..4) > 0 {
        return;
    }
    add_to_some(rng, resources, |_| "auto-rebalance 0".to_owned());
}

/// In some clusters some services matter more than others.
fn give_priorities(rng: &mut Rng, resources: &mut String) {
    if rng.u32(0..4) == 0 {
        add_to_some(rng, resources, |rng| format!("priority {}", rng.u32(0..=3).saturating_mul(300)));
    }
}

/// In some clusters failed starts of some services count no more after a while.
fn let_failures_expire(rng: &mut Rng, resources: &mut String, round_time: Duration) {
    if rng.u32(0..4) == 0 {
        let seconds = |rng: &mut Rng| round_time.as_secs().saturating_mul(rng.u64(1..=6)).max(1);
        add_to_some(rng, resources, |rng| format!("failure-timeout {}", seconds(rng)));
    }
}

/// In some clusters some services go back to a node of higher priority only after a while. Where there are no other rules one says which
/// node that is.
fn delay_failback(
    rng: &mut Rng,
    resources: &mut String,
    rules: &mut String,
    round_time: Duration,
    (nodes, sids): (&[NodeName], &[ServiceId]),
) {
    if rng.u32(0..4) > 0 {
        return;
    }
    let seconds = |rng: &mut Rng| round_time.as_secs().max(1).saturating_mul(rng.u64(3..=30));
    add_to_some(rng, resources, |rng| format!("failback-delay {}", seconds(rng)));
    if let (true, Some(node)) = (rules.is_empty(), rng.choice(nodes)) {
        let sids: Vec<&str> = sids.iter().map(ServiceId::as_str).collect();
        let _ = write!(rules, "node-affinity: home\n\tresources {}\n\tnodes {node}\n\n", sids.join(","));
    }
}

/// In some clusters some services are probed.
fn give_probes(rng: &mut Rng, resources: &mut String, round_time: Duration) {
    if rng.u32(0..4) > 0 {
        return;
    }
    let seconds = |rng: &mut Rng, rounds: u64| round_time.as_secs().saturating_mul(rng.u64(0..=rounds)).max(1);
    add_to_some(rng, resources, |rng| {
        let follows = rng.choice(OnFailure::WORDS).copied().unwrap_or_default();
        let (interval, timeout, ready_timeout) = (seconds(rng, 2), seconds(rng, 1), seconds(rng, 6));
        let failures = rng.u32(1..=3);
        format!(
            "probe agent\n\tprobe-interval {interval}\n\tprobe-timeout {timeout}\n\tprobe-failures {failures}\n\
             \tready-timeout {ready_timeout}\n\ton-failure {follows}"
        )
    });
}

/// Half of the resources get one more property.
fn add_to_some(rng: &mut Rng, resources: &mut String, mut property: impl FnMut(&mut Rng) -> String) {
    let lines = resources.lines().map(|line| {
        let is_last = line.starts_with("\tmax_relocate");
        if is_last && rng.bool() { format!("{line}\n\t{}\n", property(rng)) } else { format!("{line}\n") }
    });
    *resources = lines.collect();
}

/// Rules that keep services off nodes, and that keep three of them together.
fn more_rules(rng: &mut Rng, nodes: &[NodeName], sids: &[ServiceId]) -> String {
    let mut text = String::new();
    if rng.u32(0..3) == 0 {
        let (sid, strict) = (rng.usize(..sids.len()), u32::from(rng.bool()));
        let mut off: Vec<&str> = nodes.iter().filter(|_| rng.u32(0..3) == 0).map(NodeName::as_str).collect();
        if off.is_empty() {
            off.extend(nodes.last().map(NodeName::as_str));
        }
        if let (Some(sid), true) = (sids.get(sid), off.len() < nodes.len()) {
            let _ = write!(
                text,
                "node-affinity: off\n\tresources {sid}\n\tnodes {}\n\taffinity negative\n\tstrict {strict}\n\n",
                off.join(",")
            );
        }
    }
    if rng.u32(0..4) == 0
        && let Some([one, two, three]) = sids.get(..3)
    {
        let _ = write!(text, "resource-affinity: three\n\tresources {one},{two},{three}\n\taffinity positive\n\n");
    }
    text
}

/// In some clusters some services come after others: those of a higher number after those of a lower, but for a circle now and then.
fn orders(rng: &mut Rng, sids: &[ServiceId], round_time: Duration) -> String {
    let mut text = String::new();
    if rng.u32(0..3) > 0 || sids.len() < 2 {
        return text;
    }
    for number in 0..rng.u32(1..=3) {
        let middle = rng.usize(1..sids.len());
        let (before, after) = sids.split_at(middle);
        let (first, then) = if rng.u32(0..8) == 0 { (after, before) } else { (before, after) };
        let [first, then] = [some_of(rng, first), some_of(rng, then)];
        let _ = write!(text, "order: order{number}\n\tfirst {first}\n\tthen {then}\n");
        let seconds = |rounds: u64| round_time.as_secs().saturating_mul(rounds);
        if rng.bool() {
            let _ = writeln!(text, "\tdelay {}", seconds(rng.u64(0..=3)));
        }
        let _ = writeln!(text, "\ttimeout {}", seconds(rng.u64(1..=12)).max(1));
        if rng.u32(0..3) == 0 {
            text.push_str("\tstrict 1\n");
        }
        text.push('\n');
    }
    text
}

/// One to three services, as a list.
fn some_of(rng: &mut Rng, sids: &[ServiceId]) -> String {
    let count = rng.usize(1..=3);
    let chosen: BTreeSet<&str> = (0..count).filter_map(|_| rng.choice(sids.iter())).map(ServiceId::as_str).collect();
    chosen.into_iter().collect::<Vec<_>>().join(",")
}

/// Some hosts feed a device of their own.
fn without_multiplexer(rng: &mut Rng, timings: &mut TimingSettings) {
    let direct = TimingSettings { multiplexer_interval: Duration::ZERO, ..*timings };
    if rng.u32(0..6) == 0 && direct.validate().is_ok() {
        *timings = direct;
    }
}

pub(super) fn node_name(number: u32) -> NodeName {
    // Such a name is valid.
    NodeName::new(format!("node{number}")).unwrap_or_else(|_| unreachable_name())
}

pub(super) fn service_id(service_type: &str, number: u32) -> ServiceId {
    format!("{service_type}:{number}").parse().unwrap_or_else(|_| unreachable_name())
}

#[expect(clippy::panic, reason = "names that are made here are valid")]
fn unreachable_name<T>() -> T {
    panic!("a name that was made is not valid")
}

fn node(rng: &mut Rng, timings: &TimingSettings) -> NodeSetup {
    let drift = i32::try_from(timings.clock_drift_ppm).unwrap_or(0);
    let slack = u64::try_from(timings.multiplexer_slack().as_millis()).unwrap_or(0);
    let early = u64::try_from(timings.device_granularity.as_millis()).unwrap_or(0);
    let (late, early) = match rng.u32(0..3) {
        0 => (slack, 0),
        1 => (rng.u64(0..=slack), 0),
        _ => (0, rng.u64(0..=early)),
    };
    let clock_ppm = match rng.u32(0..3) {
        0 => drift.saturating_neg(),
        1 => 0,
        _ => rng.i32(drift.saturating_neg()..=drift),
    };
    let cores = rng.u32(4..32);
    let [watchdog_late, watchdog_early] = [late, early].map(Duration::from_millis);
    NodeSetup { clock_ppm, watchdog_late, watchdog_early, cores: f64::from(cores), ..NodeSetup::default() }
}

fn guests(rng: &mut Rng, nodes: &[NodeName]) -> BTreeMap<ServiceId, GuestSetup> {
    let few = rng.f64() * rng.f64() * rng.f64();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number from 1 to 60")]
    let count = 1_u32.saturating_add((few * 60.0) as u32);
    (0..count)
        .map(|number| {
            let service_type = if rng.u32(0..3) == 0 { "ct" } else { "vm" };
            let node = rng.choice(nodes.iter()).cloned().unwrap_or_else(|| node_name(1));
            let slow = if rng.u32(0..8) == 0 { 15 } else { 1 };
            let times_ms = [6_000, 8_000, 16_000, 3_000].map(|most: u64| rng.u64(0..=most).saturating_mul(slow));
            (service_id(service_type, number.saturating_add(100)), guest(node, times_ms, false))
        })
        .collect()
}

fn resources(rng: &mut Rng, sids: &[ServiceId], with_groups: bool) -> String {
    let mut text = String::new();
    for sid in sids {
        if rng.u32(0..15) == 0 {
            continue;
        }
        let state = match rng.u32(0..20) {
            0..=14 => "started",
            15 | 16 => "stopped",
            17 | 18 => "disabled",
            _ => "ignored",
        };
        let _ = write!(text, "{}: {}\n\tstate {state}\n", sid.service_type(), sid.name());
        let _ = write!(text, "\tmax_restart {}\n\tmax_relocate {}\n", rng.u32(0..3), rng.u32(0..3));
        if rng.u32(0..4) == 0 {
            text.push_str("\tfailback 0\n");
        }
        if with_groups && rng.bool() {
            let _ = writeln!(text, "\tgroup group{}", rng.u32(1..=2));
        }
        text.push('\n');
    }
    text
}

fn groups(rng: &mut Rng, nodes: &[NodeName]) -> String {
    let mut text = String::new();
    for number in 1..=2 {
        let _ = write!(text, "group: group{number}\n\tnodes {}\n", node_list(rng, nodes));
        if rng.bool() {
            text.push_str("\trestricted 1\n");
        }
        if rng.bool() {
            text.push_str("\tnofailback 1\n");
        }
        text.push('\n');
    }
    text
}

fn node_list(rng: &mut Rng, nodes: &[NodeName]) -> String {
    let mut chosen: Vec<String> = Vec::new();
    for node in nodes {
        match rng.u32(0..4) {
            0 => {}
            1 => chosen.push(format!("{node}:{}", rng.u32(1..4))),
            _ => chosen.push(node.to_string()),
        }
    }
    if chosen.is_empty() {
        chosen.extend(nodes.first().map(ToString::to_string));
    }
    chosen.join(",")
}

/// A random rule: its type and its properties.
pub(super) fn rule(rng: &mut Rng, nodes: &[NodeName], sids: &[ServiceId]) -> (&'static str, Vec<(String, String)>) {
    let count = rng.usize(2..=4);
    let mut chosen: Vec<String> =
        (0..count).filter_map(|_| rng.choice(sids.iter()).map(|sid| sid.as_str().to_owned())).collect();
    chosen.sort_unstable();
    chosen.dedup();
    let mut properties = vec![("resources".to_owned(), chosen.join(","))];
    if rng.bool() {
        properties.push(("nodes".to_owned(), node_list(rng, nodes)));
        properties.push(("strict".to_owned(), rng.u32(0..2).to_string()));
        ("node-affinity", properties)
    } else {
        let affinity = if rng.bool() { "positive" } else { "negative" };
        properties.push(("affinity".to_owned(), affinity.to_owned()));
        ("resource-affinity", properties)
    }
}

fn rules(rng: &mut Rng, nodes: &[NodeName], sids: &[ServiceId]) -> String {
    let mut text = String::new();
    if rng.bool() {
        return text;
    }
    for number in 0..rng.u32(1..=5) {
        let (kind, properties) = rule(rng, nodes, sids);
        let _ = writeln!(text, "{kind}: rule{number}");
        for (key, value) in properties {
            let _ = writeln!(text, "\t{key} {value}");
        }
        text.push('\n');
    }
    text
}

/// In some clusters services are kept apart only while there is a place for that.
fn loose_rules(rng: &mut Rng, sids: &[ServiceId]) -> String {
    let mut text = String::new();
    if rng.u32(0..3) > 0 {
        return text;
    }
    for number in 0..rng.u32(1..=2) {
        let mut chosen: Vec<&str> = sids.iter().map(ServiceId::as_str).filter(|_| rng.bool()).collect();
        chosen.truncate(4);
        if chosen.len() > 1 {
            let resources = chosen.join(",");
            let _ = write!(
                text,
                "resource-affinity: loose{number}\n\taffinity negative\n\tresources {resources}\n\tstrict 0\n\n"
            );
        }
    }
    text
}

/// In some clusters people say which nodes fail together.
fn labels(rng: &mut Rng, nodes: &[NodeName]) -> String {
    let mut text = String::new();
    if rng.u32(0..4) > 0 || nodes.len() < 3 {
        return text;
    }
    for node in nodes {
        // Of some nothing is said: each of them is a domain of its own.
        if rng.u32(0..5) > 0 {
            let _ = write!(text, "node: {node}\n\tfailure-domain {}\n\n", failure_domain(rng));
        }
    }
    text
}

/// The name of a rack.
pub(super) fn failure_domain(rng: &mut Rng) -> &'static str {
    rng.choice(["rack-a", "rack-b", "rack-c"]).unwrap_or("rack-a")
}

/// Services are kept apart by what fails together, strictly or not.
fn spread_rules(rng: &mut Rng, sids: &[ServiceId]) -> String {
    let mut text = String::new();
    for number in 0..rng.u32(1..=2) {
        let mut chosen: Vec<&str> = sids.iter().map(ServiceId::as_str).filter(|_| rng.bool()).collect();
        let strict = rng.bool();
        chosen.truncate(if strict { 2 } else { 4 });
        if chosen.len() > 1 {
            let resources = chosen.join(",");
            let _ = write!(
                text,
                "resource-affinity: spread{number}\n\taffinity negative\n\tresources {resources}\n\tspread failure-domain\n\tstrict {}\n\n",
                u32::from(strict)
            );
        }
    }
    text
}

/// A setting of `datacenter.cfg`, with a value.
pub(super) fn datacenter_setting(rng: &mut Rng) -> (&'static str, &'static str) {
    const SETTINGS: &[(&str, &[&str])] = &[
        ("ha.shutdown_policy", &["conditional", "freeze", "failover", "migrate"]),
        ("max_workers", &["1", "2", "6"]),
        ("max_starts", &["1", "2", "4"]),
        ("max_moves", &["1", "2", "4"]),
        ("crs.ha", &["basic", "static", "dynamic"]),
        ("crs.ha-rebalance-on-start", &["0", "1"]),
        ("crs.ha-auto-rebalance", &["0", "1"]),
    ];
    let (key, values) = rng.choice(SETTINGS.iter().copied()).unwrap_or(("max_workers", &["1"]));
    (key, rng.choice(values.iter().copied()).unwrap_or("1"))
}

fn scheduler(rng: &mut Rng) -> String {
    let mode = rng.choice(["basic", "static", "dynamic"]).unwrap_or("basic");
    let [on_start, balance] = [rng.u32(0..2), rng.u32(0..2)];
    let method = rng.choice(["bruteforce", "topsis"]).unwrap_or("topsis");
    format!(
        "ha={mode},ha-rebalance-on-start={on_start},ha-auto-rebalance={balance},ha-auto-rebalance-method={method},\
         ha-auto-rebalance-hold-duration={}",
        rng.u32(1..5)
    )
}

fn datacenter(rng: &mut Rng, with_devices: bool) -> String {
    let mut text = String::new();
    let policy = rng.choice(["conditional", "freeze", "failover", "migrate"]).unwrap_or("conditional");
    let _ = writeln!(text, "ha: shutdown_policy={policy}");
    if rng.bool() {
        let _ = writeln!(text, "crs: {}", scheduler(rng));
    }
    if rng.bool() {
        let _ = writeln!(text, "max_workers: {}", rng.u32(1..=6));
    }
    if with_devices {
        let mode = rng.choice(["watchdog", "hardware", "hardware", "both"]).unwrap_or("watchdog");
        let _ = writeln!(text, "fencing: {mode}");
    }
    text
}

/// In some clusters only so many services start or move at once.
fn bound_storms(rng: &mut Rng, datacenter: &mut String) {
    for key in ["max_starts", "max_moves"] {
        if rng.u32(0..4) == 0 {
            let _ = writeln!(datacenter, "{key}: {}", rng.u32(1..=3));
        }
    }
}

/// In some clusters a node that is fenced again and again takes no new services for a while. Where there are no other rules services
/// prefer the node that is [lost](super::generate) so often, so that it has some each time.
fn hold_flapping(rng: &mut Rng, datacenter: &mut String, rules: &mut String, round_time: Duration, sids: &[ServiceId]) {
    if rng.u32(0..8) > 0 {
        return;
    }
    let _ = writeln!(datacenter, "flapping_hold: {}", round_time.as_secs().max(1).saturating_mul(rng.u64(6..=90)));
    if rules.is_empty() {
        let sids: Vec<&str> = sids.iter().map(ServiceId::as_str).collect();
        let _ = write!(rules, "node-affinity: home\n\tresources {}\n\tnodes {}\n\n", sids.join(","), node_name(1));
    }
}

fn fence(nodes: &[NodeName]) -> String {
    let mut text = String::new();
    for (device, agent, address, plug) in [("d1", "fence_one", "10.0.0.1", 1), ("d2", "fence_two", "10.0.0.2", 2)] {
        let _ = writeln!(text, "device {device} {agent} ip={address}");
        for node in nodes {
            let _ = writeln!(text, "connect {device} node={node} plug={plug}");
        }
    }
    text
}

/// Timings of all sorts that are safe together.
fn timings(rng: &mut Rng) -> TimingSettings {
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
