//! Whether any placement could keep all strict rules and capacities: a placement, a proof that there is none, or neither.

mod answer;
mod bounds;
mod instance;
mod model;
mod proof;
mod route;
mod search;
mod steps;

pub use answer::{Feasibility, FeasibleQuestion, Needed, Part, Verdict};
pub use steps::{Blocked, Steps, StepsQuestion};

use alloc::vec::Vec;

use super::{RoundsToCome, Situation, settled::Settled};
use model::{Known, Model, cores};
use proof::minimal;
use search::{Outcome, search};

impl RoundsToCome {
    /// Whether any placement keeps all strict rules and capacities, once what is under way has settled: see [`Situation::feasible`].
    #[must_use]
    pub fn feasible(self, question: &FeasibleQuestion) -> Feasibility {
        Settled::of(self).situation().feasible(question)
    }
}

impl Situation<'_> {
    /// Whether any placement of all services that are asked to run on the nodes that are online keeps all strict rules and capacities.
    ///
    /// The manager's own way to place services takes no part in it: it looks for one service at a time, and moves none to make room for
    /// another. Loose rules, priorities and loads don't count. Rules that the manager leaves out since they can't hold don't count either, and
    /// are named.
    ///
    /// ```
    /// use ha_core::{
    ///     config::{Resource, ResourcesConfig}, host::Configuration, id::{NodeName, ServiceId},
    ///     plan::{FeasibleQuestion, Situation, Verdict}, status::{ManagerStatus, NodeState},
    /// };
    ///
    /// let nodes = [NodeName::new("node1")?];
    /// let web = ServiceId::new("vm:100")?;
    /// let mut status = ManagerStatus::default();
    /// status.nodes.insert(nodes[0].clone(), NodeState::Online);
    /// let resources = [(web.clone(), Resource::new(web.clone()))].into_iter().collect();
    /// let resources = ResourcesConfig { resources, ..ResourcesConfig::default() };
    /// let configuration = Configuration { resources: resources.into(), ..Configuration::default() };
    /// let found = Situation::new(&status, &configuration, &nodes).feasible(&FeasibleQuestion::default());
    /// let Verdict::Placement { places, .. } = found.verdict else { panic!("{found:?}") };
    /// assert_eq!(places[&web], nodes[0]);
    /// # Ok::<(), ha_core::id::IdError>(())
    /// ```
    #[must_use]
    pub fn feasible(&self, question: &FeasibleQuestion) -> Feasibility {
        let Situation { status, configuration, members, usage, unmanaged } = *self;
        let mut model = Model::new(Known { status, configuration, members, usage, unmanaged }, question);
        let (verdict, steps) = decide(&model, question.most_steps);
        let [memory, cpu] = core::array::from_fn(|resource| model.needed(resource));
        Feasibility {
            services: model.services(),
            verdict,
            steps,
            needed: Needed { memory: question.memory.map(|_| memory), cpu: question.cpu.map(|_| cores(cpu)) },
            nodes: core::mem::take(&mut model.nodes),
            services_without_figures: model.services_without_figures,
            nodes_without_figures: model.nodes_without_figures,
            rules_left_out: model.rules_left_out,
        }
    }
}

/// What holds of all parts together, and the steps that it took to find out.
fn decide(model: &Model, most_steps: u64) -> (Verdict, u64) {
    let all: Vec<usize> = (0..model.parts()).collect();
    let (instance, item_of) = model.instance(&all);
    let mut left = most_steps;
    let outcome = search(&instance, &mut left);
    let verdict = match outcome {
        Outcome::Placed(mut places) => {
            instance.bring_home(&mut places);
            let (places, moves) = model.told(&item_of, &places);
            Verdict::Placement { places, moves }
        }
        Outcome::Refuted => contradiction(model, most_steps),
        Outcome::OutOfSteps => Verdict::Undecided,
    };
    (verdict, most_steps.saturating_sub(left))
}

fn contradiction(model: &Model, most_steps: u64) -> Verdict {
    /// No single test may use more than this part of all steps.
    const PART: u64 = 8;
    let mut left = most_steps;
    let (parts, is_minimal) = minimal(model.parts(), |parts| {
        let share = left.min(most_steps / PART);
        let mut steps = share;
        let outcome = search(&model.instance(parts).0, &mut steps);
        left = left.saturating_sub(share.saturating_sub(steps));
        outcome
    });
    Verdict::Contradiction {
        parts: parts.into_iter().filter_map(|part| model.part(part)).cloned().collect(),
        is_minimal,
    }
}
