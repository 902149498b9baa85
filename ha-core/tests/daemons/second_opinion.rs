//! Where the master takes a short cut, the same round without it comes to the same result.
//!
//! It keeps rules, positions and what is managed from one round to the next, and does not look again at services that stay. A master
//! that has just begun has kept nothing, and a round looks at everything once.

use std::{collections::BTreeMap, sync::Arc};

use ha_core::{
    config::{RequestedState, ResourcesConfig},
    id::{NodeName, ServiceId},
    status::ManagerStatus,
};
use proptest::{collection::vec, option, prelude::*, sample::select};

use crate::{
    cluster::{Cluster, Daemon, Node, node, sid},
    manager::{SERVICES, any_node, any_rules, round, situation, steady},
};

/// What is changed between two rounds.
#[derive(Debug, Clone)]
enum Edit {
    Configure(&'static str, Option<(RequestedState, &'static str)>),
    Rules(Vec<String>),
    Failback(&'static str, bool),
    MoveGuest(&'static str, &'static str),
    LoseGuest(&'static str),
    Join,
    Leave,
}

fn any_edit() -> impl Strategy<Value = Edit> {
    use RequestedState::{Disabled, Ignored, Started, Stopped};
    let service = || select(&SERVICES[..]);
    let requested = select(&[Started, Started, Stopped, Disabled, Ignored][..]);
    let all_apart = format!("resource-affinity: all\n\tresources {}\n\taffinity negative\n\n", SERVICES.join(","));
    prop_oneof![
        3 => (service(), option::weighted(0.7, (requested, any_node()))).prop_map(|(name, to)| Edit::Configure(name, to)),
        2 => any_rules().prop_map(Edit::Rules),
        // More services than there are nodes, until another one joins.
        1 => Just(Edit::Rules(vec![all_apart])),
        1 => (service(), any::<bool>()).prop_map(|(name, failback)| Edit::Failback(name, failback)),
        1 => (service(), any_node()).prop_map(|(name, to)| Edit::MoveGuest(name, to)),
        1 => service().prop_map(Edit::LoseGuest),
        1 => Just(Edit::Join),
        1 => Just(Edit::Leave),
    ]
}

impl Edit {
    fn make(&self, cluster: &mut Cluster) {
        match self {
            Self::Configure(name, Some((state, on))) => cluster.add_service(name, on, *state),
            Self::Configure(name, None) => {
                cluster.resources().shift_remove(&sid(name));
            }
            Self::Rules(rules) => cluster.set_rules(&rules.concat()),
            Self::Failback(name, failback) => {
                if let Some(resource) = cluster.resources().get_mut(&sid(name)) {
                    resource.failback = Some(*failback);
                }
            }
            Self::MoveGuest(name, to) => {
                if let Some(guest) = cluster.guests.get_mut(&sid(name)) {
                    guest.node = node(to);
                }
            }
            Self::LoseGuest(name) => {
                cluster.guests.remove(&sid(name));
            }
            Self::Join => {
                let joins = Node::default();
                cluster.nodes.entry(node("node6")).or_insert(joins);
            }
            Self::Leave => drop(cluster.nodes.remove(&node("node6"))),
        }
    }
}

/// What rounds change, and read again.
struct Shared {
    status: Option<Arc<ManagerStatus>>,
    resources: Arc<ResourcesConfig>,
    guests: BTreeMap<ServiceId, NodeName>,
}

impl Shared {
    fn of(cluster: &Cluster) -> Self {
        Self {
            status: cluster.store.manager_status.clone(),
            resources: cluster.store.resources.clone(),
            guests: cluster.guests.iter().map(|(sid, guest)| (sid.clone(), guest.node.clone())).collect(),
        }
    }

    fn bring_back(self, cluster: &mut Cluster) {
        cluster.store.manager_status = self.status;
        cluster.store.resources = self.resources;
        for (sid, node) in self.guests {
            cluster.guests.get_mut(&sid).unwrap().node = node;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn a_master_that_has_kept_nothing_decides_the_same(
        situation in situation(),
        edits in vec(vec(any_edit(), 0..3), 1..6),
    ) {
        let mut cluster = situation.without_failed_moves().cluster(false);
        round(&mut cluster, 0);
        for edits in edits {
            edits.iter().for_each(|edit| edit.make(&mut cluster));
            let before = Shared::of(&cluster);
            let as_ever = steady(round(&mut cluster, 0));
            let after = Shared::of(&cluster);
            let as_ever_crm = cluster.node("node1").crm.take();
            before.bring_back(&mut cluster);
            cluster.start_daemon(&node("node1"), Daemon::Crm);
            let fresh = steady(round(&mut cluster, 0));
            prop_assert_eq!(&as_ever, &fresh, "{:?}", edits);
            after.bring_back(&mut cluster);
            cluster.node("node1").crm = as_ever_crm;
        }
    }

    #[test]
    fn a_round_leaves_nothing_to_do_for_one_that_looks_at_everything(situation in situation()) {
        let mut cluster = situation.at_rest().cluster(false);
        let once = steady(round(&mut cluster, 0));
        let twice = steady(round(&mut cluster, 0));
        prop_assert_eq!(once, twice);
    }
}
