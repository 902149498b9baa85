//! A node that takes part in the cluster of a [`SharedStore`].

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use ha_core::{
    config::datacenter::{DatacenterFile, FencingMode},
    event::NodeRecord,
    host::{Hand, Lock, LockAnswer, LockClaim, LockDecision},
    id::NodeName,
    status::{LrmStatus, ManagerStatus, Writer},
    time::Instant,
    timing::Timings,
};

use super::{
    Beat, ConfigFile, Identity, Pace, RecordName, Session, SharedStore, StoreError, StoreSpace, StoreWriter, TwinNote,
    hand::{Hands, mark},
    lease::{SeenLocks, Stands},
    membership::{SeenBeats, Watched},
};
use crate::{
    INTERFACE_VERSION,
    os::{clock, load::NodeLoad},
};

/// A node's presence: a thread writes its sign of life and looks at those of the others, and at all locks.
///
/// The node takes part as long as it can write. The others take it for gone when its file has not changed for three fifths
/// of the membership's detection time; the rest of that time is for the intervals of writing and looking.
///
/// A name is no proof of who one is. What is there under this node's name by another hand (another machine, or a process
/// that is not proven to be gone) must not have changed for a lock lifetime before this session takes part at all: until then it
/// writes nothing. If it changes meanwhile, or if what this session has written is changed later, there is a
/// [twin](StoreSession::twin), and the session does nothing any more. The same holds where silence proves nothing, since the node was
/// unguarded when another machine was last heard of under its name, or where fence devices alone prove that it is down, since they
/// are connected with that other machine: that is for a person to decide.
#[derive(Debug)]
pub struct StoreSession {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    store: Arc<dyn SharedStore>,
    node: NodeName,
    timings: Timings,
    /// Names this process among all that ever write for this node.
    writer: String,
    machine: String,
    cluster: Option<String>,
    decided_against: Option<String>,
    seen: Mutex<Seen>,
    /// What guards the node.
    guard: Mutex<Option<String>>,
    pace: Mutex<Pace>,
    stop: Mutex<Stop>,
    stopping: Condvar,
}

#[derive(Debug, Default)]
struct Seen {
    standing: Standing,
    hands: Hands,
    /// The locks that this session has.
    held: BTreeSet<Lock>,
    /// Whether this session has written the LRM's record.
    wrote_record: bool,
    /// Whether its last sign of life was written, or is about to be.
    leaves: bool,
    members: Vec<NodeName>,
    beats: SeenBeats,
    locks: SeenLocks,
    space: Option<StoreSpace>,
    space_looked: Option<Instant>,
    /// When this node's own sign of life was last written; the moment before it was.
    own_beat: Option<Instant>,
    /// When all was last looked at; the moment before.
    looked: Option<Instant>,
    /// Why that failed the last time.
    failure: Option<String>,
}

impl Seen {
    /// Whether a node was taken out of the list of members. As long as the list was not read nobody was.
    fn is_removed(&self, node: &NodeName) -> bool {
        self.looked.is_some() && !self.members.contains(node)
    }
}

/// What this session is under the name of its node.
#[derive(Debug)]
enum Standing {
    /// It watches what is there by another hand.
    Watching(Watched),
    /// It takes part.
    Present,
    /// It has a twin, and does nothing any more.
    HasTwin(TwinNote),
}

impl Default for Standing {
    fn default() -> Self {
        Self::Watching(Watched::default())
    }
}

impl StoreSession {
    /// Begins to take part as `node`, as a process that no other one comes before. Returns when all was looked at once, or at once
    /// if that fails: then [`Session::refresh`] says why.
    ///
    /// # Errors
    ///
    /// If no thread can be started.
    pub fn begin(store: Arc<dyn SharedStore>, node: NodeName, timings: Timings) -> std::io::Result<Self> {
        let identity = Identity {
            writer: StoreWriter::this_process(&Writer::new("", "")),
            note: None,
            cluster: None,
            decided_against: None,
        };
        Self::begin_as(store, node, timings, identity)
    }

    /// As [`begin`](Self::begin), as somebody who can prove more.
    ///
    /// # Errors
    ///
    /// If no thread can be started.
    pub fn begin_as(
        store: Arc<dyn SharedStore>,
        node: NodeName,
        timings: Timings,
        identity: Identity,
    ) -> std::io::Result<Self> {
        let hands = Hands::after(identity.note.as_deref(), &identity.writer.boot);
        let shared = Arc::new(Shared {
            store,
            node,
            timings,
            writer: identity.writer.to_string(),
            machine: identity.writer.machine,
            cluster: identity.cluster,
            decided_against: identity.decided_against,
            seen: Mutex::new(Seen { hands, ..Seen::default() }),
            guard: Mutex::default(),
            pace: Mutex::default(),
            stop: Mutex::default(),
            stopping: Condvar::new(),
        });
        let mut beats = Beats { count: 0, load: NodeLoad::default() };
        shared.look(&mut beats);
        let thread = thread::Builder::new().name("membership".into()).spawn({
            let shared = shared.clone();
            move || shared.run(beats)
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Whether this session takes part, or would if the store could be reached: nobody else has to be waited for.
    #[must_use]
    pub fn is_present(&self) -> bool {
        matches!(self.shared.seen().standing, Standing::Present)
    }

    /// What was seen of another machine that works under this node's name, if there is one.
    #[must_use]
    pub fn twin(&self) -> Option<TwinNote> {
        match &self.shared.seen().standing {
            Standing::HasTwin(note) => Some(note.clone()),
            Standing::Watching(_) | Standing::Present => None,
        }
    }

    /// Whether this node was taken out of the list of members, when that was last looked at.
    #[must_use]
    pub fn is_removed(&self) -> bool {
        self.shared.seen().is_removed(&self.shared.node)
    }

    /// How much room the store had left when that was last looked at, if it can be told.
    #[must_use]
    pub fn space(&self) -> Option<StoreSpace> {
        self.shared.seen().space
    }

    /// Says with a last sign of life that this session goes, so that the next one of this node need not wait. Nothing may be
    /// done under the node's name any more. Dropping it does the same, if the store does not hang.
    ///
    /// # Errors
    ///
    /// If the store fails: then the next one has to wait, unless it can prove more.
    pub fn leave(&self) -> Result<(), StoreError> {
        self.shared.leave()
    }
}

impl StoreSession {
    /// Has the next sign of life say what guards the node.
    pub fn is_guarded_by(&self, guard: &str) {
        let mut known = self.shared.guard.lock().unwrap_or_else(PoisonError::into_inner);
        if known.as_deref() != Some(guard) {
            *known = Some(guard.to_owned());
        }
    }

    /// Has the next sign of life say how close the node's daemons are to their bounds.
    pub fn has_pace(&self, pace: Pace) {
        *self.shared.pace.lock().unwrap_or_else(PoisonError::into_inner) = pace;
    }
}

impl Drop for StoreSession {
    /// Its thread gives the last sign of life. If the store hangs that is not waited for: the thread touches no service.
    fn drop(&mut self) {
        const PATIENCE: Duration = Duration::from_secs(1);
        let shared = &self.shared;
        let mut state = shared.stop.lock().unwrap_or_else(PoisonError::into_inner);
        state.asked = true;
        shared.stopping.notify_all();
        let began = clock::instant();
        while !state.ended && self.thread.as_ref().is_some_and(|thread| !thread.is_finished()) {
            let left = PATIENCE.saturating_sub(clock::instant().since(began));
            if left.is_zero() {
                break;
            }
            state = shared.stopping.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// How the thread ends.
#[derive(Debug, Default)]
struct Stop {
    asked: bool,
    ended: bool,
}

/// What the thread keeps for the next sign of life.
struct Beats {
    count: u64,
    load: NodeLoad,
}

impl Shared {
    fn run(&self, mut beats: Beats) {
        let mut stop = self.stop.lock().unwrap_or_else(PoisonError::into_inner);
        while !stop.asked {
            let waited = self.stopping.wait_timeout(stop, self.look_interval());
            stop = waited.unwrap_or_else(PoisonError::into_inner).0;
            if !stop.asked {
                drop(stop);
                self.look(&mut beats);
                stop = self.stop.lock().unwrap_or_else(PoisonError::into_inner);
            }
        }
        drop(stop);
        // If the store fails the next session of this node has to wait, unless it can prove more.
        let _ = self.leave();
        self.stop.lock().unwrap_or_else(PoisonError::into_inner).ended = true;
        self.stopping.notify_all();
    }

    /// Gives a last sign of life, which is followed by no other one.
    fn leave(&self) -> Result<(), StoreError> {
        let mut seen = self.seen();
        if seen.leaves || !matches!(seen.standing, Standing::Present) {
            return Ok(());
        }
        seen.leaves = true;
        drop(seen);
        self.write_beat(Beat { left: true, mark: mark(), ..self.empty_beat() })
    }

    /// A lock must be seen within the time that the store may take to answer, since that is what the recovery time counts
    /// with.
    fn look_interval(&self) -> Duration {
        const SHORTEST: Duration = Duration::from_millis(10);
        self.beat_interval().min(self.timings.lock_answer() / 2).max(SHORTEST)
    }

    fn beat_interval(&self) -> Duration {
        self.timings.membership_detection() / 5
    }

    fn patience(&self) -> Duration {
        self.beat_interval() * 3
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self, beats: &mut Beats) {
        let began = clock::instant();
        let result = self.check_cluster().and_then(|()| self.beat(beats, began)).and_then(|()| self.look_at_others());
        let mut seen = self.seen();
        match result {
            Ok(()) => {
                seen.looked = Some(began);
                seen.failure = None;
            }
            Err(error) => seen.failure = Some(error.to_string()),
        }
        drop(seen);
        self.look_at_space(began);
    }

    /// A directory that is not mounted any more is another store, or none.
    fn check_cluster(&self) -> Result<(), StoreError> {
        let Some(known) = &self.cluster else { return Ok(()) };
        let found = self.store.cluster_id()?;
        if found.as_ref() == Some(known) { Ok(()) } else { Err(StoreError::other_cluster(known, found.as_deref())) }
    }

    /// What the store can't say is not known; the log has what is wrong with it anyway.
    fn look_at_space(&self, now: Instant) {
        const INTERVAL: Duration = Duration::from_secs(5);
        if self.seen().space_looked.is_some_and(|looked| now.since(looked) < INTERVAL) {
            return;
        }
        let space = self.store.space().ok().flatten();
        let mut seen = self.seen();
        (seen.space, seen.space_looked) = (space, Some(now));
    }

    fn empty_beat(&self) -> Beat {
        Beat {
            writer: self.writer.clone(),
            count: 0,
            version: INTERFACE_VERSION.into(),
            cpu: (0.0, 0.0),
            memory: (0, 0),
            guard: None,
            pace: Pace::default(),
            mark: String::new(),
            left: false,
        }
    }

    /// Writes this node's sign of life if it is time to.
    fn beat(&self, beats: &mut Beats, now: Instant) -> Result<(), StoreError> {
        let last = self.seen().own_beat;
        if last.is_some_and(|last| now.since(last) < self.beat_interval()) {
            return Ok(());
        }
        beats.count += 1;
        beats.load.measure();
        let beat = Beat {
            count: beats.count,
            cpu: beats.load.cpu(),
            memory: beats.load.memory(),
            guard: self.guard.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            pace: *self.pace.lock().unwrap_or_else(PoisonError::into_inner),
            mark: mark(),
            ..self.empty_beat()
        };
        self.write_beat(beat)?;
        let mut seen = self.seen();
        if matches!(seen.standing, Standing::Present) {
            seen.own_beat = Some(now);
        }
        Ok(())
    }

    /// Who may run services under this node's name though nothing is heard of it: another machine, which wrote the LRM's record and
    /// was guarded by nothing then, as the manager status says; or where devices alone turn a node off, which may be connected with
    /// that machine and not with this one.
    ///
    /// A manager status that can't be understood may say that as well.
    fn unguarded_other(&self) -> Result<Option<String>, StoreError> {
        let Some(record) = self.store.record(&RecordName::Lrm(self.node.clone()))? else { return Ok(None) };
        let Some((machine, boot)) = machine_of(&record) else { return Ok(None) };
        let writer = format!("{machine}/{boot}");
        // What was seen of it may name its process too.
        let is_decided = |against: &str| {
            against.strip_prefix(&writer).is_some_and(|rest| matches!(rest.chars().next(), None | Some('/')))
        };
        if machine == self.machine || self.decided_against.as_deref().is_some_and(is_decided) {
            return Ok(None);
        }
        if self.devices_alone_fence()? {
            return Ok(Some(writer));
        }
        let Some(status) = self.store.record(&RecordName::Manager)? else { return Ok(None) };
        let status = ManagerStatus::from_json(&String::from_utf8_lossy(&status));
        let may_run = status.map_or(true, |status| status.unguarded.contains(&self.node));
        Ok(may_run.then_some(writer))
    }

    fn devices_alone_fence(&self) -> Result<bool, StoreError> {
        let texts = self.store.config_texts()?;
        let Some(text) = texts.get(&ConfigFile::Datacenter) else { return Ok(false) };
        Ok(DatacenterFile::read(text).config.config().fencing == FencingMode::Hardware)
    }

    /// Writes a sign of life, if what is there is for this session to overwrite.
    fn write_beat(&self, beat: Beat) -> Result<(), StoreError> {
        let place = format!("members/{}", self.node);
        let begins = matches!(self.seen().standing, Standing::Watching(_));
        let other = if begins { self.unguarded_other()? } else { None };
        let text = compact(&beat);
        let mut written = false;
        self.store.change_beat(&self.node, &mut |content| {
            let mut seen = self.seen();
            let is_too_late = seen.leaves && !beat.left;
            written = !is_too_late && self.may_overwrite_beat(&mut seen, &place, content, other.as_deref());
            written.then(|| {
                seen.hands.attempt(&place, &text);
                text.clone()
            })
        })?;
        let mut seen = self.seen();
        if written {
            seen.hands.settle(&place);
            seen.standing = Standing::Present;
        }
        match &seen.standing {
            Standing::HasTwin(note) => Err(StoreError::has_twin(&self.node, note)),
            Standing::Watching(_) | Standing::Present => Ok(()),
        }
    }

    /// Whether the sign of life that is there is this session's to overwrite. `other`: see
    /// [`unguarded_other`](Self::unguarded_other).
    fn may_overwrite_beat(&self, seen: &mut Seen, place: &str, content: Option<&[u8]>, other: Option<&str>) -> bool {
        let may = self.is_left_to_overwrite(seen, place, content);
        let is_anothers = content.is_none_or(|content| seen.hands.of(place, content) == Hand::Another);
        match (&seen.standing, other) {
            (Standing::Watching(_), Some(writer)) if may && is_anothers => {
                seen.standing = Standing::HasTwin(self.note_twin(NodeRecord::LrmStatus, writer));
                false
            }
            _ => may,
        }
    }

    fn is_left_to_overwrite(&self, seen: &mut Seen, place: &str, content: Option<&[u8]>) -> bool {
        let Seen { standing, hands, .. } = seen;
        if matches!(standing, Standing::HasTwin(_)) {
            return false;
        }
        let Some(content) = content else { return true };
        if hands.of(place, content) != Hand::Another {
            return true;
        }
        let read = serde_json::from_slice::<Beat>(content).ok();
        let is_of_the_living = match (&mut *standing, &read) {
            // Somebody has damaged it.
            (Standing::Present, None) => return true,
            (Standing::Present, Some(_)) => true,
            (Standing::Watching(_) | Standing::HasTwin(_), Some(beat)) if beat.left => return true,
            (Standing::Watching(watched), _) => {
                if watched.note(content, clock::instant()) >= self.timings.lock_lifetime() {
                    return true;
                }
                watched.is_somebodys()
            }
            (Standing::HasTwin(_), _) => return false,
        };
        if is_of_the_living {
            let writer = read.map_or_else(|| "nobody".to_owned(), |beat| beat.writer);
            *standing = Standing::HasTwin(self.note_twin(NodeRecord::SignOfLife, &writer));
        }
        false
    }

    fn note_twin(&self, record: NodeRecord, writer: &str) -> TwinNote {
        TwinNote { record, writer: writer.to_owned(), seen_by: self.writer.clone(), seen_at: clock::wall() }
    }

    /// Nothing is done under the node's name where somebody else may do the same.
    fn check_standing(&self) -> Result<bool, StoreError> {
        match &self.seen().standing {
            Standing::Present => Ok(true),
            Standing::Watching(_) => Ok(false),
            Standing::HasTwin(note) => Err(StoreError::has_twin(&self.node, note)),
        }
    }

    /// Nothing is held while the store is asked: it may hang.
    fn look_at_others(&self) -> Result<(), StoreError> {
        let members = self.store.settings()?.nodes;
        for (node, content) in self.store.raw_beats(&members)? {
            if node != self.node {
                let read_at = clock::instant();
                self.seen().beats.note(&node, &content, read_at);
            }
        }
        for (lock, content) in self.store.locks()? {
            let read_at = clock::instant();
            self.seen().locks.note(&lock, &content, read_at);
        }
        self.seen().members = members;
        Ok(())
    }
}

impl Session for StoreSession {
    fn refresh(&self) -> Result<(), StoreError> {
        self.shared.check_standing()?;
        let now = clock::instant();
        let seen = self.shared.seen();
        let age = seen.looked.map_or(Duration::MAX, |looked| now.since(looked));
        if age <= self.shared.patience() {
            return Ok(());
        }
        match (&seen.failure, seen.looked) {
            (Some(failure), _) => {
                Err(StoreError::Unreadable { what: "the view of the cluster".into(), problem: failure.clone() })
            }
            (None, Some(_)) => Err(StoreError::NoAnswer { seconds: age.as_secs_f64() }),
            (None, None) => Err(StoreError::NoAnswer { seconds: 0.0 }),
        }
    }

    fn is_quorate(&self) -> bool {
        let now = clock::instant();
        let seen = self.shared.seen();
        let takes_part = matches!(seen.standing, Standing::Present) && !seen.is_removed(&self.shared.node);
        let own_beat = seen.own_beat.filter(|_| takes_part);
        own_beat.is_some_and(|beat| now.since(beat) <= self.shared.timings.membership_detection())
    }

    fn members(&self) -> Result<BTreeMap<NodeName, bool>, StoreError> {
        let quorate = self.is_quorate();
        let now = clock::instant();
        let seen = self.shared.seen();
        if seen.looked.is_none() {
            return Err(StoreError::NoAnswer { seconds: 0.0 });
        }
        let is_there = |node: &NodeName| {
            quorate && (*node == self.shared.node || seen.beats.is_alive(node, now, self.shared.patience()))
        };
        Ok(seen.members.iter().map(|node| (node.clone(), is_there(node))).collect())
    }

    fn take(&self, lock: &Lock) -> Result<LockAnswer, StoreError> {
        let shared = &*self.shared;
        if !shared.check_standing()? {
            return Ok(LockAnswer::Refused);
        }
        shared.check_cluster()?;
        if shared.seen().is_removed(&shared.node) {
            shared.seen().held.remove(lock);
            return Ok(LockAnswer::Refused);
        }
        let place = lock_place(lock);
        let mut decision = LockDecision::Refuse;
        let mut writer = String::new();
        shared.store.change_lock(lock, &mut |content| {
            let stands = Stands::read(content);
            decision = shared.decide(lock, &place, content, &stands);
            stands.writer().clone_into(&mut writer);
            matches!(decision, LockDecision::Take(_)).then(|| {
                let record = stands.next(Some(&shared.node), &shared.writer, shared.timings.lock_lifetime());
                let text = compact(&record);
                shared.seen().hands.attempt(&place, &text);
                text
            })
        })?;
        let mut seen = shared.seen();
        match decision {
            LockDecision::Take(answer) => {
                seen.hands.settle(&place);
                seen.held.insert(lock.clone());
                Ok(answer)
            }
            LockDecision::Refuse => {
                seen.held.remove(lock);
                Ok(LockAnswer::Refused)
            }
            LockDecision::Twin => {
                let record = match lock {
                    Lock::Manager => NodeRecord::ManagerLock,
                    Lock::Agent(_) => NodeRecord::AgentLock,
                };
                let note = shared.note_twin(record, &writer);
                let error = StoreError::has_twin(&shared.node, &note);
                seen.standing = Standing::HasTwin(note);
                Err(error)
            }
        }
    }

    fn release(&self, lock: &Lock) -> Result<(), StoreError> {
        let shared = &*self.shared;
        let place = lock_place(lock);
        let mut released = false;
        shared.store.change_lock(lock, &mut |content| {
            let stands = Stands::read(content);
            let is_own = content.is_some_and(|content| shared.seen().hands.of(&place, content) != Hand::Another);
            released = is_own && stands.holder() == Some(&shared.node);
            released.then(|| {
                let text = compact(&stands.next(None, &shared.writer, shared.timings.lock_lifetime()));
                shared.seen().hands.attempt(&place, &text);
                text
            })
        })?;
        let mut seen = shared.seen();
        seen.held.remove(lock);
        if released {
            seen.hands.settle(&place);
        }
        Ok(())
    }

    fn write_record(&self, record: &RecordName, content: &[u8]) -> Result<(), StoreError> {
        if !self.shared.check_standing()? {
            return Err(StoreError::NotPresent(self.shared.node.clone()));
        }
        self.shared.check_cluster()?;
        match record {
            RecordName::Manager => self.shared.write_manager_status(content),
            RecordName::Lrm(node) => self.shared.write_lrm_status(node, content),
        }
    }

    fn silent_for(&self, node: &NodeName) -> Option<Duration> {
        self.shared.seen().beats.silent_for(node, clock::instant())
    }
}

impl Shared {
    fn decide(&self, lock: &Lock, place: &str, content: Option<&[u8]>, stands: &Stands) -> LockDecision {
        let now = clock::instant();
        let mut seen = self.seen();
        let Some(content) = content else {
            return LockDecision::Take(LockAnswer::Acquired);
        };
        seen.locks.note(lock, content, now);
        let hand = seen.hands.of(place, content);
        if hand == Hand::Another {
            // What this session wrote before is over. If it is there again, somebody has brought it back.
            seen.hands.forget(place);
        }
        let holds = seen.held.contains(lock);
        let claim = LockClaim { node: &self.node, holds, lifetime: self.timings.lock_lifetime() };
        claim.decide(stands.record(hand), seen.locks.unchanged_for(lock, content, now))
    }

    /// Only over what this session wrote: the twin of a node reports under its name too. What nobody can read is nobody's.
    fn write_lrm_status(&self, node: &NodeName, content: &[u8]) -> Result<(), StoreError> {
        let place = format!("status/lrm/{node}");
        let mut twin = None;
        self.store.change_lrm_status(node, &mut |stands| {
            let mut seen = self.seen();
            let is_anothers = stands.is_some_and(|stands| {
                seen.hands.of(&place, stands) == Hand::Another
                    && LrmStatus::from_json(&String::from_utf8_lossy(stands)).is_ok()
            });
            twin =
                (is_anothers && seen.wrote_record).then(|| self.note_twin(NodeRecord::LrmStatus, &writer_of(stands)));
            twin.is_none().then(|| {
                seen.hands.attempt(&place, content);
                content.to_vec()
            })
        })?;
        let mut seen = self.seen();
        if let Some(note) = twin {
            let error = StoreError::has_twin(&self.node, &note);
            seen.standing = Standing::HasTwin(note);
            return Err(error);
        }
        seen.hands.settle(&place);
        seen.wrote_record = true;
        Ok(())
    }

    /// Only while the manager lock says that this very session has it.
    fn write_manager_status(&self, content: &[u8]) -> Result<(), StoreError> {
        let place = lock_place(&Lock::Manager);
        let is_held = |lock: Option<&[u8]>| {
            let is_own = lock.is_some_and(|lock| self.seen().hands.of(&place, lock) != Hand::Another);
            is_own && Stands::read(lock).holder() == Some(&self.node)
        };
        let written = self.store.write_manager_status(content, &is_held)?;
        if written { Ok(()) } else { Err(StoreError::NotMaster(self.node.clone())) }
    }
}

/// A value as JSON without a blank, as the store gives it back byte for byte. None of the values here can fail to be written.
fn compact(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

fn lock_place(lock: &Lock) -> String {
    format!("locks/{lock}")
}

/// Who wrote the record of an LRM, for people.
fn writer_of(record: Option<&[u8]>) -> String {
    match record.and_then(machine_of) {
        Some((machine, boot)) => format!("{machine}/{boot}"),
        None => "somebody who does not say so".to_owned(),
    }
}

/// The machine that wrote the record of an LRM, and its boot, as far as it says so.
fn machine_of(record: &[u8]) -> Option<(String, String)> {
    let value: serde_json::Value = serde_json::from_slice(record).ok()?;
    let text = |name: &str| Some(value.get("writer")?.get(name)?.as_str()?.to_owned());
    Some((text("machine")?, text("boot")?))
}

#[cfg(test)]
mod tests;
