//! Placement: which node a service goes to.

mod balance;
mod crowds;
mod domains;
mod explain;
mod findings;
mod groups;
mod holds;
mod load;
mod node_set;
mod occupancy;
mod returns;
mod rules;
mod scene;
mod select;
mod topsis;

pub use balance::{Balance, BalanceHold, BalanceMove, BalanceOutcome};
pub use explain::{Change, Counterfactual, Explanation, Fate, Figure, NodeExplanation, NodeUsage};
pub use findings::{FindingKind, SituationFinding};
pub use load::FiguresError;
pub use scene::PlacementError;
pub use select::{Decider, Preference};

// Where these were before the questions had a room of their own.
#[doc(no_inline)]
pub use crate::plan::{Prepared, Recovery, Situation};

pub(crate) use balance::Immovable;
pub(crate) use explain::{Asked, counterfactual, explain, explain_with};
pub(crate) use findings::all_findings;
pub(crate) use node_set::NodeSet;
pub(crate) use rules::PlacementRules;
pub(crate) use scene::Scene;
pub(crate) use select::{LeftOut, Recorder, Subject};

use alloc::{collections::BTreeMap, sync::Arc, vec::Vec};

use domains::Domains;
use groups::GroupCounts;
use holds::Holds;
use load::{BasicLoad, Load};
use occupancy::Occupancy;
use returns::Returns;
use rules::NodeClasses;

use crate::{
    config::{OrderedMap, datacenter::SchedulerMode},
    host::{HostFigures, UnmanagedGuest},
    id::{NodeName, RuleId, ServiceId},
    status::{NotUnderstood, ServiceEntry, ServiceTable},
};

/// All that placement looks at, for one round: the online nodes with their load, the rules, and which nodes each service
/// uses. It follows every change of a service at once, so that services that are placed one after another see one
/// another's effect.
#[derive(Debug, Clone)]
pub(crate) struct Placement {
    /// The online nodes, by name.
    online: Vec<NodeName>,
    positions: OrderedMap<NodeName, u32>,
    /// What each service of the table uses.
    occupancies: Vec<Occupancy>,
    /// Where the services of each group are that must be together.
    groups: Vec<GroupCounts>,
    /// Whether all of each group fail back; where it is not given, they are not asked.
    fails_back: Vec<bool>,
    rules: Arc<PlacementRules>,
    /// For each node affinity rule, which of the online nodes it allows and prefers.
    classes: Vec<NodeClasses>,
    without_rule: NodeClasses,
    /// The online nodes by what fails together, where a rule asks for that.
    domains: Domains,
    nothing: NodeSet,
    load: Load,
    /// For services that must be kept apart from one whose entry can't be understood: where that one may be.
    strangers: BTreeMap<usize, Vec<usize>>,
    /// The nodes that came back lately, where services go back to them only after a delay.
    returns: Returns,
    /// The nodes that take no new services.
    holds: Holds,
    /// A cost that a node is given, whatever its load is: to find out what would happen if it were so.
    assumed: Option<(usize, f64)>,
    scratch: select::Scratch,
}

/// What the node affinity rule of a service says of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Affinity<'a> {
    /// Nothing against it.
    Accepts,
    /// It is allowed, but others that are online come first.
    PrefersOthers(&'a RuleId),
    /// It is not allowed.
    Forbids(&'a RuleId),
}

/// What the scheduler's figures lack.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Shortfall {
    /// Why services are only counted.
    pub(crate) fallback: Option<FiguresError>,
    /// The services and nodes that are judged without figures.
    pub(crate) lacking: Vec<FiguresError>,
}

impl Placement {
    /// `online` must be sorted; `rules` must be made for this table.
    ///
    /// If the figures that the scheduler needs can't be had, the load is that of the basic scheduler. What they lack is told
    /// beside the placement.
    pub(crate) fn new(
        online: Vec<NodeName>,
        services: &ServiceTable,
        unmanaged: &[UnmanagedGuest],
        rules: Arc<PlacementRules>,
        scheduler: SchedulerMode,
        figures: Option<&HostFigures>,
    ) -> (Self, Shortfall) {
        let positions: OrderedMap<NodeName, u32> = online.iter().cloned().zip(0..).collect();
        let running = || {
            let guests = unmanaged.iter().filter(|guest| guest.running && !services.contains(&guest.sid));
            guests.filter_map(|guest| Some((guest, *positions.get(&guest.node)?)))
        };
        let mut shortfall = Shortfall::default();
        let load = Load::new(scheduler, &online, services, figures, &mut shortfall.lacking);
        let mut load = load.unwrap_or_else(|problem| {
            shortfall = Shortfall { fallback: Some(problem), lacking: Vec::new() };
            Load::Basic(BasicLoad::new(online.len()))
        });
        load.add_unmanaged(running(), figures, &mut shortfall.lacking);
        let position = |node: &NodeName| positions.get(node).copied();
        let occupancies: Vec<Occupancy> = services.iter().map(|(_, entry)| Occupancy::of(entry, position)).collect();
        load.fill(&occupancies);
        let mut groups = alloc::vec![GroupCounts::default(); rules.groups()];
        for (service, occupancy) in occupancies.iter().enumerate() {
            count(&mut groups, &rules, service, Occupancy::default(), *occupancy);
        }
        let placement = Self {
            occupancies,
            groups,
            fails_back: Vec::new(),
            classes: rules
                .compiled()
                .node_affinities()
                .iter()
                .map(|rule| NodeClasses::of_rule(rule, &online))
                .collect(),
            without_rule: NodeClasses::without_rule(online.len()),
            domains: if rules.compiled().asks_for_domains() {
                Domains::new(&online, rules.compiled().domains())
            } else {
                Domains::default()
            },
            nothing: NodeSet::empty(online.len()),
            load,
            strangers: BTreeMap::new(),
            returns: Returns::default(),
            holds: Holds::default(),
            assumed: None,
            scratch: select::Scratch::default(),
            rules,
            positions,
            online,
        };
        (placement, shortfall)
    }

    /// Takes note of services whose entries can't be understood, as far as it can be told where they are: they are left alone, may
    /// run, and what must be kept apart from them is.
    pub(crate) fn note_strangers(&mut self, strangers: &[NotUnderstood], services: &ServiceTable) {
        for stranger in strangers {
            let Ok(sid) = stranger.sid().parse::<ServiceId>() else { continue };
            let nodes: Vec<usize> = stranger.nodes().filter_map(|node| self.position(&node)).collect();
            for other in self.rules.compiled().negative(&sid).iter() {
                if let Some(service) = services.position(other) {
                    self.strangers.entry(service).or_default().extend(&nodes);
                }
            }
            let spread = self.domains_of(&nodes);
            for other in self.rules.compiled().spread(&sid) {
                if let Some(service) = services.position(&other) {
                    self.strangers.entry(service).or_default().extend(&spread);
                }
            }
        }
    }

    /// The position of an online node.
    pub(crate) fn position(&self, node: &NodeName) -> Option<usize> {
        self.positions.get(node).map(|position| *position as usize)
    }

    /// The online node at a position.
    pub(crate) fn node(&self, position: usize) -> Option<&NodeName> {
        self.online.get(position)
    }

    /// Takes note that a service changed.
    pub(crate) fn update(&mut self, service: usize, entry: &ServiceEntry) {
        let new = Occupancy::of(entry, |node| self.positions.get(node).copied());
        if let Some(occupancy) = self.occupancies.get_mut(service)
            && *occupancy != new
        {
            self.load.replace(service, *occupancy, new);
            count(&mut self.groups, &self.rules, service, *occupancy, new);
            *occupancy = new;
        }
    }

    /// The node affinity rule of a service.
    pub(crate) fn node_affinity_rule(&self, service: usize) -> Option<&RuleId> {
        let rule = self.rules.compiled().node_affinities().get(self.rules.node_affinity(service)?)?;
        Some(&rule.rule)
    }

    /// How many groups of services there are that must be together.
    pub(crate) fn groups(&self) -> usize {
        self.rules.groups()
    }

    /// The group of a service that must be together with others.
    pub(crate) fn group_of(&self, service: usize) -> Option<usize> {
        self.rules.group(service)
    }

    /// How many of a group that a service belongs to use a node or move there.
    pub(crate) fn group_on(&self, service: usize, node: &NodeName) -> u32 {
        let group = self.rules.group(service).and_then(|group| self.groups.get(group));
        let counts = group.zip(self.positions.get(node)).map(|(group, node)| group.all.of(*node));
        counts.unwrap_or(0)
    }

    /// The services in positive affinity with a service.
    pub(crate) fn together_with(&self, service: usize) -> impl Iterator<Item = usize> + '_ {
        self.rules.positive(service)
    }

    /// The rules, by the services of the table.
    pub(crate) fn rules(&self) -> &PlacementRules {
        &self.rules
    }

    /// The same, to make another placement of the same table with them.
    pub(crate) fn shared_rules(&self) -> Arc<PlacementRules> {
        self.rules.clone()
    }

    /// The services that keep a service off a node: they use it and must be apart, or use its failure domain and must not be in that.
    pub(crate) fn keep_off(&self, service: usize, node: usize) -> impl Iterator<Item = usize> + '_ {
        let uses = move |other: &usize| self.occupancy(*other).used().any(|used| used as usize == node);
        let spread = self.spread_from(service).filter(move |(used, _)| *used == node);
        self.rules.negative(service).filter(uses).chain(spread.map(|(_, other)| other))
    }

    /// What the node affinity rule of a service says of an online node.
    pub(crate) fn affinity_with(&self, service: usize, node: &NodeName) -> Affinity<'_> {
        let rule = self.rules.node_affinity(service).and_then(|rule| self.rules.compiled().node_affinities().get(rule));
        let (Some(rule), Some(node)) = (rule, self.position(node)) else { return Affinity::Accepts };
        let classes = self.classes(service);
        if !classes.allowed.contains(node) {
            Affinity::Forbids(&rule.rule)
        } else if !classes.preferred.contains(node) {
            Affinity::PrefersOthers(&rule.rule)
        } else {
            Affinity::Accepts
        }
    }

    /// The position of the node of a service, if that is online.
    pub(crate) fn place_of(&self, service: usize) -> Option<usize> {
        self.occupancy(service).present().map(|node| node as usize)
    }

    /// The nodes that a service uses, and of these the one where it is to be in the end.
    pub(crate) fn uses_and_ends(&self, service: usize) -> (impl Iterator<Item = usize>, Option<usize>) {
        let occupancy = self.occupancy(service);
        (occupancy.used().map(|node| node as usize), occupancy.destination().map(|node| node as usize))
    }

    fn occupancy(&self, service: usize) -> Occupancy {
        self.occupancies.get(service).copied().unwrap_or_default()
    }
}

/// Counts a service in its group, and with those that must be apart from whole groups.
fn count(groups: &mut [GroupCounts], rules: &PlacementRules, service: usize, old: Occupancy, new: Occupancy) {
    if let Some(group) = rules.group(service).and_then(|group| groups.get_mut(group)) {
        group.replace(old, new);
    }
    for group in rules.apart_from_groups(service) {
        if let Some(group) = groups.get_mut(group) {
            group.replace_apart(old, new);
        }
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "tests may panic")]
mod tests {
    use super::*;
    use crate::{
        config::RulesConfig,
        host::{NodeFigures, ServiceFigures},
        id::{ServiceId, ServiceTypes},
        rules::{RuleSet, evaluate},
        status::ServiceState,
    };
    use alloc::format;

    const NODES: usize = 5;
    const SERVICES: usize = 20;

    fn node(number: usize) -> NodeName {
        NodeName::new(format!("node{number}")).unwrap()
    }

    fn sid(number: usize) -> ServiceId {
        ServiceId::new(format!("vm:1{number:02}")).unwrap()
    }

    fn figures() -> HostFigures {
        let size = NodeFigures { max_cpu: 24.0, max_memory: 1 << 36, cpu: 0.7, memory: 12_345_678 };
        let figures = |number: usize| ServiceFigures {
            max_cpu: number as f64 / 10.0,
            max_memory: 1_000_003 * number as u64,
            cpu: 0.3,
            memory: 1 << 30,
        };
        HostFigures {
            nodes: (0..NODES).map(|number| (node(number), size)).collect(),
            services: (0..SERVICES).map(|number| (sid(number), figures(number))).collect(),
        }
    }

    fn placement(services: &ServiceTable, scheduler: SchedulerMode) -> Placement {
        placement_with(services, scheduler, &RuleSet::default())
    }

    fn placement_with(services: &ServiceTable, scheduler: SchedulerMode, rules: &RuleSet) -> Placement {
        let online: Vec<NodeName> = (0..NODES).map(node).collect();
        let rules = PlacementRules::new(evaluate(rules, &online).compiled, services);
        let (placement, shortfall) =
            Placement::new(online, services, &[], Arc::new(rules), scheduler, Some(&figures()));
        assert_eq!(shortfall, Shortfall::default());
        placement
    }

    /// All sorts of states, one after another.
    fn entry(number: usize) -> ServiceEntry {
        let target = node(number / 7 % NODES);
        let state = match number % 6 {
            0 => ServiceState::Stopped,
            1 => ServiceState::RequestStartBalance { target },
            2 => ServiceState::Migrate { target },
            3 => ServiceState::Started { confirmed: false },
            4 => ServiceState::Started { confirmed: true },
            _ => ServiceState::Error,
        };
        ServiceEntry::new(state, node(number / 3 % NODES))
    }

    #[test]
    fn scores_do_not_depend_on_what_came_and_went() {
        for scheduler in SchedulerMode::ALL {
            let mut services: ServiceTable = (0..SERVICES).map(|number| (sid(number), entry(number))).collect();
            let mut followed = placement(&services, *scheduler);
            for number in 0..5000 {
                let service = number * 13 % SERVICES;
                let (_, slot) = services.at_mut(service).unwrap();
                *slot = entry(number);
                followed.update(service, slot);
            }
            let fresh = placement(&services, *scheduler);
            let costs = |placement: &Placement| {
                let mut costs = select::Costs::default();
                placement.find_costs(3, &mut costs);
                (0..NODES).map(|node| costs.of(node).to_bits()).collect::<Vec<_>>()
            };
            assert_eq!(costs(&followed), costs(&fresh), "{scheduler}");
        }
    }

    /// Services that must be together, and apart from single ones, from all of another group, and from one another.
    const RULES: &str = "\
resource-affinity: one
\tresources vm:100,vm:101,vm:102
\taffinity positive

resource-affinity: two
\tresources vm:103,vm:104
\taffinity positive

resource-affinity: apart
\tresources vm:102,vm:103,vm:105
\taffinity negative

resource-affinity: single
\tresources vm:106,vm:107
\taffinity negative

node-affinity: home
\tresources vm:108,vm:109
\tnodes node1,node2
";

    fn some_rules() -> RuleSet {
        let rules = RulesConfig::read(RULES.as_bytes(), &ServiceTypes::default());
        assert_eq!(rules.problems, []);
        rules.config.rules.into_values().collect()
    }

    /// Asks for all that leads to a decision, so that no short cut is taken.
    struct TheLongWay(Decider);

    impl Recorder for TheLongWay {
        const EXPLAINS: bool = true;

        fn decided(&mut self, by: Decider) {
            self.0 = by;
        }
    }

    #[test]
    fn the_short_cut_leads_where_the_long_way_does() {
        let stranger = crate::status::ManagerStatus::from_json(
            r#"{"service_status": {"vm:118": {"state": "odd", "node": "node3"}}}"#,
        );
        let strangers = stranger.unwrap().not_understood;
        let mut text = alloc::string::String::from(RULES);
        text.push_str("\nresource-affinity: stranger\n\tresources vm:110,vm:118\n\taffinity negative\n");
        let rules = RulesConfig::read(text.as_bytes(), &ServiceTypes::default()).config.rules.into_values().collect();
        let mut services: ServiceTable = (0..12).map(|number| (sid(number), entry(number))).collect();
        let mut taken = alloc::collections::BTreeMap::<Decider, usize>::new();
        for number in 0..2000 {
            let (_, slot) = services.at_mut(number * 5 % 12).unwrap();
            *slot = entry(number * 11);
            // Some can go home, and some are not online.
            slot.maintenance_node = (number % 3 == 0).then(|| node(number / 5 % NODES));
            if number % 13 == 0 {
                slot.node = node(NODES);
            }
            let mut placement = placement_with(&services, SchedulerMode::Basic, &rules);
            placement.note_strangers(&strangers, &services);
            for (service, (sid, entry)) in services.iter().enumerate() {
                for failback in [true, false] {
                    let subject = Subject { service, entry, failback, preference: Preference::None };
                    let (mut short, mut long) = (Decider::NothingLeft, TheLongWay(Decider::NothingLeft));
                    let one = placement.select(subject, &mut short);
                    assert_eq!((one, short), (placement.select(subject, &mut long), long.0), "{sid}, {services:?}");
                    *taken.entry(short).or_default() += 1;
                }
            }
        }
        for decider in [Decider::NoFailback, Decider::MaintenanceNode, Decider::Stay, Decider::LowestLoad] {
            assert!(taken[&decider] > 100, "{decider} is among what was decided: {taken:?}");
        }
    }

    #[test]
    fn what_is_selected_does_not_depend_on_what_came_and_went() {
        let rules = some_rules();
        let mut services: ServiceTable = (0..SERVICES).map(|number| (sid(number), entry(number))).collect();
        let mut followed = placement_with(&services, SchedulerMode::Basic, &rules);
        for number in 0..1000 {
            let service = number * 7 % 10;
            let (_, slot) = services.at_mut(service).unwrap();
            *slot = entry(number * 11);
            followed.update(service, slot);
            let mut fresh = placement_with(&services, SchedulerMode::Basic, &rules);
            for (service, (sid, entry)) in services.iter().enumerate().take(10) {
                for preference in Preference::ALL {
                    for failback in [true, false] {
                        let subject = Subject { service, entry, failback, preference: *preference };
                        let (mut one, mut other) = (Decider::NothingLeft, Decider::NothingLeft);
                        assert_eq!(
                            (followed.select(subject, &mut one), one),
                            (fresh.select(subject, &mut other), other),
                            "{sid}, {preference}, failback {failback}, after {number} changes"
                        );
                    }
                }
            }
        }
    }
}
