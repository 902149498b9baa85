//! Who has a lock, by whoever wrote its record.

use std::{ffi::c_char, ptr, time::Duration};

use ha_core::{
    host::{LockAnswer, LockClaim, LockDecision, LockRecord},
    id::NodeName,
};

use crate::{
    answer::ha_answer,
    boundary::call,
    error::ha_error,
    failure::{Failure, ha_status},
    words::Number,
};

/// What to do about a lock that a process wants.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ha_lock_decision {
    /// Write a record of one's own, in one step with having looked; once that is done the answer is HA_ANSWER_ACQUIRED.
    HA_LOCK_ACQUIRED = 1,
    /// The same with HA_ANSWER_RENEWED.
    HA_LOCK_RENEWED = 2,
    /// Leave it: the answer is HA_ANSWER_REFUSED.
    HA_LOCK_REFUSED = 3,
    /// Leave it for good: another machine works under this node's name and has written what this process had. The node's
    /// daemons must not be called any more, and no watchdog fed or closed, until a person has decided.
    HA_LOCK_TWIN = 4,
}

fn decided(decision: LockDecision) -> ha_lock_decision {
    match decision {
        LockDecision::Take(LockAnswer::Acquired) => ha_lock_decision::HA_LOCK_ACQUIRED,
        LockDecision::Take(LockAnswer::Renewed | LockAnswer::Held) => ha_lock_decision::HA_LOCK_RENEWED,
        LockDecision::Take(LockAnswer::Refused) | LockDecision::Refuse => ha_lock_decision::HA_LOCK_REFUSED,
        LockDecision::Twin => ha_lock_decision::HA_LOCK_TWIN,
    }
}

/// The answer of a take_lock whose lock says only whether it was taken (1 or 0): HA_ANSWER_REFUSED if not; HA_ANSWER_RENEWED if the lock's
/// record was written by this very process before it was asked for; else HA_ANSWER_ACQUIRED.
///
/// before: who had written the record last before that, empty if nobody had or the lock was released. own: this process. A writer
/// is a text that no other process ever has (machine, boot and something random); a node's name does not do.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_lock_answer_by_writer(
    taken: i32,
    before: *const c_char,
    before_length: usize,
    own: *const c_char,
    own_length: usize,
    answer: *mut i32,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let (before, own) = (call.text(before, before_length)?, call.text(own, own_length)?);
        let taken = match taken {
            0 => false,
            1 => true,
            _ => return Err(Failure::argument(format!("{taken} is neither 0 nor 1"))),
        };
        if own.is_empty() {
            return Err(Failure::argument("who writes is empty: it has to be a text that no other process has"));
        }
        let told = match LockAnswer::by_writer(taken, (!before.is_empty()).then_some(before), own) {
            LockAnswer::Acquired => ha_answer::HA_ANSWER_ACQUIRED,
            LockAnswer::Renewed => ha_answer::HA_ANSWER_RENEWED,
            LockAnswer::Held => ha_answer::HA_ANSWER_HELD,
            LockAnswer::Refused => ha_answer::HA_ANSWER_REFUSED,
        };
        call.must_write(answer, told as i32)
    })
}

/// The word for a ha_lock_decision: "acquired", "renewed", "refused" or "twin"; NULL for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn ha_lock_decision_name(value: i32) -> *const c_char {
    let word: &[u8] = match value {
        1 => b"acquired\0",
        2 => b"renewed\0",
        3 => b"refused\0",
        4 => b"twin\0",
        _ => return ptr::null(),
    };
    word.as_ptr().cast()
}

/// Decides about a lock that this process wants for its node, for hosts that keep locks as records in a store of their own.
///
/// holder: the node that the record names; empty if there is no record or nobody holds the lock. hand: one of ha_hand, by whose
/// hand the record was written, as far as this process can prove it; 0 if it can't be read at all. holds: whether this process
/// has the lock as far as it knows, 0 or 1. Times are in nanoseconds: how long this process counts on a lock, how long the
/// record says that its holder does, and for how long this process has seen the very same record, by its own clock.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_decide_lock(
    node: *const c_char,
    node_length: usize,
    holder: *const c_char,
    holder_length: usize,
    hand: i32,
    holds: i32,
    lifetime: u64,
    holder_lifetime: u64,
    unchanged_for: u64,
    decision: *mut i32,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let node: NodeName = call.name(node, node_length)?;
        let is_held = holder_length > 0;
        let holder: Option<NodeName> = if is_held { Some(call.name(holder, holder_length)?) } else { None };
        let record = match (&holder, hand) {
            (_, 0) => LockRecord::Damaged,
            (None, _) => LockRecord::Free,
            (Some(holder), hand) => LockRecord::Held {
                holder,
                hand: Number::from_number(hand)?,
                lifetime: Duration::from_nanos(holder_lifetime),
            },
        };
        let holds = match holds {
            0 => false,
            1 => true,
            _ => return Err(Failure::argument(format!("{holds} is neither 0 nor 1"))),
        };
        let claim = LockClaim { node: &node, holds, lifetime: Duration::from_nanos(lifetime) };
        let decision_of = claim.decide(record, Duration::from_nanos(unchanged_for));
        call.must_write(decision, decided(decision_of) as i32)
    })
}
