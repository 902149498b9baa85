//! What etcd needs to go on. It keeps every value that a key ever had until somebody tells it to forget them, and refuses every
//! change once its file has reached a quota: so old revisions are forgotten in time, and what leads there is said before.
//!
//! At its quota etcd (3.4) raises the alarm NOSPACE. From then on it refuses every put, also over a key that is there, and
//! every transaction that could put: no lock can be renewed. It still reads, deletes, compacts and defragments. The alarm goes by
//! the size of the file, which only defragmenting makes smaller. So room is made by all three: forgetting, defragmenting each
//! member (which stands still meanwhile), and disarming the alarm.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ha_core::time::Instant;

use super::{
    StoreError, StoreProblem,
    fault::{self, Fault, FaultKind},
    gateway::Gateway,
    wire::{AlarmQuestion, Alarms, Compaction, Done, Nothing, Status},
};
use crate::os::clock;

const STATUS: &str = "/v3/maintenance/status";
const ALARM: &str = "/v3/maintenance/alarm";
const DEFRAGMENT: &str = "/v3/maintenance/defragment";
const COMPACT: &str = "/v3/kv/compaction";

/// How long a member may take to say how it is.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long it may take to say which alarms there are, which all members have to agree on.
const ALARM_PATIENCE: Duration = Duration::from_secs(2);
/// How long it may take to do what takes time.
const LONG_PATIENCE: Duration = Duration::from_secs(120);

/// When what was done, and what etcd's revision was.
pub(super) struct Upkeep {
    retention: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Revisions by when they were the last one, the oldest first.
    samples: VecDeque<(Instant, i64)>,
    looked: Option<Instant>,
    /// Since when changes are refused for want of space.
    full_since: Option<Instant>,
    /// No room is made before.
    not_before: Option<Instant>,
}

impl Upkeep {
    /// How long old values of keys are kept, for those who want to see what was.
    pub(super) const RETENTION: Duration = Duration::from_secs(3600);
    /// The master sees to it that there is room; if it can't, another one does after this time.
    const MASTERS_TIME: Duration = Duration::from_secs(10);
    /// Room that is used up sooner than that was used by what is there: making room again would be of no use.
    const ROOM_LASTS: Duration = Duration::from_secs(60);
    /// After room could not be made.
    const PAUSE: Duration = Duration::from_secs(2);

    pub(super) fn new(retention: Duration) -> Self {
        Self { retention, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn interval(&self) -> Duration {
        (self.retention / 12).min(Duration::from_secs(300))
    }

    /// Does what is due. Gives what was done that a person would want to know.
    pub(super) fn turn(&self, etcd: &Gateway, is_master: &dyn Fn() -> bool) -> Result<Vec<String>, StoreError> {
        let now = clock::instant();
        if etcd.was_full() {
            self.state().full_since.get_or_insert(now);
        }
        let full_since = self.state().full_since;
        if let Some(since) = full_since {
            return self.make_room(etcd, now, since, is_master);
        }
        {
            let mut state = self.state();
            if state.looked.is_some_and(|looked| now.since(looked) < self.interval()) {
                return Ok(Vec::new());
            }
            state.looked = Some(now);
            state.samples.push_back((now, etcd.revision()));
        }
        if is_master() {
            self.forget(etcd, now)?;
        }
        // One that is too old is the one to forget to.
        let mut state = self.state();
        while state.samples.get(1).is_some_and(|(then, _)| now.since(*then) >= self.retention) {
            state.samples.pop_front();
        }
        Ok(Vec::new())
    }

    /// Has etcd forget what keys were longer ago than is kept, or than a twelfth of that where more than half of its quota is in
    /// use.
    fn forget(&self, etcd: &Gateway, now: Instant) -> Result<(), StoreError> {
        let members = members(etcd);
        let is_tight = members.iter().any(|member| match &member.status {
            Ok(status) => status.in_use >= member.quota.bytes / 2,
            Err(_) => false,
        });
        let kept = if is_tight { self.retention / 12 } else { self.retention };
        let revision = {
            let state = self.state();
            state.samples.iter().rev().find(|(then, _)| now.since(*then) >= kept).map(|(_, revision)| *revision)
        };
        match (revision, members.iter().find(|member| member.status.is_ok())) {
            (Some(revision), Some(member)) if revision > 0 => compact(etcd, &member.endpoint, revision),
            _ => Ok(()),
        }
    }

    fn make_room(
        &self,
        etcd: &Gateway,
        now: Instant,
        since: Instant,
        is_master: &dyn Fn() -> bool,
    ) -> Result<Vec<String>, StoreError> {
        let is_too_early = self.state().not_before.is_some_and(|moment| now < moment);
        if is_too_early || (now.since(since) < Self::MASTERS_TIME && !is_master()) {
            return Ok(Vec::new());
        }
        let done = make_room(etcd);
        let ended = clock::instant();
        let mut state = self.state();
        if done.is_ok() {
            state.full_since = None;
            state.not_before = Some(ended.after(Self::ROOM_LASTS));
        } else {
            state.not_before = Some(ended.after(Self::PAUSE));
        }
        done.map(|done| vec![done])
    }
}

/// A member and how it is.
struct MemberStatus {
    endpoint: String,
    status: Result<Status, FaultKind>,
    quota: Quota,
}

/// How many bytes a member's file may have.
#[derive(Debug, Clone, Copy)]
struct Quota {
    bytes: i64,
    /// Whether the member says so itself.
    is_known: bool,
}

impl Quota {
    /// Where nothing else is said.
    const USUAL: Self = Self { bytes: 2 << 30, is_known: false };
}

fn members(etcd: &Gateway) -> Vec<MemberStatus> {
    let member = |endpoint: String| {
        let status = etcd.ask_one::<Status>(&endpoint, STATUS, &Nothing {}, PATIENCE);
        let said = status.as_ref().ok().map(|status| status.quota).filter(|quota| *quota > 0);
        let measured = || status.is_ok().then(|| measured_quota(&etcd.metrics(&endpoint, PATIENCE)?)).flatten();
        let quota = said.or_else(measured).filter(|quota| *quota > 0);
        let quota = quota.map_or(Quota::USUAL, |bytes| Quota { bytes, is_known: true });
        MemberStatus { endpoint, status, quota }
    };
    etcd.endpoints().into_iter().map(member).collect()
}

/// As it is among what a member measures, such as `etcd_server_quota_backend_bytes 2.147483648e+09`.
fn measured_quota(metrics: &str) -> Option<i64> {
    let line = metrics.lines().find_map(|line| line.strip_prefix("etcd_server_quota_backend_bytes "))?;
    let bytes: f64 = line.trim().parse().ok()?;
    (bytes.is_finite() && bytes >= 0.0).then_some(bytes as i64)
}

fn compact(etcd: &Gateway, endpoint: &str, revision: i64) -> Result<(), StoreError> {
    let question = Compaction { revision, physical: true };
    match etcd.ask_one::<Done>(endpoint, COMPACT, &question, LONG_PATIENCE) {
        Ok(Done {}) => Ok(()),
        // Somebody else was quicker.
        Err(FaultKind::Refused(why)) if why.contains("has been compacted") => Ok(()),
        Err(kind) => Err(failed(etcd, endpoint, kind)),
    }
}

fn failed(etcd: &Gateway, endpoint: &str, kind: FaultKind) -> StoreError {
    fault::describe(&[Fault { endpoint: endpoint.into(), kind }], etcd.address())
}

/// Forgets all old values, defragments each member, the leader last, and disarms the alarm.
fn make_room(etcd: &Gateway) -> Result<String, StoreError> {
    let mut members = members(etcd);
    members
        .sort_by_key(|member| member.status.as_ref().map_or(true, |status| status.leader == status.header.member_id));
    let size = |members: &[MemberStatus]| {
        members.iter().filter_map(|member| member.status.as_ref().ok()).map(|status| status.size).max().unwrap_or(0)
    };
    let before = size(&members);
    let Some(first) = members.iter().find(|member| member.status.is_ok()) else {
        return Err(StoreError::Etcd("it is full, and no member says how it is".into()));
    };
    compact(etcd, &first.endpoint, etcd.revision())?;
    for member in members.iter().filter(|member| member.status.is_ok()) {
        let done = etcd.ask_one::<Done>(&member.endpoint, DEFRAGMENT, &Nothing {}, LONG_PATIENCE);
        match done {
            Ok(Done {}) => {}
            Err(FaultKind::Denied) => {
                let how = fault::MAKE_ROOM;
                return Err(StoreError::EtcdRefused(format!(
                    "it is full, and only its user 'root' may make room: {how}"
                )));
            }
            Err(kind) => return Err(failed(etcd, &member.endpoint, kind)),
        }
    }
    for alarm in alarms(etcd, &first.endpoint)?.alarms.iter().filter(|alarm| alarm.alarm == NO_SPACE) {
        let question = AlarmQuestion { action: "DEACTIVATE", member: Some(&alarm.member), alarm: Some(&alarm.alarm) };
        let done = etcd.ask_one::<Done>(&first.endpoint, ALARM, &question, LONG_PATIENCE);
        done.map_err(|kind| failed(etcd, &first.endpoint, kind))?;
    }
    let after = size(&self::members(etcd));
    Ok(format!("etcd had used up its space: old values were forgotten, of {} MB {} MB are left", mb(before), mb(after)))
}

const NO_SPACE: &str = "NOSPACE";

fn alarms(etcd: &Gateway, endpoint: &str) -> Result<Alarms, StoreError> {
    let question = AlarmQuestion { action: "GET", member: None, alarm: None };
    etcd.ask_one(endpoint, ALARM, &question, ALARM_PATIENCE).map_err(|kind| failed(etcd, endpoint, kind))
}

const fn mb(bytes: i64) -> i64 {
    bytes / 1_000_000
}

/// What is wrong with etcd, or will be.
pub(super) fn problems(etcd: &Gateway) -> Result<Vec<StoreProblem>, StoreError> {
    let members = members(etcd);
    let mut problems = Vec::new();
    for MemberStatus { endpoint, status, quota } in &members {
        match status {
            Ok(status) => problems.extend(quota_problem(endpoint, status, *quota)),
            Err(kind) => problems.push(StoreProblem {
                name: format!("etcd-member {endpoint}"),
                text: format!(
                    "etcd: {endpoint} {}; the store goes on as long as more than half of its members run",
                    kind.what()
                ),
            }),
        }
    }
    if let Some(member) = members.iter().find(|member| member.status.is_ok()) {
        problems.extend(alarms(etcd, &member.endpoint)?.alarms.into_iter().map(|alarm| alarm_problem(&alarm.alarm)));
    }
    problems.dedup();
    Ok(problems)
}

fn alarm_problem(alarm: &str) -> StoreProblem {
    let text = match alarm {
        NO_SPACE => format!("etcd: its alarm NOSPACE is on, and it refuses every change: {}", fault::MAKE_ROOM),
        _ => format!("etcd: its alarm {alarm} is on: see its log"),
    };
    StoreProblem { name: format!("etcd-alarm {alarm}"), text }
}

fn quota_problem(endpoint: &str, status: &Status, quota: Quota) -> Option<StoreProblem> {
    let percent = i128::from(status.size) * 100 / i128::from(quota.bytes.max(1));
    let level = [95, 90, 80].into_iter().find(|level| percent >= *level)?;
    let remedy = if status.in_use < status.size / 2 {
        format!(
            "only {} MB of it are in use: 'etcdctl defrag' gives the rest back (do it for one member after the other)",
            mb(status.in_use)
        )
    } else {
        "raise its --quota-backend-bytes, or take out what fills it".to_owned()
    };
    let doubt = if quota.is_known { "" } else { " (the usual one: it does not say which it has)" };
    Some(StoreProblem {
        name: format!("etcd-quota {level} {endpoint}"),
        text: format!(
            "etcd: {endpoint} has used {percent} % of its quota of {} MB{doubt}, and at 100 % no lock can be renewed; {remedy}",
            mb(quota.bytes)
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_said_to_be_short_from_eighty_per_cent_on_with_what_helps() {
        let status = |size, in_use| Status { size, in_use, ..Status::default() };
        let quota = |is_known| Quota { bytes: 100_000_000, is_known };
        let problem = |size, in_use| quota_problem("a:1", &status(size, in_use), quota(true));
        let unsaid = quota_problem("a:1", &status(90_000_000, 0), quota(false)).unwrap();
        assert!(unsaid.text.contains("it does not say which it has"));
        assert_eq!(problem(79_000_000, 70_000_000), None);
        let full = problem(81_000_000, 70_000_000).unwrap();
        assert!(full.text.contains("81 % of its quota of 100 MB") && full.text.contains("--quota-backend-bytes"));
        assert!(problem(96_000_000, 9_000_000).unwrap().text.contains("etcdctl defrag"));
        // It is said again when it gets worse, and not for each per cent.
        let name = |size| problem(size, 0).unwrap().name;
        assert!(name(81_000_000) == name(89_000_000) && name(89_000_000) != name(95_000_000));
    }

    #[test]
    fn the_quota_stands_among_what_is_measured() {
        let metrics = "# TYPE x gauge\netcd_server_quota_backend_bytes 2.147483648e+09\nx 1\n";
        assert_eq!(measured_quota(metrics), Some(2 << 30));
        assert_eq!(measured_quota("etcd_server_quota_backend_bytes NaN"), None);
        assert_eq!(measured_quota(""), None);
    }
}
