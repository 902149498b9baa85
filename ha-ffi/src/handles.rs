//! Handles: what C sees as pointers to opaque types are numbers that are looked up here, and never given out twice.
//!
//! So a handle that was freed, is of another type, or never was one, is found out whenever it is used, and memory is never
//! touched through it. Any number of threads may read through a handle at once ([`read`], what functions do that take a pointer
//! to const). While a call changes what is behind it ([`take`]) the handle is *in use*, and every other call that wants it is
//! refused: a callback that calls back, or another thread. A panic leaves the handles of its call *broken* for good.
//!
//! What is lent to a callback is freed by whoever lends it ([`Lent`]), and by nobody else: it may borrow from what the running call
//! works with.

use std::{
    any::Any,
    cell::UnsafeCell,
    collections::{HashMap, hash_map::Entry},
    marker::PhantomData,
    ops::{Deref, DerefMut},
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use ha_core::time::Now;
use rustc_hash::FxBuildHasher;

use crate::failure::{Failure, ha_status};

/// What a type behind a handle is called in C.
pub(crate) trait Handle: Any {
    const NAME: &'static str;
}

/// How many read through a handle: none, or so many, or [`IN_USE`].
const FREE: usize = 0;
const IN_USE: usize = usize::MAX;

struct Slot {
    users: AtomicUsize,
    is_broken: AtomicBool,
    is_lent: bool,
    name: &'static str,
    /// What must be done by the call that works with the value, or the next one: see [`InUse::give_back`].
    notes: Mutex<Vec<Note>>,
    value: UnsafeCell<Box<dyn Any>>,
}

// SAFETY: `value` is changed only by whoever has brought `users` from FREE to IN_USE, or by the last owner on its drop, and
// read only by whoever is counted there, through `Reading`, which asks for a value that threads may share. The values are data
// of the core, which can be sent; and hosts' function pointers with their context, which, as the header says, are
// called, and destroyed, by whichever thread makes the call.
unsafe impl Send for Slot {}
// SAFETY: as above.
unsafe impl Sync for Slot {}

impl Slot {
    fn refused(&self) -> Failure {
        if self.is_broken.load(Ordering::Acquire) {
            let text = format!("a bug struck in an earlier call with this {}: it can only be freed", self.name);
            return Failure::new(ha_status::HA_ERROR_PANIC, text);
        }
        let text = format!("this {} is in use: by a call that this callback is inside of, or a thread", self.name);
        Failure::new(ha_status::HA_ERROR_BUSY, text)
    }

    /// Is the only one to work with the value from now on.
    fn take(&self) -> Result<(), Failure> {
        let taken = self.users.compare_exchange(FREE, IN_USE, Ordering::Acquire, Ordering::Relaxed);
        if taken.is_err() {
            return Err(self.refused());
        }
        if self.is_broken.load(Ordering::Acquire) {
            self.users.store(FREE, Ordering::Release);
            return Err(self.refused());
        }
        Ok(())
    }

    /// Is one of those who read the value from now on.
    fn share(&self) -> Result<(), Failure> {
        let one_more = |users: usize| users.checked_add(1).filter(|users| *users < IN_USE);
        let shared = self.users.fetch_update(Ordering::Acquire, Ordering::Relaxed, one_more);
        if shared.is_err() {
            return Err(self.refused());
        }
        if self.is_broken.load(Ordering::Acquire) {
            self.stop_sharing();
            return Err(self.refused());
        }
        Ok(())
    }

    fn stop_sharing(&self) {
        self.users.fetch_sub(1, Ordering::Release);
    }

    fn note_panic(&self) {
        if std::thread::panicking() {
            self.is_broken.store(true, Ordering::Release);
        }
    }
}

#[derive(Default)]
struct Table {
    last: usize,
    slots: HashMap<usize, Arc<Slot>, FxBuildHasher>,
}

static TABLE: RwLock<Option<Table>> = RwLock::new(None);

/// How many handles there are.
pub(crate) fn count() -> usize {
    let table = TABLE.read().unwrap_or_else(PoisonError::into_inner);
    table.as_ref().map_or(0, |table| table.slots.len())
}

/// Makes a handle. `P` is the opaque type that C sees.
pub(crate) fn insert<P, T: Handle>(value: T) -> Result<*mut P, Failure> {
    insert_slot(value, false)
}

fn insert_slot<P, T: Handle>(value: T, is_lent: bool) -> Result<*mut P, Failure> {
    let slot = Slot {
        users: AtomicUsize::new(FREE),
        is_broken: AtomicBool::new(false),
        is_lent,
        name: T::NAME,
        notes: Mutex::default(),
        value: UnsafeCell::new(Box::new(value)),
    };
    let mut table = TABLE.write().unwrap_or_else(PoisonError::into_inner);
    let table = table.get_or_insert_default();
    let number =
        table.last.checked_add(1).ok_or_else(|| Failure::new(ha_status::HA_ERROR_LIMIT, "no handles are left"))?;
    table.last = number;
    table.slots.insert(number, Arc::new(slot));
    Ok(std::ptr::without_provenance_mut(number))
}

/// Takes a handle out. A call that works with it now keeps it until it returns.
fn remove<P>(handle: *const P, name: &str, is_lent: bool) -> Result<Arc<Slot>, Failure> {
    let mut table = TABLE.write().unwrap_or_else(PoisonError::into_inner);
    let slots = table.as_mut().map(|table| &mut table.slots);
    let removed = slots.map_or_else(
        || Err(wrong(handle, name)),
        |slots| match slots.entry(handle.addr()) {
            Entry::Occupied(entry) if entry.get().name == name && entry.get().is_lent == is_lent => Ok(entry.remove()),
            Entry::Occupied(entry) if entry.get().name == name => Err(lent(name)),
            Entry::Occupied(_) | Entry::Vacant(_) => Err(wrong(handle, name)),
        },
    );
    // Room is given back when nothing is left, so that leak checkers find nothing of ours.
    if let Some(table) = table.as_mut().filter(|table| table.slots.is_empty()) {
        table.slots = HashMap::default();
    }
    removed
}

fn lent(name: &str) -> Failure {
    let text = format!("this {name} is lent to a callback: it ends with it, and is not to be freed");
    Failure::new(ha_status::HA_ERROR_HANDLE, text)
}

/// Frees a handle; NULL is freed already. One that is lent is refused.
pub(crate) fn free<P, T: Handle>(handle: *const P) -> Result<(), Failure> {
    if handle.is_null() { Ok(()) } else { remove(handle, T::NAME, false).map(drop) }
}

fn find<P>(handle: *const P, name: &str) -> Result<Arc<Slot>, Failure> {
    let table = TABLE.read().unwrap_or_else(PoisonError::into_inner);
    let slot = table.as_ref().and_then(|table| table.slots.get(&handle.addr()));
    match slot {
        Some(slot) if slot.name == name || name.is_empty() => Ok(slot.clone()),
        Some(_) | None => Err(wrong(handle, name)),
    }
}

fn wrong<P>(handle: *const P, name: &str) -> Failure {
    if handle.is_null() {
        return Failure::new(ha_status::HA_ERROR_ARGUMENT, format!("NULL instead of a {name}"));
    }
    Failure::new(ha_status::HA_ERROR_HANDLE, format!("this is no {name}, or one that was freed"))
}

/// A handle that a call works with alone.
pub(crate) struct InUse<T> {
    slot: Arc<Slot>,
    value: PhantomData<*mut T>,
}

/// Begins to work with a handle alone.
pub(crate) fn take<P, T: Handle>(handle: *mut P) -> Result<InUse<T>, Failure> {
    let slot = find(handle, T::NAME)?;
    slot.take()?;
    Ok(InUse { slot, value: PhantomData })
}

/// Works with a handle of any type; to try out what a panic does.
pub(crate) fn take_any<P>(handle: *const P) -> Result<InUse<()>, Failure> {
    let slot = find(handle, "")?;
    slot.take()?;
    Ok(InUse { slot, value: PhantomData })
}

/// A stop of a daemon that is asked for while it can't be told: the request as a number, for an LRM, and the moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Note {
    pub(crate) request: i32,
    pub(crate) now: Now,
}

/// Begins to work with a handle alone, unless somebody does so already, who finds the note then.
pub(crate) fn take_or_leave<P, T: Handle>(handle: *mut P, note: Note) -> Result<Option<InUse<T>>, Failure> {
    let slot = find(handle, T::NAME)?;
    let mut notes = slot.notes.lock().unwrap_or_else(PoisonError::into_inner);
    match slot.take() {
        Ok(()) => {}
        Err(failure) if failure.status == ha_status::HA_ERROR_BUSY => {
            notes.push(note);
            return Ok(None);
        }
        Err(failure) => return Err(failure),
    }
    drop(notes);
    Ok(Some(InUse { slot, value: PhantomData }))
}

/// Leaves a note for the next call that works with the handle.
pub(crate) fn leave<P, T: Handle>(handle: *mut P, note: Note) -> Result<(), Failure> {
    find(handle, T::NAME)?.notes.lock().unwrap_or_else(PoisonError::into_inner).push(note);
    Ok(())
}

impl<T: Handle> InUse<T> {
    /// Does what was noted.
    pub(crate) fn heed(&mut self, mut act: impl FnMut(&mut T, Note)) {
        let noted = std::mem::take(&mut *self.slot.notes.lock().unwrap_or_else(PoisonError::into_inner));
        for note in noted {
            act(self, note);
        }
    }

    /// Does what was noted until now, and stops working with the handle. No note of somebody who saw it in use is left undone.
    pub(crate) fn give_back(mut self, mut act: impl FnMut(&mut T, Note)) {
        loop {
            self.heed(&mut act);
            let slot = self.slot.clone();
            let notes = slot.notes.lock().unwrap_or_else(PoisonError::into_inner);
            if notes.is_empty() {
                drop(self);
                return;
            }
        }
    }
}

impl<T> Drop for InUse<T> {
    fn drop(&mut self) {
        self.slot.note_panic();
        self.slot.users.store(FREE, Ordering::Release);
    }
}

/// A handle that a call reads through, as others may at the same time.
pub(crate) struct Reading<T> {
    slot: Arc<Slot>,
    value: PhantomData<*const T>,
}

/// Begins to read through a handle.
pub(crate) fn read<P, T: Handle + Sync>(handle: *const P) -> Result<Reading<T>, Failure> {
    let slot = find(handle, T::NAME)?;
    slot.share()?;
    Ok(Reading { slot, value: PhantomData })
}

impl<T> Drop for Reading<T> {
    fn drop(&mut self) {
        self.slot.note_panic();
        self.slot.stop_sharing();
    }
}

impl<T: Handle> Deref for Reading<T> {
    type Target = T;

    #[expect(clippy::expect_used, reason = "the name of a slot says what type is in it")]
    fn deref(&self) -> &T {
        // SAFETY: whoever has a `Reading` is counted in the users of the slot, so nobody changes the value.
        let value = unsafe { &*self.slot.value.get() };
        value.downcast_ref().expect("the slot's name tells its type")
    }
}

impl<T: Handle> Deref for InUse<T> {
    type Target = T;

    #[expect(clippy::expect_used, reason = "the name of a slot says what type is in it")]
    fn deref(&self) -> &T {
        // SAFETY: whoever has an `InUse` has brought the users to IN_USE, so nobody else touches the value.
        let value = unsafe { &*self.slot.value.get() };
        value.downcast_ref().expect("the slot's name tells its type")
    }
}

impl<T: Handle> DerefMut for InUse<T> {
    #[expect(clippy::expect_used, reason = "the name of a slot says what type is in it")]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above, and `self` is borrowed mutably.
        let value = unsafe { &mut *self.slot.value.get() };
        value.downcast_mut().expect("the slot's name tells its type")
    }
}

/// A handle that a callback is lent: it is gone when this is dropped.
pub(crate) struct Lent<P, T: Handle> {
    pub(crate) handle: *mut P,
    value: PhantomData<T>,
}

impl<P, T: Handle> Lent<P, T> {
    pub(crate) fn new(value: T) -> Result<Self, Failure> {
        Ok(Self { handle: insert_slot(value, true)?, value: PhantomData })
    }

    /// Takes the handle back with what is in it. If another thread still works with it, waits for that: the value may
    /// borrow from what ends now.
    pub(crate) fn take_back<R>(self, use_it: impl FnOnce(&mut T) -> R) -> Option<R> {
        let value = claim::<P, T>(self.handle);
        // It is taken back already: nothing is left to drop.
        std::mem::forget(self);
        value.map(|mut value| use_it(&mut value))
    }
}

fn claim<P, T: Handle>(handle: *const P) -> Option<InUse<T>> {
    let slot = remove(handle, T::NAME, true).ok()?;
    while let Err(failure) = slot.take() {
        if failure.status == ha_status::HA_ERROR_BUSY {
            std::thread::yield_now();
        } else {
            // Broken: whoever broke it may still be on the way out of its call, and is waited for like everybody.
            slot.is_broken.store(false, Ordering::Release);
        }
    }
    Some(InUse { slot, value: PhantomData })
}

impl<P, T: Handle> Drop for Lent<P, T> {
    fn drop(&mut self) {
        drop(claim::<P, T>(self.handle));
    }
}
