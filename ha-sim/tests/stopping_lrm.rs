//! An LRM that was asked to stop lets go of its watchdog only when nothing that it looks after runs.
//!
//! Each of these failed before `ha-sim chaos` found it.

mod common;

use std::{error::Error, time::Duration};

use ha_core::{
    event::Event,
    lrm::Lrm,
    status::{LrmMode, NodeState, StateName},
};
use ha_sim::{
    cluster::{Cluster, Setup},
    world::{ClusterEvent, DaemonKind, GuestTimes, What},
};

use common::{nothing_broke, seconds, start};

type Result = std::result::Result<(), Box<dyn Error>>;

fn setup(datacenter: &str) -> std::result::Result<Setup, Box<dyn Error>> {
    let setup = Setup::new(["node1", "node2", "node3"])?.resources("vm: 100\n")?.guest("vm:100", "node3")?;
    Ok(setup.datacenter(datacenter)?)
}

fn lrm_exited(cluster: &Cluster) -> bool {
    let exits = |what: &What| matches!(what, What::Cluster(ClusterEvent::DaemonExited));
    cluster.happenings_since(0).iter().any(|happening| exits(&happening.what))
}

fn no_node_was_reset(cluster: &Cluster) {
    let is_reset = |what: &What| matches!(what, What::Cluster(ClusterEvent::WatchdogReset { .. }));
    assert!(!cluster.happenings_since(0).iter().any(|happening| is_reset(&happening.what)));
}

#[test]
fn a_start_that_is_on_its_way_does_not_outlive_the_shutdown() -> Result {
    let mut setup = setup("ha: shutdown_policy=failover\n")?;
    for guest in setup.guests.values_mut() {
        guest.guest.times = GuestTimes { start: Some(seconds(40)), ..GuestTimes::default() };
    }
    let mut cluster = start(setup);
    cluster.run_for(seconds(30))?;
    assert!(cluster.places(&"vm:100".parse()?).is_empty());
    cluster.shutdown(&"node3".parse()?)?;
    cluster.run_for(seconds(240))?;
    nothing_broke(&cluster);
    assert_eq!(cluster.places(&"vm:100".parse()?), ["node1"]);
    Ok(())
}

#[test]
fn a_node_that_lost_its_lock_on_the_way_into_maintenance_still_waits_for_its_services() -> Result {
    let mut cluster = start(setup("ha: shutdown_policy=migrate\n")?);
    cluster.run_for(seconds(60))?;
    let node3 = "node3".parse()?;
    cluster.set_network(&node3, false)?;
    cluster.run_for(seconds(12))?;
    cluster.reboot(&node3)?;
    cluster.run_for(seconds(5))?;
    cluster.set_network(&node3, true)?;
    cluster.run_for(seconds(120))?;
    nothing_broke(&cluster);
    let happened = |wanted: fn(&What) -> bool| cluster.happenings_since(0).iter().position(|it| wanted(&it.what));
    let moved = happened(|what| matches!(what, What::Core(Event::AgentMoveEnded { .. })));
    let down = happened(|what| matches!(what, What::Cluster(ClusterEvent::NodeDown { .. })));
    assert!(moved.is_some() && moved < down, "it moves at {moved:?}, the node goes down at {down:?}");
    Ok(())
}

#[test]
fn a_move_that_was_asked_for_is_made_before_a_restart_and_does_not_hold_it_up() -> Result {
    let mut cluster = start(setup("")?);
    cluster.run_for(seconds(60))?;
    cluster.restart_lrm(&"node3".parse()?)?;
    cluster.queue_command("migrate vm:100 node2")?;
    cluster.run_for(seconds(120))?;
    nothing_broke(&cluster);
    assert_eq!(cluster.service_state(&"vm:100".parse()?), Some(StateName::Started));
    assert_eq!(cluster.places(&"vm:100".parse()?).len(), 1);
    Ok(())
}

#[test]
fn a_restart_that_waits_for_services_that_can_not_move_is_made_when_maintenance_ends() -> Result {
    let only_here = "node-affinity: here\n\tresources vm:100\n\tnodes node3\n\tstrict 1\n";
    let mut cluster = start(setup("")?.rules(only_here)?);
    cluster.run_for(seconds(60))?;
    let node3 = "node3".parse()?;
    cluster.queue_command("enable-node-maintenance node3")?;
    cluster.run_for(seconds(40))?;
    cluster.restart_lrm(&node3)?;
    cluster.run_for(seconds(120))?;
    assert!(!lrm_exited(&cluster), "its service can't move away");
    cluster.queue_command("disable-node-maintenance node3")?;
    cluster.run_for(seconds(120))?;
    nothing_broke(&cluster);
    assert!(lrm_exited(&cluster));
    assert_eq!(cluster.manager_status().map(|status| status.node_state(&node3)), Some(NodeState::Online));
    assert_eq!(cluster.service_state(&"vm:100".parse()?), Some(StateName::Started));
    assert_eq!(cluster.lrm(&node3).map(Lrm::mode), Some(LrmMode::Active));
    Ok(())
}

#[test]
fn a_service_that_comes_while_the_node_goes_down_is_not_left_without_a_watchdog() -> Result {
    let mut setup =
        setup("ha: shutdown_policy=failover\n")?.resources("vm: 100\n\nvm: 101\n")?.guest("vm:101", "node1")?;
    for guest in setup.guests.values_mut() {
        // The last stop of vm:100 takes its time.
        guest.guest.times = GuestTimes { stop: Some(seconds(40)), ..GuestTimes::default() };
    }
    let mut cluster = start(setup);
    cluster.run_for(seconds(60))?;
    let node3 = "node3".parse()?;
    // The node stays up after its LRM has ended.
    cluster.pause_daemon(&node3, DaemonKind::Crm)?;
    cluster.shutdown(&node3)?;
    cluster.queue_command("migrate vm:101 node3")?;
    cluster.run_for(seconds(40))?;
    assert_eq!(cluster.places(&"vm:101".parse()?), ["node3"]);
    cluster.run_for(seconds(90))?;
    cluster.set_network(&node3, false)?;
    cluster.run_for(seconds(400))?;
    nothing_broke(&cluster);
    // It was stopped, though it came after the last stops were queued.
    no_node_was_reset(&cluster);
    assert_eq!(cluster.places(&"vm:101".parse()?).len(), 1);
    assert_ne!(cluster.places(&"vm:101".parse()?), ["node3"]);
    Ok(())
}

#[test]
fn a_service_that_is_on_its_way_is_waited_for_before_the_node_goes_down() -> Result {
    let mut setup =
        setup("ha: shutdown_policy=failover\n")?.resources("vm: 100\n\nvm: 101\n")?.guest("vm:101", "node1")?;
    for guest in setup.guests.values_mut() {
        guest.guest.times = GuestTimes { migrate: Some(seconds(100)), ..GuestTimes::default() };
    }
    let mut cluster = start(setup);
    cluster.run_for(seconds(60))?;
    let (node3, sid) = ("node3".parse()?, "vm:101".parse()?);
    cluster.queue_command("migrate vm:101 node3")?;
    cluster.run_for(seconds(30))?;
    assert_eq!(cluster.service_state(&sid), Some(StateName::Migrate));
    cluster.shutdown(&node3)?;
    let mut came = false;
    for _ in 0..600 {
        cluster.run_for(seconds(1))?;
        came |= cluster.places(&sid) == ["node3"];
    }
    nothing_broke(&cluster);
    assert!(came, "it never came");
    assert!(cluster.places(&sid).len() == 1 && cluster.places(&sid) != ["node3"], "{:?}", cluster.places(&sid));
    Ok(())
}

#[test]
fn a_service_that_was_away_when_the_last_stops_were_made_is_stopped_when_it_is_back() -> Result {
    let mut setup = setup("ha: shutdown_policy=failover\n")?.resources("vm: 100\n\nvm: 101\n")?;
    setup = setup.rules("node-affinity: home\n\tresources vm:101\n\tnodes node3\n")?.guest("vm:101", "node3")?;
    for guest in setup.guests.values_mut() {
        guest.guest.times = GuestTimes { migrate: Some(seconds(8)), ..GuestTimes::default() };
    }
    let mut cluster = start(setup);
    cluster.run_for(seconds(60))?;
    let (node3, sid) = ("node3".parse()?, "vm:101".parse()?);
    cluster.queue_command("migrate vm:101 node2")?;
    // It goes back at once, since the rule wants it on node3.
    for _ in 0..100 {
        cluster.run_for(seconds(1))?;
        let status = cluster.manager_status();
        let entry = status.and_then(|status| status.services.get(&sid));
        if entry.is_some_and(|entry| entry.node.as_str() == "node2") {
            break;
        }
    }
    cluster.shutdown(&node3)?;
    cluster.run_for(seconds(600))?;
    nothing_broke(&cluster);
    no_node_was_reset(&cluster);
    assert!(cluster.places(&sid).len() == 1 && cluster.places(&sid) != ["node3"], "{:?}", cluster.places(&sid));
    Ok(())
}

/// The LRM may just have seen that the guest does not run any more.
#[test]
fn a_guest_that_ended_before_its_node_goes_down_is_not_started_again() -> Result {
    for tenths in 0..100 {
        let setup = Setup::new(["node1", "node2", "node3"])?.resources("vm: 100\n")?.guest("vm:100", "node3")?;
        let mut cluster = start(setup);
        cluster.run_for(seconds(60))?;
        cluster.crash_guest(&"vm:100".parse()?)?;
        cluster.run_for(Duration::from_millis(100 * tenths))?;
        cluster.reboot(&"node3".parse()?)?;
        cluster.run_for(seconds(120))?;
        nothing_broke(&cluster);
    }
    Ok(())
}
