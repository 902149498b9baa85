//! Where services go when nodes fail.

use ha_core::plan::Recovery;

use crate::{
    boundary::{self, call},
    error::ha_error,
    failure::{Failure, ha_status},
    handles::{self, Handle},
    situation::{Asked, ha_situation, unplaced},
    text::ha_str,
    words::Number,
};

/// Where services go when nodes fail.
pub struct ha_recoveries {
    _private: [u8; 0],
}

/// Behind a `ha_recoveries`.
struct Recoveries(Vec<Recovery>);

impl Handle for Recoveries {
    const NAME: &'static str = "ha_recoveries";
}

/// Where one service goes when its node fails. This layout never changes; texts are lent by the ha_recoveries.
#[repr(C)]
pub struct ha_recovery {
    /// The service.
    pub sid: ha_str,
    /// The node that failed.
    pub from: ha_str,
    /// Where it goes; none if there is no node for it.
    pub to: ha_str,
    /// What decided, one of ha_decider.
    pub decided_by: i32,
}

/// Where the services of these nodes would go if the nodes failed now and were fenced, in the order in which they would be
/// recovered. HA_ERROR_NOT_FOUND if the cluster does not have one of the nodes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_situation_after_failure(
    situation: *const ha_situation,
    nodes: *const ha_str,
    node_count: usize,
    recoveries: *mut *mut ha_recoveries,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let nodes = call.nodes(nodes, node_count)?;
        let found = handles::read::<_, Asked>(situation)?.situation().after_failure(&nodes);
        let found = found.map_err(|error| unplaced(&error))?;
        call.new_handle(recoveries, Recoveries(found))
    })
}

/// Frees recoveries. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn ha_recoveries_free(recoveries: *mut ha_recoveries) -> ha_status {
    boundary::free::<_, Recoveries>(recoveries)
}

/// How many services would be recovered.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_recoveries_count(
    recoveries: *const ha_recoveries,
    count: *mut usize,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| { call.must_write(count, handles::read::<_, Recoveries>(recoveries)?.0.len()) })
}

/// One of the recoveries, by its place in their order.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ha_recoveries_get(
    recoveries: *const ha_recoveries,
    index: usize,
    recovery: *mut ha_recovery,
    error: *mut *mut ha_error,
) -> ha_status {
    call!(error, |call| {
        let recoveries = handles::read::<_, Recoveries>(recoveries)?;
        let found = recoveries.0.get(index);
        let found = found.ok_or_else(|| Failure::not_found(format!("there is no recovery {index}")))?;
        let recovered = ha_recovery {
            sid: ha_str::of(found.sid.as_str()),
            from: ha_str::of(found.from.as_str()),
            to: found.to.as_ref().map_or(ha_str::NONE, |node| ha_str::of(node.as_str())),
            decided_by: found.decided_by.number(),
        };
        call.must_write(recovery, recovered)
    })
}
