//! A node that takes part in the cluster of a [`SharedStore`].

use std::{
    collections::BTreeMap,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use ha_core::{
    host::{Lock, LockAnswer},
    id::NodeName,
    time::Instant,
    timing::Timings,
};

use super::{
    Beat, Session, SharedStore, StoreError,
    file::to_json,
    lease::{Decision, SeenLocks, decide, released},
    membership::SeenBeats,
};
use crate::{INTERFACE_VERSION, clock, node::NodeLoad};

/// A node's presence: a thread writes its sign of life and looks at those of the others, and at all locks.
///
/// The node takes part as long as it can write. The others take it for gone when its file has not changed for three fifths
/// of the membership's detection time; the rest of that time is for the intervals of writing and looking.
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
    seen: Mutex<Seen>,
    /// What guards the node.
    guard: Mutex<Option<String>>,
    stop: Mutex<bool>,
    stopping: Condvar,
}

#[derive(Debug, Default)]
struct Seen {
    members: Vec<NodeName>,
    beats: SeenBeats,
    locks: SeenLocks,
    /// When this node's own sign of life was last written; the moment before it was.
    own_beat: Option<Instant>,
    /// When all was last looked at; the moment before.
    looked: Option<Instant>,
    /// Why that failed the last time.
    failure: Option<String>,
}

impl StoreSession {
    /// Begins to take part as `node`. Returns when all was looked at once, or at once if that fails: then
    /// [`Session::refresh`] says why.
    ///
    /// # Errors
    ///
    /// If no thread can be started.
    pub fn begin(store: Arc<dyn SharedStore>, node: NodeName, timings: Timings) -> std::io::Result<Self> {
        let writer = format!("{}-{}", std::process::id(), clock::instant().since_start().as_nanos());
        let shared = Arc::new(Shared {
            store,
            node,
            timings,
            writer,
            seen: Mutex::default(),
            guard: Mutex::default(),
            stop: Mutex::new(false),
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
}

impl StoreSession {
    /// Has the next sign of life say what guards the node.
    pub fn is_guarded_by(&self, guard: &str) {
        let mut known = self.shared.guard.lock().unwrap_or_else(PoisonError::into_inner);
        if known.as_deref() != Some(guard) {
            *known = Some(guard.to_owned());
        }
    }
}

impl Drop for StoreSession {
    fn drop(&mut self) {
        *self.shared.stop.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.shared.stopping.notify_all();
        if let Some(thread) = self.thread.take() {
            // It ends within one look at the store; if that hangs, so be it: the thread touches no service.
            drop(thread);
        }
    }
}

/// What the thread keeps for the next sign of life.
struct Beats {
    count: u64,
    load: NodeLoad,
}

impl Shared {
    fn run(&self, mut beats: Beats) {
        let mut stop = self.stop.lock().unwrap_or_else(PoisonError::into_inner);
        while !*stop {
            let waited = self.stopping.wait_timeout(stop, self.look_interval());
            stop = waited.unwrap_or_else(PoisonError::into_inner).0;
            if !*stop {
                drop(stop);
                self.look(&mut beats);
                stop = self.stop.lock().unwrap_or_else(PoisonError::into_inner);
            }
        }
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
        let result = self.beat(beats, began).and_then(|()| self.look_at_others());
        let mut seen = self.seen();
        match result {
            Ok(()) => {
                seen.looked = Some(began);
                seen.failure = None;
            }
            Err(error) => seen.failure = Some(error.to_string()),
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
            writer: self.writer.clone(),
            count: beats.count,
            version: INTERFACE_VERSION.into(),
            cpu: beats.load.cpu(),
            memory: beats.load.memory(),
            guard: self.guard.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        };
        self.store.put_beat(&self.node, &beat)?;
        self.seen().own_beat = Some(now);
        Ok(())
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
        let own_beat = self.shared.seen().own_beat;
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
        let Shared { store, node, timings, writer, .. } = &*self.shared;
        let mut answer = LockAnswer::Refused;
        store.change_lock(lock, &mut |content| {
            let now = clock::instant();
            let unchanged_for = content.map_or(Duration::ZERO, |content| {
                let mut seen = self.shared.seen();
                seen.locks.note(lock, content, now);
                seen.locks.unchanged_for(lock, content, now)
            });
            match decide(content, unchanged_for, node, writer, timings.lock_lifetime()) {
                Decision::Write(record, granted) => {
                    answer = granted;
                    Some(to_json(&record))
                }
                Decision::Refuse => {
                    answer = LockAnswer::Refused;
                    None
                }
            }
        })?;
        Ok(answer)
    }

    fn release(&self, lock: &Lock) -> Result<(), StoreError> {
        let Shared { store, node, writer, .. } = &*self.shared;
        store.change_lock(lock, &mut |content| released(content, node, writer).map(|record| to_json(&record)))
    }
}
