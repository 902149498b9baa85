//! That a node was fenced counts only as far as it is written down: a node that is back acts by what it can read.
//!
//! `ha-sim chaos` found each of these.

mod common;

use std::error::Error;

use ha_core::{
    id::NodeName,
    status::{LrmState, NodeState, StateName},
};
use ha_sim::cluster::{Cluster, Setup};

use common::{nothing_broke, seconds, start};

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

fn setup() -> Result<Setup> {
    Ok(Setup::new(["node1", "node2", "node3"])?.resources("vm: 100\n")?.guest("vm:100", "node3")?)
}

/// A cluster that has run for a minute; then the store is full, and `node3` loses its power.
fn lost_while_the_store_is_full(setup: Setup) -> Result<(Cluster, NodeName)> {
    let (mut cluster, node3) = (start(setup), "node3".parse()?);
    cluster.run_for(seconds(60))?;
    cluster.set_store_full(true);
    cluster.power_off(&node3)?;
    Ok((cluster, node3))
}

/// The node was down, and that was proven. But it is back, and runs the service again, before anybody can read that.
#[test]
fn a_node_whose_fencing_could_not_be_written_runs_its_services_alone_when_it_is_back() -> Result {
    let devices = "device d1 fence_one ip=192.0.2.1\nconnect d1 node=node3 plug=3\n";
    for (datacenter, back_after) in
        [("fencing: hardware\n", 100), ("fencing: watchdog\n", 190), ("fencing: both\n", 190)]
    {
        let setup = setup()?.datacenter(datacenter)?.fence(devices)?;
        let (mut cluster, node3) = lost_while_the_store_is_full(setup)?;
        cluster.run_for(seconds(back_after))?;
        cluster.power_on(&node3)?;
        cluster.run_for(seconds(170))?;
        cluster.set_store_full(false);
        cluster.run_for(seconds(400))?;
        nothing_broke(&cluster);
        assert_eq!(cluster.places(&"vm:100".parse()?).len(), 1, "{datacenter}");
        assert_eq!(cluster.service_state(&"vm:100".parse()?), Some(StateName::Started), "{datacenter}");
    }
    Ok(())
}

/// Where the node stays down the recovery only waits until it can be written.
#[test]
fn a_recovery_that_could_not_be_written_is_made_when_it_can_be() -> Result {
    let (mut cluster, _) = lost_while_the_store_is_full(setup()?)?;
    cluster.run_for(seconds(240))?;
    assert_eq!(cluster.places(&"vm:100".parse()?).len(), 0);
    cluster.set_store_full(false);
    cluster.run_for(seconds(60))?;
    nothing_broke(&cluster);
    assert_eq!(cluster.places(&"vm:100".parse()?), ["node1"]);
    Ok(())
}

/// In maintenance, with nothing to look after, an LRM has closed its watchdog: nothing would reset its node.
#[test]
fn an_lrm_that_has_let_go_and_is_to_be_fenced_says_that_it_holds_nothing() -> Result {
    let (mut cluster, node3) = (start(setup()?), "node3".parse()?);
    cluster.run_for(seconds(60))?;
    cluster.queue_command("enable-node-maintenance node3")?;
    cluster.queue_command("disarm-ha freeze")?;
    cluster.run_for(seconds(30))?;
    assert_eq!(cluster.lrm(&node3).map(|lrm| lrm.state()), Some(LrmState::Maintenance));
    cluster.set_network(&node3, false)?;
    cluster.queue_command("arm-ha")?;
    cluster.run_for(seconds(100))?;
    assert_eq!(cluster.node_state(&node3), Some(NodeState::Fence));
    cluster.set_network(&node3, true)?;
    cluster.run_for(seconds(60))?;
    cluster.queue_command("disable-node-maintenance node3")?;
    cluster.run_for(seconds(60))?;
    nothing_broke(&cluster);
    assert_eq!(cluster.node_state(&node3), Some(NodeState::Online));
    assert_eq!(cluster.service_state(&"vm:100".parse()?), Some(StateName::Started));
    assert_eq!(cluster.places(&"vm:100".parse()?), ["node3"]);
    Ok(())
}
