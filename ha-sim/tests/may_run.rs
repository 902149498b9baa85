//! A service whose stop failed may run, whatever its state says: it is not forgotten, and not started elsewhere meanwhile.
//!
//! Each of these left it running for good, or let it run on two nodes, before `ha-sim chaos` found it.

mod common;

use std::error::Error;

use ha_core::{config::edit::Changes, event::Event, status::StateName};
use ha_sim::{
    cluster::{Cluster, Setup},
    world::{AgentDisturbance, AgentFault, ClusterEvent, Operation, What},
};

use common::{nothing_broke, seconds, start};

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

const RULE: &str = "node-affinity: there\n\tresources vm:100\n\tnodes node3\n\tstrict 1\n";

/// The service runs on the third of three nodes, which is in maintenance; it can't move away. It can't be stopped either.
fn cluster(stops_that_fail: Option<u32>) -> Result<Cluster> {
    let setup = Setup::new(["node1", "node2", "node3"])?.resources("vm: 100\n")?.rules(RULE)?;
    let mut cluster = start(setup.guest("vm:100", "node3")?);
    let failure =
        AgentDisturbance { operation: Operation::Stop, fault: AgentFault::Fails, node: None, times: stops_that_fail };
    cluster.fail(&"vm:100".parse()?, failure)?;
    cluster.run_for(seconds(30))?;
    cluster.queue_command("enable-node-maintenance node3")?;
    cluster.run_for(seconds(30))?;
    Ok(cluster)
}

fn request(cluster: &mut Cluster, state: &str) -> Result {
    cluster.edit(|editor, config| {
        editor.set_resource(config, "vm:100", Changes { set: &[("state", state)], unset: &[] })
    })?;
    Ok(())
}

/// Lets the service go wherever it may.
fn free(cluster: &mut Cluster) -> Result {
    cluster.edit(|editor, config| editor.remove_rule(config, "there"))?;
    Ok(())
}

fn places(cluster: &Cluster) -> Result<Vec<&str>> {
    Ok(cluster.places(&"vm:100".parse()?))
}

#[test]
fn a_stop_that_failed_is_tried_again_also_where_nothing_else_is_to_be_done() -> Result {
    let mut cluster = cluster(Some(1))?;
    request(&mut cluster, "disabled")?;
    cluster.run_for(seconds(120))?;
    nothing_broke(&cluster);
    assert_eq!(cluster.service_state(&"vm:100".parse()?), Some(StateName::Stopped));
    assert!(places(&cluster)?.is_empty());
    assert!(cluster.manager_status().is_some_and(|status| status.may_run.is_empty()));
    Ok(())
}

#[test]
fn in_maintenance_its_node_is_fenced_by_its_return_from_another_boot() -> Result {
    let mut cluster = cluster(None)?;
    request(&mut cluster, "disabled")?;
    cluster.run_for(seconds(60))?;
    assert_eq!(cluster.service_state(&"vm:100".parse()?), Some(StateName::Stopped));
    assert!(cluster.manager_status().is_some_and(|status| !status.may_run.is_empty()));
    cluster.set_network(&"node3".parse()?, false)?;
    free(&mut cluster)?;
    request(&mut cluster, "started")?;
    cluster.run_for(seconds(400))?;
    // An LRM in maintenance may let go of its lock at any moment, so that lock proves nothing.
    assert!(places(&cluster)?.is_empty());
    cluster.set_network(&"node3".parse()?, true)?;
    cluster.power_on(&"node3".parse()?)?;
    cluster.run_for(seconds(400))?;
    nothing_broke(&cluster);
    assert_eq!(places(&cluster)?.len(), 1);
    Ok(())
}

#[test]
fn a_node_that_let_go_of_its_watchdog_with_a_service_in_error_is_not_fenced_for_it() -> Result {
    let mut cluster = cluster(None)?;
    request(&mut cluster, "stopped")?;
    cluster.run_for(seconds(60))?;
    assert_eq!(cluster.service_state(&"vm:100".parse()?), Some(StateName::Error));
    cluster.set_network(&"node3".parse()?, false)?;
    cluster.run_for(seconds(20))?;
    request(&mut cluster, "disabled")?;
    cluster.run_for(seconds(20))?;
    free(&mut cluster)?;
    request(&mut cluster, "started")?;
    cluster.run_for(seconds(400))?;
    nothing_broke(&cluster);
    assert_eq!(places(&cluster)?, ["node3"]);
    let is_reported = |what: &What| matches!(what, What::Core(Event::NodeNotFenced { .. }));
    assert!(cluster.happenings_since(0).iter().any(|happening| is_reported(&happening.what)));
    Ok(())
}

#[test]
fn after_its_node_was_fenced_it_is_known_to_be_down() -> Result {
    let setup = Setup::new(["node1", "node2", "node3"])?.resources("vm: 100\n\nvm: 101\n")?;
    let mut cluster = Cluster::new(setup.guest("vm:100", "node3")?.guest("vm:101", "node3")?);
    let failure = AgentDisturbance { operation: Operation::Stop, fault: AgentFault::Fails, node: None, times: None };
    cluster.fail(&"vm:100".parse()?, failure)?;
    cluster.run_for(seconds(30))?;
    request(&mut cluster, "stopped")?;
    cluster.run_for(seconds(60))?;
    assert_eq!(cluster.service_state(&"vm:100".parse()?), Some(StateName::Error));
    cluster.power_off(&"node3".parse()?)?;
    cluster.run_for(seconds(400))?;
    assert_eq!(cluster.places(&"vm:101".parse()?).len(), 1);
    request(&mut cluster, "disabled")?;
    cluster.run_for(seconds(20))?;
    request(&mut cluster, "started")?;
    cluster.run_for(seconds(200))?;
    assert_eq!(places(&cluster)?.len(), 1);
    Ok(())
}

#[test]
fn an_lrm_that_has_let_go_exits_without_quorum() -> Result {
    let mut cluster = cluster(None)?;
    request(&mut cluster, "stopped")?;
    cluster.run_for(seconds(60))?;
    assert_eq!(cluster.service_state(&"vm:100".parse()?), Some(StateName::Error));
    cluster.set_network(&"node3".parse()?, false)?;
    cluster.restart_lrm(&"node3".parse()?)?;
    let before = cluster.happenings_since(0).len();
    cluster.run_for(seconds(30))?;
    let exits = |what: &What| matches!(what, What::Cluster(ClusterEvent::DaemonExited));
    assert!(cluster.happenings_since(before).iter().any(|happening| exits(&happening.what)));
    Ok(())
}
