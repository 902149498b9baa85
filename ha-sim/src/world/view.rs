//! The world as one daemon sees it: the host traits of `ha-core`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use ha_core::{
    config::{
        Digest, GroupsConfig, RequestedState, ResourcesConfig, RulesConfig, datacenter::SchedulerMode,
        fence::FenceCommand,
    },
    event::{Event, Why},
    host::{
        ClusterLock, Configuration, ConfigurationStore, Entropy, EventSink, FeedOutcome, FenceAttempt, FenceDevices,
        FenceProgress, GuestControl, Guests, HostError, HostFigures, Job, JobId, JobStart, LEFTOVER_GUEST_LOCKS, Lock,
        LockAnswer, LrmStore, ManagerStore, Membership, ProbeAttempt, ProbeProgress, Statistics, StatusStore,
        UnmanagedGuest, Watchdog, Workers,
    },
    id::{NodeName, ServiceId, Uid},
    lrm::run_job,
    status::{ExitCode, LrmStatus, ManagerStatus},
    time::Instant,
};

use super::{AgentFault, DaemonKind, Node, Operation, Source, Store, What, World, agent::NodeAgent};

/// One daemon's view of the world.
pub struct View<'a> {
    /// The world.
    pub world: &'a mut World,
    /// The node of the daemon.
    pub node: NodeName,
    /// Which daemon.
    pub daemon: DaemonKind,
    /// The daemon's own clock, which its events and locks carry.
    pub clock: Instant,
}

impl View<'_> {
    fn hardware(&self) -> Result<&Node, HostError> {
        self.world.nodes.get(&self.node).ok_or_else(|| HostError::new(format!("no node {}", self.node)))
    }

    /// Fails where the shared records can't be read or written.
    fn check_store(&self) -> Result<(), HostError> {
        let hardware = self.hardware()?;
        if hardware.unmounted {
            Err(HostError::new("the shared store is not mounted"))
        } else if hardware.store_fails {
            Err(HostError::new("the shared store does not answer"))
        } else {
            Ok(())
        }
    }

    /// Fails where nobody can read a record: the manager status, or that of a node's LRM.
    fn check_readable(&self, record: Option<&NodeName>) -> Result<(), HostError> {
        match self.store().broken_records.get(&record.cloned()) {
            Some(why) => Err(HostError::new(why.clone())),
            None => Ok(()),
        }
    }

    /// Fails where another machine works under this node's name.
    fn check_name(&self) -> Result<(), HostError> {
        let is_taken_over = self.world.taken_over.contains_key(&self.node) && !self.world.physics.names_count;
        if is_taken_over { Err(HostError::new("another machine works under this node's name")) } else { Ok(()) }
    }

    fn check_locks(&self) -> Result<(), HostError> {
        self.check_name()?;
        let hardware = self.hardware()?;
        if hardware.locks_fail || hardware.unmounted { Err(HostError::new("the locks do not answer")) } else { Ok(()) }
    }

    /// The store as this node sees it.
    fn store(&self) -> &Store {
        let replica = self.world.nodes.get(&self.node).and_then(|node| node.replica.as_ref());
        replica.map_or(&self.world.store, |replica| &replica.store)
    }

    /// Where each guest is configured, as this node sees it.
    fn guest_nodes(&mut self) -> Arc<Guests> {
        let replica = self.world.nodes.get(&self.node).and_then(|node| node.replica.as_ref());
        match replica {
            Some(replica) => replica.guests.clone(),
            None => self.world.known_guest_nodes(),
        }
    }

    /// Where a guest is configured, as this node sees it.
    pub(super) fn guest_node(&self, sid: &ServiceId) -> Option<&NodeName> {
        let replica = self.world.nodes.get(&self.node).and_then(|node| node.replica.as_ref());
        match replica {
            Some(replica) => replica.guests.node_of(sid),
            None => self.world.guests.get(sid).map(|guest| &guest.node),
        }
    }

    /// Fails without quorum: nothing is written then.
    pub(crate) fn check_writable(&self) -> Result<(), HostError> {
        self.check_store()?;
        self.check_name()?;
        if self.world.store_full {
            return Err(HostError::new("the shared store has no room left"));
        }
        if self.world.is_online(&self.node) { Ok(()) } else { Err(HostError::new("no quorum")) }
    }
}

impl EventSink for View<'_> {
    fn event(&mut self, event: Event) {
        let source = Source::Daemon(self.node.clone(), self.daemon);
        self.world.note(self.clock, source, What::Core(event));
    }

    fn keeps_reasons(&self) -> bool {
        self.world.reasons.is_some()
    }

    fn decision(&mut self, event: Event, why: Why) {
        let source = Source::Daemon(self.node.clone(), self.daemon);
        self.world.note_decision(self.clock, source, What::Core(event), why);
    }
}

impl Membership for View<'_> {
    fn refresh(&mut self) -> Result<(), HostError> {
        let hardware = self.hardware()?;
        if hardware.refresh_fails || hardware.unmounted {
            Err(HostError::new("the view can't be brought up to date"))
        } else {
            Ok(())
        }
    }

    fn is_quorate(&mut self) -> bool {
        self.world.hears_majority(&self.node)
    }

    fn members(&mut self) -> Result<BTreeMap<NodeName, bool>, HostError> {
        if self.hardware()?.unmounted {
            return Err(HostError::new("the shared store is not mounted"));
        }
        let world = &self.world;
        let quorate = world.hears_majority(&self.node);
        let sees = |node| quorate && world.hears(&self.node, node);
        let members = world.nodes.iter().filter(|(_, node)| !node.expelled);
        Ok(members.map(|(node, _)| (node.clone(), sees(node))).collect())
    }
}

impl ClusterLock for View<'_> {
    fn take(&mut self, lock: &Lock) -> Result<LockAnswer, HostError> {
        self.check_locks()?;
        Ok(self.world.take_lock(lock, &self.node, self.clock))
    }

    fn release(&mut self, lock: &Lock) -> Result<(), HostError> {
        self.check_locks()?;
        self.world.release_lock(lock, &self.node, self.clock);
        Ok(())
    }
}

impl Watchdog for View<'_> {
    fn open(&mut self, not_after: Instant) -> Result<FeedOutcome, HostError> {
        match self.world.feed_multiplexer(&self.node, self.daemon, true, not_after) {
            Some(outcome) => outcome,
            None => self.feed(not_after),
        }
    }

    fn feed(&mut self, not_after: Instant) -> Result<FeedOutcome, HostError> {
        if let Some(outcome) = self.world.feed_multiplexer(&self.node, self.daemon, false, not_after) {
            return outcome;
        }
        let (time, timeout) = (self.world.time, self.world.physics.watchdog_timeout);
        let Some(node) = self.world.nodes.get_mut(&self.node) else { return Err(HostError::new("no such node")) };
        let local = node.clock.local(time);
        if local > not_after {
            return Ok(FeedOutcome::TooLate);
        }
        let runs_for = timeout.saturating_add(node.watchdog_late).saturating_sub(node.watchdog_early);
        node.watchdogs.insert(self.daemon, node.clock.world(local.after(runs_for)));
        Ok(FeedOutcome::Fed)
    }

    fn close(&mut self) -> Result<(), HostError> {
        if self.world.leave_multiplexer(&self.node, self.daemon, true) {
            return Ok(());
        }
        if let Some(node) = self.world.nodes.get_mut(&self.node) {
            node.watchdogs.remove(&self.daemon);
        }
        Ok(())
    }
}

impl StatusStore for View<'_> {
    fn manager_status(&mut self) -> Result<Option<Arc<ManagerStatus>>, HostError> {
        self.check_store()?;
        self.check_readable(None)?;
        Ok(self.store().manager_status.clone())
    }

    fn lrm_status(&mut self, node: &NodeName) -> Result<Option<Arc<LrmStatus>>, HostError> {
        self.check_store()?;
        self.check_readable(Some(node))?;
        Ok(self.store().lrm_status.get(node).cloned())
    }
}

impl ConfigurationStore for View<'_> {
    fn configuration(&mut self) -> Result<Configuration, HostError> {
        self.check_store()?;
        let guests = self.guest_nodes();
        let store = self.store();
        Ok(Configuration {
            resources: store.resources.clone(),
            groups: store.groups.clone(),
            nodes: store.nodes.clone(),
            rules: store.rules.clone(),
            datacenter: store.datacenter.clone(),
            fence: store.fence.clone(),
            guests,
        })
    }
}

impl ManagerStore for View<'_> {
    fn write_manager_status(&mut self, status: &ManagerStatus) -> Result<(), HostError> {
        self.check_writable()?;
        self.world.store.broken_records.remove(&None);
        self.world.store.manager_status = Some(Arc::new(status.clone()));
        Ok(())
    }

    fn commands_waiting(&mut self) -> Result<bool, HostError> {
        self.check_store()?;
        Ok(!self.store().commands.is_empty())
    }

    fn take_commands(&mut self) -> Result<Vec<String>, HostError> {
        self.check_writable()?;
        Ok(std::mem::take(&mut self.world.store.commands))
    }
}

impl LrmStore for View<'_> {
    fn write_lrm_status(&mut self, status: &LrmStatus) -> Result<(), HostError> {
        self.check_writable()?;
        self.world.store.broken_records.remove(&Some(self.node.clone()));
        self.world.store.lrm_status.insert(self.node.clone(), Arc::new(status.clone()));
        Ok(())
    }
}

impl GuestControl for View<'_> {
    fn move_configuration(&mut self, sid: &ServiceId, from: &NodeName, to: &NodeName) -> Result<(), HostError> {
        self.check_writable()?;
        let guest = self.world.guests.get_mut(sid).ok_or_else(|| HostError::new(format!("no guest {sid}")))?;
        if guest.node != *from && guest.node != *to {
            return Err(HostError::new(format!("{sid} is on {}, not on {from}", guest.node)));
        }
        guest.node = to.clone();
        Ok(())
    }

    fn remove_leftover_locks(&mut self, sid: &ServiceId, _: &NodeName) -> Result<Option<String>, HostError> {
        self.check_writable()?;
        let guest = self.world.guests.get_mut(sid).ok_or_else(|| HostError::new(format!("no guest {sid}")))?;
        Ok(guest.lock.take_if(|lock| LEFTOVER_GUEST_LOCKS.contains(&lock.as_str())))
    }

    fn set_requested_state(&mut self, sid: &ServiceId, state: RequestedState) -> Result<(), HostError> {
        self.check_writable()?;
        self.world.store.set_requested_state(sid, state);
        Ok(())
    }

    fn write_group_migration(&mut self, rules: &RulesConfig, resources: &ResourcesConfig) -> Result<(), HostError> {
        self.check_writable()?;
        let store = &mut self.world.store;
        let mut rules = rules.clone();
        rules.digest = Digest::of(&rules.write());
        store.rules = Arc::new(rules);
        let migrated = resources.clone();
        store.edit_resources(|resources| *resources = migrated);
        Ok(())
    }

    fn remove_groups(&mut self, _: &GroupsConfig) -> Result<(), HostError> {
        self.check_writable()?;
        self.world.store.groups = Arc::default();
        Ok(())
    }

    fn software_version(&mut self, node: &NodeName) -> Result<Option<String>, HostError> {
        Ok(self.world.nodes.get(node).map(|node| node.version.clone()))
    }
}

impl FenceDevices for View<'_> {
    fn run(&mut self, attempt: &FenceAttempt, commands: &[FenceCommand]) -> Result<FenceProgress, HostError> {
        Ok(self.world.run_fence_device(&self.node, attempt, commands))
    }

    fn forget_fence_attempts(&mut self, except: &BTreeSet<Uid>) -> Result<(), HostError> {
        self.world.forget_fence_attempts(&self.node, except);
        Ok(())
    }
}

impl Statistics for View<'_> {
    fn unmanaged_services(&mut self) -> Result<Vec<UnmanagedGuest>, HostError> {
        Ok(self.world.unmanaged_services())
    }

    fn usage(&mut self, _: SchedulerMode) -> Result<HostFigures, HostError> {
        Ok(self.world.usage())
    }
}

impl Entropy for View<'_> {
    fn random_bytes(&mut self) -> Result<[u8; 16], HostError> {
        let number = u128::from(self.world.next_random());
        Ok(number.to_le_bytes())
    }
}

impl Workers for View<'_> {
    fn start(&mut self, job: &Job) -> Result<JobStart, HostError> {
        let node = self.node.clone();
        if self.world.physics.job_times.is_none() {
            let exit_code = run_job(job.clone(), node, &mut NodeAgent::new(self));
            return Ok(JobStart::Finished(exit_code));
        }
        self.world.begin_job(job, &node);
        Ok(JobStart::Running)
    }

    fn finished(&mut self) -> Result<Vec<(JobId, ExitCode)>, HostError> {
        let node = self.node.clone();
        Ok(self.world.take_finished_jobs(&node))
    }

    fn time_limit(&mut self, job: &Job) -> Result<Option<Duration>, HostError> {
        Ok(self.world.job_time_limit(job, &self.node))
    }

    fn end(&mut self, id: JobId) -> Result<(), HostError> {
        let node = self.node.clone();
        self.world.end_job(id, &node);
        Ok(())
    }

    fn guest_lock(&mut self, sid: &ServiceId) -> Result<Option<String>, HostError> {
        Ok(self.world.guests.get(sid).and_then(|guest| guest.lock.clone()))
    }

    /// What runs here is ready, unless something is wrong with that.
    fn probe(&mut self, attempt: &ProbeAttempt) -> Result<ProbeProgress, HostError> {
        let runs = self.world.runs(&attempt.sid, &self.node);
        let guest = self.world.guests.get_mut(&attempt.sid);
        match guest.and_then(|guest| guest.fault(Operation::Probe, &self.node)) {
            None if runs => Ok(ProbeProgress::Ready),
            None => Err(HostError::new("it does not run here")),
            Some(AgentFault::Fails) => Err(HostError::new("it does not answer")),
            Some(AgentFault::Hangs | AgentFault::Slow) => Ok(ProbeProgress::Running),
            Some(AgentFault::Pretends) => Ok(ProbeProgress::Ready),
            Some(AgentFault::Denies) => Ok(ProbeProgress::NotReady),
            Some(AgentFault::Dies | AgentFault::DiesBefore | AgentFault::Unheard) => Ok(ProbeProgress::Failed),
        }
    }
}
