//! What `docs/behaviour/placement.md` says, written down as plainly as can be: slow, and with nothing shared.

use std::collections::{BTreeMap, BTreeSet};

use ha_core::{
    config::datacenter::{BalanceMethod, ImbalanceScale, SchedulerMode},
    host::{NodeFigures, ServiceFigures},
    id::{NodeName, ServiceId},
    placement::Preference,
    rules::{CompiledRules, evaluate},
    status::{NodeState, ServiceEntry, ServiceState},
};

use crate::cluster::Cluster;

/// The nodes that an entry uses, as a set of the online ones.
fn uses(cluster: &Cluster, entry: &ServiceEntry) -> Vec<NodeName> {
    use ServiceState as S;
    let node = match entry.state {
        S::Started { .. }
        | S::RequestStop { .. }
        | S::Fence
        | S::Freeze
        | S::Error
        | S::Recovery
        | S::Migrate { .. }
        | S::Relocate { .. } => Some(&entry.node),
        S::Stopped | S::RequestStart | S::RequestStartBalance { .. } => None,
    };
    let nodes = node.into_iter().chain(entry.state.target());
    nodes.filter(|node| cluster.is_online(node)).cloned().collect()
}

/// The node on which an entry counts as starting.
fn starts_on(cluster: &Cluster, entry: &ServiceEntry) -> Option<NodeName> {
    let online = |node: &NodeName| cluster.is_online(node);
    match &entry.state {
        ServiceState::Started { confirmed: false } => Some(entry.node.clone()),
        ServiceState::RequestStartBalance { target } => Some(target.clone()),
        ServiceState::Migrate { target } | ServiceState::Relocate { target } if !online(&entry.node) => {
            Some(target.clone())
        }
        _ => None,
    }
    .filter(online)
}

pub(crate) fn compiled(cluster: &Cluster) -> CompiledRules {
    evaluate(&cluster.configuration.rule_set(), &cluster.members).compiled
}

fn online(cluster: &Cluster) -> Vec<NodeName> {
    cluster
        .status
        .nodes
        .iter()
        .filter(|(_, state)| **state == NodeState::Online)
        .map(|(node, _)| node.clone())
        .collect()
}

fn size(cluster: &Cluster, node: &NodeName) -> NodeFigures {
    cluster.usage.nodes[node]
}

/// Cores and bytes of a service at most, on a node.
fn limit(cluster: &Cluster, sid: &ServiceId, node: &NodeName) -> (f64, f64) {
    let ServiceFigures { max_cpu, max_memory, .. } = cluster.usage.services[sid];
    (if max_cpu == 0.0 { size(cluster, node).max_cpu } else { max_cpu }, max_memory as f64)
}

/// Cores and bytes in use, by node.
fn used(cluster: &Cluster) -> BTreeMap<NodeName, (f64, f64)> {
    let mode = cluster.mode();
    let mut used: BTreeMap<NodeName, (f64, f64)> = BTreeMap::new();
    for node in online(cluster) {
        let NodeFigures { cpu, memory, .. } = size(cluster, &node);
        used.insert(node, if mode == SchedulerMode::Dynamic { (cpu, memory as f64) } else { (0.0, 0.0) });
    }
    for (sid, entry) in cluster.status.services.iter() {
        let on = match mode {
            SchedulerMode::Dynamic => starts_on(cluster, entry).into_iter().collect(),
            SchedulerMode::Static | SchedulerMode::Basic => uses(cluster, entry),
        };
        for node in on {
            let (cores, bytes) = limit(cluster, sid, &node);
            let sum = used.get_mut(&node).unwrap();
            *sum = (sum.0 + cores, sum.1 + bytes);
        }
    }
    for guest in cluster.unmanaged.iter().filter(|guest| guest.running && cluster.is_online(&guest.node)) {
        if mode == SchedulerMode::Static && !cluster.status.services.contains(&guest.sid) {
            let (cores, bytes) = limit(cluster, &guest.sid, &guest.node);
            let sum = used.get_mut(&guest.node).unwrap();
            *sum = (sum.0 + cores, sum.1 + bytes);
        }
    }
    used
}

fn figures(fractions: &[(f64, f64)]) -> [f64; 4] {
    let average = |values: &[f64]| (values.iter().map(|v| v * v).sum::<f64>() / values.len() as f64).sqrt();
    let highest = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
    let cpu: Vec<f64> = fractions.iter().map(|(cpu, _)| *cpu).collect();
    let memory: Vec<f64> = fractions.iter().map(|(_, memory)| *memory).collect();
    [1.0 + average(&cpu), 1.0 + highest(&cpu), 1.0 + average(&memory), 1.0 + highest(&memory)]
}

fn topsis(alternatives: &[[f64; 4]]) -> Vec<f64> {
    let weights = [1.0, 2.0, 5.0, 10.0].map(|weight| weight / 18.0);
    let column = |j: usize| alternatives.iter().map(move |figures| figures[j]);
    let norms = [0, 1, 2, 3].map(|j| column(j).map(|v| v * v).sum::<f64>().sqrt());
    let best = [0, 1, 2, 3].map(|j| column(j).fold(f64::INFINITY, f64::min) / norms[j]);
    let worst = [0, 1, 2, 3].map(|j| column(j).fold(0.0, f64::max) / norms[j]);
    let distance = |figures: &[f64; 4], to: &[f64; 4]| {
        (0..4).map(|j| (weights[j] * (figures[j] / norms[j] - to[j])).powi(2)).sum::<f64>().sqrt()
    };
    let score = |figures| {
        let (to_best, to_worst) = (distance(figures, &best), distance(figures, &worst));
        if to_best + to_worst == 0.0 { 0.0 } else { to_worst / (to_best + to_worst) }
    };
    alternatives.iter().map(score).collect()
}

/// The scores of the online nodes for starting a service, by node.
pub(crate) fn scores(cluster: &Cluster, sid: &ServiceId) -> BTreeMap<NodeName, f64> {
    let used = used(cluster);
    let alternative = |chosen: &NodeName| {
        let fractions: Vec<(f64, f64)> = used
            .iter()
            .map(|(node, (cores, bytes))| {
                let (more_cores, more_bytes) = if node == chosen { limit(cluster, sid, node) } else { (0.0, 0.0) };
                let size = size(cluster, node);
                ((cores + more_cores) / size.max_cpu, (bytes + more_bytes) / size.max_memory as f64)
            })
            .collect();
        figures(&fractions)
    };
    let alternatives: Vec<[f64; 4]> = used.keys().map(alternative).collect();
    used.keys().cloned().zip(topsis(&alternatives)).collect()
}

/// What nodes are ordered by, lowest first.
pub(crate) fn costs(cluster: &Cluster, sid: &ServiceId) -> BTreeMap<NodeName, f64> {
    if cluster.mode() != SchedulerMode::Basic {
        return scores(cluster, sid).into_iter().map(|(node, score)| (node, -score)).collect();
    }
    let mut counts: BTreeMap<NodeName, f64> = online(cluster).into_iter().map(|node| (node, 0.0)).collect();
    let managed = cluster.status.services.iter().flat_map(|(_, entry)| uses(cluster, entry));
    let unmanaged =
        cluster.unmanaged.iter().filter(|guest| guest.running && !cluster.status.services.contains(&guest.sid));
    for node in managed.chain(unmanaged.map(|guest| guest.node.clone())) {
        if let Some(count) = counts.get_mut(&node) {
            *count += 1.0;
        }
    }
    counts
}

fn classes(
    cluster: &Cluster,
    rules: &CompiledRules,
    sid: &ServiceId,
    without: &BTreeSet<NodeName>,
) -> (BTreeSet<NodeName>, BTreeSet<NodeName>) {
    let online: BTreeSet<NodeName> = online(cluster).into_iter().filter(|node| !without.contains(node)).collect();
    let Some(affinity) = rules.node_affinity(sid) else { return (online.clone(), online) };
    let allowed: BTreeSet<NodeName> = online.into_iter().filter(|node| affinity.priority(node).is_some()).collect();
    let highest = allowed.iter().map(|node| affinity.priority(node)).max();
    let preferred = allowed.iter().filter(|node| Some(affinity.priority(node)) == highest).cloned().collect();
    (allowed, preferred)
}

fn separate(cluster: &Cluster, rules: &CompiledRules, sid: &ServiceId) -> BTreeSet<NodeName> {
    let others = rules.negative(sid);
    let entries = others.iter().filter_map(|other| cluster.status.services.get(other));
    let mut separate: BTreeSet<NodeName> = entries.flat_map(|entry| uses(cluster, entry)).collect();
    let valid = evaluate(&cluster.configuration.rule_set(), &cluster.members).rules;
    for rule in valid.iter().filter(|rule| rule.is_spread() && !rule.is_loosely_apart()) {
        for entry in others_of(cluster, rules, sid, &rule.resources) {
            separate.extend(uses(cluster, entry).iter().flat_map(|node| fails_with(cluster, node)));
        }
    }
    separate
}

/// The online nodes that fail together with a node.
fn fails_with(cluster: &Cluster, node: &NodeName) -> Vec<NodeName> {
    let domain = |node: &NodeName| cluster.configuration.nodes.failure_domain(node).cloned();
    let is_one = |other: &NodeName| other == node || (domain(node).is_some() && domain(other) == domain(node));
    online(cluster).into_iter().filter(is_one).collect()
}

/// The entries of those that a rule for `members` keeps apart from a service: what must be with one of these counts as it does.
fn others_of<'a>(
    cluster: &'a Cluster,
    rules: &CompiledRules,
    sid: &ServiceId,
    members: &[ServiceId],
) -> Vec<&'a ServiceEntry> {
    let with =
        |sid: &ServiceId| -> BTreeSet<ServiceId> { rules.positive(sid).iter().cloned().chain([sid.clone()]).collect() };
    let group = with(sid);
    if !members.iter().any(|member| group.contains(member)) {
        return Vec::new();
    }
    let others: BTreeSet<ServiceId> = members.iter().flat_map(with).collect();
    others.difference(&group).filter_map(|other| cluster.status.services.get(other)).collect()
}

/// How many services that should rather be apart from one use each node, or its failure domain, once for each rule; those that leave its
/// own do not count there.
fn crowds(cluster: &Cluster, rules: &CompiledRules, sid: &ServiceId) -> BTreeMap<NodeName, usize> {
    let own = &cluster.status.services.get(sid).unwrap().node;
    let mut crowds = BTreeMap::new();
    let valid = evaluate(&cluster.configuration.rule_set(), &cluster.members).rules;
    for rule in valid.iter().filter(|rule| rule.is_loosely_apart()) {
        let place = |node: &NodeName| -> BTreeSet<NodeName> {
            if rule.is_spread() { fails_with(cluster, node).into_iter().collect() } else { [node.clone()].into() }
        };
        for entry in others_of(cluster, rules, sid, &rule.resources) {
            let used = uses(cluster, entry);
            let end = used.last().map(place);
            let places: BTreeSet<BTreeSet<NodeName>> = used.iter().map(place).collect();
            for place in places.iter().filter(|place| !place.contains(own) || end.as_ref() == Some(*place)) {
                place.iter().for_each(|node| *crowds.entry(node.clone()).or_default() += 1);
            }
        }
    }
    crowds
}

/// The nodes that take no new services and are new to one: it does not stay there, and nothing is there that must be together with it.
fn held(cluster: &Cluster, rules: &CompiledRules, sid: &ServiceId, preference: Preference) -> BTreeSet<NodeName> {
    let own = &cluster.status.services.get(sid).unwrap().node;
    let others = rules.positive(sid).iter().filter_map(|other| cluster.status.services.get(other));
    let partners = others.filter(|entry| entry.state != ServiceState::Recovery);
    let drawn: BTreeSet<NodeName> = partners.filter_map(|entry| uses(cluster, entry).pop()).collect();
    let is_new = |node: &NodeName| !(drawn.contains(node) || preference == Preference::None && node == own);
    online(cluster).into_iter().filter(|node| cluster.is_held(node) && is_new(node)).collect()
}

/// Steps 4, 5 and 8a: the nodes that are left of those that a service may have, where some are left out beforehand.
fn find(
    cluster: &Cluster,
    rules: &CompiledRules,
    (sid, preference): (&ServiceId, Preference),
    separate: &BTreeSet<NodeName>,
    without: &BTreeSet<NodeName>,
) -> BTreeSet<NodeName> {
    let entry = cluster.status.services.get(sid).unwrap();
    let (allowed, preferred) = classes(cluster, rules, sid, without);
    let without_failed = |nodes: &BTreeSet<NodeName>| -> BTreeSet<NodeName> {
        let failed = |node: &NodeName| preference == Preference::TryNext && entry.failed_nodes.contains(node);
        nodes.iter().filter(|node| !failed(node)).cloned().collect()
    };
    let mut left = without_failed(&preferred);
    let any_before = !left.is_empty();
    left.retain(|node| !separate.contains(node));
    if any_before && left.is_empty() && rules.node_affinity(sid).is_some_and(|rule| !rule.strict) {
        left = without_failed(&allowed).difference(separate).cloned().collect();
    }
    left
}

/// `select_node`, step by step.
pub(crate) fn select(cluster: &Cluster, sid: &ServiceId, preference: Preference) -> Option<NodeName> {
    let rules = compiled(cluster);
    let entry = cluster.status.services.get(sid).unwrap();
    // 1
    let (allowed, preferred) = classes(cluster, &rules, sid, &BTreeSet::new());
    if preferred.is_empty() {
        return None;
    }
    // 2
    let mut together: BTreeMap<NodeName, usize> = BTreeMap::new();
    for other in rules.positive(sid).iter().filter_map(|other| cluster.status.services.get(other)) {
        if let Some(node) = uses(cluster, other).last() {
            *together.entry(node.clone()).or_default() += 1;
        }
    }
    let separate = separate(cluster, &rules, sid);
    // 3
    let stays = preference == Preference::None;
    let may_stay = together.contains_key(&entry.node) || !separate.contains(&entry.node);
    let all_fail_back = cluster.failback(sid) && rules.positive(sid).iter().all(|other| cluster.failback(other));
    if stays && !all_fail_back && allowed.contains(&entry.node) && may_stay {
        return Some(entry.node.clone());
    }
    // 4, 5, 8a
    let find = |without: &BTreeSet<NodeName>| find(cluster, &rules, (sid, preference), &separate, without);
    let mut left = find(&held(cluster, &rules, sid, preference));
    if left.is_empty() {
        left = find(&BTreeSet::new());
    }
    // All of a group go home together, unless one of them is held elsewhere.
    let home = entry.maintenance_node.as_ref().filter(|node| left.contains(*node));
    let held_elsewhere = |home: &NodeName| {
        let entries = rules.positive(sid).iter().chain([sid]).filter_map(|other| cluster.status.services.get(other));
        let held = entries.filter(|entry| !matches!(entry.state, ServiceState::Started { .. }));
        held.filter_map(|entry| uses(cluster, entry).pop()).any(|node| node != *home)
    };
    if let Some(home) = home.filter(|home| stays && !rules.positive(sid).is_empty() && !held_elsewhere(home)) {
        return Some(home.clone());
    }
    // 6
    let highest = together.iter().filter(|(node, _)| left.contains(*node)).map(|(_, count)| *count).max();
    if let Some((node, _)) = together.iter().find(|(node, count)| left.contains(*node) && Some(**count) == highest) {
        left = BTreeSet::from([node.clone()]);
    }
    // 6a
    let crowds = crowds(cluster, &rules, sid);
    let crowd = |node: &NodeName| crowds.get(node).copied().unwrap_or(0);
    let fewest = left.iter().map(crowd).min();
    left.retain(|node| Some(crowd(node)) == fewest);
    // 7, 8
    if let Some(node) = entry.maintenance_node.as_ref().filter(|node| left.contains(*node)) {
        return Some(node.clone());
    }
    if stays && left.contains(&entry.node) {
        return Some(entry.node.clone());
    }
    // 9
    let costs = costs(cluster, sid);
    let mut order: Vec<NodeName> = left.into_iter().collect();
    order.sort_by(|a, b| costs[a].total_cmp(&costs[b]));
    let after = order.iter().position(|node| *node == entry.node).and_then(|at| order.get(at + 1));
    after.filter(|_| preference == Preference::TryNext).or(order.first()).cloned()
}

pub(crate) fn imbalance(loads: &[f64], scale: ImbalanceScale) -> f64 {
    let n = loads.len() as f64;
    if n < 2.0 || loads.iter().all(|load| *load == 0.0) {
        return 0.0;
    }
    let mean = loads.iter().sum::<f64>() / n;
    let plain = (loads.iter().map(|load| (load - mean).powi(2)).sum::<f64>() / n).sqrt() / mean;
    match scale {
        ImbalanceScale::Plain => plain,
        ImbalanceScale::Normalised => plain / (n - 1.0).sqrt(),
    }
}

/// A move that would balance: leader, target, the imbalance after it, and what moves are ranked by, lowest first.
pub(crate) struct Move {
    pub(crate) leader: ServiceId,
    pub(crate) target: NodeName,
    pub(crate) imbalance: f64,
    pub(crate) rank: f64,
}

/// The imbalance, and all moves that would change it, in their order.
pub(crate) fn moves(cluster: &Cluster) -> (f64, Vec<Move>) {
    let rules = compiled(cluster);
    let config = &cluster.configuration.datacenter.scheduler;
    let used: BTreeMap<NodeName, (f64, f64)> = match cluster.mode() {
        SchedulerMode::Dynamic => {
            let measured =
                |node: NodeName| (node.clone(), (size(cluster, &node).cpu, size(cluster, &node).memory as f64));
            online(cluster).into_iter().map(measured).collect()
        }
        SchedulerMode::Static | SchedulerMode::Basic => used(cluster),
    };
    let fractions = |used: &BTreeMap<NodeName, (f64, f64)>| -> Vec<(f64, f64)> {
        let fraction = |(node, (cores, bytes)): (&NodeName, &(f64, f64))| {
            (cores / size(cluster, node).max_cpu, bytes / size(cluster, node).max_memory as f64)
        };
        used.iter().map(fraction).collect()
    };
    let imbalance_of = |fractions: &[(f64, f64)]| {
        imbalance(&fractions.iter().map(|(cpu, memory)| (cpu + memory) / 2.0).collect::<Vec<_>>(), config.scale)
    };
    let is_started = |entry: &ServiceEntry| matches!(entry.state, ServiceState::Started { .. });

    let mut moves = Vec::new();
    let mut alternatives = Vec::new();
    for (sid, entry) in cluster.status.services.iter().filter(|(_, entry)| is_started(entry)) {
        let others: Vec<(&ServiceId, &ServiceEntry)> =
            rules.positive(sid).iter().filter_map(|other| Some((other, cluster.status.services.get(other)?))).collect();
        let started: Vec<_> = others.iter().copied().filter(|(_, other)| is_started(other)).collect();
        let leads = started.iter().all(|(other, _)| sid < *other);
        let one_node = started.iter().all(|(_, other)| other.node == entry.node);
        let moving = others.iter().any(|(_, other)| other.state.target().is_some());
        let held = others.iter().any(|(_, other)| !is_started(other) && !uses(cluster, other).is_empty());
        let may_move = [sid].into_iter().chain(rules.positive(sid).iter()).all(|other| cluster.auto_rebalance(other));
        if !leads || !one_node || moving || held || !may_move || !cluster.is_online(&entry.node) {
            continue;
        }
        let mut share = (0.0, 0.0);
        for member in started.iter().map(|(other, _)| *other).chain([sid]) {
            let (cores, bytes) = match cluster.mode() {
                SchedulerMode::Dynamic => {
                    (cluster.usage.services[member].cpu, cluster.usage.services[member].memory as f64)
                }
                SchedulerMode::Static | SchedulerMode::Basic => limit(cluster, member, &entry.node),
            };
            share = (share.0 + cores, share.1 + bytes);
        }
        let (_, preferred) = classes(cluster, &rules, sid, &BTreeSet::new());
        let mut separate = separate(cluster, &rules, sid);
        separate.extend(crowds(cluster, &rules, sid).into_keys());
        separate.extend(online(cluster).into_iter().filter(|node| cluster.is_held(node)));
        for target in preferred.into_iter().filter(|node| !separate.contains(node) && *node != entry.node) {
            let mut after = used.clone();
            let source = after.get_mut(&entry.node).unwrap();
            *source = ((source.0 - share.0).max(0.0), (source.1 - share.1).max(0.0));
            let joined = after.get_mut(&target).unwrap();
            *joined = (joined.0 + share.0, joined.1 + share.1);
            let fractions = fractions(&after);
            let imbalance = imbalance_of(&fractions);
            alternatives.push(figures(&fractions));
            moves.push(Move { leader: sid.clone(), target, imbalance, rank: imbalance });
        }
    }
    if config.method == BalanceMethod::Topsis {
        for (candidate, score) in moves.iter_mut().zip(topsis(&alternatives)) {
            candidate.rank = -score;
        }
    }
    (imbalance_of(&fractions(&used)), moves)
}
