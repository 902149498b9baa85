//! Handles: what C sees as pointers to opaque types are numbers that are looked up here, and never given out twice.
//!
//! So a handle that was freed, is of another type, or never was one, is found out whenever it is used, and memory is never
//! touched through it. While a call works with a handle the handle is *in use*, and every other call that wants it is
//! refused: a callback that calls back, or another thread. A panic leaves the handles of its call *broken* for good.

use std::{
    any::Any,
    cell::UnsafeCell,
    collections::HashMap,
    marker::PhantomData,
    ops::{Deref, DerefMut},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU8, Ordering},
    },
};

use rustc_hash::FxBuildHasher;

use crate::failure::{Failure, ha_status};

/// What a type behind a handle is called in C.
pub(crate) trait Handle: Any {
    const NAME: &'static str;
}

const FREE: u8 = 0;
const IN_USE: u8 = 1;
const BROKEN: u8 = 2;

struct Slot {
    state: AtomicU8,
    name: &'static str,
    value: UnsafeCell<Box<dyn Any>>,
}

// SAFETY: `value` is only touched by whoever has brought `state` from FREE to IN_USE, or by the last owner on its drop.
// The values are data of the core, which can be sent; and hosts' function pointers with their context, of which the header
// says that they are called, and destroyed, by whichever thread makes the call.
unsafe impl Send for Slot {}
// SAFETY: as above.
unsafe impl Sync for Slot {}

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
    let slot = Slot { state: AtomicU8::new(FREE), name: T::NAME, value: UnsafeCell::new(Box::new(value)) };
    let mut table = TABLE.write().unwrap_or_else(PoisonError::into_inner);
    let table = table.get_or_insert_default();
    let number =
        table.last.checked_add(1).ok_or_else(|| Failure::new(ha_status::HA_ERROR_LIMIT, "no handles are left"))?;
    table.last = number;
    table.slots.insert(number, Arc::new(slot));
    Ok(std::ptr::without_provenance_mut(number))
}

/// Takes a handle out. A call that works with it now keeps it until it returns.
fn remove<P>(handle: *const P, name: &str) -> Result<Arc<Slot>, Failure> {
    let mut table = TABLE.write().unwrap_or_else(PoisonError::into_inner);
    let slots = table.as_mut().map(|table| &mut table.slots);
    let known = slots.and_then(|slots| match slots.entry(handle.addr()) {
        std::collections::hash_map::Entry::Occupied(entry) if entry.get().name == name => Some(entry.remove()),
        std::collections::hash_map::Entry::Occupied(_) | std::collections::hash_map::Entry::Vacant(_) => None,
    });
    // Room is given back when nothing is left, so that leak checkers find nothing of ours.
    if let Some(table) = table.as_mut().filter(|table| table.slots.is_empty()) {
        table.slots = HashMap::default();
    }
    drop(table);
    known.ok_or_else(|| wrong(handle, name))
}

/// Frees a handle; NULL is freed already.
pub(crate) fn free<P, T: Handle>(handle: *const P) -> Result<(), Failure> {
    if handle.is_null() { Ok(()) } else { remove(handle, T::NAME).map(drop) }
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
        return Failure::new(ha_status::HA_ERROR_ARGUMENT, format!("NULL in the place of a {name}"));
    }
    Failure::new(ha_status::HA_ERROR_HANDLE, format!("this is no {name}, or one that was freed"))
}

/// A handle that a call works with.
pub(crate) struct InUse<T> {
    slot: Arc<Slot>,
    value: PhantomData<*mut T>,
}

/// Begins to work with a handle.
pub(crate) fn take<P, T: Handle>(handle: *const P) -> Result<InUse<T>, Failure> {
    let slot = take_slot(find(handle, T::NAME)?)?;
    Ok(InUse { slot, value: PhantomData })
}

fn take_slot(slot: Arc<Slot>) -> Result<Arc<Slot>, Failure> {
    match slot.state.compare_exchange(FREE, IN_USE, Ordering::Acquire, Ordering::Relaxed) {
        Ok(_) => Ok(slot),
        Err(BROKEN) => {
            let text = format!("a bug struck in an earlier call with this {}: it can only be freed", slot.name);
            Err(Failure::new(ha_status::HA_ERROR_PANIC, text))
        }
        Err(_) => {
            let text = format!("this {} is in use: by a call that this callback is inside of, or a thread", slot.name);
            Err(Failure::new(ha_status::HA_ERROR_BUSY, text))
        }
    }
}

/// Works with a handle of any type; to try out what a panic does.
pub(crate) fn take_any<P>(handle: *const P) -> Result<InUse<()>, Failure> {
    let slot = take_slot(find(handle, "")?)?;
    Ok(InUse { slot, value: PhantomData })
}

impl<T> Drop for InUse<T> {
    fn drop(&mut self) {
        let state = if std::thread::panicking() { BROKEN } else { FREE };
        self.slot.state.store(state, Ordering::Release);
    }
}

impl<T: Handle> Deref for InUse<T> {
    type Target = T;

    #[expect(clippy::expect_used, reason = "the name of a slot says what type is in it")]
    fn deref(&self) -> &T {
        // SAFETY: whoever has an `InUse` has brought the state to IN_USE, so nobody else touches the value.
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
        Ok(Self { handle: insert(value)?, value: PhantomData })
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
    let slot = remove(handle, T::NAME).ok()?;
    loop {
        match take_slot(slot.clone()) {
            Ok(slot) => return Some(InUse { slot, value: PhantomData }),
            Err(failure) if failure.status == ha_status::HA_ERROR_BUSY => std::thread::yield_now(),
            // Broken: nobody works with it any more.
            Err(_) => slot.state.store(FREE, Ordering::Release),
        }
    }
}

impl<P, T: Handle> Drop for Lent<P, T> {
    fn drop(&mut self) {
        drop(claim::<P, T>(self.handle));
    }
}
