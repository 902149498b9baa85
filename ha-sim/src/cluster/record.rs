//! Recordings of daemons, to be replayed by [`ha_core::record::replay`].

use std::collections::BTreeMap;

use ha_core::{id::NodeName, record::Recorder};

use super::Cluster;
use crate::world::DaemonKind;

/// The recordings of all daemons, if that is wanted. A daemon that was killed and started again is another one.
#[derive(Debug, Default)]
pub(super) struct Recordings {
    wanted: bool,
    recorders: BTreeMap<(NodeName, DaemonKind, u64), Recorder<Vec<String>>>,
}

impl Recordings {
    /// The recorder of a daemon, for the time of a call.
    pub(super) fn take(&mut self, node: &NodeName, daemon: DaemonKind, kills: u64) -> Recorder<Vec<String>> {
        if !self.wanted {
            return Recorder::off();
        }
        let recorder = self.recorders.remove(&(node.clone(), daemon, kills));
        recorder.unwrap_or_else(|| Recorder::new(Vec::new()))
    }

    pub(super) fn put_back(
        &mut self,
        node: &NodeName,
        daemon: DaemonKind,
        kills: u64,
        recorder: Recorder<Vec<String>>,
    ) {
        if self.wanted {
            self.recorders.insert((node.clone(), daemon, kills), recorder);
        }
    }
}

impl Cluster {
    /// Records every daemon that starts from now on. Call it before anything happens.
    pub fn record(&mut self) {
        self.recordings.wanted = true;
    }

    /// What was recorded, by node and daemon, in the order of their starts.
    pub fn recordings(&self) -> impl Iterator<Item = (&NodeName, DaemonKind, String)> {
        self.recordings.recorders.iter().filter_map(|((node, daemon, _), recorder)| {
            let lines = recorder.sink()?;
            // A daemon that was asked to stop before it had started.
            (lines.len() > 1).then(|| (node, *daemon, lines.join("\n")))
        })
    }
}
