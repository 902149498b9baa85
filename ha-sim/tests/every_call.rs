//! Whole stories in which every kind of call fails in turn, in every way and at several places: no invariant breaks, what failed is
//! told, and all settles.
//!
//! The hunt's matrix lets each call go wrong once within each window of the state machines; here a story goes on behind it to its end.
#![allow(clippy::arithmetic_side_effects, reason = "small numbers of a test")]

mod common;

use std::{error::Error, time::Duration};

use ha_core::{
    config::{Changes, RequestedState},
    event::Event,
    host::HostOperation,
    id::{NodeName, ServiceId},
    status::ServiceState,
    time::Instant,
};
use ha_sim::{
    cluster::{ActionError, Cluster, Disturbance, Durations, Fault, Setup},
    world::{AgentDisturbance, AgentFault, DaemonKind, Operation, What},
};

use common::{nothing_broke, seconds, start};

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

/// Something that is done to the cluster at a second of the story.
type Step = (u64, fn(&mut Cluster) -> Result);

/// A story.
struct Story {
    name: &'static str,
    /// What differs from the usual cluster.
    prepare: fn(Setup) -> Result<Setup>,
    steps: &'static [Step],
    /// When everything is settled, if nothing fails.
    end: u64,
    /// Commands that a person gives again at the end: one that was lost is all that they need to see.
    again: &'static [&'static str],
    /// Where services must be in the end, if nothing fails.
    places: &'static [(&'static str, &'static str)],
}

const USUAL_PLACES: &[(&str, &str)] = &[("vm:101", "node1"), ("vm:102", "node2"), ("ct:103", "node3")];

const STORIES: &[Story] = &[
    Story {
        name: "start, migrate, relocate and stop",
        prepare: Ok,
        steps: &[
            (60, |cluster| request(cluster, "vm:104", "started")),
            (90, |cluster| Ok(cluster.queue_command("migrate vm:101 node2")?)),
            (130, |cluster| Ok(cluster.queue_command("relocate ct:103 node1")?)),
            (180, |cluster| Ok(cluster.queue_command("stop vm:102 30")?)),
            (230, |cluster| request(cluster, "vm:102", "started")),
        ],
        end: 280,
        again: &[],
        places: &[("vm:101", "node2"), ("ct:103", "node1"), ("vm:104", "node1")],
    },
    Story {
        name: "a node fails and comes back",
        prepare: |setup| Ok(setup.rules("node-affinity: home\n\tresources ct:103\n\tnodes node3:2,node2:1\n")?),
        steps: &[
            (60, |cluster| Ok(cluster.power_off(&"node3".parse()?)?)),
            (300, |cluster| Ok(cluster.power_on(&"node3".parse()?)?)),
        ],
        end: 380,
        again: &[],
        places: USUAL_PLACES,
    },
    Story {
        name: "the master's node is cut off",
        prepare: Ok,
        steps: &[
            (60, |cluster| Ok(cluster.set_network(&"node1".parse()?, false)?)),
            (300, |cluster| Ok(cluster.set_network(&"node1".parse()?, true)?)),
        ],
        end: 380,
        again: &[],
        places: &[("vm:102", "node2"), ("ct:103", "node3")],
    },
    Story {
        name: "maintenance and return",
        prepare: Ok,
        steps: &[
            (60, |cluster| Ok(cluster.queue_command("enable-node-maintenance node2")?)),
            (160, |cluster| Ok(cluster.queue_command("disable-node-maintenance node2")?)),
        ],
        end: 240,
        again: &["disable-node-maintenance node2"],
        places: USUAL_PLACES,
    },
    Story {
        name: "a node reboots with its services frozen",
        prepare: |setup| Ok(setup.datacenter("ha: shutdown_policy=freeze\n")?),
        steps: &[(60, |cluster| if_it_runs(cluster, "node2", DaemonKind::Lrm, Cluster::reboot))],
        end: 220,
        again: &[],
        places: USUAL_PLACES,
    },
    Story {
        name: "a node shuts down and its services fail over",
        prepare: |setup| Ok(setup.datacenter("ha: shutdown_policy=failover\n")?),
        steps: &[
            (60, |cluster| if_it_runs(cluster, "node3", DaemonKind::Lrm, Cluster::shutdown)),
            (300, |cluster| Ok(cluster.power_on(&"node3".parse()?)?)),
        ],
        end: 380,
        again: &[],
        places: &[("vm:101", "node1"), ("vm:102", "node2")],
    },
    Story {
        name: "an LRM and the master restart",
        prepare: Ok,
        steps: &[
            (60, |cluster| if_it_runs(cluster, "node2", DaemonKind::Lrm, Cluster::restart_lrm)),
            (120, |cluster| if_it_runs(cluster, "node1", DaemonKind::Crm, Cluster::stop_crm)),
            (125, |cluster| {
                let start =
                    |cluster: &mut Cluster, node: &NodeName| cluster.start_daemon_if_missing(node, DaemonKind::Crm);
                if_it_runs(cluster, "node1", DaemonKind::Lrm, start)
            }),
        ],
        end: 200,
        again: &[],
        places: USUAL_PLACES,
    },
    Story {
        name: "disarm with freeze, and arm",
        prepare: Ok,
        steps: &[
            (60, |cluster| Ok(cluster.queue_command("disarm-ha freeze")?)),
            (130, |cluster| Ok(cluster.queue_command("arm-ha")?)),
        ],
        end: 220,
        again: &["arm-ha"],
        places: USUAL_PLACES,
    },
    Story {
        name: "disarm with ignore, a move by hand, and arm",
        prepare: Ok,
        steps: &[
            (60, |cluster| Ok(cluster.queue_command("disarm-ha ignore")?)),
            (120, |cluster| {
                let sid = "vm:101".parse()?;
                let is_disarmed = cluster.manager_status().is_some_and(|status| status.is_disarmed());
                if is_disarmed && cluster.places(&sid) == ["node1"] {
                    cluster.move_guest(&sid, &"node3".parse()?)?;
                }
                Ok(())
            }),
            (130, |cluster| Ok(cluster.queue_command("arm-ha")?)),
        ],
        end: 220,
        again: &["arm-ha"],
        places: &[("vm:101", "node3"), ("vm:102", "node2"), ("ct:103", "node3")],
    },
    Story {
        name: "groups become rules",
        prepare: |setup| {
            let resources = RESOURCES.replace("vm: 102\n", "vm: 102\n\tgroup home\n");
            Ok(setup.groups("group: home\n\tnodes node3\n\trestricted 1\n")?.resources(&resources)?)
        },
        steps: &[],
        end: 160,
        again: &[],
        places: &[("vm:101", "node1"), ("vm:102", "node3"), ("ct:103", "node3")],
    },
    Story {
        name: "failed starts relocate a service",
        prepare: |mut setup| {
            let only = Some("node1".parse()?);
            let fails =
                AgentDisturbance { operation: Operation::Start, node: only, times: None, fault: AgentFault::Fails };
            let guest = setup.guests.get_mut("vm:104").ok_or("vm:104 is there")?;
            guest.guest.disturbances.push(fails);
            Ok(setup)
        },
        steps: &[(60, |cluster| request(cluster, "vm:104", "started"))],
        end: 200,
        again: &[],
        places: USUAL_PLACES,
    },
];

const RESOURCES: &str = "vm: 101\n\nvm: 102\n\nct: 103\n\nvm: 104\n\tstate stopped\n";

fn request(cluster: &mut Cluster, name: &str, state: &str) -> Result {
    let set = [("state", state)];
    Ok(cluster.edit(|editor, config| editor.set_resource(config, name, Changes { set: &set, unset: &[] }).map(drop))?)
}

/// Asks something of a daemon, unless its node has just lost its power.
fn if_it_runs(
    cluster: &mut Cluster,
    node: &str,
    daemon: DaemonKind,
    ask: fn(&mut Cluster, &NodeName) -> std::result::Result<(), ActionError>,
) -> Result {
    let node = node.parse()?;
    let runs = match daemon {
        DaemonKind::Crm => cluster.crm(&node).is_some(),
        DaemonKind::Lrm => cluster.lrm(&node).is_some(),
    };
    if runs { Ok(ask(cluster, &node)?) } else { Ok(()) }
}

/// How much longer a cluster may take to settle when something fails: a reset, a boot, fencing, and a few rounds.
const PATIENCE_S: u64 = 900;

impl Story {
    /// The cluster at the beginning. A watchdog resets its node at the last moment that the timings allow.
    fn cluster(&self) -> Result<Cluster> {
        let mut setup = Setup::new(["node1", "node2", "node3"])?.resources(RESOURCES)?;
        for (sid, node) in [("vm:101", "node1"), ("vm:102", "node2"), ("ct:103", "node3"), ("vm:104", "node1")] {
            setup = setup.guest(sid, node)?;
        }
        let boot = seconds(30);
        setup.durations = Durations { boot, boot_after_reset: Some(boot), ..Durations::default() };
        let late = setup.timings.settings().multiplexer_slack();
        setup.nodes.values_mut().for_each(|node| node.watchdog_late = late);
        let mut cluster = start((self.prepare)(setup)?);
        cluster.count_calls();
        Ok(cluster)
    }

    /// Plays it to its end, and on until all is settled.
    fn play(&self, cluster: &mut Cluster) -> Result {
        for (at, act) in self.steps {
            cluster.run_until(Instant::from_secs(*at))?;
            act(cluster)?;
        }
        cluster.run_until(Instant::from_secs(self.end))?;
        for line in self.again {
            cluster.queue_command(*line)?;
        }
        let last = Instant::from_secs(self.end + PATIENCE_S);
        while !unsettled(cluster).is_empty() && cluster.now().instant < last {
            cluster.run_for(seconds(30))?;
        }
        Ok(())
    }

    /// What is wrong at the end.
    fn problems(&self, cluster: &Cluster) -> Vec<String> {
        let breach = cluster.invariants().and_then(|invariants| invariants.breach());
        breach.map(ToString::to_string).into_iter().chain(unsettled(cluster)).collect()
    }
}

/// The services that are not as the configuration asks, without a state that says why.
fn unsettled(cluster: &Cluster) -> Vec<String> {
    let resources = &cluster.world().store.resources.resources;
    let unsettled = resources.iter().filter_map(|(sid, resource)| {
        let places = cluster.places(sid);
        let entry = cluster.manager_status().and_then(|status| status.services.get(sid));
        let is_fine = entry.is_some_and(|entry| match (&entry.state, resource.state()) {
            (ServiceState::Error, _) => explains_error(cluster, sid),
            (state, RequestedState::Started) => {
                *state == ServiceState::Started { confirmed: true } && places == [entry.node.as_str()]
            }
            (state, _) => *state == ServiceState::Stopped && places.is_empty(),
        });
        (!is_fine).then(|| format!("{sid} runs on {places:?}, and its entry is {entry:?}"))
    });
    unsettled.collect()
}

fn events(cluster: &Cluster) -> impl Iterator<Item = &Event> {
    cluster.happenings_since(0).iter().filter_map(|happening| match &happening.what {
        What::Core(event) => Some(event),
        What::Cluster(_) => None,
    })
}

/// Whether an event says why a service is in error.
fn explains_error(cluster: &Cluster, sid: &ServiceId) -> bool {
    events(cluster).any(|event| {
        matches!(
            event,
            Event::StopFailed { sid: failed, .. }
            | Event::RelocationExhausted { sid: failed, .. }
            | Event::ServiceUnrecoverable { sid: failed, .. }
            | Event::MoveFailedWrongNode { sid: failed } if failed == sid
        )
    })
}

/// A call: who makes it, and how many such calls go well before it.
#[derive(Debug, Clone)]
struct Call {
    node: NodeName,
    daemon: DaemonKind,
    operation: HostOperation,
    skip: u32,
}

/// How it goes wrong.
#[derive(Debug, Clone, Copy)]
enum Way {
    Fault(Fault),
    /// The node loses its power within the call, before it takes effect, and boots again.
    PowerFails,
    /// It does so after the call took effect, before the answer.
    PowerFailsAfter,
}

/// All ways. 40 s are within the budget of a feed, 55 s are beyond it but leave the watchdog open, 130 s are longer than the lease.
const WAYS: [Way; 9] = [
    Way::Fault(Fault::Fails),
    Way::Fault(Fault::Unknown),
    Way::Fault(Fault::Stalls(40_000)),
    Way::Fault(Fault::Late(40_000)),
    Way::Fault(Fault::Stalls(55_000)),
    Way::Fault(Fault::Late(55_000)),
    Way::Fault(Fault::Stalls(130_000)),
    Way::PowerFails,
    Way::PowerFailsAfter,
];

/// At how many places of a story each kind of call goes wrong in each way, at most.
const PLACES: usize = 3;

/// Some of the calls of a kind, spread over all of them; others for each way.
fn places(calls: &[Call], shift: usize) -> impl Iterator<Item = &Call> {
    let step = calls.len().div_ceil(PLACES).max(1);
    calls.iter().skip(shift % step).step_by(step)
}

impl Call {
    fn goes_wrong(&self, way: Way, cluster: &mut Cluster) {
        let fault = match way {
            Way::Fault(fault) => fault,
            Way::PowerFails => Fault::Stalls(2_000),
            Way::PowerFailsAfter => Fault::Late(2_000),
        };
        let Self { node, daemon, operation, skip } = self.clone();
        cluster.disturb(Disturbance { node, daemon, operation: Some(operation), skip, fault });
        if matches!(way, Way::PowerFails | Way::PowerFailsAfter) {
            self.clone().cut_power(cluster);
        }
    }

    /// Looks once a second whether the call is on its way, and takes the power of its node away then.
    fn cut_power(self, cluster: &mut Cluster) {
        let next = cluster.now().instant.after(Duration::from_secs(1));
        cluster.do_at(next, move |cluster| {
            let made =
                cluster.calls_made().and_then(|made| made.get(&(self.node.clone(), self.daemon, self.operation)));
            if made.is_some_and(|made| *made > self.skip) {
                // What that breaks is remembered by the cluster.
                let _broken = cluster.reset(&self.node);
            } else {
                self.cut_power(cluster);
            }
        });
    }
}

/// The calls that a story makes if nothing goes wrong, by their kind.
fn calls(cluster: &Cluster) -> Vec<Vec<Call>> {
    let made = cluster.calls_made().into_iter().flatten();
    let of = |wanted: HostOperation| {
        let by = made.clone().filter(move |((_, _, operation), _)| *operation == wanted);
        let calls = by.flat_map(|((node, daemon, operation), count)| {
            (0..*count).map(|skip| Call { node: node.clone(), daemon: *daemon, operation: *operation, skip })
        });
        calls.collect::<Vec<Call>>()
    };
    HostOperation::ALL.iter().map(|operation| of(*operation)).collect()
}

/// What is wrong with a story in which a call goes wrong.
fn problems(story: &Story, call: &Call, way: Way) -> Result<Vec<String>> {
    let mut cluster = story.cluster()?;
    call.goes_wrong(way, &mut cluster);
    if let Err(error) = story.play(&mut cluster) {
        return Ok(vec![error.to_string()]);
    }
    let mut problems = story.problems(&cluster);
    let told = |event: &Event| matches!(event, Event::HostCallFailed { operation, .. } if *operation == call.operation);
    if matches!(way, Way::Fault(Fault::Fails | Fault::Unknown)) && !events(&cluster).any(told) {
        problems.push("the failed call was not told".into());
    }
    Ok(problems)
}

/// Handing out jobs and collecting them is a matter of the node alone: a host knows whether it was done.
fn is_possible(call: &Call, way: Way) -> bool {
    let of_workers = matches!(call.operation, HostOperation::StartJob | HostOperation::FinishedJobs);
    !(of_workers && matches!(way, Way::Fault(Fault::Unknown)))
}

/// Plays the stories of one share, so that the shares run side by side.
fn every_call_goes_wrong_in_turn(share: usize, shares: usize) -> Result {
    let (mut failed, mut runs) = (Vec::new(), 0);
    for (number, story) in STORIES.iter().enumerate().filter(|(number, _)| number % shares == share) {
        let mut undisturbed = story.cluster()?;
        story.play(&mut undisturbed)?;
        for of_kind in calls(&undisturbed) {
            for (kind, way) in WAYS.into_iter().enumerate() {
                for call in places(&of_kind, 7 * number + 3 * kind).filter(|call| is_possible(call, way)) {
                    runs += 1;
                    let problems = problems(story, call, way)?;
                    if !problems.is_empty() {
                        failed.push(format!("{}, {call:?}, {way:?}:\n  {}", story.name, problems.join("\n  ")));
                    }
                }
            }
        }
    }
    assert!(failed.is_empty(), "{} of {runs} runs failed:\n{}", failed.len(), failed.join("\n"));
    assert!(runs > 500, "only {runs} runs");
    Ok(())
}

#[test]
fn stories_end_well_if_nothing_goes_wrong() -> Result {
    for story in STORIES {
        let mut cluster = story.cluster()?;
        story.play(&mut cluster)?;
        nothing_broke(&cluster);
        let mut problems = story.problems(&cluster);
        for (name, place) in story.places {
            let places = cluster.places(&name.parse()?);
            if places != [*place] {
                problems.push(format!("{name} is on {places:?}, not on {place}"));
            }
        }
        assert!(problems.is_empty(), "{}: {problems:?}", story.name);
        let ended = cluster.now().instant.since_start();
        assert!(ended <= seconds(story.end + 30), "{} took {ended:?}", story.name);
    }
    Ok(())
}

#[test]
fn every_call_goes_wrong_in_turn_in_one_half_of_the_stories() -> Result {
    every_call_goes_wrong_in_turn(0, 2)
}

#[test]
fn every_call_goes_wrong_in_turn_in_the_other_half_of_the_stories() -> Result {
    every_call_goes_wrong_in_turn(1, 2)
}
