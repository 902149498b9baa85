//! The callbacks of a host as the host traits of the core.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::CString,
    ffi::c_void,
    sync::Arc,
    time::Duration,
};

use ha_core::{
    config::{
        GroupsConfig, RequestedState, ResourcesConfig, RulesConfig, datacenter::SchedulerMode, fence::FenceCommand,
    },
    event::Event,
    host::{
        Agent, ClusterLock, Configuration, ConfigurationStore, Entropy, EventSink, FeedOutcome, FenceAttempt,
        FenceDevices, FenceProgress, GuestControl, HostError, HostFigures, Job, JobId, JobStart, Lock, LockAnswer,
        LrmStore, ManagerStore, Membership, ProbeAttempt, ProbeProgress, Statistics, StatusStore, UnmanagedGuest,
        Watchdog, Workers,
    },
    id::{NodeName, ServiceId, Uid},
    status::{ExitCode, LrmStatus, ManagerStatus, Motion},
    time::Instant,
};

use crate::{
    answer::ha_answer::{
        self, HA_ANSWER_ACQUIRED, HA_ANSWER_FED, HA_ANSWER_FENCED, HA_ANSWER_FINISHED, HA_ANSWER_HELD,
        HA_ANSWER_LOCKED, HA_ANSWER_NEVER_READY, HA_ANSWER_NO, HA_ANSWER_NONE, HA_ANSWER_NOT_FENCED,
        HA_ANSWER_NOT_READY, HA_ANSWER_OK, HA_ANSWER_READY, HA_ANSWER_REFUSED, HA_ANSWER_RENEWED, HA_ANSWER_RUNNING,
        HA_ANSWER_TOO_LATE, HA_ANSWER_YES,
    },
    event::{EventHandle, ha_event},
    failure::Failure,
    handles::Lent,
    host::{FenceCommands, Host, ha_callbacks, ha_fence_commands},
    job::ha_job,
    lrm_status::ha_lrm_status,
    manager_status::ha_manager_status,
    records::Record,
    reply::{Reply, ha_reply},
    text::ha_str,
    timings::nanoseconds,
    words::Number,
};

/// A host for the length of one call.
pub(crate) struct Adapter<'a> {
    callbacks: &'a ha_callbacks,
}

/// Calls a callback with the context, the given arguments, and a reply.
macro_rules! ask {
    ($self:ident.$callback:ident($($argument:expr),*)) => {
        $self.ask(stringify!($callback), $self.callbacks.$callback, |callback, context, reply| {
            // SAFETY: the host gave this callback together with its context; texts and handles hold until it returns.
            unsafe { callback(context, $($argument,)* reply) }
        })
    };
}

/// What a callback answered, and what it handed back.
struct Answered {
    callback: &'static str,
    answer: i32,
    reply: Reply,
}

fn failed(failure: Failure) -> HostError {
    HostError::new(failure.json().get("message").and_then(|text| text.as_str()).unwrap_or_default())
}

impl Answered {
    /// What the answer means, by the answers that the callback may give.
    fn one_of<T: Copy>(&mut self, meanings: &[(ha_answer, T)]) -> Result<T, HostError> {
        if let Some(why) = &self.reply.refused {
            return Err(HostError::new(format!("{} handed back what can't be: {why}", self.callback)));
        }
        match meanings.iter().find(|(answer, _)| *answer as i32 == self.answer) {
            Some((_, meaning)) => Ok(*meaning),
            None => Err(self.wrong()),
        }
    }

    fn wrong(&mut self) -> HostError {
        HostError::new(match self.reply.error.take() {
            Some(message) => message,
            None if self.answer == ha_answer::HA_ANSWER_FAILED as i32 => format!("{} failed", self.callback),
            None => format!("{} answered {}, which is none of its answers", self.callback, self.answer),
        })
    }

    fn ok(mut self) -> Result<Reply, HostError> {
        self.one_of(&[(HA_ANSWER_OK, ())])?;
        Ok(self.reply)
    }

    /// The reply, unless there is none of what was asked for.
    fn some(mut self) -> Result<Option<Reply>, HostError> {
        let is_some = self.one_of(&[(HA_ANSWER_OK, true), (HA_ANSWER_NONE, false)])?;
        if !is_some && self.reply.has_something() {
            return Err(HostError::new(format!(
                "{} answered that there is none, but handed something back",
                self.callback
            )));
        }
        Ok(is_some.then_some(self.reply))
    }

    /// The answer of an agent to a start, stop or move.
    fn ok_or_locked(mut self) -> Result<(), HostError> {
        if self.one_of(&[(HA_ANSWER_OK, false), (HA_ANSWER_LOCKED, true)])? {
            return Err(HostError::locked(one_text(self.callback, self.reply)?));
        }
        Ok(())
    }

    fn yes_or_no(mut self) -> Result<bool, HostError> {
        self.one_of(&[(HA_ANSWER_YES, true), (HA_ANSWER_NO, false)])
    }

    fn fed(mut self) -> Result<FeedOutcome, HostError> {
        self.one_of(&[(HA_ANSWER_FED, FeedOutcome::Fed), (HA_ANSWER_TOO_LATE, FeedOutcome::TooLate)])
    }
}

fn handed_back<T>(callback: &'static str, value: Option<T>) -> Result<T, HostError> {
    value.ok_or_else(|| HostError::new(format!("{callback} answered well, but handed nothing back")))
}

fn one_text(callback: &'static str, reply: Reply) -> Result<String, HostError> {
    let mut texts = reply.texts.into_iter();
    match (texts.next(), texts.next()) {
        (Some(text), None) if text.is_empty() => {
            Err(HostError::new(format!("{callback} handed an empty text back: HA_ANSWER_NONE says that there is none")))
        }
        (text, None) => handed_back(callback, text),
        (_, Some(_)) => Err(HostError::new(format!("{callback} handed several texts back"))),
    }
}

impl<'a> Adapter<'a> {
    pub(crate) fn new(host: &'a Host) -> Self {
        Self { callbacks: &host.0 }
    }

    fn ask<F: Copy>(
        &self,
        name: &'static str,
        callback: Option<F>,
        call: impl FnOnce(F, *mut c_void, *mut ha_reply) -> i32,
    ) -> Result<Answered, HostError> {
        let callback = callback.ok_or_else(|| HostError::new(format!("the host has no callback {name}")))?;
        let reply = Lent::<ha_reply, Reply>::new(Reply::default()).map_err(failed)?;
        let answer = call(callback, self.callbacks.context, reply.handle);
        let reply = reply.take_back(std::mem::take).unwrap_or_default();
        Ok(Answered { callback: name, answer, reply })
    }
}

/// A name as a text and its length.
fn split(text: &str) -> (*const std::ffi::c_char, usize) {
    let text = ha_str::of(text);
    (text.data, text.length)
}

fn since_start(instant: Instant) -> u64 {
    nanoseconds(instant.since_start())
}

impl EventSink for Adapter<'_> {
    fn event(&mut self, event: Event) {
        let Some(callback) = self.callbacks.event else { return };
        let Ok(lent) = Lent::<ha_event, EventHandle>::new(EventHandle::lent(&event)) else { return };
        // SAFETY: the host gave this callback together with its context; the event holds until it returns.
        unsafe { callback(self.callbacks.context, lent.handle) };
    }
}

impl Membership for Adapter<'_> {
    fn refresh(&mut self) -> Result<(), HostError> {
        ask!(self.refresh())?.ok().map(drop)
    }

    fn is_quorate(&mut self) -> bool {
        ask!(self.is_quorate()).is_ok_and(|answered| answered.answer == HA_ANSWER_YES as i32)
    }

    fn members(&mut self) -> Result<BTreeMap<NodeName, bool>, HostError> {
        let members = ask!(self.members())?.ok()?.members;
        handed_back("members", (!members.is_empty()).then_some(members))
    }
}

impl ClusterLock for Adapter<'_> {
    fn take(&mut self, lock: &Lock) -> Result<LockAnswer, HostError> {
        let lock = lock.to_string();
        let (lock, length) = split(&lock);
        ask!(self.take_lock(lock, length))?.one_of(&[
            (HA_ANSWER_ACQUIRED, LockAnswer::Acquired),
            (HA_ANSWER_RENEWED, LockAnswer::Renewed),
            (HA_ANSWER_HELD, LockAnswer::Held),
            (HA_ANSWER_REFUSED, LockAnswer::Refused),
        ])
    }

    fn release(&mut self, lock: &Lock) -> Result<(), HostError> {
        let lock = lock.to_string();
        let (lock, length) = split(&lock);
        ask!(self.release_lock(lock, length))?.ok().map(drop)
    }
}

impl Watchdog for Adapter<'_> {
    fn open(&mut self, not_after: Instant) -> Result<FeedOutcome, HostError> {
        ask!(self.open_watchdog(since_start(not_after)))?.fed()
    }

    fn feed(&mut self, not_after: Instant) -> Result<FeedOutcome, HostError> {
        ask!(self.feed_watchdog(since_start(not_after)))?.fed()
    }

    fn close(&mut self) -> Result<(), HostError> {
        ask!(self.close_watchdog())?.ok().map(drop)
    }
}

impl StatusStore for Adapter<'_> {
    fn manager_status(&mut self) -> Result<Option<Arc<ManagerStatus>>, HostError> {
        let Some(mut reply) = ask!(self.read_manager_status())?.some()? else { return Ok(None) };
        handed_back("read_manager_status", reply.take_manager_status().map_err(failed)?).map(Some)
    }

    fn lrm_status(&mut self, node: &NodeName) -> Result<Option<Arc<LrmStatus>>, HostError> {
        let (node, length) = split(node.as_str());
        let Some(mut reply) = ask!(self.read_lrm_status(node, length))?.some()? else { return Ok(None) };
        handed_back("read_lrm_status", reply.take_lrm_status().map_err(failed)?).map(Some)
    }
}

impl ConfigurationStore for Adapter<'_> {
    fn configuration(&mut self) -> Result<Configuration, HostError> {
        handed_back("read_configuration", ask!(self.read_configuration())?.ok()?.configuration)
    }
}

impl ManagerStore for Adapter<'_> {
    fn write_manager_status(&mut self, status: &ManagerStatus) -> Result<(), HostError> {
        let lent = Lent::<ha_manager_status, _>::new(Record::Lent(status)).map_err(failed)?;
        ask!(self.write_manager_status(lent.handle))?.ok().map(drop)
    }

    fn commands_waiting(&mut self) -> Result<bool, HostError> {
        ask!(self.commands_waiting())?.yes_or_no()
    }

    fn take_commands(&mut self) -> Result<Vec<String>, HostError> {
        Ok(ask!(self.take_commands())?.ok()?.texts)
    }
}

impl LrmStore for Adapter<'_> {
    fn write_lrm_status(&mut self, status: &LrmStatus) -> Result<(), HostError> {
        let lent = Lent::<ha_lrm_status, _>::new(Record::Lent(status)).map_err(failed)?;
        ask!(self.write_lrm_status(lent.handle))?.ok().map(drop)
    }
}

impl GuestControl for Adapter<'_> {
    fn move_configuration(&mut self, sid: &ServiceId, from: &NodeName, to: &NodeName) -> Result<(), HostError> {
        let ((sid, sid_length), (from, from_length), (to, to_length)) =
            (split(sid.as_str()), split(from.as_str()), split(to.as_str()));
        ask!(self.move_configuration(sid, sid_length, from, from_length, to, to_length))?.ok().map(drop)
    }

    fn remove_leftover_locks(&mut self, sid: &ServiceId, node: &NodeName) -> Result<Option<String>, HostError> {
        let ((sid, sid_length), (node, node_length)) = (split(sid.as_str()), split(node.as_str()));
        let reply = ask!(self.remove_leftover_locks(sid, sid_length, node, node_length))?.some()?;
        reply.map(|reply| one_text("remove_leftover_locks", reply)).transpose()
    }

    fn set_requested_state(&mut self, sid: &ServiceId, state: RequestedState) -> Result<(), HostError> {
        let (sid, length) = split(sid.as_str());
        ask!(self.set_requested_state(sid, length, state.number()))?.ok().map(drop)
    }

    fn write_group_migration(&mut self, rules: &RulesConfig, resources: &ResourcesConfig) -> Result<(), HostError> {
        let digest = |digest: ha_core::config::Digest| CString::new(digest.to_string()).unwrap_or_default();
        let (rules_digest, resources_digest) = (digest(rules.digest), digest(resources.digest));
        let (rules, resources) = (rules.write(), resources.write());
        let answered = ask!(self.write_group_migration(
            rules.as_ptr().cast(),
            rules.len(),
            rules_digest.as_ptr(),
            resources.as_ptr().cast(),
            resources.len(),
            resources_digest.as_ptr()
        ));
        answered?.ok().map(drop)
    }

    fn remove_groups(&mut self, groups: &GroupsConfig) -> Result<(), HostError> {
        let digest = CString::new(groups.digest.to_string()).unwrap_or_default();
        ask!(self.remove_groups(digest.as_ptr()))?.ok().map(drop)
    }

    fn software_version(&mut self, node: &NodeName) -> Result<Option<String>, HostError> {
        let (node, length) = split(node.as_str());
        let reply = ask!(self.software_version(node, length))?.some()?;
        reply.map(|reply| one_text("software_version", reply)).transpose()
    }
}

impl FenceDevices for Adapter<'_> {
    fn run(&mut self, attempt: &FenceAttempt, commands: &[FenceCommand]) -> Result<FenceProgress, HostError> {
        let lent = Lent::<ha_fence_commands, _>::new(FenceCommands::of(commands)?).map_err(failed)?;
        let (node, length) = split(attempt.node.as_str());
        let (incident, incident_length) = split(attempt.incident.as_str());
        let (number, device) = (attempt.number, attempt.device);
        let asked = ask!(self.run_fence_device(node, length, incident, incident_length, number, device, lent.handle));
        asked?.one_of(&[
            (HA_ANSWER_RUNNING, FenceProgress::Running),
            (HA_ANSWER_FENCED, FenceProgress::Succeeded),
            (HA_ANSWER_NOT_FENCED, FenceProgress::Failed),
        ])
    }

    fn forget_fence_attempts(&mut self, except: &BTreeSet<Uid>) -> Result<(), HostError> {
        if self.callbacks.run_fence_device.is_none() {
            // A host without devices has nothing to forget.
            return Ok(());
        }
        let lines: String = except.iter().map(|incident| format!("{incident}\n")).collect();
        let (lines, length) = split(&lines);
        ask!(self.forget_fence_attempts(lines, length))?.ok().map(drop)
    }
}

impl Statistics for Adapter<'_> {
    fn unmanaged_services(&mut self) -> Result<Vec<UnmanagedGuest>, HostError> {
        Ok(ask!(self.unmanaged_services())?.ok()?.unmanaged)
    }

    fn usage(&mut self, mode: SchedulerMode) -> Result<HostFigures, HostError> {
        if self.callbacks.usage_by_mode.is_some() {
            let dynamic = i32::from(mode == SchedulerMode::Dynamic);
            return handed_back("usage_by_mode", ask!(self.usage_by_mode(dynamic))?.ok()?.usage);
        }
        handed_back("usage", ask!(self.usage())?.ok()?.usage)
    }
}

impl Entropy for Adapter<'_> {
    fn random_bytes(&mut self) -> Result<[u8; 16], HostError> {
        let bytes = ask!(self.random_bytes())?.ok()?.bytes;
        bytes.try_into().map_err(|_| HostError::new("random_bytes has to hand back sixteen bytes"))
    }
}

impl Workers for Adapter<'_> {
    fn start(&mut self, job: &Job) -> Result<JobStart, HostError> {
        let lent = Lent::<ha_job, _>::new(Record::Lent(job)).map_err(failed)?;
        let mut answered = ask!(self.start_job(lent.handle))?;
        if answered.one_of(&[(HA_ANSWER_RUNNING, true), (HA_ANSWER_FINISHED, false)])? {
            return Ok(JobStart::Running);
        }
        handed_back("start_job", answered.reply.exit_code).map(JobStart::Finished)
    }

    fn finished(&mut self) -> Result<Vec<(JobId, ExitCode)>, HostError> {
        Ok(ask!(self.finished_jobs())?.ok()?.jobs)
    }

    fn time_limit(&mut self, job: &Job) -> Result<Option<Duration>, HostError> {
        if self.callbacks.job_time_limit.is_none() {
            return Ok(job.usual_time_limit());
        }
        let lent = Lent::<ha_job, _>::new(Record::Lent(job)).map_err(failed)?;
        let mut answered = ask!(self.job_time_limit(lent.handle))?;
        if answered.one_of(&[(HA_ANSWER_OK, false), (HA_ANSWER_NONE, true)])? {
            return Ok(None);
        }
        handed_back("job_time_limit", answered.reply.seconds).map(Some)
    }

    fn end(&mut self, id: JobId) -> Result<(), HostError> {
        if self.callbacks.end_job.is_none() {
            return Err(HostError::new(format!("job {} hangs, and this host can't end jobs", id.0)));
        }
        ask!(self.end_job(id.0))?.ok().map(drop)
    }

    fn guest_lock(&mut self, sid: &ServiceId) -> Result<Option<String>, HostError> {
        if self.callbacks.guest_lock.is_none() {
            return Ok(None);
        }
        let (sid, length) = split(sid.as_str());
        let reply = ask!(self.guest_lock(sid, length))?.some()?;
        reply.map(|reply| one_text("guest_lock", reply)).transpose()
    }

    fn probe(&mut self, attempt: &ProbeAttempt) -> Result<ProbeProgress, HostError> {
        if self.callbacks.probe.is_none() {
            return Err(attempt.not_made());
        }
        let (sid, length) = split(attempt.sid.as_str());
        let (probe, probe_length) = split(attempt.probe.as_str());
        ask!(self.probe(sid, length, attempt.number, probe, probe_length, attempt.timeout))?.one_of(&[
            (HA_ANSWER_RUNNING, ProbeProgress::Running),
            (HA_ANSWER_READY, ProbeProgress::Ready),
            (HA_ANSWER_NOT_READY, ProbeProgress::NotReady),
            (HA_ANSWER_NEVER_READY, ProbeProgress::Failed),
        ])
    }
}

impl Agent for Adapter<'_> {
    fn knows_type(&mut self, service_type: &str) -> bool {
        let (service_type, length) = split(service_type);
        ask!(self.knows_type(service_type, length)).is_ok_and(|answered| answered.answer == HA_ANSWER_YES as i32)
    }

    fn guest_node(&mut self, sid: &ServiceId) -> Result<Option<NodeName>, HostError> {
        let (sid, length) = split(sid.as_str());
        let Some(reply) = ask!(self.guest_node(sid, length))?.some()? else { return Ok(None) };
        one_text("guest_node", reply)?
            .parse()
            .map(Some)
            .map_err(|error: ha_core::id::IdError| HostError::new(error.to_string()))
    }

    fn is_running(&mut self, sid: &ServiceId) -> Result<bool, HostError> {
        let (sid, length) = split(sid.as_str());
        ask!(self.is_running(sid, length))?.yes_or_no()
    }

    fn start(&mut self, sid: &ServiceId) -> Result<(), HostError> {
        let (sid, length) = split(sid.as_str());
        ask!(self.start(sid, length))?.ok_or_locked()
    }

    fn stop(&mut self, sid: &ServiceId, timeout: Option<u32>) -> Result<(), HostError> {
        let (sid, length) = split(sid.as_str());
        ask!(self.stop(sid, length, timeout.map_or(-1, i64::from)))?.ok_or_locked()
    }

    fn move_to(&mut self, sid: &ServiceId, target: &NodeName, motion: Motion) -> Result<(), HostError> {
        let ((sid, sid_length), (target, target_length)) = (split(sid.as_str()), split(target.as_str()));
        ask!(self.move_to(sid, sid_length, target, target_length, motion.number()))?.ok_or_locked()
    }
}
