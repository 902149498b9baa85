//! A move that ended, but whose node lost its power before its LRM could report it.

mod common;

use std::error::Error;

use ha_core::{
    config::edit::Changes,
    id::{NodeName, ServiceId},
    status::{StateName, view::Advice},
};
use ha_sim::cluster::{Cluster, Setup};

use common::{nothing_broke, seconds, start};

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

fn sid() -> Result<ServiceId> {
    Ok("vm:100".parse()?)
}

fn source() -> Result<NodeName> {
    Ok("node3".parse()?)
}

/// Its guest is on `node2` already when the power of `node3`, which still has its entry, fails.
fn cluster() -> Result<Cluster> {
    let setup = Setup::new(["node1", "node2", "node3"])?.resources("vm: 100\n\tfailback 0\n")?;
    let mut cluster = start(setup.guest("vm:100", "node3")?);
    cluster.run_for(seconds(60))?;
    cluster.queue_command("relocate vm:100 node2")?;
    while cluster.guest_node(&sid()?) == Some(&source()?) {
        cluster.step()?;
    }
    cluster.power_off(&source()?)?;
    assert_eq!(cluster.service_state(&sid()?), Some(StateName::Relocate));
    Ok(cluster)
}

fn request(cluster: &mut Cluster, state: &str) -> Result {
    cluster.edit(|editor, config| {
        editor.set_resource(config, "vm:100", Changes { set: &[("state", state)], unset: &[] })
    })?;
    Ok(cluster.run_for(seconds(60))?)
}

fn advice(cluster: &Cluster) -> Result<Option<Advice>> {
    let view = cluster.view(&"node1".parse()?);
    Ok(view.services.first().and_then(|service| service.advice))
}

fn runs_on_node2(cluster: &Cluster) -> Result {
    assert_eq!(cluster.places(&sid()?), ["node2"]);
    assert_eq!(cluster.service_state(&sid()?), Some(StateName::Started));
    assert_eq!(advice(cluster)?, None);
    nothing_broke(cluster);
    Ok(())
}

#[test]
fn a_service_whose_move_was_not_reported_goes_on_where_it_is_when_its_node_was_fenced() -> Result {
    let mut cluster = cluster()?;
    cluster.run_for(seconds(300))?;
    runs_on_node2(&cluster)
}

#[test]
fn a_service_whose_move_was_not_reported_is_in_error_when_its_node_comes_back_and_what_the_status_says_helps() -> Result
{
    let mut cluster = cluster()?;
    cluster.power_on(&source()?)?;
    cluster.run_for(seconds(300))?;
    assert_eq!(cluster.service_state(&sid()?), Some(StateName::Error));
    assert_eq!(advice(&cluster)?, Some(Advice::AcceptLocation));
    request(&mut cluster, "disabled")?;
    request(&mut cluster, "started")?;
    runs_on_node2(&cluster)
}
