//! Changes by persons.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::sync_channel,
    },
    thread,
    time::Duration,
};

use ha_core::{
    event::Event,
    history::{Entry, EntryId, Source},
    id::NodeName,
};

use crate::{
    os::clock,
    store::{SharedStore, Store, StoreError},
};

/// A change that a person, or a program in somebody's name, has made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeByPerson {
    /// Who, as far as it is known: `alice@desk`.
    pub by: String,
    /// Through what, where it was not the command line: an address, a token's name.
    pub through: Option<String>,
    /// What was done, as the command line has it: `rules add`.
    pub verb: String,
    /// To what: a service, a node, a rule, or `the cluster`.
    pub object: String,
    /// The change in words.
    pub change: String,
    /// When it was made: milliseconds since 1970-01-01 UTC.
    pub time_ms: i64,
    /// The id of the command by which the master makes it, if it is one.
    pub command_id: Option<EntryId>,
}

/// An id for what somebody on a node does: of the entry that says so, and of a command that is queued.
#[must_use]
pub fn new_id(node: &NodeName) -> EntryId {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    // Two processes of a node may make a change within a millisecond, and one process several.
    let number = (u64::from(std::process::id()) << 20) | (COUNT.fetch_add(1, Ordering::Relaxed) & 0xf_ffff);
    EntryId::of_person(node, u64::try_from(clock::wall_ms()).unwrap_or(0), number)
}

/// Keeps a change in the history of the cluster, once it is made, and waits no longer for that than `patience`: a store whose history
/// hangs holds up nobody who has done something else. `node` is where the change was made.
///
/// # Errors
///
/// If the store fails, or has not kept it in time: then it may do so yet. The change is made all the same.
pub fn tell_in_time(
    store: &Arc<dyn SharedStore>,
    node: &NodeName,
    change: ChangeByPerson,
    patience: Duration,
) -> Result<(), StoreError> {
    let (store, node) = (store.clone(), node.clone());
    let (done, wait) = sync_channel(1);
    thread::spawn(move || drop(done.send(tell(&*store, &node, change))));
    wait.recv_timeout(patience).unwrap_or(Err(StoreError::NoAnswer { seconds: patience.as_secs_f64() }))
}

fn tell(store: &dyn Store, node: &NodeName, change: ChangeByPerson) -> Result<(), StoreError> {
    let ChangeByPerson { by, through, verb, object, change, time_ms, command_id } = change;
    // A command is called like the entry that says who gave it.
    let id = command_id.clone().unwrap_or_else(|| new_id(node));
    let command_id = command_id.map(|id| id.to_string());
    let event = Event::ChangeMade { by, through, verb, object, change, command_id };
    let entry = Entry::new(id, time_ms, node.clone(), Source::Person, event.into());
    store.append_history(&[entry.to_json()]).map(drop)
}
