//! A cluster of one's own, with one's own configuration and timings, in the hostile virtual cluster: each call of a host goes
//! wrong in each way, and its node is cut off right then.
//!
//!     cargo run -p ha-sim --example hostile
//!
//! The daemons are the real ones; the host that they call is a virtual one, which keeps its promises. What a host that breaks
//! one leads to is seen by planting that as a bug.

use std::error::Error;

use ha_core::{host::HostOperation, id::NodeName, timing::TimingSettings};
use ha_sim::{
    chaos::{self, Profile},
    cluster::{Action, Disturbance, Fault, PlantedBug, Setup, SetupError},
    history::{DueAction, History, Judged},
    world::DaemonKind,
};

/// What is to be tried: put your own files and timings here.
fn cluster() -> Result<Setup, SetupError> {
    Setup::new(["node1", "node2", "node3"])?
        .guest("vm:100", "node1")?
        .guest("vm:101", "node2")?
        .resources("vm: 100\n\nvm: 101\n")?
        .rules("resource-affinity: apart\n\tresources vm:100,vm:101\n\taffinity negative\n")?
        .timings(TimingSettings::customary())
}

/// From a moment on the next such call of a daemon of node1 goes wrong; a minute later node1 is cut off, for five minutes.
fn history(
    (daemon, operation): (DaemonKind, HostOperation),
    fault: Fault,
    at_ms: u64,
    planted: Option<PlantedBug>,
) -> Result<History, Box<dyn Error>> {
    let node = NodeName::new("node1")?;
    let disturbance = Disturbance { node: node.clone(), daemon, operation: Some(operation), skip: 0, fault };
    let actions = vec![
        DueAction { at_ms, action: Action::Disturb(disturbance) },
        DueAction { at_ms: 120_000, action: Action::Network { node: node.clone(), connected: false } },
        DueAction { at_ms: 420_000, action: Action::Network { node: node.clone(), connected: true } },
        DueAction { at_ms: 420_000, action: Action::PowerOn { node } },
    ];
    let (setup, profile) = (cluster()?, Profile::Calls);
    Ok(History { seed: 0, profile, planted, setup, actions, faults_end_ms: 421_000, end_ms: 1_800_000 })
}

/// The first promise of the cluster that did not hold, if there is one: above all that nothing runs on two nodes.
fn broken(judged: &Judged) -> Result<(), String> {
    match &judged.breach {
        Some(breach) => Err(breach.to_string()),
        None => Ok(()),
    }
}

/// Plays every call of both daemons with every fault; gives how many histories that were.
fn each_call_goes_wrong() -> Result<u32, Box<dyn Error>> {
    let faults = [Fault::Fails, Fault::Unknown, Fault::Stalls(70_000), Fault::Late(70_000), Fault::Crashes(20_000)];
    let mut played = 0_u32;
    for &operation in HostOperation::ALL {
        for daemon in [DaemonKind::Crm, DaemonKind::Lrm] {
            for fault in faults {
                let judged = chaos::run(&history((daemon, operation), fault, 60_000, None)?);
                broken(&judged).map_err(|broken| format!("{operation} of the {daemon}, {fault:?}: {broken}"))?;
                played = played.saturating_add(1);
            }
        }
    }
    Ok(played)
}

/// Plays clusters and faults that are drawn at random, from a seed each.
fn random_histories(seeds: std::ops::Range<u64>) -> Result<(), String> {
    for seed in seeds {
        let judged = chaos::run(&chaos::generate(seed, Profile::Mixed));
        broken(&judged).map_err(|broken| format!("seed {seed}: {broken}"))?;
    }
    Ok(())
}

/// A host that feeds its watchdog without a look at the clock: the first feed comes 70 seconds after the lock was asked for.
fn late_feed(planted: Option<PlantedBug>) -> Result<Judged, Box<dyn Error>> {
    let opens = (DaemonKind::Lrm, HostOperation::OpenWatchdog);
    Ok(chaos::run(&history(opens, Fault::Stalls(70_000), 0, planted)?))
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("{} histories of calls that go wrong: all is well", each_call_goes_wrong()?);
    random_histories(0..20)?;
    println!("20 random histories: all is well");
    match broken(&late_feed(Some(PlantedBug::LateFeedCounts))?) {
        Err(broken) => println!("a host that feeds too late: {broken}"),
        Ok(()) => println!("a host that feeds too late: nobody sees it"),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_call_that_goes_wrong_breaks_a_promise() -> Result<(), Box<dyn Error>> {
        assert!(each_call_goes_wrong()? > 0);
        random_histories(0..5)?;
        Ok(())
    }

    #[test]
    fn a_host_that_feeds_too_late_is_found() -> Result<(), Box<dyn Error>> {
        broken(&late_feed(None)?)?;
        let found = broken(&late_feed(Some(PlantedBug::LateFeedCounts))?);
        assert!(found.is_err_and(|broken| broken.contains("a watchdog is fed only after a renewal")));
        Ok(())
    }
}
