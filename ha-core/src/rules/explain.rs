//! Which rules put services together or apart.

use alloc::{vec, vec::Vec};

use super::{
    CompiledRules, KeptApart,
    index::{Lists, NONE},
};
use crate::id::{RuleId, ServiceId};

impl CompiledRules {
    /// The rules because of which two services must be on one node: all positive rules that hold both; or, if there is
    /// none, a shortest chain of positive rules from the first service to the second. Empty if nothing puts them together.
    ///
    /// The ids are those of the configuration, not of merged rules.
    #[must_use]
    pub fn why_together(&self, a: &ServiceId, b: &ServiceId) -> Vec<RuleId> {
        match (self.number(a), self.number(b)) {
            (Some(a), Some(b)) => self.ids(&self.rules_together(a, b)),
            (_, None) | (None, _) => Vec::new(),
        }
    }

    /// The rules because of which two services must not be on one node: all negative rules that hold both; or, if there is
    /// none, the positive rules from the first service to one that a negative rule names, that negative rule, and the
    /// positive rules on to the second service; or else the rules that keep all of it apart by failure domain. Empty if nothing keeps them
    /// apart.
    ///
    /// The ids are those of the configuration, not of derived rules.
    #[must_use]
    pub fn why_apart(&self, a: &ServiceId, b: &ServiceId) -> Vec<RuleId> {
        match (self.number(a), self.number(b)) {
            (Some(a), Some(b)) => {
                let rules = self.ids(&self.rules_apart(a, b));
                if rules.is_empty() { by_sides(self.strictly_spread(), a, b) } else { rules }
            }
            (_, None) | (None, _) => Vec::new(),
        }
    }

    /// The rules that keep two services apart while there is a place for that. Empty if none does.
    #[must_use]
    pub fn why_rather_apart(&self, a: &ServiceId, b: &ServiceId) -> Vec<RuleId> {
        let (Some(a), Some(b)) = (self.number(a), self.number(b)) else { return Vec::new() };
        by_sides(self.loosely_apart(), a, b)
    }

    fn ids(&self, rules: &[u32]) -> Vec<RuleId> {
        rules.iter().filter_map(|&rule| self.rule_ids.get(rule as usize)).cloned().collect()
    }

    fn rules_together(&self, a: u32, b: u32) -> Vec<u32> {
        if a == b || self.groups.of(a) == NONE || self.groups.of(a) != self.groups.of(b) {
            return Vec::new();
        }
        let direct = common(&self.positive_rules, a, b);
        if direct.is_empty() { self.chain(a, b) } else { direct }
    }

    fn rules_apart(&self, a: u32, b: u32) -> Vec<u32> {
        let group = self.groups.of(a);
        if a == b || (group != NONE && group == self.groups.of(b)) {
            return Vec::new();
        }
        let direct = common(&self.negative_rules, a, b);
        if !direct.is_empty() {
            return direct;
        }
        let Some((rule, near_a, near_b)) = self.bridge(a, b) else { return Vec::new() };
        let mut rules = self.rules_together(a, near_a);
        rules.push(rule);
        rules.extend(self.rules_together(near_b, b));
        rules
    }

    /// The first negative rule that holds one of the two services and a service that must be with the other one, with what
    /// it holds on either side.
    fn bridge(&self, a: u32, b: u32) -> Option<(u32, u32, u32)> {
        let one_way = |named: u32, other: u32| {
            let near = self.groups.members.get(self.groups.of(other)).iter();
            near.flat_map(|&sid| self.negative_rules.get(sid).iter().map(move |&rule| (rule, sid)))
                .filter(move |(rule, _)| self.members.get(*rule).binary_search(&named).is_ok())
                .min()
        };
        let from_a = one_way(a, b).map(|(rule, near_b)| (rule, a, near_b));
        let from_b = one_way(b, a).map(|(rule, near_a)| (rule, near_a, b));
        from_a.into_iter().chain(from_b).min()
    }

    /// A shortest chain of positive rules from one resource to another one of the same group, found breadth first.
    fn chain(&self, from: u32, to: u32) -> Vec<u32> {
        let mut reached: Vec<Step> = vec![Step { sid: from, rule: NONE, before: 0 }];
        let mut known_sids = vec![false; self.sids.len()];
        let mut known_rules = vec![false; self.rule_ids.len()];
        mark(&mut known_sids, from);
        let mut at = 0_usize;
        while let Some(sid) = reached.get(at).map(|step| step.sid) {
            if sid == to {
                return trace(&reached, at);
            }
            for &rule in self.positive_rules.get(sid).iter().filter(|&&rule| mark(&mut known_rules, rule)) {
                let next = self.members.get(rule).iter().filter(|&&sid| mark(&mut known_sids, sid));
                reached.extend(next.map(|&sid| Step { sid, rule, before: at }));
            }
            at = at.saturating_add(1);
        }
        Vec::new()
    }
}

/// The rules that keep two services apart, each with all that must be together with them.
fn by_sides(rules: &[KeptApart], a: u32, b: u32) -> Vec<RuleId> {
    rules.iter().filter(|rule| rule.keeps_apart(a, b)).map(|rule| rule.rule.clone()).collect()
}

/// A resource that was reached, by which rule, and from which step.
struct Step {
    sid: u32,
    rule: u32,
    before: usize,
}

/// The rules on the way to a step.
fn trace(reached: &[Step], mut at: usize) -> Vec<u32> {
    let mut rules = Vec::new();
    while let Some(step) = reached.get(at).filter(|step| step.rule != NONE) {
        rules.push(step.rule);
        at = step.before;
    }
    rules.reverse();
    rules
}

/// Marks a number, and says whether it was not marked yet.
fn mark(known: &mut [bool], number: u32) -> bool {
    known.get_mut(number as usize).is_some_and(|known| !core::mem::replace(known, true))
}

/// The rules that hold both of two resources.
fn common(rules_of: &Lists, a: u32, b: u32) -> Vec<u32> {
    let of_b = rules_of.get(b);
    rules_of.get(a).iter().copied().filter(|rule| of_b.binary_search(rule).is_ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::{Affinity, Rule, RuleKind},
        id::NodeName,
        rules::{RuleSet, evaluate},
    };

    fn compiled(rules: &[(&str, Affinity, &[&str])]) -> CompiledRules {
        let rules: RuleSet = rules
            .iter()
            .map(|(id, affinity, resources)| Rule {
                id: RuleId::new(id).unwrap(),
                resources: resources.iter().map(|sid| ServiceId::new(sid).unwrap()).collect(),
                disable: None,
                comment: None,
                kind: RuleKind::resource_affinity(*affinity),
            })
            .collect();
        evaluate(&rules, &["n1", "n2", "n3"].map(|node| NodeName::new(node).unwrap())).compiled
    }

    fn sid(name: &str) -> ServiceId {
        ServiceId::new(name).unwrap()
    }

    #[test]
    fn a_chain_of_rules_is_as_short_as_can_be() {
        use Affinity::Positive;
        let rules = compiled(&[
            ("long1", Positive, &["vm:10", "vm:11"]),
            ("long2", Positive, &["vm:11", "vm:12"]),
            ("long3", Positive, &["vm:12", "vm:13"]),
            ("short1", Positive, &["vm:10", "vm:20"]),
            ("short2", Positive, &["vm:13", "vm:20"]),
        ]);
        assert_eq!(
            rules.why_together(&sid("vm:10"), &sid("vm:13")),
            ["short1", "short2"].map(|id| RuleId::new(id).unwrap())
        );
        assert_eq!(rules.why_together(&sid("vm:13"), &sid("vm:20")), [RuleId::new("short2").unwrap()]);
        assert!(rules.why_together(&sid("vm:10"), &sid("vm:99")).is_empty());
    }

    #[test]
    fn apart_is_explained_by_what_leads_to_the_negative_rule() {
        use Affinity::{Negative, Positive};
        let rules = compiled(&[
            ("left", Positive, &["vm:10", "vm:11"]),
            ("right", Positive, &["vm:20", "vm:21"]),
            ("apart", Negative, &["vm:11", "vm:20"]),
        ]);
        let why = |a, b| {
            rules
                .why_apart(&sid(a), &sid(b))
                .iter()
                .map(|id| std::string::String::from(id.as_str()))
                .collect::<Vec<_>>()
        };
        assert_eq!(why("vm:10", "vm:20"), ["left", "apart"]);
        assert!(why("vm:10", "vm:21").is_empty(), "what follows from a rule is not passed on again");
        assert_eq!(why("vm:21", "vm:11"), ["right", "apart"]);
        assert_eq!(why("vm:11", "vm:20"), ["apart"]);
        assert!(why("vm:10", "vm:11").is_empty());
    }
}
