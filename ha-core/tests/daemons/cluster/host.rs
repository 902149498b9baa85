//! The host of one daemon: calls that may fail.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    sync::Arc,
};

use ha_core::{
    config::{
        GroupsConfig, RequestedState, ResourcesConfig, RulesConfig, datacenter::SchedulerMode, fence::FenceCommand,
    },
    event::Event,
    host::{
        Agent, ClusterLock, Configuration, ConfigurationStore, Entropy, EventSink, FeedOutcome, FenceAttempt,
        FenceDevices, FenceProgress, GuestControl, HostError, HostFigures, HostOperation, Job, JobId, JobStart, Lock,
        LockAnswer, LrmStore, ManagerStore, Membership, ProbeAttempt, ProbeProgress, Statistics, StatusStore,
        UnmanagedGuest, Watchdog, Workers,
    },
    id::{NodeName, ServiceId, Uid},
    status::{ExitCode, LrmStatus, ManagerStatus, Motion},
    time::Instant,
};

use super::{Cluster, Daemon, Fault, JOB, Node, Report};

/// Calls of one daemon, as long as its node has power.
pub(crate) struct Call<'a> {
    cluster: &'a mut Cluster,
    name: NodeName,
    daemon: Daemon,
    /// When the daemon was called: its answers count from here.
    called: Instant,
}

impl<'a> Call<'a> {
    pub(super) fn new(cluster: &'a mut Cluster, name: &NodeName, daemon: Daemon) -> Self {
        let called = cluster.time;
        Self { cluster, name: name.clone(), daemon, called }
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.cluster.nodes[&self.name].powered
    }

    fn node(&mut self) -> &mut Node {
        self.cluster.nodes.get_mut(&self.name).unwrap()
    }

    /// Makes a call that may fail. `wrong` is the answer that says no, or makes no sense.
    fn call<T>(
        &mut self,
        operation: HostOperation,
        wrong: Option<T>,
        act: impl FnOnce(&mut Self) -> Result<T, HostError>,
    ) -> Result<T, HostError> {
        if !self.is_alive() {
            return Err(HostError::new("the node has no power"));
        }
        if self.cluster.broken.contains(&(self.name.clone(), operation)) {
            return Err(HostError::new("broken"));
        }
        let answer = match self.cluster.count_call(operation) {
            None => act(self),
            Some(Fault::Fails) => Err(HostError::new("not done")),
            Some(Fault::Unknown) => act(self).and(Err(HostError::new("done, but the answer is lost"))),
            Some(Fault::Late(seconds)) => {
                let answer = act(self);
                self.cluster.run_for(seconds);
                answer
            }
            Some(Fault::Wrong) => match wrong {
                Some(wrong) => Ok(wrong),
                None => act(self),
            },
        };
        if self.is_alive() { answer } else { Err(HostError::new("the node has no power")) }
    }

    fn check_writable(&self) -> Result<(), HostError> {
        if self.cluster.is_online(&self.name) { Ok(()) } else { Err(HostError::new("no quorum")) }
    }
}

impl EventSink for Call<'_> {
    fn event(&mut self, event: Event) {
        if self.is_alive() {
            let report = Report { at: self.cluster.time, node: self.name.clone(), daemon: self.daemon, event };
            self.cluster.reports.push(report);
        }
    }
}

impl Membership for Call<'_> {
    fn refresh(&mut self) -> Result<(), HostError> {
        self.call(HostOperation::Refresh, None, |_| Ok(()))
    }

    fn is_quorate(&mut self) -> bool {
        self.is_alive() && self.cluster.is_online(&self.name)
    }

    fn members(&mut self) -> Result<BTreeMap<NodeName, bool>, HostError> {
        self.call(HostOperation::Members, Some(BTreeMap::new()), |call| {
            let names = call.cluster.nodes.keys();
            Ok(names.map(|name| (name.clone(), call.cluster.is_online(name))).collect())
        })
    }
}

impl ClusterLock for Call<'_> {
    fn take(&mut self, lock: &Lock) -> Result<LockAnswer, HostError> {
        let answer = self.call(HostOperation::TakeLock, Some(LockAnswer::Refused), |call| {
            if !call.cluster.is_online(&call.name) {
                return Ok(LockAnswer::Refused);
            }
            let answer = match call.cluster.holder(lock) {
                Some(holder) if *holder == call.name => LockAnswer::Renewed,
                Some(_) => return Ok(LockAnswer::Refused),
                None => LockAnswer::Acquired,
            };
            call.cluster.locks.insert(lock.clone(), (call.name.clone(), call.cluster.time));
            Ok(answer)
        })?;
        let is_own = match self.daemon {
            Daemon::Crm => *lock == Lock::Manager,
            Daemon::Lrm => *lock == Lock::Agent(self.name.clone()),
        };
        if is_own && answer != LockAnswer::Refused {
            let (daemon, called) = (self.daemon, self.called);
            self.node().renewals.insert(daemon, called);
        }
        Ok(answer)
    }

    fn release(&mut self, lock: &Lock) -> Result<(), HostError> {
        self.call(HostOperation::ReleaseLock, None, |call| {
            if call.cluster.holder(lock) == Some(&call.name) {
                call.cluster.locks.remove(lock);
            }
            Ok(())
        })
    }
}

impl Call<'_> {
    fn feed_by(&mut self, operation: HostOperation, not_after: Instant) -> Result<FeedOutcome, HostError> {
        self.call(operation, Some(FeedOutcome::TooLate), |call| {
            if call.cluster.time > not_after {
                return Ok(FeedOutcome::TooLate);
            }
            let (name, daemon, time) = (call.name.clone(), call.daemon, call.cluster.time);
            call.cluster.check_feed(&name, daemon, not_after);
            call.node().watchdogs.insert(daemon, time);
            Ok(FeedOutcome::Fed)
        })
    }
}

impl Watchdog for Call<'_> {
    fn open(&mut self, not_after: Instant) -> Result<FeedOutcome, HostError> {
        self.feed_by(HostOperation::OpenWatchdog, not_after)
    }

    fn feed(&mut self, not_after: Instant) -> Result<FeedOutcome, HostError> {
        self.feed_by(HostOperation::FeedWatchdog, not_after)
    }

    fn close(&mut self) -> Result<(), HostError> {
        self.call(HostOperation::CloseWatchdog, None, |call| {
            let (name, daemon) = (call.name.clone(), call.daemon);
            call.cluster.check_close(&name, daemon);
            call.node().watchdogs.remove(&daemon);
            Ok(())
        })
    }
}

impl StatusStore for Call<'_> {
    fn manager_status(&mut self) -> Result<Option<Arc<ManagerStatus>>, HostError> {
        self.call(HostOperation::ReadManagerStatus, None, |call| Ok(call.cluster.store.manager_status.clone()))
    }

    fn lrm_status(&mut self, node: &NodeName) -> Result<Option<Arc<LrmStatus>>, HostError> {
        self.call(HostOperation::ReadLrmStatus, None, |call| Ok(call.cluster.store.lrm_status.get(node).cloned()))
    }
}

impl ConfigurationStore for Call<'_> {
    fn configuration(&mut self) -> Result<Configuration, HostError> {
        self.call(HostOperation::ReadConfiguration, None, |call| {
            let store = &call.cluster.store;
            let guests = call.cluster.guests.iter().map(|(sid, guest)| (sid.clone(), guest.node.clone()));
            Ok(Configuration {
                resources: store.resources.clone(),
                groups: store.groups.clone(),
                rules: store.rules.clone(),
                nodes: Arc::default(),
                datacenter: store.datacenter.clone(),
                fence: store.fence.clone(),
                guests: Arc::new(guests.collect()),
            })
        })
    }
}

impl ManagerStore for Call<'_> {
    fn write_manager_status(&mut self, status: &ManagerStatus) -> Result<(), HostError> {
        self.call(HostOperation::WriteManagerStatus, None, |call| {
            call.check_writable()?;
            let name = call.name.clone();
            call.cluster.check_master(&name, "wrote the manager status")?;
            // What others read has gone through JSON.
            let written = ManagerStatus::from_json(&status.to_json()).unwrap();
            assert_eq!(written, *status);
            call.cluster.store.manager_status = Some(Arc::new(written));
            Ok(())
        })
    }

    fn commands_waiting(&mut self) -> Result<bool, HostError> {
        self.call(HostOperation::Commands, None, |call| Ok(!call.cluster.store.commands.is_empty()))
    }

    fn take_commands(&mut self) -> Result<Vec<String>, HostError> {
        let nonsense = vec!["migrate vm:101".into(), "\u{0}".into(), "relocate no-such:service nowhere".into()];
        self.call(HostOperation::Commands, Some(nonsense), |call| {
            call.check_writable()?;
            Ok(mem::take(&mut call.cluster.store.commands))
        })
    }
}

impl LrmStore for Call<'_> {
    fn write_lrm_status(&mut self, status: &LrmStatus) -> Result<(), HostError> {
        self.call(HostOperation::WriteLrmStatus, None, |call| {
            call.check_writable()?;
            let written = LrmStatus::from_json(&status.to_json()).unwrap();
            call.cluster.store.lrm_status.insert(call.name.clone(), Arc::new(written));
            if let Some(then) = call.cluster.after_record {
                then(call.cluster);
            }
            Ok(())
        })
    }
}

impl GuestControl for Call<'_> {
    fn move_configuration(&mut self, sid: &ServiceId, from: &NodeName, to: &NodeName) -> Result<(), HostError> {
        self.call(HostOperation::MoveConfiguration, None, |call| {
            call.check_writable()?;
            let name = call.name.clone();
            call.cluster.check_master(&name, "moved a configuration")?;
            call.cluster.check_steal(sid, from);
            let guest = call.cluster.guests.get_mut(sid).ok_or_else(|| HostError::new("there is no such guest"))?;
            if guest.node != *from && guest.node != *to {
                return Err(HostError::new("it is not there"));
            }
            guest.node = to.clone();
            Ok(())
        })
    }

    fn remove_leftover_locks(&mut self, _: &ServiceId, _: &NodeName) -> Result<Option<String>, HostError> {
        self.call(HostOperation::RemoveLeftoverLocks, None, |_| Ok(None))
    }

    fn set_requested_state(&mut self, sid: &ServiceId, state: RequestedState) -> Result<(), HostError> {
        self.call(HostOperation::SetRequestedState, None, |call| {
            call.check_writable()?;
            let name = call.name.clone();
            call.cluster.check_master(&name, "changed a requested state")?;
            let resource = call.cluster.resources().get_mut(sid);
            resource.ok_or_else(|| HostError::new("it is not configured"))?.state = Some(state);
            Ok(())
        })
    }

    fn write_group_migration(&mut self, rules: &RulesConfig, resources: &ResourcesConfig) -> Result<(), HostError> {
        self.call(HostOperation::MigrateGroups, None, |call| {
            call.check_writable()?;
            let name = call.name.clone();
            call.cluster.check_master(&name, "migrated groups")?;
            call.cluster.store.rules = Arc::new(rules.clone());
            call.cluster.store.resources = Arc::new(resources.clone());
            Ok(())
        })
    }

    fn remove_groups(&mut self, _: &GroupsConfig) -> Result<(), HostError> {
        self.call(HostOperation::MigrateGroups, None, |call| {
            call.check_writable()?;
            call.cluster.store.groups = Arc::default();
            Ok(())
        })
    }

    fn software_version(&mut self, node: &NodeName) -> Result<Option<String>, HostError> {
        self.call(HostOperation::SoftwareVersion, Some(None), |call| {
            Ok(Some(call.cluster.versions.get(node).cloned().unwrap_or_else(|| "9.3.0".into())))
        })
    }
}

impl FenceDevices for Call<'_> {
    fn run(&mut self, attempt: &FenceAttempt, _: &[FenceCommand]) -> Result<FenceProgress, HostError> {
        self.call(HostOperation::RunFenceDevice, None, |call| {
            call.cluster.attempts.push(attempt.clone());
            Ok(call.cluster.devices.get(&attempt.device).copied().unwrap_or(FenceProgress::Failed))
        })
    }

    fn forget_fence_attempts(&mut self, except: &BTreeSet<Uid>) -> Result<(), HostError> {
        self.call(HostOperation::ForgetFenceAttempts, Some(()), |call| {
            call.cluster.forgotten.push(except.clone());
            Ok(())
        })
    }
}

impl Statistics for Call<'_> {
    fn unmanaged_services(&mut self) -> Result<Vec<UnmanagedGuest>, HostError> {
        self.call(HostOperation::Statistics, None, |call| Ok(call.cluster.unmanaged.clone()))
    }

    fn usage(&mut self, _: SchedulerMode) -> Result<HostFigures, HostError> {
        self.call(HostOperation::Statistics, None, |_| Err(HostError::new("there are none")))
    }
}

impl Entropy for Call<'_> {
    fn random_bytes(&mut self) -> Result<[u8; 16], HostError> {
        self.call(HostOperation::RandomBytes, None, |call| {
            call.cluster.random += 1;
            Ok(call.cluster.random.to_le_bytes())
        })
    }
}

impl Workers for Call<'_> {
    fn start(&mut self, job: &Job) -> Result<JobStart, HostError> {
        let killed = JobStart::Finished(ExitCode::KILLED);
        self.call(HostOperation::StartJob, Some(killed), |call| {
            let name = call.name.clone();
            call.cluster.check_job(&name);
            let ends = call.cluster.time.after(call.cluster.job_time.unwrap_or(JOB));
            if call.cluster.guests.get(&job.sid).is_none_or(|guest| guest.hangs != Some(job.command)) {
                call.node().jobs.push((ends, job.clone()));
            }
            Ok(JobStart::Running)
        })
    }

    fn end(&mut self, id: JobId) -> Result<(), HostError> {
        self.call(HostOperation::EndJob, None, |call| {
            if !call.cluster.ends_jobs {
                return Err(HostError::new("it is stuck"));
            }
            call.node().finished.push((id, ExitCode::KILLED));
            Ok(())
        })
    }

    fn guest_lock(&mut self, sid: &ServiceId) -> Result<Option<String>, HostError> {
        let locked = self.cluster.guests.get(sid).is_some_and(|guest| guest.locked);
        Ok(locked.then(|| "backup".into()))
    }

    fn probe(&mut self, attempt: &ProbeAttempt) -> Result<ProbeProgress, HostError> {
        self.call(HostOperation::Probe, Some(ProbeProgress::Failed), |call| {
            call.cluster.probed.push(attempt.clone());
            call.cluster.guests.get(&attempt.sid).map_or(Ok(ProbeProgress::NotReady), |guest| guest.probe.clone())
        })
    }

    fn finished(&mut self) -> Result<Vec<(JobId, ExitCode)>, HostError> {
        let nonsense = vec![(JobId(u64::MAX), ExitCode::SUCCESS), (JobId(0), ExitCode(i32::MIN))];
        self.call(HostOperation::FinishedJobs, Some(nonsense), |call| Ok(mem::take(&mut call.node().finished)))
    }
}

impl Agent for Call<'_> {
    fn knows_type(&mut self, service_type: &str) -> bool {
        service_type != "zz"
    }

    fn guest_node(&mut self, sid: &ServiceId) -> Result<Option<NodeName>, HostError> {
        self.call(HostOperation::LocateGuest, None, |call| {
            Ok(call.cluster.guests.get(sid).map(|guest| guest.node.clone()))
        })
    }

    fn is_running(&mut self, sid: &ServiceId) -> Result<bool, HostError> {
        self.call(HostOperation::CheckRunning, None, |call| Ok(call.node().running.contains(sid)))
    }

    fn start(&mut self, sid: &ServiceId) -> Result<(), HostError> {
        self.call(HostOperation::StartService, None, |call| {
            let name = call.name.clone();
            check_lock(call.cluster, sid)?;
            if call.cluster.guests[sid].start_fails_on.contains(&name) {
                return Err(HostError::new("it does not start here"));
            }
            call.cluster.check_start(sid, &name);
            call.node().running.insert(sid.clone());
            Ok(())
        })
    }

    fn stop(&mut self, sid: &ServiceId, _: Option<u32>) -> Result<(), HostError> {
        self.call(HostOperation::StopService, None, |call| {
            check_lock(call.cluster, sid)?;
            if call.cluster.guests[sid].stop_fails {
                return Err(HostError::new("it does not stop"));
            }
            call.node().running.remove(sid);
            Ok(())
        })
    }

    fn move_to(&mut self, sid: &ServiceId, target: &NodeName, motion: Motion) -> Result<(), HostError> {
        self.call(HostOperation::MoveService, None, |call| {
            if !call.cluster.is_online(target) || !call.cluster.is_online(&call.name) {
                return Err(HostError::new("the target can't be reached"));
            }
            check_lock(call.cluster, sid)?;
            let ran = call.node().running.remove(sid);
            if ran && motion == Motion::Migrate {
                call.cluster.check_start(sid, target);
                call.cluster.nodes.get_mut(target).unwrap().running.insert(sid.clone());
            }
            call.cluster.guests.get_mut(sid).unwrap().node = target.clone();
            Ok(())
        })
    }
}

fn check_lock(cluster: &Cluster, sid: &ServiceId) -> Result<(), HostError> {
    if cluster.guests[sid].locked { Err(HostError::locked("backup")) } else { Ok(()) }
}
