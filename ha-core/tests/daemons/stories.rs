//! What clusters go through, each with how it must end.

use std::collections::BTreeSet;

use ha_core::{
    config::{GroupsConfig, RequestedState, datacenter::ShutdownPolicy},
    event::Event,
    id::{NodeName, ServiceId},
    lrm::StopRequest,
    status::ServiceState,
    time::Instant,
};

use crate::cluster::{Cluster, node, sid};

/// Something that is done to the cluster at a second of the story.
type Step = (u64, fn(&mut Cluster));

/// A story.
#[derive(Clone, Copy)]
pub(crate) struct Story {
    pub(crate) name: &'static str,
    /// What differs from the usual cluster.
    prepare: fn(&mut Cluster),
    steps: &'static [Step],
    /// When everything is settled, if nothing fails.
    pub(crate) end: u64,
    /// Commands that a person gives again at the end: one that was lost is all that they need to see.
    again: &'static [&'static str],
    /// Where services must be in the end, if no node was reset on the way.
    places: &'static [(&'static str, &'static str)],
}

pub(crate) const STORIES: &[Story] = &[
    Story {
        name: "start, migrate, relocate and stop",
        prepare: |_| {},
        steps: &[
            (60, |cluster| cluster.request("vm:104", RequestedState::Started)),
            (90, |cluster| cluster.command("migrate vm:101 node2")),
            (130, |cluster| cluster.command("relocate ct:103 node1")),
            (180, |cluster| cluster.command("stop vm:102 30")),
            (230, |cluster| cluster.request("vm:102", RequestedState::Started)),
        ],
        end: 280,
        again: &[],
        places: &[],
    },
    Story {
        name: "a node fails and comes back",
        prepare: |cluster| cluster.set_rules("node-affinity: home\n\tresources ct:103\n\tnodes node3:2,node2:1\n"),
        steps: &[(60, |cluster| cluster.power_off(&node("node3"))), (300, |cluster| cluster.power_on(&node("node3")))],
        end: 380,
        again: &[],
        places: &[("vm:101", "node1"), ("vm:102", "node2"), ("ct:103", "node3")],
    },
    Story {
        name: "the master's node is cut off",
        prepare: |_| {},
        steps: &[
            (60, |cluster| cluster.node("node1").connected = false),
            (300, |cluster| cluster.node("node1").connected = true),
        ],
        end: 380,
        again: &[],
        places: &[("vm:102", "node2"), ("ct:103", "node3")],
    },
    Story {
        name: "maintenance and return",
        prepare: |_| {},
        steps: &[
            (60, |cluster| cluster.command("enable-node-maintenance node2")),
            (160, |cluster| cluster.command("disable-node-maintenance node2")),
        ],
        end: 240,
        again: &["disable-node-maintenance node2"],
        places: &[("vm:101", "node1"), ("ct:103", "node3")],
    },
    Story {
        name: "a node reboots with its services frozen",
        prepare: |_| {},
        steps: &[(60, |cluster| cluster.stop_lrm(&node("node2"), StopRequest::NodeReboot))],
        end: 220,
        again: &[],
        places: &[("vm:101", "node1"), ("vm:102", "node2"), ("ct:103", "node3")],
    },
    Story {
        name: "a node shuts down and its services fail over",
        prepare: |cluster| cluster.datacenter().shutdown_policy = ShutdownPolicy::Failover,
        steps: &[
            (60, |cluster| cluster.stop_lrm(&node("node3"), StopRequest::NodeShutdown)),
            (300, |cluster| {
                if !cluster.node("node3").powered {
                    cluster.power_on(&node("node3"));
                }
            }),
        ],
        end: 380,
        again: &[],
        places: &[("vm:101", "node1"), ("vm:102", "node2")],
    },
    Story {
        name: "an LRM and the master restart",
        prepare: |_| {},
        steps: &[
            (60, |cluster| cluster.stop_lrm(&node("node2"), StopRequest::Restart)),
            (120, |cluster| cluster.stop_crm(&node("node1"))),
        ],
        end: 200,
        again: &[],
        places: &[("vm:101", "node1"), ("vm:102", "node2"), ("ct:103", "node3")],
    },
    Story {
        name: "disarm with freeze, and arm",
        prepare: |_| {},
        steps: &[(60, |cluster| cluster.command("disarm-ha freeze")), (130, |cluster| cluster.command("arm-ha"))],
        end: 200,
        again: &["arm-ha"],
        places: &[("vm:101", "node1"), ("vm:102", "node2"), ("ct:103", "node3")],
    },
    Story {
        name: "disarm with ignore, a move by hand, and arm",
        prepare: |_| {},
        steps: &[
            (60, |cluster| cluster.command("disarm-ha ignore")),
            (120, |cluster| {
                if cluster.status().is_disarmed() && cluster.node("node1").running.remove(&sid("vm:101")) {
                    cluster.node("node3").running.insert(sid("vm:101"));
                    cluster.guests.get_mut(&sid("vm:101")).unwrap().node = node("node3");
                }
            }),
            (130, |cluster| cluster.command("arm-ha")),
        ],
        end: 200,
        again: &["arm-ha"],
        places: &[("vm:102", "node2"), ("ct:103", "node3")],
    },
    Story {
        name: "groups become rules",
        prepare: |cluster| {
            let groups = GroupsConfig::read(b"group: home\n\tnodes node3\n\trestricted 1\n").config;
            cluster.store.groups = groups.into();
            cluster.resources().get_mut(&sid("vm:102")).unwrap().group = Some("home".parse().unwrap());
        },
        steps: &[],
        end: 160,
        again: &[],
        places: &[("vm:101", "node1"), ("vm:102", "node3"), ("ct:103", "node3")],
    },
    Story {
        name: "failed starts relocate a service",
        prepare: |cluster| {
            cluster.guests.get_mut(&sid("vm:104")).unwrap().start_fails_on = BTreeSet::from([node("node1")]);
        },
        steps: &[(60, |cluster| cluster.request("vm:104", RequestedState::Started))],
        end: 200,
        again: &[],
        places: &[("vm:101", "node1"), ("vm:102", "node2"), ("ct:103", "node3")],
    },
];

/// How much longer a cluster may take to settle when something fails: a reset, a boot, fencing, and a few rounds.
const PATIENCE_S: u64 = 900;

impl Story {
    /// The cluster at the beginning of the story.
    pub(crate) fn cluster(&self) -> Cluster {
        let mut cluster = Cluster::of_nodes(&["node1", "node2", "node3"]);
        cluster.add_service("vm:101", "node1", RequestedState::Started);
        cluster.add_service("vm:102", "node2", RequestedState::Started);
        cluster.add_service("ct:103", "node3", RequestedState::Started);
        cluster.add_service("vm:104", "node1", RequestedState::Stopped);
        (self.prepare)(&mut cluster);
        cluster
    }

    /// Plays it to its end, and on until all is settled.
    pub(crate) fn play(&self, cluster: &mut Cluster) {
        for name in ["node1", "node2", "node3"] {
            cluster.power_on(&node(name));
        }
        for (at, act) in self.steps {
            cluster.run_until(Instant::from_secs(*at));
            act(cluster);
        }
        cluster.run_until(Instant::from_secs(self.end));
        for line in self.again {
            cluster.command(line);
        }
        let latest = Instant::from_secs(self.end + PATIENCE_S);
        while cluster.time < latest {
            cluster.run_for(30);
            if unsettled(cluster).is_empty() {
                return;
            }
        }
    }

    /// What is not as it must be at the end.
    pub(crate) fn problems(&self, cluster: &Cluster) -> Vec<String> {
        let mut problems = cluster.violations.clone();
        problems.extend(unsettled(cluster));
        if cluster.resets.is_empty() && cluster.disturbance.is_none() {
            let misplaced = self.places.iter().filter(|(name, place)| cluster.places(&sid(name)) != [&node(place)]);
            problems.extend(misplaced.map(|(name, place)| format!("{name} is not on {place}")));
        }
        problems
    }
}

/// The services that are not as the configuration asks, without a state that says why.
fn unsettled(cluster: &Cluster) -> Vec<String> {
    let status = cluster.status();
    let mut problems = Vec::new();
    for (sid, resource) in &cluster.store.resources.resources {
        let places = cluster.places(sid);
        let state = status.services.get(sid).map(|entry| (entry.state.clone(), entry.node.clone()));
        let is_fine = match (&state, resource.state()) {
            (None, _) => false,
            (Some((ServiceState::Error, _)), _) => explains_error(cluster, sid),
            (Some((state, node)), RequestedState::Started) => {
                *state == ServiceState::Started { confirmed: true } && runs_only_on(&places, node)
            }
            (Some((state, _)), _) => *state == ServiceState::Stopped && places.is_empty(),
        };
        if !is_fine {
            problems.push(format!("{sid} runs on {places:?}, and its entry is {state:?}"));
        }
    }
    problems
}

fn runs_only_on(places: &[&NodeName], node: &NodeName) -> bool {
    places == [node]
}

/// Whether an event says why a service is in error.
fn explains_error(cluster: &Cluster, sid: &ServiceId) -> bool {
    cluster.reports.iter().any(|report| {
        matches!(
            &report.event,
            Event::StopFailed { sid: failed, .. }
            | Event::RelocationExhausted { sid: failed, .. }
            | Event::ServiceUnrecoverable { sid: failed, .. }
            | Event::MoveFailedWrongNode { sid: failed } if failed == sid
        )
    })
}
