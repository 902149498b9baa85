//! Why a service goes where it goes, and what would have to be different for it to go elsewhere.
//!
//! Both are told by the code that decides: it takes note of what it does, see [`Recorder`].

mod counterfactual;
mod display;

pub use counterfactual::{Change, Counterfactual};
pub(crate) use counterfactual::{counterfactual, explain_with};

use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::{String, ToString},
    vec::Vec,
};

use serde::{Deserialize, Serialize};

use super::{
    Decider, FiguresError, Placement, PlacementError, Preference, Scene, SituationFinding, Subject,
    findings::{bears_on, findings},
    load::Load,
    node_set::NodeSet,
    select::{Costs, LeftOut, Recorder},
};
use crate::{
    config::datacenter::SchedulerMode,
    id::{FailureDomain, NodeName, RuleId, ServiceId},
    status::{ManagerStatus, NodeState},
};

/// A decision with its reasons.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// The service.
    pub sid: ServiceId,
    /// What was asked for.
    pub preference: Preference,
    /// Where the service is.
    pub node: NodeName,
    /// The scheduler that gave the loads.
    pub scheduler: SchedulerMode,
    /// Why it is not the configured one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
    /// Where the service should be; nothing if there is no node for it.
    pub answer: Option<NodeName>,
    /// What decided.
    pub decided_by: Decider,
    /// The node affinity rule that gave way, if services that must be kept apart use every node that it prefers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gave_way: Option<RuleId>,
    /// The services from which it should rather be apart, and which use its answer: there is no better place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shares_with: Vec<ServiceId>,
    /// The rules that would keep it apart from the first of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shares_by: Vec<RuleId>,
    /// For how many seconds its answer, which is new to it, takes no new services: nothing else is left, or what must be together with it is
    /// there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<u32>,
    /// Every node of the cluster, by name.
    pub nodes: Vec<NodeExplanation>,
    /// What the decision leaves out of account: see [`Situation::findings`](crate::plan::Situation::findings). Those that bear on this service.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<SituationFinding>,
}

/// What became of one node in a decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeExplanation {
    /// The node.
    pub node: NodeName,
    /// Whether it was left out, and by what.
    #[serde(flatten)]
    pub fate: Fate,
    /// How well it suits; for online nodes only, and not if the figures of the node can't be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub figure: Option<Figure>,
    /// How much of it is in use now; for online nodes only, and not with the `basic` scheduler.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<NodeUsage>,
    /// Its place in the order of load among those that are left, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rank: Option<usize>,
}

/// How well a node suits a service.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// With the `basic` scheduler: the number of services that use it; the lower, the better.
    Services(u32),
    /// With the others: its score, from 0 to 1; the higher, the better.
    Score(f64),
}

/// The fractions of a node that are in use. More than 1 is possible: nodes can be overcommitted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct NodeUsage {
    /// Of its cores.
    pub cpu: f64,
    /// Of its memory.
    pub memory: f64,
}

/// Whether a node was left out, and by what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fate", rename_all = "snake_case")]
pub enum Fate {
    /// It was left to the end: the service may go there.
    Candidate,
    /// It takes no services now.
    NotOnline {
        /// Its state.
        state: NodeState,
    },
    /// The node affinity rule of the service does not allow it.
    NotAllowed {
        /// The rule.
        rule: RuleId,
    },
    /// The node affinity rule of the service prefers other nodes.
    LowerPriority {
        /// The rule.
        rule: RuleId,
        /// The node's priority.
        priority: i32,
        /// The priority of those that it prefers.
        preferred: i32,
    },
    /// The start of the service failed there.
    FailedBefore,
    /// It came back lately: the service goes back there when it has been well for long enough (`failback-delay`).
    BackTooShortly {
        /// In how many seconds that is.
        left: u32,
    },
    /// It takes no new services, since it was fenced again and again (`flapping_hold`).
    Held {
        /// For how many seconds more.
        left: u32,
    },
    /// Services that must be kept apart use it.
    KeptApart {
        /// These services.
        from: Vec<ServiceId>,
        /// The rules that keep the first of them apart.
        rules: Vec<RuleId>,
        /// The failure domain of the node, if the first of them is elsewhere in that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        domain: Option<FailureDomain>,
    },
    /// Services that should rather be apart use it, more than use another one that is left.
    RatherApart {
        /// These services.
        from: Vec<ServiceId>,
        /// The rules that would keep the first of them apart.
        rules: Vec<RuleId>,
        /// The failure domain of the node, if the first of them is elsewhere in that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        domain: Option<FailureDomain>,
    },
    /// Services that must be together are on another node.
    KeptTogether {
        /// The services there.
        with: Vec<ServiceId>,
        /// That node.
        on: NodeName,
        /// The rules that keep the first of them together.
        rules: Vec<RuleId>,
    },
}

impl Explanation {
    /// What became of a node.
    #[must_use]
    pub fn of(&self, node: &NodeName) -> Option<&NodeExplanation> {
        let at = self.nodes.binary_search_by(|other| other.node.cmp(node)).ok()?;
        self.nodes.get(at)
    }
}

/// Takes note of a decision.
#[derive(Debug, Default)]
struct Notes {
    together: BTreeMap<usize, Vec<usize>>,
    separate: BTreeMap<usize, Vec<usize>>,
    crowded: BTreeMap<usize, Vec<usize>>,
    left_out: BTreeMap<usize, LeftOut>,
    decided_by: Option<Decider>,
    gave_way: bool,
}

impl Recorder for Notes {
    const EXPLAINS: bool = true;

    fn together(&mut self, node: usize, service: usize) {
        self.together.entry(node).or_default().push(service);
    }

    fn separate(&mut self, node: usize, service: usize) {
        self.separate.entry(node).or_default().push(service);
    }

    fn crowded(&mut self, node: usize, service: usize) {
        self.crowded.entry(node).or_default().push(service);
    }

    fn left_out(&mut self, node: usize, why: LeftOut) {
        self.left_out.insert(node, why);
    }

    fn gave_way(&mut self, to: &NodeSet) {
        to.iter().for_each(|node| {
            self.left_out.remove(&node);
        });
        self.gave_way = true;
    }

    fn decided(&mut self, by: Decider) {
        self.decided_by = Some(by);
    }
}

/// Takes note only of what decided.
impl Recorder for Decider {
    fn decided(&mut self, by: Decider) {
        *self = by;
    }
}

/// Where a service should be, and why.
pub(crate) fn explain(
    scene: &Scene<'_>,
    sid: &ServiceId,
    preference: Preference,
) -> Result<Explanation, PlacementError> {
    let (mut placement, shortfall) = scene.placement();
    let subject = scene.subject(sid, preference, &placement)?;
    let is_subject = |problem: &&FiguresError| problem.sid() == Some(sid);
    let problem = shortfall.fallback.as_ref().or_else(|| shortfall.lacking.iter().find(is_subject));
    let found = findings(scene, &shortfall);
    let asked = Asked { status: &scene.status, members: &scene.members, sid, subject };
    let scheduler = if problem.is_some() { SchedulerMode::Basic } else { scene.scheduler() };
    Ok(Explanation {
        fallback: problem.map(|problem| problem.to_string()),
        findings: found.into_iter().filter(|finding| bears_on(finding, sid, scene)).collect(),
        ..placement.explain(asked, scheduler)
    })
}

/// A question to a placement, with what its answer is told by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) status: &'a ManagerStatus,
    /// All members of the cluster, online or not.
    pub(crate) members: &'a [NodeName],
    pub(crate) sid: &'a ServiceId,
    pub(crate) subject: Subject<'a>,
}

impl Placement {
    /// Decides, and takes note of how. What the decision leaves out of account is not in it.
    pub(crate) fn explain(&mut self, asked: Asked<'_>, scheduler: SchedulerMode) -> Explanation {
        let Asked { sid, subject, .. } = asked;
        let mut notes = Notes::default();
        let answer = self.select(subject, &mut notes);
        let mut costs = Costs::default();
        self.find_costs(subject.service, &mut costs);
        let told = Told { asked, placement: self, notes: &notes, costs: &costs };
        let (shares_with, shares_by) = told.shares(answer);
        Explanation {
            sid: sid.clone(),
            preference: subject.preference,
            node: subject.entry.node.clone(),
            scheduler,
            fallback: None,
            answer: answer.and_then(|node| self.node(node)).cloned(),
            decided_by: notes.decided_by.unwrap_or(Decider::NothingLeft),
            gave_way: notes.gave_way.then(|| self.node_affinity_rule(subject.service).cloned()).flatten(),
            shares_with,
            shares_by,
            held: answer.filter(|node| self.stays_on(subject) != Some(*node)).and_then(|node| self.held_for(node)),
            nodes: told.nodes(),
            findings: Vec::new(),
        }
    }
}

/// A decision that was made, to be told.
struct Told<'a> {
    asked: Asked<'a>,
    placement: &'a Placement,
    notes: &'a Notes,
    costs: &'a Costs,
}

impl Told<'_> {
    fn nodes(&self) -> Vec<NodeExplanation> {
        let ranked = self.ranked();
        let names: BTreeSet<&NodeName> = self.asked.status.nodes.keys().chain(self.asked.members).collect();
        let nodes = names.into_iter().map(|node| match self.placement.position(node) {
            None => NodeExplanation {
                node: node.clone(),
                fate: Fate::NotOnline { state: self.asked.status.node_state(node) },
                figure: None,
                usage: None,
                rank: None,
            },
            Some(position) => NodeExplanation {
                node: node.clone(),
                fate: self.fate(position, node).unwrap_or(Fate::Candidate),
                figure: self.figure(position),
                usage: self.usage(position),
                rank: ranked.iter().position(|other| *other == position).map(|rank| rank.saturating_add(1)),
            },
        });
        nodes.collect()
    }

    /// With which services the answer is shared that should rather be apart, and by which rules the first of them.
    fn shares(&self, answer: Option<usize>) -> (Vec<ServiceId>, Vec<RuleId>) {
        let crowd = answer.map(|node| self.placement.crowd_on(self.asked.subject.service, node)).unwrap_or_default();
        let crowd = self.sids(Some(&crowd.into_iter().collect()));
        let rules = crowd.first().map(|other| self.placement.rules.compiled().why_rather_apart(self.asked.sid, other));
        (crowd, rules.unwrap_or_default())
    }

    /// The nodes that were left, in the order of their load.
    fn ranked(&self) -> Vec<usize> {
        let mut left: Vec<usize> =
            (0..self.placement.online.len()).filter(|node| !self.notes.left_out.contains_key(node)).collect();
        left.sort_by(|one, other| self.costs.order(*one, *other));
        left
    }

    /// How well a node suits; nothing if its figures can't be used.
    fn figure(&self, position: usize) -> Option<Figure> {
        let cost = Some(self.costs.of(position)).filter(|cost| cost.is_finite())?;
        let service = self.asked.status.services.position(self.asked.sid);
        Some(match service.and_then(|service| self.placement.load.counts_for(service)) {
            // Counts are whole numbers, and an assumed one is a little less than one.
            Some(_) => Figure::Services(libm::ceil(cost.max(0.0)) as u32),
            None => Figure::Score(-cost),
        })
    }

    fn usage(&self, position: usize) -> Option<NodeUsage> {
        match &self.placement.load {
            Load::Basic(_) => None,
            Load::Usage(load) => load.usage(position).map(|usage| NodeUsage { cpu: usage.cpu, memory: usage.memory }),
        }
    }

    /// By what a node was left out, if it was.
    fn fate(&self, position: usize, node: &NodeName) -> Option<Fate> {
        let compiled = self.placement.rules.compiled();
        let affinity = compiled.node_affinity(self.asked.sid);
        Some(match self.notes.left_out.get(&position)? {
            LeftOut::NotAllowed => Fate::NotAllowed { rule: affinity?.rule.clone() },
            LeftOut::LowerPriority => {
                let affinity = affinity?;
                let is_closed = |why: &LeftOut| matches!(why, LeftOut::BackTooShortly { .. } | LeftOut::Held { .. });
                let is_open = |other: &usize| !self.notes.left_out.get(other).is_some_and(is_closed);
                let online = (0..self.placement.online.len()).filter(is_open);
                Fate::LowerPriority {
                    rule: affinity.rule.clone(),
                    priority: affinity.priority(node)?,
                    preferred: online.filter_map(|node| affinity.priority(self.placement.node(node)?)).max()?,
                }
            }
            LeftOut::FailedBefore => Fate::FailedBefore,
            LeftOut::BackTooShortly { left } => Fate::BackTooShortly { left: *left },
            LeftOut::Held { left } => Fate::Held { left: *left },
            LeftOut::KeptApart => {
                let others = self.notes.separate.get(&position);
                let (from, domain) = (self.sids(others), self.domain_between(others, position));
                let rules = from.first().map(|other| compiled.why_apart(self.asked.sid, other)).unwrap_or_default();
                Fate::KeptApart { from, rules, domain }
            }
            LeftOut::RatherApart => {
                let others = self.notes.crowded.get(&position);
                let (from, domain) = (self.sids(others), self.domain_between(others, position));
                let by = |other| compiled.why_rather_apart(self.asked.sid, other);
                let rules = from.first().map(by).unwrap_or_default();
                Fate::RatherApart { from, rules, domain }
            }
            LeftOut::KeptTogether { on } => {
                let with = self.sids(self.notes.together.get(on));
                let rules = with.first().map(|other| compiled.why_together(self.asked.sid, other)).unwrap_or_default();
                Fate::KeptTogether { with, on: self.placement.node(*on)?.clone(), rules }
            }
        })
    }

    fn domain_between(&self, services: Option<&Vec<usize>>, position: usize) -> Option<FailureDomain> {
        self.placement.domain_between(*services?.first()?, position).cloned()
    }

    fn sids(&self, services: Option<&Vec<usize>>) -> Vec<ServiceId> {
        let services = services.into_iter().flatten();
        services.filter_map(|service| self.asked.status.services.at(*service)).map(|(sid, _)| sid.clone()).collect()
    }
}
