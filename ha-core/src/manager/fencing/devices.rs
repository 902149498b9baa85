//! Fence devices: they are tried one after another, and all of them again after a pause, as long as the node must be fenced.

use alloc::collections::{BTreeMap, BTreeSet};
use core::time::Duration;

use super::super::{RoundHost, round::Round};
use crate::{
    event::Event,
    host::{self, EventSink, FenceAttempt, FenceDevices, FenceProgress, HostOperation},
    id::{NodeName, Uid},
    status::{FenceIncident, Timestamp},
    time::Instant,
};

/// How long devices are left alone after all of them failed for the first time. Each further time it is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(10);

/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// What this master knows of the nodes that it fences, beyond what is recorded. It ends with the mastership: what a device
/// has done is counted only by the master that asked it.
#[derive(Debug, Clone, Default)]
pub(crate) struct FenceHistory {
    devices: BTreeMap<NodeName, DeviceHistory>,
    /// Nodes whose devices were asked in this round already.
    asked: BTreeSet<NodeName>,
    /// Incidents of which the host knows that they go on; `None` before it was told anything.
    told: Option<BTreeSet<Uid>>,
    /// The time of the record of each node's LRM when this master first looked at it in the incident.
    first_seen: BTreeMap<NodeName, (Uid, Option<Timestamp>)>,
    /// The incidents that are in the status as it was last read or written.
    recorded: BTreeSet<Uid>,
    /// Nodes that were fenced since then, in incidents that are not recorded.
    fenced_unrecorded: BTreeSet<NodeName>,
    /// Whether the last status could not be written.
    is_unwritten: bool,
}

/// How far the devices of a node have come in an incident.
#[derive(Debug, Clone)]
struct DeviceHistory {
    incident: Uid,
    /// Counts what was asked of devices in this incident.
    number: u32,
    /// The device that is tried, counted from 0.
    device: u32,
    outcome: DeviceOutcome,
    /// The next pause.
    pause: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DeviceOutcome {
    Pending,
    Succeeded,
    /// All have failed, and are tried again then.
    Pausing(Instant),
}

impl DeviceHistory {
    fn new(incident: Uid) -> Self {
        Self { incident, number: 0, device: 0, outcome: DeviceOutcome::Pending, pause: FIRST_PAUSE }
    }

    fn next_device(&mut self) {
        self.number = self.number.saturating_add(1);
        self.device = self.device.saturating_add(1);
    }

    /// All have failed.
    fn begin_pause(&mut self, now: Instant) {
        self.device = 0;
        self.outcome = DeviceOutcome::Pausing(now.after(self.pause));
        self.pause = self.pause.saturating_mul(2).min(LONGEST_PAUSE);
    }
}

impl FenceHistory {
    /// What a master knows that begins from, or goes on from, these recorded incidents.
    pub(in super::super) fn resumed(incidents: &BTreeMap<NodeName, FenceIncident>) -> Self {
        let mut history = Self::default();
        history.note_written(incidents);
        history
    }

    /// The status was written, with these incidents.
    pub(in super::super) fn note_written(&mut self, incidents: &BTreeMap<NodeName, FenceIncident>) {
        self.recorded = incidents.values().map(|incident| incident.id.clone()).collect();
        self.fenced_unrecorded.clear();
        self.is_unwritten = false;
    }

    /// The status could not be written: LRMs go by what was recorded before.
    pub(in super::super) fn note_unwritten(&mut self) {
        self.is_unwritten = true;
    }

    /// Whether a proof that the node is down would be worth something. The LRM of a node that is recorded as to be fenced takes
    /// no lock and starts nothing; any other may be up again, and start what it had, as soon as the proof was obtained. In the
    /// round in which the incident begins it is as good as recorded, if that round's status is written.
    pub(in super::super) fn can_be_proven(&self, incident: &Uid) -> bool {
        !self.is_unwritten || self.recorded.contains(incident)
    }

    /// The node was fenced.
    pub(super) fn note_fenced(&mut self, node: &NodeName, incident: &Uid) {
        if !self.recorded.contains(incident) {
            self.fenced_unrecorded.insert(node.clone());
        }
    }

    /// The nodes that were fenced in incidents that nobody else ever knew of, if the status that ended them was not written.
    pub(super) fn take_doubtful(&mut self) -> BTreeSet<NodeName> {
        if self.is_unwritten { core::mem::take(&mut self.fenced_unrecorded) } else { BTreeSet::new() }
    }

    /// A new round begins: devices are asked once in it. What is known of incidents that are over is dropped, and the host is
    /// told to drop it as well, once before anything else.
    pub(in super::super) fn begin_round(
        &mut self,
        incidents: &BTreeMap<NodeName, FenceIncident>,
        host: &mut (impl FenceDevices + EventSink + ?Sized),
    ) {
        self.asked.clear();
        // Nothing must be turned off any more where a node is known to have been down.
        let goes_on = |incident: &&FenceIncident| !incident.was_down;
        let current: BTreeSet<Uid> = incidents.values().filter(goes_on).map(|incident| incident.id.clone()).collect();
        self.devices.retain(|_, history| current.contains(&history.incident));
        self.first_seen.retain(|node, (id, _)| incidents.get(node).is_some_and(|incident| incident.id == *id));
        if self.told.as_ref().is_some_and(|told| told.is_subset(&current)) {
            self.told = Some(current);
            return;
        }
        let forgotten = host.forget_fence_attempts(&current);
        if host::answer(host, HostOperation::ForgetFenceAttempts, forgotten).is_some() {
            self.told = Some(current);
        }
    }

    /// Whether the LRM of a node has written its record since this master first looked at it in this incident.
    pub(super) fn has_written(&mut self, node: &NodeName, incident: &Uid, timestamp: Option<Timestamp>) -> bool {
        match self.first_seen.get(node) {
            Some((id, first)) if id == incident => *first != timestamp,
            Some(_) | None => {
                self.first_seen.insert(node.clone(), (incident.clone(), timestamp));
                false
            }
        }
    }
}

impl<H: RoundHost + ?Sized> Round<'_, H> {
    /// Whether a fence device has turned the node off in this incident.
    pub(super) fn device_succeeded(&mut self, node: &NodeName, incident: &Uid) -> bool {
        let now = self.input.now.instant;
        let known = self.fencing.devices.get(node).filter(|history| history.incident == *incident);
        let mut history = known.cloned().unwrap_or_else(|| DeviceHistory::new(incident.clone()));
        match history.outcome {
            DeviceOutcome::Succeeded => return true,
            DeviceOutcome::Pausing(until) if now < until => return false,
            DeviceOutcome::Pausing(_) | DeviceOutcome::Pending => {}
        }
        if !self.fencing.asked.insert(node.clone()) {
            return false;
        }
        history.outcome = DeviceOutcome::Pending;
        self.try_devices(node, &mut history, now);
        let succeeded = history.outcome == DeviceOutcome::Succeeded;
        self.fencing.devices.insert(node.clone(), history);
        succeeded
    }

    /// Asks the devices, from the one that is tried on, until one does not fail at once.
    fn try_devices(&mut self, node: &NodeName, history: &mut DeviceHistory, now: Instant) {
        loop {
            let fence = self.configuration.fence.as_ref();
            let commands = fence.map(|fence| fence.commands(node, history.device as usize)).unwrap_or_default();
            if commands.is_empty() {
                // A node without any device says so once.
                if history.device > 0 || history.pause == FIRST_PAUSE {
                    self.host.event(Event::FenceDevicesExhausted { node: node.clone() });
                }
                history.begin_pause(now);
                return;
            }
            let (incident, number, device) = (history.incident.clone(), history.number, history.device);
            let attempt = FenceAttempt { node: node.clone(), incident, number, device };
            let progress = self.host.run(&attempt, &commands);
            match host::answer(self.host, HostOperation::RunFenceDevice, progress) {
                Some(FenceProgress::Running) => return,
                Some(FenceProgress::Succeeded) => {
                    self.host.event(Event::FenceDeviceSucceeded { node: node.clone(), attempt: device });
                    history.outcome = DeviceOutcome::Succeeded;
                    return;
                }
                Some(FenceProgress::Failed) | None => {
                    self.host.event(Event::FenceDeviceFailed { node: node.clone(), attempt: device });
                    history.next_device();
                }
            }
        }
    }
}
