//! While HA waits with disarming, LRMs let go of their locks already: what still moves must not depend on those.
//!
//! Each of these let a node be fenced by its lock while services ran there, or never came to an end, before `ha-sim chaos`
//! found it.

mod common;

use std::{error::Error, time::Duration};

use ha_core::{
    host::Lock,
    id::NodeName,
    status::{DisarmState, StateName},
};
use ha_sim::{
    cluster::{Cluster, Setup},
    world::{DaemonKind, GuestTimes},
};

use common::{nothing_broke, seconds, start};

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

/// A cluster that has run for a minute.
fn after_a_minute(setup: Setup) -> Result<Cluster> {
    let mut cluster = start(setup);
    cluster.run_for(seconds(60))?;
    Ok(cluster)
}

fn run_until(cluster: &mut Cluster, reached: impl Fn(&Cluster) -> bool) -> Result {
    for _ in 0..2000 {
        if reached(cluster) {
            return Ok(());
        }
        cluster.run_for(Duration::from_millis(100))?;
    }
    Err("it was not reached".into())
}

fn run_until_state(cluster: &mut Cluster, sid: &str, state: StateName) -> Result {
    let sid = sid.parse()?;
    run_until(cluster, |cluster| cluster.service_state(&sid) == Some(state))
}

fn disarm_state(cluster: &Cluster) -> Option<DisarmState> {
    Some(cluster.manager_status()?.disarm.as_ref()?.state)
}

/// The LRM of `node3` is held up while a live move from there is asked for, and then disarming: it sees both at once.
fn move_and_disarm_at_once() -> Result<(Cluster, NodeName)> {
    let setup = Setup::new(["node1", "node2", "node3"])?.resources("vm: 100\n")?.guest("vm:100", "node3")?;
    let (mut cluster, node3) = (after_a_minute(setup)?, "node3".parse()?);
    cluster.pause_daemon(&node3, DaemonKind::Lrm)?;
    cluster.queue_command("migrate vm:100 node2")?;
    run_until_state(&mut cluster, "vm:100", StateName::Migrate)?;
    cluster.queue_command("disarm-ha freeze")?;
    run_until(&mut cluster, |cluster| disarm_state(cluster).is_some())?;
    cluster.resume_daemon(&node3, DaemonKind::Lrm)?;
    Ok((cluster, node3))
}

#[test]
fn a_move_that_was_asked_for_is_made_before_ha_is_disarmed() -> Result {
    let (mut cluster, _) = move_and_disarm_at_once()?;
    run_until(&mut cluster, |cluster| disarm_state(cluster) == Some(DisarmState::Disarmed))?;
    assert_eq!(cluster.places(&"vm:100".parse()?), ["node2"]);
    nothing_broke(&cluster);
    Ok(())
}

#[test]
fn a_node_with_a_move_to_make_is_guarded_until_it_is_made() -> Result {
    let (mut cluster, node3) = move_and_disarm_at_once()?;
    let lock = Lock::Agent(node3.clone());
    run_until(&mut cluster, |cluster| cluster.world().lock_holder(&lock).is_none())?;
    cluster.set_network(&node3, false)?;
    cluster.run_for(seconds(400))?;
    assert_eq!(cluster.places(&"vm:100".parse()?), ["node2"]);
    nothing_broke(&cluster);
    Ok(())
}

/// A container arrives on `node2`, from where its rule calls it back, while another service is still on its way.
fn arrived_while_another_moves() -> Result<Cluster> {
    let resources = "ct: 100\n\nvm: 101\n\nvm: 102\n";
    let rules = "node-affinity: home\n\tresources ct:100\n\tnodes node3:2,node2:1\n";
    let setup = Setup::new(["node1", "node2", "node3"])?.resources(resources)?.rules(rules)?;
    let mut setup = setup.guest("ct:100", "node3")?.guest("vm:101", "node3")?.guest("vm:102", "node2")?;
    for (sid, guest) in &mut setup.guests {
        if sid.as_str() == "vm:101" {
            guest.guest.times = GuestTimes { migrate: Some(seconds(100)), ..GuestTimes::default() };
        }
    }
    let mut cluster = after_a_minute(setup)?;
    cluster.queue_command("migrate vm:101 node1")?;
    cluster.queue_command("relocate ct:100 node2")?;
    run_until_state(&mut cluster, "ct:100", StateName::Relocate)?;
    cluster.queue_command("disarm-ha freeze")?;
    let sid = "ct:100".parse()?;
    run_until(&mut cluster, |cluster| {
        let entry = cluster.manager_status().and_then(|status| status.services.get(&sid));
        entry.is_some_and(|entry| entry.node.as_str() == "node2")
    })?;
    assert_eq!(cluster.service_state(&"vm:101".parse()?), Some(StateName::Migrate));
    Ok(cluster)
}

#[test]
fn a_service_that_has_arrived_is_not_sent_on_while_disarming_waits_for_others() -> Result {
    let mut cluster = arrived_while_another_moves()?;
    run_until(&mut cluster, |cluster| disarm_state(cluster) == Some(DisarmState::Disarmed))?;
    assert_eq!(cluster.guest_node(&"ct:100".parse()?).map(NodeName::as_str), Some("node2"));
    cluster.queue_command("arm-ha")?;
    cluster.run_for(seconds(200))?;
    assert_eq!(cluster.places(&"ct:100".parse()?), ["node3"], "its rule calls it back then");
    nothing_broke(&cluster);
    Ok(())
}

#[test]
fn a_node_that_is_lost_after_its_lrm_let_go_is_not_fenced_for_a_service_that_has_arrived() -> Result {
    let (mut cluster, node2) = (arrived_while_another_moves()?, "node2".parse()?);
    cluster.set_network(&node2, false)?;
    cluster.run_for(seconds(400))?;
    assert_eq!(cluster.places(&"vm:102".parse()?), ["node2"]);
    nothing_broke(&cluster);
    Ok(())
}
