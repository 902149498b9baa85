//! Deeds, done.

use std::{collections::BTreeSet, time::Duration};

use ha_core::{
    config::Changes,
    id::{NodeName, ServiceId},
};

use super::{Action, Edit, EditKind, Edited};
use crate::{
    cluster::{ActionError, Cluster},
    world::{DaemonKind, DeviceBehaviour, Operation},
};

impl Action {
    /// Does it.
    ///
    /// # Errors
    ///
    /// If it can't be done now: because the node has no power, say, or nothing can be written.
    #[allow(clippy::wildcard_enum_match_arm, reason = "the others are about guests, or what runs around the daemons")]
    pub fn act(&self, cluster: &mut Cluster) -> Result<(), ActionError> {
        match self {
            Self::PowerOff { node } => cluster.power_off(node),
            Self::PowerOn { node } => cluster.power_on(node),
            Self::Reset { node } => cluster.reset(node),
            Self::Network { node, connected } => cluster.set_network(node, *connected),
            Self::Partition { groups } => {
                cluster.partition(groups.clone());
                Ok(())
            }
            Self::Heal => {
                cluster.heal();
                Ok(())
            }
            Self::Unheard { node, others } => {
                cluster.set_unheard(node, others.clone());
                Ok(())
            }
            Self::Suspended { node, suspended: true } => cluster.suspend(node),
            Self::Suspended { node, suspended: false } => cluster.wake(node),
            Self::Kill { node, daemon, restart_ms } => {
                cluster.kill_daemon(node, *daemon)?;
                match restart_ms {
                    Some(after) => cluster.start_daemon_after(node, *daemon, Duration::from_millis(*after)),
                    None => Ok(()),
                }
            }
            Self::Pause { node, daemon } => cluster.pause_daemon(node, *daemon),
            Self::Resume { node, daemon } => cluster.resume_daemon(node, *daemon),
            Self::StartDaemon { node, daemon } => cluster.start_daemon(node, *daemon),
            Self::RestartLrm { node } => cluster.restart_lrm(node),
            Self::StopCrm { node } => cluster.stop_crm(node),
            Self::Disturb(disturbance) => {
                cluster.disturb(disturbance.clone());
                Ok(())
            }
            Self::Shutdown { node } => cluster.shutdown(node),
            Self::Reboot { node } => cluster.reboot(node),
            Self::Expel { node } => cluster.expel(node),
            Self::Retire { node } => cluster.set_member(node, false),
            Self::Admit { node } => cluster.set_member(node, true),
            Self::Command { line } => cluster.queue_command(line.clone()),
            Self::Edit(edit) => edit.act(cluster),
            Self::MendAll => mend_all(cluster),
            Self::Say(_) => Ok(()),
            _ => self.act_on_guest(cluster),
        }
    }

    /// Does it, where it concerns a guest.
    #[allow(clippy::wildcard_enum_match_arm, reason = "the others concern no guest")]
    fn act_on_guest(&self, cluster: &mut Cluster) -> Result<(), ActionError> {
        match self {
            Self::Crash { sid } => cluster.crash_guest(sid),
            Self::AgentFails { sid, disturbance } => cluster.fail(sid, disturbance.clone()),
            Self::AgentWorks { sid, operation } => cluster.mend(sid, *operation),
            Self::CreateGuest { sid, node } => cluster.create_guest(sid, node),
            Self::DestroyGuest { sid } => cluster.destroy_guest(sid),
            Self::StartGuest { sid, node } => cluster.start_guest(sid, node),
            Self::CarryGuest { sid, node } => cluster.move_guest(sid, node),
            Self::LockGuest { sid, lock, time: Some(time) } => cluster.lock_guest_for(sid, lock, *time),
            Self::LockGuest { sid, lock, time: None } => cluster.lock_guest(sid, Some(lock)),
            Self::UnlockGuest { sid } => cluster.lock_guest(sid, None),
            Self::LeaveBehind { sid, times } => cluster.leave_behind(sid, *times),
            Self::Unendable { sid, times } => cluster.let_jobs_go_on(sid, *times),
            Self::GuestTimes { sid, times } => cluster.set_guest_times(sid, *times),
            Self::GuestLoad { sid, cores, memory } => cluster.set_guest_load(sid, *cores, *memory),
            Self::GuestSize { sid, cores, memory } => cluster.set_guest_size(sid, *cores, *memory),
            _ => self.act_on_store(cluster),
        }
    }

    /// Does it, where it concerns what the nodes share.
    #[allow(clippy::wildcard_enum_match_arm, reason = "the others concern what runs around the daemons")]
    fn act_on_store(&self, cluster: &mut Cluster) -> Result<(), ActionError> {
        match self {
            Self::StoreWorks { node, works } => cluster.set_store_works(node, *works),
            Self::ViewWorks { node, works } => cluster.set_view_works(node, *works),
            Self::LocksWork { node, works } => cluster.set_locks_work(node, *works),
            Self::StaleReads { node, stale } => cluster.set_reads_stale(node, *stale),
            Self::Mounted { node, mounted } => cluster.set_mounted(node, *mounted),
            Self::StoreFull { full } => {
                cluster.set_store_full(*full);
                Ok(())
            }
            Self::Write { place, text } => cluster.write_raw(place, text),
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
            _ => self.act_around(cluster),
        }
    }

    /// Does it, where it concerns what runs around the daemons.
    #[allow(clippy::wildcard_enum_match_arm, reason = "the others were done before")]
    fn act_around(&self, cluster: &mut Cluster) -> Result<(), ActionError> {
        match self {
            Self::TwinAppears { node } => return cluster.twin_appears(node),
            Self::TwinGoes { node } => return cluster.twin_goes(node),
            Self::NodeSize { node, cores, memory } => return cluster.set_node_size(node, *cores, *memory),
            Self::Version { node, version } => return cluster.set_version(node, version.clone()),
            Self::WallClock { node, seconds } => cluster.jump_wall_clock(node, *seconds),
            Self::Device { name, behaviour } => cluster.set_device(name.clone(), *behaviour),
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
        Ok(())
    }
}

impl Edit {
    fn act(&self, cluster: &mut Cluster) -> Result<(), ActionError> {
        let nothing = (Vec::new(), Vec::new());
        let (set, unset) = match &self.how {
            EditKind::Add { set, .. } | EditKind::Set(set) => {
                (set.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect(), Vec::new())
            }
            EditKind::Unset(unset) => (Vec::new(), unset.iter().map(String::as_str).collect()),
            EditKind::Remove { .. } => nothing,
        };
        let changes = Changes { set: &set, unset: &unset };
        if self.what == Edited::Datacenter {
            return cluster.edit_datacenter(changes);
        }
        cluster.edit(|editor, config| match (&self.what, &self.how) {
            (Edited::Resource(sid), EditKind::Add { .. }) => editor.add_resource(config, sid.as_str(), &set).map(drop),
            (Edited::Resource(sid), EditKind::Set(_) | EditKind::Unset(_)) => {
                editor.set_resource(config, sid.as_str(), changes)
            }
            (Edited::Resource(sid), EditKind::Remove { purge }) => editor.remove_resource(config, sid.as_str(), *purge),
            (Edited::Group(id), EditKind::Add { .. }) => editor.add_group(config, id, &set),
            (Edited::Group(id), EditKind::Set(_) | EditKind::Unset(_)) => editor.set_group(config, id, changes),
            (Edited::Group(id), EditKind::Remove { .. }) => editor.remove_group(config, id),
            (Edited::Rule(id), EditKind::Add { rule_type, .. }) => {
                editor.add_rule(config, rule_type.as_deref().unwrap_or_default(), id, &set)
            }
            (Edited::Rule(id), EditKind::Set(_) | EditKind::Unset(_)) => editor.set_rule(config, id, changes),
            (Edited::Rule(id), EditKind::Remove { .. }) => editor.remove_rule(config, id),
            (Edited::Node(node), EditKind::Add { .. } | EditKind::Set(_) | EditKind::Unset(_)) => {
                editor.set_node(config, node.as_str(), changes)
            }
            (Edited::Node(_), EditKind::Remove { .. }) | (Edited::Datacenter, _) => Ok(()),
        })
    }
}

/// Starts all CRMs that do not run, except on nodes without power.
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
        for operation in Operation::ALL {
            cluster.mend(sid, *operation)?;
        }
    }
    Ok(())
}
