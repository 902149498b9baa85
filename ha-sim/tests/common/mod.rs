//! What the tests of whole clusters share.

use std::time::Duration;

use ha_core::time::Instant;
use ha_sim::cluster::{Cluster, Setup};

/// A time in seconds.
pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Powers a cluster on whose invariants are checked. Nodes may be reset: networks are cut and power fails in these tests.
pub(crate) fn start(setup: Setup) -> Cluster {
    let mut cluster = Cluster::new(setup);
    cluster.check_invariants();
    if let Some(invariants) = cluster.invariants_mut() {
        invariants.excuse_until(Instant::after_start(seconds(3600)));
    }
    cluster
}

/// All invariants have held up to now.
pub(crate) fn nothing_broke(cluster: &Cluster) {
    assert_eq!(cluster.invariants().and_then(|invariants| invariants.breach()), None);
}
