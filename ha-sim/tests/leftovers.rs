//! What a guest leaves behind is ended before anything is done with the guest.

mod common;

use std::error::Error;

use ha_core::status::StateName;
use ha_sim::cluster::Setup;

use common::{nothing_broke, seconds, start};

/// Before an agent moves a guest live, it ends what the guest left behind, as the agents of `ha-host` do: nobody else would.
#[test]
fn a_live_move_ends_what_the_guest_left_behind() -> Result<(), Box<dyn Error>> {
    let setup = Setup::new(["node1", "node2", "node3"])?.resources("vm: 100\n")?.guest("vm:100", "node1")?;
    let (mut cluster, sid) = (start(setup), "vm:100".parse()?);
    cluster.run_for(seconds(60))?;
    // The LRM's look at it fails once, then comes the move.
    cluster.leave_behind(&sid, 1)?;
    cluster.queue_command("migrate vm:100 node2")?;
    cluster.run_for(seconds(60))?;
    nothing_broke(&cluster);
    assert_eq!(cluster.service_state(&sid), Some(StateName::Started));
    assert_eq!(cluster.places(&sid), ["node2"]);
    Ok(())
}
