//! `ha rules graph`: in which order services are started, by all order rules together.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::ExitCode,
};

use ha_core::{
    id::{RuleId, ServiceId},
    rules::{Orders, evaluate},
};
use ha_host::desk::{ComesAfter, Glance, Health, Present};
use serde::Serialize;

use super::{
    arguments::GraphOptions,
    context::{Context, Failure, note, say, say_json, say_rows},
};

mod draw;
mod layers;

/// What is drawn.
#[derive(Debug, Default, Serialize)]
struct OrderGraph {
    /// By step, then by name.
    services: Vec<OrderedService>,
    rules: Vec<GraphRule>,
    /// Order rules that are not in use, each with why.
    left_out: BTreeMap<RuleId, String>,
}

/// A service that an order rule names.
#[derive(Debug, Serialize)]
struct OrderedService {
    sid: ServiceId,
    /// The first one comes after no other; each other step is the one after the last of those that come first.
    step: usize,
    /// As in `ha status`.
    state: String,
    #[serde(skip)]
    health: Health,
}

/// An order rule that is in use.
#[derive(Debug, Serialize)]
struct GraphRule {
    #[serde(flatten)]
    says: ComesAfter,
    /// The services that are started after those.
    then: Vec<ServiceId>,
}

impl GraphRule {
    /// How the rule lets start what comes then.
    fn manner(&self) -> String {
        let delay = if self.says.delay > 0 { format!("{} s later, ", self.says.delay) } else { String::new() };
        match self.says.timeout {
            Some(timeout) => format!("{delay}waits {timeout} s at most"),
            None => format!("{delay}waits without end"),
        }
    }
}

pub(super) fn graph(context: &Context, options: &GraphOptions) -> Result<ExitCode, Failure> {
    let graph = OrderGraph::of(&context.present()?);
    if options.json {
        say_json(&graph)?;
    } else if options.dot {
        say(draw::dot(&graph).trim_end())?;
    } else if options.svg {
        say(draw::svg(&graph).trim_end())?;
    } else {
        if graph.rules.is_empty() {
            note("no order rule is in use: services are started in any order. 'ha rules add order …' makes one");
        }
        say_rows(&graph.rows())?;
        graph.left_out.iter().for_each(|(rule, why)| note(format_args!("not in use: {rule}: {why}")));
    }
    Ok(ExitCode::SUCCESS)
}

impl OrderGraph {
    fn of(present: &Present) -> Self {
        let configuration = present.configuration();
        let set = configuration.rule_set();
        let evaluated = evaluate(&set, &present.settings.nodes);
        let orders = Orders::of(&evaluated.rules);
        let rules: Vec<GraphRule> = orders
            .iter()
            .map(|(rule, order)| GraphRule { says: ComesAfter::new(rule, order), then: order.then.clone() })
            .collect();
        let mut left_out = BTreeMap::new();
        for rule in set.iter().filter(|rule| rule.order().is_some()) {
            if rule.is_disabled() {
                left_out.insert(rule.id.clone(), "it is disabled".to_owned());
            } else if let Some(finding) = evaluated.dropped.iter().find(|finding| finding.rule == rule.id) {
                left_out.insert(rule.id.clone(), finding.to_string());
            }
        }
        let mut services = services(present, &rules);
        services.sort_by(|one, other| (one.step, &one.sid).cmp(&(other.step, &other.sid)));
        Self { services, rules, left_out }
    }

    /// A line for each service and each rule by which it comes after others.
    fn rows(&self) -> Vec<Vec<String>> {
        let mut rows = Vec::new();
        for service in &self.services {
            let mut begin = vec![service.step.to_string(), service.sid.to_string(), service.state.clone()];
            let rules = self.rules.iter().filter(|rule| rule.then.contains(&service.sid));
            for rule in rules {
                let first: Vec<&str> = rule.says.first.iter().map(ServiceId::as_str).collect();
                begin.push(format!("after {} by {}: {}", first.join(", "), rule.says.rule, rule.manner()));
                rows.push(std::mem::replace(&mut begin, vec![String::new(); 3]));
            }
            if service.step == 1 {
                rows.push(begin);
            }
        }
        rows
    }
}

fn services(present: &Present, rules: &[GraphRule]) -> Vec<OrderedService> {
    let glance = present.settings.nodes.first().map(|node| Glance::new(present, node, None));
    let known: BTreeMap<&ServiceId, (String, Health)> = glance
        .iter()
        .flat_map(|glance| &glance.services)
        .map(|service| (&service.view.sid, (service.view.shown.as_str().to_owned(), service.health)))
        .collect();
    let stranger = || ("not managed".to_owned(), Health::Degraded);
    steps(rules)
        .into_iter()
        .map(|(sid, step)| {
            let (state, health) = known.get(sid).cloned().unwrap_or_else(stranger);
            OrderedService { sid: sid.clone(), step, state, health }
        })
        .collect()
}

/// At which step each service is started: one after the last of those that come first. The rules have no circle.
fn steps(rules: &[GraphRule]) -> BTreeMap<&ServiceId, usize> {
    let all: BTreeSet<&ServiceId> = rules.iter().flat_map(|rule| rule.says.first.iter().chain(&rule.then)).collect();
    let mut steps: BTreeMap<&ServiceId, usize> = all.into_iter().map(|sid| (sid, 1)).collect();
    let mut first_of: BTreeMap<&ServiceId, Vec<usize>> = BTreeMap::new();
    let mut open: BTreeMap<&ServiceId, usize> = BTreeMap::new();
    for (place, rule) in rules.iter().enumerate() {
        rule.says.first.iter().for_each(|sid| first_of.entry(sid).or_default().push(place));
        rule.then.iter().for_each(|sid| *open.entry(sid).or_default() += 1);
    }
    // A service is settled when all rules by which it comes after others are, and a rule when all that come first by it are.
    let mut missing: Vec<usize> =
        rules.iter().map(|rule| rule.says.first.iter().filter(|sid| open.contains_key(sid)).count()).collect();
    let mut settled: Vec<usize> = (0..rules.len()).filter(|place| missing.get(*place) == Some(&0)).collect();
    while let Some(rule) = settled.pop().and_then(|place| rules.get(place)) {
        let last = rule.says.first.iter().filter_map(|sid| steps.get(sid)).max().copied().unwrap_or(0);
        for sid in &rule.then {
            steps.entry(sid).and_modify(|step| *step = (*step).max(last.saturating_add(1)));
            let Some(left) = open.get_mut(sid) else { continue };
            *left = left.saturating_sub(1);
            if *left > 0 {
                continue;
            }
            for place in first_of.get(sid).into_iter().flatten() {
                let Some(left) = missing.get_mut(*place) else { continue };
                *left = left.saturating_sub(1);
                if *left == 0 {
                    settled.push(*place);
                }
            }
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(name: &str, first: &[&str], then: &[&str]) -> GraphRule {
        let sids = |sids: &[&str]| sids.iter().map(|sid| ServiceId::new(*sid).unwrap()).collect();
        let says = ComesAfter { rule: RuleId::new(name).unwrap(), first: sids(first), delay: 0, timeout: None };
        GraphRule { says, then: sids(then) }
    }

    fn steps_of(rules: &[GraphRule]) -> Vec<(&str, usize)> {
        steps(rules).into_iter().map(|(sid, step)| (sid.as_str(), step)).collect()
    }

    #[test]
    fn a_service_comes_one_step_after_the_last_of_those_before_it() {
        // The short way to vm:104 is given first.
        let rules = [
            rule("aa", &["vm:101"], &["vm:104"]),
            rule("bb", &["vm:103", "vm:109"], &["vm:104"]),
            rule("cc", &["vm:101"], &["vm:102"]),
            rule("dd", &["vm:102"], &["vm:103"]),
        ];
        assert_eq!(steps_of(&rules), [("vm:101", 1), ("vm:102", 2), ("vm:103", 3), ("vm:104", 4), ("vm:109", 1)]);
    }

    #[test]
    fn a_long_chain_has_a_step_for_each() {
        let names: Vec<String> = (100..5100).map(|number| format!("vm:{number}")).collect();
        let rules: Vec<GraphRule> =
            names.windows(2).map(|pair| rule(&pair[0].replace(':', "-"), &[&pair[0]], &[&pair[1]])).collect();
        let found = steps(&rules);
        assert!(names.iter().enumerate().all(|(at, name)| found[&ServiceId::new(name).unwrap()] == at + 1));
    }
}
