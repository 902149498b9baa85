//! What is done to a cluster: faults, and what people do.

use std::{collections::BTreeSet, time::Duration};

use ha_core::{
    config::Changes,
    id::{NodeName, ServiceId},
};
use serde::{Deserialize, Serialize};

use crate::{
    cluster::{ActionError, Cluster, Disturbance},
    world::{DaemonKind, DeviceBehaviour, Failure, Operation, Outcome},
};

/// Something that is done to a cluster, or happens to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
#[expect(missing_docs, reason = "fields are the names of nodes, services and daemons, and times")]
pub enum Action {
    /// A node loses its power.
    PowerOff { node: NodeName },
    /// A node gets power and boots.
    PowerOn { node: NodeName },
    /// A node loses its power and boots at once.
    Reset { node: NodeName },
    /// A node is connected, or cut off.
    Network { node: NodeName, connected: bool },
    /// Only nodes within one group see one another.
    Partition { groups: Vec<BTreeSet<NodeName>> },
    /// The network is whole again.
    Heal,
    /// A node does not hear others, though the store reaches them.
    Unheard { node: NodeName, others: BTreeSet<NodeName> },
    /// Records can or can't be read and written.
    StoreWorks { node: NodeName, works: bool },
    /// The view can or can't be brought up to date.
    ViewWorks { node: NodeName, works: bool },
    /// Locks answer or don't.
    LocksWork { node: NodeName, works: bool },
    /// A daemon dies, and is started again.
    Kill { node: NodeName, daemon: DaemonKind, restart_ms: u64 },
    /// A daemon is stopped by a signal.
    Pause { node: NodeName, daemon: DaemonKind },
    /// It goes on.
    Resume { node: NodeName, daemon: DaemonKind },
    /// A call of a daemon goes wrong.
    Disturb(Disturbance),
    /// A wall clock jumps.
    WallClock { node: NodeName, seconds: i64 },
    /// A fence device behaves otherwise.
    Device { name: String, behaviour: DeviceOutcome },
    /// A node is shut down by a person.
    Shutdown { node: NodeName },
    /// A node is rebooted by a person.
    Reboot { node: NodeName },
    /// An LRM is restarted.
    RestartLrm { node: NodeName },
    /// A CRM is stopped.
    StopCrm { node: NodeName },
    /// A daemon is started.
    StartDaemon { node: NodeName, daemon: DaemonKind },
    /// A command is queued.
    Command { line: String },
    /// The requested state of a service is changed.
    Request { sid: ServiceId, state: String },
    /// A service is no longer configured.
    Remove { sid: ServiceId },
    /// A service is configured.
    Add { sid: ServiceId, state: String },
    /// A rule is removed.
    RemoveRule { rule: String },
    /// A rule is added, of a type and with properties.
    AddRule { rule: String, kind: String, properties: Vec<(String, String)> },
    /// A setting of `datacenter.cfg` is changed.
    Datacenter { key: String, value: String },
    /// A guest ends by itself.
    Crash { sid: ServiceId },
    /// An operation of an agent goes wrong.
    AgentFails { sid: ServiceId, operation: AgentOperation, outcome: AgentOutcome, times: u32 },
    /// A node is taken out of the cluster.
    Expel { node: NodeName },
    /// It is taken in again.
    Admit { node: NodeName },
    /// A guest is removed, though HA looks after it.
    DestroyGuest { sid: ServiceId },
    /// A guest is made.
    CreateGuest { sid: ServiceId, node: NodeName },
    /// A guest is locked.
    LockGuest { sid: ServiceId, lock: String },
    /// A guest is unlocked.
    UnlockGuest { sid: ServiceId },
    /// A guest ends and leaves something behind that can't be ended so often.
    LeaveBehind { sid: ServiceId, times: u32 },
    /// Jobs for a guest can't be ended so often.
    Unendable { sid: ServiceId, times: u32 },
    /// Another machine of a node's name gets power.
    TwinAppears { node: NodeName },
    /// It loses it.
    TwinGoes { node: NodeName },
    /// The store has no room left, or has again.
    StoreFull { full: bool },
    /// The store is mounted on a node, or is not.
    Mounted { node: NodeName, mounted: bool },
    /// The entry of a service can't be understood any more, as the CRMs find when they are back.
    DamageEntry { sid: ServiceId, restart_ms: u64 },
    /// The multiplexer of a node is killed, and started again with timings that fit or don't.
    RestartMultiplexer { node: NodeName, after_ms: u64, fits: bool },
    /// It is stopped by a signal, or goes on.
    PauseMultiplexer { node: NodeName, paused: bool },
    /// What daemons send it takes a while.
    DelayFrames { node: NodeName, milliseconds: u64 },
    /// Its next feed of the device takes a while.
    StallDeviceFeed { node: NodeName, milliseconds: u64 },
    /// A person removes what can't be understood.
    RepairStatus,
    /// A person cuts a node's power, and says so.
    ConfirmFenced { node: NodeName },
    /// All faults end: power, networks, stores, agents, daemons, guests.
    MendAll,
}

/// How a fence device behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "as in world::DeviceBehaviour")]
pub enum DeviceOutcome {
    #[default]
    Works,
    Fails,
    Hangs,
    Late,
    Slow,
}

impl From<DeviceOutcome> for DeviceBehaviour {
    fn from(outcome: DeviceOutcome) -> Self {
        match outcome {
            DeviceOutcome::Works => Self::Works,
            DeviceOutcome::Fails => Self::Fails,
            DeviceOutcome::Hangs => Self::Hangs,
            DeviceOutcome::Late => Self::Late,
            DeviceOutcome::Slow => Self::Slow,
        }
    }
}

/// What an agent is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "as in world::Operation")]
pub enum AgentOperation {
    #[default]
    Start,
    Stop,
    Move,
    CheckRunning,
    Locate,
}

impl AgentOperation {
    /// All that an agent is asked for.
    pub const ALL: &[Self] = &[Self::Start, Self::Stop, Self::Move, Self::CheckRunning, Self::Locate];
}

/// How it goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "as in world::Outcome")]
pub enum AgentOutcome {
    #[default]
    Fails,
    Hangs,
    Slow,
    Pretends,
    Denies,
    /// Its worker is killed, though it took effect.
    Dies,
    /// Its worker is killed before it took effect.
    DiesBefore,
    /// It takes effect, and its worker ends with an exit code that nobody knows.
    Unheard,
}

impl From<AgentOperation> for Operation {
    fn from(operation: AgentOperation) -> Self {
        match operation {
            AgentOperation::Start => Self::Start,
            AgentOperation::Stop => Self::Stop,
            AgentOperation::Move => Self::Move,
            AgentOperation::CheckRunning => Self::CheckRunning,
            AgentOperation::Locate => Self::Locate,
        }
    }
}

impl From<AgentOutcome> for Outcome {
    fn from(outcome: AgentOutcome) -> Self {
        match outcome {
            AgentOutcome::Fails => Self::Fails,
            AgentOutcome::Hangs => Self::Hangs,
            AgentOutcome::Slow => Self::Slow,
            AgentOutcome::Pretends => Self::Pretends,
            AgentOutcome::Denies => Self::Denies,
            AgentOutcome::Dies => Self::Dies,
            AgentOutcome::DiesBefore => Self::DiesBefore,
            AgentOutcome::Unheard => Self::Unheard,
        }
    }
}

impl Action {
    /// Its kind, for statistics.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::PowerOff { .. } => "power loss",
            Self::PowerOn { .. } => "power on",
            Self::Reset { .. } => "reset",
            Self::Network { connected: false, .. } => "network cut",
            Self::Network { connected: true, .. } => "network back",
            Self::Partition { .. } => "partition",
            Self::Heal => "partition healed",
            Self::Unheard { .. } => "peers unheard",
            Self::StoreWorks { .. } => "store fails or works",
            Self::ViewWorks { .. } => "view fails or works",
            Self::LocksWork { .. } => "locks fail or work",
            Self::Kill { .. } => "daemon killed",
            Self::Pause { .. } => "daemon paused",
            Self::Resume { .. } => "daemon resumed",
            Self::Disturb(_) => "call disturbed",
            Self::WallClock { .. } => "wall clock jump",
            Self::Device { behaviour: DeviceOutcome::Works, .. } => "fence device works",
            Self::Device { behaviour: DeviceOutcome::Fails | DeviceOutcome::Hangs, .. } => "fence device fails",
            Self::Device { behaviour: DeviceOutcome::Late | DeviceOutcome::Slow, .. } => "fence device is late",
            Self::Shutdown { .. } => "node shutdown",
            Self::Reboot { .. } => "node reboot",
            Self::RestartLrm { .. } => "lrm restart",
            Self::StopCrm { .. } => "crm stop",
            Self::StartDaemon { .. } => "daemon start",
            Self::Command { .. } => "command",
            Self::Request { .. } => "requested state",
            Self::Remove { .. } => "service removed",
            Self::Add { .. } => "service added",
            Self::RemoveRule { .. } => "rule removed",
            Self::AddRule { .. } => "rule added",
            Self::Datacenter { .. } => "datacenter edit",
            Self::Crash { .. } => "guest crash",
            Self::AgentFails { operation: AgentOperation::CheckRunning | AgentOperation::Locate, .. } => {
                "agent can't tell"
            }
            Self::AgentFails { outcome: AgentOutcome::Fails, .. } => "agent fails",
            Self::AgentFails { outcome: AgentOutcome::Hangs | AgentOutcome::Slow, .. } => "agent hangs",
            Self::AgentFails { outcome: AgentOutcome::Pretends | AgentOutcome::Denies, .. } => "agent lies",
            Self::AgentFails { .. } => "worker dies",
            Self::Expel { .. } => "node taken out",
            Self::Admit { .. } => "node taken in",
            Self::DestroyGuest { .. } => "guest removed",
            Self::CreateGuest { .. } => "guest made",
            Self::LockGuest { .. } => "guest locked",
            Self::UnlockGuest { .. } => "guest unlocked",
            Self::LeaveBehind { .. } => "guest leaves something behind",
            Self::Unendable { .. } => "job can't be ended",
            Self::TwinAppears { .. } => "twin appears",
            Self::TwinGoes { .. } => "twin goes",
            Self::StoreFull { full: true } => "store full",
            Self::StoreFull { full: false } => "store has room",
            Self::Mounted { mounted: false, .. } => "store not mounted",
            Self::Mounted { mounted: true, .. } => "store mounted",
            Self::DamageEntry { .. } => "status damaged",
            Self::RestartMultiplexer { fits: true, .. } => "multiplexer restarted",
            Self::RestartMultiplexer { fits: false, .. } => "multiplexer with other timings",
            Self::PauseMultiplexer { paused: true, .. } => "multiplexer paused",
            Self::PauseMultiplexer { paused: false, .. } => "multiplexer resumed",
            Self::DelayFrames { .. } => "frames late or not",
            Self::StallDeviceFeed { .. } => "device fed late",
            Self::RepairStatus => "status repaired",
            Self::ConfirmFenced { .. } => "node confirmed down",
            Self::MendAll => "all mended",
        }
    }

    /// Whether a node may be reset because of it, though all daemons do as they should.
    #[must_use]
    pub fn calls_for_resets(&self) -> bool {
        match self {
            Self::PowerOff { .. }
            | Self::Reset { .. }
            | Self::Network { connected: false, .. }
            | Self::Partition { .. }
            | Self::Unheard { .. }
            | Self::StoreWorks { .. }
            | Self::ViewWorks { .. }
            | Self::LocksWork { .. }
            | Self::Kill { .. }
            | Self::Pause { .. }
            | Self::Disturb(_)
            | Self::AgentFails { .. }
            | Self::Expel { .. }
            // The last stop of a service without a guest fails, so that its node is reset.
            | Self::DestroyGuest { .. }
            | Self::LeaveBehind { .. }
            | Self::Unendable { .. }
            | Self::TwinAppears { .. }
            | Self::Mounted { .. }
            | Self::DamageEntry { .. }
            | Self::ConfirmFenced { .. }
            | Self::RestartMultiplexer { .. }
            | Self::PauseMultiplexer { .. }
            | Self::DelayFrames { .. }
            | Self::StallDeviceFeed { .. }
            | Self::LockGuest { .. } => true,
            Self::PowerOn { .. }
            | Self::Network { connected: true, .. }
            | Self::Heal
            | Self::Resume { .. }
            | Self::WallClock { .. }
            | Self::Device { .. }
            | Self::Shutdown { .. }
            | Self::Reboot { .. }
            | Self::RestartLrm { .. }
            | Self::StopCrm { .. }
            | Self::StartDaemon { .. }
            | Self::Command { .. }
            | Self::Request { .. }
            | Self::Remove { .. }
            | Self::Add { .. }
            | Self::RemoveRule { .. }
            | Self::AddRule { .. }
            | Self::Datacenter { .. }
            | Self::Crash { .. }
            | Self::Admit { .. }
            | Self::CreateGuest { .. }
            | Self::UnlockGuest { .. }
            | Self::TwinGoes { .. }
            | Self::StoreFull { .. }
            | Self::RepairStatus
            | Self::MendAll => false,
        }
    }

    /// Whether a service may rightly end in `error` after it, though its guest is where its entry says: something happened to
    /// its guest, or to what an agent did with it, or an entry in `error` was mended only in part, by `disarm-ha ignore`.
    pub(super) fn may_lead_to_error(&self, service: &ServiceId) -> bool {
        #[allow(clippy::wildcard_enum_match_arm, reason = "all others lead to none")]
        match self {
            Self::AgentFails { sid, .. }
            | Self::LeaveBehind { sid, .. }
            | Self::DestroyGuest { sid }
            | Self::CreateGuest { sid, .. }
            | Self::LockGuest { sid, .. } => sid == service,
            Self::Command { line } => line.starts_with("disarm-ha ignore"),
            _ => false,
        }
    }

    /// Does it.
    ///
    /// # Errors
    ///
    /// If it can't be done now: the node has no power, or nothing can be written, say. Histories go on then.
    pub fn act(&self, cluster: &mut Cluster) -> Result<(), ActionError> {
        match self {
            Self::PowerOff { node } => cluster.power_off(node),
            Self::PowerOn { node } => cluster.power_on(node),
            Self::Reset { node } => cluster.reset(node),
            Self::Network { node, connected } => cluster.set_network(node, *connected),
            Self::Partition { .. } | Self::Heal | Self::Unheard { .. } => {
                self.part(cluster);
                Ok(())
            }
            Self::StoreWorks { node, works } => cluster.set_store_works(node, *works),
            Self::ViewWorks { node, works } => cluster.set_view_works(node, *works),
            Self::LocksWork { node, works } => cluster.set_locks_work(node, *works),
            Self::Kill { node, daemon, restart_ms } => {
                cluster.kill_daemon(node, *daemon)?;
                cluster.start_daemon_after(node, *daemon, Duration::from_millis(*restart_ms))
            }
            Self::Pause { node, daemon } => cluster.pause_daemon(node, *daemon),
            Self::Resume { node, daemon } => cluster.resume_daemon(node, *daemon),
            Self::Disturb(disturbance) => {
                cluster.disturb(disturbance.clone());
                Ok(())
            }
            Self::WallClock { node, seconds } => {
                cluster.jump_wall_clock(node, *seconds);
                Ok(())
            }
            Self::Device { name, behaviour } => {
                cluster.set_device(name.clone(), (*behaviour).into());
                Ok(())
            }
            Self::Shutdown { node } => cluster.shutdown(node),
            Self::Reboot { node } => cluster.reboot(node),
            Self::RestartLrm { node } => cluster.restart_lrm(node),
            Self::StopCrm { node } => cluster.stop_crm(node),
            Self::StartDaemon { node, daemon } => cluster.start_daemon(node, *daemon),
            Self::Command { line } => cluster.queue_command(line.clone()),
            Self::Request { .. }
            | Self::Remove { .. }
            | Self::Add { .. }
            | Self::RemoveRule { .. }
            | Self::AddRule { .. } => self.edit(cluster),
            Self::Datacenter { key, value } => cluster.edit_datacenter(Changes { set: &[(key, value)], unset: &[] }),
            Self::Expel { node } => cluster.set_member(node, false),
            Self::Admit { node } => cluster.set_member(node, true),
            Self::Crash { .. }
            | Self::AgentFails { .. }
            | Self::DestroyGuest { .. }
            | Self::CreateGuest { .. }
            | Self::LockGuest { .. }
            | Self::UnlockGuest { .. } => self.act_on_guest(cluster),
            Self::LeaveBehind { .. }
            | Self::Unendable { .. }
            | Self::TwinAppears { .. }
            | Self::TwinGoes { .. }
            | Self::StoreFull { .. }
            | Self::Mounted { .. }
            | Self::DamageEntry { .. }
            | Self::RepairStatus
            | Self::ConfirmFenced { .. }
            | Self::RestartMultiplexer { .. }
            | Self::PauseMultiplexer { .. }
            | Self::DelayFrames { .. }
            | Self::StallDeviceFeed { .. } => self.act_around(cluster),
            Self::MendAll => mend_all(cluster),
        }
    }

    /// Does it, where it concerns who hears whom.
    #[allow(clippy::wildcard_enum_match_arm, reason = "the others part nobody")]
    fn part(&self, cluster: &mut Cluster) {
        match self {
            Self::Partition { groups } => cluster.partition(groups.clone()),
            Self::Heal => cluster.heal(),
            Self::Unheard { node, others } => cluster.set_unheard(node, others.clone()),
            _ => {}
        }
    }

    /// Does it, where it concerns a guest.
    #[allow(clippy::wildcard_enum_match_arm, reason = "the others concern no guest")]
    fn act_on_guest(&self, cluster: &mut Cluster) -> Result<(), ActionError> {
        match self {
            Self::Crash { sid } => cluster.crash_guest(sid),
            Self::AgentFails { sid, operation, outcome, times } => {
                let (operation, outcome) = ((*operation).into(), (*outcome).into());
                cluster.fail(sid, Failure { operation, outcome, node: None, times: Some(*times) })
            }
            Self::DestroyGuest { sid } => cluster.destroy_guest(sid),
            Self::CreateGuest { sid, node } => cluster.create_guest(sid, node),
            Self::LockGuest { sid, lock } => cluster.lock_guest(sid, Some(lock)),
            Self::UnlockGuest { sid } => cluster.lock_guest(sid, None),
            _ => Ok(()),
        }
    }

    /// Does it, where it concerns what runs around the daemons.
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "the others concern daemons, networks and configuration, or a multiplexer"
    )]
    fn act_around(&self, cluster: &mut Cluster) -> Result<(), ActionError> {
        match self {
            Self::LeaveBehind { sid, times } => cluster.leave_behind(sid, *times),
            Self::Unendable { sid, times } => cluster.let_jobs_go_on(sid, *times),
            Self::TwinAppears { node } => cluster.twin_appears(node),
            Self::TwinGoes { node } => cluster.twin_goes(node),
            Self::StoreFull { full } => {
                cluster.set_store_full(*full);
                Ok(())
            }
            Self::Mounted { node, mounted } => cluster.set_mounted(node, *mounted),
            Self::DamageEntry { sid, restart_ms } => {
                cluster.damage_entry(sid)?;
                start_crms(cluster, *restart_ms);
                Ok(())
            }
            Self::RepairStatus => {
                cluster.repair_status()?;
                start_crms(cluster, 1_000);
                Ok(())
            }
            Self::ConfirmFenced { node } => {
                cluster.power_off(node)?;
                cluster.queue_command(format!("confirm-fenced {node}"))
            }
            _ => {
                self.disturb_multiplexer(cluster);
                Ok(())
            }
        }
    }

    #[allow(clippy::wildcard_enum_match_arm, reason = "the others concern no multiplexer")]
    fn disturb_multiplexer(&self, cluster: &mut Cluster) {
        match self {
            Self::RestartMultiplexer { node, after_ms, fits } => {
                cluster.restart_multiplexer(node, Duration::from_millis(*after_ms), *fits);
            }
            Self::PauseMultiplexer { node, paused } => cluster.pause_multiplexer(node, *paused),
            Self::DelayFrames { node, milliseconds } => {
                cluster.delay_frames(node, Duration::from_millis(*milliseconds));
            }
            Self::StallDeviceFeed { node, milliseconds } => {
                cluster.stall_device_feed(node, Duration::from_millis(*milliseconds));
            }
            _ => {}
        }
    }

    #[allow(clippy::wildcard_enum_match_arm, reason = "the others are no edits")]
    fn edit(&self, cluster: &mut Cluster) -> Result<(), ActionError> {
        cluster.edit(|editor, config| match self {
            Self::Request { sid, state } => {
                editor.set_resource(config, sid.as_str(), Changes { set: &[("state", state)], unset: &[] })
            }
            Self::Remove { sid } => editor.remove_resource(config, sid.as_str(), true),
            Self::Add { sid, state } => editor.add_resource(config, sid.as_str(), &[("state", state)]).map(|_| ()),
            Self::RemoveRule { rule } => editor.remove_rule(config, rule),
            Self::AddRule { rule, kind, properties } => {
                let set: Vec<(&str, &str)> =
                    properties.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
                editor.add_rule(config, kind, rule, &set)
            }
            _ => Ok(()),
        })
    }
}

/// Starts all CRMs that do not run, but on nodes without power.
fn start_crms(cluster: &mut Cluster, after_ms: u64) {
    let nodes: Vec<NodeName> = cluster.world().nodes.keys().cloned().collect();
    for node in nodes {
        let _has_power = cluster.start_daemon_after(&node, DaemonKind::Crm, Duration::from_millis(after_ms));
    }
}

/// Ends all faults. What needs time, such as a boot, begins.
fn mend_all(cluster: &mut Cluster) -> Result<(), ActionError> {
    cluster.stop_disturbing();
    cluster.heal();
    cluster.end_hung_jobs();
    cluster.set_store_full(false);
    cluster.release_leftovers();
    cluster.end_shutdowns()?;
    let nodes: Vec<NodeName> = cluster.world().nodes.keys().cloned().collect();
    for node in &nodes {
        if cluster.twin_place(node).is_some() {
            cluster.twin_goes(node)?;
        }
        cluster.set_mounted(node, true)?;
        cluster.mend_multiplexer(node);
        cluster.set_network(node, true)?;
        cluster.set_store_works(node, true)?;
        cluster.set_view_works(node, true)?;
        cluster.set_locks_work(node, true)?;
        cluster.set_unheard(node, BTreeSet::new());
        cluster.set_member(node, true)?;
        for daemon in DaemonKind::ALL {
            // A daemon that does not run is started, unless its node has no power.
            let _runs = cluster.resume_daemon(node, daemon);
            let _started = cluster.start_daemon_if_missing(node, daemon);
        }
    }
    let devices: Vec<String> = cluster.world().devices.keys().cloned().collect();
    for device in devices {
        cluster.set_device(device, DeviceBehaviour::Works);
    }
    let guests: Vec<ServiceId> = cluster.world().guests.keys().cloned().collect();
    for sid in &guests {
        cluster.lock_guest(sid, None)?;
        cluster.let_jobs_go_on(sid, 0)?;
        for operation in AgentOperation::ALL {
            cluster.mend(sid, (*operation).into())?;
        }
    }
    Ok(())
}
