//! The compiled rules for the services of a table: services by their positions in it.

use alloc::vec::Vec;

use super::node_set::NodeSet;
use crate::{
    id::NodeName,
    rules::{CompiledRules, KeptApart, Lists, NodeAffinity},
    status::ServiceTable,
};

/// Stands for "none" among positions and numbers.
const NONE: u32 = u32::MAX;

/// The compiled rules with positions instead of names, ready for look-up.
///
/// Made again when the rules change, or the services of the table. Services that are in a rule but not in the table use no
/// node, so nothing is said of them.
#[derive(Debug, Clone)]
pub(crate) struct PlacementRules {
    compiled: CompiledRules,
    /// For each service its number in the compiled rules, or [`NONE`].
    number_of: Vec<u32>,
    /// For each service the group of those that must share a node, or [`NONE`].
    group_of: Vec<u32>,
    /// The services of each group, by SID.
    groups: Lists,
    /// For each group the services that must not share a node with any of it, by SID.
    apart_from_group: Lists,
    /// For each service those that must not share a node with it beyond that and are in no group, by SID.
    apart_from_one: Lists,
    /// For each service the groups that must not share a node with it altogether.
    groups_apart_from_one: Lists,
    /// For each service the groups that it is named apart from in `apart_from_group`.
    apart_from_groups: Lists,
    /// The rules that keep services apart only while there is a place for that.
    loosely_apart: KeptApartRules,
    /// The strict ones that keep services apart by failure domain.
    strictly_spread: KeptApartRules,
}

/// Rules that keep services apart, with those of the table.
#[derive(Debug, Clone, Default)]
struct KeptApartRules {
    /// For each rule its services, by SID, each with its side; and whether they are apart by failure domain.
    rules: Vec<(Vec<(u32, u32)>, bool)>,
    /// For each service the numbers of its rules.
    of_service: Lists,
}

impl KeptApartRules {
    /// `position_of` are the positions of the services by their numbers in the compiled rules, `services` how many the table has.
    fn new(compiled: &[KeptApart], position_of: &[u32], services: usize) -> Self {
        let sides_of = |rule: &KeptApart| {
            let position = |(sid, side): &(u32, u32)| Some((*position_of.get(*sid as usize)?, *side));
            let sides = rule.sides.iter().filter_map(position).filter(|(service, _)| *service != NONE);
            (sides.collect::<Vec<_>>(), rule.by_domain)
        };
        let rules: Vec<(Vec<(u32, u32)>, bool)> = compiled.iter().map(sides_of).collect();
        let of_service = Lists::from_pairs(services, || {
            let numbered = rules.iter().zip(0..);
            numbered.flat_map(|((sides, _), rule)| sides.iter().map(move |(service, _)| (*service, rule)))
        });
        Self { rules, of_service }
    }

    /// Asked for nearly every service in every round; mostly there are none.
    #[inline]
    fn are_about(&self, service: usize) -> bool {
        !self.rules.is_empty() && !list(&self.of_service, service).is_empty()
    }

    /// The services from which one is kept apart, once for each rule, each with whether that is by failure domain.
    fn others(&self, service: usize) -> impl Iterator<Item = (usize, bool)> + '_ {
        let rules = list(&self.of_service, service).iter();
        rules.filter_map(|rule| self.rules.get(*rule as usize)).flat_map(move |(sides, by_domain)| {
            let at = sides.binary_search_by_key(&service, |(other, _)| *other as usize).ok();
            let own = at.and_then(|at| sides.get(at)).map(|(_, side)| *side);
            let others = sides.iter().filter(move |(_, side)| Some(*side) != own);
            others.map(|(other, _)| (*other as usize, *by_domain))
        })
    }
}

impl PlacementRules {
    pub(crate) fn new(compiled: CompiledRules, services: &ServiceTable) -> Self {
        let position = |sid| services.position(sid).and_then(|position| u32::try_from(position).ok()).unwrap_or(NONE);
        let position_of: Vec<u32> = compiled.services().map(position).collect();
        // Numbers and positions both follow the order of the SIDs, so lists stay sorted.
        let positions = |numbers: &[u32]| -> Vec<u32> {
            let positions = numbers.iter().filter_map(|number| position_of.get(*number as usize).copied());
            positions.filter(|position| *position != NONE).collect()
        };
        let mut rules = Self {
            number_of: services.iter().map(|(sid, _)| compiled.number(sid).unwrap_or(NONE)).collect(),
            group_of: Vec::new(),
            groups: Lists::default(),
            apart_from_group: Lists::default(),
            apart_from_one: Lists::default(),
            groups_apart_from_one: Lists::default(),
            apart_from_groups: Lists::default(),
            loosely_apart: KeptApartRules::new(compiled.loosely_apart(), &position_of, services.len()),
            strictly_spread: KeptApartRules::new(compiled.strictly_spread(), &position_of, services.len()),
            compiled,
        };
        for (members, apart) in rules.compiled.positive_groups() {
            rules.groups.push(positions(members));
            rules.apart_from_group.push(positions(apart));
        }
        for number in &rules.number_of {
            rules.group_of.push(rules.compiled.positive_group_of(*number).unwrap_or(NONE));
            rules.apart_from_one.push(positions(rules.compiled.apart_from_one(*number)));
            rules.groups_apart_from_one.push(rules.compiled.groups_apart_from_one(*number).iter().copied());
        }
        let of_group = &rules.apart_from_group;
        rules.apart_from_groups = Lists::from_pairs(services.len(), || {
            of_group.iter().zip(0..).flat_map(|(services, group)| services.iter().map(move |service| (*service, group)))
        });
        rules
    }

    pub(crate) fn compiled(&self) -> &CompiledRules {
        &self.compiled
    }

    /// Whether any rule says something of a service.
    pub(crate) fn are_about(&self, service: usize) -> bool {
        self.number_of.get(service).is_some_and(|number| *number != NONE)
    }

    /// The number of the node affinity rule of a service.
    pub(crate) fn node_affinity(&self, service: usize) -> Option<usize> {
        let number = self.number_of.get(service).copied().filter(|number| *number != NONE)?;
        self.compiled.affinity_of(number).map(|rule| rule as usize)
    }

    /// The services that must share a node with this one, by SID.
    pub(crate) fn positive(&self, service: usize) -> impl Iterator<Item = usize> + '_ {
        let members = self.groups.get(self.group_number(service)).iter();
        members.map(|other| *other as usize).filter(move |other| *other != service)
    }

    /// The services that must not share a node with this one, in no order, some of them perhaps twice.
    pub(crate) fn negative(&self, service: usize) -> impl Iterator<Item = usize> + '_ {
        let of_group = self.apart_from_group.get(self.group_number(service)).iter().map(|other| *other as usize);
        let of_groups = self.groups_apart_from_one(service).flat_map(|group| self.members(group));
        let of_one = self.apart_from_one(service).iter().map(|other| *other as usize);
        of_group.chain(of_one).chain(of_groups)
    }

    /// Those of them that neither the group of this one keeps away from nor are in a group.
    pub(crate) fn apart_from_one(&self, service: usize) -> &[u32] {
        list(&self.apart_from_one, service)
    }

    /// The groups of which none must share a node with this one.
    pub(crate) fn groups_apart_from_one(&self, service: usize) -> impl Iterator<Item = usize> + '_ {
        list(&self.groups_apart_from_one, service).iter().map(|group| *group as usize)
    }

    /// The groups that as a whole must not share a node with this one: it is one of those that their counts of others hold.
    pub(crate) fn apart_from_groups(&self, service: usize) -> impl Iterator<Item = usize> + '_ {
        list(&self.apart_from_groups, service).iter().map(|group| *group as usize)
    }

    /// Whether a rule keeps this service apart from others only while there is a place for that.
    pub(crate) fn is_loosely_apart(&self, service: usize) -> bool {
        self.loosely_apart.are_about(service)
    }

    /// The services from which it is kept apart so, once for each rule.
    pub(crate) fn rather_apart_from(&self, service: usize) -> impl Iterator<Item = usize> + '_ {
        self.rather_apart_by(service).map(|(other, _)| other)
    }

    /// The same, each with whether that is by failure domain.
    pub(crate) fn rather_apart_by(&self, service: usize) -> impl Iterator<Item = (usize, bool)> + '_ {
        self.loosely_apart.others(service)
    }

    /// Whether a strict rule keeps this service apart from others by failure domain.
    pub(crate) fn is_spread(&self, service: usize) -> bool {
        self.strictly_spread.are_about(service)
    }

    /// The services that must not be in its failure domain, once for each rule.
    pub(crate) fn spread_from(&self, service: usize) -> impl Iterator<Item = usize> + '_ {
        self.strictly_spread.others(service).map(|(other, _)| other)
    }

    /// The rules that keep services apart only while there is a place for that, each with these and their sides.
    pub(crate) fn loosely_apart(&self) -> impl Iterator<Item = (&KeptApart, &[(u32, u32)])> {
        let sides = self.loosely_apart.rules.iter().map(|(sides, _)| sides.as_slice());
        self.compiled.loosely_apart().iter().zip(sides)
    }

    fn members(&self, group: usize) -> impl Iterator<Item = usize> + '_ {
        list(&self.groups, group).iter().map(|service| *service as usize)
    }

    /// How many groups of services there are that must share a node.
    pub(crate) fn groups(&self) -> usize {
        self.groups.len()
    }

    /// The group of services that must share a node with this one, itself included.
    pub(crate) fn group(&self, service: usize) -> Option<usize> {
        Some(self.group_number(service)).filter(|group| *group != NONE).map(|group| group as usize)
    }

    fn group_number(&self, service: usize) -> u32 {
        self.group_of.get(service).copied().unwrap_or(NONE)
    }
}

fn list(lists: &Lists, number: usize) -> &[u32] {
    u32::try_from(number).map_or(&[], |number| lists.get(number))
}

/// Which of the online nodes a node affinity rule allows, and which of those it prefers.
#[derive(Debug, Clone)]
pub(crate) struct NodeClasses {
    pub(crate) allowed: NodeSet,
    pub(crate) preferred: NodeSet,
}

impl NodeClasses {
    /// Without a rule all online nodes are allowed and preferred.
    pub(crate) fn without_rule(online: usize) -> Self {
        let all = NodeSet::full(online);
        Self { allowed: all.clone(), preferred: all }
    }

    /// Allowed are the online nodes that the rule gives a priority, preferred those of them in the highest class that
    /// has any.
    pub(crate) fn of_rule(rule: &NodeAffinity, online: &[NodeName]) -> Self {
        Self::of_rule_where(rule, online, |_| true)
    }

    /// The same with those nodes alone whose position is `free`.
    pub(crate) fn of_rule_where(rule: &NodeAffinity, online: &[NodeName], free: impl Fn(usize) -> bool) -> Self {
        let mut allowed = NodeSet::empty(online.len());
        let mut preferred = NodeSet::empty(online.len());
        let mut highest = None;
        for (position, node) in online.iter().enumerate() {
            let Some(priority) = rule.priority(node).filter(|_| free(position)) else { continue };
            allowed.insert(position);
            if highest.is_none_or(|highest| priority > highest) {
                highest = Some(priority);
                preferred.clear();
            }
            if highest == Some(priority) {
                preferred.insert(position);
            }
        }
        Self { allowed, preferred }
    }
}
