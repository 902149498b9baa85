//! A lock proves that a node is down only where its services were guarded by a watchdog under it.
//!
//! Each of these let a service run on two nodes before `ha-sim chaos` found it.

mod common;

use std::{collections::BTreeSet, error::Error, time::Duration};

use ha_core::{event::Event, id::NodeName, status::StateName};
use ha_sim::{
    cluster::{Cluster, Setup},
    world::{DaemonKind, GuestTimes, What},
};

use common::{nothing_broke, seconds, start};

type Result = std::result::Result<(), Box<dyn Error>>;

/// Three nodes; the service runs on the third, after a minute.
fn cluster() -> std::result::Result<Cluster, Box<dyn Error>> {
    let setup = Setup::new(["node1", "node2", "node3"])?.resources("vm: 100\n")?.guest("vm:100", "node3")?;
    let mut cluster = start(setup);
    cluster.run_for(seconds(60))?;
    Ok(cluster)
}

fn reported_unfenced(cluster: &Cluster) -> bool {
    let reports = |what: &What| matches!(what, What::Core(Event::NodeNotFenced { node }) if node.as_str() == "node3");
    cluster.happenings_since(0).iter().any(|happening| reports(&happening.what))
}

fn run_until_released(cluster: &mut Cluster, node: &NodeName) -> Result {
    let lock = ha_core::host::Lock::Agent(node.clone());
    for _ in 0..60 {
        if cluster.world().lock_holder(&lock).is_none() {
            return Ok(());
        }
        cluster.run_for(seconds(1))?;
    }
    Err("the lock is not released".into())
}

fn runs_only_on_node3(cluster: &Cluster) -> Result {
    assert_eq!(cluster.places(&"vm:100".parse()?), ["node3"]);
    nothing_broke(cluster);
    Ok(())
}

#[test]
fn a_node_cut_off_while_ha_is_disarmed_is_not_fenced_after_arming() -> Result {
    for mode in ["ignore", "freeze"] {
        let (mut cluster, node3) = (cluster()?, "node3".parse()?);
        cluster.queue_command(format!("disarm-ha {mode}"))?;
        run_until_released(&mut cluster, &node3)?;
        cluster.set_network(&node3, false)?;
        cluster.run_for(seconds(30))?;
        cluster.queue_command("arm-ha")?;
        cluster.run_for(seconds(400))?;
        runs_only_on_node3(&cluster)?;
        cluster.set_network(&node3, true)?;
        cluster.run_for(seconds(60))?;
        runs_only_on_node3(&cluster)?;
        // The others have no services, so that their LRMs have no locks.
        assert!(cluster.manager_status().is_some_and(|status| !status.unguarded.contains(&node3)), "{mode}");
    }
    Ok(())
}

#[test]
fn a_node_cut_off_before_its_restarted_lrm_has_its_lock_is_not_fenced() -> Result {
    let (mut cluster, node3) = (cluster()?, "node3".parse()?);
    cluster.restart_lrm(&node3)?;
    run_until_released(&mut cluster, &node3)?;
    // The new LRM reports, the master lets the service go on, and then the LRM is held up before it asks for its lock.
    let sid = "vm:100".parse()?;
    for _ in 0..600 {
        cluster.run_for(Duration::from_millis(100))?;
        if cluster.service_state(&sid) == Some(StateName::Started) {
            break;
        }
    }
    cluster.set_network(&node3, false)?;
    cluster.run_for(seconds(400))?;
    assert!(reported_unfenced(&cluster));
    runs_only_on_node3(&cluster)?;
    cluster.set_network(&node3, true)?;
    cluster.run_for(seconds(60))?;
    runs_only_on_node3(&cluster)
}

#[test]
fn a_node_to_which_a_running_service_came_before_its_lrm_had_its_lock_is_not_fenced() -> Result {
    let (mut cluster, node2) = (cluster()?, "node2".parse()?);
    cluster.pause_daemon(&node2, DaemonKind::Lrm)?;
    cluster.queue_command("migrate vm:100 node2")?;
    cluster.run_for(seconds(40))?;
    assert_eq!(cluster.places(&"vm:100".parse()?), ["node2"]);
    cluster.set_network(&node2, false)?;
    cluster.run_for(seconds(400))?;
    assert_eq!(cluster.places(&"vm:100".parse()?), ["node2"]);
    nothing_broke(&cluster);
    Ok(())
}

#[test]
fn an_lrm_keeps_its_lock_for_as_long_as_a_service_is_on_its_way_to_it() -> Result {
    let setup = Setup::new(["node1", "node2", "node3"])?.resources("vm: 100\n")?;
    let mut setup = setup.guest("vm:100", "node3")?;
    for guest in setup.guests.values_mut() {
        guest.guest.times = GuestTimes { migrate: Some(seconds(1000)), ..GuestTimes::default() };
    }
    let mut cluster = Cluster::new(setup);
    cluster.check_invariants();
    cluster.run_for(seconds(60))?;
    cluster.queue_command("migrate vm:100 node2")?;
    cluster.run_for(seconds(1200))?;
    assert_eq!(cluster.places(&"vm:100".parse()?), ["node2"]);
    let lets_go = |what: &What| matches!(what, What::Core(Event::LrmIdle { .. }));
    assert!(!cluster.happenings_since(0).iter().any(|happening| lets_go(&happening.what)));
    nothing_broke(&cluster);
    Ok(())
}

#[test]
fn a_node_that_was_guarded_all_the_time_is_fenced_as_ever() -> Result {
    let (mut cluster, node3) = (cluster()?, "node3".parse()?);
    cluster.set_network(&node3, false)?;
    cluster.run_for(seconds(200))?;
    assert!(!reported_unfenced(&cluster));
    assert_eq!(cluster.places(&"vm:100".parse()?), ["node1"]);
    Ok(())
}

#[test]
fn a_node_that_took_over_a_guest_while_ha_was_disarmed_is_not_fenced_in_the_place_of_the_lost_one() -> Result {
    let (mut cluster, node1, node3) = (cluster()?, "node1".parse()?, "node3".parse()?);
    let sid = "vm:100".parse()?;
    cluster.power_off(&node3)?;
    for _ in 0..100 {
        cluster.run_for(seconds(1))?;
        if cluster.service_state(&sid) == Some(StateName::Fence) {
            break;
        }
    }
    cluster.queue_command("disarm-ha ignore")?;
    cluster.run_for(seconds(10))?;
    cluster.move_guest(&sid, &node1)?;
    cluster.start_guest(&sid, &node1)?;
    cluster.queue_command("arm-ha")?;
    cluster.run_for(seconds(200))?;
    assert_eq!(cluster.places(&sid), ["node1"]);
    let is_fenced = |what: &What| matches!(what, What::Core(Event::NotifyFenceStarted { node }) if *node == node1);
    assert!(!cluster.happenings_since(0).iter().any(|happening| is_fenced(&happening.what)));
    nothing_broke(&cluster);
    Ok(())
}

#[test]
fn a_master_in_maintenance_that_hears_nobody_fences_nobody() -> Result {
    let (mut cluster, node1) = (cluster()?, "node1".parse()?);
    cluster.queue_command("enable-node-maintenance node1")?;
    cluster.run_for(seconds(30))?;
    // Its locks are renewed all the while.
    cluster.set_unheard(&node1, BTreeSet::from(["node2".parse()?, "node3".parse()?]));
    cluster.run_for(seconds(200))?;
    let is_fenced = |what: &What| matches!(what, What::Core(Event::NotifyFenceStarted { .. }));
    assert!(!cluster.happenings_since(0).iter().any(|happening| is_fenced(&happening.what)));
    runs_only_on_node3(&cluster)
}

/// The record of the LRM that was there before says that it has its lock, and is newer than the beginning of the move.
#[test]
fn a_node_that_is_reset_while_a_service_is_on_its_way_there_live_counts_as_unguarded_when_it_comes() -> Result {
    let setup = Setup::new(["node1", "node2", "node3"])?.resources("vm: 100\n\nvm: 101\n")?;
    let mut cluster = start(setup.guest("vm:100", "node2")?.guest("vm:101", "node3")?);
    let (node2, node3) = ("node2".parse()?, "node3".parse()?);
    cluster.run_for(seconds(60))?;
    cluster.pause_daemon(&node2, DaemonKind::Lrm)?;
    cluster.queue_command("migrate vm:100 node3")?;
    cluster.run_for(seconds(25))?;
    cluster.reset(&node3)?;
    cluster.run_for(seconds(13))?;
    cluster.resume_daemon(&node2, DaemonKind::Lrm)?;
    cluster.run_for(seconds(120))?;
    assert_eq!(cluster.places(&"vm:100".parse()?), ["node3"]);
    nothing_broke(&cluster);
    Ok(())
}
